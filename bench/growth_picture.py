"""The picture of `bench.growth`: six small charts over the same axis of entries, each with its goal."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import log10
from typing import Any

WIDE, HIGH = 300, 190
LEFT, TOP, PLOT_WIDE, PLOT_HIGH = 44, 34, 176, 116
COLOURS = ("#0f6a84", "#c2410c", "#4d7c4b", "#7a5aa6", "#a16207", "#be185d", "#475569")
LABEL_STEP = 12
"""Pixels from one label at a line's end to the next."""


@dataclass(frozen=True)
class Chart:
    """One small chart: series by name, each with a number a row; a goal of 0 is none."""

    title: str
    series: dict[str, list[float]]
    goal: float = 0
    goal_words: str = ""


def charts(rows: list[dict[str, Any]]) -> list[Chart]:
    """What is drawn, from the rows of `bench.growth`."""

    def of(key: str) -> list[float]:
        return [float(row[key]) for row in rows]

    return [
        Chart("Facts written a second, signed singly", {"written": of("written_per_s")}, 8_000, "goal 8,000"),
        Chart("Latency at 1,000 facts a second, ms", {"p99": of("p99_ms"), "p50": of("p50_ms")}, 20, "goal p99 20"),
        Chart("p95 of a page, ms, while 500 a second are written",
              {name: [float(row["p95_ms"][name]) for row in rows] for name in rows[0]["p95_ms"]}, 50, "goal 50"),
        Chart("Entries a second", {"verify": of("verify_entries_per_s"), "rebuild": of("rebuild_entries_per_s")},
              10_000, "goal of verify"),
        Chart("Memory at the most, MiB", {"verify": of("verify_peak_mib"), "rebuild": of("rebuild_peak_mib")},
              1e9 / 2**20, "goal 1 GB"),
        Chart("Bytes on disk an entry, record and state", {"in all": of("bytes_per_entry")}),
    ]  # fmt: skip


def svg(rows: list[dict[str, Any]]) -> str:
    """All charts, three in a row."""
    entries = [row["entries"] for row in rows]
    drawn = [_chart(chart, entries, k % 3 * WIDE, k // 3 * HIGH) for k, chart in enumerate(charts(rows))]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {3 * WIDE} {2 * HIGH}" '
        'font-family="sans-serif" font-size="10.5" fill="#10222b">',
        f'<rect width="{3 * WIDE}" height="{2 * HIGH}" fill="#fff"/>', *drawn, "</svg>\n",
    ])  # fmt: skip


def _chart(chart: Chart, entries: list[int], left: int, top: int) -> str:
    most = round_up(max([chart.goal, *(value for values in chart.series.values() for value in values)]))

    def x(n: float) -> float:
        return LEFT + PLOT_WIDE * (log10(n) - 4) / 2

    def y(value: float) -> float:
        return TOP + PLOT_HIGH * (1 - value / most)

    parts = [
        f'<g transform="translate({left} {top})"><text x="8" y="18" font-weight="600">{escape(chart.title)}</text>'
    ]
    for value in (0, most / 2, most):
        parts.append(f'<path d="M{LEFT} {y(value):.0f}h{PLOT_WIDE}" stroke="#dde4e8"/>')
        parts.append(
            f'<text x="{LEFT - 5}" y="{y(value) + 4:.0f}" text-anchor="end" fill="#435963">{value:,.0f}</text>'
        )
    for power in (4, 5, 6):
        label = f'10<tspan dy="-4" font-size="8">{power}</tspan>'
        parts.append(f'<text x="{x(10**power):.0f}" y="{TOP + PLOT_HIGH + 15}" text-anchor="middle">{label}</text>')
    if chart.goal:
        height = y(chart.goal)
        parts.append(f'<path d="M{LEFT} {height:.1f}h{PLOT_WIDE}" stroke="#5b707a" stroke-dasharray="4 3"/>')
        words = escape(chart.goal_words)
        parts.append(f'<text x="{LEFT + 4}" y="{height + 11:.1f}" font-size="9.5" fill="#435963">{words}</text>')
    ends = _apart({name: y(values[-1]) + 4 for name, values in chart.series.items()})
    for colour, (name, values) in zip(COLOURS[: len(ends)], chart.series.items(), strict=True):
        points = [(x(n), y(value)) for n, value in zip(entries, values, strict=True)]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.8" points="{line}"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.4" fill="{colour}"/>' for a, b in points]
        words = escape(f"{name} {values[-1]:,.0f}")
        parts.append(f'<text x="{points[-1][0] + 6:.1f}" y="{ends[name]:.1f}" fill="{colour}">{words}</text>')
    return "".join([*parts, "</g>"])


def _apart(wanted: dict[str, float]) -> dict[str, float]:
    """Labels by height, none nearer to the next than a line of text; the lowest keeps its place, others go up."""
    placed: dict[str, float] = {}
    limit = float(TOP + PLOT_HIGH + LABEL_STEP)
    for name, height in sorted(wanted.items(), key=lambda one: (-one[1], one[0])):
        placed[name] = limit = min(height, limit - LABEL_STEP)
    return placed


def round_up(value: float) -> float:
    """The next of 1, 1.2, 1.6, 2, 3, 4, 6, 8 times a power of ten.

    >>> round_up(11_654), round_up(50), round_up(954)
    (12000.0, 60.0, 1000.0)
    """
    unit = 10.0 ** int(log10(value))
    return next(step * unit for step in (1.0, 1.2, 1.6, 2, 3, 4, 6, 8, 10) if step * unit >= value)
