"""`hanse verify`: everything that a data directory says, proven again, from a copy and without private keys.

    1. the record     tiles, checkpoint, segment agree (record.verify)
    2. the facts      every signature verifies under the key that was known when it was ordered
    3. the replay     every fact, applied again, gives the recorded outcome, and every block the recorded state hash
    4. disclosures    each belongs to a digest that was signed
    5. the state      `state.db`, where there is one, equals the state that the replay gives

Per private figure: *proven* (a disclosure fits a signed digest), *not disclosed to you*, *erased*, or *wrong*.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec
from msgspec import Struct

from hanse.kernel.apply import Applier
from hanse.kernel.batches import signed_part
from hanse.kernel.facts import ERASED, Signed, count_digests, layout
from hanse.kernel.kept import META
from hanse.kernel.refusal import Refused
from hanse.kernel.state import Draft, State, connect
from hanse.kernel.tables import Table
from hanse.node import disclosures as disclosed
from hanse.node.disclosures import Disclosures
from hanse.node.node import ABOUT, RECORD, About
from hanse.node.parts import rulebook, schema
from hanse.node.read_path import STATE
from hanse.node.replay import ReplayFault, StoredBlock, apply_stored, blocks
from hanse.node.signatures import Check, Helper
from hanse.record.note import VerifierKey
from hanse.record.segment import Segment
from hanse.record.verify import verify as verify_record
from hanse.standards import sdjwt

CHUNK_CHECKS = 2_048
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
        entries: in the record. facts, refused, timers: of these. signatures: verified (a batch counts once).
        checkpoint: entries covered by the signed checkpoint. own_key: whether the record's own key had to do.
        state: "equal", "absent", "behind" or "of another schema".
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
    findings: list[Found] = msgspec.field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings


def verify(
    directory: Path | str, keys: Sequence[VerifierKey] = (), progress: Progress = lambda step, done, all: None
) -> Verified:
    """Verify a data directory or a copy of it (record, disclosures, state; what is missing is said). Changes nothing.

    Args:
        keys: the log's keys as known from elsewhere; without them the record's own key shows damage, not forgery.
    Refuses: node.not_a_node.
    """
    with tempfile.TemporaryDirectory(prefix="hanse-verify-") as scratch:
        return _Run(Path(directory), Path(scratch), keys, progress).run()


class _Run:
    def __init__(self, directory: Path, scratch: Path, keys: Sequence[VerifierKey], progress: Progress) -> None:
        self.directory, self.keys, self.progress = directory, keys, progress
        if not (directory / ABOUT).exists():
            raise Refused("node.not_a_node", "there is no node's directory here", got=directory)
        self.about = msgspec.json.decode((directory / ABOUT).read_bytes(), type=About)
        self.said = Verified()
        book = rulebook()
        self.schema = schema(book)
        state = State(connect(str(scratch / STATE)), book.tables)
        state.conn.execute("PRAGMA synchronous=OFF")
        self.applier = Applier(state, book)
        self.applier.start(self.about.net)
        self.waiting: list[tuple[int, Check]] = []
        self.checking: list[tuple[list[int], Future[list[bool]]]] = []

    def run(self) -> Verified:
        said = self.said
        report = verify_record(
            self.directory / RECORD, self.keys, self.about.net, lambda done, all: self.progress("record", done, all)
        )
        said.findings += [Found(f"{RECORD}/{f.file}", f.entry, f.what) for f in report.findings]
        said.checkpoint, said.root, said.own_key = report.size or 0, report.root.hex(), report.own_key
        private = Disclosures(self.directory, read_only=True) if (self.directory / disclosed.FILE).exists() else None
        try:
            whole = self._replay(private)
            if private is not None and whole:
                self._check_strays(private)
        finally:
            if private is not None:
                private.close()
        if whole:
            self._compare_state()
        self.applier.state.conn.close()
        return said

    def found(self, where: str, position: int | None, what: str) -> None:
        if len(self.said.findings) < FINDINGS_MAX:
            self.said.findings.append(Found(where, position, what))

    def _replay(self, private: Disclosures | None) -> bool:
        """Steps 2 to 4; whether the record replayed to its end."""
        segment = Segment.open(self.directory / RECORD, read_only=True)
        helper, pending = Helper(), 0
        pool = ThreadPoolExecutor(1)
        try:
            for stored in blocks(segment.iterate(0, segment.size), 0, self.applier, private, self._bad_disclosure):
                self._take_signatures(stored, helper, pool)
                apply_stored(self.applier, stored)
                self._count(stored)
                pending += len(stored.leaves)
                if pending >= 4_096:
                    self.applier.state.commit()
                    self.progress("replay", stored.first + len(stored.leaves), segment.size)
                    pending = 0
            self.applier.state.commit()
            return True
        except ReplayFault as fault:
            self.found(RECORD, fault.position, fault.why)
            return False
        finally:
            self._send(helper, pool)
            self._collect(all=True)
            pool.shutdown()
            helper.close()
            segment.abandon()
            self.progress("replay", self.said.entries, self.said.entries)

    def _bad_disclosure(self, position: int, why: str) -> None:
        self.said.figures.wrong += 1
        self.found(disclosed.FILE, position, why)

    def _take_signatures(self, stored: StoredBlock, helper: Helper, pool: ThreadPoolExecutor) -> None:
        """Queue the block's signatures, each with the key that was known before the block."""
        draft, seen = Draft(self.applier.state, now=0, position=0), set()
        for i, signed in enumerate(stored.facts):
            position = stored.first + 1 + i
            try:
                key = self._key(draft, signed)
                check = (key, *signed_part(signed))
            except Refused as refused:
                self.found(RECORD, position, str(refused))
                continue
            if signed.batch is None or check not in seen:
                self.waiting.append((position, check))
                self.said.signatures += 1
            if signed.batch is not None:
                seen.add(check)
        if len(self.waiting) >= CHUNK_CHECKS:
            self._send(helper, pool)
            self._collect()

    def _key(self, draft: Draft, signed: Signed) -> bytes:
        if signed.fact.introduces:
            return sdjwt.unb64(signed.fact.public_key.encode())  # type: ignore[attr-defined]
        key = self.applier.book.find_key(draft, signed.envelope.kid)
        if key is None:
            raise Refused("parties.unknown_key", "it was signed with a key that nobody had", got=signed.envelope.kid)
        return key

    def _send(self, helper: Helper, pool: ThreadPoolExecutor) -> None:
        if self.waiting:
            positions, checks = [p for p, _ in self.waiting], [c for _, c in self.waiting]
            self.checking.append((positions, pool.submit(helper.verify, checks)))
            self.waiting = []

    def _collect(self, all: bool = False) -> None:
        """Take the answers that are there; keep two chunks under way unless all are wanted."""
        while self.checking and (all or len(self.checking) > 2):
            positions, answers = self.checking.pop(0)
            for position, good in zip(positions, answers.result(), strict=True):
                if not good:
                    self.found(RECORD, position, "the signature does not verify")

    def _count(self, stored: StoredBlock) -> None:
        said, figures = self.said, self.said.figures
        said.blocks += 1
        said.entries += len(stored.leaves)
        said.facts += stored.header.facts
        said.timers += stored.header.timers
        said.refused += sum(leaf.split(b"\n", 2)[1] != b"ok" for leaf in stored.leaves)
        for signed in stored.facts:
            where = layout(type(signed.fact))
            if where.empty:
                continue
            erased = sum(d.startswith(ERASED) for d in signed.disclosures)
            figures.erased += erased
            figures.proven += len(signed.disclosures) - erased
            figures.not_disclosed += count_digests(signed.fact, where) - len(signed.disclosures)

    def _check_strays(self, private: Disclosures) -> None:
        for position, _, _ in private.iterate(self.said.entries, 2**62):
            self.found(disclosed.FILE, position, "disclosures of an entry that the record does not have")
            return

    def _compare_state(self) -> None:
        """Step 5."""
        path = self.directory / STATE
        if not path.exists():
            return
        if self.about.schema != self.schema:
            self.said.state = "of another schema"
            return
        conn = connect(str(path), read_only=True)
        try:
            theirs = conn.execute(f"SELECT size FROM {META.name}").fetchone()
            if theirs is None or theirs[0] < self.applier.meta.size:
                self.said.state = "behind"
                return
            for table in self.applier.book.tables:
                self._compare_table(table, conn.execute(_all(table)))
            self.said.state = "equal" if not any(f.where.startswith(STATE) for f in self.said.findings) else "wrong"
        except Exception as error:
            self.said.state = "wrong"
            self.found(STATE, None, f"it does not read: {error}")
        finally:
            conn.close()

    def _compare_table(self, table: Table[object], theirs: object) -> None:  # type: ignore[type-var]
        ours = self.applier.state.conn.execute(_all(table))
        at = table.columns.index("position")
        while True:
            mine, other = ours.fetchone(), theirs.fetchone()  # type: ignore[attr-defined]
            if mine != other:
                row = mine or other
                key = row[: len(table.columns)]
                self.found(f"{STATE}: {table.name}", row[at], f"a row differs from the record's: {key!r:.160}")
                return
            if mine is None:
                return


def _all(table: Table[object]) -> str:  # type: ignore[type-var]
    return f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {', '.join(table.key)}"
