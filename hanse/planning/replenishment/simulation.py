"""What a policy would have done: sites, items and periods simulated on given demand, with transfers and shocks.

The same demand and the same shocks are given to every policy that is compared (common random numbers). Within a period,
in this order: receipts arrive; each site serves what it owes, then its own customers; sites that are short borrow from
sites of their group that hold more than they lend above; what is still missing is owed (backordered); costs are
counted; sites whose position is at or below the reorder level order.
"""

from dataclasses import dataclass

import numpy as np

from hanse.planning.forecasting.compiled import Floats, Ints, compiled
from hanse.planning.replenishment.policy import Levels


@dataclass(frozen=True)
class Costs:
    """Minor units: holding per each and period [item], shortage per each not served at once [item], per order placed,
    per transfer, and freight per each: transfer_each[from site, to site] x bulk[item] (bulk None = 1 each)."""

    holding: Floats
    shortage: Floats
    order: float
    transfer: float
    transfer_each: Floats
    bulk: Floats | None = None


@dataclass(frozen=True)
class Shock:
    """One thing going wrong, from a period on for some periods.

    kind: "site lost" (it serves and receives nothing; its stock cannot be lent), "supplier late" (orders placed in that
    time take `size` periods longer), "surge" (demand is `size` times as high), at one site (-1 = all).
    """

    kind: str
    site: int
    start: int
    periods: int
    size: float = 1.0


KINDS = ("site lost", "supplier late", "surge")


@dataclass(frozen=True)
class Outcome:
    """What happened, [site, item]; units in each, money in minor units.

    demanded, served (at once, from any stock), borrowed, lent; transfers (count, by borrower); orders (count);
    stock: mean at the period's end; holding, shortage, ordering, moving: costs over all periods; ordered: units;
    left: position after the last period (stock + on order - owed) = opening + ordered - demanded + borrowed - lent.
    """

    demanded: Floats
    served: Floats
    borrowed: Floats
    lent: Floats
    transfers: Floats
    orders: Floats
    stock: Floats
    holding: Floats
    shortage: Floats
    ordering: Floats
    moving: Floats
    ordered: Floats
    left: Floats

    @property
    def cost(self) -> Floats:
        """All costs [site, item], minor units."""
        return self.holding + self.shortage + self.ordering + self.moving

    @property
    def fill_rate(self) -> float:
        """Share of demanded units served at once; 1 where nothing was asked."""
        asked = float(self.demanded.sum())
        return float(self.served.sum()) / asked if asked else 1.0


def simulate(
    demand: Floats,
    levels: Levels,
    costs: Costs,
    lead_time: Ints,
    *,
    opening: Floats | None = None,
    group: Ints | None = None,
    poolable: Floats | None = None,
    pack: Ints | None = None,
    minimum: Ints | None = None,
    shocks: tuple[Shock, ...] = (),
) -> Outcome:
    """Run a policy over demand.

    Args:
        demand: [site, item, period], each, >= 0.
        levels: reorder, up_to, lend, [site, item] or [site, item, period], each.
        lead_time: [site, item], periods from order to receipt, >= 0; an order of period t can serve period
            t + lead_time + 1.
        opening: stock [site, item] at the start, each (default: up_to).
        group: [site]; transfers happen between sites of one group (default: none).
        poolable: [item], 1 where transfers are permitted, 0 not (default: all).
        pack, minimum: [item], each (default 1, 0).
        shocks: apply together.
    Raises ValueError, in order: demand not [site, item, period], negative or NaN; lead times negative; a shock's kind,
        site or period unknown.
    """
    if demand.ndim != 3 or np.isnan(demand).any() or (demand < 0).any():
        raise ValueError("demand must be [site, item, period], without gaps, >= 0")
    if (lead_time < 0).any():
        raise ValueError("lead times must not be negative")
    sites, items = demand.shape[:2]
    shocked, open_, late = _apply(demand, shocks)
    reorder, up_to, lend = (np.ascontiguousarray(_timed(one, sites, items)) for one in _three(levels))
    start = up_to[:, :, 0] if opening is None else opening
    found = _simulate(
        shocked,
        reorder,
        up_to,
        lend,
        np.asarray(lead_time, dtype=np.int64),
        np.ascontiguousarray(start, dtype=np.float64),
        np.arange(sites) if group is None else np.asarray(group, dtype=np.int64),
        np.ones(items) if poolable is None else np.asarray(poolable, dtype=np.float64),
        np.ones(items, dtype=np.int64) if pack is None else np.asarray(pack, dtype=np.int64),
        np.zeros(items, dtype=np.int64) if minimum is None else np.asarray(minimum, dtype=np.int64),
        open_,
        late,
        costs.holding.astype(np.float64),
        costs.shortage.astype(np.float64),
        float(costs.order),
        float(costs.transfer),
        np.ascontiguousarray(costs.transfer_each, dtype=np.float64),
        np.ones(items) if costs.bulk is None else costs.bulk.astype(np.float64),
    )
    return Outcome(*found)


