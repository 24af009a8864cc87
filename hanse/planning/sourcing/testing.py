"""Problems for the tests of this package: small ones by hand, any shape by chance, the optimum by trying all."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from hypothesis import strategies as st

from hanse.planning.sourcing import Problem, plan_of, violations


def small(**more: Any) -> Problem:
    """Two orders of two lines, three sites; item 0 is scarce."""
    base = dict(
        line_order=[0, 0, 1, 1],
        line_item=[0, 1, 0, 1],
        line_qty_each=[5, 3, 5, 2],
        line_penalty_minor=500,
        cand_place=[[0, 1, 2], [0, 2, -1], [0, 1, 2], [1, 2, -1]],
        cand_cost_minor=[[10, 12, 9], [7, 8, 0], [11, 10, 30], [5, 6, 0]],
        open_cost_minor=100,
        stock_site=[0, 1, 2, 0, 1, 2],
        stock_item=[0, 0, 0, 1, 1, 1],
        stock_total_each=[6, 2, 1, 9, 9, 9],
    )
    return Problem.of(**(base | more))


@st.composite
def instances(draw: Any) -> Problem:
    """Tiny problems with every feature: owners, foreign limits, capacities, whole lines, repeated items, negative
    costs."""
    orders, sites, items = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    lines = draw(st.integers(orders, 4)) if orders < 4 else orders
    ints = st.integers
    line_order = list(range(orders)) + [draw(ints(0, orders - 1)) for _ in range(lines - orders)]
    cands = [sorted(draw(st.sets(ints(0, sites - 1), max_size=sites))) for _ in range(lines)]
    ptr = np.concatenate([[0], np.cumsum([len(c) for c in cands])])
    stock = [(s, i) for s in range(sites) for i in range(items)]
    total = [draw(ints(0, 4)) for _ in stock]
    return Problem.of(
        line_order=line_order,
        line_item=[draw(ints(0, items - 1)) for _ in range(lines)],
        line_qty_each=[draw(ints(1, 3)) for _ in range(lines)],
        line_penalty_minor=[draw(ints(0, 40)) for _ in range(lines)],
        line_whole=[draw(st.booleans()) for _ in range(lines)],
        cand_ptr=ptr,
        cand_place=np.array([s for c in cands for s in c], dtype=np.int64),
        cand_cost_minor=np.array([draw(ints(-5, 30)) for c in cands for _ in c], dtype=np.int64),
        open_cost_minor=[draw(ints(0, 25)) for _ in range(sites)],
        stock_site=[s for s, _ in stock],
        stock_item=[i for _, i in stock],
        stock_total_each=total,
        stock_foreign_each=[draw(ints(0, t)) for t in total],
        site_owner=[draw(ints(-1, 1)) for _ in range(sites)],
        order_owner=[draw(ints(-1, 1)) for _ in range(orders)],
        order_shipments_max=draw(ints(1, 2)),
        place_capacity_orders=[draw(ints(-1, 2)) for _ in range(sites)],
    )


def optimum(p: Problem) -> int:
    """By trying every split of every order (depth first, with the rules checked as they go)."""
    per_order = []
    for o in range(p.orders):
        cands = np.flatnonzero(p.line_order[p.cand_line] == o)
        ways = {}
        for y in itertools.product(*(range(int(p.line_qty_each[p.cand_line[c]]) + 1) for c in cands)):
            units = np.zeros(p.cand_place.size, np.int64)
            units[cands] = y
            if not violations(p, plan_of(p, units)):
                t = plan_of(p, units)
                ways[tuple(y)] = (t.cost_minor, units, t.opened)
        per_order.append(sorted(ways.values(), key=lambda w: w[0]))
    empty = plan_of(p, np.zeros(p.cand_place.size, np.int64)).cost_minor
    gains = [[(cost - empty, units, opened) for cost, units, opened in ways if cost <= empty] for ways in per_order]
    best = [empty]
    floor = [min((g[0] for g in ways), default=0) for ways in gains]

    def go(o: int, cost: int, units: np.ndarray) -> None:
        if cost + sum(floor[o:]) >= best[0] and not (o == p.orders and cost < best[0]):
            return
        if o == p.orders:
            best[0] = cost
            return
        for gain, more, _ in gains[o]:
            both = units + more
            if not violations(p, plan_of(p, both)):
                go(o + 1, cost + gain, both)

    go(0, empty, np.zeros(p.cand_place.size, np.int64))
    return best[0]


def medium(seed: int = 0, orders: int = 60, shift: int = 0) -> dict[str, Any]:
    """A few dozen orders over ten sites with scarce items; `shift` moves items so that two of them share nothing."""
    rng = np.random.default_rng(seed)
    lines, sites, items = orders * 2, 10, 12
    return dict(
        line_order=np.repeat(np.arange(orders), 2),
        line_item=rng.integers(0, items, lines) + shift,
        line_qty_each=rng.integers(1, 9, lines),
        line_penalty_minor=3000,
        cand_place=np.array([rng.permutation(sites)[:6] for _ in range(lines)]),
        cand_cost_minor=rng.integers(20, 900, (lines, 6)),
        open_cost_minor=rng.integers(300, 900, sites),
        stock_site=np.repeat(np.arange(sites), items),
        stock_item=np.tile(np.arange(items), sites) + shift,
        stock_total_each=rng.integers(0, 9, sites * items),
    )
