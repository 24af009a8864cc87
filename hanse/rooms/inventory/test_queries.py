"""What a firm asks about its stock, and what it is answered."""

import pytest

from hanse.rooms.catalog.facts import LinkItem
from hanse.rooms.inventory import offer_queries, queries
from hanse.rooms.inventory.facts import Adjust, AdjustLine, Count, CountLine, Move, RecordSerials, SetPolicy
from hanse.rooms.inventory.testing import (
    add_number,
    adjust,
    count,
    drawing,
    earmark,
    market,
    offer,
    want,
)
from hanse.rooms.testing import Town, home

DAY = 86_400


@pytest.fixture
def town() -> Town:
    return market()


def test_the_stock_card_tells_place_promise_age_and_history(town):
    town.must("a", SetPolicy(circle=home("a"), own_number="A-X", minimum_price_minor=300, currency="EUR", keep_each=2))
    town.must("a", RecordSerials(circle=home("a"), own_number="A-X", site="a-north", lot="", serials=["1", "2"]))
    town.must("a", earmark("a", "o", 30), offer(town, "a--b", "o", 30))
    town.must("b", drawing("reserve", "order-1", "o", 4))
    town.must("a", drawing("confirm", "order-1", "o", 4))
    town.tick(3 * DAY)
    card = queries.stock_card(town.view("a"), "A-X")
    assert card is not None
    (row,) = card.stock
    assert (row.site_name, row.on_hand_each, row.allocated_each, row.free_each) == ("A-North", 100, 4, 96)
    assert [(h.order_id, h.each) for h in card.holds] == [("order-1", 4)]
    assert [(e.offer, e.allocated_each) for e in card.earmarks] == [("o", 4)]
    assert card.policy is not None and card.policy.keep_each == 2
    assert (card.serials, card.counted_days) == (2, 3)
    assert [(m.each, m.reason) for m in card.movements] == [(100, "counted")]
    assert card.own.item == "X" and card.total is not None and card.total.allocated_each == 4
    assert row.position == card.movements[0].position or row.position > 0


def test_stock_that_was_never_counted_says_so(town):
    add_number(town, "a", "Y")
    town.must("a", adjust("a", "a-south", 5, "produced", own_number="A-Y"))
    card = queries.stock_card(town.view("a"), "A-Y")
    assert card is not None and card.counted_days == -1
    town.must("a", count("a", "a-south", 0, own_number="A-Y"))
    empty = queries.stock_card(town.view("a"), "A-Y")
    assert empty is not None and empty.counted_days == 0, "that nothing is there was counted"


def test_movements_are_paged_backwards_within_one_entry(town):
    lines = [AdjustLine(site="a-north", own_number="A-X", each=-1, reason="sold") for _ in range(5)]
    town.must("a", Adjust(circle=home("a"), lines=lines))
    pages, before = [], (2**62, 0)
    while found := queries.movements(town.view("a"), "A-X", before=before, limit=2):
        pages.append([(m.entry, m.n) for m in found])
        before = pages[-1][-1]
    flat = [key for page in pages for key in page]
    assert len(flat) == len(set(flat)) == 6
    assert flat == sorted(flat, reverse=True)


def test_dead_stock_is_what_neither_came_nor_went_and_is_told_in_money(town):
    long_ago = town.now - 400 * DAY
    add_number(town, "a", "Y")
    town.must("a", count("a", "a-south", 20, own_number="A-Y", unit_cost_minor=1_000, moved_at=long_ago))
    assert [(d.own_number, d.value_minor, d.idle_days) for d in queries.dead_stock(town.view("a"), 365)] == [
        ("A-Y", 20_000, 400)
    ]
    assert queries.dead_stock_value(town.view("a"), 365) == [queries.Money("EUR", 20_000, 1, on_hand_each=20)]
    assert queries.stock_value(town.view("a")) == [queries.Money("EUR", 20_000 + 25_000, 2, on_hand_each=120)]
    town.must("a", count("a", "a-south", 19, own_number="A-Y"))
    assert len(queries.dead_stock(town.view("a"), 365)) == 1, "a count is no trade"
    move = Move(circle=home("a"), own_number="A-Y", lot="", owner="", from_site="a-south", to_site="a-north", each=19)
    town.must("a", move)
    assert queries.dead_stock(town.view("a"), 365)[0].site == "a-north", "moved to and fro it is as old as before"
    town.must("a", adjust("a", "a-north", -1, "sold", own_number="A-Y"))
    assert queries.dead_stock(town.view("a"), 365) == []


def test_sales_of_the_past_can_be_told_with_their_own_dates(town):
    then = town.now - 100 * DAY
    town.must("a", adjust("a", "a-north", -10, "sold", made_at=then))
    assert queries.movements(town.view("a"), "A-X")[0].made_at == then


