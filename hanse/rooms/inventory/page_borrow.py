"""Borrow and lend: a map of who has what we may see, our shortages and idle stock, and what fits, in money."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from litestar import Request, get, post
from litestar.response import Response, Template

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.catalog import queries as catalog
from hanse.rooms.inventory import offer_queries as offering
from hanse.rooms.inventory import queries as stock
from hanse.rooms.inventory.facts import STOCK
from hanse.rooms.inventory.offer_facts import WANTS, MakeOffer, Want, WithdrawWant
from hanse.rooms.inventory.page_offers import (
    audience_words,
    card_address,
    home_desk,
    item_name,
    offer_address,
    offer_page_address,
    partner_options,
    party_link,
)
from hanse.rooms.parties.facts import SITES
from hanse.rooms.parties.queries import party
from hanse.site.menu import STORE, Entry
from hanse.site.pages_forms import Fields, Given, Where, attempt, day_after, exported, table_view
from hanse.site.places import Places
from hanse.web import Badge, Column, Link, Money, Read, Reader, Refusal, Table, go, page
from hanse.web.charts import Chart, Flow, Point, world

DEAD_DAYS = 180
DEAD_MAX = 10_000
OFFERS_MAX = 1_000
FLOWS_MAX = 24
BORROW = Table(
    id="borrow",
    prefix="b-",
    columns=(
        Column("number", "Item", "link", sortable=True, wide=True),
        Column("short", "You are short", "quantity", unit="each", sortable=True),
        Column("party", "Who has it", "link", sortable=True, filterable=True),
        Column("place", "Where"),
        Column("kind", "How", "badge", filterable=True, facets=("borrow", "buy")),
        Column("open_each", "Up to", "quantity", unit="each", sortable=True),
        Column("price", "Price of one", "money"),
        Column("value", "Money in it", "money", sortable=True),
        Column("then", "Do", "link"),
    ),
    sort="-value",
)
LEND = Table(
    id="lend",
    prefix="l-",
    columns=(
        Column("number", "Own number", "link", sortable=True, wide=True),
        Column("description", "Item"),
        Column("party", "Who wants it", "link", sortable=True, filterable=True),
        Column("place", "Where", shown=False),
        Column("kind", "How", "badge", filterable=True, facets=("to borrow", "to buy")),
        Column("each", "Wanted", "quantity", unit="each", sortable=True),
        Column("free_each", "You have free", "quantity", unit="each", sortable=True),
        Column("idle", "Lain still", "quantity", unit="days", sortable=True, shown=False),
        Column("value", "Money in it", "money", sortable=True),
        Column("then", "Do", "link"),
    ),
    sort="-value",
)


def wanted_of_mine(view: View) -> int:
    """How many wants were told to the reader of which it has goods free."""
    return len(offering.lend_matches(view))


def place_words(*parts: str) -> str:
    """City and country in one text."""
    return ", ".join(part for part in parts if part)


def _cost(view: View, own_number: str) -> Money:
    """What one each of an own number cost, in the number's currency where such a cost is known."""
    own = catalog.own_item(view, own_number)
    return Money(*stock.cost_of_one(stock.stock_of_number(view, own_number), (own.currency if own else "") or "EUR"))


def _borrow_rows(view: View, places: Places, matches: list[offering.BorrowMatch]) -> list[dict[str, Any]]:
    rows = []
    for match in matches:
        offer = match.offer
        each = min(match.short_each, offer.open_each)
        known = Link(match.own_number, card_address(match.own_number)) if match.own_number else None
        then = (
            Link("Borrow", f"{offer_page_address(offer.offer)}?{urlencode({'n': each})}#take")
            if offer.offer_kind == "lend"
            else Link("Order", f"/find?{urlencode({'i': offer.item, 'n': each})}")
        )
        rows.append(
            {
                "number": known or Link(offer.description or offer.item, places.of("item", offer.item)),
                "short": match.short_each, "party": Link(offer.party_name, places.of("party", offer.party)),
                "place": place_words(offer.city, offer.country),
                "kind": Badge("borrow", "info") if offer.offer_kind == "lend" else Badge("buy"),
                "open_each": offer.open_each, "price": Money(offer.unit_price_minor, offer.currency),
                "value": Money(each * offer.unit_price_minor, offer.currency), "then": then,
            }
        )  # fmt: skip
    return rows


