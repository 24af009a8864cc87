"""From a forecast to an order: levels from lead-time quantiles, then packs, minimums, tiers, calendars and a budget."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def critical_ratio(holding: float, shortage: float) -> float:
    """The newsvendor's service level p / (p + h): h per each left over, p per each short, both > 0.

    >>> critical_ratio(1.0, 9.0)
    0.9
    """
    if not (holding > 0 and shortage > 0):
        raise ValueError("holding and shortage must be above 0")
    return shortage / (holding + shortage)


def quantile_at(quantiles: Floats, levels: Floats, wanted: ArrayLike) -> Floats:
    """The forecast's quantile at any level, by straight lines between the given ones: [...].

    Args: quantiles[..., q], each; levels[q], ascending; wanted: one level or [...], in (0, 1). Beyond the last the
    last two steps' slope in -ln(1 - level) goes on (an exponential tail); below the first, a line from 0.

    >>> quantile_at(np.array([2.0, 4.0]), np.array([0.5, 0.9]), 0.7).tolist()
    3.0
    """
    at = np.broadcast_to(np.asarray(wanted, dtype=np.float64), quantiles.shape[:-1])
    if ((at <= 0) | (at >= 1)).any():
        raise ValueError("wanted levels must lie in (0, 1)")
    high = np.clip(np.searchsorted(levels, at), 1, max(len(levels) - 1, 1))
    if len(levels) == 1:
        return np.asarray(quantiles[..., 0], dtype=np.float64)
    low_value = np.take_along_axis(quantiles, (high - 1)[..., None], -1)[..., 0]
    high_value = np.take_along_axis(quantiles, high[..., None], -1)[..., 0]
    share = (at - levels[high - 1]) / (levels[high] - levels[high - 1])
    inside = low_value + np.clip(share, 0, 1) * (high_value - low_value)
    tail = np.log((1 - levels[-1]) / (1 - at)) / np.log((1 - levels[-2]) / (1 - levels[-1]))
    beyond = quantiles[..., -1] + np.maximum(tail, 0) * (quantiles[..., -1] - quantiles[..., -2])
    below = quantiles[..., 0] * at / levels[0]
    return np.asarray(np.where(at > levels[-1], beyond, np.where(at < levels[0], below, inside)), dtype=np.float64)


@dataclass(frozen=True)
class Levels:
    """What a site orders and lends by, [site, item] or [site, item, period], in each.

    Args:
        reorder: an order is due when the position (stock + on order - owed) is at or below it.
        up_to: the position that an order restores.
        lend: a site lends only what it holds above this.
    """

    reorder: Floats
    up_to: Floats
    lend: Floats


def order_levels(
    protection: Floats, levels: Floats, holding: ArrayLike, shortage: ArrayLike, lot: ArrayLike = 0.0
) -> tuple[Floats, Floats]:
    """Reorder and order-up-to levels from quantiles of demand over the protection interval (lead time + review).

    The reorder level is the quantile at the newsvendor ratio; up_to adds `lot` (for example the economic order
    quantity), at least nothing. Whole units, rounded up.

    Args: protection[..., q], each; levels[q]; holding, shortage per each over that interval, > 0, one or [...];
        lot in each, >= 0, one or [...]. Returns (reorder, up_to), each [...].
    """
    h, p = np.asarray(holding, dtype=np.float64), np.asarray(shortage, dtype=np.float64)
    if (h <= 0).any() or (p <= 0).any():
        raise ValueError("holding and shortage must be above 0")
    base = np.ceil(quantile_at(protection, levels, p / (p + h)) - 1e-9)
    size = np.asarray(lot, dtype=np.float64)
    # with lots, an order is due when the position is at the protected level; without, as soon as it is below it
    reorder = np.where(size > 1, base, base - 1)
    return reorder, base + np.ceil(np.where(size > 1, size, 0.0))


def lend_levels(
    lead_time: Floats, levels: Floats, shortage: ArrayLike, transfer: ArrayLike, caution: float = 0.5
) -> Floats:
    """What a site keeps for its own customers: it lends only above this (partial pooling).

    A unit is better lent when its own chance of being missed costs less than the borrower's certain shortage and the
    transfer: F(stock) > transfer / shortage. Owners may keep more: `caution` is the least chance, 0..1, of serving
    their own demand until the next receipt (Zhao, Deshpande and Ryan, 2005; Kranenburg and van Houtum, 2009).

    Args: lead_time[..., q], demand until the next receipt, each; levels[q]; shortage > 0 and transfer >= 0 per each.
    """
    if not 0 <= caution < 1:
        raise ValueError("caution must lie in [0, 1)")
    gain = np.asarray(transfer, dtype=np.float64) / np.asarray(shortage, dtype=np.float64)
    level = np.clip(np.maximum(gain, caution), 1e-6, 0.999)
    return np.asarray(np.ceil(quantile_at(lead_time, levels, level) - 1e-9), dtype=np.float64)


def protection_periods(order_periods: ArrayLike, lead_time: int, now: int) -> int:
    """Periods that an order placed now must last for, by the supplier's calendar: until the next order can arrive.

    Args: order_periods: ascending periods in which the supplier takes orders; lead_time in periods, >= 0; now: one of
    them. Raises ValueError when no later period is given.

    >>> protection_periods([0, 4, 8], 2, 4)
    6
    """
    later = [int(t) for t in np.asarray(order_periods).ravel() if t > now]
    if not later:
        raise ValueError("the calendar names no order period after now")
    return later[0] + lead_time - now


def order_quantities(
    wanted: ArrayLike,
    pack: ArrayLike = 1,
    minimum: ArrayLike = 0,
) -> Ints:
    """Whole packs that cover what is wanted, at least the minimum: [...] each; nothing wanted, nothing ordered.

    Args: wanted[...] in each; pack, minimum in each, one or [...], pack >= 1.

    >>> order_quantities([0, 1, 13], pack=6, minimum=12).tolist()
    [0, 12, 18]
    """
    size = np.asarray(pack, dtype=np.int64)
    if (size < 1).any():
        raise ValueError("a pack holds at least 1 each")
    need = np.ceil(np.maximum(np.asarray(wanted, dtype=np.float64), 0) - 1e-9)
    asked = np.where(need > 0, np.maximum(need, np.asarray(minimum)), 0).astype(np.int64)
    return np.asarray(-(-asked // size) * size, dtype=np.int64)


def tier_quantity(wanted: int, tier_from: ArrayLike, tier_price_minor: ArrayLike, holding_minor: float) -> int:
    """Order more to reach a cheaper tier when that saves more than carrying the extra units costs.

    Args: wanted in each, >= 0; tier_from[tier] ascending from 0; tier_price_minor[tier]; holding_minor: cost of
    carrying one extra each until it is used. Returns each: wanted, or a tier's start above it.

    >>> tier_quantity(90, [0, 100], [50, 40], 20.0), tier_quantity(20, [0, 100], [50, 40], 20.0)
    (100, 20)
    """
    starts, prices = np.asarray(tier_from), np.asarray(tier_price_minor, dtype=np.float64)
    if wanted <= 0:
        return 0
    mine = int(np.searchsorted(starts, wanted, side="right")) - 1
    # what is bought beyond `wanted` is stock that saves a later purchase at today's tier
    best, least = wanted, 0.0
    for tier in range(mine + 1, len(starts)):
        extra = int(starts[tier]) - wanted
        gain = wanted * (prices[mine] - prices[tier]) + extra * (prices[mine] - prices[tier]) - extra * holding_minor
        if gain > least:
            best, least = int(starts[tier]), float(gain)
    return best


def fit_budget(
    quantity: ArrayLike, price_minor: ArrayLike, worth_minor: ArrayLike, pack: ArrayLike, budget: int
) -> Ints:
    """Cut orders to a budget: packs are bought in order of worth per money until it is spent.

    Args: quantity[line] in each (whole packs); price_minor[line] per each; worth_minor[line]: expected shortage cost
    that an each averts; pack[line]; budget in minor units, >= 0. Returns quantity[line], whole packs, within it;
    ties go to the lower line. The first packs of a line come before its last: worth falls in proportion to what is
    already bought.

    >>> fit_budget([4, 4], [10, 10], [3.0, 2.0], [2, 2], 50).tolist()
    [4, 0]
    """
    wanted = np.asarray(quantity, dtype=np.int64)
    price, worth = np.asarray(price_minor, dtype=np.int64), np.asarray(worth_minor, dtype=np.float64)
    size = np.asarray(pack, dtype=np.int64)
    packs: list[tuple[float, int, int]] = []
    for line in range(len(wanted)):
        count = int(wanted[line] // size[line])
        for k in range(count):
            value = float(worth[line]) * (1 - k / (2 * count)) / max(int(price[line]), 1)
            packs.append((-value, line, k))
    bought = np.zeros(len(wanted), dtype=np.int64)
    left = budget
    stopped: set[int] = set()
    for _, line, _ in sorted(packs):
        cost = int(size[line] * price[line])
        if cost > left or line in stopped:
            stopped.add(line)
            continue
        left -= cost
        bought[line] += size[line]
    return bought


def proposal(position: ArrayLike, levels: tuple[Floats, Floats], pack: ArrayLike = 1, minimum: ArrayLike = 0) -> Ints:
    """What to order now, [...] each: up to the level where the position is at or below the reorder level."""
    reorder, up_to = levels
    at = np.asarray(position, dtype=np.float64)
    return order_quantities(np.where(at <= reorder, up_to - at, 0), pack, minimum)


def economic_lot(mean_per_period: ArrayLike, fixed: float, holding_per_period: ArrayLike) -> Floats:
    """Economic order quantity [...] in each for many items at once (3.4); 0 where nothing is asked."""
    if fixed < 0:
        raise ValueError("fixed must not be negative")
    rate = np.maximum(np.asarray(mean_per_period, dtype=np.float64), 0)
    holding = np.asarray(holding_per_period, dtype=np.float64)
    return np.asarray(np.sqrt(2 * fixed * rate / np.maximum(holding, math.ulp(1.0))), dtype=np.float64)
