"""What this room tells later rooms."""

from __future__ import annotations

from msgspec import Struct

EMPTY_FROM = 1_795_370_400
"""2026-11-22, 18:00 UTC: from then on who leaves a group has nothing open there: docs/decisions/0017."""


class Leaving(Struct, frozen=True):
    """An alias is about to leave a group. A later room refuses where something of it is open there that could not end
    without it: who has left reads nothing new, and its home hears of nothing any more."""

    circle: str
    alias: str
