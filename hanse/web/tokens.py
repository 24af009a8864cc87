"""API tokens and one-time links: random, hashed at rest, expiring."""

from __future__ import annotations

from typing import Any

import msgspec

from hanse.web.db import Db, digest, new_token
from hanse.web.refusals import Refusal

DAYS_MAX = 366
PREFIX = "hanse_"


class ApiToken(msgspec.Struct, frozen=True):
    """One API token as kept. Times: seconds since 1970 UTC."""

    id: int
    user: int
    party: str
    name: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    used_at: int | None
    revoked_at: int | None


COLUMNS = "id, user, party, name, scopes, created_at, expires_at, used_at, revoked_at"


def _token(row: Any) -> ApiToken:
    return msgspec.convert({**dict(row), "scopes": tuple(row["scopes"].split())}, ApiToken)


class ApiTokens:
    """Tokens by which programs act for a party within scopes."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def create(self, user: int, party: str, name: str, scopes: tuple[str, ...], days: int) -> tuple[int, str]:
        """A new token: (id, raw text shown once).

        Refuses, in order: token.name, token.scopes (none, or with spaces), token.days (outside 1..366).
        """
        if not 1 <= len(name.strip()) <= 80:
            raise Refusal("token.name", "Give the token a name of 1 to 80 characters.", got=name)
        if not scopes or any(not scope or " " in scope for scope in scopes):
            raise Refusal("token.scopes", "Choose at least one thing that the token may do.", got=list(scopes))
        if not 1 <= days <= DAYS_MAX:
            raise Refusal("token.days", "A token lasts 1 to 366 days.", got=days, expected=f"1..{DAYS_MAX}")
        raw, now = PREFIX + new_token(), self._db.clock()
        number = self._db.insert(
            "INSERT INTO token (digest, user, party, name, scopes, created_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (digest(raw), user, party, name.strip(), " ".join(sorted(set(scopes))), now, now + days * 86_400),
        )
        return number, raw

    def check(self, raw: str, scope: str | None = None) -> ApiToken:
        """The live token of a raw text, and note its use (to the minute).

        Refuses, in order: token.unknown (also when revoked or expired), token.scope.
        """
        now = self._db.clock()
        sql = f"SELECT {', '.join('t.' + c for c in COLUMNS.split(', '))} FROM token t JOIN user u ON u.id = t.user" + (
            " WHERE t.digest = ? AND t.revoked_at IS NULL AND t.expires_at > ? AND u.disabled = 0"
        )
        row = self._db.row(sql, (digest(raw), now))
        if row is None:
            raise Refusal(
                "token.unknown", "The token is unknown, expired or revoked.", status=401, next="Create one in Settings."
            )
        token = _token(row)
        if scope is not None and scope not in token.scopes:
            raise Refusal(
                "token.scope", "The token does not permit this.", status=403, got=list(token.scopes), expected=scope
            )
        if token.used_at is None or now - token.used_at >= 60:
            self._db.note_if_free("UPDATE token SET used_at = ? WHERE id = ?", (now, token.id))
        return token

    def of(self, user: int) -> list[ApiToken]:
        """A user's tokens that are neither revoked nor expired, newest first."""
        sql = f"SELECT {COLUMNS} FROM token WHERE user = ? AND revoked_at IS NULL AND expires_at > ? ORDER BY id DESC"
        return [_token(row) for row in self._db.rows(sql, (user, self._db.clock()))]

    def revoke(self, number: int, user: int) -> bool:
        """End one token of this user; False when there was none."""
        sql = "UPDATE token SET revoked_at = ? WHERE id = ? AND user = ? AND revoked_at IS NULL"
        return self._db.run(sql, (self._db.clock(), number, user)) > 0


class OneTimeLinks:
    """Links that do one thing once, for people without an account (a driver signs a proof of delivery)."""

    def __init__(self, db: Db) -> None:
        self._db = db

    def create(self, purpose: str, payload: Any, seconds: int) -> str:
        """A new link; returns the raw token for its address. `payload` is anything JSON can hold."""
        raw, now = new_token(), self._db.clock()
        self._db.insert(
            "INSERT INTO link (digest, purpose, payload, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
            (digest(raw), purpose, msgspec.json.encode(payload).decode(), now, now + seconds),
        )
        return raw

    def peek(self, raw: str, purpose: str) -> Any:
        """The payload of a link that may still be used.

        Refuses, in order: link.unknown (also another purpose), link.used, link.expired.
        """
        row = self._db.row("SELECT * FROM link WHERE digest = ? AND purpose = ?", (digest(raw), purpose))
        if row is None:
            raise Refusal("link.unknown", "This link is not valid.", status=404, next="Ask the sender for a new one.")
        if row["used_at"] is not None:
            raise Refusal("link.used", "This link was used already.", status=410, next="Ask the sender for a new one.")
        if row["expires_at"] <= self._db.clock():
            raise Refusal("link.expired", "This link has expired.", status=410, next="Ask the sender for a new one.")
        return msgspec.json.decode(row["payload"])

    def use(self, raw: str, purpose: str) -> Any:
        """The payload, once: of two calls at the same time one is refused. Refuses as `peek`."""
        payload = self.peek(raw, purpose)
        sql = "UPDATE link SET used_at = ? WHERE digest = ? AND used_at IS NULL"
        if self._db.run(sql, (self._db.clock(), digest(raw))) == 0:
            raise Refusal("link.used", "This link was used already.", status=410, next="Ask the sender for a new one.")
        return payload
