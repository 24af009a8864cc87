"""Planning for a firm's own shelves: demand forecast with its range, levels to reorder and to lend, what to order now.

Computed in a worker process from the firm's own movements, kept in memory until the week is over or stock was counted
anew; nothing of it is a signed fact until somebody accepts a line.
"""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from msgspec import Struct

from hanse.kernel.view import View
from hanse.node.node import Node
from hanse.planning.forecasting.compiled import Floats
from hanse.rooms.catalog.facts import OWN_ITEMS
from hanse.rooms.inventory.facts import MOVEMENTS, TOTALS
from hanse.rooms.orders.private_rows import MINE
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS

WEEK = 7 * 86_400
MONDAY = 4 * 86_400
"""1970-01-05 was a Monday."""
WEEKS_MAX = 104
WEEKS_MIN = 8
AHEAD_WEEKS = 8
ITEMS_MAX = 20_000
OUT_REASONS = ("sold", "consumed")
SHOCKS = 40
HELD_OUT = 13
WORK_SECONDS = 600


class Assumed(Struct, frozen=True):
    """What the levels rest on; shown beside them. Rates in parts per million of an item's value."""

    lead_time_weeks: int = 2
    holding_ppm_year: int = 250_000
    shortage_ppm: int = 300_000
    transfer_minor: int = 500
    caution_ppm: int = 500_000


class Shelf(Struct, frozen=True):
    """One own number, weekly. history: the last weeks, each. low, median, high: deciles 1, 5 and 9 of each coming week.

    reorder, up_to, lend: levels, each. position_each: free stock and what is on order. order_each: to order now, in
    packs. champion: the method that was best for its class of items on weeks held out.
    """

    own_number: str
    description: str
    item: str
    history: list[float]
    low: list[float]
    median: list[float]
    high: list[float]
    reorder_each: int
    up_to_each: int
    lend_each: int
    on_hand_each: int
    position_each: int
    order_each: int
    pack_each: int
    cost_minor: int
    currency: str
    champion: str


class Struck(Struct, frozen=True):
    """One shock, or several at once, and the share of demand served at once by two policies."""

    what: str
    fill_forecast: float
    fill_habit: float


class Shelves(Struct, frozen=True):
    """What came out. first_week: UTC seconds of the first Monday of the histories.

    coverage: (level, share of held-out weeks below, at or below). shocks: the worst first; calm_*, bad_*: without a
    shock, and at the 95th-percentile shock, -1 where there was too little history. stock_*, cost_*: mean value of
    stock, and all costs, over the weeks held out without a shock.
    """

    shelves: list[Shelf]
    first_week: int
    weeks: int
    assumed: Assumed
    coverage: list[tuple[float, float, float]]
    shocks: list[Struck]
    calm_forecast: float
    calm_habit: float
    bad_forecast: float
    bad_habit: float
    stock_forecast_minor: int = 0
    stock_habit_minor: int = 0
    cost_forecast_minor: int = 0
    cost_habit_minor: int = 0


class Given(Struct, frozen=True):
    """What the worker gets: own numbers with history[item, week] and what is known of each."""

    numbers: list[str]
    texts: list[tuple[str, str, str]]
    history: list[list[float]]
    first_week: int
    on_hand: list[int]
    position: list[int]
    pack: list[int]
    cost: list[int]
    assumed: Assumed


def gather(view: View, assumed: Assumed | None = None) -> Given | None:
    """The firm's demand by own number and week, whole weeks only; None where less than eight weeks are known."""
    first_of_now = (view.now - MONDAY) // WEEK
    sql = (
        "SELECT own_number, (made_at - ?) / ? AS week, SUM(-each) FROM {inventory_movement} WHERE circle = ?"
        f" AND owner = '' AND each < 0 AND reason IN ({', '.join('?' * len(OUT_REASONS))}) AND made_at >= ?"
        " GROUP BY own_number, week ORDER BY own_number, week"
    )
    since = (first_of_now - WEEKS_MAX) * WEEK + MONDAY
    found = view.sql(sql, (MONDAY, WEEK, view.home, *OUT_REASONS, since), tables=(MOVEMENTS,))
    rows = [(number, week, each) for number, week, each in found if week < first_of_now]
    if not rows:
        return None
    first = min(week for _, week, _ in rows)
    weeks = first_of_now - first
    if weeks < WEEKS_MIN:
        return None
    numbers = sorted({number for number, _, _ in rows})[:ITEMS_MAX]
    at = {number: k for k, number in enumerate(numbers)}
    history = np.zeros((len(numbers), weeks))
    for number, week, each in rows:
        if number in at:
            history[at[number], week - first] = each
    coming = on_order(view)
    owns = [view.get(OWN_ITEMS, view.home, number) for number in numbers]
    totals = [view.get(TOTALS, view.home, number) for number in numbers]
    hand = [total.on_hand_each if total else 0 for total in totals]
    free = [t.on_hand_each - t.allocated_each - t.set_aside_each - t.short_each if t else 0 for t in totals]
    return Given(
        numbers=numbers,
        texts=[(own.description, own.item, own.currency) if own else ("", "", "") for own in owns],
        history=history.tolist(),
        first_week=first * WEEK + MONDAY,
        on_hand=hand,
        position=[each + coming.get(number, 0) for number, each in zip(numbers, free, strict=True)],
        pack=[max(1, own.pack_each) if own else 1 for own in owns],
        cost=[max(1, own.cost_minor) if own else 1 for own in owns],
        assumed=assumed or Assumed(),
    )


