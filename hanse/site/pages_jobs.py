"""One upload on its way to the record: the file, its mapping, the rows that people corrected, what would be signed.

Kept in the node's directory under the firm that sent it, for a week; nothing of it is on the record before it is
committed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import msgspec

from hanse.importers import FieldMap, ImportRefused, MappingFile, Section, Sheet, Target, library
from hanse.importers.facts import Import, Imported
from hanse.importers.facts_choose import choose_mapping, sheets_of
from hanse.importers.facts_choose import mappings_of as saved_mappings_of
from hanse.importers.fixlist import REASON, ROW
from hanse.importers.guessing import guess, guess_all, read_as
from hanse.importers.mapping import dump, load, sheet_for
from hanse.importers.safe import unguarded
from hanse.importers.tables import Rows, safe_name
from hanse.importers.targets import TARGETS, target
from hanse.node.desk import Desk
from hanse.node.node import Node, write_small

FOLDER = "uploads"
ABOUT = "job.json"
KEPT_SECONDS = 7 * 86_400
BYTES_MAX = 500_000_000
LEFT_OUT = ""
SHOWN_ROWS = 6
BAD_SHOWN = 40


class Job(msgspec.Struct, kw_only=True):
    """One upload.

    Attributes:
        name: of the file, harmless. at: UTC seconds. mapping: TOML. found: how the mapping was found.
        fixes: sheet -> row number -> cells, as people corrected them. said: what would be done, or was. done: signed.
    """

    id: str
    party: str
    user: int
    name: str
    at: int
    mapping: str = ""
    found: str = ""
    fixes: dict[str, dict[str, list[str]]] = {}
    said: Imported | None = None
    done: bool = False


def _folder(node: Node, party: str) -> Path:
    """A party's uploads. Its name is hashed: an id may hold signs that a path may not."""
    return node.directory / FOLDER / hashlib.sha256(party.encode()).hexdigest()[:24]


def mappings_of(node: Node, party: str) -> Path:
    """A party's own saved mappings: what its columns are called is its own business."""
    return saved_mappings_of(node.directory, party)


def take(node: Node, party: str, user: int, name: str, data: IO[bytes]) -> Job:
    """Keep an upload. Raises ImportRefused, in order: table.too_large, table.empty."""
    job = Job(id=secrets.token_hex(12), party=party, user=user, name=safe_name(name), at=int(time.time()))
    folder = _folder(node, party) / job.id
    folder.mkdir(parents=True, mode=0o700)
    size = 0
    try:
        with (folder / f"{job.name}.csv").open("wb") as out:
            while piece := data.read(1 << 20):
                size += len(piece)
                if size > BYTES_MAX:
                    most = f"at most {BYTES_MAX} bytes"
                    raise ImportRefused("table.too_large", "the file is too large", str(size), most, "split the file")
                out.write(piece)
        if size == 0:
            raise ImportRefused("table.empty", "the file is empty", "", "a header and rows", "export again")
        sheets = sheets_of([file_of(node, job)])
        mapping, job.found = first_mapping(node, party, sheets)
        job.mapping = dump(mapping)
        keep(node, job)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _clean(node, party)
    return job


def _clean(node: Node, party: str) -> None:
    for job in jobs(node, party):
        if job.at < time.time() - KEPT_SECONDS:
            shutil.rmtree(_folder(node, party) / job.id, ignore_errors=True)


def file_of(node: Node, job: Job) -> Path:
    """The file as it was sent; what it is, its content says. The ending is dropped from the sheet's name."""
    return _folder(node, job.party) / job.id / f"{job.name}.csv"


def keep(node: Node, job: Job) -> None:
    """Write a job down, whole or not at all."""
    write_small(_folder(node, job.party) / job.id / ABOUT, msgspec.json.encode(job), 0o600)


def job_of(node: Node, party: str, id: str) -> Job | None:
    """A party's own upload, None for every other."""
    path = _folder(node, party) / id / ABOUT
    if not re.fullmatch(r"[0-9a-f]{24}", id) or not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Job)
    except msgspec.MsgspecError:
        return None


def jobs(node: Node, party: str) -> list[Job]:
    """A party's uploads, the newest first."""
    folder = _folder(node, party)
    found = [job_of(node, party, path.name) for path in sorted(folder.iterdir())] if folder.exists() else []
    return sorted((job for job in found if job is not None), key=lambda job: -job.at)


# -- sheets and mapping --------------------------------------------------------------------------------------------


def sheets(node: Node, job: Job) -> list[Sheet]:
    """The file's sheets with the rows as people corrected them. Raises ImportRefused as `read`."""
    return [_corrected(sheet, job.fixes.get(sheet.name, {})) for sheet in sheets_of([file_of(node, job)])]