def test_the_worklist_shows_the_share_of_money_that_is_matched(town):
    for item, cost in (("Y", 500), ("Z", 50)):
        add_number(town, "a", item)
        town.must("a", count("a", "a-south", 10, own_number=f"A-{item}", unit_cost_minor=cost))
    assert [(w.own_number, w.value_minor) for w in queries.worklist(town.view("a"))] == [("A-Y", 5000), ("A-Z", 500)]
    (money,) = queries.money_matched(town.view("a"))
    assert (money.value_minor, money.matched_minor, money.matched_ppm) == (30_500, 25_000, 819_672)
    town.must("a", LinkItem(circle=home("a"), own_number="A-Y", item="Y", method="own"))
    assert [w.own_number for w in queries.worklist(town.view("a"))] == ["A-Z"]
    assert queries.worklist(town.view("a"), offset=1) == []


def test_availability_joins_own_stock_and_offers_by_price(town):
    town.must("b", count("b", "b-hall", 50), earmark("b", "ob", 8), offer(town, "pool", "ob", 8, unit_price_minor=390))
    town.must("a", earmark("a", "oa", 9), offer(town, "pool", "oa", 9, unit_price_minor=380))
    found = offer_queries.availability(town.view("c"), "X")
    assert [(o.offer, o.party_name, o.open_each) for o in found.offers] == [("oa", "A", 9), ("ob", "B", 8)]
    assert (found.own_free_each, found.offered_each) == (0, 17)
    mine = offer_queries.availability(town.view("a"), "X")
    assert [o.offer for o in mine.offers] == ["ob"], "one's own offers are one's own stock"
    assert [(s.site, s.free_each, s.city) for s in mine.own] == [("a-north", 100, "Bremen")]
    assert [o.offer for o in offer_queries.offers(town.view("a"), mine=True)] == ["oa"]
    assert [o.offer for o in offer_queries.offers(town.view("a"))] == ["ob"]
    town.must("b", drawing("reserve", "1", "oa", 9))
    assert [o.offer for o in offer_queries.availability(town.view("c"), "X").offers] == ["ob"], (
        "nothing open is no offer"
    )
    assert offer_queries.offer(town.view("c"), "pool", "oa").open_each == 0


def test_who_lends_and_who_borrows_find_each_other(town):
    town.must("b", want(town, "pool", "w", 5))
    town.must("c", want(town, "pool", "w2", 5))
    (first, second) = offer_queries.lend_matches(town.view("a"))
    assert (first.want.want, first.own_number, first.free_each, second.want.party) == ("w", "A-X", 100, "c")
    assert offer_queries.lend_matches(town.view("c")) == [], "c has nothing to lend"
    town.must("a", SetPolicy(circle=home("a"), own_number="A-X", minimum_price_minor=0, currency="EUR", keep_each=100))
    assert offer_queries.lend_matches(town.view("a")) == [], "own customers first"
    town.must("a", SetPolicy(circle=home("a"), own_number="A-X", minimum_price_minor=0, currency="EUR", keep_each=0))
    town.must("a", earmark("a", "lend", 9), offer(town, "pool", "lend", 9, offer_kind="lend"))
    (match,) = offer_queries.borrow_matches(town.view("b"))
    assert (match.offer.offer, match.own_number, match.short_each) == ("lend", "B-X", 5)
    assert [w.want for w in offer_queries.wants(town.view("b"), mine=True)] == ["w"]
    town.tick(7 * DAY)
    assert offer_queries.wants(town.view("a")) == offer_queries.borrow_matches(town.view("b")) == []


def test_a_firm_that_is_short_is_shown_who_has_it(town):
    town.must("b", count("b", "b-hall", 10), earmark("b", "ob", 10), offer(town, "pool", "ob", 10, firm=True))
    town.must("b", count("b", "b-hall", 4))
    town.must("a", earmark("a", "oa", 9), offer(town, "pool", "oa", 9))
    (match,) = offer_queries.borrow_matches(town.view("b"))
    assert (match.offer.offer, match.short_each) == ("oa", 6)
    assert [line.own_number for line in queries.stock_list(town.view("b"), only="short")] == ["B-X"]
    assert queries.stock_list(town.view("b"), only="free") == []


def test_lists_are_searched_paged_and_mapped(town):
    many = [CountLine(site="a-south", own_number="A-X", each=i, lot=f"L{i}") for i in range(1, 6)]
    town.must("a", Count(circle=home("a"), lines=many, counted_at=0))
    view = town.view("a")
    assert queries.stock_list(view, search="lager")[0].on_hand_each == 115
    assert queries.stock_list(view, search="100%") == [] == queries.stock_list(view, after="A-X")
    first = queries.stock_at(view, "a-south", limit=3)
    rest = queries.stock_at(view, "a-south", after=("A-X", first[-1].lot, ""), limit=3)
    assert [row.lot for row in first + rest] == ["L1", "L2", "L3", "L4", "L5"]
    assert [(s.site, s.lines, s.on_hand_each) for s in queries.site_stock(view)] == [
        ("a-north", 1, 100),
        ("a-south", 5, 15),
    ]
