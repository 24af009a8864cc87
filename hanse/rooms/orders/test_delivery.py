"""Deliveries, receipts, returns, ratings, messages: refusals in the order checked, every wait, and what homes book."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from hanse.rooms.inventory.facts import STOCK
from hanse.rooms.inventory.queries import stock_card, stock_value
from hanse.rooms.orders.delivery_facts import (
    AcceptedLine,
    AcceptReturn,
    Contest,
    HandOver,
    Rate,
    ReceiveLine,
    ReturnGoods,
    ReturnLineAsked,
    SendMessage,
    ShipLine,
    ShippedLot,
)
from hanse.rooms.orders.facts import StockKey
from hanse.rooms.orders.message_queries import may_read_file
from hanse.rooms.orders.private_rows import MESSAGES, RATINGS, RETURN_TERMS, SHIPMENT_TERMS, ShipmentTerms
from hanse.rooms.orders.rows import RETURNS
from hanse.rooms.orders.test_rules import NOWHERE, climb
from hanse.rooms.orders.testing import DAY, ITEM, Market
from hanse.rooms.testing import home


@pytest.fixture
def market() -> Market:
    return Market()


def shipped(market: Market, each: int = 10, **rest: Any) -> None:
    market.offer("o1", each=40)
    market.must("ann", market.order_fact("po1", market.line(each=each, offer="o1")))
    market.must("bob", market.confirm_fact("po1", (1, each)), market.ship_fact("po1", "s1", (1, each), **rest))


def terms(market: Market, shipment: str = "s1") -> ShipmentTerms:
    found = market.state.get(SHIPMENT_TERMS, (market.AB, shipment))
    assert found is not None
    return found


def test_ship_refuses_in_this_order(market: Market) -> None:
    whole = market.order_fact("whole", market.line(1, 4), market.line(2, 4), ship_complete=True)
    market.must("ann", market.order_fact("po1", market.line(1, 10), market.line(2, 5)), whole)
    market.must("bob", market.confirm_fact("po1", (1, 10), (2, 3)), market.confirm_fact("whole", (1, 4), (2, 3)))
    market.must("bob", market.ship_fact("po1", "taken", (1, 1)))
    climb(
        market,
        market.ship_fact("po1", "s1", (1, 9), (2, 3), arrive_by=market.now + DAY),
        "bob",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.AC, "by": "bob"}),
            ("orders.unknown_order", {"circle": market.EB, "by": "bob"}),
            ("orders.not_seller", {"circle": market.AB, "by": "ann"}),
            ("orders.shipment_taken", {"shipment": "taken", "by": "bob"}),
            ("orders.bad_deadline", {"shipment": "s1", "arrive_by": market.now}),
            ("orders.unknown_line", {"arrive_by": 0, "lines": [ShipLine(line=3, each=1)]}),
            ("orders.repeated_line", {"lines": [ShipLine(line=1, each=1)] * 2}),
            ("orders.more_than_confirmed", {"lines": [ShipLine(line=2, each=4)]}),
            ("orders.not_complete", {"order": "whole", "lines": [ShipLine(line=1, each=4), ShipLine(line=2, each=3)]}),
        ],
    )
    market.must("bob", market.confirm_fact("whole", (2, 1)), market.ship_fact("whole", "s2", (1, 4), (2, 4)))


def test_hand_over_refuses_in_this_order(market: Market) -> None:
    shipped(market)
    climb(
        market,
        HandOver(
            circle=market.AB,
            shipment="s1",
            method="link",
            carrier="DHL",
            taken_by="K. Fahrer",
            signature_hash="a" * 64,
            photo_hash="b" * 64,
        ),
        "bob",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.AC, "by": "bob"}),
            ("orders.unknown_shipment", {"circle": market.EB, "by": "bob"}),
            ("orders.not_seller", {"circle": market.AB, "by": "ann"}),
        ],
    )
    assert market.refused("bob", HandOver(circle=market.AB, shipment="s1")) == "orders.handed_over"
    kept = terms(market)
    assert (kept.carrier, kept.handed_paper_hash, kept.handed_photo_hash) == ("DHL", "a" * 64, "b" * 64)
    assert kept.paper_hash == "", "the receipt has its own"
    assert may_read_file(market.view("ann"), "b" * 64) and not may_read_file(market.view("eve"), "b" * 64)


def test_receive_refuses_in_this_order(market: Market) -> None:
    shipped(market)
    climb(
        market,
        market.receive_fact("s1", ReceiveLine(line=1, received=9, damaged=1)),
        "ann",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.EB, "by": "ann"}),
            ("orders.unknown_shipment", {"circle": market.AC, "by": "ann"}),
            ("orders.not_buyer", {"circle": market.AB, "by": "bob"}),
            ("orders.unknown_line", {"by": "ann", "lines": [ReceiveLine(line=2, received=1)]}),
            ("orders.repeated_line", {"lines": [ReceiveLine(line=1, received=1)] * 2}),
            ("orders.more_than_shipped", {"lines": [ReceiveLine(line=1, received=9, damaged=2)]}),
        ],
    )
    assert market.refused("ann", market.receive_fact("s1")) == "orders.already_received"


def test_a_receipt_tells_good_damaged_short_and_over_apart(market: Market) -> None:
    shipped(market)
    market.must("ann", market.receive_fact("s1", ReceiveLine(line=1, received=6, damaged=1, over=2, reason="bent")))
    line = market.shipment_of().lines[0]
    assert (line.each, line.received, line.damaged, line.short, line.over) == (10, 8, 1, 3, 2)
    order = market.order_of()
    assert (order.lines[0].in_transit, order.state) == (0, "received")
    assert market.stock("ann", own="A-77").on_hand_each == 8
    assert [(lack.line, lack.reason) for lack in terms(market).lacks] == [(1, "bent")]
    assert market.both_sides_agree()


def test_what_is_received_without_an_own_number_has_its_cost_in_the_currency_of_the_order(market: Market) -> None:
    market.must("ann", market.order_fact("po1", market.line(own_number="")))
    market.must("bob", market.confirm_fact("po1"), market.ship_fact("po1", "s1", stock="bob-6205"))
    market.must("ann", market.receive_fact("s1"))
    card = stock_card(market.view("ann"), ITEM)
    assert card is not None and (card.own.method, card.own.currency) == ("own", "EUR")
    assert [(money.value_minor, money.currency) for money in stock_value(market.view("ann"))] == [(10_000, "EUR")]


def test_a_promise_is_kept_only_whole_undamaged_and_in_time(market: Market) -> None:
    for n, (lines, wait, kept) in enumerate(
        [
            ([], 0, 1),
            ([ReceiveLine(line=1, received=9)], 0, 0),
            ([ReceiveLine(line=1, received=9, damaged=1)], 0, 0),
            ([ReceiveLine(line=1, received=10, over=1)], 0, 1),
            ([], 5, 0),
        ]
    ):
        town = Market()
        town.must("ann", town.order_fact("po1"))
        town.must("bob", town.confirm_fact("po1"), town.ship_fact("po1", "s1", stock="bob-6205"))
        town.tick(wait * DAY)
        town.must("ann", town.receive_fact("s1", *lines))
        assert (terms(town).dated_n, terms(town).kept_n) == (1, kept), n


def test_arrival_is_what_the_receiver_states_between_dispatch_and_now(market: Market) -> None:
    for stated, counted in ((3, 3), (99, 5), (-9, 1)):
        town = Market()
        start = town.now
        town.must("ann", town.order_fact("po1"))
        town.must("bob", town.confirm_fact("po1"))
        town.tick(DAY)
        town.must("bob", town.ship_fact("po1", "s1", stock="bob-6205"))
        town.tick(4 * DAY)
        town.must("ann", town.receive_fact("s1", arrived_at=start + stated * DAY))
        assert terms(town).arrived_at == start + counted * DAY


def test_silence_ends_as_deemed_received_and_books_nothing_into_the_buyers_stock(market: Market) -> None:
    shipped(market, arrive_by=market.now + 2 * DAY)
    market.tick(16 * DAY - 1)
    assert market.shipment_of().method == ""
    market.tick(1)
    shipment = market.shipment_of()
    assert (shipment.method, shipment.lines[0].received, market.order_of().state) == ("deemed", 10, "received")
    assert terms(market).arrived_at == terms(market).shipped_at + 2 * DAY
    assert market.state.get(STOCK, (home("ann"), "store-ann", "A-77", "", "")) is None
    assert market.refused("ann", market.receive_fact("s1")) == "orders.already_received"
    assert market.refused("ann", Rate(circle=market.AB, shipment="s1", score=1)) == "orders.not_received"
    assert market.both_sides_agree()


def test_contest_refuses_in_this_order(market: Market) -> None:
    shipped(market)
    good = Contest(circle=market.AB, shipment="s1", reason="all ten were there")
    assert market.refused("bob", good) == "orders.nothing_to_contest"
    market.must("ann", market.receive_fact("s1", ReceiveLine(line=1, received=8)))
    climb(
        market,
        good,
        "bob",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.AC, "by": "bob"}),
            ("orders.unknown_shipment", {"circle": market.EB, "by": "bob"}),
            ("orders.nothing_to_contest", {"circle": market.AB, "by": "ann"}),
        ],
    )
    assert market.refused("bob", good) == "orders.contested"
    assert (market.shipment_of().contested_by, terms(market).contest) == ("bob+ann", "all ten were there")


def test_a_receipt_by_a_one_time_link_is_contested_by_the_buyer_within_thirty_days(market: Market) -> None:
    """Who held the link is not known, and the seller may have made it: the buyer's word stands beside it."""
    shipped(market)
    market.must("ann", market.receive_fact("s1", method="link"))
    good = Contest(circle=market.AB, shipment="s1", reason="nobody of ours signed")
    assert market.refused("bob", good) == "orders.nothing_to_contest"
    market.must("ann", good)
    assert (market.shipment_of().contested_by, terms(market).contest) == ("ann+bob", "nobody of ours signed")
    assert market.refused("ann", good) == "orders.contested"
    assert market.both_sides_agree()
    late = Market()
    shipped(late)
    late.must("ann", late.receive_fact("s1", method="link"))
    late.tick(30 * DAY + 1)
    assert late.refused("ann", good) == "orders.too_late"
    own = Market()
    shipped(own)
    own.must("ann", own.receive_fact("s1"))
    assert own.refused("ann", good) == "orders.nothing_to_contest", "what its own people signed, it stands by"


