"""What waits in money and contracts shows on Today of who has to do it, and of nobody else."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hanse.rooms.accounts.facts import Allocation, Pay, ReceivePayment
from hanse.rooms.accounts.testing_pages import BooksTown
from hanse.rooms.contracts.facts import Dispute, Propose, SignProposal
from hanse.rooms.contracts.private_rows import AWARDS, PROPOSALS
from hanse.rooms.contracts.testing import LATE, library, sha_of
from hanse.site.testing import DAY
from hanse.site.today_money import waiting_in_money


@pytest.fixture
def town(tmp_path: Path) -> Iterator[BooksTown]:
    there = BooksTown(tmp_path)
    yield there
    there.close()


def today(town: BooksTown, party: str, role: str = "owner") -> str:
    answer = town.visitor(party, role).get("/")
    assert answer.status_code == 200
    return html.unescape(answer.text)


def waits(town: BooksTown, party: str) -> list[tuple[Any, ...]]:
    return list(waiting_in_money(town.node.view(party)))


def announce(town: BooksTown, payment: str, amount: int, *items: tuple[str, int], reference: str = "") -> None:
    town.do("ann", Pay(
        circle=town.ab, payment=payment, answer_by=town.now() + 5 * DAY, payer="ann", payee="bob", refund=False,
        currency="EUR", amount_minor=amount, paid_at=0, method="bank", reference=reference,
        allocations=[Allocation(item=item, amount_minor=minor) for item, minor in items],
    ))  # fmt: skip


def test_an_announced_payment_waits_for_the_payee_until_it_is_confirmed(town: BooksTown) -> None:
    town.billed("R-1")
    assert "says that it has paid" not in today(town, "bob")
    announce(town, "pay-1", 5_000, ("R-1", 5_000), reference="first part")
    text = today(town, "bob")
    for words in ("Ann says that it has paid", "first part", "50.00 EUR", f"/accounts/payment/{town.ab}/pay-1"):
        assert words in text, words
    assert "says that it has paid" not in today(town, "ann") + today(town, "cay")
    town.do("bob", ReceivePayment(circle=town.ab, payment="pay-1", amount_minor=5_000))
    assert waits(town, "bob") == [] and "says that it has paid" not in today(town, "bob")


def test_a_payment_without_a_word_goes_by_its_number(town: BooksTown) -> None:
    town.billed("R-1")
    announce(town, "pay-1", 100, ("R-1", 100))
    (waiting,) = waits(town, "bob")
    assert waiting[2] == "Payment pay-1"


def test_bills_of_one_supplier_are_paid_together_a_week_before_they_are_due(town: BooksTown) -> None:
    town.billed("R-1", 10)
    town.billed("R-2", 20)
    assert waits(town, "ann") == [], "due in thirty days"
    town.pass_days(24)
    town.offer("o-1")  # ledger time is the last block's
    text = today(town, "ann")
    for words in ("Pay Bob", "2 bills", "357.00 EUR", "/accounts/payments?show=due"):
        assert words in text, words
    assert "Pay " not in today(town, "bob", "viewer").replace("Payments", "")
    ((_, _, _, _, due_at, late, _, kind),) = waits(town, "ann")
    assert (due_at > town.now(), late, kind) == (True, False, "accounts.pay")


def test_what_is_being_paid_is_not_asked_for_again_and_what_is_overdue_is_late(town: BooksTown) -> None:
    town.billed("R-1", 10)
    town.pass_days(31)
    announce(town, "pay-1", 1_900, ("R-1", 1_900))
    ((word, title, detail, money, _, late, _, _),) = waits(town, "ann")
    assert (word, title, detail, money.minor, late) == ("Pay", "Pay Bob", "1 bill", 10_000, True)
    announce(town, "pay-2", 10_000, ("R-1", 10_000))
    assert waits(town, "ann") == []


def propose(town: BooksTown) -> None:
    town.do("bob", Propose(
        circle=town.ab, agreement="A2", proposal="P2", template=sha_of(library("late-delivery")), params=LATE,
        roles={"supplier": "bob", "buyer": "ann"}, arbiter="cay", scope=["*"], objection_seconds=14 * DAY,
        dispute_seconds=7 * DAY,
    ))  # fmt: skip


def test_proposed_terms_wait_for_who_has_not_signed_them(town: BooksTown) -> None:
    town.agree()
    assert waits(town, "ann") == waits(town, "bob") == [], "both have signed"
    propose(town)
    text = today(town, "ann")
    for words in ("Answer proposed terms", "Agreement A2", f"/contracts/p/{town.ab}/P2"):
        assert words in text, words
    assert "Answer proposed terms" not in today(town, "bob") + today(town, "cay")
    row = town.node.view("ann").get(PROPOSALS, town.ab, "P2")
    assert row is not None
    town.do("ann", SignProposal(circle=town.ab, proposal="P2", digest=row.digest))
    assert waits(town, "ann") == []


def test_a_dispute_waits_for_whom_it_is_against(town: BooksTown) -> None:
    town.agree()
    town.deliver("po-1", promised_at=town.now() - 17 * DAY)
    (award,) = town.node.view("bob").rows(AWARDS)
    town.do("bob", Dispute(
        circle=town.ab, dispute="D1", award=award.award, liable="bob", wanted_minor=0, reason="The lock was closed.",
        evidence=list(award.evidence),
    ))  # fmt: skip
    text = today(town, "ann")
    for words in ("Answer a dispute", "Dispute of liquidated damages for ", f"/contracts/d/{town.ab}/D1"):
        assert words in text, words
    assert "Answer a dispute" not in today(town, "bob")


def test_the_warehouse_sees_neither_money_nor_terms_on_today(town: BooksTown) -> None:
    town.agree()
    propose(town)
    town.billed("R-1", 10)
    town.pass_days(31)
    town.offer("o-1")
    assert "Pay Bob" in today(town, "ann")
    text = today(town, "ann", "warehouse")
    assert "Pay Bob" not in text and "Answer proposed terms" not in text
    assert "119.00" not in text
