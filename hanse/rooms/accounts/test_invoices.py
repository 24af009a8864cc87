"""Invoices and credit notes: from deliveries, never beyond them, to the cent."""

from __future__ import annotations

from typing import Any

import pytest

from hanse.rooms.accounts.drafting import credit_note, to_bill, unbilled_lines
from hanse.rooms.accounts.facts import CreditLine, InvoiceLine
from hanse.rooms.accounts.queries import document
from hanse.rooms.accounts.rows import ACCRUALS, of_return
from hanse.rooms.accounts.testing import Ledgers
from hanse.rooms.orders.delivery_facts import AcceptedLine, AcceptReturn, ReceiveLine, ReturnGoods, ReturnLineAsked
from hanse.rooms.orders.testing import DAY
from hanse.rooms.testing import home


@pytest.fixture
def books() -> Ledgers:
    return Ledgers()


def send_back(books: Ledgers, each: int, shipment: str = "s1", name: str = "r1") -> None:
    line = ReturnLineAsked(line=1, each=each)
    books.must(
        "ann",
        ReturnGoods(
            circle=books.AB, shipment=shipment, return_id=name, answer_by=books.now + DAY, lines=[line], reason="x"
        ),
    )
    books.must("bob", AcceptReturn(circle=books.AB, return_id=name, lines=[AcceptedLine(line=1, each=each)]))


def test_goods_received_are_unbilled_until_the_invoice_makes_them_due(books):
    books.delivered()
    assert (books.balance("unbilled"), books.balance("goods"), books.balance("due")) == (10_000, -10_000, 0)
    fact = books.invoice()
    assert (fact.net_minor, fact.tax_minor, fact.gross_minor) == (10_000, 1_900, 11_900)
    books.must("bob", fact)
    assert (books.balance("unbilled"), books.balance("tax"), books.balance("due")) == (0, -1_900, 11_900)
    item = books.item()
    assert (item.supplier, item.customer, item.open_minor) == ("bob", "ann", 11_900)
    assert (item.due_at - item.issued_at, item.discount_until - item.issued_at) == (30 * DAY, 10 * DAY)
    books.check()


def test_only_what_was_received_good_is_billed_and_once(books):
    books.must("ann", books.order_fact())
    books.must("bob", books.confirm_fact(), books.ship_fact(stock="bob-6205"))
    books.must("ann", books.receive_fact("s1", ReceiveLine(line=1, received=6, damaged=1, over=2, reason="bent")))
    assert unbilled_lines(books.view("bob"), books.AB, "s1") == [InvoiceLine(shipment="s1", line=1, each=6)]
    assert [row[:2] for row in to_bill(books.view("bob"))] == [(books.AB, "po1")]
    seven = InvoiceLine(shipment="s1", line=1, each=7)
    fact = books.invoice(lines=[seven])
    assert books.refused("bob", fact) == "accounts.more_than_received"
    books.must("bob", books.invoice("i2", lines=[InvoiceLine(shipment="s1", line=1, each=4)]))
    assert books.refused("bob", books.invoice("i3", lines=[seven])) == "accounts.more_than_received"
    books.must("bob", books.invoice("i4"))
    assert to_bill(books.view("bob")) == []
    assert books.balance("unbilled") == 0
    books.check()


def test_what_goes_back_unbilled_is_never_billed_and_billed_goods_come_back_as_a_credit_note(books):
    books.delivered()
    books.must("bob", books.invoice("i1", lines=[InvoiceLine(shipment="s1", line=1, each=7, tax_ppm=190_000)]))
    send_back(books, 5)
    assert books.balance("unbilled") == 0, "three of the five were unbilled"
    accrual = books.state.get(ACCRUALS, (books.AB, of_return("r1")))
    assert (accrual.open_minor, accrual.state) == (-2_000, "stands")
    assert books.balance("accrued") == -2_000
    late = books.invoice("i2", lines=[InvoiceLine(shipment="s1", line=1, each=1)])
    assert books.refused("bob", late) == "accounts.more_than_received"
    fact = credit_note(
        books.view("bob"), books.AB, "c1", "i1", [CreditLine(number=1, each=2)], reason="return", return_id="r1"
    )
    books.must("bob", fact)
    assert books.balance("accrued") == 0
    assert books.state.get(ACCRUALS, (books.AB, of_return("r1"))).state == "used"
    assert books.item("c1").open_minor == -2_380
    assert books.balance("due") == 7_000 + 1_330 - 2_380
    assert books.balance("goods") == -5_000
    assert document(books.view("ann"), books.AB, "c1").text.lines[0].credited_minor == 2_000
    books.check()


def test_damaged_goods_that_go_back_were_never_booked(books):
    books.must("ann", books.order_fact())
    books.must("bob", books.confirm_fact(), books.ship_fact(stock="bob-6205"))
    books.must("ann", books.receive_fact("s1", ReceiveLine(line=1, received=6, damaged=4, reason="bent")))
    send_back(books, 4)
    assert books.balance("unbilled") == 6_000
    send_back(books, 1, name="r2")
    assert books.balance("unbilled") == 5_000
    books.check()


