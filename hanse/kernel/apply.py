"""Apply: one block of facts, in order, to state. The same on every node, and again at every replay."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Iterable

from hanse.kernel.chains import Heard, chain
from hanse.kernel.draft import Draft
from hanse.kernel.entries import OK, Header
from hanse.kernel.facts import Fact, Signed, layout
from hanse.kernel.kept import (
    BLOCKS,
    CHAIN,
    META,
    PRIVATE_OUTCOMES,
    TIMERS,
    Meta,
    Placed,
    PrivateOutcome,
    Timer,
)
from hanse.kernel.leaves import block_entry, fact_entry, timer_entry
from hanse.kernel.outcome import Block, Outcome
from hanse.kernel.reading import left_out
from hanse.kernel.refusal import Refused
from hanse.kernel.refusals import Refusal
from hanse.kernel.retries import Retries
from hanse.kernel.rules import Rulebook
from hanse.kernel.state import State
from hanse.kernel.timers import Timers

EVENTS_MAX = 200
"""Events that one fact may cause, subscribers' own events included."""
EVENT_DEPTH_MAX = 6
TIMERS_PER_BLOCK_MAX = 500

_OF_A_MISSING_VALUE = (AttributeError, TypeError, AssertionError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
"""What a rule raises that meets a withheld field: it has no attribute, no order, no column."""


class Applier:
    """Applies blocks to a state under a rulebook.

    Args:
        strict: let a rule's bug (any exception but a refusal) pass to the caller, as tests want; else the fact is
            refused with `kernel.bug` on every node alike, and `on_bug` is told.
    """

    def __init__(
        self,
        state: State,
        book: Rulebook,
        *,
        strict: bool = False,
        on_bug: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.state, self.book, self.strict, self.on_bug = state, book, strict, on_bug
        self._net, self._size = "", -1
        state.watch(book.homes_read_from)
        self.retries = Retries(state)
        self.timers = Timers(state)
        state.on_timer = self.timers.set
        self._homes: dict[str, list[tuple[str, str]]] = {}
        self._heard: Heard = {}
        self._public = {table.name for table in book.tables if not table.circle and table not in (META, BLOCKS)}

    def start(self, net: str) -> None:
        """Create the tables, and the first row of `META` where there is none."""
        self.state.create()
        if self.state.get(META, (1,)) is None:
            self.state.written(META, (1,), Meta(net=net, height=0, time=0, size=0, state=bytes(32)))
            self.state.commit()

    @property
    def meta(self) -> Meta:
        found = self.state.get(META, (1,))
        assert found is not None, "start() comes first"
        return found

    def block(self, facts: Iterable[Signed], time: int, *, keep: Collection[str] | None = None) -> Block:
        """Apply facts as the next block. The caller commits the state once the leaves are durable.

        Args:
            facts: gone through once. time: UTC seconds; a time before the last block's becomes the last block's.
            keep: the kinds whose facts `Block.recorded` keeps, None for all; others can go as soon as they are applied.
        """
        meta = self.meta
        self._net = meta.net
        if meta.size != self._size:  # a block was taken back, or this is the first
            self.state.settle()
            self.retries.forget(meta.size)
            self.timers.forget()
            self._homes.clear()
        self._size = -1
        self._heard = {}
        now, first = max(time, meta.time), meta.size
        outcomes: list[Outcome] = []
        recorded: list[tuple[int, Signed]] = []
        entries: list[bytes] = []
        for signed in facts:
            outcome = self._fact(signed, first + 1 + len(entries), now)
            outcomes.append(outcome)
            if not outcome.repeated:
                if keep is None or signed.fact.kind in keep:
                    recorded.append((outcome.position, signed))
                entries.append(fact_entry(outcome.code, signed.jwt, signed.batch))
        counted = len(entries)
        for due in self.timers.due(now, TIMERS_PER_BLOCK_MAX):
            entries.append(self._timer(due, first + 1 + len(entries), now))
        swept = self.retries.sweep(meta.swept_day, now, first)
        header = Header(
            meta.net, meta.height + 1, now, self.book.version, counted, len(entries) - counted, meta.state.hex()
        )
        state = self._close(meta, header, first + 1 + len(entries), swept)
        return Block(header, [block_entry(header), *entries], outcomes, recorded, state)

    def _close(self, meta: Meta, header: Header, size: int, swept_day: int) -> bytes:
        """Fold the block's row changes into the running hashes, public and of each circle; the new `META`."""
        changes = self.state.take_changes()
        chain(self.state, self._heard, {name: changes[name] for name in changes.keys() - self._public - {META.name}})
        digest = self.state.digest(changes, self._public & changes.keys())
        state = hashlib.sha256(b"hanse state\n" + meta.state + digest).digest()
        after = Meta(
            net=meta.net,
            height=header.height,
            time=header.time,
            size=size,
            state=state,
            swept_day=swept_day,
            position=size - 1,
        )
        self.state.written(META, (1,), after)
        placed = Placed(first=meta.size, stop=size, height=header.height, time=header.time, position=meta.size)
        self.state.written(BLOCKS, (meta.size,), placed)
        self._size = size
        self.state.take_changes()
        return state

    def _fact(self, signed: Signed, position: int, now: int) -> Outcome:
        envelope = signed.envelope
        seen = self.retries.seen(envelope.kid, envelope.nonce)
        if seen is not None:
            if seen.hash == signed.hash:
                return Outcome(seen.position, seen.code, repeated=True)
            used = Refused(
                "fact.nonce_used", "another fact stands under this nonce", got=envelope.nonce, next="sign anew"
            )
            return Outcome(seen.position, used.code, used.refusal, repeated=True)
        draft = Draft(self.state, now=now, position=position)
        code = OK
        refusal: Refusal | None = None
        try:
            if envelope.net != self._net:
                raise Refused(
                    "fact.wrong_network", "this fact is for another network", got=envelope.net, expected=self._net
                )
            if envelope.exp < now:
                raise Refused(
                    "fact.expired",
                    "the fact's window is over",
                    got=envelope.exp,
                    expected=f">= {now}",
                    next="sign anew",
                )
            draft.signer = self.book.authenticate(draft, envelope, signed.fact)
            run = self.book.role("rule", type(signed.fact))
            if run is not None:
                run(draft, signed.fact)
            if draft.told:
                self._deliver(draft, self.book.on)
        except Exception as error:
            draft.undo()
            refusal = self._refusal(error)
            code = refusal.code
        self.retries.keep(signed, position, code)
        if refusal is not None:
            self.retries.count_refusal(envelope.kid, position, now)
        outcome = Outcome(position, code, refusal)
        if refusal is None and signed.full is not None:
            self._private(signed.full, draft.signer, position, now, outcome)
        return outcome

    def _refusal(self, error: Exception, full: Fact | None = None) -> Refusal:
        """Of a rule's exception. Which private fields a kind needs, its rules say by failing without them.

        Only what a missing value itself causes is told so; a fault of storage never becomes an outcome (`on_bug`).
        """
        if isinstance(error, Refused):
            return error.refusal
        missing = (
            left_out(full, layout(type(full))) if full is not None and isinstance(error, _OF_A_MISSING_VALUE) else []
        )
        if missing:
            return Refusal(
                "fact.field_left_out",
                f"this fact leaves out what its kind needs; left out are {', '.join(missing)[:200]}",
                next="sign it with these fields",
            )
        if self.strict:
            raise error
        if self.on_bug:
            self.on_bug(error)
        return Refusal("kernel.bug", "this fact meets a fault of the software; it changed nothing")

    def _deliver(self, draft: Draft, on: dict[type, list[Callable[..., None]]]) -> None:
        """Deliver told events to later rooms, those that they tell after them, breadth first."""
        depth = count = 0
        while draft.told:
            queue, draft.told = draft.told, []
            depth += 1
            for event in queue:
                for handler in on.get(type(event), ()):
                    count += 1
                    if count > EVENTS_MAX or depth > EVENT_DEPTH_MAX:
                        raise Refused("kernel.too_many_events", "one fact would set off too much", got=count)
                    handler(draft, event)

    def _private(self, full: Fact, signer: str, position: int, now: int, outcome: Outcome) -> None:
        """Run the circle rule, then each readable home's rule."""
        circle = getattr(full, "circle", "")
        if not circle:
            return
        run, at_home = self.book.role("circle", type(full)), self.book.role("home", type(full))
        if run is not None and not self._in_circle(
            circle, signer, position, now, outcome, lambda d: run(d, full), full
        ):
            return
        if at_home is not None:
            self._at_homes(circle, signer, position, now, outcome, lambda d, party: at_home(d, full, party), full)

    def _at_homes(
        self,
        circle: str,
        signer: str,
        position: int,
        now: int,
        outcome: Outcome,
        run: Callable[[Draft, str], None],
        full: Fact | None = None,
    ) -> None:
        """`run(draft, party)` in every readable home of a circle; its drafts may read that circle as well."""
        homes = self._homes.get(circle)
        if homes is None:
            homes = self._homes[circle] = self.book.find_homes(self.state, circle)
        for party, home in homes:
            self._in_circle(home, signer, position, now, outcome, lambda d, p=party: run(d, p), full, circle)  # type: ignore[misc]

    def _in_circle(
        self,
        circle: str,
        signer: str,
        position: int,
        now: int,
        outcome: Outcome,
        run: Callable[[Draft], None],
        full: Fact | None = None,
        reads: str = "",
    ) -> bool:
        """One private draft, its events, its outcome for the circle's running hash. Whether it was accepted."""
        draft = Draft(self.state, now=now, position=position, signer=signer, circle=circle, reads=reads)
        code = OK
        try:
            run(draft)
            if draft.told:
                self._deliver(draft, self.book.on_circle)
        except Exception as error:
            draft.undo()
            outcome.private[circle] = self._refusal(error, full)
            code = outcome.private[circle].code
            draft = Draft(self.state, now=now, position=position, signer=signer, circle=circle)
            draft.put(PRIVATE_OUTCOMES, PrivateOutcome(circle=circle, at=position, code=code))
        if self.state.stirred:
            self.state.stirred = False
            self._homes.clear()
        self._heard.setdefault(circle, []).append((position, code))
        return code == OK

    def first_due(self) -> int | None:
        """The ledger time of the next timer, or None."""
        if self.meta.size != self._size:
            self.timers.forget()
        return self.timers.first_due()

    def _timer(self, due: Timer, position: int, now: int) -> bytes:
        """Fire one timer; its entry."""
        draft = Draft(self.state, now=now, position=position)
        draft.delete(TIMERS, due.due, due.id)
        code = OK
        try:
            run = self.book.role("timer", due.name)
            if run is not None:
                run(draft, due)
            self._deliver(draft, self.book.on)
        except Exception as error:
            draft.undo()
            code = self._refusal(error).code
            draft.delete(TIMERS, due.due, due.id)
        if code == OK and due.circle and (due.circle in self._heard or self.state.get(CHAIN, (due.circle,))):
            self._private_timer(due, position, now)
        return timer_entry(code, due.id)

    def _private_timer(self, due: Timer, position: int, now: int) -> None:
        """Run the circle timer rule, then each readable home's."""
        private, at_home = self.book.role("circle_timer", due.name), self.book.role("home_timer", due.name)
        outcome = Outcome(position, OK)
        if private is not None and not self._in_circle(
            due.circle, "", position, now, outcome, lambda d: private(d, due)
        ):
            return
        if at_home is not None:
            self._at_homes(due.circle, "", position, now, outcome, lambda d, party: at_home(d, due, party))

    def trial(self, signed: Signed, now: int) -> Refusal | None:
        """What would become of a fact now, public and private, without a trace: a door's check before it is signed."""
        before = self.state.changed()
        position = self.meta.size + 1
        draft = Draft(self.state, now=max(now, self.meta.time), position=position)
        drafts = [draft]
        try:
            draft.signer = self.book.authenticate(draft, signed.envelope, signed.fact)
            run = self.book.role("rule", type(signed.fact))
            if run is not None:
                run(draft, signed.fact)
            self._deliver(draft, self.book.on)
            circle = getattr(signed.full, "circle", "") if signed.full is not None else ""
            private = self.book.role("circle", type(signed.fact))
            if circle and private is not None:
                inner = Draft(self.state, now=draft.now, position=position, signer=draft.signer, circle=circle)
                drafts.append(inner)
                try:
                    private(inner, signed.full)
                    self._deliver(inner, self.book.on_circle)
                except Exception as error:
                    return self._refusal(error, signed.full)
        except Refused as refused:
            return refused.refusal
        finally:
            for draft in reversed(drafts):
                draft.undo()
            assert self.state.changed() == before, "a trial leaves no trace"
        return None
