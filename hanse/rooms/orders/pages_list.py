"""The list of orders, with its saved filters and files."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.params import FromQuery

from hanse.kernel.view import View
from hanse.rooms.orders.naming import known_as
from hanse.rooms.orders.pages_forms import DAY, STATE_WORDS, day_end, state_badge
from hanse.rooms.orders.queries import OrderRow, Side, Sort, orders
from hanse.rooms.orders.rows import LIVE_STATES
from hanse.site.desks import desk
from hanse.web import Badge, Column, Found, Link, ListQuery, Read, Reader, Table, listing
from hanse.web.refusals import Refusal

SIDES = (("", "All"), ("buy", "We buy"), ("sell", "We sell"))
SORTS = ("newest", "oldest", "due", "amount", "partner")
_STATES = {words: state for state, words in STATE_WORDS.items()}
TABLE = Table(
    id="orders",
    columns=(
        Column("order", "Order", "link", wide=True),
        Column("partner", "Partner"),
        Column("side", "Side"),
        Column("state", "State", "badge", filterable=True, facets=tuple(_STATES)),
        Column("late", "Late", "badge"),
        Column("due_at", "Due", "day"),
        Column("ordered_each", "Ordered", "quantity", unit="each"),
        Column("to_ship_each", "To ship", "quantity", unit="each"),
        Column("received_each", "Received", "quantity", unit="each", shown=False),
        Column("amount_minor", "Amount", "money", currency_key="currency"),
        Column("placed_at", "Placed", "day", sortable=True, filterable=True),
        Column("position", "Entry", "proof"),
        Column("po_number", "PO number", shown=False),
        Column("open_each", "Not confirmed", "quantity", unit="each", shown=False),
        Column("in_transit_each", "Under way", "quantity", unit="each", shown=False),
        Column("proof", "Proof", "badge", shown=False),
    ),
    sort="-placed_at",
    row_key="order",
    search="Order, PO number or partner",
)
SAVED = (
    ("To confirm", "side=sell&f.state=to+confirm&by=due"),
    ("To ship", "side=sell&f.state=confirmed&f.state=part+shipped&by=due"),
    ("Under way to us", "side=buy&f.state=shipped&f.state=part+shipped&by=due"),
    ("Late", "late=1&by=due"),
    ("Largest", "by=amount"),
    ("Unproven", "unproven=1"),
)
"""(words, address): lists that people ask for every day. Any other is saved as its address."""


def row_cells(row: OrderRow) -> dict[str, Any]:
    """A row as the table shows it."""
    from urllib.parse import quote

    return {
        "order": Link(known_as(row.order, row.po_number), f"/orders/o/{quote(row.order, safe='')}"),
        "partner": row.partner_name,
        "side": "buy" if row.side == "buy" else "sell",
        "state": state_badge(row.state),
        "late": Badge("late", "bad") if row.late else None,
        "due_at": row.due_at or None,
        "ordered_each": row.ordered_each,
        "to_ship_each": row.to_ship_each,
        "received_each": row.received_each,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "placed_at": row.placed_at,
        "position": row.position,
        "po_number": row.po_number,
        "open_each": row.open_each,
        "in_transit_each": row.in_transit_each,
        "proof": Badge("unproven", "unproven") if row.unproven else Badge("both sign", "proven"),
    }


def found(
    view: View, query: ListQuery, *, side: Side | str, late: bool, unproven: bool | None, partner: str, by: str
) -> Found:
    """One page of the list. Refuses: orders.bad_cursor; form.not_a_day."""
    states = tuple(_STATES[words] for words in query.filters["state"].values) if "state" in query.filters else ()
    placed = query.filters.get("placed_at")
    sort: Sort = "newest" if query.sort[:1] != (("placed_at", False),) else "oldest"
    if by in ("due", "amount", "partner"):
        sort = by  # type: ignore[assignment]
    if late and not states:
        states = LIVE_STATES
    answer = orders(
        view,
        side=side,  # type: ignore[arg-type]
        states=states,
        partner=partner,
        text=query.text,
        placed_from=day_end({"d": placed.low}, "d", "Placed from") + 1 - DAY if placed and placed.low else 0,
        placed_until=day_end({"d": placed.high}, "d", "Placed to") + 1 if placed and placed.high else 0,
        late=late,
        unproven=unproven,
        sort=sort,
        limit=query.limit,
        cursor=query.cursor or "",
    )
    return Found([row_cells(row) for row in answer.rows], answer.cursor or None)


@get("/orders", sync_to_thread=True, opt={"reader": True})
def order_list(
    request: Request[Any, Any, Any],
    session: Reader,
    read: Read,
    side: FromQuery[str] = "",
    late: FromQuery[str] = "",
    unproven: FromQuery[str] = "",
    partner: FromQuery[str] = "",
    by: FromQuery[str] = "",
) -> Any:
    """The orders of the reader's own book: what we buy, what we sell."""
    if side not in dict(SIDES):
        raise Refusal("orders.unknown_side", "Orders are what you buy or what you sell.", status=400, got=side[:40])
    wrong = [value for value in request.query_params.getall("f.state", []) if value not in _STATES]
    if wrong:
        raise Refusal("orders.unknown_state", "No order has such a state.", status=400, got=wrong[0][:40])
    at = desk(read, session)
    view = at.view

    def fetch(query: ListQuery) -> Found:
        proof = None if unproven not in ("0", "1") else unproven == "1"
        return found(view, query, side=side, late=late == "1", unproven=proof, partner=partner, by=by)

    return listing(
        request,
        TABLE,
        fetch,
        template="orders/orders.html",
        title="Orders",
        crumbs=(("Today", "/"),),
        empty="No order fits here yet.",
        empty_next=("Find and order", "/find") if at.may("orders.place") else None,
        sides=SIDES,
        side=side,
        saved=SAVED,
        here=str(request.url.query),
        may_place=at.may("orders.place"),
    )
