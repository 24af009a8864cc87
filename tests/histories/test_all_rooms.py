"""Histories over all rooms together: stock, reservations and books balance at every position, whatever is asked.

Drawn by Hypothesis: a few dozen by default, many with HANSE_HISTORIES=NUMBER in the environment (and HANSE_STEPS=NUMBER
for longer ones). The smallest histories that once broke a claim stand in `test_once_broken.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
from fair import Fair, Hand
from fair_goods import STEPS
from fair_play import DRAWN_EACH, NUMBERS_MAX, WILD_OF, Drawn, drawn_by, end, names, play
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanse.compiled import elsewhere
from hanse.kernel.rules import Rulebook
from hanse.node.node import ABOUT, FORMAT, NODE_KEY, About, Node, write_small
from hanse.record.note import Signer
from hanse.rooms import RULE_PARTS, modules

HISTORIES = int(os.environ.get("HANSE_HISTORIES", "24"))
STEPS_EACH = int(os.environ.get("HANSE_STEPS", "40"))
OF_ONE = 200
"""Steps of the histories that are put on a record: long enough that every room takes part."""
STEP = st.tuples(
    st.sampled_from(names()),
    st.tuples(*[st.integers(0, NUMBERS_MAX - 1)] * DRAWN_EACH),
    st.integers(0, WILD_OF - 1).map(lambda n: WILD_OF - 1 - n),
)


@given(st.lists(STEP, min_size=STEPS_EACH, max_size=STEPS_EACH))
@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_stock_is_made_or_lost_whatever_all_rooms_are_asked(drawn: list[Drawn]) -> None:
    fair = play(drawn)
    end(fair, nodes=len(fair.blocks) % 4 == 0)


def put_on_record(fair: Fair, folder: Path) -> Path:
    """A node's data directory with the record of a history, and the state that a node makes of it."""
    folder.mkdir()
    write_small(folder / NODE_KEY, Signer("test", bytes(range(32))).secret_text().encode(), 0o600)
    write_small(folder / ABOUT, msgspec.json.encode(About(FORMAT, "test", "")))
    with Node(folder, helper=False, clock=lambda: 0) as node:
        private = [
            (position, getattr(signed.fact, "circle", ""), b"~".join(signed.disclosures))
            for block in fair.blocks
            for position, signed in block.recorded
            if signed.disclosures
        ]
        node.disclosures.put(0, private)
        node.log.append([leaf for block in fair.blocks for leaf in block.leaves])
        node.log.sync()
    with Node(folder, helper=False, clock=lambda: 0, rebuild=True) as node:
        for table in node.applier.book.tables:
            sql = f"SELECT * FROM {table.name} ORDER BY {', '.join(table.key)}"
            theirs = node.applier.state.conn.execute(sql).fetchall()
            assert theirs == fair.state.conn.execute(sql).fetchall(), table.name
    return folder


VERIFY = """
import sys
from hanse.node.verify import verify
for folder in sys.argv[1:]:
    said = verify(folder, figures=True)
    good = said.ok and said.state == "equal" and said.figures.wrong == 0 and said.facts == said.signatures > 100
    print(folder, "good" if good else said)
"""


def test_a_history_on_the_record_is_the_same_to_a_fresh_process_with_another_hash_seed(tmp_path: Path) -> None:
    """Every signature verifies, and every outcome, row, private outcome and running hash comes out the same."""
    folders = []
    for seed in range(2 + HISTORIES // 100):
        fair = play(drawn_by(seed, OF_ONE))
        end(fair)
        folders.append(str(put_on_record(fair, tmp_path / str(seed))))
    told = subprocess.run(
        [sys.executable, "-c", VERIFY, *folders], env=elsewhere("0"),
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert told.stdout.splitlines() == [f"{folder} good" for folder in folders], told.stdout + told.stderr


ALL_KINDS = frozenset(Rulebook(modules(*RULE_PARTS)).kinds)
NEVER_ACCEPTED = {"parties.found": "a network is founded once, before any history; founding it anew is refused"}
TOUR = range(20, 50)
"""At most these histories; about ten of them reach everything."""


def stepped(seed: int) -> tuple[set[str], set[str], set[str]]:
    """Kinds of the facts that a history's steps put on the record; those that no rule refused; reasons of refusals.

    What the fair is made of before its first step does not count.
    """
    fair = Fair()
    made_of = len(fair.blocks)
    for name, numbers, wild in drawn_by(seed, OF_ONE):
        STEPS[name](fair, Hand(numbers, wild == 0))
    said, accepted = set(), set()
    for block in fair.blocks[made_of:]:
        told = [outcome for outcome in block.outcomes if not outcome.repeated]
        for (_, signed), outcome in zip(block.recorded, told, strict=True):
            said.add(signed.fact.kind)
            if outcome.code == "ok" and not outcome.private:
                accepted.add(signed.fact.kind)
    return said, accepted, set(fair.codes)


def test_every_kind_of_the_rulebook_is_stepped_and_accepted_by_all_in_some_history() -> None:
    """A kind of fact that a room learns needs a step; and the histories are not idle: many reasons refuse."""
    said: set[str] = set()
    accepted: set[str] = set()
    codes: set[str] = set()
    for seed in TOUR:
        for known, more in zip((said, accepted, codes), stepped(seed), strict=True):
            known |= more
        if said == ALL_KINDS and accepted >= ALL_KINDS - set(NEVER_ACCEPTED):
            break
    assert sorted(ALL_KINDS - said) == [], "no step of a history signs these"
    assert sorted(ALL_KINDS - accepted) == sorted(NEVER_ACCEPTED), "no history brings it about that these are accepted"
    assert len(codes) >= 80, len(codes)
