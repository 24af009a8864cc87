"""Forecasts of intermittent demand: the distribution over the lead time, not the mean.

Arrays in, arrays out; deterministic for a seed; no training beforehand, no files.

    history[series, period]  each/period, NaN = missing, negative = returns (counted as 0)
    forecast(history, horizon) -> Forecast
        .quantiles[series, horizon, q]     demand of one period
        .cumulative[series, horizon, q]    demand of the first `horizon + 1` periods: the lead time's row
        .champion(item_class)              best and second-best method of the class on held-out periods

Candidates: an analogue table over all items (additive logits, fitted on the panel's own past), the item's own recent
window, and five smoothing kernels as negative binomials with shared dispersion. Their weights, per item class, are what
lowers the pinball loss of held-out periods. Never judge or tune by MASE or MAE: the all-zero forecast wins those.
"""

from hanse.planning.forecasting.combine import CLASSES, classify
from hanse.planning.forecasting.forecast import Forecast, forecast
from hanse.planning.forecasting.methods import Frame, naive, seasonal_naive
from hanse.planning.forecasting.newitems import forecast_new_items
from hanse.planning.forecasting.scores import (
    DECILES,
    coverage,
    mean_absolute_scaled_error,
    miscalibration,
    pinball,
    weighted_quantile_loss,
)

__all__ = [
    "CLASSES",
    "DECILES",
    "Forecast",
    "Frame",
    "classify",
    "coverage",
    "forecast",
    "forecast_new_items",
    "mean_absolute_scaled_error",
    "miscalibration",
    "naive",
    "pinball",
    "seasonal_naive",
    "weighted_quantile_loss",
]
