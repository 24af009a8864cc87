"""Export: the firm's own tables as files for its own system, in the bundle's columns or in those of a mapping."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from litestar import Request, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Response, Template

from hanse.importers import library
from hanse.importers.bundle import READY, ready
from hanse.importers.facts_export import WHAT, as_file, exported
from hanse.importers.mapping import MappingFile, load
from hanse.importers.targets import EXPORTS, TARGETS
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk
from hanse.site import pages_jobs as work
from hanse.site.desks import desk
from hanse.site.menu import EVERYBODY, Entry
from hanse.site.pages_forms import Accounts, Fields, Given, attempt, note_seen
from hanse.site.pages_import import IMPORTERS
from hanse.web import Read, Reader, Session, go, needs_role, not_here, page

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
    return {name: words for name, words in TABLES.items() if name in WHAT}


def _mappings(found: Desk) -> dict[str, MappingFile]:
    """The mappings that an export may be written in: the firm's saved ones, then those that come with Hanse."""
    saved = {one.name: one for one in library.saved(work.mappings_of(found.node, found.who.party))}
    return {**saved, **{name: ready(name) for name in READY if name not in saved}}


def _chosen(found: Desk, name: str) -> MappingFile | None:
    """Refuses: mapping.unknown. A name is looked up, never opened as a file."""
    known = _mappings(found) if name else {}
    if name and name not in known:
        raise Refused("mapping.unknown", "no such mapping", got=name[:80], expected=", ".join(known))
    return known.get(name)


def _page(
    found: Desk, session: Session, mapping: str = "", *, status: int = 200, refusal: Any = None, given: str = ""
) -> Template:
    """Refuses: mapping.unknown."""
    chosen, tables = _chosen(found, mapping), _tables()
    if chosen is not None:
        said = {section.target for section in chosen.sections}
        tables = {name: words for name, words in tables.items() if name in said}
    names = [("", "the Hanse bundle"), *((name, name) for name in _mappings(found) if name != "hanse")]
    return page(
        "site/export.html", title="Export", tables=tables, forms=list(FORMS), mapping=mapping, mappings=names,
        query="?" + urlencode({"mapping": mapping}) if mapping else "", status=status, refusal=refusal, given=given,
        may_save=session.role in IMPORTERS, known=", ".join((*TARGETS, *EXPORTS)),
    )  # fmt: skip


@get("/export", sync_to_thread=True)
def export_page(session: Reader, read: Read, mapping: FromQuery[str] = "") -> Template:
    """What can be taken out, in which form and in whose columns. Refuses: mapping.unknown."""
    return _page(_desk(read, session), session, mapping)


@post("/export", sync_to_thread=True)
def save_mapping(session: Reader, read: Read, data: Fields) -> Any:
    """Save a mapping written as TOML, for exports and imports. Refuses, in order: as `mapping.load`; mapping.name."""
    needs_role(session, *IMPORTERS)
    found, given = _desk(read, session), Given(data)
    text = given.text("mapping", "Mapping", most=40_000)

    def act() -> Any:
        one = load(text)
        if one.name in READY:
            raise Refused("mapping.name", "a mapping of Hanse's own has this name", got=one.name, next="name it anew")
        library.save(work.mappings_of(found.node, found.who.party), one)
        return go("/export?" + urlencode({"mapping": one.name}), notice="Saved.")

    return attempt(act, lambda status, refusal: _page(found, session, status=status, refusal=refusal, given=text))


@get("/export/{what:str}", sync_to_thread=True)
def export_file(
    request: Request[Any, Any, Any],
    session: Reader,
    read: Read,
    accounts: Accounts,
    what: FromPath[str],
    mapping: FromQuery[str] = "",
) -> Response[bytes]:
    """One table as a file: /export/stock.csv. Refuses, in order: mapping.unknown, export.not_mapped."""
    name, _, form = what.rpartition(".")
    if name not in _tables() or form not in FORMS:
        raise not_here()
    found = _desk(read, session)
    data = as_file(exported(found, name, _chosen(found, mapping)), name, form)
    note_seen(accounts, session, f"export:{what}", request)
    day = datetime.fromtimestamp(found.view.now, UTC).date().isoformat()
    headers = {"Content-Disposition": f'attachment; filename="{name}-{day}.{form}"'}
    return Response(data, media_type=FORMS[form], headers=headers)


NAV = [Entry("Export", "/export", "Record", EVERYBODY)]
PAGES: list[Any] = [export_page, save_mapping, export_file]
