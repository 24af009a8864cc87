"""Promise, ship and receive imported orders of one firm, as signed facts.

    promise   every order is confirmed for the day of the allocation, with site, carrier and cost; what no site may
              serve is declined with its reason
    produce   the data has no stock, and none is invented: what a site does not hold is recorded as produced to order
              on the day that it leaves
    ship      from the site's stock, with the carrier
    receive   on the day of arrival; the firm signs for its customer, so it counts as unproven

Days follow the day of the order; the record's own time is when the facts were signed.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from hanse.importers.facts import Sender, untold
from hanse.importers.facts_ids import hidden_id, plain_id
from hanse.importers.facts_orders import imported_orders
from hanse.importers.facts_plan import DAY, seconds
from hanse.importers.facts_stage import Told
from hanse.importers.facts_store import kept_rows
from hanse.importers.jobs.allocation import Allocation, Choice, Row, Tables, allocate
from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.inventory.facts import STOCK, Adjust, AdjustLine
from hanse.rooms.orders.delivery_facts import Receive, Ship, ShipLine
from hanse.rooms.orders.facts import ConfirmLine, ConfirmOrder, DeclineOrder, StockKey
from hanse.rooms.orders.rows import ORDERS, PLACED

LINES_MAX = 500
LEAVES_SECONDS = 17 * 3600
"""When a day's orders leave, after midnight UTC."""
MADE_TO_ORDER = "made to order: the data has no stock"


class Late(msgspec.Struct, frozen=True):
    order: str
    customer: str
    item: str
    days: int
    reason: str


class Unserved(msgspec.Struct, frozen=True):
    order: str
    customer: str
    item: str
    reason: str


class DayServed(msgspec.Struct, frozen=True):
    """One day: orders that leave, and their cost in minor units."""

    date: str
    orders: int
    handling_minor: int
    freight_minor: int


