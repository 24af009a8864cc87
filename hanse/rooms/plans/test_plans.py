import pytest
from msgspec.structs import replace

from hanse.rooms.inventory.offer_facts import WithdrawOffer
from hanse.rooms.orders.testing import DAY
from hanse.rooms.plans.checking import check_plan, recheck_all
from hanse.rooms.plans.checks import certificates
from hanse.rooms.plans.facts import COUNTED_MAX, AddAssignments, AddLines, OwnStock, WithdrawPlan
from hanse.rooms.plans.queries import bid_prices, plan_page, plans
from hanse.rooms.plans.rows import LOST, STANDING, STANDINGS, WITHDRAWN, WON
from hanse.rooms.plans.rules import gap_of, lines_hash, plan_hash
from hanse.rooms.plans.testing import PlanMarket
from hanse.rooms.testing import same_under_hash_seeds


@pytest.fixture
def town():
    market = PlanMarket()
    market.must("ann", market.window_fact())
    return market


BEST = [(1, "ob", 20), (2, "ob", 10), (2, "oc", 15)]
WORSE = [(1, "oc", 20), (2, "ob", 25)]


def test_a_plan_is_proposed_attested_and_wins_at_the_windows_end(town):
    town.must("eve", town.proposal("p1"))
    assert town.plan().state == STANDING and town.plan().refused == () and not town.standing().best
    town.must("bob", town.attest_fact())
    assert town.standing().best == "p1"
    town.tick(DAY)
    assert town.plan().state == WON and town.standing().winner == "p1"
    assert town.state.get(STANDINGS, ("pool",)).plan == "p1"
    assert town.both_sides_agree()


def test_a_plan_infeasible_by_one_unit_is_refused_whole(town):
    too_much = [(1, "ob", 20), (2, "ob", 11), (2, "oc", 14)]
    assert town.refused("eve", town.proposal(taken=too_much)) == "plans.infeasible"
    town.must("eve", town.proposal(taken=BEST))


def test_two_lines_that_together_draw_more_than_an_offer_has_are_refused(town):
    assert town.refused("eve", town.proposal(taken=[(1, "oc", 11), (2, "oc", 10)])) == "plans.infeasible"


def test_an_offer_of_more_than_a_plan_counts_spoils_nobodys_plan():
    """A maker to order may say "as many as you like"; a competitor could."""
    market = PlanMarket()
    market.do("bob", market.offer_fact("wide", each=10**15, circle=market.POOL))
    lines = [
        replace(line, options=[replace(line.options[0], source="wide"), line.options[1]]) for line in market.lines()
    ]
    market.must("ann", market.window_fact(lines=lines, offers=["wide", "oc"]))
    assert max(market.asked().problem.stock_total_each) == COUNTED_MAX
    market.must("eve", market.proposal("all"))
    found = check_plan(market.view("ann"), "all")
    assert found.ok, found.faults


def test_a_valid_but_worse_plan_does_not_win_whoever_comes_first(town):
    town.must("eve", town.proposal("worse", taken=WORSE))
    town.must("bob", town.attest_fact("worse"))
    assert town.standing().best == "worse"
    town.must("ann", town.proposal("better"))
    town.must("bob", town.attest_fact("better"))
    assert town.plan("worse").cost_minor > town.plan("better").cost_minor
    assert town.standing().best == "better"
    town.tick(DAY)
    assert (town.plan("worse").state, town.plan("better").state) == (LOST, WON)


def test_of_equal_cost_the_smallest_hash_wins(town):
    first = town.proposal("a", taken=BEST)
    other = town.proposal("b", taken=BEST, prices=[("ob", 150_000)])
    assert first.cost_minor == other.cost_minor and first.plan_hash != other.plan_hash
    town.must("eve", first, other)
    town.must("bob", town.attest_fact("a"), town.attest_fact("b"))
    assert town.standing().best == min((first.plan_hash, "a"), (other.plan_hash, "b"))[1]


