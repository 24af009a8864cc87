"""The rooms: the business, one folder a capability, in the order of dependency.

A room imports only rooms before it: calls go down, events go up through the `ON` table of the subscribing room.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from types import ModuleType

ROOMS = ("parties", "catalog", "inventory", "orders", "contracts", "accounts", "group", "plans")
RULE_PARTS = (
    *("facts", "offer_facts", "delivery_facts", "rows", "private_rows"),
    *("keys", "rules", "circles", "own_numbers", "stock", "offers", "transfers"),
    *("quotes", "delivery", "after", "terms", "delivery_terms", "books"),
    *("clock", "agreeing", "attesting", "disputing", "from_orders"),
    *(
        "deal_facts",
        "invoicing",
        "accruals",
        "paying",
        "own_books",
        "escrow",
        "assigning",
        "cycles",
        "rebates",
        "homes",
    ),
)
"""The parts that hold facts, tables and rules; a room that outgrows one file names its further parts here."""


def modules(*parts: str, rooms: Sequence[str] = ROOMS) -> list[ModuleType]:
    """The modules of the rooms that have the named parts, in the order of `rooms`: `modules(*RULE_PARTS)`."""
    found = []
    for room in rooms:
        if importlib.util.find_spec(f"hanse.rooms.{room}") is None:
            continue
        for part in parts:
            name = f"hanse.rooms.{room}.{part}"
            if importlib.util.find_spec(name) is not None:
                found.append(importlib.import_module(name))
    return found
