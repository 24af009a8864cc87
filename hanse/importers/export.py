"""Typed rows as the CSV or XLSX that a firm's own system reads: a mapping run backwards, where it can be.

What can be undone: a column alone, a constant, words that name one thing each, a prefix, a date form, a decimal sign,
an exact factor or unit. What cannot (joined columns, look-ups, split texts) is left out, and said. No cell is a
formula.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

import xlsxwriter

from hanse.importers.bundle import column_of
from hanse.importers.mapping import FieldMap, Section
from hanse.importers.safe import guarded
from hanse.importers.targets import Field, Target, target
from hanse.importers.values import Value, show
from hanse.standards import units


@dataclass(frozen=True, slots=True)
class Exported:
    """Columns and rows of texts, not yet guarded; the fields that the mapping could not carry, with the reason."""

    columns: tuple[str, ...]
    rows: list[list[str]]
    left_out: dict[str, str]


def table(target_name: str, rows: Iterable[Mapping[str, Value]], section: Section | None = None) -> Exported:
    """Turn typed rows into texts, by the bundle's own columns or by a section run backwards.

    A value that its mapping cannot write (a word not listed, an amount that does not divide) stays empty and is named
    in `left_out`.
    """
    goal = target(target_name)
    fields = section.fields if section else {f.name: FieldMap(column=column_of(f)) for f in goal.fields}
    left_out: dict[str, str] = {}
    plan = list(_plan(goal, fields, left_out))
    out = []
    for row in rows:
        cells = []
        for field, spec in plan:
            text = _back(row.get(field.name), spec, field)
            if text is None:
                left_out.setdefault(field.name, f"no column text for {show(row.get(field.name), field)!r}")
            cells.append(text or "")
        out.append(cells)
    return Exported(tuple(spec.column for _, spec in plan), out, left_out)


def _plan(goal: Target, fields: Mapping[str, FieldMap], left_out: dict[str, str]) -> Iterable[tuple[Field, FieldMap]]:
    written: set[str] = set()
    for field in goal.fields:
        spec = fields.get(field.name)
        if spec is None or spec.constant or spec.ordinal_within:
            continue
        why = _one_way(spec)
        if not why and spec.column in written:
            why = f"column {spec.column} is written already"
        if why:
            left_out[field.name] = why
        else:
            written.add(spec.column)
            yield field, spec


def _one_way(spec: FieldMap) -> str:
    if spec.columns:
        return "several columns were joined"
    if spec.lookup:
        return "it was looked up in another sheet"
    if spec.split or spec.case or spec.unit_column or spec.round:
        return "part of the text was dropped"
    if len(set(spec.words.values())) != len(spec.words):
        return "several words mean the same"
    return ""


def _back(value: Value, spec: FieldMap, field: Field) -> str | None:
    """Undo the steps of a field, last first; None when it cannot be done for this value."""
    if value is None:
        return spec.empty[0] if spec.empty and spec.default else ""
    text: str | None = show(value, field)
    if spec.times or spec.to:
        text = _unscaled(text or "", spec)
    if text is not None and spec.decimal == ",":
        text = text.replace(".", ",")
    if text is not None and spec.date:
        text = datetime.fromisoformat(text.removesuffix("Z")).strftime(spec.date)
    if text is not None and spec.prefix:
        text = text.removeprefix(spec.prefix) if text.startswith(spec.prefix) else None
    if text is not None and spec.words:
        back = {meaning: word for word, meaning in spec.words.items()}
        text = back.get(text, None if spec.words_only else text)
    return text


def _unscaled(text: str, spec: FieldMap) -> str | None:
    exact = Fraction(text) / Fraction(spec.times or "1")
    if spec.to:
        exact = exact * units.ratio(spec.to) / units.ratio(spec.unit)
    for digits in range(13):
        scaled = exact * 10**digits
        if scaled.denominator == 1:
            whole = abs(int(scaled))
            sign = "-" if exact < 0 else ""
            tail = f".{whole % 10**digits:0{digits}d}" if digits else ""
            return f"{sign}{whole // 10**digits}{tail}"
    return None


def to_csv(exported: Exported, delimiter: str = ",") -> str:
    """Write CSV text; cells that a spreadsheet would run are guarded by an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow([guarded(name) for name in exported.columns])
    writer.writerows([guarded(cell) for cell in row] for row in exported.rows)
    return out.getvalue()


def to_xlsx(sheets: Mapping[str, Exported]) -> bytes:
    """Write a workbook; every cell is a text, so no part number loses a zero and none is a formula."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        for name, exported in sheets.items():
            sheet = book.add_worksheet(_sheet_name(name))
            _write(sheet, 0, exported.columns)
            for at, row in enumerate(exported.rows, 1):
                _write(sheet, at, row)
    return out.getvalue()


def _write(sheet: xlsxwriter.worksheet.Worksheet, at: int, cells: Sequence[str]) -> None:
    for place, cell in enumerate(cells):
        sheet.write_string(at, place, cell[:32_767])


def _sheet_name(name: str) -> str:
    return "".join("_" if ch in "[]:*?/\\'" else ch for ch in name)[:31] or "table"
