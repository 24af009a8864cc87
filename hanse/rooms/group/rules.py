"""Membership, rounds and rebates: the public outline, the group's terms, each relationship's words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, rule, timer
from hanse.kernel.state import Draft
from hanse.rooms.accounts.ledger import MONEY_MAX, Way, credit
from hanse.rooms.accounts.papers import ahead
from hanse.rooms.group.facts import (
    DECIDE_SECONDS,
    Charter,
    CloseRound,
    Commit,
    IssueStatement,
    Join,
    Leave,
    OpenRound,
    PriceTier,
    RateTier,
    ReportPurchases,
    SetRebate,
    TellRebate,
    TellRound,
)
from hanse.rooms.group.rows import (
    CLOSED,
    COMMITMENTS,
    DECIDING,
    GROUP_TERMS,
    GROUPS,
    LAPSED,
    MEMBER_STATEMENTS,
    MEMBERSHIPS,
    OPEN,
    REBATES,
    REPORTS,
    ROUND_TERMS,
    ROUNDS,
    STATEMENTS,
    Commitment,
    Group,
    GroupTerms,
    Membership,
    MemberStatement,
    RebateTerms,
    Report,
    Round,
    RoundTerms,
    Statement,
    Tier,
)
from hanse.rooms.group.shares import earned, reached, rising
from hanse.rooms.orders.terms import said
from hanse.rooms.parties.facts import MEMBERS, Circle
from hanse.rooms.parties.rules import party_behind, require_member

ROUND_WAITS = "group.round_waits"


def _group(draft: Draft, circle: str, group: str, *, by_manager: bool) -> Group:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, group.unknown_group, group.not_manager."""
    require_member(draft, circle)
    row = draft.get(GROUPS, group)
    if row is None or row.circle != circle:
        raise Refused("group.unknown_group", "no such group in this circle", got=group)
    mine = not by_manager or row.manager == draft.signer
    require(mine, "group.not_manager", "the manager signs this", got=draft.signer)
    return row


def tiers_of(parts: Sequence[PriceTier] | Sequence[RateTier]) -> tuple[Tier, ...]:
    """Refuses: group.tiers_out_of_order."""
    tiers = tuple(
        Tier(part.from_each, part.unit_price_minor) if isinstance(part, PriceTier) else Tier(part.from_minor, part.ppm)
        for part in parts
    )
    require(rising(tiers), "group.tiers_out_of_order", "each tier starts above the one before")
    return tiers


# -- membership --


