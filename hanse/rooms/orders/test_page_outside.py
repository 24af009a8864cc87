"""A firm alone, by hand: its own numbers, and its orders with firms outside the network, over HTTP on a real node."""

from __future__ import annotations

from typing import Any

import pytest

from hanse.rooms.catalog.facts import OWN_ITEMS
from hanse.rooms.inventory.facts import STOCK, Count, CountLine
from hanse.rooms.orders.queries import order_page
from hanse.rooms.orders.testing_pages import act, code_of, day
from hanse.site.testing import EVIL, SmallTown, Visitor


def number(who: Visitor, name: str, **more: str) -> Any:
    form = {"own_number": name, "description": f"Gland packing {EVIL}", "unit": "BX", "pack_each": "10",
            "cost": "12.50", "currency": "EUR", **more}  # fmt: skip
    return who.post("/own-numbers", form)


def outside(who: Visitor, way: str, **more: str) -> Any:
    form = {"side": way, "counterparty": "Werft Nord", "po": "77", "currency": "EUR", "item1": "A-1", "each1": "4",
            "price1": "15.00", **more}  # fmt: skip
    return who.post("/orders/outside", form)


def order_of(answer: Any) -> str:
    assert answer.status_code == 303, code_of(answer)
    return str(answer.headers["location"]).removeprefix("/orders/o/").partition("?")[0]


def test_a_firm_buys_counts_sells_and_ships_by_hand_alone(town: SmallTown, ann: Visitor) -> None:
    made = number(ann, "A-1")
    assert made.status_code == 303 and made.headers["location"].startswith("/stock/card/A-1")
    assert EVIL not in ann.get("/stock/card/A-1").text
    bought = order_of(outside(ann, "buy", to="store-ann", each1="20", price1="9.00", counterparty="Dicht GmbH"))
    assert act(ann, "confirm", bought, each__1="20", promised__1=day(town, 3)).status_code == 303
    assert act(ann, "ship", bought, each__1="20").status_code == 303
    sid = order_page(town.node.view("ann"), bought).shipments[0].shipment.shipment  # type: ignore[union-attr]
    assert act(ann, "receive", bought, shipment=sid, received__1="20").status_code == 303
    sold = order_of(outside(ann, "sell", city="Hamburg", rest="complete", cancel_after=day(town, 20)))
    page = order_page(town.node.view("ann"), sold)
    assert page is not None and page.unproven and page.order.ship_complete and page.deliver_to.city == "Hamburg"
    assert act(ann, "confirm", sold, each__1="4", promised__1=day(town, 3)).status_code == 303
    stock = '["A-1","store-ann",""]'
    assert act(ann, "ship", sold, each__1="4", stock__1=stock).status_code == 303
    left = town.node.view("ann").get(STOCK, town.home("ann"), "store-ann", "A-1", "", "")
    assert left is not None and left.on_hand_each == 16
    listed = ann.get("/orders?unproven=1").text
    assert "Werft Nord" in listed and "Dicht GmbH" in listed
    assert "Werft Nord" not in town.visitor("bob").get("/orders").text


def test_an_own_number_is_changed_and_not_made_twice(town: SmallTown, ann: Visitor) -> None:
    assert number(ann, "A-2").status_code == 303
    twice = number(ann, "A-2")
    assert twice.status_code == 422 and code_of(twice) == "catalog.number_taken"
    asked = ann.get("/own-numbers/new?number=A-2").text
    assert "Change A-2" in asked and "12.50" in asked
    changed = ann.post("/own-numbers", {"was": "A-2", "description": "Packing", "unit": "H87", "brand": "SKF"})
    assert changed.status_code == 303
    own = town.node.view("ann").get(OWN_ITEMS, town.home("ann"), "A-2")
    assert own is not None and (own.description, own.unit, own.brand, own.pack_each) == ("Packing", "H87", "SKF", 1)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"description": ""}, "form.missing"),
        ({"gtin": "123"}, "catalog.bad_gtin"),
        ({"unit": "XXX"}, "form.choice"),
        ({"pack_each": "0"}, "form.range"),
        ({"cost": "dear"}, "form.number"),
    ],
)
def test_a_wrong_own_number_is_refused(town: SmallTown, ann: Visitor, fields: dict[str, str], code: str) -> None:
    size = town.node.log.size
    answer = number(ann, "A-3", **fields)
    assert answer.status_code == 422 and code_of(answer) == code and town.node.log.size == size


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"side": "steal"}, "form.choice"),
        ({"counterparty": ""}, "form.missing"),
        ({"item1": ""}, "form.nothing_chosen"),
        ({"item1": "no such thing"}, "catalog.unknown_item"),
        ({"each1": "0"}, "form.range"),
        ({"price1": ""}, "form.missing"),
        ({"city": "Atlantis"}, "form.unknown_city"),
        ({"cancel_after": "1999-01-01"}, "orders.bad_deadline"),
        ({"by": "soon"}, "form.day"),
    ],
)
def test_a_wrong_order_is_refused(town: SmallTown, ann: Visitor, fields: dict[str, str], code: str) -> None:
    size = town.node.log.size
    answer = outside(ann, "sell", **{"item1": "SKF 6205", **fields})
    assert answer.status_code == 422 and code_of(answer) == code and town.node.log.size == size


def test_an_own_number_that_is_matched_to_nothing_is_shipped_from_its_stock(town: SmallTown, ann: Visitor) -> None:
    assert number(ann, "A-9").status_code == 303
    town.do("ann", Count(circle=town.home("ann"), counted_at=town.now(), lines=[
        CountLine(site="store-ann", own_number="A-9", each=8, unit_cost_minor=100),
    ]))  # fmt: skip
    sold = order_of(outside(ann, "sell", item1="A-9"))
    assert act(ann, "confirm", sold, each__1="4", promised__1=day(town, 3)).status_code == 303
    assert "A-9 at store-ann: 8 free" in ann.get(f"/orders/o/{sold}").text
