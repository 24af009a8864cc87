"""A network's open lines are planned, proven, attested and ordered, on a real node."""

import json
import threading

import numpy as np
import pytest

from hanse.cli import main
from hanse.kernel.refusal import Refused
from hanse.node import planning_run
from hanse.node.freight import keep_freight
from hanse.node.freight_csv import read_table
from hanse.node.planning import assemble
from hanse.node.planning_orders import apply
from hanse.node.planning_run import Way
from hanse.node.planning_work import solve
from hanse.planning import sourcing
from hanse.rooms.inventory.offer_facts import Want, WithdrawOffer
from hanse.rooms.orders.facts import DeliverTo, PlaceLine, PlaceOrder
from hanse.rooms.plans.checking import check_plan, recheck_all
from hanse.rooms.plans.private_rows import LINES
from hanse.rooms.plans.queries import plan_page, plans
from hanse.rooms.plans.rows import PLANS, WINDOWS, WITHDRAWN
from hanse.site.testing import DAY, PLACES, SmallTown

HERE = Way(seconds=None, rounds=2, worker=False)


@pytest.fixture
def town(tmp_path):
    made = SmallTown(tmp_path)
    made.offer("ob", "bob", each=30)
    made.offer("oc", "cay", each=20, price=900)
    yield made
    made.close()


def want(town, name, party, each):
    city, latitude, longitude = PLACES[party]
    town.do(party, Want(circle=town.pool, want=name, expires_at=town.now() + 5 * DAY, item="item-6205", each=each,
                        borrow=False, country="DE", city=city, latitude_microdeg=latitude,
                        longitude_microdeg=longitude, note=""))  # fmt: skip


def sale(town, name, each, party="bob", **line):
    given = {"line": 1, "each": each, "item": "item-6205", "own_number": "", "unit_price_minor": 1500,
             "requested_at": town.now() + 3 * DAY, **line}  # fmt: skip
    town.do(party, PlaceOrder(circle=town.home(party), order=name, lines=[PlaceLine(**given)], side="sell",
                              counterparty="A customer", po_number="4711", currency="EUR",
                              deliver_to=DeliverTo(city="Hamburg", country="DE")))  # fmt: skip


def test_a_groups_wants_are_planned_proposed_and_attested_by_others(town):
    want(town, "w1", "ann", 15)
    want(town, "w2", "eve", 12)
    found = planning_run.plan(town.desk("eve"), town.pool, way=HERE)
    assert (found.lines, found.asked_each, found.served_each, found.gap_ppm >= 0) == (2, 27, 27, True)
    assert found.attested == ["ann", "bob", "cay"]
    assert town.node.view("ann").get(WINDOWS, found.window).best == found.plan
    assert check_plan(town.node.view("bob"), found.plan).ok
    assert plans(town.node.view("office")) == [] and recheck_all(town.node.view("")) == []


def test_an_owner_is_never_sent_its_own_offer(town):
    want(town, "w1", "bob", 10)
    asked = assemble(town.node.view("eve"), town.pool)
    assert [option.source for option in asked.lines[0].options] == ["oc"]


def test_a_firms_own_plan_uses_own_stock_and_offers_and_nobody_else_reads_it(town):
    sale(town, "SO1", 90)
    found = planning_run.plan(town.desk("bob"), way=HERE)
    page = plan_page(town.node.view("bob"), found.plan)
    assert {part.source for part in page.served[0].parts} == {"own/bob-6205/store-bob", "oc"}
    assert (
        plan_page(town.node.view("ann"), found.plan) is None and check_plan(town.node.view("cay"), found.plan) is None
    )


def test_own_stock_at_a_cost_in_another_currency_costs_a_plan_nothing_in_its_own(town):
    sale(town, "SO1", 20)

    def own_option():
        [line] = assemble(town.node.view("bob")).lines
        return next(option for option in line.options if option.source == "own/bob-6205/store-bob")

    euros = own_option()
    town.costs_in("bob", "USD", 100, 900)
    assert euros.cost_minor - own_option().cost_minor == 700, "neither 700 nor 900 of the plan's"


