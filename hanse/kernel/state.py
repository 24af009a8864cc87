"""State: the rows of all tables, in SQLite behind a write-behind cache.

What a block changes stays in memory until a commit hands it to the writer, and counts from there until the writer says
that it stands. So memory is laid over what SQLite finds; readers use other connections and see whole blocks only.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from operator import itemgetter
from typing import Any, Final

import msgspec

from hanse.kernel.absent import Absent
from hanse.kernel.rows import Key, R, SqlValue
from hanse.kernel.tables import Table
from hanse.kernel.writer import Changed, Commits, Shape, Writer, shape_of

CACHE_ROWS_MAX = 60_000
"""Rows of one table kept in memory between blocks."""
COMMITS_AHEAD_MAX = 2
"""Commits that the writer may be behind with."""
NEVER = 2**63 - 1
Rows = dict[Key, Any]
"""key -> row, or None for a key that is gone or known to be absent."""
_spell: Final = msgspec.json.Encoder(order="deterministic").encode
_values: Final = msgspec.structs.astuple
_key: Final = itemgetter(0)
_UNKNOWN: Final = object()


class Held:
    """One table's rows in memory.

    rows: those known, changed ones included. changed: in the block under way. dirty: in ended blocks, not yet handed to
    the writer. ahead: handed to it, one for each commit that touched the table, oldest first; None where it did not.
    absent: of a table that is `often_new`. watched: see `State.watch`. whole: all that the table has stands in `rows`.
    """

    __slots__ = ("absent", "ahead", "changed", "dirty", "place", "rows", "select", "table", "watched", "whole")

    def __init__(self, table: Table[Any], place: int) -> None:
        self.table, self.place = table, place
        match = " AND ".join(f"{n} = ?" for n in table.key)
        self.select = f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE {match}"
        self.absent: Absent | None = None
        self.watched = self.whole = False
        self.rows: Rows = {}
        self.changed: Rows = {}
        self.dirty: Rows = {}
        self.ahead: list[Rows] = []

    def layers(self) -> list[Rows]:
        """What SQLite may not have yet; where a key stands in several, the last counts."""
        return [layer for layer in (*self.ahead, self.dirty, self.changed) if layer]

    def forget(self) -> None:
        """All that SQLite has, or should not get."""
        self.changed, self.dirty = {}, {}
        self.drop_known()

    def drop_known(self) -> None:
        """All but what SQLite may not have yet."""
        self.rows, self.whole = {}, False
        for layer in self.ahead:
            self.rows.update(layer)


class State:
    """The one writer's view of all tables.

    Args:
        scratch: it is made from nothing, in a new database. Then a key that memory never had is not in SQLite either,
            and an index is made when a scan first asks for it, or at the end: most are for pages.

    Attributes:
        held: table name -> its rows in memory. stirred: whether a watched table has changed since this was set.
        on_timer: told (due, id) of each timer that a draft sets.
    """

    def __init__(self, conn: sqlite3.Connection, tables: Sequence[Table[Any]], *, scratch: bool = False) -> None:
        self.conn, self._scratch = conn, scratch
        self.tables = {table.name: table for table in tables}
        self.held = {table.name: Held(table, place) for place, table in enumerate(tables)}
        self._in_place = Writer(conn, self.shapes())
        self._writer: Commits = self._in_place
        self.stirred = False
        self.on_timer: Callable[[int, str], None] = lambda due, id: None
        self._touched: dict[str, Held] = {}  # by the block under way
        self._dirty: dict[str, Held] = {}  # by ended blocks, since the last commit
        self._commits: list[list[Held]] = []  # under way, oldest first: what each touched
        self._committed = 0
        self._unindexed: dict[str, Table[Any]] = {}

    def create(self) -> None:
        for name, held in self.held.items():
            statements = held.table.ddl()
            if self._scratch:
                held.whole = True
                if statements[1:]:
                    self._unindexed[name] = held.table
            for statement in statements[:1] if self._scratch else statements:
                self.conn.execute(statement)

    def index(self) -> None:
        """Make the indexes that a scratch state does not have yet. Raises: as `commit`."""
        for table in list(self._unindexed.values()):
            self._index(table)

    def _index(self, table: Table[Any]) -> None:
        self.settle()  # until then another process writes
        for statement in table.ddl()[1:]:
            self.conn.execute(statement)
        del self._unindexed[table.name]

    def watch(self, names: Iterable[str]) -> None:
        """Set `stirred` when one of these tables changes."""
        for name in names:
            self.held[name].watched = True

    def get(self, table: Table[R], key: Key) -> R | None:
        held = self.held[table.name]
        hit = held.rows.get(key, _UNKNOWN)
        return self.fetch(held, key) if hit is _UNKNOWN else hit  # type: ignore[no-any-return]

    def fetch(self, held: Held, key: Key) -> Any:
        """A row that memory does not have, or None; what had to be looked for is kept."""
        table = held.table
        if held.whole:
            return None
        if table.often_new and self._absent(held).surely(key):
            held.rows[key] = None
            return None
        found = self.conn.execute(held.select, key).fetchone()
        row = held.rows[key] = table.from_sql(found) if found else None
        return row

    def _absent(self, held: Held) -> Absent:
        if held.absent is None or held.absent.full:
            held.absent = Absent(self.conn, held.table)
            for layer in held.ahead:
                held.absent.add([key for key, row in layer.items() if row is not None])
        return held.absent

    def scan(
        self,
        table: Table[R],
        where: dict[str, SqlValue],
        *,
        after: Key | None = None,
        limit: int = 10_000,
        up_to: tuple[str, int] | None = None,
    ) -> list[R]:
        """Rows whose fields equal `where`, in key order, at most `limit`.

        Args:
            after: a key; only rows behind it. up_to: (field, highest value).
        """
        if table.name in self._unindexed and _narrows(table, where):
            self._index(table)
        layers = self.held[table.name].layers()
        clauses, values = [f"{n} = ?" for n in where], list(where.values())
        if up_to:
            clauses.append(f"{up_to[0]} <= ?")
            values.append(up_to[1])
        if after is not None:
            clauses.append(f"({', '.join(table.key)}) > ({', '.join('?' * len(table.key))})")
            values.extend(after)
        sql = f"SELECT {', '.join(table.columns)} FROM {table.name}"
        sql += (f" WHERE {' AND '.join(clauses)}" if clauses else "") + f" ORDER BY {', '.join(table.key)}"
        if not layers:
            return [table.from_sql(found) for found in self.conn.execute(f"{sql} LIMIT {int(limit)}", values)]
        new = _fitting(self.held[table.name], layers, where, after, up_to)
        found: Rows = {}
        for stored in self.conn.execute(sql, values):
            row = table.from_sql(stored)
            key = table.key_in(_values(row))
            if not any([key in layer for layer in layers]):
                found[key] = row
                if len(found) >= limit:
                    break
        found.update(new)
        return [found[key] for key in sorted(found)[:limit]]

    def below(self, table: Table[Any], field: str, limit: int) -> list[Key]:
        """The keys of the rows whose field is less, in order."""
        held = self.held[table.name]
        layers = held.layers()
        sql = f"SELECT {', '.join(table.key)} FROM {table.name} WHERE {field} < ?"
        keys = {key: None for key in self.conn.execute(sql, (limit,)) if not any(key in layer for layer in layers)}
        for layer in layers:
            for key in layer:
                row = held.rows[key]
                if row is not None and getattr(row, field) < limit:
                    keys[key] = None
        return sorted(keys)

    def written(self, table: Table[Any], key: Key, row: Any) -> None:
        """Outside any draft: what the kernel itself keeps."""
        held = self.held[table.name]
        if not held.changed:
            self.touch(held)
        held.rows[key] = held.changed[key] = row

    def touch(self, held: Held) -> None:
        """A table has its first change of this block."""
        self._touched[held.table.name] = held

    @staticmethod
    def digest(changes: dict[str, Rows], names: Iterable[str]) -> bytes:
        """SHA-256 over changed rows as JSON, in order of (table, key): what replicas compare."""
        listed = []
        for name in sorted(names):
            rows = changes[name]
            listed.append((name, sorted(rows.items(), key=_key) if len(rows) > 1 else list(rows.items())))
        return hashlib.sha256(_spell(listed)).digest()

    def changed(self) -> int:
        """How many rows have changed in the block under way."""
        return sum(len(held.changed) for held in self._touched.values())

    def take_changes(self) -> dict[str, Rows]:
        """What changed since the last call, now part of the next commit."""
        taken = {}
        for name, held in self._touched.items():
            if held.changed:
                taken[name], held.changed = held.changed, {}
                if held.dirty:
                    held.dirty.update(taken[name])
                else:
                    held.dirty = taken[name]
                self._dirty[name] = held
        self._touched.clear()
        return taken

    def _as_values(self, held: Held) -> Changed:
        dirty = held.dirty
        puts = [_values(row) for row in dirty.values() if row is not None]
        drops = [key for key, row in dirty.items() if row is None] if len(puts) < len(dirty) else []
        if held.table.often_new:
            absent = self._absent(held)
            drops = [key for key in drops if not absent.surely(key)]
            absent.add([key for key, row in dirty.items() if row is not None])
        return Changed(held.place, puts, drops)

    def commit(self, *, wait: bool = True) -> int:
        """Hand what ended blocks changed to the writer, as one commit; the last one's number, for `settle`.

        Args:
            wait: until all stand. Raises: sqlite3.Error, OSError; the state has then started over.
        """
        self.take_changes()
        if self._dirty:
            handed = list(self._dirty.values())
            self._dirty = {}
            changes = [self._as_values(held) for held in handed]
            for held in handed:
                held.ahead.append(held.dirty)
                held.dirty = {}
            self._commits.append(handed)
            self._committed += 1
            try:
                self._writer.write(changes)
                self._writer.commit()
            except Exception:  # whatever it was: nothing of it may lie over the database
                self.start_over()
                raise
        self.settle(self._committed if wait else self._committed - COMMITS_AHEAD_MAX)
        self._keep_bound()
        return self._committed

    def settle(self, number: int | None = None) -> None:
        """Wait until a commit stands, without a number until all do. Raises: as `commit`."""
        newer = 0 if number is None else self._committed - number
        if len(self._commits) > newer:
            try:
                left = self._writer.settle(newer)
            except (sqlite3.Error, OSError):
                self.start_over()
                raise
            while len(self._commits) > left:
                for held in self._commits.pop(0):
                    held.ahead.pop(0)

    def _keep_bound(self) -> None:
        for held in self.held.values():
            if len(held.rows) > CACHE_ROWS_MAX:
                held.drop_known()

    def rollback(self) -> None:
        """Forget what was not yet handed to the writer."""
        self._touched, self._dirty = {}, {}
        for held in self.held.values():
            held.forget()

    def start_over(self) -> None:
        """Forget all that may not stand, and write in place from now on."""
        self._writer.rollback()
        self.write_with(None)
        self._commits.clear()
        for held in self.held.values():
            held.ahead.clear()
        self.rollback()

    @property
    def in_place(self) -> bool:
        """Whether commits are written by this process itself, on `conn`."""
        return self._writer is self._in_place

    def shapes(self) -> list[Shape]:
        """Of all tables: what a writer needs."""
        return [shape_of(table) for table in self.tables.values()]

    def write_with(self, writer: Commits | None) -> None:
        """Write by other means, from the next commit on; None: in place. Nothing is under way, or it is forgotten."""
        self._writer.close()
        self._writer = writer or self._in_place


def _narrows(table: Table[Any], where: Collection[str]) -> bool:
    """Whether an index of a table leads closer to what a scan asks for than its key does."""

    def led(columns: Sequence[str]) -> int:
        return next((at for at, name in enumerate(columns) if name not in where), len(columns))

    return max([led(columns) for columns in table.index]) > led(table.key)


def _fitting(
    held: Held, layers: list[Rows], where: dict[str, SqlValue], after: Key | None, up_to: tuple[str, int] | None
) -> Rows:
    """Of the rows that memory lays over the table, those that a scan asks for."""
    first = where.get(held.table.key[0])
    near = {key: None for layer in layers for key in layer if first is None or key[0] == first}
    found = {}
    for key in near:
        row = held.rows[key]
        fits = row is not None and all([getattr(row, name) == value for name, value in where.items()])
        if fits and (after is None or key > after) and (up_to is None or getattr(row, up_to[0]) <= up_to[1]):
            found[key] = row
    return found
