"""Agreements and books together: late goods become a credit, settled invoices a rebate, and the books balance."""

from __future__ import annotations

import pytest

from hanse.rooms.accounts.drafting import credit_note
from hanse.rooms.accounts.facts import CreditLine
from hanse.rooms.accounts.queries import accruals, open_items
from hanse.rooms.accounts.testing import Ledgers
from hanse.rooms.contracts.testing import DAY, Trade

REBATE = {
    "currency": "EUR",
    "rebate_period": "month",
    "scheme": "incremental",
    "tiers": [["0.00", "5%"], ["10000.00", "10%"]],
}


class Agreed(Trade, Ledgers):
    """The market with agreements and books."""


@pytest.fixture
def trade() -> Agreed:
    return Agreed()


def test_late_goods_accrue_with_their_reason_and_become_a_credit_when_nobody_objects(trade):
    trade.agree()
    trade.deliver_late(17)
    (pending,) = accruals(trade.view("ann"), "pending")
    award = trade.award()
    assert (pending.accrual, pending.amount_minor, pending.sha256) == (award.award, -750, award.sha256)
    assert (trade.balance("accrued"), trade.balance()) == (-750, 0)
    trade.tick(15 * DAY)
    assert (trade.balance("accrued"), trade.balance()) == (0, -750)
    assert [(item.item_kind, item.open_minor) for item in open_items(trade.view("bob"))] == [("award", -750)]
    trade.check()
    assert trade.both_sides_agree()


def test_settled_invoices_and_credits_issued_feed_a_rebate_which_its_payment_uses_up(trade):
    trade.agree("volume-rebate", REBATE)
    gross = trade.invoiced("i1")
    assert trade.awards() == [], "an invoice alone is not settled"
    trade.must("ann", trade.pay_fact("z1", gross - gross // 50, ("i1", gross)))
    trade.must("bob", trade.receive_money("z1"))
    assert [(award.kind, award.amount_minor) for award in trade.awards()] == [("post", 500)]
    given = [CreditLine(number=1, each=2)]
    trade.must("bob", credit_note(trade.view("bob"), trade.AB, "c1", "i1", given, reason="goodwill"))
    assert trade.award(2).amount_minor == 100
    trade.check()
    for _ in range(8):
        trade.tick(10 * DAY)
    paid = [item for item in open_items(trade.view("ann")) if item.item_kind == "award"]
    assert [(item.open_minor, item.reference) for item in paid] == [(-400, "volume_rebate")]
    assert trade.balance("accrued") == 0, "what had accrued was used up by the payment"
    assert trade.balance("credit") == 400
    trade.check()
    assert trade.both_sides_agree()


def test_a_delivery_of_many_lines_posts_each_result(trade):
    trade.agree()
    lines = [trade.line(n, 1) for n in range(1, 101)]
    trade.must("ann", trade.order_fact("po1", *lines))
    each = [(n, 1) for n in range(1, 101)]
    trade.must("bob", trade.confirm_fact("po1", *each))
    trade.now += 21 * DAY
    trade.must("bob", trade.ship_fact("po1", "s1", *each, stock="bob-6205"))
    trade.must("ann", trade.receive_fact("s1"))
    for _ in range(20):
        trade.tick(DAY)
    assert len(trade.awards()) == 100
    assert trade.balance() == -sum(award.amount_minor for award in trade.awards()) < 0
    trade.check()
