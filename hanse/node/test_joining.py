"""Who is brought into which circle by whom, where keys are here and where they are elsewhere; the wallet's part."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hanse.engines.replies import Reply, give
from hanse.kernel.facts import thumbprint
from hanse.kernel.refusal import Refused
from hanse.node import admitting, joining, keys
from hanse.node.admitting import Asked, Wanted
from hanse.node.node import Node
from hanse.node.testing import town
from hanse.node.verify import verify
from hanse.node.wallet import FILE, Presentation
from hanse.node.write_path import Receipt
from hanse.rooms.parties.facts import KEYS, MEMBERS, LeaveCircle, SetPermit
from hanse.standards.sdjwt import unb64


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with Node(town(tmp_path / "node"), helper=False) as node:
        yield node


def refused(call: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*args, **named)
    return caught.value.code


def permit(node: Node, party: str, partner: str, allow: bool = False) -> None:
    home = node.view(party).home
    node.act(party, SetPermit(circle=home, permit=partner, partner=partner, scope="*", allow=allow))


def test_nobody_is_drawn_into_a_circle_by_an_alias_of_another_circle(node: Node) -> None:
    """eve knows anna's alias of the group, and what its circle was shown of it: she opens a relationship with it."""
    joining.host(node, "eve", name="Eve")
    pool = joining.group(node, ["bert", "anna", "eve"], "Pool")
    annas = next(m.alias for m in node.view("eve").rows(MEMBERS, "circle = ?", (pool,)) if m.party == "anna")
    mine = joining._admit(node, ["eve"], "c-trap", "relationship", "eve")[0]
    papers = replace(mine, party="anna", alias=annas)
    pair = node.wallet.key_of(mine.alias)
    assert pair is not None
    code = refused(joining._put, node, pair, admitting.opening("c-trap", "relationship", [mine, papers]))
    assert code == "parties.alias_used"
    assert "c-trap" not in node.view("anna").circles + node.view("eve").circles
    node.publish()
    assert verify(node.directory).ok


def test_who_permits_nothing_to_another_is_brought_into_nothing_by_it(node: Node) -> None:
    joining.host(node, "eve", name="Eve")
    joining.host(node, "carl", name="Carl")
    group = joining.group(node, ["eve", "bert"], "Eve's")
    permit(node, "anna", "eve")
    size = node.log.size
    assert refused(joining.relationship, node, "eve", "anna") == "joining.not_wanted"
    assert refused(joining.group, node, ["eve", "bert", "anna"], "Trap") == "joining.not_wanted"
    assert refused(joining.widen, node, group, "eve", "anna") == "joining.not_wanted"
    assert node.log.size == size, "nothing of it is on the record"
    joining.relationship(node, "carl", "anna")
    joining.widen(node, group, "eve", "carl")
    circle = joining.relationship(node, "anna", "eve")
    assert joining.relationship(node, "eve", "anna") == circle, "anna opened it herself, and it stands"


def test_who_is_brought_in_again_by_another_member_keeps_its_voice(node: Node) -> None:
    joining.host(node, "eve", name="Eve")
    group = joining.group(node, ["bert", "anna", "eve"], "Pool")
    alias = node.wallet.alias_of(group, "anna")
    assert refused(joining.widen, node, group, "eve", "anna") == "parties.not_opener"
    assert refused(joining.widen, node, group, "bert", "anna") == "parties.repeated_party"
    assert refused(joining.widen, node, "no-group", "bert", "anna") == "parties.unknown_circle"
    assert node.wallet.alias_of(group, "anna") == alias
    node.act("anna", LeaveCircle(circle=group))
    joining.widen(node, group, "bert", "anna")
    again = node.wallet.alias_of(group, "anna")
    assert again != alias, "each time by an alias of its own"
    node.wallet.enter([(group, "anna", "an-alias-that-came-to-nothing")])
    joining.widen(node, group, "bert", "anna")
    assert node.wallet.alias_of(group, "anna") == again, "what was cut short is taken up again"
    node.act("anna", LeaveCircle(circle=group))


def test_a_member_whose_keys_are_elsewhere_is_brought_into_nothing_from_here(node: Node) -> None:
    joining.host(node, "eve", name="Eve")
    group = joining.group(node, ["bert", "anna"], "Pool")
    own = node.wallet.key_of("eve")
    assert own is not None
    node.wallet.forget(own.kid)
    size, held = node.log.size, node.wallet.hosted()
    for call in (
        lambda: joining.relationship(node, "anna", "eve"),
        lambda: joining.relationship(node, "eve", "anna"),
        lambda: joining.group(node, ["anna", "eve"], "Other"),
        lambda: joining.widen(node, group, "bert", "eve"),
    ):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.code == "joining.hosted_elsewhere"
        assert caught.value.refusal.got == "eve" and caught.value.refusal.next
    assert (node.log.size, node.wallet.hosted()) == (size, held), "nothing signed, no key made"


