"""UBL invoices and orders: round trips, totals that are checked, strangers' XML that does no harm."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from hanse.standards.safe_xml import XmlRefused, day_seconds
from hanse.standards.ubl import NS, UblInvoice, UblLine, UblOrder, UblParty, UblTax, write_invoice, write_order
from hanse.standards.ubl_reading import read_invoice, read_order

SELLER = UblParty(
    name="Bob & Söhne", party_id="bob", vat_id="DE1", street="Kai 1", city="Bremen", postcode="2", country="DE"
)
BUYER = UblParty(name="Ann <Ltd>", country="GB")


def invoice(**change) -> UblInvoice:
    fields = {
        "number": "i1",
        "issued_at": day_seconds("2026-01-31"),
        "due_at": day_seconds("2026-03-02"),
        "currency": "EUR",
        "seller": SELLER,
        "buyer": BUYER,
        "lines": (
            UblLine(number="1", name="Bearing", each=3, unit_price_minor=333, net_minor=999, tax_ppm=190_000),
            UblLine(number="2", name="Book", each=2, unit_price_minor=50, net_minor=100, tax_ppm=70_000),
        ),
        "taxes": (
            UblTax(category="S", ppm=70_000, base_minor=100, tax_minor=7),
            UblTax(category="S", ppm=190_000, base_minor=999, tax_minor=190),
        ),
        "net_minor": 1_099,
        "tax_minor": 197,
        "gross_minor": 1_296,
    }
    return UblInvoice(**{**fields, **change})


def filled(found: UblInvoice) -> UblInvoice:
    """As read: a line without a category has one."""
    return replace(found, lines=tuple(replace(line, tax_category="S") for line in found.lines))


@pytest.mark.parametrize("credit", [False, True])
def test_an_invoice_or_credit_note_comes_back_as_it_went(credit):
    told = invoice(
        credit=credit,
        delivered_at=day_seconds("2026-01-30"),
        payee="Pool eG",
        order="po1",
        shipment="s1",
        corrects="i0",
        buyer_reference="4500017",
        note="a note",
        terms="2% within 10 days",
        iban="DE02120300000000202051",
        prepaid_minor=96,
    )
    assert read_invoice(write_invoice(told)) == filled(told)


def test_the_elements_stand_in_the_order_of_the_schema():
    root = etree.fromstring(write_invoice(invoice(order="po1", shipment="s1", terms="30 days")))
    names = [etree.QName(child).localname for child in root]
    assert names == [
        *("CustomizationID", "ID", "IssueDate", "DueDate", "InvoiceTypeCode", "DocumentCurrencyCode"),
        *("OrderReference", "DespatchDocumentReference", "AccountingSupplierParty", "AccountingCustomerParty"),
        *("PaymentTerms", "TaxTotal", "LegalMonetaryTotal", "InvoiceLine", "InvoiceLine"),
    ]
    line = [etree.QName(child).localname for child in root[-1]]
    assert line == ["ID", "InvoicedQuantity", "LineExtensionAmount", "Item", "Price"]
    assert root.findtext("cac:LegalMonetaryTotal/cbc:PayableAmount", namespaces=NS) == "12.96"


@pytest.mark.parametrize(("currency", "text"), [("JPY", "1296"), ("EUR", "12.96"), ("KWD", "1.296")])
def test_amounts_have_the_currencys_decimals(currency, text):
    data = write_invoice(invoice(currency=currency))
    assert f">{text}<".encode() in data
    assert read_invoice(data).gross_minor == 1_296


def test_document_level_charges_and_prices_of_several_units_are_read():
    told = invoice(
        charge_minor=25,
        net_minor=1_124,
        taxes=(
            UblTax(category="S", ppm=70_000, base_minor=125, tax_minor=9),
            UblTax(category="S", ppm=190_000, base_minor=999, tax_minor=190),
        ),
        tax_minor=199,
        gross_minor=1_323,
    )
    assert read_invoice(write_invoice(told)) == filled(told)
    hundred = write_invoice(invoice()).replace(
        b'<cbc:PriceAmount currencyID="EUR">3.33</cbc:PriceAmount>',
        b'<cbc:PriceAmount currencyID="EUR">333</cbc:PriceAmount><cbc:BaseQuantity>100</cbc:BaseQuantity>',
    )
    assert read_invoice(hundred) == filled(invoice())


CHANGES = [
    (b"2026-01-31", b"yesterday", "xml.bad_date"),
    (b"<cbc:ID>i1</cbc:ID>", b"", "xml.missing"),
    (b">9.99<", b">9.999<", "xml.inexact"),
    (b">9.99<", b">9e2<", "xml.bad_number"),
    (b">9.99<", b">9.98<", "xml.wrong_total"),
    (b">1.90<", b">1.91<", "xml.wrong_total"),
    (b">12.96</cbc:TaxInc", b">12.97</cbc:TaxInc", "xml.wrong_total"),
    (b'TaxInclusiveAmount currencyID="EUR"', b'TaxInclusiveAmount currencyID="USD"', "xml.unsupported"),
    (b'unitCode="H87">3<', b'unitCode="H87">3.5<', "xml.inexact"),
    (b"Invoice-2", b"Invoice-3", "xml.wrong_root"),
    (b"<Invoice", b"<!DOCTYPE Invoice><Invoice", "xml.has_doctype"),
    (b"</Invoice>", b"", "xml.not_xml"),
]


@pytest.mark.parametrize(("old", "new", "code"), CHANGES)
def test_what_does_not_hold_is_refused(old, new, code):
    data = write_invoice(invoice())
    assert old in data
    with pytest.raises(XmlRefused) as refused:
        read_invoice(data.replace(old, new))
    assert refused.value.code == code


def test_entities_and_files_of_this_machine_are_not_reached():
    bomb = b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
    file = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'
    for data in (bomb, file):
        with pytest.raises(XmlRefused) as refused:
            read_invoice(data)
        assert refused.value.code == "xml.has_doctype"


def test_totals_that_do_not_agree_are_not_written():
    with pytest.raises(XmlRefused):
        write_invoice(invoice(tax_minor=198))


def test_an_order_comes_back_as_it_went():
    lines = (UblLine(number="1", name="Bearing", each=3, unit_price_minor=333, net_minor=999, tax_category="Z"),)
    told = UblOrder(
        number="po1",
        issued_at=day_seconds("2026-01-01"),
        currency="EUR",
        buyer=BUYER,
        seller=SELLER,
        requested_at=day_seconds("2026-01-09"),
        note="quick",
        buyer_reference="PO 17",
        lines=lines,
        net_minor=999,
    )
    assert read_order(write_order(told)) == told
    with pytest.raises(XmlRefused):
        read_order(write_order(told).replace(b">9.99</cbc:LineExt", b">9.98</cbc:LineExt", 1))
    with pytest.raises(XmlRefused):
        read_order(write_invoice(invoice()))


TEXT = st.text(string.ascii_letters + "äß&<>\"' 中", min_size=1, max_size=20).map(lambda t: f"x{t}x")
LINES = st.lists(st.tuples(TEXT, st.integers(1, 10**6), st.integers(0, 10**6)), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(LINES, st.integers(0, 250_000), TEXT)
def test_any_invoice_of_whole_units_comes_back(rows, ppm, note):
    lines = tuple(
        UblLine(
            number=str(n),
            name=name,
            each=each,
            unit_price_minor=price,
            net_minor=each * price,
            tax_ppm=ppm // 100 * 100,
            tax_category="S",
        )
        for n, (name, each, price) in enumerate(rows)
    )
    net = sum(line.net_minor for line in lines)
    tax = net * (ppm // 100 * 100) // 1_000_000
    told = invoice(
        lines=lines,
        note=note,
        taxes=(UblTax(category="S", ppm=ppm // 100 * 100, base_minor=net, tax_minor=tax),),
        net_minor=net,
        tax_minor=tax,
        gross_minor=net + tax,
    )
    assert read_invoice(write_invoice(told)) == told


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 3000), st.integers(0, 60))
def test_damaged_documents_are_refused_and_nothing_else(junk, at, cut):
    data = write_invoice(invoice())
    at %= len(data)
    try:
        read_invoice(data[:at] + junk + data[at + cut :])
    except XmlRefused as refused:
        assert refused.code.startswith("xml.")
