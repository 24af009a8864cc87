"""The search for cycles: left out while a crowd is written, and made up for when nobody waits."""

import gc

import pytest

from hanse.node.collecting import CROWD_FROM, FACTS_MAX, LATE_SECONDS, QUIET_SECONDS, Crowds, without_collecting


class Leaf:
    """Whether one in a cycle is still there."""

    alive = 0

    def __init__(self) -> None:
        type(self).alive += 1
        self.me = self

    def __del__(self) -> None:
        type(self).alive -= 1


@pytest.fixture
def now():
    Leaf.alive, before = 0, gc.get_threshold()
    yield [1_000.0]
    gc.set_threshold(*before)
    gc.enable()


def test_what_is_left_in_cycles_during_a_crowd_goes_when_it_is_quiet(now):
    crowds = Crowds(lambda: now[0])
    with crowds.block(CROWD_FROM):
        assert not gc.isenabled()
        Leaf()
    assert gc.isenabled() and Leaf.alive == 1 and gc.get_freeze_count() == 0
    gc.collect(1)
    assert Leaf.alive == 1, "it is among the oldest already"
    now[0] += QUIET_SECONDS - 1
    with crowds.block(1):
        pass
    now[0] += QUIET_SECONDS - 1
    assert not crowds.tidy(), "somebody came in between"
    now[0] += 1
    assert crowds.tidy() and Leaf.alive == 0
    assert not crowds.tidy(), "once is enough"


def test_a_block_of_few_changes_nothing(now):
    crowds = Crowds(lambda: now[0])
    with crowds.block(CROWD_FROM - 1):
        assert gc.isenabled()
    now[0] += LATE_SECONDS
    assert not crowds.tidy()


def test_a_crowd_that_does_not_end_is_searched_too(now):
    crowds = Crowds(lambda: now[0])
    for _ in range(FACTS_MAX // 2_000):
        assert not crowds.tidy()
        with crowds.block(2_000):
            Leaf()
    assert crowds.tidy() and Leaf.alive == 0
    for _ in range(int(LATE_SECONDS)):
        with crowds.block(CROWD_FROM):
            pass
        assert not crowds.tidy()
        now[0] += 1
    assert crowds.tidy()


def test_a_fault_leaves_the_search_as_it_was(now):
    crowds = Crowds(lambda: now[0])
    with pytest.raises(ZeroDivisionError), crowds.block(CROWD_FROM):
        raise ZeroDivisionError
    assert gc.isenabled()
    gc.disable()
    with without_collecting():
        pass
    assert not gc.isenabled(), "who had it off has it off"
