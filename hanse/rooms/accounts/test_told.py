"""Clause results in the books. `TellAward` tells them, as the room of contracts does."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import pytest

from hanse.kernel.draft import Draft
from hanse.kernel.facts import WITHHELD, Commercial, Fact, Id
from hanse.kernel.rules import circle_rule
from hanse.rooms.accounts.queries import accruals
from hanse.rooms.accounts.testing import Ledgers
from hanse.rooms.contracts.told import AwardPosted, AwardStands, AwardVoid
from hanse.rooms.orders.testing import DAY


class TellAward(Fact, frozen=True, kw_only=True):
    """`step`: posted, stands or void. `said`: the event's fields."""

    kind: ClassVar[str] = "test.tell_award"
    circle: Id
    step: str
    said: Commercial[dict[str, Any]] = WITHHELD


@circle_rule(TellAward)
def tell(draft: Draft, fact: TellAward) -> None:
    events: dict[str, Any] = {"posted": AwardPosted, "stands": AwardStands, "void": AwardVoid}
    draft.tell(events[fact.step](**fact.said))


class Told(Ledgers):
    extra = (sys.modules[__name__],)

    def award(self, step: str, award: str = "a1", *, sender: str = "bob", amount: int = 6_300, **rest: Any) -> None:
        fields: dict[str, Any] = {
            "circle": self.AB,
            "agreement": "late",
            "award": award,
            "kind": "pay",
            "sender": sender,
            "receiver": "ann" if sender == "bob" else "bob",
            "amount_minor": amount,
            "currency": "EUR",
            "label": "liquidated_damages",
            "due_at": self.now + 30 * DAY,
            "sha256": "00",
            **rest,
        }
        if step == "stands":
            fields = {"posted_minor": amount, **fields}
        self.must("bob", TellAward(circle=self.AB, step=step, said=fields))
        self.check()


@pytest.fixture
def books() -> Told:
    made = Told()
    made.delivered()
    return made


def test_a_clause_result_is_pending_with_its_reason_and_stands_as_a_credit_item(books):
    books.award("posted")
    (pending,) = accruals(books.view("ann"), "pending")
    assert (pending.amount_minor, pending.label, pending.document) == (-6_300, "liquidated_damages", "late")
    assert (books.balance("due"), books.balance("accrued"), books.balance("credit")) == (0, -6_300, 6_300)
    books.award("stands")
    item = books.item("a1")
    assert (item.item_kind, item.open_minor, item.subject) == ("award", -6_300, "late")
    assert (books.balance("due"), books.balance("accrued")) == (-6_300, 0)
    assert accruals(books.view("ann")) == []


def test_a_clause_result_that_falls_is_reversed(books):
    books.award("posted")
    books.award("void")
    assert [books.balance(name) for name in ("due", "accrued", "credit")] == [0, 0, 0]
    books.award("stands")
    assert books.balance("due") == 0, "what fell does not rise"


def test_a_decision_may_lower_it(books):
    books.award("posted")
    books.award("stands", amount=6_000, posted_minor=6_300)
    assert (books.balance("due"), books.balance("credit"), books.balance("accrued")) == (-6_000, 6_000, 0)


def test_a_customer_that_has_to_pay_owes_more(books):
    books.award("posted", sender="ann", amount=900)
    books.award("stands", sender="ann", amount=900)
    assert (books.item("a1").open_minor, books.balance("due")) == (900, 900)


def test_what_was_accrued_for_a_rebate_is_used_up_when_it_is_paid(books):
    for award, sender, amount in (("r1", "bob", 360), ("r2", "bob", 936), ("r3", "ann", 96)):
        books.award("posted", award, sender=sender, amount=amount, kind="post", label="rebate.accrued")
        books.award("stands", award, sender=sender, amount=amount, kind="post", label="rebate.accrued")
    assert (books.balance("accrued"), books.balance("due"), books.balance("credit")) == (-1_200, 0, 1_200)
    books.award("posted", "p1", amount=1_250, label="volume_rebate")
    books.award("stands", "p1", amount=1_250, label="volume_rebate")
    assert (books.balance("accrued"), books.balance("due"), books.balance("credit")) == (0, -1_250, 1_250)


def test_an_agreements_escrow_is_held_released_and_refunded(books):
    for step, award, sender, amount in (("hold", "h", "ann", 1_000), ("release", "l", "ann", 700)):
        books.award("posted", award, sender=sender, amount=amount, kind=step)
        books.award("stands", award, sender=sender, amount=amount, kind=step)
    assert (books.balance("escrow"), books.balance("due"), books.balance("bank")) == (300, -700, 700)
    books.award("posted", "f", sender="bob", amount=300, kind="refund")
    books.award("stands", "f", sender="bob", amount=300, kind="refund")
    assert (books.balance("escrow"), books.balance("deposit")) == (0, 0)


def test_an_award_whose_number_a_document_bears_gets_another(books):
    books.must("bob", books.invoice("a1"))
    books.award("posted")
    books.award("stands")
    assert books.item("a1").item_kind == "invoice"
    assert books.item("a1+").open_minor == -6_300
