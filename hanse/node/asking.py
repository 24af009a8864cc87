"""Asking: all questions of one request are answered by one state, and by one now.

SQLite's write-ahead log keeps the state that a reader has begun to read, and grows until the reader ends (SQLite,
"Write-Ahead Logging", 2.2 and 6). So a request holds a state from its first question until its answer is drawn, and no
longer than `SECONDS_MAX`; sending the answer, for which a slow line may take minutes, is not part of it.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Protocol

from hanse.engines.replies import Reply
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.journal import journal

SECONDS_MAX = 60.0
"""How long one request may hold a state."""
_journal = journal("hanse.node")


class Source(Protocol):
    """Where states are read: see `hanse.node.read_path.ReadPath`."""

    opened: set[Asking]
    after: Any
    """In the place of a connection: answers as things stand."""

    def take(self) -> sqlite3.Connection: ...

    def give_back(self, conn: sqlite3.Connection) -> None: ...

    def look(self, conn: sqlite3.Connection, party: str, now: int | None) -> View: ...


class Asking:
    """The questions of one request, from whichever threads it asks.

    Args:
        renews: a request that writes; where it takes too long it goes on as things stand. Any other is refused then:
            nobody sees a page of two states.
    """

    def __init__(self, source: Source, *, renews: bool = False) -> None:
        self.source, self._renews = source, renews
        self._lock = threading.Lock()
        self._views: dict[str, View] = {}
        self._conn: sqlite3.Connection | None = None
        self._now: int | None = None
        self._since = 0.0
        self._under_way: list[Reply[Any]] = []
        self._over = self._late = False

    def view(self, party: str) -> View | None:
        """The state of this request, as a party may see it; None once it is answered. Refuses: node.took_too_long."""
        with self._lock:
            if self._under_way:
                self._renew()
            if self._over:
                return None
            view = self._views.get(party)
            if view is None:
                if self._late:
                    raise _too_long()
                view = self._views[party] = self.source.look(self._begun(), party, self._now)
                self._now = view.now
            return view

    def _begun(self) -> sqlite3.Connection:
        if self._conn is None:
            self._conn = self.source.take()
            self._conn.execute("BEGIN")
            self._since = time.monotonic()
            self.source.opened.add(self)
        return self._conn

    def wrote(self, facts: Sequence[Reply[Any]]) -> None:
        """The request sends facts: what it asks from now on is asked as things stand, and what it asks once they have
        their receipts, of one state again that has them."""
        with self._lock:
            self._let_go(self.source.after)
            self._under_way += facts

    def _renew(self) -> None:
        left = [fact for fact in self._under_way if not fact.done()]
        if len(left) < len(self._under_way):
            self._under_way = left
            self._let_go(self.source.after)

    def _let_go(self, instead: Any) -> None:
        """End the transaction, if there is one; its views ask elsewhere."""
        conn, self._conn, self._now = self._conn, None, None
        for view in self._views.values():
            view.conn = instead
        self._views.clear()
        if conn is not None:
            self.source.opened.discard(self)
            with suppress(sqlite3.Error):  # of a node that has closed
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                self.source.give_back(conn)

    def end(self) -> None:
        """The request is answered, in whatever way; a second call does nothing. Views that outlive it ask as things
        stand."""
        with self._lock:
            self._over = True
            self._let_go(self.source.after)

    def end_late(self) -> None:
        """Let go of a state that was held for too long; from any thread."""
        with self._lock:
            conn = self._conn
            if conn is None or time.monotonic() - self._since < SECONDS_MAX:
                return
            conn.interrupt()
            self._late = not self._renews
            self._let_go(_TooLate() if self._late else self.source.after)
        _journal.warning("request.took_too_long", seconds=SECONDS_MAX)


class _TooLate:
    """In the place of a connection whose state was let go of."""

    def execute(self, *given: Any) -> Any:
        raise _too_long()


def _too_long() -> Refused:
    return Refused(
        "node.took_too_long",
        f"this took the node more than {SECONDS_MAX:.0f} seconds",
        retry=True,
        next="ask for less at once, or try again later",
    )


ASKING: ContextVar[Asking | None] = ContextVar("asking", default=None)
"""The request whose questions are being asked; the threads that it asks in have it from their context."""


def wrote(facts: Sequence[Reply[Any]]) -> None:
    """Tell the request that is being answered, if there is one, that it has sent facts."""
    asking = ASKING.get()
    if asking is not None:
        asking.wrote(facts)
