"""Freight tables: read as people write them, kept for one firm, and what promises reckon with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanse.kernel.refusal import Refused
from hanse.node.freight import freight_of, keep_freight, read_table, tariff_for
from hanse.node.proposing import STANDARD_TARIFF, Wish, WishLine, propose
from hanse.rooms.orders.facts import DeliverTo
from hanse.site.testing import SmallTown

TABLE = "up_to_km;fixed;per_kg;days\n100;6,50;0,08;1\n900;77,00;0,2;3\n"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    there = SmallTown(tmp_path_factory.mktemp("town"))
    there.offer("o-1", circle=there.ab)
    yield there
    there.close()


def test_a_table_goes_out_as_it_came_in() -> None:
    table = read_table(TABLE, "EUR")
    assert read_table(table.text(), "EUR") == table
    assert [band.up_to_m for band in table.tariff().bands] == [100_000, 900_000]
    assert table.tariff().bands[1].transit_days == 3 and table.tariff().bands[1].per_kg_milliminor == 20_000


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        (TABLE, "EURO", "freight.currency"),
        ("x" * 20_001, "EUR", "freight.too_large"),
        ("", "EUR", "freight.columns"),
        ("up_to_km,fixed", "EUR", "freight.columns"),
        ("km,price\n1,2", "EUR", "freight.columns"),
        ("up_to_km,fixed,fixed\n1,2,3", "EUR", "freight.columns"),
        ("up_to_km,fixed\nfar,2", "EUR", "freight.number"),
        ("up_to_km,fixed\n0,2", "EUR", "freight.number"),
        ("up_to_km,fixed\n10,-2", "EUR", "freight.number"),
        ("up_to_km,fixed\n10,1.005", "EUR", "freight.number"),
        ("up_to_km,fixed\n10,NaN", "EUR", "freight.number"),
        ("up_to_km,fixed\n10,1e12", "EUR", "freight.number"),
        ("up_to_km,fixed\n10,1\n10,2", "EUR", "freight.order"),
        ("up_to_km,fixed\n90,1\n10,2", "EUR", "freight.order"),
    ],
)
def test_what_is_no_table_is_refused(text: str, currency: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_table(text, currency)
    assert refused.value.code == code


def test_a_promise_reckons_with_the_firms_own_table(town: SmallTown) -> None:
    wish = Wish(
        lines=(WishLine(1, "item-6205", 5),),
        to=DeliverTo(site="store-ann", latitude_microdeg=54_092_000, longitude_microdeg=12_099_000),
    )
    at = town.desk("ann")
    before = propose(at.view, wish, tariff=tariff_for(at, "EUR")).plan.freight_minor
    buyer = town.visitor("ann", "buyer")
    assert buyer.post("/freight", {"table": TABLE, "currency": "EUR"}).status_code == 303
    after = propose(at.view, wish, tariff=tariff_for(at, "EUR")).plan
    assert after.freight_minor != before and after.freight_minor >= 7_700
    assert "77." in buyer.get("/find?i=item-6205&n=5&to=store-ann").text
    assert tariff_for(at, "SEK") is STANDARD_TARIFF
    assert "77.00" in buyer.get("/freight").text
    assert "77.00" not in town.visitor("bob").get("/freight").text, "a table is its firm's own"
    assert freight_of(town.node.directory, "bob") is None
    assert buyer.post("/freight", {"estimate": "1"}).status_code == 303
    assert freight_of(town.node.directory, "ann") is None


def test_a_wrong_table_is_shown_again_and_changes_nothing(town: SmallTown) -> None:
    keep_freight(town.node.directory, "ann", read_table(TABLE, "EUR"))
    answer = town.visitor("ann").post("/freight", {"table": "<b>,1\n", "currency": "EUR"})
    assert answer.status_code == 422 and "freight.columns" in answer.text and "<b>,1" not in answer.text
    assert freight_of(town.node.directory, "ann") == read_table(TABLE, "EUR")
    for role in ("seller", "warehouse", "viewer"):
        assert town.visitor("ann", role).get("/freight").status_code == 404
