"""A higher bound: cuts found in the program over patterns, and the columns that they make worth while."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hanse.planning.sourcing.columns import Master
from hanse.planning.sourcing.cuts import Cuts, most_units, priced_net, terms
from hanse.planning.sourcing.plan import Prices
from hanse.planning.sourcing.prices import Pricer
from hanse.planning.sourcing.problem import Flags, Floats, Ints, Problem
from hanse.planning.sourcing.separating import STARTS, best_cut

BROKEN = 1e-3  # distance, each, below which a cut is not worth a row
ROUNDS = 30  # of cuts
PRICINGS = 8  # of columns between two rounds of cuts
GAIN = 1e-6  # share of the bound that two rounds must bring


class Found(NamedTuple):
    """One cut in the numbers of the net."""

    row: int
    foreign: int
    step: int
    cand: Ints  # net candidates
    kind: Ints


class CutMaster(Master):
    """The program over patterns with cuts: it takes over another's patterns.

    A pair that a cut names has a column that opens it without a pattern, so that no price makes an opening cost less
    than nothing.
    """

    def __init__(self, problem: Problem, other: Master) -> None:
        """`other` is copied, so that it may go its own way."""
        over = [np.zeros(w.size, bool) for w in other.wanted]
        for mask, rows in zip(over, (other.tight_t, other.tight_f, other.tight_p), strict=True):
            mask[rows] = True
        super().__init__(problem, tuple(over))
        self.problem = problem
        self.found: list[Found] = []
        self.by_cand = csr_array((0, self.net.cand_row.size))  # [cut, cand]
        self.by_pair = csr_array((0, self.net.pair_place.size))  # [cut, pair]
        self.pair_at = np.full(self.net.pair_place.size, -1)  # [pair] its column in the program
        orders = self.net.kmax.size
        self.at = np.arange(orders)  # [pattern] its column in the program
        self.first = self.lp.getNumRow()
        col, cand, units = other.entries()
        if cand.size:
            self._pack(other.col_order[orders:], col - orders, cand, units)
        self.seen = other.seen

    def _pack(self, of: Ints, col: Ints, cand: Ints, units: Ints) -> None:
        first = self.lp.getNumCol()
        super()._pack(of, col, cand, units)
        self.at = np.concatenate([self.at, first + np.arange(of.size)])

    def _more(
        self, count: int, col: Ints, cand: Ints, units: Ints, pair_col: Ints, pair: Ints
    ) -> tuple[Ints, Ints, Floats]:
        if not self.found:
            return super()._more(count, col, cand, units, pair_col, pair)
        drawn = csr_array((units.astype(float), (col, cand)), shape=(count, self.net.cand_row.size))
        opened = csr_array((np.ones(pair.size), (pair_col, pair)), shape=(count, self.net.pair_place.size))
        both = (drawn @ self.by_cand.T + opened @ self.by_pair.T).tocoo()
        keep = both.data != 0
        rows = self.first + both.col[keep].astype(np.int64)
        return both.row[keep].astype(np.int64), rows, both.data[keep]

    def patterns(self) -> tuple[csr_array, csr_array]:
        """([pattern, cand] units, [pattern, pair] opened)."""
        col, cand, units = self.entries()
        pairs = self.net.pair_place.size
        key = np.unique(col * pairs + self.pair[cand])
        drawn = csr_array((units.astype(float), (col, cand)), shape=(self.col_order.size, self.net.cand_row.size))
        opened = csr_array((np.ones(key.size), (key // pairs, key % pairs)), shape=(self.col_order.size, pairs))
        return drawn, opened

    def cut(self, found: list[Found]) -> None:
        """Add these cuts as rows."""
        both = self.cuts(found, np.zeros(len(found), np.int64), self._unpriced())
        coefficient, right = terms(self.problem, both)
        cut = np.repeat(np.arange(len(found)), np.diff(both.ptr))
        cand = np.concatenate([f.cand for f in found])
        by_cand = csr_array((np.ones(cand.size), (cut, cand)), shape=(len(found), self.by_cand.shape[1]))
        by_pair = csr_array(
            (coefficient.astype(float), (cut, self.pair[cand])), shape=(len(found), self.by_pair.shape[1])
        )
        self._open_pairs(np.unique(self.pair[cand]))
        drawn, opened = self.patterns()
        inside = (by_cand @ drawn.T + by_pair @ opened.T).tocoo()
        alone = by_pair.tocoo()
        rows = np.concatenate([inside.row, alone.row])
        cols = np.concatenate([self.at[inside.col], self.pair_at[alone.col]])
        vals = np.concatenate([inside.data, alone.data])
        keep = np.flatnonzero(vals)
        keep = keep[np.lexsort((cols[keep], rows[keep]))]
        start = np.searchsorted(rows[keep], np.arange(len(found))).astype(np.int32)
        low = np.full(len(found), -highspy.kHighsInf)
        self.lp.addRows(len(found), low, right.astype(float), keep.size, start, cols[keep].astype(np.int32), vals[keep])
        self.found += found
        self.rows_new = True
        self.by_cand = _stacked(self.by_cand, by_cand)
        self.by_pair = _stacked(self.by_pair, by_pair)

    def _open_pairs(self, pairs: Ints) -> None:
        new = pairs[self.pair_at[pairs] < 0]
        self.pair_at[new] = self.lp.getNumCol() + np.arange(new.size)
        none = np.zeros(0, np.int32)
        self._columns(self.net.pair_open[new], np.zeros(new.size, np.int32), none, np.zeros(0))

    def _unpriced(self) -> Prices:
        rows, places = self.net.row_total.size, self.net.place_cap.size
        return Prices(1, np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.zeros(places, np.int64), 0)

    def cuts(self, found: list[Found], price: Ints, prices: Prices) -> Cuts:
        """These cuts at these prices, in the numbers of the problem."""
        none = np.zeros(0, np.int64)
        return Cuts(
            prices,
            row=np.array([f.row for f in found], np.int64),
            foreign=np.array([f.foreign for f in found], np.uint8),
            step=np.array([f.step for f in found], np.int64),
            price=price,
            ptr=np.cumsum([0] + [f.cand.size for f in found]).astype(np.int64),
            cand=self.problem.net_cand[np.concatenate([none, *(f.cand for f in found)])],
            kind=np.concatenate([none, *(f.kind for f in found)]),
        )

    def cut_prices(self) -> Floats:
        """[cut] price in minor units per each, of the last solution."""
        dual: Floats = np.asarray(self.lp.getSolution().row_dual)[self.first :]
        return np.maximum(0.0, -dual)

    def point(self) -> tuple[Floats, Floats]:
        """([cand] units, [cand] how far its pair is opened) of the last solution, before columns added since."""
        drawn, opened = self.patterns()
        value = np.asarray(self.lp.getSolution().col_value)
        share = np.zeros(self.at.size)
        solved = self.at < value.size
        share[solved] = value[self.at[solved]]
        return drawn.T @ share, (opened.T @ share)[self.pair]


def _stacked(above: csr_array, below: csr_array) -> csr_array:
    ptr = np.concatenate([above.indptr, above.indptr[-1] + below.indptr[1:]])
    data, index = np.concatenate([above.data, below.data]), np.concatenate([above.indices, below.indices])
    return csr_array((data, index, ptr), shape=(above.shape[0] + below.shape[0], above.shape[1]))


class Separation:
    """What finding cuts needs to know of a problem."""

    def __init__(self, problem: Problem) -> None:
        net = problem.net
        self.net = net
        self.line = np.repeat(np.arange(net.qty.size), np.diff(net.cand_ptr))
        self.most = most_units(problem)[problem.net_cand]
        self.by_row = np.argsort(net.cand_row, kind="stable")
        self.ptr = np.searchsorted(net.cand_row[self.by_row], np.arange(net.row_total.size + 1))
        width = np.diff(net.cand_ptr)[self.line]
        size = int(np.bincount(net.cand_row, weights=1 + width, minlength=1).max(initial=0)) + 1
        self.cand, self.kind = np.zeros(size, np.int64), np.zeros(size, np.int64)

    def broken(self, y: Floats, x: Floats, left: Callable[[], float]) -> list[Found]:
        """Cuts that the point breaks, of every stock row that it draws to the end; the most broken first. None any more
        once `left()` runs out."""
        net, out = self.net, []
        for foreign, there in ((0, net.row_total), (1, net.row_foreign)):
            counts = (net.cand_own == 0) | (foreign == 0)
            drawn = np.bincount(net.cand_row, weights=y * counts, minlength=net.row_total.size)
            for r in np.flatnonzero((there > 0) & (drawn >= there - 1e-6)):
                if left() <= 0:
                    return []
                cs = self.by_row[self.ptr[r] : self.ptr[r + 1]]
                cs = cs[counts[cs] & (self.most[cs] > 0)]
                out += self._of_row(int(r), foreign, int(there[r]), cs, y, x)
        out.sort(key=lambda one: -one[0])
        return [found for _, found in out]

    def _of_row(self, r: int, foreign: int, there: int, cs: Ints, y: Floats, x: Floats) -> list[tuple[float, Found]]:
        out: list[tuple[float, Found]] = []
        known: set[tuple[int, bytes]] = set()
        for start in range(STARTS):
            big: Flags = np.zeros(cs.size, np.uint8)
            far, step, n = best_cut(self.net, there, cs, self.line, start, x, y, self.most, big, self.cand, self.kind)
            if far > BROKEN and (step, big.tobytes()) not in known:
                known.add((step, big.tobytes()))
                out.append((far, Found(r, foreign, step, self.cand[:n].copy(), self.kind[:n].copy())))
        return out


def raise_bound(master: CutMaster, scale: int, left: Callable[[], float]) -> Cuts | None:
    """Cuts and prices whose bound is the best found until `left()` (seconds) runs out or cuts bring no more.

    None where no program was solved in time.
    """
    problem = master.problem
    separation = Separation(problem)
    net = problem.net
    cost, opening = net.cand_cost * scale, net.pair_open * scale
    pricer = Pricer(net._replace(cand_cost=cost, pair_open=opening, pen=net.pen * scale), 1)
    best: Cuts | None = None
    history: list[int] = []
    priced = np.zeros(problem.stock_site.size, bool)
    for _ in range(ROUNDS):
        for _ in range(PRICINGS):
            solved = master.solve(left())
            if solved is None or left() <= 0:
                return best
            total, foreign, place = (np.rint(d * scale).astype(np.int64) for d in solved[1:])
            point = master.point()
            prices = Prices(scale, total, foreign, place, 0)
            now = _used(master, np.rint(master.cut_prices() * scale).astype(np.int64), prices)
            net, paid = priced_net(problem, now)
            pricer.net.cand_cost[:], pricer.net.pair_open[:] = net.cand_cost, net.pair_open
            named = _rows(priced.size, now)
            now.prices.bound_scaled = pricer(total, foreign, place, named | priced) - paid
            priced = named
            if best is None or now.prices.bound_scaled > best.prices.bound_scaled:
                best = now
            if master.add(pricer.units) == 0 or solved[0] - now.prices.bound <= 2e-5 * abs(solved[0]):
                break
        assert best is not None, "priced above"
        history.append(best.prices.bound_scaled)
        if len(history) > 3 and history[-1] - history[-4] <= GAIN * abs(history[-1]):
            return best
        found = separation.broken(*point, left)
        if not found:
            return best
        master.cut(found)
    return best


def _used(master: CutMaster, price: Ints, prices: Prices) -> Cuts:
    """The cuts that have a price."""
    at = np.flatnonzero(price)
    return master.cuts([master.found[k] for k in at.tolist()], price[at], prices)


def _rows(rows: int, cuts: Cuts) -> NDArray[np.bool_]:
    out = np.zeros(rows, bool)
    out[cuts.row] = True
    return out
