"""What is known of a series at an origin, as a few numbers that are comparable between items.

A *row* is (series, origin, ahead): the features at `origin` (periods seen so far) describe it, and the demand `ahead`
periods later (or summed over the first `ahead` periods) is its target. Levels and logarithms are of each/period.
"""

import math
from dataclasses import dataclass

import numpy as np

from hanse.planning.forecasting.compiled import Floats, Ints, compiled

NAMES = (
    "mean over 1",
    "mean over 3",
    "mean over 6",
    "mean over 12",
    "mean over 24",
    "share of periods with demand",
    "size of a demand",
    "smallest demand",
    "largest recent demand",
    "periods since the last demand",
    "trend",
    "smoothed rate",
    "one season ago",
    "panel one season ago",
    "periods ahead",
)
LEVEL_WINDOW = 3  # index into the windows: the level that ratios are taken to


@dataclass(frozen=True)
class Panel:
    """Running sums of a history, from which the features at any origin take constant time.

    Args:
        total: [series, period + 1], demand before each origin, each.
        seen: [series, period + 1], observed periods before each origin.
        hits: [series, period + 1], periods with demand before each origin.
        last: [series, period + 1], periods since the last demand at each origin.
        smooth: [series, period + 1], exponentially smoothed demand (0.15), each/period.
        values: [series, period], each/period, 0 where missing.
        observed: [series, period].
        market: [period], demand of the whole panel relative to its mean over the season before.
        pooled: mean demand over all items and periods, each/period.
    """

    total: Floats
    seen: Ints
    hits: Ints
    last: Ints
    smooth: Floats
    smallest: Floats
    values: Floats
    observed: Ints
    market: Floats
    pooled: float


def panel(history: Floats, season: int) -> Panel:
    """Running sums of history[series, period] (each/period, >= 0, NaN = missing) for season periods a year."""
    observed = ~np.isnan(history)
    values = np.where(observed, history, 0.0)
    hit = values > 0
    front = [(0, 0), (1, 0)]
    mean = values.sum(axis=0) / np.maximum(observed.sum(axis=0), 1)
    padded = np.concatenate([np.zeros(1), np.cumsum(mean)])
    periods = np.arange(history.shape[1])
    start = np.maximum(periods + 1 - season, 0)
    trailing = (padded[periods + 1] - padded[start]) / (periods + 1 - start)
    last, smooth, smallest = _states(values, observed)
    return Panel(
        total=np.pad(np.cumsum(values, axis=1), front),
        seen=np.pad(np.cumsum(observed, axis=1), front).astype(np.int64),
        hits=np.pad(np.cumsum(hit, axis=1), front).astype(np.int64),
        last=last,
        smooth=smooth,
        smallest=smallest,
        values=values,
        observed=observed.astype(np.int64),
        market=np.log((mean + 1e-9) / (trailing + 1e-9)).clip(-2, 2),
        pooled=float(values.sum()) / max(int(observed.sum()), 1),
    )


@compiled
def _states(values: Floats, observed: Ints) -> tuple[Ints, Floats, Floats]:
    count, periods = values.shape
    last = np.zeros((count, periods + 1), dtype=np.int64)
    smooth = np.zeros((count, periods + 1))
    smallest = np.zeros((count, periods + 1))
    for s in range(count):
        seen = 0
        for t in range(periods):
            last[s, t + 1] = last[s, t] + 1
            smooth[s, t + 1] = smooth[s, t]
            smallest[s, t + 1] = smallest[s, t]
            if observed[s, t]:
                seen += 1
                smooth[s, t + 1] += max(0.15, 1.0 / seen) * (values[s, t] - smooth[s, t])
                if values[s, t] > 0:
                    last[s, t + 1] = 0
                    if smallest[s, t] == 0 or values[s, t] < smallest[s, t]:
                        smallest[s, t + 1] = values[s, t]
    return last, smooth, smallest


