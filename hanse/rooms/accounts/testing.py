"""For tests of this room and of later ones: the market of orders with books, in few words."""

from __future__ import annotations

from types import ModuleType
from typing import Any, ClassVar

from hanse.kernel.kept import TIMERS
from hanse.kernel.view import View
from hanse.rooms.accounts import (
    accruals,
    assigning,
    cycles,
    deal_facts,
    drafting,
    escrow,
    facts,
    invoicing,
    own_books,
    paying,
    rows,
)
from hanse.rooms.accounts.facts import Allocation, Pay, ReceivePayment, SetTerms
from hanse.rooms.accounts.proving import balanced
from hanse.rooms.accounts.rows import BALANCES, CYCLES, ITEMS, PAPERS, Item, Way
from hanse.rooms.orders.testing import DAY, Market
from hanse.rooms.testing import Town, home

PARTS: tuple[ModuleType, ...] = (
    *(facts, deal_facts, rows),
    *(invoicing, accruals, paying, own_books, escrow, assigning, cycles),
)
BEFORE = ("parties", "catalog", "inventory", "orders", "contracts")
PUBLIC_OF_REFUSED = (PAPERS.name, TIMERS.name, CYCLES.name)
"""What a fact may leave publicly though its circle refuses it: its number, its wait, that it took part."""


class _Town(Town):
    """A town whose rules are those of the rooms before this one, and this one's."""

    extra: ClassVar[tuple[ModuleType, ...]] = ()

    def __init__(self, *parties: str, now: int = 1_700_000_000) -> None:
        super().__init__(*parties, now=now, rooms=BEFORE, more=(*PARTS, *self.extra))


class Ledgers(Market, _Town):
    """The market, where bob sells to ann on 30 days, 2% within 10, 19% tax. `net`: circle of ann, bob and cay."""

    NET = "clearing"

    def __init__(self, now: int = 1_700_000_000) -> None:
        super().__init__(now=now)
        self.must("bob", self.terms_fact())

    def terms_fact(self, partner: str = "ann", party: str = "bob", **rest: Any) -> SetTerms:
        fields: dict[str, Any] = {
            "circle": home(party),
            "partner": partner,
            "currency": "EUR",
            "payment_days": 30,
            "discount_ppm": 20_000,
            "discount_days": 10,
            "tax_ppm": 190_000,
            "credit_limit_minor": 50_000,
            "overdue_days_max": 20,
            "hold": False,
        }
        return SetTerms(**{**fields, **rest})

    def clearing(self) -> str:
        """Open the netting circle of cay, ann and bob, cay its treasurer."""
        return self.group(self.NET, ["cay", "ann", "bob"])

    def refused_privately(self, party: str, fact: Any) -> str:
        """As `refused`, where the document's number may be used up."""
        before = {name: rows for name, rows in self.business().items() if name not in PUBLIC_OF_REFUSED}
        outcome = self.do(party, fact)
        codes = [outcome.code] if outcome.refusal else [refusal.code for refusal in outcome.private.values()]
        if codes:
            assert {name: rows for name, rows in self.business().items() if name not in PUBLIC_OF_REFUSED} == before
        return codes[0] if codes else "ok"

    def all(self) -> View:
        """A view of everything, as no party has it: for checking books."""
        circles = [row[0] for row in self.state.conn.execute("SELECT circle FROM parties_circle")]
        return View(self.state.conn, party="", circles=circles, now=self.now)

    def check(self) -> None:
        """All books balance."""
        assert balanced(self.all()) == []

    def invoice(self, number: str = "i1", /, *shipments: str, circle: str = "ann--bob", **rest: Any) -> facts.Invoice:
        found = drafting.invoice(self.view("bob"), circle, number, shipments or ("s1",), **rest)
        assert found is not None
        return found

    def invoiced(self, number: str = "i1", each: int = 10) -> int:
        """A delivery of so many, and its invoice; its gross."""
        self.delivered(f"po-{number}", each=each, shipment=f"s-{number}")
        fact = self.invoice(number, f"s-{number}")
        self.must("bob", fact)
        return fact.gross_minor

    def pay_fact(self, payment: str = "z1", amount: int = 0, *items: tuple[str, int], **rest: Any) -> Pay:
        fields: dict[str, Any] = {
            "circle": self.AB,
            "payment": payment,
            "answer_by": self.now + 5 * DAY,
            "currency": "EUR",
            "amount_minor": amount,
            "allocations": [Allocation(item=item, amount_minor=part) for item, part in items],
            "method": "bank",
        }
        return Pay(**{**fields, **rest})

    def receive_money(self, payment: str = "z1", **rest: Any) -> ReceivePayment:
        return ReceivePayment(**{"circle": self.AB, "payment": payment, "answer_by": self.now + 5 * DAY, **rest})

    def item(self, item: str = "i1", circle: str = "ann--bob") -> Item:
        found = self.state.get(ITEMS, (circle, item))
        assert found is not None
        return found

    def balance(self, account: str = "due", circle: str = "ann--bob", way: Way = Way("EUR", "bob", "ann")) -> int:
        row = self.state.get(BALANCES, (circle, way.currency, way.supplier, way.customer, account))
        return row.balance_minor if row else 0