@rule(Charter)
def charter(draft: Draft, fact: Charter) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, group.not_a_group, group.not_opener,
    group.group_taken."""
    circle = require_member(draft, fact.circle)
    require(circle.purpose == "group", "group.not_a_group", "a group takes a circle of several", got=circle.purpose)
    require(circle.members[0] == draft.signer, "group.not_opener", "who opened the circle manages the group")
    require(draft.get(GROUPS, fact.group) is None, "group.group_taken", "this number is taken", got=fact.group)
    draft.put(GROUPS, Group(group_id=fact.group, circle=fact.circle, manager=draft.signer))


@circle_rule(Charter)
def keep_charter(draft: Draft, fact: Charter) -> None:
    """Refuses: group.missing_terms."""
    require(said(fact.name, ""), "group.missing_terms", "a group has a name")
    row = GroupTerms(
        circle=fact.circle,
        group_id=fact.group,
        manager=party_behind(draft, draft.signer),
        name=fact.name,
        currency=said(fact.currency, ""),
        purpose=said(fact.purpose, ""),
    )
    draft.put(GROUP_TERMS, row)


@rule(Join)
def join(draft: Draft, fact: Join) -> None:
    """Refuses, in order: as `_group`, group.is_manager, group.is_member."""
    group = _group(draft, fact.circle, fact.group, by_manager=False)
    require(group.manager != draft.signer, "group.is_manager", "the manager is no member")
    had = draft.get(MEMBERSHIPS, fact.group, draft.signer)
    require(had is None or had.left_at, "group.is_member", "you are a member", got=draft.signer)
    draft.put(MEMBERSHIPS, Membership(group_id=fact.group, alias=draft.signer, joined_at=draft.now))


@rule(Leave)
def leave(draft: Draft, fact: Leave) -> None:
    """Refuses, in order: as `_group`, group.no_member."""
    _group(draft, fact.circle, fact.group, by_manager=False)
    had = draft.get(MEMBERSHIPS, fact.group, draft.signer)
    if had is None or had.left_at:
        raise Refused("group.no_member", "you are no member", got=draft.signer)
    draft.put(MEMBERSHIPS, replace(had, left_at=draft.now))


# -- rounds --


@rule(OpenRound)
def open_round(draft: Draft, fact: OpenRound) -> None:
    """Refuses, in order: as `_group`, group.round_taken, accounts.bad_deadline."""
    _group(draft, fact.circle, fact.group, by_manager=True)
    require(draft.get(ROUNDS, fact.round) is None, "group.round_taken", "this number is taken", got=fact.round)
    ahead(draft, fact.commit_by, "the deadline")
    row = Round(
        round=fact.round, group_id=fact.group, circle=fact.circle, state=OPEN, commit_by=fact.commit_by, ends_at=0
    )
    _wait(draft, row, OPEN, fact.commit_by)


def _wait(draft: Draft, row: Round, state: str, ends_at: int) -> None:
    draft.drop_timer(f"{ROUND_WAITS}/{row.round}", row.ends_at)
    draft.put(ROUNDS, replace(row, state=state, ends_at=ends_at))
    if ends_at:
        draft.timer(ROUND_WAITS, f"{ROUND_WAITS}/{row.round}", ends_at, args=(row.round,))


@timer(ROUND_WAITS)
def round_waited(draft: Draft, due: Timer) -> None:
    """Commitments close; a round that its manager does not close then lapses."""
    row = draft.get(ROUNDS, due.args[0])
    if row is not None and row.state == OPEN:
        _wait(draft, row, DECIDING, draft.now + DECIDE_SECONDS)
    elif row is not None and row.state == DECIDING:
        _wait(draft, row, LAPSED, 0)


@circle_rule(OpenRound)
def keep_round(draft: Draft, fact: OpenRound) -> None:
    """Refuses, in order: group.missing_terms, group.tiers_out_of_order (a higher tier costs no more)."""
    whole = said(fact.item, "") and said(fact.currency, "") and said(fact.tiers, None)
    require(whole, "group.missing_terms", "a round names item, currency and tiers")
    tiers = tiers_of(fact.tiers)
    falling = all(a.value >= b.value for a, b in pairwise(tiers))
    require(falling, "group.tiers_out_of_order", "a higher tier costs no more")
    row = RoundTerms(
        circle=fact.circle,
        round=fact.round,
        item=fact.item,
        supplier=said(fact.supplier, ""),
        currency=fact.currency,
        tiers=tiers,
        note=said(fact.note, ""),
    )
    draft.put(ROUND_TERMS, row)


def _relationship(draft: Draft, circle: str) -> Circle:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, group.not_a_relationship."""
    found = require_member(draft, circle)
    two = found.purpose == "relationship"
    require(two, "group.not_a_relationship", "this stays between member and manager", got=found.purpose)
    return found


