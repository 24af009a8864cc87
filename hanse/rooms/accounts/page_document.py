"""Invoices and credit notes: the list, one document with what it bills, credit notes, and files in UBL."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Response

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.accounts import drafting
from hanse.rooms.accounts.facts import CreditLine, CreditNote, Pay, ReceivePayment
from hanse.rooms.accounts.page_bills import next_number, numbered
from hanse.rooms.accounts.page_words import (
    CRUMBS,
    ENTRY_ONE,
    ITEM_WORDS,
    PAYMENT_WORDS,
    TABS,
    accrual_words,
    apart,
    at_desk,
    item_address,
    item_link,
    key_of,
    name_of,
    named,
    payment_words,
    proven,
    statement_address,
    two,
)
from hanse.rooms.accounts.queries import Document, accruals, corrections, document, newest_documents, settled_by
from hanse.rooms.accounts.rows import (
    ACCRUALS,
    AWARD,
    CREDIT_NOTE,
    INVOICE,
    INVOICES,
    STANDS,
    BilledLine,
    InvoiceText,
    Item,
)
from hanse.rooms.accounts.standards import ubl_invoice, ubl_order
from hanse.rooms.catalog.facts import ITEMS as CATALOG
from hanse.rooms.orders.pages_forms import line_numbers
from hanse.rooms.orders.private_rows import SHIPMENT_TERMS
from hanse.rooms.orders.rows import ORDERS, RETURNS
from hanse.site.menu import TRADE
from hanse.site.pages_forms import Accounts, Fields, Given, Where, attempt, exported, note_seen, table_view
from hanse.site.pages_market import called
from hanse.site.places import Places
from hanse.standards.ubl import write_invoice, write_order
from hanse.web import Badge, Column, Link, Money, Read, Reader, Refusal, Table, go, needs_role, not_here, page

SIDES = {"sell": "We sell", "buy": "We buy"}
STATES = ("open", "overdue", "settled")
REASONS = (
    ("return", "goods came back"),
    ("damaged", "damaged"),
    ("short", "short"),
    ("price", "wrong price"),
    ("goodwill", "goodwill"),
)
DOCUMENTS = Table(
    "documents",
    (
        Column("item", "Document", "link", sortable=True, wide=True),
        Column("kind", "Kind", "badge", filterable=True),
        Column("partner", "Partner", sortable=True),
        Column("state", "State", "badge", filterable=True, facets=STATES),
        Column("issued_at", "Issued", "time", sortable=True, filterable=True),
        Column("due_at", "Due", "day", sortable=True),
        Column("net", "Net", "money", shown=False),
        Column("tax", "Tax", "money", shown=False),
        Column("amount", "Total", "money", sortable=True, filterable=True),
        Column("open", "Open", "money", sortable=True, filterable=True),
        Column("proof", "Books", "badge", shown=False),
    ),
    sort="-issued_at",
    row_key="item",
    search="Document or partner",
)


def state_of(item: Item, now: int) -> Badge:
    """Whether an item is open, overdue or settled."""
    if item.settled_at:
        return Badge("settled", "good")
    late = 0 < item.due_at < now and item.open_minor > 0
    return Badge("overdue", "bad") if late else Badge("open", "info")


def document_row(view: View, item: Item) -> dict[str, Any]:
    """A document as the list shows it."""
    return {
        "item": item_link(item, view),
        "kind": Badge(ITEM_WORDS[item.item_kind]),
        "partner": name_of(view, item.customer if item.supplier == view.party else item.supplier),
        "state": state_of(item, view.now),
        "issued_at": item.issued_at,
        "due_at": item.due_at or None,
        "net": Money(item.net_minor, item.currency),
        "tax": Money(item.tax_minor, item.currency),
        "amount": Money(item.amount_minor, item.currency),
        "open": Money(item.open_minor, item.currency),
        "proof": proven(item.unproven),
    }


@get("/accounts/documents", sync_to_thread=True)
def documents_page(request: Request[Any, Any, Any], session: Reader, read: Read, side: FromQuery[str] = "sell") -> Any:
    """Invoices, credit notes and credits of clauses: what we sell, or what we buy."""
    view = at_desk(read, session).view
    if side not in SIDES:
        raise Refusal("accounts.unknown_side", "Documents are of what you sell or buy.", status=400, got=side[:40])
    rows = [document_row(view, item) for item in newest_documents(view, side)]
    if (file := exported(request, (DOCUMENTS, rows))) is not None:
        return file
    empty = "No invoice yet." if side == "buy" else "No invoice yet. Bills follow deliveries."
    then = ("To bill", "/accounts/to-bill") if side == "sell" else ("Read an invoice", "/accounts/upload")
    return page(
        "accounts/documents.html", title="Invoices and credit notes", crumbs=CRUMBS, tabs=TABS,
        at="/accounts/documents", sides=SIDES, side=side, listing=table_view(request, DOCUMENTS, rows, empty, then),
    )  # fmt: skip


# -- one document --------------------------------------------------------------------------------------------------


@get("/accounts/d/{names:path}", sync_to_thread=True)
def document_page(
    request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, names: FromPath[str]
) -> Any:
    """One invoice, credit note or other item of the reader's books."""
    return show(at_desk(read, session), places, *named(request, "/accounts/d/"))


