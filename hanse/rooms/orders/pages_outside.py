"""Orders with firms outside the network: the firm's own book, one-sided and marked unproven, by hand.

Imports do the same for many. What follows (confirmed, shipped, received) is done on the order's page.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.response import Template

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.catalog.queries import item_by_any, own_item, own_number_of
from hanse.rooms.inventory.page_offers import home_desk
from hanse.rooms.orders import pages_lines
from hanse.rooms.orders.facts import DeliverTo, PlaceLine, PlaceOrder
from hanse.rooms.orders.pages_order import CRUMBS, address
from hanse.rooms.orders.pages_terms import REST, order_terms, place_of
from hanse.rooms.parties.queries import sites
from hanse.site.pages_forms import Fields, Given, attempt
from hanse.web import Read, Reader, Refusal, go, not_here, page

SIDES = {"sell": "we sell to it", "buy": "we buy from it"}


def _form(at: Desk, *, status: int = 200, refusal: Any = None, given: Any = None) -> Template:
    return page(
        "orders/outside.html", title="Order with a firm outside", crumbs=CRUMBS, status=status, refusal=refusal,
        given=given or {}, numbers=pages_lines.numbers(given or {}), sides=list(SIDES.items()), rests=REST,
        sites=[("", "not to a site of ours"), *((site.site, f"{site.name}, {site.city}") for site in sites(at.view))],
    )  # fmt: skip


def _desk(read: Any, session: Any) -> Desk:
    at = home_desk(read, session)
    if not at.may(PlaceOrder):
        raise not_here()
    return at


@get("/orders/outside", sync_to_thread=True)
def outside_form(request: Request[Any, Any, Any], session: Reader, read: Read) -> Template:
    """The form of an order with a firm that is not in the network. Raises: 404 for who may not sign it."""
    return _form(_desk(read, session))


@post("/orders/outside", sync_to_thread=True)
def record_outside(session: Reader, read: Read, data: Fields) -> Any:
    """Put it into the own book, or show the form with more lines (`more`).

    Refuses, in order: as the form's readers; catalog.unknown_item; as the rules.
    """
    at = _desk(read, session)
    if "more" in data:
        return _form(at, given=data)

    def act() -> Any:
        fact = _order(at, Given(data), data)
        at.do(fact)
        return go(address(fact.order), notice="Recorded in your own book.")

    return attempt(act, lambda status, refusal: _form(at, status=status, refusal=refusal, given=data))


def _order(at: Desk, given: Given, data: Any) -> PlaceOrder:
    view, side = at.view, given.choice("side", "Side", tuple(SIDES))
    counterparty = given.text("counterparty", "Firm", required=True, most=200)
    currency, terms = given.currency(default="EUR"), order_terms(data, view.now)
    by = given.day_end("by", "Needed by") if given.text("by") else 0
    here = given.text("to") or given.text("city")
    to = place_of(view, data) if here or side == "buy" else DeliverTo(mark=given.text("mark", most=200))
    return PlaceOrder(
        circle=view.home, order=f"{'SO' if side == 'sell' else 'PO'}-{at.node.wallet.new_id('x')[2:12].upper()}",
        side=side, counterparty=counterparty, po_number=given.text("po", "PO number", most=80), currency=currency,
        deliver_to=to, drop_ship=side == "buy" and not to.site, loan=False, ship_complete=terms.ship_complete,
        backorder=terms.backorder, cancel_after_at=terms.cancel_after_at, lines=_lines(view, given, currency, by),
    )  # fmt: skip


def _lines(view: View, given: Given, currency: str, by: int) -> list[PlaceLine]:
    """Refuses, in order: as `pages_lines.named`; of each line as the readers, catalog.unknown_item."""
    lines = []
    for n in pages_lines.named(given.data):
        item, own_number = _item(view, given.text(f"item{n}", most=80), n)
        each = given.whole(f"each{n}", f"Quantity of line {n}", low=1)
        price = given.minor(f"price{n}", f"Price of line {n}", currency)
        lines.append(
            PlaceLine(
                line=n, each=each, item=item, own_number=own_number, unit_price_minor=price, requested_at=by
            )
        )  # fmt: skip
    return lines


def _item(view: View, named: str, n: int) -> tuple[str, str]:
    """(network item, or the own number where it is not matched; own number) of what a line names."""
    own = own_item(view, named)
    if own is not None:
        return own.item or own.own_number, own.own_number
    found = item_by_any(view, named)
    if found is None:
        raise Refusal(
            "catalog.unknown_item", f"Line {n}: neither an own number nor an item of the catalogue.", got=named,
            next="Make an own number for it first.",
        )  # fmt: skip
    return found.item, own_number_of(view, found.item)


PAGES: list[Any] = [outside_form, record_outside]
