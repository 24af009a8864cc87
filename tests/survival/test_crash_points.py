"""The process ends at each single write, sync or rename, and at each commit: before it landed, after, or halfway."""

import shutil
from contextlib import suppress

import pytest
from survival_tools import check_verified, check_whole

from hanse.node import node as node_module
from hanse.node.node import Node
from hanse.node.testing import site, town
from hanse.record.faults import HALF, LANDED, NOT_LANDED, Crash, FaultyFiles

FACTS = 3


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    return town(tmp_path_factory.mktemp("crash") / "node")


@pytest.fixture(autouse=True)
def no_publisher(monkeypatch):
    monkeypatch.setattr(node_module, "PUBLISH_SECONDS", 3_600)


def run(directory, *, files=None, seam=lambda node: None):
    """A little work; how many of its facts were acknowledged when the process 'ended'."""
    done = 0
    with suppress(Crash):
        node = Node(directory, helper=False, **({"files": files} if files else {}))
        try:
            seam(node)
            for number in range(FACTS):
                node.act("anna", site(node, "anna", f"Site {number}", number))
                done += 1
                if number == 1:
                    node.log.publish()
        finally:
            with suppress(Crash):
                node.close()
    return done


def survives(directory, done):
    with Node(directory, helper=False) as node:
        sites = {row[0] for row in node.view("anna").conn.execute("SELECT site FROM parties_site")}
        assert {f"site-{n}" for n in range(done)} <= sites, "acknowledged, and lost"
        assert len(sites) <= done + 1, "more than was begun"
        check_whole(node)
        node.act("bert", site(node, "bert", "After", 99))
    check_verified(directory)


def operations(pristine, tmp_path):
    files = FaultyFiles(None)
    shutil.copytree(pristine, tmp_path / "count")
    assert run(tmp_path / "count", files=files) == FACTS
    return files.count


@pytest.mark.slow
@pytest.mark.parametrize("how", [LANDED, NOT_LANDED, HALF])
def test_the_record_survives_an_end_at_each_operation(how, pristine, tmp_path):
    count = operations(pristine, tmp_path)
    assert count > 20
    for at in range(count):
        directory = tmp_path / f"at-{at}"
        shutil.copytree(pristine, directory)
        survives(directory, run(directory, files=FaultyFiles(at, how)))
        shutil.rmtree(directory)


def crash_at(monkeypatch, owner, name, call, how):
    """The call number `call` of one object's method ends the process, after or before it takes effect."""
    real, count = getattr(type(owner), name), 0

    def wrapped(it, *args, **named):
        nonlocal count
        if it is not owner:
            return real(it, *args, **named)
        count += 1
        if count == call and how == NOT_LANDED:
            raise Crash
        done = real(it, *args, **named)
        if count >= call:
            raise Crash
        return done

    monkeypatch.setattr(type(owner), name, wrapped)  # an object of a compiled class takes none of its own


@pytest.mark.parametrize("how", [LANDED, NOT_LANDED])
@pytest.mark.parametrize("call", range(1, FACTS + 1))
@pytest.mark.parametrize("what", ["disclosures", "state", "leaves"])
def test_the_node_survives_an_end_between_its_stores(what, call, how, pristine, tmp_path, monkeypatch):
    owner, name = {
        "disclosures": (lambda node: node.disclosures, "put"),
        "state": (lambda node: node.applier.state, "commit"),
        "leaves": (lambda node: node.log, "append"),
    }[what]
    directory = tmp_path / "node"
    shutil.copytree(pristine, directory)
    done = run(directory, seam=lambda node: crash_at(monkeypatch, owner(node), name, call, how))
    assert done == call - 1
    survives(directory, done)


def test_a_torn_tail_is_cut_and_kept_aside(pristine, tmp_path):
    written, directory = tmp_path / "written", tmp_path / "node"
    shutil.copytree(pristine, written)
    before = (written / "record" / "segment").stat().st_size
    assert run(written) == FACTS
    shutil.rmtree(written / "record" / "public")  # as if the end had come before the last checkpoint
    shutil.copytree(pristine / "record" / "public", written / "record" / "public")
    (written / "record" / "segment.index").unlink()
    whole = (written / "record" / "segment").read_bytes()
    for keep in (before + 1, before + 40, (before + len(whole)) // 2, len(whole) - 1):
        shutil.copytree(written, directory)
        (directory / "record" / "segment").write_bytes(whole[:keep])
        with Node(directory, helper=False) as node:
            check_whole(node)
            node.act("anna", site(node, "anna", "After", 99))
        assert (directory / "record" / "segment.torn").exists()
        check_verified(directory)
        shutil.rmtree(directory)
