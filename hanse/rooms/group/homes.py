"""In the manager's home: sums over its members. They are told as totals alone."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.rules import home_rule
from hanse.rooms.group.facts import Commit, OpenRound, ReportPurchases, SetRebate
from hanse.rooms.group.rows import (
    COMMITMENTS,
    COMMITMENTS_AT_HOME,
    GROUP_TERMS,
    REBATES,
    REBATES_AT_HOME,
    REPORTS,
    REPORTS_AT_HOME,
    ROUNDS_AT_HOME,
    CommitmentAtHome,
    RebateAtHome,
    ReportAtHome,
    RoundAtHome,
)
from hanse.rooms.parties.facts import MEMBERS
from hanse.rooms.parties.rules import signed_by


def _manages(draft: Draft, circle: str, group: str, party: str) -> bool:
    terms = draft.get(GROUP_TERMS, circle, group)
    return terms is not None and terms.manager == party


@home_rule(OpenRound)
def own_round(draft: Draft, fact: OpenRound, party: str) -> None:
    """The manager's home knows its rounds, so that it counts commitments to them and to no other's."""
    if _manages(draft, fact.circle, fact.group, party):
        draft.put(ROUNDS_AT_HOME, RoundAtHome(circle=draft.circle, round=fact.round))


@home_rule(Commit)
def count_commitment(draft: Draft, fact: Commit, party: str) -> None:
    """A member's last word, in the manager's sum."""
    row = draft.get(ROUNDS_AT_HOME, draft.circle, fact.round)
    if row is None or signed_by(draft, fact.circle, party):
        return
    # The relationship has two members: who signed is the other one.
    member = _signer(draft, fact.circle)
    word = draft.get(COMMITMENTS, fact.circle, fact.round, member)
    if word is None:
        return
    had = draft.get(COMMITMENTS_AT_HOME, draft.circle, fact.round, member)
    draft.put(
        COMMITMENTS_AT_HOME,
        CommitmentAtHome(
            circle=draft.circle,
            round=fact.round,
            party=member,
            relationship=fact.circle,
            each=word.each,
            price_max_minor=word.price_max_minor,
        ),
    )
    before = had.each if had else 0
    members = row.members + (word.each > 0) - (before > 0)
    draft.put(ROUNDS_AT_HOME, replace(row, total_each=row.total_each + word.each - before, members=members))


def _signer(draft: Draft, circle: str) -> str:
    member = draft.get(MEMBERS, circle, draft.signer)
    assert member is not None, "the circle rule has accepted it"
    return member.party


@home_rule(SetRebate)
def own_rebate(draft: Draft, fact: SetRebate, party: str) -> None:
    """As `own_round`."""
    terms = draft.get(REBATES, fact.circle, fact.rebate)
    if terms is not None and _manages(draft, fact.circle, fact.group, party):
        row = RebateAtHome(
            circle=draft.circle,
            rebate=fact.rebate,
            currency=terms.currency,
            from_at=terms.from_at,
            until_at=terms.until_at,
            scheme=terms.scheme,
            tiers=terms.tiers,
        )
        draft.put(REBATES_AT_HOME, row)


@home_rule(ReportPurchases)
def count_report(draft: Draft, fact: ReportPurchases, party: str) -> None:
    """A member's last report, in the manager's sums; one in another currency counts nothing."""
    row = draft.get(REBATES_AT_HOME, draft.circle, fact.rebate)
    if row is None or signed_by(draft, fact.circle, party):
        return
    member = _signer(draft, fact.circle)
    word = draft.get(REPORTS, fact.circle, fact.rebate, member)
    if word is None or word.currency != row.currency:
        return
    had = draft.get(REPORTS_AT_HOME, draft.circle, fact.rebate, member)
    draft.put(
        REPORTS_AT_HOME,
        ReportAtHome(
            circle=draft.circle,
            rebate=fact.rebate,
            party=member,
            relationship=fact.circle,
            signed_minor=word.signed_minor,
            imported_minor=word.imported_minor,
        ),
    )
    draft.put(
        REBATES_AT_HOME,
        replace(
            row,
            signed_minor=row.signed_minor + word.signed_minor - (had.signed_minor if had else 0),
            imported_minor=row.imported_minor + word.imported_minor - (had.imported_minor if had else 0),
            members=row.members + (had is None),
        ),
    )
