"""A change of the rules is noticed, so that nobody opens a state that other rules wrote."""

import ast
import hashlib
import sys

import pytest

from hanse.compiled import SOURCES
from hanse.compiled.build import depends_on
from hanse.node.parts import rulebook, schema
from hanse.rooms import RULE_PARTS, modules

RULES = "74bc30c6504e86b8"
"""Of the rules at `parts.REVISION`. Another hash: if what the rules write has changed, raise REVISION; then note it."""
OUR_PARTS = ("hanse/kernel/", "hanse/rooms/", "hanse/standards/")
NOT_RULES = ("hanse/kernel/view.py", "hanse/kernel/testing.py")


def closure():
    """Name -> source of the rules' modules and all that they import."""
    found = depends_on(["hanse.kernel.apply", *(module.__name__ for module in modules(*RULE_PARTS))])
    ours = [source for source in found if source.startswith(OUR_PARTS) and source not in NOT_RULES]
    return {source.removesuffix(".py").replace("/", "."): SOURCES / source for source in ours}


def without_prose(source):
    """A source's syntax without its docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [n for n in body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    return ast.dump(tree)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the hash is of syntax as Python 3.11 shows it")
def test_the_rules_are_those_of_their_revision():
    found = closure()
    assert len(found) > 50 and "hanse.rooms.orders.balance" in found and "hanse.kernel.chains" in found
    text = "\n".join(f"{name} {without_prose(found[name].read_text())}" for name in sorted(found))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == RULES, "see RULES above"


def test_another_revision_is_another_schema(monkeypatch):
    before = schema(rulebook())
    monkeypatch.setattr("hanse.node.parts.REVISION", 10**9)
    assert schema(rulebook()) != before
