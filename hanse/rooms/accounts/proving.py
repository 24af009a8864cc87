"""Whether the books balance: what `verify` asks, and every property test."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.accounts.rows import BALANCES, ENTRIES, ITEMS

Key = tuple[str, ...]
"""Circle, currency, supplier, customer, account."""


class Fault(Struct, frozen=True):
    """Books that do not balance: what was found, what it should be. `what`: entries, accounts or items."""

    what: str
    circle: str
    currency: str
    supplier: str
    customer: str
    account: str
    got_minor: int
    expected_minor: int


def balanced(view: View) -> list[Fault]:
    """Every fault of the books that the reader may see; none: they balance to the cent.

    Checked: the lines of each entry sum to zero; each account is the sum of its lines; the accounts of each direction
    sum to zero; `due` is the sum of the open items.
    """
    return [*_entries(view), *_accounts(view), *_items(view)]


def _entries(view: View) -> list[Fault]:
    sql = (
        "SELECT e.circle, e.currency, e.supplier, e.customer, SUM(json_extract(l.value, '$[1]')) AS total "
        f"FROM {{{ENTRIES.name}}} e, json_each(e.lines) l GROUP BY e.circle, e.entry, e.part HAVING total <> 0"
    )
    found = view.sql(sql, tables=(ENTRIES,))
    return [Fault("entries", circle, currency, sup, cus, "", total, 0) for circle, currency, sup, cus, total in found]


def _accounts(view: View) -> list[Fault]:
    sql = (
        "SELECT e.circle, e.currency, e.supplier, e.customer, json_extract(l.value, '$[0]') AS account, "
        f"SUM(json_extract(l.value, '$[1]')) FROM {{{ENTRIES.name}}} e, json_each(e.lines) l GROUP BY 1, 2, 3, 4, 5"
    )
    summed: dict[Key, int] = {tuple(row[:5]): row[5] for row in view.sql(sql, tables=(ENTRIES,))}
    kept = _kept(view)
    out = _differ("accounts", kept, summed)
    ways: dict[tuple[str, ...], int] = {}
    for key, amount in kept.items():
        ways[key[:4]] = ways.get(key[:4], 0) + amount
    none: dict[Key, int] = {}
    return out + _differ("accounts", {(*way, ""): total for way, total in ways.items()}, none)


def _items(view: View) -> list[Fault]:
    sql = f"SELECT circle, currency, supplier, customer, SUM(open_minor) FROM {{{ITEMS.name}}} GROUP BY 1, 2, 3, 4"
    open_: dict[Key, int] = {(*row[:4], "due"): row[4] for row in view.sql(sql, tables=(ITEMS,))}
    return _differ("items", open_, {key: amount for key, amount in _kept(view).items() if key[4] == "due"})


def _kept(view: View) -> dict[Key, int]:
    sql = f"SELECT circle, currency, supplier, customer, account, balance_minor FROM {{{BALANCES.name}}}"
    return {tuple(row[:5]): row[5] for row in view.sql(sql, tables=(BALANCES,))}


def _differ(what: str, got: dict[Key, int], expected: dict[Key, int]) -> list[Fault]:
    """Where two sums by account differ; one that stands on one side only is 0 on the other."""
    out = []
    for key in sorted(got.keys() | expected.keys()):
        mine, right = got.get(key, 0), expected.get(key, 0)
        if mine != right:
            circle, currency, supplier, customer, account = key
            out.append(Fault(what, circle, currency, supplier, customer, account, mine, right))
    return out
