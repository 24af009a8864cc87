"""A proof of how good a plan is, that anyone with the costs can re-check in linear time and exact integers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from hanse.planning.sourcing import cuts
from hanse.planning.sourcing.cuts import Cuts
from hanse.planning.sourcing.plan import Plan, Prices, gap_ppm, violations
from hanse.planning.sourcing.prices import Pricer, dot
from hanse.planning.sourcing.problem import QTY_MAX, SCALE_MAX, Ints, Problem

AMOUNT_MAX = 2**60  # every partial sum of the check stays below this: see `_prices_fit`


@dataclass
class Certificate:
    """Integer prices and the bound that they prove.

    At prices p >= 0 every plan costs at least
        ( sum over orders of the cheapest pattern at scale * costs + p  -  sum of p x what there is ) / scale.
    bound_scaled is the bracket; lower_bound_minor the quotient rounded up, as costs are integers. With `cuts` the
    bracket is that of `cuts.bound_scaled`, at the prices named here.
    """

    total: Ints  # [stock] price per each, 1/scale minor units
    foreign: Ints  # [stock] on top, for orders of other owners
    place: Ints  # [place] per shipment, 0 where the place has no limit
    scale: int
    bound_scaled: int
    lower_bound_minor: int
    cost_minor: int
    gap_ppm: int  # (cost - bound) / bound, rounded up
    digest: str  # SHA-256 over problem, plan and all of this
    cuts: Cuts | None = None  # their `prices` are not read


@dataclass
class CheckResult:
    """What a check found: `faults` is empty exactly when the plan is feasible and everything stated is right."""

    faults: list[str]
    cost_minor: int | None = None
    lower_bound_minor: int | None = None
    gap_ppm: int | None = None

    @property
    def ok(self) -> bool:
        return not self.faults


def certificate(problem: Problem, plan: Plan, by_cuts: bool | None = None) -> Certificate:
    """The certificate of a plan that carries prices; of its cuts where they prove more, or as `by_cuts` says.

    Raises: ValueError when the plan has no prices, or they are out of range.
    """
    if plan.prices is None:
        raise ValueError("plan: no prices, so nothing is proven")
    p, more = plan.prices, plan.cuts
    if more is not None and (more.prices.bound > p.bound if by_cuts is None else by_cuts):
        p = more.prices
    else:
        more = None
    c = Certificate(p.total, p.foreign, p.place, p.scale, 0, 0, plan.cost_minor, 0, "", more)
    faults = _prices_fit(problem, c)
    if faults:
        raise ValueError("; ".join(faults))
    c.bound_scaled = _bound(problem, c)
    c.lower_bound_minor = -(-c.bound_scaled // c.scale)
    c.gap_ppm = gap_ppm(c.cost_minor, c.lower_bound_minor)
    c.digest = _digest(problem, plan, c)
    return c


def check(problem: Problem, plan: Plan, cert: Certificate) -> CheckResult:
    """Re-check a plan and its certificate; nothing stated is believed.

    Faults, in order: prices or cuts out of shape or range; digest; every rule the plan breaks, by name; bound; cost;
    gap.
    Exact: int64 whose sums are proven to stay below 2**60 (dearest plan < 2**50 minor units, scale <= 1024, prices
    refused when too
    large), and Python integers where prices meet stock. Time: linear in candidates for orders whose search stays within
    `kernel.NODES_MAX`; beyond it the bound is merely weaker, the same for everybody.
    """
    faults = _prices_fit(problem, cert)
    if faults:
        return CheckResult(faults)
    faults = violations(problem, plan)
    if not faults and _digest(problem, plan, cert) != cert.digest:
        faults.append("digest: not that of this problem, plan and prices")
    scaled = _bound(problem, cert)
    low = -(-scaled // cert.scale)
    if scaled != cert.bound_scaled or low != cert.lower_bound_minor:
        faults.append(
            f"bound: stated {cert.lower_bound_minor} minor units ({cert.bound_scaled} at the scale),"
            f" these prices prove {low} ({scaled})"
        )
    if cert.cost_minor != plan.cost_minor:
        faults.append(f"cost: certificate {cert.cost_minor}, plan {plan.cost_minor} minor units")
    gap = gap_ppm(plan.cost_minor, low)
    if gap != cert.gap_ppm:
        faults.append(f"gap: stated {cert.gap_ppm} ppm, is {gap} ppm")
    return CheckResult(faults, plan.cost_minor, low, gap)


def _bound(problem: Problem, c: Certificate) -> int:
    if c.cuts is None:
        return Pricer(problem.net, c.scale)(c.total, c.foreign, c.place)
    return cuts.bound_scaled(problem, replace(c.cuts, prices=Prices(c.scale, c.total, c.foreign, c.place, 0)))


def _prices_fit(problem: Problem, c: Certificate) -> list[str]:
    """Shapes, ranges, and that no sum can overflow: units asked x dearest price and shipments x dearest place
    below 2**60."""
    out: list[str] = []
    if not 1 <= c.scale <= SCALE_MAX:
        return [f"scale: {c.scale}, 1..{SCALE_MAX} expected"]
    rows, places = problem.stock_site.shape, problem.place_site.shape
    for name, array, shape in (("total", c.total, rows), ("foreign", c.foreign, rows), ("place", c.place, places)):
        if not isinstance(array, np.ndarray) or array.dtype != np.int64 or array.shape != shape:
            out.append(f"{name}: 64-bit integers of shape {shape} expected")
        elif array.size and int(array.min()) < 0:
            at = int(np.argmin(array))
            out.append(f"{name}[{at}] = {array[at]}: a price is never below zero")
    if out:
        return out
    free = problem.net.place_cap >= QTY_MAX
    if (c.place[free] != 0).any():
        out.append(f"place[{int(np.flatnonzero(free & (c.place != 0))[0])}]: has no limit, so its price is 0")
    dearest = int(c.total.max(initial=0)) + int(c.foreign.max(initial=0))
    asked = sum(int(q) for q in problem.line_qty_each)
    shipments = problem.open_order.size * int(c.place.max(initial=0))
    if dearest * max(1, asked) >= AMOUNT_MAX // 2 or shipments >= AMOUNT_MAX // 2:
        out.append(
            "prices: too large to be checked in 64-bit integers; no unit is worth more than its shortage penalty"
        )
    return out if c.cuts is None else out + cuts.faults(problem, c.cuts)


def _digest(problem: Problem, plan: Plan, c: Certificate) -> str:
    """SHA-256 over every array of problem and plan, the prices and the stated figures, each with its name and
    length."""
    h = hashlib.sha256(b"hanse sourcing certificate 1\n")

    def add(name: str, value: Any) -> None:
        data = (
            np.ascontiguousarray(value, "<i8").tobytes() if isinstance(value, np.ndarray) else str(int(value)).encode()
        )
        h.update(f"{name} {len(data)}\n".encode())
        h.update(data)

    for f in fields(Problem):
        add(f.name, getattr(problem, f.name))
    add("units", plan.units)
    add("opened", plan.opened)
    for name in ("total", "foreign", "place", "scale", "bound_scaled", "lower_bound_minor", "cost_minor", "gap_ppm"):
        add(name, getattr(c, name))
    for name in ("row", "foreign", "step", "price", "ptr", "cand", "kind") if c.cuts is not None else ():
        add(f"cuts.{name}", getattr(c.cuts, name))
    return h.hexdigest()


def shadow_cost(problem: Problem, c: Certificate) -> int:
    """What the stock and capacity in the plan's prices are worth, minor units rounded down: prices x what there is."""
    paid = dot(c.total, problem.net.row_total) + dot(c.foreign, problem.net.row_foreign)
    limited = problem.net.place_cap < QTY_MAX
    return (paid + dot(c.place[limited], problem.net.place_cap[limited])) // c.scale
