"""The pages of accounts: one entry of the menu, tabs inside."""

from __future__ import annotations

from typing import Any

from hanse.rooms.accounts import (
    page_accruals,
    page_bank,
    page_bills,
    page_credit,
    page_debts,
    page_document,
    page_escrow,
    page_journal,
    page_netting,
    page_overview,
    page_payments,
    page_statement,
    page_upload,
)
from hanse.rooms.accounts.page_overview import to_answer
from hanse.rooms.accounts.page_words import ROLES
from hanse.site.menu import Entry

NAV = [Entry("Accounts", "/accounts", "Trade", ROLES, to_answer)]
_PARTS = (
    *(page_overview, page_statement, page_bills, page_document, page_payments, page_debts, page_bank),
    *(page_accruals, page_credit, page_netting, page_escrow, page_journal, page_upload),
)
PAGES: list[Any] = [page for part in _PARTS for page in part.PAGES]
