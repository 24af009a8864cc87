"""Cuts: what every plan keeps and prices of stock alone do not say; with them a bound is higher, and still checked.

A stock row with b units rarely divides into whole lines, and a shipment opened for the remnant costs its fixed cost all
the same; patterns in fractions spread over it. A cut names entries (a line's candidate, and what it stands for) and a
step d; its coefficients follow from these by the formula below, so *any* list of entries gives an inequality that holds
for every plan: a cut can be weak, never wrong. With a = the most units of the candidate, q = the line's quantity,
x = 1 where its shipment is opened, y = its units:

    rest = b - sum of a over OPEN - sum of q over SERVED,   r = rest mod d,
    f(v) = floor(v / d) * (d - r) + max(0, v mod d - r)
    sum of y  +  sum of x * c   <=   floor(rest / d) * (d - r) + sum of -f(-a) over OPEN + sum of q over SERVED
    c = f(a) - a for MAY;  -f(-a) - a for OPEN;  0 for SERVED;  f(-a) for ELSE (another source of a line SERVED)

Proof: in "sum of y over the row <= b" put y = a x - slack for MAY and OPEN, with x = 1 - z for OPEN, and for SERVED
y = q - short - (units from elsewhere), of which -y >= -a x for ELSE; drop other y; round by mixed-integer rounding of
step d, times d - r; put the slacks back. Sources: mixed-integer rounding, Nemhauser and Wolsey (1990), in the form of
Marchand and Wolsey (2001, with bounds substituted and variables complemented); of MAY and OPEN alone these are flow
covers, Padberg, Van Roy and Wolsey (1985).

At a price p >= 0 on a cut its entries cost p more a unit, its shipments p * -c less to open, and p * right side is
paid: orders are priced one by one as without cuts. An opening below 0 counts as 0, and what is below is paid: still a
bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hanse.planning.sourcing.plan import Prices
from hanse.planning.sourcing.prices import Pricer, dot
from hanse.planning.sourcing.problem import Flags, Ints, Net, Problem

MAY, OPEN, SERVED, ELSE = range(4)
WEIGHT_MAX = 2**59  # sum of price x units over all cuts


@dataclass
class Cuts:
    """Cuts with their prices, and the stock prices that go with them; `prices.bound` is what all of it proves."""

    prices: Prices
    row: Ints  # [cut] stock row
    foreign: Flags  # [cut] 1: of the row's part open to other owners, 0: of its total
    step: Ints  # [cut] >= 1, each
    price: Ints  # [cut] >= 0, 1/scale minor units per each
    ptr: Ints  # [cut + 1] into entries
    cand: Ints  # [entry] candidates of the problem, each once a cut
    kind: Ints  # [entry] MAY, OPEN, SERVED (candidates of the row), ELSE (others of a line that is SERVED in the cut)


def most_units(problem: Problem) -> Ints:
    """[cand] the most units that a candidate may serve alone: the line's, or what there is for its order."""
    held = problem.cand_stock >= 0
    row = problem.cand_stock[held]
    there = np.zeros(problem.cand_place.size, np.int64)
    there[held] = np.where(problem.cand_own[held] == 1, problem.stock_total_each[row], problem.stock_foreign_each[row])
    return np.minimum(problem.line_qty_each[problem.cand_line], there)


