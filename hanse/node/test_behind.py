"""Rows written by a process beside the writer: readers see the same, whatever becomes of the process."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.kernel.draft import Draft
from hanse.kernel.rows import Row
from hanse.kernel.state import State
from hanse.kernel.tables import Table
from hanse.kernel.writer import Changed, connect
from hanse.node import pipes, write_path
from hanse.node.behind import WriteBehind
from hanse.node.desk import sign_runs
from hanse.node.node import Node
from hanse.node.testing import site, town
from hanse.node.verify import verify
from hanse.rooms.parties.facts import SITES


class Part(Row, frozen=True, kw_only=True):
    name: str
    n: int
    good: bool = False
    lines: tuple[int, ...] = ()
    more: dict[str, bytes] = {}


PARTS = Table("test_part", Part, ("name", "n"), index=[("good",)])
NEW = Table("test_new", Part, ("name", "n"), often_new=True)
KEYS = st.tuples(st.sampled_from("ab"), st.integers(0, 5))
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "drop", "commit", "scan", "undo", "forget"]), KEYS), max_size=40
)


class Late:
    """A writer that is always two commits late."""

    def __init__(self, real: State) -> None:
        self.real, self.waiting, self.changes = real._writer, [], []

    def write(self, changes: list[Changed]) -> None:
        self.changes = self.changes + changes

    def commit(self) -> None:
        self.waiting.append(self.changes)
        self.changes = []

    def rollback(self) -> None:
        self.changes = []

    def settle(self, commits: int) -> int:
        while len(self.waiting) > commits:
            self.real.write(self.waiting.pop(0))
            self.real.commit()
        return len(self.waiting)

    def close(self) -> None:
        self.settle(0)


@settings(deadline=None)
@given(STEPS, st.sampled_from([PARTS, NEW]))
def test_a_state_whose_rows_come_late_reads_like_a_dictionary(steps, table):
    state = State(connect(":memory:"), [PARTS, NEW])
    state.create()
    state.write_with(Late(state))
    now: dict[tuple[str, int], int] = {}
    kept: dict[tuple[str, int], int] = {}
    for position, (step, key) in enumerate(steps, 1):
        draft = Draft(state, now=1, position=position)
        if step == "put":
            lines = (position, 2)
            draft.put(
                table, Part(name=key[0], n=key[1], good=position % 2 == 0, lines=lines, more={str(position): b"x"})
            )
            now[key] = position
        elif step == "drop":
            draft.delete(table, *key)
            now.pop(key, None)
        elif step == "undo":
            draft.put(table, Part(name=key[0], n=key[1]))
            draft.delete(table, *key)
            draft.put(table, Part(name=key[0], n=key[1] + 1))
            draft.undo()
        elif step == "commit":
            state.commit(wait=False)
            state.held[table.name].rows = {k: r for layer in state.held[table.name].ahead for k, r in layer.items()}
            kept = dict(now)
        elif step == "forget":
            state.rollback()
            now = dict(kept)
        found = state.get(table, key)
        assert (found.position if found else None) == now.get(key)
        assert found is None or found.more == {str(now[key]): b"x"}
        rows = draft.scan(table)
        assert [(row.name, row.n) for row in rows] == sorted(now)
        assert [row.position for row in draft.scan(table, good=True)] == [
            p for _, p in sorted(now.items()) if p % 2 == 0
        ]
        assert draft.scan(table, after=key, limit=2) == [row for row in rows if (row.name, row.n) > key][:2]
        assert draft.scan(table, name="a", up_to=("n", 2)) == [row for row in rows if row.name == "a" and row.n <= 2]
    state.commit()
    state.held[table.name].rows = {}
    assert {(row.name, row.n): row.position for row in state.scan(table, {})} == now


@pytest.fixture
def at_once(monkeypatch):
    """Every block is a crowd."""
    monkeypatch.setattr(write_path, "BESIDE_FROM", 1)


def crowd(node: Node, start: int, count: int):
    facts = [site(node, "anna", f"Site {n}", n) for n in range(start, start + count)]
    return [node.path.submit(signed) for signed in sign_runs(node.wallet, "anna", facts)]


def writing(node: Node) -> WriteBehind:
    writer = node.applier.state._writer
    assert isinstance(writer, WriteBehind)
    return writer


def test_with_its_receipt_a_fact_stands_before_every_reader(tmp_path, at_once):
    directory = town(tmp_path / "node")
    with Node(directory) as node:
        for start in range(0, 1_200, 400):
            futures = crowd(node, start, 400)
            futures[0].result(60)
            assert node.view("anna").get(SITES, node.view("anna").home, f"site-{start}") is not None
            assert all(future.result(60).first_refusal is None for future in futures)
            assert len(node.view("anna").rows(SITES, limit=5_000)) == start + 400
        assert not node.applier.state.in_place
    assert verify(directory).ok


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_dies_or_is_stopped_costs_nothing(tmp_path, at_once, how, monkeypatch):
    monkeypatch.setattr(pipes, "STOPPED_SECONDS", 0.5)
    directory = town(tmp_path / "node")
    with Node(directory) as node:
        assert all(future.result(60) for future in crowd(node, 0, 50))
        first = writing(node)
        os.kill(first.pid, how)
        futures = crowd(node, 50, 500)
        assert all(future.result(60).first_refusal is None for future in futures)
        assert len(node.view("anna").rows(SITES, limit=5_000)) == 550
        assert all(future.result(60).first_refusal is None for future in crowd(node, 550, 50))
        assert writing(node) is not first, "a crowd has its writer again"
        assert first._beside.process.returncode == -signal.SIGKILL, "it cannot wake up and write"
        assert len(node.view("anna").rows(SITES, limit=5_000)) == 600
    found = verify(directory)
    assert found.ok and found.state == "equal"


def test_a_node_closes_though_its_writer_is_stopped(tmp_path, at_once, monkeypatch):
    monkeypatch.setattr(pipes, "STOPPED_SECONDS", 0.5)
    directory = town(tmp_path / "node")
    with Node(directory) as node:
        assert all(future.result(60) for future in crowd(node, 0, 50))
        process = writing(node)._beside.process
        os.kill(process.pid, signal.SIGSTOP)
    assert process.returncode == -signal.SIGKILL
    with Node(directory, helper=False) as node:
        assert len(node.view("anna").rows(SITES, limit=5_000)) == 50
    assert verify(directory).ok


def test_nothing_is_shown_or_acknowledged_while_its_rows_may_not_stand(tmp_path, at_once, monkeypatch):
    monkeypatch.setattr(pipes, "STOPPED_SECONDS", 1.0)
    directory = town(tmp_path / "node")
    with Node(directory) as node:
        assert all(future.result(60) for future in crowd(node, 0, 50))
        os.kill(writing(node).pid, signal.SIGSTOP)
        futures = crowd(node, 50, 50)
        while not any(future.done() for future in futures):
            rows, done = len(node.view("anna").rows(SITES, limit=5_000)), any(future.done() for future in futures)
            assert rows == 50 or done or rows == 100, "a block is seen whole or not at all"
        assert len(node.view("anna").rows(SITES, limit=5_000)) >= 51
        assert all(future.result(60).first_refusal is None for future in futures)
    assert verify(directory).ok


def test_what_the_process_cannot_write_is_said_and_it_ends(tmp_path):
    path = str(tmp_path / "state.db")
    state = State(connect(path), [PARTS])
    state.create()
    state.write_with(WriteBehind(path, state.shapes()))
    put = Draft(state, now=1, position=1)
    put.put(PARTS, Part(name="a", n=1))
    assert state.commit() == 1
    state.conn.execute("DROP TABLE test_part")
    put.put(PARTS, Part(name="a", n=2))
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        state.commit()
    assert state.in_place


def test_a_number_of_more_than_64_bits_stands_in_json_text_as_it_would_in_place(tmp_path):
    path = str(tmp_path / "state.db")
    state = State(connect(path), [PARTS])
    state.create()
    state.write_with(WriteBehind(path, state.shapes()))
    put = Draft(state, now=1, position=1)
    put.put(PARTS, Part(name="a", n=1, lines=(10**30, -(2**63) - 1), more={"x": b"y"}))
    put.put(PARTS, Part(name="b", n=2))
    state.commit()
    state.held["test_part"].rows = {}
    first, second = state.scan(PARTS, {})
    assert first.lines == (10**30, -(2**63) - 1) and first.more == {"x": b"y"} and second.lines == ()
    state.write_with(None)


def write_and_wait(directory):
    """A node whose rows wait for a process that stands still; says that process's number, and waits to be killed.

    A process of its own, not a fork of the tests': threads that other tests left there might hold a lock for ever.
    """
    write_path.BESIDE_FROM = 1
    node = Node(directory)
    crowd(node, 0, 20)[-1].result(60)
    os.kill(writing(node).pid, signal.SIGSTOP)
    crowd(node, 20, 20)
    print(writing(node).pid, flush=True)
    signal.pause()


def test_a_killed_node_is_locked_until_its_rows_are_written(tmp_path):
    directory = town(tmp_path / "node")
    program = "import sys; from hanse.node.test_behind import write_and_wait; write_and_wait(sys.argv[1])"
    command = [sys.executable, "-c", program, directory]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        beside = int(child.stdout.readline())
        child.kill()
    os.kill(beside, signal.SIGCONT)
    with Node(directory, helper=False) as node:
        rows = len(node.view("anna").rows(SITES, limit=5_000))
        assert rows >= 20
    found = verify(directory)
    assert found.ok and found.state == "equal"


def test_a_state_that_could_not_be_written_is_brought_up_at_once(tmp_path, monkeypatch):
    directory = town(tmp_path / "node")
    with Node(directory, helper=False) as node:
        writer = node.applier.state._in_place
        real, failures = writer.write, [sqlite3.DatabaseError("database disk image is malformed")]

        def failing(changes):
            if failures:
                raise failures.pop()
            real(changes)

        monkeypatch.setattr(writer, "write", failing)
        node.act("anna", site(node, "anna", "First", 1), check=False)
        assert not failures and len(node.view("anna").rows(SITES)) == 1
        node.act("anna", site(node, "anna", "Second", 2))
    found = verify(directory)
    assert found.ok and found.state == "equal"