def test_a_deemed_receipt_is_contested_by_the_buyer_within_thirty_days(market: Market) -> None:
    shipped(market)
    market.tick(14 * DAY)
    good = Contest(circle=market.AB, shipment="s1", reason="nothing came")
    assert market.refused("bob", good) == "orders.nothing_to_contest"
    market.tick(30 * DAY + 1)
    assert market.refused("ann", good) == "orders.too_late"
    other = Market()
    shipped(other)
    other.tick(14 * DAY)
    other.must("ann", good)


def back(market: Market, **rest: Any) -> ReturnGoods:
    line = ReturnLineAsked(line=1, each=4, from_stock=StockKey(own_number="A-77", site="store-ann"))
    return ReturnGoods(
        **{
            "circle": market.AB,
            "shipment": "s1",
            "return_id": "r1",
            "answer_by": market.now + 7 * DAY,
            "lines": [line],
            "reason": "too many",
            **rest,
        }
    )


def accepted(market: Market, each: int = 4, **rest: Any) -> AcceptReturn:
    line = AcceptedLine(line=1, each=each, to_stock=StockKey(own_number="bob-6205", site="store-bob"))
    return AcceptReturn(**{"circle": market.AB, "return_id": "r1", "lines": [line], **rest})


def test_returns_refuse_in_this_order(market: Market) -> None:
    market.delivered("po1")
    market.must("ann", market.order_fact("po2"))
    market.must("bob", market.confirm_fact("po2"), market.ship_fact("po2", "s2", stock="bob-6205"))
    market.must("ann", back(market, return_id="taken", lines=[ReturnLineAsked(line=1, each=5)]))
    climb(
        market,
        back(market),
        "ann",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.EB, "by": "ann"}),
            ("orders.unknown_shipment", {"circle": market.AC, "by": "ann"}),
            ("orders.not_buyer", {"circle": market.AB, "by": "bob"}),
            ("orders.return_taken", {"by": "ann", "return_id": "taken"}),
            ("orders.not_received", {"return_id": "r1", "shipment": "s2"}),
            ("orders.bad_deadline", {"shipment": "s1", "answer_by": market.now}),
            ("orders.unknown_line", {"answer_by": market.now + DAY, "lines": [ReturnLineAsked(line=2, each=1)]}),
            ("orders.repeated_line", {"lines": [ReturnLineAsked(line=1, each=1)] * 2}),
            ("orders.more_than_received", {"lines": [ReturnLineAsked(line=1, each=6)]}),
        ],
    )
    climb(
        market,
        accepted(market, 3),
        "bob",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.AC, "by": "bob"}),
            ("orders.unknown_return", {"circle": market.EB, "by": "bob"}),
            ("orders.not_seller", {"circle": market.AB, "by": "ann"}),
            ("orders.unknown_line", {"by": "bob", "lines": [AcceptedLine(line=2, each=1)]}),
            ("orders.repeated_line", {"lines": [AcceptedLine(line=1, each=1)] * 2}),
            ("orders.more_than_asked", {"lines": [AcceptedLine(line=1, each=5)]}),
        ],
    )
    assert market.refused("bob", accepted(market)) == "orders.return_ended"


