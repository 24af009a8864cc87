"""The read path: views of committed state on read-only connections, each view with its reader's rights.

A request asks all its questions of one state (`ReadPath.once`); whoever asks outside of any asks as things stand.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from hanse.kernel.kept import META
from hanse.kernel.view import View
from hanse.kernel.writer import connect
from hanse.node.asking import ASKING, Asking
from hanse.rooms.parties.facts import HOMES, KEYS, MEMBERS
from hanse.standards import sdjwt

STATE = "state.db"
LOOK_SECONDS = 5.0
"""How often is looked for requests that hold a state for too long."""
_READER = f"""
    SELECT (SELECT json_group_array(circle) FROM {MEMBERS.name} WHERE party = ?),
           (SELECT circle FROM {HOMES.name} WHERE party = ? ORDER BY position LIMIT 1),
           (SELECT time FROM {META.name})"""
"""A reader's circles and home, and ledger time, in one step: each step gives the interpreter away and waits for it."""
_names = msgspec.json.Decoder(list[str]).decode


class _Held:
    """A thread's hold on a connection. When the thread and its views are gone, the connection waits for the next."""

    def __init__(self, conn: sqlite3.Connection, free: deque[sqlite3.Connection]) -> None:
        self.conn, self._free = conn, free

    def __del__(self) -> None:
        self._free.append(self.conn)


class _HeldView(View):
    """A view that keeps its connection from being given to another thread."""

    held: _Held


class _AsThingsStand:
    """In the place of a connection, for views that outlive their request: the connection of the thread that asks."""

    def __init__(self, hold: Callable[[], _Held]) -> None:
        self._hold = hold

    def execute(self, *given: Any) -> sqlite3.Cursor:
        return self._hold().conn.execute(*given)


class ReadPath:
    """Makes views. It never writes; GETs use nothing else.

    Args:
        clock: UTC seconds, for ages and deadlines: on an idle network ledger time stands still, and what is due on a
            page is not. Without it, and where it falls back, ledger time counts.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], float] = lambda: 0) -> None:
        self._clock = clock
        self._path = str(directory / STATE)
        self._local = threading.local()
        self._free: deque[sqlite3.Connection] = deque()
        self._all: list[sqlite3.Connection] = []
        self.opened: set[Asking] = set()
        self.after = _AsThingsStand(self._hold)
        self._closing = threading.Event()
        self._watching = threading.Lock()
        self._watched = False

    @contextmanager
    def once(self, writes: bool = False) -> Iterator[Callable[[], None]]:
        """All views made inside, also in threads that have this one's context, are of one state with one `now`: that of
        the first. What is inside and submits a fact goes on with a state that has it.

        Args:
            writes: see `Asking`. Yields: what ends it early, once all is asked.
        """
        outer = ASKING.get()
        if outer is not None and outer.source is self:
            yield lambda: None
            return
        one = Asking(self, renews=writes)
        token = ASKING.set(one)
        try:
            yield one.end
        finally:
            ASKING.reset(token)
            one.end()

    def view(self, party: str = "") -> View:
        """State as a party may see it now; "" is a stranger, who sees what is public. Refuses: node.took_too_long."""
        one = ASKING.get()
        if one is not None and one.source is self and (view := one.view(party)) is not None:
            return view
        held = self._hold()
        alone = self.look(held.conn, party, None)
        alone.held = held
        return alone

    def look(self, conn: sqlite3.Connection, party: str, now: int | None) -> _HeldView:
        """A view on a connection, with what a party may see; now: UTC seconds, None for now."""
        circles, home, ledger = conn.execute(_READER, (party, party)).fetchone()
        return _HeldView(
            conn,
            party=party,
            circles=_names(circles) if party else (),
            home=home or "",
            now=max(ledger or 0, int(self._clock())) if now is None else now,
        )

    def take(self) -> sqlite3.Connection:
        """A connection for a request."""
        if not self._watched:
            self._watch()
        return self._connection()

    def give_back(self, conn: sqlite3.Connection) -> None:
        """One that was taken."""
        self._free.append(conn)

    def _connection(self) -> sqlite3.Connection:
        """One that nobody uses: the last one used, whose pages are still in memory."""
        try:
            return self._free.pop()
        except IndexError:
            conn = connect(self._path, read_only=True)
            self._all.append(conn)
            return conn

    def _hold(self) -> _Held:
        held: _Held | None = getattr(self._local, "held", None)
        if held is None:
            held = self._local.held = _Held(self._connection(), self._free)
        return held

    def find_key(self, kid: str) -> bytes | None:
        """The public key of a kid, whatever its window."""
        found = self._hold().conn.execute(f"SELECT public_key FROM {KEYS.name} WHERE kid = ?", (kid,)).fetchone()
        return sdjwt.unb64(found[0].encode()) if found else None

    def _watch(self) -> None:
        """From the first request on, a thread looks after those that take too long."""

        def look() -> None:
            while not self._closing.wait(LOOK_SECONDS):
                for one in list(self.opened):
                    one.end_late()

        with self._watching:
            if not self._watched:
                threading.Thread(target=look, name="hanse-reading", daemon=True).start()
                self._watched = True

    def close(self) -> None:
        self._closing.set()
        for conn in self._all:
            conn.close()
