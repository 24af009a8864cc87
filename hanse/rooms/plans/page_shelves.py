"""Pages of a firm's own shelves: the forecast of one own number with its levels, and the shock board."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from litestar import Request, get
from litestar.response import Template

from hanse.node.planning_shelf import WEEK, Shelf, Shelves, Struck
from hanse.node.planning_stock import shelves
from hanse.rooms.catalog.facts import OWN_ITEMS
from hanse.site.desks import desk
from hanse.site.menu import STORE, TRADE
from hanse.site.pages_forms import address, tail
from hanse.web import Money, Read, Reader, needs_role, not_here, page
from hanse.web.charts import Chart, Series, band, bars, line
from hanse.web.formats import DECIMALS

FORECAST = "/plans/forecast/"
TABS = (
    ("Plans", "/plans"),
    ("Replenishment", "/plans/replenish"),
    ("Shocks", "/plans/shocks"),
    ("Pooling studies", "/plans/studies"),
)
HISTORY_SHOWN = 26
WAITS = {
    "working": "The forecast is being calculated from your own movements. It takes some seconds.",
    "too_little": "There are fewer than eight whole weeks of sales: too little for a forecast.",
    "failed": "The forecast could not be calculated. Load this page again in a minute: it is then calculated anew.",
}


def waiting(state: str) -> str:
    """What a page says while the shelves are not there, "" where they are."""
    return WAITS.get(state, "")


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
        "plans/forecast_panel.html", title=f"Forecast of {number}", number=number, state=job.state, shelf=shelf,
        crumbs=(("Stock", "/stock"), (number, address("/stock/card/", number))),
        words=waiting(job.state) or "No sales in the last two years: nothing to forecast.",
        charts=_charts(job.found, shelf) if job.found and shelf else (), due=_due(shelf) if shelf else "",
        assumed=job.found.assumed if job.found else None, address=address(FORECAST, number),
    )  # fmt: skip


def _charts(found: Shelves, shelf: Shelf) -> tuple[Chart, Chart]:
    """Stock against its levels, and demand with its range."""
    past = shelf.history[-HISTORY_SHOWN:]
    first = found.first_week + (len(shelf.history) - len(past)) * WEEK
    weeks = [_day(first + k * WEEK) for k in range(len(past) + len(shelf.median))]
    none: list[float | None] = [None] * len(past)
    ahead: list[float | None] = [None] * len(shelf.median)
    note = f"Expected is the middle; in eight weeks of ten demand lies in the range. Best method: {shelf.champion}."
    asked = band(
        "Demand by week", weeks, [*past, *ahead], [*none, *_tenths(shelf.low)], [*none, *_tenths(shelf.median)],
        [*none, *_tenths(shelf.high)], unit="each", note=note, names=("Sold", "Low", "Expected", "High"),
    )  # fmt: skip
    return _levels(found, shelf), asked


def _levels(found: Shelves, shelf: Shelf) -> Chart:
    """On hand at the end of each week, what is left of it where nothing comes in, and the two levels."""
    past = shelf.stock[-HISTORY_SHOWN:]
    now = found.first_week + len(shelf.history) * WEEK
    weeks = [_day(now + (k - len(past) + 1) * WEEK) for k in range(len(past) + len(shelf.used_median))]
    none: list[float | None] = [None] * (len(past) - 1)
    ahead: list[float | None] = [None] * len(shelf.used_median)
    held = float(shelf.on_hand_each)
    left = [round(max(0.0, held - used), 1) for used in shelf.used_median]
    least = [round(max(0.0, held - used), 1) for used in shelf.used_high]
    flat = [float(shelf.reorder_each)] * len(weeks), [float(shelf.lend_each)] * len(weeks)
    return line(
        "Stock and its levels", weeks,
        [Series("On hand", [*past, *ahead]), Series("Left if nothing comes", [*none, held, *left], dashed=True),
         Series("Left if much is asked", [*none, held, *least], tone="quiet", dashed=True),
         *([Series("Order at", flat[0], tone="bad")] if shelf.reorder_each >= 0 else []),
         Series("Lend above", flat[1], tone="good")],
        unit="each", note="Much: so much, or less, in nine cases of ten.",
    )  # fmt: skip


def _due(shelf: Shelf) -> str:
    """When the reorder level is reached, in words."""
    if shelf.position_each <= shelf.reorder_each:
        return "now"
    for week, used in enumerate(shelf.used_median, 1):
        if shelf.position_each - used <= shelf.reorder_each:
            return f"in about {week} {'week' if week == 1 else 'weeks'}"
    return f"not within {len(shelf.used_median)} weeks"


def _tenths(values: list[float]) -> list[float]:
    return [round(value, 1) for value in values]


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


# -- shocks --------------------------------------------------------------------------------------------------------


@get("/plans/shocks", sync_to_thread=True)
def shocks(session: Reader, read: Read) -> Template:
    """What a lost site, a late supplier or a doubled demand would have done in the last quarter."""
    needs_role(session, *TRADE)
    job = shelves(read, session.party)
    found = job.found
    unit = found.shelves[0].currency if found and found.shelves else "EUR"
    return page(
        "plans/shocks.html", title="Shock board", tabs=TABS, at="/plans/shocks", job=job, found=found, unit=unit,
        words=waiting(job.state), charts=_board(found, unit) if found and found.shocks else (),
        rows=[_struck(one, found, unit) for one in found.shocks] if found else [],
    )  # fmt: skip


def _board(found: Shelves, unit: str) -> tuple[Chart, Chart]:
    names = ["Nothing happens", *(one.label for one in found.shocks)]
    service = bars(
        "Served at once", names,
        [Series("Levels from the forecast",
                [_percent(found.calm_forecast), *(_percent(one.fill_forecast) for one in found.shocks)], tone="good"),
         Series("Twice the mean", [_percent(found.calm_habit), *(_percent(one.fill_habit) for one in found.shocks)],
                tone="quiet")],
        unit="%", horizontal=True, note="Mean over the weeks in which the shock may begin.",
    )  # fmt: skip
    whole = 10 ** DECIMALS.get(unit, 2)
    cost = bars(
        "What it would cost more", [one.label for one in found.shocks],
        [Series("Extra cost", [round(one.extra_cost_minor / whole) for one in found.shocks], tone="warn")], unit=unit,
        horizontal=True, note="Carrying, transfers and shortages over thirteen weeks, beyond those of a calm quarter.",
    )  # fmt: skip
    return service, cost


def _percent(share: float) -> float:
    return round(100 * share, 1)


def _struck(one: Struck, found: Shelves, unit: str) -> list[Any]:
    return [one.label, one.what, _ppm(one.fill_forecast), _ppm(one.worst), _ppm(one.fill_habit), one.missed_each,
            Money(one.extra_cost_minor, unit)]  # fmt: skip


def _ppm(share: float) -> int:
    return round(1e6 * share)


PAGES: list[Any] = [forecast_panel, shocks]
