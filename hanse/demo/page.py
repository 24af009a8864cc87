"""The demo's start page: the story, step by step, each step a place in the application seen with somebody's eyes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from litestar import get
from msgspec import Struct

from hanse.demo.build import STORY
from hanse.demo.cast import DISTRIBUTORS, Firm, by_party
from hanse.demo.guide import seat_of, steps, stop
from hanse.demo.page_money import Money, money, sights
from hanse.demo.story import EACH, LATE_DAYS, Story
from hanse.kernel.refusal import Refused
from hanse.node.history import told
from hanse.node.node import Node
from hanse.rooms.catalog.facts import ITEMS
from hanse.rooms.inventory.offer_queries import availability
from hanse.rooms.inventory.queries import dead_stock_value
from hanse.rooms.orders.gains import pool_gains
from hanse.rooms.orders.queries import order_page
from hanse.site.sentences import sentence
from hanse.web import DemoStop, Read, page
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


def stop_of(node: Node, name: str) -> DemoStop | None:
    """A place of the story, for the demo's bar; None for a name that is none, and where no demo is."""
    if not name or not (node.directory / STORY).exists():
        return None
    story = story_of(node)
    return stop(steps(story, ending_of(node, story, node.log.size // 500), _entries(node, story)[0]), name)


@get("/demo", opt={"public": True}, sync_to_thread=True)
def start(read: Read) -> Any:
    """The story's start page."""
    node = read
    story = story_of(node)
    shown = members(node, node.log.size // 500)
    lookers = [story.customer, story.distributor, story.lender, story.competitor]
    ending = ending_of(node, story, node.log.size // 500)
    entries = _entries(node, story)
    return page(
        "demo/start.html",
        title="The bearing that is out",
        story=story,
        steps=steps(story, ending, entries[0]),
        item=node.view().get(ITEMS, story.item),
        each=EACH,
        late_days=LATE_DAYS,
        firms=by_party(),
        money_of=ending,
        seat_of=seat_of,
        where=_map(story),
        costs=_costs(story),
        members=shown,
        gains=_gains(shown),
        gain_minor=sum(one.lent_margin_minor + one.borrowed_margin_minor for one in shown),
        dead_minor=sum(one.dead_minor for one in shown),
        lookers=lookers,
        sights=sights(node, story, lookers),
        open_offers=[len(availability(node.view(party), story.item).offers) for party in lookers],
        beside=_beside(node, story, entries),
        directory=node.directory.name,
        size=node.log.size,
    )


def _entries(node: Node, story: Story) -> list[int]:
    """Positions of the reservation's order on the record, the receipt first."""
    found = order_page(node.view(story.distributor), story.pool_order)
    return [step.entry for step in reversed(found.timeline)] if found else [0]


class Beside(Struct, frozen=True):
    """One entry as two readers have it."""

    position: int
    theirs: str
    competitors: str


def _beside(node: Node, story: Story, entries: list[int]) -> list[Beside]:
    """The same entries, told with the distributor's rights and with the competitor's; the oldest first."""
    views = [node.view(party) for party in (story.distributor, story.competitor)]
    return [
        Beside(position, *(sentence(view, told(node, view, position)).text for view in views))
        for position in sorted(set(entries))
    ]


def _map(story: Story) -> Any:
    firms = by_party()

    def point(firm: Firm, each: int, tone: str) -> Point:
        place = firm.place
        return Point(firm.name, place.latitude_microdeg / 1e6, place.longitude_microdeg / 1e6, each, "each", tone)

    points = [point(firms[source.party], source.each, "good") for source in story.sources]
    to, best = firms[story.customer], firms[story.lender]
    points.append(point(to, EACH, "warn"))
    return world("Who has the bearing, and who waits for it", points, [Flow(best.name, to.name, EACH)], unit="each")


def _costs(story: Story) -> Any:
    """Goods and freight of each source, the cheapest in all first."""
    firms, sources = by_party(), sorted(story.sources, key=lambda source: source.total_minor)
    goods = [source.unit_price_minor * EACH for source in sources]
    return bars(
        f"What {EACH} of them cost at the yard's gate",
        [firms[source.party].name for source in sources],
        [
            Series("goods", [minor / 100 for minor in goods]),
            Series("freight", [(s.total_minor - minor) / 100 for s, minor in zip(sources, goods, strict=True)]),
        ],
        unit="EUR",
        stacked=True,
        horizontal=True,
    )


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
