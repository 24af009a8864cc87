"""The write path. `submit` is the only way to write; its five steps stand on this page.

1. submit    read the bytes, look at window and quota, verify the signature
2. order     the engine gives the fact its place and the block its ledger time
3. apply     one rule reads state and writes a draft, or refuses
4. append    disclosures, then leaves, reach the disk; then the state is committed
5. receipt   the caller gets position and outcome
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from msgspec import Struct

from hanse.engines import Engine
from hanse.kernel.apply import Applier, Block
from hanse.kernel.batches import signed_part
from hanse.kernel.facts import WINDOW_SECONDS_MAX, Signed, read
from hanse.kernel.kept import TIMERS
from hanse.kernel.refusal import Refusal, Refused
from hanse.kernel.state import Draft
from hanse.node.disclosures import Disclosures
from hanse.node.replay import replay
from hanse.node.signatures import Verifier
from hanse.node.wallet import Presentation
from hanse.record.files import DiskFull
from hanse.record.log import Log
from hanse.standards import sdjwt


class Receipt(Struct, frozen=True):
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
        self._find_key, self._clock = find_key, clock
        self._keys: dict[str, bytes] = {}
        self.listeners: list[Callable[[Block], None]] = []
        self._writing = threading.Lock()
        self._behind = False
        self.next_due = self._first_due()

    def submit(self, presentation: Presentation) -> Future[Receipt]:
        """Steps 1 and 2. The future holds the receipt, or raises what kept the fact off the record.

        Refuses, in order: as `kernel.facts.read`; fact.wrong_network, fact.expired, fact.window_too_long,
            fact.no_circle, parties.unknown_key, as `kernel.batches.signed_part`; in the future fact.bad_signature,
            node.closing, node.busy, fact.too_many_refusals, node.disk_full.
        """
        signed = read(self.applier.book.kinds, presentation.jwt, presentation.disclosures, presentation.batch)
        self._check_window(signed)
        check = (self._key(signed), *signed_part(signed))
        future: Future[Receipt] = Future()
        self.verifier.submit(check, lambda good: self._order(signed, future, good))
        return future

    def _check_window(self, signed: Signed) -> None:
        envelope, now = signed.envelope, int(self._clock())
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
                return sdjwt.unb64(signed.fact.public_key.encode())  # type: ignore[attr-defined]
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
            self._catch_up()
            barred = [self._barred(signed) for signed in facts]
            block = self._block([signed for signed, bar in zip(facts, barred, strict=True) if bar is None], time)
            receipts = iter(self._receipts(block) if isinstance(block, Block) else [block] * len(facts))
            return [bar or next(receipts) for bar in barred]

    def _barred(self, signed: Signed) -> Refused | None:
        if self.applier.refusals_left(signed.envelope.kid, self.applier.meta.time) > 0:
            return None
        return Refused("fact.too_many_refusals", "this key was refused too often", retry=True, next="wait an hour")

    def _block(self, facts: list[Signed], time: int) -> Block | Refused:
        """Apply, then make durable: disclosures, leaves, state, in this order."""
        first = self.log.size
        try:
            block = self.applier.block(facts, time)
            private = [
                (position, getattr(signed.fact, "circle", ""), b"~".join(signed.disclosures))
                for position, signed in block.recorded
                if signed.disclosures
            ]
            if private:
                self.disclosures.put(first, private)
            self.log.append(block.leaves)
            self.log.sync()
        except (DiskFull, sqlite3.OperationalError) as error:
            self.applier.state.rollback()
            return Refused(
                "node.disk_full", f"this node cannot write: {error}", retry=True, next="free space, then try again"
            )
        except BaseException:
            self.applier.state.rollback()
            raise
        try:
            self.applier.state.commit()
        except sqlite3.OperationalError:
            self.applier.state.rollback()
            self._behind = True
        self.next_due = self._first_due()
        for listener in self.listeners:
            listener(block)
        return block

    def _catch_up(self) -> None:
        """After a state that could not be committed: apply what the record has and the state lacks."""
        if self._behind:
            replay(self.applier, self.log, self.disclosures)
            self._behind = False

    def _receipts(self, block: Block) -> list[Receipt]:
        """Step 5."""
        header = block.header
        return [
            Receipt(o.position, header.height, header.time, o.code, o.refusal, o.private, o.repeated)
            for o in block.outcomes
        ]

    def _first_due(self) -> int | None:
        first = Draft(self.applier.state, now=0, position=0).scan(TIMERS, limit=1)
        return first[0].due if first else None

    def trial(self, presentation: Presentation) -> Refusal | None:
        """What would become of a fact, public and private, without ordering it: doors ask before they submit."""
        signed = read(self.applier.book.kinds, presentation.jwt, presentation.disclosures, presentation.batch)
        with self._writing:
            return self.applier.trial(signed, int(self._clock()))
