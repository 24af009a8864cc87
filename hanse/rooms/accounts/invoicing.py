"""Bills and credit notes: what of a delivery is billed, at which price, and what is taken back. Circle rules."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, rule
from hanse.rooms.accounts.facts import DAY, CreditNote, Invoice, InvoiceLine
from hanse.rooms.accounts.ledger import (
    MONEY_MAX,
    billable,
    find_item,
    free_number,
    open_item,
    outsider,
    part_of,
    post,
    taxes_of,
    tell_agreements,
    way_of,
)
from hanse.rooms.accounts.papers import paper
from hanse.rooms.accounts.rows import (
    ACCRUALS,
    BILLED,
    CREDIT_NOTE,
    INVOICE,
    INVOICES,
    USED,
    Billed,
    BilledLine,
    InvoiceText,
    Way,
    of_return,
)
from hanse.rooms.orders.private_rows import ORDER_TERMS, SHIPMENT_TERMS, OrderTerms, ShippedSlice
from hanse.rooms.orders.rows import SHIPMENTS, Shipment, ShipmentLine
from hanse.rooms.orders.terms import said
from hanse.rooms.parties.rules import signed_by


@rule(Invoice)
def number_invoice(draft: Draft, fact: Invoice) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.number_taken."""
    paper(draft, fact.circle, fact.invoice, "invoice")


