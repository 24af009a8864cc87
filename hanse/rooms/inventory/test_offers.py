"""Offers: what they set aside, when they end, and what others see of them."""

import pytest

from hanse.rooms.inventory import offer_queries, queries
from hanse.rooms.inventory.facts import MOVEMENTS, STOCK, SetPolicy
from hanse.rooms.inventory.offer_facts import EARMARKS, OFFER_TERMS, OFFERS, WithdrawOffer
from hanse.rooms.inventory.testing import (
    WEEK,
    adjust,
    count,
    drawing,
    earmark,
    market,
    offer,
    propose,
    want,
)
from hanse.rooms.testing import Town, home, same_under_hash_seeds


@pytest.fixture
def town() -> Town:
    return market()


def promised(town: Town) -> tuple[int, int, int, int]:
    """(on hand, allocated, set aside, short) of A-X."""
    total = queries.stock_list(town.view("a"))[0]
    return total.on_hand_each, total.allocated_each, total.set_aside_each, total.short_each


def test_a_firm_offer_sets_stock_aside_and_a_soft_one_does_not(town):
    town.must("a", earmark("a", "soft", 30), offer(town, "a--b", "soft", 30))
    assert promised(town) == (100, 0, 0, 0)
    town.must("a", earmark("a", "firm", 30), offer(town, "a--b", "firm", 30, firm=True))
    assert promised(town) == (100, 0, 30, 0)
    town.must("b", drawing("reserve", "1", "firm", 10), drawing("reserve", "2", "soft", 10))
    assert promised(town) == (100, 0, 30, 0)
    town.must("a", drawing("confirm", "1", "firm", 10), drawing("confirm", "2", "soft", 10))
    assert promised(town) == (100, 20, 20, 0)
    town.must("a", drawing("ship", "1", "firm", 10), drawing("ship", "2", "soft", 10))
    assert promised(town) == (80, 0, 20, 0)
    assert queries.stock_list(town.view("b"))[0].on_hand_each == 20


def test_what_was_reserved_before_an_offers_end_stays_set_aside(town):
    town.must("a", earmark("a", "firm", 30), offer(town, "a--b", "firm", 30, firm=True))
    town.must("b", drawing("reserve", "1", "firm", 10), drawing("reserve", "2", "firm", 5))
    town.tick(WEEK)
    assert promised(town) == (100, 0, 15, 0)
    assert town.refused("b", drawing("reserve", "3", "firm", 1)) == "inventory.offer_ended"
    town.must("a", drawing("confirm", "1", "firm", 10))
    assert promised(town) == (100, 10, 5, 0)
    town.must("b", drawing("cancel", "2", "firm", 5))
    assert promised(town) == (100, 10, 0, 0)
    assert town.view("b").rows(OFFER_TERMS)[0].ended


def test_a_withdrawn_offer_frees_what_nobody_reserved(town):
    town.must("a", earmark("a", "firm", 30), offer(town, "a--b", "firm", 30, firm=True))
    town.must("b", drawing("reserve", "1", "firm", 10))
    town.must("a", WithdrawOffer(circle="a--b", offer="firm"))
    assert promised(town) == (100, 0, 10, 0)
    town.tick(WEEK)
    assert promised(town) == (100, 0, 10, 0)


def test_a_count_that_finds_less_than_promised_says_how_much_is_short(town):
    town.must("a", earmark("a", "firm", 30), offer(town, "a--b", "firm", 30, firm=True))
    town.must("a", count("a", "a-north", 12))
    assert promised(town) == (12, 0, 30, 18)
    town.must("a", adjust("a", "a-north", 8, "found"))
    assert promised(town) == (20, 0, 30, 10)


def test_an_order_that_finds_too_little_is_recorded_short_and_its_shipment_uncounted(town):
    town.must("a", earmark("a", "soft", 30), offer(town, "a--b", "soft", 30))
    town.must("b", drawing("reserve", "1", "soft", 30))
    town.must("a", count("a", "a-north", 12), drawing("confirm", "1", "soft", 30))
    assert promised(town) == (12, 30, 0, 18)
    town.must("a", drawing("ship", "1", "soft", 30))
    assert promised(town) == (0, 0, 0, 0)
    newest = queries.movements(town.view("a"), "A-X", limit=2)
    assert [(m.each, m.reason, m.reference) for m in newest] == [(-30, "sold", "1"), (18, "uncounted", "1")]


def test_an_offer_below_its_minimum_price_moves_no_stock_for_any_order(town):
    town.must("a", earmark("a", "low", 30))
    fact = offer(town, "a--b", "low", 30, unit_price_minor=299, firm=True)
    refusal = offer_queries.offer_refusal(town.view("a"), fact)
    assert refusal is not None and refusal.code == "inventory.below_minimum", "a door says so before it is signed"
    assert town.refused("a", fact) == "inventory.below_minimum"
    town.must("b", drawing("reserve", "1", "low", 10))
    town.must("a", drawing("confirm", "1", "low", 10))
    assert promised(town) == (100, 0, 0, 0)


