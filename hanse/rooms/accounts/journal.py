"""Entries as the rows of a general ledger's journal, in a firm's own view, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.accounts.rows import ENTRIES, Entry

SELLS: Mapping[str, str] = {
    "due": "receivables",
    "unbilled": "unbilled deliveries",
    "goods": "sales",
    "tax": "output tax",
    "discount": "discounts granted",
    "credit": "credits granted",
    "accrued": "accrued credits to customers",
    "bank": "bank",
    "escrow": "escrow",
    "deposit": "escrow owed",
    "assigned": "debts assigned",
    "netting": "netting",
    "opening": "opening balances",
}
BUYS: Mapping[str, str] = {
    **SELLS,
    "due": "payables",
    "unbilled": "deliveries not invoiced",
    "goods": "purchases",
    "tax": "input tax",
    "discount": "discounts received",
    "credit": "credits received",
    "accrued": "accrued credits from suppliers",
}
COLUMNS = (
    *("entry", "part", "date", "kind", "document", "account", "partner", "currency"),
    *("debit_minor", "credit_minor", "text", "proven", "circle"),
)


class JournalRow(Struct, frozen=True):
    """One line of the journal. date: ISO 8601, UTC. One of debit and credit is zero. proven: both sides' books."""

    entry: int
    part: int
    date: str
    kind: str
    document: str
    account: str
    partner: str
    currency: str
    debit_minor: int
    credit_minor: int
    text: str
    proven: bool
    circle: str


def journal(
    view: View, *, from_at: int = 0, until_at: int = 0, names: Mapping[str, str] | None = None, limit: int = 100_000
) -> list[JournalRow]:
    """The reader's journal, oldest first: the entries in which it is supplier or customer, from its own side.

    Args:
        from_at, until_at: UTC seconds, the second not included, 0 for now. names: own account numbers by our names.
    """
    where = "(supplier = ? OR customer = ?) AND at >= ? AND at < ?"
    values = (view.party, view.party, from_at, until_at or view.now + 1)
    found = view.rows(ENTRIES, where, values, order="entry, part, circle", limit=limit)
    return [row for entry in found for row in _rows(entry, view.party, names or {})]


def _rows(entry: Entry, party: str, names: Mapping[str, str]) -> Iterable[JournalRow]:
    sells = entry.supplier == party
    accounts, sign = (SELLS, 1) if sells else (BUYS, -1)
    for line in entry.lines:
        account = accounts[line.account]
        amount = sign * line.amount_minor
        yield JournalRow(
            entry.entry,
            entry.part,
            datetime.fromtimestamp(entry.at, UTC).date().isoformat(),
            entry.entry_kind,
            entry.document,
            names.get(account, account),
            entry.customer if sells else entry.supplier,
            entry.currency,
            max(amount, 0),
            max(-amount, 0),
            entry.reason,
            not entry.unproven,
            entry.circle,
        )


def as_csv(rows: Iterable[JournalRow]) -> str:
    """The journal as CSV (RFC 4180). A text that a spreadsheet would take for a formula gets a quote before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_plain(getattr(row, name)) for name in COLUMNS])
    return out.getvalue()


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
