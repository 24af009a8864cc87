"""Joining: the few facts that found a network, host a party, and let parties trade in confidence.

Each step is several facts signed by several keys that this node holds. A step that was cut short is taken up again:
what stands already is not signed twice.

Nobody is in a circle but with its own key's consent. `ask` is the party's node's part, `endorse` the registrar's, the
opening the opener's: on one node all three are here, and the node agrees for a party as its standing permits say.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from concurrent.futures import Future

from msgspec import Struct

from hanse.kernel.facts import Fact, thumbprint
from hanse.kernel.refusal import Refused, require
from hanse.node.node import Node
from hanse.node.wallet import KeyPair, Presentation
from hanse.node.write_path import Receipt
from hanse.rooms.parties.facts import (
    CIRCLES,
    HOMES,
    KEYS,
    MEMBERS,
    NETWORK,
    PARTIES,
    EndorseAlias,
    EnterCircle,
    FoundNetwork,
    InviteParty,
    JoinNetwork,
    OpenCircle,
    PartyKind,
    Purpose,
    WidenCircle,
)
from hanse.rooms.parties.proofs import Membership, admit, consent_stands, give_consent, invitation_of, prove_key
from hanse.rooms.parties.queries import deals_with
from hanse.standards.sdjwt import read_disclosure, unb64

INVITATION_SECONDS = 14 * 86_400
_WAIT_SECONDS = 60


def _put(node: Node, pair: KeyPair, fact: Fact) -> None:
    """Sign with a given key, submit, wait. Refuses as the fact's rules."""
    _wait(node.path.submit(node.wallet.sign(pair.owner, fact, pair=pair)))


def _wait(future: Future[Receipt]) -> None:
    receipt = future.result(_WAIT_SECONDS)
    if receipt.first_refusal:
        raise Refused.of(receipt.first_refusal)


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


def registrar(node: Node) -> str:
    """The registrar. Refuses: parties.no_network."""
    network = node.view().get(NETWORK, 1)
    if network is None:
        raise Refused("parties.no_network", "no network has been founded here", next="found one first")
    return network.registrar


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


class Wanted(Struct, frozen=True):
    """An alias that a party wants: for which circle, of which purpose, opened by which party."""

    party: str
    circle: str
    purpose: Purpose
    opener: str


class Asked(Struct, frozen=True):
    """What a party's own node asks the registrar to endorse. `proof`: by the alias's key; `consent`: by the party's.

    It travels in confidence: it names the party behind the alias.
    """

    wanted: Wanted
    alias: str
    public_key: str
    proof: str
    consent: str


class Papers(Struct, frozen=True):
    """What a circle is shown of a member: `circle_proof` for all to see, the rest in the circle."""

    party: str
    alias: str
    circle_proof: str
    owner_proof: str
    consent: str


def ask(node: Node, wanted: Sequence[Wanted]) -> list[Asked]:
    """New alias keys of hosted parties, and the parties' consents. Refuses: joining.hosted_elsewhere."""
    own = {want.party: _own_key(node, want.party) for want in wanted}
    made = node.wallet.make_all([node.wallet.new_id("a") for _ in wanted])
    return [_ask(node.net, want, own[want.party], pair) for want, pair in zip(wanted, made, strict=True)]


def _ask(net: str, want: Wanted, own: KeyPair, pair: KeyPair) -> Asked:
    said = Membership(want.party, pair.owner, pair.kid, want.circle, want.purpose, want.opener)
    proof = prove_key(net, EndorseAlias.kind, pair.owner, pair.public_text, pair.sign)
    return Asked(want, pair.owner, pair.public_text, proof, give_consent(net, own.kid, said, own.sign))


def _own_key(node: Node, party: str) -> KeyPair:
    pair = node.wallet.key_of(party)
    if pair is None:
        raise Refused(
            "joining.hosted_elsewhere",
            "this member's keys are not on this node, and only they can agree to a relationship or group",
            got=party,
            next="ask it to come to this node, or keep the trade with it in your own books",
        )
    return pair


