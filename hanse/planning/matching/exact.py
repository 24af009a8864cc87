"""Certain matches: equal GTIN, or equal brand and part number. Only these are accepted without a person."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hanse.planning.matching import text
from hanse.planning.matching.items import Item
from hanse.standards import gtin, units


class Keys(NamedTuple):
    """What an item is known by: GTIN of fourteen digits, brand, part number, each per unit; "" or 0 when unknown."""

    gtin: str
    brand: str
    part: str
    each: int


class Joined(NamedTuple):
    """Groups of positions that are one item each, and pairs that agree in one number and disagree in another."""

    groups: list[list[int]]
    how: list[set[str]]
    doubtful: list[tuple[int, int, str]]


def keys(item: Item, aliases: Mapping[str, str] | None = None) -> Keys:
    """Normalise what an item is known by. A GTIN that is wrong, or meant for use inside one firm, counts as none.

    >>> keys(Item("1", gtin="6291041500213", brand="S.K.F.", part_number="6204-2RSH", unit="box", each_per_unit=10))
    Keys(gtin='06291041500213', brand='skf', part='62042rsh', each=10)
    """
    number = gtin.normalise(item.gtin) if item.gtin and gtin.is_gtin(item.gtin) else ""
    if number and gtin.is_restricted(number):
        number = ""
    brand = text.brand_key(item.brand, aliases) if item.brand else ""
    part = text.part_key(item.part_number, item.brand) if item.part_number else ""
    return Keys(number, brand, part, each_of(item))


def each_of(item: Item) -> int:
    """Return how many each one unit of the item holds; 0 when its unit is a pack of unknown content or no count.

    >>> each_of(Item("1", unit="DZN")), each_of(Item("1", unit="BX", each_per_unit=0)), each_of(Item("1", unit="BX"))
    (12, 0, 1)
    """
    if item.unit in {"C62", "EA", "H87"}:
        return item.each_per_unit
    try:
        unit = units.unit(item.unit)
    except units.UnitError:
        return 0
    if unit.dimension != "count":
        return 0
    if unit.is_pack:
        return item.each_per_unit
    return unit.numerator * max(item.each_per_unit, 1) if unit.denominator == 1 else 0


def gtins_contradict(one: Keys, other: Keys) -> bool:
    """Tell whether two GTINs speak against one item: both known, different, and the packs are the same size."""
    return bool(one.gtin and other.gtin and one.gtin != other.gtin and one.each == other.each)


def parts_contradict(one: Keys, other: Keys) -> bool:
    """Tell whether two part numbers of one brand differ."""
    return bool(one.brand and one.brand == other.brand and one.part and other.part and one.part != other.part)


def join(known: Sequence[Keys]) -> Joined:
    """Put items that are certainly one into groups -> groups in order of first member, each sorted.

    Equal GTINs join. Equal brand and part number join unless GTINs of the same pack size contradict: then the pairs
    are doubtful, and a person decides. Order of input does not change who is joined with whom.
    """
    parent = list(range(len(known)))
    how: list[set[str]] = [set() for _ in known]

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def unite(rows: list[int], method: str) -> None:
        first = root(rows[0])
        for row in rows[1:]:
            other = root(row)
            if other != first:
                low, high = min(first, other), max(first, other)
                parent[high] = low
                how[low] |= how[high]
                first = low
        how[first].add(method)

    for rows in _buckets(known, lambda k: k.gtin):
        unite(rows, "gtin")
    doubtful: list[tuple[int, int, str]] = []
    for rows in _buckets(known, lambda k: f"{k.brand}\0{k.part}" if k.brand and k.part else ""):
        if _one_gtin_per_pack([known[i] for i in rows]):
            unite(rows, "brand_part")
        else:
            heads = sorted({root(i): i for i in reversed(rows)}.values())
            doubtful += [(heads[0], i, "same brand and part number, but the GTINs differ") for i in heads[1:]]
    groups: dict[int, list[int]] = defaultdict(list)
    for i in range(len(known)):
        groups[root(i)].append(i)
    return Joined(list(groups.values()), [how[head] for head in groups], doubtful)


def _buckets(known: Sequence[Keys], key_of: Callable[[Keys], str]) -> list[list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for i, one in enumerate(known):
        key = key_of(one)
        if key:
            found[key].append(i)
    return [rows for rows in found.values() if len(rows) > 1]


def _one_gtin_per_pack(rows: Sequence[Keys]) -> bool:
    seen: dict[int, str] = {}
    return all(seen.setdefault(k.each, k.gtin) == k.gtin for k in rows if k.gtin)
