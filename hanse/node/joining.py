"""Joining: the few facts that found a network, host a party, and let parties trade in confidence.

Each step is several facts signed by several keys that this node holds. A step that was cut short is taken up again:
what stands already is not signed twice.

Nobody is in a circle but with its own key's consent (`node.admitting`): the node agrees for the parties that it hosts,
as their standing permits say.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused, require
from hanse.node.admitting import Papers, Wanted, ask, endorse, opening, own_key, registrar, remember, wait
from hanse.node.node import Node
from hanse.node.wallet import KeyPair
from hanse.rooms.parties.facts import (
    CIRCLES,
    HOMES,
    KEYS,
    MEMBERS,
    PARTIES,
    EnterCircle,
    FoundNetwork,
    InviteParty,
    JoinNetwork,
    PartyKind,
    Purpose,
    WidenCircle,
)
from hanse.rooms.parties.proofs import admit, invitation_of
from hanse.rooms.parties.queries import deals_with

INVITATION_SECONDS = 14 * 86_400


def _put(node: Node, pair: KeyPair, fact: Fact) -> None:
    """Sign with a given key, submit, wait. Refuses as the fact's rules."""
    wait(node.path.submit(node.wallet.sign(pair.owner, fact, pair=pair)))


def found(
    node: Node, party: str, *, network: str, name: str, kind: PartyKind = "group", country: str = "DE", city: str = ""
) -> str:
    """Found the network with its first party, the registrar, and open its home; the home's circle.

    Refuses: as `parties.rules.found`.
    """
    if _stands(node, party):
        return open_home(node, party)
    pair = node.wallet.key_of(party) or node.wallet.make(party)
    fact = FoundNetwork(
        network=network,
        party=party,
        name=name,
        party_kind=kind,
        country=country,
        city=city,
        public_key=pair.public_text,
    )
    _put(node, pair, fact)
    return open_home(node, party)


def invite(node: Node, inviter: str) -> str:
    """The secret of a new invitation, to be given by hand. Refuses: as `parties.rules.invite`; node.no_key."""
    secret = secrets.token_hex(24)
    node.act(
        inviter,
        InviteParty(invitation=invitation_of(secret), expires_at=int(node.clock()) + INVITATION_SECONDS),
        check=False,
    )
    return secret


def join(
    node: Node,
    party: str,
    secret: str,
    *,
    name: str,
    kind: PartyKind = "distributor",
    country: str = "DE",
    city: str = "",
) -> str:
    """A party that this node hosts joins by an invitation, and opens its home; the home's circle.

    Refuses: as `parties.rules.join`.
    """
    if _stands(node, party):
        return open_home(node, party)
    pair = node.wallet.key_of(party) or node.wallet.make(party)
    fact = JoinNetwork(
        party=party,
        name=name,
        party_kind=kind,
        country=country,
        city=city,
        public_key=pair.public_text,
        invitation=invitation_of(secret),
        admission=admit(node.net, party, pair.public_text, secret),
    )
    _put(node, pair, fact)
    return open_home(node, party)


def host(
    node: Node, party: str, *, name: str, kind: PartyKind = "distributor", country: str = "DE", city: str = ""
) -> str:
    """Invite and join in one step, where this node hosts the registrar; the new party's home."""
    if _stands(node, party):
        return open_home(node, party)
    return join(node, party, invite(node, registrar(node)), name=name, kind=kind, country=country, city=city)


def _stands(node: Node, party: str) -> bool:
    """Whether a party is on the record with a key that is held here."""
    pair = node.wallet.key_of(party)
    key = node.view().get(KEYS, pair.kid) if pair else None
    return key is not None and key.owner == party and node.view().get(PARTIES, party) is not None


def _admit(
    node: Node, parties: Sequence[str], circle: str, purpose: Purpose, opener: str, *, home: str = ""
) -> list[Papers]:
    """Endorsed aliases of hosted parties for one circle, known to the wallet."""
    asked = ask(node, [Wanted(party, circle, purpose, opener) for party in parties])
    admitted = endorse(node, asked, home=home)
    remember(node, asked)
    return admitted


def _alias_key(node: Node, alias: str) -> KeyPair:
    pair = node.wallet.key_of(alias)
    assert pair is not None, "it was just made"
    return pair


def open_home(node: Node, party: str) -> str:
    """The home circle of a hosted party, opened where it is not."""
    standing = node.view(party).home
    if standing:
        return standing
    circle = node.wallet.new_id("h")
    own = circle if party == registrar(node) else ""
    members = _admit(node, [party], circle, "home", party, home=own)
    _put(node, _alias_key(node, members[0].alias), opening(circle, "home", members))
    return circle


