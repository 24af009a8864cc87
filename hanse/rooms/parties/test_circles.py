"""Circles: who stands behind an alias, who reads what, and to whom an owner sells."""

import pytest

from hanse.rooms.parties import queries
from hanse.rooms.parties.facts import (
    ALIAS_OWNERS,
    HOMES,
    MEMBERS,
    PERMITS,
    SITES,
    STAFF,
    AppointStaff,
    AuthoriseChannel,
    EnterCircle,
    LeaveCircle,
    SetPermit,
    SetSite,
)
from hanse.rooms.testing import REGISTRAR, Town, home, kid, same_under_hash_seeds
from hanse.standards.sdjwt import disclose

SITE = {
    "name": "Hall",
    "site_kind": "warehouse",
    "country": "DE",
    "city": "Kiel",
    "latitude_microdeg": 54_300_000,
    "longitude_microdeg": 10_100_000,
    "address": "Kai 1",
}


@pytest.fixture
def town() -> Town:
    return gathered()


def gathered() -> Town:
    town = Town("a", "b", "c", rooms=("parties",))
    town.circle("a", "b")
    town.group("pool", ["a", "b", "c"])
    town.must("a", SetSite(circle=home("a"), site="hall", **SITE))
    return town


def test_every_partys_own_node_computes_the_same(town):
    town.must("c", LeaveCircle(circle="pool"))
    assert town.both_sides_agree()


def test_replay_under_other_hash_seeds_ends_the_same():
    assert same_under_hash_seeds(gathered)


def test_the_parties_behind_aliases_are_read_in_the_circle_only(town):
    assert queries.party_behind(town.view("a"), "a--b", "b+a") == "b"
    assert queries.party_behind(town.view("c"), "a--b", "b+a") == ""
    assert queries.circle_card(town.view("c"), "a--b") is None
    assert [card.circle for card in queries.circles(town.view("c"))] == ["home-c", "pool"]
    card = queries.circle_card(town.view("b"), "a--b")
    assert card is not None
    assert [(m.alias, m.party, m.entered, m.mine) for m in card.members] == [
        ("a+b", "a", True, False),
        ("b+a", "b", True, True),
    ]


def test_the_registrar_alone_knows_all_aliases(town):
    known = {row.alias: row.owner for row in town.view(REGISTRAR).rows(ALIAS_OWNERS)}
    assert known["b+a"] == "b"
    assert town.view("a").rows(ALIAS_OWNERS) == town.view().rows(ALIAS_OWNERS) == []


@pytest.mark.parametrize("table", [MEMBERS, HOMES, SITES, STAFF, PERMITS, ALIAS_OWNERS])
def test_a_stranger_reads_no_private_row(town, table):
    assert town.view().rows(table) == []
    assert town.view().count(table) == 0


def test_a_member_that_entered_is_marked_and_one_that_did_not_is_not(town):
    town.endorse("c", "c+x", "x")
    town.endorse("a", "a+x", "x")
    fact = town.opening("x", "group", ["a", "c"], ["a+x", "c+x"])
    assert town.block(town.sign("a+x", fact, kid=kid("a+x")))[0].code == "ok"
    card = queries.circle_card(town.view("a"), "x")
    assert card is not None and [m.entered for m in card.members] == [True, False]
    assert town.block(town.sign("c+x", EnterCircle(circle="x"), kid=kid("c+x")))[0].code == "ok"
    card = queries.circle_card(town.view("a"), "x")
    assert card is not None and all(m.entered for m in card.members)


def test_a_group_grows_and_who_leaves_reads_nothing_more(town):
    town.join("d")
    town.endorse("d", "d+pool", "pool")
    town.must("a", town.widening("pool", "d", "d+pool", "a"))
    town.aliases["d", "pool"] = "d+pool"
    assert "pool" in town.view("d").circles
    town.must("d", EnterCircle(circle="pool"))
    town.must("d", LeaveCircle(circle="pool"))
    assert "pool" not in town.view("d").circles
    assert town.refused("d", EnterCircle(circle="pool")) == "parties.not_in_circle"


