"""Proposing: what is available to a reader, from whom, when, and at which total cost.

Reads through the reader's view alone, so that nobody sees more than is offered to them.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from hanse.kernel.refusal import require
from hanse.kernel.view import View
from hanse.node.agreed import Agreed, agreed
from hanse.planning.promise import Band, Candidate, Need, Plan, Policy, Tariff, promise
from hanse.rooms.catalog.facts import ITEMS
from hanse.rooms.inventory.offer_queries import OfferCard, OwnSource, availability
from hanse.rooms.orders.facts import DeliverTo
from hanse.rooms.parties.facts import CIRCLES
from hanse.rooms.parties.queries import is_authorised, party
from hanse.rooms.plans.queries import bid_prices

DAY = 86_400
OWN = "own/"
STANDARD_TARIFF = Tariff(
    (
        Band(up_to_m=50_000, fixed_minor=600, per_kg_milliminor=8_000, transit_days=1),
        Band(up_to_m=300_000, fixed_minor=900, per_kg_milliminor=15_000, transit_days=1),
        Band(up_to_m=1_000_000, fixed_minor=1_500, per_kg_milliminor=30_000, transit_days=2),
        Band(up_to_m=3_000_000, fixed_minor=2_900, per_kg_milliminor=60_000, transit_days=4),
        Band(up_to_m=20_100_000, fixed_minor=6_900, per_kg_milliminor=150_000, transit_days=8),
    )
)
"""An estimate of freight where a firm has named no tariff of its own: minor units of the order's currency."""
IN_TIME = Policy(sources_max=3, late_days_max=0)
LATE_ALLOWED = Policy(sources_max=3, late_minor=50)


class WishLine(Struct, frozen=True):
    """`each` of a network item; `price_minor`: what the customer pays for one each, 0 where there is no customer."""

    line: int
    item: str
    each: int
    price_minor: int = 0


class Wish(Struct, frozen=True, kw_only=True):
    """What is wanted, where and when (`requested_at` UTC seconds, 0 any time), and for whom ("" for own stock).

    ship_complete, backorder, cancel_after_at: as an order says them; each order of a purchase over several sellers.
    """

    lines: tuple[WishLine, ...]
    to: DeliverTo
    requested_at: int = 0
    currency: str = "EUR"
    customer: str = ""
    customer_po_number: str = ""
    po_number: str = ""
    ship_complete: bool = False
    backorder: bool = True
    cancel_after_at: int = 0


class Source(Struct, frozen=True):
    """From whom a part comes. `own`: the reader's own stock. `group`: offered to a group, so it is held first."""

    party: str
    party_name: str
    city: str
    own: bool
    group: bool


class Proposal(Struct, frozen=True):
    """A plan with names. sources: by offer, or `own/NUMBER/SITE/LOT`. other_currencies: of offers left out.

    other_costs: currencies of own stock's costs, which count as none: the goods are there, their cost is not compared.
    """

    plan: Plan
    sources: dict[str, Source]
    currency: str
    other_currencies: tuple[str, ...]
    other_costs: tuple[str, ...] = ()


class Choice(Struct, frozen=True):
    """One part that is to be ordered: of which line, from which offer, how many, at most at which price."""

    line: int
    offer: str
    each: int
    unit_price_minor: int


