"""CP-SAT on the natural program of one synthetic instance, as JSON: `python -m bench.sourcing_cpsat 5000 1 0 60`."""

from __future__ import annotations

import json
import sys
from time import perf_counter, process_time
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from bench.sourcing_data import synthetic
from hanse.planning.sourcing import Problem


def model_of(p: Problem) -> cp_model.CpModel:
    """Units of each candidate, shipments opened; what a unit saves against its shortage, and what shipments cost."""
    m = cp_model.CpModel()
    cands = np.flatnonzero((p.cand_stock >= 0) & (p.cand_cost_minor < p.line_penalty_minor[p.cand_line]))
    x = [m.new_bool_var("") for _ in range(p.open_order.size)]
    y = {int(c): m.new_int_var(0, int(p.line_qty_each[p.cand_line[c]]), "") for c in cands}
    groups: dict[tuple[str, int], list[Any]] = {}
    for c, v in y.items():
        m.add(v <= int(p.line_qty_each[p.cand_line[c]]) * x[p.cand_pair[c]])
        groups.setdefault(("line", int(p.cand_line[c])), []).append(v)
        groups.setdefault(("total", int(p.cand_stock[c])), []).append(v)
        if not p.cand_own[c]:
            groups.setdefault(("foreign", int(p.cand_stock[c])), []).append(v)
    most = {"line": p.line_qty_each, "total": p.stock_total_each, "foreign": p.stock_foreign_each}
    for (kind, k), terms in groups.items():
        m.add(sum(terms) <= int(most[kind][k]))
    of_order = np.argsort(p.open_order, kind="stable")
    first = np.searchsorted(p.open_order[of_order], np.arange(p.orders + 1))
    for o in range(p.orders):
        m.add(sum(x[k] for k in of_order[first[o] : first[o + 1]]) <= int(p.order_shipments_max[o]))
    gain = sum(v * int(p.cand_cost_minor[c] - p.line_penalty_minor[p.cand_line[c]]) for c, v in y.items())
    m.minimize(gain + sum(v * int(f) for v, f in zip(x, p.open_cost_minor, strict=True)))
    return m


def main(lines: int, seed: int, lumpy: bool, seconds: float) -> None:
    """Two workers; the model's construction is not counted."""
    problem = synthetic(lines, seed, lumpy=lumpy)
    model = model_of(problem)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds, solver.parameters.num_workers = seconds, 2
    wall, cpu = perf_counter(), process_time()
    status = solver.solve(model)
    told: dict[str, Any] = {"wall_s": perf_counter() - wall, "cpu_s": process_time() - cpu, "cost_minor": None}
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        short = int((problem.line_qty_each * problem.line_penalty_minor).sum())
        told["cost_minor"] = round(solver.objective_value) + short
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1", float(sys.argv[4]))
