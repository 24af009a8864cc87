"""Tables: what columns a list has, and what a reader asks of it in the address.

The address holds the whole state: `?sort=-placed_at&f.status=open&f.status=late&f.qty.min=5&q=seal&columns=id,qty
&after=CURSOR`. A `Table` checks it against its columns and gives a `ListQuery` to the room's query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from hanse.web.refusals import Refusal

Kind = Literal["text", "number", "quantity", "money", "percent", "time", "day", "link", "badge", "proof"]
RANGES = {"number", "quantity", "money", "percent", "time", "day"}
ROWS_MAX = 1000


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        key: of the cell in a row (mapping key or attribute).
        label: heading in plain words.
        kind: how a cell reads. number/quantity: int or float; money: `Money`, or int with `currency_key`; percent: ppm;
            time: seconds, datetime or ISO text; day: date; link: `Link`; badge: `Badge` or text; proof: position.
        unit: beside the heading (number), or after the figure (quantity).
        sortable, filterable: permitted in the address; what may be filtered is also exported and faceted.
        facets: the values to tick, in order, when they are known beforehand.
        shown: False: only when the reader picks it.
        currency_key: where the currency is when the cell is an int of minor units.
        wide: the column that keeps its place on a phone as the row's title.
    """

    key: str
    label: str
    kind: Kind = "text"
    unit: str = ""
    sortable: bool = False
    filterable: bool = False
    facets: tuple[str, ...] = ()
    shown: bool = True
    currency_key: str = ""
    wide: bool = False

    @property
    def numeric(self) -> bool:
        """True when the column is set flush right."""
        return self.kind in {"number", "quantity", "money", "percent"}

    @property
    def ranged(self) -> bool:
        """True when it is filtered by from and to."""
        return self.kind in RANGES and not self.facets


class Filter(msgspec.Struct, frozen=True):
    """What one column must be: any of `values` (facets), containing `text`, from `low` to `high` inclusive.

    `low` and `high` are as typed: numbers in the column's display unit (money in major units), days as YYYY-MM-DD.
    """

    values: tuple[str, ...] = ()
    text: str = ""
    low: str = ""
    high: str = ""


class ListQuery(msgspec.Struct, frozen=True):
    """What a reader asks of a list, checked. `sort`: (key, descending), most important first."""

    sort: tuple[tuple[str, bool], ...] = ()
    filters: dict[str, Filter] = {}
    text: str = ""
    cursor: str | None = None
    columns: tuple[str, ...] = ()
    limit: int = 50


class Found(msgspec.Struct, frozen=True):
    """What a room's query answers: one page of rows.

    `next`: cursor of the following page, None at the end. `total`: of all pages, None when not counted.
    `facets`: column -> {value: how many rows}.
    """

    rows: Sequence[Any]
    next: str | None = None
    total: int | None = None
    facets: Mapping[str, Mapping[str, int]] = {}


@dataclass(frozen=True)
class Bulk:
    """One thing to do with the ticked rows: POSTs their ids as `id` to `action`."""

    label: str
    action: str
    danger: bool = False


