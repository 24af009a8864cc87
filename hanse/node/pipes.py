"""Pipes: a process of its own beside the node, and frames to it and from it, each behind its length."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fcntl import fcntl
from typing import IO

_LENGTH = struct.Struct(">I")
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux
PIPE_BYTES = 1 << 20
ENDED = "a process beside the node has ended"


class Beside:
    """A process that runs a module of ours. It ends with its pipes.

    Args:
        module, args: as of `python -m`. keep: files that it keeps open as well.
    """

    def __init__(self, module: str, *args: str, keep: Sequence[int] = ()) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=keep,
            start_new_session=True,  # a terminal's Ctrl-C is for the node, which then ends the others
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._in, self._out = self.process.stdin, self.process.stdout
        for pipe in (self._in, self._out):
            with suppress(OSError):  # a small pipe does as well
                fcntl(pipe, _SET_PIPE_SIZE, PIPE_BYTES)

    def send(self, data: bytes) -> None:
        """Raises: OSError where it has died, and no BrokenPipeError: a command takes that for its own reader's end."""
        try:
            write_frame(self._in, data)
        except BrokenPipeError:
            raise OSError(ENDED) from None

    def receive(self) -> bytes:
        """The next frame. Raises: OSError where it has died."""
        data = read_frame(self._out)
        if data is None:
            raise OSError(ENDED)
        return data

    def close(self) -> None:
        """End it, and wait until it has."""
        for pipe in (self._in, self._out):
            with suppress(OSError):
                pipe.close()
        self.process.wait()


def write_frame(pipe: IO[bytes], data: bytes) -> None:
    """Raises: OSError."""
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> bytes | None:
    """None at the end; half a frame, of who has died, is none."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    size = _LENGTH.unpack(head)[0]
    data = pipe.read(size)
    return data if len(data) == size else None


def frames(pipe: IO[bytes]) -> Iterator[bytes]:
    """All of them."""
    while (data := read_frame(pipe)) is not None:
        yield data
