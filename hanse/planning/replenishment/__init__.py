"""Replenishment: how much each site holds, orders and lends, from the distribution of demand over its lead time.

    order_levels(lead_time_quantiles, levels, holding, shortage, lot)  -> reorder, up_to      [site, item] each
    lend_levels(lead_time_quantiles, levels, shortage, transfer)       -> what a site keeps   [site, item] each
    proposal(position, (reorder, up_to), pack, minimum)                -> orders in whole packs
    tier_quantity, fit_budget, protection_periods                      -> group tiers, budgets, suppliers' calendars
    simulate(demand[site, item, period], Levels, Costs, lead_time)     -> Outcome: fill rate, stock, transfers, cost
    service_under_shocks(...)                                          -> fill rate at the 95th-percentile shock
    textbook                                                           -> EOQ, (r, Q), (s, S), Wagner-Whitin

Owners decide: a site lends only above its own threshold, after its own customers.
"""

from hanse.planning.replenishment import textbook
from hanse.planning.replenishment.policy import (
    Levels,
    critical_ratio,
    economic_lot,
    fit_budget,
    lend_levels,
    order_levels,
    order_quantities,
    proposal,
    protection_periods,
    quantile_at,
    tier_quantity,
)
from hanse.planning.replenishment.pooling import Plan, plan_alone, plan_pooled, service_under_shocks
from hanse.planning.replenishment.simulation import Costs, Outcome, Shock, random_shocks, simulate

__all__ = [
    "Costs",
    "Levels",
    "Outcome",
    "Plan",
    "Shock",
    "critical_ratio",
    "economic_lot",
    "fit_budget",
    "lend_levels",
    "order_levels",
    "order_quantities",
    "plan_alone",
    "plan_pooled",
    "proposal",
    "protection_periods",
    "quantile_at",
    "random_shocks",
    "service_under_shocks",
    "simulate",
    "textbook",
    "tier_quantity",
]
