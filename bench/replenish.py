"""Replenishment against the textbook and against policies without transfers: `python -m bench.replenish [--items N]`.

1. stockpyl's published instances: the value here beside the textbook's.
2. Held-out demand of UCI Online Retail as a labelled *simulated split* of one firm over members (balanced by customer,
   and by country): two rules of thumb with fixed levels, members alone without transfers, pooled stock with transfers.
   Same demand, same costs, same shocks for all. Stock assumption: each site opens at its own order-up-to level.
"""

import argparse
import gzip
import json
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

from hanse.planning import replenishment as rp
from hanse.planning import study
from hanse.planning.replenishment import textbook as tb

DATA = Path(__file__).resolve().parents[2] / "shared/data"
WEEKS, HELD_OUT, LEAD = 53, 13, 2


def textbook() -> None:
    """One line per kind of model: instances, largest relative difference from the textbook's value."""
    with gzip.open(DATA / "stockpyl/stockpyl_instances.json.gz") as file:
        one = {entry["name"]: entry["data"] for entry in json.load(file)["instances"]}

    def args(name: str, *keys: str) -> list:
        return [one[name][key] for key in keys]

    hp = ("holding_cost", "stockout_cost")
    hpk, normal = (*hp, "fixed_cost"), ("demand_mean", "demand_sd")
    fhd = ("fixed_cost", "holding_cost", "demand_rate")
    tiers = ("fixed_cost", "holding_cost_rate", "demand_rate", "breakpoints", "unit_costs")
    rows = [
        ("EOQ 3.1", tb.economic_order_quantity(*args("example_3_1", *fhd))[1], 68.41052550594829),
        ("EOQ with tiers 3.5", tb.economic_order_quantity_tiers(*args("example_3_5", *tiers))[2], 978.6),
        ("newsvendor 4.1", tb.newsvendor_normal(*args("example_4_1", *hp, *normal))[0], 56.60395592743389),
        (
            "newsvendor, Poisson 4.8",
            tb.newsvendor_poisson(*args("problem_4_8a", *hp, "demand_mean"))[1],
            786.0884409351079,
        ),
        (
            "(s, S) Poisson 4.7",
            tb.reorder_up_to_poisson(*args("example_4_7", *hpk, "demand_mean"))[2],
            8.034111561471642,
        ),
        (
            "(s, S) Poisson 4.31",
            tb.reorder_up_to_poisson(*args("problem_4_31", *hpk, "demand_mean"))[2],
            223.57482956967,
        ),
        ("(s, S) normal 4.8", tb.reorder_up_to_normal(*args("example_4_8", *hpk, *normal))[1], 74.29017010980579),
        (
            "(r, Q) normal 5.1",
            tb.reorder_point_quantity(*args("example_5_1", *hpk, *normal, "lead_time"))[2],
            95.45114022285196,
        ),
        (
            "(r, Q) Poisson 5.8",
            tb.reorder_point_quantity_poisson(*args("example_5_8", *hpk, "demand_mean", "lead_time"))[2],
            107.92358063314975,
        ),
        (
            "Wagner-Whitin 3.9",
            tb.wagner_whitin(*args("example_3_9", "demand", "fixed_cost", "holding_cost"))[1],
            1380.0,
        ),
    ]
    print("## stockpyl's textbook instances (all 29 that the models cover are tested; ten shown)")
    for name, ours, theirs in rows:
        print(f"{name:<28}{ours:>16.6f}{theirs:>16.6f}   off by {abs(ours / theirs - 1):.1e}")


def retail() -> pl.DataFrame:
    """Long table: item, quantity, week, value in minor units, customer, country; products only."""
    frame = pl.read_csv(
        DATA / "online_retail/online_retail.csv.gz",
        columns=["StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"],
        schema_overrides={"StockCode": pl.String, "CustomerID": pl.String},
    )
    day = pl.col("InvoiceDate").str.to_datetime().dt.date() - pl.date(2010, 12, 1)
    frame = frame.with_columns(period=day.dt.total_days() // 7).filter(
        (pl.col("period") < WEEKS) & (pl.col("UnitPrice") > 0) & pl.col("StockCode").str.contains(r"^\d{5}")
    )
    return frame.select(
        "period", item="StockCode", quantity="Quantity", value_minor=pl.col("UnitPrice") * 100, customer="CustomerID",
        country="Country",
    )  # fmt: skip


