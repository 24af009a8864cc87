"""What carriers charge: bands of distance or named lanes, steps of weight, several carriers side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SCALE = 10**9
"""Costs are compared exactly in 10^-9 of a minor unit, and rounded once for each amount that is shown."""
ANY_WEIGHT = 0
HEAVIEST_G = 10**12
LEGS_MAX = 200


@dataclass(frozen=True, slots=True)
class Band:
    """What one shipment costs in one zone and one step of weight: fixed + per kilogram + per tonne-kilometre.

    Attributes:
        up_to_m: the zone reaches that far, inclusive; not read where the zone is a lane.
        fixed_minor: per shipment. per_kg_milliminor: 1/1000 minor unit per kg, of all kilograms of the shipment.
        per_tonne_km_minor: minor units per 1,000 kg over 1,000 m. transit_days: under way.
        minimum_minor: charged at least. over_g, up_to_g: shipments heavier than over_g, up to up_to_g inclusive
            (ANY_WEIGHT: however heavy; over_g 0 holds the weightless too).
        carrier: who, "" the only one. origin, destination: a lane, by name; "" anywhere.
    """

    up_to_m: int
    fixed_minor: int
    per_kg_milliminor: int = 0
    per_tonne_km_minor: int = 0
    transit_days: int = 1
    minimum_minor: int = 0
    over_g: int = 0
    up_to_g: int = ANY_WEIGHT
    carrier: str = ""
    origin: str = ""
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Leg:
    """A straight piece of a carrier's price: fixed + per_g x grams, in 10^-9 minor units, over_g < grams <= up_to_g.

    over_g is -1 where the weightless are carried too.
    """

    over_g: int
    up_to_g: int
    fixed: int
    per_g: int
    transit_days: int
    carrier: str = ""

    def cost(self, weight_g: int) -> int:
        return self.fixed + self.per_g * weight_g

    def covers(self, weight_g: int) -> bool:
        return self.over_g < weight_g <= self.up_to_g


@dataclass(frozen=True, slots=True)
class Way:
    """One carrier's legs. top_g: the heaviest shipment; what is heavier goes as several."""

    legs: tuple[Leg, ...]
    top_g: int

    def at(self, weight_g: int) -> list[Leg]:
        """The legs that a shipment of this weight may take; the whole of several shipments is one leg."""
        rounds = (weight_g - 1) // self.top_g if weight_g > self.top_g else 0
        shift = rounds * self.top_g
        found = [leg for leg in self.legs if leg.covers(weight_g - shift)]
        if not rounds:
            return found
        full, days = min((leg.cost(self.top_g), leg.transit_days) for leg in self.legs if leg.covers(self.top_g))
        return [
            Leg(leg.over_g + shift, leg.up_to_g + shift, rounds * full + leg.fixed - leg.per_g * shift, leg.per_g,
                max(days, leg.transit_days), leg.carrier)
            for leg in found
        ]  # fmt: skip

    def between(self, low_g: int, high_g: int) -> list[Leg]:
        """Every leg that some weight from low to high takes, at most LEGS_MAX of them."""
        points = {1, *(leg.over_g + 1 for leg in self.legs), *(leg.up_to_g + 1 for leg in self.legs)}
        turns = sorted(point for point in points if 1 <= point <= self.top_g)
        found = dict.fromkeys(self.at(low_g))
        shift = max(0, low_g - 1) // self.top_g * self.top_g
        while shift < high_g and len(found) < LEGS_MAX:
            for turn in turns:
                if low_g < shift + turn <= high_g:
                    found.update(dict.fromkeys(self.at(shift + turn)))
            shift += self.top_g
        return list(found)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Bands in any order. Beyond the farthest zone of every carrier nothing is carried."""

    bands: tuple[Band, ...]

    def zone(self, distance_m: int, origins: Sequence[str] = (), destinations: Sequence[str] = ()) -> list[Band]:
        """The bands of all weights that hold between two places, for each carrier.

        A carrier's lane counts before its distances, a lane that names both ends before one that names one.

        >>> tariff = Tariff((Band(50_000, 600), Band(300_000, 900), Band(0, 450, origin="kiel")))
        >>> [band.fixed_minor for band in tariff.zone(40_000)], tariff.zone(300_001)
        ([600], [])
        >>> [band.fixed_minor for band in tariff.zone(400_000, origins=["kiel"])]
        [450]
        """
        best: dict[str, tuple[int, int]] = {}
        ranked = []
        for band in self.bands:
            named = bool(band.origin) + bool(band.destination)
            elsewhere = band.origin and band.origin not in origins
            if elsewhere or (band.destination and band.destination not in destinations):
                continue
            if not named and distance_m > band.up_to_m:
                continue
            rank = (-named, 0 if named else band.up_to_m)
            best[band.carrier] = min(best.get(band.carrier, rank), rank)
            ranked.append((rank, band))
        return [band for rank, band in ranked if rank == best[band.carrier]]


def ways(zone: Iterable[Band], distance_m: int) -> tuple[Way, ...]:
    """A zone's prices as straight pieces, a way for each carrier."""
    found: dict[str, list[Leg]] = {}
    for band in zone:
        found.setdefault(band.carrier, []).extend(_pieces(band, distance_m))
    return tuple(Way(tuple(legs), max(leg.up_to_g for leg in legs)) for _, legs in sorted(found.items()))


def _pieces(band: Band, distance_m: int) -> list[Leg]:
    """One band: where its minimum counts, and where it does not."""
    # 10^-9 minor units: per kg 10^-3 minor units / 10^3 g = 10^-6; per 10^6 g and 10^3 m = 10^-9
    per_g = band.per_kg_milliminor * 1_000 + distance_m * band.per_tonne_km_minor
    fixed, least = band.fixed_minor * SCALE, band.minimum_minor * SCALE
    low, high = band.over_g or -1, band.up_to_g or HEAVIEST_G
    turn = (least - fixed) // per_g if per_g and least > fixed else HEAVIEST_G if least > fixed else -1
    made = []
    if turn > low:
        made.append(Leg(low, min(turn, high), least, 0, band.transit_days, band.carrier))
    if turn < high:
        made.append(Leg(max(low, turn), high, fixed, per_g, band.transit_days, band.carrier))
    return made


def loosest(found: Sequence[Way], heaviest_g: int) -> Leg:
    """One leg that is never dearer nor slower than the cheapest of these ways, up to a weight.

    With one straight price it is that price. Several shipments of one carrier cost no less than the leg either: their
    parts do, and the fixed amount is not negative.
    """
    legs = [leg for way in found for leg in way.legs]
    if len(legs) == 1 and legs[0].over_g < 0 and legs[0].up_to_g == HEAVIEST_G:
        return legs[0]
    near = [leg for leg in legs if leg.over_g < max(heaviest_g, 1)]
    if not near:
        return Leg(-1, HEAVIEST_G, 0, 0, min(leg.transit_days for leg in legs))
    fixed = min(leg.cost(leg.over_g + 1) for leg in near)
    ends = [(leg, max(grams, 1)) for leg in near for grams in (leg.over_g + 1, min(leg.up_to_g, heaviest_g))]
    per_g = min((leg.cost(grams) - fixed) // grams for leg, grams in ends)
    return Leg(-1, HEAVIEST_G, fixed, max(0, per_g), min(leg.transit_days for leg in near))
