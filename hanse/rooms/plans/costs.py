"""What a plan's cost is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from hanse.rooms.plans.private_rows import LineRow


class CostMade(Struct, frozen=True):
    """The sum of the amounts is the plan's cost. Minor units.

    goods_minor: of all that serves lines, freight by weight and lateness in it. shipments: of an order from a place,
    each paid once. unserved_minor: reckoned for what stays unserved, so that a plan does not save by leaving it.
    """

    goods_minor: int
    shipments: int
    shipments_minor: int
    unserved_minor: int


def cost_made(lines: Iterable[LineRow], taken: Mapping[int, Sequence[tuple[str, int]]]) -> CostMade:
    """Of a plan that takes so many each from these sources: line -> (source, each > 0)."""
    goods = unserved = 0
    opening: dict[tuple[int, str], int] = {}
    for line in lines:
        options = {option.source: option for option in line.options}
        parts = [(options[source], each) for source, each in taken.get(line.line, ()) if source in options]
        goods += sum(option.cost_minor * each for option, each in parts)
        unserved += (line.each - sum(each for _, each in parts)) * line.penalty_minor
        opening |= {(line.order_no, option.place): option.open_minor for option, _ in parts}
    return CostMade(goods, len(opening), sum(opening.values()), unserved)