def invoice_with(**change: Any) -> Any:
    return lambda books: books.invoice("x1", **change)


def lines(**change: Any) -> list[InvoiceLine]:
    return [InvoiceLine(**{"shipment": "s1", "line": 1, "each": 1, **change})]


INVOICES = [
    ("eve", invoice_with(), "parties.not_in_circle"),
    ("bob", lambda b: b.invoice("done"), "accounts.number_taken"),
    ("bob", invoice_with(lines=lines(shipment="none")), "accounts.unknown_shipment"),
    ("bob", invoice_with(lines=lines(shipment="under-way")), "accounts.not_received"),
    ("ann", invoice_with(), "accounts.not_supplier"),
    ("bob", invoice_with(currency="USD"), "accounts.wrong_currency"),
    ("bob", invoice_with(lines=lines() + lines()), "accounts.repeated_line"),
    ("bob", invoice_with(lines=lines(line=7)), "accounts.unknown_line"),
    ("bob", invoice_with(lines=lines(each=11)), "accounts.more_than_received"),
    ("bob", invoice_with(tax_minor=1), "accounts.wrong_total"),
    ("bob", invoice_with(issued_at=1_600_000_000), "accounts.bad_time"),
]


@pytest.mark.parametrize(("who", "make", "code"), INVOICES)
def test_an_invoice_is_refused_and_changes_nothing_private(books, who, make, code):
    books.delivered()
    books.must("ann", books.order_fact("po2"))
    books.must("bob", books.confirm_fact("po2"), books.ship_fact("po2", "under-way", stock="bob-6205"))
    books.delivered("po3", shipment="s3")
    books.must("bob", books.invoice("done", "s3"))
    before = {n: rows for n, rows in books.business().items() if n != "accounts_paper"}
    outcome = books.do(who, make(books))
    assert code in [outcome.code, *(refusal.code for refusal in outcome.private.values())]
    assert {n: rows for n, rows in books.business().items() if n != "accounts_paper"} == before


def test_an_invoice_needs_its_totals_and_a_private_refusal_says_so(books):
    books.delivered()
    fact = books.invoice()
    bare = type(fact)(circle=fact.circle, invoice="i9", lines=fact.lines, currency="EUR")
    assert books.refused_privately("bob", bare) == "accounts.missing_terms"


def test_lent_goods_are_not_billed(books):
    books.must("ann", books.order_fact(loan=True))
    books.must("bob", books.confirm_fact(), books.ship_fact(stock="bob-6205"))
    books.must("ann", books.receive_fact())
    assert books.balance("unbilled") == 0
    assert books.refused_privately("bob", books.invoice("i1")) == "accounts.loan"


CREDITS = [
    ("bob", {"invoice": "none"}, "accounts.unknown_item"),
    ("bob", {"invoice": "c0"}, "accounts.not_an_invoice"),
    ("ann", {}, "accounts.not_supplier"),
    ("bob", {"lines": [CreditLine(number=1, each=1)] * 2}, "accounts.repeated_line"),
    ("bob", {"lines": [CreditLine(number=5, each=1)]}, "accounts.unknown_line"),
    ("bob", {"lines": [CreditLine(number=1, each=10)]}, "accounts.more_than_billed"),
    ("bob", {"lines": [CreditLine(number=1, net_minor=9_501)]}, "accounts.more_than_billed"),
    ("bob", {"lines": [CreditLine(number=1)]}, "accounts.more_than_billed"),
    ("bob", {"return_id": "none"}, "accounts.unknown_accrual"),
    ("bob", {"tax_minor": 1}, "accounts.wrong_total"),
]


@pytest.mark.parametrize(("who", "change", "code"), CREDITS)
def test_a_credit_note_is_refused(books, who, change, code):
    books.delivered()
    books.must("bob", books.invoice())
    given = [CreditLine(number=1, net_minor=500)]
    books.must("bob", credit_note(books.view("bob"), books.AB, "c0", "i1", given, reason="price"))
    good = credit_note(books.view("bob"), books.AB, "c1", "i1", [CreditLine(number=1, each=1)], reason="goodwill")
    fields = {name: getattr(good, name) for name in good.__struct_fields__ if name != "sd_"}
    assert books.refused_privately(who, type(good)(**{**fields, **change})) == code
    books.must("bob", type(good)(**{**fields, "credit": "c2"}))
    books.check()


def test_a_firm_alone_bills_and_is_billed_in_its_home_and_it_is_marked_unproven(books):
    books.must("bob", books.own_order("so1"), books.confirm_fact("so1", circle=home("bob")))
    books.must("bob", books.ship_fact("so1", "x1", circle=home("bob"), stock="bob-6205"))
    books.must("bob", books.receive_fact("x1", circle=home("bob")))
    books.must("bob", books.invoice("i1", "x1", circle=home("bob"), issued_at=books.now - 40 * DAY))
    item = books.item("i1", home("bob"))
    assert (item.customer, item.unproven, item.due_at) == ("~Klinik Nord", True, books.now - 10 * DAY)
    books.check()
