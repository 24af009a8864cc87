"""A node, opened on a data directory."""

from __future__ import annotations

import gc
import os
import secrets
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import msgspec
from msgspec import Struct

from hanse import compiled
from hanse.engines.embedded import Embedded
from hanse.kernel.apply import Applier
from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.kernel.rules import Rulebook
from hanse.kernel.state import State
from hanse.kernel.view import View
from hanse.kernel.writer import connect
from hanse.node.behind import WriteBehind
from hanse.node.collecting import COLLECT_AFTER
from hanse.node.disclosures import FILE as DISCLOSED
from hanse.node.disclosures import Disclosures
from hanse.node.gate import Helper
from hanse.node.journal import journal
from hanse.node.parts import rulebook, schema
from hanse.node.read_path import STATE, ReadPath
from hanse.node.replay import build, pass_on_broken_storage, replay
from hanse.node.stored import RECORD, ReplayFault
from hanse.node.tidying import let_go, tidy
from hanse.node.wallet import Wallet
from hanse.node.write_path import Receipt, WritePath
from hanse.record import ed25519
from hanse.record.damage import Damaged
from hanse.record.files import REAL_FILES, Files
from hanse.record.lock import Locked, take_lock
from hanse.record.log import Log
from hanse.record.note import NoteError, Signer

ABOUT = "hanse.json"
FILES = "files"
NODE_KEY = "node.key"
LOCK = "lock"
FORMAT = 1
SWITCH_SECONDS = 0.0005
"""How long a thread keeps the interpreter: the writer gives it up at every SQLite call and should soon have it back."""
WAIT_SECONDS = 60
PUBLISH_SECONDS = 1.0
TIDY_SECONDS = 0.02
_OUTSIDE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_BUSY,
}
"""What SQLite says where the file may be sound and the system is not."""
_journal = journal("hanse.node")


class About(Struct, frozen=True):
    """`hanse.json`: what a data directory is. `net`: the network's id. `schema`: of the state, see `parts.schema`."""

    format: int
    net: str
    schema: str


