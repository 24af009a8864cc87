"""A page of agreements is what all of them, sorted and filtered in memory, would show there."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from hanse.rooms.contracts.facts import SignProposal
from hanse.rooms.contracts.finding import STATES, Wanted, count, find
from hanse.rooms.contracts.queries import AgreementCard, agreements, cards_of
from hanse.rooms.contracts.testing import LATE, Trade
from hanse.rooms.orders.testing import DAY

REBATE = {"currency": "GBP", "rebate_period": "year", "scheme": "retroactive", "tiers": [["0.00", "2%"]]}


@pytest.fixture(scope="module")
def trade() -> Trade:
    """ann buys from bob and from cay; some agreements have ended, some are not yet in force, one has given results."""
    there = Trade()
    ac = "ann--cay"
    sha = there.register()
    rebate = there.register("volume-rebate")

    def agree(name: str, seller: str, template: str = sha, params: dict[str, Any] = LATE, **rest: Any) -> None:
        circle = there.AB if seller == "bob" else ac
        arbiter = "cay" if seller == "bob" else "bob"
        roles = {"supplier": seller, "buyer": "ann"}
        fact = there.proposal(
            template, params, circle=circle, agreement=name, proposal=f"P-{name}", roles=roles, arbiter=arbiter, **rest
        )
        there.must(seller, fact)
        digest = there.digest(f"P-{name}", circle)
        there.must("ann", SignProposal(circle=circle, proposal=f"P-{name}", digest=digest))

    agree("A1", "bob")
    agree("B_2", "bob", rebate, REBATE)
    agree("C3", "cay", until_at=there.now + 10 * DAY)
    agree("D4", "cay", until_at=there.now + 90 * DAY)
    agree("E-5", "cay", rebate, REBATE, from_at=there.now + 60 * DAY)
    agree("F6", "bob", rebate, REBATE, until_at=there.now + 11 * DAY)
    there.deliver_late(17)
    return there


def everything(trade: Trade) -> list[AgreementCard]:
    return list(cards_of(trade.view("ann"), find(trade.view("ann"), Wanted(limit=5_000))))


def names(trade: Trade, **wanted: Any) -> list[str]:
    return [agreement for _, agreement in find(trade.view("ann"), Wanted(**wanted))]


def test_without_a_wish_those_in_force_come_first_by_circle_and_number(trade: Trade) -> None:
    cards = everything(trade)
    assert len(cards) == 6 and {card.state for card in cards} == set(STATES)
    assert cards == sorted(cards, key=lambda card: (STATES.index(card.state), card.circle, card.agreement))
    assert [card.agreement for card in agreements(trade.view("ann"))] == [card.agreement for card in cards]
    assert any(card.pending_minor for card in cards)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("key", ["partner", "from_at", "until_at", "pending", "standing"])
def test_a_list_is_sorted_by_any_of_its_columns_and_then_as_without(trade: Trade, key: str, descending: bool) -> None:
    value: dict[str, Any] = {
        "partner": lambda card: card.partner_name.casefold(),
        "from_at": lambda card: card.from_at,
        "until_at": lambda card: (card.until_at == 0, card.until_at),
        "pending": lambda card: (card.currency, card.pending_minor),
        "standing": lambda card: (card.currency, card.standing_minor),
    }
    wanted = sorted(everything(trade), key=value[key], reverse=descending)
    assert names(trade, sort=((key, descending),)) == [card.agreement for card in wanted]


def test_pages_cut_the_list_without_a_gap_or_a_double(trade: Trade) -> None:
    sort = (("partner", True),)
    pages = [names(trade, sort=sort, limit=2, offset=at) for at in (0, 2, 4, 6)]
    assert [*chain(*pages)] == names(trade, sort=sort) and pages[-1] == []


@pytest.mark.parametrize("words", ["rebate", "CAY", "b_2", "e-5", "_", "%", "nothing", "late"])
def test_words_are_looked_for_in_title_partner_and_number_as_they_stand(trade: Trade, words: str) -> None:
    fits = {
        card.agreement
        for card in everything(trade)
        if any(words.casefold() in text.casefold() for text in (card.title, card.partner_name, card.agreement))
    }
    assert set(names(trade, words=words)) == fits
    assert sum(count(trade.view("ann"), Wanted(words=words)).values()) == len(fits)


def test_states_and_partners_are_filtered_and_counted(trade: Trade) -> None:
    cards, view = everything(trade), trade.view("ann")
    for state in STATES:
        assert set(names(trade, states=(state,))) == {card.agreement for card in cards if card.state == state}
    for asked in (Wanted(), Wanted(states=("ended",))):
        assert count(view, asked) == {s: sum(c.state == s for c in cards) for s in STATES}, "facets ignore themselves"
    by_name = cards[0].partner_name
    assert set(names(trade, named=by_name[:2])) == {c.agreement for c in cards if by_name[:2] in c.partner_name}
    assert set(names(trade, partner="cay")) == {c.agreement for c in cards if c.partner == "cay"} != set()


def test_another_firm_finds_its_own_alone_and_an_order_by_nothing_known_is_refused(trade: Trade) -> None:
    assert {agreement for _, agreement in find(trade.view("bob"), Wanted())} == {"A1", "B_2", "F6"}
    with pytest.raises(ValueError, match="no order by"):
        find(trade.view("ann"), Wanted(sort=(("title; DROP TABLE x", False),)))
