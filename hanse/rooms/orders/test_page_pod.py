"""Proof of delivery behind a one-time link: what each side signs by it, photographs, and customers outside the network.

The receiver's signature on glass, once, stands in `test_page.py`. Then the same files by people who are signed in.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from hanse.node import desk
from hanse.rooms.orders import pages_actions, pages_documents, proof_files
from hanse.rooms.orders.facts import DeliverTo, PlaceLine, PlaceOrder
from hanse.rooms.orders.queries import PageShipment, order_page
from hanse.rooms.orders.testing_pages import PNG, act, code_of, day, link_of, shipped
from hanse.site.testing import DAY, EVIL, SmallTown, Visitor

JPEG = b"\xff\xd8\xff\xe0" + bytes(40)


@pytest.fixture(scope="module")
def ann(town: SmallTown) -> Visitor:
    return town.visitor("ann", "warehouse")


def delivery(town: SmallTown, party: str, order: str) -> PageShipment:
    page = order_page(town.node.view(party), order)
    assert page is not None
    return page.shipments[0]


def linked(who: Visitor, order: str, shipment: str) -> str:
    answer = who.post("/orders/pod-link", {"order": order, "shipment": shipment})
    assert answer.status_code == 200
    return link_of(answer)


def signed(town: SmallTown, link: str, **files: Any) -> Any:
    driver = town.visitor()
    form = {"received.1": "10", "over.1": "2", "received_by": "Jo", "signature": f"data:image/png;base64,{PNG}"}
    return driver.post(link, form, token=driver.token(link), files=files or None)


def test_a_link_of_the_sellers_people_signs_for_both_sides(town: SmallTown, bob: Visitor) -> None:
    sid = shipped(town, bob, "both-1")
    done = signed(town, linked(bob, "both-1", sid), file=("p.jpg", JPEG))
    assert done.status_code == 200 and "It is signed" in done.text
    found = delivery(town, "ann", "both-1")
    assert found.proof.word == "both" and found.proof.method == "link"
    assert found.shipment.lines[0].over == 2 and found.terms is not None
    owner = town.visitor("ann")
    shown = owner.get("/orders/o/both-1").text
    assert "signed by both" in shown and "Photograph" in shown
    assert owner.get(f"/orders/file/{found.terms.photo_hash}/photograph").content == JPEG
    assert town.visitor("eve").get(f"/orders/file/{found.terms.photo_hash}/photograph").status_code == 404
    both = (found.terms.handed_paper_hash, found.terms.handed_photo_hash)
    assert both == (found.terms.paper_hash, found.terms.photo_hash), "the driver's link signs both halves with it"


def test_a_link_of_the_buyers_people_signs_the_receipt_alone(town: SmallTown, ann: Visitor, bob: Visitor) -> None:
    sid = shipped(town, bob, "receipt-1")
    assert signed(town, linked(ann, "receipt-1", sid)).status_code == 200
    assert delivery(town, "bob", "receipt-1").proof.word == "receipt"


def test_what_is_no_photograph_is_refused_and_the_link_stays_good(town: SmallTown, bob: Visitor) -> None:
    sid = shipped(town, bob, "photo-1")
    link, size = linked(bob, "photo-1", sid), town.node.log.size
    bad = signed(town, link, file=("p.jpg", b"<script>"))
    assert bad.status_code == 422 and code_of(bad) == "form.bad_photo" and town.node.log.size == size
    assert signed(town, link, file=("p.jpg", JPEG)).status_code == 200


def test_a_driver_of_a_seller_whose_buyer_is_elsewhere_signs_the_hand_over(
    town: SmallTown, ann: Visitor, bob: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sid = shipped(town, bob, "apart-1")
    for module in (pages_actions, pages_documents):
        monkeypatch.setattr(module, "holds_buyer", lambda desk, page: False)
    link = linked(bob, "apart-1", sid)
    assert "Good, each" not in town.visitor().get(link).text
    assert signed(town, link, file=("p.jpg", JPEG)).status_code == 200
    found = delivery(town, "bob", "apart-1")
    assert found.proof.word == "hand-over" and not found.shipment.method
    assert found.terms is not None and not found.terms.paper_hash
    owner, eve, size = town.visitor("ann"), town.visitor("eve"), town.node.log.size
    for file_hash, name in (
        (found.terms.handed_paper_hash, "signature.png"),
        (found.terms.handed_photo_hash, "photograph"),
    ):
        address = f"/orders/file/{file_hash}/{name}"
        assert all(address in owner.get(path).text for path in ("/orders/o/apart-1", f"/orders/note/{sid}"))
        assert owner.get(address).status_code == 200 and eve.get(address).status_code == 404
    assert owner.get(address).content == JPEG and town.node.log.size == size
    assert bob.post("/orders/pod-link", {"shipment": sid}).status_code == 404, "it was handed over"
    monkeypatch.undo()
    assert act(ann, "receive", "apart-1", shipment=sid, received__1="10").status_code == 303
    assert delivery(town, "bob", "apart-1").proof.word == "both"


# -- the same files, by people who are signed in --------------------------------------------------------------------

DRAWN = f"data:image/png;base64,{PNG}"
NAMES = (
    *("p.jpg", "../../etc/passwd", "C:\\photo\\con.jpg", "a\r\nX-Evil: 1.jpg", f"{EVIL}.png", "\u202egpj.exe"),
    *("x" * 1_000, "/"),
)


def hand(who: Visitor, action: str, order: str, shipment: str, files: Any = None, **fields: str) -> Any:
    form = {"order": order, "shipment": shipment, **{name.replace("__", "."): given for name, given in fields.items()}}
    return who.post(f"/orders/do/{action}", form, files=files or {"none": ("", b"")})


def files_in(town: SmallTown) -> set[str]:
    return {path.name for path in town.node.files.iterdir()}


def test_people_who_are_signed_in_hand_over_and_receive_with_both_files(
    town: SmallTown, ann: Visitor, bob: Visitor
) -> None:
    sid = shipped(town, bob, "glass-in-1")
    shown = bob.get("/orders/o/glass-in-1").text
    assert shown.count("data-sign") == 1 and 'accept="image/jpeg,image/png,image/webp"' in shown and "pod.js" in shown
    photo = {"file": ("p.jpg", JPEG)}
    assert hand(bob, "hand_over", "glass-in-1", sid, photo, taken_by="Jo", signature=DRAWN).status_code == 303
    assert "data-sign" not in bob.get("/orders/o/glass-in-1").text
    given = {"received__1": "9", "damaged__1": "1", "received_by": "Mia", "signature": DRAWN}
    taken = {"file": ("q.jpg", JPEG + b"2")}
    assert hand(ann, "receive", "glass-in-1", sid, taken, **given).status_code == 303
    found, eve = delivery(town, "bob", "glass-in-1"), town.visitor("eve")
    assert found.proof.word == "both" and found.proof.method == "account" and found.terms is not None
    handed, signed_for = found.terms.handed_photo_hash, found.terms.photo_hash
    assert found.terms.handed_paper_hash and found.terms.paper_hash
    for who in (ann, bob):
        assert who.get(f"/orders/file/{handed}/photograph").content == JPEG
        assert who.get(f"/orders/file/{signed_for}/photograph").content == JPEG + b"2"
    assert eve.get(f"/orders/file/{handed}/photograph").status_code == 404
    assert 'aria-label="Photograph of the hand-over"' in ann.get("/orders/o/glass-in-1").text


@pytest.mark.parametrize(
    ("action", "signature", "file", "code"),
    [
        ("hand_over", "data:text/html;base64,PHNjcmlwdD4=", b"", "form.bad_signature"),
        ("receive", f"data:image/png;base64,{PNG}{'A' * 400_004}", b"", "form.bad_signature"),
        ("hand_over", "", b"<script>alert(1)</script>", "form.bad_photo"),
        ("receive", DRAWN, b"%PDF-1.7", "form.bad_photo"),
    ],
)  # fmt: skip
def test_files_that_are_none_are_refused_with_what_was_typed_and_nothing_is_kept(
    town: SmallTown, ann: Visitor, bob: Visitor, action: str, signature: str, file: bytes, code: str
) -> None:
    who, kept = (bob, files_in(town)) if action == "hand_over" else (ann, files_in(town))
    sid = _waiting(town, bob)
    size = town.node.log.size
    given = {"taken_by": "Jo Driver", "received_by": "Jo Driver", "signature": signature}
    answer = hand(who, action, "files-1", sid, {"file": ("p.jpg", file)}, **given)
    assert answer.status_code == 422 and code_of(answer) == code
    assert 'value="Jo Driver"' in answer.text, "what was typed stays"
    assert files_in(town) == kept and town.node.log.size == size


def _waiting(town: SmallTown, bob: Visitor) -> str:
    """A delivery that nobody has signed for, made once."""
    known = order_page(town.node.view("bob"), "files-1")
    return known.shipments[0].shipment.shipment if known else shipped(town, bob, "files-1")


def test_a_file_beyond_the_limit_is_refused_as_every_attachment(
    town: SmallTown, bob: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sid, kept, size = _waiting(town, bob), files_in(town), town.node.log.size
    for module in (desk, proof_files):
        monkeypatch.setattr(module, "FILE_BYTES_MAX", len(JPEG) - 1)
    answer = hand(bob, "hand_over", "files-1", sid, {"file": ("p.jpg", JPEG)})
    assert answer.status_code == 422 and code_of(answer) == "desk.file_too_large"
    assert files_in(town) == kept and town.node.log.size == size


def test_who_may_not_sign_the_half_leaves_no_file(town: SmallTown, bob: Visitor) -> None:
    sid, kept, photo = _waiting(town, bob), files_in(town), {"file": ("p.jpg", JPEG + b"unsigned")}
    answer = hand(town.visitor("bob", "viewer"), "hand_over", "files-1", sid, photo)
    assert (answer.status_code, code_of(answer), files_in(town)) == (403, "desk.not_permitted", kept)
    assert hand(town.visitor("eve"), "hand_over", "files-1", sid, photo).status_code == 404
    assert files_in(town) == kept


def test_the_name_that_a_file_had_is_kept_nowhere(town: SmallTown, bob: Visitor) -> None:
    for n, name in enumerate(NAMES):
        sid, data = shipped(town, bob, f"named-{n}", each=1), JPEG + str(n).encode()
        assert hand(bob, "hand_over", f"named-{n}", sid, {"file": (name, data)}, taken_by="Jo").status_code == 303
        terms = delivery(town, "ann", f"named-{n}").terms
        assert terms is not None and terms.handed_photo_hash == hashlib.sha256(data).hexdigest()
        got = bob.get(f"/orders/file/{terms.handed_photo_hash}/photograph")
        assert got.content == data and got.headers["content-disposition"] == "attachment"
        assert len(name) < 6 or name[-12:] not in bob.get(f"/orders/o/named-{n}").text
    assert all(len(name) == 64 and name.isalnum() for name in files_in(town)), "nothing beside what is kept by digest"


def test_a_customer_outside_the_network_signs_on_glass_and_it_stays_unproven(town: SmallTown) -> None:
    line = PlaceLine(
        line=1, each=10, item="item-6205", own_number="bob-6205", unit_price_minor=1500, requested_at=town.now() + DAY
    )
    town.do(
        "bob",
        PlaceOrder(
            circle=town.home("bob"), order="SO-1", side="sell", counterparty="Werft Nord", currency="EUR",
            deliver_to=DeliverTo(city="Hamburg", country="DE"), lines=[line],
        ),
    )  # fmt: skip
    owner, stock = town.visitor("bob"), '["bob-6205","store-bob",""]'
    assert act(owner, "confirm", "SO-1", each__1="10", promised__1=day(town, 1)).status_code == 303
    assert act(owner, "ship", "SO-1", each__1="10", stock__1=stock).status_code == 303
    sid = delivery(town, "bob", "SO-1").shipment.shipment
    assert signed(town, linked(owner, "SO-1", sid)).status_code == 200
    found = delivery(town, "bob", "SO-1")
    assert (found.shipment.method, found.proof.word) == ("link", "one-sided")
    shown = owner.get("/orders/o/SO-1").text
    assert "on glass, by link" in shown and "unproven: one side" in shown and "signature.png" in shown
