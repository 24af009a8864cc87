"""The pages of orders, over HTTP on a real node."""

from __future__ import annotations

import html
import re
from urllib.parse import quote

import pytest

from hanse.node import joining
from hanse.rooms.orders.facts import DeliverTo, PlaceLine, PlaceOrder
from hanse.rooms.orders.pages_forms import day_text
from hanse.rooms.orders.queries import order_page
from hanse.rooms.orders.rows import SHIPMENTS
from hanse.rooms.orders.testing_pages import PNG, act, code_of, day, link_of, shipped
from hanse.site.testing import DAY, EVIL, SmallTown, Visitor


@pytest.fixture(scope="module")
def town(town: SmallTown) -> SmallTown:
    town.offer("o-ab", "bob", circle=town.ab, each=40, price=1000)
    town.offer("o-pool", "cay", each=40, price=900)
    return town


@pytest.fixture(scope="module")
def eve(town: SmallTown) -> Visitor:
    return town.visitor("eve")


def test_an_order_goes_from_placed_to_rated_by_its_pages_alone(town: SmallTown, ann: Visitor, bob: Visitor) -> None:
    town.order("PO/1")
    assert "PO/1" in bob.get("/orders?side=sell&f.state=to+confirm&by=due").text
    assert act(bob, "confirm", "PO/1", each__1="8", promised__1=day(town, 2)).status_code == 303
    late = act(bob, "confirm", "PO/1", each__1="2", promised__1=day(town, 40), price__1="11.00")
    assert late.status_code == 303
    assert "The seller proposes a change" in ann.get("/orders/o/PO%2F1").text
    assert "The seller proposes a change" not in bob.get("/orders/o/PO%2F1").text
    assert act(ann, "answer", "PO/1", accept__1="yes").status_code == 303
    stock = '["bob-6205","store-bob",""]'
    assert act(bob, "ship", "PO/1", each__1="10", stock__1=stock, lot__1="", carrier="DHL").status_code == 303
    page = order_page(town.node.view("bob"), "PO/1")
    assert page is not None
    sid = page.shipments[0].shipment.shipment
    assert act(bob, "hand_over", "PO/1", shipment=sid, taken_by="Jo").status_code == 303
    received = act(ann, "receive", "PO/1", shipment=sid, received__1="8", damaged__1="1", reason__1="bent")
    assert received.status_code == 303
    shown = ann.get("/orders/o/PO%2F1").text
    assert "signed by both" in shown and "bent" in shown
    assert "/orders/do/hand_over" not in bob.get("/orders/o/PO%2F1").text
    assert act(bob, "contest", "PO/1", shipment=sid, reason="All ten were good").status_code == 303
    assert act(ann, "return", "PO/1", shipment=sid, each__1="1", reason="bent").status_code == 303
    back = order_page(town.node.view("bob"), "PO/1")
    assert back is not None
    name = back.returns[0].return_id
    assert act(bob, "accept_return", "PO/1", return_id=name, each__1="1").status_code == 303
    assert act(ann, "rate", "PO/1", shipment=sid, score="4", comment="fast").status_code == 303
    done = ann.get("/orders/o/PO%2F1").text
    for words in ("Rated", "Return accepted", "Contested", "Proof of delivery", "/history/"):
        assert words in done
    assert "1 each of the shipment of" in done and name not in done, "a return is told by what it is, not by its code"


def test_a_competitor_finds_nothing_of_an_order(town: SmallTown, eve: Visitor, bob: Visitor) -> None:
    sid = shipped(town, bob, "secret-1", 1)
    for path in (
        "/orders/o/secret-1", f"/orders/slip/{sid}", f"/orders/note/{sid}", "/orders/confirmation/secret-1",
    ):  # fmt: skip
        assert eve.get(path).status_code == 404
        assert town.visitor().get(path).status_code == 303, "a stranger is asked to sign in"
    assert "secret-1" not in eve.get("/orders").text
    assert "secret-1" not in eve.get("/orders?format=csv").text
    assert "/orders/o/" not in eve.get("/search?q=secret-1").text
    assert "/orders/o/secret-1" in bob.get("/search?q=secret-1").text
    assert act(eve, "receive", "secret-1", shipment=sid).status_code == 404


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"each__1": "many", "promised__1": "2030-01-01"}, "form.not_a_number"),
        ({"each__1": "1", "promised__1": "soon"}, "form.not_a_day"),
        ({"each__1": "1", "promised__1": "2030-01-01", "price__1": "1.234"}, "form.not_an_amount"),
        ({"each__1": "11", "promised__1": "2026-01-01"}, "orders.more_than_open"),
        ({}, "orders.nothing_confirmed"),
    ],
)
def test_a_wrong_form_comes_back_with_what_was_typed(
    town: SmallTown, bob: Visitor, fields: dict[str, str], code: str
) -> None:
    name = "wrong-1"
    if order_page(town.node.view("bob"), name) is None:
        town.order(name)
    answer = act(bob, "confirm", name, **fields)
    assert answer.status_code == 422 and code_of(answer) == code
    for value in fields.values():
        assert f'value="{value}"' in answer.text


