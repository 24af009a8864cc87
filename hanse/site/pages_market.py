"""What a room's page shows of rooms that come after it: offers on an item's page, orders on a member's, matching.

Rooms import only rooms before them; pages of early rooms ask here instead.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock

from msgspec import Struct

from hanse.kernel.view import View
from hanse.planning.matching import Item as MatchItem
from hanse.planning.matching import Match, Options, match
from hanse.rooms.catalog.facts import ITEMS, OWN_ITEMS, Item, OwnItem
from hanse.rooms.catalog.rules import part_key
from hanse.rooms.inventory.offer_queries import Availability, OfferCard, availability, offers, offers_of_item
from hanse.rooms.inventory.queries import MoneyMatched, WorkLine, money_matched, worklist
from hanse.rooms.orders.queries import OrderRow, orders

SUGGESTIONS_MAX = 3
SCORE_MIN = 0.2
_KEPT_MAX = 16
ORDERS_MAX = 500


class Suggested(Struct, frozen=True):
    """One item that an own number may be.

    Attributes:
        score: 0..1. reasons: why, in plain words. method: how it would be linked. certain: the same GTIN, or the same
        brand and part number by the catalogue's own key, and nothing against it.
    """

    item: str
    score: float
    reasons: tuple[str, ...]
    method: str
    certain: bool


class Trade(Struct, frozen=True):
    """Our trade with one partner: the newest orders, and how many and how much of each side and currency."""

    rows: tuple[OrderRow, ...]
    orders: int
    more: bool
    bought: dict[str, int]
    sold: dict[str, int]


def who_has(view: View, item: str) -> Availability:
    """The reader's own free stock of an item, and what others offer to sell of it."""
    return availability(view, item)


def to_lend(view: View, item: str) -> list[OfferCard]:
    """What others offer to lend of an item."""
    return offers_of_item(view, item, offer_kind="lend")


def offered_by(view: View, party: str) -> list[OfferCard]:
    """What a party offers to the reader."""
    return [card for card in offers(view, mine=party == view.party, limit=1_000) if card.party == party]


def trade_with(view: View, party: str) -> Trade:
    """The reader's own book with a partner, of its newest orders."""
    found = orders(view, partner=party, limit=ORDERS_MAX)
    bought: dict[str, int] = {}
    sold: dict[str, int] = {}
    for row in found.rows:
        side = bought if row.side == "buy" else sold
        side[row.currency] = side.get(row.currency, 0) + row.amount_minor
    return Trade(found.rows, len(found.rows), bool(found.cursor), bought, sold)


# -- matching ------------------------------------------------------------------------------------------------------


def open_lines(view: View, limit: int, offset: int) -> list[WorkLine]:
    """Own numbers that wait for a match, the most money first."""
    return worklist(view, limit=limit, offset=offset)


def money_share(view: View) -> list[MoneyMatched]:
    """The share of the money in stock that is matched."""
    return money_matched(view)


_kept: OrderedDict[tuple[object, ...], dict[str, list[Suggested]]] = OrderedDict()
_lock = Lock()


def suggestions(view: View, net: str) -> Mapping[str, list[Suggested]]:
    """Own number -> what it may be, best first, for every own number of the reader's that is not matched.

    Computed once for a state of the reader's numbers and of the catalogue, then kept in memory.
    """
    newest = "MAX(position)"
    state = (
        net, view.party, view.count(ITEMS), view.count(ITEMS, of=newest),
        view.count(OWN_ITEMS, "circle = ?", (view.home,)), view.count(OWN_ITEMS, "circle = ?", (view.home,), of=newest),
    )  # fmt: skip
    with _lock:
        if state in _kept:
            _kept.move_to_end(state)
            return _kept[state]
    own = view.rows(OWN_ITEMS, "circle = ? AND item = ''", (view.home,), limit=100_000)
    items = view.rows(ITEMS, limit=1_000_000)
    found = _suggest(own, items)
    with _lock:
        _kept[state] = found
        while len(_kept) > _KEPT_MAX:
            _kept.popitem(last=False)
    return found


def _suggest(own: Sequence[OwnItem], items: Sequence[Item]) -> dict[str, list[Suggested]]:
    if not own or not items:
        return {}
    ours = [
        MatchItem(o.own_number, o.gtin, o.brand, o.part_number, o.description, unit=o.unit, each_per_unit=o.pack_each)
        for o in own
    ]
    theirs = [
        MatchItem(i.item, i.gtin, i.brand, i.part_number, i.description, i.about, unit=i.base_unit) for i in items
    ]
    mine, known = {o.own_number: o for o in own}, {i.item: i for i in items}
    found: dict[str, list[Suggested]] = {}
    for pair in match(ours, theirs, Options(suggestions_max=SUGGESTIONS_MAX, score_min=SCORE_MIN)):
        found.setdefault(pair.a.number, []).append(_suggested(pair, mine[pair.a.number], known[pair.b.number]))
    for options in found.values():
        options.sort(key=lambda s: (not s.certain, -s.score, s.item))
        if sum(s.certain for s in options) > 1:  # two items at once: a person decides
            options[:] = [Suggested(s.item, s.score, s.reasons, s.method, False) for s in options]
    return found


def _suggested(pair: Match, own: OwnItem, item: Item) -> Suggested:
    key = part_key(own.brand, own.part_number)
    if own.gtin and own.gtin == item.gtin:
        method = "gtin"
    elif key and key == item.part_key:
        method = "brand_part"
    else:
        method = "accepted"
    doubt = any(reason.startswith("check:") for reason in pair.reasons)
    return Suggested(item.item, pair.score, pair.reasons, method, pair.accepted and method != "accepted" and not doubt)
