"""For tests of the pages of accounts: a small town with bills, where time passes when told."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from hanse.node import joining
from hanse.rooms.accounts import drafting
from hanse.rooms.accounts.facts import SetTerms
from hanse.rooms.contracts.facts import Propose, RegisterTemplate, SignProposal
from hanse.rooms.contracts.private_rows import PROPOSALS
from hanse.rooms.contracts.testing import LATE, library, sha_of
from hanse.rooms.orders.delivery_facts import Receive, ReceiveLine, Ship, ShipLine
from hanse.rooms.orders.facts import ConfirmLine, ConfirmOrder, DeliverTo, PlaceLine, PlaceOrder
from hanse.site.testing import DAY, SmallTown

START = 1_800_000_000
WAIT_SECONDS = 20


class BooksTown(SmallTown):
    """bob sells to ann on 30 days, 2% within 10, 19% tax, up to 500.00 EUR. `at`: the clock, UTC seconds."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.at = START
        super().__init__(folder, stock_each=2_000, clock=lambda: float(self.at), **options)
        self.circles = {("ann", "bob"): self.ab}
        self.do("bob", self.terms())

    def terms(self, party: str = "bob", partner: str = "ann", **rest: Any) -> SetTerms:
        fields: dict[str, Any] = {
            "circle": self.home(party), "partner": partner, "currency": "EUR", "payment_days": 30,
            "discount_ppm": 20_000, "discount_days": 10, "tax_ppm": 190_000, "credit_limit_minor": 50_000,
            "overdue_days_max": 20, "hold": False,
        }  # fmt: skip
        return SetTerms(**{**fields, **rest})

    def circle(self, buyer: str, seller: str) -> str:
        """The relationship of two firms, begun where there is none."""
        pair = (min(buyer, seller), max(buyer, seller))
        if pair not in self.circles:
            self.circles[pair] = joining.relationship(self.node, *pair)
        return self.circles[pair]

    def deliver(
        self, order: str, each: int = 10, price: int = 1000, *, buyer: str = "ann", seller: str = "bob",
        promised_at: int = 0,
    ) -> str:  # fmt: skip
        """An order that is confirmed, shipped and received; the shipment."""
        circle = self.circle(buyer, seller)
        line = PlaceLine(
            line=1, each=each, offer="", item="item-6205", own_number="x", unit_price_minor=price, requested_at=0
        )
        self.do(buyer, PlaceOrder(
            circle=circle, order=order, confirm_by=self.now() + DAY, lines=[line], buyer_party=buyer,
            seller_party=seller, po_number="4500017", currency="EUR",
            deliver_to=DeliverTo(site=f"store-{buyer}", city="Rostock", country="DE"),
        ))  # fmt: skip
        self.do(
            seller,
            ConfirmOrder(circle=circle, order=order, lines=[
                ConfirmLine(line=1, each=each, promised_at=promised_at or self.now() + 4 * DAY),
            ]),
            Ship(circle=circle, order=order, shipment=f"s-{order}", carrier="DHL", lines=[ShipLine(line=1, each=each)]),
        )  # fmt: skip
        self.do(buyer, Receive(circle=circle, shipment=f"s-{order}", lines=[
            ReceiveLine(line=1, received=each, damaged=0, over=0, reason=""),
        ]))  # fmt: skip
        return f"s-{order}"

    def billed(self, number: str, each: int = 10, *, buyer: str = "ann", seller: str = "bob", **rest: Any) -> str:
        """A delivery and its invoice; the invoice."""
        shipment = self.deliver(f"po-{number}", each, buyer=buyer, seller=seller)
        fact = drafting.invoice(self.node.view(seller), self.circle(buyer, seller), number, [shipment], **rest)
        assert fact is not None
        self.do(seller, fact)
        return number

    def agree(self) -> None:
        """ann and bob sign the library's late-delivery contract: 2.5% a part-week, at most 15%, 14 days to object."""
        text = library("late-delivery")
        self.do("cay", RegisterTemplate(sha256=sha_of(text), text=text))
        self.do("bob", Propose(
            circle=self.ab, agreement="A1", proposal="P1", template=sha_of(text), params=LATE,
            roles={"supplier": "bob", "buyer": "ann"}, arbiter="cay", scope=["*"], objection_seconds=14 * DAY,
            dispute_seconds=7 * DAY,
        ))  # fmt: skip
        row = self.node.view("ann").get(PROPOSALS, self.ab, "P1")
        assert row is not None
        self.do("ann", SignProposal(circle=self.ab, proposal="P1", digest=row.digest))

    def pass_days(self, days: int) -> None:
        """Let days pass; the ledger's timers fire by themselves."""
        self.at += days * DAY
        self.node.path.engine.tick()  # type: ignore[attr-defined]
        end = time.monotonic() + WAIT_SECONDS
        while (due := self.node.path.next_due) is not None and due <= self.at:
            assert time.monotonic() < end, "a timer did not fire"
            time.sleep(0.02)
