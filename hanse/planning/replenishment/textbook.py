"""Textbook lot sizes: EOQ and its relatives, price tiers, (r, Q), (s, S), Wagner-Whitin.

Equation numbers are of Snyder and Shen, *Fundamentals of Supply Chain Theory* (2nd ed., 2019). Rates and costs may be
in any units that agree: demand in each per time, holding in money per each and time, fixed in money per order.
Every function raises ValueError, in the order of its arguments, for a cost that is not above 0 or a negative rate.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm, poisson


def _positive(**given: float) -> None:
    for name, value in given.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}; expected above 0")


def economic_order_quantity(fixed: float, holding: float, demand: float) -> tuple[float, float]:
    """Order quantity in each and cost per time: Q = sqrt(2 K lambda / h) (3.4), cost sqrt(2 K lambda h) (3.5).

    >>> economic_order_quantity(8, 0.225, 1300)
    (304.0467800264368, 68.41052550594829)
    """
    _positive(fixed=fixed, holding=holding, demand=demand)
    return math.sqrt(2 * fixed * demand / holding), math.sqrt(2 * fixed * demand * holding)


def economic_order_quantity_backorders(
    fixed: float, holding: float, shortage: float, demand: float
) -> tuple[float, float, float]:
    """Order quantity, share of demand backordered and cost per time (3.27-3.29); shortage per each and time."""
    _positive(fixed=fixed, holding=holding, shortage=shortage, demand=demand)
    quantity = math.sqrt(2 * fixed * demand * (holding + shortage) / (holding * shortage))
    cost = math.sqrt(2 * fixed * demand * holding * shortage / (holding + shortage))
    return quantity, holding / (holding + shortage), cost


def economic_production_quantity(fixed: float, holding: float, demand: float, production: float) -> tuple[float, float]:
    """Lot and cost per time where a lot arrives at a finite rate (3.31-3.32); production > demand."""
    _positive(fixed=fixed, holding=holding, demand=demand, production=production)
    if production <= demand:
        raise ValueError("production must exceed demand")
    slower = holding * (1 - demand / production)
    return math.sqrt(2 * fixed * demand / slower), math.sqrt(2 * fixed * demand * slower)


def economic_order_quantity_tiers(
    fixed: float, holding_rate: float, demand: float, tier_from: ArrayLike, tier_price: ArrayLike
) -> tuple[float, int, float]:
    """Best quantity, its tier and the cost per time, purchases included, under all-units discounts (3.18-3.19).

    Args: holding_rate per time, of the price; tier_from[tier] in each, ascending from 0; tier_price[tier] per each.

    >>> economic_order_quantity_tiers(8, 0.3, 1300, [0, 400, 800], [0.75, 0.72, 0.68])
    (800.0, 2, 978.6)
    """
    _positive(fixed=fixed, holding_rate=holding_rate, demand=demand)
    starts, prices = np.array(tier_from, dtype=float), np.array(tier_price, dtype=float)
    if len(starts) == 0 or len(starts) != len(prices) or starts[0] != 0 or (np.diff(starts) <= 0).any():
        raise ValueError("tier_from must ascend from 0 and have one price each")
    best = (math.inf, 0.0, 0)
    for tier, (start, price) in enumerate(zip(starts, prices, strict=True)):
        holding = holding_rate * float(price)
        quantity = max(math.sqrt(2 * fixed * demand / holding), float(start))
        if tier + 1 < len(starts) and quantity >= starts[tier + 1]:
            continue  # the next tier is cheaper there
        cost = float(price) * demand + fixed * demand / quantity + holding * quantity / 2
        best = min(best, (round(cost, 9), quantity, tier))
    return best[1], best[2], best[0]


def newsvendor_normal(
    holding: float, shortage: float, mean: float, sd: float, lead_time: float = 0
) -> tuple[float, float]:
    """Base stock and cost for normal demand per period: quantile p / (p + h) (4.30), cost (h + p) phi(z) sd (4.37).

    With a lead time the demand of lead_time + 1 periods counts.

    >>> [round(v, 6) for v in newsvendor_normal(0.18, 0.7, 50, 8)]
    [56.603956, 1.997605]
    """
    _positive(holding=holding, shortage=shortage, mean=mean, sd=sd)
    spread = sd * math.sqrt(lead_time + 1)
    z = float(norm.ppf(shortage / (holding + shortage)))
    return mean * (lead_time + 1) + z * spread, (holding + shortage) * float(norm.pdf(z)) * spread


def newsvendor_discrete(holding: float, shortage: float, chance: ArrayLike) -> tuple[int, float]:
    """Smallest stock with P(demand <= stock) >= p / (p + h) and its cost, for chance[demand in each]."""
    _positive(holding=holding, shortage=shortage)
    probability = np.array(chance, dtype=float)
    if (probability < 0).any() or abs(probability.sum() - 1) > 1e-6:
        raise ValueError("chance must be probabilities that sum to 1")
    ratio = shortage / (holding + shortage)
    stock = int(np.argmax(np.cumsum(probability) >= ratio - 1e-12))
    gap = stock - np.arange(len(probability))
    return stock, float((probability * (holding * np.maximum(gap, 0) + shortage * np.maximum(-gap, 0))).sum())


def newsvendor_poisson(holding: float, shortage: float, mean: float) -> tuple[int, float]:
    """newsvendor_discrete for Poisson demand."""
    _positive(holding=holding, shortage=shortage, mean=mean)
    stock = int(poisson.ppf(shortage / (holding + shortage), mean))
    return stock, float(_poisson_costs(holding, shortage, mean, stock)[-1])


def _poisson_costs(holding: float, shortage: float, mean: float, most: int) -> np.ndarray:
    """Cost of one period at stock 0..most: g(S) = h n_bar(S) + p n(S) (4.6), the loss functions in closed form."""
    stock = np.arange(most + 1)
    short = (mean - stock) * (1 - poisson.cdf(stock, mean)) + mean * poisson.pmf(stock, mean)
    return np.asarray(holding * (stock - mean + short) + shortage * short)


def reorder_point_quantity(
    holding: float, shortage: float, fixed: float, mean: float, sd: float, lead_time: float
) -> tuple[float, float, float]:
    """(r, Q) and cost per time for normal demand by the expected-inventory-level approximation (5.16-5.18, alg. 5.1).

    shortage per each short (not per time); mean and sd per time; lead_time in time.
    """
    _positive(holding=holding, shortage=shortage, fixed=fixed, mean=mean, sd=sd, lead_time=lead_time)
    lead_mean, lead_sd = mean * lead_time, sd * math.sqrt(lead_time)
    quantity, level = economic_order_quantity(fixed, holding, mean)[0], 0.0
    short = 0.0
    for _ in range(1000):
        before = quantity, level
        level = float(norm.ppf(1 - quantity * holding / (shortage * mean), lead_mean, lead_sd))
        z = (level - lead_mean) / lead_sd
        short = lead_sd * float(norm.pdf(z) - z * norm.sf(z))
        quantity = math.sqrt(2 * mean * (fixed + shortage * short) / holding)
        if abs(quantity - before[0]) <= 1e-9 and abs(level - before[1]) <= 1e-9:
            break
    cost = holding * (level - lead_mean + quantity / 2) + (fixed + shortage * short) * mean / quantity
    return level, quantity, cost


def reorder_point_quantity_poisson(
    holding: float, shortage: float, fixed: float, mean: float, lead_time: float
) -> tuple[int, int, float]:
    """Best whole (r, Q) and cost per time for Poisson demand (Federgruen and Zheng, 1992; 5.48).

    shortage per each and time.
    """
    _positive(holding=holding, shortage=shortage, fixed=fixed, mean=mean, lead_time=lead_time)
    lead_mean = mean * lead_time
    most = int(poisson.ppf(0.999999, lead_mean)) + int(10 * math.sqrt(2 * fixed * mean / holding)) + 10
    costs = _poisson_costs(holding, shortage, lead_mean, most)
    low = high = int(np.argmin(costs))
    total, best = fixed * mean + costs[low], math.inf
    while total / (high - low + 1) < best:
        best = total / (high - low + 1)
        level, size = low - 1, high - low + 1
        left = costs[low - 1] if low > 0 else shortage * (lead_mean - (low - 1))
        if left < costs[high + 1]:
            low, total = low - 1, total + left
        else:
            high, total = high + 1, total + costs[high + 1]
    return level, size, float(best)


def reorder_up_to_poisson(holding: float, shortage: float, fixed: float, mean: float) -> tuple[int, int, float]:
    """Best (s, S) and cost per period for Poisson demand and no lead time (Zheng and Federgruen, 1991; 4.71-4.75).

    An order is placed when the position is at or below s. With a lead time, pass the demand of lead time + 1 periods
    only where one period's demand is negligible beside it.
    """
    _positive(holding=holding, shortage=shortage, fixed=fixed, mean=mean)
    most = int(poisson.ppf(0.999999, mean)) + int(8 * math.sqrt(2 * fixed * mean / holding)) + 20
    costs = _poisson_costs(holding, shortage, mean, most)
    renewals = _renewals(poisson.pmf(np.arange(most + 1), mean))
    best = (math.inf, 0, 0)
    negative = 3 * int(mean + 1)
    for up_to in range(most // 2):
        below = shortage * (mean - np.arange(-1, -negative - 1, -1))
        ladder = np.concatenate([costs[up_to::-1], below])  # cost at position S, S - 1, ..., down past 0
        passed = np.cumsum(renewals[: len(ladder)]), np.cumsum(renewals[: len(ladder)] * ladder[: len(renewals)])
        average = (fixed + passed[1]) / passed[0]
        k = int(np.argmin(average))
        best = min(best, (float(average[k]), up_to - k - 1, up_to))
    return best[1], best[2], best[0]


def _renewals(chance: np.ndarray) -> np.ndarray:
    """Expected periods spent j below S before an order: m(0) = 1 / (1 - p0), m(j) = m(0) sum p(i) m(j - i)."""
    out = np.zeros(len(chance))
    out[0] = 1 / (1 - chance[0])
    for j in range(1, len(chance)):
        out[j] = out[0] * float((chance[1 : j + 1] * out[j - 1 :: -1][:j]).sum())
    return out


def reorder_up_to_normal(holding: float, shortage: float, fixed: float, mean: float, sd: float) -> tuple[float, float]:
    """(s, S) for normal demand by the power approximation (Ehrhardt and Mosier, 1984; 4.77-4.80)."""
    _positive(holding=holding, shortage=shortage, fixed=fixed, mean=mean, sd=sd)
    quantity = 1.30 * mean**0.494 * (fixed / holding) ** 0.506 * (1 + (sd / mean) ** 2) ** 0.116
    z = math.sqrt(quantity / sd * holding / shortage)
    level = 0.973 * mean + sd * (0.183 / z + 1.063 - 2.192 * z)
    return level, level + quantity


def wagner_whitin(
    demand: ArrayLike, fixed: float, holding: float, price: ArrayLike | None = None
) -> tuple[list[float], float]:
    """Orders [period] and cost of the best lot sizes for known demand[period] (Wagner and Whitin, 1958; 3.39).

    Args: fixed per order; holding per each carried into the next period; price[period] per each bought (default 0).

    >>> wagner_whitin([90, 120, 80, 70], 500, 2)
    ([210.0, 0.0, 150.0, 0.0], 1380.0)
    """
    _positive(fixed=fixed, holding=holding)
    asked = np.array(demand, dtype=float)
    prices = np.zeros(len(asked)) if price is None else np.array(price, dtype=float)
    cost = [math.inf] * len(asked) + [0.0]
    until = [0] * len(asked)
    for t in reversed(range(len(asked))):
        carried = 0.0
        for end in range(t + 1, len(asked) + 1):
            carried += holding * (end - 1 - t) * asked[end - 1]
            total = fixed + prices[t] * asked[t:end].sum() + carried + cost[end]
            if total < cost[t]:
                cost[t], until[t] = float(total), end
    orders = [0.0] * len(asked)
    breaks = [0]
    while breaks[-1] < len(asked):
        breaks.append(until[breaks[-1]])
    for start, end in pairwise(breaks):
        orders[start] = float(asked[start:end].sum())
    return orders, cost[0]
