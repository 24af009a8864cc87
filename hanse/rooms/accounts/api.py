"""What the API answers of accounts: path below `/api/v1/` -> the query that answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hanse.rooms.accounts import drafting, journal, proving, queries, statements

READS: dict[str, Callable[..., Any]] = {
    "accounts": queries.balances,
    "accounts/open-items": queries.open_items,
    "accounts/documents": queries.documents,
    "accounts/documents/{circle}/{item}": queries.document,
    "accounts/payments": queries.payments,
    "accounts/accruals": queries.accruals,
    "accounts/escrows": queries.escrows,
    "accounts/assignments": queries.assignments,
    "accounts/to-assign": queries.to_assign,
    "accounts/to-bill": drafting.to_bill,
    "accounts/credit/{partner}/{currency}": queries.credit,
    "accounts/aging": statements.aging,
    "accounts/statement/{circle}/{partner}/{currency}": statements.statement,
    "accounts/payers": statements.payers,
    "accounts/cycles/{cycle}": queries.cycle_page,
    "accounts/journal": journal.journal,
    "accounts/faults": proving.balanced,
}
