"""The write-ahead segment: the file to which entries are appended, and from which everything else can be rebuilt.

A *group* is what one `append` writes: a block, whole or not at all. `append` puts it into the file, `sync` puts the
file on the disk; only what was synced may be acknowledged to anybody. After a crash `open` finds the last whole group
and cuts off what follows it, keeping a copy in ``segment.torn``. A group that is not whole but has whole ones after
it is no torn tail but damage, and is never cut: `open` raises `Damaged` with the first bad entry. (Two groups
appended without a sync between them can look like that after a power cut; neither was acknowledged. `Segment.cut` is
the hand tool for that case.)

``segment.index`` says where groups start, and spares the scan. It is never believed against the segment: lost, stale or
damaged, it is made anew.
"""

from __future__ import annotations

import os
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from zlib import crc32

from . import frames
from .damage import Damaged, damaged
from .files import REAL_FILES, DiskFull, Files, is_full, read_at
from .frames import FILE_HEADER_BYTES, SEGMENT, Group
from .lock import take_lock

INDEX = "segment.index"
TORN = "segment.torn"
LOCK = "lock"
_INDEX_HEAD = struct.Struct("<8s8sQI")
_INDEX_MAGIC = b"HANSEIDX"
_SEARCH_BYTES = 1 << 20
_INDEX_DUE_BYTES = 64 << 20


class Unusable(RuntimeError):
    """A failed sync or cut left the file in a state that only opening it anew can establish."""


