"""For each line of an order the next best source, all else standing, and what it would cost."""

from __future__ import annotations

from hanse.planning.sourcing.compiling import njit
from hanse.planning.sourcing.problem import Ints, Net
from hanse.planning.sourcing.work import Work


@njit
def _shipments(net: Net, o: int, units: Ints, w: Work) -> int:
    """How many shipments order o opens; `w.slot` counts the lines on each."""
    opened = 0
    for j in range(net.pair_ptr[o + 1] - net.pair_ptr[o]):
        w.slot[j] = 0
    for l in range(net.line_ptr[o], net.line_ptr[o + 1]):
        for c in range(net.cand_ptr[l], net.cand_ptr[l + 1]):
            if units[c] > 0:
                if w.slot[net.cand_loc[c]] == 0:
                    opened += 1
                w.slot[net.cand_loc[c]] += 1
    return opened


@njit
def next_best(
    net: Net, o: int, units: Ints, at: Ints, af: Ints, ap: Ints, source: Ints, other: Ints, extra: Ints, w: Work
) -> None:
    """For each line of order o: source[line], the place of most units; other[line], the next best; extra[line],
    minor units.

    The next best is where all units from `source` would cost least more, all else standing: unit costs, an opening
    if the order
    has none there, less the opening saved if this line was alone on it; -1 where nobody has them free, and they
    would be short.
    A line without units has source -1, other -1, extra 0.
    """
    s0 = net.pair_ptr[o]
    opened = _shipments(net, o, units, w)
    for l in range(net.line_ptr[o], net.line_ptr[o + 1]):
        source[l], other[l], extra[l] = -1, -1, 0
        a, b = net.cand_ptr[l], net.cand_ptr[l + 1]
        best = -1
        for c in range(a, b):
            if units[c] > 0 and (best < 0 or units[c] > units[best]):
                best = c
        if best < 0:
            continue
        y = units[best]
        j = net.cand_loc[best]
        source[l] = net.pair_place[s0 + j]
        alone = w.slot[j] == 1
        saved = net.pair_open[s0 + j] if alone else 0
        extra[l] = y * (net.pen[l] - net.cand_cost[best]) - saved
        for c in range(a, b):
            row = net.cand_row[c]
            free = at[row] if net.cand_own[c] == 1 else min(at[row], af[row])
            if c == best or free < y:
                continue
            k = net.cand_loc[c]
            more = y * (net.cand_cost[c] - net.cand_cost[best]) - saved
            if w.slot[k] == 0:
                if ap[net.pair_place[s0 + k]] <= 0 or (opened >= net.kmax[o] and not alone):
                    continue
                more += net.pair_open[s0 + k]
            if more < extra[l]:
                extra[l] = more
                other[l] = net.pair_place[s0 + k]


@njit
def next_best_all(
    net: Net, units: Ints, at: Ints, af: Ints, ap: Ints, source: Ints, other: Ints, extra: Ints, w: Work
) -> None:
    """`next_best` for every order."""
    for o in range(net.kmax.size):
        next_best(net, o, units, at, af, ap, source, other, extra, w)
