"""Orders under agreements on a real node: price, minimum and credit, answered by the seller's node within a block."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hanse.kernel.leaves import read_entry
from hanse.kernel.refusal import Refused
from hanse.node.buying import buy
from hanse.node.proposing import Choice, Wish, WishLine, choices, propose
from hanse.node.testing_agreed import AgreedTown
from hanse.rooms.accounts.facts import SetTerms
from hanse.rooms.accounts.responding import held
from hanse.rooms.orders.facts import DeliverTo, Quote, QuoteLine
from hanse.rooms.orders.private_rows import ORDER_TERMS
from hanse.rooms.orders.queries import order_page
from hanse.rooms.orders.rows import ORDERS

ROSTOCK = DeliverTo(
    site="store-ann", city="Rostock", country="DE", latitude_microdeg=54_092_000, longitude_microdeg=12_099_000
)
PRICES: dict[str, Any] = {
    "currency": "EUR",
    "prices": [{"item": "item-6205", "price": "9.00", "moq": 5, "multiple": 5}],
    "discounts": [[0, "0%"], [20, "10%"]],
}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[AgreedTown]:
    there = AgreedTown(tmp_path)
    yield there
    there.close()
    assert there.faults == []


def wish(each: int) -> Wish:
    return Wish(lines=(WishLine(1, "item-6205", each),), to=ROSTOCK)


def answered(town: AgreedTown, order: str, state: str) -> Any:
    """The order's terms once it is in a state."""

    def there() -> Any:
        row = town.view("ann").get(ORDERS, order)
        return row is not None and row.state == state

    town.until(there, f"{order} is not {state}")
    return town.view("ann").get(ORDER_TERMS, town.ab, order)


def terms(town: AgreedTown, **rest: Any) -> SetTerms:
    fields: dict[str, Any] = {
        "circle": town.home("bob"),
        "partner": "ann",
        "currency": "EUR",
        "payment_days": 30,
        "discount_ppm": 0,
        "discount_days": 0,
        "tax_ppm": 190_000,
        "credit_limit_minor": 12_000,
        "overdue_days_max": 20,
        "hold": False,
    }
    return SetTerms(**{**fields, **rest})


def test_the_price_in_force_is_planned_ordered_and_confirmed(town: AgreedTown) -> None:
    town.offer("o1", circle=town.ab, price=1000)
    town.agree("price-and-moq", PRICES)
    desk = town.desk("ann")
    for each, price in ((10, 900), (20, 810)):
        found = propose(desk.view, wish(each))
        assert [part.unit_price_minor for part in found.plan.lines[0].parts] == [price]
        order = buy(desk, wish(each), choices(found)).orders[0]
        assert order.amount_minor == each * price
        line = answered(town, order.order, "confirmed").lines[0]
        assert (line.unit_price_minor, line.promises[0].unit_price_minor) == (price, price)


def test_an_order_above_the_agreed_price_is_confirmed_at_it(town: AgreedTown) -> None:
    town.offer("o1", circle=town.ab, price=1000)
    town.agree("price-and-moq", PRICES)
    town.order("po1", offer="o1", price=1000)
    line = answered(town, "po1", "confirmed").lines[0]
    assert (line.unit_price_minor, line.promises[0].unit_price_minor) == (1000, 900)


def test_a_quote_below_the_agreed_price_binds_at_its_price_and_nothing_beyond_it(town: AgreedTown) -> None:
    town.agree("price-and-moq", PRICES)
    line = QuoteLine(line=1, each=20, item="item-6205", unit_price_minor=850, lead_time_days=2)
    until = town.now() + 5 * 86_400
    town.do("bob", Quote(circle=town.ab, quote="q1", valid_until_at=until, lines=[line], currency="EUR"))
    town.order("po1", price=850, quote="q1")
    promised = answered(town, "po1", "confirmed").lines[0].promises[0]
    assert (promised.each, promised.unit_price_minor) == (10, 850)
    town.do("bob", Quote(circle=town.ab, quote="q2", valid_until_at=until, lines=[line], currency="EUR"))
    town.order("po2", price=840, quote="q2")
    assert "the agreed price is 9.00 EUR a unit" in answered(town, "po2", "declined").answer


