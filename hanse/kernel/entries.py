"""Entries: the leaves of the record, as lines of text that any tool can read.

hanse/1 block          one header a block, before its facts: JSON of `Header`
hanse/1 fact           outcome, then the signed bytes
hanse/1 batched        outcome, the unsigned fact, its place in the batch, the signed statement of the batch
hanse/1 timer          outcome, then the timer's id
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from hanse.standards import sdjwt

OK = "ok"


class Header(Struct, frozen=True):
    """What a block says of itself.

    Attributes:
        height: 1, 2, ... time: ledger time, UTC seconds, never falling. rules: the version of rules in force.
        facts, timers: how many entries of each follow. state: hex of the running state hash *before* this block.
    """

    net: str
    height: int
    time: int
    rules: int
    facts: int
    timers: int
    state: str


class BatchProof(Struct, frozen=True, gc=False):
    """Why a batch's signature covers one fact.

    Attributes:
        statement: signed JWT with `{net, iss, kid, root, size}`; root is base64url of the tree's root.
        index: the fact's place. path: RFC 6962 inclusion path, leaf's sibling first, 32 bytes each.
    """

    statement: bytes
    index: int
    path: tuple[bytes, ...]


class BatchStatement(Struct, frozen=True, forbid_unknown_fields=True):
    net: str
    iss: str
    kid: str
    root: str
    size: int


class Entry(Struct, frozen=True, gc=False):
    """A leaf, read. `body`: the fact's signed bytes, the timer's id, or the header's JSON."""

    form: Literal["block", "fact", "batched", "timer"]
    outcome: str
    body: bytes
    batch: BatchProof | None = None


def block_entry(header: Header) -> bytes:
    return b"hanse/1 block\nok\n" + msgspec.json.encode(header)


def fact_entry(outcome: str, jwt: bytes, batch: BatchProof | None = None) -> bytes:
    if batch is None:
        return b"hanse/1 fact\n%b\n%b" % (outcome.encode(), jwt)
    place = b"%d %b" % (batch.index, sdjwt.b64(b"".join(batch.path)))
    return b"hanse/1 batched\n%b\n%b\n%b\n%b" % (outcome.encode(), jwt, place, batch.statement)


def timer_entry(outcome: str, id: str) -> bytes:
    return b"hanse/1 timer\n%b\n%b" % (outcome.encode(), id.encode())


def read_entry(leaf: bytes) -> Entry:
    """Inverse of the three writers. Raises ValueError where a leaf is none of them."""
    try:
        first, outcome, body, *rest = leaf.split(b"\n")
        form = first.removeprefix(b"hanse/1 ").decode()
        if not first.startswith(b"hanse/1 ") or form not in ("block", "fact", "batched", "timer"):
            raise ValueError("unknown form")
        batch = None
        if form == "batched":
            place, statement = rest
            index, _, packed = place.partition(b" ")
            path = sdjwt.unb64(packed)
            if len(path) % 32:
                raise ValueError("a path is whole hashes")
            batch = BatchProof(statement, int(index), tuple(path[i : i + 32] for i in range(0, len(path), 32)))
        elif rest:
            raise ValueError("too many lines")
        return Entry(form, outcome.decode(), body, batch)  # type: ignore[arg-type]
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"not an entry: {error}") from None


def read_header(entry: Entry) -> Header:
    return msgspec.json.decode(entry.body, type=Header)
