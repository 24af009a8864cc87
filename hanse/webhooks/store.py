"""Which addresses are told, and how far each has come in the record. Local to the node, readable by its owner only."""

from __future__ import annotations

import base64
import os
import re
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from hanse.kernel.refusal import Refused, require
from hanse.webhooks.sending import check_address

FILE = "webhooks.db"
SUBSCRIPTIONS_MAX = 10
"""Of one party."""
KINDS_MAX = 20
SECRET_BYTES = 32
PREFIX = "whsec_"
TEST_EVERY_SECONDS = 5
ACTIVE, PAUSED, GONE = "active", "paused", "gone"
_KIND = re.compile(r"\*|[a-z_]+\.(\*|[a-z_]+)")
_DDL = """CREATE TABLE IF NOT EXISTS subscription (
  id TEXT PRIMARY KEY, party TEXT NOT NULL, user INTEGER NOT NULL, url TEXT NOT NULL, kinds TEXT NOT NULL,
  secret TEXT NOT NULL, created_at INTEGER NOT NULL, state TEXT NOT NULL, position INTEGER NOT NULL,
  tries INTEGER NOT NULL, next_at INTEGER NOT NULL, delivered INTEGER NOT NULL, said TEXT NOT NULL,
  said_at INTEGER NOT NULL, tested_at INTEGER NOT NULL) STRICT"""
_COLUMNS = "id, party, user, url, kinds, secret, created_at, state, position, tries, next_at, delivered, said, said_at"
_DUE = "state = ? AND next_at <= ? AND position < ?"


class Subscription(Struct, frozen=True):
    """One address that is told.

    Attributes:
        id: "wh_" and random letters. user: the person who made it. kinds: of facts, as "orders.*"; "*" for all.
        secret: "whsec_" and base64, as Standard Webhooks writes it. state: "active"; "paused" after three days of
            failures; "gone" where the receiver said so (410).
        position: the next entry of the record to look at. tries: failures since the last success.
        next_at: UTC seconds of the next try. delivered: events in all. said, said_at: the last answer.
    """

    id: str
    party: str
    user: int
    url: str
    kinds: tuple[str, ...]
    secret: str
    created_at: int
    state: str
    position: int
    tries: int
    next_at: int
    delivered: int
    said: str
    said_at: int

    def wants(self, kind: str) -> bool:
        """Whether facts of a kind are told."""
        return any(p in ("*", kind) or (p.endswith(".*") and kind.startswith(p[:-1])) for p in self.kinds)


