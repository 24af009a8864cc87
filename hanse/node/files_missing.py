"""Files that the record names and a directory does not have: a count, for a copy may leave files out."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hanse.kernel.kept import CHAIN
from hanse.kernel.view import View
from hanse.rooms import modules


def files_missing(conn: sqlite3.Connection, folder: Path) -> int:
    """How many different files the facts of a state name that are not in a folder.

    Which files, and whose, is not said: a name tells nothing, and its circle is nobody's business here. What is not
    disclosed in this directory names none.

    Args:
        conn: a replayed state, committed. folder: the directory's files, which need not be there.
    """
    here = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    view = View(conn, circles=[row[0] for row in conn.execute(f"SELECT circle FROM {CHAIN.name}")])
    named: set[str] = set()
    for module in modules("checks"):
        for names in getattr(module, "FILES_NAMED", ()):
            named.update(names(view))
    return len(named - here)
