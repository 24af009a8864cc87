"""Facts ready to sign: an invoice of what was delivered, a credit note, a netting submission, what a cycle settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hanse.kernel.refusal import require
from hanse.kernel.view import View
from hanse.rooms.accounts.cycles import compute
from hanse.rooms.accounts.deal_facts import NettingClose, NettingSign, NettingSubmit, Owed
from hanse.rooms.accounts.facts import CreditLine, CreditNote, Invoice, InvoiceLine
from hanse.rooms.accounts.invoicing import cut
from hanse.rooms.accounts.ledger import MONEY_MAX, billable, taxes_of
from hanse.rooms.accounts.netting import result_hash
from hanse.rooms.accounts.queries import terms_for
from hanse.rooms.accounts.rows import BALANCES, BILLED, CYCLES, INVOICES, ITEMS, RESULTS, SUBMISSIONS
from hanse.rooms.orders.private_rows import ORDER_TERMS, SHIPMENT_TERMS
from hanse.rooms.orders.rows import SHIPMENTS
from hanse.rooms.parties.queries import alias_in


def to_bill(view: View, *, limit: int = 1_000) -> list[tuple[str, str, InvoiceLine]]:
    """(circle, order, line) of all that the reader has delivered and not billed, by shipment."""
    return _to_bill(view, limit, "")


def to_bill_partners(view: View, *, limit: int = 1_000) -> list[tuple[str, str, InvoiceLine]]:
    """The same, without what is delivered to partners outside the network: an own system may have billed that."""
    return _to_bill(view, limit, "AND s.circle <> ? ")


def _to_bill(view: View, limit: int, narrow: str) -> list[tuple[str, str, InvoiceLine]]:
    """By shipment, in circles whose books have anything unbilled: goods that cost nothing alone are not billed."""
    sql = (
        f"SELECT s.circle, s.shipment, s.order_id FROM {{{SHIPMENT_TERMS.name}}} s JOIN {{{ORDER_TERMS.name}}} o "
        "ON o.circle = s.circle AND o.order_id = s.order_id WHERE o.seller = ? AND o.loan = 0 AND s.slices_n > 0 "
        f"{narrow}AND EXISTS (SELECT 1 FROM {{{BALANCES.name}}} b WHERE b.circle = s.circle AND b.account = 'unbilled' "
        "AND b.balance_minor <> 0) ORDER BY s.circle, s.shipment"
    )
    values = (view.party, view.home) if narrow else (view.party,)
    out: list[tuple[str, str, InvoiceLine]] = []
    for circle, shipment, order in view.sql(sql, values, tables=(SHIPMENT_TERMS, ORDER_TERMS, BALANCES)):
        out += [(circle, order, line) for line in unbilled_lines(view, circle, shipment)]
        if len(out) >= limit:
            break
    return out[:limit]


def unbilled_lines(view: View, circle: str, shipment: str, tax_ppm: int = 0) -> list[InvoiceLine]:
    """What of a received shipment is not billed yet."""
    found = view.get(SHIPMENTS, shipment)
    out = []
    for line in found.lines if found and found.method and found.circle == circle else ():
        had = view.get(BILLED, circle, shipment, line.line)
        left = billable(line) - (had.each if had else 0)
        if left > 0:
            out.append(InvoiceLine(shipment=shipment, line=line.line, each=left, tax_ppm=tax_ppm))
    return out


def invoice(
    view: View,
    circle: str,
    number: str,
    shipments: Sequence[str],
    /,
    *,
    lines: Sequence[InvoiceLine] = (),
    rounding: Any = "half_up",
    **rest: Any,
) -> Invoice | None:
    """The invoice of received shipments on the seller's terms, totals computed as the rule will; None: nothing to bill.

    Args:
        lines: what to bill; else all that is unbilled, at the tax of the seller's terms. rest: further fields.
    """
    first = view.get(SHIPMENT_TERMS, circle, shipments[0]) if shipments else None
    order = view.get(ORDER_TERMS, circle, first.order_id) if first else None
    if order is None:
        return None
    terms = terms_for(view, order.buyer or f"~{order.counterparty}")
    rate = terms.tax_ppm if terms else 0
    chosen = list(lines) or [line for name in shipments for line in unbilled_lines(view, circle, name, rate)]
    if not chosen:
        return None
    nets = [(_net(view, circle, line), line.tax_ppm) for line in chosen]
    net, tax = sum(part for part, _ in nets), sum(row[2] for row in taxes_of(nets, rounding))
    fields: dict[str, Any] = {
        "circle": circle,
        "invoice": number,
        "lines": chosen,
        "currency": order.currency,
        "net_minor": net,
        "tax_minor": tax,
        "gross_minor": net + tax,
        "rounding": rounding,
        "payment_days": terms.payment_days if terms else 30,
        "discount_ppm": terms.discount_ppm if terms else 0,
        "discount_days": terms.discount_days if terms else 0,
        "number": number,
    }
    return Invoice(**{**fields, **rest})


def _net(view: View, circle: str, line: InvoiceLine) -> int:
    terms = view.get(SHIPMENT_TERMS, circle, line.shipment)
    had = view.get(BILLED, circle, line.shipment, line.line)
    low = had.each if had else 0
    slices = terms.slices if terms else ()
    return sum(price * each for _, price, each in cut(slices, line.line, low, low + line.each))


def credit_note(
    view: View, circle: str, number: str, of: str, lines: Sequence[CreditLine], /, **rest: Any
) -> CreditNote | None:
    """A credit note of an invoice, totals computed as the rule will; None for an unknown invoice.

    Refuses, in order: accounts.unknown_line, accounts.too_much.
    """
    text = view.get(INVOICES, circle, of)
    if text is None:
        return None
    by = {line.number: line for line in text.lines}
    unknown = sorted({part.number for part in lines} - set(by))
    require(not unknown, "accounts.unknown_line", "the invoice has no such line", got=unknown)
    nets = [(part.net_minor or part.each * by[part.number].unit_price_minor, by[part.number].tax_ppm) for part in lines]
    net = sum(part for part, _ in nets)
    require(net <= MONEY_MAX, "accounts.too_much", "no credit note is so large", got=net, expected=f"<= {MONEY_MAX}")
    tax = sum(row[2] for row in taxes_of(nets, text.rounding))
    totals: dict[str, Any] = {"net_minor": net, "tax_minor": tax, "gross_minor": net + tax}
    fields: dict[str, Any] = {"circle": circle, "credit": number, "invoice": of, "lines": list(lines), "number": number}
    return CreditNote(**{**fields, **totals, **rest})


def submission(view: View, cycle: str) -> NettingSubmit | None:
    """The reader's own open items with the cycle's members, due by now or not, as it would submit them."""
    row = view.get(CYCLES, cycle)
    result = view.get(RESULTS, row.circle, cycle) if row else None
    if row is None or result is None:
        return None
    owed: dict[str, list[int]] = {}
    sql = (
        f"SELECT supplier, customer, SUM(open_minor - announced_minor) FROM {{{ITEMS.name}}} WHERE settled_at = 0 "
        "AND unproven = 0 AND currency = ? AND circle <> ? AND (supplier = ? OR customer = ?) GROUP BY 1, 2"
    )
    for supplier, customer, amount in view.sql(
        sql, (result.currency, row.circle, view.party, view.party), tables=(ITEMS,)
    ):
        partner = customer if supplier == view.party else supplier
        if amount > 0 and alias_in(view, row.circle, partner):
            owed.setdefault(partner, [0, 0])[supplier == view.party] += amount
    words = [Owed(partner=partner, to_pay_minor=pay, to_get_minor=get) for partner, (pay, get) in sorted(owed.items())]
    return NettingSubmit(circle=row.circle, cycle=cycle, owed=words)


def closing(view: View, cycle: str, salt: str) -> NettingClose | None:
    """The treasurer's statement of the round under way."""
    row = view.get(CYCLES, cycle)
    result = view.get(RESULTS, row.circle, cycle) if row else None
    if row is None or result is None:
        return None
    submissions = view.rows(SUBMISSIONS, "circle = ? AND cycle = ?", (row.circle, cycle))
    done = compute(submissions, row.dropped)
    alias: Mapping[str, str] = {submission.party: submission.alias for submission in submissions}
    return NettingClose(
        circle=row.circle,
        cycle=cycle,
        result=result_hash(cycle, result.currency, salt, done),
        parties=sorted(alias[party] for party, _ in done.positions),
        salt=salt,
    )


def signature(view: View, cycle: str) -> NettingSign | None:
    """The reader's signature under a round, if its own node comes to the treasurer's result; else None."""
    row = view.get(CYCLES, cycle)
    result = view.get(RESULTS, row.circle, cycle) if row else None
    if row is None or result is None or not result.salt:
        return None
    done = compute(view.rows(SUBMISSIONS, "circle = ? AND cycle = ?", (row.circle, cycle)), row.dropped)
    own = result_hash(cycle, result.currency, result.salt, done)
    return NettingSign(circle=row.circle, cycle=cycle, result=own) if own == row.result else None
