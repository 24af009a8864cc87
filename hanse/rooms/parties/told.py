"""What this room tells later rooms."""

from __future__ import annotations

from msgspec import Struct


class Leaving(Struct, frozen=True):
    """An alias is about to leave a group. A later room refuses where something of it is open there that could not end
    without it: who has left reads nothing new, and its home hears of nothing any more."""

    circle: str
    alias: str
