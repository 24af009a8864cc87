"""The life of a netting cycle: collect, state a result, sign it; who does not sign drops out, and it begins again."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, circle_timer, rule, timer
from hanse.rooms.accounts.deal_facts import NettingClose, NettingOpen, NettingSign, NettingSubmit
from hanse.rooms.accounts.ledger import MONEY_MAX, open_item, post
from hanse.rooms.accounts.netting import Netted, net, result_hash
from hanse.rooms.accounts.papers import ahead, find_paper, paper
from hanse.rooms.accounts.rows import (
    CLOSING,
    COLLECTING,
    CYCLE_VOID,
    CYCLES,
    ITEMS,
    NETTED,
    NETTED_DONE,
    RESULTS,
    SIGNING,
    SUBMISSIONS,
    Cycle,
    CycleResult,
    OwedTo,
    Submission,
    Way,
)
from hanse.rooms.orders.terms import said
from hanse.rooms.parties.facts import MEMBERS
from hanse.rooms.parties.rules import party_behind

WAITS = "accounts.netting_waits"


def _step(draft: Draft, row: Cycle, state: str, ends_at: int = 0) -> None:
    """Move a cycle to a state and its one wait with it; 0: it has ended."""
    draft.drop_timer(f"{WAITS}/{row.cycle}", row.ends_at)
    draft.put(CYCLES, replace(row, state=state, ends_at=ends_at))
    if ends_at:
        draft.timer(WAITS, f"{WAITS}/{row.cycle}", ends_at, circle=row.circle, args=(row.cycle,))


def _find(draft: Draft, circle: str, cycle: str) -> Cycle:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.unknown_number."""
    find_paper(draft, circle, cycle, "cycle")
    row = draft.get(CYCLES, cycle)
    assert row is not None, "its paper stands"
    return row


@rule(NettingOpen)
def open_cycle(draft: Draft, fact: NettingOpen) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.number_taken, accounts.not_a_group,
    accounts.bad_deadline."""
    circle = paper(draft, fact.circle, fact.cycle, "cycle", fact.submit_by)
    require(circle.purpose == "group", "accounts.not_a_group", "netting takes a circle of several", got=circle.purpose)
    ahead(draft, fact.submit_by, "the end of submissions")
    row = Cycle(
        cycle=fact.cycle,
        circle=fact.circle,
        treasurer=draft.signer,
        state=COLLECTING,
        ends_at=0,
        sign_seconds=fact.sign_seconds,
    )
    _step(draft, row, COLLECTING, fact.submit_by)


@circle_rule(NettingOpen)
def keep_cycle(draft: Draft, fact: NettingOpen) -> None:
    """Refuses: accounts.missing_terms."""
    require(said(fact.currency, ""), "accounts.missing_terms", "a cycle has one currency")
    draft.put(RESULTS, CycleResult(circle=fact.circle, cycle=fact.cycle, currency=fact.currency))


@rule(NettingSubmit)
def submit(draft: Draft, fact: NettingSubmit) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.unknown_number, accounts.too_late."""
    row = _find(draft, fact.circle, fact.cycle)
    require(row.state == COLLECTING, "accounts.too_late", "submissions are closed", got=row.state)
    draft.put(CYCLES, replace(row, submitted=tuple(sorted({*row.submitted, draft.signer}))))


@circle_rule(NettingSubmit)
def keep_submission(draft: Draft, fact: NettingSubmit) -> None:
    """Refuses, in order: accounts.no_cycle, accounts.missing_terms, accounts.repeated_partner,
    accounts.unknown_partner, accounts.too_much."""
    result = _result(draft, fact.circle, fact.cycle)
    words = said(fact.owed, None)
    require(words is not None, "accounts.missing_terms", "say what you owe and are owed", got="")
    mine = party_behind(draft, draft.signer)
    named = [word.partner for word in words]
    require(len(set(named)) == len(named), "accounts.repeated_partner", "a partner stands twice")
    members = {member.party for member in draft.scan(MEMBERS, circle=fact.circle)} - {mine}
    unknown = sorted(set(named) - members)
    require(not unknown, "accounts.unknown_partner", "these are not in the cycle's circle", got=unknown[:3])
    most = sum(word.to_pay_minor + word.to_get_minor for word in words)
    require(most <= MONEY_MAX, "accounts.too_much", "no netting is so large", got=most)
    draft.put(
        SUBMISSIONS,
        Submission(
            circle=fact.circle,
            cycle=result.cycle,
            party=mine,
            alias=draft.signer,
            owed=tuple(OwedTo(word.partner, word.to_pay_minor, word.to_get_minor) for word in words),
        ),
    )


def _result(draft: Draft, circle: str, cycle: str) -> CycleResult:
    """Refuses: accounts.no_cycle."""
    row = draft.get(RESULTS, circle, cycle)
    if row is None:
        raise Refused("accounts.no_cycle", "this cycle did not come to stand in this circle", got=cycle)
    return row


