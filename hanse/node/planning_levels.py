"""Forecasts, levels to reorder and to lend, and shocks, of all own numbers at once.

Runs in a worker process: plain values in and out.
"""

from __future__ import annotations

import numpy as np

from hanse.node.planning_shelf import Assumed, Given, Shelf, Shelves, SiteLevels
from hanse.node.planning_shocks import board
from hanse.planning import forecasting
from hanse.planning import replenishment as rp
from hanse.planning.forecasting.compiled import Floats, Ints

AHEAD_WEEKS = 8
WINDOWS = (1, 4, 8, 13, 26)
DECILES = (0, 4, 8)
"""Low, median and high among the forecast's deciles."""


def compute(given: Given) -> Shelves:
    """Forecast, levels and shocks of all own numbers at once."""
    a = given.assumed
    history = np.array(given.history)
    cost = np.array([one.cost_minor for one in given.numbers], dtype=np.float64)
    ahead = max(AHEAD_WEEKS, a.lead_time_weeks + 1)
    found = forecasting.forecast(history, ahead, season=52 if history.shape[1] > 65 else 1, windows=WINDOWS)
    levels = levels_of(found.cumulative, found.levels, cost, a)
    by_site = _by_site(given, cost, a)
    shelves = []
    for k, one in enumerate(given.numbers):
        mine = by_site[k]
        reorder, up_to, lend = (int(level[k]) for level in levels)
        if len(mine) > 1:
            reorder, up_to = sum(s.reorder_each for s in mine), sum(s.up_to_each for s in mine)
            lend = sum(s.lend_each for s in mine)
        else:
            mine = [SiteLevels(site.site, site.name, reorder, up_to, lend) for site in mine]
        low, median, high = (found.quantiles[k, :, at].tolist() for at in DECILES)
        shelves.append(
            Shelf(
                own_number=one.own_number, description=one.description, item=one.item, history=given.history[k],
                stock=one.stock, low=low, median=median, high=high, used_median=found.cumulative[k, :, 4].tolist(),
                used_high=found.cumulative[k, :, 8].tolist(), reorder_each=reorder, up_to_each=up_to, lend_each=lend,
                on_hand_each=one.on_hand_each, free_each=one.free_each, position_each=one.position_each,
                pack_each=one.pack_each, cost_minor=one.cost_minor, currency=one.currency,
                champion=found.champion(int(found.item_class[k]))[0], sites=mine,
                supplier=one.supplier,
            )
        )  # fmt: skip
    coverage = [
        (float(level), float(below), float(at))
        for level, below, at in zip(found.levels, found.held_out_below, found.held_out_at_or_below, strict=True)
        if not np.isnan(below)
    ]
    struck, figures = board(given, cost, levels_of)
    return Shelves(shelves, given.first_week, history.shape[1], a, coverage, struck, *figures)


def costs_of(cost: Floats, a: Assumed) -> tuple[Floats, Floats]:
    """(holding per each and week, shortage per each), minor units."""
    return cost * (a.holding_ppm_year / 1e6 / 52), cost * (a.shortage_ppm / 1e6)


def levels_of(cumulative: Floats, levels: Floats, cost: Floats, a: Assumed) -> tuple[Floats, Floats, Floats]:
    """Reorder, order-up-to and lend levels [item] from demand over 1.. weeks [item, weeks, q]."""
    holding, shortage = costs_of(cost, a)
    protection, lead = cumulative[:, a.lead_time_weeks], cumulative[:, max(0, a.lead_time_weeks - 1)]
    reorder, up_to = rp.order_levels(protection, levels, holding * (a.lead_time_weeks + 1), shortage)
    transfer = np.minimum(float(a.transfer_minor), shortage)
    return reorder, up_to, rp.policy.lend_levels(lead, levels, shortage, transfer, a.caution_ppm / 1e6)


def _by_site(given: Given, cost: Floats, a: Assumed) -> list[list[SiteLevels]]:
    """[number]: levels at each site where it lies or sells. With one site they are the number's own."""
    at: Ints = np.array([one.number for one in given.bins], dtype=np.int64)
    found: list[list[SiteLevels]] = [[] for _ in given.numbers]
    levels: tuple[Floats, ...] = tuple(np.zeros(len(at)) for _ in range(3))
    if len(given.sites) > 1:
        history = np.array([one.history for one in given.bins])
        coming = forecasting.forecast(history, a.lead_time_weeks + 1, season=1, windows=WINDOWS, per_period=False)
        levels = levels_of(coming.cumulative, coming.levels, cost[at], a)
    for k, one in enumerate(given.bins):
        reorder, up_to, lend = (int(level[k]) for level in levels)
        found[one.number].append(SiteLevels(*given.sites[one.site], reorder, up_to, lend))
    return found
