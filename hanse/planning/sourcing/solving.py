"""The batch: prices, column generation, priced insertion, search, polishing, cuts; a plan at once, a better one with
time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from threading import Lock
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from hanse.planning.sourcing.columns import Master, contested_rows
from hanse.planning.sourcing.cuts import Cuts
from hanse.planning.sourcing.cutting import CutMaster, raise_bound
from hanse.planning.sourcing.diving import Dive
from hanse.planning.sourcing.local import Local
from hanse.planning.sourcing.plan import Plan, Prices, fitting, plan_of
from hanse.planning.sourcing.polishing import ORDERS_MAX, SECONDS, Polish
from hanse.planning.sourcing.prices import Ascent, Pricer
from hanse.planning.sourcing.problem import Ints, Problem

SCALE = 1000  # prices in thousandths of a minor unit
LP_SIZE_MAX = 1_000_000  # orders + contested rows above which column generation is left out: memory

SEARCH_FIRST = 0.1  # share of what is left when the search begins, before plans are polished
ROUNDS_A_POLISH = 20
SKETCH = 0.3  # share of the time that the first prices may take
STEPS = 8  # of prices before column generation: their patterns are its first
EVALUATIONS = 15  # so many evaluations of prices does column generation take, measured: 8 to 12, and programs

Progress = Callable[[str, Plan], None]
Cancel = Callable[[], bool]
Pattern = tuple[Ints, Ints]  # candidates and their units, over all orders


def solve(
    problem: Problem,
    seconds: float | None = 10.0,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    start: Plan | None = None,
    prices: Prices | None = None,
    *,
    rounds: int | None = None,
    changed_lines: NDArray[np.bool_] | None = None,
    cuts: bool = False,
) -> Plan:
    """A plan and the prices that prove how good it is.

    Args:
        seconds: wall time to use, > 0; None: no clock, then `rounds` must be given.
        rounds: search rounds at most, >= 0. With seconds=None the result depends on problem, seed, rounds, start and
            prices alone (same bytes in any process).
        progress: called with a stage name and the best plan so far, at most a few times a second.
        cancel: asked between steps; when true the best plan so far is returned with finished=False.
        start: an earlier plan of this problem's candidates. Its orders stay as they are unless one of their lines
        is marked in
            `changed_lines` [line], they no longer fit, or they compete (are connected) with such an order; without
            `changed_lines` the whole is searched again from there.
        prices: prices to begin with (default: those of `start`).
        cuts: look for cuts too: a higher bound, and a longer certificate (`Plan.cuts`). Not where `changed_lines` leave
            a part as it is, nor where column generation did not end in time.
    Raises: ValueError when neither limit is given or `start`, `prices`, `changed_lines` have another shape.
    Memory: about 400 bytes a candidate beside the problem, 1 kB a column (at most some 8 columns an order).
    """
    if seconds is None and rounds is None:
        raise ValueError("seconds or rounds: at least one limit expected")
    _same_shape(problem, start, prices, changed_lines)
    run = _Run(seconds, rounds, seed, progress, cancel, cuts)
    if start is not None and changed_lines is not None:
        return _partly(problem, run, start, prices, changed_lines)
    if start is None:
        return _whole(problem, run, None, prices)
    return _whole(problem, run, start.units, prices if prices is not None else start.prices)


class _Run:
    """Limits and manners of one call."""

    def __init__(
        self,
        seconds: float | None,
        rounds: int | None,
        seed: int,
        progress: Progress | None,
        cancel: Cancel | None,
        cuts: bool = False,
    ) -> None:
        self.begin = monotonic()
        self.cuts = cuts
        self.lock, self.over = Lock(), False
        self.seconds, self.rounds, self.seed = seconds, rounds, seed
        self.progress, self.cancel = progress, cancel
        self.told = -1.0

    def share(self) -> float:
        """The share of the time that is gone, 0..; 0 without a clock."""
        return 0.0 if self.seconds is None else (monotonic() - self.begin) / max(self.seconds, 1e-9)

    def stop(self, share: float = 1.0) -> bool:
        return self.cancelled() or self.share() >= share

    def cancelled(self) -> bool:
        """Asked from several threads; `cancel` is called by one at a time, and not after it said yes."""
        with self.lock:
            self.over = self.over or (self.cancel is not None and self.cancel())
            return self.over

    def left(self, share: float) -> float:
        """Seconds until this share of the time is gone."""
        return 1e9 if self.seconds is None else max(0.0, share - self.share()) * self.seconds

    def tell(self, stage: str, plan: Callable[[], Plan]) -> None:
        now = monotonic()
        if self.progress is not None and now - self.told > 0.3:
            self.told = now
            self.progress(stage, plan())


def _same_shape(problem: Problem, start: Plan | None, prices: Prices | None, changed: NDArray[np.bool_] | None) -> None:
    if start is not None and start.units.shape != problem.cand_place.shape:
        raise ValueError(f"start: units of {problem.cand_place.size} candidates expected, got {start.units.size}")
    for given in (prices, start.prices if start is not None else None):
        if given is not None and (
            given.total.shape != problem.stock_site.shape
            or given.foreign.shape != problem.stock_site.shape
            or given.place.shape != problem.place_site.shape
        ):
            raise ValueError("prices: one per stock row (total, foreign) and place expected")
    if changed is not None and changed.shape != problem.line_order.shape:
        raise ValueError(f"changed_lines: [line={problem.lines}] expected, got {changed.shape}")


def _partly(problem: Problem, run: _Run, start: Plan, prices: Prices | None, changed: NDArray[np.bool_]) -> Plan:
    """Re-solve the components with a changed order or one that no longer fits; the rest of the plan stands."""
    redo = np.zeros(problem.orders, bool)
    redo[problem.line_order[changed]] = True
    units, misfit = fitting(problem, start.units, redo)
    label = problem.components()
    again = np.zeros(label.max(initial=-1) + 1, bool)
    again[label[redo | misfit]] = True
    mask = again[label]
    begin = prices if prices is not None else start.prices
    if mask.all() or begin is None:
        return _whole(problem, run, units, begin)
    finished = True
    if mask.any():
        part, _, cands = problem.subset(mask, units)
        done = _whole(part, run, units[cands], begin)
        units[cands] = done.units
        finished = done.finished
        begin = _merged(problem, mask, begin, done.prices)
    bound = Pricer(problem.net, begin.scale)(begin.total, begin.foreign, begin.place)
    return plan_of(problem, units, replace(begin, bound_scaled=bound), finished=finished)


def _merged(problem: Problem, mask: NDArray[np.bool_], old: Prices, new: Prices | None) -> Prices:
    """New prices where the re-solved orders ask, old ones elsewhere; what two components ask for binds neither."""
    if new is None or new.scale != old.scale:
        return old
    asks = mask[problem.line_order[problem.cand_line]] & (problem.cand_stock >= 0)
    rows, places = np.zeros(problem.stock_site.size, bool), np.zeros(problem.places, bool)
    rows[problem.cand_stock[asks]] = True
    places[problem.open_place[mask[problem.open_order]]] = True
    total, foreign = np.where(rows, new.total, old.total), np.where(rows, new.foreign, old.foreign)
    return Prices(old.scale, total, foreign, np.where(places, new.place, old.place), 0)


def _whole(problem: Problem, run: _Run, units: Ints | None, prices: Prices | None) -> Plan:
    """The four stages: a first plan, prices, columns, search."""
    if problem.lines == 0:
        none = np.zeros(0, np.int64)
        zero = Prices(SCALE, np.zeros(problem.stock_site.size, np.int64), np.zeros(problem.stock_site.size, np.int64),
                      np.zeros(problem.places, np.int64), 0)  # fmt: skip
        return plan_of(problem, none, zero)
    if units is not None:
        units, _ = fitting(problem, units, np.zeros(problem.orders, bool))
    pricer = Pricer(problem.net, SCALE)
    ascent = Ascent(pricer, problem, start=prices, stop=lambda share: run.stop(share * SKETCH))
    first = Local(problem, run.seed, ascent.evaluate_best(), pricer.value, pricer.units, ascent.floor)
    first.begin(units, lambda: run.stop(0.3))
    run.tell("first plan", lambda: first.plan(ascent.best, False))
    begun = ascent.best
    master = _ascend(problem, run, ascent, first)
    local, final = first, ascent.evaluate_best()
    if final is not begun and not run.stop():
        local = Local(problem, run.seed, final, pricer.value, pricer.units, ascent.floor)
        local.begin(first.best_units if units is not None else None, lambda: run.stop(0.8))
        if first.best_cost < local.best_cost:
            local.begin(first.best_units)
    with ExitStack() as stack:
        found: Future[Cuts | None] | None = None
        if master is not None and local.best_cost > final.bound:
            if run.cuts:  # on a thread of its own: the plan is bettered meanwhile
                cutting = CutMaster(problem, master)
                pool = stack.enter_context(ThreadPoolExecutor(1))
                found = pool.submit(raise_bound, cutting, SCALE, lambda: 0.0 if run.cancelled() else run.left(0.97))
            _dive(problem, run, master, local)
        rounds = _better(problem, run, local, final)
        cuts = found.result() if found is not None else None
    return replace(local.plan(final, not run.cancelled(), rounds), cuts=cuts)


def _better(problem: Problem, run: _Run, local: Local, prices: Prices) -> int:
    """Search, then polish, then search again, while there is time and a gap; returns the rounds of search."""
    rounds = _search(run, local, prices, SEARCH_FIRST, run.rounds)
    polish: Polish | None = None
    turns = 0
    while local.best_cost > prices.bound and not run.stop() and turns < _polishings(run, problem):
        polish = polish or Polish(problem, prices, local.item_of_order, local.item_of_row, run.seed)
        before = local.best_cost
        better = polish.round(local.best_units, lambda: run.left(1.0), run.cancelled)
        unfit = fitting(problem, better, np.zeros(problem.orders, bool))[1]
        if plan_of(problem, better).cost_minor < before and not unfit.any():
            local.begin(better)
        elif polish.widest():
            break
        run.tell("polishing", lambda: local.plan(prices, False))
        turns += 1
    if run.seconds is not None:
        rounds += _search(run, local, prices, 1.0, None if run.rounds is None else run.rounds - rounds)
    return rounds


def _polishings(run: _Run, problem: Problem) -> float:
    """How many rounds of polishing may follow: while one should end in time; without a clock, 1 in 20 of search."""
    if run.seconds is None:
        return -(-(run.rounds or 0) // ROUNDS_A_POLISH)
    return float("inf") if run.left(1.0) > SECONDS * min(problem.orders, ORDERS_MAX) else 0


def _search(run: _Run, local: Local, prices: Prices, until: float, most: int | None) -> int:
    """Rounds of search until this share of the time that is left is gone, `most` at most; returns how many."""
    share, rounds = run.share(), 0
    until = share + until * (1.0 - share)
    effort = most if run.seconds is None else run.left(until) * 3
    while local.worthwhile() and not run.stop(until) and (most is None or rounds < most):
        gone = rounds / max(1, most or 1) if run.seconds is None else (run.share() - share) / max(1e-9, until - share)
        local.round(gone, float(effort or 0))
        rounds += 1
        run.tell("search", lambda: local.plan(prices, False))
    return rounds


def _dive(problem: Problem, run: _Run, master: Master, local: Local) -> None:
    """Let the search go on from the program's plan where that is better."""
    dived = Dive(master, problem.net, SCALE).run(lambda: 0.0 if run.cancelled() else run.left(0.8))
    if dived is None:
        return
    units = np.zeros(problem.cand_place.size, np.int64)
    units[problem.net_cand] = dived
    if plan_of(problem, units).cost_minor < local.best_cost:
        local.begin(units)


