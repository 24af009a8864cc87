"""Promises at order time reckon with what the last plan found scarce: it is kept for lines without another source."""

import time

import pytest

from hanse.node import planning_run
from hanse.node.planning_run import Way
from hanse.node.proposing import Wish, WishLine, choices, propose
from hanse.node.testing_agreed import Hands
from hanse.rooms.inventory.offer_facts import Earmark, MakeOffer, Want
from hanse.rooms.orders.facts import DeliverTo, PlaceLine, PlaceOrder
from hanse.rooms.plans.queries import bid_prices
from hanse.rooms.plans.rows import WINDOWS
from hanse.site.testing import DAY, PLACES, SmallTown

HERE = Way(seconds=None, rounds=2, worker=False)
WAIT_SECONDS = 60


@pytest.fixture
def town(tmp_path):
    hands = Hands()
    made = SmallTown(tmp_path, clock=hands)
    made.hands = hands
    yield made
    made.close()


def want(town, name, party, each):
    city, latitude, longitude = PLACES[party]
    town.do(party, Want(circle=town.pool, want=name, expires_at=town.now() + 5 * DAY, item="item-6205", each=each,
                        borrow=False, country="DE", city=city, latitude_microdeg=latitude,
                        longitude_microdeg=longitude, note=""))  # fmt: skip


def bulky(town):
    """Cay's offer `dear`: a little dearer than bob's, plenty, from 15 each on."""
    city, latitude, longitude = PLACES["cay"]
    town.do(
        "cay",
        Earmark(circle=town.home("cay"), offer="dear", own_number="cay-6205", site="store-cay", lot="", owner="",
                each=90, minimum_price_minor=500, currency="EUR"),
        MakeOffer(circle=town.pool, offer="dear", each=90, expires_at=town.now() + 30 * DAY, item="item-6205",
                  offer_kind="sell", country="DE", city=city, latitude_microdeg=latitude,
                  longitude_microdeg=longitude, unit_price_minor=1030, currency="EUR", pack_each=1, minimum_each=15,
                  lead_time_days=1, firm=True, condition="new", lot_expiry_at=0),
    )  # fmt: skip


def plan_and_end(town, party, circle=""):
    """A plan that wins: its window ends at once, by the town's clock, however long the planning took."""
    found = planning_run.plan(town.desk(party), circle, way=HERE)
    town.hands.at += planning_run.WINDOW_SECONDS + 1
    town.node.path.engine.tick()
    until = time.monotonic() + WAIT_SECONDS
    while town.node.view(party).get(WINDOWS, found.window).winner != found.plan:
        assert time.monotonic() < until, "the window has not ended"
        time.sleep(0.01)
    return found


def wish_of(party, each):
    city, latitude, longitude = PLACES[party]
    to = DeliverTo(site=f"store-{party}", city=city, country="DE", latitude_microdeg=latitude,
                   longitude_microdeg=longitude)  # fmt: skip
    return Wish(lines=(WishLine(1, "item-6205", each),), to=to)


def test_a_scarce_offer_is_not_given_to_a_line_with_a_cheap_alternative(town):
    town.offer("near", "bob", each=20, price=1000)
    bulky(town)
    before = propose(town.node.view("ann"), wish_of("ann", 15))
    assert [one.offer for one in choices(before)] == ["near"], "the cheapest, while nothing is scarce"
    for number in range(3):  # of too few each for the other offer: they have no other source
        want(town, f"w{number}", "eve", 10)
    plan_and_end(town, "cay", town.pool)
    bids = bid_prices(town.node.view("ann"))
    assert bids.get("near", 0) > 0 and "dear" not in bids
    after = propose(town.node.view("ann"), wish_of("ann", 15))
    assert [one.offer for one in choices(after)] == ["dear"], "kept for those to whom it is worth more"
    line = after.plan.lines[0]
    assert line.parts[0].unit_price_minor == 1030, "nobody is charged for scarcity"
    only = propose(town.node.view("ann"), wish_of("ann", 100))
    assert sorted(one.offer for one in choices(only)) == ["dear", "near"], "scarce is not forbidden"


def test_scarce_own_stock_is_known_by_number_and_site(town):
    for name in ("SO1", "SO2", "SO3"):
        line = PlaceLine(line=1, each=50, item="item-6205", own_number="", unit_price_minor=1500, requested_at=0)
        town.do("bob", PlaceOrder(
            circle=town.home("bob"), order=name, side="sell", counterparty="A customer", po_number="1", currency="EUR",
            deliver_to=DeliverTo(city="Hamburg", country="DE"), lines=[line],
        ))  # fmt: skip
    town.offer("oc", "cay", each=90, price=1900)
    plan_and_end(town, "bob")
    view = town.node.view("bob")
    assert list(bid_prices(view)) == ["own/bob-6205/store-bob"]
    assert bid_prices(town.node.view("ann")) == {}, "what a firm's own plan found is its own"
    found = propose(view, wish_of("bob", 30))
    assert [(one.offer, one.each) for one in choices(found)] == [("own/bob-6205/store-bob/", 30)], "own stock first"


def test_prices_are_of_what_a_promise_asks_for(town):
    town.offer("near", "bob", each=20)
    bulky(town)
    for number in range(3):
        want(town, f"w{number}", "eve", 10)
    plan_and_end(town, "cay", town.pool)
    view = town.node.view("ann")
    assert bid_prices(view, ["near", "dear", "none"]) == bid_prices(view) != {}
    assert bid_prices(view, ["dear"]) == {}
