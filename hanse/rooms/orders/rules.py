"""Place, hold, confirm, change, decline, cancel: the public rules, up to what is bound and still unshipped."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import rule, timer
from hanse.rooms.inventory import rules as inventory
from hanse.rooms.inventory.offer_facts import OFFERS
from hanse.rooms.orders.balance import (
    CHANGE_UNANSWERED,
    UNANSWERED,
    UNSHIPPED,
    WAIT_SECONDS_MAX,
    as_buyer,
    as_seller,
    cancel_each,
    deadline,
    find_order,
    keep,
    numbered,
    partner_in,
    set_waits,
    step,
)
from hanse.rooms.orders.facts import (
    AcceptChange,
    Approve,
    CancelOrder,
    ConfirmOrder,
    DeclineOrder,
    Hold,
    KeepDocument,
    PlaceLine,
    PlaceOrder,
)
from hanse.rooms.orders.quotes import use_quote
from hanse.rooms.orders.rows import (
    CANCELLED,
    DECLINED,
    HOLDS,
    LAPSED,
    LIVE_STATES,
    ORDERS,
    PLACED,
    HoldRow,
    Line,
    Order,
)
from hanse.rooms.orders.told import Confirmed, Ended, Placed
from hanse.rooms.parties.rules import require_member

CANCEL_AFTER_SECONDS = 365 * 86_400
HOLD_SECONDS_MAX = 30 * 86_400
HOLD_OVER = "orders.hold_over"
RECEIPTS_END_FROM = 1_795_370_400
"""2026-11-22, 18:00 UTC: from then on an order's receipts are waited for two years at most: docs/decisions/0017."""


@rule(Hold)
def hold(draft: Draft, fact: Hold) -> None:
    """Keep a quantity of an offer until a time.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.hold_taken, orders.bad_deadline (past, or
        over 30 days), orders.offer_elsewhere, inventory.unknown_offer, inventory.offer_ended, inventory.not_enough.
    """
    require_member(draft, fact.circle)
    require(draft.get(HOLDS, fact.hold) is None, "orders.hold_taken", "this hold stands already", got=fact.hold)
    good = draft.now < fact.until_at <= draft.now + HOLD_SECONDS_MAX
    require(good, "orders.bad_deadline", "a hold ends within 30 days", got=fact.until_at)
    offer = draft.get(OFFERS, fact.offer)
    here = offer is None or offer.circle == fact.circle
    require(here, "orders.offer_elsewhere", "the offer was made in another circle", got=fact.offer)
    inventory.reserve(draft, fact.offer, fact.each, fact.circle)
    draft.put(
        HOLDS,
        HoldRow(
            hold=fact.hold,
            circle=fact.circle,
            alias=draft.signer,
            offer=fact.offer,
            each=fact.each,
            until_at=fact.until_at,
            claim=fact.claim,
        ),
    )
    draft.timer(HOLD_OVER, f"{HOLD_OVER}/{fact.hold}", fact.until_at, circle=fact.circle, args=(fact.hold,))


@timer(HOLD_OVER)
def hold_over(draft: Draft, due: Timer) -> None:
    """A hold that no order drew on gives its quantity back."""
    kept = draft.get(HOLDS, due.args[0])
    if kept is not None and not kept.ended:
        inventory.release(draft, kept.offer, kept.each)
        draft.put(HOLDS, replace(kept, ended=True))


