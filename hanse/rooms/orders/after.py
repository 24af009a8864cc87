"""What follows a delivery: returns, ratings; and messages at any time."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import rule, timer
from hanse.rooms.inventory.offer_facts import OFFERS
from hanse.rooms.orders.balance import as_buyer, as_seller, deadline, find_order, keep, step
from hanse.rooms.orders.delivery import find_shipment
from hanse.rooms.orders.delivery_facts import AcceptReturn, Rate, ReturnGoods, SendMessage
from hanse.rooms.orders.rows import (
    DEEMED,
    HOLDS,
    LIVE_STATES,
    ORDERS,
    RETURNS,
    SHIPMENTS,
    STATES,
    Order,
    Return,
    ReturnLine,
    Shipment,
)
from hanse.rooms.orders.told import Rated, Returned
from hanse.rooms.parties.rules import require_member
from hanse.rooms.parties.told import Leaving

RETURN_UNANSWERED = "orders.return_unanswered"
ASKED, ACCEPTED, DECLINED, UNANSWERED = "asked", "accepted", "declined", "unanswered"


@rule(ReturnGoods)
def return_goods(draft: Draft, fact: ReturnGoods) -> None:
    """The buyer asks to return goods of one shipment, damaged ones included.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_shipment, orders.not_buyer,
        orders.return_taken, orders.not_received, orders.bad_deadline, orders.unknown_line, orders.repeated_line,
        orders.more_than_received.
    """
    shipment, order = find_shipment(draft, fact.circle, fact.shipment)
    as_buyer(draft, order)
    require(draft.get(RETURNS, fact.return_id) is None, "orders.return_taken", "taken", got=fact.return_id)
    require(shipment.method, "orders.not_received", "nobody has received it yet", next="sign the receipt first")
    deadline(draft, fact.answer_by, "the time to answer")
    known = {line.line: line for line in shipment.lines}
    asked: dict[int, int] = {}
    for part in fact.lines:
        require(part.line in known, "orders.unknown_line", "the shipment has no such line", got=part.line)
        require(part.line not in asked, "orders.repeated_line", "a line is named twice", got=part.line)
        may = known[part.line].returnable
        require(part.each <= may, "orders.more_than_received", "less can go back", got=part.each, expected=f"<= {may}")
        asked[part.line] = part.each
    row = Return(
        return_id=fact.return_id,
        circle=fact.circle,
        order_id=order.order_id,
        shipment=fact.shipment,
        state=ASKED,
        answer_by=fact.answer_by,
        lines=tuple(ReturnLine(line, each) for line, each in asked.items()),
    )
    draft.put(RETURNS, row)
    _move(draft, order, shipment, [(line, each, 0) for line, each in asked.items()])
    draft.timer(
        RETURN_UNANSWERED,
        f"{RETURN_UNANSWERED}/{fact.return_id}",
        fact.answer_by,
        circle=fact.circle,
        args=(fact.return_id,),
    )
    step(draft, order.order_id, "return_asked", fact.return_id)


def _move(draft: Draft, order: Order, shipment: Shipment, moved: Iterable[tuple[int, int, int]]) -> None:
    """Add (line, returning, returned) to a shipment's and its order's lines."""
    by = {line: (going, gone) for line, going, gone in moved}
    shipped = tuple(
        replace(line, returning=line.returning + by[line.line][0], returned=line.returned + by[line.line][1])
        if line.line in by
        else line
        for line in shipment.lines
    )
    draft.put(SHIPMENTS, replace(shipment, lines=shipped))
    lines = [
        replace(line, returning=line.returning + by[line.line][0], returned=line.returned + by[line.line][1])
        if line.line in by
        else line
        for line in order.lines
    ]
    keep(draft, order, lines)


@rule(AcceptReturn)
def accept_return(draft: Draft, fact: AcceptReturn) -> None:
    """The seller says what it took back; zero everywhere declines the return.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_return, orders.not_seller,
        orders.return_ended, orders.unknown_line, orders.repeated_line, orders.more_than_asked.
    """
    require_member(draft, fact.circle)
    row = draft.get(RETURNS, fact.return_id)
    if row is None or row.circle != fact.circle:
        raise Refused("orders.unknown_return", "no such return in this circle", got=fact.return_id)
    shipment, order = find_shipment(draft, fact.circle, row.shipment)
    as_seller(draft, order)
    require(row.state == ASKED, "orders.return_ended", "this return was answered, or ended", got=row.state)
    asked = {line.line: line.each for line in row.lines}
    accepted: dict[int, int] = {}
    for part in fact.lines:
        require(part.line in asked, "orders.unknown_line", "the return has no such line", got=part.line)
        require(part.line not in accepted, "orders.repeated_line", "a line is named twice", got=part.line)
        fits = part.each <= asked[part.line]
        require(fits, "orders.more_than_asked", "less was asked", got=part.each, expected=f"<= {asked[part.line]}")
        accepted[part.line] = part.each
    draft.drop_timer(f"{RETURN_UNANSWERED}/{fact.return_id}", row.answer_by)
    total = sum(accepted.values())
    _answer_return(draft, row, order, shipment, accepted, ACCEPTED if total else DECLINED)


def _answer_return(
    draft: Draft, row: Return, order: Order, shipment: Shipment, accepted: dict[int, int], state: str
) -> None:
    lines = tuple(replace(line, accepted=accepted.get(line.line, 0)) for line in row.lines)
    draft.put(RETURNS, replace(row, lines=lines, state=state))
    _move(draft, order, shipment, [(line.line, -line.each, line.accepted) for line in lines])
    step(draft, order.order_id, f"return_{state}", row.return_id)
    asked, each = sum(line.each for line in lines), sum(accepted.values())
    draft.tell(Returned(order.order_id, row.return_id, row.circle, asked, each, state != UNANSWERED))


@timer(RETURN_UNANSWERED)
def return_unanswered(draft: Draft, due: Timer) -> None:
    """A return that the seller did not answer ends, and says so; the goods count as the buyer's."""
    row = draft.get(RETURNS, due.args[0])
    if row is None or row.state != ASKED:
        return
    shipment, order = draft.get(SHIPMENTS, row.shipment), draft.get(ORDERS, row.order_id)
    assert shipment is not None and order is not None, "a return has its shipment and order"
    _answer_return(draft, row, order, shipment, {}, UNANSWERED)


