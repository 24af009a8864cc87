"""For tests of this room: a buying group in few words."""

from __future__ import annotations

from typing import Any, ClassVar

from hanse.rooms.accounts.facts import BookItems, BookLine
from hanse.rooms.accounts.testing import Ledgers
from hanse.rooms.group import facts, homes, rebates, rows, rules
from hanse.rooms.group.facts import Charter, Commit, Join, OpenRound, PriceTier, RateTier, SetRebate
from hanse.rooms.orders.testing import DAY
from hanse.rooms.testing import home

PARTS = (facts, rows, rules, rebates, homes)


class Pool(Ledgers):
    """cay manages the group `buyers` of ann, bob and eve (circle `buyers`), each in a relationship with it."""

    extra: ClassVar[tuple[Any, ...]] = PARTS
    G = "buyers"
    MEMBERS = ("ann", "bob", "eve")
    WITH: ClassVar[dict[str, str]] = {"ann": "ann--cay", "bob": "cay--bob", "eve": "cay--eve"}

    def __init__(self, now: int = 1_700_000_000) -> None:
        super().__init__(now=now)
        self.group(self.G, ["cay", "ann", "bob", "eve"])
        self.circle("cay", "bob")
        self.circle("cay", "eve")
        self.must("cay", Charter(circle=self.G, group="g", name="Buyers", currency="EUR"))
        for member in self.MEMBERS:
            self.must(member, Join(circle=self.G, group="g"))

    def round_fact(self, name: str = "r1", **rest: Any) -> OpenRound:
        tiers = [(100, 900), (300, 800), (500, 700)]
        fields: dict[str, Any] = {
            "circle": self.G,
            "group": "g",
            "round": name,
            "commit_by": self.now + 10 * DAY,
            "item": "item-6205",
            "supplier": "Maker",
            "currency": "EUR",
            "tiers": [PriceTier(from_each=each, unit_price_minor=price) for each, price in tiers],
        }
        return OpenRound(**{**fields, **rest})

    def commit_fact(self, member: str, each: int, price_max: int = 0, name: str = "r1", **rest: Any) -> Commit:
        fields: dict[str, Any] = {"circle": self.WITH[member], "round": name, "each": each}
        return Commit(**{**fields, "price_max_minor": price_max, **rest})

    def rebate_fact(self, name: str = "b1", **rest: Any) -> SetRebate:
        tiers = [(0, 10_000), (1_000_000, 20_000), (2_000_000, 30_000)]
        fields: dict[str, Any] = {
            "circle": self.G,
            "group": "g",
            "rebate": name,
            "supplier": "Maker",
            "currency": "EUR",
            "from_at": self.now - 100 * DAY,
            "until_at": self.now + 100 * DAY,
            "scheme": "retroactive",
            "tiers": [RateTier(from_minor=start, ppm=ppm) for start, ppm in tiers],
        }
        return SetRebate(**{**fields, **rest})

    def bought(self, member: str, net: int, number: str = "m1", partner: str = "Maker", **rest: Any) -> None:
        """A purchase that a member imports."""
        fields: dict[str, Any] = {"side": "buy", "issued_at": self.now - DAY, "currency": "EUR", **rest}
        line = BookLine(item=number, partner=partner, net_minor=net, open_minor=net, **fields)
        self.must(member, BookItems(circle=home(member), lines=[line]))
