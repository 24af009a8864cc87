"""Dual prices of stock and capacity: the bound of the whole from the cheapest pattern of each order.

For prices p >= 0 of stock rows (their total, and the part open to other owners) and places,
    bound(p) = sum over orders of (cheapest pattern at costs + prices)  -  sum of prices x what there is
never exceeds the cost of any plan (Lagrange; the greatest such bound is that of column generation over patterns).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from hanse.planning.sourcing.plan import Prices
from hanse.planning.sourcing.pricing import price_orders
from hanse.planning.sourcing.problem import MONEY_MAX, QTY_MAX, Floats, Ints, Net, Problem
from hanse.planning.sourcing.sketching import sketch
from hanse.planning.sourcing.stepping import Steps
from hanse.planning.sourcing.work import workspace

THREADS = 2
NEAR = 0.1  # of the first reach, where prices are good already
NARROWER = 0.3  # the second reach of stock's prices, of the first


class Pricer:
    """Evaluates prices over all orders, in two threads, re-solving only orders whose prices moved."""

    def __init__(self, net: Net, scale: int, threads: int = THREADS) -> None:
        orders = net.kmax.size
        self.net, self.scale = net, scale
        self.rows, self.places = net.row_total.size, net.place_cap.size
        cuts = np.linspace(0, orders, min(threads, max(1, orders)) + 1).astype(np.int64)
        self.spans = list(itertools.pairwise(cuts))
        self.work = [workspace(net) for _ in self.spans]
        self.use = [(self._rows(), self._rows(), np.zeros(self.places, np.int64)) for _ in self.spans]
        self.value = np.zeros(orders, np.int64)
        self.plenty = np.full(self.rows, QTY_MAX, np.int64)  # patterns of the bound may overdraw; the prices answer
        self.units = np.zeros(net.cand_row.size, np.int64)
        self.last: tuple[Ints, Ints, Ints] | None = None
        self.limited = net.place_cap < QTY_MAX

    def _rows(self) -> Ints:
        return np.zeros(self.rows, np.int64)

    def __call__(self, total: Ints, foreign: Ints, place: Ints, also: NDArray[np.bool_] | None = None) -> int:
        """The bound, minor units x scale, at these prices; also [stock]: rows whose candidates' costs have changed."""
        if self.last is None:
            moved, moved_place = np.ones(self.rows, np.uint8), np.ones(self.places, np.uint8)
        else:
            moved = ((total != self.last[0]) | (foreign != self.last[1])).astype(np.uint8)
            moved_place = (place != self.last[2]).astype(np.uint8)
        if also is not None:
            moved[also] = 1
        first = self.last is None
        self.last = (total.copy(), foreign.copy(), place.copy())

        def one(k: int) -> None:
            lo, hi = self.spans[k]
            if first:  # orders without any candidate are priced too
                self.value[lo:hi] = _short(self.net, int(lo), int(hi)) * self.scale
            price_orders(
                self.net, lo, hi, self.scale, total, foreign, place, moved, moved_place,
                self.plenty, self.value, self.units, *self.use[k], self.work[k],
            )  # fmt: skip

        with ThreadPoolExecutor(len(self.spans)) as pool:
            list(pool.map(one, range(len(self.spans))))
        paid = dot(total, self.net.row_total) + dot(foreign, self.net.row_foreign)
        paid += dot(place[self.limited], self.net.place_cap[self.limited])
        return int(self.value.sum()) - paid

    def excess(self) -> tuple[Ints, Ints, Ints]:
        """By how much the patterns exceed what there is: total[stock], foreign[stock], shipments[place]."""
        t, f, p = (np.sum([u[k] for u in self.use], axis=0) for k in range(3))
        return t - self.net.row_total, f - self.net.row_foreign, np.where(self.limited, p - self.net.place_cap, -1)


def _short(net: Net, lo: int, hi: int) -> Ints:
    cost = net.qty * net.pen
    ends = np.concatenate([[0], np.cumsum(cost)])
    return np.asarray(ends[net.line_ptr[lo + 1 : hi + 1]] - ends[net.line_ptr[lo:hi]], np.int64)


def dot(price: Ints, amount: Ints) -> int:
    """Exact sum of products, whatever the size."""
    at = np.flatnonzero(price)
    return sum(int(a) * int(b) for a, b in zip(price[at], amount[at], strict=True))


