"""The sourcing problem as plain arrays: what is asked, who could serve it, at what cost, from which stock.

Every array is integer; money is in minor units (cents), quantities in base units ("each"). Axes:

    line   l = 0..L-1   an order line              place  s = 0..S-1   where a shipment leaves from, in one period
    order  o = 0..O-1   what is shipped together   site   n = 0..N-1   where stock lies
    cand   c = 0..C-1   (line, place) that may be used, CSR by line
    pair   p = 0..P-1   (order, place) with the fixed cost of a shipment
    stock  r = 0..R-1   (site, item) with what it holds

A *place* is a site in a period. Without periods place and site are the same; with capacities in orders per day,
site n on
day d is one place, and all places of a site draw on the same stock (`place_site`).

    minimise   sum_c cand_cost_minor[c] * y[c]  +  sum_p open_cost_minor[p] * x[p]  +  sum_l line_penalty_minor[l]
    * short[l]
    so that    sum of y over line l's candidates + short[l] = line_qty_each[l];   y[c] <= line_qty_each[l] *
    x[order, place]
               sum of x over order o <= order_shipments_max[o];    sum of x over place s <= place_capacity_orders[s]
               sum of y over stock row r <= stock_total_each[r]
               sum of y over stock row r, of orders whose owner is not the site's <= stock_foreign_each[r]
               a line with line_whole is served wholly from one place, or not at all

Short lines are thus always allowed, at their penalty: every valid problem has a plan.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.uint8]
Floats = NDArray[np.float64]

MONEY_MAX = 2**50  # the dearest conceivable plan, minor units: leaves 12 bits for the price scale below int64
SCALE_MAX = 1024  # prices are integers in 1/scale of a minor unit
QTY_MAX = 2**40


class Net(NamedTuple):
    """The problem as the compiled loops read it: lines sorted by order, sites of an order numbered from 0."""

    line_ptr: Ints  # [order + 1] into lines
    qty: Ints  # [line]
    pen: Ints  # [line] minor units per each
    whole: Flags  # [line]
    cand_ptr: Ints  # [line + 1] into candidates
    cand_loc: Ints  # [cand] index of the pair within its order
    cand_row: Ints  # [cand] stock row
    cand_cost: Ints  # [cand] minor units per each
    cand_own: Flags  # [cand] 1 when the order's owner owns the stock
    pair_ptr: Ints  # [order + 1] into pairs
    pair_place: Ints  # [pair]
    pair_open: Ints  # [pair] minor units
    kmax: Ints  # [order]
    row_total: Ints  # [stock]
    row_foreign: Ints  # [stock]
    place_cap: Ints  # [place], QTY_MAX when unlimited


@dataclass(frozen=True)
class Problem:
    """All arrays of one sourcing problem; build it with `Problem.of`, which fills defaults and checks.

    Raises ValueError from `of`, one sentence per fault, all faults in one message, in the order of the fields.
    """

    line_order: Ints  # [line] 0..O-1
    line_item: Ints  # [line] >= 0
    line_qty_each: Ints  # [line] 1..2**40
    line_penalty_minor: Ints  # [line] >= 0, minor units per each left short
    line_whole: Flags  # [line] 1: from one place or not at all
    cand_ptr: Ints  # [line + 1]
    cand_place: Ints  # [cand] 0..S-1
    cand_cost_minor: Ints  # [cand] minor units per each: price + variable freight + lateness; may be negative
    open_order: Ints  # [pair]
    open_place: Ints  # [pair]
    open_cost_minor: Ints  # [pair] >= 0, fixed cost of one shipment
    stock_site: Ints  # [stock]
    stock_item: Ints  # [stock]
    stock_total_each: Ints  # [stock] >= 0
    stock_foreign_each: Ints  # [stock] 0..stock_total_each
    site_owner: Ints  # [site] -1: nobody
    order_owner: Ints  # [order] -1: nobody; an order is "own" at a site when both owners are equal and >= 0
    order_shipments_max: Ints  # [order] >= 1
    place_site: Ints  # [place]
    place_capacity_orders: Ints  # [place] >= 0, or -1 for no limit

    @classmethod
    def of(
        cls,
        *,
        line_order: Any,
        line_item: Any,
        line_qty_each: Any,
        cand_place: Any,
        cand_cost_minor: Any,
        open_cost_minor: Any,
        stock_site: Any,
        stock_item: Any,
        stock_total_each: Any,
        line_penalty_minor: Any,
        cand_ptr: Any = None,
        open_order: Any = None,
        open_place: Any = None,
        stock_foreign_each: Any = None,
        site_owner: Any = None,
        order_owner: Any = None,
        order_shipments_max: Any = 3,
        place_site: Any = None,
        place_capacity_orders: Any = -1,
        line_whole: Any = False,
    ) -> Problem:
        """Build and check a problem.

        Args:
            cand_place, cand_cost_minor: flat [cand] with `cand_ptr` [line + 1]; or, without `cand_ptr`, padded
                [line, width] where place -1 means "none".
            open_cost_minor: one number; or [place]; or [order, place]; or [pair] with `open_order`, `open_place`
                (a used (order, place) that has no pair is a fault).
            line_penalty_minor, line_whole: one value or [line]. order_shipments_max: one value or [order].
            stock_foreign_each: what orders of other owners may take of a row; default all of it.
            site_owner, order_owner: default nobody. place_site: default place = site.
        Raises: ValueError naming every fault found. Order: types (a float is refused, never rounded), shapes, ranges,
            references, duplicates, then size (the dearest conceivable plan must stay below 2**50 minor units).

        >>> p = Problem.of(line_order=[0], line_item=[0], line_qty_each=[5], line_penalty_minor=100,
        ...     cand_place=[[0, 1]], cand_cost_minor=[[3, 2]], open_cost_minor=10,
        ...     stock_site=[0, 1], stock_item=[0, 0], stock_total_each=[9, 4])
        >>> p.lines, p.orders, p.places
        (1, 1, 2)
        """
        from hanse.planning.sourcing.checking import build

        given = {k: v for k, v in locals().items() if k not in ("cls", "build")}
        return build(cls, given)

    @property
    def lines(self) -> int:
        return int(self.line_order.size)

    @property
    def orders(self) -> int:
        return int(self.order_owner.size)

    @property
    def places(self) -> int:
        return int(self.place_site.size)

    @cached_property
    def cand_line(self) -> Ints:
        """[cand] the line of each candidate."""
        return np.repeat(np.arange(self.lines, dtype=np.int64), np.diff(self.cand_ptr))

    @cached_property
    def cand_stock(self) -> Ints:
        """[cand] the stock row that each candidate draws on (-1 when the site holds none of the item)."""
        items = 1 + int(max(self.line_item.max(initial=0), self.stock_item.max(initial=0)))
        key = self.stock_site * items + self.stock_item
        sort = np.argsort(key, kind="stable")
        want = self.place_site[self.cand_place] * items + self.line_item[self.cand_line]
        if not key.size:
            return np.full(want.size, -1, np.int64)
        at = np.minimum(np.searchsorted(key[sort], want), key.size - 1)
        return np.where(key[sort][at] == want, sort[at], -1).astype(np.int64)

    @cached_property
    def cand_own(self) -> Flags:
        """[cand] 1 where the order's owner owns the stock."""
        owner = self.order_owner[self.line_order[self.cand_line]]
        own = (owner >= 0) & (owner == self.site_owner[self.place_site[self.cand_place]])
        return np.asarray(own, np.uint8)

    @cached_property
    def cand_pair(self) -> Ints:
        """[cand] the (order, place) pair that a candidate opens (-1: missing, a fault)."""
        key = self.open_order * self.places + self.open_place
        sort = np.argsort(key, kind="stable")
        want = self.line_order[self.cand_line] * self.places + self.cand_place
        if not key.size:
            return np.full(want.size, -1, np.int64)
        at = np.minimum(np.searchsorted(key[sort], want), key.size - 1)
        return np.where(key[sort][at] == want, sort[at], -1).astype(np.int64)

    @cached_property
    def money_max(self) -> int:
        """The dearest conceivable plan in minor units, a Python integer; `Problem.of` keeps it below 2**50."""
        dear = np.abs(self.line_penalty_minor).astype(object)
        worst = np.zeros(self.lines, np.int64)
        np.maximum.at(worst, self.cand_line, np.abs(self.cand_cost_minor))
        units = sum(int(q) * max(int(a), int(b)) for q, a, b in zip(self.line_qty_each, dear, worst, strict=True))
        return units + sum(int(v) for v in self.open_cost_minor)

    @cached_property
    def _layout(self) -> tuple[Net, Ints, Ints]:
        return _net(self)

    @property
    def net(self) -> Net:
        """The compiled form; candidates without a stock row are left out of it."""
        return self._layout[0]

    @property
    def net_cand(self) -> Ints:
        """[net cand] -> cand."""
        return self._layout[1]

    @property
    def net_line(self) -> Ints:
        """[net line] -> line."""
        return self._layout[2]

    def components(self) -> Ints:
        """[order] the number of the connected component: orders that compete for stock or capacity which can run out.

        Stock that could serve every line asking for it binds nobody, so it joins nobody.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        ok = self.cand_stock >= 0
        line, row = self.cand_line[ok], self.cand_stock[ok]
        qty = self.line_qty_each[line]
        rows = self.stock_site.size
        asked = np.bincount(row, weights=qty, minlength=rows)
        foreign = np.bincount(row, weights=qty * (self.cand_own[ok] == 0), minlength=rows)
        tight = (asked > self.stock_total_each) | (foreign > self.stock_foreign_each)
        take = tight[row]
        o1, n1 = self.line_order[line[take]], self.orders + row[take]
        users = np.bincount(self.open_place, minlength=self.places)
        full = (self.place_capacity_orders >= 0) & (users > self.place_capacity_orders)
        take2 = full[self.open_place]
        o2, n2 = self.open_order[take2], self.orders + rows + self.open_place[take2]
        size = self.orders + rows + self.places
        i, j = np.concatenate([o1, o2]), np.concatenate([n1, n2])
        graph = coo_array((np.ones(i.size, np.int8), (i, j)), shape=(size, size))
        label = connected_components(graph, directed=False)[1][: self.orders]
        return np.unique(label, return_inverse=True)[1].astype(np.int64)

    def subset(self, order_mask: NDArray[np.bool_], plan_units: Ints | None = None) -> tuple[Problem, Ints, Ints]:
        """The problem of some orders alone, the rest standing as in `plan_units` [cand]: stock and capacity net of
        them.

        Returns: (problem, lines [its line] -> line, cands [its cand] -> cand).
        """
        orders = np.flatnonzero(order_mask)
        number = np.full(self.orders, -1, np.int64)
        number[orders] = np.arange(orders.size)
        lines = np.flatnonzero(order_mask[self.line_order])
        cands = np.flatnonzero(order_mask[self.line_order[self.cand_line]])
        pairs = np.flatnonzero(order_mask[self.open_order])
        total, foreign, cap = self.stock_total_each, self.stock_foreign_each, self.place_capacity_orders
        if plan_units is not None:
            total, foreign, cap = self._left(~order_mask, plan_units)
        count = np.diff(self.cand_ptr)[lines]
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in ("line_item", "line_qty_each", "line_penalty_minor", "line_whole"):
            values[name] = values[name][lines]
        values |= {
            "line_order": number[self.line_order[lines]],
            "cand_ptr": np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
            "cand_place": self.cand_place[cands],
            "cand_cost_minor": self.cand_cost_minor[cands],
            "open_order": number[self.open_order[pairs]],
            "open_place": self.open_place[pairs],
            "open_cost_minor": self.open_cost_minor[pairs],
            "order_owner": self.order_owner[orders],
            "order_shipments_max": self.order_shipments_max[orders],
            "stock_total_each": total,
            "stock_foreign_each": foreign,
            "place_capacity_orders": cap,
        }
        return Problem(**values), lines, cands

    def _left(self, kept: NDArray[np.bool_], units: Ints) -> tuple[Ints, Ints, Ints]:
        """Stock total, stock foreign and capacity that the kept orders leave over."""
        used = np.flatnonzero((units > 0) & kept[self.line_order[self.cand_line]])
        total, foreign, cap = (
            self.stock_total_each.copy(),
            self.stock_foreign_each.copy(),
            self.place_capacity_orders.copy(),
        )
        np.subtract.at(total, self.cand_stock[used], units[used])
        strange = used[self.cand_own[used] == 0]
        np.subtract.at(foreign, self.cand_stock[strange], units[strange])
        opened = np.unique(self.cand_pair[used])
        gone = np.bincount(self.open_place[opened], minlength=self.places)
        cap[cap >= 0] -= gone[cap >= 0]
        return total, np.minimum(foreign, total), cap


def _net(p: Problem) -> tuple[Net, Ints, Ints]:
    """Sort lines by order, pairs by order, and give each candidate its pair's number within the order."""
    lines = np.argsort(p.line_order, kind="stable").astype(np.int64)
    new_line = np.empty(p.lines, np.int64)
    new_line[lines] = np.arange(p.lines)
    pairs = np.argsort(p.open_order, kind="stable").astype(np.int64)
    new_pair = np.empty(pairs.size, np.int64)
    new_pair[pairs] = np.arange(pairs.size)
    line_ptr = np.searchsorted(p.line_order[lines], np.arange(p.orders + 1)).astype(np.int64)
    pair_ptr = np.searchsorted(p.open_order[pairs], np.arange(p.orders + 1)).astype(np.int64)
    usable = np.flatnonzero(p.cand_stock >= 0)
    cands = usable[np.argsort(new_line[p.cand_line[usable]], kind="stable")]
    line = new_line[p.cand_line[cands]]
    order = p.line_order[p.cand_line[cands]]
    cap = np.where(p.place_capacity_orders < 0, QTY_MAX, p.place_capacity_orders).astype(np.int64)
    net = Net(
        line_ptr=line_ptr,
        qty=p.line_qty_each[lines],
        pen=p.line_penalty_minor[lines],
        whole=p.line_whole[lines],
        cand_ptr=np.searchsorted(line, np.arange(p.lines + 1)).astype(np.int64),
        cand_loc=new_pair[p.cand_pair[cands]] - pair_ptr[order],
        cand_row=p.cand_stock[cands],
        cand_cost=p.cand_cost_minor[cands],
        cand_own=p.cand_own[cands],
        pair_ptr=pair_ptr,
        pair_place=p.open_place[pairs],
        pair_open=p.open_cost_minor[pairs],
        kmax=p.order_shipments_max.copy(),
        row_total=p.stock_total_each.copy(),
        row_foreign=np.minimum(p.stock_foreign_each, p.stock_total_each),
        place_cap=cap,
    )
    return net, cands, lines
