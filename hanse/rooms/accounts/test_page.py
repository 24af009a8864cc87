"""The pages of accounts, over HTTP on a real node: from a delivery to the statement that both sides read."""

import html

import pytest

from hanse.rooms.accounts import drafting
from hanse.rooms.accounts.facts import SetTerms
from hanse.rooms.orders.delivery_facts import Receive, ReceiveLine, Ship, ShipLine
from hanse.site.testing import SmallTown


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
