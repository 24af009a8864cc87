"""Each rule's refusals, in the order of its docstring; a refusal leaves state as it was."""

from functools import partial

import pytest

from hanse.kernel.facts import thumbprint
from hanse.rooms.parties.facts import (
    AddKey,
    AppointStaff,
    AuthoriseChannel,
    DescribeParty,
    EndorseAlias,
    EnterCircle,
    FoundNetwork,
    InviteParty,
    LeaveCircle,
    RetireKey,
    SetPermit,
    SetSite,
)
from hanse.rooms.parties.proofs import invitation_of
from hanse.rooms.testing import REGISTRAR, Town, adding, consent, home, joining, kid, proof_of_key, public_key
from hanse.standards.sdjwt import unb64


@pytest.fixture
def town() -> Town:
    town = Town("a", "b", "c", rooms=("parties",))
    town.circle("a", "b")
    town.group("pool", ["a", "b"])
    town.endorse("c", "c+pool", "pool")
    return town


def arriving(secret="", party="new", key="new", **more):
    about = {"name": "New", "party_kind": "solo", "country": "DE", "city": "Kiel", **more}
    make = partial(joining, secret) if secret else FoundNetwork
    return make(party=party, public_key=public_key(key), **about)


SECRET = "a secret of sixteen"
SITE = {
    "name": "Hall",
    "site_kind": "warehouse",
    "country": "DE",
    "city": "Kiel",
    "latitude_microdeg": 54_300_000,
    "longitude_microdeg": 10_100_000,
    "address": "Kai 1",
}
STAFF = {"role": "buyer", "approval_limit_minor": 1, "currency": "EUR", "active": True, "full_name": "P"}
ENDORSED = {
    "circle": home(REGISTRAR),
    "alias": "x",
    "public_key": public_key("x"),
    "proof": proof_of_key("x", "x", EndorseAlias.kind),
}


def widening(**change):
    """The fact that brings `c` into the pool, made of a town's endorsements."""
    return lambda town: town.widening("pool", "c", "c+pool", "a", **change)


PERMIT = {"partner": "*", "scope": "*", "allow": False}
TABLE = [
    ("new", arriving(network="Other"), "parties.network_stands"),
    ("new", arriving("nobody gave this secret"), "parties.unknown_invitation"),
    ("h-a", InviteParty(invitation=invitation_of("x"), expires_at=2**34), "parties.unknown_party"),
    ("a", InviteParty(invitation=invitation_of("secret of b....."), expires_at=2**34), "parties.invitation_taken"),
    ("a", InviteParty(invitation=invitation_of("y"), expires_at=1), "parties.deadline_past"),
    ("h-a", DescribeParty(name="A", city="B", country="DE"), "parties.unknown_party"),
    ("a", AddKey(public_key="A" * 42 + "B", proof=proof_of_key("a", "a2")), "parties.bad_key"),
    ("a", adding("a", "b"), "parties.key_taken"),
    ("a", AddKey(public_key=public_key("a2"), proof=proof_of_key("a", "a")), "parties.unproven_key"),
    ("a", RetireKey(kid=kid("nobody")), "parties.unknown_key"),
    ("a", RetireKey(kid=kid("b")), "parties.not_your_key"),
    ("a", RetireKey(kid=kid("a")), "parties.last_key"),
    ("a", RetireKey(kid=kid("a"), compromised=True), "parties.last_key"),
    ("a", Town.endorsement("a", "x", "c"), "parties.not_registrar"),
    (REGISTRAR, EndorseAlias(**ENDORSED), "parties.no_owner"),
    (REGISTRAR, EndorseAlias(**ENDORSED, owner="a"), "parties.no_owner"),
    (REGISTRAR, Town.endorsement("a", "a+b", "c", key="x"), "parties.alias_taken"),
    (REGISTRAR, Town.endorsement("a", "a", "c", key="x"), "parties.alias_taken"),
    (REGISTRAR, Town.endorsement("a", "x", "c", key="a"), "parties.key_taken"),
    (REGISTRAR, EndorseAlias(**{**ENDORSED, "alias": "y"}, owner="a", for_circle="c"), "parties.unproven_key"),
    (REGISTRAR, Town.endorsement("nobody", "x", "c"), "parties.unknown_party"),
    ("a", EnterCircle(circle="none"), "parties.unknown_circle"),
    ("c", EnterCircle(circle="pool"), "parties.not_in_circle"),
    ("c", SetSite(circle="none", site="s", **SITE), "parties.unknown_circle"),
    ("c", SetSite(circle=home("a"), site="s", **SITE), "parties.not_in_circle"),
    ("a", SetSite(circle="a--b", site="s", **SITE), "parties.not_a_home"),
    ("a", AppointStaff(circle="a--b", person="p", **STAFF), "parties.not_a_home"),
    ("a", AppointStaff(circle=home("a"), person="p", **{**STAFF, "approval_limit_minor": -1}), "parties.bad_limit"),
    ("a", SetPermit(circle="pool", permit="p", **PERMIT), "parties.not_a_home"),
    ("a", SetPermit(circle=home("a"), permit="p", **{**PERMIT, "scope": "all"}), "parties.bad_scope"),
    ("a", widening(circle="none"), "parties.unknown_circle"),
    ("c", widening(), "parties.not_in_circle"),
    ("b", widening(), "parties.not_opener"),
    ("a", widening(circle="a--b"), "parties.not_a_group"),
    ("a", widening(alias="b+pool"), "parties.repeated_member"),
    ("a", widening(alias="none"), "parties.unknown_alias"),
    ("a", widening(alias="h-c"), "parties.alias_used"),
    ("a", widening(circle_proof=""), "parties.other_circle"),
    ("a", widening(party="nobody"), "parties.unknown_party"),
    ("a", widening(proof="e30"), "parties.unproven_member"),
    ("a", widening(consent=consent("c", "c+pool", "pool", "group", "a", key="a")), "parties.no_consent"),
    ("a", LeaveCircle(circle="none"), "parties.unknown_circle"),
    ("c", LeaveCircle(circle="pool"), "parties.not_in_circle"),
    ("a", LeaveCircle(circle="a--b"), "parties.not_a_group"),
    ("a", LeaveCircle(circle="pool"), "parties.opener_stays"),
    ("h-a", AuthoriseChannel(brand="SKF", party="b"), "parties.unknown_party"),
    ("a", AuthoriseChannel(brand="SKF", party="nobody"), "parties.unknown_dealer"),
]


