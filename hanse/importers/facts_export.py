"""What a firm has in Hanse as rows of the bundle, for its own system: nothing has to be typed twice.

The rows are those that an import reads: an export imported again signs nothing new but what has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import msgspec

from hanse.importers.export import Exported, table, to_csv, to_xlsx
from hanse.importers.facts_orders import imported_orders
from hanse.importers.mapping import MappingFile, Section
from hanse.importers.values import Value
from hanse.kernel.refusal import Refused
from hanse.kernel.rows import R
from hanse.kernel.tables import Table
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.catalog.facts import OWN_ITEMS
from hanse.rooms.catalog.queries import own_number_of
from hanse.rooms.inventory.facts import MOVEMENTS, STOCK, Stock
from hanse.rooms.inventory.offer_facts import EARMARKS
from hanse.rooms.inventory.offer_queries import offers, transfer_deadline, transfers
from hanse.rooms.orders.facts import DeliverTo
from hanse.rooms.orders.private_rows import MINE, ORDER_TERMS, SHIPMENT_TERMS, Mine, OrderTerms, TermsLine
from hanse.rooms.orders.rows import ORDERS, SHIPMENTS, Order
from hanse.rooms.parties.facts import SITES
from hanse.rooms.parties.queries import circle_card, party_name

Values = dict[str, Value]
PAGE = 1_000
_SITE_KINDS = {"warehouse": "warehouse", "plant": "plant", "shop": "store", "van": "other", "office": "other"}
_deliver_to = msgspec.json.Decoder(DeliverTo).decode


def rows_of(desk: Desk, what: str) -> Iterator[Values]:
    """The rows of `what` (a key of `WHAT`) that the desk's party has, as a target's fields."""
    return WHAT[what](desk)


def exported(desk: Desk, what: str, mapping: MappingFile | None = None) -> Exported:
    """A table for people's own system: in the bundle's columns, or in those of a mapping's section for this target.

    Refuses, in order: export.unknown, export.not_mapped.
    """
    if what not in WHAT:
        raise Refused("export.unknown", "there is no such table", got=what, expected=", ".join(WHAT))
    section: Section | None = None
    if mapping is not None:
        section = next((one for one in mapping.sections if one.target == what), None)
        if section is None:
            got = ", ".join(one.target for one in mapping.sections)
            raise Refused("export.not_mapped", "the mapping says nothing of this table", got=got, expected=what)
    return table(what, rows_of(desk, what), section)


def as_file(found: Exported, what: str, form: str) -> bytes:
    """The table as bytes. form: csv, xlsx or json. No cell of a CSV or workbook is a formula."""
    if form == "xlsx":
        return to_xlsx({what: found})
    if form == "json":
        return msgspec.json.encode([dict(zip(found.columns, row, strict=True)) for row in found.rows])
    return b"\xef\xbb\xbf" + to_csv(found).encode()


# -- rows ------------------------------------------------------------------------------------------------------------


def _all(view: View, of: Table[R], where: str = "circle = ?", values: tuple[str, ...] = ()) -> Iterator[R]:
    """Every row of the reader's home, page by page."""
    at = 0
    while page := view.rows(of, where, (view.home, *values), limit=PAGE, offset=at):
        yield from page
        at += PAGE


def _sites(desk: Desk) -> Iterator[Values]:
    for row in _all(desk.view, SITES):
        if row.site_kind in _SITE_KINDS:
            yield {
                "site": row.site,
                "name": row.name,
                "kind": _SITE_KINDS[row.site_kind],
                "city": row.city,
                "country": row.country,
                "latitude_e6": row.latitude_microdeg,
                "longitude_e6": row.longitude_microdeg,
            }


def _items(desk: Desk) -> Iterator[Values]:
    for row in _all(desk.view, OWN_ITEMS):
        yield {
            "item": row.own_number,
            "description": row.description,
            "gtin": row.gtin,
            "brand": row.brand,
            "part_number": row.part_number,
            "unit": "C62" if row.unit == "H87" else row.unit,
            "each_per_unit": row.pack_each,
            "category": row.category,
            "cost_minor": row.cost_minor,
            "price_per": row.pack_each,
            "currency": row.currency or None,
        }


def _stock(desk: Desk) -> Iterator[Values]:
    view = desk.view
    for row in _all(view, STOCK, "circle = ? AND owner = ''"):
        own = view.get(OWN_ITEMS, view.home, row.own_number)
        yield {
            "item": row.own_number,
            "site": row.site,
            "lot": row.lot,
            "quantity_each": row.on_hand_each,
            "value_minor": None if row.unvalued_each else row.on_hand_each * row.unit_cost_minor,
            "currency": row.currency or (own.currency if own and own.currency else None),
            "counted_at": _time(row.counted_at) if _stands_as_counted(view, row) else None,
        }


def _stands_as_counted(view: View, row: Stock) -> bool:
    """Whether nothing has moved since the stock was counted."""
    where = "circle = ? AND own_number = ? AND site = ? AND lot = ? AND owner = ?"
    values = (view.home, row.own_number, row.site, row.lot, row.owner)
    last = view.rows(MOVEMENTS, where, values, order="entry DESC, n DESC", limit=1)
    return bool(row.counted_at) and (not last or last[0].reason == "counted")