def test_an_accepted_return_leaves_one_stock_and_enters_the_other(market: Market) -> None:
    market.delivered("po1")
    market.must("ann", back(market))
    assert market.order_of().lines[0].returning == 4
    market.must("bob", accepted(market, 3))
    line, row = market.order_of().lines[0], market.state.get(RETURNS, ("r1",))
    assert (line.returning, line.returned, row and row.state) == (0, 3, "accepted")
    assert (market.stock("ann", own="A-77").on_hand_each, market.stock().on_hand_each) == (7, 93)
    assert terms(market).slices[0].returned == 3
    market.must("ann", back(market, return_id="r2", lines=[ReturnLineAsked(line=1, each=7)]))
    market.must("bob", accepted(market, 0, return_id="r2"))
    row = market.state.get(RETURNS, ("r2",))
    assert row is not None and row.state == "declined"
    assert market.both_sides_agree()


def test_a_return_that_nobody_answers_ends(market: Market) -> None:
    market.delivered("po1")
    market.must("ann", back(market))
    market.tick(7 * DAY)
    row, known = market.state.get(RETURNS, ("r1",)), market.state.get(RETURN_TERMS, (market.AB, "r1"))
    assert row is not None and known is not None
    assert (row.state, known.answer, market.order_of().lines[0].returning) == ("unanswered", "unanswered", 0)
    assert market.refused("bob", accepted(market)) == "orders.return_ended"
    market.must("ann", back(market, return_id="r2"))


