"""What a study assumes and what it finds."""

from dataclasses import dataclass

from hanse.planning import shares
from hanse.planning.study.data import Floats, History, Ints


@dataclass(frozen=True)
class Assumptions:
    """What the study assumes; every figure appears in its report.

    Args:
        holding_ppm_year: cost of carrying stock, parts per million of its value a year.
        shortage_ppm: cost of a unit not served at once, ppm of its value (lost margin, expediting, goodwill).
        order_minor: per order line; transfer_minor: per transfer of an item; transfer_ppm: freight, ppm of value moved.
        lead_time_periods: from order to receipt; periods_a_year; held_out: periods at the end that nobody sees
            beforehand; replan: levels are renewed every so many periods.
        caution_ppm: least chance of serving own customers until the next receipt that a lender keeps.
        bootstrap: resamples for the intervals; shocks: drawn for the shock test; currency: label for minor units / 100.
    """

    holding_ppm_year: int = 250_000
    shortage_ppm: int = 300_000
    order_minor: int = 0
    transfer_minor: int = 500
    transfer_ppm: int = 20_000
    lead_time_periods: int = 1
    periods_a_year: int = 12
    held_out: int = 12
    replan: int = 3
    caution_ppm: int = 500_000
    bootstrap: int = 1_000
    shocks: int = 40
    seed: int = 0
    currency: str = "EUR"


@dataclass(frozen=True)
class Interval:
    """A figure with its 90% bootstrap interval over items."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Side:
    """One policy on the held-out periods, by member; money in minor units over all held-out periods.

    fill_rate[member] (NaN = nothing asked), stock_minor[member] (mean value), cost_minor, holding_minor,
    shortage_minor, moving_minor [member], borrowed, lent [member] each, transfers[member].
    """

    fill_rate: Floats
    stock_minor: Floats
    cost_minor: Floats
    holding_minor: Floats
    shortage_minor: Floats
    moving_minor: Floats
    borrowed: Floats
    lent: Floats
    transfers: Floats
    fill_rate_total: float
    fill_rate_shock: float
    shock_rates: Floats


@dataclass(frozen=True)
class StudyResult:
    """Alone against pooled.

    Args:
        alone, pooled: the two policies; lending: transfers of the chosen items at the stock held alone.
        total: figures by name, with intervals.
        saved_minor, saved_low, saved_high: [member], cost alone - cost in the pool before settling, 90% interval.
        charge_minor: [member], what each pays after settling: sums to the pool's cost. gain_minor: alone - charge.
        program_saved_share: what the sharing programs save, of the cost alone; leaving: coalitions checked in them.
        pool_item: [item], 1 = pool it; item_saved_minor: [item] on the held-out periods; reason[item].
        given_up: 0..1, chosen share of the dispensable stock that is given up, on the periods before the held-out ones.
        stock_now_minor, stock_idle_minor, stock_wanted_minor: value of the present stock, of what exceeds a year's own
            sales, and of that part that other members asked for within a year; NaN where stock is unknown.
        coverage_off: worst miscalibration of the sites' forecasts on the periods that they held out.
    """

    history: History
    assumptions: Assumptions
    alone: Side
    lending: Side
    pooled: Side
    total: dict[str, Interval]
    saved_minor: Floats
    saved_low: Floats
    saved_high: Floats
    charge_minor: tuple[int, ...]
    gain_minor: Floats
    program_saved_share: float
    leaving: shares.Leaving
    pool_item: Ints
    item_saved_minor: Floats
    reason: tuple[str, ...]
    given_up: float
    coverage_off: float
    stock_now_minor: float
    stock_idle_minor: float
    stock_wanted_minor: float
