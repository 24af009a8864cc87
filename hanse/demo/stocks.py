"""What every firm keeps: own numbers, links, first counts, minimum prices, offers to the pool."""

from __future__ import annotations

from msgspec import Struct

from hanse.demo.cast import DISTRIBUTORS, MANUFACTURERS, Firm
from hanse.demo.goods import Good, own_name
from hanse.demo.ids import opaque
from hanse.demo.trader import DAY, Trader
from hanse.rooms.catalog.facts import ApproveSubstitute, LinkItem, Pack, PublishItem, SetOwnItem
from hanse.rooms.inventory.facts import Count, CountLine, SetPolicy
from hanse.rooms.inventory.offer_facts import Earmark, MakeOffer
from hanse.rooms.parties.facts import AuthoriseChannel

OFFER_DAYS = 88
"""So that a quarter's offers have ended when the next ones are made."""
MAKER_EACH = 5.0
"""What a maker keeps of a good for each of its relative demand and of what is ordered at a time."""
WEEKS_KEPT, HABIT = 4.0, 0.8
"""A firm keeps some weeks of what it thinks will sell; how wrong it is about one item, as the spread of a logarithm."""


class Kept(Struct):
    """One good as one firm keeps it; all quantities in each.

    `on_hand` follows what the firm's home will say. Of it: `promised` to own customers, `offered` to the pool and not
    drawn on, `drawn` by members and not yet shipped.
    """

    good: Good
    own_number: str
    on_hand: int
    cost_minor: int
    level: int
    promised: int = 0
    offered: int = 0
    drawn: int = 0
    dead: bool = False
    on_order: int = 0

    @property
    def free(self) -> int:
        return self.on_hand - self.promised - self.offered - self.drawn

    @property
    def spare(self) -> int:
        """Of what is free, what the firm's policy does not keep for its own customers."""
        kept = self.level // 2 + 1 if self.keeps else 0
        return max(0, self.free - kept)

    @property
    def keeps(self) -> bool:
        """Whether the firm keeps some for its own customers: of what moves fast."""
        return bool(self.level) and not self.dead and self.good.rate > 4


Shelves = dict[str, dict[str, Kept]]
"""party -> item -> how it is kept"""


def publish(trader: Trader, goods: list[Good]) -> None:
    """The makers publish their items, approve some substitutes, and say who may sell their brand."""
    for maker in MANUFACTURERS:
        mine = [good for good in goods if good.maker == maker.party]
        trader.do_batch(
            maker.party,
            [
                PublishItem(
                    item=good.item,
                    description=good.names["en"],
                    gtin=good.gtin,
                    brand=good.brand,
                    part_number=good.part_number,
                    category=good.category,
                    weight_g=good.weight_g,
                    packs=[Pack(code="BX", each=good.pack_each)] if good.pack_each > 1 else [],
                )
                for good in mine
            ],
        )
        by_number = {good.part_number: good for good in mine}
        sealed = [(good, by_number.get(good.part_number + "/C3")) for good in mine]
        trader.do_batch(
            maker.party,
            [ApproveSubstitute(item=good.item, substitute=other.item) for good, other in sealed if other],
        )
        if mine:
            trader.do_batch(
                maker.party, [AuthoriseChannel(brand=mine[0].brand, party=firm.party) for firm in DISTRIBUTORS]
            )
    trader.flush()


def each_of(good: Good) -> float:
    """How many each a customer orders of a good at a time, on average: whole packs, more of what moves fast."""
    return max(1.2, min(good.rate, 40.0) / 5) * good.pack_each


def stock_up(trader: Trader, goods: list[Good], kept_each: int, lines_weekly: dict[str, float]) -> Shelves:
    """Own numbers, links and first counts of all makers and distributors; what they keep.

    A distributor's level is some weeks of its own demand as its people judge it: too high for some items and too low
    for others, so that members have dead stock and shortages at once.

    Args:
        lines_weekly: distributor -> order lines a week.
    """
    shelves: Shelves = {}
    for maker in MANUFACTURERS:
        mine = [good for good in goods if good.maker == maker.party]
        shelves[maker.party] = _shelve(trader, maker, mine, _maker_level, 45)
    for i, firm in enumerate(DISTRIBUTORS):
        weights = [good.rate * (3.0 if (j + i) % 6 < 2 else 1.0) for j, good in enumerate(goods)]
        chosen = sorted(set(trader.dice.choices(range(len(goods)), weights, k=kept_each * 2)))
        trader.dice.shuffle(chosen)
        mine = [goods[j] for j in sorted(chosen[:kept_each])]
        weekly = lines_weekly.get(firm.party, 1.0) / max(1.0, sum(good.rate for good in mine))

        def level(good: Good, weekly: float = weekly) -> int:
            weeks = WEEKS_KEPT * trader.dice.lognormvariate(0.0, HABIT)
            return int(weeks * weekly * good.rate * each_of(good)) + good.pack_each

        shelves[firm.party] = _shelve(trader, firm, mine, level, 62)
    return shelves


def _maker_level(good: Good) -> int:
    """About what all distributors take in a year: the makers of the demo make nothing new."""
    return 20 * good.pack_each + int(MAKER_EACH * good.rate * each_of(good))


