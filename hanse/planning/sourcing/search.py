"""Plans from prices: priced insertion, then a neighbourhood search that goes where the gap is.

At prices p with bound B(p), any plan's cost is
    B(p) + sum over orders of (its priced cost - its cheapest pattern) + sum of prices x stock left over,
so the gap lies, order by order, in the first sum (excess), and row by row in the second. A move takes one order
with excess,
frees what it would like from orders that hold it, and puts all of them back, each exactly, in a random sequence at
prices
scaled by a random factor; it is kept when the true cost falls (or rises by less than the temperature allows).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hanse.planning.sourcing.compiling import njit
from hanse.planning.sourcing.kernel import NODES_MAX, load, search
from hanse.planning.sourcing.placing import clear, place_units
from hanse.planning.sourcing.problem import Ints, Net
from hanse.planning.sourcing.work import Work

MOVE_MAX = 24  # most orders in one move
FACTORS = 5  # price levels 0, 1/4, 1/2, 3/4, 1


class State(NamedTuple):
    """A plan under search; all amounts minor units (value, priced: x scale)."""

    units: Ints  # [cand]
    left_t: Ints  # [stock]
    left_f: Ints  # [stock]
    left_p: Ints  # [place]
    cost: Ints  # [order] true cost
    excess: Ints  # [order] priced cost - cheapest pattern, >= 0
    value: Ints  # [order] cheapest pattern at the prices
    ideal: Ints  # [cand] units of that pattern
    floor: Ints  # [order] true cost if it had all stock to itself: no plan serves it for less


class Index(NamedTuple):
    """Who can draw on what."""

    cand_order: Ints  # [cand]
    row_ptr: Ints  # [stock + 1]
    row_cand: Ints  # candidates by stock row
    place_ptr: Ints  # [place + 1]
    place_pair: Ints  # pairs by place
    pair_order: Ints  # [pair]
    level_t: Ints  # [factor, stock]
    level_f: Ints  # [factor, stock]
    level_p: Ints  # [factor, place]


def index(net: Net, total: Ints, foreign: Ints, place: Ints) -> Index:
    """The lists of who competes, with the prices at each level."""
    line = np.repeat(np.arange(net.qty.size), np.diff(net.cand_ptr))
    order = np.repeat(np.arange(net.kmax.size), np.diff(net.line_ptr))[line]
    by_row = np.argsort(net.cand_row, kind="stable")
    by_place = np.argsort(net.pair_place, kind="stable")
    steps = np.arange(FACTORS)[:, None]

    def levels(price: Ints) -> Ints:
        return np.ascontiguousarray(price[None, :] * steps // (FACTORS - 1))

    return Index(
        cand_order=order.astype(np.int64),
        row_ptr=np.searchsorted(net.cand_row[by_row], np.arange(net.row_total.size + 1)).astype(np.int64),
        row_cand=by_row.astype(np.int64),
        place_ptr=np.searchsorted(net.pair_place[by_place], np.arange(net.place_cap.size + 1)).astype(np.int64),
        place_pair=by_place.astype(np.int64),
        pair_order=np.repeat(np.arange(net.kmax.size), np.diff(net.pair_ptr)).astype(np.int64),
        level_t=levels(total),
        level_f=levels(foreign),
        level_p=levels(place),
    )


def blank(net: Net, value: Ints, ideal: Ints, floor: Ints) -> State:
    """The plan that serves nobody."""
    short = np.concatenate([[0], np.cumsum(net.qty * net.pen)])
    cost = short[net.line_ptr[1:]] - short[net.line_ptr[:-1]]
    return State(
        units=np.zeros(net.cand_row.size, np.int64),
        left_t=net.row_total.copy(),
        left_f=net.row_foreign.copy(),
        left_p=net.place_cap.copy(),
        cost=cost.astype(np.int64),
        excess=np.zeros(net.kmax.size, np.int64),
        value=value,
        ideal=ideal,
        floor=floor,
    )


@njit
def insert(net: Net, o: int, scale: int, level: int, ix: Index, st: State, w: Work) -> int:
    """Serve order o (which has no units) from what is left, cheapest at this price level. Returns its true cost."""
    load(net, o, scale, ix.level_t[level], ix.level_f[level], ix.level_p[level], st.left_t, st.left_f, st.left_p, w)
    search(net, o, NODES_MAX, w)
    cost = place_units(net, o, st.units, st.left_t, st.left_f, st.left_p, -1, st.left_t, st.left_f, w)
    st.cost[o] = cost
    return cost


@njit
def set_excess(net: Net, o: int, scale: int, ix: Index, st: State, w: Work) -> None:
    """Priced cost of order o's units minus its cheapest pattern."""
    s0 = net.pair_ptr[o]
    for j in range(net.pair_ptr[o + 1] - s0):
        w.slot[j] = 0
    v = st.cost[o] * scale - st.value[o]
    for c in range(net.cand_ptr[net.line_ptr[o]], net.cand_ptr[net.line_ptr[o + 1]]):
        y = st.units[c]
        if y == 0:
            continue
        row = net.cand_row[c]
        v += y * ix.level_t[FACTORS - 1, row]
        if net.cand_own[c] == 0:
            v += y * ix.level_f[FACTORS - 1, row]
        j = net.cand_loc[c]
        if w.slot[j] == 0:
            w.slot[j] = 1
            v += ix.level_p[FACTORS - 1, net.pair_place[s0 + j]]
    st.excess[o] = v


