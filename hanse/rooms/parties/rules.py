"""How parties come, speak, gather in circles and say to whom they sell."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from hanse.kernel.facts import Envelope, Fact, thumbprint
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import authenticator, circle_rule, home_finder, key_finder, rule
from hanse.kernel.state import Draft, State
from hanse.rooms.parties.facts import (
    ALIAS_OWNERS,
    ALIASES,
    CHANNELS,
    CIRCLE_NAMES,
    CIRCLES,
    HOMES,
    INVITATIONS,
    KEYS,
    MEMBERS,
    NETWORK,
    PARTIES,
    PERMITS,
    SITES,
    STAFF,
    AddKey,
    Alias,
    AliasOwner,
    AppointStaff,
    AuthoriseChannel,
    Channel,
    Circle,
    CircleName,
    DescribeParty,
    EndorseAlias,
    EnterCircle,
    FoundNetwork,
    Home,
    Invitation,
    InviteParty,
    JoinNetwork,
    Key,
    LeaveCircle,
    Member,
    Network,
    OpenCircle,
    Party,
    Permit,
    RetireKey,
    SetPermit,
    SetSite,
    Site,
    Staff,
    WidenCircle,
)
from hanse.standards.sdjwt import digest, read_disclosure, unb64

GROUP_MEMBERS_MAX = 500
HOMES_READ_MAX = 100_000


@authenticator
def authenticate(draft: Draft, envelope: Envelope, fact: Fact) -> str:
    """The party or alias that signed. The signature itself was verified against this very key before ordering.

    Refuses, in order: parties.key_mismatch (introducing facts), parties.unknown_key, parties.not_your_key,
        parties.key_not_yet, parties.key_ended.
    """
    if fact.introduces:
        require(
            envelope.kid == thumbprint(unb64(fact.public_key.encode())),  # type: ignore[attr-defined]
            "parties.key_mismatch",
            "this fact must be signed with the key that it introduces",
            got=envelope.kid,
        )
        return envelope.iss
    key = draft.get(KEYS, envelope.kid)
    if key is None:
        raise Refused("parties.unknown_key", "no such key", got=envelope.kid, next="join the network, or add the key")
    require(key.owner == envelope.iss, "parties.not_your_key", "this key speaks for another", got=envelope.iss)
    require(key.from_at <= draft.now, "parties.key_not_yet", "this key is not good yet", expected=f">= {key.from_at}")
    require(
        draft.now < key.until_at and not key.compromised,
        "parties.key_ended",
        "this key was retired or declared compromised",
        got=envelope.kid,
        next="sign with a current key",
    )
    return key.owner


@key_finder
def find_key(draft: Draft, kid: str) -> bytes | None:
    """The public key of a kid, for verifying a signature."""
    key = draft.get(KEYS, kid)
    return unb64(key.public_key.encode()) if key else None


@home_finder(MEMBERS, HOMES)
def find_homes(state: State, circle: str) -> list[tuple[str, str]]:
    """(party, home) of the circle's parties whose homes are readable here, in order of party.

    A party's home is the first that was opened in its name: none that came later takes its place.
    """
    members = state.scan(MEMBERS, {"circle": circle}, after=None, limit=GROUP_MEMBERS_MAX, up_to=None)
    found = []
    for party in sorted({member.party for member in members}):
        homes = state.scan(HOMES, {"party": party}, after=None, limit=HOMES_READ_MAX, up_to=None)
        if homes:
            found.append((party, min(homes, key=lambda home: home.position).circle))
    return found


def require_member(draft: Draft, circle: str) -> Circle:
    """The circle, if the signer is in it. Refuses, in order: parties.unknown_circle, parties.not_in_circle."""
    found = draft.get(CIRCLES, circle)
    if found is None:
        raise Refused("parties.unknown_circle", "no such circle", got=circle, next="open it first")
    require(draft.signer in found.members, "parties.not_in_circle", "you are not in this circle", got=draft.signer)
    return found


def require_party(draft: Draft) -> Party:
    """The signing party. Refuses: parties.unknown_party (aliases cannot do what only parties do)."""
    party = draft.get(PARTIES, draft.signer)
    if party is None:
        raise Refused("parties.unknown_party", "only a party can sign this", got=draft.signer)
    return party


def party_behind(draft: Draft, alias: str) -> str:
    """Who stands behind an alias of the draft's circle. Refuses: parties.not_in_circle."""
    member = draft.get(MEMBERS, draft.circle, alias)
    if member is None:
        raise Refused("parties.not_in_circle", "no member has this alias", got=alias)
    return member.party


