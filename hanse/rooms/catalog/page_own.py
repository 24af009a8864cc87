"""Own numbers by hand: a new one, or a change of what the firm says of one. Imports do the same for many."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.response import Template

from hanse.node.desk import Desk
from hanse.rooms.catalog.facts import OWN_ITEMS, OwnItem, SetOwnItem
from hanse.site.desks import desk
from hanse.site.pages_forms import Fields, Given, Where, attempt
from hanse.site.places import Places
from hanse.standards.gtin import GtinError, normalise
from hanse.web import Read, Reader, Refusal, go, not_here, page
from hanse.web.formats import decimal

UNITS = {
    "H87": "piece", "BX": "box", "PK": "pack", "SET": "set", "PR": "pair", "MTR": "metre", "KGM": "kilogram",
    "LTR": "litre",
}  # fmt: skip
"""Units that the form offers, of UN/ECE Recommendations 20 and 21; an imported one stays as it is."""


def _form(
    found: Desk, number: str, *, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None
) -> Template:
    own = found.view.get(OWN_ITEMS, found.view.home, number) if number else None
    units = UNITS if own is None or own.unit in UNITS else {own.unit: own.unit, **UNITS}
    return page(
        "catalog/own.html", title=f"Change {own.own_number}" if own else "New own number", status=status,
        crumbs=(("Stock", "/stock"),), refusal=refusal, own=own, given=given if given is not None else _start(own),
        units=list(units.items()),
    )  # fmt: skip


def _start(own: OwnItem | None) -> dict[str, str]:
    if own is None:
        return {}
    said = ("own_number", "description", "brand", "part_number", "gtin", "unit", "pack_each", "category", "currency")
    cost = decimal(own.cost_minor, own.currency or "EUR") if own.cost_minor else ""
    return {name: str(getattr(own, name)) for name in said} | {"cost": cost}


def _home_desk(read: Any, session: Any) -> Desk:
    found = desk(read, session)
    if not found.view.home or not found.may(SetOwnItem):
        raise not_here()
    return found


@get("/own-numbers/new", sync_to_thread=True)
def own_form(request: Request[Any, Any, Any], session: Reader, read: Read) -> Template:
    """The form of a new own number, or of the one named. Raises: 404 for who may not sign it."""
    return _form(_home_desk(read, session), request.query_params.get("number", ""))


@post("/own-numbers", sync_to_thread=True)
def set_own(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Say what an own number is. Refuses, in order: as `Given`; catalog.number_taken, catalog.bad_gtin."""
    given, found = Given(data), _home_desk(read, session)
    was = given.text("was", most=80)
    return attempt(
        lambda: _done(found, places, given, was),
        lambda status, refusal: _form(found, was, status=status, refusal=refusal, given=data),
    )


def _done(found: Desk, places: Places, given: Given, was: str) -> Any:
    fact = _said(found, given, was)
    found.do(fact)
    return go(places.of("own", fact.own_number or "", otherwise="/stock"), notice="Saved.")


def _said(found: Desk, given: Given, was: str) -> SetOwnItem:
    number = was or given.text("own_number", "Own number", required=True, most=80)
    if not was and found.view.get(OWN_ITEMS, found.view.home, number) is not None:
        raise Refusal("catalog.number_taken", "This own number stands already.", got=number, next="Change it instead.")
    currency, gtin = given.currency(default="EUR"), given.text("gtin", "GTIN")
    try:
        gtin = normalise(gtin) if gtin else ""
    except GtinError as error:
        raise Refusal("catalog.bad_gtin", "This is not a GTIN.", got=gtin, expected=str(error)) from None
    own = found.view.get(OWN_ITEMS, found.view.home, was) if was else None
    return SetOwnItem(
        circle=found.view.home, own_number=number, brand=given.text("brand", "Brand"), gtin=gtin,
        description=given.text("description", "Description", required=True), currency=currency,
        part_number=given.text("part_number", "Part number"), category=given.text("category", "Category"),
        unit=given.choice("unit", "Unit", [*UNITS, *([own.unit] if own else [])]),
        pack_each=given.whole("pack_each", "Holds", low=1, high=10**9, default=1),
        cost_minor=given.minor("cost", "Cost of one unit", currency, default="0"),
    )  # fmt: skip


PAGES: list[Any] = [own_form, set_own]
