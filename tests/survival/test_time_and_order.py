"""The clock falls back; several processes; replay under several hash seeds."""

import os
import subprocess
import sys
import time

import pytest
from survival_tools import check_verified, sign

from hanse.compiled import elsewhere
from hanse.kernel.refusal import Refused
from hanse.node.node import Node
from hanse.node.testing import site, town
from hanse.node.verify import verify
from hanse.rooms.parties.facts import DescribeParty

DAY = 86_400


@pytest.fixture
def directory(tmp_path):
    return town(tmp_path / "node")


def about(number):
    return DescribeParty(name=f"Anna {number}", city="Kiel", country="DE")


def test_a_clock_that_falls_back_stops_nothing_and_ledger_time_never_falls(directory):
    now = [time.time() + 3 * DAY]
    with Node(directory, helper=False, clock=lambda: now[0]) as node:
        before = node.act("anna", about(1))
        now[0] -= 5 * DAY
        after = node.act("anna", about(2))
        assert after.time == before.time
    with Node(directory, helper=False, clock=lambda: now[0]) as node:
        assert node.act("anna", about(3)).time == before.time
        node.act("anna", site(node, "anna", "Main"))
        assert node.path.submit(sign(node, "bert", about(4))).result(60).code == "ok"
        now[0] += 6 * DAY
        assert node.act("anna", about(5)).time > before.time
    check_verified(directory)


def test_nonces_rise_over_restarts_also_where_the_clock_falls_back(directory):
    nonces = []
    for back in (0, 10 * DAY, 10 * DAY):
        with Node(directory, helper=False, clock=lambda back=back: time.time() - back) as node:
            nonces += [node.wallet._next_nonce() for _ in range(3)]
    assert nonces == sorted(set(nonces))


def test_a_new_key_is_used_though_the_clock_fell_back(directory):
    with Node(directory, helper=False, clock=lambda: time.time() - 10 * DAY) as node:
        assert node.wallet.key_of("anna") != node.wallet.make("anna") == node.wallet.key_of("anna")


def test_two_processes_never_write_one_directory(directory):
    program = (
        "import sys\nfrom hanse.node.node import Node\nfrom hanse.kernel.refusal import Refused\n"
        "try:\n    Node(sys.argv[1], helper=False)\n"
        "except Refused as refused:\n    print(refused.code, refused.got)\n"
    )
    with Node(directory, helper=False):
        found = subprocess.run([sys.executable, "-c", program, directory], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["node.locked", str(os.getpid())]
    with pytest.raises(Refused), Node(directory, helper=False), Node(directory, helper=False):
        pass


@pytest.mark.slow
def test_replay_gives_the_same_under_several_hash_seeds(directory):
    with Node(directory, helper=False) as node:
        for number in range(5):
            node.act("anna", site(node, "anna", f"Site {number}", number))
        with pytest.raises(Refused):
            node.act("anna", site(node, "bert", "Not mine"), check=False)
    program = (
        "import sys\nfrom hanse.node.node import Node\nfrom hanse.kernel.state import State\n"
        "with Node(sys.argv[1], rebuild=True, helper=False) as node:\n"
        "    print(node.rebuilt, node.log.root.hex(), node.applier.meta.state.hex())\n"
        "    for table in node.applier.book.tables:\n"
        "        for row in node.view().conn.execute(f'SELECT * FROM {table.name}'):\n"
        "            print(table.name, row)\n"
    )
    told = set()
    for seed in ("0", "1", "424242"):
        env = elsewhere(seed)
        run = subprocess.run([sys.executable, "-c", program, directory], capture_output=True, check=True, env=env)
        told.add(run.stdout)
    assert len(told) == 1 and len(told.pop()) > 5_000
    assert verify(directory).state == "equal"
