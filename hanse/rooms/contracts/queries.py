"""Questions about agreements: lists, one agreement with everything on it, results explained, differences, disputes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from msgspec import Struct

from hanse.kernel.kept import PRIVATE_OUTCOMES
from hanse.kernel.view import View
from hanse.rooms.contracts.compiled import Plan, base
from hanse.rooms.contracts.finding import Wanted, find
from hanse.rooms.contracts.private_rows import (
    AGREEMENTS,
    AWARDS,
    DISPUTES,
    FOLD_STEPS,
    FOLDS,
    PENDING,
    RESULTS,
    STANDING,
    VERSIONS,
    WAITS,
    Agreement,
    Award,
    DisputeRow,
    Fold,
    FoldStep,
    Result,
    Version,
    Wait,
)
from hanse.rooms.contracts.proposals import LIMIT_MAX, difference, plan_in, proposals
from hanse.rooms.contracts.recompute import recompute_result
from hanse.rooms.contracts.rows import PUBLISHED, TEMPLATES, TemplateRow
from hanse.rooms.contracts.terms.values import show
from hanse.rooms.parties.queries import party_name

CARDS_AT_ONCE = 200
AgreementState = Literal["in_force", "ended", "coming"]


class AgreementCard(Struct, frozen=True):
    """One agreement in a list. partner: the other role's party of two, "" of more. Money: minor units, to the reader
    less from it. state: coming, in_force or ended. unproven: one side alone signed it."""

    circle: str
    agreement: str
    title: str
    template: str
    partner: str
    partner_name: str
    state: AgreementState
    version: int
    from_at: int
    until_at: int
    currency: str
    pending_minor: int
    standing_minor: int
    disputed: int
    unproven: bool
    position: int


class AgreementPage(Struct, frozen=True):
    """One agreement: prose beside rules, versions with their changes, folds, results, waits.

    prose: one sentence a clause in force. changes: version -> what it changed, in words.
    """

    card: AgreementCard
    versions: tuple[Version, ...]
    prose: tuple[str, ...]
    params: tuple[tuple[str, str], ...]
    changes: dict[int, tuple[str, ...]]
    folds: tuple[Fold, ...]
    results: tuple[Result, ...]
    awards: tuple[Award, ...]
    waits: tuple[Wait, ...]
    template: TemplateRow | None


def templates(view: View, *, limit: int = 200) -> tuple[TemplateRow, ...]:
    """Registered templates, by name."""
    return tuple(view.rows(TEMPLATES, order="name, version, sha256", limit=min(limit, LIMIT_MAX)))


def agreements(view: View, *, partner: str = "", limit: int = 200) -> tuple[AgreementCard, ...]:
    """The reader's agreements, those in force first, then by circle and number."""
    return cards_of(view, find(view, Wanted(partner=partner, limit=max(0, min(limit, LIMIT_MAX)))))


def cards_of(view: View, found: Sequence[tuple[str, str]]) -> tuple[AgreementCard, ...]:
    """The cards of agreements of the reader by (circle, agreement), in that order; their money is summed at once."""
    sums = _sums(view, found)
    out: list[AgreementCard] = []
    for pair in found:
        row = view.get(AGREEMENTS, *pair)
        assert row is not None, "it was just found"
        number = max((n for n, from_at in row.versions if from_at <= view.now), default=1)
        version = view.get(VERSIONS, *pair, number)
        assert version is not None, "an agreement has its versions"
        out.append(_card(view, row, version, sums.get(pair, {})))
    return tuple(out)


def _sums(view: View, found: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, tuple[int, int]]]:
    """(circle, agreement) -> state -> (payments to the reader less payments from it, how many results)."""
    out: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    mine = "WHEN w.receiver = ? THEN w.amount_minor WHEN w.sender = ? THEN -w.amount_minor"
    paid = f"SUM(CASE WHEN w.kind <> 'pay' THEN 0 {mine} ELSE 0 END)"
    for start in range(0, len(found), CARDS_AT_ONCE):
        some = found[start : start + CARDS_AT_ONCE]
        sql = (
            f"SELECT w.circle, w.agreement, w.state, {paid}, COUNT(*)"
            f" FROM (VALUES {', '.join(['(?, ?)'] * len(some))}) k CROSS JOIN {{{AWARDS.name}}} w"
            " ON w.circle = k.column1 AND w.agreement = k.column2 GROUP BY 1, 2, 3"
        )
        values = [view.party, view.party, *(name for pair in some for name in pair)]
        for circle, agreement, state, minor, n in view.sql(sql, values, tables=(AWARDS,)):
            out.setdefault((circle, agreement), {})[state] = (int(minor), n)
    return out


