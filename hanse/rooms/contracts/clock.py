"""A circle's clock: a public beat once a day, and the look that beats, facts and orders' events take at its waits."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.rules import circle_timer, timer
from hanse.rooms.contracts.endings import ENDINGS
from hanse.rooms.contracts.rows import CLOCKS, ClockRow
from hanse.rooms.contracts.waits import SETTLED_MAX, drop_wait, due_waits, may_tell, note_next

BEAT = "contracts.beat"
DAY_SECONDS = 86_400
QUIET_SECONDS = 400 * DAY_SECONDS
"""How long a clock goes on after a circle's last trade; the next fact or order of the circle starts it again."""
ROUNDS_MAX = 20


def start(draft: Draft, circle: str) -> None:
    """Start a circle's clock, or keep it going."""
    row = draft.get(CLOCKS, circle)
    if row is not None and row.until_at > draft.now:
        extend(draft, circle)
        return
    next_at = (draft.now // DAY_SECONDS + 1) * DAY_SECONDS
    draft.put(CLOCKS, ClockRow(circle=circle, next_at=next_at, until_at=draft.now + QUIET_SECONDS))
    draft.timer(BEAT, f"{BEAT}/{circle}", next_at, circle=circle)


def extend(draft: Draft, circle: str) -> None:
    """Keep a clock going that was started once; asked often, it writes rarely."""
    row = draft.get(CLOCKS, circle)
    if row is None or row.until_at - draft.now > QUIET_SECONDS - 30 * DAY_SECONDS:
        return
    if row.until_at <= draft.now:
        start(draft, circle)
        return
    draft.put(CLOCKS, replace(row, until_at=draft.now + QUIET_SECONDS))


@timer(BEAT)
def beat(draft: Draft, due: Timer) -> None:
    """Once a day; missed days are not made up for, since one look ends all that is due."""
    row = draft.get(CLOCKS, due.circle)
    if row is None or row.until_at <= draft.now:
        return
    next_at = (draft.now // DAY_SECONDS + 1) * DAY_SECONDS
    draft.put(CLOCKS, replace(row, next_at=next_at))
    draft.timer(BEAT, f"{BEAT}/{due.circle}", next_at, circle=due.circle)


@circle_timer(BEAT)
def look_at_beat(draft: Draft, due: Timer) -> None:
    look(draft)


def look(draft: Draft) -> None:
    """End what is due in the draft's circle, in the order of its times, as far as one draft may."""
    ended = 0
    for _ in range(ROUNDS_MAX):
        waits = due_waits(draft)
        if not waits or ended >= SETTLED_MAX or not may_tell(draft):
            return
        for wait in waits:
            if not may_tell(draft):
                break
            drop_wait(draft, wait.due, wait.id)
            ENDINGS[wait.what](draft, wait)
            ended += 1
        note_next(draft)
