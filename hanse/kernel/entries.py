"""Entries: the leaves of the record, as lines of text that any tool can read.

hanse/1 block          one header a block, before its facts: JSON of `Header`
hanse/1 fact           outcome, then the signed bytes
hanse/1 batched        outcome, the unsigned fact, its place in the batch, the signed statement of the batch
hanse/1 timer          outcome, then the timer's id
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

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
