"""What orders do to a firm's own stock, in its home: allocate, ship out, take in, take back."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.rules import home_rule, home_timer
from hanse.rooms.inventory import facts as stocks
from hanse.rooms.inventory import rules as inventory
from hanse.rooms.orders.balance import CHANGE_UNANSWERED, UNANSWERED, UNSHIPPED
from hanse.rooms.orders.delivery_facts import AcceptReturn, Receive, ReturnGoods, Ship, ShipLine
from hanse.rooms.orders.facts import (
    AcceptChange,
    CancelOrder,
    ConfirmOrder,
    DeclineOrder,
    DeliverTo,
    Hold,
    PlaceOrder,
    StockKey,
)
from hanse.rooms.orders.private_rows import MINE, MY_RETURNS, Mine, MineLine, MyReturn
from hanse.rooms.orders.rows import HOLDS, ORDERS, RETURNS, SHIPMENTS
from hanse.rooms.orders.rules import HOLD_OVER
from hanse.rooms.orders.terms import order_row, said

BUY, SELL = "buy", "sell"
UNPROMISED = stocks.StockKey("", "")
"""Source of a line without an offer: nothing was allocated for it; what other lines hold stays theirs."""


@home_rule(PlaceOrder)
def note_order(draft: Draft, fact: PlaceOrder, party: str) -> None:
    """Enter the order into the book of its buyer or seller; a third member of the circle keeps no book of it.

    What a hold kept beyond the line that uses it is free again, in the home of the offer's owner too.
    """
    order = order_row(draft, fact.order)
    if order.one_sided:
        side, partner = str(fact.side), fact.counterparty
    elif party == fact.buyer_party:
        side, partner = BUY, fact.seller_party
    elif party == fact.seller_party:
        side, partner = SELL, fact.buyer_party
    else:
        return
    lines = tuple(
        MineLine(line.line, line.item, said(line.own_number, ""), line.unit_price_minor, order.lines[n].offer)
        for n, line in enumerate(fact.lines)
    )
    mine = Mine(
        circle=draft.circle,
        order_id=fact.order,
        side=side,
        partner=partner,
        placed_at=min(said(fact.ordered_at, 0) or draft.now, draft.now),
        po_number=said(fact.po_number, ""),
        currency=fact.currency,
        amount_minor=sum(line.each * line.unit_price_minor for line in fact.lines),
        site=said(fact.deliver_to, DeliverTo()).site if side == BUY else "",
        drop_ship=said(fact.drop_ship, False),
        loan=said(fact.loan, False),
        lines=lines,
    )
    draft.put(MINE, mine)
    if side == SELL and any(line.hold for line in fact.lines):
        _settle(draft, mine)


def _settle(draft: Draft, mine: Mine) -> None:
    """What a firm offer keeps back follows what its orders reserve."""
    for offer in sorted({line.offer for line in mine.lines if line.offer}):
        inventory.settle(draft, offer)


@home_rule(ConfirmOrder)
@home_rule(AcceptChange)
@home_rule(DeclineOrder)
@home_rule(CancelOrder)
def allocate_confirmed(
    draft: Draft, fact: ConfirmOrder | AcceptChange | DeclineOrder | CancelOrder, party: str
) -> None:
    """In the seller's home: stock is allocated for what is confirmed and unshipped, no more."""
    mine = draft.get(MINE, draft.circle, fact.order)
    if mine is not None:
        _allocate(draft, mine)


def _allocate(draft: Draft, mine: Mine) -> None:
    order = draft.get(ORDERS, mine.order_id)
    if order is None or mine.side != SELL:
        return
    lines = []
    for n, line in enumerate(mine.lines):
        row = order.lines[n]
        more = row.to_ship - line.allocated if line.offer else 0
        if more > 0:
            inventory.allocate(draft, line.offer, more, mine.order_id)
        elif more < 0:
            inventory.unallocate(draft, line.offer, -more, mine.order_id)
        lines.append(replace(line, allocated=line.allocated + more))
    if tuple(lines) != mine.lines:
        draft.put(MINE, replace(mine, lines=tuple(lines)))
    _settle(draft, mine)


@home_timer(UNANSWERED)
@home_timer(UNSHIPPED)
@home_timer(CHANGE_UNANSWERED)
def allocate_after_wait(draft: Draft, due: Timer, party: str) -> None:
    """What a timer ended holds no stock any more; nor of an order that never came to stand in its circle."""
    mine, order = draft.get(MINE, draft.circle, due.args[0]), draft.get(ORDERS, due.args[0])
    if mine is not None:
        _allocate(draft, mine)
    elif order is not None:
        for offer in sorted({line.offer for line in order.lines if line.offer}):
            inventory.settle(draft, offer)


@home_rule(Hold)
def settle_hold(draft: Draft, fact: Hold, party: str) -> None:
    """In the home of the offer's owner: what is kept back for the offer follows what is held of it."""
    inventory.settle(draft, fact.offer)


