"""Mappings: which column of whose file means which field. The file form is TOML, and people may edit it.

    name = "our_erp"
    [[section]]
    source = "Bestand"                      # the sheet, by name
    target = "stock"
    where = [{ column = "Status", in = ["A"] }]
    distinct = false                        # true: rows that repeat a key are merged, the first one counts
    [section.fields]
    item = "Artikel-Nr"                     # short for { column = "Artikel-Nr" }
    quantity_each = { column = "Menge", decimal = "," }
    site = { constant = "HH-1" }

The steps of a field come in this order: constant | column | columns joined | position within a group; look-ups; blanks
cut; `empty` texts; `default`; `words`; split and take; case; prefix; date; decimal; unit; times; round.
"""

import hashlib
import json
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from hanse.importers.refusal import ImportRefused
from hanse.importers.tables import Sheet
from hanse.importers.targets import EXPORTS, TARGETS


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Where one field comes from, and what is done to it on the way.

    Args:
        column: of the source. columns: several, joined by `separator`. constant: the same text in every row.
        ordinal_within: the row's place, 1, 2, ..., among rows with the same text in this column.
        lookup: steps of (sheet, key column, value column) from the text found so far to another sheet's.
        empty: texts that mean nothing, such as NULL. default: what an empty text becomes.
        words: text -> text; words_only: a text not listed is wrong.
        split, take: part `take` (from 0) between `split`s. case: "upper" or "lower". prefix: put before.
        date: form as strptime has it, of a date or time. decimal: "," when the comma is the decimal sign.
        unit, to: UN/ECE codes, convert exactly (from `unit_column` where named).
        times: an exact factor, "100" or "1/3". round: "half_even", "up" or "down"; "" refuses what is too fine.
    """

    column: str = ""
    columns: tuple[str, ...] = ()
    separator: str = " "
    constant: str = ""
    ordinal_within: str = ""
    lookup: tuple[tuple[str, str, str], ...] = ()
    empty: tuple[str, ...] = ()
    default: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    words_only: bool = False
    split: str = ""
    take: int = 0
    case: str = ""
    prefix: str = ""
    date: str = ""
    decimal: str = ""
    unit: str = ""
    unit_column: str = ""
    to: str = ""
    times: str = ""
    round: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """A condition on rows: the column's text is among `within`, not among `without`, begins with one of `starts`."""

    column: str
    within: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    starts_not: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One sheet read as one target. `optional`: fields whose column the sheet lacks are left out, not refused."""

    source: str
    target: str
    fields: Mapping[str, FieldMap]
    where: tuple[Where, ...] = ()
    distinct: bool = False
    optional: bool = False
    fingerprint: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A named mapping of one or several sheets. `confidence` of a guess, per section and field, 0..100."""

    name: str
    sections: tuple[Section, ...]
    title: str = ""
    confidence: Mapping[str, int] = field(default_factory=dict)


_WHERE_NAMES = {"in": "within", "not_in": "without", "starts": "starts", "starts_not": "starts_not"}


def load(text: str) -> MappingFile:
    """Read a mapping; every wrong word is refused by name.

    Raises ImportRefused, in order: mapping.not_toml, mapping.wrong_key, mapping.unknown_target, mapping.unknown_field,
    mapping.wrong_value.
    """
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as wrong:
        raise ImportRefused(
            "mapping.not_toml", "the mapping is no TOML", str(wrong)[:200], "TOML", "correct it"
        ) from wrong
    _only(found, {"name", "title", "section", "confidence"}, "the mapping")
    listed = found.get("section", [])
    if not isinstance(listed, list):
        raise _wrong("section", "a list, written [[section]]")
    sections = tuple(_section(entry) for entry in listed)
    return MappingFile(
        _text(found, "name", "mapping"), sections, _text(found, "title", ""), dict(found.get("confidence", {}))
    )


def _section(entry: Any) -> Section:
    if not isinstance(entry, dict):
        raise _wrong("section", "a table")
    _only(entry, {f.name for f in fields(Section)}, "a section")
    got, known_targets = _text(entry, "target", ""), {**EXPORTS, **TARGETS}
    target = known_targets.get(got)
    if target is None:
        expected = ", ".join((*TARGETS, *EXPORTS))
        raise ImportRefused("mapping.unknown_target", "no such target", got, expected, "correct the target")
    known = {f.name for f in target.fields}
    mapped = {}
    for name, spec in _table(entry.get("fields", {}), "fields").items():
        if name not in known:
            step = "correct the field"
            raise ImportRefused(
                "mapping.unknown_field", "no such field", f"{target.name}.{name}", ", ".join(known), step
            )
        mapped[name] = _field(name, spec)
    where = tuple(_where(one) for one in entry.get("where", []))
    return Section(
        _text(entry, "source", ""), target.name, mapped, where,
        entry.get("distinct") is True, entry.get("optional") is True,
        _text(entry, "fingerprint", ""), _text(entry, "note", ""),
    )  # fmt: skip


