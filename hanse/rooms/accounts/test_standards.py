"""Books in the trade's formats: what goes out comes in again, and bank statements find their payments."""

from __future__ import annotations

import pytest

from hanse.rooms.accounts.drafting import credit_note
from hanse.rooms.accounts.facts import BookItems, CreditLine
from hanse.rooms.accounts.standards import book_line, match, place_order, transfers, ubl_invoice, ubl_order
from hanse.rooms.accounts.testing import Ledgers
from hanse.rooms.orders.testing import DAY
from hanse.rooms.testing import home
from hanse.standards.iso20022 import BankEntry, BankStatement, read_transfers, write_transfers
from hanse.standards.ubl import write_invoice, write_order
from hanse.standards.ubl_reading import read_invoice, read_order

IBAN = "DE02120300000000202051"
OTHER = "GB82WEST12345698765432"


@pytest.fixture
def books() -> Ledgers:
    made = Ledgers()
    made.delivered()
    made.must("bob", made.invoice(number="R-2026-1", iban=IBAN))
    return made


def test_an_invoice_leaves_as_ubl_and_is_booked_by_a_firm_outside_the_network(books):
    told = ubl_invoice(books.view("bob"), books.AB, "i1")
    assert told is not None
    assert (told.number, told.seller.name, told.buyer.name, told.order, told.shipment) == (
        *("R-2026-1", "Bob", "Ann"),
        *("po1", "s1"),
    )
    assert (told.net_minor, told.tax_minor, told.gross_minor) == (10_000, 1_900, 11_900)
    assert told.terms == "#SKONTO#TAGE=10#PROZENT=2.00#"
    read = read_invoice(write_invoice(told))
    assert read == told
    line = book_line(read, "in-1")
    books.must("eve", BookItems(circle=home("eve"), lines=[line]))
    assert books.item("in-1", home("eve")).open_minor == 11_900
    assert ubl_invoice(books.view("eve"), books.AB, "i1") is None
    books.check()


def test_a_credit_note_leaves_as_ubl_and_names_its_invoice(books):
    given = [CreditLine(number=1, net_minor=333)]
    books.must("bob", credit_note(books.view("bob"), books.AB, "c1", "i1", given, reason="price"))
    told = ubl_invoice(books.view("ann"), books.AB, "c1")
    assert (told.credit, told.corrects, told.net_minor, told.tax_minor) == (True, "R-2026-1", 333, 63)
    assert read_invoice(write_invoice(told)) == told


def test_an_order_leaves_as_ubl_and_comes_in_as_the_fact_that_its_buyer_signs(books):
    told = ubl_order(books.view("ann"), books.AB, "po1")
    read = read_order(write_order(told))
    assert read == told
    assert (read.buyer_reference, read.lines[0].each, read.net_minor) == ("4500017", 10, 10_000)
    fact = place_order(read, books.AB, "ann", "bob", order="po2", confirm_by=books.now + DAY)
    books.must("ann", fact)
    assert books.terms("po2").lines[0].unit_price_minor == 1_000


def test_announced_payments_leave_as_a_bank_file_and_the_statement_finds_them(books):
    books.must("ann", books.pay_fact("z1", 11_662, ("i1", 11_900)))
    told = transfers(books.view("ann"), [(books.AB, "z1")], iban=OTHER, message="run-1")
    assert told is not None
    assert read_transfers(write_transfers(told)) == told
    (part,) = told.transfers
    assert (part.end_to_end, part.iban, part.amount_minor, part.text) == ("z1", IBAN, 11_662, "R-2026-1")
    assert transfers(books.view("bob"), [(books.AB, "z1")], iban=OTHER, message="run-1") is None
    (found,) = match(books.view("bob"), statement(came(11_662, end_to_end="z1")), answer_by=books.now + DAY)
    assert found.why == "number"
    books.must("bob", found.fact)
    assert books.balance() == 0


def came(amount: int, **rest) -> BankEntry:
    return BankEntry(amount_minor=amount, currency="EUR", booked_at=0, value_at=0, **rest)


def statement(*entries: BankEntry) -> BankStatement:
    return BankStatement(
        number="1", iban=IBAN, currency="EUR", opening_minor=None, closing_minor=None, entries=tuple(entries)
    )


def test_money_that_nobody_announced_is_matched_by_number_and_amount(books):
    books.tick(11 * DAY)
    told = statement(came(11_900, text="R-2026-1, thanks", bank_reference="B9"), came(5, text="hello"), came(-9))
    first, second = match(books.view("bob"), told, answer_by=books.now + DAY)
    assert (first.why, second.fact) == ("reference and amount", None)
    books.must("bob", first.fact)
    books.tick(2 * DAY)
    assert books.balance() == 0
    (again,) = match(books.view("bob"), statement(came(11_900, text="R-2026-1")), answer_by=books.now + DAY)
    assert again.fact is None
    books.check()


def test_part_of_an_invoice_goes_on_account(books):
    (found,) = match(books.view("bob"), statement(came(100, text="R-2026-1")), answer_by=books.now + DAY)
    assert (found.why, found.fact.allocations) == ("reference", [])
