"""Leaves: entries as the record keeps them, and back. Functions only, so that they can be compiled."""

from __future__ import annotations

from typing import Final

import msgspec

from hanse.kernel.entries import BatchProof, Entry, Header
from hanse.standards import sdjwt

_FACT: Final = b"hanse/1 fact\nok\n"
"""How most leaves begin."""
_FORMS: Final = {f"hanse/1 {form}".encode(): form for form in ("block", "fact", "batched", "timer")}
_header: Final = msgspec.json.Decoder(Header).decode


def block_entry(header: Header) -> bytes:
    return b"hanse/1 block\nok\n" + msgspec.json.encode(header)


def fact_entry(outcome: str, jwt: bytes, batch: BatchProof | None = None) -> bytes:
    if batch is None:
        return b"".join([b"hanse/1 fact\n", outcome.encode(), b"\n", jwt])
    place = b"%d %b" % (batch.index, sdjwt.b64(b"".join(batch.path)))
    return b"\n".join([b"hanse/1 batched", outcome.encode(), jwt, place, batch.statement])


def timer_entry(outcome: str, id: str) -> bytes:
    return b"\n".join([b"hanse/1 timer", outcome.encode(), id.encode()])


def read_entry(leaf: bytes) -> Entry:
    """Inverse of the three writers. Raises ValueError where a leaf is none of them."""
    lines = leaf.split(b"\n")
    try:
        form = _FORMS.get(lines[0])
        if form is None:
            raise ValueError("unknown form")
        if len(lines) < 3:
            raise ValueError("too few lines")
        batch = None
        if form == "batched":
            if len(lines) != 5:
                raise ValueError("five lines belong to a fact of a batch")
            index, _, packed = lines[3].partition(b" ")
            path = sdjwt.unb64(packed)
            if len(path) % 32:
                raise ValueError("a path is whole hashes")
            hashes = tuple([path[i : i + 32] for i in range(0, len(path), 32)])
            batch = BatchProof(lines[4], int(index), hashes)
        elif len(lines) > 3:
            raise ValueError("too many lines")
        return Entry(form, lines[1].decode(), lines[2], batch)  # type: ignore[arg-type]
    except ValueError as error:
        raise ValueError(f"not an entry: {error}") from None


def signed_bytes(leaf: bytes) -> tuple[bytes, BatchProof | None]:
    """Of a fact's leaf that is known to read: what is signed, or the unsigned fact and what its batch says of it."""
    if leaf.startswith(_FACT):
        return leaf[len(_FACT) :], None
    entry = read_entry(leaf)
    return entry.body, entry.batch


def read_header(entry: Entry) -> Header:
    return _header(entry.body)