@dataclass(frozen=True)
class Table:
    """A list's columns and what may be asked of it.

    Args:
        id: used in the page, [a-z-]+, unique on it.
        columns: in the order shown.
        sort: default, as in the address: "-placed_at,id".
        page_rows: rows on a page, 1..1000.
        row_key: the cell that names a row in bulk actions.
        bulk: what can be done with ticked rows.
        prefix: before every parameter, where a page has two tables.
        search: a hint such as "Item or order" shows a search field; "" shows none.
    """

    id: str
    columns: tuple[Column, ...]
    sort: str = ""
    page_rows: int = 50
    row_key: str = "id"
    bulk: tuple[Bulk, ...] = ()
    prefix: str = ""
    search: str = ""
    by_key: dict[str, Column] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_key.update({column.key: column for column in self.columns})
        if len(self.by_key) != len(self.columns):
            raise ValueError(f"table {self.id}: two columns have the same key")

    def parse(self, params: Any) -> ListQuery:
        """The query of an address's parameters (Litestar `request.query_params`, or a mapping of str to list of str).

        Refuses, in order: table.unknown_column, table.not_sortable, table.not_filterable, table.page_rows.
        """
        given = _multi(params, self.prefix)
        columns = tuple(key for key in ",".join(given.get("columns", [])).split(",") if key)
        for key in columns:
            self._column(key)
        limit = given.get("rows", [str(self.page_rows)])[-1]
        if not limit.isdigit() or not 1 <= int(limit) <= ROWS_MAX:
            raise Refusal("table.page_rows", "A page has 1 to 1000 rows.", got=limit, expected=f"1..{ROWS_MAX}")
        return ListQuery(
            sort=self._sort(given.get("sort", [self.sort])[-1] or self.sort),
            filters=self._filters(given),
            text=given.get("q", [""])[-1].strip()[:200],
            cursor=given.get("after", [""])[-1] or None,
            columns=columns or tuple(column.key for column in self.columns if column.shown),
            limit=int(limit),
        )

    def _column(self, key: str) -> Column:
        if key not in self.by_key:
            raise Refusal(
                "table.unknown_column", "The list has no such column.", status=400, got=key,
                expected=sorted(self.by_key), next="Open the list from the menu.",
            )  # fmt: skip
        return self.by_key[key]

    def _sort(self, text: str) -> tuple[tuple[str, bool], ...]:
        keys = [(part.strip().lstrip("-"), part.strip().startswith("-")) for part in text.split(",") if part.strip()]
        for key, _ in keys:
            if not self._column(key).sortable and text != self.sort:
                raise Refusal("table.not_sortable", "The list cannot be sorted by this column.", status=400, got=key)
        return tuple(keys)

    def _filters(self, given: Mapping[str, list[str]]) -> dict[str, Filter]:
        filters: dict[str, Filter] = {}
        for name, raw in sorted(given.items()):
            values = tuple(value.strip()[:200] for value in raw if value.strip())
            if not name.startswith("f.") or not values:
                continue
            key, _, edge = name[2:].partition(".")
            column, old = self._column(key), filters.get(key, Filter())
            if not column.filterable or edge not in ("", "min", "max") or bool(edge) != column.ranged:
                raise Refusal("table.not_filterable", "The list cannot be filtered like this.", status=400, got=name)
            if edge:
                filters[key] = msgspec.structs.replace(old, **{"low" if edge == "min" else "high": values[-1]})
            elif column.facets or column.kind == "badge":
                filters[key] = msgspec.structs.replace(old, values=values)
            else:
                filters[key] = msgspec.structs.replace(old, text=values[-1])
        return filters

    def pairs(self, query: ListQuery, *, cursor: bool = False) -> list[tuple[str, str]]:
        """The query as the parameters of an address, defaults left out; `parse` of them gives the query back."""
        pairs: list[tuple[str, str]] = []
        sort = ",".join(f"-{key}" if descending else key for key, descending in query.sort)
        if sort != self.sort:
            pairs.append(("sort", sort))
        for key, one in query.filters.items():
            pairs += [(f"f.{key}", value) for value in one.values]
            pairs += [(f"f.{key}{edge}", v) for edge, v in (("", one.text), (".min", one.low), (".max", one.high)) if v]
        if query.text:
            pairs.append(("q", query.text))
        if query.columns != tuple(column.key for column in self.columns if column.shown):
            pairs.append(("columns", ",".join(query.columns)))
        if query.limit != self.page_rows:
            pairs.append(("rows", str(query.limit)))
        if cursor and query.cursor:
            pairs.append(("after", query.cursor))
        return [(self.prefix + name, value) for name, value in pairs]


def _multi(params: Any, prefix: str) -> dict[str, list[str]]:
    """Parameters as name -> values, of those under a prefix, the prefix taken off."""
    items: Iterable[tuple[str, Any]] = params.multi_items() if hasattr(params, "multi_items") else params.items()
    found: dict[str, list[str]] = {}
    for name, value in items:
        if name.startswith(prefix):
            found.setdefault(name[len(prefix) :], []).extend([value] if isinstance(value, str) else value)
    return found


def cell(row: Any, key: str) -> Any:
    """A row's cell: mapping key or attribute; None when it has none."""
    return row.get(key) if isinstance(row, Mapping) else getattr(row, key, None)


