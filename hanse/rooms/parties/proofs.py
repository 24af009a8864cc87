"""What keys say beside the facts: that they are held, that somebody is invited, that a party consents to a circle.

All are signatures over JWS signing inputs (RFC 7515, 5.1) whose content is detached (its appendix F): a fact carries
the signature alone, and whoever verifies builds the content from the fact and the network, so that the two cannot
differ. The header's `typ` (explicit typing, RFC 8725, 3.11) keeps them apart from each other and from facts and
batches, which the same keys sign. The content names the network, the kind and the owner: it is good in one place only.

    key proof   "I, this key, speak for OWNER": proof of possession, as in a certification request (RFC 2986, 3).
    admission   "I, this invitation, am for PARTY with KEY."
    consent     "I, PARTY, am by ALIAS in CIRCLE, a PURPOSE that OPENER opens."
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from hanse.record import ed25519
from hanse.rooms.parties.facts import Key
from hanse.standards import sdjwt

KEY_HEADER = sdjwt.header("hanse-key-proof+jwt")
ADMISSION_HEADER = sdjwt.header("hanse-admission+jwt")
CONSENT_HEADER = sdjwt.header("hanse-consent+jwt")
Sign = Callable[[bytes], bytes]
"""The 64-byte Ed25519 signature of a message."""
_json = msgspec.json.Encoder().encode


def key_statement(net: str, kind: str, owner: str, public_key: str) -> bytes:
    """What a new key signs, so that it can be added.

    Args:
        kind: of the fact that adds it. owner: the party or alias. public_key: base64url.

    >>> sdjwt.unb64(key_statement("n", "parties.add_key", "ann", "AA").partition(b".")[2])
    b'{"net":"n","kind":"parties.add_key","owner":"ann","public_key":"AA"}'
    """
    content = {"net": net, "kind": kind, "owner": owner, "public_key": public_key}
    return KEY_HEADER + b"." + sdjwt.b64(_json(content))


def prove_key(net: str, kind: str, owner: str, public_key: str, sign: Sign) -> str:
    """The proof that whoever adds a key holds it, base64url. `sign`: with the new key."""
    return sdjwt.b64(sign(key_statement(net, kind, owner, public_key))).decode()


def key_is_proven(net: str, kind: str, owner: str, public_key: str, proof: str) -> bool:
    """Whether `proof` is this very key's, for this very owner, kind and network."""
    return _verified(public_key, key_statement(net, kind, owner, public_key), proof)


def invitation_of(secret: str) -> str:
    """The invitation, a public key in base64url, that a secret of 128 random bits or more opens, given by hand."""
    return sdjwt.b64(ed25519.public_key_of(_invitation_seed(secret))).decode()


def admission_statement(net: str, party: str, public_key: str) -> bytes:
    """What an invitation's key signs, so that a party can join with a key."""
    return ADMISSION_HEADER + b"." + sdjwt.b64(_json({"net": net, "party": party, "public_key": public_key}))


def admit(net: str, party: str, public_key: str, secret: str) -> str:
    """The signature, base64url, with which a secret's holder joins as a party with a key; the secret stays untold."""
    return sdjwt.b64(ed25519.sign(_invitation_seed(secret), admission_statement(net, party, public_key))).decode()


def is_admitted(net: str, party: str, public_key: str, invitation: str, admission: str) -> bool:
    """Whether an invitation's key admits this very party with this very key to this network."""
    return _verified(invitation, admission_statement(net, party, public_key), admission)


def _invitation_seed(secret: str) -> bytes:
    return hashlib.sha256(b"hanse invitation\n" + secret.encode()).digest()


class Membership(msgspec.Struct, frozen=True):
    """What a party consents to. `alias_kid`: the alias's first key, as the registrar endorsed it. `opener`: a party."""

    party: str
    alias: str
    alias_kid: str
    circle: str
    purpose: str
    opener: str


def consent_statement(net: str, kid: str, said: Membership) -> bytes:
    """What a party signs with its own key `kid`, so that it can be named in a circle.

    >>> said = Membership("ann", "a-1", "k-1", "c-1", "relationship", "bob")
    >>> sdjwt.unb64(consent_statement("n", "k", said).partition(b".")[2])[:44]
    b'{"net":"n","kid":"k","consents":{"party":"an'
    """
    return CONSENT_HEADER + b"." + sdjwt.b64(_json({"net": net, "kid": kid, "consents": said}))


def give_consent(net: str, kid: str, said: Membership, sign: Sign) -> str:
    """A party's consent: `kid.signature`. `sign`: with the party's own key `kid`."""
    return f"{kid}.{sdjwt.b64(sign(consent_statement(net, kid, said))).decode()}"


def consent_stands(net: str, now: int, key: Key | None, said: Membership, consent: str) -> bool:
    """Whether a party's own key gave this consent, and is good now (UTC seconds).

    Args:
        key: the one that `consent` names, None where there is none.
    """
    kid, _, signature = consent.partition(".")
    if key is None or key.kid != kid or key.owner != said.party:
        return False
    if key.compromised or not key.from_at <= now < key.until_at:
        return False
    return _verified(key.public_key, consent_statement(net, kid, said), signature)


def _verified(public_key: str, message: bytes, signature: str) -> bool:
    try:
        return ed25519.verify(sdjwt.unb64(public_key.encode()), message, sdjwt.unb64(signature.encode()))
    except ValueError:
        return False
