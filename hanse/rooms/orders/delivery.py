"""Ship, hand over, receive: the public rules of a delivery, and its being deemed received."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import rule, timer
from hanse.rooms.inventory import rules as inventory
from hanse.rooms.orders.balance import as_buyer, as_seller, deadline, find_order, keep, step
from hanse.rooms.orders.delivery_facts import Contest, HandOver, Receive, ReceiveLine, Ship
from hanse.rooms.orders.rows import DEEMED, ORDERS, SHIPMENTS, UNSIGNED_BY_BUYER, Line, Order, Shipment, ShipmentLine
from hanse.rooms.orders.told import Contested, Received, Shipped
from hanse.rooms.parties.rules import require_member

DEEMED_RECEIVED = "orders.deemed_received"
CONTEST_SECONDS = 30 * 86_400


@rule(Ship)
def ship(draft: Draft, fact: Ship) -> None:
    """Dispatch confirmed goods; what they drew on an offer is taken.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_order, orders.not_seller,
        orders.shipment_taken, orders.bad_deadline (arrive_by), orders.unknown_line, orders.repeated_line,
        orders.more_than_confirmed, orders.not_complete (of a ship-complete order).
    """
    order = find_order(draft, fact.circle, fact.order)
    as_seller(draft, order)
    taken = draft.get(SHIPMENTS, fact.shipment)
    require(taken is None, "orders.shipment_taken", "this number is taken", got=fact.shipment)
    if fact.arrive_by:
        deadline(draft, fact.arrive_by, "the arrival")
    each = _shipped_each(order, fact)
    lines = [replace(line, shipped=line.shipped + each.get(line.line, 0)) for line in order.lines]
    whole = not order.ship_complete or not any(line.open or line.to_ship for line in lines)
    require(whole, "orders.not_complete", "this order ships complete", next="confirm and ship all of it, or cancel")
    drawn: dict[str, int] = {}
    for line in order.lines:
        if line.offer and line.line in each:
            drawn[line.offer] = drawn.get(line.offer, 0) + each[line.line]
    for offer, sum_each in sorted(drawn.items()):
        inventory.take(draft, offer, sum_each)
    deemed_at = max(draft.now, fact.arrive_by) + order.receive_within_seconds
    row = Shipment(
        shipment=fact.shipment,
        circle=fact.circle,
        order_id=fact.order,
        lines=tuple(ShipmentLine(line.line, line.each) for line in fact.lines),
        shipped_at=draft.now,
        arrive_by=fact.arrive_by,
        deemed_at=deemed_at,
    )
    keep(draft, order, lines)
    draft.put(SHIPMENTS, row)
    draft.timer(
        DEEMED_RECEIVED,
        f"{DEEMED_RECEIVED}/{fact.shipment}",
        deemed_at,
        circle=fact.circle,
        args=(fact.shipment,),
    )
    step(draft, fact.order, "shipped", fact.shipment)
    draft.tell(Shipped(fact.order, fact.shipment, fact.circle, sum(each.values())))


def _shipped_each(order: Order, fact: Ship) -> dict[int, int]:
    """Refuses, in order: orders.unknown_line, orders.repeated_line, orders.more_than_confirmed."""
    known = {line.line: line for line in order.lines}
    each: dict[int, int] = {}
    for part in fact.lines:
        require(part.line in known, "orders.unknown_line", "the order has no such line", got=part.line)
        require(part.line not in each, "orders.repeated_line", "a line stands twice", got=part.line)
        left = known[part.line].to_ship
        if part.each > left:
            said = f"line {part.line}: less is confirmed and unshipped"
            raise Refused("orders.more_than_confirmed", said, got=part.each, expected=f"<= {left}")
        each[part.line] = part.each
    return each


def find_shipment(draft: Draft, circle: str, shipment: str) -> tuple[Shipment, Order]:
    """A shipment of a circle that the signer is in, with its order.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_shipment.
    """
    require_member(draft, circle)
    found = draft.get(SHIPMENTS, shipment)
    if found is None or found.circle != circle:
        raise Refused("orders.unknown_shipment", "no such shipment in this circle", got=shipment)
    order = draft.get(ORDERS, found.order_id)
    assert order is not None, "a shipment has its order"
    return found, order


@rule(HandOver)
def hand_over(draft: Draft, fact: HandOver) -> None:
    """The seller's side of the proof of delivery.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_shipment, orders.not_seller,
        orders.handed_over.
    """
    shipment, order = find_shipment(draft, fact.circle, fact.shipment)
    as_seller(draft, order)
    require(not shipment.handed_over_at, "orders.handed_over", "it was handed over", got=shipment.handed_over_at)
    draft.put(SHIPMENTS, replace(shipment, handed_over_at=draft.now))
    step(draft, order.order_id, "handed_over", fact.shipment)


@rule(Receive)
def receive(draft: Draft, fact: Receive) -> None:
    """The buyer's side. A line that is not named arrived as shipped.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_shipment, orders.not_buyer,
        orders.already_received, orders.unknown_line, orders.repeated_line, orders.more_than_shipped.
    """
    shipment, order = find_shipment(draft, fact.circle, fact.shipment)
    as_buyer(draft, order)
    require(
        not shipment.method,
        "orders.already_received",
        "this shipment was received, or deemed so",
        got=shipment.method,
        next="contest it, or return goods",
    )
    named: dict[int, ReceiveLine] = {}
    known = {line.line: line for line in shipment.lines}
    for part in fact.lines:
        require(part.line in known, "orders.unknown_line", "the shipment has no such line", got=part.line)
        require(part.line not in named, "orders.repeated_line", "a line is named twice", got=part.line)
        fits = part.received + part.damaged <= known[part.line].each
        require(
            fits,
            "orders.more_than_shipped",
            f"line {part.line}: less was shipped",
            got=part.received + part.damaged,
            expected=f"<= {known[part.line].each}",
            next="state the rest as over",
        )
        named[part.line] = part
    lines = tuple(_receipt(line, named.get(line.line)) for line in shipment.lines)
    draft.drop_timer(f"{DEEMED_RECEIVED}/{fact.shipment}", shipment.deemed_at)
    _close(draft, order, shipment, lines, fact.method)


def _receipt(line: ShipmentLine, part: ReceiveLine | None) -> ShipmentLine:
    if part is None:
        return replace(line, received=line.each)
    short = line.each - part.received - part.damaged
    return replace(line, received=part.received + part.over, damaged=part.damaged, short=short, over=part.over)


def _close(draft: Draft, order: Order, shipment: Shipment, lines: tuple[ShipmentLine, ...], method: str) -> None:
    """Write a shipment's receipt into it and into its order."""
    draft.put(SHIPMENTS, replace(shipment, lines=lines, method=method, received_at=draft.now))
    keep(draft, order, _received(order.lines, lines))
    step(draft, order.order_id, "received" if method != DEEMED else "deemed_received", shipment.shipment)
    draft.tell(
        Received(
            order.order_id,
            shipment.shipment,
            order.circle,
            method,
            sum(line.received for line in lines),
            sum(line.damaged for line in lines),
            sum(line.short for line in lines),
            sum(line.over for line in lines),
        )
    )


