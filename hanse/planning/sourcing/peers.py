"""What others do, to measure against: single source first, each order exactly in turn, the natural integer program."""

from __future__ import annotations

import numpy as np

from hanse.planning.sourcing.online import View, promise_all
from hanse.planning.sourcing.plan import Plan, Prices, plan_of
from hanse.planning.sourcing.problem import Ints, Problem


def order_by_order(problem: Problem) -> Plan:
    """Each order at its cheapest from what is left, in the order given: no look at those to come."""
    rows = problem.stock_site.size
    none = Prices(1, np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.zeros(problem.places, np.int64), 0)
    units, _ = promise_all(problem, np.arange(problem.orders), View.of(problem), none)
    return plan_of(problem, units)


def greedy(problem: Problem) -> Plan:
    """What order-routing rules do: the cheapest single place that can ship the whole order, else the place that
    can ship
    most of it and so on, up to the shipments allowed; orders in the order given."""
    net, view = problem.net, View.of(problem)
    units = np.zeros(net.cand_row.size, np.int64)
    for o in range(problem.orders):
        _route(net, o, view, units)
    out = np.zeros(problem.cand_place.size, np.int64)
    out[problem.net_cand] = units
    return plan_of(problem, out)


def _route(net, o: int, view: View, units: Ints) -> None:  # type: ignore[no-untyped-def]
    """Route one order: places by (units they can ship, then cost per unit shipped with the opening)."""
    a, b = int(net.line_ptr[o]), int(net.line_ptr[o + 1])
    left = {l: int(net.qty[l]) for l in range(a, b)}
    s0 = int(net.pair_ptr[o])
    by_place: dict[int, list[tuple[int, int]]] = {}
    for l in range(a, b):
        for c in range(int(net.cand_ptr[l]), int(net.cand_ptr[l + 1])):
            if net.cand_cost[c] < net.pen[l]:
                by_place.setdefault(int(net.cand_loc[c]), []).append((l, c))
    for _ in range(int(net.kmax[o])):
        best: tuple[int, int, int] | None = None
        for j, cands in by_place.items():
            if view.place[net.pair_place[s0 + j]] <= 0:
                continue
            takes = _takes(net, cands, left, view)
            total = sum(t for _, _, t in takes)
            cost = int(net.pair_open[s0 + j]) + sum(int(net.cand_cost[c]) * t for _, c, t in takes)
            key = (-total, cost, j)
            if total > 0 and (best is None or key < best):
                best = key
        if best is None:
            return
        j = best[2]
        for l, c, t in _takes(net, by_place.pop(j), left, view):
            units[c] = t
            left[l] -= t
            view.total[net.cand_row[c]] -= t
            if net.cand_own[c] == 0:
                view.foreign[net.cand_row[c]] -= t
        view.place[net.pair_place[s0 + j]] -= 1


def _takes(net, cands: list[tuple[int, int]], left: dict[int, int], view: View) -> list[tuple[int, int, int]]:  # type: ignore[no-untyped-def]
    """(line, candidate, units) that one place can ship now, two lines of one item in sum."""
    out: list[tuple[int, int, int]] = []
    taken: dict[int, int] = {}
    for l, c in cands:
        row = int(net.cand_row[c])
        free = int(view.total[row]) if net.cand_own[c] == 1 else int(min(view.total[row], view.foreign[row]))
        t = min(left[l], free - taken.get(row, 0))
        if t <= 0 or (net.whole[l] == 1 and t < net.qty[l]):
            continue
        taken[row] = taken.get(row, 0) + t
        out.append((l, c, t))
    return out