def require_home(draft: Draft, circle: str) -> Circle:
    """The signer's home. Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_a_home."""
    found = require_member(draft, circle)
    require(found.purpose == "home", "parties.not_a_home", "this belongs in the party's home", got=found.purpose)
    return found


def signed_by(draft: Draft, circle: str, party: str) -> bool:
    """Whether the fact of this circle was signed by the party, in its alias there: for circle and home rules."""
    member = draft.get(MEMBERS, circle, draft.signer)
    return member is not None and member.party == party


def _add_key(draft: Draft, owner: str, public_key: str, from_at: int) -> None:
    """Refuses: parties.bad_key, parties.key_taken."""
    try:
        raw = unb64(public_key.encode())
    except ValueError:
        raise Refused("parties.bad_key", "a public key is 32 bytes, base64url", got=public_key) from None
    kid = thumbprint(raw)
    require(draft.get(KEYS, kid) is None, "parties.key_taken", "this key is known already", got=kid)
    draft.put(KEYS, Key(kid=kid, owner=owner, public_key=public_key, from_at=from_at))


def _add_party(draft: Draft, fact: FoundNetwork | JoinNetwork) -> None:
    """Refuses, in order: parties.name_differs, parties.party_taken, parties.bad_key, parties.key_taken."""
    require(draft.signer == fact.party, "parties.name_differs", "the signer is the party that comes", got=draft.signer)
    taken = draft.get(PARTIES, fact.party) or draft.get(ALIASES, fact.party)
    require(not taken, "parties.party_taken", "this name is taken", got=fact.party, next="choose another")
    _add_key(draft, fact.party, fact.public_key, 0)
    draft.put(
        PARTIES,
        Party(
            party=fact.party,
            name=fact.name,
            party_kind=fact.party_kind,
            country=fact.country,
            city=fact.city,
            joined_at=draft.now,
        ),
    )


@rule(FoundNetwork)
def found(draft: Draft, fact: FoundNetwork) -> None:
    """Refuses, in order: parties.network_stands, then as `_add_party`."""
    require(draft.get(NETWORK, 1) is None, "parties.network_stands", "this network has been founded", next="join it")
    _add_party(draft, fact)
    draft.put(NETWORK, Network(name=fact.network, registrar=fact.party, founded_at=draft.now))


@rule(InviteParty)
def invite(draft: Draft, fact: InviteParty) -> None:
    """Refuses, in order: parties.unknown_party, parties.invitation_taken, parties.deadline_past."""
    require_party(draft)
    taken = draft.get(INVITATIONS, fact.invitation)
    require(taken is None, "parties.invitation_taken", "this invitation stands already")
    require(fact.expires_at > draft.now, "parties.deadline_past", "it would have expired", got=fact.expires_at)
    draft.put(INVITATIONS, Invitation(invitation=fact.invitation, inviter=draft.signer, expires_at=fact.expires_at))


@rule(JoinNetwork)
def join(draft: Draft, fact: JoinNetwork) -> None:
    """Refuses, in order: parties.unknown_invitation, parties.invitation_used, parties.invitation_expired, then as
    `_add_party`."""
    hashed = hashlib.sha256(fact.secret.encode()).hexdigest()
    invitation = draft.get(INVITATIONS, hashed)
    if invitation is None:
        raise Refused("parties.unknown_invitation", "no such invitation", next="ask for a new link")
    require(not invitation.used_by, "parties.invitation_used", "this invitation was used", next="ask for a new link")
    require(
        draft.now <= invitation.expires_at,
        "parties.invitation_expired",
        "this invitation has expired",
        next="ask for a new link",
    )
    _add_party(draft, fact)
    draft.put(INVITATIONS, replace(invitation, used_by=fact.party))


@rule(DescribeParty)
def describe(draft: Draft, fact: DescribeParty) -> None:
    """Refuses: parties.unknown_party."""
    party = require_party(draft)
    draft.put(PARTIES, replace(party, name=fact.name, city=fact.city, country=fact.country, about=fact.about))


@rule(AddKey)
def add_key(draft: Draft, fact: AddKey) -> None:
    """Refuses, in order: parties.bad_key, parties.key_taken."""
    _add_key(draft, draft.signer, fact.public_key, max(fact.from_at, draft.now))


