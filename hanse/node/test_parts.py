"""A change of the rules is noticed, so that nobody opens a state that other rules wrote."""

import ast
import hashlib
import importlib.util
import sys
from pathlib import Path

import pytest

from hanse.node.parts import rulebook, schema
from hanse.rooms import RULE_PARTS, modules

RULES = "61a6ba4329db3c0b"
"""Of the rules at `parts.REVISION`. Another hash: if what the rules write has changed, raise REVISION; then note it."""
OUR_PARTS = ("hanse.kernel", "hanse.rooms", "hanse.standards")
NOT_RULES = {"hanse.kernel.view", "hanse.kernel.testing"}


def imported(source):
    """The modules of ours that a source names in its imports."""
    for node in ast.walk(ast.parse(source)):
        names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.startswith(OUR_PARTS) and name not in NOT_RULES:
                yield name


def closure():
    """Name -> file of the rules' modules and all that they import."""
    waiting, found = [module.__name__ for module in modules(*RULE_PARTS)], {}
    waiting.append("hanse.kernel.apply")
    while waiting:
        name = waiting.pop()
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            continue  # a name inside a module
        if name not in found and spec is not None and spec.origin:
            found[name] = Path(spec.origin)
            waiting += imported(found[name].read_text())
    return found


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
