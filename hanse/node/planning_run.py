"""Planning, part two: solve what is asked, propose the plan, have it attested.

Every door (command line, page) plans through `plan`, `attest_all` and `planning_orders.apply`; each step is a signed
fact like anybody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from hanse.kernel.refusal import Refused, require
from hanse.node.desk import Desk, Who
from hanse.node.freight import tariff_for
from hanse.node.planning import OWN, Asked, assemble
from hanse.node.planning_lines import LeftOut
from hanse.node.planning_work import Cancel, Progress, solve
from hanse.node.proposing import STANDARD_TARIFF
from hanse.planning import sourcing
from hanse.rooms.parties.facts import MEMBERS
from hanse.rooms.plans.checking import Arrays, Checked, check_plan, question
from hanse.rooms.plans.facts import (
    ASSIGNMENTS_PER_PART_MAX,
    LINES_PER_PART_MAX,
    AddAssignments,
    AddLines,
    Attest,
    OpenWindow,
    Propose,
    WithdrawPlan,
)
from hanse.rooms.plans.proofs import prove
from hanse.rooms.plans.rows import ATTESTED, PLANS, STANDING
from hanse.rooms.plans.rows import Refused as RefusedPart
from hanse.rooms.plans.rules import lines_hash, plan_hash

WINDOW_SECONDS = 600
REPLANS_MAX = 3
ATTESTERS_MAX = 3
FAULTS_TOLD = 20
Kept = dict[tuple[str, str], int]
"""(line's reference, source) -> each: an earlier plan that is kept where nothing changed."""


def _assembled(desk: Desk, circle: str, currency: str) -> Asked:
    """A firm's own book is reckoned at its own freight; a group's lines at the estimate, which all members can check.

    What a firm pays its carriers would show in the costs of a group's plan.
    """
    own = desk.view.home and circle in ("", desk.view.home)
    tariff = partial(tariff_for, desk) if own else STANDARD_TARIFF
    return assemble(desk.view, circle, currency=currency, tariff=tariff)


def _quiet(stage: object) -> None:
    return None


def _never() -> bool:
    return False


class Way(Struct, frozen=True):
    """How to look. seconds: of wall time, None with `rounds`: the plan then depends on the question and seed alone.
    worker: in a process of its own."""

    seconds: float | None = 10.0
    rounds: int | None = None
    seed: int = 0
    worker: bool = True
    progress: Progress = _quiet
    cancel: Cancel = _never

    def told_in(self, currency: str) -> Way:
        """The same, told with the amounts' currency."""
        return replace(self, progress=lambda stage: self.progress(replace(stage, currency=currency)))

    def solve(self, given: Arrays, **more: object) -> sourcing.Plan:
        return solve(
            given.problem, seconds=self.seconds, rounds=self.rounds, seed=self.seed, worker=self.worker,
            progress=self.progress, cancel=self.cancel, cuts=True, **more,
        )  # fmt: skip


class Planned(Struct, frozen=True):
    """What came of planning.

    plan, window: as on the record. refused: what did not stand of earlier tries, in place of which `replans` followed.
    attested: who attested it good. finished: not cancelled.
    """

    plan: str
    window: str
    circle: str
    cost_minor: int
    bound_minor: int
    gap_ppm: int
    currency: str
    lines: int
    options: int
    asked_each: int
    served_each: int
    left_out: list[LeftOut]
    refused: list[RefusedPart]
    replans: int
    attested: list[str]
    finished: bool


def plan(
    desk: Desk,
    circle: str = "",
    *,
    way: Way | None = None,
    currency: str = "",
    window_seconds: int = WINDOW_SECONDS,
    attesters: Sequence[str] | None = None,
) -> Planned:
    """Re-source all open lines of the desk's firm, or of a group: assemble, solve, open a window, propose, attest.

    Where an offer ended meanwhile, the plan is refused in part, by name: then what stands of it is the start, what
    changed is planned again, and the new plan takes the old one's place.

    Args:
        attesters: see `attest_all`.
    Refuses, in order: desk.not_permitted, as `assemble`, as the rules of `plans`.
    """
    way = way or Way()
    permitted = desk.may(OpenWindow) and desk.may(Propose)
    require(permitted, "desk.not_permitted", "your role does not sign this", got=desk.who.role)
    refused: list[RefusedPart] = []
    kept: Kept = {}
    old, replans = "", 0
    while True:
        asked = _assembled(desk, circle, currency)
        asked, given, found = solve_asked(asked, way.told_in(asked.currency), kept)
        try:
            window, given, found = _open(desk, asked, window_seconds, way, found)
        except Refused as gone:
            if gone.code != "inventory.offer_ended" or replans >= REPLANS_MAX:
                raise
            kept, replans = keep(given, found), replans + 1
            continue
        name = propose(desk, asked.circle, window, given, found)
        if old:
            desk.do(WithdrawPlan(circle=asked.circle, plan=old))
        row = desk.view.get(PLANS, name)
        assert row is not None, "it was accepted"
        if not row.refused or replans >= REPLANS_MAX:
            break
        refused += row.refused
        kept, old, replans = keep(given, found), name, replans + 1
    return Planned(
        plan=name,
        window=window,
        circle=asked.circle,
        cost_minor=row.cost_minor,
        bound_minor=row.bound_minor,
        gap_ppm=row.gap_ppm,
        currency=asked.currency,
        lines=len(asked.lines),
        options=asked.options_n,
        asked_each=sum(line.each for line in asked.lines),
        served_each=int(found.units.sum()),
        left_out=asked.left_out,
        refused=refused,
        replans=replans,
        attested=attest_all(desk, name, attesters),
        finished=found.finished,
    )


# -- solving -------------------------------------------------------------------------------------------------------


def solve_asked(asked: Asked, way: Way, kept: Kept | None = None) -> tuple[Asked, Arrays, sourcing.Plan]:
    """Solve a question so that packs and smallest quantities are kept.

    Lines that would break one are planned again: first from one place alone; where no place has all of it, without the
    sources that they would break; last without any source that has packs.

    Args:
        kept: an earlier plan; orders whose sources did not change stay as they are.
    """
    tried: set[int] = set()
    while True:
        given = asked.arrays()
        found = way.solve(given, **_start(given, kept or {}))
        broken = broken_packs(asked, given, found)
        taken = keep(given, found)
        served = {reference for reference, _ in taken}
        left = {line.line for line in asked.lines if line.whole and line.line in tried and line.reference not in served}
        if not broken and not left:
            return asked, given, found
        fresh = {line for line, _ in broken} - tried
        again = {line for line, _ in broken} & tried | left
        packed = {(one.line, o.source) for one in asked.lines for o in one.options if o.source in asked.packs}
        misfit = {(n, s) for n, s in packed if n in fresh and not _fits(asked, n, s)}
        asked = asked.without(misfit | {(n, s) for n, s in packed if n in again}).whole(fresh, True).whole(again, False)
        tried |= fresh
        kept = taken


def _fits(asked: Asked, number: int, source: str) -> bool:
    """Whether a line as a whole keeps a source's pack and smallest quantity."""
    pack, least = asked.packs[source]
    each = asked.demands[number].each
    return each % pack == 0 and each >= least


def broken_packs(asked: Asked, given: Arrays, found: sourcing.Plan) -> set[tuple[int, str]]:
    """(line, source) where the plan takes less than the source's smallest quantity, or no whole packs."""
    broken = set()
    for (at, source), cand in given.cand.items():
        pack, least = asked.packs.get(source, (1, 1))
        each = int(found.units[cand])
        if each and (each % pack or each < least):
            broken.add((given.lines[at].line, source))
    return broken


def keep(given: Arrays, found: sourcing.Plan) -> Kept:
    """What a plan takes from where, by the lines' references."""
    return {
        (given.lines[at].reference, source): int(found.units[cand])
        for (at, source), cand in given.cand.items()
        if found.units[cand]
    }


def _start(given: Arrays, kept: Kept) -> dict[str, object]:
    """Arguments that let a solver begin at an earlier plan, and re-plan what changed alone."""
    if not kept:
        return {}
    problem = given.problem
    units = np.zeros(problem.cand_place.size, np.int64)
    for (at, source), cand in given.cand.items():
        units[cand] = kept.get((given.lines[at].reference, source), 0)
    before: dict[str, int] = {}
    for (reference, _), each in kept.items():
        before[reference] = before.get(reference, 0) + each
    now = np.add.reduceat(units, problem.cand_ptr[:-1]) if units.size and (np.diff(problem.cand_ptr) > 0).all() else [
        int(units[a:b].sum()) for a, b in zip(problem.cand_ptr[:-1], problem.cand_ptr[1:], strict=True)
    ]  # fmt: skip
    changed = np.array(
        [each < line.each or each != before.get(line.reference, 0) for line, each in zip(given.lines, now, strict=True)]
    )
    zero = np.zeros(len(given.sources), np.int64)
    prices = sourcing.Prices(1000, zero, zero.copy(), np.zeros(problem.places, np.int64), 0)
    return {"start": sourcing.plan_of(problem, units, prices), "changed_lines": changed}


# -- on the record -------------------------------------------------------------------------------------------------


def _open(
    desk: Desk, asked: Asked, window_seconds: int, way: Way, found: sourcing.Plan
) -> tuple[str, Arrays, sourcing.Plan]:
    """Ask the question on the record; where an offer shrank since it was read, solve once more. (window, its arrays,
    the plan of those)."""
    window = open_window(desk, asked, window_seconds)
    fixed = question(desk.view, asked.circle, window)
    assert fixed is not None, "the desk's party reads what it asked"
    if not np.array_equal(fixed.problem.stock_total_each, asked.arrays().problem.stock_total_each):
        found = way.solve(fixed, start=found)
    return window, fixed, found


def open_window(desk: Desk, asked: Asked, window_seconds: int = WINDOW_SECONDS) -> str:
    """Open a window for a question, part by part; its name. Refuses: as the rules of `plans.open`."""
    window = f"W-{desk.node.wallet.new_id('x')[2:14]}"
    lines = asked.lines
    chunks = [lines[k : k + LINES_PER_PART_MAX] for k in range(0, len(lines), LINES_PER_PART_MAX)] or [[]]
    own = {one.source: one for one in asked.own}
    named: set[str] = set()
    running = ""
    for chunk in chunks:
        running = lines_hash(running, chunk)
    for number, chunk in enumerate(chunks, 1):
        fresh = sorted({option.source for line in chunk for option in line.options} - named)
        named.update(fresh)
        offers = [source for source in fresh if not source.startswith(OWN)]
        held = [own[source] for source in fresh if source.startswith(OWN)]
        if number == 1:
            desk.do(OpenWindow(
                circle=asked.circle, window=window, ends_at=_now(desk) + window_seconds, problem=running,
                parts=len(chunks), offers=offers, lines=chunk, own_stock=held, shipments_max=asked.shipments_max,
                currency=asked.currency, about="",
            ))  # fmt: skip
        else:
            desk.do(AddLines(circle=asked.circle, window=window, part=number, offers=offers, lines=chunk,
                             own_stock=held))  # fmt: skip
    return window


def _now(desk: Desk) -> int:
    return max(desk.view.now, int(desk.node.clock()))


def propose(desk: Desk, circle: str, window: str, given: Arrays, found: sourcing.Plan) -> str:
    """Propose a solved plan; its name. Refuses: as the rules of `plans.propose`.

    Both kinds of price of a source are published as their sum: to no order is anything its own here. Where cuts prove
    more, the circle gets them too.
    """
    assert found.prices is not None, "a solver's plan carries prices"
    whole = found.prices.total + found.prices.foreign
    proof, cut_parts = prove(given, found.units, found.prices, found.cuts)
    taken = [
        (given.lines[at].line, source, int(found.units[cand]))
        for (at, source), cand in sorted(given.cand.items())
        if found.units[cand]
    ]
    priced = [(source, int(price)) for source, price in zip(given.sources, whole, strict=True) if price]
    mine = [one for one in taken if one[1].startswith(OWN)]
    own_priced = [one for one in priced if one[0].startswith(OWN)]
    taken = [one for one in taken if not one[1].startswith(OWN)]
    priced = [one for one in priced if not one[0].startswith(OWN)]
    size = ASSIGNMENTS_PER_PART_MAX
    parts = max(1, len(cut_parts), -(-max(len(taken), len(priced), len(mine), len(own_priced)) // size))
    running = ""
    for k in range(parts):
        running = plan_hash(running, taken[k * size : (k + 1) * size], priced[k * size : (k + 1) * size])
    name = f"P-{desk.node.wallet.new_id('x')[2:14]}"
    for k in range(parts):
        cut = slice(k * size, (k + 1) * size)
        part: dict[str, Any] = {
            "circle": circle, "plan": name, "assignments": taken[cut], "prices": priced[cut],
            "own_assignments": mine[cut], "own_prices": own_priced[cut],
        }  # fmt: skip
        if k < len(cut_parts):
            part |= {"cuts": list(cut_parts[k].cuts), "cut_prices": list(cut_parts[k].prices)}
        if k:
            desk.do(AddAssignments(part=k + 1, **part))
            continue
        desk.do(Propose(
            window=window, plan_hash=running, certificate=proof.digest, scale=proof.scale,
            bound_scaled=proof.bound_scaled, cost_minor=proof.cost_minor, gap_ppm=proof.gap_ppm, parts=parts, **part,
        ))  # fmt: skip
    return name


# -- attesting -----------------------------------------------------------------------------------------------------


def attest(desk: Desk, name: str) -> Checked:
    """Recompute a plan from what the desk's party may read, and sign what was found.

    Refuses, in order: plans.unknown_plan (also to who may not know its costs), as the rule of `plans.attest`.
    """
    checked = check_plan(desk.view, name)
    row = desk.view.get(PLANS, name)
    if checked is None or row is None:
        raise Refused("plans.unknown_plan", "no such plan, or its costs were not disclosed to you", got=name)
    faults = "; ".join(checked.faults[:FAULTS_TOLD])[:4_000]
    desk.do(Attest(circle=row.circle, plan=name, good=checked.ok, bound_scaled=checked.bound_scaled, faults=faults))
    return checked


def attest_all(desk: Desk, name: str, attesters: Sequence[str] | None = None) -> list[str]:
    """Have a plan attested by parties hosted here; those that attested it good.

    Args:
        attesters: parties; None: the firm itself at home, up to three other hosted members in a group.
    """
    view = desk.view
    row = view.get(PLANS, name)
    assert row is not None, "the desk's party proposed it"
    if attesters is None:
        members = [one.party for one in view.rows(MEMBERS, "circle = ?", (row.circle,), limit=10_000)]
        others = [party for party in sorted(set(members)) if party != desk.who.party]
        hosted = [party for party in others if desk.node.wallet.key_of(party) is not None]
        attesters = [desk.who.party] if row.circle == view.home else hosted[:ATTESTERS_MAX]
    good = []
    for party in attesters:
        known = desk if party == desk.who.party else Desk(desk.node, Who(party))
        if attest(known, name).ok:
            good.append(party)
    return good


def attest_open(desk: Desk) -> dict[str, bool]:
    """Recompute and attest every standing plan of others that the desk's party has not attested: plan -> good."""
    view = desk.view
    told: dict[str, bool] = {}
    for row in view.rows(PLANS, "state = ?", (STANDING,), order="plan", limit=10_000):
        member = view.get(MEMBERS, row.circle, row.planner)
        mine = member is not None and member.party == desk.who.party and row.circle != view.home
        aliases = [one.alias for one in view.rows(MEMBERS, "circle = ? AND party = ?", (row.circle, desk.who.party))]
        done = any(view.get(ATTESTED, row.plan, alias) for alias in aliases)
        if member is not None and not mine and not done and check_plan(view, row.plan) is not None:
            told[row.plan] = attest(desk, row.plan).ok
    return told
