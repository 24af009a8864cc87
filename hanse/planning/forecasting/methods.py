"""The candidates: each turns history[series, period] into quantiles[series, horizon, q] from its end on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hanse.planning.forecasting import kernels
from hanse.planning.forecasting.compiled import Floats, Ints, compiled
from hanse.planning.forecasting.counts import negative_binomial_quantiles, shared_dispersion, shrunk_rate

Rate = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Frame:
    """What every candidate is asked: horizon in periods, levels[q] in (0, 1), sums over 1..ahead or single periods."""

    horizon: int
    levels: Floats
    cumulative: bool
    season: int


def rates(season: int) -> dict[str, Rate]:
    """The kernels that estimate a level, by name; `season` periods a year sets their memory."""
    year = max(season, 4)
    slow = min(max(1.5 / year, 0.02), 0.3)
    return {
        "exponential smoothing": lambda history: kernels.exponential(history, slow),
        "croston-sba": lambda history: kernels.croston(history, slow),
        "tsb": lambda history: kernels.tsb(history, slow, slow),
        "imapa": lambda history: kernels.imapa(history, min(2 * slow, 0.3), min(year, 12)),
        "pooled negative binomial": lambda history: shrunk_rate(history, int(1.5 * year)),
    }


def naive(history: Floats, frame: Frame) -> Floats:
    """The last observed value, for every period and quantile: a baseline, never a candidate."""
    values = np.zeros(len(history))
    for t in range(history.shape[1]):
        values = np.where(np.isnan(history[:, t]), values, history[:, t])
    return _flat(values, frame)


def seasonal_naive(history: Floats, frame: Frame) -> Floats:
    """The value one season ago (0 where missing), for every quantile: a baseline, never a candidate."""
    season = min(frame.season, max(history.shape[1], 1))
    last = np.nan_to_num(history[:, -season:])
    path = np.stack([last[:, (h % season)] for h in range(frame.horizon)], axis=1)
    path = np.cumsum(path, axis=1) if frame.cumulative else path
    return np.repeat(path[:, :, None], len(frame.levels), axis=2)


def _flat(values: Floats, frame: Frame) -> Floats:
    ahead = np.arange(1, frame.horizon + 1) if frame.cumulative else np.ones(frame.horizon)
    return np.repeat((values[:, None] * ahead)[:, :, None], len(frame.levels), axis=2)


def empirical(history: Floats, frame: Frame) -> Floats:
    """Quantiles of the item's own last 1.5 seasons: per period, or of running sums of `ahead` periods."""
    window = int(1.5 * max(frame.season, 4))
    return _empirical(history, window, frame.horizon, frame.levels, frame.cumulative)


@compiled
def _empirical(history: Floats, window: int, horizon: int, levels: Floats, cumulative: bool) -> Floats:
    count, periods = history.shape
    out = np.zeros((count, horizon, len(levels)))
    for s in range(count):
        for h in range(horizon):
            if h > 0 and not cumulative:
                out[s, h] = out[s, 0]
                continue
            ahead = h + 1 if cumulative else 1
            start = max(0, periods - max(window, 2 * ahead))
            sums = np.empty(max(periods - start, 1))
            n = 0
            for t in range(start, periods - ahead + 1):
                total = history[s, t : t + ahead].sum()
                if not np.isnan(total):
                    sums[n] = total
                    n += 1
            if n == 0:
                if h > 0:
                    out[s, h] = out[s, h - 1] * ahead / (ahead - 1)
                continue
            ordered = np.sort(sums[:n])
            for q in range(len(levels)):
                out[s, h, q] = ordered[min(max(int(np.ceil(levels[q] * n - 1e-9)) - 1, 0), n - 1)]
    return out


def dispersed(rate: Rate, history: Floats, classes: Ints, span: int, frame: Frame) -> Floats:
    """A kernel's rate as a negative binomial whose dispersion is shared by items of a class.

    Args:
        classes: [series], item class; span: the last periods, on which the dispersions are measured (1..history / 2).
    """
    errors = _dispersions(rate, history, classes, span, frame)
    ahead = np.arange(1, frame.horizon + 1) if frame.cumulative else np.ones(frame.horizon)
    level = rate(history)
    if not frame.cumulative:
        shape = errors[classes, 0]
        one = negative_binomial_quantiles(level, shape, frame.levels)
        return np.repeat(one[:, None, :], frame.horizon, axis=1)
    mean = (level[:, None] * ahead).ravel()
    flat = negative_binomial_quantiles(mean, errors[classes].ravel(), frame.levels)
    return flat.reshape(len(history), frame.horizon, len(frame.levels))


def _dispersions(rate: Rate, history: Floats, classes: Ints, span: int, frame: Frame) -> Floats:
    """Dispersion [class, horizon] of what came in the last `span` periods about the rate before them."""
    size = int(classes.max(initial=0)) + 1
    out = np.ones((size, frame.horizon))
    if span < 1 or history.shape[1] <= span:
        return out
    level = rate(history[:, :-span])
    actual = history[:, -span:]
    for c in range(size):
        mine = classes == c
        if not mine.any():
            continue
        if not frame.cumulative:
            out[c] = shared_dispersion(actual[mine], np.repeat(level[mine, None], span, axis=1))
            continue
        for h in range(frame.horizon):
            ahead = min(h + 1, span)
            sums = actual[mine, :ahead].sum(axis=1)
            out[c, h] = shared_dispersion(sums, level[mine] * ahead)
    return out
