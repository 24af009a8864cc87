import os
import shutil
import subprocess
import sys

import pytest

from hanse.kernel.refusal import Refused
from hanse.node import joining
from hanse.node.node import NODE_KEY, Node
from hanse.node.read_path import STATE
from hanse.node.testing import site, town
from hanse.node.verify import verify
from hanse.rooms.parties.facts import CIRCLES, SITES, DescribeParty


@pytest.fixture
def directory(tmp_path):
    return town(tmp_path / "node")


def refused(call, *args, **rest):
    with pytest.raises(Refused) as caught:
        call(*args, **rest)
    return caught.value


def test_a_directory_that_is_no_node_is_refused_and_left_as_it_was(tmp_path):
    assert refused(Node, tmp_path / "none").code == "node.no_directory"
    assert not (tmp_path / "none").exists()
    (tmp_path / "letter.txt").write_text("dear")
    assert refused(Node, tmp_path).code == "node.not_a_node"
    assert refused(Node, tmp_path, create=True).code == "node.not_a_node"
    (tmp_path / "hanse.json").write_text("{")
    assert refused(Node, tmp_path).code == "node.not_a_node"


def test_a_node_whose_making_was_cut_short_is_made_anew(tmp_path):
    (tmp_path / NODE_KEY).write_text("half a k")
    (tmp_path / "hanse.json.new").write_text("{")
    with Node(tmp_path, create=True, helper=False) as node:
        assert node.log.size == 0


def test_another_format_is_refused(directory):
    text = (directory / "hanse.json").read_text()
    (directory / "hanse.json").write_text(text.replace('"format":1', '"format":2'))
    assert refused(Node, directory).code == "node.other_format"


def test_without_the_nodes_key_it_does_not_open_but_verifies(directory):
    (directory / NODE_KEY).unlink()
    assert refused(Node, directory).code == "node.no_key_file"
    assert verify(directory).ok


def test_a_second_process_is_refused_and_told_the_first_ones_number(directory):
    program = f"from hanse.node.node import Node\nNode({str(directory)!r}, helper=False)"
    with Node(directory, helper=False):
        assert refused(Node, directory).got == str(os.getpid())
        said = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
        assert "node.locked" in said.stderr
    with Node(directory, helper=False):
        pass


def test_what_cannot_open_lets_go_of_everything(directory):
    segment = directory / "record" / "segment"
    whole = segment.read_bytes()
    segment.write_bytes(whole[:200] + b"?" + whole[201:])
    (directory / "record" / "segment.index").unlink()
    error = refused(Node, directory)
    assert error.code == "node.damaged" and "segment" in error.got
    segment.write_bytes(whole)
    with Node(directory, helper=False) as node:
        assert node.log.size > 20


def test_the_state_can_be_deleted_and_comes_out_the_same(directory):
    with Node(directory, helper=False) as node:
        node.act("anna", site(node, "anna", "Main"))
        dump = {t.name: node.view("anna").sql(f"SELECT * FROM {t.name}") for t in node.applier.book.tables}
        size = node.log.size
    for suffix in ("", "-wal", "-shm"):
        (directory / (STATE + suffix)).unlink(missing_ok=True)
    with Node(directory, helper=False) as node:
        assert node.rebuilt == size
        assert {t.name: node.view("anna").sql(f"SELECT * FROM {t.name}") for t in node.applier.book.tables} == dump
    with Node(directory, rebuild=True, helper=False) as node:
        assert node.rebuilt == size
    with Node(directory, helper=False) as node:
        assert node.rebuilt == 0
    assert verify(directory).state == "equal"


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 100])
def test_a_state_that_does_not_read_is_built_anew(directory, damage):
    (directory / STATE).write_bytes(damage)
    with Node(directory, helper=False) as node:
        assert node.rebuilt == node.log.size
    assert verify(directory).ok


@pytest.mark.parametrize("damage", [b"no database at all" * 300, b""])
def test_disclosures_that_do_not_read_are_damage_and_no_fault(directory, damage):
    whole = (directory / "disclosures.db").read_bytes()
    (directory / "disclosures.db").write_bytes(damage or whole[:4096] + bytes(len(whole) - 4096))
    error = refused(Node, directory, helper=False)
    assert error.code == "node.damaged" and error.got == "disclosures.db"
    (directory / "disclosures.db").write_bytes(whole)
    with Node(directory, helper=False) as node:
        assert node.log.size > 20


def test_a_page_of_disclosures_that_does_not_read_ends_a_rebuild_with_its_name(directory):
    with Node(directory, helper=False) as node:
        for n in range(30):
            node.act("anna", site(node, "anna", f"Site {n}", n))
    path = directory / "disclosures.db"
    whole = path.read_bytes()
    assert len(whole) >= 4 * 4096, "several leaves"
    path.write_bytes(whole[: 2 * 4096] + bytes(4096) + whole[3 * 4096 :])
    error = refused(Node, directory, helper=False, rebuild=True)
    assert error.code == "node.damaged" and error.got == "disclosures.db"
    path.write_bytes(whole)
    with Node(directory, helper=False) as node:
        assert node.rebuilt == node.log.size


