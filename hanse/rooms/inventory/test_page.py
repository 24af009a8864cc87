"""The pages of stock, offers, borrowing and transfers, over HTTP on a real node."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from hanse.node import joining
from hanse.rooms.catalog.facts import SetOwnItem
from hanse.rooms.inventory import offer_queries as offering
from hanse.rooms.inventory import queries as stock
from hanse.rooms.inventory.facts import MOVEMENTS, Count, CountLine, SetPolicy
from hanse.rooms.inventory.offer_facts import Want
from hanse.site.pages_forms import day_after
from hanse.site.testing import DAY, EVIL, SmallTown, Visitor

LISTS = ("/stock", "/stock/dead", "/stock/held", "/offers", "/borrow", "/transfers")
ROLES = ("owner", "buyer", "seller", "warehouse", "viewer")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    there = SmallTown(tmp_path_factory.mktemp("town"))
    there.offer("o-ab", "bob", circle=there.ab, each=20, price=1234)
    there.do("ann", Want(
        circle=there.pool, want="w-1", expires_at=there.now() + DAY, item="item-6205", each=7, borrow=True,
        country="DE", city="Rostock", latitude_microdeg=54_092_000, longitude_microdeg=12_099_000, note=EVIL,
    ))  # fmt: skip
    yield there
    there.close()


@pytest.fixture(scope="module")
def bob(town: SmallTown) -> Visitor:
    return town.visitor("bob", "seller")


def code_of(answer: Any) -> str:
    found = re.search(r'class="code">([^<]+)<', answer.text)
    return found.group(1) if found else ""


def offer_form(town: SmallTown, **fields: str) -> dict[str, str]:
    return {
        "own_number": "bob-6205", "stock": "store-bob\r\n", "circle": town.ab, "kind": "sell", "each": "5",
        "price": "12.00", "minimum": "9.00", "until": day_after(town.now(), 30), "condition": "new", "firm": "yes",
        "currency": "EUR", "pack_each": "1", "minimum_each": "1", "lead_time_days": "1", **fields,
    }  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_every_role_reads_the_lists(town: SmallTown, role: str) -> None:
    who = town.visitor("bob", role)
    for path in (*LISTS, "/stock/card/bob-6205"):
        assert who.get(path).status_code == 200, path


def test_a_stranger_is_asked_to_sign_in(town: SmallTown) -> None:
    who = town.visitor()
    for path in (*LISTS, "/stock/card/bob-6205", "/offers/o/o-ab", "/offers/new"):
        answer = who.get(path)
        assert answer.status_code == 303 and "/sign-in" in answer.headers["location"], path


def test_what_people_wrote_is_shown_as_text(bob: Visitor) -> None:
    for path in ("/stock", "/stock/card/bob-6205", "/borrow", "/offers/new?number=bob-6205"):
        text = bob.get(path).text
        assert EVIL not in text, path
        assert "&lt;img src=x" in text, path


def test_a_competitor_sees_neither_stock_nor_an_offer_to_others(town: SmallTown) -> None:
    eve = town.visitor("eve")
    assert eve.get("/stock/card/bob-6205").status_code == 404
    assert eve.get("/offers/o/o-ab").status_code == 404
    for path in LISTS:
        text = eve.get(path).text
        assert "bob-6205" not in text and "12.34" not in text and "o-ab" not in text, path


def test_the_audience_sees_an_offer_and_never_its_minimum_price(town: SmallTown, bob: Visitor) -> None:
    shown = town.visitor("ann").get("/offers/o/o-ab").text
    assert "12.34" in shown
    assert "5.00" not in shown and "What stands behind it" not in shown
    assert "5.00 EUR" in bob.get("/offers/o/o-ab").text


def test_a_count_changes_the_card_and_links_to_its_entry(town: SmallTown, bob: Visitor) -> None:
    form = {"own_number": "bob-6205", "site": "store-bob", "lot": "L1", "each": "1,012", "currency": "EUR"}
    assert bob.post("/stock/count", form).status_code == 303
    card = stock.stock_card(town.node.view("bob"), "bob-6205")
    assert card is not None and card.total is not None and card.total.on_hand_each == 1_112
    text = bob.get("/stock/card/bob-6205").text
    assert "1,112" in text and f"/history/{card.total.position}" in text


@pytest.mark.parametrize(
    ("path", "form", "code"),
    [
        ("/stock/count", {"site": "store-bob", "each": "many"}, "form.number"),
        ("/stock/count", {"site": "store-bob", "each": "1.5"}, "form.number"),
        ("/stock/count", {"site": "store-bob", "each": "-1"}, "form.range"),
        ("/stock/count", {"site": "store-bob", "each": ""}, "form.missing"),
        ("/stock/count", {"site": "store-bob", "each": "5", "unit_cost": "1.234"}, "form.digits"),
        ("/stock/count", {"site": "nowhere", "each": "1"}, "inventory.unknown_site"),
        ("/stock/adjust", {"site": "store-bob", "each": "1", "reason": "theft"}, "form.choice"),
        ("/stock/adjust", {"site": "store-bob", "each": "-9999999", "reason": "scrapped"}, "inventory.not_enough"),
        ("/stock/move", {"from_site": "store-bob", "to_site": "store-bob", "each": "1"}, "inventory.same_site"),
        ("/stock/policy", {"minimum_price": "-3"}, "form.range"),
    ],
)
def test_a_wrong_form_comes_back_with_its_reason_and_what_was_typed(
    town: SmallTown, bob: Visitor, path: str, form: dict[str, str], code: str
) -> None:
    before = town.node.view("bob").count(MOVEMENTS)
    answer = bob.post(path, {"own_number": "bob-6205", "note": f"kept {EVIL}", **form})
    assert answer.status_code == 422 and code_of(answer) == code
    assert town.node.view("bob").count(MOVEMENTS) == before
    assert EVIL not in answer.text


def test_a_role_that_may_not_sign_sees_no_button_and_is_refused(town: SmallTown) -> None:
    viewer = town.visitor("bob", "viewer")
    text = viewer.get("/stock/card/bob-6205").text
    assert 'action="/stock/count"' not in text and 'action="/stock/policy"' not in text
    answer = viewer.post("/stock/count", {"own_number": "bob-6205", "site": "store-bob", "each": "1"})
    assert answer.status_code == 403 and code_of(answer) == "desk.not_permitted"
    assert town.visitor("bob", "warehouse").get("/offers/new").status_code == 404


def test_one_form_earmarks_and_offers_and_the_offer_can_be_withdrawn(town: SmallTown, bob: Visitor) -> None:
    answer = bob.post("/offers", offer_form(town))
    assert answer.status_code == 303, code_of(answer)
    offer = answer.headers["location"].removeprefix("/offers/o/")
    mark = offering.my_offer_backing(town.node.view("bob"), offer)
    assert mark is not None and (mark.each, mark.minimum_price_minor) == (5, 900)
    card = offering.offer(town.node.view("ann"), town.ab, offer)
    assert card is not None and (card.unit_price_minor, card.firm) == (1200, True)
    assert bob.post("/offers/withdraw", {"offer": offer}).status_code == 303
    gone = offering.offer(town.node.view("ann"), town.ab, offer)
    assert gone is not None and gone.ended


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"price": "8.00"}, "inventory.below_minimum"),
        ({"each": "999999"}, "inventory.not_enough"),
        ({"circle": "somebody-else"}, "offers.no_audience"),
        ({"until": "2020-01-01"}, "inventory.deadline_past"),
        ({"until": "soon"}, "form.day"),
        ({"condition": "stolen"}, "form.choice"),
        ({"own_number": "nothing"}, "catalog.unknown_own_number"),
    ],
)
def test_an_offer_that_the_owners_rules_forbid_is_not_made(
    town: SmallTown, bob: Visitor, fields: dict[str, str], code: str
) -> None:
    before = len(offering.offers(town.node.view("bob"), mine=True))
    answer = bob.post("/offers", offer_form(town, **fields))
    assert answer.status_code == 422 and code_of(answer) == code
    assert len(offering.offers(town.node.view("bob"), mine=True)) == before


def test_a_want_is_told_to_a_group_and_meets_who_has_the_goods(town: SmallTown, bob: Visitor) -> None:
    assert "bob-6205" in bob.get("/borrow").text, "ann's want meets bob's stock"
    ann = town.visitor("ann")
    form = {"item": "SKF 6205", "each": "3", "circle": town.pool, "until": day_after(town.now(), 3), "borrow": "yes"}
    assert ann.post("/borrow/want", form).status_code == 303
    mine = offering.wants(town.node.view("ann"), mine=True)
    assert sorted(w.each for w in mine) == [3, 7]
    answer = ann.post("/borrow/want", {**form, "item": "no such thing"})
    assert answer.status_code == 422 and code_of(answer) == "catalog.unknown_item"
    new = next(w for w in mine if w.each == 3)
    assert ann.post("/borrow/unwant", {"want": new.want}).status_code == 303
    assert len(offering.wants(town.node.view("ann"), mine=True)) == 1


def test_a_transfer_is_proposed_at_cost_plus_and_accepted(town: SmallTown, bob: Visitor) -> None:
    form = {"own_number": "bob-6205", "each": "4", "circle": town.ab, "kind": "sale", "markup": "4.5", "cost": "",
            "until": day_after(town.now(), 5)}  # fmt: skip
    assert bob.post("/transfers", form).status_code == 303
    (row,) = offering.transfers(town.node.view("ann"), state="proposed")
    assert (row.each, row.unit_cost_minor, row.markup_ppm, row.total_minor) == (4, 700, 45_000, 2_926)
    ann = town.visitor("ann")
    assert "29.26 EUR" in ann.get("/transfers").text
    assert row.transfer not in town.visitor("eve").get("/transfers").text
    wrong = ann.post("/transfers/accept", {"transfer": row.transfer, "site": "store-bob"})
    assert wrong.status_code == 422 and code_of(wrong) == "form.choice"
    assert ann.post("/transfers/accept", {"transfer": row.transfer, "site": "store-ann"}).status_code == 303
    own = stock.stock_list(town.node.view("ann"))
    assert [line.on_hand_each for line in own] == [4]
    assert ann.post("/transfers/end", {"transfer": row.transfer}).status_code == 404, "it has been accepted"


def test_a_cost_in_another_currency_is_shown_in_it_and_becomes_no_price(town: SmallTown) -> None:
    town.costs_in("cay", "USD", 40, 870)
    town.do("cay", SetOwnItem(
        circle=town.home("cay"), own_number="cay-6205", description="bearing", brand="SKF", part_number="6205",
        gtin="", unit="H87", pack_each=1, category="", cost_minor=800, currency="EUR",
    ), SetPolicy(
        circle=town.home("cay"), own_number="cay-6205", minimum_price_minor=990, currency="USD", keep_each=0,
    ))  # fmt: skip
    rows = stock.stock_of_number(town.node.view("cay"), "cay-6205")
    assert [(row.unit_cost_minor, row.currency) for row in rows] == [(870, "USD")]
    cay = town.visitor("cay")
    form = cay.get("/offers/new?number=cay-6205").text
    assert "Cost of one 8.70 USD" in form and "minimum price 9.90 USD" in form
    assert "8.70 EUR" not in form and 'value="9.90"' not in form
    borrow = cay.get("/borrow").text
    assert "60.90 USD" in borrow and "60.90 EUR" not in borrow, "ann wants seven"
    circle = joining.relationship(town.node, "bob", "cay")
    plus = {"own_number": "cay-6205", "each": "4", "circle": circle, "kind": "sale", "markup": "4.5", "cost": "",
            "until": day_after(town.now(), 5)}  # fmt: skip
    refused = cay.post("/transfers", {**plus, "currency": "EUR"})
    assert refused.status_code == 422 and code_of(refused) == "inventory.other_currency"
    assert "Say what one costs in EUR." in refused.text
    assert "that of your books (USD)." in cay.get("/transfers").text
    for said, becomes in (
        ({"cost": "8.00", "currency": "EUR"}, (800, "EUR")),
        ({"currency": ""}, (870, "USD")),
        ({"cost": "9", "currency": "SEK"}, (900, "SEK")),
    ):
        assert cay.post("/transfers", {**plus, **said}).status_code == 303
        (row,) = offering.transfers(town.node.view("cay"), state="proposed")
        assert (row.unit_cost_minor, row.currency) == becomes
        assert cay.post("/transfers/end", {"transfer": row.transfer}).status_code == 303
    assert code_of(cay.post("/transfers", {**plus, "currency": "marks"})) == "form.currency"


def test_pages_that_show_a_value_say_how_many_have_no_cost_yet(town: SmallTown) -> None:
    cay = town.visitor("cay")
    assert "no cost yet" not in cay.get("/stock/card/cay-6205").text
    counted = CountLine(site="store-cay", own_number="cay-6205", lot="gift", each=12, unit_cost_minor=0)
    town.do("cay", Count(circle=town.home("cay"), counted_at=town.now(), lines=[counted]))
    there = sum(row.on_hand_each for row in stock.stock_of_number(town.node.view("cay"), "cay-6205"))
    assert "each have no cost yet" in cay.get("/stock").text
    assert f"12 of {there:,} each have no cost yet" in cay.get("/stock/card/cay-6205").text
    town.do("cay", Count(circle=town.home("cay"), counted_at=town.now(), lines=[replace(counted, each=0)]))
    assert "no cost yet" not in cay.get("/stock/card/cay-6205").text


def test_consigned_goods_are_shown_by_both_from_their_side(town: SmallTown, bob: Visitor) -> None:
    form = {"own_number": "bob-6205", "each": "2", "circle": town.ab, "kind": "consign", "markup": "0", "cost": "",
            "until": day_after(town.now(), 5)}  # fmt: skip
    assert bob.post("/transfers", form).status_code == 303
    (row,) = offering.transfers(town.node.view("ann"), state="proposed")
    assert row.total_minor == 0
    ann = town.visitor("ann")
    assert ann.post("/transfers/accept", {"transfer": row.transfer, "site": "store-ann"}).status_code == 303
    assert "Ann" in bob.get("/stock/held").text
    assert "Bob" in ann.get("/stock/held").text


def test_lists_give_the_rows_that_they_show_as_files(bob: Visitor) -> None:
    csv = bob.get("/stock?format=csv")
    assert csv.status_code == 200 and "bob-6205" in csv.text and csv.text.count("\n") >= 2
    both = bob.get("/offers?m-format=json")
    assert both.status_code == 200 and "ball bearing" in both.text.casefold()


def test_names_with_blanks_slashes_and_marks_lead_to_their_card(town: SmallTown, bob: Visitor) -> None:
    from hanse.rooms.catalog.facts import SetOwnItem
    from hanse.rooms.inventory.page_offers import card_address

    odd = "A//1 2?&#%ü"
    town.do("bob", SetOwnItem(
        circle=town.home("bob"), own_number=odd, description="odd", brand="", part_number="", gtin="", unit="H87",
        pack_each=1, category="", cost_minor=0, currency="EUR",
    ))  # fmt: skip
    answer = bob.get(card_address(odd))
    assert answer.status_code == 200 and "A//1 2?&amp;#%ü" in answer.text


def test_opening_a_card_is_noted(town: SmallTown, bob: Visitor) -> None:
    bob.get("/stock/card/bob-6205")
    latest = town.accounts.seen.recent(party="bob", limit=1)[0]
    assert (latest.what, latest.user) == ("stock:bob-6205", town.users["bob", "seller"])


def test_a_firm_alone_sees_what_to_do_next(tmp_path_factory: pytest.TempPathFactory, town: SmallTown) -> None:
    joining.host(town.node, "dora", name="Dora", city="Kiel")
    town.person("dora", "owner")
    dora = town.visitor("dora")
    for path in LISTS:
        answer = dora.get(path)
        assert answer.status_code == 200, path
    assert "/import" in dora.get("/stock").text


def test_serial_numbers_are_recorded_on_the_card_and_leave_with_their_shipment(town: SmallTown) -> None:
    store = town.visitor("bob", "warehouse")
    form = {"own_number": "bob-6205", "site": "store-bob", "lot": "", "serials": f"SN-1, SN-2\nSN-3 {EVIL}"}
    assert store.post("/stock/serials", form).status_code == 303
    shown = store.get("/stock/card/bob-6205").text
    assert "SN-1" in shown and "SN-3" in shown and EVIL not in shown
    twice = store.post("/stock/serials", {**form, "serials": "SN-4 SN-4"})
    assert twice.status_code == 422 and "inventory.repeated_serial" in twice.text and "SN-4 SN-4" in twice.text
    assert "form.missing" in store.post("/stock/serials", {**form, "serials": " "}).text
    buyer = town.visitor("bob", "buyer").post("/stock/serials", {**form, "serials": "SN-9"})
    assert "desk.not_permitted" in buyer.text
    town.order("serial-1", each=1)
    town.confirm("serial-1", 1)
    ship = {"order": "serial-1", "each.1": "1", "stock.1": '["bob-6205","store-bob",""]', "serials.1": "SN-2"}
    assert town.visitor("bob").post("/orders/do/ship", ship).status_code == 303
    rows = {row.serial: row for row in stock.serials(town.node.view("bob"), "bob-6205")}
    assert rows["SN-1"].here and not rows["SN-2"].here and "SN-9" not in rows
