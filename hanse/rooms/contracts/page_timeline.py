"""An agreement's life as a timeline: proposed, countered, signed, amended, heard, resulted, disputed, ended."""

from __future__ import annotations

from typing import Any

from hanse.kernel.view import View
from hanse.rooms.contracts.page_parts import AWARD_BADGES, DISPUTE_BADGES, address, award_words, change_words, key_words
from hanse.rooms.contracts.private_rows import (
    AGREEMENTS,
    DISPUTES,
    HAPPENED,
    PENDING,
    PROPOSALS,
    Award,
    DisputeRow,
    Proposal,
    Version,
)
from hanse.rooms.contracts.proposals import difference
from hanse.rooms.contracts.queries import AgreementPage
from hanse.rooms.contracts.responding import sentence
from hanse.rooms.parties.queries import party_name
from hanse.site.pages_market import called
from hanse.web.formats import money

STEPS_SHOWN = 40
AHEAD_SHOWN = 6
HEARD_MAX = 5_000
"""Events of a circle up to which its agreements' timelines list them; results name theirs in any case."""
DISPUTES_MAX = 500
CHANGES_SHOWN = 6
Step = dict[str, Any]


def timeline_of(view: View, shown: AgreementPage) -> list[Step]:
    """Steps as `ui.timeline` draws them, oldest first: its proposals and versions, and the latest 40 of what happened.

    Each names its entry; what is to come stands last.
    """
    circle, agreement = shown.card.circle, shown.card.agreement
    about = (circle, agreement)
    offered = view.rows(PROPOSALS, "circle = ? AND agreement = ?", about, order="position", limit=STEPS_SHOWN)
    life = [step for one in offered for step in _proposed(view, one)]
    life += [step for version in shown.versions for step in _signed(view, version)]
    past = _heard(view, circle, agreement)
    disputed: dict[str, list[DisputeRow]] = {}
    for row in view.rows(DISPUTES, "circle = ?", (circle,), order="position DESC", limit=DISPUTES_MAX):
        disputed.setdefault(row.award, []).append(row)
    for award in shown.awards[:STEPS_SHOWN]:
        past += _award(view, award, disputed.get(award.award, []))
    for run in shown.results:
        if not run.awards and (run.actions or run.state == "failed"):
            words = outcome_words(run.actions)
            href = address("r", circle, agreement, run.clause, run.key)
            past.append({"at": run.at, "title": f"Clause {run.clause}: {words}",
                         "detail": key_words(view, run.key, run.circle),
                         "proof": run.position, "href": href})  # fmt: skip
    latest = sorted(past, key=_order)[-STEPS_SHOWN:]
    return sorted(life + latest, key=_order) + _ahead(view, shown)


def _order(step: Step) -> tuple[int, int]:
    return step["at"] or 0, step["proof"] or 0


def outcome_words(actions: tuple[tuple[str, str, str, str], ...]) -> str:
    """What followed from a run that gave no money: why it closed a gate; of open ones only that there were.

    >>> outcome_words((("gate", "True", "price.unknown_item", ""), ("gate", "False", "price.below_minimum", "")))
    'the quantity is below the agreed minimum'
    >>> outcome_words((("gate", "True", "price.unknown_item", ""), ("price", "990", "", "")))
    'priced as agreed'
    >>> outcome_words((("grant", "True", "may_terminate", "buyer"),)), outcome_words((("gate", "True", "late", ""),))
    ('buyer: may terminate', 'allowed')
    >>> outcome_words((("tell", "True", "escrow.settled", ""),)), outcome_words(())
    ('told: escrow settled', 'nothing owed')
    """
    said = [_action_words(*action) for action in actions]
    return ", ".join(filter(None, said)) or ("allowed" if actions else "nothing owed")


def _action_words(kind: str, value: str, label: str, to: str) -> str:
    words = label.replace("_", " ").replace(".", " ")
    if kind == "gate":
        return "" if value == "True" else sentence(label)
    if kind == "price":
        return "priced as agreed"
    if kind == "grant":
        return f"{to}: {words}" if to else words
    if kind in ("tell", "notify"):
        return f"told{f' {to}' if to else ''}: {words}"
    return f"{kind} {words}".strip()


def _proposed(view: View, row: Proposal) -> list[Step]:
    who, href = party_name(view, row.proposer), address("p", row.circle, row.proposal)
    before = view.get(PROPOSALS, row.circle, row.counters) if row.counters else None
    title = f"Proposed by {who}"
    detail = row.content.note
    if before is not None:
        title = f"Answered by other terms, by {who}"
        detail = changes_text([str(one) for one in difference(view, before.content, row.content)])
    elif row.amends:
        title = f"Amendment proposed by {who}"
    first = row.signed[0][1] if row.signed else row.position
    steps = [{"at": row.at, "title": title, "detail": detail, "proof": first, "href": href}]
    if row.state in ("ended", "lapsed"):
        words = "Withdrawn or declined" if row.state == "ended" else "Lapsed unsigned"
        steps.append({"at": row.at if row.state == "ended" else row.answer_by, "title": words, "detail": row.reason,
                      "proof": row.position, "href": href})  # fmt: skip
    return steps


