"""How orders read as the events that templates name: order.placed, order.accepted, delivery, delivery.accepted,
line.closed, line.completed, return.accepted.

Each comes once for the whole order or delivery, with sums, and once for each line; keys say which: `order`, `delivery`,
`line` (a line that was promised in parts counts each part, "1.2"), `item`, `document`. Money is per unit and in minor
units, `total` and `net` are sums, `quantity` is in each; a date that nobody gave is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hanse.kernel.draft import Draft
from hanse.rooms.contracts.happening import Happening
from hanse.rooms.contracts.private_rows import BOUND
from hanse.rooms.orders.private_rows import (
    ORDER_TERMS,
    SHIPMENT_TERMS,
    OrderTerms,
    ShipmentTerms,
    ShippedSlice,
    TermsLine,
)
from hanse.rooms.orders.rows import ORDERS, SHIPMENTS, Order, ShipmentLine

SHIPMENTS_READ_MAX = 1_000
Signers = tuple[tuple[str, int], ...]


def dated(**fields: Any) -> dict[str, Any]:
    """Fields without the times that nobody gave (`*_at` of 0)."""
    return {name: value for name, value in fields.items() if value or not name.endswith("_at")}


def both(draft: Draft, circle: str, order: str, buyer: str, seller: str) -> Signers:
    """Who signed what the seller is bound to, and in which entries: the order, and its confirmation."""
    row = draft.get(BOUND, circle, order)
    placed = row.placed_entry if row else draft.position
    accepted = (row.accepted_entry if row else 0) or draft.position
    return tuple((party, at) for party, at in ((buyer, placed), (seller, accepted)) if party)


def accepted_line(
    order: str, line: str, item: str, signers: Signers, at: int, one_sided: bool, **fields: Any
) -> Happening:
    """A confirmed line. fields: quantity, unit_price, promised_at, requested_at, currency."""
    return Happening(
        event="order.accepted",
        id=f"{order}/{line}",
        at=at,
        ledger_at=at,
        keys={"order": order, "line": line, "item": item},
        fields=dated(item=item, total=fields["quantity"] * fields["unit_price"], **fields),
        signers=signers,
        one_sided=one_sided,
    )


def accepted_order(order: str, lines: Sequence[Happening]) -> Happening:
    """The confirmed lines of an order together; its date is the latest."""
    first = lines[0]
    sums: dict[str, Any] = {name: sum(h.fields[name] for h in lines) for name in ("quantity", "total")}
    for name in ("promised_at", "requested_at"):
        sums[name] = max((h.fields.get(name, 0) for h in lines), default=0)
    return Happening(
        event="order.accepted",
        id=order,
        at=first.at,
        ledger_at=first.ledger_at,
        keys={"order": order},
        fields=dated(currency=first.fields["currency"], **sums),
        signers=first.signers,
        one_sided=first.one_sided,
    )


def promised_lines(terms: OrderTerms | Any, signers: Signers, at: int, order: str, one_sided: bool) -> list[Happening]:
    """What the seller is bound to, line by line; the date of a line is that of its last part."""
    out = []
    for line in terms.lines:
        promises = line.promises
        if not promises:
            continue
        each = sum(promise.each for promise in promises)
        out.append(
            accepted_line(
                order,
                str(line.line),
                promises[0].item,
                signers,
                at,
                one_sided,
                quantity=each,
                unit_price=promises[0].unit_price_minor,
                promised_at=max(promise.promised_at for promise in promises),
                requested_at=line.requested_at,
                currency=terms.currency,
            )
        )
    return out


def line_names(slices: Sequence[ShippedSlice]) -> list[str]:
    """The name of each slice's line: "1", or "1.1", "1.2" where a line was promised in parts."""
    counts: dict[int, int] = {}
    for part in slices:
        counts[part.line] = counts.get(part.line, 0) + 1
    seen: dict[int, int] = {}
    names = []
    for part in slices:
        seen[part.line] = seen.get(part.line, 0) + 1
        names.append(str(part.line) if counts[part.line] == 1 else f"{part.line}.{seen[part.line]}")
    return names


def rejected_by(slices: Sequence[ShippedSlice], shipped: Sequence[ShipmentLine]) -> list[int]:
    """How many of each slice were rejected: a line's from its last slice to its first, as far as units are missing."""
    left = {line.line: line.damaged for line in shipped}
    found = [0] * len(slices)
    for i in reversed(range(len(slices))):
        part = slices[i]
        found[i] = min(part.each - part.good, left.get(part.line, 0))
        left[part.line] = left.get(part.line, 0) - found[i]
    return found


