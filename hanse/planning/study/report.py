"""The study's report: one self-contained HTML page, printable, light and dark, without scripts."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hanse.planning.study import pictures
from hanse.planning.study.data import Floats
from hanse.planning.study.result import Interval, Side, StudyResult

MEMBERS_DRAWN = 30
ITEMS_LISTED = 12


def report(result: StudyResult) -> str:
    """The page. Names are escaped; money is shown in whole units of the currency; nothing is loaded from anywhere."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"money": money, "percent": percent, "number": number}
    return environment.get_template("report.html").render(
        r=result,
        a=result.assumptions,
        h=result.history,
        t=result.total,
        months=_periods(result),
        pictures=_pictures(result),
        members=_members(result),
        pool=_items(result, 1),
        keep=_items(result, 0),
        reasons=sorted(Counter(result.reason).items(), key=lambda one: (-one[1], one[0])),
        losers=int((result.gain_minor < 0).sum()),
        share=share,
    )


def money(minor: float) -> str:
    """Whole currency units with thin spaces between thousands.

    >>> money(-123456789)
    '−1\u202f234\u202f568'
    """
    whole = round(float(minor) / 100)
    return f"{abs(whole):,}".replace(",", "\u202f") if whole >= 0 else "−" + f"{-whole:,}".replace(",", "\u202f")


def number(value: float) -> str:
    """A whole number with thin spaces."""
    return money(float(value) * 100)


def percent(value: float, digits: int = 1) -> str:
    """A share as per cent; a dash where there is none.

    >>> percent(0.1234), percent(float("nan"))
    ('12.3%', '–')
    """
    return "–" if np.isnan(value) else f"{value:.{digits}%}".replace("-", "−")


def share(interval: Interval) -> str:
    """An interval of shares in words."""
    return f"{percent(interval.low)} to {percent(interval.high)}"


def _periods(result: StudyResult) -> str:
    unit = {12: "months", 52: "weeks", 53: "weeks", 365: "days", 4: "quarters"}.get(
        result.assumptions.periods_a_year, "periods"
    )
    return unit[:-1] if result.assumptions.held_out == 1 else unit


def _pictures(result: StudyResult) -> dict[str, Markup]:
    a, p = result.alone, result.pooled
    order = np.argsort(-result.gain_minor, kind="stable")
    if len(order) > MEMBERS_DRAWN:  # the ends tell more than the middle
        order = np.concatenate([order[: MEMBERS_DRAWN // 2], order[-MEMBERS_DRAWN // 2 :]])
    sides = (("alone", "alone", a), ("lending", "lending", result.lending), ("pooled", "pooled", p))

    def bars(what: Callable[[Side], float], words: Callable[[float], str]) -> list[tuple[str, str, float, str]]:
        return [(name, kind, what(side), words(what(side))) for name, kind, side in sides]

    compare = pictures.compare(
        "Alone, lending, pooled",
        [
            ("Served at once", bars(lambda side: side.fill_rate_total, percent)),
            ("Stock, mean value", bars(lambda side: float(side.stock_minor.sum()), money)),
            (
                "Cost of holding, shortages, orders and transfers",
                bars(lambda side: float(side.cost_minor.sum()), money),
            ),
        ],
    )
    names = [result.history.members[m] for m in order]

    def shown(values: Floats) -> Floats:
        return np.asarray(values[order] / 100, dtype=np.float64)

    gains = pictures.gains(
        "Gain of each member", names, shown(result.gain_minor), shown(result.saved_minor), shown(result.saved_low),
        shown(result.saved_high), result.assumptions.currency,
    )  # fmt: skip
    curve = pictures.curve("Savings by item", result.item_saved_minor, "share of the items, the best first")
    shocks = pictures.shocks(
        "Service under shocks", a.shock_rates, p.shock_rates, (a.fill_rate_shock, p.fill_rate_shock)
    )
    return {
        name: Markup(svg)
        for name, svg in (("compare", compare), ("gains", gains), ("curve", curve), ("shocks", shocks))
    }


def _members(result: StudyResult) -> list[dict[str, object]]:
    """One row of the table per member, by gain."""
    rows: list[dict[str, object]] = []
    for m in np.argsort(-result.gain_minor, kind="stable"):
        rows.append(
            {
                "name": result.history.members[m],
                "fill": (result.alone.fill_rate[m], result.pooled.fill_rate[m]),
                "stock": (result.alone.stock_minor[m], result.pooled.stock_minor[m]),
                "borrowed": result.pooled.borrowed[m],
                "lent": result.pooled.lent[m],
                "cost": result.alone.cost_minor[m],
                "charge": result.charge_minor[m],
                "gain": result.gain_minor[m],
                "part": result.gain_minor[m] / result.alone.cost_minor[m] if result.alone.cost_minor[m] > 0 else np.nan,
            }
        )
    return rows


def _items(result: StudyResult, pooled: int) -> list[tuple[str, float, str]]:
    """Items to pool by what they saved; items to keep by their value in stock: (name, minor units, reason)."""
    mine = np.flatnonzero(result.pool_item == pooled)
    order = mine[np.argsort(-result.item_saved_minor[mine], kind="stable")][:ITEMS_LISTED]
    return [(result.history.items[i], float(result.item_saved_minor[i]), result.reason[i]) for i in order]