def _three(levels: Levels) -> tuple[Floats, Floats, Floats]:
    return levels.reorder, levels.up_to, levels.lend


def _timed(values: Floats, sites: int, items: int) -> Floats:
    whole = values[:, :, None] if values.ndim == 2 else values
    return np.asarray(np.broadcast_to(whole, (sites, items, whole.shape[2])), dtype=np.float64)


def _apply(demand: Floats, shocks: tuple[Shock, ...]) -> tuple[Floats, Ints, Ints]:
    """Demand under the shocks, whether each site is open [site, period], extra lead time [site, period]."""
    sites, _, periods = demand.shape
    shocked = demand.astype(np.float64).copy()
    open_ = np.ones((sites, periods), dtype=np.int64)
    late = np.zeros((sites, periods), dtype=np.int64)
    for shock in shocks:
        if shock.kind not in KINDS or not -1 <= shock.site < sites or not 0 <= shock.start < periods:
            raise ValueError(f"unknown shock {shock}")
        where = slice(None) if shock.site == -1 else slice(shock.site, shock.site + 1)
        when = slice(shock.start, shock.start + shock.periods)
        if shock.kind == "site lost":
            open_[where, when] = 0
        elif shock.kind == "supplier late":
            late[where, when] = int(shock.size)
        else:
            shocked[where, :, when] = np.rint(shocked[where, :, when] * shock.size)
    return np.ascontiguousarray(shocked), open_, late


def random_shocks(sites: int, periods: int, count: int, seed: int = 0) -> list[tuple[Shock, ...]]:
    """`count` single shocks, even over kinds, sites, starts: lost for 2 periods, 2 periods late, x2.5 for 2 periods."""
    rng = np.random.default_rng(seed)
    found: list[tuple[Shock, ...]] = []
    for _ in range(count):
        kind = KINDS[int(rng.integers(3))]
        everybody = kind == "supplier late" and rng.random() < 0.3
        site = -1 if everybody else int(rng.integers(sites))
        start = int(rng.integers(max(periods - 2, 1)))
        length, size = {"site lost": (2, 1.0), "supplier late": (3, 2.0), "surge": (2, 2.5)}[kind]
        found.append((Shock(kind, site, start, length, size),))
    return found


