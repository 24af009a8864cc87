"""Freight tables: read as people write them, kept for one firm, and what promises reckon with."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hanse.kernel.refusal import Refused
from hanse.node.freight import FreightTable, freight_of, keep_freight, tariff_for
from hanse.node.freight_csv import TEXT_CHARS_MAX, read_table
from hanse.node.proposing import STANDARD_TARIFF, Wish, WishLine, propose
from hanse.planning.promise import Band
from hanse.planning.promise.tariff import SCALE, ways
from hanse.rooms.orders.facts import DeliverTo
from hanse.site.testing import SmallTown

BRUNEL = Path(__file__).parents[3] / "shared" / "data" / "brunel_logistics"
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
        ("x" * (TEXT_CHARS_MAX + 1), "EUR", "freight.too_large"),
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
        ("up_to_km,up_to_kg,fixed\n90,5,1\n90,5,2", "EUR", "freight.order"),
        ("up_to_km,up_to_kg,fixed\n90,,1\n90,5,2", "EUR", "freight.order"),
        ("up_to_km,up_to_kg,fixed\n90,0,1", "EUR", "freight.number"),
        ("up_to_km,from_kg,up_to_kg,fixed\n90,7,5,1", "EUR", "freight.number"),
        ("up_to_km,up_to_kg,fixed\n90,-5,1", "EUR", "freight.number"),
        ("up_to_km,carrier,fixed\n90,a\u0007b,1", "EUR", "freight.number"),
        ("origin,per_kg\n,1", "EUR", "freight.number"),
        ("up_to_kg,50 km,fixed\n1,2,3", "EUR", "freight.columns"),
        ("up_to_kg,50 km\n1,free", "EUR", "freight.number"),
    ],
)
def test_what_is_no_table_is_refused(text: str, currency: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_table(text, currency)
    assert refused.value.code == code


def test_steps_of_weight_begin_where_the_one_before_ended_in_both_shapes() -> None:
    long = read_table(
        "up_to_km,up_to_kg,fixed,per_kg,minimum\n50,5,4.90,,\n50,31.5,8.90,,\n50,,,0.22,12\n90,5,6,,\n", "EUR"
    )
    assert [(row.up_to_km, row.over_g, row.up_to_g) for row in long.rows] == [
        (50, 0, 5_000), (50, 5_000, 31_500), (50, 31_500, 0), (90, 0, 5_000)
    ]  # fmt: skip
    slower = read_table("up_to_km,up_to_kg,fixed,days\n50,5,4.90,1\n50,,9,3\n", "EUR")
    assert (slower.rows[1].over_g, slower.rows[1].days) == (5_000, 3), "a slower step is no second price for parcels"
    [way] = ways(slower.tariff().zone(0), 0)
    assert [leg.transit_days for leg in way.at(60_000)] == [3]
    assert long.rows[2].minimum_minor == 1_200 and long.rows[2].per_kg_milliminor == 22_000
    matrix = read_table("up_to_kg;50 km;90 km\n5;4,90;6,00\n31,5;8,90;\n", "EUR")
    assert [(row.up_to_km, row.over_g, row.up_to_g, row.fixed_minor) for row in matrix.rows] == [
        (50, 0, 5_000, 490), (50, 5_000, 31_500, 890), (90, 0, 5_000, 600)
    ]  # fmt: skip
    for table in (long, matrix):
        assert read_table(table.text(), "EUR") == table


def test_tables_kept_before_there_were_steps_are_read_as_they_were() -> None:
    row = b'{"up_to_km":9,"fixed_minor":5,"per_kg_milliminor":1,"per_tonne_km_minor":0,"days":2}'
    kept = b'{"currency":"EUR","rows":[' + row + b"]}"
    table = msgspec.json.decode(kept, type=FreightTable)
    assert table.tariff().bands == (Band(9_000, 5, 1, 0, 2),)


def test_a_carriers_list_of_lanes_is_read_and_every_order_of_the_case_costs_what_its_cheapest_row_says() -> None:
    if not BRUNEL.exists():
        pytest.skip("the Brunel case is not here")
    text = gzip.decompress((BRUNEL / "FreightRates.csv.gz").read_bytes()).decode()
    table = read_table(text, "USD")
    assert read_table(table.text(), "USD") == table and len(table.rows) > 1_400
    tariff = table.tariff()
    rates = list(csv.DictReader(io.StringIO(text)))
    orders = csv.DictReader(io.StringIO(gzip.decompress((BRUNEL / "OrderList.csv.gz").read_bytes()).decode()))
    asked = {(row["Origin Port"], row["Destination Port"], row["Weight"]) for row in orders}
    compared = 0
    for port, to, kilograms in sorted(asked)[::40]:
        grams = round(float(kilograms) * 1_000)
        # a hundredth of a kilogram lies between two rows of a list: it is the first one's
        said = [
            (max(float(rate["minimum cost"]), float(rate["rate"]) * grams / 1_000), int(rate["tpt_day_cnt"]))
            for rate in rates
            if (rate["orig_port_cd"], rate["dest_port_cd"]) == (port, to)
            and float(rate["minm_wgh_qty"]) * 1_000 <= max(grams, 10) < float(rate["max_wgh_qty"]) * 1_000 + 10
        ]
        legs = [leg for way in ways(tariff.zone(0, [port.casefold()], [to.casefold()]), 0) for leg in way.at(grams)]
        if said:
            compared += 1
            assert min(leg.cost(grams) for leg in legs) / SCALE == pytest.approx(100 * min(said)[0], abs=1e-3)
            assert min(leg.transit_days for leg in legs) == min(days for _, days in said)
    assert compared > 100


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


def test_a_file_is_read_instead_of_the_text_and_lanes_count_for_places_of_that_name(town: SmallTown) -> None:
    wish = Wish(
        lines=(WishLine(1, "item-6205", 5),),
        to=DeliverTo(site="store-ann", latitude_microdeg=54_092_000, longitude_microdeg=12_099_000),
    )
    at, buyer = town.desk("ann"), town.visitor("ann", "buyer")
    lanes = "carrier,destination,up_to_kg,fixed,per_kg,days\nBarge,Store-Ann,2,3.21,,4\nBarge,Store-Ann,,1,0.01,4\n"
    answer = buyer.post("/freight", {"table": "", "currency": "EUR"}, files={"file": ("mine.csv", lanes.encode())})
    assert answer.status_code == 303
    found = propose(at.view, wish, tariff=tariff_for(at, "EUR")).plan
    assert found.shipments[0].carrier == "Barge" and found.exact
    shown = buyer.get("/freight").text
    assert "by Barge: " in buyer.get("/find?i=item-6205&n=5&to=store-ann").text
    assert "anywhere to store-ann" in shown and "up to 2 kg" in shown and "over 2 kg" in shown and "Barge" in shown
    keep_freight(town.node.directory, "ann", None)
