"""Taking one offer as it stands, and what is lent by order until it is back, over HTTP on a real node."""

from __future__ import annotations

import pytest

from hanse.rooms.inventory.offer_facts import Earmark, MakeOffer
from hanse.rooms.orders.lending import lent_out
from hanse.rooms.orders.queries import order_page
from hanse.rooms.orders.testing_pages import act, code_of
from hanse.site.testing import DAY, SmallTown, Visitor


@pytest.fixture(scope="module")
def town(town: SmallTown) -> SmallTown:
    town.offer("o-sell", "bob", circle=town.ab, each=40, price=1000)
    town.do(
        "bob",
        Earmark(
            circle=town.home("bob"), offer="o-lend", own_number="bob-6205", site="store-bob", lot="", owner="",
            each=30, minimum_price_minor=0, currency="EUR",
        ),
        MakeOffer(
            circle=town.ab, offer="o-lend", each=30, expires_at=town.now() + 30 * DAY, item="item-6205",
            offer_kind="lend", country="DE", city="Bremen", latitude_microdeg=53_079_000, longitude_microdeg=8_801_000,
            unit_price_minor=700, currency="EUR", pack_each=1, minimum_each=1, lead_time_days=1, firm=True,
            condition="new", lot_expiry_at=0,
        ),
    )  # fmt: skip
    return town


def taken(who: Visitor, offer: str, each: str, **more: str) -> str:
    answer = who.post("/find/take", {"offer": offer, "each": each, "to": "store-ann", **more})
    assert answer.status_code == 303, code_of(answer)
    return str(answer.headers["location"]).removeprefix("/orders/o/").partition("?")[0]


def test_what_is_lent_is_borrowed_from_its_page_and_listed_until_it_is_back(
    town: SmallTown, ann: Visitor, bob: Visitor
) -> None:
    shown = ann.get("/offers/o/o-lend?n=7").text
    assert "Borrow it" in shown and 'value="7"' in shown and "Compare with others" not in shown
    order = taken(ann, "o-lend", "7", po="4711")
    page = order_page(town.node.view("bob"), order)
    assert page is not None and page.terms.loan and page.terms.po_number == "4711" and not page.terms.drop_ship
    town_confirm = {"each__1": "7", "promised__1": "2099-01-01"}
    if page.order.state == "placed":
        assert act(bob, "confirm", order, **town_confirm).status_code == 303
    assert "No other firm keeps goods of yours" in bob.get("/stock/held").text
    assert act(bob, "ship", order, each__1="7").status_code == 303
    [on_way] = lent_out(town.node.view("bob"))
    assert (on_way.borrower, on_way.out, on_way.on_way) == ("ann", 0, 7)
    sid = order_page(town.node.view("ann"), order).shipments[0].shipment.shipment  # type: ignore[union-attr]
    assert act(ann, "receive", order, shipment=sid, received__1="6", damaged__1="1").status_code == 303
    [lent] = lent_out(town.node.view("bob"))
    assert (lent.item, lent.out, lent.on_way, lent.unit_price_minor) == ("item-6205", 7, 0, 700)
    shown = bob.get("/stock/held").text
    assert "Lent by order" in shown and f"/orders/o/{order}" in shown and "49.00 EUR" in shown
    assert "Lent by order" not in ann.get("/stock/held").text
    assert lent_out(town.node.view("eve")) == ()
    assert act(ann, "return", order, shipment=sid, each__1="7").status_code == 303
    back = order_page(town.node.view("bob"), order)
    assert back is not None
    assert act(bob, "accept_return", order, return_id=back.returns[0].return_id, each__1="7").status_code == 303
    assert lent_out(town.node.view("bob")) == ()


def test_one_offer_is_bought_from_as_it_stands(town: SmallTown, ann: Visitor) -> None:
    shown = ann.get("/offers/o/o-sell").text
    assert "Order from it" in shown and "Compare with others" in shown
    order = taken(ann, "o-sell", "3", city="Kiel", by="2099-01-01")
    page = order_page(town.node.view("ann"), order)
    assert page is not None and page.terms.drop_ship and not page.terms.loan
    assert page.lines[0].terms.unit_price_minor == 1000


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"each": "many"}, "form.not_a_number"),
        ({"each": "0"}, "buying.bad_quantity"),
        ({"each": "1000"}, "buying.not_enough"),
        ({"each": "1", "city": "Atlantis"}, "form.unknown_city"),
        ({"each": "1", "by": "soon"}, "form.not_a_day"),
        ({"each": "1", "city": "Kiel", "offer": "o-lend"}, "buying.loan_to_others"),
    ],
)
def test_a_wrong_order_is_refused_on_the_offers_page(
    town: SmallTown, ann: Visitor, fields: dict[str, str], code: str
) -> None:
    size = town.node.log.size
    answer = ann.post("/find/take", {"offer": "o-sell", "to": "store-ann", **fields})
    assert answer.status_code == 422 and code_of(answer) == code
    assert f'value="{fields["each"]}"' in answer.text and town.node.log.size == size


def test_who_is_not_offered_it_takes_none_of_it(town: SmallTown) -> None:
    eve, size = town.visitor("eve"), town.node.log.size
    assert eve.post("/find/take", {"offer": "o-sell", "each": "1"}).status_code == 404
    viewer = town.visitor("ann", "viewer")
    assert "Order from it" not in viewer.get("/offers/o/o-sell").text
    assert code_of(viewer.post("/find/take", {"offer": "o-sell", "each": "1"})) == "desk.not_permitted"
    assert town.node.log.size == size
