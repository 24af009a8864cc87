"""What goes out comes in again, is no formula, and is nobody else's."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest

from hanse.importers import ImportRefused, apply, load, read, ready
from hanse.importers.facts import imported
from hanse.importers.facts_export import WHAT, as_file, exported
from hanse.importers.facts_parquet import facts_to_parquet, tables_to_parquet
from hanse.importers.facts_testing import bring, firm
from hanse.importers.test_facts import ALL, RECEIPTS
from hanse.kernel.refusal import Refused
from hanse.node import joining
from hanse.node.desk import Desk, Who
from hanse.rooms.catalog.facts import PublishItem
from hanse.rooms.inventory.offer_facts import Earmark, ProposeTransfer
from hanse.site.testing import SmallTown


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_an_export_imported_again_signs_no_goods_and_no_orders_twice(tmp_path: Path, form: str) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **ALL, receipts=RECEIPTS)
        sheets = [read(as_file(exported(desk, what), what, form), what)[0] for what in ("sites", "items", "stock")]
        found = imported(desk, sheets, ready("hanse"))
        assert (found.bad, found.facts) == (0, {})


def test_orders_and_receipts_go_out_under_the_firms_own_numbers(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **ALL, receipts=RECEIPTS)
        orders = {(row["order"], row["line"]): row for row in WHAT["orders"](desk)}
        assert set(orders) == {("S1", 1), ("S1", 2), ("P1", 10)}
        assert (orders["S1", 2]["quantity_ordered"], orders["S1", 2]["price_minor"]) == (20, 300)
        (receipt,) = WHAT["receipts"](desk)
        assert (receipt["order"], receipt["received_each"], receipt["rejected_each"]) == ("P1", 18, 3)


def test_no_cell_of_an_export_is_a_formula(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, items='item,description\n=1+1,"@SUM(A1)"\n"+49",-cmd', stock="item,site,quantity_each\n=1+1,-HH,5")
        for what in ("items", "stock", "sites"):
            text = as_file(exported(desk, what), what, "csv").decode("utf-8-sig")
            cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
            assert not [c for c in cells if c[:1] in "=@\t\r" and c] and not [
                c for c in cells if c.startswith(("-c", "-H"))
            ]


def test_a_mapping_run_backwards_writes_its_own_columns(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        bring(desk, **ALL)
        found = exported(desk, "stock", ready("northwind"))
        assert found.columns == ("productID", "unitsInStock")
        with pytest.raises(Refused) as refused:
            exported(desk, "receipts", ready("northwind"))
        assert refused.value.code == "export.not_mapped"
        with pytest.raises(Refused) as refused:
            exported(desk, "secrets")
        assert refused.value.code == "export.unknown"


OUT = """
name = "our_erp"
[[section]]
source = "Umlagerung"
target = "transfers"
[section.fields]
transfer = "Beleg"
way = { column = "Richtung", words = { Zugang = "in", Abgang = "out" } }
item = "Artikel"
quantity_each = "Menge"
total_minor = { column = "Betrag", decimal = "," }
"""


def test_transfers_go_out_with_cost_and_total(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        desk.do(PublishItem(item="n-b1", description="Bearing", brand="SKF", part_number="6204-2RSH"))
        bring(desk, items="item,brand,part_number\nB1,SKF,6204-2RSH", stock="item,site,quantity_each\nB1,HH,10")
        joining.host(desk.node, "other", name="Other")
        circle = joining.relationship(desk.node, "acme", "other")
        home = desk.view.home
        desk.do(Earmark(circle=home, offer="t1", own_number="B1", site="HH", lot="", owner="", each=4,
                        minimum_price_minor=0, currency="EUR"))  # fmt: skip
        desk.do(ProposeTransfer(circle=circle, transfer="t1", each=4, expires_at=desk.node.path.now() + 86_400,
                                transfer_kind="sale", item="n-b1", lot="", unit_cost_minor=500, markup_ppm=100_000,
                                currency="EUR"))  # fmt: skip
        found = exported(desk, "transfers")
        (row,) = found.rows
        assert row[1:6] == ["sale", "out", "acme", "other", "Other"]
        assert row[6:15] == ["B1", "", "4", "5.00", "0.100000", "22.00", "EUR", "proposed", ""]
        theirs = dict(zip(found.columns, exported(Desk(desk.node, Who("other")), "transfers").rows[0], strict=True))
        assert (theirs["way"], theirs["item"], theirs["partner"]) == ("in", "n-b1", desk.view.party.title())
        mine = exported(desk, "transfers", load(OUT))
        assert (mine.columns, mine.rows) == (("Beleg", "Richtung", "Artikel", "Menge", "Betrag"), [
            ["t1", "Abgang", "B1", "4", "22,00"]
        ])  # fmt: skip


def test_an_import_leaves_what_only_goes_out_alone(tmp_path: Path) -> None:
    path = tmp_path / "Umlagerung.csv"
    path.write_text("Beleg\nt1\n")
    with pytest.raises(ImportRefused) as refused:
        apply(load(OUT), read(path))
    assert refused.value.code == "mapping.no_sheet"


def test_a_competitor_finds_nothing_of_a_firm_in_its_own_export(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        joining.host(desk.node, "rival", name="Rival")
        bring(desk, **{key: text.replace("B1", "HUSHPART").replace("C7", "HUSHCLIENT") for key, text in ALL.items()})
        rival = Desk(desk.node, Who("rival"))
        for what in WHAT:
            assert not list(WHAT[what](rival)), what
        for name, write in (("f", facts_to_parquet), ("t", tables_to_parquet)):
            files = write(rival, tmp_path / name)
            assert files
            whole = b"".join(str(pl.read_parquet(file).to_dicts()).encode() for file in files)
            assert b"HUSH" not in whole
            mine = write(desk, tmp_path / f"own-{name}")
            assert b"HUSHPART" in b"".join(str(pl.read_parquet(file).to_dicts()).encode() for file in mine)
        rows = pl.concat([pl.read_parquet(file) for file in (tmp_path / "f").glob("*.parquet")])
        assert rows.filter(pl.col("mine"))["circle"].n_unique() == 1, "its own home alone"
        assert rows.filter(pl.col("kind") == "orders.place")["withheld"].min() > 0


def test_a_folder_with_parquet_files_is_not_written_into(tmp_path: Path) -> None:
    with firm(tmp_path / "n") as desk:
        facts_to_parquet(desk, tmp_path / "p")
        with pytest.raises(Refused) as refused:
            tables_to_parquet(desk, tmp_path / "p")
        assert refused.value.code == "export.not_empty"


def test_a_sale_goes_out_under_the_sellers_own_number_and_not_the_buyers(tmp_path: Path) -> None:
    town = SmallTown(tmp_path / "town")
    town.order("sale-1")
    (sold,) = WHAT["orders"](town.desk("bob"))
    (bought,) = WHAT["orders"](town.desk("ann"))
    assert (sold["item"], bought["item"]) == ("bob-6205", "A-77")
    town.close()
