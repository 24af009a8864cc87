"""Recomputation: every result that a reader may see, run again from its record; for pages and `hanse verify`."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from hanse.kernel.view import View
from hanse.rooms.contracts.awards import MONEY
from hanse.rooms.contracts.compiled import plan_of
from hanse.rooms.contracts.private_rows import AWARDS, RESULTS, VERSIONS, Result
from hanse.rooms.contracts.rows import TEMPLATES
from hanse.rooms.contracts.terms import TermsRefused
from hanse.rooms.contracts.terms.recompute import recompute as run_again

CHUNK = 500


class Recomputed(Struct, frozen=True):
    """What came of one result. `equal`: steps, actions, bytes, digest and awards come out the same. `why`: else."""

    circle: str
    agreement: str
    clause: str
    key: str
    awards: tuple[str, ...]
    amount_minor: int
    currency: str
    equal: bool
    why: str = ""


def recompute_all(view: View) -> Iterator[Recomputed]:
    """Every result with a record in the view's circles, in order of (circle, agreement, clause, key)."""
    after = ("", "", "", "")
    while True:
        rows = view.rows(RESULTS, "(circle, agreement, clause, key) > (?, ?, ?, ?)", after, limit=CHUNK)
        for row in rows:
            if row.record:
                yield recompute_result(view, row)
        if len(rows) < CHUNK:
            return
        last = rows[-1]
        after = (last.circle, last.agreement, last.clause, last.key)


def recompute(view: View, circle: str, award: str) -> Recomputed | None:
    """One award's result, run again; None where the reader may not see it."""
    found = view.get(AWARDS, circle, award)
    row = view.get(RESULTS, circle, found.agreement, found.clause, found.key) if found else None
    return recompute_result(view, row) if row else None


def recompute_result(view: View, row: Result) -> Recomputed:
    """Run a result's clause again from the facts and folds of its record, and compare bytes, digest and awards."""
    awards = [found for number in row.awards if (found := view.get(AWARDS, row.circle, number)) is not None]
    said = Recomputed(
        circle=row.circle,
        agreement=row.agreement,
        clause=row.clause,
        key=row.key,
        awards=row.awards,
        amount_minor=sum(award.posted_minor for award in awards),
        currency=awards[0].currency if awards else "",
        equal=False,
    )
    why = _why(view, row)
    return replace(said, equal=not why, why=why)


def _why(view: View, row: Result) -> str:
    """Why a result does not follow, "" where it does."""
    version = view.get(VERSIONS, row.circle, row.agreement, row.version)
    if version is None:
        return "its agreement's version is not there"
    plan = plan_of(lambda sha: view.get(TEMPLATES, sha), version.content.template, version.content.params)
    if plan is None:
        return "its template is not registered"
    try:
        outcome = run_again(plan.terms, row.record.encode())
    except TermsRefused as refused:
        return f"{refused.code}: {refused.message}"
    if sha256(row.record.encode()).hexdigest() != row.sha256:
        return "its record has another digest"
    money = [abs(int(action.value)) for action in outcome.actions if action.kind in MONEY and action.value]
    posted = []
    for number in row.awards:
        award = view.get(AWARDS, row.circle, number)
        if award is None or award.sha256 != row.sha256:
            return f"award {number} is missing or names another record"
        posted.append(award.posted_minor)
    return "" if money == posted else "its awards have other amounts"
