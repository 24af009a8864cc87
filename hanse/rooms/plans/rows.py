"""What everybody sees of plans: which offers they draw on, how much, at which prices, and what readers attest."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.rows import Row
from hanse.kernel.tables import Table

FILLING, OPEN, ENDED = "filling", "open", "ended"
"""Of a window."""
STANDING, WITHDRAWN, WON, LOST = "standing", "withdrawn", "won", "lost"
"""Of a plan; `filling` before its last part."""


class Window(Row, frozen=True, kw_only=True):
    """`best`: the plan that would win now. `winner`: the one that did, "" for none."""

    window: str
    circle: str
    opener: str
    problem: str
    ends_at: int
    opened_at: int
    parts: int
    parts_in: int
    state: str
    plans: int = 0
    best: str = ""
    winner: str = ""


class SourceRow(Row, frozen=True, kw_only=True):
    """`each`: what was open of the offer when the window opened."""

    window: str
    offer: str
    each: int


class Refused(Struct, frozen=True, array_like=True):
    """An assignment that is refused, and why: `ended`, or `not_enough`."""

    line: int
    offer: str
    each: int
    why: str


class PlanRow(Row, frozen=True, kw_only=True):
    """`running`: the hash of the parts so far. `refused`: the assignments that do not stand."""

    plan: str
    window: str
    circle: str
    planner: str
    plan_hash: str
    certificate: str
    scale: int
    bound_scaled: int
    bound_minor: int
    cost_minor: int
    gap_ppm: int
    parts: int
    parts_in: int
    running: str
    state: str
    proposed_at: int
    good: int = 0
    bad: int = 0
    refused: tuple[Refused, ...] = ()

    @property
    def refused_each(self) -> int:
        return sum(one.each for one in self.refused)


class Assigned(Row, frozen=True, kw_only=True):
    plan: str
    line: int
    offer: str
    each: int


class Drawn(Row, frozen=True, kw_only=True):
    """What a plan draws of an offer in sum, and its price, minor units x scale."""

    plan: str
    offer: str
    each: int = 0
    price_scaled: int = -1


class Attestation(Row, frozen=True, kw_only=True):
    plan: str
    alias: str
    good: bool
    bound_scaled: int
    at: int


class Standing(Row, frozen=True, kw_only=True):
    """A circle's last winning plan: its prices are the bid prices of promises made until the next."""

    circle: str
    plan: str
    window: str
    decided_at: int


WINDOWS = Table("plans_window", Window, ("window",), index=[("circle", "opened_at")])
SOURCES = Table("plans_source", SourceRow, ("window", "offer"))
PLANS = Table("plans_plan", PlanRow, ("plan",), index=[("window",), ("circle", "proposed_at")])
ASSIGNED = Table("plans_assigned", Assigned, ("plan", "line", "offer"))
DRAWN = Table("plans_drawn", Drawn, ("plan", "offer"))
ATTESTED = Table("plans_attested", Attestation, ("plan", "alias"))
STANDINGS = Table("plans_standing", Standing, ("circle",))
