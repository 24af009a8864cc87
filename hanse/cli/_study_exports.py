"""A network's own books as the exports that `hanse study` reads: one folder a firm, no two alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from hanse.cli._study_data import MAPPING, Told
from hanse.importers import FieldMap, MappingFile, Section, dump, target
from hanse.importers.export import table, to_csv, to_xlsx
from hanse.node.desk import Desk, Who
from hanse.node.node import Node
from hanse.rooms.catalog.queries import own_number_of
from hanse.rooms.orders.private_rows import MINE, ORDER_TERMS
from hanse.rooms.orders.rows import ORDERS


def write_exports(node: Node, folder: Path, told: Told) -> list[str]:
    """Write what every hosted firm with sales would export from its own system, no two alike: column names in English,
    German, French or Spanish, CSV with commas or semicolons, or a workbook. The firms that have any."""
    parties = [party for party, _ in _homes(node)]
    written: list[str] = []
    for at, party in enumerate(parties):
        told("writing exports", at, len(parties))
        desk = Desk(node, Who(party))
        sales = list(_sales(desk))
        if not sales:
            continue
        from hanse.importers.facts_export import rows_of

        into = folder / party
        into.mkdir(parents=True, exist_ok=True)
        tables = {"orders": sales, **{what: list(rows_of(desk, what)) for what in ("items", "stock", "sites")}}
        _write(into, {what: rows for what, rows in tables.items() if rows}, len(written))
        written.append(party)
    return written


def _homes(node: Node) -> list[tuple[str, str]]:
    from hanse.node.joining import parties_with_homes

    return [(party, home) for party, home in parties_with_homes(node) if node.wallet.key_of(party) is not None]


def _sales(desk: Desk) -> Iterator[dict[str, Any]]:
    """The firm's sales under its own numbers, in the fields of the orders table."""
    view = desk.view
    sql = "SELECT order_id FROM {orders_mine} WHERE circle = ? AND side = 'sell' ORDER BY order_id"
    for (name,) in view.sql(sql, (view.home,), tables=(MINE,)):
        order = view.get(ORDERS, name)
        terms = view.get(ORDER_TERMS, order.circle, name) if order else None
        if order is None or terms is None:
            continue
        for line, known in zip(order.lines, terms.lines, strict=True):
            if line.ordered > line.cancelled:
                yield {
                    "order": name, "line": line.line, "kind": "sale", "customer": terms.buyer or terms.counterparty,
                    "item": own_number_of(view, known.item) or known.item,
                    "quantity_ordered": line.ordered - line.cancelled, "unit": "C62",
                    "price_minor": known.unit_price_minor, "price_per": 1, "currency": terms.currency,
                    "ordered_on": _iso(terms.ordered_at),
                }  # fmt: skip


def _iso(at: int) -> str:
    return date.fromordinal(date(1970, 1, 1).toordinal() + at // 86_400).isoformat()


def _write(into: Path, tables: dict[str, list[dict[str, Any]]], number: int) -> None:
    """The tables in the shape of the `number`-th firm, and the mapping that its people would save."""
    shapes = {}
    sections = []
    for what, rows in tables.items():
        names: dict[str, str] = {}
        for one in target(what).fields:
            if any(row.get(one.name) is not None for row in rows):
                options = [one.name, *one.aliases]
                name = options[number % len(options)]
                names[one.name] = name if name not in names.values() else one.name
        fields = {name: FieldMap(column=column) for name, column in names.items()}
        section = Section(source=what, target=what, fields=fields)
        sections.append(section)
        shapes[what] = table(what, rows, section)
    if number % 3 == 2:
        (into / "export.xlsx").write_bytes(to_xlsx(shapes))
    else:
        for what, found in shapes.items():
            (into / f"{what}.csv").write_text(to_csv(found, ";" if number % 3 else ","), encoding="utf-8")
    (into / MAPPING).write_text(dump(MappingFile(into.name, tuple(sections))), encoding="utf-8")
