"""The responder: what an owner's node answers to an order by itself, from what its owner alone knows.

It confirms what was offered and is there, and what the owner has quoted; it declines what the owner does not sell to
this buyer or cannot supply. The sentence of a decline is always the same one: it says nothing of stock, permits or
minimum prices. What needs judgement (a line that names neither offer nor quote) it leaves to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hanse.kernel.facts import WITHHELD
from hanse.kernel.view import View
from hanse.rooms.catalog.facts import ITEMS
from hanse.rooms.inventory.facts import POLICIES, STOCK
from hanse.rooms.inventory.offer_facts import EARMARKS, OFFER_TERMS, OFFERS, EarmarkRow, OfferTerms
from hanse.rooms.orders.facts import ConfirmLine, ConfirmOrder, DeclineOrder
from hanse.rooms.orders.private_rows import ORDER_TERMS, QUOTE_TERMS, OrderTerms, QuotedLine, TermsLine
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS, Line, Order
from hanse.rooms.parties.facts import PERMITS, Permit

DECLINED = "We cannot supply this order at present."
DAY_SECONDS = 86_400
ANSWER_SECONDS = 3 * DAY_SECONDS


def respond(
    view: View, order_id: str, agreed: Mapping[int, int] = MappingProxyType({})
) -> ConfirmOrder | DeclineOrder | None:
    """The fact with which the owner's node answers an order; None where a person has to.

    Args:
        view: the seller's own, its home included. agreed: line -> the price that an agreement in force sets for it, in
            minor units of the order's currency: it counts instead of the offer's and of the owner's minimum, and a line
            ordered above it is confirmed at it.
    Answers only orders that draw on its own offers with every open line, or keep to a quote of its own. Of offers it
    confirms, line by line, what the earmark's stock holds beyond what is promised to others, at the order's price where
    that is not below the offer's and the owner's minimum; a date after the requested one is marked as a change, for the
    buyer to accept. Declines what it may not sell to the buyer, or has nothing of. A ship-complete order that it cannot
    confirm whole is left to people.
    """
    order = view.get(ORDERS, order_id)
    terms = view.get(ORDER_TERMS, order.circle, order_id) if order else None
    if order is None or terms is None or order.one_sided or order.state not in LIVE_STATES:
        return None
    if terms.seller != view.party:
        return None
    waiting = [
        (line, known) for line, known in zip(order.lines, terms.lines, strict=True) if line.open - line.proposed > 0
    ]
    if not waiting:
        return None
    if order.quote and not any(line.offer for line, _ in waiting):
        return _as_quoted(view, order, terms, waiting)
    if any(not line.offer for line, _ in waiting):
        return None
    decline = DeclineOrder(circle=order.circle, order=order_id, reason=DECLINED)
    if not all(may_sell(view, terms.buyer, known.item) for _, known in waiting):
        return decline
    lines, whole = _confirmed(view, order, terms, waiting, agreed)
    if not lines:
        return decline
    if order.ship_complete and not whole:
        return None
    late = any(line.changed for line in lines)
    return ConfirmOrder(
        circle=order.circle, order=order_id, lines=lines, answer_by=view.now + ANSWER_SECONDS if late else 0
    )


def keeps_to_quote(view: View, order: Order, terms: OrderTerms) -> bool:
    """Whether all that is open of an order keeps to a quote, which binds the seller as a firm offer does."""
    waiting = [
        (line, known) for line, known in zip(order.lines, terms.lines, strict=True) if line.open - line.proposed > 0
    ]
    drawn = any(line.offer for line, _ in waiting)
    return bool(order.quote) and not drawn and _as_quoted(view, order, terms, waiting) is not None


def _as_quoted(
    view: View, order: Order, terms: OrderTerms, waiting: list[tuple[Line, TermsLine]]
) -> ConfirmOrder | None:
    """The confirmation of an order that keeps to its quote, which binds its owner: item, price, quantity and currency
    of every line, and so many days. None where it asks for more: people answer that."""
    found = view.get(QUOTE_TERMS, order.circle, order.quote)
    if found is None or found.currency != terms.currency:
        return None
    quoted: dict[str, list[QuotedLine]] = {}
    for one in found.quoted:
        quoted.setdefault(one.item, []).append(one)
    lines, taken = [], dict[tuple[str, int], int]()
    for line, known in waiting:
        want = line.open - line.proposed
        fits = [
            one for one in quoted.get(known.item, [])
            if one.unit_price_minor <= known.unit_price_minor and taken.get((one.item, one.line), 0) + want <= one.each
        ]  # fmt: skip
        if not fits:
            return None
        one = fits[0]
        taken[one.item, one.line] = taken.get((one.item, one.line), 0) + want
        promised_at = view.now + one.lead_time_days * DAY_SECONDS
        late = 0 < known.requested_at < promised_at
        promised_at = max(promised_at, known.requested_at)
        lines.append(ConfirmLine(line=line.line, each=want, promised_at=promised_at, changed=late))
    waits = any(line.changed for line in lines)
    answer_by = view.now + ANSWER_SECONDS if waits else 0
    return ConfirmOrder(circle=order.circle, order=order.order_id, lines=lines, answer_by=answer_by)


def _confirmed(
    view: View, order: Order, terms: OrderTerms, waiting: list[tuple[Line, TermsLine]], agreed: Mapping[int, int]
) -> tuple[list[ConfirmLine], bool]:
    """(what can be confirmed, whether that is all); stock counted in sum over the lines."""
    used: dict[tuple[str, str, str, str], int] = {}
    lines: list[ConfirmLine] = []
    whole = True
    for line, known in waiting:
        want = line.open - line.proposed
        price = agreed.get(line.line)
        offer = _own_offer(view, line.offer, known, terms.currency, price)
        each = 0
        if offer is not None:
            mark, offered = offer
            key = (mark.site, mark.own_number, mark.lot, mark.owner)
            each = max(0, min(want, _there(view, mark) - used.get(key, 0)))
            used[key] = used.get(key, 0) + each
            promised_at = view.now + offered.lead_time_days * DAY_SECONDS
            if each:
                lines.append(
                    ConfirmLine(
                        line=line.line,
                        each=each,
                        promised_at=max(promised_at, known.requested_at),
                        changed=0 < known.requested_at < promised_at,
                        unit_price_minor=price if price is not None and price < known.unit_price_minor else WITHHELD,
                    )
                )
        whole = whole and each == want
    return lines, whole


def _own_offer(
    view: View, offer: str, known: TermsLine, currency: str, agreed_minor: int | None
) -> tuple[EarmarkRow, OfferTerms] | None:
    """The earmark behind an offer and its terms, where the line keeps to both, or to the agreed price; else None."""
    mark, row = view.get(EARMARKS, view.home, offer), view.get(OFFERS, offer)
    offered = view.get(OFFER_TERMS, row.circle, offer) if row else None
    if mark is None or not mark.audience or offered is None:
        return None
    policy = view.get(POLICIES, view.home, mark.own_number)
    least = max(offered.unit_price_minor, mark.minimum_price_minor, policy.minimum_price_minor if policy else 0)
    if agreed_minor is not None:
        least = agreed_minor
    good = known.item == offered.item and currency == offered.currency and known.unit_price_minor >= least
    return (mark, offered) if good else None


def _there(view: View, mark: EarmarkRow) -> int:
    """What an earmark's stock holds that is promised to nobody else, each."""
    stock = view.get(STOCK, view.home, mark.site, mark.own_number, mark.lot, mark.owner)
    if stock is None:
        return 0
    return stock.on_hand_each - stock.allocated_each - (stock.set_aside_each - mark.set_aside_each)