@pytest.mark.parametrize("role", ["buyer", "warehouse", "viewer"])
def test_a_role_sees_only_its_own_buttons_and_cannot_post_past_them(town: SmallTown, role: str) -> None:
    name = f"role-{role}"
    town.order(name)
    who = town.visitor("bob", role)
    text = who.get(f"/orders/o/{name}").text
    assert ('action="/orders/do/confirm"' in text) == (role == "buyer")
    if role != "buyer":
        answer = act(who, "confirm", name, each__1="1", promised__1=day(town, 2))
        assert answer.status_code == 403 and code_of(answer) == "desk.not_permitted"


def test_html_in_every_text_field_is_escaped(town: SmallTown, ann: Visitor, bob: Visitor) -> None:
    town.order("evil", po_number=EVIL, note=EVIL)
    assert act(bob, "confirm", "evil", each__1="10", promised__1=day(town, 2), note=EVIL).status_code == 303
    stock = '["bob-6205","store-bob",""]'
    sent = act(bob, "ship", "evil", each__1="10", stock__1=stock, carrier=EVIL, tracking=EVIL, lot__1="")
    assert sent.status_code == 303
    sid = order_page(town.node.view("bob"), "evil").shipments[0].shipment.shipment  # type: ignore[union-attr]
    assert act(ann, "receive", "evil", shipment=sid, received__1="9", reason__1=EVIL).status_code == 303
    assert act(ann, "rate", "evil", shipment=sid, score="1", comment=EVIL).status_code == 303
    assert ann.post("/orders/message", {"order": "evil", "text": EVIL}).status_code == 303
    for path in ("/orders/o/evil", "/orders", f"/orders/note/{sid}", f"/orders/slip/{sid}", f"/search?q={quote(EVIL)}"):
        for who in (ann, bob):
            assert EVIL not in who.get(path).text, path
    assert html.escape(EVIL) in ann.get("/orders/o/evil").text


def test_a_file_travels_with_a_message_and_only_to_the_two_sides(
    town: SmallTown, ann: Visitor, bob: Visitor, eve: Visitor
) -> None:
    town.order("filed")
    sent = ann.post("/orders/message", {"order": "filed", "text": "the drawing"}, files={"file": ("d 1.pdf", b"%PDF")})
    assert sent.status_code == 303
    href = re.search(r'href="(/orders/file/[^"]+)"', bob.get("/orders/o/filed").text)
    assert href is not None
    got = bob.get(href.group(1))
    assert got.content == b"%PDF" and got.headers["content-disposition"] == "attachment"
    assert got.headers["content-type"] == "application/octet-stream"
    assert eve.get(href.group(1)).status_code == 404
    assert code_of(ann.post("/orders/message", {"order": "filed", "text": ""})) == "orders.empty_message"
    assert eve.post("/orders/message", {"order": "filed", "text": "hi"}).status_code == 404


def test_the_packing_slip_is_neutral(town: SmallTown, bob: Visitor) -> None:
    sid = shipped(town, bob, "neutral-1")
    text = bob.get(f"/orders/slip/{sid}").text
    slip = text[text.index('class="panel print-doc"') : text.index("</main>")]
    for word in ("Ann", "Bob", "4500017", "10.00", "EUR", "A-77", "neutral-1"):
        assert word not in slip
    assert "Ball bearing 6205" in slip and "10 each" in slip


