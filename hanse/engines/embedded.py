"""The embedded engine: one writer thread on one machine; what waits when a block ends is the next block."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from hanse.engines import Answers, ApplyBlock
from hanse.engines.replies import Reply, give
from hanse.kernel.facts import Admitted
from hanse.kernel.refusal import Refused

BLOCK_FACTS_MAX = 2_000
WAITING_MAX = 50_000
GATHER_SECONDS = 0.004
"""From the beginning of one block to that of the next at least: what comes in between shares its costs. A fact that
comes alone waits for nothing."""
IDLE_SECONDS = 0.5
_Applied = tuple[list[Reply[Any]], Answers]
"""A block's facts' replies, and its answers."""


class Embedded:
    """Orders facts as they come. Nothing that goes wrong in a block ends the writer: each of its facts is answered.

    Args:
        apply: the node's. clock: UTC seconds; a clock that falls back is the node's to correct.
        due: the ledger time of the next timer, or None; an idle network closes an empty block when it has come.
        on_fault: told what `apply` or `due` raised.
    """

    def __init__(
        self,
        apply: ApplyBlock,
        *,
        due: Callable[[], int | None],
        clock: Callable[[], float] = time.time,
        on_fault: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        self._apply, self._due, self._clock, self._on_fault = apply, due, clock, on_fault
        self._waiting: deque[tuple[Admitted, Reply[Any]]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="hanse-writer", daemon=True)
        self._thread.start()

    def order(self, facts: Sequence[tuple[Admitted, Reply[Any]]]) -> None:
        with self._changed:
            if self._closing:
                raise Refused("node.closing", "this node is closing", retry=True, next="try again shortly")
            if len(self._waiting) >= WAITING_MAX:
                raise Refused("node.busy", "too many facts are waiting", retry=True, next="try again shortly")
            self._waiting.extend(facts)
            self._changed.notify()

    def tick(self) -> None:
        """Wake the writer, so that it looks at its timers (tests and simulated clocks)."""
        with self._changed:
            self._changed.notify()

    def _run(self) -> None:
        """A block's answers are given before anything is waited for, and in a crowd after the next block is applied."""
        began = 0.0
        before: _Applied = ([], list)
        while True:
            rest = began + GATHER_SECONDS - time.monotonic()
            if rest > 0 or not self._waiting:
                self._answer(*before)
                before = [], list
            with self._changed:
                if not self._waiting and not self._closing:
                    self._changed.wait(IDLE_SECONDS)
            if (rest := began + GATHER_SECONDS - time.monotonic()) > 0 and not self._closing:
                time.sleep(rest)
            began = time.monotonic()
            with self._changed:
                taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), BLOCK_FACTS_MAX))]
                if not taken and self._closing:
                    return
            under_way = [reply for _, reply in taken], self._block([signed for signed, _ in taken])
            self._answer(*before)
            before = under_way

    def _block(self, facts: list[Admitted]) -> Answers:
        """One block: of what was taken, or for a timer that is due; nothing where there is neither."""
        try:
            now = int(self._clock())
            due = None if facts else self._due()
            if not facts and (due is None or due > now):
                return list
            return self._apply(facts, now)
        except BaseException as error:
            self._on_fault(error)
            answers = [error] * len(facts)
            return lambda: answers

    def _answer(self, replies: list[Reply[Any]], answers_of: Answers) -> None:
        try:
            answers = answers_of()
        except BaseException as error:
            self._on_fault(error)
            answers = [error] * len(replies)
        give(replies, answers)

    def close(self) -> None:
        """Order what waits, then stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
