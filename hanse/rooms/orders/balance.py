"""What the public rules of this room share: finding an order, moving its quantities, keeping its state and waits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.refusal import Refused, require
from hanse.rooms.inventory import rules as inventory
from hanse.rooms.orders.rows import (
    CANCELLED,
    CONFIRMED,
    LIVE_STATES,
    ORDERS,
    PART_SHIPPED,
    PLACED,
    RECEIVED,
    SHIPPED,
    STEPS,
    Line,
    Order,
    Step,
)
from hanse.rooms.parties.facts import Circle
from hanse.rooms.parties.rules import require_member

WAIT_SECONDS_MAX = 2 * 366 * 86_400
UNANSWERED, UNSHIPPED, CHANGE_UNANSWERED = "orders.unanswered", "orders.unshipped", "orders.change_unanswered"


def find_order(draft: Draft, circle: str, order_id: str) -> Order:
    """An order of a circle that the signer is in; an order of another circle is as unknown as none.

    Refuses, in order: parties.unknown_circle, parties.not_in_circle, orders.unknown_order.
    """
    require_member(draft, circle)
    order = draft.get(ORDERS, order_id)
    if order is None or order.circle != circle:
        raise Refused("orders.unknown_order", "no such order in this circle", got=order_id)
    return order


def partner_in(draft: Draft, circle: Circle, alias: str) -> str:
    """The other side: as named, else the other of two, else in a home oneself. Refuses: orders.unknown_partner."""
    others = [member for member in circle.members if member != draft.signer]
    if circle.purpose == "home":
        others = [draft.signer]
    found = alias or (others[0] if len(others) == 1 else "")
    require(
        found in others,
        "orders.unknown_partner",
        "name the other side by its alias in this circle",
        got=alias,
        expected="a member other than you",
    )
    return found


def as_buyer(draft: Draft, order: Order) -> None:
    """Refuses: orders.not_buyer."""
    require(draft.signer == order.buyer, "orders.not_buyer", "only the buyer signs this", got=draft.signer)


def as_seller(draft: Draft, order: Order) -> None:
    """Refuses: orders.not_seller."""
    require(draft.signer == order.seller, "orders.not_seller", "only the seller signs this", got=draft.signer)


def deadline(draft: Draft, at: int, what: str) -> None:
    """Refuses: orders.bad_deadline, where a deadline is not ahead, or more than two years ahead."""
    if not draft.now < at <= draft.now + WAIT_SECONDS_MAX:
        said = f"{what} lies ahead, at most two years"
        raise Refused("orders.bad_deadline", said, got=at, expected=f"> {draft.now}")


def numbered(order: Order, lines: Iterable[Any]) -> dict[int, Line]:
    """The order's lines by number. Refuses, in order: orders.unknown_line, orders.repeated_line."""
    known = {line.line: line for line in order.lines}
    named: set[int] = set()
    for line in lines:
        require(line.line in known, "orders.unknown_line", "the order has no such line", got=line.line)
        require(line.line not in named, "orders.repeated_line", "a line is named twice", got=line.line)
        named.add(line.line)
    return known


def cancel_each(line: Line, each: int) -> Line:
    """Cancel so much of a line: what is open first, then what is confirmed."""
    of_confirmed = max(0, each - line.open)
    after = replace(line, cancelled=line.cancelled + each, confirmed=line.confirmed - of_confirmed)
    return replace(after, proposed=min(after.proposed, after.open))


def state_of(lines: Sequence[Line], answered: bool, ended_as: str) -> str:
    """The state of an order: `ended_as` where nothing was shipped and nothing is left."""
    shipped = any([line.shipped for line in lines])
    if any([line.open or line.to_ship for line in lines]):
        if shipped:
            return PART_SHIPPED
        return CONFIRMED if answered else PLACED
    if shipped:
        return SHIPPED if any([line.in_transit for line in lines]) else RECEIVED
    return ended_as


def keep(
    draft: Draft,
    order: Order,
    lines: Iterable[Line],
    *,
    answered: bool = True,
    ended_as: str = CANCELLED,
    **changes: Any,
) -> Order:
    """Write an order with new lines: its state follows, its reservations shrink with it, its waits end or begin.

    What a line holds of its offer falls by what was cancelled (released here) and shipped (taken at the shipment).
    """
    after = tuple(lines)
    released: dict[str, int] = {}
    for n, now in enumerate(after):
        was = order.lines[n]
        if now.offer and now.cancelled > was.cancelled:
            released[now.offer] = released.get(now.offer, 0) + now.cancelled - was.cancelled
    for offer, each in sorted(released.items()):
        inventory.release(draft, offer, each)
    state = state_of(after, answered, ended_as)
    kept = replace(order, lines=after, state=state, **changes)
    set_waits(draft, waits_of(order), kept)
    draft.put(ORDERS, kept)
    return kept


def waits_of(order: Order) -> dict[str, int]:
    """The waits that an order's state asks for: timer name -> when it ends, UTC seconds."""
    waits = {}
    if order.state == PLACED and order.confirm_by:
        waits[UNANSWERED] = order.confirm_by
    elif order.state in LIVE_STATES and order.cancel_after_at:
        waits[UNSHIPPED] = order.cancel_after_at
    if order.answer_by and any([line.proposed for line in order.lines]):
        waits[CHANGE_UNANSWERED] = order.answer_by
    return waits


def set_waits(draft: Draft, was: dict[str, int], now: Order) -> None:
    """Begin and end an order's timers."""
    wanted = waits_of(now)
    for name, due in was.items():
        if wanted.get(name) != due:
            draft.drop_timer(f"{name}/{now.order_id}", due)
    for name, due in wanted.items():
        if was.get(name) != due:
            draft.timer(name, f"{name}/{now.order_id}", due, circle=now.circle, args=(now.order_id,))


def step(draft: Draft, order_id: str, what: str, subject: str = "") -> None:
    """Write the entry under way into the order's history."""
    draft.put(
        STEPS,
        Step(order_id=order_id, entry=draft.position, step=what, signer=draft.signer, at=draft.now, subject=subject),
    )