def _books(desk: Desk) -> Iterator[tuple[View, Mine, Order, OrderTerms, str]]:
    """Every order of the firm's book, with the firm's own number for it where it was imported."""
    view = desk.view
    numbers = {
        name: number
        for (_, number), names in imported_orders(desk.node.directory, desk.who.party).items()
        for name in names
    }
    for mine in _all(view, MINE):
        order = view.get(ORDERS, mine.order_id)
        terms = view.get(ORDER_TERMS, order.circle, mine.order_id) if order else None
        if order is not None and terms is not None:
            yield view, mine, order, terms, numbers.get(mine.order_id, mine.order_id)


def _orders(desk: Desk) -> Iterator[Values]:
    for view, mine, order, terms, number in _books(desk):
        shipped = view.rows(SHIPMENT_TERMS, "circle = ? AND order_id = ?", (order.circle, mine.order_id))
        to = _deliver_to(terms.deliver_to)
        for line, known in zip(order.lines, terms.lines, strict=True):
            left = max((s.shipped_at for s in shipped if any(p.line == line.line for p in s.slices)), default=0)
            yield {
                "order": number,
                "line": line.line,
                "kind": "sale" if mine.side == "sell" else "purchase",
                "customer": mine.partner if mine.side == "sell" else None,
                "supplier": mine.partner if mine.side == "buy" else None,
                "customer_po": terms.po_number or None,
                "item": _own_name(view, mine, order, known),
                "quantity_ordered": line.ordered - line.cancelled,
                "unit": "C62",
                "price_minor": known.unit_price_minor,
                "price_per": 1,
                "currency": terms.currency,
                "ordered_on": _date(terms.ordered_at),
                "due_on": _date(known.first_promised_at or known.requested_at),
                "shipped_on": _date(left),
                "ship_to": to.site or None,
                "status": order.state,
                "ship_name": to.mark or None,
                "ship_city": to.city or None,
                "ship_country": to.country or None,
            }


def _own_name(view: View, mine: Mine, order: Order, known: TermsLine) -> str:
    """What the firm itself calls an order's goods: of a sale in a relationship, the line's number is the buyer's."""
    own = own_number_of(view, known.item) if mine.side == "sell" and not order.one_sided else known.own_number
    return own or known.item


def _receipts(desk: Desk) -> Iterator[Values]:
    for view, mine, order, terms, number in _books(desk):
        if mine.side != "buy":
            continue
        items = {line.line: line.own_number or line.item for line in terms.lines}
        for shipment in view.rows(SHIPMENTS, "order_id = ?", (mine.order_id,)):
            known = view.get(SHIPMENT_TERMS, order.circle, shipment.shipment)
            for line in shipment.lines if shipment.method else ():
                yield {
                    "order": number,
                    "line": line.line,
                    "item": items[line.line],
                    "received_each": line.received + line.damaged,
                    "rejected_each": line.damaged,
                    "stocked_each": line.received,
                    "received_on": _date(known.arrived_at if known else shipment.received_at),
                    "site": mine.site or None,
                }


def _offers(desk: Desk) -> Iterator[Values]:
    view = desk.view
    after = ""
    while page := offers(view, mine=True, after=after, limit=PAGE):
        after = page[-1].offer
        for card in page:
            mark = view.get(EARMARKS, view.home, card.offer)
            circle = circle_card(view, card.circle)
            others = [m.party for m in circle.members if not m.mine] if circle else []
            yield {
                "item": mark.own_number if mark else card.item,
                "site": mark.site if mark else "",
                "lot": mark.lot if mark else "",
                "quantity_each": card.open_each,
                "price_minor": card.unit_price_minor,
                "price_per": 1,
                "price_minimum_minor": mark.minimum_price_minor if mark else None,
                "currency": card.currency,
                "audience": circle.name if circle and circle.purpose == "group" else ", ".join(others),
                "expires_at": _time(card.expires_at),
            }


def _transfers(desk: Desk) -> Iterator[Values]:
    """Transfers between firms at cost plus, the newest first; they only go out (`targets.EXPORTS`)."""
    view = desk.view
    for row in transfers(view, limit=100_000):
        way, partner = ("out", row.taker) if row.giver == view.party else ("in", row.giver)
        yield {
            "transfer": row.transfer,
            "kind": row.transfer_kind,
            "way": way,
            "giver": row.giver,
            "taker": row.taker,
            "partner": party_name(view, partner),
            "item": own_number_of(view, row.item) or row.item,
            "lot": row.lot,
            "quantity_each": row.each,
            "unit_cost_minor": row.unit_cost_minor,
            "markup_ppm": row.markup_ppm,
            "total_minor": row.total_minor,
            "currency": row.currency,
            "state": row.state,
            "site": row.site if way == "in" else "",
            "open_until": _time(transfer_deadline(view, row.transfer)),
        }


WHAT: dict[str, Callable[[Desk], Iterator[Values]]] = {
    "sites": _sites,
    "items": _items,
    "stock": _stock,
    "orders": _orders,
    "receipts": _receipts,
    "offers": _offers,
    "transfers": _transfers,
}
"""What can be exported, by target."""


def _time(at: int) -> str | None:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _date(at: int) -> str | None:
    return datetime.fromtimestamp(at, UTC).date().isoformat() if at else None
