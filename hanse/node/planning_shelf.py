"""What planning for a firm's own shelves takes in and gives out: plain values that go to a worker process and back."""

from __future__ import annotations

from msgspec import Struct

WEEK = 7 * 86_400
MONDAY = 4 * 86_400
"""1970-01-05 was a Monday."""


class Assumed(Struct, frozen=True):
    """What the levels rest on; shown beside them. Rates in parts per million of an item's value."""

    lead_time_weeks: int = 2
    holding_ppm_year: int = 250_000
    shortage_ppm: int = 300_000
    transfer_minor: int = 500
    caution_ppm: int = 500_000


class Bin(Struct, frozen=True):
    """One own number at one site. history: of its weeks, each. free: not promised; position: free and on order."""

    number: int
    site: int
    history: list[float]
    free_each: int
    position_each: int


class Supplier(Struct, frozen=True):
    """From whom a firm bought an own number last. party: "" where it is not in the network; name: for people."""

    party: str
    name: str
    price_minor: int
    currency: str


class Number(Struct, frozen=True):
    """What is known of one own number. stock: on hand at the end of each of the last weeks."""

    own_number: str
    description: str
    item: str
    currency: str
    pack_each: int
    cost_minor: int
    on_hand_each: int
    free_each: int
    position_each: int
    stock: list[float]
    supplier: Supplier | None = None


class Given(Struct, frozen=True):
    """What the worker gets: numbers with history[number, week], sites as (site, name), bins where they sell or lie."""

    numbers: list[Number]
    history: list[list[float]]
    first_week: int
    sites: list[tuple[str, str]]
    bins: list[Bin]
    assumed: Assumed


class SiteLevels(Struct, frozen=True):
    """Levels of one own number at one own site, each."""

    site: str
    name: str
    reorder_each: int
    up_to_each: int
    lend_each: int


class Shelf(Struct, frozen=True):
    """One own number, weekly. history, stock: the last weeks, each. low, median, high: deciles 1, 5 and 9 of each week
    to come; used_*: of all weeks to come up to it.

    reorder, up_to, lend: levels, each, over all sites; sites: of each. champion: the method that was best for its
    class of items on weeks held out. What was on hand, free, and free with what is on order, when it was computed.
    """

    own_number: str
    description: str
    item: str
    history: list[float]
    stock: list[float]
    low: list[float]
    median: list[float]
    high: list[float]
    used_median: list[float]
    used_high: list[float]
    reorder_each: int
    up_to_each: int
    lend_each: int
    on_hand_each: int
    free_each: int
    position_each: int
    pack_each: int
    cost_minor: int
    currency: str
    champion: str
    sites: list[SiteLevels] = []
    supplier: Supplier | None = None


class Struck(Struct, frozen=True):
    """One shock, mean over its possible weeks. label: short. fill_*: share of demand served at once by two policies.

    worst: by forecast levels, in its worst weeks. missed_each: more than without it. extra_cost_minor: over the weeks.
    """

    label: str
    what: str
    fill_forecast: float
    fill_habit: float
    worst: float
    missed_each: int
    extra_cost_minor: int


class Shelves(Struct, frozen=True):
    """What came out. first_week: UTC seconds of the first Monday of the histories.

    coverage: (level, share of held-out weeks below, at or below). shocks: the worst first; calm_*, bad_*: without a
    shock, and at the 95th-percentile shock, -1 where there was too little history. stock_*, cost_*: mean value of
    stock, and all costs, over the weeks held out without a shock.
    """

    shelves: list[Shelf]
    first_week: int
    weeks: int
    assumed: Assumed
    coverage: list[tuple[float, float, float]]
    shocks: list[Struck]
    calm_forecast: float
    calm_habit: float
    bad_forecast: float
    bad_habit: float
    stock_forecast_minor: int = 0
    stock_habit_minor: int = 0
    cost_forecast_minor: int = 0
    cost_habit_minor: int = 0
