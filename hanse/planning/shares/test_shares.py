"""Fair shares: in the core, exact in whole units, equal to the linear program they claim to come from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from hanse.planning import shares

whole_demands = arrays(
    np.float64, st.tuples(st.integers(1, 12), st.integers(2, 6)), elements=st.integers(0, 50).map(float)
)


def market(members, scenarios, seed=0):
    rng = np.random.default_rng(seed)
    size = rng.uniform(1, 60, members)
    demand = rng.gamma(3, 1 / 3, (scenarios, 1)) * rng.gamma(0.8, 1.25, (scenarios, members)) * size
    return shares.Newsvendor(np.rint(demand), holding=2.0, shortage=11.0)


def by_program(game, coalition):
    """The newsvendor as a linear program, solved by HiGHS."""
    total = game.demand @ coalition
    n = len(total)
    cost = np.concatenate([[0.0], np.full(n, game.holding / n), np.full(n, game.shortage / n)])
    balance = np.hstack([np.ones((n, 1)), -np.eye(n), np.eye(n)])
    found = linprog(cost, A_eq=balance, b_eq=total, bounds=[(None, None)] + [(0, None)] * (2 * n), method="highs")
    return found.fun, found.eqlin.marginals


@given(whole_demands, st.floats(0.1, 20), st.floats(0.1, 20))
@settings(max_examples=60, deadline=None)
def test_the_cost_of_a_coalition_equals_the_linear_programs(demand, holding, shortage):
    game = shares.Newsvendor(demand, holding, shortage)
    coalition = np.arange(game.members) % 2 == 0
    assert game.cost(coalition)[0] == pytest.approx(by_program(game, coalition)[0], abs=1e-6)


@given(whole_demands, st.floats(0.1, 20), st.floats(0.1, 20))
@settings(max_examples=80, deadline=None)
def test_dual_shares_sum_to_the_cost_and_no_coalition_at_all_gains_by_leaving(demand, holding, shortage):
    game = shares.Newsvendor(demand, holding, shortage)
    charges = shares.dual_shares(game)
    assert charges.sum() == pytest.approx(game.grand(), abs=1e-6)
    every = shares.every_coalition(game.members)
    assert (game.cost(every) - every @ charges >= -1e-6).all()


def test_prices_stay_within_what_a_unit_short_or_left_costs_and_sum_to_zero():
    game = market(7, 50)
    price = game.prices(np.ones(7)) * 50
    assert price.max() <= game.shortage + 1e-9 and price.min() >= -game.holding - 1e-9
    assert price.sum() == pytest.approx(0, abs=1e-9)


def test_dual_shares_equal_highs_duals_where_the_stock_is_unique():
    game = market(5, 37, seed=3)
    _, price = by_program(game, np.ones(5))
    assert np.allclose(shares.dual_shares(game), game.demand.T @ price, atol=1e-6)


def test_a_linear_game_with_transfers_is_shared_within_its_core():
    # two sites with a stock each, three members with a demand each; a transfer costs 2, a purchase 10
    sites = ("own", "transfer", "buy")
    columns = len(sites) * 3
    matrix = np.zeros((4, columns))
    for m in range(3):
        matrix[m, 3 * m : 3 * m + 3] = 1  # demand of member m is met
        matrix[3, 3 * m : 3 * m + 2] = -1  # from the pooled stock
    need = np.zeros((3, 4))
    need[:, :3] = np.diag([5.0, 4.0, 9.0])
    need[:, 3] = [-8.0, -8.0, 0.0]
    game = shares.Linear(matrix, np.tile([0.0, 2.0, 10.0], 3), need)
    charges = shares.dual_shares(game)
    assert charges.sum() == pytest.approx(game.grand())
    assert shares.leaving(game, charges, shares.every_coalition(3)).gaining == 0
    assert shares.shapley_shares(game, 6).sum() == pytest.approx(game.grand())


def test_a_linear_game_without_a_plan_says_so():
    game = shares.Linear(np.array([[-1.0]]), np.array([1.0]), np.array([[1.0], [1.0]]))
    with pytest.raises(ValueError, match="no optimum"):
        game.grand()


def test_shapley_of_two_members_is_their_cost_alone_less_half_the_saving():
    game = market(2, 40)
    alone, saved = game.alone(), game.alone().sum() - game.grand()
    assert np.allclose(shares.shapley_shares(game, 10), alone - saved / 2)


def test_every_rule_charges_exactly_the_cost_of_the_whole():
    game = market(9, 60)
    for name, charges in shares.all_rules(game, samples=10).items():
        assert charges.sum() == pytest.approx(game.grand()), name


def test_some_coalition_would_gain_under_the_equal_split_and_is_found_as_nearest():
    game = market(30, 80, seed=2)
    equal = shares.proportional_shares(game, np.ones(30))
    near = shares.nearest_to_leaving(game, equal)
    assert near.slack < 0 and near.slack_ratio < 0
    assert near.slack == pytest.approx(float(game.cost(near.members)[0] - equal[near.members].sum()))
    assert near.slack_ratio_least <= near.slack_ratio + 1e-9


def test_the_nearest_of_few_members_is_the_one_that_enumeration_finds():
    game = market(8, 60, seed=5)
    charges = shares.dual_shares(game)
    every = shares.every_coalition(8)
    every = every[every.sum(axis=1) <= 4]
    least = ((game.cost(every) - every @ charges) / game.cost(every)).min()
    near = shares.nearest_to_leaving(game, charges)
    assert near.slack_ratio == pytest.approx(least) and near.slack_ratio_least == pytest.approx(least)


def test_the_bound_proves_that_none_of_many_gains_and_no_sampled_coalition_beats_it():
    game = market(40, 100, seed=6)
    charges = shares.dual_shares(game)
    near = shares.nearest_to_leaving(game, charges, rounds=10)
    assert near.slack_ratio_least >= -1e-6 and near.members.sum() <= 20
    tried = shares.random_coalitions(40, 500, seed=1)
    tried = tried[tried.sum(axis=1) <= 20]
    ratio = (game.cost(tried) - tried @ charges) / game.cost(tried)
    assert ratio.min() >= near.slack_ratio - 1e-9


def test_nearest_refuses_a_single_member_and_sizes_out_of_range():
    with pytest.raises(ValueError, match="two members"):
        shares.nearest_to_leaving(shares.Newsvendor([[1.0]], 1, 1), np.ones(1))
    with pytest.raises(ValueError, match="size_most"):
        shares.nearest_to_leaving(market(3, 5), np.ones(3), size_most=3)


def test_a_member_without_demand_pays_nothing_under_dual_prices():
    game = market(6, 40)
    game = shares.Newsvendor(np.hstack([game.demand, np.zeros((40, 1))]), 2.0, 11.0)
    assert shares.dual_shares(game)[-1] == 0


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
    st.integers(-(10**9), 10**9),
    st.integers(0, 5),
)  # fmt: skip
@settings(deadline=None)
def test_settled_units_sum_exactly_and_stray_less_than_one_from_their_exact_amount(charges, total, weight):
    exact = np.array(charges)
    settled = shares.settle(exact, total, np.full(len(charges), float(weight)))
    assert sum(settled) == total
    spread = exact + (total - exact.sum()) / len(charges)
    assert (np.abs(np.array(settled) - spread) < 1 + 1e-6).all()


@pytest.mark.parametrize(
    ("charges", "rest", "sentence"),
    [
        (np.zeros(0), np.zeros(0), "member"),
        (np.zeros(2), np.zeros(3), "both"),
        (np.array([np.nan]), np.ones(1), "finite"),
        (np.ones(1), -np.ones(1), "negative"),
    ],
)
def test_settling_refuses_malformed_charges_in_order(charges, rest, sentence):
    with pytest.raises(ValueError, match=sentence):
        shares.settle(charges, 1, rest)


@pytest.mark.parametrize(
    ("demand", "holding", "sentence"),
    [(np.zeros((0, 2)), 1, "scenario"), ([[np.nan]], 1, "finite"), ([[1.0]], 0, "above 0")],
)
def test_a_malformed_game_is_refused(demand, holding, sentence):
    with pytest.raises(ValueError, match=sentence):
        shares.Newsvendor(demand, holding, 1)
