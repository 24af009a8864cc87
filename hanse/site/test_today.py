"""The list of what to do: what is short is named once, with all who offer it."""

from types import SimpleNamespace

import pytest

from hanse.kernel.view import View
from hanse.rooms.inventory import offer_queries
from hanse.site import today


def match(own_number: str, short: int, firm: str, each: int, price: int, currency: str = "EUR") -> SimpleNamespace:
    offer = SimpleNamespace(
        item="i-" + own_number, description="Hex bolt M6", party_name=firm, open_each=each, unit_price_minor=price,
        currency=currency,
    )  # fmt: skip
    return SimpleNamespace(own_number=own_number, short_each=short, offer=offer)


def covering(monkeypatch: pytest.MonkeyPatch, *matches: SimpleNamespace) -> list[today.Action]:
    monkeypatch.setattr(offer_queries, "borrow_matches", lambda view, limit: list(matches))
    view: View = SimpleNamespace()  # type: ignore[assignment]
    return list(today._covering(view))


def test_an_item_that_is_short_is_one_action_with_the_cheapest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    first, other = covering(
        monkeypatch, match("A", 10, "Dear AS", 8, 50), match("A", 10, "Cheap AB", 6, 40), match("B", 3, "Dear AS", 2, 7)
    )
    assert first.title == "Short 10 each of A Hex bolt M6"
    assert first.detail == "2 firms, Cheap AB first, offer up to 14 each to you"
    assert first.money is not None and first.money.minor == 6 * 40 + 4 * 50
    assert other.detail == "Dear AS offers up to 2 each to you" and other.money is not None and other.money.minor == 14


def test_money_of_several_currencies_is_not_added(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = covering(monkeypatch, match("A", 10, "Kiel", 4, 30), match("A", 10, "Oslo", 6, 40, "NOK"))
    assert one.money is not None and (one.money.minor, one.money.currency) == (120, "EUR")
