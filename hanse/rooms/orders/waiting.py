"""What waits for the reader: proposed changes, parcels under way, returns to answer. Cheap enough for every page."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.orders.private_rows import MINE, ORDER_TERMS, RETURN_TERMS, SHIPMENT_TERMS, ShippedSlice, TermsLine
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS, RETURNS, SHIPMENTS, ReturnLine
from hanse.rooms.parties.queries import party_name

_terms = msgspec.json.Decoder(tuple[TermsLine, ...]).decode
_slices = msgspec.json.Decoder(tuple[ShippedSlice, ...]).decode
_return_lines = msgspec.json.Decoder(tuple[ReturnLine, ...]).decode


class Change(Struct, frozen=True):
    """A seller's proposal that the reader has not answered. Amount: of what is proposed, minor units."""

    order: str
    partner_name: str
    each: int
    amount_minor: int
    currency: str
    answer_by: int


class Parcel(Struct, frozen=True):
    """A shipment to the reader that nobody has received. `deemed_at`: from then it counts as received; UTC seconds."""

    order: str
    shipment: str
    partner_name: str
    each: int
    amount_minor: int
    currency: str
    arrive_by: int
    deemed_at: int


class Back(Struct, frozen=True):
    """A return that the reader, as a seller, has not answered."""

    order: str
    return_id: str
    partner_name: str
    each: int
    answer_by: int


def _live(view: View, states: tuple[str, ...]) -> tuple[str, list[str]]:
    """(condition, values): orders of the reader's circles in these states, by the index on both."""
    circles, named = ", ".join("?" * len(view.circles)), ", ".join("?" * len(states))
    return f"o.circle IN ({circles}) AND o.state IN ({named})", [*view.circles, *states]


def changes_to_answer(view: View, *, limit: int = 100) -> list[Change]:
    """Changes that sellers propose to the reader, the first to lapse first."""
    where, values = _live(view, LIVE_STATES)
    found = view.sql(
        "SELECT o.order_id, m.partner, o.answer_by, t.lines, t.currency FROM {orders_order} o"
        " CROSS JOIN {orders_mine} m CROSS JOIN {orders_terms} t"
        f" WHERE {where} AND o.answer_by > ? AND m.circle = ? AND m.order_id = o.order_id AND m.side = 'buy'"
        " AND t.circle = o.circle AND t.order_id = o.order_id ORDER BY o.answer_by, o.order_id LIMIT ?",
        [*values, view.now, view.home, limit],
        tables=(ORDERS, MINE, ORDER_TERMS),
    )
    out = []
    for order, partner, answer_by, lines, currency in found:
        changes = [change for line in _terms(lines) for change in line.changes]
        if changes:
            each = sum(change.each for change in changes)
            amount = sum(change.each * change.unit_price_minor for change in changes)
            out.append(Change(order, party_name(view, partner), each, amount, currency, answer_by))
    return out


def to_receive(view: View, *, limit: int = 100) -> list[Parcel]:
    """Parcels to the reader, the first expected first."""
    where, values = _live(view, ("part_shipped", "shipped"))
    found = view.sql(
        "SELECT o.order_id, s.shipment, m.partner, t.slices, m.currency, s.arrive_by, s.deemed_at"
        " FROM {orders_order} o CROSS JOIN {orders_mine} m CROSS JOIN {orders_shipment} s"
        " CROSS JOIN {orders_shipment_terms} t"
        f" WHERE {where} AND m.circle = ? AND m.order_id = o.order_id AND m.side = 'buy'"
        " AND s.order_id = o.order_id AND s.method = '' AND t.circle = o.circle AND t.shipment = s.shipment"
        " ORDER BY s.deemed_at, s.shipment LIMIT ?",
        [*values, view.home, limit],
        tables=(ORDERS, MINE, SHIPMENTS, SHIPMENT_TERMS),
    )
    out = []
    for order, shipment, partner, slices, currency, arrive_by, deemed_at in found:
        parts = _slices(slices)
        each = sum(part.each for part in parts)
        amount = sum(part.each * part.unit_price_minor for part in parts)
        name = party_name(view, partner)
        out.append(Parcel(order, shipment, name, each, amount, currency, arrive_by, deemed_at))
    return out


def returns_to_answer(view: View, *, limit: int = 100) -> list[Back]:
    """Returns that buyers have asked of the reader, the first to lapse first."""
    found = view.sql(
        "SELECT r.order_id, r.return_id, m.partner, r.lines, r.answer_by FROM {orders_return_terms} t"
        " CROSS JOIN {orders_return} r CROSS JOIN {orders_mine} m"
        " WHERE r.return_id = t.return_id AND r.state = 'asked' AND m.circle = ? AND m.order_id = r.order_id"
        " AND m.side = 'sell' ORDER BY r.answer_by, r.return_id LIMIT ?",
        [view.home, limit],
        tables=(RETURN_TERMS, RETURNS, MINE),
    )
    return [
        Back(order, back, party_name(view, partner), sum(line.each for line in _return_lines(lines)), answer_by)
        for order, back, partner, lines, answer_by in found
    ]


def orders_waiting(view: View) -> int:
    """How many orders, changes, parcels and returns wait for the reader; for the menu, at most 100 of each."""
    if not view.home:
        return 0
    where, values = _live(view, ("placed",))
    unanswered = view.sql(
        "SELECT COUNT(*) FROM (SELECT 1 FROM {orders_order} o CROSS JOIN {orders_mine} m"
        f" WHERE {where} AND m.circle = ? AND m.order_id = o.order_id AND m.side = 'sell' LIMIT 100)",
        [*values, view.home],
        tables=(ORDERS, MINE),
    )[0][0]
    return int(unanswered) + len(changes_to_answer(view)) + len(to_receive(view)) + len(returns_to_answer(view))
