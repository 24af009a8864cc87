"""Pooling studies that were kept for a firm: what members would gain by backing each other up."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from litestar import get
from litestar.params import FromPath
from litestar.response import Template

from hanse.rooms.plans.page_shelves import TABS
from hanse.site.menu import TRADE
from hanse.web import Link, Money, Read, Reader, needs_role, not_here, page
from hanse.web.charts import Series, bars

MEMBERS_SHOWN = 60
STUDIES = "studies"
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,80}$")


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
        origin=figures["origin"].partition(". ")[0], verdict=_verdict(figures),
        unit=unit, policies=policies, members=members, chart=chart, items=items,
        saved=figures["total"].get("cost_saved_share"), pooled=figures["policies"]["pooled"],
        alone=figures["policies"]["alone"],
    )  # fmt: skip


def _verdict(figures: dict[str, Any]) -> str:
    """What came out, as one would say it to a board."""
    alone, pooled = figures["policies"]["alone"], figures["policies"]["pooled"]
    gaining = sum(one["gain_minor"] > 0 for one in figures["members"])
    saved, less = alone["cost_minor"] - pooled["cost_minor"], alone["stock_minor"] - pooled["stock_minor"]
    if not alone["cost_minor"] or saved <= 0:
        return "Pooling saved nothing here: keep the stock apart."
    stock = f"{less / alone['stock_minor']:.0%} less stock" if alone["stock_minor"] and less > 0 else "the same stock"
    served = f"{100 * pooled['fill_rate']:.1f} % instead of {100 * alone['fill_rate']:.1f} %"
    return (
        f"Together the {len(figures['members'])} members would have served {served} of what was asked at once, with "
        f"{stock} and {saved / alone['cost_minor']:.1%} less cost. {gaining} of {len(figures['members'])} would gain."
    )


def _ppm(value: float | None) -> int | None:
    return None if value is None else round(1e6 * value)


PAGES: list[Any] = [studies, one_study]
