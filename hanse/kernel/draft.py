"""The draft: what one fact writes. Rules read and write through it, and nothing else.

A draft writes into the block's rows at once and remembers what stood there, so that it can be undone as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET

from hanse.kernel.facts import Given
from hanse.kernel.kept import TIMERS, Timer
from hanse.kernel.refusal import Refused
from hanse.kernel.rows import Key, R, SqlValue
from hanse.kernel.state import Held, State
from hanse.kernel.tables import Table

_set: Final = msgspec.structs.force_setattr
_values: Final = msgspec.structs.astuple
_UNKNOWN: Final = object()


class Draft:
    """What one fact writes.

    Attributes:
        now: ledger time, UTC seconds. position: the entry under way. signer: the party or alias that signed.
        circle: "" in a public rule; in a circle or home rule the only circle whose tables may be written.
        reads: in a home rule the fact's circle, whose tables may be read as well.
        told: events, in the order told.
    """

    __slots__ = ("_held", "_undo", "circle", "now", "position", "reads", "signer", "state", "told")

    def __init__(
        self, state: State, *, now: int, position: int, signer: str = "", circle: str = "", reads: str = ""
    ) -> None:
        self.state, self._held, self.now, self.position = state, state.held, now, position
        self.signer, self.circle, self.reads = signer, circle, reads
        self._undo: list[tuple[Held, Key, Any, bool]] = []  # (of a table, key, the row before, changed before)
        self.told: list[Any] = []

    def get(self, table: Table[R], *key: Given[SqlValue]) -> R | None:
        """One row by its key, as this draft would leave it, or None: `State.get`, spelled out for its many callers."""
        if table.circle and key[0] != self.circle:
            self._may(table, key)
        held = self._held[table.name]
        hit = held.rows.get(key, _UNKNOWN)
        return self.state.fetch(held, key) if hit is _UNKNOWN else hit  # type: ignore[no-any-return]

    def mine(self, table: Table[R], *key: Given[SqlValue]) -> R | None:
        """A row whose key holds this draft's position, so that nothing before this entry can have written it."""
        if table.circle and key[0] != self.circle:
            self._may(table, key)
        return self._held[table.name].rows.get(key)

    def put(self, table: Table[R], row: R) -> None:
        """Insert or replace a row; its position becomes this draft's."""
        values = _values(row)
        key = table.key_in(values)
        if self.circle != (key[0] if table.circle else ""):
            self._may(table, key, write=True)
        if not table.fits(values):
            raise _misfit(table, row, values)
        _set(row, "position", self.position)
        held = self._held[table.name]
        rows, changed = held.rows, held.changed
        if not changed:
            self.state.touch(held)
        self._undo.append((held, key, rows.get(key, _UNKNOWN), key in changed))
        rows[key] = changed[key] = row
        if held.watched:
            self.state.stirred = True

    def delete(self, table: Table[Any], *key: Given[SqlValue]) -> None:
        self._may(table, key, write=True)
        held = self._held[table.name]
        self.state.touch(held)
        self._undo.append((held, key, held.rows.get(key, _UNKNOWN), key in held.changed))
        held.rows[key] = held.changed[key] = None
        if held.watched:
            self.state.stirred = True

    def undo(self) -> None:
        """Leave everything as this draft found it."""
        while self._undo:
            held, key, before, changed = self._undo.pop()
            if changed:
                held.changed[key] = before
            else:
                del held.changed[key]
            if before is _UNKNOWN:
                del held.rows[key]
            else:
                held.rows[key] = before

    def writes(self, table: Table[Any]) -> int:
        """How often this draft has written to a table."""
        held = self._held[table.name]
        return sum([one[0] is held for one in self._undo])

    def scan(
        self,
        table: Table[R],
        *,
        after: Key | None = None,
        limit: int = 10_000,
        up_to: tuple[str, int] | None = None,
        **where: SqlValue,
    ) -> list[R]:
        """Rows whose fields equal `where`, in key order, at most `limit`, this draft's own writes included.

        Args:
            after: a key; only rows behind it. up_to: (field, highest value).
        """
        if self.circle and table.circle:
            where.setdefault("circle", self.circle)
        self._may(table, (where.get("circle"),))
        return self.state.scan(table, where, after=after, limit=limit, up_to=up_to)

    def timer(self, name: str, id: str, due: int, *, circle: str = "", args: tuple[str, ...] = ()) -> None:
        """Set a wait: timer rule `name` runs in the first block at or after ledger time `due`.

        Public rules only. The same (due, id) replaces. A circle named here has its circle timer rule run as well.
        """
        self.put(TIMERS, Timer(due=due, id=id, name=name, circle=circle, args=args))
        self.state.on_timer(due, id)

    def drop_timer(self, id: str, due: int) -> None:
        """End a wait before its time; one that is gone already is no fault."""
        self.delete(TIMERS, due, id)

    def tell(self, event: Any) -> None:
        """Tell an event to the rooms that subscribe; they run inside this draft, after this rule."""
        self.told.append(event)

    def _may(self, table: Table[Any], key: Sequence[SqlValue], write: bool = False) -> None:
        mine = self.circle and (key[0] == self.circle or (key[0] == self.reads and not write))
        if table.circle and not mine:
            raise AssertionError(
                f"{table.name}: circle {key[0]!r} is closed to a rule of circle {self.circle or '(public)'}"
            )
        if write and self.circle and not table.circle:
            raise AssertionError(f"{table.name}: a private rule may not write publicly")


def _misfit(table: Table[R], row: R, values: tuple[Any, ...]) -> Exception:
    """Why a row does not fit."""
    if UNSET in values:
        return AssertionError(f"{table.name} was given a field that the fact withholds")
    wide = table.too_wide(row)
    return Refused("kernel.overflow", f"{table.name}.{wide} leaves 64 bits", got=getattr(row, wide))
