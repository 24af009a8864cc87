"""The shock board: the last quarter of a firm lived through again, with one thing going wrong at a time.

For each own site: it is lost; for each supplier that serves much: it is late; then all suppliers late, and demand
doubled. Two policies meet the same demand and the same shocks: levels from a forecast that knew only what came before,
and the habit of holding twice the mean. Sites of the firm help one another out above their levels to lend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from msgspec import Struct

from hanse.node.planning_shelf import Assumed, Given, Struck
from hanse.planning import forecasting
from hanse.planning import replenishment as rp
from hanse.planning.forecasting.compiled import Floats

HELD_OUT = 13
BEFORE_WEEKS_MIN = 8
STARTS = (1, 4, 7)
"""Weeks of the quarter in which a shock may begin; each lasts four."""
SHOCK_WEEKS = 4
LATE_WEEKS = 3
SURGE = 2.0
SITES_SHOWN = 6
SUPPLIERS_SHOWN = 8
RANDOM_SHOCKS = 40
Levels = Callable[[Floats, Floats, Floats, Assumed], tuple[Floats, Floats, Floats]]
Figures = tuple[Any, ...]
"""calm_forecast, calm_habit, bad_forecast, bad_habit, stock and cost of both: as in `Shelves`."""


class _Kind(Struct, frozen=True):
    """One shock of the board. site: -1 all. supplier: of whose items alone, None of all."""

    label: str
    what: str
    kind: str
    site: int = -1
    size: float = 1.0
    supplier: str | None = None


def board(given: Given, cost: Floats, levels_of: Levels) -> tuple[list[Struck], Figures]:
    """(shocks, the worst first; figures of calm and of the 95th-percentile shock); nothing where 21 weeks lack."""
    weeks = len(given.history[0]) if given.history else 0
    if weeks < HELD_OUT + BEFORE_WEEKS_MIN or not given.sites:
        return [], (-1.0, -1.0, -1.0, -1.0)
    lived = _Quarter(given, cost, levels_of)
    struck = [lived.struck(one) for one in _kinds(given, lived.demand)]
    struck.sort(key=lambda one: (one.fill_forecast, one.label))
    return struck, lived.figures()


def _kinds(given: Given, demand: Floats) -> list[_Kind]:
    """What may go wrong: demand[site, item, week] says which sites and suppliers matter most."""
    found = [
        _Kind("Demand doubles", f"Every customer asks for twice as much for {SHOCK_WEEKS} weeks", "surge", size=SURGE),
        _Kind("All suppliers late", f"Whatever is ordered in {SHOCK_WEEKS} weeks comes {LATE_WEEKS} weeks later",
              "supplier late", size=LATE_WEEKS),
    ]  # fmt: skip
    by_site = demand.sum(axis=(1, 2))
    for site in np.argsort(-by_site, kind="stable")[:SITES_SHOWN]:
        if by_site[site] > 0:
            name = given.sites[site][1]
            what = f"{name} neither ships nor receives for {SHOCK_WEEKS} weeks"
            found.append(_Kind(f"{name} lost", what, "site lost", int(site)))
    worth: dict[str, float] = {}
    by_item = demand.sum(axis=(0, 2))
    for k, one in enumerate(given.numbers):
        if one.supplier is not None:
            worth[one.supplier.name] = worth.get(one.supplier.name, 0.0) + float(by_item[k]) * one.cost_minor
    for name in sorted(worth, key=lambda name: (-worth[name], name))[:SUPPLIERS_SHOWN]:
        what = f"What is ordered of {name} in {SHOCK_WEEKS} weeks comes {LATE_WEEKS} weeks later"
        found.append(_Kind(f"{name} late", what, "supplier late", size=LATE_WEEKS, supplier=name))
    return found


class _Quarter:
    """The last thirteen weeks with two policies: demand[site, item, week]."""

    def __init__(self, given: Given, cost: Floats, levels_of: Levels) -> None:
        a = given.assumed
        weeks, sites, items = len(given.history[0]), len(given.sites), len(given.numbers)
        whole = np.zeros((sites, items, weeks))
        for one in given.bins:
            whole[one.site, one.number] = one.history
        before, self.demand = whole[:, :, :-HELD_OUT], np.ascontiguousarray(whole[:, :, -HELD_OUT:])
        series = before.reshape(sites * items, -1)
        found = forecasting.forecast(series, a.lead_time_weeks + 1, season=1, windows=(1, 4, 8, 13, 26),
                                     per_period=False)  # fmt: skip
        planned = levels_of(found.cumulative, found.levels, np.tile(cost, sites), a)
        reorder, up_to, lend = (np.ascontiguousarray(one.reshape(sites, items)) for one in planned)
        twice = np.ceil(2 * before.mean(axis=2) * (a.lead_time_weeks + 1))
        self.forecast, self.habit = rp.Levels(reorder, up_to, lend), rp.Levels(twice - 1, twice, twice)
        self.costs = rp.Costs(
            holding=cost * (a.holding_ppm_year / 1e6 / 52), shortage=cost * (a.shortage_ppm / 1e6), order=0.0,
            transfer=float(a.transfer_minor), transfer_each=np.zeros((sites, sites)),
        )  # fmt: skip
        self.cost, self.sites = cost, sites
        self.lead = np.full((sites, items), a.lead_time_weeks)
        self.suppliers = np.array([one.supplier.name if one.supplier else "" for one in given.numbers])
        self.calm = (self.run(self.forecast), self.run(self.habit))

    def run(self, levels: rp.Levels, shock: tuple[rp.Shock, ...] = ()) -> rp.Outcome:
        group = np.zeros(self.sites, dtype=np.int64)
        return rp.simulate(self.demand, levels, self.costs, self.lead, group=group, shocks=shock)

    def struck(self, one: _Kind) -> Struck:
        """One shock over its possible starts."""
        hit = np.ones(len(self.suppliers), bool) if one.supplier is None else self.suppliers == one.supplier
        runs = []
        for start in STARTS:
            shock = (rp.Shock(one.kind, one.site, start, SHOCK_WEEKS, one.size),)
            runs.append([_figures(self.run(levels, shock), calm, hit)
                         for levels, calm in zip((self.forecast, self.habit), self.calm, strict=True)])  # fmt: skip
        planned = [run[0] for run in runs]
        calm = _figures(self.calm[0], self.calm[0], hit)
        return Struck(
            label=one.label,
            what=one.what,
            fill_forecast=float(np.mean([fill for fill, _, _ in planned])),
            fill_habit=float(np.mean([run[1][0] for run in runs])),
            worst=min(fill for fill, _, _ in planned),
            missed_each=round(float(np.mean([missed for _, missed, _ in planned])) - calm[1]),
            extra_cost_minor=round(float(np.mean([cost for _, _, cost in planned])) - calm[2]),
        )

    def figures(self) -> Figures:
        """Calm and bad service, stock and cost, of both policies."""
        shocks = rp.random_shocks(self.sites, HELD_OUT, RANDOM_SHOCKS, 0)
        bad = [
            rp.service_under_shocks(lambda shock, levels=levels: self.run(levels, shock), shocks)[0]  # type: ignore[misc]
            for levels in (self.forecast, self.habit)
        ]
        stock = [round(float((one.stock * self.cost[None]).sum())) for one in self.calm]
        spent = [round(float(one.cost.sum())) for one in self.calm]
        return (self.calm[0].fill_rate, self.calm[1].fill_rate, *bad, *stock, *spent)


def _figures(shocked: rp.Outcome, calm: rp.Outcome, hit: Any) -> tuple[float, float, float]:
    """(share served at once, missed each, cost) where the shock hits these items [item] and the others stay calm."""
    asked = np.where(hit, shocked.demanded, calm.demanded).sum()
    served = np.where(hit, shocked.served, calm.served).sum()
    cost = np.where(hit, shocked.cost, calm.cost).sum()
    return (float(served / asked) if asked else 1.0), float(asked - served), float(cost)