def endorsement(node: Node, asked: Asked, home: str) -> EndorseAlias:
    """The registrar's fact for what was asked, once the asking is seen to be the party's own.

    Args:
        home: the registrar's.
    Refuses: parties.no_consent.
    """
    want, consent = asked.wanted, asked.consent
    alias_kid = thumbprint(unb64(asked.public_key.encode()))
    said = Membership(want.party, asked.alias, alias_kid, want.circle, want.purpose, want.opener)
    key = node.view().get(KEYS, consent.partition(".")[0])
    if not consent_stands(node.net, node.path.now(), key, said, consent):
        raise Refused("parties.no_consent", "this party has not agreed to this circle", got=want.party)
    return EndorseAlias(
        circle=home,
        alias=asked.alias,
        public_key=asked.public_key,
        proof=asked.proof,
        owner=want.party,
        for_circle=want.circle,
    )


def papers(asked: Asked, signed: Presentation) -> Papers:
    """What a circle is shown, of what was asked and the registrar's signed endorsement."""
    shown = {read_disclosure(text)[1]: text.decode() for text in signed.disclosures}
    return Papers(asked.wanted.party, asked.alias, shown["for_circle"], shown["owner"], asked.consent)


def endorse(node: Node, asked: Sequence[Asked], *, home: str = "") -> list[Papers]:
    """The registrar endorses what was asked, all together, where this node hosts it.

    Refuses, in order: node.no_key, parties.no_consent, as `parties.circles.endorse`.
    """
    who = registrar(node)
    pair = node.wallet.key_of(who)
    if pair is None:
        raise Refused(
            "node.no_key", "the registrar's keys are not on this node", got=who, next="do this on the registrar's node"
        )
    home = home or node.view(who).home
    signed = [node.wallet.sign(who, endorsement(node, one, home), pair=pair) for one in asked]
    for future in [node.path.submit(presentation) for presentation in signed]:
        _wait(future)
    return [papers(one, presentation) for one, presentation in zip(asked, signed, strict=True)]


def remember(node: Node, asked: Sequence[Asked]) -> None:
    """Keep in the wallet which alias speaks for whom where, before the circle is opened."""
    node.wallet.enter([(one.wanted.circle, one.wanted.party, one.alias) for one in asked])


def opening(circle: str, purpose: Purpose, members: Sequence[Papers], name: str = "") -> OpenCircle:
    """The fact that opens a circle of these members; the first signs it."""
    return OpenCircle(
        circle=circle,
        purpose=purpose,
        members=[one.alias for one in members],
        circle_proofs=[one.circle_proof for one in members],
        parties=[one.party for one in members],
        proofs=[one.owner_proof for one in members],
        consents=[one.consent for one in members],
        name=name,
    )


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
        _own_key(node, party)
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
    for future in waiting:
        _wait(future)


def widen(node: Node, circle: str, opener: str, party: str) -> None:
    """A hosted party becomes a member of a group.

    Refuses, in order: joining.hosted_elsewhere, parties.unknown_circle, parties.not_opener, parties.repeated_party,
        joining.not_wanted, as `endorse`, `parties.circles.widen_circle`.
    """
    _own_key(node, party)
    _require_room(node, circle, opener, party)
    _require_wanted(node, party, opener)
    member = _admit(node, [party], circle, "group", opener)[0]
    fact = WidenCircle(
        circle=circle,
        alias=member.alias,
        circle_proof=member.circle_proof,
        party=party,
        proof=member.owner_proof,
        consent=member.consent,
    )
    node.act(opener, fact, check=False)
    _put(node, _alias_key(node, member.alias), EnterCircle(circle=circle))


def _require_room(node: Node, circle: str, opener: str, party: str) -> None:
    """That an opener may bring in a party that is not there yet: asked before the party gets an alias, which would
    else take the place of the one by which it speaks.

    Refuses, in order: parties.unknown_circle, parties.not_opener, parties.repeated_party.
    """
    view = node.view(opener)
    found = view.get(CIRCLES, circle) if circle in view.circles else None
    if found is None:
        raise Refused("parties.unknown_circle", "no such group", got=circle)
    members = {member.alias: member.party for member in view.rows(MEMBERS, "circle = ?", (circle,))}
    require(members.get(found.members[0]) == opener, "parties.not_opener", "only the opener adds members")
    absent = party not in members.values()
    require(absent, "parties.repeated_party", "this party is a member already", got=party)


def parties_with_homes(node: Node) -> list[tuple[str, str]]:
    """(party, home) of the parties that this node hosts."""
    hosted = [owner for owner in node.wallet.hosted() if node.view().get(PARTIES, owner) is not None]
    views = [(party, node.view(party)) for party in hosted]
    return [(party, view.home) for party, view in views if view.get(HOMES, view.home) is not None]