def propose(view: View, wish: Wish, *, tariff: Tariff = STANDARD_TARIFF, policy: Policy = LATE_ALLOWED) -> Proposal:
    """The best way to serve a wish from what the reader has and what is offered to it.

    What is scarce by the last plans that won in the reader's circles counts for more (bid prices): it is kept for
    lines that have no other source. Nobody is charged for that. Where agreements in force set a price it counts instead
    of the offer's; what they refuse is left out, with their sentence.

    Refuses, in order: buying.nothing_asked, buying.unknown_item, buying.bad_quantity, buying.no_place.
    """
    check(view, wish)
    needs, candidates, sources, others, other_costs = [], {}, {}, set(), set()
    places: dict[str, tuple[int, int]] = {}
    within = max(0, wish.requested_at - view.now) // DAY if wish.requested_at else -1
    for line in wish.lines:
        item = view.get(ITEMS, line.item)
        assert item is not None, "checked"
        needs.append(Need(line.line, line.item, line.each, item.weight_g, within))
        found = availability(view, line.item)
        own_names = [f"{OWN}{own.own_number}/{own.site}" for own in found.own]
        bids = bid_prices(view, [*own_names, *(card.offer for card in found.offers)])
        for own in found.own:
            name = f"{OWN}{own.own_number}/{own.site}/{own.lot}"
            sources[name] = Source(view.party, "own stock", own.city or own.site, True, False)
            candidates[name] = _own_candidate(name, line.item, own, wish.currency, places, bids)
            if own.unit_cost_minor and own.currency not in ("", wish.currency):
                other_costs.add(own.currency)
        for card in found.offers:
            if card.currency != wish.currency:
                others.add(card.currency)
                continue
            circle = view.get(CIRCLES, card.circle)
            group = circle is not None and circle.purpose == "group"
            sources[card.offer] = Source(card.party, card.party_name, card.city, False, group)
            terms = agreed(view, card, line.each, wish.requested_at)
            candidates[card.offer] = _offered(view, card, terms, places, bids)
    plan = promise(
        needs,
        list(candidates.values()),
        tariff,
        latitude_microdeg=wish.to.latitude_microdeg,
        longitude_microdeg=wish.to.longitude_microdeg,
        to_places=place_names(wish.to.site, wish.to.city, wish.to.country),
        policy=policy,
    )
    return Proposal(plan, sources, wish.currency, tuple(sorted(others)), tuple(sorted(other_costs)))


def check(view: View, wish: Wish) -> None:
    require(wish.lines, "buying.nothing_asked", "name at least one item")
    for line in wish.lines:
        known = view.get(ITEMS, line.item)
        require(known, "buying.unknown_item", "no item is called so", got=line.item, next="search for it by any number")
        require(line.each > 0, "buying.bad_quantity", "order at least one", got=line.each, expected=">= 1")
    somewhere = wish.to.latitude_microdeg or wish.to.longitude_microdeg
    require(somewhere, "buying.no_place", "say where it should go", next="choose a site of yours, or a known city")


def _place(places: dict[str, tuple[int, int]], name: str, at: tuple[int, int]) -> str:
    """A source's name for the plan: readable, and one place only."""
    chosen, number = name, 1
    while places.setdefault(chosen, at) != at:
        number += 1
        chosen = f"{name} ({number})"
    return chosen


def place_names(*names: str) -> tuple[str, ...]:
    """What a place is called in a freight table's lanes: its site, city or country, in any case of letters."""
    return tuple(name.casefold() for name in names if name)


def _own_candidate(
    name: str, item: str, own: OwnSource, currency: str, places: dict[str, tuple[int, int]], bids: dict[str, int]
) -> Candidate:
    at = (own.latitude_microdeg, own.longitude_microdeg)
    return Candidate(
        offer=name,
        source=_place(places, f"own stock, {own.site}", at),
        item=item,
        available_each=own.free_each,
        unit_price_minor=own.cost_in(currency),
        latitude_microdeg=at[0],
        longitude_microdeg=at[1],
        own=True,
        places=place_names(own.site, own.city),
        scarcity_minor=bids.get(f"{OWN}{own.own_number}/{own.site}", 0),
    )


def _offered(
    view: View, card: OfferCard, terms: Agreed, places: dict[str, tuple[int, int]], bids: dict[str, int]
) -> Candidate:
    me = party(view, view.party)
    allowed = is_authorised(view, card.party, card.brand, me.country if me else "")
    at = (card.latitude_microdeg, card.longitude_microdeg)
    return Candidate(
        offer=card.offer,
        source=_place(places, f"{card.party_name}, {card.city}" if card.city else card.party_name, at),
        item=card.item,
        available_each=card.open_each,
        unit_price_minor=terms.price_minor,
        lead_time_days=card.lead_time_days,
        latitude_microdeg=at[0],
        longitude_microdeg=at[1],
        minimum_each=card.minimum_each,
        pack_each=max(1, card.pack_each),
        places=place_names(card.city, card.country),
        scarcity_minor=bids.get(card.offer, 0),
        blocked=terms.refused if allowed else f"{card.party_name} is not authorised for {card.brand}",
    )


def choices(proposal: Proposal) -> tuple[Choice, ...]:
    """What the plan would order, own stock included."""
    return tuple(
        Choice(line.line, part.offer, part.each, part.unit_price_minor)
        for line in proposal.plan.lines
        for part in line.parts
    )


def total_minor(chosen: Sequence[Choice]) -> int:
    """What the others are paid, without freight."""
    return sum(choice.each * choice.unit_price_minor for choice in chosen if not choice.offer.startswith(OWN))