def show(
    found: Desk, places: Places, circle: str, name: str, *, status: int = 200, refusal: Any = None,
    given: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """The page of one document. Raises: 404 outside its circle."""
    view = found.view
    shown = document(view, circle, name)
    if shown is None or view.party not in (shown.item.supplier, shown.item.customer):
        raise not_here()
    item, text = shown.item, shown.text
    sells = item.supplier == view.party
    partner = item.customer if sells else item.supplier
    lines = [_line(view, circle, line, places, text) for line in text.lines] if text else []
    creditable = bool(text) and sells and item.item_kind == INVOICE and found.may(CreditNote)
    free = item.open_minor - item.announced_minor
    return page(
        "accounts/document.html", title=_title(view, item), status=status,
        crumbs=(*CRUMBS, ("Documents", f"/accounts/documents?side={'sell' if sells else 'buy'}")), d=shown, item=item,
        text=text, key=key_of(circle, name), position=shown.entries[0].entry if shown.entries else item.position,
        state=state_of(item, view.now), proof=proven(item.unproven), lines=lines,
        supplier=name_of(view, item.supplier), customer=name_of(view, item.customer),
        bill_to=name_of(view, item.bill_to), orders=[Link(called(view, one), places.of("order", one)) for one in
                                                    (text.order_ids if text else ())],
        statement=statement_address(circle, partner, item.currency, "sell" if sells else "buy"),
        entries=[[ENTRY_ONE.get(e.entry_kind, e.entry_kind), e.at, e.reason, Money(e.due_minor, item.currency),
                  e.entry] for e in shown.entries],
        payments=_payments(view, item), credits=[document_row(view, one) for one in corrections(view, circle, name)],
        corrects=_corrects(view, text, item), origin=_origin(view, shown), reasons=REASONS,
        returns=_returns(view, item),
        may_credit=creditable and any(line["left_minor"] for line in lines), ubl=_ubl_address(text, item),
        may_pay=not sells and free > 0 and found.may(Pay), refusal=refusal, given=given or {},
        may_receive=sells and free > 0 and not item.unproven and found.may(ReceivePayment),
    )  # fmt: skip


def _title(view: View, item: Item) -> str:
    """A document by its kind and number, or by what it is for where it has none of its own."""
    words = item_link(item, view).text
    return words if words not in (item.reference, item.item) else f"{ITEM_WORDS[item.item_kind]} {words}"


def _line(view: View, circle: str, line: BilledLine, places: Places, text: InvoiceText) -> dict[str, Any]:
    row = view.get(CATALOG, line.item)
    terms = view.get(SHIPMENT_TERMS, circle, line.shipment)
    net = line.credited_minor if text.corrects else line.net_minor
    return {
        "n": line.number, "item": Link(row.description if row else line.item, places.of("item", line.item)),
        "shipment": line.shipment, "note": called(view, line.shipment),
        "order": terms.order_id if terms else "", "line": line.line, "each": line.each,
        "price": line.unit_price_minor, "net": net, "tax_ppm": line.tax_ppm,
        "credited_each": 0 if text.corrects else line.credited_each,
        "credited": 0 if text.corrects else line.credited_minor,
        "left_each": line.each - line.credited_each, "left_minor": line.net_minor - line.credited_minor,
    }  # fmt: skip


def _payments(view: View, item: Item) -> list[list[Any]]:
    out = []
    for row in settled_by(view, item.circle, item.item):
        part = next(part for part in row.allocations if part.item == item.item)
        link = Link(payment_words(view, row), two("/accounts/payment/", row.circle, row.payment))
        out.append([
            link, PAYMENT_WORDS[row.state], row.paid_at,
            Money(part.amount_minor, row.currency), Money(part.discount_minor, row.currency), row.position,
        ])  # fmt: skip
    return out


def _corrects(view: View, text: InvoiceText | None, item: Item) -> Link | None:
    found = document(view, item.circle, text.corrects) if text and text.corrects else None
    return item_link(found.item, view) if found else None


def _origin(view: View, shown: Document) -> Link | None:
    """How a credit came to be: the accrual of the clause result that it stands for."""
    if shown.item.item_kind != AWARD:
        return None
    name = shown.item.item.rstrip("+")
    return (
        Link(accrual_words(view, shown.item.circle, name), two("/accounts/accrual/", shown.item.circle, name))
        if (view.get(ACCRUALS, shown.item.circle, name))
        else None
    )


def _returns(view: View, item: Item) -> list[tuple[str, str]]:
    """Returns of this invoice's deliveries for which a credit note is expected."""
    text = view.get(INVOICES, item.circle, item.item)
    shipments = {line.shipment for line in text.lines} if text else set()
    out = []
    for row in accruals(view, STANDS) if text else ():
        back = view.get(RETURNS, row.document) if row.accrual_kind == "return" and row.circle == item.circle else None
        if back is not None and back.shipment in shipments:
            out.append(
                (
                    row.document,
                    f"{row.document}: {sum(line.accepted for line in back.lines)} each came back",
                )
            )
    return out


def _ubl_address(text: InvoiceText | None, item: Item) -> str:
    return two("/accounts/ubl/", item.circle, item.item) if text else ""


@get("/accounts/ubl/{names:path}", sync_to_thread=True)
def ubl_file(
    request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts, names: FromPath[str]
) -> Response[bytes]:
    """An invoice or credit note as UBL 2.1 in the profile of EN 16931."""
    circle, name = named(request, "/accounts/ubl/")
    found = ubl_invoice(at_desk(read, session).view, circle, name)
    if found is None:
        raise not_here()
    note_seen(accounts, session, f"document:{name}", request)
    return attached(write_invoice(found), f"{found.number}.xml", "application/xml")


@get("/accounts/ubl-order/{order:path}", sync_to_thread=True)
def ubl_order_file(
    request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts, order: FromPath[str]
) -> Response[bytes]:
    """An order of the reader's relationships as UBL 2.1, for the partner's or the own system."""
    needs_role(session, *TRADE)
    view, order = at_desk(read, session).view, order.removeprefix("/")
    row = view.get(ORDERS, order)
    found = ubl_order(view, row.circle, order) if row else None
    if found is None:
        raise not_here()
    note_seen(accounts, session, f"order:{order}", request)
    return attached(write_order(found), f"order-{found.number}.xml", "application/xml")


def attached(data: bytes, name: str, media: str) -> Response[bytes]:
    """A file to keep, its name in plain letters."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)[-100:]
    return Response(data, media_type=media, headers={"Content-Disposition": f'attachment; filename="{plain}"'})


# -- credit notes --------------------------------------------------------------------------------------------------


@post("/accounts/credit-note", sync_to_thread=True)
def credit(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Take back part of an invoice."""
    found, form = at_desk(read, session), Given(data)
    circle, name = apart(form.text("key", most=400)) if form.text("key", most=400) else ("", "")
    if found.view.get(INVOICES, circle, name) is None:
        raise not_here()

    def act() -> Any:
        with numbered():
            fact = _credit_fact(found, circle, name, form)
            found.do(fact)
        return go(two("/accounts/d/", circle, fact.credit), notice="Credited.")

    return attempt(
        act, lambda status, refusal: show(found, places, circle, name, status=status, refusal=refusal, given=data)
    )


def _credit_fact(found: Desk, circle: str, name: str, form: Given) -> CreditNote:
    """Refuses, in order: form.*; form.nothing_chosen."""
    view = found.view
    item = view.get(INVOICES, circle, name)
    paper = document(view, circle, name)
    assert item is not None and paper is not None, "the page has shown it"
    lines = []
    for number in line_numbers(form.data, ["each", "amount"]):
        each = form.whole(f"each.{number}", f"Quantity of line {number}", default=0)
        net = form.minor(f"amount.{number}", f"Amount of line {number}", paper.item.currency, default="0")
        if each or net:
            lines.append(CreditLine(number=number, each=each, net_minor=net))
    if not lines:
        raise Refused("form.nothing_chosen", "say what is credited: a quantity or an amount")
    known = {line.number for line in item.lines}
    unknown = [line.number for line in lines if line.number not in known]
    if unknown:
        raise Refused("accounts.unknown_line", "the invoice has no such line", got=unknown)
    back = form.text("return_id", "Return", most=80)
    fact = drafting.credit_note(
        view,
        circle,
        found.node.wallet.new_id("crn")[:16],
        name,
        lines,
        number=next_number(view, CREDIT_NOTE),
        reason=form.choice("reason", "Reason", [key for key, _ in REASONS]),
        note=form.text("note", "Note", most=4_000),
        **({"return_id": back} if back else {}),
    )
    assert fact is not None, "the invoice is there"
    return fact


PAGES: list[Any] = [documents_page, document_page, ubl_file, ubl_order_file, credit]
__all__ = ["PAGES", "attached", "document_row", "item_address", "show", "state_of"]
