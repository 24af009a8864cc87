"""kill -9 at random moments under load: while opening, writing, publishing, recovering.

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
    for _ in range(min(KILLS_A_DIRECTORY, KILLS - part * KILLS_A_DIRECTORY)):
        acknowledged += kill_while_writing(directory, moments.choice([0.02, 0.1, 0.5]) * moments.random() + 0.02)
        with Node(directory, helper=False) as node:
            check_acknowledged(node, acknowledged)
            check_whole(node)
        check_verified(directory)
    assert len(acknowledged) > 20, "the load was no load"
