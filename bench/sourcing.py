"""Sourcing: proven gap and time, beside what others do.

    python -m bench.sourcing                                 all of it, some 30 minutes on a quiet machine
    python -m bench.sourcing --quick                         the same on small sizes, a minute or two
    python -m bench.sourcing --sizes 5000:4,60:3 --no-brunel --growth-top 0
                                                             LINES:SECONDS[,SECONDS][:SEEDS], one size or several

Synthetic networks (`sourcing_data.synthetic`, and a `lumpy` one at the first size), Brunel outbound logistics over
1, 4 and 10 days, growth from 10^3 lines on as an SVG, each size in a process of its own. Gaps are above the plan's
own certified bound (peers: the best one of the instance), every certificate re-checked by `check`. Wall and CPU
seconds both; compiled code is warmed up before the clock starts.
Writes bench/out/sourcing.json and bench/out/sourcing-growth.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from bench.common import machine
from bench.sourcing_data import brunel, synthetic
from bench.sourcing_growth import grown, svg
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


def ours(problem: Problem, seconds: list[float], seed: int) -> tuple[list[dict[str, Any]], list[Plan]]:
    """The batch at each time limit, its certificate checked; each gap is the plan's own, as it would be certified."""
    rows, plans = [], []
    for limit in seconds:
        plan, wall, cpu = timed(lambda limit=limit: sourcing.solve(problem, seconds=limit, seed=seed, cuts=True))
        cert = sourcing.certificate(problem, plan)
        checked, check_s, _ = timed(lambda plan=plan, cert=cert: sourcing.check(problem, plan, cert))
        assert checked.ok, checked.faults
        assert (checked.cost_minor, checked.lower_bound_minor) == (plan.cost_minor, plan.bound_minor)
        prices_alone = 100 * (plan.cost_minor - plan.prices.bound) / max(1, abs(plan.prices.bound))
        more = {"rounds": plan.rounds, "check_s": round(check_s, 3), "cuts": plan.cuts.row.size if plan.cuts else 0}
        more["gap_by_prices_alone"] = round(prices_alone, 4)
        rows.append(row(f"ours, {limit:g} s", plan.cost_minor, plan.bound_minor, wall, cpu, **more))
        plans.append(plan)
    return rows, plans


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


def peers(problem: Problem, bound: int, mip_s: float, start: Plan | None) -> list[dict[str, Any]]:
    """Routing rules, each order exactly in turn; HiGHS, cold and from our plan, on the natural program."""
    rows = []
    for name, work in (
        ("greedy, single source first", sourcing.greedy),
        ("order by order, exact", sourcing.order_by_order),
    ):
        plan, wall, cpu = timed(lambda work=work: work(problem))
        assert sourcing.violations(problem, plan) == []
        rows.append(row(name, plan.cost_minor, bound, wall, cpu))
    if mip_s <= 0:
        return rows
    for name, first in (("cold", None), ("from our short plan", start)):
        (plan, _), wall, cpu = timed(lambda first=first: sourcing.natural_mip(problem, mip_s, start=first))
        name = f"MIP, HiGHS {name}, {mip_s:g} s"
        rows.append(row(name, plan.cost_minor, bound, wall, cpu) if plan else {"method": name, "gap_percent": None})
    return rows


def cpsat(lines: int, seed: int, lumpy: bool, bound: int, seconds: float) -> list[dict[str, Any]]:
    """The natural program given to CP-SAT in a process of its own: its library and highspy's do not load together."""
    if find_spec("ortools") is None:
        print("CP-SAT: skipped, ortools is not installed in this environment")
        return []
    child = [sys.executable, "-m", "bench.sourcing_cpsat", str(lines), str(seed), str(int(lumpy)), str(seconds)]
    said = subprocess.run(child, capture_output=True, text=True, check=False)
    if said.returncode:
        print(f"CP-SAT: skipped, {said.stderr.strip().splitlines()[-1]}")
        return []
    told = json.loads(said.stdout)
    name = f"MIP, CP-SAT, {seconds:g} s"
    if told["cost_minor"] is None:
        return [{"method": name, "gap_percent": None}]
    return [row(name, told["cost_minor"], bound, told["wall_s"], told["cpu_s"])]


def run_synthetic(lines: int, seconds: list[float], seed: int, mip_s: float, lumpy: bool) -> list[dict[str, Any]]:
    """All methods on one instance."""
    problem = synthetic(lines, seed, lumpy=lumpy)
    head = {"lines": lines, "orders": problem.orders, "seed": seed, "lumpy": lumpy}
    head["candidates_a_line"] = round(problem.cand_place.size / lines, 2)
    size = np.bincount(problem.components())
    head |= {"components": int(size.size), "largest_component": int(size.max())}
    print(head, flush=True)
    rows = []
    mine, plans = ours(problem, seconds, seed)
    best = max(plans, key=lambda p: p.bound_minor)
    bound = best.bound_minor
    others = peers(problem, bound, mip_s, plans[0])
    if mip_s > 0:
        others += cpsat(lines, seed, lumpy, bound, mip_s)
    for r in mine + online(problem, best, bound) + others:
        rows.append(head | r)
        show(rows[-1])
    return rows


