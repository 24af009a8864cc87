"""The allocation is exact: against every plan there is, and by a bound that is checked in whole numbers."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.importers.jobs.assignment import Work, assign, days_needed


@st.composite
def works(draw: st.DrawFn) -> Work:
    """Up to five orders, three sites, three days; days enough."""
    orders, sites = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    pairs = [(o, s) for o in range(orders) for s in range(sites) if draw(st.booleans())]
    order = np.array([o for o, _ in pairs], np.int64)
    site = np.array([s for _, s in pairs], np.int64)
    capacity = np.array([draw(st.integers(1, 3)) for _ in range(sites)], np.int64)
    days = (days_needed(orders, order, site, capacity) if pairs else 1) + draw(st.integers(0, 1))
    cost = [[draw(st.integers(0, 30)) for _ in pairs] for _ in range(days)]
    return Work(orders, sites, order, site, capacity, np.array(cost, np.int64).reshape(days, len(pairs)))


def every_plan(work: Work) -> int:
    """The least cost by trying all plans."""
    served = sorted(set(work.pair_order.tolist()))
    days = work.cost_minor.shape[0]
    choices = [[(d, p) for p in np.flatnonzero(work.pair_order == o) for d in range(days)] for o in served]
    best = -1
    for plan in itertools.product(*choices):
        load: dict[tuple[int, int], int] = {}
        for d, p in plan:
            key = (d, int(work.pair_site[p]))
            load[key] = load.get(key, 0) + 1
        if all(load[d, s] <= work.capacity_orders[s] for d, s in load):
            cost = sum(int(work.cost_minor[d, p]) for d, p in plan)
            best = cost if best < 0 else min(best, cost)
    return best


@settings(max_examples=120, deadline=None)
@given(works())
def test_the_plan_costs_what_the_best_of_all_plans_costs_and_keeps_every_rule(work: Work) -> None:
    found = assign(work)
    served = np.flatnonzero(found.pair >= 0)
    assert served.tolist() == sorted(set(work.pair_order.tolist())), "every order that has a site is served"
    assert (work.pair_order[found.pair[served]] == served).all()
    load = np.zeros((work.cost_minor.shape[0], work.sites), np.int64)
    np.add.at(load, (found.day[served], work.pair_site[found.pair[served]]), 1)
    assert (load <= work.capacity_orders).all()
    if served.size:
        assert found.cost_minor == every_plan(work)
        assert found.bound_minor == found.cost_minor, "and the bound says so without trust in the solver"


def test_days_that_do_not_suffice_are_refused() -> None:
    two = np.array([0, 1])
    with pytest.raises(ValueError, match="days"):
        assign(Work(2, 1, two, np.array([0, 0]), np.array([1]), np.array([[1, 1]])))


def test_among_equal_orders_the_earlier_one_leaves_first() -> None:
    orders = np.arange(5)
    work = Work(5, 1, orders, np.zeros(5, np.int64), np.array([2]), np.array([[0] * 5, [10] * 5, [20] * 5]))
    assert assign(work).day.tolist() == [0, 0, 1, 1, 2]
