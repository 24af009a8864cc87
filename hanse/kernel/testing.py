"""A world for tests: rules over an in-memory state, without record, disk or signature checks."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from hanse.kernel.apply import Applier
from hanse.kernel.facts import HEADER, Fact, Signed, payload
from hanse.kernel.outcome import Block, Outcome
from hanse.kernel.reading import read
from hanse.kernel.rules import Rulebook
from hanse.kernel.state import State
from hanse.kernel.view import View
from hanse.kernel.writer import connect
from hanse.standards import sdjwt


class World:
    """Facts in, outcomes out, one block a call; `now` is the ledger time and moves only when a test moves it.

    Bugs in rules pass through as exceptions (`strict`).
    """

    def __init__(self, *rooms: ModuleType, now: int = 1_700_000_000) -> None:
        self.book = Rulebook(rooms)
        self.state = State(connect(":memory:"), self.book.tables)
        self.applier = Applier(self.state, self.book, strict=True)
        self.applier.start("test")
        self.now = now
        self.blocks: list[Block] = []
        self._nonce = 0

    def sign(self, iss: str, fact: Fact, *, kid: str = "", nonce: int | None = None, exp: int | None = None) -> Signed:
        """A fact as if signed by `iss`, with all its disclosures; the signature is 64 zero bytes."""
        self._nonce += 1
        at = self._nonce if nonce is None else nonce
        until = self.now + 3600 if exp is None else exp
        text, disclosures = payload(
            fact,
            net="test",
            iss=iss,
            kid=kid or f"key-{iss}",
            nonce=at,
            exp=until,
            salt=lambda: f"salt{self._nonce:018d}",
        )
        return read(self.book.kinds, sdjwt.sign(HEADER, text, lambda _: bytes(64)), disclosures)

    def do(self, iss: str, fact: Fact, **rest: Any) -> Outcome:
        """Sign and apply one fact as a block of its own."""
        return self.block(self.sign(iss, fact, **rest))[0]

    def block(self, *facts: Signed) -> list[Outcome]:
        block = self.applier.block(facts, self.now)
        self.state.commit()
        self.blocks.append(block)
        return block.outcomes

    def tick(self, seconds: int) -> Block:
        """Let time pass and close an empty block, so that due timers fire."""
        self.now += seconds
        self.block()
        return self.blocks[-1]

    def view(self, party: str = "", circles: tuple[str, ...] = (), home: str = "") -> View:
        return View(self.state.conn, party=party, circles=circles, home=home, now=self.now)

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, for comparing states."""
        return {
            t.name: self.state.conn.execute(f"SELECT * FROM {t.name} ORDER BY {', '.join(t.key)}").fetchall()
            for t in self.book.tables
        }
