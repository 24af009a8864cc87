"""The journal for a firm's own general ledger: a time, own account numbers, and the file."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import xlsxwriter
from litestar import Request, get
from litestar.params import FromPath, FromQuery
from litestar.response import Response

from hanse.kernel.view import View
from hanse.rooms.accounts.journal import BUYS, SELLS, JournalRow, journal
from hanse.rooms.accounts.page_document import attached
from hanse.rooms.accounts.page_statement import day_start
from hanse.rooms.accounts.page_words import CRUMBS, TABS, at_desk, name_of
from hanse.site.pages_forms import Accounts, exported, note_seen, table_view
from hanse.site.pages_market import called
from hanse.web import Badge, Column, Money, Read, Reader, Table, not_here, page
from hanse.web.export import csv_bytes
from hanse.web.formats import decimal

DAY = 86_400
SHOWN_MAX = 2_000
NAMES = tuple(dict.fromkeys((*SELLS.values(), *BUYS.values())))
"""Our accounts, each of which a firm may call by a number of its own."""
COLUMNS = (
    *("entry", "part", "date", "kind", "document", "account", "partner", "currency"),
    *("debit", "credit", "text", "proven", "circle"),
)
FORMS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
JOURNAL = Table(
    "journal",
    (
        Column("date", "Date", wide=True, sortable=True),
        Column("kind", "What", "badge", filterable=True),
        Column("document", "Document", sortable=True),
        Column("account", "Account", sortable=True, filterable=True),
        Column("partner", "Partner", sortable=True, filterable=True),
        Column("debit", "Debit", "money", sortable=True),
        Column("credit", "Credit", "money", sortable=True),
        Column("text", "Text", shown=False),
        Column("entry", "Entry", "proof"),
    ),
    search="Document, partner or account",
    page_rows=50,
    prefix="j.",
)


def own_names(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The firm's own account numbers, as the address gives them: `a.receivables=1200`."""
    given = request.query_params
    return {name: text for name in NAMES if (text := given.get(f"a.{name}", "").strip()[:80])}


def _rows(view: View, since: str, until: str, names: dict[str, str], limit: int) -> list[JournalRow]:
    """Refuses: form.day."""
    from_at, until_at = day_start(since, "From"), day_start(until, "To")
    return journal(view, from_at=from_at, until_at=until_at + DAY if until_at else 0, names=names, limit=limit)


@get("/accounts/journal", sync_to_thread=True)
def journal_page(
    request: Request[Any, Any, Any], session: Reader, read: Read, since: FromQuery[str] = "",
    until: FromQuery[str] = "",
) -> Any:  # fmt: skip
    """The journal of a time, as it would be written to a file."""
    view = at_desk(read, session).view
    names = own_names(request)
    found = _rows(view, since, until, names, SHOWN_MAX)
    rows = [_shown(view, row) for row in found]
    if (file := exported(request, (JOURNAL, rows))) is not None:
        return file
    return page(
        "accounts/journal.html", title="Journal", crumbs=CRUMBS, tabs=TABS, at="/accounts/journal", since=since,
        until=until, names=NAMES, own=names, forms=list(FORMS), query=request.url.query, sums=_sums(found),
        listing=table_view(request, JOURNAL, rows, "No entry in this time."), most=len({row.entry for row in found}),
        shown_max=SHOWN_MAX,
    )  # fmt: skip


def _shown(view: View, row: JournalRow) -> dict[str, Any]:
    return {
        "date": row.date, "kind": Badge(row.kind.replace("_", " "), "" if row.proven else "unproven"),
        "document": called(view, row.document), "account": row.account, "partner": name_of(view, row.partner),
        "debit": Money(row.debit_minor, row.currency) if row.debit_minor else None,
        "credit": Money(row.credit_minor, row.currency) if row.credit_minor else None, "text": row.text,
        "entry": row.entry,
    }  # fmt: skip


def _sums(rows: list[JournalRow]) -> list[tuple[str, int, int]]:
    """(currency, debit, credit) in minor units; the two are equal."""
    found: dict[str, list[int]] = {}
    for row in rows:
        one = found.setdefault(row.currency, [0, 0])
        one[0] += row.debit_minor
        one[1] += row.credit_minor
    return [(currency, debit, credit) for currency, (debit, credit) in sorted(found.items())]


@get("/accounts/journal/{file:str}", sync_to_thread=True)
def journal_file(
    request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts, file: FromPath[str],
    since: FromQuery[str] = "", until: FromQuery[str] = "",
) -> Response[bytes]:  # fmt: skip
    """The whole journal of a time as journal.csv, .xlsx or .json."""
    view = at_desk(read, session).view
    name, _, form = file.rpartition(".")
    if name != "journal" or form not in FORMS:
        raise not_here()
    rows = _rows(view, since, until, own_names(request), 1_000_000)
    cells = [_cells(view, row) for row in rows]
    note_seen(accounts, session, f"export:{file}", request)
    return attached(_file(cells, form), f"journal{f'-{since}' if since else ''}.{form}", FORMS[form])


def _cells(view: View, row: JournalRow) -> list[Any]:
    return [
        row.entry, row.part, row.date, row.kind, row.document, row.account, name_of(view, row.partner), row.currency,
        decimal(row.debit_minor, row.currency), decimal(row.credit_minor, row.currency), row.text,
        "yes" if row.proven else "no", row.circle,
    ]  # fmt: skip


def _file(cells: list[list[Any]], form: str) -> bytes:
    """Amounts are decimals; no cell is a formula."""
    if form == "json":
        return msgspec.json.encode([dict(zip(COLUMNS, row, strict=True)) for row in cells])
    if form == "csv":
        return b"\xef\xbb\xbf" + csv_bytes([COLUMNS, *cells])
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("journal")
        for at, row in enumerate((list(COLUMNS), *cells)):
            for place, cell in enumerate(row):
                if at and COLUMNS[place] in ("entry", "part", "debit", "credit"):
                    sheet.write_number(at, place, float(cell))
                else:
                    sheet.write_string(at, place, str(cell)[:32_767])
    return out.getvalue()


PAGES: list[Any] = [journal_page, journal_file]
