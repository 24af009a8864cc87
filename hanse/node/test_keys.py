"""Aliases' keys change without a break: what was signed stands, what is signed next is signed by the new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk, Who
from hanse.node.verify import verify
from hanse.rooms.orders.facts import PlaceLine, PlaceOrder
from hanse.rooms.parties.facts import KEYS
from hanse.site.testing import DAY, SmallTown


def test_a_firms_pseudonyms_get_new_keys_and_the_old_ones_end_after_the_overlap(tmp_path: Path) -> None:
    town = SmallTown(tmp_path)
    node = town.node
    town.order("before")
    aliases = [name for _, name in node.wallet.circles_of("ann")]
    old = {name: node.wallet.key_of(name).kid for name in aliases}
    assert len(aliases) == 3
    answer = town.visitor("ann").post("/firm/keys/rotate", {"aliases": "yes"})
    assert answer.status_code == 303
    for name in aliases:
        assert node.wallet.key_of(name).kid != old[name]
        ends = node.view().get(KEYS, old[name]).until_at
        assert abs(ends - node.path.now() - 7 * DAY) < 60
    town.order("after")
    town.confirm("after")
    node.publish()
    assert verify(node.directory).ok
    town.close()


def test_an_order_without_prices_fits_no_limit(tmp_path: Path) -> None:
    town = SmallTown(tmp_path)
    line = PlaceLine(line=1, each=1)
    bare = PlaceOrder(circle=town.ab, order="bare", confirm_by=town.now() + DAY, lines=[line])
    with pytest.raises(Refused) as refused:
        Desk(town.node, Who("ann", role="buyer", approval_limit_minor=500)).check(bare)
    assert refused.value.code == "desk.over_limit"
    town.close()
