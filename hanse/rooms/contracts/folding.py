"""Folds: the only memory that clauses have, one state per (agreement, period)."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.rooms.contracts.compiled import Plan
from hanse.rooms.contracts.happening import Happening, is_attested, value_of
from hanse.rooms.contracts.private_rows import FOLD_STEPS, FOLDS, HAPPENED, Fold, FoldStep, Version
from hanse.rooms.contracts.terms import Span, Terms


def period_at(draft: Draft, version: Version, terms: Terms, at: int) -> Span:
    """The period of a time; where that has been closed, what comes late counts in the ledger's present one."""
    span = terms.period(at)
    row = draft.get(FOLDS, version.circle, version.agreement, span.key)
    return terms.period(draft.now) if row is not None and row.closed and not version.one_sided else span


def fold(draft: Draft, version: Version, plan: Plan, happening: Happening) -> None:
    """Count an event in the agreement's folds, once, where those who must have signed it have.

    An event that parties attest never counts in a fold that only clauses may move. Raises: TermsRefused (overflow).
    """
    event, terms = happening.event, plan.terms
    names = [name for name in plan.folds.get(event, ()) if _counts(plan, version, name, happening)]
    if not names:
        return
    if happening.by == "signed" and not _count_once(draft, version, happening):
        return
    fields: dict[str, Any] = {}
    for name in names:
        for field, kind in plan.fold_fields(name, event).items():
            fields[field] = value_of(happening, field, field, kind, terms.decimals)
    for period in sorted({_period(draft, version, plan, name, happening) for name in names}):
        mine = [name for name in names if _period(draft, version, plan, name, happening) == period]
        row = draft.get(FOLDS, version.circle, version.agreement, period)
        before = row.figures if row else {}
        after = terms.fold(event, fields, before, only=mine)
        values = {**before, **{name: after[name] for name in mine if name in after}}
        n = (row.events_n if row else 0) + 1
        closed = row.closed if row else False
        about: dict[str, Any] = {"circle": version.circle, "agreement": version.agreement, "period": period}
        draft.put(FOLDS, Fold(**about, figures=values, events_n=n, closed=closed))
        step = FoldStep(**about, n=n, entry=draft.position, event=event, id=happening.id, figures=values)
        draft.put(FOLD_STEPS, step)


def _counts(plan: Plan, version: Version, name: str, happening: Happening) -> bool:
    attest = plan.specs[name].attest
    named = bool(attest.all_of or attest.any_of)
    if happening.by == "signed" and not (named and is_attested(attest, version.names, happening)):
        return False
    return all(field == "occurred_at" or field in happening.fields for field in plan.fold_fields(name, happening.event))


def _count_once(draft: Draft, version: Version, happening: Happening) -> bool:
    """Mark a stored event as counted by this agreement; whether it was not yet. Others happen once by nature."""
    row = draft.get(HAPPENED, version.circle, happening.event, happening.id)
    if row is None:
        return True
    if version.agreement in row.counted:
        return False
    draft.put(HAPPENED, replace(row, counted=(*row.counted, version.agreement)))
    return True


def _period(draft: Draft, version: Version, plan: Plan, name: str, happening: Happening) -> str:
    if plan.specs[name].per != "period":
        return ""
    return period_at(draft, version, plan.terms, happening.at).key


def state_of(
    draft: Draft, version: Version, terms: Terms, clause: str, happening: Happening
) -> tuple[dict[str, Any], set[int]]:
    """(fold state that a clause reads at an event, the entries that moved it last; `FOLD_STEPS` has those before)."""
    wanted = terms.template.clause(clause).state
    if not wanted:
        return {}, set()
    specs = {spec.name: spec for spec in terms.template.document.state}
    periods = {""}
    if any(specs[name].per == "period" for name in wanted):
        named = happening.keys.get("period", "") if happening.event == "period.closed" else ""
        periods.add(named or period_at(draft, version, terms, happening.at).key)
    values: dict[str, Any] = {}
    entries: set[int] = set()
    for period in sorted(periods):
        row = draft.get(FOLDS, version.circle, version.agreement, period)
        if row is None:
            continue
        values.update(row.figures)
        entries.add(row.position or draft.position)
    return values, entries


def close(draft: Draft, version: Version, period: str) -> None:
    """A period is over: later events count in the next."""
    row = draft.get(FOLDS, version.circle, version.agreement, period)
    about: dict[str, Any] = {"circle": version.circle, "agreement": version.agreement, "period": period}
    draft.put(FOLDS, replace(row, closed=True) if row else Fold(**about, figures={}, events_n=0, closed=True))


__all__ = ["close", "fold", "period_at", "state_of"]
