"""Scratch memory of the order kernel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hanse.planning.sourcing.problem import Ints, Net


class Work(NamedTuple):
    """Scratch of one thread; sizes by the largest order."""

    unit: Ints  # [place, line] reduced unit cost
    take: Ints  # [place, line] most units that can be taken
    cand: Ints  # [place, line] the candidate
    opening: Ints  # [place]
    local: Ints  # [place] pair number within the order
    alone: Ints  # [place] what this place saves alone, opening paid
    share: Ints  # [place + 1, line] cheapest from this place or a later one, with its opening's share
    slot: Ints  # [pair number] -> place or -1
    seg_unit: Ints  # [depth, line, segment] how a line is served: unit costs, dearest first; segment 0 may be "short"
    seg_each: Ints  # [depth, line, segment]
    seg_count: Ints  # [depth, line]
    line_cost: Ints  # [depth, line]
    cost: Ints  # [depth] cost of the set, opening paid
    opened: Ints  # [depth] the openings in it
    save: Ints  # [depth, place] what one more place saves, opening paid
    todo: Ints  # [depth, place] places to try, most saving first
    number: Ints  # [depth] how many in todo
    pos: Ints  # [depth]
    chosen: Ints  # [depth]
    best: Ints  # [depth] result: places
    size: Ints  # [4] places, lines, result count, spare


def workspace(net: Net) -> Work:
    """Scratch for any order of this net."""
    lines = max(1, int(np.diff(net.line_ptr).max(initial=1)))
    places = max(1, int(np.diff(net.pair_ptr).max(initial=1)))
    depth = 1 + int(max(1, min(places, int(net.kmax.max(initial=1)))))

    def ints(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    return Work(
        unit=ints(places, lines),
        take=ints(places, lines),
        cand=ints(places, lines),
        opening=ints(places),
        local=ints(places),
        alone=ints(places),
        share=ints(places + 1, lines),
        slot=ints(places),
        seg_unit=ints(depth, lines, depth + 1),
        seg_each=ints(depth, lines, depth + 1),
        seg_count=ints(depth, lines),
        line_cost=ints(depth, lines),
        cost=ints(depth),
        opened=ints(depth),
        save=ints(depth, places),
        todo=ints(depth, places),
        number=ints(depth),
        pos=ints(depth),
        chosen=ints(depth),
        best=ints(depth),
        size=ints(4),
    )
