"""`hanse import` and `hanse export` at the command line: answers, files, refusals."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hanse.cli import main
from hanse.importers.tables import read

STOCK = "item,site,quantity_each\nB1,HH,5\n=B2,HH,many\n"


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, Any]:
    code = main([*argv, "--json"])
    return code, msgspec.json.decode(capsys.readouterr().out)


def test_a_template_is_printed_and_read_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["import", "--template", "items"]) == 0
    (tmp_path / "items.csv").write_text(capsys.readouterr().out)
    code, said = run(capsys, "import", str(tmp_path / "items.csv"), "--data", str(tmp_path / "n"))
    assert (code, said["how"], said["import"]["facts"]["catalog.set_own_item"]) == (0, "the plain bundle", 1)


def test_what_is_no_table_leads_to_a_template(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sirs\nwe are late\n")
    code, said = run(capsys, "import", str(tmp_path / "letter.txt"), "--data", str(tmp_path / "n"))
    assert code == 2 and "hanse import --template stock" in said["refused"]["next"]


def test_a_dry_run_into_an_empty_directory_says_what_it_would_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "stock.csv").write_text(STOCK)
    code, said = run(capsys, "import", str(tmp_path / "stock.csv"), "--dry-run", "--data", str(tmp_path / "n"))
    assert (code, said["bad"], said["fixes"], said["import"]["signed"]) == (1, 1, [], False)


def test_a_fix_list_has_no_formula_and_is_taken_back(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "stock.csv").write_text(STOCK)
    code, said = run(capsys, "import", str(tmp_path / "stock.csv"), "--data", str(tmp_path / "n"))
    assert (code, said["bad"], said["import"]["signed"]) == (1, 1, True), "a script hears that a row is left over"
    (fix,) = map(Path, said["fixes"])
    text = fix.read_text("utf-8")
    assert "'=B2" in text
    fix.write_text(text.replace("many", "7"), "utf-8")
    code, again = run(capsys, "import", str(fix), "--data", str(tmp_path / "n"))
    assert (code, again["bad"], again["import"]["new"]) == (0, 0, 1)
    _, out = run(capsys, "export", "stock", "--data", str(tmp_path / "n"), "--as", said["party"])
    assert {row["item"]: row["quantity_each"] for row in out["table"]} == {"B1": "5", "=B2": "7"}


def test_a_file_that_is_asked_for_whole_is_signed_only_without_a_wrong_row(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "stock.csv").write_text(STOCK)
    whole = ("import", str(tmp_path / "stock.csv"), "--whole", "--data", str(tmp_path / "n"))
    code, said = run(capsys, *whole)
    assert (code, said["refused"]["code"]) == (2, "import.rows_wrong")
    (tmp_path / "stock.csv").write_text(STOCK.replace("many", "7"))
    code, said = run(capsys, *whole)
    assert (code, said["bad"], said["import"]["new"]) == (0, 0, 2)


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["import"], "import.no_file"),
        (["import", "none.csv"], "import.no_file"),
        (["import", "--template", "secrets"], "target.unknown"),
        (["import", "stock.csv", "--mapping", "nobody"], "mapping.unknown"),
        (["import", "stock.csv", "--mapping", "none.toml"], "mapping.unknown"),
        (["import", "stock.csv", "--party", "stranger"], "import.not_hosted"),
        (["import", "odd.csv"], "mapping.unsure"),
        (["export", "facts"], "export.no_folder"),
        (["export", "stock", "--format", "xlsx"], "export.no_file"),
        (["export", "orders", "--mapping", "adventureworks", "--party", "nobody"], "import.not_hosted"),
    ],
)
def test_what_is_wrong_is_refused_by_its_code(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str], code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stock.csv").write_text("item,site,quantity_each\nB1,HH,5\n")
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    run(capsys, "import", "stock.csv", "--data", "n")
    found, said = run(capsys, *argv, "--data", "n")
    assert (found, said["refused"]["code"]) == (2, code)


def test_a_refused_import_founds_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    assert run(capsys, "import", str(tmp_path / "odd.csv"), "--data", str(tmp_path / "n"))[0] == 2
    assert not (tmp_path / "n").exists()


def test_a_workbook_goes_out_and_comes_in(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "stock.csv").write_text("item,site,quantity_each\nB1,HH,5\n")
    data = str(tmp_path / "n")
    run(capsys, "import", str(tmp_path / "stock.csv"), "--data", data)
    code, said = run(
        capsys, "export", "stock", "--format", "xlsx", "--out", str(tmp_path / "stock.xlsx"), "--data", data
    )
    assert (code, said["rows"]) == (0, 1)
    (sheet,) = read(tmp_path / "stock.xlsx")
    assert sheet.head()[0][:2] == ["B1", "HH"]
    signed = run(capsys, "import", str(tmp_path / "stock.xlsx"), "--data", data)[1]["import"]["facts"]
    assert signed == {}