def test_a_firms_plan_reckons_with_its_own_freight_and_a_groups_plan_with_the_estimate(town):
    sale(town, "SO1", 90)
    before = planning_run.plan(town.desk("bob"), way=HERE)
    steps = "up_to_km,up_to_kg,fixed,per_kg,days\n20000,5,1.00,,1\n20000,,40.00,0.10,1\n"
    keep_freight(town.node.directory, "bob", read_table(steps, "EUR"))
    try:
        after = planning_run.plan(town.desk("bob"), way=HERE)
        lines = town.node.view("bob").rows(LINES, "window = ?", (after.window,))
        assert {option.open_minor for line in lines for option in line.options} == {4_000}, "of the whole order's step"
        assert after.cost_minor != before.cost_minor
        want(town, "w1", "ann", 5)
        group = assemble(town.node.view("bob"), town.pool)
        window = planning_run.plan(town.desk("bob"), town.pool, way=HERE).window
        lines = town.node.view("ann").rows(LINES, "window = ?", (window,))
        said = {option.open_minor for line in lines for option in line.options}
        assert said == {option.open_minor for line in group.lines for option in line.options} and 4_000 not in said
    finally:
        keep_freight(town.node.directory, "bob", None)


def test_an_applied_plan_is_orders_and_is_not_planned_again(town):
    sale(town, "SO1", 90)
    desk = town.desk("bob")
    found = planning_run.plan(desk, way=HERE)
    [done] = apply(desk, found.plan)
    assert done.confirmed_each == 70 and len(done.orders) == 1 and done.failed == ()
    with pytest.raises(Refused, match=r"plans\.nothing_open"):
        planning_run.plan(desk, way=HERE)
    want(town, "w1", "ann", 5)
    found = planning_run.plan(town.desk("eve"), town.pool, way=HERE)
    [done] = apply(town.desk("ann"), found.plan)
    assert done.reference == "want:w1" and done.orders and apply(town.desk("cay"), found.plan) == []


def test_only_the_best_attested_plan_is_applied(town):
    want(town, "w1", "ann", 5)
    found = planning_run.plan(town.desk("eve"), town.pool, way=HERE, attesters=[])
    with pytest.raises(Refused, match=r"plans\.not_best"):
        apply(town.desk("ann"), found.plan)
    assert planning_run.attest_open(town.desk("bob")) == {found.plan: True}
    assert planning_run.attest_open(town.desk("bob")) == {} and planning_run.attest_open(town.desk("eve")) == {}
    assert apply(town.desk("ann"), found.plan)


def test_an_offer_withdrawn_while_the_planner_runs_is_named_and_planned_anew(town, monkeypatch):
    want(town, "w1", "ann", 15)
    want(town, "w2", "eve", 12)
    opened = planning_run._open

    def meanwhile(*given):
        answer = opened(*given)
        if not town.node.view("cay").rows(PLANS):
            town.do("cay", WithdrawOffer(circle=town.pool, offer="oc"))
        return answer

    monkeypatch.setattr(planning_run, "_open", meanwhile)
    found = planning_run.plan(town.desk("eve"), town.pool, way=HERE)
    assert {one.offer for one in found.refused} == {"oc"} and found.replans == 1
    rows = {row.plan: row for row in town.node.view("eve").rows(PLANS)}
    assert rows[found.plan].refused == () and {row.state for row in rows.values()} == {"standing", WITHDRAWN}
    assert found.served_each == 27, "bob's offer serves what cay's did"


def test_an_offer_withdrawn_before_the_window_opens_is_planned_without(town, monkeypatch):
    want(town, "w1", "ann", 15)
    solved = planning_run.solve_asked

    def meanwhile(*given):
        answer = solved(*given)
        if "oc" in answer[0].stock:
            town.do("cay", WithdrawOffer(circle=town.pool, offer="oc"))
        return answer

    monkeypatch.setattr(planning_run, "solve_asked", meanwhile)
    found = planning_run.plan(town.desk("eve"), town.pool, way=HERE)
    assert found.served_each == 15 and found.refused == [] and found.replans == 1


