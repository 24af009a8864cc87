"""The gate: facts on their way in are admitted in order of arrival, a crowd in a process of its own.

Threads alone do not pay beside a busy interpreter: each short call would wait for the interpreter's lock. So a crowd
is read and its signatures verified by a helper process on another core, and a few facts in place. The helper has the
next chunk before the answers to the last are taken up, so that it need not wait for them.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Raw, Struct

from hanse.engines.replies import Reply, give
from hanse.kernel.entries import BatchProof
from hanse.kernel.facts import Admitted, Fact, Opened, Signed, Waiting
from hanse.kernel.opened import opened, take_up
from hanse.kernel.refusal import Refused
from hanse.kernel.refusals import Refusal
from hanse.node.admission import Admission, Presented
from hanse.node.collecting import COLLECT_AFTER
from hanse.node.journal import journal
from hanse.node.pipes import Beside, frames_ahead, write_frame

_journal = journal("hanse.node")

Answered = list[tuple[Admitted | Refused, Reply[Any]]]
"""Facts that may be ordered, or why not, each with its submitter's reply."""
HELP_FROM = 12
CHUNK_MAX = 512
FRAMES_AHEAD = 2
"""Chunks that wait in the helper: so many are asked before the first answer is read."""
WAITING_MAX = 50_000
RESTART_SECONDS = 10
"""After a helper has ended, or was killed; until then its work is done in place."""


class Sent(Struct, frozen=True, gc=False, array_like=True):
    """A fact as sent, on its way to the helper."""

    jwt: bytes
    disclosures: list[bytes]
    batch: BatchProof | None


class Answer(Struct, frozen=True, gc=False, array_like=True):
    """What the helper says of one fact: that it may be ordered, or why not."""

    opened: Opened | None
    refusal: Refusal | None = None


Request = tuple[int, list[Sent]]
"""(UTC seconds, facts)"""


class Helper:
    """A process that admits what is sent to it, reading keys from the node's state; it ends with the pipe."""

    def __init__(self, directory: Path, net: str) -> None:
        self._beside = Beside("hanse.node.gate", str(directory), net)
        self._decode = msgspec.msgpack.Decoder(list[Answer]).decode

    def ask(self, facts: Sequence[Presented], now: int) -> None:
        """Whether they may be ordered. Raises OSError where the helper has died, or had to be killed: see `Beside`."""
        asked = (now, [(sent.jwt, sent.disclosures, sent.batch) for sent in facts])
        self._beside.send(msgspec.msgpack.encode(asked))

    def answers(self) -> list[Answer]:
        """To what was asked first of what was not answered yet, one for each fact. Raises: as `ask`."""
        return self._decode(self._beside.receive())

    def close(self) -> None:
        self._beside.close()


class _Chunk(Struct, gc=False):
    """Facts that are being admitted. `helper`: who was asked, None for nobody. now: UTC seconds."""

    facts: Sequence[Presented]
    now: int
    helper: Helper | None


