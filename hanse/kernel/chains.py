"""Chains: each circle's running hash, which its parties compare."""

from __future__ import annotations

import hashlib
from typing import Any

from hanse.kernel.kept import CHAIN, Chain
from hanse.kernel.state import Rows, State

Heard = dict[str, list[tuple[int, str]]]
"""circle -> (position, code) of each private outcome in a block, in order."""


def chain(state: State, heard: Heard, changes: dict[str, Rows]) -> None:
    """Write the running hash of every circle that heard something: outcomes in order, then rows as the block left them.

    Args:
        changes: of circle tables, by name.
    """
    rows: dict[str, dict[str, Rows]] = {circle: {} for circle in heard}
    for name, changed in changes.items():
        for circle, mine in _by_circle(changed).items():
            rows.setdefault(circle, {})[name] = mine
    for circle, outcomes in heard.items():
        before, left = state.get(CHAIN, (circle,)), rows[circle]
        running = hashlib.sha256(before.hash if before else b"")
        running.update(b"".join([b"%d %b " % (position, code.encode()) for position, code in outcomes]))
        running.update(state.digest(left, left))
        count = len(outcomes) + (before.count if before else 0)
        row = Chain(circle=circle, hash=running.digest(), count=count, position=outcomes[-1][0])
        state.written(CHAIN, (circle,), row)


def _by_circle(rows: Rows) -> dict[str, Rows]:
    """Rows of a circle table, by circle."""
    found: dict[str, Rows] = {}
    for key, row in rows.items():
        circle: Any = key[0]
        mine = found.get(circle)
        if mine is None:
            mine = found[circle] = {}
        mine[key] = row
    return found
