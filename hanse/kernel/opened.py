"""Facts read in one process and used in another: what reading found, small to carry and quick to take up.

Reading is two thirds of a fact's way to its rule (base64url, digests, disclosures put back into their objects); taking
up what was read only fills the types again.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from hanse.kernel.entries import BatchProof
from hanse.kernel.facts import Envelope, Fact, Signed, body_decoder

_SAME = b""
_json = msgspec.json.Encoder().encode


class Opened(Struct, frozen=True, gc=False, array_like=True):
    """A fact that reads, without its own bytes.

    Attributes:
        hash: SHA-256 of the signed bytes. net to kind: as in `Envelope`. body: the public body's JSON, as signed.
        full: the body's JSON with all disclosures; b"" where there are none, None where one is missing.
    """

    hash: bytes
    net: str
    iss: str
    kid: str
    nonce: int
    exp: int
    kind: str
    body: bytes
    full: bytes | None


def opened(signed: Signed) -> Opened:
    """What is carried of a fact that was read."""
    e, full = signed.envelope, signed.full
    rest = _SAME if full is signed.fact else None if full is None else _json(full)
    return Opened(signed.hash, e.net, e.iss, e.kid, e.nonce, e.exp, e.kind, bytes(e.body), rest)


def take_up(
    kinds: dict[str, type[Fact]], found: Opened, jwt: bytes, disclosures: list[bytes], batch: BatchProof | None
) -> Signed:
    """The same `Signed` as `facts.read` gave where the fact was read. Raises: where `found` is not of these kinds."""
    decode = body_decoder(kinds[found.kind])
    fact = decode(found.body)
    full = fact if found.full == _SAME else None if found.full is None else decode(found.full)
    envelope = Envelope(found.net, found.iss, found.kid, found.nonce, found.exp, found.kind, Raw(found.body))
    return Signed(jwt, disclosures, envelope, fact, full, batch, found.hash)
