"""Admitting: how a party gets the alias by which it is named in one circle.

Nobody is in a circle but with its own key's consent. `ask` is the part of the party's node, `endorse` the registrar's;
`opening` is what the opener then signs. What is asked and what is shown are plain data, so that each may be elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hanse.engines.replies import Reply
from hanse.kernel.facts import thumbprint
from hanse.kernel.refusal import Refused
from hanse.node.node import WAIT_SECONDS, Node
from hanse.node.wallet import KeyPair, Presentation
from hanse.node.write_path import Receipt
from hanse.rooms.parties.facts import KEYS, NETWORK, EndorseAlias, OpenCircle, Purpose
from hanse.rooms.parties.proofs import Membership, consent_stands, give_consent, prove_key
from hanse.standards.sdjwt import read_disclosure, unb64


def registrar(node: Node) -> str:
    """The registrar. Refuses: parties.no_network."""
    network = node.view().get(NETWORK, 1)
    if network is None:
        raise Refused("parties.no_network", "no network has been founded here", next="found one first")
    return network.registrar


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
    own = {want.party: own_key(node, want.party) for want in wanted}
    made = node.wallet.make_all([node.wallet.new_id("a") for _ in wanted])
    return [_ask(node.net, want, own[want.party], pair) for want, pair in zip(wanted, made, strict=True)]


def _ask(net: str, want: Wanted, own: KeyPair, pair: KeyPair) -> Asked:
    said = Membership(want.party, pair.owner, pair.kid, want.circle, want.purpose, want.opener)
    proof = prove_key(net, EndorseAlias.kind, pair.owner, pair.public_text, pair.sign)
    return Asked(want, pair.owner, pair.public_text, proof, give_consent(net, own.kid, said, own.sign))


def own_key(node: Node, party: str) -> KeyPair:
    """A hosted party's key. Refuses: joining.hosted_elsewhere."""
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
    for reply in [node.path.submit(presentation) for presentation in signed]:
        wait(reply)
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


def wait(reply: Reply[Receipt]) -> None:
    """Wait for a fact's receipt. Refuses: as its rules."""
    receipt = reply.result(WAIT_SECONDS)
    if receipt.first_refusal:
        raise Refused.of(receipt.first_refusal)
