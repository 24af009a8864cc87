"""Pages' questions, prices in force, answers to orders, simulation and scorecards."""

from __future__ import annotations

from typing import Any

import pytest

from hanse.rooms.contracts import proposals, queries
from hanse.rooms.contracts.compiled import template_of
from hanse.rooms.contracts.facts import Amend, CounterPropose
from hanse.rooms.contracts.responding import explain, price_in_force, respond
from hanse.rooms.contracts.scorecards import scorecard, scorecards
from hanse.rooms.contracts.scores import PPM, Payment, payer, proportions
from hanse.rooms.contracts.simulate import simulate
from hanse.rooms.contracts.testing import DAY, LATE, Trade, library
from hanse.rooms.orders.delivery_facts import Rate, ReceiveLine
from hanse.rooms.orders.facts import ConfirmOrder, DeclineOrder
from hanse.rooms.orders.queries import order_page

AB = Trade.AB
PRICES: dict[str, Any] = {
    "currency": "EUR",
    "prices": [{"item": "item-6205", "price": "12.00", "moq": 10, "multiple": 5}],
    "discounts": [[0, "0%"], [50, "10%"]],
}


@pytest.fixture
def priced() -> Trade:
    trade = Trade()
    trade.agree("price-and-moq", PRICES)
    return trade


def test_the_price_in_force_is_the_lists_less_the_quantitys_discount(priced: Trade) -> None:
    view = priced.view("ann")
    assert price_in_force(view, AB, "item-6205", 10, priced.now).price_minor == 1200
    assert price_in_force(view, AB, "item-6205", 50, priced.now).price_minor == 1080


@pytest.mark.parametrize(
    ("item", "each", "words"),
    [
        ("item-6205", 5, "the quantity is below the agreed minimum"),
        ("item-6205", 12, "the quantity is not a multiple of the agreed pack"),
        ("item-6306", 10, "this item is not on the agreed price list"),
    ],
)
def test_an_order_outside_the_agreement_is_refused_in_words(priced: Trade, item: str, each: int, words: str) -> None:
    said = price_in_force(priced.view("ann"), AB, item, each, priced.now)
    assert (said.price_minor, said.refused, said.allowed) == (-1, words, False)


def test_without_an_agreement_nothing_is_priced_and_nothing_refused() -> None:
    trade = Trade()
    said = price_in_force(trade.view("ann"), AB, "item-6205", 1, trade.now)
    assert (said.price_minor, said.agreements, said.allowed) == (-1, (), True)


def test_a_stranger_is_told_no_price(priced: Trade) -> None:
    assert price_in_force(priced.view("eve"), AB, "item-6205", 10, priced.now).agreements == ()


def test_an_amended_price_counts_from_its_time(priced: Trade) -> None:
    changed = {**PRICES, "prices": [{"item": "item-6205", "price": "13.00", "moq": 10, "multiple": 5}]}
    sha = template_of(library("price-and-moq")).sha256
    priced.must("bob", priced.proposal(sha, changed, kind=Amend, proposal="P2", from_at=priced.now + 10 * DAY))
    priced.sign_proposal("ann", "P2")
    view = priced.view("ann")
    found = [price_in_force(view, AB, "item-6205", 10, priced.now + days * DAY).price_minor for days in (9, 10)]
    assert found == [1200, 1300]


def test_the_owners_node_declines_what_the_agreement_refuses_and_tells_the_buyer_why(priced: Trade) -> None:
    priced.offer("o1", firm=False, price=1000)
    priced.must("ann", priced.order_fact("po1", priced.line(each=7, offer="o1", unit_price_minor=1200)))
    fact = respond(priced.view("bob"), "po1")
    assert isinstance(fact, DeclineOrder)
    priced.must("bob", fact)
    page = order_page(priced.view("ann"), "po1")
    assert page is not None and page.terms is not None
    below, multiple = "the quantity is below the agreed minimum", "the quantity is not a multiple of the agreed pack"
    assert page.terms.answer == f"line 1: {below}; {multiple}"
    assert dict(explain(priced.view("ann"), "po1").lines) == {1: f"{below}; {multiple}"}
    assert explain(priced.view("eve"), "po1").lines == ()


