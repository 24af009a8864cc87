"""How parties come, gather under one roof, and say to whom they sell."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.facts import Given
from hanse.kernel.kept import META
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, home_finder, rule
from hanse.kernel.state import State
from hanse.rooms.parties.facts import (
    ALIASES,
    CHANNELS,
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
    AppointStaff,
    AuthoriseChannel,
    Channel,
    Circle,
    DescribeParty,
    FoundNetwork,
    Invitation,
    InviteParty,
    JoinNetwork,
    Network,
    Party,
    Permit,
    SetPermit,
    SetSite,
    Site,
    Staff,
)
from hanse.rooms.parties.keys import new_key
from hanse.rooms.parties.proofs import is_admitted

_RANGES = ((9, 13), (28, 32), (0x2000, 0x200F), (0x2028, 0x202F))
_ALONE = (0x85, 0xA0, 0xAD, 0x1680, 0x205F, 0x2060, 0x3000, 0xFEFF)
BLANKS = "".join(map(chr, [*_ALONE, *[n for low, high in _RANGES for n in range(low, high + 1)]]))
"""What shows nothing where it stands alone. Named here, as Unicode's tables differ between versions of Python."""
NAMES_SHOW_FROM = 1_795_366_800
"""2026-11-22, 17:00 UTC."""
GROUP_MEMBERS_MAX = 500
HOMES_READ_MAX = 100_000


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


def shows(draft: Draft, name: Given[str]) -> bool:
    """Whether something of a name shows. Names that were signed before `NAMES_SHOW_FROM` are taken as they are, so that
    every record replays as it was written: docs/decisions/0016."""
    return draft.now < NAMES_SHOW_FROM or bool(name.strip(BLANKS))


def require_name(draft: Draft, name: Given[str], whose: str) -> None:
    """Refuses: parties.no_name."""
    require(shows(draft, name), "parties.no_name", f"{whose} needs a name", got=name, expected="a name that shows")


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


def _add_party(draft: Draft, fact: FoundNetwork | JoinNetwork) -> None:
    """Refuses, in order: parties.name_differs, parties.party_taken, parties.no_name, parties.bad_key,
    parties.key_taken."""
    require(draft.signer == fact.party, "parties.name_differs", "the signer is the party that comes", got=draft.signer)
    taken = draft.get(PARTIES, fact.party) or draft.get(ALIASES, fact.party)
    require(not taken, "parties.party_taken", "this name is taken", got=fact.party, next="choose another")
    require_name(draft, fact.name, "a party")
    draft.put(KEYS, new_key(draft, fact.party, fact.public_key, 0))
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
    """Refuses, in order: parties.network_stands, parties.no_name (of the network), then as `_add_party`."""
    require(draft.get(NETWORK, 1) is None, "parties.network_stands", "this network has been founded", next="join it")
    require_name(draft, fact.network, "a network")
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
    """Refuses, in order: parties.unknown_invitation, parties.invitation_used, parties.invitation_expired,
    parties.not_invited, then as `_add_party`."""
    invitation = draft.get(INVITATIONS, fact.invitation)
    if invitation is None:
        raise Refused("parties.unknown_invitation", "no such invitation", next="ask for a new link")
    require(not invitation.used_by, "parties.invitation_used", "this invitation was used", next="ask for a new link")
    require(
        draft.now <= invitation.expires_at,
        "parties.invitation_expired",
        "this invitation has expired",
        next="ask for a new link",
    )
    network = draft.get(META, 1)
    invited = network is not None and is_admitted(
        network.net, fact.party, fact.public_key, fact.invitation, fact.admission
    )
    require(invited, "parties.not_invited", "this invitation was not given to this party with this key")
    _add_party(draft, fact)
    draft.put(INVITATIONS, replace(invitation, used_by=fact.party))


@rule(DescribeParty)
def describe(draft: Draft, fact: DescribeParty) -> None:
    """Refuses, in order: parties.unknown_party, parties.no_name."""
    party = require_party(draft)
    require_name(draft, fact.name, "a party")
    draft.put(PARTIES, replace(party, name=fact.name, city=fact.city, country=fact.country, about=fact.about))


@rule(SetSite)
@rule(AppointStaff)
@rule(SetPermit)
def in_own_home(draft: Draft, fact: SetSite | AppointStaff | SetPermit) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_a_home."""
    require_home(draft, fact.circle)


@circle_rule(SetSite)
def set_site(draft: Draft, fact: SetSite) -> None:
    """Refuses: parties.no_name."""
    require_name(draft, fact.name, "a site")
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

    Refuses, in order: parties.unknown_party, parties.no_name (of the brand), parties.brand_taken,
        parties.unknown_dealer.
    """
    require_party(draft)
    require_name(draft, fact.brand, "a brand")
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
