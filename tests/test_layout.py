"""The floor plan: imports point one way, a room imports only rooms before it, and only a room writes its own tables."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

from hanse.rooms import ROOMS, RULE_PARTS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "hanse"
BELOW = {
    "kernel": {"kernel", "standards"},
    "record": {"record"},
    "standards": {"standards"},
    "planning": {"planning", "standards"},
    "gazetteer": {"gazetteer"},
    "engines": {"engines", "kernel"},
}
"""folder -> what its modules may import; folders not named here may import anything below the doors."""
DOORS = {"api", "web", "site", "cli", "demo", "importers"}


def sources() -> list[Path]:
    return [
        path for path in sorted(PACKAGE.rglob("*.py")) if not path.name.startswith(("test_", "testing", "conftest"))
    ]


def imports(path: Path) -> set[str]:
    """Dotted names of what a module imports from this package, relative imports made absolute."""
    found: set[str] = set()
    parts = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(parts[: len(parts) - node.level]) if node.level else ""
            module = ".".join(filter(None, (base, node.module or "")))
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("hanse.")}


def test_imports_point_one_way() -> None:
    wrong = []
    for path in sources():
        folder = path.relative_to(PACKAGE).parts[0]
        allowed = BELOW.get(folder)
        if allowed is not None:
            wrong += [f"{path.name}: {n}" for n in imports(path) if n.split(".")[1] not in allowed]
    assert wrong == []


def test_nothing_below_imports_a_door() -> None:
    wrong = []
    for path in sources():
        folder = path.relative_to(PACKAGE).parts[0]
        door = path.stem in ("api", "page", "cli") or path.stem.startswith(("page_", "pages_"))
        if folder not in DOORS and not door:
            wrong += [f"{path}: {n}" for n in imports(path) if n.split(".")[1] in DOORS]
    assert wrong == []


def test_a_room_imports_only_rooms_before_it() -> None:
    wrong = []
    for at, room in enumerate(ROOMS):
        for path in (PACKAGE / "rooms" / room).rglob("*.py"):
            if path.name.startswith(("test_", "testing", "page", "api")):
                continue
            later = {f"hanse.rooms.{other}" for other in ROOMS[at + 1 :]}
            wrong += [f"{path.name}: {n}" for n in imports(path) if any(n == x or n.startswith(x + ".") for x in later)]
    assert wrong == []


def test_only_a_room_writes_its_own_tables() -> None:
    """`draft.put(TABLE, ...)` and `draft.delete` name tables that the same room declares."""
    wrong = []
    for room in ROOMS:
        folder = PACKAGE / "rooms" / room
        own = {
            target.id
            for path in folder.glob("*.py")
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
            for target in node.targets
            if isinstance(target, ast.Name) and getattr(node.value.func, "id", "") == "Table"
        }
        for path in folder.glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                writes = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                if writes and node.func.attr in ("put", "delete") and getattr(node.func.value, "id", "") == "draft":  # type: ignore[union-attr]
                    table = node.args[0].id if node.args and isinstance(node.args[0], ast.Name) else ""  # type: ignore[union-attr]
                    if table.isupper() and table not in own:
                        wrong.append(f"{path.name}: {table}")
    assert wrong == []


def test_rules_see_no_clock_random_environment_or_disk() -> None:
    barred = {"time", "datetime", "random", "secrets", "os", "pathlib", "uuid", "socket", "math"}
    wrong = []
    rules = [path for path in (PACKAGE / "rooms").glob("*/*.py") if path.stem in RULE_PARTS]
    assert len(rules) > 20
    for path in [*(PACKAGE / "kernel").glob("*.py"), *rules]:
        if path.name.startswith(("test_", "testing")):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                wrong += [f"{path}: {a.name}" for a in node.names if a.name.split(".")[0] in barred]
            elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in barred:
                wrong.append(f"{path}: {node.module}")
    assert wrong == []


def test_the_project_names_no_host_and_no_path_of_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert listed or not (ROOT / ".git").exists()
    lock = (ROOT / "requirements.lock").read_text()
    assert "http://" not in lock and "https://" not in lock
