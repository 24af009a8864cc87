"""A plan bettered by integer programs: the natural program of some orders at a time, on the candidates that matter.

At good prices nearly every shipment of a good plan has a reduced cost of zero (99% of them, measured): what its order
would pay more, at the prices, for being made to open it. So a program that knows of the `NEAR` cheapest pairs an order,
and of those that the plan uses, misses little, and is solved nearly to its end where the whole is out of reach. A round
deals items to parts at random, and with them the orders that contest them and what is left of their stock; parts share
nothing, so two are solved at once and the result depends on the seed alone. A neighbourhood search whose neighbourhoods
are solved by an integer program: Shaw (1998); fixing by reduced costs: Danna, Rothberg and Le Pape (2005).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hanse.planning.sourcing.compiling import njit
from hanse.planning.sourcing.kernel import NODES_MAX, load, search
from hanse.planning.sourcing.natural import natural_mip
from hanse.planning.sourcing.plan import Prices, plan_of
from hanse.planning.sourcing.prices import THREADS
from hanse.planning.sourcing.problem import Ints, Net, Problem
from hanse.planning.sourcing.work import Work, workspace

NEAR = 3.0  # pairs an order that the first programs may use, on average
WIDER, NEAR_MAX = 1.3, 8.0  # each round so many times more, up to this
ORDERS_MAX = 2_000  # orders of one program: smaller ones, for less time, gain less than the search does meanwhile
SECONDS = 0.0015  # an order of a program, at least, measured
NODES = 1  # branch-and-bound nodes of one program: nearly all is found at the root
GAP = 1e-4  # share of the cost at which a program ends
FAR = 2**61  # above any amount x scale


@njit
def reduced_costs(net: Net, lo: int, hi: int, scale: int, pt: Ints, pf: Ints, pp: Ints, out: Ints, w: Work) -> None:
    """out[pair] for orders lo..hi-1: what the cheapest pattern that opens this pair costs more, minor units x scale.

    FAR where the pair cannot serve anything at these prices.
    """
    for o in range(lo, hi):
        load(net, o, scale, pt, pf, pp, net.row_total, net.row_foreign, net.place_cap, w)
        value = search(net, o, NODES_MAX, w)[0]
        for j in range(net.pair_ptr[o + 1] - net.pair_ptr[o]):
            out[net.pair_ptr[o] + j] = FAR
        for k in range(w.size[0]):
            w.opening[k] -= FAR  # so the search opens it
            w.alone[k] += FAR
            out[net.pair_ptr[o] + w.local[k]] = search(net, o, NODES_MAX, w)[0] + FAR - value
            w.opening[k] += FAR
            w.alone[k] -= FAR


def reduced(problem: Problem, prices: Prices) -> Ints:
    """[cand] the reduced cost of its pair, minor units x scale; FAR where it can serve nothing."""
    net = problem.net
    out = np.full(net.pair_place.size, FAR, np.int64)
    cuts = np.linspace(0, net.kmax.size, THREADS + 1).astype(np.int64)

    def one(k: int) -> None:
        reduced_costs(net, cuts[k], cuts[k + 1], prices.scale, prices.total, prices.foreign, prices.place, out,
                      workspace(net))  # fmt: skip

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(THREADS)))
    given = np.empty(out.size, np.int64)
    given[np.argsort(problem.open_order, kind="stable")] = out
    return given[problem.cand_pair]


class Polish:
    """Rounds of integer programs over one problem; `item_of_order` [order] says whom an order is dealt with."""

    def __init__(self, problem: Problem, prices: Prices, item_of_order: Ints, item_of_row: Ints, seed: int) -> None:
        self.problem = problem
        self.cost = reduced(problem, prices)
        first = np.unique(problem.cand_pair, return_index=True)[1]
        self.rising = np.sort(self.cost[first])  # [pair]
        self.near = NEAR
        self.item_of_order, self.item_of_row = item_of_order, item_of_row
        self.rng = np.random.default_rng([seed, 1])
        self.parts = max(1, -(-problem.orders // ORDERS_MAX))

    def round(self, units: Ints, left: Callable[[], float], cancel: Callable[[], bool]) -> Ints:
        """The units [cand] of a plan that costs no more; `left`: seconds until the programs must end.

        Each round lets the programs use more pairs than the one before.
        """
        most = min(self.rising.size, int(self.near * self.problem.orders))
        limit = min(int(self.rising[most - 1]), FAR - 1) if most else 0
        self.near = min(self.near * WIDER, NEAR_MAX)
        kept = (self.cost <= limit) | (units > 0)
        problem, cands = _narrow(self.problem, kept)
        of_order, of_row, of_place = self._deal(problem)
        standing = units[cands]

        def drawn(orders: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
            return _drawn(problem, standing, orders)

        have = (problem.stock_total_each, problem.stock_foreign_each, problem.place_capacity_orders)
        free = [there - gone for there, gone in zip(have, drawn(np.ones(problem.orders, bool)), strict=True)]

        def one(h: int) -> tuple[Ints, Ints]:
            if left() <= 0 or cancel():
                return np.zeros(0, np.int64), np.zeros(0, np.int64)
            part, _, mine = problem.subset(of_order == h)
            used = drawn(of_order == h)
            total, foreign, capacity = (
                mine_of + np.where(side == h, spare, 0)
                for mine_of, spare, side in zip(used, free, (of_row, of_row, of_place), strict=True)
            )
            part = replace(part, stock_total_each=total, stock_foreign_each=np.minimum(foreign, total),
                           place_capacity_orders=np.where(problem.place_capacity_orders < 0, -1, capacity))  # fmt: skip
            start = plan_of(part, units[cands[mine]])
            better, _ = natural_mip(part, left(), start, nodes=NODES, gap=GAP, cancel=cancel)
            if better is None or better.cost_minor >= start.cost_minor:
                return np.zeros(0, np.int64), np.zeros(0, np.int64)
            return cands[mine], better.units

        out = units.copy()
        with ThreadPoolExecutor(THREADS) as pool:
            for where, better in pool.map(one, range(int(of_order.max(initial=-1)) + 1)):
                out[where] = better
        return out

    def widest(self) -> bool:
        """Whether the next round would use no more pairs than the last one did."""
        return self.near >= NEAR_MAX

    def _deal(self, problem: Problem) -> tuple[Ints, Ints, Ints]:
        """[order], [stock], [place] the part that each is dealt to; parts of about as many orders."""
        items = 1 + int(max(self.item_of_order.max(initial=0), self.item_of_row.max(initial=0)))
        sequence = self.rng.permutation(items)
        count = np.bincount(self.item_of_order, minlength=items)[sequence]
        side = np.zeros(items, np.int64)
        side[sequence] = (np.cumsum(count) - count) * self.parts // max(1, problem.orders)
        limited = self.rng.integers(0, self.parts, problem.places)
        return side[self.item_of_order], side[self.item_of_row], limited


def _narrow(problem: Problem, kept: NDArray[np.bool_]) -> tuple[Problem, Ints]:
    """(the problem with these candidates [cand] alone, its cand -> cand)."""
    cands = np.flatnonzero(kept)
    pairs = np.zeros(problem.open_order.size, bool)
    pairs[problem.cand_pair[cands]] = True
    return replace(
        problem,
        cand_ptr=np.searchsorted(problem.cand_line[cands], np.arange(problem.lines + 1)).astype(np.int64),
        cand_place=problem.cand_place[cands],
        cand_cost_minor=problem.cand_cost_minor[cands],
        open_order=problem.open_order[pairs],
        open_place=problem.open_place[pairs],
        open_cost_minor=problem.open_cost_minor[pairs],
    ), cands


def _drawn(problem: Problem, units: Ints, orders: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """What some orders take: stock [stock], of it what is for other owners [stock], shipments [place].

    What is left over for other owners is not cut to what is left over in all: parts would get it twice.
    """
    used = np.flatnonzero((units > 0) & orders[problem.line_order[problem.cand_line]])
    total, foreign = np.zeros((2, problem.stock_site.size), np.int64)
    np.add.at(total, problem.cand_stock[used], units[used])
    strange = used[problem.cand_own[used] == 0]
    np.add.at(foreign, problem.cand_stock[strange], units[strange])
    opened = np.unique(problem.cand_pair[used])
    return total, foreign, np.bincount(problem.open_place[opened], minlength=problem.places).astype(np.int64)
