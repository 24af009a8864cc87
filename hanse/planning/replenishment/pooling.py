"""Levels for sites on their own and for sites that lend to each other; and how both stand up to shocks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hanse.planning.forecasting.compiled import Floats
from hanse.planning.replenishment.policy import Levels, economic_lot, lend_levels, order_levels, quantile_at
from hanse.planning.replenishment.simulation import Costs, Outcome, Shock

KEEP_EVERYTHING = 1e15


@dataclass(frozen=True)
class Plan:
    """What levels are made of.

    Args:
        protection: [site, item, q], demand over lead time + review, each.
        lead_time: [site, item, q], demand over the lead time alone, each.
        levels: [q], of both.
        mean: [site, item], expected demand per period, each.
        costs: as in the simulation.
        caution: 0..1, the least chance that a lender keeps of serving its own customers until its next receipt.
        lots: True: orders are economic lots; False: every order restores the level (no cost per order to speak of).
    """

    protection: Floats
    lead_time: Floats
    levels: Floats
    mean: Floats
    costs: Costs
    caution: float = 0.5
    lots: bool = False

    def lot(self) -> Floats:
        """Economic lot [site, item] in each; 0 where orders have no lots."""
        if not self.lots:
            return np.zeros(self.mean.shape)
        return economic_lot(self.mean, self.costs.order, self.costs.holding[None, :])


def plan_alone(plan: Plan) -> Levels:
    """Each site for itself: the newsvendor quantile of its own demand; nothing is lent across owners.

    Between sites of one owner the same threshold as under pooling applies.
    """
    holding, shortage = plan.costs.holding[None, :], plan.costs.shortage[None, :]
    reorder, up_to = order_levels(plan.protection, plan.levels, holding, shortage, plan.lot())
    return Levels(reorder, up_to, _lend(plan))


def _lend(plan: Plan) -> Floats:
    """Thresholds at the mean freight, a transfer's fixed cost spread over a selling site's demand of a period."""
    sites = len(plan.costs.transfer_each)
    freight = plan.costs.transfer_each.sum() / max(sites * (sites - 1), 1)
    bulk = np.ones(plan.mean.shape[1]) if plan.costs.bulk is None else plan.costs.bulk
    sellers = np.maximum((plan.mean > 0).sum(axis=0), 1)
    typical = np.maximum(plan.mean.sum(axis=0) / sellers, 1.0)
    each = (freight * bulk + plan.costs.transfer / typical)[None, :]
    return lend_levels(plan.lead_time, plan.levels, plan.costs.shortage[None, :], each, plan.caution)


def plan_pooled(plan: Plan, together: Floats, poolable: Floats | None = None, share: float = 1.0) -> Levels:
    """Sites that back each other up hold together what the pool's demand needs, split by what each needed alone.

    The pool's level is the newsvendor quantile of the *summed* demand; each site keeps its own mean and a part of its
    own safety stock, the same part for all, in whole units (largest remainder). No site rises above its level alone.

    Args: together[item, q], summed demand over lead time + review; poolable[item]: 1 = pooled, 0 = as alone;
        share: 0..1, how much of the stock that pooling makes dispensable is given up.
    """
    alone = plan_alone(plan)
    holding, shortage = plan.costs.holding, plan.costs.shortage
    base = np.ceil(quantile_at(plan.protection, plan.levels, (shortage / (shortage + holding))[None, :]) - 1e-9)
    total = np.ceil(quantile_at(together, plan.levels, shortage / (shortage + holding)) - 1e-9)
    mean = np.minimum(plan.protection.mean(axis=-1), base)
    total = np.clip(base.sum(axis=0) - share * np.maximum(base.sum(axis=0) - total, 0), 0, base.sum(axis=0))
    safety = (base - mean).sum(axis=0)
    part = np.where(safety > 0, (total - mean.sum(axis=0)) / np.maximum(safety, 1e-12), 1.0)
    scaled = mean * (total / np.maximum(mean.sum(axis=0), 1e-12))
    exact = np.where(part >= 0, mean + np.clip(part, 0, 1) * (base - mean), scaled)
    pooled = np.minimum(_whole(exact, total), base)
    cut = base - pooled
    which = np.ones(len(total)) if poolable is None else poolable
    cut = cut * (which > 0)
    return Levels(alone.reorder - cut, alone.up_to - cut, np.where(which > 0, alone.lend, KEEP_EVERYTHING))


def _whole(exact: Floats, total: Floats) -> Floats:
    """Whole units [site, item] that sum to total[item]: largest remainder, ties to the lower site."""
    floor = np.floor(exact + 1e-9)
    left = np.rint(total - floor.sum(axis=0))
    rank = np.argsort(np.argsort(floor - exact, axis=0, kind="stable"), axis=0, kind="stable")
    return np.asarray(floor + (rank < left[None, :]), dtype=np.float64)


def service_under_shocks(
    run: Callable[[tuple[Shock, ...]], Outcome], shocks: Sequence[tuple[Shock, ...]], percentile: float = 95.0
) -> tuple[float, Floats]:
    """Fill rate at the `percentile`-th worst shock, and all fill rates [shock] in the order given.

    Give every policy the same shocks: the figures then differ by the policy alone.
    """
    if not shocks:
        raise ValueError("service under shocks needs at least one shock")
    rates = np.array([run(one).fill_rate for one in shocks])
    return float(np.percentile(rates, 100 - percentile, method="lower")), rates
