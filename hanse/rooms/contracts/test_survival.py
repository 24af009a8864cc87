"""What must be survived, by name: each a refusal or a defined outcome, none an exception, seen from whole agreements.

Elsewhere: absurd parameters and damaged templates (`terms/test_hostile.py`), hostile YAML by itself
(`terms/test_yamlsafe.py`), division by zero (`test_clauses.py`), keys rotated in mid-dispute, an amendment between
obligation and event (`test_life.py`), no cent made or lost (`test_histories.py` here and in accounts).
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.rooms.contracts.facts import Attest, RegisterTemplate, Said
from hanse.rooms.contracts.recompute import recompute_all
from hanse.rooms.contracts.terms import TermsRefused, compile_template
from hanse.rooms.contracts.testing import LATE, Trade, library, sha_of
from hanse.rooms.orders.delivery_facts import ReceiveLine
from hanse.rooms.orders.testing import DAY

REBATE: dict[str, Any] = {"currency": "EUR", "rebate_period": "month", "scheme": "retroactive"}


@pytest.fixture
def trade() -> Trade:
    return Trade()


SQUARE = """
template: square
version: 1.0.0
roles: [supplier, buyer]
params: {currency: {enum: [EUR]}, base: {unit: int, minimum: 0, maximum: 1000000000000}}
clauses:
- id: square
  text: "{supplier} tells {buyer} a power of {base} in {currency}."
  when: {event: delivery, once_per: [delivery, line]}
  facts: {qty: {event: delivery, field: quantity, unit: qty, attest: [supplier, buyer]}}
  let:
    first:  'muldiv(qty, base, 1, "floor")'
    second: 'muldiv(first, base, 1, "floor")'
  then: [{tell: square.known, with: {second: second}}]
examples: [{with: {base: 20}, given: {qty: 10}, want: {second: 4000}}]
"""


def test_overflow_ends_in_a_failed_run_and_the_delivery_stands(trade: Trade) -> None:
    trade.agree(text=SQUARE, params={"currency": "EUR", "base": 10**12})
    trade.deliver_late(0)
    assert [(row.state, row.code) for row in trade.results("square")] == [("failed", "terms.overflow")]
    assert trade.order_of().state == "received" and trade.awards() == []
    assert trade.both_sides_agree()


@given(first=st.integers(-(10**12), 10**12), second=st.integers(-(10**12), 10**12), by=st.integers(1, 10**6))
def test_no_step_of_any_clause_leaves_64_bits(first: int, second: int, by: int) -> None:
    """Products inside muldiv may: what comes out of it, and what is made of that, is checked against its true range."""
    text = CHAIN.format(*("-" if number < 0 else "" for number in (first, second)))
    terms = compile_template(text).bind({"a": abs(first), "b": abs(second), "by": by})
    exact = first * second
    half = exact // by
    wanted = {"whole": exact, "part": half, "again": half * by, "more": half * 1_000}
    try:
        steps = terms.evaluate("chain", {"qty": 1}).steps
    except TermsRefused as refused:
        assert refused.code == "terms.overflow" and max(map(abs, wanted.values())) >= 2**63
    else:
        assert dict(steps) == wanted and all(-(2**63) <= value < 2**63 for value in steps.values())


CHAIN = """
template: chain
version: 1.0.0
roles: [supplier, buyer]
params:
  a:  {{unit: int, minimum: 0, maximum: 1000000000000}}
  b:  {{unit: int, minimum: 0, maximum: 1000000000000}}
  by: {{unit: int, minimum: 1, maximum: 1000000}}
clauses:
- id: chain
  text: "{{supplier}} tells {{buyer}} what {{a}}, {{b}} and {{by}} come to."
  when: {{event: delivery, once_per: [delivery, line]}}
  facts: {{qty: {{event: delivery, field: quantity, unit: qty, attest: [supplier, buyer]}}}}
  let:
    whole: 'muldiv({0}a, {1}b, 1, "floor") + (qty > 0 ? 0 : 1)'
    part:  'muldiv({0}a, {1}b, by, "floor")'
    again: part * by
    more:  part * 1000
  then: [{{tell: chain.known, with: {{whole: whole, part: part, again: again, more: more}}}}]
