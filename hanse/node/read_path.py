"""The read path: views of committed state, one read-only connection a thread, each view with its reader's rights."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from pathlib import Path

from hanse.kernel.kept import META
from hanse.kernel.state import connect
from hanse.kernel.view import View
from hanse.rooms.parties.facts import HOMES, KEYS, MEMBERS
from hanse.standards import sdjwt

STATE = "state.db"


class _Held:
    """A thread's connection. Worker threads come and go: with the thread, and the last view of it, the file closes."""

    def __init__(self, path: str) -> None:
        self.conn = connect(path, read_only=True)


class ReadPath:
    """Makes views. It never writes; GETs use nothing else."""

    def __init__(self, directory: Path) -> None:
        self._path = str(directory / STATE)
        self._local = threading.local()
        self._open: weakref.WeakSet[_Held] = weakref.WeakSet()

    def _conn(self) -> sqlite3.Connection:
        held: _Held | None = getattr(self._local, "held", None)
        if held is None:
            held = self._local.held = _Held(self._path)
            self._open.add(held)
        return held.conn

    def view(self, party: str = "") -> View:
        """State as a party may see it now; "" is a stranger, who sees what is public."""
        conn = self._conn()
        circles, home = [], ""
        if party:
            circles = [row[0] for row in conn.execute(f"SELECT circle FROM {MEMBERS.name} WHERE party = ?", (party,))]
            found = conn.execute(f"SELECT circle FROM {HOMES.name} WHERE party = ?", (party,)).fetchone()
            home = found[0] if found else ""
        meta = conn.execute(f"SELECT time FROM {META.name}").fetchone()
        return View(conn, party=party, circles=circles, home=home, now=meta[0] if meta else 0)

    def find_key(self, kid: str) -> bytes | None:
        """The public key of a kid, whatever its window."""
        found = self._conn().execute(f"SELECT public_key FROM {KEYS.name} WHERE kid = ?", (kid,)).fetchone()
        return sdjwt.unb64(found[0].encode()) if found else None

    def close(self) -> None:
        for held in list(self._open):
            held.conn.close()
