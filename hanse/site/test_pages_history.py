"""History in sentences, an entry with its proof, and who saw what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec
import pytest

from hanse.kernel.kept import TIMERS
from hanse.kernel.refusal import Refused
from hanse.node.history import Told, recent, told
from hanse.node.parts import rulebook
from hanse.node.prove import Proof, SignedPart, check_proof
from hanse.node.replay import header_of
from hanse.rooms.orders.delivery_facts import SendMessage
from hanse.rooms.orders.rows import ORDERS
from hanse.site.pages_history import _fits
from hanse.site.sentences import SAYS, sentence
from hanse.site.testing import EVIL, SmallTown

SECRETS = ("12.34", "43.21", "AB-1-secret", "4500017")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    there = SmallTown(tmp_path_factory.mktemp("town"))
    there.offer("o-ab", "bob", circle=there.ab, each=20, price=1234)
    there.order("AB-1", each=3, price=4321, note=EVIL)
    there.confirm("AB-1", each=3)
    there.node.publish()
    yield there
    there.close()


def placed(town: SmallTown) -> int:
    """The entry with which ann placed AB-1."""
    view = town.node.view("ann")
    for at in range(town.node.log.size - 1, 0, -1):
        if told(town.node, view, at).kind == "orders.place":
            return at
    raise AssertionError("it was placed")


def test_an_order_reads_as_a_sentence_to_its_parties(town: SmallTown) -> None:
    entry = told(town.node, town.node.view("ann"), placed(town))
    text = sentence(town.node.view("ann"), entry).text
    assert text.startswith("Ann placed order AB-1 with Bob: 1 line, 3 each, worth 129.63 EUR, due ")


def test_others_read_what_is_public_and_not_who_it_was(town: SmallTown) -> None:
    view = town.node.view("eve")
    text = sentence(view, told(town.node, view, placed(town))).text
    assert re.fullmatch(r"A member \(pseudonym .{10}…\) placed order AB-1: 1 line, 3 each\.", text), text


def test_every_kind_of_the_record_has_words_or_its_own_purpose(town: SmallTown) -> None:
    kinds = set(rulebook().kinds)
    listed = {kind for kind in SAYS if kind.partition(".")[0] in ("parties", "catalog", "inventory", "orders")}
    assert listed <= kinds, "a sentence for what does not exist"
    rooms = ("parties.", "catalog.", "inventory.", "orders.")
    assert {kind for kind in kinds if kind.startswith(rooms)} <= listed


def test_every_entry_has_a_sentence_for_everybody(town: SmallTown) -> None:
    for party in ("ann", "bob", "eve", ""):
        view = town.node.view(party)
        for at in range(town.node.log.size):
            text = sentence(view, told(town.node, view, at)).text
            assert text and "None" not in text and "UNSET" not in text, (party, at, text)


def test_the_list_shows_own_entries_and_hides_others_figures(town: SmallTown) -> None:
    ann, eve = town.visitor("ann"), town.visitor("eve")
    mine = ann.get("/history?show=mine").text
    assert "placed order AB-1 with Bob" in mine
    for path in ("/history", "/history?show=orders", f"/history/{placed(town)}"):
        text = eve.get(path).text
        assert "with Bob" not in text and not any(secret in text for secret in SECRETS), path
    assert "AB-1" not in eve.get("/history?show=mine").text
    assert ann.get(f"/history?before={2**70}").status_code == 200
    assert ann.get("/history?before=1&show=nonsense").status_code == 200


def test_deadlines_that_nobody_signed_are_shown_to_those_who_ask(town: SmallTown) -> None:
    there = Told(position=7, form="timer", outcome="ok", height=1, time=1, kind="contracts.beat")
    assert not _fits(there, "") and _fits(there, "all") and _fits(there, "contracts") and not _fits(there, "mine")
    signed = msgspec.structs.replace(there, form="fact", kind="orders.place")
    assert _fits(signed, "") and _fits(signed, "orders")
    text = town.visitor("ann").get("/history?show=all").text
    assert "Deadlines too" in text and "circle" not in text.partition("<main")[2]


def test_an_entry_says_who_signed_what_is_proven_and_what_is_not_disclosed(town: SmallTown) -> None:
    at = placed(town)
    mine, theirs = town.visitor("ann").get(f"/history/{at}").text, town.visitor("eve").get(f"/history/{at}").text
    assert "43.21" in mine and "proven" in mine and "not disclosed to you" not in mine
    assert "43.21" not in theirs and "not disclosed to you" in theirs and "a member who is not named to you" in theirs
    assert EVIL not in mine and EVIL not in theirs


def test_the_proof_on_the_page_holds_by_itself(town: SmallTown) -> None:
    text = town.visitor("eve").get(f"/history/{placed(town)}").text
    data = json.loads(re.search(r'data-proof>\s*<script type="application/json">(.*?)</script>', text, re.S).group(1))  # type: ignore[union-attr]
    fact = data.pop("fact")
    fact["signer"] = told(town.node, town.node.view("eve"), placed(town)).signer
    proof = msgspec.convert({**data, "fact": msgspec.to_builtins(msgspec.convert(fact, SignedPart))}, Proof)
    assert check_proof(proof) == proof.sentence


def test_an_entry_that_is_not_there_is_not_found(town: SmallTown) -> None:
    ann = town.visitor("ann")
    for position in (town.node.log.size, town.node.log.size + 5, 2**63, 2**70):
        assert ann.get(f"/history/{position}").status_code == 404, position
        with pytest.raises(Refused, match=r"record\.unknown_entry"):
            told(town.node, town.node.view("ann"), position)
    assert town.visitor().get("/history/1").status_code == 303
    assert ann.get("/history/0").status_code == 200, "a block's header"


def test_owners_see_which_of_their_people_looked_and_at_what(town: SmallTown) -> None:
    at = placed(town)
    town.visitor("bob", "buyer").get(f"/history/{at}")
    owner = town.visitor("bob")
    text = owner.get("/history/seen").text
    assert "Buyer of Bob" in text and f"/history/{at}" in text
    assert "Buyer of Bob" not in town.visitor("ann").get("/history/seen").text
    assert town.visitor("bob", "buyer").get("/history/seen").status_code == 404
    assert "Buyer of Bob" not in owner.get("/history/seen?f.who=Nobody").text
    assert (
        owner.get("/history/seen?format=csv").text.startswith("\ufeff")
        or "When" in owner.get("/history/seen?format=csv").text
    )


def test_a_cursor_that_no_page_gave_is_answered(town: SmallTown) -> None:
    assert town.visitor("ann").get(f"/history/seen?after={'9' * 20}").status_code == 200


def test_a_strangers_look_at_public_entries_is_not_noted(town: SmallTown) -> None:
    before = len(town.accounts.seen.recent(party="eve"))
    town.visitor("eve").get(f"/history/{placed(town)}")
    assert len(town.accounts.seen.recent(party="eve")) == before


def test_waits_are_told_without_code(town: SmallTown) -> None:
    from hanse.node.history import Told

    view = town.node.view("ann")
    assert view.get(ORDERS, "AB-1") is not None and view.count(TIMERS) > 0
    said = sentence(view, Told(1, "timer", "ok", 1, 0, kind="orders.deemed_received/sh-1"))
    assert said.text == "Shipment sh-1 counts as received: nobody signed for it in time."
    assert "contracts" not in sentence(view, Told(1, "timer", "ok", 1, 0, kind="contracts.objection_over/x")).text


def test_who_opened_orders_documents_and_files_is_listed(town: SmallTown) -> None:
    buyer, eve = town.visitor("ann", "buyer"), town.visitor("eve")
    at = town.desk("ann")
    file = at.keep_file(b"a drawing")
    town.order("seen-1")
    town.do("ann", SendMessage(circle=town.ab, message="seen-m", order="seen-1", text="", file_name="drawing.txt",
                               file_hash=file, file_bytes=9))  # fmt: skip
    town.confirm("seen-1")
    for address in ("/orders/o/seen-1", "/orders/confirmation/seen-1", f"/orders/file/{file}/drawing.txt"):
        assert buyer.get(address).status_code == 200
        assert eve.get(address).status_code == 404
    looks = [look.what for look in town.accounts.seen.recent(party="ann", limit=3)]
    assert looks == [f"file:drawing.txt ({file[:12]})", "document:confirmation seen-1", "order:seen-1"]
    assert not [look for look in town.accounts.seen.recent(party="eve") if "seen-1" in look.what]
    listed = town.visitor("ann").get("/history/seen").text
    assert "Buyer of Ann" in listed and "drawing.txt" in listed and "confirmation seen-1" in listed
    assert town.visitor("ann", "buyer").get("/history/seen").status_code == 404


def test_every_entry_finds_the_block_whose_header_stands_before_it(town: SmallTown) -> None:
    view, log = town.node.view("ann"), town.node.log
    for position in range(log.size):
        entry, header = told(town.node, view, position), header_of(log, position)
        assert (entry.height, entry.time) == (header.height, header.time), position
    listed = recent(town.node, view, limit=200)
    assert [(one.position, one.height) for one in listed] == [
        (one.position, header_of(log, one.position).height) for one in listed
    ]
