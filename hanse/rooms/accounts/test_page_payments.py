"""The pages of payments and bank files, over HTTP on a real node."""

import html

import pytest

from hanse.rooms.accounts import drafting
from hanse.rooms.accounts.facts import CreditLine
from hanse.rooms.accounts.queries import payments
from hanse.rooms.accounts.test_page import deliver, terms, text_of
from hanse.site.testing import EVIL, SmallTown
from hanse.standards.iso20022 import read_transfers

IBAN, OWN = "DE89370400440532013000", "GB82WEST12345698765432"
CAMT = """<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>
<Id>7</Id><Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></Acct>{entries}</Stmt></BkToCstmrStmt></Document>"""
ENTRY = """<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-01-02</Dt></BookgDt><AcctSvcrRef>{ref}</AcctSvcrRef><NtryDtls><TxDtls>
<Refs><EndToEndId>{number}</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>Ann</Nm></Pty></Dbtr></RltdPties>
<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"""


def camt(*entries):
    made = [
        ENTRY.format(**{"way": "CRDT", "number": "NOTPROVIDED", "ref": f"B {n}", "text": "", **entry})
        for n, entry in enumerate(entries)
    ]
    return CAMT.format(iban=IBAN, entries="".join(made)).encode()


@pytest.fixture
def town(tmp_path):
    there = SmallTown(tmp_path, stock_each=400)
    there.do("bob", terms(there))
    for order in ("po-1", "po-2"):
        shipment = deliver(there, order)
        view = there.node.view("bob")
        there.do("bob", drafting.invoice(view, there.ab, f"R-{order[-1]}", [shipment], iban=IBAN))
    yield there
    there.close()


def key(town, name):
    return f"{town.ab} {name}"


def announced(town, *names):
    """ann's buyer announces the payment of invoices; the payment's number."""
    answer = town.visitor("ann", "buyer").post("/accounts/payments/propose", {"id": [key(town, n) for n in names]})
    assert answer.status_code == 303, answer.text
    return payments(town.node.view("ann"))[0].payment


def upload(visitor, data):
    return visitor.post("/accounts/bank", {}, files={"file": ("bank.xml", data, "application/xml")})


def hidden(text):
    """The ticked lines of a preview with what they carry."""
    import re

    stamps = re.findall(r'name="id" value="([0-9a-f]{16})"', text)
    return {"id": stamps} | {
        f"entry.{one}": html.unescape(re.search(rf'name="entry.{one}" value="([^"]*)"', text).group(1))
        for one in stamps
    }


def test_a_payment_less_the_discount_is_announced_and_counts_when_the_payee_confirms(town):
    text = text_of(town.visitor("ann", "buyer"), "/accounts/payments")
    assert "119.00 EUR" in text and "2.38 EUR" in text and "Announce payment" in text
    payment = announced(town, "R-1", "R-2")
    seller = town.visitor("bob", "seller")
    assert "233.24 EUR" in text_of(seller, "/accounts/payments?show=answer")
    assert "1" in text_of(seller, "/accounts") and "payments to confirm" in text_of(seller, "/accounts")
    shown = text_of(seller, f"/accounts/payment/{town.ab}/{payment}")
    assert "The money is here" in shown and "R-1" in shown
    done = seller.post("/accounts/payments/confirm", {"id": key(town, payment)})
    assert done.status_code == 303
    assert "settled" in text_of(town.visitor("ann"), f"/accounts/d/{town.ab}/R-1")
    assert "Nothing is to be paid" in text_of(town.visitor("ann"), "/accounts/payments")
    again = seller.post("/accounts/payments/confirm", {"id": key(town, payment)})
    assert again.status_code == 422 and "accounts.payment_ended" in again.text


def test_another_amount_goes_on_account_and_is_said_on_the_payments_page(town):
    payment, bob = announced(town, "R-1"), town.visitor("bob")
    wrong = bob.post("/accounts/payment", {"key": key(town, payment), "amount": "much"})
    assert wrong.status_code == 422 and "form.number" in wrong.text
    assert bob.post("/accounts/payment", {"key": key(town, payment), "amount": "100.00"}).status_code == 303
    assert "on account" in text_of(bob, f"/accounts/payment/{town.ab}/{payment}")
    assert "−100.00 EUR" in text_of(bob, "/accounts")


def test_the_payee_may_speak_first_and_the_payer_agrees(town):
    seller = town.visitor("bob", "seller")
    assert seller.post("/accounts/payments/claim", {"id": key(town, "R-1")}).status_code == 303
    buyer = town.visitor("ann", "buyer")
    row = buyer.get("/accounts/payments?show=answer&format=json").json()[0]
    assert row["state"] == "received, says the payee"
    payment = payments(town.node.view("ann"))[0].payment
    assert "Have you paid this?" in text_of(buyer, f"/accounts/payment/{town.ab}/{payment}")
    assert buyer.post("/accounts/payment", {"key": key(town, payment)}).status_code == 303
    assert "settled" in text_of(buyer, f"/accounts/d/{town.ab}/R-1")
    assert buyer.post("/accounts/payments/claim", {"id": key(town, "R-2")}).status_code == 403
    refused = town.visitor("ann").post("/accounts/payments/claim", {"id": key(town, "R-2")})
    assert refused.status_code == 422 and "accounts.not_payee" in refused.text


