"""Escrow: money for an order in a holder's hands, which ends by itself, split by what was accepted."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.accounts.deal_facts import AcceptEscrow, HoldEscrow
from hanse.rooms.accounts.facts import DAY
from hanse.rooms.accounts.page_words import CRUMBS, TABS, apart, at_desk, key_of, name_of
from hanse.rooms.accounts.queries import escrows
from hanse.rooms.accounts.rows import ASKED, ENDED, ESCROW_WAITS, HELD, LAPSED, Escrow
from hanse.rooms.orders.private_rows import ORDER_TERMS
from hanse.rooms.orders.queries import orders
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS
from hanse.rooms.parties.queries import circle_card
from hanse.site.pages_forms import Fields, Given, Where, attempt, day_after, exported, table_view
from hanse.site.places import Places
from hanse.web import Badge, Bulk, Column, Link, Money, Read, Reader, Table, go, page

STATES = {
    ASKED: Badge("waits for the holder", "warn"), HELD: Badge("held", "info"), ENDED: Badge("ended", "good"),
    LAPSED: Badge("lapsed: nobody took it", "quiet"),
}  # fmt: skip
COLUMNS = (
    Column("order", "Order", "link", wide=True),
    Column("way", "Between", sortable=True),
    Column("holder", "Holder", sortable=True),
    Column("amount", "Held", "money", sortable=True),
    Column("state", "State", "badge", filterable=True),
    Column("ends_at", "Ends", "day"),
    Column("released", "Released", "money"),
    Column("refunded", "Refunded", "money"),
    Column("entry", "Entry", "proof"),
)


def escrow_row(view: View, row: Escrow, places: Places) -> dict[str, Any]:
    """An escrow as the list shows it."""
    wait = view.get(ESCROW_WAITS, row.escrow)
    ended = row.state == ENDED
    return {
        "order": Link(row.order_id, places.of("order", row.order_id)),
        "way": f"{name_of(view, row.customer)} to {name_of(view, row.supplier)}", "holder": name_of(view, row.holder),
        "amount": Money(row.amount_minor, row.currency), "state": STATES[row.state],
        "ends_at": wait.ends_at if wait and row.state in (ASKED, HELD) else None,
        "released": Money(row.released_minor, row.currency) if ended else None,
        "refunded": Money(row.refunded_minor, row.currency) if ended else None, "entry": row.position,
        "key": key_of(row.circle, row.escrow),
    }  # fmt: skip


@get("/accounts/escrow", sync_to_thread=True)
def escrow_page(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where) -> Any:
    """Escrows of the reader's orders, and how one is begun."""
    return _escrow(request, at_desk(read, session), places)


def _escrow(
    request: Request[Any, Any, Any], found: Desk, places: Places, *, status: int = 200, refusal: Any = None,
    given: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    view = found.view
    mine = [row for row in escrows(view) if view.party in (row.supplier, row.customer, row.holder)]
    asked = [row for row in mine if row.state == ASKED and row.holder == view.party]
    bulk = (Bulk("I hold the money", "/accounts/escrow/accept"),) if asked and found.may(AcceptEscrow) else ()
    table = Table("escrows", COLUMNS, row_key="key", search="Order or partner", bulk=bulk)
    rows = [escrow_row(view, row, places) for row in reversed(mine)]
    if (file := exported(request, (table, rows))) is not None:
        return file
    open_ = _orders(view)
    return page(
        "accounts/escrow.html", title="Escrow", crumbs=CRUMBS, status=status, tabs=TABS, at="/accounts/escrow",
        listing=table_view(request, table, rows, "No money is in escrow."), orders=open_,
        may=bool(open_) and found.may(HoldEscrow), refusal=refusal, given=given or {}, day=day_after(view.now, 60),
        held=sum(row.amount_minor for row in mine if row.state == HELD),
    )  # fmt: skip


def _orders(view: View) -> list[tuple[str, str]]:
    """Orders that the reader has placed and that still move: (order, words)."""
    from hanse.web.formats import money

    found = orders(view, side="buy", states=LIVE_STATES, sort="newest", limit=100).rows
    return [
        (row.order, f"{row.order}, {row.partner_name}, {money(row.amount_minor, row.currency)}")
        for row in found
        if not row.unproven
    ]


@post("/accounts/escrow", sync_to_thread=True)
def hold(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Put money for an order into a holder's hands."""
    found, form = at_desk(read, session), Given(data)

    def act() -> Any:
        found.do(_fact(found, form))
        return go("/accounts/escrow", notice="Asked. It is held once the holder says so.")

    return attempt(
        act, lambda status, refusal: _escrow(request, found, places, status=status, refusal=refusal, given=data)
    )


def _fact(found: Desk, form: Given) -> HoldEscrow:
    """Refuses, in order: form.missing, accounts.unknown_order; as the readers of `Given`."""
    view = found.view
    name = form.text("order", "Order", required=True, most=80)
    order = view.get(ORDERS, name)
    terms = view.get(ORDER_TERMS, order.circle, name) if order else None
    if order is None or terms is None:
        raise Refused("accounts.unknown_order", "no such order of yours", got=name)
    card = circle_card(view, order.circle)
    third = [member.party for member in card.members if member.party != view.party] if card else []
    holder = form.text("holder", "Holder", most=80) or terms.seller
    if holder not in third:
        raise Refused("accounts.unknown_holder", "the supplier or a third member holds it", got=holder)
    return HoldEscrow(
        circle=order.circle,
        escrow=found.node.wallet.new_id("esc")[:16],
        order=name,
        answer_by=view.now + form.whole("answer_days", "Days for the holder", low=1, high=60, default=5) * DAY,
        settle_by=form.day_end("settle_by", "Ends at the latest"),
        inspect_seconds=form.whole("inspect_days", "Days to inspect", high=365, default=0) * DAY,
        holder=holder,
        currency=terms.currency,
        amount_minor=form.minor("amount", "Amount", terms.currency),
    )


@post("/accounts/escrow/accept", sync_to_thread=True)
def accept(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Say that one holds the money of the ticked escrows."""
    found, form = at_desk(read, session), Given(data)

    def act() -> Any:
        keys = [apart(key) for key in form.many("id")]
        if not keys:
            raise Refused("form.nothing_chosen", "tick the escrows that you hold the money of")
        found.do_all([AcceptEscrow(circle=circle, escrow=name) for circle, name in keys])
        return go("/accounts/escrow", notice="Held.")

    return attempt(
        act, lambda status, refusal: _escrow(request, found, places, status=status, refusal=refusal, given=data)
    )


PAGES: list[Any] = [escrow_page, hold, accept]
