"""Questions about offers, wants and transfers, as far as the reader's circles reach."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.refusal import Refused
from hanse.kernel.refusals import Refusal
from hanse.kernel.rows import SqlValue
from hanse.kernel.view import View
from hanse.rooms.catalog.facts import ITEMS, NUMBER_OF_ITEM, OWN_ITEMS
from hanse.rooms.inventory.facts import POLICIES, STOCK, TOTALS
from hanse.rooms.inventory.offer_facts import (
    EARMARKS,
    OFFER_TERMS,
    OFFERS,
    TRANSFER_TERMS,
    TRANSFERS,
    WANT_TERMS,
    EarmarkRow,
    MakeOffer,
    TransferTerms,
    WantTerms,
)
from hanse.rooms.inventory.offers import require_backing
from hanse.rooms.parties.facts import PARTIES, SITES
from hanse.rooms.parties.queries import read_as


class OfferCard(Struct, frozen=True):
    """An offer as its audience sees it. `open_each`: what may still be drawn, up to the quantity offered to you."""

    offer: str
    circle: str
    party: str
    party_name: str
    item: str
    description: str
    brand: str
    part_number: str
    weight_g: int
    offer_kind: str
    country: str
    city: str
    latitude_microdeg: int
    longitude_microdeg: int
    unit_price_minor: int
    currency: str
    pack_each: int
    minimum_each: int
    lead_time_days: int
    firm: bool
    condition: str
    lot_expiry_at: int
    offered_at: int
    expires_at: int
    each: int
    open_each: int
    ended: bool
    position: int


class OwnSource(Struct, frozen=True):
    """What the reader itself has free of an item. `free_each` may be less than the sum over lots by what is kept.

    `unit_cost_minor`: of one each, in `currency` ("" where neither the stock nor its own number names one).
    """

    own_number: str
    site: str
    city: str
    latitude_microdeg: int
    longitude_microdeg: int
    lot: str
    free_each: int
    unit_cost_minor: int
    currency: str
    counted_at: int

    def cost_in(self, currency: str) -> int:
        """Cost of one each in a currency, minor units; 0 where none is known in it."""
        return self.unit_cost_minor if self.currency in ("", currency) else 0


class Availability(Struct, frozen=True):
    """From whom an item may be had now. `offers`: others', the lowest price first."""

    item: str
    own: list[OwnSource]
    offers: list[OfferCard]

    @property
    def own_free_each(self) -> int:
        return sum(source.free_each for source in self.own)

    @property
    def offered_each(self) -> int:
        return sum(offer.open_each for offer in self.offers)


class WantCard(Struct, frozen=True):
    """A want as its audience sees it."""

    want: str
    circle: str
    party: str
    party_name: str
    item: str
    description: str
    each: int
    borrow: bool
    country: str
    city: str
    latitude_microdeg: int
    longitude_microdeg: int
    note: str


class LendMatch(Struct, frozen=True):
    """Somebody wants what the reader has free. `own_number`: the reader's; `free_each`: over all its sites."""

    want: WantCard
    own_number: str
    free_each: int


class BorrowMatch(Struct, frozen=True):
    """The reader is short of what somebody offers. `short_each`: promised beyond what is there, or wanted."""

    own_number: str
    short_each: int
    offer: OfferCard


_TABLES = (OFFER_TERMS, OFFERS, ITEMS, PARTIES)
_OFFER = f"""
    SELECT t.offer, t.circle, t.party, coalesce(p.name, t.party), t.item, coalesce(i.description, ''),
           coalesce(i.brand, ''), coalesce(i.part_number, ''), coalesce(i.weight_g, 0), t.offer_kind, t.country, t.city,
           t.latitude_microdeg, t.longitude_microdeg, t.unit_price_minor, t.currency, t.pack_each, t.minimum_each,
           t.lead_time_days, t.firm, t.condition, t.lot_expiry_at, t.offered_at, o.expires_at, o.each,
           o.each - o.reserved_each - o.taken_each, t.ended OR o.withdrawn OR o.expires_at <= :now, o.position
    FROM {{{OFFER_TERMS.name}}} t JOIN {{{OFFERS.name}}} o ON o.offer = t.offer
    LEFT JOIN {{{ITEMS.name}}} i ON i.item = t.item LEFT JOIN {{{PARTIES.name}}} p ON p.party = t.party"""
