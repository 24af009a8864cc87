"""The natural integer program, given to HiGHS as it stands: the peer to beat, and an oracle for small problems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from hanse.planning.sourcing.plan import Plan, fitting, plan_of
from hanse.planning.sourcing.problem import Ints, Problem


def natural_mip(
    problem: Problem,
    seconds: float,
    start: Plan | None = None,
    *,
    nodes: int | None = None,
    gap: float = 1e-6,
    cancel: Callable[[], bool] | None = None,
) -> tuple[Plan | None, float]:
    """(best plan found or None, HiGHS' own lower bound in minor units) within `seconds` of wall time, one thread.

    Variables x[pair] binary and y[cand] >= 0; lines that ship whole have y = quantity * binary. Optimal to `gap` if
    time allows. `nodes`: most nodes of branch and bound; where these end it before the time does, the plan depends on
    the arguments alone. `cancel`: asked from time to time, ends it.
    """
    lp, pairs, cands = _model(problem)
    if cands.size == 0:
        nothing = plan_of(problem, np.zeros(problem.cand_place.size, np.int64))
        return nothing, float(nothing.cost_minor)
    h: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("time_limit", float(seconds)),
        ("mip_rel_gap", gap),
    ):
        h.setOptionValue(option, value)
    if nodes is not None:
        h.setOptionValue("mip_max_nodes", nodes)
        h.setOptionValue("mip_allow_restart", False)  # a root once more costs as much again, and gains little
    if cancel is not None:
        h.cbMipInterrupt += lambda event: event.interrupt() if cancel() else None
    h.passModel(lp)
    if start is not None:
        solution = highspy.HighsSolution()
        whole = cands[problem.line_whole[problem.cand_line[cands]] == 1]
        parts = [start.opened[pairs], start.units[cands], start.units[whole] > 0]
        solution.col_value = np.concatenate(parts).astype(float)
        h.setSolution(solution)
    h.run()
    info = h.getInfo()
    if info.primal_solution_status != 2:
        return None, float(info.mip_dual_bound)
    units = np.zeros(problem.cand_place.size, np.int64)
    units[cands] = np.rint(np.asarray(h.getSolution().col_value)[pairs.size : pairs.size + cands.size]).astype(np.int64)
    kept, _ = fitting(problem, units, np.zeros(problem.orders, bool))  # rounding of a tolerance may break a row
    return plan_of(problem, kept), float(info.mip_dual_bound)


def _model(p: Problem) -> tuple[Any, Ints, Ints]:
    """(HiGHS model, [x] -> pair, [y] -> cand); candidates dearer than the penalty are left out."""
    stock = np.zeros(p.cand_place.size, np.int64)
    held = p.cand_stock >= 0
    row = p.cand_stock[held]
    stock[held] = np.where(p.cand_own[held] == 1, p.stock_total_each[row], p.stock_foreign_each[row])
    most = np.minimum(p.line_qty_each[p.cand_line], stock)
    short = (p.line_whole[p.cand_line] == 1) & (most < p.line_qty_each[p.cand_line])
    cands = np.flatnonzero(
        (p.cand_stock >= 0) & (most > 0) & ~short & (p.cand_cost_minor < p.line_penalty_minor[p.cand_line])
    )
    pairs = np.unique(p.cand_pair[cands])
    nx, ny = pairs.size, cands.size
    line, row = p.cand_line[cands], p.cand_stock[cands]
    x_of = np.searchsorted(pairs, p.cand_pair[cands])
    y = nx + np.arange(ny)
    foreign = p.cand_own[cands] == 0
    blocks = [
        (line, y, np.ones(ny), p.line_qty_each.astype(float)),
        (np.arange(ny), y, np.ones(ny), np.zeros(ny)),
        (p.open_order[pairs], np.arange(nx), np.ones(nx), p.order_shipments_max.astype(float)),
        (row, y, np.ones(ny), p.stock_total_each.astype(float)),
        (row[foreign], y[foreign], np.ones(int(foreign.sum())), p.stock_foreign_each.astype(float)),
        (p.open_place[pairs], np.arange(nx), np.ones(nx),
         np.where(p.place_capacity_orders < 0, highspy.kHighsInf, p.place_capacity_orders).astype(float)),
    ]  # fmt: skip
    at = np.cumsum([0] + [b[3].size for b in blocks])
    rows = np.concatenate([a + b[0] for a, b in zip(at, blocks, strict=False)] + [at[1] + np.arange(ny)])
    cols = np.concatenate([b[1] for b in blocks] + [x_of])
    vals = np.concatenate([b[2] for b in blocks] + [-most[cands].astype(float)])
    whole = p.line_whole[line] == 1
    lower = np.full(at[-1], -highspy.kHighsInf)
    upper = np.concatenate([b[3] for b in blocks])
    wy, k = y[whole], np.arange(int(whole.sum()))  # y = qty * z, z binary
    rows = np.concatenate([rows, at[-1] + k, at[-1] + k])
    cols = np.concatenate([cols, wy, nx + ny + k])
    vals = np.concatenate([vals, np.ones(k.size), -most[cands][whole].astype(float)])
    lower, upper = np.concatenate([lower, np.zeros(k.size)]), np.concatenate([upper, np.zeros(k.size)])
    size = (upper.size, nx + ny + k.size)
    cost = np.concatenate(
        [p.open_cost_minor[pairs], p.cand_cost_minor[cands] - p.line_penalty_minor[line], np.zeros(k.size)]
    )
    top = np.concatenate([np.ones(nx), most[cands], np.ones(k.size)]).astype(float)
    lp = _lp(coo_array((vals, (rows, cols)), shape=size).tocsc(), cost, top, lower, upper)
    kinds = [highspy.HighsVarType.kInteger] * nx + [highspy.HighsVarType.kContinuous] * ny
    lp.integrality_ = kinds + [highspy.HighsVarType.kInteger] * k.size
    lp.offset_ = float((p.line_qty_each * p.line_penalty_minor).sum())
    return lp, pairs, cands


def _lp(matrix: Any, cost: NDArray[Any], top: NDArray[Any], lower: NDArray[Any], upper: NDArray[Any]) -> Any:
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost.astype(float), np.zeros(cost.size), top
    lp.row_lower_, lp.row_upper_ = lower, upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = matrix.data
    return lp