@njit
def _fit(net: Net, o: int, units: Ints, st: State, w: Work) -> bool:
    """Serve order o (which has no units) by `units` of its candidates, if all of them are left; whether they were."""
    restore(net, o, 0, st, w, units)
    s0 = net.pair_ptr[o]
    fits = True
    for c in range(net.cand_ptr[net.line_ptr[o]], net.cand_ptr[net.line_ptr[o + 1]]):
        if st.units[c] > 0:
            row = net.cand_row[c]
            fits = fits and st.left_t[row] >= 0 and (net.cand_own[c] == 1 or st.left_f[row] >= 0)
            fits = fits and st.left_p[net.pair_place[s0 + net.cand_loc[c]]] >= 0
    if not fits:
        clear(net, o, st.units, st.left_t, st.left_f, st.left_p, 1, w)
    return fits


@njit
def insert_ideals(net: Net, sequence: Ints, scale: int, level: int, ix: Index, st: State, w: Work) -> None:
    """Serve the orders one after the other, each by its cheapest pattern where that is left: at good prices most are,
    and nothing needs to be searched; the others as `insert` does."""
    for x in range(sequence.size):
        o = sequence[x]
        a, b = net.cand_ptr[net.line_ptr[o]], net.cand_ptr[net.line_ptr[o + 1]]
        if not _fit(net, o, st.ideal[a:b], st, w):
            insert(net, o, scale, level, ix, st, w)
        set_excess(net, o, scale, ix, st, w)


@njit
def insert_again(net: Net, sequence: Ints, scale: int, level: int, ix: Index, st: State, w: Work, keep: Ints) -> None:
    """Take the orders out one after the other and serve each anew from what is left, at this price level.

    At level 0 the old units go back where they cost less: two lines of one item that share a remnant are served line by
    line, so the new may cost more. An order that has the pattern it would choose from all stock stays as it is: at the
    highest level the one without excess, below it the one that costs its floor. keep: buffer as long as the most
    candidates of an order.
    """
    for x in range(sequence.size):
        o = sequence[x]
        before = st.cost[o]
        if (st.excess[o] <= 0) if level == FACTORS - 1 else (before <= st.floor[o]):
            continue
        a = net.cand_ptr[net.line_ptr[o]]
        for c in range(a, net.cand_ptr[net.line_ptr[o + 1]]):
            keep[c - a] = st.units[c]
        clear(net, o, st.units, st.left_t, st.left_f, st.left_p, 1, w)
        insert(net, o, scale, level, ix, st, w)
        if level == 0 and st.cost[o] > before:
            clear(net, o, st.units, st.left_t, st.left_f, st.left_p, 1, w)
            restore(net, o, 0, st, w, keep)
        set_excess(net, o, scale, ix, st, w)


@njit
def draw(rng: Ints, n: int) -> int:
    """0..n-1 from a xorshift state rng[0] (never 0)."""
    x = np.uint64(rng[0])
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    rng[0] = np.int64(x)
    return int((x >> np.uint64(11)) % np.uint64(n))


