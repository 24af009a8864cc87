"""Applying: refusals leave no trace, retries are safe, private rules stay private, waits end, replays agree."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import types
from typing import Any, ClassVar

import pytest

from hanse.compiled import elsewhere
from hanse.kernel import apply as applying
from hanse.kernel.draft import Draft
from hanse.kernel.facts import WITHHELD, Commercial, Fact, Id
from hanse.kernel.kept import CHAIN, PRIVATE_OUTCOMES, TIMERS, Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rows import Row
from hanse.kernel.rules import circle_rule, circle_timer, home_finder, home_rule, rule, timer
from hanse.kernel.state import State
from hanse.kernel.tables import Table
from hanse.kernel.testing import World
from hanse.kernel.view import CIRCLES_LISTED_MAX


class Pot(Row, frozen=True, kw_only=True):
    pot: str
    each: int
    tags: tuple[str, ...] = ()


class Secret(Row, frozen=True, kw_only=True):
    circle: str
    pot: str
    price_minor: int


POTS = Table("test_pot", Pot, ("pot",), index=[("each",)])
SECRETS = Table("test_secret", Secret, ("circle", "pot"), circle=True)


class Fill(Fact, frozen=True, kw_only=True):
    kind: ClassVar[str] = "test.fill"
    circle: Id
    pot: Id
    each: int
    price_minor: Commercial[int] = WITHHELD


class Filled(Row, frozen=True, kw_only=True):
    pot: str
    times: int


@rule(Fill)
def fill(draft: Draft, fact: Fill) -> None:
    """Refuses: test.negative, after it has written (a refusal must drop that)."""
    before = draft.get(POTS, fact.pot)
    draft.put(POTS, Pot(pot=fact.pot, each=(before.each if before else 0) + fact.each, tags=("filled",)))
    draft.timer("test.leak", f"leak-{fact.pot}", draft.now + 60, circle=fact.circle, args=(fact.pot,))
    draft.tell(Filled(pot=fact.pot, times=1))
    require(fact.each >= 0, "test.negative", "no negative amounts", got=fact.each)


@circle_rule(Fill)
def keep_price(draft: Draft, fact: Fill) -> None:
    require(fact.price_minor > 0, "test.no_price", "a price is positive", got=fact.price_minor)
    draft.put(SECRETS, Secret(circle=fact.circle, pot=fact.pot, price_minor=fact.price_minor))


@home_rule(Fill)
def note_at_home(draft: Draft, fact: Fill, party: str) -> None:
    draft.put(SECRETS, Secret(circle=draft.circle, pot=f"{party} {fact.pot}", price_minor=fact.price_minor))


@home_finder()
def homes(state: State, circle: str) -> list[tuple[str, str]]:
    return [("anna", "home-anna")] if circle == "c1" else []


@timer("test.leak")
def leak(draft: Draft, due: Timer) -> None:
    pot = draft.get(POTS, due.args[0])
    assert pot is not None
    draft.put(POTS, Pot(pot=pot.pot, each=0))


@circle_timer("test.leak")
def note_leak(draft: Draft, due: Timer) -> None:
    draft.put(SECRETS, Secret(circle=due.circle, pot=due.args[0], price_minor=0))


class Wild(Fact, frozen=True, kw_only=True):
    kind: ClassVar[str] = "test.wild"
    how: str


@rule(Wild)
def wild(draft: Draft, fact: Wild) -> None:
    if fact.how == "overflow":
        draft.put(POTS, Pot(pot="big", each=2**63))
    elif fact.how == "storm":
        draft.tell(Filled(pot="storm", times=2))
    else:
        raise ZeroDivisionError(fact.how)


def again(draft: Draft, event: Filled) -> None:
    if event.times > 1:
        draft.tell(Filled(pot=event.pot, times=event.times))


ON = {Filled: again}
THIS = sys.modules[__name__]


def _world() -> World:
    return World(THIS)


def _fill(pot: str = "p1", each: int = 5, price_minor: int = 100, circle: str = "c1") -> Fill:
    return Fill(circle=circle, pot=pot, each=each, price_minor=price_minor)


def test_a_refusal_drops_the_whole_draft_and_is_recorded_with_its_code_alone() -> None:
    world = _world()
    before = world.dump()
    outcome = world.do("anna", _fill(each=-1))
    assert outcome.code == "test.negative" and outcome.refusal is not None and outcome.refusal.got == "-1"
    after = world.dump()
    for name in ("test_pot", "test_secret", "kernel_timer", "kernel_chain"):
        assert after[name] == before[name]
    leaf = world.blocks[-1].leaves[1]
    assert leaf.startswith(b"hanse/1 fact\ntest.negative\n") and b"no negative" not in leaf


def test_the_same_bytes_again_return_the_first_receipt_and_other_bytes_under_that_nonce_are_refused() -> None:
    world = _world()
    signed = world.sign("anna", _fill(), nonce=7)
    first = world.block(signed)[0]
    second = world.block(signed)[0]
    assert second.repeated and (second.position, second.code) == (first.position, "ok")
    assert world.state.get(POTS, ("p1",)).each == 5  # type: ignore[union-attr]
    other = world.block(world.sign("anna", _fill(each=6), nonce=7))[0]
    assert other.code == "fact.nonce_used" and len(world.blocks[-1].leaves) == 1


def test_a_repeated_refusal_returns_the_recorded_refusal() -> None:
    world = _world()
    signed = world.sign("anna", _fill(each=-1))
    assert world.block(signed)[0].code == world.block(signed)[0].code == "test.negative"


def test_nonces_may_come_in_any_order_and_each_counts_once() -> None:
    world = _world()
    facts = [world.sign("anna", _fill(each=1), nonce=nonce) for nonce in (5, 2, 9, 3)]
    assert [o.code for o in world.block(*facts, facts[1])] == ["ok"] * 5
    assert world.state.get(POTS, ("p1",)).each == 4  # type: ignore[union-attr]


def test_a_fact_for_another_network_or_after_its_window_is_refused() -> None:
    world = _world()
    late = world.sign("anna", _fill(), exp=world.now - 1)
    assert world.block(late)[0].code == "fact.expired"


def test_expired_nonces_are_forgotten_after_a_day_and_the_fact_stays_out() -> None:
    world = _world()
    signed = world.sign("anna", _fill())
    world.block(signed)
    world.tick(2 * 86_400)
    assert world.dump()["kernel_seen"] == []
    assert world.block(signed)[0].code == "fact.expired"


def test_a_private_refusal_ends_in_a_private_outcome_and_the_public_one_stands() -> None:
    world = _world()
    outcome = world.do("anna", _fill(price_minor=-3))
    assert outcome.code == "ok" and outcome.private["c1"].code == "test.no_price"
    assert world.state.get(POTS, ("p1",)) is not None
    assert world.state.get(SECRETS, ("c1", "p1")) is None
    assert world.state.get(PRIVATE_OUTCOMES, ("c1", outcome.position)).code == "test.no_price"  # type: ignore[union-attr]


def test_a_node_without_the_disclosures_reaches_the_same_public_state() -> None:
    holder, stranger = _world(), _world()
    for each in (3, -1, 4):
        signed = holder.sign("anna", _fill(each=each))
        from hanse.kernel.reading import read

        holder.block(signed)
        stranger.block(read(stranger.book.kinds, signed.jwt))
    holder.tick(100)
    stranger.tick(100)
    assert holder.blocks[-1].state == stranger.blocks[-1].state
    assert [b.leaves for b in holder.blocks] == [b.leaves for b in stranger.blocks]
    assert stranger.dump()["test_secret"] == [] != holder.dump()["test_secret"]


def test_both_sides_of_a_circle_have_the_same_running_hash_and_a_changed_price_shows() -> None:
    one, two, three = _world(), _world(), _world()
    one.do("anna", _fill())
    two.do("anna", _fill())
    three.do("anna", _fill(price_minor=101))
    hashes = [w.state.get(CHAIN, ("c1",)).hash for w in (one, two, three)]  # type: ignore[union-attr]
    assert hashes[0] == hashes[1] != hashes[2]


def test_home_rules_write_each_readable_home_and_nothing_else() -> None:
    world = _world()
    world.do("anna", _fill())
    assert world.state.get(SECRETS, ("home-anna", "anna p1")) is not None
    world.do("anna", _fill(circle="c2"))
    assert world.state.get(SECRETS, ("home-anna", "anna p2")) is None


@pytest.mark.parametrize("others", [0, 10, CIRCLES_LISTED_MAX + 1])
def test_a_view_shows_circle_rows_to_their_circle_only(others: int) -> None:
    world = _world()
    world.do("anna", _fill())
    more = tuple(f"x{n}" for n in range(others))
    assert [row.price_minor for row in world.view("anna", ("c1", *more)).rows(SECRETS)] == [100]
    stranger = world.view("eve", ("c9", *more))
    assert stranger.rows(SECRETS) == [] and stranger.get(SECRETS, "c1", "p1") is None
    assert stranger.count(SECRETS) == 0
    sql = "SELECT s.price_minor FROM {test_pot} p JOIN {test_secret} s ON s.pot = p.pot WHERE p.each > ?"
    assert stranger.sql(sql, (0,), tables=(POTS, SECRETS)) == []
    assert world.view("anna", ("c1", *more)).sql(sql, (0,), tables=(POTS, SECRETS)) == [(100,)]


def test_a_rule_cannot_reach_into_another_circle_nor_write_publicly_in_private() -> None:
    world = _world()
    draft = Draft(world.state, now=0, position=0, circle="c1")
    with pytest.raises(AssertionError, match="closed"):
        draft.get(SECRETS, "c2", "p")
    with pytest.raises(AssertionError, match="publicly"):
        draft.put(POTS, Pot(pot="p", each=1))
    with pytest.raises(AssertionError, match="closed"):
        Draft(world.state, now=0, position=0).scan(SECRETS)


def test_timers_fire_when_due_in_order_with_leaves_of_their_own_and_move_private_state() -> None:
    world = _world()
    world.do("anna", _fill(pot="b"))
    world.do("anna", _fill(pot="a"))
    assert world.tick(59).header.timers == 0
    block = world.tick(1)
    assert block.leaves[1:] == [b"hanse/1 timer\nok\nleak-a", b"hanse/1 timer\nok\nleak-b"]
    assert world.state.get(POTS, ("a",)).each == 0  # type: ignore[union-attr]
    assert world.state.get(SECRETS, ("c1", "a")).price_minor == 0  # type: ignore[union-attr]
    assert world.dump()["kernel_timer"] == []


def test_a_crowd_of_timers_is_carried_over_to_later_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "TIMERS_PER_BLOCK_MAX", 3)
    world = _world()
    for i in range(5):
        world.do("anna", _fill(pot=f"p{i}"))
    assert [world.tick(60).header.timers, world.tick(0).header.timers, world.tick(0).header.timers] == [3, 2, 0]


def test_ledger_time_never_falls() -> None:
    world = _world()
    world.do("anna", _fill())
    world.now -= 1000
    world.do("anna", _fill())
    assert world.blocks[1].header.time == world.blocks[0].header.time


def test_an_integer_beyond_64_bits_and_a_storm_of_events_are_refusals() -> None:
    world = _world()
    assert world.do("anna", Wild(how="overflow")).code == "kernel.overflow"
    assert world.do("anna", Wild(how="storm")).code == "kernel.too_many_events"


def test_a_fault_in_a_rule_refuses_the_fact_and_is_told_to_the_operator() -> None:
    world, told = _world(), []
    world.applier.strict = False
    world.applier.on_bug = told.append
    assert world.do("anna", Wild(how="bug")).code == "kernel.bug"
    assert isinstance(told[0], ZeroDivisionError)
    world.applier.strict = True
    with pytest.raises(ZeroDivisionError):
        world.do("anna", Wild(how="bug"))


def test_a_private_field_left_out_is_named_and_nothing_is_written() -> None:
    world = _world()
    outcome = world.do("anna", _fill(price_minor=WITHHELD))
    assert outcome.code == "ok" and outcome.private["c1"].code == "fact.field_left_out"
    assert "price_minor" in outcome.private["c1"].message
    assert world.dump()["test_secret"] == []


def test_a_fault_of_storage_is_no_outcome_though_a_field_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    world, put = _world(), Draft.put

    def full_disk(draft: Draft, table: Table[Any], row: Row) -> None:
        if table is SECRETS:
            raise sqlite3.OperationalError("database or disk is full")
        put(draft, table, row)

    monkeypatch.setattr(applying.Draft, "put", full_disk)
    monkeypatch.setitem(world.book._roles, ("circle", Fill), lambda draft, fact: full_disk(draft, SECRETS, None))  # type: ignore[arg-type]
    with pytest.raises(sqlite3.OperationalError):
        world.do("anna", _fill(price_minor=WITHHELD))


def test_a_trial_says_what_would_happen_and_leaves_no_trace() -> None:
    world = _world()
    before = world.dump()
    assert world.applier.trial(world.sign("anna", _fill()), world.now) is None
    assert world.applier.trial(world.sign("anna", _fill(each=-1)), world.now).code == "test.negative"  # type: ignore[union-attr]
    private = world.applier.trial(world.sign("anna", _fill(price_minor=-1)), world.now)
    assert private is not None and private.code == "test.no_price"
    assert world.dump() == before


def test_scans_see_the_drafts_own_writes_in_key_order() -> None:
    world = _world()
    for pot in ("b", "d"):
        world.do("anna", _fill(pot=pot))
    draft = Draft(world.state, now=world.now, position=99)
    draft.put(POTS, Pot(pot="c", each=5))
    draft.put(POTS, Pot(pot="b", each=6))
    draft.delete(POTS, "d")
    assert [row.pot for row in draft.scan(POTS, each=5)] == ["c"]
    assert [row.pot for row in draft.scan(POTS)] == ["b", "c"]
    assert [row.pot for row in draft.scan(POTS, after=("b",))] == ["c"]
    assert draft.scan(TIMERS, up_to=("due", world.now)) == []


def test_rows_with_lists_and_flags_read_back_from_sqlite_as_written() -> None:
    world = _world()
    world.do("anna", _fill())
    world.state.rollback()
    assert world.state.get(POTS, ("p1",)) == Pot(pot="p1", each=5, tags=("filled",), position=1)


def test_two_rooms_cannot_share_a_table_or_a_kind() -> None:
    twin = types.ModuleType("twin")
    twin.POTS = Table("test_pot", Pot, ("pot",))  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="two tables"):
        World(THIS, twin)


_SCRIPT = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from hanse.kernel import test_apply as t
world = t.World(t)
for i in range(60):
    world.do("anna", t._fill(pot=f"p{i % 7}", each=i % 11 - 2, price_minor=i % 5 - 1, circle=f"c{i % 3}"))
    if i % 9 == 0:
        world.tick(61)
print(hashlib.sha256(repr(world.dump()).encode() + repr([b.leaves for b in world.blocks]).encode()).hexdigest())
"""


def test_replay_under_other_hash_seeds_gives_the_same_state_and_outcomes(pytestconfig: Any) -> None:
    def run(seed: str) -> str:
        env = elsewhere(seed)
        command = [sys.executable, "-c", _SCRIPT, str(pytestconfig.rootpath)]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout

    assert len({run(seed) for seed in ("0", "1", "4711")}) == 1


def test_a_refusal_reads_as_one_sentence() -> None:
    assert str(Refused("a.b", "no", next="try c")) == "a.b: no; try c"
