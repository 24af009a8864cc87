"""Who owes whom, as a drawing: firms on a ring, an arrow for each debt. Plain SVG: its figures stand in a table too."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

SIZE_X, SIZE_Y, RING_X, RING_Y, GAP_X, GAP_Y = 440, 300, 165, 120, 54, 22
PARTIES_MAX = 16
SHORT = 11


def _places(names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Where each firm stands: on an ellipse, the first on top."""
    out = {}
    for n, name in enumerate(names):
        turn = 2 * math.pi * n / max(1, len(names)) - math.pi / 2
        out[name] = (SIZE_X / 2 + RING_X * math.cos(turn), SIZE_Y / 2 + RING_Y * math.sin(turn))
    return out


def _arrow(start: tuple[float, float], end: tuple[float, float], width: float, words: str, mark: str) -> Markup:
    """A bent arrow from firm to firm with its amount; bent, so that two firms that owe each other have two."""
    (x1, y1), (x2, y2) = start, end
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    bend = min(34.0, length * 0.16)
    mx, my = (x1 + x2) / 2 - uy * bend, (y1 + y2) / 2 + ux * bend
    gap = 1 / math.hypot(ux / GAP_X, uy / GAP_Y)
    sx, sy, ex, ey = x1 + ux * gap, y1 + uy * gap, x2 - ux * gap, y2 - uy * gap
    path = Markup(
        '<path d="M{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}" fill="none" stroke="currentColor" stroke-width="{:.1f}" '
        'opacity=".55" marker-end="url(#{})"/>'
    ).format(sx, sy, mx, my, ex, ey, width, mark)
    text = Markup(
        '<text x="{:.1f}" y="{:.1f}" text-anchor="middle" font-size="13" font-weight="560" fill="currentColor" '
        'stroke="var(--surface)" stroke-width="5" paint-order="stroke">{}</text>'
    )
    return path + text.format((mx * 2 + sx + ex) / 4, (my * 2 + sy + ey) / 4 + 4, words)


def _firm(at: tuple[float, float], name: str, own: bool) -> Markup:
    short = name if len(name) <= SHORT else name[: SHORT - 1] + "…"
    box = Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="88" height="28" rx="14" fill="var(--surface)" stroke="currentColor" '
        'stroke-width="{}"/><text x="{:.1f}" y="{:.1f}" text-anchor="middle" font-size="13" font-weight="{}" '
        'fill="currentColor">{}</text>'
    )
    return box.format(at[0] - 44, at[1] - 14, 2.5 if own else 1, at[0], at[1] + 4.5, 650 if own else 450, short)


def graph(names: Sequence[str], flows: Sequence[tuple[str, str, int, str]], own: str, mark: str) -> Markup:
    """The drawing; "" for nothing to draw, or more firms than fit: then the table stands alone.

    Args:
        names: the firms, in order. flows: (who owes, whom, amount for the arrow's width, the amount in words).
        own: the reader's name. mark: unique on the page, [a-z-]+.

    >>> "<path" in graph(["A", "B"], [("A", "B", 5, "5.00 EUR")], "A", "m")
    True
    >>> graph(["A"], [], "A", "m")
    Markup('')
    """
    if not flows or not 2 <= len(names) <= PARTIES_MAX:
        return Markup("")
    at = _places(names)
    low, high = min(y for _, y in at.values()) - 26, max(y for _, y in at.values()) + 36
    most = max(amount for *_, amount, _ in flows) or 1
    head = Markup(
        '<svg class="netting" viewBox="0 {:.0f} {} {:.0f}" width="100%" aria-hidden="true"><defs><marker id="{}" '
        'viewBox="0 0 8 8" refX="6" refY="4" markerUnits="userSpaceOnUse" markerWidth="10" markerHeight="10" '
        'orient="auto"><path d="M0 0 8 4 0 8z" fill="currentColor"/></marker></defs>'
    ).format(low, SIZE_X, high - low, mark)
    arrows = [_arrow(at[a], at[b], 1.2 + 3.2 * amount / most, words, mark) for a, b, amount, words in flows]
    return head + Markup("").join([*arrows, *(_firm(at[name], name, name == own) for name in names)]) + Markup("</svg>")