@rule(Rate)
def rate(draft: Draft, fact: Rate) -> None:
    """Rate a delivery that the buyer signed for, once.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_shipment, orders.one_sided,
        orders.not_buyer, orders.not_received (also: only deemed so), orders.rated.
    """
    shipment, order = find_shipment(draft, fact.circle, fact.shipment)
    require(not order.one_sided, "orders.one_sided", "nobody rates an order that it signed for both sides")
    as_buyer(draft, order)
    signed = shipment.method not in ("", DEEMED)
    require(signed, "orders.not_received", "only a delivery that the buyer signed for is rated", got=shipment.method)
    require(not shipment.rated, "orders.rated", "it was rated", got=fact.shipment)
    draft.put(SHIPMENTS, replace(shipment, rated=True))
    step(draft, order.order_id, "rated", fact.shipment)
    draft.tell(Rated(order.order_id, fact.shipment, fact.circle))


@rule(SendMessage)
def send_message(draft: Draft, fact: SendMessage) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_order,
    orders.unknown_shipment."""
    require_member(draft, fact.circle)
    order_id = fact.order
    if fact.order:
        find_order(draft, fact.circle, fact.order)
    if fact.shipment:
        shipment, order = find_shipment(draft, fact.circle, fact.shipment)
        same = not fact.order or fact.order == order.order_id
        require(same, "orders.unknown_shipment", "it belongs to another order", got=shipment.shipment)
        order_id = order.order_id
    if order_id:
        step(draft, order_id, "message", fact.message)


ORDERS_READ_MAX = 1_000_000


def nothing_is_open(draft: Draft, event: Leaving) -> None:
    """Who leaves a group has nothing open there that its home would have to hear of: no hold on an offer of its own, no
    order with anything unshipped, under way, or asked back.

    Refuses, in order: orders.holds_stand, orders.orders_stand.
    """
    for kept in draft.scan(HOLDS, limit=ORDERS_READ_MAX, circle=event.circle, ended=False):
        offer = draft.get(OFFERS, kept.offer)
        free = offer is None or offer.alias != event.alias
        require(free, "orders.holds_stand", "a member holds goods of yours", got=kept.hold, expected=kept.until_at)
    for state in STATES:
        for order in draft.scan(ORDERS, limit=ORDERS_READ_MAX, circle=event.circle, state=state):
            if event.alias in (order.buyer, order.seller):
                waits = state in LIVE_STATES or any(line.in_transit or line.returning for line in order.lines)
                require(
                    not waits,
                    "orders.orders_stand",
                    "an order of yours is open in this group",
                    got=order.order_id,
                    next="ship, receive or cancel it first",
                )


ON = {Leaving: nothing_is_open}
