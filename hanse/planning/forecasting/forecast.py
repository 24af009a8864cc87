"""forecast(): distributions of demand per period and over the lead time, for a whole panel of items at once."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hanse.planning.forecasting import analogue, combine, methods
from hanse.planning.forecasting.compiled import Floats, Ints
from hanse.planning.forecasting.features import panel
from hanse.planning.forecasting.scores import DECILES, coverage

ANALOGUE = "analogue table"
EMPIRICAL = "empirical window"
POOLED = "pooled negative binomial"  # the last method: it always answers


@dataclass(frozen=True)
class Forecast:
    """Quantiles of demand, and how they were found.

    Args:
        quantiles: [series, horizon, q], each/period, >= 0, not decreasing along q.
        cumulative: [series, horizon, q], each over the first horizon + 1 periods: read the lead time's row.
        levels: [q].
        methods: names of the candidates.
        item_class: [series], index into combine.CLASSES.
        weights: [class, method], of the per-period forecast (of the sums where only they were asked); rows sum to 1.
        held_out_loss: [class, method], WQL of each candidate alone on the held-out periods; NaN = unknown.
        held_out_below, held_out_at_or_below: [q], the blend's coverage on the held-out periods; NaN = nothing held out.
        returns_clipped: [series], periods with negative demand, which count as 0.
    """

    quantiles: Floats
    cumulative: Floats
    levels: Floats
    methods: tuple[str, ...]
    item_class: Ints
    weights: Floats
    held_out_loss: Floats
    held_out_below: Floats
    held_out_at_or_below: Floats
    returns_clipped: Ints

    def champion(self, item_class: int) -> tuple[str, str]:
        """Names of the best and the second-best candidate of a class on the held-out periods."""
        loss = np.where(np.isnan(self.held_out_loss[item_class]), np.inf, self.held_out_loss[item_class])
        order = np.argsort(loss, kind="stable")
        return self.methods[order[0]], self.methods[order[1]]

    def lead_time(self, periods: int) -> Floats:
        """Quantiles [series, q] of demand over `periods` periods, 1..horizon."""
        if not 1 <= periods <= self.cumulative.shape[1]:
            raise ValueError(f"lead time of {periods} periods lies outside 1..{self.cumulative.shape[1]}")
        return self.cumulative[:, periods - 1]


@dataclass(frozen=True)
class _Blend:
    quantiles: Floats
    weights: Floats
    loss: Floats
    below: Floats
    at_or_below: Floats


def forecast(
    history: ArrayLike,
    horizon: int,
    levels: ArrayLike = DECILES,
    *,
    season: int = 12,
    windows: tuple[int, ...] = (1, 3, 6, 12, 24),
    per_period: bool = True,
    cumulative: bool = True,
    training_rows: int = 40_000,
    threads: int = 2,
    seed: int = 0,
) -> Forecast:
    """Forecast every series of a panel, weighting the candidates by their loss on the panel's own last periods.

    Args:
        history: [series, period], each/period, oldest first; NaN = missing; negative (returns) counts as 0.
        horizon: periods ahead, >= 1.
        levels: [q], ascending, in (0, 1).
        season: periods in a year (1 = none); windows: five lengths in periods that describe recent demand.
        per_period, cumulative: forecast single periods, and sums over 1..horizon periods (each takes its time); what is
            not asked for is an empty array.
        training_rows: rows drawn to fit the analogue table; threads: for fitting it; seed: of the draw.
    Raises ValueError, in order: history not [series, period]; infinite history; horizon < 1; levels not ascending in
        (0, 1); windows not five ascending lengths >= 1; season or threads < 1; nothing asked for.
    Memory: about 8 bytes x methods x series x horizon x q, twice when cumulative.

    >>> answer = forecast([[2.0, 0.0, 1.0, 3.0, 0.0, 2.0]], 2, [0.5, 0.9])
    >>> answer.quantiles.shape, answer.lead_time(2).shape
    ((1, 2, 2), (1, 2))
    """
    values, levels_, clipped = _checked(history, horizon, levels, windows, season, threads)
    whole = bool((values[~np.isnan(values)] == np.floor(values[~np.isnan(values)])).all())
    unit = 1.0 if whole else _unit(values)
    settings = analogue.Settings(windows, season, training_rows, threads=threads, seed=seed)
    frame = methods.Frame(horizon, levels_, False, season)
    asked = [frame] * per_period + [replace(frame, cumulative=True)] * cumulative
    if not asked:
        raise ValueError("ask for per_period, cumulative, or both")
    with ThreadPoolExecutor(min(threads, 2)) as pool:
        answers = list(pool.map(lambda one: _blend(values / unit, one, settings, whole), asked))
    first, empty = answers[0], np.zeros((len(values), 0, len(levels_)))
    return Forecast(
        quantiles=first.quantiles * unit if per_period else empty,
        cumulative=answers[-1].quantiles * unit if cumulative else empty,
        levels=levels_,
        methods=_names(season),
        item_class=combine.classify(values),
        weights=first.weights,
        held_out_loss=first.loss,
        held_out_below=first.below,
        held_out_at_or_below=first.at_or_below,
        returns_clipped=clipped,
    )


def _names(season: int) -> tuple[str, ...]:
    return (ANALOGUE, EMPIRICAL, *methods.rates(season))


def _checked(
    history: ArrayLike, horizon: int, levels: ArrayLike, windows: tuple[int, ...], season: int, threads: int
) -> tuple[Floats, Floats, Ints]:
    values = np.array(history, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"history has {values.ndim} axes; expected [series, period]")
    if np.isinf(values).any():
        raise ValueError("history holds an infinite value; use NaN for a missing one")
    if horizon < 1:
        raise ValueError(f"horizon is {horizon} periods; expected at least 1")
    levels_ = np.array(levels, dtype=np.float64)
    if levels_.ndim != 1 or len(levels_) == 0 or levels_[0] <= 0 or levels_[-1] >= 1 or (np.diff(levels_) <= 0).any():
        raise ValueError("levels must ascend within (0, 1)")
    if len(windows) != 5 or windows[0] < 1 or any(a >= b for a, b in itertools.pairwise(windows)):
        raise ValueError("windows must be five ascending lengths of at least one period")
    if season < 1 or threads < 1:
        raise ValueError("season and threads must be at least 1")
    clipped = (values < 0).sum(axis=1)
    return np.where(values < 0, 0.0, values), levels_, clipped.astype(np.int64)


def _unit(values: Floats) -> float:
    """Demand that is not in whole units is told in fiftieths of its median, so that count models fit it."""
    positive = values[values > 0]
    return float(np.median(positive)) / 50 if len(positive) else 1.0


def _blend(values: Floats, frame: methods.Frame, settings: analogue.Settings, whole: bool) -> _Blend:
    """Weigh the candidates on the last periods, then ask them again from the end of the history.

    The table of the end is fitted beside the weighing where there are threads for it: nearly always it has a weight.
    """
    periods = values.shape[1]
    held_out = min(frame.horizon, periods // 4)
    size = (len(combine.CLASSES), len(_names(frame.season)))
    loss = np.full(size, np.nan)
    below = at_or_below = np.full(len(frame.levels), np.nan)
    weights = np.zeros(size)
    weights[:, 0] = 1.0  # nothing to hold out: the table, or where there is none the pooled counts
    with ThreadPoolExecutor(1) as beside:
        ahead = beside.submit(_analogue, values, frame, settings) if settings.threads > 1 else None
        if held_out >= 1 and len(values):
            sample = values[combine.thin(combine.classify(values))]
            before, after = sample[:, :-held_out], sample[:, -held_out:]
            actual = np.cumsum(after, axis=1) if frame.cumulative else after
            classes = combine.classify(before)
            tried_frame = replace(frame, horizon=held_out)
            trial = _analogue(before, tried_frame, replace(settings, rows=settings.rows // 2))
            tried = _candidates(before, classes, tried_frame, trial, np.ones(size[1], dtype=bool))
            if not np.isnan(actual).all():
                weights, loss = combine.held_out_weights(tried, actual, classes, frame.levels)
                below, at_or_below = coverage(actual, combine.blend(tried, weights, classes, whole))
        classes = combine.classify(values)
        wanted = weights.max(axis=0) > 0
        table = None
        if wanted[0]:
            table = ahead.result() if ahead else _analogue(values, frame, settings)
        final = _candidates(values, classes, frame, table, wanted)
    return _Blend(combine.blend(final, weights, classes, whole), weights, loss, below, at_or_below)


def _analogue(values: Floats, frame: methods.Frame, settings: analogue.Settings) -> Floats | None:
    """Quantiles [series, horizon, q] of the analogue table fitted on the whole history; None with too few rows."""
    known = panel(values, frame.season)
    table = analogue.fit(known, values.shape[1], frame.horizon, settings, frame.cumulative)
    if table is None:
        return None
    return analogue.predict(table, known, values.shape[1], frame.horizon, frame.levels, settings)


def _candidates(
    values: Floats, classes: Ints, frame: methods.Frame, table: Floats | None, wanted: NDArray[np.bool_]
) -> Floats:
    """Quantiles [method, series, horizon, q] of the wanted candidates and of the last one; NaN for the others."""
    periods = values.shape[1]
    out = np.full((len(wanted), len(values), frame.horizon, len(frame.levels)), np.nan)
    if table is not None:
        out[0] = table
    if wanted[1]:
        out[1] = methods.empirical(values, frame)
    span = min(frame.horizon, periods // 2)
    for m, rate in enumerate(methods.rates(frame.season).values(), start=2):
        if wanted[m] or m == len(wanted) - 1:
            out[m] = methods.dispersed(rate, values, classes, span, frame)
    return out
