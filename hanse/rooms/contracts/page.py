"""Contracts: the list of agreements, what waits for a signature, and the pages beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from litestar import Request, get

from hanse.kernel.view import View
from hanse.rooms.contracts import (
    page_agreement,
    page_disputes,
    page_print,
    page_propose,
    page_result,
    page_scores,
    page_simulate,
)
from hanse.rooms.contracts.facts import Propose
from hanse.rooms.contracts.finding import Wanted, count, find
from hanse.rooms.contracts.page_parts import (
    AGREEMENT_BADGES,
    PROPOSAL_BADGES,
    TABS,
    address,
    circle_words,
    key_words,
)
from hanse.rooms.contracts.private_rows import DISPUTES, PROPOSALS
from hanse.rooms.contracts.proposals import ProposalCard, plan_in, proposals
from hanse.rooms.contracts.queries import AgreementCard, cards_of, figures, waiting
from hanse.rooms.parties.queries import party_name
from hanse.site.desks import desk
from hanse.site.menu import TRADE, Entry
from hanse.web import (
    Badge,
    Column,
    Filter,
    Found,
    Link,
    ListQuery,
    Money,
    Read,
    Reader,
    Refusal,
    Table,
    export,
    needs_role,
    page,
    view_of,
)

STATE_OF = {badge.text: state for state, badge in AGREEMENT_BADGES.items()}
STATES = tuple(STATE_OF)
AGREEMENTS_TABLE = Table(
    "agreements",
    (
        Column("title", "Agreement", "link", wide=True),
        Column("partner", "With", sortable=True, filterable=True),
        Column("state", "State", "badge", filterable=True, facets=STATES),
        Column("from_at", "From", "day", sortable=True),
        Column("until_at", "Until", "day", sortable=True),
        Column("waits", "Waits for you"),
        Column("pending", "Pending to you", "money", sortable=True),
        Column("standing", "Stands to you", "money", sortable=True),
        Column("version", "Version", "number", shown=False),
        Column("number", "Number", shown=False),
        Column("position", "Entry", "proof"),
    ),
    search="Agreement, partner or number",
)
NONE_YET = "No agreement yet. Choose a template, simulate it on your own history, and propose it."
WAITING_SHOWN = 20
PROPOSALS_MAX = 100


def _listed(view: View, card: AgreementCard, waits: str) -> dict[str, Any]:
    state = AGREEMENT_BADGES[card.state]
    money = card.currency or "EUR"
    return {
        "title": Link(card.title or card.agreement, address("a", card.circle, card.agreement)),
        "partner": card.partner_name or circle_words(view, card.circle),
        "state": Badge(f"{state.text}, unproven", "unproven") if card.unproven and state.tone == "good" else state,
        "from_at": _day(card.from_at), "until_at": _day(card.until_at) if card.until_at else None, "waits": waits,
        "pending": Money(card.pending_minor, money), "standing": Money(card.standing_minor, money),
        "version": card.version, "number": card.agreement, "position": card.position,
    }  # fmt: skip


def _page_of(view: View, query: ListQuery, asked: set[tuple[str, str]]) -> Found:
    """One page of the list; the cursor is the number of agreements before it. asked: what waits for a signature.

    Refuses: table.cursor.
    """
    if query.cursor is not None and not (query.cursor.isdigit() and len(query.cursor) < 10):
        raise Refusal("table.cursor", "The page's address is damaged.", status=400, got=query.cursor)
    states, partner = query.filters.get("state", Filter()), query.filters.get("partner", Filter())
    start = int(query.cursor or 0)
    wanted = Wanted(
        words=query.text.strip(),
        named=partner.text,
        states=tuple(STATE_OF[words] for words in states.values if words in STATE_OF),
        sort=query.sort,
        limit=query.limit,
        offset=start,
    )
    by_state = count(view, wanted)
    total = sum(n for state, n in by_state.items() if not wanted.states or state in wanted.states)
    rows = [_listed(view, card, "amendment" if (card.circle, card.agreement) in asked else
                    f"{card.disputed} disputed" if card.disputed else "")
            for card in cards_of(view, find(view, wanted))]  # fmt: skip
    facets = {AGREEMENT_BADGES[state].text: n for state, n in by_state.items()}
    end = start + query.limit
    return Found(rows, str(end) if end < total else None, total, {"state": facets})


def _day(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).date()


def _proposal_row(view: View, card: ProposalCard) -> list[Any]:
    row = card.proposal
    plan = plan_in(view, row.content)
    title = plan.terms.template.document.title if plan else row.proposal
    words = "amendment" if row.amends else "answer by other terms" if row.counters else "proposal"
    waits = Badge("your signature", "warn") if card.mine else PROPOSAL_BADGES[row.state]
    return [Link(title, address("p", row.circle, row.proposal)), f"{words} by {party_name(view, row.proposer)}",
            circle_words(view, row.circle), waits, row.answer_by, row.position]  # fmt: skip


@get("/contracts", sync_to_thread=True)
def agreements_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Every agreement of the firm, and every proposal that waits for a signature."""
    needs_role(session, *TRADE)
    found = desk(read, session)
    view = found.view
    offered = proposals(view)
    asked = {(one.proposal.circle, one.proposal.agreement) for one in offered if one.mine}

    def fetch(query: ListQuery) -> Found:
        return _page_of(view, query, asked)

    form = request.query_params.get(f"{AGREEMENTS_TABLE.prefix}format", "")
    if form:
        return export(AGREEMENTS_TABLE, AGREEMENTS_TABLE.parse(request.query_params), fetch, form)
    stuck = [
        [Link(run.clause, address("r", run.circle, run.agreement, run.clause, run.key)), run.agreement,
         key_words(view, run.key, run.circle),
         "a fact or signature is missing" if run.state == "waiting" else "could not be computed",
         run.code, run.position]
        for run in waiting(view, limit=WAITING_SHOWN)
    ]  # fmt: skip
    return page(
        "contracts/contracts.html", title="Contracts", tabs=TABS, at="/contracts", figures=figures(view),
        offered=[_proposal_row(view, card) for card in offered], stuck=stuck, may=found.may(Propose),
        listing=view_of(request, AGREEMENTS_TABLE, fetch, empty=NONE_YET,
                        empty_next=("Choose a template", "/contracts/new")),
    )  # fmt: skip


def _waits(view: View) -> int:
    """What waits for the reader: signatures and answers. Every page asks this, so it reads nothing else."""
    offered = view.rows(PROPOSALS, "state = 'open'", limit=PROPOSALS_MAX)
    mine = sum(view.party in dict(row.content.roles).values() and view.party not in dict(row.signed) for row in offered)
    return mine + view.count(DISPUTES, "state = 'open' AND against = ?", (view.party,))


NAV = [Entry("Contracts", "/contracts", "Trade", TRADE, _waits)]
PAGES: list[Any] = [
    agreements_page,
    *page_agreement.PAGES,
    *page_propose.PAGES,
    *page_result.PAGES,
    *page_disputes.PAGES,
    *page_simulate.PAGES,
    *page_scores.PAGES,
    *page_print.PAGES,
]
