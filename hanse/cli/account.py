"""`hanse account`: what a firm gets and owes; billed, paid, netted, exported. The node must be stopped.

Items, payments and cycles are named by their numbers; where a number stands in several circles, name the partner.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from hanse.cli._desk import Party, desk_of
from hanse.cli.shell import HERE, Answer, Data, Positive, table
from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.node import Node
from hanse.rooms.accounts import drafting, journal, queries, statements
from hanse.rooms.accounts.facts import Allocation, Pay, ReceivePayment
from hanse.rooms.accounts.paying import discount
from hanse.rooms.accounts.rows import ITEMS, PAYMENTS, Item
from hanse.rooms.accounts.standards import transfers
from hanse.rooms.orders.private_rows import SHIPMENT_TERMS
from hanse.standards.iso20022 import read_statements, write_transfers
from hanse.standards.safe_xml import XmlRefused
from hanse.web.formats import money

DAY = 86_400
ANSWER_DAYS = 14
Side = Literal["sell", "buy"]


def mount(app: App) -> None:
    """Add this file's commands."""
    group = App(name="account", help="Accounts: what is owed; invoices, payments, bank files, netting, the journal.")
    for command in (balances, aging, items, statement, unbilled, invoice, pay, receive, credit, accruals, net):
        group.command(command)
    group.command(bank_file, name="bank-file")
    group.command(bank_read, name="bank-read")
    group.command(export_journal, name="journal")
    app.command(group)


def balances(*, party: Party = "", data: Data = HERE) -> Answer:
    """List what stands between a firm and each partner: receivable, payable, unbilled, accrued."""
    with Node(data, helper=False) as node:
        found = queries.balances(desk_of(node, party).view)
    rows = [
        (r.partner, *(money(m, r.currency) for m in (r.receivable_minor, r.payable_minor, r.unbilled_minor,
                                                     r.accrued_minor)), "unproven" if r.unproven else "")
        for r in found
    ]  # fmt: skip
    return Answer(found, table("partner", "receivable", "payable", "unbilled", "accrued", "", rows=rows))


def aging(*, side: Side = "sell", party: Party = "", data: Data = HERE) -> Answer:
    """List open items by partner and age: not due, overdue to 30, 60, 90 days, longer.

    Parameters
    ----------
    side
        What it gets (sell), or what it owes (buy).
    """
    with Node(data, helper=False) as node:
        found = statements.aging(desk_of(node, party).view, side)
    rows = [
        (r.partner, *(money(m, r.currency) for m in (*r.buckets_minor, r.on_account_minor, r.open_minor)))
        for r in found
    ]
    return Answer(found, table("partner", "not due", "to 30 days", "to 60", "to 90", "longer", "on account", "open",
                               rows=rows))  # fmt: skip


def items(
    *, side: Literal["sell", "buy", ""] = "", partner: str = "", limit: Positive = 100, party: Party = "",
    data: Data = HERE,
) -> Answer:  # fmt: skip
    """List open items: invoices, credit notes, clause results, money on account.

    Parameters
    ----------
    side
        What it gets (sell), what it owes (buy); both without it.
    partner
        With this partner alone.
    """
    with Node(data, helper=False) as node:
        found = queries.open_items(desk_of(node, party).view, partner, side, limit=limit)
    rows = [(r.item, r.item_kind, r.supplier, r.customer, money(r.open_minor, r.currency), r.reference) for r in found]
    return Answer(found, table("item", "kind", "supplier", "customer", "open", "reference", rows=rows))


def _way(view: View, partner: str, currency: str) -> tuple[str, str]:
    """(circle, currency) of the books with a partner. Refuses: account.which_books."""
    ways = sorted({(b.circle, b.currency) for b in queries.balances(view) if b.partner == partner})
    fitting = [way for way in ways if currency in ("", way[1])]
    if len(fitting) != 1:
        raise Refused("account.which_books", "name a partner, and a currency where there are several", got=partner,
                      expected=", ".join(f"{circle} {money}" for circle, money in ways))  # fmt: skip
    return fitting[0]


def statement(partner: str, *, currency: str = "", side: Side = "sell", party: Party = "", data: Data = HERE) -> Answer:
    """Show the statement with a partner: opening, each kind of entry, closing; in the firm's favour.

    Parameters
    ----------
    partner
        A party, or an outsider as ~NAME.
    currency
        Where there are several.
    side
        What it sold to the partner, or bought from it.
    """
    with Node(data, helper=False) as node:
        view = desk_of(node, party).view
        circle, chosen = _way(view, partner, currency)
        found = statements.statement(view, circle, partner, chosen, side=side)
    rows = [(step.label, step.count or "", money(step.amount_minor, chosen)) for step in found.steps]
    return Answer(found, table("", "entries", "amount", rows=rows))


