"""Keys of hosted parties and aliases: changed with an overlap, declared compromised, handed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.node.node import WAIT_SECONDS, Node
from hanse.node.wallet import KeyPair
from hanse.rooms.parties.facts import KEYS, AddKey, Key, RetireKey
from hanse.rooms.parties.proofs import prove_key
from hanse.standards import sdjwt

OVERLAP_SECONDS = 7 * 86_400


class KeyCard(Struct, frozen=True):
    """One key of a party or alias. `held`: its private half is here. `state`: good, not yet, retired or compromised."""

    kid: str
    owner: str
    state: str
    from_at: int
    until_at: int
    held: bool


def cards(node: Node, owner: str) -> list[KeyCard]:
    """The keys of a party or alias, in order of their start."""
    now = node.path.now()
    found = node.view().rows(KEYS, "owner = ?", (owner,), order="from_at, kid")
    return [
        KeyCard(key.kid, owner, _state(key, now), key.from_at, key.until_at, node.wallet.holds(key.kid))
        for key in found
    ]


def _state(key: Key, now: int) -> str:
    if key.compromised:
        return "compromised"
    if key.until_at <= now:
        return "retired"
    return "good" if key.from_at <= now else "not yet"


def adding(net: str, new: KeyPair) -> AddKey:
    """The fact that adds a key for its owner, with the key's own proof. The owner's current key signs it."""
    proof = prove_key(net, AddKey.kind, new.owner, new.public_text, new.sign)
    return AddKey(public_key=new.public_text, proof=proof)


def rotate(node: Node, owner: str, *, overlap_seconds: int = OVERLAP_SECONDS) -> str:
    """As `rotate_all`, for one."""
    return rotate_all(node, [owner], overlap_seconds=overlap_seconds)[owner]


def rotate_all(node: Node, owners: Sequence[str], *, overlap_seconds: int = OVERLAP_SECONDS) -> dict[str, str]:
    """New keys of parties or aliases sign from now on; the old ones are good until the overlap is over.

    Returns: owner -> the new key's kid.
    Refuses, in order: node.no_key; as `parties.keys.add_key`, `retire_key`.
    """
    old = [_pair(node, owner) for owner in owners]
    new = _add(node, old)
    until = node.path.now() + overlap_seconds
    _put(node, [(pair, RetireKey(kid=was.kid, until_at=until)) for was, pair in zip(old, new, strict=True)])
    return {pair.owner: pair.kid for pair in new}


def _add(node: Node, old: Sequence[KeyPair]) -> list[KeyPair]:
    """New keys on the record, in use once they are there. They are kept whatever becomes of the facts: a node that is
    not sure whether its record has a key must not lose it."""
    new = node.wallet.make_all([pair.owner for pair in old], active=False)
    _put(node, [(was, adding(node.net, pair)) for was, pair in zip(old, new, strict=True)])
    node.wallet.activate(*(pair.kid for pair in new))
    return new


def compromise(node: Node, kid: str) -> str:
    """Declare that a key may be in other hands: nothing that it signs counts any more. The kid that signs instead.

    The owner's newest other key signs this; where there is none, a new one is added first, by the key itself.
    Refuses, in order: parties.unknown_key, node.no_key; as `parties.keys.add_key`, `retire_key`.
    """
    key = node.view().get(KEYS, kid)
    if key is None:
        raise Refused("parties.unknown_key", "no such key", got=kid, next="see `hanse key list`")
    pair = _pair(node, key.owner)
    if pair.kid == kid:
        pair = _add(node, [pair])[0]
    _put(node, [(pair, RetireKey(kid=kid, compromised=True))])
    node.wallet.forget(kid)
    return pair.kid


def export(node: Node, owner: str) -> dict[str, Any]:
    """The private key of a party or alias as a JWK (RFC 8037), to be kept where nobody else reads it.

    Refuses: node.no_key.
    """
    pair = _pair(node, owner)
    seed = sdjwt.b64(pair.secret[:32]).decode()
    return {"kty": "OKP", "crv": "Ed25519", "kid": pair.kid, "x": pair.public_text, "d": seed, "owner": owner}


def _pair(node: Node, owner: str) -> KeyPair:
    pair = node.wallet.key_of(owner)
    if pair is None:
        raise Refused("node.no_key", "this node holds no key of it", got=owner, next="do this where its key is")
    return pair


def _put(node: Node, facts: Sequence[tuple[KeyPair, Fact]]) -> None:
    """Submit together, wait for all; refuses as the first that was refused, and the others stand."""
    replies = [node.path.submit(node.wallet.sign(pair.owner, fact, pair=pair)) for pair, fact in facts]
    for receipt in [reply.result(WAIT_SECONDS) for reply in replies]:
        if receipt.first_refusal:
            raise Refused.of(receipt.first_refusal)
