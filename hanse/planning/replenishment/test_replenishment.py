"""Policies and their simulation: units are conserved, owners come first, pooling helps where it should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hanse.planning import replenishment as rp

LEVELS = np.arange(1, 10) / 10


def costs(sites, items, transfer=1.0, order=0.0):
    return rp.Costs(np.full(items, 1.0), np.full(items, 19.0), order, transfer, np.zeros((sites, sites)))


def constant(sites, items, up_to, lend):
    full = np.full((sites, items), float(up_to))
    return rp.Levels(full - 1, full, np.full((sites, items), float(lend)))


demands = arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 12)),
    elements=st.integers(0, 9).map(float),
)


@settings(max_examples=60, deadline=None)
@given(demands, st.integers(0, 12), st.integers(0, 3), st.integers(0, 4), st.booleans())
def test_no_unit_is_made_or_lost_and_what_is_borrowed_was_lent(demand, up_to, lead, lend, shocked):
    sites, items = demand.shape[:2]
    shocks = (rp.Shock("site lost", 0, 0, 2),) if shocked else ()
    lead_time = np.full((sites, items), lead)
    found = rp.simulate(
        demand, constant(sites, items, up_to, lend), costs(sites, items), lead_time,
        group=np.zeros(sites, dtype=int), shocks=shocks,
    )  # fmt: skip
    assert (found.borrowed.sum(axis=0) == found.lent.sum(axis=0)).all()
    assert (found.served <= found.demanded).all() and (found.demanded == demand.sum(axis=2)).all()
    assert (found.borrowed <= found.served).all() and (found.stock >= 0).all()
    moved = found.borrowed - found.lent
    assert (found.left == up_to + found.ordered - found.demanded + moved).all()
    assert (found.left <= up_to).all()
    again = rp.simulate(
        demand, constant(sites, items, up_to, lend), costs(sites, items), lead_time,
        group=np.zeros(sites, dtype=int), shocks=shocks,
    )  # fmt: skip
    assert (again.cost == found.cost).all()


def test_one_site_by_hand():
    # up to 5, lead time 0: demand 3 leaves 2, order 3; demand 7 serves 5, owes 2, order 7; then 2 owed, 1 asked, 2 left
    found = rp.simulate(np.array([[[3.0, 7.0, 1.0]]]), constant(1, 1, 5, 0), costs(1, 1), np.array([[0]]))
    assert found.served[0, 0] == 3 + 5 + 1
    assert found.stock[0, 0] == pytest.approx((2 + 0 + 4) / 3)
    assert found.shortage[0, 0] == 2 * 19 and found.orders[0, 0] == 3
    assert found.holding[0, 0] == 6


def test_without_a_group_nothing_moves_and_with_one_the_short_site_is_served():
    demand = np.zeros((2, 1, 1))
    demand[0] = 8
    alone = rp.simulate(demand, constant(2, 1, 5, 1), costs(2, 1), np.zeros((2, 1), dtype=int))
    pooled = rp.simulate(demand, constant(2, 1, 5, 1), costs(2, 1), np.zeros((2, 1), dtype=int), group=np.array([0, 0]))
    assert alone.borrowed.sum() == 0 and alone.served[0, 0] == 5
    assert pooled.served[0, 0] == 8 and pooled.lent[1, 0] == 3 and pooled.moving[0, 0] == 1.0


def test_a_lender_keeps_what_it_holds_below_its_threshold():
    demand = np.zeros((2, 1, 1))
    demand[0] = 20
    found = rp.simulate(demand, constant(2, 1, 5, 4), costs(2, 1), np.zeros((2, 1), dtype=int), group=np.array([0, 0]))
    assert found.lent[1, 0] == 1


def test_a_lost_sites_customers_are_served_by_the_others_of_its_group_only():
    demand = np.full((3, 1, 2), 2.0)
    levels, lead = constant(3, 1, 9, 0), np.zeros((3, 1), dtype=int)
    shock = (rp.Shock("site lost", 0, 0, 2),)
    apart = rp.simulate(demand, levels, costs(3, 1), lead, shocks=shock)
    together = rp.simulate(demand, levels, costs(3, 1), lead, group=np.zeros(3, dtype=int), shocks=shock)
    assert apart.served[0, 0] == 0 and together.served[0, 0] == 4


def test_a_late_supplier_and_a_surge_lower_service_as_a_calm_year_does_not():
    rng = np.random.default_rng(0)
    demand = rng.poisson(4, (2, 3, 12)).astype(float)
    levels, lead = constant(2, 3, 11, 0), np.ones((2, 3), dtype=int)
    calm = rp.simulate(demand, levels, costs(2, 3), lead).fill_rate
    for shock in (rp.Shock("supplier late", -1, 3, 4, 3), rp.Shock("surge", -1, 3, 3, 3)):
        assert rp.simulate(demand, levels, costs(2, 3), lead, shocks=(shock,)).fill_rate < calm


def test_packs_and_minimums_hold_in_the_simulation():
    found = rp.simulate(
        np.array([[[1.0, 0.0, 0.0]]]), constant(1, 1, 5, 0), costs(1, 1), np.array([[0]]),
        pack=np.array([6]), minimum=np.array([7]),
    )  # fmt: skip
    assert found.left[0, 0] == 5 + found.ordered[0, 0] - 1 == 16 and found.orders[0, 0] == 1


def test_malformed_demand_lead_times_and_shocks_are_refused():
    levels, lead = constant(1, 1, 1, 0), np.zeros((1, 1), dtype=int)
    with pytest.raises(ValueError, match="demand"):
        rp.simulate(np.zeros((1, 1)), levels, costs(1, 1), lead)
    with pytest.raises(ValueError, match="demand"):
        rp.simulate(np.full((1, 1, 1), -1.0), levels, costs(1, 1), lead)
    with pytest.raises(ValueError, match="lead times"):
        rp.simulate(np.zeros((1, 1, 1)), levels, costs(1, 1), lead - 1)
    with pytest.raises(ValueError, match="shock"):
        rp.simulate(np.zeros((1, 1, 1)), levels, costs(1, 1), lead, shocks=(rp.Shock("war", 0, 0, 1),))


def forecasts(rng, sites, items, mean):
    """Quantiles over lead time 1 + review 1 and over the lead time, from draws of the law itself."""
    draws = rng.poisson(mean, (4000, sites, items, 2)).astype(float)
    own, lead = draws.sum(axis=3), draws[..., 0]
    together = np.quantile(own.sum(axis=1), LEVELS, axis=0).T
    return np.moveaxis(np.quantile(own, LEVELS, axis=0), 0, -1), np.moveaxis(
        np.quantile(lead, LEVELS, axis=0), 0, -1
    ), together  # fmt: skip


def test_pooling_serves_as_well_with_less_stock_when_transfers_are_cheap():
    rng = np.random.default_rng(1)
    sites, items = 8, 12
    own, lead, together = forecasts(rng, sites, items, 1.5)
    price = costs(sites, items, transfer=0.5)
    plan = rp.Plan(own, lead, LEVELS, np.full((sites, items), 1.5), price)
    demand = rng.poisson(1.5, (sites, items, 40)).astype(float)
    lead_time = np.zeros((sites, items), dtype=int) + 1
    apart = rp.simulate(demand, rp.plan_alone(plan), price, lead_time)
    group = np.zeros(sites, dtype=int)
    together_run = rp.simulate(demand, rp.plan_pooled(plan, together, share=0.8), price, lead_time, group=group)
    assert together_run.stock.sum() < 0.9 * apart.stock.sum()
    assert together_run.fill_rate > apart.fill_rate
    assert together_run.cost.sum() < apart.cost.sum()


def test_pooled_levels_sum_to_the_pools_and_no_site_rises_above_its_own():
    rng = np.random.default_rng(2)
    own, lead, together = forecasts(rng, 5, 6, 0.4)
    plan = rp.Plan(own, lead, LEVELS, np.full((5, 6), 0.4), costs(5, 6))
    alone, pooled = rp.plan_alone(plan), rp.plan_pooled(plan, together)
    assert (pooled.up_to <= alone.up_to).all() and (pooled.up_to >= 0).all()
    wanted = np.ceil(rp.quantile_at(together, LEVELS, 0.95) - 1e-9)
    assert (pooled.up_to.sum(axis=0) == np.minimum(wanted, alone.up_to.sum(axis=0))).all()


def test_an_item_that_is_not_pooled_keeps_its_levels_and_lends_nothing():
    rng = np.random.default_rng(2)
    own, lead, together = forecasts(rng, 5, 2, 2.0)
    plan = rp.Plan(own, lead, LEVELS, np.full((5, 2), 2.0), costs(5, 2))
    alone, pooled = rp.plan_alone(plan), rp.plan_pooled(plan, together, np.array([0.0, 1.0]))
    assert (pooled.up_to[:, 0] == alone.up_to[:, 0]).all() and (pooled.lend[:, 0] > 1e12).all()
    assert (pooled.up_to[:, 1] < alone.up_to[:, 1]).any()


def test_service_at_the_95th_percentile_shock_is_the_worst_but_one_of_forty():
    rates = iter(np.linspace(0.5, 0.99, 40))

    class Stub:
        def __init__(self):
            self.fill_rate = next(rates)

    worst, every = rp.service_under_shocks(lambda _: Stub(), [()] * 40)
    assert worst == pytest.approx(every[1]) and len(every) == 40
    with pytest.raises(ValueError, match="shock"):
        rp.service_under_shocks(lambda _: Stub(), [])


def test_random_shocks_repeat_for_a_seed_and_are_of_all_kinds():
    found = rp.random_shocks(5, 12, 60, seed=3)
    assert found == rp.random_shocks(5, 12, 60, seed=3)
    assert {one[0].kind for one in found} == {"site lost", "supplier late", "surge"}


def test_levels_rise_with_the_shortage_cost_and_lots_lie_on_top():
    quantiles = np.sort(np.random.default_rng(0).poisson(20, (4, 9)), axis=1).astype(float)
    cheap = rp.order_levels(quantiles, LEVELS, 1.0, 2.0)[1]
    dear = rp.order_levels(quantiles, LEVELS, 1.0, 60.0)[1]
    assert (dear >= cheap).all() and (dear > cheap).any()
    reorder, up_to = rp.order_levels(quantiles, LEVELS, 1.0, 2.0, lot=12.0)
    assert (up_to == cheap + 12).all() and (reorder == cheap).all()


def test_a_quantile_beyond_the_last_level_goes_on_rising():
    row = np.array([0.0, 0, 0, 1, 1, 2, 3, 4, 6])
    assert rp.quantile_at(row, LEVELS, 0.97) > 6
    assert rp.quantile_at(row, LEVELS, 0.5) == 1
    assert rp.quantile_at(row + 2, LEVELS, 0.05) == 1
    with pytest.raises(ValueError, match="wanted"):
        rp.quantile_at(row, LEVELS, 1.0)


def test_lenders_keep_more_the_dearer_the_transfer_and_the_more_cautious_the_owner():
    row = np.arange(9.0)
    bold = rp.lend_levels(row, LEVELS, 10.0, 1.0, caution=0.0)
    assert bold < rp.lend_levels(row, LEVELS, 10.0, 6.0, caution=0.0) < rp.lend_levels(row, LEVELS, 10.0, 6.0, 0.9)
    with pytest.raises(ValueError, match="caution"):
        rp.lend_levels(row, LEVELS, 1.0, 1.0, 1.0)


@given(st.integers(0, 500), st.integers(1, 48), st.integers(0, 100))
def test_orders_are_whole_packs_that_cover_the_want_and_the_minimum(wanted, pack, minimum):
    found = int(rp.order_quantities(wanted, pack, minimum))
    assert found % pack == 0 and found >= wanted
    assert (found == 0) if wanted == 0 else (max(wanted, minimum) <= found < max(wanted, minimum) + pack)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 50), st.integers(1, 4)), min_size=1, max_size=8),
       st.integers(0, 2000))  # fmt: skip
def test_a_budget_is_never_exceeded_and_never_buys_more_than_was_wanted(lines, budget):
    packs = np.array([p for _, _, p in lines])
    wanted = np.array([q for q, _, _ in lines]) * packs
    price = np.array([c for _, c, _ in lines])
    bought = rp.fit_budget(wanted, price, np.ones(len(lines)), packs, budget)
    assert (bought * price).sum() <= budget or budget == 0
    assert (bought <= wanted).all() and (bought % packs == 0).all()
    if (wanted * price).sum() <= budget:
        assert (bought == wanted).all()


def test_a_proposal_orders_only_at_or_below_the_reorder_level():
    levels = (np.array([4.0, 4.0]), np.array([10.0, 10.0]))
    assert rp.proposal([4, 5], levels).tolist() == [6, 0]


def test_the_calendar_must_name_a_later_order_period():
    with pytest.raises(ValueError, match="calendar"):
        rp.protection_periods([0, 4], 2, 4)


def test_ratios_and_packs_out_of_range_are_refused():
    with pytest.raises(ValueError, match="holding"):
        rp.critical_ratio(0, 1)
    with pytest.raises(ValueError, match="pack"):
        rp.order_quantities(1, pack=0)
    with pytest.raises(ValueError, match="holding"):
        rp.order_levels(np.zeros((1, 9)), LEVELS, 0.0, 1.0)
