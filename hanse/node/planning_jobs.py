"""Plans that people start from a page: one at a time for a firm, watched and stopped there."""

from __future__ import annotations

import threading

from hanse.kernel.refusal import Refused
from hanse.kernel.refusals import Refusal
from hanse.node.desk import Desk
from hanse.node.journal import journal
from hanse.node.node import Node
from hanse.node.planning_run import Planned, Way, plan
from hanse.node.planning_work import Stage

_journal = journal("hanse.planning")
_jobs: dict[tuple[str, str], Job] = {}
_lock = threading.Lock()


class Job:
    """state: working, done, refused, failed. stage: how far; found: the plan; refusal: why there is none."""

    def __init__(self, circle: str, seconds: float) -> None:
        self.circle, self.seconds = circle, seconds
        self.state = "working"
        self.stage: Stage | None = None
        self.found: Planned | None = None
        self.refusal: Refusal | None = None
        self.stop = threading.Event()


def _key(node: Node, party: str) -> tuple[str, str]:
    return str(node.directory.resolve()), party


def job_of(node: Node, party: str) -> Job | None:
    """The firm's last job."""
    with _lock:
        return _jobs.get(_key(node, party))


def start(desk: Desk, circle: str, seconds: float, *, worker: bool = True, wait: bool = False) -> Job:
    """Begin to plan for a desk's party. Refuses: plans.planning_already."""
    key = _key(desk.node, desk.who.party)
    with _lock:
        running = _jobs.get(key)
        if running is not None and running.state == "working":
            raise Refused("plans.planning_already", "a plan is being made", next="wait for it, or stop it", retry=True)
        job = _jobs[key] = Job(circle, seconds)
    thread = threading.Thread(target=_run, args=(desk, job, worker), name="hanse-plan", daemon=True)
    thread.start()
    if wait:
        thread.join()
    return job


def _run(desk: Desk, job: Job, worker: bool) -> None:
    def told(stage: Stage) -> None:
        job.stage = stage

    way = Way(seconds=job.seconds, worker=worker, progress=told, cancel=job.stop.is_set)
    try:
        job.found = plan(desk, job.circle, way=way)
        job.state = "done"
    except Refused as refused:
        job.refusal = refused.refusal
        job.state = "refused"
    except Exception as error:
        _journal.error("plan.failed", exc_info=error)
        job.state = "failed"