def _corrected(sheet: Sheet, fixes: dict[str, list[str]]) -> Sheet:
    if not fixes:
        return sheet

    def rows() -> Rows:
        for number, cells in sheet.open_rows():
            yield number, list(fixes.get(str(number), cells))

    return replace(sheet, open_rows=rows)


def first_mapping(node: Node, party: str, found: Sequence[Sheet]) -> tuple[MappingFile, str]:
    """A mapping to begin with: the party's own for these columns, one that is sure, else a guess to be looked at."""
    own = library.find(mappings_of(node, party), found)
    if own is not None:
        return own, f"your mapping “{own.name}”"
    try:
        mapping, how = choose_mapping(found, node.directory)
    except ImportRefused as refused:
        if refused.code != "mapping.unsure":
            raise
        sections: list[Section] = []
        confidence: dict[str, int] = {}
        for sheet in found:
            one = guess_all(sheet)
            sections += one.sections
            confidence |= {f"{sheet.name}.{field}": sure for field, sure in one.confidence.items()}
        mapping, how = MappingFile(safe_name(found[0].name), tuple(sections), confidence=confidence), "a guess"
    return _by_sheet(mapping, found), how


def _by_sheet(mapping: MappingFile, found: Sequence[Sheet]) -> MappingFile:
    """Only the sections whose sheet is there, named by it."""
    kept = []
    for section in mapping.sections:
        sheet = sheet_for(section, found)
        if sheet is not None:
            fields = section.fields
            if section.optional:
                fields = {n: how for n, how in fields.items() if not how.column or how.column in sheet.columns}
            kept.append(replace(section, source=sheet.name, fields=fields))
    return replace(mapping, sections=tuple(kept))


class FieldRow(msgspec.Struct, frozen=True):
    """One field of a section as the form shows it. `sure`: 0..100, -1 unknown. `how`: how the column is read."""

    name: str
    label: str
    required: bool
    about: str
    column: str
    constant: str
    how: str
    sure: int
    sample: str


class SectionView(msgspec.Struct, frozen=True):
    """One section as the form shows it. `target` "": left out."""

    number: int
    source: str
    target: str
    title: str
    columns: tuple[str, ...]
    fields: list[FieldRow]
    unused: tuple[str, ...]
    rows: list[list[str]]
    heads: list[str]


def shown(mapping: MappingFile, found: Sequence[Sheet]) -> list[SectionView]:
    """Every sheet with how it is read, those left out last."""
    views = []
    for number, section in enumerate(mapping.sections):
        sheet = sheet_for(section, found)
        if sheet is not None:
            views.append(_view(number, section, sheet, mapping, len(found) > 1))
    named = {view.source for view in views}
    for sheet in found:
        if sheet.name not in named:
            rows = [row[:12] for row in sheet.head(SHOWN_ROWS)]
            views.append(SectionView(-1, sheet.name, LEFT_OUT, "left out", sheet.columns, [], sheet.columns, rows, []))
    return views


def _view(number: int, section: Section, sheet: Sheet, mapping: MappingFile, several: bool) -> SectionView:
    goal = target(section.target)
    rows = sheet.head(SHOWN_ROWS)
    places = {name: at for at, name in enumerate(sheet.columns)}
    fields = []
    by_column: dict[str, str] = {}
    for field in goal.fields:
        how = section.fields.get(field.name, FieldMap())
        sure = mapping.confidence.get(f"{sheet.name}.{field.name}", mapping.confidence.get(field.name, -1))
        if how.column:
            by_column[how.column] = _label(field.name)
        sample = [row[places[how.column]] for row in rows if how.column in places]
        fields.append(
            FieldRow(
                field.name, _label(field.name), field.required, field.description, how.column, how.constant,
                _how(how), sure if how != FieldMap() else -1, ", ".join(t for t in sample if t)[:80],
            )
        )  # fmt: skip
    unused = tuple(name for name in sheet.columns if name not in by_column)
    heads = [by_column.get(name, "") for name in sheet.columns]
    return SectionView(number, sheet.name, section.target, goal.title, sheet.columns, fields, unused, rows, heads)


def _label(name: str) -> str:
    """A field's name in words.

    >>> _label("quantity_each"), _label("cost_minor")
    ('quantity', 'cost')
    """
    for suffix in ("_minor", "_each", "_e6", "_ppm", "_g"):
        name = name.removesuffix(suffix)
    return name.replace("_", " ")


def _how(how: FieldMap) -> str:
    """How a column is read, where it is not simply taken over."""
    said = [
        f"joined of {', '.join(how.columns)}" if how.columns else "",
        f"counted within {how.ordinal_within}" if how.ordinal_within else "",
        "decimal comma" if how.decimal == "," else "", f"dates as {how.date}" if how.date else "",
        f"times {how.times}" if how.times else "", f"in {how.unit}" if how.unit else "",
        "by a table of words" if how.words else "", "looked up in another sheet" if how.lookup else "",
    ]  # fmt: skip
    return "; ".join(part for part in said if part)


