"""Making the compiled form: mypyc over the modules named here, into a folder of its own."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from hanse.compiled import MANIFEST, SOURCES, place, sha256_of, why_not

KERNEL = (
    "absent", "apply", "batches", "chains", "draft", "leaves", "opened", "reading", "refusal", "retries", "state",
    "tables", "timers",
)  # fmt: skip
ROOMS = {
    "parties": ("keys", "rules", "circles"),
    "catalog": ("own_numbers", "rules"),
    "inventory": ("rules", "stock", "offers", "transfers"),
    "orders": ("after", "balance", "books", "delivery", "delivery_terms", "quotes", "rules", "terms"),
    "contracts": ("from_orders",),
    "accounts": ("ledger", "accruals"),
}
"""Modules of functions only: facts and rows are classes of a library that is compiled already."""
MODULES = (
    "hanse.standards.sdjwt",
    "hanse.engines.replies",
    *(f"hanse.kernel.{name}" for name in KERNEL),
    *(f"hanse.rooms.{room}.{name}" for room, names in ROOMS.items() for name in names),
)
GROUP = "hanse"
"""All code is in one library, `hanse__mypyc`; a module's own file is an entrance to it."""
_SETUP = """
import sys
from mypyc.build import mypycify
from setuptools import setup
group, cache, target, *paths = sys.argv[1:]
made = mypycify([f"--cache-dir={cache}", *paths], opt_level="2", debug_level="0", group_name=group, target_dir=target)
to = [f"--build-temp={target}", f"--build-lib={target}/lib"]
setup(name=group, ext_modules=made, script_args=["-q", "build_ext", *to])
"""


class CannotCompile(Exception):
    """Why, as a sentence for the person who asked."""


def source_of(module: str) -> str:
    """The path of a module's source below `SOURCES`, "" where no module is called so."""
    path = module.replace(".", "/")
    return next((at for at in (f"{path}.py", f"{path}/__init__.py") if (SOURCES / at).is_file()), "")


def depends_on(modules: Iterable[str]) -> list[str]:
    """The sources of these modules and of all of ours that they import, sorted."""
    waiting, found = list(modules), set[str]()
    while waiting:
        source = source_of(waiting.pop())
        if not source or source in found:
            continue
        found.add(source)
        for node in ast.walk(ast.parse((SOURCES / source).read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
    return sorted(found)


def build() -> None:
    """Make the compiled form anew, in place of an older one.

    Raises: CannotCompile where the compiler of Python, or that of C, is missing or fails.
    """
    if importlib.util.find_spec("mypyc") is None or importlib.util.find_spec("setuptools") is None:
        raise CannotCompile("mypyc and setuptools are not installed")
    if shutil.which(os.environ.get("CC", "cc").split()[0]) is None:
        raise CannotCompile("there is no C compiler")
    sources = {source: sha256_of(source) for source in depends_on(MODULES)}
    place().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place().parent, prefix=".making-") as scratch:
        paths = [source_of(module) for module in MODULES]
        command = [sys.executable, "-c", _SETUP, GROUP, f"{scratch}/cache", scratch, *paths]
        done = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotCompile(f"compiling failed: {(done.stdout + done.stderr).strip()[-2000:]}")
        if "generator comprehension" in done.stdout + done.stderr:  # it would be evaluated whole, and so differ
            raise CannotCompile(f"a rule's generator ends early or late when compiled: {done.stderr.strip()[-2000:]}")
        _put(Path(scratch) / "lib", sources)


def _put(made: Path, sources: dict[str, str]) -> None:
    """Put what was made in its place, the manifest last, so that half of it is never used."""
    flat, files = made.parent / "flat", {}
    flat.mkdir()
    for file in sorted(made.rglob("*.*")):
        name, end = file.name.split(".", 1)
        module = ".".join((*file.relative_to(made).parts[:-1], name))
        files[module] = f"{module}.{end}"
        file.rename(flat / files[module])
    (flat / MANIFEST).write_text(json.dumps({"files": files, "sources": sources}, indent=1))
    if place().exists():
        place().rename(made.parent / "older")
    flat.rename(place())


def main() -> int:
    """Compile where that is needed, and say what the rules run as; 0 also where they stay interpreted."""
    if why_not() == "":
        print("rules: compiled")
        return 0
    print(f"compiling {len(MODULES)} modules of rules, about half a minute ...", flush=True)
    try:
        build()
    except (CannotCompile, OSError) as reason:  # a folder that cannot be written, or two that compile at once
        print(f"rules: interpreted, which costs about a third of their speed and nothing else: {reason}")
        return 0
    print("rules: compiled")
    return 0
