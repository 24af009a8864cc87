"""One agreement: prose beside rule beside timeline, and what can be done; one proposal, with what it changes."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from msgspec import Struct

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.contracts.facts import Amend, ConfirmResult, CounterPropose, EndAgreement, EndProposal, SignProposal
from hanse.rooms.contracts.page_lists import goods_words, shortened, told
from hanse.rooms.contracts.page_params import label_of
from hanse.rooms.contracts.page_parts import (
    AGREEMENT_BADGES,
    AWARD_BADGES,
    CRUMBS,
    PROPOSAL_BADGES,
    address,
    change_words,
    circle_words,
    key_words,
    may,
    named,
)
from hanse.rooms.contracts.page_timeline import outcome_words, timeline_of
from hanse.rooms.contracts.private_rows import AGREEMENTS, AWARDS, PENDING, PROPOSALS, Content
from hanse.rooms.contracts.proposals import plan_in, proposals
from hanse.rooms.contracts.queries import AgreementPage, agreement_page
from hanse.rooms.contracts.terms import Clause, Terms
from hanse.rooms.orders.naming import MADE_UP_ID
from hanse.rooms.parties.queries import party_name
from hanse.site.desks import desk
from hanse.site.menu import TRADE
from hanse.site.pages_forms import DAY, Accounts, Fields, Given, attempt, note_seen
from hanse.web import Badge, Link, Money, Read, Reader, Session, go, needs_role, not_here, page

RUN_BADGES = {
    "armed": Badge("timer runs", "info"), "done": Badge("done", "good"), "waiting": Badge("waits", "warn"),
    "excused": Badge("excused", "quiet"), "failed": Badge("not computed", "bad"),
}  # fmt: skip
ROWS_SHOWN = 100
RUNS_SHOWN = 30


class ClauseShown(Struct, frozen=True):
    """A clause as its page draws it. steps: (name, expression). facts: (name, whence, who must have signed it)."""

    id: str
    text: str
    when: str
    once_per: str
    facts: tuple[tuple[str, str, str], ...]
    steps: tuple[tuple[str, str], ...]
    then: tuple[str, ...]


def clauses_of(terms: Terms, prose: list[str] | tuple[str, ...]) -> list[ClauseShown]:
    """Each clause in force: its sentence, in which long lists are named, and the rule that is computed."""
    return [_clause(terms, clause, shortened(terms, text)) for clause, text in zip(terms.clauses, prose, strict=True)]


def _clause(terms: Terms, clause: Clause, text: str) -> ClauseShown:
    when = clause.spec.when
    said = "on " + ", ".join(terms.events(clause.id))
    if when.timer:
        unless = f", unless {' or '.join(when.unless)}" if when.unless else ""
        said = f"at {when.timer}{unless}"
    facts = tuple(
        (name, "the run itself" if fact.implicit else f"{' or '.join(events)}{'' if fact.exists else '.' + field}",
         " and ".join(fact.attest.all_of) + " or ".join(fact.attest.any_of))
        for name, events, field, fact in terms.sources(clause.id)
    )  # fmt: skip
    return ClauseShown(
        id=clause.id,
        text=text,
        when=said,
        once_per=", ".join(when.once_per),
        facts=facts,
        steps=tuple((name, rule) for name, _, rule in clause.steps),
        then=tuple(_action(spec) for spec in clause.spec.then),
    )


def _action(spec: Any) -> str:
    """One line under `then`, as it is written."""
    words = [spec.kind, spec.value]
    for key, value in (("if", spec.condition), ("from", spec.sender), ("to", spec.to), ("due", spec.due),
                       ("as", spec.label), ("event", spec.event), ("else", spec.otherwise)):  # fmt: skip
        if value:
            words += [key, value]
    return " ".join(words)


def surroundings(view: View, content: Content) -> list[tuple[str, str]]:
    """What surrounds the parameters: roles, scope, waits, arbiter."""
    days = {"Results may be disputed for": content.objection_seconds, "Answer, then decision within":
            content.dispute_seconds, "Notice": content.notice_seconds}  # fmt: skip
    rows = [(label_of(role), party_name(view, party)) for role, party in content.roles]
    rows += [(f"Signs as {name.replace('_', ' ')}", party_name(view, party)) for name, party in content.others]
    rows.append(("Goods", goods_words(view, content.scope)))
    rows += [(label, f"{seconds // DAY} days") for label, seconds in days.items()]
    rows.append(("Arbiter", party_name(view, content.arbiter) if content.arbiter else "none"))
    rows.append(("Undecided disputes", "the result stands" if content.undecided == "stands" else "the result is void"))
    return rows + ([("Note", content.note)] if content.note else [])


@get("/contracts/a/{rest:path}", sync_to_thread=True)
def one_agreement(request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts) -> Any:
    """Prose beside rule beside timeline; results; what can be done."""
    needs_role(session, *TRADE)
    circle, agreement = named(request, "/contracts/a/", 2)
    return show(desk(read, session), session, circle, agreement, noted=(accounts, request))


def show(
    found: Desk, session: Session, circle: str, agreement: str, *, status: int = 200, refusal: Any = None,
    given: dict[str, Any] | None = None, opened: str = "", noted: Any = None,
) -> Any:  # fmt: skip
    """The agreement's page. Raises: 404 for those outside its circle."""
    view = found.view
    shown = agreement_page(view, circle, agreement, results=ROWS_SHOWN) if view.home else None
    row = view.get(AGREEMENTS, circle, agreement) if shown else None
    if shown is None or row is None:
        raise not_here()
    if noted is not None:
        note_seen(noted[0], session, f"agreement:{agreement}", noted[1])
    version = shown.versions[shown.card.version - 1]
    plan = plan_in(view, version.content)
    waiting = [one for one in proposals(view) if (one.proposal.circle, one.proposal.agreement) == (circle, agreement)]
    return page(
        "contracts/contract.html", title=shown.card.title or agreement, crumbs=CRUMBS, status=status, p=shown,
        c=shown.card, row=row, version=version, badge=AGREEMENT_BADGES[shown.card.state],
        clauses=clauses_of(plan.terms, shown.prose) if plan else [], terms=told(view, plan.terms) if plan else None,
        around=surroundings(view, version.content), steps=timeline_of(view, shown), partner=circle_words(view, circle),
        awards=award_rows(view, shown), runs=_runs(view, shown), folds=_folds(shown, plan.terms if plan else None),
        open_proposals=waiting, may=may(found, Amend, EndAgreement, ConfirmResult), refusal=refusal,
        given=given or {}, opened=opened, hashes=hashes_of(view, shown),
        changes={number: [change_words(one) for one in said] for number, said in shown.changes.items()},
        simulate=f"/contracts/simulate?agreement={circle}/{agreement}",
        print_href=address("print", circle, agreement), pdf_href=address("pdf", circle, agreement),
    )  # fmt: skip


