"""What commands there are, read from the files of this folder without running them: `hanse --help` starts at once.

A file's `mount` says it all: `app.command(function)`, `app.command(function, name="...")`, a loop over functions, or a
group `App(name=..., help=...)`. A test compares what is read here with what the files do when they run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent


def overview(groups: Sequence[str], folder: Path = FOLDER) -> list[tuple[str, str]]:
    """(command, what it is for) of all groups that are there, in their order."""
    found: list[tuple[str, str]] = []
    for group in groups:
        path = folder / f"{group}.py"
        if path.exists():
            found += _commands(ast.parse(path.read_text("utf-8")))
    return found


def _commands(module: ast.Module) -> Iterator[tuple[str, str]]:
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    mount = functions["mount"]
    groups = {
        target.id: node.value
        for node in ast.walk(mount)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _text(node.value.func) == "App"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for statement in mount.body:
        for name, call in _mounted(statement):
            if name in groups:
                said = {word.arg: word.value for word in groups[name].keywords}
                yield ast.literal_eval(said["name"]), ast.literal_eval(said["help"])
            else:
                named = {word.arg: word.value for word in call.keywords}
                doc = ast.get_docstring(functions[name]) or ""
                called = ast.literal_eval(named["name"]) if "name" in named else name.replace("_", "-")
                yield called, doc.partition("\n\n")[0].replace("\n", " ")


def _mounted(statement: ast.stmt) -> Iterator[tuple[str, ast.Call]]:
    """What a statement of `mount` gives to `app.command`, by name."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and _text(call.func) == "app.command" and isinstance(call.args[0], ast.Name):
        yield call.args[0].id, call
    if isinstance(statement, ast.For) and isinstance(statement.iter, ast.Tuple):
        for inner in statement.body:
            for name, call in _mounted(inner):
                if name == _text(statement.target):
                    yield from ((_text(one), call) for one in statement.iter.elts)


def _text(node: ast.AST) -> str:
    return ast.unparse(node)