@dataclass(frozen=True)
class View:
    """A table with its answer, as the template `ui.table` draws it: every link keeps the rest of the state.

    Args:
        table, query, found: what is shown.
        path: address of the page, without query.
        other: parameters of the page that are not the table's; kept in every link.
        empty: what to say when there are no rows at all, and (label, href) of what to do next.
    """

    table: Table
    query: ListQuery
    found: Found
    path: str
    other: tuple[tuple[str, str], ...] = ()
    empty: str = "Nothing here yet."
    empty_next: tuple[str, str] | None = None

    @property
    def columns(self) -> list[Column]:
        """The columns shown, in the reader's order."""
        return [self.table.by_key[key] for key in self.query.columns]

    def href(self, query: ListQuery, *more: tuple[str, str]) -> str:
        """The address of this page under another query."""
        pairs = [*self.other, *self.table.pairs(query, cursor=True), *more]
        return f"{self.path}?{urlencode(pairs)}" if pairs else self.path

    def sort_href(self, column: Column) -> str:
        """Sort by a column; the other way round when it already is."""
        descending = self.query.sort[:1] == ((column.key, False),)
        return self.href(msgspec.structs.replace(self.query, sort=((column.key, descending),), cursor=None))

    def sort_state(self, column: Column) -> str:
        """`aria-sort` of a column: "ascending", "descending" or "none"."""
        first = self.query.sort[:1]
        return "none" if not first or first[0][0] != column.key else ("descending" if first[0][1] else "ascending")

    @property
    def next_href(self) -> str:
        """The page after this one; "" at the end."""
        return self.href(msgspec.structs.replace(self.query, cursor=self.found.next)) if self.found.next else ""

    @property
    def first_href(self) -> str:
        """The first page; "" when this is it."""
        return self.href(msgspec.structs.replace(self.query, cursor=None)) if self.query.cursor else ""

    @property
    def clear_href(self) -> str:
        """The list without filters."""
        return self.href(msgspec.structs.replace(self.query, filters={}, text="", cursor=None))

    def export_href(self, form: str) -> str:
        """The same rows, columns and order as a file: "csv" or "json"."""
        return self.href(msgspec.structs.replace(self.query, cursor=None), (f"{self.table.prefix}format", form))

    @property
    def filtered(self) -> list[tuple[str, str, str]]:
        """The filters in force as (label, value, address without it)."""
        chips: list[tuple[str, str, str]] = []
        for key, one in self.query.filters.items():
            rest = {k: f for k, f in self.query.filters.items() if k != key}
            href = self.href(msgspec.structs.replace(self.query, filters=rest, cursor=None))
            span = " to ".join(part for part in (one.low or "any", one.high or "any")) if one.low or one.high else ""
            chips.append((self.table.by_key[key].label, ", ".join(one.values) or one.text or span, href))
        if self.query.text:
            chips.append(
                ("Search", self.query.text, self.href(msgspec.structs.replace(self.query, text="", cursor=None)))
            )
        return chips

    def kept(self, *names: str) -> list[tuple[str, str]]:
        """Parameters that a form of this page keeps as hidden fields: all but those whose name starts so."""
        pairs = [*self.other, *self.table.pairs(self.query)]
        return [(n, v) for n, v in pairs if not n.removeprefix(self.table.prefix).startswith(names)]

    def facet_values(self, column: Column) -> list[tuple[str, int | None, bool]]:
        """The values of a column to tick: (value, how many or None, ticked)."""
        counts = self.found.facets.get(column.key, {})
        ticked = self.query.filters.get(column.key, Filter()).values
        names = column.facets or tuple(sorted({*counts, *ticked}))
        return [(name, counts.get(name), name in ticked) for name in names]

    def row_id(self, row: Any) -> str:
        """What names a row in bulk actions."""
        found = cell(row, self.table.row_key)
        return str(getattr(found, "text", found))

    def value(self, row: Any, column: Column) -> Any:
        """A cell as its kind wants it; a money column's int becomes an amount with the row's currency."""
        from hanse.web.formats import Money

        found = cell(row, column.key)
        if column.kind == "money" and isinstance(found, int):
            return Money(found, str(cell(row, column.currency_key) or ""))
        return found


def with_rows(query: ListQuery, limit: int, cursor: str | None) -> ListQuery:
    """The same query for another page of another length."""
    return msgspec.structs.replace(query, limit=limit, cursor=cursor)


Fetch = Callable[[ListQuery], Found]
__all__ = [
    "Bulk",
    "Column",
    "Fetch",
    "Filter",
    "Found",
    "Kind",
    "ListQuery",
    "Table",
    "View",
    "cell",
    "replace",
    "with_rows",
]
