"""SD-JWT (RFC 9901) over EdDSA: bytes in, bytes out. No key is looked up here and no signature verified.

A *disclosure* is base64url(JSON [salt, name, value]); its *digest* is base64url(SHA-256(disclosure)) (RFC 9901,
4.2.1 and 4.2.4.1). Object properties only; digests of one object stand in its `_sd`, sorted, so that their order
tells nothing.
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

_encode: Final = msgspec.json.Encoder().encode
_disclosure: Final = msgspec.json.Decoder(tuple[str, str, Any]).decode
_base64: Final = msgspec.json.Decoder(bytes).decode
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_URL: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_QUOTE: Final = b'"'
_ENDS: Final = (b'"', b"", b'=="', b'="')
"""By how many characters stand over the last four: the padding that the standard form has, and the end of its text."""
_TO_STANDARD: Final = bytes([c if c in _URL else 126 for c in range(256)]).translate(bytes.maketrans(b"-_", b"+/"))
_LAST: Final = [bytes([c in last for c in range(256)]) for last in (_URL, b"", b"AQgw", b"AEIMQUYcgkosw048")]
"""By how many characters stand over the last four: 1 for what the last may be. Others have bits that say nothing."""
_DIGEST_CHARACTERS: Final = 43


def b64(data: bytes) -> bytes:
    """Base64url without padding (RFC 7515, 2)."""
    return b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=")


def unb64(text: bytes) -> bytes:
    """Strict inverse of `b64`. Raises ValueError on padding, other alphabets and non-canonical trailing bits.

    JSON's decoder reads base64 in its standard form, strictly, in half the time of `binascii`.
    """
    if not text:
        return b""
    over = len(text) % 4
    if not _LAST[over][text[-1]]:
        raise ValueError("not canonical base64url without padding")
    return _base64(_QUOTE + text.translate(_TO_STANDARD) + _ENDS[over])


def header(typ: str) -> bytes:
    """The protected header, encoded: alg EdDSA (RFC 8037) and the media type.

    >>> unb64(header("x+sd-jwt"))
    b'{"alg":"EdDSA","typ":"x+sd-jwt"}'
    """
    return b64(_encode({"alg": "EdDSA", "typ": typ}))


def disclose(salt: str, name: str, value: Any) -> bytes:
    """One disclosure (RFC 9901, 4.2.1).

    >>> disclose("_26bc4LT-ac6q2KI6cBW5es", "family_name", "Möbius")[:24]
    b'WyJfMjZiYzRMVC1hYzZxMktJ'
    """
    return b64(_encode([salt, name, value]))


def digest(disclosure: bytes) -> str:
    """Digest of a disclosure's base64url text (RFC 9901, 4.2.4.1).

    >>> digest(b"WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0")
    'uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY'
    """
    return b64(hashlib.sha256(disclosure).digest()).decode()


def digests(disclosures: list[bytes]) -> list[str]:
    """`digest` of each, in order; one encoding serves them all, as 32 bytes and one of zero make 44 characters, of
    which the last says nothing."""
    hashes = [hashlib.sha256(disclosure).digest() for disclosure in disclosures]
    text = b2a_base64(b"\0".join([*hashes, b""]), newline=False).translate(_TO_URL).decode()
    return [text[at : at + _DIGEST_CHARACTERS] for at in range(0, len(text), _DIGEST_CHARACTERS + 1)]


def read_disclosure(disclosure: bytes) -> tuple[str, str, Any]:
    """(salt, name, value). Raises ValueError when the form is wrong or the name is reserved."""
    parts = _disclosure(unb64(disclosure))
    if parts[1] in ("_sd", "..."):
        raise ValueError("a disclosure may not be named _sd or ...")
    return parts


def join(jwt: bytes, disclosures: Iterable[bytes]) -> bytes:
    """The presentation: JWT, then each disclosure, `~` after each (RFC 9901, 4)."""
    return b"~".join([jwt, *disclosures, b""])


def split(presentation: bytes) -> tuple[bytes, list[bytes]]:
    """Inverse of `join`; a bare JWT has no disclosures. Raises ValueError where the last `~` is missing (a key-bound
    presentation, which this project does not use)."""
    jwt, *rest = presentation.split(b"~")
    if rest and rest.pop() != b"":
        raise ValueError("key binding is not used here: a presentation ends with ~")
    return jwt, rest


def sign(protected: bytes, payload: bytes, signer: Callable[[bytes], bytes]) -> bytes:
    """header.payload.signature; `signer` returns the 64-byte Ed25519 signature of the signing input."""
    signing_input = protected + b"." + b64(payload)
    return signing_input + b"." + b64(signer(signing_input))


def reveal(claims: Any, found: dict[str, tuple[str, Any]], used: set[str]) -> Any:
    """Claims with every digest that `found` knows replaced by its property, `_sd` removed, all depths (RFC 9901, 7.1).

    Args:
        found: digest -> (name, value). used: receives the digests that stood somewhere.
    Raises ValueError where a digest stands twice or a name is already taken.
    """
    if isinstance(claims, list):
        return [reveal(each, found, used) for each in claims]
    if not isinstance(claims, dict):
        return claims
    out = {name: reveal(value, found, used) for name, value in claims.items() if name != "_sd"}
    for text in claims.get("_sd", ()):
        if text in used:
            raise ValueError("a digest stands twice")
        if text in found:
            used.add(text)
            name, value = found[text]
            if name in out:
                raise ValueError(f"{name} is disclosed twice")
            out[name] = reveal(value, found, used)
    return out
