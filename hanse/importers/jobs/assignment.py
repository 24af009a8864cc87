"""Orders to sites and days: every order leaves whole from one site on one day, a site takes so many orders a day.

The least total cost is a transportation problem: its linear program has whole-number corners (Hoffman and Kruskal,
Integral Boundary Points of Convex Polyhedra, 1956), so the simplex method gives the exact optimum; the prices of its
dual prove it in whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_flow

Ints = NDArray[np.int64]
NONE = -1


@dataclass(frozen=True)
class Work:
    """What is to be assigned. Pairs are the (order, site) that may be.

    Args:
        orders, sites: how many. pair_order, pair_site: [pair]. capacity_orders: [site] a day, >= 0.
        cost_minor: [day, pair] of the pair on that day, lateness included, minor units; as many days as are looked at.
    """

    orders: int
    sites: int
    pair_order: Ints
    pair_site: Ints
    capacity_orders: Ints
    cost_minor: Ints


@dataclass(frozen=True)
class Assigned:
    """pair, day: [order] the pair and day of each order, -1 where none may serve it. cost_minor: of all that is
    served; bound_minor: no plan costs less (the dual's value, rounded up to a whole minor unit)."""

    pair: Ints
    day: Ints
    cost_minor: int
    bound_minor: int


def days_needed(orders: int, pair_order: Ints, pair_site: Ints, capacity_orders: Ints) -> int:
    """The fewest days in which every order that has a site can leave: maximum flow, days found by bisection.

    >>> two = np.array([0, 0])
    >>> days_needed(3, np.array([0, 1, 2]), np.array([0, 0, 0]), np.array([2]))
    2
    """
    served = np.unique(pair_order)
    usable = capacity_orders[pair_site] > 0
    assert np.isin(served, pair_order[usable]).all(), "a pair's site takes orders"
    low, high = 1, max(1, served.size)
    while low < high:
        middle = (low + high) // 2
        if _flow(orders, pair_order, pair_site, capacity_orders * middle) == served.size:
            high = middle
        else:
            low = middle + 1
    return low


def _flow(orders: int, pair_order: Ints, pair_site: Ints, capacity: Ints) -> int:
    sites = capacity.size
    source, sink = orders + sites, orders + sites + 1
    named = np.unique(pair_order)
    tails = np.concatenate([np.full(named.size, source), pair_order, orders + np.arange(sites)])
    heads = np.concatenate([named, orders + pair_site, np.full(sites, sink)])
    caps = np.concatenate([np.ones(named.size + pair_order.size, np.int64), capacity])
    size = orders + sites + 2
    graph = coo_array((caps.astype(np.int32), (tails, heads)), shape=(size, size)).tocsr()
    return int(maximum_flow(graph, source, sink).flow_value)


def assign(work: Work) -> Assigned:
    """The plan of least cost. Raises ValueError where the days do not suffice for all orders that have a pair.

    Orders that differ by a constant alone are one row of the program, whose supply is their number: among them the
    earlier order takes the earlier day.

    >>> work = Work(2, 1, np.array([0, 1]), np.array([0, 0]), np.array([1]), np.array([[5, 5], [9, 6]]))
    >>> found = assign(work)
    >>> found.day.tolist(), found.cost_minor, found.bound_minor
    ([0, 1], 11, 11)
    """
    pair, day = np.full(work.orders, NONE, np.int64), np.full(work.orders, NONE, np.int64)
    if not work.pair_order.size:
        return Assigned(pair, day, 0, 0)
    groups = _groups(work)
    flow, price = _transport(work, groups)
    for at, (orders, pairs) in enumerate(groups):
        waiting = list(range(len(orders)))
        for d, local in np.argwhere(flow[at]):
            for _ in range(flow[at][d, local]):
                k = waiting.pop(0)
                pair[orders[k]], day[orders[k]] = pairs[k][local], d
    served = np.flatnonzero(pair >= 0)
    cost = int(work.cost_minor[day[served], pair[served]].sum())
    return Assigned(pair, day, cost, _bound(work, price))


Group = tuple[list[int], list[Ints]]
"""(orders, the pairs of each order: position by position the same sites)."""


def _groups(work: Work) -> list[Group]:
    """Orders with the same sites whose costs differ by a constant, in order of their first order."""
    sort = np.argsort(work.pair_order, kind="stable")
    starts = np.flatnonzero(np.diff(work.pair_order[sort], prepend=-1))
    found: dict[tuple[bytes, bytes], Group] = {}
    for pairs in np.split(sort, starts[1:]):
        pairs = pairs[np.argsort(work.pair_site[pairs], kind="stable")]
        cost = work.cost_minor[:, pairs]
        key = (work.pair_site[pairs].tobytes(), (cost - cost.min()).tobytes())
        orders, theirs = found.setdefault(key, ([], []))
        orders.append(int(work.pair_order[pairs[0]]))
        theirs.append(pairs)
    return list(found.values())


def _transport(work: Work, groups: list[Group]) -> tuple[list[Ints], Ints]:
    """(flow[group][day, position] orders, price[day * sites + site] minor units) of the least cost."""
    days, sites = work.cost_minor.shape[0], work.sites
    first = [theirs[0] for _, theirs in groups]
    row = np.concatenate([np.full(days * pairs.size, at) for at, pairs in enumerate(first)])
    place = np.concatenate([(np.arange(days)[:, None] * sites + work.pair_site[p][None, :]).ravel() for p in first])
    cost = np.concatenate([(work.cost_minor[:, p] - work.cost_minor[:, p].min()).ravel() for p in first])
    solver = _solver(cost, row, place, np.array([len(o) for o, _ in groups]), np.tile(work.capacity_orders, days))
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise ValueError("the days do not suffice for the orders")
    solution = solver.getSolution()
    values = np.asarray(solution.col_value)
    whole = np.rint(values).astype(np.int64)
    assert np.abs(values - whole).max() < 1e-6, "a corner of this polyhedron is whole"
    ends = np.cumsum([days * pairs.size for pairs in first])
    flow = [part.reshape(days, -1) for part in np.split(whole, ends[:-1])]
    price = np.maximum(0, np.rint(-np.asarray(solution.row_dual)[len(groups) :])).astype(np.int64)
    return flow, price


def _solver(cost: Ints, row: Ints, place: Ints, supply: Ints, capacity: Ints) -> highspy.Highs:
    """min c x; each group as often as it has orders; each place at most its capacity."""
    columns, rows = cost.size, supply.size
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, rows + capacity.size
    model.col_cost_ = cost.astype(np.float64)
    model.col_lower_, model.col_upper_ = np.zeros(columns), np.full(columns, highspy.kHighsInf)
    model.row_lower_ = np.concatenate([supply.astype(np.float64), np.full(capacity.size, -highspy.kHighsInf)])
    model.row_upper_ = np.concatenate([supply, capacity]).astype(np.float64)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.arange(0, 2 * columns + 1, 2)
    model.a_matrix_.index_ = np.stack([row, rows + place], axis=1).ravel()
    model.a_matrix_.value_ = np.ones(2 * columns)
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(model)
    return solver


def _bound(work: Work, price: Ints) -> int:
    """A bound that needs no trust in the solver: whole-number prices of places, each order at its cheapest (integers).

    Weak duality: sum over orders of min (cost + price) - sum over places of price x capacity, for any prices >= 0.
    """
    days = work.cost_minor.shape[0]
    dear = work.cost_minor + price.reshape(days, work.sites)[:, work.pair_site]
    least = np.full(work.orders, np.iinfo(np.int64).max)
    np.minimum.at(least, work.pair_order, dear.min(axis=0))
    spent = int((price * np.tile(work.capacity_orders, days)).sum())
    return int(least[np.unique(work.pair_order)].sum()) - spent
