"""Windows, plans and attestations: the public rules. Every node checks every plan, assignment by assignment."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import rule, timer
from hanse.rooms.inventory.offer_facts import OFFERS
from hanse.rooms.parties.facts import CIRCLES
from hanse.rooms.parties.rules import require_home, require_member
from hanse.rooms.plans.facts import (
    AddAssignments,
    AddLines,
    Attest,
    EndRule,
    OpenWindow,
    PlanLine,
    Propose,
    SetRule,
    WithdrawPlan,
)
from hanse.rooms.plans.rows import (
    ASSIGNED,
    ATTESTED,
    DRAWN,
    ENDED,
    FILLING,
    LOST,
    OPEN,
    PLANS,
    SOURCES,
    STANDING,
    STANDINGS,
    WINDOWS,
    WITHDRAWN,
    WON,
    Assigned,
    Attestation,
    Drawn,
    PlanRow,
    SourceRow,
    Standing,
    Window,
)
from hanse.rooms.plans.rows import Refused as RefusedPart

WINDOW_OVER = "plans.window_over"
WINDOW_SECONDS_MAX = 30 * 86_400
PLANS_PER_WINDOW_MAX = 50
_json = msgspec.json.Encoder(order="sorted").encode


def lines_hash(before: str, lines: Sequence[PlanLine]) -> str:
    """The question's hash over one more part; `before` "" at the first. Hex SHA-256."""
    return hashlib.sha256(b"hanse lines 1\n" + before.encode() + b"\n" + _json(list(lines))).hexdigest()


def plan_hash(before: str, assignments: Sequence[Sequence[object]], prices: Sequence[Sequence[object]]) -> str:
    """The plan's hash over one more part; `before` "" at the first. Hex SHA-256.

    >>> plan_hash("", [(1, "o", 5)], []) == plan_hash("", [[1, "o", 5]], [])
    True
    """
    return hashlib.sha256(b"hanse plan 1\n" + before.encode() + b"\n" + _json([assignments, prices])).hexdigest()


