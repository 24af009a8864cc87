"""What pooling saved, shared: the study's charges by member."""

import numpy as np

from hanse.planning import shares
from hanse.planning.replenishment import Costs
from hanse.planning.study.data import Floats, History
from hanse.planning.study.result import Assumptions, Side


def by_member(values: Floats, history: History) -> Floats:
    """[site, item] to [member, item]."""
    out = np.zeros((len(history.members), values.shape[1]))
    np.add.at(out, history.owner, values)
    return out


def charges(
    history: History, given: Assumptions, costs: Costs, alone: Side, pooled: Side
) -> tuple[list[int], float, float, shares.Leaving]:
    """Charges that sum to the pool's cost: each member's cost alone less its part of what pooling saved.

    The parts are those of the newsvendor programs of the items, on runs of lead time + 1 periods before:
    what a member would pay alone less its charge at the dual prices, which no group of members can better. They are
    scaled to what was saved in the held-out periods; what the programs do not price (freight, whole units, surprise)
    is thus shared in the same proportion.
    Returns charges, the programs' saving and its scale, and the check against random coalitions.
    """
    begin = history.sales.shape[2] - given.held_out
    start = max(0, begin - 2 * given.periods_a_year)
    past = np.nan_to_num(np.maximum(history.sales[:, :, start:begin], 0))
    ahead = min(given.lead_time_periods + 1, past.shape[2])
    running = np.cumsum(np.pad(past, ((0, 0), (0, 0), (1, 0))), axis=2)
    windows = running[:, :, ahead:] - running[:, :, :-ahead]
    members, items = len(history.members), windows.shape[1]
    tried = shares.random_coalitions(members, int(np.clip(6e7 / (members * items), 20, 200)), given.seed)
    apart, charged, own = np.zeros(members), np.zeros(members), np.zeros(len(tried))
    for i in range(items):
        demand = np.zeros((windows.shape[2], members))
        np.add.at(demand.T, history.owner, windows[:, i])
        if demand.any():
            game = shares.Newsvendor(demand, float(costs.holding[i]), float(costs.shortage[i]))
            apart += game.alone()
            charged += shares.dual_shares(game)
            own += game.cost(tried)
    over = (tried.astype(np.float64) @ charged) / np.maximum(own, 1e-9) - 1
    check = shares.Leaving(len(tried), int((over > 1e-9).sum()), float(over.max()))
    gain, total = apart - charged, round(float(pooled.cost_minor.sum()))
    saved = float(alone.cost_minor.sum()) - total
    expected = float(gain.sum())
    part = gain * (saved / expected) if expected > 1e-9 else np.full(members, saved / members)
    charge = shares.settle(alone.cost_minor - part, total, alone.cost_minor)
    return charge, expected * given.held_out, float(apart.sum()) * given.held_out, check
