"""How a circle's waits end: each in a named outcome."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.rooms.contracts import awards, folding
from hanse.rooms.contracts.happening import Happening
from hanse.rooms.contracts.private_rows import (
    AGREEMENTS,
    ARMED,
    AWARDS,
    DISPUTED,
    DISPUTES,
    LAPSED,
    OPEN,
    PROPOSALS,
    RESULTS,
    VERSIONS,
    Agreement,
    Version,
    Wait,
)
from hanse.rooms.contracts.running import Run
from hanse.rooms.contracts.stored import plan_for, version_at
from hanse.rooms.contracts.terms import TermsRefused
from hanse.rooms.contracts.waits import put_wait


def objection(draft: Draft, wait: Wait) -> None:
    """Nobody objected in time: the result stands."""
    awards.objection_over(draft, wait.args[0])


def tell(draft: Draft, wait: Wait) -> None:
    """What an earlier draft could not tell."""
    found = draft.get(AWARDS, draft.circle, wait.args[0])
    if found is not None:
        awards.tell(draft, found, wait.args[1])


def proposal(draft: Draft, wait: Wait) -> None:
    """Not all have signed in time: the proposal lapses."""
    found = draft.get(PROPOSALS, draft.circle, wait.args[0])
    if found is not None and found.state == OPEN:
        draft.put(PROPOSALS, replace(found, state=LAPSED))


def timer(draft: Draft, wait: Wait) -> None:
    """A clause's timer."""
    name, clause, key = wait.args
    result = draft.get(RESULTS, draft.circle, name, clause, key)
    if result is None or result.state != ARMED or result.due_at != wait.due:
        return
    version = draft.get(VERSIONS, draft.circle, name, result.version)
    assert version is not None, "a run has its version"
    Run(draft, version).fire(clause, key, result)


def arm_period(draft: Draft, version: Version, at: int) -> None:
    """Wait for the end of the period that holds a time, where the version's template has periods.

    In a home the ledger's time says nothing of the history that a firm records: there it states the periods' ends.
    """
    terms = plan_for(draft, version).terms
    if terms.template.document.period is None or version.one_sided:
        return
    try:
        closed_at = terms.period(at).closed_at
    except TermsRefused:
        return  # a period that the parameters make impossible never ends; registration cannot see it
    put_wait(draft, closed_at, f"period/{version.agreement}", "period", version.agreement)


def period(draft: Draft, wait: Wait) -> None:
    """A period is over: its clauses run once, on the folds as they stand; then the next period is awaited."""
    agreement = draft.get(AGREEMENTS, draft.circle, wait.args[0])
    assert agreement is not None, "agreements are never removed"
    version = _version(draft, agreement, wait.due - 1)
    plan = plan_for(draft, version) if version else None
    if version is not None and plan is not None and plan.terms.template.document.period is not None:
        span = plan.terms.period(wait.due - 1)
        if span.closed_at == wait.due:
            over = Happening(
                event="period.closed",
                id=span.key,
                at=wait.due - 1,
                ledger_at=draft.now,
                keys={"period": span.key},
                fields={"opened_at": span.opened_at, "closed_at": span.closed_at},
                by="ledger",
            )
            Run(draft, version).take(over, ())
            folding.close(draft, version, span.key)
    following = draft.get(VERSIONS, draft.circle, agreement.agreement, version_at(agreement, wait.due))
    if following is not None:
        arm_period(draft, following, wait.due)


def _version(draft: Draft, agreement: Agreement, at: int) -> Version | None:
    """The version in force at a time or, where the agreement had just ended, its last."""
    number = version_at(agreement, at) or max((n for n, from_at in agreement.versions if from_at <= at), default=0)
    return draft.get(VERSIONS, draft.circle, agreement.agreement, number)


def answer(draft: Draft, wait: Wait) -> None:
    """The other side did not answer a dispute in time: what the disputer wants counts."""
    found = draft.get(DISPUTES, draft.circle, wait.args[0])
    award = draft.get(AWARDS, draft.circle, found.award) if found else None
    if found is not None and award is not None and found.state == "open" and award.state == DISPUTED:
        draft.put(DISPUTES, replace(found, state="unanswered", decided_minor=found.wanted_minor, ended_at=draft.now))
        awards.settle(draft, award, found.wanted_minor)


def decision(draft: Draft, wait: Wait) -> None:
    """Nobody decided a dispute in time: the result stands or falls, as the agreement says."""
    found = draft.get(DISPUTES, draft.circle, wait.args[0])
    award = draft.get(AWARDS, draft.circle, found.award) if found else None
    if found is None or award is None or found.state != "answered" or award.state != DISPUTED:
        return
    version = draft.get(VERSIONS, draft.circle, award.agreement, award.version)
    assert version is not None, "an award has its version"
    amount = award.posted_minor if version.content.undecided == "stands" else 0
    draft.put(DISPUTES, replace(found, state="undecided", decided_minor=amount, ended_at=draft.now))
    awards.settle(draft, award, amount)


ENDINGS: dict[str, Callable[[Draft, Wait], None]] = {
    "objection": objection,
    "tell": tell,
    "proposal": proposal,
    "timer": timer,
    "period": period,
    "answer": answer,
    "decision": decision,
}
