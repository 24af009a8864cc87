"""The compiled pass over orders that evaluates prices."""

from __future__ import annotations

from hanse.planning.sourcing.compiling import njit
from hanse.planning.sourcing.kernel import NODES_MAX, clear, load, place_units, search
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
