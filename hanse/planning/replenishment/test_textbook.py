"""Equal to the textbook: stockpyl's published instances, as far as the models match.

Covered, 29 of 70 instances: EOQ, backorders, EPQ, all-units tiers, newsvendor (normal, explicit, discrete, Poisson,
lognormal), base stock, (s, S), (r, Q), Wagner-Whitin.
Not covered, since nothing here models them: networks (serial, assembly, distribution, guaranteed service; 24),
joint replenishment (6), finite-horizon programs (2), random disruptions and yields (9).
"""

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import lognorm, norm

from hanse.planning.replenishment import textbook as tb
from hanse.planning.replenishment.policy import critical_ratio

STOCKPYL = Path(__file__).resolve().parents[4] / "shared/data/stockpyl/stockpyl_instances.json.gz"


@pytest.fixture(scope="module")
def instance():
    if not STOCKPYL.exists():
        pytest.skip(f"no {STOCKPYL.name} in ../shared: the textbook's instances were not tried")
    with gzip.open(STOCKPYL) as file:
        found = {one["name"]: one["data"] for one in json.load(file)["instances"]}
    return found.__getitem__


@pytest.mark.parametrize(
    ("name", "quantity", "cost"),
    [("example_3_1", 304.0467800264368, 68.41052550594829), ("problem_3_1", 1728.1098449935514, 475230.20737322664)],
)
def test_order_quantity_is_the_textbooks(instance, name, quantity, cost):
    one = instance(name)
    found = tb.economic_order_quantity(one["fixed_cost"], one["holding_cost"], one["demand_rate"])
    assert found == pytest.approx((quantity, cost))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("example_3_8", (310.81255515896464, 0.0430622009569378, 66.92136355097325)),
        ("problem_3_2b", (83.23544812889804, 0.4002998500749625, 1999.1482444152125)),
    ],
)
def test_order_quantity_with_backorders_is_the_textbooks(instance, name, answer):
    one = instance(name)
    found = tb.economic_order_quantity_backorders(
        one["fixed_cost"], one["holding_cost"], one["stockout_cost"], one["demand_rate"]
    )
    assert found == pytest.approx(answer)


def test_production_lot_is_the_textbooks(instance):
    one = instance("problem_3_22")
    found = tb.economic_production_quantity(
        one["fixed_cost"], one["holding_cost"], one["demand_rate"], one["production_rate"]
    )
    assert found == pytest.approx((171.26976771553507, 3.7367949319753104))


@pytest.mark.parametrize(
    ("name", "answer"), [("example_3_5", (800, 2, 978.6)), ("problem_3_12", (2400, 2, 201251093.75))]
)
def test_tiers_are_the_textbooks(instance, name, answer):
    one = instance(name)
    found = tb.economic_order_quantity_tiers(
        one["fixed_cost"], one["holding_cost_rate"], one["demand_rate"], one["breakpoints"], one["unit_costs"]
    )
    assert found == pytest.approx(answer)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("example_4_1", (56.60395592743389, 1.9976051931766445)),
        ("example_4_3", (56.60395592743389, 1.9976051931766445)),
        ("problem_4_1", (922.7214038234755, 2718.196781782411)),
        ("example_4_4", (264.76689437415484, 4.466781004149577)),
    ],
)
def test_newsvendor_and_base_stock_are_the_textbooks(instance, name, answer):
    one = instance(name)
    found = tb.newsvendor_normal(
        one["holding_cost"], one["stockout_cost"], one["demand_mean"], one["demand_sd"], one.get("lead_time", 0)
    )
    assert found == pytest.approx(answer)


@pytest.mark.parametrize(("name", "stock"), [("example_4_2", 56.60395592743389), ("problem_4_3b", 59.084578685373856)])
def test_the_ratio_from_prices_is_the_explicit_newsvendors(instance, name, stock):
    one = instance(name)
    over, under = one["purchase_cost"] - one["salvage_value"], one["revenue"] - one["purchase_cost"]
    found = norm.ppf(critical_ratio(over, under), one["demand_mean"], one["demand_sd"])
    assert found == pytest.approx(stock)


