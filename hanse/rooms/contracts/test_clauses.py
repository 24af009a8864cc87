"""Clauses at work: every library template on what orders tell and parties attest, and what must never count."""

from __future__ import annotations

from typing import Any

import pytest

from hanse.rooms.contracts.facts import Attest, Said
from hanse.rooms.contracts.folding import FOLDS
from hanse.rooms.contracts.private_rows import FOLD_STEPS
from hanse.rooms.contracts.recompute import recompute_all
from hanse.rooms.contracts.testing import DAY, LATE, Trade
from hanse.rooms.orders.delivery_facts import AcceptedLine, AcceptReturn, ReceiveLine, ReturnGoods, ReturnLineAsked
from hanse.rooms.orders.facts import StockKey

AB = Trade.AB
REBATE: dict[str, Any] = {
    "currency": "EUR",
    "rebate_period": "month",
    "scheme": "retroactive",
    "tiers": [["0.00", "5%"], ["10000.00", "10%"]],
}


def settled(number: str, net: str, at: int, event: str = "invoice.settled") -> Said:
    return Said(id=number, event=event, occurred_at=at, keys={"document": number}, fields={"net": net})


def both(trade: Trade, *events: Said) -> None:
    for party in ("ann", "bob"):
        trade.attest(party, *events)


def recomputed(trade: Trade) -> bool:
    return all(one.equal for one in recompute_all(trade.view("ann")))


def test_a_rebate_accrues_with_every_invoice_that_both_have_signed() -> None:
    trade = Trade()
    trade.agree("volume-rebate", REBATE)
    trade.attest("ann", settled("i1", "8000.00", trade.now))
    assert trade.awards() == [] and [r.code for r in trade.results("accrue")] == ["contracts.unsigned"]
    trade.attest("bob", settled("i1", "8000.00", trade.now))
    assert [(a.kind, a.amount_minor, a.sender, a.receiver) for a in trade.awards()] == [("post", 40000, "bob", "ann")]
    both(trade, settled("i2", "4000.00", trade.now))
    assert trade.award(2).amount_minor == 120000 - 40000
    both(trade, settled("c1", "3000.00", trade.now, "credit.issued"))
    taken = trade.award(3)
    assert (taken.amount_minor, taken.sender, taken.receiver) == (120000 - 45000, "ann", "bob")
    assert recomputed(trade) and trade.both_sides_agree()


def test_a_period_closes_by_the_ledger_and_pays_what_was_earned() -> None:
    trade = Trade()
    trade.agree("volume-rebate", REBATE)
    both(trade, settled("i1", "20000.00", trade.now))
    trade.tick(40 * DAY)
    paid = [a for a in trade.awards() if a.kind == "pay"]
    assert [(a.amount_minor, a.label, a.due_at > 0) for a in paid] == [(200000, "volume_rebate", True)]
    row = trade.state.get(FOLDS, (AB, "A1", "2023-11"))
    assert row is not None and row.closed and row.figures == {"spend": 2000000, "accrued": 200000, "paid": 200000}
    both(trade, settled("i9", "100.00", trade.now - 39 * DAY))
    late = trade.state.get(FOLDS, (AB, "A1", "2023-12"))
    assert late is not None and late.figures["spend"] == 10000
    assert recomputed(trade) and trade.both_sides_agree()


def test_a_fold_opens_its_entries() -> None:
    trade = Trade()
    trade.agree("volume-rebate", REBATE)
    both(trade, settled("i1", "100.00", trade.now), settled("i2", "50.00", trade.now))
    steps = trade.view("ann").rows(FOLD_STEPS)
    assert [(s.event, s.figures.get("spend")) for s in steps if s.event == "invoice.settled"] == [
        ("invoice.settled", 10000),
        ("invoice.settled", 15000),
    ]


