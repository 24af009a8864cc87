"""The buying group: membership, a round that closed and one that is open, rebates shared out, and lots of its own."""

from __future__ import annotations

from hanse.demo.cast import DISTRIBUTORS, GROUP, Firm, by_party
from hanse.demo.deals import MAIN
from hanse.demo.delivering import Action
from hanse.demo.goods import Good
from hanse.demo.ids import opaque
from hanse.demo.stocks import earmark
from hanse.demo.trader import DAY
from hanse.demo.year import Year
from hanse.kernel.view import View
from hanse.rooms.catalog.facts import LinkItem, SetOwnItem
from hanse.rooms.group import queries
from hanse.rooms.group.facts import (
    Charter,
    Commit,
    Join,
    OpenRound,
    PriceTier,
    RateTier,
    SetRebate,
    TellRebate,
    TellRound,
)
from hanse.rooms.group.telling import may_tell
from hanse.rooms.inventory.facts import Count, CountLine
from hanse.rooms.inventory.offer_facts import AcceptTransfer, ProposeTransfer

ID, SUPPLIER = "hanse-technik", "nordlager"
CLOSED_ROUND, OPEN_ROUND = "round-spring", "round-winter"
FIRST_REBATE, SECOND_REBATE = "rebate-first-half", "rebate-second-half"
TIERS = ((200, 94), (500, 88), (900, 82))
"""(from each, percent of the list price)."""
WINTER_EACH = (60, 40, 55, 30, 45, 25, 50, 35, 40, 30, 20, 35)
"""What members other than the main distributor have committed to the open round: 35 short of its second tier."""
ROUND_PRICES_MINOR = range(300, 4_000)
CHARGES_PPM = 50_000
LOT_EACH, MARKUP_PPM = 400, 45_000


