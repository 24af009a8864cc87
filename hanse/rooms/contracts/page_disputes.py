"""Disputes: who is held liable and why, evidence, deadlines, remedy, arbiter; answering and deciding."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post

from hanse.node.desk import Desk
from hanse.rooms.contracts.facts import AnswerDispute, Decide, WithdrawDispute
from hanse.rooms.contracts.page_params import label_of
from hanse.rooms.contracts.page_parts import (
    AWARD_BADGES,
    CRUMBS,
    DISPUTE_BADGES,
    TABS,
    address,
    award_words,
    circle_words,
    key_words,
    may,
    named,
)
from hanse.rooms.contracts.page_result import entries_of
from hanse.rooms.contracts.private_rows import AWARDS, DISPUTES, VERSIONS, DisputeRow
from hanse.rooms.contracts.queries import disputes
from hanse.rooms.parties.queries import party_name
from hanse.site.desks import desk
from hanse.site.menu import TRADE
from hanse.site.pages_forms import Accounts, Fields, Given, attempt, exported, note_seen, table_view
from hanse.web import Column, Link, Money, Read, Reader, Table, go, needs_role, not_here, page
from hanse.web.formats import money

LIVE = ("open", "answered")
NONE_YET = "No dispute. Results can be objected to on their own page, until they stand."
DISPUTES_TABLE = Table(
    "disputes",
    (
        Column("dispute", "Dispute", "link", wide=True),
        Column("partner", "With"),
        Column("result", "Result", "link"),
        Column("gave", "The clause gave", "money", sortable=True),
        Column("wanted", "It should be", "money", sortable=True),
        Column("liable", "Held liable"),
        Column("state", "State", "badge", filterable=True, facets=tuple(b.text for b in DISPUTE_BADGES.values())),
        Column("waits", "Waits for you"),
        Column("deadline", "Deadline", "time", sortable=True),
        Column("opened_at", "Opened", "time", sortable=True),
        Column("position", "Entry", "proof"),
    ),
    sort="-opened_at",
    search="Dispute, partner or result",
)


@get("/contracts/disputes", sync_to_thread=True)
def disputes_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Disputes of the firm's agreements; for arbiters outside them, the form to decide."""
    needs_role(session, *TRADE)
    return _list(request, desk(read, session))


