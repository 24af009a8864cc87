"""What is to be done, what is late, and the firm's own figures: further questions about orders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.inventory.offer_facts import EARMARKS
from hanse.rooms.orders.private_rows import (
    APPROVALS,
    DOCUMENTS,
    MINE,
    ORDER_TERMS,
    SHIPMENT_TERMS,
    Approval,
    DocumentRowLine,
    TermsLine,
)
from hanse.rooms.orders.queries import OrderPage, Side, order_page
from hanse.rooms.orders.rows import DEEMED, LIVE_STATES, ORDERS, SHIPMENTS, Line
from hanse.rooms.parties.queries import party_name

PPM = 1_000_000
_balances = msgspec.json.Decoder(tuple[Line, ...]).decode
_terms = msgspec.json.Decoder(tuple[TermsLine, ...]).decode


class WorkLine(Struct, frozen=True):
    """A line with something to do. Quantities in each, times in UTC seconds, 0 for none.

    what: "open" (not answered), "to ship" (confirmed), "in transit". each: how many. due_at: the promise, else the
    request. firm: the seller is bound already, by its firm offer. own_number, site, lot: which own stock it leaves,
    where an earmark says so (sellers only).
    """

    order: str
    line: int
    side: str
    partner: str
    partner_name: str
    item: str
    what: str
    each: int
    due_at: int
    late: bool
    firm: bool
    unproven: bool
    own_number: str = ""
    site: str = ""
    lot: str = ""


def open_lines(view: View, *, side: Side | Literal[""] = "", limit: int = 1_000) -> tuple[WorkLine, ...]:
    """Lines that are not yet wholly shipped, of the reader's live orders, the earliest due first."""
    return _work(view, side, (*LIVE_STATES,), ("open", "to ship"), limit)


def late_lines(view: View, *, side: Side | Literal[""] = "", limit: int = 1_000) -> tuple[WorkLine, ...]:
    """Lines with something unshipped, or under way, after its date; the longest overdue first."""
    found = _work(view, side, (*LIVE_STATES, "shipped"), ("open", "to ship", "in transit"), 10 * limit)
    return tuple(line for line in found if line.late)[:limit]


def to_ship(view: View, until_at: int, *, limit: int = 1_000) -> tuple[WorkLine, ...]:
    """What the reader has confirmed and not shipped, due until a time or without a date; with the stock it leaves."""
    found = _work(view, "sell", LIVE_STATES, ("to ship",), 10 * limit)
    return tuple(line for line in found if line.due_at <= until_at)[:limit]


def _work(view: View, side: str, states: tuple[str, ...], wanted: tuple[str, ...], limit: int) -> tuple[WorkLine, ...]:
    circles = ", ".join("?" * len(view.circles))
    found = view.sql(
        "SELECT o.order_id, o.circle, o.lines, o.one_sided, m.side, m.partner, t.lines"
        " FROM {orders_order} o CROSS JOIN {orders_mine} m CROSS JOIN {orders_terms} t"
        f" WHERE o.circle IN ({circles}) AND o.state IN ({', '.join('?' * len(states))}) AND m.circle = ?"
        " AND m.order_id = o.order_id AND t.circle = o.circle AND t.order_id = o.order_id"
        f" AND (? = '' OR m.side = ?) ORDER BY CASE t.due_at WHEN 0 THEN 9223372036854775807 ELSE t.due_at END,"
        " o.order_id LIMIT ?",
        [*view.circles, *states, view.home, side, side, limit],
        tables=(ORDERS, MINE, ORDER_TERMS),
    )
    out: list[WorkLine] = []
    for order_id, circle, lines, one_sided, own_side, partner, terms in found:
        for line, known in zip(_balances(lines), _terms(terms), strict=True):
            for what, each, due_at in _due(view, circle, order_id, line, known, wanted):
                work = WorkLine(
                    order=order_id,
                    line=line.line,
                    side=own_side,
                    partner=partner,
                    partner_name=party_name(view, partner),
                    item=known.item,
                    what=what,
                    each=each,
                    due_at=due_at,
                    late=0 < due_at < view.now,
                    firm=known.firm,
                    unproven=bool(one_sided),
                )
                out.append(_with_stock(view, work, line.offer) if what == "to ship" and own_side == "sell" else work)
    out.sort(key=lambda w: (w.due_at or 2**62, w.order, w.line, w.what))
    return tuple(out[:limit])


def _due(
    view: View, circle: str, order_id: str, line: Line, terms: TermsLine, wanted: tuple[str, ...]
) -> list[tuple[str, int, int]]:
    """(what, each, due at) of a line: each promise by itself."""
    out: list[tuple[str, int, int]] = []
    if "open" in wanted and line.open:
        out.append(("open", line.open, terms.requested_at))
    if "to ship" in wanted:
        out += [("to ship", p.each, p.promised_at or terms.requested_at) for p in terms.promises]
    if "in transit" in wanted and line.in_transit:
        rows = view.rows(SHIPMENT_TERMS, "circle = ? AND order_id = ? AND slices_n = 0", (circle, order_id))
        for row in rows:
            out += [
                ("in transit", part.each, part.promised_at or terms.requested_at)
                for part in row.slices
                if part.line == line.line
            ]
    return out


