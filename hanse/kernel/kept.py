"""What the kernel itself keeps in state: retries, timers, refusals, running hashes."""

from __future__ import annotations

from typing import Any

from hanse.kernel.rows import Row
from hanse.kernel.tables import Table


class Timer(Row, frozen=True, kw_only=True):
    """A wait: at ledger time `due` the timer rule `name` runs with `args`.

    `circle`: where the wait belongs to a circle, its circle timer rule runs too, on the nodes that read the circle.
    """

    due: int
    id: str
    name: str
    circle: str = ""
    args: tuple[str, ...] = ()


class Seen(Row, frozen=True, kw_only=True):
    """The retry index: (key, nonce) -> where the fact stands."""

    kid: str
    nonce: int
    exp: int
    hash: bytes
    code: str


class Refusals(Row, frozen=True, kw_only=True):
    """How often a key was refused in the ledger hour `hour`."""

    kid: str
    hour: int
    count: int


class Chain(Row, frozen=True, kw_only=True):
    """A circle's running hash over its outcomes (position, code) and the rows that each block left changed: what its
    parties compare. `count`: outcomes so far."""

    circle: str
    hash: bytes
    count: int


class PrivateOutcome(Row, frozen=True, kw_only=True):
    """A private rule's refusal: the public outcome stands, the circle knows better."""

    circle: str
    at: int
    code: str


class Meta(Row, frozen=True, kw_only=True):
    """One row: where the state stands. `size`: entries applied. `swept_day`: day of the last retry sweep."""

    one: int = 1
    net: str
    height: int
    time: int
    size: int
    state: bytes
    swept_day: int = 0


class Placed(Row, frozen=True, kw_only=True):
    """Where a block lies on the record: its header is entry `first`, its last leaf the one before `stop`."""

    first: int
    stop: int
    height: int
    time: int


TIMERS = Table("kernel_timer", Timer, ("due", "id"), often_new=True)
SEEN = Table("kernel_seen", Seen, ("kid", "nonce"))
REFUSALS = Table("kernel_refusals", Refusals, ("kid",))
META = Table("kernel_meta", Meta, ("one",))
CHAIN = Table("kernel_chain", Chain, ("circle",), circle=True)
PRIVATE_OUTCOMES = Table("kernel_private_outcome", PrivateOutcome, ("circle", "at"), circle=True)
BLOCKS = Table("kernel_block", Placed, ("first",))
"""For readers: of an entry the block. It repeats the record's headers, and like `META` is no part of the hashes."""
KERNEL_TABLES: tuple[Table[Any], ...] = (TIMERS, SEEN, REFUSALS, META, CHAIN, PRIVATE_OUTCOMES, BLOCKS)
