"""Additive logits on binned features: P(demand > c) = logistic(sum of one step function per feature), per threshold c.

A cross-item analogue table that is smoothed instead of split into ever thinner cells: each feature is cut into bins of
equal count, neighbouring bins are drawn together (a random-walk penalty), and Newton's method fits each threshold.
Thresholds are fitted independently of each other, so the result does not depend on the number of threads.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from hanse.planning.forecasting.compiled import Floats, Ints, compiled

ITERATIONS = 3
STEP_MOST = 1.0  # logits: keeps Newton's method from overshooting where a bin has few rows above the threshold
STEP_LEAST = 0.1
SMOOTHNESS = 20.0
RIDGE = 1.0


@dataclass(frozen=True)
class Additive:
    """A fitted model: edges[feature] of the bins, offset[feature + 1] into effects[threshold, bin], thresholds[k]."""

    edges: tuple[Floats, ...]
    offset: Ints
    effects: Floats
    thresholds: Floats
    tail: float  # mean excess of training targets above the last threshold


def fit(features: Floats, target: Floats, thresholds: Floats, bins: int, threads: int) -> Additive:
    """Fit P(target > thresholds[k] | features) for every k.

    Args: features[row, feature]; target[row]; thresholds[k], ascending; bins per feature, >= 2; threads >= 1.
    """
    cuts = np.linspace(0, 1, bins + 1)[1:-1]
    edges = tuple(np.unique(np.quantile(column, cuts)) for column in features.T)
    sizes = np.array([len(edge) + 1 for edge in edges])
    offset = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)]).astype(np.int64)
    codes = encode(features, edges, offset)
    penalty = _penalty(sizes, offset)
    with ThreadPoolExecutor(threads) as pool:
        effects = list(pool.map(lambda c: _newton(codes, target, float(c), penalty, ITERATIONS), thresholds))
    beyond = target[target > thresholds[-1]]
    tail = float((beyond - thresholds[-1]).mean()) if len(beyond) else float(max(thresholds[-1], 1.0)) * 0.25
    return Additive(edges, offset, np.stack(effects), thresholds, tail)


def encode(features: Floats, edges: tuple[Floats, ...], offset: Ints) -> Ints:
    """Index of each row's bin in the stacked effects: codes[row, feature]."""
    codes = np.empty(features.shape, dtype=np.int64)
    for j, edge in enumerate(edges):
        codes[:, j] = np.searchsorted(edge, features[:, j], side="left") + offset[j]
    return codes


def survival(model: Additive, codes: Ints) -> Floats:
    """P(target > threshold) of coded rows: [row, threshold], not increasing along thresholds."""
    return _survival(model.effects, codes)


@compiled
def _survival(effects: Floats, codes: Ints) -> Floats:
    out = np.empty((len(codes), len(effects)))
    for i in range(len(codes)):
        least = 1.0
        for k in range(len(effects)):
            score = 0.0
            for j in range(codes.shape[1]):
                score += effects[k, codes[i, j]]
            least = min(least, 1 / (1 + np.exp(-score)))
            out[i, k] = least
    return out


@compiled
def _newton(codes: Ints, target: Floats, threshold: float, penalty: Floats, iterations: int) -> Floats:
    """Penalised logistic regression of (target > threshold) on the bins' indicators: effects[bin]."""
    rows, columns = codes.shape
    size = len(penalty)
    above = 0.5
    for i in range(rows):
        above += 1.0 if target[i] > threshold else 0.0
    start = np.log(above / (rows + 1.0 - above)) / columns
    base = np.full(size, start)
    effects = base.copy()
    for _ in range(iterations):
        matrix = penalty.copy()
        slope = -(penalty @ (effects - base))
        for i in range(rows):
            score = 0.0
            for j in range(columns):
                score += effects[codes[i, j]]
            chance = 1 / (1 + np.exp(-score))
            weight = chance * (1 - chance) + 1e-6
            residual = (1.0 if target[i] > threshold else 0.0) - chance
            for j in range(columns):
                a = codes[i, j]
                slope[a] += residual
                for l in range(j, columns):
                    matrix[a, codes[i, l]] += weight
        for a in range(size):
            for b in range(a):
                matrix[a, b] = matrix[b, a]
        step = np.linalg.solve(matrix, slope)
        longest = np.abs(step).max()
        effects += step * min(1.0, STEP_MOST / max(longest, 1e-12))
        if longest < STEP_LEAST:
            break
    return effects


def _penalty(sizes: Ints, offset: Ints) -> Floats:
    """Ridge plus squared differences of neighbouring bins."""
    penalty = np.eye(int(offset[-1])) * RIDGE
    for start, size in zip(offset, sizes, strict=False):
        if size >= 2:
            step = np.diff(np.eye(int(size)), axis=0)
            penalty[start : start + size, start : start + size] += SMOOTHNESS * step.T @ step
    return penalty