def _with_stock(view: View, line: WorkLine, offer: str) -> WorkLine:
    mark = view.get(EARMARKS, view.home, offer) if offer else None
    if mark is None:
        return line
    return msgspec.structs.replace(line, own_number=mark.own_number, site=mark.site, lot=mark.lot)


class Figures(Struct, frozen=True):
    """A firm's own figures for one side over deliveries that arrived in a time.

    kept_ppm: of dated deliveries (one slice of a line: one promise, one shipment) that both sides signed, those that
        came whole, undamaged and not after their promise; -1 where there is none.
    dated_n, kept_n: its parts. unproven_dated_n, unproven_kept_n: the same of one-sided and deemed ones.
    lines: live lines by what they wait for, each line once per kind: open, to ship, in transit, late; all: each once.
    orders: all of the side's orders by state.
    """

    kept_ppm: int
    dated_n: int
    kept_n: int
    unproven_dated_n: int
    unproven_kept_n: int
    lines: dict[str, int]
    orders: dict[str, int]


def figures(view: View, side: Side, *, arrived_from: int = 0, arrived_until: int = 2**40) -> Figures:
    """The figures of one side of the reader's book. Times UTC seconds, from inclusive, until exclusive."""
    found = view.sql(
        "SELECT (o.one_sided OR s.method = ?) AS unproven, SUM(t.dated_n), SUM(t.kept_n)"
        " FROM {orders_shipment_terms} t CROSS JOIN {orders_mine} m CROSS JOIN {orders_order} o"
        " CROSS JOIN {orders_shipment} s WHERE m.order_id = t.order_id AND o.order_id = t.order_id"
        " AND s.shipment = t.shipment AND m.circle = ? AND m.side = ? AND t.slices_n > 0"
        " AND t.arrived_at >= ? AND t.arrived_at < ?"
        " GROUP BY unproven",
        [DEEMED, view.home, side, arrived_from, arrived_until],
        tables=(MINE, ORDERS, SHIPMENTS, SHIPMENT_TERMS),
    )
    states = view.sql(
        "SELECT o.state, COUNT(*) FROM {orders_mine} m JOIN {orders_order} o ON o.order_id = m.order_id"
        " WHERE m.circle = ? AND m.side = ? GROUP BY o.state",
        [view.home, side],
        tables=(MINE, ORDERS),
    )
    return Figures(
        **kept_shares(found),
        lines=line_counts(view, side),
        orders=dict(sorted(states)),
    )


def kept_shares(found: Iterable[tuple[Any, ...]]) -> dict[str, int]:
    """The figures of kept promises, as `Figures` has them, of rows (unproven, dated, kept): sums, None for none."""
    by = {bool(unproven): (dated or 0, kept or 0) for unproven, dated, kept in found}
    dated, kept = by.get(False, (0, 0))
    unproven_dated, unproven_kept = by.get(True, (0, 0))
    return {
        "kept_ppm": kept * PPM // dated if dated else -1,
        "dated_n": dated,
        "kept_n": kept,
        "unproven_dated_n": unproven_dated,
        "unproven_kept_n": unproven_kept,
    }


def line_counts(view: View, side: Side) -> dict[str, int]:
    """Live lines of one side by what they wait for, as `Figures.lines`."""
    work = _work(view, side, (*LIVE_STATES, "shipped"), ("open", "to ship", "in transit"), 100_000)
    lines = {
        what: len({(w.order, w.line) for w in work if w.what == what}) for what in ("open", "to ship", "in transit")
    }
    lines["all"] = len({(w.order, w.line) for w in work})
    lines["late"] = len({(w.order, w.line) for w in work if w.late})
    return lines


def approvals(view: View, subject: str) -> tuple[Approval, ...]:
    """Decisions on one subject (an order or document), in the reader's home."""
    return tuple(view.rows(APPROVALS, "circle = ? AND subject = ?", (view.home, subject)))


class DocumentPage(Struct, frozen=True):
    """A customer's document with its orders. cost_minor: the orders' amounts; margin only where one currency is used.

    lines: as the customer ordered them. covered_each: by line number, how many are ordered for it.
    """

    document: str
    customer: str
    customer_po_number: str
    currency: str
    price_minor: int
    cost_minor: int
    lines: tuple[DocumentRowLine, ...]
    covered_each: dict[int, int]
    orders: tuple[OrderPage, ...]


def document_page(view: View, document: str) -> DocumentPage | None:
    """A document of the reader's home."""
    found = view.get(DOCUMENTS, view.home, document)
    if found is None:
        return None
    pages = []
    covered = {line.line: 0 for line in found.lines}
    for cover in found.orders:
        page = order_page(view, cover.order)
        if page is None:
            continue
        pages.append(page)
        each = {line.balance.line: line.balance.ordered - line.balance.cancelled for line in page.lines}
        for theirs, ours in cover.lines:
            covered[ours] = covered.get(ours, 0) + each.get(theirs, 0)
    return DocumentPage(
        document=document,
        customer=found.customer,
        customer_po_number=found.customer_po_number,
        currency=found.currency,
        price_minor=sum(line.each * line.unit_price_minor for line in found.lines),
        cost_minor=sum(page.terms.amount_minor for page in pages if page.terms.currency == found.currency),
        lines=found.lines,
        covered_each=covered,
        orders=tuple(pages),
    )
