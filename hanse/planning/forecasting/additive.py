"""Additive logits on binned features: P(demand > c) = logistic(sum of one step function per feature), per threshold c.

A cross-item analogue table that is smoothed instead of split into ever thinner cells: each feature is cut into bins of
equal count, neighbouring bins are drawn together (a random-walk penalty), and Newton's method fits each threshold.
Thresholds are fitted independently of each other, so the result does not depend on the number of threads.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from hanse.planning.forecasting.compiled import Codes, Floats, Ints, compiled

ITERATIONS = 3
STEP_MOST = 1.0  # logits: keeps Newton's method from overshooting where a bin has few rows above the threshold
STEP_LEAST = 0.1
SMOOTHNESS = 20.0
WIDTH = 4  # thresholds fitted in one pass over the rows
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
    edges = tuple(np.unique(np.quantile(column, cuts)) for column in np.ascontiguousarray(features.T))
    sizes = np.array([len(edge) + 1 for edge in edges])
    offset = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)]).astype(np.int64)
    codes = encode(features, edges, offset)
    penalty = _penalty(sizes, offset)
    parts = [thresholds[k : k + WIDTH] for k in range(0, len(thresholds), WIDTH)]
    with ThreadPoolExecutor(threads) as pool:
        effects = list(pool.map(lambda part: _newton(codes, target, part, penalty, ITERATIONS), parts))
    beyond = target[target > thresholds[-1]]
    tail = float((beyond - thresholds[-1]).mean()) if len(beyond) else float(max(thresholds[-1], 1.0)) * 0.25
    return Additive(edges, offset, np.concatenate(effects), thresholds, tail)


def encode(features: Floats, edges: tuple[Floats, ...], offset: Ints) -> Codes:
    """Index of each row's bin in the stacked effects: codes[row, feature]."""
    bounds = np.full((len(edges), max((len(edge) for edge in edges), default=0)), np.inf)
    for j, edge in enumerate(edges):
        bounds[j, : len(edge)] = edge
    codes = np.empty(features.shape, dtype=np.uint16)
    _encode(codes, features, bounds, np.array([len(edge) for edge in edges]), offset)
    return codes


@compiled
def _encode(codes: Codes, features: Floats, bounds: Floats, sizes: Ints, offset: Ints) -> None:
    """How many edges lie below each value, plus the feature's offset."""
    for i in range(len(features)):
        for j in range(features.shape[1]):
            value = features[i, j]
            below = 0
            for e in range(sizes[j]):
                below += 1 if bounds[j, e] < value else 0
            codes[i, j] = offset[j] + below


def survival(model: Additive, codes: Codes) -> Floats:
    """P(target > threshold) of coded rows: [row, threshold], not increasing along thresholds."""
    return _survival(model.effects, codes)


@compiled
def _survival(effects: Floats, codes: Codes) -> Floats:
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
def _newton(codes: Codes, target: Floats, thresholds: Floats, penalty: Floats, iterations: int) -> Floats:
    """Penalised logistic regressions of (target > threshold) on the bins' indicators: effects[threshold, bin].

    At most WIDTH thresholds; each is fitted as if it were alone.
    """
    rows, columns = codes.shape
    size = len(penalty)
    wide = np.full(WIDTH, np.inf)
    wide[: len(thresholds)] = thresholds
    base = np.zeros((WIDTH, size))
    for k in range(len(thresholds)):
        above = 0.5 + (target > thresholds[k]).sum()
        base[k] = np.log(above / (rows + 1.0 - above)) / columns
    effects = base.copy()
    moving = np.arange(WIDTH) < len(thresholds)
    for _ in range(iterations):
        slope = np.empty((size, WIDTH))
        for k in range(WIDTH):
            slope[:, k] = -(penalty @ (effects[k] - base[k]))
        matrix = _normal_equations(codes, target, wide, effects, penalty, slope)
        for k in range(len(thresholds)):
            if moving[k]:
                step = np.linalg.solve(np.ascontiguousarray(matrix[:, :, k]), np.ascontiguousarray(slope[:, k]))
                longest = np.abs(step).max()
                effects[k] += step * min(1.0, STEP_MOST / max(longest, 1e-12))
                moving[k] = longest >= STEP_LEAST
        if not moving.any():
            break
    return effects[: len(thresholds)]


@compiled
def _normal_equations(
    codes: Codes, target: Floats, thresholds: Floats, effects: Floats, penalty: Floats, slope: Floats
) -> Floats:
    """Matrix[bin, bin, threshold] of Newton's step at effects[threshold, bin]; slope[bin, threshold] is added to.

    The thresholds run innermost: one pass over the rows serves WIDTH of them, in one machine instruction each.
    """
    rows, columns = codes.shape
    size = len(penalty)
    matrix = np.empty((size, size, WIDTH))
    at = np.empty((size, WIDTH))
    for k in range(WIDTH):
        matrix[:, :, k] = penalty
        at[:, k] = effects[k]
    score = np.empty(WIDTH)
    weight = np.empty(WIDTH)
    for i in range(rows):
        score[:] = 0.0
        for j in range(columns):
            for k in range(WIDTH):
                score[k] += at[codes[i, j], k]
        for k in range(WIDTH):
            chance = 1 / (1 + np.exp(-score[k]))
            weight[k] = chance * (1 - chance) + 1e-6
            score[k] = (1.0 if target[i] > thresholds[k] else 0.0) - chance
        for j in range(columns):
            a = codes[i, j]
            for k in range(WIDTH):
                slope[a, k] += score[k]
            for l in range(j, columns):
                cell = matrix[a, codes[i, l]]
                for k in range(WIDTH):
                    cell[k] += weight[k]
    for a in range(size):
        for b in range(a):
            matrix[a, b] = matrix[b, a]
    return matrix


def _penalty(sizes: Ints, offset: Ints) -> Floats:
    """Ridge plus squared differences of neighbouring bins."""
    penalty = np.eye(int(offset[-1])) * RIDGE
    for start, size in zip(offset, sizes, strict=False):
        if size >= 2:
            step = np.diff(np.eye(int(size)), axis=0)
            penalty[start : start + size, start : start + size] += SMOOTHNESS * step.T @ step
    return penalty
