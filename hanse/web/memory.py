"""Lists that are short enough to be sorted and filtered in memory: `found_in` answers a `ListQuery` from plain rows.

For long lists a room's query translates the `ListQuery` to key reads instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from hanse.web.formats import DECIMALS, Badge, Link, Money, moment
from hanse.web.refusals import Refusal
from hanse.web.tables import Column, Filter, Found, ListQuery, Table, View, cell


def text_of(value: object) -> str:
    """A cell's text, for searching and ordering."""
    return value.text if isinstance(value, Link | Badge) else "" if value is None else str(value)


def _key(value: object, column: Column) -> tuple[bool, Any]:
    """Ordering of one cell; empty cells come last when ascending."""
    if value is None:
        return (True, 0)
    if isinstance(value, Money):
        return (False, (value.currency, value.minor))
    if column.kind == "time":
        return (False, moment(value))
    if isinstance(value, int | float | date):
        return (False, value)
    return (False, text_of(value).casefold())


def _number(text: str, key: str) -> Decimal:
    try:
        found = Decimal(text.replace(",", "").replace(" ", ""))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise Refusal("table.not_a_number", "A filter from or to is not a number.", status=400, got=text, expected=key)
    return found


def _day(text: str, key: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refusal(
            "table.not_a_day", "A filter from or to is not a day.", status=400, got=text, expected="YYYY-MM-DD"
        ) from error


def _inside(value: object, column: Column, one: Filter) -> bool:
    """True when a cell lies from low to high; days count in UTC, percent in %, money in major units."""
    if value is None:
        return False
    if column.kind in ("time", "day"):
        at = moment(value) if column.kind == "time" else None
        day = at.astimezone(UTC).date() if at is not None else value
        day = day.date() if isinstance(day, datetime) else day
        assert isinstance(day, date)
        return (not one.low or _day(one.low, column.key) <= day) and (not one.high or day <= _day(one.high, column.key))
    figure = Decimal(str(value.minor if isinstance(value, Money) else value))
    scale = 10 ** DECIMALS.get(value.currency, 2) if isinstance(value, Money) else 10_000
    figure = figure / scale if column.kind in ("money", "percent") else figure
    return (not one.low or _number(one.low, column.key) <= figure) and (
        not one.high or figure <= _number(one.high, column.key)
    )


def fits(value: object, column: Column, one: Filter) -> bool:
    """True when a cell fits a filter."""
    if one.values and text_of(value) not in one.values:
        return False
    if one.text and one.text.casefold() not in text_of(value).casefold():
        return False
    return not (one.low or one.high) or _inside(value, column, one)


def found_in(rows: Sequence[Any], table: Table, query: ListQuery) -> Found:
    """The page of rows that a query asks for; the cursor is the number of rows before it.

    Facets count the rows that fit all filters but the facet's own.
    Refuses, in order: table.not_a_number, table.not_a_day, table.cursor.
    """
    view = View(table, query, Found(()), "")
    words = query.text.casefold()
    texts = [column for column in table.columns if column.kind in ("text", "link", "badge")]

    def value(row: Any, key: str) -> Any:
        return view.value(row, table.by_key[key])

    def keep(row: Any, but: str = "") -> bool:
        if words and not any(words in text_of(cell(row, column.key)).casefold() for column in texts):
            return False
        return all(fits(value(row, k), table.by_key[k], f) for k, f in query.filters.items() if k != but)

    kept = [row for row in rows if keep(row)]
    for key, descending in reversed(query.sort):
        column = table.by_key[key]
        kept.sort(key=lambda row, column=column: _key(view.value(row, column), column), reverse=descending)  # type: ignore[misc]
    facets: dict[str, dict[str, int]] = {}
    for column in table.columns:
        if column.filterable and (column.facets or column.kind == "badge"):
            counts: dict[str, int] = {}
            for row in rows:
                if keep(row, but=column.key):
                    text = text_of(cell(row, column.key))
                    counts[text] = counts.get(text, 0) + 1
            facets[column.key] = counts
    if query.cursor is not None and not query.cursor.isdigit():
        raise Refusal("table.cursor", "The page's address is damaged.", status=400, got=query.cursor)
    start = int(query.cursor or 0)
    end = start + query.limit
    return Found(kept[start:end], str(end) if end < len(kept) else None, len(kept), facets)
