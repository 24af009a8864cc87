"""Items: the list, one item under all its numbers, who offers it, and the forms of its steward and of a buyer."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlencode

from litestar import Request, get, post
from litestar.response import Response, Template

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.catalog import page_matching, page_own
from hanse.rooms.catalog import queries as catalog
from hanse.rooms.catalog.facts import (
    ITEMS,
    OWN_ITEMS,
    ApproveSubstitute,
    Item,
    JudgeSubstitute,
    LinkItem,
    Pack,
    PublishItem,
    Supersede,
)
from hanse.rooms.catalog.rules import part_key
from hanse.rooms.parties.queries import party
from hanse.site import pages_market as market
from hanse.site.desks import desk
from hanse.site.menu import STORE, Entry
from hanse.site.pages_forms import Fields, Given, Where, address, attempt, tail
from hanse.site.places import Places
from hanse.standards.gtin import GtinError, normalise
from hanse.web import (
    Badge,
    Column,
    Found,
    Link,
    ListQuery,
    Money,
    Read,
    Reader,
    Refusal,
    Table,
    go,
    listing,
    not_here,
    page,
)

ITEM = "/items/"
PACKS = {"BX": "box", "CT": "carton", "PK": "pack", "PA": "packet", "BG": "bag", "PF": "pallet", "RO": "roll"}
ITEM_TABLE = Table(
    id="items",
    columns=(
        Column("name", "Item", "link", wide=True),
        Column("brand", "Brand"),
        Column("part_number", "Part number"),
        Column("gtin", "GTIN"),
        Column("category", "Category", filterable=True),
        Column("own", "Your number", "link"),
        Column("item", "Id", shown=False),
    ),
    page_rows=50,
    search="Own number, GTIN, brand, part number or words",
)


def item_address(item: str) -> str:
    """Where an item is shown."""
    return address(ITEM, item)


# -- the list ------------------------------------------------------------------------------------------------------


def _rows(view: View, query: ListQuery) -> tuple[list[catalog.Found], str | None, int | None]:
    """A page of items: all by id, or those that a text or category finds (the first thousand)."""
    category = query.filters["category"].text if "category" in query.filters else ""
    if query.text or category:
        start = int(query.cursor) if query.cursor and query.cursor.isdigit() else 0
        found = catalog.search(view, query.text, category=category, limit=1_000)
        end = start + query.limit
        return found[start:end], str(end) if end < len(found) else None, len(found)
    rows = view.rows(ITEMS, "item > ?", (query.cursor or "",), limit=query.limit + 1)
    shown = [
        catalog.Found(
            r.item, catalog.own_number_of(view, r.item) if view.home else "", r.description, r.brand, r.part_number,
            r.gtin, r.category,
        )
        for r in rows[: query.limit]
    ]  # fmt: skip
    return shown, shown[-1].item if len(rows) > query.limit else None, view.count(ITEMS)


@get("/items", sync_to_thread=True)
def items_page(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where) -> Any:
    """Everything that is published, found by any number or words."""
    found = desk(read, session)
    view = found.view

    def fetch(query: ListQuery) -> Found:
        rows, more, total = _rows(view, query)
        return Found([_row(row, places) for row in rows], more, total)

    return listing(
        request, ITEM_TABLE, fetch, template="catalog/items.html", title="Items", may=found.may(PublishItem),
        categories=catalog.categories(view), share=catalog.matching(view) if view.home else None,
        empty="No item has been published yet.", empty_next=("Publish an item", "/catalog/publish"),
    )  # fmt: skip


def _row(row: catalog.Found, places: Places) -> dict[str, Any]:
    href = item_address(row.item) if row.item else places.of("own", row.own_number)
    return {
        "name": Link(row.description or row.item or row.own_number, href), "brand": row.brand,
        "part_number": row.part_number, "gtin": row.gtin, "category": row.category, "item": row.item,
        "own": Link(row.own_number, places.of("own", row.own_number)) if row.own_number else None,
    }  # fmt: skip


# -- one item ------------------------------------------------------------------------------------------------------


def _named(view: View, item: str) -> Link:
    row = catalog.item(view, item)
    return Link(" ".join(p for p in (row.brand, row.part_number) if p) or item if row else item, item_address(item))


def _offers(view: View, places: Places, item: str) -> list[list[Any]]:
    """Who offers the item to us, lowest price first, for a table."""
    return [
        [Link(o.party_name, places.of("party", o.party)), ", ".join(p for p in (o.city, o.country) if p),
         Badge("to lend", "info") if o.offer_kind == "lend" else Badge("for sale"), o.open_each,
         Money(o.unit_price_minor, o.currency), f"{o.lead_time_days} d",
         Badge("binding", "good") if o.firm else Badge("on request"), o.position]
        for o in [*market.who_has(view, item).offers, *market.to_lend(view, item)]
    ]  # fmt: skip


def _own(view: View, places: Places, item: str) -> list[list[Any]]:
    if not view.home:
        return []
    rows = view.rows(OWN_ITEMS, "circle = ? AND item = ?", (view.home, item))
    words = page_matching.METHODS
    return [
        [Link(o.own_number, places.of("own", o.own_number)), o.description, words.get(o.method, o.method), o.position]
        for o in rows
    ]


def _item_page(
    found: Desk, places: Places, item: str, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None
) -> Template:
    view = found.view
    row = catalog.item(view, item)
    if row is None:
        raise not_here()
    have = market.who_has(view, item)
    chain = catalog.chain(view, item)
    steward = party(view, row.steward)
    mine = row.steward == view.party
    return page(
        "catalog/item.html", title=row.description or row.item, crumbs=(("Items", "/items"),), status=status,
        refusal=refusal, given=given or {}, row=row, chain=[(_named(view, one), one == item) for one in chain],
        later=_named(view, chain[-1]) if chain[-1] != item else None,
        packs=[[PACKS.get(p.code, p.code), p.each] for p in row.packs], own=_own(view, places, item),
        substitutes=[(s, _named(view, s.item)) for s in catalog.substitutes(view, item)],
        offers=_offers(view, places, item), offered_each=have.offered_each, own_free_each=have.own_free_each,
        lowest=min(((o.unit_price_minor, o.currency) for o in have.offers), default=None),
        steward=Link(steward.name if steward else row.steward, places.of("party", row.steward)),
        mine=mine and found.may(PublishItem), may_judge=bool(view.home) and found.may(JudgeSubstitute),
        order_href=f"/find?{urlencode({'i': item, 'n': 1})}", may_order=found.may("orders.place"),
        edit_href=f"/catalog/publish?{urlencode({'item': item})}",
        about_href=places.of("about", item) if view.home else "",
    )  # fmt: skip


@get(ITEM + "{item:path}", sync_to_thread=True)
def item_page(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where) -> Template:
    """One item under all its numbers, with who has it."""
    return _item_page(desk(read, session), places, tail(request, ITEM))


def _about_item(read: Any, session: Any, places: Places, data: Any, make: Any, done: str) -> Any:
    """Sign what a form of an item's page says, and show the page again."""
    given, found = Given(data), desk(read, session)
    item = given.text("item", "Item", required=True, most=80)

    def act() -> Response[Any]:
        found.do(make(found.view, given, item))
        return go(item_address(item), notice=done)

    return attempt(act, lambda status, refusal: _item_page(found, places, item, status, refusal, data))