class Node:
    """Opens everything, in order, and closes it again. Use as a context manager.

    Args:
        create: make a directory that is not there, or is empty, a node's. rebuild: build `state.db` anew.
        clock: UTC seconds. progress: told (entries applied, in all) while the state is brought up to the record.
        helper: admit crowds of facts, and write what they change, in processes of their own. files: the record's seam
            for tests.

    Attributes:
        path: the write path. read: the read path. wallet: keys of hosted parties. files: attachments by hash.
        rebuilt: entries that were applied at opening, because the state was absent, behind, of another schema or ahead.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        create: bool = False,
        rebuild: bool = False,
        clock: Callable[[], float] = time.time,
        wallet: Callable[[Path, str], Wallet] | None = None,
        progress: Callable[[int, int], None] = lambda done, all: None,
        helper: bool = True,
        files: Files = REAL_FILES,
    ) -> None:
        """Refuses, in order: node.no_directory, node.not_a_node, node.locked, node.other_format, node.no_key_file,
        node.damaged. Raises: `ed25519.OtherRule`."""
        ed25519.self_check()
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.set_threshold(*COLLECT_AFTER)
        self.directory, self.clock = Path(directory), clock
        with ExitStack() as held:
            held.callback(let_go)
            self._lock(create, held)
            about = read_about(self.directory) if not create or has_node(self.directory) else self._make()
            self.net = about.net
            self.log = held.enter_context(self._open_log(about.net, files))
            self.disclosures = self._open_disclosures(held)
            self.applier, self.rebuilt = self._state(about, rebuild, progress, held)
            self.read = ReadPath(self.directory, clock=clock)
            held.callback(self.read.close)
            self.files = self.directory / FILES
            self.files.mkdir(exist_ok=True)
            self._start(wallet, helper, held)
            self._held = held.pop_all()
        rules = "compiled" if compiled.in_use() else "interpreted"
        _journal.info("node.opened", net=self.net, entries=self.log.size, applied=self.rebuilt, rules=rules)

    def _start(self, wallet: Callable[[Path, str], Wallet] | None, helper: bool, held: ExitStack) -> None:
        """The threads: gate, writer, publisher; ended in this order, and a last checkpoint signed."""
        held.callback(self.publish)
        self._closing = threading.Event()
        self._publisher = threading.Thread(target=self._publish, name="hanse-publisher", daemon=True)
        self.path = WritePath(
            self.applier,
            self.log,
            self.disclosures,
            find_key=self.read.find_key,
            clock=self.clock,
            start_helper=(lambda: Helper(self.directory, self.net)) if helper else None,
            start_writer=self._write_behind if helper else None,
        )
        held.callback(self.path.gate.close)
        now = self.path.now_exactly
        self.wallet = wallet(self.directory, self.net) if wallet else Wallet(self.directory, self.net, now=now)
        held.callback(self.wallet.close)
        self.engine = self.path.engine = Embedded(
            self.path.apply,
            due=lambda: self.path.next_due,
            clock=self.clock,
            on_fault=lambda error: _journal.error("engine.fault", exc_info=error),
        )
        self._publisher.start()
        held.callback(self._publisher.join)
        held.callback(self._closing.set)
        held.callback(self.engine.close)
        held.callback(self.path.gate.close)

    def _write_behind(self) -> WriteBehind:
        shapes = self.applier.state.shapes()
        return WriteBehind(str(self.directory / STATE), shapes, lock=self._lock_file)

    def _lock(self, create: bool, held: ExitStack) -> None:
        """One process a directory."""
        if not has_node(self.directory):
            if not create:
                raise _no_node(self.directory)
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._lock_file = take_lock(self.directory / LOCK)
            held.callback(os.close, self._lock_file)
        except Locked as locked:
            raise _locked(locked.pid) from None

    def _make(self) -> About:
        """A new node's files, the key first: a directory without `hanse.json` is none yet, and may be begun again."""
        leftovers = {ABOUT + ".new", NODE_KEY, NODE_KEY + ".new", LOCK}
        if any(path.name not in leftovers for path in self.directory.iterdir()):
            raise Refused(
                "node.not_a_node",
                "the directory holds something else",
                got=self.directory,
                next="name another directory",
            )
        about = About(FORMAT, f"hanse-{secrets.token_hex(8)}", "")
        secret = Signer(about.net, secrets.token_bytes(32)).secret_text()
        write_small(self.directory / NODE_KEY, secret.encode(), 0o600)
        write_small(self.directory / ABOUT, msgspec.json.encode(about))
        return about

    def _open_log(self, net: str, files: Files) -> Log:
        try:
            signer = Signer.parse((self.directory / NODE_KEY).read_text().strip())
        except FileNotFoundError:
            raise Refused(
                "node.no_key_file",
                "node.key is missing: this is a copy to verify, not one to run",
                got=self.directory / NODE_KEY,
                next="put the key back, or use `hanse verify`, which needs none",
            ) from None
        except (NoteError, UnicodeDecodeError):
            raise Refused("node.no_key_file", "node.key does not read", got=self.directory / NODE_KEY) from None
        try:
            log = Log.open(self.directory / RECORD, net, signer, files)
        except Locked as locked:
            raise _locked(locked.pid) from None
        except Damaged as damaged:
            raise _damaged(f"{RECORD}/{damaged.finding.file}", damaged.finding.entry, damaged.finding.what) from None
        if log.segment.cut_bytes:
            _journal.warning("record.torn_tail_cut", bytes=log.segment.cut_bytes, size=log.size)
        if log.repaired:
            _journal.warning("record.tiles_repaired", size=log.size)
        return log

    def _open_disclosures(self, held: ExitStack) -> Disclosures:
        try:
            found = Disclosures(self.directory)
            held.callback(found.close)
            found.drop_from(self.log.size)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _OUTSIDE:
                raise
            raise _damaged(DISCLOSED, None, str(error)) from None
        return found

    def _state(
        self, about: About, rebuild: bool, progress: Callable[[int, int], None], held: ExitStack
    ) -> tuple[Applier, int]:
        """The state, brought up to the record; built anew where asked, or where it cannot be this record's."""
        book = rulebook()
        path, current = self.directory / STATE, schema(book)
        if rebuild or about.schema != current:
            self._drop_state("asked" if rebuild else "other schema")
            write_small(self.directory / ABOUT, msgspec.json.encode(About(FORMAT, about.net, current)))
        try:
            built = 0 if path.exists() else build(path, book, self.log, self.disclosures, progress)
            applier = _open_state(path, book, about.net, self.log.size)
            if applier is None:
                self._drop_state("not this record's")
                built = build(path, book, self.log, self.disclosures, progress)
                applier = _open_state(path, book, about.net, self.log.size)
                assert applier is not None, "a new state fits"
            held.callback(applier.state.conn.close)
            held.callback(applier.state.write_with, None)
            return applier, built + replay(applier, self.log, self.disclosures, progress)
        except ReplayFault as fault:
            raise _damaged(RECORD, fault.position, fault.why) from fault
        except Damaged as damaged:
            raise _damaged(f"{RECORD}/{damaged.finding.file}", damaged.finding.entry, damaged.finding.what) from None
        except sqlite3.DatabaseError as error:
            if type(error) is sqlite3.DatabaseError and (wrong := self.disclosures.fault()):
                raise _damaged(DISCLOSED, None, wrong) from None
            raise

    def _drop_state(self, why: str) -> None:
        if (self.directory / STATE).exists():
            _journal.info("state.dropped", why=why)
        for suffix in ("", "-wal", "-shm"):
            (self.directory / (STATE + suffix)).unlink(missing_ok=True)

    def _publish(self) -> None:
        """Tidy the write-ahead logs and the memory, and once in a while publish."""
        since = 0.0
        while not self._closing.wait(TIDY_SECONDS):
            self._tidy()
            self.path.crowds.tidy()
            since += TIDY_SECONDS
            if since >= PUBLISH_SECONDS:
                self.publish()
                since = 0.0

    def _tidy(self) -> None:
        for name in (STATE, DISCLOSED):
            try:
                tidy(str(self.directory / name))
            except (sqlite3.Error, OSError) as error:
                _journal.error("node.tidy_failed", file=name, error=str(error))

    def publish(self) -> None:
        """Tiles and a signed checkpoint over everything applied so far; where that fails, a later call tries again."""
        if self.log.size > self.log.published_size:
            try:
                self.log.publish()
            except Exception as error:
                _journal.error("record.publish_failed", error=str(error))

    def view(self, party: str = "") -> View:
        return self.read.view(party)

    def act(self, party: str, fact: Fact, *, check: bool = True) -> Receipt:
        """Sign a fact for a hosted party, submit it and wait for its receipt.

        Args:
            check: ask first what would become of it, private rules included, and put nothing on the record where it
                would be refused.
        Refuses: as the fact's rules, public and private; node.no_key; as `WritePath.submit`.
        """
        signed = self.wallet.sign(party, fact)
        if check and (refusal := self.path.trial(signed)):
            raise Refused.of(refusal)
        receipt = self.path.submit(signed).result(WAIT_SECONDS)
        if receipt.first_refusal:
            raise Refused.of(receipt.first_refusal)
        return receipt

    def close(self) -> None:
        """Answer what waits, publish, close every file. A second call does nothing."""
        self._held.close()

    def __enter__(self) -> Node:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def has_node(directory: Path) -> bool:
    """Whether a directory is a node's, or a copy of one."""
    return (directory / ABOUT).exists()


