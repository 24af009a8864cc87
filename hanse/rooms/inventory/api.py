"""What programs may read of stock and offers: path -> query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hanse.kernel.view import View
from hanse.rooms.inventory import offer_queries, queries
from hanse.rooms.inventory.facts import Movement
from hanse.rooms.inventory.queries import StockRow

NEWEST = 2**62


def movements(
    view: View, own_number: str, before_entry: int = NEWEST, before_n: int = 0, limit: int = 100
) -> list[Movement]:
    """The journal of an own number, newest first; the next page begins before the last row's `entry` and `n`."""
    return queries.movements(view, own_number, before=(before_entry, before_n), limit=limit)


def stock_at(
    view: View, site: str, after_number: str = "", after_lot: str = "", after_owner: str = "", limit: int = 200
) -> list[StockRow]:
    """What stands at a site; the next page begins after the last row's own number, lot and owner."""
    return queries.stock_at(view, site, after=(after_number, after_lot, after_owner), limit=limit)


READS: dict[str, Callable[..., Any]] = {
    "stock": queries.stock_list,
    "stock/{own_number}": queries.stock_card,
    "stock/{own_number}/movements": movements,
    "stock/{own_number}/serials": queries.serials,
    "sites/{site}/stock": stock_at,
    "stock-value": queries.stock_value,
    "dead-stock": queries.dead_stock,
    "kept-for-others": queries.kept_for_others,
    "held-elsewhere": queries.held_elsewhere,
    "matching/worklist": queries.worklist,
    "matching/money": queries.money_matched,
    "offers": offer_queries.offers,
    "offers/{circle}/{offer}": offer_queries.offer,
    "items/{item}/offers": offer_queries.offers_of_item,
    "items/{item}/availability": offer_queries.availability,
    "wants": offer_queries.wants,
    "borrow-matches": offer_queries.borrow_matches,
    "lend-matches": offer_queries.lend_matches,
    "transfers": offer_queries.transfers,
    "transfers/{circle}/{transfer}": offer_queries.transfer,
}