def test_the_same_event_twice_counts_once() -> None:
    trade = Trade()
    trade.agree("volume-rebate", REBATE)
    both(trade, settled("i1", "100.00", trade.now))
    again = Attest(circle=AB, events=[settled("i1", "100.00", trade.now)])
    assert trade.refused("ann", again) == "contracts.attested"
    other = Attest(circle=AB, events=[settled("i1", "200.00", trade.now)])
    assert trade.refused("bob", other) == "contracts.attested_differently"
    renamed = settled("i1-again", "100.00", trade.now)
    both(
        trade,
        Said(id="x", event="invoice.settled", occurred_at=trade.now, keys={"document": "i1"}, fields={"net": "1.00"}),
    )
    assert len([r for r in trade.results("accrue")]) == 1 and renamed.id != "i1"


def test_events_that_only_clauses_tell_cannot_be_attested_into_a_fold() -> None:
    trade = Trade()
    trade.agree("volume-rebate", REBATE)
    forged = Said(id="r", event="rebate.accrued", occurred_at=trade.now, fields={"amount": 99})
    both(trade, forged)
    assert trade.state.get(FOLDS, (AB, "A1", "2023-11")) is None


@pytest.mark.parametrize("event", ["period.closed", "dispute.decided"])
def test_events_of_the_ledger_and_of_disputes_are_reserved(event: str) -> None:
    trade = Trade()
    trade.agree()
    said = Attest(circle=AB, events=[Said(id="x", event=event, occurred_at=trade.now)])
    assert trade.refused("ann", said) == "contracts.reserved_event"


def test_nobody_attests_a_delivery_of_an_order_that_the_network_knows() -> None:
    trade = Trade()
    trade.agree()
    trade.deliver_late(17)
    keys = {"order": "po1", "delivery": "s2", "line": "1"}
    said = Said(id="x", event="delivery", occurred_at=trade.now, keys=keys, fields={"quantity": 10})
    assert trade.refused("ann", Attest(circle=AB, events=[said])) == "contracts.reserved_event"


def test_an_event_in_the_future_is_refused() -> None:
    trade = Trade()
    trade.agree()
    said = Attest(circle=AB, events=[settled("i1", "1.00", trade.now + 1)])
    assert trade.refused("ann", said) == "contracts.in_future"


def test_a_field_that_a_clause_cannot_read_is_refused_when_it_is_attested() -> None:
    trade = Trade()
    trade.agree("volume-rebate", REBATE)
    for net, code in (("12.345", "terms.money_fraction"), ("many", "terms.value_text"), (1.5, "terms.value_type")):
        said = Said(id="i", event="invoice.settled", occurred_at=trade.now, keys={"document": "i"}, fields={"net": net})
        assert trade.refused("ann", Attest(circle=AB, events=[said])) == code


def test_the_one_who_gains_is_never_enough_alone() -> None:
    """The template lets the receiver attest a delivery; the receiver is the buyer, who gains by its being late."""
    trade = Trade()
    trade.agree()
    keys = {"order": "elsewhere", "line": "1"}
    start = trade.now
    trade.now += 20 * DAY
    accepted = Said(
        id="a",
        event="order.accepted",
        occurred_at=start,
        keys=keys,
        fields={"promised_at": start, "unit_price": "10.00"},
    )
    came = Said(
        id="d", event="delivery", occurred_at=trade.now, keys={**keys, "delivery": "d1"}, fields={"quantity": 10}
    )
    both(trade, accepted)
    trade.attest("ann", came)
    [waiting] = trade.results("late")
    assert (waiting.state, waiting.code) == ("waiting", "contracts.gainer_alone")
    trade.attest("bob", came)
    assert trade.award().amount_minor == 750


def test_what_occurred_before_the_declared_window_does_not_count() -> None:
    trade = Trade()
    trade.agree()
    old = Said(id="fm", event="force_majeure.accepted", occurred_at=trade.now - 31 * DAY, keys={"order": "po1"})
    trade.attest("ann", old)
    trade.deliver_late(17)
    assert trade.award().amount_minor == 750


