"""Names of which nothing shows: of networks, parties, sites, groups, brands, items and own numbers."""

from __future__ import annotations

from typing import Any

import pytest

from hanse.kernel.facts import Fact
from hanse.kernel.testing import World
from hanse.rooms.catalog.facts import OWN_ITEMS, PublishItem, SetOwnItem
from hanse.rooms.parties.facts import (
    PARTIES,
    SITES,
    AuthoriseChannel,
    DescribeParty,
    FoundNetwork,
    InviteParty,
    SetSite,
)
from hanse.rooms.parties.proofs import invitation_of
from hanse.rooms.parties.rules import BLANKS, NAMES_SHOW_FROM
from hanse.rooms.testing import Town, home, joining, kid, public_key

NOTHING = ["", " ", "\t\u00a0\u200b\u3000"]
SITE: dict[str, Any] = {
    "circle": home("a"), "site": "hall", "site_kind": "warehouse", "country": "DE", "city": "Kiel",
    "latitude_microdeg": 0, "longitude_microdeg": 0, "address": "",
}  # fmt: skip
OWN: dict[str, Any] = {
    "circle": home("a"), "description": "", "brand": "", "part_number": "", "gtin": "", "unit": "H87", "pack_each": 1,
    "category": "", "cost_minor": 0, "currency": "EUR",
}  # fmt: skip


@pytest.fixture
def town() -> Town:
    there = Town("a", "b", rooms=("parties", "catalog"))
    there.now = NAMES_SHOW_FROM
    return there


def facts(name: str) -> list[tuple[Fact, str]]:
    """(what party `a` signs with a name, the code that refuses one of which nothing shows)."""
    return [
        (DescribeParty(name=name, city="Kiel", country="DE"), "parties.no_name"),
        (SetSite(name=name, **SITE), "parties.no_name"),
        (AuthoriseChannel(brand=name, party="b"), "parties.no_name"),
        (PublishItem(item="i", description=name, brand="SKF", part_number="6205"), "catalog.no_description"),
    ]


@pytest.mark.parametrize("name", NOTHING)
def test_a_name_of_which_nothing_shows_is_refused_and_changes_nothing(town: Town, name: str) -> None:
    before = town.view("a").get(PARTIES, "a")
    for fact, code in facts(name):
        assert town.refused("a", fact) == code, fact
    assert town.view("a").get(PARTIES, "a") == before and not town.view("a").rows(SITES)


@pytest.mark.parametrize("name", ["0", " Halle 7 ", "\u200b.", "梱包"])
def test_a_name_of_which_something_shows_is_taken_as_it_stands(town: Town, name: str) -> None:
    assert [town.refused("a", fact) for fact, _ in facts(name)] == ["ok"] * 4
    assert [site.name for site in town.view("a").rows(SITES)] == [name]


@pytest.mark.parametrize("name", NOTHING)
def test_nobody_joins_or_founds_without_a_name(town: Town, name: str) -> None:
    secret = "a secret of sixteen"
    town.must("a", InviteParty(invitation=invitation_of(secret), expires_at=town.now + 60))
    about: dict[str, Any] = {"party": "new", "public_key": public_key("new"), "party_kind": "solo", "country": "DE"}
    coming = joining(secret, name=name, city="", **about)
    assert town.refused("new", coming) == "parties.no_name"
    for names in ({"network": name, "name": "New"}, {"network": "Net", "name": name}):
        world = World(*town.modules, now=NAMES_SHOW_FROM)
        fact = FoundNetwork(city="", **names, **about)
        assert world.block(world.sign("new", fact, kid=kid("new")))[0].code == "parties.no_name"


def test_a_group_has_a_name_that_shows_or_none(town: Town) -> None:
    town.endorse("a", "a+g", "g")
    town.aliases["a", "g"] = "a+g"
    assert town.refused("a", town.opening("g", "group", ["a"], ["a+g"], name=" \u2003")) == "parties.no_name"
    town.endorse("a", "a+k", "k")
    town.aliases["a", "k"] = "a+k"
    assert town.refused("a", town.opening("k", "group", ["a"], ["a+k"], name="")) == "ok"


def test_an_own_number_of_blanks_is_refused(town: Town) -> None:
    assert town.refused("a", SetOwnItem(own_number=" \u00a0", **OWN)) == "catalog.blank_number"
    assert town.refused("a", SetOwnItem(own_number=" A-1", **OWN)) == "ok"
    assert [own.own_number for own in town.view("a").rows(OWN_ITEMS)] == [" A-1"]


def test_what_was_signed_before_the_rule_stands(town: Town) -> None:
    town.now = NAMES_SHOW_FROM - 1
    assert [town.refused("a", fact) for fact, _ in facts("")] == ["ok"] * 4


def test_blanks_are_blanks_and_letters_are_not() -> None:
    assert all(not char.isprintable() or char == " " for char in BLANKS)
    assert not set(BLANKS) & set(map(chr, range(33, 127)))
