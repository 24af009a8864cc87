"""One order at a time, at once: the last batch's prices as bid prices (what a unit of scarce stock is worth to
those to come).

Source: opportunity costs from dual prices for fulfilment, Acimovic and Graves (2015), Jasin and Sinha (2015).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from hanse.planning.sourcing.compiling import plain
from hanse.planning.sourcing.plan import Prices
from hanse.planning.sourcing.problem import Flags, Ints, Net, Problem
from hanse.planning.sourcing.work import workspace


@dataclass
class View:
    """What is left to promise; `promise` draws it down. Not to be shared between threads."""

    total: Ints  # [stock] units left
    foreign: Ints  # [stock] units left for orders of other owners
    place: Ints  # [place] shipments left; 2**40 where the place has no limit
    _work: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, problem: Problem, units: Ints | None = None) -> View:
        """All of a problem's stock and capacity, less what a plan's units [cand] use."""
        net = problem.net
        view = cls(net.row_total.copy(), net.row_foreign.copy(), net.place_cap.copy())
        if units is not None:
            mine = units[problem.net_cand]
            np.subtract.at(view.total, net.cand_row, mine)
            np.subtract.at(view.foreign, net.cand_row, np.where(net.cand_own == 0, mine, 0))
            opened = np.unique(problem.cand_pair[units > 0])
            np.subtract.at(view.place, problem.open_place[opened], 1)
            view.place[net.place_cap == 2**40] = 2**40
        return view


@dataclass(frozen=True)
class Order:
    """One order as a net of one; rows and places are numbered as in View and Prices. Build with `order_of` or
    `Order.of`."""

    net: Net

    @classmethod
    def of(
        cls,
        *,
        qty_each: Any,
        penalty_minor: Any,
        cand_ptr: Any,
        cand_stock: Any,
        cand_place: Any,
        cand_cost_minor: Any,
        cand_own: Any,
        places: Any,
        open_cost_minor: Any,
        shipments_max: int = 3,
        whole: Any = None,
    ) -> Order:
        """From arrays of one order.

        Args:
            qty_each, penalty_minor, whole: [line]. cand_ptr: [line + 1]. cand_stock (row of the view), cand_place,
            cand_cost_minor,
                cand_own (1: the order's owner owns the stock): [cand].
            places, open_cost_minor: [pair], the places that candidates name, each once, and a shipment's fixed cost.
        Raises: ValueError when a candidate names a place that is not in `places`, a quantity is below 1, a penalty, an
            opening or a stock row below 0, or lengths differ.
        """
        a = {k: np.asarray(v) for k, v in locals().items() if k not in ("cls", "whole", "shipments_max")}
        flags = np.zeros(a["qty_each"].size, np.uint8) if whole is None else np.asarray(whole).astype(np.uint8)
        number = {int(s): k for k, s in enumerate(a["places"])}
        _require_order(a, flags, number, shipments_max)
        return cls(_net_of_one(a, flags, number, shipments_max))


def _require_order(a: dict[str, Any], whole: Flags, number: dict[int, int], shipments_max: int) -> None:
    """Raises ValueError, in order: floats, a place that is not in `places`, lengths and ranges."""
    if any(v.dtype.kind not in "iu" and v.size for v in a.values()):
        raise ValueError("order: integers expected")
    if not all(int(s) in number for s in a["cand_place"]):
        raise ValueError("cand_place: names a place that is not in places")
    lines, cands = a["qty_each"].size, a["cand_stock"].size
    fits = (
        a["penalty_minor"].size == whole.size == lines,
        a["cand_ptr"].size == lines + 1,
        a["cand_ptr"][-1] == cands,
        a["cand_place"].size == a["cand_cost_minor"].size == a["cand_own"].size == cands,
        a["open_cost_minor"].size == a["places"].size == len(number),
    )
    low = [(a["qty_each"] < 1).any()]
    low += [(a[name] < 0).any() for name in ("penalty_minor", "open_cost_minor", "cand_stock")]
    if not all(fits) or any(low) or shipments_max < 1:
        raise ValueError("order: lengths differ, or a quantity, penalty, opening cost or stock row is out of range")


def _net_of_one(a: dict[str, Any], whole: Flags, number: dict[int, int], shipments_max: int) -> Net:
    """Checked arrays of one order as a net; number: place -> its pair."""

    def ints(value: Any) -> Ints:
        return np.ascontiguousarray(value, np.int64)

    none = np.zeros(0, np.int64)
    return Net(
        line_ptr=ints([0, a["qty_each"].size]),
        qty=ints(a["qty_each"]),
        pen=ints(a["penalty_minor"]),
        whole=whole,
        cand_ptr=ints(a["cand_ptr"]),
        cand_loc=ints([number[int(s)] for s in a["cand_place"]]),
        cand_row=ints(a["cand_stock"]),
        cand_cost=ints(a["cand_cost_minor"]),
        cand_own=np.ascontiguousarray(a["cand_own"], np.uint8),
        pair_ptr=ints([0, a["places"].size]),
        pair_place=ints(a["places"]),
        pair_open=ints(a["open_cost_minor"]),
        kmax=ints([shipments_max]),
        row_total=none,
        row_foreign=none,
        place_cap=none,
    )


@dataclass
class Assignment:
    """How one order is served, and the next best way, line by line."""

    units: Ints  # [cand] each
    cost_minor: int
    source: Ints  # [line] place of most units, -1: short
    next_place: Ints  # [line] next best source of those units; -1: nobody, they would be short
    next_extra_minor: Ints  # [line] what that would cost more, minor units


def order_of(problem: Problem, o: int) -> Order:
    """Order o of a problem, alone. Its candidates are the problem's that have a stock row, in the problem's order."""
    n = problem.net
    a, b = int(n.line_ptr[o]), int(n.line_ptr[o + 1])
    c, d = int(n.cand_ptr[a]), int(n.cand_ptr[b])
    s, t = int(n.pair_ptr[o]), int(n.pair_ptr[o + 1])
    return Order(
        n._replace(
            line_ptr=np.array([0, b - a]),
            qty=n.qty[a:b],
            pen=n.pen[a:b],
            whole=n.whole[a:b],
            cand_ptr=n.cand_ptr[a : b + 1] - c,
            cand_loc=n.cand_loc[c:d],
            cand_row=n.cand_row[c:d],
            cand_cost=n.cand_cost[c:d],
            cand_own=n.cand_own[c:d],
            pair_ptr=np.array([0, t - s]),
            pair_place=n.pair_place[s:t],
            pair_open=n.pair_open[s:t],
            kmax=n.kmax[o : o + 1],
        )
    )


def promise(order: Order, view: View, bid_prices: Prices) -> Assignment:
    """Serve one order from what is left, cheapest at cost + bid prices, and draw the view down.

    Compiled; the first call in a process loads numba (seconds). `promise_plain` gives the same without.
    """
    return _promise(*_compiled(), order, view, bid_prices)


def promise_plain(order: Order, view: View, bid_prices: Prices) -> Assignment:
    """As `promise`, the same source run as plain Python: milliseconds an order, nothing to compile or import."""
    return _promise(plain("placing"), plain("nextbest"), order, view, bid_prices)


def promise_all(problem: Problem, sequence: Ints, view: View, bid_prices: Prices) -> tuple[Ints, int]:
    """`promise` for many orders of a problem, one after the other: (units [cand], cost in minor units of these
    orders)."""
    k, _ = _compiled()
    units = np.zeros(problem.net.cand_row.size, np.int64)
    b = bid_prices
    cost = k.serve_all(
        problem.net,
        np.ascontiguousarray(sequence, np.int64),
        b.scale,
        b.total,
        b.foreign,
        b.place,
        view.total,
        view.foreign,
        view.place,
        units,
        workspace(problem.net),
    )
    out = np.zeros(problem.cand_place.size, np.int64)
    out[problem.net_cand] = units
    return out, int(cost)


@cache
def _compiled() -> tuple[ModuleType, ModuleType]:
    from hanse.planning.sourcing import nextbest, placing

    return placing, nextbest


def _promise(k: ModuleType, beside: ModuleType, order: Order, view: View, b: Prices) -> Assignment:
    net = order.net
    need = (net.qty.size, net.pair_place.size, int(net.kmax[0]))
    have, work = view._work.get(k.__name__, ((0, 0, 0), None))
    if work is None or any(x > y for x, y in zip(need, have, strict=True)):
        have = tuple(max(x, y) for x, y in zip(need, have, strict=True))
        sizes = net._replace(line_ptr=np.array([0, have[0]]), pair_ptr=np.array([0, have[1]]), kmax=np.array([have[2]]))
        work = workspace(sizes)
        view._work[k.__name__] = (have, work)
    units = np.zeros(net.cand_row.size, np.int64)
    cost = k.serve(net, 0, b.scale, b.total, b.foreign, b.place, view.total, view.foreign, view.place, units, work)
    source, other, extra = (np.zeros(net.qty.size, np.int64) for _ in range(3))
    beside.next_best(net, 0, units, view.total, view.foreign, view.place, source, other, extra, work)
    return Assignment(units, int(cost), source, other, extra)
