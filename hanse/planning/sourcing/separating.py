"""Finding cuts that a point breaks: compiled, one stock row at a time (see `cuts` for what a cut is).

For a step and a choice of the candidates that count as wholly used (OPEN or SERVED), what is best for every other entry
follows, entry by entry; so the search tries the lines' own quantities as steps, some fractions of the best, and changes
the choice one candidate at a time while that helps (Marchand and Wolsey, Aggregation and mixed integer rounding, 2001).
"""

from __future__ import annotations

import math

import numpy as np

from hanse.planning.sourcing.compiling import njit
from hanse.planning.sourcing.problem import Flags, Ints, Net

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

TINY = 1e-6
PASSES = 3  # over the candidates of a row, changing the choice
STARTS = 4  # choices to begin with


@njit
def _stepped(v: int, step: int, over: int) -> int:
    floor = v // step
    return floor * (step - over) + max(0, v - floor * step - over)


@njit
def _elsewhere(net: Net, l: int, c: int, step: int, over: int, x: Floats, y: Floats, a: Ints) -> tuple[float, float]:
    """(left side, squared norm) of line l as SERVED by candidate c, with those of its other sources that help."""
    left, norm = y[c] - net.qty[l], 1.0
    for e in range(net.cand_ptr[l], net.cand_ptr[l + 1]):
        if e != c and a[e] > 0:
            f = _stepped(-a[e], step, over)
            v = y[e] + f * x[e]
            if v > 0 or (x[e] < TINY and a[e] + f > 0):
                left += v
                if x[e] > TINY:
                    norm += 1.0 + float(f) * f
    return left, norm


@njit
def broken_by(
    net: Net, b: int, cs: Ints, line: Ints, big: Flags, step: int, x: Floats, y: Floats, a: Ints,
    emit: bool, cand: Ints, kind: Ints,
) -> tuple[float, int]:  # fmt: skip
    """(how far the point is beyond the cut, as a distance; entries written to cand, kind when `emit`).

    cs: candidates of the row that holds b each; big[i]: whether cs[i] counts as wholly used; x, y, a [cand]: opened,
    units, most units.
    """
    rest = b
    for i in range(cs.size):
        if big[i]:
            rest -= a[cs[i]]
    floor = rest // step
    over = rest - floor * step
    if over == 0:
        return 0.0, 0
    left, norm, n = -float(floor * (step - over)), 0.0, 0
    for i in range(cs.size):
        c = cs[i]
        l = line[c]
        if not big[i]:
            f = _stepped(a[c], step, over)
            v = y[c] + (f - a[c]) * x[c]
            if v > 0 or (x[c] < TINY and f > 0):
                left += v
                if x[c] > TINY:
                    norm += 1.0 + float(f - a[c]) ** 2
                if emit:
                    cand[n], kind[n] = c, 0
                    n += 1
            continue
        f = -_stepped(-a[c], step, over)
        v = y[c] + (f - a[c]) * x[c] - f
        if a[c] == net.qty[l]:
            served, size = _elsewhere(net, l, c, step, over, x, y, a)
            if served > v + 1e-9:
                left += served
                norm += size
                if emit:
                    n = _emit_served(net, l, c, step, over, x, y, a, cand, kind, n)
                continue
        left += v
        norm += 1.0 + float(f - a[c]) ** 2
        if emit:
            cand[n], kind[n] = c, 1
            n += 1
    return (left / math.sqrt(norm) if norm > 0 else 0.0), n


@njit
def _emit_served(
    net: Net, l: int, c: int, step: int, over: int, x: Floats, y: Floats, a: Ints, cand: Ints, kind: Ints, n: int
) -> int:
    cand[n], kind[n] = c, 2
    n += 1
    for e in range(net.cand_ptr[l], net.cand_ptr[l + 1]):
        if e != c and a[e] > 0:
            f = _stepped(-a[e], step, over)
            if y[e] + f * x[e] > 0 or (x[e] < TINY and a[e] + f > 0):
                cand[n], kind[n] = e, 3
                n += 1
    return n


@njit
def best_cut(
    net: Net, b: int, cs: Ints, line: Ints, start: int, x: Floats, y: Floats, a: Ints, big: Flags, cand: Ints,
    kind: Ints,
) -> tuple[float, int, int]:  # fmt: skip
    """(distance, step, entries) of the most broken cut found on a row from the start-th choice; big stays as chosen."""
    for i in range(cs.size):
        c = cs[i]
        share = x[c] if start < 2 else y[c] / a[c]
        big[i] = share >= (0.5 if start % 2 == 0 else 0.999)
    best, step = 0.0, 0
    for _ in range(PASSES):
        before = best
        for i in range(cs.size):
            d = a[cs[i]]
            if x[cs[i]] > TINY and d >= 2 and d != step:
                v = broken_by(net, b, cs, line, big, d, x, y, a, False, cand, kind)[0]
                if v > best + 1e-9:
                    best, step = v, d
        if step == 0:
            return 0.0, 0, 0
        for part in (2, 3, 4, 8):
            d = step // part
            if d >= 2:
                v = broken_by(net, b, cs, line, big, d, x, y, a, False, cand, kind)[0]
                if v > best + 1e-9:
                    best, step = v, d
        for i in range(cs.size):
            if x[cs[i]] > TINY:
                big[i] = 1 - big[i]
                v = broken_by(net, b, cs, line, big, step, x, y, a, False, cand, kind)[0]
                if v > best + 1e-9:
                    best = v
                else:
                    big[i] = 1 - big[i]
        if best <= before + 1e-9:
            break
    n = broken_by(net, b, cs, line, big, step, x, y, a, True, cand, kind)[1]
    return best, step, n
