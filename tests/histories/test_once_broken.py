"""The smallest histories that once broke a claim of `fair_claims`, told in facts, so that they stay as they are."""

from __future__ import annotations

import pytest

from hanse.kernel.refusal import Refused
from hanse.rooms.accounts.drafting import credit_note
from hanse.rooms.accounts.facts import CreditLine
from hanse.rooms.accounts.testing import Ledgers
from hanse.rooms.inventory.facts import Count, CountLine
from hanse.rooms.inventory.offer_facts import WithdrawOffer
from hanse.rooms.orders.facts import CancelOrder, ConfirmLine
from hanse.rooms.orders.testing import DAY, SECRET, Market
from hanse.rooms.parties.facts import LeaveCircle
from hanse.rooms.testing import home

NOW = 1_800_000_000


@pytest.fixture
def market() -> Market:
    return Market(now=NOW)


def count(market: Market, each: int) -> Count:
    line = CountLine(site="store-bob", own_number="bob-6205", each=each)
    return Count(circle=home("bob"), counted_at=0, lines=[line])


def test_an_order_that_takes_less_than_its_hold_frees_the_rest_of_an_ended_offer(market: Market) -> None:
    market.offer("o1", each=10)
    market.must("ann", market.hold_fact("h1", each=8, circle=market.AB))
    market.must("bob", WithdrawOffer(circle=market.AB, offer="o1"))
    assert market.stock().set_aside_each == 8
    market.must("ann", market.order_fact("po1", market.line(1, 3, hold="h1", secret=SECRET)))
    assert market.offer_of().reserved_each == market.stock().set_aside_each == 3


def test_who_leaves_a_group_has_withdrawn_its_offers_there(market: Market) -> None:
    """Else its home would never hear of their end, and its stock would stay set aside for ever."""
    market.offer("o1", each=10, party="cay", circle=market.POOL)
    leaving = LeaveCircle(circle=market.POOL)
    assert market.refused("cay", leaving) == "inventory.offers_stand"
    market.must("ann", market.hold_fact("h1", each=4))
    market.must("cay", WithdrawOffer(circle=market.POOL, offer="o1"))
    assert market.refused("cay", leaving) == "orders.holds_stand"
    market.tick(DAY)
    assert market.stock("cay").set_aside_each == 0
    market.must("cay", leaving)


def test_who_leaves_a_group_has_nothing_open_there(market: Market) -> None:
    """An order of the group's circle, which ends by timers that only its members' homes hear of."""
    line = market.line(1, 5)
    placed = market.order_fact(
        "po1", line, circle=market.POOL, seller="cay+pool", buyer_party="ann", seller_party="cay"
    )
    market.must("ann", placed)
    leaving = LeaveCircle(circle=market.POOL)
    assert market.refused("ann", leaving) == market.refused("cay", leaving) == "orders.orders_stand"
    market.must("ann", CancelOrder(circle=market.POOL, order="po1"))
    market.must("ann", leaving)
    market.must("cay", leaving)


def test_what_was_confirmed_in_words_that_the_circle_refused_is_delivered_and_billed_as_ordered() -> None:
    """The confirmation binds publicly; another item in it, undeclared, is no word of the circle."""
    books = Ledgers(now=NOW)
    books.must("ann", books.order_fact("po1", books.line(1, 10, unit_price_minor=1000)))
    wrong = ConfirmLine(line=1, each=10, substitute="item-6306", promised_at=books.now)
    assert books.refused("bob", books.confirm_fact("po1", lines=[wrong])) == "orders.undeclared_change"
    assert books.order_of().lines[0].to_ship == 10
    books.must("bob", books.ship_fact("po1", "s1", (1, 10), stock="bob-6205"))
    books.must("ann", books.receive_fact("s1"))
    assert books.balance("unbilled") == 10_000
    bill = books.invoice("i1", "s1")
    assert (bill.net_minor, bill.lines[0].each) == (10_000, 10)
    books.must("bob", bill)
    books.check()


def test_stock_drawn_on_where_its_owner_does_not_hear_is_free_again_at_its_next_count(market: Market) -> None:
    """A hold of a pool's offer, used in an order to another: the owner's home is not in that order's circle."""
    market.offer("o1", each=10, circle=market.POOL)
    market.must("ann", market.hold_fact("h1", each=10))
    astray = market.order_fact("po1", market.line(1, 10, hold="h1", secret=SECRET), circle=market.AC)
    market.must("ann", astray)
    market.must("bob", WithdrawOffer(circle=market.POOL, offer="o1"))
    market.must("cay", CancelOrder(circle=market.AC, order="po1"))
    assert market.offer_of().reserved_each == 0
    assert market.stock().set_aside_each == 10, "nobody has told bob"
    market.must("bob", count(market, 100))
    assert (market.stock().set_aside_each, market.stock().free_each) == (0, 100)


def test_an_order_that_its_circle_refused_frees_what_it_drew_on_when_it_lapses(market: Market) -> None:
    market.offer("o1", each=10)
    wrong = market.order_fact("po1", market.line(1, 4, "o1"), seller_party="cay")
    assert market.refused("ann", wrong) == "orders.wrong_party"
    market.must("bob", WithdrawOffer(circle=market.AB, offer="o1"))
    assert market.stock().set_aside_each == 4
    market.tick(DAY)
    assert (market.offer_of().reserved_each, market.stock().set_aside_each) == (0, 0)


def test_no_buyer_makes_its_seller_wait_for_a_receipt_for_ever(market: Market) -> None:
    """What nobody has received, or is deemed to have, is never billed."""
    for seconds, said in ((2**40, "orders.bad_deadline"), (2 * 366 * DAY, "ok")):
        fact = market.order_fact("po1", receive_within_seconds=seconds)
        assert market.refused("ann", fact) == said


def test_a_credit_note_beyond_all_money_is_refused_before_it_is_drafted() -> None:
    books = Ledgers(now=NOW)
    books.invoiced("i1", 10)
    for line, code in (
        (CreditLine(number=1, each=10**15), "accounts.too_much"),
        (CreditLine(number=7, each=1), "accounts.unknown_line"),
    ):
        with pytest.raises(Refused) as refused:
            credit_note(books.view("bob"), books.AB, "c1", "i1", [line], reason="goodwill")
        assert refused.value.code == code
