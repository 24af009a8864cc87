"""A circle's waits: what ends by itself in private, in the order of its times.

A private rule may set no timer of the ledger, whose deadlines everybody sees. So the circle keeps its own, and looks at
them before every fact of this room, at every order's event, and at the daily beat of its public clock.
"""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.rooms.contracts.private_rows import CIRCLE_ROWS, WAITS, CircleRow, Wait

SETTLED_MAX = 200
"""Waits that one look ends at most; the rest end at the next."""
TELL_MAX = 60
"""Events that one draft tells at most: later rooms answer each, and the kernel bounds what one fact may cause."""


def circle_row(draft: Draft) -> CircleRow:
    """What the circle's rules ask first; an empty one where no agreement ever stood."""
    return draft.get(CIRCLE_ROWS, draft.circle) or CircleRow(circle=draft.circle)


def put_wait(draft: Draft, due: int, id: str, what: str, *args: str) -> None:
    """Let `what` happen at `due` (UTC seconds), or at the first look after it. The same (due, id) replaces."""
    draft.put(WAITS, Wait(circle=draft.circle, due=due, id=id, what=what, args=args))
    row = circle_row(draft)
    if row.next_at == 0 or due < row.next_at:
        draft.put(CIRCLE_ROWS, replace(row, next_at=due))


def drop_wait(draft: Draft, due: int, id: str) -> None:
    """End a wait before its time; one that is gone is no fault."""
    draft.delete(WAITS, draft.circle, due, id)


def due_waits(draft: Draft) -> list[Wait]:
    """The waits whose time has come, earliest first, at most `SETTLED_MAX`; costs one key read where there is none."""
    row = draft.get(CIRCLE_ROWS, draft.circle)
    if row is None or row.next_at == 0 or row.next_at > draft.now:
        return []
    return draft.scan(WAITS, up_to=("due", draft.now), limit=SETTLED_MAX)


def note_next(draft: Draft) -> None:
    """Keep when the next wait ends, after some have ended."""
    first = draft.scan(WAITS, limit=1)
    row = circle_row(draft)
    next_at = first[0].due if first else 0
    if row.next_at != next_at:
        draft.put(CIRCLE_ROWS, replace(row, next_at=next_at))


def may_tell(draft: Draft) -> bool:
    """Whether this draft may tell one more event."""
    return len(draft.told) < TELL_MAX
