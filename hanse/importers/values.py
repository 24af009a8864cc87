"""Texts of cells as typed values: integers of the smallest unit, dates in one form, codes of the standards.

Every function takes a text that is not empty and the field's specification, and returns the value or a `Problem`;
nothing is rounded unless a mapping says so. Sources: ISO 4217 (minor units), ISO 3166-1 (countries), ISO 8601 (dates),
UN/ECE Recommendation 20 (units), GS1 General Specifications (GTIN).
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from hanse.importers.countries import country_code
from hanse.importers.refusal import Problem
from hanse.importers.targets import Field
from hanse.standards import gtin, units

Value = str | int | bool | None
INT64_MAX = 2**63 - 1
TEXT_CHARS_MAX = 2_000

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_PLAIN_INT = re.compile(r"[+-]?[0-9]{1,19}\Z")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?\Z")
_TRUE = frozenset({"1", "true", "t", "yes", "y", "x", "ja", "j", "wahr", "oui", "o", "vrai", "si", "sí", "s"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "nein", "falsch", "non", "faux", "-"})


def number(text: str) -> Decimal | None:
    """Read a plain decimal number (point, no thousands signs); None when it is none.

    >>> number("1e3"), number(".50"), number("1,5") is None, number("nan") is None
    (Decimal('1E+3'), Decimal('0.50'), True, True)
    """
    if len(text) > 40 or not _NUMBER.match(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _whole(text: str, field: Field, digits: int, what: str) -> int | Problem:
    """Read text x 10**digits as an integer within the field's range."""
    if digits == 0 and _PLAIN_INT.match(text):
        value = int(text)
    else:
        parsed = number(text)
        if parsed is None:
            return Problem(f"{field.type}.not_a_number", what, "give a plain number, or set the decimal sign")
        scaled = parsed.scaleb(digits)
        if scaled != scaled.to_integral_value():
            fine = f"{what} with at most {digits} decimals" if digits else f"a whole number ({what})"
            return Problem(f"{field.type}.too_fine", fine, "correct it, or let the mapping round or scale")
        value = int(scaled)
    if not field.minimum <= value <= field.maximum:
        least = f"at least {field.minimum}" if value < field.minimum else f"at most {field.maximum}"
        return Problem(f"{field.type}.out_of_range", f"{what}, {least}", "correct the number")
    return value


def _text(text: str, field: Field) -> str | Problem:
    if len(text) > TEXT_CHARS_MAX:
        return Problem("text.too_long", f"at most {TEXT_CHARS_MAX} characters", "shorten it")
    if _CONTROL.search(text):
        return Problem("text.control_sign", "text without control signs", "remove them")
    return text


def _int(text: str, field: Field) -> int | Problem:
    return _whole(text, field, field.digits, "a number")


def _quantity(text: str, field: Field) -> int | Problem:
    return _whole(text, field, 0, "a number of base units")


def _money(text: str, field: Field) -> int | Problem:
    return _whole(text, field, 2 if field.digits == 0 else field.digits, "an amount of money")


def _rate(text: str, field: Field) -> int | Problem:
    """A share as parts per million; "12.5 %" and "0.125" are the same."""
    share = text.removesuffix("%").rstrip()
    return _whole(share, field, 4 if share != text else 6, "a rate")


def _coordinate(text: str, field: Field) -> int | Problem:
    parsed = number(text)
    if parsed is None:
        return Problem("coordinate.not_a_number", "degrees such as 53.55", "give decimal degrees")
    value = int((parsed * 1_000_000).to_integral_value())
    if not field.minimum <= value <= field.maximum:
        return Problem("coordinate.out_of_range", f"within {field.maximum // 1_000_000} degrees", "correct the degrees")
    return value


_DATE_FORMATS = ("%Y-%m-%d", "%Y%m%d")


