"""Guess a mapping from column names and from what the values look like. A guess is shown to a person, never applied."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from hanse.importers.bundle import column_of
from hanse.importers.dialect import decimal_of
from hanse.importers.mapping import FieldMap, MappingFile, Section, column_key, fingerprint
from hanse.importers.refusal import Problem
from hanse.importers.tables import Sheet
from hanse.importers.targets import TARGETS, Field, Target, target
from hanse.importers.transform import column_function
from hanse.importers.values import is_date

SHOWN_MIN = 50
DATE_FORMS = (
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%Y/%m/%d",
    "%Y%m%d", "%d %b %Y", "%d-%b-%Y",
)  # fmt: skip
_NUMERIC = frozenset({"int", "quantity", "money", "rate", "coordinate"})
_BLANKS = ("NULL", "null", "N/A", "n/a", "#N/A", "NaN", "nan", "None", "-")


class Candidate(NamedTuple):
    """One column as one field: 0..100, and how to read it."""

    score: int
    field: str
    column: str
    spec: FieldMap


def guess(sheet: Sheet, target_name: str = "") -> MappingFile:
    """Guess how a sheet maps to a target (to the one that fits best, when none is named).

    Returns: a mapping of one section. `confidence`: per field 0..100, and under "section" the least of the required
    fields (0 when one is missing). A required field without a column has none; `apply` will say so.

    >>> from hanse.importers.tables import read
    >>> (sheet,) = read("Artikel-Nr;Lagerort;Bestand;Stand\\nB1;HH;1.250;31.12.2024\\nB2;HH;7;30.11.2024\\n".encode())
    >>> found = guess(sheet)
    >>> found.sections[0].target, found.sections[0].fields["item"].column, found.sections[0].fields["counted_at"].date
    ('stock', 'Artikel-Nr', '%d.%m.%Y')
    """
    rows = sheet.head()
    columns = {name: [row[i].strip() for row in rows] for i, name in enumerate(sheet.columns)}
    goals = [target(target_name)] if target_name else list(TARGETS.values())
    best: tuple[tuple[int, int], Target, dict[str, Candidate]] | None = None
    for goal in goals:
        chosen = _assign(goal, columns, sheet)
        filled = [chosen[f.name].score for f in goal.fields if f.required and f.name in chosen]
        complete = len(filled) == sum(f.required for f in goal.fields)
        rank = (sum(c.score - SHOWN_MIN // 2 for c in chosen.values()) + 60 * complete + 20 * len(filled)
                - 30 * (len(columns) - len(chosen)) + 60 * (column_key(sheet.name) == goal.name), complete)  # fmt: skip
        if best is None or rank > best[0]:
            best = (rank, goal, chosen)
    assert best is not None
    _, goal, chosen = best
    specs = {f.name: chosen[f.name].spec for f in goal.fields if f.name in chosen}
    least = min((chosen[f.name].score if f.name in chosen else 0 for f in goal.fields if f.required), default=100)
    if goal.name == "orders" and "line" not in specs and "order" in specs:
        specs["line"] = FieldMap(ordinal_within=specs["order"].column)
    if "price_per" in {f.name for f in goal.fields} and any(s.times for s in specs.values()):
        specs["price_per"] = FieldMap(constant="100")
    confidence = {"section": least} | {c.field: c.score for c in chosen.values()}
    section = Section(sheet.name, goal.name, specs, fingerprint=fingerprint(sheet.columns))
    return MappingFile(sheet.name, (section,), confidence=confidence)


BESIDE = {"items": "stock", "stock": "items"}
"""Firms keep both in one sheet: what a thing is, and how much of it lies where."""


def guess_all(sheet: Sheet, target_name: str = "") -> MappingFile:
    """As `guess`; a sheet that holds items and their stock gets a section for each, items first.

    >>> from hanse.importers.tables import read
    >>> (sheet,) = read("Artikel-Nr;Bezeichnung;Lagerort;Bestand\\nB1;Lager 6205;HH;120\\nB2;Riemen;HH;7\\n".encode())
    >>> [section.target for section in guess_all(sheet).sections]
    ['items', 'stock']
    """
    first = guess(sheet, target_name)
    (section,) = first.sections
    other = BESIDE.get(section.target, "")
    if target_name or not other:
        return first
    beside = guess(sheet, other)
    (more,) = beside.sections
    used = {how.column for how in section.fields.values()}
    new = {name for name, how in more.fields.items() if how.column and how.column not in used}
    needed = {field.name for field in target(other).fields if field.required}
    if not new or not needed <= set(more.fields) or beside.confidence["section"] < SHOWN_MIN:
        return first
    both = sorted((section, more), key=lambda one: one.target)
    return replace(first, sections=tuple(both), confidence={**beside.confidence, **first.confidence})


def _assign(goal: Target, columns: dict[str, list[str]], sheet: Sheet) -> dict[str, Candidate]:
    """Give each column to one field, best scores first; ties in the order of fields, then of columns."""
    found = []
    for field_place, field in enumerate(goal.fields):
        for column_place, (name, texts) in enumerate(columns.items()):
            named = _name_score(name, field, goal)
            if named:
                spec, fit = read_as(name, texts, field)
                found.append((-(named * fit // 100), field_place, column_place, field.name, name, spec))
    chosen: dict[str, Candidate] = {}
    taken: set[str] = set()
    for minus, _, _, field_name, name, spec in sorted(found, key=lambda entry: entry[:3]):
        if -minus >= SHOWN_MIN and field_name not in chosen and name not in taken:
            chosen[field_name] = Candidate(-minus, field_name, name, spec)
            taken.add(name)
    return chosen


def _name_score(name: str, field: Field, goal: Target) -> int:
    """How well a column's name fits a field, 0..100."""
    mine = column_key(name)
    own = {column_key(column_of(field)), column_key(field.name)}
    if mine in own:
        return 100
    aliases = [column_key(alias) for alias in field.aliases]
    if mine in aliases:
        return 96 - min(aliases.index(mine), 6)
    joined = mine.replace(" ", "")
    if any(joined == alias.replace(" ", "") for alias in (*own, *aliases)):
        return 88
    words = set(mine.split())
    best = 0
    for alias in (*own, *aliases):
        other = set(alias.split())
        if other and words and len(words & other) * 2 >= len(words | other) and words & other:
            best = max(best, 50 + 30 * len(words & other) // len(words | other))
        elif len(alias) >= 5 and (mine.startswith(alias) or mine.endswith(alias)):
            best = max(best, 62)
    return best


def read_as(name: str, texts: Sequence[str], field: Field) -> tuple[FieldMap, int]:
    """Find how a column's sample reads as a field -> (how, share that reads well 0..100; 80 for an empty sample)."""
    empty = tuple(blank for blank in _BLANKS if blank in texts and field.type not in {"text", "flag"})
    full = [text for text in texts if text and text not in empty]
    if not full:
        return FieldMap(column=name), 80
    spec = FieldMap(column=name, empty=empty, **_shape(full, field))
    values = column_function(spec, field, {name: 0}, {})([full])
    right = sum(not isinstance(value, Problem) for value in values)
    return spec, right * 100 // len(full)


def _shape(full: Sequence[str], field: Field) -> dict[str, Any]:
    if field.type in {"date", "datetime"}:
        if all(is_date(text[:10]) for text in full):
            return {}
        form = _date_form(full)
        return {"date": form} if form else {}
    if field.type not in _NUMERIC:
        return {}
    decimal = decimal_of(full)
    signs = "".join(full)
    grouped = sum(bool(re.match(r"[+-]?\d{1,3}(?:\.\d{3})+$", text)) for text in full)
    if field.type == "quantity" and decimal == "." and grouped and all("," not in text for text in full):
        # 1.250 pieces are 1250 pieces: a count has no thousandths.
        decimal = ","
    shape: dict[str, str] = {}
    if decimal == "," or "," in signs or " " in signs or any(ch in signs for ch in "€$£'"):
        shape["decimal"] = decimal
    if field.type == "money":
        digits = max(len(re.sub(r"\D", "", t.rpartition(decimal)[2]).rstrip("0")) if decimal in t else 0 for t in full)
        if 2 < digits <= 4 and field.name in {"price_minor", "list_price_minor", "cost_minor"}:
            shape["times"] = "100"
    return shape


def _date_form(full: Sequence[str]) -> str:
    for form in DATE_FORMS:
        for clock in ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S"):
            if all(_reads(text, form + clock) for text in full):
                return form + clock
    return ""


def _reads(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True