def _draw_on_hold(draft: Draft, line: PlaceLine, order_id: str) -> str:
    """Use a hold for a line; what it held beyond the line is free again. The offer that it was on.

    Refuses, in order: orders.unknown_hold (also for a wrong secret), orders.hold_ended, orders.hold_too_small.
    """
    kept = draft.get(HOLDS, line.hold)
    claim = hashlib.sha256(line.secret.encode()).hexdigest()
    if kept is None or kept.claim != claim:
        raise Refused("orders.unknown_hold", "no hold fits this name and secret", got=line.hold)
    require(not kept.ended, "orders.hold_ended", "this hold was used, or is over", got=line.hold)
    require(line.each <= kept.each, "orders.hold_too_small", "the line asks more", got=line.each, expected=kept.each)
    if kept.each > line.each:
        inventory.release(draft, kept.offer, kept.each - line.each)
    draft.put(HOLDS, replace(kept, ended=True, used_by=order_id))
    draft.drop_timer(f"{HOLD_OVER}/{line.hold}", kept.until_at)
    return kept.offer


def _draw(draft: Draft, fact: PlaceOrder, seller: str) -> list[Line]:
    """The order's lines with their reservations made: in sum per offer, in order of offer.

    Refuses, in order: orders.repeated_line, as `_draw_on_hold`, orders.offer_elsewhere, inventory.unknown_offer,
        inventory.offer_ended, inventory.not_enough.
    """
    lines: list[Line] = []
    drawn: dict[str, int] = {}
    named: set[int] = set()
    for line in fact.lines:
        require(line.line not in named, "orders.repeated_line", "a line stands twice", got=line.line)
        named.add(line.line)
        offer = line.offer
        if line.hold:
            offer = _draw_on_hold(draft, line, fact.order)
        elif offer:
            found = draft.get(OFFERS, offer)
            good = found is None or (found.circle == fact.circle and found.alias == seller)
            require(
                good,
                "orders.offer_elsewhere",
                "the offer was made in another circle, or by another seller",
                got=offer,
                next="hold a quantity of it first",
            )
            drawn[offer] = drawn.get(offer, 0) + line.each
        lines.append(Line(line.line, offer, line.each))
    for offer, each in sorted(drawn.items()):
        inventory.reserve(draft, offer, each, fact.circle)
    return lines


@rule(PlaceOrder)
def place(draft: Draft, fact: PlaceOrder) -> None:
    """Place an order, and reserve what its lines draw on.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_partner, orders.order_taken,
        orders.bad_deadline (confirm_by, cancel_after_at, receive_within_seconds), orders.unknown_quote,
        orders.quote_ended, orders.repeated_line, orders.unknown_hold, orders.hold_ended, orders.hold_too_small,
        orders.offer_elsewhere, inventory.unknown_offer, inventory.offer_ended, inventory.not_enough.
    """
    circle = require_member(draft, fact.circle)
    seller = partner_in(draft, circle, fact.seller)
    require(draft.get(ORDERS, fact.order) is None, "orders.order_taken", "this number is taken", got=fact.order)
    one_sided = circle.purpose == "home"
    if fact.confirm_by or not one_sided:
        deadline(draft, fact.confirm_by, "the time to confirm")
    if fact.cancel_after_at:
        deadline(draft, fact.cancel_after_at, "the cancel date")
    cancel_after_at = fact.cancel_after_at or (0 if one_sided else fact.confirm_by + CANCEL_AFTER_SECONDS)
    late = bool(cancel_after_at) and cancel_after_at < fact.confirm_by
    require(not late, "orders.bad_deadline", "the cancel date is not before the time to confirm", got=cancel_after_at)
    ends = draft.now < RECEIPTS_END_FROM or fact.receive_within_seconds <= WAIT_SECONDS_MAX
    require(ends, "orders.bad_deadline", "a receipt is waited for two years at most", got=fact.receive_within_seconds)
    if fact.quote:
        use_quote(draft, fact.quote, fact.circle, draft.signer, seller, fact.order)
    order = Order(
        order_id=fact.order,
        circle=fact.circle,
        buyer=draft.signer,
        seller=seller,
        state=PLACED,
        lines=tuple(_draw(draft, fact, seller)),
        placed_at=draft.now,
        confirm_by=fact.confirm_by,
        cancel_after_at=cancel_after_at,
        receive_within_seconds=fact.receive_within_seconds,
        backorder=fact.backorder,
        ship_complete=fact.ship_complete,
        one_sided=one_sided,
        quote=fact.quote,
    )
    set_waits(draft, {}, order)
    draft.put(ORDERS, order)
    step(draft, fact.order, "placed")
    draft.tell(Placed(fact.order, fact.circle, order.buyer, seller))