def _field(name: str, spec: Any) -> FieldMap:
    if isinstance(spec, str):
        return FieldMap(column=spec)
    _only(_table(spec, name), {f.name for f in fields(FieldMap)}, name)
    values: dict[str, Any] = {}
    for key, value in spec.items():
        kind = FieldMap.__dataclass_fields__[key].type
        if key == "lookup":
            if not all(isinstance(s, list) and len(s) == 3 and all(isinstance(t, str) for t in s) for s in value):
                raise _wrong(f"{name}.lookup", "steps [sheet, key column, value column]")
            values[key] = tuple(tuple(step) for step in value)
        elif key == "words":
            values[key] = {str(k): str(v) for k, v in _table(value, f"{name}.words").items()}
        elif isinstance(value, list) and kind == tuple[str, ...]:
            values[key] = tuple(str(v) for v in value)
        elif isinstance(value, kind if isinstance(kind, type) else str) and not isinstance(value, list | dict):
            values[key] = value
        else:
            raise _wrong(f"{name}.{key}", getattr(kind, "__name__", str(kind)))
    found = FieldMap(**values)
    _check(name, found)
    return found


def _check(name: str, found: FieldMap) -> None:
    if sum(map(bool, (found.column, found.columns, found.constant, found.ordinal_within))) != 1:
        raise _wrong(name, "exactly one of column, columns, constant, ordinal_within")
    if found.times and not re.fullmatch(r"-?[0-9]{1,12}(?:\.[0-9]{1,12}|/[1-9][0-9]{0,11})?", found.times):
        raise _wrong(f"{name}.times", "a number such as 100, 0.001 or 1/3")
    choices = {
        "round": ("", "half_even", "up", "down"), "case": ("", "upper", "lower"), "decimal": ("", ".", ",")
    }  # fmt: skip
    for key, allowed in choices.items():
        if getattr(found, key) not in allowed:
            raise _wrong(f"{name}.{key}", " or ".join(filter(None, allowed)))
    if (found.unit or found.unit_column) and not found.to:
        raise _wrong(f"{name}.to", "the unit to convert to")


def _where(spec: Any) -> Where:
    _only(_table(spec, "where"), {"column", *_WHERE_NAMES}, "where")
    lists = {name: tuple(map(str, spec[key])) for key, name in _WHERE_NAMES.items() if key in spec}
    return Where(_text(spec, "column", ""), **lists)


def _only(entry: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in entry:
        if key not in known:
            expected = ", ".join(sorted(known))
            raise ImportRefused("mapping.wrong_key", f"{where} has an unknown key", key, expected, "correct the key")


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(where, "a table")
    return value


def _text(entry: Mapping[str, Any], key: str, default: str) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str):
        raise _wrong(key, "a text")
    return value


def _wrong(where: str, expected: str) -> ImportRefused:
    return ImportRefused("mapping.wrong_value", f"{where} is wrong", where, expected, "correct the mapping")


def dump(mapping: MappingFile) -> str:
    """Write a mapping as TOML, so that `load(dump(m)) == m`."""
    out = [f"name = {_quoted(mapping.name)}"]
    if mapping.title:
        out.append(f"title = {_quoted(mapping.title)}")
    if mapping.confidence:
        out += ["", "[confidence]", *(f"{_quoted(k)} = {v}" for k, v in mapping.confidence.items())]
    for section in mapping.sections:
        out += ["", "[[section]]", f"source = {_quoted(section.source)}", f"target = {_quoted(section.target)}"]
        out += [f"{key} = {_quoted(getattr(section, key))}" for key in ("fingerprint", "note") if getattr(section, key)]
        out += [f"{key} = true" for key in ("distinct", "optional") if getattr(section, key)]
        if section.where:
            names = {name: key for key, name in _WHERE_NAMES.items()}
            rows = [{names.get(f.name, f.name): getattr(w, f.name) for f in fields(Where)} for w in section.where]
            kept = [{k: v for k, v in row.items() if v or k == "column"} for row in rows]
            out.append(f"where = {_toml(kept)}")
        out += ["", "[section.fields]"]
        out += [f"{name} = {_toml(_short(spec))}" for name, spec in section.fields.items()]
    return "\n".join(out) + "\n"


def _short(spec: FieldMap) -> Any:
    blank = FieldMap()
    changed = {
        f.name: getattr(spec, f.name) for f in fields(FieldMap) if getattr(spec, f.name) != getattr(blank, f.name)
    }
    return changed["column"] if list(changed) == ["column"] else changed


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_quoted(k)} = {_toml(v)}" for k, v in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return "[" + ", ".join(_toml(v) for v in value) + "]"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def column_key(name: str) -> str:
    """The form of a column name in which spellings fall together.

    >>> column_key("Artikel-Nr."), column_key("orderQty"), column_key("Größe (mm)")
    ('artikel nr', 'order qty', 'grosse mm')
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name.replace("ß", "ss"))
    plain = unicodedata.normalize("NFKD", spaced.lower())
    return " ".join(re.sub(r"[^a-z0-9]+", " ", "".join(c for c in plain if not unicodedata.combining(c))).split())


def fingerprint(columns: Sequence[str]) -> str:
    """Name the shape of a sheet by its columns, in any order: 16 hex digits.

    >>> fingerprint(["Item", "Qty"]) == fingerprint(["qty", "ITEM"])
    True
    """
    return hashlib.sha256("\n".join(sorted(column_key(c) for c in columns)).encode()).hexdigest()[:16]


def sheet_for(section: Section, sheets: Iterable[Sheet]) -> Sheet | None:
    """Find the sheet of a section: by name, else by fingerprint."""
    named = list(sheets)
    wanted = column_key(section.source)
    for sheet in named:
        if wanted and column_key(sheet.name) == wanted:
            return sheet
    for sheet in named:
        if section.fingerprint and fingerprint(sheet.columns) == section.fingerprint:
            return sheet
    return None