class Segment:
    """An append-only file of groups of entries. One thread appends; any thread reads or syncs."""

    def __init__(self, directory: Path, fd: int, salt: bytes, lock_fd: int | None, files: Files) -> None:
        self.directory = directory
        self.cut_bytes = 0
        """Bytes of a torn tail that `open` cut off; 0 after a clean end."""
        self._fd, self._salt, self._lock_fd, self._files = fd, salt, lock_fd, files
        self._offsets = array("Q")  # where each group starts
        self._firsts = array("Q", [0])  # the first entry of each group, and the size at the end
        self._end = FILE_HEADER_BYTES
        self._synced_size = 0
        self._indexed = 0  # groups that the index file covers
        self._broken: str | None = None

    @classmethod
    def open(
        cls,
        directory: Path | str,
        *,
        read_only: bool = False,
        scan: bool = False,
        keep: int = 0,
        files: Files = REAL_FILES,
    ) -> Segment:
        """Open the segment in a directory, making both where they do not exist, and recover from a crash.

        Args:
            read_only: take no lock, change nothing; a torn tail is left where it is and not seen.
            scan: check every byte of every group, whatever the index says.
            keep: entries that are known to have been synced (a checkpoint covers them); a cut below that is damage.
        Raises, in order: `Locked` (another writer), FileNotFoundError (read_only and no segment), `UnknownVersion`,
            `Damaged`. The entries of groups that the index covers are not checked here, but whenever they are read.
        """
        directory = Path(directory)
        lock_fd = None
        if not read_only:
            directory.mkdir(parents=True, exist_ok=True)
            lock_fd = take_lock(directory / LOCK)
        fd = -1
        try:
            if not read_only and not (directory / SEGMENT).exists():
                _create(directory, files)
            fd = os.open(directory / SEGMENT, (os.O_RDONLY if read_only else os.O_RDWR) | os.O_CLOEXEC)
            salt = frames.unpack_file_header(read_at(fd, FILE_HEADER_BYTES, 0))
            segment = cls(directory, fd, salt, lock_fd, files)
            segment._recover(keep, read_only, scan)
        except BaseException:
            for held in (fd, lock_fd):
                if held is not None and held >= 0:
                    os.close(held)
            raise
        return segment

    # --- writing ---

    def append(self, entries: Sequence[bytes]) -> int:
        """Write one group of entries; return the index of the first. It is not on the disk before `sync` returns.

        Args:
            entries: at least one; each 0 to 65,535 bytes.
        Raises, in order: `Unusable`, ValueError (no entries), `EntryTooLarge`, `DiskFull`. After the last three the
            segment is as it was, and stays usable.
        """
        self._check_usable()
        if not entries:
            raise ValueError("a group needs at least one entry")
        first = self.size
        data = frames.pack_group(self._salt, first, entries)
        try:
            self._files.write_at(self._fd, data, self._end)
        except OSError as error:
            self._take_back(error)
            if is_full(error):
                raise DiskFull(error.errno, f"no room for {len(data)} bytes in {self.directory}") from error
            raise
        self._offsets.append(self._end)
        self._end += len(data)
        self._firsts.append(first + len(entries))
        return first

    def sync(self) -> int:
        """Put everything appended so far on the disk; return how many entries that is.

        May run in another thread beside `append`. Raises: `Unusable`; OSError of the system, after which the segment is
        unusable, because the system may have dropped what it could not write.
        """
        self._check_usable()
        size = self.size
        try:
            self._files.sync_data(self._fd)
        except OSError as error:
            self._broken = f"a sync failed: {error}"
            raise
        self._synced_size = max(self._synced_size, size)
        return size

    @property
    def unindexed_groups(self) -> int:
        """How many groups the index file does not cover."""
        return len(self._offsets) - self._indexed

    @property
    def index_due(self) -> bool:
        """Whether a scan would read so much (64 MiB, and eight times the index) that the index is worth writing."""
        covered = self._offsets[self._indexed] if self.unindexed_groups else self._end
        return self._end - covered >= _INDEX_DUE_BYTES + 8 * 16 * len(self._offsets)

    def save_index(self) -> None:
        """Write the index of all groups, so that the next `open` scans only what follows. Call after `sync`."""
        if self._broken or len(self._offsets) == self._indexed:
            return
        groups = bisect_right(self._firsts, self._synced_size) - 1
        rows = self._offsets[:groups].tobytes() + self._firsts[: groups + 1].tobytes()
        head = _INDEX_HEAD.pack(_INDEX_MAGIC, self._salt, groups, crc32(rows))
        temporary = self.directory / f"{INDEX}.tmp"
        self._files.write_new(temporary, head + rows)
        self._files.rename(temporary, self.directory / INDEX)
        self._indexed = groups

    def close(self) -> None:
        """Sync, save the index, and give up the lock. A second call does nothing."""
        if self._fd < 0:
            return
        try:
            if self._lock_fd is not None and not self._broken:
                if self._synced_size < self.size:
                    self.sync()
                self.save_index()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close the files as a crash would: nothing is synced or saved."""
        for fd in (self._fd, self._lock_fd):
            if fd is not None and fd >= 0:
                os.close(fd)
        self._fd, self._lock_fd = -1, None

    def __enter__(self) -> Segment:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @staticmethod
    def cut(directory: Path | str, size: int, files: Files = REAL_FILES) -> None:
        """Cut a segment, damaged or not, behind its first `size` entries, which must end a group. By hand only.

        What is cut off is kept in ``segment.torn``.
        Raises: `Locked`; `Damaged` where the first `size` entries are not whole; ValueError where they do not end a
            group.
        """
        directory = Path(directory)
        lock_fd = take_lock(directory / LOCK)
        fd = os.open(directory / SEGMENT, os.O_RDWR | os.O_CLOEXEC)
        try:
            segment = Segment(directory, fd, frames.unpack_file_header(read_at(fd, FILE_HEADER_BYTES, 0)), None, files)
            file_bytes = os.fstat(fd).st_size
            while segment.size < size:
                segment._take_next(file_bytes)
            if segment.size != size:
                raise ValueError(
                    f"entry {size} stands inside a group; the group before it ends at {segment._firsts[-2]}"
                )
            segment._cut_tail(file_bytes)
            files.remove(directory / INDEX)
        finally:
            os.close(fd)
            os.close(lock_fd)

    # --- reading ---

    @property
    def size(self) -> int:
        """How many entries there are, synced or not."""
        return self._firsts[-1]

    @property
    def synced_size(self) -> int:
        """How many entries are on the disk for certain."""
        return self._synced_size

    def read(self, index: int) -> bytes:
        """One entry. Raises: IndexError outside ``0 <= index < size``; `Damaged` where it is not what was written."""
        if not 0 <= index < self.size:
            raise IndexError(f"no entry {index} in a segment of {self.size}")
        return frames.read_entry(self._read_at, self._group(bisect_right(self._firsts, index) - 1), index)

    def iterate(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The entries from `start` to before `stop` (default: the size now). Raises `Damaged` at the first bad one."""
        stop = self.size if stop is None else min(stop, self.size)
        for first, entries in self.groups(start, stop):
            yield from entries[max(0, start - first) : stop - first]

    def groups(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, list[bytes]]]:
        """(first entry, entries) of each group that has an entry in ``start .. stop``, as they were appended."""
        stop = self.size if stop is None else min(stop, self.size)
        if start >= stop:
            return
        number = bisect_right(self._firsts, start) - 1
        while number < len(self._offsets) and self._firsts[number] < stop:
            group = self._group(number)
            yield group.first, frames.read_group(self._read_at, group)
            number += 1

    # --- inside ---

    def _read_at(self, size_bytes: int, offset: int) -> bytes:
        return read_at(self._fd, size_bytes, offset)

    def _group(self, number: int) -> Group:
        """The place of a group from the index in memory; its stored header is not believed, and not needed."""
        first, stop, offset = self._firsts[number], self._firsts[number + 1], self._offsets[number]
        end = self._offsets[number + 1] if number + 1 < len(self._offsets) else self._end
        empty = Group(offset, first, stop - first, 0)
        return Group(offset, first, stop - first, end - empty.end)

    def _check_usable(self) -> None:
        if self._broken:
            raise Unusable(f"{self.directory}: {self._broken}; open the record anew")
        if self._lock_fd is None:
            raise Unusable(f"{self.directory}: opened for reading, or closed")

    def _take_back(self, error: OSError) -> None:
        """After a failed append: cut off the half that was written."""
        try:
            self._files.truncate(self._fd, self._end)
        except OSError:
            self._broken = f"an append failed ({error}) and could not be taken back"

    def _recover(self, keep: int, read_only: bool, scan: bool) -> None:
        """Find all groups; cut or leave the torn tail."""
        file_bytes = os.fstat(self._fd).st_size
        if not scan:
            self._load_index(file_bytes)
        try:
            while self._end < file_bytes:
                self._take_next(file_bytes)
        except Damaged:
            if self.size < keep or self._has_later_group(file_bytes):
                raise
            self.cut_bytes = file_bytes - self._end
            if not read_only:
                self._cut_tail(file_bytes)
        if self.size < keep:
            raise damaged(SEGMENT, self.size, f"the file ends here, but a checkpoint covers {keep} entries")
        if not read_only:
            self._files.sync_data(self._fd)
        self._synced_size = self.size

    def _take_next(self, file_bytes: int) -> None:
        """Take the group at the end of what is known into the index in memory, or raise `Damaged`."""
        group = frames.find_group(self._read_at, self._salt, self._end, file_bytes)
        if group is None or group.first != self.size or not group.count:
            bad = frames.first_bad_entry(self._read_at, self._salt, self._end, self.size, file_bytes)
            raise damaged(SEGMENT, bad, "the group that holds it is not whole")
        frames.read_group(self._read_at, group)
        self._offsets.append(group.offset)
        self._firsts.append(group.first + group.count)
        self._end = group.end

    def _has_later_group(self, file_bytes: int) -> bool:
        """Whether a whole group stands anywhere behind the end of what is known."""
        at = self._end + 1
        while at < file_bytes:
            chunk = self._read_at(_SEARCH_BYTES + len(self._salt) - 1, at)
            found = chunk.find(self._salt)
            while found >= 0:
                group = frames.find_group(self._read_at, self._salt, at + found, file_bytes)
                if group is not None and group.first > self.size:
                    return True
                found = chunk.find(self._salt, found + 1)
            at += _SEARCH_BYTES
        return False

    def _cut_tail(self, file_bytes: int) -> None:
        """Keep a copy of what follows the last whole group, then cut it off."""
        if file_bytes > self._end:
            self._files.write_new(self.directory / TORN, self._read_at(file_bytes - self._end, self._end))
            self._files.truncate(self._fd, self._end)
            self._files.sync_data(self._fd)

    def index_fault(self) -> str:
        """What is wrong with the index file, held against the groups that were found; "" where there is none."""
        if not (self.directory / INDEX).exists():
            return ""
        found = self._read_index()
        if found is None:
            return "its checksum does not hold, or it is another segment's; opening the record makes it anew"
        offsets, firsts = found
        groups = min(len(offsets), len(self._offsets))
        if offsets[:groups] != self._offsets[:groups] or firsts[: groups + 1] != self._firsts[: groups + 1]:
            return "it has groups where the segment has none; opening the record makes it anew"
        return ""

    def _read_index(self) -> tuple[array[int], array[int]] | None:
        """(offsets, first entries) of the groups in the index file; None where it does not read as this segment's."""
        try:
            data = (self.directory / INDEX).read_bytes()
            magic, salt, groups, checksum = _INDEX_HEAD.unpack_from(data)
        except (OSError, struct.error):
            return None
        rows = data[_INDEX_HEAD.size :]
        if (magic, salt) != (_INDEX_MAGIC, self._salt) or len(rows) != 16 * groups + 8 or crc32(rows) != checksum:
            return None
        return array("Q", rows[: 8 * groups]), array("Q", rows[8 * groups :])

    def _load_index(self, file_bytes: int) -> None:
        """Take over the index file if it belongs to this segment and its last group is where it says."""
        found = self._read_index()
        if found is None:
            return
        offsets, firsts = found
        groups = len(offsets)
        last = frames.find_group(self._read_at, self._salt, offsets[-1], file_bytes) if groups else None
        if last is not None and (last.first, last.first + last.count) == (firsts[-2], firsts[-1]):
            self._offsets, self._firsts, self._end, self._indexed = offsets, firsts, last.end, groups


def _create(directory: Path, files: Files) -> None:
    """Make an empty segment: all of it, or nothing."""
    temporary = directory / f"{SEGMENT}.tmp"
    files.write_new(temporary, frames.pack_file_header(os.urandom(frames.SALT_BYTES)))
    files.rename(temporary, directory / SEGMENT)
    files.sync_directory(directory)
