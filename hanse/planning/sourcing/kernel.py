"""The cheapest way to serve one order at given prices, exactly, in integers: the loop everything else is built on.

For an open set of places the lines of an order do not touch each other: each fills from the cheapest open place,
up to what is
there. What one more place saves never grows as the set grows (the saving is submodular), so a depth-first search
over place
sets, most saving place first, is cut where
    cost so far - the r largest savings left, each taken alone  >=  best plan        (r shipments left), or where
    opened so far + sum over lines of min(cost so far, cheapest to come with its share of the opening)  >=  best plan.
A place whose saving no longer pays for its opening is dropped from the whole subtree (Nemhauser, Wolsey and
Fisher, 1978).

Amounts here are minor units x scale; `scale * cost + price` is exact in int64 (see `problem.MONEY_MAX`).
"""

from __future__ import annotations

from hanse.planning.sourcing.compiling import njit
from hanse.planning.sourcing.problem import Ints, Net
from hanse.planning.sourcing.work import Work

NODES_MAX = 40_000  # savings computed for one order; beyond it the bound stays valid, it only gets weaker


@njit
def load(net: Net, o: int, scale: int, pt: Ints, pf: Ints, pp: Ints, at: Ints, af: Ints, ap: Ints, w: Work) -> int:
    """Fill the scratch for order o at prices pt (total), pf (foreign), pp (place) and availability at, af, ap.

    Returns the cost of leaving the whole order short. Places that cannot pay for their opening are left out: what
    a place
    saves beside others is at most what it saves alone.
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
        w.seg_unit[0, i, 0] = pen
        w.seg_each[0, i, 0] = q
        w.seg_count[0, i] = 1
        w.line_cost[0, i] = q * pen
        base += q * pen
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
                w.alone[k] = -w.opening[k]
                for t in range(m):
                    w.take[k, t] = 0
            w.unit[k, i] = u
            w.take[k, i] = a
            w.cand[k, i] = c
            w.alone[k] += a * (pen - u)
    w.size[0] = n
    w.size[1] = m
    w.cost[0] = base
    w.opened[0] = 0
    return base


@njit
def _start(net: Net, o: int, w: Work) -> None:
    """Root of the search: paying places by what they save alone, falling, and the bounds over those still to come."""
    n, m = w.size[0], w.size[1]
    l0 = net.line_ptr[o]
    count = 0
    for k in range(n):
        w.save[0, k] = w.alone[k]
        if w.alone[k] > 0:
            w.todo[0, count] = k
            count += 1
    w.number[0] = count
    _sort(w, 0, count)
    for i in range(m):
        q = net.qty[l0 + i]
        low = w.line_cost[0, i]
        w.share[count, i] = low
        for x in range(count - 1, -1, -1):
            k = w.todo[0, x]
            if w.take[k, i] > 0:
                low = min(low, q * w.unit[k, i] + w.opening[k] // m)
            w.share[x, i] = low


@njit
def _sort(w: Work, d: int, count: int) -> None:
    """Insertion sort of `todo[d]` by what each saves, falling; stable, so ties keep their order."""
    for a in range(1, count):
        k = w.todo[d, a]
        v = w.save[d, k]
        b = a
        while b > 0 and w.save[d, w.todo[d, b - 1]] < v:
            w.todo[d, b] = w.todo[d, b - 1]
            b -= 1
        w.todo[d, b] = k


@njit
def _saving(w: Work, d: int, k: int, m: int) -> int:
    """What place k saves beside the set at depth d, its opening paid: it replaces the dearest units first."""
    v = -w.opening[k]
    for i in range(m):
        a = w.take[k, i]
        if a <= 0:
            continue
        u = w.unit[k, i]
        for x in range(w.seg_count[d, i]):
            gap = w.seg_unit[d, i, x] - u
            if gap <= 0:
                break
            b = w.seg_each[d, i, x]
            if b >= a:
                v += a * gap
                break
            v += b * gap
            a -= b
    return int(v)


@njit
def _open(w: Work, d: int, k: int, m: int) -> None:
    """The state at depth d + 1: the set at depth d and place k."""
    w.opened[d + 1] = w.opened[d] + w.opening[k]
    total = w.opened[d + 1]
    for i in range(m):
        a = w.take[k, i]
        u = w.unit[k, i]
        n = w.seg_count[d, i]
        e = d + 1
        x = 0
        gone = 0
        while a > 0 and x < n and w.seg_unit[d, i, x] > u:  # segments replaced wholly or in part
            b = min(a, w.seg_each[d, i, x])
            gone += b
            a -= b
            if b < w.seg_each[d, i, x]:
                break
            x += 1
        y = 0
        line = 0
        placed = gone == 0
        cut = gone
        for z in range(x):
            cut -= w.seg_each[d, i, z]
        for z in range(x, n):
            b = w.seg_each[d, i, z] - cut
            cut = 0
            if not placed and w.seg_unit[d, i, z] <= u:
                w.seg_unit[e, i, y] = u
                w.seg_each[e, i, y] = gone
                line += gone * u
                y += 1
                placed = True
            w.seg_unit[e, i, y] = w.seg_unit[d, i, z]
            w.seg_each[e, i, y] = b
            line += b * w.seg_unit[d, i, z]
            y += 1
        if not placed:
            w.seg_unit[e, i, y] = u
            w.seg_each[e, i, y] = gone
            line += gone * u
            y += 1
        w.seg_count[e, i] = y
        w.line_cost[e, i] = line
        total += line
    w.cost[d + 1] = total


@njit
def _keep(w: Work, count: int, last: int) -> None:
    for d in range(count - 1):
        w.best[d] = w.chosen[d]
    w.best[count - 1] = last
    w.size[2] = count


@njit
def _last(w: Work, d: int, best: int, m: int) -> tuple[int, int]:
    """Best single addition to the set at depth d + 1 among what is left at depth d: (cost, savings computed)."""
    nodes = 0
    for x in range(w.pos[d], w.number[d]):
        k = w.todo[d, x]
        if w.cost[d + 1] - w.save[d, k] >= best:
            break  # it saved no more when the set was smaller, nor do those after it
        nodes += 1
        v = w.cost[d + 1] - _saving(w, d + 1, k, m)
        if v < best:
            best = v
            _keep(w, d + 2, k)
    return best, nodes


@njit
def _low(w: Work, d: int, left: int, root: int, m: int) -> int:
    """A lower bound on every set that adds up to `left` of the places from `pos[d]` on to the set at depth d."""
    low = w.cost[d]
    for x in range(w.pos[d], min(w.number[d], w.pos[d] + left)):
        low -= w.save[d, w.todo[d, x]]
    other = w.opened[d]
    for i in range(m):
        other += min(w.line_cost[d, i], w.share[root, i])
    return int(max(low, other))


@njit
def search(net: Net, o: int, nodes_max: int, w: Work) -> tuple[int, int]:
    """(cost of the best set found, proven lower bound) of the loaded order; the set is left in `w.best`, `w.size[2]`.

    Both are equal unless the search was cut at `nodes_max`.
    """
    m = w.size[1]
    _start(net, o, w)
    depth = min(net.kmax[o], w.number[0])
    best = w.cost[0]
    floor = best
    w.size[2] = 0
    w.pos[0] = 0
    nodes = 0
    d = 0 if depth > 0 else -1
    while d >= 0:
        if w.pos[d] >= w.number[d] or _low(w, d, depth - d, w.pos[0], m) >= best:
            d -= 1
            continue
        if nodes > nodes_max:
            floor = min(floor, _low(w, d, depth - d, w.pos[0], m))
            d -= 1
            continue
        k = w.todo[d, w.pos[d]]
        w.pos[d] += 1
        w.chosen[d] = k
        v = w.cost[d] - w.save[d, k]
        if v < best:
            best = v
            _keep(w, d + 1, k)
        if d + 1 >= depth:
            continue
        low = v
        for x in range(w.pos[d], min(w.number[d], w.pos[d] + depth - d - 1)):
            low -= w.save[d, w.todo[d, x]]
        if low >= best:
            continue
        _open(w, d, k, m)
        if d + 2 == depth:
            best, more = _last(w, d, best, m)
            nodes += more
            continue
        count = 0
        for x in range(w.pos[d], w.number[d]):
            t = w.todo[d, x]
            s = _saving(w, d + 1, t, m)
            if s > 0:
                w.save[d + 1, t] = s
                w.todo[d + 1, count] = t
                count += 1
        nodes += count
        w.number[d + 1] = count
        w.pos[d + 1] = 0
        _sort(w, d + 1, count)
        d += 1
    return best, min(best, floor)
