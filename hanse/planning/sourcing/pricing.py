"""The compiled pass over orders that evaluates prices."""

from __future__ import annotations

from hanse.planning.sourcing.compiling import njit
from hanse.planning.sourcing.kernel import NODES_MAX, load, search
from hanse.planning.sourcing.placing import clear, place_units
from hanse.planning.sourcing.problem import Flags, Ints, Net
from hanse.planning.sourcing.work import Work


@njit
def price_orders(
    net: Net, lo: int, hi: int, scale: int, pt: Ints, pf: Ints, pp: Ints, moved: Flags, moved_place: Flags,
    plenty: Ints, value: Ints, units: Ints, use_t: Ints, use_f: Ints, use_p: Ints, w: Work,
) -> None:  # fmt: skip
    """Cheapest patterns of orders lo..hi-1 at these prices; orders none of whose prices moved keep theirs.

    value[order] is a lower bound in minor units x scale; units[cand] the pattern; use_t, use_f [stock] and use_p
    [place] the sums of
    all patterns of lo..hi-1, kept up to date.
    """
    for o in range(lo, hi):
        if not _touched(net, o, moved, moved_place):
            continue
        clear(net, o, units, use_t, use_f, use_p, -1, w)
        load(net, o, scale, pt, pf, pp, net.row_total, net.row_foreign, net.place_cap, w)
        value[o] = search(net, o, NODES_MAX, w)[1]
        place_units(net, o, units, use_t, use_f, use_p, 1, plenty, plenty, w)


@njit
def _touched(net: Net, o: int, moved: Flags, moved_place: Flags) -> bool:
    for c in range(net.cand_ptr[net.line_ptr[o]], net.cand_ptr[net.line_ptr[o + 1]]):
        if moved[net.cand_row[c]] == 1:
            return True
    touched = False
    for s in range(net.pair_ptr[o], net.pair_ptr[o + 1]):
        touched = touched or moved_place[net.pair_place[s]] == 1
    return touched


@njit
def price_some(
    net: Net, orders: Ints, scale: int, pt: Ints, pf: Ints, pp: Ints, at: Ints, af: Ints, ap: Ints, units: Ints, w: Work
) -> None:  # fmt: skip
    """Cheapest patterns (units[cand]) of these orders, each as if all that is left were its own; at, af, ap stay."""
    for x in range(orders.size):
        o = orders[x]
        load(net, o, scale, pt, pf, pp, at, af, ap, w)
        search(net, o, NODES_MAX, w)
        place_units(net, o, units, at, af, ap, -1, at, af, w)
        for j in range(net.pair_ptr[o + 1] - net.pair_ptr[o]):
            w.slot[j] = 0
        for c in range(net.cand_ptr[net.line_ptr[o]], net.cand_ptr[net.line_ptr[o + 1]]):
            y = units[c]
            if y == 0:
                continue
            at[net.cand_row[c]] += y
            if net.cand_own[c] == 0:
                af[net.cand_row[c]] += y
            j = net.cand_loc[c]
            if w.slot[j] == 0:
                w.slot[j] = 1
                ap[net.pair_place[net.pair_ptr[o] + j]] += 1
