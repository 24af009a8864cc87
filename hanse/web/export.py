"""Lists as files: CSV that a spreadsheet opens safely, and JSON; the rows, columns and order of the page."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from typing import IO, Any

import msgspec

from hanse.web.formats import Badge, Link, Money, decimal, iso
from hanse.web.tables import Column, Fetch, ListQuery, Table, View, with_rows

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
ROWS_AT_ONCE = 1000
IN_MEMORY_BYTES = 1 << 20
"""Of a file that waits to be sent; the rest of a larger one waits on the disk, under no name."""
CHUNK_BYTES = 1 << 16


def safe_cell(value: object) -> str:
    """A cell's text that no spreadsheet takes for a formula; numbers stay numbers.

    Source: OWASP, "CSV Injection".

    >>> safe_cell("=1+1"), safe_cell(-5), safe_cell("-5"), safe_cell("-5.25"), safe_cell(None)
    ("'=1+1", '-5', '-5', '-5.25', '')
    """
    if value is None:
        return ""
    text = str(value)
    if not text.startswith(DANGEROUS) or isinstance(value, int | float):
        return text
    bare = text[1:] if text[0] == "-" else ""
    plain = bare.isascii() and bare.replace(".", "", 1).isdigit()
    return text if plain else "'" + text


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    r"""Rows as CSV (RFC 4180) in UTF-8, formulas disarmed.

    >>> csv_bytes([["Item", "Qty"], ["@SUM(A1)", 3]])
    b"Item,Qty\r\n'@SUM(A1),3\r\n"
    """
    out = io.StringIO(newline="")
    csv.writer(out).writerows([[safe_cell(value) for value in row] for row in rows])
    return out.getvalue().encode()


def plain(value: Any, column: Column) -> list[object]:
    """A cell as the file's fields: money becomes two, amount and currency."""
    if column.kind == "money":
        return [decimal(value.minor, value.currency), value.currency] if isinstance(value, Money) else ["", ""]
    if isinstance(value, Link | Badge):
        return [value.text]
    if column.kind == "time" or isinstance(value, datetime):
        return [iso(value)]
    if isinstance(value, date):
        return [value.isoformat()]
    return [value if value is None or isinstance(value, int | float) else str(value)]


def headings(columns: Sequence[Column]) -> list[str]:
    """The file's first row; a unit stands in brackets."""
    names: list[str] = []
    for column in columns:
        names += [f"{column.label} [{column.unit}]" if column.unit else column.label]
        names += [f"{column.label} currency"] if column.kind == "money" else []
    return names


def every_row(query: ListQuery, fetch: Fetch) -> Iterator[Any]:
    """All rows that a query finds, page by page from the first."""
    cursor: str | None = None
    while True:
        found = fetch(with_rows(query, ROWS_AT_ONCE, cursor))
        yield from found.rows
        if found.next is None or found.next == cursor:
            return
        cursor = found.next


def kept(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces, all of them made now, to be sent later."""
    with ExitStack() as held:
        file = held.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES))
        file.writelines(pieces)
        file.seek(0)
        return _sent(file, held.pop_all())


def _sent(file: IO[bytes], held: ExitStack) -> Iterator[bytes]:
    with held:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def csv_stream(table: Table, query: ListQuery, fetch: Fetch) -> Iterator[bytes]:
    """The list as CSV, in pieces; begins with a byte-order mark so that spreadsheets read UTF-8."""
    view = View(table, query, fetch(with_rows(query, 1, None)), "")
    yield b"\xef\xbb\xbf" + csv_bytes([headings(view.columns)])
    for row in every_row(query, fetch):
        yield csv_bytes([[field for c in view.columns for field in plain(view.value(row, c), c)]])


def json_stream(table: Table, query: ListQuery, fetch: Fetch) -> Iterator[bytes]:
    """The list as a JSON array of objects by column key, in pieces; money is `{"minor", "currency"}`."""
    view = View(table, query, fetch(with_rows(query, 1, None)), "")
    before = b"["
    for row in every_row(query, fetch):
        cells: dict[str, object] = {}
        for column in view.columns:
            value = view.value(row, column)
            money = {"minor": value.minor, "currency": value.currency} if isinstance(value, Money) else None
            cells[column.key] = money if column.kind == "money" else plain(value, column)[0]
        yield before + msgspec.json.encode(cells)
        before = b",\n"
    yield b"]\n" if before != b"[" else b"[]\n"
