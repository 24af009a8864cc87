"""Debts that move: a group bills or pays for its members. Each relationship's part is signed by both of its sides."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, circle_timer, rule, timer
from hanse.rooms.accounts.deal_facts import AcceptAssignment, AssignDebt
from hanse.rooms.accounts.ledger import find_item, free_number, open_item, post, settle_item, way_of
from hanse.rooms.accounts.papers import ahead, find_paper, paper
from hanse.rooms.accounts.rows import ASKED, ASSIGNED, ASSIGNMENTS, ENDED, LAPSED, Assignment, Way
from hanse.rooms.orders.terms import said
from hanse.rooms.parties.facts import MEMBERS
from hanse.rooms.parties.rules import party_behind

UNACCEPTED = "accounts.assignment_unaccepted"


@rule(AssignDebt)
def propose(draft: Draft, fact: AssignDebt) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.number_taken, accounts.bad_deadline,
    accounts.alone (in a home)."""
    circle = paper(draft, fact.circle, fact.assignment, "assignment", fact.answer_by)
    ahead(draft, fact.answer_by, "the answer")
    require(circle.purpose != "home", "accounts.alone", "a debt is assigned between two")
    draft.timer(
        UNACCEPTED,
        f"{UNACCEPTED}/{fact.assignment}",
        fact.answer_by,
        circle=fact.circle,
        args=(fact.assignment,),
    )


@circle_rule(AssignDebt)
def keep_proposal(draft: Draft, fact: AssignDebt) -> None:
    """Refuses, in order: accounts.missing_terms, accounts.unknown_partner, accounts.unknown_item, accounts.other_books,
    accounts.more_than_open; of what arrives: accounts.item_taken."""
    whole = said(fact.step, "") and said(fact.currency, "") and said(fact.amount_minor, 0)
    require(whole, "accounts.missing_terms", "an assignment says what moves: step, amount, currency")
    supplier, customer = said(fact.supplier, ""), said(fact.customer, "")
    members = {member.party for member in draft.scan(MEMBERS, circle=fact.circle)}
    proposer = party_behind(draft, draft.signer)
    both = {supplier, customer} <= members and supplier != customer and proposer in (supplier, customer)
    require(both, "accounts.unknown_partner", "name supplier and customer, of whom you are one", got=proposer)
    row = Assignment(
        circle=fact.circle,
        assignment=fact.assignment,
        step=fact.step,
        state=ASKED,
        proposer=proposer,
        supplier=supplier,
        customer=customer,
        third=said(fact.third, ""),
        item=said(fact.item, ""),
        currency=fact.currency,
        amount_minor=fact.amount_minor,
        due_at=said(fact.due_at, 0),
        reference=said(fact.reference, ""),
    )
    if row.step == "leaves":
        _require_open(draft, row)
    else:
        free_number(draft, fact.assignment)
    draft.put(ASSIGNMENTS, row)


def _require_open(draft: Draft, row: Assignment) -> None:
    """Refuses, in order: accounts.unknown_item, accounts.other_books, accounts.more_than_open."""
    item = find_item(draft, row.item)
    same = way_of(item) == Way(row.currency, row.supplier, row.customer)
    require(same, "accounts.other_books", "this item is of another direction or currency", got=row.item)
    free = item.open_minor - item.announced_minor
    require(row.amount_minor <= free, "accounts.more_than_open", "less is open", got=row.amount_minor, expected=free)


@rule(AcceptAssignment)
def answer(draft: Draft, fact: AcceptAssignment) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.unknown_number, accounts.own_proposal,
    accounts.too_late."""
    found = find_paper(draft, fact.circle, fact.assignment, "assignment")
    require(found.alias != draft.signer, "accounts.own_proposal", "the other side accepts it")
    require(draft.now <= found.ends_at, "accounts.too_late", "its time is over", got=draft.now, expected=found.ends_at)


@circle_rule(AcceptAssignment)
def keep_answer(draft: Draft, fact: AcceptAssignment) -> None:
    """The debt moves.

    Refuses, in order: accounts.unknown_number, accounts.too_late, accounts.unknown_partner, then as the proposal.
    """
    row = draft.get(ASSIGNMENTS, fact.circle, fact.assignment)
    if row is None:
        raise Refused("accounts.unknown_number", "this did not come to stand in this circle", got=fact.assignment)
    require(row.state == ASKED, "accounts.too_late", "this was answered, or is over", got=row.state)
    other = row.customer if row.proposer == row.supplier else row.supplier
    mine = party_behind(draft, draft.signer)
    require(mine == other, "accounts.unknown_partner", "the other side accepts it", got=mine)
    way, amount = Way(row.currency, row.supplier, row.customer), row.amount_minor
    if row.step == "leaves":
        _require_open(draft, row)
        settle_item(draft, row.item, amount)
        post(draft, way, "debt leaves", row.item, ("assigned", amount), ("due", -amount), reason=row.reference)
    else:
        free_number(draft, row.assignment)
        open_item(
            draft, way, row.assignment, ASSIGNED, amount, due_at=row.due_at, reference=row.reference, subject=row.third
        )
        post(draft, way, "debt arrives", row.assignment, ("due", amount), ("assigned", -amount), reason=row.reference)
    draft.put(ASSIGNMENTS, replace(row, state=ENDED))


@timer(UNACCEPTED)
def assignment_waited(draft: Draft, due: Timer) -> None:
    """Nothing of an assignment is public but its number."""


@circle_timer(UNACCEPTED)
def end_wait(draft: Draft, due: Timer) -> None:
    """Nobody accepted: nothing has moved."""
    row = draft.get(ASSIGNMENTS, due.circle, due.args[0])
    if row is not None and row.state == ASKED:
        draft.put(ASSIGNMENTS, replace(row, state=LAPSED))
