"""Planning for a firm's own shelves: demand forecast with its range, levels to reorder and to lend, what to order now.

Computed in a worker process from the firm's own movements and orders, kept in memory until the week is over; nothing of
it is a signed fact until somebody accepts a line.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import Connection

from hanse.node.journal import journal
from hanse.node.node import Node
from hanse.node.planning_gather import WEEKS_MIN, gather
from hanse.node.planning_shelf import MONDAY, WEEK, Given, Shelf, Shelves
from hanse.rooms.inventory.facts import MOVEMENTS

WORK_SECONDS = 600
NICE = 10
"""The worker gives way to whoever is waiting for a page."""
_journal = journal("hanse.planning")
_one_at_a_time = threading.Lock()


class _Job:
    """One computation of one firm. state: working, done, too_little, failed."""

    def __init__(self, week: int, home: str) -> None:
        self.week, self.home = week, home
        self.state = "working"
        self.found: Shelves | None = None
        self.by_number: dict[str, Shelf] = {}
        self.ended = threading.Event()


_jobs: dict[tuple[str, str], _Job] = {}
_lock = threading.Lock()


def shelves(node: Node, party: str, *, wait: bool = False) -> _Job:
    """The firm's shelves as computed this week; begun where nobody has asked yet.

    Args:
        wait: until it is done.
    """
    view = node.view(party)
    week = (view.now - MONDAY) // WEEK
    key = (str(node.directory.resolve()), party)
    with _lock:
        job = _jobs.get(key)
        fresh = job is None or job.week != week
        if job is None or fresh:
            job = _jobs[key] = _Job(week, view.home)
    if fresh:
        thread = threading.Thread(target=_run, args=(job, node, party), name="hanse-forecast", daemon=True)
        thread.start()
    if wait:
        job.ended.wait(WORK_SECONDS)
    return job


def found_or_begun(node: Node, party: str) -> Shelves | None:
    """The firm's shelves, as far as they are there; begun where it has sold for long enough."""
    view = node.view(party)
    since = view.now - WEEKS_MIN * WEEK
    sql = "SELECT 1 FROM {inventory_movement} WHERE circle = ? AND reason = 'sold' AND made_at < ? LIMIT 1"
    if not view.sql(sql, (view.home, since), tables=(MOVEMENTS,)):
        return None
    return shelves(node, party).found


def forget(node: Node, party: str) -> None:
    """Compute anew at the next question."""
    with _lock:
        _jobs.pop((str(node.directory.resolve()), party), None)


def _run(job: _Job, node: Node, party: str) -> None:
    try:
        given = gather(node.view(party))
        if given is None:
            job.state = "too_little"
            return
        with _one_at_a_time:
            said = _compute(given)
        if said is None:
            job.state = "failed"
            return
        job.by_number = {one.own_number: one for one in said.shelves}
        job.found = said
        job.state = "done"
    except Exception as error:
        _journal.error("forecast.failed", exc_info=error)
        job.state = "failed"
    finally:
        job.ended.set()


def _compute(given: Given) -> Shelves | None:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, given), daemon=True)
    process.start()
    there.close()
    try:
        said = here.recv() if here.poll(WORK_SECONDS) else None
    except EOFError:
        said = None
    finally:
        here.close()
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()
    return said if isinstance(said, Shelves) else None


def _work(there: Connection, given: Given) -> None:
    from hanse.node.planning_levels import compute

    os.nice(NICE)
    try:
        there.send(compute(given))
    finally:
        there.close()
