"""What follows an order: shipped, handed over, received, rated, written about, and noted for the next invoice."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from msgspec import Struct

from hanse.demo.books import Books
from hanse.demo.cast import Firm, by_party
from hanse.demo.stocks import Shelves
from hanse.demo.trader import DAY, Trader
from hanse.rooms.orders.delivery_facts import HandOver, Rate, Receive, ReceiveLine, SendMessage, Ship, ShipLine
from hanse.rooms.orders.facts import StockKey

Action = Callable[[], None]
FORGOTTEN_DAYS = 21
"""After which a buyer orders again what nobody signed for."""
CARRIERS = ("Hafen Spedition", "Nordkurier", "Baltic Parcel")
RECEIVERS = ("K. Petersen", "A. Lind", "M. Ozols", "J. Krause")


class Wish(Struct, frozen=True):
    """One line that somebody wants: which good, how many, at what price of one each."""

    item: str
    each: int
    price_minor: int


class Parcel(Struct, frozen=True):
    """One order's goods on their way.

    Attributes:
        confirmed: line -> each. direct: lines that a member ships straight to the customer. arrives: UTC seconds.
        offered: from an offer to the pool. stocked: the buyer takes the goods in.
    """

    circle: str
    order: str
    buyer: Firm
    seller: Firm
    wishes: list[Wish]
    confirmed: dict[int, int]
    arrives: int
    direct: frozenset[int] = frozenset()
    offered: bool = False
    stocked: bool = True

    @property
    def shipment(self) -> str:
        return f"sh-{self.order}"


class Delivering:
    """The calendar of what is still to happen, and deliveries on it.

    Attributes:
        late_share: seller -> how often it is late, so that firms differ.
    """

    def __init__(self, trader: Trader, shelves: Shelves, books: Books) -> None:
        self.trader, self.shelves, self.books = trader, shelves, books
        self.firms = by_party()
        self.late_share = {firm.party: 0.03 + 0.03 * (i % 6) for i, firm in enumerate(self.firms.values())}
        self._plan: list[tuple[int, int, Action]] = []
        self._numbers: dict[str, int] = {}

    def at(self, at: int, action: Action) -> None:
        """Let something happen at a time (UTC seconds); what is planned first goes first."""
        heapq.heappush(self._plan, (at, self.number("plan"), action))

    def run(self, until: int) -> None:
        """All that is planned before a time, in order."""
        while self._plan and self._plan[0][0] < until:
            at, _, action = heapq.heappop(self._plan)
            self.trader.until(at)
            action()

    def number(self, what: str) -> int:
        """The next number of a series, from 1."""
        self._numbers[what] = self._numbers.get(what, 0) + 1
        return self._numbers[what]

    def late_days(self, seller: Firm) -> int:
        """How late a delivery will be; early is negative."""
        dice = self.trader.dice
        if dice.random() < self.late_share[seller.party]:
            return dice.choice((1, 1, 2, 3, 6))
        return -dice.choice((0, 0, 0, 1))

    def send(self, parcel: Parcel, at: int) -> None:
        """Ship at a time."""
        self.at(at, lambda: self._ship(parcel))

    def _ship(self, parcel: Parcel) -> None:
        trader, dice = self.trader, self.trader.dice
        trader.do(
            parcel.seller.party,
            Ship(
                circle=parcel.circle,
                order=parcel.order,
                shipment=parcel.shipment,
                arrive_by=max(trader.clock.now + DAY, parcel.arrives),
                lines=self._leave(parcel),
                carrier=dice.choice(CARRIERS),
                packages=1,
                neutral_slip=parcel.offered or bool(parcel.direct),
            ),
        )
        if dice.random() < 0.15:
            taken = HandOver(
                circle=parcel.circle, shipment=parcel.shipment, carrier="Hafen Spedition", taken_by="T. Fahrer"
            )
            trader.do(parcel.seller.party, taken)
        if dice.random() < 0.96:
            self.at(max(trader.clock.now + 6 * 3600, parcel.arrives), lambda: self._receive(parcel))
        else:
            self.at(trader.clock.now + FORGOTTEN_DAYS * DAY, lambda: self.forget(parcel.buyer, parcel.wishes))

    def forget(self, buyer: Firm, wishes: list[Wish]) -> None:
        """The buyer waits for these goods no longer, and may order anew."""
        for wish in wishes:
            kept = self.shelves.get(buyer.party, {}).get(wish.item)
            if kept is not None:
                kept.on_order = 0

    def _leave(self, parcel: Parcel) -> list[ShipLine]:
        """The lines, as the goods leave the seller's shelves."""
        shelf, lines = self.shelves[parcel.seller.party], []
        for i, each in parcel.confirmed.items():
            kept = shelf.get(parcel.wishes[i - 1].item)
            if parcel.offered and kept is not None:
                kept.on_hand -= each
                kept.drawn -= each
            if parcel.offered or i in parcel.direct or kept is None:
                lines.append(ShipLine(line=i, each=each))
                continue
            kept.on_hand -= each
            kept.promised -= each
            stock = StockKey(own_number=kept.own_number, site=parcel.seller.site)
            lines.append(ShipLine(line=i, each=each, from_stock=stock))
        return lines

    def _receive(self, parcel: Parcel) -> None:
        trader, dice = self.trader, self.trader.dice
        lines = self._faults(parcel) if dice.random() < 0.04 else []
        trader.do(
            parcel.buyer.party,
            Receive(
                circle=parcel.circle,
                shipment=parcel.shipment,
                lines=lines,
                site=parcel.buyer.site if parcel.stocked else "",
                received_by=dice.choice(RECEIVERS),
            ),
        )
        good = {**parcel.confirmed, **{line.line: line.received for line in lines}}
        self._stock(parcel, good)
        billed = [(i, each, parcel.wishes[i - 1].price_minor) for i, each in good.items()]
        self.books.receive(parcel.circle, parcel.buyer, parcel.seller, parcel.shipment, billed)
        if dice.random() < 0.12:
            score = 2 if lines else dice.choice((4, 4, 5, 5, 5))
            rating = Rate(circle=parcel.circle, shipment=parcel.shipment, score=score, comment="")
            trader.do(parcel.buyer.party, rating)
        if lines and dice.random() < 0.5:
            message = SendMessage(
                circle=parcel.circle,
                message=f"ms-{parcel.shipment}",
                shipment=parcel.shipment,
                text="Not all arrived as stated; please see the receipt.",
            )
            trader.do(parcel.buyer.party, message)

    def _faults(self, parcel: Parcel) -> list[ReceiveLine]:
        """What was damaged or short of a delivery that had something."""
        dice, lines = self.trader.dice, []
        for i, each in parcel.confirmed.items():
            damaged = 1 if each > 1 and dice.random() < 0.5 else 0
            short = 1 if each > 2 and dice.random() < 0.3 else 0
            reason = "carton crushed" if damaged else "count differs" if short else ""
            lines.append(ReceiveLine(line=i, received=each - damaged - short, damaged=damaged, reason=reason))
        return lines

    def _stock(self, parcel: Parcel, good: dict[int, int]) -> None:
        """Goods reach the buyer's shelf."""
        shelf = self.shelves.get(parcel.buyer.party)
        if shelf is None or not parcel.stocked:
            return
        for i, each in good.items():
            kept = shelf.get(parcel.wishes[i - 1].item)
            if kept is not None:
                kept.on_hand += each
                kept.on_order = 0
