"""The verbs of stock and of offers, for this room's rules and for the rooms that come later.

Public verbs (`reserve`, `release`, `take`) refuse. Home verbs run with `draft.circle` a firm's home: they record what
happened and return what fell short; they never refuse, because what they record has happened.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.facts import Given
from hanse.kernel.refusal import Refused, require
from hanse.rooms.catalog.own_numbers import own_number_of
from hanse.rooms.inventory.facts import (
    HOLDS,
    MOVEMENTS,
    SERIALS,
    STOCK,
    TOTALS,
    UNCHANGED_COST,
    Cost,
    Held,
    Hold,
    Movement,
    Serial,
    Stock,
    StockKey,
    Total,
)
from hanse.rooms.inventory.offer_facts import EARMARKS, OFFERS, TRANSFERS, EarmarkRow, Offer

UNKNOWN_SITE = "unknown"
"""Where a shipment's stock is placed that the firm's own books do not show."""
_MOVING = frozenset({"received", "sold", "consumed", "produced", "returned", "transferred"})
"""Reasons that end a stock's standing still."""


def divide_half_even(number: int, by: int) -> int:
    """number / by, rounded half to even (IEEE 754-2019, 4.3.1), integers only, by > 0.

    >>> [divide_half_even(n, 2) for n in (1, 3, 5, -1, -3)]
    [0, 2, 2, 0, -2]
    """
    whole, rest = divmod(number, by)
    return whole + (2 * rest > by or (2 * rest == by and whole % 2 == 1))


# -- public: what orders draw of an offer --------------------------------------------------------------------------


def reserve(draft: Draft, offer: str, each: int, circle: str) -> Offer:
    """Draw on an offer for an order of `circle`. Calls of one draft count together.

    Args:
        each: base units, > 0. circle: the order's. What was offered to a relationship is drawn in that relationship;
            what was offered to a group may be drawn from any circle, and the owner's answer says whether it counts.
    Writes: OFFERS[offer].reserved_each.
    Refuses, in order: inventory.unknown_offer, inventory.not_offered_here, inventory.offer_ended,
        inventory.bad_quantity, inventory.not_enough.
    """
    row = draft.get(OFFERS, offer)
    if row is None:
        raise Refused("inventory.unknown_offer", "no such offer", got=offer)
    require(row.shared or row.circle == circle, "inventory.not_offered_here", "this was offered to others", got=offer)
    ended = row.withdrawn or row.expires_at <= draft.now
    require(not ended, "inventory.offer_ended", "this offer has ended", got=offer, next="look for another offer")
    require(each > 0, "inventory.bad_quantity", "a quantity is at least one", got=each, expected=">= 1")
    if each > row.open_each:
        raise Refused(
            "inventory.not_enough",
            f"asked {each} each, open {row.open_each} each of this offer",
            got=each,
            expected=f"<= {row.open_each}",
            next="lower the quantity or choose another offer",
        )
    changed = replace(row, reserved_each=row.reserved_each + each)
    draft.put(OFFERS, changed)
    return changed


def release(draft: Draft, offer: str, each: int) -> None:
    """Give back what an order reserved and will not take, also after the offer's end. Writes: OFFERS[offer]."""
    row = draft.get(OFFERS, offer)
    assert row is not None and 0 <= each <= row.reserved_each, "only what was reserved is released"
    draft.put(OFFERS, replace(row, reserved_each=row.reserved_each - each))


def take(draft: Draft, offer: str, each: int) -> None:
    """What was reserved has been shipped. Writes: OFFERS[offer]: reserved becomes taken."""
    row = draft.get(OFFERS, offer)
    assert row is not None and 0 <= each <= row.reserved_each, "only what was reserved is taken"
    draft.put(OFFERS, replace(row, reserved_each=row.reserved_each - each, taken_each=row.taken_each + each))


# -- home: stock ---------------------------------------------------------------------------------------------------


def stock_of(draft: Draft, key: StockKey) -> Stock:
    """The stock as it stands in the draft's home; a new one is empty."""
    found = draft.get(STOCK, draft.circle, key.site, key.own_number, key.lot, key.owner)
    return found or Stock(
        circle=draft.circle, site=key.site, own_number=key.own_number, lot=key.lot, owner=key.owner, moved_at=draft.now
    )


