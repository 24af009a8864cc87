"""Membership and rounds: the public outline, the group's terms, each relationship's commitments."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, rule, timer
from hanse.rooms.accounts.papers import ahead
from hanse.rooms.group.facts import (
    DECIDE_SECONDS,
    Charter,
    CloseRound,
    Commit,
    Join,
    Leave,
    OpenRound,
    PriceTier,
    RateTier,
    ReportPurchases,
    TellRound,
)
from hanse.rooms.group.rows import (
    CLOSED,
    COMMITMENTS,
    DECIDING,
    GROUP_TERMS,
    GROUPS,
    LAPSED,
    MEMBERSHIPS,
    OPEN,
    ROUND_TERMS,
    ROUNDS,
    Commitment,
    Group,
    GroupTerms,
    Membership,
    Round,
    RoundTerms,
    Tier,
)
from hanse.rooms.group.shares import reached, rising
from hanse.rooms.orders.terms import said
from hanse.rooms.parties.facts import Circle
from hanse.rooms.parties.rules import party_behind, require_member

ROUND_WAITS = "group.round_waits"


def find_group(draft: Draft, circle: str, group: str, *, by_manager: bool) -> Group:
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
    """Refuses, in order: as `find_group`, group.is_manager, group.is_member."""
    group = find_group(draft, fact.circle, fact.group, by_manager=False)
    require(group.manager != draft.signer, "group.is_manager", "the manager is no member")
    had = draft.get(MEMBERSHIPS, fact.group, draft.signer)
    require(had is None or had.left_at, "group.is_member", "you are a member", got=draft.signer)
    draft.put(MEMBERSHIPS, Membership(group_id=fact.group, alias=draft.signer, joined_at=draft.now))


@rule(Leave)
def leave(draft: Draft, fact: Leave) -> None:
    """Refuses, in order: as `find_group`, group.no_member."""
    find_group(draft, fact.circle, fact.group, by_manager=False)
    had = draft.get(MEMBERSHIPS, fact.group, draft.signer)
    if had is None or had.left_at:
        raise Refused("group.no_member", "you are no member", got=draft.signer)
    draft.put(MEMBERSHIPS, replace(had, left_at=draft.now))


# -- rounds --


@rule(OpenRound)
def open_round(draft: Draft, fact: OpenRound) -> None:
    """Refuses, in order: as `find_group`, group.round_taken, accounts.bad_deadline."""
    find_group(draft, fact.circle, fact.group, by_manager=True)
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


def relationship(draft: Draft, circle: str) -> Circle:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, group.not_a_relationship."""
    found = require_member(draft, circle)
    two = found.purpose == "relationship"
    require(two, "group.not_a_relationship", "this stays between member and manager", got=found.purpose)
    return found


@rule(Commit)
@rule(ReportPurchases)
def between_two(draft: Draft, fact: Commit | ReportPurchases) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, group.not_a_relationship."""
    relationship(draft, fact.circle)


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
    """Refuses, in order: as `find_group`, group.unknown_round, group.round_over."""
    row = _round(draft, fact)
    require(row.state in (OPEN, DECIDING), "group.round_over", "this round is over", got=row.state)


def _round(draft: Draft, fact: TellRound | CloseRound) -> Round:
    """Refuses, in order: group.unknown_round, then as `find_group`."""
    row = draft.get(ROUNDS, fact.round)
    if row is None or row.circle != fact.circle:
        raise Refused("group.unknown_round", "no such round in this circle", got=fact.round)
    find_group(draft, fact.circle, row.group_id, by_manager=True)
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
    """Refuses, in order: group.unknown_round, as `find_group`, group.round_over, group.too_early."""
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
