"""Forecasts beside published entries, the naive ones and statsforecast: `python -m bench.forecast [--peers-series N]`.

Weighted quantile loss (WQL, deciles; lower is better, all-zero = 1), worst miscalibration, MASE (only to show the trap:
the all-zero forecast equals the best published one), series per second (the best of three where one takes under a
second). Data from ../shared/data; what is missing is said and skipped. statsforecast is in the `bench` extra
(requirements-bench.lock): where it is installed its methods run in the same run, each series by itself on one core.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from hanse.planning import forecasting as fc

DATA = Path(__file__).resolve().parents[2] / "shared/data"
PUBLISHED = (  # car parts, GIFT-Eval's table of 114 entries
    ("best published entry (a trained TFT)", "0.890"),
    ("foundation models", "0.93-1.01"),
    ("zero, PatchTST", "1.00"),
    ("auto-ETS", "1.34"),
    ("seasonal naive", "1.72"),
)
Method = Callable[[np.ndarray, int, int], np.ndarray]


def carparts() -> np.ndarray:
    """[series, month], each; NaN = missing."""
    frame = pl.read_csv(DATA / "carparts/carparts_wide.csv.gz", infer_schema_length=None)
    return frame.drop("part_id").cast(pl.Float64).to_numpy()


def online_retail() -> np.ndarray:
    """[item, week], units sold net of cancellations in the week, 53 weeks."""
    frame = pl.read_csv(
        DATA / "online_retail/online_retail.csv.gz",
        columns=["StockCode", "Quantity", "InvoiceDate"],
        schema_overrides={"StockCode": pl.String},
    )
    week = pl.col("InvoiceDate").str.to_datetime().dt.date() - pl.date(2010, 12, 1)
    frame = frame.with_columns(week=week.dt.total_days() // 7).filter(pl.col("week") < 53)
    return _wide(frame.group_by("StockCode", "week").agg(pl.col("Quantity").sum()), "StockCode", "week", "Quantity")


def iowa_liquor() -> np.ndarray:
    """[county x category, month], bottles; the spellings of a county merged."""
    frame = pl.read_csv(DATA / "iowa_liquor/iowa_liquor_monthly_county.csv.gz")
    frame = frame.with_columns(pl.col("county").fill_null("not named"), pl.col("category").fill_null("not named"))
    names = sorted(frame["county"].unique().to_list(), key=len, reverse=True)
    merged: dict[str, str] = {}
    for name in names:  # the export cut names at ten letters and lost apostrophes
        plain = name.replace("'", "")
        longer = [m for m in merged.values() if len(plain) == 10 and m.startswith(plain)]
        merged[name] = longer[0] if longer else plain
    month = (pl.col("year_month").str.slice(0, 4).cast(pl.Int32) - 2015) * 12 + pl.col("year_month").str.slice(
        5, 2
    ).cast(pl.Int32)
    frame = frame.with_columns(
        month=month - 1, series=pl.col("county").replace_strict(merged) + "/" + pl.col("category")
    )
    print(f"iowa_liquor: {len(names)} county spellings merged into {len(set(merged.values()))} counties")
    return _wide(frame.group_by("series", "month").agg(pl.col("bottles_sold").sum()), "series", "month", "bottles_sold")


def _wide(long: pl.DataFrame, row: str, column: str, value: str) -> np.ndarray:
    rows = long.select(pl.col(row).rank("dense") - 1).to_series().to_numpy()
    columns = long[column].to_numpy()
    out = np.zeros((int(rows.max()) + 1, int(columns.max()) + 1))
    out[rows, columns] = long[value].to_numpy()
    return out


def ours(history: np.ndarray, horizon: int, season: int) -> np.ndarray:
    return fc.forecast(history, horizon, season=season, cumulative=False).quantiles


def _frame(horizon: int, season: int) -> fc.Frame:
    return fc.Frame(horizon, fc.DECILES, False, season)


def methods() -> dict[str, Method]:
    """Ours and the naive baselines, by name."""
    return {
        "hanse": ours,
        "empirical, last 18": lambda y, h, m: _empirical(y, h, 18),
        "naive": lambda y, h, m: fc.naive(np.maximum(y, 0), _frame(h, m)),
        "seasonal naive": lambda y, h, m: fc.seasonal_naive(np.maximum(y, 0), _frame(h, m)),
        "all zero": lambda y, h, m: np.zeros((len(y), h, 9)),
    }


def _empirical(history: np.ndarray, horizon: int, window: int) -> np.ndarray:
    recent = np.nan_to_num(history[:, -window:])
    found = np.quantile(recent, fc.DECILES, axis=1, method="inverted_cdf").T
    return np.repeat(found[:, None, :], horizon, axis=1)


def peers() -> dict[str, Callable[[np.ndarray, int, int], np.ndarray]]:
    """statsforecast's methods, where importable: their own intervals, or conformal ones from two windows."""
    try:
        import statsforecast.models as sm
    except ImportError:
        print("statsforecast: skipped, not installed here (pip install --require-hashes -r requirements-bench.lock)")
        return {}

    from statsforecast.utils import ConformalIntervals

    def band(h: int) -> ConformalIntervals:
        return ConformalIntervals(n_windows=2, h=h)

    def run(make: Callable[[int, int], object]) -> Method:
        def predict(history: np.ndarray, horizon: int, season: int) -> np.ndarray:
            out = np.zeros((len(history), horizon, 9))
            bands, failed = [80, 60, 40, 20], 0
            for s, row in enumerate(history):
                values = row[~np.isnan(row)].astype(np.float64)
                try:
                    found = make(season, horizon).forecast(y=values, h=horizon, level=bands)  # type: ignore[attr-defined]
                except Exception:  # some series are too short for a method: zero is answered, and said
                    failed += 1
                    continue
                lows = [found.get(f"lo-{b}", found["mean"]) for b in bands]
                highs = [found.get(f"hi-{b}", found["mean"]) for b in reversed(bands)]
                out[s] = np.stack([*lows, found["mean"], *highs], axis=1)
            if failed:
                print(f"   the next method gave no answer for {failed} of {len(history)} series (counted as zero)")
            return np.maximum(np.nan_to_num(out), 0)

        return predict

    return {
        "statsforecast AutoETS": run(lambda m, h: sm.AutoETS(season_length=m)),
        "statsforecast SeasonalNaive": run(lambda m, h: sm.SeasonalNaive(season_length=m)),
        "statsforecast CrostonSBA": run(lambda m, h: sm.CrostonSBA(prediction_intervals=band(h))),
        "statsforecast TSB": run(lambda m, h: sm.TSB(alpha_d=0.1, alpha_p=0.1, prediction_intervals=band(h))),
        "statsforecast IMAPA": run(lambda m, h: sm.IMAPA(prediction_intervals=band(h))),
    }


