"""What a hostile member, and a hostile registrar, tries with keys, proofs and consents that are not theirs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey
from msgspec import json
from msgspec.structs import replace

from hanse.rooms.parties import queries
from hanse.rooms.parties.facts import (
    ALIASES,
    KEYS,
    MEMBERS,
    AddKey,
    AppointStaff,
    DescribeParty,
    EndorseAlias,
    InviteParty,
    JoinNetwork,
    Key,
    LeaveCircle,
    OpenCircle,
    RetireKey,
    SetPermit,
)
from hanse.rooms.parties.proofs import (
    Membership,
    admission_statement,
    admit,
    consent_stands,
    consent_statement,
    give_consent,
    invitation_of,
    key_is_proven,
    key_statement,
    prove_key,
)
from hanse.rooms.testing import (
    NET,
    REGISTRAR,
    Town,
    adding,
    consent,
    home,
    joining,
    kid,
    proof_of_key,
    public_key,
    signer,
)
from hanse.standards.sdjwt import unb64

NAMES = st.sampled_from(["ann", "eve", "a-1", "parties.add_key", "parties.endorse", "", "ann\n", 'x","owner":"ann'])
SAY = DescribeParty(name="A", city="Bremen", country="DE")


@pytest.fixture
def town() -> Town:
    town = Town("ann", "bob", "eve", rooms=("parties",))
    town.circle("ann", "bob")
    town.group("pool", ["bob", "ann", "eve"])
    return town


# -- keys ----------------------------------------------------------------------------------------------------------


def test_a_key_is_only_added_by_who_holds_it(town: Town) -> None:
    theirs = public_key("ann-next")
    tries = {
        "eve's own key signs": prove_key(NET, AddKey.kind, "eve", theirs, signer("eve")),
        "another new key signs": prove_key(NET, AddKey.kind, "eve", theirs, signer("eve-next")),
        "ann's proof, replayed": proof_of_key("ann", "ann-next"),
        "of another network": prove_key("other", AddKey.kind, "eve", theirs, signer("ann-next")),
        "for another kind": proof_of_key("eve", "ann-next", EndorseAlias.kind),
        "for another key": proof_of_key("eve", "eve-next"),
        "no signature": "A" * 86,
        "not base64url to the bit": "A" * 85 + "B",
    }
    for why, proof in tries.items():
        assert town.refused("eve", AddKey(public_key=theirs, proof=proof)) == "parties.unproven_key", why
    town.must("ann", adding("ann", "ann-next"))
    assert town.do("ann", SAY, kid=kid("ann-next")).code == "ok"


def test_the_old_key_does_not_prove_the_new_one(town: Town) -> None:
    by_old = prove_key(NET, AddKey.kind, "ann", public_key("ann-next"), signer("ann"))
    assert town.refused("ann", AddKey(public_key=public_key("ann-next"), proof=by_old)) == "parties.unproven_key"


@pytest.mark.parametrize("compromised", [False, True])
def test_a_key_that_has_ended_is_not_added_again_though_its_proof_still_verifies(town: Town, compromised: bool) -> None:
    town.must("ann", adding("ann", "ann-next"))
    town.must("ann", RetireKey(kid=kid("ann-next"), compromised=compromised))
    for who in ("ann", "eve"):
        assert town.refused(who, adding(who, "ann-next")) == "parties.key_taken"
    assert town.do("ann", SAY, kid=kid("ann-next")).code == "parties.key_ended"


def test_an_aliass_key_is_endorsed_only_with_its_own_proof(town: Town) -> None:
    fact = Town.endorsement("eve", "mask", "trap", key="ann-next")
    stolen = EndorseAlias(
        circle=fact.circle,
        alias="mask",
        public_key=fact.public_key,
        proof=proof_of_key("ann", "ann-next"),
        owner="eve",
        for_circle="trap",
    )
    assert town.refused(REGISTRAR, stolen) == "parties.unproven_key"


@settings(max_examples=60, deadline=None)
@given(said=st.tuples(NAMES, NAMES, NAMES, NAMES), asked=st.tuples(NAMES, NAMES, NAMES, NAMES))
def test_a_proof_of_a_key_is_good_for_what_it_says_and_nothing_else(
    said: tuple[str, ...], asked: tuple[str, ...]
) -> None:
    net, kind, owner, key = said
    proof = prove_key(net, kind, owner, public_key(key), signer(key))
    assert key_is_proven(net, kind, owner, public_key(key), proof)
    assert key_is_proven(*asked[:3], public_key(asked[3]), proof) == (said == asked)


def test_other_tools_read_proofs_as_the_signed_tokens_that_they_are() -> None:
    """The detached content put back, each statement is a compact JWS with a type of its own."""
    jwk = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": public_key("ann")})
    said = Membership("ann", "a-1", kid("a-1"), "c-1", "home", "ann")
    secret = "given by hand to ann"
    door = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": invitation_of(secret)})
    types = []
    for key, statement, signature in (
        (jwk, key_statement(NET, AddKey.kind, "ann", public_key("ann")), proof_of_key("ann", "ann")),
        (jwk, consent_statement(NET, kid("ann"), said), give_consent(NET, kid("ann"), said, signer("ann"))[23:]),
        (door, admission_statement(NET, "ann", public_key("ann")), admit(NET, "ann", public_key("ann"), secret)),
    ):
        token = jws.deserialize_compact(f"{statement.decode()}.{signature}", key, algorithms=["EdDSA"])
        assert json.decode(token.payload)["net"] == NET
        types.append(token.headers()["typ"])
    assert len({*types, "hanse-fact+sd-jwt", "hanse-batch+jwt"}) == 5, "no signature passes for another's"


# -- invitations ---------------------------------------------------------------------------------------------------


def test_who_sees_a_party_join_cannot_take_its_invitation(town: Town) -> None:
    secret = "given by hand to carl"
    town.must("ann", InviteParty(invitation=invitation_of(secret), expires_at=town.now + 100))
    about = {"name": "Carl", "party_kind": "solo", "country": "DE", "city": "Kiel"}
    seen = joining(secret, party="carl", public_key=public_key("carl"), **about)
    assert secret not in repr(seen)
    for party, key, admission in (
        ("carl", "thief", seen.admission),
        ("thief", "thief", seen.admission),
        ("thief", "thief", admit("other", "thief", public_key("thief"), secret)),
        ("thief", "thief", admit(NET, "thief", public_key("thief"), seen.invitation)),
        ("thief", "thief", prove_key(NET, JoinNetwork.kind, "thief", public_key("thief"), signer("thief"))),
    ):
        stolen = replace(seen, party=party, public_key=public_key(key), admission=admission)
        before = town.business()
        assert town.block(town.sign(party, stolen, kid=kid(key)))[0].code == "parties.not_invited"
        assert town.business() == before
    assert town.block(town.sign("carl", seen, kid=kid("carl")))[0].code == "ok"


# -- consents ------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(said=st.tuples(*[NAMES] * 8), other=st.tuples(*[NAMES] * 8))
def test_a_consent_is_good_for_what_it_says_and_nothing_else(said: tuple[str, ...], other: tuple[str, ...]) -> None:
    for words in (said, other):
        net, signs, agreed = words[0], words[1], Membership(*words[2:])
        text = give_consent(said[0], kid(said[1]), Membership(*said[2:]), signer(said[1]))
        key = Key(kid=kid(signs), owner=agreed.party, public_key=public_key(signs), from_at=5)
        assert consent_stands(net, 5, key, agreed, text) == (words == said)
        assert not consent_stands(net, 4, key, agreed, text), "the key is not good yet"
        assert not consent_stands(net, 5, None, agreed, text)


def opened(town: Town, opening: OpenCircle) -> list[str]:
    """The public and private codes of an opening by its first member."""
    outcome = town.block(town.sign(opening.members[0], opening, kid=kid(opening.members[0])))[0]
    return [outcome.code, *(refusal.code for refusal in outcome.private.values())]


def test_nobody_is_named_by_an_alias_of_another_circle(town: Town) -> None:
    town.endorse("eve", "eve+trap", "trap")
    town.endorse("ann", "ann+later", "later")
    for theirs in ("ann+later", "ann+pool", "ann+bob", "h-ann"):
        for shown in (town.circle_proofs[theirs], town.circle_proofs["eve+trap"], town.owner_proofs[theirs], "", "e30"):
            proofs = [town.circle_proofs["eve+trap"], shown]
            parties, aliases = ["eve", "ann"], ["eve+trap", theirs]
            opening = town.opening("trap", "relationship", parties, aliases, circle_proofs=proofs)
            before = town.business()
            assert opened(town, opening)[0] in ("parties.other_circle", "parties.alias_used")
            assert town.business() == before
    assert "trap" not in town.view("ann").circles


def test_an_alias_is_named_once_so_nobody_who_has_left_is_drawn_back(town: Town) -> None:
    town.must("eve", LeaveCircle(circle="pool"))
    assert town.refused("bob", town.widening("pool", "eve", "eve+pool", "bob")) == "parties.alias_used"
    town.endorse("eve", "eve+pool2", "pool")
    town.must("bob", town.widening("pool", "eve", "eve+pool2", "bob"))
    assert "pool" in town.view("eve").circles


def test_a_party_stands_in_a_circle_once_whatever_number_of_aliases_it_has(town: Town) -> None:
    town.endorse("eve", "eve+1", "two-of-me")
    town.endorse("eve", "eve+2", "two-of-me")
    twice = town.opening("two-of-me", "relationship", ["eve", "eve"], ["eve+1", "eve+2"])
    assert opened(town, twice) == ["ok", "parties.repeated_party"]
    town.endorse("bob", "bob+again", "pool")
    assert town.refused("bob", town.widening("pool", "bob", "bob+again", "bob")) == "parties.repeated_party"


REPLAYED = {
    "to another circle": consent("ann", "ann+trap", "another", "relationship", "eve"),
    "for another purpose": consent("ann", "ann+trap", "trap", "group", "eve"),
    "with another opener": consent("ann", "ann+trap", "trap", "relationship", "bob"),
    "by another alias": consent("ann", "ann+bob", "trap", "relationship", "eve"),
    "of another party": consent("bob", "ann+trap", "trap", "relationship", "eve"),
    "signed by the opener": consent("ann", "ann+trap", "trap", "relationship", "eve", key="eve"),
    "signed by the alias": consent("ann", "ann+trap", "trap", "relationship", "eve", key="ann+trap"),
    "of another network": give_consent(
        "other",
        kid("ann"),
        Membership("ann", "ann+trap", kid("ann+trap"), "trap", "relationship", "eve"),
        signer("ann"),
    ),
    "a key that nobody has": consent("ann", "ann+trap", "trap", "relationship", "eve", key="nobody"),
}


@pytest.mark.parametrize("why", REPLAYED)
def test_nobody_is_in_a_circle_without_own_consent_to_it(town: Town, why: str) -> None:
    for party in ("eve", "ann"):
        town.endorse(party, f"{party}+trap", "trap")
    given = [consent("eve", "eve+trap", "trap", "relationship", "eve"), REPLAYED[why]]
    opening = town.opening("trap", "relationship", ["eve", "ann"], ["eve+trap", "ann+trap"], consents=given)
    assert opened(town, opening) == ["ok", "parties.no_consent"]
    for party in ("ann", "eve"):
        assert "trap" not in town.view(party).circles
    assert town.both_sides_agree()


@pytest.mark.parametrize("compromised", [False, True])
def test_a_consent_by_a_key_that_has_ended_is_none(town: Town, compromised: bool) -> None:
    for party in ("eve", "ann"):
        town.endorse(party, f"{party}+trap", "trap")
    opening = town.opening("trap", "relationship", ["eve", "ann"], ["eve+trap", "ann+trap"])
    town.must("ann", adding("ann", "ann-next"))
    assert town.do("ann", RetireKey(kid=kid("ann"), compromised=compromised), kid=kid("ann-next")).code == "ok"
    assert opened(town, opening) == ["ok", "parties.no_consent"]


def test_a_registrar_cannot_speak_as_a_member_though_it_endorses_an_alias_of_its_own(town: Town) -> None:
    for key in (REGISTRAR, "forged"):
        alias, circle = f"alias of {key}".replace(" ", "-"), f"fake-{key}"
        town.endorse("ann", alias, circle)  # with a key that the registrar made
        forged = consent("ann", alias, circle, "home", "ann", key=key.replace("forged", alias))
        opening = town.opening(circle, "home", ["ann"], [alias], consents=[forged])
        assert opened(town, opening) == ["ok", "parties.no_consent"]
    assert town.view("ann").circles == ("ann--bob", "home-ann", "pool")


def test_a_registrar_cannot_put_another_key_behind_a_name_that_was_consented_to(town: Town) -> None:
    asked = consent("ann", "ann+new", "new", "home", "ann")
    signed = town.sign_as(REGISTRAR, Town.endorsement("ann", "ann+new", "new", key="of the registrar"))
    assert town.block(signed)[0].code == "ok"
    shown = [text.decode() for text in signed.disclosures]
    opening = OpenCircle(
        circle="new",
        purpose="home",
        members=["ann+new"],
        circle_proofs=[shown[1]],
        parties=["ann"],
        proofs=[shown[0]],
        consents=[asked],
        name="",
    )
    outcome = town.block(town.sign("ann+new", opening, kid=kid("of the registrar")))[0]
    assert [refusal.code for refusal in outcome.private.values()] == ["parties.no_consent"]


PAPERS = st.sampled_from(
    ["ann+trap", "ann+trap", "ann+trap", "ann+pool", "ann+bob", "h-ann", "eve+pool", "bob+pool", "bob+ann"]
)
PARTIES = st.sampled_from(["ann", "ann", "bob", "eve"])


@settings(max_examples=40, deadline=None)
@given(
    aliases=st.lists(PAPERS, min_size=1, max_size=2),
    circle_proofs=st.lists(PAPERS, min_size=2, max_size=2),
    proofs=st.lists(PAPERS, min_size=2, max_size=2),
    consents=st.lists(
        st.tuples(PARTIES, PAPERS, st.sampled_from(["trap", "pool", "trap", "ann--bob"])), min_size=2, max_size=2
    ),
    parties=st.lists(PARTIES, min_size=2, max_size=2),
    purpose=st.sampled_from(["relationship", "group"]),
)
def test_whatever_eve_puts_together_of_others_papers_nobody_is_drawn_in(
    aliases: list[str], circle_proofs: list[str], proofs: list[str], consents: list[tuple[str, str, str]],
    parties: list[str], purpose: str,
) -> None:  # fmt: skip
    town = _papers()
    many = len(aliases)
    opening = town.opening(
        "trap",
        purpose,
        ["eve"] * (many + 1),
        ["eve+trap"] * (many + 1),
        members=["eve+trap", *aliases],
        circle_proofs=[town.circle_proofs[alias] for alias in ["eve+trap", *circle_proofs[:many]]],
        parties=["eve", *parties[:many]],
        proofs=town.proofs("eve+trap", *proofs[:many]),
        consents=[
            consent("eve", "eve+trap", "trap", purpose, "eve"),
            # What ann and bob have signed in their lives: for their own circles, and of ann's to be a bob's partner.
            *(consent(who, alias, where, "relationship", "bob") for who, alias, where in consents[:many]),
        ],
    )
    signed = town.sign("eve+trap", opening, kid=kid("eve+trap"))
    refusal = town.applier.trial(signed, town.now)
    assert refusal is not None, "eve got an opening through that her papers do not carry"
    assert {row[1] for row in town.state.conn.execute(f"SELECT * FROM {MEMBERS.name} WHERE circle = 'trap'")} == set()


_TOWN: list[Town] = []


def _papers() -> Town:
    """A town whose papers all circulate; trials leave it as it is."""
    if not _TOWN:
        town = Town("ann", "bob", "eve", rooms=("parties",))
        town.circle("ann", "bob")
        town.group("pool", ["bob", "ann", "eve"])
        town.endorse("eve", "eve+trap", "trap")
        town.endorse("ann", "ann+trap", "trap")
        _TOWN.append(town)
    return _TOWN[0]


def test_before_a_circle_is_opened_the_record_tells_neither_whose_an_alias_is_nor_what_for(town: Town) -> None:
    signed = town.sign_as(REGISTRAR, Town.endorsement("ann", "a-9", "c-secret"))
    town.block(signed)
    row = town.view().get(ALIASES, "a-9")
    assert row is not None and row.circle == ""
    for public in (unb64(signed.jwt.split(b".")[1]).decode(), repr(row)):
        assert "a-9" in public and "c-secret" not in public
        assert '"ann"' not in public and "'ann'" not in public


# -- standing permits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permits", "agrees"),
    [
        ([], True),
        ([("eve", "*", False)], False),
        ([("*", "*", False)], False),
        ([("*", "*", False), ("eve", "*", True)], True),
        ([("*", "*", False), ("eve", "brand:SKF", True)], True),
        ([("*", "*", False), ("*", "brand:SKF", True)], True),
        ([("eve", "*", False), ("*", "brand:SKF", True)], False),
        ([("eve", "*", False), ("eve", "*", True)], False),
        ([("bob", "*", False)], True),
        ([("eve", "brand:SKF", False)], True),
    ],
)
def test_whom_a_firm_deals_with_its_permits_say(town: Town, permits: list[tuple[str, str, bool]], agrees: bool) -> None:
    for number, (partner, scope, allow) in enumerate(permits):
        town.must("ann", SetPermit(circle=home("ann"), permit=str(number), partner=partner, scope=scope, allow=allow))
    assert queries.deals_with(town.view("ann"), "eve") == agrees


def test_replay_says_the_same_of_every_proof(town: Town) -> None:
    town.must("ann", adding("ann", "ann-next"))
    town.must("ann", AppointStaff(circle=home("ann"), person="p", role="buyer", approval_limit_minor=1, currency="EUR",
                                  active=True, full_name="P"))  # fmt: skip
    assert town.both_sides_agree()
    assert town.view().get(KEYS, kid("ann-next")) is not None
