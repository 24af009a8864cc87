"""From a cell's text to a typed value: one compiled function per field, remembered per distinct text."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from functools import lru_cache

from hanse.importers.mapping import FieldMap
from hanse.importers.refusal import Problem
from hanse.importers.targets import Field
from hanse.importers.values import Value, convert, number
from hanse.standards import units

Lookups = Mapping[tuple[str, str, str], Mapping[str, str | None]]
MEMO_MAX = 200_000
_SCALED = {"money": 2, "rate": 6}


def column_function(
    spec: FieldMap, field: Field, columns: Mapping[str, int], lookups: Lookups
) -> Callable[[Sequence[Sequence[str]]], list[Value | Problem]]:
    """Return a function from columns[column][row] to values[row] of one field; missing columns count as empty."""
    memo: dict[str, Value | Problem] = {}

    def of(text: str, unit: str = "") -> Value | Problem:
        return _value(text, spec, field, lookups, unit)

    def remembered(texts: Sequence[str]) -> list[Value | Problem]:
        if len(memo) > MEMO_MAX:
            memo.clear()
        for text in set(texts) - memo.keys():
            memo[text] = of(text)
        return [memo[text] for text in texts]

    if spec.constant:
        return lambda cells: [of(spec.constant)] * (len(cells[0]) if cells else 0)
    if spec.ordinal_within:
        return _ordinals(columns[spec.ordinal_within], of)
    if spec.columns:
        places = [columns[name] for name in spec.columns]
        return lambda cells: remembered(
            [
                spec.separator.join(filter(None, map(str.strip, row)))
                for row in zip(*(cells[p] for p in places), strict=True)
            ]
        )
    place = columns[spec.column]
    if spec.unit_column:
        beside = columns[spec.unit_column]
        return lambda cells: [of(text, unit) for text, unit in zip(cells[place], cells[beside], strict=True)]
    return lambda cells: remembered(cells[place])


def _ordinals(
    place: int, of: Callable[[str], Value | Problem]
) -> Callable[[Sequence[Sequence[str]]], list[Value | Problem]]:
    count: dict[str, int] = {}

    def ordinals(cells: Sequence[Sequence[str]]) -> list[Value | Problem]:
        found = []
        for text in cells[place]:
            key = text.strip()
            count[key] = count.get(key, 0) + 1
            found.append(of(str(count[key])))
        return found

    return ordinals


def _value(text: str, spec: FieldMap, field: Field, lookups: Lookups, unit: str) -> Value | Problem:
    """The steps of a field, in the order that the module `mapping` says."""
    text = text.strip()
    if text in spec.empty:
        text = ""
    for step in spec.lookup:
        if text == "":
            break
        found = lookups[step].get(text, "\0")
        if found == "\0" or found is None:
            if spec.default and found is not None:
                text = ""
                break
            code, why = (
                ("lookup.missing", "is not there") if found is not None else ("lookup.ambiguous", "is there twice")
            )
            return Problem(code, f"{text} in column {step[1]} of {step[0]}", f"it {why}: correct either sheet")
        text = "" if found in spec.empty else found
    text = text or spec.default
    if text and spec.words:
        text = spec.words.get(text, "\0" if spec.words_only else text)
        if text == "\0":
            return Problem("words.unknown", "one of " + ", ".join(list(spec.words)[:12]), "add the word to the mapping")
    if spec.split:
        parts = text.split(spec.split)
        text = parts[spec.take].strip() if -len(parts) <= spec.take < len(parts) else ""
    text = {"upper": text.upper, "lower": text.lower}.get(spec.case, text.__str__)()
    if text and spec.prefix:
        text = spec.prefix + text
    shaped = _shaped(text, spec, field, unit) if text else text
    return shaped if isinstance(shaped, Problem) else convert(shaped, field)


def _shaped(text: str, spec: FieldMap, field: Field, unit: str) -> str | Problem:
    if spec.date:
        try:
            moment = datetime.strptime(text, spec.date)
        except ValueError:
            return Problem(
                "date.not_a_date", f"a date of the form {spec.date}", "correct it or the form in the mapping"
            )
        return moment.isoformat() if field.type == "datetime" else moment.date().isoformat()
    if spec.decimal:
        text = plain_number(text, spec.decimal)
    if not (spec.times or spec.to or spec.round):
        return text
    read = number(text)
    if read is None:
        return Problem(f"{field.type}.not_a_number", "a number", "give a plain number, or set the decimal sign")
    exact = Fraction(read) * _factor(spec.times or "1")
    if spec.to:
        try:
            exact = exact * units.ratio(unit or spec.unit) / units.ratio(spec.to)
        except units.UnitError as wrong:
            return Problem(wrong.code, wrong.expected, wrong.next)
    digits = field.digits or _SCALED.get(field.type, 0)
    scaled = exact * 10**digits
    if spec.round:
        scaled = Fraction(_rounded(scaled, spec.round))
    if scaled.denominator != 1:
        return Problem(f"{field.type}.too_fine", f"at most {digits} decimals", "let the mapping round or scale")
    whole = int(scaled)
    if digits == 0:
        return str(whole)
    return f"{'-' if whole < 0 else ''}{abs(whole) // 10**digits}.{abs(whole) % 10**digits:0{digits}d}"


@lru_cache(maxsize=64)
def _factor(text: str) -> Fraction:
    return Fraction(text)


def _rounded(exact: Fraction, way: str) -> int:
    if way == "half_even":
        return round(exact)
    return -(-exact.numerator // exact.denominator) if way == "up" else exact.numerator // exact.denominator


def plain_number(text: str, decimal: str) -> str:
    """Bring a number with thousands signs to a plain one; what is none stays as it is.

    >>> plain_number("1.234,50", ","), plain_number("1,234.50", "."), plain_number("1 234,5 €", ",")
    ('1234.50', '1234.50', '1234.5')
    >>> plain_number("12x", ","), plain_number("1.23,4", ",")
    ('12x', '1.23,4')
    """
    bare = text.strip("€$£ \u00a0").replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace("'", "")
    other = "." if decimal == "," else ","
    whole, sign, rest = bare.partition(decimal)
    groups = whole.lstrip("+-").split(other)
    if len(groups) > 1 and not (1 <= len(groups[0]) <= 3 and all(len(g) == 3 for g in groups[1:])):
        return text
    joined = whole.replace(other, "") + ("." + rest if sign else "")
    return joined if number(joined) is not None else text