def test_one_price_changed_fails_the_check_of_the_certificate(town):
    good = town.proposal()
    [(source, price), *others] = good.prices
    changed = [(source, price + 1), *others]
    assert town.refused("eve", replace(good, prices=changed)) == "plans.other_plan"
    town.must("eve", replace(good, prices=changed, plan_hash=plan_hash("", good.assignments, changed)))
    found = check_plan(town.view("bob"), "p1")
    assert not found.ok and any("bound" in fault or "certificate" in fault for fault in found.faults)
    town.must("bob", town.attest_fact(good=False, bound_scaled=found.bound_scaled))
    assert town.standing().best == ""


def test_a_bound_that_the_prices_do_not_prove_is_found_and_the_plan_never_best(town):
    honest = town.proposal(taken=WORSE)
    town.must("eve", replace(honest, bound_scaled=honest.cost_minor * 1000, gap_ppm=0))
    found = check_plan(town.view("bob"), "p1")
    assert not found.ok and found.bound_scaled == honest.bound_scaled
    town.must("bob", town.attest_fact(good=False, bound_scaled=found.bound_scaled))
    assert town.standing().best == ""
    town.tick(DAY)
    assert town.plan().state == LOST


def test_a_cost_that_is_stated_too_low_is_found(town):
    honest = town.proposal(taken=WORSE)
    cost = honest.cost_minor - 1
    town.must("eve", replace(honest, cost_minor=cost, gap_ppm=gap_of(cost, -(-honest.bound_scaled // 1000))))
    assert any("cost" in fault for fault in check_plan(town.view("ann"), "p1").faults)


def test_an_offer_withdrawn_meanwhile_is_refused_by_name_and_the_rest_stands(town):
    fact = town.proposal(taken=BEST)
    town.must("cay", WithdrawOffer(circle=town.POOL, offer="oc"))
    town.must("eve", fact)
    assert [(one.line, one.offer, one.each, one.why) for one in town.plan().refused] == [(2, "oc", 15, "ended")]
    assert town.plan().state == STANDING


def test_an_offer_that_shrank_meanwhile_keeps_the_lines_that_still_fit(town):
    fact = town.proposal(taken=BEST)
    town.must("eve", town.hold_fact(offer="ob", each=5))
    town.must("eve", fact)
    assert [(one.line, one.offer, one.why) for one in town.plan().refused] == [(2, "ob", "not_enough")]


def test_an_offer_withdrawn_after_the_proposal_is_found_at_the_windows_end_and_a_whole_plan_wins(town):
    town.must("eve", town.proposal("part", taken=BEST), town.proposal("whole", taken=[(1, "ob", 20), (2, "ob", 10)]))
    town.must("bob", town.attest_fact("part"), town.attest_fact("whole"))
    assert town.standing().best == "part"
    town.must("cay", WithdrawOffer(circle=town.POOL, offer="oc"))
    town.tick(DAY)
    assert town.standing().winner == "whole" and len(town.plan("part").refused) == 1


def test_refusals_of_windows_in_their_order(town):
    fact = town.window_fact(window="w2")
    for wrong, code in (
        (replace(fact, circle="nowhere"), "parties.unknown_circle"),
        (replace(fact, circle=town.AB), "plans.not_here"),
        (replace(fact, window="w1"), "plans.window_taken"),
        (replace(fact, ends_at=town.now), "plans.bad_deadline"),
        (replace(fact, offers=["ob", "ob"]), "plans.repeated_source"),
        (replace(fact, offers=["zz"]), "inventory.unknown_offer"),
    ):
        assert town.refused("ann", wrong) == code
    town.offer("private", each=5)
    assert town.refused("ann", replace(fact, offers=["private"])) == "plans.offer_elsewhere"
    town.must("cay", WithdrawOffer(circle=town.POOL, offer="oc"))
    assert town.refused("ann", fact) == "inventory.offer_ended"


def test_refusals_of_plans_in_their_order(town):
    fact = town.proposal()
    for wrong, code in (
        (replace(fact, window="w9"), "plans.unknown_window"),
        (replace(fact, gap_ppm=fact.gap_ppm + 1), "plans.bad_gap"),
        (replace(fact, assignments=[(1, "zz", 1)]), "plans.unknown_source"),
        (replace(fact, assignments=[(1, "ob", 1), (1, "ob", 1)]), "plans.repeated_assignment"),
        (replace(fact, prices=[("ob", 1), ("ob", 2)]), "plans.repeated_price"),
        (replace(fact, plan_hash="0" * 64), "plans.other_plan"),
    ):
        assert town.refused("eve", wrong) == code
    town.must("eve", fact)
    assert town.refused("eve", fact) == "plans.plan_taken"
    town.tick(DAY)
    assert town.refused("eve", replace(fact, plan="late")) == "plans.not_open"


def test_refusals_of_attestations_in_their_order(town):
    town.must("eve", town.proposal())
    assert town.refused("bob", replace(town.attest_fact(), plan="p9")) == "plans.unknown_plan"
    assert town.refused("eve", town.attest_fact()) == "plans.own_plan"
    assert town.refused("bob", town.attest_fact(bound_scaled=1)) == "plans.bound_differs"
    town.must("bob", town.attest_fact())
    assert town.refused("bob", town.attest_fact(good=False)) == "plans.attested"
    town.tick(DAY)
    assert town.refused("cay", town.attest_fact()) == "plans.ended"


def test_a_plan_is_taken_back_by_its_planner_alone(town):
    town.must("eve", town.proposal("a"), town.proposal("b", taken=WORSE))
    town.must("bob", town.attest_fact("a"), town.attest_fact("b"))
    assert town.refused("ann", WithdrawPlan(circle=town.POOL, plan="a")) == "plans.not_yours"
    town.must("eve", WithdrawPlan(circle=town.POOL, plan="a"))
    assert town.standing().best == "b" and town.plan("a").state == WITHDRAWN
    assert town.refused("eve", WithdrawPlan(circle=town.POOL, plan="a")) == "plans.ended"


def test_costs_below_an_offers_price_and_another_item_are_refused_in_the_circle(town):
    lines = town.lines()
    cheap = replace(lines[0], options=[replace_option(lines[0].options[0], cost_minor=999)])
    other = replace(lines[0], item="item-6306")
    for wrong, code in (([cheap], "plans.cost_below_price"), ([other], "plans.other_item"),
                        ([lines[0], lines[0]], "plans.repeated_line")):  # fmt: skip
        outcome = town.do("ann", town.window_fact(window=code, lines=wrong))
        assert outcome.code == "ok" and outcome.private["pool"].code == code
        assert check_plan(town.view("ann"), "p1") is None
    outcome = town.do("ann", town.window_fact(window="x", problem="1" * 64))
    assert outcome.private["pool"].code == "plans.other_question"


def replace_option(option, **changes):
    from msgspec.structs import asdict

    return type(option)(**{**asdict(option), **changes})


def test_own_stock_is_planned_at_home_alone(town):
    outcome = town.do("ann", town.window_fact(window="x", own_stock=[OwnStock("own/A/s", "item-6205", 3)]))
    assert outcome.private["pool"].code == "plans.own_stock_elsewhere"


def test_a_question_and_a_plan_in_parts_are_the_same_as_in_one(town):
    one, two = town.lines()
    whole = lines_hash(lines_hash("", [one]), [two])
    town.WINDOW = "w2"
    town.must("ann", town.window_fact(problem=whole, parts=2, lines=[one], offers=["ob", "oc"]))
    town.must("ann", AddLines(circle=town.POOL, window="w2", part=2, offers=[], lines=[two], own_stock=[]))
    assert town.asked().problem.lines == 2
    fact = town.proposal(taken=BEST)
    running = plan_hash(plan_hash("", BEST[:1], []), BEST[1:], fact.prices)
    town.must("eve", replace(fact, assignments=BEST[:1], prices=[], parts=2, plan_hash=running))
    rest = AddAssignments(circle=town.POOL, plan="p1", part=2, assignments=BEST[1:], prices=fact.prices,
                          own_assignments=[], own_prices=[])  # fmt: skip
    assert town.refused("eve", replace(rest, part=3)) == "plans.bad_part"
    assert town.refused("eve", replace(rest, assignments=[(2, "ob", 11)])) == "plans.infeasible"
    town.must("eve", rest)
    assert town.plan().state == STANDING and check_plan(town.view("bob"), "p1").ok


def test_a_plan_that_never_became_whole_has_lost_at_the_windows_end(town):
    fact = town.proposal(taken=BEST)
    town.must("eve", replace(fact, parts=2))
    town.tick(DAY)
    assert town.plan().state == LOST and town.standing().winner == ""


def test_strangers_see_offers_and_quantities_and_nothing_else(town):
    town.must("eve", town.proposal())
    town.must("bob", town.attest_fact())
    town.join("zoe")
    zoe = town.view("zoe")
    assert plans(zoe) == [] and plan_page(zoe, "p1") is None and check_plan(zoe, "p1") is None
    assert recheck_all(zoe) == [] and bid_prices(zoe) == {}
    public = {table.name: rows for table in town.book.tables if not table.circle
              for rows in [town.dump()[table.name]] if table.name.startswith("plans_")}  # fmt: skip
    assert "item-6205" not in repr(public) and "want:" not in repr(public) and "Bremen" not in repr(public)


def test_the_page_shows_sources_prices_and_who_attested(town):
    town.must("eve", town.proposal())
    town.must("bob", town.attest_fact())
    page = plan_page(town.view("ann"), "p1")
    assert page.asked_each == page.served_each == 45
    assert [(line.line, sum(part.each for part in line.parts)) for line in page.served] == [(1, 20), (2, 25)]
    assert [one.source for one in page.scarce] == ["ob"] and page.scarce[0].price_minor > 0
    assert [(one.name, one.good) for one in page.attested] == [("Bob", True)]


def test_bid_prices_are_those_of_the_last_winning_plan(town):
    town.must("eve", town.proposal())
    town.must("bob", town.attest_fact())
    assert bid_prices(town.view("ann")) == {}
    town.tick(DAY)
    prices = bid_prices(town.view("ann"))
    assert list(prices) == ["ob"] and prices["ob"] == plan_page(town.view("ann"), "p1").scarce[0].price_minor


def test_everything_is_rechecked_and_a_false_attestation_is_named(town):
    town.must("eve", town.proposal("good"), town.proposal("wronged", taken=WORSE))
    town.must("bob", town.attest_fact("good"), town.attest_fact("wronged", good=False))
    found = {one.plan: one for one in recheck_all(town.view("ann"))}
    assert found["good"].ok and found["wronged"].faults == ("1 attested bad what holds",)


def test_verification_computes_plans_again_and_calls_wrong_what_somebody_vouched_for(town):
    honest = town.proposal("good")
    town.must("eve", honest, town.proposal("wronged", taken=WORSE), town.proposal("nobodys", prices=[("ob", 1)]))
    lied = town.proposal("lied", taken=WORSE)
    town.must("eve", replace(lied, bound_scaled=lied.cost_minor * 1000, gap_ppm=0))
    caught = town.proposal("caught", taken=WORSE)
    town.must("eve", replace(caught, bound_scaled=caught.cost_minor * 1000, gap_ppm=0))
    town.must("bob", town.attest_fact("good"), town.attest_fact("wronged", good=False), town.attest_fact("lied"))
    town.must("bob", town.attest_fact("caught", good=False))
    found = {one.name.partition(",")[0]: one for one in certificates(town.view("ann"))}
    assert found["good"].why == "" and found["good"].amount_minor == honest.cost_minor and found["good"].entries
    assert found["wronged"].why and "bound" in found["lied"].why
    assert found["caught"].why == found["nobodys"].why == "", "nobody vouched for them"
    assert list(certificates(town.view("zoe"))) == []


def _story():
    town = PlanMarket()
    town.must("ann", town.window_fact())
    town.must("eve", town.proposal("a"), town.proposal("b", taken=WORSE))
    town.must("bob", town.attest_fact("b"), town.attest_fact("a"))
    town.must("cay", WithdrawOffer(circle=town.POOL, offer="oc"))
    town.tick(DAY)
    return town


@pytest.mark.slow
def test_state_and_outcomes_do_not_depend_on_hash_seeds():
    assert same_under_hash_seeds(_story)
