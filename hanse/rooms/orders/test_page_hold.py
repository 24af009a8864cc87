"""Why an order is held, on the seller's page of it alone."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanse.rooms.accounts.testing_pages import BooksTown


@pytest.fixture
def town(tmp_path: Path) -> Iterator[BooksTown]:
    there = BooksTown(tmp_path)
    yield there
    there.close()


def page_of(town: BooksTown, order: str, party: str, role: str = "owner") -> str:
    answer = town.visitor(party, role).get(f"/orders/o/{order}")
    assert answer.status_code == 200
    return html.unescape(answer.text)


def test_the_seller_sees_why_an_order_is_held_and_the_buyer_nothing_of_it(town: BooksTown) -> None:
    town.billed("R-1", 30)
    town.order("big-1", each=20)
    for role in ("owner", "seller", "viewer"):
        text = page_of(town, "big-1", "bob", role)
        assert "Credit hold. This order goes beyond Ann’s credit." in text, role
        assert "Credit 500.00 EUR: 357.00 EUR are used, 143.00 EUR are free, this order is 200.00 EUR." in text
    assert "Credit hold" not in page_of(town, "big-1", "bob", "warehouse"), "who packs sees no money"
    assert "Credit hold" not in page_of(town, "big-1", "ann") and "143.00" not in page_of(town, "big-1", "ann")


def test_each_cause_has_its_sentence_and_ends_with_its_cause(town: BooksTown) -> None:
    town.billed("R-1", 30)
    town.order("small-1", each=1)
    assert "Credit hold" not in page_of(town, "small-1", "bob")
    town.do("bob", town.terms(hold=True))
    assert "You sell nothing more to Ann on credit for now." in page_of(town, "small-1", "bob")
    town.do("bob", town.terms(credit_limit_minor=-1))
    town.pass_days(60)
    town.order("small-2", each=1)
    text = page_of(town, "small-2", "bob")
    assert "Ann’s oldest bill is 30 days overdue." in text
    assert "357.00 EUR are open, without a limit; this order is 10.00 EUR." in text
    town.do("bob", town.terms(overdue_days_max=90))
    assert "Credit hold" not in page_of(town, "small-2", "bob")


def test_an_order_that_is_answered_is_held_no_longer(town: BooksTown) -> None:
    town.order("big-2", each=60)
    assert "Credit hold" in page_of(town, "big-2", "bob")
    town.confirm("big-2", 60)
    assert "Credit hold" not in page_of(town, "big-2", "bob")
