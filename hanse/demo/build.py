"""All of the demo onto a fresh node."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import msgspec
from msgspec import Struct

from hanse.demo.books import Books
from hanse.demo.buying import SUPPLIER, Buying
from hanse.demo.cast import COMPETITOR, FIRMS, GROUP, POOL, Firm, customers_of, suppliers_of
from hanse.demo.circles import open_relationships
from hanse.demo.deals import MAIN, deals, sign_all
from hanse.demo.extras import all_of, appoint
from hanse.demo.goods import ALWAYS, Good, catalogue
from hanse.demo.netting import dispute
from hanse.demo.stocks import Shelves, publish, stock_up
from hanse.demo.story import Story, tell
from hanse.demo.trader import DAY, DemoClock, Trader
from hanse.demo.year import Year, lines_weekly
from hanse.node import joining
from hanse.node.node import Node
from hanse.node.wallet import Wallet
from hanse.rooms.parties.facts import SetSite
from hanse.standards import sdjwt

Progress = Callable[[str, int, int], None]
"""(step, facts so far, facts expected)"""
STORY_DAYS = 12
STORY = "demo.json"
"""Beside the record: the story's places, for the start page."""


class Size(Struct, frozen=True):
    """How much of a demo. `facts`: about how many come out, for the progress bar."""

    goods: int = 2_312
    kept_each: int = 480
    days: int = 364
    weekly: float = 11.0
    facts: int = 109_000


FULL = Size()
SMALL = Size(goods=160, kept_each=60, days=35, weekly=1.5, facts=5_600)


class Built(Struct, frozen=True):
    """What was built, as `hanse demo --json` prints it. seconds: wall time of building."""

    net: str
    firms: int
    items: int
    own_numbers: int
    facts: int
    entries: int
    seconds: float
    story: Story


def build(
    directory: Path, *, size: Size = FULL, seed: int = 1241, today: int | None = None, progress: Progress | None = None
) -> Built:
    """Build the demo in an empty or new directory. The same seed and day give the same trade.

    Args:
        today: UTC seconds at which the year ends; now by default.
    Refuses: node.not_a_node where the directory holds something else.
    """
    started, told = time.perf_counter(), progress or (lambda step, done, all: None)
    end = int(time.time()) if today is None else today
    midnight = end - end % DAY - (size.days + STORY_DAYS) * DAY
    dice = random.Random(seed)
    clock, ledger = DemoClock(midnight - 5 * DAY), DemoClock(midnight - 5 * DAY)
    with Node(directory, create=True, clock=ledger, wallet=lambda path, net: _wallet(path, net, clock, seed)) as node:
        done = [0]

        def count(more: int) -> None:
            done[0] += more
            told("trade", done[0], max(size.facts, done[0]))

        trader = Trader(node, clock, ledger, dice, count)
        try:
            pool = _settle(trader)
            goods = catalogue(size.goods)
            publish(trader, goods)
            shelves = stock_up(trader, goods, size.kept_each, lines_weekly(size.weekly))
            year = _year(trader, shelves, goods, pool, size, midnight)
            story = tell(year, goods, end)
        finally:
            trader.close()
        (directory / STORY).write_bytes(msgspec.json.encode(story))
        node.publish()
        return Built(
            net=node.net,
            firms=len(FIRMS),
            items=len(goods),
            own_numbers=sum(len(shelf) for shelf in shelves.values()),
            facts=trader.facts,
            entries=node.log.size,
            seconds=round(time.perf_counter() - started, 1),
            story=story,
        )


def _year(trader: Trader, shelves: Shelves, goods: list[Good], pool: str, size: Size, midnight: int) -> Year:
    """The year, from the firms' terms and agreements to what the story needs at its end."""
    books = Books(trader)
    books.open()
    year = Year(trader, shelves, books, pool, size.weekly)
    appoint(year)
    suppliers = [maker.party for buyer, maker in suppliers_of() if buyer.party == MAIN]
    rival = next(maker.party for buyer, maker in suppliers_of() if buyer.party == COMPETITOR)
    agreed = deals(goods, suppliers, rival)
    sign_all(trader, agreed)
    books.agreed = {trader.circle(deal.supplier, deal.buyer) for deal in agreed}
    buying = Buying(year, goods, size.days, midnight)
    buying.begin()
    objections = dict.fromkeys(range(size.days * 19 // 20, size.days), lambda: dispute(year))
    year.play(size.days, midnight, objections | buying.calendar())
    bearing = next(good.item for good in goods if good.part_number == ALWAYS)
    all_of(year, goods, SUPPLIER, bearing)
    return year


def _wallet(path: Path, net: str, clock: DemoClock, seed: int) -> Wallet:
    """A wallet whose keys and salts come from the seed: a demo is no place for secrets, and repeats."""
    counter = iter(range(2**62))

    def make() -> bytes:
        return hashlib.sha256(f"demo {seed} {next(counter)}".encode()).digest()

    return Wallet(path, net, seed=make, salt=lambda: sdjwt.b64(make()[:16]).decode(), now=clock)


def _settle(trader: Trader) -> str:
    """Found the group, bring the firms in, give each a site, open the pool; the pool's circle."""
    node = trader.node
    joining.found(
        node, GROUP.party, network="Hanse Technik", name=GROUP.name, kind="group", country="DE", city=GROUP.city
    )
    for firm in FIRMS[1:]:
        joining.host(node, firm.party, name=firm.name, kind=firm.kind, country=firm.country, city=firm.city)
    for firm in FIRMS:
        trader.do(firm.party, _site(trader, firm))
    trader.flush()
    pool = joining.group(node, [GROUP.party, *POOL], "Hanse Technik pool")
    open_relationships(trader, _pairs())
    return pool


def _pairs() -> list[tuple[str, str]]:
    """Who trades with whom: customers, suppliers, the members among themselves, and each with the group."""
    trade = [(buyer.party, seller.party) for buyer, seller in (*customers_of(), *suppliers_of())]
    return [*trade, *combinations(POOL, 2), *((GROUP.party, party) for party in POOL)]


def _site(trader: Trader, firm: Firm) -> SetSite:
    place = firm.place
    return SetSite(
        circle=trader.home(firm.party),
        site=firm.site,
        name=f"{firm.city}",
        site_kind="warehouse"
        if firm.kind in ("distributor", "manufacturer")
        else "plant"
        if firm.kind == "plant"
        else "shop",
        country=firm.country,
        city=firm.city,
        latitude_microdeg=place.latitude_microdeg,
        longitude_microdeg=place.longitude_microdeg,
        address=f"Hafenstrasse {len(firm.name)}",
    )
