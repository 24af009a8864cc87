"""Facts read in one process and used in another: what reading found, small to carry and quick to take up.

Reading is two thirds of a fact's way to its rule (base64url, digests, disclosures put back into their objects); taking
up what was read only fills the types again: from the disclosed reading, of which the public one is a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw

from hanse.kernel.entries import BatchProof
from hanse.kernel.facts import Admitted, Envelope, Fact, Layout, Opened, Signed, body_decoder, layout
from hanse.kernel.leaves import signed_bytes

_SAME: Final = b""
_json: Final = msgspec.json.Encoder().encode
_replace: Final = msgspec.structs.replace
_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(tuple[Opened, list[bytes]]).decode


def opened(signed: Signed) -> Opened:
    """What is carried of a fact that was read."""
    e, fact, full = signed.envelope, signed.fact, signed.full
    rest = _SAME if full is fact else None if full is None else _json(full)
    digests: list[list[str]] = []
    if rest:
        _gather(fact, layout(type(fact)), digests)
    return Opened(signed.hash, e.net, e.iss, e.kid, e.nonce, e.exp, e.kind, bytes(e.body), rest, digests)


def pack_stored(signed: Signed) -> bytes:
    """What is carried of a stored fact, but for its leaf."""
    return _pack((opened(signed), signed.disclosures))


def take_up_stored(kinds: dict[str, type[Fact]], leaf: bytes, packed: bytes | Raw) -> Signed:
    """`take_up` of what `pack_stored` gave."""
    found, disclosures = _unpack(packed)
    jwt, batch = signed_bytes(leaf)
    return take_up(kinds, found, jwt, disclosures, batch)


def in_turn(kinds: dict[str, type[Fact]], facts: Sequence[Admitted], circles: list[str]) -> Iterator[Signed]:
    """Each fact when its turn comes, taken up where it waited, and let go by the next; its circle, or "", is added to
    `circles`."""
    for one in facts:
        signed = _signed(kinds, one)
        circles.append(getattr(signed.fact, "circle", ""))
        yield signed


def _signed(kinds: dict[str, type[Fact]], one: Admitted) -> Signed:
    return one if isinstance(one, Signed) else take_up(kinds, one.opened, one.jwt, one.disclosures, one.batch)


def take_up(
    kinds: dict[str, type[Fact]], found: Opened, jwt: bytes, disclosures: list[bytes], batch: BatchProof | None
) -> Signed:
    """The same `Signed` as `reading.read` gave where the fact was read. Raises: where `found` is not of these kinds."""
    hash, net, iss, kid, nonce, exp, kind, body, rest, digests = msgspec.structs.astuple(found)
    cls = kinds[kind]
    full: Fact | None
    if rest:
        full = body_decoder(cls)(rest)
        fact = _closed(full, layout(cls), iter(digests))
    else:
        fact = body_decoder(cls)(body)
        full = None if rest is None else fact
    return Signed(jwt, disclosures, Envelope(net, iss, kid, nonce, exp, kind, Raw(body)), fact, full, batch, hash)


def _gather(part: Any, where: Layout, digests: list[list[str]]) -> None:
    """The digests of a publicly read struct and of each part that may have some, in the order of `_closed`."""
    listed = part.sd_
    digests.append([] if listed is UNSET else listed)
    for name, is_list, below in where.children:
        value = getattr(part, name)
        if value is not None:
            for child in value if is_list else (value,):
                _gather(child, below, digests)


def _closed(part: Any, where: Layout, digests: Iterator[list[str]]) -> Any:
    """The public reading of a disclosed struct: digests in place of its private fields, all depths."""
    changes: dict[str, Any] = {}
    if listed := next(digests):
        changes["sd_"] = listed
    for name in where.private:
        if getattr(part, name) is not UNSET:
            changes[name] = UNSET
    for name, is_list, below in where.children:
        value = getattr(part, name)
        if value is not None:
            changes[name] = [_closed(c, below, digests) for c in value] if is_list else _closed(value, below, digests)
    return _replace(part, **changes) if changes else part
