"""What to order and move now: own levels against what stands at this moment, and from whom it is best had.

    transfers    a site of the firm's own that has more than its level to lend gives, first
    sources      offers that the firm may draw on, a group's round that reaches a better tier, the supplier it bought
                 from last; the cheapest first
    loans        offers to lend, after all of these: goods that stay the lender's bridge the time until own ones come,
                 so they cover a shortage and never count as the firm's stock

`planning_accept` turns what was chosen into orders, loans, transfers and commitments.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from hanse.kernel.view import View
from hanse.node.planning_gather import Place, free_now, loans, under_way
from hanse.node.planning_shelf import Shelf, Shelves
from hanse.planning.replenishment.policy import tier_quantity
from hanse.rooms.group.queries import groups, rounds
from hanse.rooms.group.rows import OPEN, ROUNDS, Tier
from hanse.rooms.inventory.offer_queries import offers_of_item
from hanse.rooms.parties.facts import CIRCLES

OFFER, ROUND, SUPPLIER, LOAN = "offer", "round", "supplier", "loan"
SOURCES_MAX = 6
LOANS_MAX = 3
SEP = "|"


class Transfer(Struct, frozen=True):
    """Between two own sites, by id, with their names."""

    from_site: str
    from_name: str
    to_site: str
    to_name: str
    each: int


class Source(Struct, frozen=True):
    """One way to get it. key: `offer|ID`, `round|ID`, `supplier|NAME` or `loan|ID`. each: what is best taken of it now.

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

    @property
    def billed_minor(self) -> int:
        """What taking `each` costs; nothing of a loan, whose price is what it is worth while it is not back."""
        return 0 if self.kind == LOAN else self.each * self.unit_price_minor


class Proposal(Struct, frozen=True):
    """One own number that has fallen to its level. position_each: free and on order now; order_each: in packs.

    transfers: from own sites, before anything is ordered. sources: the best first; empty where nobody is known.
    borrowed_each: lent to the firm, here or coming: in none of the other figures.
    """

    shelf: Shelf
    position_each: int
    order_each: int
    to_site: str
    transfers: tuple[Transfer, ...]
    sources: tuple[Source, ...]
    borrowed_each: int = 0

    @property
    def best(self) -> Source | None:
        """The best source that sells; a loan where nobody does."""
        return self.sources[0] if self.sources else None

    @property
    def value_minor(self) -> int:
        """Of what is to be ordered, at its best source's price, else at cost."""
        return self.best.each * self.best.unit_price_minor if self.best else self.order_each * self.shelf.cost_minor


def proposals(view: View, found: Shelves, numbers: Iterable[str] | None = None) -> list[Proposal]:
    """What has fallen to its level by now, the most money first. numbers: of these alone."""
    free, coming, lent = free_now(view), under_way(view), _lent(view)
    asked = None if numbers is None else set(numbers)
    tiers = _rounds(view)
    out = []
    for shelf in found.shelves:
        if asked is None or shelf.own_number in asked:
            proposal = _proposal(view, shelf, free, coming, lent, tiers)
            if proposal is not None:
                out.append(proposal)
    return sorted(out, key=lambda one: (-one.value_minor, one.shelf.own_number))


def _lent(view: View) -> dict[str, int]:
    """own number -> each that is lent to the firm, here or coming."""
    found: dict[str, int] = {}
    for one in loans(view):
        found[one.own_number] = found.get(one.own_number, 0) + one.here + one.coming
    return found


def _proposal(
    view: View,
    shelf: Shelf,
    free: dict[Place, int],
    coming: dict[Place, int],
    lent: dict[str, int],
    tiers: dict[str, list[Round]],
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
        total = sum(position.values()) + coming.get((number, ""), 0)
        need = {p.site: p.up_to_each - position[p.site] for p in places if position[p.site] <= p.reorder_each}
        moves = _moves(shelf, need, held)
    anywhere = coming.get((number, ""), 0) if len(places) > 1 else 0
    wanted = max(0, sum(each for each in need.values() if each > 0) - anywhere)
    order = -(-wanted // shelf.pack_each) * shelf.pack_each
    if not order and not moves:
        return None
    to_site = max(need, key=lambda site: (need[site], site), default="")
    here = lent.get(number, 0)
    sources = _sources(view, shelf, order, tiers) + _loans(view, shelf, order - here) if order else ()
    return Proposal(shelf, total, order, to_site, tuple(moves), sources, here)


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


def _loans(view: View, shelf: Shelf, each: int) -> tuple[Source, ...]:
    """Offers to lend, for what is not lent to the firm already; most of it first, then by worth."""
    found = []
    for card in offers_of_item(view, shelf.item, offer_kind="lend") if shelf.item and each > 0 else ():
        pack = max(1, card.pack_each)
        take = min(-(-each // pack) * pack, card.open_each // pack * pack)
        if card.currency == shelf.currency and take >= max(1, card.minimum_each):
            name = f"{card.party_name}, {card.city}" if card.city else card.party_name
            found.append(Source(f"{LOAN}{SEP}{card.offer}", name, "lent to you", card.unit_price_minor, card.currency,
                                take, card.open_each, pack, "lent: give it back; nothing is billed"))  # fmt: skip
    found.sort(key=lambda one: (-one.each, one.unit_price_minor, one.key))
    return tuple(found[:LOANS_MAX])


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
