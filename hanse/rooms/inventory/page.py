"""Stock: the list, what lies idle, what others keep. Pages decide nothing: they read, and sign through the desk."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.response import Template

from hanse.kernel.view import View
from hanse.rooms.catalog.facts import SetOwnItem
from hanse.rooms.catalog.queries import own_item, own_number_of
from hanse.rooms.inventory import page_borrow, page_card, page_offers, page_transfers
from hanse.rooms.inventory import queries as stock
from hanse.rooms.inventory.facts import TOTALS
from hanse.rooms.inventory.offer_facts import Earmark, MakeOffer
from hanse.rooms.inventory.page_offers import card_address, home_desk, offer_address, party_link
from hanse.rooms.parties.queries import sites
from hanse.site import pages_market as market
from hanse.site.menu import STORE, Entry
from hanse.site.pages_forms import Where, exported, table_view
from hanse.web import (
    Badge,
    Column,
    Found,
    Link,
    ListQuery,
    Money,
    Read,
    Reader,
    Table,
    listing,
    page,
)

DEAD_DAYS = (90, 180, 365, 730)
TABS = (
    ("All stock", "/stock"),
    ("Dead stock", "/stock/dead"),
    ("Held elsewhere, kept for others", "/stock/held"),
)
STOCK_TABLE = Table(
    id="stock",
    columns=(
        Column("number", "Own number", "link", wide=True),
        Column("description", "Description"),
        Column("on_hand_each", "On hand", "quantity", unit="each"),
        Column("allocated_each", "Promised", "quantity", unit="each"),
        Column("set_aside_each", "Set aside", "quantity", unit="each"),
        Column("free_each", "Free", "quantity", unit="each"),
        Column("state", "State", "badge", filterable=True, facets=("free", "short")),
        Column("item", "Item", "link"),
        Column("short_each", "Short", "quantity", unit="each", shown=False),
        Column("position", "Entry", "proof"),
    ),
    search="Own number or description",
)
DEAD_TABLE = Table(
    id="dead-stock",
    columns=(
        Column("number", "Own number", "link", sortable=True, wide=True),
        Column("description", "Description", sortable=True),
        Column("site", "Site", sortable=True, filterable=True),
        Column("lot", "Lot", shown=False),
        Column("on_hand_each", "On hand", "quantity", unit="each", sortable=True),
        Column("idle_days", "Idle", "quantity", unit="days", sortable=True, filterable=True),
        Column("value", "Money in it", "money", sortable=True, filterable=True),
        Column("then", "Do", "link"),
    ),
    sort="-value",
    search="Own number or description",
)


# -- lists ---------------------------------------------------------------------------------------------------------


def _state(row: stock.StockLine) -> Badge:
    if row.short_each:
        return Badge(f"short {row.short_each}", "bad")
    if row.free_each:
        return Badge("free", "good")
    return Badge("promised" if row.on_hand_each else "none", "quiet")


@get("/stock", sync_to_thread=True, opt={"reader": True})
def stock_page(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where) -> Any:
    """Every own number with what stands of it, over all sites."""
    found = home_desk(read, session)
    view = found.view

    def fetch(query: ListQuery) -> Found:
        chosen = query.filters["state"].values if "state" in query.filters else ()
        only = chosen[0] if len(chosen) == 1 else ""
        rows = stock.stock_list(view, search=query.text, after=query.cursor or "", limit=query.limit + 1, only=only)
        shown = [
            {
                "number": Link(r.own_number, card_address(r.own_number)), "description": r.description,
                "on_hand_each": r.on_hand_each, "allocated_each": r.allocated_each,
                "set_aside_each": r.set_aside_each, "free_each": r.free_each, "short_each": r.short_each,
                "state": _state(r), "position": r.position,
                "item": Link("catalogue", places.of("item", r.item)) if r.item else Link("not matched", "/matching"),
            }
            for r in rows[: query.limit]
        ]  # fmt: skip
        more = rows[query.limit - 1].own_number if len(rows) > query.limit else None
        plain = not query.text and not only
        mine = (view.home,)
        facets = {"state": {
            "free": view.count(TOTALS, "circle = ? AND on_hand_each > allocated_each + set_aside_each", mine),
            "short": view.count(TOTALS, "circle = ? AND short_each > 0", mine),
        }}  # fmt: skip
        return Found(shown, more, view.count(TOTALS, "circle = ?", mine) if plain else None, facets)

    return listing(
        request, STOCK_TABLE, fetch, template="inventory/stock.html", title="Stock",
        empty="No stock yet. Import what your own system exports, or count one own number.",
        empty_next=("Import stock", "/import"), tabs=TABS, value=stock.stock_value(view),
        dead=stock.dead_stock_value(view, 180), matched=stock.money_matched(view),
        may_offer=found.may(MakeOffer), may_number=found.may(SetOwnItem),
    )  # fmt: skip


@get("/stock/dead", sync_to_thread=True)
def dead_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """What has neither come nor gone for a while, the most money first."""
    found = home_desk(read, session)
    view = found.view
    asked = request.query_params.get("days", "180")
    days = int(asked) if asked in [str(d) for d in DEAD_DAYS] else 180
    may = found.may(MakeOffer) and found.may(Earmark)
    names = {site.site: site.name for site in sites(view)}
    rows = [
        {
            "number": Link(d.own_number, card_address(d.own_number)), "description": d.description,
            "site": names.get(d.site, d.site),
            "lot": d.lot, "on_hand_each": d.on_hand_each, "idle_days": d.idle_days,
            "value": Money(d.value_minor, d.currency or "EUR"),
            "then": Link("Offer it", offer_address(d.own_number)) if may and d.item else
            Link("Match it", "/matching") if not d.item else None,
        }
        for d in stock.dead_stock(view, days, limit=1_000)
    ]  # fmt: skip
    if (file := exported(request, (DEAD_TABLE, rows))) is not None:
        return file
    wanted = page_borrow.wanted_of_mine(view)
    return page(
        "inventory/dead.html", title="Dead stock", crumbs=(("Stock", "/stock"),), tabs=TABS, days=days,
        choices=DEAD_DAYS, dead=stock.dead_stock_value(view, days), value=stock.stock_value(view), wanted=wanted,
        listing=table_view(request, DEAD_TABLE, rows, f"Nothing has lain still for {days} days.", ("Stock", "/stock")),
    )  # fmt: skip


@get("/stock/held", sync_to_thread=True)
def held_page(session: Reader, read: Read, places: Where) -> Template:
    """Title apart from custody: what we keep for others, what others keep for us."""
    view = home_desk(read, session).view
    here = [
        [Link(r.own_number, card_address(r.own_number)), party_link(view, places, r.owner), r.site_name, r.lot,
         r.on_hand_each, r.position]
        for r in stock.kept_for_others(view)
    ]  # fmt: skip
    there = [
        [Link(page_offers.item_words(view, h.item), places.of("item", h.item)),
         party_link(view, places, h.custodian), h.lot, h.each,
         Money((h.each - h.unvalued_each) * h.unit_cost_minor, h.currency or _own_currency(view, h.item)), h.position]
        for h in stock.held_elsewhere(view)
    ]  # fmt: skip
    lent = [
        [Link(page_offers.item_words(view, one.item), places.of("item", one.item)),
         party_link(view, places, one.borrower), Link(one.order, places.of("order", one.order)), one.out, one.on_way,
         Money((one.out + one.on_way) * one.unit_price_minor, one.currency), one.position]
        for one in market.lent(view)
    ]  # fmt: skip
    return page(
        "inventory/held.html", title="Held elsewhere, kept for others", crumbs=(("Stock", "/stock"),), tabs=TABS,
        here=here, there=there, lent=lent,
    )  # fmt: skip


def _own_currency(view: View, item: str) -> str:
    """The currency in which the firm keeps the cost of an item's goods."""
    own = own_item(view, own_number_of(view, item))
    return (own.currency if own else "") or "EUR"


NAV = [Entry("Stock", "/stock", "Stock", STORE), *page_offers.NAV, *page_borrow.NAV, *page_transfers.NAV]
PAGES: list[Any] = [
    stock_page, dead_page, held_page, *page_card.PAGES, *page_offers.PAGES, *page_borrow.PAGES, *page_transfers.PAGES,
]  # fmt: skip
