"""One search box over everything that the reader may see: entry, order, party, item, offer, lot."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from hanse.kernel.view import View
from hanse.rooms.catalog import queries as catalog
from hanse.rooms.inventory.facts import STOCK
from hanse.rooms.inventory.offer_facts import OFFERS
from hanse.rooms.inventory.offer_queries import offer as offer_card
from hanse.rooms.orders.queries import orders
from hanse.rooms.parties import queries as parties
from hanse.site.places import Places
from hanse.web.site import Hit

EACH_MAX = 12
"""Hits of one kind."""


def search(view: View, places: Places, text: str, limit: int, size: int) -> list[Hit]:
    """Hits, exact ones first. text: anything, stripped. size: entries of the record. Reads only through the view."""
    if not text:
        return []
    found: dict[tuple[str, str], Hit] = {}
    for hit in _hits(view, places, text, size):
        found.setdefault((hit.kind, hit.title), hit)
    exact = text.casefold()
    return sorted(found.values(), key=lambda hit: hit.title.casefold() != exact)[:limit]


def _hits(view: View, places: Places, text: str, size: int) -> Iterator[Hit]:
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 16 and int(number) < size:
        entry = places.of("entry", int(number))
        if entry:
            yield Hit(f"#{int(number)}", "Entry", entry, "of the record")
    if view.home:
        yield from _orders(view, places, text)
    yield from _parties(view, places, text)
    yield from _items(view, places, text)
    yield from _offers(view, places, text)
    if view.home:
        yield from _lots(view, places, text)


def _orders(view: View, places: Places, text: str) -> Iterator[Hit]:
    for row in orders(view, text=text, limit=EACH_MAX).rows:
        href = places.of("order", row.order)
        if href:
            way = "to" if row.side == "buy" else "from"
            purchase = f", PO {row.po_number}" if row.po_number else ""
            yield Hit(row.order, "Order", href, f"{row.state.replace('_', ' ')}, {way} {row.partner_name}{purchase}")


def _parties(view: View, places: Places, text: str) -> Iterator[Hit]:
    for party in parties.parties(view, text, limit=EACH_MAX):
        href = places.of("party", party.party)
        if href:
            yield Hit(party.name, "Party", href, ", ".join(part for part in (party.city, party.country) if part))


def _items(view: View, places: Places, text: str) -> Iterator[Hit]:
    for item in catalog.search(view, text, limit=EACH_MAX):
        title = " ".join(part for part in (item.brand, item.part_number) if part) or item.own_number or item.item
        known = ", ".join(part for part in (item.description, item.own_number and f"your {item.own_number}") if part)
        if item.item:
            href = places.of("item", item.item, otherwise=f"/find?q={quote(item.item, safe='')}")
            yield Hit(title, "Item", href, known)
        elif own := places.of("own", item.own_number):
            yield Hit(item.own_number, "Own item", own, item.description)


def _offers(view: View, places: Places, text: str) -> Iterator[Hit]:
    row = view.get(OFFERS, text)
    card = offer_card(view, row.circle, text) if row else None
    if card is not None:
        href = places.of("offer", card.offer, otherwise=f"/find?q={quote(card.item, safe='')}")
        yield Hit(card.offer, "Offer", href, f"{card.open_each} each of {card.description}, {card.party_name}")


def _lots(view: View, places: Places, text: str) -> Iterator[Hit]:
    seen: set[str] = set()
    for row in view.rows(STOCK, "circle = ? AND lot = ?", (view.home, text), limit=EACH_MAX):
        href = places.of("own", row.own_number)
        if href and row.own_number not in seen:
            seen.add(row.own_number)
            yield Hit(row.lot, "Lot", href, f"{row.on_hand_each} each of {row.own_number} at {row.site}")