def test_the_owners_node_confirms_within_the_agreement(priced: Trade) -> None:
    priced.offer("o1", firm=False, price=1000)
    priced.must("ann", priced.order_fact("po1", priced.line(each=10, offer="o1", unit_price_minor=1200)))
    assert isinstance(respond(priced.view("bob"), "po1"), ConfirmOrder)
    priced.must("ann", priced.order_fact("po2", priced.line(each=10, offer="o1", unit_price_minor=1199)))
    fact = respond(priced.view("bob"), "po2")
    assert isinstance(fact, DeclineOrder) and fact.reason == "line 1: the agreed price is 12.00 EUR a unit"


def test_an_agreement_shows_prose_parameters_changes_and_results() -> None:
    trade = Trade()
    sha = trade.agree()
    trade.deliver_late(17)
    trade.must("bob", trade.proposal(sha, {**LATE, "rate": "5%"}, kind=Amend, proposal="P2"))
    trade.sign_proposal("ann", "P2")
    page = queries.agreement_page(trade.view("ann"), AB, "A1")
    assert page is not None and page.card.state == "in_force" and page.card.version == 2
    assert page.card.pending_minor == 750 and ("rate", "5%") in page.params
    assert page.prose[0].startswith(
        "Goods received more than 0 days after the promised time are late. Bob then pays Ann"
    )
    assert page.changes == {2: ("params.rate: 2.5% becomes 5%",)}
    assert queries.agreement_page(trade.view("eve"), AB, "A1") is None
    [card] = queries.agreements(trade.view("bob"))
    assert (card.pending_minor, card.partner_name) == (-750, "Ann")


def test_a_counter_proposal_shows_its_difference() -> None:
    trade = Trade()
    sha = trade.register()
    trade.must("bob", trade.proposal(sha, LATE))
    other = {**LATE, "cap": "20%"}
    counter = trade.proposal(sha, other, kind=CounterPropose, proposal="P2", counters="P1", scope=["brand:SKF"])
    trade.must("ann", counter)
    [card] = proposals.proposals(trade.view("bob"))
    assert card.changes == ("params.cap: 15% becomes 20%", "scope: * becomes brand:SKF") and card.mine
    assert not proposals.proposals(trade.view("ann"))[0].mine
    assert proposals.proposals(trade.view("eve")) == ()


def test_a_result_is_explained_step_by_step() -> None:
    trade = Trade()
    trade.agree()
    trade.deliver_late(17)
    page = queries.award_page(trade.view("bob"), AB, "A1:1")
    assert page is not None and page.equal and page.award is not None
    steps = {step.name: step.value for step in page.steps}
    assert steps["late_by"] == "17 days" and steps["damages"] == "7.50 EUR" and steps["is_late"] == "yes"
    facts = {fact.name: fact for fact in page.facts}
    assert facts["received"].entry == page.award.evidence[-1] and facts["received"].signer == "ann+bob"
    assert facts["excused"].entry == 0
    assert queries.award_page(trade.view("eve"), AB, "A1:1") is None


def test_what_waits_is_counted_for_the_start_page() -> None:
    trade = Trade()
    sha = trade.register()
    trade.must("bob", trade.proposal(sha, LATE))
    assert queries.figures(trade.view("ann")).to_sign == 1
    trade.sign_proposal("ann")
    trade.deliver_late(17)
    found = queries.figures(trade.view("ann"))
    assert (found.to_sign, found.pending) == (0, 1)


def test_a_simulation_before_signing_gives_what_the_agreement_would_have_given() -> None:
    tried, signed = Trade(), Trade()
    signed.agree()
    for trade in (tried, signed):
        trade.deliver_late(17, "po1")
        trade.deliver_late(0, "po2")
        trade.deliver_late(3, "po3")
    terms = template_of(library("late-delivery")).bind(LATE)
    found = simulate(tried.view("ann"), terms, partner="bob")
    assert (found.deliveries, found.total_minor) == (3, 1000)
    assert [run.amount_minor for run in found.runs] == [award.amount_minor for award in signed.awards()]
    assert simulate(tried.view("eve"), terms).runs == ()


