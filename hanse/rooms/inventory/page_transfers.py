"""Transfers: goods between two firms at cost plus; title, custody or both."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.response import Response, Template

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.catalog import queries as catalog
from hanse.rooms.inventory import offer_queries as offering
from hanse.rooms.inventory import queries as stock
from hanse.rooms.inventory.offer_facts import (
    AcceptTransfer,
    Earmark,
    EndTransfer,
    ProposeTransfer,
    TransferKind,
    TransferTerms,
)
from hanse.rooms.inventory.page_offers import home_desk, item_name, partner_options, party_link, site_options
from hanse.rooms.inventory.transfers import TITLE_STAYS
from hanse.site.menu import STORE, Entry
from hanse.site.pages_forms import Fields, Given, Where, attempt, day_after, exported, table_view
from hanse.site.places import Places
from hanse.web import Badge, Column, Link, Money, Read, Reader, Refusal, Table, go, not_here, page

KIND_WORDS = {
    "sale": "Sale: goods and title pass",
    "sale_in_place": "Sale in place: title passes, we keep the goods",
    "sale_of_held": "Sale of held goods: title of ours that they keep already",
    "consign": "Consignment: they keep the goods, title stays ours",
    "hand_over": "Hand-over: their goods that we keep go to them",
}
SHORT_WORDS = {
    "sale": "sale", "sale_in_place": "sale in place", "sale_of_held": "sale of held goods", "consign": "consignment",
    "hand_over": "hand-over",
}  # fmt: skip
KINDS = tuple(TransferKind.__args__)  # type: ignore[attr-defined]
FROM_STOCK = ("sale", "sale_in_place", "consign")
STATES = {"proposed": Badge("proposed", "info"), "accepted": Badge("done", "good"), "ended": Badge("ended", "quiet")}
DONE = Table(
    id="transfers",
    columns=(
        Column("item", "Item", "link", sortable=True, wide=True),
        Column("way", "Way", "badge", filterable=True, facets=("to you", "from you")),
        Column("party", "With", "link", sortable=True, filterable=True),
        Column("kind", "What passes", filterable=True, facets=tuple(SHORT_WORDS.values())),
        Column("each", "Quantity", "quantity", unit="each", sortable=True),
        Column("cost", "Cost of one", "money", shown=False),
        Column("markup", "Markup", "percent"),
        Column("total", "Total", "money", sortable=True),
        Column("state", "State", "badge", filterable=True),
        Column("transfer", "Number", shown=False),
        Column("position", "Entry", "proof", sortable=True),
    ),
    sort="-position",
)


def own_currencies(view: View) -> list[str]:
    """The currencies that the reader's own stock is valued in, the one of most lots first."""
    found = [money for money in stock.stock_value(view) if money.currency]
    return [money.currency for money in sorted(found, key=lambda money: (-money.lines, money.currency))]


def _row(view: View, places: Places, t: TransferTerms) -> dict[str, Any]:
    given = t.giver == view.party
    return {
        "transfer": t.transfer, "item": Link(item_name(view, t.item), places.of("item", t.item)),
        "way": Badge("from you") if given else Badge("to you", "info"),
        "party": party_link(view, places, t.taker if given else t.giver), "kind": SHORT_WORDS[t.transfer_kind],
        "each": t.each, "cost": Money(t.unit_cost_minor, t.currency), "markup": t.markup_ppm,
        "total": Money(t.total_minor, t.currency), "state": STATES[t.state], "position": t.position,
    }  # fmt: skip