def test_rate_refuses_in_this_order_and_stands_beside_what_was_measured(market: Market) -> None:
    shipped(market)
    market.must(
        "bob",
        market.own_order("so1"),
        market.confirm_fact("so1", circle=home("bob")),
        market.ship_fact("so1", "own", circle=home("bob")),
        market.receive_fact("own", circle=home("bob")),
    )
    assert market.refused("bob", Rate(circle=home("bob"), shipment="own", score=5)) == "orders.one_sided"
    assert market.refused("ann", Rate(circle=market.AB, shipment="s1", score=4)) == "orders.not_received"
    market.must("ann", market.receive_fact("s1", ReceiveLine(line=1, received=8)))
    climb(
        market,
        Rate(circle=market.AB, shipment="s1", score=4, comment="two short"),
        "ann",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.EB, "by": "ann"}),
            ("orders.unknown_shipment", {"circle": market.AC, "by": "ann"}),
            ("orders.not_buyer", {"circle": market.AB, "by": "bob"}),
        ],
    )
    assert market.refused("ann", Rate(circle=market.AB, shipment="s1", score=5)) == "orders.rated"
    rating = market.state.get(RATINGS, (market.AB, "s1"))
    assert rating is not None
    assert (rating.score, rating.good_ppm, rating.kept_ppm) == (4, 800_000, 0)


