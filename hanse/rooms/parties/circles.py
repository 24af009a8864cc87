"""Circles: aliases endorsed for one circle each, opened with the consent of all whom they name, widened and left."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.facts import Given
from hanse.kernel.kept import META
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, rule
from hanse.rooms.parties.facts import (
    ALIAS_OWNERS,
    ALIASES,
    CIRCLE_NAMES,
    CIRCLES,
    HOMES,
    KEYS,
    MEMBERS,
    NETWORK,
    PARTIES,
    Alias,
    AliasOwner,
    Circle,
    CircleName,
    EndorseAlias,
    EnterCircle,
    Home,
    LeaveCircle,
    Member,
    OpenCircle,
    WidenCircle,
)
from hanse.rooms.parties.keys import new_key, require_proven
from hanse.rooms.parties.proofs import Membership, consent_stands
from hanse.rooms.parties.rules import GROUP_MEMBERS_MAX, party_behind, require_member, require_name
from hanse.rooms.parties.told import EMPTY_FROM, Leaving
from hanse.standards.sdjwt import digest, read_disclosure

ENDORSED = 2
"""Private fields of an endorsement: the owner, and the circle that the alias is for."""


@rule(EndorseAlias)
def endorse(draft: Draft, fact: EndorseAlias) -> None:
    """Refuses, in order: parties.not_registrar, parties.no_owner, parties.alias_taken, parties.bad_key,
    parties.key_taken, parties.unproven_key."""
    network = draft.get(NETWORK, 1)
    require(network and network.registrar == draft.signer, "parties.not_registrar", "only the registrar endorses")
    digests: list[str] = fact.sd_ or []
    require(
        len(digests) == ENDORSED,
        "parties.no_owner",
        "an endorsement names one owner and one circle, privately",
        got=len(digests),
    )
    taken = draft.get(ALIASES, fact.alias) or draft.get(PARTIES, fact.alias)
    require(not taken, "parties.alias_taken", "this alias is taken", got=fact.alias)
    key = new_key(draft, fact.alias, fact.public_key, draft.now)
    require_proven(draft, fact.kind, key, fact.proof)
    draft.put(KEYS, key)
    draft.put(ALIASES, Alias(alias=fact.alias, kid=key.kid, digests=tuple(digests), endorsed_at=draft.now))


@circle_rule(EndorseAlias)
def keep_alias_owner(draft: Draft, fact: EndorseAlias) -> None:
    """Refuses: parties.unknown_party."""
    require(draft.get(PARTIES, fact.owner), "parties.unknown_party", "no such party", got=fact.owner)
    draft.put(ALIAS_OWNERS, AliasOwner(circle=fact.circle, alias=fact.alias, owner=fact.owner))


@rule(OpenCircle)
def open_circle(draft: Draft, fact: OpenCircle) -> None:
    """Refuses, in order: parties.circle_taken, parties.unknown_alias, parties.repeated_member, parties.not_opener,
    parties.wrong_size, then for each member as `_serve`."""
    members = fact.members
    require(draft.get(CIRCLES, fact.circle) is None, "parties.circle_taken", "this circle stands", got=fact.circle)
    for alias in members:
        require(draft.get(ALIASES, alias), "parties.unknown_alias", "no such alias was endorsed", got=alias)
    require(len(set(members)) == len(members), "parties.repeated_member", "a member is listed twice")
    require(members[0] == draft.signer, "parties.not_opener", "the opener is the first member", got=draft.signer)
    size = {"home": 1, "relationship": 2}.get(fact.purpose, len(members))
    require(len(members) == size, "parties.wrong_size", f"a {fact.purpose} has {size}", got=len(members))
    proofs = fact.circle_proofs
    require(len(proofs) == size, "parties.wrong_size", "every member has one proof of its circle", got=len(proofs))
    for alias, proof in zip(members, proofs, strict=True):
        _serve(draft, alias, fact.circle, proof)
    draft.put(
        CIRCLES, Circle(circle=fact.circle, purpose=fact.purpose, members=tuple(members), entered=(draft.signer,))
    )


def _serve(draft: Draft, alias: str, circle: str, proof: str) -> None:
    """An alias takes its place in the circle that it was endorsed for, once.

    Writes: ALIASES. Refuses, in order: parties.unknown_alias, parties.alias_used, parties.other_circle.
    """
    endorsed = draft.get(ALIASES, alias)
    if endorsed is None:
        raise Refused("parties.unknown_alias", "no such alias was endorsed", got=alias)
    require(not endorsed.circle, "parties.alias_used", "this alias was named already", got=alias, next="use a new one")
    good = _discloses(endorsed, proof, "for_circle", circle)
    require(good, "parties.other_circle", "this alias was not endorsed for this circle", got=alias)
    draft.put(ALIASES, replace(endorsed, circle=circle))


def _discloses(endorsed: Alias, proof: Given[str], name: str, value: Given[str]) -> bool:
    """Whether a proof is a disclosure of the alias's endorsement, and says that `name` is `value`."""
    try:
        shown = proof.encode()
        said: tuple[Any, ...] = read_disclosure(shown)[1:]
    except ValueError:
        return False
    return digest(shown) in endorsed.digests and said == (name, value)


