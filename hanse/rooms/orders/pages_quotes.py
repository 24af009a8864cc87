"""Quotes: asking a partner for a price, a price that binds until a day, and the order that accepts it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote as quoted

from litestar import Request, get, post
from litestar.response import Template

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node import approving
from hanse.node.desk import Desk
from hanse.rooms.catalog.facts import ITEMS
from hanse.rooms.catalog.queries import item_by_any, own_number_of
from hanse.rooms.inventory.page_offers import home_desk, partner_options
from hanse.rooms.orders import pages_lines
from hanse.rooms.orders.facts import PlaceLine, PlaceOrder, Quote, QuoteAskLine, QuoteLine, RequestQuote
from hanse.rooms.orders.pages_order import CRUMBS, address
from hanse.rooms.orders.pages_terms import REST, order_terms, place_of
from hanse.rooms.orders.private_rows import QuotedLine
from hanse.rooms.orders.quote_queries import QuoteView, quotes, quotes_to_answer, the_quote
from hanse.rooms.parties.queries import sites
from hanse.site.menu import TRADE, Entry
from hanse.site.pages_forms import DAY, Fields, Given, attempt, day_after, exported, table_view, tail
from hanse.web import Badge, Column, Link, Money, Read, Reader, Refusal, Table, go, not_here, page

PREFIX = "/orders/quotes/"
CONFIRM_SECONDS = 2 * DAY
STATES = {
    "asked": Badge("asked", "warn"), "quoted": Badge("open", "good"), "ordered": Badge("ordered", "info"),
    "expired": Badge("expired"), "unanswered": Badge("ended unanswered"),
}  # fmt: skip
SIDES = {"buy": "we buy", "sell": "we sell", "note": "own note"}
TABLE = Table(
    id="quotes",
    columns=(
        Column("quote", "Quote", "link", sortable=True, wide=True),
        Column("partner", "Partner", sortable=True, filterable=True),
        Column("side", "Side", filterable=True, facets=tuple(SIDES.values())),
        Column("state", "State", "badge", filterable=True, facets=tuple(badge.text for badge in STATES.values())),
        Column("lines", "Lines", "number", sortable=True),
        Column("amount", "Amount", "money", sortable=True),
        Column("until", "Until", "day", sortable=True),
        Column("entry", "Entry", "proof"),
    ),
    sort="until",
)


def quote_address(name: str) -> str:
    """Where a quote is shown."""
    return PREFIX + "q/" + quoted(name, safe="")


def _amount(found: QuoteView) -> Money | None:
    terms = found.terms
    return Money(sum(one.each * one.unit_price_minor for one in terms.quoted), terms.currency) if terms.quoted else None


def _rows(view: View) -> list[dict[str, Any]]:
    return [
        {
            "quote": Link(q.quote.quote, quote_address(q.quote.quote)),
            "partner": "" if q.own_note else q.partner_name,
            "side": SIDES["note" if q.own_note else q.side], "state": STATES[q.quote.state],
            "lines": len(q.terms.quoted or q.terms.asked),
            "amount": _amount(q), "until": q.quote.valid_until_at or q.quote.answer_by, "entry": q.quote.position,
        }
        for q in quotes(view, limit=1_000)
    ]  # fmt: skip


def _list(
    request: Request[Any, Any, Any], at: Desk, *, status: int = 200, refusal: Any = None, given: Any = None
) -> Any:
    view = at.view
    rows = _rows(view)
    if (file := exported(request, (TABLE, rows))) is not None:
        return file
    asked = request.query_params.get("item", "")
    side = str((given or {}).get("side", "ask" if asked else ""))
    return page(
        "orders/quotes.html", title="Quotes", crumbs=CRUMBS, status=status, refusal=refusal,
        given=given or ({"item1": asked} if asked else {}), open_as=side if side in ("ask", "offer") else "",
        listing=table_view(request, TABLE, rows, "No quote yet. Ask a partner for a price, or name one of yours."),
        partners=partner_options(view, groups=False), numbers=pages_lines.numbers(given or {}),
        first=pages_lines.numbers({}), may_ask=at.may(RequestQuote), may_quote=at.may(Quote),
        answer_by=day_after(view.now, 3), until=day_after(view.now, 14),
        limit=at.who.approval_limit_minor,
    )  # fmt: skip


@get("/orders/quotes", sync_to_thread=True)
def quote_list(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """What was asked and quoted, by the day it ends."""
    return _list(request, home_desk(read, session))


def _item(view: View, asked: str, label: str) -> str:
    """The item that a form names by any of its numbers. Refuses: catalog.unknown_item."""
    found = item_by_any(view, asked)
    if found is None:
        raise Refusal(
            "catalog.unknown_item", f"{label}: the catalogue has no such item.", got=asked,
            next="Give your own number, a GTIN, or brand and part number.",
        )  # fmt: skip
    return found.item


def _named(view: View, given: Given) -> list[tuple[int, str, int]]:
    """(number, item, each) of the lines that a form names. Refuses: as `pages_lines.named`, `_item`, the readers."""
    return [
        (n, _item(view, given.text(f"item{n}"), f"Line {n}"), given.whole(f"each{n}", f"Quantity of line {n}", low=1))
        for n in pages_lines.named(given.data)
    ]


def _circle(view: View, given: Given) -> str:
    """The relationship that a form chooses. Refuses: form.missing, form.choice."""
    return str(given.choice("circle", "Partner", [circle for circle, _ in partner_options(view, groups=False)]))


def _asked(at: Desk, given: Given) -> RequestQuote:
    view, note = at.view, given.text("note", "Note", most=4_000)
    return RequestQuote(
        circle=_circle(view, given), quote=_new_name(at), answer_by=given.day_end("answer_by", "Answer by"),
        currency=given.currency(default="EUR"), **({"note": note} if note else {}),
        lines=[
            QuoteAskLine(line=n, each=each, item=item, own_number=own_number_of(view, item))
            for n, item, each in _named(view, given)
        ],
    )  # fmt: skip


def _unasked(at: Desk, given: Given) -> Quote:
    view, currency = at.view, given.currency(default="EUR")
    circle, lines = _circle(view, given), _named(view, given)
    return Quote(
        circle=circle, quote=_new_name(at), currency=currency, lines=[
            _line(given, n, each, item, currency) for n, item, each in lines
        ], **_ends(given),
    )  # fmt: skip


def _line(given: Given, n: int, each: int, item: str, currency: str) -> QuoteLine:
    return QuoteLine(
        line=n, each=each, item=item, unit_price_minor=given.minor(f"price{n}", f"Price of line {n}", currency),
        lead_time_days=given.whole(f"days{n}", f"Days until line {n} arrives", high=3_650, default=0),
    )  # fmt: skip


def _ends(given: Given) -> dict[str, Any]:
    note = given.text("note", "Note", most=4_000)
    ends = {"valid_until_at": given.day_end("until", "Binding until")}
    return ends | ({"note": note} if note else {})


def _asked_for_approval(at: Desk, given: Given, fact: Fact) -> Any:
    """Where the form asks for it (`ask`), a second person's approval is asked for instead of signing; else None."""
    if not given.flag("ask") or not isinstance(fact, (PlaceOrder, Quote)):
        return None
    approving.ask_to_sign(at, fact)
    return go("/orders/approvals", notice="Asked for approval.")


