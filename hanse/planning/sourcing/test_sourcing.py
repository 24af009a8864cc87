"""Sourcing: feasible, bounded, repeatable; against brute force where that is possible."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.planning import sourcing
from hanse.planning.sourcing import Problem, View, order_of, plan_of, promise, promise_plain, violations
from hanse.planning.sourcing.testing import instances, medium, optimum, small


@settings(max_examples=60, deadline=None)
@given(instances())
def test_bound_is_at_most_the_optimum_and_the_optimum_at_most_the_plan(p):
    plan = sourcing.solve(p, seconds=None, rounds=3, seed=1)
    assert violations(p, plan) == []
    cert = sourcing.certificate(p, plan)
    assert sourcing.check(p, plan, cert).ok
    best = optimum(p)
    assert cert.lower_bound_minor <= best <= plan.cost_minor
    for peer in (sourcing.greedy(p), sourcing.order_by_order(p)):
        assert violations(p, peer) == []
        assert peer.cost_minor >= best


@settings(max_examples=15, deadline=None)
@given(instances())
def test_the_natural_integer_program_finds_the_optimum_of_tiny_problems(p):
    plan, _ = sourcing.natural_mip(p, 10.0)
    assert plan is not None and plan.cost_minor == optimum(p)


@settings(max_examples=40, deadline=None)
@given(instances(), st.integers(0, 10_000))
def test_promise_is_the_same_with_and_without_the_compiler(p, seed):
    rng = np.random.default_rng(seed)
    rows = p.stock_site.size
    prices = sourcing.Prices(
        10, rng.integers(0, 200, rows), rng.integers(0, 50, rows), rng.integers(0, 99, p.places), 0
    )
    one, two = View.of(p), View.of(p)
    units = np.zeros(p.cand_place.size, np.int64)
    for o in range(p.orders):
        a, b = promise(order_of(p, o), one, prices), promise_plain(order_of(p, o), two, prices)
        for f in dataclasses.fields(a):
            assert np.array_equal(getattr(a, f.name), getattr(b, f.name)), f.name
        mine = p.line_order[p.cand_line[p.net_cand]] == o
        units[p.net_cand[mine]] = a.units
    assert violations(p, plan_of(p, units)) == []
    for left in (one.total, one.foreign, one.place):
        assert (left >= 0).all()
    assert np.array_equal(one.total, two.total) and np.array_equal(one.place, two.place)


def test_promise_all_equals_one_promise_after_the_other():
    p = small()
    prices = sourcing.solve(p, seconds=None, rounds=2).prices
    view = View.of(p)
    alone = [promise(order_of(p, o), view, prices) for o in range(p.orders)]
    units, cost = sourcing.promise_all(p, np.arange(p.orders), View.of(p), prices)
    assert cost == sum(a.cost_minor for a in alone)
    assert np.array_equal(units, np.concatenate([a.units for a in alone]))


def test_a_promise_names_the_next_best_source_and_what_it_would_cost():
    p = Problem.of(
        line_order=[0],
        line_item=[0],
        line_qty_each=[5],
        line_penalty_minor=500,
        cand_place=[[0, 1, 2]],
        cand_cost_minor=[[10, 12, 9]],
        open_cost_minor=[100, 130, 400],
        stock_site=[0, 1, 2],
        stock_item=[0, 0, 0],
        stock_total_each=[5, 5, 5],
    )
    zero = sourcing.Prices(1, np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros(3, np.int64), 0)
    a = promise_plain(order_of(p, 0), View.of(p), zero)
    assert (a.source[0], a.next_place[0], a.next_extra_minor[0], a.cost_minor) == (0, 1, 40, 150)
    plan = sourcing.solve(p, seconds=None, rounds=1)
    e = sourcing.explain(p, plan)
    assert (e.source[0], e.next_place[0], e.next_extra_minor[0]) == (0, 1, 40)


def test_importing_the_library_and_promising_plainly_loads_neither_numba_nor_highs():
    code = (
        "import sys, numpy as np; from hanse.planning import sourcing as s\n"
        "p = s.Problem.of(line_order=[0], line_item=[0], line_qty_each=[5], line_penalty_minor=100, "
        "cand_place=[[0, 1]], cand_cost_minor=[[3, 2]], open_cost_minor=10, stock_site=[0, 1], "
        "stock_item=[0, 0], stock_total_each=[9, 4])\n"
        "z = np.zeros(2, np.int64)\n"
        "a = s.promise_plain(s.order_of(p, 0), s.View.of(p), s.Prices(1, z, z, z, 0))\n"
        "assert a.cost_minor == 25, a\n"
        "assert not {'numba', 'highspy', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_same_seed_and_rounds_give_the_same_plan_in_any_process():
    code = (
        "import hashlib, numpy as np; from hanse.planning import sourcing\n"
        "from hanse.planning.sourcing.testing import medium\n"
        "p = sourcing.Problem.of(**medium(3, 150))\n"
        "a = sourcing.solve(p, seconds=None, rounds=6, seed=5)\n"
        "print(a.cost_minor, a.bound_minor, hashlib.sha256(a.units.tobytes() + a.prices.total.tobytes()).hexdigest())"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONHASHSEED": h},
        ).stdout
        for h in ("1", "77")
    ]
    assert told[0] == told[1] and told[0]


def test_cancel_keeps_the_best_plan_and_a_restart_never_costs_more():
    p = Problem.of(**medium())
    calls = []
    seen = []
    first = sourcing.solve(
        p,
        seconds=30,
        seed=1,
        cancel=lambda: bool(calls.append(1)) or len(calls) > 40,
        progress=lambda stage, plan: seen.append(plan),
    )
    assert not first.finished and violations(p, first) == [] and seen
    assert all(violations(p, s) == [] for s in seen)
    again = sourcing.solve(p, seconds=None, rounds=10, seed=1, start=first)
    assert violations(p, again) == [] and again.cost_minor <= first.cost_minor
    assert again.bound_minor >= first.bound_minor


def test_more_rounds_never_cost_more_than_the_first_plan_and_beat_the_peers():
    p = Problem.of(**medium(4, 100))
    long = sourcing.solve(p, seconds=None, rounds=20, seed=1)
    assert long.cost_minor <= sourcing.order_by_order(p).cost_minor
    assert long.cost_minor < sourcing.greedy(p).cost_minor
    assert long.gap_ppm < 60_000


def test_only_the_component_of_a_changed_line_is_planned_again():
    one, two = medium(1, 30), medium(2, 30, shift=100)
    both = {k: np.concatenate([one[k], two[k]]) if np.ndim(one[k]) else one[k] for k in one if k != "open_cost_minor"}
    both["line_order"] = np.concatenate([one["line_order"], two["line_order"] + 30])
    both["open_cost_minor"] = one["open_cost_minor"]
    p = Problem.of(**both)
    label = p.components()
    assert not set(label[:30].tolist()) & set(label[30:].tolist())
    old = sourcing.solve(p, seconds=None, rounds=5)
    changed = np.zeros(p.lines, bool)
    changed[0] = True
    both["line_qty_each"] = both["line_qty_each"].copy()
    both["line_qty_each"][0] += 5
    q = Problem.of(**both)
    new = sourcing.solve(q, seconds=None, rounds=5, start=old, changed_lines=changed)
    assert violations(q, new) == []
    second = q.cand_line >= 60
    assert np.array_equal(new.units[second], old.units[second])
    assert sourcing.check(q, new, sourcing.certificate(q, new)).ok
    assert new.gap_ppm < 200_000


def test_a_withdrawn_offer_frees_only_the_orders_that_used_it():
    data = medium(6)
    old = sourcing.solve(Problem.of(**data), seconds=None, rounds=5)
    p = Problem.of(**data)
    row = int(p.cand_stock[np.flatnonzero(old.units)[0]])
    data["stock_total_each"] = data["stock_total_each"].copy()
    data["stock_total_each"][row] = 0
    q = Problem.of(**data)
    assert any(f"stock row {row}" in v for v in violations(q, old))
    new = sourcing.solve(q, seconds=None, rounds=3, start=old, changed_lines=np.zeros(q.lines, bool))
    assert violations(q, new) == []


def test_a_site_with_two_days_of_capacity_spreads_orders_over_them():
    orders, days = 5, 3
    p = Problem.of(
        line_order=range(orders),
        line_item=[0] * orders,
        line_qty_each=[1] * orders,
        line_penalty_minor=10_000,
        cand_place=[range(days)] * orders,
        cand_cost_minor=[[10 + 100 * d for d in range(days)]] * orders,
        open_cost_minor=0,
        stock_site=[0],
        stock_item=[0],
        stock_total_each=[orders],
        place_site=[0] * days,
        place_capacity_orders=[2] * days,
    )
    plan = sourcing.solve(p, seconds=None, rounds=3)
    assert np.bincount(p.cand_place[plan.units > 0]).tolist() == [2, 2, 1]
    assert plan.cost_minor == 2 * 10 + 2 * 110 + 210
    assert plan.gap_ppm == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_dive_ends_in_a_feasible_plan_that_is_seldom_far_from_the_bound(seed):
    p = Problem.of(**medium(seed, 80))
    prices = sourcing.solve(p, seconds=None, rounds=0).prices
    plan = plan_of(p, dived(p), prices)
    assert violations(p, plan) == []
    assert prices.bound <= plan.cost_minor <= sourcing.order_by_order(p).cost_minor


@settings(max_examples=30, deadline=None)
@given(instances())
def test_a_dive_is_feasible_whatever_the_instance(p):
    assert violations(p, plan_of(p, dived(p))) == []


def dived(p):
    from hanse.planning.sourcing.columns import Master
    from hanse.planning.sourcing.diving import Dive

    units = np.zeros(p.cand_place.size, np.int64)
    units[p.net_cand] = Dive(Master(p), p.net, 1000).run(lambda: 60.0)
    return units


def test_a_program_without_a_needed_row_is_widened_so_that_little_time_costs_no_bound(monkeypatch):
    from hanse.planning.sourcing import prices

    p = Problem.of(**medium(2, 80))
    long = sourcing.solve(p, seconds=None, rounds=0).prices.bound
    monkeypatch.setattr(prices.Ascent, "step", lambda self: self.best)  # no time for a single price step
    assert sourcing.solve(p, seconds=None, rounds=0).prices.bound >= 0.999 * long


def test_prices_of_lines_alone_prove_most_of_the_bound_at_once():
    from hanse.planning.sourcing.prices import Ascent, Pricer

    p = Problem.of(**medium(5, 80))
    best = sourcing.solve(p, seconds=None, rounds=0).prices.bound
    pricer = Pricer(p.net, 1000)
    none, flat = np.zeros(p.stock_site.size, np.int64), np.zeros(p.places, np.int64)
    nothing = -(-pricer(none, none, flat) // 1000)
    ascent = Ascent(pricer, p)
    assert nothing + 0.9 * (best - nothing) < ascent.best.bound <= best


def test_a_dive_that_runs_out_of_time_serves_the_rest_in_turn():
    from hanse.planning.sourcing.columns import Master
    from hanse.planning.sourcing.diving import Dive

    p = Problem.of(**medium(2, 80))
    asked = []

    def left() -> float:
        asked.append(1)
        return 60.0 if len(asked) < 9 else 0.0

    units = np.zeros(p.cand_place.size, np.int64)
    units[p.net_cand] = Dive(Master(p), p.net, 1000).run(left)
    found = plan_of(p, units)
    assert violations(p, found) == [] and len(asked) >= 9
    assert found.cost_minor < plan_of(p, np.zeros_like(units)).cost_minor


def test_the_least_time_still_gives_a_plan_that_beats_serving_orders_in_turn():
    p = Problem.of(**medium(3, 80))
    plan = sourcing.solve(p, seconds=1e-9, seed=1)  # everything that may be left out is
    assert violations(p, plan) == [] and plan.bound_minor <= plan.cost_minor
    assert plan.cost_minor <= sourcing.order_by_order(p).cost_minor


def test_memory_stays_within_what_is_said(monkeypatch):
    from hanse.planning.sourcing import solving

    monkeypatch.setattr(solving, "_polishings", lambda run, problem: 0)  # HiGHS' own memory is not traced
    data = medium(1, 1500)
    data["stock_total_each"] = data["stock_total_each"] * 20
    p = Problem.of(**data)
    sourcing.solve(p, seconds=None, rounds=1)  # compile, import
    tracemalloc.start()
    sourcing.solve(p, seconds=None, rounds=5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1000 * p.cand_place.size
