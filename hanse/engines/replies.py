"""Replies: what comes back for a submitted fact, later. A block gives thousands at once, so that they are light.

As a future of the standard library, but for the lock, the condition and the states that each of those has.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar, cast

T = TypeVar("T")
_giving: Final = threading.Lock()
_log: Final = logging.getLogger(__name__)


class Reply(Generic[T]):
    """Of one fact, for any number of threads. Who stops waiting does not stop the fact."""

    def __init__(self) -> None:
        self._given = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._event: threading.Event | None = None  # where somebody waits
        self._then: list[Callable[[Reply[T]], None]] = []

    def done(self) -> bool:
        """Whether it has come."""
        return self._given

    def result(self, timeout: float | None = None) -> T:
        """Wait for it, at most so many seconds. Raises: what it is, where it is an exception; TimeoutError."""
        if not self._given and not self._comes(timeout):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return cast(T, self._value)

    def _comes(self, timeout: float | None) -> bool:
        with _giving:
            if self._given:
                return True
            if self._event is None:
                self._event = threading.Event()
            event = self._event
        return event.wait(timeout)

    def add_done_callback(self, told: Callable[[Reply[T]], None]) -> None:
        """Call it with this reply once it has come, in the thread that gives it; at once where it is there."""
        with _giving:
            if not self._given:
                self._then.append(told)
                return
        told(self)


def give(replies: Sequence[Reply[Any]], answers: Sequence[Any]) -> None:
    """To each its answer, value or exception, in order; one that was given stays. Raises ValueError where they are not
    as many."""
    if len(replies) != len(answers):
        raise ValueError(f"{len(answers)} answers to {len(replies)} facts")
    waited: list[threading.Event] = []
    told: list[Reply[Any]] = []
    with _giving:
        for n, reply in enumerate(replies):
            if reply._given:
                continue
            answer = answers[n]
            if isinstance(answer, BaseException):
                reply._error = answer
            else:
                reply._value = answer
            reply._given = True
            if reply._event is not None:
                waited.append(reply._event)
            if reply._then:
                told.append(reply)
    for event in waited:
        event.set()
    for reply in told:
        for then in reply._then:
            try:
                then(reply)
            except Exception:  # the writer goes on
                _log.exception("who was told of a reply failed")