class Buying:
    """The group's own acts, on the calendar of the year."""

    def __init__(self, year: Year, goods: list[Good], days: int, midnight: int) -> None:
        self.year, self.trader, self.pool = year, year.trader, year.pool
        self.goods, self.days, self.midnight = goods, days, midnight
        self.members = DISTRIBUTORS

    def begin(self) -> None:
        """The group's charter; the members join; the supplier's rebate for the first half year."""
        self._do(
            Charter(
                circle=self.pool,
                group=ID,
                name="Hanse Technik",
                currency="EUR",
                purpose="Pool of stock, joint purchasing, rebates on what all buy together.",
            )
        )
        for firm in self.members:
            self.trader.do(firm.party, Join(circle=self.pool, group=ID))
        tiers = ((0, 10_000), (2_000_000, 20_000), (5_000_000, 30_000))
        self._rebate(FIRST_REBATE, 0, self.days // 2, tiers)
        self.trader.flush()

    def calendar(self) -> dict[int, Action]:
        """Day of the year -> what the group does at its end."""
        third = self.days // 3
        found: dict[int, Action] = {
            third: lambda: self._open(CLOSED_ROUND, self._item("drives"), third + self.days // 12),
            third + 1: lambda: self._commit(CLOSED_ROUND, self._dice()),
            third + self.days // 12 + 1: self._close,
            self.days * 3 // 5: self._share_out,
            self.days * 2 // 3: self._lots,
            self.days - 3: lambda: self._open(OPEN_ROUND, self._item("bearings"), self.days + 20),
            self.days - 2: lambda: self._commit(OPEN_ROUND, WINTER_EACH),
            self.days - 1: self._second_half,
        }
        return found

    def _do(self, *facts: object) -> None:
        for fact in facts:
            self.trader.do(GROUP.party, fact)  # type: ignore[arg-type]

    def _circle(self, firm: Firm) -> str:
        return self.trader.circle(GROUP.party, firm.party)

    def _dice(self) -> tuple[int, ...]:
        return tuple(self.trader.dice.randrange(3, 13) * 10 for _ in self.members[1:])

    def _item(self, category: str) -> Good:
        """A good of some value that many need."""
        fits = [g for g in self.goods if g.category == category and g.price_minor in ROUND_PRICES_MINOR]
        return max(fits, key=lambda g: (g.rate * g.price_minor, g.item))

    def _open(self, name: str, good: Good, until_day: int) -> None:
        tiers = [
            PriceTier(from_each=each, unit_price_minor=good.price_minor * percent // 100) for each, percent in TIERS
        ]
        self._do(
            OpenRound(
                circle=self.pool,
                group=ID,
                round=name,
                commit_by=self.midnight + until_day * DAY + 16 * 3600,
                item=good.item,
                supplier=good.maker,
                currency="EUR",
                tiers=tiers,
                note=f"{good.brand} {good.part_number}, delivered to each member.",
            )
        )

    def _commit(self, name: str, each: tuple[int, ...]) -> None:
        """Members but the main distributor commit, each in its relationship with the manager, who tells the total."""
        for firm, wanted in zip(self.members[1:], each, strict=False):
            fact = Commit(circle=self._circle(firm), round=name, each=wanted, price_max_minor=0)
            self.trader.do(firm.party, fact)
        if name == CLOSED_ROUND:
            self.trader.do(MAIN, Commit(circle=self._circle(self.members[0]), round=name, each=60, price_max_minor=0))
        self._tell(queries.telling(self._view(), name))

    def _view(self) -> View:
        self.trader.flush()
        return self.trader.node.view(GROUP.party)

    def _tell(self, fact: TellRound | TellRebate | None) -> None:
        """Tell a total, but not one of so few members that it shows whose it is."""
        assert fact is not None, "the manager can tell its own"
        if may_tell(self._view(), fact):
            self._do(fact)

    def _close(self) -> None:
        fact = queries.closing(self._view(), CLOSED_ROUND)
        assert fact is not None, "the manager can close its own"
        self._do(fact)

    def _rebate(self, name: str, from_day: int, until_day: int, tiers: tuple[tuple[int, int], ...]) -> None:
        self._do(
            SetRebate(
                circle=self.pool,
                group=ID,
                rebate=name,
                supplier=SUPPLIER,
                currency="EUR",
                from_at=self.midnight + from_day * DAY,
                until_at=self.midnight + until_day * DAY,
                scheme="retroactive",
                tiers=[RateTier(from_minor=start, ppm=ppm) for start, ppm in tiers],
            )
        )

    def _report(self, name: str) -> None:
        """Every member reports what its invoices come to; the manager tells the total."""
        self.trader.flush()
        for firm in self.members:
            fact = queries.report(self.trader.node.view(firm.party), name)
            assert fact is not None, firm.party
            self.trader.do(firm.party, fact)
        self._tell(queries.telling_rebate(self._view(), name))

    def _share_out(self) -> None:
        """The first half's rebate: reports, total, a statement to each member."""
        self._report(FIRST_REBATE)
        due = self.trader.clock.now + 30 * DAY
        self._do(*queries.statements_to_sign(self._view(), FIRST_REBATE, charges_ppm=CHARGES_PPM, due_at=due))

    def _second_half(self) -> None:
        """The second half's rebate, whose next tier lies a twentieth above what has been bought so far."""
        since = self.midnight + self.days // 2 * DAY
        bought = self.year.books.billed(SUPPLIER, {firm.party for firm in self.members}, since)
        near = max(1, -(-bought * 105 // 100 // 10_000)) * 10_000
        self._rebate(
            SECOND_REBATE, self.days // 2, self.days + 45, ((0, 10_000), (near, 25_000), (near * 3 // 2, 40_000))
        )
        self._report(SECOND_REBATE)

    def _lots(self) -> None:
        """The group buys a lot for itself; two members keep it, and one takes part of it over at cost plus."""
        keepers = [self.members[0], self.members[2]]
        shelves = [self.year.shelves[firm.party] for firm in keepers]
        good = next(
            k.good
            for k in shelves[0].values()
            if k.level and k.good.item in shelves[1] and shelves[1][k.good.item].level
        )
        home, number, cost = (
            self.trader.home(GROUP.party),
            f"{GROUP.prefix}-{good.part_number}",
            good.price_minor * 55 // 100,
        )
        self._do(
            SetOwnItem(
                circle=home,
                own_number=number,
                description=good.names["en"],
                brand=good.brand,
                part_number=good.part_number,
                gtin=good.gtin,
                unit="H87",
                pack_each=1,
                category=good.category,
                cost_minor=cost,
                currency="EUR",
            ),
            LinkItem(circle=home, own_number=number, item=good.item, method="gtin"),
            Count(
                circle=home,
                lines=[CountLine(site=GROUP.site, own_number=number, each=LOT_EACH, unit_cost_minor=cost)],
                counted_at=self.trader.clock.now,
            ),
        )
        for firm, each in zip(keepers, (LOT_EACH // 2, LOT_EACH // 4), strict=True):
            transfer = opaque("t", "lot", firm.party)
            self._do(earmark(home, transfer, GROUP, number, each, 0))
            self._move(firm, transfer, good, each, cost, "consign")
        self._move(keepers[0], opaque("t", "lot", "taken"), good, LOT_EACH // 10, cost, "sale_of_held")

    def _move(self, firm: Firm, transfer: str, good: Good, each: int, cost: int, kind: str) -> None:
        circle = self._circle(firm)
        self._do(
            ProposeTransfer(
                circle=circle,
                transfer=transfer,
                each=each,
                expires_at=self.trader.clock.now + 7 * DAY,
                transfer_kind=kind,
                item=good.item,
                lot="",
                unit_cost_minor=0 if kind == "consign" else cost,
                markup_ppm=0 if kind == "consign" else MARKUP_PPM,
                currency="EUR",
            )
        )
        self.trader.do(firm.party, AcceptTransfer(circle=circle, transfer=transfer, site=by_party()[firm.party].site))
