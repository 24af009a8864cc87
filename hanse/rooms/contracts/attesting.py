"""Attested events: who says what happened, and when enough have said it."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule
from hanse.rooms.contracts.agreeing import is_one_sided, said
from hanse.rooms.contracts.clock import look
from hanse.rooms.contracts.compiled import refused_of
from hanse.rooms.contracts.facts import Attest, Said
from hanse.rooms.contracts.happening import Happening, value_of
from hanse.rooms.contracts.private_rows import AGREEMENTS, HAPPENED, VERSIONS, Happened
from hanse.rooms.contracts.running import observe
from hanse.rooms.contracts.stored import concerned, keep, plan_for, stored, version_at
from hanse.rooms.contracts.terms import TermsRefused
from hanse.rooms.contracts.terms.kinds import Kind
from hanse.rooms.contracts.terms.runtime import accept
from hanse.rooms.contracts.waits import circle_row
from hanse.rooms.orders.rows import ORDERS, SHIPMENTS
from hanse.rooms.parties.rules import party_behind

OWN = ("period.", "dispute.", "ledger")
OF_ORDERS = ("order.", "delivery", "line.", "return.")
FIELDS_CHARS_MAX = 20_000


@circle_rule(Attest)
def attest(draft: Draft, fact: Attest) -> None:
    """Keep events as attested by one more party; clauses hear of each when all who must have signed it have.

    Refuses, in order, event by event: contracts.missing_terms, contracts.reserved_event, contracts.unknown_agreement,
        contracts.in_future, contracts.too_large, contracts.attested_differently, contracts.attested (by the same
        party), terms.* (a field that a clause cannot read).
    """
    look(draft)
    require(said(fact.events, []), "contracts.missing_terms", "say what happened")
    party, one_sided = party_behind(draft, draft.signer), is_one_sided(draft)
    rows = [_taken(draft, event, party, one_sided) for event in fact.events]
    heard = []
    for row in rows:
        happening = stored(row)
        heard.append(replace(happening, one_sided=True, ledger_at=row.at) if one_sided else happening)
    for happening in heard:
        _check_fields(draft, happening)
    for row in rows:
        keep(draft, stored(row))
        if row.counted:
            draft.put(HAPPENED, row)
    for happening in heard:
        others = tuple(other for other in heard if other is not happening)
        observe(draft, happening, others)
    look(draft)


def _taken(draft: Draft, event: Said, party: str, one_sided: bool) -> Happened:
    """The event's row with one more signer. Refuses: as `attest`."""
    if one_sided:
        allowed = not event.event.startswith("dispute.")
    else:
        of_orders = event.event.startswith(OF_ORDERS) and _known(draft, event.keys)
        allowed = not event.event.startswith(OWN) and not of_orders
    require(allowed, "contracts.reserved_event", "orders or the ledger tell this event themselves", got=event.event)
    stands = not event.agreement or event.agreement in circle_row(draft).agreements
    require(stands, "contracts.unknown_agreement", "no such agreement in this circle", got=event.agreement)
    early = event.occurred_at <= draft.now
    require(early, "contracts.in_future", "it has not happened yet", got=event.occurred_at, expected=f"<= {draft.now}")
    fields = json.dumps(event.fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    require(len(fields) <= FIELDS_CHARS_MAX, "contracts.too_large", "an event's fields are too large", got=len(fields))
    before = draft.get(HAPPENED, draft.circle, event.event, event.id)
    signed = (party, draft.position)
    if before is None:
        return Happened(
            circle=draft.circle,
            event=event.event,
            id=event.id,
            subject="",
            agreement=event.agreement,
            at=event.occurred_at,
            ledger_at=draft.now,
            keys=event.keys,
            fields=fields,
            signers=(signed,),
        )
    content: tuple[Any, ...] = (before.agreement, before.at, before.keys, before.fields)
    same = bool(before.signers) and content == (event.agreement, event.occurred_at, event.keys, fields)
    if not same:
        raise Refused(
            "contracts.attested_differently", "this event stands with other content", got=event.id, next="use its words"
        )
    require(party not in dict(before.signers), "contracts.attested", "you have attested it", got=event.id)
    return replace(before, signers=(*before.signers, signed))


def _known(draft: Draft, keys: dict[str, str]) -> bool:
    """Whether keys name an order or shipment that the network knows: those tell their events themselves."""
    order, shipment = keys.get("order", ""), keys.get("delivery", "")
    return bool((order and draft.get(ORDERS, order)) or (shipment and draft.get(SHIPMENTS, shipment)))


def _check_fields(draft: Draft, happening: Happening) -> None:
    """Refuses: terms.*, where a clause that is in force could not read a field."""
    for name in concerned(draft, happening):
        agreement = draft.get(AGREEMENTS, draft.circle, name)
        number = version_at(agreement, happening.at) if agreement else 0
        version = draft.get(VERSIONS, draft.circle, name, number) if number else None
        if version is None:
            continue
        plan = plan_for(draft, version)
        if happening.event not in plan.events:
            continue
        decimals = plan.terms.decimals
        try:
            for sources in plan.sources.values():
                for _, events, field, fact in sources:
                    if happening.event in events and not fact.exists:
                        _check(happening, field, fact.kind, decimals)
            for fold in plan.folds.get(happening.event, ()):
                for field, kind in plan.fold_fields(fold, happening.event).items():
                    _check(happening, field, kind, decimals)
        except TermsRefused as refused:
            raise refused_of(refused) from None


def _check(happening: Happening, field: str, kind: Kind, decimals: int) -> None:
    value = value_of(happening, field, field, kind, decimals)
    if value is not None:
        accept(field, kind, value)
