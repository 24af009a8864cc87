"""What has fallen to its level is moved from own sites, ordered from the best source, or listed; by line or by rule."""

import pytest

from hanse.kernel.refusal import Refused
from hanse.node.planning_accept import Chosen, accept, allowed
from hanse.node.planning_gather import gather
from hanse.node.planning_levels import compute
from hanse.node.planning_replenish import Round, _of_round, proposals
from hanse.rooms.group.rows import Tier
from hanse.rooms.inventory.facts import Adjust, AdjustLine, Count, CountLine
from hanse.rooms.orders.facts import DeliverTo, PlaceLine, PlaceOrder
from hanse.rooms.orders.private_rows import MINE
from hanse.rooms.orders.rows import ORDERS
from hanse.rooms.parties.facts import SetSite
from hanse.rooms.plans.facts import EndRule, SetRule
from hanse.rooms.plans.private_rows import RULES
from hanse.site.testing import DAY, SmallTown


def sold(town, party, weekly, weeks=26):
    """So many each a week, a little up and down, from the party's store."""
    lines = [
        AdjustLine(site=f"store-{party}", own_number=f"{party}-6205", each=-(weekly + week % 3 - 1), reason="sold",
                   made_at=town.now() - 7 * DAY * (week + 1))
        for week in range(weeks)
    ]  # fmt: skip
    town.do(party, Adjust(circle=town.home(party), lines=lines))


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    made = SmallTown(tmp_path_factory.mktemp("town"), stock_each=400)
    now = made.now()
    made.do("bob", SetSite(circle=made.home("bob"), site="depot-bob", name="Depot of Bob", site_kind="warehouse",
                           country="DE", city="Bremen", latitude_microdeg=53_079_000, longitude_microdeg=8_801_000,
                           address="Kai 2"))  # fmt: skip
    made.do("bob", Count(circle=made.home("bob"), counted_at=now, lines=[
        CountLine(site="depot-bob", own_number="bob-6205", each=30, unit_cost_minor=700)]))  # fmt: skip
    for party in ("bob", "cay"):
        made.do(party, PlaceOrder(
            circle=made.home(party), order=f"OLD-{party}", side="buy", counterparty="Steel Works", po_number="1",
            currency="EUR", deliver_to=DeliverTo(site=f"store-{party}", city="Kiel", country="DE"), drop_ship=False,
            ordered_at=now - 90 * DAY,
            lines=[PlaceLine(line=1, each=1, item="item-6205", own_number=f"{party}-6205", unit_price_minor=980,
                             requested_at=0)],
        ))  # fmt: skip
    sold(made, "bob", 15)
    sold(made, "cay", 15)
    made.offer("ob", "bob", each=8, price=900)
    yield made
    made.close()


def shelves_of(town, party):
    given = gather(town.node.view(party))
    assert given is not None
    return compute(given)


def test_a_site_with_more_than_its_level_gives_before_anything_is_ordered(town):
    found = shelves_of(town, "bob")
    shelf = found.shelves[0]
    assert {site.site for site in shelf.sites} == {"store-bob", "depot-bob"}
    [one] = proposals(town.node.view("bob"), found)
    [move] = one.transfers
    assert (move.from_site, move.to_site, move.each) == ("depot-bob", "store-bob", 30), "the depot sells nothing"
    assert one.to_site == "store-bob" and one.order_each > 0
    done = accept(town.desk("bob"), found, [Chosen("bob-6205")])
    assert done.moved_each == 30 and not done.orders and not done.failed
    [left] = proposals(town.node.view("bob"), found)
    assert not left.transfers and left.position_each == one.position_each, "moved, not made"


