"""A plan, what it costs, and whether it is allowed: exact integers, linear time, no optimiser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hanse.planning.sourcing.problem import Flags, Ints, Problem

if TYPE_CHECKING:
    from hanse.planning.sourcing.cuts import Cuts

SHOWN = 20  # violations named in full; the rest are counted


@dataclass
class Prices:
    """Integer prices in 1/scale minor units, >= 0; bound_scaled is the bound at them, minor units x scale."""

    scale: int
    total: Ints  # [stock] per each
    foreign: Ints  # [stock] per each, for orders of other owners, on top of total
    place: Ints  # [place] per shipment; 0 where the place has no limit
    bound_scaled: int

    @property
    def bound(self) -> int:
        """The bound in minor units: costs are integers, so it is rounded up."""
        return -(-self.bound_scaled // self.scale)


@dataclass
class Plan:
    """Who serves what: units[cand] each, opened[pair] 0/1; cost_minor is stated and re-checked by `violations`.

    `prices` carry a bound, `cuts` (with stock prices of their own) perhaps a higher one; `gap_ppm`: how far above the
    higher of both the plan costs at most (parts per million of the bound).
    """

    units: Ints
    opened: Flags
    cost_minor: int
    prices: Prices | None = None
    rounds: int = 0
    finished: bool = True  # False: cancelled, or out of time before the first full pass
    cuts: Cuts | None = None

    @property
    def bound_minor(self) -> int | None:
        known = [p.bound for p in (self.prices, self.cuts.prices if self.cuts else None) if p is not None]
        return max(known, default=None)

    @property
    def gap_ppm(self) -> int | None:
        bound = self.bound_minor
        return None if bound is None else gap_ppm(self.cost_minor, bound)


def gap_ppm(cost_minor: int, bound_minor: int) -> int:
    """(cost - bound) / max(1, |bound|) in parts per million, rounded up.

    >>> gap_ppm(1003, 1000), gap_ppm(5, 0)
    (3000, 5000000)
    """
    return -(-(cost_minor - bound_minor) * 1_000_000 // max(1, abs(bound_minor)))


def plan_of(problem: Problem, units: Ints, prices: Prices | None = None, **more: Any) -> Plan:
    """The plan with these units [cand]: shipments opened where there are units, cost computed."""
    opened = np.zeros(problem.open_order.size, np.uint8)
    opened[problem.cand_pair[units > 0]] = 1
    return Plan(units, opened, cost_minor(problem, units, opened), prices, **more)


def cost_minor(problem: Problem, units: Ints, opened: NDArray[Any]) -> int:
    """The plan's cost in minor units: fixed costs + unit costs + shortage penalties (below 2**50 for a feasible
    plan)."""
    short = problem.line_qty_each - line_units(problem, units)
    cost = int((units * problem.cand_cost_minor).sum()) + int((short * problem.line_penalty_minor).sum())
    return cost + int(problem.open_cost_minor[opened != 0].sum())


def line_units(problem: Problem, units: Ints) -> Ints:
    """[line] units served."""
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(units)])
    return np.asarray(ends[problem.cand_ptr[1:]] - ends[problem.cand_ptr[:-1]], np.int64)


def violations(problem: Problem, plan: Plan) -> list[str]:
    """Every rule that the plan breaks, named; an empty list means feasible and rightly costed. Linear time."""
    p, units, opened = problem, plan.units, plan.opened
    if not _is_ints(units, p.cand_place.size) or not _is_ints(opened, p.open_order.size):
        return [
            f"units: integers [cand={p.cand_place.size}] expected; opened: integers [pair={p.open_order.size}] expected"
        ]
    out: list[str] = []
    bad = np.flatnonzero((units < 0) | (units > p.line_qty_each[p.cand_line]))
    _say(
        out,
        bad,
        lambda c: (
            f"candidate {c} (line {p.cand_line[c]}): {units[c]} units, 0..{p.line_qty_each[p.cand_line[c]]} expected"
        ),
    )
    _say(out, np.flatnonzero(opened > 1), lambda k: f"pair {k}: opened {opened[k]}, 0 or 1 expected")
    if out:
        return out  # sums below rely on these ranges
    units = units.astype(np.int64)
    used = np.flatnonzero(units)
    nothing = used[p.cand_stock[used] < 0]
    _say(
        out,
        nothing,
        lambda c: f"line {p.cand_line[c]}: {units[c]} units from place {p.cand_place[c]}, which holds none of the item",
    )
    served = line_units(p, units)
    over = np.flatnonzero(served > p.line_qty_each)
    _say(out, over, lambda l: f"line {l}: {served[l]} units served, {p.line_qty_each[l]} asked")
    sources = np.bincount(p.cand_line[used], minlength=p.lines)
    split = np.flatnonzero((p.line_whole == 1) & (sources > 0) & ((sources > 1) | (served != p.line_qty_each)))
    _say(
        out,
        split,
        lambda l: f"line {l}: ships whole, but {served[l]} of {p.line_qty_each[l]} units come from {sources[l]} places",
    )
    _stock(p, used[p.cand_stock[used] >= 0], units, out)
    _shipments(p, used, opened, out)
    cost = cost_minor(p, units, opened)
    if cost != plan.cost_minor:
        out.append(f"cost: stated {plan.cost_minor}, is {cost} minor units")
    return out


def _stock(p: Problem, used: Ints, units: Ints, out: list[str]) -> None:
    row = p.cand_stock[used]
    total, foreign = np.zeros(p.stock_site.size, np.int64), np.zeros(p.stock_site.size, np.int64)
    np.add.at(total, row, units[used])
    np.add.at(foreign, row, np.where(p.cand_own[used] == 0, units[used], 0))

    def name(r: int) -> str:
        return f"stock row {r} (site {p.stock_site[r]}, item {p.stock_item[r]})"

    over = np.flatnonzero(total > p.stock_total_each)
    _say(out, over, lambda r: f"{name(r)}: {total[r]} units drawn, {p.stock_total_each[r]} there")
    over = np.flatnonzero(foreign > p.stock_foreign_each)
    _say(out, over, lambda r: f"{name(r)}: {foreign[r]} units drawn by other owners, {p.stock_foreign_each[r]} shared")


def _shipments(p: Problem, used: Ints, opened: NDArray[Any], out: list[str]) -> None:
    pair = p.cand_pair[used]
    shut = used[opened[pair] == 0]
    _say(
        out,
        shut,
        lambda c: f"line {p.cand_line[c]}: units from place {p.cand_place[c]}, where its order opened no shipment",
    )
    on = np.flatnonzero(opened)
    count = np.bincount(p.open_order[on], minlength=p.orders)
    many = np.flatnonzero(count > p.order_shipments_max)
    _say(out, many, lambda o: f"order {o}: {count[o]} shipments, {p.order_shipments_max[o]} allowed")
    load = np.bincount(p.open_place[on], minlength=p.places)
    full = np.flatnonzero((p.place_capacity_orders >= 0) & (load > p.place_capacity_orders))
    _say(out, full, lambda s: f"place {s}: {load[s]} shipments, {p.place_capacity_orders[s]} fit")


def _is_ints(array: Any, size: int) -> bool:
    return isinstance(array, np.ndarray) and array.dtype.kind in "iu" and array.shape == (size,)


def _say(out: list[str], where: NDArray[Any], sentence: Any) -> None:
    out.extend(sentence(int(k)) for k in where[:SHOWN])
    if where.size > SHOWN:
        out.append(f"... and {where.size - SHOWN} more of this kind")


def fitting(problem: Problem, units: Ints, drop: NDArray[np.bool_]) -> tuple[Ints, NDArray[np.bool_]]:
    """(units without the orders to drop and without those that break a rule, [order] which broke one)."""
    p = problem
    units = units.astype(np.int64)
    order = p.line_order[p.cand_line]
    units[drop[order]] = 0
    bad = np.zeros(p.orders, bool)
    bad[order[(units < 0) | (units > p.line_qty_each[p.cand_line]) | ((units > 0) & (p.cand_stock < 0))]] = True
    units[bad[order]] = 0
    served = line_units(p, units)
    sources = np.bincount(p.cand_line[units > 0], minlength=p.lines)
    whole = (p.line_whole == 1) & (sources > 0) & ((sources > 1) | (served != p.line_qty_each))
    bad[p.line_order[(served > p.line_qty_each) | whole]] = True
    units[bad[order]] = 0
    used = np.flatnonzero(units)
    pairs = np.unique(p.cand_pair[used])
    bad[np.bincount(p.open_order[pairs], minlength=p.orders) > p.order_shipments_max] = True
    load = np.bincount(p.open_place[pairs], minlength=p.places)
    full = (p.place_capacity_orders >= 0) & (load > p.place_capacity_orders)
    bad[p.open_order[pairs[full[p.open_place[pairs]]]]] = True
    row = p.cand_stock[used]
    drawn = np.bincount(row, weights=units[used], minlength=p.stock_site.size)
    strange = np.bincount(row, weights=units[used] * (p.cand_own[used] == 0), minlength=p.stock_site.size)
    over = (drawn > p.stock_total_each) | (strange > p.stock_foreign_each)
    bad[order[used[over[row]]]] = True
    units[bad[order]] = 0
    return units, bad
