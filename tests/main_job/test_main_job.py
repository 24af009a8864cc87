"""The main job on real input, each as one command, verified offline afterwards.

The data is read from `../shared/data` beside the repository; where it is missing the tests say so and are skipped.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hanse.cli import main
from hanse.importers.facts_found import desk_for
from hanse.kernel.view import View
from hanse.node.node import Node
from hanse.node.verify import verify
from hanse.rooms.inventory.facts import MOVEMENTS, STOCK
from hanse.rooms.orders.rows import ORDERS, SHIPMENTS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.slow


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    """One command; its answer as JSON. It ends with 1 where rows are left over, else with 0."""
    code = main([*argv, "--json"])
    found: dict[str, Any] = msgspec.json.decode(capsys.readouterr().out)
    assert code == (1 if found.get("bad") else 0), {name: str(value)[:500] for name, value in found.items()}
    return found


def data(name: str) -> str:
    if not (DATA / name).is_dir():
        pytest.skip(f"shared data not found: {DATA / name}")
    return str(DATA / name)


def states(view: View) -> dict[str, int]:
    return dict(view.sql("SELECT state, COUNT(*) FROM {orders_order} GROUP BY state", tables=(ORDERS,)))


def test_brunel_logistics_is_promised_shipped_and_received_over_several_days(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node, report = tmp_path / "n", tmp_path / "late.csv"
    said = run(
        capsys, "import", data("brunel_logistics"), "--mapping", "brunel_logistics", "--party", "brunel", "--fulfil",
        "--report", str(report), "--data", str(node),
    )  # fmt: skip
    assert (said["bad"], said["import"]["facts"]["orders.place"]) == (3, 9_215), "three tariffs stand twice"
    done = said["fulfilled"]
    served = sum(day["orders"] for day in done["days"])
    assert served + len(done["unserved"]) == 9_215
    assert len(done["days"]) >= 4, "at most 2,444 orders fit a day"
    assert all(day["orders"] <= 5_791 for day in done["days"])
    assert done["weighed_minor"] == done["bound_minor"], "no plan is cheaper"
    assert all(line["reason"] for line in done["late"] + done["unserved"])
    assert report.read_text("utf-8").count("\n") == 1 + len(done["late"]) + len(done["unserved"])
    with Node(node, helper=False) as opened:
        view = desk_for(opened, "brunel").view
        assert states(view) == {"received": served} | ({"declined": 9_215 - served} if served < 9_215 else {})
        assert view.count(SHIPMENTS) == served
        assert view.count(STOCK, "on_hand_each <> 0") == 0, "what was produced to order has left"
        sums = dict(view.sql("SELECT reason, SUM(each) FROM {inventory_movement} GROUP BY reason", tables=(MOVEMENTS,)))
        assert sums == {"produced": done["produced_each"], "sold": -done["produced_each"]}, "and nothing else moved"
        capacity = _capacity_kept(view)
        assert capacity, "no plant sent more orders a day than it can"
    checked = verify(node)
    assert checked.ok, checked.findings
    again = run(
        capsys, "import", data("brunel_logistics"), "--mapping", "brunel_logistics", "--fulfil", "--data", str(node)
    )
    assert (again["import"]["facts"], again["fulfilled"]["orders"]) == ({}, 0)


def _capacity_kept(view: View) -> bool:
    import polars as pl

    limits = dict(pl.read_csv(DATA / "brunel_logistics" / "WhCapacities.csv.gz").rows())
    sql = """SELECT site, made_at / 86400, COUNT(DISTINCT reference) FROM {inventory_movement}
             WHERE reason = 'produced' GROUP BY 1, 2"""
    return all(count <= limits[site] for site, _, count in view.sql(sql, tables=(MOVEMENTS,)))


def test_adventureworks_is_ordered_shipped_and_received_and_its_stock_balances(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = tmp_path / "n"
    said = run(
        capsys, "import", data("adventureworks"), "--mapping", "adventureworks", "--party", "aw", "--data", str(node)
    )
    facts = said["import"]["facts"]
    assert said["bad"] == 0
    assert {kind: facts[kind] for kind in ("orders.place", "orders.confirm", "orders.ship", "orders.receive")} == {
        "orders.place": 4_012, "orders.confirm": 4_012, "orders.ship": 4_012, "orders.receive": 4_012,
    }  # fmt: skip
    import polars as pl

    lines = pl.read_csv(DATA / "adventureworks" / "PurchaseOrderDetail.csv.gz", infer_schema_length=None)
    opening = pl.read_csv(DATA / "adventureworks" / "ProductInventory.csv.gz", infer_schema_length=None)[
        "Quantity"
    ].sum()
    with Node(node, helper=False) as opened:
        view = desk_for(opened, "aw").view
        assert states(view) == {"received": 4_012}
        assert view.count(STOCK, "site <> 'RECEIVING'") == 1_069
        stocked = view.count(STOCK, "site = 'RECEIVING'", of="SUM(on_hand_each)")
        assert stocked == int(lines["StockedQty"].sum())
        assert view.count(STOCK, of="SUM(on_hand_each)") == opening + stocked, "what was there and what came in"
        totals = [0, 0, 0]
        for row in view.rows(ORDERS, limit=10_000):
            for line in row.lines:
                totals = [totals[0] + line.received, totals[1] + line.damaged, totals[2] + line.short]
        assert totals == [
            int(lines["StockedQty"].sum()),
            int(lines["RejectedQty"].sum()),
            int(lines["OrderQty"].sum() - lines["ReceivedQty"].sum()),
        ]
    checked = verify(node)
    assert checked.ok, checked.findings


def test_northwind_is_imported_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "import", data("northwind"), "--mapping", "northwind", "--data", str(tmp_path / "n"))
    assert (said["bad"], said["import"]["facts"]["orders.place"], said["import"]["facts"]["orders.ship"]) == (
        0,
        830,
        809,
    )
    again = run(capsys, "import", data("northwind"), "--mapping", "northwind", "--data", str(tmp_path / "n"))
    assert again["import"]["facts"] == {}
