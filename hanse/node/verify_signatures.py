"""Signatures verified beside a replay, in a process of their own, in chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from hanse.node.signatures import Check, Helper
from hanse.record import ed25519

CHUNK_CHECKS = 2_048


class Signatures:
    """Signatures verified in a process beside the replay, in chunks."""

    def __init__(self) -> None:
        self._helper: Helper | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="hanse-signatures")
        self._waiting: list[tuple[int, Check]] = []
        self._under_way: list[tuple[list[int], Future[list[bool]]]] = []
        self._after: list[Callable[[], None]] = []

    def on_close(self, call: Callable[[], None]) -> None:
        self._after.append(call)

    def take(self, position: int, check: Check) -> None:
        self._waiting.append((position, check))
        if len(self._waiting) >= CHUNK_CHECKS:
            self._send()

    def _send(self) -> None:
        if self._waiting:
            positions, checks = [p for p, _ in self._waiting], [c for _, c in self._waiting]
            self._under_way.append((positions, self._pool.submit(self._verify, checks)))
            self._waiting = []

    def _verify(self, checks: list[Check]) -> list[bool]:
        if self._helper is None and len(checks) < CHUNK_CHECKS:
            return [ed25519.verify(*check) for check in checks]  # not worth a process
        try:
            self._helper = self._helper or Helper()
            return self._helper.verify(checks)
        except OSError:
            return [ed25519.verify(*check) for check in checks]

    def answers(self, all: bool = False) -> Iterator[int]:
        """The positions whose signatures do not verify, as far as known; keeps two chunks under way unless `all`."""
        while self._under_way and (all or len(self._under_way) > 2):
            positions, answers = self._under_way.pop(0)
            yield from (p for p, good in zip(positions, answers.result(), strict=True) if not good)

    def close(self) -> list[int]:
        """Wait for the rest; the positions whose signatures do not verify."""
        self._send()
        bad = list(self.answers(all=True))
        self._pool.shutdown()
        if self._helper:
            self._helper.close()
        for call in self._after:
            call()
        return bad
