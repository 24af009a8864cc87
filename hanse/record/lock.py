"""One writer for one record: a lock file held by `flock`, with the writer's process number inside."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Locked(RuntimeError):
    """Another process writes this record. `pid` is its process number; 0 where it had not yet written it."""

    def __init__(self, path: Path, pid: int) -> None:
        super().__init__(f"{path} is held by process {pid}; stop that one first, or read without writing")
        self.pid = pid


def take_lock(path: Path) -> int:
    """Take the lock or raise `Locked`; return the open file that holds it.

    The system drops the lock with the process, however that ends, so a file left behind locks nothing.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        digits = os.pread(fd, 20, 0).strip()
        os.close(fd)
        raise Locked(path, int(digits) if digits.isdigit() else 0) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, b"%d\n" % os.getpid(), 0)
    return fd
