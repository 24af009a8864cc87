"""The journal: each side's own view of the same entries, debits equal to credits."""

from __future__ import annotations

import csv

from hanse.rooms.accounts.journal import COLUMNS, as_csv, journal
from hanse.rooms.accounts.testing import Ledgers


def test_each_side_exports_the_same_entries_under_its_own_accounts_and_they_balance():
    books = Ledgers()
    books.invoiced()
    books.must("ann", books.pay_fact("z1", 11_662, ("i1", 11_900), reference="=HYPERLINK(1)"))
    books.must("bob", books.receive_money("z1"))
    bob, ann = journal(books.view("bob")), journal(books.view("ann"), names={"payables": "1600"})
    for rows in (bob, ann):
        assert sum(row.debit_minor for row in rows) == sum(row.credit_minor for row in rows) > 0
    assert [row.credit_minor for row in bob] == [row.debit_minor for row in ann]
    assert {"receivables", "sales", "output tax"} <= {row.account for row in bob}
    assert {"1600", "purchases", "input tax"} <= {row.account for row in ann}
    assert journal(books.view("eve")) == []


def test_the_csv_reads_back_and_carries_no_formula():
    books = Ledgers()
    books.invoiced()
    books.must("ann", books.pay_fact("z1", 11_662, ("i1", 11_900), reference="=HYPERLINK(1)"))
    books.must("bob", books.receive_money("z1"))
    rows = list(csv.DictReader(as_csv(journal(books.view("bob"))).splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 9
    assert {row["text"] for row in rows} == {"", "'=HYPERLINK(1)"}