def relationship(node: Node, first: str, second: str) -> str:
    """The circle of two hosted parties, opened and entered where there is none; the first asks for it.

    Refuses, in order: joining.hosted_elsewhere, joining.not_wanted, as `endorse`, `parties.circles.open_circle`.
    """
    standing = relationship_of(node, first, second)
    if standing:
        _enter(node, standing, [first, second])
        return standing
    return _open(node, "relationship", [first, second], "")


def relationship_of(node: Node, first: str, second: str) -> str:
    """The circle in which two parties trade, or ""."""
    view = node.view(first)
    for member in view.rows(MEMBERS, "party = ?", (second,)):
        circle = view.get(CIRCLES, member.circle)
        if circle is not None and circle.purpose == "relationship":
            return member.circle
    return ""


def group(node: Node, members: list[str], name: str) -> str:
    """A new group of hosted parties; the first opens it. Refuses: as `relationship`."""
    return _open(node, "group", members, name)


def _open(node: Node, purpose: Purpose, parties: list[str], name: str) -> str:
    for party in parties:
        own_key(node, party)
    for party in parties[1:]:
        _require_wanted(node, party, parties[0])
    circle = node.wallet.new_id("c")
    members = _admit(node, parties, circle, purpose, parties[0])
    _put(node, _alias_key(node, members[0].alias), opening(circle, purpose, members, name))
    _enter(node, circle, parties)
    return circle


def _require_wanted(node: Node, party: str, opener: str) -> None:
    """That a hosted party has not said beforehand that it does not deal with another: its node agrees for it.

    Refuses: joining.not_wanted.
    """
    if not deals_with(node.view(party), opener):
        raise Refused(
            "joining.not_wanted",
            "this member does not take part in what you open",
            got=party,
            next="ask the member to open it, or to permit you",
        )


def _enter(node: Node, circle: str, parties: list[str]) -> None:
    """Hosted parties accept a circle that lists them, where they have not."""
    found = node.view().get(CIRCLES, circle)
    waiting = []
    for party in parties:
        name = node.wallet.alias_of(circle, party)
        pair = node.wallet.key_of(name) if name else None
        if found is not None and pair is not None and name in found.members and name not in found.entered:
            waiting.append(node.path.submit(node.wallet.sign(pair.owner, EnterCircle(circle=circle), pair=pair)))
    for reply in waiting:
        wait(reply)


def widen(node: Node, circle: str, opener: str, party: str) -> None:
    """A hosted party becomes a member of a group.

    Refuses, in order: joining.hosted_elsewhere, parties.unknown_circle, parties.not_opener, parties.repeated_party,
        joining.not_wanted, as `endorse`, `parties.circles.widen_circle`.
    """
    own_key(node, party)
    standing = _named(node, circle, opener, party)
    if standing:  # and the wallet does not know: this step was cut short
        node.wallet.enter([(circle, party, standing)])
        _enter(node, circle, [party])
        return
    _require_wanted(node, party, opener)
    asked = ask(node, [Wanted(party, circle, "group", opener)])
    member = endorse(node, asked)[0]
    fact = WidenCircle(
        circle=circle,
        alias=member.alias,
        circle_proof=member.circle_proof,
        party=party,
        proof=member.owner_proof,
        consent=member.consent,
    )
    node.act(opener, fact)
    remember(node, asked)  # not before: it would take the place of the alias by which a member speaks already
    _enter(node, circle, [party])


def _named(node: Node, circle: str, opener: str, party: str) -> str:
    """The alias by which a party is in an opener's group where its key is here and the wallet does not say so, or "".

    Refuses, in order: parties.unknown_circle, parties.not_opener, parties.repeated_party.
    """
    view = node.view(opener)
    found = view.get(CIRCLES, circle) if circle in view.circles else None
    if found is None:
        raise Refused("parties.unknown_circle", "no such group", got=circle)
    members = {member.alias: member.party for member in view.rows(MEMBERS, "circle = ?", (circle,))}
    require(members.get(found.members[0]) == opener, "parties.not_opener", "only the opener adds members")
    standing = next((alias for alias, who in members.items() if who == party), "")
    lost = bool(standing) and node.wallet.alias_of(circle, party) != standing and node.wallet.key_of(standing)
    require(not standing or lost, "parties.repeated_party", "this party is a member already", got=party)
    return standing


def parties_with_homes(node: Node) -> list[tuple[str, str]]:
    """(party, home) of the parties that this node hosts."""
    hosted = [owner for owner in node.wallet.hosted() if node.view().get(PARTIES, owner) is not None]
    views = [(party, node.view(party)) for party in hosted]
    return [(party, view.home) for party, view in views if view.get(HOMES, view.home) is not None]