def may_sell(view: View, buyer: str, item: str) -> bool:
    """Whether the owner's permits let it sell an item to a buyer: the narrowest matching permit counts, none means yes.

    A permit that names the partner, or a brand or category, is narrower than "*"; of equally narrow ones a no counts.
    """
    found = view.get(ITEMS, item)
    scopes = {"*"} | ({f"brand:{found.brand}", f"category:{found.category}"} if found else set())
    fitting = [
        permit
        for permit in view.rows(PERMITS, "circle = ?", (view.home,))
        if permit.partner in ("*", buyer) and permit.scope in scopes
    ]
    if not fitting:
        return True
    narrowest = max(_width(permit) for permit in fitting)
    return all(permit.allow for permit in fitting if _width(permit) == narrowest)


def _width(permit: Permit) -> int:
    return int(permit.partner != "*") + int(permit.scope != "*")


def waiting_orders(view: View, *, limit: int = 500) -> tuple[str, ...]:
    """Orders that wait for the reader's answer as a seller, the oldest first: what a responder goes through."""
    found = view.sql(
        "SELECT o.order_id FROM {orders_order} o CROSS JOIN {orders_terms} t"
        f" WHERE o.circle IN ({', '.join('?' * len(view.circles))}) AND o.state = 'placed' AND t.circle = o.circle"
        " AND t.order_id = o.order_id AND t.seller = ? AND o.one_sided = 0 ORDER BY o.placed_at, o.order_id LIMIT ?",
        [*view.circles, view.party, limit],
        tables=(ORDERS, ORDER_TERMS),
    )
    return tuple(row[0] for row in found)
