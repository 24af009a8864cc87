"""Tallies: what can be said of a stored block's entries from reading them alone, before anything is replayed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from hanse.kernel.facts import ERASED, Signed, layout
from hanse.kernel.reading import count_digests

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

    kinds: bytes = b""
    refused: int = 0
    signatures: int = 0
    proven: int = 0
    not_disclosed: int = 0
    erased: int = 0
    withheld: dict[str, int] = msgspec.field(default_factory=dict)
    erased_of: dict[str, int] = msgspec.field(default_factory=dict)


class Counting:
    """Counts one block, its facts in order."""

    def __init__(self) -> None:
        self._said, self._kinds = Tally(), bytearray([BY_ITSELF])
        self._statement, self._statements = b"", set[bytes]()

    def fact(self, leaf: bytes, signed: Signed) -> None:
        said, fact, full, batch = self._said, signed.fact, signed.full, signed.batch
        if batch is None:
            said.signatures += 1
        elif batch.statement != self._statement:  # mostly it is the last one's
            self._statement = batch.statement
            said.signatures += batch.statement not in self._statements
            self._statements.add(batch.statement)
        if not leaf.startswith(_STANDS):
            said.refused += 1
            self._kinds.append(REFUSED)
        elif full is None:
            self._kinds.append(WITHHELD)
            circle = getattr(fact, "circle", "")
            said.withheld[circle] = said.withheld.get(circle, 0) + 1
        else:
            self._kinds.append(READ)
        where, disclosures = layout(type(fact)), signed.disclosures
        if where.empty:
            return
        erased = sum([d[:1] == ERASED for d in disclosures])
        said.proven += len(disclosures) - erased
        if full is None:  # else each digest has its disclosure
            said.not_disclosed += count_digests(fact, where) - len(disclosures)
        if erased:
            circle = getattr(fact, "circle", "")
            said.erased += erased
            said.erased_of[circle] = said.erased_of.get(circle, 0) + 1

    def block(self, leaves: Sequence[bytes]) -> Tally:
        """Of the whole block: its header, the facts that were counted, and timers behind them."""
        said, timers = self._said, leaves[len(self._kinds) :]
        said.refused += sum([not leaf.startswith(_STANDS) for leaf in (leaves[0], *timers)])
        said.kinds = bytes(self._kinds) + bytes([BY_ITSELF]) * len(timers)
        return said