examples: [{{with: {{a: 6, b: 7, by: 4}}, given: {{qty: 1}}, want: {{}}}}]
"""
BOMB = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\ntemplate: [*b, *b, *b]\n"
COSTLY = library("vendor-terms").replace("maximum_items: 200", "maximum_items: 500").replace(
    "size(rows) > 0\n    enough", "items.all(a, items.exists(b, b.moq == a.moq))\n    enough"
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BOMB, "terms.yaml"),
        ("template: !!python/object/apply:os.system ['true']\n", "terms.yaml"),
        ("template: 1.5\n", "terms.yaml"),
        (library("otif") * 2, "terms.yaml"),
        ("[" * 3_000, "terms.yaml"),
        ("", "terms."),
        (COSTLY, "terms."),
    ],
    ids=["bomb", "tag", "float", "twice", "nested", "empty", "costly"],
)
def test_hostile_and_costly_templates_are_refused_at_registration(trade: Trade, text: str, code: str) -> None:
    assert trade.refused("cay", RegisterTemplate(sha256="0" * 64, text=text)).startswith(code)


def test_a_tier_table_out_of_order_is_not_agreed(trade: Trade) -> None:
    sha = trade.register("volume-rebate")
    tiers = [["10000.00", "10%"], ["0.00", "5%"]]
    assert trade.refused("bob", trade.proposal(sha, {**REBATE, "tiers": tiers})) == "terms.tiers_order"


def test_an_event_attested_by_the_wrong_party_counts_for_nothing(trade: Trade) -> None:
    """Spend counts when both have signed it; a party outside the circle cannot speak there at all."""
    trade.agree("volume-rebate", {**REBATE, "tiers": [["0.00", "5%"]]})
    settled = Said(id="i1", event="invoice.settled", occurred_at=trade.now, keys={"document": "i1"},
                   fields={"net": "1000.00"})  # fmt: skip
    trade.attest("ann", settled)
    assert trade.awards() == [], "who gains is not enough"
    assert trade.refused("eve", Attest(circle=trade.AB, events=[settled])) != "ok"
    assert trade.awards() == []
    other = Said(id="i1", event="invoice.settled", occurred_at=trade.now, keys={"document": "i1"},
                 fields={"net": "9000.00"})  # fmt: skip
    trade.do("bob", Attest(circle=trade.AB, events=[other]))
    assert trade.awards() == [], "two contents under one number are not one event"
    trade.attest("bob", settled)
    assert [award.amount_minor for award in trade.awards()] == [5_000]


def test_the_same_delivery_told_twice_gives_one_award(trade: Trade) -> None:
    trade.agree()
    trade.deliver_late(9)
    before = [(award.award, award.amount_minor) for award in trade.awards()]
    assert trade.refused("ann", trade.receive_fact("s-po1")) != "ok"
    said = Said(id="again", event="delivery", occurred_at=trade.now, fields={"quantity": 10},
                keys={"order": "po1", "line": "1", "delivery": "s-po1"})  # fmt: skip
    for party in ("ann", "bob"):
        trade.do(party, Attest(circle=trade.AB, events=[said]))
    assert [(award.award, award.amount_minor) for award in trade.awards()] == before


def test_a_deadline_that_is_past_when_it_becomes_known_ends_at_the_next_look(trade: Trade) -> None:
    """The right to terminate arises with the promised day; a promise signed long after it was due is past already."""
    trade.agree(params={**LATE, "terminate_after": "0d"})
    trade.must("ann", trade.order_fact("po1", trade.line(each=10, requested_at=trade.now)))
    line = trade.confirm_fact("po1", (1, 10)).lines[0]
    past = type(line)(line=1, each=10, promised_at=trade.now - 40 * DAY)
    trade.must("bob", trade.confirm_fact("po1", lines=[past]))
    trade.tick(DAY)
    trade.tick(DAY)
    [row] = trade.results("undelivered")
    assert (row.state, row.actions) == ("done", (("grant", "True", "terminate", "buyer"),))
    trade.tick(40 * DAY)
    assert len(trade.results("undelivered")) == 1
    assert all(one.equal for one in recompute_all(trade.view("ann")))


def test_a_hash_that_is_not_the_templates_is_refused(trade: Trade) -> None:
    text = library("otif")
    assert trade.refused("cay", RegisterTemplate(sha256="0" * 64, text=text)).startswith("contracts.")
    trade.must("cay", RegisterTemplate(sha256=sha_of(text), text=text))


HANDLING = """
template: handling
version: 1.0.0
roles: [supplier, buyer]
params: {currency: {enum: [EUR]}, each: {unit: money, minimum: 0}}
clauses:
- id: rejects
  text: "{supplier} pays {buyer} {each} {currency} a unit that was no good, twice that a unit that did not come."
  when: {event: delivery, once_per: [delivery, line]}
  facts:
    rejected: {event: delivery, field: rejected, unit: qty, attest: [supplier, buyer]}
    short:    {event: delivery, field: short, unit: qty, attest: [supplier, buyer]}
  let: {amount: (rejected + 2 * short) * each}
  then: [{pay: amount, if: amount > 0, from: supplier, to: buyer, as: handling}]
examples: [{with: {each: "1.00"}, given: {rejected: 2, short: 1}, want: {amount: "4.00"}}]
"""


def test_rejects_and_shorts_reach_clauses_by_themselves_and_apart(trade: Trade) -> None:
    trade.agree(text=HANDLING, params={"currency": "EUR", "each": "1.00"})
    trade.deliver_late(0, "po1", 10, ReceiveLine(line=1, received=5, damaged=3))
    assert [award.amount_minor for award in trade.awards()] == [300 + 2 * 200]
    trade.deliver_late(0, "po2", 10)
    assert len(trade.awards()) == 1, "a delivery that is good gives none"
    assert all(one.equal for one in recompute_all(trade.view("ann")))