@njit
def _join(o: int, count: int, group: Ints, mark: Ints, stamp: int, mine: Ints, me: int) -> int:
    if count < group.size and mark[o] != stamp and mine[o] == me:
        mark[o] = stamp
        group[count] = o
        count += 1
    return count


@njit
def _pick(orders: Ints, rounds: int, st: State, rng: Ints) -> int:
    """The order with most excess of a few drawn at random."""
    best = orders[draw(rng, orders.size)]
    for _ in range(rounds):
        o = orders[draw(rng, orders.size)]
        if st.excess[o] > st.excess[best]:
            best = o
    return int(best)


@njit
def _rivals(
    net: Net, o: int, limit: int, ix: Index, st: State, group: Ints, mark: Ints, stamp: int,
    mine: Ints, me: int, rng: Ints,
) -> int:  # fmt: skip
    """Order o and orders that hold what its cheapest pattern would take; returns how many are in `group`."""
    count = _join(o, 0, group, mark, stamp, mine, me)
    s0 = net.pair_ptr[o]
    for c in range(net.cand_ptr[net.line_ptr[o]], net.cand_ptr[net.line_ptr[o + 1]]):
        a = st.ideal[c]
        if a == 0:
            continue
        row = net.cand_row[c]
        free = st.left_t[row] if net.cand_own[c] == 1 else min(st.left_t[row], st.left_f[row])
        if free + st.units[c] < a:
            count = _holders(row, limit, count, ix, st, group, mark, stamp, mine, me, rng)
        place = net.pair_place[s0 + net.cand_loc[c]]
        if st.left_p[place] <= 0:
            n = ix.place_ptr[place + 1] - ix.place_ptr[place]
            for _ in range(3):
                if count < limit:
                    other = ix.pair_order[ix.place_pair[ix.place_ptr[place] + draw(rng, n)]]
                    count = _join(other, count, group, mark, stamp, mine, me)
    return count


@njit
def _holders(
    row: int, limit: int, count: int, ix: Index, st: State, group: Ints, mark: Ints, stamp: int,
    mine: Ints, me: int, rng: Ints,
) -> int:  # fmt: skip
    """Up to three orders with units of the row, from a random position on, and one that only asks for it."""
    a, n = ix.row_ptr[row], ix.row_ptr[row + 1] - ix.row_ptr[row]
    if n == 0:
        return count
    first = draw(rng, n)
    found = 0
    for x in range(n):
        c = ix.row_cand[a + (first + x) % n]
        if found >= 3 or count >= limit:
            break
        if mine[ix.cand_order[c]] == me and st.units[c] > 0:
            before = count
            count = _join(ix.cand_order[c], count, group, mark, stamp, mine, me)
            found += count - before
    if count < limit:
        c = ix.row_cand[a + draw(rng, n)]
        if mine[ix.cand_order[c]] == me and st.excess[ix.cand_order[c]] > 0:
            count = _join(ix.cand_order[c], count, group, mark, stamp, mine, me)
    return count


@njit
def improve(
    net: Net, orders: Ints, moves: int, scale: int, heat: int, ix: Index, st: State, w: Work,
    mine: Ints, me: int, mark: Ints, rng: Ints, keep: Ints,
) -> int:  # fmt: skip
    """Neighbourhood search over `orders` (those with mine[order] == me); returns the change of the true cost.

    heat: a worse plan is accepted when it costs less than a random number below `heat` minor units more. keep:
    buffer for the units
    of a move, as long as MOVE_MAX times the most candidates of an order. mark[order]: buffer below `rng[1]`.
    """
    group = np.zeros(MOVE_MAX, np.int64)
    gain = 0
    if orders.size == 0:
        return gain
    for _ in range(moves):
        rng[1] += 1
        stamp = rng[1]
        o = _pick(orders, 1 + draw(rng, 4), st, rng)
        limit = 2 + draw(rng, 10)
        count = _rivals(net, o, limit, ix, st, group, mark, stamp, mine, me, rng)
        if draw(rng, 2) == 0:  # what the group holds may suit others
            other = group[draw(rng, count)]
            count = _asking(net, other, limit, count, ix, st, group, mark, stamp, mine, me, rng)
        gain += _replant(net, group, count, scale, heat, ix, st, w, rng, keep)
    return gain


