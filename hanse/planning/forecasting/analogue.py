"""The cross-item analogue table: what happened next to items that looked like this one, over all items and origins.

Two heads, by expected demand: *counts* (thresholds at whole numbers) and *ratios* to the item's own level. Both are
additive logits (additive.py) fitted on rows sampled from the panel's own past; nothing is trained beforehand.
"""

from dataclasses import dataclass

import numpy as np

from hanse.planning.forecasting import additive
from hanse.planning.forecasting.compiled import Floats, Ints, compiled
from hanse.planning.forecasting.features import Panel, describe, levels_of

COUNT_LEVEL_MAX = 8.0  # each: above it, a row is told as a ratio to its level
ROWS_LEAST = 300  # fewer training rows: no table
RATIO_LEVELS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99)
COUNT_COLUMNS = (1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14)  # of features.NAMES; the others add time, not accuracy
WHOLE = (0, 1, 2, 3, 4, 5, 7, 9, 12, 16, 22, 30, 42, 60)


@dataclass(frozen=True)
class Settings:
    """windows: five lengths in periods; season in periods; rows: training rows drawn per head; bins per feature."""

    windows: tuple[int, ...] = (1, 3, 6, 12, 24)
    season: int = 12
    rows: int = 40_000
    bins: int = 14
    threads: int = 2
    seed: int = 0


@dataclass(frozen=True)
class Table:
    """Fitted heads; None where the panel had too few rows of that kind."""

    counts: additive.Additive | None
    ratios: additive.Additive | None
    cumulative: bool
    whole: bool


def fit(known: Panel, until: int, horizon: int, settings: Settings, cumulative: bool) -> Table | None:
    """Learn from rows whose targets lie before period `until`; None when there are too few.

    Args: until in periods, 1..history; horizon in periods; cumulative: targets are sums over 1..ahead.
    """
    rows = _sample(known, until, horizon, settings)
    target, complete = _targets(known, rows, cumulative)
    rows, target = rows[complete], target[complete]
    if len(rows) < ROWS_LEAST:
        return None
    whole = bool((known.values == np.floor(known.values)).all())
    level = levels_of(known, rows, settings.windows)
    expected = level * rows[:, 2] if cumulative else level
    low = expected <= COUNT_LEVEL_MAX
    counts = ratios = None
    if low.sum() >= ROWS_LEAST:
        mine = _draw(np.flatnonzero(low), settings)
        features, _ = describe(known, rows[mine], settings.windows, settings.season)
        counts = _fit_head(features[:, COUNT_COLUMNS], target[mine], settings, None if whole else 1e-9)
    if (~low).sum() >= ROWS_LEAST:
        mine = _draw(np.flatnonzero(~low), settings)
        features, _ = describe(known, rows[mine], settings.windows, settings.season)
        ratios = _fit_head(_relative(features), target[mine] / expected[mine], settings, 1e-3)
    if counts is None and ratios is None:
        return None
    return Table(counts, ratios, cumulative, whole)


def _draw(rows: Ints, settings: Settings) -> Ints:
    """As many of the rows as a head is fitted on."""
    return rows[np.random.default_rng(settings.seed).permutation(len(rows))[: settings.rows]]


def _fit_head(features: Floats, target: Floats, settings: Settings, tie: float | None) -> additive.Additive:
    if tie is None:
        top = float(np.quantile(target, 0.998))
        thresholds = np.array([c for c in WHOLE if c == 0 or c <= top], dtype=np.float64)
    else:
        thresholds = np.unique(np.maximum(np.quantile(target, RATIO_LEVELS), tie))
    return additive.fit(features, target, thresholds, settings.bins, settings.threads)


def _relative(features: Floats) -> Floats:
    """Log means and sizes taken relative to the item's level (column 3 keeps the level itself)."""
    out = features.copy()
    for column in (0, 1, 2, 4, 6, 7, 8, 11):
        out[:, column] -= features[:, 3]
    return out


