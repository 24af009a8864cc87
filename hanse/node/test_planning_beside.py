"""Planning beside the node: who waits is told an answer or a refusal in bounded time, and the next question works."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from hanse.kernel.refusal import Refused
from hanse.node import pipes, planning_beside
from hanse.node.pipes import Beside
from hanse.node.planning_beside import worked_out


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(pipes, "STOPPED_SECONDS", 0.2)
    monkeypatch.setattr(pipes, "SLICE_SECONDS", 0.05)


@pytest.fixture
def begun(monkeypatch):
    """The processes that were started."""
    seen = []

    class Seen(Beside):
        def __init__(self, *given, **more):
            super().__init__(*given, **more)
            seen.append(self.process)

    monkeypatch.setattr(planning_beside, "Beside", Seen)
    return seen


def doubled(given, tell, stopped):
    tell("half way")
    print("a solver's talk")
    return 2 * given


def hangs(given, tell, stopped):
    tell("hangs")
    threading.Event().wait()


def never_ends(given, tell, stopped):
    tell("never ends")
    while True:
        pass


def until_stopped(given, tell, stopped):
    tell("searching")
    while not stopped():
        time.sleep(0.01)
    return "the best so far"


def faulty(given, tell, stopped):
    raise ValueError("no such start") if given == "value" else ZeroDivisionError("by nothing")


def test_stages_are_told_and_the_answer_is_given():
    told = []
    assert worked_out(doubled, 21, seconds=60, told=told.append) == 42 and told == ["half way"]


@pytest.mark.parametrize("sign", [signal.SIGSTOP, signal.SIGKILL])
def test_one_that_is_stopped_or_killed_is_refused_and_the_next_question_works(soon, begun, sign):
    with pytest.raises(Refused, match=r"plans\.planner_ended") as refused:
        worked_out(until_stopped, 1, seconds=60, told=lambda stage: os.kill(begun[0].pid, sign))
    refusal = refused.value.refusal
    assert refusal.retry and "start it again" in refusal.next
    assert begun[0].returncode == -signal.SIGKILL, "it wakes up no more"
    assert worked_out(doubled, 4, seconds=60) == 8


def test_one_that_is_stopped_before_it_took_a_large_question_is_refused(soon, monkeypatch):
    class Stopped(Beside):
        def __init__(self, *given, **more):
            super().__init__(*given, **more)
            os.kill(self.process.pid, signal.SIGSTOP)

    monkeypatch.setattr(planning_beside, "Beside", Stopped)
    with pytest.raises(Refused) as refused:
        worked_out(doubled, bytes(4 * pipes.PIPE_BYTES), seconds=60)
    assert "it was stopped for" in refused.value.refusal.got


def test_one_that_does_nothing_hangs(soon, begun, monkeypatch):
    def told(stage):  # from here on: at its start it may wait for its turn
        monkeypatch.setattr(pipes, "IDLE_SECONDS", 0.3)

    with pytest.raises(Refused) as refused:
        worked_out(hangs, 1, seconds=600, told=told)
    assert "it did nothing for 0.3 seconds" in refused.value.refusal.got
    assert begun[0].returncode == -signal.SIGKILL


def test_one_that_computes_without_end_is_killed_after_its_time(begun, monkeypatch):
    monkeypatch.setattr(pipes, "SLICE_SECONDS", 0.1)
    with pytest.raises(Refused) as refused:
        worked_out(never_ends, 1, seconds=2)
    assert "it said nothing for 2 seconds" in refused.value.refusal.got
    assert begun[0].returncode == -signal.SIGKILL


def test_who_stops_the_search_gets_the_best_so_far():
    stop = threading.Event()
    answer = worked_out(until_stopped, 1, seconds=60, told=lambda stage: stop.set(), cancel=stop.is_set)
    assert answer == "the best so far"


def test_faults_are_the_callers(capfd):
    with pytest.raises(ValueError, match="no such start"):
        worked_out(faulty, "value", seconds=60)
    with pytest.raises(RuntimeError, match="ZeroDivisionError: by nothing"):
        worked_out(faulty, "other", seconds=60)
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_it_ends_when_nobody_waits_any_more(begun):
    class Enough(Exception):
        pass

    def told(stage):
        raise Enough

    with pytest.raises(Enough):
        worked_out(until_stopped, 1, seconds=600, told=told)
    assert begun[0].returncode == 0
