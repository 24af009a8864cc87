"""Apply a mapping: typed rows on one side, every wrong row with every reason on the other, nothing in between."""

import gc
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from hanse.importers.mapping import FieldMap, MappingFile, Section, Where, sheet_for
from hanse.importers.refusal import Bad, ImportRefused, Problem
from hanse.importers.tables import Chunk, Sheet
from hanse.importers.targets import TARGETS, Target, target
from hanse.importers.transform import Lookups, column_function
from hanse.importers.values import Value


class Row(NamedTuple):
    """One good row: its number in the source, and its values by field name (integers of the smallest unit)."""

    number: int
    values: dict[str, Value]


@dataclass(slots=True)
class Batch:
    """Some rows of one section: good, bad (with the cells as read), left out by `where`, merged by `distinct`."""

    good: list[Row] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    bad_cells: dict[int, list[str]] = field(default_factory=dict)
    skipped: int = 0
    merged: int = 0


@dataclass(slots=True)
class Result:
    """All of one section. rows_read == len(good) + len(bad_cells) + skipped + merged."""

    section: Section
    columns: tuple[str, ...]
    good: list[Row] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    bad_cells: dict[int, list[str]] = field(default_factory=dict)
    skipped: int = 0
    merged: int = 0

    @property
    def unused(self) -> tuple[str, ...]:
        """Columns of the source that no field reads."""
        specs = self.section.fields.values()
        used = {name for s in specs for name in (s.column, s.unit_column, s.ordinal_within, *s.columns)}
        return tuple(name for name in self.columns if name not in used)

    @property
    def rows_read(self) -> int:
        """Rows of the source that are not blank."""
        return len(self.good) + len(self.bad_cells) + self.skipped + self.merged


def apply(mapping: MappingFile, sheets: Sequence[Sheet]) -> list[Result]:
    """Apply every section whose sheet is there, in order.

    Raises ImportRefused, in order: mapping.no_sheet (none of its sheets is there), mapping.no_column,
    mapping.field_missing (a required field has no source), mapping.no_lookup; and what reading refuses
    (`hanse.importers.tables`).
    """
    pairs = [(section, sheet_for(section, sheets)) for section in mapping.sections if section.target in TARGETS]
    results = []
    for section, sheet in pairs:
        if sheet is None:
            continue
        result = Result(section, sheet.columns)
        for batch in stream(section, sheet, sheets):
            result.good += batch.good
            result.bad += batch.bad
            result.bad_cells |= batch.bad_cells
            result.skipped += batch.skipped
            result.merged += batch.merged
        results.append(result)
    if not results:
        wanted = ", ".join(section.source for section in mapping.sections)
        got = ", ".join(sheet.name for sheet in sheets)
        raise ImportRefused(
            "mapping.no_sheet", "no sheet of this mapping is there", got, wanted, "choose another mapping"
        )
    return results


def stream(section: Section, sheet: Sheet, sheets: Sequence[Sheet] = ()) -> Iterator[Batch]:
    """Apply one section to one sheet, batch by batch, in the order of the source; memory grows with keys alone.

    Raises as `apply`; checks come before the first batch.
    """
    goal = target(section.target)
    places = {name: place for place, name in enumerate(sheet.columns)}
    if section.optional:
        present = {name: how for name, how in section.fields.items() if not how.column or how.column in places}
        section = replace(section, fields=present)
    _check_columns(section, goal, places)
    lookups = _lookups(section, sheets)
    functions = [
        (one.name, _shown(how, one.name), column_function(how, one, places, lookups))
        for one in goal.fields
        if (how := section.fields.get(one.name))
    ]
    kept = [(_condition(where), places[where.column]) for where in section.where]
    seen: dict[str, int] = {}
    chunks = sheet.chunks()
    while True:
        with _collector_paused():
            chunk = next(chunks, None)
            if chunk is None:
                return
            batch = Batch(bad=list(chunk.bad), bad_cells=dict(chunk.bad_cells))
            _where(chunk, kept, batch)
            _typed(chunk, functions, section, places, batch)
            _unique(goal, section.distinct, chunk, batch, seen)
            batch.bad.sort(key=lambda bad: bad.row)
        yield batch


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Rows make no cycles: looking for them among a million new lists took a third of the time of an import."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _shown(spec: FieldMap, name: str) -> str:
    return spec.column or " + ".join(spec.columns) or spec.ordinal_within or name


def _check_columns(section: Section, goal: Target, places: Mapping[str, int]) -> None:
    wanted = [where.column for where in section.where]
    for spec in section.fields.values():
        wanted += [spec.column, spec.unit_column, spec.ordinal_within, *spec.columns]
    for name in filter(None, wanted):
        if name not in places:
            expected = ", ".join(places)
            raise ImportRefused("mapping.no_column", f"{section.source} has no such column", name, expected, "map anew")
    for one in goal.fields:
        if one.required and one.name not in section.fields:
            message = f"{goal.name} needs {one.name}"
            raise ImportRefused("mapping.field_missing", message, "", one.name, "map a column or a constant")


