"""Smoothing kernels for one level per series: exponential smoothing, Croston's family, TSB and IMAPA.

Every kernel takes history[series, period] (each/period, >= 0, NaN = missing) and gives rate[series], the expected
demand per period after the last one. Missing periods leave the state as it was; a series never observed has rate 0.
"""

import numpy as np

from hanse.planning.forecasting.compiled import Floats, compiled


@compiled
def exponential(history: Floats, alpha: float) -> Floats:
    """Simple exponential smoothing started at the mean of the first observed periods (at most six)."""
    rate = np.zeros(history.shape[0])
    for s in range(history.shape[0]):
        seen = 0
        level = 0.0
        for value in history[s]:
            if np.isnan(value):
                continue
            seen += 1
            weight = max(alpha, 1.0 / seen) if seen <= 6 else alpha
            level += weight * (value - level)
        rate[s] = level
    return rate


@compiled
def croston(history: Floats, alpha: float) -> Floats:
    """Croston (1972) with the bias correction 1 - alpha/2 of Syntetos and Boylan (2005, eq. 5): SBA."""
    rate = np.zeros(history.shape[0])
    for s in range(history.shape[0]):
        size = 0.0
        interval = 0.0
        since = 0
        events = 0
        for value in history[s]:
            if np.isnan(value):
                continue
            since += 1
            if value > 0:
                events += 1
                weight = max(alpha, 1.0 / events)
                size += weight * (value - size)
                interval += weight * (since - interval)
                since = 0
        if events > 0:
            rate[s] = (1 - alpha / 2) * size / interval
    return rate


@compiled
def tsb(history: Floats, alpha: float, beta: float) -> Floats:
    """TSB of Teunter, Syntetos and Babai (2011, eq. 3): chance of demand smoothed every period (beta), size at demands.

    Unlike Croston's, the rate of an item that stopped selling sinks: obsolescence.
    """
    rate = np.zeros(history.shape[0])
    for s in range(history.shape[0]):
        size = 0.0
        chance = 0.0
        seen = 0
        events = 0
        for value in history[s]:
            if np.isnan(value):
                continue
            seen += 1
            hit = 1.0 if value > 0 else 0.0
            chance += max(beta, 1.0 / seen) * (hit - chance) if seen <= 12 else beta * (hit - chance)
            if value > 0:
                events += 1
                size += max(alpha, 1.0 / events) * (value - size)
        rate[s] = size * chance
    return rate


@compiled
def imapa(history: Floats, alpha: float, aggregation_max: int) -> Floats:
    """IMAPA (Petropoulos and Kourentzes, 2015): smoothing at aggregation 1..aggregation_max periods, averaged.

    A bucket of w periods is smoothed with 1 - (1 - alpha)^w, so that every aggregation forgets as fast. Buckets are
    counted back from the last observed period; an incomplete first bucket is dropped.
    """
    rate = np.zeros(history.shape[0])
    for s in range(history.shape[0]):
        row = history[s]
        values = row[~np.isnan(row)]
        count = len(values)
        if count == 0:
            continue
        total = 0.0
        used = 0
        for width in range(1, min(aggregation_max, count) + 1):
            level = 0.0
            keen = 1 - (1 - alpha) ** width
            for bucket_index in range(count // width):
                seen = bucket_index + 1
                start = count % width + bucket_index * width
                bucket = values[start : start + width].mean()
                level += max(keen, 1.0 / seen) * (bucket - level) if seen <= 6 else keen * (bucket - level)
            total += level
            used += 1
        rate[s] = total / used
    return rate
