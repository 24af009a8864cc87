"""For tests: the small town with a clock that a test sets, and agreements between ann, who buys, and bob."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hanse.kernel.view import View
from hanse.node.answering import Answering
from hanse.rooms.contracts.compiled import template_of
from hanse.rooms.contracts.facts import Propose, RegisterTemplate, SignProposal
from hanse.rooms.contracts.library import text_of
from hanse.rooms.contracts.private_rows import PROPOSALS
from hanse.rooms.orders.delivery_facts import Receive, Ship, ShipLine
from hanse.rooms.orders.facts import StockKey
from hanse.site.testing import DAY, SmallTown

WAIT_SECONDS = 30


class Hands:
    """A clock that stands until it is set."""

    def __init__(self, at: int = 1_800_000_000) -> None:
        self.at = at

    def __call__(self) -> float:
        return float(self.at)


class AgreedTown(SmallTown):
    """The small town, where time passes when told, and sellers' nodes answer by themselves."""

    def __init__(self, folder: Path, **rest: Any) -> None:
        self.hands = Hands()
        super().__init__(folder, clock=self.hands, **rest)
        self.faults: list[BaseException] = []
        self.answering = Answering(self.node, lambda order, error: self.faults.append(error))

    def agree(self, name: str, params: dict[str, Any], agreement: str = "A1", **rest: Any) -> None:
        """Bob proposes the library's template to ann, who signs."""
        text = text_of(name)
        sha256 = template_of(text).sha256
        self.do("bob", RegisterTemplate(sha256=sha256, text=text))
        fields: dict[str, Any] = {
            "circle": self.ab,
            "agreement": agreement,
            "proposal": f"{agreement}/1",
            "template": sha256,
            "params": params,
            "roles": {"supplier": "bob", "buyer": "ann"},
            "scope": ["*"],
            "objection_seconds": 14 * DAY,
            "dispute_seconds": 7 * DAY,
        }
        self.do("bob", Propose(**{**fields, **rest}))
        row = self.view("ann").get(PROPOSALS, self.ab, f"{agreement}/1")
        assert row is not None
        self.do("ann", SignProposal(circle=self.ab, proposal=row.proposal, digest=row.digest))

    def view(self, party: str) -> View:
        return self.node.view(party)

    def until(self, met: Callable[[], Any], why: str = "") -> Any:
        """Wait until something is there; it."""
        end = time.monotonic() + WAIT_SECONDS
        while not (found := met()):
            assert time.monotonic() < end, why or "nothing came in time"
            time.sleep(0.02)
        return found

    def pass_days(self, days: int) -> None:
        """Let days pass; nobody signs anything meanwhile, the ledger's timers fire by themselves."""
        for _ in range(days):
            self.hands.at += DAY
            self.node.path.engine.tick()  # type: ignore[attr-defined]
            self.until(self._quiet, "a timer did not fire")

    def _quiet(self) -> bool:
        due = self.node.path.next_due
        return due is None or due > self.hands.at

    def deliver(self, order: str, each: int = 10) -> None:
        """Bob ships a confirmed order's first line, ann receives all of it."""
        stock = StockKey(own_number="bob-6205", site="store-bob")
        self.do("bob", Ship(circle=self.ab, order=order, shipment=f"s-{order}", carrier="Spedition",
                            lines=[ShipLine(line=1, each=each, from_stock=stock)]))  # fmt: skip
        self.do("ann", Receive(circle=self.ab, shipment=f"s-{order}", lines=[], received_by="Jo Meyer"))

    def close(self) -> None:
        self.answering.close()
        super().close()