@home_timer(HOLD_OVER)
def settle_hold_over(draft: Draft, due: Timer, party: str) -> None:
    """As `settle_hold`, once the hold is over."""
    kept = draft.get(HOLDS, due.args[0])
    if kept is not None:
        inventory.settle(draft, kept.offer)


@home_rule(Ship)
def ship_from_stock(draft: Draft, fact: Ship, party: str) -> None:
    """In the seller's home: goods leave. A line without an offer and without a stated stock is not booked."""
    mine = draft.get(MINE, draft.circle, fact.order)
    if mine is None or mine.side != SELL:
        return
    by = {line.line: line for line in mine.lines}
    for part in fact.lines:
        line = by[part.line]
        _leave(draft, part, line.offer, fact.order)
        if line.offer:
            by[part.line] = replace(line, allocated=max(0, line.allocated - part.each))
    after = tuple(by[line.line] for line in mine.lines)
    if after != mine.lines:
        draft.put(MINE, replace(mine, lines=after))


def _leave(draft: Draft, part: ShipLine, offer: str, order: str) -> None:
    """Book one shipped line out of stock, lot by lot; what the lots do not name leaves the stock itself."""
    named: StockKey | None = said(part.from_stock, None)
    lots = said(part.lots, [])
    if named is None:
        if offer:
            serials = [serial for lot in lots for serial in lot.serials]
            inventory.ship_out(draft, offer, part.each, order, serials=serials)
        return
    left = part.each
    for lot in lots:
        each = min(left, lot.each)
        if each:
            key = stocks.StockKey(named.site, named.own_number, lot.lot or named.lot)
            inventory.ship_out(draft, offer or UNPROMISED, each, order, taken_from=key, serials=lot.serials)
        left -= each
    if left:
        key = stocks.StockKey(named.site, named.own_number, named.lot)
        inventory.ship_out(draft, offer or UNPROMISED, left, order, taken_from=key)


@home_rule(Receive)
def take_in(draft: Draft, fact: Receive, party: str) -> None:
    """In the buyer's home: good goods come in, those over included; nothing of a drop shipment.

    Title: the firm's own, or the seller's for a loan. Cost: the price as ordered.
    """
    shipment = draft.get(SHIPMENTS, fact.shipment)
    mine = draft.get(MINE, draft.circle, shipment.order_id) if shipment else None
    if shipment is None or mine is None or mine.side != BUY or mine.drop_ship:
        return
    site = said(fact.site, "") or mine.site or inventory.UNKNOWN_SITE
    stocked = {part.line: said(part.stocked_as, None) for part in fact.lines}
    by = {line.line: line for line in mine.lines}
    for receipt in shipment.lines:
        line, where = by[receipt.line], stocked.get(receipt.line)
        if receipt.received:
            inventory.receive_in(
                draft,
                site=where.site if where else site,
                each=receipt.received,
                item=line.item,
                own_number=where.own_number if where else line.own_number,
                lot=where.lot if where else "",
                owner=mine.partner[:80] if mine.loan else "",
                unit_cost_minor=line.unit_price_minor,
                reference=mine.order_id,
                currency=mine.currency,
            )


@home_rule(ReturnGoods)
def note_return(draft: Draft, fact: ReturnGoods, party: str) -> None:
    """In the buyer's home: which stock the goods will leave."""
    row = draft.get(RETURNS, fact.return_id)
    mine = draft.get(MINE, draft.circle, row.order_id) if row else None
    if row is not None and mine is not None and mine.side == BUY:
        stock = _keys([(part.line, said(part.from_stock, None)) for part in fact.lines])
        draft.put(
            MY_RETURNS,
            MyReturn(circle=draft.circle, return_id=fact.return_id, order_id=row.order_id, stock=stock),
        )


def _keys(named: Sequence[tuple[int, StockKey | None]]) -> tuple[tuple[int, str, str, str], ...]:
    return tuple([(line, key.own_number, key.site, key.lot) for line, key in named if key is not None])


@home_rule(AcceptReturn)
def move_returned(draft: Draft, fact: AcceptReturn, party: str) -> None:
    """Accepted goods leave the buyer's stock and enter the seller's, where each has said which stock it is."""
    row = draft.get(RETURNS, fact.return_id)
    mine = draft.get(MINE, draft.circle, row.order_id) if row else None
    if row is None or mine is None:
        return
    if mine.side == BUY:
        going = draft.get(MY_RETURNS, draft.circle, fact.return_id)
        accepted = {part.line: part.each for part in fact.lines}
        for line, own_number, site, lot in going.stock if going else ():
            if accepted.get(line):
                key = stocks.StockKey(site, own_number, lot, mine.partner[:80] if mine.loan else "")
                inventory.ship_out(draft, key, accepted[line], fact.return_id, reason="returned")
        return
    for part in fact.lines:
        to: StockKey | None = said(part.to_stock, None)
        if part.each and to is not None:
            inventory.receive_in(
                draft,
                site=to.site,
                each=part.each,
                own_number=to.own_number,
                lot=to.lot,
                reference=fact.return_id,
                reason="returned",
            )
