"""Item classes, held-out weights, champion and challenger."""

import numpy as np

from hanse.planning.forecasting.compiled import Floats, Ints, compiled
from hanse.planning.forecasting.scores import pinball

CLASSES = ("smooth", "intermittent", "erratic", "lumpy", "sparse")
INTERVAL_CUT = 1.32  # periods between demands
VARIATION_CUT = 0.49  # squared coefficient of variation of the demands' sizes
STEPS = 10
SERIES_LEAST = 25
SERIES_MOST = 2_000  # of a class, to learn its weights on


def classify(history: Floats) -> Ints:
    """Class of each series, an index into CLASSES, by Syntetos, Boylan and Croston (2005, fig. 1).

    Sparse: at most two periods with demand, all-zero and empty series included.

    Args: history[series, period], each/period, >= 0, NaN = missing.

    >>> classify(np.array([[0.0, 0.0, 0.0, 0.0], [5.0, 5.0, 6.0, 5.0], [0.0, 9.0, 0.0, 1.0]])).tolist()
    [4, 0, 4]
    """
    seen = ~np.isnan(history)
    values = np.where(seen, history, 0.0)
    hits = (values > 0).sum(axis=1)
    interval = seen.sum(axis=1) / np.maximum(hits, 1)
    mean = values.sum(axis=1) / np.maximum(hits, 1)
    square = np.where(values > 0, (values - mean[:, None]) ** 2, 0).sum(axis=1) / np.maximum(hits, 1)
    variation = square / np.maximum(mean, 1e-12) ** 2
    found = (interval > INTERVAL_CUT) * 1 + (variation > VARIATION_CUT) * 2
    return np.where(hits <= 2, CLASSES.index("sparse"), found).astype(np.int64)


def thin(classes: Ints) -> Ints:
    """At most SERIES_MOST series of each class, drawn evenly: indices into classes[series], ascending."""
    mine = [np.flatnonzero(classes == c) for c in range(len(CLASSES))]
    kept = [rows[np.linspace(0, len(rows) - 1, min(len(rows), SERIES_MOST)).astype(np.int64)] for rows in mine]
    return np.sort(np.concatenate(kept))


def blend(candidates: Floats, weights: Floats, classes: Ints, whole: bool) -> Floats:
    """Weighted mean of quantiles over methods, class by class; a method without an answer (NaN) drops out of its rows.

    Args: candidates[method, series, horizon, q]; weights[class, method], rows sum to 1; classes[series];
        whole: round to whole units. Falls back on the last method, which always answers.
    Returns: quantiles[series, horizon, q], not decreasing along q.
    """
    mean = _mean(candidates, weights[classes])
    mean = np.maximum.accumulate(np.maximum(mean, 0.0), axis=2)
    return np.rint(mean) if whole else mean


@compiled
def _mean(candidates: Floats, share: Floats) -> Floats:
    """Mean over methods of candidates[method, series, horizon, q] by share[series, method], past missing answers."""
    methods, count, horizon, levels = candidates.shape
    out = np.zeros((count, horizon, levels))
    for s in range(count):
        for h in range(horizon):
            for q in range(levels):
                total = 0.0
                for m in range(methods):
                    value = candidates[m, s, h, q]
                    if share[s, m] > 0 and not np.isnan(value):
                        total += share[s, m]
                        out[s, h, q] += share[s, m] * value
                out[s, h, q] = out[s, h, q] / total if total > 0 else candidates[methods - 1, s, h, q]
    return out


def held_out_weights(candidates: Floats, actual: Floats, classes: Ints, levels: Floats) -> tuple[Floats, Floats]:
    """Weights[class, method] that lower the held-out pinball loss, and the loss[class, method] of each method alone.

    Greedy selection with replacement in STEPS steps (Caruana et al., 2004), starting at the best method. A few large
    series must not decide for a class: its choice is averaged with the choice of all (which a class with fewer than
    SERIES_LEAST series takes alone). Loss is WQL (2 x pinball / demand), NaN without demand.

    Args: candidates[method, series, horizon, q]; actual[series, horizon], NaN = missing; classes[series]; levels[q].
    """
    methods = len(candidates)
    overall = _greedy(candidates, actual, levels)
    weights = np.tile(overall, (len(CLASSES), 1))
    loss = np.full((len(CLASSES), methods), np.nan)
    for c in range(len(CLASSES)):
        mine = np.flatnonzero(classes == c)
        if len(mine) == 0:
            continue
        demand = float(np.nansum(np.abs(actual[mine])))
        if demand > 0:
            loss[c] = [2 * _total(member[mine], actual[mine], levels) / demand / len(levels) for member in candidates]
        if len(mine) >= SERIES_LEAST:
            weights[c] = (overall + _greedy(candidates[:, mine], actual[mine], levels)) / 2
    return weights, loss


def _total(quantiles: Floats, actual: Floats, levels: Floats) -> float:
    return float(np.nansum(pinball(actual, quantiles, levels)))


def _greedy(candidates: Floats, actual: Floats, levels: Floats) -> Floats:
    """Weights[method] of the greedily chosen mean; methods with missing answers are not chosen."""
    usable = [m for m in range(len(candidates)) if not np.isnan(candidates[m]).any()]
    chosen = np.zeros(len(candidates))
    total = np.zeros(candidates.shape[1:])
    best_before = np.inf
    for step in range(1, STEPS + 1):
        losses = [_mixed_loss(total, candidates[m], step, actual, levels) for m in usable]
        best = int(np.argmin(losses))
        if losses[best] >= best_before * (1 - 1e-4):
            break
        best_before = losses[best]
        chosen[usable[best]] += 1
        total = total + candidates[usable[best]]
    return np.asarray(chosen / chosen.sum(), dtype=np.float64)


@compiled
def _mixed_loss(total: Floats, member: Floats, step: int, actual: Floats, levels: Floats) -> float:
    """Pinball loss of (total + member) / step, summed over what was observed: _total() without its large arrays."""
    loss = 0.0
    for s in range(actual.shape[0]):
        for h in range(actual.shape[1]):
            if np.isnan(actual[s, h]):
                continue
            for q in range(len(levels)):
                gap = actual[s, h] - (total[s, h, q] + member[s, h, q]) / step
                loss += max(levels[q] * gap, (levels[q] - 1) * gap)
    return loss
