"""For tests of the pages of contracts: a small town in which ann and bob agree, and a delivery comes late."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hanse.rooms.contracts.facts import Propose, RegisterTemplate, SignProposal
from hanse.rooms.contracts.private_rows import AWARDS, PROPOSALS, Award
from hanse.rooms.contracts.testing import LATE, library, sha_of
from hanse.rooms.orders.delivery_facts import Receive, Ship, ShipLine
from hanse.rooms.orders.facts import ConfirmLine, ConfirmOrder, StockKey
from hanse.site.testing import DAY, EVIL, SmallTown


class AgreedTown(SmallTown):
    """A small town; once `agree` is called, bob supplies ann under agreement A1: late delivery, cay arbitrates."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, stock_each=1_000, **options)

    def register(self, name: str = "late-delivery") -> str:
        """A template of the library, registered by cay; its hash."""
        text = library(name)
        self.do("cay", RegisterTemplate(sha256=sha_of(text), text=text))
        return sha_of(text)

    def propose(self, sha: str, *, kind: type[Propose] = Propose, by: str = "bob", **rest: Any) -> Propose:
        """A proposal of bob to ann, with terms of 2.5 % a part-week; `rest` overrides."""
        fact = kind(**{
            "circle": self.ab, "agreement": "A1", "proposal": "P1", "template": sha, "params": LATE,
            "roles": {"supplier": "bob", "buyer": "ann"}, "arbiter": "cay", "scope": ["*"],
            "objection_seconds": 14 * DAY, "dispute_seconds": 7 * DAY, "note": f"as discussed {EVIL}", **rest,
        })  # fmt: skip
        self.do(by, fact)
        return fact

    def sign(self, party: str, proposal: str = "P1") -> None:
        row = self.node.view(party).get(PROPOSALS, self.ab, proposal)
        assert row is not None, proposal
        self.do(party, SignProposal(circle=self.ab, proposal=proposal, digest=row.digest))

    def agree(self, **rest: Any) -> str:
        """An agreement in force; the template's hash."""
        sha = self.register()
        self.propose(sha, **rest)
        self.sign("ann", rest.get("proposal", "P1"))
        return sha

    def deliver(self, order: str, days_late: int = 17, each: int = 10, price: int = 1000) -> str:
        """An order of ann to bob, promised `days_late` ago and received now; the award's number, "" where none."""
        self.order(order, each=each, price=price)
        promised = ConfirmLine(line=1, each=each, promised_at=self.now() - days_late * DAY)
        stock = StockKey(own_number="bob-6205", site="store-bob")
        self.do(
            "bob",
            ConfirmOrder(circle=self.ab, order=order, lines=[promised]),
            Ship(circle=self.ab, order=order, shipment=f"s-{order}", carrier="Spedition",
                 lines=[ShipLine(line=1, each=each, from_stock=stock)]),
        )  # fmt: skip
        self.do("ann", Receive(circle=self.ab, shipment=f"s-{order}", lines=[], received_by="Jo Meyer"))
        found = self.awards()
        return found[-1].award if found else ""

    def awards(self, party: str = "ann") -> list[Award]:
        """The results in money, oldest first."""
        rows = self.node.view(party).rows(AWARDS)
        return sorted(rows, key=lambda award: int(award.award.partition(":")[2]))
