"""Pictures: what a chart shows, as plain data. `ui.chart(chart)` draws it, with a table of the same figures beside it.

The browser draws on a canvas by `static/charts.js`, as `static/charts_look.js` says; colours come from the style sheet.
Nothing here computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from hanse.web.formats import number

Figure = float | int | None


class Chart(msgspec.Struct, frozen=True):
    """One picture: `data` for the browser, `head` and `rows` for the table of the same figures."""

    kind: str
    title: str
    unit: str
    data: dict[str, Any]
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""
    height: str = "medium"


class Series(msgspec.Struct, frozen=True):
    """One line or row of bars. `tone`: "" by order, or "good", "warn", "bad", "quiet"."""

    name: str
    values: Sequence[Figure]
    tone: str = ""
    dashed: bool = False


class Point(msgspec.Struct, frozen=True):
    """One place on a map: degrees north and east, a value that sets its size, where a click leads."""

    name: str
    lat: float
    lon: float
    value: float = 0
    unit: str = ""
    tone: str = ""
    href: str = ""


class Flow(msgspec.Struct, frozen=True):
    """Something that goes from one place to another, by the places' names."""

    start: str
    end: str
    value: float = 1
    label: str = ""


def chart_json(chart: Chart) -> Markup:
    r"""A chart's data for a `<script type="application/json">` block; no text in it can end the block.

    >>> chart_json(line("</script>", ["a"], [Series("s", [1])], unit="each")).count("<")
    0
    """
    body = {"kind": chart.kind, "title": chart.title, "unit": chart.unit, **chart.data}
    text = msgspec.json.encode(body).decode()
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


def _table(x: Sequence[str], series: Sequence[Series], unit: str) -> list[tuple[str, ...]]:
    for one in series:
        if len(one.values) != len(x):
            raise ValueError(f"series {one.name!r} has {len(one.values)} values for {len(x)} labels")
    return [(label, *(number(one.values[i]) for one in series)) for i, label in enumerate(x)]


def line(
    title: str, x: Sequence[str], series: Sequence[Series], *, unit: str, step: bool = False, note: str = ""
) -> Chart:
    """Lines over labels. `step`: a level that holds until the next label (a tier curve).

    Raises: ValueError when a series has not one value per label.
    """
    rows = _table(x, series, unit)
    data = {"x": list(x), "series": [msgspec.to_builtins(one) for one in series], "step": step}
    return Chart("line", title, unit, data, ("", *(one.name for one in series)), rows, note)


def bars(
    title: str,
    x: Sequence[str],
    series: Sequence[Series],
    *,
    unit: str,
    stacked: bool = False,
    horizontal: bool = False,
    note: str = "",
) -> Chart:
    """Bars over labels, side by side or stacked. Raises: as `line`."""
    rows = _table(x, series, unit)
    data = {
        "x": list(x),
        "series": [msgspec.to_builtins(one) for one in series],
        "stacked": stacked,
        "horizontal": horizontal,
    }
    return Chart("bar", title, unit, data, ("", *(one.name for one in series)), rows, note)


def band(
    title: str,
    x: Sequence[str],
    actual: Sequence[Figure],
    low: Sequence[Figure],
    middle: Sequence[Figure],
    high: Sequence[Figure],
    *,
    unit: str,
    note: str = "",
    names: tuple[str, str, str, str] = ("Actual", "Low", "Expected", "High"),
) -> Chart:
    """What was, and what is expected with its range; None where there is nothing. Raises: as `line`."""
    series = [Series(name, values) for name, values in zip(names, (actual, low, middle, high), strict=True)]
    rows = _table(x, series, unit)
    data = {
        "x": list(x), "actual": list(actual), "low": list(low), "middle": list(middle), "high": list(high),
        "names": list(names),
    }  # fmt: skip
    return Chart("band", title, unit, data, ("", *names), rows, note)


def waterfall(title: str, steps: Sequence[tuple[str, float, bool]], *, unit: str, note: str = "") -> Chart:
    """From a first total by changes to the last: (label, value, True for a total). A total restarts the level.

    >>> waterfall("Price", [("List", 100, True), ("Rebate", -8, False), ("Net", 92, True)], unit="EUR").rows[1]
    ('Rebate', '−8', '92')
    """
    level: float = 0
    data: list[dict[str, Any]] = []
    rows: list[tuple[str, ...]] = []
    for label, value, total in steps:
        start = 0 if total else level
        level = value if total else level + value
        data.append({"label": label, "start": start, "end": level, "total": total, "value": value})
        rows.append((label, number(value), number(level)))
    return Chart("waterfall", title, unit, {"steps": data}, ("", "Change", "Level"), rows, note)


def control(
    title: str,
    x: Sequence[str],
    values: Sequence[Figure],
    *,
    centre: float,
    low: float,
    high: float,
    unit: str,
    hrefs: Sequence[str] = (),
    note: str = "",
) -> Chart:
    """A control chart: points with centre line and limits; a point leads to its evidence, outside ones stand out."""
    rows = _table(x, [Series("Value", values)], unit)
    outside = ["outside" if v is not None and not low <= v <= high else "" for v in values]
    rows = [(*row, mark) for row, mark in zip(rows, outside, strict=True)]
    data = {
        "x": list(x), "values": list(values), "centre": centre, "low": low, "high": high, "hrefs": list(hrefs),
    }  # fmt: skip
    return Chart("control", title, unit, data, ("", "Value", "Limits"), rows, note)


def world(title: str, points: Sequence[Point], flows: Sequence[Flow] = (), *, unit: str = "", note: str = "") -> Chart:
    """Places on the map, and flows between them; the map zooms to them.

    Raises: ValueError when a flow names no place, or a place is not on Earth.
    """
    names = {point.name for point in points}
    for flow in flows:
        if flow.start not in names or flow.end not in names:
            raise ValueError(f"flow {flow.start} to {flow.end}: no such place")
    for point in points:
        if not (-90 <= point.lat <= 90 and -180 <= point.lon <= 180):
            raise ValueError(f"{point.name}: not a place on Earth")
    rows: list[tuple[str, ...]] = [
        (point.name, f"{number(point.value)} {point.unit or unit}".strip(), "") for point in points
    ]
    rows += [(f"{flow.start} to {flow.end}", f"{number(flow.value)} {unit}".strip(), flow.label) for flow in flows]
    data = {"points": msgspec.to_builtins(list(points)), "flows": msgspec.to_builtins(list(flows))}
    return Chart("map", title, unit, data, ("Place", "Figure", "Note"), rows, note, "tall")


def sparkline(values: Sequence[float], width: int = 96, height: int = 24) -> Markup:
    """A small line without axes, as inline SVG; decorative: the figure beside it says the value."""
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = width / (len(values) - 1)
    spots = " ".join(
        f"{i * step:.1f},{height - 2 - (value - low) / span * (height - 4):.1f}" for i, value in enumerate(values)
    )
    return Markup(
        '<svg class="spark" width="{w}" height="{h}" viewBox="0 0 {w} {h}" aria-hidden="true">'
        '<polyline points="{p}"/></svg>'
    ).format(w=width, h=height, p=spots)