def cost_with(stock: Stock | Held, there_each: int, each: int, unit_cost_minor: int, currency: str) -> Cost:
    """The cost of a stock of `there_each` with `each` that come at a cost: the average, rounded half to even.

    Costs in two currencies are never averaged: without a rate of exchange their mean is no amount of either. Then the
    stock keeps its cost, and what came in is not valued until somebody counts it with a cost.
    Source: IAS 2.25 and 2.27 (weighted average), IAS 21.21 (a purchase in another currency needs the rate of its day).
    """
    if unit_cost_minor == UNCHANGED_COST:
        return Cost()
    if stock.currency and currency and stock.currency != currency and there_each:
        return Cost(unvalued_each=each)
    valued = there_each - stock.unvalued_each
    if valued + each <= 0:
        return Cost(unit_cost_minor, currency)
    worth = valued * stock.unit_cost_minor + each * unit_cost_minor
    return Cost(divide_half_even(worth, valued + each), currency or stock.currency)


def change(
    draft: Draft,
    stock: Stock,
    *,
    each: Given[int] = 0,
    allocated: int = 0,
    set_aside: int = 0,
    reason: str = "",
    reference: Given[str] = "",
    cost: Cost = Cost(),
    made_at: int = 0,
) -> Stock:
    """Change one stock, its total and its journal together; the only writer of STOCK, TOTALS and MOVEMENTS.

    Args:
        each: on hand, with sign; needs a `reason`. allocated, set_aside: with sign. cost: as `cost_with` gives it.
        made_at: UTC seconds, 0 for now; an earlier `moved_at` is never set back.
    """
    on_hand = stock.on_hand_each + each
    now_allocated, now_aside = stock.allocated_each + allocated, stock.set_aside_each + set_aside
    assert on_hand >= 0 and now_allocated >= 0 and now_aside >= 0, "callers check first"
    short = max(0, now_allocated + now_aside - on_hand)
    after = replace(
        stock,
        on_hand_each=on_hand,
        allocated_each=now_allocated,
        set_aside_each=now_aside,
        short_each=short,
        unit_cost_minor=stock.unit_cost_minor if cost.unit_cost_minor == UNCHANGED_COST else cost.unit_cost_minor,
        currency=cost.currency or stock.currency,
        unvalued_each=min(stock.unvalued_each + cost.unvalued_each, on_hand),
        moved_at=max(stock.moved_at, made_at or draft.now) if reason in _MOVING else stock.moved_at,
        changed_at=draft.now if each else stock.changed_at,
    )
    draft.put(STOCK, after)
    if each:
        _journal(draft, after, each, reason, reference, made_at or draft.now)
    if not stock.owner:
        had = draft.get(TOTALS, stock.circle, stock.own_number) or Total(
            circle=stock.circle, own_number=stock.own_number
        )
        total = Total(
            circle=had.circle,
            own_number=had.own_number,
            on_hand_each=had.on_hand_each + each,
            allocated_each=had.allocated_each + allocated,
            set_aside_each=had.set_aside_each + set_aside,
            short_each=had.short_each + short - stock.short_each,
        )
        draft.put(TOTALS, total)
    return after


def _journal(draft: Draft, stock: Stock, each: int, reason: str, reference: Given[str], made_at: int) -> None:
    n = draft.writes(MOVEMENTS)
    while draft.mine(MOVEMENTS, stock.circle, draft.position, n) is not None:
        n += 1
    draft.put(
        MOVEMENTS,
        Movement(
            circle=stock.circle,
            entry=draft.position,
            n=n,
            site=stock.site,
            own_number=stock.own_number,
            lot=stock.lot,
            owner=stock.owner,
            each=each,
            reason=reason,
            reference=reference,
            unit_cost_minor=stock.unit_cost_minor,
            made_at=made_at,
        ),
    )


