"""UBL 2.1 invoices, credit notes and orders: in. The inverse of `ubl`'s writers, and more tolerant than they.

Of what others write more, lines, taxes, totals, parties and references are read, and the totals are checked against
each other. Sources: as `ubl`.
"""

from __future__ import annotations

from typing import Any

from hanse.standards.safe_xml import (
    XmlRefused,
    day_seconds,
    digits_of,
    minor_units,
    need,
    number,
    parse,
    text_at,
)
from hanse.standards.ubl import (
    LINES_MAX,
    NS,
    ROOT,
    UblInvoice,
    UblLine,
    UblOrder,
    UblParty,
    UblTax,
    check_totals,
)


def read_invoice(data: bytes) -> UblInvoice:
    """An invoice or credit note of UBL 2.1.

    Refuses, in order: xml.too_large, xml.not_xml, xml.has_doctype, xml.wrong_root, xml.missing, xml.bad_date,
        xml.bad_number, xml.inexact, xml.unsupported (too many lines, other currencies within), xml.wrong_total.
    """
    root = parse(data)
    credit = root.tag == f"{{{ROOT.format('CreditNote')}}}CreditNote"
    if not credit and root.tag != f"{{{ROOT.format('Invoice')}}}Invoice":
        raise XmlRefused("xml.wrong_root", "this is no UBL 2.1 invoice or credit note", str(root.tag))
    kind = "CreditNote" if credit else "Invoice"
    currency = need(root, "cbc:DocumentCurrencyCode", NS)
    due = text_at(root, "cac:PaymentMeans/cbc:PaymentDueDate" if credit else "cbc:DueDate", NS)
    delivered = text_at(root, "cac:Delivery/cbc:ActualDeliveryDate", NS)
    total = _one(root, "cac:LegalMonetaryTotal")
    taxes = _one(root, "cac:TaxTotal")
    lines = _lines(root, f"cac:{kind}Line", "CreditedQuantity" if credit else "InvoicedQuantity", currency)
    invoice = UblInvoice(
        number=need(root, "cbc:ID", NS),
        credit=credit,
        issued_at=day_seconds(need(root, "cbc:IssueDate", NS)),
        due_at=day_seconds(due) if due else 0,
        delivered_at=day_seconds(delivered) if delivered else 0,
        currency=currency,
        seller=_read_party(root, "cac:AccountingSupplierParty/cac:Party"),
        buyer=_read_party(root, "cac:AccountingCustomerParty/cac:Party"),
        payee=text_at(root, "cac:PayeeParty/cac:PartyName/cbc:Name", NS),
        order=text_at(root, "cac:OrderReference/cbc:ID", NS),
        shipment=text_at(root, "cac:DespatchDocumentReference/cbc:ID", NS),
        corrects=text_at(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID", NS),
        buyer_reference=text_at(root, "cbc:BuyerReference", NS),
        note=text_at(root, "cbc:Note", NS),
        terms=text_at(root, "cac:PaymentTerms/cbc:Note", NS),
        iban=text_at(root, "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID", NS),
        lines=lines,
        taxes=tuple(_read_tax(sub, currency) for sub in taxes.findall("cac:TaxSubtotal", NS)),
        net_minor=_amount(total, "cbc:TaxExclusiveAmount", currency),
        tax_minor=_amount(taxes, "cbc:TaxAmount", currency),
        gross_minor=_amount(total, "cbc:TaxInclusiveAmount", currency),
        allowance_minor=_amount(total, "cbc:AllowanceTotalAmount", currency, 0),
        charge_minor=_amount(total, "cbc:ChargeTotalAmount", currency, 0),
        prepaid_minor=_amount(total, "cbc:PrepaidAmount", currency, 0),
    )
    stated = _amount(total, "cbc:LineExtensionAmount", currency)
    if stated != sum(line.net_minor for line in lines):
        raise XmlRefused("xml.wrong_total", "BR-CO-10: the lines come to another sum", str(stated))
    check_totals(invoice)
    return invoice


def _one(root: Any, path: str) -> Any:
    """Refuses: xml.missing."""
    found = root.find(path, NS)
    if found is None:
        raise XmlRefused("xml.missing", f"{path} is not there")
    return found


def _amount(at: Any, path: str, currency: str, default: int | None = None) -> int:
    """Refuses, in order: xml.missing, xml.unsupported (another currency), xml.bad_number, xml.inexact."""
    found = at.find(path, NS)
    if found is None:
        if default is None:
            raise XmlRefused("xml.missing", f"{path} is not there")
        return default
    if found.get("currencyID", currency) != currency:
        raise XmlRefused("xml.unsupported", f"{path} is in another currency", found.get("currencyID"))
    return minor_units(found.text or "", digits_of(currency))


def _read_party(root: Any, path: str) -> UblParty:
    at = _one(root, path)
    name = text_at(at, "cac:PartyLegalEntity/cbc:RegistrationName", NS) or text_at(at, "cac:PartyName/cbc:Name", NS)
    if not name:
        raise XmlRefused("xml.missing", f"{path} has no name")
    return UblParty(
        name=name,
        party_id=text_at(at, "cac:PartyIdentification/cbc:ID", NS),
        vat_id=text_at(at, "cac:PartyTaxScheme/cbc:CompanyID", NS),
        street=text_at(at, "cac:PostalAddress/cbc:StreetName", NS),
        city=text_at(at, "cac:PostalAddress/cbc:CityName", NS),
        postcode=text_at(at, "cac:PostalAddress/cbc:PostalZone", NS),
        country=text_at(at, "cac:PostalAddress/cac:Country/cbc:IdentificationCode", NS),
    )


def _ppm(text: str) -> int:
    return minor_units(text, 4) if text else 0


def _read_tax(at: Any, currency: str) -> UblTax:
    return UblTax(
        category=need(at, "cac:TaxCategory/cbc:ID", NS),
        ppm=_ppm(text_at(at, "cac:TaxCategory/cbc:Percent", NS)),
        base_minor=_amount(at, "cbc:TaxableAmount", currency),
        tax_minor=_amount(at, "cbc:TaxAmount", currency),
    )


def _lines(root: Any, path: str, quantity: str, currency: str) -> tuple[UblLine, ...]:
    found = root.findall(path, NS)
    if not 0 < len(found) <= LINES_MAX:
        raise XmlRefused("xml.unsupported", f"a document has 1 to {LINES_MAX} lines", str(len(found)))
    return tuple(_read_line(at, quantity, currency) for at in found)


def _read_line(at: Any, quantity: str, currency: str) -> UblLine:
    """A price for several units (BT-149) is divided; one that does not come out whole is refused, as is part of a unit.

    Refuses, in order: xml.missing, xml.bad_number, xml.inexact, xml.unsupported.
    """
    counted = _one(at, f"cbc:{quantity}")
    base = text_at(at, "cac:Price/cbc:BaseQuantity", NS)
    per = number(base) if base else number("1")
    price = number(need(at, "cac:Price/cbc:PriceAmount", NS)) * 10 ** digits_of(currency)
    if not per or price / per != (price / per).to_integral_value():
        raise XmlRefused(
            "xml.inexact", "the price of one unit is no whole number of minor units", str(price / (per or 1))
        )
    tax = "cac:Item/cac:ClassifiedTaxCategory"
    return UblLine(
        number=need(at, "cbc:ID", NS),
        name=text_at(at, "cac:Item/cbc:Name", NS) or text_at(at, "cac:Item/cbc:Description", NS),
        each=minor_units(counted.text or "", 0),
        unit_code=counted.get("unitCode", "H87"),
        unit_price_minor=int(price / per),
        net_minor=_amount(at, "cbc:LineExtensionAmount", currency),
        tax_ppm=_ppm(text_at(at, f"{tax}/cbc:Percent", NS)),
        tax_category=text_at(at, f"{tax}/cbc:ID", NS),
        item_id=text_at(at, "cac:Item/cac:SellersItemIdentification/cbc:ID", NS),
        gtin=text_at(at, "cac:Item/cac:StandardItemIdentification/cbc:ID", NS),
        order_line=text_at(at, "cac:OrderLineReference/cbc:LineID", NS),
        note=text_at(at, "cbc:Note", NS),
    )


def read_order(data: bytes) -> UblOrder:
    """An order of UBL 2.1.

    Refuses, in order: xml.too_large, xml.not_xml, xml.has_doctype, xml.wrong_root, xml.missing, xml.bad_date,
        xml.bad_number, xml.inexact, xml.unsupported, xml.wrong_total.
    """
    root = parse(data)
    if root.tag != f"{{{ROOT.format('Order')}}}Order":
        raise XmlRefused("xml.wrong_root", "this is no UBL 2.1 order", str(root.tag))
    currency = need(root, "cbc:DocumentCurrencyCode", NS)
    asked = text_at(root, "cac:Delivery/cac:RequestedDeliveryPeriod/cbc:EndDate", NS)
    lines = _lines(root, "cac:OrderLine/cac:LineItem", "Quantity", currency)
    net = sum(line.net_minor for line in lines)
    total = root.find("cac:AnticipatedMonetaryTotal", NS)
    if total is not None and _amount(total, "cbc:LineExtensionAmount", currency, net) != net:
        raise XmlRefused("xml.wrong_total", "the lines come to another sum", str(net))
    return UblOrder(
        number=need(root, "cbc:ID", NS),
        issued_at=day_seconds(need(root, "cbc:IssueDate", NS)),
        currency=currency,
        buyer=_read_party(root, "cac:BuyerCustomerParty/cac:Party"),
        seller=_read_party(root, "cac:SellerSupplierParty/cac:Party"),
        requested_at=day_seconds(asked) if asked else 0,
        buyer_reference=text_at(root, "cbc:CustomerReference", NS),
        note=text_at(root, "cbc:Note", NS),
        lines=lines,
        net_minor=net,
    )