def _card(view: View, row: Agreement, version: Version, sums: Mapping[str, tuple[int, int]]) -> AgreementCard:
    state: AgreementState = "in_force"
    if row.until_at and row.until_at <= view.now:
        state = "ended"
    elif row.versions[0][1] > view.now:
        state = "coming"
    plan = plan_in(view, version.content)
    others = [party for party in row.parties if party != view.party]
    partner = others[0] if len(others) == 1 else ""
    return AgreementCard(
        circle=row.circle,
        agreement=row.agreement,
        title=plan.terms.template.document.title if plan else "",
        template=version.content.template,
        partner=partner,
        partner_name=party_name(view, partner) if partner else "",
        state=state,
        version=version.version,
        from_at=version.from_at,
        until_at=row.until_at,
        currency=plan.terms.currency if plan else "",
        pending_minor=sums.get(PENDING, (0, 0))[0],
        standing_minor=sums.get(STANDING, (0, 0))[0],
        disputed=sums.get("disputed", (0, 0))[1],
        unproven=row.one_sided,
        position=row.position,
    )


def agreement_page(view: View, circle: str, agreement: str, *, results: int = 100) -> AgreementPage | None:
    """One agreement of the reader's, its newest results first."""
    row = view.get(AGREEMENTS, circle, agreement)
    if row is None:
        return None
    (card,), about = cards_of(view, [(circle, agreement)]), (circle, agreement)
    versions = tuple(view.rows(VERSIONS, "circle = ? AND agreement = ?", about, order="version"))
    plan = plan_in(view, versions[card.version - 1].content)
    prose, params = _told(view, versions[card.version - 1], plan)
    return AgreementPage(
        card=card,
        versions=versions,
        prose=prose,
        params=params,
        changes=_changes(view, versions),
        folds=tuple(view.rows(FOLDS, "circle = ? AND agreement = ?", about)),
        results=tuple(
            view.rows(RESULTS, "circle = ? AND agreement = ?", about, order="position DESC, clause, key", limit=results)
        ),
        awards=tuple(
            view.rows(AWARDS, "circle = ? AND agreement = ?", about, order="position DESC, award", limit=results)
        ),
        waits=tuple(view.rows(WAITS, "circle = ? AND instr(id, ?) > 0", (circle, f"/{agreement}"), limit=50)),
        template=view.get(TEMPLATES, card.template),
    )


def _told(view: View, version: Version, plan: Plan | None) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """(prose with names, parameters as text)."""
    if plan is None:
        return (), ()
    names = {role: party_name(view, party) for role, party in version.content.roles}
    terms = plan.terms
    params = [
        (param.name, show(param.kind, terms.params[param.name], terms.currency, terms.decimals))
        for param in terms.template.document.params
    ]
    return tuple(terms.prose(names)), tuple(params)


def _changes(view: View, versions: tuple[Version, ...]) -> dict[int, tuple[str, ...]]:
    out = {}
    for before, after in pairwise(versions):
        out[after.version] = tuple(str(change) for change in difference(view, before.content, after.content))
    return out


class Step(Struct, frozen=True):
    """One step of a result: its name, its rule, its value as text."""

    name: str
    rule: str
    value: str


class FactShown(Struct, frozen=True):
    """One fact of a result. entry: 0 where it stands by default. signer: who signed it, joined by +."""

    name: str
    value: str
    entry: int
    signer: str


class ResultPage(Struct, frozen=True):
    """A clause's result explained step by step, and whether it comes out the same again.

    text: the clause's sentence. folds: the state that it read, as text. fold_steps: the events that made it.
    published_by: aliases that put its digest on the record.
    """

    award: Award | None
    result: Result
    text: str
    facts: tuple[FactShown, ...]
    folds: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    fold_steps: tuple[FoldStep, ...]
    equal: bool
    why: str
    published_by: tuple[str, ...]
    disputes: tuple[DisputeRow, ...]


def award_page(view: View, circle: str, award: str) -> ResultPage | None:
    """One award, with the run that gave it."""
    found = view.get(AWARDS, circle, award)
    row = view.get(RESULTS, circle, found.agreement, found.clause, found.key) if found else None
    return _result_page(view, row, found) if row else None


def result_page(view: View, circle: str, agreement: str, clause: str, key: str) -> ResultPage | None:
    """One clause's run, whether it gave money or not."""
    row = view.get(RESULTS, circle, agreement, clause, key)
    return _result_page(view, row, None) if row else None


def _result_page(view: View, row: Result, award: Award | None) -> ResultPage:
    version = view.get(VERSIONS, row.circle, row.agreement, row.version)
    plan = plan_in(view, version.content) if version else None
    record = json.loads(row.record) if row.record else {}
    again = recompute_result(view, row) if row.record else None
    facts, folds, steps, text = _shown(view, version, plan, row, record) if version and plan else ((), (), (), "")
    published = view.get(PUBLISHED, row.sha256) if row.sha256 else None
    fold_steps = view.rows(
        FOLD_STEPS, "circle = ? AND agreement = ? AND entry <= ?", (row.circle, row.agreement, row.position),
        order="entry DESC, n DESC", limit=200,
    ) if folds else []  # fmt: skip
    return ResultPage(
        award=award,
        result=row,
        text=text,
        facts=facts,
        folds=folds,
        steps=steps,
        fold_steps=tuple(fold_steps),
        equal=again.equal if again else True,
        why=again.why if again else row.code,
        published_by=published.aliases if published else (),
        disputes=tuple(view.rows(DISPUTES, "circle = ? AND award = ?", (row.circle, award.award))) if award else (),
    )


