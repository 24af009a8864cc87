"""What is earned and not yet billed, and what clauses say is owed: this room's answers to what earlier rooms tell."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.rooms.accounts.invoicing import cut, way_of_order
from hanse.rooms.accounts.ledger import MONEY_MAX, billable, open_item, post
from hanse.rooms.accounts.rows import (
    ACCRUALS,
    AWARD,
    BALANCES,
    BILLED,
    ITEMS,
    ON_ACCOUNT,
    PENDING,
    PROVISIONS,
    STANDS,
    USED,
    VOID,
    Accrual,
    Provision,
    Way,
    of_return,
)
from hanse.rooms.contracts.told import AwardPosted, AwardStands, AwardVoid
from hanse.rooms.orders.private_rows import ORDER_TERMS, SHIPMENT_TERMS
from hanse.rooms.orders.rows import RETURNS, SHIPMENTS, Return
from hanse.rooms.orders.told import DeliveryKnown, ReturnKnown

MEMO_KINDS = ("hold", "release", "refund")
"""Awards that move money in escrow; nothing is accrued for them."""


def book_delivery(draft: Draft, event: DeliveryKnown) -> None:
    """Goods received are unbilled until they are invoiced; lent goods, and a value beyond all money, are not booked."""
    terms = draft.get(ORDER_TERMS, event.circle, event.order)
    value = sum(part.good * part.unit_price_minor for part in event.slices)
    if terms is not None and not terms.loan and value <= MONEY_MAX:
        post(draft, way_of_order(terms), "delivery", event.shipment, ("unbilled", value), ("goods", -value))


def book_return(draft: Draft, event: ReturnKnown) -> None:
    """Good units that went back: unbilled ones are unbooked; for billed ones a credit note is expected, as an accrual.

    Damaged units, which were never booked, are taken to go back first; good ones go from the last to the first.
    """
    returned = draft.get(RETURNS, event.return_id)
    terms = draft.get(ORDER_TERMS, event.circle, event.order)
    if returned is None or terms is None or terms.loan:
        return
    unbilled, billed = _returned_value(draft, returned, {line: each for line, each, _, _ in _in_sum(event)})
    way = way_of_order(terms)
    if unbilled <= MONEY_MAX:
        post(draft, way, "return", event.return_id, ("goods", unbilled), ("unbilled", -unbilled))
    if not 0 < billed <= MONEY_MAX:
        return
    post(draft, way, "accrual", event.return_id, ("goods", billed), ("accrued", -billed), reason="goods returned")
    row = Accrual(
        circle=event.circle,
        accrual=of_return(event.return_id),
        accrual_kind="return",
        state=STANDS,
        currency=way.currency,
        supplier=way.supplier,
        customer=way.customer,
        amount_minor=-billed,
        open_minor=-billed,
        at=draft.now,
        due_at=0,
        document=event.return_id,
        label="goods returned",
    )
    draft.put(ACCRUALS, row)


def _in_sum(event: ReturnKnown) -> list[tuple[int, int, str, int]]:
    each: dict[int, int] = {}
    for line, count, _, _ in event.lines:
        each[line] = each.get(line, 0) + count
    return [(line, count, "", 0) for line, count in sorted(each.items())]


def _returned_value(draft: Draft, returned: Return, each: dict[int, int]) -> tuple[int, int]:
    """(value of unbilled, value of billed good units) among what a return took back, minor units."""
    shipment, terms = (
        draft.get(SHIPMENTS, returned.shipment),
        draft.get(SHIPMENT_TERMS, draft.circle, returned.shipment),
    )
    unbilled = billed = 0
    if shipment is None or terms is None:
        return 0, 0
    for line in shipment.lines:
        back = each.get(line.line, 0)
        low = billable(line)
        high = billable(replace(line, returned=line.returned - back))
        had = draft.get(BILLED, draft.circle, returned.shipment, line.line)
        split = min(max(had.each if had else 0, low), high)
        billed += sum(price * n for _, price, n in cut(terms.slices, line.line, low, split))
        unbilled += sum(price * n for _, price, n in cut(terms.slices, line.line, split, high))
    return unbilled, billed


def _way(draft: Draft, event: AwardPosted | AwardStands | AwardVoid) -> tuple[Way, int]:
    """(direction, sign): whether the sender is the supplier (-1: the customer will owe less) or the customer (1).

    One-sided results are not told, so both are parties. The sender counts as supplier where it has supplied the
    receiver, or neither has supplied the other.
    """
    forth, back = Way(event.currency, event.sender, event.receiver), Way(event.currency, event.receiver, event.sender)
    if event.kind in MEMO_KINDS:
        return (forth, -1) if event.kind == "refund" else (back, 1)
    supplied = [draft.get(BALANCES, draft.circle, w.currency, w.supplier, w.customer, "goods") for w in (forth, back)]
    return (back, 1) if supplied[0] is None and supplied[1] is not None else (forth, -1)


def accrue_award(draft: Draft, event: AwardPosted) -> None:
    """A clause result: a pending accrual with its reason. Nothing is due yet."""
    way, sign = _way(draft, event)
    amount = sign * event.amount_minor
    row = Accrual(
        circle=event.circle,
        accrual=event.award,
        accrual_kind=event.kind,
        state=PENDING,
        currency=event.currency,
        supplier=way.supplier,
        customer=way.customer,
        amount_minor=amount,
        open_minor=amount,
        at=draft.now,
        due_at=event.due_at,
        document=event.agreement,
        label=event.label,
        sha256=event.sha256,
    )
    draft.put(ACCRUALS, row)
    if event.kind not in MEMO_KINDS:
        post(draft, way, "accrual", event.award, ("accrued", amount), ("credit", -amount), reason=event.label)


def _pending(draft: Draft, award: str) -> Accrual | None:
    row = draft.get(ACCRUALS, draft.circle, award)
    return row if row is not None and row.state == PENDING else None


def award_stands(draft: Draft, event: AwardStands) -> None:
    """The objection period is over, or a dispute was decided: what stands becomes owed.

    pay: a credit item (a debit item where the customer pays); what the agreement had accrued for it before is used up.
    post: it stays accrued until a clause pays it. hold, release, refund: the escrow's money moves.
    """
    row = _pending(draft, event.award)
    if row is None:
        return
    way = Way(row.currency, row.supplier, row.customer)
    stands = event.amount_minor if row.amount_minor > 0 else -event.amount_minor
    if event.kind in MEMO_KINDS:
        _move_escrow(draft, way, event)
        draft.put(ACCRUALS, replace(row, amount_minor=stands, open_minor=0, state=USED))
        return
    lowered = row.amount_minor - stands
    post(draft, way, "decision", event.award, ("credit", lowered), ("accrued", -lowered), reason=event.label)
    if event.kind == "post":
        draft.put(ACCRUALS, replace(row, amount_minor=stands, open_minor=stands, state=STANDS))
        _provide(draft, way, event.agreement, stands)
        return
    draft.put(ACCRUALS, replace(row, amount_minor=stands, open_minor=0, state=USED))
    item = _number(draft, event.award)
    open_item(draft, way, item, AWARD, stands, due_at=event.due_at, reference=event.label, subject=event.agreement)
    post(draft, way, AWARD, item, ("due", stands), ("accrued", -stands), reason=event.label)
    _use_provision(draft, way, event.agreement, stands, event.label)


def _number(draft: Draft, award: str) -> str:
    """A free number for an award's item: its own, unless somebody has called a document so."""
    while draft.get(ITEMS, draft.circle, award) is not None:
        award += "+"
    return award


