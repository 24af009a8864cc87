"""UBL 2.1 invoices, credit notes and orders, in the core that EN 16931 gives an invoice: what they hold, and out.

Only what Hanse knows is written. `ubl_reading` reads them in again, and what others write.

Sources: OASIS UBL 2.1 (Invoice, CreditNote, Order: element order); EN 16931-1:2017, business terms BT-n and rules
BR-CO-10, 13, 14, 15, 17; UNCL 1001 (380 invoice, 381 credit note), UNCL 5305 (tax category), UN/ECE 20 (units).
"""

from __future__ import annotations

from typing import Any

from lxml import etree
from msgspec import Struct

from hanse.standards.safe_xml import (
    XmlRefused,
    day_text,
    decimal_text,
    digits_of,
)

PPM = 1_000_000
CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
ROOT = "urn:oasis:names:specification:ubl:schema:xsd:{}-2"
NS = {"cac": CAC, "cbc": CBC}
EN16931 = "urn:cen.eu:en16931:2017"
LINES_MAX = 10_000


class UblParty(Struct, frozen=True, kw_only=True):
    """A party: name (BT-27/44), party_id (BT-29/46), vat_id (BT-31/48), address."""

    name: str
    party_id: str = ""
    vat_id: str = ""
    street: str = ""
    city: str = ""
    postcode: str = ""
    country: str = ""


class UblTax(Struct, frozen=True, kw_only=True):
    """A tax subtotal (BG-23): category by UNCL 5305, rate in ppm, base and tax in minor units."""

    category: str
    ppm: int
    base_minor: int
    tax_minor: int


class UblLine(Struct, frozen=True, kw_only=True):
    """A line. each: whole units; unit_price_minor: net; net_minor: BT-131. order_line, shipment: references."""

    number: str
    name: str
    each: int
    unit_price_minor: int
    net_minor: int
    tax_ppm: int = 0
    tax_category: str = ""
    unit_code: str = "H87"
    item_id: str = ""
    gtin: str = ""
    order_line: str = ""
    note: str = ""


class UblInvoice(Struct, frozen=True, kw_only=True):
    """An invoice, or with `credit` a credit note, whose amounts are positive, too.

    issued_at, due_at, delivered_at: the first second of their UTC day; 0 for none. corrects: the invoice's number.
    allowance, charge: of the whole document, net. prepaid_minor: BT-113. payable = gross - prepaid.
    """

    number: str
    credit: bool = False
    issued_at: int
    due_at: int = 0
    delivered_at: int = 0
    currency: str
    seller: UblParty
    buyer: UblParty
    payee: str = ""
    order: str = ""
    shipment: str = ""
    corrects: str = ""
    buyer_reference: str = ""
    note: str = ""
    terms: str = ""
    iban: str = ""
    lines: tuple[UblLine, ...]
    taxes: tuple[UblTax, ...]
    net_minor: int
    tax_minor: int
    gross_minor: int
    allowance_minor: int = 0
    charge_minor: int = 0
    prepaid_minor: int = 0


class UblOrder(Struct, frozen=True, kw_only=True):
    """An order. requested_at: the delivery asked for, 0 for none."""

    number: str
    issued_at: int
    currency: str
    buyer: UblParty
    seller: UblParty
    requested_at: int = 0
    buyer_reference: str = ""
    note: str = ""
    lines: tuple[UblLine, ...]
    net_minor: int


