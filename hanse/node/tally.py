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
_STANDS = tuple(b"hanse/1 %b\nok\n" % form for form in (b"fact", b"batched", b"timer", b"block"))
"""How an entry begins whose outcome is "ok"."""


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
    stands = [leaf.startswith(_STANDS) for leaf in block.leaves]
    kinds = bytearray([BY_ITSELF]) * len(block.leaves)
    said, statement = Tally(b"", refused=stands.count(False)), None
    statements = set[bytes]()
    for at, signed in enumerate(block.facts, 1):
        fact, full, batch, disclosures = signed.fact, signed.full, signed.batch, signed.disclosures
        if batch is None:
            said.signatures += 1
        elif batch.statement != statement:  # mostly it is the last one's
            statement = batch.statement
            said.signatures += statement not in statements
            statements.add(statement)
        if not stands[at]:
            kinds[at] = REFUSED
        elif full is None:
            kinds[at] = WITHHELD
            circle = getattr(fact, "circle", "")
            said.withheld[circle] = said.withheld.get(circle, 0) + 1
        else:
            kinds[at] = READ
        where = layout(type(fact))
        if where.empty:
            continue
        erased = sum([d[:1] == ERASED for d in disclosures])
        said.proven += len(disclosures) - erased
        if full is None:  # else each digest has its disclosure
            said.not_disclosed += count_digests(fact, where) - len(disclosures)
        if erased:
            circle = getattr(fact, "circle", "")
            said.erased += erased
            said.erased_of[circle] = said.erased_of.get(circle, 0) + 1
    said.kinds = bytes(kinds)
    return said