def on_order(view: View) -> dict[str, int]:
    """own number -> each that the firm has ordered for its stock and not received."""
    states = ", ".join("?" * (len(LIVE_STATES) + 1))
    sql = (
        "SELECT m.order_id FROM {orders_mine} m CROSS JOIN {orders_order} o ON o.order_id = m.order_id"
        f" WHERE m.circle = ? AND m.side = 'buy' AND m.drop_ship = 0 AND o.state IN ({states})"
    )
    found: dict[str, int] = {}
    for (name,) in view.sql(sql, (view.home, *LIVE_STATES, "shipped"), tables=(MINE, ORDERS)):
        mine, order = view.get(MINE, view.home, name), view.get(ORDERS, name)
        if mine is None or order is None:
            continue
        number = {line.line: line.own_number for line in mine.lines}
        for line in order.lines:
            left = max(0, line.ordered - line.cancelled - line.received - line.damaged - line.short)
            found[number.get(line.line, "")] = found.get(number.get(line.line, ""), 0) + left
    return found


# -- the computation, in the worker --------------------------------------------------------------------------------


def compute(given: Given) -> Shelves:
    """Forecast, levels, orders and shocks of all own numbers at once."""
    from hanse.planning import forecasting
    from hanse.planning import replenishment as rp

    a = given.assumed
    history = np.array(given.history)
    cost = np.array(given.cost, dtype=np.float64)
    ahead = max(AHEAD_WEEKS, a.lead_time_weeks + 1)
    found = forecasting.forecast(history, ahead, season=52 if history.shape[1] > 65 else 1, windows=(1, 4, 8, 13, 26))
    reorder, up_to, lend = _levels(found.cumulative, found.levels, cost, a)
    order = rp.proposal(np.array(given.position), (reorder, up_to), pack=np.array(given.pack))
    shelves = [
        Shelf(
            own_number=number,
            description=given.texts[k][0],
            item=given.texts[k][1],
            history=given.history[k],
            low=found.quantiles[k, :, 0].tolist(),
            median=found.quantiles[k, :, 4].tolist(),
            high=found.quantiles[k, :, 8].tolist(),
            reorder_each=int(reorder[k]),
            up_to_each=int(up_to[k]),
            lend_each=int(lend[k]),
            on_hand_each=given.on_hand[k],
            position_each=given.position[k],
            order_each=int(order[k]),
            pack_each=given.pack[k],
            cost_minor=given.cost[k],
            currency=given.texts[k][2] or "EUR",
            champion=found.champion(int(found.item_class[k]))[0],
        )
        for k, number in enumerate(given.numbers)
    ]
    coverage = [
        (float(level), float(below), float(at))
        for level, below, at in zip(found.levels, found.held_out_below, found.held_out_at_or_below, strict=True)
        if not np.isnan(below)
    ]
    struck, figures = _shocks(history, cost, a)
    return Shelves(shelves, given.first_week, history.shape[1], a, coverage, struck, *figures)


def _costs(cost: Floats, a: Assumed) -> tuple[Floats, Floats]:
    """(holding per each and week, shortage per each), minor units."""
    return cost * (a.holding_ppm_year / 1e6 / 52), cost * (a.shortage_ppm / 1e6)


def _levels(cumulative: Floats, levels: Floats, cost: Floats, a: Assumed) -> tuple[Floats, Floats, Floats]:
    """Reorder, order-up-to and lend levels [item] from demand over 1.. weeks [item, weeks, q]."""
    from hanse.planning.replenishment import policy

    holding, shortage = _costs(cost, a)
    protection, lead = cumulative[:, a.lead_time_weeks], cumulative[:, max(0, a.lead_time_weeks - 1)]
    reorder, up_to = policy.order_levels(protection, levels, holding * (a.lead_time_weeks + 1), shortage)
    transfer = np.minimum(float(a.transfer_minor), shortage)
    return reorder, up_to, policy.lend_levels(lead, levels, shortage, transfer, a.caution_ppm / 1e6)