def read_about(directory: Path) -> About:
    """What a directory says of itself. Refuses, in order: node.no_directory, node.not_a_node, node.other_format."""
    if not has_node(directory):
        raise _no_node(directory)
    try:
        about = msgspec.json.decode((directory / ABOUT).read_bytes(), type=About)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused("node.not_a_node", f"{ABOUT} does not read: {error}", got=directory / ABOUT) from None
    if about.format != FORMAT:
        raise Refused(
            "node.other_format",
            "this directory was written by another version",
            got=about.format,
            expected=FORMAT,
            next="open it with the version that wrote it, or export and import",
        )
    return about


def _no_node(directory: Path) -> Refused:
    return Refused(
        "node.not_a_node" if directory.exists() else "node.no_directory",
        "there is no node here",
        got=directory,
        next="make one with `hanse serve --new`, or name another directory",
    )


def _locked(pid: int) -> Refused:
    return Refused(
        "node.locked",
        "another process runs this node",
        got=pid,
        next="stop that process first; verify, prove and backup need no stop",
        retry=True,
    )


def _damaged(where: str, position: int | None, what: str) -> Refused:
    return Refused(
        "node.damaged",
        f"the data directory is damaged: {what}",
        got=where if position is None else f"{where}: entry {position}",
        next="see all of it with `hanse verify`, and restore a backup",
    )


def _open_state(path: Path, book: Rulebook, net: str, size: int) -> Applier | None:
    """The state at a path; None where what is there cannot be of a record of this network and size."""
    conn = None
    try:
        conn = connect(str(path))
        applier = Applier(State(conn, book.tables), book, on_bug=_note_bug)
        applier.start(net)
        meta = applier.meta
        if meta.net == net and meta.size <= size:
            return applier
    except (sqlite3.DatabaseError, UnicodeDecodeError, msgspec.DecodeError, msgspec.ValidationError) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _OUTSIDE:
            raise Refused("node.disk_full", f"the state cannot be opened: {error}", got=path, retry=True) from None
        _journal.warning("state.does_not_read", error=str(error))
    if conn is not None:
        conn.close()
    return None


def _note_bug(error: BaseException) -> None:
    pass_on_broken_storage(error)
    _journal.error("rule.bug", exc_info=error)


def write_small(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace a small file as a whole, durably."""
    temporary = path.with_suffix(path.suffix + ".new")
    fd = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
    try:
        REAL_FILES.write_at(fd, data, 0)
        os.fsync(fd)
    finally:
        os.close(fd)
    temporary.replace(path)
    REAL_FILES.sync_directory(path.parent)
