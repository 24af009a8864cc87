"""The notebooks run as they stand: their code cells in order, in one namespace, without Jupyter."""

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def test_there_is_a_notebook():
    assert [path.name for path in NOTEBOOKS] == ["planning.ipynb"]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_of_a_notebook_runs_and_says_something(path, capsys):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    space = {"__name__": path.stem}
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], "outputs are not kept: they would grow old"
            exec(compile("".join(cell["source"]), f"{path.name}[{number}]", "exec"), space)
            assert capsys.readouterr().out, f"cell {number} shows nothing"
    assert space["saved"].value > 0 and space["proof"].gap_ppm < 50_000


def test_the_notebook_needs_no_node():
    text = " ".join("".join(cell["source"]) for path in NOTEBOOKS for cell in json.loads(path.read_text())["cells"])
    assert "hanse.node" not in text and "hanse.rooms" not in text
