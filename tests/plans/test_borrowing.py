"""A shortage is bridged by what a member lends, and a round's tier is joined: proposed, accepted, signed, standing."""

import html

import pytest

from hanse.kernel.refusal import Refused
from hanse.node import joining
from hanse.node.buying import buy
from hanse.node.planning_accept import Chosen, accept, allowed
from hanse.node.planning_gather import gather, loans
from hanse.node.planning_levels import compute
from hanse.node.planning_replenish import proposals
from hanse.node.proposing import Choice, Wish, WishLine
from hanse.rooms.catalog.facts import LinkItem, SetOwnItem
from hanse.rooms.group import queries
from hanse.rooms.group.facts import Charter, Commit, Join, OpenRound, PriceTier
from hanse.rooms.group.rows import COMMITMENTS, COMMITMENTS_AT_HOME
from hanse.rooms.inventory.facts import STOCK, Adjust, AdjustLine, Count, CountLine
from hanse.rooms.inventory.offer_facts import Earmark, MakeOffer
from hanse.rooms.orders.delivery_facts import (
    AcceptedLine,
    AcceptReturn,
    Receive,
    ReturnGoods,
    ReturnLineAsked,
    Ship,
    ShipLine,
)
from hanse.rooms.orders.facts import ConfirmLine, ConfirmOrder, DeliverTo, StockKey
from hanse.rooms.orders.private_rows import MINE, ORDER_TERMS
from hanse.rooms.orders.rows import ORDERS
from hanse.rooms.parties.queries import relationship_with
from hanse.rooms.plans import page_replenish
from hanse.rooms.plans.facts import SetRule
from hanse.site.testing import DAY, PLACES, SmallTown


class Clock:
    def __init__(self):
        self.now = 1_800_000_000

    def __call__(self):
        return float(self.now)


@pytest.fixture
def town(tmp_path):
    """ann uses the bearing and has run out; bob lends it to the pool; nobody sells it."""
    clock = Clock()
    made = SmallTown(tmp_path, stock_each=400, clock=clock)
    made.clock = clock
    home, now = made.home("ann"), made.now()
    made.do(
        "ann",
        SetOwnItem(circle=home, own_number="A-77", description="bearing", brand="SKF", part_number="6205", gtin="",
                   unit="H87", pack_each=1, category="", cost_minor=700, currency="EUR"),
        LinkItem(circle=home, own_number="A-77", item="item-6205", method="brand_part"),
        Count(circle=home, counted_at=now, lines=[CountLine(site="store-ann", own_number="A-77", each=259,
                                                            unit_cost_minor=700)]),
        Adjust(circle=home, lines=[
            AdjustLine(site="store-ann", own_number="A-77", each=-(9 + week % 3), reason="sold",
                       made_at=now - 7 * DAY * (week + 1))
            for week in range(26)]),
    )  # fmt: skip
    yield made
    made.close()


def lend(town, offer="lb", each=15, price=900):
    city, latitude, longitude = PLACES["bob"]
    town.do(
        "bob",
        Earmark(circle=town.home("bob"), offer=offer, own_number="bob-6205", site="store-bob", lot="", owner="",
                each=each, minimum_price_minor=500, currency="EUR"),
        MakeOffer(circle=town.pool, offer=offer, each=each, expires_at=town.now() + 30 * DAY, item="item-6205",
                  offer_kind="lend", country="DE", city=city, latitude_microdeg=latitude,
                  longitude_microdeg=longitude, unit_price_minor=price, currency="EUR", pack_each=1, minimum_each=1,
                  lead_time_days=1, firm=True, condition="new", lot_expiry_at=0),
    )  # fmt: skip


def shelves_of(town, party="ann"):
    given = gather(town.node.view(party))
    assert given is not None
    return compute(given)


def delivered(town, order):
    """bob confirms and ships, ann signs for it."""
    each = town.node.view("ann").get(ORDERS, order).lines[0].ordered
    town.do("bob", ConfirmOrder(circle=town.ab, order=order, lines=[
        ConfirmLine(line=1, each=each, promised_at=town.now() + DAY)]))  # fmt: skip
    town.do("bob", Ship(circle=town.ab, order=order, shipment=f"S-{order}", lines=[
        ShipLine(line=1, each=each, from_stock=StockKey(own_number="bob-6205", site="store-bob"))]))  # fmt: skip
    town.do("ann", Receive(circle=town.ab, shipment=f"S-{order}"))
    return each


