"""Holding a `state.db` against the state that its record gives: form, and every row of every table.

Bytes that no row and no index uses (free pages, slack in a page) say nothing, and are not looked at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hanse.kernel.apply import Applier
from hanse.kernel.kept import META
from hanse.kernel.tables import Table
from hanse.node.disclosures import open_unchanged
from hanse.node.read_path import STATE

UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What a damaged database raises; the second where the damage stands in SQLite's own message."""
_ROWS = 4_000
_SCHEMA = "SELECT type, name, tbl_name, sql FROM {}.sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name"
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
        self._conn: sqlite3.Connection | None = None
        try:
            self._conn = open_unchanged(directory / STATE, live=live)
            self._conn.execute("ATTACH ? AS ours", (str(ours),))
            self._conn.execute("BEGIN")
            found = self._conn.execute(f"SELECT size FROM {META.name}").fetchone()
            self.size = found[0] if found else -1
            self.fault = "" if found else "it says nowhere how far it goes"
        except UNREADABLE as error:
            self.fault = f"it does not read: {error}"

    def compare(self, applier: Applier) -> Iterator[Wrong]:
        """What differs from an applier's state of the same size; a table is left at its first wrong row."""
        assert self._conn is not None, "there is no fault"
        applier.state.commit()
        try:
            for (line,) in self._conn.execute("PRAGMA main.integrity_check(5)"):
                if line != "ok":
                    yield STATE, None, f"SQLite finds: {line}"
            if self._all(_SCHEMA.format("ours")) != self._all(_SCHEMA.format("main")):
                yield STATE, None, "its tables are not declared as this version declares them"
            for table in applier.book.tables:
                if not self._same(table):
                    yield from self._compare(table)
        except UNREADABLE as error:
            yield STATE, None, f"it does not read: {error}"

    def _all(self, sql: str) -> list[Any]:
        assert self._conn is not None
        return self._conn.execute(sql).fetchall()

    def _same(self, table: Table[Any]) -> bool:
        """Whether both have the same rows: as many, and to each of ours an equal one. SQLite looks, which is quick."""
        (counts,) = self._all(f"SELECT (SELECT COUNT(*) FROM ours.{table.name}), (SELECT COUNT(*) FROM {table.name})")
        key = " AND ".join(f"a.{name} = b.{name}" for name in table.key)
        other = " OR ".join([f"b.{table.key[0]} IS NULL", *(f"a.{name} IS NOT b.{name}" for name in table.columns)])
        found = f"SELECT 1 FROM ours.{table.name} a LEFT JOIN main.{table.name} b ON {key} WHERE {other} LIMIT 1"
        return counts[0] == counts[1] and not self._all(found)

    def _compare(self, table: Table[Any]) -> Iterator[Wrong]:
        """The first difference, in words."""
        assert self._conn is not None
        sql = f"SELECT {', '.join(table.columns)} FROM {{}}.{table.name} ORDER BY {', '.join(table.key)}"
        mine, theirs = self._conn.execute(sql.format("ours")), self._conn.execute(sql.format("main"))
        while True:
            right, stored = mine.fetchmany(_ROWS), theirs.fetchmany(_ROWS)
            if right != stored:
                yield _first_difference(table, right, stored)
                return
            if not right:
                return

    def close(self) -> None:
        if self._conn is not None:
            self._conn.close()


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
