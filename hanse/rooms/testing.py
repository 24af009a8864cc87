"""A town for tests: a founded network with named parties, their homes, relationships and groups, in memory."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from types import ModuleType
from typing import Any

from hanse.compiled import elsewhere
from hanse.kernel.facts import Fact, Signed, thumbprint
from hanse.kernel.kept import CHAIN
from hanse.kernel.outcome import Outcome
from hanse.kernel.testing import World
from hanse.kernel.view import View
from hanse.record import ed25519
from hanse.rooms import ROOMS, RULE_PARTS, modules
from hanse.rooms.parties.facts import (
    MEMBERS,
    AddKey,
    EndorseAlias,
    EnterCircle,
    FoundNetwork,
    InviteParty,
    JoinNetwork,
    OpenCircle,
    WidenCircle,
)
from hanse.rooms.parties.proofs import Membership, Sign, admit, give_consent, invitation_of, prove_key
from hanse.standards.sdjwt import b64, read_disclosure

REGISTRAR = "office"
NET = "test"


def seed(owner: str) -> bytes:
    """The private half of a party's or alias's key in a town: 32 bytes that depend on the name alone."""
    return hashlib.sha256(b"key of " + owner.encode()).digest()


@cache
def _raw_key(owner: str) -> bytes:
    return ed25519.public_key_of(seed(owner))


def public_key(owner: str) -> str:
    """A party's or alias's key in a town, base64url."""
    return b64(_raw_key(owner)).decode()


def kid(owner: str) -> str:
    """The thumbprint of `public_key(owner)`."""
    return thumbprint(_raw_key(owner))


def signer(key: str) -> Sign:
    """Signs with `seed(key)`."""
    return lambda message: ed25519.sign(seed(key), message)


@cache
def proof_of_key(owner: str, key: str, kind: str = AddKey.kind) -> str:
    """The proof by `public_key(key)` that it may be added for an owner."""
    return prove_key(NET, kind, owner, public_key(key), signer(key))


def adding(owner: str, key: str, **more: Any) -> AddKey:
    """The fact by which an owner adds `public_key(key)`."""
    return AddKey(public_key=public_key(key), proof=proof_of_key(owner, key), **more)


def joining(secret: str, *, party: str, public_key: str, **about: Any) -> JoinNetwork:
    """The fact by which the holder of a secret joins."""
    return JoinNetwork(
        party=party,
        public_key=public_key,
        invitation=invitation_of(secret),
        admission=admit(NET, party, public_key, secret),
        **about,
    )


@cache
def consent(party: str, alias: str, circle: str, purpose: str, opener: str, key: str = "") -> str:
    """A party's consent to be by an alias in a circle; `key`: which signs, else the party's own."""
    said = Membership(party, alias, kid(alias), circle, purpose, opener)
    return give_consent(NET, kid(key or party), said, signer(key or party))


def home(party: str) -> str:
    """A party's home circle in a town."""
    return f"home-{party}"