@compiled
def _simulate(
    demand: Floats, reorder: Floats, up_to: Floats, lend: Floats, lead_time: Ints, opening: Floats, group: Ints,
    poolable: Floats, pack: Ints, minimum: Ints, open_: Ints, late: Ints, holding: Floats, shortage: Floats,
    order_cost: float, transfer_cost: float, transfer_each: Floats, bulk: Floats,
) -> Floats:  # fmt: skip
    sites, items, periods = demand.shape
    out = np.zeros((13, sites, items))
    for i in range(items):
        longest = lead_time[:, i].max() + late.max() + 1
        coming = np.zeros((sites, periods + longest + 1))
        stock = opening[:, i].copy()
        owed = np.zeros(sites)
        short = np.zeros(sites)
        for t in range(periods):
            for s in range(sites):
                out[0, s, i] += demand[s, i, t]
                if open_[s, t] == 0:
                    coming[s, t + 1] += coming[s, t]
                    short[s] = demand[s, i, t]
                else:
                    short[s] = _serve(s, demand[s, i, t], coming[s, t], stock, owed)
                    out[1, s, i] += demand[s, i, t] - short[s]
            if poolable[i] > 0:
                _borrow(
                    out,
                    i,
                    t,
                    stock,
                    short,
                    owed,
                    lend,
                    group,
                    open_,
                    shortage[i],
                    transfer_cost,
                    transfer_each * bulk[i],
                )
            tt = min(t, reorder.shape[2] - 1)
            for s in range(sites):
                owed[s] += short[s]
                out[6, s, i] += stock[s] / periods
                out[7, s, i] += stock[s] * holding[i]
                out[8, s, i] += short[s] * shortage[i]
                if open_[s, t] == 0:
                    continue
                position = stock[s] - owed[s] + coming[s, t + 1 :].sum()
                if position <= reorder[s, i, tt]:
                    wanted = max(np.ceil(up_to[s, i, tt] - position - 1e-9), minimum[i])
                    wanted = np.ceil(wanted / pack[i]) * pack[i]
                    if wanted > 0:
                        coming[s, min(t + lead_time[s, i] + late[s, t] + 1, periods + longest)] += wanted
                        out[5, s, i] += 1
                        out[11, s, i] += wanted
                        out[9, s, i] += order_cost
        for s in range(sites):
            out[12, s, i] = stock[s] - owed[s] + coming[s, periods:].sum()
    return out


@compiled
def _serve(s: int, asked: float, received: float, stock: Floats, owed: Floats) -> float:
    """Receive, deliver what is owed, then what is asked; returns what is short, each."""
    stock[s] += received
    repaid = min(owed[s], stock[s])
    owed[s] -= repaid
    stock[s] -= repaid
    given = min(asked, stock[s])
    stock[s] -= given
    return float(asked - given)


@compiled
def _borrow(
    out: Floats, i: int, t: int, stock: Floats, short: Floats, owed: Floats, lend: Floats, group: Ints, open_: Ints,
    shortage: float, transfer_cost: float, transfer_each: Floats,
) -> None:  # fmt: skip
    """Short sites borrow, starting with another site each period; cheapest lender first, then the largest surplus.

    Nobody pays more for a transfer than the shortage that it averts costs.
    """
    sites = len(stock)
    tt = min(t, lend.shape[2] - 1)
    spare = 0.0
    for s in range(sites):
        if open_[s, t]:
            spare += max(np.floor(stock[s] - lend[s, i, tt]), 0.0)
    for k in range(sites):
        b = (k + t) % sites
        while short[b] > 0 and spare > 0:
            best, most = -1, 0.0
            for s in range(sites):
                if s == b or group[s] != group[b] or open_[s, t] == 0 or owed[s] > 0:
                    continue
                surplus = np.floor(stock[s] - lend[s, i, tt])
                if surplus < 1:
                    continue
                cheaper = best < 0 or transfer_each[s, b] < transfer_each[best, b]
                if cheaper or (transfer_each[s, b] == transfer_each[best, b] and surplus > most):
                    best, most = s, surplus
            if best < 0:
                break
            moved = min(short[b], most)
            if moved * shortage <= transfer_cost + transfer_each[best, b] * moved:
                break
            stock[best] -= moved
            short[b] -= moved
            spare -= moved
            out[1, b, i] += moved
            out[2, b, i] += moved
            out[3, best, i] += moved
            out[4, b, i] += 1
            out[10, b, i] += transfer_cost + transfer_each[best, b] * moved
