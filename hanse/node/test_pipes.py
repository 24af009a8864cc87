"""Processes beside the node: one that is stopped, or says nothing, is killed, and keeps nobody waiting for ever."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from hanse.node import pipes
from hanse.node.pipes import PIPE_BYTES, Beside, state_of

WAITS = "hanse.node.at_rest"
"""A process that says nothing before it is asked."""


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(pipes, "STOPPED_SECONDS", 0.2)
    monkeypatch.setattr(pipes, "SLICE_SECONDS", 0.05)


def stopped(beside):
    os.kill(beside.process.pid, signal.SIGSTOP)
    until = time.monotonic() + 30
    while state_of(beside.process.pid) != "T" and time.monotonic() < until:
        time.sleep(0.01)
    return beside


def is_gone(beside):
    return beside.process.returncode == -signal.SIGKILL and not os.path.exists(f"/proc/{beside.process.pid}")


def test_one_that_is_stopped_is_killed_when_somebody_waits_for_its_answer(soon, caplog):
    beside = stopped(Beside(WAITS))
    with pytest.raises(OSError, match=r"killed: it was stopped for 0\.2 seconds"):
        beside.receive()
    assert is_gone(beside) and "process.killed" in caplog.text and WAITS in caplog.text
    beside.close()


def test_one_that_is_stopped_is_killed_when_it_takes_nothing_more(soon):
    beside = stopped(Beside(WAITS))
    with pytest.raises(OSError, match="it was stopped"):
        beside.send(bytes(4 * PIPE_BYTES))
    assert is_gone(beside)
    beside.close()


def test_one_that_is_stopped_is_killed_when_it_is_to_end(soon):
    beside = stopped(Beside(WAITS))
    beside.close()
    assert is_gone(beside)


def test_one_that_says_nothing_is_killed(soon):
    beside = Beside(WAITS, silent_seconds=0.3)
    with pytest.raises(OSError, match=r"it said nothing for 0\.3 seconds"):
        beside.receive()
    assert is_gone(beside)
    beside.close()


def test_one_that_goes_on_in_time_is_left_alone(soon, monkeypatch):
    monkeypatch.setattr(pipes, "STOPPED_SECONDS", 60.0)
    beside = stopped(Beside(WAITS))
    seen = []

    def looked(pid):
        seen.append(state_of(pid))
        os.kill(pid, signal.SIGCONT)
        return seen[-1]

    monkeypatch.setattr(pipes, "state_of", looked)
    beside.send(b"no request")
    with pytest.raises(OSError, match="has ended"):  # of its own: that was no request
        beside.receive()
    assert seen[0] == "T"
    beside.close()


def test_to_wait_for_the_disk_is_not_to_say_nothing(soon, monkeypatch):
    states = iter(["D"] * 20 + ["S"] * 100)
    monkeypatch.setattr(pipes, "state_of", lambda pid: next(states))
    beside = Beside(WAITS, silent_seconds=0.2)
    with pytest.raises(OSError, match="it said nothing"):
        beside.receive()
    assert len(list(states)) == 96
    beside.close()


def test_what_is_slept_through_counts_as_one_slice(soon):
    beside = Beside(WAITS, silent_seconds=600)
    waits = pipes._Waits(beside)
    for _ in range(100):
        waits.one_more()
    assert waits._silent == pytest.approx(5.0), "a hundred slices, however long each took"
    beside.close()


def test_frames_of_all_sizes_arrive_whole():
    beside = Beside("hanse.node.test_pipes")
    for size in (0, 1, 5, 65_535, 65_536, 3 * PIPE_BYTES + 1):
        data = os.urandom(size)
        beside.send(data)
        assert beside.receive() == data
    beside.send(b"a")
    beside.send(b"bc")
    assert (beside.receive(), beside.receive()) == (b"a", b"bc")
    beside.close()
    assert beside.process.returncode == 0


def test_frames_are_made_while_the_pipe_is_full_up_to_a_bound():
    ahead_bytes_max, made = 4 * PIPE_BYTES, []

    def make():
        for n in range(20):
            made.append(n)
            yield bytes([n]) * PIPE_BYTES

    reads, writes = os.pipe()
    with os.fdopen(reads, "rb") as end, os.fdopen(writes, "wb") as pipe, ThreadPoolExecutor(1) as thread:
        done = thread.submit(pipes.write_ahead, pipe, make(), ahead_bytes_max)
        until = time.monotonic() + 30
        while len(made) < 5 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.05)
        assert len(made) in (5, 6), "nobody has read anything yet"
        for n in range(20):
            assert pipes.read_frame(end) == bytes([n]) * PIPE_BYTES
        done.result(30)


def test_who_makes_frames_is_told_that_nobody_reads_them_any_more():
    reads, writes = os.pipe()
    os.close(reads)
    pipe = os.fdopen(writes, "wb", buffering=0)
    with pytest.raises(BrokenPipeError):
        pipes.write_ahead(pipe, (b"frame" for _ in iter(int, 1)), 100)
    pipe.close()


def _echo():
    import sys

    for frame in pipes.frames_ahead(sys.stdin.buffer, 2):
        pipes.write_frame(sys.stdout.buffer, frame)


if __name__ == "__main__":
    _echo()
