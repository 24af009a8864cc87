"""`hanse verify`: everything that a data directory says, proven again, from a copy and without private keys.

    1. the record     tiles, checkpoint, segment agree (record.verify)
    2. the facts      every signature verifies under the key that was known when it was ordered
    3. the replay     every fact, applied again, gives the recorded outcome, and every block the recorded state hash
    4. disclosures    each belongs to a digest that was signed
    5. the state      `state.db`, where there is one, equals the state that the replay gives at the same entry
    6. the figures    the rooms' own: that books balance; with `recompute`, every clause result, run again
    7. the files      each has the SHA-256 that is its name; how many that facts name are not here

Per private figure: *proven* (a disclosure fits a signed digest), *not disclosed to you*, *erased*, or *wrong*.
A running node is verified as it stood at the start. What no step reads (free pages and slack of a database, indexes
that spare a scan) proves nothing and is not looked at.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path

import msgspec
from msgspec import Struct

from hanse.kernel.apply import Applier
from hanse.kernel.draft import Draft
from hanse.kernel.facts import Signed
from hanse.kernel.state import State
from hanse.kernel.writer import connect
from hanse.node import at_rest
from hanse.node import disclosures as disclosed
from hanse.node.ahead import READ_AHEAD_FROM, Part, ReadAhead, Request, read_parts
from hanse.node.at_rest import AtRest
from hanse.node.behind import writing_behind
from hanse.node.checking import Checked
from hanse.node.collecting import without_collecting
from hanse.node.disclosures import Disclosures
from hanse.node.files_missing import files_missing
from hanse.node.node import FILES, LOCK, NODE_KEY, read_about
from hanse.node.parts import rulebook, schema
from hanse.node.read_path import STATE
from hanse.node.recomputing import WRONG, Entries, Figure, recompute
from hanse.node.replay import CHUNK_ENTRIES, apply_stored, pass_on_broken_storage
from hanse.node.signed_by import fault
from hanse.node.state_check import StoredState
from hanse.node.stored import RECORD, ReplayFault, StoredBlock
from hanse.node.tally import Tally
from hanse.record.damage import Damaged, UnknownVersion
from hanse.record.frames import SEGMENT
from hanse.record.log import KEY, PUBLIC, read_keys
from hanse.record.note import NoteError, VerifierKey
from hanse.record.reader import LogReader
from hanse.record.segment import Segment
from hanse.record.verify import Report

FINDINGS_MAX = 50
Progress = Callable[[str, int, int], None]
"""(step, done, all)"""


class Found(Struct, frozen=True):
    """One thing that is wrong: where, from which entry on (or None), and what, in a sentence."""

    where: str
    position: int | None
    what: str


class Figures(Struct):
    """Private fields on the record, by what can be said of them here."""

    proven: int = 0
    not_disclosed: int = 0
    erased: int = 0
    wrong: int = 0


class Verified(Struct):
    """What `hanse verify` found.

    Attributes:
        entries: in the record. facts, refused, timers: of these. signatures: verified (a batch counts once a block).
        checkpoint: entries covered by the signed checkpoint. own_key: whether the record's own key had to do.
        state: "equal" (also where it is a few blocks behind, as after a crash), "absent", "of another schema",
            "not reached" (the record did not replay as far) or "wrong". state_size: entries that it has applied.
        live: a node was running.
        files: attachments. files_missing: those that facts disclosed here name and that are not here; it is no finding,
            as a copy may leave files out, and is not counted where the record did not replay to its end.
        recomputed: the rooms' figures, each with its outcome; empty where the record did not replay to its end.
        findings: at most 50; `more` counts the others.
    """

    entries: int = 0
    blocks: int = 0
    facts: int = 0
    refused: int = 0
    timers: int = 0
    signatures: int = 0
    checkpoint: int = 0
    root: str = ""
    own_key: bool = False
    figures: Figures = msgspec.field(default_factory=Figures)
    state: str = "absent"
    state_size: int = 0
    files: int = 0
    files_missing: int = 0
    live: bool = False
    recomputed: list[Figure] = msgspec.field(default_factory=list)
    findings: list[Found] = msgspec.field(default_factory=list)
    more: int = 0

    @property
    def ok(self) -> bool:
        return not self.findings


def verify(
    directory: Path | str,
    keys: Sequence[VerifierKey] = (),
    progress: Progress = lambda step, done, all: None,
    *,
    figures: bool = False,
) -> Verified:
    """Verify a data directory or a copy of it (record, disclosures, state; what is missing is said). Changes nothing.

    Args:
        keys: the log's keys as known from elsewhere; without them the record's own key shows damage, not forgery.
        figures: compute again every figure that rooms can, not only that books balance.
    Refuses, in order: as `node.read_about`.
    """
    with tempfile.TemporaryDirectory(prefix="hanse-verify-") as scratch:
        return _Run(Path(directory), Path(scratch), keys, progress, figures).run()


def is_live(directory: Path) -> bool:
    """Whether a node runs on a directory now."""
    try:
        fd = os.open(directory / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


class _Run:
    def __init__(
        self, directory: Path, scratch: Path, keys: Sequence[VerifierKey], progress: Progress, figures: bool
    ) -> None:
        self.directory, self.keys, self.progress, self.figures = directory, keys, progress, figures
        self.known = Entries()
        self.about = read_about(directory)
        self.said = Verified(live=is_live(directory))
        book = rulebook()
        self.schema = schema(book)
        self.ours = scratch / STATE
        state = State(connect(str(self.ours), scratch=True), book.tables, scratch=True)
        self.applier = Applier(state, book, on_bug=pass_on_broken_storage)
        self.applier.start(self.about.net)
        self.stored: StoredState | None = None
        self.keys_known: dict[str, bytes] = {}

    def run(self) -> Verified:
        path = self.directory / disclosed.FILE
        private = Disclosures(self.directory, read_only=True, live=self.said.live) if path.exists() else None
        try:
            self._open_state()
            with without_collecting(), AtRest(self._at_rest(), beside=self._is_long()) as rest:
                self._run(rest, private)
        finally:
            if private is not None:
                private.close()
            if self.stored is not None:
                self.stored.close()
            self.applier.state.conn.close()
        return self.said

    def _run(self, rest: AtRest, private: Disclosures | None) -> None:
        """All steps. The record's report comes first; of a long record it is waited for last."""
        long = self._is_long()
        if not long:
            self._take_report(rest.record())
        whole = self._replay(rest)
        if long:
            self._take_report(rest.record())
        if private is not None:
            self._check_disclosures(rest.disclosures(), private, whole)
        if whole:
            self._recompute()
            self.said.files_missing = files_missing(self.applier.state.conn, self.directory / FILES)
        if whole and self.stored is not None:
            size = self.stored.size
            self.found(STATE, size, f"it stands at entry {size}, where the record has no end of a block")
            self.said.state = "wrong"
        elif self.stored is not None:
            self.said.state = "not reached"
        self._take_files(rest.files())

    def found(self, where: str, position: int | None, what: str) -> None:
        if len(self.said.findings) < FINDINGS_MAX:
            self.said.findings.append(Found(where, position, what))
        else:
            self.said.more += 1

    # 1. the record

    def _at_rest(self) -> at_rest.Request:
        private, state = self.directory / disclosed.FILE, self.directory / STATE
        return at_rest.Request(
            str(self.directory / RECORD),
            str(private) if private.exists() else "",
            str(self.directory / FILES),
            str(state) if self.stored is not None else "",
            self.about.net,
            tuple(str(key) for key in self.keys),
            self.said.live,
        )

    def _is_long(self) -> bool:
        try:
            return self._size >= READ_AHEAD_FROM
        except (Damaged, FileNotFoundError, UnknownVersion, NoteError):
            return False  # the replay will say

    def _take_report(self, report: Report) -> None:
        later, self.said.findings = self.said.findings, []
        for finding in report.findings:
            if self.said.live and finding.file == SEGMENT and "no whole group" in finding.what:
                continue  # the block that the running node is writing
            self.found(f"{RECORD}/{finding.file}", finding.entry, finding.what)
        for found in later:
            self.found(found.where, found.position, found.what)
        if (self.directory / NODE_KEY).exists() and not (self.directory / RECORD / SEGMENT).exists():
            self.found(
                f"{RECORD}/{SEGMENT}", None, "it is missing here, where a node writes: its last entries may be lost"
            )
        self.said.checkpoint, self.said.root, self.said.own_key = report.size or 0, report.root.hex(), report.own_key

    # 2. to 4.

    def _replay(self, rest: AtRest) -> bool:
        """Facts, replay, disclosures; whether the record replayed to its end."""
        pending = 0
        try:
            size = self._size
            self._compare_state(rest)
            with writing_behind(self.applier.state, scratch=True) if size >= READ_AHEAD_FROM else nullcontext():
                for part in self._parts(size):
                    stored, checked = part.block, part.checked
                    assert checked is not None, "it was asked to check"
                    self._take_findings(part, checked)
                    apply_stored(self.applier, stored)
                    self._count(stored, checked.tally)
                    self._compare_state(rest)
                    pending += len(stored.leaves)
                    if pending >= CHUNK_ENTRIES:
                        self.applier.state.commit(wait=False)
                        self.progress("replay", stored.stop, size)
                        pending = 0
            self.progress("replay", size, size)
            return True
        except ReplayFault as fault:
            self.found(RECORD, fault.position, fault.why)
        except Damaged as damaged:
            self.found(f"{RECORD}/{damaged.finding.file}", damaged.finding.entry, damaged.finding.what)
        except (FileNotFoundError, UnknownVersion) as error:
            self.found(RECORD, None, str(error))
        except NoteError:
            pass  # the log's key, of a copy without a segment: the check of the record names it
        except sqlite3.DatabaseError as error:
            self.found(disclosed.FILE, self.said.entries, f"it does not read: {error}")
        return False

    @cached_property
    def _size(self) -> int:
        """The entries of the segment; of a copy without one, those that the checkpoint covers. Raises: Damaged."""
        record = self.directory / RECORD
        if (record / SEGMENT).exists():
            segment = Segment.open(record, read_only=True)
            segment.abandon()
            return segment.size
        return LogReader.open(record, self.about.net, self._log_keys()).checkpoint.size

    def _log_keys(self) -> list[VerifierKey]:
        return list(self.keys) or read_keys((self.directory / RECORD / PUBLIC / KEY).read_bytes())

    def _parts(self, size: int) -> Iterator[Part[Signed]]:
        has_segment = (self.directory / RECORD / SEGMENT).exists()
        keys = () if has_segment else tuple(str(key) for key in self._log_keys())
        request = Request(str(self.directory), 0, size, self.about.net, keys, check=True, live=self.said.live)
        kinds = self.applier.book.kinds
        if size < READ_AHEAD_FROM:
            yield from read_parts(request, kinds)
        else:
            with ReadAhead(request, kinds) as ahead:
                yield from ahead.parts()

    def _take_findings(self, part: Part[Signed], checked: Checked) -> None:
        """What the reader found, and whether each key was known to the state before the block."""
        first = part.block.first + 1
        self.said.figures.wrong += len(part.bad_disclosures)
        for position, why in part.bad_disclosures:
            self.found(disclosed.FILE, position, why)
        for place, why in checked.wrong.items():
            self.found(RECORD, first + place, why)
        draft, unknown, wrong = Draft(self.applier.state, now=0, position=0), set(checked.unknown), dict[int, str]()
        for kid, places in checked.signers.items():
            key = self._key(draft, kid)
            if key is None:
                wrong.update(dict.fromkeys(places, "it was signed with a key that nobody had"))
            else:
                wrong.update({at: fault(part.block.facts[at], key) for at in unknown.intersection(places)})
        for place in sorted(wrong):
            if wrong[place]:
                self.found(RECORD, first + place, wrong[place])

    def _key(self, draft: Draft, kid: str) -> bytes | None:
        key = self.keys_known.get(kid)
        if key is None:
            key = self.applier.book.find_key(draft, kid)
            if key is not None:
                self.keys_known[kid] = key  # a kid's key never changes
        return key

    def _count(self, stored: StoredBlock[Signed], tally: Tally) -> None:
        said, figures = self.said, self.said.figures
        self.known.take(tally)
        said.blocks += 1
        said.entries += len(stored.leaves)
        said.facts += stored.header.facts
        said.timers += stored.header.timers
        said.refused += tally.refused
        said.signatures += tally.signatures
        figures.erased += tally.erased
        figures.proven += tally.proven
        figures.not_disclosed += tally.not_disclosed

    def _check_disclosures(self, form: at_rest.Form, private: Disclosures, whole: bool) -> None:
        """The file's form; what belongs to no entry (a running node may have written it for its next block)."""
        for line in form.wrong:
            self.found(disclosed.FILE, None, f"SQLite finds: {line}")
        if form.unreadable:
            self.found(disclosed.FILE, None, f"it does not read: {form.unreadable}")
            return
        try:
            for start, stop in ((-(2**63), 0), (self.said.entries, 2**63 - 1)):
                for position, _, _ in private.iterate(start, stop) if whole and not self.said.live else ():
                    self.found(disclosed.FILE, position, "disclosures of an entry that the record does not have")
        except sqlite3.DatabaseError as error:
            self.found(disclosed.FILE, None, f"it does not read: {error}")

    # 5. the state

    def _open_state(self) -> None:
        if not (self.directory / STATE).exists():
            return
        if self.about.schema != self.schema:
            self.said.state = "of another schema"
            return
        stored = StoredState(self.directory, self.ours, live=self.said.live)
        if stored.fault:
            self.found(STATE, None, stored.fault)
            self.said.state = "wrong"
            stored.close()
            return
        self.stored, self.said.state_size = stored, stored.size

    def _compare_state(self, rest: AtRest) -> None:
        """Compare where the replay has come as far as the stored state."""
        if self.stored is None or self.applier.meta.size != self.stored.size:
            return
        wrong = list(self.stored.compare(self.applier, rest.state()))
        for finding in wrong:
            self.found(*finding)
        self.said.state = "wrong" if wrong else "equal"
        self.stored.close()
        self.stored = None

    # 6. the figures

    def _recompute(self) -> None:
        if self.figures:
            self.applier.state.commit()
            self.applier.state.index()
        for figure in recompute(self.applier, self.known, all=self.figures):
            self.said.recomputed.append(figure)
            if figure.outcome == WRONG:
                self.found(f"{figure.what} {figure.group} {figure.name}, circle {figure.circle}", None, figure.why)

    # 7. the files

    def _take_files(self, files: at_rest.Files) -> None:
        self.said.files = files.count
        for name in files.wrong:
            self.found(f"{FILES}/{name}", None, "it does not have the bytes that its name says")
