"""What a template consists of, once read; and the readers of its small parts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hanse.rooms.contracts.terms import kinds
from hanse.rooms.contracts.terms.kinds import Kind, unit_kind
from hanse.rooms.contracts.terms.refused import TermsRefused
from hanse.rooms.contracts.terms.syntax import RESERVED
from hanse.rooms.contracts.terms.values import read

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
EVENT = re.compile(r"[a-z][a-z0-9_]{0,47}(\.[a-z][a-z0-9_]{0,47}){0,3}")
HOLE = re.compile(r"\{([a-z][a-z0-9_]{0,47})\}")
LIST_MAX = 500
TIERS_MAX = 50
SPEC_KEYS = ("unit", "minimum", "maximum", "enum", "of", "maximum_items", "at", "gives")


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter; `default` is as written, read when the currency is known; `words` say an enum's values in prose."""

    name: str
    kind: Kind
    default: Any = None
    words: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Attest:
    """Who must have signed: every name of `all_of`, and at least one of `any_of` (where it is not empty)."""

    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()

    def alone(self, name: str) -> bool:
        """That signer alone is enough."""
        return (
            set(self.all_of) <= {name} and (not self.any_of or name in self.any_of) and bool(self.all_of or self.any_of)
        )


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that formulas may see.

    Fields:
        events: names of the events that tell it; may hold one "{param}". field: the event's field, may be "{param}".
        exists: the fact is whether such an event stands. window: seconds before ledger time in which `occurred_at` must
        lie, -1 for the template's. default: base value where the event is missing, None if it is required.
    """

    name: str
    kind: Kind
    events: tuple[str, ...]
    field: str
    attest: Attest
    exists: bool = False
    window: str | int = -1
    default: Any = None
    implicit: bool = False


@dataclass(frozen=True, slots=True)
class When:
    """A trigger: events, or a timer (an expression for a time) unless one of `unless` stood before."""

    events: tuple[str, ...]
    timer: str
    unless: tuple[str, ...]
    once_per: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One line under `then`. `shares` of a split: (role, weight expression); `fields` of a tell: (name, expression)."""

    kind: str
    value: str
    condition: str
    sender: str = ""
    to: str = ""
    due: str = ""
    label: str = ""
    event: str = ""
    otherwise: str = ""
    of: str = ""
    remainder: str = ""
    shares: tuple[tuple[str, str], ...] = ()
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ClauseSpec:
    """A clause as written."""

    id: str
    text: str
    when: When
    facts: tuple[Fact, ...]
    let: tuple[tuple[str, str], ...]
    then: tuple[ActionSpec, ...]
    only_if: str = ""


