"""Forecasts: what must survive, what must hold for any history, and the goal on published data."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import nbinom

from hanse.planning.forecasting import (
    CLASSES,
    DECILES,
    classify,
    coverage,
    forecast,
    forecast_new_items,
    kernels,
    mean_absolute_scaled_error,
    miscalibration,
    weighted_quantile_loss,
)
from hanse.planning.forecasting.combine import blend, held_out_weights
from hanse.planning.forecasting.counts import negative_binomial_quantiles, shared_dispersion, shrunk_rate

CARPARTS = Path(__file__).resolve().parents[4] / "shared/data/carparts/carparts_wide.csv.gz"


@pytest.fixture(scope="module")
def carparts():
    if not CARPARTS.exists():
        pytest.skip(f"no {CARPARTS.name} in ../shared: the published car parts were not tried")
    frame = pl.read_csv(CARPARTS, infer_schema_length=None)
    return frame.drop("part_id").cast(pl.Float64).to_numpy()


def intermittent(series, periods, seed=0):
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.7, 1.0, (series, 1))
    return rng.poisson(rate * rng.gamma(2.0, 0.5, (series, periods))).astype(float)


def test_wql_of_car_parts_stays_below_087_at_every_origin_and_is_calibrated(carparts):
    for origin in (27, 39):
        answer = forecast(carparts[:, :origin], 12)
        actual = carparts[:, origin : origin + 12]
        assert weighted_quantile_loss(actual, answer.quantiles) <= 0.87
        assert miscalibration(actual, answer.quantiles) <= 0.02
        assert miscalibration(np.cumsum(actual, axis=1), answer.cumulative) <= 0.03


def test_the_all_zero_forecast_scores_one_by_wql_and_the_published_best_by_mase(carparts):
    actual = carparts[:, 39:]
    nothing = np.zeros((*actual.shape, 9))
    assert weighted_quantile_loss(actual, nothing) == pytest.approx(1.0)
    filled = np.nan_to_num(carparts)  # as GIFT-Eval counts missing months
    assert mean_absolute_scaled_error(filled[:, :39], filled[:, 39:], nothing[..., 4]) == pytest.approx(
        0.746, abs=0.001
    )


@settings(max_examples=25, deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(0, 9)),
           elements=st.one_of(st.just(np.nan), st.integers(-50, 400).map(float))),
    st.integers(1, 4),
)  # fmt: skip
def test_quantiles_are_finite_never_negative_and_never_cross_whatever_the_history(history, horizon):
    answer = forecast(history, horizon, threads=1)
    for found in (answer.quantiles, answer.cumulative):
        assert found.shape == (len(history), horizon, 9)
        assert np.isfinite(found).all() and (found >= 0).all()
        assert (np.diff(found, axis=2) >= 0).all()
    assert (answer.returns_clipped == (history < 0).sum(axis=1)).all()


def test_the_same_seed_gives_the_same_answer_on_one_thread_or_two():
    history = intermittent(120, 30)
    one, two = forecast(history, 3, threads=1, seed=5), forecast(history, 3, threads=2, seed=5)
    assert (one.quantiles == two.quantiles).all() and (one.cumulative == two.cumulative).all()


def test_an_all_zero_series_among_sellers_is_forecast_as_zero_at_the_median():
    history = intermittent(200, 36)
    history[0] = 0
    assert (forecast(history, 3).quantiles[0, :, :5] == 0).all()


def test_a_panel_of_zeros_is_forecast_as_zeros():
    assert (forecast(np.zeros((5, 20)), 3).quantiles == 0).all()


def test_one_observation_is_drawn_towards_the_panel():
    history = intermittent(200, 36)
    history[0] = np.nan
    history[0, -1] = 40
    top = forecast(history, 1).quantiles[0, 0, -1]
    assert 0 < top <= 60


def test_gaps_do_not_count_as_zero_demand():
    history = np.full((300, 36), 6.0) + np.random.default_rng(0).integers(0, 3, (300, 36))
    history[:, 5:20] = np.nan
    assert (forecast(history, 2).quantiles[:, :, 4] >= 5).all()


def test_after_a_level_shift_the_median_follows_within_a_year():
    rng = np.random.default_rng(2)
    history = rng.poisson(20, (300, 48)).astype(float)
    history[:30, 36:] = rng.poisson(60, (30, 12))
    median = forecast(history, 3).quantiles[:, :, 4]
    assert median[:30].mean() > 45
    assert abs(median[30:].mean() - 20) < 2


def test_returns_count_as_no_demand_and_are_reported():
    history = intermittent(50, 24)
    history[3, 4] = -7
    answer = forecast(history, 2)
    assert answer.returns_clipped[3] == 1 and answer.returns_clipped.sum() == 1


def test_the_seasonal_peak_of_the_panel_is_seen_coming():
    rng = np.random.default_rng(4)
    season = np.tile(np.where(np.arange(12) == 11, 4.0, 1.0), 5)
    history = rng.poisson(30 * season * rng.gamma(20, 0.05, (200, 1))).astype(float)
    median = forecast(history[:, :48], 12).quantiles[:, :, 4].mean(axis=0)
    assert median[11] > 2 * median[:11].mean()


def test_coverage_of_the_blend_brackets_every_decile_on_counts_drawn_from_one_law():
    history = intermittent(800, 40, seed=9)
    answer = forecast(history[:, :36], 4)
    assert miscalibration(history[:, 36:], answer.quantiles) < 0.03
    assert ((answer.held_out_below <= DECILES + 0.03) & (answer.held_out_at_or_below >= DECILES - 0.03)).all()


def test_demand_in_fractions_of_a_unit_is_forecast_in_fractions():
    history = intermittent(200, 36) * 0.013
    found = forecast(history, 2).quantiles
    assert 0 < found.max() < 2 * history.max()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([1.0], 1), "axes"),
        (([[np.inf]], 1), "infinite"),
        (([[1.0]], 0), "horizon"),
        (([[1.0]], 1, [0.5, 0.5]), "levels"),
        (([[1.0]], 1, [0.0]), "levels"),
    ],
)
def test_a_malformed_question_is_refused_with_its_reason(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        forecast(*arguments)


def test_windows_season_and_threads_are_checked():
    with pytest.raises(ValueError, match="windows"):
        forecast([[1.0]], 1, windows=(1, 1, 2, 3, 4))
    with pytest.raises(ValueError, match="season"):
        forecast([[1.0]], 1, season=0)
    with pytest.raises(ValueError, match="ask for"):
        forecast([[1.0]], 1, per_period=False, cumulative=False)
    assert forecast([[1.0, 2.0]], 1, per_period=False).quantiles.shape == (1, 0, 9)
    with pytest.raises(ValueError, match="lead time"):
        forecast([[1.0]], 1).lead_time(2)


def test_negative_binomial_quantiles_equal_scipys():
    mean = np.array([0.05, 0.5, 3.0, 40.0, 120.0])
    for dispersion in (0.2, 1.0, 3.0):
        ours = negative_binomial_quantiles(mean, np.full(5, dispersion), DECILES)
        size = 1 / dispersion
        assert (ours == nbinom.ppf(DECILES, size, (size / (size + mean))[:, None])).all()


def test_large_means_are_within_two_percent_of_scipys():
    ours = negative_binomial_quantiles(np.array([500.0]), np.array([0.3]), DECILES)[0]
    theirs = nbinom.ppf(DECILES, 1 / 0.3, 1 / (1 + 0.3 * 500))
    assert np.allclose(ours, theirs, rtol=0.02)


def test_kernels_equal_a_hand_computation():
    row = np.array([[0.0, 4.0, 0.0, 2.0]])
    assert kernels.croston(row, 0.1)[0] == pytest.approx(0.95 * 3.0 / 2.0)
    assert kernels.tsb(row, 0.1, 0.1)[0] == pytest.approx(3.0 * 0.5)
    assert kernels.exponential(row, 0.1)[0] == pytest.approx(1.5)
    assert kernels.imapa(row, 0.1, 2)[0] == pytest.approx(1.5)


def test_tsb_sinks_after_obsolescence_and_croston_does_not():
    row = np.concatenate([np.full(20, 3.0), np.zeros(30)])[None]
    assert kernels.tsb(row, 0.1, 0.1)[0] < 0.2
    assert kernels.croston(row, 0.1)[0] > 2


def test_shared_dispersion_recovers_the_one_that_drew_the_counts():
    rng = np.random.default_rng(1)
    mean = np.full((4000, 6), 5.0)
    drawn = rng.negative_binomial(2.0, 2.0 / 7.0, mean.shape).astype(float)
    assert shared_dispersion(drawn, mean) == pytest.approx(0.5, rel=0.1)


def test_shrunk_rates_lie_between_own_mean_and_the_panels():
    history = intermittent(100, 12)
    own, pooled = history.mean(axis=1), history.mean()
    rate = shrunk_rate(history, 12)
    assert (rate <= np.maximum(own, pooled) + 1e-9).all() and (rate >= np.minimum(own, pooled) - 1e-9).all()


def test_items_are_classed_by_interval_and_variation():
    rows = np.array([
        [5, 5, 5, 5, 5, 5, 5, 5],
        [0, 0, 5, 0, 0, 5, 0, 5],
        [1, 30, 1, 1, 40, 1, 1, 1],
        [0, 0, 1, 0, 0, 30, 0, 1],
        [0, 0, 0, 0, 0, 0, 0, 1],
    ], dtype=float)  # fmt: skip
    assert [CLASSES[c] for c in classify(rows)] == ["smooth", "intermittent", "erratic", "lumpy", "sparse"]


def test_weights_do_no_worse_on_the_held_out_periods_than_the_champion():
    rng = np.random.default_rng(3)
    actual = rng.poisson(4, (60, 5)).astype(float)
    candidates = rng.uniform(0, 8, (3, 60, 5, 1)) + np.arange(9) * 0.5
    classes = np.zeros(60, dtype=np.int64)
    weights, loss = held_out_weights(candidates, actual, classes, DECILES)
    mixed = weighted_quantile_loss(actual, blend(candidates, weights, classes, False))
    assert weights[0].sum() == pytest.approx(1) and mixed <= np.nanmin(loss[0]) + 1e-9


def test_new_items_take_their_class_and_fall_back_to_all_when_it_is_thin():
    history = np.vstack([np.full((30, 6), 2.0), np.full((30, 6), 8.0), np.full((3, 6), 100.0)])
    codes = np.array([["a", "x"]] * 30 + [["b", "x"]] * 30 + [["c", "y"]] * 3)
    wanted = np.array([["a", "x"], ["c", "x"], ["c", "y"]])
    quantiles, summed, used = forecast_new_items(history, codes, wanted, 3, [0.5])
    assert used.tolist() == [0, 1, 2]
    assert quantiles[0, :, 0].tolist() == [2, 2, 2] and summed[0, :, 0].tolist() == [2, 4, 6]


def test_new_items_may_learn_from_how_others_started():
    history = np.array([[np.nan, 9.0, 1.0, 1.0], [9.0, 1.0, 1.0, 1.0]])
    quantiles, _, _ = forecast_new_items(history, [["a"], ["a"]], [["a"]], 2, [0.5], launches=True, series_least=2)
    assert quantiles[0, :, 0].tolist() == [9, 1]


def test_wql_and_coverage_refuse_what_they_cannot_judge():
    with pytest.raises(ValueError, match="demand"):
        weighted_quantile_loss(np.zeros((1, 1)), np.zeros((1, 1, 9)))
    with pytest.raises(ValueError, match="actual"):
        coverage(np.full((1, 1), np.nan), np.zeros((1, 1, 9)))
