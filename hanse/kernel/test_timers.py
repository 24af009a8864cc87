"""Timers in memory are those of the state, whatever is set, dropped, taken back and fired."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.kernel import timers as page
from hanse.kernel.draft import Draft
from hanse.kernel.kept import TIMERS
from hanse.kernel.state import State
from hanse.kernel.timers import Timers
from hanse.kernel.writer import connect

KEYS = st.tuples(st.integers(0, 9), st.sampled_from("abcd"))
STEP = st.sampled_from(["set", "set", "set", "drop", "undo", "fire", "commit", "forget"])


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(page, "KEPT", 2)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(STEP, KEYS), max_size=60))
def test_those_due_are_what_a_scan_finds(steps):
    state = State(connect(":memory:"), [TIMERS])
    state.create()
    timers = Timers(state)
    state.on_timer = timers.set
    kept: set[tuple[int, str]] = set()
    now: set[tuple[int, str]] = set()
    for position, (step, (due, id)) in enumerate(steps, 1):
        draft = Draft(state, now=1, position=position)
        if step == "set":
            draft.timer("t", id, due)
            now.add((due, id))
        elif step == "drop":
            draft.drop_timer(id, due)
            now.discard((due, id))
        elif step == "undo":
            draft.timer("t", id, due)
            draft.drop_timer(id, due + 1)
            draft.undo()
        elif step == "fire":
            for timer in timers.due(due, 3):
                draft.drop_timer(timer.id, timer.due)
                now.remove((timer.due, timer.id))
        elif step == "commit":
            state.commit()
            kept = set(now)
        else:
            state.rollback()
            timers.forget()
            now = set(kept)
        assert timers.first_due() == min((at for at, _ in now), default=None)
        for most in (1, 3, 100):
            found = [(timer.due, timer.id) for timer in timers.due(due, most)]
            assert found == sorted(key for key in now if key[0] <= due)[:most]


def test_many_that_end_together_are_all_found():
    state = State(connect(":memory:"), [TIMERS])
    state.create()
    timers = Timers(state)
    state.on_timer = timers.set
    draft = Draft(state, now=1, position=1)
    for n in range(50):
        draft.timer("t", f"{n:02}", 5 if n < 10 else 9)
    assert timers.first_due() == 5
    assert [timer.id for timer in timers.due(9, 40)] == [f"{n:02}" for n in range(40)]
    assert [timer.id for timer in timers.due(8, 40)] == [f"{n:02}" for n in range(10)]