@njit
def _asking(
    net: Net, o: int, limit: int, count: int, ix: Index, st: State, group: Ints, mark: Ints, stamp: int,
    mine: Ints, me: int, rng: Ints,
) -> int:  # fmt: skip
    """Orders with excess that ask for a row on which order o holds units."""
    a, b = net.cand_ptr[net.line_ptr[o]], net.cand_ptr[net.line_ptr[o + 1]]
    for c in range(a, b):
        if st.units[c] > 0 and count < limit and draw(rng, 2) == 0:
            row = net.cand_row[c]
            n = ix.row_ptr[row + 1] - ix.row_ptr[row]
            for _ in range(3):
                other = ix.cand_order[ix.row_cand[ix.row_ptr[row] + draw(rng, n)]]
                if count < limit and mine[other] == me and st.excess[other] > 0:
                    count = _join(other, count, group, mark, stamp, mine, me)
    return count


@njit
def _replant(
    net: Net, group: Ints, count: int, scale: int, heat: int, ix: Index, st: State, w: Work, rng: Ints, keep: Ints
) -> int:  # fmt: skip
    """Take the group out, put it back in a random sequence; undo unless good enough. Returns the change of the
    true cost."""
    old = 0
    at = 0
    for x in range(count):
        o = group[x]
        for c in range(net.cand_ptr[net.line_ptr[o]], net.cand_ptr[net.line_ptr[o + 1]]):
            keep[at] = st.units[c]
            at += 1
        old += st.cost[o]
        clear(net, o, st.units, st.left_t, st.left_f, st.left_p, 1, w)
    seq = np.empty(count, np.int64)
    for x in range(count):
        seq[x] = group[x]
    first = 0 if draw(rng, 8) == 0 else 1  # mostly the order with excess goes first
    for x in range(count - 1, first, -1):
        y = first + draw(rng, x + 1 - first)
        seq[x], seq[y] = seq[y], seq[x]
    new = 0
    bar = old + (draw(rng, heat) if heat > 0 else 0)
    level = draw(rng, FACTORS)
    done = 0
    rest = 0  # what those still to come cost at least
    for x in range(count):
        rest += st.floor[seq[x]]
    while done < count:
        rest -= st.floor[seq[done]]
        new += insert(net, seq[done], scale, level, ix, st, w)
        done += 1
        if new + rest > bar:
            break
    if new <= bar and done == count:
        for x in range(count):
            set_excess(net, group[x], scale, ix, st, w)
        return new - old
    for x in range(done):
        clear(net, seq[x], st.units, st.left_t, st.left_f, st.left_p, 1, w)
    at = 0
    for x in range(count):
        at = restore(net, group[x], at, st, w, keep)
    return 0


@njit
def restore(net: Net, o: int, at: int, st: State, w: Work, keep: Ints) -> int:
    """Put order o's kept units back; returns the next position in `keep`."""
    s0 = net.pair_ptr[o]
    for j in range(net.pair_ptr[o + 1] - s0):
        w.slot[j] = 0
    cost = 0
    for l in range(net.line_ptr[o], net.line_ptr[o + 1]):
        left = net.qty[l]
        for c in range(net.cand_ptr[l], net.cand_ptr[l + 1]):
            y = keep[at]
            at += 1
            if y == 0:
                continue
            st.units[c] = y
            left -= y
            row = net.cand_row[c]
            cost += y * net.cand_cost[c]
            st.left_t[row] -= y
            if net.cand_own[c] == 0:
                st.left_f[row] -= y
            j = net.cand_loc[c]
            if w.slot[j] == 0:
                w.slot[j] = 1
                st.left_p[net.pair_place[s0 + j]] -= 1
                cost += net.pair_open[s0 + j]
        cost += left * net.pen[l]
    st.cost[o] = cost
    return at


@njit
def plant(net: Net, units: Ints, scale: int, ix: Index, st: State, w: Work) -> None:
    """Write a feasible plan's units [cand] into a blank state."""
    for o in range(net.kmax.size):
        a, b = net.cand_ptr[net.line_ptr[o]], net.cand_ptr[net.line_ptr[o + 1]]
        restore(net, o, 0, st, w, units[a:b])
        set_excess(net, o, scale, ix, st, w)
