"""`promise`: the best sources of one order, by enumeration of the sources that may be opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

from hanse.planning.promise.distance import distance_m
from hanse.planning.promise.explain import describe
from hanse.planning.promise.fill import Choice, Cost, Filled, cheapest_first, fill
from hanse.planning.promise.model import NO_DATE, SCALE, Band, Candidate, Need, Policy, Tariff, faults
from hanse.planning.promise.plan import Plan

SUBSETS_MAX = 30_000
"""More sets of sources than that are not tried: the least promising sources are left out, and the plan says so."""


Rank = tuple[int, int, int]
"""(units missing, units not own, cost in 10^-9 minor units)."""


@dataclass(frozen=True, slots=True)
class Reach:
    """One source as seen from the buyer: how far, in which band, and what opening it costs (10^-9 minor units)."""

    source: str
    distance_m: int
    band: Band
    opening: int


@dataclass(frozen=True, slots=True)
class Option:
    """One candidate for one need: cost of one unit in 10^-9 minor units, by part; when it arrives."""

    candidate: Candidate
    reach: Reach
    price: int
    freight: int
    late: int
    scarcity: int
    arrives_in_days: int
    late_days: int

    @property
    def unit(self) -> int:
        return self.price + self.freight + self.late + self.scarcity


@dataclass(frozen=True, slots=True)
class Problem:
    """A checked problem with everything that does not depend on the choice worked out.

    options[l]: the usable candidates of need l, in order of offer. reasons[l]: why each other one is not, by offer.
    """

    needs: tuple[Need, ...]
    policy: Policy
    reaches: dict[str, Reach]
    options: tuple[tuple[Option, ...], ...]
    reasons: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Quantities by need, parallel to its options, and the plan's rank: (missing, (not own, cost), sources)."""

    each: tuple[tuple[int, ...], ...]
    rank: tuple[int, Cost, tuple[str, ...]]
    exact: bool


