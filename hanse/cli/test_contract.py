"""`hanse contract` and `hanse replay`: a user writes a template in YAML, with examples, and no code changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hanse.cli import main
from hanse.node.node import Node
from hanse.node.testing import town
from hanse.rooms.contracts.library import names

DATA = Path(__file__).parents[2].parent / "shared/data/scms/scms_delivery_history.csv.gz"


def answer(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, object]]:
    code = main([*argv, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", names())
def test_every_template_of_the_library_checks_and_its_examples_come_out(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.yaml"
    assert answer(capsys, "contract", "new", str(file), "--like", name)[0] == 0
    code, said = answer(capsys, "contract", "check", str(file))
    assert code == 0 and said["template"] == name
    code, said = answer(capsys, "contract", "test", str(file))
    assert code == 0 and said["ok"] is True


def test_an_example_that_does_not_come_out_is_found_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    main(["contract", "new", str(file), "--like", "otif"])
    file.write_text(file.read_text().replace('penalty: "262.50"', 'penalty: "262.51"'))
    capsys.readouterr()
    code, said = answer(capsys, "contract", "test", str(file))
    assert (code == 1 and said["expected"] == "262.51 EUR") or said["expected"] == "262.51"
    code, said = answer(capsys, "contract", "check", str(file))
    assert code == 2 and said["refused"]["code"] == "terms.example"  # type: ignore[index]


def test_a_file_that_stands_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    code, said = answer(capsys, "contract", "new", str(file))
    assert code == 2 and said["refused"]["code"] == "contract.file_stands"  # type: ignore[index]
    assert file.read_text() == "mine"


def test_prose_is_shown_for_given_terms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    main(["contract", "new", str(file), "--like", "chargeback"])
    capsys.readouterr()
    code, said = answer(
        capsys, "contract", "check", str(file), "--set", "currency=EUR", "--set", 'contract_price="70.00"'
    )
    assert code == 0 and "list price less 70.00" in str(said["prose"])


def test_a_simulation_reads_a_firms_own_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, file = town(tmp_path / "node"), tmp_path / "mine.yaml"
    with Node(data, helper=False):
        pass
    main(["contract", "new", str(file), "--like", "unit-rebate"])
    capsys.readouterr()
    code, said = answer(
        capsys, "contract", "simulate", str(file), "--as", "anna", "--data", str(data),
        "--set", "currency=EUR", "--set", 'amounts=[[0, "1.00"]]',
    )  # fmt: skip
    assert code == 0 and said["deliveries"] == 0 and said["runs"] == []
    code, said = answer(capsys, "contract", "simulate", str(file), "--as", "nobody", "--data", str(data),
                        "--set", "currency=EUR", "--set", 'amounts=[[0, "1.00"]]')  # fmt: skip
    assert code == 2 and said["refused"]["code"] == "contract.no_home"  # type: ignore[index]


def test_a_term_of_a_replay_is_name_and_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = answer(capsys, "replay", "scms", str(tmp_path / "n"), "--set", "rate")
    assert code == 2 and said["refused"]["code"] == "replay.bad_term"  # type: ignore[index]
    code, said = answer(capsys, "replay", "scms", str(tmp_path / "n"), "--file", str(tmp_path / "none"))
    assert code == 2 and said["refused"]["code"] == "scms.no_file"  # type: ignore[index]


def test_the_whole_replay_is_recomputed_by_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not DATA.is_file():
        pytest.skip(f"{DATA.name} is not beside this repository")
    code, said = answer(capsys, "replay", "scms", str(tmp_path / "node"), "--file", str(DATA))
    assert code == 0 and said["owed_minor"] == 77_632_415
    assert said["own_centre"]["lines"] == 5_404 and said["own_centre"]["owed_minor"] == 0  # type: ignore[index]
    for name in ("node.key", "keys.db"):
        (tmp_path / "node" / name).unlink()
    code, found = answer(capsys, "verify", str(tmp_path / "node"), "--recompute")
    figures = found["recomputed"]
    assert code == 0 and {figure["outcome"] for figure in figures} == {"proven"}  # type: ignore[attr-defined]
    assert sum(figure["amount_minor"] for figure in figures) == said["owed_minor"]  # type: ignore[attr-defined]
    assert main(["replay", "scms", "--file", str(tmp_path / "none")]) == 2
    assert "scms.no_file" in capsys.readouterr().err
