"""Column generation over order patterns with HiGHS: the best prices, where the linear program is small enough."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from hanse.planning.sourcing.problem import Floats, Ints, Problem

DUAL, PRIMAL = 1, 4  # HiGHS' numbers of simplex strategies


def contested(problem: Problem) -> tuple[Ints, Ints, Ints]:
    """Stock rows (total, foreign) and places that would not serve all who ask: only these can have a price."""
    net = problem.net
    qty = np.repeat(net.qty, np.diff(net.cand_ptr))
    rows = net.row_total.size
    asked = np.bincount(net.cand_row, weights=qty, minlength=rows)
    strange = np.bincount(net.cand_row, weights=qty * (net.cand_own == 0), minlength=rows)
    users = np.bincount(net.pair_place, minlength=net.place_cap.size)
    over = (asked > net.row_total, strange > net.row_foreign, users > net.place_cap)
    return np.flatnonzero(over[0]), np.flatnonzero(over[1]), np.flatnonzero(over[2])


def contested_rows(problem: Problem) -> int:
    """How many rows the linear program would have beside the orders."""
    return sum(int(k.size) for k in contested(problem))


class Master:
    """min cost of patterns, one pattern per order, stock and capacity respected; grows by columns.

    Rows: orders, then binding stock totals, binding foreign parts, limited places.
    """

    def __init__(self, problem: Problem, asked_over: tuple[NDArray[np.bool_], ...] | None = None) -> None:
        """`asked_over` ([stock] total, [stock] foreign, [place]): rows to keep; what is never overdrawn needs no
        row."""
        net = problem.net
        self.net = net
        orders = net.kmax.size
        line = np.repeat(np.arange(net.qty.size), np.diff(net.cand_ptr))
        self.order_of_line = np.repeat(np.arange(orders), np.diff(net.line_ptr))
        self.order = self.order_of_line[line]
        self.pair = net.pair_ptr[self.order] + net.cand_loc
        rows = net.row_total.size
        self.tight_t, self.tight_f, self.tight_p = contested(problem)
        self.wanted = (_among(self.tight_t, rows), _among(self.tight_f, rows), _among(self.tight_p, net.place_cap.size))
        if asked_over is not None:
            self.tight_t = self.tight_t[asked_over[0][self.tight_t]]
            self.tight_f = self.tight_f[asked_over[1][self.tight_f]]
            self.tight_p = self.tight_p[asked_over[2][self.tight_p]]
        self.contested = self.tight_t.size + self.tight_f.size + self.tight_p.size
        self.row_t = _number(self.tight_t, rows, orders)
        self.row_f = _number(self.tight_f, rows, orders + self.tight_t.size)
        self.row_p = _number(self.tight_p, net.place_cap.size, orders + self.tight_t.size + self.tight_f.size)
        self.seen: Ints = np.zeros(0, np.uint64).view(np.int64)
        self.mult = _mixed(net.cand_row.size)
        self.col_order = np.arange(orders)  # [column]; the first ones leave an order short
        self.col_ptr = np.zeros(orders + 1, np.int64)
        self.col_cand: list[Ints] = []
        self.col_units: list[Ints] = []
        self.warm, self.rows_new = False, False
        self.lp: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self.lp.setOptionValue("output_flag", False)
        self.lp.setOptionValue("threads", 1)
        self._rows(orders)

    def _rows(self, orders: int) -> None:
        net = self.net
        upper = np.concatenate(
            [np.ones(orders), net.row_total[self.tight_t], net.row_foreign[self.tight_f], net.place_cap[self.tight_p]]
        ).astype(float)
        lower = np.concatenate([np.ones(orders), np.full(upper.size - orders, -highspy.kHighsInf)])
        none = np.zeros(0, np.int32)
        self.lp.addRows(upper.size, lower, upper, 0, none, none, np.zeros(0))
        short = np.bincount(self.order_of_line, weights=net.qty * net.pen, minlength=orders)
        start = np.arange(orders, dtype=np.int32)
        self._columns(short, start, start, np.ones(orders))

    def _columns(
        self, cost: NDArray[Any], start: NDArray[np.int32], index: NDArray[np.int32], value: NDArray[Any]
    ) -> None:
        n = cost.size
        inf = np.full(n, highspy.kHighsInf)
        self.lp.addCols(n, cost.astype(float), np.zeros(n), inf, index.size, start, index, value.astype(float))

    def add(self, units: Ints) -> int:
        """Add the patterns in units[cand] that are not there yet, one per order with any units. Returns how many."""
        used = np.flatnonzero(units)
        order = self.order[used]
        head = np.zeros(self.net.kmax.size + 1, np.uint64)
        np.add.at(head, order, self.mult[used] * units[used].astype(np.uint64))
        mark = head.view(np.int64)[order]
        ends = np.flatnonzero(np.diff(order, append=-1))
        fresh = ~np.isin(mark[ends], self.seen)
        new = np.zeros(self.net.kmax.size, bool)
        new[order[ends[fresh]]] = True
        if not new.any():
            return 0
        self.seen = np.concatenate([self.seen, mark[ends[fresh]]])
        keep = used[new[order]]
        of = np.flatnonzero(new)
        self._pack(of, np.searchsorted(of, self.order[keep]), keep, units[keep])
        return int(new.sum())

    def _pack(self, of: Ints, col: Ints, cand: Ints, units: Ints) -> None:
        """New columns to HiGHS: of[new column] is its order, col[entry], rising, the new column of an entry."""
        net = self.net
        pairs = net.pair_place.size
        key = np.unique(col * pairs + self.pair[cand])
        pair_col, pair = key // pairs, key % pairs
        short = np.bincount(self.order_of_line, weights=net.qty * net.pen, minlength=net.kmax.size)[of]
        line = np.repeat(np.arange(net.qty.size), np.diff(net.cand_ptr))[cand]
        cost = short + np.bincount(col, weights=units * (net.cand_cost[cand] - net.pen[line]), minlength=of.size)
        cost += np.bincount(pair_col, weights=net.pair_open[pair], minlength=of.size)
        row = net.cand_row[cand]
        t, f = self.row_t[row], np.where(net.cand_own[cand] == 0, self.row_f[row], -1)
        p = self.row_p[net.pair_place[pair]]
        more = self._more(of.size, col, cand, units, pair_col, pair)
        cols = np.concatenate([np.arange(of.size), col[t >= 0], col[f >= 0], pair_col[p >= 0], more[0]])
        rows = np.concatenate([of, t[t >= 0], f[f >= 0], p[p >= 0], more[1]])
        vals = np.concatenate([np.ones(of.size), units[t >= 0], units[f >= 0], np.ones(int((p >= 0).sum())), more[2]])
        key, back = np.unique(cols * (rows.max() + 1) + rows, return_inverse=True)  # two lines on one stock row add up
        vals = np.bincount(back, weights=vals)
        self.col_order = np.concatenate([self.col_order, of])
        ends = np.cumsum(np.bincount(col, minlength=of.size))
        self.col_ptr = np.concatenate([self.col_ptr, self.col_ptr[-1] + ends])
        self.col_cand.append(cand)
        self.col_units.append(units)
        start = np.searchsorted(key // (rows.max() + 1), np.arange(of.size)).astype(np.int32)
        self._columns(cost, start, (key % (rows.max() + 1)).astype(np.int32), vals)

    def _more(
        self, count: int, col: Ints, cand: Ints, units: Ints, pair_col: Ints, pair: Ints
    ) -> tuple[Ints, Ints, Floats]:
        """Entries (column, row, value) of `count` new columns in rows of a kind that this class has not."""
        none = np.zeros(0, np.int64)
        return none, none, np.zeros(0)

    def lacks(self, over: tuple[NDArray[np.bool_], ...]) -> bool:
        """Whether any contested stock or place of `over` ([stock] total, foreign, [place]) has no row here."""
        rows = (self.row_t, self.row_f, self.row_p)
        return any(bool((o & w & (r < 0)).any()) for o, w, r in zip(over, self.wanted, rows, strict=True))

    def entries(self) -> tuple[Ints, Ints, Ints]:
        """All patterns, entry by entry: (column, cand, units)."""
        none = np.zeros(0, np.int64)
        cand, units = np.concatenate([none, *self.col_cand]), np.concatenate([none, *self.col_units])
        self.col_cand, self.col_units = [cand], [units]
        return np.repeat(np.arange(self.col_order.size), np.diff(self.col_ptr)), cand, units

    def pattern(self, col: int) -> tuple[Ints, Ints]:
        """(cand, units) of one column; empty for one that leaves its order short."""
        _, cand, units = self.entries() if len(self.col_cand) > 1 else (0, self.col_cand[0], self.col_units[0])
        a, b = self.col_ptr[col], self.col_ptr[col + 1]
        return cand[a:b], units[a:b]

    def solve(self, seconds: float) -> tuple[float, Floats, Floats, Floats] | None:
        """(value, price total[stock], foreign[stock], place[place]) of the restricted program in minor units; None
        if cut."""
        self.lp.setOptionValue("time_limit", self.lp.getRunTime() + max(0.05, seconds))
        # From nothing, interior point is 4 times faster. After that new columns leave the basis feasible: the primal
        # simplex goes on from it, 40 times faster than the dual where many orders contest few places.
        self.lp.setOptionValue("solver", "choose" if self.warm else "ipm")
        self.lp.setOptionValue("simplex_strategy", PRIMAL if self.warm and not self.rows_new else DUAL)
        self.rows_new = False
        self.lp.run()
        self.warm = True
        if self.lp.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        dual = np.maximum(0.0, -np.asarray(self.lp.getSolution().row_dual))
        orders, a, b = self.net.kmax.size, self.tight_t.size, self.tight_f.size
        out = (np.zeros(self.net.row_total.size), np.zeros(self.net.row_total.size), np.zeros(self.net.place_cap.size))
        out[0][self.tight_t] = dual[orders : orders + a]
        out[1][self.tight_f] = dual[orders + a : orders + a + b]
        out[2][self.tight_p] = dual[orders + a + b : orders + self.contested]
        return float(self.lp.getInfo().objective_function_value), *out


def _number(which: Ints, size: int, first: int) -> Ints:
    out = np.full(size, -1, np.int64)
    out[which] = first + np.arange(which.size)
    return out


def _among(which: Ints, size: int) -> NDArray[np.bool_]:
    out = np.zeros(size, bool)
    out[which] = True
    return out


def _mixed(size: int) -> NDArray[np.uint64]:
    """One well-mixed odd 64-bit number per candidate (splitmix64): a pattern's mark is the sum of mark * units."""
    x = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (x ^ (x >> np.uint64(31))) | np.uint64(1)
