"""One writer for one record: a lock file held by `flock`, with the writer's process number inside."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

FINISHING_SECONDS = 10.0
"""How long is waited for what a killed writer left behind to finish: a process that it shared its lock with."""


class Locked(RuntimeError):
    """Another process writes this record. `pid` is its process number; 0 where it had not yet written it."""

    def __init__(self, path: Path, pid: int) -> None:
        super().__init__(f"{path} is held by process {pid}; stop that one first, or read without writing")
        self.pid = pid


def take_lock(path: Path) -> int:
    """Take the lock or raise `Locked`; return the open file that holds it.

    The system drops the lock with the last process that has the file open, however that ends, so a file left behind
    locks nothing.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    until = time.monotonic() + FINISHING_SECONDS
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            digits = os.pread(fd, 20, 0).strip()
            pid = int(digits) if digits.isdigit() else 0
            if _is_alive(pid) or time.monotonic() > until:
                os.close(fd)
                raise Locked(path, pid) from None
            time.sleep(0.01)
    os.ftruncate(fd, 0)
    os.pwrite(fd, b"%d\n" % os.getpid(), 0)
    return fd


def _is_alive(pid: int) -> bool:
    """Whether a process may be at work; 0, which nobody has written yet, may."""
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