def _list(
    request: Request[Any, Any, Any], found: Desk, *, status: int = 200, refusal: Any = None,
    given: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    view = found.view
    rows = []
    for card in disputes(view, limit=500):
        row, award = card.dispute, card.award
        arbiter = card.arbiter == view.party and card.dispute.state in LIVE
        rows.append({
            "dispute": Link(key_words(view, award.key, award.circle), address("d", row.circle, row.dispute)),
            "partner": circle_words(view, row.circle),
            "result": Link(label_of(award.label), address("w", row.circle, award.award)),
            "gave": Money(award.posted_minor, award.currency), "wanted": Money(row.wanted_minor, award.currency),
            "liable": party_name(view, row.liable), "state": DISPUTE_BADGES[row.state],
            "waits": "your answer" if card.answer_wanted else "your decision" if arbiter else "",
            "deadline": row.deadline_at if row.state in LIVE else None, "opened_at": row.opened_at,
            "position": row.position,
        })  # fmt: skip
    if (file := exported(request, (DISPUTES_TABLE, rows))) is not None:
        return file
    return page(
        "contracts/disputes.html", title="Disputes", crumbs=CRUMBS, tabs=TABS, at="/contracts/disputes",
        listing=table_view(request, DISPUTES_TABLE, rows, NONE_YET), may=found.may(Decide), status=status,
        refusal=refusal, given=given or {},
    )  # fmt: skip


@get("/contracts/d/{rest:path}", sync_to_thread=True)
def one_dispute(request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts) -> Any:
    """One dispute."""
    needs_role(session, *TRADE)
    circle, dispute = named(request, "/contracts/d/", 2)
    answer = show_dispute(desk(read, session), circle, dispute)
    note_seen(accounts, session, f"dispute:{dispute}", request)
    return answer


def show_dispute(
    found: Desk, circle: str, dispute: str, *, status: int = 200, refusal: Any = None,
    given: dict[str, Any] | None = None, opened: str = "",
) -> Any:  # fmt: skip
    """The dispute's page. Raises: 404 for those outside its circle."""
    view = found.view
    row = view.get(DISPUTES, circle, dispute) if view.home else None
    award = view.get(AWARDS, circle, row.award) if row else None
    version = view.get(VERSIONS, circle, award.agreement, award.version) if award else None
    if row is None or award is None or version is None:
        raise not_here()
    content = version.content
    arbiter = party_name(view, content.arbiter) if content.arbiter else ""
    proof = [[entry, party_name(view, party)] for entry, party in row.evidence]
    live = row.state in LIVE
    return page(
        "contracts/dispute.html", title=f"Dispute of {key_words(view, award.key, award.circle)}", status=status,
        row=row, award=award, award_words=award_words(view, award),
        crumbs=(*CRUMBS, ("Disputes", "/contracts/disputes")), badge=DISPUTE_BADGES[row.state],
        award_badge=AWARD_BADGES[award.state], award_href=address("w", circle, award.award), evidence=proof,
        names={party: party_name(view, party) for party in (row.opened_by, row.against, row.liable, row.decided_by)},
        arbiter=arbiter, undecided="the result stands" if content.undecided == "stands" else "the result falls away",
        steps=_steps(row, arbiter, {p: party_name(view, p) for p in (row.opened_by, row.against, row.decided_by)},
                     award.currency),
        can_answer=row.state == "open" and row.against == view.party, can_withdraw=live and row.opened_by == view.party,
        can_decide=live and content.arbiter == view.party, may=may(found, AnswerDispute, WithdrawDispute, Decide),
        refusal=refusal, given=given or {}, opened=opened,
    )  # fmt: skip


def _steps(row: DisputeRow, arbiter: str, names: dict[str, str], currency: str) -> list[dict[str, Any]]:
    """The dispute's life, with the deadline that runs."""
    steps: list[dict[str, Any]] = [
        {"at": row.opened_at, "title": f"Opened by {names[row.opened_by]}", "detail": row.reason, "proof": None}
    ]
    if row.answer:
        steps.append({"at": None, "title": f"Answered by {names[row.against]}", "detail": row.answer, "proof": None})
    if row.state == "open":
        steps.append({"at": row.deadline_at, "title": f"{names[row.against]} answers by then",
                      "detail": "else the objection is taken as right", "state": "next", "proof": None})  # fmt: skip
    elif row.state == "answered":
        title = f"{arbiter} decides by then" if arbiter else "Ends as the agreement says"
        steps.append({"at": row.deadline_at, "title": title, "detail": "", "state": "next", "proof": None})
    else:
        amount = money(row.decided_minor, currency) if row.decided_minor >= 0 else ""
        by = f" by {names[row.decided_by]}" if row.decided_by else ""
        steps.append({"at": row.ended_at, "title": f"{DISPUTE_BADGES[row.state].text.capitalize()}{by}",
                      "detail": ": ".join(filter(None, (amount, row.decision))), "proof": row.position})  # fmt: skip
    return steps


def _named(form: Given) -> tuple[str, str]:
    return form.text("circle", required=True), form.text("dispute", required=True)


@post("/contracts/answer", sync_to_thread=True)
def answer(session: Reader, read: Read, data: Fields) -> Any:
    """Accept what the disputer wants, or say why not, with evidence."""
    needs_role(session, *TRADE)
    found, form = desk(read, session), Given(data)
    circle, dispute = _named(form)

    def act() -> Any:
        found.do(AnswerDispute(
            circle=circle, dispute=dispute, accept=form.choice("accept", "Answer", ("yes", "no")) == "yes",
            reason=form.text("reason", "Reason", most=8_000), evidence=entries_of(form),
        ))  # fmt: skip
        return go(address("d", circle, dispute), notice="Answered.")

    return attempt(act, lambda status, refusal: show_dispute(found, circle, dispute, status=status, refusal=refusal,
                                                             given=data, opened="answer"))  # fmt: skip


@post("/contracts/withdraw", sync_to_thread=True)
def withdraw(session: Reader, read: Read, data: Fields) -> Any:
    """Take an objection back."""
    needs_role(session, *TRADE)
    found = desk(read, session)
    circle, dispute = _named(Given(data))

    def act() -> Any:
        found.do(WithdrawDispute(circle=circle, dispute=dispute))
        return go(address("d", circle, dispute), notice="Withdrawn.")

    return attempt(act, lambda status, refusal: show_dispute(found, circle, dispute, status=status, refusal=refusal))


@post("/contracts/decide", sync_to_thread=True)
def decide(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """The arbiter decides; one outside the circle names it, as the parties told it."""
    needs_role(session, *TRADE)
    found, form = desk(read, session), Given(data)
    inside = found.view.get(DISPUTES, form.text("circle"), form.text("dispute")) is not None

    def act() -> Any:
        circle, dispute = form.text("circle", "Circle", required=True), form.text("dispute", "Dispute", required=True)
        currency = form.currency()
        found.do(Decide(
            circle=circle, dispute=dispute, amount_minor=form.minor("amount", "Amount", currency), fields={},
            reason=form.text("reason", "Reason", required=True, most=8_000),
        ))  # fmt: skip
        return go(address("d", circle, dispute) if inside else "/contracts/disputes", notice="Decided.")

    def again(status: int, refusal: Any) -> Any:
        if inside:
            names = form.text("circle"), form.text("dispute")
            return show_dispute(found, *names, status=status, refusal=refusal, given=data, opened="decide")
        return _list(request, found, status=status, refusal=refusal, given=data)

    return attempt(act, again)


PAGES: list[Any] = [disputes_page, one_dispute, answer, withdraw, decide]
