"""A state made from nothing reads as any other; what expires is swept from memory as it is from the state."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.kernel.draft import Draft
from hanse.kernel.kept import SEEN
from hanse.kernel.retries import EXPIRING_MAX, Retries
from hanse.kernel.rows import Row
from hanse.kernel.state import State
from hanse.kernel.tables import Table
from hanse.kernel.writer import connect

DAY = 86_400


class Thing(Row, frozen=True, kw_only=True):
    name: str
    shelf: int
    text: str = ""


THINGS = Table("test_thing", Thing, ("name",), index=[("shelf", "name")])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "drop", "get", "commit", "full", "shelf"]), st.sampled_from("abcd"), st.integers(0, 2)
    ),
    max_size=40,
)


def state_of(*tables: Table[Any], scratch: bool) -> State:
    state = State(connect(":memory:"), tables, scratch=scratch)
    state.create()
    return state


def declared(state: State) -> list[tuple[str]]:
    return state.conn.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").fetchall()


@settings(deadline=None)
@given(STEPS)
def test_a_scratch_state_reads_as_any_other(steps: list[tuple[str, str, int]]) -> None:
    states = [state_of(THINGS, scratch=scratch) for scratch in (True, False)]
    for position, (step, name, shelf) in enumerate(steps, 1):
        found = []
        for state in states:
            draft = Draft(state, now=1, position=position)
            if step == "put":
                draft.put(THINGS, Thing(name=name, shelf=shelf, text=str(position)))
            elif step == "drop":
                draft.delete(THINGS, name)
            elif step in ("commit", "full"):
                state.commit()
                if step == "full":
                    state.held[THINGS.name].drop_known()
            found.append((draft.get(THINGS, name), draft.scan(THINGS, shelf=shelf) if step == "shelf" else None))
        assert found[0] == found[1]
    for state in states:
        state.commit()
        state.index()
    assert declared(states[0]) == declared(states[1])


def test_an_index_is_made_when_a_scan_first_asks_for_it() -> None:
    state = state_of(THINGS, scratch=True)
    draft = Draft(state, now=1, position=1)
    draft.put(THINGS, Thing(name="a", shelf=1))
    assert len(draft.scan(THINGS, name="a")) == len(draft.scan(THINGS)) == 1
    assert len(declared(state)) == 1, "the key leads to these as well"
    assert len(draft.scan(THINGS, shelf=1)) == 1
    assert len(declared(state)) == 2


def test_a_key_that_a_scratch_state_never_had_is_not_looked_for() -> None:
    state = state_of(THINGS, scratch=True)
    asked: list[str] = []
    state.conn.set_trace_callback(asked.append)
    assert state.get(THINGS, ("a",)) is None and asked == []
    state.held[THINGS.name].drop_known()
    assert state.get(THINGS, ("a",)) is None and len(asked) == 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5 * DAY), st.integers(0, 7 * DAY)), max_size=25), st.booleans())
def test_the_same_nonces_are_swept_from_memory_and_by_the_state(facts: list[tuple[int, int]], overflows: bool) -> None:
    states = [state_of(SEEN, scratch=False) for _ in range(2)]
    both = [Retries(state) for state in states]
    for retries, size in zip(both, (0, 1), strict=True):  # at entry 0 memory knows all that will stand
        retries.forget(size)
    if overflows:
        both[0]._count = EXPIRING_MAX
    now, swept = 0, [0, 0]
    for nonce, (passes, lives) in enumerate(facts):
        now += passes
        envelope = SimpleNamespace(kid="k", nonce=nonce, exp=now + lives)
        for i, retries in enumerate(both):
            assert retries.seen("k", nonce) is None
            retries.keep(SimpleNamespace(envelope=envelope, hash=b"h"), nonce, "ok")  # type: ignore[arg-type]
            swept[i] = retries.sweep(swept[i], now, nonce)
        left = [[row.nonce for row in state.scan(SEEN, {})] for state in states]
        assert left[0] == left[1] and swept[0] == swept[1]
