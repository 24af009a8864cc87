"""The planning pages' snippets run as they stand."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = ("planning-forecasting.md", "planning-replenishment.md", "planning-shares.md", "planning-study.md")


@pytest.mark.parametrize("page", PAGES)
def test_the_snippets_of_a_planning_page_run(page):
    path = DOCS / page
    if not path.exists():
        pytest.skip(f"no docs/{page} beside this package: it was not tried")
    snippets = re.findall(r"```python\n(.*?)```", path.read_text(), re.S)
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, str(path), "exec"), {})
