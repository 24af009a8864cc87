"""The neighbourhood search over a whole problem: rounds on two halves at once, the best plan kept.

Each round deals the items (and with them the orders that contest them, and what is left of their stock) to two
halves that share
nothing, so two threads search them without a lock and the result depends on the seed alone.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from hanse.planning.sourcing import search
from hanse.planning.sourcing.plan import Plan, Prices, plan_of
from hanse.planning.sourcing.problem import QTY_MAX, Ints, Problem
from hanse.planning.sourcing.work import workspace

SPARED = (2, 1)  # price levels of re-insertion that bring least, measured
HALVES = 2  # part of the result, so not a matter of the machine


class Local:
    """A plan under search at fixed prices, and the best one seen."""

    def __init__(self, problem: Problem, seed: int, prices: Prices, value: Ints, ideal: Ints, floor: Ints) -> None:
        self.problem, self.net = problem, problem.net
        net = self.net
        self.rng = np.random.default_rng(seed)
        self.index = search.index(net, prices.total, prices.foreign, prices.place)
        self.value, self.ideal, self.floor = value.copy(), ideal.copy(), floor
        self.works = [workspace(net) for _ in range(HALVES)]
        most = int(np.diff(net.cand_ptr[net.line_ptr]).max(initial=0))
        self.keeps = [np.zeros(search.MOVE_MAX * max(1, most), np.int64) for _ in range(HALVES)]
        self.marks = [np.zeros(net.kmax.size, np.int64) for _ in range(HALVES)]
        self.seeds = [np.array([int(self.rng.integers(1, 2**62)), 0], np.int64) for _ in range(HALVES)]
        self.scale = prices.scale
        item = problem.stock_item if problem.stock_item.size else np.zeros(1, np.int64)
        self.item_of_row = np.unique(item, return_inverse=True)[1].astype(np.int64)
        self.item_of_order = self._contested(prices)
        self.best_cost = 2**62
        self.best_units = np.zeros(net.cand_row.size, np.int64)

    def _contested(self, prices: Prices) -> Ints:
        """[order] the item (number) whose stock is dearest to it: orders that compete are searched together."""
        price = (prices.total + prices.foreign)[self.net.cand_row]
        out = np.zeros(self.net.kmax.size, np.int64)
        sort = np.argsort(price, kind="stable")
        out[self.index.cand_order[sort]] = self.item_of_row[self.net.cand_row[sort]]
        return out

    def begin(self, units: Ints | None, stop: Callable[[], bool] = lambda: False) -> None:
        """From given units [cand of the problem], or by priced insertion in a random sequence with re-insertions, of
        which `SPARED` ones are left out once `stop()`."""
        net, ix, w = self.net, self.index, self.works[0]
        self.state = search.blank(net, self.value, self.ideal, self.floor)
        sequence = self.rng.permutation(net.kmax.size)
        top = search.FACTORS - 1
        if units is None:
            search.insert_ideals(net, sequence, self.scale, top, ix, self.state, w)
        else:
            mine = np.ascontiguousarray(units[self.problem.net_cand])
            search.plant(net, mine, self.scale, ix, self.state, w)
        self._note()
        for level in (top, 3, 2, 1, 0) if units is None else (0,):
            if level in SPARED and stop():
                continue
            search.insert_again(net, sequence, self.scale, level, ix, self.state, w, self.keeps[0])
            self._note()

    def worthwhile(self) -> bool:
        """Whether any order costs more than its bound."""
        return bool((self.state.excess > 0).any() or self.state.cost.sum() * self.scale > self.value.sum())

    def round(self, gone: float, effort: float) -> None:
        """One round of search; gone: share of the search that is over, effort: rounds to expect (sets the
        temperature)."""
        net, st = self.net, self.state
        orders = net.kmax.size
        moves = max(200, orders // 2)
        warm = min(1.0, effort * moves / orders / 75.0)
        heat = int(0.08 * warm * float(st.cost.mean()) * max(0.0, 1.0 - gone) ** 2)
        halves = HALVES if orders >= 64 else 1
        side = self.rng.integers(0, halves, int(self.item_of_row.max(initial=0)) + 1)
        mine = side[self.item_of_order].astype(np.int64)
        row_side = side[self.item_of_row[: net.row_total.size]]
        limited = self.rng.integers(0, halves, st.left_p.size)
        parts = []
        for h in range(halves):
            own, slot = row_side == h, limited == h
            parts.append(
                st._replace(
                    left_t=np.where(own, st.left_t, 0),
                    left_f=np.where(own, st.left_f, 0),
                    left_p=np.where(slot | (net.place_cap >= QTY_MAX), st.left_p, 0),
                )
            )

        def one(h: int) -> None:
            group = np.flatnonzero(mine == h)
            search.improve(net, group, moves // halves, self.scale, heat, self.index, parts[h], self.works[h],
                           mine, h, self.marks[h], self.seeds[h], self.keeps[h])  # fmt: skip

        with ThreadPoolExecutor(halves) as pool:
            list(pool.map(one, range(halves)))
        st.left_t[:] = sum(p.left_t for p in parts)
        st.left_f[:] = sum(p.left_f for p in parts)
        free = net.place_cap >= QTY_MAX
        st.left_p[:] = np.where(free, QTY_MAX, sum(p.left_p for p in parts))
        self._note()

    def _note(self) -> None:
        cost = int(self.state.cost.sum())
        if cost < self.best_cost:
            self.best_cost = cost
            self.best_units = np.zeros(self.problem.cand_place.size, np.int64)
            self.best_units[self.problem.net_cand] = self.state.units

    def plan(self, prices: Prices, finished: bool, rounds: int = 0) -> Plan:
        return plan_of(self.problem, self.best_units.copy(), prices, finished=finished, rounds=rounds)
