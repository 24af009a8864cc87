"""Keys of hosted parties and aliases: changed with an overlap, declared compromised, handed over."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.node.node import WAIT_SECONDS, Node
from hanse.node.wallet import KeyPair
from hanse.rooms.parties.facts import KEYS, AddKey, Key, RetireKey
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


def rotate(node: Node, owner: str, *, overlap_seconds: int = OVERLAP_SECONDS) -> str:
    """A new key signs from now on; the old one is good until the overlap is over. The new key's kid.

    Refuses, in order: node.no_key; as `parties.rules.add_key`, `retire_key`.
    """
    old = _pair(node, owner)
    new = node.wallet.make(owner, active=False)
    _put(node, old, AddKey(public_key=new.public_text))
    node.wallet.activate(new.kid)
    _put(node, new, RetireKey(kid=old.kid, until_at=node.path.now() + overlap_seconds))
    return new.kid


def compromise(node: Node, kid: str) -> str:
    """Declare that a key may be in other hands: nothing that it signs counts any more. The kid that signs instead.

    The owner's newest other key signs this; where there is none, a new one is added first, by the key itself.
    Refuses, in order: parties.unknown_key, node.no_key; as `parties.rules.add_key`, `retire_key`.
    """
    key = node.view().get(KEYS, kid)
    if key is None:
        raise Refused("parties.unknown_key", "no such key", got=kid, next="see `hanse key list`")
    pair = _pair(node, key.owner)
    if pair.kid == kid:
        new = node.wallet.make(key.owner, active=False)
        _put(node, pair, AddKey(public_key=new.public_text))
        node.wallet.activate(new.kid)
        pair = new
    _put(node, pair, RetireKey(kid=kid, compromised=True))
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


def _put(node: Node, pair: KeyPair, fact: Fact) -> None:
    receipt = node.path.submit(node.wallet.sign(pair.owner, fact, pair=pair)).result(WAIT_SECONDS)
    if receipt.first_refusal:
        raise Refused.of(receipt.first_refusal)
