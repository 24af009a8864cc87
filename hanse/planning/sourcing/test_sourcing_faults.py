"""Sourcing: what is refused by name, what is proven, what is at the edge."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hanse.planning import sourcing
from hanse.planning.sourcing import Problem, plan_of, violations
from hanse.planning.sourcing.testing import small


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


def test_the_page_s_examples_run():
    page = Path(__file__).parents[3] / "docs" / "planning-sourcing.md"
    if not page.exists():
        pytest.skip("docs/planning-sourcing.md is not part of this installation")
    names = {}
    for block in page.read_text(encoding="utf-8").split("```python\n")[1:]:
        exec(block.split("```")[0], names)
    assert names["cert"].gap_ppm >= 0 and names["one"].cost_minor > 0 and names["best"].gap_ppm >= 0
