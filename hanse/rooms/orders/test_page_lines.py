"""Forms whose lines people add as they need: quotes asked and named, and orders with firms outside."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hanse.rooms.orders.queries import order_page
from hanse.rooms.orders.quote_queries import the_quote
from hanse.rooms.orders.testing_pages import code_of, day
from hanse.site.testing import SmallTown, Visitor


def form_of(town: SmallTown, side: str) -> tuple[str, dict[str, str]]:
    """(address, the form's fields but its lines)."""
    if side == "outside":
        return "/orders/outside", {"side": "sell", "counterparty": "Werft Nord", "currency": "EUR", "city": "Kiel"}
    days = {"answer_by": day(town, 3), "until": day(town, 3)}
    return "/orders/quotes", {"side": side, "circle": town.ab, "currency": "EUR", "note": "all of it", **days}


def filled(*numbers: int) -> dict[str, str]:
    line = {"item": "SKF 6205", "each": "3", "price": "9.00", "days": "2"}
    return {f"{field}{n}": value for n in numbers for field, value in line.items()}


def shown(answer: Any) -> int:
    """How many lines of items a page shows, in its longest form."""
    return max(int(n) for n in re.findall(r'name="item(\d+)"', answer.text))


@pytest.mark.parametrize("side", ["ask", "offer", "outside"])
def test_lines_are_added_as_needed_and_all_of_them_are_signed(town: SmallTown, ann: Visitor, side: str) -> None:
    address, form = form_of(town, side)
    size = town.node.log.size
    grown = ann.post(address, {**form, **filled(1, 5), "lines": "5", "more": "1"})
    assert grown.status_code == 200 and shown(grown) == 10 and town.node.log.size == size
    assert grown.text.count('value="SKF 6205"') == 2 and "Add lines" in grown.text
    assert "Werft Nord" in grown.text or "all of it" in grown.text
    done = ann.post(address, {**form, **filled(1, 7, 12), "lines": "15"})
    assert done.status_code == 303, code_of(done)
    name = done.headers["location"].partition("?")[0].rpartition("/")[2]
    if side == "outside":
        page = order_page(town.node.view("ann"), name)
        assert page is not None and [line.balance.line for line in page.lines] == [1, 7, 12]
    else:
        quote = the_quote(town.node.view("ann"), name)
        assert quote is not None and [one.line for one in quote.terms.quoted or quote.terms.asked] == [1, 7, 12]


@pytest.mark.parametrize("side", ["ask", "outside"])
def test_a_refused_form_comes_back_as_long_as_it_was(town: SmallTown, ann: Visitor, side: str) -> None:
    address, form = form_of(town, side)
    refused = ann.post(address, {**form, **filled(1, 18), "each18": "many", "lines": "20"})
    assert refused.status_code == 422 and code_of(refused) == "form.number"
    assert shown(refused) == 20 and 'value="many"' in refused.text


def test_a_form_grows_to_a_hundred_lines_and_no_further(town: SmallTown, ann: Visitor) -> None:
    address, form = form_of(town, "outside")
    full = ann.post(address, {**form, "lines": "98", "more": "1"})
    assert shown(full) == 100 and "the most of one order" in full.text and "disabled" in full.text
    assert shown(ann.post(address, {**form, "lines": "999999999999", "more": "1"})) == 10
    done = ann.post(address, {**form, **filled(*range(1, 101))})
    assert done.status_code == 303, code_of(done)
    over = ann.post(address, {**form, **filled(101)})
    assert over.status_code == 422 and code_of(over) == "form.too_many_lines"
