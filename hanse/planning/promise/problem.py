"""One order as the search sees it: what does not depend on the choice, worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hanse.planning.promise.distance import distance_m
from hanse.planning.promise.fill import Cost
from hanse.planning.promise.model import NO_DATE, SCALE, Candidate, Need, Policy, Tariff
from hanse.planning.promise.tariff import HEAVIEST_G, Leg, Way, loosest, ways

Drawn = list[tuple["Option", int]]


@dataclass(frozen=True, slots=True)
class Reach:
    """One source as seen from the buyer: how far, what its freight is by weight, what one more shipment costs.

    loose: never dearer nor slower than the cheapest way; least: the lowest price of a gram among them. split and all
    costs in 10^-9 minor units. straight: one price whatever the weight, which loose then is.
    """

    source: str
    distance_m: int
    ways: tuple[Way, ...]
    loose: Leg
    least: Leg
    straight: bool
    split: int

    @property
    def opening(self) -> int:
        return self.loose.fixed + self.split


@dataclass(frozen=True, slots=True)
class Option:
    """One candidate for one need: cost of one unit in 10^-9 minor units, by part. unit: at the loose price."""

    candidate: Candidate
    reach: Reach
    need: Need
    price: int
    scarcity: int
    unit: int

    def late_days(self, leg: Leg) -> int:
        arrives = self.candidate.lead_time_days + leg.transit_days
        return max(0, arrives - self.need.requested_in_days) if self.need.requested_in_days != NO_DATE else 0

    def unit_by(self, leg: Leg, policy: Policy) -> int | None:
        """Cost of one unit by a leg, its scarcity with it; None where that is too late."""
        late = self.late_days(leg)
        if 0 <= policy.late_days_max < late:
            return None
        freight = self.need.weight_g * leg.per_g
        return self.price + self.scarcity + freight + policy.late_minor * late * SCALE


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
class Carried:
    """A shipment: by which leg, how heavy, and what it is charged: goods, freight, split, lateness (10^-9 minor)."""

    leg: Leg
    weight_g: int
    charged: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """Quantities by need, parallel to its options, and the plan's rank: (missing, (not own, cost), sources)."""

    each: tuple[tuple[int, ...], ...]
    rank: tuple[int, Cost, tuple[str, ...]]
    exact: bool


def prepare(
    needs: Sequence[Need],
    candidates: Sequence[Candidate],
    tariff: Tariff,
    policy: Policy,
    to: tuple[int, int],
    to_places: Sequence[str],
) -> Problem:
    """The problem of checked values."""
    heaviest_g = sum(need.weight_g * need.each for need in needs)
    reaches: dict[str, Reach | None] = {}
    by_item: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: c.offer):
        by_item.setdefault(candidate.item, []).append(candidate)
        if candidate.source not in reaches:
            away = distance_m(candidate.latitude_microdeg, candidate.longitude_microdeg, *to)
            found = ways(tariff.zone(away, candidate.places, to_places), away)
            reaches[candidate.source] = _reach(candidate.source, away, found, heaviest_g, policy)
    options, reasons = [], []
    for need in needs:
        usable, why = [], {}
        for candidate in by_item.get(need.item, ()):
            option = _option(need, candidate, reaches[candidate.source], policy)
            if isinstance(option, str):
                why[candidate.offer] = option
            else:
                usable.append(option)
        options.append(tuple(usable))
        reasons.append(why)
    reached = {name: reach for name, reach in reaches.items() if reach is not None}
    return Problem(tuple(needs), policy, reached, tuple(options), tuple(reasons))


def _reach(source: str, away_m: int, found: tuple[Way, ...], heaviest_g: int, policy: Policy) -> Reach | None:
    if not found:
        return None
    loose = loosest(found, heaviest_g)
    legs = [leg for way in found for leg in way.legs]
    least = Leg(-1, HEAVIEST_G, 0, min(leg.per_g for leg in legs), min(leg.transit_days for leg in legs))
    return Reach(source, away_m, found, loose, least, legs == [loose], policy.split_minor * SCALE)


def _option(need: Need, candidate: Candidate, reach: Reach | None, policy: Policy) -> Option | str:
    """What one unit costs from a candidate, or why it cannot be used for this need."""
    if candidate.blocked:
        return candidate.blocked
    if reach is None:
        return "beyond the reach of the tariff"
    if need.weight_g > max(way.top_g for way in reach.ways):
        return "one alone is heavier than the tariff carries"
    least = least_each(candidate)
    if least > candidate.available_each:
        return f"only {candidate.available_each} each are available"
    if least > need.each:
        return f"the smallest quantity is {least} each"
    price, scarcity = candidate.unit_price_minor * SCALE, candidate.scarcity_minor * SCALE
    option = Option(candidate, reach, need, price, scarcity, 0)
    unit = option.unit_by(reach.loose, policy)
    if unit is None:
        return f"it would arrive {option.late_days(reach.loose)} days late"
    return Option(candidate, reach, need, price, scarcity, unit)


def least_each(candidate: Candidate) -> int:
    """The smallest quantity that may be drawn: the minimum, rounded up to whole packs, at least one pack."""
    pack = candidate.pack_each
    return max(pack, -(-candidate.minimum_each // pack) * pack)


def drawn_by_source(problem: Problem, each: Sequence[Sequence[int]]) -> dict[str, Drawn]:
    """source -> what leaves it, of the needs in their order."""
    found: dict[str, Drawn] = {}
    for options, row in zip(problem.options, each, strict=True):
        for option, n in zip(options, row, strict=True):
            if n:
                found.setdefault(option.reach.source, []).append((option, n))
    return found


def carry(reach: Reach, drawn: Drawn, policy: Policy) -> Carried | None:
    """The cheapest shipment of these units, at what their weight really costs; None where none is in time."""
    weight_g = sum(option.need.weight_g * n for option, n in drawn)
    goods = reach.split + sum(option.price * n for option, n in drawn)
    best: Carried | None = None
    legs: Iterable[Leg] = (reach.loose,)
    if not reach.straight:
        piece_g = max(option.need.weight_g for option, _ in drawn)
        legs = [leg for way in reach.ways if piece_g <= way.top_g for leg in way.at(weight_g)]
    for leg in legs:
        days = [(option.late_days(leg), n) for option, n in drawn]
        if 0 <= policy.late_days_max < max(late for late, _ in days):
            continue
        charged = goods + leg.cost(weight_g) + policy.late_minor * SCALE * sum(late * n for late, n in days)
        if best is None or (charged, leg.transit_days) < (best.charged, best.leg.transit_days):
            best = Carried(leg, weight_g, charged)
    return best
