"""To bill: what was delivered and not invoiced, and the invoices of it, issued together."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from litestar import get, post
from litestar.params import FromQuery
from msgspec import Struct

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.accounts import drafting
from hanse.rooms.accounts.facts import Invoice
from hanse.rooms.accounts.page_words import CRUMBS, TABS, apart, at_desk, key_of, name_of
from hanse.rooms.accounts.rows import CREDIT_NOTE, INVOICE, INVOICES, ITEMS
from hanse.rooms.orders.naming import order_name
from hanse.rooms.orders.private_rows import ORDER_TERMS, SHIPMENT_TERMS, OrderTerms
from hanse.rooms.orders.rows import SHIPMENTS
from hanse.site.pages_forms import Fields, Given, attempt
from hanse.standards.iso20022 import iban_ok
from hanse.web import Read, Reader, Refusal, go, page

SHOWN_MAX = 200
_numbers = threading.Lock()
"""One at a time takes the next number of a firm's own series."""


class Bill(Struct, frozen=True):
    """A delivery that can be billed, with the invoice that the rules would accept."""

    key: str
    shipment: str
    order: str
    order_name: str
    partner: str
    partner_name: str
    received_at: int
    each: int
    fact: Invoice
    unproven: bool


def bills(view: View, own: bool = False) -> list[Bill]:
    """Drafts, one a delivery: those of the customer with the most money first, then by delivery.

    own: those to partners outside the network, too.
    """
    seen: dict[tuple[str, str], None] = {}
    for circle, _, line in drafting.to_bill(view) if own else drafting.to_bill_partners(view):
        seen.setdefault((circle, line.shipment))
    found = [one for circle, shipment in list(seen)[:SHOWN_MAX] if (one := _bill(view, circle, shipment)) is not None]
    sums: dict[str, int] = {}
    for one in found:
        sums[one.partner] = sums.get(one.partner, 0) + int(one.fact.gross_minor)
    return sorted(found, key=lambda one: (-sums[one.partner], one.partner, one.received_at, one.shipment))


def _bill(view: View, circle: str, shipment: str) -> Bill | None:
    terms = view.get(SHIPMENT_TERMS, circle, shipment)
    order = view.get(ORDER_TERMS, circle, terms.order_id) if terms else None
    row, fact = view.get(SHIPMENTS, shipment), drafting.invoice(view, circle, "draft", [shipment])
    if terms is None or order is None or row is None or fact is None:
        return None
    partner = _customer(order)
    return Bill(
        key=key_of(circle, shipment),
        shipment=shipment,
        order=terms.order_id,
        order_name=order_name(view, terms.order_id),
        partner=partner,
        partner_name=name_of(view, partner),
        received_at=row.received_at,
        each=sum(line.each for line in fact.lines),
        fact=fact,
        unproven=bool(order.side),
    )


def _customer(order: OrderTerms) -> str:
    return order.buyer or f"~{order.counterparty}"


def last_iban(view: View) -> str:
    """The account that the reader's newest invoice names, "" for none."""
    sql = (
        f"SELECT t.iban FROM {{{ITEMS.name}}} i JOIN {{{INVOICES.name}}} t "
        "ON t.circle = i.circle AND t.invoice = i.item WHERE i.supplier = ? "
        "AND t.iban <> '' ORDER BY i.issued_at DESC LIMIT 1"
    )
    found = view.sql(sql, (view.party,), tables=(ITEMS, INVOICES))
    return str(found[0][0]) if found else ""


def next_number(view: View, kind: str = INVOICE, taken: int = 0) -> str:
    """The next number of the firm's own series of the year: 2026-00001, and C2026-00001 of credit notes.

    Args:
        taken: how many were taken and are not in the books yet.
    """
    year = datetime.fromtimestamp(view.now, UTC).year
    start = f"{'C' if kind == CREDIT_NOTE else ''}{year}-"
    where = "supplier = ? AND item_kind = ? AND reference LIKE ? AND LENGTH(reference) = ?"
    values = (view.party, kind, f"{start}%", len(start) + 5)
    last = view.count(ITEMS, where, values, of=f"MAX(CAST(SUBSTR(reference, {len(start) + 1}) AS INTEGER))")
    return f"{start}{last + 1 + taken:05d}"


