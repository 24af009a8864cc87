"""The pages of quotes, over HTTP on a real node: asked, quoted, ordered, confirmed; and what others see of it."""

from __future__ import annotations

from typing import Any

import pytest

from hanse.node.answering import Answering
from hanse.rooms.orders.queries import order_page
from hanse.rooms.orders.quote_queries import quotes, quotes_to_answer, quotes_to_order
from hanse.rooms.orders.testing_pages import code_of, day
from hanse.site.testing import EVIL, SmallTown, Visitor


@pytest.fixture(scope="module")
def ann(town: SmallTown) -> Visitor:
    return town.visitor("ann", "buyer")


def asked(town: SmallTown, who: Visitor, **more: Any) -> Any:
    form = {
        "side": "ask", "circle": town.ab, "item1": "SKF 6205", "each1": "50", "currency": "EUR",
        "answer_by": day(town, 3), "note": f"for a pump {EVIL}", **more,
    }  # fmt: skip
    return who.post("/orders/quotes", form)


def place_named(answer: Any) -> str:
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def name_of(town: SmallTown, place: str) -> str:
    return place.removeprefix("/orders/quotes/q/").partition("?")[0]


def test_a_quote_goes_from_asked_to_a_confirmed_order_by_its_pages_alone(
    town: SmallTown, ann: Visitor, bob: Visitor
) -> None:
    place = place_named(asked(town, ann)).partition("?")[0]
    name = name_of(town, place)
    assert "asks for a price" in bob.get("/").text
    shown = bob.get(place).text
    assert "Quote a price" in shown and "&lt;img" in shown and EVIL not in shown
    form = {"quote": name, "each1": "50", "price1": "8.80", "days1": "3", "until": day(town, 7), "note": "ex works"}
    assert bob.post("/orders/quotes/answer", form).status_code == 303
    assert "quotes you a price" in ann.get("/").text
    shown = ann.get(place).text
    assert "440.00" in shown and "ex works" in shown and "Order for" in shown
    answering = Answering(town.node)
    try:
        place = place_named(ann.post("/orders/quotes/order", {
            "quote": name, "to": "store-ann", "by": day(town, 9), "po": "4500099", "rest": "complete",
            "cancel_after": day(town, 30),
        }))  # fmt: skip
        order = place.removeprefix("/orders/o/").partition("?")[0]
        answering.answer("bob", order)
    finally:
        answering.close()
    page = order_page(town.node.view("bob"), order)
    assert page is not None and page.order.state == "confirmed"
    line = page.lines[0]
    assert (line.terms.item, line.terms.unit_price_minor, line.balance.confirmed) == ("item-6205", 880, 50)
    assert (page.terms.po_number, page.order.ship_complete, page.deliver_to.site) == ("4500099", True, "store-ann")
    shown = ann.get(f"/orders/o/{order}").text
    assert "Ships complete" in shown and "is cancelled" in shown and name in shown
    assert code_of(ann.post("/orders/quotes/order", {"quote": name})) == "orders.quote_ended"
    assert "ordered" in ann.get("/orders/quotes").text


def test_a_price_is_quoted_unasked_and_bettered_while_it_stands(town: SmallTown, ann: Visitor, bob: Visitor) -> None:
    form = {
        "side": "offer", "circle": town.ab, "item1": "bob-6205", "each1": "5", "price1": "9.90", "days1": "2",
        "currency": "EUR", "until": day(town, 5),
    }  # fmt: skip
    name = name_of(town, place_named(bob.post("/orders/quotes", form)))
    assert [one.quote.quote for one in quotes_to_order(town.node.view("ann"))] == [name]
    better = {"quote": name, "each1": "5", "price1": "9.50", "days1": "2", "until": day(town, 6)}
    assert bob.post("/orders/quotes/answer", better).status_code == 303
    found = next(one for one in quotes(town.node.view("ann")) if one.quote.quote == name)
    assert (found.side, found.terms.quoted[0].unit_price_minor, found.partner) == ("buy", 950, "bob")
    assert ann.post("/orders/quotes/answer", better).status_code == 404, "who is asked to pay does not name the price"


def test_an_order_that_asks_more_than_its_quote_waits_for_people(town: SmallTown, ann: Visitor, bob: Visitor) -> None:
    name = name_of(town, place_named(asked(town, ann)))
    form = {"quote": name, "each1": "10", "price1": "8.80", "days1": "3", "until": day(town, 7)}
    assert bob.post("/orders/quotes/answer", form).status_code == 303
    town.order("more", each=11, price=880, quote=name)
    answering = Answering(town.node)
    try:
        assert not answering.answer("bob", "more")
    finally:
        answering.close()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"circle": "nowhere"}, "form.choice"),
        ({"item1": ""}, "form.nothing_chosen"),
        ({"item1": "unknown thing"}, "catalog.unknown_item"),
        ({"each1": "0"}, "form.range"),
        ({"each1": "many"}, "form.number"),
        ({"answer_by": "soon"}, "form.day"),
        ({"answer_by": "1999-01-01"}, "orders.bad_deadline"),
        ({"side": "steal"}, "form.choice"),
        ({"currency": "€"}, "form.currency"),
    ],
)
def test_a_wrong_request_is_refused_beside_what_was_typed(
    town: SmallTown, ann: Visitor, fields: dict[str, str], code: str
) -> None:
    size = town.node.log.size
    answer = asked(town, ann, **fields)
    assert answer.status_code == 422 and code_of(answer) == code
    assert town.node.log.size == size
    assert "for a pump" in answer.text or fields.get("side") == "steal"


def test_competitors_and_strangers_see_nothing_of_a_quote(town: SmallTown, ann: Visitor) -> None:
    place = place_named(asked(town, ann))
    eve, name = town.visitor("eve"), name_of(town, place)
    assert eve.get(place).status_code == 404
    assert name not in eve.get("/orders/quotes").text and name not in eve.get("/").text
    assert not quotes_to_answer(town.node.view("eve"))
    assert eve.post("/orders/quotes/answer", {"quote": name, "price1": "1", "until": day(town, 3)}).status_code == 404
    assert town.visitor().get(place).status_code == 303


def test_who_may_not_sign_is_told_so_and_sees_no_button(town: SmallTown, ann: Visitor) -> None:
    place = place_named(asked(town, ann))
    viewer, size = town.visitor("bob", "viewer"), town.node.log.size
    assert "Quote a price</h2>" not in viewer.get(place).text
    form = {"quote": name_of(town, place), "each1": "1", "price1": "1", "until": day(town, 3)}
    assert code_of(viewer.post("/orders/quotes/answer", form)) == "desk.not_permitted"
    assert town.node.log.size == size