class Town(World):
    """A network whose registrar is `office`; every fact is a block of its own, at ledger time `now`.

    Names: party `a` has the home circle `home-a`, where it signs as `h-a`. Its relationship with `b` is the circle
    `a--b` (opened by `a`), with aliases `a+b` (a's) and `b+a` (b's). In group `g` it signs as `a+g`.

    Args:
        parties: founded at once, each with home. rooms: which rooms' rules apply. more: a test's own modules of rules.
    """

    def __init__(
        self, *parties: str, now: int = 1_700_000_000, rooms: Sequence[str] = ROOMS, more: Sequence[ModuleType] = ()
    ) -> None:
        self.modules = [*modules(*RULE_PARTS, rooms=rooms), *more]
        super().__init__(*self.modules, now=now)
        self.aliases: dict[tuple[str, str], str] = {}
        """(party, circle) -> alias."""
        self.owner_proofs: dict[str, str] = {}
        self.circle_proofs: dict[str, str] = {}
        """alias -> the disclosure that proves whose it is; and for which circle."""
        self.history: list[tuple[int, tuple[Signed, ...]]] = []
        self._settle(REGISTRAR)
        for party in parties:
            self.join(party)

    def join(self, party: str) -> None:
        """A party comes by invitation, and gets its home."""
        secret = f"secret of {party}".ljust(16, ".")
        self.must(
            REGISTRAR,
            InviteParty(invitation=invitation_of(secret), expires_at=self.now + 86_400),
        )
        self._settle(party, secret)

    def _settle(self, party: str, secret: str = "") -> None:
        about: dict[str, Any] = {
            "party": party,
            "name": party.title(),
            "party_kind": "distributor",
            "country": "DE",
            "city": "Bremen",
            "public_key": public_key(party),
        }
        coming = joining(secret, **about) if secret else FoundNetwork(network="Town", **about)
        self.must(party, coming)
        self._gather(home(party), "home", [party], [f"h-{party}"])

    def circle(self, opener: str, other: str) -> str:
        """Open a relationship that both enter; its circle id `opener--other`."""
        return self._gather(
            f"{opener}--{other}", "relationship", [opener, other], [f"{opener}+{other}", f"{other}+{opener}"]
        )

    def group(self, name: str, parties: Sequence[str]) -> str:
        """Open a group that all enter, the first its opener; its circle id is `name`."""
        return self._gather(name, "group", list(parties), [f"{party}+{name}" for party in parties])

    def _gather(self, circle: str, purpose: Any, parties: list[str], aliases: list[str]) -> str:
        for party, alias in zip(parties, aliases, strict=True):
            self.endorse(party, alias, circle)
            self.aliases[party, circle] = alias
        self.must(parties[0], self.opening(circle, purpose, parties, aliases))
        for party in parties[1:]:
            self.must(party, EnterCircle(circle=circle))
        return circle

    def opening(
        self, circle: str, purpose: Any, parties: list[str], aliases: list[str], /, **change: Any
    ) -> OpenCircle:
        """The fact that opens a circle of endorsed aliases, with all proofs and consents; `change`: other fields."""
        fields = {
            "circle": circle,
            "purpose": purpose,
            "members": aliases,
            "circle_proofs": [self.circle_proofs[alias] for alias in aliases],
            "parties": parties,
            "proofs": self.proofs(*aliases),
            "consents": [
                consent(party, alias, circle, purpose, parties[0])
                for party, alias in zip(parties, aliases, strict=True)
            ],
            "name": circle,
        }
        return OpenCircle(**{**fields, **change})

    def widening(self, circle: str, party: str, alias: str, opener: str, /, **change: Any) -> WidenCircle:
        """The fact that brings an endorsed alias into an opener's group; `change`: other fields."""
        fields = {
            "circle": circle,
            "alias": alias,
            "circle_proof": self.circle_proofs[alias],
            "party": party,
            "proof": self.owner_proofs[alias],
            "consent": consent(party, alias, circle, "group", opener),
        }
        return WidenCircle(**{**fields, **change})

    def endorse(self, party: str, alias: str, circle: str) -> None:
        """The registrar endorses an alias as the party's, for a circle."""
        signed = self.sign_as(REGISTRAR, self.endorsement(party, alias, circle))
        assert self.block(signed)[0].code == "ok"
        shown = {read_disclosure(text)[1]: text.decode() for text in signed.disclosures}
        self.owner_proofs[alias], self.circle_proofs[alias] = shown["owner"], shown["for_circle"]

    @staticmethod
    def endorsement(party: str, alias: str, circle: str, key: str = "") -> EndorseAlias:
        """The registrar's fact; `key`: whose key the alias gets, else its own."""
        return EndorseAlias(
            circle=home(REGISTRAR),
            alias=alias,
            public_key=public_key(key or alias),
            proof=proof_of_key(alias, key or alias, EndorseAlias.kind),
            owner=party,
            for_circle=circle,
        )

    def proofs(self, *aliases: str) -> list[str]:
        """What proves the owners of endorsed aliases."""
        return [self.owner_proofs[alias] for alias in aliases]

    def speaker(self, party: str, fact: Fact) -> str:
        """The alias in which a party signs a fact: that of the fact's circle, or the party itself without one.

        One that is no member of the fact's circle signs in its own name, and will be refused.
        """
        circle = "" if isinstance(fact, EndorseAlias) else getattr(fact, "circle", "")
        return self.aliases.get((party, circle), party) if circle else party

    def sign_as(self, party: str, fact: Fact, **rest: Any) -> Signed:
        """A fact signed by a party, in the alias and with the key that fit its circle."""
        speaker = self.speaker(party, fact)
        return self.sign(speaker, fact, **{"kid": kid(speaker), **rest})

    def do(self, iss: str, fact: Fact, **rest: Any) -> Outcome:
        """A party signs a fact; its outcome. `rest`: nonce, exp, kid."""
        return self.block(self.sign_as(iss, fact, **rest))[0]

    def must(self, party: str, *facts: Fact) -> list[Outcome]:
        """Facts of one party, each accepted, publicly and by every private rule; else the test fails."""
        outcomes = [self.do(party, fact) for fact in facts]
        for outcome, fact in zip(outcomes, facts, strict=True):
            assert outcome.code == "ok", f"{fact.kind}: {outcome.refusal}"
            assert not outcome.private, f"{fact.kind}: {outcome.private}"
        return outcomes

    def refused(self, party: str, fact: Fact) -> str:
        """The code of a public refusal, or of the one private refusal, "ok" for none; state must be as it was.

        What the kernel keeps of a refusal (retries, quotas, running hashes) is not counted as state.
        """
        before = self.business()
        outcome = self.do(party, fact)
        if outcome.code != "ok":
            assert self.business() == before, "a refusal changed state"
            return outcome.code
        codes = sorted({refusal.code for refusal in outcome.private.values()})
        assert len(codes) <= 1, codes
        return codes[0] if codes else "ok"

    def business(self) -> dict[str, list[tuple[Any, ...]]]:
        """All tables but the kernel's own."""
        return {name: rows for name, rows in self.dump().items() if not name.startswith("kernel_")}

    def block(self, *facts: Signed) -> list[Outcome]:
        self.history.append((self.now, facts))
        return super().block(*facts)

    def circles_of(self, party: str) -> tuple[str, ...]:
        """The circles that a party is in, in order."""
        found = self.state.conn.execute(
            f"SELECT DISTINCT circle FROM {MEMBERS.name} WHERE party = ? ORDER BY circle", (party,)
        )
        return tuple(row[0] for row in found)

    def view(self, party: str = "", circles: tuple[str, ...] = (), home: str = "") -> View:
        """What a party may read; "" is a stranger."""
        mine = self.circles_of(party) if party else ()
        return super().view(party, circles or mine, home or (f"home-{party}" if party else ""))

    def replica(self, party: str) -> World:
        """The history applied on the party's own node, which holds the disclosures of its circles only: all that it
        was ever in."""
        mine = {circle for who, circle in self.aliases if who == party}
        world = World(*self.modules)
        for now, facts in self.history:
            given = [
                signed if not signed.disclosures or getattr(signed.fact, "circle", "") in mine else _closed(signed)
                for signed in facts
            ]
            world.now = now
            world.block(*given)
        return world

    def fingerprint(self) -> str:
        """SHA-256, hex, over every row of every table and every outcome, private ones included."""
        outcomes = [[(o.position, o.code, sorted(o.private.items())) for o in b.outcomes] for b in self.blocks]
        return hashlib.sha256(repr((self.dump(), outcomes)).encode()).hexdigest()

    def both_sides_agree(self) -> bool:
        """Whether every party's own node, and the node that holds all, agree: blocks, public rows, circles' hashes.

        Raises AssertionError that names what differs.
        """
        public = {table.name for table in self.book.tables if not table.circle}
        whole = self.dump()
        members = self.state.conn.execute(f"SELECT DISTINCT party FROM {MEMBERS.name} ORDER BY party").fetchall()
        for (party,) in members:
            node = self.replica(party)
            assert [b.leaves for b in node.blocks] == [b.leaves for b in self.blocks], f"{party}: other leaves"
            theirs = node.dump()
            for name in sorted(public):
                assert theirs[name] == whole[name], f"{party}: {name} differs"
            for circle in self.circles_of(party):
                here, there = (w.state.get(CHAIN, (circle,)) for w in (self, node))
                assert here == there, f"{party}: circle {circle} differs"
        return True


def same_under_hash_seeds(story: Callable[[], Town], seeds: Sequence[str] = ("0", "1", "4242")) -> bool:
    """Whether a story told in separate processes under several hash seeds ends in the same state and outcomes.

    Args:
        story: a function of a module, without arguments; it plays the facts and returns its town.
    """
    program = f"from {story.__module__} import {story.__name__} as story; print(story().fingerprint())"
    command = [sys.executable, "-c", program]
    told = set()
    running = [
        subprocess.Popen(
            command,
            env=elsewhere(seed),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in seeds
    ]
    for process in running:
        said, failed = process.communicate(timeout=120)
        assert process.returncode == 0, failed
        told.add(said)
    return len(told) == 1


def _closed(signed: Signed) -> Signed:
    return Signed(signed.jwt, [], signed.envelope, signed.fact, None, signed.batch, signed.hash)
