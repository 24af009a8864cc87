"""Confirming and disputing results: each dispute names who is liable and why, and ends by itself in time."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule
from hanse.rooms.contracts import awards
from hanse.rooms.contracts.agreeing import said
from hanse.rooms.contracts.clock import look
from hanse.rooms.contracts.facts import AnswerDispute, ConfirmResult, Decide, Dispute, WithdrawDispute
from hanse.rooms.contracts.happening import Happening
from hanse.rooms.contracts.private_rows import (
    AWARDS,
    DISPUTED,
    DISPUTES,
    PENDING,
    VERSIONS,
    Award,
    DisputeRow,
    Version,
)
from hanse.rooms.contracts.running import observe
from hanse.rooms.contracts.stored import keep, plan_for
from hanse.rooms.contracts.waits import drop_wait, put_wait
from hanse.rooms.parties.facts import MEMBERS
from hanse.rooms.parties.rules import party_behind


def _version(draft: Draft, award: Award) -> Version:
    found = draft.get(VERSIONS, draft.circle, award.agreement, award.version)
    assert found is not None, "an award has its version"
    return found


@circle_rule(ConfirmResult)
def confirm_result(draft: Draft, fact: ConfirmResult) -> None:
    """What sender and receiver have both confirmed stands.

    Refuses, in order, award by award: contracts.missing_terms, contracts.unknown_award, contracts.not_your_award,
        contracts.not_pending, contracts.confirmed_already.
    """
    look(draft)
    require(said(fact.awards, []), "contracts.missing_terms", "say which results")
    party = party_behind(draft, draft.signer)
    for name in sorted(set(fact.awards)):
        award = awards.find(draft, name)
        require(party in (award.sender, award.receiver), "contracts.not_your_award", "not your result", got=name)
        require(award.state == PENDING, "contracts.not_pending", f"this result is {award.state}", got=name)
        require(party not in award.confirmed, "contracts.confirmed_already", "you have confirmed it", got=name)
        confirmed = tuple(sorted({*award.confirmed, party}))
        if {award.sender, award.receiver} <= set(confirmed):
            awards.settle(draft, award, award.posted_minor, confirmed=confirmed)
            drop_wait(draft, award.objection_until, f"objection/{name}")
        else:
            draft.put(AWARDS, replace(award, confirmed=confirmed))
    look(draft)


@circle_rule(Dispute)
def dispute(draft: Draft, fact: Dispute) -> None:
    """Object to a pending result.

    Refuses, in order: contracts.missing_terms, contracts.dispute_taken, contracts.unknown_award,
        contracts.not_your_award, contracts.not_pending (its objection period is over, or it is disputed),
        contracts.bad_amount (more than was posted), contracts.not_liable (no party of the agreement),
        contracts.bad_evidence (not an entry of the past).
    """
    look(draft)
    whole = all(said(v, "") for v in (fact.dispute, fact.award, fact.liable, fact.reason))
    whole = whole and isinstance(said(fact.wanted_minor, None), int)
    require(whole, "contracts.missing_terms", "say which result, who is liable, what it should be, and why")
    taken = draft.get(DISPUTES, draft.circle, fact.dispute)
    require(taken is None, "contracts.dispute_taken", "this number is taken", got=fact.dispute)
    award = awards.find(draft, fact.award)
    party = party_behind(draft, draft.signer)
    require(party in (award.sender, award.receiver), "contracts.not_your_award", "not your result", got=fact.award)
    pending = award.state == PENDING
    require(
        pending, "contracts.not_pending", f"this result is {award.state}", got=fact.award, next="ask for a decision"
    )
    most = award.posted_minor
    require(fact.wanted_minor <= most, "contracts.bad_amount", "more than the clause gave", got=fact.wanted_minor)
    version = _version(draft, award)
    parties = {name for _, name in version.content.roles}
    require(fact.liable in parties, "contracts.not_liable", "no party of this agreement", got=fact.liable)
    evidence = _evidence(draft, fact.evidence, party)
    deadline = draft.now + version.content.dispute_seconds
    draft.put(
        DISPUTES,
        DisputeRow(
            circle=draft.circle,
            dispute=fact.dispute,
            award=fact.award,
            opened_by=party,
            against=award.receiver if party == award.sender else award.sender,
            liable=fact.liable,
            wanted_minor=fact.wanted_minor,
            reason=fact.reason,
            evidence=evidence,
            state="open",
            opened_at=draft.now,
            deadline_at=deadline,
        ),
    )
    draft.put(AWARDS, replace(award, state=DISPUTED, dispute=fact.dispute))
    put_wait(draft, deadline, f"answer/{fact.dispute}", "answer", fact.dispute)
    _hear(draft, "dispute.opened", fact.dispute, award, version, {}, ())


def _evidence(draft: Draft, given: Any, party: str) -> tuple[tuple[int, str], ...]:
    """Refuses: contracts.bad_evidence."""
    entries = sorted(set(said(given, [])))
    good = all(0 <= entry < draft.position for entry in entries)
    require(good, "contracts.bad_evidence", "evidence is an entry of the past", got=entries[-1:])
    return tuple((entry, party) for entry in entries)


def _hear(
    draft: Draft,
    event: str,
    number: str,
    award: Award,
    version: Version,
    fields: dict[str, Any],
    signers: tuple[tuple[str, int], ...],
) -> None:
    """Tell the agreement's own clauses of a dispute over what one of them gave."""
    once = plan_for(draft, version).once.get(award.clause, ())
    keys = dict(zip(once, json.loads(award.key), strict=False))
    happening = Happening(
        event=event,
        id=number,
        at=draft.now,
        ledger_at=draft.now,
        keys=keys,
        fields=fields,
        signers=signers,
        by="signed" if signers else "own",
        agreement=award.agreement,
    )
    keep(draft, happening)
    observe(draft, happening)


