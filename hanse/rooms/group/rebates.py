"""Rebates: what is told of them, what members report, and each one's share, as its relationship can check it."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, rule
from hanse.rooms.accounts.ledger import MONEY_MAX, credit
from hanse.rooms.accounts.rows import Way
from hanse.rooms.group.facts import IssueStatement, ReportPurchases, SetRebate, TellRebate
from hanse.rooms.group.rows import (
    MEMBER_STATEMENTS,
    REBATES,
    REPORTS,
    STATEMENTS,
    MemberStatement,
    RebateTerms,
    Report,
    Statement,
)
from hanse.rooms.group.rules import find_group, relationship, tiers_of
from hanse.rooms.group.shares import earned
from hanse.rooms.orders.terms import said
from hanse.rooms.parties.facts import MEMBERS
from hanse.rooms.parties.rules import party_behind, require_member

# -- rebates --


@rule(SetRebate)
def set_rebate(draft: Draft, fact: SetRebate) -> None:
    """Refuses: as `find_group`."""
    find_group(draft, fact.circle, fact.group, by_manager=True)


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
    relationship(draft, fact.circle)
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
