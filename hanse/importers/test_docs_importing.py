"""docs/importing.md runs: its tables are written down, its commands are given, its refusals exist."""

import re
import shlex
from pathlib import Path

import pytest

from hanse.cli import main
from hanse.importers.mapping import load
from hanse.importers.targets import TARGETS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "importing.md"


def test_the_commands_of_the_page_run_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = DOCS.read_text("utf-8")
    for name, body in re.findall(r"`([a-z]+\.csv)`:\n\n```csv\n(.*?)```", text, re.S):
        (tmp_path / name).write_text(body, "utf-8")
    monkeypatch.chdir(tmp_path)
    said = []
    for block in re.findall(r"```sh\n(.*?)```", text, re.S):
        for line in block.splitlines():
            command, *argv = shlex.split(line)
            assert command == "hanse"
            code, out = main(argv), capsys.readouterr().out
            assert code == (1 if " wrong (" in out else 0), out
            said.append(out)
    assert "orders as orders: 1 good, 2 wrong (quantity.not_a_number 1, row.group_incomplete 1)" in said[0]
    assert "B-6205,Kiel,,,1250" in said[2]
    assert "nothing is wrong" in said[3]


def test_the_mapping_of_the_page_loads_and_its_table_names_every_target() -> None:
    text = DOCS.read_text("utf-8")
    for body in re.findall(r"```toml\n(.*?)```", text, re.S):
        assert load(body).sections
    named = {name for row in re.findall(r"^\| (`[^|]+`) \|", text, re.M) for name in re.findall(r"`([a-z]+)`", row)}
    assert named == set(TARGETS)


def test_every_refusal_that_the_page_names_is_one_of_the_code() -> None:
    root = DOCS.parents[1] / "hanse"
    code = "".join(path.read_text("utf-8") for path in [*root.rglob("importers/**/*.py"), *root.rglob("rooms/**/*.py")])
    for name in re.findall(r"\(`([a-z]+\.[a-z_]+)`\)", DOCS.read_text("utf-8")):
        assert f'"{name}"' in code, name
