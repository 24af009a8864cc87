"""Which site serves which imported order on which day, by the tables that were imported with them, and why so."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hanse.importers.facts_plan import DAY, divide, seconds
from hanse.importers.jobs.assignment import Assigned, Ints, Work, assign, days_needed

Row = dict[str, Any]
LATE_MINOR = 1_000_000
"""What a day of lateness weighs against cost, minor units an order: customers come first, but not at any price."""
DAYS_MORE = 3
"""Days that are looked at beyond the fewest that suffice: waiting may be cheaper than a dear site."""
BAND_GAP_G = 9
"""Weight bands are written to ten grams; a weight between two of them belongs to the lower one."""


class Way(NamedTuple):
    """One carrier's offer for an order from a site. freight_minor 0 and no carrier: the customer arranges it."""

    transit_days: int
    freight_minor: int
    carrier: str
    mode: str


class Choice(NamedTuple):
    """Who serves an order: the site, the day it leaves (0 is the day of the order), how, and at what cost."""

    site: str
    day: int
    way: Way
    handling_minor: int
    late_days: int
    reason: str
    """Why it is late, "" where it is not."""


class Allocation(NamedTuple):
    """choices: by place of the order in the list; unserved: place -> why. bound_minor: no plan costs less."""

    choices: dict[int, Choice]
    unserved: dict[int, str]
    days: int
    cost_minor: int
    bound_minor: int


class Tables:
    """The imported tables, ready to be asked.

    Args:
        sites, sourcing, tariffs: rows of these targets.
    """

    def __init__(self, sites: Sequence[Row], sourcing: Sequence[Row], tariffs: Sequence[Row]) -> None:
        self.places = [row for row in sites if "capacity_orders_per_day" in row]
        self.number = {row["site"]: at for at, row in enumerate(self.places)}
        self.capacity = np.array([row["capacity_orders_per_day"] for row in self.places], np.int64)
        self._keeps: dict[str, set[str]] = defaultdict(set)
        self._serves: dict[str, set[str]] = defaultdict(set)
        self._ports: dict[str, list[str]] = defaultdict(list)
        for row in sourcing:
            if row["rule"] == "site_item":
                self._keeps[row.get("item", "")].add(row["site"])
            elif row["rule"] == "site_customer":
                self._serves[row["site"]].add(row.get("customer", ""))
            else:
                self._ports[row["site"]].append(row.get("port", ""))
        self._tariffs: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in tariffs:
            self._tariffs[row["origin"], row["destination"]].append(row)
        self._carriers = {row["carrier"] for row in tariffs}

    def makers(self, order: Row) -> list[str]:
        """The sites that keep the item, in order of name."""
        return sorted(site for site in self._keeps[order["item"]] if site in self.number)

    def may_serve(self, site: str, order: Row) -> bool:
        """A site that names customers serves those alone."""
        return site not in self._serves or order.get("customer") in self._serves[site]

    def ways(self, site: str, order: Row) -> list[Way]:
        """How an order can travel from a site: none dearer and slower than another; the cheapest first.

        A carrier of the order that is in no tariff is the customer's own: the customer arranges the freight.
        """
        if order.get("carrier") and order["carrier"] not in self._carriers:
            return [Way(order.get("lead_time_days", 0), 0, "", "arranged by the customer")]
        weight = order.get("weight_g", 0)
        found = []
        for port in self._ports[site] or [site]:
            for row in self._tariffs[port, order.get("ship_to", "")]:
                fits = row["weight_min_g"] <= weight <= row["weight_max_g"] + BAND_GAP_G
                if fits and row.get("service", "") in ("", order.get("service", row.get("service", ""))):
                    by_weight = divide(row["rate_minor"] * weight, row.get("rate_per_g", 1))
                    freight = max(row.get("minimum_minor", 0), by_weight)
                    found.append(Way(row.get("transit_days", 0), freight, row["carrier"], row.get("mode", "")))
        best: list[Way] = []
        for way in sorted(set(found)):
            if not best or way.freight_minor < best[-1].freight_minor:
                best.append(way)
        return best[::-1]

    def handling_minor(self, site: str, order: Row) -> int:
        row = self.places[self.number[site]]
        return divide(row.get("handling_minor", 0) * order["quantity_ordered"], row.get("handling_per", 1))

    def why_unserved(self, order: Row) -> str:
        """Why no site may serve an order, in the order in which it is asked."""
        makers = self.makers(order)
        if not makers:
            return f"no plant makes {order['item']}"
        allowed = [site for site in makers if self.may_serve(site, order)]
        if not allowed:
            return f"customer {order.get('customer', '')} may not be served by {', '.join(makers)}"
        if not any(self.ways(site, order) for site in allowed):
            return (
                f"no rate for {order.get('weight_g', 0) / 1000:g} kg, service {order.get('service', 'any')}, "
                f"from {', '.join(allowed)} to {order.get('ship_to', '')}"
            )
        return f"{', '.join(allowed)} takes no orders"


