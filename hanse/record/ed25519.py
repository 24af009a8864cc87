"""The one signature verification of the project: Ed25519 as libsodium does it (PyNaCl).

Libraries differ on edge-case signatures (points of small order, encodings that are not canonical, points of mixed
order): RFC 8032 leaves room, and implementations take it. Among nodes that must agree, the library therefore *is* the
rule, and `self_check` pins it with published edge cases: a build that answers otherwise does not start. See "Taming
the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020) and C2SP CCTV, ed25519.

Calls go to ``crypto_sign_open`` of the library itself, not through ``nacl.bindings``: that would copy each message
twice and raise for each bad one. Every call gives up the interpreter lock, so two threads verify on two cores.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from nacl._sodium import ffi, lib
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair, sodium_init

sodium_init()

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
SEED_BYTES = 32
Signed = tuple[bytes, bytes, bytes]
"""(public key, message, signature)"""

_TWO_THREADS_FROM = 16
_NULL = ffi.NULL
_open = lib.crypto_sign_open


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) is the signature of `message` by `public_key` (32 bytes). Other lengths: False."""
    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    signed = signature + message
    return bool(_open(_NULL, _NULL, signed, len(signed), public_key) == 0)


def verify_many(signed: Sequence[Signed]) -> list[bool]:
    """`verify` of each (public key, message, signature), in order; on two threads from 16 signatures on."""
    if len(signed) < _TWO_THREADS_FROM:
        return _verify_all(signed)
    half = len(signed) // 2
    later = _helper().submit(_verify_all, signed[half:])
    return _verify_all(signed[:half]) + later.result()


def _verify_all(signed: Sequence[Signed]) -> list[bool]:
    return [verify(public_key, message, signature) for public_key, message, signature in signed]


@cache
def _helper() -> ThreadPoolExecutor:
    """The second thread; made at first use, ends with the process."""
    return ThreadPoolExecutor(1, thread_name_prefix="ed25519")


def public_key_of(seed: bytes) -> bytes:
    """The public key (32 bytes) of a private seed (32 bytes)."""
    return bytes(crypto_sign_seed_keypair(seed)[0])


def sign(seed: bytes, message: bytes) -> bytes:
    """The signature (64 bytes) of a message by a private seed (RFC 8032, 5.1.6; deterministic)."""
    _, secret = crypto_sign_seed_keypair(seed)
    return bytes(crypto_sign(message, secret)[:SIGNATURE_BYTES])


class OtherRule(RuntimeError):
    """This build of libsodium accepts other signatures than the network does; a node on it could split the record."""


def self_check() -> None:
    """Check that this build answers the published edge cases as the network does; call it once at start-up.

    Raises: `OtherRule` naming the first case that is answered otherwise.
    """
    from .edge_cases import CASES

    for name, accepted, public_key, message, signature in CASES:
        if verify(bytes.fromhex(public_key), message, bytes.fromhex(signature)) != accepted:
            raise OtherRule(f"libsodium {'rejects' if accepted else 'accepts'} the signature {name!r}")
