"""How a quantile forecast is judged. Never by MASE or MAE: on intermittent demand the all-zero forecast wins those."""

import numpy as np

from hanse.planning.forecasting.compiled import Floats

DECILES: Floats = np.arange(1, 10) / 10


def pinball(actual: Floats, quantiles: Floats, levels: Floats = DECILES) -> Floats:
    """Pinball loss of each forecast quantile, in each; NaN where the actual is missing.

    Args:
        actual: [series, horizon], each/period, NaN = missing.
        quantiles: [series, horizon, q], each/period.
        levels: [q], in (0, 1).
    Returns: [series, horizon, q], >= 0.

    >>> pinball(np.array([[3.0]]), np.array([[[1.0]]]), np.array([0.9])).round(3).tolist()
    [[[1.8]]]
    """
    gap = actual[..., None] - quantiles
    return np.asarray(np.maximum(levels * gap, (levels - 1) * gap), dtype=np.float64)


def weighted_quantile_loss(actual: Floats, quantiles: Floats, levels: Floats = DECILES) -> float:
    """Mean over quantiles of 2 x sum of pinball losses / sum |actual|: GIFT-Eval's WQL; the all-zero forecast scores 1.

    Args: as pinball(). Missing actuals are left out. Raises ValueError when no actual demand was observed.

    >>> weighted_quantile_loss(np.array([[2.0, 0.0]]), np.zeros((1, 2, 9)))
    1.0
    """
    seen = ~np.isnan(actual)
    demand = float(np.abs(actual[seen]).sum())
    if demand == 0:
        raise ValueError("weighted quantile loss needs some demand among the actuals")
    return float(2 * pinball(actual, quantiles, levels)[seen].sum(axis=0).mean() / demand)


def coverage(actual: Floats, quantiles: Floats) -> tuple[Floats, Floats]:
    """Share of actuals strictly below, and at or below, each quantile: ([q], [q]).

    A forecast of whole numbers is calibrated at level p when below <= p <= at_or_below
    (Czado, Gneiting and Held, 2009, eq. 3: the non-randomised transform brackets p).
    """
    seen = ~np.isnan(actual)
    if not seen.any():
        raise ValueError("coverage needs at least one actual")
    values = actual[seen][:, None]
    forecast = quantiles[seen]
    return (values < forecast).mean(axis=0), (values <= forecast).mean(axis=0)


def miscalibration(actual: Floats, quantiles: Floats, levels: Floats = DECILES) -> float:
    """How far the worst level lies outside its bracket of coverage(): 0 = calibrated, in [0, 1)."""
    below, at_or_below = coverage(actual, quantiles)
    return float(np.maximum(np.maximum(below - levels, levels - at_or_below), 0).max())


def mean_absolute_scaled_error(history: Floats, actual: Floats, median: Floats, season: int = 12) -> float:
    """MASE (Hyndman and Koehler, 2006), shown only beside the all-zero forecast that beats it.

    Args: history[series, period], actual[series, horizon], median[series, horizon], each/period; season in periods.
    Series whose seasonal naive error is 0 or unknown are left out, as in GIFT-Eval.
    """
    lagged = np.abs(history[:, season:] - history[:, :-season])
    scale = _row_mean(lagged)
    error = _row_mean(np.abs(actual - median))
    usable = (scale > 0) & ~np.isnan(error)
    return float((error[usable] / scale[usable]).mean())


def _row_mean(values: Floats) -> Floats:
    seen = ~np.isnan(values)
    count = seen.sum(axis=1)
    total = np.where(seen, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
