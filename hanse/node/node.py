"""A node, opened on a data directory."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import msgspec
from msgspec import Struct

from hanse.engines.embedded import Embedded
from hanse.kernel.apply import Applier
from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.kernel.state import State, connect
from hanse.kernel.view import View
from hanse.node.disclosures import Disclosures
from hanse.node.parts import rulebook, schema
from hanse.node.read_path import STATE, ReadPath
from hanse.node.replay import replay
from hanse.node.signatures import Verifier
from hanse.node.wallet import Wallet
from hanse.node.write_path import Receipt, WritePath
from hanse.record.log import Log
from hanse.record.note import Signer

ABOUT = "hanse.json"
RECORD = "record"
FILES = "files"
NODE_KEY = "node.key"
FORMAT = 1
WAIT_SECONDS = 60
PUBLISH_SECONDS = 1.0


class About(Struct, frozen=True):
    """`hanse.json`: what a data directory is. `net`: the network's id. `schema`: of the state, see `parts.schema`."""

    format: int
    net: str
    schema: str


class Node:
    """Opens everything, in order, and closes it again. Use as a context manager.

    Attributes:
        path: the write path. read: the read path. wallet: keys of hosted parties. files: attachments by hash.
        rebuilt: entries that were applied at opening, because the state was absent, behind, of another schema or ahead.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        create: bool = False,
        clock: Callable[[], float] = time.time,
        wallet: Callable[[Path, str], Wallet] | None = None,
        progress: Callable[[int, int], None] = lambda done, all: None,
        helper: bool = True,
    ) -> None:
        """Refuses, in order: node.no_directory, node.not_a_node, node.other_format. Raises `Locked`, `Damaged`."""
        self.directory, self.clock = Path(directory), clock
        about = self._about(create)
        self.net = about.net
        self.log = Log.open(self.directory / RECORD, about.net, self._signer(about.net))
        self.disclosures = Disclosures(self.directory)
        self.disclosures.drop_from(self.log.size)
        self.applier, self.rebuilt = self._state(about, progress)
        self.read = ReadPath(self.directory)
        self.wallet = (wallet or (lambda path, net: Wallet(path, net, now=clock)))(self.directory, about.net)
        self.files = self.directory / FILES
        self.files.mkdir(exist_ok=True)
        self.verifier = Verifier(helper=helper)
        self.path = WritePath(
            self.applier, self.log, self.disclosures, verifier=self.verifier, find_key=self.read.find_key, clock=clock
        )
        self.path.engine = self.engine = Embedded(self.path.apply, due=lambda: self.path.next_due, clock=clock)
        self._closing = threading.Event()
        self._publisher = threading.Thread(target=self._publish, name="hanse-publisher", daemon=True)
        self._publisher.start()

    def _about(self, create: bool) -> About:
        path = self.directory / ABOUT
        if not path.exists():
            if not create:
                raise Refused(
                    "node.no_directory" if not self.directory.exists() else "node.not_a_node",
                    "there is no node here",
                    got=self.directory,
                    next="make one with `hanse serve --new`, or name another directory",
                )
            if self.directory.exists() and any(self.directory.iterdir()):
                raise Refused("node.not_a_node", "the directory holds something else", got=self.directory)
            self.directory.mkdir(parents=True, exist_ok=True)
            net = f"hanse-{secrets.token_hex(8)}"
            _write(path, msgspec.json.encode(About(FORMAT, net, "")))
            _write(self.directory / NODE_KEY, Signer(net, secrets.token_bytes(32)).secret_text().encode(), 0o600)
        about = msgspec.json.decode(path.read_bytes(), type=About)
        if about.format != FORMAT:
            raise Refused(
                "node.other_format",
                "this directory was written by another version",
                got=about.format,
                expected=FORMAT,
                next="open it with the version that wrote it, or export and import",
            )
        return about

    def _signer(self, net: str) -> Signer:
        return Signer.parse((self.directory / NODE_KEY).read_text().strip())

    def _state(self, about: About, progress: Callable[[int, int], None]) -> tuple[Applier, int]:
        """The state, brought up to the record; built anew where it is of another schema or ahead of the record."""
        book = rulebook()
        path, current = self.directory / STATE, schema(book)
        if about.schema != current:
            self._drop_state()
            _write(self.directory / ABOUT, msgspec.json.encode(About(FORMAT, about.net, current)))
        applier = _open_state(path, book, about.net)
        if applier.meta.size > self.log.size:
            applier.state.conn.close()
            self._drop_state()
            applier = _open_state(path, book, about.net)
        return applier, replay(applier, self.log, self.disclosures, progress)

    def _drop_state(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            (self.directory / (STATE + suffix)).unlink(missing_ok=True)

    def _publish(self) -> None:
        while not self._closing.wait(PUBLISH_SECONDS):
            self.publish()

    def publish(self) -> None:
        """Tiles and a signed checkpoint over everything applied so far."""
        if self.log.size > self.log.published_size:
            try:
                self.log.publish()
            except OSError:
                return  # a full disk: the next round tries again

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
        self.verifier.close()
        self.engine.close()
        self._closing.set()
        self._publisher.join()
        self.publish()
        self.applier.state.conn.close()
        self.read.close()
        self.wallet.close()
        self.disclosures.close()
        self.log.close()

    def __enter__(self) -> Node:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _open_state(path: Path, book: object, net: str) -> Applier:
    state = State(connect(str(path)), book.tables)  # type: ignore[attr-defined]
    applier = Applier(state, book)  # type: ignore[arg-type]
    applier.start(net)
    return applier


def _write(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace a small file as a whole, durably."""
    temporary = path.with_suffix(path.suffix + ".new")
    fd = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
    try:
        os.write(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    temporary.replace(path)
