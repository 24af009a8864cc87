"""Sessions: a random id in the cookie, only its hash in the file; idle and absolute expiry; revocable."""

from __future__ import annotations

import msgspec

from hanse.web.db import Db, digest, new_token

IDLE_SECONDS = 8 * 3600
ABSOLUTE_SECONDS = 7 * 86_400
HALF_SECONDS = 300
TOUCH_SECONDS = 60


class SessionRow(msgspec.Struct, frozen=True):
    """One session as kept. `complete` is False between password and second factor. Times: seconds since 1970 UTC."""

    id: int
    user: int
    party: str
    complete: bool
    address: str
    agent: str
    created_at: int
    seen_at: int
    expires_at: int


COLUMNS = "id, user, party, complete, address, agent, created_at, seen_at, expires_at"


class Sessions:
    """Start, load, rotate and revoke sessions of the accounts file."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def start(self, user: int, party: str, *, complete: bool, address: str = "", agent: str = "") -> str:
        """A new session; returns the raw id for the cookie, which is not kept."""
        raw, now = new_token(), self._db.clock()
        expires = now + (ABSOLUTE_SECONDS if complete else HALF_SECONDS)
        self._db.run("DELETE FROM session WHERE expires_at <= ? OR seen_at <= ?", (now, now - IDLE_SECONDS))
        self._db.insert(
            "INSERT INTO session (digest, user, party, complete, address, agent, created_at, seen_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (digest(raw), user, party, int(complete), address, agent[:200], now, now, expires),
        )
        return raw

    def load(self, raw: str) -> SessionRow | None:
        """The live session of a raw id; None when unknown, idle for 8 hours, or older than 7 days."""
        now = self._db.clock()
        row = self._db.row(f"SELECT {COLUMNS} FROM session WHERE digest = ?", (digest(raw),))
        if row is None or row["expires_at"] <= now or row["seen_at"] <= now - IDLE_SECONDS:
            return None
        if now - row["seen_at"] >= TOUCH_SECONDS:
            self._db.note_if_free("UPDATE session SET seen_at = ? WHERE id = ?", (now, row["id"]))
        return msgspec.convert({**dict(row), "complete": bool(row["complete"])}, SessionRow)

    def rotate(self, raw: str, *, complete: bool = True) -> str | None:
        """End a session and start one with a new id for the same user; None when it was not live."""
        old = self.load(raw)
        if old is None:
            return None
        self.revoke(old.id)
        return self.start(old.user, old.party, complete=complete, address=old.address, agent=old.agent)

    def set_party(self, session: int, party: str) -> None:
        """Act for another of the user's parties from now on (the caller checks the membership)."""
        self._db.run("UPDATE session SET party = ? WHERE id = ?", (party, session))

    def of(self, user: int) -> list[SessionRow]:
        """A user's live sessions, last used first."""
        now = self._db.clock()
        sql = (
            f"SELECT {COLUMNS} FROM session WHERE user = ? AND expires_at > ? AND seen_at > ? ORDER BY seen_at DESC, id"
        )
        found = self._db.rows(sql, (user, now, now - IDLE_SECONDS))
        return [msgspec.convert({**dict(row), "complete": bool(row["complete"])}, SessionRow) for row in found]

    def revoke(self, session: int, *, user: int | None = None) -> bool:
        """End one session (of this user, when given); False when there was none."""
        if user is None:
            return self._db.run("DELETE FROM session WHERE id = ?", (session,)) > 0
        return self._db.run("DELETE FROM session WHERE id = ? AND user = ?", (session, user)) > 0

    def revoke_all(self, user: int, *, keep: int | None = None) -> int:
        """End all of a user's sessions but one; returns how many."""
        return self._db.run("DELETE FROM session WHERE user = ? AND id IS NOT ?", (user, keep))
