"""Negative binomial counts with a dispersion shared across items: what turns a rate into a distribution."""

import math

import numpy as np
from scipy.special import ndtri

from hanse.planning.forecasting.compiled import Floats, compiled


def negative_binomial_quantiles(mean: Floats, dispersion: Floats, levels: Floats) -> Floats:
    """Smallest k with P(demand <= k) >= level, for variance = mean + dispersion x mean^2.

    Args: mean[n] >= 0; dispersion[n] >= 0 (0 = Poisson); levels[q] ascending, in (0, 1).
    Returns: [n, q], whole numbers. Above a mean of 150 the gamma's cube-root normal approximation serves
    (Wilson and Hilferty, 1931), below it the recursion p(k+1)/p(k) is summed exactly.

    >>> negative_binomial_quantiles(np.array([2.0]), np.array([0.0]), np.array([0.5, 0.9])).tolist()
    [[2.0, 4.0]]
    """
    return _quantiles(mean, dispersion, levels, np.asarray(ndtri(levels), dtype=np.float64))


@compiled
def _quantiles(mean: Floats, dispersion: Floats, levels: Floats, normal: Floats) -> Floats:
    out = np.zeros((len(mean), len(levels)))
    for n in range(len(mean)):
        mu = mean[n]
        if not mu > 0:
            continue
        phi = max(dispersion[n], 1e-9)
        if mu > 150.0:
            spread = (mu + phi * mu * mu) / (mu * mu)
            for q in range(len(levels)):
                cube = 1 - spread / 9 + normal[q] * math.sqrt(spread / 9)
                out[n, q] = max(math.ceil(mu * cube * cube * cube - 0.5), 0)
            continue
        size = 1.0 / phi
        fail = mu / (mu + size)
        chance = math.exp(-size * math.log1p(mu * phi))
        total = chance
        k = 0
        for q in range(len(levels)):
            while total < levels[q] and k < 100_000:
                chance *= fail * (k + size) / (k + 1)
                k += 1
                total += chance
            out[n, q] = k
    return out


def shared_dispersion(actual: Floats, mean: Floats) -> float:
    """One dispersion for all items by moments: weighted sum((y - mu)^2 - mu) / sum(mu^2), in [0.01, 50].

    Args: actual[...], each, NaN = missing; mean[...] of the same shape, each, >= 0.
    """
    seen = ~np.isnan(actual)
    mu = mean[seen]
    square = float((mu * mu).sum())
    if square == 0:
        return 1.0
    # large items would decide alone, tiny rates would blow up: weight 1 / (mu + mean mu)
    weight = 1 / (mu + mu.mean())
    excess = float((((actual[seen] - mu) ** 2 - mu) * weight).sum())
    return float(np.clip(excess / float((mu * mu * weight).sum()), 0.01, 50.0))


def shrunk_rate(history: Floats, window: int) -> Floats:
    """Gamma-Poisson estimate of each rate: own recent mean drawn towards the panel's, by how unlike items are.

    Args: history[series, period], each/period, NaN = missing; window in periods, >= 1.
    Returns: rate[series]; a series without observation in the window gets the panel's mean.
    """
    recent = history[:, -window:]
    seen = ~np.isnan(recent)
    periods = seen.sum(axis=1)
    total = np.where(seen, recent, 0.0).sum(axis=1)
    pooled = float(total.sum()) / max(int(periods.sum()), 1)
    if pooled == 0:
        return np.zeros(len(history))
    usable = periods > 0
    rates = total[usable] / periods[usable]
    between = max(float(rates.var()) - pooled * float((1 / periods[usable]).mean()), 1e-6)
    strength = pooled / between
    return np.asarray((total + strength * pooled) / (periods + strength), dtype=np.float64)