@dataclass(frozen=True, slots=True)
class StateSpec:
    """A fold: the only memory. `op` is add, count, max, min or last; `by` maps event to expression over its fields."""

    name: str
    kind: Kind
    op: str
    by: tuple[tuple[str, str], ...]
    attest: Attest
    per: str
    fields: tuple[tuple[str, Kind], ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example, values as written."""

    params: Mapping[str, Any]
    given: Mapping[str, Any]
    want: Mapping[str, Any]
    clause: str = ""
    history: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    then: tuple[Mapping[str, Any], ...] | None = None
    refused: str = ""
    timer: Any = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Waits:
    """How long people may take, as written (duration or "{param}"), and in what silence ends; "" where not said."""

    window: str | int = ""
    objection: str | int = ""
    silence_after: str | int = ""
    silence_then: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """Calendar of the folds: `every` is month, quarter, year, a duration or "{param}"; `utc_offset` fixed, seconds."""

    every: str | int
    utc_offset: str | int = 0
    first_month: int = 1


@dataclass(frozen=True, slots=True)
class Document:
    """A whole template, read but not yet checked as a program."""

    name: str
    version: str
    title: str
    roles: tuple[str, ...]
    params: tuple[Param, ...]
    facts: tuple[Fact, ...]
    state: tuple[StateSpec, ...]
    let: tuple[tuple[str, str], ...]
    clauses: tuple[ClauseSpec, ...]
    examples: tuple[Example, ...]
    period: Period | None
    waits: Waits
    canonical: Mapping[str, Any] = field(compare=False)


def refuse(
    where: str, message: str, got: Any = "", expected: str = "", next: str = "", code: str = "terms.form"
) -> TermsRefused:
    """A refusal of a template's form, with its place."""
    return TermsRefused(code, f"{where}: {message}", str(got)[:120], expected, next)


def mapping(
    raw: Any, where: str, allowed: tuple[str, ...] | None = None, required: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A map with those keys only. Refuses terms.form, terms.unknown_key, terms.missing_key."""
    if not isinstance(raw, dict):
        raise refuse(where, "not a map", type(raw).__name__, "key: value")
    for key in raw:
        if allowed is not None and key not in allowed:
            raise refuse(where, f"unknown key {key}", key, ", ".join(allowed), code="terms.unknown_key")
    for key in required:
        if key not in raw:
            raise refuse(where, f"{key} is missing", "nothing", key, f"add {key}", "terms.missing_key")
    return raw


def word(raw: Any, where: str, pattern: re.Pattern[str] = NAME) -> str:
    """A name. Refuses terms.name."""
    if not isinstance(raw, str) or not pattern.fullmatch(raw) or raw in RESERVED:
        expected = "lower case letters, digits, _" + (", with dots" if pattern is EVENT else "")
        raise refuse(where, "not a usable name", raw, expected, "choose another name", "terms.name")
    return raw


def words(raw: Any, where: str, pattern: re.Pattern[str] = NAME) -> tuple[str, ...]:
    """One name or a list of names, none twice. Refuses terms.name, terms.form."""
    items = raw if isinstance(raw, list) else [raw]
    found = tuple(word(item, where, pattern) for item in items)
    if len(set(found)) != len(found) or not found:
        raise refuse(where, "a name twice, or none", raw, "each name once")
    return found


def expression(raw: Any, where: str) -> str:
    """An expression's text; a bare integer or flag stands for itself. Refuses terms.form."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int):
        return str(raw)
    if not isinstance(raw, str) or not raw.strip():
        raise refuse(where, "not an expression", raw, "text")
    return raw


def ordered(raw: Any, where: str) -> tuple[tuple[str, Any], ...]:
    """Named parts in order: a map, or (canonical form) a list of one-key maps. Refuses terms.form, terms.name."""
    if isinstance(raw, dict):
        pairs = list(raw.items())
    elif isinstance(raw, list) and all(isinstance(item, dict) and len(item) == 1 for item in raw):
        pairs = [next(iter(item.items())) for item in raw]
    else:
        raise refuse(where, "not named steps", type(raw).__name__, "name: expression")
    if len({name for name, _ in pairs}) != len(pairs):
        raise refuse(where, "a name stands twice", expected="each name once")
    return tuple((word(name, f"{where}.{name}"), value) for name, value in pairs)


def attest(raw: Any, where: str) -> Attest:
    """Who must have signed. A list is short for all_of. Refuses terms.attest, terms.name."""
    if isinstance(raw, str | list):
        raw = {"all_of": raw}
    if not isinstance(raw, dict) or not raw or not set(raw) <= {"all_of", "any_of"}:
        raise refuse(
            where, "who must sign?", raw, "[role, ...], {all_of: [...]} or {any_of: [...]}", code="terms.attest"
        )
    parts = {key: words(value, where) for key, value in raw.items()}
    return Attest(parts.get("all_of", ()), parts.get("any_of", ()))


def spec_kind(raw: dict[str, Any], where: str, scalar: bool = False) -> Kind:
    """The kind that a map with `unit`, `enum`, `minimum` ... declares.

    Refuses, in order: terms.form, terms.unknown_unit, terms.range.
    """
    if "enum" in raw:
        return _enum(raw, where)
    unit = raw.get("unit")
    if not isinstance(unit, str):
        raise refuse(where, "no unit", unit, "unit: money, rate, ...", "say what it counts", "terms.missing_key")
    if unit in ("list", "tiers") and scalar:
        raise refuse(where, "a list inside a list", unit, "a scalar unit")
    if unit == "list":
        return _list(raw, where)
    if unit == "tiers":
        return _tiers(raw, where)
    try:
        return _bounded(unit_kind(unit), raw, where)
    except TermsRefused as refused:
        raise (refused.at(where) if refused.code == "terms.unknown_unit" else refused) from None


def _enum(raw: dict[str, Any], where: str) -> Kind:
    values = raw["enum"]
    if not isinstance(values, list) or not 1 <= len(values) <= 64:
        raise refuse(where, "an enum is a list", values, "1 to 64 words")
    for value in values:
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,47}", value):
            raise refuse(where, "not a word", value, "letters, digits, _ . -", "put it in quotes", "terms.name")
    if len(set(values)) != len(values):
        raise refuse(where, "a value twice", values, "each once")
    return Kind("enum", values=tuple(values))


def _list(raw: dict[str, Any], where: str) -> Kind:
    count = raw.get("maximum_items")
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= LIST_MAX:
        raise refuse(
            where, "a list declares its maximum_items", count, f"1 to {LIST_MAX}", "add maximum_items", "terms.range"
        )
    of = raw.get("of")
    if isinstance(of, str):
        item = spec_kind({"unit": of}, f"{where}.of", scalar=True)
    elif isinstance(of, dict) and ("unit" in of or "enum" in of):
        item = spec_kind(mapping(of, f"{where}.of", SPEC_KEYS), f"{where}.of", scalar=True)
    elif isinstance(of, dict) and 1 <= len(of) <= 16:
        rows = {name: part if isinstance(part, dict) else {"unit": part} for name, part in of.items()}
        fields = [
            (word(name, where), spec_kind(part, f"{where}.of.{name}", scalar=True)) for name, part in rows.items()
        ]
        item = Kind("row", fields=tuple(sorted(fields, key=lambda pair: pair[0])))
    else:
        raise refuse(where, "a list of what?", of, "of: money, or of: {field: unit, ...}")
    return Kind("list", items=(item,), count_max=count)


def _tiers(raw: dict[str, Any], where: str) -> Kind:
    parts = []
    for key, unit in (("at", "money"), ("gives", "rate")):
        part = raw.get(key, unit)
        spec = part if isinstance(part, dict) else {"unit": part}
        parts.append(spec_kind(mapping(spec, f"{where}.{key}", SPEC_KEYS), f"{where}.{key}", scalar=True))
    if parts[0].base not in ("number", "time") or parts[1].base not in ("number", "time"):
        raise refuse(where, "tiers hold numbers", f"{parts[0]}, {parts[1]}", "at: money, gives: rate")
    count = raw.get("maximum_items", 20)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= TIERS_MAX:
        raise refuse(where, "too many tiers", count, f"1 to {TIERS_MAX}", code="terms.range")
    return Kind("tiers", items=(parts[0], parts[1]), count_max=count)


def _bounded(kind: Kind, raw: dict[str, Any], where: str) -> Kind:
    wide = replace(kind, low=kinds.INT64_MIN, high=kinds.INT64_MAX)
    if kind.base not in ("number", "time") and ("minimum" in raw or "maximum" in raw):
        raise refuse(where, "has no minimum or maximum", kind, "numbers and times have", code="terms.range")
    low = read(f"{where}.minimum", wide, raw["minimum"]) if "minimum" in raw else kind.low
    high = read(f"{where}.maximum", wide, raw["maximum"]) if "maximum" in raw else kind.high
    if low > high:
        raise refuse(where, "minimum above maximum", f"{low}..{high}", "minimum <= maximum", code="terms.range")
    return replace(kind, low=low, high=high)