def _page(
    request: Request[Any, Any, Any], found: Desk, places: Places, status: int = 200, refusal: Any = None,
    given: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    view = found.view
    rows = offering.transfers(view, limit=1_000)
    shown = [_row(view, places, row) for row in rows]
    if (file := exported(request, (DONE, shown))) is not None:
        return file
    waiting = [
        {"terms": row, "row": _row(view, places, row), "mine": row.giver == view.party,
         "kind": SHORT_WORDS[row.transfer_kind], "until": offering.transfer_deadline(view, row.transfer)}
        for row in rows
        if row.state == "proposed"
    ]  # fmt: skip
    lines = stock.stock_list(view, only="free", limit=1_000)
    asked = request.query_params.get("number", "")
    return page(
        "inventory/transfers.html", title="Transfers", status=status, refusal=refusal, given=given or {},
        waiting=waiting, listing=table_view(request, DONE, shown, "No transfer yet."), kinds=list(KIND_WORDS.items()),
        partners=partner_options(view, groups=False), lines=lines, asked=asked, until=day_after(view.now, 14),
        may={kind.kind: found.may(kind) for kind in (ProposeTransfer, AcceptTransfer, EndTransfer)},
        sites=site_options(found), currencies=own_currencies(view),
    )  # fmt: skip


@get("/transfers", sync_to_thread=True)
def transfers_page(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where) -> Any:
    """What waits for an answer, what was done, and a form to propose."""
    return _page(request, home_desk(read, session), places)


@post("/transfers", sync_to_thread=True)
def propose(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Earmark stock and propose it to the other side of a relationship."""
    given, found = Given(data), home_desk(read, session)

    def act() -> Response[Any]:
        transfer = found.node.wallet.new_id("move")[:16]
        mark, proposal = _proposal(found, given, transfer)
        found.check(proposal)
        if mark is not None:
            found.do(mark)
        found.do(proposal)
        return go("/transfers", notice="Proposed.")

    def again(status: int, refusal: Any) -> Template:
        shown: Template = _page(request, found, places, status, refusal, data)
        return shown

    return attempt(act, again)


def _proposal(found: Desk, given: Given, transfer: str) -> tuple[Earmark | None, ProposeTransfer]:
    """What the form says. Refuses, in order: as `Given`, catalog.unknown_own_number, inventory.not_enough,
    inventory.other_currency (no cost was said, and the books' has another)."""
    view = found.view
    number = given.text("own_number", "Own number", required=True, most=80)
    card = stock.stock_card(view, number, movements_max=1)
    item = card.own.item if card else getattr(catalog.item_by_any(view, number), "item", "")
    if not item:
        raise Refusal("catalog.unknown_own_number", "This number is matched to no item.", got=number, next="Match it.")
    kind = given.choice("kind", "What passes", KINDS)
    each, said = given.whole("each", "Quantity", low=1), given.currency() if given.text("currency") else ""
    lots = sorted(card.stock, key=lambda row: (not row.unit_cost_minor, -row.free_each)) if card else []
    named = given.text("lot", "Lot", most=80)
    fits = next((r for r in lots if not r.owner and r.free_each >= each and named in ("", r.lot)), None)
    if kind in FROM_STOCK and fits is None:
        most = max((row.free_each for row in lots if not row.owner), default=0)
        raise Refusal(
            "inventory.not_enough", f"No one lot has {each} each free.", got=each, expected=f"at most {most}",
            next="Lower the quantity, or propose it lot by lot.",
        )  # fmt: skip
    cost = given.text("cost", "Cost of one")
    books = (fits.currency if fits else "") or (card.own.currency if card else "")
    currency = said or books or next(iter(own_currencies(view)), "EUR")
    kept = books if fits and books else currency
    if fits and not cost and fits.unit_cost_minor and kept != currency and kind not in TITLE_STAYS:
        raise Refusal(
            "inventory.other_currency", f"Your books have its cost in {kept}.", got=kept, expected=currency,
            next=f"Say what one costs in {currency}.",
        )  # fmt: skip
    unit_cost = given.minor("cost", "Cost of one", currency) if cost else (fits.unit_cost_minor if fits else 0)
    mark = None
    if kind in FROM_STOCK and fits is not None:
        mark = Earmark(
            circle=view.home, offer=transfer, own_number=number, site=fits.site, lot=fits.lot, owner="", each=each,
            minimum_price_minor=0, currency=currency,
        )  # fmt: skip
    return mark, ProposeTransfer(
        circle=given.choice("circle", "With whom", [c for c, _ in partner_options(view, groups=False)]),
        transfer=transfer, each=each, expires_at=given.day_end("until", "Until"), transfer_kind=kind, item=item,
        lot=fits.lot if fits and kind in FROM_STOCK else named,
        unit_cost_minor=0 if kind in TITLE_STAYS else unit_cost,
        markup_ppm=0 if kind in TITLE_STAYS else given.percent("markup", "Markup", default="0"), currency=currency,
    )  # fmt: skip


def _terms(found: Desk, given: Given) -> TransferTerms:
    name = given.text("transfer", required=True, most=80)
    row = next((t for t in offering.transfers(found.view, state="proposed", limit=1_000) if t.transfer == name), None)
    if row is None:
        raise not_here()
    return row


@post("/transfers/accept", sync_to_thread=True)
def accept(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Accept: title and custody pass now."""
    given, found = Given(data), home_desk(read, session)
    row = _terms(found, given)

    def act() -> Response[Any]:
        site = given.choice("site", "Site", [s for s, _ in site_options(found)])
        found.do(AcceptTransfer(circle=row.circle, transfer=row.transfer, site=site))
        state = offering.transfer(found.view, row.circle, row.transfer)
        if state is not None and state.state != "accepted":
            raise Refused("inventory.transfer_ended", "The goods are no longer there.", got=row.transfer)
        return go("/transfers", notice="Accepted. Both firms' stock has changed.")

    return attempt(act, lambda status, refusal: _page(request, found, places, status, refusal))


@post("/transfers/end", sync_to_thread=True)
def end(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Take a proposal back, or decline it."""
    given, found = Given(data), home_desk(read, session)
    row = _terms(found, given)

    def act() -> Response[Any]:
        found.do(EndTransfer(circle=row.circle, transfer=row.transfer))
        return go("/transfers", notice="The proposal has ended.")

    return attempt(act, lambda status, refusal: _page(request, found, places, status, refusal))


def _waiting(view: View) -> int:
    return sum(1 for row in offering.transfers(view, state="proposed") if row.taker == view.party)


NAV = [Entry("Transfers", "/transfers", "Stock", STORE, _waiting)]
PAGES: list[Any] = [transfers_page, propose, accept, end]
