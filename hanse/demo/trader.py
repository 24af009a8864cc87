"""The demo's hands: signs for every firm, submits without waiting, and sees that nothing was refused."""

from __future__ import annotations

import hashlib
import queue
import random
import threading
from collections.abc import Callable, Iterable

from hanse.engines.replies import Reply
from hanse.kernel.facts import Fact
from hanse.node import joining
from hanse.node.node import Node
from hanse.node.wallet import KeyPair, Presentation
from hanse.node.write_path import Receipt

DAY = 86_400
WAITING_MAX = 4_000
"""Facts that may wait for their receipts."""
BATCH_MAX = 1_000
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
    """One node, all firms, and two clocks: the one that firms plan and sign by runs ahead of the node's.

    What is signed goes through a queue in order. A step of time in it waits until all before has been applied, so that
    each fact meets the ledger time at which it was signed, while later ones are signed already.

    Attributes:
        clock: by which firms sign. ledger: the node's. dice: the demo's only source of chance.
        facts: how many were signed. homes: party -> home circle.
    """

    def __init__(
        self,
        node: Node,
        clock: DemoClock,
        ledger: DemoClock,
        dice: random.Random,
        progress: Callable[[int], None],
    ) -> None:
        self.node, self.clock, self.ledger, self.dice, self._progress = node, clock, ledger, dice, progress
        self.facts = 0
        self.homes: dict[str, str] = {}
        self.circles: dict[tuple[str, str], str] = {}
        self._pending: list[tuple[Fact, Reply[Receipt]]] = []
        self._queue: queue.Queue[tuple[Fact, Presentation] | int | None] = queue.Queue(WAITING_MAX)
        self._fault: BaseException | None = None
        self._feeder = threading.Thread(target=self._feed, name="demo-feeder", daemon=True)
        self._feeder.start()

    def home(self, party: str) -> str:
        if party not in self.homes:
            self.flush()
            self.homes[party] = self.node.view(party).home
        return self.homes[party]

    def circle(self, first: str, second: str) -> str:
        """The relationship of two firms, opened at first use."""
        key = (min(first, second), max(first, second))
        if key not in self.circles:
            self.flush()
            self.circles[key] = joining.relationship(self.node, first, second)
        return self.circles[key]

    def do(self, party: str, fact: Fact, pair: KeyPair | None = None) -> Presentation:
        """Sign singly, with a given key or as the circle knows the party, and submit; what was signed.

        Raises: DemoFault, where something before it was refused.
        """
        signed = self.node.wallet.sign(party, fact, pair=pair)
        self._put(fact, signed)
        return signed

    def do_batch(self, party: str, facts: Iterable[Fact]) -> list[Presentation]:
        """Sign many facts of one speaker at once and submit; what was signed. Raises: as `do`."""
        listed, out = list(facts), []
        for start in range(0, len(listed), BATCH_MAX):
            part = listed[start : start + BATCH_MAX]
            for fact, signed in zip(part, self.node.wallet.sign_batch(party, part), strict=True):
                self._put(fact, signed)
                out.append(signed)
        return out

    def _put(self, fact: Fact, signed: Presentation) -> None:
        self._check()
        self._queue.put((fact, signed))
        self.facts += 1

    def _check(self) -> None:
        if self._fault is not None:
            raise self._fault

    def flush(self) -> None:
        """Wait until everything signed so far has been applied. Raises: DemoFault at the first refusal."""
        self._queue.put(None)
        self._queue.join()
        self._check()

    def until(self, now: int) -> None:
        """Move on in time, once everything before has been applied."""
        if now > self.clock.now:
            self.clock.now = now
            self._queue.put(now)

    def close(self) -> None:
        """Stop submitting, whatever is left."""
        self._fault = self._fault or DemoFault("closed")
        self._queue.put(None)

    def _feed(self) -> None:
        """Submit in order. After a fault the rest is dropped: who waits for it hears of the fault."""
        while True:
            step = self._queue.get()
            try:
                if self._fault is None:
                    self._take(step)
            except BaseException as error:
                self._fault = error
            finally:
                self._queue.task_done()
            if isinstance(self._fault, DemoFault) and step is None:
                return

    def _take(self, step: tuple[Fact, Presentation] | int | None) -> None:
        if isinstance(step, tuple):
            fact, signed = step
            self._pending.append((fact, self.node.path.submit(signed)))
            if len(self._pending) >= WAITING_MAX:
                self._settle()
            return
        self._settle()
        if step is not None:
            self.ledger.now = max(self.ledger.now, step)

    def _settle(self) -> None:
        """Wait for the receipts. Raises: DemoFault."""
        pending, self._pending = self._pending, []
        for fact, reply in pending:
            refusal = reply.result(_WAIT_SECONDS).first_refusal
            if refusal is not None:
                raise DemoFault(f"{fact.kind}: {refusal} ({fact})")
        self._progress(len(pending))

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
