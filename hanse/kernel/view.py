"""View: how queries read state, and the one place where a reader's rights are enforced.

A view belongs to one reader. It reads public tables whole; of circle tables only the rows of circles that the reader
is in. There is no other way from a query to state, so what a query forgets to check it cannot show.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hanse.kernel.rows import R, SqlValue
from hanse.kernel.tables import Table

CIRCLES_LISTED_MAX = 200
"""Up to so many circles stand in a statement one by one; more as one value, which costs a little where they are few."""


class View:
    """State as one reader may see it.

    Args:
        conn: a read-only connection. party: the reader, "" for a stranger. circles: those that the reader is in.
        homes: the reader's own homes (a subset of circles). now: UTC seconds, ledger time or
            later, for ages and deadlines.
    """

    def __init__(
        self, conn: sqlite3.Connection, *, party: str = "", circles: Iterable[str] = (), home: str = "", now: int = 0
    ) -> None:
        self.conn, self.party, self.home, self.now = conn, party, home, now
        self.circles = tuple(sorted(set(circles)))
        self._mine = frozenset(self.circles)

    def get(self, table: Table[R], *key: SqlValue) -> R | None:
        """One row by its key, or None: also where the reader has no right to it."""
        if table.circle and key[0] not in self._mine:
            return None
        match = " AND ".join(f"{n} = ?" for n in table.key)
        found = self.conn.execute(f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE {match}", key).fetchone()
        return table.from_sql(found) if found else None

    def rows(
        self,
        table: Table[R],
        where: str = "",
        values: Sequence[SqlValue] = (),
        *,
        order: str = "",
        limit: int = 1_000,
        offset: int = 0,
    ) -> list[R]:
        """Rows of one table under an SQL condition, circle tables narrowed to the reader's circles.

        Args:
            where: SQL with `?`, written by the query's author, never from a request. order: columns, else the key.
        """
        narrowed, allowed = self._narrow(table)
        condition = " AND ".join(f"({part})" for part in (narrowed, where) if part)
        sql = f"SELECT {', '.join(table.columns)} FROM {table.name}" + (f" WHERE {condition}" if condition else "")
        sql += f" ORDER BY {order or ', '.join(table.key)} LIMIT {int(limit)} OFFSET {int(offset)}"
        return [table.from_sql(found) for found in self.conn.execute(sql, (*allowed, *values))]

    def count(
        self, table: Table[Any], where: str = "", values: Sequence[SqlValue] = (), *, of: str = "COUNT(*)"
    ) -> int:
        """An aggregate over one table under the same narrowing: `of="SUM(each)"`; 0 for none."""
        narrowed, allowed = self._narrow(table)
        condition = " AND ".join(f"({part})" for part in (narrowed, where) if part)
        sql = f"SELECT {of} FROM {table.name}" + (f" WHERE {condition}" if condition else "")
        return int(self.conn.execute(sql, (*allowed, *values)).fetchone()[0] or 0)

    def sql(
        self, sql: str, values: Sequence[SqlValue] = (), *, tables: Sequence[Table[Any]] = ()
    ) -> list[tuple[Any, ...]]:
        """A query with joins. Each table that it reads is named in `tables` and written `{name}` in the text.

        Every `{name}` becomes a subquery narrowed to the reader's circles, so that no join can reach beyond them.
        """
        texts, allowed = {}, {}
        for table in tables:
            narrowed, circles = self._narrow(table, named=True)
            texts[table.name] = f"(SELECT * FROM {table.name} WHERE {narrowed})" if narrowed else table.name
            allowed.update(circles)
        names = {f"v{i}": value for i, value in enumerate(values)}
        body = sql.format(**texts)
        for i in range(len(values)):
            body = body.replace("?", f":v{i}", 1)
        return self.conn.execute(body, {**allowed, **names}).fetchall()

    def _narrow(self, table: Table[Any], named: bool = False) -> tuple[str, Any]:
        if not table.circle:
            return "", {} if named else ()
        circles = self.circles
        if len(circles) > CIRCLES_LISTED_MAX:
            listed = msgspec.json.encode(circles).decode()
            one = ":circles" if named else "?"
            return f"circle IN (SELECT value FROM json_each({one}))", {"circles": listed} if named else (listed,)
        if named:
            names = {f"c{i}": circle for i, circle in enumerate(circles)}
            return f"circle IN ({', '.join(f':{name}' for name in names)})", names
        return f"circle IN ({', '.join('?' * len(circles))})", circles
