"""Sourcing: proven gap and time, beside what others do.

    python -m bench.sourcing --lines 5000 --seconds 4,60 --seeds 3      synthetic network, 16 candidates a line
    python -m bench.sourcing --brunel                                   Brunel outbound logistics over 1, 4, 10 days
    python -m bench.sourcing --growth                                   10^3..10^6 lines, an SVG and its figures

The gap is above the plan's own certified bound, re-checked by `check`. Compiled code is warmed up before the clock
starts.
Writes bench/out/sourcing-*.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from bench.sourcing_data import brunel, synthetic
from hanse.planning import sourcing
from hanse.planning.sourcing import Plan, Problem, View

OUT = Path(__file__).parent / "out"


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """(result, wall seconds, CPU seconds)."""
    wall, cpu = perf_counter(), process_time()
    result = work()
    return result, perf_counter() - wall, process_time() - cpu


def row(method: str, cost: int, bound: int, wall: float, cpu: float, **more: Any) -> dict[str, Any]:
    """One line of the table; gap in percent of the certified bound."""
    out = {"method": method, "gap_percent": round(100 * (cost - bound) / max(1, abs(bound)), 4)}
    return out | {"wall_s": round(wall, 3), "cpu_s": round(cpu, 3), "cost_minor": cost} | more


def ours(problem: Problem, seconds: list[float], seed: int) -> tuple[list[dict[str, Any]], Plan]:
    """The batch at each time limit, its certificate checked; every gap against the best bound proven."""
    plans = []
    for limit in seconds:
        plan, wall, cpu = timed(lambda limit=limit: sourcing.solve(problem, seconds=limit, seed=seed))
        cert = sourcing.certificate(problem, plan)
        checked, check_s, _ = timed(lambda plan=plan, cert=cert: sourcing.check(problem, plan, cert))
        assert checked.ok, checked.faults
        plans.append((limit, plan, wall, cpu, check_s))
    rows = [
        row(f"ours, {limit:g} s", p.cost_minor, p.prices.bound, wall, cpu, rounds=p.rounds, check_s=round(check_s, 3))
        for limit, p, wall, cpu, check_s in plans
    ]
    return rows, max((p[1] for p in plans), key=lambda p: p.prices.bound)


def online(problem: Problem, plan: Plan, bound: int) -> list[dict[str, Any]]:
    """Every order at once with the batch's prices, in a random sequence; and one call at a time."""
    sequence = np.random.default_rng(0).permutation(problem.orders)
    (_, cost), wall, cpu = timed(lambda: sourcing.promise_all(problem, sequence, View.of(problem), plan.prices))
    rows = [row("online, bid prices", cost, bound, wall, cpu, us_an_order=round(1e6 * wall / problem.orders, 1))]
    some = [sourcing.order_of(problem, int(o)) for o in sequence[:2000]]
    view = View.of(problem)
    sourcing.promise(some[0], View.of(problem), plan.prices)
    made, wall, cpu = timed(lambda: [sourcing.promise(o, view, plan.prices) for o in some])
    each = round(1e6 * wall / len(some), 1)
    rows.append(
        {"method": "online, one call an order", "us_an_order": each, "cpu_s": round(cpu, 3), "orders": len(made)}
    )
    return rows


def peers(problem: Problem, bound: int, mip_s: float) -> list[dict[str, Any]]:
    """Routing rules, each order exactly in turn, HiGHS and CP-SAT on the natural program."""
    rows = []
    for name, work in (
        ("greedy, single source first", sourcing.greedy),
        ("order by order, exact", sourcing.order_by_order),
    ):
        plan, wall, cpu = timed(lambda work=work: work(problem))
        assert sourcing.violations(problem, plan) == []
        rows.append(row(name, plan.cost_minor, bound, wall, cpu))
    if mip_s > 0:
        (plan, _), wall, cpu = timed(lambda: sourcing.natural_mip(problem, mip_s))
        name = f"natural MIP, HiGHS, {mip_s:g} s"
        rows.append(row(name, plan.cost_minor, bound, wall, cpu) if plan else {"method": name, "gap_percent": None})
        rows += cpsat(problem, bound, mip_s)
    return rows


def cpsat(problem: Problem, bound: int, seconds: float) -> list[dict[str, Any]]:
    """The natural program given to CP-SAT, where ortools is installed."""
    if find_spec("ortools") is None:
        print("CP-SAT: skipped, ortools is not installed in this environment")
        return []
    from ortools.sat.python import cp_model

    p, m = problem, cp_model.CpModel()
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
    for o in range(p.orders):
        m.add(sum(x[k] for k in np.flatnonzero(p.open_order == o)) <= int(p.order_shipments_max[o]))
    gain = sum(v * int(p.cand_cost_minor[c] - p.line_penalty_minor[p.cand_line[c]]) for c, v in y.items())
    m.minimize(gain + sum(v * int(f) for v, f in zip(x, p.open_cost_minor, strict=True)))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds, solver.parameters.num_workers = seconds, 2
    status, wall, cpu = timed(lambda: solver.solve(m))
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return [{"method": f"natural MIP, CP-SAT, {seconds:g} s", "gap_percent": None}]
    cost = round(solver.objective_value) + int((p.line_qty_each * p.line_penalty_minor).sum())
    return [row(f"natural MIP, CP-SAT, {seconds:g} s", cost, bound, wall, cpu)]