def test_a_loan_is_proposed_after_what_is_sold_accepted_signed_and_never_the_firms_own(town):
    lend(town)
    found, desk = shelves_of(town), town.desk("ann")
    [one] = proposals(desk.view, found)
    assert [source.key for source in one.sources] == ["loan|lb"] and one.order_each > 15
    assert one.sources[0].billed_minor == 0 and one.sources[0].each == 15
    town.offer("ob", each=200, price=9_000)
    [one] = proposals(desk.view, found)
    assert [source.kind for source in one.sources] == ["offer", "loan"], "a loan never stands first: it goes back"
    done = accept(desk, found, [Chosen("A-77", "loan|lb", 15)])
    assert len(done.loans) == 1 and done.orders == () and done.failed == ()
    [order] = done.loans
    row = desk.view.get(ORDERS, order)
    assert desk.view.get(ORDER_TERMS, row.circle, order).loan and desk.view.get(MINE, desk.view.home, order).loan
    [again] = proposals(desk.view, found)
    assert (again.position_each, again.order_each, again.borrowed_each) == (one.position_each, one.order_each, 15)
    assert again.sources[0].each == one.order_each, "what is lent has to be bought all the same"


def test_lent_goods_arrive_as_the_lenders_and_go_back(town):
    lend(town)
    found, desk = shelves_of(town), town.desk("ann")
    [order] = accept(desk, found, [Chosen("A-77", "loan|lb", 15)]).loans
    before = town.node.view("bob").get(STOCK, town.home("bob"), "store-bob", "bob-6205", "", "").on_hand_each
    delivered(town, order)
    mine = desk.view.get(STOCK, desk.view.home, "store-ann", "A-77", "", "bob")
    assert mine.on_hand_each == 15 and mine.owner == "bob"
    assert desk.view.get(STOCK, desk.view.home, "store-ann", "A-77", "", "").on_hand_each == 0
    [one] = proposals(desk.view, found)
    assert one.position_each == 0 and one.borrowed_each == 15 and one.sources == (), "no second loan of the same"
    [loan] = loans(desk.view)
    assert (loan.order, loan.lender, loan.here, loan.owed, loan.coming) == (order, "bob", 15, 15, 0)
    town.do("ann", ReturnGoods(circle=town.ab, shipment=f"S-{order}", return_id="R1", answer_by=town.now() + DAY,
                               lines=[ReturnLineAsked(line=1, each=15, from_stock=StockKey(own_number="A-77",
                                                                                         site="store-ann"))],
                               reason="given back"))  # fmt: skip
    town.do("bob", AcceptReturn(circle=town.ab, return_id="R1", lines=[
        AcceptedLine(line=1, each=15, to_stock=StockKey(own_number="bob-6205", site="store-bob"))]))  # fmt: skip
    assert town.node.view("ann").rows(STOCK, "owner = 'bob' AND on_hand_each > 0") == []
    after = town.node.view("bob").get(STOCK, town.home("bob"), "store-bob", "bob-6205", "", "").on_hand_each
    assert after == before and loans(desk.view) == []


def test_only_a_rule_that_says_so_borrows_and_within_its_limits(town):
    lend(town)
    found, desk = shelves_of(town), town.desk("ann")
    rule = {"circle": town.home("ann"), "seller": "", "currency": "EUR", "total_max_minor": 10**6}
    desk.do(SetRule(rule="any", source_kind="", line_max_minor=10**6, **rule))
    [(_, chosen, _)] = allowed(desk.view, found)
    assert chosen == [], "a loan has to be given back: no rule takes one unasked"
    desk.do(SetRule(rule="lend", source_kind="loan", line_max_minor=15 * 900 - 1, **rule))
    assert [len(chosen) for _, chosen, _ in allowed(desk.view, found)] == [0, 0]
    desk.do(SetRule(rule="lend", source_kind="loan", line_max_minor=15 * 900, **rule))
    chosen = allowed(desk.view, found)[1][1]
    assert chosen == [Chosen("A-77", "loan|lb", 15)]
    assert accept(desk, found, chosen).loans and [len(c) for _, c, _ in allowed(desk.view, found)] == [0, 0]