def test_a_driver_signs_on_glass_once_and_without_an_account(town: SmallTown, ann: Visitor, bob: Visitor) -> None:
    sid = shipped(town, bob, "glass-1")
    slip = bob.post("/orders/pod-link", {"order": "glass-1", "shipment": sid})
    assert slip.status_code == 200 and "<svg" in slip.text
    link, driver = link_of(slip), town.visitor()
    asked = driver.get(link)
    assert asked.status_code == 200 and "10 each should be in it" in asked.text
    for word in ("Bob", "4500017", "EUR"):
        assert word not in asked.text, "the receiver learns nothing of the trade"
    token = driver.token(link)
    form = {"received.1": "9", "damaged.1": "1", "received_by": "", "signature": ""}
    assert code_of(driver.post(link, form, token=token)) == "form.no_name"
    form["received_by"] = EVIL
    bad = driver.post(link, {**form, "signature": "data:image/png;base64,AAAA"}, token=token)
    assert bad.status_code == 422 and code_of(bad) == "form.bad_signature" and EVIL not in bad.text
    done = driver.post(link, {**form, "signature": f"data:image/png;base64,{PNG}"}, token=token)
    assert done.status_code == 200 and "It is signed" in done.text
    row = town.node.view("ann").get(SHIPMENTS, sid)
    assert row is not None and row.method == "link" and row.lines[0].received == 9 and row.lines[0].damaged == 1
    again = driver.get(link)
    assert again.status_code == 410 and code_of(again) == "link.used"
    assert driver.post(link, form, token=token).status_code == 410
    shown = ann.get("/orders/o/glass-1").text
    assert "on glass, by link" in shown and "Contest the receipt" in shown
    answer = ann.post("/orders/do/contest", {"order": "glass-1", "shipment": sid, "reason": f"not ours {EVIL}"})
    assert answer.status_code == 303
    for who in (ann, bob):
        text = who.get("/orders/o/glass-1").text
        assert "contested: unproven" in text and "not ours" in text and EVIL not in text
    page = order_page(town.node.view("ann"), "glass-1")
    assert page is not None and page.shipments[0].terms is not None
    signature = page.shipments[0].terms.paper_hash
    assert f"/orders/file/{signature}/signature.png" in shown
    assert ann.get(f"/orders/file/{signature}/signature.png").content.startswith(b"\x89PNG")


@pytest.mark.parametrize(("party", "role"), [("ann", "viewer"), ("bob", "viewer"), ("eve", "owner")])
def test_who_may_not_receive_or_hand_over_makes_no_link(town: SmallTown, bob: Visitor, party: str, role: str) -> None:
    sid = shipped(town, bob, f"nolink-{party}-{role}", 1)
    who = town.visitor(party, role)
    assert who.post("/orders/pod-link", {"shipment": sid}).status_code == (403 if role == "viewer" else 404)


def test_an_unknown_link_says_so(town: SmallTown) -> None:
    assert town.visitor().get("/pod/nothing").status_code == 404


def test_a_competitor_finds_only_what_is_offered_to_it(town: SmallTown, eve: Visitor) -> None:
    text = eve.get("/find?i=item-6205&n=1").text
    assert "Cay" in text and "Bob, Bremen" not in text


def test_find_plans_over_several_owners_and_places_one_customer_document(town: SmallTown, ann: Visitor) -> None:
    assert "Ball bearing" in ann.get("/find?q=6205").text
    path = f"/find?i=item-6205&n=60&p=15.00&customer=Klinik+Nord&to=store-ann&by={day(town, 20)}"
    shown = ann.get(path)
    assert shown.status_code == 200 and "The best way" in shown.text
    assert "up to 80 each offered to you" in shown.text
    form = {name: html.unescape(v) for name, v in re.findall(r'name="(wish|chosen)" value="([^"]*)"', shown.text)}
    done = ann.post(path.replace("/find?", "/find/place?"), form)
    assert done.status_code == 303, code_of(done)
    document = ann.get(done.headers["location"]).text
    assert "Ball bearing 6205" in document and "Customer wants" in document
    assert "Klinik Nord" in document and "Bob" in document and "Cay" in document and "900.00 EUR" in document
    assert joining.relationship_of(town.node, "ann", "cay")
    seller = town.visitor("cay").get("/orders").text
    assert "Ann" in seller and "Klinik" not in seller
    stale = ann.post(path.replace("/find?", "/find/place?"), form)
    assert stale.status_code == 422 and code_of(stale) == "buying.not_enough"


def test_find_says_what_becomes_of_a_rest_and_when_it_is_cancelled(town: SmallTown, ann: Visitor) -> None:
    town.offer("o-rest", "bob", circle=town.ab, each=3, price=700)
    ends = day(town, 9)
    path = f"/find?i=item-6205&n=3&to=store-ann&rest=complete&cancel_after={ends}"
    shown = ann.get(path)
    assert 'value="complete" checked' in shown.text
    form = {name: html.unescape(v) for name, v in re.findall(r'name="(wish|chosen)" value="([^"]*)"', shown.text)}
    done = ann.post(path.replace("/find?", "/find/place?"), form)
    assert done.status_code == 303, code_of(done)
    order = done.headers["location"].removeprefix("/orders/o/").partition("?")[0]
    page = order_page(town.node.view("bob"), order)
    assert page is not None and page.order.ship_complete and page.order.backorder
    assert day_text(page.order.cancel_after_at) == ends
    assert "Ships complete." in ann.get(f"/orders/o/{order}").text
    cancel = ann.get("/find?i=item-6205&n=1&to=store-ann&rest=cancel").text
    assert "&#34;backorder&#34;:false" in cancel


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("i=item-6205&n=1&cancel_after=1999-01-01", "orders.bad_deadline"),
        ("i=item-6205&n=1&cancel_after=2999-01-01", "orders.bad_deadline"),
        ("i=item-6205&n=1&cancel_after=never", "form.not_a_day"),
        ("i=nothing&n=1", "buying.unknown_item"),
        ("i=item-6205&n=x", "form.not_a_number"),
        ("i=item-6205&n=1&city=Atlantis", "form.unknown_city"),
        ("i=item-6205&n=1&by=soon", "form.not_a_day"),
        ("i=item-6205&n=1&p=cheap", "form.not_an_amount"),
    ],
)
def test_find_says_what_it_does_not_understand(ann: Visitor, query: str, code: str) -> None:
    answer = ann.get(f"/find?{query}")
    assert answer.status_code == 422 and code_of(answer) == code


