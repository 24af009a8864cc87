"""Write-ahead logs of SQLite, copied into their databases beside the writer: little and often.

A copy waits for the disk, and so does every block meanwhile. A megabyte takes some ten milliseconds, which nobody
notices; what gathers in a second of trade takes seventy, which one fact in a hundred then waited.
"""

from __future__ import annotations

import os
import sqlite3
import struct
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress

COPY_PAGES = 128
"""Pages of 4 kB from which on what waits is copied."""
LONG_PAGES = 32_000
"""From this length on the log is begun anew, where little waits to be copied: the writer stops for a moment."""
TOO_LONG_PAGES = 4 * LONG_PAGES
"""From this length on it is begun anew in any case."""
PATIENCE_MS = 10
PAUSE_SECONDS = 1.0
_LAST_FRAME, _COPIED_FRAMES = 16, 96  # places in the index beside a log (SQLite, "WAL-mode File Format", 2.1 and 2.2)
_NUMBER = struct.Struct("=I")


def log_pages(path: str) -> tuple[int, int]:
    """(length, how many of them are not yet in the database) of a database's write-ahead log; (0, 0) without one."""
    try:
        fd = _index(path + "-shm")
        last, copied = (_NUMBER.unpack(os.pread(fd, 4, at))[0] for at in (_LAST_FRAME, _COPIED_FRAMES))
    except (FileNotFoundError, struct.error):
        return 0, 0
    return last, max(0, last - copied)


def _index(path: str) -> int:
    """An open file of a log's index. Raises: FileNotFoundError.

    It stays open until nobody else can open that file any more: to close one ends every lock that this process has on
    it (POSIX.1-2017, fcntl), and with them those of SQLite's connections. Whoever opened the database next would then
    find it unused, and begin its index anew under the others' feet (SQLite, "How To Corrupt", 2.2).
    """
    with _looking:
        found = os.stat(path)
        name = found.st_dev, found.st_ino
        if name not in _indexes:
            _indexes[name] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return _indexes[name]


def let_go() -> None:
    """Close the indexes of logs that are gone, as they are once nobody has their database open."""
    with _looking:
        for name, fd in list(_indexes.items()):
            if os.fstat(fd).st_nlink == 0:
                os.close(_indexes.pop(name))


_looking = threading.Lock()
_indexes: dict[tuple[int, int], int] = {}  # (device, inode) -> open file


def tidy(path: str) -> None:
    """Copy what waits in a write-ahead log, where it is much; from a thread that may wait for the disk."""
    if log_pages(path)[1] >= COPY_PAGES:
        with closing(sqlite3.connect(path, isolation_level=None)) as conn:
            conn.execute("PRAGMA wal_checkpoint(PASSIVE)")


class LogKeeper:
    """Begins a log anew that a steady stream of writes let grow. The writer's own connection does it, between two
    transactions: another would wait for a writer that waits for it.

    Args:
        conn: the writer's, on a file. clock: seconds, of any beginning.
    """

    def __init__(self, conn: sqlite3.Connection, clock: Callable[[], float] = time.monotonic) -> None:
        self._conn, self._clock = conn, clock
        self._path: str = conn.execute("PRAGMA database_list").fetchone()[2]
        self._not_before = 0.0

    def keep_short(self) -> None:
        """Where the log is long: copy its rest and begin it anew, unless a reader still needs it. Where that fails, the
        log grows on: what was written stands."""
        length, waiting = log_pages(self._path)
        if length < LONG_PAGES or self._clock() < self._not_before:
            return
        if waiting >= COPY_PAGES and length < TOO_LONG_PAGES:
            return
        self._not_before = self._clock() + PAUSE_SECONDS
        with suppress(sqlite3.Error):
            before = self._conn.execute("PRAGMA busy_timeout").fetchone()[0]
            self._conn.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
            try:
                self._conn.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
            finally:
                self._conn.execute(f"PRAGMA busy_timeout={before}")
