"""The pages of the journal, escrow and UBL files, over HTTP on a real node."""

import csv
import io

import pytest

from hanse.rooms.accounts.standards import ubl_invoice, ubl_order
from hanse.rooms.accounts.test_page import text_of
from hanse.rooms.accounts.testing_pages import BooksTown
from hanse.site.testing import EVIL
from hanse.standards.ubl import UblParty, write_invoice, write_order
from hanse.standards.ubl_reading import read_order


@pytest.fixture
def town(tmp_path):
    there = BooksTown(tmp_path)
    yield there
    there.close()


def upload(visitor, data, side="buy"):
    return visitor.post("/accounts/upload", {"side": side}, files={"file": ("f.xml", data, "application/xml")})


def sign(visitor, seen, side="buy"):
    import re

    raw = re.search(r'name="raw" value="([^"]*)"', seen.text).group(1)
    return visitor.post("/accounts/upload/sign", {"raw": raw, "side": side})


def outside(document, **parts):
    """The same document between other firms."""
    fields = {name: getattr(document, name) for name in document.__struct_fields__}
    return type(document)(**{**fields, **parts})


# -- journal --


def test_the_journal_leaves_with_own_account_numbers_and_its_debits_equal_its_credits(town):
    town.billed("R-1")
    bob = town.visitor("bob")
    assert "Debit = credit" in text_of(bob, "/accounts/journal")
    names = "a.receivables=1400&a.sales=8400"
    rows = list(
        csv.DictReader(io.StringIO(bob.get(f"/accounts/journal/journal.csv?{names}").content.decode("utf-8-sig")))
    )
    assert {"1400", "8400", "output tax"} <= {row["account"] for row in rows}
    assert sum(float(row["debit"]) for row in rows) == sum(float(row["credit"]) for row in rows) == 219.0
    mine = town.visitor("ann").get("/accounts/journal/journal.json").json()
    assert {row["account"] for row in mine} == {"payables", "purchases", "input tax", "deliveries not invoiced"}
    book = bob.get("/accounts/journal/journal.xlsx")
    assert book.content[:2] == b"PK" and "attachment" in book.headers["content-disposition"]
    assert "No entry in this time" in text_of(bob, "/accounts/journal?until=1999-01-01")
    assert bob.get("/accounts/journal?since=soon").status_code == 400
    assert bob.get("/accounts/journal/journal.exe").status_code == 404
    assert town.visitor("eve").get("/accounts/journal/journal.json").json() == []


# -- escrow --


def test_money_is_put_in_escrow_held_and_released_for_what_was_accepted(town):
    town.order("po-1", each=10)
    ann, bob = town.visitor("ann"), town.visitor("bob")
    form = {"order": "po-1", "amount": "100.00", "settle_by": "2027-03-01", "inspect_days": "2", "answer_days": "5"}
    assert ann.post("/accounts/escrow", {**form, "amount": "x"}).status_code == 422
    assert "accounts.unknown_holder" in ann.post("/accounts/escrow", {**form, "holder": "eve"}).text
    assert town.visitor("ann", "viewer").post("/accounts/escrow", form).status_code == 403
    assert ann.post("/accounts/escrow", form).status_code == 303
    assert "waits for the holder" in text_of(bob, "/accounts/escrow") and "escrows to say" in text_of(bob, "/accounts")
    row = town.node.view("bob").sql("SELECT escrow FROM accounts_escrow")[0][0]
    for who in (town.visitor("bob", "seller"), town.visitor("eve")):
        assert who.post("/accounts/escrow/accept", {"id": f"{town.ab} {row}"}).status_code in (403, 404, 422)
    assert bob.post("/accounts/escrow/accept", {"id": f"{town.ab} {row}"}).status_code == 303
    assert "held" in text_of(ann, "/accounts/escrow")
    town.pass_days(60)
    shown = ann.get("/accounts/escrow?format=json").json()[0]
    assert (shown["state"], shown["released"]["minor"], shown["refunded"]["minor"]) == ("ended", 0, 10_000)
    assert town.visitor("eve").get("/accounts/escrow?format=json").json() == []


