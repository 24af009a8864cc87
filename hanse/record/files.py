"""The few operations on files through which everything durable in this package passes.

One seam, so that a test can let any single operation fail, before it lands or after. Nothing here is clever; the
order in which callers use it is (`tiles.publish`, `segment.Segment`).
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DiskFull(OSError):
    """There was no room for what should have been appended; nothing of it was kept, and the record stays usable."""


def is_full(error: OSError) -> bool:
    """Whether an error of the system says that there is no room: device, quota, or largest file."""
    return error.errno in _FULL


class Files:
    """The operations, as the system does them."""

    def write_at(self, fd: int, data: bytes, offset: int) -> None:
        """Write all of `data` at a byte offset; a short write is carried on."""
        done = os.pwrite(fd, data, offset)
        if done < len(data):
            rest = memoryview(data)
            while done < len(data):
                done += os.pwrite(fd, rest[done:], offset + done)

    def sync_data(self, fd: int) -> None:
        """Return when the data of an open file is on the disk (fdatasync)."""
        os.fdatasync(fd)

    def truncate(self, fd: int, size_bytes: int) -> None:
        """Cut an open file to a length."""
        os.ftruncate(fd, size_bytes)

    def write_new(self, path: Path, data: bytes) -> None:
        """Write a whole file and return when its bytes are on the disk (not yet its name)."""
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            self.write_at(fd, data, 0)
            self.sync_data(fd)
        finally:
            os.close(fd)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file its name, replacing what had it, in one step."""
        os.rename(source, target)

    def sync_directory(self, path: Path) -> None:
        """Return when the names in a directory are on the disk."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def remove(self, path: Path) -> None:
        """Remove a file; one that is not there is not missed."""
        path.unlink(missing_ok=True)


REAL_FILES = Files()


def read_at(fd: int, size_bytes: int, offset: int) -> bytes:
    """Read up to `size_bytes` at an offset; shorter only where the file ends."""
    data = os.pread(fd, size_bytes, offset)
    if len(data) == size_bytes or not data:
        return data
    parts = [data]
    have = len(data)
    while have < size_bytes and (data := os.pread(fd, size_bytes - have, offset + have)):
        parts.append(data)
        have += len(data)
    return b"".join(parts)
