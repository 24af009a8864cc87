"""Orders: placed by the buyer, confirmed by the seller, partly served by members of the pool."""

from __future__ import annotations

from msgspec import Struct

from hanse.demo.books import Books
from hanse.demo.cast import Firm
from hanse.demo.delivering import Delivering, Parcel, Wish
from hanse.demo.ids import opaque
from hanse.demo.stocks import Kept, Shelves
from hanse.demo.trader import DAY, Trader, claim
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
)

COST_PLUS_PERCENT = 108


class Standing(Struct):
    """An offer to the pool that may still be drawn on."""

    offer: str
    owner: Firm
    kept: Kept
    left: int
    until_at: int

    @property
    def price_minor(self) -> int:
        """What one each costs a member: dead stock at cost, the rest at cost plus."""
        return self.kept.cost_minor * (100 if self.kept.dead else COST_PLUS_PERCENT) // 100


class Ordering(Delivering):
    """Orders of the year, on the calendar of deliveries. `pool`: the group's circle."""

    def __init__(self, trader: Trader, shelves: Shelves, books: Books, pool: str) -> None:
        super().__init__(trader, shelves, books)
        self.pool = pool
        self.standing: dict[str, list[Standing]] = {}

    def pool_source(self, buyer: Firm, wish: Wish) -> Standing | None:
        """The cheapest member's offer that covers the whole wish, if it pays."""
        now = self.trader.clock.now
        fits = [
            s
            for s in self.standing.get(wish.item, ())
            if s.owner.party != buyer.party and s.left >= wish.each and s.until_at > now + 7 * DAY
        ]
        best = min(fits, key=lambda s: (s.kept.cost_minor, s.offer), default=None)
        pays = best is not None and best.kept.cost_minor * COST_PLUS_PERCENT // 100 < wish.price_minor
        return best if pays else None

    def trade(self, buyer: Firm, seller: Firm, wishes: list[Wish], borrowed: dict[int, Standing]) -> None:
        """Place, confirm, ship, receive; `borrowed`: line -> the offer that serves it straight to the customer."""
        trader, now = self.trader, self.trader.clock.now
        circle = trader.circle(buyer.party, seller.party)
        order = opaque("o", buyer.party, seller.party, self.number(buyer.party + seller.party))
        due = now + trader.dice.randrange(3, 8) * DAY
        trader.do(buyer.party, self.order(circle, order, buyer, seller, wishes, due))
        confirming = self._confirmed(seller, wishes, borrowed)
        if not confirming:
            self.forget(buyer, wishes)
            return
        lines = [ConfirmLine(line=i, each=each, promised_at=due) for i, each in confirming.items()]
        trader.do(seller.party, ConfirmOrder(circle=circle, order=order, lines=lines))
        if borrowed:
            self._borrow(seller, buyer, order, wishes, borrowed, due)
        arrives, direct = due + self.late_days(seller) * DAY, frozenset(borrowed)
        parcel = Parcel(circle, order, buyer, seller, wishes, confirming, arrives, direct)
        self.send(parcel, max(now + DAY, due - 2 * DAY))

    def _confirmed(self, seller: Firm, wishes: list[Wish], borrowed: dict[int, Standing]) -> dict[int, int]:
        """Line -> each of what the seller confirms: what members serve, and what it has free itself."""
        shelf, out = self.shelves[seller.party], {}
        for i, wish in enumerate(wishes, 1):
            kept = shelf[wish.item]
            each = wish.each if i in borrowed else max(0, min(wish.each, kept.free))
            if i not in borrowed:
                kept.promised += each
            if each:
                out[i] = each
        return out

    def order(
        self, circle: str, order: str, buyer: Firm, seller: Firm, wishes: list[Wish], due: int, **rest: object
    ) -> PlaceOrder:
        """An order of wishes to the buyer's site; `rest` overrides."""
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
            "po_number": f"45{self.number('po'):06d}",
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
        covered = []
        for i, source in borrowed.items():
            order = opaque("o", served, i)
            self._draw(buyer, customer, order, wishes[i - 1], source, due)
            covered.append(Covered(order=order, lines=[(1, i)]))
        self.trader.do(
            buyer.party,
            KeepDocument(
                circle=self.trader.home(buyer.party),
                document=opaque("doc", served),
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

    def _draw(self, buyer: Firm, customer: Firm, order: str, wish: Wish, source: Standing, due: int) -> None:
        """Hold, order and confirmation of one line between the distributor and the member that owns the offer."""
        trader, owner, price = self.trader, source.owner, source.price_minor
        circle = trader.circle(buyer.party, owner.party)
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
        line = PlaceLine(
            line=1, each=wish.each, hold=hold, secret=secret, item=wish.item, unit_price_minor=price, requested_at=due
        )
        rest = {"lines": [line], "drop_ship": True, "deliver_to": neutral(customer)}
        trader.do(buyer.party, self.order(circle, order, buyer, owner, [], due, **rest))
        confirm = ConfirmOrder(circle=circle, order=order, lines=[ConfirmLine(line=1, each=wish.each, promised_at=due)])
        trader.do(owner.party, confirm)
        source.left -= wish.each
        source.kept.offered -= wish.each
        source.kept.drawn += wish.each
        arrives, pooled = due + self.late_days(owner) * DAY, [Wish(wish.item, wish.each, price)]
        parcel = Parcel(
            circle, order, buyer, owner, pooled, {1: wish.each}, arrives, frozenset(), offered=True, stocked=False
        )
        self.send(parcel, max(trader.clock.now + DAY, due - 2 * DAY))


def neutral(customer: Firm) -> DeliverTo:
    """Where drop-shipped goods go: a place and a mark on the label, no name."""
    place = customer.place
    return DeliverTo(
        mark=f"Dock {sum(map(ord, customer.party)) % 90 + 10}",
        country=customer.country,
        city=customer.city,
        latitude_microdeg=place.latitude_microdeg,
        longitude_microdeg=place.longitude_microdeg,
    )