def test_without_the_registrars_keys_nobody_is_endorsed(node: Node) -> None:
    office = node.wallet.key_of("office")
    assert office is not None
    asked = admitting.ask(node, [Wanted("anna", "c-9", "relationship", "anna")])
    node.wallet.forget(office.kid)
    assert refused(admitting.endorse, node, asked) == "node.no_key"


def test_what_is_asked_of_the_registrar_travels_and_counts_only_as_it_was_asked(node: Node) -> None:
    sent = msgspec.json.encode(admitting.ask(node, [Wanted("anna", "c-9", "relationship", "anna")]))
    asked = msgspec.json.decode(sent, type=list[Asked])[0]
    size = node.log.size
    for field, value in [("party", "bert"), ("circle", "c-8"), ("purpose", "group"), ("opener", "bert")]:
        changed = replace(asked, wanted=replace(asked.wanted, **{field: value}))
        assert refused(admitting.endorse, node, [changed]) == "parties.no_consent", field
    assert refused(admitting.endorse, node, [replace(asked, alias="a-of-bert")]) == "parties.no_consent"
    assert node.log.size == size
    papers = admitting.endorse(node, [asked])[0]
    assert papers.alias == asked.alias and papers.consent == asked.consent


# -- the wallet ----------------------------------------------------------------------------------------------------


def test_aliases_of_many_relationships_cost_the_disk_two_waits(node: Node) -> None:
    said: list[str] = []
    node.wallet._conn.set_trace_callback(said.append)
    joining.group(node, ["anna", "bert", "office"], "Three")
    node.wallet._conn.set_trace_callback(None)
    assert sum(text.startswith("COMMIT") for text in said) == 2, "the keys, then where they speak"
    written = [text for text in said if text.startswith(("INSERT", "UPDATE"))]
    assert len(written) == 6 and said.index("BEGIN IMMEDIATE") < said.index(written[0]), "none outside of them"


def test_a_private_key_is_on_the_disk_before_its_public_half_is_on_its_way(node: Node, monkeypatch: Any) -> None:
    """Another process that looks at the file at each submission finds every key that a fact brings."""
    plain, seen = node.path.submit, []

    def submit(signed: Presentation) -> Reply[Receipt]:
        text = msgspec.json.decode(unb64(signed.jwt.split(b".")[1]))
        if public := text["body"].get("public_key"):
            kid = thumbprint(unb64(public.encode()))
            other = sqlite3.connect(f"file:{node.directory / FILE}?mode=ro", uri=True)
            assert other.execute("SELECT 1 FROM key WHERE kid = ?", (kid,)).fetchone(), text["kind"]
            other.close()
            seen.append(text["kind"])
        return plain(signed)

    monkeypatch.setattr(node.path, "submit", submit)
    joining.host(node, "carl", name="Carl")
    joining.relationship(node, "anna", "carl")
    keys.rotate_all(node, ["anna", "carl"])
    assert sorted(set(seen)) == ["parties.add_key", "parties.endorse", "parties.join"]


def test_keys_that_cannot_be_kept_are_not_used(node: Node) -> None:
    """Where the disk fails at the commit, nothing is remembered of it, and nothing was submitted."""
    size, held = node.log.size, node.wallet.hosted()
    node.wallet._conn.execute("PRAGMA query_only = ON")
    with pytest.raises(sqlite3.OperationalError):
        joining.relationship(node, "anna", "office")
    node.wallet._conn.execute("PRAGMA query_only = OFF")
    assert (node.log.size, node.wallet.hosted()) == (size, held)
    assert joining.relationship(node, "anna", "office")


def test_a_key_stays_in_the_wallet_where_the_node_is_not_sure_of_the_record(node: Node, monkeypatch: Any) -> None:
    """The record has the new key, but the answer was lost: the old one still signs, the new one is not forgotten."""
    old, plain = node.wallet.key_of("anna"), node.path.submit

    def submit(signed: Presentation) -> Reply[Receipt]:
        plain(signed).result(60)
        lost: Reply[Receipt] = Reply()
        give([lost], [Refused("node.unsure", "the disk did not say whether it kept this", retry=True)])
        return lost

    monkeypatch.setattr(node.path, "submit", submit)
    assert refused(keys.rotate, node, "anna") == "node.unsure"
    monkeypatch.setattr(node.path, "submit", plain)
    assert node.wallet.key_of("anna") == old
    on_record = [key.kid for key in node.view().rows(KEYS, "owner = 'anna'")]
    assert len(on_record) == 2 and all(node.wallet.holds(kid) for kid in on_record)
    assert keys.rotate(node, "anna") not in on_record


def test_keys_of_many_change_together(node: Node) -> None:
    owners = ["anna", *(alias for _, alias in node.wallet.circles_of("anna"))]
    before = {owner: node.wallet.key_of(owner) for owner in owners}
    made = keys.rotate_all(node, owners)
    for owner in owners:
        pair = node.wallet.key_of(owner)
        assert pair is not None and pair != before[owner] and pair.kid == made[owner]
    assert {card.state for owner in owners for card in keys.cards(node, owner)} == {"good"}
