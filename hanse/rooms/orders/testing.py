"""For tests of this room and of later ones: a town with stock, offers and orders in few words."""

from __future__ import annotations

import hashlib
from typing import Any

import hanse.rooms.testing as towns
from hanse.kernel.facts import TYP, Fact, Signed, payload
from hanse.kernel.reading import read
from hanse.rooms.catalog.facts import LinkItem, PublishItem, SetOwnItem
from hanse.rooms.inventory.facts import STOCK, Count, CountLine, Stock
from hanse.rooms.inventory.offer_facts import OFFERS, Earmark, MakeOffer, Offer
from hanse.rooms.orders.delivery_facts import Receive, ReceiveLine, Ship, ShipLine
from hanse.rooms.orders.facts import ConfirmLine, ConfirmOrder, DeliverTo, Hold, PlaceLine, PlaceOrder, StockKey
from hanse.rooms.orders.private_rows import MINE, ORDER_TERMS, Mine, OrderTerms
from hanse.rooms.orders.rows import ORDERS, SHIPMENTS, Order, Shipment
from hanse.rooms.parties.facts import SetSite
from hanse.standards import sdjwt

DAY = 86_400
ITEM = "item-6205"
SECRET = "the secret of a hold"


class Market(towns.Town):
    """`ann` buys, `bob` sells, `cay` sells too, `eve` competes; all four are in group `pool`.

    Relationships `ann--bob`, `ann--cay`, `eve--bob`. Each party has a site `store-NAME`; bob and cay keep own numbers
    `NAME-6205` and `NAME-6306`, linked to `item-6205` and `item-6306`, 100 each at 700 minor units.
    """

    AB, EB, AC, POOL = "ann--bob", "eve--bob", "ann--cay", "pool"

    def __init__(self, now: int = 1_700_000_000) -> None:
        super().__init__("ann", "bob", "cay", "eve", now=now)
        for opener, other in (("ann", "bob"), ("eve", "bob"), ("ann", "cay")):
            self.circle(opener, other)
        self.group("pool", ["bob", "ann", "cay", "eve"])
        for party in ("ann", "bob", "cay", "eve"):
            self.must(party, self._site(party))
        for number in ("6205", "6306"):
            self.must(
                "cay",
                PublishItem(
                    item=f"item-{number}",
                    description=f"Bearing {number}",
                    brand="SKF",
                    part_number=number,
                    weight_g=130,
                ),
            )
        for seller in ("bob", "cay"):
            self._stock(seller)

    def sign(self, iss: str, fact: Fact, *, kid: str = "", nonce: int | None = None, exp: int | None = None) -> Signed:
        """As a world's, with a salt for every field, so that two lines may say the same."""
        self._nonce += 1
        self._salts = 0
        text, disclosures = payload(
            fact,
            net="test",
            iss=iss,
            kid=kid or f"key-{iss}",
            nonce=self._nonce if nonce is None else nonce,
            exp=self.now + 3600 if exp is None else exp,
            salt=self._salt,
        )
        return read(self.book.kinds, sdjwt.sign(sdjwt.header(TYP), text, lambda _: bytes(64)), disclosures)

    def _salt(self) -> str:
        self._salts += 1
        return f"salt{self._nonce:012d}{self._salts:06d}"

    def _site(self, party: str) -> SetSite:
        return SetSite(
            circle=towns.home(party),
            site=f"store-{party}",
            name=f"Store of {party}",
            site_kind="warehouse",
            country="DE",
            city="Bremen",
            latitude_microdeg=53_000_000,
            longitude_microdeg=8_800_000,
            address="Hafenstrasse 1",
        )

    def _stock(self, party: str) -> None:
        circle = towns.home(party)
        for number in ("6205", "6306"):
            own = f"{party}-{number}"
            self.must(
                party,
                SetOwnItem(
                    circle=circle,
                    own_number=own,
                    description="bearing",
                    brand="SKF",
                    part_number=number,
                    gtin="",
                    unit="H87",
                    pack_each=1,
                    category="",
                    cost_minor=700,
                    currency="EUR",
                ),
                LinkItem(circle=circle, own_number=own, item=f"item-{number}", method="brand_part"),
                Count(
                    circle=circle,
                    counted_at=self.now,
                    lines=[CountLine(site=f"store-{party}", own_number=own, each=100, unit_cost_minor=700)],
                ),
            )

    def offer_fact(
        self,
        offer: str = "o1",
        *,
        each: int = 40,
        circle: str = AB,
        firm: bool = True,
        price: int = 1000,
        number: str = "6205",
        days: int = 30,
    ) -> MakeOffer:
        return MakeOffer(
            circle=circle,
            offer=offer,
            each=each,
            expires_at=self.now + days * DAY,
            item=f"item-{number}",
            offer_kind="sell",
            country="DE",
            city="Bremen",
            latitude_microdeg=53_000_000,
            longitude_microdeg=8_800_000,
            unit_price_minor=price,
            currency="EUR",
            pack_each=1,
            minimum_each=1,
            lead_time_days=2,
            firm=firm,
            condition="new",
            lot_expiry_at=0,
        )

    def offer(
        self,
        offer: str = "o1",
        *,
        each: int = 40,
        party: str = "bob",
        number: str = "6205",
        minimum: int = 900,
        **rest: Any,
    ) -> str:
        """An offer of a seller, with the earmark that stands behind it; `rest` as in `offer_fact`."""
        self.must(
            party,
            Earmark(
                circle=towns.home(party),
                offer=offer,
                own_number=f"{party}-{number}",
                site=f"store-{party}",
                lot="",
                owner="",
                each=each,
                minimum_price_minor=minimum,
                currency="EUR",
            ),
            self.offer_fact(offer, each=each, number=number, **rest),
        )
        return offer

    def hold_fact(self, hold: str = "h1", offer: str = "o1", each: int = 5, circle: str = POOL, **rest: Any) -> Hold:
        claim = hashlib.sha256(SECRET.encode()).hexdigest()
        return Hold(
            **{
                "circle": circle,
                "hold": hold,
                "offer": offer,
                "each": each,
                "until_at": self.now + DAY,
                "claim": claim,
                **rest,
            }
        )

    def line(self, line: int = 1, each: int = 10, offer: str = "", **rest: Any) -> PlaceLine:
        return PlaceLine(
            **{
                "line": line,
                "each": each,
                "offer": offer,
                "item": ITEM,
                "own_number": "A-77",
                "unit_price_minor": 1000,
                "requested_at": self.now + 5 * DAY,
                **rest,
            }
        )

    def order_fact(self, order: str = "po1", *lines: PlaceLine, circle: str = AB, **rest: Any) -> PlaceOrder:
        """An order of ann to bob, confirmed within a day, to her store; `rest` overrides."""
        seller = circle.partition("--")[2]
        return PlaceOrder(
            **{
                "circle": circle,
                "order": order,
                "confirm_by": self.now + DAY,
                "lines": list(lines) or [self.line()],
                "buyer_party": circle.partition("--")[0],
                "seller_party": seller,
                "po_number": "4500017",
                "currency": "EUR",
                "deliver_to": DeliverTo(site="store-ann", city="Bremen", country="DE"),
                **rest,
            }
        )

    def own_order(
        self, order: str = "so1", *lines: PlaceLine, side: str = "sell", party: str = "bob", **rest: Any
    ) -> PlaceOrder:
        """A one-sided order in a firm's home."""
        return PlaceOrder(
            **{
                "circle": towns.home(party),
                "order": order,
                "lines": list(lines) or [self.line()],
                "side": side,
                "counterparty": "Klinik Nord",
                "currency": "EUR",
                "deliver_to": DeliverTo(site=f"store-{party}" if side == "buy" else ""),
                **rest,
            }
        )

    def confirm_fact(self, order: str = "po1", *each: tuple[int, int], circle: str = AB, **rest: Any) -> ConfirmOrder:
        lines = [ConfirmLine(line=n, each=e, promised_at=self.now + 4 * DAY) for n, e in each or ((1, 10),)]
        return ConfirmOrder(**{"circle": circle, "order": order, "lines": lines, **rest})

    def ship_fact(
        self,
        order: str = "po1",
        shipment: str = "s1",
        *each: tuple[int, int],
        circle: str = AB,
        stock: str = "",
        **rest: Any,
    ) -> Ship:
        named: dict[str, Any] = {}
        if stock:
            named["from_stock"] = StockKey(own_number=stock, site="store-" + stock.partition("-")[0])
        lines = [ShipLine(line=n, each=e, **named) for n, e in each or ((1, 10),)]
        return Ship(
            **{"circle": circle, "order": order, "shipment": shipment, "lines": lines, "carrier": "Spedition", **rest}
        )

    def receive_fact(self, shipment: str = "s1", *lines: ReceiveLine, circle: str = AB, **rest: Any) -> Receive:
        return Receive(
            **{"circle": circle, "shipment": shipment, "lines": list(lines), "received_by": "Jo Meyer", **rest}
        )

    def delivered(self, order: str = "po1", *, each: int = 10, offer: str = "", shipment: str = "s1") -> None:
        """An order of ann to bob that was placed, confirmed, shipped and received."""
        self.must("ann", self.order_fact(order, self.line(each=each, offer=offer)))
        stock = "" if offer else "bob-6205"
        self.must("bob", self.confirm_fact(order, (1, each)), self.ship_fact(order, shipment, (1, each), stock=stock))
        self.must("ann", self.receive_fact(shipment))

    def order_of(self, order: str = "po1") -> Order:
        found = self.state.get(ORDERS, (order,))
        assert found is not None
        return found

    def shipment_of(self, shipment: str = "s1") -> Shipment:
        found = self.state.get(SHIPMENTS, (shipment,))
        assert found is not None
        return found

    def terms(self, order: str = "po1", circle: str = AB) -> OrderTerms:
        found = self.state.get(ORDER_TERMS, (circle, order))
        assert found is not None
        return found

    def mine(self, party: str, order: str = "po1") -> Mine:
        found = self.state.get(MINE, (towns.home(party), order))
        assert found is not None
        return found

    def offer_of(self, offer: str = "o1") -> Offer:
        found = self.state.get(OFFERS, (offer,))
        assert found is not None
        return found

    def stock(self, party: str = "bob", number: str = "6205", own: str = "") -> Stock:
        found = self.state.get(STOCK, (towns.home(party), f"store-{party}", own or f"{party}-{number}", "", ""))
        assert found is not None
        return found
