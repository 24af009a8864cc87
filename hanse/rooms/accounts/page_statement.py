"""A statement: what changed between the reader and a partner, as a waterfall, with every entry beneath it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from litestar import Request, get
from litestar.params import FromQuery

from hanse.kernel.view import View
from hanse.rooms.accounts.page_words import (
    CRUMBS,
    ENTRY_ONE,
    ENTRY_WORDS,
    at_desk,
    item_link,
    major,
    name_of,
    payment_words,
    statement_address,
    two,
)
from hanse.rooms.accounts.queries import accruals
from hanse.rooms.accounts.rows import BALANCES, ITEMS, PAYMENTS, PENDING, Entry
from hanse.rooms.accounts.statements import Payer, Statement, payer, statement
from hanse.site.pages_forms import exported, table_view
from hanse.web import Badge, Column, Link, Money, Read, Reader, Refusal, Table, go, not_here, page
from hanse.web.charts import Chart, waterfall

DAY = 86_400
SIDES = {"sell": "We sell", "buy": "We buy"}
ENTRIES_TABLE = Table(
    "entries",
    (
        Column("at", "When", "time", sortable=True, wide=True),
        Column("what", "What", "badge", filterable=True),
        Column("document", "Document", "link", sortable=True),
        Column("reason", "Reason"),
        Column("amount", "Change", "money", sortable=True, filterable=True),
        Column("balance", "Balance", "money"),
        Column("entry", "Entry", "proof"),
    ),
    search="Document or reason",
    page_rows=100,
    prefix="e.",
)


def day_start(text: str, label: str) -> int:
    """The first second of a day, UTC; 0 for no day. Refuses: form.day.

    >>> day_start("1970-01-02", "From"), day_start("", "From")
    (86400, 0)
    """
    if not text:
        return 0
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refusal("form.day", f"{label} is not a day.", status=400, got=text[:40], expected="YYYY-MM-DD") from None
    return max(0, int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()))


def chart_of(found: Statement, partner: str) -> Chart:
    """Opening, each kind of change, closing."""
    last = len(found.steps) - 1
    steps = [
        (ENTRY_WORDS.get(step.label, step.label), major(step.amount_minor, found.currency), n in (0, last))
        for n, step in enumerate(found.steps)
    ]
    note = "Positive: they owe us." if found.side == "sell" else "Negative: we owe them."
    return waterfall(f"Account with {partner}", steps, unit=found.currency, note=note)


def entry_rows(view: View, found: Statement) -> list[dict[str, Any]]:
    """The entries with the balance after each, in the reader's favour."""
    sign = 1 if found.side == "sell" else -1
    level = found.steps[0].amount_minor
    rows = []
    for entry in found.entries:
        level += sign * entry.due_minor
        rows.append({
            "at": entry.at,
            "what": Badge(ENTRY_ONE.get(entry.entry_kind, entry.entry_kind), "unproven" if entry.unproven else ""),
            "document": _document(view, entry),
            "reason": entry.reason,
            "amount": Money(sign * entry.due_minor, found.currency),
            "balance": Money(level, found.currency),
            "entry": entry.entry,
        })  # fmt: skip
    return rows


def _document(view: View, entry: Entry) -> Link:
    if entry.entry_kind == "payment":
        paid = view.get(PAYMENTS, entry.circle, entry.document)
        words = payment_words(view, paid) if paid else entry.document
        return Link(words, two("/accounts/payment/", entry.circle, entry.document))
    row = view.get(ITEMS, entry.circle, entry.document)
    return item_link(row, view) if row else Link(entry.document, f"/history/{entry.entry}")


@get("/accounts/statement", sync_to_thread=True)
def statement_page(
    request: Request[Any, Any, Any],
    session: Reader,
    read: Read,
    circle: FromQuery[str] = "",
    partner: FromQuery[str] = "",
    currency: FromQuery[str] = "",
    side: FromQuery[str] = "sell",
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
) -> Any:
    """One direction's statement; without a partner, the list of accounts. Raises: 404 for books of others."""
    view = at_desk(read, session).view
    if not partner:
        return go("/accounts")
    if side not in SIDES or not _have_books(view, circle, partner, currency):
        raise not_here()
    from_at, until_at = day_start(since, "From"), day_start(until, "To")
    found = statement(
        view, circle, partner, currency, side=side, from_at=from_at, until_at=until_at + DAY if until_at else 0
    )
    rows = entry_rows(view, found)
    if (file := exported(request, (ENTRIES_TABLE, rows))) is not None:
        return file
    name = name_of(view, partner)
    address = {key: statement_address(circle, partner, currency, key) for key in SIDES}
    return page(
        "accounts/statement.html",
        title=f"Statement: {name}",
        crumbs=CRUMBS,
        s=found,
        name=name,
        since=since,
        until=until,
        chart=chart_of(found, name),
        closing=found.steps[-1].amount_minor,
        steps=[
            [ENTRY_WORDS.get(s.label, s.label), s.count or None, Money(s.amount_minor, currency)] for s in found.steps
        ],
        tabs=[(SIDES[key], address[key]) for key in SIDES],
        at=address[side],
        pending=_pending(view, found),
        payer=_payer(view, partner, currency) if side == "sell" else None,
        listing=table_view(request, ENTRIES_TABLE, rows, "Nothing changed in this time."),
    )


def _have_books(view: View, circle: str, partner: str, currency: str) -> bool:
    where = "circle = ? AND currency = ? AND ((supplier = ? AND customer = ?) OR (customer = ? AND supplier = ?))"
    return view.count(BALANCES, where, (circle, currency, view.party, partner, view.party, partner)) > 0


def _payer(view: View, partner: str, currency: str) -> Payer | None:
    found = payer(view, partner, currency)
    return found if found.settled_n or found.open_minor else None


def _pending(view: View, found: Statement) -> Money | None:
    """Accruals of this direction that are not in the statement yet, in the reader's favour."""
    ways = (view.party, found.partner) if found.side == "sell" else (found.partner, view.party)
    sums = [
        row.open_minor
        for row in accruals(view, PENDING)
        if (row.supplier, row.customer, row.currency, row.circle) == (*ways, found.currency, found.circle)
    ]
    return Money((1 if found.side == "sell" else -1) * sum(sums), found.currency) if sums else None


PAGES: list[Any] = [statement_page]
