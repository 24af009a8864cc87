"""Sourcing: which owner's stock serves which order line, at the least total cost, with a proof of how good the plan is.

    problem = Problem.of(...)                      arrays in, every fault named
    plan = solve(problem, seconds=10)              a plan at once, better with time
    cert = certificate(problem, plan)              integer prices that prove a bound
    check(problem, plan, cert)                     anyone, in linear time, in exact integers
    promise(order, View.of(problem), plan.prices)  one order at once, between batches
    explain(problem, plan)                         for each line the next best source

Plain numerics: integer arrays in and out, no I/O. Importing this package loads numpy alone; the compiled loops
(numba) and the
linear programs (HiGHS) load when first called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hanse.planning.sourcing.online import Assignment, Order, View, order_of, promise, promise_all, promise_plain
from hanse.planning.sourcing.plan import Plan, Prices, gap_ppm, plan_of, violations
from hanse.planning.sourcing.problem import Net, Problem

if TYPE_CHECKING:
    from hanse.planning.sourcing.explaining import Explanation, explain
    from hanse.planning.sourcing.natural import natural_mip
    from hanse.planning.sourcing.peers import greedy, order_by_order
    from hanse.planning.sourcing.proving import Certificate, CheckResult, certificate, check
    from hanse.planning.sourcing.solving import solve

_LATER = {
    "Certificate": "proving",
    "CheckResult": "proving",
    "certificate": "proving",
    "check": "proving",
    "Explanation": "explaining",
    "explain": "explaining",
    "greedy": "peers",
    "order_by_order": "peers",
    "natural_mip": "natural",
    "solve": "solving",
}

__all__ = [
    "Assignment",
    "Certificate",
    "CheckResult",
    "Explanation",
    "Net",
    "Order",
    "Plan",
    "Prices",
    "Problem",
    "View",
    "certificate",
    "check",
    "explain",
    "gap_ppm",
    "greedy",
    "natural_mip",
    "order_by_order",
    "order_of",
    "plan_of",
    "promise",
    "promise_all",
    "promise_plain",
    "solve",
    "violations",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(name)
    value = getattr(import_module(f"hanse.planning.sourcing.{_LATER[name]}"), name)
    globals()[name] = value  # a function named like its module must win over the module
    return value
