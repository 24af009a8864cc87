"""All of the demo onto a fresh node."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from hanse.demo.cast import DISTRIBUTORS, FIRMS, GROUP, POOL, Firm
from hanse.demo.goods import catalogue
from hanse.demo.stocks import publish, stock_up
from hanse.demo.story import Story, tell
from hanse.demo.trader import DAY, DemoClock, Trader
from hanse.demo.year import Year
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
    weekly: float = 12.5
    facts: int = 106_000


FULL = Size()
SMALL = Size(goods=160, kept_each=60, days=35, weekly=1.5, facts=3_500)


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
    clock = DemoClock(midnight - 5 * DAY)
    with Node(directory, create=True, clock=clock, wallet=lambda path, net: _wallet(path, net, clock, seed)) as node:
        done = [0]

        def count(more: int) -> None:
            done[0] += more
            told("trade", done[0], max(size.facts, done[0]))

        trader = Trader(node, clock, dice, count)
        pool = _settle(trader)
        goods = catalogue(size.goods)
        publish(trader, goods)
        shelves = stock_up(trader, goods, size.kept_each)
        trader.flush()
        year = Year(trader, shelves, pool, size.weekly)
        year.play(size.days, midnight)
        story = tell(year, goods, end)
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
    assert len(DISTRIBUTORS) == len(POOL)
    return pool


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