def test_sources_stand_in_order_of_price_and_an_order_is_not_proposed_twice(town):
    found = shelves_of(town, "cay")
    [one] = proposals(town.node.view("cay"), found)
    assert [source.key for source in one.sources] == ["supplier|Steel Works", "offer|ob"], "bob has less than is needed"
    assert one.sources[1].each == one.sources[1].upto_each == 8
    desk = town.desk("cay")
    done = accept(desk, found, [Chosen("cay-6205", "offer|ob", 8)])
    assert len(done.orders) == 1 and not done.failed
    assert desk.view.get(ORDERS, done.orders[0]).lines[0].ordered == 8
    [less] = proposals(town.node.view("cay"), found)
    assert less.position_each == one.position_each + 8 and less.order_each == one.order_each - 8
    done = accept(desk, found, [Chosen("cay-6205", "supplier|Steel Works", less.order_each)])
    mine = desk.view.get(MINE, town.home("cay"), done.orders[0])
    assert (mine.side, mine.partner, mine.lines[0].unit_price_minor) == ("buy", "Steel Works", 980)
    assert proposals(town.node.view("cay"), found) == [], "all of it is under way"


def test_a_rule_accepts_what_it_says_and_no_more(town):
    found, desk = shelves_of(town, "bob"), town.desk("bob")
    home = town.home("bob")
    [one] = proposals(desk.view, found)
    worth = one.value_minor
    rule = {"circle": home, "seller": "steel", "source_kind": "supplier", "currency": "EUR"}
    desk.do(SetRule(rule="small", line_max_minor=worth - 1, total_max_minor=worth, **rule))
    [(row, chosen, spent)] = allowed(desk.view, found)
    assert (row.rule_id, chosen, spent) == ("small", [], 0), "one cent too dear"
    desk.do(SetRule(rule="small", line_max_minor=worth, total_max_minor=worth, **rule))
    [(row, chosen, spent)] = allowed(desk.view, found)
    assert spent == worth and chosen == [Chosen("bob-6205", "supplier|Steel Works", one.order_each)]
    assert accept(desk, found, chosen).orders and allowed(desk.view, found)[0][1] == []
    desk.do(EndRule(circle=home, rule="small"))
    assert allowed(desk.view, found) == [] and desk.view.get(RULES, home, "small").ended
    with pytest.raises(Refused, match="no such rule"):
        desk.do(EndRule(circle=home, rule="small"))
    assert town.node.view("cay").rows(RULES) == [], "nobody else reads it"


def test_whoever_knows_no_source_is_ordered_from_by_name(town):
    found, desk = shelves_of(town, "cay"), town.desk("cay")
    town.do("cay", Adjust(circle=town.home("cay"), lines=[
        AdjustLine(site="store-cay", own_number="cay-6205", each=-5, reason="scrapped")]))  # fmt: skip
    [one] = proposals(desk.view, found)
    done = accept(desk, found, [Chosen("cay-6205", "", one.order_each, supplier="Corner Shop")])
    mine = desk.view.get(MINE, town.home("cay"), done.orders[0])
    assert (mine.partner, mine.lines[0].unit_price_minor) == ("Corner Shop", 700), "at its last cost"


def test_refusals_of_accepting_in_their_order(town):
    found, desk = shelves_of(town, "bob"), town.desk("bob")
    for chosen, code in (
        ([], "plans.nothing_chosen"),
        ([Chosen("no-such", "offer|ob", 1)], "plans.not_proposed"),
    ):
        with pytest.raises(Refused) as told:
            accept(desk, found, chosen)
        assert told.value.code == code
    with pytest.raises(Refused) as told:
        desk.do(SetRule(circle=town.home("bob"), rule="r", seller="", source_kind="", currency="EUR",
                        line_max_minor=5, total_max_minor=4))  # fmt: skip
    assert told.value.code == "plans.bad_limit"


def test_a_round_is_committed_to_beyond_the_need_where_a_tier_is_worth_it(town):
    shelf = shelves_of(town, "bob").shelves[0]
    made = Round("r1", "The pool", "office", "Maker", "EUR", (Tier(0, 1000), Tier(100, 800)), told_each=60)
    near = _of_round(made, shelf, 30)
    assert (near.each, near.unit_price_minor) == (40, 800) and "10 more each" in near.note
    little = Round("r1", "The pool", "office", "Maker", "EUR", (Tier(0, 1000), Tier(100, 990)), told_each=60)
    far = _of_round(little, shelf, 1)
    assert (far.each, far.unit_price_minor) == (1, 1000), "39 more each cost more to carry than they save"