def gap_of(cost_minor: int, bound_minor: int) -> int:
    """(cost - bound) / max(1, |bound|), parts per million, rounded up; as `hanse.planning.sourcing.gap_ppm`."""
    return -(-(cost_minor - bound_minor) * 1_000_000 // max(1, abs(bound_minor)))


# -- windows -------------------------------------------------------------------------------------------------------


@rule(OpenWindow)
def open_window(draft: Draft, fact: OpenWindow) -> None:
    """Open a window, and fix what is open of each offer now.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, plans.not_here (a relationship),
        plans.window_taken, plans.bad_deadline (past, or over 30 days), as `_add_sources`.
    """
    circle = require_member(draft, fact.circle)
    require(circle.purpose != "relationship", "plans.not_here", "plans are made in a group or at home", got=fact.circle)
    require(draft.get(WINDOWS, fact.window) is None, "plans.window_taken", "this window stands", got=fact.window)
    good = draft.now < fact.ends_at <= draft.now + WINDOW_SECONDS_MAX
    require(good, "plans.bad_deadline", "a window ends within 30 days", got=fact.ends_at, expected=f"> {draft.now}")
    row = Window(
        window=fact.window,
        circle=fact.circle,
        opener=draft.signer,
        problem=fact.problem,
        ends_at=fact.ends_at,
        opened_at=draft.now,
        parts=fact.parts,
        parts_in=1,
        state=OPEN if fact.parts == 1 else FILLING,
    )
    _add_sources(draft, row, fact.offers)
    draft.put(WINDOWS, row)
    draft.timer(WINDOW_OVER, f"{WINDOW_OVER}/{fact.window}", fact.ends_at, circle=fact.circle, args=(fact.window,))


@rule(AddLines)
def add_lines(draft: Draft, fact: AddLines) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, plans.unknown_window, plans.not_yours,
    plans.window_ended, plans.bad_part, as `_add_sources`."""
    require_member(draft, fact.circle)
    row = _window(draft, fact.circle, fact.window)
    require(row.opener == draft.signer, "plans.not_yours", "another opened this window", got=draft.signer)
    require(row.state != ENDED, "plans.window_ended", "this window is over", got=fact.window)
    expected = row.parts_in + 1
    fits = fact.part == expected <= row.parts
    require(fits, "plans.bad_part", "parts come in order", got=fact.part, expected=expected)
    _add_sources(draft, row, fact.offers)
    draft.put(WINDOWS, replace(row, parts_in=fact.part, state=OPEN if fact.part == row.parts else FILLING))


def _add_sources(draft: Draft, window: Window, offers: Sequence[str]) -> None:
    """Refuses, in order, for each offer: plans.repeated_source, inventory.unknown_offer, plans.offer_elsewhere (in a
    group's window an offer that was not made to the group), inventory.offer_ended."""
    circle = draft.get(CIRCLES, window.circle)
    for offer in offers:
        require(draft.get(SOURCES, window.window, offer) is None, "plans.repeated_source", "named twice", got=offer)
        row = draft.get(OFFERS, offer)
        if row is None:
            raise Refused("inventory.unknown_offer", "no such offer", got=offer)
        here = row.circle == window.circle or (circle is not None and circle.purpose == "home")
        require(here, "plans.offer_elsewhere", "this was not offered to the group", got=offer)
        ended = row.withdrawn or row.expires_at <= draft.now
        require(not ended, "inventory.offer_ended", "this offer has ended", got=offer, next="plan without it")
        draft.put(SOURCES, SourceRow(window=window.window, offer=offer, each=row.open_each))


def _window(draft: Draft, circle: str, window: str) -> Window:
    """Refuses: plans.unknown_window."""
    row = draft.get(WINDOWS, window)
    if row is None or row.circle != circle:
        raise Refused("plans.unknown_window", "no such window here", got=window)
    return row


# -- plans ---------------------------------------------------------------------------------------------------------


@rule(Propose)
def propose(draft: Draft, fact: Propose) -> None:
    """Propose a plan; one that is infeasible by a unit is refused whole.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, plans.unknown_window, plans.not_open,
        plans.too_many (50 a window), plans.plan_taken, plans.bad_gap (it does not follow from cost and bound, or the
        cost lies below the bound), as `_take_part`.
    """
    require_member(draft, fact.circle)
    window = _window(draft, fact.circle, fact.window)
    good = window.state == OPEN
    require(good, "plans.not_open", "this window takes no plans", got=window.state, next="open another window")
    require(window.plans < PLANS_PER_WINDOW_MAX, "plans.too_many", "a window takes 50 plans", got=window.plans)
    require(draft.get(PLANS, fact.plan) is None, "plans.plan_taken", "this plan stands already", got=fact.plan)
    bound = -(-fact.bound_scaled // fact.scale)
    gap = gap_of(fact.cost_minor, bound)
    right = gap == fact.gap_ppm and gap >= 0
    require(right, "plans.bad_gap", "the gap does not follow from cost and bound", got=fact.gap_ppm, expected=gap)
    row = PlanRow(
        plan=fact.plan,
        window=fact.window,
        circle=fact.circle,
        planner=draft.signer,
        plan_hash=fact.plan_hash,
        certificate=fact.certificate,
        scale=fact.scale,
        bound_scaled=fact.bound_scaled,
        bound_minor=bound,
        cost_minor=fact.cost_minor,
        gap_ppm=gap,
        parts=fact.parts,
        parts_in=0,
        running="",
        state=FILLING,
        proposed_at=draft.now,
    )
    _take_part(draft, row, fact)
    draft.put(WINDOWS, replace(window, plans=window.plans + 1))


@rule(AddAssignments)
def add_assignments(draft: Draft, fact: AddAssignments) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, plans.unknown_plan, plans.not_yours,
    plans.not_open, plans.bad_part, as `_take_part`."""
    require_member(draft, fact.circle)
    row = _plan(draft, fact.circle, fact.plan)
    require(row.planner == draft.signer, "plans.not_yours", "another proposed this plan", got=draft.signer)
    window = _window(draft, fact.circle, row.window)
    good = window.state == OPEN and row.state == FILLING
    require(good, "plans.not_open", "nothing more is taken", got=row.state)
    fits = fact.part == row.parts_in + 1 <= row.parts
    require(fits, "plans.bad_part", "parts come in order", got=fact.part, expected=row.parts_in + 1)
    _take_part(draft, row, fact)


def _plan(draft: Draft, circle: str, plan: str) -> PlanRow:
    """Refuses: plans.unknown_plan."""
    row = draft.get(PLANS, plan)
    if row is None or row.circle != circle:
        raise Refused("plans.unknown_plan", "no such plan here", got=plan)
    return row


def _take_part(draft: Draft, row: PlanRow, part: Propose | AddAssignments) -> None:
    """One part of a plan: its assignments one by one, in sum; with the last part the plan stands.

    Refuses, in order: plans.unknown_source, plans.repeated_assignment, plans.infeasible (in sum more than was open when
        the window opened), plans.repeated_price, plans.other_plan (at the last part: the hash is another's).
    """
    for line, offer, each in part.assignments:
        source = draft.get(SOURCES, row.window, offer)
        if source is None:
            raise Refused("plans.unknown_source", "this offer is no source of the window", got=offer)
        known = draft.get(ASSIGNED, row.plan, line, offer)
        require(known is None, "plans.repeated_assignment", f"line {line} names this offer twice", got=offer)
        drawn = draft.get(DRAWN, row.plan, offer) or Drawn(plan=row.plan, offer=offer)
        total = drawn.each + each
        require(
            total <= source.each,
            "plans.infeasible",
            f"the plan draws {total} each of an offer that has {source.each}",
            got=total,
            expected=f"<= {source.each}",
            next="plan again",
        )
        draft.put(DRAWN, replace(drawn, each=total))
        draft.put(ASSIGNED, Assigned(plan=row.plan, line=line, offer=offer, each=each))
    for offer, price in part.prices:
        require(draft.get(SOURCES, row.window, offer), "plans.unknown_source", "no source of the window", got=offer)
        drawn = draft.get(DRAWN, row.plan, offer) or Drawn(plan=row.plan, offer=offer)
        require(drawn.price_scaled < 0, "plans.repeated_price", "this offer has a price already", got=offer)
        draft.put(DRAWN, replace(drawn, price_scaled=price))
    row = replace(row, parts_in=row.parts_in + 1, running=plan_hash(row.running, part.assignments, part.prices))
    if row.parts_in == row.parts:
        same = row.running == row.plan_hash
        require(same, "plans.other_plan", "this is not the plan of that hash", got=row.running, expected=row.plan_hash)
        row = replace(row, state=STANDING, refused=_what_ended(draft, row.plan))
    draft.put(PLANS, row)


def _what_ended(draft: Draft, plan: str) -> tuple[RefusedPart, ...]:
    """The assignments that cannot stand now: their offer ended, or has less open than the plan draws of it.

    Of an offer that shrank, the lines keep what there is in their order, each in whole or not at all.
    """
    found: list[RefusedPart] = []
    for drawn in draft.scan(DRAWN, plan=plan, limit=1_000_000):
        offer = draft.get(OFFERS, drawn.offer)
        ended = offer is None or offer.withdrawn or offer.expires_at <= draft.now
        left = 0 if offer is None or ended else offer.open_each
        if drawn.each <= left:
            continue
        for one in draft.scan(ASSIGNED, plan=plan, offer=drawn.offer, limit=1_000_000):
            if one.each <= left:
                left -= one.each
            else:
                found.append(RefusedPart(one.line, one.offer, one.each, "ended" if ended else "not_enough"))
    return tuple(sorted(found, key=lambda one: (one.line, one.offer)))


@rule(WithdrawPlan)
def withdraw(draft: Draft, fact: WithdrawPlan) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, plans.unknown_plan, plans.not_yours,
    plans.ended."""
    require_member(draft, fact.circle)
    row = _plan(draft, fact.circle, fact.plan)
    require(row.planner == draft.signer, "plans.not_yours", "another proposed this plan", got=draft.signer)
    require(row.state in (FILLING, STANDING), "plans.ended", "its window has ended", got=row.state)
    draft.put(PLANS, replace(row, state=WITHDRAWN))
    _choose(draft, row.window)


# -- attestations --------------------------------------------------------------------------------------------------


@rule(Attest)
def attest(draft: Draft, fact: Attest) -> None:
    """Say that a plan's bound holds, or not. Who attests good states the plan's own bound: it has recomputed it.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, plans.unknown_plan, plans.ended, plans.own_plan
        (in a group), plans.attested, plans.bound_differs.
    """
    circle = require_member(draft, fact.circle)
    row = _plan(draft, fact.circle, fact.plan)
    require(row.state == STANDING, "plans.ended", "this plan takes no attestation", got=row.state)
    other = circle.purpose == "home" or draft.signer != row.planner
    require(other, "plans.own_plan", "others attest a plan", got=draft.signer, next="let another member check it")
    once = draft.get(ATTESTED, fact.plan, draft.signer) is None
    require(once, "plans.attested", "you have attested this plan", got=fact.plan)
    same = not fact.good or fact.bound_scaled == row.bound_scaled
    require(same, "plans.bound_differs", "a good plan has its own bound", got=fact.bound_scaled,
            expected=row.bound_scaled)  # fmt: skip
    draft.put(
        ATTESTED,
        Attestation(plan=fact.plan, alias=draft.signer, good=fact.good, bound_scaled=fact.bound_scaled, at=draft.now),
    )
    draft.put(PLANS, replace(row, good=row.good + fact.good, bad=row.bad + (not fact.good)))
    _choose(draft, row.window)


def rank(row: PlanRow) -> tuple[int, int, str, str]:
    """Smaller is better: the least refused, the lowest cost, the smallest hash, the smallest name."""
    return (row.refused_each, row.cost_minor, row.plan_hash, row.plan)


def _choose(draft: Draft, window: str) -> Window:
    """Find the window's best plan anew."""
    row = draft.get(WINDOWS, window)
    assert row is not None, "its plans stand"
    able = [one for one in draft.scan(PLANS, window=window) if one.state == STANDING and one.good > one.bad]
    best = min(able, key=rank).plan if able else ""
    row = replace(row, best=best)
    draft.put(WINDOWS, row)
    return row


@timer(WINDOW_OVER)
def window_over(draft: Draft, due: Timer) -> None:
    """The best plan wins, checked once more against what is open of its offers now; the others have lost."""
    window = draft.get(WINDOWS, due.args[0])
    if window is None:
        return
    for row in draft.scan(PLANS, window=window.window):
        if row.state == STANDING:
            draft.put(PLANS, replace(row, refused=_what_ended(draft, row.plan)))
    window = _choose(draft, window.window)
    for row in draft.scan(PLANS, window=window.window):
        if row.state in (STANDING, FILLING):
            draft.put(PLANS, replace(row, state=WON if row.plan == window.best else LOST))
    draft.put(WINDOWS, replace(window, state=ENDED, winner=window.best))
    if window.best:
        draft.put(
            STANDINGS,
            Standing(circle=window.circle, plan=window.best, window=window.window, decided_at=draft.now),
        )


# -- accepting by rule ---------------------------------------------------------------------------------------------


@rule(SetRule)
@rule(EndRule)
def at_home(draft: Draft, fact: SetRule | EndRule) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_a_home."""
    require_home(draft, fact.circle)