def test_what_is_lent_is_not_for_customers_and_its_worth_counts_to_the_limit(town):
    lend(town)
    found = shelves_of(town)
    with pytest.raises(Refused, match=r"desk\.over_limit"):
        accept(town.desk("ann", "buyer", limit_minor=15 * 900 - 1), found, [Chosen("A-77", "loan|lb", 15)])
    to = DeliverTo(city="Kiel", country="DE", latitude_microdeg=54_323_000, longitude_microdeg=10_123_000)
    wish = Wish(lines=(WishLine(1, "item-6205", 5),), customer="A plant", currency="EUR", to=to)
    with pytest.raises(Refused, match=r"buying\.loan_to_others"):
        buy(town.desk("ann"), wish, [Choice(1, "lb", 5, 900)])


def test_a_page_shows_the_loan_and_asks_for_it(town, monkeypatch):
    lend(town)
    found = shelves_of(town)
    job = type("Job", (), {"found": found, "state": "there", "at": 0})()
    monkeypatch.setattr(page_replenish, "shelves", lambda node, party: job)
    ann = town.visitor("ann", "buyer")
    text = html.unescape(ann.get("/plans/replenish").text)
    assert "Bob, Bremen: borrow, worth 9.00 EUR, up to 15 (lent: give it back; nothing is billed)" in text
    answer = ann.post("/plans/replenish/accept", {"id": "A-77", "from:A-77": "loan|lb", "each:A-77": "15"})
    assert answer.status_code == 303
    text = html.unescape(ann.get("/plans/replenish").text)
    assert "and 15 lent to you" in text and "Lent to you, to give back" in text


def test_a_round_that_replenishment_proposes_is_joined_and_the_commitment_stands_at_the_tiers_price(town, monkeypatch):
    pool = joining.group(town.node, ["cay", "ann", "bob"], "Buyers")
    joining.relationship(town.node, "cay", "ann")
    joining.relationship(town.node, "cay", "bob")
    town.do("cay", Charter(circle=pool, group="g", name="Buyers", currency="EUR", purpose=""))
    town.do("ann", Join(circle=pool, group="g"))
    town.do("bob", Join(circle=pool, group="g"))
    found, desk = shelves_of(town), town.desk("ann")
    [bare] = proposals(desk.view, found)
    need = bare.order_each
    until = town.now() + 3 * DAY
    tiers = [PriceTier(from_each=1, unit_price_minor=650), PriceTier(from_each=need + 3, unit_price_minor=500)]
    town.do("cay", OpenRound(circle=pool, group="g", round="r1", commit_by=until, item="item-6205", supplier="Maker",
                             currency="EUR", note="", tiers=tiers))  # fmt: skip
    [one] = proposals(desk.view, found)
    [source] = one.sources
    assert (source.key, source.each, source.unit_price_minor) == ("round|r1", need + 3, 500), "3 more reach the tier"
    job = type("Job", (), {"found": found, "state": "there", "at": 0})()
    monkeypatch.setattr(page_replenish, "shelves", lambda node, party: job)
    ann = town.visitor("ann", "buyer")
    assert "3 more each than needed reach the next tier" in html.unescape(ann.get("/plans/replenish").text)
    answer = ann.post("/plans/replenish/accept", {"id": "A-77", "from:A-77": source.key, "each:A-77": str(source.each)})
    assert answer.status_code == 303
    circle = relationship_with(desk.view, "cay")
    stands = desk.view.get(COMMITMENTS, circle, "r1", "ann")
    assert (stands.each, stands.price_max_minor) == (need + 3, 0)
    assert proposals(desk.view, found) == [], "what is committed is coming: it is not proposed, nor committed, twice"
    told = queries.telling(town.node.view("cay"), "r1")
    town.do("cay", told)
    town.clock.now = until + 60
    town.offer("o-tick", each=1)  # any block ends what is due
    town.do("cay", queries.closing(town.node.view("cay"), "r1"))
    assert town.node.view("cay").get(COMMITMENTS_AT_HOME, town.home("cay"), "r1", "ann").each == need + 3
    page = queries.round_page(town.node.view("ann"), "r1")
    assert (page.terms.unit_price_minor, page.mine.each) == (500, need + 3)
    assert town.node.view("bob").rows(COMMITMENTS) == [], "no other member sees it"
    with pytest.raises(Refused):
        desk.do(Commit(circle=circle, round="r1", each=1, price_max_minor=0))
