"""The ready mappings on the public data sets: every row is good, or listed with its reason."""

from collections import Counter
from pathlib import Path

import pytest

from hanse.importers import FieldMap, Result, Section, apply, read, ready, row_key, stream

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def imported(name: str) -> dict[tuple[str, str, str], Result]:
    if not (DATA / name).exists():
        pytest.skip(f"shared data not found: {name}")
    sheets = [sheet for path in sorted((DATA / name).glob("*.csv.gz")) for sheet in read(path)]
    found = {}
    for result in apply(ready(name), sheets):
        found[result.section.source, result.section.target, result.section.note[:9]] = result
    return found


def counts(results: dict[tuple[str, str, str], Result]) -> dict[tuple[str, str], list[int]]:
    """(source, target) -> [read, good, bad, merged, skipped], sections of one pair added up."""
    total: dict[tuple[str, str], list[int]] = {}
    for (source, goal, _), r in results.items():
        row = [r.rows_read, len(r.good), len(r.bad_cells), r.merged, r.skipped]
        old = total.get((source, goal), [0] * 5)
        total[source, goal] = [a + b for a, b in zip(old, row, strict=True)]
        assert {bad.row for bad in r.bad} == set(r.bad_cells), "each row that is not good says why"
    return total


def test_brunel_logistics_gives_every_row_and_lists_its_three_repeated_tariffs() -> None:
    results = imported("brunel_logistics")
    assert counts(results) == {
        ("OrderList", "parties"): [18_430, 49, 0, 18_381, 0],
        ("VmiCustomers", "parties"): [14, 10, 0, 4, 0],
        ("FreightRates", "parties"): [1_540, 9, 0, 1_531, 0],
        ("WhCapacities", "sites"): [19, 19, 0, 0, 0],
        ("PlantPorts", "sites"): [22, 11, 0, 11, 0],
        ("OrderList", "sites"): [9_215, 1, 0, 9_214, 0],
        ("ProductsPerPlant", "items"): [2_036, 1_540, 0, 496, 0],
        ("OrderList", "items"): [9_215, 772, 0, 8_443, 0],
        ("ProductsPerPlant", "sourcing"): [2_036, 2_036, 0, 0, 0],
        ("VmiCustomers", "sourcing"): [14, 14, 0, 0, 0],
        ("PlantPorts", "sourcing"): [22, 22, 0, 0, 0],
        ("FreightRates", "tariffs"): [1_540, 1_537, 3, 0, 0],
        ("OrderList", "orders"): [9_215, 9_215, 0, 0, 0],
    }
    tariffs = next(r for (_, goal, _), r in results.items() if goal == "tariffs")
    assert {bad.code for bad in tariffs.bad} == {"row.repeated"}
    orders = next(r for (_, goal, _), r in results.items() if goal == "orders")
    first = orders.good[0].values
    assert (first["order"], first["quantity_ordered"], first["weight_g"]) == ("1447296447", 808, 14_300)
    plants = results["WhCapacities", "sites", "plants: o"]
    assert sum(int(row.values["capacity_orders_per_day"] or 0) for row in plants.good) == 5_791
    assert plants.good[0].values["handling_minor"] == 142


def test_adventureworks_gives_every_row() -> None:
    results = imported("adventureworks")
    total = counts(results)
    assert {pair: row[1] for pair, row in total.items()} == {
        ("Vendor", "parties"): 104,
        ("Store", "parties"): 701,
        ("ShipMethod", "parties"): 5,
        ("Location", "sites"): 14,
        ("Product", "items"): 504,
        ("ProductInventory", "stock"): 1_069,
        ("ProductVendor", "terms"): 460,
        ("PurchaseOrderDetail", "orders"): 8_845,
        ("PurchaseOrderDetail", "receipts"): 8_845,
    }
    assert all(row[0] == row[1] for row in total.values())
    lines = results["PurchaseOrderDetail", "orders", ""].good
    assert len({row.values["order"] for row in lines}) == 4_012
    assert (lines[2].values["price_minor"], lines[2].values["price_per"]) == (455_805, 100)
    assert (lines[0].values["supplier"], lines[0].values["ordered_on"]) == ("1580", "2011-04-16")
    receipts = results["PurchaseOrderDetail", "receipts", ""].good
    rejected = sum(int(row.values["rejected_each"] or 0) > 0 for row in receipts)
    assert round(1000 * rejected / len(receipts)) == 64, "6.4 % of lines have rejects"
    vendors = results["Vendor", "parties", ""].good
    assert Counter(row.values["country"] for row in vendors) == {"US": 104}


def test_northwind_gives_every_row() -> None:
    total = counts(imported("northwind"))
    assert total == {
        ("customers", "parties"): [91, 91, 0, 0, 0],
        ("suppliers", "parties"): [29, 29, 0, 0, 0],
        ("shippers", "parties"): [3, 3, 0, 0, 0],
        ("products", "sites"): [77, 1, 0, 76, 0],
        ("products", "items"): [77, 77, 0, 0, 0],
        ("products", "stock"): [77, 77, 0, 0, 0],
        ("order-details", "orders"): [2_155, 2_155, 0, 0, 0],
    }


@pytest.mark.slow
def test_online_retail_lists_adjustments_and_odd_prices_and_keeps_the_rest() -> None:
    path = DATA / "online_retail" / "online_retail.csv.gz"
    if not path.exists():
        pytest.skip("shared data not found: online_retail")
    (sheet,) = read(path)
    sales, returns = (s for s in ready("online_retail").sections if s.target == "orders")
    read_rows = good = 0
    why: Counter[str] = Counter()
    for section in (sales, returns):
        for batch in stream(section, sheet):
            good += len(batch.good)
            read_rows += len(batch.good) + len(batch.bad_cells) + batch.skipped + batch.merged
            why.update({bad.row: bad.code for bad in batch.bad}.values())
            assert {bad.row for bad in batch.bad} == set(batch.bad_cells)
    assert read_rows == 2 * 541_909
    assert (good, sum(why.values())) == (540_567, 1_342)
    assert why == {"quantity.out_of_range": 1_336, "money.too_fine": 4, "money.out_of_range": 2}


def test_the_same_file_imported_twice_has_the_same_row_keys_and_no_two_rows_share_one() -> None:
    first, again = imported("northwind"), imported("northwind")
    for pair, result in first.items():
        keys = [row_key(pair[1], row.values) for row in result.good]
        assert keys == [row_key(pair[1], row.values) for row in again[pair].good]
        assert len(set(keys)) == len(keys)


@pytest.mark.slow
def test_a_million_rows_are_streamed_and_the_one_wrong_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    with path.open("w") as out:
        out.write("item,site,quantity\n")
        out.writelines(f"A{n},S{n % 9},{'x' if n == 654_321 else n % 1000}\n" for n in range(1_000_000))
    (sheet,) = read(path)
    fields = {"item": FieldMap("item"), "site": FieldMap("site"), "quantity_each": FieldMap("quantity")}
    good, bad, most = 0, [], 0
    for batch in stream(Section("stock", "stock", fields), sheet):
        good += len(batch.good)
        bad += batch.bad
        most = max(most, len(batch.good))
    assert good == 999_999
    assert most <= 20_000, "no more than one batch is held"
    assert [(b.row, b.column, b.code, b.got) for b in bad] == [(654_323, "quantity", "quantity.not_a_number", "x")]