def _find(draft: Draft, number: Any) -> tuple[DisputeRow, Award]:
    """Refuses: contracts.unknown_dispute."""
    found = draft.get(DISPUTES, draft.circle, said(number, ""))
    if found is None:
        raise Refused("contracts.unknown_dispute", "no such dispute in this circle", got=said(number, ""))
    return found, awards.find(draft, found.award)


@circle_rule(AnswerDispute)
def answer_dispute(draft: Draft, fact: AnswerDispute) -> None:
    """Accept what the disputer wants, or say why not; then the arbiter decides, in time.

    Refuses, in order: contracts.unknown_dispute, contracts.not_your_dispute, contracts.dispute_closed,
        contracts.missing_terms, contracts.bad_evidence.
    """
    look(draft)
    found, award = _find(draft, fact.dispute)
    party = party_behind(draft, draft.signer)
    require(party == found.against, "contracts.not_your_dispute", "the other side answers", got=party)
    require(found.state == "open", "contracts.dispute_closed", f"this dispute is {found.state}", got=found.dispute)
    accept = said(fact.accept, None)
    require(
        accept is not None and (accept or said(fact.reason, "")), "contracts.missing_terms", "accept it, or say why not"
    )
    evidence = (*found.evidence, *_evidence(draft, fact.evidence, party))
    after = replace(found, answer=said(fact.reason, ""), evidence=evidence)
    drop_wait(draft, found.deadline_at, f"answer/{found.dispute}")
    if accept:
        draft.put(DISPUTES, replace(after, state="accepted", decided_minor=found.wanted_minor, ended_at=draft.now))
        awards.settle(draft, award, found.wanted_minor)
        return
    deadline = draft.now + _version(draft, award).content.dispute_seconds
    draft.put(DISPUTES, replace(after, state="answered", deadline_at=deadline))
    put_wait(draft, deadline, f"decision/{found.dispute}", "decision", found.dispute)


@circle_rule(WithdrawDispute)
def withdraw_dispute(draft: Draft, fact: WithdrawDispute) -> None:
    """The result is pending again; where its objection period is over, it stands.

    Refuses, in order: contracts.unknown_dispute, contracts.not_your_dispute, contracts.dispute_closed.
    """
    look(draft)
    found, award = _find(draft, fact.dispute)
    party = party_behind(draft, draft.signer)
    require(party == found.opened_by, "contracts.not_your_dispute", "only the disputer withdraws", got=party)
    _still_open(found)
    _drop_waits(draft, found)
    draft.put(DISPUTES, replace(found, state="withdrawn", ended_at=draft.now))
    if award.objection_until <= draft.now:
        awards.settle(draft, award, award.posted_minor)
    else:
        draft.put(AWARDS, replace(award, state=PENDING, dispute=""))


def _still_open(found: DisputeRow) -> None:
    """Refuses: contracts.dispute_closed."""
    live = found.state in ("open", "answered")
    require(live, "contracts.dispute_closed", f"this dispute is {found.state}", got=found.dispute)


def _drop_waits(draft: Draft, found: DisputeRow) -> None:
    for what in ("answer", "decision"):
        drop_wait(draft, found.deadline_at, f"{what}/{found.dispute}")


@circle_rule(Decide)
def decide(draft: Draft, fact: Decide) -> None:
    """The arbiter of the agreement's version decides.

    Refuses, in order: contracts.unknown_dispute, contracts.not_arbiter, contracts.dispute_closed,
        contracts.missing_terms, contracts.bad_amount.
    """
    look(draft)
    found, award = _find(draft, fact.dispute)
    version = _version(draft, award)
    member = draft.get(MEMBERS, draft.circle, draft.signer)
    party = member.party if member else draft.signer
    named = bool(version.content.arbiter) and party == version.content.arbiter
    require(named, "contracts.not_arbiter", "the agreement names another arbiter, or none", got=party)
    _still_open(found)
    amount = said(fact.amount_minor, None)
    require(isinstance(amount, int) and said(fact.reason, ""), "contracts.missing_terms", "say how much, and why")
    good = 0 <= amount <= award.posted_minor
    require(good, "contracts.bad_amount", "a decision lies within the result", got=amount, expected=award.posted_minor)
    _drop_waits(draft, found)
    draft.put(
        DISPUTES,
        replace(
            found,
            state="decided",
            decision=said(fact.reason, ""),
            decided_by=party,
            decided_minor=amount,
            ended_at=draft.now,
        ),
    )
    awards.settle(draft, award, amount)
    signers = ((party, draft.position),)
    fields = {"amount": amount, **said(fact.fields, {})}
    _hear(draft, "dispute.decided", found.dispute, award, version, fields, signers)