def run_synthetic(lines: int, seconds: list[float], seeds: int, mip_s: float) -> list[dict[str, Any]]:
    """All methods on `seeds` instances of one size."""
    rows = []
    for seed in range(1, seeds + 1):
        problem = synthetic(lines, seed)
        head = {"lines": lines, "orders": problem.orders, "seed": seed}
        head["candidates_a_line"] = round(problem.cand_place.size / lines, 2)
        mine, best = ours(problem, seconds, seed)
        bound = best.prices.bound
        for r in mine + online(problem, best, bound) + peers(problem, bound, mip_s):
            rows.append(head | r)
            show(rows[-1])
    return rows


def run_brunel(seconds: list[float]) -> list[dict[str, Any]]:
    """Capacities in orders per plant and day, spread over several days."""
    rows: list[dict[str, Any]] = []
    for days in (1, 4, 10):
        problem = brunel(days)
        if problem is None:
            print("brunel_logistics: skipped, ../shared/data is not here")
            return rows
        mine, best = ours(problem, seconds, 1)
        served = int((best.units > 0).sum())
        for r in mine + peers(problem, best.prices.bound, 0.0):
            rows.append({"days": days, "orders": problem.orders, "served": served} | r)
            show(rows[-1])
    return rows


def run_growth(top: int) -> list[dict[str, Any]]:
    """10^3..top lines: seconds grow with the lines (at least 4, 1 ms a line up to 300)."""
    rows = []
    lines = 1000
    while lines <= top:
        problem = synthetic(lines, 1)
        limit = float(min(300, max(4, lines // 1000)))
        mine, best = ours(problem, [limit], 1)
        obo, wall, cpu = timed(lambda problem=problem: sourcing.order_by_order(problem))
        for r in [*mine, row("order by order, exact", obo.cost_minor, best.prices.bound, wall, cpu)]:
            rows.append({"lines": lines, "orders": problem.orders} | r)
            show(rows[-1])
        lines *= 10
    (OUT / "sourcing-growth.svg").write_text(svg(rows), encoding="utf-8")
    return rows


def svg(rows: list[dict[str, Any]]) -> str:
    """Gap (percent, logarithmic) over lines (logarithmic), one polyline a method."""
    names = {"ours": "#0a6", "order": "#c50"}
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360" font-family="sans-serif" font-size="12">']

    def at(lines: int, gap: float) -> tuple[float, float]:
        return 60 + 175 * (np.log10(lines) - 3), 300 - 90 * (np.log10(max(gap, 0.05)) + 1)

    for gap in (0.1, 1.0, 10.0, 100.0):
        y = at(1000, gap)[1]
        parts.append(
            f'<line x1="60" x2="600" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/><text x="10" y="{y:.0f}">{gap:g} %</text>'
        )
    for k, (name, colour) in enumerate(names.items()):
        mine = [r for r in rows if r["method"].startswith(name)]
        points = [(*at(r["lines"], r["gap_percent"]), r) for r in mine]
        line = " ".join(f"{x:.0f},{y:.0f}" for x, y, _ in points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{line}"/>')
        for x, y, r in points:
            parts.append(f'<text x="{x + 4:.0f}" y="{y - 4:.0f}" fill="{colour}">{r["wall_s"]:.3g} s</text>')
        label = {"ours": "prices, columns, search", "order": "order by order, exact"}[name]
        parts.append(f'<text x="420" y="{20 + 16 * k}" fill="{colour}">{label}</text>')
    for lines in sorted({r["lines"] for r in rows}):
        parts.append(f'<text x="{at(lines, 1)[0]:.0f}" y="325">{lines:,} lines</text>')
    return "\n".join([*parts, "</svg>\n"])


def show(r: dict[str, Any]) -> None:
    """One row on the screen."""
    size = f"{r.get('lines', r.get('days', '')):>8}" if "lines" in r else f"{r.get('days', '')!s:>5} d "
    gap = "" if r.get("gap_percent") is None else f"{r['gap_percent']:9.3f} %"
    extra = " ".join(f"{k}={r[k]}" for k in ("rounds", "check_s", "us_an_order", "served") if k in r)
    print(
        f"{size}  {r['method']:<30}{gap:>12} {r.get('wall_s', ''):>9} s {r.get('cpu_s', ''):>9} CPU s  {extra}",
        flush=True,
    )


def main() -> None:
    """Parse, warm up, run, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", default="5000", help="sizes, comma separated")
    parser.add_argument("--seconds", default="4,60", help="time limits of the batch, comma separated")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--mip", type=float, default=0.0, help="seconds for the natural program, 0: leave out")
    parser.add_argument("--brunel", action="store_true")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--growth-top", type=int, default=1_000_000)
    a = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    seconds = [float(x) for x in a.seconds.split(",")]
    warm = synthetic(300, 99)
    sourcing.promise(sourcing.order_of(warm, 0), View.of(warm), sourcing.solve(warm, seconds=None, rounds=2).prices)
    sourcing.order_by_order(warm)
    if a.brunel:
        name, rows = "brunel", run_brunel(seconds)
    elif a.growth:
        name, rows = "growth", run_growth(a.growth_top)
    else:
        sizes = [int(x) for x in a.lines.split(",")]
        name = "-".join(str(x) for x in sizes)
        rows = [r for n in sizes for r in run_synthetic(n, seconds, a.seeds, a.mip)]
    about = {"machine": f"{os.cpu_count()} cores, {platform.machine()}", "load": os.getloadavg(), "rows": rows}
    (OUT / f"sourcing-{name}.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
