"""How accounts read in the trade's formats: UBL invoices and orders, bank transfers out, bank statements in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.accounts.facts import DAY, Allocation, BookLine, ReceivePayment
from hanse.rooms.accounts.queries import document
from hanse.rooms.accounts.rows import ANNOUNCED, CREDIT_NOTE, INVOICE, INVOICES, ITEMS, PAYMENTS, Item, Payment
from hanse.rooms.catalog.facts import ITEMS as CATALOG
from hanse.rooms.orders.facts import DeliverTo, PlaceLine, PlaceOrder
from hanse.rooms.orders.private_rows import ORDER_TERMS
from hanse.rooms.orders.rows import ORDERS, SHIPMENTS
from hanse.rooms.parties.facts import PARTIES
from hanse.standards.iso20022 import BankEntry, BankStatement, Instruction, Transfer
from hanse.standards.safe_xml import decimal_text
from hanse.standards.ubl import UblInvoice, UblLine, UblOrder, UblParty, UblTax, category


def party_of(view: View, party: str) -> UblParty:
    """A party by its public profile; an outsider by its name alone."""
    row = view.get(PARTIES, party)
    if row is None:
        return UblParty(name=party.removeprefix("~"))
    return UblParty(name=row.name, party_id=party, city=row.city, country=row.country)


def ubl_invoice(view: View, circle: str, item: str) -> UblInvoice | None:
    """An invoice or credit note of the reader's circles; None for others, and for items without lines."""
    found = document(view, circle, item)
    if found is None or found.text is None:
        return None
    row, text = found.item, found.text
    shipments = sorted({line.shipment for line in text.lines})
    arrived = [shipment.received_at for name in shipments if (shipment := view.get(SHIPMENTS, name))]
    return UblInvoice(
        number=row.reference or item,
        credit=row.item_kind == CREDIT_NOTE,
        issued_at=row.issued_at // DAY * DAY,
        due_at=row.due_at // DAY * DAY,
        delivered_at=max(arrived, default=0) // DAY * DAY,
        currency=row.currency,
        seller=party_of(view, row.supplier),
        buyer=party_of(view, row.customer),
        order=text.order_ids[0] if len(text.order_ids) == 1 else "",
        shipment=shipments[0] if len(shipments) == 1 else "",
        corrects=_reference(view, circle, text.corrects),
        note=text.note,
        terms=_terms(row),
        iban=text.iban,
        lines=tuple(
            UblLine(
                number=str(line.number),
                name=_name(view, line.item),
                item_id=line.item,
                each=line.each or 1,
                unit_price_minor=line.unit_price_minor if line.each else line.credited_minor,
                net_minor=line.credited_minor if text.corrects else line.net_minor,
                tax_ppm=line.tax_ppm,
                tax_category=category(line.tax_ppm),
                order_line=str(line.line),
            )
            for line in text.lines
        ),
        taxes=tuple(
            UblTax(category=category(ppm), ppm=ppm, base_minor=base, tax_minor=tax) for ppm, base, tax in text.taxes
        ),
        net_minor=abs(row.net_minor),
        tax_minor=abs(row.tax_minor),
        gross_minor=abs(row.amount_minor),
    )


def _reference(view: View, circle: str, item: str) -> str:
    row = view.get(ITEMS, circle, item) if item else None
    return (row.reference or item) if row else ""


def _terms(row: Item) -> str:
    """The cash discount in the form that German and Dutch systems read (XRechnung, BT-20), else nothing."""
    if not row.discount_ppm:
        return ""
    days = (row.discount_until - row.issued_at) // DAY
    return f"#SKONTO#TAGE={days}#PROZENT={decimal_text(row.discount_ppm // 100, 2)}#"


def _name(view: View, item: str) -> str:
    row = view.get(CATALOG, item)
    return row.description if row else item


def book_line(invoice: UblInvoice, number: str, side: str = "buy") -> BookLine:
    """A document of somebody outside the network, for `accounts.book`: one-sided, wholly open.

    Args:
        number: in one's own home. side: buy where the reader is the customer.
    """
    partner = invoice.seller.name if side == "buy" else invoice.buyer.name
    fields: dict[str, Any] = {"side": side, "book_kind": CREDIT_NOTE if invoice.credit else INVOICE}
    return BookLine(
        item=number,
        partner=partner,
        currency=invoice.currency,
        net_minor=invoice.net_minor,
        tax_minor=invoice.tax_minor,
        open_minor=max(0, invoice.gross_minor - invoice.prepaid_minor),
        issued_at=invoice.issued_at,
        due_at=invoice.due_at or invoice.issued_at,
        number=invoice.number,
        **fields,
    )


