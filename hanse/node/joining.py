"""Joining: the few facts that found a network, host a party, and let parties trade in confidence.

Each step is several facts signed by several keys that this node holds. A step that was cut short is taken up again:
what stands already is not signed twice.
"""

from __future__ import annotations

import hashlib
import secrets
from concurrent.futures import Future

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.node.node import Node
from hanse.node.wallet import KeyPair
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
    WidenCircle,
)

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
    hashed = hashlib.sha256(secret.encode()).hexdigest()
    node.act(inviter, InviteParty(invitation=hashed, expires_at=int(node.clock()) + INVITATION_SECONDS), check=False)
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
        party=party, name=name, party_kind=kind, country=country, city=city, public_key=pair.public_text, secret=secret
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


def alias(node: Node, party: str, circle: str, *, at_home_of_registrar: str = "") -> KeyPair:
    """A new endorsed alias of a hosted party for one circle. Refuses: as `parties.rules.endorse`; node.no_key."""
    who = registrar(node)
    registrar_key = node.wallet.key_of(who)
    if registrar_key is None:
        raise Refused("node.no_key", "the registrar is hosted elsewhere", got=who, next="ask it for an endorsement")
    pair = node.wallet.make(node.wallet.new_id("a"))
    home = at_home_of_registrar or node.view(who).home
    fact = EndorseAlias(circle=home, alias=pair.owner, public_key=pair.public_text, owner=party)
    endorsement = node.wallet.sign(who, fact, pair=registrar_key)
    _wait(node.path.submit(endorsement))
    node.wallet.enter(circle, party, pair.owner, owner_proof=endorsement.disclosures[0].decode())
    return pair


def open_home(node: Node, party: str) -> str:
    """The home circle of a hosted party, opened where it is not."""
    standing = node.view(party).home
    if standing:
        return standing
    circle = node.wallet.new_id("h")
    own = circle if party == registrar(node) else ""
    pair = alias(node, party, circle, at_home_of_registrar=own)
    _put(
        node,
        pair,
        OpenCircle(
            circle=circle,
            purpose="home",
            members=[pair.owner],
            parties=[party],
            proofs=[node.wallet.owner_proof(pair.owner)],
            name="",
        ),
    )
    return circle


def relationship(node: Node, first: str, second: str) -> str:
    """The circle of two hosted parties, opened and entered where there is none."""
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
    """A new group of hosted parties; the first opens it."""
    return _open(node, "group", members, name)


def _open(node: Node, purpose: str, parties: list[str], name: str) -> str:
    circle = node.wallet.new_id("c")
    pairs = [alias(node, party, circle) for party in parties]
    opening = OpenCircle(
        circle=circle,
        purpose=purpose,  # type: ignore[arg-type]
        members=[pair.owner for pair in pairs],
        parties=parties,
        proofs=[node.wallet.owner_proof(pair.owner) for pair in pairs],
        name=name,
    )
    _put(node, pairs[0], opening)
    _enter(node, circle, parties)
    return circle


def _enter(node: Node, circle: str, parties: list[str]) -> None:
    """Hosted parties accept a circle that lists them, where they have not."""
    found = node.view().get(CIRCLES, circle)
    for party in parties:
        name = node.wallet.alias_of(circle, party)
        pair = node.wallet.key_of(name) if name else None
        if found is not None and pair is not None and name in found.members and name not in found.entered:
            _put(node, pair, EnterCircle(circle=circle))


def widen(node: Node, circle: str, opener: str, party: str) -> None:
    """A hosted party becomes a member of a group. Refuses: as `parties.rules.widen_circle`."""
    pair = alias(node, party, circle)
    node.act(
        opener,
        WidenCircle(circle=circle, alias=pair.owner, party=party, proof=node.wallet.owner_proof(pair.owner)),
        check=False,
    )
    _put(node, pair, EnterCircle(circle=circle))


def parties_with_homes(node: Node) -> list[tuple[str, str]]:
    """(party, home) of the parties that this node hosts."""
    hosted = [owner for owner in node.wallet.hosted() if node.view().get(PARTIES, owner) is not None]
    views = [(party, node.view(party)) for party in hosted]
    return [(party, view.home) for party, view in views if view.get(HOMES, view.home) is not None]
