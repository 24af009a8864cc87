"""Saved mappings in a folder, found again by the columns of a file."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from hanse.importers.mapping import MappingFile, dump, fingerprint, load, sheet_for
from hanse.importers.refusal import ImportRefused
from hanse.importers.tables import Sheet


def save(folder: Path, mapping: MappingFile) -> Path:
    """Write a mapping as `<name>.toml`, whole or not at all; refuses mapping.name (letters, digits, - and _)."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", mapping.name):
        step = "rename the mapping"
        raise ImportRefused("mapping.name", "the name will not do", mapping.name[:80], "letters, digits, - and _", step)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{mapping.name}.toml"
    part = path.with_suffix(".toml.part")
    part.write_text(dump(mapping), "utf-8")
    os.replace(part, path)
    return path


def saved(folder: Path) -> list[MappingFile]:
    """The mappings in a folder that read, by name of their files."""
    found = []
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else []:
        try:
            found.append(load(path.read_text("utf-8")))
        except (ImportRefused, UnicodeDecodeError):
            continue
    return found


def find(folder: Path, sheets: Sequence[Sheet]) -> MappingFile | None:
    """Return the saved mapping made for files of these columns: most sheets first, then by name; None when new."""
    shapes = {fingerprint(sheet.columns) for sheet in sheets}
    best: tuple[int, MappingFile] | None = None
    for mapping in saved(folder):
        fits = sum(s.fingerprint in shapes and sheet_for(s, sheets) is not None for s in mapping.sections)
        if fits and (best is None or fits > best[0]):
            best = (fits, mapping)
    return best[1] if best else None
