"""Places and items: rows of `sites`, `parties` and `items` as facts, and what other rows name without saying more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hanse.gazetteer import find
from hanse.importers.facts_ids import plain_id
from hanse.importers.facts_plan import Plan, divide, text_of
from hanse.importers.facts_store import Staged
from hanse.rooms.catalog.facts import SetOwnItem
from hanse.rooms.parties.facts import SITES, SetSite

_SITE_KINDS = {"warehouse": "warehouse", "plant": "plant", "store": "shop"}
_PARTNER_KINDS = {"customer": "customer"}
PIECE = "H87"
_EACH = frozenset({"", "C62", "EA"})
"""What the catalogue writes as a piece."""


def plan_sites(plan: Plan) -> None:
    """Own sites, and sites of partners, that are new or changed; sites that only stock, orders or receipts name."""
    for row in plan.store.staged("sites", fresh=True):
        values = row.values
        kind = "customer" if values.get("party") else _SITE_KINDS.get(values.get("kind", ""), "other")
        if not values.get("party") and "kind" not in values:
            kind = "warehouse"
        code = plan.site(values["site"])
        _set_site(plan, [row], code, values.get("name") or values["site"], kind, values)
        plan.store.note("site", [code])
    for row in plan.store.staged("parties", fresh=True):
        _place_of_partner(plan, row)
    for code, rows in _named_sites(plan):
        if not plan.knows_site(code):
            _set_site(plan, [], plan.site(code), code[:400], "warehouse", {})
            plan.store.note("site", [plan.site(code)])
            plan.notes.append(f"site {code} is named by {rows} alone: it was set with your own town")


def _named_sites(plan: Plan) -> Iterator[tuple[str, str]]:
    """(code, target) of the sites that stock and receipts name; where goods arrive of which the file says no place."""
    for target in ("stock", "receipts"):
        sql = """SELECT DISTINCT json_extract(vals, '$.site') FROM stage.staged
                 WHERE target = ? AND json_extract(vals, '$.site') IS NOT NULL ORDER BY 1"""
        for (code,) in plan.store.conn.execute(sql, (target,)).fetchall():
            yield code, target
    sql = "SELECT 1 FROM stage.staged WHERE target = 'receipts' AND json_extract(vals, '$.site') IS NULL LIMIT 1"
    if plan.store.conn.execute(sql).fetchone():
        yield plan.options.receiving_site, "receipts"


def _place_of_partner(plan: Plan, row: Staged) -> None:
    """A partner with a town or street gets a place in the firm's home; one without is remembered beside the record."""
    values = row.values
    if values.get("city") or values.get("street"):
        kind = _PARTNER_KINDS.get(values.get("role", ""), "other")
        _set_site(plan, [row], plain_id(f"partner/{values['party']}"), values["name"], kind, values)


def _set_site(plan: Plan, rows: list[Staged], site: str, name: str, kind: str, values: dict[str, Any]) -> None:
    own = not values
    city = plan.profile.city if own else str(values.get("city", ""))
    country = values.get("country") or plan.profile.country
    known = find(city, country) if city else None
    latitude = values.get("latitude_e6", known.latitude_microdeg if known else 0)
    longitude = values.get("longitude_e6", known.longitude_microdeg if known else 0)
    street = text_of(values, "street", "postal_code", "city", "region") if values.get("street") else ""
    address = text_of({**values, "at": street}, "at", "contact", "email", "phone")[:400]
    fact = SetSite(
        circle=plan.home,
        site=site,
        name=name,
        site_kind=kind,
        country=country,
        city=city,
        latitude_microdeg=latitude,
        longitude_microdeg=longitude,
        address=address,
    )
    was = plan.view.get(SITES, plan.home, site)
    rewritten = any(row.before for row in rows) and address
    if was is None or rewritten or _differs(was, fact):
        plan.add(fact, rows)


def _differs(was: object, fact: object) -> bool:
    """Whether a fact says other than a row of state, in the fields that both have."""
    names = [name for name in was.__struct_fields__ if hasattr(fact, name)]  # type: ignore[attr-defined]
    return any(getattr(was, name) != getattr(fact, name) for name in names)


# -- items -----------------------------------------------------------------------------------------------------------


def plan_items(plan: Plan) -> Iterator[SetOwnItem]:
    """Own items that are new or changed; those that only stock, orders or receipts name, with what these say.

    Yields the items that could be matched: with a GTIN, or with brand and part number.
    """
    for done, row in enumerate(plan.store.staged("items", fresh=True), 1):
        fact = own_item(plan, row.values)
        was = plan.own_item(row.values["item"])
        if (was is not None and not _differs(was, fact)) or plan.add(fact, [row]):
            plan.store.note("item", [row.values["item"]])
            if fact.gtin or (fact.brand and fact.part_number):
                yield fact
        if done % 1_000 == 0:
            plan.told("items", done, 0)
    _plan_named_items(plan)


def own_item(plan: Plan, values: dict[str, Any]) -> SetOwnItem:
    """An item row as the firm's own item. Cost: of one own unit, rounded half to even."""
    unit, pack = values.get("unit", ""), values.get("each_per_unit", 1)
    cost = divide(values["cost_minor"] * pack, values.get("price_per", 1)) if "cost_minor" in values else 0
    return SetOwnItem(
        circle=plan.home,
        own_number=values["item"],
        description=values.get("description", ""),
        brand=values.get("brand", ""),
        part_number=values.get("part_number", ""),
        gtin=values.get("gtin", ""),
        unit=PIECE if unit in _EACH else unit,
        pack_each=pack,
        category=values.get("category", ""),
        cost_minor=cost,
        currency=values.get("currency") or plan.currency,
    )


def _plan_named_items(plan: Plan) -> None:
    """Numbers that no item row describes: the import makes them, with the description of their first line."""
    sql = """
        SELECT json_extract(vals, '$.item') AS item, MAX(coalesce(json_extract(vals, '$.description'), '')), MIN(n)
        FROM stage.staged WHERE target IN ('stock', 'orders', 'receipts', 'terms') GROUP BY item ORDER BY MIN(n)"""
    made = 0
    for number, description, _ in plan.store.conn.cursor().execute(sql):
        if plan.knows_item(number):
            continue
        fact = own_item(plan, {"item": number, "description": description})
        if plan.add(fact):
            plan.store.note("item", [number])
            made += 1
        else:
            plan.wrong(
                _rows_naming(plan, number), "", "row.does_not_fit", number, "a number of 1 to 80 signs", "shorten"
            )
    if made:
        plan.notes.append(f"{made} items are named by stock or orders alone: they were set with what these say of them")


def _rows_naming(plan: Plan, number: str) -> list[Staged]:
    sql = "SELECT DISTINCT target FROM stage.staged WHERE json_extract(vals, '$.item') = ?"
    targets = [found[0] for found in plan.store.conn.execute(sql, (number,)).fetchall()]
    return [row for name in targets for row in plan.store.staged(name) if row.values.get("item") == number]
