"""Public names of the demo: as a firm's node makes them, they tell a stranger nothing of firms, goods or each other."""

from __future__ import annotations

from hanse.importers.facts_ids import hidden_id


def opaque(prefix: str, *parts: str | int) -> str:
    """A name for something that only its parties know. The demo's salt is no secret, so that every run is the same;
    a node has its own.

    >>> opaque("o", "TT", "WW", 7) == opaque("o", "TT", "WW", 7) != opaque("o", "TT", "WW", 8)
    True
    """
    return hidden_id(b"the demo hides nothing from its readers", prefix, *parts)
