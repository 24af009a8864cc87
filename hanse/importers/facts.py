"""People's tables become signed facts of one firm: all of the good rows or none, and the wrong ones as a fix list.

    1. read     every sheet, row by row, into a scratch file; wrong rows are listed
    2. plan     the facts that the record does not have yet, each checked against the record and the rows before it
    3. sign     in batches where their kind allows, singly where they bind money
    4. submit   in order; what stands is remembered, so that the same file imported again signs nothing

`imported` does all of it; `Import` lets a page show the plan before it is signed.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec

from hanse.engines.replies import Reply
from hanse.importers import fixlist
from hanse.importers.facts_master import plan_items, plan_sites
from hanse.importers.facts_orders import plan_orders
from hanse.importers.facts_plan import Options, Plan
from hanse.importers.facts_stage import Taken, Told, fetch_cells, take_in
from hanse.importers.facts_stock import plan_offers, plan_stock
from hanse.importers.facts_store import Store
from hanse.importers.facts_terms import plan_terms
from hanse.importers.mapping import MappingFile
from hanse.importers.matching_items import Matched, matched, plan_links
from hanse.importers.tables import Sheet, safe_name
from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk
from hanse.node.write_path import Receipt

BATCH = 1_000
BATCH_BYTES = 2_000_000
UNDER_WAY_BYTES_MAX = 8_000_000
"""Of the facts' own bytes: what is signed and not yet answered takes some ten times as much memory."""
_WAIT_SECONDS = 300


def untold(step: str, done: int, of: int) -> None:
    """Tell nobody."""


