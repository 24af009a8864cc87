"""The pages of accounts, over HTTP on a real node: from a delivery to the statement that both sides read."""

import html
import re

import pytest

from hanse.rooms.accounts import drafting
from hanse.rooms.accounts.facts import SetTerms
from hanse.rooms.orders.delivery_facts import Receive, ReceiveLine, Ship, ShipLine
from hanse.rooms.orders.facts import ConfirmLine, ConfirmOrder, DeliverTo, PlaceLine, PlaceOrder
from hanse.site.testing import EVIL, SmallTown
from hanse.standards.ubl_reading import read_invoice


def deliver(town: SmallTown, order: str, each: int = 10, price: int = 1000) -> str:
    """An order of ann to bob, confirmed, shipped and received; the shipment."""
    town.order(order, each=each, price=price)
    town.confirm(order, each)
    town.do("bob", Ship(
        circle=town.ab, order=order, shipment=f"s-{order}", arrive_by=0, carrier="DHL", tracking="1", packages=1,
        weight_g=0, neutral_slip=True, lines=[ShipLine(line=1, each=each, lots=[])],
    ))  # fmt: skip
    town.do("ann", Receive(
        circle=town.ab, shipment=f"s-{order}",
        lines=[ReceiveLine(line=1, received=each, damaged=0, over=0, reason="")],
    ))  # fmt: skip
    return f"s-{order}"


def terms(town: SmallTown, **rest: object) -> SetTerms:
    """bob's terms for ann: 30 days, 2% within 10, 19% tax."""
    fields = {
        "circle": town.home("bob"), "partner": "ann", "currency": "EUR", "payment_days": 30, "discount_ppm": 20_000,
        "discount_days": 10, "tax_ppm": 190_000, "credit_limit_minor": 50_000, "overdue_days_max": 20, "hold": False,
    }  # fmt: skip
    return SetTerms(**{**fields, **rest})


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    there = SmallTown(tmp_path_factory.mktemp("town"), stock_each=400)
    there.do("bob", terms(there))
    deliver(there, "po-1")
    deliver(there, "po-2", each=5)
    there.do("bob", drafting.invoice(there.node.view("bob"), there.ab, "R-1", ["s-po-1"]))
    yield there
    there.close()


def text_of(visitor, path, status=200):
    answer = visitor.get(path)
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


def statement_of(town, side="sell"):
    partner = "ann" if side == "sell" else "bob"
    return f"/accounts/statement?circle={town.ab}&partner={partner}&currency=EUR&side={side}"


def test_both_sides_read_the_same_balance_each_from_its_own_side(town):
    bob, ann = town.visitor("bob"), town.visitor("ann")
    sells, buys = text_of(bob, "/accounts"), text_of(ann, "/accounts")
    assert "119.00 EUR" in sells and "they owe us" in sells and "delivered lines to bill" in sells
    assert "119.00 EUR" in buys and "we owe them" in buys
    rows = bob.get("/accounts?format=json").json()
    assert rows[0]["get"] == {"minor": 11_900, "currency": "EUR"} and rows[0]["unbilled"]["minor"] == 5_000
    assert ann.get("/accounts?o.format=json").json()[0]["open"]["minor"] == 11_900


def test_the_statement_is_a_waterfall_whose_lines_open_their_entries(town):
    text = text_of(town.visitor("bob"), statement_of(town))
    assert '"kind":"waterfall"' in text and "Invoices" in text and "Closing" in text
    assert 'href="/history/' in text and f"/accounts/d/{town.ab}/R-1" in text
    assert "−119.00 EUR" in text_of(town.visitor("ann"), statement_of(town, "buy"))
    later = text_of(town.visitor("bob"), statement_of(town) + "&since=2999-01-01")
    assert "Nothing changed in this time" in later and "119.00 EUR" in later
    assert town.visitor("bob").get(statement_of(town) + "&since=soon").status_code == 400


def test_a_third_firm_and_the_warehouse_see_no_books(town):
    eve = town.visitor("eve")
    assert eve.get(statement_of(town)).status_code == 404
    assert "119.00" not in text_of(eve, "/accounts")
    store = town.visitor("ann", "warehouse")
    assert store.get("/accounts").status_code == 404 and store.get(statement_of(town, "buy")).status_code == 404
    assert "Accounts" not in store.get("/").text


