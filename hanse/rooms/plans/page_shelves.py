"""Pages beside the plans: the forecast of one own number, what to order now, service under shocks, pooling studies."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response, Template

from hanse.importers.safe import guarded
from hanse.kernel.refusal import Refused
from hanse.node.buying import buy
from hanse.node.desk import Desk
from hanse.node.planning_stock import WEEK, Shelf, Shelves, shelves
from hanse.node.proposing import Choice, Wish, WishLine
from hanse.rooms.catalog.facts import OWN_ITEMS
from hanse.rooms.inventory.offer_queries import OfferCard, offers_of_item
from hanse.rooms.orders.facts import DeliverTo
from hanse.rooms.parties.queries import sites
from hanse.site.desks import desk
from hanse.site.menu import STORE, TRADE, Entry
from hanse.site.pages_forms import Fields, Given, attempt, exported, table_view, tail
from hanse.web import Bulk, Column, Link, Money, Read, Reader, Refusal, Session, Table, go, needs_role, not_here, page
from hanse.web.charts import Chart, Series, band, bars

FORECAST = "/plans/forecast/"
TABS = (
    ("Plans", "/plans"),
    ("Replenishment", "/plans/replenish"),
    ("Shocks", "/plans/shocks"),
    ("Pooling studies", "/plans/studies"),
)
HISTORY_SHOWN = 26
SHOCKS_SHOWN = 20
MEMBERS_SHOWN = 60
STUDIES = "studies"
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,80}$")
REPLENISH_TABLE = Table(
    "replenish",
    (
        Column("number", "Own number", "link", sortable=True),
        Column("description", "Description"),
        Column("position", "Free and coming", "quantity", sortable=True),
        Column("reorder", "Order at", "quantity", sortable=True),
        Column("order", "Order now", "quantity", sortable=True),
        Column("source", "From", sortable=True),
        Column("value", "Money", "money", sortable=True),
    ),
    sort="-value",
    search="Own number or description",
    bulk=(Bulk("Order the ticked", "/plans/replenish/accept"), Bulk("List of the ticked", "/plans/replenish/list")),
)
WAITS = {
    "working": "The forecast is being calculated from your own movements. It takes some seconds.",
    "too_little": "There are fewer than eight whole weeks of sales: too little for a forecast.",
    "failed": "The forecast could not be calculated.",
}


# -- the forecast of one own number --------------------------------------------------------------------------------


@get(FORECAST + "{number:path}", sync_to_thread=True)
def forecast_panel(request: Request[Any, Any, Any], session: Reader, read: Read) -> Template:
    """What will be asked, with its range, and the levels to reorder and to lend: a part of the stock card."""
    needs_role(session, *STORE)
    number = tail(request, FORECAST)
    found = desk(read, session)
    if found.view.get(OWN_ITEMS, found.view.home, number) is None:
        raise not_here()
    job = shelves(read, session.party)
    shelf = job.by_number.get(number)
    return page(
        "plans/forecast_panel.html", title="Forecast", crumbs=(("Stock", "/stock"),), number=number, state=job.state,
        words=WAITS.get(job.state, "No sales in the last two years: nothing to forecast."), shelf=shelf,
        chart=_chart(job.found, shelf) if job.found and shelf else None,
        assumed=job.found.assumed if job.found else None, address=request.url.path,
    )  # fmt: skip


def _chart(found: Shelves, shelf: Shelf) -> Chart:
    past = shelf.history[-HISTORY_SHOWN:]
    first = found.first_week + (len(shelf.history) - len(past)) * WEEK
    weeks = [_day(first + k * WEEK) for k in range(len(past) + len(shelf.median))]
    none: list[float | None] = [None] * len(past)
    ahead: list[float | None] = [None] * len(shelf.median)
    note = f"Expected is the middle; in eight weeks of ten demand lies in the range. Best method: {shelf.champion}."
    return band(
        "Demand by week", weeks, [*past, *ahead], [*none, *_tenths(shelf.low)], [*none, *_tenths(shelf.median)],
        [*none, *_tenths(shelf.high)], unit="each", note=note, names=("Sold", "Low", "Expected", "High"),
    )  # fmt: skip


def _tenths(values: list[float]) -> list[float]:
    return [round(value, 1) for value in values]


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


# -- what to order now ---------------------------------------------------------------------------------------------


def _cheapest(found: Desk, shelf: Shelf) -> OfferCard | None:
    """The cheapest offer that has all of what is to be ordered, in its packs."""
    for card in offers_of_item(found.view, shelf.item) if shelf.item else ():
        fits = shelf.order_each % max(1, card.pack_each) == 0 and shelf.order_each >= card.minimum_each
        if fits and card.open_each >= shelf.order_each and card.currency == shelf.currency:
            return card
    return None


def _proposed(found: Desk, known: Shelves) -> list[tuple[Shelf, OfferCard | None]]:
    return [(one, _cheapest(found, one)) for one in known.shelves if one.order_each > 0]


def _row(shelf: Shelf, card: OfferCard | None) -> dict[str, Any]:
    price = card.unit_price_minor if card else shelf.cost_minor
    return {
        "id": shelf.own_number, "number": Link(shelf.own_number, f"/stock/card/{shelf.own_number}"),
        "description": shelf.description, "position": shelf.position_each, "reorder": shelf.reorder_each,
        "order": shelf.order_each, "source": f"{card.party_name}, {card.city}" if card else "your supplier",
        "value": Money(price * shelf.order_each, shelf.currency),
    }  # fmt: skip


@get("/plans/replenish", sync_to_thread=True)
def replenish(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """What has fallen to its reorder level, how many to order, and from whom."""
    needs_role(session, *TRADE)
    return _replenish(request, session, desk(read, session))


def _replenish(
    request: Request[Any, Any, Any], session: Session, found: Desk, *, status: int = 200, refusal: Any = None
) -> Any:
    job = shelves(found.node, session.party)
    proposed = _proposed(found, job.found) if job.found else []
    rows = [_row(*one) for one in proposed]
    if (file := exported(request, (REPLENISH_TABLE, rows))) is not None:
        return file
    total: dict[str, int] = {}
    for shelf, card in proposed:
        price = card.unit_price_minor if card else shelf.cost_minor
        total[shelf.currency] = total.get(shelf.currency, 0) + price * shelf.order_each
    return page(
        "plans/replenish.html", title="Replenishment", status=status, tabs=TABS, at="/plans/replenish", job=job,
        words=WAITS.get(job.state, ""), refusal=refusal, total=sorted(total.items()), lines=len(rows),
        offered=sum(card is not None for _, card in proposed), may=found.may("orders.place"),
        listing=table_view(request, REPLENISH_TABLE, rows, "Nothing has fallen to its reorder level."),
    )  # fmt: skip


def _ticked(found: Desk, session: Session, given: Given) -> list[tuple[Shelf, OfferCard | None]]:
    """The ticked proposals. Refuses: form.missing (none is ticked, or none of them is proposed any more)."""
    known = shelves(found.node, session.party).found
    names = set(given.many("id"))
    chosen = [one for one in _proposed(found, known) if one[0].own_number in names] if known else []
    if not chosen:
        raise Refusal("form.missing", "Tick at least one line.")
    return chosen


@post("/plans/replenish/accept", sync_to_thread=True)
def accept(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """Order the ticked lines from those who offer them; one purchase, one order a seller."""
    needs_role(session, *TRADE)
    found = desk(read, session)

    def act() -> Any:
        offered = [(shelf, card) for shelf, card in _ticked(found, session, Given(data)) if card is not None]
        if not offered:
            raise Refusal("plans.not_offered", "Nobody offers these to you.", next="Make a list for your supplier.")
        own = next(iter(sites(found.view)), None)
        if own is None:
            raise Refused("buying.no_place", "say where it should go", next="add a site of yours")
        to = DeliverTo(site=own.site, country=own.country, city=own.city, latitude_microdeg=own.latitude_microdeg,
                       longitude_microdeg=own.longitude_microdeg)  # fmt: skip
        orders = []
        for currency in sorted({card.currency for _, card in offered}):
            mine = [(n, s, c) for n, (s, c) in enumerate(offered, 1) if c.currency == currency]
            wish = Wish(lines=tuple(WishLine(n, c.item, s.order_each) for n, s, c in mine), to=to, currency=currency)
            chosen = [Choice(n, c.offer, s.order_each, c.unit_price_minor) for n, s, c in mine]
            orders += [one.order for one in buy(found, wish, chosen).orders]
        return go("/orders", notice=f"{len(orders)} {'order' if len(orders) == 1 else 'orders'} placed.")

    return attempt(act, lambda status, refusal: _replenish(request, session, found, status=status, refusal=refusal))


@post("/plans/replenish/list", sync_to_thread=True)
def make_list(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """The ticked lines as a file for a supplier or the firm's own system."""
    needs_role(session, *TRADE)
    found = desk(read, session)

    def act() -> Any:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(("own_number", "description", "quantity_each"))
        for shelf, _ in _ticked(found, session, Given(data)):
            writer.writerow([guarded(text) for text in (shelf.own_number, shelf.description, str(shelf.order_each))])
        headers = {"Content-Disposition": 'attachment; filename="replenishment.csv"'}
        return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)

    return attempt(act, lambda status, refusal: _replenish(request, session, found, status=status, refusal=refusal))


