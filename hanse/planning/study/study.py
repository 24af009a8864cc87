"""study(): pooled against alone, on the same held-out periods, for members' own sales."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hanse.planning import forecasting, replenishment
from hanse.planning.replenishment import Costs, Levels, Outcome, Plan
from hanse.planning.study.data import Floats, History, Ints
from hanse.planning.study.result import Assumptions, Interval, Side, StudyResult
from hanse.planning.study.sharing import by_member, charges

QUANTILES: Floats = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98])
SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
CHUNK = 40_000
Progress = Callable[[float, str], None]


class Cancelled(Exception):
    """The caller asked the study to stop."""


def study(
    history: History,
    assumptions: Assumptions | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> StudyResult:
    """Forecast, plan and simulate every item for members alone and pooled.

    1. On the periods before the held-out ones: which items to pool, and how much stock to give up.
    2. On the held-out periods, levels renewed as they pass: fill rate, stock, transfers and cost of both policies.
    3. Intervals by resampling items; service under shocks; shares of the pool's cost.

    Args: progress is told (0..1, step); cancelled is asked between steps.
    Raises ValueError, in order: fewer than two members; fewer than held_out + 4 periods; ppm or costs negative. Raises
    Cancelled. Memory: about 200 bytes x sites x items, beside the sales themselves.
    """
    given = assumptions or Assumptions()
    _check(history, given)

    def step(share: float, name: str) -> None:
        if cancelled is not None and cancelled():
            raise Cancelled(name)
        if progress is not None:
            progress(share, name)

    asked = np.nan_to_num(np.maximum(history.sales, 0))
    costs = costs_of(history, given)
    periods = asked.shape[2]
    begin = periods - given.held_out
    trial = max(begin - max(min(given.held_out, begin // 3), 1), 2)
    step(0.0, "choosing items on the periods before")
    before, _ = _plans(history, given, costs, [trial], lambda _: None)
    chosen, given_up = _choose(asked[:, :, trial:begin], before, costs, history, given)
    origins = list(range(begin, periods, max(given.replan, 1)))
    plans, off = _plans(
        history,
        given,
        costs,
        origins,
        lambda part: step(0.2 + 0.5 * part, "forecasting the held-out periods as they pass"),
    )
    step(0.7, "simulating alone and pooled")
    demand = asked[:, :, begin:]
    alone_levels = _over(plans, [plan for plan, _ in plans], given, None, 0.0)
    pooled_levels = _over(plans, [plan for plan, _ in plans], given, chosen, given_up)
    lending_levels = _over(plans, [plan for plan, _ in plans], given, chosen, 0.0)
    runs = _runs(demand, alone_levels, lending_levels, pooled_levels, chosen, costs, history, given)
    step(0.85, "shocks, intervals and shares")
    return _result(history, given, costs, runs, chosen, given_up, off, before[0][0])


def _check(history: History, given: Assumptions) -> None:
    if len(set(history.owner.tolist())) < 2:
        raise ValueError("a pooling study needs at least two members with a site each")
    if history.sales.shape[2] < given.held_out + 4 or given.held_out < 1:
        raise ValueError(f"{history.sales.shape[2]} periods; held_out {given.held_out} needs at least 4 before it")
    numbers = (given.holding_ppm_year, given.shortage_ppm, given.periods_a_year)
    if min(numbers) <= 0 or min(given.order_minor, given.transfer_minor, given.transfer_ppm) < 0:
        raise ValueError("rates of holding and shortage must be above 0, costs not negative")
    if not 0 <= given.caution_ppm < 1_000_000:
        raise ValueError("caution_ppm must lie in 0..999,999")


def costs_of(history: History, given: Assumptions) -> Costs:
    """Costs per each and period; freight between sites by value, weighted by distance where it is known."""
    sites = len(history.sites)
    value = history.value_minor
    freight = np.full((sites, sites), given.transfer_ppm / 1e6)
    if history.distance_km is not None and sites > 1:
        away = history.distance_km[~np.eye(sites, dtype=bool)]
        freight = freight * (0.5 + 0.5 * history.distance_km / max(float(away.mean()), 1e-9))
    return Costs(
        holding=value * (given.holding_ppm_year / 1e6 / given.periods_a_year),
        shortage=value * (given.shortage_ppm / 1e6),
        order=float(given.order_minor),
        transfer=float(given.transfer_minor),
        transfer_each=freight,
        bulk=value,
    )


def _plans(
    history: History, given: Assumptions, costs: Costs, origins: list[int], told: Callable[[float], None]
) -> tuple[list[tuple[Plan, Floats]], float]:
    """(plan of the sites, pooled demand[item, q]) at each origin, and the worst miscalibration of the forecasts."""
    out = []
    worst = 0.0
    ahead = given.lead_time_periods + 1
    for k, origin in enumerate(origins):
        told(k / len(origins))
        past = np.where(history.sales < 0, 0.0, history.sales)[:, :, :origin]
        sites, items, _ = past.shape
        flat, off = _sums(past.reshape(sites * items, origin), ahead, given)
        worst = max(worst, off)
        own = flat.reshape(sites, items, ahead, len(QUANTILES))
        together, _ = _sums(np.nan_to_num(past).sum(axis=0), ahead, given)
        lead = own[:, :, max(given.lead_time_periods, 1) - 1]
        mean = own[:, :, 0].mean(axis=-1)
        caution = given.caution_ppm / 1e6
        plan = Plan(own[:, :, -1], lead, QUANTILES, mean, costs, caution, lots=given.order_minor > 0)
        out.append((plan, together[:, -1]))
    return out, worst


def _sums(panel: Floats, ahead: int, given: Assumptions) -> tuple[Floats, float]:
    """Quantiles [series, ahead, q] of sums over 1..ahead; series that never sold are 0 and cost nothing."""
    out = np.zeros((len(panel), ahead, len(QUANTILES)))
    alive = np.flatnonzero(np.nansum(panel, axis=1) > 0)
    worst = 0.0
    chunks = max(1, -(-len(alive) // CHUNK))
    for k in range(chunks):
        rows = alive[k::chunks]
        if len(rows) == 0:
            continue
        found = forecasting.forecast(
            panel[rows], ahead, QUANTILES, season=given.periods_a_year, per_period=False, seed=given.seed
        )
        out[rows] = found.cumulative
        off = np.maximum(found.held_out_below - QUANTILES, QUANTILES - found.held_out_at_or_below)
        worst = max(worst, float(np.nan_to_num(off).max()))
    return out, worst


def _over(
    plans: list[tuple[Plan, Floats]], sites: list[Plan], given: Assumptions, chosen: Ints | None, given_up: float
) -> Levels:
    """Levels [site, item, period] over the held-out periods; chosen None = every member alone."""
    parts = []
    for (_, together), plan in zip(plans, sites, strict=True):
        if chosen is None:
            parts.append(replenishment.plan_alone(plan))
        else:
            parts.append(replenishment.plan_pooled(plan, together, chosen.astype(np.float64), given_up))
    return Levels(*(_repeat([getattr(part, name) for part in parts], given) for name in ("reorder", "up_to", "lend")))


def _repeat(parts: list[Floats], given: Assumptions) -> Floats:
    if len(parts) == 1:
        return parts[0]
    stacked = np.repeat(np.stack(parts, axis=2), max(given.replan, 1), axis=2)
    return np.asarray(stacked[:, :, : given.held_out], dtype=np.float64)


def _simulate(
    demand: Floats, levels: Levels, costs: Costs, history: History, given: Assumptions, chosen: Ints | None,
    shock: tuple[replenishment.Shock, ...] = (),
) -> Outcome:  # fmt: skip
    """Alone (chosen None): a member's own sites lend to each other. Pooled: all sites do, of the chosen items."""
    group = history.owner if chosen is None else np.zeros(len(history.owner), dtype=np.int64)
    lead = np.full(demand.shape[:2], given.lead_time_periods, dtype=np.int64)
    lendable = None if chosen is None else chosen.astype(np.float64)
    return replenishment.simulate(demand, levels, costs, lead, group=group, poolable=lendable, shocks=shock)


