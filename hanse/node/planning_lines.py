"""The open lines that are planned: of a firm's own book, and of a group."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from hanse import gazetteer
from hanse.kernel.view import View
from hanse.node.proposing import place_names
from hanse.rooms.catalog.facts import ITEMS, OWN_ITEMS
from hanse.rooms.inventory.offer_facts import WANT_TERMS, WANTS
from hanse.rooms.orders.facts import DeliverTo
from hanse.rooms.orders.private_rows import DOCUMENTS, MINE, ORDER_TERMS, OrderTerms
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS, Order
from hanse.rooms.parties.facts import SITES

DAY = 86_400
LINES_MAX = 100_000
_deliver_to = msgspec.json.Decoder(DeliverTo).decode


class Demand(Struct, frozen=True):
    """One open line. `group`: lines with the same one ship together. `party`: whose line it is, whose offers it does
    not use. `within_days`: until it is wanted, -1 any time. `price_minor`: what the customer pays for one each.
    `places`: what the place it goes to is called, for lanes of a freight table."""

    reference: str
    group: str
    party: str
    item: str
    each: int
    currency: str
    latitude_microdeg: int
    longitude_microdeg: int
    country: str = ""
    within_days: int = -1
    price_minor: int = 0
    places: tuple[str, ...] = ()


class LeftOut(Struct, frozen=True):
    """An open line that is not planned, and why: no_item, no_place, other_currency."""

    reference: str
    why: str


def home_demands(view: View, left_out: list[LeftOut]) -> Iterator[Demand]:
    """What customers ordered and the firm has not confirmed, less what was bought for it already."""
    states = ", ".join("?" * len(LIVE_STATES))
    sql = (
        "SELECT m.order_id FROM {orders_mine} m CROSS JOIN {orders_order} o ON o.order_id = m.order_id"
        f" WHERE m.circle = ? AND m.side = 'sell' AND o.state IN ({states}) ORDER BY m.order_id LIMIT {LINES_MAX}"
    )
    bought = _bought(view)
    for (order_id,) in view.sql(sql, (view.home, *LIVE_STATES), tables=(MINE, ORDERS)):
        order = view.get(ORDERS, order_id)
        terms = view.get(ORDER_TERMS, order.circle, order_id) if order else None
        if order is not None and terms is not None:
            yield from _order_demands(view, order, terms, bought, left_out)


def _order_demands(
    view: View, order: Order, terms: OrderTerms, bought: dict[tuple[str, str], int], left_out: list[LeftOut]
) -> Iterator[Demand]:
    to = _deliver_to(terms.deliver_to)
    place = delivery_place(view, to)
    for line, known in zip(order.lines, terms.lines, strict=True):
        if line.offer:  # it draws on an offer of the firm's own, behind which stock stands
            continue
        each = line.open - line.proposed
        reference = f"order:{order.order_id}/{line.line}"
        item = _network_item(view, known.item, known.own_number)
        if each > 0 and item:
            had = min(each, bought.get((order.order_id, item), 0))
            if had:
                bought[order.order_id, item] -= had
                each -= had
        if each <= 0:
            continue
        if not item or place is None:
            left_out.append(LeftOut(reference, "no_place" if item else "no_item"))
            continue
        yield Demand(
            reference=reference,
            group=order.order_id,
            party=view.party,
            item=item,
            each=each,
            currency=terms.currency,
            latitude_microdeg=place[0],
            longitude_microdeg=place[1],
            country=place[2],
            within_days=max(0, known.requested_at - view.now) // DAY if known.requested_at else -1,
            price_minor=known.unit_price_minor,
            places=place_names(to.site, to.city, place[2]),
        )


def _network_item(view: View, item: str, own_number: str) -> str:
    """The catalogue's item of a line, "" where it has none."""
    if view.get(ITEMS, item) is not None:
        return item
    for number in (own_number, item):
        own = view.get(OWN_ITEMS, view.home, number) if number else None
        if own is not None and own.item:
            return own.item
    return ""


def _bought(view: View) -> dict[tuple[str, str], int]:
    """(customer's order, item) -> each under way from others for it: a plan that was applied is not planned again.

    What arrived in the firm's own stock counts there; what was dropped at the customer's stays counted here.
    """
    found: dict[tuple[str, str], int] = {}
    for document in view.rows(DOCUMENTS, "circle = ?", (view.home,), limit=LINES_MAX):
        for cover in document.orders:
            order, mine = view.get(ORDERS, cover.order), view.get(MINE, view.home, cover.order)
            if order is None or mine is None or mine.side != "buy":
                continue
            items = {line.line: line.item for line in mine.lines}
            for line in order.lines:
                under_way = line.ordered - line.cancelled - (0 if mine.drop_ship else line.received)
                key = (document.customer_po_number, items.get(line.line, ""))
                found[key] = found.get(key, 0) + max(0, under_way)
    return found


def delivery_place(view: View, to: DeliverTo) -> tuple[int, int, str] | None:
    """(latitude, longitude, country) of a delivery: as stated, of the own site, of the city, else of the first own
    site; None where nothing is known."""
    if to.latitude_microdeg or to.longitude_microdeg:
        return to.latitude_microdeg, to.longitude_microdeg, to.country
    site = view.get(SITES, view.home, to.site) if to.site else None
    city = gazetteer.find(to.city, to.country) if site is None and to.city else None
    if city is not None:
        return city.latitude_microdeg, city.longitude_microdeg, city.country
    if site is None:
        own = view.rows(SITES, "circle = ?", (view.home,), limit=1)
        site = own[0] if own else None
    return (site.latitude_microdeg, site.longitude_microdeg, site.country) if site else None


def group_demands(view: View, circle: str, left_out: list[LeftOut]) -> Iterator[Demand]:
    """The live wants that members told to the group."""
    for terms in view.rows(WANT_TERMS, "circle = ? AND ended = 0", (circle,), order="want", limit=LINES_MAX):
        row = view.get(WANTS, terms.want)
        if row is None or row.withdrawn or row.expires_at <= view.now:
            continue
        if not (terms.latitude_microdeg or terms.longitude_microdeg):
            left_out.append(LeftOut(f"want:{terms.want}", "no_place"))
            continue
        yield Demand(
            reference=f"want:{terms.want}",
            group=f"{terms.party}/{terms.want}",
            party=terms.party,
            item=terms.item,
            each=terms.each,
            currency="",
            latitude_microdeg=terms.latitude_microdeg,
            longitude_microdeg=terms.longitude_microdeg,
            country=terms.country,
            places=place_names(terms.city, terms.country),
        )