# -- shocks --------------------------------------------------------------------------------------------------------


@get("/plans/shocks", sync_to_thread=True)
def shocks(session: Reader, read: Read) -> Template:
    """The last quarter lived through again with suppliers late and demand surging."""
    needs_role(session, *TRADE)
    job = shelves(read, session.party)
    struck = job.found.shocks[:SHOCKS_SHOWN] if job.found else []
    chart = None
    if struck:
        chart = bars(
            "Served at once, the worst shocks first", [f"{k}" for k in range(1, len(struck) + 1)],
            [Series("Forecast levels", [round(100 * one.fill_forecast, 1) for one in struck], tone="good"),
             Series("Twice the mean", [round(100 * one.fill_habit, 1) for one in struck], tone="quiet")],
            unit="%", note="Numbers are those of the table below.",
        )  # fmt: skip
    rows = [[str(k), one.what, round(1e6 * one.fill_forecast), round(1e6 * one.fill_habit)]
            for k, one in enumerate(struck, 1)]  # fmt: skip
    return page(
        "plans/shocks.html", title="Service under shocks", tabs=TABS, at="/plans/shocks", job=job, found=job.found,
        words=WAITS.get(job.state, ""), chart=chart, rows=rows,
        unit=job.found.shelves[0].currency if job.found and job.found.shelves else "EUR",
    )  # fmt: skip