def line(name: str, history: np.ndarray, actual: np.ndarray, season: int, method: Method, note: str = "") -> None:
    """Forecast, print one row of the table."""
    seconds = np.inf
    for _ in range(3):
        start = time.perf_counter()
        quantiles = method(history, actual.shape[1], season)
        seconds = min(seconds, time.perf_counter() - start)
        if seconds > 1.0:
            break
    wql = fc.weighted_quantile_loss(actual, quantiles)
    off = fc.miscalibration(actual, quantiles)
    lag = season if history.shape[1] > season else 1
    mase = fc.mean_absolute_scaled_error(np.nan_to_num(history), np.nan_to_num(actual), quantiles[..., 4], lag)
    low, high = (quantiles[..., 0], quantiles[..., 8])
    seen = ~np.isnan(actual)
    inside = ((actual >= low) & (actual <= high))[seen].mean()
    rate = len(history) / seconds
    print(f"{name:<32}{wql:>8.4f}{off:>10.3f}{inside:>10.3f}{mase:>8.3f}{rate:>13,.0f}  {note}")


def heading(title: str) -> None:
    print(f"\n## {title}\n{'':<32}{'WQL':>8}{'off by':>10}{'10-90%':>10}{'MASE':>8}{'series/s':>13}")


def one_window(title: str, panel: np.ndarray, horizon: int, season: int, peer_series: int) -> None:
    """The last `horizon` periods held out, all methods beside each other; peers on the first `peer_series` series."""
    heading(f"{title}: {panel.shape[0]:,} series, {panel.shape[1]} periods, last {horizon} held out")
    history, actual = panel[:, :-horizon], np.maximum(panel[:, -horizon:], 0)
    for name, method in methods().items():
        line(name, history, actual, season, method)
    found = peers() if peer_series else {}
    if found and peer_series < len(panel):
        print(f"   the same on {peer_series} series drawn evenly, where statsforecast's are slow:")
        pick = np.linspace(0, len(panel) - 1, peer_series).astype(int)
        full = ours(history, horizon, season)[pick]
        line("hanse (fitted on all)", history[pick], actual[pick], season, lambda y, h, m: full, "rate not comparable")
        history, actual = history[pick], actual[pick]
    for name, method in found.items():
        line(name, history, actual, season, method)


