"""Items without a history: forecast by what items with the same attributes did."""

import numpy as np
from numpy.typing import ArrayLike

from hanse.planning.forecasting.compiled import Floats, Ints
from hanse.planning.forecasting.scores import DECILES


def forecast_new_items(
    history: ArrayLike,
    attributes: ArrayLike,
    new_attributes: ArrayLike,
    horizon: int,
    levels: ArrayLike = DECILES,
    *,
    launches: bool = False,
    series_least: int = 20,
) -> tuple[Floats, Floats, Ints]:
    """Quantiles of new items from the class that shares their most specific attributes.

    Args:
        history: [series, period], each/period, NaN = missing, negative counts as 0.
        attributes: [series, attribute], any comparable codes, the most specific first (for example sub-group, group).
        new_attributes: [item, attribute].
        horizon: periods, >= 1, at most the number of periods.
        levels: [q], ascending, in (0, 1).
        launches: learn from each series' first periods with data (how items start) instead of the panel's last ones.
        series_least: an attribute shared by fewer series is too thin, the next one is tried, at last all series.
    Returns: quantiles[item, horizon, q]; cumulative[item, horizon, q]; used[item], index of the attribute that served,
        or the number of attributes where the whole panel did.
    Raises ValueError, in order: no series; attribute axes unlike; horizon outside 1..periods.

    >>> q, total, used = forecast_new_items([[1, 1], [1, 1], [9, 9]], [["a"], ["a"], ["b"]], [["a"], ["z"]], 2, [0.5],
    ...                                     series_least=2)
    >>> q[0].tolist(), used.tolist()
    ([[1.0], [1.0]], [0, 1])
    """
    values = np.array(history, dtype=np.float64)
    known, wanted = np.asarray(attributes), np.asarray(new_attributes)
    if values.ndim != 2 or len(values) == 0:
        raise ValueError("history needs at least one series, as [series, period]")
    if known.ndim != 2 or wanted.ndim != 2 or known.shape != (len(values), wanted.shape[1]):
        raise ValueError("attributes must be [series, attribute] and new_attributes [item, attribute]")
    if not 1 <= horizon <= values.shape[1]:
        raise ValueError(f"horizon of {horizon} periods lies outside 1..{values.shape[1]}")
    path = _paths(np.where(values < 0, 0.0, values), horizon, launches)
    probe = np.array(levels, dtype=np.float64)
    quantiles = np.zeros((len(wanted), horizon, len(probe)))
    summed = np.zeros_like(quantiles)
    used = np.full(len(wanted), known.shape[1], dtype=np.int64)
    answers: dict[tuple[int, object], tuple[Floats, Floats]] = {}
    for i, own in enumerate(wanted):
        mine = np.ones(len(values), dtype=bool)
        for a, value in enumerate(own):
            if (known[:, a] == value).sum() >= series_least:
                mine, used[i] = known[:, a] == value, a
                break
        key = (int(used[i]), own[used[i]] if used[i] < len(own) else None)
        if key not in answers:
            answers[key] = _quantiles(path[mine], probe)
        quantiles[i], summed[i] = answers[key]
    return quantiles, summed, used


def _paths(values: Floats, horizon: int, launches: bool) -> Floats:
    """The periods to learn from: the last `horizon`, or each series' first `horizon` with data: [series, horizon]."""
    if not launches:
        return values[:, -horizon:]
    out = np.full((len(values), horizon), np.nan)
    first = np.where((~np.isnan(values)).any(axis=1), np.argmax(~np.isnan(values), axis=1), values.shape[1])
    for s, start in enumerate(first):
        part = values[s, start : start + horizon]
        out[s, : len(part)] = part
    return out


def _quantiles(path: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """Quantiles over series of path[series, horizon] and of its running sums; 0 where nothing was observed."""
    out = []
    for part in (path, np.cumsum(path, axis=1)):
        columns = [column[~np.isnan(column)] for column in part.T]
        empty = np.zeros(len(levels))
        out.append(np.stack([np.quantile(c, levels, method="inverted_cdf") if len(c) else empty for c in columns]))
    return out[0], out[1]