def _received(lines: Iterable[Line], receipts: Iterable[ShipmentLine]) -> list[Line]:
    by = {receipt.line: receipt for receipt in receipts}
    out = []
    for line in lines:
        got = by.get(line.line)
        if got is not None:
            line = replace(
                line,
                received=line.received + got.received,
                damaged=line.damaged + got.damaged,
                short=line.short + got.short,
                over=line.over + got.over,
            )
        out.append(line)
    return out


@timer(DEEMED_RECEIVED)
def deem_received(draft: Draft, due: Timer) -> None:
    """Silence ends: what was shipped is deemed received as shipped. The buyer may contest it."""
    shipment = draft.get(SHIPMENTS, due.args[0])
    if shipment is None or shipment.method:
        return
    order = draft.get(ORDERS, shipment.order_id)
    assert order is not None, "a shipment has its order"
    _close(draft, order, shipment, tuple(_receipt(line, None) for line in shipment.lines), DEEMED)


@rule(Contest)
def contest(draft: Draft, fact: Contest) -> None:
    """Say that a receipt is not how it was, within 30 days; it is marked so, and later rooms settle it.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_shipment, orders.nothing_to_contest
        (the buyer only a receipt that it did not sign itself, deemed or by a one-time link; the seller only one that
        claims a lack or an excess), orders.too_late, orders.contested.
    """
    shipment, order = find_shipment(draft, fact.circle, fact.shipment)
    differs = any(line.damaged or line.short or line.over for line in shipment.lines)
    by_buyer = draft.signer == order.buyer and shipment.method in UNSIGNED_BY_BUYER
    by_seller = draft.signer == order.seller and differs
    require(by_buyer or by_seller, "orders.nothing_to_contest", "the receipt is your own, or says nothing against you")
    late = draft.now > shipment.received_at + CONTEST_SECONDS
    require(not late, "orders.too_late", "a receipt is contested within 30 days", got=draft.now)
    require(not shipment.contested_by, "orders.contested", "it was contested", got=shipment.contested_by)
    draft.put(SHIPMENTS, replace(shipment, contested_by=draft.signer))
    step(draft, order.order_id, "contested", fact.shipment)
    draft.tell(Contested(order.order_id, fact.shipment, fact.circle, draft.signer))
