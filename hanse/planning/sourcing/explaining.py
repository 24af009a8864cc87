"""Why this source: for each line of a plan the next best one, and what it would cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hanse.planning.sourcing.online import View
from hanse.planning.sourcing.plan import Plan
from hanse.planning.sourcing.problem import Ints, Problem
from hanse.planning.sourcing.work import workspace


@dataclass
class Explanation:
    """[line]: source (place of most units, -1: short), next_place (-1: nobody has them free), next_extra_minor."""

    source: Ints
    next_place: Ints
    next_extra_minor: Ints


def explain(problem: Problem, plan: Plan) -> Explanation:
    """The next best source of each line, all else in the plan standing, from stock that the plan leaves free.

    The extra may be negative: then the plan can be bettered by that one move. Costs are true costs, without prices.
    """
    from hanse.planning.sourcing import nextbest

    source, other, extra = (np.zeros(problem.lines, np.int64) for _ in range(3))
    net, view = problem.net, View.of(problem, plan.units)
    units = np.ascontiguousarray(plan.units[problem.net_cand], np.int64)
    nextbest.next_best_all(net, units, view.total, view.foreign, view.place, source, other, extra, workspace(net))
    out = [np.zeros(problem.lines, np.int64) for _ in range(3)]
    for mine, theirs in zip(out, (source, other, extra), strict=True):
        mine[problem.net_line] = theirs
    return Explanation(*out)
