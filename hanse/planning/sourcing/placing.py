"""From a found set of places to units, and an order served from what is left: what `kernel` found, carried out."""

from __future__ import annotations

from hanse.planning.sourcing.compiling import njit
from hanse.planning.sourcing.kernel import NODES_MAX, load, search
from hanse.planning.sourcing.problem import Ints, Net
from hanse.planning.sourcing.work import Work


@njit
def next_place(w: Work, i: int, after: int) -> int:
    """The cheapest place of the found set for line i after place `after` (-1: from the start) by (unit cost, place)."""
    pick = -1
    for d in range(w.size[2]):
        k = w.best[d]
        if w.take[k, i] <= 0 or k == after:
            continue
        u = w.unit[k, i]
        if after >= 0 and (u < w.unit[after, i] or (u == w.unit[after, i] and k < after)):
            continue
        if pick < 0 or u < w.unit[pick, i] or (u == w.unit[pick, i] and k < pick):
            pick = k
    return pick


@njit
def clear(net: Net, o: int, units: Ints, t: Ints, f: Ints, p: Ints, sign: int, w: Work) -> int:
    """Take order o's units out: sign * units is added to t[stock], f[stock] and p[place]. Returns its true cost,
    minor units."""
    s0 = net.pair_ptr[o]
    for j in range(net.pair_ptr[o + 1] - s0):
        w.slot[j] = 0
    cost = 0
    for l in range(net.line_ptr[o], net.line_ptr[o + 1]):
        left = net.qty[l]
        for c in range(net.cand_ptr[l], net.cand_ptr[l + 1]):
            y = units[c]
            if y == 0:
                continue
            units[c] = 0
            left -= y
            cost += y * net.cand_cost[c]
            row = net.cand_row[c]
            t[row] += sign * y
            if net.cand_own[c] == 0:
                f[row] += sign * y
            j = net.cand_loc[c]
            if w.slot[j] == 0:
                w.slot[j] = 1
                p[net.pair_place[s0 + j]] += sign
                cost += net.pair_open[s0 + j]
        cost += left * net.pen[l]
    return cost


@njit
def place_units(
    net: Net, o: int, units: Ints, t: Ints, f: Ints, p: Ints, sign: int, most_t: Ints, most_f: Ints, w: Work
) -> int:
    """Write the found set of the loaded order as units, line by line, cheapest place first, never above most_t,
    most_f [stock].

    sign * units is added to t, f [stock], p [place] as they go: with sign -1 and most = what is left, two lines of
    one item cannot
    both take the last unit. Returns the true cost of the order, minor units. Order o must have no units.
    """
    s0 = net.pair_ptr[o]
    for j in range(net.pair_ptr[o + 1] - s0):
        w.slot[j] = 0
    cost = 0
    for i in range(w.size[1]):
        l = net.line_ptr[o] + i
        left = net.qty[l]
        k = next_place(w, i, -1)
        while k >= 0 and left > 0:
            c = w.cand[k, i]
            row = net.cand_row[c]
            a = min(left, w.take[k, i], most_t[row])
            if net.cand_own[c] == 0:
                a = min(a, most_f[row])
            if a > 0 and (net.whole[l] == 0 or a == left):
                units[c] = a
                left -= a
                cost += a * net.cand_cost[c]
                t[row] += sign * a
                if net.cand_own[c] == 0:
                    f[row] += sign * a
                j = w.local[k]
                if w.slot[j] == 0:
                    w.slot[j] = 1
                    p[net.pair_place[s0 + j]] += sign
                    cost += net.pair_open[s0 + j]
            k = next_place(w, i, k)
        cost += left * net.pen[l]
    return cost


@njit
def serve(
    net: Net, o: int, scale: int, pt: Ints, pf: Ints, pp: Ints, at: Ints, af: Ints, ap: Ints, units: Ints, w: Work
) -> int:
    """Serve order o, which has no units yet, from what is left (at, af, ap are drawn down) at these prices; its
    true cost."""
    load(net, o, scale, pt, pf, pp, at, af, ap, w)
    search(net, o, NODES_MAX, w)
    return place_units(net, o, units, at, af, ap, -1, at, af, w)


@njit
def serve_all(
    net: Net,
    sequence: Ints,
    scale: int,
    pt: Ints,
    pf: Ints,
    pp: Ints,
    at: Ints,
    af: Ints,
    ap: Ints,
    units: Ints,
    w: Work,
) -> int:
    """`serve` for one order after the other; the sum of their true costs, minor units."""
    cost = 0
    for x in range(sequence.size):
        cost += serve(net, sequence[x], scale, pt, pf, pp, at, af, ap, units, w)
    return cost