def unbilled(*, party: Party = "", data: Data = HERE) -> Answer:
    """List deliveries that were received and are not billed."""
    with Node(data, helper=False) as node:
        found = drafting.to_bill(desk_of(node, party).view)
    document = [{"circle": c, "order": o, "shipment": x.shipment, "line": x.line, "each": x.each} for c, o, x in found]
    rows = [(o, x.shipment, x.line, x.each) for _, o, x in found]
    return Answer(document, table("order", "shipment", "line", "each", rows=rows))


def invoice(*shipments: str, number: str, iban: str = "", party: Party = "", data: Data = HERE) -> Answer:
    """Bill received shipments of one customer, on the firm's own terms for it.

    Parameters
    ----------
    shipments
        Their numbers.
    number
        The invoice's.
    iban
        The account that the customer should pay to.
    """
    with Node(data, helper=False) as node:
        desk = desk_of(node, party)
        rows = desk.view.rows(SHIPMENT_TERMS, "shipment = ?", (shipments[0] if shipments else "",))
        fact = drafting.invoice(desk.view, rows[0].circle, number, shipments, iban=iban) if rows else None
        if fact is None:
            raise Refused("account.nothing_to_bill", "nothing of these is unbilled", got=shipments,
                          next="see `hanse account unbilled`")  # fmt: skip
        receipt = desk.do(fact)
    total = money(fact.gross_minor, fact.currency)
    document = {"invoice": number, "gross_minor": fact.gross_minor, "currency": fact.currency,
                "entry": receipt.position}  # fmt: skip
    return Answer(document, f"invoice {number} for {total}, entry {receipt.position:,}")


def _item(view: View, name: str) -> Item:
    """An open item by its number. Refuses: account.unknown_item, account.which_item."""
    found = view.rows(ITEMS, "item = ? AND settled_at = 0 AND unproven = 0", (name,))
    if not found:
        raise Refused(
            "account.unknown_item", "no open item has this number", got=name, next="see `hanse account items`"
        )
    if len(found) > 1:
        raise Refused("account.which_item", "several partners have an item of this number", got=name,
                      expected="one", next="pay it on the payments page")  # fmt: skip
    return found[0]


def pay(*names: str, payment: str = "", reference: str = "", party: Party = "", data: Data = HERE) -> Answer:
    """Say that open items of one partner are paid in full, less the discount that they earn now.

    The partner confirms when it has the money; until then nothing counts as paid.

    Parameters
    ----------
    names
        The items' numbers; credits among them reduce the sum.
    payment
        The payment's number; made up without it.
    """
    with Node(data, helper=False) as node:
        desk = desk_of(node, party)
        view = desk.view
        found = [_item(view, name) for name in names]
        if len({(row.circle, row.supplier, row.customer, row.currency) for row in found}) != 1:
            raise Refused("account.one_partner", "a payment settles items of one partner and currency", got=names)
        parts = [(row, row.open_minor - row.announced_minor) for row in found]
        amount = sum(free - discount(row, free, view.now) for row, free in parts)
        first = found[0]
        payee = first.supplier if first.customer == view.party else first.customer
        fact = Pay(
            circle=first.circle, payment=payment or node.wallet.new_id("pay"), payer=view.party, payee=payee,
            answer_by=max(view.now, int(node.clock())) + ANSWER_DAYS * DAY, currency=first.currency,
            amount_minor=amount, method="bank", reference=reference,
            allocations=[Allocation(item=row.item, amount_minor=free) for row, free in parts],
        )  # fmt: skip
        receipt = desk.do(fact)
    document = {"payment": fact.payment, "payee": payee, "amount_minor": amount, "currency": first.currency,
                "entry": receipt.position}  # fmt: skip
    return Answer(document, f"payment {fact.payment} of {money(amount, first.currency)} to {payee} announced")


def receive(payment: str, *, party: Party = "", data: Data = HERE) -> Answer:
    """Confirm that an announced payment has come in: from then on it counts.

    Parameters
    ----------
    payment
        Its number.
    """
    with Node(data, helper=False) as node:
        desk = desk_of(node, party)
        rows = [row for row in desk.view.rows(PAYMENTS, "payment = ?", (payment,)) if row.payee == desk.who.party]
        if len(rows) != 1:
            raise Refused("account.unknown_payment", "no payment to this firm has this number", got=payment)
        fact = ReceivePayment(circle=rows[0].circle, payment=payment, amount_minor=rows[0].amount_minor)
        receipt = desk.do(fact)
    document = {"payment": payment, "amount_minor": rows[0].amount_minor, "entry": receipt.position}
    return Answer(document, f"{money(rows[0].amount_minor, rows[0].currency)} received, entry {receipt.position:,}")


def credit(partner: str, currency: str = "EUR", *, party: Party = "", data: Data = HERE) -> Answer:
    """Show a customer's use of the firm's credit, and whether orders of it are held.

    Parameters
    ----------
    partner
        The customer.
    currency
        In which currency.
    """
    with Node(data, helper=False) as node:
        found = queries.credit(desk_of(node, party).view, partner, currency)
    return Answer(found)


