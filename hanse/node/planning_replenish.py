"""What to order and move now: own levels against what stands at this moment, and from whom it is best had.

    transfers    a site of the firm's own that has more than its level to lend gives, first
    sources      offers that the firm may draw on, a group's round that reaches a better tier, the supplier it bought
                 from last; the cheapest first

`planning_accept` turns what was chosen into orders, transfers and commitments.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from hanse.kernel.view import View
from hanse.node.planning_gather import Place, free_now, under_way
from hanse.node.planning_shelf import Shelf, Shelves
from hanse.planning.replenishment.policy import tier_quantity
from hanse.rooms.group.queries import groups, rounds
from hanse.rooms.group.rows import OPEN, ROUNDS, Tier
from hanse.rooms.inventory.offer_queries import offers_of_item
from hanse.rooms.parties.facts import CIRCLES

OFFER, ROUND, SUPPLIER = "offer", "round", "supplier"
SOURCES_MAX = 6
SEP = "|"


class Transfer(Struct, frozen=True):
    """Between two own sites, by id, with their names."""

    from_site: str
    from_name: str
    to_site: str
    to_name: str
    each: int


class Source(Struct, frozen=True):
    """One way to get it. key: `offer|ID`, `round|ID` or `supplier|NAME`. each: what is best taken of it now.

    upto_each: at most, 0 for no limit. note: why, for people ("17 more each reach 9.50").
    """

    key: str
    name: str
    how: str
    unit_price_minor: int
    currency: str
    each: int
    upto_each: int = 0
    pack_each: int = 1
    note: str = ""

    @property
    def kind(self) -> str:
        return self.key.partition(SEP)[0]


class Proposal(Struct, frozen=True):
    """One own number that has fallen to its level. position_each: free and on order now; order_each: in packs.

    transfers: from own sites, before anything is ordered. sources: the best first; empty where nobody is known.
    """

    shelf: Shelf
    position_each: int
    order_each: int
    to_site: str
    transfers: tuple[Transfer, ...]
    sources: tuple[Source, ...]

    @property
    def value_minor(self) -> int:
        """Of what is to be ordered, at its best source's price, else at cost."""
        best = self.sources[0] if self.sources else None
        return (best.each * best.unit_price_minor) if best else self.order_each * self.shelf.cost_minor


def proposals(view: View, found: Shelves, numbers: Iterable[str] | None = None) -> list[Proposal]:
    """What has fallen to its level by now, the most money first. numbers: of these alone."""
    free, coming = free_now(view), under_way(view)
    asked = None if numbers is None else set(numbers)
    tiers = _rounds(view)
    out = []
    for shelf in found.shelves:
        if asked is None or shelf.own_number in asked:
            proposal = _proposal(view, shelf, free, coming, tiers)
            if proposal is not None:
                out.append(proposal)
    return sorted(out, key=lambda one: (-one.value_minor, one.shelf.own_number))


