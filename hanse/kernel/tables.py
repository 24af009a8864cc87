"""Tables: how rows stand in SQLite, and who owns them.

A table is STRICT and WITHOUT ROWID; its key columns come first in its primary key. A *circle table* has `circle` as its
first key column: it is private state, outside the hash that consensus agrees on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, get_type_hints

import msgspec
from msgspec import UNSET

from hanse.kernel.facts import _strip
from hanse.kernel.rows import INT64_MAX, INT64_MIN, Key, R

_WITHHELD: Final[Any] = UNSET
_SHORT: Final = 2**61
"""Below it an integer is a machine word where this runs compiled."""


class Table(Generic[R]):
    """A declared table of one room.

    Args:
        name: `room_noun`, also in SQL. row: its struct; scalars become columns, everything else JSON text.
        key: the names of the key fields, in order: those that follow `position` in the row.
        index: further ordered indexes, each a tuple of field names.
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
        self.name = name
        self.row: Callable[..., R] = row
        self.key: tuple[str, ...] = tuple(key)
        self.circle, self.often_new = circle, often_new
        self.index: tuple[tuple[str, ...], ...] = tuple([tuple(columns) for columns in index])
        hints = get_type_hints(row, include_extras=True)
        self.columns: tuple[str, ...] = row.__struct_fields__
        """In the order in which `msgspec.structs.astuple` gives a row's values."""
        self._key_stop = 1 + len(self.key)
        if self.columns[: self._key_stop] != ("position", *self.key):
            raise ValueError(f"{name}: the key's fields come first in the row")
        bare = {name: _strip(hints[name])[0] for name in self.columns}
        self._json: dict[str, Callable[[str], Any]] = {
            n: msgspec.json.Decoder(hints[n]).decode for n in self.columns if bare[n] not in (int, str, bytes, bool)
        }
        self._ints = tuple([n for n in self.columns if bare[n] is int])
        if any([type(None) in getattr(hints[n], "__args__", ()) for n in self._ints]):
            raise ValueError(f"{name}: an integer column is never empty; give it a default")
        self._ints_at: tuple[int, ...] = tuple([i for i, n in enumerate(self.columns) if n in self._ints])
        self._bool = tuple([n for n in self.columns if bare[n] is bool])
        self._affinity = {
            n: "TEXT" if n in self._json or bare[n] is str else "BLOB" if bare[n] is bytes else "INTEGER"
            for n in self.columns
        }
        self._nullable = {n: type(None) in getattr(hints[n], "__args__", ()) for n in self.columns}
        self.json_at: tuple[int, ...] = tuple([i for i, n in enumerate(self.columns) if n in self._json])

    def __repr__(self) -> str:
        return f"Table({self.name})"

    def ddl(self) -> list[str]:
        """The statements that create the table and its indexes."""
        empty = {n: "" if self._nullable[n] else " NOT NULL" for n in self.columns}
        columns = ", ".join([f"{n} {self._affinity[n]}{empty[n]}" for n in self.columns])
        out = [
            f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}, "
            f"PRIMARY KEY ({', '.join(self.key)})) STRICT, WITHOUT ROWID"
        ]
        for fields in self.index:
            out.append(
                f"CREATE INDEX IF NOT EXISTS {self.name}__{'_'.join(fields)} ON {self.name} ({', '.join(fields)})"
            )
        return out

    def key_in(self, values: tuple[Any, ...]) -> Key:
        """The key, of a row's values in the order of `columns`."""
        return values[1 : self._key_stop]

    def fits(self, values: tuple[Any, ...]) -> bool:
        """Whether a row's values can stand in columns: none that a fact withholds, each integer one within 64 bits."""
        for value in values:
            if value is _WITHHELD:
                return False
        for at in self._ints_at:
            value = values[at]
            if not isinstance(value, int):
                return False
            if not -_SHORT < value < _SHORT and not INT64_MIN <= value <= INT64_MAX:
                return False
        return True

    def too_wide(self, row: R) -> str:
        """The first integer column of a row that leaves 64 bits, or ""."""
        for name in self._ints:
            if not INT64_MIN <= getattr(row, name) <= INT64_MAX:
                return name
        return ""

    def from_sql(self, values: Sequence[Any]) -> R:
        """The row of column values in the order of `columns`."""
        row = dict(zip(self.columns, values, strict=True))
        for name, decode in self._json.items():
            if row[name] is not None:
                row[name] = decode(row[name])
        for name in self._bool:
            row[name] = bool(row[name])
        return self.row(**row)
