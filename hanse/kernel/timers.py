"""Timers: which are due, without asking the database at every block.

Those that end first are kept in memory, up to a horizon. Memory says only where to look: whether a timer still stands,
the state says.
"""

from __future__ import annotations

import heapq

from hanse.kernel.kept import TIMERS, Timer
from hanse.kernel.state import NEVER, State

KEPT = 2_000
"""Timers taken into memory at once; four times as many may stand there."""


class Timers:
    """The timers of a state.

    Invariant: every timer that stands and is due at or before the horizon is among the next.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.forget()

    def forget(self) -> None:
        """A block was taken back, or this is the first."""
        self._next: list[tuple[int, str]] = []  # a heap of keys; of timers that are gone, too
        self._horizon = -1
        self._most = 4 * KEPT

    def set(self, due: int, id: str) -> None:
        """A timer was set."""
        if due <= self._horizon:
            heapq.heappush(self._next, (due, id))
            if len(self._next) > self._most:
                self._narrow()

    def first_due(self) -> int | None:
        """The ledger time of the next timer, or None."""
        while True:
            while self._next:
                if self._state.get(TIMERS, self._next[0]) is not None:
                    return self._next[0][0]
                heapq.heappop(self._next)
            if self._horizon == NEVER:
                return None
            self._look_further()

    def due(self, now: int, most: int) -> list[Timer]:
        """Timers due at or before `now`, in order of (due, id), at most so many. They stay until they are dropped."""
        if now < (self._next[0][0] if self._next else self._horizon):
            return []
        found: dict[tuple[int, str], Timer] = {}
        while len(found) < most:
            first = self.first_due()
            if first is None or first > now:
                break
            key = heapq.heappop(self._next)
            row = self._state.get(TIMERS, key)
            assert row is not None, "first_due has looked"
            found[key] = row
        for key in found:
            heapq.heappush(self._next, key)
        return list(found.values())

    def _look_further(self) -> None:
        """Take the first timers behind the horizon into memory."""
        behind = (self._horizon + 1, "")
        rows = self._state.scan(TIMERS, {}, after=behind, limit=KEPT + 1)
        if len(rows) <= KEPT:
            self._horizon = NEVER
        else:
            self._horizon = max(rows[0].due, rows[-1].due - 1)
            rows = self._state.scan(TIMERS, {}, after=behind, up_to=("due", self._horizon), limit=NEVER)
        self._next += [(row.due, row.id) for row in rows]
        heapq.heapify(self._next)

    def _narrow(self) -> None:
        """Let go of what ends last."""
        first = heapq.nsmallest(KEPT, self._next)
        self._horizon = max(first[0][0], first[-1][0] - 1)
        self._next = sorted([key for key in self._next if key[0] <= self._horizon])
        self._most = max(4 * KEPT, 2 * len(self._next))
