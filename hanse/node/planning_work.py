"""Solving in a worker process: the node goes on serving, the plan can be watched and stopped, memory goes back."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from msgspec import Struct

from hanse.planning import sourcing

STOP = "stop"
POLL_SECONDS = 0.2
SOLVE_SLACK_SECONDS = 120


class Stage(Struct, frozen=True):
    """How far a solver is. `stage`: first plan, prices, columns, search. Minor units, parts per million."""

    stage: str
    cost_minor: int
    bound_minor: int
    gap_ppm: int


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
        cancel: asked some times a second; the best plan so far is then returned. worker: False solves right here.
        more: `start`, `prices`, `changed_lines` of `sourcing.solve`.
    Raises: ValueError as `sourcing.solve`; RuntimeError where the process ended without an answer.
    """
    given = {"seconds": seconds, "rounds": rounds, "seed": seed, **more}
    if not worker:
        return sourcing.solve(problem, progress=lambda s, p: progress(_stage(s, p)), cancel=cancel, **given)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, problem, given), daemon=True)
    process.start()
    there.close()
    try:
        return _follow(here, progress, cancel)
    finally:
        here.close()
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()


def _follow(here: Connection, progress: Progress, cancel: Cancel) -> sourcing.Plan:
    stopped = False
    while True:
        if not stopped and cancel():
            here.send(STOP)
            stopped = True
        try:
            if not here.poll(POLL_SECONDS):
                continue
            said = here.recv()
        except EOFError:
            raise RuntimeError("the planner ended without an answer") from None
        if isinstance(said, Stage):
            progress(said)
        elif isinstance(said, Exception):
            raise said
        else:
            plan: sourcing.Plan = said
            return plan


def _work(there: Connection, problem: sourcing.Problem, given: dict[str, Any]) -> None:
    """The worker: says how far it is, and its plan or fault last."""
    try:
        _warm()  # loading the compiled loops is not the search's time
        plan = sourcing.solve(problem, progress=lambda s, p: there.send(_stage(s, p)), cancel=_asked(there), **given)
        there.send(plan)
    except Exception as error:
        there.send(error)
    finally:
        there.close()


def _warm() -> None:
    """Load what `solve` loads at its first call, on the smallest problem with something scarce."""
    tiny = sourcing.Problem.of(
        line_order=[0, 1], line_item=[0, 0], line_qty_each=[2, 2], line_penalty_minor=50, cand_place=[[0, 1], [0, 1]],
        cand_cost_minor=[[1, 2], [1, 3]], open_cost_minor=1, stock_site=[0, 1], stock_item=[0, 0],
        stock_total_each=[2, 1],
    )  # fmt: skip
    sourcing.solve(tiny, seconds=None, rounds=1)


def _asked(there: Connection) -> Cancel:
    stopped = False

    def cancelled() -> bool:
        nonlocal stopped
        try:
            if not stopped and there.poll():
                stopped = there.recv() == STOP
        except EOFError:
            stopped = True
        return stopped

    return cancelled


def _stage(stage: str, plan: sourcing.Plan) -> Stage:
    return Stage(stage, plan.cost_minor, plan.bound_minor or 0, plan.gap_ppm or 0)
