"""Who saw what: an append-only log of disclosures that people looked at."""

from __future__ import annotations

import msgspec

from hanse.web.db import Db


class Seen(msgspec.Struct, frozen=True):
    """One look: `at` in seconds since 1970 UTC; `user` None for a one-time link; `what` as `kind:id`."""

    id: int
    at: int
    user: int | None
    party: str
    what: str
    address: str


class AccessLog:
    """Append and read; the file refuses to change or delete a line."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def note(self, what: str, *, user: int | None, party: str, address: str = "") -> None:
        """Write one line. It outlives a crash at once, a power failure once the file is next synced: no page waits for
        the disk because somebody looks at it."""
        self._db.note(
            "INSERT INTO seen (at, user, party, what, address) VALUES (?, ?, ?, ?, ?)",
            (self._db.clock(), user, party, what, address),
        )

    def recent(
        self,
        *,
        party: str | None = None,
        user: int | None = None,
        before: int | None = None,
        limit: int = 100,
        what: str | None = None,
    ) -> list[Seen]:
        """Latest first; of one party, one user, or all; `before` is the last number of the page before.

        what: of those `limit` lines only the ones about this.
        """
        sql = "SELECT id, at, user, party, what, address FROM seen WHERE id < ?"
        args: list[object] = [before if before is not None else 1 << 62]
        if party is not None:
            sql, args = sql + " AND party = ?", [*args, party]
        if user is not None:
            sql, args = sql + " AND user = ?", [*args, user]
        sql, args = sql + " ORDER BY id DESC LIMIT ?", [*args, limit]
        if what is not None:
            sql, args = f"SELECT * FROM ({sql}) WHERE what = ? ORDER BY id DESC", [*args, what]
        return [Seen(**dict(row)) for row in self._db.rows(sql, args)]
