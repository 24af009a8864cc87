"""Parameters of a template as fields of a form: drawn from their kinds, read back as an author writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from hanse.rooms.contracts.compiled import refused_of
from hanse.rooms.contracts.terms import Param, Template, Terms, TermsRefused, show
from hanse.rooms.contracts.terms.kinds import DURATION, MONEY, QTY, RATE, UNITS, Kind
from hanse.rooms.contracts.terms.prose import say
from hanse.rooms.contracts.terms.schema import HOLE
from hanse.rooms.contracts.terms.values import show_rate, show_time
from hanse.web import Refusal

PREFIX = "p."
"""Before every parameter's name in forms and addresses."""
_DAY = 86_400
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?")


class ParamField(Struct, frozen=True):
    """One field. widget: select, text or area. options: (value, words) of a select. value: as typed."""

    name: str
    label: str
    widget: str
    value: str
    unit: str
    hint: str
    options: tuple[tuple[str, str], ...] = ()
    required: bool = True


def label_of(name: str) -> str:
    """A parameter's name as people read it.

    >>> label_of("terminate_after")
    'Terminate after'
    """
    return name.replace("_", " ").capitalize()


def fields(template: Template, typed_values: Mapping[str, str]) -> list[ParamField]:
    """The form's fields, as the sentences mention them, with what was typed, else the defaults.

    Args:
        typed_values: parameter's name -> text.
    """
    currency = typed_values.get("currency", "") or _currency(template)
    return [_field(param, typed_values.get(param.name, default_of(param)), currency)
            for param in in_order(template)]  # fmt: skip


def in_order(template: Template) -> list[Param]:
    """Parameters in the order in which the template's sentences mention them."""
    mentioned = [name for clause in template.clauses for name in HOLE.findall(clause.spec.text)]
    first = {name: at for at, name in reversed(list(enumerate(mentioned)))}
    return sorted(template.document.params, key=lambda param: first.get(param.name, len(mentioned)))


def _currency(template: Template) -> str:
    for param in template.document.params:
        if param.name == "currency" and param.kind.values:
            return param.kind.values[0]
    return ""


def default_of(param: Param) -> str:
    """A parameter's default as somebody would type it, "" where it has none."""
    raw = param.default
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    if isinstance(raw, int):
        return typed(param.kind, raw)
    if not isinstance(raw, str):
        return ""
    if param.kind.dim == RATE.dim and param.kind.base == "number":
        return raw.rstrip("% ")
    return raw.removesuffix("d") if param.kind == DURATION and raw[:-1].isdigit() else raw


def _field(param: Param, value: str, currency: str) -> ParamField:
    kind, label = param.kind, label_of(param.name)
    if kind.base in ("enum", "flag"):
        words = dict(param.words)
        keys = kind.values if kind.base == "enum" else ("yes", "no")
        options = tuple((key, words.get(key, key.replace("_", " "))) for key in keys)
        return ParamField(param.name, label, "select", value, "", "", options)
    if kind.base in ("tiers", "list"):
        return ParamField(param.name, label, "area", value, "", _rows_hint(kind))
    return ParamField(param.name, label, "text", value, unit_of(kind, currency), _hint(kind, currency),
                      required=param.default is None)  # fmt: skip


def unit_of(kind: Kind, currency: str) -> str:
    """What stands behind a field of a kind."""
    if kind.base == "number":
        known = {MONEY.dim: currency or "money", RATE.dim: "%", DURATION.dim: "days", QTY.dim: "each"}
        return known.get(kind.dim, "")
    return "UTC" if kind.base == "time" else ""


def _hint(kind: Kind, currency: str) -> str:
    if kind.base == "time":
        return "YYYY-MM-DD, or with the time: 2026-04-01T08:00"
    if kind.base != "number":
        return ""
    low, high = _bounds(kind)
    parts = [f"{name} {show(kind, value, currency)}" for name, value in (("at least", low), ("at most", high))
             if value is not None]  # fmt: skip
    if kind.dim == DURATION.dim:
        parts.append("or with its unit: 36h, 1w2d")
    return "; ".join(parts)


def _bounds(kind: Kind) -> tuple[int | None, int | None]:
    """A number's own bounds, None where it has those of every such unit."""
    for other, low, high in UNITS.values():
        if other == kind:
            return (None if kind.low == low else kind.low), (None if kind.high == high else kind.high)
    return kind.low, kind.high


def _rows_hint(kind: Kind) -> str:
    if kind.base == "tiers":
        return f"One tier a line: from ({kind.items[0]}) = gives ({kind.items[1]}), such as {_tier_example(kind)}"
    if kind.items[0].base == "row":
        return "One row a line: " + "; ".join(name.replace("_", " ") for name, _ in kind.items[0].fields)
    return "One a line."


def _tier_example(kind: Kind) -> str:
    examples = {MONEY.dim: "1000.00", RATE.dim: "5%", QTY.dim: "100", DURATION.dim: "7d"}
    at, gives = ("2026-01-01" if part.base == "time" else examples.get(part.dim, "1") for part in kind.items)
    return f"{at} = {gives}"


# -- reading -------------------------------------------------------------------------------------------------------


def typed_of(data: Mapping[str, Any]) -> dict[str, str]:
    """What a form or an address gave for parameters: name -> text."""
    found = {}
    for key, value in data.items():
        if key.startswith(PREFIX):
            text = str(value[-1] if isinstance(value, list) else value).strip()
            found[key.removeprefix(PREFIX)] = text[:8_000]
    return found