class _Out:
    """Writes elements in the order in which they are called for; nothing is written for an empty text."""

    def __init__(self, root: str, currency: str) -> None:
        space = ROOT.format(root)
        spaces: dict[str | None, str] = {None: space, "cac": CAC, "cbc": CBC}
        self.element = etree.Element(f"{{{space}}}{root}", nsmap=spaces)
        self.currency, self.digits = currency, digits_of(currency)

    def text(self, at: Any, name: str, value: str, **attributes: str) -> None:
        if value:
            etree.SubElement(at, f"{{{CBC}}}{name}", **attributes).text = _clean(value)

    def amount(self, at: Any, name: str, minor: int) -> None:
        self.text(at, name, decimal_text(minor, self.digits), currencyID=self.currency)

    def group(self, at: Any, *names: str) -> Any:
        for name in names:
            at = etree.SubElement(at, f"{{{CAC}}}{name}")
        return at

    def done(self) -> bytes:
        found: bytes = etree.tostring(self.element, xml_declaration=True, encoding="UTF-8", pretty_print=True)
        return found


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 cannot carry."""
    return "".join(
        c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff")
    )


def category(ppm: int) -> str:
    """The tax category of a rate where none is told: S standard, Z zero (UNCL 5305)."""
    return "S" if ppm else "Z"


def write_invoice(invoice: UblInvoice) -> bytes:
    """The invoice or credit note as UBL 2.1. Refuses: xml.wrong_total."""
    check_totals(invoice)
    kind = "CreditNote" if invoice.credit else "Invoice"
    out = _Out(kind, invoice.currency)
    root = out.element
    out.text(root, "CustomizationID", EN16931)
    out.text(root, "ID", invoice.number)
    out.text(root, "IssueDate", day_text(invoice.issued_at))
    if invoice.due_at and not invoice.credit:
        out.text(root, "DueDate", day_text(invoice.due_at))
    out.text(root, f"{kind}TypeCode", "381" if invoice.credit else "380")
    out.text(root, "Note", invoice.note)
    out.text(root, "DocumentCurrencyCode", invoice.currency)
    out.text(root, "BuyerReference", invoice.buyer_reference)
    if invoice.order:
        out.text(out.group(root, "OrderReference"), "ID", invoice.order)
    if invoice.corrects:
        out.text(out.group(root, "BillingReference", "InvoiceDocumentReference"), "ID", invoice.corrects)
    if invoice.shipment:
        out.text(out.group(root, "DespatchDocumentReference"), "ID", invoice.shipment)
    _party(out, out.group(root, "AccountingSupplierParty", "Party"), invoice.seller)
    _party(out, out.group(root, "AccountingCustomerParty", "Party"), invoice.buyer)
    if invoice.payee:
        out.text(out.group(root, "PayeeParty", "PartyName"), "Name", invoice.payee)
    if invoice.delivered_at:
        out.text(out.group(root, "Delivery"), "ActualDeliveryDate", day_text(invoice.delivered_at))
    _payment(out, root, invoice)
    for amount, charge in ((invoice.allowance_minor, "false"), (invoice.charge_minor, "true")):
        if amount:
            at = out.group(root, "AllowanceCharge")
            out.text(at, "ChargeIndicator", charge)
            out.text(at, "AllowanceChargeReason", "as agreed")
            out.amount(at, "Amount", amount)
            tax = invoice.taxes[0] if invoice.taxes else None
            _category(out, at, "TaxCategory", tax.category if tax else "Z", tax.ppm if tax else 0)
    _totals(out, root, invoice)
    for line in invoice.lines:
        _line(out, out.group(root, f"{kind}Line"), line, "CreditedQuantity" if invoice.credit else "InvoicedQuantity")
    return out.done()


def _payment(out: _Out, root: Any, invoice: UblInvoice) -> None:
    if invoice.iban or (invoice.credit and invoice.due_at):
        at = out.group(root, "PaymentMeans")
        out.text(at, "PaymentMeansCode", "30")
        if invoice.credit and invoice.due_at:
            out.text(at, "PaymentDueDate", day_text(invoice.due_at))
        out.text(at, "PaymentID", invoice.number)
        if invoice.iban:
            out.text(out.group(at, "PayeeFinancialAccount"), "ID", invoice.iban)
    if invoice.terms:
        out.text(out.group(root, "PaymentTerms"), "Note", invoice.terms)


def _party(out: _Out, at: Any, party: UblParty) -> None:
    if party.party_id:
        out.text(out.group(at, "PartyIdentification"), "ID", party.party_id)
    out.text(out.group(at, "PartyName"), "Name", party.name)
    address = out.group(at, "PostalAddress")
    out.text(address, "StreetName", party.street)
    out.text(address, "CityName", party.city)
    out.text(address, "PostalZone", party.postcode)
    if party.country:
        out.text(out.group(address, "Country"), "IdentificationCode", party.country)
    if party.vat_id:
        scheme = out.group(at, "PartyTaxScheme")
        out.text(scheme, "CompanyID", party.vat_id)
        out.text(out.group(scheme, "TaxScheme"), "ID", "VAT")
    out.text(out.group(at, "PartyLegalEntity"), "RegistrationName", party.name)


def _category(out: _Out, at: Any, name: str, code: str, ppm: int) -> None:
    found = out.group(at, name)
    out.text(found, "ID", code)
    out.text(found, "Percent", decimal_text(ppm, 4))
    out.text(out.group(found, "TaxScheme"), "ID", "VAT")


def _totals(out: _Out, root: Any, invoice: UblInvoice) -> None:
    at = out.group(root, "TaxTotal")
    out.amount(at, "TaxAmount", invoice.tax_minor)
    for tax in invoice.taxes:
        sub = out.group(at, "TaxSubtotal")
        out.amount(sub, "TaxableAmount", tax.base_minor)
        out.amount(sub, "TaxAmount", tax.tax_minor)
        _category(out, sub, "TaxCategory", tax.category, tax.ppm)
    at = out.group(root, "LegalMonetaryTotal")
    out.amount(at, "LineExtensionAmount", sum(line.net_minor for line in invoice.lines))
    out.amount(at, "TaxExclusiveAmount", invoice.net_minor)
    out.amount(at, "TaxInclusiveAmount", invoice.gross_minor)
    for name, amount in (
        ("AllowanceTotalAmount", invoice.allowance_minor),
        ("ChargeTotalAmount", invoice.charge_minor),
        ("PrepaidAmount", invoice.prepaid_minor),
    ):
        if amount:
            out.amount(at, name, amount)
    out.amount(at, "PayableAmount", invoice.gross_minor - invoice.prepaid_minor)


def _line(out: _Out, at: Any, line: UblLine, quantity: str) -> None:
    out.text(at, "ID", line.number)
    if quantity != "Quantity":
        out.text(at, "Note", line.note)
    out.text(at, quantity, str(line.each), unitCode=line.unit_code)
    out.amount(at, "LineExtensionAmount", line.net_minor)
    if line.order_line and quantity != "Quantity":
        out.text(out.group(at, "OrderLineReference"), "LineID", line.order_line)
    if quantity == "Quantity":
        _price(out, at, line)
    item = out.group(at, "Item")
    out.text(item, "Name", line.name)
    if line.item_id:
        out.text(out.group(item, "SellersItemIdentification"), "ID", line.item_id)
    if line.gtin:
        out.text(out.group(item, "StandardItemIdentification"), "ID", line.gtin, schemeID="0160")
    _category(out, item, "ClassifiedTaxCategory", line.tax_category or category(line.tax_ppm), line.tax_ppm)
    if quantity != "Quantity":
        _price(out, at, line)


def _price(out: _Out, at: Any, line: UblLine) -> None:
    out.amount(out.group(at, "Price"), "PriceAmount", line.unit_price_minor)


def check_totals(invoice: UblInvoice) -> None:
    """Refuses: xml.wrong_total, where BR-CO-10, 13, 14, 15 or 17 does not hold; of 17 any rounding to a unit passes."""
    lines = sum(line.net_minor for line in invoice.lines)
    rules = (
        ("BR-CO-13", invoice.net_minor, lines - invoice.allowance_minor + invoice.charge_minor),
        ("BR-CO-14", invoice.tax_minor, sum(tax.tax_minor for tax in invoice.taxes)),
        ("BR-CO-15", invoice.gross_minor, invoice.net_minor + invoice.tax_minor),
        ("taxable amounts", invoice.net_minor, sum(tax.base_minor for tax in invoice.taxes)),
    )
    for rule, got, right in rules:
        if got != right:
            raise XmlRefused("xml.wrong_total", f"{rule}: expected {right}", str(got))
    for tax in invoice.taxes:
        if abs(tax.tax_minor * PPM - tax.base_minor * tax.ppm) >= PPM:
            raise XmlRefused("xml.wrong_total", f"BR-CO-17: {tax.base_minor} at {tax.ppm} ppm", str(tax.tax_minor))


def write_order(order: UblOrder) -> bytes:
    """The order as UBL 2.1."""
    out = _Out("Order", order.currency)
    root = out.element
    out.text(root, "ID", order.number)
    out.text(root, "IssueDate", day_text(order.issued_at))
    out.text(root, "Note", order.note)
    out.text(root, "DocumentCurrencyCode", order.currency)
    out.text(root, "CustomerReference", order.buyer_reference)
    _party(out, out.group(root, "BuyerCustomerParty", "Party"), order.buyer)
    _party(out, out.group(root, "SellerSupplierParty", "Party"), order.seller)
    if order.requested_at:
        at = out.group(root, "Delivery", "RequestedDeliveryPeriod")
        out.text(at, "EndDate", day_text(order.requested_at))
    out.amount(out.group(root, "AnticipatedMonetaryTotal"), "LineExtensionAmount", order.net_minor)
    at = root[-1]
    out.amount(at, "PayableAmount", order.net_minor)
    for line in order.lines:
        _line(out, out.group(root, "OrderLine", "LineItem"), line, "Quantity")
    return out.done()
