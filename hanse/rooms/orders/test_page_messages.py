"""Messages and files on an order, on one of its deliveries or items, and about an item, over HTTP on a real node."""

from __future__ import annotations

import re

from hanse.rooms.orders.message_queries import messages_about
from hanse.rooms.orders.testing_pages import act, code_of, shipped
from hanse.site.testing import EVIL, SmallTown, Visitor


def test_a_message_says_which_delivery_or_item_it_is_about(town: SmallTown, ann: Visitor, bob: Visitor) -> None:
    sid = shipped(town, bob, "talk-1")
    asked = ann.get("/orders/o/talk-1").text
    assert f'value="s:{sid}"' in asked and 'value="i:item-6205"' in asked
    photo = {"file": ("photo.jpg", b"\xff\xd8\xff")}
    sent = ann.post("/orders/message", {"order": "talk-1", "about": f"s:{sid}", "text": "a box is wet"}, files=photo)
    assert sent.status_code == 303
    sent = ann.post("/orders/message", {"order": "talk-1", "about": "i:item-6205", "text": f"which grease? {EVIL}"})
    assert sent.status_code == 303
    shown = bob.get("/orders/o/talk-1").text
    assert re.search(r"the shipment of \d+ [A-Z].{0,400}a box is wet", shown, re.DOTALL) and "photo.jpg" in shown
    assert re.search(r"Ball bearing 6205.{0,400}which grease\?", shown, re.DOTALL) and EVIL not in shown
    other = shipped(town, bob, "talk-2")
    wrong = ann.post("/orders/message", {"order": "talk-1", "about": f"s:{other}", "text": "no"})
    assert wrong.status_code == 422 and code_of(wrong) == "form.choice" and ">no</textarea>" in wrong.text
    assert act(ann, "receive", "talk-1", shipment=sid, received__1="10").status_code == 303


def test_an_item_is_talked_about_with_a_partner_a_group_or_oneself(town: SmallTown, ann: Visitor, bob: Visitor) -> None:
    assert "/orders/about/item-6205" in ann.get("/items/item-6205").text
    form = {"item": "item-6205", "circle": town.ab, "text": f"is the drawing right? {EVIL}"}
    drawing = {"file": ("drawing.pdf", b"%PDF-item")}
    assert ann.post("/orders/about", form, files=drawing).status_code == 303
    note = {"item": "item-6205", "circle": town.home("ann"), "text": "too dear at bob"}
    assert ann.post("/orders/about", note).status_code == 303
    assert ann.post("/orders/about", {**form, "circle": town.pool, "text": "who has drawings?"}).status_code == 303
    theirs = bob.get("/orders/about/item-6205").text
    assert "is the drawing right?" in theirs and EVIL not in theirs and "too dear" not in theirs
    href = re.search(r'href="(/orders/file/[^"]+)"', theirs)
    assert href is not None and bob.get(href.group(1)).content == b"%PDF-item"
    eve = town.visitor("eve")
    hers = eve.get("/orders/about/item-6205").text
    assert "who has drawings?" in hers and "is the drawing right?" not in hers and "too dear" not in hers
    assert eve.get(href.group(1)).status_code == 404
    assert [one.text for one in messages_about(town.node.view("cay"), "item-6205")] == ["who has drawings?"]


def test_who_writes_nothing_or_to_nobody_is_told_so(town: SmallTown, ann: Visitor) -> None:
    size = town.node.log.size
    form = {"item": "item-6205", "circle": town.ab, "text": ""}
    assert code_of(ann.post("/orders/about", form)) == "orders.empty_message"
    assert code_of(ann.post("/orders/about", {**form, "circle": town.home("bob"), "text": "x"})) == "form.choice"
    assert ann.post("/orders/about", {**form, "item": "nothing", "text": "x"}).status_code == 404
    viewer = town.visitor("ann", "viewer")
    assert code_of(viewer.post("/orders/about", {**form, "text": "x"})) == "desk.not_permitted"
    assert town.node.log.size == size
