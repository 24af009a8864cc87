"""Pictures of a study as inline SVG: no scripts, colours by CSS class, readable when printed."""

from collections.abc import Sequence
from html import escape

import numpy as np

from hanse.planning.study.data import Floats

WIDTH = 720


def _svg(height: float, title: str, body: list[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title, quote=True)}">'
        f"<title>{escape(title)}</title>{''.join(body)}</svg>"
    )


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def _bar(x: float, y: float, width: float, height: float, kind: str) -> str:
    left, size = (x, width) if width >= 0 else (x + width, -width)
    return (
        f'<rect x="{left:.1f}" y="{y:.1f}" width="{max(size, 0.5):.1f}" height="{height:.1f}" class="{kind}" rx="2"/>'
    )


def compare(title: str, rows: Sequence[tuple[str, Sequence[tuple[str, str, float, str]]]]) -> str:
    """Groups of bars, each group on its own scale: (label, [(name, class, value, words)])."""
    body = []
    y = 8.0
    for label, bars in rows:
        most = max([value for _, _, value, _ in bars] + [1e-9])
        body.append(_text(0, y + 12, label, "label"))
        for name, kind, value, words in bars:
            y += 20
            body.append(_text(66, y + 11, name, "axis", "end"))
            body.append(_bar(74, y, (WIDTH - 210) * value / most, 14, kind))
            body.append(_text(80 + (WIDTH - 210) * value / most, y + 11.5, words, "value"))
        y += 30
    return _svg(y, title, body)


def gains(title: str, names: Sequence[str], gain: Floats, saved: Floats, low: Floats, high: Floats, unit: str) -> str:
    """A bar per member for its gain after settling, a dot with its interval for what it saved before settling."""
    least, most = min(float(min(gain.min(), low.min())), 0.0), max(float(max(gain.max(), high.max())), 1e-9)
    left, room = 150.0, WIDTH - 170.0

    def at(value: float) -> float:
        return left + room * (value - least) / (most - least)

    body = []
    for k, name in enumerate(names):
        y = 10.0 + 22 * k
        short = name if len(name) <= 20 else name[:19] + "…"
        body.append(_text(left - 8, y + 11.5, short, "axis", "end"))
        body.append(_bar(at(0), y, at(float(gain[k])) - at(0), 14, "pooled" if gain[k] >= 0 else "bad"))
        ends, middle = (at(float(low[k])), at(float(high[k]))), y + 7
        body.append(f'<line x1="{ends[0]:.1f}" x2="{ends[1]:.1f}" y1="{middle}" y2="{middle}" class="whisker"/>')
        body.append(f'<circle cx="{at(float(saved[k])):.1f}" cy="{y + 7}" r="3.5" class="dot"/>')
    bottom = 14.0 + 22 * len(names)
    body.append(f'<line x1="{at(0):.1f}" x2="{at(0):.1f}" y1="4" y2="{bottom}" class="zero"/>')
    for value in _ticks(least, most):
        body.append(_text(at(value), bottom + 14, f"{value:,.0f}".replace(",", " "), "axis", "middle"))
    body.append(_text(WIDTH, bottom + 30, unit, "axis", "end"))
    return _svg(bottom + 36, title, body)


def _ticks(least: float, most: float) -> list[float]:
    rough = (most - least) / 5
    step = 10.0 ** np.floor(np.log10(rough))
    step *= min((m for m in (1, 2, 5, 10) if m * step >= rough), default=10)
    return [float(v) for v in np.arange(np.ceil(least / step) * step, most + step * 1e-6, step)]


def curve(title: str, item_saved: Floats, caption: str) -> str:
    """Share of all savings (vertical) that the best share of items brings (horizontal)."""
    ordered = np.sort(item_saved)[::-1]
    total = float(ordered.sum())
    share = np.concatenate([[0.0], np.cumsum(ordered) / total]) if total > 0 else np.zeros(len(ordered) + 1)
    top = max(float(share.max()), 1.0)
    height, left, room = 240.0, 56.0, WIDTH - 80.0
    points = []
    for k in np.unique(np.linspace(0, len(ordered), min(len(ordered) + 1, 240)).astype(int)):
        points.append(f"{left + room * k / max(len(ordered), 1):.1f},{10 + height * (1 - share[k] / top):.1f}")
    body = [f'<polyline points="{" ".join(points)}" class="line"/>']
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = 10 + height * (1 - part / top)
        body.append(f'<line x1="{left}" x2="{left + room}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        body.append(_text(left - 8, y + 4, f"{part:.0%}", "axis", "end"))
        body.append(_text(left + room * part, height + 28, f"{part:.0%}", "axis", "middle"))
    body.append(_text(left + room, height + 46, caption, "axis", "end"))
    return _svg(height + 52, title, body)


def shocks(title: str, alone: Floats, pooled: Floats, at_percentile: tuple[float, float]) -> str:
    """Fill rates under the same shocks, worst first; the 95th-percentile shock marked."""
    worst = min(float(alone.min()), float(pooled.min()))
    floor = np.floor(worst * 20) / 20
    floor = min(floor, 0.95)
    height, left, room = 220.0, 56.0, WIDTH - 80.0
    count = len(alone)

    def place(k: float, rate: float) -> tuple[float, float]:
        return left + room * k / max(count - 1, 1), 10 + height * (1 - (rate - floor) / (1 - floor))

    body = []
    for rate in np.linspace(floor, 1, 6):
        y = place(0, float(rate))[1]
        body.append(f'<line x1="{left}" x2="{left + room}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        body.append(_text(left - 8, y + 4, f"{rate:.0%}", "axis", "end"))
    for rates, kind in ((alone, "alone"), (pooled, "pooled")):
        for k, rate in enumerate(np.sort(rates)):
            x, y = place(k, float(rate))
            body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" class="{kind}"/>')
    x = place(0.05 * (count - 1), 1)[0]
    body.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="10" y2="{10 + height}" class="zero" stroke-dasharray="3 3"/>')
    said = f"95th percentile: alone {at_percentile[0]:.1%}, pooled {at_percentile[1]:.1%}"
    body.append(_text(x + 6, 10 + height - 6, said, "value"))
    body.append(_text(left + room, height + 30, "shocks, the worst first", "axis", "end"))
    return _svg(height + 38, title, body)