def test_a_simulation_folds_and_says_what_it_lacks() -> None:
    trade = Trade()
    trade.deliver_late(0)
    rebate = template_of(library("unit-rebate")).bind({"currency": "EUR", "amounts": [[0, "1.00"], [8, "2.00"]]})
    assert [run.amount_minor for run in simulate(trade.view("ann"), rebate).runs] == [1200]
    failure = {"currency": "EUR", "discounts": [["1d", "5%"]], "failures": 3, "reach_back": "60d", "extra": "1.00"}
    found = simulate(trade.view("ann"), template_of(library("order-failure")).bind(failure))
    assert found.runs == () and found.waiting == {"contracts.missing_fact.past": 1}


def test_a_scorecard_counts_what_was_signed_and_opens_its_entries() -> None:
    trade = Trade()
    trade.deliver_late(0, "po1")
    trade.deliver_late(2, "po2")
    trade.deliver_late(0, "po3", 10, ReceiveLine(line=1, received=8, damaged=2))
    trade.must("ann", Rate(circle=AB, shipment="s-po1", score=5), Rate(circle=AB, shipment="s-po3", score=2))
    card = scorecard(trade.view("ann"), "bob")
    assert card is not None
    values = {figure.name: figure.value for figure in (*card.figures, *card.measured)}
    assert values["otif_lines"] == values["perfect_orders"] == PPM // 3 and values["fill_rate"] == 28 * PPM // 30
    assert values["defects_ppm"] == 2 * PPM // 30 and values["lead_time_median_seconds"] == 4 * DAY
    assert values["satisfaction"] in (349, 350) and values["rated_good"] == 900_000
    kinds = {position: s.fact.kind for b in trade.blocks for position, s in b.recorded}
    assert {kinds[e] for e in card.figure("otif_lines").evidence} <= {"orders.receive", "orders.rate"}
    assert not card.unproven and [c.partner for c in scorecards(trade.view("bob"), "sell")] == ["ann"]
    assert scorecards(trade.view("eve")) == ()


def test_claims_of_one_side_alone_are_unproven() -> None:
    trade = Trade()
    trade.must("bob", trade.own_order("so1"))
    trade.must("bob", trade.confirm_fact("so1", (1, 10), circle="home-bob"))
    trade.now += DAY
    trade.must("bob", trade.ship_fact("so1", "s1", (1, 10), circle="home-bob", stock="bob-6205"))
    trade.must("bob", trade.receive_fact("s1", circle="home-bob"))
    card = scorecard(trade.view("bob"), "Klinik Nord", "sell")
    assert card is not None and card.unproven and card.figure("otif_lines").unproven


def test_a_chart_tells_a_change_from_chance() -> None:
    steady = [(t, 98 - 8 * (t % 2), 100, t, False) for t in range(8)]
    assert proportions("otif", steady).signals == ()
    fallen = proportions("otif", [*steady, (8, 70, 100, 8, False)])
    assert [(point.at, point.signal) for point in fallen.signals] == [(8, "below")]


def test_a_payer_is_measured_by_number_and_by_money() -> None:
    def invoice(n: int, amount: int, paid_after_days: int) -> Payment:
        paid = paid_after_days * DAY if paid_after_days else 0
        return Payment(f"i{n}", amount, "EUR", 0, 30 * DAY, paid, n)

    figures, _ = payer([invoice(1, 100, 20), invoice(2, 300, 40), invoice(3, 100, 0)], now=35 * DAY)
    values = {figure.name: figure.value for figure in figures}
    assert values["paid_in_time"] == PPM // 3 and values["money_paid_in_time"] == PPM // 5
    assert values["seconds_beyond_terms_by_money"] == (10 * DAY * 300 + 5 * DAY * 100) // 500
