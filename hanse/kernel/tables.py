"""Tables: how rows stand in SQLite, and who owns them.

A table is STRICT and WITHOUT ROWID; its key columns come first in its primary key. A *circle table* has `circle` as its
first key column: it is private state, outside the hash that consensus agrees on.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec
from msgspec import Struct

from hanse.kernel.facts import _strip

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
SqlValue = int | str | bytes | None
Key = tuple[SqlValue, ...]


class Row(Struct, frozen=True, kw_only=True, gc=False):
    """Base of all rows. `position`: the entry that wrote it last; the draft fills it in.

    A row holds no reference to itself, so that the collector of cycles need not look at it.
    """

    position: int = 0


R = TypeVar("R", bound=Row)


class Table(Generic[R]):
    """A declared table of one room.

    Args:
        name: `room_noun`, also in SQL. row: its struct; scalars become columns, everything else JSON text.
        key: the names of the key fields, in order. index: further ordered indexes, each a tuple of field names.
        circle: private to circles; then `key[0] == "circle"`.
        often_new: rules mostly ask for keys that are not there yet (an order to be placed, a hold to be made).
    """

    def __init__(
        self,
        name: str,
        row: type[R],
        key: Sequence[str],
        index: Sequence[Sequence[str]] = (),
        circle: bool = False,
        often_new: bool = False,
    ) -> None:
        if circle and key[0] != "circle":
            raise ValueError(f"{name}: a circle table's first key is circle")
        self.name, self.row, self.key, self.circle, self.often_new = name, row, tuple(key), circle, often_new
        self.index = tuple(tuple(columns) for columns in index)
        hints = get_type_hints(row, include_extras=True)
        self.columns = tuple(field.name for field in msgspec.structs.fields(row))
        bare = {name: _strip(hints[name])[0] for name in self.columns}
        self._json = {n: hints[n] for n in self.columns if bare[n] not in (int, str, bytes, bool)}
        self._ints = tuple(n for n in self.columns if bare[n] is int)
        if any(type(None) in getattr(hints[n], "__args__", ()) for n in self._ints):
            raise ValueError(f"{name}: an integer column is never empty; give it a default")
        self.ints_of: Callable[[R], tuple[int, ...]] = attrgetter(*self._ints, self._ints[0])
        """The integer columns' values, the first twice, so that there are at least two."""
        self.fit = struct.Struct(f"{len(self._ints) + 1}q").pack
        """Takes what `ints_of` gives. Raises: struct.error where one leaves 64 bits."""
        self._bool = tuple(n for n in self.columns if bare[n] is bool)
        self._affinity = {
            n: "TEXT" if n in self._json or bare[n] is str else "BLOB" if bare[n] is bytes else "INTEGER"
            for n in self.columns
        }
        self._null = {n: type(None) in getattr(hints[n], "__args__", ()) for n in self.columns}
        self.values_of: Callable[[R], tuple[Any, ...]] = attrgetter(*self.columns)
        """Column values in the order of `columns`, what becomes JSON text as it is."""
        one = attrgetter(*self.key)
        self.key_of: Callable[[R], Key] = one if len(self.key) > 1 else (lambda row: (one(row),))  # type: ignore[assignment, return-value]
        self.json_at = tuple(i for i, n in enumerate(self.columns) if n in self._json)
        self._decode = {n: msgspec.json.Decoder(hint).decode for n, hint in self._json.items()}

    def __repr__(self) -> str:
        return f"Table({self.name})"

    def ddl(self) -> list[str]:
        """The statements that create the table and its indexes."""
        columns = ", ".join(f"{n} {self._affinity[n]}{'' if self._null[n] else ' NOT NULL'}" for n in self.columns)
        out = [
            f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}, "
            f"PRIMARY KEY ({', '.join(self.key)})) STRICT, WITHOUT ROWID"
        ]
        for fields in self.index:
            out.append(
                f"CREATE INDEX IF NOT EXISTS {self.name}__{'_'.join(fields)} ON {self.name} ({', '.join(fields)})"
            )
        return out

    def too_wide(self, row: R) -> str:
        """The first integer column of a row that leaves 64 bits, or ""."""
        return next((n for n in self._ints if not INT64_MIN <= getattr(row, n) <= INT64_MAX), "")

    def from_sql(self, values: Sequence[Any]) -> R:
        """The row of column values in the order of `columns`."""
        row = dict(zip(self.columns, values, strict=True))
        for name in self._json:
            if row[name] is not None:
                row[name] = self._decode[name](row[name])
        for name in self._bool:
            row[name] = bool(row[name])
        return self.row(**row)