class Delivery:
    """A received shipment, as its events.

    Args:
        signers: of the delivery: the seller by its dispatch, the buyer by its receipt (also a deemed one, which both
            agreed to by trading under it).
        shipped: the shipment's lines, of which rejects are known.
    """

    def __init__(
        self,
        order: str,
        shipment: str,
        currency: str,
        signers: Signers,
        ordered_by: Signers,
        at: int,
        ledger_at: int,
        slices: Sequence[ShippedSlice],
        lines: Sequence[TermsLine],
        one_sided: bool,
        shipped: Sequence[ShipmentLine] = (),
    ) -> None:
        self.order, self.shipment, self.currency, self.slices = order, shipment, currency, slices
        self.at, self.ledger_at, self.one_sided = at, ledger_at, one_sided
        self.signers, self.ordered_by = signers, ordered_by
        self.requested = {line.line: line.requested_at for line in lines}
        self.names = line_names(slices)
        self.rejected = rejected_by(slices, shipped)

    def accepted(self, i: int) -> Happening:
        """The promise that a slice was shipped for."""
        part = self.slices[i]
        return accepted_line(
            self.order,
            self.names[i],
            part.item,
            self.ordered_by,
            self.at,
            self.one_sided,
            quantity=part.each,
            unit_price=part.unit_price_minor,
            promised_at=part.promised_at,
            requested_at=self.requested.get(part.line, 0),
            currency=self.currency,
        )

    def line(self, event: str, i: int) -> Happening:
        """One slice: `quantity` and `accepted` are the good ones, `shipped` all, `rejected` came and were no good,
        `short` did not come."""
        part = self.slices[i]
        keys = {
            "order": self.order,
            "delivery": self.shipment,
            "document": self.shipment,
            "line": self.names[i],
            "item": part.item,
        }
        net = part.good * part.unit_price_minor
        fields = {
            "quantity": part.good,
            "accepted": part.good,
            "shipped": part.each,
            "rejected": self.rejected[i],
            "short": part.each - part.good - self.rejected[i],
            "unit_price": part.unit_price_minor,
            "net": net,
            "item": part.item,
            "currency": self.currency,
        }
        return self.happening(event, f"{self.shipment}/{self.names[i]}", keys, fields)

    def whole(self, event: str, accepted_so_far: int) -> Happening:
        """The delivery: `quantity` good ones of it, `accepted` good ones of the order so far, `lines` with prices."""
        good = sum(part.good for part in self.slices)
        lines = [
            {"item": part.item[:200], "quantity": part.good, "unit_price": part.unit_price_minor}
            for part in self.slices
            if part.good
        ]
        fields: dict[str, Any] = {
            "quantity": good,
            "accepted": accepted_so_far,
            "lines": lines,
            "net": sum(part.good * part.unit_price_minor for part in self.slices),
            "currency": self.currency,
        }
        if event == "delivery.accepted":
            del fields["quantity"], fields["net"]  # its lines move the folds
        keys = {"order": self.order, "delivery": self.shipment}
        return self.happening(event, self.shipment, keys, fields)

    def happening(self, event: str, id: str, keys: dict[str, str], fields: dict[str, Any]) -> Happening:
        """An event that the delivery's signers vouch for."""
        return Happening(
            event=event,
            id=id,
            at=self.at,
            ledger_at=self.ledger_at,
            keys=keys,
            fields=fields,
            signers=self.signers,
            one_sided=self.one_sided,
        )


def accepted_each(order: Order) -> int:
    """Good ones of an order received so far, those over not counted."""
    return sum(line.received - line.over for line in order.lines)


def line_closed(draft: Draft, order: Order, terms: OrderTerms, known: Delivery) -> list[Happening]:
    """The order's lines that this delivery closed: `ordered` (less what was cancelled) and `good`, in full and in time.

    A line is good as far as its parts came good and not after their promise.
    """
    touched = {part.line for part in known.slices}
    closing = [
        line for line in order.lines if line.line in touched and not (line.open or line.to_ship or line.in_transit)
    ]
    if not closing:
        return []
    rows = draft.scan(SHIPMENT_TERMS, order_id=order.order_id, limit=SHIPMENTS_READ_MAX)
    good: dict[int, int] = {}
    for row in rows:
        for part in row.slices:
            in_time = part.promised_at > 0 and 0 < row.arrived_at <= part.promised_at
            good[part.line] = good.get(part.line, 0) + (part.good if in_time else 0)
    items = {line.line: line.item for line in terms.lines}
    out = []
    for line in closing:
        keys = {"order": order.order_id, "line": str(line.line), "item": items[line.line], "document": known.shipment}
        ordered = line.ordered - line.cancelled
        fields = {
            "ordered": ordered,
            "good": min(ordered, good.get(line.line, 0)),
            "quantity": line.received - line.over,
        }
        out.append(known.happening("line.closed", f"{order.order_id}/{line.line}", keys, fields))
        if line.received - line.over >= ordered > 0:
            out.append(known.happening("line.completed", f"{order.order_id}/{line.line}", keys, fields))
    return out