def _lend_rows(found: Desk, places: Places, matches: list[offering.LendMatch]) -> list[dict[str, Any]]:
    rows = []
    idle = {dead.own_number: dead.idle_days for dead in stock.dead_stock(found.view, DEAD_DAYS, limit=DEAD_MAX)}
    for match in matches:
        want = match.want
        cost = _cost(found.view, match.own_number)
        rows.append(
            {
                "number": Link(match.own_number, card_address(match.own_number)),
                "description": want.description,
                "party": Link(want.party_name, places.of("party", want.party)),
                "place": place_words(want.city, want.country),
                "kind": Badge("to borrow", "info") if want.borrow else Badge("to buy"), "each": want.each,
                "free_each": match.free_each, "idle": idle.get(match.own_number),
                "value": Money(min(want.each, match.free_each) * cost.minor, cost.currency),
                "then": Link("Offer it", offer_address(match.own_number)) if found.may(MakeOffer) else None,
            }
        )  # fmt: skip
    return rows


def sums(amounts: Iterable[Money]) -> list[Money]:
    """Amounts added up, one a currency, in order of currency."""
    totals: dict[str, int] = {}
    for amount in amounts:
        totals[amount.currency] = totals.get(amount.currency, 0) + amount.minor
    return [Money(totals[currency], currency) for currency in sorted(totals)]


# -- the map -------------------------------------------------------------------------------------------------------


def _map(
    view: View, cards: list[offering.OfferCard], borrow: list[offering.BorrowMatch], lend: list[offering.LendMatch]
) -> Chart | None:
    """Own sites, others' places with what they offer or want, and what could flow between them."""
    points, own_names = _own_points(view)
    names: dict[tuple[str, str], str] = {}
    lines: dict[str, int] = {}
    for card in cards:
        if card.latitude_microdeg or card.longitude_microdeg:
            name = names.setdefault((card.party, card.city), f"{card.party_name}, {card.city}")
            lines[name] = lines.get(name, 0) + 1
            points[name] = Point(
                name, card.latitude_microdeg / 1e6, card.longitude_microdeg / 1e6, lines[name], "lines offered to you",
                href=f"/offers?{urlencode({'t-f.party': card.party_name})}",
            )  # fmt: skip
    for match in lend:
        want = match.want
        name = names.setdefault((want.party, want.city), f"{want.party_name}, {want.city}")
        if name not in points and (want.latitude_microdeg or want.longitude_microdeg):
            points[name] = Point(
                name, want.latitude_microdeg / 1e6, want.longitude_microdeg / 1e6, 1, "lines wanted", href="/borrow"
            )
    if not points:
        return None
    flows = _flows(names, own_names, points, borrow, lend)
    note = "Red: a site that is short. Amber: goods there have lain still for 180 days. Arrows: what would fit."
    return world("Who has what", list(points.values()), flows, unit="each", note=note)


def _own_points(view: View) -> tuple[dict[str, Point], list[str]]:
    """Own sites; the one with the most lines first."""
    short = {row.site for row in view.rows(STOCK, "circle = ? AND short_each > 0", (view.home,))}
    idle = {dead.site for dead in stock.dead_stock(view, DEAD_DAYS, limit=1_000)}
    points, names = {}, []
    for site in sorted(stock.site_stock(view), key=lambda s: (-s.lines, s.site)):
        if not (site.latitude_microdeg or site.longitude_microdeg):
            continue
        name = f"You, {site.name}" if site.name not in names else f"You, {site.site}"
        tone = "bad" if site.site in short else "warn" if site.site in idle else "good"
        points[name] = Point(
            name, site.latitude_microdeg / 1e6, site.longitude_microdeg / 1e6, site.lines, "lines in stock", tone,
            "/stock",
        )  # fmt: skip
        names.append(name)
    return points, names


def _flows(
    names: dict[tuple[str, str], str], own: list[str], points: dict[str, Point],
    borrow: list[offering.BorrowMatch], lend: list[offering.LendMatch],
) -> list[Flow]:  # fmt: skip
    if not own:
        return []
    flows: dict[tuple[str, str], int] = {}
    for match in borrow:
        start = names.get((match.offer.party, match.offer.city), "")
        if start in points:
            key = (start, own[0])
            flows[key] = flows.get(key, 0) + min(match.short_each, match.offer.open_each)
    for one in lend:
        end = names.get((one.want.party, one.want.city), "")
        if end in points:
            key = (own[0], end)
            flows[key] = flows.get(key, 0) + min(one.want.each, one.free_each)
    most = sorted(flows.items(), key=lambda pair: (-pair[1], pair[0]))[:FLOWS_MAX]
    return [Flow(start, end, each, "to you" if end == own[0] else "from you") for (start, end), each in most]


