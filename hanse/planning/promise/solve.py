"""`promise`: the best sources of one order, by enumeration of the sources that may be opened.

Freight may step with a shipment's weight, which ties an order's lines together. So every set of sources is first
filled at one straight price a source that is never dearer than its tariff; sets that could still win are filled again
at each straight piece of their tariffs, and every plan is reckoned at what its weights really cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from math import comb, prod

from hanse.planning.promise.explain import describe
from hanse.planning.promise.fill import Choice, Filled, cheapest_first, fill
from hanse.planning.promise.model import Candidate, Need, Policy, Tariff, faults
from hanse.planning.promise.plan import Plan
from hanse.planning.promise.problem import (
    Chosen,
    Option,
    Problem,
    carry,
    drawn_by_source,
    least_each,
    prepare,
)
from hanse.planning.promise.tariff import Leg

SUBSETS_MAX = 30_000
"""More sets of sources than that are not tried: the least promising sources are left out, and the plan says so."""
FILLS_MAX = 4_000
"""So often is an order filled again at the straight pieces of its tariffs; further sets keep their first plan."""
LEGS_TRIED_MAX = 300
"""So many combinations of straight pieces are tried for one set of sources, those near its first plan's weights."""

Rank = tuple[int, int, int]
"""(units missing, units not own, cost in 10^-9 minor units)."""


def promise(
    needs: Sequence[Need],
    candidates: Sequence[Candidate],
    tariff: Tariff,
    *,
    latitude_microdeg: int,
    longitude_microdeg: int,
    to_places: Sequence[str] = (),
    policy: Policy | None = None,
) -> Plan:
    """The plan of one order that serves most and, of those plans, costs least.

    Args:
        needs: the lines. candidates: every offer that the buyer may see, own stock among them; in any order.
        tariff, policy: see there. latitude_microdeg, longitude_microdeg: where the order goes.
        to_places: what that place is called, for lanes of the tariff.
    Compared in this order: units unserved; units not from own stock (with `policy.own_first`); goods + freight +
        split + lateness + scarcity, exactly; names of sources. The result depends on the values alone.
    Freight is what the tariff says of each shipment's whole weight.
    Exact while the sets of at most `sources_max` sources number at most 30,000, packs have small common multiples,
        no two lines compete for the same scarce offer, and steps of weight leave no split of an order in doubt;
        `Plan.exact` says whether.
    Raises ValueError, naming every fault of the problem.

    >>> from hanse.planning.promise import Band
    >>> tariff = Tariff((Band(up_to_m=500_000, fixed_minor=900),))
    >>> near = Candidate(offer="o1", source="hamburg", item="6205", available_each=8, unit_price_minor=310)
    >>> far = Candidate(offer="o2", source="kiel", item="6205", available_each=20, unit_price_minor=250)
    >>> plan = promise([Need(line=1, item="6205", each=5)], [near, far], tariff, latitude_microdeg=0,
    ...                longitude_microdeg=0)
    >>> plan.total_minor, plan.lines[0].parts[0].offer, plan.lines[0].next_best.extra_minor
    (2150, 'o2', 300)
    """
    policy = policy or Policy()
    wrong = faults(needs, candidates, tariff, policy)
    if wrong:
        raise ValueError("; ".join(wrong))
    problem = prepare(needs, candidates, tariff, policy, (latitude_microdeg, longitude_microdeg), to_places)
    return describe(problem, search(problem))


def search(problem: Problem) -> Chosen:
    """The best set of sources and the quantities with it."""
    sources, whole = _worth_trying(problem)
    looking = _Search(problem)
    for size in range(min(problem.policy.sources_max, len(sources)) + 1):
        for opened in combinations(sources, size):
            looking.loosely(opened)
    looking.refine()
    best = looking.best
    assert best is not None, "the empty set was tried"
    return Chosen(best.each, best.rank, whole and looking.exact())


