"""Cuts as a plan carries them on the record, by lines and sources, and as `hanse.planning.sourcing` reads them.

No order here owns what it draws on, so a price for other owners adds to the price of all, and a cut of what is open to
others is one of the total.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hanse.planning import sourcing
from hanse.rooms.plans.facts import CUTS_PER_PART_MAX, ENTRIES_PER_CUT_MAX, PlanCut
from hanse.rooms.plans.private_rows import CutPart

if TYPE_CHECKING:
    from hanse.planning.sourcing.cuts import Cuts
    from hanse.rooms.plans.checking import Arrays

ENTRIES_MAX = 20_000
"""Of all cuts of a plan: the dearest cuts that fit are carried, and prove a little less."""
ENTRIES_PER_PART = 2_000
PRICES_PER_PART = 1_000


class Proof(NamedTuple):
    """A plan's certificate, and the cuts of it as facts carry them, part by part: none where its prices prove it."""

    certificate: sourcing.Certificate
    parts: list[CutPart]


def prices_of(given: Arrays, scale: int, price: Sequence[int] | np.ndarray) -> sourcing.Prices:
    """Prices by source as the solver reads them, their bound unknown: 0."""
    whole = np.array(price, np.int64)
    return sourcing.Prices(scale, whole, np.zeros_like(whole), np.zeros(given.problem.places, np.int64), 0)


def carried(given: Arrays, found: Cuts) -> list[PlanCut]:
    """A solver's cuts by lines and sources; the dearest first, as many as a plan may carry."""
    problem = given.problem
    lines, sources = problem.cand_line[found.cand], problem.cand_stock[found.cand]
    cuts, room = [], ENTRIES_MAX
    worth = found.price.astype(object) * found.step.astype(object)
    for k in sorted(range(found.row.size), key=lambda k: (-worth[k], k)):
        at = range(int(found.ptr[k]), int(found.ptr[k + 1]))
        if found.price[k] <= 0 or len(at) > min(room, ENTRIES_PER_CUT_MAX):
            continue
        room -= len(at)
        entries = [(given.lines[lines[e]].line, given.sources[sources[e]], int(found.kind[e])) for e in at]
        cuts.append(PlanCut(given.sources[found.row[k]], int(found.step[k]), int(found.price[k]), entries))
    return cuts


def parts_of(cuts: Sequence[PlanCut]) -> list[list[PlanCut]]:
    """Cuts in parts of so many entries that each fits a fact."""
    parts: list[list[PlanCut]] = []
    room = 0
    for cut in cuts:
        if not parts or len(cut.entries) > room or len(parts[-1]) >= CUTS_PER_PART_MAX:
            parts.append([])
            room = ENTRIES_PER_PART
        parts[-1].append(cut)
        room -= len(cut.entries)
    return parts


def prove(given: Arrays, units: np.ndarray, prices: sourcing.Prices, cuts: Cuts | None) -> Proof:
    """What proves most of a plan [units by cand]: its prices, or as many of its cuts as it may carry."""
    plan = sourcing.plan_of(given.problem, units, prices_of(given, prices.scale, prices.total + prices.foreign))
    alone = sourcing.certificate(given.problem, plan)
    if cuts is None:
        return Proof(alone, [])
    whole = cuts.prices.total + cuts.prices.foreign
    priced = [(source, int(price)) for source, price in zip(given.sources, whole, strict=True) if price]
    chunks = parts_of(carried(given, cuts))
    count = max(len(chunks), -(-len(priced) // PRICES_PER_PART))
    parts = [
        CutPart(circle="", plan="", part=k + 1, cuts=tuple(chunks[k]) if k < len(chunks) else (),
                prices=tuple(priced[k * PRICES_PER_PART : (k + 1) * PRICES_PER_PART]))
        for k in range(count)
    ]  # fmt: skip
    plan.cuts, faults = read(given, cuts.prices.scale, parts)
    assert not faults, "these are the question's own lines and sources"
    if plan.cuts is None or cuts.prices.scale != prices.scale:
        return Proof(alone, [])
    more = sourcing.certificate(given.problem, plan, by_cuts=True)
    return Proof(more, parts) if more.bound_scaled > alone.bound_scaled else Proof(alone, [])


def read(given: Arrays, scale: int, rows: Sequence[CutPart]) -> tuple[Cuts | None, list[str]]:
    """A plan's cuts as the solver reads them, None where it carries none; and what of them the question does not
    know."""
    from hanse.planning.sourcing.cuts import Cuts

    cuts, faults = [cut for row in rows for cut in row.cuts], []
    source_at = {source: k for k, source in enumerate(given.sources)}
    line_at = {line.line: k for k, line in enumerate(given.lines)}
    price = [0] * len(given.sources)
    for source, scaled in [one for row in rows for one in row.prices]:
        if source not in source_at:
            faults.append(f"{source} has a price among cuts and serves no line")
        else:
            price[source_at[source]] = scaled
    cand: list[int] = []
    ptr = [0]
    for cut in cuts:
        found = [given.cand.get((line_at.get(line, -1), source)) for line, source, _ in cut.entries]
        if cut.source not in source_at or None in found:
            return None, [*faults, f"a cut of {cut.source} names what the question does not know"]
        cand += [c for c in found if c is not None]
        ptr.append(len(cand))
    if not cuts:
        return None, faults

    def ints(values: Sequence[int]) -> sourcing.problem.Ints:
        return np.array(values, np.int64)

    return Cuts(
        prices=prices_of(given, scale, price),
        row=ints([source_at[cut.source] for cut in cuts]),
        foreign=np.zeros(len(cuts), np.uint8),
        step=ints([cut.step for cut in cuts]),
        price=ints([cut.price for cut in cuts]),
        ptr=ints(ptr),
        cand=ints(cand),
        kind=ints([kind for cut in cuts for _, _, kind in cut.entries]),
    ), faults
