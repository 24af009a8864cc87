"""Cuts never claim more than the optimum, whatever they name; polishing never costs more."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.planning import sourcing
from hanse.planning.sourcing import Prices, Problem, cuts, plan_of, polishing, proving, violations
from hanse.planning.sourcing.cuts import ELSE, MAY, OPEN, SERVED, Cuts
from hanse.planning.sourcing.local import Local
from hanse.planning.sourcing.natural import natural_mip
from hanse.planning.sourcing.testing import instances, medium, optimum, small


def any_cuts(p: Problem, rng: np.random.Generator) -> Cuts:
    """Any entries, steps and prices that are cuts at all."""
    lists: dict[str, list[int]] = {k: [] for k in ("row", "foreign", "step", "price", "cand", "kind")}
    ptr = [0]
    for _ in range(rng.integers(1, 5)):
        row, foreign = int(rng.integers(0, p.stock_site.size)), int(rng.integers(0, 2))
        kinds = {}
        for c in np.flatnonzero((p.cand_stock == row) & ((p.cand_own == 0) | (foreign == 0))).tolist():
            kind = int(rng.choice([MAY, OPEN, SERVED, -1]))
            served = {int(p.cand_line[e]) for e, k in kinds.items() if k == SERVED}
            if kind >= 0 and not (kind == SERVED and int(p.cand_line[c]) in served):
                kinds[c] = kind
        served = {int(p.cand_line[e]) for e, k in kinds.items() if k == SERVED}
        for c in np.flatnonzero(np.isin(p.cand_line, sorted(served)) & (p.cand_stock >= 0)).tolist():
            if c not in kinds and rng.random() < 0.7:
                kinds[c] = ELSE
        ptr.append(ptr[-1] + len(kinds))
        new = (("row", row), ("foreign", foreign), ("step", rng.integers(1, 6)), ("price", rng.integers(0, 60)))
        for name, value in new:
            lists[name].append(int(value))
        lists["cand"] += kinds.keys()
        lists["kind"] += kinds.values()
    rows = p.stock_site.size
    limited = (p.place_capacity_orders >= 0) * rng.integers(0, 30, p.places)
    prices = Prices(3, rng.integers(0, 40, rows), rng.integers(0, 40, rows), limited.astype(np.int64), 0)
    return Cuts(prices, ptr=np.array(ptr, np.int64), **{k: np.array(v, np.int64) for k, v in lists.items()})


@settings(max_examples=60, deadline=None)
@given(instances(), st.integers(0, 10_000))
def test_no_cut_at_any_price_proves_more_than_the_optimum(p, seed):
    rng, best = np.random.default_rng(seed), optimum(p)
    for _ in range(5):
        drawn = any_cuts(p, rng)
        assert cuts.faults(p, drawn) == []
        assert cuts.bound_scaled(p, drawn) <= best * drawn.prices.scale


@settings(max_examples=25, deadline=None)
@given(instances())
def test_a_bound_with_cuts_is_at_most_the_optimum_and_no_lower_than_without(p):
    plan = sourcing.solve(p, seconds=None, rounds=2, seed=1, cuts=True)
    assert violations(p, plan) == []
    cert = sourcing.certificate(p, plan)
    assert sourcing.check(p, plan, cert).ok
    assert plan.prices.bound <= cert.lower_bound_minor <= optimum(p) <= plan.cost_minor
    assert cert.lower_bound_minor == plan.bound_minor and cert.gap_ppm == plan.gap_ppm


def remnants(**more) -> Problem:
    """Three orders of four ask for ten at the cheap site: two are served whole, two units are left for the third."""
    base = dict(
        line_order=range(3),
        line_item=[0] * 3,
        line_qty_each=[4] * 3,
        line_penalty_minor=100,
        cand_place=[[0, 1]] * 3,
        cand_cost_minor=[[0, 20]] * 3,
        open_cost_minor=100,
        stock_site=[0, 1],
        stock_item=[0, 0],
        stock_total_each=[10, 99],
    )
    return Problem.of(**(base | more))


def test_a_remnant_smaller_than_a_line_is_proven_not_to_be_worth_its_shipment():
    p = remnants()
    plan = sourcing.solve(p, seconds=None, rounds=2, cuts=True)
    assert plan.cost_minor == optimum(p) == 3 * 100 + 4 * 20
    assert plan.prices.bound < plan.cost_minor, "prices alone spread the remnant"
    assert plan.bound_minor == plan.cost_minor


@pytest.fixture(scope="module")
def solved():
    p = Problem.of(**medium(4, 60))
    plan = sourcing.solve(p, seconds=None, rounds=1, seed=1, cuts=True)
    return p, plan, sourcing.certificate(p, plan)


def test_cuts_raise_the_bound_and_the_certificate_carries_them(solved):
    p, plan, cert = solved
    assert cert.cuts is not None and cert.lower_bound_minor == plan.cuts.prices.bound > plan.prices.bound
    assert sourcing.check(p, plan, cert).ok
    without = dataclasses.replace(plan, cuts=None)
    assert sourcing.certificate(p, without).lower_bound_minor == plan.prices.bound
    assert sourcing.check(p, without, sourcing.certificate(p, without)).ok


@pytest.mark.parametrize("name", ["row", "foreign", "step", "price", "cand", "kind"])
def test_a_certificate_with_one_figure_of_a_cut_changed_is_refused(solved, name):
    p, plan, cert = solved
    other = getattr(cert.cuts, name).copy()
    other[0] += 1
    assert not sourcing.check(
        p, plan, dataclasses.replace(cert, cuts=dataclasses.replace(cert.cuts, **{name: other}))
    ).ok


def test_a_higher_bound_than_the_cuts_prove_is_refused_even_with_a_fresh_digest(solved):
    p, plan, cert = solved
    lie = dataclasses.replace(cert, bound_scaled=cert.bound_scaled + cert.scale)
    lie.lower_bound_minor += 1
    lie.digest = proving._digest(p, plan, lie)
    assert any(f.startswith("bound: stated") for f in sourcing.check(p, plan, lie).faults)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        (dict(step=[0]), "step out of range"),
        (dict(row=[9]), "row out of range"),
        (dict(price=[-1]), "price out of range"),
        (dict(kind=[0.5, 0, 0]), "integers expected"),
        (dict(step=[2, 2]), "same length"),
        (dict(ptr=[0, 2]), "from 0 to the number of entries"),
        (dict(row=[1]), "no candidate of the cut's stock row"),
        (dict(cand=[0, 0, 4]), "counts twice"),
        (dict(kind=[ELSE, MAY, MAY], cand=[1, 2, 4]), "only where it is served"),
        (dict(price=[2**49], step=[2**40]), "too large"),
    ],
)
def test_what_is_no_cut_is_refused_by_name(more, fault):
    p = remnants()
    zero = np.zeros(2, np.int64)
    base = dict(row=[0], foreign=[0], step=[4], price=[5], ptr=[0, 3], cand=[0, 2, 4], kind=[OPEN, OPEN, MAY])
    good = Cuts(Prices(1, zero, zero, zero, 0), **{k: np.array(v) for k, v in base.items()})
    assert cuts.faults(p, good) == []
    told = cuts.faults(p, dataclasses.replace(good, **{k: np.array(v) for k, v in more.items()}))
    assert len(told) == 1 and fault in told[0]


def test_own_orders_count_in_no_cut_of_what_is_open_to_others():
    p = remnants(site_owner=[7, 8], order_owner=[7, -1, -1], stock_foreign_each=[8, 99])
    zero = np.zeros(2, np.int64)
    one = Cuts(Prices(1, zero, zero, zero, 0), *(np.array(v) for v in ([0], [1], [4], [5], [0, 1], [0], [MAY])))
    assert cuts.faults(p, one) == ["cuts: an own order counts in no cut of what is open to others"]


def test_a_shipment_that_a_plan_uses_at_its_best_has_no_reduced_cost():
    p = small(stock_total_each=99)
    zero = np.zeros(6, np.int64)
    cost = polishing.reduced(p, Prices(1, zero, zero, np.zeros(3, np.int64), 0))
    plan = sourcing.solve(p, seconds=None, rounds=1)
    assert (cost >= 0).all() and (cost[plan.units > 0] == 0).all() and (cost > 0).any()


@pytest.mark.parametrize("orders_max", [15, 2000])
def test_polishing_in_parts_or_in_one_never_costs_more_and_stays_feasible(monkeypatch, orders_max):
    monkeypatch.setattr(polishing, "ORDERS_MAX", orders_max)
    p = Problem.of(**medium(7, 30), place_capacity_orders=9, place_site=range(10))
    peer = sourcing.order_by_order(p)
    prices = sourcing.solve(p, seconds=None, rounds=0).prices
    item = np.random.default_rng(1).integers(0, 12, p.orders)
    polish = polishing.Polish(p, prices, item, p.stock_item, 3)
    units, costs = peer.units, [peer.cost_minor]
    for _ in range(1 + (orders_max < 99)):
        units = polish.round(units, lambda: 60.0, lambda: False)
        plan = plan_of(p, units)
        assert violations(p, plan) == []
        costs.append(plan.cost_minor)
    assert costs == sorted(costs, reverse=True) and costs[-1] < costs[0]
    assert np.array_equal(polish.round(units, lambda: 0.0, lambda: False), units), "no time, no change"


def test_a_search_from_a_plan_never_begins_worse_though_lines_of_one_item_share_a_remnant():
    p = small(line_item=[0, 0, 0, 0], stock_total_each=[4, 3, 1, 0, 0, 0])
    plan = sourcing.solve(p, seconds=None, rounds=20, seed=1)
    assert plan.cost_minor == optimum(p)
    local = Local(p, 1, plan.prices, *(np.zeros(n, np.int64) for n in (p.orders, p.net.cand_row.size, p.orders)))
    best = natural_mip(p, 10.0)[0]
    local.begin(best.units)
    assert local.best_cost == best.cost_minor and local.state.cost.sum() == best.cost_minor


@settings(max_examples=80, deadline=None)
@given(p=instances(), deal=st.integers(0, 99))
def test_parts_of_a_polish_never_take_the_same_unit_twice(p, deal):
    """Own orders may dip into the reserve, so what is left for others is less than what is left, or more."""
    most, polishing.ORDERS_MAX = polishing.ORDERS_MAX, 1
    try:
        rows, places = p.stock_site.size, p.places
        prices = Prices(1, np.zeros(rows, np.int64), np.zeros(rows, np.int64), np.zeros(places, np.int64), 0)
        polish = polishing.Polish(p, prices, np.arange(p.orders), p.stock_item, deal)
        units = sourcing.order_by_order(p).units
        for _ in range(3):
            units = polish.round(units, lambda: 60.0, lambda: False)
            assert violations(p, plan_of(p, units)) == []
    finally:
        polishing.ORDERS_MAX = most


def test_what_own_orders_leave_is_dealt_to_others_once():
    """One site, one item: 12 there, 8 of them for others, who would pay more for all of it than its own orders do."""
    orders = 6
    p = Problem.of(
        line_order=range(orders), line_item=[0] * orders, line_qty_each=[5] * orders,
        line_penalty_minor=[9, 9, 500, 500, 500, 500], cand_place=[[0]] * orders, cand_cost_minor=[[1]] * orders,
        open_cost_minor=1, stock_site=[0], stock_item=[0], stock_total_each=[12], stock_foreign_each=[8],
        site_owner=[0], order_owner=[0, 0, -1, -1, -1, -1], order_shipments_max=1,
    )  # fmt: skip
    zero = np.zeros(1, np.int64)
    for seed in range(20):
        polish = polishing.Polish(p, Prices(1, zero, zero, zero, 0), np.arange(orders), zero, seed)
        polish.parts = 2
        units = np.array([4, 4, 1, 1, 0, 0])
        plan = plan_of(p, polish.round(units, lambda: 60.0, lambda: False))
        assert violations(p, plan) == [], seed
