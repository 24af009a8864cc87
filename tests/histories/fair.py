"""A fair for histories over all rooms: four firms with little stock, and what each of them is heard to say.

Every fact is really signed, every block is checked for what a refusal may not touch, and a plain model (`fair_shelves`)
reads the accepted facts beside the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fair_shelves import Shelves

from hanse.kernel.facts import HEADER, Fact, Signed, payload
from hanse.kernel.outcome import Outcome
from hanse.kernel.reading import read
from hanse.kernel.refusal import Refused
from hanse.kernel.rows import Row
from hanse.kernel.tables import Table
from hanse.record import ed25519
from hanse.rooms.accounts.facts import SetTerms
from hanse.rooms.catalog.facts import LinkItem, PublishItem, SetOwnItem
from hanse.rooms.contracts.facts import RegisterTemplate
from hanse.rooms.contracts.testing import library, sha_of
from hanse.rooms.group.facts import Charter, Join
from hanse.rooms.inventory.facts import Count, CountLine
from hanse.rooms.parties.facts import AppointStaff, SetSite
from hanse.rooms.testing import Town, home, kid, seed
from hanse.standards import sdjwt

DAY = 86_400
FIRMS = ("ann", "bob", "cay", "eve")
ITEMS = ("x", "y")
PAIRS = (("ann", "bob"), ("cay", "ann"), ("cay", "bob"), ("cay", "eve"), ("eve", "bob"))
POOL, GROUP = "pool", "g"
EDGES = (0, 1, 10**15 - 1, 10**15, 10**15 + 1, 2**62, -1)
"""Quantities where ranges end: of a fact's field (10^15), of 64 bits, of none."""
MONEY_EDGES = (0, 1, 10**17 - 1, 10**17, 10**17 + 1, 2**63, -1)
PLACE: dict[str, Any] = {
    "country": "DE", "city": "Bremen", "latitude_microdeg": 53_080_000, "longitude_microdeg": 8_800_000
}  # fmt: skip
T = TypeVar("T")
R = TypeVar("R", bound=Row)


class Hand:
    """What a step draws: whole numbers, taken one after the other, again from the first when they are used up.

    `wild`: the step picks what does not fit: another's, an ended one, a quantity out of range.
    """

    def __init__(self, numbers: Sequence[int], wild: bool = False) -> None:
        self.numbers, self.at, self.wild = numbers, 0, wild

    def n(self, below: int) -> int:
        self.at += 1
        return self.numbers[(self.at - 1) % len(self.numbers)] % below

    def of(self, things: Sequence[T]) -> T:
        return things[self.n(len(things))]

    def like(self, things: Sequence[T], fits: Callable[[T], Any]) -> T | None:
        """One of those that fit; in a wild step any; where none fits, now and then any; else None."""
        good = [thing for thing in things if fits(thing)]
        chosen = things if self.wild or (not good and self.n(5) == 0) else good
        return self.of(chosen) if chosen else None

    def each(self, most: int) -> int:
        """A quantity from 1 to `most`; in a wild step one at an edge, `most` and one more among them."""
        if self.wild:
            return self.of((*EDGES, most, most + 1))
        return 1 + self.n(max(1, min(most, 12)))

    def who(self, right: str) -> str:
        """Who signs: the right one; in a wild step anybody."""
        return self.of(FIRMS) if self.wild and self.n(2) else right


