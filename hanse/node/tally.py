"""Tallies: what can be said of a stored block's entries from reading them alone, before anything is replayed."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hanse.kernel.facts import ERASED, layout
from hanse.kernel.reading import count_digests
from hanse.node.stored import StoredBlock

REFUSED, READ, WITHHELD, BY_ITSELF = range(4)
"""Of an entry: a fact refused; one that stands; one that stands, its private fields unknown here; a header or a
timer."""


class Tally(Struct, array_like=True, gc=False):
    """Of one block.

    Attributes:
        kinds: a byte an entry, `REFUSED` to `BY_ITSELF`. refused: entries whose outcome is not "ok", timers too.
        signatures: to be verified, a batch's once. proven, not_disclosed, erased: private fields.
        withheld, erased_of: circle -> facts that are withheld; of which something was erased.
    """

    kinds: bytes
    refused: int = 0
    signatures: int = 0
    proven: int = 0
    not_disclosed: int = 0
    erased: int = 0
    withheld: dict[str, int] = msgspec.field(default_factory=dict)
    erased_of: dict[str, int] = msgspec.field(default_factory=dict)


def tally(block: StoredBlock) -> Tally:
    """Count one block."""
    outcomes = [leaf.split(b"\n", 2)[1] for leaf in block.leaves]
    kinds = bytearray([BY_ITSELF]) * len(block.leaves)
    said, statements = Tally(b"", refused=len(outcomes) - outcomes.count(b"ok")), set()
    for at, signed in enumerate(block.facts, 1):
        circle = getattr(signed.fact, "circle", "")
        if signed.batch is None or signed.batch.statement not in statements:
            said.signatures += 1
        if signed.batch is not None:
            statements.add(signed.batch.statement)
        if outcomes[at] != b"ok":
            kinds[at] = REFUSED
        elif signed.full is None:
            kinds[at] = WITHHELD
            said.withheld[circle] = said.withheld.get(circle, 0) + 1
        else:
            kinds[at] = READ
        where = layout(type(signed.fact))
        if where.empty:
            continue
        erased = sum([d[:1] == ERASED for d in signed.disclosures])
        said.proven += len(signed.disclosures) - erased
        said.not_disclosed += count_digests(signed.fact, where) - len(signed.disclosures)
        if erased:
            said.erased += erased
            said.erased_of[circle] = said.erased_of.get(circle, 0) + 1
    said.kinds = bytes(kinds)
    return said