def test_packs_and_smallest_quantities_are_kept(town):
    want(town, "w1", "ann", 25)
    asked = assemble(town.node.view("eve"), town.pool)
    asked.packs["oc"] = (20, 20)
    asked.packs["ob"] = (1, 10)
    asked, given, found = planning_run.solve_asked(asked, HERE)
    assert planning_run.broken_packs(asked, given, found) == set() and found.units.sum() == 25


def test_nothing_open_and_places_of_others_are_refused(town):
    with pytest.raises(Refused, match=r"plans\.nothing_open"):
        assemble(town.node.view("ann"))
    with pytest.raises(Refused, match=r"plans\.not_here"):
        assemble(town.node.view("office"), town.pool)
    with pytest.raises(Refused, match=r"desk\.not_permitted"):
        planning_run.plan(town.desk("ann", "viewer"), town.pool, way=HERE)


def test_a_line_that_nobody_can_serve_and_one_larger_than_all_stock_stay_short(town):
    sale(town, "SO1", 10_000)
    sale(town, "SO2", 3, item="a thing without a number", own_number="none")
    found = planning_run.plan(town.desk("bob"), way=HERE)
    assert found.served_each == 90 and [one.why for one in found.left_out] == ["no_item"]


def test_the_worker_solves_as_well_and_a_cancelled_search_keeps_its_best(town):
    want(town, "w1", "ann", 15)
    given = assemble(town.node.view("eve"), town.pool).arrays()
    there = solve(given.problem, seconds=None, rounds=2, seed=1)
    here = solve(given.problem, seconds=None, rounds=2, seed=1, worker=False)
    assert np.array_equal(there.units, here.units) and there.prices.bound_scaled == here.prices.bound_scaled
    stop = threading.Event()
    stop.set()
    kept = solve(given.problem, seconds=60, cancel=stop.is_set)
    assert not kept.finished and sourcing.violations(given.problem, kept) == []


def test_a_fault_of_the_worker_is_the_callers(town):
    want(town, "w1", "ann", 15)
    given = assemble(town.node.view("eve"), town.pool).arrays()
    with pytest.raises(ValueError, match="start"):
        solve(given.problem, seconds=1, start=sourcing.Plan(np.zeros(99, np.int64), np.zeros(9, np.uint8), 0))


def test_the_command_plans_applies_attests_and_rechecks(town, tmp_path, capsys):
    sale(town, "SO1", 90)
    town.close()
    data = str(tmp_path / "node")
    assert main(["plan", "--as", "bob", "--seconds", "0.5", "--apply", "--data", data, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["served_each"] == 90 and said["gap_ppm"] == 0 and said["applied"][0]["confirmed_each"] == 70
    assert said["sources"][0]["parts"] and said["attested"] == ["bob"]
    assert main(["plan", "--as", "bob", "--recheck", "--data", data]) == 0
    assert "holds" in capsys.readouterr().out
    assert main(["verify", data, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["recomputed"]
    assert [one["outcome"] for one in figures if one["what"] == "plan"] == ["proven"]
    assert main(["plan", "--as", "ann", "--attest", "--data", data]) == 0
    assert "no plan waits" in capsys.readouterr().out
    assert main(["plan", "--as", "bob", "--circle", "nowhere", "--data", data]) == 2
    assert "plans.not_here" in capsys.readouterr().err


def test_where_no_single_source_has_all_a_packed_line_is_served_in_part(town):
    want(town, "w1", "ann", 45)
    asked = assemble(town.node.view("eve"), town.pool)
    asked.packs["oc"] = (8, 8)
    asked, given, found = planning_run.solve_asked(asked, HERE)
    assert planning_run.broken_packs(asked, given, found) == set() and found.units.sum() == 30
