"""What an agreement is about: everything, or named items, brands and categories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hanse.rooms.catalog.facts import ITEMS

EVERYTHING = "*"
KINDS = ("item:", "brand:", "category:")


def in_scope(reader: Any, scope: Iterable[str], item: str) -> bool:
    """Whether an item is in scope; what names no item is.

    Args:
        reader: a draft or view; brand and category are those of the public catalogue.
    """
    listed = set(scope)
    if EVERYTHING in listed or not item or f"item:{item}" in listed:
        return True
    found = reader.get(ITEMS, item)
    return found is not None and bool({f"brand:{found.brand}", f"category:{found.category}"} & listed)
