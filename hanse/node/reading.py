"""A node in a process that only reads: the state, and nothing that signs, appends or applies."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hanse.node.history import size_of
from hanse.node.node import FILES, Node, read_about
from hanse.node.parts import rulebook
from hanse.node.read_path import ReadPath
from hanse.node.wallet import FILE as KEYS_FILE


class _Book:
    """What stands where a node has its applier: the rules, to read facts by."""

    book = rulebook()


class _Size:
    """What stands where a node has its log: how many entries the state has applied."""

    def __init__(self, read: ReadPath) -> None:
        self._read = read

    @property
    def size(self) -> int:
        return size_of(self._read.view())


class _Aliases:
    """What stands where a node has its wallet: which pseudonyms are kept here, and none of the keys."""

    def __init__(self, directory: Path) -> None:
        uri = f"file:{directory / KEYS_FILE}?mode=ro"
        self._conn = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()

    def alias_of(self, circle: str, party: str) -> str | None:
        """As `Wallet.alias_of`."""
        sql = "SELECT alias FROM alias WHERE circle = ? AND party = ?"
        with self._lock:
            found = self._conn.execute(sql, (circle, party)).fetchone()
        return found[0] if found else None

    def close(self) -> None:
        self._conn.close()


class ReadNode(Node):
    """The directory of a node that another process runs, for pages that look at nothing but state.

    Views have the same rights as the node's own. What else a node has (keys, write path, disclosures, the entries of
    the record) is not here: whoever asks for it meets an AttributeError, and nothing happens.
    Refuses: as `read_about`.
    """

    def __init__(self, directory: Path | str, *, clock: Callable[[], float] = time.time) -> None:
        self.directory, self.clock = Path(directory), clock
        self.net, self.files = read_about(self.directory).net, self.directory / FILES
        self.read = ReadPath(self.directory, clock=clock)
        book: Any = _Book
        size: Any = _Size(self.read)
        aliases: Any = _Aliases(self.directory)
        self.applier, self.log, self.wallet = book, size, aliases

    def close(self) -> None:
        """Close the state."""
        self.wallet.close()
        self.read.close()
