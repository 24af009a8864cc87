"""The writer: changed rows on their way from memory into SQLite, and the statements that put them there.

Whoever holds the state hands over what each commit changes as plain values, so that the writing may as well be done in
another process (`hanse.node.behind`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from hanse.kernel.tables import Table

ROWS_AT_ONCE = 128
ROWS_EXACTLY_MAX = 16
"""Rows that one statement writes down: so many, and what is left over at once too where it is little. Each statement
gives other threads their turn, and a busy one keeps it for a while: the fewer, the sooner a small block is done."""


def connect(path: str, *, read_only: bool = False, scratch: bool = False) -> sqlite3.Connection:
    """A connection with this project's settings; autocommit, so that blocks are explicit transactions.

    Args:
        scratch: a state under construction: after a crash it is thrown away, so that nothing waits for the disk.
    """
    uri = path if path.startswith("file:") or path == ":memory:" else f"file:{path}" + ("?mode=ro" if read_only else "")
    conn = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=2048)
    if not read_only:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute(f"PRAGMA synchronous={'OFF' if scratch else 'NORMAL'}")
        # of a node's state see `node.tidying`: the writer waits for no second copy
        conn.execute(f"PRAGMA wal_autocheckpoint={16_000 if scratch else 0}")
    conn.execute("PRAGMA cache_size=-65536")
    conn.execute("PRAGMA temp_store=MEMORY")
    return conn


class Shape(Struct, frozen=True, array_like=True):
    """What is known of a table where its rows are written. `json_at`: places of the columns that are JSON text."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    json_at: tuple[int, ...]


def shape_of(table: Table[Any]) -> Shape:
    return Shape(table.name, table.columns, table.key, table.json_at)


class Changed(Struct, array_like=True, gc=False):
    """One table's part of a commit.

    Attributes:
        table: its place among the shapes. puts: values in the order of the columns, what becomes JSON text as it is.
        drops: keys. spelled: what becomes JSON text is text already.
    """

    table: int
    puts: Sequence[Sequence[Any]]
    drops: Sequence[Sequence[Any]]
    spelled: bool = False


def spelled(changed: Changed, shape: Shape) -> Changed:
    """The same with JSON text where a column takes it."""
    if changed.spelled or not shape.json_at:
        return changed
    return Changed(changed.table, [_with_text(values, shape.json_at) for values in changed.puts], changed.drops, True)


class Commits(Protocol):
    """Where commits go. What is written becomes visible to readers with its commit, and commits keep their order."""

    def write(self, changes: list[Changed]) -> None:
        """Part of the next commit. Raises: sqlite3.Error, OSError."""

    def commit(self) -> None:
        """End it. Raises: as `write`."""

    def rollback(self) -> None:
        """Forget what was written and not yet committed."""

    def settle(self, commits: int) -> int:
        """Wait until no more than so many commits are under way; how many are. Raises: as `write`."""

    def close(self) -> None:
        """Settle, and let go of what belongs to the writing alone."""


class Writer:
    """Writes on a connection, at once."""

    def __init__(self, conn: sqlite3.Connection, shapes: Sequence[Shape]) -> None:
        self._conn = conn
        self._tables = [_Statements(shape) for shape in shapes]

    def write(self, changes: list[Changed]) -> None:
        if not self._conn.in_transaction:
            self._conn.execute("BEGIN IMMEDIATE")
        for changed in changes:
            self._tables[changed.table].write(self._conn, changed)

    def commit(self) -> None:
        if self._conn.in_transaction:
            self._conn.execute("COMMIT")

    def rollback(self) -> None:
        if self._conn.in_transaction:
            self._conn.execute("ROLLBACK")

    def settle(self, commits: int) -> int:
        return 0

    def close(self) -> None:
        pass


def insert(conn: sqlite3.Connection, into: str, rows: Sequence[Sequence[Any]]) -> None:
    """Rows of one width, many to a statement. `into`: the statement up to its values, "INSERT INTO table (a, b)"."""
    start = 0
    while start < len(rows):
        left = len(rows) - start
        if ROWS_EXACTLY_MAX < left < ROWS_AT_ONCE:
            left = ROWS_EXACTLY_MAX
        many = min(left, ROWS_AT_ONCE)
        room = f"({', '.join('?' * len(rows[start]))})"
        values = ", ".join([room] * many)
        conn.execute(f"{into} VALUES {values}", tuple(chain.from_iterable(rows[start : start + many])))
        start += many


class _Statements:
    """How one table's rows are written."""

    __slots__ = ("_drop", "_put", "_shape")

    def __init__(self, shape: Shape) -> None:
        self._put = f"INSERT OR REPLACE INTO {shape.name} ({', '.join(shape.columns)})"
        self._drop = f"DELETE FROM {shape.name} WHERE {' AND '.join(f'{n} = ?' for n in shape.key)}"
        self._shape = shape

    def write(self, conn: sqlite3.Connection, changed: Changed) -> None:
        insert(conn, self._put, spelled(changed, self._shape).puts)
        if changed.drops:
            conn.executemany(self._drop, changed.drops)


def _with_text(values: Sequence[Any], json_at: Sequence[int]) -> list[Any]:
    changed = list(values)
    for at in json_at:
        if changed[at] is not None:
            changed[at] = _to_json(changed[at]).decode()
    return changed


_to_json = msgspec.json.Encoder(order="sorted").encode
