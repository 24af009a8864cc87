"""A client may leave out what it will: a private field that is not sent is refused or taken, never a fault."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hanse.kernel.facts import Fact, layout
from hanse.kernel.refusal import Refused
from hanse.node.node import Node
from hanse.rooms.catalog.facts import LinkItem
from hanse.rooms.parties.facts import DescribeParty
from hanse.site.testing import SmallTown

sys.path.insert(0, str(Path(__file__).parent / "web"))


def without(fact: Fact) -> list[Fact]:
    """The fact without one private field of its own at a time, and without any."""
    names = [name for name in layout(type(fact)).private if getattr(fact, name) is not msgspec.UNSET]
    sets = [[name] for name in names] + ([names] if len(names) > 1 else [])
    return [msgspec.structs.replace(fact, **dict.fromkeys(left, msgspec.UNSET)) for left in sets]


def test_no_private_field_is_needed_for_a_rule_to_end_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trading import trading_town

    tried: dict[str, int] = {}
    faults: list[str] = []
    act = Node.act

    def watched(node: Node, party: str, fact: Fact, **more: Any) -> Any:
        for variant in without(fact):
            tried[fact.kind] = tried.get(fact.kind, 0) + 1
            try:
                node.path.trial(node.wallet.sign(party, variant))
            except Refused:
                pass
            except Exception as error:
                left = [n for n in layout(type(fact)).private if getattr(variant, n) is msgspec.UNSET]
                faults.append(f"{fact.kind} without {left}: {error!r:.150}")
        return act(node, party, fact, **more)

    monkeypatch.setattr(Node, "act", watched)
    town, _ = trading_town(tmp_path)
    monkeypatch.undo()
    try:
        _goes_on(town)
    finally:
        town.close()
    assert not faults, "\n".join(sorted(set(faults)))
    assert len(tried) > 12, tried


def _goes_on(town: SmallTown) -> None:
    """On the record the private outcome says what was left out, and the node takes what comes after."""
    home = town.node.view("bob").home
    with pytest.raises(Refused) as refused:
        town.node.act("bob", LinkItem(circle=home, own_number="bob-6205", method="own"), check=False)
    assert refused.value.refusal.code == "fact.field_left_out" and "item" in refused.value.refusal.message
    assert town.node.act("bob", DescribeParty(name="Bob and sons", city="Bremen", country="DE")).code == "ok"
