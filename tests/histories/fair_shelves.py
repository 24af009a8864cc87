"""The plain model: what stands on whose shelves, by a reading of the accepted facts alone.

It knows nothing of tables, drafts or timers: a Counter by (party, site, own number, lot, owner), and what of the facts
names goods that come and go. Goods that leave a shelf which did not have them count as `uncounted`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from hanse.rooms.catalog.facts import LinkItem, PublishItem, SetOwnItem, UnlinkItem
from hanse.rooms.inventory.facts import Adjust, Count, Move
from hanse.rooms.inventory.offer_facts import AcceptTransfer, Earmark, MakeOffer, ProposeTransfer
from hanse.rooms.orders.delivery_facts import AcceptReturn, Receive, ReturnGoods, Ship
from hanse.rooms.orders.facts import Hold, PlaceOrder

Key = tuple[str, str, str, str, str]
"""Party, site, own number, lot, owner ("" for the party itself)."""


def said(value: Any, default: Any = "") -> Any:
    return default if value is msgspec.UNSET else value


def home(party: str) -> str:
    return f"home-{party}"


class Shelves:
    def __init__(self) -> None:
        self.on_hand: Counter[Key] = Counter()
        self.uncounted: Counter[Key] = Counter()
        self.sold: Counter[tuple[str, str]] = Counter()
        """(seller, order) -> booked out."""
        self.received: Counter[tuple[str, str]] = Counter()
        """(buyer, order) -> booked in."""
        self.lent: Counter[tuple[str, str]] = Counter()
        """(owner, custodian) -> by orders on loan."""
        self.held: Counter[tuple[str, str, str, str]] = Counter()
        """(owner, custodian, item, lot) -> by transfers."""
        self.beyond: Counter[tuple[str, str]] = Counter()
        """(owner, custodian) -> passed on beyond what was held."""
        self.items: set[str] = set()
        self.own: dict[tuple[str, str], str] = {}
        self.number_of: dict[tuple[str, str], str] = {}
        self.marks: dict[tuple[str, str], Key] = {}
        self.backed: dict[str, tuple[str, Key]] = {}
        self.holds: dict[str, str] = {}
        self.orders: dict[str, PlaceOrder] = {}
        self.shipments: dict[str, Ship] = {}
        self.returns: dict[str, ReturnGoods] = {}
        self.transfers: dict[str, tuple[str, str, ProposeTransfer]] = {}

    def learn(self, fact: Any, party: str, refused: set[str]) -> None:
        """An accepted fact. refused: circles and homes whose private rules refused it."""
        if isinstance(fact, Hold):
            self.holds[fact.hold] = fact.offer
        if isinstance(fact, PublishItem):
            self.items.add(fact.item)
        if getattr(fact, "circle", "") in refused:
            return
        run = getattr(self, "_" + type(fact).__name__.lower(), None)
        if run is not None:
            run(fact, party, refused)

    # -- shelves --

    def take(self, key: Key, each: int) -> None:
        missing = max(0, each - self.on_hand[key])
        self.uncounted[key] += missing
        self.on_hand[key] += missing - each

    def _count(self, fact: Count, party: str, refused: set[str]) -> None:
        for line in fact.lines:
            self.on_hand[party, line.site, line.own_number, line.lot, line.owner] = line.each

    def _adjust(self, fact: Adjust, party: str, refused: set[str]) -> None:
        for line in fact.lines:
            self.on_hand[party, line.site, line.own_number, line.lot, line.owner] += line.each

    def _move(self, fact: Move, party: str, refused: set[str]) -> None:
        self.on_hand[party, fact.from_site, fact.own_number, fact.lot, fact.owner] -= fact.each
        self.on_hand[party, fact.to_site, fact.own_number, fact.lot, fact.owner] += fact.each

    # -- numbers --

    def _setownitem(self, fact: SetOwnItem, party: str, refused: set[str]) -> None:
        self.own.setdefault((party, fact.own_number), "")

    def _linkitem(self, fact: LinkItem, party: str, refused: set[str]) -> None:
        self._link(party, fact.own_number, fact.item)

    def _unlinkitem(self, fact: UnlinkItem, party: str, refused: set[str]) -> None:
        self._forget(party, fact.own_number)
        self.own[party, fact.own_number] = ""

    def _link(self, party: str, own: str, item: str) -> None:
        if self.own[party, own] not in ("", item):
            self._forget(party, own)
        self.own[party, own] = item
        self.number_of.setdefault((party, item), own)

    def _forget(self, party: str, own: str) -> None:
        item = self.own[party, own]
        if self.number_of.get((party, item)) == own:
            others = sorted(o for (p, o), i in self.own.items() if p == party and i == item and o != own)
            if others:
                self.number_of[party, item] = others[0]
            else:
                del self.number_of[party, item]

    def own_number(self, party: str, item: str) -> str:
        """Under which number a party takes an item in; one that has none adopts the item's id."""
        known = self.number_of.get((party, item))
        if known is not None:
            return known
        if item in self.items and (party, item) not in self.own:
            self.own[party, item] = ""
            self._link(party, item, item)
        return item

    # -- offers and transfers --

    def _earmark(self, fact: Earmark, party: str, refused: set[str]) -> None:
        self.marks[party, fact.offer] = (party, fact.site, fact.own_number, fact.lot, fact.owner)

    def _makeoffer(self, fact: MakeOffer, party: str, refused: set[str]) -> None:
        if home(party) not in refused:
            self.backed[fact.offer] = (party, self.marks[party, fact.offer])

    def _proposetransfer(self, fact: ProposeTransfer, party: str, refused: set[str]) -> None:
        taker = fact.circle.replace(party, "").replace("--", "")
        self.transfers[fact.transfer] = (party, taker, fact)
        if home(party) not in refused and fact.transfer_kind != "sale_of_held":
            self.backed[fact.transfer] = (party, self.marks[party, fact.transfer])

    def _accepttransfer(self, fact: AcceptTransfer, party: str, refused: set[str]) -> None:
        if fact.transfer not in self.transfers:
            return
        giver, taker, told = self.transfers[fact.transfer]
        kind, each = told.transfer_kind, told.each
        if kind != "sale_of_held" and home(giver) not in refused:
            owner = taker if kind == "hand_over" else ""
            backed = self.backed.get(fact.transfer)
            key = backed[1] if backed else (giver, "unknown", self.own_number(giver, told.item), told.lot, owner)
            self.take(key, each)
            if kind == "sale_in_place":
                self.on_hand[giver, key[1], key[2], told.lot, taker] += each
        self._titles(kind, giver, taker, told)
        if kind != "sale_in_place" and home(taker) not in refused:
            own = self.own_number(taker, told.item)
            if kind == "sale_of_held":
                self.take((taker, fact.site, own, told.lot, giver), each)
            owner = giver if kind == "consign" else ""
            self.on_hand[taker, fact.site, own, told.lot, owner] += each

    def _titles(self, kind: str, giver: str, taker: str, told: ProposeTransfer) -> None:
        owner, custodian = (giver, taker) if kind in ("consign", "sale_of_held") else (taker, giver)
        each = told.each if kind in ("consign", "sale_in_place") else -told.each
        if kind != "sale":
            key = (owner, custodian, told.item, told.lot)
            self.beyond[owner, custodian] += max(0, -each - self.held[key])
            self.held[key] = max(0, self.held[key] + each)

    # -- orders --

    def _placeorder(self, fact: PlaceOrder, party: str, refused: set[str]) -> None:
        self.orders[fact.order] = fact

    def sides(self, order: PlaceOrder) -> tuple[str, str]:
        """(buyer, seller) as parties, "" for one outside the network."""
        if order.circle.startswith("home-"):
            own = order.circle.removeprefix("home-")
            return (own, "") if order.side == "buy" else ("", own)
        return order.buyer_party, order.seller_party

    def _ship(self, fact: Ship, party: str, refused: set[str]) -> None:
        self.shipments[fact.shipment] = fact
        order = self.orders[fact.order]
        _, seller = self.sides(order)
        if not seller or home(seller) in refused:
            return
        lines = {line.line: line for line in order.lines}
        for part in fact.lines:
            placed = lines[part.line]
            offer = placed.offer or (self.holds[placed.hold] if placed.hold else "")
            named, lots = said(part.from_stock, None), said(part.lots, [])
            if named is None:
                backed = self.backed.get(offer)
                if backed is not None and backed[0] == seller:
                    self.take(backed[1], part.each)
                    self.sold[seller, fact.order] += part.each
                continue
            if offer and self.backed.get(offer, ("",))[0] != seller:
                continue  # another's offer: nothing of it is booked
            left = part.each
            for lot in lots:
                each = min(left, lot.each)
                self.take((seller, named.site, named.own_number, lot.lot or named.lot, ""), each)
                left -= each
            self.take((seller, named.site, named.own_number, named.lot, ""), left)
            self.sold[seller, fact.order] += part.each

    def _receive(self, fact: Receive, party: str, refused: set[str]) -> None:
        shipped = self.shipments[fact.shipment]
        order = self.orders[shipped.order]
        buyer, seller = self.sides(order)
        if not buyer or home(buyer) in refused or said(order.drop_ship, False):
            return
        to = said(order.deliver_to, None)
        site = said(fact.site) or (to.site if to else "") or "unknown"
        owner = (seller or order.counterparty)[:80] if said(order.loan, False) else ""
        placed = {line.line: line for line in order.lines}
        told = {part.line: part for part in fact.lines}
        for part in shipped.lines:
            got, line = told.get(part.line), placed[part.line]
            each = part.each if got is None else got.received + got.over
            where = said(got.stocked_as, None) if got else None
            if not each:
                continue
            own = where.own_number if where else said(line.own_number) or self.own_number(buyer, line.item)
            key = (buyer, where.site if where else site, own, where.lot if where else "", owner)
            self.on_hand[key] += each
            self.received[buyer, shipped.order] += each
            if owner:
                self.lent[owner, buyer] += each

    def _returngoods(self, fact: ReturnGoods, party: str, refused: set[str]) -> None:
        self.returns[fact.return_id] = fact

    def _acceptreturn(self, fact: AcceptReturn, party: str, refused: set[str]) -> None:
        asked = self.returns[fact.return_id]
        order = self.orders[self.shipments[asked.shipment].order]
        buyer, seller = self.sides(order)
        owner = (seller or order.counterparty)[:80] if said(order.loan, False) else ""
        accepted = {part.line: part.each for part in fact.lines}
        for part in asked.lines:
            going, each = said(part.from_stock, None), accepted.get(part.line, 0)
            if buyer and home(buyer) not in refused and going is not None and each:
                self.take((buyer, going.site, going.own_number, going.lot, owner), each)
                if owner:
                    self.lent[owner, buyer] -= each
        for part in fact.lines:
            to = said(part.to_stock, None)
            if seller and home(seller) not in refused and to is not None:
                self.on_hand[seller, to.site, to.own_number, to.lot, ""] += part.each
