"""Questions about orders: the list with filters, and everything that an order's page shows."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from hanse.kernel.facts import Part
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.rooms.catalog.facts import ITEMS
from hanse.rooms.inventory.offer_queries import OwnSource, own_number_sources, own_sources
from hanse.rooms.orders.facts import DeliverTo
from hanse.rooms.orders.message_queries import messages_of
from hanse.rooms.orders.private_rows import (
    DOCUMENT_ORDERS,
    DOCUMENTS,
    MINE,
    ORDER_TERMS,
    RATINGS,
    RETURN_TERMS,
    SHIPMENT_TERMS,
    Document,
    Message,
    OrderTerms,
    Promise,
    Rating,
    ShipmentTerms,
    TermsLine,
)
from hanse.rooms.orders.proofs import Proof, TimelineStep, proof_of, timeline
from hanse.rooms.orders.rows import (
    LIVE_STATES,
    ORDERS,
    RETURNS,
    SHIPMENTS,
    STEPS,
    Line,
    Order,
    Shipment,
)
from hanse.rooms.parties.queries import party_name

Side = Literal["buy", "sell"]
Sort = Literal["newest", "oldest", "due", "amount", "partner"]
_SORTS = {
    "newest": ("m.placed_at", "DESC"),
    "oldest": ("m.placed_at", "ASC"),
    "due": ("CASE t.due_at WHEN 0 THEN 9223372036854775807 ELSE t.due_at END", "ASC"),
    "amount": ("m.amount_minor", "DESC"),
    "partner": ("m.partner", "ASC"),
}
_lines = msgspec.json.Decoder(tuple[Line, ...]).decode
_deliver_to = msgspec.json.Decoder(DeliverTo).decode


class OrderRow(Struct, frozen=True):
    """One order in a list. Quantities in each, times in UTC seconds, money in minor units, `due_at` 0 for none.

    late: something unshipped was due before now. unproven: one firm signed for both sides.
    position: the entry that wrote the order last.
    """

    order: str
    circle: str
    side: str
    partner: str
    partner_name: str
    state: str
    placed_at: int
    due_at: int
    po_number: str
    currency: str
    amount_minor: int
    ordered_each: int
    open_each: int
    to_ship_each: int
    in_transit_each: int
    received_each: int
    proposed_each: int
    late: bool
    unproven: bool
    position: int


class OrderList(Struct, frozen=True):
    """`cursor`: for the next page, "" at the end."""

    rows: tuple[OrderRow, ...]
    cursor: str


def orders(
    view: View,
    *,
    side: Side | Literal[""] = "",
    states: tuple[str, ...] = (),
    partner: str = "",
    text: str = "",
    placed_from: int = 0,
    placed_until: int = 0,
    late: bool = False,
    unproven: bool | None = None,
    sort: Sort = "newest",
    limit: int = 50,
    cursor: str = "",
) -> OrderList:
    """The orders in the reader's own book.

    Args:
        side: "" both. states: any of `rows.STATES`, () all. partner: exact. text: in order or PO number or partner.
        placed_from, placed_until: UTC seconds, 0 open. late: only those with something overdue. limit: 1 .. 500.
    Refuses: orders.bad_cursor.
    """
    column, direction = _SORTS[sort]
    where, values = ["m.circle = ?"], [view.home]
    for clause, value in (("m.side = ?", side), ("m.partner = ?", partner)):
        if value:
            where.append(clause)
            values.append(value)
    if states:
        where.append(f"o.state IN ({', '.join('?' * len(states))})")
        values += states
    if text:
        where.append("(m.order_id LIKE ? OR m.po_number LIKE ? OR m.partner LIKE ?)")
        values += [f"%{text}%"] * 3
    numbers: list[tuple[str, int]] = []
    if placed_from:
        numbers.append(("m.placed_at >= ?", placed_from))
    if placed_until:
        numbers.append(("m.placed_at < ?", placed_until))
    if late:
        numbers.append(("t.due_at > 0 AND t.due_at < ?", view.now))
    if unproven is not None:
        numbers.append(("o.one_sided = ?", int(unproven)))
    bound: list[str | int] = [*values, *(number for _, number in numbers)]
    where += [clause for clause, _ in numbers]
    if cursor:
        at, order_id = _read_cursor(cursor)
        where.append(f"({column}, m.order_id) {'<' if direction == 'DESC' else '>'} (?, ?)")
        bound += [at, order_id]
    # A few live orders among many: begin with those; else walk the book in its own order.
    few = states and all(state in (*LIVE_STATES, "shipped") for state in states)
    own = "{orders_order} o CROSS JOIN {orders_mine} m" if few else "{orders_mine} m CROSS JOIN {orders_order} o"
    if few:
        where.append(f"o.circle IN ({', '.join('?' * len(view.circles))})")
        bound += view.circles
    found = view.sql(
        f"SELECT {column}, m.order_id, m.side, m.partner, m.placed_at, m.po_number, m.currency, m.amount_minor,"
        " o.circle, o.state, o.lines, o.one_sided, o.position, COALESCE(t.due_at, 0)"
        f" FROM {own} LEFT JOIN {{orders_terms}} t ON t.circle = o.circle AND t.order_id = o.order_id"
        f" WHERE o.order_id = m.order_id AND {' AND '.join(where)}"
        f" ORDER BY {column} {direction}, m.order_id {direction} LIMIT ?",
        [*bound, limit + 1],
        tables=(ORDERS, MINE, ORDER_TERMS),
    )
    names = {partner: party_name(view, partner) for partner in {values[3] for values in found[:limit]}}
    rows = tuple(_row(view.now, names, *values[1:]) for values in found[:limit])
    more = len(found) > limit
    return OrderList(rows, _cursor(found[limit - 1][0], rows[-1].order) if more else "")


def _cursor(at: str | int, order_id: str) -> str:
    return msgspec.json.encode((at, order_id)).hex()


def _read_cursor(cursor: str) -> tuple[str | int, str]:
    try:
        return msgspec.json.decode(bytes.fromhex(cursor), type=tuple[str | int, str])
    except (ValueError, msgspec.DecodeError):
        raise Refused("orders.bad_cursor", "this is no cursor of this list", got=cursor[:80]) from None


def _row(
    now: int,
    names: dict[str, str],
    order_id: str,
    side: str,
    partner: str,
    placed_at: int,
    po_number: str,
    currency: str,
    amount_minor: int,
    circle: str,
    state: str,
    lines: str,
    one_sided: int,
    position: int,
    due_at: int,
) -> OrderRow:
    each = _lines(lines)
    return OrderRow(
        order=order_id,
        circle=circle,
        side=side,
        partner=partner,
        partner_name=names[partner],
        state=state,
        placed_at=placed_at,
        due_at=due_at,
        po_number=po_number,
        currency=currency,
        amount_minor=amount_minor,
        ordered_each=sum(line.ordered for line in each),
        open_each=sum(line.open for line in each),
        to_ship_each=sum(line.to_ship for line in each),
        in_transit_each=sum(line.in_transit for line in each),
        received_each=sum(line.received for line in each),
        proposed_each=sum(line.proposed for line in each),
        late=0 < due_at < now,
        unproven=bool(one_sided),
        position=position,
    )


class PageLine(Struct, frozen=True):
    """One line: its balance, its terms, what was promised and what came of it.

    in_time_each, late_each: good ones received by, and after, their promise. price_differs: from the quote or order.
    """

    balance: Line
    terms: TermsLine
    promises: tuple[Promise, ...]
    in_time_each: int
    late_each: int
    overdue: bool


class PageShipment(Struct, frozen=True):
    shipment: Shipment
    terms: ShipmentTerms | None
    proof: Proof
    rating: Rating | None


class PageReturn(Struct, frozen=True):
    return_id: str
    shipment: str
    state: str
    answer_by: int
    asked_each: int
    accepted_each: int
    reason: str
    answer: str


class OrderPage(Struct, frozen=True):
    """Everything of one order that its buyer or seller may see."""

    order: Order
    terms: OrderTerms
    side: str
    buyer_name: str
    seller_name: str
    deliver_to: Part
    unproven: bool
    lines: tuple[PageLine, ...]
    shipments: tuple[PageShipment, ...]
    returns: tuple[PageReturn, ...]
    timeline: tuple[TimelineStep, ...]
    messages: tuple[Message, ...]
    document: Document | None


def order_page(view: View, order_id: str) -> OrderPage | None:
    """An order with all that belongs to it; None for those outside its circle, as if there were none."""
    order = view.get(ORDERS, order_id)
    terms = view.get(ORDER_TERMS, order.circle, order_id) if order else None
    if order is None or terms is None:
        return None
    shipments = _shipments(view, order)
    mine = view.get(MINE, view.home, order_id)
    cover = view.get(DOCUMENT_ORDERS, view.home, order_id)
    outside = terms.counterparty
    return OrderPage(
        order=order,
        terms=terms,
        side=mine.side if mine else "",
        buyer_name=party_name(view, terms.buyer) if terms.buyer else outside,
        seller_name=party_name(view, terms.seller) if terms.seller else outside,
        deliver_to=_deliver_to(terms.deliver_to),
        unproven=order.one_sided,
        lines=tuple(
            _page_line(view, line, known, shipments) for line, known in zip(order.lines, terms.lines, strict=True)
        ),
        shipments=shipments,
        returns=_returns(view, order),
        timeline=timeline(view, order),
        messages=messages_of(view, order, [shown.shipment.shipment for shown in shipments]),
        document=view.get(DOCUMENTS, view.home, cover.document) if cover else None,
    )


def _page_line(view: View, line: Line, terms: TermsLine, shipments: tuple[PageShipment, ...]) -> PageLine:
    in_time = late = 0
    for shown in shipments:
        for part in shown.terms.slices if shown.terms else ():
            if part.line == line.line:
                arrived_at = shown.terms.arrived_at if shown.terms else 0
                good_in_time = not part.promised_at or arrived_at <= part.promised_at
                in_time += part.good if good_in_time else 0
                late += 0 if good_in_time else part.good
    dates = [p.promised_at or terms.requested_at for p in terms.promises] + ([terms.requested_at] if line.open else [])
    overdue = any(0 < at < view.now for at in dates)
    return PageLine(line, terms, terms.promises, in_time, late, overdue)


def stock_of_line(view: View, order: Order, shown: PageLine) -> list[OwnSource]:
    """The reader's free stock of what a line orders, and of what was promised in its place.

    In an order that one firm keeps for both sides, what is no item of the network is that firm's own number.
    """
    found: list[OwnSource] = []
    for named in dict.fromkeys([shown.terms.item, *(promise.item for promise in shown.promises)]):
        if view.get(ITEMS, named):
            found += own_sources(view, named)
        elif order.one_sided:
            found += own_number_sources(view, named)
    return found


def _shipments(view: View, order: Order) -> tuple[PageShipment, ...]:
    steps = view.rows(STEPS, "order_id = ?", (order.order_id,))
    found = view.rows(SHIPMENTS, "order_id = ?", (order.order_id,), order="shipped_at, shipment")
    return tuple(
        PageShipment(
            shipment,
            view.get(SHIPMENT_TERMS, order.circle, shipment.shipment),
            proof_of(order, shipment, steps),
            view.get(RATINGS, order.circle, shipment.shipment),
        )
        for shipment in found
    )


def _returns(view: View, order: Order) -> tuple[PageReturn, ...]:
    out = []
    for row in view.rows(RETURNS, "order_id = ?", (order.order_id,)):
        terms = view.get(RETURN_TERMS, order.circle, row.return_id)
        out.append(
            PageReturn(
                return_id=row.return_id,
                shipment=row.shipment,
                state=row.state,
                answer_by=row.answer_by,
                asked_each=sum(line.each for line in row.lines),
                accepted_each=sum(line.accepted for line in row.lines),
                reason=terms.reason if terms else "",
                answer=terms.answer if terms else "",
            )
        )
    return tuple(out)
