"""Every refusal's code with its sentence, read from the code itself: where `type` in an error answer leads."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

from litestar import get
from msgspec import Struct

import hanse
from hanse.web import page

MAKERS = {"Refused": 0, "Refusal": 0, "require": 1, "ImportRefused": 0, "TermsRefused": 0}
"""Function name -> which argument is the code; the sentence is the next one."""


class Code(Struct, frozen=True, order=True):
    """A refusal: its code, its sentence (names in braces stand for values), and what to do next, where it says so."""

    code: str
    message: str
    next: str


@cache
def codes() -> tuple[Code, ...]:
    """All codes that the package's source names, in order."""
    root = Path(hanse.__file__).parent
    found: dict[str, Code] = {}
    for path in sorted(root.rglob("*.py")):
        if path.name.startswith("test_"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            code = _code(node)
            if code is not None:
                found.setdefault(code.code, code)
    return tuple(sorted(found.values()))


def _code(node: ast.AST) -> Code | None:
    if not isinstance(node, ast.Call):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    at = MAKERS.get(name)
    if at is None or len(node.args) < at + 2:
        return None
    code = _text(node.args[at])
    if "." not in code or " " in code or "{" in code:
        return None
    follow = next((_text(k.value) for k in node.keywords if k.arg == "next"), "")
    return Code(code, _text(node.args[at + 1]), follow)


def _text(node: ast.expr) -> str:
    """The words of a string or f-string; a value stands as {name}."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "{…}" for part in node.values)
    return "{…}"


@get("/docs/refusals", opt={"public": True}, sync_to_thread=True)
def refusals() -> Any:
    """All refusals, each at the anchor of its code."""
    rooms: dict[str, list[Code]] = {}
    for code in codes():
        rooms.setdefault(code.code.partition(".")[0], []).append(code)
    return page("site/refusals.html", title="Refusals", rooms=rooms)