def issue(
    draft: Draft, key: StockKey, each: int, *, allocated: int = 0, set_aside: int = 0, reason: str, reference: str
) -> int:
    """Goods leave. What the books did not show is first recorded as `uncounted`; it is returned, each."""
    stock = stock_of(draft, key)
    missing = max(0, each - stock.on_hand_each)
    if missing:
        stock = change(draft, stock, each=missing, reason="uncounted", reference=reference)
    change(
        draft,
        stock,
        each=-each,
        allocated=allocated,
        set_aside=set_aside,
        reason=reason,
        reference=reference,
    )
    return missing


def receive_in(
    draft: Draft,
    *,
    site: str,
    each: int,
    item: str = "",
    own_number: str = "",
    lot: str = "",
    owner: str = "",
    unit_cost_minor: int = UNCHANGED_COST,
    reference: str = "",
    reason: str = "received",
    serials: Sequence[str] = (),
    currency: str = "",
) -> StockKey:
    """Goods come in, at the home of the draft.

    Args:
        item, own_number: one of them; an item is received under the home's own number for it, adopted if there is none.
        owner: who has title, "" for the firm. unit_cost_minor: of one each, in `currency`; the stock's becomes what
            `cost_with` says; -1 leaves it. reason: "received", "returned" or "transferred".
    """
    key = StockKey(site, own_number or own_number_of(draft, item, currency), lot, owner)
    stock = stock_of(draft, key)
    cost = cost_with(stock, stock.on_hand_each, each, unit_cost_minor, currency)
    change(draft, stock, each=each, reason=reason, reference=reference, cost=cost)
    for serial in serials:
        draft.put(SERIALS, Serial(circle=draft.circle, own_number=key.own_number, serial=serial, site=site, lot=lot))
    return key


# -- home: what orders do to stock ---------------------------------------------------------------------------------


def _standing(draft: Draft, source: str | StockKey) -> tuple[StockKey | None, EarmarkRow | None]:
    """The stock behind an offer that this home has made, or the stock named; (None, None) for others' offers."""
    if isinstance(source, StockKey):
        return source, None
    mark = draft.get(EARMARKS, draft.circle, source)
    if mark is None or not mark.audience:
        return None, None
    return StockKey(mark.site, mark.own_number, mark.lot, mark.owner), mark


def aside_target(draft: Draft, mark: EarmarkRow, allocated_each: int) -> int:
    """What stock keeps back for an earmark now, each: for a firm offer that stands all that is neither taken nor
    allocated; after its end what is reserved and not yet confirmed; for a proposed transfer all."""
    if not mark.audience:
        return 0
    offer = draft.get(OFFERS, mark.offer)
    if offer is None:
        transfer = draft.get(TRANSFERS, mark.offer)
        return transfer.each if transfer is not None and transfer.state == "proposed" else 0
    if not mark.firm:
        return 0
    ended = offer.withdrawn or offer.expires_at <= draft.now
    bound = offer.reserved_each if ended else offer.each - offer.taken_each
    return max(0, bound - allocated_each)


def settle(draft: Draft, offer: str) -> None:
    """Bring what stock keeps back for an offer or transfer in line with its public state.

    Call it in the owner's home after every public change that is neither allocated nor shipped: a lapse, a decline, a
    cancellation, an end. Without an earmark of this home nothing happens.
    """
    mark = draft.get(EARMARKS, draft.circle, offer)
    if mark is not None:
        target = aside_target(draft, mark, mark.allocated_each)
        if target != mark.set_aside_each:
            key = StockKey(mark.site, mark.own_number, mark.lot, mark.owner)
            change(draft, stock_of(draft, key), set_aside=target - mark.set_aside_each)
            draft.put(EARMARKS, replace(mark, set_aside_each=target))


def hear_again(draft: Draft, stock: Stock) -> Stock:
    """The stock, once more in line with what became of the offers that it stands behind.

    An order may draw on a group's offer, by a hold, in a circle that the offer's owner is not in, and an order may
    stand publicly that its circle refused: the owner's home hears of neither. So it looks whenever its owner counts,
    adjusts, moves or offers the stock; where nothing is set aside there is nothing to look for.
    """
    if not stock.set_aside_each:
        return stock
    for mark in draft.scan(EARMARKS, own_number=stock.own_number):
        if mark.set_aside_each:
            settle(draft, mark.offer)
    return stock_of(draft, StockKey(stock.site, stock.own_number, stock.lot, stock.owner))


