"""The story at the end of the year: a bearing is out and a customer waits; three members have it; it ships under a
neutral slip, and arrives two days late. What follows in money stands in `ending`."""

from __future__ import annotations

from msgspec import Struct

from hanse.demo.cast import COMPETITOR, Firm, by_party
from hanse.demo.deals import CUSTOMER, MAIN
from hanse.demo.deals import LENDERS as LENDING
from hanse.demo.ending import Ending, settle
from hanse.demo.goods import ALWAYS as PART_NUMBER
from hanse.demo.goods import Good
from hanse.demo.ids import opaque
from hanse.demo.stocks import OFFER_DAYS, Kept, earmark
from hanse.demo.trader import DAY, claim
from hanse.demo.year import Year
from hanse.node.proposing import STANDARD_TARIFF
from hanse.planning.promise import Candidate, Need, promise
from hanse.planning.promise.distance import distance_m
from hanse.rooms.catalog.facts import LinkItem, SetOwnItem
from hanse.rooms.inventory.facts import Count, CountLine, SetPolicy
from hanse.rooms.inventory.offer_facts import MakeOffer
from hanse.rooms.orders.delivery_facts import HandOver, Rate, Receive, SendMessage, Ship, ShipLine
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

DISTRIBUTOR = MAIN
LENDERS = tuple(zip(LENDING, (9, 30, 14), (560, 450, 480), strict=True))
"""(member, how many it has, what it asks for one each in EUR cents)."""
EACH, PRICE_MINOR = 6, 890
LATE_DAYS = 2


class Source(Struct, frozen=True):
    """One member that could serve, and what it would cost in all (minor units): goods and freight."""

    party: str
    offer: str
    own_number: str
    each: int
    unit_price_minor: int
    distance_km: int
    total_minor: int


class Story(Struct, frozen=True):
    """Where the start page leads: parties, the item, its source and the orders, shipments and document."""

    item: str
    own_number: str
    customer: str
    distributor: str
    lender: str
    competitor: str
    sources: tuple[Source, ...]
    customer_order: str
    pool_order: str
    document: str
    shipment: str
    due_at: int
    arrived_at: int
    ending: Ending


def tell(year: Year, goods: list[Good], end: int) -> Story:
    """Play the story in the last eleven days before `end`."""
    trader, firms = year.trader, by_party()
    customer, distributor = firms[CUSTOMER], firms[DISTRIBUTOR]
    good = next(g for g in goods if g.part_number == PART_NUMBER)
    start = end - end % DAY - 11 * DAY + 9 * 3600
    trader.until(start)
    out = _keep(year, distributor, good, 0)
    sources = [_offer(year, firms[party], good, each, price, customer) for party, each, price in LENDERS]
    best = min(sources, key=lambda s: (s.total_minor, s.party))
    trader.until(start + 1800)
    order, due = opaque("o", "the bearing"), start + 4 * DAY
    circle = trader.circle(customer.party, distributor.party)
    trader.do(customer.party, _customer_order(year, circle, order, customer, distributor, good, due))
    trader.do(
        customer.party,
        SendMessage(
            circle=circle,
            message=f"ms-{order}",
            order=order,
            text="The slip winch stands still. Can you still do Thursday?",
        ),
    )
    trader.until(start + 2400)
    pool_order = _borrow(year, order, customer, distributor, firms[best.party], best, good, due)
    trader.do(
        distributor.party,
        ConfirmOrder(circle=circle, order=order, lines=[ConfirmLine(line=1, each=EACH, promised_at=due)]),
    )
    arrived = _deliver(year, circle, order, pool_order, customer, distributor, firms[best.party], due, best)
    ending = settle(year, distributor, firms[best.party], customer, start)
    return Story(
        item=good.item,
        own_number=out.own_number,
        customer=customer.party,
        distributor=distributor.party,
        lender=best.party,
        competitor=COMPETITOR,
        sources=tuple(sources),
        customer_order=order,
        pool_order=pool_order,
        document=f"doc-{order}",
        shipment=f"sh-{pool_order}",
        due_at=due,
        arrived_at=arrived,
        ending=ending,
    )