def _date(text: str, field: Field) -> str | Problem:
    day = text[:10]
    rest = text[10:]
    if not rest.strip(" T0:.Z"):
        for form in _DATE_FORMATS:
            try:
                return datetime.strptime(day, form).date().isoformat()
            except ValueError:
                continue
    elif _datetime(text, field).__class__ is str:
        return day
    return Problem("date.not_a_date", "a date such as 2024-03-31", "set the date form in the mapping")


def _datetime(text: str, field: Field) -> str | Problem:
    """ISO 8601 -> UTC with Z; without a zone it counts as UTC; finer than a second is cut."""
    try:
        found = datetime.fromisoformat(_cut_fraction(text))
    except ValueError:
        return Problem("datetime.not_a_time", "a time such as 2024-03-31T14:00:00Z", "set the date form in the mapping")
    try:
        moment = found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        return Problem("datetime.out_of_range", "a year from 1 to 9999", "correct the time")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def _cut_fraction(text: str) -> str:
    return re.sub(r"(\d{2}:\d{2}:\d{2})\.\d+", r"\1", text) if "." in text else text


def _gtin(text: str, field: Field) -> str | Problem:
    try:
        return gtin.normalise(text)
    except gtin.GtinError as wrong:
        return Problem(wrong.code, wrong.expected, wrong.next)


def _unit(text: str, field: Field) -> str | Problem:
    try:
        return units.unit(text).code
    except units.UnitError as wrong:
        return Problem(wrong.code, wrong.expected, wrong.next)


def _country(text: str, field: Field) -> str | Problem:
    code = country_code(text)
    return code or Problem("country.unknown", "a country such as DE or Germany", "map this word to a country code")


def _currency(text: str, field: Field) -> str | Problem:
    code = text.upper()
    if len(code) == 3 and code.isascii() and code.isalpha():
        return code
    return Problem("currency.unknown", "three letters such as EUR", "map this word to a currency code")


def _flag(text: str, field: Field) -> bool | Problem:
    low = text.lower()
    if low in _TRUE or low in _FALSE:
        return low in _TRUE
    return Problem("flag.unknown", "yes or no", "map this word to yes or no")


def _enum(text: str, field: Field) -> str | Problem:
    low = text.lower()
    if low in field.values:
        return low
    return Problem("enum.unknown", "one of " + ", ".join(field.values), "map this word")


CONVERT: dict[str, Callable[[str, Field], Value | Problem]] = {
    "text": _text, "int": _int, "quantity": _quantity, "money": _money, "rate": _rate, "date": _date,
    "datetime": _datetime, "gtin": _gtin, "unit": _unit, "country": _country, "currency": _currency,
    "coordinate": _coordinate, "flag": _flag, "enum": _enum,
}  # fmt: skip


def convert(text: str, field: Field) -> Value | Problem:
    """Convert one trimmed text: None for an empty one that is not required, else the value or a `Problem`.

    >>> from hanse.importers.targets import Field
    >>> convert("2.55", Field("price_minor", "money")), convert("", Field("price_minor", "money"))
    (255, None)
    >>> convert("2.555", Field("price_minor", "money")).code
    'money.too_fine'
    """
    if text == "":
        if field.required:
            return Problem("field.empty", f"a value for {field.name}", "fill it in, or set a constant in the mapping")
        return None
    return CONVERT[field.type](text, field)


def show(value: Value, field: Field) -> str:
    """Write a value so that `convert` reads it back.

    >>> show(255, Field("price_minor", "money")), show(True, Field("active", "flag"))
    ('2.55', 'yes')
    """
    if value is None:
        return ""
    if field.type == "flag":
        return "yes" if value else "no"
    digits = {"money": field.digits or 2, "rate": 6, "coordinate": 6, "int": field.digits}.get(field.type, 0)
    if digits and isinstance(value, int):
        sign, whole = ("-" if value < 0 else ""), abs(value)
        return f"{sign}{whole // 10**digits}.{whole % 10**digits:0{digits}d}"
    return str(value)


def is_date(text: str) -> bool:
    """Tell whether a text is a calendar date in ISO form.

    >>> is_date("2024-02-29"), is_date("2023-02-29")
    (True, False)
    """
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