# -- pages ---------------------------------------------------------------------------------------------------------


@get("/borrow", sync_to_thread=True)
def borrow_page(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where) -> Any:
    """The map, what fits, and who wants what."""
    return _page(request, home_desk(read, session), places)


def _page(
    request: Request[Any, Any, Any], found: Desk, places: Places, status: int = 200, refusal: Any = None,
    given: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    view = found.view
    borrow, lend = offering.borrow_matches(view), offering.lend_matches(view)
    borrow_rows, lend_rows = _borrow_rows(view, places, borrow), _lend_rows(found, places, lend)
    if (file := exported(request, (BORROW, borrow_rows), (LEND, lend_rows))) is not None:
        return file
    cards = offering.offers(view, limit=OFFERS_MAX)
    asked = request.query_params.get("number", "")
    return page(
        "inventory/borrow.html", title="Borrow and lend", status=status, refusal=refusal, given=given or {},
        chart=_map(view, cards, borrow, lend), borrow_money=sums(row["value"] for row in borrow_rows),
        lend_money=sums(row["value"] for row in lend_rows), dead=stock.dead_stock_value(view, DEAD_DAYS),
        borrow=table_view(request, BORROW, borrow_rows, "You are short of nothing that somebody offers to you."),
        lend=table_view(request, LEND, lend_rows, "Nobody has asked for anything that you have free."),
        mine=_wants(view, places, mine=True), others=_wants(view, places, mine=False), may=found.may(Want),
        audiences=partner_options(view), until=day_after(view.now, 14), asked=asked,
    )  # fmt: skip


def _wants(view: View, places: Places, *, mine: bool) -> list[dict[str, Any]]:
    return [
        {
            "want": w.want, "item": Link(item_name(view, w.item), places.of("item", w.item)), "each": w.each,
            "how": "to borrow" if w.borrow else "to buy", "party": party_link(view, places, w.party),
            "audience": audience_words(view, w.circle), "note": w.note, "circle": w.circle,
            "place": place_words(w.city, w.country),
        }
        for w in offering.wants(view, mine=mine)
    ]  # fmt: skip


@post("/borrow/want", sync_to_thread=True)
def ask(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Tell a partner or a group what we would borrow or buy."""
    given, found = Given(data), home_desk(read, session)

    def act() -> Response[Any]:
        view = found.view
        asked = given.text("item", "Item", required=True)
        item = catalog.item_by_any(view, asked)
        if item is None:
            raise Refusal(
                "catalog.unknown_item", "The catalogue has no such item.", got=asked,
                next="Give your own number, a GTIN, or brand and part number.",
            )  # fmt: skip
        own = view.rows(SITES, "circle = ?", (view.home,), limit=1)
        place = own[0] if own else None
        profile = party(view, view.party)
        fact = Want(
            circle=given.choice("circle", "Whom to ask", [c for c, _ in partner_options(view)]),
            want=found.node.wallet.new_id("want")[:16], expires_at=given.day_end("until", "Until"), item=item.item,
            each=given.whole("each", "Quantity", low=1), borrow=given.flag("borrow"),
            country=place.country if place else profile.country if profile else "DE",
            city=place.city if place else profile.city if profile else "",
            latitude_microdeg=place.latitude_microdeg if place else 0,
            longitude_microdeg=place.longitude_microdeg if place else 0, note=given.text("note", "Note"),
        )  # fmt: skip
        found.do(fact)
        return go("/borrow", notice="Asked.")

    def again(status: int, refusal: Any) -> Template:
        shown: Template = _page(request, found, places, status, refusal, data)
        return shown

    return attempt(act, again)


@post("/borrow/unwant", sync_to_thread=True)
def take_back(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """Take a want back."""
    given, found = Given(data), home_desk(read, session)
    want = given.text("want", required=True, most=80)
    row = found.view.get(WANTS, want)
    found.do(WithdrawWant(circle=row.circle if row else "none", want=want))
    return go("/borrow", notice="Taken back.")


NAV = [Entry("Borrow and lend", "/borrow", "Stock", STORE)]
PAGES: list[Any] = [borrow_page, ask, take_back]
