"""A market for inventory's tests: firms with sites, items and stock; and the least room that draws on offers."""

from __future__ import annotations

import sys
from typing import Any, ClassVar, Literal

from hanse.kernel.draft import Draft
from hanse.kernel.facts import WITHHELD, Commercial, Each, Fact, Id
from hanse.kernel.refusal import require
from hanse.kernel.rules import home_rule, rule
from hanse.rooms.catalog.facts import LinkItem, PublishItem, SetOwnItem
from hanse.rooms.inventory.facts import Adjust, AdjustLine, Count, CountLine
from hanse.rooms.inventory.offer_facts import OFFERS, Earmark, MakeOffer, ProposeTransfer, Want
from hanse.rooms.inventory.rules import (
    allocate,
    receive_in,
    release,
    reserve,
    settle,
    ship_out,
    take,
    unallocate,
)
from hanse.rooms.parties.facts import SetSite
from hanse.rooms.parties.rules import require_member
from hanse.rooms.testing import Town, home

SITES = {"a": ("a-north", "a-south"), "b": ("b-hall",), "c": ("c-shop",)}
PLACE = {"country": "DE", "city": "Bremen", "latitude_microdeg": 53_080_000, "longitude_microdeg": 8_800_000}
WEEK = 7 * 86_400


class Draw(Fact, frozen=True, kw_only=True):
    """The life of an order line, one verb at a time; signed by whom it may, which is not this room's question."""

    kind: ClassVar[str] = "testing.draw"
    circle: Id
    order: Id
    offer: Id
    verb: Literal["reserve", "confirm", "ship", "cancel"]
    each: Each
    seller: Commercial[Id] = WITHHELD
    buyer: Commercial[Id] = WITHHELD
    item: Commercial[Id] = WITHHELD


@rule(Draw)
def draw(draft: Draft, fact: Draw) -> None:
    """Refuses, in order: as require_member, then as the verb; testing.too_many."""
    require_member(draft, fact.circle)
    if fact.verb == "reserve":
        reserve(draft, fact.offer, fact.each, fact.circle)
    if fact.verb in ("ship", "cancel"):
        row = draft.get(OFFERS, fact.offer)
        require(row and fact.each <= row.reserved_each, "testing.too_many", "more than reserved")
        (take if fact.verb == "ship" else release)(draft, fact.offer, fact.each)


@home_rule(Draw)
def draw_at_home(draft: Draft, fact: Draw, party: str) -> None:
    if party == fact.seller:
        if fact.verb == "confirm":
            allocate(draft, fact.offer, fact.each, fact.order)
        if fact.verb == "cancel":
            unallocate(draft, fact.offer, fact.each, fact.order)
        if fact.verb == "ship":
            ship_out(draft, fact.offer, fact.each, fact.order)
        settle(draft, fact.offer)
    if party == fact.buyer and fact.verb == "ship":
        receive_in(draft, site=SITES[party][0], item=fact.item, each=fact.each, reference=fact.order)


def own_number(party: str, item: str = "X") -> str:
    return f"{party.upper()}-{item}"


def market(*, on_hand: int = 100) -> Town:
    """Parties a, b, c with sites; item X under the own number A-X, B-X, C-X of each; `a` has `on_hand` in a-north.

    Circles: the relationships a--b and a--c, and the group pool of all.
    """
    rooms = ("parties", "catalog", "inventory")
    town = Town("a", "b", "c", rooms=rooms, more=[sys.modules[__name__]])
    town.circle("a", "b")
    town.circle("a", "c")
    town.group("pool", ["a", "b", "c"])
    for item in ("X", "Y"):
        town.must("a", PublishItem(item=item, description=f"Bearing {item}", brand="SKF", part_number=item))
    for party, sites in SITES.items():
        for site in sites:
            place: dict[str, Any] = {**PLACE, "name": site.title(), "site_kind": "warehouse", "address": ""}
            town.must(party, SetSite(circle=home(party), site=site, **place))
        add_number(town, party, "X")
        town.must(party, LinkItem(circle=home(party), own_number=own_number(party), item="X", method="own"))
        town.must(party, count(party, sites[0], 0))
    if on_hand:
        town.must("a", count("a", "a-north", on_hand, unit_cost_minor=250))
    return town


def add_number(town: Town, party: str, item: str) -> None:
    """An own number, linked to nothing."""
    town.must(
        party,
        SetOwnItem(
            circle=home(party),
            own_number=own_number(party, item),
            description=f"Lager {item}",
            brand="SKF",
            part_number=item,
            gtin="",
            unit="H87",
            pack_each=1,
            category="bearings",
            cost_minor=250,
            currency="EUR",
        ),
    )


def count(party: str, site: str, each: int, *, at: int = 0, **more: Any) -> Count:
    line = CountLine(site=site, **{"own_number": own_number(party), "each": each, **more})
    return Count(circle=home(party), lines=[line], counted_at=at)


def adjust(party: str, site: str, each: int, reason: Any, **more: Any) -> Adjust:
    line = AdjustLine(site=site, **{"own_number": own_number(party), "each": each, "reason": reason, **more})
    return Adjust(circle=home(party), lines=[line])


def earmark(party: str, offer: str, each: int, **more: Any) -> Earmark:
    base: dict[str, Any] = {
        "own_number": own_number(party),
        "site": SITES[party][0],
        "lot": "",
        "owner": "",
        "minimum_price_minor": 300,
        "currency": "EUR",
    }
    return Earmark(circle=home(party), offer=offer, each=each, **{**base, **more})


def offer(town: Town, circle: str, offer: str, each: int, **more: Any) -> MakeOffer:
    base: dict[str, Any] = {
        **PLACE,
        "expires_at": town.now + WEEK,
        "item": "X",
        "offer_kind": "sell",
        "unit_price_minor": 400,
        "currency": "EUR",
        "pack_each": 1,
        "minimum_each": 1,
        "lead_time_days": 2,
        "firm": False,
        "condition": "new",
        "lot_expiry_at": 0,
    }
    return MakeOffer(circle=circle, offer=offer, each=each, **{**base, **more})


def want(town: Town, circle: str, want: str, each: int, **more: Any) -> Want:
    base: dict[str, Any] = {**PLACE, "expires_at": town.now + WEEK, "item": "X", "borrow": True, "note": "today"}
    return Want(circle=circle, want=want, each=each, **{**base, **more})


def propose(town: Town, transfer: str, each: int, kind: Any = "sale", **more: Any) -> ProposeTransfer:
    base: dict[str, Any] = {
        "circle": "a--b",
        "expires_at": town.now + WEEK,
        "item": "X",
        "lot": "",
        "unit_cost_minor": 250,
        "markup_ppm": 45_000,
        "currency": "EUR",
    }
    return ProposeTransfer(transfer=transfer, each=each, transfer_kind=kind, **{**base, **more})


def drawing(verb: Any, order: str, offer: str, each: int, *, circle: str = "a--b", buyer: str = "b") -> Draw:
    return Draw(circle=circle, order=order, offer=offer, verb=verb, each=each, seller="a", buyer=buyer, item="X")