def _other(view: View, given: Given, name: str, label: str) -> str:
    """The id of an item that a form names by any of its numbers. Refuses: catalog.unknown_item."""
    asked = given.text(name, label, required=True)
    found = catalog.item_by_any(view, asked)
    if found is None:
        raise Refusal("catalog.unknown_item", f"{label}: the catalogue has no such item.", got=asked)
    return found.item


@post("/catalog/supersede", sync_to_thread=True)
def supersede(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """The steward names what comes after an item, or takes it back."""

    def make(view: View, given: Given, item: str) -> Supersede:
        return Supersede(item=item, by=_other(view, given, "by", "Followed by") if given.text("by") else "")

    return _about_item(read, session, places, data, make, "Saved.")


@post("/catalog/substitute", sync_to_thread=True)
def approve(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """The steward approves a substitute, or takes it back."""

    def make(view: View, given: Given, item: str) -> ApproveSubstitute:
        return ApproveSubstitute(
            item=item, substitute=_other(view, given, "substitute", "Substitute"), both_ways=given.flag("both_ways"),
            approved=not given.flag("withdraw"),
        )  # fmt: skip

    return _about_item(read, session, places, data, make, "Saved.")


@post("/catalog/judge", sync_to_thread=True)
def judge(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """A buyer says at home whether it takes a substitute."""

    def make(view: View, given: Given, item: str) -> JudgeSubstitute:
        return JudgeSubstitute(
            circle=view.home, item=item, substitute=_other(view, given, "substitute", "Substitute"),
            allow=given.choice("allow", "Answer", ("yes", "no")) == "yes",
        )  # fmt: skip

    return _about_item(read, session, places, data, make, "Saved.")


# -- publishing ----------------------------------------------------------------------------------------------------


def _publish_page(
    found: Desk, item: str, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None, own: str = ""
) -> Template:
    row = catalog.item(found.view, item) if item else None
    if row is not None and row.steward != found.view.party:
        raise not_here()
    start = given if given is not None else _start(row) if row else _start_own(found.view, own)
    return page(
        "catalog/publish.html", title="Change an item" if row else "Publish an item", status=status,
        crumbs=(("Items", "/items"),), refusal=refusal, given=start, row=row,
        packs=[("", "none"), *[(code, f"{words} ({code})") for code, words in PACKS.items()]],
    )  # fmt: skip


def _start(row: Item | None) -> dict[str, str]:
    if row is None:
        return {}
    given = {
        name: str(getattr(row, name))
        for name in ("item", "description", "brand", "part_number", "gtin", "category", "about", "weight_g")
    }
    for n, pack in enumerate(row.packs[:2], 1):
        given |= {f"pack{n}": pack.code, f"pack{n}_each": str(pack.each)}
    return given


def _start_own(view: View, own_number: str) -> dict[str, str]:
    """A new item out of what the firm's own number says of itself."""
    own = view.get(OWN_ITEMS, view.home, own_number) if own_number and view.home else None
    if own is None:
        return {}
    return {
        name: getattr(own, name) for name in ("own_number", "description", "brand", "part_number", "gtin", "category")
    }


@get("/catalog/publish", sync_to_thread=True)
def publish_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Template:
    """The form of a new item, filled from our own number where one is named, or of an item that we steward."""
    found = desk(read, session)
    if not found.may(PublishItem):
        raise not_here()
    asked = request.query_params
    return _publish_page(found, asked.get("item", ""), own=asked.get("own", ""))


@post("/catalog/publish", sync_to_thread=True)
def publish(session: Reader, read: Read, data: Fields) -> Any:
    """Publish an item for everybody, or change it; the own number that it was made of is matched to it."""
    given, found = Given(data), desk(read, session)
    item, own = given.text("item", most=80), given.text("own_number", most=80)

    def act() -> Response[Any]:
        fact = _published(found, given, item)
        found.do(fact)
        if own and found.view.get(OWN_ITEMS, found.view.home, own) is not None:
            found.do(LinkItem(circle=found.view.home, own_number=own, item=fact.item, method="own"))
            return go("/matching", notice=f"Published, and matched to {own}.")
        return go(item_address(fact.item), notice="Published.")

    return attempt(act, lambda status, refusal: _publish_page(found, item, status, refusal, data))


def _published(found: Desk, given: Given, item: str) -> PublishItem:
    """What the form says. Refuses, in order: as `Given`; catalog.bad_gtin."""
    gtin, brand, part = given.text("gtin"), given.text("brand"), given.text("part_number")
    try:
        gtin = normalise(gtin) if gtin else ""
    except GtinError as error:
        raise Refusal("catalog.bad_gtin", "This is not a GTIN.", got=gtin, expected=str(error)) from None
    row = catalog.item(found.view, item) if item else None
    key = f"gtin:{gtin}" if gtin else f"part:{part_key(brand, part)}"
    packs = [
        Pack(code=given.text(f"pack{n}"), each=given.whole(f"pack{n}_each", "Pack", low=1, high=10**9))
        for n in (1, 2)
        if given.text(f"pack{n}")
    ]
    return PublishItem(
        item=row.item if row else f"i-{hashlib.sha256(key.encode()).hexdigest()[:16]}",
        description=given.text("description", "Description", required=True), gtin=gtin, brand=brand, part_number=part,
        category=given.text("category", "Category"), base_unit=row.base_unit if row else "H87",
        weight_g=given.whole("weight_g", "Weight", high=10**10, default=0),
        packs=packs + list(row.packs[2:] if row else ()), about=given.text("about", "About", most=8_000),
    )  # fmt: skip


NAV = [Entry("Items", "/items", "Catalogue", STORE), *page_matching.NAV]
PAGES: list[Any] = [
    items_page, item_page, supersede, approve, judge, publish_page, publish, *page_matching.PAGES,
    *page_own.PAGES,
]  # fmt: skip