@rule(Commit)
@rule(ReportPurchases)
def between_two(draft: Draft, fact: Commit | ReportPurchases) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, group.not_a_relationship."""
    _relationship(draft, fact.circle)


@circle_rule(Commit)
def keep_commitment(draft: Draft, fact: Commit) -> None:
    """Refuses, in order: group.missing_terms, group.unknown_round, group.round_over."""
    each = said(fact.each, None)
    require(said(fact.round, "") and each is not None, "group.missing_terms", "a commitment names a round and a number")
    row = draft.get(ROUNDS, fact.round)
    if row is None:
        raise Refused("group.unknown_round", "no such round", got=fact.round)
    going = row.state == OPEN and draft.now < row.commit_by
    require(going, "group.round_over", "commitments are closed", got=row.state, expected=f"before {row.commit_by}")
    draft.put(
        COMMITMENTS,
        Commitment(
            circle=fact.circle,
            round=fact.round,
            party=party_behind(draft, draft.signer),
            each=fact.each,
            price_max_minor=said(fact.price_max_minor, 0),
            at=draft.now,
        ),
    )


@rule(TellRound)
def tell_round(draft: Draft, fact: TellRound) -> None:
    """Refuses, in order: as `_group`, group.unknown_round, group.round_over."""
    row = _round(draft, fact)
    require(row.state in (OPEN, DECIDING), "group.round_over", "this round is over", got=row.state)


def _round(draft: Draft, fact: TellRound | CloseRound) -> Round:
    """Refuses, in order: group.unknown_round, then as `_group`."""
    row = draft.get(ROUNDS, fact.round)
    if row is None or row.circle != fact.circle:
        raise Refused("group.unknown_round", "no such round in this circle", got=fact.round)
    _group(draft, fact.circle, row.group_id, by_manager=True)
    return row


@circle_rule(TellRound)
def keep_told(draft: Draft, fact: TellRound) -> None:
    """Refuses, in order: group.no_terms, group.missing_terms."""
    draft.put(ROUND_TERMS, _told(draft, fact))


def _told(draft: Draft, fact: TellRound | CloseRound) -> RoundTerms:
    """Refuses, in order: group.no_terms, group.missing_terms."""
    terms = draft.get(ROUND_TERMS, fact.circle, fact.round)
    if terms is None:
        raise Refused("group.no_terms", "this round did not come to stand in this circle", got=fact.round)
    each, members = said(fact.total_each, None), said(fact.members, None)
    require(each is not None and members is not None, "group.missing_terms", "say how many, of how many members")
    return replace(terms, told_each=fact.total_each, told_members=fact.members, told_at=draft.now)


@rule(CloseRound)
def close_round(draft: Draft, fact: CloseRound) -> None:
    """Refuses, in order: group.unknown_round, as `_group`, group.round_over, group.too_early."""
    row = _round(draft, fact)
    require(row.state in (OPEN, DECIDING), "group.round_over", "this round is over", got=row.state)
    require(row.state == DECIDING, "group.too_early", "members may commit until the deadline", expected=row.commit_by)
    _wait(draft, row, CLOSED, 0)


@circle_rule(CloseRound)
def keep_close(draft: Draft, fact: CloseRound) -> None:
    """Refuses, in order: group.no_terms, group.missing_terms, group.wrong_tier."""
    terms = _told(draft, fact)
    right = reached(terms.tiers, fact.total_each)
    price = said(fact.unit_price_minor, None)
    require(price == right, "group.wrong_tier", "the total reaches another tier", got=price, expected=right)
    draft.put(ROUND_TERMS, replace(terms, unit_price_minor=right))


# -- rebates --


@rule(SetRebate)
def set_rebate(draft: Draft, fact: SetRebate) -> None:
    """Refuses: as `_group`."""
    _group(draft, fact.circle, fact.group, by_manager=True)


@circle_rule(SetRebate)
def keep_rebate(draft: Draft, fact: SetRebate) -> None:
    """Refuses, in order: group.rebate_taken, group.missing_terms, group.bad_period, group.tiers_out_of_order."""
    had = draft.get(REBATES, fact.circle, said(fact.rebate, ""))
    require(had is None, "group.rebate_taken", "this number is taken", got=said(fact.rebate, ""))
    texts = (said(fact.rebate, ""), said(fact.supplier, ""), said(fact.currency, ""), said(fact.scheme, ""))
    whole = all(texts) and said(fact.tiers, None) and isinstance(fact.from_at, int) and isinstance(fact.until_at, int)
    require(whole, "group.missing_terms", "a rebate names supplier, currency, period, scheme and tiers")
    require(fact.from_at < fact.until_at, "group.bad_period", "the period ends before it begins")
    row = RebateTerms(
        circle=fact.circle,
        rebate=fact.rebate,
        group_id=fact.group,
        supplier=fact.supplier,
        currency=fact.currency,
        from_at=fact.from_at,
        until_at=fact.until_at,
        scheme=fact.scheme,
        tiers=tiers_of(fact.tiers),
    )
    draft.put(REBATES, row)


@circle_rule(ReportPurchases)
def keep_report(draft: Draft, fact: ReportPurchases) -> None:
    """Refuses, in order: group.missing_terms, group.too_much, group.stated_already (after the statement)."""
    amounts = [said(fact.signed_minor, None), said(fact.imported_minor, None)]
    whole = said(fact.rebate, "") and said(fact.currency, "") and None not in amounts
    require(whole, "group.missing_terms", "a report names its rebate, currency and both sums")
    spend = fact.signed_minor + fact.imported_minor
    require(spend <= MONEY_MAX, "group.too_much", "nobody buys so much", got=spend)
    party = party_behind(draft, draft.signer)
    done = any(row.rebate == fact.rebate for row in draft.scan(MEMBER_STATEMENTS, circle=fact.circle))
    require(not done, "group.stated_already", "the statement of this rebate stands", got=fact.rebate)
    row = Report(
        circle=fact.circle,
        rebate=fact.rebate,
        party=party,
        currency=fact.currency,
        signed_minor=fact.signed_minor,
        imported_minor=fact.imported_minor,
        documents=said(fact.documents, 0),
        at=draft.now,
    )
    draft.put(REPORTS, row)


@rule(TellRebate)
def tell_rebate(draft: Draft, fact: TellRebate) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, group.not_opener."""
    circle = require_member(draft, fact.circle)
    require(circle.members[0] == draft.signer, "group.not_opener", "the manager tells the group's totals")


