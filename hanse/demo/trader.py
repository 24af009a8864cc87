"""The demo's hands: signs for every firm, submits without waiting, and sees that nothing was refused."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from hanse.kernel.facts import Fact
from hanse.node import joining
from hanse.node.node import Node
from hanse.node.wallet import Presentation
from hanse.node.write_path import Receipt

DAY = 86_400
_WAIT_SECONDS = 120


class DemoClock:
    """A clock that the demo moves: UTC seconds."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> float:
        return float(self.now)


class DemoFault(Exception):
    """The demo signed something that was refused: a fault of the demo."""


class Trader:
    """One node, one clock, all firms.

    Attributes:
        dice: the demo's only source of chance. facts: how many were submitted. homes: party -> home circle.
    """

    def __init__(self, node: Node, clock: DemoClock, dice: random.Random, progress: Callable[[int], None]) -> None:
        self.node, self.clock, self.dice, self._progress = node, clock, dice, progress
        self.facts = 0
        self.homes: dict[str, str] = {}
        self.circles: dict[tuple[str, str], str] = {}
        self._pending: list[tuple[Fact, Future[Receipt]]] = []

    def home(self, party: str) -> str:
        if party not in self.homes:
            self.homes[party] = self.node.view(party).home
        return self.homes[party]

    def circle(self, first: str, second: str) -> str:
        """The relationship of two firms, opened at first use."""
        key = (min(first, second), max(first, second))
        if key not in self.circles:
            self.flush()
            self.circles[key] = joining.relationship(self.node, first, second)
        return self.circles[key]

    def do(self, party: str, fact: Fact) -> None:
        """Sign singly and submit."""
        self._submit(fact, self.node.wallet.sign(party, fact))

    def do_batch(self, party: str, facts: Iterable[Fact]) -> None:
        """Sign many facts of one speaker at once and submit."""
        listed = list(facts)
        for start in range(0, len(listed), 1000):
            part = listed[start : start + 1000]
            for fact, signed in zip(part, self.node.wallet.sign_batch(party, part), strict=True):
                self._submit(fact, signed)

    def _submit(self, fact: Fact, signed: Presentation) -> None:
        self._pending.append((fact, self.node.path.submit(signed)))
        self.facts += 1
        if len(self._pending) >= 4_000:
            self.flush()

    def flush(self) -> None:
        """Wait for everything submitted. Raises: DemoFault at the first refusal."""
        pending, self._pending = self._pending, []
        for fact, future in pending:
            refusal = future.result(_WAIT_SECONDS).first_refusal
            if refusal is not None:
                raise DemoFault(f"{fact.kind}: {refusal} ({fact})")
        self._progress(len(pending))

    def until(self, now: int) -> None:
        """Move the clock, once everything before has been applied."""
        self.flush()
        self.clock.now = max(self.clock.now, now)

    def poisson(self, mean: float) -> int:
        """A Poisson draw by counting (Knuth); mean below about 30."""
        limit, count, product = 2.718281828459045**-mean, 0, self.dice.random()
        while product > limit:
            count += 1
            product *= self.dice.random()
        return count


def claim(secret: str) -> str:
    """What a hold shows of its secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
