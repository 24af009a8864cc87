"""Quotes, documents over several orders, approvals: refusals in the order checked, and that every wait ends."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from hanse.kernel.facts import WITHHELD
from hanse.rooms.orders.facts import Approve, DeclineOrder, KeepDocument, Quote, QuoteAskLine, QuoteLine, RequestQuote
from hanse.rooms.orders.rows import QUOTES
from hanse.rooms.orders.test_rules import NOWHERE, climb
from hanse.rooms.orders.testing import DAY, Market
from hanse.rooms.parties.facts import AppointStaff
from hanse.rooms.testing import home


@pytest.fixture
def market() -> Market:
    return Market()


def ask(market: Market, **rest: Any) -> RequestQuote:
    return RequestQuote(
        **{
            "circle": market.AB,
            "quote": "q1",
            "answer_by": market.now + DAY,
            "currency": "EUR",
            "lines": [QuoteAskLine(line=1, each=50, item="item-6205")],
            **rest,
        }
    )


def quoted(market: Market, **rest: Any) -> Quote:
    line = QuoteLine(line=1, each=50, item="item-6205", unit_price_minor=880, lead_time_days=3)
    return Quote(
        **{
            "circle": market.AB,
            "quote": "q1",
            "valid_until_at": market.now + 7 * DAY,
            "currency": "EUR",
            "lines": [line],
            **rest,
        }
    )


def test_quotes_refuse_in_this_order(market: Market) -> None:
    market.must("ann", ask(market, quote="mine"), ask(market, quote="ac", circle=market.AC))
    climb(
        market,
        ask(market),
        "ann",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.EB}),
            ("orders.unknown_partner", {"circle": market.POOL}),
            ("orders.quote_taken", {"circle": market.AB, "quote": "mine"}),
            ("orders.bad_deadline", {"quote": "q1", "answer_by": market.now}),
        ],
    )
    climb(
        market,
        quoted(market),
        "bob",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.AC, "by": "bob"}),
            ("orders.quote_taken", {"circle": market.AB, "quote": "ac", "by": "bob"}),
            ("orders.not_seller", {"quote": "q1", "by": "ann"}),
            ("orders.bad_deadline", {"by": "bob", "valid_until_at": market.now}),
        ],
    )
    market.must("bob", quoted(market, valid_until_at=market.now + 2 * DAY))
    market.tick(2 * DAY)
    assert market.refused("bob", quoted(market)) == "orders.quote_ended"
    assert market.refused("ann", market.order_fact("po1", quote="q1")) == "orders.quote_ended"
    states = {row: market.state.get(QUOTES, (row,)).state for row in ("q1", "mine")}  # type: ignore[union-attr]
    assert states == {"q1": "expired", "mine": "unanswered"}


def test_an_order_uses_a_quote_once(market: Market) -> None:
    market.must("ann", ask(market))
    market.must("bob", quoted(market))
    market.must("ann", market.order_fact("po1", market.line(unit_price_minor=880), quote="q1"))
    assert market.refused("ann", market.order_fact("po2", quote="q1")) == "orders.quote_ended"
    market.tick(30 * DAY)
    row = market.state.get(QUOTES, ("q1",))
    assert row is not None and (row.state, row.order_id) == ("ordered", "po1")


def test_no_wait_outlives_what_it_waited_for(market: Market) -> None:
    market.must("ann", ask(market), market.order_fact("gone"))
    market.must("bob", quoted(market), DeclineOrder(circle=market.AB, order="gone"))
    market.must("ann", market.order_fact("po1", market.line(unit_price_minor=880), quote="q1"))
    market.must("bob", market.confirm_fact("po1"), market.ship_fact("po1", "s1", stock="bob-6205"))
    market.must("ann", market.receive_fact("s1"))
    assert market.state.conn.execute("SELECT id FROM kernel_timer WHERE id LIKE 'orders.%'").fetchall() == []


def test_a_document_over_several_orders_stays_in_the_buyers_home(market: Market) -> None:
    market.must("ann", market.order_fact("po1"))
    good = KeepDocument(circle=home("ann"), document="d1", customer="Klinik Nord", currency="EUR")
    assert market.refused("ann", replace(good, circle=market.AB)) == "parties.not_a_home"
    assert market.do("ann", replace(good, customer="")).private[home("ann")].code == "orders.missing_terms"
    market.must("ann", good)


def test_approvals_refuse_in_this_order(market: Market) -> None:
    circle = home("ann")
    for person, limit, active in (("boss", 100_000, True), ("gone", 100_000, False)):
        market.must(
            "ann",
            AppointStaff(
                circle=circle,
                person=person,
                role="owner",
                approval_limit_minor=limit,
                currency="EUR",
                active=active,
                full_name="A B",
            ),
        )
    good = Approve(
        circle=circle,
        approval="a1",
        subject="po1",
        amount_minor=50_000,
        currency="EUR",
        asked_by="jo",
        decided_by="boss",
        approved=True,
    )
    market.must("ann", replace(good, approval="taken"))
    climb(
        market,
        good,
        "ann",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": home("bob")}),
            ("parties.not_a_home", {"circle": market.AB}),
            ("orders.approval_taken", {"circle": circle, "approval": "taken"}),
            ("orders.missing_terms", {"approval": "a1", "subject": WITHHELD}),
            ("orders.own_approval", {"subject": "po1", "decided_by": "jo"}),
            ("orders.unknown_staff", {"decided_by": "gone"}),
            ("orders.limit_exceeded", {"decided_by": "boss", "amount_minor": 100_001}),
        ],
    )
