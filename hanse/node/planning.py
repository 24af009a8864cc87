"""Planning, part one: the open lines of a firm or a group as a question that plans can answer.

    asked = assemble(view, circle)     lines, sources and costs, from what the reader may read
    planning_run.plan(...)             solves it in a worker process, proposes, attests

In a firm's home the lines are its customers' orders that it has not confirmed yet; sources are its own stock and what
others offer to it. In a group the lines are the members' wants; sources are what was offered to the group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import msgspec
from msgspec import Struct

from hanse.kernel.refusal import Refused, require
from hanse.kernel.view import View
from hanse.node.planning_freight import OrderFreight
from hanse.node.planning_lines import Demand, LeftOut, group_demands, home_demands
from hanse.node.proposing import LATE_ALLOWED, STANDARD_TARIFF, place_names
from hanse.planning.promise import Policy, Tariff, distance_m
from hanse.planning.promise.tariff import SCALE
from hanse.rooms.catalog.facts import ITEMS, Item
from hanse.rooms.inventory.offer_queries import OfferCard, OwnSource, offers_of_item, own_sources
from hanse.rooms.parties.facts import CIRCLES, PARTIES
from hanse.rooms.parties.queries import is_authorised
from hanse.rooms.plans.checking import Arrays, arrays
from hanse.rooms.plans.facts import COUNTED_MAX, Option, OwnStock, PlanLine
from hanse.rooms.plans.private_rows import line_row

OPTIONS_MAX = 16
"""Sources that a line keeps, the cheapest: 16 leave 0.02% of the bound on the table, 8 leave 2.7%."""
OPTIONS_READ_MAX = 200
LINES_MAX = 100_000
SHIPMENTS_MAX = 3
OWN = "own/"


@dataclass(frozen=True)
class Asked:
    """A question before it is signed.

    stock: source -> each, offers and own stock. packs: source -> (pack, smallest quantity), where they bind.
    demands: line number -> its demand. options_n: options in all.
    """

    circle: str
    lines: list[PlanLine]
    stock: dict[str, int]
    own: list[OwnStock]
    packs: dict[str, tuple[int, int]]
    demands: dict[int, Demand]
    currency: str
    left_out: list[LeftOut] = field(default_factory=list)
    shipments_max: int = SHIPMENTS_MAX

    @property
    def offers(self) -> list[str]:
        return sorted(source for source in self.stock if not source.startswith(OWN))

    @property
    def options_n(self) -> int:
        return sum(len(line.options) for line in self.lines)

    def arrays(self) -> Arrays:
        """As the solver reads it."""
        return arrays([line_row(self.circle, "", line) for line in self.lines], self.stock, self.shipments_max)

    def whole(self, numbers: set[int], whole: bool) -> Asked:
        """The same question, some lines of which are served from one place, or need not be."""
        lines = [msgspec.structs.replace(one, whole=whole) if one.line in numbers else one for one in self.lines]
        return replace(self, lines=lines)

    def without(self, taken_out: set[tuple[int, str]]) -> Asked:
        """The same question less some options, (line, source)."""
        lines = [
            msgspec.structs.replace(line, options=[o for o in line.options if (line.line, o.source) not in taken_out])
            for line in self.lines
        ]
        used = {option.source for line in lines for option in line.options}
        stock = {source: each for source, each in self.stock.items() if source in used}
        return replace(self, lines=lines, stock=stock, own=[one for one in self.own if one.source in used])


def assemble(
    view: View,
    circle: str = "",
    *,
    currency: str = "",
    tariff: Tariff | Callable[[str], Tariff] = STANDARD_TARIFF,
    policy: Policy = LATE_ALLOWED,
) -> Asked:
    """The open lines of a circle (the reader's home by default) with what each costs from each source.

    Args:
        currency: plan lines of this one; "" the most frequent. Others are left out, and told.
        tariff: freight in that currency, or what gives it (`tariff_of`).
    A unit left unserved costs twice the line's dearest source, its shipment included (or twice the customer's price
    where nobody offers it), so that what can be served is.
    Refuses, in order: plans.not_here (no home or group of the reader's), plans.nothing_open.
    """
    circle = circle or view.home
    row = view.get(CIRCLES, circle)
    mine = row is not None and (circle == view.home or (row.purpose == "group" and circle in view.circles))
    require(mine, "plans.not_here", "plans are made in your own home or in a group that you are in", got=circle)
    left_out: list[LeftOut] = []
    found = list(home_demands(view, left_out) if circle == view.home else group_demands(view, circle, left_out))
    wanted = currency or next((c for c, _ in Counter(one.currency for one in found if one.currency).most_common(1)), "")
    left_out += [LeftOut(d.reference, "other_currency") for d in found if d.currency not in ("", wanted)]
    kept = [d for d in found if d.currency in ("", wanted)][:LINES_MAX]
    if not kept:
        raise Refused("plans.nothing_open", "no open line waits for a source", next="there is nothing to plan")
    return _Assembly(view, circle, wanted, tariff, policy).build(kept, left_out)


# -- sources and costs ---------------------------------------------------------------------------------------------


class _Source(Struct, frozen=True):
    source: str
    party: str
    name: str
    item: str
    each: int
    price_minor: int
    lead_time_days: int
    latitude_microdeg: int
    longitude_microdeg: int
    pack_each: int = 1
    minimum_each: int = 1
    authorised: bool = True
    places: tuple[str, ...] = ()


class _Assembly:
    """Sources looked up once an item, costs once a line."""

    def __init__(
        self, view: View, circle: str, currency: str, tariff: Tariff | Callable[[str], Tariff], policy: Policy
    ) -> None:
        self.view, self.circle, self.currency, self.tariff, self.policy = view, circle, currency, tariff, policy
        self._by_item: dict[str, list[_Source]] = {}
        self._places: dict[tuple[str, str], str] = {}
        self._where: dict[str, tuple[int, int]] = {}

    def build(self, demands: Sequence[Demand], left_out: list[LeftOut]) -> Asked:
        if not self.currency:
            self.currency = self._common_currency(demands)
        tariff = self.tariff if isinstance(self.tariff, Tariff) else self.tariff(self.currency or "EUR")
        self.freight = OrderFreight(tariff, self.policy, demands, [self._weight_g(one.item) for one in demands])
        groups: dict[str, int] = {}
        lines: list[PlanLine] = []
        used: dict[str, _Source] = {}
        for number, demand in enumerate(demands, 1):
            chosen = self._options(demand)
            used.update({source.source: source for _, source in chosen})
            lines.append(
                PlanLine(
                    line=number,
                    order=groups.setdefault(demand.group, len(groups) + 1),
                    reference=demand.reference,
                    item=demand.item,
                    each=demand.each,
                    penalty_minor=_penalty(demand, [option for option, _ in chosen]),
                    options=[option for option, _ in chosen],
                )
            )
        own = [OwnStock(s.source, s.item, min(s.each, COUNTED_MAX)) for s in used.values() if s.source.startswith(OWN)]
        return Asked(
            circle=self.circle,
            lines=lines,
            stock={name: source.each for name, source in sorted(used.items())},
            own=sorted(own, key=lambda one: one.source),
            packs={n: (s.pack_each, s.minimum_each) for n, s in used.items() if max(s.pack_each, s.minimum_each) > 1},
            demands=dict(enumerate(demands, 1)),
            currency=self.currency or "EUR",
            left_out=left_out,
        )

    def _common_currency(self, demands: Sequence[Demand]) -> str:
        seen: Counter[str] = Counter()
        for item in sorted({demand.item for demand in demands}):
            seen.update(card.currency for card in self._cards(item))
        return seen.most_common(1)[0][0] if seen else "EUR"

    def _cards(self, item: str) -> list[OfferCard]:
        cards = offers_of_item(self.view, item, limit=OPTIONS_READ_MAX)
        if self.circle != self.view.home:
            cards = [card for card in cards if card.circle == self.circle] + self._own_offers(item)
        return cards

    def _own_offers(self, item: str) -> list[OfferCard]:
        """In a group the planner's own offers serve the others as anybody's."""
        from hanse.rooms.inventory.offer_queries import offers

        return [c for c in offers(self.view, mine=True, limit=10_000) if c.item == item and c.circle == self.circle]

    def _sources(self, item: str) -> list[_Source]:
        if item not in self._by_item:
            known = self.view.get(ITEMS, item)
            found = [self._offered(card, known) for card in self._cards(item) if card.currency == self.currency]
            if self.circle == self.view.home:
                found += self._own(item)
            self._by_item[item] = found
        return self._by_item[item]

    def _offered(self, card: OfferCard, item: Item | None) -> _Source:
        brand = item.brand if item else ""
        me = self.view.get(PARTIES, self.view.party)
        return _Source(
            source=card.offer,
            party=card.party,
            name=f"{card.party_name}, {card.city}" if card.city else card.party_name,
            item=card.item,
            each=card.open_each,
            price_minor=card.unit_price_minor,
            lead_time_days=card.lead_time_days,
            latitude_microdeg=card.latitude_microdeg,
            longitude_microdeg=card.longitude_microdeg,
            pack_each=max(1, card.pack_each),
            minimum_each=max(1, card.minimum_each),
            places=place_names(card.city, card.country),
            authorised=is_authorised(self.view, card.party, brand, me.country if me else ""),
        )

    def _own(self, item: str) -> list[_Source]:
        """Own free stock by own number and site, all lots of a site together, at their highest cost in the plan's
        currency; where only a cost in another one is known it counts as none."""
        by_site: dict[tuple[str, str], list[OwnSource]] = {}
        for own in own_sources(self.view, item):
            by_site.setdefault((own.own_number, own.site), []).append(own)
        return [
            _Source(
                source=f"{OWN}{number}/{site}",
                party="",
                name=f"own stock, {lots[0].city or site}",
                item=item,
                each=sum(lot.free_each for lot in lots),
                price_minor=max(lot.cost_in(self.currency) for lot in lots),
                lead_time_days=0,
                latitude_microdeg=lots[0].latitude_microdeg,
                longitude_microdeg=lots[0].longitude_microdeg,
                places=place_names(site, lots[0].city),
            )
            for (number, site), lots in sorted(by_site.items())
        ]

    def _options(self, demand: Demand) -> list[tuple[Option, _Source]]:
        """The cheapest sources of a line, at most 16, the cheapest first."""
        weight_g = self._weight_g(demand.item)
        found = []
        for source in self._sources(demand.item):
            whole = demand.each % source.pack_each == 0 or demand.each > source.pack_each
            if not source.authorised or source.party == demand.party or demand.each < source.minimum_each or not whole:
                continue
            option = self._option(demand, source, weight_g)
            if option is not None:
                found.append((option.cost_minor * demand.each + option.open_minor // 2, source.source, option, source))
        found.sort(key=lambda one: one[:2])
        return [(option, source) for _, _, option, source in found[:OPTIONS_MAX]]

    def _weight_g(self, name: str) -> int:
        item = self.view.get(ITEMS, name)
        return item.weight_g if item else 0

    def _option(self, demand: Demand, source: _Source, weight_g: int) -> Option | None:
        at = (source.latitude_microdeg, source.longitude_microdeg)
        metres = distance_m(*at, demand.latitude_microdeg, demand.longitude_microdeg)
        place = self._place(source, at)
        leg = self.freight.leg(demand, place, metres, source.lead_time_days, source.places, weight_g)
        if leg is None:
            return None
        # 10^-9 minor units, as in hanse.planning.promise; rounded half up once
        late = max(0, source.lead_time_days + leg.transit_days - demand.within_days) if demand.within_days >= 0 else 0
        cost = source.price_minor + _minor(weight_g * leg.per_g) + self.policy.late_minor * late
        return Option(source.source, place, cost, _minor(leg.fixed) + self.policy.split_minor)

    def _place(self, source: _Source, at: tuple[int, int]) -> str:
        """A place's name: readable, one point on the map, and one source of an item."""
        known, number = source.name, 1
        while (
            self._places.setdefault((known, source.item), source.source) != source.source
            or self._where.setdefault(known, at) != at
        ):
            number += 1
            known = f"{source.name} ({number})"
        return known


def _minor(amount: int) -> int:
    """10^-9 minor units in minor units, rounded half up."""
    return (2 * amount + SCALE) // (2 * SCALE)


def _penalty(demand: Demand, options: Sequence[Option]) -> int:
    """Of one each left unserved, minor units."""
    dearest = max((option.cost_minor + option.open_minor for option in options), default=0)
    return 2 * max(dearest, demand.price_minor, 1)
