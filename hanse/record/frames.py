"""How a segment lies on the disk: a file header, then groups, each written in one piece.

::

    file    magic "HANSEREC" | version u32 | 0 u32 | salt 8 bytes | CRC-32 u32 of the 24 bytes before | 0 u32
    group   salt 8 bytes | first entry u64 | count u32 | payload bytes u32 | CRC-32 u32 of the 24 bytes before
            count x (end of the entry in the payload u32 | CRC-32 of the entry u32)
            payload: the entries, one after the other
            CRC-32 u32 of header and table | end mark u32

All numbers are little-endian. The salt is drawn when the file is made, and is not in anything that is published:
whoever writes entries cannot write one that looks like a group. CRC-32 (zlib's) finds accidents; forgery is what the
tree is for.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from zlib import crc32

from .damage import UnknownVersion, damaged

SEGMENT = "segment"
VERSION = 1
MAGIC = b"HANSEREC"
SALT_BYTES = 8
ENTRY_BYTES_MAX = 65_535
"""The largest entry that an entry bundle of C2SP tlog-tiles can hold."""
GROUP_BYTES_MAX = 1 << 31
_FILE = struct.Struct("<8sII8sII")
_GROUP = struct.Struct("<8sQIII")
_ROW_BYTES = 8
_FOOTER = struct.Struct("<II")
_END = 0x21444E45  # "END!"
FILE_HEADER_BYTES = _FILE.size
GROUP_HEADER_BYTES = _GROUP.size

ReadAt = Callable[[int, int], bytes]
"""``read(size_bytes, offset)``: shorter only where the file ends."""


class EntryTooLarge(ValueError):
    """An entry is longer than 65,535 bytes; refer to larger content by its hash. `position` is its place in the
    group.
    """

    def __init__(self, position: int, size_bytes: int) -> None:
        super().__init__(f"entry {position} of the group has {size_bytes} bytes, at most {ENTRY_BYTES_MAX} fit")
        self.position = position


def pack_file_header(salt: bytes) -> bytes:
    """The first 32 bytes of a segment."""
    head = _FILE.pack(MAGIC, VERSION, 0, salt, 0, 0)[:24]
    return head + struct.pack("<II", crc32(head), 0)


def unpack_file_header(data: bytes) -> bytes:
    """The salt from a file header.

    Raises, in order: `Damaged` (too short, or another kind of file), `UnknownVersion`, `Damaged` (checksum).
    """
    if len(data) < FILE_HEADER_BYTES or not data.startswith(MAGIC):
        raise damaged(SEGMENT, 0, "the file header is not that of a segment")
    _, version, zero, salt, checksum, pad = _FILE.unpack_from(data)
    if crc32(data[:24]) != checksum or zero or pad:
        if version != VERSION and crc32(data[:8] + struct.pack("<I", VERSION) + data[12:24]) != checksum:
            raise UnknownVersion(f"{SEGMENT} has format version {version}; this program knows version {VERSION}")
        raise damaged(SEGMENT, 0, "the file header does not match its checksum")
    if version != VERSION:
        raise UnknownVersion(f"{SEGMENT} has format version {version}; this program knows version {VERSION}")
    return bytes(salt)


def pack_group(salt: bytes, first: int, entries: Sequence[bytes]) -> bytes:
    """One group, ready to be written.

    Raises: `EntryTooLarge`; ValueError where the group as a whole would exceed 2 GiB.
    """
    lengths = list(map(len, entries))
    if max(lengths) > ENTRY_BYTES_MAX:
        position = next(i for i, length in enumerate(lengths) if length > ENTRY_BYTES_MAX)
        raise EntryTooLarge(position, lengths[position])
    payload_bytes = sum(lengths)
    if payload_bytes > GROUP_BYTES_MAX:
        raise ValueError(f"a group of {payload_bytes} bytes; split it below {GROUP_BYTES_MAX}")
    table = array("I", bytes(_ROW_BYTES * len(entries)))
    table[0::2] = array("I", accumulate(lengths))
    table[1::2] = array("I", map(crc32, entries))
    head = struct.pack("<8sQII", salt, first, len(entries), payload_bytes)
    front = b"".join((head, struct.pack("<I", crc32(head)), table.tobytes()))
    return b"".join((front, *entries, _FOOTER.pack(crc32(front), _END)))


@dataclass(frozen=True, slots=True)
class Group:
    """Where one group lies. Offsets are bytes from the start of the file."""

    offset: int
    first: int
    count: int
    payload_bytes: int

    @property
    def table_offset(self) -> int:
        """Where its table starts."""
        return self.offset + GROUP_HEADER_BYTES

    @property
    def payload_offset(self) -> int:
        """Where its entries start."""
        return self.table_offset + _ROW_BYTES * self.count

    @property
    def end(self) -> int:
        """Where the next group starts."""
        return self.payload_offset + self.payload_bytes + _FOOTER.size


def find_group(read: ReadAt, salt: bytes, offset: int, file_bytes: int) -> Group | None:
    """The group at an offset if its header, table and footer are whole; its entries are not looked at."""
    head = read(GROUP_HEADER_BYTES, offset)
    if len(head) < GROUP_HEADER_BYTES or not head.startswith(salt):
        return None
    _, first, count, payload_bytes, checksum = _GROUP.unpack(head)
    if crc32(head[:24]) != checksum:
        return None
    group = Group(offset, first, count, payload_bytes)
    if group.end > file_bytes:
        return None
    table = read(_ROW_BYTES * count, group.table_offset)
    footer = read(_FOOTER.size, group.end - _FOOTER.size)
    return group if footer == _FOOTER.pack(crc32(table, crc32(head)), _END) else None


def read_group(read: ReadAt, group: Group) -> list[bytes]:
    """All entries of a group. Raises: `Damaged` naming the first that is not what was written."""
    size_bytes = group.end - _FOOTER.size - group.table_offset
    data = read(size_bytes, group.table_offset)
    table = array("I", data[: _ROW_BYTES * group.count])
    base = _ROW_BYTES * group.count
    entries: list[bytes] = []
    start = base
    for end, checksum in zip(table[0::2], table[1::2], strict=True):
        entry = data[start : base + end]
        if not start <= base + end <= len(data) or crc32(entry) != checksum:
            raise damaged(SEGMENT, group.first + len(entries), "the entry does not match its checksum")
        entries.append(entry)
        start = base + end
    return entries


def read_entry(read: ReadAt, group: Group, index: int) -> bytes:
    """One entry of a group. Raises: `Damaged` where it is not what was written."""
    place = index - group.first
    if place:
        start, _, end, checksum = struct.unpack("<IIII", read(16, group.table_offset + _ROW_BYTES * (place - 1)))
    else:
        start, (end, checksum) = 0, struct.unpack("<II", read(8, group.table_offset))
    entry = read(end - start, group.payload_offset + start) if start <= end <= group.payload_bytes else b""
    if len(entry) != end - start or crc32(entry) != checksum:
        raise damaged(SEGMENT, index, "the entry does not match its checksum")
    return entry


def first_bad_entry(read: ReadAt, salt: bytes, offset: int, expected: int, file_bytes: int) -> int:
    """The first entry that cannot be read from a group that is not whole; `expected` is the group's first.

    Where the header survived, the table's checksums tell; where it did not, nothing of the group can be told apart.
    """
    head = read(GROUP_HEADER_BYTES, offset)
    if len(head) == GROUP_HEADER_BYTES and head.startswith(salt) and crc32(head[:24]) == _GROUP.unpack(head)[4]:
        _, first, count, payload_bytes, _ = _GROUP.unpack(head)
        group = Group(offset, first, count, payload_bytes)
        if first == expected and group.end <= file_bytes:
            try:
                read_group(read, group)
            except Exception as error:  # a damaged table may fail in any way; each failure names an entry or none
                finding = getattr(error, "finding", None)
                return int(finding.entry) if finding is not None else expected
    return expected
