"""Recomputing a plan from what stands on the record and what its circle discloses: nothing stated is believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from msgspec import Struct

from hanse.kernel.view import View
from hanse.planning import sourcing
from hanse.rooms.plans import proofs
from hanse.rooms.plans.facts import COUNTED_MAX, OwnStock
from hanse.rooms.plans.private_rows import CUT_PARTS, LINES, OWN_PARTS, QUESTIONS, LineRow
from hanse.rooms.plans.rows import ASSIGNED, DRAWN, PLANS, SOURCES, PlanRow

ROWS_MAX = 10_000_000


@dataclass(frozen=True)
class Arrays:
    """A window's question as `hanse.planning.sourcing` reads it.

    lines [line], sources [stock], places [place]: what each row stands for. cand: (line index, source) -> candidate.
    """

    problem: sourcing.Problem
    lines: tuple[LineRow, ...]
    sources: tuple[str, ...]
    places: tuple[str, ...]
    cand: dict[tuple[int, str], int]
    source_at: dict[tuple[str, str], str] = field(default_factory=dict)
    """(place, item) -> source"""


def arrays(lines: Sequence[LineRow], stock: dict[str, int], shipments_max: int) -> Arrays:
    """The sourcing problem of these lines.

    Args:
        lines: in order of line number. stock: source -> each; more than a plan can count is counted as much as it can.
            An option without stock is left out.
    Raises ValueError, in order: a source at two places, two sources of one item at one place, an opening cost that
        differs within an order and place; then as `sourcing.Problem.of`.
    """
    at: dict[str, tuple[str, str]] = {}
    opening: dict[tuple[int, str], int] = {}
    for line in lines:
        for option in line.options:
            if option.source not in stock:
                continue
            if at.setdefault(option.source, (option.place, line.item)) != (option.place, line.item):
                raise ValueError(f"source {option.source} stands at two places, or holds two items")
            if opening.setdefault((line.order_no, option.place), option.open_minor) != option.open_minor:
                raise ValueError(f"order {line.order_no}: a shipment from {option.place} has two costs")
    holders = {place: source for source, place in at.items()}
    if len(holders) != len(at):
        raise ValueError("two sources of one item stand at one place")
    sources = tuple(sorted(at))
    places = tuple(sorted({place for place, _ in at.values()}))
    items = {item: k for k, item in enumerate(sorted({line.item for line in lines}))}
    number = {place: k for k, place in enumerate(places)}
    orders = {no: k for k, no in enumerate(sorted({line.order_no for line in lines}))}
    cand: dict[tuple[int, str], int] = {}
    cand_place: list[int] = []
    cand_cost: list[int] = []
    ptr = [0]
    for at_line, line in enumerate(lines):
        for option in line.options:
            if option.source in at:
                cand[at_line, option.source] = len(cand_place)
                cand_place.append(number[option.place])
                cand_cost.append(option.cost_minor)
        ptr.append(len(cand_place))
    pairs = sorted(opening)
    problem = sourcing.Problem.of(
        line_order=_ints([orders[line.order_no] for line in lines]),
        line_item=_ints([items[line.item] for line in lines]),
        line_qty_each=_ints([line.each for line in lines]),
        line_penalty_minor=_ints([line.penalty_minor for line in lines]),
        line_whole=np.array([line.ship_whole for line in lines], bool),
        cand_ptr=_ints(ptr),
        cand_place=_ints(cand_place),
        cand_cost_minor=_ints(cand_cost),
        open_order=_ints([orders[no] for no, _ in pairs]),
        open_place=_ints([number[place] for _, place in pairs]),
        open_cost_minor=_ints([opening[pair] for pair in pairs]),
        stock_site=_ints([number[at[source][0]] for source in sources]),
        stock_item=_ints([items[at[source][1]] for source in sources]),
        stock_total_each=_ints([min(stock[source], COUNTED_MAX) for source in sources]),
        order_shipments_max=shipments_max,
    )
    return Arrays(problem, tuple(lines), sources, places, cand, {place: source for source, place in at.items()})


def _ints(values: Sequence[int]) -> sourcing.problem.Ints:
    return np.array(values, np.int64)


class Checked(Struct, frozen=True):
    """What a recomputation found. `faults`: every one, in words; none where the plan is as it says."""

    plan: str
    faults: tuple[str, ...]
    bound_scaled: int = 0
    bound_minor: int = 0
    cost_minor: int = 0
    gap_ppm: int = 0

    @property
    def ok(self) -> bool:
        return not self.faults


def question(view: View, circle: str, window: str) -> Arrays | None:
    """A window's question, from what the reader may read; None where the reader may not, or not all of it came."""
    asked = view.get(QUESTIONS, circle, window)
    if asked is None or not asked.whole:
        return None
    lines = view.rows(LINES, "circle = ? AND window = ?", (circle, window), order="line", limit=ROWS_MAX)
    stock = {row.offer: row.each for row in view.rows(SOURCES, "window = ?", (window,), limit=ROWS_MAX)}
    return arrays(lines, stock | own_stock(asked.own_stock), asked.shipments_max)