class SectionRead(msgspec.Struct, frozen=True):
    """One section of the mapping. read == good + bad + merged + skipped. fixes: the fix list as CSV, "" for none."""

    source: str
    target: str
    read: int
    good: int
    bad: int
    merged: int
    skipped: int
    reasons: dict[str, int]
    fixes: str = ""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import has done, or would do.

    Attributes:
        new, changed, same: good rows by what they are to earlier imports. facts: kind -> how many.
        signed: whether they were. notes: what a person should know. matched: None before signing.
        seconds: wall time of reading and planning, and of signing and submitting.
    """

    mapping: str
    sections: list[SectionRead]
    new: int
    changed: int
    same: int
    facts: dict[str, int]
    signed: bool
    notes: list[str]
    matched: Matched | None = None
    plan_seconds: float = 0.0
    sign_seconds: float = 0.0

    @property
    def bad(self) -> int:
        return sum(section.bad for section in self.sections)

    @property
    def facts_n(self) -> int:
        return sum(self.facts.values())


class Import:
    """One import, planned when it is made. Use as a context manager.

    Args:
        desk: who imports; what its role may not sign is refused before anything is signed.
        told: (step, done, in all or 0) as it goes on.
    Raises ImportRefused as reading and mapping do; refuses, in order: import.no_home, desk.not_permitted,
        desk.over_limit.
    """

    def __init__(
        self,
        desk: Desk,
        sheets: Sequence[Sheet],
        mapping: MappingFile,
        options: Options | None = None,
        told: Told = untold,
    ) -> None:
        started = time.perf_counter()
        self.desk, self.mapping, self.told = desk, mapping, told
        self._store = Store(desk.node.directory, desk.who.party)
        try:
            self._taken: list[Taken] = take_in(self._store, mapping, sheets, told)
            self._plan = Plan(desk, self._store, self._taken, options or Options(), told)
            self._links = _plan_all(self._plan)
            for kind in self._store.planned():
                if not desk.may(kind):
                    message = "your role does not sign what this file needs"
                    raise Refused("desk.not_permitted", message, got=f"{desk.who.role}: {kind}", next="ask an owner")
            if desk.who.approval_limit_minor is not None:
                for _, kind, body in self._store.facts():
                    desk.check(self._plan.decode(kind, body))
            self._counts = self._store.counts()
        except BaseException:
            self._store.close()
            raise
        self._plan_seconds = time.perf_counter() - started

    def __enter__(self) -> Import:
        return self

    def __exit__(self, *rest: object) -> None:
        self.close()

    def close(self) -> None:
        self._store.close()

    def planned(self) -> Imported:
        """What would be done."""
        return self._said(None, 0.0)

    def commit(self) -> Imported:
        """Sign and submit everything that was planned, in order, and remember it.

        Refuses, in order: import.rows_wrong, where the options ask for the whole file and a row is wrong (nothing is
        signed); import.cut_short, where the record moved meanwhile and a fact did not come to stand; what stood before
        it stands, and importing the same file again goes on from there.
        """
        if self._plan.options.whole:
            _refuse_wrong_rows(self._taken)
        started = time.perf_counter()
        self._store.settle()
        sender = Sender(self.desk, self.told, sum(self._store.planned().values()))
        for n, kind, body in self._store.facts():
            sender.put(n, self._plan.decode(kind, body), len(body))
            if sender.stands:
                self._store.done(*sender.take_stands())
        sender.close()
        if sender.stands:
            self._store.done(*sender.take_stands())
        self._store.done(0, 0)
        return self._said(matched(self.desk, self._links), time.perf_counter() - started)

    def _said(self, found: Matched | None, sign_seconds: float) -> Imported:
        new, changed, same = self._counts
        return Imported(
            mapping=self.mapping.name,
            sections=[_read(one) for one in self._taken],
            new=new,
            changed=changed,
            same=same,
            facts=self._store.planned(),
            signed=found is not None,
            notes=list(self._plan.notes),
            matched=found,
            plan_seconds=round(self._plan_seconds, 3),
            sign_seconds=round(sign_seconds, 3),
        )


def imported(
    desk: Desk,
    sheets: Sequence[Sheet],
    mapping: MappingFile,
    options: Options | None = None,
    *,
    dry_run: bool = False,
    told: Told = untold,
) -> Imported:
    """Import sheets by a mapping, or say what that would do. Raises and refuses as `Import`, `Import.commit`."""
    with Import(desk, sheets, mapping, options, told) as under_way:
        return under_way.planned() if dry_run else under_way.commit()


def _plan_all(plan: Plan) -> list[tuple[str, str, str]]:
    """Plan in the order in which one thing needs another; the links that were planned."""
    plan_sites(plan)
    links = plan_links(plan, plan_items(plan))
    plan_stock(plan)
    plan_terms(plan)
    plan_offers(plan)
    plan_orders(plan)
    return links


def _refuse_wrong_rows(taken: Sequence[Taken]) -> None:
    """Refuses: import.rows_wrong, with the first wrong row by its number, its column and its reason."""
    wrong = sum(len(one.result.bad_cells) for one in taken)
    if not wrong:
        return
    one = next(one for one in taken if one.result.bad)
    bad = min(one.result.bad, key=lambda bad: bad.row)
    where = f"row {bad.row} of {one.result.section.source}" + (f", column {bad.column}" if bad.column else "")
    others = "" if wrong == 1 else f", and {wrong - 1} more rows are wrong"
    raise Refused(
        "import.rows_wrong",
        f"nothing was signed: {where}: {bad.code}{others}",
        got=bad.got,
        expected=bad.expected,
        next="correct the rows of the fix list, or import the good rows alone",
    )


def _read(one: Taken) -> SectionRead:
    result = one.result
    reasons: dict[str, int] = {}
    for code in {bad.row: bad.code for bad in reversed(result.bad)}.values():
        reasons[code] = reasons.get(code, 0) + 1
    fixes = ""
    if result.bad_cells:
        fetch_cells(one)
        fixes = fixlist.write(result)
    return SectionRead(
        source=result.section.source,
        target=result.section.target,
        read=one.good + len(result.bad_cells) + result.merged + result.skipped,
        good=one.good,
        bad=len(result.bad_cells),
        merged=result.merged,
        skipped=result.skipped,
        reasons=dict(sorted(reasons.items())),
        fixes=fixes,
    )


class Sender:
    """Signs facts in batches and submits them in order, a few thousand under way at a time.

    Attributes:
        stands: (n, fact) of the facts that came to stand since they were last taken, as a range of n.
    """

    def __init__(self, desk: Desk, told: Told = untold, of: int = 0) -> None:
        self._desk, self._told, self._of = desk, told, of
        self._held: list[tuple[int, Fact, int]] = []
        self._held_bytes = self._under_way_bytes = 0
        self._under_way: deque[tuple[int, Fact, int, Reply[Receipt]]] = deque()
        self.stands: tuple[int, int] | None = None
        self.facts = 0

    def put(self, n: int, fact: Fact, size: int = 1_000) -> None:
        """Send a fact of so many bytes. Refuses, for this or an earlier one: as `Desk.sign`; import.cut_short."""
        self._held.append((n, fact, size))
        self._held_bytes += size
        if len(self._held) >= BATCH or self._held_bytes >= BATCH_BYTES:
            self._send()

    def take_stands(self) -> tuple[int, int]:
        """The range of n of the facts that came to stand, and forget it."""
        assert self.stands is not None, "ask `stands` first"
        found, self.stands = self.stands, None
        return found

    def _send(self) -> None:
        held, self._held, self._held_bytes = self._held, [], 0
        signed = self._desk.sign([fact for _, fact, _ in held])
        for (n, fact, size), reply in zip(held, self._desk.node.path.submit_all(signed), strict=True):
            self._under_way.append((n, fact, size, reply))
            self._under_way_bytes += size
        while self._under_way_bytes > UNDER_WAY_BYTES_MAX:
            self._wait()

    def _wait(self) -> None:
        n, fact, size, reply = self._under_way.popleft()
        self._under_way_bytes -= size
        receipt = reply.result(_WAIT_SECONDS)
        if receipt.first_refusal:
            refusal = receipt.first_refusal
            raise Refused(
                "import.cut_short",
                f"{self.facts} of {self._of} facts stand; then {fact.kind} was refused: {refusal}",
                got=refusal.code,
                next="import the same file again: it goes on from there",
                retry=True,
            )
        self.facts += 1
        self.stands = (self.stands[0] if self.stands else n, n)
        if self.facts % 500 == 0:
            self._told("signing", self.facts, self._of)

    def close(self) -> None:
        """Send what is held, and wait for all."""
        self._send()
        while self._under_way:
            self._wait()
        self._told("signing", self.facts, self._of)


def save_fixes(found: Imported, folder: Path, stem: str = "") -> list[Path]:
    """Write the fix lists of an import as `<stem or source>.<target>.fix.csv`; their paths. Names are made harmless.

    The name says which table a corrected list belongs to when it is imported again. An older list of the same name is
    replaced.

    Args:
        stem: the name of the file, where the mapping knew it by its columns; "" for the source's own name.
    """
    paths: list[Path] = []
    for section in found.sections:
        if section.fixes:
            folder.mkdir(parents=True, exist_ok=True)
            source = safe_name(stem or section.source)
            path = folder / f"{source}.{section.target}.fix.csv"
            if path in paths:
                path = folder / f"{source} ({len(paths) + 1}).{section.target}.fix.csv"
            path.write_text(section.fixes, "utf-8", newline="")
            paths.append(path)
    return paths
