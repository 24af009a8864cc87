"""What programs may read of items and own numbers: path -> query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hanse.rooms.catalog import queries

READS: dict[str, Callable[..., Any]] = {
    "items": queries.search,
    "items/{item}": queries.item,
    "items/{item}/chain": queries.chain,
    "items/{item}/substitutes": queries.substitutes,
    "items-by-number/{number}": queries.item_by_any,
    "items-by-gtin/{gtin}": queries.item_by_gtin,
    "items-by-part/{brand}/{part_number}": queries.item_by_part,
    "categories": queries.categories,
    "own-items": queries.own_items,
    "own-items/{own_number}": queries.own_item,
    "matching": queries.matching,
}
