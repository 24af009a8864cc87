"""Disclosures: the readable side of private fields, kept beside the record by those who may read them."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from hanse.kernel.facts import ERASED
from hanse.kernel.writer import insert
from hanse.node.tidying import LogKeeper
from hanse.standards import sdjwt

FILE = "disclosures.db"
_DDL = """CREATE TABLE IF NOT EXISTS disclosed (
  position INTEGER PRIMARY KEY, circle TEXT NOT NULL, text BLOB NOT NULL) STRICT"""


def open_unchanged(path: Path, *, live: bool = False) -> sqlite3.Connection:
    """A database to look at without changing its directory.

    Args:
        live: a node may be writing it. One with a write-ahead log beside it is read with that log in any case.
    """
    wal = path.with_name(path.name + "-wal")
    mode = "mode=ro" if live or (wal.exists() and wal.stat().st_size) else "mode=ro&immutable=1"
    return sqlite3.connect(f"file:{path}?{mode}", uri=True, isolation_level=None, check_same_thread=False)


class Disclosures:
    """position -> disclosures of that entry's fact, `~` between them. Durable before `put` returns.

    A disclosure that was erased stays as `!` and its digest, so that a reader can tell erased from never given.
    Any thread may call; writes are whole transactions, one at a time.
    """

    def __init__(self, directory: Path, *, read_only: bool = False, live: bool = False) -> None:
        self.directory = directory
        path = directory / FILE
        self._lock = threading.RLock()
        if read_only:
            self._conn = open_unchanged(path, live=live)
            return
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._conn.execute("PRAGMA journal_mode=WAL")
        self._conn.execute("PRAGMA synchronous=FULL")
        self._conn.execute("PRAGMA wal_autocheckpoint=0")  # see `node.tidying`
        self._conn.execute("PRAGMA secure_delete=ON")
        self._conn.execute(_DDL)
        self._keeper = LogKeeper(self._conn)

    def put(self, first: int, rows: Sequence[tuple[int, str, bytes]]) -> None:
        """Store rows (position, circle, text) of one block, whose first entry is `first`, in one durable step.

        What an earlier block that never reached the record may have left behind is removed.
        """
        with self._lock:
            try:
                self._conn.execute("BEGIN IMMEDIATE")
                self._conn.execute("DELETE FROM disclosed WHERE position >= ?", (first,))
                insert(self._conn, "INSERT INTO disclosed", rows)
                self._conn.execute("COMMIT")
                self._keeper.keep_short()
            except sqlite3.Error:
                if self._conn.in_transaction:
                    self._conn.execute("ROLLBACK")
                raise

    def drop_from(self, size: int) -> None:
        """Remove what belongs to entries that the record does not have."""
        self.put(size, ())

    def of(self, position: int) -> list[bytes]:
        with self._lock:
            found = self._conn.execute("SELECT text FROM disclosed WHERE position = ?", (position,)).fetchone()
        return _split(found[0]) if found else []

    def iterate(self, start: int, stop: int) -> Iterator[tuple[int, str, list[bytes]]]:
        """(position, circle, disclosures) in order of position, as they stand at the call."""
        sql = "SELECT position, circle, text FROM disclosed WHERE position >= ? AND position < ? ORDER BY position"
        with self._lock:
            found = self._conn.execute(sql, (start, stop)).fetchall()
        return ((position, circle, _split(text)) for position, circle, text in found)

    def erase(self, position: int, names: set[str]) -> int:
        """Erase the disclosures of the named fields for good; how many there were."""
        with self._lock:
            kept, erased = [], 0
            for disclosure in self.of(position):
                if not disclosure.startswith(ERASED) and sdjwt.read_disclosure(disclosure)[1] in names:
                    disclosure = ERASED + sdjwt.digest(disclosure).encode()
                    erased += 1
                kept.append(disclosure)
            if erased:
                self._conn.execute("UPDATE disclosed SET text = ? WHERE position = ?", (b"~".join(kept), position))
                self._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return erased

    def fault(self) -> str:
        """What SQLite finds wrong with the file's form, or ""."""
        found = self._conn.execute("PRAGMA integrity_check(1)").fetchone()[0]
        return "" if found == "ok" else str(found)

    def close(self) -> None:
        self._conn.close()


def _split(text: object) -> list[bytes]:
    """A stored text's disclosures. Raises: sqlite3.DatabaseError where damage made something else of it."""
    if not isinstance(text, bytes):
        raise sqlite3.DatabaseError("a row holds no text")
    return text.split(b"~")
