"""Entries: the leaves of the record, as lines of text that any tool can read.

hanse/1 block          one header a block, before its facts: JSON of `Header`
hanse/1 fact           outcome, then the signed bytes
hanse/1 batched        outcome, the unsigned fact, its place in the batch, the signed statement of the batch
hanse/1 timer          outcome, then the timer's id
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from hanse.kernel.refusal import Refused
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


def _leaf(jwt: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + jwt).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def batch_tree(jwts: Sequence[bytes]) -> tuple[bytes, list[tuple[bytes, ...]]]:
    """Root and every fact's path of an RFC 6962 tree over facts' bytes, in one pass over the levels.

    A last node without a sibling rises unchanged, which is RFC 6962's tree for every size.
    """
    level = [_leaf(jwt) for jwt in jwts]
    paths: list[list[bytes]] = [[] for _ in jwts]
    width = 1
    while len(level) > 1:
        for i, path in enumerate(paths):
            sibling = (i // width) ^ 1
            if sibling < len(level):
                path.append(level[sibling])
        level = [_node(level[i], level[i + 1]) if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
        width *= 2
    return level[0], [tuple(path) for path in paths]


def batch_root(jwt: bytes, proof: BatchProof, size: int) -> bytes:
    """The root that a fact's path leads to. Refuses: fact.bad_batch_path."""
    at, last, found, path = proof.index, size - 1, _leaf(jwt), list(proof.path)
    if not 0 <= at <= last:
        raise Refused("fact.bad_batch_path", "the fact's place is outside the batch", got=at, expected=f"0 .. {last}")
    while last:
        if at % 2 or at < last:
            if not path:
                raise Refused("fact.bad_batch_path", "the path is too short")
            sibling = path.pop(0)
            found = _node(sibling, found) if at % 2 else _node(found, sibling)
        at, last = at // 2, last // 2
    if path:
        raise Refused("fact.bad_batch_path", "the path is too long")
    return found
