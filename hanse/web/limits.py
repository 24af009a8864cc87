"""Request rate limits: a token bucket per session or address, in memory (a restart forgives)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hanse.web.refusals import Refusal

KEYS_MAX = 50_000


class RateLimit:
    """At most `per_minute` requests a minute for one key, in bursts of a quarter of that (at least 20).

    Args:
        per_minute: requests per minute, > 0.
        clock: monotonic seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self.rate = per_minute / 60
        self.burst = max(20.0, per_minute / 4)
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> None:
        """Count one request. Refuses: request.too_many, with the seconds after which one more is accepted."""
        now = self._clock()
        with self._lock:
            left, at = self._left.pop(key, (self.burst, now))
            left = min(self.burst, left + (now - at) * self.rate)
            allowed = left >= 1
            self._left[key] = (left - 1 if allowed else left, now)
            if len(self._left) > KEYS_MAX:
                self._left.pop(next(iter(self._left)))
        if not allowed:
            raise Refusal(
                "request.too_many",
                "Too many requests in a short time.",
                status=429,
                expected=f"at most {round(self.rate * 60)} a minute",
                next="Wait a moment, then try again.",
                retry=max(1, round((1 - left) / self.rate + 0.5)),
            )
