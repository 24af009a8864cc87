"""Verifying signatures beside the writer, on a core of their own where there are many.

Threads alone do not pay beside a busy interpreter: each short call would wait for the interpreter's lock, so many
signatures go to a helper process, a few are verified at once in place.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import BinaryIO

import msgspec

from hanse.kernel.refusal import Refused
from hanse.node.journal import journal
from hanse.record import ed25519

_journal = journal("hanse.node")

Check = tuple[bytes, bytes, bytes]
"""(public key, message, signature)"""
Done = Callable[[bool], None]
HELP_FROM = 12
CHUNK_MAX = 512
WAITING_MAX = 50_000
_LENGTH = struct.Struct(">I")


class Helper:
    """A process that verifies what is sent to it; it ends with the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hanse.node.signatures"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # a terminal's Ctrl-C is for the node, which then ends the helper
        )

    def verify(self, checks: Sequence[Check]) -> list[bool]:
        """Whether each verifies. Raises OSError where the helper has died."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        data = msgspec.msgpack.encode(checks)
        stdin.write(_LENGTH.pack(len(data)))
        stdin.write(data)
        stdin.flush()
        answer = stdout.read(len(checks))
        if len(answer) != len(checks):
            raise OSError("the verifying helper has ended")
        return [mark == 1 for mark in answer]

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()


class Verifier:
    """Verifies in order of arrival: `done` of an earlier check is called before that of a later one.

    Args:
        helper: use a helper process. It starts with the first crowd; where it fails, the work is done in place.
    """

    def __init__(self, *, helper: bool = True) -> None:
        self._use_helper = helper
        self._helper: Helper | None = None
        self._waiting: deque[tuple[Check, Done]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="hanse-verifier", daemon=True)
        self._thread.start()

    def require_open(self) -> None:
        """Refuses: node.closing."""
        if self._closing:
            raise Refused("node.closing", "this node is closing", retry=True, next="try again shortly")

    def submit(self, check: Check, done: Done) -> None:
        """Call `done` with the answer, later, in another thread. Refuses: node.closing, node.busy."""
        with self._changed:
            self.require_open()
            if len(self._waiting) >= WAITING_MAX:
                raise Refused("node.busy", "too many facts are waiting", retry=True, next="try again shortly")
            self._waiting.append((check, done))
            if len(self._waiting) == 1:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), CHUNK_MAX))]
                if not taken:
                    return
            for (_, done), good in zip(taken, self._verify([check for check, _ in taken]), strict=True):
                try:
                    done(good)
                except Exception:
                    _journal.exception("signatures.answer_failed")

    def _verify(self, checks: list[Check]) -> list[bool]:
        distinct = list(dict.fromkeys(checks))  # a batch's facts stand on one signature
        if len(distinct) < HELP_FROM or not self._use_helper:
            good = [ed25519.verify(*check) for check in distinct]
        else:
            good = self._helped(distinct)
        answer = dict(zip(distinct, good, strict=True))
        return [answer[check] for check in checks]

    def _helped(self, checks: list[Check]) -> list[bool]:
        try:
            self._helper = self._helper or Helper()
            return self._helper.verify(checks)
        except OSError as error:
            _journal.warning("signatures.helper_ended", error=str(error))
            self._use_helper = False
            return [ed25519.verify(*check) for check in checks]

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        if self._helper:
            self._helper.close()


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """The helper's loop: length, checks; one byte each back. Ends when the pipe ends."""
    decode = msgspec.msgpack.Decoder(list[Check]).decode
    while len(head := requests.read(4)) == 4:
        checks = decode(requests.read(_LENGTH.unpack(head)[0]))
        answers.write(bytes(ed25519.verify(*check) for check in checks))
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
