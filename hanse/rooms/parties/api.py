"""What programs may read of members and the own firm: path -> query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hanse.rooms.parties import queries

READS: dict[str, Callable[..., Any]] = {
    "parties": queries.parties,
    "parties/{party}": queries.party,
    "parties/{owner}/keys": queries.keys,
    "sites": queries.sites,
    "staff": queries.staff,
    "permits": queries.permits,
    "channels": queries.channels,
    "circles": queries.circles,
    "circles/{circle}": queries.circle_card,
}
