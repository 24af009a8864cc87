"""Freight: what a firm's carriers charge by distance and weight, for its own promises. For owners and buyers."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.response import Response, Template

from hanse.node.desk import Desk
from hanse.node.freight import COLUMNS, freight_of, keep_freight, read_table
from hanse.node.proposing import STANDARD_TARIFF
from hanse.site.desks import desk
from hanse.site.menu import BUYING, Entry
from hanse.site.pages_forms import Fields, Given, attempt
from hanse.web import Read, Reader, Session, go, needs_role, not_here, page

EXAMPLE = """up_to_km,fixed,per_kg,days
50,6.00,0.08,1
300,9.00,0.15,1
1000,15.00,0.30,2
"""


def _desk(read: Any, session: Session) -> Desk:
    needs_role(session, *BUYING)
    found = desk(read, session)
    if not found.view.home:
        raise not_here()
    return found


def _shown(found: Desk, *, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None) -> Template:
    own = freight_of(found.node.directory, found.who.party)
    bands = own.tariff().bands if own else STANDARD_TARIFF.bands
    currency = own.currency if own else "EUR"
    start = {"table": own.text() if own else EXAMPLE, "currency": currency}
    rows = [
        [f"{b.up_to_m // 1_000:,} km", b.fixed_minor, b.per_kg_milliminor / 100_000, b.per_tonne_km_minor / 100,
         b.transit_days] for b in bands
    ]  # fmt: skip
    return page(
        "site/freight.html", title="Freight", status=status, refusal=refusal, rows=rows, own=own is not None,
        currency=currency, given=given or start, columns=", ".join(COLUMNS),
    )  # fmt: skip


@get("/freight", sync_to_thread=True)
def freight_page(session: Reader, read: Read) -> Template:
    """The table in force, and a place to paste another."""
    return _shown(_desk(read, session))


@post("/freight", sync_to_thread=True)
def set_freight(session: Reader, read: Read, data: Fields) -> Any:
    """Keep another table, or go back to the estimate. Refuses: as `read_table`."""
    found, given = _desk(read, session), Given(data)

    def act() -> Response[Any]:
        if given.flag("estimate"):
            keep_freight(found.node.directory, found.who.party, None)
            return go("/freight", notice="The estimate counts again.")
        text = given.text("table", "Table", required=True, most=20_000)
        table = read_table(text, given.text("currency", "Currency", required=True, most=3).upper())
        keep_freight(found.node.directory, found.who.party, table)
        return go("/freight", notice="Saved: promises reckon with it from now on.")

    return attempt(act, lambda status, refusal: _shown(found, status=status, refusal=refusal, given=data))


NAV = [Entry("Freight", "/freight", "Firm", BUYING)]
PAGES: list[Any] = [freight_page, set_freight]
