"""The year: customers order, distributors deliver, borrow from the pool, order anew from the makers, bill and pay."""

from __future__ import annotations

from hanse.demo.books import Books
from hanse.demo.cast import DISTRIBUTORS, Firm, customers_of, suppliers_of
from hanse.demo.deals import PERCENT_OF_LIST
from hanse.demo.delivering import Action, Wish
from hanse.demo.goods import ALWAYS
from hanse.demo.ordering import Ordering, Standing
from hanse.demo.stocks import Shelves, each_of, offer_to_pool, recount
from hanse.demo.trader import DAY, Trader

OPENING, CLOSING = 9 * 3600, 17 * 3600
SLOTS = (OPENING, 15 * 3600)
WORKDAYS = 5
BILLED_DAYS = 28
QUARTER_DAYS = 91


LINES = (1, 1, 2, 3)
SOLO_SHARE = 0.35
"""What a solo entrepreneur orders, beside another customer."""


def lines_weekly(weekly: float) -> dict[str, float]:
    """distributor -> order lines a week, on average.

    Args:
        weekly: orders a week of each customer with each of its distributors.
    """
    found: dict[str, float] = {}
    for buyer, seller in customers_of():
        size = SOLO_SHARE if buyer.kind == "solo" else 1.0
        found[seller.party] = found.get(seller.party, 0.0) + weekly * size * sum(LINES) / len(LINES)
    return found


class Year(Ordering):
    """Plays the days in order.

    Args:
        weekly: orders a week of each customer with each of its distributors, on average.
    """

    def __init__(self, trader: Trader, shelves: Shelves, books: Books, pool: str, weekly: float) -> None:
        super().__init__(trader, shelves, books, pool)
        self.weekly = weekly

    def play(self, days: int, midnight: int, also: dict[int, Action]) -> None:
        """Play so many days from a midnight (UTC seconds) on; `also`: day -> what else happens at its end."""
        pairs, supplies = customers_of(), suppliers_of()
        for day in range(days):
            at = midnight + day * DAY
            if day % QUARTER_DAYS == 0:
                self.at(at + OPENING, lambda quarter=day // QUARTER_DAYS: self._offer(quarter))  # type: ignore[misc]
            elif day == days - 1 and days % QUARTER_DAYS == 0:
                self.at(at + OPENING, lambda: self._offer(days // QUARTER_DAYS, but=ALWAYS))
            if day % 7 < WORKDAYS:
                self._plan_day(at, day, pairs, supplies)
            if day % BILLED_DAYS == BILLED_DAYS - 1:
                self.at(at + CLOSING, self._bill)
            if day in also:
                self.at(at + CLOSING, also[day])
            self.run(at + DAY)
        self.trader.flush()

    def _plan_day(self, at: int, day: int, pairs: list[tuple[Firm, Firm]], supplies: list[tuple[Firm, Firm]]) -> None:
        dice = self.trader.dice
        for buyer, seller in pairs:
            size = SOLO_SHARE if buyer.kind == "solo" else 1.0
            for _ in range(self.trader.poisson(self.weekly / 5 * size)):
                self.at(at + dice.choice(SLOTS), lambda b=buyer, s=seller: self._customer_order(b, s))  # type: ignore[misc]
        for i, (buyer, seller) in enumerate(supplies):
            if day % 7 == i % WORKDAYS:
                self.at(at + OPENING, lambda b=buyer, s=seller: self._replenish(b, s))  # type: ignore[misc]
        for i, firm in enumerate(DISTRIBUTORS):
            if day % 7 == (i + 1) % WORKDAYS:
                self.at(at + OPENING, lambda f=firm: recount(self.trader, f, self.shelves[f.party], 30))  # type: ignore[misc]

    def _bill(self) -> None:
        """Invoices of what arrived, each to be paid about when it falls due."""
        for due in self.books.bill(self.firms):
            self.at(due.at, lambda d=due: self.books.pay(d))  # type: ignore[misc]

    def _offer(self, quarter: int, but: str = "") -> None:
        """Members' offers of a quarter; the bearing of the story comes later."""
        self.standing.clear()
        for firm in DISTRIBUTORS:
            shelf = self.shelves[firm.party]
            for kept in shelf.values():
                kept.offered = 0
            for offer, kept in offer_to_pool(self.trader, self.pool, firm, shelf, quarter, but):
                until = self.trader.clock.now + 80 * DAY
                self.standing.setdefault(kept.good.item, []).append(Standing(offer, firm, kept, kept.offered, until))

    def _customer_order(self, buyer: Firm, seller: Firm) -> None:
        """A customer's order; what the distributor lacks it borrows from the pool, or leaves open."""
        dice, shelf = self.trader.dice, self.shelves[seller.party]
        sold = [kept for kept in shelf.values() if kept.level and not kept.dead]
        chosen = dice.choices(sold, [kept.good.rate for kept in sold], k=dice.choice(LINES))
        lines = {kept.good.item: kept for kept in chosen}
        wishes = []
        for kept in lines.values():
            each = max(1, int(dice.expovariate(kept.good.pack_each / each_of(kept.good)))) * kept.good.pack_each
            wishes.append(Wish(kept.good.item, each, kept.good.price_minor * PERCENT_OF_LIST // 100))
        borrowed = {}
        for i, wish in enumerate(wishes, 1):
            source = self.pool_source(seller, wish) if lines[wish.item].free < wish.each else None
            if source:
                borrowed[i] = source
        self.trade(buyer, seller, wishes, borrowed)

    def _replenish(self, buyer: Firm, maker: Firm) -> None:
        """Order up to twice the level whatever has fallen below it."""
        low = [
            kept
            for kept in self.shelves[buyer.party].values()
            if kept.good.maker == maker.party
            and kept.level
            and not kept.dead
            and kept.on_hand + kept.on_order < kept.level
        ]
        wishes = []
        for kept in low[:20]:
            pack = kept.good.pack_each
            each = -(-(2 * kept.level - kept.on_hand) // pack) * pack
            kept.on_order = each
            wishes.append(Wish(kept.good.item, each, kept.cost_minor))
        if wishes:
            self.trade(buyer, maker, wishes, {})
