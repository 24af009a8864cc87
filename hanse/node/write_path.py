"""The write path. `submit` is the only way to write; its five steps stand on this page.

1. submit    read the bytes, look at window and quota, verify the signature
2. order     the engine gives the fact its place and the block its ledger time
3. apply     one rule reads state and writes a draft, or refuses
4. append    disclosures, then leaves, reach the disk; then what the block changed is handed to the state's writer
5. receipt   once readers can see the block, the caller gets position and outcome
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from hanse.engines import Answers, Engine
from hanse.engines.replies import Reply, give
from hanse.kernel.apply import Applier
from hanse.kernel.entries import Header
from hanse.kernel.facts import Admitted, Waiting
from hanse.kernel.kept import SEEN
from hanse.kernel.opened import in_turn
from hanse.kernel.outcome import Block, Outcome
from hanse.kernel.refusal import Refused
from hanse.kernel.refusals import Refusal
from hanse.kernel.writer import Commits
from hanse.node import asking
from hanse.node.admission import Admission, check_size
from hanse.node.collecting import CROWD_FROM, Crowds
from hanse.node.disclosures import Disclosures
from hanse.node.gate import Answered, Gate, Helper
from hanse.node.journal import journal
from hanse.node.replay import header_of, replay
from hanse.node.tidying import LogKeeper
from hanse.node.wallet import Presentation
from hanse.record.files import DiskFull
from hanse.record.log import Log
from hanse.record.segment import Unusable

_journal = journal("hanse.node")
BESIDE_FROM = CROWD_FROM
"""From a block of so many facts on the state is written by a process of its own."""
_STATE_FAILS = (sqlite3.Error, OSError)


class Receipt(Struct, frozen=True, gc=False):
    """What a submitter gets.

    Attributes:
        position: the fact's entry. height, time: its block and ledger time. code: "ok" or the recorded refusal's code.
        refusal: the whole refusal. private: circle -> its refusal, for the circles of the fact.
        repeated: these bytes stood already; this is their first receipt.
    """

    position: int
    height: int
    time: int
    code: str
    refusal: Refusal | None = None
    private: dict[str, Refusal] = {}
    repeated: bool = False

    @property
    def first_refusal(self) -> Refusal | None:
        """Why the fact did not take its full effect, or None."""
        return self.refusal or next(iter(self.private.values()), None)


class WritePath:
    """Joins engine, rules, record and disclosures. One per data directory."""

    engine: Engine

    def __init__(
        self,
        applier: Applier,
        log: Log,
        disclosures: Disclosures,
        *,
        find_key: Callable[[str], bytes | None],
        clock: Callable[[], float],
        start_helper: Callable[[], Helper] | None = None,
        start_writer: Callable[[], Commits] | None = None,
    ) -> None:
        self.applier, self.log, self.disclosures = applier, log, disclosures
        self.net = applier.meta.net
        self.ledger_time = applier.meta.time
        self._clock = clock
        self.listeners: list[Callable[[Block], None]] = []
        self.kept: set[str] = set()  # the kinds of facts that listeners look at
        self._writing = threading.Lock()
        self._behind = False  # the record has a block that the state lacks
        self._strays = False  # disclosures may be kept of a block that did not reach the record
        self._ailing = self._broken = ""
        self._start_writer = start_writer
        self._keeper = LogKeeper(applier.state.conn)
        self.crowds = Crowds()
        self.admission = Admission(applier.book.kinds, self.net, find_key)
        self.gate = Gate(self.admission, self._order, start_helper, self.now)

    def now(self) -> int:
        """UTC seconds by the clock, never before the last block's: a clock that falls back stops no trade."""
        return int(self.now_exactly())

    def now_exactly(self) -> float:
        """As `now`, with what the clock gives below a second."""
        return max(self._clock(), self.ledger_time)

    def submit(self, sent: Presentation) -> Reply[Receipt]:
        """Steps 1 and 2. The reply is the receipt, or raises what kept the fact off the record.

        Refuses, in order: as `admission.check_size`, node.closing, node.busy; in the reply as `Admission.admit`,
            node.closing, node.busy, as the rules of a fact that introduces a key (it costs its sender nothing, so the
            record is spared), fact.too_many_refusals, node.disk_full, node.unsure, node.record_closed.
        """
        return self.submit_all((sent,))[0]

    def submit_all(self, sent: Sequence[Presentation]) -> list[Reply[Receipt]]:
        """Several at once, in order, as those of a signed batch. Refuses as `submit`; then none is taken."""
        replies: list[Reply[Receipt]] = []
        for one in sent:
            check_size(one.jwt, one.disclosures, one.batch)
            replies.append(Reply())
        self.gate.submit(sent, replies)
        asking.wrote(replies)
        return replies

    def _order(self, answered: Answered) -> None:
        good: list[tuple[Admitted, Reply[Any]]] = []
        for answer, reply in answered:
            if isinstance(answer, Refused):
                give([reply], [answer])
            else:
                good.append((answer, reply))
        try:
            self.engine.order(good)
        except Refused as refused:
            give([reply for _, reply in good], [refused] * len(good))

    def apply(self, facts: Sequence[Admitted], time: int) -> Answers:
        """Steps 3 and 4, called by the engine once a block. What it returns is step 5: one receipt or one `Refused` a
        fact, in order."""
        with self._writing:
            now = max(time, self.applier.meta.time)
            barred = [self._barred(one, now) for one in facts]
            good = [one for one, bar in zip(facts, barred, strict=True) if bar is None]
            circles: list[str] = []
            if facts and not good:
                return lambda: list(barred)
            if len(good) >= BESIDE_FROM:
                self._write_beside()
            with self.crowds.block(len(good)):
                block = self._block(good, time, circles)
            if isinstance(block, Refused):
                return lambda: [bar or block for bar in barred]
            commit = self._commit()

        def answers() -> list[Any]:
            with self._writing:
                self._stands(block, commit)
                receipts = iter(self._receipts(circles, block))
            return [bar or next(receipts) for bar in barred]

        return answers

    def _barred(self, one: Admitted, now: int) -> Refused | None:
        """Why a fact is kept off the record, or None. One that stands already gets its first receipt."""
        if self.applier.retries.refusals_left(one.kid, now) <= 0:
            return Refused("fact.too_many_refusals", "this key was refused too often", retry=True, next="wait an hour")
        if isinstance(one, Waiting) or not one.fact.introduces or self._behind:
            return None
        if self.applier.state.get(SEEN, (one.kid, one.envelope.nonce)) is not None:
            return None
        try:
            refusal = self.applier.trial(one, now)
        except Exception:
            return None  # the block will say
        return Refused.of(refusal) if refusal else None

    def _block(self, facts: list[Admitted], time: int, circles: list[str]) -> Block | Refused:
        """Apply, then make durable: disclosures, leaves, state, in this order. `circles` gets each fact's, or ""."""
        if self._broken:
            return Refused("node.record_closed", f"this node must be restarted: {self._broken}", retry=True)
        try:
            self._catch_up()
            block = self.applier.block(in_turn(self.applier.book.kinds, facts, circles), time, keep=self.kept)
            self._keep_disclosures(facts, circles, block)
            self.log.append(block.leaves)
        except BaseException as error:
            self.applier.state.rollback()
            return self._cannot_write(error)
        try:
            self.log.sync()
        except (OSError, Unusable) as error:
            self.applier.state.rollback()
            self._broken = str(error)
            _journal.error("record.sync_failed", error=str(error))
            return Refused(
                "node.unsure",
                f"the disk did not say whether it kept this: {error}",
                retry=True,
                next="restart the node, then send the same bytes again",
            )
        return block

    def _write_beside(self) -> None:
        """A crowd: from now on the state is written by a process of its own."""
        if self._start_writer is not None and self.applier.state.in_place and not self._behind:
            try:
                self.applier.state.write_with(self._start_writer())
            except OSError as error:
                _journal.warning("state.writer_not_started", error=str(error))
                self._start_writer = None

    def _commit(self) -> int:
        """Hand what the block changed to the state's writer; the commit's number."""
        state = self.applier.state
        try:
            number = state.commit(wait=False)
            if state.in_place:
                self._keeper.keep_short()
        except _STATE_FAILS as error:
            return self._fell_behind(error)
        return number

    def _stands(self, block: Block, commit: int) -> None:
        """Wait until a block's rows stand, and tell of it."""
        if not self._behind:
            try:
                self.applier.state.settle(commit)
            except _STATE_FAILS as error:
                self._fell_behind(error)
        self._published(block)

    def _fell_behind(self, error: Exception) -> int:
        """The record has what the state could not take: it is brought there at once, or else with the next block."""
        self._behind = True
        _journal.error("state.commit_failed", error=str(error))
        with suppress(Exception):
            self._catch_up()
        return 0

    def _keep_disclosures(self, facts: Sequence[Admitted], circles: Sequence[str], block: Block) -> None:
        private = [
            (outcome.position, circle, b"~".join(one.disclosures))
            for one, circle, outcome in zip(facts, circles, block.outcomes, strict=True)
            if one.disclosures and not outcome.repeated
        ]
        if private or self._strays:
            self._strays = True
            self.disclosures.put(self.log.size, private)
            self._strays = False

    def _cannot_write(self, error: BaseException) -> Refused:
        """The refusal for what kept a block off the record. Raises: the error, where it is a fault of the software."""
        self._strays = True
        if isinstance(error, Unusable):
            self._broken = str(error)
            _journal.error("record.unusable", error=str(error))
            return Refused("node.record_closed", f"this node must be restarted: {error}", retry=True)
        if not isinstance(error, DiskFull | sqlite3.OperationalError | OSError):
            raise error
        if not self._ailing:
            _journal.error("node.cannot_write", error=str(error))
        self._ailing = str(error)
        return Refused(
            "node.disk_full", f"this node cannot write: {error}", retry=True, next="free space, then try again"
        )

    def _published(self, block: Block) -> None:
        """What follows from a block that stands."""
        if self._ailing:
            _journal.info("node.writes_again", after=self._ailing)
            self._ailing = ""
        self.ledger_time = block.header.time
        for listener in self.listeners:
            try:
                listener(block)
            except Exception:
                _journal.exception("node.listener_failed", height=block.header.height)

    def _catch_up(self) -> None:
        """After a state that could not be written: apply what the record has and the state lacks. Not where the disk
        has not said whether it kept the last of it: nobody sees what a restart may not find."""
        if self._broken:
            return
        if self._behind or self.applier.meta.size != self.log.size:
            replay(self.applier, self.log, self.disclosures)
            self._behind = False

    def _receipts(self, circles: Sequence[str], block: Block) -> list[Receipt]:
        """Step 5. Of private outcomes the submitter is told its fact's circle's; other parties' homes are theirs."""
        return [
            self._receipt(circle, outcome, header_of(self.log, outcome.position) if outcome.repeated else block.header)
            for circle, outcome in zip(circles, block.outcomes, strict=True)
        ]

    @staticmethod
    def _receipt(circle: str, outcome: Outcome, header: Header) -> Receipt:
        private = {name: refusal for name, refusal in outcome.private.items() if name == circle}
        return Receipt(
            outcome.position, header.height, header.time, outcome.code, outcome.refusal, private, outcome.repeated
        )

    @property
    def next_due(self) -> int | None:
        """The ledger time of the next timer, or None."""
        with self._writing:
            return self.applier.first_due()

    def trial(self, sent: Presentation) -> Refusal | None:
        """What would become of a fact, public and private, without ordering it: doors ask before they submit.

        Refuses: as `admission.check_size`, `Admission.read`.
        """
        check_size(sent.jwt, sent.disclosures, sent.batch)
        signed = self.admission.read(sent)
        with self._writing:
            self._catch_up()
            return self.applier.trial(signed, self.now())
