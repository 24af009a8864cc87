"""The cheapest way to serve one order at given prices, exactly, in integers: the loop everything else is built on.

For an open set of places the lines of an order do not touch each other: each takes its cheapest open place, up to what is
there. So the order's problem is a small facility location, solved by depth-first enumeration of place sets, best
place first. At a node with places i.. still to come, no completion costs less than
    opened so far + cheapest opening to come + sum over lines of min(best so far, best to come),
which only rises with i: the first i at which it reaches the best plan ends the loop.

Amounts here are minor units x scale; `scale * cost + price` is exact in int64 (see `problem.MONEY_MAX`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from hanse.planning.sourcing.problem import Flags, Ints, Net

NODES_MAX = 60_000  # enumeration stops here; the bound stays valid, it only gets weaker


class Work(NamedTuple):
    """Scratch of one thread; sizes by the largest order."""

    unit: Ints  # [place, line] reduced unit cost
    take: Ints  # [place, line] most units that can be taken
    ware: Ints  # [place, line] relaxed cost of serving the line from here
    opening: Ints  # [place]
    local: Ints  # [place] pair number within the order
    alone: Ints  # [place] cost of this place alone, for sorting
    suffix: Ints  # [place + 1, line]
    share: Ints  # [place + 1, line] as suffix, with the opening cost spread over lines
    suffix_open: Ints  # [place + 1]
    cur: Ints  # [depth + 1, line]
    opened: Ints  # [depth + 1]
    pos: Ints  # [depth + 1]
    chosen: Ints  # [depth]
    best: Ints  # [depth] result: pair numbers within the order
    capped: Flags  # [line]
    short: Ints  # [line]
    slot: Ints  # [pair number] -> place or -1
    size: Ints  # [4] places, lines, result count, truncated


def workspace(net: Net) -> Work:
    """Scratch for any order of this net."""
    lines = max(1, int(np.diff(net.line_ptr).max(initial=1)))
    places = max(1, int(np.diff(net.pair_ptr).max(initial=1)))
    depth = int(max(1, min(places, int(net.kmax.max(initial=1)))))

    def ints(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    return Work(
        unit=ints(places, lines),
        take=ints(places, lines),
        ware=ints(places, lines),
        opening=ints(places),
        local=ints(places),
        alone=ints(places),
        suffix=ints(places + 1, lines),
        share=ints(places + 1, lines),
        suffix_open=ints(places + 1),
        cur=ints(depth + 1, lines),
        opened=ints(depth + 1),
        pos=ints(depth + 1),
        chosen=ints(depth),
        best=ints(depth),
        capped=np.zeros(lines, np.uint8),
        short=ints(lines),
        slot=ints(places),
        size=ints(4),
    )


@njit(cache=True, nogil=True)
def load(
    net: Net, o: int, scale: int, pt: Ints, pf: Ints, pp: Ints, at: Ints, af: Ints, ap: Ints, w: Work
) -> int:
    """Fill the scratch for order o at prices pt (total), pf (foreign), pp (place) and availability at, af, ap.

    Returns the cost of leaving the whole order short. Places that cannot pay for their opening are left out: what a place
    gains beside others is at most what it gains alone.
    """
    l0, l1 = net.line_ptr[o], net.line_ptr[o + 1]
    s0, s1 = net.pair_ptr[o], net.pair_ptr[o + 1]
    m = l1 - l0
    n = 0
    for j in range(s1 - s0):
        w.slot[j] = -1
    base = 0
    for i in range(m):
        l = l0 + i
        q = net.qty[l]
        pen = net.pen[l] * scale
        w.short[i] = q * pen
        base += w.short[i]
        w.capped[i] = 0
        for c in range(net.cand_ptr[l], net.cand_ptr[l + 1]):
            row = net.cand_row[c]
            u = net.cand_cost[c] * scale + pt[row]
            a = min(q, at[row])
            if net.cand_own[c] == 0:
                u += pf[row]
                a = min(a, af[row])
            if a <= 0 or u >= pen or (net.whole[l] == 1 and a < q):
                continue
            j = net.cand_loc[c]
            k = w.slot[j]
            if k < 0:
                place = net.pair_place[s0 + j]
                if ap[place] <= 0:
                    continue
                k = n
                n += 1
                w.slot[j] = k
                w.local[k] = j
                w.opening[k] = net.pair_open[s0 + j] * scale + pp[place]
                w.alone[k] = 0
                for t in range(m):
                    w.take[k, t] = 0
            w.unit[k, i] = u
            w.take[k, i] = a
            w.alone[k] += a * (pen - u)
            if a < q:
                w.capped[i] = 1
    _compact(net, l0, m, n, scale, w)
    return base


@njit(cache=True, nogil=True)
def _compact(net: Net, l0: int, m: int, n: int, scale: int, w: Work) -> None:
    """Drop places that do not pay, sort the rest by what they gain alone, and prepare the suffix bounds."""
    kept = 0
    for k in range(n):  # insertion sort by net gain, falling; `pos`-free: swap rows through the end
        gain = w.alone[k] - w.opening[k]
        if gain <= 0:
            continue
        if kept != k:
            _move(w, k, kept, m)
        w.alone[kept] = gain
        kept += 1
    for a in range(1, kept):
        b = a
        while b > 0 and w.alone[b - 1] < w.alone[b]:
            _swap(w, b - 1, b, m)
            b -= 1
    n = kept
    for i in range(m):
        q = net.qty[l0 + i]
        top = w.short[i]
        w.suffix[n, i] = top
        w.share[n, i] = top
        for k in range(n):
            w.ware[k, i] = q * w.unit[k, i] if w.take[k, i] > 0 else top
        for k in range(n - 1, -1, -1):
            w.suffix[k, i] = min(w.suffix[k + 1, i], w.ware[k, i])
            w.share[k, i] = min(w.share[k + 1, i], w.ware[k, i] + w.opening[k] // m)
    w.suffix_open[n] = np.int64(2) ** 61
    for k in range(n - 1, -1, -1):
        w.suffix_open[k] = min(w.suffix_open[k + 1], w.opening[k])
    w.size[0] = n
    w.size[1] = m


@njit(cache=True, nogil=True)
def _move(w: Work, a: int, b: int, m: int) -> None:
    w.local[b] = w.local[a]
    w.opening[b] = w.opening[a]
    w.alone[b] = w.alone[a]
    for i in range(m):
        w.unit[b, i] = w.unit[a, i]
        w.take[b, i] = w.take[a, i]


@njit(cache=True, nogil=True)
def _swap(w: Work, a: int, b: int, m: int) -> None:
    w.local[a], w.local[b] = w.local[b], w.local[a]
    w.opening[a], w.opening[b] = w.opening[b], w.opening[a]
    w.alone[a], w.alone[b] = w.alone[b], w.alone[a]
    for i in range(m):
        w.unit[a, i], w.unit[b, i] = w.unit[b, i], w.unit[a, i]
        w.take[a, i], w.take[b, i] = w.take[b, i], w.take[a, i]


@njit(cache=True, nogil=True)
def _filled(net: Net, l0: int, i: int, count: int, w: Work) -> int:
    """Cost of line i when the first `count` chosen places are open: cheapest first, up to what each has."""
    left = net.qty[l0 + i]
    cost = np.int64(0)
    top = w.short[i] // left
    last = np.int64(-(2**62))
    last_k = -1
    while left > 0:
        pick = -1
        for d in range(count):  # next cheapest after (last, last_k)
            k = w.chosen[d]
            if w.take[k, i] <= 0:
                continue
            u = w.unit[k, i]
            if u < last or (u == last and k <= last_k):
                continue
            if pick < 0 or u < w.unit[pick, i] or (u == w.unit[pick, i] and k < pick):
                pick = k
        if pick < 0:
            break
        a = min(left, w.take[pick, i])
        cost += a * w.unit[pick, i]
        left -= a
        last = w.unit[pick, i]
        last_k = pick
    return cost + left * top


@njit(cache=True, nogil=True)
def search(net: Net, o: int, base: int, nodes_max: int, w: Work) -> tuple[int, int]:
    """(cost of the best set found, proven lower bound) of the loaded order; the set is left in `w.best`, `w.size[2]`.

    Both are equal unless the enumeration was cut at `nodes_max`.
    """
    n, m = w.size[0], w.size[1]
    l0 = net.line_ptr[o]
    depth = min(net.kmax[o], n)
    best = base
    floor = base
    w.size[2] = 0
    if n == 0:
        return best, best
    any_capped = False
    for i in range(m):
        w.cur[0, i] = w.short[i]
        if w.capped[i] == 1:
            any_capped = True
    w.opened[0] = 0
    w.pos[0] = 0
    d = 0
    nodes = 0
    while d >= 0:
        j = w.pos[d]
        if j >= n:
            d -= 1
            continue
        low = w.opened[d] + w.suffix_open[j]
        low2 = w.opened[d]
        for i in range(m):
            low += min(w.cur[d, i], w.suffix[j, i])
            low2 += min(w.cur[d, i], w.share[j, i])
        low = max(low, low2)
        if low >= best:
            d -= 1
            continue
        if nodes > nodes_max:
            floor = min(floor, low)
            d -= 1
            continue
        if d == depth - 1:  # last place: one plain loop over what is left
            for k in range(j, n):
                v = w.opened[d] + w.opening[k]
                for i in range(m):
                    v += min(w.cur[d, i], w.ware[k, i])
                if v < best:
                    w.chosen[d] = k
                    best = _settle(net, l0, m, d + 1, v, best, any_capped, w)
            nodes += n - j
            d -= 1
            continue
        w.pos[d] = j + 1
        nodes += 1
        w.chosen[d] = j
        v = w.opened[d] + w.opening[j]
        w.opened[d + 1] = v
        for i in range(m):
            x = min(w.cur[d, i], w.ware[j, i])
            w.cur[d + 1, i] = x
            v += x
        if v < best:
            best = _settle(net, l0, m, d + 1, v, best, any_capped, w)
        d += 1
        w.pos[d] = j + 1
    return best, min(best, floor)


@njit(cache=True, nogil=True)
def _settle(net: Net, l0: int, m: int, count: int, v: int, best: int, any_capped: bool, w: Work) -> int:
    """The exact cost of the chosen set whose relaxed cost v beats `best`; keep the set if it still does."""
    if any_capped:
        v = np.int64(0)
        for d in range(count):
            v += w.opening[w.chosen[d]]
        for i in range(m):
            if w.capped[i] == 1:
                v += _filled(net, l0, i, count, w)
            else:
                x = w.short[i]
                for d in range(count):
                    x = min(x, w.ware[w.chosen[d], i])
                v += x
        if v >= best:
            return best
    for d in range(count):
        w.best[d] = w.chosen[d]
    w.size[2] = count
    return v