def changed(mapping: MappingFile, found: Sequence[Sheet], form: dict[str, Any]) -> MappingFile:
    """The mapping as a form of `shown` says it: `t.N` a section's target, `f.N.FIELD` its column, `c.N.FIELD` a text
    for every row; `t.SHEET` for a sheet that was left out."""
    sections = []
    confidence = dict(mapping.confidence)
    for view in shown(mapping, found):
        sheet = next(sheet for sheet in found if sheet.name == view.source)
        key = str(view.number) if view.number >= 0 else f"sheet.{sheet.name}"
        wanted = str(form.get(f"t.{key}", view.target))
        if wanted not in TARGETS:
            continue
        if view.number < 0 or wanted != view.target:
            one = guess(sheet, wanted)
            sections.append(one.sections[0])
            confidence |= {f"{sheet.name}.{field}": sure for field, sure in one.confidence.items()}
            continue
        sections.append(_changed(mapping.sections[view.number], sheet, key, form))
    if not sections:
        raise ImportRefused("mapping.no_sheet", "no sheet is to be imported", "", "one sheet", "choose what it holds")
    return replace(mapping, sections=tuple(sections), confidence=confidence)


def _changed(section: Section, sheet: Sheet, key: str, form: dict[str, Any]) -> Section:
    goal: Target = target(section.target)
    head = sheet.head()
    fields: dict[str, FieldMap] = {}
    for field in goal.fields:
        old = section.fields.get(field.name)
        column = str(form.get(f"f.{key}.{field.name}", old.column if old else ""))
        constant = str(form.get(f"c.{key}.{field.name}", old.constant if old else "")).strip()
        if constant:
            fields[field.name] = old if old and old.constant == constant else FieldMap(constant=constant[:200])
        elif old is not None and column == old.column:
            if old != FieldMap() and not old.constant:
                fields[field.name] = old
        elif column in sheet.columns:
            at = sheet.columns.index(column)
            fields[field.name], _ = read_as(column, [row[at].strip() for row in head], field)
    return replace(section, fields=fields)


# -- planning and signing ------------------------------------------------------------------------------------------


def plan(desk: Desk, job: Job) -> None:
    """Work out what the upload would do, and keep it. Raises and refuses as `Import`."""
    with Import(desk, sheets(desk.node, job), load(job.mapping)) as under_way:
        job.said, job.done = under_way.planned(), False
    keep(desk.node, job)


def commit(desk: Desk, job: Job) -> None:
    """Sign the good rows, all of them. Raises and refuses as `Import.commit`."""
    with Import(desk, sheets(desk.node, job), load(job.mapping)) as under_way:
        job.said = under_way.commit()
    job.done = True
    keep(desk.node, job)


class BadRow(msgspec.Struct, frozen=True):
    """One row of a fix list: its number, its cells, and why it is not good."""

    number: int
    cells: list[str]
    why: str


def bad_rows(fixes: str, most: int = BAD_SHOWN) -> tuple[list[str], list[BadRow]]:
    """(columns, the first rows) of a fix list."""
    rows: Iterator[list[str]] = csv.reader(io.StringIO(fixes))
    head = next(rows, [])
    if len(head) < 2 or head[0] != ROW or head[-1] != REASON:
        return [], []
    found = []
    for row in rows:
        if len(row) == len(head) and row[0].isdigit():
            found.append(BadRow(int(row[0]), [unguarded(cell) for cell in row[1:-1]], unguarded(row[-1])))
        if len(found) == most:
            break
    return [unguarded(name) for name in head[1:-1]], found


def correct(job: Job, form: dict[str, Any]) -> int:
    """Take corrected cells over: `r.SECTION.ROW.COLUMN`; how many rows changed."""
    rows: dict[tuple[int, int], dict[int, str]] = {}
    for name, value in form.items():
        parts = name.split(".")
        if len(parts) == 4 and parts[0] == "r" and all(part.isdigit() for part in parts[1:]):
            section, row, column = (int(part) for part in parts[1:])
            rows.setdefault((section, row), {})[column] = str(value)[:32_000]
    count = 0
    for (section, row), cells in rows.items():
        if job.said is None or section >= len(job.said.sections):
            continue
        one = job.said.sections[section]
        _, bad = bad_rows(one.fixes)
        was = next((line.cells for line in bad if line.number == row), None)
        if was is None:
            continue
        now = [cells.get(at, text) for at, text in enumerate(was)]
        if now != was:
            job.fixes.setdefault(one.source, {})[str(row)] = now
            count += 1
    return count
