"""Safe retry for programs: an `Idempotency-Key` names a call, and the signed bytes are kept before they are sent.

A call that was cut off and comes again submits the very same bytes, which the record takes once. Kept for seven days,
the longest window of a fact.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from pathlib import Path

import msgspec

from hanse.kernel.facts import WINDOW_SECONDS_MAX
from hanse.kernel.refusal import Refused
from hanse.node.wallet import Presentation

FILE = "calls.db"
KEY_CHARS_MAX = 120
_DDL = """CREATE TABLE IF NOT EXISTS call (
  party TEXT, key TEXT, request BLOB NOT NULL, signed BLOB NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (party, key)
) STRICT, WITHOUT ROWID"""


class Calls:
    """(party, Idempotency-Key) -> the signed facts of the call."""

    def __init__(self, directory: Path) -> None:
        self._conn = sqlite3.connect(directory / FILE, isolation_level=None, check_same_thread=False)
        self._conn.execute("PRAGMA journal_mode=WAL")
        self._conn.execute(_DDL)
        self._lock = threading.Lock()

    def earlier(self, party: str, key: str, request: bytes) -> list[Presentation] | None:
        """What was signed for this call before, or None.

        Refuses, in order: api.key_too_long, api.key_reused (another request under the same key).
        """
        if len(key) > KEY_CHARS_MAX:
            raise Refused("api.key_too_long", "an Idempotency-Key has at most 120 characters", got=len(key))
        with self._lock:
            found = self._conn.execute(
                "SELECT request, signed FROM call WHERE party = ? AND key = ?", (party, key)
            ).fetchone()
        if found is None:
            return None
        if found[0] != hashlib.sha256(request).digest():
            raise Refused(
                "api.key_reused", "another request was sent under this Idempotency-Key", got=key, next="use a new key"
            )
        return msgspec.msgpack.decode(found[1], type=list[Presentation])

    def keep(self, party: str, key: str, request: bytes, signed: list[Presentation], now: int) -> list[Presentation]:
        """Keep what is about to be sent. Of two calls at the same time one wins; what the winner signed is returned."""
        row = (party, key, hashlib.sha256(request).digest(), msgspec.msgpack.encode(signed), now)
        with self._lock:
            self._conn.execute("DELETE FROM call WHERE at < ?", (now - WINDOW_SECONDS_MAX,))
            self._conn.execute("INSERT OR IGNORE INTO call VALUES (?, ?, ?, ?, ?)", row)
        return self.earlier(party, key, request) or signed

    def forget(self, party: str, key: str) -> None:
        """Leave a key free again: nothing of its call came to stand."""
        with self._lock:
            self._conn.execute("DELETE FROM call WHERE party = ? AND key = ?", (party, key))

    def close(self) -> None:
        self._conn.close()