def faults(problem: Problem, c: Cuts) -> list[str]:
    """What makes the cuts no cuts of this problem, in words: shapes, ranges, entries, size. Linear time, but a sort."""
    cuts, entries = c.row.size, c.cand.size
    arrays = (c.row, c.foreign, c.step, c.price, c.ptr, c.cand, c.kind)
    if any(not isinstance(v, np.ndarray) or v.ndim != 1 or v.dtype.kind not in "iu" for v in arrays):
        return ["cuts: arrays of integers expected"]
    if {c.foreign.size, c.step.size, c.price.size, c.ptr.size - 1} != {cuts} or c.kind.size != entries:
        return ["cuts: arrays of the same length expected"]
    if c.ptr[0] != 0 or c.ptr[-1] != entries or (np.diff(c.ptr) < 0).any():
        return ["cuts: ptr from 0 to the number of entries, never falling, expected"]
    ranges = (
        ("row", c.row, problem.stock_site.size), ("foreign", c.foreign, 2), ("step", c.step, 2**41),
        ("price", c.price, 2**50), ("cand", c.cand, problem.cand_place.size), ("kind", c.kind, 4),
    )  # fmt: skip
    for name, array, end in ranges:
        if array.size and (int(array.min()) < (name == "step") or int(array.max()) >= end):
            return [f"cuts: {name} out of range"]
    cut = np.repeat(np.arange(cuts), np.diff(c.ptr))
    line, stock = problem.cand_line[c.cand], problem.cand_stock[c.cand]
    mine = c.kind != ELSE
    if (stock[mine] != c.row[cut][mine]).any() or (stock < 0).any():
        return ["cuts: an entry is no candidate of the cut's stock row"]
    if (problem.cand_own[c.cand] & (c.foreign[cut] == 1) & mine).any():
        return ["cuts: an own order counts in no cut of what is open to others"]
    if np.unique(cut * problem.cand_place.size + c.cand).size != entries:
        return ["cuts: a candidate counts twice in a cut"]
    key = cut * problem.lines + line
    served = key[c.kind == SERVED]
    if np.unique(served).size != served.size or not np.isin(key[~mine], served).all():
        return ["cuts: a line is served once in a cut, and has other sources only where it is served"]
    there = np.where(c.foreign == 1, problem.stock_foreign_each[c.row], problem.stock_total_each[c.row])
    asked = [sum(problem.line_qty_each[line[a:b]].tolist()) for a, b in zip(c.ptr[:-1], c.ptr[1:], strict=True)]
    weight = sum(p * (int(t) + 2 * q + int(d))
                 for p, t, q, d in zip(c.price.tolist(), there, asked, c.step, strict=True))  # fmt: skip
    return ["cuts: prices too large to be checked in 64-bit integers"] if weight >= WEIGHT_MAX else []


def terms(problem: Problem, c: Cuts) -> tuple[Ints, Ints]:
    """([entry] coefficient of the entry's opened shipment, each; [cut] right side, each). Of cuts without `faults`."""
    cut = np.repeat(np.arange(c.row.size), np.diff(c.ptr))
    a, asked = most_units(problem)[c.cand], problem.line_qty_each[problem.cand_line[c.cand]]
    there = np.where(c.foreign == 1, problem.stock_foreign_each[c.row], problem.stock_total_each[c.row])
    less = np.where(c.kind == OPEN, a, np.where(c.kind == SERVED, asked, 0))
    rest = there - _sums(cut, less, c.row.size)
    floor, over = rest // c.step, rest % c.step

    def stepped(v: Ints) -> Ints:
        d, r = c.step[cut], over[cut]
        return v // d * (d - r) + np.maximum(0, v % d - r)

    up, down = stepped(a), stepped(-a)
    coefficient = np.select([c.kind == MAY, c.kind == OPEN, c.kind == SERVED], [up - a, -down - a, 0 * a], down)
    right = floor * (c.step - over) + _sums(cut, np.where(c.kind == OPEN, -down, 0), c.row.size)
    return coefficient, right + _sums(cut, np.where(c.kind == SERVED, asked, 0), c.row.size)


def _sums(cut: Ints, value: Ints, cuts: int) -> Ints:
    out = np.zeros(cuts, np.int64)
    np.add.at(out, cut, value)
    return out


def priced_net(problem: Problem, c: Cuts) -> tuple[Net, int]:
    """(the net in 1/scale of a minor unit at the prices of the cuts, what they cost beside; 1/scale minor units)."""
    coefficient, right = terms(problem, c)
    price = np.repeat(c.price, np.diff(c.ptr))
    unit = np.zeros(problem.cand_place.size, np.int64)
    np.add.at(unit, c.cand, price)
    opening = np.zeros(problem.open_order.size, np.int64)
    np.add.at(opening, problem.cand_pair[c.cand], price * coefficient)
    opening = opening[np.argsort(problem.open_order, kind="stable")]  # as the net numbers them
    net, scale = problem.net, c.prices.scale
    opening += net.pair_open * scale
    below = sum(opening[opening < 0].tolist())
    cost = net.cand_cost * scale + unit[problem.net_cand]
    scaled = net._replace(pen=net.pen * scale, cand_cost=cost, pair_open=np.maximum(0, opening))
    return scaled, dot(c.price, right) - below


def bound_scaled(problem: Problem, c: Cuts) -> int:
    """What the cuts, their prices and the stock prices prove: no plan costs less; minor units x scale."""
    net, paid = priced_net(problem, c)
    return Pricer(net, 1)(c.prices.total, c.prices.foreign, c.prices.place) - paid