def test_what_the_agreement_does_not_allow_is_not_planned_and_not_bought(town: AgreedTown) -> None:
    town.offer("o1", circle=town.ab, price=1000)
    town.agree("price-and-moq", PRICES)
    desk = town.desk("ann")
    line = propose(desk.view, wish(3)).plan.lines[0]
    assert line.parts == () and "below the agreed minimum" in line.reason
    with pytest.raises(Refused) as refused:
        buy(desk, wish(3), [Choice(1, "o1", 3, 1000)])
    assert refused.value.code == "buying.not_agreed"


def test_the_seller_declines_clause_by_clause_and_nothing_of_it_is_public(town: AgreedTown) -> None:
    town.offer("o1", circle=town.ab, price=1000)
    town.agree("price-and-moq", PRICES)
    before = town.node.log.size
    town.order("po1", offer="o1", each=7, price=1000)
    said = answered(town, "po1", "declined")
    assert said.answer == "line 1: the quantity is not a multiple of the agreed pack"
    page = order_page(town.view("ann"), "po1")
    assert page is not None
    assert order_page(town.view("eve"), "po1") is None and order_page(town.view("cay"), "po1") is None
    public = _words(b"".join(town.node.log.entry(at) for at in range(before, town.node.log.size)))
    assert b"orders.decline" in public
    for word in (b"multiple", b"agreed", b"item-6205", b"1000", b"ann", b"bob"):
        assert word not in public, word
    outcomes = {read_entry(town.node.log.entry(at)).outcome for at in range(before, town.node.log.size)} - {""}
    assert outcomes == {"ok"}, "no public refusal says anything"


def _words(entries: bytes) -> bytes:
    """The signed payloads of entries, decoded, without digests and other random letters, which spell what they will."""
    from hanse.standards import sdjwt

    found = b""
    for part in entries.split(b"\n"):
        if part.count(b".") >= 1 and part.startswith(b"ey"):
            found += sdjwt.unb64(part.split(b".")[1])
    return re.sub(rb'"[A-Za-z0-9_-]{22}([A-Za-z0-9_-]{21})?"|[0-9a-f]{16,}', b"", found)


def test_an_order_beyond_the_buyers_credit_is_declined_with_a_sentence_to_the_buyer_alone(town: AgreedTown) -> None:
    town.offer("o1", circle=town.ab, price=1000)
    town.do("bob", terms(town))
    town.order("po1", offer="o1", each=10)
    assert answered(town, "po1", "confirmed").answer == ""
    town.order("po2", offer="o1", each=10)
    said = answered(town, "po2", "declined")
    assert said.answer.startswith("credit: this order goes beyond your credit")
    assert "120" not in said.answer, "how much credit there is stays in the seller's home"
    found = held(town.view("bob"), "po1")
    assert found is None, "what is confirmed is not asked again"
    assert held(town.view("ann"), "po2") is None and held(town.view("eve"), "po2") is None


@pytest.mark.parametrize(("changes", "word"), [({"hold": True}, "at present"), ({"credit_limit_minor": 0}, "beyond")])
def test_a_hold_and_no_credit_at_all_are_told_apart(town: AgreedTown, changes: dict[str, Any], word: str) -> None:
    town.offer("o1", circle=town.ab, price=1000)
    town.do("bob", terms(town, **changes))
    town.order("po1", offer="o1")
    assert word in answered(town, "po1", "declined").answer


def test_clauses_and_credit_are_told_together(town: AgreedTown) -> None:
    town.offer("o1", circle=town.ab, price=1000)
    town.agree("price-and-moq", PRICES)
    town.do("bob", terms(town, hold=True))
    town.order("po1", offer="o1", each=7)
    said = answered(town, "po1", "declined").answer
    assert said == (
        "line 1: the quantity is not a multiple of the agreed pack; "
        "credit: we do not sell to you on credit at present; please speak to us"
    )
