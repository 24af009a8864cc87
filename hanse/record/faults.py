"""File operations that fail where a test wants: for the tests of this package and of what is built on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

from .files import Files

LANDED, NOT_LANDED, HALF = "failed but landed", "failed, not landed", "half landed"


class Crash(BaseException):
    """The process ends here; whoever catches it is the test."""


class FaultyFiles(Files):
    """The real operations up to number `at` (0-based), which ends the process; syncs only take note, to be fast.

    how: whether that operation takes effect before the end: `LANDED`, `NOT_LANDED`, or `HALF` (of a write; else not).
    power: whether the power goes too: then what was not synced is undone, each piece by the toss of a coin.
    """

    def __init__(self, at: int | None, how: str = LANDED, power: Random | None = None) -> None:
        self.count = 0
        self._at, self._how, self._power = at, how, power
        self._dead = False
        self._undo: list[tuple[str, Callable[[], None]]] = []

    def _step(self, act: Callable[[], None], half: Callable[[], None] | None = None) -> None:
        if self._dead:
            raise Crash
        number, self.count = self.count, self.count + 1
        if number != self._at:
            act()
            return
        if self._how == LANDED:
            act()
        elif self._how == HALF and half is not None:
            half()
        self._dead = True
        if self._power is not None:
            self.cut_power(self._power)
        raise Crash

    def cut_power(self, coin: Random | None = None) -> None:
        """Undo what was not synced: everything, or each piece by the toss of a coin."""
        for _, undo in reversed(self._undo):
            if coin is None or coin.random() < 0.5:
                undo()
        self._undo.clear()

    def _synced(self, path: str) -> None:
        self._undo = [piece for piece in self._undo if piece[0] != path]

    def write_at(self, fd: int, data: bytes, offset: int) -> None:
        """See `Files`."""
        path = os.readlink(f"/proc/self/fd/{fd}")
        self._undo.append((path, lambda: os.truncate(path, min(offset, Path(path).stat().st_size))))
        real = super().write_at
        self._step(lambda: real(fd, data, offset), lambda: real(fd, data[: len(data) // 2], offset))

    def sync_data(self, fd: int) -> None:
        """See `Files`."""
        path = os.readlink(f"/proc/self/fd/{fd}")
        self._step(lambda: self._synced(path))

    def truncate(self, fd: int, size_bytes: int) -> None:
        """See `Files`."""
        real = super().truncate
        self._step(lambda: real(fd, size_bytes))

    def rename(self, source: Path, target: Path) -> None:
        """See `Files`."""
        before = target.read_bytes() if target.exists() else None

        def undo() -> None:
            if before is None:
                target.unlink(missing_ok=True)
            else:
                target.write_bytes(before)

        real = super().rename
        self._undo.append((str(target.parent), undo))
        self._step(lambda: real(source, target))

    def sync_directory(self, path: Path) -> None:
        """See `Files`."""
        self._step(lambda: self._synced(str(path)))

    def remove(self, path: Path) -> None:
        """See `Files`."""
        real = super().remove
        self._step(lambda: real(path))