def test_nobody_can_name_another_party_behind_an_alias_of_its_own(town):
    town.endorse("b", "other", "elsewhere")
    forged = disclose("a salt of c's choice", "owner", "b").decode()
    for i, proof in enumerate(("its own", town.owner_proofs["other"], forged, "", "no disclosure")):
        trap, circle = f"trap{i}", f"x{i}"
        town.endorse("c", trap, circle)
        proof = town.owner_proofs[trap] if proof == "its own" else proof
        fact = town.opening(circle, "home", ["b"], [trap], proofs=[proof])
        outcome = town.block(town.sign(trap, fact, kid=kid(trap)))[0]
        assert [refusal.code for refusal in outcome.private.values()] == ["parties.unproven_member"]
    assert town.view("b").circles == ("a--b", "home-b", "pool")


def test_a_home_opened_later_does_not_take_the_place_of_the_first(town):
    town.endorse("b", "second", "aaa")
    fact = town.opening("aaa", "home", ["b"], ["second"])
    assert town.block(town.sign("second", fact, kid=kid("second")))[0].private == {}
    assert town.book.find_homes(town.state, "a--b") == [("a", "home-a"), ("b", "home-b")]


def test_own_places_and_people_are_the_partys_own(town):
    appointed = {"role": "buyer", "currency": "EUR", "active": True, "full_name": "Q"}
    town.must("a", AppointStaff(circle=home("a"), person="q", approval_limit_minor=5_00, **appointed))
    assert [site.site for site in queries.sites(town.view("a"))] == ["hall"]
    assert [person.approval_limit_minor for person in queries.staff(town.view("a"))] == [500]
    assert queries.sites(town.view("b")) == queries.staff(town.view("b")) == []
    assert "Kai 1" not in str(town.dump()), "a personal field is in no table"


def permit(town: Town, name: str, partner: str, scope: str, allow: bool) -> None:
    town.must("a", SetPermit(circle=home("a"), permit=name, partner=partner, scope=scope, allow=allow))


def test_the_narrowest_permit_decides(town):
    view = lambda: town.view("a")  # noqa: E731
    assert queries.may_sell(view(), "b", "SKF", "bearings")
    permit(town, "1", "*", "brand:SKF", False)
    assert not queries.may_sell(view(), "b", "SKF", "bearings")
    assert queries.may_sell(view(), "b", "FAG", "bearings")
    permit(town, "2", "b", "category:bearings", True)
    assert queries.may_sell(view(), "b", "SKF", "bearings"), "this partner's permit is narrower than all partners'"
    assert not queries.may_sell(view(), "c", "SKF", "bearings")
    permit(town, "3", "b", "brand:SKF", False)
    assert not queries.may_sell(view(), "b", "SKF", "bearings"), "a brand is narrower than a category"
    permit(town, "0", "b", "brand:SKF", True)
    assert not queries.may_sell(view(), "b", "SKF", "bearings"), "of two equal ones the no counts"
    assert queries.may_sell(town.view("b"), "a", "SKF"), "others' permits are others'"


def test_a_brands_channel_is_respected_by_country(town):
    town.must("c", AuthoriseChannel(brand="SKF", party="a", countries=["FR"]))
    assert not queries.may_sell(town.view("a"), "b", "SKF"), "b is in DE"
    assert not queries.may_sell(town.view("b"), "a", "SKF"), "b is not listed"
    assert queries.may_sell(town.view("c"), "a", "SKF"), "who speaks for a brand sells it"
    town.must("c", AuthoriseChannel(brand="SKF", party="a", countries=["FR", "DE"], until_at=town.now + 10))
    assert queries.may_sell(town.view("a"), "b", "SKF")
    town.tick(10)
    assert queries.channels(town.view(), "SKF") == []


def test_people_find_parties_and_relationships(town):
    view = town.view("a")
    assert [p.party for p in queries.parties(view)] == ["a", "b", "c", "office"]
    assert [p.party for p in queries.parties(view, "BREM", after="b")] == ["c", "office"]
    assert queries.parties(view, "%") == []
    assert queries.relationship_with(view, "b") == "a--b"
    assert queries.relationship_with(view, "c") == ""
    assert queries.alias_in(view, "a--b") == "a+b"
    assert [key.kid for key in queries.keys(view, "a")] == [kid("a")]