def _mark_allocated(draft: Draft, mark: EarmarkRow | None, each: int) -> int:
    """Add to an earmark's allocated; the change of what is set aside, for the caller's stock."""
    if mark is None:
        return 0
    allocated = mark.allocated_each + each
    target = aside_target(draft, mark, allocated)
    draft.put(EARMARKS, replace(mark, allocated_each=allocated, set_aside_each=target))
    return target - mark.set_aside_each


def _hold(draft: Draft, order: str, key: StockKey, each: int) -> None:
    """Add to what an order holds of a stock; nothing held is no row."""
    had = draft.get(HOLDS, draft.circle, order, key.site, key.own_number, key.lot, key.owner)
    now = (had.each if had else 0) + each
    assert now >= 0, "callers check first"
    if now:
        draft.put(
            HOLDS,
            Hold(
                circle=draft.circle,
                order_id=order,
                site=key.site,
                own_number=key.own_number,
                lot=key.lot,
                owner=key.owner,
                each=now,
            ),
        )
    elif had:
        draft.delete(HOLDS, draft.circle, order, key.site, key.own_number, key.lot, key.owner)


def held_each(draft: Draft, order: str, key: StockKey) -> int:
    """What an order holds of one stock, each."""
    had = draft.get(HOLDS, draft.circle, order, key.site, key.own_number, key.lot, key.owner)
    return had.each if had else 0


def allocate(draft: Draft, source: str | StockKey, each: int, order: str) -> int:
    """Promise stock to a confirmed order, in the seller's home.

    Args:
        source: an offer of this home, or a stock. each: > 0.
    Returns: how many each of them are not there (recorded as short); all, where the offer is not this home's.
    """
    key, mark = _standing(draft, source)
    if key is None:
        return each
    stock = stock_of(draft, key)
    after = change(draft, stock, allocated=each, set_aside=_mark_allocated(draft, mark, each))
    _hold(draft, order, key, each)
    return min(each, max(0, after.short_each - stock.short_each))


def unallocate(draft: Draft, source: str | StockKey, each: int, order: str) -> int:
    """Take back what an order was promised and will not get; what was taken back, at most what it holds."""
    key, mark = _standing(draft, source)
    if key is None:
        return 0
    back = min(each, held_each(draft, order, key))
    if back:
        change(draft, stock_of(draft, key), allocated=-back, set_aside=_mark_allocated(draft, mark, -back))
        _hold(draft, order, key, -back)
    return back


def ship_out(
    draft: Draft,
    source: str | StockKey,
    each: int,
    order: str,
    *,
    taken_from: StockKey | None = None,
    serials: Sequence[str] = (),
    reason: str = "sold",
) -> int:
    """Goods of an order leave, in the seller's home; what the order held of its source is freed.

    Args:
        source: an offer of this home, or a stock. taken_from: where another lot or site was shipped than promised.
        reason: "sold", or "returned" for goods that go back.
    Returns: how many each the books did not show. They are journalled as `uncounted` before they leave, so that on
        hand stays the sum of its movements; for another's offer all of them, and nothing is recorded.
    """
    key, mark = _standing(draft, source)
    if key is None:
        return each
    freed = min(each, held_each(draft, order, key))
    aside = _mark_allocated(draft, mark, -freed)
    if freed:
        _hold(draft, order, key, -freed)
    from_ = taken_from or key
    if from_ == key:
        missing = issue(draft, key, each, allocated=-freed, set_aside=aside, reason=reason, reference=order)
    else:
        if freed or aside:
            change(draft, stock_of(draft, key), allocated=-freed, set_aside=aside)
        missing = issue(draft, from_, each, reason=reason, reference=order)
    for serial in serials:
        draft.put(
            SERIALS,
            Serial(
                circle=draft.circle,
                own_number=from_.own_number,
                serial=serial,
                site=from_.site,
                lot=from_.lot,
                here=False,
                reference=order,
            ),
        )
    return missing
