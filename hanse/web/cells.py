"""The rows of tables as HTML, without a template's detours: a page of fifty rows has a thousand cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

from markupsafe import Markup, escape

from hanse.web.formats import badge, money, number, percent, proof, quantity, time_html
from hanse.web.tables import Column, View

NOTHING = Markup('<span class="muted">–</span>')
NUMERIC = ("each", "num", "money", "percent")
"""Kinds of a short table's columns that are set flush right."""
LONG_SIGNS = 24


def _figure(value: Any, text: str) -> str:
    """A figure as it stands in a table: nought is muted, so that what is there stands out.

    >>> _figure(0, "0 each"), _figure(7, "7 each")
    (Markup('<span class="muted">0 each</span>'), Markup('7 each'))
    """
    return Markup(f'<span class="muted">{escape(text)}</span>') if value == 0 else escape(text)


def _part(value: Any, name: str) -> Any:
    """A value's attribute, or member where it is a mapping; None where it has none."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _link_or_text(value: Any) -> str:
    """
    >>> from hanse.web.formats import Link
    >>> _link_or_text(Link("A & B", "/a")), _link_or_text("<b>"), _link_or_text(5)
    (Markup('<a href="/a">A &amp; B</a>'), Markup('&lt;b&gt;'), Markup('5'))
    """
    if type(value) is str or (href := _part(value, "href")) is None:
        return escape(value)
    text = escape(_part(value, "text"))
    return Markup(f'<a href="{escape(href)}">{text}</a>') if href else text


def list_cell(view: View, row: Any, column: Column, zone: tzinfo) -> str:
    """One cell of a list, by its column's kind."""
    value, kind = view.value(row, column), column.kind
    if value is None:
        return NOTHING
    if kind in ("text", "link"):
        return _link_or_text(value)
    if kind == "quantity":
        return _figure(value, quantity(value, column.unit or "each"))
    if kind == "money":
        return _figure(_part(value, "minor"), money(_part(value, "minor"), _part(value, "currency")))
    if kind in ("time", "day"):
        return time_html(value, zone, kind == "time")
    if kind == "percent":
        return escape(percent(value))
    if kind == "number":
        return _figure(value, number(value))
    return badge(value) if kind == "badge" else proof(value)


def list_rows(view: View, zone: tzinfo | None, bulk_id: str) -> Markup:
    """The rows of a list. zone: the reader's, None for UTC. bulk_id: the form that ticked rows go to."""
    ticks, there = bool(view.table.bulk), zone or UTC
    heads = [
        (column, _head(column.label, column.numeric, at == 0), _head(column.label, column.numeric, at == 0, long=True))
        for at, column in enumerate(view.columns)
    ]
    out: list[str] = []
    for row in view.found.rows:
        out.append('<tr role="row">')
        if ticks:
            name = escape(view.row_id(row))
            out.append(
                f'<td role="cell" class="tickcell"><input type="checkbox" name="id" form="{escape(bulk_id)}"'
                f' value="{name}" aria-label="Tick row {name}"></td>'
            )
        for column, head, roomy in heads:
            wide = column.kind in ("text", "link") and _is_long(view.value(row, column))
            out += (roomy if wide else head, list_cell(view, row, column, there), "</td>")
        out.append("</tr>")
    return Markup("".join(out))


def _is_long(value: Any) -> bool:
    """Whether a text wants room to be read: several words that a narrow column would stack one on the other.

    >>> _is_long("Deep groove ball bearing 6204"), _is_long("o-a57a13c43535a9737080-twice"), _is_long(None)
    (True, False, False)
    """
    text = value if type(value) is str else _part(value, "text")
    return type(text) is str and len(text) > LONG_SIGNS and " " in text


def _head(label: str, numeric: bool, first: bool, long: bool = False) -> str:
    kinds = ("num" if numeric else "") + (" lead" if first else "") + (" long" if long else "")
    return f'<td role="cell" data-label="{escape(label)}" class="{kinds}">'


def short_cell(value: Any, kind: str, zone: tzinfo) -> str:
    """One cell of a short table; kinds: "", "num", "each", "time", "day", "proof", "money", "percent", "badge"."""
    if value is None or (not kind and value == ""):
        return NOTHING
    if kind in ("time", "day"):
        return time_html(value, zone, kind == "time") if value else "–"
    if kind == "each":
        return _figure(value, quantity(value))
    if kind == "num":
        return _figure(value, number(value))
    if kind == "percent":
        return escape(percent(value))
    if kind == "proof":
        return proof(value)
    if kind == "badge":
        return badge(value)
    if type(value) is not str and (minor := _part(value, "minor")) is not None:
        return _figure(minor, money(minor, _part(value, "currency")))
    return _link_or_text(value)


def short_rows(head: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], zone: tzinfo | None) -> Markup:
    """The rows of a short table. head: (label, kind) of each column. zone: the reader's, None for UTC."""
    there = zone or UTC
    heads = [(kind, _head(label, kind in NUMERIC, at == 0)) for at, (label, kind) in enumerate(head)]
    out: list[str] = []
    for row in rows:
        out.append('<tr role="row">')
        for (kind, opened), value in zip(heads, row, strict=False):
            out += (opened, short_cell(value, kind, there), "</td>")
        out.append("</tr>")
    return Markup("".join(out))


CELLS: dict[str, Any] = {"list_rows": list_rows, "short_rows": short_rows}
"""The Jinja globals of tables."""