def _lookups(section: Section, sheets: Sequence[Sheet]) -> Lookups:
    """Tables of the steps; a key with two different values maps to None."""
    steps = {step for spec in section.fields.values() for step in spec.lookup}
    named = {sheet.name: sheet for sheet in sheets}
    found: dict[tuple[str, str, str], dict[str, str | None]] = {}
    for name, key, value in sorted(steps):
        sheet = named.get(name)
        if sheet is None or key not in sheet.columns or value not in sheet.columns:
            got = ", ".join(sheet.columns if sheet else named)
            step = "add the sheet or correct the mapping"
            raise ImportRefused("mapping.no_lookup", "a look-up finds no table", got, f"{name}: {key}, {value}", step)
        at, to = sheet.columns.index(key), sheet.columns.index(value)
        table: dict[str, str | None] = {}
        for chunk in sheet.chunks():
            for cells in chunk.cells:
                text, result = cells[at].strip(), cells[to].strip()
                if table.setdefault(text, result) != result:
                    table[text] = None
        found[name, key, value] = table
    return found


def _condition(where: Where) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        bare = text.strip()
        return (
            (not where.within or bare in where.within)
            and bare not in where.without
            and (not where.starts or bare.startswith(where.starts))
            and not (where.starts_not and bare.startswith(where.starts_not))
        )

    return holds


def _where(chunk: Chunk, kept: Sequence[tuple[Callable[[str], bool], int]], batch: Batch) -> None:
    for holds, place in kept:
        chosen = [i for i, cells in enumerate(chunk.cells) if holds(cells[place])]
        batch.skipped += len(chunk.cells) - len(chosen)
        chunk.numbers = [chunk.numbers[i] for i in chosen]
        chunk.cells = [chunk.cells[i] for i in chosen]


Function = tuple[str, str, Callable[[Sequence[Sequence[str]]], list[Value | Problem]]]


def _got(spec: FieldMap, cells: Sequence[str], places: Mapping[str, int]) -> str:
    """What stood in the source for a field, at most 80 characters."""
    texts = [cells[places[name]] for name in (spec.column, *spec.columns) if name]
    return (spec.separator.join(texts) or spec.constant)[:80]


def _typed(
    chunk: Chunk, functions: Sequence[Function], section: Section, places: Mapping[str, int], batch: Batch
) -> None:
    """Turn cells into rows of values, column by column; list every wrong cell."""
    if not chunk.cells:
        return
    cells = list(zip(*chunk.cells, strict=True))
    names = [name for name, _, _ in functions]
    columns = []
    wrong: set[int] = set()
    for name, shown, function in functions:
        values = function(cells)
        columns.append(values)
        if Problem in set(map(type, values)):
            for i, value in enumerate(values):
                if isinstance(value, Problem):
                    wrong.add(i)
                    got = _got(section.fields[name], chunk.cells[i], places)
                    batch.bad.append(Bad(chunk.numbers[i], shown, value.code, got, value.expected, value.next))
    for i in wrong:
        batch.bad_cells[chunk.numbers[i]] = list(chunk.cells[i])
    for i, row in enumerate(zip(*columns, strict=True)):
        if i not in wrong:
            batch.good.append(Row(chunk.numbers[i], dict(zip(names, row, strict=True))))


def _unique(goal: Target, distinct: bool, chunk: Chunk, batch: Batch, seen: dict[str, int]) -> None:
    """Take out rows that repeat the natural key of an earlier one: merged, or wrong.

    `seen` is key -> row number and a hash of the content, packed as texts and integers: millions of tuples would slow
    the collector of garbage.
    """
    if not goal.key:
        return
    raw: dict[int, list[str]] = {}
    kept = []
    keys = goal.key
    for row in batch.good:
        values = row.values
        key = "\x1f".join([repr(values.get(name)) for name in keys])
        mine = row.number << 64 | hash(tuple(values.values())) & (1 << 64) - 1
        first = seen.setdefault(key, mine)
        if first == mine:
            kept.append(row)
        elif distinct:
            batch.merged += 1
        else:
            same = (first ^ mine) & (1 << 64) - 1 == 0
            raw = raw or dict(zip(chunk.numbers, chunk.cells, strict=True))
            code = "row.repeated" if same else "row.key_repeated"
            got = ", ".join(str(values[name]) for name in keys if values.get(name) is not None)[:200]
            step = "leave it out" if same else "correct the key, or let the mapping merge rows (distinct)"
            what = f"one row for each {', '.join(goal.key)} (row {first >> 64} has it)"
            batch.bad.append(Bad(row.number, "", code, got, what, step))
            batch.bad_cells[row.number] = list(raw[row.number])
    batch.good = kept


def natural_key(target_name: str, values: Mapping[str, Value]) -> tuple[Value, ...]:
    """The values that name a row within its target."""
    return tuple(values.get(name) for name in target(target_name).key)


def row_key(target_name: str, values: Mapping[str, Value]) -> str:
    """Name a row by its natural key and its content: the same row imported again has the same key, a changed one not.

    Source: SHA-256 over the JSON of target, key and the fields that are not empty, by name; 32 hex digits.

    >>> row_key("sites", {"site": "A", "name": None}) == row_key("sites", {"site": "A"})
    True
    >>> row_key("sites", {"site": "A"}) == row_key("sites", {"site": "A", "name": "Kiel"})
    False
    """
    content = {name: value for name, value in sorted(values.items()) if value is not None}
    whole = [target_name, natural_key(target_name, values), content]
    return hashlib.sha256(json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()[:32]