@rule(RetireKey)
def retire_key(draft: Draft, fact: RetireKey) -> None:
    """Refuses, in order: parties.unknown_key, parties.not_your_key, parties.last_key."""
    key = draft.get(KEYS, fact.kid)
    if key is None:
        raise Refused("parties.unknown_key", "no such key", got=fact.kid)
    require(key.owner == draft.signer, "parties.not_your_key", "this key speaks for another", got=fact.kid)
    until = draft.now if fact.compromised else max(fact.until_at, draft.now)
    others = [k for k in draft.scan(KEYS, owner=draft.signer) if k.kid != key.kid and not k.compromised]
    require(
        any(k.from_at <= until < k.until_at for k in others),
        "parties.last_key",
        "no other key would be left",
        next="add a key first",
    )
    draft.put(KEYS, replace(key, until_at=until, compromised=fact.compromised))


@rule(EndorseAlias)
def endorse(draft: Draft, fact: EndorseAlias) -> None:
    """Refuses, in order: parties.not_registrar, parties.no_owner, parties.alias_taken, parties.bad_key,
    parties.key_taken."""
    network = draft.get(NETWORK, 1)
    require(network and network.registrar == draft.signer, "parties.not_registrar", "only the registrar endorses")
    digests: list[str] = fact.sd_ or []
    require(len(digests) == 1, "parties.no_owner", "an endorsement names one owner, privately", got=len(digests))
    taken = draft.get(ALIASES, fact.alias) or draft.get(PARTIES, fact.alias)
    require(not taken, "parties.alias_taken", "this alias is taken", got=fact.alias)
    _add_key(draft, fact.alias, fact.public_key, draft.now)
    draft.put(ALIASES, Alias(alias=fact.alias, endorsed_at=draft.now, owner_digest=digests[0]))


@circle_rule(EndorseAlias)
def keep_alias_owner(draft: Draft, fact: EndorseAlias) -> None:
    """Refuses: parties.unknown_party."""
    require(draft.get(PARTIES, fact.owner), "parties.unknown_party", "no such party", got=fact.owner)
    draft.put(ALIAS_OWNERS, AliasOwner(circle=fact.circle, alias=fact.alias, owner=fact.owner))


@rule(OpenCircle)
def open_circle(draft: Draft, fact: OpenCircle) -> None:
    """Refuses, in order: parties.circle_taken, parties.unknown_alias, parties.repeated_member, parties.not_opener,
    parties.wrong_size."""
    require(draft.get(CIRCLES, fact.circle) is None, "parties.circle_taken", "this circle stands", got=fact.circle)
    for alias in fact.members:
        require(draft.get(ALIASES, alias), "parties.unknown_alias", "no such alias was endorsed", got=alias)
    require(len(set(fact.members)) == len(fact.members), "parties.repeated_member", "a member is listed twice")
    require(fact.members[0] == draft.signer, "parties.not_opener", "the opener is the first member", got=draft.signer)
    size = {"home": 1, "relationship": 2}.get(fact.purpose, len(fact.members))
    require(len(fact.members) == size, "parties.wrong_size", f"a {fact.purpose} has {size}", got=len(fact.members))
    draft.put(
        CIRCLES,
        Circle(circle=fact.circle, purpose=fact.purpose, members=tuple(fact.members), entered=(draft.signer,)),
    )


@circle_rule(OpenCircle)
def name_members(draft: Draft, fact: OpenCircle) -> None:
    """Refuses, in order: parties.wrong_size, parties.unknown_party, parties.unproven_member."""
    sizes = {len(fact.members), len(fact.parties or ()), len(fact.proofs or ())}
    require(len(sizes) == 1, "parties.wrong_size", "every member has one party behind it, and one proof of that")
    for alias, party, proof in zip(fact.members, fact.parties, fact.proofs, strict=True):
        _name_member(draft, alias, party, proof)
    if fact.name:
        draft.put(CIRCLE_NAMES, CircleName(circle=fact.circle, name=fact.name))
    if fact.purpose == "home":
        draft.put(HOMES, Home(circle=fact.circle, party=fact.parties[0]))


@rule(EnterCircle)
def enter_circle(draft: Draft, fact: EnterCircle) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle."""
    circle = require_member(draft, fact.circle)
    draft.put(CIRCLES, replace(circle, entered=tuple(sorted({*circle.entered, draft.signer}))))


@rule(WidenCircle)
def widen_circle(draft: Draft, fact: WidenCircle) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_opener, parties.not_a_group,
    parties.unknown_alias, parties.repeated_member, parties.group_full."""
    circle = require_member(draft, fact.circle)
    require(circle.members[0] == draft.signer, "parties.not_opener", "only the opener adds members")
    require(circle.purpose == "group", "parties.not_a_group", "only a group can grow", got=circle.purpose)
    require(draft.get(ALIASES, fact.alias), "parties.unknown_alias", "no such alias was endorsed", got=fact.alias)
    require(fact.alias not in circle.members, "parties.repeated_member", "already a member", got=fact.alias)
    require(len(circle.members) < GROUP_MEMBERS_MAX, "parties.group_full", "a group has at most 500 members")
    draft.put(CIRCLES, replace(circle, members=(*circle.members, fact.alias)))