@pytest.mark.parametrize(("who", "fact", "code"), TABLE, ids=lambda v: v if isinstance(v, str) else "")
def test_a_rule_refuses_and_changes_nothing(town, who, fact, code):
    # A private refusal leaves the public fact standing; then only private tables must be as they were.
    before = town.business()
    outcome = town.do(who, fact(town) if callable(fact) else fact)
    codes = [outcome.code] + [refusal.code for refusal in outcome.private.values()]
    assert code in codes
    if outcome.code != "ok":
        assert town.business() == before


OPENINGS = [
    ({"circle": "pool"}, "parties.circle_taken"),
    ({"members": ["a+new", "none"]}, "parties.unknown_alias"),
    ({"members": ["a+new", "a+new"]}, "parties.repeated_member"),
    ({"members": ["b+new", "a+new"]}, "parties.not_opener"),
    ({"purpose": "home"}, "parties.wrong_size"),
    ({"circle_proofs": ["e30"]}, "parties.wrong_size"),
    ({"members": ["a+new", "h-b"]}, "parties.alias_used"),
    ({"circle_proofs": ["", ""]}, "parties.other_circle"),
    ({"parties": ["a"]}, "parties.wrong_size"),
    ({"proofs": []}, "parties.wrong_size"),
    ({"consents": []}, "parties.wrong_size"),
    ({"parties": ["a", "nobody"]}, "parties.unknown_party"),
    ({"parties": ["a", "c"]}, "parties.unproven_member"),
    ({"consents": [consent("a", "a+new", "new", "relationship", "a")] * 2}, "parties.no_consent"),
]


@pytest.mark.parametrize(("change", "code"), OPENINGS)
def test_a_circle_is_opened_by_its_first_member_with_endorsed_aliases(town, change, code):
    town.endorse("a", "a+new", "new")
    town.endorse("b", "b+new", "new")
    opening = town.opening("new", "relationship", ["a", "b"], ["a+new", "b+new"], **change)
    before = town.business()
    outcome = town.block(town.sign("a+new", opening, kid=kid("a+new")))[0]
    assert code in [outcome.code, *(refusal.code for refusal in outcome.private.values())]
    if outcome.code != "ok":
        assert town.business() == before
    else:
        assert town.view("a").circles == ("a--b", "home-a", "pool"), "nobody is in a circle that was not understood"


def test_an_invitation_opens_the_door_once_and_until_its_end(town):
    town.must("a", InviteParty(invitation=invitation_of(SECRET), expires_at=town.now + 100))
    assert town.refused("a", arriving(SECRET, party="a")) == "parties.key_mismatch"
    assert join(town, "a", "fresh", SECRET) == "parties.party_taken"
    assert join(town, "a+b", "fresh", SECRET) == "parties.party_taken"
    assert join(town, "new", "new", SECRET) == "ok"
    assert join(town, "other", "other", SECRET) == "parties.invitation_used"
    town.must("a", InviteParty(invitation=invitation_of(SECRET + "2"), expires_at=town.now + 100))
    town.tick(101)
    assert join(town, "other", "other", SECRET + "2") == "parties.invitation_expired"


def join(town: Town, party: str, key: str, secret: str) -> str:
    fact = arriving(secret, party=party, key=key)
    return town.do(party, fact, kid=thumbprint(unb64(public_key(key).encode()))).code


def test_the_party_that_joins_is_the_one_that_signs(town):
    town.must("a", InviteParty(invitation=invitation_of(SECRET), expires_at=town.now + 100))
    outcome = town.do("mask", arriving(SECRET, party="new", key="mask"), kid=kid("mask"))
    assert outcome.code == "parties.name_differs"


def test_a_brand_has_one_party_that_speaks_for_it(town):
    town.must("a", AuthoriseChannel(brand="SKF", party="b", countries=["DE"]))
    assert town.refused("b", AuthoriseChannel(brand="SKF", party="b")) == "parties.brand_taken"


def test_a_full_group_takes_nobody_more(town, monkeypatch):
    monkeypatch.setattr("hanse.rooms.parties.circles.GROUP_MEMBERS_MAX", 2)
    assert town.refused("a", town.widening("pool", "c", "c+pool", "a")) == "parties.group_full"