def test_goods_priced_in_another_currency_wait_for_a_rate_that_both_have_signed() -> None:
    trade = Trade()
    trade.agree()
    trade.must("ann", trade.order_fact("po1", trade.line(each=10), currency="USD"))
    trade.must("bob", trade.confirm_fact("po1", (1, 10)))
    trade.now += 21 * DAY
    trade.must("bob", trade.ship_fact("po1", "s1", (1, 10), stock="bob-6205"))
    trade.must("ann", trade.receive_fact("s1"))
    assert [r.code for r in trade.results("late")] == ["contracts.missing_fact.fx"]
    both(trade, Said(id="fx", event="exchange_rate.agreed", occurred_at=trade.now, fields={"rate": "90%"}))
    assert trade.award().amount_minor == 675


def test_units_bought_and_returned_move_a_rebate_per_unit() -> None:
    trade = Trade()
    trade.agree("unit-rebate", {"currency": "EUR", "amounts": [[0, "1.00"], [8, "2.00"]]})
    trade.deliver_late(0)
    assert trade.award().amount_minor == 8 * 100 + 2 * 200
    trade.must(
        "ann",
        ReturnGoods(
            circle=AB,
            shipment="s-po1",
            return_id="r1",
            answer_by=trade.now + DAY,
            lines=[ReturnLineAsked(line=1, each=3, from_stock=StockKey(own_number="A-77", site="store-ann"))],
        ),
    )
    accepted = [AcceptedLine(line=1, each=3, to_stock=StockKey(own_number="bob-6205", site="store-bob"))]
    trade.must("bob", AcceptReturn(circle=AB, return_id="r1", lines=accepted))
    taken = trade.award(2)
    assert (taken.amount_minor, taken.sender) == (1200 - 700, "ann")
    assert trade.both_sides_agree()


def test_otif_counts_closed_lines_by_the_month() -> None:
    trade = Trade()
    params = {"currency": "EUR", "target": "95%", "base": "all_failed", "case_cost": "12.50", "rate": "3%"}
    trade.agree("otif", params)
    trade.deliver_late(2, "po1", 10)
    trade.deliver_late(0, "po2", 10)
    trade.tick(40 * DAY)
    [award] = [a for a in trade.awards() if a.label == "otif_penalty"]
    assert award.amount_minor == 10 * 1250 * 3 // 100
    assert recomputed(trade)


def test_escrow_is_held_released_by_what_was_accepted_and_the_rest_refunded() -> None:
    trade = Trade()
    trade.circle("ann", "eve")
    group = trade.group("deal", ["ann", "bob", "cay"])
    sha = trade.register("escrow")
    params = {"currency": "EUR", "inspection": "3d", "give_up": "30d"}
    roles = {"supplier": "bob", "buyer": "ann", "holder": "cay"}
    trade.must("bob", trade.proposal(sha, params, circle=group, roles=roles, arbiter="eve", objection_seconds=0))
    trade.sign_proposal("ann", "P1", group)
    trade.sign_proposal("cay", "P1", group)
    order = trade.order_fact(
        "po1", trade.line(each=3), circle=group, buyer_party="ann", seller_party="bob", seller="bob+deal"
    )
    trade.must("ann", order)
    trade.must("bob", trade.confirm_fact("po1", (1, 3), circle=group))
    [hold] = trade.awards(group)
    assert (hold.kind, hold.amount_minor, hold.sender, hold.receiver) == ("hold", 3000, "ann", "cay")
    held = Said(id="h", event="escrow.held", occurred_at=trade.now, keys={"order": "po1"}, fields={"amount": "30.00"})
    for party in ("ann", "cay"):
        trade.attest(party, held, circle=group)
    trade.now += DAY
    trade.must("bob", trade.ship_fact("po1", "s1", (1, 3), circle=group, stock="bob-6205"))
    trade.must("ann", trade.receive_fact("s1", ReceiveLine(line=1, received=2, damaged=1), circle=group))
    trade.tick(5 * DAY)
    rest = [(a.kind, a.amount_minor, a.receiver) for a in trade.awards(group)[1:]]
    assert rest == [("release", 2000, "bob"), ("refund", 1000, "ann")]
    trade.tick(60 * DAY)
    assert len(trade.awards(group)) == 3
    assert [r.state for r in trade.results("give_up", group)] == ["excused"]
    assert trade.both_sides_agree()


