"""What the file says happened to an order: confirmed, shipped on its day, received with what was damaged or short."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from hanse.importers.facts_ids import hidden_id
from hanse.importers.facts_plan import Plan, seconds
from hanse.importers.facts_store import Staged
from hanse.rooms.orders.delivery_facts import Receive, ReceiveLine, Ship, ShipLine
from hanse.rooms.orders.facts import ConfirmLine, ConfirmOrder
from hanse.rooms.orders.rows import ORDERS, SHIPMENTS, Shipment

if TYPE_CHECKING:
    from hanse.importers.facts_orders import Line, Order

REJECTED = "rejected at receipt"


def plan_deliveries(plan: Plan, order: Order, name: str, lines: Sequence[Line], receipts: Sequence[Staged]) -> None:
    """Plan what follows an order that stands, or that the same import places.

    An order of which the file names a dispatch or a receipt is confirmed whole, for the date that was asked for. A
    dispatch without receipts carries what was ordered. With a date of dispatch the last receipt of a line closes it:
    what is missing is short. Without one, what was not received stays open. A return has happened: it is received.
    """
    numbers = {line.file_line for line in lines}
    arrived: dict[int, list[Staged]] = defaultdict(list)
    for row in sorted(receipts, key=lambda row: str(row.values.get("received_on", ""))):
        if row.values["line"] in numbers:
            arrived[row.values["line"]].append(row)
    if not (order.done or arrived or any(line.shipped_at for line in lines)):
        return
    standing = plan.view.get(ORDERS, name)
    if standing is not None and standing.state in ("declined", "cancelled", "lapsed"):
        return
    balance = {line.line: line for line in standing.lines} if standing else {}
    open_each = {line.no: balance[line.no].open if line.no in balance else line.each for line in lines}
    _confirm(plan, name, lines, open_each)
    shipments = plan.view.rows(SHIPMENTS, "order_id = ?", (name,)) if standing else []
    _receive_standing(plan, shipments, lines, arrived)
    left = {line.no: line.each - (balance[line.no].shipped if line.no in balance else 0) for line in lines}
    _ship_rest(plan, order, name, lines, arrived, left)


def _confirm(plan: Plan, name: str, lines: Sequence[Line], open_each: dict[int, int]) -> None:
    confirmed = [
        ConfirmLine(line=line.no, each=open_each[line.no], **_dated(line.requested_at))
        for line in lines
        if open_each[line.no]
    ]
    if confirmed:
        plan.add(ConfirmOrder(circle=plan.home, order=name, lines=confirmed))


def _dated(at: int) -> dict[str, Any]:
    """A promise's date; a field that says nothing is not sent, for every one costs a digest on the record."""
    return {"promised_at": at} if at else {}


def _good(row: Staged) -> tuple[int, int]:
    """(good, damaged) of a receipt, each."""
    damaged = row.values.get("rejected_each", 0)
    return row.values["received_each"] - damaged, damaged


def _receive_standing(
    plan: Plan, shipments: Sequence[Shipment], lines: Sequence[Line], arrived: dict[int, list[Staged]]
) -> None:
    """Receipts of what is under way on the record: a shipment is received once all of its lines are named."""
    by_no = {line.no: line for line in lines}
    for shipment in shipments:
        named = [by_no[part.line].file_line for part in shipment.lines if part.line in by_no]
        if shipment.method or not all(arrived.get(number) for number in named):
            continue
        parts, last = [], 0
        for part in shipment.lines:
            rows = arrived.pop(by_no[part.line].file_line)
            good, damaged = (sum(values) for values in zip(*map(_good, rows), strict=True))
            parts.append(_received(part.line, part.each, good, damaged))
            last = max(last, *(seconds(row.values.get("received_on")) for row in rows))
        _receive(plan, shipment.shipment, parts, last, site=_site(plan, rows))


Key = tuple[int, int, str, str]
"""(dispatched, received or 0, place, carrier) of what goes together."""


def _ship_rest(
    plan: Plan, order: Order, name: str, lines: Sequence[Line], arrived: dict[int, list[Staged]], left: dict[int, int]
) -> None:
    """New shipments, one for each day of dispatch, day of receipt, place and carrier; receipts that the record has
    already are passed over."""
    going: dict[tuple[Key, str], list[tuple[int, int, int, int]]] = defaultdict(list)
    for line in lines:
        rows = arrived.get(line.file_line, [])
        for at, row in enumerate(rows):
            received_at = seconds(row.values.get("received_on")) or plan.now
            key = (line.shipped_at or received_at, received_at, _site(plan, [row]), line.carrier)
            shipment = _shipment(plan, name, key, line.no)
            good, damaged = _good(row)
            closes = at == len(rows) - 1 and line.shipped_at
            each = left[line.no] if closes else min(left[line.no], good + damaged)
            if shipment and each:
                left[line.no] -= each
                going[key, shipment].append((line.no, each, good, damaged))
        if not rows and (line.shipped_at or order.done) and left[line.no]:
            at = line.shipped_at or order.ordered_at
            key = (at, max(at, 1) if order.done else 0, "", line.carrier)
            shipment = _shipment(plan, name, key, line.no)
            if shipment:
                going[key, shipment].append((line.no, left[line.no], left[line.no], 0))
    for (key, shipment), parts in going.items():
        _ship(plan, name, shipment, key, parts)


def _shipment(plan: Plan, name: str, key: Key, no: int) -> str:
    """The name of the shipment that carries a line; "" where the record has it already."""
    for again in range(1_000):
        shipment = hidden_id(plan.store.salt, "s", name, *key, again)
        row = plan.view.get(SHIPMENTS, shipment)
        if row is None:
            return shipment
        if any(part.line == no for part in row.lines):
            return ""
    raise AssertionError("an order has not a thousand dispatches of one day")


def _ship(plan: Plan, name: str, shipment: str, key: Key, parts: list[tuple[int, int, int, int]]) -> None:
    """Plan a dispatch, and its receipt where it has been received. parts: (line, each, good, damaged)."""
    shipped_at, received_at, site, carrier = key
    fact = Ship(
        circle=plan.home,
        order=name,
        shipment=shipment,
        lines=[ShipLine(line=no, each=each) for no, each, _, _ in parts],
        carrier=carrier,
        shipped_at=min(shipped_at, plan.now),
    )
    plan.add(fact)
    if received_at:
        _receive(plan, shipment, [_received(*part) for part in parts], received_at, site=site)


def _received(no: int, each: int, good: int, damaged: int) -> ReceiveLine:
    """What arrived of `each` shipped: what exceeds it is over, what is missing is short."""
    hurt = min(damaged, each)
    kept = min(good, each - hurt)
    line = ReceiveLine(line=no, received=kept, damaged=hurt, over=good - kept)
    return replace(line, reason=REJECTED) if hurt else line


def _receive(plan: Plan, shipment: str, lines: list[ReceiveLine], at: int, *, site: str) -> None:
    plan.add(
        Receive(
            circle=plan.home, shipment=shipment, method="paper", lines=lines, site=site, arrived_at=min(at, plan.now)
        )
    )


def _site(plan: Plan, rows: Sequence[Staged]) -> str:
    named = next((row.values["site"] for row in rows if row.values.get("site")), plan.options.receiving_site)
    return plan.site(named)
