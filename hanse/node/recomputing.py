"""Recomputing: every figure that rooms can compute again from a replayed record, and what can be said of each.

A figure is *proven* (it came out the same, and every entry that it rests on is an accepted fact of this record) or
*wrong*; facts that are *not disclosed to you*, or of which something was *erased*, are counted by circle, for nobody
here can know how many figures they would give.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from functools import cache

from msgspec import Struct

from hanse.kernel.apply import Applier
from hanse.kernel.kept import CHAIN
from hanse.kernel.view import View
from hanse.node.tally import REFUSED, WITHHELD, Tally
from hanse.rooms import modules
from hanse.rooms.checked import Check, Checked

PROVEN, NOT_DISCLOSED, HAS_ERASED, WRONG = "proven", "not disclosed to you", "erased", "wrong"


class Figure(Struct, frozen=True):
    """A figure and its outcome, one of `PROVEN`, `NOT_DISCLOSED`, `HAS_ERASED`, `WRONG`. Fields as in `Checked`."""

    outcome: str
    what: str
    circle: str
    group: str
    name: str
    amount_minor: int
    currency: str
    entries: tuple[int, ...]
    why: str


class Entries:
    """What each entry of a record is, as far as figures rest on it; filled while the record is replayed."""

    def __init__(self) -> None:
        self._kinds = array("b")
        self.withheld: Counter[str] = Counter()
        self.erased: Counter[str] = Counter()

    def take(self, said: Tally) -> None:
        """The entries of the next block."""
        self._kinds.frombytes(said.kinds)
        self.withheld.update(said.withheld)
        self.erased.update(said.erased_of)

    def fault(self, positions: tuple[int, ...]) -> str:
        """Why a figure cannot rest on these entries, "" where it can."""
        for position in positions:
            kind = self._kinds[position] if position < len(self._kinds) else REFUSED
            if kind == REFUSED:
                return f"it rests on entry {position}, which is no accepted fact"
            if kind == WITHHELD:
                return f"it rests on entry {position}, which is not disclosed"
        return ""


@cache
def checks(name: str) -> tuple[Check, ...]:
    """The checks that rooms offer, in the order of ROOMS. name: ALWAYS or RECOMPUTED, as `hanse.rooms.checked` says."""
    return tuple(check for module in modules("checks") for check in getattr(module, name, ()))


def recompute(applier: Applier, entries: Entries, *, all: bool) -> Iterator[Figure]:
    """Figures of a record that was replayed to its end, and the circles of which not everything is there.

    Args:
        all: every figure that rooms can compute again; else those that each verification asks for.
    """
    applier.state.commit()
    conn = applier.state.conn
    circles = [row[0] for row in conn.execute(f"SELECT circle FROM {CHAIN.name}")]
    view = View(conn, circles=circles, now=applier.meta.time)
    for check in (*checks("ALWAYS"), *(checks("RECOMPUTED") if all else ())):
        for one in check(view):
            yield _figure(one, one.why or entries.fault(one.entries))
    if all:
        yield from _counted(NOT_DISCLOSED, entries.withheld)
        yield from _counted(HAS_ERASED, entries.erased)


def _figure(one: Checked, why: str) -> Figure:
    outcome = WRONG if why else PROVEN
    money = (one.amount_minor, one.currency)
    return Figure(outcome, one.what, one.circle, one.group, one.name, *money, one.entries, why)


def _counted(outcome: str, counts: Counter[str]) -> Iterator[Figure]:
    for circle, count in sorted(counts.items()):
        facts = "fact" if count == 1 else "facts"
        yield Figure(outcome, "facts", circle, "", f"{count:,} {facts} of this circle", 0, "", (), "")