def own_stock(rows: Sequence[OwnStock]) -> dict[str, int]:
    return {row.source: row.each for row in rows}


def plan_of(view: View, row: PlanRow, asked: Arrays) -> tuple[sourcing.Plan, list[str]]:
    """The plan with its prices, as arrays of the question; and what of it the question does not know."""
    problem, faults = asked.problem, []
    units = np.zeros(problem.cand_place.size, np.int64)
    price = np.zeros(len(asked.sources), np.int64)
    line_at = {line.line: k for k, line in enumerate(asked.lines)}
    source_at = {source: k for k, source in enumerate(asked.sources)}
    parts = view.rows(OWN_PARTS, "circle = ? AND plan = ?", (row.circle, row.plan), order="part", limit=ROWS_MAX)
    taken = [(one.line, one.offer, one.each) for one in view.rows(ASSIGNED, "plan = ?", (row.plan,), limit=ROWS_MAX)]
    taken += [one for part in parts for one in part.assignments]
    for line, source, each in taken:
        found = asked.cand.get((line_at.get(line, -1), source))
        if found is None:
            faults.append(f"line {line} may not be served from {source}")
        else:
            units[found] += each
    prices = [(d.offer, d.price_scaled) for d in view.rows(DRAWN, "plan = ?", (row.plan,), limit=ROWS_MAX)]
    for source, scaled in prices + [one for part in parts for one in part.prices]:
        if scaled > 0 and source in source_at:
            price[source_at[source]] = scaled
        elif scaled > 0:
            faults.append(f"{source} has a price and serves no line")
    stated = proofs.prices_of(asked, row.scale, price)
    rows = view.rows(CUT_PARTS, "circle = ? AND plan = ?", (row.circle, row.plan), order="part", limit=ROWS_MAX)
    cuts, unknown = proofs.read(asked, row.scale, rows)
    faults += unknown
    opened = np.zeros(problem.open_order.size, np.uint8)
    opened[problem.cand_pair[units > 0]] = 1
    return sourcing.Plan(units, opened, row.cost_minor, stated, cuts=cuts), faults


def check_plan(view: View, plan: str) -> Checked | None:
    """Recompute a plan's feasibility, cost, bound, gap and certificate; None where the reader may not know its costs.

    Faults, in order: what the question does not know; every rule that the plan breaks, by name; prices out of range;
    bound, gap and certificate that are not what was stated.
    """
    row = view.get(PLANS, plan)
    if row is None:
        return None
    try:
        asked = question(view, row.circle, row.window)
    except ValueError as error:
        return Checked(plan, (f"the question is no problem: {error}",))
    if asked is None:
        return None
    found, faults = plan_of(view, row, asked)
    faults += sourcing.violations(asked.problem, found)
    try:
        proof = sourcing.certificate(asked.problem, found, by_cuts=True)  # those that it carries
    except ValueError as error:
        return Checked(plan, (*faults, str(error)), cost_minor=row.cost_minor)
    if proof.bound_scaled != row.bound_scaled:
        faults.append(f"bound: stated {row.bound_scaled} at the scale, these prices prove {proof.bound_scaled}")
    if proof.gap_ppm != row.gap_ppm:
        faults.append(f"gap: stated {row.gap_ppm} ppm, is {proof.gap_ppm} ppm")
    if not faults and proof.digest != row.certificate:
        faults.append("certificate: not that of this question, plan and prices")
    return Checked(plan, tuple(faults), proof.bound_scaled, proof.lower_bound_minor, row.cost_minor, proof.gap_ppm)


def recheck_all(view: View) -> list[Checked]:
    """Every complete plan whose costs the reader may read, recomputed; those that hold have no faults.

    A plan that is attested good and does not hold, or attested bad and holds, says so as a fault of the attestation.
    """
    found = []
    for row in view.rows(PLANS, "parts_in = parts", order="plan", limit=ROWS_MAX):
        if row.circle in view.circles and (checked := check_plan(view, row.plan)) is not None:
            if checked.ok and row.bad:
                wrong = f"{row.bad} attested bad what holds"
                checked = Checked(
                    row.plan, (wrong,), checked.bound_scaled, checked.bound_minor, row.cost_minor, row.gap_ppm
                )
            found.append(checked)
    return found