def _choose(
    demand: Floats, before: list[tuple[Plan, Floats]], costs: Costs, history: History, given: Assumptions
) -> tuple[Ints, float]:
    """Items that it pays to pool, and the share of dispensable stock to give up without serving less than alone."""
    every = np.ones(demand.shape[1], dtype=np.int64)
    trial = replace(given, held_out=demand.shape[2], replan=max(demand.shape[2], 1))
    plan = [one for one, _ in before]
    alone = _simulate(demand, _over(before, plan, trial, None, 0.0), costs, history, given, None)
    best, chosen, given_up = np.inf, every, 0.0
    for share in SHARES:
        found = _simulate(demand, _over(before, plan, trial, every, share), costs, history, given, every)
        if share > 0 and found.fill_rate < alone.fill_rate:
            break
        pays = (found.cost.sum(axis=0) <= alone.cost.sum(axis=0)).astype(np.int64)
        total = float(np.minimum(found.cost.sum(axis=0), alone.cost.sum(axis=0)).sum())
        if total < best:
            best, chosen, given_up = total, pays, share
    return chosen, given_up


@dataclass(frozen=True)
class _Runs:
    alone: Outcome
    lending: Outcome
    pooled: Outcome
    shocks: tuple[tuple[float, Floats], ...]  # of the three, in this order


