"""The pages of accounts: one entry of the menu, tabs inside."""

from __future__ import annotations

from typing import Any

from hanse.rooms.accounts import page_bills, page_document, page_overview, page_statement
from hanse.rooms.accounts.page_overview import to_answer
from hanse.rooms.accounts.page_words import ROLES
from hanse.site.menu import Entry

NAV = [Entry("Accounts", "/accounts", "Trade", ROLES, to_answer)]
PAGES: list[Any] = [*page_overview.PAGES, *page_statement.PAGES, *page_bills.PAGES, *page_document.PAGES]