def test_the_discrete_newsvendor_is_the_textbooks(instance):
    one = instance("problem_4_7b")
    chance = np.zeros(9)
    for value, probability in one["demand_pmf"].items():
        chance[int(value)] = probability
    assert tb.newsvendor_discrete(one["holding_cost"], one["stockout_cost"], chance) == pytest.approx((5, 1225000))


def test_the_poisson_newsvendor_is_the_textbooks(instance):
    one = instance("problem_4_8a")
    found = tb.newsvendor_poisson(one["holding_cost"], one["stockout_cost"], one["demand_mean"])
    assert found == pytest.approx((19, 786.0884409351079))


def test_the_ratio_on_lognormal_demand_is_the_textbooks(instance):
    one = instance("problem_4_8b")
    ratio = critical_ratio(one["holding_cost"], one["stockout_cost"])
    assert lognorm.ppf(ratio, one["sigma"], 0, math.exp(one["mu"])) == pytest.approx(295.6266448071368)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("example_4_7", (4, 10, 8.034111561471642)), ("problem_4_31", (2, 7, 223.5748295669688))],
)
def test_reorder_up_to_for_poisson_demand_is_the_textbooks(instance, name, answer):
    one = instance(name)
    found = tb.reorder_up_to_poisson(one["holding_cost"], one["stockout_cost"], one["fixed_cost"], one["demand_mean"])
    assert found == pytest.approx(answer, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("example_4_8", (40.19461695647407, 74.29017010980579)),
        ("problem_4_32", (226.61379282228387, 324.3797868133974)),
    ],
)
def test_reorder_up_to_for_normal_demand_is_the_textbooks(instance, name, answer):
    one = instance(name)
    found = tb.reorder_up_to_normal(
        one["holding_cost"], one["stockout_cost"], one["fixed_cost"], one["demand_mean"], one["demand_sd"]
    )
    assert found == pytest.approx(answer)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("example_5_1", (213.97044213580244, 318.5901810768729, 95.45114022285196)),
        ("problem_5_1", (17.972649360167715, 162.1231617283653, 531.1189321826714)),
        ("problem_5_3", (644.8385303830128, 400.7559793126, 100.62739493477414)),
    ],
)
def test_reorder_point_and_quantity_are_the_textbooks(instance, name, answer):
    one = instance(name)
    found = tb.reorder_point_quantity(
        one["holding_cost"], one["stockout_cost"], one["fixed_cost"], one["demand_mean"], one["demand_sd"],
        one["lead_time"],
    )  # fmt: skip
    assert found == pytest.approx(answer, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("problem_5_2", (6, 7, 28.241312842169155)), ("example_5_8", (3, 5, 107.92358063314975))],
)
def test_whole_reorder_point_and_quantity_are_the_textbooks(instance, name, answer):
    one = instance(name)
    found = tb.reorder_point_quantity_poisson(
        one["holding_cost"], one["stockout_cost"], one["fixed_cost"], one["demand_mean"], one["lead_time"]
    )
    assert found == pytest.approx(answer)


@pytest.mark.parametrize(
    ("name", "orders", "cost"),
    [
        ("example_3_9", [210, 0, 150, 0], 1380),
        ("problem_3_27", [150, 180, 0, 200], 424),
        ("problem_3_29", [1310, 0, 1095, 0, 880], 423),
        ("scmo_ww_hw_c", [400, 3000, 0, 0, 0], 4940),
    ],
)
def test_lots_for_known_demand_are_the_textbooks(instance, name, orders, cost):
    one = instance(name)
    found = tb.wagner_whitin(one["demand"], one["fixed_cost"], one["holding_cost"], one.get("purchase_cost"))
    assert found == (orders, pytest.approx(cost))


def test_costs_and_rates_out_of_range_are_refused():
    with pytest.raises(ValueError, match="fixed"):
        tb.economic_order_quantity(0, 1, 1)
    with pytest.raises(ValueError, match="production"):
        tb.economic_production_quantity(1, 1, 2, 2)
    with pytest.raises(ValueError, match="tier_from"):
        tb.economic_order_quantity_tiers(1, 1, 1, [5], [1])
    with pytest.raises(ValueError, match="probabilities"):
        tb.newsvendor_discrete(1, 1, [0.5])