@rule(CreditNote)
def number_credit_note(draft: Draft, fact: CreditNote) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.number_taken."""
    paper(draft, fact.circle, fact.credit, "credit_note")


def way_of_order(terms: OrderTerms) -> Way:
    """The direction of an order; the side that is missing in a one-sided one is an outsider."""
    other = outsider(terms.counterparty)
    return Way(terms.currency, terms.seller or other, terms.buyer or other, bool(terms.side))


@circle_rule(Invoice)
def keep_invoice(draft: Draft, fact: Invoice) -> None:
    """Bill received goods: due against unbilled and tax.

    Refuses, in order: accounts.item_taken, accounts.missing_terms, accounts.unknown_shipment, accounts.not_received,
        accounts.mixed_invoice (customers, currencies), accounts.not_supplier, accounts.wrong_currency, accounts.loan,
        accounts.repeated_line, accounts.unknown_line, accounts.more_than_received, accounts.too_much,
        accounts.wrong_total, accounts.bad_time.
    """
    free_number(draft, fact.invoice)
    stated = [said(amount, None) for amount in (fact.net_minor, fact.tax_minor, fact.gross_minor)]
    whole = said(fact.lines, None) and said(fact.currency, "") and None not in stated
    require(whole, "accounts.missing_terms", "an invoice has lines, a currency and its three totals")
    way, orders = _direction(draft, fact)
    lines = _bill(draft, fact.lines)
    rounding = said(fact.rounding, "half_up")
    net = sum(line.net_minor for line in lines)
    require(net <= MONEY_MAX, "accounts.too_much", "no invoice is so large", got=net, expected=f"<= {MONEY_MAX}")
    taxes = taxes_of([(line.net_minor, line.tax_ppm) for line in lines], rounding)
    tax = sum(row[2] for row in taxes)
    right = [net, tax, net + tax]
    require(
        stated == right, "accounts.wrong_total", "the totals differ from the deliveries", got=stated, expected=right
    )
    issued_at = said(fact.issued_at, 0) or draft.now
    in_time = issued_at <= draft.now and (way.unproven or issued_at == draft.now)
    require(in_time, "accounts.bad_time", "an invoice is issued when it is signed", got=issued_at, expected=draft.now)
    draft.put(
        INVOICES,
        InvoiceText(
            circle=fact.circle,
            invoice=fact.invoice,
            order_ids=orders,
            rounding=rounding,
            lines=lines,
            taxes=taxes,
            note=said(fact.note, ""),
            iban=said(fact.iban, ""),
        ),
    )
    discount_ppm, discount_days = said(fact.discount_ppm, 0), said(fact.discount_days, 0)
    open_item(
        draft,
        way,
        fact.invoice,
        INVOICE,
        net + tax,
        net_minor=net,
        tax_minor=tax,
        issued_at=issued_at,
        due_at=issued_at + said(fact.payment_days, 0) * DAY,
        discount_ppm=discount_ppm,
        discount_until=issued_at + discount_days * DAY if discount_ppm else 0,
        reference=said(fact.number, ""),
        bill_to=said(fact.bill_to, ""),
    )
    post(draft, way, INVOICE, fact.invoice, ("due", net + tax), ("unbilled", -net), ("tax", -tax))


def _direction(draft: Draft, fact: Invoice) -> tuple[Way, tuple[str, ...]]:
    """Who bills whom, and for which orders.

    Refuses, in order: accounts.unknown_shipment, accounts.not_received, accounts.mixed_invoice, accounts.not_supplier,
        accounts.wrong_currency, accounts.loan.
    """
    known: dict[str, Way] = {}
    loan = False
    for name in sorted({line.shipment for line in fact.lines}):
        shipment = delivered(draft, name)
        terms = draft.get(ORDER_TERMS, fact.circle, shipment.order_id)
        assert terms is not None, "a shipment's terms have their order's"
        known[shipment.order_id] = way_of_order(terms)
        loan = loan or terms.loan
    ways = set(known.values())
    require(len(ways) == 1, "accounts.mixed_invoice", "an invoice has one supplier, one customer, one currency")
    way = ways.pop()
    require(way.unproven or signed_by(draft, fact.circle, way.supplier), "accounts.not_supplier", "the supplier bills")
    same = way.currency == fact.currency
    require(same, "accounts.wrong_currency", "the orders are in another currency", got=fact.currency)
    require(not loan, "accounts.loan", "lent goods stay the supplier's and are not billed")
    return way, tuple(sorted(known))


def delivered(draft: Draft, shipment: str) -> Shipment:
    """A received shipment of the circle. Refuses, in order: accounts.unknown_shipment, accounts.not_received."""
    found = draft.get(SHIPMENTS, shipment)
    if found is None or found.circle != draft.circle or draft.get(SHIPMENT_TERMS, draft.circle, shipment) is None:
        raise Refused("accounts.unknown_shipment", "no such shipment in this circle", got=shipment)
    require(
        found.method,
        "accounts.not_received",
        "bills follow deliveries: this one is under way",
        got=shipment,
        next="wait for the receipt",
    )
    return found


def _bill(draft: Draft, asked: Sequence[InvoiceLine]) -> tuple[BilledLine, ...]:
    """Take the next unbilled units of each line, at their prices; one billed line a price.

    Refuses, in order: accounts.repeated_line, accounts.unknown_line, accounts.more_than_received.
    """
    named = [(line.shipment, line.line) for line in asked]
    require(len(set(named)) == len(named), "accounts.repeated_line", "a delivery's line is billed twice")
    out: list[BilledLine] = []
    for part in asked:
        receipt = _receipt(draft, part)
        had = draft.get(BILLED, draft.circle, part.shipment, part.line)
        before = had.each if had else 0
        left = billable(receipt) - before
        require(
            part.each <= left,
            "accounts.more_than_received",
            f"{part.shipment} line {part.line}: less was received and not yet billed",
            got=part.each,
            expected=f"<= {left}",
        )
        draft.put(BILLED, Billed(circle=draft.circle, shipment=part.shipment, line=part.line, each=before + part.each))
        terms = draft.get(SHIPMENT_TERMS, draft.circle, part.shipment)
        assert terms is not None, "delivered() has seen it"
        for item, price, each in cut(terms.slices, part.line, before, before + part.each):
            out.append(BilledLine(len(out) + 1, part.shipment, part.line, each, item, price, part.tax_ppm))
    return tuple(out)


def _receipt(draft: Draft, part: InvoiceLine) -> ShipmentLine:
    """Refuses: accounts.unknown_line."""
    shipment = draft.get(SHIPMENTS, part.shipment)
    for line in shipment.lines if shipment else ():
        if line.line == part.line:
            return line
    raise Refused("accounts.unknown_line", "the shipment has no such line", got=part.line)


def cut(slices: Sequence[ShippedSlice], line: int, low: int, high: int) -> list[tuple[str, int, int]]:
    """The good units low .. high of a shipment's line, in order of its promises: (item, unit price, each).

    >>> cut([ShippedSlice(1, 5, "a", 10, 0, good=4), ShippedSlice(1, 5, "a", 12, 0, good=5)], 1, 3, 6)
    [('a', 10, 1), ('a', 12, 2)]
    """
    out, at = [], 0
    for part in slices:
        if part.line == line:
            each = min(high, at + part.good) - max(low, at)
            if each > 0:
                out.append((part.item, part.unit_price_minor, each))
            at += part.good
    return out


@circle_rule(CreditNote)
def keep_credit_note(draft: Draft, fact: CreditNote) -> None:
    """Take back part of an invoice: goods (or a return's accrual) and tax against due. The item is negative.

    Refuses, in order: accounts.item_taken, accounts.missing_terms, accounts.unknown_item, accounts.not_an_invoice,
        accounts.not_supplier, accounts.repeated_line, accounts.unknown_line, accounts.more_than_billed,
        accounts.unknown_accrual (the return's), accounts.wrong_total.
    """
    free_number(draft, fact.credit)
    stated = [said(amount, None) for amount in (fact.net_minor, fact.tax_minor, fact.gross_minor)]
    whole = said(fact.invoice, "") and said(fact.lines, None) and None not in stated
    require(whole, "accounts.missing_terms", "a credit note names its invoice, lines and three totals")
    item, text = find_item(draft, fact.invoice), draft.get(INVOICES, fact.circle, fact.invoice)
    if text is None or item.item_kind != INVOICE:
        raise Refused("accounts.not_an_invoice", "only an invoice with lines is credited", got=fact.invoice)
    way = way_of(item)
    require(
        way.unproven or signed_by(draft, fact.circle, way.supplier), "accounts.not_supplier", "the supplier credits"
    )
    after, back = _take_back(text, fact)
    return_id = said(fact.return_id, "")
    accrual = draft.get(ACCRUALS, fact.circle, of_return(return_id)) if return_id else None
    known = not return_id or accrual is not None
    require(known, "accounts.unknown_accrual", "no credit is expected for this return", got=return_id)
    taxes = taxes_of([(net, rate) for _, net, rate in back], text.rounding)
    net, tax = sum(part[1] for part in back), sum(row[2] for row in taxes)
    right = [net, tax, net + tax]
    require(stated == right, "accounts.wrong_total", "the totals differ from the lines", got=stated, expected=right)
    draft.put(INVOICES, replace(text, lines=after))
    _keep_text(draft, fact, text, tuple(line for line, _, _ in back), taxes)
    used = min(net, -accrual.open_minor) if accrual else 0
    if accrual and used:
        left = accrual.open_minor + used
        draft.put(ACCRUALS, replace(accrual, open_minor=left, state=accrual.state if left else USED))
    credited = open_item(
        draft,
        way,
        fact.credit,
        CREDIT_NOTE,
        -(net + tax),
        net_minor=-net,
        tax_minor=-tax,
        discount_ppm=item.discount_ppm,
        discount_until=item.discount_until,
        reference=said(fact.number, ""),
        subject=fact.invoice,
    )
    post(
        draft,
        way,
        CREDIT_NOTE,
        fact.credit,
        ("due", -(net + tax)),
        ("tax", tax),
        ("accrued", used),
        ("goods", net - used),
        reason=said(fact.reason, ""),
    )
    tell_agreements(draft, "credit.issued", credited)


def _keep_text(
    draft: Draft,
    fact: CreditNote,
    text: InvoiceText,
    lines: tuple[BilledLine, ...],
    taxes: tuple[tuple[int, int, int], ...],
) -> None:
    draft.put(
        INVOICES,
        InvoiceText(
            circle=fact.circle,
            invoice=fact.credit,
            order_ids=text.order_ids,
            rounding=text.rounding,
            lines=lines,
            taxes=taxes,
            corrects=fact.invoice,
            reason=said(fact.reason, ""),
            note=said(fact.note, ""),
        ),
    )


def _take_back(text: InvoiceText, fact: CreditNote) -> tuple[tuple[BilledLine, ...], list[tuple[BilledLine, int, int]]]:
    """(the invoice's lines after, what is taken back as (line, net minor, tax ppm)).

    A line can be credited to its net and its quantity, by units and by amounts together, not beyond.
    Refuses, in order: accounts.repeated_line, accounts.unknown_line, accounts.more_than_billed.
    """
    asked = {part.number: part for part in fact.lines}
    require(len(asked) == len(fact.lines), "accounts.repeated_line", "a line is credited twice")
    unknown = sorted(set(asked) - {line.number for line in text.lines})
    require(not unknown, "accounts.unknown_line", "the invoice has no such line", got=unknown)
    after: list[BilledLine] = []
    back: list[tuple[BilledLine, int, int]] = []
    for line in text.lines:
        part = asked.get(line.number)
        if part is not None:
            net = part.net_minor or part.each * line.unit_price_minor
            fits = line.credited_each + part.each <= line.each and line.credited_minor + net <= line.net_minor
            require(
                fits and (part.each or net),
                "accounts.more_than_billed",
                f"line {line.number}: less is billed and not yet credited",
                got=(part.each, net),
                expected=f"<= {line.each - line.credited_each} each, {line.net_minor - line.credited_minor}",
            )
            shown = replace(line, each=part.each, credited_each=0, credited_minor=net)
            back.append((shown, net, line.tax_ppm))
            line = replace(line, credited_each=line.credited_each + part.each, credited_minor=line.credited_minor + net)
        after.append(line)
    return tuple(after), back


def tax_within(amount_minor: int, tax_minor: int, gross_minor: int) -> int:
    """The tax that stands in part of a gross amount, rounded half to even once."""
    return part_of(amount_minor, tax_minor, gross_minor)
