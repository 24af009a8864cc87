"""What is surely absent is absent, whatever was written before."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.kernel.absent import KEYS_MIN, Absent
from hanse.kernel.draft import Draft
from hanse.kernel.rows import Row
from hanse.kernel.state import State
from hanse.kernel.tables import Table
from hanse.kernel.writer import connect


class Thing(Row, frozen=True, kw_only=True):
    name: str
    n: int
    text: str = ""


THINGS = Table("test_thing", Thing, ("name", "n"), often_new=True)
KEYS = st.tuples(st.text(max_size=3), st.integers(0, 3))
STEPS = st.lists(st.tuples(st.sampled_from(["put", "drop", "get", "commit", "rollback", "scan"]), KEYS), max_size=60)


def empty() -> State:
    state = State(connect(":memory:"), [THINGS])
    state.create()
    return state


@settings(deadline=None)
@given(STEPS)
def test_a_state_that_knows_absent_keys_reads_like_a_dictionary(steps: list[tuple[str, tuple[str, int]]]) -> None:
    state = empty()
    kept: dict[tuple[str, int], str] = {}
    now: dict[tuple[str, int], str] = {}
    for position, (step, key) in enumerate(steps, 1):
        draft = Draft(state, now=1, position=position)
        if step == "put":
            draft.put(THINGS, Thing(name=key[0], n=key[1], text=str(position)))
            now[key] = str(position)
        elif step == "drop":
            draft.delete(THINGS, *key)
            now.pop(key, None)
        elif step == "commit":
            state.commit()
            state.held[THINGS.name].rows.clear()  # as a full cache is
            kept = dict(now)
        elif step == "rollback":
            state.rollback()
            now = dict(kept)
        elif step == "scan":
            assert [(row.name, row.n) for row in draft.scan(THINGS)] == sorted(now)
        found = state.get(THINGS, key)
        assert (found.text if found else None) == now.get(key)


def test_a_filter_that_is_full_is_built_anew_from_the_table() -> None:
    state = empty()
    assert state.get(THINGS, ("a", 0)) is None
    first = state.held[THINGS.name].absent
    assert isinstance(first, Absent) and not first.full
    draft = Draft(state, now=1, position=1)
    count = 2 * KEYS_MIN + 1
    for n in range(count):
        draft.put(THINGS, Thing(name="a", n=n))
    state.commit()
    assert first.full
    state.held[THINGS.name].rows.clear()
    assert all(state.get(THINGS, ("a", n)) is not None for n in range(0, count, 997))
    second = state.held[THINGS.name].absent
    assert second is not None and second is not first and not second.full
    wrong = sum(not second.surely(("b", n)) for n in range(10_000))
    assert wrong < 500, "nearly every new key is known to be new"
