"""AdventureWorks' purchase orders replayed: figures against plain arithmetic; what its data cannot show, by hand."""

from __future__ import annotations

import csv
import gzip
from fractions import Fraction
from pathlib import Path

import pytest

from hanse.importers.jobs import adventureworks as works
from hanse.kernel.refusal import Refused
from hanse.node.recomputing import PROVEN
from hanse.node.verify import verify

DATA = Path(__file__).parents[3].parent / "shared/data/adventureworks"


def half_even(value: Fraction) -> int:
    return round(value)  # of a fraction, exactly, ties to even


@pytest.fixture(scope="module")
def lines() -> list[works.Line]:
    if not DATA.is_dir():
        pytest.skip("adventureworks is not beside this repository")
    return works.read(DATA)


def tables(folder: Path, name: str, heads: str, *rows: str) -> None:
    with gzip.open(folder / f"{name}.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join((heads, *rows)) + "\n")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """One vendor of two products; an order in time, one too small, one late, one with rejects."""
    folder = tmp_path / "tables"
    folder.mkdir()
    tables(folder, "Vendor", "BusinessEntityID,Name", "1,Allenson Cycles")
    heads = "ProductID,BusinessEntityID,AverageLeadTime,MinOrderQty,MaxOrderQty"
    tables(folder, "ProductVendor", heads, "7,1,10,5,100", "8,1,20,1,10")
    order = "2014-01-01 00:00:00"
    tables(folder, "PurchaseOrderHeader", "PurchaseOrderID,VendorID,OrderDate,ShipDate",
           f"1,1,{order},2014-01-10 00:00:00", f"2,1,{order},2014-02-09 00:00:00")  # fmt: skip
    tables(
        folder, "PurchaseOrderDetail",
        "PurchaseOrderID,PurchaseOrderDetailID,ProductID,OrderQty,UnitPrice,ReceivedQty,RejectedQty",
        "1,1,7,10,10.0050,10.00,.00", "1,2,7,4,10.00,4.00,.00", "1,3,8,11,1.00,11.00,.00",
        "2,4,7,10,100.00,8.00,.00", "2,5,8,3,46.5805,3.00,1.00", "2,6,8,5,2.00,.00,.00",
    )  # fmt: skip
    return folder


def test_minimums_lateness_and_rejects_are_told_apart(small: Path, tmp_path: Path) -> None:
    found = works.replay(tmp_path / "node", small, params={"handling": "10%"})
    (vendor,) = found.vendors
    assert (vendor.orders, vendor.lines, vendor.value_minor) == (
        2,
        6,
        10_005 + 4_000 + 1_100 + 100_000 + 13_974 + 1_000,
    )
    assert vendor.refused_lines == 2, "4 is below 5, 11 above 10"
    owed = {(one.clause, one.line): one.owed_minor for one in found.owed}
    assert owed[works.LATE, "4"] == 80_000 * 4 * 5 // 1_000, "29 days late are 4 whole weeks, of what arrived"
    assert owed[works.LATE, "5"] == half_even(Fraction(13_974 * 2 * 5, 1_000)), "19 days late"
    assert owed[works.REJECTS, "5"] == 4_658 + 466
    assert len(owed) == 3, "what never arrived is neither late nor rejected"
    checked = verify(tmp_path / "node", figures=True)
    assert checked.ok
    assert {figure.outcome for figure in checked.recomputed} == {PROVEN}
    assert sum(figure.amount_minor for figure in checked.recomputed) == found.owed_minor


def test_the_published_orders_read_whole(lines: list[works.Line]) -> None:
    assert len({line.order for line in lines}) == 4_012
    assert (len(lines), len({line.vendor for line in lines})) == (8_845, 86)
    assert sum(line.rejected > 0 for line in lines) == 563
    assert sum(line.received < line.ordered for line in lines) == 380


def test_what_is_owed_over_published_lines_is_plain_arithmetic(lines: list[works.Line], tmp_path: Path) -> None:
    """Over the vendors that were ever late, and one in ten of the others."""
    late = {line.vendor for line in lines if line.late_days}
    vendors = late | set(sorted({line.vendor for line in lines})[::10])
    kept = {line.line for line in lines if line.vendor in vendors}
    folder = tmp_path / "tables"
    folder.mkdir()
    for name in works.NEEDED:
        with gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        chosen = [row for row in rows if row.get("PurchaseOrderDetailID", "") in kept or "OrderQty" not in row]
        with gzip.open(folder / f"{name}.csv.gz", "wt", encoding="utf-8") as out:
            writer = csv.DictWriter(out, rows[0])
            writer.writeheader()
            writer.writerows(chosen)
    found = works.replay(tmp_path / "node", folder)
    expected = {}
    for line in (line for line in lines if line.line in kept):
        if line.rejected:
            share = Fraction(line.value_minor * line.rejected, line.ordered)
            expected[works.REJECTS, line.line] = half_even(share)
        arrived = half_even(Fraction(line.value_minor * line.received, line.ordered))
        damages = min(half_even(Fraction(arrived * 5_000 * (line.late_days // 7), 1_000_000)), arrived * 5 // 100)
        if damages:
            expected[works.LATE, line.line] = damages
    assert {(one.clause, one.line): one.owed_minor for one in found.owed} == expected
    assert {clause for clause, _ in expected} == {works.LATE, works.REJECTS}
    assert sum(vendor.refused_lines for vendor in found.vendors) == 0
    assert all(one.entries for one in found.owed) and found.assumed


def test_what_does_not_read_is_refused(small: Path) -> None:
    with pytest.raises(Refused, match=r"adventureworks\.no_file"):
        works.read(small / "none")
    tables(small, "PurchaseOrderHeader", "PurchaseOrderID,VendorID", "1,1")
    with pytest.raises(Refused, match=r"adventureworks\.other_columns"):
        works.read(small)
    tables(small, "PurchaseOrderHeader", "PurchaseOrderID,VendorID,OrderDate,ShipDate", "1,9,2014-01-01,2014-01-10")
    with pytest.raises(Refused, match=r"adventureworks\.bad_line"):
        works.read(small)