def _ascend(problem: Problem, run: _Run, ascent: Ascent, best: Local) -> Master | None:
    """Prices by subgradient; by column generation after that, where its linear programs fit the time.

    Returns the program over patterns when it was solved to its end.
    """
    contested = contested_rows(problem)
    if contested == 0:
        return None
    columns = run.seconds is None or EVALUATIONS * ascent.seconds < 0.6 * run.left(1.0)
    columns = columns and problem.orders + contested <= LP_SIZE_MAX
    steps, share = (STEPS, 0.5) if columns else (400, 0.5)
    recent: deque[Pattern] = deque(maxlen=15)
    for _ in range(steps):
        if run.stop(share):
            break
        ascent.step()
        if columns:
            recent.append(_kept(ascent.pricer.units))
        run.tell("prices", lambda: best.plan(ascent.best, False))
    if not columns or run.stop(0.5):
        return None
    return _generate(problem, run, ascent, list(recent), best)


def _generate(problem: Problem, run: _Run, ascent: Ascent, pool: list[Pattern], best: Local) -> Master | None:
    """Column generation until the bound meets the restricted program, which is returned; None if the time was up."""
    master = _master(problem, ascent, pool)
    for _ in range(60):
        if run.stop(0.7):
            return None
        solved = master.solve(min(run.left(0.75), 1e6))
        if solved is None:
            return None
        value, *dual = solved
        added = 0
        for pull in (0.3, 0.0):  # between the best prices so far and the program's own
            base = ascent.best
            old = (base.total, base.foreign, base.place)
            now = ascent.evaluate([pull * o / base.scale + (1 - pull) * d for o, d in zip(old, dual, strict=True)])
            ascent.take(now)
            added += master.add(ascent.pricer.units)
            pool.append(_kept(ascent.pricer.units))
        run.tell("columns", lambda: best.plan(ascent.best, False))
        if master.lacks(tuple(ascent.over)):
            master = _master(problem, ascent, pool)
        elif added == 0 or value - ascent.best.bound <= 2e-5 * abs(value):
            return master
    return master


def _master(problem: Problem, ascent: Ascent, pool: list[Pattern]) -> Master:
    """The restricted program with a row for whatever was ever overdrawn, and these patterns."""
    master = Master(problem, tuple(ascent.over))
    for used, units in pool:
        pattern = np.zeros(problem.net.cand_row.size, np.int64)
        pattern[used] = units
        master.add(pattern)
    return master


def _kept(units: Ints) -> Pattern:
    used = np.flatnonzero(units)
    return used, units[used]
