"""Sourcing: feasible, bounded, repeatable; against brute force where that is possible."""

from __future__ import annotations

import dataclasses
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.planning import sourcing
from hanse.planning.sourcing import Problem, View, order_of, plan_of, promise, promise_plain, violations


def small(**more):
    """Two orders of two lines, three sites; item 0 is scarce."""
    base = dict(
        line_order=[0, 0, 1, 1],
        line_item=[0, 1, 0, 1],
        line_qty_each=[5, 3, 5, 2],
        line_penalty_minor=500,
        cand_place=[[0, 1, 2], [0, 2, -1], [0, 1, 2], [1, 2, -1]],
        cand_cost_minor=[[10, 12, 9], [7, 8, 0], [11, 10, 30], [5, 6, 0]],
        open_cost_minor=100,
        stock_site=[0, 1, 2, 0, 1, 2],
        stock_item=[0, 0, 0, 1, 1, 1],
        stock_total_each=[6, 2, 1, 9, 9, 9],
    )
    return Problem.of(**(base | more))


@st.composite
def instances(draw):
    """Tiny problems with every feature: owners, foreign limits, capacities, whole lines, repeated items, negative
    costs."""
    orders, sites, items = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    lines = draw(st.integers(orders, 4)) if orders < 4 else orders
    ints = st.integers
    line_order = list(range(orders)) + [draw(ints(0, orders - 1)) for _ in range(lines - orders)]
    cands = [sorted(draw(st.sets(ints(0, sites - 1), max_size=sites))) for _ in range(lines)]
    ptr = np.concatenate([[0], np.cumsum([len(c) for c in cands])])
    stock = [(s, i) for s in range(sites) for i in range(items)]
    total = [draw(ints(0, 4)) for _ in stock]
    return Problem.of(
        line_order=line_order,
        line_item=[draw(ints(0, items - 1)) for _ in range(lines)],
        line_qty_each=[draw(ints(1, 3)) for _ in range(lines)],
        line_penalty_minor=[draw(ints(0, 40)) for _ in range(lines)],
        line_whole=[draw(st.booleans()) for _ in range(lines)],
        cand_ptr=ptr,
        cand_place=np.array([s for c in cands for s in c], dtype=np.int64),
        cand_cost_minor=np.array([draw(ints(-5, 30)) for c in cands for _ in c], dtype=np.int64),
        open_cost_minor=[draw(ints(0, 25)) for _ in range(sites)],
        stock_site=[s for s, _ in stock],
        stock_item=[i for _, i in stock],
        stock_total_each=total,
        stock_foreign_each=[draw(ints(0, t)) for t in total],
        site_owner=[draw(ints(-1, 1)) for _ in range(sites)],
        order_owner=[draw(ints(-1, 1)) for _ in range(orders)],
        order_shipments_max=draw(ints(1, 2)),
        place_capacity_orders=[draw(ints(-1, 2)) for _ in range(sites)],
    )


def optimum(p: Problem) -> int:
    """By trying every split of every order (depth first, with the rules checked as they go)."""
    per_order = []
    for o in range(p.orders):
        cands = np.flatnonzero(p.line_order[p.cand_line] == o)
        ways = {}
        for y in itertools.product(*(range(int(p.line_qty_each[p.cand_line[c]]) + 1) for c in cands)):
            units = np.zeros(p.cand_place.size, np.int64)
            units[cands] = y
            if not violations(p, plan_of(p, units)):
                t = plan_of(p, units)
                ways[tuple(y)] = (t.cost_minor, units, t.opened)
        per_order.append(sorted(ways.values(), key=lambda w: w[0]))
    empty = plan_of(p, np.zeros(p.cand_place.size, np.int64)).cost_minor
    gains = [[(cost - empty, units, opened) for cost, units, opened in ways if cost <= empty] for ways in per_order]
    best = [empty]
    floor = [min((g[0] for g in ways), default=0) for ways in gains]

    def go(o: int, cost: int, units: np.ndarray) -> None:
        if cost + sum(floor[o:]) >= best[0] and not (o == p.orders and cost < best[0]):
            return
        if o == p.orders:
            best[0] = cost
            return
        for gain, more, _ in gains[o]:
            both = units + more
            if not violations(p, plan_of(p, both)):
                go(o + 1, cost + gain, both)

    go(0, empty, np.zeros(p.cand_place.size, np.int64))
    return best[0]


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


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        (dict(line_qty_each=[5.0, 3, 5, 2]), "line_qty_each: integers expected"),
        (dict(line_qty_each=[0, 3, 5, 2]), "line_qty_each[0] = 0"),
        (dict(line_qty_each=[-1, 3, 5, 2]), "line_qty_each[0] = -1"),
        (dict(line_qty_each=[True, True, True, True]), "integers expected, got booleans"),
        (dict(stock_total_each=[-6, 2, 1, 9, 9, 9], stock_foreign_each=0), "stock_total_each[0] = -6"),
        (dict(stock_foreign_each=[7, 2, 1, 9, 9, 9]), "above stock_total_each"),
        (dict(open_cost_minor=-1), "open_cost_minor[0] = -1"),
        (dict(line_penalty_minor=2**50), "dearest conceivable plan"),
        (dict(cand_cost_minor=np.array([[2**63, 1, 1]] * 4, dtype=np.uint64)), "beyond 64-bit"),
        (dict(stock_item=[0, 0, 0, 0, 1, 1]), "one row per (site, item)"),
        (dict(cand_place=[[0, 0, 2], [0, 2, -1], [0, 1, 2], [1, 2, -1]]), "line 0 names place 0 twice"),
        (dict(open_order=[0], open_place=[0], open_cost_minor=[5]), "no pair for order"),
        (dict(order_shipments_max=0), "order_shipments_max[0] = 0"),
        (dict(line_order=[0, 0, -1, 1]), "line_order[2] = -1"),
        (dict(line_item=[0, 1]), "line_item: [line=4] expected"),
        (dict(place_site=[0, 9, 1], site_owner=[0, 0, 0]), "site_owner: [site=10] expected"),
    ],
)
def test_a_problem_with_a_fault_is_refused_by_name(more, fault):
    with pytest.raises(ValueError) as told:
        small(**more)
    assert fault in str(told.value)