def test_a_credit_is_set_off_and_credits_alone_pay_nothing(town):
    view = town.node.view("bob")
    town.do("bob", drafting.credit_note(view, town.ab, "C-1", "R-1", [CreditLine(number=1, each=3)], reason="price"))
    ann = town.visitor("ann")
    alone = ann.post("/accounts/payments/propose", {"id": key(town, "C-1")})
    assert alone.status_code == 422 and "accounts.credits_exceed" in alone.text
    announced(town, "R-1", "C-1")
    rows = ann.get("/accounts/payments?show=sent&format=json").json()
    assert (rows[0]["payment"], rows[0]["amount"]["minor"]) == ("Payment of R-1 and 1 more", 8_163)


def test_announced_payments_leave_as_pain_001_to_the_accounts_of_their_signed_invoices(town):
    payment, ann = announced(town, "R-1"), town.visitor("ann")
    assert IBAN in ann.get("/accounts/payments?show=sent").text
    none = ann.post("/accounts/payments/file", {"id": key(town, payment)})
    assert none.status_code == 422 and "form.nothing_chosen" in none.text
    bad = ann.post("/accounts/payments/file", {"id": key(town, payment), "iban": "DE11"})
    assert bad.status_code == 422 and "form.iban" in bad.text
    sent = ann.post("/accounts/payments/file", {"id": key(town, payment), "iban": OWN})
    assert sent.status_code == 200 and "attachment" in sent.headers["content-disposition"]
    order = read_transfers(sent.content)
    assert [(t.end_to_end, t.amount_minor, t.iban) for t in order.transfers] == [(payment, 11_662, IBAN)]
    assert town.visitor("ann", "viewer").post(
        "/accounts/payments/file", {"id": key(town, payment), "iban": OWN}
    ).status_code == 403  # fmt: skip
    other = town.visitor("bob").post("/accounts/payments/file", {"id": key(town, payment), "iban": OWN})
    assert other.status_code == 422 and "accounts.no_transfer" in other.text


def test_a_bank_statement_is_matched_looked_at_and_then_signed(town):
    payment = announced(town, "R-1")
    data = camt(
        {"amount": "116.62", "number": payment},
        {"amount": "119.00", "text": f"invoice R-2 {EVIL}".replace("<", "&lt;")},
        {"amount": "5.00", "text": "unknown"}, {"amount": "70.00", "way": "DBIT"},
    )  # fmt: skip
    seller, size = town.visitor("bob", "seller"), town.node.log.size
    seen = upload(seller, data)
    assert seen.status_code == 200 and town.node.log.size == size and EVIL not in seen.text
    words = html.unescape(seen.text)
    assert "3 came in, 2 fit" in words and "1 went out" in words and "by the payment's number" in words
    done = seller.post("/accounts/bank/sign", hidden(seen.text))
    assert done.status_code == 200 and done.text.count(">signed<") == 2, done.text
    assert "settled" in text_of(seller, f"/accounts/d/{town.ab}/R-1")
    claimed = town.visitor("ann").get("/accounts/payments?show=answer&format=json").json()
    assert [row["settles"] for row in claimed] == ["R-2"] and claimed[0]["payment"] == "Payment of R-2"
    again = upload(seller, data)
    assert "3 came in, 0 fit" in again.text
    stale = seller.post("/accounts/bank/sign", hidden(seen.text))
    assert stale.text.count("changed meanwhile, not signed") == 2


def test_a_file_that_is_no_statement_is_refused_and_a_viewer_signs_nothing(town):
    bob, size = town.visitor("bob"), None
    for data, code in ((b"", "form.missing"), (b"hello", "xml.not_xml"), (b"<a/>", "xml.wrong_root"),
                       (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "xml.has_doctype")):  # fmt: skip
        answer = upload(bob, data)
        assert answer.status_code == 422 and code in answer.text, code
    payment = announced(town, "R-1")
    seen = upload(bob, camt({"amount": "116.62", "number": payment}))
    viewer, size = town.visitor("bob", "viewer"), town.node.log.size
    assert viewer.post("/accounts/bank/sign", hidden(seen.text)).status_code == 403
    assert viewer.post("/accounts/payments/confirm", {"id": key(town, payment)}).status_code == 403
    assert viewer.post("/accounts/payments/claim", {"id": key(town, "R-2")}).status_code == 403
    assert town.visitor("ann", "viewer").post("/accounts/payments/propose", {"id": key(town, "R-2")}).status_code == 403
    assert town.node.log.size == size


def test_a_third_firm_finds_no_payment(town):
    payment, eve = announced(town, "R-1"), town.visitor("eve")
    assert eve.get(f"/accounts/payment/{town.ab}/{payment}").status_code == 404
    assert eve.post("/accounts/payment", {"key": key(town, payment)}).status_code == 404
    for path, name in (("propose", "R-2"), ("claim", "R-2"), ("confirm", payment)):
        assert eve.post(f"/accounts/payments/{path}", {"id": key(town, name)}).status_code == 422
    for show in ("pay", "answer", "due", "sent", "all"):
        assert payment not in eve.get(f"/accounts/payments?show={show}").text