def _runs(
    demand: Floats, alone: Levels, lending: Levels, pooled: Levels, chosen: Ints, costs: Costs, history: History,
    given: Assumptions,
) -> _Runs:  # fmt: skip
    """Alone, lending at the stock held alone, pooled: on the demand as it was, and under the same shocks."""
    shocks = replenishment.random_shocks(len(history.sites), demand.shape[2], max(given.shocks, 1), given.seed)
    policies: tuple[tuple[Levels, Ints | None], ...] = ((alone, None), (lending, chosen), (pooled, chosen))
    runs, service = [], []
    for levels, which in policies:

        def run(one: tuple[replenishment.Shock, ...], levels: Levels = levels, which: Ints | None = which) -> Outcome:
            return _simulate(demand, levels, costs, history, given, which, one)

        runs.append(run(()))
        service.append(replenishment.service_under_shocks(run, shocks))
    return _Runs(runs[0], runs[1], runs[2], tuple(service))


def _side(run: Outcome, shock: tuple[float, Floats], history: History) -> Side:
    def member(values: Floats) -> Floats:
        return np.asarray(by_member(values, history).sum(axis=1), dtype=np.float64)

    asked = member(run.demanded)
    return Side(
        fill_rate=np.where(asked > 0, member(run.served) / np.maximum(asked, 1e-12), np.nan),
        stock_minor=member(run.stock * history.value_minor),
        cost_minor=member(run.cost),
        holding_minor=member(run.holding),
        shortage_minor=member(run.shortage),
        moving_minor=member(run.moving),
        borrowed=member(run.borrowed),
        lent=member(run.lent),
        transfers=member(run.transfers),
        fill_rate_total=run.fill_rate,
        fill_rate_shock=shock[0],
        shock_rates=shock[1],
    )


def _result(
    history: History,
    given: Assumptions,
    costs: Costs,
    runs: _Runs,
    chosen: Ints,
    given_up: float,
    off: float,
    plan: Plan,
) -> StudyResult:
    alone, pooled = _side(runs.alone, runs.shocks[0], history), _side(runs.pooled, runs.shocks[2], history)
    saved = by_member(runs.alone.cost - runs.pooled.cost, history)
    total, low, high = _intervals(runs, saved, history, given)
    charge, expected, apart, left = charges(history, given, costs, alone, pooled)
    now, idle, wanted = _present(history, given)
    return StudyResult(
        history=history,
        assumptions=given,
        alone=alone,
        lending=_side(runs.lending, runs.shocks[1], history),
        pooled=pooled,
        total=total,
        saved_minor=saved.sum(axis=1),
        saved_low=low,
        saved_high=high,
        charge_minor=tuple(charge),
        gain_minor=alone.cost_minor - np.array(charge, dtype=np.float64),
        program_saved_share=expected / max(apart, 1e-9),
        leaving=left,
        pool_item=chosen,
        item_saved_minor=saved.sum(axis=0),
        reason=_reasons(runs, chosen, plan, history),
        given_up=given_up,
        coverage_off=off,
        stock_now_minor=now,
        stock_idle_minor=idle,
        stock_wanted_minor=wanted,
    )