def _proposal(
    view: View, shelf: Shelf, free: dict[Place, int], coming: dict[Place, int], tiers: dict[str, list[Round]]
) -> Proposal | None:
    number = shelf.own_number
    places = shelf.sites
    held = {place.site: free.get((number, place.site), 0) for place in places}
    position = {place.site: held[place.site] + coming.get((number, place.site), 0) for place in places}
    if len(places) <= 1:
        total = (
            sum(each for (named, _), each in free.items() if named == number) if not places else held[places[0].site]
        )
        total += sum(each for (named, _), each in coming.items() if named == number)
        need = {places[0].site if places else "": shelf.up_to_each - total} if total <= shelf.reorder_each else {}
        moves: list[Transfer] = []
    else:
        total = sum(position.values())
        need = {p.site: p.up_to_each - position[p.site] for p in places if position[p.site] <= p.reorder_each}
        moves = _moves(shelf, need, held)
    wanted = sum(each for each in need.values() if each > 0)
    order = -(-wanted // shelf.pack_each) * shelf.pack_each
    if not order and not moves:
        return None
    to_site = max(need, key=lambda site: (need[site], site), default="")
    sources = _sources(view, shelf, order, tiers) if order else ()
    return Proposal(shelf, total, order, to_site, tuple(moves), sources)


def _moves(shelf: Shelf, need: dict[str, int], held: dict[str, int]) -> list[Transfer]:
    """What sites give of what is free above their level to lend; the neediest first. Lowers `need`."""
    names = {place.site: place.name for place in shelf.sites}
    spare = {p.site: held[p.site] - p.lend_each for p in shelf.sites if p.site not in need}
    moves = []
    for taker in sorted(need, key=lambda site: (-need[site], site)):
        for giver in sorted(spare, key=lambda site: (-spare[site], site)):
            each = min(need[taker], spare[giver])
            if each > 0:
                need[taker] -= each
                spare[giver] -= each
                moves.append(Transfer(giver, names[giver], taker, names[taker], each))
    return moves


# -- sources -------------------------------------------------------------------------------------------------------


class Round(Struct, frozen=True):
    """A group's open round, as it was told last. price now and at the tiers; manager: to whom one commits."""

    round: str
    group: str
    manager: str
    supplier: str
    currency: str
    tiers: tuple[Tier, ...]
    told_each: int


def _rounds(view: View) -> dict[str, list[Round]]:
    """item -> open rounds of the reader's groups."""
    managers = {card.terms.circle: (card.terms.manager, card.terms.name) for card in groups(view)}
    found: dict[str, list[Round]] = {}
    for terms in rounds(view):
        row = view.get(ROUNDS, terms.round)
        manager, name = managers.get(terms.circle, ("", ""))
        if row is not None and row.state == OPEN and view.now < row.commit_by and manager != view.party:
            one = Round(terms.round, name, manager, terms.supplier, terms.currency, terms.tiers, terms.told_each)
            found.setdefault(terms.item, []).append(one)
    return found


def _sources(view: View, shelf: Shelf, each: int, tiers: dict[str, list[Round]]) -> tuple[Source, ...]:
    """Who can give all of it, the cheapest first; then who can give part."""
    found: list[Source] = []
    for card in offers_of_item(view, shelf.item) if shelf.item else ():
        circle = view.get(CIRCLES, card.circle)
        pack = max(1, card.pack_each)
        take = min(-(-each // pack) * pack, card.open_each // pack * pack)
        if card.currency != shelf.currency or take < max(1, card.minimum_each):
            continue
        how = "from a member of your group" if circle and circle.purpose == "group" else "from a partner"
        name = f"{card.party_name}, {card.city}" if card.city else card.party_name
        found.append(Source(f"{OFFER}{SEP}{card.offer}", name, how, card.unit_price_minor, card.currency, take,
                            card.open_each, pack))  # fmt: skip
    for one in tiers.get(shelf.item, ()) if shelf.item else ():
        if one.currency == shelf.currency and one.tiers:
            found.append(_of_round(one, shelf, each))
    if (known := shelf.supplier) is not None and known.currency == shelf.currency:
        price = known.price_minor or shelf.cost_minor
        found.append(Source(f"{SUPPLIER}{SEP}{known.party or known.name}", known.name, "your supplier so far", price,
                            known.currency, each, 0, shelf.pack_each))  # fmt: skip
    found.sort(key=lambda one: (one.each < each, one.unit_price_minor, one.key))
    return tuple(found[:SOURCES_MAX])


def _of_round(one: Round, shelf: Shelf, each: int) -> Source:
    """A commitment to a round: more than is needed where that reaches a tier that saves more than carrying it costs.

    The price is that of the tier which the round has reached with the commitment, the first where it has reached none.
    """
    starts = [max(0, tier.start - one.told_each) for tier in one.tiers]
    prices = [tier.value for tier in one.tiers]
    holding = shelf.cost_minor * 250_000 / 1e6 / 4  # a quarter's carrying of what is bought ahead
    best = tier_quantity(each, [0, *starts[1:]], prices, holding)
    reached = [price for start, price in zip(starts, prices, strict=True) if start <= best] or prices[:1]
    note = (
        f"{best - each:,} more each than needed reach the next tier"
        if best > each
        else "with what the others committed"
    )
    return Source(f"{ROUND}{SEP}{one.round}", f"{one.group}: round of {one.supplier}", "joint purchase", reached[-1],
                  one.currency, best, 0, 1, note)  # fmt: skip
