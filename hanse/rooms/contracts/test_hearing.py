"""Later rooms tell agreements what they know; a template of a user's own works without a change of code."""

from __future__ import annotations

from hanse.kernel.draft import Draft
from hanse.rooms.contracts.hearing import hear
from hanse.rooms.contracts.private_rows import FOLDS, HAPPENED
from hanse.rooms.contracts.testing import DAY, Trade
from hanse.rooms.orders.delivery_facts import ReceiveLine

AB = Trade.AB
OWN = """
template: broken-pallets
version: 1.0.0
roles: [supplier, buyer]
params:
  currency: {enum: [EUR, USD]}
  fee: {unit: money, minimum: 0}
  free: {unit: qty}
clauses:
- id: broken
  text: "{supplier} pays {buyer} {fee} ({currency}) for every unit of a delivery that is not good, beyond {free}."
  when: {event: delivery, once_per: [delivery, line]}
  facts:
    shipped: {event: delivery, field: shipped, unit: qty, attest: [supplier, buyer]}
    good: {event: delivery, field: accepted, unit: qty, attest: [supplier, buyer]}
  let:
    beyond: max(0, shipped - good - free)
    amount: beyond * fee
  then: [{pay: amount, if: amount > 0, from: supplier, to: buyer, as: broken}]
examples: [{with: {fee: "2.00", free: 1}, given: {shipped: 10, good: 6}, want: {amount: "6.00"}}]
"""


def told(trade: Trade, number: str, net: int, circle: str = AB) -> None:
    """As a later room's circle rule would."""
    draft = Draft(trade.state, now=trade.now, position=trade.applier.meta.size, circle=circle)
    hear(draft, "invoice.settled", number, parties=["ann", "bob"], keys={"document": number}, fields={"net": net})
    trade.state.commit()


def test_a_settled_invoice_that_a_later_room_tells_moves_a_rebate_once() -> None:
    trade = Trade()
    params = {"currency": "EUR", "rebate_period": "month", "scheme": "incremental", "tiers": [["0.00", "5%"]]}
    trade.agree("volume-rebate", params)
    told(trade, "i1", 100_000)
    told(trade, "i1", 100_000)
    assert [award.amount_minor for award in trade.awards()] == [5_000]
    row = trade.state.get(FOLDS, (AB, "A1", "2023-11"))
    assert row is not None and row.figures["spend"] == 100_000


def test_a_circle_without_agreements_keeps_nothing_that_it_is_told() -> None:
    trade = Trade()
    told(trade, "i1", 100_000)
    assert trade.state.get(HAPPENED, (AB, "invoice.settled", "i1")) is None


def test_a_users_own_template_runs_in_force_as_it_was_written() -> None:
    trade = Trade()
    trade.agree(text=OWN, params={"currency": "EUR", "fee": "2.00", "free": 1})
    trade.deliver_late(0, "po1", 10, ReceiveLine(line=1, received=6, damaged=4))
    assert [(a.amount_minor, a.label) for a in trade.awards()] == [(600, "broken")]
    trade.tick(15 * DAY)
    assert trade.award().state == "standing" and trade.both_sides_agree()