def _intervals(
    runs: _Runs, saved: Floats, history: History, given: Assumptions
) -> tuple[dict[str, Interval], Floats, Floats]:
    """90% intervals by resampling items with replacement: totals by name, and the saving of each member."""
    items = saved.shape[1]
    rng = np.random.default_rng(given.seed)
    weight = rng.multinomial(items, np.full(items, 1 / items), max(given.bootstrap, 1)).astype(np.float64)

    def column(values: Floats) -> tuple[float, Floats]:
        per_item = values.sum(axis=0)
        return float(per_item.sum()), weight @ per_item

    def interval(value: float, draws: Floats) -> Interval:
        return Interval(value, float(np.quantile(draws, 0.05)), float(np.quantile(draws, 0.95)))

    asked = column(runs.alone.demanded)
    fill = [column(run.served) for run in (runs.alone, runs.pooled)]
    stock = [column(run.stock * history.value_minor) for run in (runs.alone, runs.pooled)]
    cost = [column(run.cost) for run in (runs.alone, runs.pooled)]
    base = np.maximum(asked[1], 1e-9)
    whole = max(asked[0], 1e-9)
    total = {
        "cost_saved_minor": interval(cost[0][0] - cost[1][0], cost[0][1] - cost[1][1]),
        "cost_saved_share": interval(
            1 - cost[1][0] / max(cost[0][0], 1e-9), 1 - cost[1][1] / np.maximum(cost[0][1], 1e-9)
        ),
        "stock_saved_share": interval(
            1 - stock[1][0] / max(stock[0][0], 1e-9), 1 - stock[1][1] / np.maximum(stock[0][1], 1e-9)
        ),
        "fill_rate_alone": interval(fill[0][0] / whole, fill[0][1] / base),
        "fill_rate_pooled": interval(fill[1][0] / whole, fill[1][1] / base),
        "fill_rate_gained": interval((fill[1][0] - fill[0][0]) / whole, (fill[1][1] - fill[0][1]) / base),
    }
    draws = weight @ saved.T
    return total, np.quantile(draws, 0.05, axis=0), np.quantile(draws, 0.95, axis=0)


def _present(history: History, given: Assumptions) -> tuple[float, float, float]:
    """Value of the present stock, of what exceeds a year's own sales, and of what others asked for of that."""
    if history.stock is None:
        return np.nan, np.nan, np.nan
    stock = by_member(history.stock.astype(np.float64), history)
    year = np.nan_to_num(np.maximum(history.sales[:, :, -given.periods_a_year :], 0)).sum(axis=2)
    sold = by_member(year, history)
    idle = np.maximum(stock - sold, 0)
    wanted = np.minimum(idle, (sold.sum(axis=0) - sold) * (idle > 0))
    wanted = np.minimum(wanted.sum(axis=0), sold.sum(axis=0))
    value = history.value_minor
    return float((stock * value).sum()), float((idle * value).sum()), float((wanted * value).sum())


def _reasons(runs: _Runs, chosen: Ints, plan: Plan, history: History) -> tuple[str, ...]:
    """One short sentence per item, for the report."""
    sellers = (by_member(runs.alone.demanded, history) > 0).sum(axis=0)
    mean = plan.mean.sum(axis=0) / np.maximum((plan.mean > 0).sum(axis=0), 1)
    freight = float(plan.costs.transfer_each.mean()) * history.value_minor
    dear = freight + plan.costs.transfer / np.maximum(mean, 1.0) > plan.costs.shortage
    moved = runs.pooled.borrowed.sum(axis=0)
    out = []
    for i in range(len(chosen)):
        if not chosen[i]:
            out.append("a transfer costs more than a shortage" if dear[i] else "did not pay in the months before")
        elif sellers[i] <= 1:
            out.append("one member asks for it" if sellers[i] else "nobody asked for it")
        else:
            out.append("lent and borrowed" if moved[i] else "no transfer was needed")
    return tuple(out)
