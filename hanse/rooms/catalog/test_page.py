"""The pages of items and of matching, over HTTP on a real node."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hanse.rooms.catalog import queries as catalog
from hanse.rooms.catalog.facts import PublishItem, SetOwnItem
from hanse.rooms.catalog.page_rejected import Rejected
from hanse.site import suggesting
from hanse.site.testing import EVIL, SmallTown, Visitor

GTIN = "09520000000011"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    there = SmallTown(tmp_path_factory.mktemp("town"))
    there.offer("o-ab", "bob", circle=there.ab, each=20, price=1234)
    there.do("cay", PublishItem(item="item-old", description=f"old {EVIL}", brand="SKF", part_number="6205-OLD"))
    there.do("cay", PublishItem(item="item-belt", description="V-belt SPA 1250", gtin=GTIN))
    yield there
    there.close()


@pytest.fixture(scope="module")
def cay(town: SmallTown) -> Visitor:
    return town.visitor("cay")


@pytest.fixture(scope="module")
def ann(town: SmallTown) -> Visitor:
    return town.visitor("ann")


def code_of(answer: Any) -> str:
    found = re.search(r'class="code">([^<]+)<', answer.text)
    return found.group(1) if found else ""


def own(town: SmallTown, party: str, number: str, **fields: Any) -> None:
    town.do(party, SetOwnItem(**{
        "circle": town.home(party), "own_number": number, "description": "", "brand": "", "part_number": "",
        "gtin": "", "unit": "H87", "pack_each": 1, "category": "", "cost_minor": 100, "currency": "EUR", **fields,
    }))  # fmt: skip


def test_every_role_reads_items_and_only_some_publish(town: SmallTown) -> None:
    for role in ("owner", "buyer", "seller", "warehouse", "viewer"):
        who = town.visitor("bob", role)
        for path in ("/items", "/items?q=6205", "/items/item-6205", "/matching"):
            assert who.get(path).status_code == 200, (role, path)
        assert who.get("/catalog/publish").status_code == (200 if role in ("owner", "seller") else 404), role


def test_an_unknown_item_is_not_there(ann: Visitor) -> None:
    assert ann.get("/items/nothing").status_code == 404
    assert ann.post("/catalog/supersede", {"item": "nothing", "by": ""}).status_code == 404


def test_an_items_page_shows_offers_to_those_to_whom_they_are_made(town: SmallTown, ann: Visitor) -> None:
    assert "12.34 EUR" in ann.get("/items/item-6205").text
    assert "12.34" not in town.visitor("eve").get("/items/item-6205").text


def test_own_numbers_are_seen_by_their_firm_alone(town: SmallTown) -> None:
    assert "bob-6205" in town.visitor("bob").get("/items/item-6205").text
    eve = town.visitor("eve")
    for path in ("/items/item-6205", "/items?q=6205", "/items?q=bob-6205", "/matching"):
        assert "bob-6205<" not in eve.get(path).text, path


def test_what_people_wrote_is_shown_as_text(ann: Visitor) -> None:
    for path in ("/items", "/items/item-old"):
        text = ann.get(path).text
        assert EVIL not in text and "&lt;img src=x" in text, path


def test_a_publisher_names_what_comes_after_and_buyers_are_told(town: SmallTown, cay: Visitor, ann: Visitor) -> None:
    assert cay.post("/catalog/supersede", {"item": "item-old", "by": "SKF 6205"}).status_code == 303
    text = ann.get("/items/item-old").text
    assert "followed by" in text and "/items/item-6205" in text
    answer = cay.post("/catalog/supersede", {"item": "item-6205", "by": "item-old"})
    assert answer.status_code == 422 and code_of(answer) == "catalog.goes_round"
    answer = ann.post("/catalog/supersede", {"item": "item-6205", "by": "item-old"})
    assert code_of(answer) == "catalog.not_steward"


def test_a_buyer_overrules_a_substitute_at_home(town: SmallTown, cay: Visitor, ann: Visitor) -> None:
    assert cay.post("/catalog/substitute", {"item": "item-6205", "substitute": "item-old"}).status_code == 303
    assert catalog.may_substitute(town.node.view("ann"), "item-6205", "item-old")
    form = {"item": "item-6205", "substitute": "item-old", "allow": "no"}
    assert ann.post("/catalog/judge", form).status_code == 303
    assert not catalog.may_substitute(town.node.view("ann"), "item-6205", "item-old")
    assert catalog.may_substitute(town.node.view("bob"), "item-6205", "item-old")
    assert code_of(ann.post("/catalog/judge", {**form, "substitute": "no such"})) == "catalog.unknown_item"


def test_publishing_needs_a_number_that_nobody_has(town: SmallTown, cay: Visitor) -> None:
    form = {"description": "Seal", "brand": "Dicht", "part_number": "D 1", "weight_g": "12", "pack1": "BX",
            "pack1_each": "10"}  # fmt: skip
    answer = cay.post("/catalog/publish", form)
    assert answer.status_code == 303, code_of(answer)
    item = answer.headers["location"].removeprefix("/items/")
    row = catalog.item(town.node.view(), item)
    assert row is not None and [(p.code, p.each) for p in row.packs] == [("BX", 10)]
    for wrong, code in (
        ({"gtin": "123"}, "catalog.bad_gtin"), ({"brand": "", "part_number": ""}, "catalog.no_number"),
        ({"brand": "SKF", "part_number": "6205"}, "catalog.number_taken"), ({"description": ""}, "form.missing"),
        ({"weight_g": "heavy"}, "form.number"),
    ):  # fmt: skip
        answer = cay.post("/catalog/publish", {**form, "part_number": "D 2", **wrong})
        assert answer.status_code == 422 and code_of(answer) == code, (wrong, code_of(answer))
        assert "Seal" in answer.text or "description" in wrong, "what was typed is kept"
    assert town.visitor("ann").get(f"/catalog/publish?item={item}").status_code == 404, "not its publisher"


@pytest.fixture(scope="module")
def numbers(town: SmallTown) -> None:
    """Numbers of ann's that may be matched."""
    own(town, "ann", "A-1", description="Kugellager 6205", brand="S.K.F.", part_number="6205")
    own(town, "ann", "A-2", description=f"Keilriemen SPA 1250 {EVIL}")
    own(town, "ann", "A-3", description="V-belt", gtin=GTIN)