def test_never_delivered_goods_give_the_escrow_back() -> None:
    trade = Trade()
    group = trade.group("deal", ["ann", "bob", "cay"])
    sha = trade.register("escrow")
    roles = {"supplier": "bob", "buyer": "ann", "holder": "cay"}
    params = {"currency": "EUR", "inspection": "3d", "give_up": "30d"}
    trade.must("bob", trade.proposal(sha, params, circle=group, roles=roles, arbiter="", objection_seconds=0))
    for party in ("ann", "cay"):
        trade.sign_proposal(party, "P1", group)
    order = trade.order_fact(
        "po1", trade.line(each=3), circle=group, buyer_party="ann", seller_party="bob", seller="bob+deal"
    )
    trade.must("ann", order)
    trade.must("bob", trade.confirm_fact("po1", (1, 3), circle=group))
    held = Said(id="h", event="escrow.held", occurred_at=trade.now, keys={"order": "po1"}, fields={"amount": "30.00"})
    for party in ("ann", "cay"):
        trade.attest(party, held, circle=group)
    trade.tick(36 * DAY)
    assert [(a.kind, a.amount_minor, a.receiver) for a in trade.awards(group)[1:]] == [("refund", 3000, "ann")]


def test_a_sale_waits_for_the_price_that_it_is_measured_by() -> None:
    trade = Trade()
    group = trade.group("deal", ["ann", "bob", "cay"])
    sha = trade.register("ship-and-debit")
    params = {"currency": "EUR", "contract_price": "88.00", "quantity_max": 1000, "ends_at": trade.now + 90 * DAY}
    roles = {"supplier": "bob", "distributor": "ann"}
    others = {"customer": "cay"}
    trade.must("bob", trade.proposal(sha, params, circle=group, roles=roles, others=others, arbiter=""))
    trade.sign_proposal("ann", "P1", group)
    sale = Said(
        id="s1", event="sale.reported", occurred_at=trade.now, keys={"sale": "S1", "line": "1", "item": "x"},
        fields={"quantity": 250},
    )  # fmt: skip
    for party in ("ann", "cay"):
        trade.attest(party, sale, circle=group)
    assert [r.code for r in trade.results("claim", group)] == ["contracts.missing_fact.basis"]
    bought = Said(
        id="b1", event="purchase.settled", occurred_at=trade.now, keys={"purchase": "B1", "item": "x"},
        fields={"unit_price": "100.00"},
    )  # fmt: skip
    for party in ("ann", "bob"):
        trade.attest(party, bought, circle=group)
    assert [a.amount_minor for a in trade.awards(group)] == [300000]
    assert trade.both_sides_agree()


def test_supply_pays_the_sum_of_the_deliverys_lines() -> None:
    trade = Trade()
    trade.agree("supply-agreement", {"currency": "EUR", "share": "85%", "pay_within": "10d"})
    both(
        trade,
        Said(id="f", event="forecast.sent", occurred_at=trade.now, keys={"forecast": "f"}, fields={"quantity": 1200}),
    )
    trade.deliver_late(0)
    assert [(a.amount_minor, a.sender, a.label) for a in trade.awards()] == [(10000, "ann", "purchase_price")]
    assert recomputed(trade)


