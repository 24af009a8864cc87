"""Figures and control charts of scorecards in words: what each figure means, and in a sentence what changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hanse.rooms.contracts import scores
from hanse.rooms.contracts.scorecards import Scorecard
from hanse.rooms.contracts.scores import Chart, Figure, Point
from hanse.web import Badge
from hanse.web import charts as pictures
from hanse.web.formats import percent, time_text

DAY = 86_400
POINTS_SHOWN = 60
POINTS_LEAST = 8
"""Fewer points say nothing about what chance explains."""
FIGURES = {
    "otif_lines": ("Lines on time in full", "closed lines that came whole, good and by their promise", "ppm"),
    "otif_orders": ("Orders on time in full", "orders of which every line was", "ppm"),
    "perfect_orders": ("Perfect orders", "on time in full, nothing damaged, short, contested or returned", "ppm"),
    "fill_rate": ("Fill rate", "good units received of units ordered", "ppm"),
    "lead_time_median_seconds": ("Lead time", "from order to arrival, half are faster", "seconds"),
    "lead_time_p10_seconds": ("Fast tenth", "one delivery of ten takes no longer", "seconds"),
    "lead_time_p90_seconds": ("Slow tenth", "nine deliveries of ten take no longer", "seconds"),
    "defects_ppm": ("Damaged or short", "parts per million of units shipped", "parts"),
    "claim_time_median_seconds": ("Claim time", "from a claim to its answer", "seconds"),
    "cancelled": ("Cancelled", "units cancelled of units ordered", "ppm"),
    "satisfaction": ("Satisfaction", "weighted by evidence and age: half as much a year later", "score"),
    "rated_good": ("Measured: good", "on the deliveries that were rated", "ppm"),
    "rated_kept": ("Measured: promise kept", "on the deliveries that were rated", "ppm"),
    "paid_in_time": ("Invoices paid in time", "paid by their due day", "ppm"),
    "money_paid_in_time": ("Money paid in time", "the same by amount", "ppm"),
    "seconds_to_pay_median": ("Days to pay", "from invoice to payment, half are faster", "seconds"),
    "seconds_beyond_terms_by_money": ("Days beyond terms", "by amount; open ones as late as they are", "seconds"),
    "disputed": ("Disputed invoices", "of all invoices", "ppm"),
}  # fmt: skip
"""figure -> (label, what it means, its unit)."""
CHARTS = {
    "days_late_hundredths": ("Days after the promise, delivery by delivery", "days", 100),
    "otif_lines_by_month": ("Lines on time in full, by month", "%", 10_000),
    "seconds_beyond_terms": ("Days beyond terms, payment by payment", "days", DAY),
}
"""chart -> (title, unit, by what its values are divided)."""
MORE_IS_WORSE = ("days_late_hundredths", "seconds_beyond_terms")


def figure_words(figure: Figure) -> dict[str, Any]:
    """A figure as its card shows it: label, value, unit, detail, evidence, whether it is unproven."""
    label, meaning, unit = FIGURES[figure.name]
    value, words = "–", ""
    if figure.value >= 0:
        value, words = {
            "ppm": (percent(figure.value), ""), "parts": (f"{figure.value:,}", "ppm"),
            "seconds": (f"{figure.value / DAY:,.1f}", "days"), "score": (f"{figure.value / 100:.1f}", "of 5"),
        }[unit]  # fmt: skip
    counted = f"{figure.n:,} counted" if figure.n else "nothing to measure yet"
    if 0 < figure.unproven_n < figure.n:
        counted += f", {figure.unproven_n:,} of them unproven"
    return {"label": label, "value": value, "unit": words, "detail": f"{meaning}; {counted}",
            "evidence": figure.evidence, "unproven": figure.unproven}  # fmt: skip


def badge_of(card: Scorecard) -> Badge:
    """How far a card is proven: by both sides' signatures, in part, or by one side's word."""
    if card.unproven:
        return Badge("unproven", "unproven")
    partly = any(figure.unproven_n for figure in card.figures if figure.name != "satisfaction")
    return Badge("partly unproven", "unproven") if partly else Badge("proven", "proven")


def chart_of(chart: Chart) -> pictures.Chart:
    """A control chart as a picture: the latest sixty points, each leading to its entry where limits are level."""
    title, unit, scale = CHARTS[chart.name]
    points = chart.points[-POINTS_SHOWN:]
    days = [time_text(point.at, UTC, with_time=False) for point in points]
    values = [round(point.value / scale, 2) for point in points]
    middle = round(chart.middle / scale, 2)
    if chart.kind == "individuals":
        first = points[0]
        return pictures.control(
            title, days, values, centre=middle, low=round(first.low / scale, 2), high=round(first.high / scale, 2),
            unit=unit, hrefs=[f"/history/{point.entry}" for point in points],
            note="A point opens the entry that it was measured from.",
        )  # fmt: skip
    lines = [
        pictures.Series("Share", values),
        pictures.Series("Mean", [middle] * len(points), tone="quiet"),
        pictures.Series("Chance, low", [round(point.low / scale, 2) for point in points], tone="quiet", dashed=True),
        pictures.Series("Chance, high", [round(point.high / scale, 2) for point in points], tone="quiet", dashed=True),
    ]
    months = [datetime.fromtimestamp(point.at, UTC).strftime("%b %Y") for point in points]
    return pictures.line(title, months, lines, unit=unit, note="Limits are wider for months with few lines.")


def change(chart: Chart, *, short: bool = False) -> str:
    """What a chart says, in a sentence or two: what is usual, and the latest change that chance does not explain.

    Args:
        short: only the change, "" where there is none.

    >>> same = [(t * 86_400, 100, t, False) for t in range(10)]
    >>> change(scores.individuals("days_late_hundredths", same))
    'On average 1.0 days after the promise. All 10 points lie within what chance explains: nothing has changed.'
    >>> late = scores.individuals("days_late_hundredths", [*same, (10 * 86_400, 1500, 10, False)])
    >>> change(late, short=True)
    'On 11 Jan 1970 worse than chance explains: 15.0 days after the promise.'
    """
    n = len(chart.points)
    if n < POINTS_LEAST:
        return "" if short else f"{n} {'point' if n == 1 else 'points'}: too few to tell chance from change."
    usual = f"On average {_said(chart, chart.middle)}."
    last = chart.signals[-1] if chart.signals else None
    if last is None:
        calm = f"All {n} points lie within what chance explains: nothing has changed."
        return "" if short else f"{usual} {calm}"
    words = _signal(chart, last)
    return words if short else f"{usual} {words}"


def _said(chart: Chart, value: int) -> str:
    if chart.name == "otif_lines_by_month":
        return f"{percent(value)} of lines on time in full"
    scale = CHARTS[chart.name][2]
    of = "the promise" if chart.name == "days_late_hundredths" else "the due day"
    return f"{abs(value) / scale:.1f} days {'after' if value >= 0 else 'before'} {of}"


def _signal(chart: Chart, point: Point) -> str:
    above = point.value > chart.middle
    tone = "worse" if above == (chart.name in MORE_IS_WORSE) else "better"
    at = chart.points.index(point)
    start = at
    while start and (before := chart.points[start - 1].value) != chart.middle and (before > chart.middle) == above:
        start -= 1
    if at - start + 1 >= scores.RUN:
        since = time_text(chart.points[start].at, UTC, with_time=False)
        return f"Since {since} {at - start + 1} in a row lie on the {tone} side: something has changed."
    day = time_text(point.at, UTC, with_time=False)
    return f"On {day} {tone} than chance explains: {_said(chart, point.value)}."


__all__ = ["badge_of", "change", "chart_of", "figure_words", "scores"]
