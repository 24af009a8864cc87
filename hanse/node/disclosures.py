"""Disclosures: the readable side of private fields, kept beside the record by those who may read them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from hanse.kernel.facts import ERASED
from hanse.standards import sdjwt

FILE = "disclosures.db"
_DDL = """CREATE TABLE IF NOT EXISTS disclosed (
  position INTEGER PRIMARY KEY, circle TEXT NOT NULL, text BLOB NOT NULL) STRICT"""


class Disclosures:
    """position -> disclosures of that entry's fact, `~` between them. Durable before `put` returns.

    A disclosure that was erased stays as `!` and its digest, so that a reader can tell erased from never given.
    """

    def __init__(self, directory: Path, *, read_only: bool = False) -> None:
        path = directory / FILE
        self._conn = sqlite3.connect(
            f"file:{path}?mode={'ro' if read_only else 'rwc'}", uri=True, isolation_level=None, check_same_thread=False
        )
        if not read_only:
            self._conn.execute("PRAGMA journal_mode=WAL")
            self._conn.execute("PRAGMA synchronous=FULL")
            self._conn.execute("PRAGMA secure_delete=ON")
            self._conn.execute(_DDL)

    def put(self, first: int, rows: Sequence[tuple[int, str, bytes]]) -> None:
        """Store rows (position, circle, text) of one block, whose first entry is `first`, in one durable step.

        What an earlier block that never reached the record may have left behind is removed.
        """
        try:
            self._conn.execute("BEGIN IMMEDIATE")
            self._conn.execute("DELETE FROM disclosed WHERE position >= ?", (first,))
            self._conn.executemany("INSERT INTO disclosed VALUES (?, ?, ?)", rows)
            self._conn.execute("COMMIT")
        except sqlite3.Error:
            if self._conn.in_transaction:
                self._conn.execute("ROLLBACK")
            raise

    def drop_from(self, size: int) -> None:
        """Remove what belongs to entries that the record does not have."""
        self._conn.execute("DELETE FROM disclosed WHERE position >= ?", (size,))

    def of(self, position: int) -> list[bytes]:
        found = self._conn.execute("SELECT text FROM disclosed WHERE position = ?", (position,)).fetchone()
        return found[0].split(b"~") if found else []

    def iterate(self, start: int, stop: int) -> Iterator[tuple[int, list[bytes]]]:
        """(position, disclosures) in order of position."""
        sql = "SELECT position, text FROM disclosed WHERE position >= ? AND position < ? ORDER BY position"
        for position, text in self._conn.execute(sql, (start, stop)):
            yield position, text.split(b"~")

    def erase(self, position: int, names: set[str]) -> int:
        """Erase the disclosures of the named fields for good; how many there were."""
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

    def close(self) -> None:
        self._conn.close()