def wanted_days(order: Row) -> int:
    """Days from the order to the day that was asked for."""
    if order.get("due_on") and order.get("ordered_on"):
        return max(0, (seconds(order["due_on"]) - seconds(order["ordered_on"])) // DAY)
    return int(order.get("lead_time_days", 0))


def allocate(tables: Tables, orders: Sequence[Row]) -> Allocation:
    """The allocation of least cost: handling, freight, and `LATE_MINOR` for each order and day of lateness."""
    pair_order, pair_site, ways, unserved = _pairs(tables, orders)
    if not pair_order:
        return Allocation({}, unserved, 0, 0, 0)
    order_of, site_of = np.array(pair_order, np.int64), np.array(pair_site, np.int64)
    days = days_needed(len(orders), order_of, site_of, tables.capacity) + DAYS_MORE
    wanted = [wanted_days(order) for order in orders]
    handling = [
        tables.handling_minor(tables.places[s]["site"], orders[o]) for o, s in zip(pair_order, pair_site, strict=True)
    ]
    pairs = list(zip(handling, ways, pair_order, strict=True))
    least = [[h + min(_weighed(w, day, wanted[o]) for w in some) for h, some, o in pairs] for day in range(days)]
    cost = np.array(least, np.int64)
    found = assign(Work(len(orders), len(tables.places), order_of, site_of, tables.capacity, cost))
    explain = _Reasons(tables, found, site_of, days)
    choices = {}
    for o in np.flatnonzero(found.pair >= 0).tolist():
        pair, day = int(found.pair[o]), int(found.day[o])
        way = min(ways[pair], key=lambda w: (_weighed(w, day, wanted[o]), w))
        late = max(0, day + way.transit_days - wanted[o])
        sites = [at for at in range(*_span(pair_order, o))]
        reason = explain.late(orders[o], day, way, wanted[o], [(pair_site[p], ways[p]) for p in sites]) if late else ""
        choices[o] = Choice(tables.places[pair_site[pair]]["site"], day, way, handling[pair], late, reason)
    return Allocation(choices, unserved, int(found.day.max()) + 1, found.cost_minor, found.bound_minor)


def _weighed(way: Way, day: int, wanted: int) -> int:
    return way.freight_minor + LATE_MINOR * max(0, day + way.transit_days - wanted)


def _span(pair_order: list[int], order: int) -> tuple[int, int]:
    """The pairs of an order: they stand together."""
    return bisect.bisect_left(pair_order, order), bisect.bisect_right(pair_order, order)


def _pairs(tables: Tables, orders: Sequence[Row]) -> tuple[list[int], list[int], list[list[Way]], dict[int, str]]:
    pair_order: list[int] = []
    pair_site: list[int] = []
    ways: list[list[Way]] = []
    unserved: dict[int, str] = {}
    for at, order in enumerate(orders):
        before = len(pair_order)
        for site in tables.makers(order):
            number = tables.number[site]
            if not (tables.may_serve(site, order) and tables.capacity[number]):
                continue
            some = tables.ways(site, order)
            if some:
                pair_order.append(at)
                pair_site.append(number)
                ways.append(some)
        if len(pair_order) == before:
            unserved[at] = tables.why_unserved(order)
    return pair_order, pair_site, ways, unserved


class _Reasons:
    """Why a line is late, in words."""

    def __init__(self, tables: Tables, found: Assigned, site_of: Ints, days: int) -> None:
        self._tables = tables
        self._load = np.zeros((days, len(tables.places)), np.int64)
        served = found.pair >= 0
        np.add.at(self._load, (found.day[served], site_of[found.pair[served]]), 1)

    def late(self, order: Row, day: int, way: Way, wanted: int, sites: list[tuple[int, list[Way]]]) -> str:
        """The first that holds: every way is too slow; every site that could have been in time was full; it costs."""
        fastest = min(w.transit_days for _, some in sites for w in some)
        if fastest > wanted and day == 0:
            service = order.get("service", "any")
            return f"no carrier of service {service} takes fewer than {fastest} days; {wanted} were asked"
        better = [
            (site, earlier)
            for site, some in sites
            for earlier in range(day + 1)
            if min(earlier + w.transit_days for w in some) < day + way.transit_days
        ]
        free = [(s, d) for s, d in better if self._load[d, s] < self._tables.capacity[s]]
        if better and not free:
            names = ", ".join(
                f"{self._tables.places[s]['site']} ({self._tables.capacity[s]} orders a day)"
                for s in sorted({s for s, _ in better})
            )
            last = max(d for _, d in better) + 1
            return f"full on each of the first {last} days: {names}" if last > 1 else f"full on the first day: {names}"
        return "an earlier arrival costs more than the delay weighs"
