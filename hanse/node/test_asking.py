"""One request, one state: whatever is written between two of its questions, the second does not see."""

from __future__ import annotations

import contextvars
import subprocess
import sys
import threading
import time

import pytest

from hanse.kernel.kept import META
from hanse.kernel.refusal import Refused
from hanse.node import asking
from hanse.node.node import Node
from hanse.node.reading import ReadNode
from hanse.node.testing import site, town
from hanse.node.tidying import log_pages, tidy
from hanse.rooms.parties.facts import SITES


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with Node(town(tmp_path_factory.mktemp("asking") / "node"), helper=False) as there:
        yield there


numbers = iter(range(1, 1_000))


def elsewhere(act):
    """In another thread, which is no part of the request."""
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def write(node):
    number = next(numbers)
    elsewhere(lambda: node.act("anna", site(node, "anna", f"Site {number}", number)))


def sites(node):
    return len(node.view("anna").rows(SITES, limit=1_000))


def test_a_block_between_two_questions_is_seen_by_neither(node):
    with node.read.once():
        view, before = node.view("anna"), sites(node)
        size = node.view().get(META, 1).size
        write(node)
        assert len(view.rows(SITES, limit=1_000)) == sites(node) == before
        assert node.view("bert").get(META, 1).size == size
        write(node)
        assert sites(node) == before
    assert sites(node) == before + 2


def test_without_it_a_second_question_sees_the_block(node):
    before = sites(node)
    write(node)
    assert sites(node) == before + 1


def test_there_is_one_now(tmp_path):
    moments = iter(range(2_000_000_000, 2_000_001_000))
    reader = ReadNode(town(tmp_path / "node"), clock=lambda: next(moments))
    with reader.read.once():
        assert reader.view("anna").now == reader.view("bert").now == reader.view().now == 2_000_000_000
    assert reader.view("anna").now > 2_000_000_000
    reader.close()


def test_threads_that_a_request_asks_in_are_part_of_it(node):
    with node.read.once():
        before, found = sites(node), []
        write(node)
        here = contextvars.copy_context()
        elsewhere(lambda: found.append(here.run(sites, node)))
        assert found == [before]


def test_each_of_several_requests_has_its_own_state(node):
    first, second = contextvars.copy_context(), contextvars.copy_context()
    opened = [first.run(node.read.once), second.run(node.read.once)]
    first.run(opened[0].__enter__)
    second.run(opened[1].__enter__)
    before = first.run(sites, node)
    write(node)
    assert (first.run(sites, node), second.run(sites, node)) == (before, before + 1)
    write(node)
    assert (first.run(sites, node), second.run(sites, node), sites(node)) == (before, before + 1, before + 2)
    first.run(opened[0].__exit__, None, None, None)
    second.run(opened[1].__exit__, None, None, None)
    assert not node.read.opened


def test_a_request_sees_what_it_has_written_and_all_of_it(node):
    with node.read.once(True):
        old, before = node.view("anna"), sites(node)
        node.act("anna", site(node, "anna", "Own", next(numbers)))
        assert sites(node) == before + 1 == len(old.rows(SITES, limit=1_000))
        write(node)
        assert sites(node) == before + 1, "and one state again"


def test_what_was_asked_between_sending_and_receipt_hides_no_receipt(node):
    with node.read.once(True):
        before = sites(node)
        with node.path._writing:
            future = node.path.submit(node.wallet.sign("anna", site(node, "anna", "Own", next(numbers))))
            assert sites(node) == before
        assert future.result(60).first_refusal is None
        assert sites(node) == before + 1


def test_an_error_ends_it(node):
    with pytest.raises(ZeroDivisionError), node.read.once():
        view = node.view("anna")
        conn = view.conn
        assert conn.in_transaction and node.read.opened
        raise ZeroDivisionError
    assert not conn.in_transaction and not node.read.opened and conn in node.read._free
    write(node)
    assert len(view.rows(SITES, limit=1_000)) == sites(node), "what outlives its request asks as things stand"


def test_requests_one_after_the_other_share_a_connection(node):
    with node.read.once():
        conn = node.view("anna").conn
    for _ in range(3):
        with node.read.once():
            assert node.view("bert").conn is conn


def test_what_takes_too_long_is_refused_and_shows_no_second_state(node, monkeypatch):
    with node.read.once():
        view = node.view("anna")
        conn = view.conn
        [one] = node.read.opened
        one.end_late()
        assert conn.in_transaction, "not yet"
        monkeypatch.setattr(asking, "SECONDS_MAX", 0.0)
        one.end_late()
        assert not conn.in_transaction and not node.read.opened
        for ask in (lambda: view.rows(SITES), lambda: node.view("anna"), node.view):
            with pytest.raises(Refused, match=r"node\.took_too_long"):
                ask()
    assert sites(node)


def test_a_request_that_writes_and_takes_long_goes_on_as_things_stand(node, monkeypatch):
    with node.read.once(True):
        view, before = node.view("anna"), sites(node)
        write(node)
        monkeypatch.setattr(asking, "SECONDS_MAX", 0.0)
        for one in list(node.read.opened):
            one.end_late()
        assert len(view.rows(SITES, limit=1_000)) == sites(node) == before + 1


def test_the_node_itself_looks_for_those_that_take_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr("hanse.node.read_path.LOOK_SECONDS", 0.01)
    monkeypatch.setattr(asking, "SECONDS_MAX", 0.02)
    reader = ReadNode(town(tmp_path / "node"))
    with reader.read.once():
        conn, until = reader.view("anna").conn, time.monotonic() + 30
        while conn.in_transaction and time.monotonic() < until:
            time.sleep(0.01)
        assert not conn.in_transaction
    reader.close()


def test_a_log_is_copied_once_no_request_needs_it(node):
    path = str(node.directory / "state.db")
    with node.read.once():
        node.view("anna")
        for _ in range(200):
            write(node)
            if log_pages(path)[1] > 200:
                break
        tidy(path)
        assert log_pages(path)[1] > 100, "the request still reads what was before"
    until = time.monotonic() + 30
    while log_pages(path)[1] > 100 and time.monotonic() < until:
        tidy(path)
    assert log_pages(path)[1] <= 100


READER = """
import sys
from hanse.node.reading import ReadNode
from hanse.rooms.parties.facts import SITES
node = ReadNode(sys.argv[1])
def tell(): print(len(node.view("anna").rows(SITES, limit=1_000)), flush=True)
with node.read.once():
    tell()
    sys.stdin.readline()
    tell()
tell()
"""


def test_a_process_that_only_reads_asks_one_state_too(node):
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(node.directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        before = int(process.stdout.readline())
        write(node)
        told = process.communicate("\n")[0].split()
    assert [before, *map(int, told)] == [before, before, before + 1] and before == sites(node) - 1
