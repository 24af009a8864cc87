"""Admission: what is looked at before a fact is ordered, the same in the node's own process and beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Protocol

from msgspec import inspect

from hanse.kernel.batches import signed_part
from hanse.kernel.entries import BatchProof
from hanse.kernel.facts import WINDOW_SECONDS_MAX, Fact, Signed
from hanse.kernel.reading import doubled, read
from hanse.kernel.refusal import Refused
from hanse.record import ed25519
from hanse.record.frames import ENTRY_BYTES_MAX
from hanse.standards import sdjwt

DISCLOSURES_BYTES_MAX = 1_000_000
DEPTH_MAX = 32
_DEEP_TEXT_MIN = 96
"""Characters of the shortest disclosure that nests too deeply: no shorter one is looked at."""
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[][{}]')
_STEP_BYTES = frozenset({32})
_FRAME_BYTES_MAX = 200
"""What an entry adds to a fact's bytes at most: its form, the outcome's code, its place in a batch."""


class Presented(Protocol):
    """A signed fact as sent: see `hanse.node.wallet.Presentation`."""

    @property
    def jwt(self) -> bytes: ...
    @property
    def disclosures(self) -> list[bytes]: ...
    @property
    def batch(self) -> BatchProof | None: ...


class Admission:
    """Reads what was sent, looks at its window, finds its key and verifies its signature.

    Args:
        kinds: kind -> fact type. net: the network's id. find_key: the public key of a kid, or None; what it finds is
            kept, for a kid's key never changes.
    """

    def __init__(self, kinds: dict[str, type[Fact]], net: str, find_key: Callable[[str], bytes | None]) -> None:
        self.kinds, self.net, self._find_key = kinds, net, find_key
        self._keys: dict[str, bytes] = {}
        self._verify_statement = lru_cache(256)(ed25519.verify)  # a batch's facts stand on one signature

    def admit(self, sent: Presented, now: int) -> Signed:
        """A fact that may be ordered.

        Args:
            now: UTC seconds.
        Refuses, in order: as `read`, fact.wrong_network, fact.expired, fact.window_too_long, fact.no_circle,
            parties.bad_key, parties.unknown_key, as `kernel.batches.signed_part`, fact.bad_signature.
        """
        signed = self.read(sent)
        self._check_window(signed, now)
        verify = ed25519.verify if signed.batch is None else self._verify_statement
        if not verify(self._key(signed), *signed_part(signed)):
            raise Refused(
                "fact.bad_signature", "the signature does not verify", next="sign with the key that kid names"
            )
        return signed

    def read(self, sent: Presented) -> Signed:
        """A fact's bytes, read; nothing is known of its signature. Refuses, in order: as
        `kernel.reading.read`, fact.bad_disclosure (a digest twice), as `check_depth`."""
        try:
            signed = read(self.kinds, sent.jwt, sent.disclosures, sent.batch)
        except RecursionError:
            raise Refused("fact.bad_body", "it nests too deeply") from None
        if doubled(signed):  # RFC 9901, 7.1; what stands on a record from before is read as it was
            raise Refused("fact.bad_disclosure", "a digest stands twice", next="give each field its own salt")
        shallow = is_shallow(type(signed.fact))
        if not shallow:
            check_depth(bytes(signed.envelope.body))
        if not shallow or signed.full is None:
            for text in sent.disclosures:
                if len(text) >= _DEEP_TEXT_MIN:
                    check_depth(sdjwt.unb64(text))
        return signed

    def _check_window(self, signed: Signed, now: int) -> None:
        envelope = signed.envelope
        if envelope.net != self.net:
            raise Refused("fact.wrong_network", "this fact is for another network", got=envelope.net)
        if envelope.exp < now:
            raise Refused("fact.expired", "the fact's window is over", got=envelope.exp, next="sign anew")
        if envelope.exp > now + WINDOW_SECONDS_MAX:
            raise Refused("fact.window_too_long", "a window is at most seven days", got=envelope.exp - now)
        if signed.disclosures and not getattr(signed.fact, "circle", ""):
            raise Refused("fact.no_circle", "private fields need a circle", next="name the circle that may read them")

    def _key(self, signed: Signed) -> bytes:
        kid = signed.envelope.kid
        key = self._keys.get(kid)
        if key is None:
            if signed.fact.introduces:
                return introduced_key(signed)
            key = self._find_key(kid)
            if key is None:
                raise Refused("parties.unknown_key", "no such key", got=kid, next="join the network, or add the key")
            self._keys[kid] = key
        return key


def check_size(jwt: bytes, disclosures: Sequence[bytes], batch: BatchProof | None) -> None:
    """Whether what was sent can stand in an entry and be read from it again.

    Refuses, in order: fact.too_large, fact.bad_batch_path, fact.bad_disclosure.
    """
    size = len(jwt) + _FRAME_BYTES_MAX
    if batch is not None:
        size += len(batch.statement) + 43 * len(batch.path)
    if size > ENTRY_BYTES_MAX:
        raise Refused("fact.too_large", "a fact with its batch's proof fits no entry", got=size, next="send it singly")
    text = b"".join(disclosures)
    if len(text) > DISCLOSURES_BYTES_MAX:
        raise Refused("fact.too_large", "private fields are at most 1 MB in all", got=len(text))
    if batch is not None and not _STEP_BYTES.issuperset(map(len, batch.path)):
        raise Refused("fact.bad_batch_path", "a path is hashes of 32 bytes")
    if b"~" in text:
        raise Refused("fact.bad_disclosure", "a disclosure does not read: it is not base64url")


@cache
def is_shallow(kind: type[Fact]) -> bool:
    """Whether no body of a kind, with or without its disclosures, can read and nest more deeply than `DEPTH_MAX` - 1:
    every place of it has a type that says how deep it is, as most have."""
    return _nests(inspect.type_info(kind), ()) < DEPTH_MAX


def _nests(found: inspect.Type, above: tuple[type, ...]) -> int:
    """How deep a value of a type may nest; beyond `DEPTH_MAX` where nothing bounds it."""
    if isinstance(found, inspect.Metadata):
        return _nests(found.type, above)
    if isinstance(found, inspect.StructType) and found.forbid_unknown_fields and found.cls not in above:
        return 1 + max([_nests(field.type, (*above, found.cls)) for field in found.fields], default=0)
    if isinstance(found, inspect.UnionType):
        return max(_nests(each, above) for each in found.types)
    if isinstance(found, inspect.ListType):
        return 1 + _nests(found.item_type, above)
    if isinstance(found, inspect.TupleType):
        return 1 + max([_nests(each, above) for each in found.item_types], default=0)
    if isinstance(found, inspect.DictType):
        return 1 + _nests(found.value_type, above)
    flat = (inspect.StrType, inspect.IntType, inspect.BoolType, inspect.NoneType, inspect.LiteralType, inspect.EnumType)
    return 0 if isinstance(found, flat) else DEPTH_MAX + 1


def check_depth(body: bytes) -> None:
    """Of a body or a disclosure. Deep nesting reads or not by what else is on a program's stack, so that nodes could
    disagree: none is let in.

    Refuses: fact.bad_body.
    """
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return
    depth = 0
    for token in _BRACKETS.finditer(body):
        mark = token[0][:1]
        depth += (mark in b"[{") - (mark in b"]}")
        if depth > DEPTH_MAX:
            raise Refused("fact.bad_body", "it nests too deeply", got=f"> {DEPTH_MAX}", expected=f"<= {DEPTH_MAX}")


def introduced_key(signed: Signed) -> bytes:
    """The key that a fact brings with it. Refuses: parties.bad_key."""
    try:
        return sdjwt.unb64(signed.fact.public_key.encode())  # type: ignore[attr-defined]
    except ValueError:
        raise Refused("parties.bad_key", "a public key is 32 bytes, base64url") from None