class Fair(Town):
    """ann, bob, cay and eve; the relationships of `PAIRS`; cay manages the group of all, `pool`.

    Each keeps items x and y, 20 each, under own numbers `NAME-x`, `NAME-y` at the site `store-NAME` (and none at
    `yard-NAME`).
    """

    def __init__(self, now: int = 1_800_000_000) -> None:
        self.keys: dict[str, str] = {}
        """alias -> the name of the key that it signs with, where that is not its first."""
        self.shelves = Shelves()
        self.words: list[tuple[str, str]] = []
        """(circle, a private word said in it)"""
        self.pile: list[Signed] = []
        """Signed and not sent yet."""
        self.last: list[tuple[str, Fact, Signed]] = []
        self.codes: dict[str, int] = {}
        self.unheard: set[str] = set()
        """Orders of which a fact stands on the record that one of its circle's or homes' rules has refused."""
        self._names = 0
        self._before: dict[str, list[tuple[Any, ...]]] | None = None
        super().__init__(*FIRMS, now=now)
        for opener, other in PAIRS:
            self.circle(opener, other)
        self.group(POOL, ["cay", "ann", "bob", "eve"])
        self.sha = sha_of(library("late-delivery"))
        self._settle_in()

    def _settle_in(self) -> None:
        self.tell("cay", RegisterTemplate(sha256=self.sha, text=library("late-delivery")))
        self.tell("cay", Charter(circle=POOL, group=GROUP, name="Buyers", currency="EUR"))
        for item in ITEMS:
            self.tell("cay", PublishItem(item=item, description=f"Bearing {item}", brand="SKF", part_number=item))
        for party in FIRMS:
            at_home = home(party)
            if party != "cay":
                self.tell(party, Join(circle=POOL, group=GROUP))
            for site in (f"store-{party}", f"yard-{party}"):
                self.tell(party, SetSite(circle=at_home, site=site, name=site, site_kind="warehouse", address="",
                                         **PLACE))  # fmt: skip
            for item in ITEMS:
                self.tell(party, self.own_item(party, f"{party}-{item}"))
                self.tell(party, LinkItem(circle=at_home, own_number=f"{party}-{item}", item=item, method="own"))
            lines = [
                CountLine(site=f"store-{party}", own_number=f"{party}-{item}", each=20, unit_cost_minor=700)
                for item in ITEMS
            ]
            self.tell(party, Count(circle=at_home, counted_at=0, lines=lines))
            self.tell(party, AppointStaff(circle=at_home, person="p1", role="owner", approval_limit_minor=10**6,
                                          currency="EUR", active=True, full_name="P"))  # fmt: skip
            self.tell(party, SetTerms(circle=at_home, partner="*", currency="EUR", payment_days=30, tax_ppm=190_000,
                                      discount_ppm=20_000, discount_days=10, credit_limit_minor=-1,
                                      overdue_days_max=730, hold=False))  # fmt: skip

    @staticmethod
    def own_item(party: str, own_number: str, currency: str = "EUR") -> SetOwnItem:
        return SetOwnItem(
            circle=home(party), own_number=own_number, description="bearing", brand="", part_number="", gtin="",
            unit="H87", pack_each=1, category="", cost_minor=700, currency=currency,
        )  # fmt: skip

    # -- words and numbers --

    def name(self, letter: str) -> str:
        self._names += 1
        return f"{letter}{self._names}"

    def word(self, circle: str, stem: str) -> str:
        """A word that nobody outside the circle may ever read."""
        self.words.append((circle, self.name(f"{stem}w") + "w"))
        return self.words[-1][1]

    def price(self, circle: str, hand: Hand) -> int:
        """A price that stands nowhere else, and that nobody outside the circle may ever read."""
        if hand.wild and hand.n(3) == 0:
            return hand.of(MONEY_EDGES)
        self._names += 1
        self.words.append((circle, str(7 * 10**12 + 1_000_003 * self._names)))
        return int(self.words[-1][1])

    def ahead(self, hand: Hand, days: int = 4) -> int:
        """A deadline at one of a few midnights, so that several fall due at one instant; in a wild step a bad one."""
        if hand.wild and hand.n(4) == 0:
            return hand.of((0, self.now, self.now - 1, 2**40, self.now + 1))
        return (self.now // DAY + 2 + hand.n(days)) * DAY

    def rel(self, hand: Hand) -> tuple[str, str, str]:
        """(circle, one, other): a relationship, seen from either side."""
        one, other = hand.of(PAIRS)
        circle = f"{one}--{other}"
        return (circle, one, other) if hand.n(2) else (circle, other, one)

    def behind(self, alias: str) -> str:
        """The party behind an alias."""
        return alias.removeprefix("h-").partition("+")[0]

    def rows(self, table: Table[R], where: str = "1", *values: Any) -> list[R]:
        """Rows of a table in order of key."""
        order = ", ".join(table.key)
        sql = f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE {where} ORDER BY {order}"
        return [table.from_sql(row) for row in self.state.conn.execute(sql, values)]

    # -- facts --

    def sign(self, iss: str, fact: Fact, *, key: str = "", nonce: int | None = None, exp: int | None = None) -> Signed:
        """As a world's, with a salt for every field and a real signature. key: by its name, else the signer's own."""
        key = key or self.keys.get(iss, iss)
        self._nonce += 1
        salts = iter(range(10**6))
        text, disclosures = payload(
            fact, net="test", iss=iss, kid=kid(key), nonce=self._nonce if nonce is None else nonce,
            exp=self.now + 3600 if exp is None else exp, salt=lambda: f"salt{self._nonce:012d}{next(salts):06d}",
        )  # fmt: skip
        signed = sdjwt.sign(HEADER, text, lambda message: ed25519.sign(seed(key), message))
        return read(self.book.kinds, signed, disclosures)

    def sign_as(self, party: str, fact: Fact, **rest: Any) -> Signed:
        return self.sign(self.speaker(party, fact), fact, **rest)

    def say(self, party: str, fact: Fact, **rest: Any) -> Outcome | None:
        """A party signs a fact and sends it; None where it does not even read, so that it never reaches the record."""
        try:
            signed = self.sign_as(party, fact, **rest)
        except Refused as refused:
            self.codes[refused.code] = self.codes.get(refused.code, 0) + 1
            return None
        if not fact.introduces:  # who it introduces signs it with its own key: a node hears it from nobody else
            self.last.append((party, fact, signed))
        return self.send(signed)[0]

    def tell(self, party: str, fact: Fact) -> None:
        """A fact that must be accepted by all."""
        outcome = self.say(party, fact)
        assert outcome is not None and outcome.code == "ok" and not outcome.private, (fact.kind, outcome)

    def send(self, *signed: Signed) -> list[Outcome]:
        """One block. What is refused, or stood already, changes nothing that it should not."""
        before = self._before or self.business()
        outcomes = self.block(*signed)
        for one, outcome in zip(signed, outcomes, strict=True):
            self._learn(one, outcome)
        after = self.business()
        if len(signed) == 1 and not self.blocks[-1].header.timers:
            changed_nothing_it_may_not(self, signed[0], outcomes[0], before, after)
        self._before = after
        return outcomes

    def block(self, *facts: Signed) -> list[Outcome]:
        self._before = None
        return super().block(*facts)

    def _learn(self, signed: Signed, outcome: Outcome) -> None:
        code = outcome.code if outcome.refusal is not None or not outcome.private else "private"
        for refusal in outcome.private.values():
            self.codes[refusal.code] = self.codes.get(refusal.code, 0) + 1
        self.codes[code] = self.codes.get(code, 0) + 1
        if outcome.repeated or outcome.refusal is not None or outcome.code != "ok":
            return
        fact = signed.full
        if fact is not None:
            if outcome.private and hasattr(fact, "order"):
                self.unheard.add(fact.order)
            self.shelves.learn(fact, self.behind(signed.envelope.iss), set(outcome.private))


def changed_nothing_it_may_not(
    fair: Fair,
    signed: Signed,
    outcome: Outcome,
    before: dict[str, list[tuple[Any, ...]]],
    after: dict[str, list[tuple[Any, ...]]],
) -> None:
    """A public refusal, and a repetition, leave everything as it was; a circle's refusal every private row; a home's
    refusal that home's."""
    what = f"{signed.fact.kind}: {outcome}"
    if outcome.repeated or outcome.code != "ok":
        assert before == after, what
        return
    circle = getattr(signed.fact, "circle", "")
    private = [table.name for table in fair.book.tables if table.circle and not table.name.startswith("kernel_")]
    if circle in outcome.private:
        assert {name: before[name] for name in private} == {name: after[name] for name in private}, what
    for refused in outcome.private:
        for name in private:
            assert _of(before[name], refused) == _of(after[name], refused), (what, name)


def _of(rows: list[tuple[Any, ...]], circle: str) -> list[tuple[Any, ...]]:
    return [row for row in rows if circle in row]
