"""Keys: who speaks with which, from when until when, and that nobody takes another's."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.facts import Envelope, Fact, thumbprint
from hanse.kernel.kept import META
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import authenticator, key_finder, rule
from hanse.rooms.parties.facts import KEYS, AddKey, Key, RetireKey
from hanse.rooms.parties.proofs import key_is_proven
from hanse.standards.sdjwt import unb64


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
    if key.from_at > draft.now:
        raise Refused("parties.key_not_yet", "this key is not good yet", expected=f">= {key.from_at}")
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


def new_key(draft: Draft, owner: str, public_key: str, from_at: int) -> Key:
    """The row of a key that nobody has yet, not written. Refuses, in order: parties.bad_key, parties.key_taken."""
    try:
        raw = unb64(public_key.encode())
    except ValueError:
        raise Refused("parties.bad_key", "a public key is 32 bytes, base64url", got=public_key) from None
    kid = thumbprint(raw)
    require(draft.get(KEYS, kid) is None, "parties.key_taken", "this key is known already", got=kid)
    return Key(kid=kid, owner=owner, public_key=public_key, from_at=from_at)


def require_proven(draft: Draft, kind: str, key: Key, proof: str) -> None:
    """That a new key itself asks for its place here, by a fact of this kind. Refuses: parties.unproven_key."""
    network = draft.get(META, 1)
    proven = network is not None and key_is_proven(network.net, kind, key.owner, key.public_key, proof)
    require(
        proven,
        "parties.unproven_key",
        "a key is added only by who holds it",
        got=key.kid,
        expected="a proof by this key, for this owner and network",
    )


@rule(AddKey)
def add_key(draft: Draft, fact: AddKey) -> None:
    """Refuses, in order: parties.bad_key, parties.key_taken, parties.unproven_key."""
    key = new_key(draft, draft.signer, fact.public_key, max(fact.from_at, draft.now))
    require_proven(draft, fact.kind, key, fact.proof)
    draft.put(KEYS, key)


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