def _sample(known: Panel, until: int, horizon: int, settings: Settings) -> Ints:
    """Rows (series, origin, ahead), drawn evenly over what lies before `until`."""
    count = known.values.shape[0]
    least = max(1, min(9, until // 3))
    if least >= until or count == 0:
        return np.zeros((0, 3), dtype=np.int64)
    pairs = np.array(
        [(t, h) for t in range(least, until) for h in range(1, min(horizon, until - t) + 1)], dtype=np.int64
    )
    rng = np.random.default_rng(settings.seed)
    wanted = settings.rows * 2
    if count * len(pairs) <= wanted:
        series = np.repeat(np.arange(count), len(pairs))
        chosen = np.tile(pairs, (count, 1))
    else:
        series = rng.integers(0, count, wanted)
        chosen = pairs[rng.integers(0, len(pairs), wanted)]
    rows = np.column_stack([series, chosen]).astype(np.int64)
    return rows[known.seen[rows[:, 0], rows[:, 1]] > 0]


def _targets(known: Panel, rows: Ints, cumulative: bool) -> tuple[Floats, Ints]:
    """Target of each row in each, and whether it was observed in full."""
    series, origin, ahead = rows.T
    end = origin + ahead
    if cumulative:
        complete = known.seen[series, end] - known.seen[series, origin] == ahead
        return known.total[series, end] - known.total[series, origin], complete
    return known.values[series, end - 1], known.observed[series, end - 1] > 0


def predict(table: Table, known: Panel, origin: int, horizon: int, levels: Floats, settings: Settings) -> Floats:
    """Quantiles [series, horizon, q] in each, NaN where the head that a row needs was never fitted."""
    count = known.values.shape[0]
    rows = np.empty((count * horizon, 3), dtype=np.int64)
    rows[:, 0] = np.repeat(np.arange(count), horizon)
    rows[:, 1] = origin
    rows[:, 2] = np.tile(np.arange(1, horizon + 1), count)
    features, level = describe(known, rows, settings.windows, settings.season)
    expected = level * rows[:, 2] if table.cumulative else level
    low = expected <= COUNT_LEVEL_MAX
    out = np.full((len(rows), len(levels)), np.nan)
    for head, mine, scale in ((table.counts, low, None), (table.ratios, ~low, expected)):
        if head is None or not mine.any():
            continue
        seen = features[mine][:, COUNT_COLUMNS] if scale is None else _relative(features[mine])
        beyond = additive.survival(head, additive.encode(seen, head.edges, head.offset))
        steps = scale is None and table.whole
        found = _invert(beyond, head.thresholds, levels, head.tail, steps)
        out[mine] = found if scale is None else _scaled(found, scale[mine], table.whole)
    return out.reshape(count, horizon, len(levels))


def _scaled(ratio: Floats, scale: Floats, whole: bool) -> Floats:
    demand = ratio * scale[:, None]
    return np.asarray(np.rint(demand) if whole else demand, dtype=np.float64)


@compiled
def _invert(beyond: Floats, thresholds: Floats, levels: Floats, tail: float, steps: bool) -> Floats:
    """Quantiles[row, q] of survival[row, threshold]: steps between whole thresholds, straight lines between others,
    an exponential tail with the training targets' mean excess above the last."""
    out = np.zeros((len(beyond), len(levels)))
    last = len(thresholds) - 1
    for i in range(len(beyond)):
        for q in range(len(levels)):
            short = 1 - levels[q]
            k = 0
            while k <= last and beyond[i, k] > short:
                k += 1
            if k > last:
                value = thresholds[last] + tail * np.log(beyond[i, last] / short)
            else:
                low, before = (thresholds[k - 1], beyond[i, k - 1]) if k > 0 else (0.0, 1.0)
                if k == 0 and thresholds[0] <= 0.0:
                    value = 0.0
                else:
                    value = low + (thresholds[k] - low) * (before - short) / max(before - beyond[i, k], 1e-12)
            out[i, q] = np.ceil(value - 1e-9) if steps else value
    return out
