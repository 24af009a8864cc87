"""Documents of an order as plain data, for pages and files to render."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.facts import Part
from hanse.kernel.view import View
from hanse.rooms.catalog.facts import ITEMS
from hanse.rooms.orders.queries import OrderPage, PageShipment, order_page
from hanse.rooms.orders.rows import SHIPMENTS

NEUTRAL_SENDER = "Versand / Dispatch"


class SlipLine(Struct, frozen=True):
    """`lots`: (lot, each, serials)."""

    line: int
    item: str
    description: str
    each: int
    lots: tuple[tuple[str, int, tuple[str, ...]], ...]


class PackingSlip(Struct, frozen=True):
    """What goes into the parcel. It has no price, no PO number and no party: neither seller, buyer nor end customer.

    sender: a neutral name. mark: what the label says instead of a name.
    """

    shipment: str
    sender: str
    mark: str
    lines: tuple[SlipLine, ...]
    packages: int
    weight_g: int


class ConfirmationLine(Struct, frozen=True):
    """One promise, or what is still open of a line (`promised_at` 0). Minor units; each."""

    line: int
    item: str
    description: str
    each: int
    unit_price_minor: int
    amount_minor: int
    promised_at: int
    state: str


class OrderConfirmation(Struct, frozen=True):
    """Between buyer and seller only. `entries`: the confirmations' positions in the record."""

    order: str
    po_number: str
    buyer: str
    seller: str
    currency: str
    lines: tuple[ConfirmationLine, ...]
    amount_minor: int
    entries: tuple[int, ...]
    unproven: bool


class DeliveryLine(Struct, frozen=True):
    line: int
    item: str
    description: str
    each: int
    received: int
    damaged: int
    short: int
    over: int
    reason: str
    lots: tuple[tuple[str, int, tuple[str, ...]], ...]


class DeliveryNote(Struct, frozen=True):
    """Between buyer and seller only: what was sent, and its receipt once there is one.

    proof: as `queries.Proof.word`. Who signed on glass stands in the facts at the two entries; it is personal, so it is
    read from the disclosures and may be erased. The hashes are of files, "" for none: of the receipt's signature and
    photograph, and of the hand-over's.
    """

    shipment: str
    order: str
    po_number: str
    buyer: str
    seller: str
    deliver_to: Part
    carrier: str
    tracking: str
    shipped_at: int
    arrived_at: int
    lines: tuple[DeliveryLine, ...]
    proof: str
    handed_over_entry: int
    received_entry: int
    paper_hash: str
    photo_hash: str
    handed_paper_hash: str
    handed_photo_hash: str


def _page(view: View, shipment: str) -> tuple[OrderPage, PageShipment] | None:
    row = view.get(SHIPMENTS, shipment)
    page = order_page(view, row.order_id) if row else None
    if page is None:
        return None
    found = next(shown for shown in page.shipments if shown.shipment.shipment == shipment)
    return (page, found) if found.terms is not None else None


def _description(view: View, item: str) -> str:
    found = view.get(ITEMS, item)
    return found.description if found else item


def _lots(shown: PageShipment, line: int) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
    assert shown.terms is not None
    return tuple((lot.lot, lot.each, lot.serials) for lot in shown.terms.lots if lot.line == line)


def packing_slip(view: View, shipment: str, *, sender: str = NEUTRAL_SENDER) -> PackingSlip | None:
    """The neutral slip; None for those outside the circle. sender: what the firm writes on all its neutral slips."""
    found = _page(view, shipment)
    if found is None:
        return None
    page, shown = found
    assert shown.terms is not None
    items = {part.line: part.item for part in shown.terms.slices}
    lines = tuple(
        SlipLine(line.line, items[line.line], _description(view, items[line.line]), line.each, _lots(shown, line.line))
        for line in shown.shipment.lines
    )
    mark = getattr(page.deliver_to, "mark", "")
    return PackingSlip(shipment, sender, mark, lines, shown.terms.packages, shown.terms.weight_g)


def order_confirmation(view: View, order_id: str) -> OrderConfirmation | None:
    """What the seller has confirmed, shipped parts included; None for those outside the circle."""
    page = order_page(view, order_id)
    if page is None:
        return None
    lines: list[ConfirmationLine] = []
    for shown in page.lines:
        gone = [
            part
            for shipment in page.shipments
            if shipment.terms is not None
            for part in shipment.terms.slices
            if part.line == shown.balance.line
        ]
        told = [("shipped", p.each, p.item, p.unit_price_minor, p.promised_at) for p in gone]
        told += [("confirmed", p.each, p.item, p.unit_price_minor, p.promised_at) for p in shown.promises]
        told += [("for your answer", p.each, p.item, p.unit_price_minor, p.promised_at) for p in shown.terms.changes]
        waiting = shown.balance.open - shown.balance.proposed
        if waiting:
            told.append(("open", waiting, shown.terms.item, shown.terms.unit_price_minor, 0))
        lines += [
            ConfirmationLine(
                shown.balance.line, item, _description(view, item), each, price, each * price, promised_at, state
            )
            for state, each, item, price, promised_at in told
        ]
    bound = [line for line in lines if line.state in ("shipped", "confirmed")]
    return OrderConfirmation(
        order=order_id,
        po_number=page.terms.po_number,
        buyer=page.buyer_name,
        seller=page.seller_name,
        currency=page.terms.currency,
        lines=tuple(lines),
        amount_minor=sum(line.amount_minor for line in bound),
        entries=tuple(step.entry for step in page.timeline if step.step == "confirmed"),
        unproven=page.unproven,
    )


def delivery_note(view: View, shipment: str) -> DeliveryNote | None:
    """The delivery note between buyer and seller; None for those outside the circle."""
    found = _page(view, shipment)
    if found is None:
        return None
    page, shown = found
    terms = shown.terms
    assert terms is not None
    items = {part.line: part.item for part in terms.slices}
    reasons = {lack.line: lack.reason for lack in terms.lacks}
    return DeliveryNote(
        shipment=shipment,
        order=page.order.order_id,
        po_number=page.terms.po_number,
        buyer=page.buyer_name,
        seller=page.seller_name,
        deliver_to=page.deliver_to,
        carrier=terms.carrier,
        tracking=terms.tracking,
        shipped_at=terms.shipped_at,
        arrived_at=terms.arrived_at,
        lines=tuple(
            DeliveryLine(
                line=line.line,
                item=items[line.line],
                description=_description(view, items[line.line]),
                each=line.each,
                received=line.received,
                damaged=line.damaged,
                short=line.short,
                over=line.over,
                reason=reasons.get(line.line, ""),
                lots=_lots(shown, line.line),
            )
            for line in shown.shipment.lines
        ),
        proof=shown.proof.word,
        handed_over_entry=shown.proof.handed_over_entry,
        received_entry=shown.proof.received_entry,
        paper_hash=terms.paper_hash,
        photo_hash=terms.photo_hash,
        handed_paper_hash=terms.handed_paper_hash,
        handed_photo_hash=terms.handed_photo_hash,
    )
