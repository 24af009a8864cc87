"""Write-ahead logs of SQLite, copied into their databases beside the writer."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

WAL_BYTES_MAX = 4_000_000


def tidy(path: str) -> None:
    """Copy a large write-ahead log into its database, from a thread that may wait for the disk; writers go on."""
    try:
        if os.stat(path + "-wal").st_size < WAL_BYTES_MAX:
            return
    except FileNotFoundError:
        return
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA wal_checkpoint(PASSIVE)")