def hashes_of(view: View, shown: AgreementPage) -> list[tuple[str, str]]:
    """The hashes that name an agreement's terms."""
    version = shown.versions[shown.card.version - 1]
    plan = plan_in(view, version.content)
    params = plan.terms.params_sha256 if plan else ""
    return [("Template", version.content.template), ("Parameters", params), ("Signed terms", version.digest)]


def award_rows(view: View, shown: AgreementPage) -> list[list[Any]]:
    """Results in money, newest first."""
    rows = []
    for award in shown.awards[:ROWS_SHOWN]:
        to_me = award.receiver == view.party
        rows.append([
            Link(result_name(award.award), address("w", award.circle, award.award)), award.label.replace("_", " "),
            key_words(view, award.key, award.circle), "to you" if to_me else f"to {party_name(view, award.receiver)}",
            Money(award.amount_minor, award.currency), AWARD_BADGES[award.state],
            award.objection_until if award.state == PENDING else None, award.position,
        ])  # fmt: skip
    return rows


def result_name(award: str) -> str:
    """A result by its number; within its agreement by the last part of it, where a program numbered that.

    >>> result_name("A1:2"), result_name("ag-a0c029cc4717051baa23:2")
    ('A1:2', 'Result 2')
    """
    agreement, _, number = award.partition(":")
    return f"Result {number}" if MADE_UP_ID.fullmatch(agreement) else award


def _runs(view: View, shown: AgreementPage) -> list[list[Any]]:
    """Runs that gave no money: what waits, what failed, what was excused, what came to nothing."""
    return [
        [Link(run.clause, address("r", run.circle, run.agreement, run.clause, run.key)),
         key_words(view, run.key, run.circle), RUN_BADGES[run.state],
         "not yet" if run.state == "armed" else run.code or outcome_words(run.actions),
         run.due_at or run.at, run.position]
        for run in shown.results if not run.awards
    ][:RUNS_SHOWN]  # fmt: skip


def _folds(shown: AgreementPage, terms: Terms | None) -> list[list[Any]]:
    """What the clauses remember: figures by period."""
    from hanse.rooms.contracts.terms import show as said

    rows = []
    for fold in shown.folds:
        for name, value in sorted(fold.figures.items()):
            kind = terms.state_kinds.get(name) if terms else None
            text = said(kind, value, terms.currency, terms.decimals) if terms and kind else str(value)
            rows.append([fold.period or "whole agreement", label_of(name), text, fold.events_n,
                         "closed" if fold.closed else "open", fold.position])  # fmt: skip
    return rows


# -- a proposal ----------------------------------------------------------------------------------------------------