_LIVE = "t.ended = 0 AND o.withdrawn = 0 AND o.expires_at > :now AND o.each > o.reserved_each + o.taken_each"


def _offers(view: View, where: str, values: tuple[SqlValue, ...], order: str, limit: int) -> list[OfferCard]:
    sql = f"{_OFFER} WHERE {where} ORDER BY {order} LIMIT {int(limit)}".replace(":now", str(int(view.now)))
    return read_as(OfferCard, view.sql(sql, values, tables=_TABLES))


def offer(view: View, circle: str, offer: str) -> OfferCard | None:
    """One offer of a circle of the reader's, None for every other."""
    found = _offers(view, "t.circle = ? AND t.offer = ?", (circle, offer), "t.offer", 1)
    return found[0] if found else None


def offers_of_item(view: View, item: str, *, offer_kind: str = "sell", limit: int = 200) -> list[OfferCard]:
    """Others' live offers of an item that the reader may draw on, the lowest price first."""
    where = f"t.item = ? AND {_LIVE} AND t.party <> ? AND t.offer_kind = ?"
    return _offers(view, where, (item, view.party, offer_kind), "t.unit_price_minor, t.offer, t.circle", limit)


def offers(view: View, *, mine: bool = False, after: str = "", limit: int = 100) -> list[OfferCard]:
    """Live offers in order of id, after a cursor: the reader's own, or others' to the reader."""
    where = f"{'t.party = ?' if mine else 't.party <> ?'} AND {_LIVE} AND t.offer > ?"
    return _offers(view, where, (view.party, after), "t.offer", limit)


def my_offer_backing(view: View, offer: str) -> EarmarkRow | None:
    """What stands behind an offer of the reader's own."""
    return view.get(EARMARKS, view.home, offer)


def offer_refusal(view: View, fact: MakeOffer) -> Refusal | None:
    """Why the reader's own home would not stand behind an offer: a door asks before it signs. Codes of
    `offers.require_backing`."""
    mark = view.get(EARMARKS, view.home, fact.offer)
    policy = view.get(POLICIES, view.home, mark.own_number) if mark else None
    try:
        require_backing(mark, policy, fact)
    except Refused as refused:
        return refused.refusal
    return None


def own_sources(view: View, item: str) -> list[OwnSource]:
    """What the reader has free of an item, by site and lot, whatever own number it stands under."""
    return _own_sources(view, "o.item", item)


def own_number_sources(view: View, own_number: str) -> list[OwnSource]:
    """What the reader has free of one own number, matched or not, by site and lot."""
    return _own_sources(view, "o.own_number", own_number)


def _own_sources(view: View, column: str, value: str) -> list[OwnSource]:
    sql = f"""
        SELECT k.own_number, k.site, coalesce(s.city, ''), coalesce(s.latitude_microdeg, 0),
               coalesce(s.longitude_microdeg, 0), k.lot, k.on_hand_each - k.allocated_each - k.set_aside_each,
               k.unit_cost_minor, coalesce(nullif(k.currency, ''), o.currency), k.counted_at
        FROM {{{OWN_ITEMS.name}}} o
        JOIN {{{STOCK.name}}} k ON k.circle = o.circle AND k.own_number = o.own_number
        LEFT JOIN {{{SITES.name}}} s ON s.circle = k.circle AND s.site = k.site
        WHERE o.circle = ? AND {column} = ? AND k.owner = ''
              AND k.on_hand_each > k.allocated_each + k.set_aside_each
        ORDER BY k.site, k.own_number, k.lot"""
    return read_as(OwnSource, view.sql(sql, (view.home, value), tables=(OWN_ITEMS, STOCK, SITES)))


def availability(view: View, item: str, *, limit: int = 200) -> Availability:
    """From whom the reader may have an item now: its own free stock, and what others offer to it."""
    return Availability(item, own_sources(view, item), offers_of_item(view, item, limit=limit))


