"""What orders tell a circle, heard by its agreements; and the public clock of a circle that trades."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.rooms.contracts.clock import extend, look
from hanse.rooms.contracts.compiled import Plan
from hanse.rooms.contracts.happening import Happening
from hanse.rooms.contracts.orders_seen import (
    Delivery,
    accepted_each,
    accepted_order,
    both,
    dated,
    line_closed,
    promised_lines,
)
from hanse.rooms.contracts.private_rows import AGREEMENTS, BOUND, CIRCLE_ROWS, VERSIONS, Bound, Version
from hanse.rooms.contracts.running import observe
from hanse.rooms.contracts.scope import in_scope
from hanse.rooms.contracts.stored import plan_for, version_at
from hanse.rooms.contracts.waits import circle_row
from hanse.rooms.orders.private_rows import ORDER_TERMS
from hanse.rooms.orders.rows import ORDERS, SHIPMENTS
from hanse.rooms.orders.told import (
    ConfirmedKnown,
    DeliveryKnown,
    OrderKnown,
    Placed,
    Received,
    ReturnKnown,
)


def touch(draft: Draft, event: Placed | Received) -> None:
    """Trade keeps a circle's clock going."""
    extend(draft, event.circle)


def _looked(handler: Callable[[Draft, Any], None]) -> Callable[[Draft, Any], None]:
    """A handler for circles with agreements: what was due is settled before and after it."""

    def handle(draft: Draft, event: Any) -> None:
        if event.circle == draft.circle and draft.get(CIRCLE_ROWS, draft.circle) is not None:
            look(draft)
            handler(draft, event)
            look(draft)

    return handle


def _bound_plans(draft: Draft, order: str) -> tuple[Bound, list[tuple[Version, Plan]]]:
    row = draft.get(BOUND, draft.circle, order)
    if row is None:
        return Bound(circle=draft.circle, order_id=order, versions=(), placed_entry=0), []
    found = []
    for agreement, number in row.versions:
        version = draft.get(VERSIONS, draft.circle, agreement, number)
        assert version is not None, "an order is bound to versions that stand"
        found.append((version, plan_for(draft, version)))
    return row, found


def _wants(plans: list[tuple[Version, Plan]], *events: str) -> bool:
    return any(event in plan.events for _, plan in plans for event in events)


def bind(draft: Draft, event: OrderKnown) -> None:
    """Bind an order to the versions in force now, and tell their clauses that it was placed.

    An agreement binds where its first role is the seller's and its second the buyer's, and a line is in its scope. A
    one-sided order binds by the date that it states.
    """
    order, terms = draft.get(ORDERS, event.order), draft.get(ORDER_TERMS, draft.circle, event.order)
    assert order is not None and terms is not None, "orders tell what they have written"
    at = event.placed_at if order.one_sided else draft.now
    seller, buyer = event.seller or terms.counterparty, event.buyer or terms.counterparty
    versions = []
    for name in circle_row(draft).agreements:
        agreement = draft.get(AGREEMENTS, draft.circle, name)
        number = version_at(agreement, at) if agreement else 0
        version = draft.get(VERSIONS, draft.circle, name, number) if number else None
        if version is None or not _sides(draft, version, seller, buyer):
            continue
        if any(in_scope(draft, version.content.scope, line.item) for line in event.lines):
            versions.append((name, number))
    if not versions:
        return
    row = Bound(circle=draft.circle, order_id=event.order, versions=tuple(versions), placed_entry=draft.position)
    draft.put(BOUND, row)
    if _wants(_bound_plans(draft, event.order)[1], "order.placed"):
        _placed(draft, event, order, at)


def _sides(draft: Draft, version: Version, seller: str, buyer: str) -> bool:
    roles = plan_for(draft, version).terms.template.roles
    return version.names[roles[0]] == seller and version.names[roles[1]] == buyer


