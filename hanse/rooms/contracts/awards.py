"""Awards: from a clause's action to an amount that stands, falls or is disputed."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.refusal import Refused
from hanse.rooms.contracts.private_rows import (
    AGREEMENTS,
    AWARDS,
    DISPUTED,
    PENDING,
    STANDING,
    UNPROVEN,
    VOID,
    Award,
    Version,
)
from hanse.rooms.contracts.terms import Action
from hanse.rooms.contracts.told import AwardPosted, AwardStands, AwardVoid
from hanse.rooms.contracts.waits import may_tell, put_wait

EVIDENCE_MAX = 200
MONEY = ("pay", "post", "hold", "release", "refund")


def post(
    draft: Draft, version: Version, clause: str, key: str, action: Action, sha256: str, evidence: set[int], money: str
) -> str:
    """Write a pending award with its reason, and tell it; its number.

    Args:
        money: the agreement's currency. evidence: entries that the result rests on.
    A one-sided award is unproven for good: it is nobody's debt, and is not told.
    """
    agreement = draft.get(AGREEMENTS, version.circle, version.agreement)
    assert agreement is not None, "a version has its agreement"
    number = agreement.awards_n + 1
    draft.put(AGREEMENTS, replace(agreement, awards_n=number))
    sender, receiver = version.names.get(action.sender, ""), version.names.get(action.to, "")
    amount = int(action.value)
    if amount < 0:
        sender, receiver, amount = receiver, sender, -amount
    until = draft.now + version.objection_seconds
    award = Award(
        circle=version.circle,
        award=f"{version.agreement}:{number}",
        agreement=version.agreement,
        version=version.version,
        clause=clause,
        key=key,
        kind=action.kind,
        sender=sender,
        receiver=receiver,
        amount_minor=amount,
        posted_minor=amount,
        currency=money,
        label=action.label or action.event,
        due_at=action.due,
        state=UNPROVEN if version.one_sided else PENDING,
        sha256=sha256,
        posted_at=draft.now,
        objection_until=0 if version.one_sided else until,
        evidence=tuple(sorted(evidence)[-EVIDENCE_MAX:]),
    )
    draft.put(AWARDS, award)
    if not version.one_sided:
        tell(draft, award, "posted")
        put_wait(draft, until, f"objection/{award.award}", "objection", award.award)
    return award.award


def tell(draft: Draft, award: Award, what: str) -> None:
    """Tell later rooms what became of an award; what one draft cannot tell, the next look of the circle does."""
    if not may_tell(draft):
        order = ("posted", "stands", "void").index(what)
        put_wait(draft, draft.now, f"tell/{award.award}/{order}", "tell", award.award, what)
        return
    about: dict[str, Any] = {
        "circle": award.circle,
        "agreement": award.agreement,
        "award": award.award,
        "kind": award.kind,
        "sender": award.sender,
        "receiver": award.receiver,
        "amount_minor": award.amount_minor if what == "stands" else award.posted_minor,
        "currency": award.currency,
        "label": award.label,
        "due_at": award.due_at,
        "sha256": award.sha256,
    }
    if what == "stands":
        draft.tell(AwardStands(**about, posted_minor=award.posted_minor))
    elif what == "posted":
        draft.tell(AwardPosted(**about))
    else:
        draft.tell(AwardVoid(**about))


def find(draft: Draft, award: str) -> Award:
    """Refuses: contracts.unknown_award."""
    found = draft.get(AWARDS, draft.circle, award)
    if found is None:
        raise Refused("contracts.unknown_award", "no such result in this circle", got=award)
    return found


def settle(draft: Draft, award: Award, amount_minor: int, **changes: Any) -> Award:
    """Let an award stand at an amount, or fall where it is 0. Only a pending or disputed one changes."""
    assert award.state in (PENDING, DISPUTED), "an award is settled once"
    state = STANDING if amount_minor else VOID
    after = replace(award, state=state, amount_minor=amount_minor, settled_at=draft.now, **changes)
    draft.put(AWARDS, after)
    tell(draft, after, "stands" if amount_minor else "void")
    return after


def objection_over(draft: Draft, award: str) -> None:
    """Nobody objected in time: what is still pending stands."""
    found = draft.get(AWARDS, draft.circle, award)
    if found is not None and found.state == PENDING:
        settle(draft, found, found.posted_minor)