@rule(NettingClose)
def close(draft: Draft, fact: NettingClose) -> None:
    """The treasurer states a round's result; those named sign until the wait ends. None named: nothing to net.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.unknown_number, accounts.not_treasurer,
        accounts.too_late, accounts.unknown_partner (who submitted nothing, or dropped out).
    """
    row = _find(draft, fact.circle, fact.cycle)
    require(row.treasurer == draft.signer, "accounts.not_treasurer", "the treasurer states the result")
    good = row.state in (COLLECTING, CLOSING)
    require(good, "accounts.too_late", "a result stands, or the cycle is over", got=row.state)
    taking_part = set(row.submitted) - set(row.dropped)
    require(set(fact.parties) <= taking_part, "accounts.unknown_partner", "they take no part", got=len(fact.parties))
    row = replace(row, round=row.round + 1, result=fact.result, parties=tuple(sorted(set(fact.parties))), signed=())
    if row.parties:
        _step(draft, row, SIGNING, draft.now + row.sign_seconds)
    else:
        _step(draft, row, CYCLE_VOID)


@circle_rule(NettingClose)
def keep_result(draft: Draft, fact: NettingClose) -> None:
    """Compute the round here, and compare.

    Refuses, in order: accounts.no_cycle, accounts.missing_terms, accounts.wrong_result (its hash, or who must sign).
    """
    row = _result(draft, fact.circle, fact.cycle)
    salt = said(fact.salt, "")
    require(salt, "accounts.missing_terms", "a result has a salt")
    cycle = draft.get(CYCLES, fact.cycle)
    assert cycle is not None, "the public rule has found it"
    submissions = draft.scan(SUBMISSIONS, circle=fact.circle, cycle=fact.cycle)
    done = compute(submissions, cycle.dropped)
    alias = {submission.party: submission.alias for submission in submissions}
    signers = sorted(alias[party] for party, _ in done.positions)
    right = result_hash(fact.cycle, row.currency, salt, done) == fact.result and signers == sorted(fact.parties)
    require(right, "accounts.wrong_result", "the submissions come to another result", got=fact.result)
    draft.put(
        RESULTS,
        replace(
            row,
            round=cycle.round,
            result=fact.result,
            salt=salt,
            state=cycle.state,
            obligations=done.obligations,
            unmatched=done.unmatched,
            positions=done.positions,
            transfers=done.transfers,
            gross_minor=done.gross_minor,
            net_minor=done.net_minor,
        ),
    )


def compute(submissions: list[Submission], dropped: tuple[str, ...]) -> Netted:
    """A round's result from what was submitted, without those (aliases) that dropped out."""
    out = [submission.party for submission in submissions if submission.alias in dropped]
    return net({submission.party: submission.owed for submission in submissions}, out)


@rule(NettingSign)
def sign(draft: Draft, fact: NettingSign) -> None:
    """With the last signature the cycle is settled.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.unknown_number, accounts.too_late,
        accounts.not_a_party, accounts.wrong_result, accounts.signed_already.
    """
    row = _find(draft, fact.circle, fact.cycle)
    require(row.state == SIGNING, "accounts.too_late", "there is nothing to sign now", got=row.state)
    require(draft.signer in row.parties, "accounts.not_a_party", "you have nothing in this round", got=draft.signer)
    require(row.result == fact.result, "accounts.wrong_result", "the treasurer states another result", got=fact.result)
    require(draft.signer not in row.signed, "accounts.signed_already", "you have signed this round")
    row = replace(row, signed=tuple(sorted({*row.signed, draft.signer})))
    if row.signed == row.parties:
        _step(draft, row, NETTED_DONE)
    else:
        draft.put(CYCLES, row)


@circle_rule(NettingSign)
def book_result(draft: Draft, fact: NettingSign) -> None:
    """Once all have signed, the transfers are owed: items of this circle, against each party's netting account.

    Refuses, in order: accounts.no_cycle, accounts.wrong_result.
    """
    row, cycle = _result(draft, fact.circle, fact.cycle), draft.get(CYCLES, fact.cycle)
    require(row.result == fact.result, "accounts.wrong_result", "no such result came to stand here", got=fact.result)
    if cycle is None or cycle.state != NETTED_DONE:
        return
    for n, move in enumerate(row.transfers, 1):
        number = f"{row.cycle}/{n}"
        while draft.get(ITEMS, draft.circle, number) is not None:
            number += "+"
        way = Way(row.currency, move.payee, move.payer)
        open_item(draft, way, number, NETTED, move.amount_minor, due_at=draft.now, subject=row.cycle)
        post(draft, way, "netted", number, ("due", move.amount_minor), ("netting", -move.amount_minor))
    draft.put(RESULTS, replace(row, state=NETTED_DONE))


@timer(WAITS)
def wait_ended(draft: Draft, due: Timer) -> None:
    """Submissions close; a treasurer who states no result ends the cycle; who has not signed drops out."""
    row = draft.get(CYCLES, due.args[0])
    if row is None or not row.ends_at:
        return
    if row.state == COLLECTING and len(row.submitted) > 1:
        _step(draft, row, CLOSING, draft.now + row.sign_seconds)
        return
    silent = set(row.parties) - set(row.signed)
    left = set(row.submitted) - set(row.dropped) - silent
    if row.state == SIGNING and len(left) > 1:
        row = replace(row, dropped=tuple(sorted({*row.dropped, *silent})))
        _step(draft, row, CLOSING, draft.now + row.sign_seconds)
    else:
        _step(draft, row, CYCLE_VOID)


@circle_timer(WAITS)
def tell_wait(draft: Draft, due: Timer) -> None:
    """The circle's row follows."""
    row, cycle = draft.get(RESULTS, due.circle, due.args[0]), draft.get(CYCLES, due.args[0])
    if row is not None and cycle is not None:
        draft.put(RESULTS, replace(row, state=cycle.state))
