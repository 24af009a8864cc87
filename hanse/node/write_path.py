"""The write path. `submit` is the only way to write; its five steps stand on this page.

1. submit    read the bytes, look at window and quota, verify the signature
2. order     the engine gives the fact its place and the block its ledger time
3. apply     one rule reads state and writes a draft, or refuses
4. append    disclosures, then leaves, reach the disk; then the state is committed
5. receipt   the caller gets position and outcome
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from msgspec import Struct

from hanse.engines import Engine
from hanse.kernel.apply import Applier, Block, Outcome
from hanse.kernel.batches import signed_part
from hanse.kernel.entries import Header
from hanse.kernel.facts import WINDOW_SECONDS_MAX, Signed, read
from hanse.kernel.kept import SEEN, TIMERS
from hanse.kernel.refusal import Refusal, Refused
from hanse.kernel.state import Draft
from hanse.node.disclosures import Disclosures
from hanse.node.journal import journal
from hanse.node.replay import header_of, replay
from hanse.node.signatures import Verifier
from hanse.node.wallet import Presentation
from hanse.record.files import DiskFull
from hanse.record.frames import ENTRY_BYTES_MAX
from hanse.record.log import Log
from hanse.record.segment import Unusable
from hanse.standards import sdjwt

DISCLOSURES_BYTES_MAX = 1_000_000
DEPTH_MAX = 32
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[][{}]')
_FRAME_BYTES_MAX = 200
"""What an entry adds to a fact's bytes at most: its form, the outcome's code, its place in a batch."""
_journal = journal("hanse.node")


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
        verifier: Verifier,
        find_key: Callable[[str], bytes | None],
        clock: Callable[[], float],
    ) -> None:
        self.applier, self.log, self.disclosures, self.verifier = applier, log, disclosures, verifier
        self.net = applier.meta.net
        self.ledger_time = applier.meta.time
        self._find_key, self._clock = find_key, clock
        self._keys: dict[str, bytes] = {}
        self.listeners: list[Callable[[Block], None]] = []
        self._writing = threading.Lock()
        self._behind = False  # the record has a block that the state lacks
        self._strays = False  # disclosures may be kept of a block that did not reach the record
        self._ailing = self._broken = ""
        self.next_due = self._first_due()

    def now(self) -> int:
        """UTC seconds by the clock, never before the last block's: a clock that falls back stops no trade."""
        return int(self.now_exactly())

    def now_exactly(self) -> float:
        """As `now`, with what the clock gives below a second."""
        return max(self._clock(), self.ledger_time)

    def submit(self, presentation: Presentation) -> Future[Receipt]:
        """Steps 1 and 2. The future holds the receipt, or raises what kept the fact off the record.

        Refuses, in order: node.closing, fact.too_large, fact.bad_batch_path, fact.bad_disclosure, as
            `kernel.facts.read`, fact.bad_body (nested too deeply), fact.wrong_network, fact.expired,
            fact.window_too_long, fact.no_circle, parties.bad_key, parties.unknown_key, as
            `kernel.batches.signed_part`, as the rules of a fact that introduces a key (it costs its sender nothing, so
            the record is spared), node.busy; in the future fact.bad_signature, node.closing, node.busy,
            fact.too_many_refusals, node.disk_full, node.unsure, node.record_closed.
        """
        self.verifier.require_open()
        signed = self._read(presentation)
        self._check_window(signed)
        check = (self._key(signed), *signed_part(signed))
        if signed.fact.introduces and (refusal := self._try(signed, again=True)):
            raise Refused.of(refusal)
        future: Future[Receipt] = Future()
        future.set_running_or_notify_cancel()  # who stops waiting does not stop the fact
        self.verifier.submit(check, lambda good: self._order(signed, future, good))
        return future

    def _check_window(self, signed: Signed) -> None:
        envelope, now = signed.envelope, self.now()
        if envelope.net != self.net:
            raise Refused("fact.wrong_network", "this fact is for another network", got=envelope.net)
        if envelope.exp < now:
            raise Refused("fact.expired", "the fact's window is over", got=envelope.exp, next="sign anew")
        if envelope.exp > now + WINDOW_SECONDS_MAX:
            raise Refused("fact.window_too_long", "a window is at most seven days", got=envelope.exp - now)
        if signed.disclosures and not getattr(signed.fact, "circle", ""):
            raise Refused("fact.no_circle", "private fields need a circle", next="name the circle that may read them")

    def _key(self, signed: Signed) -> bytes:
        """The public key that the kid names; a kid's key never changes, so what was found is kept."""
        kid = signed.envelope.kid
        key = self._keys.get(kid)
        if key is None:
            if signed.fact.introduces:
                return introduced_key(signed)
            key = self._find_key(kid)
            if key is None:
                raise Refused("parties.unknown_key", "no such key", got=kid, next="join the network, or add the key")
            self._keys[kid] = key
        return key

    def _order(self, signed: Signed, future: Future[Receipt], good: bool) -> None:
        try:
            if not good:
                raise Refused(
                    "fact.bad_signature", "the signature does not verify", next="sign with the key that kid names"
                )
            self.engine.order(signed, future)
        except Refused as refused:
            future.set_exception(refused)

    def apply(self, facts: Sequence[Signed], time: int) -> list[Any]:
        """Steps 3 and 4, called by the engine once a block. One receipt or one `Refused` a fact, in order."""
        with self._writing:
            now = max(time, self.applier.meta.time)
            barred = [self._barred(signed, now) for signed in facts]
            good = [signed for signed, bar in zip(facts, barred, strict=True) if bar is None]
            block = self._block(good, time)
            receipts = iter(self._receipts(good, block) if isinstance(block, Block) else [block] * len(good))
            return [bar or next(receipts) for bar in barred]

    def _barred(self, signed: Signed, now: int) -> Refused | None:
        if self.applier.refusals_left(signed.envelope.kid, now) > 0:
            return None
        return Refused("fact.too_many_refusals", "this key was refused too often", retry=True, next="wait an hour")

    def _block(self, facts: list[Signed], time: int) -> Block | Refused:
        """Apply, then make durable: disclosures, leaves, state, in this order."""
        if self._broken:
            return Refused("node.record_closed", f"this node must be restarted: {self._broken}", retry=True)
        try:
            self._catch_up()
            block = self.applier.block(facts, time)
            self._keep_disclosures(block)
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
        try:
            self.applier.state.commit()
        except sqlite3.OperationalError as error:
            self.applier.state.rollback()
            self._behind = True
            _journal.error("state.commit_failed", error=str(error))
        self._published(block)
        return block

    def _keep_disclosures(self, block: Block) -> None:
        private = [
            (position, getattr(signed.fact, "circle", ""), b"~".join(signed.disclosures))
            for position, signed in block.recorded
            if signed.disclosures
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
        self.next_due = self._first_due()
        for listener in self.listeners:
            try:
                listener(block)
            except Exception:
                _journal.exception("node.listener_failed", height=block.header.height)

    def _catch_up(self) -> None:
        """After a state that could not be committed: apply what the record has and the state lacks."""
        if self._behind:
            replay(self.applier, self.log, self.disclosures)
            self._behind = False

    def _receipts(self, facts: Sequence[Signed], block: Block) -> list[Receipt]:
        """Step 5. Of private outcomes the submitter is told its fact's circle's; other parties' homes are theirs."""
        return [
            self._receipt(signed, outcome, header_of(self.log, outcome.position) if outcome.repeated else block.header)
            for signed, outcome in zip(facts, block.outcomes, strict=True)
        ]

    @staticmethod
    def _receipt(signed: Signed, outcome: Outcome, header: Header) -> Receipt:
        circle = getattr(signed.fact, "circle", "")
        private = {name: refusal for name, refusal in outcome.private.items() if name == circle}
        return Receipt(
            outcome.position, header.height, header.time, outcome.code, outcome.refusal, private, outcome.repeated
        )

    def _first_due(self) -> int | None:
        first = Draft(self.applier.state, now=0, position=0).scan(TIMERS, limit=1)
        return first[0].due if first else None

    def trial(self, presentation: Presentation) -> Refusal | None:
        """What would become of a fact, public and private, without ordering it: doors ask before they submit."""
        return self._try(self._read(presentation))

    def _try(self, signed: Signed, again: bool = False) -> Refusal | None:
        """The trial's refusal; with `again`, None for a fact that stands already, which gets its first receipt."""
        with self._writing:
            self._catch_up()
            if again and self.applier.state.get(SEEN, (signed.envelope.kid, signed.envelope.nonce)) is not None:
                return None
            return self.applier.trial(signed, self.now())

    def _read(self, presentation: Presentation) -> Signed:
        """Refuses: as `check_size`, `kernel.facts.read`, `check_depth`."""
        check_size(presentation)
        try:
            signed = read(self.applier.book.kinds, presentation.jwt, presentation.disclosures, presentation.batch)
        except RecursionError:
            raise Refused("fact.bad_body", "it nests too deeply") from None
        check_depth(bytes(signed.envelope.body))
        return signed


def check_size(presentation: Presentation) -> None:
    """Whether what was sent can stand in an entry and be read from it again.

    Refuses, in order: fact.too_large, fact.bad_batch_path, fact.bad_disclosure.
    """
    batch, size = presentation.batch, len(presentation.jwt) + _FRAME_BYTES_MAX
    if batch is not None:
        size += len(batch.statement) + 43 * len(batch.path)
    if size > ENTRY_BYTES_MAX:
        raise Refused("fact.too_large", "a fact with its batch's proof fits no entry", got=size, next="send it singly")
    private = sum(map(len, presentation.disclosures))
    if private > DISCLOSURES_BYTES_MAX:
        raise Refused("fact.too_large", "private fields are at most 1 MB in all", got=private)
    if batch is not None and any(len(step) != 32 for step in batch.path):
        raise Refused("fact.bad_batch_path", "a path is hashes of 32 bytes")
    if any(b"~" in disclosure for disclosure in presentation.disclosures):
        raise Refused("fact.bad_disclosure", "a disclosure does not read: it is not base64url")


def check_depth(body: bytes) -> None:
    """Deep nesting reads or not by what else is on a program's stack, so that nodes could disagree: none is let in.

    Refuses: fact.bad_body.
    """
    if body.count(b"[") + body.count(b"{") <= DEPTH_MAX:
        return
    depth = 0
    for token in _BRACKETS.finditer(body):
        mark = token[0][:1]
        depth += (mark in b"[{") - (mark in b"]}")
        if depth > DEPTH_MAX:
            raise Refused("fact.bad_body", "it nests too deeply", got=f"> {DEPTH_MAX}", expected=f"<= {DEPTH_MAX}")


def introduced_key(signed: Signed) -> bytes:
    """The key that a fact brings with it. Refuses: parties.bad_key."""
    try:
        return sdjwt.unb64(signed.fact.public_key.encode())  # type: ignore[attr-defined]
    except ValueError:
        raise Refused("parties.bad_key", "a public key is 32 bytes, base64url") from None
