"""Simulations for a page: at most one runs for a firm, watched while it does, and the last ones are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.journal import journal
from hanse.node.node import Node
from hanse.rooms.contracts.simulate import Simulated, SimulatedRun, simulate
from hanse.rooms.contracts.terms import Terms
from hanse.rooms.orders.private_rows import ORDER_TERMS, SHIPMENT_TERMS

DELIVERIES_MAX = 200_000
"""Deliveries that a page looks at; `hanse contract simulate` takes more."""
RUNS_SHOWN = 100
MONTHS_SHOWN = 36
WAIT_SECONDS = 1.0
KEPT = 32
_journal = journal("hanse.contracts")


class PartnerSum(Struct, frozen=True):
    """What one partner's deliveries would have given. total_minor: to the second role less from it."""

    partner: str
    results: int
    unproven: int
    total_minor: int


class Outcome(Struct, frozen=True):
    """A simulation, summed. months: (UTC month such as 2026-03, minor units), every month between the first and the
    last, the latest 36. runs: the latest 100. waiting: (code, how often)."""

    deliveries: int
    results: int
    currency: str
    total_minor: int
    partners: tuple[PartnerSum, ...]
    months: tuple[tuple[str, int], ...]
    runs: tuple[SimulatedRun, ...]
    waiting: tuple[tuple[str, int], ...]


class Job:
    """state: working, done or failed. seen, total: deliveries read, in all."""

    def __init__(self, key: tuple[Any, ...]) -> None:
        self.key = key
        self.state = "working"
        self.seen, self.total = 0, 0
        self.outcome: Outcome | None = None
        self.cancelled = False
        self.ended = threading.Event()

    @property
    def percent(self) -> int:
        """How far it is, 0 to 100."""
        return min(100, 100 * self.seen // self.total) if self.total else 0


class _Cancelled(Exception):
    """The reader has asked for something else."""


class _Counting(View):
    """A view that tells how many orders were read through it."""

    def __init__(self, inner: View, tell: Callable[[], None]) -> None:
        super().__init__(inner.conn, party=inner.party, circles=inner.circles, home=inner.home, now=inner.now)
        self._inner, self._tell = inner, tell  # the inner view keeps its connection

    def get(self, table: Any, *key: Any) -> Any:
        if table is ORDER_TERMS:
            self._tell()
        return super().get(table, *key)


_lock = threading.Lock()
_running: dict[tuple[str, str], Job] = {}
_kept: OrderedDict[tuple[Any, ...], Job] = OrderedDict()


def simulated(node: Node, party: str, terms: Terms, *, partner: str = "", since: int = 0) -> Job:
    """A simulation of a firm's terms: done where it takes less than a second, else at work; ask again.

    The same question at the same length of the record gets the kept answer. Another question of the firm ends the one
    that runs. Refuses: simulate.too_many.
    """
    view = node.view(party)
    size = view.count(SHIPMENT_TERMS, "arrived_at > 0")
    if size > DELIVERIES_MAX:
        raise Refused("simulate.too_many", "this history is too long for a page", got=size,
                      expected=f"<= {DELIVERIES_MAX}", next="use hanse contract simulate")  # fmt: skip
    owner = (str(node.directory.resolve()), party)
    key = (*owner, terms.sha256, partner, since, node.log.size)
    with _lock:
        job = _kept.get(key) or _running.get(owner)
        if job is None or job.key != key:
            if job is not None:
                job.cancelled = True
            job = _running[owner] = Job(key)
            job.total = size
            threading.Thread(target=_run, args=(node, party, job, terms, partner, since), daemon=True).start()
    job.ended.wait(WAIT_SECONDS)
    return job


def _run(node: Node, party: str, job: Job, terms: Terms, partner: str, since: int) -> None:
    def tell() -> None:
        job.seen += 1
        if job.cancelled:
            raise _Cancelled

    try:
        found = simulate(_Counting(node.view(party), tell), terms, partner=partner, since=since)
        job.outcome = summed(found, terms)
        job.state = "done"
    except _Cancelled:
        job.state = "failed"
    except Exception as error:
        _journal.error("simulation.failed", exc_info=error)
        job.state = "failed"
    with _lock:
        if _running.get((job.key[0], job.key[1])) is job:
            del _running[job.key[0], job.key[1]]
        if job.state == "done":
            _kept[job.key] = job
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
    job.ended.set()


def summed(found: Simulated, terms: Terms) -> Outcome:
    """A simulation by partner and month; partners by what they would have given, most first."""
    second = terms.template.roles[1]
    partners: dict[str, list[int]] = {}
    months: dict[str, int] = {}
    for run in found.runs:
        amount = run.amount_minor if run.to == second else -run.amount_minor
        row = partners.setdefault(run.partner, [0, 0, 0])
        row[0] += 1
        row[1] += run.unproven
        row[2] += amount
        month = datetime.fromtimestamp(run.at, UTC).strftime("%Y-%m")
        months[month] = months.get(month, 0) + amount
    ranked = sorted(partners.items(), key=lambda pair: (-abs(pair[1][2]), pair[0]))
    return Outcome(
        deliveries=found.deliveries,
        results=len(found.runs),
        currency=found.currency,
        total_minor=found.total_minor,
        partners=tuple(PartnerSum(name, *row) for name, row in ranked),
        months=tuple((month, months.get(month, 0)) for month in _between(months)),
        runs=found.runs[-RUNS_SHOWN:][::-1],
        waiting=tuple(sorted(found.waiting.items())),
    )


def _between(months: dict[str, int]) -> list[str]:
    """Every month from the first to the last, the latest 36."""
    if not months:
        return []
    first, last = (int(text[:4]) * 12 + int(text[5:]) - 1 for text in (min(months), max(months)))
    return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(max(first, last - MONTHS_SHOWN + 1), last + 1)]
