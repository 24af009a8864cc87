"""State: the rows of all tables, in SQLite behind a write-back cache, and the draft that one fact writes.

The writer keeps changed rows in memory until its block ends; a scan writes the scanned table's changed rows down
first, so that SQLite orders them. Readers use other connections and see whole blocks only.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar

import msgspec

from hanse.kernel.absent import Absent
from hanse.kernel.kept import TIMERS, Timer
from hanse.kernel.refusal import Refused
from hanse.kernel.tables import Key, R, Row, SqlValue, Table

CACHE_ROWS_MAX = 60_000
"""Rows of one table kept in memory between blocks."""
ROWS_AT_ONCE = 128
ROWS_EXACTLY_MAX = 16
"""Rows that one statement writes down: so many, and what is left over at once too where it is little. Each statement
gives other threads their turn, and a busy one keeps it for a while: the fewer, the sooner a small block is done."""
_spell = msgspec.json.Encoder(order="deterministic").encode
_set = msgspec.structs.force_setattr
E = TypeVar("E")


def connect(path: str, *, read_only: bool = False, scratch: bool = False) -> sqlite3.Connection:
    """A connection with this project's settings; autocommit, so that blocks are explicit transactions.

    Args:
        scratch: nobody else looks at it, and after a crash or a rollback it is thrown away.
    """
    uri = path if path.startswith("file:") or path == ":memory:" else f"file:{path}" + ("?mode=ro" if read_only else "")
    conn = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=2048)
    if scratch:
        for setting in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
            conn.execute(f"PRAGMA {setting}")
    elif not read_only:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=NORMAL")
        conn.execute("PRAGMA wal_autocheckpoint=0")  # see `node.tidying`: the writer waits for no second copy
    conn.execute("PRAGMA cache_size=-65536")
    conn.execute("PRAGMA temp_store=MEMORY")
    return conn


class _Held:
    """One table's rows in memory.

    rows: key -> row, or None for a key known to be absent; dirty ones included. dirty: changed and not yet written
    down. changed: in the block under way. absent: of a table that is `often_new`.
    """

    __slots__ = ("_more", "absent", "changed", "dirty", "drop", "get", "put", "rows", "table")

    def __init__(self, table: Table[Any]) -> None:
        self.table = table
        self.get, self.put, self.drop = _statements(table)
        self._more = f", ({', '.join('?' * len(table.columns))})"
        self.absent: Absent | None = None
        self.rows: dict[Key, Any] = {}
        self.dirty: dict[Key, Any] = {}
        self.changed: dict[Key, Any] = {}

    def values(self, more: int) -> str:
        """Room for that many more rows in `put`."""
        return self._more * more


class State:
    """The one writer's view of all tables."""

    def __init__(self, conn: sqlite3.Connection, tables: Sequence[Table[Any]]) -> None:
        self.conn = conn
        self.tables = {table.name: table for table in tables}
        self._held = {table.name: _Held(table) for table in tables}
        self._touched: dict[str, _Held] = {}  # by the block under way

    def create(self) -> None:
        for table in self.tables.values():
            for statement in table.ddl():
                self.conn.execute(statement)

    def get(self, table: Table[R], key: Key) -> R | None:
        held = self._held[table.name]
        try:
            hit: R | None = held.rows[key]
            return hit
        except KeyError:
            if table.often_new and self._absent(held).surely(key):
                held.rows[key] = None
                return None
            found = self.conn.execute(held.get, key).fetchone()
            row = held.rows[key] = table.from_sql(found) if found else None
            return row

    def _absent(self, held: _Held) -> Absent:
        if held.absent is None or held.absent.full:
            held.absent = Absent(self.conn, held.table)
        return held.absent

    def scan(
        self,
        table: Table[R],
        where: dict[str, SqlValue],
        *,
        after: Key | None,
        limit: int,
        up_to: tuple[str, int] | None,
    ) -> list[R]:
        """Rows whose fields equal `where`, in key order; `up_to`: a field and its highest value."""
        self.flush(table)
        clauses, values = [f"{n} = ?" for n in where], list(where.values())
        if up_to:
            clauses.append(f"{up_to[0]} <= ?")
            values.append(up_to[1])
        if after is not None:
            clauses.append(f"({', '.join(table.key)}) > ({', '.join('?' * len(table.key))})")
            values.extend(after)
        sql = f"SELECT {', '.join(table.columns)} FROM {table.name}"
        sql += (
            f" WHERE {' AND '.join(clauses)}" if clauses else ""
        ) + f" ORDER BY {', '.join(table.key)} LIMIT {int(limit)}"
        return [table.from_sql(found) for found in self.conn.execute(sql, values)]

    def at_hand(self, table: Table[R], key: Key) -> R | None:
        """A row that only the entry under way can have written: the disk is not asked."""
        return self._held[table.name].rows.get(key)

    def write(self, table: Table[Any], key: Key, row: Any) -> None:
        held = self._touched[table.name] = self._held[table.name]
        held.rows[key] = held.dirty[key] = held.changed[key] = row

    def write_all(self, changes: dict[str, dict[Key, Any]]) -> None:
        """Write a draft's rows: table name -> key -> row, or None where it goes."""
        for name, rows in changes.items():
            held = self._touched[name] = self._held[name]
            held.rows.update(rows)
            held.dirty.update(rows)
            held.changed.update(rows)

    @staticmethod
    def digest(changes: dict[str, dict[Key, Any]], names: Iterable[str]) -> bytes:
        """SHA-256 over changed rows as JSON, in order of (table, key): what replicas compare."""
        listed = []
        for name in sorted(names):
            rows = changes[name]
            listed.append((name, sorted(rows.items(), key=_key) if len(rows) > 1 else list(rows.items())))
        return hashlib.sha256(_spell(listed)).digest()

    def flush(self, table: Table[Any]) -> None:
        """Write a table's changed rows down, inside the open transaction."""
        held = self._held[table.name]
        if not held.dirty:
            return
        to_sql = table.to_sql
        puts = [to_sql(row) for row in held.dirty.values() if row is not None]
        drops = [key for key, row in held.dirty.items() if row is None] if len(puts) < len(held.dirty) else []
        if held.table.often_new:
            absent = self._absent(held)
            drops = [key for key in drops if not absent.surely(key)]
            absent.add(key for key, row in held.dirty.items() if row is not None)
        start = 0
        while start < len(puts):
            left = len(puts) - start
            if ROWS_EXACTLY_MAX < left < ROWS_AT_ONCE:
                left = ROWS_EXACTLY_MAX
            many = min(left, ROWS_AT_ONCE)
            self.conn.execute(held.put + held.values(many - 1), tuple(chain.from_iterable(puts[start : start + many])))
            start += many
        if drops:
            self.conn.executemany(held.drop, drops)
        held.dirty.clear()

    def changed(self) -> int:
        """How many rows have changed in the block under way."""
        return sum(len(held.changed) for held in self._touched.values())

    def take_changes(self) -> dict[str, dict[Key, Any]]:
        """What changed since the last call, and forget it."""
        taken = {}
        for name, held in self._touched.items():
            if held.changed:
                taken[name], held.changed = held.changed, {}
        return taken

    def begin(self) -> None:
        if not self.conn.in_transaction:
            self.conn.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Write everything down as one transaction, and keep the cache within its bound."""
        for held in self._touched.values():
            self.flush(held.table)
        if self.conn.in_transaction:
            self.conn.execute("COMMIT")
        self._touched.clear()
        for held in self._held.values():
            if len(held.rows) > CACHE_ROWS_MAX:
                held.rows.clear()

    def rollback(self) -> None:
        """Forget everything since the last commit."""
        if self.conn.in_transaction:
            self.conn.execute("ROLLBACK")
        self._touched.clear()
        for held in self._held.values():
            held.rows.clear()
            held.dirty.clear()
            held.changed.clear()


_key = itemgetter(0)


def _statements(table: Table[Any]) -> tuple[str, str, str]:
    match = " AND ".join(f"{n} = ?" for n in table.key)
    columns = ", ".join(table.columns)
    return (
        f"SELECT {columns} FROM {table.name} WHERE {match}",
        f"INSERT OR REPLACE INTO {table.name} ({columns}) VALUES ({', '.join('?' * len(table.columns))})",
        f"DELETE FROM {table.name} WHERE {match}",
    )


class Draft:
    """What one fact writes; rules read and write through it, and nothing else.

    Attributes:
        now: ledger time, UTC seconds. position: the entry under way. signer: the party or alias that signed.
        circle: "" in a public rule; in a circle or home rule the only circle whose tables may be written.
        reads: in a home rule the fact's circle, whose tables may be read as well.
        told: events, in the order told.
    """

    def __init__(
        self,
        state: State,
        *,
        now: int,
        position: int,
        signer: str = "",
        circle: str = "",
        reads: str = "",
        below: Draft | None = None,
    ) -> None:
        self.state, self.now, self.position, self.signer, self.circle = state, now, position, signer, circle
        self.reads = reads
        self._below = below
        self._rows: dict[str, dict[Key, Any]] = {}
        self.told: list[Any] = []

    def get(self, table: Table[R], *key: SqlValue) -> R | None:
        """One row by its key, as this draft would leave it, or None."""
        if table.circle and key[0] != self.circle:
            self._may(table, key)
        mine = self._rows.get(table.name)
        if mine is not None and key in mine:
            hit: R | None = mine[key]
            return hit
        return self._below.get(table, *key) if self._below and not table.circle else self.state.get(table, key)

    def mine(self, table: Table[R], *key: SqlValue) -> R | None:
        """A row whose key holds this draft's position, so that nothing before this entry can have written it."""
        self._may(table, key)
        rows = self._rows.get(table.name)
        return rows[key] if rows is not None and key in rows else self.state.at_hand(table, key)

    def put(self, table: Table[R], row: R) -> None:
        """Insert or replace a row; its position becomes this draft's."""
        key = table.key_of(row)
        if not table.circle or key[0] != self.circle:
            self._may(table, key, write=True)
        if wide := table.overflow(row):
            raise Refused("kernel.overflow", f"{table.name}.{wide} leaves 64 bits", got=getattr(row, wide))
        if table.withheld(row):
            raise AssertionError(f"{table.name} was given a field that the fact withholds")
        _set(row, "position", self.position)
        mine = self._rows.get(table.name)
        if mine is None:
            mine = self._rows[table.name] = {}
        mine[key] = row

    def delete(self, table: Table[Any], *key: SqlValue) -> None:
        self._may(table, key, write=True)
        self._rows.setdefault(table.name, {})[key] = None

    def scan(
        self,
        table: Table[R],
        *,
        after: Key | None = None,
        limit: int = 10_000,
        up_to: tuple[str, int] | None = None,
        **where: SqlValue,
    ) -> list[R]:
        """Rows whose fields equal `where`, in key order, at most `limit`, this draft's own writes included.

        Args:
            after: a key; only rows behind it. up_to: (field, highest value).
        """
        if self.circle and table.circle:
            where.setdefault("circle", self.circle)
        self._may(table, (where.get("circle"),))
        if self._below and table.name in self._below._rows:
            raise AssertionError("a trial may not scan what it has just written")
        mine = self._rows.get(table.name)
        stored = self.state.scan(table, where, after=after, limit=limit + len(mine or ()), up_to=up_to)
        if not mine:
            return stored[:limit]
        merged: dict[Key, R] = {table.key_of(row): row for row in stored}
        for key, row in mine.items():
            merged.pop(key, None)
            fits = row is not None and all(getattr(row, n) == v for n, v in where.items())
            if fits and (after is None or key > after) and (up_to is None or getattr(row, up_to[0]) <= up_to[1]):
                merged[key] = row
        return [merged[key] for key in sorted(merged)][:limit]

    def timer(self, name: str, id: str, due: int, *, circle: str = "", args: tuple[str, ...] = ()) -> None:
        """Set a wait: timer rule `name` runs in the first block at or after ledger time `due`.

        Public rules only. The same (due, id) replaces. A circle named here has its circle timer rule run as well.
        """
        self.put(TIMERS, Timer(due=due, id=id, name=name, circle=circle, args=args))

    def drop_timer(self, id: str, due: int) -> None:
        """End a wait before its time; one that is gone already is no fault."""
        self.delete(TIMERS, due, id)

    def tell(self, event: Any) -> None:
        """Tell an event to the rooms that subscribe; they run inside this draft, after this rule."""
        self.told.append(event)

    def _may(self, table: Table[Any], key: Sequence[SqlValue], write: bool = False) -> None:
        mine = self.circle and (key[0] == self.circle or (key[0] == self.reads and not write))
        if table.circle and not mine:
            raise AssertionError(
                f"{table.name}: circle {key[0]!r} is closed to a rule of circle {self.circle or '(public)'}"
            )
        if write and self.circle and not table.circle:
            raise AssertionError(f"{table.name}: a private rule may not write publicly")

    def changes(self) -> dict[str, dict[Key, Any]]:
        return self._rows

    def keep(self) -> None:
        """Make the draft state."""
        self.state.write_all(self._rows)


def rows_of(changes: dict[str, dict[Key, Any]]) -> Iterator[tuple[str, Key, Row | None]]:
    for name, rows in changes.items():
        for key, row in rows.items():
            yield name, key, row