def changes_text(changes: list[str] | tuple[str, ...]) -> str:
    """Changes as one line of words, at most six of them."""
    more = len(changes) - CHANGES_SHOWN
    shown = [change_words(one) for one in changes[:CHANGES_SHOWN]]
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def _signed(view: View, version: Version) -> list[Step]:
    first = version.version == 1
    steps: list[Step] = []
    for party, entry in version.signed[1:]:
        title = f"Signed by {party_name(view, party)}"
        steps.append({"at": min(version.from_at, view.now), "title": title, "detail": "", "proof": entry})
    names = ", ".join(party_name(view, party) for party, _ in version.signed)
    words = "In force" if first else f"Version {version.version} in force"
    if version.from_at <= view.now:
        detail = f"signed by {names}" + (": one side alone, so unproven" if version.one_sided else "")
        steps.append({"at": version.from_at, "title": words, "detail": detail, "proof": version.position})
    return steps


def _heard(view: View, circle: str, agreement: str) -> list[Step]:
    """Events that parties attested for this agreement, or for all of the circle's; none where these are too many."""
    few = f"SELECT COUNT(*) FROM (SELECT 1 FROM {{{HAPPENED.name}}} WHERE circle = ? LIMIT {HEARD_MAX + 1})"
    if view.sql(few, (circle,), tables=(HAPPENED,))[0][0] > HEARD_MAX:
        return []
    rows = view.rows(HAPPENED, "circle = ? AND agreement IN ('', ?)", (circle, agreement), order="ledger_at DESC",
                     limit=STEPS_SHOWN)  # fmt: skip
    steps = []
    for row in rows:
        signers = [party_name(view, party) for party, _ in row.signers]
        keys = ", ".join(f"{name} {called(view, str(value), circle)}" for name, value in sorted(row.keys.items()))
        said = f"said by {' and '.join(signers)}" if signers else "made by the ledger"
        proof = row.signers[-1][1] if row.signers else row.position
        steps.append({"at": row.ledger_at, "title": f"Heard: {row.event.replace('_', ' ').replace('.', ' ')}",
                      "detail": f"{keys}; {said}" if keys else said, "proof": proof})  # fmt: skip
    return steps


def _award(view: View, award: Award, disputes: list[DisputeRow]) -> list[Step]:
    href = address("w", award.circle, award.award)
    who = f"{party_name(view, award.sender)} to {party_name(view, award.receiver)}"
    label = award.label.replace("_", " ")
    title = f"{label.capitalize()}: {money(award.posted_minor, award.currency)}"
    steps: list[Step] = [{
        "at": award.posted_at, "title": title, "detail": f"{who}, for {key_words(view, award.key, award.circle)}",
        "proof": award.evidence[-1] if award.evidence else award.position, "href": href,
    }]  # fmt: skip
    for row in disputes:
        there = address("d", row.circle, row.dispute)
        steps.append({"at": row.opened_at, "title": f"Disputed by {party_name(view, row.opened_by)}",
                      "detail": row.reason, "proof": row.position, "href": there})  # fmt: skip
        if row.ended_at:
            words = f"Dispute {DISPUTE_BADGES[row.state].text}"
            steps.append({"at": row.ended_at, "title": words, "detail": row.decision or row.answer,
                          "proof": row.position, "href": there})  # fmt: skip
    if award.settled_at:
        words = f"{title.partition(':')[0]} {AWARD_BADGES[award.state].text}"
        steps.append({"at": award.settled_at, "title": words, "detail": money(award.amount_minor, award.currency),
                      "proof": award.position, "href": href})  # fmt: skip
    return steps


def _ahead(view: View, shown: AgreementPage) -> list[Step]:
    """What will happen by itself: results that will stand, timers, periods, the end."""
    steps: list[Step] = []
    pending = {award.award: award for award in shown.awards if award.state == PENDING}
    for wait in shown.waits:
        award = pending.get(wait.args[0]) if wait.what == "objection" and wait.args else None
        title = {
            "objection": f"{award_words(view, award) if award else 'A result'} stands unless somebody objects",
            "timer": f"Clause {wait.args[1] if len(wait.args) > 1 else ''} runs",
            "period": "The period closes", "answer": "An answer is due", "decision": "A decision is due",
            "proposal": "A proposal lapses",
        }.get(wait.what, wait.what)  # fmt: skip
        href = address("w", award.circle, award.award) if award else ""
        steps.append({"at": wait.due, "title": title, "detail": "", "proof": None, "href": href, "state": "next"})
    for version in shown.versions:
        if version.from_at > view.now:
            steps.append({"at": version.from_at, "title": f"Version {version.version} in force", "detail": "",
                          "proof": version.position, "state": "next"})  # fmt: skip
    row = view.get(AGREEMENTS, shown.card.circle, shown.card.agreement)
    if row is not None and row.until_at:
        over = row.until_at <= view.now
        by = f"by {party_name(view, row.ended_by)}" if row.ended_by else "as agreed"
        steps.append({"at": row.until_at, "title": "Ended" if over else "Ends", "detail": by, "proof": row.position,
                      "state": "done" if over else "next"})  # fmt: skip
    steps.sort(key=lambda step: step["at"])
    more = len(steps) - AHEAD_SHOWN
    if more > 0:
        last = {"at": steps[-1]["at"], "title": f"and {more} more until then", "detail": "", "proof": None}
        steps = [*steps[:AHEAD_SHOWN], {**last, "state": "next"}]
    return steps