def test_all_faults_of_one_kind_are_listed_together():
    with pytest.raises(ValueError) as told:
        small(line_qty_each=[0, 3, 5, 2], open_cost_minor=-1)
    assert "line_qty_each[0]" in str(told.value) and "open_cost_minor[0]" in str(told.value)


@pytest.mark.parametrize(
    "more",
    [
        dict(stock_total_each=0),
        dict(stock_site=[], stock_item=[], stock_total_each=[]),
        dict(cand_place=[[], [], [], []], cand_cost_minor=[[], [], [], []]),
        dict(line_qty_each=[10**9, 1, 1, 1]),
        dict(cand_cost_minor=[[0, 0, 0]] * 4, open_cost_minor=0, line_penalty_minor=0),
        dict(cand_cost_minor=[[-5, -5, -5]] * 4),
        dict(cand_cost_minor=[[2**40, 10, 2**40]] * 4, line_penalty_minor=2**40, line_qty_each=1),
        dict(line_item=[0, 0, 0, 0]),
        dict(place_capacity_orders=0),
        dict(line_whole=True),
    ],
    ids=[
        "no stock",
        "no stock rows",
        "no candidates",
        "larger than all stock",
        "all zero",
        "negative unit costs",
        "enormous costs",
        "repeated items",
        "no capacity",
        "whole lines",
    ],
)
def test_extremes_are_planned_and_proven(more):
    p = small(**more)
    plan = sourcing.solve(p, seconds=None, rounds=2)
    assert violations(p, plan) == []
    assert sourcing.check(p, plan, sourcing.certificate(p, plan)).ok


def test_an_empty_problem_has_an_empty_plan():
    p = Problem.of(
        line_order=[],
        line_item=[],
        line_qty_each=[],
        line_penalty_minor=1,
        cand_place=[],
        cand_cost_minor=[],
        open_cost_minor=1,
        stock_site=[0],
        stock_item=[0],
        stock_total_each=[3],
    )
    plan = sourcing.solve(p, seconds=1)
    assert (plan.cost_minor, plan.gap_ppm) == (0, 0)
    assert sourcing.check(p, plan, sourcing.certificate(p, plan)).ok


def test_two_lines_of_one_item_cannot_both_take_the_last_unit():
    p = Problem.of(
        line_order=[0, 0],
        line_item=[0, 0],
        line_qty_each=[3, 3],
        line_penalty_minor=50,
        cand_place=[[0], [0]],
        cand_cost_minor=[[1], [1]],
        open_cost_minor=1,
        stock_site=[0],
        stock_item=[0],
        stock_total_each=[4],
    )
    plan = sourcing.solve(p, seconds=None, rounds=2)
    assert int(plan.units.sum()) == 4 and violations(p, plan) == []


def test_a_plan_infeasible_by_one_unit_is_named():
    p = small()
    plan = sourcing.solve(p, seconds=None, rounds=5)
    for c in np.flatnonzero(p.cand_stock >= 0):
        units = plan.units.copy()
        row = p.cand_stock[c]
        used = int(units[p.cand_stock == row].sum())
        units[c] += int(p.stock_total_each[row]) - used + 1
        hostile = plan_of(p, units, plan.prices)
        told = violations(p, hostile)
        assert told and any("stock row" in t or "line" in t or "candidate" in t for t in told)
        assert not sourcing.check(p, hostile, sourcing.certificate(p, plan)).ok


def test_other_owners_may_not_dip_into_the_reserve_by_one_unit():
    p = small(stock_foreign_each=[5, 2, 1, 9, 9, 9], site_owner=[7, 7, 7], order_owner=[7, 8])
    units = np.zeros(p.cand_place.size, np.int64)
    units[5] = 6 if p.line_qty_each[2] >= 6 else 5
    assert not any("other owners" in v for v in violations(p, plan_of(p, units)))
    q = small(stock_foreign_each=[4, 2, 1, 9, 9, 9], site_owner=[7, 7, 7], order_owner=[7, 8])
    assert any("5 units drawn by other owners, 4 shared" in v for v in violations(q, plan_of(q, units)))