def iban_of(form: Given) -> str:
    """The account that a form names, "" for none. Refuses: form.iban."""
    found = form.text("iban", "IBAN", most=50).replace(" ", "").upper()
    if found and not iban_ok(found):
        raise Refusal("form.iban", "The IBAN does not hold: its check digits differ.", got=found)
    return found


@get("/accounts/to-bill", sync_to_thread=True)
def to_bill_page(session: Reader, read: Read, own: FromQuery[str] = "") -> Any:
    """What was delivered and is not invoiced yet. own=1: to partners outside the network, too."""
    return _to_bill(at_desk(read, session), own=own == "1")


def _to_bill(
    found: Desk, *, own: bool = False, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None
) -> Any:
    view = found.view
    known = bills(view, own)
    sums: dict[str, int] = {}
    for one in known:
        currency = str(one.fact.currency)
        sums[currency] = sums.get(currency, 0) + int(one.fact.gross_minor)
    ticked = Given(given).many("id") if given else [one.key for one in known]
    return page(
        "accounts/to_bill.html", title="To bill", crumbs=CRUMBS, status=status, tabs=TABS, at="/accounts/to-bill",
        bills=known, sums=sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])), refusal=refusal, ticked=ticked,
        may=found.may(Invoice), given=given or {}, iban=last_iban(view), number=next_number(view), most=SHOWN_MAX,
        own=own, customers=len({(one.partner, one.fact.currency) for one in known}),
    )  # fmt: skip


@post("/accounts/to-bill", sync_to_thread=True)
def issue(session: Reader, read: Read, data: Fields) -> Any:
    """Issue the invoices of the ticked deliveries: one each, or one a customer."""
    found, form = at_desk(read, session), Given(data)

    def act() -> Any:
        with _numbers:
            facts = _facts(found, form)
            found.do_all(facts)
        count = len(facts)
        return go("/accounts/documents", notice=f"{count} {'invoice' if count == 1 else 'invoices'} issued.")

    return attempt(
        act, lambda status, refusal: _to_bill(found, own=form.flag("own"), status=status, refusal=refusal, given=data)
    )


def _facts(found: Desk, form: Given) -> list[Invoice]:
    """The invoices that a form asks for. Refuses, in order: form.nothing_chosen, form.iban, form.long."""
    view = found.view
    together = form.text("together") == "yes"
    groups: dict[tuple[str, ...], list[str]] = {}
    for key in form.many("id"):
        circle, shipment = apart(key)
        terms = view.get(SHIPMENT_TERMS, circle, shipment)
        order = view.get(ORDER_TERMS, circle, terms.order_id) if terms else None
        if order is None:
            raise Refused("accounts.unknown_shipment", "no such delivery of yours", got=shipment[:80])
        group = (circle, _customer(order), order.currency) if together else (circle, shipment)
        groups.setdefault(group, []).append(shipment)
    if not groups:
        raise Refused("form.nothing_chosen", "tick what is to be billed")
    iban, note = iban_of(form), form.text("note", "Note", most=4_000)
    facts: list[Invoice] = []
    for (circle, *_), shipments in groups.items():
        number = found.node.wallet.new_id("inv")[:16]
        own = next_number(view, taken=len(facts))
        fact = drafting.invoice(view, circle, number, shipments, number=own, iban=iban, note=note)
        if fact is None:
            raise Refused("accounts.more_than_received", "it is billed already", got=shipments[0])
        facts.append(fact)
    return facts


def numbered() -> threading.Lock:
    """The lock under which a next number is taken and used."""
    return _numbers


PAGES: list[Any] = [to_bill_page, issue]
