"""What `hanse verify` computes again of accounts: whether the books balance, direction by direction."""

from __future__ import annotations

from collections.abc import Iterator

from hanse.kernel.view import View
from hanse.rooms.accounts.proving import balanced
from hanse.rooms.accounts.rows import BALANCES
from hanse.rooms.checked import Check, Checked

_FAULTS = {
    "entries": "the lines of an entry do not sum to zero",
    "accounts": "an account is not the sum of its lines",
    "items": "the account due is not the sum of its open items",
}


def books(view: View) -> Iterator[Checked]:
    """The books of each direction and currency; the figure is what is due in them."""
    faults: dict[tuple[str, str, str, str], list[str]] = {}
    for fault in balanced(view):
        key = (fault.circle, fault.currency, fault.supplier, fault.customer)
        said = f"{_FAULTS[fault.what]}: {fault.account or 'all'} {fault.got_minor}, should be {fault.expected_minor}"
        faults.setdefault(key, []).append(said)
    sql = (
        "SELECT circle, currency, supplier, customer, SUM(CASE WHEN account = 'due' THEN balance_minor ELSE 0 END) "
        f"FROM {{{BALANCES.name}}} GROUP BY 1, 2, 3, 4"
    )
    due = {tuple(row[:4]): row[4] for row in view.sql(sql, tables=(BALANCES,))}
    for key in sorted(due.keys() | faults.keys()):
        circle, currency, supplier, customer = key
        yield Checked(
            what="books",
            circle=circle,
            group=f"{supplier} to {customer}",
            name=f"due, {currency}",
            amount_minor=due.get(key, 0),
            currency=currency,
            why="; ".join(faults.get((circle, currency, supplier, customer), ())),
        )


ALWAYS: tuple[Check, ...] = (books,)
