"""What state holds of plans in confidence: the windows' lines and costs, own stock, why a plan is bad."""

from __future__ import annotations

from hanse.kernel.rows import Row
from hanse.kernel.tables import Table
from hanse.rooms.plans.facts import Option, OwnStock, PlanCut, PlanLine


class Question(Row, frozen=True, kw_only=True):
    """A window's question. `running`: hash of the parts so far. `whole`: all are here, and are what was announced."""

    circle: str
    window: str
    running: str
    parts_in: int
    whole: bool
    shipments_max: int
    currency: str
    about: str
    own_stock: tuple[OwnStock, ...]


class LineRow(Row, frozen=True, kw_only=True):
    circle: str
    window: str
    line: int
    order_no: int
    reference: str
    item: str
    each: int
    penalty_minor: int
    ship_whole: bool
    options: tuple[Option, ...]


def line_row(circle: str, window: str, line: PlanLine) -> LineRow:
    """A line as the circle keeps it."""
    return LineRow(
        circle=circle,
        window=window,
        line=line.line,
        order_no=line.order,
        reference=line.reference,
        item=line.item,
        each=line.each,
        penalty_minor=line.penalty_minor,
        ship_whole=line.whole,
        options=tuple(line.options),
    )


class OwnPart(Row, frozen=True, kw_only=True):
    """What a firm's plan takes from own stock, part by part: (line, source, each), (source, price x scale)."""

    circle: str
    plan: str
    part: int
    assignments: tuple[tuple[int, str, int], ...]
    prices: tuple[tuple[str, int], ...]


class CutPart(Row, frozen=True, kw_only=True):
    """What proves a plan's bound where its prices alone prove less, part by part: cuts, and (source, price x scale)."""

    circle: str
    plan: str
    part: int
    cuts: tuple[PlanCut, ...]
    prices: tuple[tuple[str, int], ...]


class Verdict(Row, frozen=True, kw_only=True):
    """Why a reader attested as it did; "" for good."""

    circle: str
    plan: str
    alias: str
    faults: str


class RuleRow(Row, frozen=True, kw_only=True):
    """What a firm accepts of its replenishment proposals without looking at each. `ended`: no longer."""

    circle: str
    rule_id: str
    seller: str
    source_kind: str
    currency: str
    line_max_minor: int
    total_max_minor: int
    ended: bool = False


QUESTIONS = Table("plans_question", Question, ("circle", "window"), circle=True)
LINES = Table("plans_line", LineRow, ("circle", "window", "line"), circle=True)
OWN_PARTS = Table("plans_own_part", OwnPart, ("circle", "plan", "part"), circle=True)
CUT_PARTS = Table("plans_cut_part", CutPart, ("circle", "plan", "part"), circle=True)
VERDICTS = Table("plans_verdict", Verdict, ("circle", "plan", "alias"), circle=True)
RULES = Table("plans_rule", RuleRow, ("circle", "rule_id"), circle=True)