@rule(ConfirmOrder)
def confirm(draft: Draft, fact: ConfirmOrder) -> None:
    """The seller is bound. A line may stand several times (several dates). Without backorders the rest is cancelled.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_order, orders.not_seller,
        orders.ended, orders.unknown_line, orders.more_than_open, orders.nothing_confirmed, orders.bad_deadline
        (answer_by, with changed lines).
    """
    order = find_order(draft, fact.circle, fact.order)
    as_seller(draft, order)
    _require_live(order)
    known = {line.line: line for line in order.lines}
    plain: dict[int, int] = {}
    changed: dict[int, int] = {}
    for part in fact.lines:
        require(part.line in known, "orders.unknown_line", "the order has no such line", got=part.line)
        into = changed if part.changed else plain
        into[part.line] = into.get(part.line, 0) + part.each
    lines = []
    for line in order.lines:
        each, other = plain.get(line.line, 0), changed.get(line.line, 0)
        free = line.open - line.proposed
        if each + other > free:
            said = f"line {line.line} has less open"
            raise Refused("orders.more_than_open", said, got=each + other, expected=free)
        line = replace(line, confirmed=line.confirmed + each, proposed=line.proposed + other)
        if not order.backorder:
            line = replace(line, cancelled=line.cancelled + line.open - line.proposed)
        lines.append(line)
    total, waiting = sum(plain.values()), sum(changed.values())
    require(total + waiting, "orders.nothing_confirmed", "nothing is confirmed", next="decline the order instead")
    if waiting:
        deadline(draft, fact.answer_by, "the time to answer a change")
    keep(draft, order, lines, answer_by=fact.answer_by if waiting else order.answer_by)
    step(draft, fact.order, "confirmed")
    draft.tell(Confirmed(fact.order, fact.circle, total + waiting, waiting))


def _require_live(order: Order) -> None:
    """Refuses: orders.ended."""
    require(order.state in LIVE_STATES, "orders.ended", "nothing of this order is left to ship", got=order.state)


@rule(AcceptChange)
def accept_change(draft: Draft, fact: AcceptChange) -> None:
    """The buyer answers changed lines; a refused one is open again, or cancelled where there are no backorders.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_order, orders.not_buyer,
        orders.unknown_line, orders.repeated_line, orders.nothing_proposed.
    """
    order = find_order(draft, fact.circle, fact.order)
    as_buyer(draft, order)
    known = numbered(order, fact.lines)
    for part in fact.lines:
        asked = known[part.line].proposed
        require(asked, "orders.nothing_proposed", "no change of this line waits for an answer", got=part.line)
    answers = {part.line: part.accept for part in fact.lines}
    keep(draft, order, [_answer(line, answers.get(line.line), order.backorder) for line in order.lines])
    step(draft, fact.order, "change_answered")


def _answer(line: Line, accept: bool | None, backorder: bool) -> Line:
    if accept is None:
        return line
    if accept:
        return replace(line, confirmed=line.confirmed + line.proposed, proposed=0)
    return replace(line, proposed=0, cancelled=line.cancelled + (0 if backorder else line.proposed))


@timer(CHANGE_UNANSWERED)
def change_unanswered(draft: Draft, due: Timer) -> None:
    """A change that the buyer did not answer in time is taken as refused."""
    order = draft.get(ORDERS, due.args[0])
    if order is None or not any(line.proposed for line in order.lines):
        return
    lines = [_answer(line, False if line.proposed else None, order.backorder) for line in order.lines]
    _end(draft, order, lines, CANCELLED, "change_unanswered", answer_by=0)