class WebhookStore:
    """The subscriptions of a node. Every call opens the file for itself, so that any thread may make it."""

    def __init__(self, directory: Path, clock: Callable[[], float], *, private: bool = False) -> None:
        """private: permit plain http, and addresses of private networks and of this machine."""
        self._path, self._clock, self.private = directory / FILE, clock, private
        self._making = threading.Lock()
        self._made = False

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._making:  # a change of the journal's mode waits for nobody, so two at once would fail
            if not (self._made and self._path.exists()):
                self._make()
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=10)) as conn:
            yield conn

    def _make(self) -> None:
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=10)) as conn:
            conn.execute("PRAGMA journal_mode=WAL")
            conn.execute(_DDL)
        self._made = True

    def add(self, party: str, user: int, url: str, kinds: tuple[str, ...], position: int) -> Subscription:
        """A new subscription; its events begin behind `position`, the record's size now.

        Refuses, in order: as `sending.check_address`; webhook.kinds, webhook.too_many, webhook.exists.
        """
        url = check_address(url, private=self.private)
        good = 1 <= len(kinds) <= KINDS_MAX and all(_KIND.fullmatch(kind) and len(kind) <= 80 for kind in kinds)
        require(
            good, "webhook.kinds", "name the kinds of facts to be told", got=", ".join(kinds)[:200],
            expected=f"1 to {KINDS_MAX} of `*`, `orders.*`, `orders.place`",
        )  # fmt: skip
        secret = PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        now = int(self._clock())
        made = Subscription(
            f"wh_{secrets.token_hex(10)}", party, user, url, tuple(sorted(set(kinds))), secret, now, ACTIVE, position,
            0, 0, 0, "", 0,
        )  # fmt: skip
        with self._open() as conn:
            conn.execute("BEGIN IMMEDIATE")
            there = [row[0] for row in conn.execute("SELECT url FROM subscription WHERE party = ?", (party,))]
            try:
                few = len(there) < SUBSCRIPTIONS_MAX
                require(few, "webhook.too_many", f"a firm has at most {SUBSCRIPTIONS_MAX}", next="delete one first")
                require(url not in there, "webhook.exists", "this address is told already", got=url)
            except Refused:
                conn.execute("ROLLBACK")
                raise
            values = [getattr(made, name) for name in Subscription.__struct_fields__]
            values[4] = " ".join(made.kinds)
            conn.execute(f"INSERT INTO subscription ({_COLUMNS}, tested_at) VALUES ({'?, ' * 14}0)", values)
            conn.execute("COMMIT")
        return made

    def of(self, party: str) -> list[Subscription]:
        """A party's subscriptions, the oldest first."""
        return self._find("party = ?", (party,))

    def get(self, party: str, id: str) -> Subscription:
        """One of a party's own. Refuses: webhook.unknown (also another party's)."""
        found = self._find("party = ? AND id = ?", (party, id))
        if not found:
            raise Refused("webhook.unknown", "there is no such webhook", got=id[:80])
        return found[0]

    def due(self, now: int, size: int) -> list[Subscription]:
        """Active ones with entries to look at, whose time has come."""
        return self._find(_DUE, (ACTIVE, now, size))

    def due_still(self, id: str, now: int, size: int) -> Subscription | None:
        """One of `due`, as it stands now; None where it is due no more."""
        return next(iter(self._find(f"{_DUE} AND id = ?", (ACTIVE, now, size, id))), None)

    def next_at(self) -> int | None:
        """When the next failed one is tried again, UTC seconds; None: no failure waits."""
        with self._open() as conn:
            found = conn.execute("SELECT MIN(next_at) FROM subscription WHERE state = ? AND tries > 0", (ACTIVE,))
            at: int | None = found.fetchone()[0]
            return at

    def _find(self, where: str, values: tuple[str | int, ...]) -> list[Subscription]:
        if not self._path.exists():
            return []
        with self._open() as conn:
            rows = conn.execute(f"SELECT {_COLUMNS} FROM subscription WHERE {where} ORDER BY created_at, id", values)
            return [_subscription(row) for row in rows.fetchall()]

    def _run(self, sql: str, values: tuple[str | int, ...]) -> int:
        with self._open() as conn:
            return conn.execute(sql, values).rowcount

    def passed(self, id: str, position: int, said: str = "") -> bool:
        """All entries before `position` are done with; with `said`, the last was an event that was taken.

        Whether the subscription is still there.
        """
        if not said:
            return bool(self._run("UPDATE subscription SET position = MAX(position, ?) WHERE id = ?", (position, id)))
        sql = "UPDATE subscription SET position = MAX(position, ?), tries = 0, next_at = 0, delivered = delivered + 1"
        return bool(self._run(f"{sql}, said = ?, said_at = ? WHERE id = ?", (position, said, int(self._clock()), id)))

    def failed(self, id: str, tries: int, next_at: int, said: str, state: str = ACTIVE) -> None:
        """A try failed; the next is at `next_at`, or none where `state` is not active."""
        sql = "UPDATE subscription SET tries = ?, next_at = ?, said = ?, said_at = ?, state = ? WHERE id = ?"
        self._run(sql, (tries, next_at, said[:200], int(self._clock()), state, id))

    def resume(self, party: str, id: str) -> None:
        """Try again now, from where it stopped. Refuses: webhook.unknown."""
        self.get(party, id)
        self._run("UPDATE subscription SET state = ?, tries = 0, next_at = 0 WHERE id = ?", (ACTIVE, id))

    def delete(self, party: str, id: str) -> None:
        """Refuses: webhook.unknown."""
        self.get(party, id)
        self._run("DELETE FROM subscription WHERE id = ?", (id,))

    def may_test(self, party: str, id: str) -> Subscription:
        """Note a test, not more than one in five seconds. Refuses, in order: webhook.unknown, webhook.too_often."""
        found, now = self.get(party, id), int(self._clock())
        sql = "UPDATE subscription SET tested_at = ? WHERE id = ? AND tested_at <= ?"
        done = self._run(sql, (now, id, now - TEST_EVERY_SECONDS))
        require(done, "webhook.too_often", "one test in five seconds", next="wait a moment", retry=True)
        return found


def _subscription(row: tuple[Any, ...]) -> Subscription:
    values = dict(zip(Subscription.__struct_fields__, row, strict=True))
    return Subscription(**{**values, "kinds": tuple(row[4].split())})
