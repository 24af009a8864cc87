"""Writing behind: a process beside the writer puts what its blocks change into SQLite, while it applies the next.

What it is given stands in the record already. So it finishes what it was given also where the node is killed, and
until then it holds the directory's lock with it: nobody opens a state that is still being written.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO

import msgspec

from hanse.kernel.state import State
from hanse.kernel.writer import Changed, Shape, Writer, connect, spelled
from hanse.node.pipes import Beside, frames_ahead, read_frame, write_frame
from hanse.node.tidying import LogKeeper

FRAMES_MAX = 4
"""Commits that wait in the process; more wait in the pipe."""
_encode = msgspec.msgpack.Encoder().encode


class WriteBehind:
    """The writer of one state, in a process of its own.

    Args:
        path: the database's. scratch: see `kernel.writer.connect`. lock: a file that the process keeps open as well.
    """

    def __init__(self, path: str, shapes: Sequence[Shape], *, scratch: bool = False, lock: int | None = None) -> None:
        keep = () if lock is None else (lock,)
        self._beside = Beside("hanse.node.behind", path, "scratch" if scratch else "state", keep=keep)
        self._shapes = list(shapes)
        self._changes: list[Changed] = []
        self._under_way = 0
        self._beside.send(_encode(self._shapes))

    @property
    def pid(self) -> int:
        return self._beside.process.pid

    def write(self, changes: list[Changed]) -> None:
        self._changes += changes

    def commit(self) -> None:
        changes, self._changes = self._changes, []
        try:
            data = _encode(changes)
        except OverflowError:  # beyond 64 bits, as a sum may be that stands in JSON text alone
            data = _encode([spelled(changed, self._shapes[changed.table]) for changed in changes])
        self._beside.send(data)
        self._under_way += 1

    def rollback(self) -> None:
        self._changes = []

    def settle(self, commits: int) -> int:
        """As `Commits.settle`. Raises: sqlite3.OperationalError where the process could not write, OSError where it has
        died, or had to be killed because it was stopped or said nothing: nothing that it has not answered for is taken
        to stand."""
        while self._under_way > commits:
            if why := self._beside.receive():
                raise sqlite3.OperationalError(why.decode())
            self._under_way -= 1
        return self._under_way

    def close(self) -> None:
        """End the process; it finishes what it was given."""
        self._beside.close()


@contextmanager
def writing_behind(state: State, *, scratch: bool = False) -> Iterator[None]:
    """For a long replay. What is committed inside stands at the end. Raises: as `State.commit`."""
    path = state.conn.execute("PRAGMA database_list").fetchone()[2]
    if path:
        state.write_with(WriteBehind(path, state.shapes(), scratch=scratch))
    try:
        yield
        state.commit()
    except BaseException:
        state.start_over()
        raise
    state.write_with(None)


def serve(path: str, scratch: bool, requests: BinaryIO, answers: BinaryIO) -> None:
    """The process: shapes, then commits; for each commit an answer, empty or what is wrong.

    It ends with the first that it cannot write, or with the pipe.
    """
    shapes = msgspec.msgpack.decode(read_frame(requests) or b"\x90", type=list[Shape])
    decode = msgspec.msgpack.Decoder(list[Changed]).decode
    conn = connect(path, scratch=scratch)
    writer, keeper = Writer(conn, shapes), None if scratch else LogKeeper(conn)
    why = ""
    for data in frames_ahead(requests, FRAMES_MAX):
        try:
            writer.write(decode(data))
            writer.commit()
        except (sqlite3.Error, OSError) as error:
            why = str(error) or type(error).__name__
            writer.rollback()
        with suppress(BrokenPipeError):  # nobody waits for it any more; the rest is written all the same
            write_frame(answers, why.encode())
        if why:
            break
        if keeper:
            keeper.keep_short()
    conn.close()


def main(path: str, kind: str) -> None:
    gc.disable()  # rows hold no cycles
    serve(path, kind == "scratch", sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)  # the thread that reads may still wait for more


if __name__ == "__main__":
    main(*sys.argv[1:])
