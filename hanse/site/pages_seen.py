"""Who saw what: which of the firm's people opened what is nobody else's business. Kept on this node, append-only."""

from __future__ import annotations

import re
from typing import Any

from litestar import Request, get

from hanse.kernel.view import View
from hanse.rooms.accounts.page_words import item_link
from hanse.rooms.accounts.rows import ITEMS
from hanse.rooms.contracts.page_parts import agreement_title, award_words, dispute_words
from hanse.rooms.contracts.private_rows import AGREEMENTS, AWARDS, DISPUTES
from hanse.rooms.orders.naming import DOCUMENT_MADE_UP, MADE_UP, MADE_UP_ID, SHIPPED, document_name
from hanse.rooms.orders.private_rows import DOCUMENTS
from hanse.site.desks import desk
from hanse.site.menu import OWNER, Entry
from hanse.site.pages_forms import Accounts, Where
from hanse.site.pages_market import called
from hanse.site.places import Places
from hanse.web import AccountStore, Badge, Column, Found, Link, ListQuery, Read, Reader, Table, listing, needs_role

KINDS = {
    "order": "order", "document": "document", "stock": "stock card", "entry": "entry of the record",
    "export": "export", "import": "import", "relationship": "relationship", "file": "file",
}  # fmt: skip
_PLACES = {"order": "order", "stock": "own", "entry": "entry"}
LOOKED_MAX = 5_000
NAMED_BY_PROGRAM = re.compile(f"{MADE_UP.pattern}|{SHIPPED.pattern}|{DOCUMENT_MADE_UP.pattern}")
SEEN = Table(
    id="seen",
    columns=(
        Column("at", "When", "time"),
        Column("who", "Who", filterable=True),
        Column("kind", "What", "badge", filterable=True, facets=tuple(KINDS.values())),
        Column("name", "Which", "link", filterable=True, wide=True),
        Column("address", "From", shown=False),
    ),
    page_rows=50,
)


def _name(accounts: AccountStore, names: dict[int, str], user: int | None) -> str:
    if user is None:
        return "somebody with a link"
    if user not in names:
        found = accounts.user(user)
        names[user] = found.name if found else "a closed account"
    return names[user]


def _called(view: View, kind: str, name: str) -> str:
    """What was looked at, as the firm calls it; what a program numbered and is not known any more by its id."""
    before, _, last = name.rpartition(" ")
    if not (MADE_UP_ID.fullmatch(last.partition(":")[0]) or NAMED_BY_PROGRAM.fullmatch(last)):
        return name
    if kind in ("agreement", "contract printed"):
        rows = view.rows(AGREEMENTS, "agreement = ?", (last,), limit=1)
        return agreement_title(view, rows[0].circle, last) if rows else name
    if kind == "contract result":
        awards = view.rows(AWARDS, "award = ?", (last,), limit=1)
        return award_words(view, awards[0]) if awards else name
    if kind == "dispute":
        found = view.rows(DISPUTES, "dispute = ?", (last,), limit=1)
        return dispute_words(view, found[0].circle, last).removeprefix("the dispute of ") if found else name
    row = view.get(DOCUMENTS, view.home, last) if view.home else None
    if row is not None:
        return document_name(view, row.document, row.customer, row.customer_po_number)
    items = view.rows(ITEMS, "item = ?", (last,), limit=1)
    return f"{before} {item_link(items[0], view).text if items else called(view, last)}".strip()


def _row(accounts: AccountStore, places: Places, view: View, names: dict[int, str], look: Any) -> dict[str, Any]:
    kind, _, name = look.what.partition(":")
    words = _called(view, kind, name)
    href = places.of(_PLACES[kind], name) if kind in _PLACES and name else ""
    return {
        "id": look.id, "at": look.at, "who": _name(accounts, names, look.user),
        "kind": Badge(KINDS.get(kind, kind), "info"), "name": Link(words, href) if href else words,
        "address": look.address,
    }  # fmt: skip


def _fits(row: dict[str, Any], query: ListQuery) -> bool:
    for key, one in query.filters.items():
        text = getattr(row[key], "text", row[key])
        if one.values and text not in one.values:
            return False
        if one.text and one.text.casefold() not in str(text).casefold():
            return False
    return True


@get("/history/seen", sync_to_thread=True)
def seen_page(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, accounts: Accounts) -> Any:
    """The latest looks, newest first."""
    needs_role(session, "owner")
    view = desk(read, session).view
    names: dict[int, str] = {}

    def fetch(query: ListQuery) -> Found:
        before = int(query.cursor) if query.cursor and query.cursor.isdigit() and len(query.cursor) < 16 else None
        rows: list[dict[str, Any]] = []
        looked, more = 0, True
        while more and looked < LOOKED_MAX and len(rows) < query.limit:
            part = accounts.seen.recent(party=session.party, before=before, limit=200)
            more = len(part) == 200
            for look in part:
                before, looked = look.id, looked + 1
                row = _row(accounts, places, view, names, look)
                if _fits(row, query):
                    rows.append(row)
                    if len(rows) == query.limit:
                        more = True
                        break
        return Found(rows, str(before) if rows and more and len(rows) == query.limit else None)

    return listing(
        request, SEEN, fetch, template="site/seen.html", title="Who saw what", crumbs=(("History", "/history"),),
        empty="Nobody has opened anything private yet.",
    )  # fmt: skip


NAV = [Entry("Who saw what", "/history/seen", "Record", OWNER)]
PAGES: list[Any] = [seen_page]
