"""`hanse order place` says what becomes of a rest, the cancel date and the PO number; wrong words change nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hanse.cli import main
from hanse.rooms.orders.pages_forms import day_text
from hanse.site.testing import DAY, SmallTown


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    town = SmallTown(tmp_path_factory.mktemp("town"))
    town.offer("o-ab", "bob", circle=town.ab, each=40, price=1000)
    path = town.node.directory
    town.close()
    return path


def run(directory: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = main([*words, "--as", "ann", "--data", str(directory), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_an_order_is_placed_with_its_terms(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import time

    ends = day_text(int(time.time()) + 30 * DAY)
    code, bought = run(
        directory, capsys, "order", "place", "SKF 6205", "3", "--city", "Rostock", "--po", "4711", "--rest", "complete",
        "--cancel-after", ends,
    )  # fmt: skip
    assert code == 0, bought
    order = bought["orders"][0]["order"]
    code, shown = run(directory, capsys, "order", "show", order)
    assert code == 0 and shown["order"]["ship_complete"] and shown["terms"]["po_number"] == "4711"
    assert day_text(shown["order"]["cancel_after_at"]) == ends and shown["order"]["state"] == "confirmed"


@pytest.mark.parametrize(
    ("words", "code", "exits"),
    [
        (("--cancel-after", "never"), "form.not_a_day", 2),
        (("--cancel-after", "1999-01-01"), "orders.bad_deadline", 2),
        (("--cancel-after", "2999-01-01"), "orders.bad_deadline", 2),
        (("--rest", "sometime"), "", 64),
    ],
)
def test_wrong_terms_are_refused_before_anything_is_ordered(
    directory: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: str, exits: int
) -> None:
    _, before = run(directory, capsys, "order", "list")
    found, said = run(directory, capsys, "order", "place", "SKF 6205", "3", "--city", "Rostock", *words)
    assert found == exits and (not code or said["refused"]["code"] == code)
    assert run(directory, capsys, "order", "list")[1] == before