def _shown(view: View, version: Version, plan: Plan, row: Result, record: Mapping[str, Any]) -> Any:
    """(facts, folds, steps, the clause's sentence) as people read them."""
    terms = plan.terms
    names = {role: party_name(view, party) for role, party in version.content.roles}
    if row.clause not in {clause.id for clause in terms.clauses}:
        return (), (), (), ""
    clause = terms.template.clause(row.clause)
    text = dict(zip((c.id for c in terms.clauses), terms.prose(names), strict=True))[row.clause]

    def say(kind: Any, value: Any) -> str:
        return show(kind, base(value, kind), terms.currency, terms.decimals)

    kinds = {fact.name: fact.kind for fact in clause.facts}
    facts = tuple(
        FactShown(name, say(kinds[name], fact["value"]), int(fact.get("position", 0)), str(fact.get("signer", "")))
        for name, fact in record.get("facts", {}).items()
    )
    folds = tuple((name, say(terms.state_kinds[name], value)) for name, value in record.get("state", {}).items())
    rules = {name: (kind, rule) for name, kind, rule in clause.steps}
    steps = tuple(Step(name, rules[name][1], say(rules[name][0], value)) for name, value in record.get("steps", []))
    return facts, folds, steps, text


def awards(view: View, *, states: tuple[str, ...] = (), agreement: str = "", limit: int = 100) -> tuple[Award, ...]:
    """The reader's clause results in money, newest first. states: of `private_rows`; () all."""
    where: list[str] = []
    values: list[str] = []
    if states:
        where.append(f"state IN ({', '.join('?' * len(states))})")
        values += states
    if agreement:
        where.append("agreement = ?")
        values.append(agreement)
    return tuple(
        view.rows(AWARDS, " AND ".join(where), values, order="position DESC, award", limit=min(limit, LIMIT_MAX))
    )


class DisputeCard(Struct, frozen=True):
    """A dispute with its award. answer_wanted: the reader is to answer. decision_wanted: its arbiter is awaited."""

    dispute: DisputeRow
    award: Award
    arbiter: str
    answer_wanted: bool
    decision_wanted: bool


def disputes(view: View, *, open_only: bool = False, limit: int = 100) -> tuple[DisputeCard, ...]:
    """Disputes in the reader's circles, newest first."""
    where = "state IN ('open', 'answered')" if open_only else ""
    out = []
    for row in view.rows(DISPUTES, where, order="position DESC", limit=min(limit, LIMIT_MAX)):
        award = view.get(AWARDS, row.circle, row.award)
        version = view.get(VERSIONS, row.circle, award.agreement, award.version) if award else None
        if award is not None and version is not None:
            mine = row.state == "open" and row.against == view.party
            out.append(DisputeCard(row, award, version.content.arbiter, mine, row.state == "answered"))
    return tuple(out)


class Waiting(Struct, frozen=True):
    """A clause that cannot run yet, or could not be computed. code: why."""

    circle: str
    agreement: str
    clause: str
    key: str
    state: str
    code: str
    position: int


def waiting(view: View, *, limit: int = 200) -> tuple[Waiting, ...]:
    """Runs that wait for a fact or a signature, and those that failed, newest first."""
    rows = view.rows(RESULTS, "state IN ('waiting', 'failed')", order="position DESC", limit=min(limit, LIMIT_MAX))
    return tuple(Waiting(r.circle, r.agreement, r.clause, r.key, r.state, r.code, r.position) for r in rows)


def refused_privately(view: View, *, limit: int = 50) -> tuple[tuple[str, int, str], ...]:
    """(circle, entry, code) of facts that a circle of the reader's refused in private, newest first."""
    rows = view.rows(PRIVATE_OUTCOMES, "code LIKE 'contracts.%'", order="at DESC", limit=min(limit, LIMIT_MAX))
    return tuple((row.circle, row.at, row.code) for row in rows)


class Ledgered(Struct, frozen=True):
    """Figures for a start page: what waits for the reader."""

    to_sign: int
    pending: int
    to_answer: int
    waiting: int


def figures(view: View) -> Ledgered:
    """What waits for the reader."""
    return Ledgered(
        to_sign=sum(1 for card in proposals(view) if card.mine),
        pending=view.count(AWARDS, "state = 'pending' AND ? IN (sender, receiver)", (view.party,)),
        to_answer=sum(1 for card in disputes(view, open_only=True) if card.answer_wanted),
        waiting=view.count(RESULTS, "state IN ('waiting', 'failed')"),
    )