def accruals(*, party: Party = "", data: Data = HERE) -> Answer:
    """List accruals: what clauses gave that is not yet owed, with its reason."""
    with Node(data, helper=False) as node:
        found = queries.accruals(desk_of(node, party).view)
    rows = [(r.accrual, r.state, r.supplier, r.customer, money(r.amount_minor, r.currency), r.label) for r in found]
    return Answer(found, table("accrual", "state", "supplier", "customer", "amount", "reason", rows=rows))


def bank_file(target: Path, *names: str, iban: str, bic: str = "", party: Party = "", data: Data = HERE) -> Answer:
    """Write announced payments as a file for the bank (ISO 20022 pain.001).

    Parameters
    ----------
    target
        The file to write.
    names
        The payments' numbers.
    iban
        The account to pay from.
    """
    with Node(data, helper=False) as node:
        view = desk_of(node, party).view
        keys = [(row.circle, row.payment) for name in names for row in view.rows(PAYMENTS, "payment = ?", (name,))]
        order = transfers(view, keys, iban=iban, bic=bic, message=node.wallet.new_id("sepa")) if keys else None
    if order is None:
        raise Refused("account.no_transfer", "a file has announced payments of one currency whose invoices name an "
                      "account", got=names)  # fmt: skip
    try:
        target.write_bytes(write_transfers(order))
    except XmlRefused as error:
        raise Refused(error.code, error.message, got=error.got or "") from None
    total = sum(part.amount_minor for part in order.transfers)
    document = {"file": str(target), "transfers": len(order.transfers), "total_minor": total,
                "currency": order.currency}  # fmt: skip
    return Answer(document, f"{len(order.transfers)} transfers of {money(total, order.currency)} in {target}")


def bank_read(
    file: Path, *, sign: Annotated[bool, Parameter(negative="")] = False, party: Party = "", data: Data = HERE
) -> Answer:
    """Read a bank statement (ISO 20022 camt.053): which payments and items it settles.

    Parameters
    ----------
    file
        The statement.
    sign
        Confirm what was matched by number, or by reference and amount; else nothing is signed.
    """
    from hanse.rooms.accounts.page_bank import matches

    try:
        read = read_statements(file.read_bytes())
    except XmlRefused as error:
        raise Refused(error.code, error.message, got=error.got or "") from None
    except OSError as error:
        raise Refused("account.no_file", f"the file does not read: {error}", got=file) from None
    with Node(data, helper=False) as node:
        desk = desk_of(node, party)
        found = [one for statement in read for one in matches(desk.view, statement)]
        sure = [one.fact for one in found if one.fact is not None and one.why in ("number", "reference and amount")]
        entries = [desk.do(fact).position for fact in sure] if sign else []
    document = [
        {"amount_minor": one.entry.amount_minor, "currency": one.entry.currency, "text": one.entry.text,
         "matched_by": one.why, "payment": one.fact.payment if one.fact else ""}
        for one in found
    ]  # fmt: skip
    rows = [(money(r["amount_minor"], r["currency"]), r["text"], r["matched_by"] or "nothing") for r in document]  # type: ignore[arg-type]
    return Answer({"rows": document, "signed": entries}, table("amount", "text", "matched by", rows=rows))


def export_journal(target: Path, *, party: Party = "", data: Data = HERE) -> Answer:
    """Write the firm's journal as CSV for its own general ledger: every entry from its side.

    Parameters
    ----------
    target
        The file to write.
    """
    with Node(data, helper=False) as node:
        rows = journal.journal(desk_of(node, party).view)
    target.write_text(journal.as_csv(rows), encoding="utf-8", newline="")
    return Answer({"file": str(target), "rows": len(rows)}, f"{len(rows):,} rows in {target}")


def net(
    cycle: str, step: Literal["show", "submit", "close", "sign"] = "show", *, party: Party = "", data: Data = HERE
) -> Answer:
    """Take part in a netting cycle: show it before and after, submit own balances, close (treasurer), check and sign.

    Parameters
    ----------
    cycle
        Its number.
    step
        What to do.
    """
    with Node(data, helper=False) as node:
        desk = desk_of(node, party)
        found = queries.cycle_page(desk.view, cycle)
        if found is None:
            raise Refused("account.unknown_cycle", "no netting cycle of this firm has this number", got=cycle)
        if step == "show":
            currency = found.result.currency
            return Answer(found, f"{cycle}: {found.payments_before} payments become {found.payments_after}; "
                                 f"{money(found.saved_minor, currency)} need not be moved")  # fmt: skip
        fact: Fact | None
        if step == "submit":
            fact = drafting.submission(desk.view, cycle)
        elif step == "close":
            fact = drafting.closing(desk.view, cycle, secrets.token_hex(16))
        else:
            fact = drafting.signature(desk.view, cycle)
        if fact is None:
            raise Refused("account.nothing_to_sign", "this firm does not come to the treasurer's result, or there is "
                          "none yet", got=cycle)  # fmt: skip
        receipt = desk.do(fact)
    return Answer(receipt, f"{step}: entry {receipt.position:,}")
