"""`imports.db`: which rows a party has imported and what became of them; and, while an import runs, its rows and facts.

The file spares work and keeps what has no place on the record (partners' numbers, sourcing rules, tariffs). What stands
on the record is always looked up there: without this file an import signs nothing twice that can be told from state.
Rows under way lie in a scratch file beside it, so that a million rows need no memory.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

FILE = "imports.db"
_loads = msgspec.json.Decoder(dict[str, Any]).decode
_DDL = """
CREATE TABLE IF NOT EXISTS about (one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL, salt BLOB NOT NULL)
  STRICT;
CREATE TABLE IF NOT EXISTS row (
  party TEXT NOT NULL, target TEXT NOT NULL, key TEXT NOT NULL, grp TEXT NOT NULL, row_key BLOB NOT NULL,
  vals TEXT NOT NULL, PRIMARY KEY (party, target, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS row_grp ON row (party, target, grp);
CREATE TABLE IF NOT EXISTS document (
  party TEXT NOT NULL, grp TEXT NOT NULL, said TEXT NOT NULL, PRIMARY KEY (party, grp)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offer (
  party TEXT NOT NULL, grp TEXT NOT NULL, offer TEXT NOT NULL, PRIMARY KEY (party, grp)
) STRICT, WITHOUT ROWID;
"""
_STAGE = """
CREATE TABLE stage.staged (
  n INTEGER PRIMARY KEY, target TEXT NOT NULL, key TEXT NOT NULL, grp TEXT NOT NULL, row_key BLOB NOT NULL,
  section INTEGER NOT NULL, row INTEGER NOT NULL, vals TEXT NOT NULL, fact INTEGER NOT NULL DEFAULT 0,
  UNIQUE (target, key)
) STRICT;
CREATE TABLE stage.fact (n INTEGER PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE stage.keep (fact INTEGER NOT NULL, what TEXT NOT NULL, grp TEXT NOT NULL, said TEXT NOT NULL) STRICT;
CREATE TABLE stage.known (what TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (what, name)) STRICT, WITHOUT ROWID;
"""


class Staged(NamedTuple):
    """One good row under way. section: its place in the mapping. row: in its source. values: those not empty.
    before: a row of this key was imported before, with other values."""

    n: int
    section: int
    row: int
    values: dict[str, Any]
    before: bool = False


class Store:
    """The imports of one data directory, and the scratch of one import. Use as a context manager."""

    def __init__(self, directory: Path, party: str) -> None:
        path = directory / FILE
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self.party = party
        handle, self._scratch = tempfile.mkstemp(prefix="imports-", suffix=".tmp", dir=directory)
        os.close(handle)
        self.conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.conn.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _DDL)
        self.conn.execute("INSERT OR IGNORE INTO about VALUES (1, 1, ?)", (secrets.token_bytes(32),))
        self.salt: bytes = self.conn.execute("SELECT salt FROM about").fetchone()[0]
        self.conn.execute("ATTACH ? AS stage", (self._scratch,))
        self.conn.executescript("PRAGMA stage.journal_mode = OFF; PRAGMA stage.synchronous = OFF;" + _STAGE)
        self.conn.execute("BEGIN")

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *rest: object) -> None:
        self.close()

    def close(self) -> None:
        if self.conn.in_transaction:
            self.conn.rollback()
        self.conn.close()
        for end in ("", "-journal", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(self._scratch + end)

    # -- rows ------------------------------------------------------------------------------------------------------

    def stage(self, rows: Iterable[tuple[str, str, str, bytes, int, int, str]]) -> None:
        """Take good rows in: (target, key, grp, row_key, section, row, values as JSON); the first of a key stays."""
        self.conn.executemany(
            "INSERT OR IGNORE INTO stage.staged (target, key, grp, row_key, section, row, vals)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

    def staged(self, target: str, *, fresh: bool = False) -> Iterator[Staged]:
        """The rows of a target in the order of the source; `fresh`: only those that are new or changed."""
        where = " AND (r.row_key IS NULL OR r.row_key <> s.row_key)" if fresh else ""
        sql = f"""
            SELECT s.n, s.section, s.row, s.vals, r.row_key IS NOT NULL FROM stage.staged s
            LEFT JOIN row r ON r.party = ? AND r.target = s.target AND r.key = s.key
            WHERE s.target = ?{where} ORDER BY s.n"""
        for n, section, row, text, before in self._cursor(sql, (self.party, target)):
            yield Staged(n, section, row, _loads(text), bool(before))

    def groups(self, *targets: str) -> Iterator[str]:
        """The groups of these targets in which a row is new or changed, in the order of the source."""
        marks = ", ".join("?" * len(targets))
        sql = f"""SELECT s.grp FROM stage.staged s WHERE s.target IN ({marks}) AND {_FRESH}
                  GROUP BY s.grp ORDER BY MIN(s.n)"""
        for (grp,) in self._cursor(sql, (*targets, self.party)):
            yield grp

    def group(self, target: str, grp: str) -> list[Staged]:
        """All rows of a group: of this import, then those imported before that it does not name (n is 0)."""
        here = self.conn.execute(
            "SELECT n, section, row, vals, key FROM stage.staged WHERE target = ? AND grp = ? ORDER BY n", (target, grp)
        ).fetchall()
        keys = {found[4] for found in here}
        before = self.conn.execute(
            "SELECT key, vals FROM row WHERE party = ? AND target = ? AND grp = ? ORDER BY key",
            (self.party, target, grp),
        ).fetchall()
        rows = [Staged(n, section, row, _loads(text)) for n, section, row, text, _ in here]
        return rows + [Staged(0, -1, 0, _loads(text)) for key, text in before if key not in keys]

    def whole_groups(self, target: str) -> Iterator[list[Staged]]:
        """The rows of this import, group by group, of the groups in which a row is new or changed."""
        sql = """
            SELECT s.grp, s.n, s.section, s.row, s.vals, r.row_key IS NOT NULL, r.row_key IS NOT s.row_key
            FROM stage.staged s LEFT JOIN row r ON r.party = ? AND r.target = s.target AND r.key = s.key
            WHERE s.target = ? ORDER BY s.grp, s.n"""
        for _, found in groupby(self._cursor(sql, (self.party, target)), key=itemgetter(0)):
            rows = list(found)
            if any(fresh for *_, fresh in rows):
                yield [
                    Staged(n, section, row, _loads(text), bool(before and fresh))
                    for _, n, section, row, text, before, fresh in rows
                ]

    def one(self, target: str, key: str) -> dict[str, Any] | None:
        """The values of a row by its key: of this import, else imported before."""
        found = (
            self.conn.execute("SELECT vals FROM stage.staged WHERE target = ? AND key = ?", (target, key)).fetchone()
            or self.conn.execute(
                "SELECT vals FROM row WHERE party = ? AND target = ? AND key = ?", (self.party, target, key)
            ).fetchone()
        )
        return _loads(found[0]) if found else None

    def index(self) -> None:
        """Everything was taken in: make groups quick to find."""
        self.conn.execute("CREATE INDEX stage.staged_grp ON staged (target, grp)")

    def drop(self, ns: Iterable[int]) -> None:
        """Take rows out again: they are wrong after all."""
        self.conn.executemany("DELETE FROM stage.staged WHERE n = ?", [(n,) for n in ns])

    def counts(self) -> tuple[int, int, int]:
        """(new, changed, same) rows of this import."""
        sql = """
            SELECT COUNT(*) FILTER (WHERE r.row_key IS NULL), COUNT(*) FILTER (WHERE r.row_key <> s.row_key),
                   COUNT(*) FILTER (WHERE r.row_key = s.row_key)
            FROM stage.staged s LEFT JOIN row r ON r.party = ? AND r.target = s.target AND r.key = s.key"""
        new, changed, same = self.conn.execute(sql, (self.party,)).fetchone()
        return new, changed, same

    def currencies(self) -> list[str]:
        """The currencies of the rows under way, the most frequent first."""
        sql = """SELECT json_extract(vals, '$.currency') c FROM stage.staged WHERE c IS NOT NULL
                 GROUP BY c ORDER BY COUNT(*) DESC, c"""
        return [found[0] for found in self.conn.execute(sql)]

    def note(self, what: str, names: Iterable[str]) -> None:
        """Remember names for this import alone (sites and numbers that it makes)."""
        self.conn.executemany("INSERT OR IGNORE INTO stage.known VALUES (?, ?)", [(what, name) for name in names])

    def noted(self, what: str, name: str) -> bool:
        sql = "SELECT 1 FROM stage.known WHERE what = ? AND name = ?"
        return self.conn.execute(sql, (what, name)).fetchone() is not None

    # -- facts -----------------------------------------------------------------------------------------------------

    def plan(self, kind: str, body: bytes, rows: Iterable[int] = ()) -> int:
        """Add a fact to the set; rows: those that are done once it stands."""
        n = self.conn.execute("INSERT INTO stage.fact (kind, body) VALUES (?, ?)", (kind, body)).lastrowid
        assert n is not None
        self.conn.executemany("UPDATE stage.staged SET fact = ? WHERE n = ?", [(n, row) for row in rows if row])
        return n

    def keep(self, what: str, grp: str, said: str) -> None:
        """What `document` or `offer` will say of a group once the facts planned so far stand."""
        last = self.conn.execute("SELECT coalesce(MAX(n), 0) FROM stage.fact").fetchone()[0]
        self.conn.execute("INSERT INTO stage.keep VALUES (?, ?, ?, ?)", (last, what, grp, said))

    def facts(self) -> Iterator[tuple[int, str, bytes]]:
        """(n, kind, body) of the set, in order."""
        yield from self._cursor("SELECT n, kind, body FROM stage.fact ORDER BY n", ())

    def planned(self) -> dict[str, int]:
        """kind -> how many facts of it are in the set, by kind."""
        return dict(self.conn.execute("SELECT kind, COUNT(*) FROM stage.fact GROUP BY kind ORDER BY kind").fetchall())

    def settle(self) -> None:
        """The plan is made: what others remember meanwhile no longer stands in the way of writing."""
        self.conn.commit()
        self.conn.execute("BEGIN")

    def done(self, first: int, last: int) -> None:
        """The facts first..last stand: remember the rows that became them. `0..0` for rows that need no fact."""
        self._remember("fact BETWEEN ? AND ?", (first, last))
        for what, table, column in (("document", "document", "said"), ("offer", "offer", "offer")):
            self.conn.execute(
                f"INSERT OR REPLACE INTO {table} (party, grp, {column}) SELECT ?, grp, said FROM stage.keep"
                " WHERE what = ? AND fact BETWEEN ? AND ? ORDER BY rowid",
                (self.party, what, first, last),
            )
        self.conn.commit()
        self.conn.execute("BEGIN")

    def _remember(self, where: str, values: tuple[int, ...]) -> None:
        self.conn.execute(
            "DELETE FROM row WHERE party = ? AND target = 'stock' AND grp IN"
            f" (SELECT grp FROM stage.staged WHERE target = 'stock' AND {where})",
            (self.party, *values),
        )
        self.conn.execute(
            "INSERT OR REPLACE INTO row (party, target, key, grp, row_key, vals)"
            f" SELECT ?, target, key, grp, row_key, vals FROM stage.staged WHERE {where}",
            (self.party, *values),
        )

    def said(self, what: str, grp: str) -> str:
        """What is remembered of a group's document or offer, "" for nothing."""
        column = "said" if what == "document" else "offer"
        sql = f"SELECT {column} FROM {what} WHERE party = ? AND grp = ?"
        found = self.conn.execute(sql, (self.party, grp)).fetchone()
        return found[0] if found else ""

    def _cursor(self, sql: str, values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        """Rows of a query in pages, so that others may be written while it is read."""
        found = self.conn.cursor().execute(sql, values)
        while page := found.fetchmany(2_000):
            yield from page


_FRESH = """NOT EXISTS (SELECT 1 FROM main.row r WHERE r.party = ? AND r.target = s.target AND r.key = s.key
            AND r.row_key = s.row_key)"""


def kept_rows(directory: Path, party: str, target: str) -> list[dict[str, Any]]:
    """The rows of a target that a party has imported, in order of key: sourcing rules and tariffs have no other place.

    Nothing where the directory has no imports yet.
    """
    sql = "SELECT vals FROM row WHERE party = ? AND target = ? ORDER BY key"
    return [_loads(text) for (text,) in _read(directory, sql, (party, target))]


def remembered(directory: Path, party: str, what: str) -> list[tuple[str, str]]:
    """(group, what is said of it) of every document or offer that a party has imported, in order of group."""
    column = "said" if what == "document" else "offer"
    return _read(directory, f"SELECT grp, {column} FROM {what} WHERE party = ? ORDER BY grp", (party,))


def _read(directory: Path, sql: str, values: tuple[str, ...]) -> list[Any]:
    path = directory / FILE
    if not path.exists():
        return []
    conn = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        return conn.execute(sql, values).fetchall()
    finally:
        conn.close()