def _new_name(at: Desk) -> str:
    return f"Q-{at.node.wallet.new_id('x')[2:12].upper()}"


@post("/orders/quotes", sync_to_thread=True)
def ask(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """Ask a partner for a price (`side` ask), or name one unasked (`side` offer); with `more`, only show more lines."""
    given, at = Given(data), home_desk(read, session)
    if "more" in data:
        return _list(request, at, given=data)

    def act() -> Any:
        side = given.choice("side", "What", ("ask", "offer"))
        fact = _asked(at, given) if side == "ask" else _unasked(at, given)
        if (asked := _asked_for_approval(at, given, fact)) is not None:
            return asked
        at.do(fact)
        return go(quote_address(fact.quote), notice="Asked." if side == "ask" else "Quoted.")

    return attempt(act, lambda status, refusal: _list(request, at, status=status, refusal=refusal, given=data))


# -- one quote -----------------------------------------------------------------------------------------------------


def _lines(view: View, found: QuoteView) -> list[dict[str, Any]]:
    """Each line with what was asked and what is quoted of it."""
    asked = {one.line: one for one in found.terms.asked}
    answered = {one.line: one for one in found.terms.quoted}
    rows = []
    for n in sorted({*asked, *answered}):
        one: QuotedLine = answered.get(n) or asked[n]
        item = view.get(ITEMS, one.item)
        rows.append({
            "n": n, "item": one.item, "asked": asked.get(n), "quoted": answered.get(n), "each": one.each,
            "called": f"{item.brand} {item.part_number} {item.description}".strip() if item else one.item,
        })  # fmt: skip
    return rows


def _show(
    at: Desk, name: str, *, status: int = 200, refusal: Any = None, form: str = "", given: Any = None
) -> Template:
    view = at.view
    found = the_quote(view, name)
    if found is None:
        raise not_here()
    row, open_now = found.quote, found.quote.state in ("asked", "quoted")
    return page(
        "orders/quote.html", title=f"Quote {name}", crumbs=(*CRUMBS, ("Quotes", "/orders/quotes")), status=status,
        q=found, row=row, terms=found.terms, state=STATES[row.state], lines=_lines(view, found), amount=_amount(found),
        refusal=refusal, form=form, given=given or {},
        may_answer=found.side == "sell" and not found.own_note and open_now and at.may(Quote),
        may_order=found.side == "buy" and not found.own_note and row.state == "quoted" and at.may(PlaceOrder),
        rests=REST,
        until=day_after(view.now, 14), sites=[(site.site, f"{site.name}, {site.city}") for site in sites(view)],
        order_href=address(row.order_id) if row.order_id else "", limit=at.who.approval_limit_minor,
    )  # fmt: skip


@get(PREFIX + "q/{name:path}", sync_to_thread=True)
def quote_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Template:
    """One quote, for its two sides."""
    return _show(home_desk(read, session), tail(request, PREFIX + "q/"))


def _of_form(at: Desk, given: Given, side: str) -> QuoteView:
    """The quote that a form names, of which the reader has a side. Raises: 404."""
    found = the_quote(at.view, given.text("quote", most=80))
    if found is None or found.side != side or found.own_note:
        raise not_here()
    return found


@post(PREFIX + "answer", sync_to_thread=True)
def answer(session: Reader, read: Read, data: Fields) -> Any:
    """Name a price for what was asked, or better one that stands. Lines without a price are not quoted."""
    given, at = Given(data), home_desk(read, session)
    found = _of_form(at, given, "sell")
    name, currency = found.quote.quote, found.terms.currency or "EUR"

    def act() -> Any:
        known = {one.line: one for one in (*found.terms.asked, *found.terms.quoted)}
        lines = [
            _line(given, n, given.whole(f"each{n}", f"Quantity of line {n}", low=1), one.item, currency)
            for n, one in sorted(known.items())
            if given.text(f"price{n}")
        ]
        if not lines:
            raise Refusal("form.nothing_chosen", "Name the price of at least one line.")
        fact = Quote(circle=found.quote.circle, quote=name, currency=currency, lines=lines, **_ends(given))
        if (asked := _asked_for_approval(at, given, fact)) is not None:
            return asked
        at.do(fact)
        return go(quote_address(name), notice="Quoted. It binds you until its day.")

    return attempt(
        act, lambda status, refusal: _show(at, name, status=status, refusal=refusal, form="answer", given=data)
    )


@post(PREFIX + "order", sync_to_thread=True)
def order(session: Reader, read: Read, data: Fields) -> Any:
    """Accept a quote: an order of what it names, at its prices."""
    given, at = Given(data), home_desk(read, session)
    found = _of_form(at, given, "buy")
    name = found.quote.quote

    def act() -> Any:
        fact = _accepting(at, found, given, data)
        if (asked := _asked_for_approval(at, given, fact)) is not None:
            return asked
        at.do(fact)
        return go(address(fact.order), notice="Order placed.")

    return attempt(
        act, lambda status, refusal: _show(at, name, status=status, refusal=refusal, form="order", given=data)
    )


def _accepting(at: Desk, found: QuoteView, given: Given, data: Any) -> PlaceOrder:
    """The order. Refuses, in order: orders.quote_ended, as the forms' readers."""
    view, terms = at.view, found.terms
    if not terms.quoted:
        raise Refused("orders.quote_ended", "this quote names no price", got=found.quote.quote, next="ask again")
    wanted, to = order_terms(data, view.now), place_of(view, data)
    return PlaceOrder(
        circle=found.quote.circle, order=f"PO-{at.node.wallet.new_id('x')[2:12].upper()}", quote=found.quote.quote,
        confirm_by=view.now + CONFIRM_SECONDS, buyer_party=view.party, seller_party=found.partner,
        po_number=given.text("po", "Your PO number", most=80), currency=terms.currency, deliver_to=to,
        drop_ship=not to.site, loan=False, ship_complete=wanted.ship_complete, backorder=wanted.backorder,
        cancel_after_at=wanted.cancel_after_at,
        lines=[
            PlaceLine(
                line=one.line, each=one.each, item=one.item, own_number=own_number_of(view, one.item),
                unit_price_minor=one.unit_price_minor, requested_at=given.day_end("by", "Needed by")
                if given.text("by") else 0,
            )
            for one in terms.quoted
        ],
    )  # fmt: skip


def _waiting(view: View) -> int:
    return len(quotes_to_answer(view))


NAV = [Entry("Quotes", "/orders/quotes", "Trade", TRADE, _waiting)]
PAGES: list[Any] = [quote_list, quote_page, ask, answer, order]
