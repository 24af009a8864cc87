"""Planning for a firm's own shelves: demand forecast with its range, levels to reorder and to lend, what to order now.

Computed in a worker process from the firm's own movements and orders, kept in memory until the week is over; nothing of
it is a signed fact until somebody accepts a line.
"""

from __future__ import annotations

import os
import threading
import time

from hanse.kernel.refusal import Refused
from hanse.node.journal import journal
from hanse.node.node import Node
from hanse.node.planning_beside import Stopped, Told, worked_out
from hanse.node.planning_gather import WEEKS_MIN, gather
from hanse.node.planning_shelf import MONDAY, WEEK, Given, Shelf, Shelves
from hanse.rooms.inventory.facts import MOVEMENTS

WORK_SECONDS = 600
AGAIN_SECONDS = 60.0
"""After a calculation that failed, a question begins it anew, once in so long: every page asks."""
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
        self.failed_at = 0.0
        self.ended = threading.Event()

    def over(self, week: int) -> bool:
        """Whether the next question begins anew."""
        return self.week != week or (self.state == "failed" and time.monotonic() >= self.failed_at + AGAIN_SECONDS)


_jobs: dict[tuple[str, str], _Job] = {}
_lock = threading.Lock()


def shelves(node: Node, party: str, *, wait: bool = False) -> _Job:
    """The firm's shelves as computed this week; begun where nobody has asked yet, or what was begun has failed.

    Args:
        wait: until it is done.
    """
    view = node.view(party)
    week = (view.now - MONDAY) // WEEK
    key = (str(node.directory.resolve()), party)
    with _lock:
        job = _jobs.get(key)
        fresh = job is None or job.over(week)
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
            said: Shelves = worked_out(work, given, seconds=WORK_SECONDS)
        job.by_number = {one.own_number: one for one in said.shelves}
        job.found = said
        job.state = "done"
    except Exception as error:
        if not isinstance(error, Refused):  # then who killed it has told
            _journal.error("forecast.failed", exc_info=error)
        job.failed_at = time.monotonic()
        job.state = "failed"
    finally:
        job.ended.set()


def work(given: Given, tell: Told, stopped: Stopped) -> Shelves:
    """In the worker."""
    from hanse.node.planning_levels import compute

    os.nice(NICE)
    return compute(given)