def _shelve(trader: Trader, firm: Firm, goods: list[Good], level_of: object, cost_percent: int) -> dict[str, Kept]:
    dice, home = trader.dice, trader.home(firm.party)
    shelf: dict[str, Kept] = {}
    items: list[SetOwnItem] = []
    links: list[LinkItem] = []
    for at, good in enumerate(goods):
        own = own_name(firm, good, at, dice)
        cost = max(1, good.price_minor * (cost_percent + dice.randrange(-4, 5)) // 100)
        level = level_of(good)  # type: ignore[operator]
        dead = firm.kind == "distributor" and dice.random() < 0.12
        on_hand = level * 3 + 4 if dead else max(0, int(level * dice.uniform(0.3, 1.6)))
        shelf[good.item] = Kept(good, own.own_number, on_hand, cost, level, dead=dead)
        items.append(
            SetOwnItem(
                circle=home,
                own_number=own.own_number,
                description=own.description,
                brand=own.brand,
                part_number=own.part_number,
                gtin=own.gtin,
                unit="H87",
                pack_each=1,
                category=good.category,
                cost_minor=cost,
                currency="EUR",
            )
        )
        method = "gtin" if own.gtin else "brand_part" if own.part_number and own.brand == good.brand else ""
        if method or dice.random() < 0.5:
            links.append(LinkItem(circle=home, own_number=own.own_number, item=good.item, method=method or "accepted"))
        else:
            shelf[good.item].level = 0  # not matched: it neither pools nor trades in the network
    trader.do_batch(firm.party, items)
    trader.do_batch(firm.party, links)
    _count(trader, firm, list(shelf.values()), first=True)
    trader.do_batch(
        firm.party,
        [
            SetPolicy(
                circle=home,
                own_number=kept.own_number,
                minimum_price_minor=kept.cost_minor,
                currency="EUR",
                keep_each=min(kept.level, kept.on_hand) // 2,
            )
            for kept in shelf.values()
            if kept.keeps
        ],
    )
    return shelf


def _count(trader: Trader, firm: Firm, kept: list[Kept], *, first: bool = False) -> None:
    """Count goods at the firm's first site; a first count tells when dead stock last moved."""
    for start in range(0, len(kept), 200):
        lines = [
            CountLine(
                site=firm.site,
                own_number=each.own_number,
                each=each.on_hand,
                unit_cost_minor=each.cost_minor,
                moved_at=trader.clock.now - DAY * trader.dice.randrange(200, 700) if first and each.dead else 0,
            )
            for each in kept[start : start + 200]
        ]
        trader.do(firm.party, Count(circle=trader.home(firm.party), lines=lines, counted_at=trader.clock.now))


def recount(trader: Trader, firm: Firm, shelf: dict[str, Kept], lines: int) -> None:
    """A cycle count of some goods."""
    listed = list(shelf.values())
    _count(trader, firm, trader.dice.sample(listed, min(lines, len(listed))))


def offer_to_pool(
    trader: Trader, pool: str, firm: Firm, shelf: dict[str, Kept], quarter: int, but: str = ""
) -> list[tuple[str, Kept]]:
    """What a member offers to the pool for a quarter: its dead stock and part of what it has too much of.

    Args:
        but: a part number that is left out.
    """
    home, place = trader.home(firm.party), firm.place
    too_much = [
        kept
        for kept in shelf.values()
        if kept.level and (kept.dead or kept.free > 2 * kept.level + 2) and kept.good.part_number != but
    ]
    out: list[tuple[str, Kept]] = []
    marks: list[Earmark] = []
    offers: list[MakeOffer] = []
    for kept in too_much[:60]:
        each = max(1, kept.free * 2 // 3)
        if kept.free < 1:
            continue
        offer = opaque("of", firm.party, quarter, kept.good.item)
        price = kept.cost_minor * (100 if kept.dead else 108) // 100
        marks.append(earmark(home, offer, firm, kept.own_number, each, price))
        offers.append(
            MakeOffer(
                circle=pool,
                offer=offer,
                each=each,
                expires_at=trader.clock.now + OFFER_DAYS * DAY,
                item=kept.good.item,
                offer_kind="sell",
                country=firm.country,
                city=firm.city,
                latitude_microdeg=place.latitude_microdeg,
                longitude_microdeg=place.longitude_microdeg,
                unit_price_minor=price,
                currency="EUR",
                pack_each=1,
                minimum_each=1,
                lead_time_days=1,
                firm=True,
                condition="new",
                lot_expiry_at=0,
            )
        )
        kept.offered += each
        out.append((offer, kept))
    if offers:
        trader.do_batch(firm.party, marks)
        trader.do_batch(firm.party, offers)
    return out


def earmark(home: str, offer: str, firm: Firm, own_number: str, each: int, minimum_minor: int) -> Earmark:
    """What of a firm's first site stands behind an offer or transfer."""
    return Earmark(
        circle=home,
        offer=offer,
        own_number=own_number,
        site=firm.site,
        lot="",
        owner="",
        each=each,
        minimum_price_minor=minimum_minor,
        currency="EUR",
    )