@circle_rule(WidenCircle)
def name_new_member(draft: Draft, fact: WidenCircle) -> None:
    """Refuses, in order: parties.unknown_party, parties.unproven_member."""
    _name_member(draft, fact.alias, fact.party, fact.proof)


def _name_member(draft: Draft, alias: str, party: str, proof: str) -> None:
    """Write who stands behind an alias, as the registrar's endorsement says it.

    Refuses, in order: parties.unknown_party, parties.unproven_member.
    """
    require(draft.get(PARTIES, party), "parties.unknown_party", "no such party", got=party)
    endorsed = draft.get(ALIASES, alias)
    try:
        shown = (proof or "").encode()
        said = read_disclosure(shown)[1:]
    except ValueError:
        shown, said = b"", ("", "")
    proven = endorsed and digest(shown) == endorsed.owner_digest and said == ("owner", party)
    require(proven, "parties.unproven_member", "no endorsement says that this alias is theirs", got=party)
    draft.put(MEMBERS, Member(circle=draft.circle, alias=alias, party=party))


@rule(LeaveCircle)
def leave_circle(draft: Draft, fact: LeaveCircle) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_a_group, parties.opener_stays."""
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


@circle_rule(LeaveCircle)
def forget_member(draft: Draft, fact: LeaveCircle) -> None:
    """The party behind the leaver is no longer listed, and reads nothing new."""
    draft.delete(MEMBERS, fact.circle, draft.signer)


@rule(SetSite)
@rule(AppointStaff)
@rule(SetPermit)
def in_own_home(draft: Draft, fact: SetSite | AppointStaff | SetPermit) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_a_home."""
    require_home(draft, fact.circle)


@circle_rule(SetSite)
def set_site(draft: Draft, fact: SetSite) -> None:
    draft.put(
        SITES,
        Site(
            circle=fact.circle,
            site=fact.site,
            party=party_behind(draft, draft.signer),
            name=fact.name,
            site_kind=fact.site_kind,
            country=fact.country,
            city=fact.city,
            latitude_microdeg=fact.latitude_microdeg,
            longitude_microdeg=fact.longitude_microdeg,
        ),
    )


@circle_rule(AppointStaff)
def appoint(draft: Draft, fact: AppointStaff) -> None:
    """Refuses: parties.bad_limit."""
    require(
        fact.approval_limit_minor >= 0, "parties.bad_limit", "a limit is not negative", got=fact.approval_limit_minor
    )
    draft.put(
        STAFF,
        Staff(
            circle=fact.circle,
            person=fact.person,
            role=fact.role,
            approval_limit_minor=fact.approval_limit_minor,
            currency=fact.currency,
            active=fact.active,
        ),
    )


@circle_rule(SetPermit)
def set_permit(draft: Draft, fact: SetPermit) -> None:
    """Refuses: parties.bad_scope."""
    good = fact.scope == "*" or fact.scope.startswith(("brand:", "category:"))
    require(good, "parties.bad_scope", "unknown scope", got=fact.scope, expected="*, brand:NAME or category:NAME")
    draft.put(
        PERMITS,
        Permit(circle=fact.circle, permit=fact.permit, partner=fact.partner, scope=fact.scope, allow=fact.allow),
    )


@rule(AuthoriseChannel)
def authorise(draft: Draft, fact: AuthoriseChannel) -> None:
    """The first to authorise a brand's channel is its owner.

    Refuses, in order: parties.unknown_party, parties.brand_taken, parties.unknown_dealer.
    """
    require_party(draft)
    earlier = draft.scan(CHANNELS, brand=fact.brand, limit=1)
    owner = earlier[0].authoriser if earlier else draft.signer
    require(owner == draft.signer, "parties.brand_taken", "another party speaks for this brand", got=fact.brand)
    require(draft.get(PARTIES, fact.party), "parties.unknown_dealer", "no such party", got=fact.party)
    draft.put(
        CHANNELS,
        Channel(
            brand=fact.brand,
            party=fact.party,
            authoriser=draft.signer,
            countries=tuple(sorted(fact.countries)),
            until_at=fact.until_at,
        ),
    )