def written(template: Template, typed_values: Mapping[str, str]) -> dict[str, Any]:
    """Typed texts as `Template.bind` reads them; empty ones are left out, so that defaults stand.

    Refuses: form.rows (a line that is no tier or row).
    """
    found: dict[str, Any] = {}
    for param in template.document.params:
        text = typed_values.get(param.name, "").strip()
        if text:
            found[param.name] = _written(param.kind, text, label_of(param.name))
    return found


def _written(kind: Kind, text: str, label: str) -> Any:
    if kind.base == "flag":
        return text == "yes"
    if kind.base == "tiers":
        return [_tier(kind, line, label) for line in _lines(text)]
    if kind.base == "list":
        return [_item(kind.items[0], line, label) for line in _lines(text)]
    return _scalar(kind, text)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _tier(kind: Kind, line: str, label: str) -> list[Any]:
    parts = [part.strip() for part in (line.split("=") if "=" in line else line.split())]
    if len(parts) != 2:
        raise Refusal("form.rows", f"{label}: a line is no tier.", got=line[:80], expected=_tier_example(kind))
    return [_scalar(part, text) for part, text in zip(kind.items, parts, strict=True)]


def _item(kind: Kind, line: str, label: str) -> Any:
    if kind.base != "row":
        return _scalar(kind, line)
    parts = [part.strip() for part in line.split(";")]
    if len(parts) != len(kind.fields):
        expected = "; ".join(name for name, _ in kind.fields)
        raise Refusal("form.rows", f"{label}: a row has other parts.", got=line[:80], expected=expected)
    return {name: _scalar(part, text) for (name, part), text in zip(kind.fields, parts, strict=True)}


def _scalar(kind: Kind, text: str) -> Any:
    """One value as an author writes it: a rate with its sign, a duration with its unit, a time with its zone."""
    if kind.base == "time":
        return f"{text}T00:00Z" if _DATE.fullmatch(text) else f"{text}Z" if _MOMENT.fullmatch(text) else text
    if kind.base != "number":
        return text
    text = text.replace(",", "").replace(" ", "")
    if kind.dim == RATE.dim:
        return text.rstrip("%") + "%"
    return f"{text}d" if kind.dim == DURATION.dim and text.lstrip("-").isdigit() else text


def bound(template: Template, typed_values: Mapping[str, str]) -> Terms:
    """Terms of what was typed. Refuses: form.rows; terms.*."""
    try:
        return template.bind(written(template, typed_values))
    except TermsRefused as refused:
        raise refused_of(refused) from None


# -- writing back --------------------------------------------------------------------------------------------------


def typed_params(terms: Terms) -> dict[str, str]:
    """Terms' parameters as somebody would type them: `bound` of them gives the same terms."""
    return {p.name: typed(p.kind, terms.params[p.name], terms.decimals) for p in terms.template.document.params}


def typed(kind: Kind, value: Any, decimals: int = 2) -> str:
    """A base value as somebody would type it.

    >>> typed(RATE, 105000), typed(DURATION, 172800), typed(DURATION, 129600), typed(MONEY, 6300)
    ('10.5', '2', '1d12h', '63.00')
    """
    if kind.base == "flag":
        return "yes" if value else "no"
    if kind.base == "time":
        text = show_time(value)
        return text[:10] if text.endswith("T00:00:00Z") else text.removesuffix("Z")
    if kind.base == "tiers":
        at, gives = kind.items
        rows = zip(value[0], value[1], strict=True)
        return "\n".join(f"{_unit_typed(at, x, decimals)} = {_unit_typed(gives, y, decimals)}" for x, y in rows)
    if kind.base == "list":
        return "\n".join(_row_typed(kind.items[0], item, decimals) for item in value)
    return _number_typed(kind, value, decimals) if kind.base == "number" else str(value)


def _row_typed(kind: Kind, item: Any, decimals: int) -> str:
    if kind.base != "row":
        return _unit_typed(kind, item, decimals)
    pairs = zip(kind.fields, item, strict=True)
    return "; ".join(_unit_typed(part, value, decimals) for (_, part), value in pairs)


def _unit_typed(kind: Kind, value: Any, decimals: int) -> str:
    text = typed(kind, value, decimals)
    if kind.base == "number" and kind.dim == RATE.dim:
        return f"{text}%"
    return f"{text}d" if kind.base == "number" and kind.dim == DURATION.dim and text.lstrip("-").isdigit() else text


def _number_typed(kind: Kind, value: int, decimals: int) -> str:
    if kind.dim == MONEY.dim:
        whole, part = divmod(abs(value), 10**decimals)
        return f"{'-' if value < 0 else ''}{whole}" + (f".{part:0{decimals}d}" if decimals else "")
    if kind.dim == RATE.dim:
        return show_rate(value).rstrip("%")
    if kind.dim == DURATION.dim:
        return _duration_typed(value)
    return str(value)


def _duration_typed(value: int) -> str:
    if value % _DAY == 0:
        return str(value // _DAY)
    text, rest = "", abs(value)
    for seconds, letter in ((_DAY, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, rest = divmod(rest, seconds)
        text += f"{count}{letter}" if count else ""
    return ("-" if value < 0 else "") + text


def told_params(terms: Terms) -> list[tuple[str, str]]:
    """(label, value) of every parameter, in the template's own words."""
    return [(label_of(p.name), say(p, terms.params[p.name], terms.currency, terms.decimals))
            for p in in_order(terms.template)]  # fmt: skip