def _placed(draft: Draft, event: OrderKnown, order: Any, at: int) -> None:
    balances = {line.line: line for line in order.lines}
    lines = []
    for line in event.lines:
        each = balances[line.line].ordered
        keys = {"order": event.order, "line": str(line.line), "item": line.item}
        fields = dated(
            item=line.item,
            quantity=each,
            unit_price=line.unit_price_minor,
            requested_at=line.requested_at,
            ordered_at=at,
            total=each * line.unit_price_minor,
            currency=event.currency,
        )
        lines.append(
            Happening(
                event="order.placed",
                id=f"{event.order}/{line.line}",
                at=at,
                ledger_at=at if order.one_sided else draft.now,
                keys=keys,
                fields=fields,
                signers=((event.buyer or event.seller, draft.position),),
                one_sided=order.one_sided,
            )
        )
    total: dict[str, Any] = {name: sum(h.fields[name] for h in lines) for name in ("quantity", "total")}
    fields = dated(ordered_at=at, currency=event.currency, **total)
    observe(draft, replace(lines[0], id=event.order, keys={"order": event.order}, fields=fields))
    for line_placed in lines:
        observe(draft, line_placed)


def confirmed(draft: Draft, event: ConfirmedKnown) -> None:
    """The seller is bound: order.accepted, whole and by line."""
    row, plans = _bound_plans(draft, event.order)
    if not plans:
        return
    order = draft.get(ORDERS, event.order)
    assert order is not None, "orders tell what they have written"
    draft.put(BOUND, replace(row, accepted_entry=draft.position))
    if not _wants(plans, "order.accepted"):
        return
    signers = both(draft, draft.circle, event.order, event.buyer, event.seller)
    lines = promised_lines(event, signers, draft.now, event.order, order.one_sided)
    observe(draft, accepted_order(event.order, lines))
    for line in lines:
        observe(draft, line)


def delivered(draft: Draft, event: DeliveryKnown) -> None:
    """A delivery was received: whole and slice by slice, each with the promise that it was shipped for."""
    _, plans = _bound_plans(draft, event.order)
    if not plans:
        return
    order, terms = draft.get(ORDERS, event.order), draft.get(ORDER_TERMS, draft.circle, event.order)
    assert order is not None and terms is not None, "orders tell what they have written"
    parties = sorted({event.buyer, event.seller} - {""})
    shipment = draft.get(SHIPMENTS, event.shipment)
    known = Delivery(
        event.order,
        event.shipment,
        event.currency,
        tuple((party, draft.position) for party in parties),
        both(draft, draft.circle, event.order, event.buyer, event.seller),
        event.arrived_at,
        event.arrived_at if event.one_sided else draft.now,
        event.slices,
        terms.lines,
        event.one_sided,
        shipment.lines if shipment else (),
    )
    accepted = [known.accepted(i) for i in range(len(known.slices))]
    for name in ("delivery", "delivery.accepted"):
        if _wants(plans, name):
            observe(draft, known.whole(name, accepted_each(order)), (accepted_order(event.order, accepted),))
            for i, promise in enumerate(accepted):
                observe(draft, known.line(name, i), (promise,))
    if _wants(plans, "line.closed", "line.completed"):
        for closed in line_closed(draft, order, terms, known):
            observe(draft, closed)


def returned(draft: Draft, event: ReturnKnown) -> None:
    """Goods went back."""
    _, plans = _bound_plans(draft, event.order)
    terms = draft.get(ORDER_TERMS, draft.circle, event.order)
    if terms is None or not _wants(plans, "return.accepted"):
        return
    parties = sorted({terms.buyer, terms.seller} - {""})
    for n, (line, each, item, price) in enumerate(event.lines):
        observe(
            draft,
            Happening(
                event="return.accepted",
                id=f"{event.return_id}/{n}",
                at=draft.now,
                ledger_at=draft.now,
                keys={"order": event.order, "line": f"{line}.{n}", "document": event.return_id, "item": item},
                fields={"quantity": each, "unit_price": price, "net": each * price, "currency": event.currency},
                signers=tuple((party, draft.position) for party in parties),
                one_sided=bool(terms.side),
            ),
        )


ON = {Placed: touch, Received: touch}
ON_CIRCLE = {
    OrderKnown: _looked(bind),
    ConfirmedKnown: _looked(confirmed),
    DeliveryKnown: _looked(delivered),
    ReturnKnown: _looked(returned),
}
