"""Own numbers meet the network's items: certain matches are linked, everything else is left to people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from hanse.importers.facts_ids import plain_id
from hanse.importers.facts_plan import Plan
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.planning.matching import Item, Options, match
from hanse.rooms.catalog.facts import ITEM_NUMBERS, ITEMS, OWN_ITEMS, LinkItem, OwnItem, PublishItem, SetOwnItem
from hanse.rooms.catalog.queries import matching
from hanse.rooms.catalog.rules import part_key
from hanse.rooms.inventory.queries import MoneyMatched, money_matched

PAGE_ROWS = 10_000
_COLUMNS = "own_number, gtin, brand, part_number, description, unit, pack_each"


class Matched(msgspec.Struct, frozen=True):
    """How far a firm's own numbers are matched.

    Attributes:
        linked: method -> how many were linked now. lines, lines_matched: own numbers, all and linked.
        money: what lies in stock, by currency, and how much of it in matched numbers.
    """

    linked: dict[str, int]
    lines: int
    lines_matched: int
    money: list[MoneyMatched]

    @property
    def lines_matched_ppm(self) -> int:
        """Matched of all own numbers, parts per million; 0 for none."""
        return self.lines_matched * 1_000_000 // self.lines if self.lines else 0


def match_own_items(desk: Desk) -> Matched:
    """Link every own number of the desk's party whose GTIN, or brand and part number, names an item of the network.

    Refuses: as `Desk.do`. A number whose GTIN says one item and whose part number another is left to the worklist.
    """
    view = desk.view
    links = certain(view, _unmatched(view))
    facts = [LinkItem(circle=view.home, own_number=number, item=item, method=method) for number, item, method in links]
    if facts:
        desk.do_all(facts)
    return matched(desk, links)


def matched(desk: Desk, links: Iterable[tuple[str, str, str]] = ()) -> Matched:
    """How far the matching has come, after these links were made."""
    linked: dict[str, int] = {}
    for _, _, method in links:
        linked[method] = linked.get(method, 0) + 1
    view = desk.view
    lines = matching(view)
    return Matched(linked, lines.lines, lines.lines_matched, money_matched(view))


def certain(view: View, own: Sequence[Item]) -> list[tuple[str, str, str]]:
    """(own number, item, method) of the matches that need no person and that the record will take, in order of number.

    The comparison is `planning.matching`'s; a link by brand and part number also needs the catalogue's own key of both
    to be equal, else it stays a suggestion.
    """
    network = _network(view)
    if not network or not own:
        return []
    theirs = [
        Item(item, gtin, brand, part, description, unit=unit) for item, gtin, brand, part, description, unit in network
    ]
    keys = {item: (gtin, part_key(brand, part)) for item, gtin, brand, part, _, _ in network}
    mine = {item.number: (item.gtin, part_key(item.brand, item.part_number)) for item in own}
    found: dict[str, tuple[str, str]] = {}
    for pair in match(own, theirs, Options(suggestions_max=0)):
        number, item = pair.a.number, pair.b.number
        at = 0 if pair.method == "gtin" else 1
        if pair.accepted and number not in found and mine[number][at] and mine[number][at] == keys[item][at]:
            found[number] = (item, pair.method)
    return [(number, *found[number]) for number in sorted(found)]


def _network(view: View) -> list[tuple[str, str, str, str, str, str]]:
    sql = "SELECT item, gtin, brand, part_number, description, base_unit FROM {catalog_item} ORDER BY item"
    return [tuple(row) for row in view.sql(sql, tables=(ITEMS,))]


def _unmatched(view: View) -> list[Item]:
    sql = (
        f"SELECT {_COLUMNS} FROM {{catalog_own_item}} WHERE circle = ? AND item = ''"
        " AND (gtin <> '' OR part_key <> '') ORDER BY own_number"
    )
    return [
        Item(number, gtin, brand, part, description, unit=unit, each_per_unit=each)
        for number, gtin, brand, part, description, unit, each in view.sql(sql, (view.home,), tables=(OWN_ITEMS,))
    ]


# -- within an import ------------------------------------------------------------------------------------------------


def plan_links(plan: Plan, items: Iterable[SetOwnItem]) -> list[tuple[str, str, str]]:
    """Plan the links of the items of an import, and where asked the publication of those that nobody has published."""
    fresh = [item for item in items if _may_match(plan.own_item(item.own_number), item)]
    if plan.options.publish:
        for item in fresh:
            _publish(plan, item)
    if not plan.options.match:
        return []
    own = [
        Item(i.own_number, i.gtin, i.brand, i.part_number, i.description, unit=i.unit, each_per_unit=i.pack_each)
        for i in fresh
    ]
    links = certain(plan.view, own)
    links += [(number, item, method) for number, (item, method) in sorted(plan.published.items())]
    for number, named, method in links:
        plan.links[number] = named
        plan.add(LinkItem(circle=plan.home, own_number=number, item=named, method=method))
    return links


def _may_match(was: OwnItem | None, item: SetOwnItem) -> bool:
    named = bool(item.gtin or part_key(item.brand, item.part_number))
    return named and not (was is not None and was.item)


def _publish(plan: Plan, item: SetOwnItem) -> None:
    """Publish an own item under its GTIN or its part key, where neither names an item of the network yet."""
    key = part_key(item.brand, item.part_number)
    numbers = [f"gtin:{item.gtin}"] * bool(item.gtin) + [f"part:{key}"] * bool(key)
    if any(plan.view.get(ITEM_NUMBERS, name) or plan.store.noted("number", name) for name in numbers):
        return
    fact = PublishItem(
        item=plain_id(numbers[0]),
        description=item.description or f"{item.brand} {item.part_number}".strip() or item.own_number,
        gtin=item.gtin,
        brand=item.brand,
        part_number=item.part_number,
        category=item.category,
    )
    if plan.add(fact):
        plan.store.note("number", numbers)
        plan.published[item.own_number] = (fact.item, "gtin" if item.gtin else "brand_part")
