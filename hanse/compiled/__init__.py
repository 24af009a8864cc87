"""The rules of daily trade as machine code, made from the same sources.

Words
    compiled form   the extension modules that mypyc makes of `build.MODULES`. `python -m hanse.compiled` makes them,
                    `make setup` calls it; nothing is lost without them but speed.
    manifest        which modules it holds, and the SHA-256 of every source it depends on: theirs, and what they import.

Invariants
    A compiled form is used only while each source is, byte for byte, the one it was made from, and by the interpreter
    that it was made for: who edits a rule runs the edited rule.
    All of its modules are used, or none.
    State and outcomes are the same with it and without; tests replay the records of each by the other.
    HANSE_INTERPRETED=1 leaves it aside.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import Any

INTERPRETED = "HANSE_INTERPRETED"
"""The environment variable that, set to anything, leaves the compiled form aside."""
SOURCES = Path(__file__).parent.parent.parent
"""Where the package's sources lie."""
MANIFEST = "manifest.json"


def place() -> Path:
    """Where the compiled form for this interpreter lies, or would."""
    tag = f"{sys.implementation.cache_tag}-{sys.hexversion:x}-{sys.platform}-{platform.machine()}"
    return Path(__file__).parent / "lib" / tag


def sha256_of(source: str) -> str:
    """Of a source, by its path below `SOURCES`; "" where there is none."""
    try:
        return hashlib.sha256((SOURCES / source).read_bytes()).hexdigest()
    except OSError:
        return ""


class Finder:
    """Finds the compiled modules of one manifest, before Python looks for their sources."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self._folder, self.files = folder, files

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        file = self.files.get(name)
        if file is None:
            return None
        at = str(self._folder / file)
        return spec_from_file_location(name, at, loader=ExtensionFileLoader(name, at))


def look() -> tuple[dict[str, str], str]:
    """Module -> compiled file below `place()`, where they can be used; else none, and why not as a sentence."""
    if os.environ.get(INTERPRETED):
        return {}, f"{INTERPRETED} is set"
    try:
        manifest = json.loads((place() / MANIFEST).read_bytes())
        sources, files = dict(manifest["sources"]), dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}, "they are not compiled for this interpreter; `python -m hanse.compiled` does it"
    changed = [source for source, sha256 in sources.items() if sha256_of(source) != sha256]
    if changed:
        return {}, f"{changed[0]} has changed since they were compiled; `python -m hanse.compiled` does it again"
    if not all(file.endswith(tuple(EXTENSION_SUFFIXES)) and (place() / file).is_file() for file in files.values()):
        return {}, "a compiled file is missing; `python -m hanse.compiled` makes it again"
    return files, ""


def why_not() -> str:
    """Why the rules run interpreted, as a sentence; "" where the compiled form can be used."""
    return look()[1]


def in_use() -> bool:
    """Whether this process runs the compiled form."""
    return any(isinstance(finder, Finder) for finder in sys.meta_path)


def sources_in_use() -> list[str]:
    """The sources whose compiled form this process runs, as paths below `SOURCES`."""
    names = [name for finder in sys.meta_path if isinstance(finder, Finder) for name in finder.files]
    return sorted(f"{name.replace('.', '/')}.py" for name in names if "." in name)


def elsewhere(hash_seed: str) -> dict[str, str]:
    """The environment of a process that comes to the same results in another way: with another seed for hashes of text,
    and for seed "0" with interpreted rules, whatever this one runs."""
    environ = {name: value for name, value in os.environ.items() if name != INTERPRETED}
    return environ | {"PYTHONHASHSEED": hash_seed} | ({INTERPRETED: "1"} if hash_seed == "0" else {})


def use() -> None:
    """From now on imports find the compiled form, where it can be used."""
    files, why = ({}, "it is in use") if in_use() else look()
    if not why:
        sys.meta_path.insert(0, Finder(place(), files))