def _move_escrow(draft: Draft, way: Way, event: AwardStands) -> None:
    """The agreement's escrow: held for the customer, released to the supplier as money on account, or refunded."""
    amount = event.amount_minor
    if event.kind == "hold":
        post(draft, way, "escrow", event.award, ("escrow", amount), ("deposit", -amount), reason=event.label)
        return
    post(draft, way, "escrow", event.award, ("deposit", amount), ("escrow", -amount), reason=event.label)
    if event.kind == "release":
        item = _number(draft, event.award)
        open_item(draft, way, item, ON_ACCOUNT, -amount, reference=event.label, subject=event.agreement)
        post(draft, way, "release", item, ("bank", amount), ("due", -amount), reason=event.label)


def _provide(draft: Draft, way: Way, agreement: str, amount_minor: int) -> int:
    """Add to what an agreement has accrued in a direction; what stands after."""
    key = (draft.circle, agreement, way.supplier, way.customer)
    had = draft.get(PROVISIONS, *key)
    after = (had.open_minor if had else 0) + amount_minor
    row = Provision(
        circle=draft.circle,
        agreement=agreement,
        supplier=way.supplier,
        customer=way.customer,
        currency=way.currency,
        open_minor=after,
    )
    draft.put(PROVISIONS, row)
    return after


def _use_provision(draft: Draft, way: Way, agreement: str, paid_minor: int, label: str) -> None:
    """A payment replaces what its agreement accrued for it, as far as both have one sign."""
    had = draft.get(PROVISIONS, draft.circle, agreement, way.supplier, way.customer)
    if had is None or had.open_minor * paid_minor <= 0:
        return
    used = min(had.open_minor, paid_minor) if paid_minor > 0 else max(had.open_minor, paid_minor)
    _provide(draft, way, agreement, -used)
    post(draft, way, "provision used", agreement, ("credit", used), ("accrued", -used), reason=label)


def award_falls(draft: Draft, event: AwardVoid) -> None:
    """What was accrued for a clause result is reversed."""
    row = _pending(draft, event.award)
    if row is None:
        return
    draft.put(ACCRUALS, replace(row, open_minor=0, state=VOID))
    if row.accrual_kind not in MEMO_KINDS:
        way = Way(row.currency, row.supplier, row.customer)
        amount = row.amount_minor
        post(draft, way, "reversal", event.award, ("credit", amount), ("accrued", -amount), reason=event.label)


ON_CIRCLE = {
    DeliveryKnown: book_delivery,
    ReturnKnown: book_return,
    AwardPosted: accrue_award,
    AwardStands: award_stands,
    AwardVoid: award_falls,
}