@circle_rule(TellRebate)
def keep_told_rebate(draft: Draft, fact: TellRebate) -> None:
    """Refuses, in order: group.unknown_rebate, group.missing_terms."""
    row = draft.get(REBATES, fact.circle, said(fact.rebate, ""))
    if row is None:
        raise Refused("group.unknown_rebate", "no such rebate", got=said(fact.rebate, ""))
    total, members = said(fact.total_minor, None), said(fact.members, None)
    require(total is not None and members is not None, "group.missing_terms", "say how much, of how many members")
    draft.put(REBATES, replace(row, told_minor=fact.total_minor, told_members=fact.members, told_at=draft.now))


@rule(IssueStatement)
def number_statement(draft: Draft, fact: IssueStatement) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, group.not_a_relationship,
    group.statement_taken."""
    _relationship(draft, fact.circle)
    taken = draft.get(STATEMENTS, fact.statement)
    require(taken is None, "group.statement_taken", "this number is taken", got=fact.statement)
    draft.put(STATEMENTS, Statement(statement=fact.statement, circle=fact.circle))


@circle_rule(IssueStatement)
def keep_statement(draft: Draft, fact: IssueStatement) -> None:
    """A share, checked as far as one relationship can: the member's own report, the tiers, its part of the earned.

    What the manager now owes the member becomes an item of their books.
    Refuses, in order: group.missing_terms, group.no_report, group.stated_already, group.wrong_spend,
        group.tiers_out_of_order, group.wrong_share (the earned, the share by less than one minor unit, the charges).
    """
    amounts = (fact.spend_minor, fact.total_minor, fact.earned_minor, fact.share_minor)
    texts = (said(fact.rebate, ""), said(fact.currency, ""), said(fact.scheme, ""))
    whole = all(isinstance(amount, int) for amount in amounts) and all(texts) and said(fact.tiers, None)
    require(whole, "group.missing_terms", "a statement names its rebate, tiers and four sums")
    manager = party_behind(draft, draft.signer)
    member = next(row.party for row in draft.scan(MEMBERS, circle=fact.circle) if row.party != manager)
    report = draft.get(REPORTS, fact.circle, fact.rebate, member)
    if report is None:
        raise Refused("group.no_report", "this member has reported nothing", got=fact.rebate)
    done = any(row.rebate == fact.rebate for row in draft.scan(MEMBER_STATEMENTS, circle=fact.circle))
    require(not done, "group.stated_already", "the statement of this rebate stands", got=fact.rebate)
    right = fact.spend_minor == report.spend_minor <= fact.total_minor and fact.currency == report.currency
    require(
        right, "group.wrong_spend", "the member reports otherwise", got=fact.spend_minor, expected=report.spend_minor
    )
    charges = said(fact.charges_minor, 0)
    require(
        fact.earned_minor == earned(fact.scheme, tiers_of(fact.tiers), fact.total_minor)
        and abs(fact.share_minor * fact.total_minor - fact.earned_minor * fact.spend_minor) < max(1, fact.total_minor)
        and charges <= fact.share_minor,
        "group.wrong_share",
        "this is not the member's part of what the total earns",
        got=fact.share_minor,
    )
    way = Way(fact.currency, manager, member)
    item = credit(draft, way, fact.statement, fact.share_minor - charges, f"rebate {fact.rebate}", said(fact.due_at, 0))
    row = MemberStatement(
        circle=fact.circle,
        statement=fact.statement,
        rebate=fact.rebate,
        manager=manager,
        party=member,
        currency=fact.currency,
        spend_minor=fact.spend_minor,
        total_minor=fact.total_minor,
        earned_minor=fact.earned_minor,
        share_minor=fact.share_minor,
        charges_minor=charges,
        due_at=said(fact.due_at, 0),
        item=item,
        at=draft.now,
    )
    draft.put(MEMBER_STATEMENTS, row)
