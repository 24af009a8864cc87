"""Why two items may be one, in plain words."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from hanse.planning.matching import text
from hanse.planning.matching.exact import Keys
from hanse.planning.matching.items import Item

_KIND_WORDS = {
    "thread": "thread", "volt": "V", "watt": "W", "ampere": "A", "mm": "mm", "bar": "bar", "rpm": "rpm", "hertz": "Hz",
    "micron": "µm", "kg": "kg", "litre": "l", "pole": "poles", "ip": "IP", "n": "",
}  # fmt: skip


def accepted(one: Keys, other: Keys) -> tuple[str, ...]:
    """Say why two items were accepted as one; doubts come last."""
    reasons = []
    if one.gtin and one.gtin == other.gtin:
        reasons.append(f"same GTIN {one.gtin}")
    if one.brand and one.part and (one.brand, one.part) == (other.brand, other.part):
        reasons.append(f"same brand and part number ({one.brand} {one.part})")
    reasons += packs(one.each, other.each)
    if one.brand and one.brand == other.brand and one.part and other.part and one.part != other.part:
        reasons.append(f"check: the part numbers differ ({one.part}, {other.part})")
    return tuple(reasons)


def packs(each_a: int, each_b: int) -> list[str]:
    """Say how the units convert, when they are not the same."""
    if each_a == 0 or each_b == 0:
        return ["the pack size is not known: state it before stock is pooled"]
    return [] if each_a == each_b else [f"one unit is {each_a} each here and {each_b} each there"]


@dataclass(frozen=True, slots=True)
class Traits:
    """What can be said about one item: bare codes, longest first words, technical values by kind."""

    codes: frozenset[str]
    words: frozenset[str]
    values: Mapping[str, frozenset[str]]


def traits(item: Item) -> Traits:
    """Read an item's texts once, for all comparisons."""
    part = text.part_key(item.part_number, item.brand) if item.part_number else ""
    codes = {*text.codes(f"{item.description} {item.part_number}"), *([part] if part else [])}
    words = {w for w in text.words(item.description) if w.isalpha() and len(w) > 2}
    values: dict[str, set[str]] = defaultdict(set)
    for kind, value in text.attributes(item.description):
        values[kind].add(value)
    return Traits(frozenset(codes), frozenset(words), {kind: frozenset(found) for kind, found in values.items()})


def suggested(a: Traits, b: Traits, known_a: Keys, known_b: Keys) -> tuple[str, ...]:
    """Say what speaks for a suggestion, and what against it, strongest first."""
    reasons = []
    if known_a.brand and known_b.brand:
        same = known_a.brand == known_b.brand
        reasons.append(f"same brand {known_a.brand}" if same else f"brands differ ({known_a.brand}, {known_b.brand})")
    both = a.codes & b.codes
    if both:
        reasons.append("both name " + ", ".join(sorted(both, key=lambda c: (-len(c), c))[:3]))
    reasons += _values(a.values, b.values)
    shared = a.words & b.words
    if shared:
        reasons.append("same words: " + ", ".join(sorted(shared, key=lambda w: (-len(w), w))[:5]))
    reasons += packs(known_a.each, known_b.each)
    return tuple(reasons) or ("letters of the two texts are alike",)


def _values(a: Mapping[str, frozenset[str]], b: Mapping[str, frozenset[str]]) -> list[str]:
    """Technical values that agree and that contradict each other."""
    agree, differ = [], []
    for kind in sorted(a.keys() & b.keys(), key=_ORDER.__getitem__):
        left, right, word = a[kind], b[kind], _KIND_WORDS[kind]
        same = left & right
        if kind == "n" and a.get("mm", _NONE) & b.get("mm", _NONE):
            continue
        if same:
            agree.append(f"{', '.join(sorted(same)[:4])} {word}".strip())
        elif kind != "n":
            differ.append(f"{word} differs: {', '.join(sorted(left)[:3])} and {', '.join(sorted(right)[:3])}")
    return ([f"values agree: {'; '.join(agree)}"] if agree else []) + differ


_ORDER = {kind: place for place, kind in enumerate(_KIND_WORDS)}
_NONE: frozenset[str] = frozenset()