def test_a_certificate_gates_an_order_and_the_buyer_reads_why() -> None:
    trade = Trade()
    group = trade.group("deal", ["ann", "bob", "cay"])
    sha = trade.register("certification")
    rest: dict[str, Any] = {"circle": group, "others": {"issuer": "cay"}, "arbiter": ""}
    trade.must("bob", trade.proposal(sha, {"credential": "level-2"}, **rest))
    trade.sign_proposal("ann", "P1", group)
    fields = {"valid_from": trade.now - DAY, "valid_until": trade.now + DAY}
    trade.attest("cay", Said(id="c", event="credential.issued", occurred_at=trade.now, fields=fields), circle=group)
    about: dict[str, Any] = {"circle": group, "buyer_party": "ann", "seller_party": "bob", "seller": "bob+deal"}
    trade.must("ann", trade.order_fact("po1", trade.line(), **about))
    trade.now += 2 * DAY
    trade.must("ann", trade.order_fact("po2", trade.line(), **about))
    gates = [(r.key, r.actions[0][:3]) for r in trade.results("certified", group)]
    assert gates == [
        ('["po1"]', ("gate", "True", "certification.not_valid")),
        ('["po2"]', ("gate", "False", "certification.not_valid")),
    ]


def test_what_a_clause_cannot_compute_ends_in_a_failed_run_and_the_delivery_stands() -> None:
    text = """
template: ratio
version: 1.0.0
roles: [supplier, buyer]
params: {currency: {enum: [EUR]}, base: {unit: qty}}
clauses:
- id: ratio
  text: "{supplier} pays {buyer} a share of {base} in {currency}."
  when: {event: delivery, once_per: [delivery, line]}
  facts: {qty: {event: delivery, field: quantity, unit: qty, attest: [supplier, buyer]}}
  let: {amount: 'muldiv(qty, 100, base - qty, "floor") * 1'}
  then: [{tell: ratio.known, with: {amount: amount}}]
examples: [{with: {base: 20}, given: {qty: 10}, want: {amount: 100}}]
"""
    trade = Trade()
    trade.agree(text=text, params={"currency": "EUR", "base": 10})
    trade.deliver_late(0)
    assert [(r.state, r.code) for r in trade.results("ratio")] == [("failed", "terms.division_by_zero")]
    assert trade.order_of().state == "received"


def test_a_delivery_of_many_lines_gives_each_its_award_though_one_fact_tells_only_so_much() -> None:
    trade = Trade()
    trade.agree()
    lines = [trade.line(line=n, each=1) for n in range(1, 91)]
    trade.must("ann", trade.order_fact("po1", *lines))
    trade.must("bob", trade.confirm_fact("po1", *((n, 1) for n in range(1, 91))))
    trade.now += 21 * DAY
    trade.must("bob", trade.ship_fact("po1", "s1", *((n, 1) for n in range(1, 91)), stock="bob-6205"))
    trade.must("ann", trade.receive_fact("s1"))
    assert len(trade.awards()) == 90 and {a.amount_minor for a in trade.awards()} == {75}
    for _ in range(20):
        trade.tick(DAY)
    assert {a.state for a in trade.awards()} == {"standing"}
    assert trade.both_sides_agree()


def test_a_one_sided_agreement_gives_unproven_results_by_the_dates_that_the_firm_states() -> None:
    trade = Trade()
    home = "home-ann"
    sha = trade.register()
    roles = {"supplier": "Firm outside", "buyer": "ann"}
    trade.must("ann", trade.proposal(sha, LATE, circle=home, roles=roles, arbiter="", from_at=1))
    start = trade.now - 1000 * DAY
    keys = {"order": "o", "line": "1"}
    fields = {"promised_at": start, "unit_price": 1000}
    accepted = Said(id="a", event="order.accepted", occurred_at=start, keys=keys, fields=fields)
    came = Said(
        id="d", event="delivery", occurred_at=start + 17 * DAY, keys={**keys, "delivery": "d"}, fields={"quantity": 10}
    )
    trade.attest("ann", accepted, came, circle=home)
    [award] = trade.awards(home)
    assert (award.state, award.amount_minor, award.sender) == ("unproven", 750, "Firm outside")
    trade.tick(60 * DAY)
    assert trade.awards(home)[0].state == "unproven"
