"""Proposals as their parties see them, and the difference of two sets of terms in words."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.contracts.compiled import Plan, plan_of
from hanse.rooms.contracts.private_rows import AGREEMENTS, PROPOSALS, VERSIONS, Content, Proposal
from hanse.rooms.contracts.rows import TEMPLATES
from hanse.rooms.contracts.terms import Change, diff
from hanse.rooms.parties.queries import party_name

LIMIT_MAX = 500


def plan_in(view: View, content: Content) -> Plan | None:
    """The plan of terms, as a reader's node knows their template."""
    return plan_of(lambda sha: view.get(TEMPLATES, sha), content.template, content.params)


def difference(view: View, before: Content, after: Content) -> list[Change]:
    """What differs between two sets of terms, in words: template, parameters, clauses, and then what surrounds them."""
    old, new = plan_in(view, before), plan_in(view, after)
    changes = list(diff(old.terms, new.terms)) if old and new else []
    for name in ("scope", "roles", "others", "arbiter", "from_at", "until_at", "objection_seconds", "dispute_seconds",
                 "notice_seconds", "undecided", "note"):  # fmt: skip
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            changes.append(Change(name, _plain(was), _plain(now)))
    return changes


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(" ".join(part) if isinstance(part, tuple) else str(part) for part in value)
    return str(value) if value != "" else "none"


class ProposalCard(Struct, frozen=True):
    """A proposal as one of its parties sees it. mine: it waits for the reader's signature. changes: against what it
    counters or amends, in words. prose: its sentences."""

    proposal: Proposal
    mine: bool
    changes: tuple[str, ...]
    prose: tuple[str, ...]


def proposals(view: View, *, open_only: bool = True, limit: int = 100) -> tuple[ProposalCard, ...]:
    """Proposals in the reader's circles, newest first."""
    where = "state = 'open'" if open_only else ""
    rows = view.rows(PROPOSALS, where, order="position DESC", limit=min(limit, LIMIT_MAX))
    return tuple(_proposal(view, row) for row in rows)


def _proposal(view: View, row: Proposal) -> ProposalCard:
    before = _before(view, row)
    plan = plan_in(view, row.content)
    names = {role: party_name(view, party) for role, party in row.content.roles}
    return ProposalCard(
        proposal=row,
        mine=row.state == "open"
        and view.party in dict(row.content.roles).values()
        and view.party not in dict(row.signed),
        changes=tuple(str(change) for change in difference(view, before, row.content)) if before else (),
        prose=tuple(plan.terms.prose(names)) if plan else (),
    )


def _waits_for(row: Proposal, party: str) -> bool:
    return row.state == "open" and party in dict(row.content.roles).values() and party not in dict(row.signed)


def _before(view: View, row: Proposal) -> Content | None:
    """What a proposal is compared with: the one that it counters, else the version that it amends."""
    earlier = view.get(PROPOSALS, row.circle, row.counters) if row.counters else None
    if earlier is not None:
        return earlier.content
    agreement = view.get(AGREEMENTS, row.circle, row.agreement) if row.amends else None
    version = view.get(VERSIONS, row.circle, row.agreement, agreement.versions[-1][0]) if agreement else None
    return version.content if version else None