@get("/contracts/p/{rest:path}", sync_to_thread=True)
def one_proposal(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """A proposal: what it says, what it changes, who has signed, and the answers."""
    needs_role(session, *TRADE)
    circle, proposal = named(request, "/contracts/p/", 2)
    return show_proposal(desk(read, session), circle, proposal)


def show_proposal(found: Desk, circle: str, proposal: str, *, status: int = 200, refusal: Any = None) -> Any:
    """The proposal's page. Raises: 404 for those outside its circle."""
    view = found.view
    row = view.get(PROPOSALS, circle, proposal) if view.home else None
    card = next((one for one in proposals(view, open_only=False, limit=500)
                 if (one.proposal.circle, one.proposal.proposal) == (circle, proposal)), None)  # fmt: skip
    if row is None or card is None:
        raise not_here()
    plan = plan_in(view, row.content)
    signed = dict(row.signed)
    signers = [[label_of(role), party_name(view, party), signed.get(party)] for role, party in row.content.roles]
    return page(
        "contracts/proposal.html", title=plan.terms.template.document.title if plan else proposal, crumbs=CRUMBS,
        status=status, card=card, row=row, badge=PROPOSAL_BADGES[row.state], signers=signers, refusal=refusal,
        proposer=party_name(view, row.proposer),
        changes=[change_words(one) for one in card.changes], partner=circle_words(view, circle),
        clauses=clauses_of(plan.terms, card.prose) if plan else [], terms=told(view, plan.terms) if plan else None,
        around=surroundings(view, row.content), may=may(found, SignProposal, EndProposal, CounterPropose),
        mine=row.proposer == view.party, concerned=view.party in dict(row.content.roles).values(),
        stands=view.get(AGREEMENTS, circle, row.agreement) is not None,
        agreement_href=address("a", circle, row.agreement),
        simulate=f"/contracts/simulate?proposal={circle}/{proposal}",
    )  # fmt: skip


@post("/contracts/sign", sync_to_thread=True)
def sign(session: Reader, read: Read, data: Fields) -> Any:
    """Sign a proposal as it was shown: the form carries the digest of what was read."""
    needs_role(session, *TRADE)
    found, form = desk(read, session), Given(data)
    circle, proposal = form.text("circle", required=True), form.text("proposal", required=True)

    def act() -> Any:
        found.do(SignProposal(circle=circle, proposal=proposal, digest=form.text("digest", required=True)))
        row = found.view.get(PROPOSALS, circle, proposal)
        if row is not None and found.view.get(AGREEMENTS, circle, row.agreement) is not None:
            return go(address("a", circle, row.agreement), notice="Signed by all: it is in force from its day.")
        return go(address("p", circle, proposal), notice="Signed.")

    return attempt(act, lambda status, refusal: show_proposal(found, circle, proposal, status=status, refusal=refusal))


@post("/contracts/decline", sync_to_thread=True)
def decline(session: Reader, read: Read, data: Fields) -> Any:
    """Withdraw one's own proposal, or decline another's."""
    needs_role(session, *TRADE)
    found, form = desk(read, session), Given(data)
    circle, proposal = form.text("circle", required=True), form.text("proposal", required=True)

    def act() -> Any:
        found.do(EndProposal(circle=circle, proposal=proposal, reason=form.text("reason", "Reason")))
        return go("/contracts", notice="The proposal has ended.")

    return attempt(act, lambda status, refusal: show_proposal(found, circle, proposal, status=status, refusal=refusal))


@post("/contracts/end", sync_to_thread=True)
def end(session: Reader, read: Read, data: Fields) -> Any:
    """End an agreement at a day, or after the agreed notice, whichever is later."""
    needs_role(session, *TRADE)
    found, form = desk(read, session), Given(data)
    circle, agreement = form.text("circle", required=True), form.text("agreement", required=True)

    def act() -> Any:
        at = form.day_end("day", "Last day") if form.text("day") else 0
        found.do(EndAgreement(circle=circle, agreement=agreement, at=at, reason=form.text("reason", "Reason")))
        return go(address("a", circle, agreement), notice="Its end is signed.")

    return attempt(act, lambda status, refusal: show(found, session, circle, agreement, status=status, refusal=refusal,
                                                     given=data, opened="end"))  # fmt: skip


@post("/contracts/confirm", sync_to_thread=True)
def confirm(session: Reader, read: Read, data: Fields) -> Any:
    """Confirm results; what both sides have confirmed stands at once."""
    needs_role(session, *TRADE)
    found, form = desk(read, session), Given(data)
    circle, awards = form.text("circle", required=True), form.many("award")
    row = found.view.get(AWARDS, circle, awards[0]) if awards else None
    if row is None:
        raise not_here()

    def act() -> Any:
        found.do(ConfirmResult(circle=circle, awards=awards))
        return go(address("w", circle, awards[0]), notice="Confirmed.")

    return attempt(act, lambda status, refusal: show(found, session, circle, row.agreement, status=status,
                                                     refusal=refusal))  # fmt: skip


PAGES: list[Any] = [one_agreement, one_proposal, sign, decline, end, confirm]
