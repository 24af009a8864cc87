"""Export: the firm's own tables as files for its own system."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Response, Template

from hanse.importers.facts_export import WHAT, as_file, exported
from hanse.node.desk import Desk
from hanse.site.desks import desk
from hanse.site.menu import EVERYBODY, Entry
from hanse.site.pages_forms import Accounts, note_seen
from hanse.web import Read, Reader, Session, not_here, page

TABLES = {
    "orders": ("Orders", "One row a line: what you sold and bought, with what was shipped."),
    "stock": ("Stock", "What lies where, with its value at cost."),
    "receipts": ("Receipts", "What arrived for your purchases, and what was damaged."),
    "transfers": ("Transfers", "Goods between firms at cost plus."),
    "offers": ("Offers", "What you offer, to whom, at what price."),
    "items": ("Own numbers", "Your item master, with what each number is matched to."),
    "sites": ("Sites", "Your places."),
}
FORMS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


def _desk(read: Any, session: Session) -> Desk:
    found = desk(read, session)
    if not found.view.home:
        raise not_here()
    return found


def _tables() -> dict[str, tuple[str, str]]:
    """The tables that can be exported, in the order shown."""
    return {name: words for name, words in TABLES.items() if name in (*WHAT, "transfers")}


@get("/export", sync_to_thread=True)
def export_page(session: Reader, read: Read) -> Template:
    """What can be taken out, in which form."""
    _desk(read, session)
    return page("site/export.html", title="Export", tables=_tables(), forms=list(FORMS))


@get("/export/{what:str}", sync_to_thread=True)
def export_file(
    request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts, what: FromPath[str]
) -> Response[bytes]:
    """One table as a file: /export/stock.csv."""
    name, _, form = what.rpartition(".")
    if name not in _tables() or form not in FORMS:
        raise not_here()
    found = _desk(read, session)
    data = as_file(exported(found, name), name, form)
    note_seen(accounts, session, f"export:{what}", request)
    day = datetime.fromtimestamp(found.view.now, UTC).date().isoformat()
    headers = {"Content-Disposition": f'attachment; filename="{name}-{day}.{form}"'}
    return Response(data, media_type=FORMS[form], headers=headers)


NAV = [Entry("Export", "/export", "Record", EVERYBODY)]
PAGES: list[Any] = [export_page, export_file]
