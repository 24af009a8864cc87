"""What waits in money and contracts: payments to confirm, bills to pay, proposals to sign, disputes to answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hanse.kernel.view import View
from hanse.rooms.accounts.ledger import OUTSIDE
from hanse.rooms.accounts.page_words import payment_words, reference_words
from hanse.rooms.accounts.rows import ANNOUNCED, ITEMS, PAYMENTS
from hanse.rooms.contracts.page_parts import dispute_words
from hanse.rooms.contracts.private_rows import DISPUTES, DisputeRow
from hanse.rooms.contracts.proposals import proposals
from hanse.rooms.parties.queries import party_name
from hanse.web.formats import Money, number

SOON_SECONDS = 7 * 86_400
ROWS_MAX = 50
Waiting = tuple[str, str, str, Money | None, int, bool, str, str]
"""(one word, title, detail, money, due at or 0, late, where to do it, kind of fact that does it)"""


def _about(view: View, row: DisputeRow) -> str:
    words = dispute_words(view, row.circle, row.dispute).removeprefix("the ")
    return words[:1].upper() + words[1:]


def _name(view: View, party: str) -> str:
    return party_name(view, party).removeprefix(OUTSIDE)


def waiting_in_money(view: View) -> Iterator[Waiting]:
    """Everything in accounts and contracts that the reader's firm should answer, pay or sign."""
    yield from _confirming(view)
    yield from _paying(view)
    yield from _signing(view)
    for row in view.rows(DISPUTES, "state = 'open' AND against = ?", (view.party,), limit=ROWS_MAX):
        where = f"/contracts/d/{row.circle}/{row.dispute}"
        yield "Answer", "Answer a dispute", _about(view, row), None, 0, False, where, "contracts.answer_dispute"


def _confirming(view: View) -> Iterator[Waiting]:
    rows = view.rows(PAYMENTS, "state = ? AND payee = ?", (ANNOUNCED, view.party), limit=ROWS_MAX)
    for row in rows:
        yield (
            "Confirm", f"{_name(view, row.payer)} says that it has paid",
            reference_words(view, row) or payment_words(view, row),
            Money(row.amount_minor, row.currency), 0, False, f"/accounts/payment/{row.circle}/{row.payment}",
            "accounts.receive_payment",
        )  # fmt: skip


def _paying(view: View) -> Iterator[Waiting]:
    """One action a supplier and currency: what is due within a week, less what is being paid."""
    where = "customer = ? AND settled_at = 0 AND due_at <= ? AND open_minor > announced_minor AND unproven = 0"
    by: dict[tuple[str, str], list[Any]] = {}
    for row in view.rows(ITEMS, where, (view.party, view.now + SOON_SECONDS), order="due_at", limit=500):
        by.setdefault((row.supplier, row.currency), []).append(row)
    for (supplier, currency), rows in by.items():
        total, first = sum(row.open_minor - row.announced_minor for row in rows), rows[0].due_at
        yield (
            "Pay", f"Pay {_name(view, supplier)}", f"{number(len(rows))} {'bill' if len(rows) == 1 else 'bills'}",
            Money(total, currency), first, 0 < first < view.now, "/accounts/payments?show=due", "accounts.pay",
        )  # fmt: skip


def _signing(view: View) -> Iterator[Waiting]:
    for card in proposals(view, limit=ROWS_MAX):
        row = card.proposal
        if card.mine and view.party not in dict(row.signed):
            yield (
                "Sign", "Answer proposed terms", f"Agreement {row.agreement}", None, row.answer_by, False,
                f"/contracts/p/{row.circle}/{row.proposal}", "contracts.sign",
            )  # fmt: skip