class Ascent:
    """Adaptive subgradient on the bound, from the prices that serve lines one by one (`sketching`), or those given.

    The step of a row starts at `reach` of what a unit may be worth there, by how scarce its item is: up to the shortage
    penalty where the network holds less than is asked (nearly), else what it costs to take the unit from elsewhere.
    From good prices on it starts at `NEAR` of that.
    """

    def __init__(
        self,
        pricer: Pricer,
        problem: Problem,
        reach: float = 0.4,
        start: Prices | None = None,
        stop: Callable[[float], bool] = lambda share: False,
    ) -> None:
        """`stop`: as in `sketch`."""
        net = pricer.net
        self.pricer = pricer
        self.over = [np.zeros(n, bool) for n in (pricer.rows, pricer.rows, pricer.places)]  # what was ever overdrawn
        self.most = [_worth(net), _worth(net), float(MONEY_MAX)]
        begin = monotonic()
        self.best = self.evaluate([np.zeros(k.size) for k in self.over])
        self.seconds = monotonic() - begin  # what an evaluation takes
        self.floor = pricer.value // pricer.scale  # [order] true cost with all stock to itself
        if start is not None:
            self.take(self.evaluate([v / start.scale for v in (start.total, start.foreign, start.place)]))
        reaches = _reaches(net, problem, reach)
        self.take(self.evaluate(sketch(net, reaches, self.most, stop)))
        self.evaluate_best()
        b = self.best
        near = [NEAR * r for r in reaches[-1]]
        self.steps = Steps(near, self.most, [v / b.scale for v in (b.total, b.foreign, b.place)])

    def evaluate(self, price: Sequence[Floats]) -> Prices:
        """The bound at these prices (minor units), rounded to the scale and kept within what a unit can be worth."""
        scale = self.pricer.scale
        whole = [np.rint(np.clip(p, 0.0, m) * scale).astype(np.int64) for p, m in zip(price, self.most, strict=True)]
        whole[2][~self.pricer.limited] = 0
        bound = self.pricer(whole[0], whole[1], whole[2])
        for known, over in zip(self.over, self.pricer.excess(), strict=True):
            known |= over > 0
        return Prices(scale, whole[0], whole[1], whole[2], bound)

    def step(self) -> Prices:
        """Move once from where the pricer stands; returns the prices there, and keeps the best in `best`."""
        for known, price in zip(self.over, self.steps.price, strict=True):
            known |= price > 0
        self.steps.move(self.pricer.excess())
        now = self.evaluate(self.steps.price)
        self.take(now)
        return now

    def take(self, now: Prices) -> None:
        """Keep these prices if they are the best so far."""
        if now.bound_scaled > self.best.bound_scaled:
            self.best = now

    def evaluate_best(self) -> Prices:
        """The best prices, with the pricer's values and patterns standing at them."""
        b = self.best
        self.pricer(b.total, b.foreign, b.place)
        return b


def _worth(net: Net) -> float:
    """What a unit can be worth at most: the largest shortage price less cost."""
    line = np.repeat(np.arange(net.qty.size), np.diff(net.cand_ptr))
    return float(np.maximum(0, net.pen[line] - net.cand_cost).max(initial=0))


def _reaches(net: Net, problem: Problem, reach: float) -> list[tuple[Floats, Floats, Floats]]:
    """First steps of prices: total [stock], foreign [stock], place [place]; wide ones, then narrow ones."""
    line = np.repeat(np.arange(net.qty.size), np.diff(net.cand_ptr))
    worth = np.maximum(0, net.pen[line] - net.cand_cost).astype(float)
    rows = net.row_total.size
    asked = np.maximum(1, np.bincount(net.cand_row, minlength=rows))
    row = reach * np.bincount(net.cand_row, weights=worth, minlength=rows) / asked
    dearer = _elsewhere(net)
    elsewhere = np.bincount(net.cand_row, weights=dearer[line], minlength=rows) / asked
    local = np.where(_scarce(problem), row, np.minimum(row, 0.75 * elsewhere))
    orders = max(1, net.kmax.size)
    penalty, way = reach * float((net.qty * net.pen).sum()) / orders, reach * float((net.qty * dearer).sum()) / orders
    places = np.ones(net.place_cap.size)
    limited = bool((net.place_cap < QTY_MAX).any())
    first = [(local, local, penalty * places)] if limited else []
    return [
        *first,
        (local, local, 0.1 * penalty * places),
        (NARROWER * local, NARROWER * local, min(0.1 * penalty, way) * places),
    ]


def _elsewhere(net: Net) -> Floats:
    """[line] what a unit costs more elsewhere than at its cheapest place, on average, plus half an opening shared."""
    line = np.repeat(np.arange(net.qty.size), np.diff(net.cand_ptr))
    many = np.maximum(1, np.bincount(line, minlength=net.qty.size))
    mean = np.bincount(line, weights=net.cand_cost, minlength=net.qty.size) / many
    low = np.full(net.qty.size, np.inf)
    np.minimum.at(low, line, net.cand_cost)
    opening = float(net.pair_open.mean()) if net.pair_open.size else 0.0
    return np.where(np.isfinite(low), mean - np.where(np.isfinite(low), low, 0.0), 0.0) + opening / net.qty / 2


def _scarce(problem: Problem) -> NDArray[np.bool_]:
    """[stock] whether the network holds hardly more of the item than is asked."""
    names, number = np.unique(np.concatenate([problem.stock_item, problem.line_item]), return_inverse=True)
    rows = problem.stock_item.size
    held = np.bincount(number[:rows], weights=problem.stock_total_each, minlength=names.size)
    asked = np.bincount(number[rows:], weights=problem.line_qty_each, minlength=names.size)
    return np.asarray((asked > 0.85 * held)[number[:rows]], bool)
