"""Escrow for an order: held by a named holder, ended by a timer, split by what was accepted."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, circle_timer, rule, timer
from hanse.rooms.accounts.deal_facts import AcceptEscrow, HoldEscrow
from hanse.rooms.accounts.invoicing import cut
from hanse.rooms.accounts.ledger import MONEY_MAX, billable, open_item, part_of, post
from hanse.rooms.accounts.papers import ahead, find_paper, paper
from hanse.rooms.accounts.rows import (
    ASKED,
    ENDED,
    ESCROW_OF_ORDER,
    ESCROW_WAITS,
    ESCROWS,
    HELD,
    ITEMS,
    LAPSED,
    ON_ACCOUNT,
    Escrow,
    EscrowOfOrder,
    EscrowWait,
    Way,
)
from hanse.rooms.orders.private_rows import ORDER_TERMS, SHIPMENT_TERMS
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS, SHIPMENTS, Order, Shipment
from hanse.rooms.orders.terms import said
from hanse.rooms.orders.told import Ended, Received
from hanse.rooms.parties.facts import MEMBERS
from hanse.rooms.parties.rules import signed_by

ENDS = "accounts.escrow_ends"
SHIPMENTS_MAX = 10_000


def _wait(draft: Draft, row: EscrowWait, ends_at: int, state: str) -> None:
    """Move an escrow's one wait."""
    draft.drop_timer(f"{ENDS}/{row.escrow}", row.ends_at)
    draft.put(ESCROW_WAITS, replace(row, ends_at=ends_at, state=state))
    if state in (ASKED, HELD):
        draft.timer(ENDS, f"{ENDS}/{row.escrow}", ends_at, circle=row.circle, args=(row.escrow,))