def promise(
    needs: Sequence[Need],
    candidates: Sequence[Candidate],
    tariff: Tariff,
    *,
    latitude_microdeg: int,
    longitude_microdeg: int,
    policy: Policy | None = None,
) -> Plan:
    """The plan of one order that serves most and, of those plans, costs least.

    Args:
        needs: the lines. candidates: every offer that the buyer may see, own stock among them; in any order.
        tariff, policy: see there. latitude_microdeg, longitude_microdeg: where the order goes.
    Compared in this order: units unserved; units not from own stock (with `policy.own_first`); goods + freight +
        split + lateness + scarcity, exactly; names of sources. The result depends on the values alone.
    Exact while the sets of at most `sources_max` sources number at most 30,000, packs have small common multiples,
        and no two lines compete for the same scarce offer; `Plan.exact` says whether.
    Raises ValueError, naming every fault of the problem.

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
    problem = _prepare(needs, candidates, tariff, policy, (latitude_microdeg, longitude_microdeg))
    return describe(problem, _search(problem))


def _prepare(
    needs: Sequence[Need], candidates: Sequence[Candidate], tariff: Tariff, policy: Policy, to: tuple[int, int]
) -> Problem:
    reaches: dict[str, Reach] = {}
    unreached: set[str] = set()
    for candidate in sorted(candidates, key=lambda c: c.offer):
        if candidate.source not in reaches and candidate.source not in unreached:
            away = distance_m(candidate.latitude_microdeg, candidate.longitude_microdeg, *to)
            band = tariff.band(away)
            if band is None:
                unreached.add(candidate.source)
            else:
                opening = (band.fixed_minor + policy.split_minor) * SCALE
                reaches[candidate.source] = Reach(candidate.source, away, band, opening)
    by_item: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: c.offer):
        by_item.setdefault(candidate.item, []).append(candidate)
    options, reasons = [], []
    for need in needs:
        usable, why = [], {}
        for candidate in by_item.get(need.item, ()):
            option = _option(need, candidate, reaches.get(candidate.source), policy)
            if isinstance(option, str):
                why[candidate.offer] = option
            else:
                usable.append(option)
        options.append(tuple(usable))
        reasons.append(why)
    return Problem(tuple(needs), policy, reaches, tuple(options), tuple(reasons))


def _option(need: Need, candidate: Candidate, reach: Reach | None, policy: Policy) -> Option | str:
    """What one unit costs from a candidate, or why it cannot be used for this need."""
    if candidate.blocked:
        return candidate.blocked
    if reach is None:
        return "beyond the reach of the tariff"
    least = least_each(candidate)
    if least > candidate.available_each:
        return f"only {candidate.available_each} each are available"
    if least > need.each:
        return f"the smallest quantity is {least} each"
    arrives = candidate.lead_time_days + reach.band.transit_days
    late_days = max(0, arrives - need.requested_in_days) if need.requested_in_days != NO_DATE else 0
    if 0 <= policy.late_days_max < late_days:
        return f"it would arrive {late_days} days late"
    band = reach.band
    freight = need.weight_g * (band.per_kg_milliminor * 1_000 + reach.distance_m * band.per_tonne_km_minor)
    return Option(
        candidate,
        reach,
        candidate.unit_price_minor * SCALE,
        freight,
        policy.late_minor * late_days * SCALE,
        candidate.scarcity_minor * SCALE,
        arrives,
        late_days,
    )


def least_each(candidate: Candidate) -> int:
    """The smallest quantity that may be drawn: the minimum, rounded up to whole packs, at least one pack."""
    pack = candidate.pack_each
    return max(pack, -(-candidate.minimum_each // pack) * pack)


def _choice(problem: Problem, at: int, i: int, available_each: int) -> Choice | None:
    """An option as the filling of need `at` sees it; None where what is left of it is less than its least."""
    option = problem.options[at][i]
    pack, low = option.candidate.pack_each, least_each(option.candidate)
    high = min(available_each, problem.needs[at].each) // pack * pack
    if low > high:
        return None
    foreign = int(problem.policy.own_first and not option.candidate.own)
    return Choice(i, (foreign, option.unit), pack, low, high)


def _search(problem: Problem) -> Chosen:
    """The best set of sources and the quantities with it."""
    sources, whole = _worth_trying(problem)
    contested = _contested(problem)
    memo: dict[tuple[int, tuple[int, ...]], Filled] = {}
    floors = _floors(problem)
    best: Chosen | None = None
    for size in range(min(problem.policy.sources_max, len(sources)) + 1):
        for opened in combinations(sources, size):
            found = _with(problem, opened, contested, memo, floors, best)
            if found is not None and (best is None or found.rank < best.rank):
                best = found
    assert best is not None, "the empty set was tried"
    exact = whole and not contested and all(filled.exact for filled in memo.values())
    return Chosen(best.each, best.rank, exact)


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


def _floors(problem: Problem) -> list[Rank]:
    """floors[l]: less than what needs l, l + 1, ... add to any plan's rank: every source open, packs and minimums gone.

    Ranks add up component by component, which keeps their lexicographic order.
    """
    floors: list[Rank] = [(0, 0, 0)]
    for need, options in zip(reversed(problem.needs), reversed(problem.options), strict=True):
        loose = [
            Choice(i, (int(problem.policy.own_first and not o.candidate.own), o.unit), 1, 1, o.candidate.available_each)
            for i, o in enumerate(options)
        ]
        least, (missing, foreign, cost) = cheapest_first(need.each, loose), floors[-1]
        floors.append((missing + least.missing_each, foreign + least.cost[0], cost + least.cost[1]))
    floors.reverse()
    return floors


def _with(
    problem: Problem,
    names: tuple[str, ...],
    contested: set[str],
    memo: dict[tuple[int, tuple[int, ...]], Filled],
    floors: list[Rank],
    best: Chosen | None,
) -> Chosen | None:
    """The best quantities with these sources open; None as soon as they cannot be better than the best so far.

    Lines that compete for an offer are filled in their order.
    """
    opened = frozenset(names)
    left: dict[str, int] = {}
    each: list[tuple[int, ...]] = []
    missing, foreign, cost = 0, 0, sum(problem.reaches[name].opening for name in names)
    for at, options in enumerate(problem.options):
        if best is not None:
            more = floors[at]
            at_least = (missing + more[0], (foreign + more[1], cost + more[2]))
            if at_least > best.rank[:2]:
                return None
        may = tuple(i for i, option in enumerate(options) if option.reach.source in opened)
        fights = bool(contested) and any(options[i].candidate.offer in contested for i in may)
        filled = None if fights else memo.get((at, may))
        if filled is None:
            filled = _fill_line(problem, at, may, left)
            if not fights:
                memo[at, may] = filled
        if fights:
            for i, n in enumerate(filled.each):
                if n:
                    offer = options[i].candidate
                    left[offer.offer] = left.get(offer.offer, offer.available_each) - n
        each.append(filled.each)
        missing += filled.missing_each
        foreign += filled.cost[0]
        cost += filled.cost[1]
    return Chosen(tuple(each), (missing, (foreign, cost), names), True)


def _fill_line(problem: Problem, at: int, may: tuple[int, ...], left: dict[str, int]) -> Filled:
    """One need from some of its options, of which other needs have left so much; quantities parallel to its options."""
    options = problem.options[at]
    choices = []
    for i in may:
        offer = options[i].candidate
        choice = _choice(problem, at, i, left.get(offer.offer, offer.available_each))
        if choice is not None:
            choices.append(choice)
    got = fill(problem.needs[at].each, choices)
    spread = [0] * len(options)
    for choice, n in zip(choices, got.each, strict=True):
        spread[choice.offer] = n
    return Filled(got.missing_each, got.cost, tuple(spread), got.exact)
