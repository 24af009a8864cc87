"""A person's "no" to a suggestion: kept on this node alone, so that it is not suggested again.

The record has no such statement: that two numbers are not one item binds nobody.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

FILE = "rejected.db"
_DDL = """CREATE TABLE IF NOT EXISTS rejected (
  party TEXT NOT NULL, own_number TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (party, own_number, item)
) STRICT, WITHOUT ROWID"""


class Rejected:
    """The suggestions that a party has refused, in a file of the node's directory."""

    def __init__(self, directory: Path, party: str) -> None:
        self._path, self._party = directory / FILE, party

    def _open(self) -> sqlite3.Connection:
        if not self._path.exists():
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        conn = sqlite3.connect(self._path, isolation_level=None)
        conn.execute(_DDL)
        return conn

    def all(self) -> set[tuple[str, str]]:
        """(own number, item) of every refusal of the party."""
        if not self._path.exists():
            return set()
        with closing(self._open()) as conn:
            found = conn.execute("SELECT own_number, item FROM rejected WHERE party = ?", (self._party,))
            return {(number, item) for number, item in found}

    def add(self, own_number: str, item: str) -> None:
        """Not this item."""
        with closing(self._open()) as conn:
            conn.execute("INSERT OR IGNORE INTO rejected VALUES (?, ?, ?)", (self._party, own_number, item))

    def clear(self) -> int:
        """Forget all refusals of the party; how many there were."""
        with closing(self._open()) as conn:
            return conn.execute("DELETE FROM rejected WHERE party = ?", (self._party,)).rowcount
