"""kill -9 at random moments under load: while opening, writing, publishing, recovering; every second time a node whose
rows are written by a process beside it.

HANSE_KILLS=300 runs 300 moments; the default is 30. HANSE_KILLS_SEED repeats a run's moments.
"""

import os
import random

import pytest
from survival_tools import check_acknowledged, check_verified, check_whole, kill_while_writing

from hanse.node.node import Node
from hanse.node.testing import town

KILLS = int(os.environ.get("HANSE_KILLS", "30"))
SEED = int(os.environ.get("HANSE_KILLS_SEED", "7"))
KILLS_A_DIRECTORY = 10


@pytest.mark.slow
@pytest.mark.parametrize("part", range(-(-KILLS // KILLS_A_DIRECTORY)))
def test_nothing_acknowledged_is_lost_and_nothing_else_is_half_there(part, tmp_path):
    moments = random.Random(f"{SEED} {part}")
    directory = town(tmp_path / "node")
    acknowledged = []
    for number in range(min(KILLS_A_DIRECTORY, KILLS - part * KILLS_A_DIRECTORY)):
        longest_seconds = (0.05, 0.3, 1.0)[number % 3] if number else 1.0
        seconds, least = 0.02 + longest_seconds * moments.random(), 0 if number else 21
        acknowledged += kill_while_writing(directory, seconds, beside=number % 2 == 1, least=least)
        with Node(directory, helper=False) as node:
            check_acknowledged(node, acknowledged)
            check_whole(node)
        check_verified(directory)
    assert len(acknowledged) > 20, "the load was no load"
