"""What a window's circle keeps of lines, costs and own stock: the private rules."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule
from hanse.rooms.inventory.offer_facts import OFFER_TERMS
from hanse.rooms.parties.facts import CIRCLES
from hanse.rooms.plans.facts import (
    AddAssignments,
    AddLines,
    Attest,
    EndRule,
    OpenWindow,
    PlanLine,
    Propose,
    SetRule,
)
from hanse.rooms.plans.private_rows import (
    CUT_PARTS,
    LINES,
    OWN_PARTS,
    QUESTIONS,
    RULES,
    VERDICTS,
    CutPart,
    OwnPart,
    Question,
    RuleRow,
    Verdict,
    line_row,
)
from hanse.rooms.plans.rows import SOURCES, WINDOWS
from hanse.rooms.plans.rules import lines_hash

OWN = "own/"


@circle_rule(OpenWindow)
def keep_question(draft: Draft, fact: OpenWindow) -> None:
    """Refuses, in order: plans.missing_terms (no lines, or no currency), plans.own_stock_elsewhere (own stock in a
    group's window), as `_keep_lines`."""
    require(fact.lines and fact.currency, "plans.missing_terms", "a window names its lines and currency")
    _require_home_for_own(draft, fact.circle, fact.own_stock)
    row = Question(
        circle=fact.circle,
        window=fact.window,
        running="",
        parts_in=0,
        whole=False,
        shipments_max=fact.shipments_max or 3,
        currency=fact.currency,
        about=fact.about or "",
        own_stock=tuple(fact.own_stock or ()),
    )
    _keep_lines(draft, row, fact.lines)


@circle_rule(AddLines)
def keep_more(draft: Draft, fact: AddLines) -> None:
    """Refuses, in order: plans.unknown_window (its first part was refused here), plans.own_stock_elsewhere, as
    `_keep_lines`."""
    row = draft.get(QUESTIONS, fact.circle, fact.window)
    if row is None or row.parts_in != fact.part - 1:
        raise Refused("plans.unknown_window", "an earlier part of this window was refused here", got=fact.window)
    _require_home_for_own(draft, fact.circle, fact.own_stock)
    _keep_lines(draft, replace(row, own_stock=row.own_stock + tuple(fact.own_stock or ())), fact.lines or ())


def _require_home_for_own(draft: Draft, circle: str, own_stock: object) -> None:
    found = draft.get(CIRCLES, circle)
    at_home = found is not None and found.purpose == "home"
    require(at_home or not own_stock, "plans.own_stock_elsewhere", "own stock is planned at home", next="offer it")


def _keep_lines(draft: Draft, row: Question, lines: Sequence[PlanLine]) -> None:
    """Keep a part's lines.

    Refuses, in order: plans.repeated_line, plans.unknown_source (an option that the window does not name), in a group
        plans.other_item and plans.cost_below_price (the offer's own price), plans.other_question (with the last part:
        these are not the lines that were announced).
    """
    own = {one.source for one in row.own_stock}
    for line in lines:
        stands = draft.get(LINES, row.circle, row.window, line.line)
        require(stands is None, "plans.repeated_line", "a line stands twice", got=line.line)
        for option in line.options:
            if option.source.startswith(OWN):
                require(option.source in own, "plans.unknown_source", "no such own stock", got=option.source)
                continue
            named = draft.get(SOURCES, row.window, option.source)
            require(named, "plans.unknown_source", "the window does not name this offer", got=option.source)
            terms = draft.get(OFFER_TERMS, row.circle, option.source)
            if terms is None:  # of another circle, which a home's rule does not read
                continue
            require(terms.item == line.item, "plans.other_item", "the offer is of another item", got=option.source)
            require(
                option.cost_minor >= terms.unit_price_minor,
                "plans.cost_below_price",
                "an option costs less than its offer's price",
                got=option.cost_minor,
                expected=f">= {terms.unit_price_minor}",
            )
        draft.put(LINES, line_row(row.circle, row.window, line))
    window = draft.get(WINDOWS, row.window)
    running = lines_hash(row.running, lines)
    whole = window is not None and row.parts_in + 1 == window.parts
    if whole and window is not None:
        same = running == window.problem
        require(same, "plans.other_question", "not the lines that were announced", got=running, expected=window.problem)
    draft.put(QUESTIONS, replace(row, running=running, parts_in=row.parts_in + 1, whole=whole))


@circle_rule(Propose)
def keep_first_part(draft: Draft, fact: Propose) -> None:
    """What the plan takes from own stock, and its cuts. Refuses: plans.own_stock_elsewhere."""
    _keep_own(draft, fact.circle, fact.plan, 1, fact)


@circle_rule(AddAssignments)
def keep_next_part(draft: Draft, fact: AddAssignments) -> None:
    """As for the first part."""
    _keep_own(draft, fact.circle, fact.plan, fact.part, fact)


def _keep_own(draft: Draft, circle: str, plan: str, part: int, fact: Propose | AddAssignments) -> None:
    assignments, prices = tuple(fact.own_assignments or ()), tuple(fact.own_prices or ())
    _require_home_for_own(draft, circle, assignments or prices)
    if assignments or prices:
        draft.put(OWN_PARTS, OwnPart(circle=circle, plan=plan, part=part, assignments=assignments, prices=prices))
    cuts, priced = tuple(fact.cuts or ()), tuple(fact.cut_prices or ())
    if cuts or priced:
        draft.put(CUT_PARTS, CutPart(circle=circle, plan=plan, part=part, cuts=cuts, prices=priced))


@circle_rule(Attest)
def keep_verdict(draft: Draft, fact: Attest) -> None:
    draft.put(VERDICTS, Verdict(circle=fact.circle, plan=fact.plan, alias=draft.signer, faults=fact.faults or ""))


@circle_rule(SetRule)
def keep_rule(draft: Draft, fact: SetRule) -> None:
    """Refuses, in order: plans.missing_terms (no currency), plans.bad_limit (a line's limit of nothing, or above that
    of all)."""
    require(fact.currency, "plans.missing_terms", "a rule names its currency")
    good = 0 < fact.line_max_minor <= fact.total_max_minor
    require(good, "plans.bad_limit", "a line's limit is above nothing, and at most that of all lines together",
            got=fact.line_max_minor, expected=f"1 to {fact.total_max_minor}")  # fmt: skip
    draft.put(
        RULES,
        RuleRow(
            circle=fact.circle,
            rule_id=fact.rule,
            seller=fact.seller or "",
            source_kind=fact.source_kind or "",
            currency=fact.currency,
            line_max_minor=fact.line_max_minor,
            total_max_minor=fact.total_max_minor,
        ),
    )


@circle_rule(EndRule)
def end_rule(draft: Draft, fact: EndRule) -> None:
    """Refuses: plans.unknown_rule."""
    row = draft.get(RULES, fact.circle, fact.rule)
    if row is None or row.ended:
        raise Refused("plans.unknown_rule", "no such rule of yours", got=fact.rule)
    draft.put(RULES, replace(row, ended=True))