class Gate:
    """Admits in order of arrival.

    Args:
        admission: in place. order: takes what was admitted, in the gate's thread. start_helper: makes the helper
            process, with the first crowd; None for none. Where it fails, the work is done in place. now: UTC seconds.
    """

    def __init__(
        self,
        admission: Admission,
        order: Callable[[Answered], None],
        start_helper: Callable[[], Helper] | None,
        now: Callable[[], int],
    ) -> None:
        self._admission, self._order, self._start_helper, self._now = admission, order, start_helper, now
        self._helper: Helper | None = None
        self._not_before = 0.0
        self._waiting: deque[tuple[Presented, Reply[Any]]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="hanse-gate", daemon=True)
        self._thread.start()

    def submit(self, sent: Sequence[Presented], replies: Sequence[Reply[Any]]) -> None:
        """Hand them to `order` with their answers, later, in another thread. Refuses all: node.closing, node.busy."""
        with self._changed:
            if self._closing:
                raise Refused("node.closing", "this node is closing", retry=True, next="try again shortly")
            if len(self._waiting) >= WAITING_MAX:
                raise Refused("node.busy", "too many facts are waiting", retry=True, next="try again shortly")
            self._waiting.extend(zip(sent, replies, strict=True))
            self._changed.notify()

    def _run(self) -> None:
        asked: tuple[_Chunk, list[Reply[Any]]] | None = None
        while True:
            taken = self._take(wait=asked is None)
            if not taken and asked is None:
                return
            before, asked = asked, None
            replies = [reply for _, reply in taken]
            with _told(replies):
                asked = (self._begin([sent for sent, _ in taken]), replies) if taken else None
            if before is not None:
                chunk, replies = before
                with _told(replies):
                    self._order(list(zip(self._answers(chunk), replies, strict=True)))

    def _take(self, wait: bool) -> list[tuple[Presented, Reply[Any]]]:
        """What came first of what waits; nothing where nothing waits, and with `wait` only once the gate is closing."""
        with self._changed:
            while wait and not self._waiting and not self._closing:
                self._changed.wait()
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), CHUNK_MAX))]

    def _begin(self, facts: Sequence[Presented]) -> _Chunk:
        """Ask the helper, where they are a crowd."""
        chunk = _Chunk(facts, self._now(), None)
        resting = self._helper is None and time.monotonic() < self._not_before
        if len(facts) >= HELP_FROM and self._start_helper is not None and not resting:
            try:
                self._helper = self._helper or self._start_helper()
                self._helper.ask(facts, chunk.now)
                chunk.helper = self._helper
            except OSError as error:
                self._do_without(error)
        return chunk

    def _answers(self, chunk: _Chunk) -> list[Admitted | Refused]:
        if chunk.helper is not None and chunk.helper is self._helper:
            try:
                found = chunk.helper.answers()
                kinds = self._admission.kinds
                return [_told_of(kinds, sent, answer) for sent, answer in zip(chunk.facts, found, strict=True)]
            except (OSError, msgspec.DecodeError) as error:
                self._do_without(error)
        return [_admitted(self._admission, sent, chunk.now) for sent in chunk.facts]

    def _do_without(self, error: Exception) -> None:
        """The helper has ended: what it was asked is done in place, and so is all for a while."""
        _journal.warning("gate.helper_ended", error=str(error))
        if self._helper is not None:
            self._helper.close()
        self._helper, self._not_before = None, time.monotonic() + RESTART_SECONDS

    def close(self) -> None:
        """Answer what waits, then stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        if self._helper:
            self._helper.close()


@contextmanager
def _told(replies: list[Reply[Any]]) -> Iterator[None]:
    """Whoever waits is told of a fault, and the gate goes on."""
    try:
        yield
    except Exception as error:
        _journal.exception("gate.fault")
        give(replies, [error] * len(replies))


def serve(admission: Admission, requests: BinaryIO, answers: BinaryIO) -> None:
    """The helper's loop: a `Request`, its answers back. Ends when the pipe ends."""
    decode = msgspec.msgpack.Decoder(Request).decode
    encode = msgspec.msgpack.Encoder().encode
    for asked in frames_ahead(requests, FRAMES_AHEAD):
        now, facts = decode(asked)
        # each is packed at once, so that what was read of it is gone from the processor's caches before the next
        write_frame(answers, encode([Raw(encode(_answer(admission, sent, now))) for sent in facts]))


def _answer(admission: Admission, sent: Sent, now: int) -> Answer:
    found = _admitted(admission, sent, now)
    return Answer(None, found.refusal) if isinstance(found, Refused) else Answer(opened(found))


def _told_of(kinds: dict[str, type[Fact]], sent: Presented, answer: Answer) -> Admitted | Refused:
    if (found := answer.opened) is not None:
        if kinds[found.kind].introduces:
            return take_up(kinds, found, sent.jwt, sent.disclosures, sent.batch)
        return Waiting(found, sent.jwt, sent.disclosures, sent.batch)
    assert answer.refusal is not None, "an answer says one or the other"
    return Refused.of(answer.refusal)


def _admitted(admission: Admission, sent: Presented, now: int) -> Signed | Refused:
    """A fact or why not: whatever somebody sends, the gate goes on."""
    try:
        return admission.admit(sent, now)
    except Refused as refused:
        return refused
    except Exception as error:
        _journal.exception("gate.fault")
        return Refused("node.fault", f"this node could not read the fact: {type(error).__name__}", next="tell its host")


def main(directory: str, net: str) -> None:
    """The helper process."""
    from hanse.node.parts import rulebook
    from hanse.node.read_path import ReadPath

    gc.set_threshold(*COLLECT_AFTER)
    admission = Admission(rulebook().kinds, net, ReadPath(Path(directory)).find_key)
    with suppress(BrokenPipeError):  # nobody waits for it any more
        serve(admission, sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)  # the thread that reads may still wait for more


if __name__ == "__main__":
    main(*sys.argv[1:])
