"""A plan from the linear program over patterns: settle the orders it is sure of, price the rest anew, repeat.

Each round fixes the orders whose pattern the program takes (almost) wholly, and some of those it leans to most; what
they use is gone, patterns of others that no longer fit are shut, and new ones are priced from what is left. This is
diving with column generation: Joncour, Michel, Sadykov, Sverdlov and Vanderbeck, Column generation based primal
heuristics (2010).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hanse.planning.sourcing.columns import Master
from hanse.planning.sourcing.placing import serve, serve_all
from hanse.planning.sourcing.pricing import price_some
from hanse.planning.sourcing.problem import QTY_MAX, Floats, Ints, Net
from hanse.planning.sourcing.work import workspace

SURE = 0.999  # a pattern's share above which its order is settled at once
PRICINGS = 6  # rounds of pricing between two settlements
LEAN = 0.08  # share of the open orders settled in a round beside those


class Dive:
    """One descent; the master's bounds are changed for good."""

    def __init__(self, master: Master, net: Net, scale: int) -> None:
        self.master, self.net, self.scale = master, net, scale
        self.total, self.foreign, self.place = net.row_total.copy(), net.row_foreign.copy(), net.place_cap.copy()
        self.open = np.ones(net.kmax.size, bool)
        self.units = np.zeros(net.cand_row.size, np.int64)
        self.fixed: list[int] = []  # columns
        self.shut = np.zeros(0, bool)  # [column] those that no longer count
        self.work = workspace(net)

    def run(self, left: Callable[[], float]) -> Ints | None:
        """The units [net cand] of a feasible plan. When `left()` (seconds) runs out, the orders that are not settled
        are served one after the other at the last prices; None where there were none yet."""
        dual: list[Ints] = []
        while self.open.any():
            for _ in range(PRICINGS):
                solved = self.master.solve(left())
                if solved is None or left() <= 0:
                    return self._rest(*dual) if dual else None
                dual = [np.rint(d * self.scale).astype(np.int64) for d in solved[1:]]
                if self._price(*dual) == 0:
                    break
            else:
                if self.master.solve(left()) is None:
                    return self._rest(*dual)
            self._settle(np.asarray(self.master.lp.getSolution().col_value), *dual)
            self._clean()
        return self.units

    def _rest(self, t: Ints, f: Ints, p: Ints) -> Ints:
        """The units with every open order served at these prices from what is left."""
        some = np.flatnonzero(self.open)
        net = self.net
        serve_all(net, some, self.scale, t, f, p, self.total, self.foreign, self.place, self.units, self.work)
        return self.units

    def _price(self, t: Ints, f: Ints, p: Ints) -> int:
        """One pattern more for each open order, at the program's prices, from what is left. Returns how many are
        new."""
        some = np.flatnonzero(self.open)
        found = np.zeros(self.units.size, np.int64)
        price_some(self.net, some, self.scale, t, f, p, self.total, self.foreign, self.place, found, self.work)
        added = self.master.add(found)
        self._clean()
        return added

    def _settle(self, share: Floats, t: Ints, f: Ints, p: Ints) -> None:
        """Fix the sure ones, then the likeliest of the rest, each only if it still fits."""
        best = np.full(self.open.size, -1)
        rise = np.argsort(share, kind="stable")
        best[self.master.col_order[rise]] = rise  # the last written is the largest
        orders = np.flatnonzero(self.open)
        level = share[best[orders]]
        fall = orders[np.argsort(-level, kind="stable")]
        sure = int((level >= SURE).sum())
        count = max(1, sure + int(np.ceil(LEAN * (orders.size - sure))))
        settled = sum(self._fix(int(o), int(best[o])) for o in fall[:count])
        if settled == 0:  # one order's pattern fits line by line and not in sum: exactly, from what is left
            o = int(fall[0])
            serve(self.net, o, self.scale, t, f, p, self.total, self.foreign, self.place, self.units, self.work)
            self.open[o] = False
            self.master.lp.changeRowBounds(o, 0.0, 0.0)

    def _fix(self, o: int, col: int) -> bool:
        """Settle order o by this pattern, if it fits."""
        m, net = self.master, self.net
        cand, units = m.pattern(col)
        need_t: dict[int, int] = {}
        need_f: dict[int, int] = {}
        for r, u, mine in zip(net.cand_row[cand].tolist(), units.tolist(), net.cand_own[cand].tolist(), strict=True):
            need_t[r] = need_t.get(r, 0) + u
            need_f[r] = need_f.get(r, 0) + (0 if mine else u)
        places = net.pair_place[np.unique(m.pair[cand])]
        fits = all(self.total[r] >= u for r, u in need_t.items()) and bool((self.place[places] > 0).all())
        if not fits or not all(self.foreign[r] >= u for r, u in need_f.items()):
            return False
        for r, u in need_t.items():
            self.total[r] -= u
            self.foreign[r] -= need_f[r]
        self.place[places] -= net.place_cap[places] < QTY_MAX
        self.units[cand] = units
        self.open[o] = False
        m.lp.changeColBounds(col, 1.0, 1.0)
        self.fixed.append(col)
        return True

    def _clean(self) -> None:
        """Shut the patterns of settled orders and those that no longer fit."""
        m, net = self.master, self.net
        col, cand, units = m.entries()
        alive = self.open[m.col_order]
        bad = ~alive
        bad[self.fixed] = False
        bad[: self.shut.size] |= self.shut
        look = alive[col] & ~bad[col]
        col, cand, units = col[look], cand[look], units[look]
        rows = max(1, net.row_total.size)
        key, back = np.unique(col * rows + net.cand_row[cand], return_inverse=True)
        drawn = np.bincount(back, weights=units, minlength=key.size)
        strange = np.bincount(back, weights=units * (net.cand_own[cand] == 0), minlength=key.size)
        over = (drawn > self.total[key % rows]) | (strange > self.foreign[key % rows])
        bad[key[over] // rows] = True
        bad[col[self.place[net.pair_place[m.pair[cand]]] <= 0]] = True
        known = np.zeros(bad.size, bool)
        known[: self.shut.size] = self.shut
        new = np.flatnonzero(bad & ~known).astype(np.int32)
        if new.size:
            m.lp.changeColsBounds(new.size, new, np.zeros(new.size), np.zeros(new.size))
        self.shut = bad
