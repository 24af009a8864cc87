"""The rooms: the business, one folder a capability, in the order of dependency.

A room imports only rooms before it: calls go down, events go up through the `ON` table of the subscribing room.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

ROOMS = ("parties", "catalog", "inventory", "orders")


def modules(*parts: str) -> list[ModuleType]:
    """The modules of all rooms that have the named parts, in ROOMS order: `modules("facts", "rules")`."""
    found = []
    for room in ROOMS:
        for part in parts:
            name = f"hanse.rooms.{room}.{part}"
            if importlib.util.find_spec(name) is not None:
                found.append(importlib.import_module(name))
    return found