@circle_rule(OpenCircle)
def name_members(draft: Draft, fact: OpenCircle) -> None:
    """Refuses, in order: parties.wrong_size, parties.repeated_party, parties.no_name (one of blanks; "" is none), then
    for each member as `_name_member`."""
    sizes = {len(fact.members), len(fact.parties or ()), len(fact.proofs or ()), len(fact.consents or ())}
    require(len(sizes) == 1, "parties.wrong_size", "every member has a party behind it, a proof of that, and a consent")
    require(len(set(fact.parties)) == len(fact.parties), "parties.repeated_party", "a party stands here twice")
    if fact.name:
        require_name(draft, fact.name, "a group")
    opener = fact.parties[0]
    for alias, party, proof, consent in zip(fact.members, fact.parties, fact.proofs, fact.consents, strict=True):
        _name_member(draft, alias, party, fact.purpose, opener, proof, consent)
    if fact.name:
        draft.put(CIRCLE_NAMES, CircleName(circle=fact.circle, name=fact.name))
    if fact.purpose == "home":
        draft.put(HOMES, Home(circle=fact.circle, party=opener))


def _name_member(
    draft: Draft, alias: str, party: Given[str], purpose: str, opener: str, proof: Given[str], consent: Given[str]
) -> None:
    """Write who stands behind an alias: as the registrar's endorsement says it, and with the party's own consent.

    Writes: MEMBERS. Refuses, in order: parties.unknown_party, parties.unproven_member, parties.no_consent.
    """
    require(draft.get(PARTIES, party), "parties.unknown_party", "no such party", got=party)
    endorsed = draft.get(ALIASES, alias)
    if endorsed is None or not _discloses(endorsed, proof or "", "owner", party):
        raise Refused("parties.unproven_member", "no endorsement says that this alias is theirs", got=party)
    said = Membership(party, alias, endorsed.kid, draft.circle, purpose, opener)
    network, key = draft.get(META, 1), draft.get(KEYS, (consent or "").partition(".")[0])
    agreed = network is not None and consent_stands(network.net, draft.now, key, said, consent or "")
    require(
        agreed,
        "parties.no_consent",
        "this party has not agreed to this circle",
        got=party,
        expected="its own key's consent to this circle, purpose and opener",
        next="ask for its consent",
    )
    draft.put(MEMBERS, Member(circle=draft.circle, alias=alias, party=party))


@rule(EnterCircle)
def enter_circle(draft: Draft, fact: EnterCircle) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle."""
    circle = require_member(draft, fact.circle)
    draft.put(CIRCLES, replace(circle, entered=tuple(sorted({*circle.entered, draft.signer}))))


@rule(WidenCircle)
def widen_circle(draft: Draft, fact: WidenCircle) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_opener, parties.not_a_group,
    parties.repeated_member, parties.group_full, then as `_serve`."""
    circle = require_member(draft, fact.circle)
    require(circle.members[0] == draft.signer, "parties.not_opener", "only the opener adds members")
    require(circle.purpose == "group", "parties.not_a_group", "only a group can grow", got=circle.purpose)
    require(fact.alias not in circle.members, "parties.repeated_member", "already a member", got=fact.alias)
    require(len(circle.members) < GROUP_MEMBERS_MAX, "parties.group_full", "a group has at most 500 members")
    _serve(draft, fact.alias, fact.circle, fact.circle_proof)
    draft.put(CIRCLES, replace(circle, members=(*circle.members, fact.alias)))


@circle_rule(WidenCircle)
def name_new_member(draft: Draft, fact: WidenCircle) -> None:
    """Refuses, in order: parties.repeated_party, then as `_name_member`."""
    twice = draft.scan(MEMBERS, party=fact.party, limit=1)
    require(not twice, "parties.repeated_party", "this party is a member already", got=fact.party)
    opener = party_behind(draft, draft.signer)
    _name_member(draft, fact.alias, fact.party, "group", opener, fact.proof, fact.consent)


@rule(LeaveCircle)
def leave_circle(draft: Draft, fact: LeaveCircle) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_a_group, parties.opener_stays, then
    as later rooms do that have something open (`told.Leaving`): inventory.offers_stand, orders.holds_stand,
    orders.orders_stand."""
    circle = require_member(draft, fact.circle)
    require(circle.purpose == "group", "parties.not_a_group", "only a group can be left", got=circle.purpose)
    require(circle.members[0] != draft.signer, "parties.opener_stays", "the opener cannot leave its group")
    draft.put(
        CIRCLES,
        replace(
            circle,
            members=tuple(alias for alias in circle.members if alias != draft.signer),
            entered=tuple(alias for alias in circle.entered if alias != draft.signer),
        ),
    )
    if draft.now >= EMPTY_FROM:
        draft.tell(Leaving(fact.circle, draft.signer))


@circle_rule(LeaveCircle)
def forget_member(draft: Draft, fact: LeaveCircle) -> None:
    """The party behind the leaver is no longer listed, and reads nothing new."""
    draft.delete(MEMBERS, fact.circle, draft.signer)
