"""Refusals in the order checked, and what placing, holding, confirming, changing, declining and cancelling do."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from hanse.kernel.facts import Fact
from hanse.rooms.orders.facts import (
    AcceptChange,
    AnswerLine,
    CancelOrder,
    ConfirmLine,
    DeclineOrder,
    EachLine,
    PlaceLine,
)
from hanse.rooms.orders.rows import HOLDS
from hanse.rooms.orders.testing import DAY, SECRET, Market
from hanse.rooms.testing import home

Ladder = list[tuple[str, dict[str, Any]]]


def climb(market: Market, good: Fact, by: str, ladder: Ladder) -> None:
    """Each rung's fact breaks that rule and all later ones; it must be refused for that one, and change nothing.

    `by` among a rung's changes names another signer. The good fact itself must pass in the end.
    """
    for at, (code, _) in enumerate(ladder):
        changes: dict[str, Any] = {}
        for _, later in reversed(ladder[at:]):
            changes.update(later)
        signer = changes.pop("by", by)
        assert market.refused(signer, replace(good, **changes)) == code, code
    market.must(by, good)


@pytest.fixture
def market() -> Market:
    return Market()


NOWHERE = {"circle": "nowhere"}


def test_place_refuses_in_this_order(market: Market) -> None:
    market.offer("o1", each=12)
    market.offer("o2", each=5, days=1)
    market.offer("other", circle=market.POOL)
    market.offer("cays", circle=market.AC, party="cay")
    market.must("ann", market.order_fact("taken", market.line()))
    # An offer of the buyer herself: nothing stands behind it at her home, but publicly it is one.
    assert market.do("ann", market.offer_fact("hers", each=5)).code == "ok"
    market.now += 2 * DAY
    hold = market.hold_fact(offer="other", each=5)
    market.must("ann", hold, replace(hold, hold="h2", until_at=market.now + 60))
    market.tick(61)
    line = market.line
    climb(
        market,
        market.order_fact("new", line(each=12, offer="o1"), line(2, 5, hold="h1", secret=SECRET)),
        "ann",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.EB}),
            ("orders.unknown_partner", {"circle": market.AB, "seller": "cay+ann"}),
            ("orders.order_taken", {"order": "taken", "seller": ""}),
            ("orders.bad_deadline", {"confirm_by": market.now, "order": "new"}),
            ("orders.bad_deadline", {"cancel_after_at": market.now - 1, "confirm_by": market.now + DAY}),
            ("orders.bad_deadline", {"cancel_after_at": market.now + 60}),
            ("orders.unknown_quote", {"quote": "none", "cancel_after_at": 0}),
            ("orders.repeated_line", {"lines": [line(), line()], "quote": ""}),
            ("orders.unknown_hold", {"lines": [line(hold="h0", secret=SECRET)]}),
            ("orders.unknown_hold", {"lines": [line(hold="h1", secret="wrong")]}),
            ("orders.hold_ended", {"lines": [line(hold="h2", secret=SECRET)]}),
            ("orders.hold_too_small", {"lines": [line(hold="h1", each=6, secret=SECRET)]}),
            (
                "orders.hold_ended",
                {"lines": [line(1, 3, hold="h1", secret=SECRET), line(2, 2, hold="h1", secret=SECRET)]},
            ),
            ("orders.offer_elsewhere", {"lines": [line(offer="other")]}),
            ("orders.offer_elsewhere", {"lines": [line(offer="cays")]}),
            ("orders.offer_elsewhere", {"lines": [line(offer="hers", each=5)]}),
            ("inventory.unknown_offer", {"lines": [line(offer="none")]}),
            ("inventory.offer_ended", {"lines": [line(offer="o2", each=1)]}),
            ("inventory.not_enough", {"lines": [line(1, 7, "o1"), line(2, 6, "o1")]}),
        ],
    )


def test_place_privately_refuses_in_this_order(market: Market) -> None:
    """What a stranger cannot check does not refuse publicly; the circle knows that the order did not come to stand."""
    cases: list[tuple[str, dict[str, Any]]] = [
        ("orders.missing_terms", {"lines": [PlaceLine(line=1, each=1, unit_price_minor=1)]}),
        ("orders.missing_terms", {"lines": [PlaceLine(line=1, each=1, item="x")]}),
        ("orders.bad_price", {"lines": [market.line(unit_price_minor=-1)], "seller_party": "eve"}),
        ("orders.wrong_party", {"seller_party": "eve"}),
        ("orders.wrong_party", {"buyer_party": ""}),
    ]
    for i, (code, changes) in enumerate(cases):
        outcome = market.do("ann", replace(market.order_fact(f"p{i}"), **changes))
        assert outcome.code == "ok"
        assert {c: r.code for c, r in outcome.private.items()} == {market.AB: code}
        later = market.do("bob", market.confirm_fact(f"p{i}", (1, 1)))
        assert later.private[market.AB].code == "orders.no_terms"
    bare = replace(market.own_order("s1"), counterparty="")
    assert market.do("bob", bare).private[home("bob")].code == "orders.missing_terms"
    assert market.both_sides_agree()


def test_hold_refuses_in_this_order(market: Market) -> None:
    market.offer("o1", each=5, circle=market.POOL)
    market.offer("ab", circle=market.AB)
    market.offer("old", circle=market.POOL, days=1)
    market.now += DAY
    market.must("eve", market.hold_fact("taken", each=1))
    climb(
        market,
        market.hold_fact("h1", each=4),
        "ann",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.EB}),
            ("orders.hold_taken", {"circle": market.POOL, "hold": "taken"}),
            ("orders.bad_deadline", {"hold": "h1", "until_at": market.now}),
            ("orders.bad_deadline", {"until_at": market.now + 31 * DAY}),
            ("orders.offer_elsewhere", {"offer": "ab", "until_at": market.now + DAY}),
            ("inventory.unknown_offer", {"offer": "none"}),
            ("inventory.offer_ended", {"offer": "old"}),
            ("inventory.not_enough", {"offer": "o1", "each": 5}),
        ],
    )


def test_an_order_draws_on_a_group_offer_through_a_hold_that_only_its_secret_opens(market: Market) -> None:
    market.offer("o1", each=20, circle=market.POOL)
    market.must("ann", market.hold_fact("h1", each=8))
    assert (market.offer_of().reserved_each, market.stock().set_aside_each) == (8, 20)
    assert market.refused(
        "eve", market.order_fact("x", market.line(each=8, hold="h1", secret="guess"), circle=market.EB)
    ) == ("orders.unknown_hold")
    market.must("ann", market.order_fact("po1", market.line(each=6, hold="h1", secret=SECRET)))
    held = market.state.get(HOLDS, ("h1",))
    assert held is not None and (held.ended, held.used_by) == (True, "po1")
    assert market.offer_of().reserved_each == 6  # what the hold had beyond the line is free again
    market.must("bob", market.confirm_fact("po1", (1, 6)), market.ship_fact("po1", "s1", (1, 6)))
    assert (market.offer_of().reserved_each, market.offer_of().taken_each) == (0, 6)
    assert market.stock().on_hand_each == 94
    assert market.both_sides_agree()


def test_a_hold_that_nobody_uses_ends_and_frees_its_quantity(market: Market) -> None:
    market.offer("o1", each=20, circle=market.POOL)
    market.must("ann", market.hold_fact("h1", each=8))
    market.tick(DAY)
    assert market.offer_of().reserved_each == 0
    code = market.refused("ann", market.order_fact("po1", market.line(each=1, hold="h1", secret=SECRET)))
    assert code == "orders.hold_ended"
    market.tick(10 * DAY)
    assert market.offer_of().reserved_each == 0


def test_confirm_refuses_in_this_order(market: Market) -> None:
    market.must("ann", market.order_fact("po1", market.line(1, 10), market.line(2, 5)), market.order_fact("gone"))
    market.must("bob", DeclineOrder(circle=market.AB, order="gone"))
    changed = ConfirmLine(line=1, each=1, changed=True, substitute="other")
    climb(
        market,
        market.confirm_fact("po1", (1, 10), (2, 5)),
        "bob",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.AC, "by": "bob"}),
            ("orders.unknown_order", {"circle": market.EB, "by": "bob"}),
            ("orders.unknown_order", {"circle": market.AB, "order": "none", "by": "bob"}),
            ("orders.not_seller", {"order": "gone", "by": "ann"}),
            ("orders.ended", {"by": "bob", "order": "gone"}),
            ("orders.unknown_line", {"order": "po1", "lines": [ConfirmLine(line=3, each=1)]}),
            ("orders.more_than_open", {"lines": [ConfirmLine(line=2, each=3), ConfirmLine(line=2, each=3)]}),
            ("orders.nothing_confirmed", {"lines": [ConfirmLine(line=2, each=0)]}),
            ("orders.bad_deadline", {"lines": [changed], "answer_by": market.now}),
        ],
    )


def test_a_confirmation_that_hides_a_change_binds_nobody(market: Market) -> None:
    market.must("ann", market.order_fact("po1"))
    for hidden in (
        ConfirmLine(line=1, each=10, substitute="other"),
        ConfirmLine(line=1, each=10, unit_price_minor=1001),
        ConfirmLine(line=1, each=10, promised_at=market.now + 6 * DAY),
    ):
        other = Market()
        other.must("ann", other.order_fact("po1"))
        outcome = other.do("bob", other.confirm_fact("po1", lines=[hidden]))
        assert outcome.private[other.AB].code == "orders.undeclared_change"
        assert other.terms().lines[0].promises == ()
    cheaper = ConfirmLine(line=1, each=10, unit_price_minor=900, promised_at=market.now + DAY)
    market.must("bob", market.confirm_fact("po1", lines=[cheaper]))
    assert [(p.each, p.unit_price_minor) for p in market.terms().lines[0].promises] == [(10, 900)]


def test_one_line_may_be_promised_for_several_dates_and_ships_the_earliest_first(market: Market) -> None:
    market.must("ann", market.order_fact("po1"))
    late, soon = market.now + 5 * DAY, market.now + 2 * DAY
    lines = [ConfirmLine(line=1, each=4, promised_at=late), ConfirmLine(line=1, each=6, promised_at=soon)]
    market.must("bob", market.confirm_fact("po1", lines=lines))
    assert [(p.each, p.promised_at) for p in market.terms().lines[0].promises] == [(6, soon), (4, late)]
    assert market.terms().due_at == soon
    market.must("bob", market.ship_fact("po1", "s1", (1, 7), stock="bob-6205"))
    assert [(p.each, p.promised_at) for p in market.terms().lines[0].promises] == [(3, late)]


def test_a_change_counts_once_the_buyer_accepts_it(market: Market) -> None:
    market.offer("o1", each=40)
    market.must("ann", market.order_fact("po1", market.line(1, 10, "o1"), market.line(2, 5, "o1")))
    changed = [ConfirmLine(line=n, each=5, changed=True, substitute="item-6306", unit_price_minor=1200) for n in (1, 2)]
    market.must("bob", market.confirm_fact("po1", lines=changed, answer_by=market.now + DAY))
    one, two = market.order_of().lines
    assert (one.confirmed, one.proposed, two.proposed, market.stock().allocated_each) == (0, 5, 5, 0)
    good = AcceptChange(
        circle=market.AB, order="po1", lines=[AnswerLine(line=1, accept=True), AnswerLine(line=2, accept=False)]
    )
    climb(
        market,
        good,
        "ann",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.EB, "by": "ann"}),
            ("orders.unknown_order", {"circle": market.AC, "by": "ann"}),
            ("orders.not_buyer", {"circle": market.AB, "by": "bob"}),
            ("orders.unknown_line", {"by": "ann", "lines": [AnswerLine(line=9, accept=True)]}),
            ("orders.repeated_line", {"lines": [AnswerLine(line=1, accept=True)] * 2}),
        ],
    )
    one, two = market.order_of().lines
    assert (one.confirmed, one.proposed, two.proposed, two.open) == (5, 0, 0, 5)
    promise = market.terms().lines[0].promises[0]
    assert (promise.item, promise.unit_price_minor, promise.each) == ("item-6306", 1200, 5)
    assert market.stock().allocated_each == 5
    assert market.refused("ann", good) == "orders.nothing_proposed"
    assert market.both_sides_agree()


@pytest.mark.parametrize("backorder", [True, False])
def test_an_unanswered_change_ends_at_its_time(market: Market, backorder: bool) -> None:
    market.must("ann", market.order_fact("po1", backorder=backorder))
    changed = [ConfirmLine(line=1, each=4, changed=True, substitute="x")]
    market.must("bob", market.confirm_fact("po1", lines=changed, answer_by=market.now + DAY))
    line = market.order_of().lines[0]
    assert (line.proposed, line.cancelled) == (4, 0 if backorder else 6)
    market.tick(DAY)
    line = market.order_of().lines[0]
    assert (line.proposed, line.open, line.cancelled) == ((0, 10, 0) if backorder else (0, 0, 10))
    assert market.terms().lines[0].changes == ()
    assert market.order_of().state == ("confirmed" if backorder else "cancelled")


def test_without_backorders_a_confirmation_ends_the_rest(market: Market) -> None:
    market.offer("o1", each=40)
    market.must("ann", market.order_fact("po1", market.line(offer="o1"), backorder=False))
    market.must("bob", market.confirm_fact("po1", (1, 6)))
    line = market.order_of().lines[0]
    assert (line.confirmed, line.cancelled, line.open, market.offer_of().reserved_each) == (6, 4, 0, 6)


def test_decline_refuses_in_this_order_and_frees_what_was_reserved(market: Market) -> None:
    market.offer("o1", each=40)
    market.must(
        "ann", market.order_fact("po1", market.line(offer="o1")), market.order_fact("gone"), market.order_fact("all")
    )
    market.must("bob", DeclineOrder(circle=market.AB, order="gone"), market.confirm_fact("all"))
    climb(
        market,
        DeclineOrder(circle=market.AB, order="po1", reason="sold out"),
        "bob",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.AC, "by": "bob"}),
            ("orders.unknown_order", {"circle": market.EB, "by": "bob"}),
            ("orders.not_seller", {"circle": market.AB, "order": "gone", "by": "ann"}),
            ("orders.ended", {"by": "bob", "order": "gone"}),
            ("orders.nothing_open", {"order": "all"}),
        ],
    )
    assert (market.order_of().state, market.offer_of().reserved_each, market.terms().answer) == (
        "declined",
        0,
        "sold out",
    )


def test_cancel_refuses_in_this_order(market: Market) -> None:
    market.must("ann", market.order_fact("po1", market.line(1, 10), market.line(2, 5)), market.order_fact("gone"))
    market.must("bob", DeclineOrder(circle=market.AB, order="gone"), market.confirm_fact("po1", (1, 6), (2, 5)))
    only = market.order_fact("done")
    market.must("ann", only)
    market.must("bob", market.confirm_fact("done", (1, 10)))
    climb(
        market,
        CancelOrder(circle=market.AB, order="po1", lines=[EachLine(line=1, each=4)]),
        "ann",
        [
            ("parties.unknown_circle", NOWHERE),
            ("parties.not_in_circle", {"circle": market.EB}),
            ("orders.unknown_order", {"circle": market.AC}),
            ("orders.ended", {"circle": market.AB, "order": "gone"}),
            ("orders.unknown_line", {"order": "po1", "lines": [EachLine(line=7, each=1)]}),
            ("orders.repeated_line", {"lines": [EachLine(line=1, each=1)] * 2}),
            ("orders.binding", {"lines": [EachLine(line=1, each=5)]}),
            ("orders.more_than_unshipped", {"lines": [EachLine(line=1, each=11)]}),
            ("orders.nothing_to_cancel", {"order": "done", "lines": []}),
        ],
    )
    assert [line.cancelled for line in market.order_of().lines] == [4, 0]


def test_a_seller_that_cancels_what_it_confirmed_frees_its_stock_and_the_promise(market: Market) -> None:
    market.offer("o1", each=40, firm=False)
    market.must("ann", market.order_fact("po1", market.line(offer="o1")))
    market.must("bob", market.confirm_fact("po1", (1, 7)))
    assert market.stock().allocated_each == 7
    market.must("bob", CancelOrder(circle=market.AB, order="po1", lines=[EachLine(line=1, each=5)]))
    line = market.order_of().lines[0]
    assert (line.open, line.confirmed, line.cancelled) == (0, 5, 5)  # the open three first, then two of the confirmed
    assert (market.stock().allocated_each, market.offer_of().reserved_each) == (5, 5)
    assert sum(p.each for p in market.terms().lines[0].promises) == 5
    market.must("bob", CancelOrder(circle=market.AB, order="po1"))
    assert (market.order_of().state, market.stock().allocated_each, market.offer_of().reserved_each) == (
        "cancelled",
        0,
        0,
    )


def test_an_order_lapses_when_nobody_answers_it_and_its_reservations_are_free(market: Market) -> None:
    market.offer("o1", each=40)
    market.must("ann", market.order_fact("po1", market.line(offer="o1")))
    market.tick(DAY - 1)
    assert market.order_of().state == "placed"
    market.tick(1)
    assert (market.order_of().state, market.offer_of().reserved_each, market.terms().due_at) == ("lapsed", 0, 0)
    assert market.refused("bob", market.confirm_fact("po1")) == "orders.ended"


def test_at_the_cancel_date_what_is_unshipped_ends_and_the_sellers_stock_is_free(market: Market) -> None:
    market.offer("o1", each=40)
    market.must("ann", market.order_fact("po1", market.line(offer="o1"), cancel_after_at=market.now + 9 * DAY))
    market.must("bob", market.confirm_fact("po1", (1, 8)), market.ship_fact("po1", "s1", (1, 3)))
    assert market.stock().allocated_each == 5
    market.tick(9 * DAY)
    line = market.order_of().lines[0]
    assert (line.shipped, line.cancelled, market.order_of().state) == (3, 7, "shipped")
    assert (market.stock().allocated_each, market.offer_of().reserved_each, market.offer_of().taken_each) == (0, 0, 3)
    assert market.mine("bob").lines[0].allocated == 0
    assert market.terms().lines[0].promises == ()
    assert market.both_sides_agree()


def test_an_answered_order_keeps_no_wait_for_its_answer(market: Market) -> None:
    market.must("ann", market.order_fact("po1"))
    market.must("bob", market.confirm_fact("po1", (1, 2)))
    market.tick(2 * DAY)
    assert (market.order_of().state, market.order_of().lines[0].open) == ("confirmed", 8)


def test_a_one_sided_order_is_signed_by_one_firm_and_books_its_stock(market: Market) -> None:
    circle = home("bob")
    market.must("bob", market.own_order("so1"), market.confirm_fact("so1", circle=circle))
    market.must(
        "bob", market.ship_fact("so1", "s1", circle=circle, stock="bob-6205"), market.receive_fact("s1", circle=circle)
    )
    assert (market.order_of("so1").one_sided, market.order_of("so1").state) == (True, "received")
    assert market.stock().on_hand_each == 90
    market.must(
        "bob",
        market.own_order("pb1", market.line(own_number="bob-6205", unit_price_minor=800), side="buy"),
        market.confirm_fact("pb1", circle=circle),
        market.ship_fact("pb1", "s2", circle=circle),
    )
    market.must("bob", market.receive_fact("s2", circle=circle))
    assert (market.stock().on_hand_each, market.stock().unit_cost_minor) == (100, 710)
    assert market.refused("ann", replace(market.own_order("so2"), circle=circle)) == "parties.not_in_circle"


def test_a_firm_offer_binds_its_owner_when_an_order_meets_its_price(market: Market) -> None:
    market.offer("o1", each=40, price=1000)
    for order, price, firm in (("a", 1000, True), ("b", 999, False), ("c", 1100, True)):
        market.must("ann", market.order_fact(order, market.line(each=1, offer="o1", unit_price_minor=price)))
        assert market.terms(order).lines[0].firm is firm
