"""Pipes: a process of its own beside the node, and frames to it and from it, each behind its length.

Nobody waits for ever for such a process. One that is stopped, or says nothing for too long, is killed, so that it
cannot wake up and write later, and is then as one that has died: what it did is done in place, or by another.

What is waited is counted in slices, each as no more than its own length, and no clock is asked: a machine that slept,
or a node that was itself stopped, has waited for half a second.
"""

from __future__ import annotations

import os
import queue
import select
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from fcntl import fcntl
from pathlib import Path
from typing import IO, NoReturn

from hanse.node.journal import journal

_LENGTH = struct.Struct(">I")
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux
PIPE_BYTES = 1 << 20
ENDED = "a process beside the node has ended"
STOPPED_SECONDS = 5.0
"""How long a process may be stopped (a signal, a debugger) while somebody waits for it."""
SILENT_SECONDS = 30.0
"""How long it may take to a sign of life, while somebody waits for it and it does not wait for the disk."""
IDLE_SECONDS = 30.0
"""How long one that has nothing to wait for may not compute, while somebody waits for it."""
SLICE_SECONDS = 0.5
_journal = journal("hanse.node")


class Beside:
    """A process that runs a module of ours. It ends with its pipes.

    Args:
        module, args: as of `python -m`. keep: files that it keeps open as well. silent_seconds: see `SILENT_SECONDS`.
        computes: it has nothing to wait for, so that one that does not compute for `IDLE_SECONDS` hangs.
    """

    def __init__(
        self,
        module: str,
        *args: str,
        keep: Sequence[int] = (),
        silent_seconds: float = SILENT_SECONDS,
        computes: bool = False,
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *args],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=keep,
            start_new_session=True,  # a terminal's Ctrl-C is for the node, which then ends the others
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._in, self._out = self.process.stdin, self.process.stdout
        self._module, self._silent_seconds, self.computes = module, silent_seconds, computes
        for pipe in (self._in, self._out):
            with suppress(OSError):  # a small pipe does as well
                fcntl(pipe, _SET_PIPE_SIZE, PIPE_BYTES)
            os.set_blocking(pipe.fileno(), False)

    def send(self, data: bytes) -> None:
        """Raises: OSError where it has died, or had to be killed; no BrokenPipeError, which a command takes for its own
        reader's end."""
        fd, waits = self._in.fileno(), _Waits(self)
        left: list[bytes | memoryview] = [_LENGTH.pack(len(data)), memoryview(data)]
        while left:
            try:
                sent = os.writev(fd, left)
            except BlockingIOError:
                waits.until(fd, select.POLLOUT)
                continue
            except BrokenPipeError:
                raise OSError(ENDED) from None
            waits = _Waits(self)
            while left and sent >= len(left[0]):
                sent -= len(left.pop(0))
            if left:
                left[0] = memoryview(left[0])[sent:]

    def receive(self, meanwhile: Callable[[], object] | None = None) -> bytes:
        """The next frame. Raises: OSError where it has died, or had to be killed.

        Args:
            meanwhile: called after each slice that is waited for the frame's beginning.
        """
        return self._read(_LENGTH.unpack(self._read(_LENGTH.size, meanwhile))[0])

    def _read(self, size: int, meanwhile: Callable[[], object] | None = None) -> bytes:
        """So many bytes, no more. Raises: as `receive`."""
        fd, waits, parts = self._out.fileno(), _Waits(self), list[bytes]()
        while size:
            try:
                part = os.read(fd, min(size, PIPE_BYTES))  # into one buffer: a frame mostly comes whole
            except BlockingIOError:
                waits.until(fd, select.POLLIN, meanwhile)
                continue
            if not part:
                raise OSError(ENDED)
            parts.append(part)
            waits, size = _Waits(self), size - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """End it, and wait until it has; where it does not, kill it."""
        for pipe in (self._in, self._out):
            with suppress(OSError):
                pipe.close()
        waits = _Waits(self)
        with suppress(OSError):
            while not self._ended(SLICE_SECONDS):
                waits.one_more()

    def kill(self, why: str) -> NoReturn:
        """Raises: OSError, once it can do nothing more."""
        _journal.error("process.killed", module=self._module, pid=self.process.pid, why=why)
        self.process.kill()
        if not self._ended(STOPPED_SECONDS):  # it hangs in the system, and runs no line of ours any more
            _journal.error("process.does_not_end", module=self._module, pid=self.process.pid)
        raise OSError(f"a process beside the node was killed: {why}")

    def _ended(self, seconds: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
            return True
        return False

    def lacks(self, stopped: float, silent: float, idle: float = 0.0) -> str:
        """What is wrong with a process that was seen stopped, said nothing, and did nothing, for so many seconds; ""
        for nothing."""
        if stopped >= STOPPED_SECONDS:
            return f"it was stopped for {STOPPED_SECONDS:g} seconds"
        if silent >= self._silent_seconds:
            return f"it said nothing for {self._silent_seconds:g} seconds"
        if self.computes and idle >= IDLE_SECONDS:
            return f"it did nothing for {IDLE_SECONDS:g} seconds"
        return ""


class _Waits:
    """How long one sign of life has been waited for."""

    __slots__ = ("_beside", "_computed", "_idle", "_silent", "_stopped")

    def __init__(self, beside: Beside) -> None:
        self._beside, self._stopped, self._silent, self._idle, self._computed = beside, 0.0, 0.0, 0.0, -1

    def until(self, fd: int, event: int, meanwhile: Callable[[], object] | None = None) -> None:
        """Until a pipe is ready. Raises: as `Beside.kill`, and as `meanwhile`."""
        poll = select.poll()
        poll.register(fd, event)
        while not poll.poll(SLICE_SECONDS * 1_000):
            self.one_more()
            if meanwhile is not None:
                meanwhile()

    def one_more(self) -> None:
        """A slice has passed. Raises: as `Beside.kill`."""
        pid = self._beside.process.pid
        state = state_of(pid)
        self._stopped = self._stopped + SLICE_SECONDS if state in ("T", "t") else 0.0
        self._silent += SLICE_SECONDS if state != "D" else 0.0
        if self._beside.computes:
            before, self._computed = self._computed, computed_by(pid)
            idles = self._computed == before >= 0 and state != "D"
            self._idle = self._idle + SLICE_SECONDS if idles else 0.0
        if why := self._beside.lacks(self._stopped, self._silent, self._idle):
            self._beside.kill(why)


def state_of(pid: int) -> str:
    """How a process is: "R" runs, "S" waits, "D" waits for the disk, "T" is stopped, "t" by a debugger; "" where the
    system does not say. Source: proc(5), /proc/PID/stat, field 3."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        return ""


def computed_by(pid: int) -> int:
    """What a process has computed so far, in ticks of the system (1/100 s); -1 where the system does not say.

    Source: proc(5), /proc/PID/stat, fields 14 and 15.
    """
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        return int(after_name[11]) + int(after_name[12])
    except (OSError, IndexError):
        return -1


def write_frame(pipe: IO[bytes], data: bytes) -> None:
    """Raises: OSError."""
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def write_ahead(pipe: IO[bytes], made: Iterable[bytes], bytes_max: int) -> None:
    """Write frames by a thread, so that who makes them goes on while the pipe is full. Raises: OSError.

    Args:
        bytes_max: made and not yet written; one frame may be larger.
    """
    waiting, count = deque[tuple[int, Future[None]]](), 0
    with ThreadPoolExecutor(1) as thread:
        for data in made:
            waiting.append((len(data), thread.submit(write_frame, pipe, data)))
            count += len(data)
            while waiting and (count > bytes_max or waiting[0][1].done()):
                size, written = waiting.popleft()
                written.result()
                count -= size
        for _, written in waiting:
            written.result()


def read_frame(pipe: IO[bytes]) -> bytes | None:
    """None at the end; half a frame, of who has died, is none."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    size = _LENGTH.unpack(head)[0]
    data = pipe.read(size)
    return data if len(data) == size else None


def frames_ahead(pipe: IO[bytes], most: int) -> Iterator[bytes]:
    """All of them, read by a thread that is up to so many ahead: who sends them need not read answers in between."""
    waiting: queue.Queue[bytes | None] = queue.Queue(most)

    def fetch() -> None:
        while (data := read_frame(pipe)) is not None:
            waiting.put(data)
        waiting.put(None)

    threading.Thread(target=fetch, name="frames", daemon=True).start()
    while (data := waiting.get()) is not None:
        yield data
