"""The demo's own goods as its distributors rename them, matched with the makers' catalogue."""

import random
import time
from collections.abc import Iterator

from hanse.demo.cast import DISTRIBUTORS
from hanse.demo.goods import catalogue, own_name
from hanse.planning.matching import Item, match


def published() -> list[Item]:
    """What the makers publish: the catalogue that every firm's own numbers are matched with."""
    return [
        Item(good.item, gtin=good.gtin, brand=good.brand, part_number=good.part_number, description=good.names["en"])
        for good in catalogue()
    ]


def renamed(seed: int, count: int) -> Iterator[tuple[list[Item], dict[str, str]]]:
    """For each distributor so many of the goods, named as its clerks do; own number -> the maker's item."""
    goods = catalogue()
    for firm in DISTRIBUTORS:
        dice = random.Random(f"{seed}/{firm.party}")
        mine = [goods[at] for at in sorted(dice.sample(range(len(goods)), count))]
        names = [own_name(firm, good, at, dice) for at, good in enumerate(mine)]
        items = [Item(n.own_number, n.gtin, n.brand, n.part_number, n.description) for n in names]
        yield items, {name.own_number: good.item for name, good in zip(names, mine, strict=True)}


def measure_demo(seed: int, count: int = 480) -> dict[str, object]:
    """Over all firms: precision and recall of what is accepted without a person, and of suggestions for the rest."""
    makers = published()
    asked = accepted = right = plain = left = first = among_five = best = best_right = 0
    started = time.perf_counter()
    for items, truth in renamed(seed, count):
        found = match(items, makers)
        sure = {m.a.number: m.b.number for m in found if m.accepted}
        rest: dict[str, list[str]] = {}
        for one in found:
            if not one.accepted:
                rest.setdefault(one.a.number, []).append(one.b.number)
                best += one.mutual
                best_right += one.mutual and truth[one.a.number] == one.b.number
        asked += len(truth)
        accepted += len(sure)
        plain += _as_written(items, makers, truth)
        right += sum(truth[number] == item for number, item in sure.items())
        waiting = truth.keys() - {number for number, item in sure.items() if truth[number] == item}
        left += len(waiting)
        first += sum(truth[number] in rest.get(number, [])[:1] for number in waiting)
        among_five += sum(truth[number] in rest.get(number, [])[:5] for number in waiting)
    return {
        "firms": len(DISTRIBUTORS), "own_numbers": asked, "catalogue": len(makers),
        "seconds": round(time.perf_counter() - started, 1),
        "accepted_precision": round(right / max(accepted, 1), 5), "accepted_recall": round(right / asked, 4),
        "exact_keys_as_written_recall": round(plain / asked, 4),
        "left_to_people": left,
        "recall@1": round(first / max(left, 1), 3), "recall@5": round(among_five / max(left, 1), 3),
        "best_of_both_precision": round(best_right / max(best, 1), 3),
    }  # fmt: skip


def _as_written(items: list[Item], makers: list[Item], truth: dict[str, str]) -> int:
    """The simple peer: how many are found by the same GTIN, or the same brand and part number, letter by letter."""
    numbers = {maker.gtin: maker.number for maker in makers}
    parts = {(maker.brand, maker.part_number): maker.number for maker in makers}
    hits = ((i.number, numbers.get(i.gtin) or parts.get((i.brand, i.part_number))) for i in items)
    return sum(truth[number] == hit for number, hit in hits)