def rolling(panel: np.ndarray) -> None:
    """Car parts under rolling origins, horizon 12, and through the held-out year with the months that are left."""
    for title, origins, horizon in (
        ("twelve months ahead from each of 13 origins", range(27, 40), lambda t: 12),
        ("through the last year: from each of its 12 months to its end", range(39, 51), lambda t: 51 - t),
    ):
        print(f"\n## car parts, rolling origins, {title}\n{'origin':<32}{'WQL':>8}{'off by':>10}{'empirical 18':>14}")
        mine, beside, worst = [], [], 0.0
        for origin in origins:
            span = horizon(origin)
            actual = panel[:, origin : origin + span]
            answer = ours(panel[:, :origin], span, 12)
            mine.append(fc.weighted_quantile_loss(actual, answer))
            beside.append(fc.weighted_quantile_loss(actual, _empirical(panel[:, :origin], span, 18)))
            off = fc.miscalibration(actual, answer)
            worst = max(worst, off)
            print(f"{origin:<32}{mine[-1]:>8.4f}{off:>10.3f}{beside[-1]:>14.4f}")
        print(f"{'mean':<32}{np.mean(mine):>8.4f}{worst:>10.3f}{np.mean(beside):>14.4f}   worst {max(mine):.4f}")


def speed(panel: np.ndarray) -> None:
    """Series per second, fitting included, at the panel's size and ten times it (best of three)."""
    for copies in (1, 10):
        history = np.tile(panel[:, :39], (copies, 1))
        for both in (False, True):
            seconds = []
            for _ in range(3):
                start = time.perf_counter()
                fc.forecast(history, 12, cumulative=both)
                seconds.append(time.perf_counter() - start)
            what = "per period and over the lead time" if both else "per period"
            rate = len(history) / min(seconds)
            print(f"speed: {len(history):,} series, {what}: {min(seconds):.2f} s, {rate:,.0f} series/s")


def main(arguments: list[str]) -> None:
    """Run what is present, in the order of the module's docstring."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peers-series", type=int, default=300, help="series for statsforecast, 0 = none")
    chosen = options.parse_args(arguments)
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    fc.forecast(np.random.default_rng(0).poisson(1.0, (100, 30)).astype(float), 2)  # compile before timing
    for load, title, horizon, season in (
        (carparts, "car parts", 12, 12),
        (online_retail, "online_retail, weekly by item", 8, 52),
        (iowa_liquor, "iowa_liquor, monthly by county and category", 12, 12),
    ):
        try:
            panel = load()
        except FileNotFoundError as missing:
            print(f"{title}: skipped, no {missing.filename} in ../shared/data")
            continue
        one_window(title, panel, horizon, season, chosen.peers_series)
        if load is carparts:
            line("hanse, missing months as zero", np.nan_to_num(panel[:, :39]), np.nan_to_num(panel[:, 39:]), 12, ours)
            print("published: " + "; ".join(f"{name} {score}" for name, score in PUBLISHED))
            rolling(panel)
            speed(panel)


if __name__ == "__main__":
    main(sys.argv[1:])