def describe(known: Panel, rows: Ints, windows: tuple[int, ...], season: int) -> tuple[Floats, Floats]:
    """Features[row, NAMES] and level[row] (each/period) of rows[row, 3] = (series, origin, ahead)."""
    out = np.empty((len(rows), len(NAMES)))
    level = np.empty(len(rows))
    _describe(
        out, level, rows, np.array(windows, dtype=np.int64), season, known.total, known.seen, known.hits, known.last,
        known.smooth, known.smallest, known.values, known.observed, known.market, known.pooled,
    )  # fmt: skip
    return out, level


def levels_of(known: Panel, rows: Ints, windows: tuple[int, ...]) -> Floats:
    """The level[row] (each/period) of describe() alone."""
    return _levels_of(rows, windows[LEVEL_WINDOW], known.total, known.seen, known.pooled)


@compiled
def _levels_of(rows: Ints, window: int, total: Floats, seen: Ints, pooled: float) -> Floats:
    prior = 0.5 * pooled + 1e-6
    level = np.empty(len(rows))
    for i in range(len(rows)):
        s, t = rows[i, 0], rows[i, 1]
        a = max(t - window, 0)
        level[i] = math.exp(math.log((total[s, t] - total[s, a] + prior) / (seen[s, t] - seen[s, a] + 0.5)))
    return level


@compiled
def _describe_origin(
    out: Floats, s: int, t: int, windows: Ints, total: Floats, seen: Ints, hits: Ints, last: Ints, smooth: Floats,
    smallest: Floats, values: Floats, prior: float, pooled: float,
) -> float:  # fmt: skip
    """The features of series `s` at origin `t` that are the same for every period ahead; answers the level."""
    for w in range(5):
        a = max(t - windows[w], 0)
        out[w] = math.log((total[s, t] - total[s, a] + prior) / (seen[s, t] - seen[s, a] + 0.5))
    a = max(t - windows[3], 0)
    half = max(t - windows[2], 0)
    recent = hits[s, t] - hits[s, a]
    out[5] = math.log((recent + 0.5) / (seen[s, t] - seen[s, a] + 1.0))
    out[6] = math.log((total[s, t] + 1.0) / (hits[s, t] + 0.7))
    out[7] = math.log1p(smallest[s, t])
    largest = 0.0
    for k in range(a, t):
        largest = max(largest, values[s, k])
    out[8] = math.log1p(largest)
    out[9] = math.log1p(last[s, t])
    out[10] = math.log((total[s, t] - total[s, half] + 1.0) / (total[s, half] - total[s, a] + 1.0))
    out[11] = math.log(smooth[s, t] + 0.04 * pooled + 1e-6)
    return math.exp(out[3])


@compiled
def _describe(
    out: Floats, level: Floats, rows: Ints, windows: Ints, season: int, total: Floats, seen: Ints, hits: Ints,
    last: Ints, smooth: Floats, smallest: Floats, values: Floats, observed: Ints, market: Floats, pooled: float,
) -> None:  # fmt: skip
    prior = 0.5 * pooled + 1e-6
    for i in range(len(rows)):
        s, t, ahead = rows[i, 0], rows[i, 1], rows[i, 2]
        if i > 0 and rows[i - 1, 0] == s and rows[i - 1, 1] == t:  # only what depends on `ahead` differs
            out[i, :12] = out[i - 1, :12]
            level[i] = level[i - 1]
        else:
            level[i] = _describe_origin(
                out[i], s, t, windows, total, seen, hits, last, smooth, smallest, values, prior, pooled
            )
        back = t + ahead - 1 - season * ((ahead + season - 1) // season) if season > 1 else -1
        out[i, 12] = 0.0
        out[i, 13] = 0.0
        if back >= 0:
            out[i, 13] = market[back]
            if observed[s, back]:
                out[i, 12] = math.log((values[s, back] + prior) / (level[i] + prior))
        out[i, 14] = ahead
