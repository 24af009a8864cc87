"""Holding a `state.db` against the state that its record gives: form, and every row of every table.

Bytes that no row and no index uses (free pages, slack in a page) say nothing, and are not looked at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from hanse.kernel.apply import Applier
from hanse.kernel.kept import META
from hanse.kernel.state import State
from hanse.kernel.tables import Table
from hanse.node.at_rest import UNREADABLE, Form
from hanse.node.disclosures import open_unchanged
from hanse.node.read_path import STATE

SIDE_BY_SIDE_FROM = 4_000
"""Entries from which two threads compare tables: SQLite gives up the interpreter while it looks."""
_ROWS = 4_000
_SCHEMA = "SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name"
Wrong = tuple[str, int | None, str]
"""(where, position or None, what)"""


class StoredState:
    """A state as it stood when this was made, whatever a running node does to it meanwhile.

    Attributes:
        size: entries that it has applied, -1 where that cannot be read. fault: why it cannot, or "".
    """

    def __init__(self, directory: Path, ours: Path, *, live: bool) -> None:
        """Args: ours: the database of the state that it will be compared with."""
        self.size, self.fault = -1, ""
        self._conns: list[sqlite3.Connection] = []
        try:
            found = self._open(directory / STATE, ours, live)
            self.size = found[0] if found else -1
            self.fault = "" if found else "it says nowhere how far it goes"
            if self.size >= SIDE_BY_SIDE_FROM and self._open(directory / STATE, ours, live) != found:
                self._conns.pop().close()  # a running node has moved on between the two
        except UNREADABLE as error:
            self.fault = f"it does not read: {error}"

    def _open(self, path: Path, ours: Path, live: bool) -> tuple[int] | None:
        """One more connection, and what its state says of its size. Whatever is read on it later stood with that."""
        conn = open_unchanged(path, live=live)
        self._conns.append(conn)
        conn.execute("ATTACH ? AS ours", (str(ours),))
        conn.execute("BEGIN")
        found: tuple[int] | None = conn.execute(f"SELECT size FROM {META.name}").fetchone()
        return found

    def compare(self, applier: Applier, form: Form) -> Iterator[Wrong]:
        """What differs from an applier's state of the same size; a table is left at its first wrong row.

        Args:
            form: of this state's database, as `at_rest.check_state` found it.
        """
        assert self._conns, "there is no fault"
        for line in form.wrong:
            yield STATE, None, f"SQLite finds: {line}"
        if form.unreadable:
            yield STATE, None, f"it does not read: {form.unreadable}"
            return
        applier.state.commit()
        conn = self._conns[0]
        try:
            if _declared(applier.book.tables) != _all(conn, _SCHEMA):
                yield STATE, None, "its tables are not declared as this version declares them"
        except UNREADABLE as error:
            yield STATE, None, f"it does not read: {error}"
            return
        for found in self._tables(applier.book.tables):
            if isinstance(found, str):
                yield STATE, None, f"it does not read: {found}"
                return
            yield from found

    def _tables(self, tables: Sequence[Table[Any]]) -> list[list[Wrong] | str]:
        """Of each table what differs, or why it does not read."""
        waiting: SimpleQueue[int] = SimpleQueue()
        found: dict[int, list[Wrong] | str] = {}
        for place in range(len(tables)):
            waiting.put(place)

        def work(conn: sqlite3.Connection) -> None:
            while True:
                try:
                    place = waiting.get_nowait()
                except Empty:
                    return
                found[place] = _differs(conn, tables[place])

        with ThreadPoolExecutor(1) as helper:
            others = [helper.submit(work, conn) for conn in self._conns[1:]]
            try:
                work(self._conns[0])
            except BaseException:  # the other need not look at what is left
                with suppress(Empty):
                    while True:
                        waiting.get_nowait()
                for conn in self._conns[1:]:
                    conn.interrupt()
                raise
            for other in others:
                other.result()
        return [found[place] for place in range(len(tables))]

    def close(self) -> None:
        for conn in self._conns:
            conn.close()


def _all(conn: sqlite3.Connection, sql: str) -> list[Any]:
    return conn.execute(sql).fetchall()


def _declared(tables: Sequence[Table[Any]]) -> list[Any]:
    """What `_SCHEMA` finds where these tables are."""
    with closing(sqlite3.connect(":memory:")) as conn:
        State(conn, tables).create()
        return _all(conn, _SCHEMA)


def _differs(conn: sqlite3.Connection, table: Table[Any]) -> list[Wrong] | str:
    """The first difference of a table, none where it is the same; or why it does not read."""
    try:
        return [] if _same(conn, table) else _compare(conn, table)
    except UNREADABLE as error:
        return str(error)


def _same(conn: sqlite3.Connection, table: Table[Any]) -> bool:
    """Whether both have the same rows: as many, and to each of ours an equal one. SQLite looks, which is quick."""
    (counts,) = _all(conn, f"SELECT (SELECT COUNT(*) FROM ours.{table.name}), (SELECT COUNT(*) FROM {table.name})")
    key = " AND ".join(f"a.{name} = b.{name}" for name in table.key)
    other = " OR ".join([f"b.{table.key[0]} IS NULL", *(f"a.{name} IS NOT b.{name}" for name in table.columns)])
    found = f"SELECT 1 FROM ours.{table.name} a LEFT JOIN main.{table.name} b ON {key} WHERE {other} LIMIT 1"
    return counts[0] == counts[1] and not _all(conn, found)


def _compare(conn: sqlite3.Connection, table: Table[Any]) -> list[Wrong]:
    """The first difference, in words."""
    sql = f"SELECT {', '.join(table.columns)} FROM {{}}.{table.name} ORDER BY {', '.join(table.key)}"
    mine, theirs = conn.execute(sql.format("ours")), conn.execute(sql.format("main"))
    while True:
        right, stored = mine.fetchmany(_ROWS), theirs.fetchmany(_ROWS)
        if right != stored:
            return [_first_difference(table, right, stored)]
        if not right:
            return []


def _first_difference(table: Table[Any], right: list[tuple[Any, ...]], stored: list[tuple[Any, ...]]) -> Wrong:
    at = next((i for i, (a, b) in enumerate(zip(right, stored, strict=False)) if a != b), min(len(right), len(stored)))
    keys = [table.columns.index(name) for name in table.key]
    position = table.columns.index("position")
    where = f"{STATE}: {table.name}"
    mine = right[at] if at < len(right) else None
    other = stored[at] if at < len(stored) else None
    if mine is not None and other is not None and all(mine[k] == other[k] for k in keys):
        fields = ", ".join(n for n, a, b in zip(table.columns, mine, other, strict=True) if a != b)
        return where, mine[position], f"a row differs from the record's in {fields}: {_key(mine, keys)}"
    if mine is not None:
        return where, mine[position], f"a row is missing, or another stands in its place: {_key(mine, keys)}"
    assert other is not None
    found = other[position]
    return where, found if isinstance(found, int) else None, f"a row that the record does not give: {_key(other, keys)}"


def _key(row: tuple[Any, ...], keys: list[int]) -> str:
    return ", ".join(f"{row[k]!r:.60}" for k in keys)