def ubl_order(view: View, circle: str, order_id: str) -> UblOrder | None:
    """An order of the reader's circles."""
    order, terms = view.get(ORDERS, order_id), view.get(ORDER_TERMS, circle, order_id)
    if order is None or terms is None:
        return None
    other = f"~{terms.counterparty}"
    each = {line.line: line.ordered for line in order.lines}
    lines = tuple(
        UblLine(
            number=str(line.line),
            name=_name(view, line.item),
            item_id=line.item,
            each=each[line.line],
            unit_price_minor=line.unit_price_minor,
            net_minor=each[line.line] * line.unit_price_minor,
            tax_category="Z",
        )
        for line in terms.lines
    )
    return UblOrder(
        number=order_id,
        issued_at=terms.ordered_at // DAY * DAY,
        currency=terms.currency,
        buyer=party_of(view, terms.buyer or other),
        seller=party_of(view, terms.seller or other),
        requested_at=max((line.requested_at for line in terms.lines), default=0) // DAY * DAY,
        buyer_reference=terms.po_number,
        note=terms.note,
        lines=lines,
        net_minor=sum(line.net_minor for line in lines),
    )


def place_order(order: UblOrder, circle: str, buyer: str, seller: str, /, **rest: Any) -> PlaceOrder:
    """An order that came as UBL, as the fact that its buyer signs. `rest`: further fields, such as confirm_by."""
    lines = [
        PlaceLine(
            line=n,
            each=line.each,
            item=line.item_id or line.name,
            own_number=line.item_id,
            unit_price_minor=line.unit_price_minor,
            requested_at=order.requested_at,
        )
        for n, line in enumerate(order.lines, 1)
    ]
    fields: dict[str, Any] = {
        "circle": circle,
        "order": order.number,
        "lines": lines,
        "buyer_party": buyer,
        "seller_party": seller,
        "po_number": order.buyer_reference,
        "currency": order.currency,
        "deliver_to": DeliverTo(),
        "note": order.note,
    }
    return PlaceOrder(**{**fields, **rest})


def transfers(
    view: View, payments: Sequence[tuple[str, str]], *, iban: str, message: str, bic: str = ""
) -> Instruction | None:
    """A bank file of the reader's announced payments (circle, payment), to the accounts that their invoices name.

    None where one of them is no announced bank payment of the reader's, names no account, or another currency.
    """
    out: list[Transfer] = []
    currencies = set()
    for circle, name in payments:
        row = view.get(PAYMENTS, circle, name)
        account = account_of(view, row) if row else ""
        if row is None or row.state != ANNOUNCED or row.payer != view.party or row.method != "bank" or not account:
            return None
        currencies.add(row.currency)
        out.append(
            Transfer(
                end_to_end=name,
                amount_minor=row.amount_minor,
                payee=party_of(view, row.payee).name,
                iban=account,
                text=row.reference or ", ".join(_reference(view, circle, part.item) for part in row.allocations),
            )
        )
    if len(currencies) != 1:
        return None
    return Instruction(
        message=message,
        created_at=view.now,
        execute_at=view.now // DAY * DAY,
        currency=currencies.pop(),
        payer=party_of(view, view.party).name,
        iban=iban,
        bic=bic,
        transfers=tuple(out),
    )


def account_of(view: View, row: Payment) -> str:
    """The one bank account that all the invoices of a payment name, "" for none or several."""
    texts = (view.get(INVOICES, row.circle, part.item) for part in row.allocations)
    named = {text.iban for text in texts if text is not None and text.iban}
    return named.pop() if len(named) == 1 else ""


class Matched(Struct, frozen=True):
    """A bank entry and the fact that it asks for: None where nothing fits. `why`: number, reference, amount, or ""."""

    entry: BankEntry
    fact: ReceivePayment | None
    why: str


def match(view: View, statement: BankStatement, *, answer_by: int) -> list[Matched]:
    """What a bank statement says of money that came in, as the payee's facts; nothing is signed here.

    First by the number of an announced payment, then by an open invoice's number in the text with its open amount.
    """
    waiting = {row.payment: row for row in view.rows(PAYMENTS, "state = ?", (ANNOUNCED,)) if row.payee == view.party}
    where = "supplier = ? AND settled_at = 0 AND item_kind = 'invoice' AND unproven = 0"
    open_ = view.rows(ITEMS, where, (view.party,), order="due_at, item", limit=100_000)
    used: set[str] = set()
    return [_match(entry, waiting, open_, used, answer_by) for entry in statement.entries if entry.amount_minor > 0]


def _match(
    entry: BankEntry, waiting: dict[str, Payment], open_: Iterable[Item], used: set[str], answer_by: int
) -> Matched:
    row = waiting.pop(entry.end_to_end, None)
    if row is not None and row.currency == entry.currency:
        fact = ReceivePayment(circle=row.circle, payment=row.payment, amount_minor=entry.amount_minor)
        return Matched(entry, fact, "number")
    words = set(entry.text.replace(",", " ").replace(";", " ").split())
    for item in open_:
        named = item.item in words or (item.reference and item.reference in words)
        free = item.open_minor - item.announced_minor
        if not named or item.item in used or item.currency != entry.currency or free <= 0:
            continue
        used.add(item.item)
        whole = entry.amount_minor == free
        fact = ReceivePayment(
            circle=item.circle,
            payment=f"bank-{entry.bank_reference or entry.end_to_end or item.item}"[:80],
            answer_by=answer_by,
            payer=item.customer,
            currency=item.currency,
            amount_minor=entry.amount_minor,
            allocations=[Allocation(item=item.item, amount_minor=free)] if whole else [],
            reference=entry.text[:400],
        )
        return Matched(entry, fact, "reference and amount" if whole else "reference")
    return Matched(entry, None, "")
