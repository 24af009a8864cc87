"""What a circle has stored of agreements and events, as running clauses ask for it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.rooms.contracts.compiled import Plan, plan_of
from hanse.rooms.contracts.happening import Happening, subject_of
from hanse.rooms.contracts.private_rows import CIRCLE_ROWS, HAPPENED, Agreement, Happened, Version
from hanse.rooms.contracts.rows import TEMPLATES
from hanse.rooms.contracts.waits import circle_row

STORED_MAX = 1_000


def version_at(agreement: Agreement, at: int) -> int:
    """The version in force at a time, 0 for none."""
    if agreement.until_at and at >= agreement.until_at:
        return 0
    return max((version for version, from_at in agreement.versions if from_at <= at), default=0)


def plan_for(draft: Draft, version: Version) -> Plan:
    """The plan of a version's template and parameters."""
    found = plan_of(lambda sha: draft.get(TEMPLATES, sha), version.content.template, version.content.params)
    assert found is not None, "a version's template was registered"
    return found


def concerned(draft: Draft, happening: Happening) -> tuple[str, ...]:
    """The circle's agreements that an event is about."""
    listed = circle_row(draft).agreements
    if happening.agreement:
        return (happening.agreement,) if happening.agreement in listed else ()
    return listed


def stored(row: Happened) -> Happening:
    """A stored event as clauses hear it."""
    by = "signed" if row.signers else "own"
    return Happening(
        event=row.event,
        id=row.id,
        at=row.at,
        ledger_at=row.ledger_at,
        keys=row.keys,
        fields=json.loads(row.fields),
        signers=row.signers,
        by=by,  # type: ignore[arg-type]
        agreement=row.agreement,
    )


def keep(draft: Draft, happening: Happening) -> None:
    """Store an event for clauses that will ask for it later."""
    draft.put(
        HAPPENED,
        Happened(
            circle=draft.circle,
            event=happening.event,
            id=happening.id,
            agreement=happening.agreement,
            at=happening.at,
            ledger_at=happening.ledger_at,
            subject=subject_of(happening.keys),
            keys=happening.keys,
            fields=json.dumps(happening.fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
            signers=happening.signers,
        ),
    )
    row = circle_row(draft)
    if happening.event not in row.told:
        draft.put(CIRCLE_ROWS, replace(row, told=tuple(sorted({*row.told, happening.event}))))


def about(draft: Draft, event: str, keys: dict[str, str]) -> list[Happened]:
    """Stored events of one name that may be about the same: those without a subject, and those with one of the keys."""
    subjects = sorted({"", *keys.values()})
    return [row for subject in subjects for row in draft.scan(HAPPENED, event=event, subject=subject, limit=STORED_MAX)]


def encode_key(parts: Sequence[str]) -> str:
    """A key as text that no other key gives.

    >>> encode_key(("s1", "1"))
    '["s1","1"]'
    """
    return json.dumps(list(parts), separators=(",", ":"), ensure_ascii=False)