def run_brunel(seconds: float) -> list[dict[str, Any]]:
    """Capacities in orders per plant and day, spread over several days."""
    rows: list[dict[str, Any]] = []
    for days in (1, 4, 10):
        problem = brunel(days)
        if problem is None:
            print("brunel_logistics: skipped, ../shared/data is not here")
            return rows
        mine, plans = ours(problem, [seconds], 1)
        served = int((plans[0].units > 0).sum())
        for r in mine + peers(problem, plans[0].bound_minor, 0.0, None):
            rows.append({"days": days, "orders": problem.orders, "served": served} | r)
            show(rows[-1])
    return rows


def show(r: dict[str, Any]) -> None:
    """One row on the screen."""
    size = f"{r.get('lines', r.get('days', '')):>8}" if "lines" in r else f"{r.get('days', '')!s:>5} d "
    gap = "" if r.get("gap_percent") is None else f"{r['gap_percent']:9.3f} %"
    extra = " ".join(
        f"{k}={r[k]}"
        for k in ("rounds", "cuts", "gap_by_prices_alone", "check_s", "us_an_order", "served", "peak_mb")
        if k in r
    )
    print(
        f"{size}  {r['method']:<30}{gap:>12} {r.get('wall_s', ''):>9} s {r.get('cpu_s', ''):>9} CPU s  {extra}",
        flush=True,
    )


FULL = ["5000:4,60:3", "1000:2,8:3", "20000:20,100:3", "100000:60,300"]
QUICK = ["1000:2,8", "5000:4"]


def sizes(text: str) -> tuple[int, list[float], int]:
    """LINES:SECONDS[,SECONDS][:SEEDS] as numbers.

    >>> sizes("5000:4,60:2")
    (5000, [4.0, 60.0], 2)
    """
    lines, seconds, seeds = (text + ":1").split(":")[:3]
    return int(lines), [float(x) for x in seconds.split(",")], int(seeds)


def main() -> None:
    """Parse, warm up, run, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="*", help=f"LINES:SECONDS[,SECONDS][:SEEDS]; default {' '.join(FULL)}")
    parser.add_argument("--quick", action="store_true", help=f"sizes {' '.join(QUICK)}, the rest likewise short")
    parser.add_argument("--mip", type=float, help="most seconds of an integer program; default 60, --quick 8; 0: none")
    parser.add_argument("--mip-lines", type=int, default=20_000, help="largest size given to the integer programs")
    parser.add_argument("--no-brunel", action="store_true")
    parser.add_argument("--brunel-seconds", type=float, help="its time limit; default 10, --quick 4")
    parser.add_argument("--growth-top", type=int, help="largest of 10^3, 10^4, ... lines; default 10^5, --quick 10^4")
    a = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    most = a.mip if a.mip is not None else (8.0 if a.quick else 60.0)
    top = a.growth_top if a.growth_top is not None else (10_000 if a.quick else 100_000)
    warm = synthetic(300, 99)
    sourcing.promise(
        sourcing.order_of(warm, 0), View.of(warm), sourcing.solve(warm, seconds=None, rounds=2, cuts=True).prices
    )
    sourcing.order_by_order(warm)
    about: dict[str, Any] = {"machine": machine(), "load_before": os.getloadavg(), "rows": []}
    chosen = [sizes(x) for x in (a.sizes if a.sizes is not None else QUICK if a.quick else FULL)]
    for k, (lines, seconds, seeds) in enumerate(chosen):
        mip_s = min(most, max(seconds)) if lines <= a.mip_lines else 0.0
        for seed in range(1, seeds + 1):
            about["rows"] += run_synthetic(lines, seconds, seed, mip_s if seed == 1 else 0.0, False)
        if k == 0:
            about["rows"] += run_synthetic(lines, seconds[:1], 1, 0.0, True)
    about["brunel"] = [] if a.no_brunel else run_brunel(a.brunel_seconds or (4.0 if a.quick else 10.0))
    about["growth"] = grown(top)
    for r in about["growth"]:
        show(r)
    if about["growth"]:
        (OUT / "sourcing-growth.svg").write_text(svg(about["growth"]), encoding="utf-8")
    about["load_after"] = os.getloadavg()
    (OUT / "sourcing.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
