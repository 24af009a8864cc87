"""The year: customers order, distributors deliver, borrow from the pool, and order anew from the makers."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from msgspec import Struct

from hanse.demo.cast import DISTRIBUTORS, Firm, by_party, customers_of, suppliers_of
from hanse.demo.stocks import Kept, Shelves, offer_to_pool, recount
from hanse.demo.trader import DAY, Trader, claim
from hanse.rooms.orders.delivery_facts import HandOver, Rate, Receive, ReceiveLine, SendMessage, Ship, ShipLine
from hanse.rooms.orders.facts import (
    ConfirmLine,
    ConfirmOrder,
    Covered,
    DeliverTo,
    DocumentLine,
    Hold,
    KeepDocument,
    PlaceLine,
    PlaceOrder,
    StockKey,
)

OPENING = 9 * 3600
SLOTS = (OPENING, 15 * 3600)
Action = Callable[[], None]


class Standing(Struct):
    """An offer to the pool that may still be drawn on."""

    offer: str
    owner: Firm
    kept: Kept
    left: int
    until_at: int


class Wish(Struct, frozen=True):
    """One line that somebody wants: which good, how many, at what price of one each."""

    item: str
    each: int
    price_minor: int


class Year:
    """Plays the days in order. `late_share`: seller -> how often it is late, so that firms differ.

    Args:
        weekly: orders a week of each customer with each of its distributors, on average.
    """

    def __init__(self, trader: Trader, shelves: Shelves, pool: str, weekly: float) -> None:
        self.trader, self.shelves, self.pool, self.weekly = trader, shelves, pool, weekly
        self.firms = by_party()
        self.late_share = {firm.party: 0.03 + 0.03 * (i % 6) for i, firm in enumerate(self.firms.values())}
        self.standing: dict[str, list[Standing]] = {}
        self._plan: list[tuple[int, int, Action]] = []
        self._numbers: dict[str, int] = {}

    def play(self, days: int, midnight: int) -> None:
        """Play so many days from a midnight (UTC seconds) on, then what is still under way."""
        pairs, supplies = customers_of(), suppliers_of()
        for day in range(days):
            at = midnight + day * DAY
            if day % 91 == 0:
                self._at(at + OPENING, lambda quarter=day // 91: self._offer(quarter))  # type: ignore[misc]
            if day % 7 < 5:
                self._plan_day(at, day, pairs, supplies)
            self._run(at + DAY)
        self._run(midnight + days * DAY)

    def _plan_day(self, at: int, day: int, pairs: list[tuple[Firm, Firm]], supplies: list[tuple[Firm, Firm]]) -> None:
        dice = self.trader.dice
        for buyer, seller in pairs:
            size = 0.35 if buyer.kind == "solo" else 1.0
            for _ in range(self.trader.poisson(self.weekly / 5 * size)):
                self._at(at + dice.choice(SLOTS), lambda b=buyer, s=seller: self._customer_order(b, s))  # type: ignore[misc]
        for i, (buyer, seller) in enumerate(supplies):
            if (day + i) % 7 == 0:
                self._at(at + OPENING, lambda b=buyer, s=seller: self._replenish(b, s))  # type: ignore[misc]
        for i, firm in enumerate(DISTRIBUTORS):
            if (day + i) % 7 == 1:
                self._at(at + OPENING, lambda f=firm: recount(self.trader, f, self.shelves[f.party], 30))  # type: ignore[misc]

    def _at(self, at: int, action: Action) -> None:
        heapq.heappush(self._plan, (at, self._number("plan"), action))

    def _run(self, until: int) -> None:
        while self._plan and self._plan[0][0] < until:
            at, _, action = heapq.heappop(self._plan)
            if at > self.trader.clock.now:
                self.trader.until(at)
            action()
        self.trader.flush()

    def _number(self, what: str) -> int:
        self._numbers[what] = self._numbers.get(what, 0) + 1
        return self._numbers[what]

    def _offer(self, quarter: int) -> None:
        self.standing.clear()
        for firm in DISTRIBUTORS:
            shelf = self.shelves[firm.party]
            for kept in shelf.values():
                kept.offered = 0
            for offer, kept in offer_to_pool(self.trader, self.pool, firm, shelf, quarter):
                until = self.trader.clock.now + 80 * DAY
                self.standing.setdefault(kept.good.item, []).append(Standing(offer, firm, kept, kept.offered, until))

    def _customer_order(self, buyer: Firm, seller: Firm) -> None:
        """A customer's order; what the distributor lacks it borrows from the pool, or leaves open."""
        dice, shelf = self.trader.dice, self.shelves[seller.party]
        sold = [kept for kept in shelf.values() if kept.level and not kept.dead]
        chosen = dice.choices(sold, [kept.good.rate for kept in sold], k=dice.choice((1, 1, 2, 3)))
        lines = {kept.good.item: kept for kept in chosen}
        wishes = []
        for kept in lines.values():
            each = max(1, int(dice.expovariate(1 / max(1.2, kept.good.rate / 5)))) * kept.good.pack_each
            wishes.append(Wish(kept.good.item, each, kept.good.price_minor * 88 // 100))
        borrowed = {}
        for i, wish in enumerate(wishes, 1):
            source = self._pool_source(seller, wish) if lines[wish.item].free < wish.each else None
            if source:
                borrowed[i] = source
        self._trade(buyer, seller, wishes, borrowed)

    def _pool_source(self, buyer: Firm, wish: Wish) -> Standing | None:
        """The cheapest member's offer that covers the whole wish, if it pays."""
        now = self.trader.clock.now
        fits = [
            s
            for s in self.standing.get(wish.item, ())
            if s.owner.party != buyer.party and s.left >= wish.each and s.until_at > now + 7 * DAY
        ]
        best = min(fits, key=lambda s: (s.kept.cost_minor, s.offer), default=None)
        return best if best and best.kept.cost_minor * 108 // 100 < wish.price_minor else None

    def _trade(self, buyer: Firm, seller: Firm, wishes: list[Wish], borrowed: dict[int, Standing]) -> None:
        """Place, confirm, ship, receive; `borrowed`: line -> the offer that serves it straight to the customer."""
        trader, dice, now = self.trader, self.trader.dice, self.trader.clock.now
        circle, shelf = trader.circle(buyer.party, seller.party), self.shelves[seller.party]
        order = f"{buyer.prefix}-{seller.prefix}-{self._number(buyer.party + seller.party):05d}"
        due = now + dice.randrange(3, 8) * DAY
        trader.do(buyer.party, self._order(circle, order, buyer, seller, wishes, due))
        confirmed: dict[int, int] = {}
        for i, wish in enumerate(wishes, 1):
            kept = shelf[wish.item]
            confirmed[i] = wish.each if i in borrowed else max(0, min(wish.each, kept.free))
            if i not in borrowed:
                kept.promised += confirmed[i]
        confirming = {i: each for i, each in confirmed.items() if each}
        if not confirming:
            return
        trader.do(
            seller.party,
            ConfirmOrder(
                circle=circle,
                order=order,
                lines=[ConfirmLine(line=i, each=each, promised_at=due) for i, each in confirming.items()],
            ),
        )
        if borrowed:
            self._borrow(seller, buyer, order, wishes, borrowed, due)
        late_days = self._late(seller)
        at = max(now + DAY, due - 2 * DAY)
        arrives = due + late_days * DAY
        self._at(at, lambda: self._ship(circle, order, buyer, seller, wishes, confirming, borrowed, arrives))

    def _late(self, seller: Firm) -> int:
        dice = self.trader.dice
        return (
            dice.choice((1, 1, 2, 3, 6))
            if dice.random() < self.late_share[seller.party]
            else -dice.choice((0, 0, 0, 1))
        )

    def _order(
        self, circle: str, order: str, buyer: Firm, seller: Firm, wishes: list[Wish], due: int, **rest: object
    ) -> PlaceOrder:
        place = buyer.place
        lines = [
            PlaceLine(line=i, each=w.each, item=w.item, unit_price_minor=w.price_minor, requested_at=due)
            for i, w in enumerate(wishes, 1)
        ]
        to = DeliverTo(
            site=buyer.site,
            mark=buyer.name,
            country=buyer.country,
            city=buyer.city,
            latitude_microdeg=place.latitude_microdeg,
            longitude_microdeg=place.longitude_microdeg,
        )
        fields = {
            "lines": lines,
            "deliver_to": to,
            "confirm_by": self.trader.clock.now + DAY,
            "backorder": False,
            "po_number": f"45{self._number('po'):06d}",
        }
        return PlaceOrder(
            circle=circle,
            order=order,
            buyer_party=buyer.party,
            seller_party=seller.party,
            currency="EUR",
            **{**fields, **rest},  # type: ignore[arg-type]
        )

    def _borrow(
        self, buyer: Firm, customer: Firm, served: str, wishes: list[Wish], borrowed: dict[int, Standing], due: int
    ) -> None:
        """The distributor draws on members' offers; goods go straight to the customer, under a neutral slip."""
        trader = self.trader
        covered = []
        for i, source in borrowed.items():
            wish, owner = wishes[i - 1], source.owner
            circle = trader.circle(buyer.party, owner.party)
            order = f"{served}-P{i}"
            hold, secret = f"hd-{order}", f"secret of {order} {trader.dice.getrandbits(64):016x}"
            trader.do(
                buyer.party,
                Hold(
                    circle=self.pool,
                    hold=hold,
                    offer=source.offer,
                    each=wish.each,
                    until_at=trader.clock.now + DAY,
                    claim=claim(secret),
                ),
            )
            price = source.kept.cost_minor * (100 if source.kept.dead else 108) // 100
            line = PlaceLine(
                line=1,
                each=wish.each,
                hold=hold,
                secret=secret,
                item=wish.item,
                unit_price_minor=price,
                requested_at=due,
            )
            trader.do(
                buyer.party,
                self._order(
                    circle, order, buyer, owner, [], due, lines=[line], drop_ship=True, deliver_to=_neutral(customer)
                ),
            )
            trader.do(
                owner.party,
                ConfirmOrder(circle=circle, order=order, lines=[ConfirmLine(line=1, each=wish.each, promised_at=due)]),
            )
            source.left -= wish.each
            source.kept.offered -= wish.each
            source.kept.drawn += wish.each
            arrives = due + self._late(owner) * DAY
            pooled = [Wish(wish.item, wish.each, price)]
            at = max(trader.clock.now + DAY, due - 2 * DAY)
            self._at(
                at,
                lambda c=circle, o=order, w=owner, p=pooled, a=arrives: self._ship(  # type: ignore[misc]
                    c, o, buyer, w, p, {1: p[0].each}, {}, a, offered=True, receive=False
                ),
            )
            covered.append(Covered(order=order, lines=[(1, i)]))
        trader.do(
            buyer.party,
            KeepDocument(
                circle=trader.home(buyer.party),
                document=f"doc-{served}",
                customer=customer.name,
                customer_po_number=served,
                currency="EUR",
                lines=[
                    DocumentLine(line=i, item=w.item, each=w.each, unit_price_minor=w.price_minor)
                    for i, w in enumerate(wishes, 1)
                ],
                orders=covered,
            ),
        )

    def _ship(
        self,
        circle: str,
        order: str,
        buyer: Firm,
        seller: Firm,
        wishes: list[Wish],
        confirmed: dict[int, int],
        borrowed: dict[int, Standing],
        arrives: int,
        *,
        offered: bool = False,
        receive: bool = True,
    ) -> None:
        trader, shelf = self.trader, self.shelves[seller.party]
        shipment = f"sh-{order}"
        lines = []
        for i, each in confirmed.items():
            kept = shelf.get(wishes[i - 1].item)
            if offered and kept is not None:
                kept.on_hand -= each
                kept.drawn -= each
            if offered or i in borrowed or kept is None:
                lines.append(ShipLine(line=i, each=each))
                continue
            kept.on_hand -= each
            kept.promised -= each
            lines.append(ShipLine(line=i, each=each, from_stock=StockKey(own_number=kept.own_number, site=seller.site)))
        arrive_by = max(trader.clock.now + DAY, arrives)
        trader.do(
            seller.party,
            Ship(
                circle=circle,
                order=order,
                shipment=shipment,
                arrive_by=arrive_by,
                lines=lines,
                carrier=trader.dice.choice(("Hafen Spedition", "Nordkurier", "Baltic Parcel")),
                packages=1,
                neutral_slip=offered or bool(borrowed),
            ),
        )
        if trader.dice.random() < 0.15:
            trader.do(
                seller.party,
                HandOver(circle=circle, shipment=shipment, carrier="Hafen Spedition", taken_by="T. Fahrer"),
            )
        if trader.dice.random() < 0.96:
            at = max(trader.clock.now + 6 * 3600, arrives)
            self._at(at, lambda: self._receive(circle, shipment, buyer, seller, wishes, confirmed, receive))

    def _receive(
        self,
        circle: str,
        shipment: str,
        buyer: Firm,
        seller: Firm,
        wishes: list[Wish],
        confirmed: dict[int, int],
        stocked: bool,
    ) -> None:
        trader, dice = self.trader, self.trader.dice
        lines = []
        if dice.random() < 0.04:
            for i, each in confirmed.items():
                damaged = 1 if each > 1 and dice.random() < 0.5 else 0
                short = 1 if each > 2 and dice.random() < 0.3 else 0
                reason = "carton crushed" if damaged else "count differs" if short else ""
                lines.append(ReceiveLine(line=i, received=each - damaged - short, damaged=damaged, reason=reason))
        trader.do(
            buyer.party,
            Receive(
                circle=circle,
                shipment=shipment,
                lines=lines,
                site=buyer.site if stocked else "",
                received_by=dice.choice(("K. Petersen", "A. Lind", "M. Ozols", "J. Krause")),
            ),
        )
        shelf = self.shelves.get(buyer.party)
        if shelf is not None and stocked:
            taken = {line.line: line.received for line in lines}
            for i, each in confirmed.items():
                kept = shelf.get(wishes[i - 1].item)
                if kept is not None:
                    kept.on_hand += taken.get(i, each)
                    kept.on_order = 0
        if dice.random() < 0.12:
            score = 2 if lines else dice.choice((4, 4, 5, 5, 5))
            trader.do(buyer.party, Rate(circle=circle, shipment=shipment, score=score, comment=""))
        if lines and dice.random() < 0.5:
            trader.do(
                buyer.party,
                SendMessage(
                    circle=circle,
                    message=f"ms-{shipment}",
                    shipment=shipment,
                    text="Not all arrived as stated; please see the receipt.",
                ),
            )

    def _replenish(self, buyer: Firm, maker: Firm) -> None:
        """Order up to twice the level whatever has fallen below it."""
        shelf = self.shelves[buyer.party]
        low = [
            kept
            for kept in shelf.values()
            if kept.good.maker == maker.party
            and kept.level
            and not kept.dead
            and kept.on_hand + kept.on_order < kept.level
        ]
        if not low:
            return
        wishes = []
        for kept in low[:20]:
            pack = kept.good.pack_each
            each = -(-(2 * kept.level - kept.on_hand) // pack) * pack
            kept.on_order = each
            wishes.append(Wish(kept.good.item, each, kept.cost_minor))
        self._trade(buyer, maker, wishes, {})


def _neutral(customer: Firm) -> DeliverTo:
    """Where drop-shipped goods go: a place and a mark on the label, no name."""
    place = customer.place
    return DeliverTo(
        mark=f"Dock {sum(map(ord, customer.party)) % 90 + 10}",
        country=customer.country,
        city=customer.city,
        latitude_microdeg=place.latitude_microdeg,
        longitude_microdeg=place.longitude_microdeg,
    )