class _Search:
    """The best plan so far, and the sets of sources that may still hold a better one."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.policy = problem, problem.policy
        self.best: Chosen | None = None
        self.contested = _contested(problem)
        self.memo: dict[tuple[int, tuple[tuple[int, int], ...]], Filled] = {}
        self.floors = _floors(problem, {})
        self.pending: list[Chosen] = []
        self.doubts: list[tuple[int, tuple[int, int]]] = []
        """Ranks that no better plan than these was shown not to reach."""
        self.fills = 0

    def loosely(self, opened: tuple[str, ...]) -> None:
        """A set at prices that are never too dear: its plan, and whether it needs a closer look."""
        reaches = self.problem.reaches
        found = self.filled(opened, {name: reaches[name].loose for name in opened})
        if found is None:
            return
        if all(reaches[name].straight for name in opened):
            self.keep(found)
        elif not self.settled(found):
            self.pending.append(found)

    def refine(self) -> None:
        """Fill the sets that may still win again, the most promising first."""
        least = {name: reach.least for name, reach in self.problem.reaches.items()}
        self.floors = _floors(self.problem, least)
        for at, first in enumerate(sorted(self.pending, key=lambda one: one.rank)):
            assert self.best is not None
            if first.rank[:2] >= self.best.rank[:2]:
                return
            if at and self.fills > FILLS_MAX:
                self.doubts.append(first.rank[:2])
                return
            self.expand(first)

    def expand(self, first: Chosen) -> None:
        """One set of sources at every straight piece of its tariffs that its weights may take."""
        names = first.rank[2]
        pieces = [_pieces(self.problem, names, name, first) for name in names]
        if prod(map(len, pieces)) > LEGS_TRIED_MAX:
            self.doubts.append(first.rank[:2])
            most = max(1, int(LEGS_TRIED_MAX ** (1 / len(pieces))))
            pieces = [some[:most] for some in pieces]
        grams = _weight_g(self.problem, first)
        for legs in product(*pieces):
            fits = sum(leg.over_g + 1 for leg in legs) <= grams <= sum(leg.up_to_g for leg in legs)
            if not fits and self.policy.late_days_max < 0:
                continue  # whatever goes from where, it weighs as much in all
            self.fills += 1
            found = self.filled(names, dict(zip(names, legs, strict=True)))
            if found is not None and not self.settled(found):
                self.doubts.append(found.rank[:2])

    def settled(self, found: Chosen) -> bool:
        """Keep a plan at what its weights really cost; whether that is what it was reckoned at."""
        drawn = drawn_by_source(self.problem, found.each)
        shipments = [carry(self.problem.reaches[name], units, self.policy) for name, units in drawn.items()]
        charged = [shipment.charged for shipment in shipments if shipment is not None]
        if len(charged) < len(shipments):
            return False
        cost = sum(charged) + sum(option.scarcity * n for units in drawn.values() for option, n in units)
        missing, (foreign, reckoned), names = found.rank
        self.keep(Chosen(found.each, (missing, (foreign, cost), names), True))
        return cost <= reckoned

    def keep(self, found: Chosen) -> None:
        if self.best is None or found.rank < self.best.rank:
            self.best = found

    def exact(self) -> bool:
        assert self.best is not None
        sure = all(rank >= self.best.rank[:2] for rank in self.doubts)
        return sure and not self.contested and all(filled.exact for filled in self.memo.values())

    def filled(self, names: tuple[str, ...], legs: dict[str, Leg]) -> Chosen | None:
        """The best quantities with these sources open; None as soon as they cannot be better than the best so far.

        Lines that compete for an offer are filled in their order.
        """
        problem = self.problem
        left: dict[str, int] = {}
        each: list[tuple[int, ...]] = []
        missing, foreign = 0, 0
        cost = sum(legs[name].fixed + problem.reaches[name].split for name in names)
        for at, options in enumerate(problem.options):
            if self.best is not None:
                more = self.floors[at]
                if (missing + more[0], (foreign + more[1], cost + more[2])) > self.best.rank[:2]:
                    return None
            units = tuple(_units(options, legs, self.policy))
            fights = bool(self.contested) and any(options[i].candidate.offer in self.contested for i, _ in units)
            got = None if fights else self.memo.get((at, units))
            if got is None:
                got = _fill_line(problem, at, units, left)
                if not fights:
                    self.memo[at, units] = got
            if fights:
                for i, n in enumerate(got.each):
                    if n:
                        offer = options[i].candidate
                        left[offer.offer] = left.get(offer.offer, offer.available_each) - n
            each.append(got.each)
            missing += got.missing_each
            foreign += got.cost[0]
            cost += got.cost[1]
        return Chosen(tuple(each), (missing, (foreign, cost), names), True)


def _units(options: Sequence[Option], legs: dict[str, Leg], policy: Policy) -> list[tuple[int, int]]:
    """(option, what one unit costs) of the open sources."""
    found = []
    for i, option in enumerate(options):
        leg = legs.get(option.reach.source)
        if leg is not None:
            unit = option.unit if leg is option.reach.loose else option.unit_by(leg, policy)
            if unit is not None:
                found.append((i, unit))
    return found


def _weight_g(problem: Problem, first: Chosen) -> int:
    return sum(need.weight_g * sum(row) for need, row in zip(problem.needs, first.each, strict=True))


def _pieces(problem: Problem, names: Sequence[str], name: str, first: Chosen) -> list[Leg]:
    """The straight pieces that a source's weight may take with these sources open, the nearest to a plan's first.

    Lines are served as far as the first plan serves them: what the others cannot give must come from here.
    """
    reach = problem.reaches[name]
    if reach.straight:
        return [reach.loose]
    low = high = now = 0
    for need, options, row in zip(problem.needs, problem.options, first.each, strict=True):
        here = sum(o.candidate.available_each for o in options if o.reach.source == name)
        others = sum(o.candidate.available_each for o in options if o.reach.source in names) - here
        low += need.weight_g * max(0, sum(row) - others)
        high += need.weight_g * min(sum(row), here)
        now += need.weight_g * sum(n for o, n in zip(options, row, strict=True) if o.reach.source == name)
    if problem.policy.late_days_max >= 0:
        low = 0  # a slower way may leave a line unserved
    found = [leg for way in reach.ways for leg in way.between(low, high)]
    return sorted(found, key=lambda leg: (max(leg.over_g + 1 - now, now - leg.up_to_g, 0), leg.per_g, leg.fixed))


def _worth_trying(problem: Problem) -> tuple[list[str], bool]:
    """Sources in order of name, and whether all are there: else the cheapest of every line, in turn."""
    names = sorted({option.reach.source for options in problem.options for option in options})
    size = min(problem.policy.sources_max, len(names))
    keep = len(names)
    while keep > 1 and sum(comb(keep, k) for k in range(min(size, keep) + 1)) > SUBSETS_MAX:
        keep -= 1
    if keep == len(names):
        return names, True
    ranked = []
    for need, options in zip(problem.needs, problem.options, strict=True):
        order = sorted(options, key=lambda o: (o.unit * need.each + o.reach.opening, o.candidate.offer))
        ranked.append([option.reach.source for option in order])
    kept: set[str] = set()
    for rank in range(max(map(len, ranked))):
        for sources in ranked:
            if rank < len(sources) and len(kept) < keep:
                kept.add(sources[rank])
    return sorted(kept), False


def _contested(problem: Problem) -> set[str]:
    """Offers that several lines could draw on and that do not hold enough for all of them."""
    wanted: dict[str, list[int]] = {}
    holds: dict[str, int] = {}
    for need, options in zip(problem.needs, problem.options, strict=True):
        for option in options:
            wanted.setdefault(option.candidate.offer, []).append(need.each)
            holds[option.candidate.offer] = option.candidate.available_each
    return {offer for offer, asks in wanted.items() if len(asks) > 1 and sum(asks) > holds[offer]}


def _floors(problem: Problem, legs: dict[str, Leg]) -> list[Rank]:
    """floors[l]: less than what needs l, l + 1, ... add to any plan's rank: every source open, packs and minimums gone.

    legs: what a gram costs at least, by source; the loose price where one is not named. Ranks add up component by
    component, which keeps their lexicographic order.
    """
    floors: list[Rank] = [(0, 0, 0)]
    for need, options in zip(reversed(problem.needs), reversed(problem.options), strict=True):
        loose = []
        for i, o in enumerate(options):
            leg = legs.get(o.reach.source)
            unit = o.unit if leg is None else o.unit_by(leg, problem.policy)
            if unit is not None:
                foreign = int(problem.policy.own_first and not o.candidate.own)
                loose.append(Choice(i, (foreign, unit), 1, 1, o.candidate.available_each))
        least, (missing, foreign, cost) = cheapest_first(need.each, loose), floors[-1]
        floors.append((missing + least.missing_each, foreign + least.cost[0], cost + least.cost[1]))
    floors.reverse()
    return floors


def _choice(problem: Problem, at: int, i: int, unit: int, available_each: int) -> Choice | None:
    """An option as the filling of need `at` sees it; None where what is left of it is less than its least."""
    option = problem.options[at][i]
    pack, low = option.candidate.pack_each, least_each(option.candidate)
    high = min(available_each, problem.needs[at].each) // pack * pack
    if low > high:
        return None
    foreign = int(problem.policy.own_first and not option.candidate.own)
    return Choice(i, (foreign, unit), pack, low, high)


def _fill_line(problem: Problem, at: int, units: Sequence[tuple[int, int]], left: dict[str, int]) -> Filled:
    """One need from some of its options, of which other needs have left so much; quantities parallel to its options."""
    options = problem.options[at]
    choices = []
    for i, unit in units:
        offer = options[i].candidate
        choice = _choice(problem, at, i, unit, left.get(offer.offer, offer.available_each))
        if choice is not None:
            choices.append(choice)
    got = fill(problem.needs[at].each, choices)
    spread = [0] * len(options)
    for choice, n in zip(choices, got.each, strict=True):
        spread[choice.offer] = n
    return Filled(got.missing_each, got.cost, tuple(spread), got.exact)
