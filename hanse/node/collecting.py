"""Python's search for cycles, which facts and rows do not form: when it is done, and when it would only cost.

The search goes over each object that was made since the last and still stands. Of a fact some twenty stand, keys of
rows mostly, so that it took a tenth of the node's time while a crowd was written.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

COLLECT_AFTER = (5_000, 200, 100)
"""When cycles are looked for: facts and rows form none. A look after every 700 objects cost a fifth of a fact;
one after 50,000 kept every fact that waited for it waiting for 60 ms."""
CROWD_FROM = 100
"""Facts of one block."""
QUIET_SECONDS = 3.0
"""Without a fact after a crowd, until all is searched once."""
LATE_SECONDS = 60.0
FACTS_MAX = 500_000
"""After so long, or so many facts of crowds, all is searched in any case: what others leave in cycles stays until then.
"""


@contextmanager
def without_collecting() -> Iterator[None]:
    """Of a long replay: what it makes forms no cycles. To look for some after every 700 objects, as Python does by
    itself, takes a fifth of its time, and after every 500,000 still a twentieth: it is not done until the end."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class Crowds:
    """What stands after a block of a crowd joins the oldest objects unsearched; they are searched when nobody waits.

    One thread writes blocks, another calls `tidy` now and then.

    Args:
        clock: seconds, of any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._facts = 0  # of crowds, since all was searched
        self._first = self._last = 0.0  # when a crowd's block began first since then, and any block last

    @contextmanager
    def block(self, facts: int) -> Iterator[None]:
        """Around the applying of a block of so many facts."""
        self._last = self._clock()
        if facts < CROWD_FROM:
            yield
            return
        with without_collecting():
            yield
            gc.freeze()
            gc.unfreeze()  # both at once: all objects are among the oldest now, whose turn comes seldom
        self._first = self._first if self._facts else self._last
        self._facts += facts

    def tidy(self) -> bool:
        """Search all, where it is time; whether it was."""
        now = self._clock()
        quiet, late = now - self._last >= QUIET_SECONDS, now - self._first >= LATE_SECONDS
        if not self._facts or not (quiet or late or self._facts >= FACTS_MAX):
            return False
        self._facts = 0
        gc.collect()
        return True
