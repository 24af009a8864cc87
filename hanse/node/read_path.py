"""The read path: views of committed state, one read-only connection a thread, each view with its reader's rights."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from hanse.kernel.kept import META
from hanse.kernel.view import View
from hanse.kernel.writer import connect
from hanse.rooms.parties.facts import HOMES, KEYS, MEMBERS
from hanse.standards import sdjwt

STATE = "state.db"
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

    def _hold(self) -> _Held:
        held: _Held | None = getattr(self._local, "held", None)
        if held is None:
            try:
                conn = self._free.popleft()
            except IndexError:
                conn = connect(self._path, read_only=True)
                self._all.append(conn)
            held = self._local.held = _Held(conn, self._free)
        return held

    def view(self, party: str = "") -> View:
        """State as a party may see it now; "" is a stranger, who sees what is public."""
        held = self._hold()
        conn = held.conn
        circles, home, now = conn.execute(_READER, (party, party)).fetchone()
        view = _HeldView(
            conn,
            party=party,
            circles=_names(circles) if party else (),
            home=home or "",
            now=max(now or 0, int(self._clock())),
        )
        view.held = held
        return view

    def find_key(self, kid: str) -> bytes | None:
        """The public key of a kid, whatever its window."""
        found = self._hold().conn.execute(f"SELECT public_key FROM {KEYS.name} WHERE kid = ?", (kid,)).fetchone()
        return sdjwt.unb64(found[0].encode()) if found else None

    def close(self) -> None:
        for conn in self._all:
            conn.close()
