"""The demo's start page: the story, step by step, each step a place in the application seen with somebody's eyes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from litestar import get
from msgspec import Struct

from hanse.demo.build import STORY
from hanse.demo.cast import DISTRIBUTORS, Firm, by_party
from hanse.demo.page_money import Money, money, sights
from hanse.demo.people import PEOPLE
from hanse.demo.story import EACH, LATE_DAYS, PRICE_MINOR, Story
from hanse.kernel.refusal import Refused
from hanse.node.node import Node
from hanse.rooms.catalog.facts import ITEMS
from hanse.rooms.inventory.offer_queries import availability
from hanse.rooms.inventory.queries import dead_stock_value
from hanse.rooms.orders.gains import pool_gains
from hanse.web import Read, page
from hanse.web.charts import Flow, Point, Series, bars, world

DEAD_DAYS = 180


class Shown(Struct, frozen=True):
    """One member's figures on the start page, in EUR cents: dead stock, what it gains as lender and as borrower."""

    party: str
    name: str
    dead_minor: int
    lent_margin_minor: int
    borrowed_margin_minor: int


def story_of(node: Node) -> Story:
    """The story that was built with this directory. Refuses: demo.unknown_story."""
    path = node.directory / STORY
    if not path.exists():
        raise Refused("demo.unknown_story", "this node holds no demo", next="build one with `hanse demo`")
    return msgspec.json.decode(path.read_bytes(), type=Story)


@lru_cache(maxsize=4)
def members(node: Node, size: int) -> tuple[Shown, ...]:
    """Every member's figures, each from its own view; `size` of the record, so that they follow it."""
    shown = []
    for firm in DISTRIBUTORS:
        view = node.view(firm.party)
        dead = sum(money.value_minor for money in dead_stock_value(view, DEAD_DAYS) if money.currency == "EUR")
        gain = next((g for g in pool_gains(view) if g.currency == "EUR"), None)
        shown.append(
            Shown(
                firm.party,
                firm.name,
                dead,
                gain.lent_margin_minor if gain else 0,
                gain.borrowed_margin_minor if gain else 0,
            )
        )
    return tuple(shown)


@lru_cache(maxsize=4)
def ending_of(node: Node, story: Story, size: int) -> Money | None:
    """The story's money; `size` of the record, so that it follows it."""
    return money(node, story)


@get("/demo", opt={"public": True}, sync_to_thread=True)
def start(read: Read) -> Any:
    """The story's start page."""
    node = read
    story = story_of(node)
    item = node.view().get(ITEMS, story.item)
    shown = members(node, node.log.size // 500)
    firms = by_party()
    lookers = [story.customer, story.distributor, story.lender, story.competitor]
    return page(
        "demo/start.html",
        title="The bearing that is out",
        story=story,
        item=item,
        each=EACH,
        price_minor=PRICE_MINOR,
        late_days=LATE_DAYS,
        firms=firms,
        money_of=ending_of(node, story, node.log.size // 500),
        users={person.party: i for i, person in reversed(list(enumerate(PEOPLE)))},
        where=_map(story),
        members=shown,
        gains=_gains(shown),
        lookers=lookers,
        sights=sights(node, story, lookers),
        open_offers=[len(availability(node.view(party), story.item).offers) for party in lookers],
        size=node.log.size,
    )


def _map(story: Story) -> Any:
    firms = by_party()

    def point(firm: Firm, each: int, tone: str) -> Point:
        place = firm.place
        return Point(firm.name, place.latitude_microdeg / 1e6, place.longitude_microdeg / 1e6, each, "each", tone)

    points = [point(firms[source.party], source.each, "good") for source in story.sources]
    to, best = firms[story.customer], firms[story.lender]
    points.append(point(to, EACH, "warn"))
    return world("Who has the bearing, and who waits for it", points, [Flow(best.name, to.name, EACH)], unit="each")


def _gains(shown: tuple[Shown, ...]) -> Any:
    names = [one.name for one in shown]
    return bars(
        "Each member's gain in a year",
        names,
        [
            Series("as lender", [one.lent_margin_minor // 100 for one in shown]),
            Series("as borrower", [one.borrowed_margin_minor // 100 for one in shown]),
        ],
        unit="EUR",
        stacked=True,
        horizontal=True,
    )


PAGES: list[Any] = [start]