def test_the_higher_of_two_minimum_prices_counts(town):
    town.must("a", earmark("a", "o", 30, minimum_price_minor=100))
    town.must("a", SetPolicy(circle=home("a"), own_number="A-X", minimum_price_minor=400, currency="EUR", keep_each=0))
    below, at = (offer(town, "a--b", "o", 30, unit_price_minor=price) for price in (399, 400))
    assert offer_queries.offer_refusal(town.view("a"), below) is not None
    assert offer_queries.offer_refusal(town.view("a"), at) is None


def test_anothers_offer_under_the_same_id_does_not_get_ones_stock(town):
    town.must("a", earmark("a", "o", 30))
    assert town.do("b", offer(town, "a--b", "o", 30, firm=True)).private.keys() == {"home-b"}
    assert promised(town) == (100, 0, 0, 0)
    town.must("b", drawing("reserve", "1", "o", 10))
    town.must("a", drawing("confirm", "1", "o", 10))
    assert promised(town) == (100, 0, 0, 0), "a made no such offer"


def trading() -> Town:
    """A story with everything that a competitor must not see."""
    town = market()
    town.must("a", SetPolicy(circle=home("a"), own_number="A-X", minimum_price_minor=333, currency="EUR", keep_each=7))
    town.must("a", earmark("a", "o-pool", 30, minimum_price_minor=344))
    town.must("a", offer(town, "pool", "o-pool", 30, unit_price_minor=355, firm=True))
    town.must("a", earmark("a", "o-b", 11), offer(town, "a--b", "o-b", 11, unit_price_minor=366))
    town.must("b", want(town, "pool", "w", 13), drawing("reserve", "1", "o-b", 5), drawing("reserve", "2", "o-pool", 6))
    town.must("a", drawing("confirm", "1", "o-b", 5), drawing("ship", "1", "o-b", 5))
    town.must("a", earmark("a", "t", 4), propose(town, "t", 4))
    town.tick(3600)
    return town


def test_replay_under_other_hash_seeds_ends_the_same():
    assert same_under_hash_seeds(trading)


def test_every_partys_own_node_computes_the_same():
    assert trading().both_sides_agree()


def test_a_stranger_sees_quantities_and_pseudonyms_only():
    town = trading()
    stranger = town.view()
    for table in town.book.tables:
        if table.circle:
            assert stranger.rows(table) == [] and stranger.count(table) == 0, table
    assert [(o.offer, o.alias, o.each, o.reserved_each, o.taken_each) for o in stranger.rows(OFFERS)] == [
        ("o-b", "a+b", 11, 0, 5),
        ("o-pool", "a+pool", 30, 6, 0),
    ]
    assert offer_queries.availability(stranger, "X").offers == []
    assert offer_queries.offers(stranger) == offer_queries.wants(stranger) == []
    assert queries.stock_list(stranger) == queries.dead_stock(stranger, 0) == queries.site_stock(stranger) == []
    assert queries.stock_card(stranger, "A-X") is None
    assert offer_queries.offer(stranger, "pool", "o-pool") is None


def test_a_third_member_sees_the_groups_offer_and_nothing_of_the_relationship():
    town = trading()
    c = town.view("c")
    (card,) = offer_queries.availability(c, "X").offers
    assert (card.offer, card.party, card.unit_price_minor, card.open_each) == ("o-pool", "a", 355, 24)
    assert [w.want for w in offer_queries.wants(c)] == ["w"]
    for table in (EARMARKS, MOVEMENTS):
        assert c.rows(table) == []
    assert {s.circle for s in c.rows(STOCK)} == {"home-c"}
    assert offer_queries.offer(c, "a--b", "o-b") is None
    assert offer_queries.my_offer_backing(c, "o-pool") is None
    assert offer_queries.transfers(c) == [] and offer_queries.transfer(c, "a--b", "t") is None
    seen = repr([c.rows(table) for table in town.book.tables])
    for secret in ("a--b' name", "333", "344", "366", "A-X", "a-north", "keep"):
        assert secret not in seen, secret
    b = town.view("b")
    seen_by_b = repr([b.rows(table) for table in town.book.tables])
    for secret in ("333", "344", "A-X", "a-north"):
        assert secret not in seen_by_b, secret
    assert [o.offer for o in offer_queries.offers_of_item(b, "X")] == ["o-pool", "o-b"], "the lowest price first"


def test_the_record_holds_no_price_item_site_or_own_number():
    town = trading()
    from hanse.standards.sdjwt import unb64

    said = b""
    for block in town.blocks:
        for leaf in block.leaves:
            for line in leaf.split(b"\n")[2:]:
                if line.count(b".") == 2:
                    said += unb64(line.split(b".")[1])
    for secret in (b"333", b"344", b"355", b"366", b"A-X", b"a-north", b"b-hall", b"unit_price", b"today"):
        assert secret not in said, secret
    assert b"o-pool" in said and b"expires_at" in said