@pytest.mark.usefixtures("numbers")
def test_matching_suggests_with_reasons_and_one_click_accepts(town: SmallTown, ann: Visitor) -> None:
    known = suggesting.suggestions(town.node.view("ann"), town.node.net)  # a page would not wait for them
    text = ann.get("/matching").text
    assert "certain" in text and "same GTIN" in text and EVIL not in text
    assert known["A-3"][0].item == "item-belt" and known["A-3"][0].certain
    assert known["A-1"][0].item == "item-6205"
    form = {"own_number": "A-1", "item": "item-6205"}
    assert ann.post("/matching/accept", form).status_code == 303
    assert catalog.own_item(town.node.view("ann"), "A-1").item == "item-6205"  # type: ignore[union-attr]
    assert ann.post("/matching/unlink", {"own_number": "A-1"}).status_code == 303
    assert catalog.own_item(town.node.view("ann"), "A-1").item == ""  # type: ignore[union-attr]


@pytest.mark.usefixtures("numbers")
def test_a_refused_suggestion_is_not_made_again_and_certain_ones_are_taken_at_once(
    town: SmallTown, ann: Visitor
) -> None:
    assert ann.post("/matching/reject", {"own_number": "A-1", "item": "item-6205"}).status_code == 303
    assert ("A-1", "item-6205") in Rejected(town.node.directory, "ann").all()
    assert Rejected(town.node.directory, "bob").all() == set()
    assert suggesting.suggestions(town.node.view("ann"), town.node.net) is not None
    assert ann.post("/matching/certain", {}).status_code == 303
    view = town.node.view("ann")
    assert catalog.own_item(view, "A-3").item == "item-belt"  # type: ignore[union-attr]
    assert catalog.own_item(view, "A-1").item == "", "it was refused"  # type: ignore[union-attr]
    assert ann.post("/matching/again", {}).status_code == 303
    assert Rejected(town.node.directory, "ann").all() == set()


@pytest.mark.usefixtures("numbers")
def test_matching_refuses_what_is_no_item_or_no_own_number(ann: Visitor) -> None:
    answer = ann.post("/matching/accept", {"own_number": "A-1", "item": "nothing like it"})
    assert answer.status_code == 422 and code_of(answer) == "catalog.unknown_item"
    answer = ann.post("/matching/accept", {"own_number": "none", "item": "item-6205"})
    assert code_of(answer) == "catalog.unknown_own_number"


@pytest.mark.usefixtures("numbers")
def test_a_viewer_decides_nothing(town: SmallTown) -> None:
    viewer = town.visitor("ann", "viewer")
    assert "/matching/accept" not in viewer.get("/matching").text
    answer = viewer.post("/matching/accept", {"own_number": "A-2", "item": "item-belt"})
    assert code_of(answer) == "desk.not_permitted"
    assert viewer.post("/matching/reject", {"own_number": "A-2", "item": "item-belt"}).status_code == 403


@pytest.mark.usefixtures("numbers")
def test_accepting_a_match_works_nothing_out_again(town, monkeypatch):
    view = town.node.view("ann")
    before = suggesting.suggestions(view, town.node.net)
    worked = []
    monkeypatch.setattr(suggesting, "_work", lambda known, own, items: worked.append(own))
    again = suggesting.suggestions(town.node.view("ann"), town.node.net)
    assert again == before and not worked


@pytest.mark.usefixtures("numbers")
def test_a_page_does_not_wait_for_suggestions(town, monkeypatch):
    go_on = threading.Event()
    compare = suggesting._suggest
    monkeypatch.setattr(suggesting, "_suggest", lambda own, items: go_on.wait(60) and compare(own, items))
    monkeypatch.setattr(suggesting, "_kept", type(suggesting._kept)())
    page = town.visitor("ann").get("/matching").text
    assert "being compared with the catalogue" in page and 'hx-trigger="every 2s"' in page
    go_on.set()
    assert suggesting.suggestions(town.node.view("ann"), town.node.net) is not None
    assert "being compared" not in town.visitor("ann").get("/matching").text