def test_the_state_of_another_node_is_built_anew(directory, tmp_path):
    with Node(tmp_path / "other", create=True, helper=False) as other:
        joining.found(other, "office", network="Other", name="Other")
    shutil.copyfile(tmp_path / "other" / STATE, directory / STATE)
    with Node(directory, helper=False) as node:
        assert node.rebuilt == node.log.size
    assert verify(directory).ok


def test_a_state_ahead_of_its_record_is_built_anew(directory):
    before = directory.with_name("before")
    shutil.copytree(directory, before)
    with Node(directory, helper=False) as node:
        node.act("anna", site(node, "anna", "Main"))
    shutil.copyfile(directory / STATE, before / STATE)
    assert [f.where for f in verify(before).findings] == [STATE]
    with Node(before, helper=False) as node:
        assert node.rebuilt == node.log.size
        assert node.view("anna").get(SITES, node.view("anna").home, "site-0") is None


def test_private_files_are_for_their_owner_only(tmp_path):
    with Node(tmp_path / "node", create=True, helper=False) as node:
        for name in ("keys.db", "disclosures.db", NODE_KEY):
            assert (node.directory / name).stat().st_mode & 0o077 == 0
        assert node.directory.stat().st_mode & 0o077 == 0


def test_a_view_shows_a_party_its_own_circles_only(directory):
    with Node(directory, helper=False) as node:
        node.act("anna", site(node, "anna", "Main"))
        home = node.view("anna").home
        assert node.view("anna").get(SITES, home, "site-0") is not None
        assert node.view("bert").get(SITES, home, "site-0") is None
        assert node.view().rows(SITES) == []


def test_steps_of_joining_that_were_cut_short_are_taken_up_again(directory):
    with Node(directory, helper=False) as node:
        size = node.log.size
        joining.found(node, "office", network="Town", name="Office")
        joining.host(node, "anna", name="Anna")
        circle = joining.relationship(node, "anna", "bert")
        assert node.log.size == size, "all of it stood"
        secret = joining.invite(node, "office")
        joining.join(node, "carl", secret, name="Carl")
        joining.join(node, "carl", secret, name="Carl")
        cut = joining._open
        joining_enter, joining._enter = joining._enter, lambda *rest: None
        try:
            half = cut(node, "relationship", ["anna", "carl"], "")
        finally:
            joining._enter = joining_enter
        assert len(node.view().get(CIRCLES, half).entered) == 1
        assert joining.relationship(node, "anna", "carl") == half != circle
        assert len(node.view().get(CIRCLES, half).entered) == 2


def test_act_puts_nothing_on_the_record_that_would_be_refused(directory):
    with Node(directory, helper=False) as node:
        size = node.log.size
        assert refused(node.act, "anna", site(node, "bert", "Theirs")).code == "parties.not_in_circle"
        assert refused(node.act, "nobody", DescribeParty(name="X", city="Y", country="DE")).code == "node.no_key"
        assert node.log.size == size


def test_threads_that_come_and_go_leave_no_open_connections(directory):
    from concurrent.futures import ThreadPoolExecutor

    with Node(directory, helper=False) as node:
        node._tidy()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(10):
            with ThreadPoolExecutor(3) as pool:
                assert all(pool.map(lambda _: node.view("anna").home, range(6)))
        assert len(os.listdir("/proc/self/fd")) <= before + 6


def test_a_closed_node_takes_nothing_and_closes_twice(directory):
    node = Node(directory, helper=False)
    signed = node.wallet.sign("anna", site(node, "anna", "Main"))
    node.close()
    node.close()
    assert refused(node.path.submit, signed).code == "node.closing"


def test_the_journal_tells_of_repairs_and_never_a_secret(directory, caplog):
    import logging

    from hanse.node import keys

    with (directory / "record" / "segment").open("ab") as segment:
        segment.write(b"torn")
    with caplog.at_level(logging.DEBUG), Node(directory, helper=False) as node:
        secret = joining.invite(node, "office")
        keys.rotate(node, "anna")
        receipt = node.act("anna", site(node, "anna", "Main"))
        private = [disclosure.decode() for disclosure in node.disclosures.of(receipt.position)]
        seeds = [row[0] for row in node.wallet._conn.execute("SELECT seed FROM key")]
    said = caplog.text
    assert "record.torn_tail_cut" in said and "bytes=4" in said and "node.opened" in said
    node_key = (directory / NODE_KEY).read_text().strip().split("+", 4)[4]  # base64 may hold a plus of its own
    for hidden in (secret, node_key, "Am Markt", *private, *(seed.hex() for seed in seeds)):
        assert hidden not in said
