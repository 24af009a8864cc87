"""A substitute on the order's page: named by any of its numbers, judged by the buyer, shipped from its own stock."""

from __future__ import annotations

import pytest

from hanse.rooms.catalog.facts import ApproveSubstitute, JudgeSubstitute, LinkItem, PublishItem, SetOwnItem
from hanse.rooms.inventory.facts import STOCK, Count, CountLine
from hanse.rooms.orders.queries import order_page
from hanse.rooms.orders.testing_pages import act, code_of, day
from hanse.site.testing import SmallTown, Visitor


@pytest.fixture(scope="module")
def town(town: SmallTown) -> SmallTown:
    home = town.home("bob")
    town.do("cay", PublishItem(item="item-6205-c3", description="Ball bearing C3", brand="SKF", part_number="6205-C3"))
    town.do("cay", ApproveSubstitute(item="item-6205", substitute="item-6205-c3"))
    town.do(
        "bob",
        SetOwnItem(
            circle=home, own_number="bob-C3", description="C3", brand="SKF", part_number="6205-C3", gtin="",
            unit="H87", pack_each=1, category="", cost_minor=700, currency="EUR",
        ),
        LinkItem(circle=home, own_number="bob-C3", item="item-6205-c3", method="brand_part"),
        Count(circle=home, counted_at=town.now(), lines=[
            CountLine(site="store-bob", own_number="bob-C3", each=50, unit_cost_minor=700),
        ]),
    )  # fmt: skip
    return town


def test_a_substitute_is_proposed_judged_accepted_and_shipped(town: SmallTown, bob: Visitor) -> None:
    ann = town.visitor("ann")
    town.do("ann", JudgeSubstitute(circle=town.home("ann"), item="item-6205", substitute="item-6205-c3", allow=True))
    town.order("sub-1", each=4)
    assert '<option value="SKF 6205-C3">' in bob.get("/orders/o/sub-1").text
    proposed = act(bob, "confirm", "sub-1", each__1="4", promised__1=day(town, 2), substitute__1="bob-C3")
    assert proposed.status_code == 303, code_of(proposed)
    asked = ann.get("/orders/o/sub-1").text
    assert "Ball bearing C3" in asked and "you take it" in asked and "instead of" in asked
    assert act(ann, "answer", "sub-1", accept__1="yes").status_code == 303
    page = order_page(town.node.view("ann"), "sub-1")
    assert page is not None and page.lines[0].promises[0].item == "item-6205-c3"
    offered = bob.get("/orders/o/sub-1").text
    assert "bob-C3 at store-bob" in offered
    stock = '["bob-C3","store-bob",""]'
    assert act(bob, "ship", "sub-1", each__1="4", stock__1=stock).status_code == 303
    left = town.node.view("bob").get(STOCK, town.home("bob"), "store-bob", "bob-C3", "", "")
    assert left is not None and left.on_hand_each == 46


def test_a_substitute_that_nobody_knows_is_refused_beside_what_was_typed(town: SmallTown, bob: Visitor) -> None:
    town.order("sub-2")
    size = town.node.log.size
    wrong = act(bob, "confirm", "sub-2", each__1="10", promised__1=day(town, 2), substitute__1="SKF nothing")
    assert wrong.status_code == 422 and code_of(wrong) == "catalog.unknown_item" and "SKF nothing" in wrong.text
    assert town.node.log.size == size
    same = act(bob, "confirm", "sub-2", each__1="10", promised__1=day(town, 2), substitute__1="bob-6205")
    assert same.status_code == 303
    page = order_page(town.node.view("bob"), "sub-2")
    assert page is not None and page.order.state == "confirmed", "the item itself is no change"