def test_a_plan_that_was_tampered_with_is_refused(ann: Visitor) -> None:
    assert code_of(ann.post("/find/place", {"wish": "{}", "chosen": "[]"})) == "form.bad_plan"


def test_a_purchase_above_the_limit_waits_for_an_owner(town: SmallTown, ann: Visitor) -> None:
    town.offer("o-big", "bob", circle=town.ab, each=20, price=2000)
    town.accounts.add_membership(town.users["ann", "buyer"], "ann", "buyer", 100)
    buyer = town.visitor("ann", "buyer")
    path = "/find?i=item-6205&n=15&to=store-ann"
    shown = buyer.get(path).text
    assert "Ask for approval" in shown and "Order for" not in shown
    form = {name: html.unescape(v) for name, v in re.findall(r'name="(wish|chosen)" value="([^"]*)"', shown)}
    assert code_of(buyer.post("/find/place", form)) == "desk.over_limit"
    assert buyer.post("/find/place", {**form, "ask": "1"}).status_code == 303
    assert "Approve and order" not in buyer.get("/orders/approvals").text
    mine = ann.get("/orders/approvals").text
    assert "Buyer of Ann" in mine and "Approve and order" in mine
    assert "Approve a purchase" in ann.get("/").text
    [name] = re.findall(r'name="request" value="([^"]+)"', mine)
    done = ann.post("/orders/approvals", {"request": name, "answer": "yes"})
    assert done.status_code == 303 and name in done.headers["location"], code_of(done)
    assert ann.get(done.headers["location"]).status_code == 200
    again = ann.post("/orders/approvals", {"request": name, "answer": "yes"})
    assert code_of(again) == "buying.decided"
    assert town.visitor("ann", "warehouse").get("/orders/approvals").status_code == 404


def test_today_ranks_what_is_late_first_and_shows_only_a_roles_own_work(town: SmallTown, bob: Visitor) -> None:
    town.order("today-1")
    assert "Answer an order of Ann" in bob.get("/").text
    assert "Answer an order of Ann" not in town.visitor("bob", "warehouse").get("/").text
    assert "Answer an order of Ann" not in town.visitor("eve").get("/").text


def test_lists_come_as_files_with_the_same_rows(town: SmallTown, ann: Visitor) -> None:
    town.order("listed-1")
    csv = ann.get("/orders?format=csv&rows=1000").text
    json = ann.get("/orders?format=json&rows=1000").json()
    rows = json["rows"] if isinstance(json, dict) else json
    assert len(csv.strip().splitlines()) == len(rows) + 1 >= 2


@pytest.mark.parametrize("query", ["side=both", "f.state=lost", "sort=amount_minor", "after=zz", "f.nothing=1"])
def test_a_list_refuses_what_it_does_not_know(ann: Visitor, query: str) -> None:
    assert 400 <= ann.get(f"/orders?{query}").status_code < 500


def test_what_one_side_alone_signs_counts_in_the_firms_own_figures_marked_unproven(town: SmallTown) -> None:
    line = PlaceLine(
        line=1, each=2, item="item-6205", own_number="cay-6205", unit_price_minor=1500, requested_at=town.now() + DAY
    )
    cay = town.visitor("cay")
    assert "unproven: " not in cay.get("/").text
    town.do(
        "cay",
        PlaceOrder(
            circle=town.home("cay"), order="SO-9", side="sell", counterparty="Werft Nord", currency="EUR",
            deliver_to=DeliverTo(city="Hamburg", country="DE"), lines=[line],
        ),
    )  # fmt: skip
    assert act(cay, "confirm", "SO-9", each__1="2", promised__1=day(town, 1)).status_code == 303
    stock = '["cay-6205","store-cay",""]'
    assert act(cay, "ship", "SO-9", each__1="2", stock__1=stock).status_code == 303
    page = order_page(town.node.view("cay"), "SO-9")
    assert page is not None and page.unproven
    assert act(cay, "receive", "SO-9", shipment=page.shipments[0].shipment.shipment, received__1="2").status_code == 303
    shown = cay.get("/").text
    assert "no dated delivery that both signed in 90 days; unproven: 1 of 1" in shown
    assert "unproven: one side" in cay.get("/orders/o/SO-9").text