def delivery_of(draft: Draft, row: ShipmentTerms, terms: OrderTerms, ledger_at: int) -> Delivery:
    """A received shipment, from the rows of orders."""
    seller = terms.seller or terms.buyer
    signers = tuple((party, row.position) for party in sorted({terms.buyer or seller, seller}))
    shipment = draft.get(SHIPMENTS, row.shipment)
    return Delivery(
        row.order_id,
        row.shipment,
        terms.currency,
        signers,
        both(draft, row.circle, row.order_id, terms.buyer, terms.seller),
        row.arrived_at,
        ledger_at,
        row.slices,
        terms.lines,
        bool(terms.side),
        shipment.lines if shipment else (),
    )


def find_in_orders(draft: Draft, event: str, keys: Mapping[str, str]) -> Happening | None:
    """An order's event that fits a trigger's keys, read from the rows of orders; None where there is none."""
    if event not in ("order.accepted", "delivery", "delivery.accepted", "line.completed"):
        return None
    if "order" not in keys and "delivery" in keys:
        shipment = draft.get(SHIPMENTS, keys["delivery"])
        keys = {**keys, "order": shipment.order_id} if shipment and shipment.circle == draft.circle else keys
    order = draft.get(ORDERS, keys.get("order", ""))
    if order is None or order.circle != draft.circle:
        return None
    terms = draft.get(ORDER_TERMS, draft.circle, order.order_id)
    if terms is None:
        return None
    if event == "line.completed":
        return _completed(order, terms, keys, draft)
    if event == "order.accepted":
        return _accepted(draft, order, terms, keys.get("line", ""))
    rows = [r for r in draft.scan(SHIPMENT_TERMS, order_id=order.order_id, limit=SHIPMENTS_READ_MAX) if r.arrived_at]
    if "delivery" in keys:
        rows = [row for row in rows if row.shipment == keys["delivery"]]
    if not rows:
        return None
    row = max(rows, key=lambda row: (row.arrived_at, row.position))
    known = delivery_of(draft, row, terms, draft.now)
    line = keys.get("line", "")
    if line in known.names:
        return known.line(event, known.names.index(line))
    return known.whole(event, accepted_each(order))


def _accepted(draft: Draft, order: Order, terms: OrderTerms, line: str) -> Happening | None:
    signers = both(draft, draft.circle, order.order_id, terms.buyer, terms.seller)
    lines = []
    for balance, known in zip(order.lines, terms.lines, strict=True):
        each = balance.ordered - balance.cancelled
        if not known.first_promised_at and not balance.confirmed:
            continue
        lines.append(
            accepted_line(
                order.order_id,
                str(known.line),
                known.item,
                signers,
                draft.now,
                bool(terms.side),
                quantity=each,
                unit_price=known.unit_price_minor,
                promised_at=known.first_promised_at,
                requested_at=known.requested_at,
                currency=terms.currency,
            )
        )
    if not lines:
        return None
    if line:
        return next((h for h in lines if h.keys["line"] == line.partition(".")[0]), None)
    return accepted_order(order.order_id, lines)


def _completed(order: Order, terms: OrderTerms, keys: Mapping[str, str], draft: Draft) -> Happening | None:
    for line in order.lines:
        if str(line.line) == keys.get("line", "").partition(".")[0]:
            wanted = line.ordered - line.cancelled
            if line.received - line.over >= wanted:
                parties = sorted({terms.buyer, terms.seller} - {""})
                return Happening(
                    event="line.completed",
                    id=f"{order.order_id}/{line.line}",
                    at=draft.now,
                    ledger_at=draft.now,
                    keys={"order": order.order_id, "line": keys["line"]},
                    signers=tuple((party, order.position) for party in parties),
                    one_sided=bool(terms.side),
                )
    return None