def test_deliveries_are_billed_with_one_button_and_both_sides_open_the_invoice(town):
    deliver(town, "po-3", each=4)
    seller = town.visitor("bob", "seller")
    text = text_of(seller, "/accounts/to-bill")
    assert "s-po-2" in text and "59.50 EUR" in text and "s-po-1" not in text
    wrong = seller.post("/accounts/to-bill", {"id": f"{town.ab} s-po-2", "iban": "DE00 1234 5678 9012 3456 00"})
    assert wrong.status_code == 422 and "form.iban" in wrong.text and "DE00 1234" in wrong.text
    ids = [f"{town.ab} s-po-2", f"{town.ab} s-po-3"]
    good = seller.post("/accounts/to-bill", {"id": ids, "iban": "DE89 3704 0044 0532 0130 00", "together": "yes"})
    assert good.status_code == 303, good.text
    row = seller.get("/accounts/documents?format=json").json()[0]
    year = row["issued_at"][:4]
    assert row["item"] == f"{year}-00001" and row["amount"]["minor"] == 10_710
    address = re.search(r"/accounts/d/[^\"]+inv-[^\"]+", seller.get("/accounts/documents").text).group()
    for party in ("bob", "ann"):
        shown = text_of(town.visitor(party), address)
        assert "s-po-2" in shown and "s-po-3" in shown and "DE89370400440532013000" in shown and "107.10 EUR" in shown
    assert town.visitor("eve").get(address).status_code == 404
    assert "Everything that was delivered is billed" in text_of(seller, "/accounts/to-bill")
    again = seller.post("/accounts/to-bill", {"id": ids})
    assert again.status_code == 422 and "accounts.more_than_received" in again.text


def test_a_viewer_and_a_buyer_issue_nothing(town):
    deliver(town, "po-4", each=1)
    for role in ("viewer", "buyer"):
        who, size = town.visitor("bob", role), town.node.log.size
        assert "Issue invoices</button>" not in who.get("/accounts/to-bill").text
        answer = who.post("/accounts/to-bill", {"id": f"{town.ab} s-po-4"})
        assert answer.status_code == 403 and town.node.log.size == size
    assert town.visitor("ann").post("/accounts/to-bill", {"id": f"{town.ab} s-po-4"}).status_code == 422


def test_part_of_an_invoice_is_credited_and_leaves_as_ubl(town):
    bob, key = town.visitor("bob"), f"{town.ab} R-1"
    assert "Write a credit note" not in town.visitor("ann").get(f"/accounts/d/{town.ab}/R-1").text
    none = bob.post("/accounts/credit-note", {"key": key, "reason": "price"})
    assert none.status_code == 422 and "form.nothing_chosen" in none.text
    much = bob.post("/accounts/credit-note", {"key": key, "reason": "price", "each.1": "11"})
    assert much.status_code == 422 and "accounts.more_than_billed" in much.text and 'value="11"' in much.text
    done = bob.post("/accounts/credit-note", {"key": key, "reason": "damaged", "each.1": "2", "note": EVIL})
    assert done.status_code == 303
    shown = town.visitor("ann").get(done.headers["location"])
    assert "−23.80 EUR" in shown.text and "R-1" in shown.text and EVIL not in shown.text
    ubl = town.visitor("ann").get(done.headers["location"].replace("/d/", "/ubl/"))
    assert ubl.status_code == 200 and read_invoice(ubl.content).corrects == "R-1"
    assert read_invoice(bob.get(f"/accounts/ubl/{town.ab}/R-1").content).gross_minor == 11_900
    assert town.visitor("eve").get(f"/accounts/ubl/{town.ab}/R-1").status_code == 404
    assert town.visitor("eve").post("/accounts/credit-note", {"key": key, "each.1": "1"}).status_code == 404


def test_deliveries_outside_the_network_are_billed_only_when_asked_for(town):
    home = town.home("bob")
    line = PlaceLine(line=1, each=3, item="item-6205", own_number="x", unit_price_minor=500, requested_at=0)
    town.do("bob", PlaceOrder(
        circle=home, order="own-1", side="sell", counterparty=EVIL, po_number="1", currency="EUR", lines=[line],
        deliver_to=DeliverTo(city="Hamburg", country="DE"),
    ), ConfirmOrder(circle=home, order="own-1", lines=[ConfirmLine(line=1, each=3)]), Ship(
        circle=home, order="own-1", shipment="s-own-1", lines=[ShipLine(line=1, each=3)],
    ), Receive(circle=home, shipment="s-own-1", lines=[]))  # fmt: skip
    bob = town.visitor("bob")
    assert "s-own-1" not in bob.get("/accounts/to-bill").text
    shown = bob.get("/accounts/to-bill?own=1").text
    assert "s-own-1" in shown and "unproven" in shown and EVIL not in shown
    done = bob.post("/accounts/to-bill", {"id": f"{home} s-own-1", "own": "1"})
    assert done.status_code == 303, done.text
    assert "s-own-1" not in bob.get("/accounts/to-bill?own=1").text
    assert EVIL not in bob.get("/accounts").text