@rule(DeclineOrder)
def decline(draft: Draft, fact: DeclineOrder) -> None:
    """The seller declines all that is open; what it has confirmed stands.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_order, orders.not_seller,
        orders.ended, orders.nothing_open.
    """
    order = find_order(draft, fact.circle, fact.order)
    as_seller(draft, order)
    _require_live(order)
    require(any(line.open for line in order.lines), "orders.nothing_open", "nothing is open", next="cancel instead")
    _end(draft, order, [cancel_each(line, line.open) for line in order.lines], DECLINED, "declined")


@rule(CancelOrder)
def cancel(draft: Draft, fact: CancelOrder) -> None:
    """Cancel. What the seller has confirmed, only the seller can cancel, and breaks its word by it.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_order, orders.not_buyer,
        orders.ended, orders.unknown_line, orders.repeated_line, orders.binding (a buyer, what is confirmed),
        orders.more_than_unshipped, orders.nothing_to_cancel.
    """
    order = find_order(draft, fact.circle, fact.order)
    by_seller = draft.signer == order.seller
    require(by_seller or draft.signer == order.buyer, "orders.not_buyer", "only buyer or seller", got=draft.signer)
    _require_live(order)
    numbered(order, fact.lines)
    asked = {part.line: part.each for part in fact.lines}
    lines = []
    for line in order.lines:
        left = line.open + line.to_ship
        may = left if by_seller else line.open
        each = asked.get(line.line, 0) if fact.lines else may
        require(
            each <= may or each > left,
            "orders.binding",
            "the seller has confirmed this",
            got=each,
            expected=f"<= {may}",
            next="ask the seller to cancel it",
        )
        require(each <= left, "orders.more_than_unshipped", "less is unshipped", got=each, expected=f"<= {left}")
        lines.append(cancel_each(line, each))
    some = any(now.cancelled > was.cancelled for was, now in zip(order.lines, lines, strict=True))
    require(some, "orders.nothing_to_cancel", "nothing is open", next="ask the seller to cancel what is confirmed")
    _end(draft, order, lines, CANCELLED, "cancelled", answered=order.state != PLACED)


def _end(
    draft: Draft,
    order: Order,
    lines: list[Line],
    ended_as: str,
    what: str,
    *,
    answered: bool = True,
    answer_by: int | None = None,
) -> None:
    """Keep an order of which something ended, with its history and its event."""
    each = sum(now.cancelled - was.cancelled for was, now in zip(order.lines, lines, strict=True))
    changes = {} if answer_by is None else {"answer_by": answer_by}
    keep(draft, order, lines, ended_as=ended_as, answered=answered, **changes)
    step(draft, order.order_id, what)
    if each:
        draft.tell(Ended(order.order_id, order.circle, draft.signer, ended_as, each))


@timer(UNANSWERED)
def lapse(draft: Draft, due: Timer) -> None:
    """An order that nobody answered ends, and what it reserved is free."""
    order = draft.get(ORDERS, due.args[0])
    if order is not None and order.state == PLACED:
        _end(draft, order, [cancel_each(line, line.open) for line in order.lines], LAPSED, "lapsed")


@timer(UNSHIPPED)
def cancel_unshipped(draft: Draft, due: Timer) -> None:
    """At the cancel date all that is unshipped ends, confirmed or not."""
    order = draft.get(ORDERS, due.args[0])
    if order is not None and order.state in LIVE_STATES:
        lines = [cancel_each(line, line.open + line.to_ship) for line in order.lines]
        _end(draft, order, lines, CANCELLED, "cancel_date")


@rule(KeepDocument)
@rule(Approve)
def in_own_home(draft: Draft, fact: KeepDocument | Approve) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_a_home."""
    circle = require_member(draft, fact.circle)
    require(circle.purpose == "home", "parties.not_a_home", "this belongs in the party's home", got=circle.purpose)