def test_messages_refuse_in_this_order(market: Market) -> None:
    shipped(market)
    market.must("ann", market.order_fact("po2"))
    climb(
        market,
        SendMessage(circle=market.AB, message="m1", order="po1", shipment="s1", text="when?"),
        "ann",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.EB}),
            ("orders.unknown_order", {"circle": market.AB, "order": "none"}),
            ("orders.unknown_shipment", {"order": "po1", "shipment": "none"}),
            ("orders.unknown_shipment", {"order": "po2", "shipment": "s1"}),
        ],
    )
    again = SendMessage(circle=market.AB, message="m1", text="again")
    assert market.do("ann", again).private[market.AB].code == "orders.message_taken"
    assert market.do("ann", replace(again, message="m2", text="")).private[market.AB].code == "orders.empty_message"
    market.must("bob", replace(again, message="m3", item="item-6205"))
    found = market.state.get(MESSAGES, (market.AB, "m3"))
    assert found is not None and (found.author, found.item) == ("bob", "item-6205")


def test_a_line_without_an_offer_leaves_other_lines_allocations_alone(market: Market) -> None:
    market.offer("o1", each=40)
    market.must("ann", market.order_fact("po1", market.line(1, 6, "o1"), market.line(2, 5)))
    market.must(
        "bob", market.confirm_fact("po1", (1, 6), (2, 5)), market.ship_fact("po1", "s1", (2, 5), stock="bob-6205")
    )
    assert (market.stock().on_hand_each, market.stock().allocated_each) == (95, 6)
    market.must("bob", market.ship_fact("po1", "s2", (1, 6)))
    assert (market.stock().on_hand_each, market.stock().allocated_each) == (89, 0)


def test_lots_and_serials_leave_the_stock_that_the_seller_names(market: Market) -> None:
    market.must("ann", market.order_fact("po1"))
    lots = [ShippedLot(lot="L1", each=4, serials=["n1", "n2"]), ShippedLot(lot="L2", each=6)]
    line = ShipLine(line=1, each=10, lots=lots, from_stock=StockKey(own_number="bob-6205", site="store-bob"))
    market.must("bob", market.confirm_fact("po1"), market.ship_fact("po1", "s1", lines=[line]))
    assert [(lot.lot, lot.each, lot.serials) for lot in terms(market).lots] == [("L1", 4, ("n1", "n2")), ("L2", 6, ())]
    moved = market.state.conn.execute(
        "SELECT lot, SUM(each) FROM inventory_movement WHERE circle = 'home-bob' AND reason = 'sold' GROUP BY lot"
    ).fetchall()
    assert sorted(moved) == [("L1", -4), ("L2", -6)]


def test_a_drop_shipment_never_enters_the_buyers_stock_and_a_loan_keeps_its_owner(market: Market) -> None:
    for order, rest in (("drop", {"drop_ship": True}), ("loan", {"loan": True})):
        market.must("ann", market.order_fact(order, **rest))
        market.must("bob", market.confirm_fact(order), market.ship_fact(order, f"s-{order}", stock="bob-6205"))
        market.must("ann", market.receive_fact(f"s-{order}"))
    assert market.state.get(STOCK, (home("ann"), "store-ann", "A-77", "", "")) is None
    lent = market.state.get(STOCK, (home("ann"), "store-ann", "A-77", "", "bob"))
    assert lent is not None and lent.on_hand_each == 10
