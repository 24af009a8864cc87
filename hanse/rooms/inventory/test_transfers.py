"""Goods between two firms at cost plus: who owns, who keeps, who owes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanse.rooms.inventory import offer_queries, queries
from hanse.rooms.inventory.facts import STOCK, StockKey
from hanse.rooms.inventory.offer_facts import AcceptTransfer, EndTransfer
from hanse.rooms.inventory.rules import divide_half_even, receive_in, ship_out, stock_of
from hanse.rooms.inventory.testing import WEEK, earmark, market, propose
from hanse.rooms.inventory.transfers import total_minor
from hanse.rooms.testing import Town, home


@pytest.fixture
def town() -> Town:
    return market()


def accept(transfer: str, site: str) -> AcceptTransfer:
    return AcceptTransfer(circle="a--b", transfer=transfer, site=site)


def kept(town: Town, party: str) -> list[tuple[str, int]]:
    """(owner, on hand) of the goods that a party keeps."""
    rows = town.view(party).rows(STOCK, "on_hand_each > 0")
    return [(row.owner, row.on_hand_each) for row in rows]


def elsewhere(town: Town, party: str) -> list[tuple[str, int, int]]:
    return [(h.custodian, h.each, h.unit_cost_minor) for h in queries.held_elsewhere(town.view(party))]


def test_a_sale_passes_title_and_custody_at_cost_plus(town):
    town.must("a", earmark("a", "t", 10), propose(town, "t", 10))
    assert queries.stock_list(town.view("a"))[0].set_aside_each == 10
    town.must("b", accept("t", "b-hall"))
    assert kept(town, "a") == [("", 90)] and kept(town, "b") == [("", 10)]
    (seen,) = offer_queries.transfers(town.view("b"), state="accepted")
    assert (seen.total_minor, seen.giver, seen.taker, seen.site) == (2612, "a", "b", "b-hall"), "10 x 2.50 + 4.5 %"
    assert queries.stock_of_number(town.view("b"), "B-X")[0].unit_cost_minor == 261
    assert queries.stock_list(town.view("a"))[0].set_aside_each == 0


def test_goods_sold_in_place_wait_for_their_owner(town):
    town.must("a", earmark("a", "t", 10), propose(town, "t", 10, "sale_in_place"))
    town.must("b", accept("t", "b-hall"))
    assert kept(town, "a") == [("", 90), ("b", 10)] and kept(town, "b") == []
    assert elsewhere(town, "b") == [("a", 10, 261)]
    assert queries.kept_for_others(town.view("a"))[0].owner == "b"
    town.must("a", earmark("a", "h", 4, owner="b"), propose(town, "h", 4, "hand_over"))
    town.must("b", accept("h", "b-hall"))
    assert kept(town, "a") == [("", 90), ("b", 6)] and kept(town, "b") == [("", 4)]
    assert elsewhere(town, "b") == [("a", 6, 261)]
    assert queries.stock_of_number(town.view("b"), "B-X")[0].unit_cost_minor == 261, "at what it had cost"
    assert offer_queries.transfer(town.view("a"), "a--b", "h").total_minor == 0, "title stayed"


def test_consigned_goods_are_the_givers_until_they_are_sold(town):
    town.must("a", earmark("a", "t", 10), propose(town, "t", 10, "consign"))
    town.must("b", accept("t", "b-hall"))
    assert kept(town, "a") == [("", 90)] and kept(town, "b") == [("a", 10)]
    assert elsewhere(town, "a") == [("b", 10, 250)]
    assert queries.stock_list(town.view("b"))[0].on_hand_each == 0, "totals are of one's own goods"
    assert town.refused("b", earmark("b", "o", 5)) == "inventory.not_enough"
    town.must("a", propose(town, "s", 6, "sale_of_held"))
    town.must("b", accept("s", "b-hall"))
    assert kept(town, "b") == [("", 6), ("a", 4)]
    assert elsewhere(town, "a") == [("b", 4, 250)]
    assert town.refused("a", propose(town, "s2", 5, "sale_of_held")) == "inventory.not_enough"


@pytest.mark.parametrize("end", ["giver", "taker", "time"])
def test_a_proposal_that_ends_frees_its_stock(town, end):
    town.must("a", earmark("a", "t", 10), propose(town, "t", 10))
    if end == "time":
        town.tick(WEEK)
    else:
        town.must("a" if end == "giver" else "b", EndTransfer(circle="a--b", transfer="t"))
    assert queries.stock_list(town.view("a"))[0].set_aside_each == 0
    assert [t.state for t in offer_queries.transfers(town.view("b"))] == ["ended"]
    assert town.refused("b", accept("t", "b-hall")) == "inventory.transfer_ended"
    assert town.both_sides_agree()


def test_a_transfer_without_stock_behind_it_is_journalled_as_uncounted(town):
    assert town.refused("a", propose(town, "t", 10)) == "inventory.no_earmark"
    town.must("b", accept("t", "b-hall"))
    assert kept(town, "a") == [("", 100)] and kept(town, "b") == [("", 10)]
    newest = queries.movements(town.view("a"), "A-X", limit=2)
    assert [(m.site, m.each, m.reason) for m in newest] == [
        ("unknown", -10, "transferred"),
        ("unknown", 10, "uncounted"),
    ]


def test_goods_of_an_item_without_own_number_are_received_under_the_items(town):
    town.must("a", earmark("a", "t", 10), propose(town, "t", 10))
    town.must("b", accept("t", "b-hall"))
    draft = in_home(town, "b")
    key = receive_in(draft, site="b-hall", item="Y", each=3, unit_cost_minor=90, serials=["s1", "s2"])
    town.block()
    assert key == StockKey("b-hall", "Y")
    card = queries.stock_card(town.view("b"), "Y")
    assert card is not None and card.own.item == "Y" and card.own.method == "own" and card.serials == 2
    assert [s.serial for s in queries.serials(town.view("b"), "Y")] == ["s1", "s2"]


def in_home(town: Town, party: str):
    """A draft of a home rule, to call verbs directly."""
    from hanse.kernel.draft import Draft

    return Draft(town.state, now=town.now, position=town.applier.meta.size, circle=home(party))


def test_another_lot_than_promised_may_be_shipped_and_the_promise_is_freed(town):
    from hanse.rooms.inventory.rules import allocate

    town.must("a", earmark("a", "t", 1))
    draft = in_home(town, "a")
    north, south = StockKey("a-north", "A-X"), StockKey("a-south", "A-X")
    receive_in(draft, site="a-south", own_number="A-X", each=5)
    assert allocate(draft, north, 120, "o") == 20
    assert ship_out(draft, north, 4, "o", taken_from=south, serials=["s9"]) == 0
    assert (stock_of(draft, north).allocated_each, stock_of(draft, north).short_each) == (116, 16)
    assert stock_of(draft, south).on_hand_each == 1
    assert ship_out(draft, "no offer of a's", 4, "o") == 4


def test_received_goods_cost_the_average_by_quantity_rounded_half_to_even(town):
    draft = in_home(town, "b")
    for each, cost, average in ((2, 10, 10), (2, 11, 10), (4, 13, 12), (1, -1, 12)):
        receive_in(draft, site="b-hall", own_number="B-X", each=each, unit_cost_minor=cost)
        assert stock_of(draft, StockKey("b-hall", "B-X")).unit_cost_minor == average


@given(st.integers(0, 10**9), st.integers(0, 10**7), st.integers(-1_000_000, 10_000_000))
def test_a_total_is_within_half_a_minor_unit_of_the_exact_one(each, cost, ppm):
    exact = each * cost * (1_000_000 + ppm)
    assert abs(2 * (total_minor(each, cost, ppm) * 1_000_000 - exact)) <= 1_000_000


@given(st.integers(-(10**6), 10**6), st.integers(1, 1000))
def test_division_rounds_to_the_nearest_and_ties_to_even(number, by):
    got = divide_half_even(number, by)
    assert abs(2 * (got * by - number)) <= by
    if 2 * abs(got * by - number) == by:
        assert got % 2 == 0
