"""Sourcing from 10^3 lines on: gap, time and memory a size, as JSON and as a picture.

    python -m bench.sourcing_growth 1000000 300      one size, LINES SECONDS: its rows as JSON, one a line

`bench.sourcing` runs every size in a process of its own, so that its peak memory is that size's.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from time import perf_counter, process_time
from typing import Any

import numpy as np

from bench.sourcing_data import synthetic
from hanse.planning import sourcing


def one(lines: int, seconds: float) -> list[dict[str, Any]]:
    """One size: the batch, with its certificate checked, and each order in turn; wall, CPU, peak memory so far."""
    warm = synthetic(300, 99)
    sourcing.solve(warm, seconds=None, rounds=1, cuts=True)
    sourcing.order_by_order(warm)
    begin = perf_counter()
    problem = synthetic(lines, 1)
    head = {"lines": lines, "orders": problem.orders, "generated_s": round(perf_counter() - begin, 1)}
    rows = []
    wall, cpu = perf_counter(), process_time()
    plan = sourcing.solve(problem, seconds=seconds, seed=1, cuts=True)
    spent = {"wall_s": round(perf_counter() - wall, 3), "cpu_s": round(process_time() - cpu, 3)}
    rows.append({"method": f"ours, {seconds:g} s", "gap_percent": _gap(plan.cost_minor, plan.bound_minor)} | spent)
    wall = perf_counter()
    told = sourcing.check(problem, plan, sourcing.certificate(problem, plan))
    assert told.ok, told.faults
    rows[0]["certificate_and_check_s"] = round(perf_counter() - wall, 3)
    rows[0]["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    wall, cpu = perf_counter(), process_time()
    peer = sourcing.order_by_order(problem)
    spent = {"wall_s": round(perf_counter() - wall, 3), "cpu_s": round(process_time() - cpu, 3)}
    rows.append({"method": "order by order, exact", "gap_percent": _gap(peer.cost_minor, plan.bound_minor)} | spent)
    rows[1]["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return [head | r for r in rows]


def _gap(cost: int, bound: int | None) -> float:
    assert bound is not None
    return round(100 * (cost - bound) / max(1, abs(bound)), 4)


def grown(top: int) -> list[dict[str, Any]]:
    """10^3..top lines: seconds grow with the lines (1 ms a line, 4 to 300)."""
    rows: list[dict[str, Any]] = []
    lines = 1000
    while lines <= top:
        limit = float(min(300, max(4, lines // 1000)))
        child = [sys.executable, "-m", "bench.sourcing_growth", str(lines), str(limit)]
        said = subprocess.run(child, capture_output=True, text=True, check=False)
        if said.returncode:
            print(
                f"{lines:,} lines: failed, {said.stderr.strip().splitlines()[-1] if said.stderr else said.returncode}"
            )
            break
        rows += [json.loads(line) for line in said.stdout.splitlines()]
        lines *= 10
    return rows


def svg(rows: list[dict[str, Any]]) -> str:
    """Gap (percent, logarithmic) over lines (logarithmic), one polyline a method."""
    names = {"ours": "#0a6", "order": "#c50"}
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 360" font-family="sans-serif" font-size="12">']

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
            parts.append(
                f'<text x="{x + 4:.0f}" y="{y - 4:.0f}" fill="{colour}">{r["wall_s"]:.3g} s, {r["peak_mb"]} MB</text>'
            )
        label = {"ours": "prices, columns, cuts, polishing", "order": "order by order, exact"}[name]
        parts.append(f'<text x="420" y="{20 + 16 * k}" fill="{colour}">{label}</text>')
    for lines in sorted({r["lines"] for r in rows}):
        parts.append(f'<text x="{at(lines, 1)[0]:.0f}" y="325">{lines:,} lines</text>')
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    for told in one(int(sys.argv[1]), float(sys.argv[2])):
        print(json.dumps(told), flush=True)