# -- studies -------------------------------------------------------------------------------------------------------


@get("/plans/studies", sync_to_thread=True)
def studies(session: Reader, read: Read) -> Template:
    """The pooling studies that were kept for this firm."""
    needs_role(session, *TRADE)
    folder = read.directory / STUDIES / session.party
    names = sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []
    rows = []
    for name in names:
        figures = _study(read, session.party, name)
        if figures is not None:
            saved = figures["total"].get("cost_saved_share", {}).get("value")
            rows.append([Link(name, f"/plans/studies/{name}"), len(figures["members"]), figures["items"],
                         round(1e6 * saved) if saved is not None else None,
                         "simulated split" if figures["simulated"] else "members' exports"])  # fmt: skip
    return page("plans/studies.html", title="Pooling studies", tabs=TABS, at="/plans/studies", rows=rows)


def _study(read: Any, party: str, name: str) -> dict[str, Any] | None:
    path = read.directory / STUDIES / party / f"{name}.json"
    if not NAME.match(name) or not path.is_file():
        return None
    try:
        found: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    except msgspec.DecodeError:
        return None
    return found


@get("/plans/studies/{name:str}", sync_to_thread=True)
def one_study(session: Reader, read: Read, name: FromPath[str]) -> Template:
    """Alone against pooled on the same weeks, and what each member gains."""
    needs_role(session, *TRADE)
    figures = _study(read, session.party, name)
    if figures is None:
        raise not_here()
    unit = figures["currency"]
    policies = [
        [label, round(1e6 * one["fill_rate"]), round(1e6 * one["fill_rate_shock"]), Money(one["stock_minor"], unit),
         Money(one["cost_minor"], unit), one["transfers"]]
        for label, one in (("Alone", figures["policies"]["alone"]), ("Lending", figures["policies"]["lending"]),
                           ("Pooled", figures["policies"]["pooled"]))
    ]  # fmt: skip
    ranked = sorted(figures["members"], key=lambda one: (-one["gain_minor"], one["name"]))[:MEMBERS_SHOWN]
    members = [
        [one["name"], _ppm(one["fill_rate_alone"]), _ppm(one["fill_rate_pooled"]), Money(one["cost_alone_minor"], unit),
         Money(one["charge_minor"], unit), Money(one["gain_minor"], unit), one["lent_each"], one["borrowed_each"]]
        for one in ranked
    ]  # fmt: skip
    chart = bars("What each member gains", [one["name"] for one in ranked],
                 [Series("Gain", [round(one["gain_minor"] / 100) for one in ranked], tone="good")], unit=unit,
                 horizontal=True)  # fmt: skip
    items = [[one["item"], "pool it" if one["pool"] else "keep it", Money(one["saved_minor"], unit), one["reason"]]
             for one in figures["item_gains"][:30]]  # fmt: skip
    return page(
        "plans/study.html", title=f"Study {name}", crumbs=(("Pooling studies", "/plans/studies"),), f=figures,
        unit=unit, policies=policies, members=members, chart=chart, items=items,
        saved=figures["total"].get("cost_saved_share"), pooled=figures["policies"]["pooled"],
        alone=figures["policies"]["alone"],
    )  # fmt: skip


def _ppm(value: float | None) -> int | None:
    return None if value is None else round(1e6 * value)


NAV = [Entry("Replenishment", "/plans/replenish", "Stock", TRADE)]
PAGES: list[Any] = [forecast_panel, replenish, accept, make_list, shocks, studies, one_study]
