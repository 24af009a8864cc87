"""docs/contract-templates.md: its templates register, its refusals are provoked, its Python runs, its codes are all."""

import re
from pathlib import Path

import pytest

from hanse.rooms.contracts.terms import TermsRefused, compile_template
from hanse.rooms.contracts.terms.document import ACTIONS, IMPLICIT, TOP
from hanse.rooms.contracts.terms.functions import CALLS
from hanse.rooms.contracts.terms.kinds import MODES, UNITS
from hanse.rooms.contracts.terms.syntax import MACROS

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/contract-templates.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: re.search(r"template: (\S+)", block)[1])
def test_each_yaml_block_registers_or_is_refused_as_it_says(block):
    wanted = re.match(r"# refused: (\S+)", block)
    if not wanted:
        assert compile_template(block).clauses
        return
    with pytest.raises(TermsRefused) as refused:
        compile_template(block)
    assert refused.value.code == wanted[1]


def test_the_python_of_the_page_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(compile(code, "contract-templates.md", "exec"), {"text": BLOCKS[0]})


def test_the_page_names_every_code_unit_action_function_and_key():
    source = "".join(
        path.read_text() for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("test_")
    )
    codes = set(re.findall(r'"(terms\.[a-z_]+)"', source))
    words = {*codes, *UNITS, *ACTIONS, *CALLS, *MACROS, *IMPLICIT, *TOP, *MODES}
    told = set(re.findall(r"[a-z_]+(?:\.[a-z_]+)?", PAGE)) | set(re.findall(r"[a-z_]+", PAGE))
    assert words <= told, sorted(words - told)
    assert set(re.findall(r"`(terms\.[a-z_]+)`", PAGE)) <= codes