def _keep(year: Year, firm: Firm, good: Good, each: int) -> Kept:
    """A firm's own number for the good, matched, with so many on the shelf."""
    trader, shelf, home = year.trader, year.shelves[firm.party], year.trader.home(firm.party)
    if good.item not in shelf:
        shelf[good.item] = Kept(good, f"{firm.prefix}-KL{good.part_number}", 0, good.price_minor * 62 // 100, 4)
    kept = shelf[good.item]
    trader.do(
        firm.party,
        SetOwnItem(
            circle=home,
            own_number=kept.own_number,
            description=good.names[firm.language],
            brand=good.brand,
            part_number=good.part_number,
            gtin=good.gtin,
            unit="H87",
            pack_each=1,
            category=good.category,
            cost_minor=kept.cost_minor,
            currency="EUR",
        ),
    )
    trader.do(firm.party, LinkItem(circle=home, own_number=kept.own_number, item=good.item, method="gtin"))
    least = kept.cost_minor * 4 // 5
    policy = SetPolicy(circle=home, own_number=kept.own_number, minimum_price_minor=least, currency="EUR", keep_each=0)
    trader.do(firm.party, policy)
    kept.level = kept.level or 4
    kept.on_hand = each + kept.promised + kept.offered + kept.drawn
    line = CountLine(site=firm.site, own_number=kept.own_number, each=kept.on_hand, unit_cost_minor=kept.cost_minor)
    trader.do(firm.party, Count(circle=home, lines=[line], counted_at=trader.clock.now))
    return kept


def _offer(year: Year, firm: Firm, good: Good, each: int, price_minor: int, customer: Firm) -> Source:
    trader, kept = year.trader, _keep(year, firm, good, each)
    offer, place, to = opaque("of", firm.party, "bearing"), firm.place, customer.place
    least = min(price_minor, kept.cost_minor)
    trader.do(firm.party, earmark(trader.home(firm.party), offer, firm, kept.own_number, each, least))
    trader.do(
        firm.party,
        MakeOffer(
            circle=year.pool,
            offer=offer,
            each=each,
            expires_at=trader.clock.now + OFFER_DAYS * DAY,
            item=good.item,
            offer_kind="sell",
            country=firm.country,
            city=firm.city,
            latitude_microdeg=place.latitude_microdeg,
            longitude_microdeg=place.longitude_microdeg,
            unit_price_minor=price_minor,
            currency="EUR",
            pack_each=1,
            minimum_each=1,
            lead_time_days=1,
            firm=True,
            condition="new",
            lot_expiry_at=0,
        ),
    )
    kept.offered += each
    metres = distance_m(place.latitude_microdeg, place.longitude_microdeg, to.latitude_microdeg, to.longitude_microdeg)
    total = _total_minor(good, Candidate(
        offer, firm.party, good.item, each, price_minor, lead_time_days=1,
        latitude_microdeg=place.latitude_microdeg, longitude_microdeg=place.longitude_microdeg,
    ), customer)  # fmt: skip
    return Source(firm.party, offer, kept.own_number, each, price_minor, metres // 1000, total)


def _total_minor(good: Good, candidate: Candidate, customer: Firm) -> int:
    """Goods and freight from one source alone, as *Find and order* reckons them."""
    to = customer.place
    plan = promise(
        [Need(1, good.item, EACH, good.weight_g)], [candidate], STANDARD_TARIFF,
        latitude_microdeg=to.latitude_microdeg, longitude_microdeg=to.longitude_microdeg,
    )  # fmt: skip
    return plan.total_minor


def _customer_order(
    year: Year, circle: str, order: str, customer: Firm, distributor: Firm, good: Good, due: int
) -> PlaceOrder:
    place = customer.place
    return PlaceOrder(
        circle=circle,
        order=order,
        buyer_party=customer.party,
        seller_party=distributor.party,
        currency="EUR",
        confirm_by=year.trader.clock.now + DAY,
        backorder=False,
        po_number="4711-WINCH",
        deliver_to=DeliverTo(
            site=customer.site,
            mark=customer.name,
            country=customer.country,
            city=customer.city,
            latitude_microdeg=place.latitude_microdeg,
            longitude_microdeg=place.longitude_microdeg,
        ),
        lines=[PlaceLine(line=1, each=EACH, item=good.item, unit_price_minor=PRICE_MINOR, requested_at=due)],
    )


def _borrow(
    year: Year, served: str, customer: Firm, buyer: Firm, owner: Firm, best: Source, good: Good, due: int
) -> str:
    """Hold, order and confirmation between the distributor and the member, and the document at the distributor's."""
    trader, order = year.trader, opaque("o", served, 1)
    circle, secret, place = trader.circle(buyer.party, owner.party), "the winch of the slip at Wismar", customer.place
    trader.do(
        buyer.party,
        Hold(
            circle=year.pool,
            hold=f"hd-{order}",
            offer=best.offer,
            each=EACH,
            until_at=trader.clock.now + DAY,
            claim=claim(secret),
        ),
    )
    line = PlaceLine(
        line=1,
        each=EACH,
        hold=f"hd-{order}",
        secret=secret,
        item=good.item,
        unit_price_minor=best.unit_price_minor,
        requested_at=due,
    )
    trader.do(
        buyer.party,
        PlaceOrder(
            circle=circle,
            order=order,
            buyer_party=buyer.party,
            seller_party=owner.party,
            currency="EUR",
            confirm_by=trader.clock.now + DAY,
            backorder=False,
            po_number="TT-88120",
            drop_ship=True,
            deliver_to=DeliverTo(
                mark="Dock 3",
                country=customer.country,
                city=customer.city,
                latitude_microdeg=place.latitude_microdeg,
                longitude_microdeg=place.longitude_microdeg,
            ),
            lines=[line],
        ),
    )
    trader.do(
        owner.party,
        ConfirmOrder(circle=circle, order=order, lines=[ConfirmLine(line=1, each=EACH, promised_at=due)]),
    )
    trader.do(
        buyer.party,
        KeepDocument(
            circle=trader.home(buyer.party),
            document=f"doc-{served}",
            customer=customer.name,
            customer_po_number="4711-WINCH",
            currency="EUR",
            lines=[DocumentLine(line=1, item=good.item, each=EACH, unit_price_minor=PRICE_MINOR)],
            orders=[Covered(order=order, lines=[(1, 1)])],
        ),
    )
    return order


def _deliver(
    year: Year,
    circle: str,
    order: str,
    pool_order: str,
    customer: Firm,
    distributor: Firm,
    owner: Firm,
    due: int,
    best: Source,
) -> int:
    """Shipped on the third day, received two days late; when it arrived."""
    trader = year.trader
    pool_circle = trader.circle(distributor.party, owner.party)
    trader.until(due - DAY)
    for who, where, what in ((owner, pool_circle, pool_order), (distributor, circle, order)):
        trader.do(
            who.party,
            Ship(
                circle=where,
                order=what,
                shipment=f"sh-{what}",
                arrive_by=due,
                lines=[ShipLine(line=1, each=EACH)],
                carrier="Hafen Spedition",
                packages=1,
                neutral_slip=True,
            ),
        )
    for who, where, what in ((owner, pool_circle, pool_order), (distributor, circle, order)):
        taken = HandOver(circle=where, shipment=f"sh-{what}", carrier="Hafen Spedition", taken_by="T. Fahrer")
        trader.do(who.party, taken)
    arrived = due + LATE_DAYS * DAY + 2 * 3600
    trader.until(arrived)
    trader.do(
        customer.party, Receive(circle=circle, shipment=f"sh-{order}", site=customer.site, received_by="K. Petersen")
    )
    trader.do(distributor.party, Receive(circle=pool_circle, shipment=f"sh-{pool_order}", received_by="K. Petersen"))
    year.books.receive(circle, customer, distributor, f"sh-{order}", [(1, EACH, PRICE_MINOR)])
    year.books.receive(pool_circle, distributor, owner, f"sh-{pool_order}", [(1, EACH, best.unit_price_minor)])
    trader.do(
        customer.party, Rate(circle=circle, shipment=f"sh-{order}", score=3, comment="Two days late, but it fitted.")
    )
    trader.flush()
    return arrived
