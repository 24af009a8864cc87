"""A disk that fills up: writes are refused, reads go on, and when there is room again, writes do too."""

import os
import resource
import signal
import subprocess
import traceback

import pytest
from survival_tools import check_verified, check_whole

from hanse.kernel.refusal import Refused
from hanse.node import write_path
from hanse.node.node import Node
from hanse.node.testing import site, town
from hanse.record.files import Files
from hanse.rooms.parties.facts import SITES


def in_child(work):
    """Run in a forked process, whose limits end with it."""
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(120)
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def write_until_full(node, start, most=400):
    """Write until refused; (how many were written, the refusal)."""
    for number in range(start, start + most):
        try:
            node.act("anna", site(node, "anna", "x" * 380, number), check=False)
        except Refused as refused:
            return number - start, refused
    raise AssertionError("it never filled up")


def full_then_free(directory, fill, free, *, beside=False):
    """Reads go on while it is full; afterwards writes do, and everything holds."""
    with Node(directory, helper=beside) as node:
        fill()
        done, refused = write_until_full(node, 0)
        assert refused.code == "node.disk_full" and refused.retry, refused
        held = len(node.view("anna").rows(SITES))
        for number in range(done, done + 20):
            try:
                node.act("anna", site(node, "anna", "x" * 380, number), check=False)
                done += 1
            except Refused as again:
                assert again.code == "node.disk_full", again
            assert len(node.view("anna").rows(SITES)) >= held, "reads go on"
        free()
        node.act("bert", site(node, "bert", "After", 99_999))
        assert len(node.view("anna").rows(SITES)) >= held
        check_whole(node)
    check_verified(directory)


@pytest.mark.slow
@pytest.mark.parametrize("limit_kb", [12, 24, 40, 60, 90, 140])
@pytest.mark.parametrize("beside", [False, True], ids=["in place", "beside"])
def test_a_limit_on_files_refuses_and_recovers(limit_kb, beside, tmp_path):
    directory = town(tmp_path / "node")

    def work():
        write_path.BESIDE_FROM = 1
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        full_then_free(
            directory,
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit_kb * 1024, hard)),
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard)),
            beside=beside,
        )

    in_child(work)


@pytest.mark.parametrize("beside", [False, True], ids=["in place", "beside"])
def test_a_small_disk_refuses_and_recovers(beside, tmp_path, monkeypatch):
    monkeypatch.setattr(write_path, "BESIDE_FROM", 1)
    mount = tmp_path / "disk"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", mount], check=False, capture_output=True)
    if made.returncode:
        pytest.skip("this system lets no test mount a small disk")
    try:
        directory = town(mount / "node")
        ballast = mount / "ballast"

        def fill():
            room = os.statvfs(mount)
            ballast.write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - 200_000)))

        full_then_free(directory, fill, ballast.unlink, beside=beside)
    finally:
        subprocess.run(["umount", mount], check=True)


class Full(Files):
    """Appends to the segment fail while it is told so."""

    full = False

    def write_at(self, fd, data, offset):
        if self.full:
            raise OSError(28, "No space left on device")
        super().write_at(fd, data, offset)


class Dying(Files):
    """Syncs fail while it is told so."""

    dying = False

    def sync_data(self, fd):
        if self.dying:
            raise OSError(5, "Input/output error")
        super().sync_data(fd)


def test_disclosures_of_a_block_that_found_no_room_are_not_taken_for_the_next_ones(tmp_path):
    directory, files = town(tmp_path / "node"), Full()
    with Node(directory, helper=False, files=files) as node:
        files.full = True
        with pytest.raises(Refused, match=r"node\.disk_full"):
            node.act("anna", site(node, "anna", "Main"), check=False)
        files.full = False
        from hanse.rooms.parties.facts import DescribeParty

        receipt = node.act("anna", DescribeParty(name="Anna", city="Kiel", country="DE"))
        assert node.disclosures.of(receipt.position) == []
        check_whole(node)
    check_verified(directory)


def test_a_sync_that_fails_leaves_a_fact_unsure_and_a_restart_tells(tmp_path):
    directory, files = town(tmp_path / "node"), Dying()
    with Node(directory, helper=False, files=files) as node:
        signed = node.wallet.sign("anna", site(node, "anna", "Main"))
        files.dying = True
        with pytest.raises(Refused, match=r"node\.unsure"):
            node.path.submit(signed).result(60)
        files.dying = False
        with pytest.raises(Refused, match=r"node\.record_closed"):
            node.act("anna", site(node, "anna", "Second", 2))
        assert node.view("anna").rows(SITES) == [], "asking first what would become of a fact shows nothing unsure"
    with Node(directory, helper=False) as node:
        receipt = node.path.submit(signed).result(60)
        assert receipt.code == "ok" and len(node.view("anna").rows(SITES)) == 1
        check_whole(node)
    check_verified(directory)
