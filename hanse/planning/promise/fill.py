"""Fill one line from a few offers: the best quantities under packs, minimum quantities and stock, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import lcm, prod

Cost = tuple[int, int]
"""(units that are not own stock where own stock comes first, cost in 10^-9 minor units); compared in this order."""
TRIES_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Choice:
    """An offer as one line sees it: cost of one unit, pack, smallest and largest quantity (multiples of the pack)."""

    offer: int
    cost: Cost
    pack_each: int
    low_each: int
    high_each: int


@dataclass(frozen=True, slots=True)
class Filled:
    """`missing_each` units stay unserved; `each` runs parallel to the choices given."""

    missing_each: int
    cost: Cost
    each: tuple[int, ...]
    exact: bool = True

    @property
    def rank(self) -> tuple[int, Cost, tuple[int, ...]]:
        return self.missing_each, self.cost, self.each


def fill(want_each: int, choices: Sequence[Choice]) -> Filled:
    """The quantities that serve most of a line and, of those, cost least; ties are broken by the quantities alone.

    Each quantity is zero or a multiple of its pack between low and high. For every set of offers that could be in use,
    quantities start at low. Of the rest, one offer (the pivot) takes what the others leave; the others need only be
    tried near their bounds: where two offers could both give and take lcm(packs) units, moving that many towards the
    cheaper one never harms, so some best plan has at most one offer away from its bounds.

    Exact, unless that leaves more than TRIES_MAX combinations; packs without a small common multiple do.
    """
    if all(choice.pack_each == choice.low_each == 1 for choice in choices):
        return cheapest_first(want_each, choices)
    best = Filled(want_each, (0, 0), (0,) * len(choices))
    exact = True
    for size in range(1, len(choices) + 1):
        for used in combinations(range(len(choices)), size):
            left = want_each - sum(choices[i].low_each for i in used)
            if left < 0:
                continue
            steps = [[_tries(choices, used, i, left)] for i in used]
            for at, pivot in enumerate(used):
                others = [steps[k][0] for k in range(len(used)) if k != at]
                if prod(len(tries) for tries in others) > TRIES_MAX:
                    exact = False
                    others = [tries[:8] + tries[-8:] for tries in others]
                found = _best_with_pivot(choices, used, pivot, others, want_each)
                if found is not None and found.rank < best.rank:
                    best = found
    return Filled(best.missing_each, best.cost, best.each, exact)


def cheapest_first(want_each: int, choices: Sequence[Choice]) -> Filled:
    """Fill a line from the cheapest offer on. Exact where units are single; never dearer than any filling elsewhere."""
    left, foreign, cost = want_each, 0, 0
    each = [0] * len(choices)
    for i in sorted(range(len(choices)), key=lambda i: (choices[i].cost, i)):
        take = min(left, choices[i].high_each)
        each[i] = take
        left -= take
        foreign += take * choices[i].cost[0]
        cost += take * choices[i].cost[1]
        if not left:
            break
    return Filled(left, (foreign, cost), tuple(each))


def _tries(choices: Sequence[Choice], used: Sequence[int], i: int, left_each: int) -> list[int]:
    """Quantities of choice i worth trying when another offer is the pivot, beyond its low; ascending, in each."""
    own = choices[i]
    near = max((lcm(own.pack_each, choices[k].pack_each) // own.pack_each for k in used if k != i), default=1)
    top = min(own.high_each - own.low_each, left_each) // own.pack_each
    # Both ends: near its low, and near the most that it can take here.
    steps = sorted({*range(min(near, top + 1)), *range(max(0, top - near), top + 1)})
    return [step * own.pack_each for step in steps]


def _best_with_pivot(
    choices: Sequence[Choice], used: Sequence[int], pivot: int, others: Sequence[Sequence[int]], want_each: int
) -> Filled | None:
    best: Filled | None = None
    rest = [i for i in used if i != pivot]
    own = choices[pivot]
    for extra in product(*others):
        each = {i: choices[i].low_each + more for i, more in zip(rest, extra, strict=True)}
        left = want_each - sum(each.values())
        if left < own.low_each:
            continue
        each[pivot] = min(own.high_each, left // own.pack_each * own.pack_each)
        if each[pivot] < own.low_each:
            continue
        cost = (
            sum(choices[i].cost[0] * n for i, n in each.items()),
            sum(choices[i].cost[1] * n for i, n in each.items()),
        )
        given = tuple(each.get(i, 0) for i in range(len(choices)))
        found = Filled(want_each - sum(each.values()), cost, given)
        if best is None or found.rank < best.rank:
            best = found
    return best
