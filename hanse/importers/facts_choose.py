"""Which files, which sheets, which mapping: what an import starts from, without a question where none is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hanse.importers import library
from hanse.importers.bundle import READY, ready
from hanse.importers.fixlist import REASON, ROW, read_back
from hanse.importers.guessing import guess_all
from hanse.importers.mapping import MappingFile, Section, column_key, dump, load
from hanse.importers.refusal import ImportRefused
from hanse.importers.tables import Sheet, read, safe_name
from hanse.importers.targets import TARGETS

SURE = 55
"""From this confidence in every required field a guess is used without asking, 0..100: a column called as such fields
are called, most of whose cells read as such."""
MAPPINGS = "mappings"
"""The folder of saved mappings in a data directory."""
_ENDS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".json", ".ndjson", ".jsonl")


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files that paths name: files as they are, folders by the tables in them, sorted, sub-folders left out.

    Raises ImportRefused: import.no_file.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.iterdir() if is_table(one))
        elif path.is_file():
            found.append(path)
        else:
            raise ImportRefused("import.no_file", "there is no such file", str(path)[:200], "", "look at the path")
    if not found:
        raise ImportRefused("import.no_file", "the folder has no tables", "", ", ".join(_ENDS), "name a file")
    return found


def is_table(path: Path) -> bool:
    """Whether a file's name ends like a table's; links, hidden and half-written files are none."""
    name = path.name.lower().removesuffix(".gz")
    return name.endswith(_ENDS) and not name.startswith(".") and path.is_file() and not path.is_symlink()


def sheets_of(files: Sequence[Path]) -> list[Sheet]:
    """Every sheet of every file, under names of their own; corrected fix lists under the name of their source.

    Raises ImportRefused as `read`, with the file's name in front.
    """
    found: list[Sheet] = []
    names: set[str] = set()
    for path in files:
        try:
            some = read(path)
        except ImportRefused as refused:
            message = f"{safe_name(path.name)}: {refused.message}"
            raise ImportRefused(refused.code, message, refused.got, refused.expected, refused.next) from refused
        for sheet in some:
            if ROW in sheet.columns and REASON in sheet.columns:
                source = sheet.name.removesuffix(".fix").rpartition(".")[0]
                sheet = replace(read_back(sheet), name=source or sheet.name)
            name, again = sheet.name, 1
            while name in names:
                again += 1
                name = f"{sheet.name} ({again})"
            names.add(name)
            found.append(replace(sheet, name=name))
    return found


def mappings_of(directory: Path, party: str) -> Path:
    """Where a party's own mappings are saved: what its columns are called is its own business."""
    return directory / MAPPINGS / hashlib.sha256(party.encode()).hexdigest()[:24]


def named_mapping(name: str, directory: Path, party: str = "") -> MappingFile:
    """A mapping by name, of those that come with Hanse or were saved here, a party's own first; or a TOML file.

    Raises ImportRefused, in order: mapping.unknown, as `mapping.load`.
    """
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise ImportRefused(
                "mapping.unknown", "there is no such file", name[:200], "a TOML file", "look at the path"
            )
        return load(path.read_text("utf-8", errors="replace"))
    for folder in (*([mappings_of(directory, party)] if party else []), directory / MAPPINGS):
        saved = folder / f"{safe_name(name)}.toml"
        if name not in READY and saved.is_file():
            return load(saved.read_text("utf-8", errors="replace"))
    return ready(name)


def choose_mapping(
    sheets: Sequence[Sheet], directory: Path, *, target: str = "", party: str = ""
) -> tuple[MappingFile, str]:
    """(mapping, how it was found) for sheets that nobody has named one for.

    A saved one by its columns, of the party's own (those that its people saved on the Import page) or of the node's;
    the plain bundle, where sheets are called as its tables and have their columns; else a guess that is sure.

    Raises ImportRefused: mapping.unsure, with the guess as TOML to be corrected.
    """
    saved = library.find(mappings_of(directory, party), sheets) if party else None
    saved = saved or library.find(directory / MAPPINGS, sheets)
    if saved is not None:
        return saved, f"the saved mapping {saved.name}"
    if not target and all(_is_bundle(sheet) for sheet in sheets):
        return ready("hanse"), "the plain bundle"
    sections: list[Section] = []
    confidence: dict[str, int] = {}
    for sheet in sheets:
        one = guess_all(sheet, target if len(sheets) == 1 else "")
        sections += one.sections
        confidence |= {f"{sheet.name}.{field}": sure for field, sure in one.confidence.items()}
    found = MappingFile(safe_name(sheets[0].name), tuple(sections), confidence=confidence)
    unsure = sorted({s.source for s in sections if confidence[f"{s.source}.section"] < SURE})
    if unsure:
        step = "save this as a .toml file, correct it, and name it with --mapping"
        if not any(section.fields for section in sections):
            step = f"no column is known: see what a table looks like by `hanse import --template stock`, or {step}"
        raise ImportRefused(
            "mapping.unsure",
            f"nobody has said yet what the columns of {', '.join(unsure)[:200]} mean",
            dump(found)[:4_000],
            "a mapping",
            step,
        )
    told = "; ".join(f"{s.source} as {s.target}" for s in sections)
    return found, f"a guess: {told}"


def _is_bundle(sheet: Sheet) -> bool:
    name = column_key(sheet.name)
    if name not in TARGETS:
        return False
    columns = set(sheet.columns)
    section = next(s for s in ready("hanse").sections if s.target == name)
    needed = [section.fields[f.name].column for f in TARGETS[name].fields if f.required]
    return all(column in columns for column in needed)