# -- borrow and lend -----------------------------------------------------------------------------------------------


def wants(view: View, *, mine: bool = False, item: str = "", limit: int = 200) -> list[WantCard]:
    """Live wants: others' that were told to the reader, or its own."""
    where = f"t.ended = 0 AND {'t.party = ?' if mine else 't.party <> ?'}" + (" AND t.item = ?" if item else "")
    sql = f"""
        SELECT t.want, t.circle, t.party, coalesce(p.name, t.party), t.item, coalesce(i.description, ''), t.each,
               t.borrow, t.country, t.city, t.latitude_microdeg, t.longitude_microdeg, t.note
        FROM {{{WANT_TERMS.name}}} t
        LEFT JOIN {{{ITEMS.name}}} i ON i.item = t.item LEFT JOIN {{{PARTIES.name}}} p ON p.party = t.party
        WHERE {where} ORDER BY t.want, t.circle LIMIT {int(limit)}"""
    values = (view.party, item) if item else (view.party,)
    return read_as(WantCard, view.sql(sql, values, tables=(WANT_TERMS, ITEMS, PARTIES)))


def want(view: View, circle: str, want: str) -> WantTerms | None:
    return view.get(WANT_TERMS, circle, want)


def lend_matches(view: View, limit: int = 100) -> list[LendMatch]:
    """Wants told to the reader of which it has goods free beyond what it keeps for its own customers."""
    found = []
    for card in wants(view, limit=1_000):
        number = view.get(NUMBER_OF_ITEM, view.home, card.item)
        total = view.get(TOTALS, view.home, number.own_number) if number else None
        if number is None or total is None:
            continue
        policy = view.get(POLICIES, view.home, number.own_number)
        free = total.on_hand_each - total.allocated_each - total.set_aside_each - (policy.keep_each if policy else 0)
        if free > 0:
            found.append(LendMatch(card, number.own_number, free))
    return found[:limit]


def borrow_matches(view: View, limit: int = 100) -> list[BorrowMatch]:
    """Others' live offers, to sell or to lend, of what the reader is short of or has said that it wants."""
    needed: dict[str, tuple[str, int]] = {}
    sql = f"""
        SELECT o.item, t.own_number, t.short_each FROM {{{TOTALS.name}}} t
        JOIN {{{OWN_ITEMS.name}}} o ON o.circle = t.circle AND o.own_number = t.own_number
        WHERE t.circle = ? AND t.short_each > 0 AND o.item <> '' ORDER BY t.own_number LIMIT 1000"""
    for item, own_number, short in view.sql(sql, (view.home,), tables=(TOTALS, OWN_ITEMS)):
        needed.setdefault(item, (own_number, short))
    for card in wants(view, mine=True):
        number = view.get(NUMBER_OF_ITEM, view.home, card.item)
        needed.setdefault(card.item, (number.own_number if number else "", card.each))
    found: list[BorrowMatch] = []
    for item in sorted(needed):
        own_number, short = needed[item]
        for kind in ("lend", "sell"):
            found += [BorrowMatch(own_number, short, o) for o in offers_of_item(view, item, offer_kind=kind, limit=20)]
        if len(found) >= limit:
            break
    return found[:limit]


# -- transfers -----------------------------------------------------------------------------------------------------


def transfers(view: View, *, state: str = "", limit: int = 200) -> list[TransferTerms]:
    """The reader's transfers, the newest first; of one state, or all."""
    where = "(giver = ? OR taker = ?)" + (" AND state = ?" if state else "")
    values = (view.party, view.party, state) if state else (view.party, view.party)
    return view.rows(TRANSFER_TERMS, where, values, order="position DESC, circle, transfer", limit=limit)


def transfer(view: View, circle: str, transfer: str) -> TransferTerms | None:
    return view.get(TRANSFER_TERMS, circle, transfer)


def transfer_deadline(view: View, transfer: str) -> int:
    """Until when a proposal may be accepted, UTC seconds; 0 for no such transfer."""
    found = view.get(TRANSFERS, transfer)
    return found.expires_at if found else 0
