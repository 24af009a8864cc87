"""What a room's page shows of rooms that come after it: offers on an item's page, orders on a member's, matching.

Rooms import only rooms before them; pages of early rooms ask here instead.
"""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.accounts.rows import ITEMS
from hanse.rooms.inventory.offer_queries import Availability, OfferCard, availability, offers, offers_of_item
from hanse.rooms.inventory.queries import MoneyMatched, WorkLine, money_matched, worklist
from hanse.rooms.orders.lending import Lent, lent_out
from hanse.rooms.orders.naming import order_name, shipment_name
from hanse.rooms.orders.queries import OrderRow, orders

ORDERS_MAX = 500


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


def called(view: View, name: str, circle: str = "") -> str:
    """An order's or a shipment's id as the reader's firm calls it; anything else as it is.

    Args:
        circle: where invoices are looked up; those there are called by their issuer's own number.
    """
    found = order_name(view, name)
    if found != name:
        return found
    row = view.get(ITEMS, circle, name) if circle else None
    return row.reference or name if row else shipment_name(view, name)


def lent(view: View) -> tuple[Lent, ...]:
    """The reader's goods that partners have borrowed by order."""
    return lent_out(view)


# -- matching ------------------------------------------------------------------------------------------------------


def open_lines(view: View, limit: int, offset: int) -> list[WorkLine]:
    """Own numbers that wait for a match, the most money first."""
    return worklist(view, limit=limit, offset=offset)


def money_share(view: View) -> list[MoneyMatched]:
    """The share of the money in stock that is matched."""
    return money_matched(view)
