"""Wallet: the private keys of hosted parties and their aliases, and signing with them.

`keys.db` is readable by its owner only. Whoever runs the node can sign for the parties that it hosts: a firm that minds
runs its own.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from hanse.kernel.batches import batch_tree, prove_batch
from hanse.kernel.entries import BatchProof
from hanse.kernel.facts import BATCH_HEADER, HEADER, Fact, payload, thumbprint
from hanse.kernel.refusal import Refused
from hanse.standards import sdjwt

FILE = "keys.db"
WINDOW_SECONDS = 86_400
_DDL = """
CREATE TABLE IF NOT EXISTS key (
  kid TEXT PRIMARY KEY, owner TEXT NOT NULL, seed BLOB NOT NULL, made_at INTEGER NOT NULL, active INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS key_owner ON key (owner, made_at);
CREATE TABLE IF NOT EXISTS alias (
  circle TEXT, party TEXT, alias TEXT NOT NULL, PRIMARY KEY (circle, party)
) STRICT;
CREATE TABLE IF NOT EXISTS nonce (one INTEGER PRIMARY KEY CHECK (one = 1), reserved INTEGER NOT NULL) STRICT;
"""
_NONCES = 2**32
"""How many nonces are reserved on the disk at once."""


class KeyPair(Struct, frozen=True):
    """An Ed25519 key. `owner`: the party or alias that it speaks for; `secret`: libsodium's 64 bytes."""

    owner: str
    kid: str
    public_key: bytes
    secret: bytes

    @classmethod
    def of(cls, owner: str, seed: bytes) -> KeyPair:
        public_key, secret = crypto_sign_seed_keypair(seed)
        return cls(owner, thumbprint(public_key), public_key, secret)

    @property
    def public_text(self) -> str:
        return sdjwt.b64(self.public_key).decode()

    def sign(self, message: bytes) -> bytes:
        return bytes(crypto_sign(message, self.secret)[:64])


class Salts:
    """128 random bits at a call (RFC 9901, 9.3), taken from the system in larger pieces."""

    def __init__(self) -> None:
        self._left = b""
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            if not self._left:
                self._left = os.urandom(4096)
            taken, self._left = self._left[:16], self._left[16:]
        return sdjwt.b64(taken).decode()


class Presentation(Struct, frozen=True, gc=False):
    """A signed fact on its way to a node: its bytes, its disclosures, and in a batch its proof."""

    jwt: bytes
    disclosures: list[bytes]
    batch: BatchProof | None = None


class Wallet:
    """Keys on disk. Nonces rise over restarts too, also where the clock falls back: a stretch of them is reserved
    on the disk before the first is used.

    Args:
        net: the network's id. seed: where new keys come from; the demo passes its own for a repeatable network.
        salt: where salts come from. now: UTC seconds.
    """

    def __init__(
        self,
        directory: Path,
        net: str,
        *,
        seed: Callable[[], bytes] = lambda: secrets.token_bytes(32),
        salt: Callable[[], str] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        path = directory / FILE
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        os.chmod(path, 0o600)
        self.net, self._seed, self._salt, self._now = net, seed, salt or Salts(), now
        self._conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._conn.executescript(_DDL)
        self._lock = threading.RLock()
        self._keys: dict[str, KeyPair] = {}
        self._aliases: dict[tuple[str, str], str | None] = {}
        self._nonce = self._reserved = 0
        self._reserve(int(now() * 1_000_000) << 8)

    def make(self, owner: str, *, active: bool = True) -> KeyPair:
        """As `make_all`, for one."""
        return self.make_all([owner], active=active)[0]

    def make_all(self, owners: Sequence[str], *, active: bool = True) -> list[KeyPair]:
        """New keys for parties or aliases, in order, all on the disk, by one commit, before any is returned.

        So no public half can reach the record whose private half a crash could take. Ones that are not active wait for
        `activate`.
        """
        seeds = [self._seed() for _ in owners]
        pairs = [KeyPair.of(owner, seed) for owner, seed in zip(owners, seeds, strict=True)]
        rows = [(p.kid, p.owner, s, self._next_nonce(), int(active)) for p, s in zip(pairs, seeds, strict=True)]
        with self._at_once():
            self._conn.executemany("INSERT OR REPLACE INTO key VALUES (?, ?, ?, ?, ?)", rows)
            for owner in owners:
                self._keys.pop(owner, None)
        return pairs

    def activate(self, *kids: str) -> None:
        """Sign with these keys from now on: the record knows them."""
        rows = [(self._next_nonce(), kid) for kid in kids]
        with self._at_once():
            self._conn.executemany("UPDATE key SET active = 1, made_at = ? WHERE kid = ?", rows)
            self._keys.clear()

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """One commit, which the disk is waited for once; nothing of it where something fails. Not to be nested.

        Nonces are taken before it: a stretch that is reserved must stay so.
        """
        with self._lock:
            self._conn.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._conn.execute("COMMIT")
            except BaseException:
                self._keys.clear()
                self._aliases.clear()
                if self._conn.in_transaction:
                    self._conn.execute("ROLLBACK")
                raise

    def key_of(self, owner: str) -> KeyPair | None:
        """The newest key held for a party or alias, or None."""
        with self._lock:
            if owner not in self._keys:
                found = self._conn.execute(
                    "SELECT seed FROM key WHERE owner = ? AND active = 1 ORDER BY made_at DESC LIMIT 1", (owner,)
                ).fetchone()
                if found is None:
                    return None
                self._keys[owner] = KeyPair.of(owner, found[0])
            return self._keys[owner]

    def holds(self, kid: str) -> bool:
        """Whether a key's private half is here."""
        with self._lock:
            return self._conn.execute("SELECT 1 FROM key WHERE kid = ?", (kid,)).fetchone() is not None

    def forget(self, kid: str) -> None:
        """Drop a retired key."""
        with self._lock:
            self._conn.execute("DELETE FROM key WHERE kid = ?", (kid,))
            self._keys = {owner: pair for owner, pair in self._keys.items() if pair.kid != kid}

    def enter(self, spoken: Sequence[tuple[str, str, str]]) -> None:
        """Remember (circle, party, alias): that a hosted party speaks in a circle by this alias. One commit for all."""
        with self._at_once():
            self._conn.executemany("INSERT OR REPLACE INTO alias VALUES (?, ?, ?)", spoken)
            self._aliases.update({(circle, party): alias for circle, party, alias in spoken})

    def alias_of(self, circle: str, party: str) -> str | None:
        with self._lock:
            if (circle, party) not in self._aliases:
                found = self._conn.execute(
                    "SELECT alias FROM alias WHERE circle = ? AND party = ?", (circle, party)
                ).fetchone()
                self._aliases[circle, party] = found[0] if found else None
            return self._aliases[circle, party]

    def circles_of(self, party: str) -> list[tuple[str, str]]:
        """(circle, alias) of a hosted party."""
        with self._lock:
            return self._conn.execute(
                "SELECT circle, alias FROM alias WHERE party = ? ORDER BY circle", (party,)
            ).fetchall()

    def speakers(self, circle: str) -> list[tuple[str, str]]:
        """(party, alias) of the hosted parties of a circle."""
        with self._lock:
            return self._conn.execute(
                "SELECT party, alias FROM alias WHERE circle = ? ORDER BY party", (circle,)
            ).fetchall()

    def hosted(self) -> list[str]:
        """Owners, parties and aliases alike, whose keys are held here."""
        with self._lock:
            return [row[0] for row in self._conn.execute("SELECT DISTINCT owner FROM key ORDER BY owner")]

    def speaker(self, party: str, fact: Fact) -> KeyPair:
        """The key that speaks for a party in this fact: its alias's in the fact's circle, else its own.

        Refuses: node.no_key, where this node does not hold the party's key for that circle.
        """
        circle = getattr(fact, "circle", "")
        owner = (self.alias_of(circle, party) if circle else None) or party
        pair = self.key_of(owner)
        if pair is None:
            raise Refused("node.no_key", "this node holds no key to sign with", got=party, next="sign elsewhere")
        return pair

    def sign(self, party: str, fact: Fact, *, pair: KeyPair | None = None) -> Presentation:
        """Sign one fact for a party. Refuses: node.no_key."""
        pair = pair or self.speaker(party, fact)
        text, disclosures = self._payload(pair, fact)
        return Presentation(sdjwt.sign(HEADER, text, pair.sign), disclosures)

    def sign_batch(self, party: str, facts: list[Fact]) -> list[Presentation]:
        """Sign facts of one speaker (one circle) with one signature over their root. Refuses: node.no_key,
        node.mixed_batch, node.single_only."""
        pairs = {self.speaker(party, fact).kid: self.speaker(party, fact) for fact in facts}
        if len(pairs) != 1:
            raise Refused("node.mixed_batch", "a batch has one speaker", got=len(pairs), expected="1")
        if any(fact.single for fact in facts):
            raise Refused("node.single_only", "facts that bind money are signed singly")
        pair = next(iter(pairs.values()))
        read = [self._payload(pair, fact) for fact in facts]
        return sign_payloads(pair, self.net, read)

    def _payload(self, pair: KeyPair, fact: Fact) -> tuple[bytes, list[bytes]]:
        return payload(
            fact,
            net=self.net,
            iss=pair.owner,
            kid=pair.kid,
            nonce=self._next_nonce(),
            exp=int(self._now()) + WINDOW_SECONDS,
            salt=self._salt,
        )

    def new_id(self, prefix: str) -> str:
        """A fresh identifier, `prefix-` and 80 random bits: for aliases, circles and documents."""
        return f"{prefix}-{hashlib.sha256(self._seed()).hexdigest()[:20]}"

    def _next_nonce(self) -> int:
        with self._lock:
            self._nonce += 1
            if self._nonce >= self._reserved:
                self._reserve(self._nonce)
            return self._nonce

    def _reserve(self, start: int) -> None:
        """Take the next stretch of nonces, from `start` or behind what was reserved before."""
        found = self._conn.execute("SELECT reserved FROM nonce").fetchone()
        self._nonce = max(start, found[0]) if found else start
        self._reserved = self._nonce + _NONCES
        self._conn.execute("INSERT OR REPLACE INTO nonce VALUES (1, ?)", (self._reserved,))

    def close(self) -> None:
        self._conn.close()


def sign_payloads(pair: KeyPair, net: str, read: list[tuple[bytes, list[bytes]]]) -> list[Presentation]:
    """One signature over the tree of several facts' bytes; each fact gets its path."""
    jwts = [HEADER + b"." + sdjwt.b64(text) for text, _ in read]
    root, paths = batch_tree(jwts)
    proofs = prove_batch(net, pair.owner, pair.kid, root, paths, lambda text: sdjwt.sign(BATCH_HEADER, text, pair.sign))
    return [
        Presentation(jwt, disclosures, proof) for jwt, (_, disclosures), proof in zip(jwts, read, proofs, strict=True)
    ]