@rule(HoldEscrow)
def ask_escrow(draft: Draft, fact: HoldEscrow) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.number_taken, accounts.unknown_order,
    accounts.not_customer, accounts.escrow_stands, accounts.bad_deadline."""
    paper(draft, fact.circle, fact.escrow, "escrow", fact.settle_by)
    order = draft.get(ORDERS, fact.order)
    if order is None or order.circle != fact.circle:
        raise Refused("accounts.unknown_order", "no such order in this circle", got=fact.order)
    require(order.buyer == draft.signer, "accounts.not_customer", "the customer puts money in escrow")
    stands = draft.get(ESCROW_OF_ORDER, fact.order)
    had = draft.get(ESCROW_WAITS, stands.escrow) if stands else None
    free = had is None or had.state in (LAPSED, ENDED)
    require(free, "accounts.escrow_stands", "this order has its escrow", got=fact.order)
    ahead(draft, fact.answer_by, "the holder's answer")
    ahead(draft, fact.settle_by, "the escrow's end")
    row = EscrowWait(
        escrow=fact.escrow,
        circle=fact.circle,
        order_id=fact.order,
        alias=draft.signer,
        state=ASKED,
        ends_at=fact.answer_by,
        settle_by=max(fact.settle_by, fact.answer_by),
        inspect_seconds=fact.inspect_seconds,
    )
    draft.put(ESCROW_OF_ORDER, EscrowOfOrder(order_id=fact.order, escrow=fact.escrow))
    _wait(draft, row, fact.answer_by, ASKED)


@circle_rule(HoldEscrow)
def keep_escrow(draft: Draft, fact: HoldEscrow) -> None:
    """Refuses, in order: accounts.missing_terms, accounts.unknown_order, accounts.wrong_currency,
    accounts.unknown_holder (a member of this circle, not the customer), accounts.too_much."""
    amount = said(fact.amount_minor, 0)
    whole = amount and said(fact.currency, "") and said(fact.holder, "")
    require(whole, "accounts.missing_terms", "an escrow has an amount, a currency and a holder")
    terms = draft.get(ORDER_TERMS, fact.circle, fact.order)
    if terms is None or terms.side:
        raise Refused("accounts.unknown_order", "this order did not come to stand in this circle", got=fact.order)
    same = terms.currency == fact.currency
    require(same, "accounts.wrong_currency", "the order is in another currency", got=fact.currency)
    members = {member.party for member in draft.scan(MEMBERS, circle=fact.circle)}
    good = fact.holder in members and fact.holder != terms.buyer
    require(good, "accounts.unknown_holder", "the supplier or a third member holds it", got=fact.holder)
    require(amount <= MONEY_MAX, "accounts.too_much", "no escrow is so large", got=amount)
    row = Escrow(
        circle=fact.circle,
        escrow=fact.escrow,
        order_id=fact.order,
        supplier=terms.seller,
        customer=terms.buyer,
        holder=fact.holder,
        currency=fact.currency,
        amount_minor=amount,
        state=ASKED,
    )
    draft.put(ESCROWS, row)


@rule(AcceptEscrow)
def take_escrow(draft: Draft, fact: AcceptEscrow) -> None:
    """From here it is held, and its end is set. Whether the signer is the holder is for the circle to say.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, accounts.unknown_number, accounts.own_proposal,
        accounts.escrow_ended.
    """
    row = _found(draft, fact)
    require(row.alias != draft.signer, "accounts.own_proposal", "the holder says that it has the money")
    require(row.state in (ASKED, HELD), "accounts.escrow_ended", "this escrow is over", got=row.state)
    if row.state == ASKED:
        order = draft.get(ORDERS, row.order_id)
        _wait(draft, row, _end(draft, row, order), HELD)


def _found(draft: Draft, fact: AcceptEscrow) -> EscrowWait:
    find_paper(draft, fact.circle, fact.escrow, "escrow")
    row = draft.get(ESCROW_WAITS, fact.escrow)
    assert row is not None, "its paper stands"
    return row


def _end(draft: Draft, row: EscrowWait, order: Order | None) -> int:
    """When it ends: an inspection after the order is done, at the latest at settle_by."""
    done = order is not None and order.state not in LIVE_STATES and not any(line.in_transit for line in order.lines)
    return min(row.settle_by, draft.now + row.inspect_seconds) if done else row.settle_by


@circle_rule(AcceptEscrow)
def money_is_held(draft: Draft, fact: AcceptEscrow) -> None:
    """Refuses, in order: accounts.unknown_number, accounts.not_holder, accounts.escrow_ended."""
    row = draft.get(ESCROWS, fact.circle, fact.escrow)
    if row is None:
        raise Refused("accounts.unknown_number", "this escrow did not come to stand in this circle", got=fact.escrow)
    require(signed_by(draft, fact.circle, row.holder), "accounts.not_holder", "only the holder knows", got=draft.signer)
    require(row.state == ASKED, "accounts.escrow_ended", "it is held already, or over", got=row.state)
    draft.put(ESCROWS, replace(row, state=HELD))
    way = Way(row.currency, row.supplier, row.customer)
    post(draft, way, "escrow", row.escrow, ("escrow", row.amount_minor), ("deposit", -row.amount_minor))


def order_moved(draft: Draft, event: Received | Ended) -> None:
    """Where nothing of an order is under way any more, the inspection begins."""
    known = draft.get(ESCROW_OF_ORDER, event.order)
    row = draft.get(ESCROW_WAITS, known.escrow) if known else None
    if row is not None and row.state == HELD:
        ends_at = _end(draft, row, draft.get(ORDERS, event.order))
        if ends_at < row.ends_at:
            _wait(draft, row, ends_at, HELD)


ON = {Received: order_moved, Ended: order_moved}


@timer(ENDS)
def end_wait(draft: Draft, due: Timer) -> None:
    """An escrow that nobody took lapses; one that is held ends."""
    row = draft.get(ESCROW_WAITS, due.args[0])
    if row is not None and row.state in (ASKED, HELD):
        draft.put(ESCROW_WAITS, replace(row, state=LAPSED if row.state == ASKED else ENDED))


@circle_timer(ENDS)
def split_escrow(draft: Draft, due: Timer) -> None:
    """Release floor(held x accepted / ordered), by value; refund the rest. The released money is on account.

    Source: the clause library's escrow on proof of delivery. Accepted: good, not returned, and not contested by the
    customer. Of an order of no value, units count.
    """
    row = draft.get(ESCROWS, due.circle, due.args[0])
    if row is None or row.state not in (ASKED, HELD):
        return
    if row.state == ASKED:
        draft.put(ESCROWS, replace(row, state=LAPSED))
        return
    accepted, ordered = _shares(draft, row.order_id)
    released = part_of(row.amount_minor, min(accepted, ordered), ordered, "floor")
    refunded = row.amount_minor - released
    way = Way(row.currency, row.supplier, row.customer)
    post(draft, way, "release", row.escrow, *_ends(released), ("bank", released), ("due", -released))
    post(draft, way, "refund", row.escrow, *_ends(refunded))
    if released:
        number = row.escrow
        while draft.get(ITEMS, draft.circle, number) is not None:
            number += "+"
        open_item(draft, way, number, ON_ACCOUNT, -released, subject=row.order_id)
    draft.put(ESCROWS, replace(row, state=ENDED, released_minor=released, refunded_minor=refunded))


def _ends(amount: int) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("deposit", amount), ("escrow", -amount)


def _shares(draft: Draft, order_id: str) -> tuple[int, int]:
    """(accepted, ordered) of an order, in minor units, or in units where it has no value."""
    order, terms = draft.get(ORDERS, order_id), draft.get(ORDER_TERMS, draft.circle, order_id)
    if order is None or terms is None:
        return 0, 0
    price = {line.line: line.unit_price_minor for line in terms.lines}
    units, value = 0, 0
    for shipment in draft.scan(SHIPMENTS, order_id=order_id, limit=SHIPMENTS_MAX):
        if shipment.method and shipment.contested_by != order.buyer:
            each, worth = _accepted(draft, shipment)
            units, value = units + each, value + worth
    ordered_value = sum(line.ordered * price[line.line] for line in order.lines)
    return (value, ordered_value) if ordered_value else (units, sum(line.ordered for line in order.lines))


def _accepted(draft: Draft, shipment: Shipment) -> tuple[int, int]:
    terms = draft.get(SHIPMENT_TERMS, draft.circle, shipment.shipment)
    each = {line.line: billable(line) for line in shipment.lines}
    slices = terms.slices if terms else ()
    value = sum(price * n for line in each for _, price, n in cut(slices, line, 0, each[line]))
    return sum(each.values()), value
