"""`hanse study`: members' own exports, however they look, become a report."""

import json
import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from hanse.cli import main
from hanse.cli._study_data import Member, _take, history_of, item_key, join_items, members_of
from hanse.cli._study_exports import write_exports
from hanse.demo.build import SMALL, build
from hanse.node.node import Node

DATA = Path(__file__).parents[2].parent / "shared" / "data"
DAYS = 7 * 40


def quiet(what, done, all):
    return None


@pytest.fixture
def exports(tmp_path):
    """Three members: commas and ISO dates in English, semicolons in German, one wide table of days by items."""
    dice = random.Random(1)
    folder = tmp_path / "members"
    for name in ("north", "süd", "west"):
        (folder / name).mkdir(parents=True)
    days = [date(2024, 1, 1) + timedelta(days=k) for k in range(DAYS)]
    rows = [(d, f"P-{i}", 1 + dice.randrange(3)) for d in days for i in range(8) if dice.random() < 0.3]
    lines = [f"SO-{k},P-{k % 8},{d},{q},10.00,EUR" for k, (d, _, q) in enumerate(rows)]
    (folder / "north" / "orders.csv").write_text(
        "Order No,Item,Order Date,Quantity,Price,Currency\n" + "\n".join(lines) + "\n"
    )
    lines = [f"A{k};{i};{d};{q};10,00;EUR" for k, (d, i, q) in enumerate(rows[::2])]
    (folder / "süd" / "orders.csv").write_text(
        "Auftrag;Artikelnummer;Bestelldatum;Menge;Preis;Währung\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    head = "Date," + ",".join(f"P-{i}" for i in range(8))
    lines = [f"{d}," + ",".join(str(float(dice.randrange(3))) for _ in range(8)) for d in days]
    (folder / "west" / "sales.csv").write_text("\n".join([head, *lines]) + "\n")
    return folder


def test_unlike_exports_become_one_study_with_report_and_figures(exports, tmp_path, capsys):
    words = ["study", str(exports), "--bootstrap", "50", "--held-out", "8", "--out", str(tmp_path / "out" / "s.html")]
    assert main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in said["members"]] == ["north", "süd", "west"] and not said["simulated"]
    assert abs(sum(one["charge_minor"] for one in said["members"]) - said["policies"]["pooled"]["cost_minor"]) <= 3
    assert 0 < said["policies"]["alone"]["fill_rate"] <= 1
    page = (tmp_path / "out" / "s.html").read_text()
    assert "süd" in page and "<script" not in page
    assert json.loads((tmp_path / "out" / "s.json").read_text())["items"] == 8


def test_one_firm_is_split_only_where_it_is_asked_for_and_the_report_says_so(exports, tmp_path, capsys):
    alone = exports / "north"
    assert main(["study", str(alone), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["refused"]["code"] == "study.one_member"
    out = tmp_path / "o.html"
    assert main(["study", str(alone), "--split", "3", "--held-out", "8", "--bootstrap", "20", "--out", str(out)]) == 0
    assert "SIMULATED SPLIT" in capsys.readouterr().out and "simulated split" in out.read_text().lower()
    assert json.loads(out.with_suffix(".json").read_text())["simulated"]


def test_refusals_say_what_to_do(tmp_path, exports, capsys):
    def code(*words):
        assert main(["study", *map(str, words), "--json"]) == 2
        return json.loads(capsys.readouterr().out)["refused"]["code"]

    assert code(tmp_path / "none") == "study.no_folder"
    (tmp_path / "empty").mkdir()
    assert code(tmp_path / "empty") == "import.no_file"
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "x.csv").write_text("colour,shape\nred,round\n")
    assert code(tmp_path / "odd") == "mapping.unsure"
    assert code(exports, "--held-out", 400) == "study.too_little"
    assert code(exports, "--keep", tmp_path) == "study.keep_for_whom"


def test_items_are_the_same_by_gtin_then_brand_and_part_number_then_own_number():
    assert item_key({"item": "A", "gtin": "04012345678901"}) == item_key({"item": "B", "gtin": "4012345678901"})
    assert item_key({"item": "A", "brand": "skf", "part_number": "6204 2RSH"}) == "SKF 62042RSH"
    assert item_key({"item": "A", "brand": "SKF"}) == "A"


def test_one_item_is_called_alike_at_firms_that_know_it_by_different_numbers():
    """One knows the GTIN alone, one brand and part number alone, one both; what is alike by its words stays apart."""
    know = {
        "a": {"item": "1", "gtin": "04012345678901"},
        "b": {"item": "2", "gtin": "4012345678901", "brand": "SKF", "part_number": "6204-2RSH"},
        "c": {"item": "3", "brand": "S.K.F.", "part_number": "6204 2rsh"},
        "d": {"item": "4", "description": "bearing 6204-2RSH"},
    }
    members = []
    for name, row in know.items():
        member = Member(name)
        _take(member, "items", [row])
        members.append(member)
    assert join_items(members) == 3
    names = [member.keys[row["item"]] for member, row in zip(members, know.values(), strict=True)]
    assert len(set(names[:3])) == 1 and names[3] == "4"


@pytest.mark.slow
def test_the_demos_firms_export_unlike_shapes_and_are_studied(tmp_path):
    build(tmp_path / "node", size=SMALL, today=1_750_000_000)
    with Node(tmp_path / "node", helper=False) as node:
        written = write_exports(node, tmp_path / "out", quiet)
    assert len(written) > 10
    heads = {path.read_text("utf-8").splitlines()[0] for path in (tmp_path / "out").glob("*/orders.csv")}
    assert len(heads) > 5 and list((tmp_path / "out").glob("*/export.xlsx"))
    made = history_of(members_of(tmp_path / "out", "", quiet), by="day", items=60)
    assert 10 < len(made.history.members) <= len(written) and made.history.sales.shape[1] == 60
    assert made.history.distance_km is not None
    left = len(written) - len(made.history.members)
    assert not left or any(f"{left} members sell none" in note for note in made.notes)


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "supplygraph").is_dir(), reason="skipped: ../shared/data/supplygraph is not here")
def test_a_table_of_days_by_items_is_read_and_split(tmp_path):
    file = DATA / "supplygraph" / "Unit__Sales_Order.csv.gz"
    made = history_of(members_of(file, "", quiet), by="week", split=4, items=20)
    assert made.history.sales.shape[:2] == (4, 20) and made.history.origin.startswith("simulated split")
