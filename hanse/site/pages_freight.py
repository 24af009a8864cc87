"""Freight: what a firm's carriers charge by distance and weight, for its own promises. For owners and buyers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anyio import to_thread
from litestar import Request, get, post
from litestar.datastructures import UploadFile
from litestar.response import Response, Template

from hanse.node.desk import Desk
from hanse.node.freight import COLUMNS, freight_of, keep_freight
from hanse.node.freight_csv import TEXT_CHARS_MAX, read_table
from hanse.node.proposing import STANDARD_TARIFF
from hanse.planning.promise import Band
from hanse.site.desks import desk
from hanse.site.menu import BUYING, Entry
from hanse.site.pages_forms import Given, attempt
from hanse.web import Read, Reader, Refusal, Session, go, needs_role, not_here, page
from hanse.web.formats import decimal

ROWS_SHOWN = 100
EXAMPLE = """up_to_km,up_to_kg,fixed,per_kg,minimum,days
50,5,4.90,,,1
50,31.5,8.90,,,1
50,,,0.22,12.00,1
300,5,5.90,,,1
300,31.5,10.90,,,1
300,,,0.35,16.00,2
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
    heads, rows = _listed(bands[:ROWS_SHOWN], currency)
    return page(
        "site/freight.html", title="Freight", status=status, refusal=refusal, heads=heads, rows=rows,
        own=own is not None, currency=currency, given=given or start, columns=", ".join(COLUMNS),
        more=max(0, len(bands) - ROWS_SHOWN),
    )  # fmt: skip


def _listed(bands: Sequence[Band], currency: str) -> tuple[list[str], list[list[str]]]:
    """The bands as people read them: columns that say nothing are left out, the zone always leads."""
    made: list[dict[str, str]] = []
    for band in bands:
        lane = " to ".join(name or "anywhere" for name in (band.origin, band.destination)) if _named(band) else ""
        tonne_km = f"{band.per_tonne_km_minor / 100:.2f}" if band.per_tonne_km_minor else ""
        low, high = band.over_g / 1_000, band.up_to_g / 1_000
        step = f"{low:,.6g} to {high:,.6g} kg" if low and high else f"up to {high:,.6g} kg" if high else ""
        made.append(
            {
                "Zone": lane or f"{band.up_to_m // 1_000:,} km",
                "Weight": step or (f"over {low:,.6g} kg" if low else ""),
                f"A shipment, {currency}": decimal(band.fixed_minor, currency) if band.fixed_minor else "",
                f"A kilogram, {currency}": f"{band.per_kg_milliminor / 100_000:.3f}" if band.per_kg_milliminor else "",
                f"1,000 kg over 1 km, {currency}": tonne_km,
                f"At least, {currency}": decimal(band.minimum_minor, currency) if band.minimum_minor else "",
                "Days": str(band.transit_days),
                "Carrier": band.carrier,
            }
        )  # fmt: skip
    heads = [head for head in made[0] if any(row[head] for row in made)]
    return heads, [[row[head] for head in heads] for row in made]


def _named(band: Band) -> bool:
    return bool(band.origin or band.destination)


@get("/freight", sync_to_thread=True)
def freight_page(session: Reader, read: Read) -> Template:
    """The table in force, and a place to paste or drop another."""
    return _shown(_desk(read, session))


@post("/freight")
async def set_freight(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Keep another table, from a file or as typed, or go back to the estimate. Refuses: as `read_table`."""
    needs_role(session, *BUYING)
    form = await request.form()
    sent = form.get("file")
    data = await sent.read(4 * TEXT_CHARS_MAX) if isinstance(sent, UploadFile) and sent.filename else b""
    fields = {name: str(form.get(name) or "") for name in ("table", "currency", "estimate")}
    return await to_thread.run_sync(_keep, _desk(read, session), fields, data)


def _keep(found: Desk, fields: dict[str, str], data: bytes) -> Any:
    given = Given(fields)

    def act() -> Response[Any]:
        if given.flag("estimate"):
            keep_freight(found.node.directory, found.who.party, None)
            return go("/freight", notice="The estimate counts again.")
        text = _decoded(data) if data else given.text("table", "Table", required=True, most=TEXT_CHARS_MAX)
        table = read_table(text, given.text("currency", "Currency", required=True, most=3).upper())
        keep_freight(found.node.directory, found.who.party, table)
        return go(
            "/freight", notice=f"Saved {len(table.rows):,} lines: promises and plans reckon with them from now on."
        )

    return attempt(act, lambda status, refusal: _shown(found, status=status, refusal=refusal, given=fields))


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal("form.file", "The file is no text.", expected="CSV, UTF-8") from None


NAV = [Entry("Freight", "/freight", "Firm", BUYING)]
PAGES: list[Any] = [freight_page, set_freight]
