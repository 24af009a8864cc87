"""What is checked beside a replay is what is checked in place; a process that dies, or that is not waited for, is no
sound directory."""

import gc
import shutil
import sqlite3
import threading

import pytest

from hanse.cli import main
from hanse.node import at_rest, pipes, state_check
from hanse.node import verify as verify_module
from hanse.node.at_rest import AtRest, Form, Request
from hanse.node.node import Node
from hanse.node.testing import site, town
from hanse.node.verify import verify
from hanse.rooms.parties.facts import DescribeParty


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    directory = town(tmp_path_factory.mktemp("rest") / "node")
    with Node(directory, helper=False) as node:
        for number in range(6):
            node.act("anna", site(node, "anna", f"Site {number}", number))
        node.act("bert", DescribeParty(name="Bert", city="Kiel", country="DE"))
    (directory / "files").mkdir(exist_ok=True)
    return directory


@pytest.fixture
def directory(made, tmp_path):
    return shutil.copytree(made, tmp_path / "node")


@pytest.fixture
def beside(monkeypatch):
    """As a long record is verified: all processes and both threads."""
    monkeypatch.setattr(verify_module, "READ_AHEAD_FROM", 1)
    monkeypatch.setattr(state_check, "SIDE_BY_SIDE_FROM", 1)


def begun(monkeypatch, dies=""):
    """The processes that are begun from now on, by module; one is killed as soon as it was told what to do."""
    found = {}

    class Watched(pipes.Beside):
        def __init__(self, module, *args, **named):
            super().__init__(module, *args, **named)
            self.name = module.rpartition(".")[2]
            found[self.name] = self.process

        def send(self, data):
            super().send(data)
            if self.name == dies:
                self.process.kill()
                self.process.wait()

    for module in ("at_rest", "ahead", "behind"):
        monkeypatch.setattr(f"hanse.node.{module}.Beside", Watched)
    return found


def claim_free_pages(path):
    """The header says that one page more is free than there is: SQLite sees it, no row does."""
    data = bytearray(path.read_bytes())
    data[39] += 1
    path.write_bytes(data)


def run_sql(path, sql):
    conn = sqlite3.connect(path)
    conn.executescript(sql)
    conn.close()


def flip_in_the_middle(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGE = {
    "record/segment": lambda d: flip_in_the_middle(d / "record/segment"),
    "disclosures.db": lambda d: claim_free_pages(d / "disclosures.db"),
    "state.db": lambda d: claim_free_pages(d / "state.db"),
    "state.db: parties_site": lambda d: run_sql(d / "state.db", "DELETE FROM parties_site WHERE site = 'site-3'"),
    "files/" + "0" * 64: lambda d: (d / "files" / ("0" * 64)).write_bytes(b"other bytes"),
}


@pytest.mark.parametrize("where", DAMAGE)
def test_damage_of_each_part_is_named_alike_beside_a_replay_and_in_place(where, directory, monkeypatch):
    DAMAGE[where](directory)
    in_place = verify(directory)
    assert where in [found.where for found in in_place.findings]
    monkeypatch.setattr(verify_module, "READ_AHEAD_FROM", 1)
    monkeypatch.setattr(state_check, "SIDE_BY_SIDE_FROM", 1)
    assert verify(directory) == in_place


def test_findings_of_all_parts_stand_in_one_order(directory, monkeypatch):
    for where in list(DAMAGE)[1:]:
        DAMAGE[where](directory)
    run_sql(directory / "state.db", "UPDATE parties_party SET city = 'Rom'; UPDATE kernel_meta SET time = time + 1")
    in_place = verify(directory)
    monkeypatch.setattr(verify_module, "READ_AHEAD_FROM", 1)
    monkeypatch.setattr(state_check, "SIDE_BY_SIDE_FROM", 1)
    for _ in range(2):
        assert verify(directory) == in_place
    assert [found.where for found in in_place.findings] == [
        "state.db",
        "state.db: kernel_meta",
        "state.db: parties_party",
        "state.db: parties_site",
        "disclosures.db",
        "files/" + "0" * 64,
    ]


def test_a_table_that_does_not_read_ends_the_comparison_there(directory, beside, monkeypatch):
    differs = state_check._differs
    monkeypatch.setattr(
        state_check, "_differs", lambda conn, table: "no" if table.name == "parties_site" else differs(conn, table)
    )
    run_sql(directory / "state.db", "UPDATE parties_party SET city = 'Rom'; DELETE FROM parties_key")
    found = [(one.where, one.what) for one in verify(directory).findings]
    assert found[-1] == ("state.db", "it does not read: no")
    assert "state.db: parties_party" in dict(found)


@pytest.mark.parametrize("thread", ["first", "second"])
def test_a_fault_in_either_thread_of_the_comparison_is_raised(thread, directory, beside, monkeypatch):
    both, seen = threading.Barrier(2, timeout=20), set()

    def differs(conn, table):
        name = threading.current_thread().name
        if name not in seen:
            seen.add(name)
            both.wait()  # neither takes all tables alone
        if (name == threading.main_thread().name) == (thread == "first"):
            raise MemoryError(table.name)
        return []

    monkeypatch.setattr(state_check, "_differs", differs)
    with pytest.raises(MemoryError):
        verify(directory)
    assert len(seen) == 2


@pytest.mark.parametrize("dies", ["at_rest", "ahead", "behind"])
def test_a_process_that_dies_is_said_and_nothing_is_well(dies, directory, beside, monkeypatch, capsys):
    processes = begun(monkeypatch, dies)
    assert main(["verify", "--data", str(directory)]) not in (0, 1)
    said = capsys.readouterr()
    assert "nothing is wrong" not in said.out and "OSError" in said.err
    assert set(processes) == {"at_rest", "ahead", "behind"}
    assert all(process.poll() is not None for process in processes.values())


def test_an_interrupt_ends_every_process(directory, beside, monkeypatch):
    processes = begun(monkeypatch)

    def interrupted(step, done, all):
        raise KeyboardInterrupt

    before = gc.get_threshold()
    with pytest.raises(KeyboardInterrupt):
        verify(directory, progress=interrupted)
    assert len(processes) == 3 and all(process.poll() is not None for process in processes.values())
    assert gc.get_threshold() == before


@pytest.mark.parametrize("process", [False, True])
def test_a_file_that_cannot_be_read_is_raised_with_its_name(process, directory):
    (directory / "files" / ("1" * 64)).mkdir()
    with (
        AtRest(Request(str(directory / "record"), "", str(directory / "files"), "", ""), beside=process) as rest,
        pytest.raises(IsADirectoryError) as raised,
    ):
        rest.files()
    assert raised.value.filename == str(directory / "files" / ("1" * 64))


@pytest.mark.parametrize("process", [False, True])
def test_a_database_that_does_not_read_says_why_and_what_is_not_there_is_sound(process, directory):
    (directory / "state.db").write_bytes(b"no database at all" * 400)
    with AtRest(Request(str(directory / "record"), "", "", str(directory / "state.db"), ""), beside=process) as rest:
        assert rest.state() == Form([], "file is not a database")
        assert rest.disclosures() == Form([]) and rest.files() == at_rest.Files(0, [])
