"""Solving in a worker process: the node goes on serving, the plan can be watched and stopped, memory goes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from hanse.node.planning_beside import Stopped, Told, worked_out
from hanse.planning import sourcing

ROUNDS_SECONDS = 600.0
"""How long a search limited by rounds alone may take from one sign of life to the next."""
SLACK_SECONDS = 120.0
"""How much longer than it was given a search may take: to read a large question, and to prove the plan at its end."""


class Stage(Struct, frozen=True):
    """How far a solver is. `stage`: first plan, prices, columns, polishing, search. Minor units, parts per million.
    currency: of the amounts, "" where the solver itself speaks, which knows none."""

    stage: str
    cost_minor: int
    bound_minor: int
    gap_ppm: int
    currency: str = ""


Progress = Callable[[Stage], None]
Cancel = Callable[[], bool]


def solve(
    problem: sourcing.Problem,
    *,
    seconds: float | None = 10.0,
    rounds: int | None = None,
    seed: int = 0,
    progress: Progress = lambda stage: None,
    cancel: Cancel = lambda: False,
    worker: bool = True,
    **more: Any,
) -> sourcing.Plan:
    """`sourcing.solve` in a process of its own; the same plan for the same seed where `rounds` limit it.

    Args:
        cancel: asked twice a second; the best plan so far is then returned. worker: False solves right here.
        more: `start`, `prices`, `changed_lines` of `sourcing.solve`.
    Raises: ValueError as `sourcing.solve`; RuntimeError for another fault of it.
    Refuses: plans.planner_ended, where the process ended without an answer, or had to be killed.
    """
    given = {"seconds": seconds, "rounds": rounds, "seed": seed, **more}
    if not worker:
        return sourcing.solve(problem, progress=lambda s, p: progress(_stage(s, p)), cancel=cancel, **given)
    longest = ROUNDS_SECONDS if seconds is None else seconds + SLACK_SECONDS
    found: sourcing.Plan = worked_out(search, (problem, given), seconds=longest, told=progress, cancel=cancel)
    return found


def search(given: tuple[sourcing.Problem, dict[str, Any]], tell: Told, stopped: Stopped) -> sourcing.Plan:
    """In the worker: tells how far it is; its plan."""
    problem, more = given
    _warm()  # loading the compiled loops is not the search's time
    return sourcing.solve(problem, progress=lambda s, p: tell(_stage(s, p)), cancel=stopped, **more)


def _warm() -> None:
    """Load what `solve` loads at its first call, on the smallest problem with something scarce."""
    tiny = sourcing.Problem.of(
        line_order=[0, 1], line_item=[0, 0], line_qty_each=[2, 2], line_penalty_minor=50, cand_place=[[0, 1], [0, 1]],
        cand_cost_minor=[[1, 2], [1, 3]], open_cost_minor=1, stock_site=[0, 1], stock_item=[0, 0],
        stock_total_each=[2, 1],
    )  # fmt: skip
    sourcing.solve(tiny, seconds=None, rounds=1)


def _stage(stage: str, plan: sourcing.Plan) -> Stage:
    return Stage(stage, plan.cost_minor, plan.bound_minor or 0, plan.gap_ppm or 0)
