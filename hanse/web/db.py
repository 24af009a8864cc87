"""The local accounts file: one SQLite database per node, never on the record, readable by its owner only."""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Clock = Callable[[], int]
"""Seconds since 1970-01-01 UTC."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS user (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password TEXT,
  totp TEXT, totp_pending TEXT, totp_step INTEGER NOT NULL DEFAULT 0, disabled INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS membership (
  user INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE, party TEXT NOT NULL, role TEXT NOT NULL,
  approval_limit_minor INTEGER, PRIMARY KEY (user, party)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS invitation (
  digest BLOB PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, party TEXT NOT NULL, role TEXT NOT NULL,
  approval_limit_minor INTEGER, invited_by INTEGER, expires_at INTEGER NOT NULL, used_at INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS recovery (
  digest BLOB PRIMARY KEY, user INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE, used_at INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS session (
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, user INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE,
  party TEXT NOT NULL, complete INTEGER NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL,
  created_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS session_user ON session (user);
CREATE TABLE IF NOT EXISTS token (
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, user INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE,
  party TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, used_at INTEGER, revoked_at INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS link (
  digest BLOB PRIMARY KEY, purpose TEXT NOT NULL, payload TEXT NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, used_at INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS attempt (
  id INTEGER PRIMARY KEY, account TEXT NOT NULL, address TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS attempt_account ON attempt (account, at);
CREATE INDEX IF NOT EXISTS attempt_address ON attempt (address, at);
CREATE TABLE IF NOT EXISTS seen (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, user INTEGER, party TEXT NOT NULL, what TEXT NOT NULL,
  address TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS seen_party ON seen (party, id);
CREATE INDEX IF NOT EXISTS seen_user ON seen (user, id);
CREATE TRIGGER IF NOT EXISTS seen_no_update BEFORE UPDATE ON seen BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER IF NOT EXISTS seen_no_delete BEFORE DELETE ON seen BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""


def system_clock() -> int:
    """Wall-clock seconds since 1970-01-01 UTC."""
    return int(time.time())


def new_token() -> str:
    """256 random bits as URL-safe text, 43 characters."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is kept of a token: SHA-256 (the token has 256 random bits, so a plain hash is enough)."""
    return hashlib.sha256(token.encode()).digest()


class Db:
    """The open accounts file. Statements are short. Who reads waits for no writer: every page asks who is looking.

    One connection writes, behind a lock, and another reads, behind a lock of its own that nobody holds while the disk
    is waited for; a thread inside `together` reads what it has written.

    Args:
        path: file, created with mode 0600; ":memory:" for tests.
        clock: seconds since 1970-01-01 UTC.
    """

    def __init__(self, path: Path | str, clock: Clock = system_clock) -> None:
        self.clock = clock
        self._lock = threading.RLock()
        self._reading = threading.RLock()
        self._together = 0  # the thread inside `together`
        if str(path) != ":memory:":
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = self._reader = _connect(path)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL;" + SCHEMA)
        if str(path) == ":memory:":
            self._reading = self._lock
        else:
            self._reader = _connect(path)
            self._reader.execute("PRAGMA query_only=ON")

    def close(self) -> None:
        """Close the file; later calls raise sqlite3.ProgrammingError."""
        with self._lock, self._reading:
            self._reader.close()
            self._db.close()

    def rows(self, sql: str, args: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a reading statement."""
        if self._together == threading.get_ident():
            return self._db.execute(sql, args).fetchall()
        with self._reading:
            return self._reader.execute(sql, args).fetchall()

    def row(self, sql: str, args: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row of a reading statement, or None."""
        found = self.rows(sql, args)
        return found[0] if found else None

    def run(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Run one writing statement; returns the number of rows changed."""
        with self._lock:
            return self._db.execute(sql, args).rowcount

    def note(self, sql: str, args: Sequence[Any] = ()) -> None:
        """Run one writing statement that need not outlive a power failure (it does a crash): it waits for no disk."""
        with self._lock:
            self._note(sql, args)

    def note_if_free(self, sql: str, args: Sequence[Any] = ()) -> None:
        """`note`, or nothing where somebody writes just now: for the loop that answers everybody, which never waits."""
        if self._lock.acquire(blocking=False):
            try:
                self._note(sql, args)
            finally:
                self._lock.release()

    def _note(self, sql: str, args: Sequence[Any]) -> None:
        self._db.execute("PRAGMA synchronous=NORMAL")
        try:
            self._db.execute(sql, args)
        finally:
            self._db.execute("PRAGMA synchronous=FULL")

    def insert(self, sql: str, args: Sequence[Any] = ()) -> int:
        """Run one INSERT; returns the row id."""
        with self._lock:
            return int(self._db.execute(sql, args).lastrowid or 0)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Several statements in one transaction: all or none. Not reentrant."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._together = threading.get_ident()
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            else:
                self._db.execute("COMMIT")
            finally:
                self._together = 0

    def secret(self, name: str) -> bytes:
        """A random 32-byte secret kept under a name, made on first use."""
        self.run("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, secrets.token_bytes(32)))
        found = self.row("SELECT value FROM meta WHERE name = ?", (name,))
        assert found is not None
        return bytes(found["value"])


def _connect(path: Path | str) -> sqlite3.Connection:
    conn = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    conn.row_factory = sqlite3.Row
    return conn
