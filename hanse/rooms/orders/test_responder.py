"""What a node answers by itself, and that it says nothing private when it declines."""

from __future__ import annotations

from typing import Any

import pytest

from hanse.rooms.inventory.facts import Count, CountLine, SetPolicy
from hanse.rooms.orders.facts import ConfirmOrder, DeclineOrder
from hanse.rooms.orders.responder import DECLINED, may_sell, respond, waiting_orders
from hanse.rooms.orders.testing import DAY, SECRET, Market
from hanse.rooms.parties.facts import SetPermit
from hanse.rooms.testing import home


@pytest.fixture
def market() -> Market:
    market = Market()
    market.offer("o1", each=40)
    return market


def answer(market: Market, order: str = "po1") -> ConfirmOrder | DeclineOrder | None:
    return respond(market.view("bob"), order)


def placed(market: Market, each: int = 10, **rest: Any) -> None:
    market.must("ann", market.order_fact("po1", market.line(each=each, offer="o1", **rest)))


def test_it_confirms_from_the_earmark_and_its_answer_is_accepted(market: Market) -> None:
    placed(market)
    assert waiting_orders(market.view("bob")) == ("po1",)
    fact = answer(market)
    assert isinstance(fact, ConfirmOrder)
    assert [(line.line, line.each, line.changed) for line in fact.lines] == [(1, 10, False)]
    market.must("bob", fact)
    assert market.stock().allocated_each == 10
    assert answer(market) is None and waiting_orders(market.view("bob")) == ()


def test_a_date_that_it_cannot_keep_is_a_change_for_the_buyer(market: Market) -> None:
    placed(market, requested_at=market.now + DAY)
    fact = answer(market)
    assert isinstance(fact, ConfirmOrder)
    assert (fact.lines[0].changed, fact.lines[0].promised_at) == (True, market.now + 2 * DAY)
    market.must("bob", fact)
    assert market.order_of().lines[0].proposed == 10


def test_it_answers_an_order_on_a_pool_offer_through_a_hold(market: Market) -> None:
    market.offer("o2", each=10, circle=market.POOL)
    market.must("ann", market.hold_fact("h1", "o2", 6))
    market.must("ann", market.order_fact("po1", market.line(each=6, hold="h1", secret=SECRET)))
    assert isinstance(answer(market), ConfirmOrder)


def test_it_confirms_what_a_count_left_and_leaves_the_rest_open(market: Market) -> None:
    placed(market)
    market.must(
        "bob",
        Count(
            circle=home("bob"),
            counted_at=market.now,
            lines=[CountLine(site="store-bob", own_number="bob-6205", each=4)],
        ),
    )
    fact = answer(market)
    assert isinstance(fact, ConfirmOrder) and fact.lines[0].each == 4


def test_two_lines_on_one_stock_are_counted_in_sum(market: Market) -> None:
    market.must(
        "bob",
        Count(
            circle=home("bob"),
            counted_at=market.now,
            lines=[CountLine(site="store-bob", own_number="bob-6205", each=15)],
        ),
    )
    market.must("ann", market.order_fact("po1", market.line(1, 10, "o1"), market.line(2, 10, "o1")))
    fact = answer(market)
    assert isinstance(fact, ConfirmOrder) and [line.each for line in fact.lines] == [10, 5]


def test_every_decline_has_the_same_sentence(market: Market) -> None:
    """No stock, too low a price for the minimum, a permit that says no: the buyer cannot tell which."""

    def no_stock(town: Market) -> None:
        town.must(
            "bob",
            Count(
                circle=home("bob"),
                counted_at=town.now,
                lines=[CountLine(site="store-bob", own_number="bob-6205", each=0)],
            ),
        )

    def floor(town: Market) -> None:
        town.must(
            "bob",
            SetPolicy(circle=home("bob"), own_number="bob-6205", minimum_price_minor=1001, currency="EUR", keep_each=0),
        )

    def permit(town: Market) -> None:
        town.must("bob", SetPermit(circle=home("bob"), permit="p1", partner="ann", scope="brand:SKF", allow=False))

    facts = []
    for spoil in (no_stock, floor, permit):
        town = Market()
        town.offer("o1", each=40)
        placed(town)
        spoil(town)
        facts.append(answer(town))
    assert facts == [DeclineOrder(circle=market.AB, order="po1", reason=DECLINED)] * 3


def test_it_leaves_to_people_what_needs_judgement(market: Market) -> None:
    market.must(
        "ann", market.order_fact("free", market.line()), market.order_fact("po1", market.line(offer="o1", each=10))
    )
    assert answer(market, "free") is None and answer(market, "none") is None
    assert respond(market.view("ann"), "po1") is None and respond(market.view("eve"), "po1") is None
    market.must("ann", market.order_fact("whole", market.line(offer="o1"), ship_complete=True))
    market.must(
        "bob",
        Count(
            circle=home("bob"),
            counted_at=market.now,
            lines=[CountLine(site="store-bob", own_number="bob-6205", each=3)],
        ),
    )
    assert answer(market, "whole") is None


@pytest.mark.parametrize(
    ("permits", "may"),
    [
        ([], True),
        ([("*", "*", False)], False),
        ([("*", "*", False), ("ann", "*", True)], True),
        ([("ann", "*", True), ("ann", "brand:SKF", False)], False),
        ([("eve", "*", False)], True),
        ([("*", "brand:SKF", False), ("ann", "*", True)], False),
        ([("*", "brand:NTN", False)], True),
    ],
)
def test_the_narrowest_permit_counts(market: Market, permits: list[tuple[str, str, bool]], may: bool) -> None:
    for n, (partner, scope, allow) in enumerate(permits):
        market.must("bob", SetPermit(circle=home("bob"), permit=f"p{n}", partner=partner, scope=scope, allow=allow))
    assert may_sell(market.view("bob"), "ann", "item-6205") is may