def _shocks(history: Floats, cost: Floats, a: Assumed) -> tuple[list[Struck], tuple[Any, ...]]:
    """The last weeks lived through again under shocks: levels from the forecast before them, and the habit of holding
    twice the mean."""
    from hanse.planning import forecasting
    from hanse.planning import replenishment as rp

    if history.shape[1] < HELD_OUT + WEEKS_MIN:
        return [], (-1.0, -1.0, -1.0, -1.0)
    before, after = history[:, :-HELD_OUT], history[:, -HELD_OUT:]
    found = forecasting.forecast(before, a.lead_time_weeks + 1, season=1, windows=(1, 4, 8, 13, 26), per_period=False)
    reorder, up_to, lend = _levels(found.cumulative, found.levels, cost, a)
    twice = np.ceil(2 * before.mean(axis=1) * (a.lead_time_weeks + 1))
    holding, shortage = _costs(cost, a)
    costs = rp.Costs(holding=holding, shortage=shortage, order=0.0, transfer=float(a.transfer_minor),
                     transfer_each=np.zeros((1, 1)))  # fmt: skip
    lead = np.full((1, len(cost)), a.lead_time_weeks)
    forecast_levels = rp.Levels(reorder[None], up_to[None], lend[None])
    habit = rp.Levels(twice[None] - 1, twice[None], twice[None])
    shocks = [one for one in rp.random_shocks(2, HELD_OUT, SHOCKS * 2, 0) if all(s.kind != "site lost" for s in one)]
    moved = [tuple(rp.Shock(s.kind, -1, s.start, s.periods, s.size) for s in one) for one in shocks][:SHOCKS]

    def run(levels: rp.Levels, shock: tuple[rp.Shock, ...] = ()) -> rp.Outcome:
        return rp.simulate(after[None], levels, costs, lead, shocks=shock)

    apart = {_words(shock): shock for shock in moved}
    struck = [
        Struck(what, run(forecast_levels, shock).fill_rate, run(habit, shock).fill_rate)
        for what, shock in apart.items()
    ]
    struck.sort(key=lambda one: (one.fill_forecast, one.what))
    calm = [run(levels) for levels in (forecast_levels, habit)]
    bad = [
        rp.service_under_shocks(lambda shock, levels=levels: run(levels, shock), moved)[0]  # type: ignore[misc]
        for levels in (forecast_levels, habit)
    ]
    stock = [round(float((one.stock * cost[None]).sum())) for one in calm]
    spent = [round(float(one.cost.sum())) for one in calm]
    return struck, (calm[0].fill_rate, calm[1].fill_rate, *bad, *stock, *spent)


def _words(shocks: tuple[object, ...]) -> str:
    parts = []
    for one in shocks:
        kind, start, periods, size = (getattr(one, name) for name in ("kind", "start", "periods", "size"))
        much = f"demand {size:.1f} times as high" if kind == "surge" else f"suppliers {size:.0f} weeks late"
        parts.append(f"{much} for {periods} weeks from week {start + 1}")
    return " and ".join(parts)


# -- jobs ----------------------------------------------------------------------------------------------------------


class _Job:
    """One computation of one firm. state: working, done, too_little, failed."""

    def __init__(self, week: int, home: str) -> None:
        self.week, self.home = week, home
        self.state = "working"
        self.found: Shelves | None = None
        self.by_number: dict[str, Shelf] = {}


_jobs: dict[tuple[str, str], _Job] = {}
_lock = threading.Lock()


def shelves(node: Node, party: str, *, wait: bool = False) -> _Job:
    """The firm's shelves as computed this week; begun where nobody has asked yet.

    Args:
        wait: until it is done.
    """
    view = node.view(party)
    week = (view.now - MONDAY) // WEEK
    key = (str(node.directory.resolve()), party)
    with _lock:
        job = _jobs.get(key)
        fresh = job is None or job.week != week
        if job is None or fresh:
            job = _jobs[key] = _Job(week, view.home)
    if fresh:
        given = gather(view)
        if given is None:
            job.state = "too_little"
        else:
            thread = threading.Thread(target=_run, args=(job, given), name="hanse-forecast", daemon=True)
            thread.start()
            if wait:
                thread.join(WORK_SECONDS)
    return job


def forget(node: Node, party: str) -> None:
    """Compute anew at the next question."""
    with _lock:
        _jobs.pop((str(node.directory.resolve()), party), None)


def _run(job: _Job, given: Given) -> None:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, given), daemon=True)
    process.start()
    there.close()
    try:
        said = here.recv() if here.poll(WORK_SECONDS) else None
    except EOFError:
        said = None
    finally:
        here.close()
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()
    if isinstance(said, Shelves):
        job.by_number = {one.own_number: one for one in said.shelves}
        job.found = said
        job.state = "done"
    else:
        job.state = "failed"


def _work(there: Connection, given: Given) -> None:
    try:
        there.send(compute(given))
    finally:
        there.close()