def histories(items: int) -> list[tuple[str, study.History]]:
    """The two simulated splits, over the best-selling `items`."""
    rows = retail()
    worth = rows.group_by("item").agg((pl.col("quantity") * pl.col("value_minor")).sum().alias("worth"))
    rows = rows.filter(pl.col("item").is_in(worth.sort("worth", descending=True).head(items)["item"].implode()))
    balanced = study.split_balanced(rows, 8, "customer", "Member")
    largest = rows.group_by("country").agg(pl.len()).sort("len", descending=True).head(12)["country"]
    country = rows.filter(pl.col("country").is_in(largest.implode())).with_columns(
        member=pl.col("country"), site=pl.col("country")
    )
    return [
        ("simulated split, balanced over 8 members by customer", study.from_frame(balanced)),
        ("simulated split by country, the 12 largest", study.from_frame(country)),
    ]


def rules_of_thumb(history: study.History) -> dict[str, rp.Levels]:
    """Levels that firms use without a forecast of the distribution: mean + 2 sd; twice the lead time's mean."""
    past = np.nan_to_num(np.maximum(history.sales[:, :, :-HELD_OUT], 0))
    span = LEAD + 1
    mean, sd = past.mean(axis=2) * span, past.std(axis=2) * np.sqrt(span)
    keep = np.full(mean.shape, 1e15)
    return {
        "alone, mean + 2 sd, fixed": rp.Levels(np.ceil(mean + 2 * sd) - 1, np.ceil(mean + 2 * sd), keep),
        "alone, twice the mean, fixed": rp.Levels(np.ceil(2 * mean) - 1, np.ceil(2 * mean), keep),
    }


def compare(title: str, history: study.History) -> None:
    """All policies on one split."""
    given = study.Assumptions(
        periods_a_year=52, held_out=HELD_OUT, lead_time_periods=LEAD, replan=4, transfer_minor=200, currency="GBP"
    )
    sites, items, _ = history.sales.shape
    print(f"\n## {title}: {sites} sites, {items} items, last {HELD_OUT} weeks held out")
    start = time.perf_counter()
    found = study.study(history, given)
    seconds = time.perf_counter() - start
    demand = np.nan_to_num(np.maximum(history.sales[:, :, -HELD_OUT:], 0))
    costs = study.costs_of(history, given)
    lead = np.full((sites, items), LEAD)
    shocks = rp.random_shocks(sites, HELD_OUT, given.shocks, given.seed)
    print(f"{'':<34}{'fill rate':>10}{'in a shock':>12}{'stock, GBP':>13}{'cost, GBP':>12}{'transfers':>11}")

    def line(name: str, fill: float, shock: float, stock: float, cost: float, moved: float) -> None:
        print(f"{name:<34}{fill:>10.1%}{shock:>12.1%}{stock / 100:>13,.0f}{cost / 100:>12,.0f}{moved:>11,.0f}")

    for name, levels in rules_of_thumb(history).items():
        run = rp.simulate(demand, levels, costs, lead)
        rate, _ = rp.service_under_shocks(
            lambda one, levels=levels: rp.simulate(demand, levels, costs, lead, shocks=one), shocks
        )
        stock = float((run.stock * history.value_minor).sum())
        line(name, run.fill_rate, rate, stock, float(run.cost.sum()), float(run.transfers.sum()))
    for name, side in (
        ("alone, forecast quantile", found.alone),
        ("the same stock, and transfers", found.lending),
        ("pooled stock and transfers", found.pooled),
    ):
        line(name, side.fill_rate_total, side.fill_rate_shock, float(side.stock_minor.sum()),
             float(side.cost_minor.sum()), float(side.transfers.sum()))  # fmt: skip
    saved = found.total["cost_saved_share"]
    print(
        f"pooled against alone: cost -{saved.value:.1%} (90% {saved.low:.1%} to {saved.high:.1%}); members that pay "
        f"more than alone: {(found.gain_minor < 0).sum()} of {len(found.gain_minor)}; {seconds:.1f} s with forecasts"
    )


def main(arguments: list[str]) -> None:
    """The textbook, then both splits; what is missing in ../shared is said and skipped."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--items", type=int, default=400)
    chosen = options.parse_args(arguments)
    try:
        textbook()
    except FileNotFoundError as missing:
        print(f"textbook: skipped, no {missing.filename}")
    try:
        splits = histories(chosen.items)
    except FileNotFoundError as missing:
        print(f"online_retail: skipped, no {missing.filename}")
        return
    for title, history in splits:
        compare(title, history)


if __name__ == "__main__":
    main(sys.argv[1:])