def test_a_certificate_with_one_price_or_figure_changed_is_refused():
    p = small()
    plan = sourcing.solve(p, seconds=None, rounds=2)
    good = sourcing.certificate(p, plan)
    assert sourcing.check(p, plan, good).ok
    for name in ("total", "foreign"):
        for r in range(p.stock_site.size):
            prices = getattr(good, name).copy()
            prices[r] += 1
            assert not sourcing.check(p, plan, dataclasses.replace(good, **{name: prices})).ok
    for name in ("bound_scaled", "lower_bound_minor", "cost_minor", "gap_ppm"):
        bad = dataclasses.replace(good, **{name: getattr(good, name) + 1})
        assert not sourcing.check(p, plan, bad).ok
    other = small(line_penalty_minor=501)
    assert not sourcing.check(other, plan, good).ok


def test_a_higher_bound_than_the_prices_prove_is_refused_even_with_a_fresh_digest():
    from hanse.planning.sourcing import proving

    p = small()
    plan = sourcing.solve(p, seconds=None, rounds=2)
    lie = dataclasses.replace(sourcing.certificate(p, plan))
    lie.bound_scaled += lie.scale
    lie.lower_bound_minor += 1
    lie.digest = proving._digest(p, plan, lie)
    assert any(f.startswith("bound: stated") for f in sourcing.check(p, plan, lie).faults)


def test_prices_that_could_overflow_or_are_negative_are_refused():
    p = small()
    plan = sourcing.solve(p, seconds=None, rounds=1)
    cert = sourcing.certificate(p, plan)
    for value, word in ((-1, "below zero"), (2**59, "too large")):
        prices = cert.total.copy()
        prices[0] = value
        assert any(word in f for f in sourcing.check(p, plan, dataclasses.replace(cert, total=prices)).faults)
    assert not sourcing.check(p, plan, dataclasses.replace(cert, scale=0)).ok
    assert not sourcing.check(p, plan, dataclasses.replace(cert, total=cert.total.astype(float))).ok


def medium(seed=0, orders=60, shift=0):
    """A few dozen orders over ten sites with scarce items; `shift` moves items so that two of them share nothing."""
    rng = np.random.default_rng(seed)
    lines, sites, items = orders * 2, 10, 12
    return dict(
        line_order=np.repeat(np.arange(orders), 2),
        line_item=rng.integers(0, items, lines) + shift,
        line_qty_each=rng.integers(1, 9, lines),
        line_penalty_minor=3000,
        cand_place=np.array([rng.permutation(sites)[:6] for _ in range(lines)]),
        cand_cost_minor=rng.integers(20, 900, (lines, 6)),
        open_cost_minor=rng.integers(300, 900, sites),
        stock_site=np.repeat(np.arange(sites), items),
        stock_item=np.tile(np.arange(items), sites) + shift,
        stock_total_each=rng.integers(0, 9, sites * items),
    )


def test_same_seed_and_rounds_give_the_same_plan_in_any_process():
    code = (
        "import hashlib, numpy as np; from hanse.planning import sourcing\n"
        "from hanse.planning.sourcing.test_sourcing import medium\n"
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
    long = sourcing.solve(p, seconds=None, rounds=40, seed=1)
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


def test_limits_and_shapes_are_asked_for():
    p = small()
    with pytest.raises(ValueError, match="at least one limit"):
        sourcing.solve(p, seconds=None)
    with pytest.raises(ValueError, match="changed_lines"):
        sourcing.solve(p, seconds=1, start=sourcing.greedy(p), changed_lines=np.zeros(9, bool))
    with pytest.raises(ValueError, match="no prices"):
        sourcing.certificate(p, sourcing.greedy(p))


def test_own_orders_may_use_the_reserve():
    p = small(stock_foreign_each=0, site_owner=[3, 3, 3], order_owner=[3, 4])
    plan = sourcing.solve(p, seconds=None, rounds=3)
    order = p.line_order[p.cand_line]
    assert plan.units[order == 0].sum() == 8 and plan.units[order == 1].sum() == 0


def test_money_beyond_the_limit_is_refused_and_just_below_it_is_exact():
    p = Problem.of(
        line_order=[0],
        line_item=[0],
        line_qty_each=[2**20],
        line_penalty_minor=2**30 - 1,
        cand_place=[[0]],
        cand_cost_minor=[[2**29]],
        open_cost_minor=1,
        stock_site=[0],
        stock_item=[0],
        stock_total_each=[2**19],
    )
    plan = sourcing.solve(p, seconds=None, rounds=1)
    assert plan.cost_minor == 2**19 * 2**29 + 2**19 * (2**30 - 1) + 1
    assert sourcing.check(p, plan, sourcing.certificate(p, plan)).ok


def test_the_page_s_example_runs():
    page = Path(__file__).parents[3] / "docs" / "planning-sourcing.md"
    if not page.exists():
        pytest.skip("docs/planning-sourcing.md is not part of this installation")
    names = {}
    exec(page.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0], names)
    assert names["cert"].gap_ppm >= 0 and names["one"].cost_minor > 0