# -- UBL --


def test_an_invoice_from_outside_is_looked_at_then_booked_once_and_marked_unproven(town):
    town.billed("R-1")
    told = ubl_invoice(town.node.view("bob"), town.ab, "R-1")
    data = write_invoice(outside(told, number="X-77", seller=UblParty(name=f"Klinik {EVIL}"), note=""))
    buyer, size = town.visitor("ann", "buyer"), town.node.log.size
    seen = upload(buyer, data)
    assert seen.status_code == 200 and town.node.log.size == size and EVIL not in seen.text
    assert "119.00 EUR" in seen.text and "Book it" in seen.text
    done = sign(buyer, seen)
    assert done.status_code == 303
    shown = text_of(buyer, done.headers["location"])
    assert "X-77" in shown and "unproven" in shown and "119.00 EUR" in shown
    again = sign(buyer, seen)
    assert again.status_code == 422 and "accounts.item_taken" in again.text
    assert buyer.post("/accounts/upload/sign", {"raw": "", "side": "buy"}).status_code == 422
    assert sign(town.visitor("ann", "viewer"), seen, "sell").status_code == 403
    assert town.visitor("bob").get(done.headers["location"]).status_code == 404
    paid = buyer.post("/accounts/payments/propose", {"id": " ".join(done.headers["location"].split("/")[-2:])})
    assert paid.status_code == 303
    assert "settled" in text_of(buyer, done.headers["location"]), "in one-sided books the firm's own word counts"


def test_an_order_file_is_placed_with_a_partner_here_and_kept_when_it_is_from_outside(town):
    town.order("po-1")
    told = ubl_order(town.node.view("ann"), town.ab, "po-1")
    ann = town.visitor("ann", "buyer")
    seen = upload(ann, write_order(outside(told, number="N-1")))
    assert "Order it from Bob" in seen.text
    done = sign(ann, seen)
    assert done.status_code == 303 and "Bob" in text_of(town.visitor("bob"), done.headers["location"])
    data = write_order(outside(told, number="N-2", buyer=UblParty(name="Klinik Nord"), seller=UblParty(name="Bob")))
    seen = upload(town.visitor("bob", "seller"), data, "sell")
    assert "Keep the order" in seen.text
    kept = sign(town.visitor("bob", "seller"), seen, "sell")
    assert kept.status_code == 303, kept.text
    assert "Klinik Nord" in text_of(town.visitor("bob"), kept.headers["location"])
    assert ann.get(kept.headers["location"]).status_code == 404


def test_an_order_leaves_as_a_file_that_reads_back_and_nobody_else_gets_it(town):
    town.order("po-out")
    answer = town.visitor("ann", "buyer").get("/accounts/ubl-order/po-out")
    assert answer.status_code == 200 and answer.headers["content-disposition"].endswith('"order-po-out.xml"')
    assert read_order(answer.content) == ubl_order(town.node.view("ann"), town.ab, "po-out")
    assert "/accounts/ubl-order/po-out" in text_of(town.visitor("bob"), "/orders/o/po-out")
    assert town.visitor("eve").get("/accounts/ubl-order/po-out").status_code == 404
    assert town.visitor("ann").get("/accounts/ubl-order/none").status_code == 404


def test_what_is_no_document_is_refused(town):
    bob = town.visitor("bob")
    for data, code in ((b"", "form.missing"), (b"x", "xml.not_xml"), (b"<a/>", "xml.wrong_root")):
        answer = upload(bob, data)
        assert answer.status_code == 422 and code in answer.text, code
    assert "form.bad_value" in bob.post("/accounts/upload/sign", {"raw": "%%%", "side": "buy"}).text