class Fulfilled(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the orders.

    Attributes:
        orders: that were looked at. stood: that had been answered before and were left alone.
        late_reasons, unserved_reasons: sentence -> how many lines. own_freight: orders whose customer arranges it.
        weighed_minor, bound_minor: cost with lateness weighed in, and what no plan can go below.
        facts: kind -> how many. plan_seconds, sign_seconds: wall time.
    """

    orders: int
    stood: int
    days: list[DayServed]
    currency: str
    late: list[Late]
    unserved: list[Unserved]
    late_reasons: dict[str, int]
    unserved_reasons: dict[str, int]
    own_freight: int
    produced_each: int
    weighed_minor: int
    bound_minor: int
    facts: dict[str, int]
    plan_seconds: float
    sign_seconds: float

    @property
    def served(self) -> int:
        return sum(day.orders for day in self.days)


def fulfil(desk: Desk, told: Told = untold) -> Fulfilled:
    """Promise, ship and receive every imported sale that is still open.

    Refuses, in order: import.nothing_to_fulfil, as `Desk.sign`, import.cut_short.
    """
    started = time.perf_counter()
    directory, party = desk.node.directory, desk.who.party
    tables = Tables(*(kept_rows(directory, party, name) for name in ("sites", "sourcing", "tariffs")))
    named = imported_orders(directory, party)
    rows = [row for row in kept_rows(directory, party, "orders") if row.get("kind", "sale") == "sale"]
    if not tables.places or not rows:
        message = "there are no sites with a capacity, or no sales"
        raise Refused(
            "import.nothing_to_fulfil", message, got=len(rows), next="import sites, sourcing, tariffs, orders"
        )
    view = desk.view
    orders, names, lines = [], [], []
    for row in sorted(rows, key=lambda row: (str(row.get("ordered_on", "")), row["order"], row.get("line", 0))):
        (name,) = named.get(("sale", row["order"]), [""])[:1]
        order = view.get(ORDERS, name) if name else None
        if order is not None and order.state == PLACED and len(order.lines) == 1:
            orders.append(row)
            names.append(name)
            lines.append(order.lines[0].line)
    told("allocating", 0, len(orders))
    plan = allocate(tables, orders)
    plan_seconds = time.perf_counter() - started
    started = time.perf_counter()
    work = _Facts(view, orders, names, lines, plan)
    sender = Sender(desk, told, 4 * len(orders))
    facts: dict[str, int] = defaultdict(int)
    for n, fact in enumerate(work.facts()):
        facts[fact.kind] += 1
        sender.put(n, fact)
    sender.close()
    return _said(len(rows), orders, plan, tables, work.produced_each, dict(sorted(facts.items())), plan_seconds,
                 time.perf_counter() - started)  # fmt: skip


class _Facts:
    """The facts of an allocation, in the order of the days."""

    def __init__(self, view: View, orders: list[Row], names: list[str], lines: list[int], plan: Allocation) -> None:
        self._home, self._now = view.home, view.now
        self._orders, self._names, self._lines, self._plan = orders, names, lines, plan
        self._free = _free(view, orders, plan)
        self.produced_each = 0

    def facts(self) -> Iterator[Fact]:
        by_day: dict[int, list[int]] = defaultdict(list)
        for at in range(len(self._orders)):
            yield self._answer(at)
            if at in self._plan.choices:
                by_day[self._plan.choices[at].day].append(at)
        for day in sorted(by_day):
            yield from self._produce(by_day[day])
            for at in by_day[day]:
                yield self._ship(at, self._plan.choices[at])
            for at in by_day[day]:
                yield self._receive(at, self._plan.choices[at])

    def _answer(self, at: int) -> Fact:
        name = self._names[at]
        choice = self._plan.choices.get(at)
        if choice is None:
            return DeclineOrder(circle=self._home, order=name, reason=self._plan.unserved[at])
        how = f"by {choice.way.carrier}, {choice.way.mode}" if choice.way.carrier else f"freight {choice.way.mode}"
        handling, freight = _money(choice.handling_minor), _money(choice.way.freight_minor)
        note = f"from {choice.site} {how}: handling {handling}, freight {freight}"
        if choice.reason:
            note += f"; late by {choice.late_days} days: {choice.reason}"
        day = seconds(self._orders[at].get("ordered_on")) + (choice.day + choice.way.transit_days + 1) * DAY - 1
        line = ConfirmLine(line=self._lines[at], each=self._each(at), promised_at=day)
        return ConfirmOrder(circle=self._home, order=name, lines=[line], note=note)

    def _each(self, at: int) -> int:
        return int(self._orders[at]["quantity_ordered"])

    def _leaves(self, at: int, choice: Choice) -> int:
        return min(seconds(self._orders[at].get("ordered_on")) + choice.day * DAY + LEAVES_SECONDS, self._now)

    def _produce(self, some: list[int]) -> Iterator[Fact]:
        """What the sites do not hold, as one movement an order, on the day."""
        lines = []
        for at in some:
            choice, item = self._plan.choices[at], self._orders[at]["item"]
            site = plain_id(choice.site)
            missing = max(0, self._each(at) - self._free[site, item])
            self._free[site, item] -= self._each(at) - missing
            self.produced_each += missing
            if missing:
                note = f"{MADE_TO_ORDER}; order {self._orders[at]['order']}"
                line = AdjustLine(site=site, own_number=item, each=missing, reason="produced",
                                  made_at=self._leaves(at, choice), note=note)  # fmt: skip
                lines.append(line)
        for start in range(0, len(lines), LINES_MAX):
            yield Adjust(circle=self._home, lines=lines[start : start + LINES_MAX])

    def _ship(self, at: int, choice: Choice) -> Fact:
        stock = StockKey(own_number=self._orders[at]["item"], site=plain_id(choice.site))
        return Ship(
            circle=self._home,
            order=self._names[at],
            shipment=self._shipment(at),
            lines=[ShipLine(line=self._lines[at], each=self._each(at), from_stock=stock)],
            carrier=choice.way.carrier or "arranged by the customer",
            weight_g=self._orders[at].get("weight_g", 0),
            shipped_at=self._leaves(at, choice),
        )

    def _receive(self, at: int, choice: Choice) -> Fact:
        arrived = min(self._leaves(at, choice) + choice.way.transit_days * DAY, self._now)
        return Receive(circle=self._home, shipment=self._shipment(at), method="paper", arrived_at=arrived)

    def _shipment(self, at: int) -> str:
        return hidden_id(b"", "s", self._names[at], "fulfilled")


def _free(view: View, orders: list[Row], plan: Allocation) -> dict[tuple[str, str], int]:
    """(site, item) -> free each before any of these orders: later the facts under way would be seen in part."""
    found = {}
    for at, choice in plan.choices.items():
        key = (plain_id(choice.site), orders[at]["item"])
        if key not in found:
            stock = view.get(STOCK, view.home, *key, "", "")
            found[key] = stock.free_each if stock else 0
    return found


def _money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def _said(
    all_orders: int, orders: list[Row], plan: Allocation, tables: Tables, produced: int, facts: dict[str, int],
    plan_seconds: float, sign_seconds: float,
) -> Fulfilled:  # fmt: skip
    days: dict[str, list[int]] = {}
    late, unserved = [], []
    late_reasons: dict[str, int] = defaultdict(int)
    for at, choice in sorted(plan.choices.items()):
        row = orders[at]
        date = datetime.fromtimestamp(seconds(row.get("ordered_on")) + choice.day * DAY, UTC).date().isoformat()
        day = days.setdefault(date, [0, 0, 0])
        day[:] = [day[0] + 1, day[1] + choice.handling_minor, day[2] + choice.way.freight_minor]
        if choice.late_days:
            late.append(Late(row["order"], row.get("customer", ""), row["item"], choice.late_days, choice.reason))
            late_reasons[choice.reason] += 1
    unserved_reasons: dict[str, int] = defaultdict(int)
    for at, reason in sorted(plan.unserved.items()):
        row = orders[at]
        unserved.append(Unserved(row["order"], row.get("customer", ""), row["item"], reason))
        unserved_reasons[reason] += 1
    return Fulfilled(
        orders=len(orders),
        stood=all_orders - len(orders),
        days=[DayServed(date, *numbers) for date, numbers in sorted(days.items())],
        currency=next((row["currency"] for row in tables.places if row.get("currency")), ""),
        late=late,
        unserved=unserved,
        late_reasons=_most(late_reasons),
        unserved_reasons=_most(unserved_reasons),
        own_freight=sum(not choice.way.carrier for choice in plan.choices.values()),
        produced_each=produced,
        weighed_minor=plan.cost_minor,
        bound_minor=plan.bound_minor,
        facts=facts,
        plan_seconds=round(plan_seconds, 3),
        sign_seconds=round(sign_seconds, 3),
    )


def _most(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
