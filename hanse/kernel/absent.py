"""Knowing that a key is new without asking the disk: a Bloom filter per table (Bloom 1970, CACM 13/7).

It answers "surely absent" or "perhaps there", never wrongly absent, so that state and outcomes are the same with or
without it. It is built from the table's keys when it is first asked, and anew when it has become full.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from hanse.kernel.rows import Key
from hanse.kernel.tables import Table

BITS_A_KEY = 16
"""With two probes: about one false alarm in seventy at the fullest."""
KEYS_MIN = 1 << 14


class Absent:
    """The keys that one table may hold on the disk."""

    _bits: bytearray
    _mask: int
    _room: int
    __slots__ = ("_bits", "_mask", "_room")

    def __init__(self, conn: sqlite3.Connection, table: Table[Any]) -> None:
        count = conn.execute(f"SELECT COUNT(*) FROM {table.name}").fetchone()[0]
        bits = 1 << (max(KEYS_MIN, 2 * count) * BITS_A_KEY - 1).bit_length()
        self._bits, self._mask, self._room = bytearray(bits // 8), bits - 1, bits // BITS_A_KEY
        self.add(conn.execute(f"SELECT {', '.join(table.key)} FROM {table.name}"))

    def add(self, keys: Iterable[Key]) -> None:
        """These keys are on the disk from now on."""
        bits, mask, room = self._bits, self._mask, self._room
        for key in keys:
            mark = hash(key)
            first, second = mark & mask, mark >> 32 & mask
            bits[first >> 3] |= 1 << (first & 7)
            bits[second >> 3] |= 1 << (second & 7)
            room -= 1
        self._room = room

    @property
    def full(self) -> bool:
        return self._room < 0

    def surely(self, key: Key) -> bool:
        """Whether this key is certainly not on the disk."""
        bits: bytearray = self._bits
        mark: int = hash(key)
        first: int = mark & self._mask
        if not bits[first >> 3] >> (first & 7) & 1:
            return True
        second: int = mark >> 32 & self._mask
        return not bits[second >> 3] >> (second & 7) & 1
