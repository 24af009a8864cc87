"""What is asked, who could serve it, and at which tariff: the problem of one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hanse.planning.promise.tariff import SCALE, Band, Tariff

__all__ = ["NO_DATE", "SCALE", "Band", "Candidate", "Need", "Policy", "Tariff", "faults"]

NO_DATE = -1


@dataclass(frozen=True, slots=True)
class Need:
    """One order line: `each` units of `item`, `weight_g` a unit, wanted within so many days (NO_DATE: any time)."""

    line: int
    item: str
    each: int
    weight_g: int = 0
    requested_in_days: int = NO_DATE


@dataclass(frozen=True, slots=True)
class Candidate:
    """One offer, or own stock, that the buyer may draw on.

    Attributes:
        offer: its id, unique. source: where its shipment leaves from; candidates of one source ship together.
        available_each: >= 0. pack_each: quantities are multiples of it, >= 1. minimum_each: per line, >= 0.
        unit_price_minor: of one each. scarcity_minor: of one each, what it is worth to later orders (a bid price):
            steers the choice, is never charged.
        lead_time_days: until it leaves. own: the buyer's own stock.
        blocked: why it may not be used ("not authorised for this brand"), "" when it may.
        places: what the place it leaves from is called, for lanes of the tariff.
    """

    offer: str
    source: str
    item: str
    available_each: int
    unit_price_minor: int
    lead_time_days: int = 0
    latitude_microdeg: int = 0
    longitude_microdeg: int = 0
    minimum_each: int = 0
    pack_each: int = 1
    own: bool = False
    scarcity_minor: int = 0
    blocked: str = ""
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What the buyer wants of a plan.

    Attributes:
        sources_max: shipments per order, >= 1. split_minor: for each shipment beyond the first.
        late_minor: per each and day after the requested day. late_days_max: later than that is no service; -1: any.
        own_first: as much as possible from own stock, whatever it costs.
    """

    sources_max: int = 3
    split_minor: int = 0
    late_minor: int = 0
    late_days_max: int = -1
    own_first: bool = True


def faults(needs: Sequence[Need], candidates: Sequence[Candidate], tariff: Tariff, policy: Policy) -> list[str]:
    """Everything that is wrong with a problem, one sentence each, in the order of the arguments."""
    found = []
    if len({need.line for need in needs}) != len(needs):
        found.append("two needs have the same line number")
    found += [f"line {n.line}: each must be >= 1, weight_g >= 0" for n in needs if n.each < 1 or n.weight_g < 0]
    if len({candidate.offer for candidate in candidates}) != len(candidates):
        found.append("two candidates have the same offer id")
    places: dict[str, tuple[int, int]] = {}
    for c in candidates:
        if min(c.available_each, c.unit_price_minor, c.lead_time_days, c.minimum_each, c.scarcity_minor) < 0:
            found.append(f"offer {c.offer}: quantities, prices and days are not negative")
        if c.pack_each < 1:
            found.append(f"offer {c.offer}: pack_each must be >= 1")
        at = (c.latitude_microdeg, c.longitude_microdeg)
        if places.setdefault(c.source, at) != at:
            found.append(f"source {c.source} stands at two places")
    if not tariff.bands:
        found.append("a tariff has at least one band")
    for band in tariff.bands:
        prices = (band.fixed_minor, band.per_kg_milliminor, band.per_tonne_km_minor, band.minimum_minor)
        if min(*prices, band.transit_days, band.over_g, band.up_to_g, band.up_to_m) < 0:
            found.append("a tariff is not negative")
            break
    if any(band.up_to_g and band.up_to_g <= band.over_g for band in tariff.bands):
        found.append("a step of weight ends above where it begins")
    if policy.sources_max < 1 or min(policy.split_minor, policy.late_minor) < 0:
        found.append("sources_max must be >= 1, split_minor and late_minor >= 0")
    return found
