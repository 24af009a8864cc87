"""Values as people write them, to base units and back; all exact, in integers.

money "1234.50" (or integer minor units), rate "10.5%" (or integer ppm), duration "1w2d12h" (or integer seconds),
time "2019-01-11T03:24Z" (or integer UTC seconds), tiers [[0, "5%"], ["10000.00", "10%"]].
"""

import re
from typing import Any

from hanse.rooms.contracts.terms.kinds import TIME_MAX, Kind
from hanse.rooms.contracts.terms.refused import TermsRefused
from hanse.rooms.contracts.terms.runtime import accept, brief

# ISO 4217 currencies whose minor unit is not a hundredth
_WHOLE = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_DECIMALS = {**dict.fromkeys(_WHOLE, 0), **dict.fromkeys(_THOUSANDTHS, 3)}
_MONEY = re.compile(r"(-?)([0-9]{1,17})(?:\.([0-9]{1,4}))?")
_RATE = re.compile(r"(-?)([0-9]{1,9})(?:\.([0-9]{1,4}))? ?%")
_DURATION = re.compile(
    r"(-?)(?:([0-9]{1,6})w)?(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,8})(?:min|m))?(?:([0-9]{1,10})s)?"
)
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.0+)?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_SECONDS = (604_800, 86_400, 3_600, 60, 1)


def decimals_of(currency: str) -> int:
    """Decimal places of a currency (ISO 4217); 2 where it is not listed.

    >>> decimals_of("EUR"), decimals_of("JPY")
    (2, 0)
    """
    return _DECIMALS.get(currency, 2)


def _bad(text: str, what: str, form: str) -> TermsRefused:
    return TermsRefused("terms.value_text", f"not {what}", text[:60], form, "write it as shown")


def read_money(text: str, decimals: int = 2) -> int:
    """Minor units of "1234.50". Refuses terms.value_text, terms.money_fraction.

    >>> read_money("63.00"), read_money("-0.5"), read_money("63", 0)
    (6300, -50, 63)
    """
    match = _MONEY.fullmatch(text)
    if match is None:
        raise _bad(text, "an amount", '"1234.50"')
    sign, whole, part = match.groups()
    part = part or ""
    if len(part) > decimals:
        raise TermsRefused("terms.money_fraction", "too many decimals for the currency", text, f"{decimals} decimals")
    value = int(f"{whole}{part.ljust(decimals, '0')}")
    return -value if sign else value


def read_rate(text: str) -> int:
    """Parts per million of "10.5%". Refuses terms.value_text.

    >>> read_rate("10.5%"), read_rate("0.0001%"), read_rate("-3%")
    (105000, 1, -30000)
    """
    match = _RATE.fullmatch(text)
    if match is None:
        raise _bad(text, "a rate", '"10.5%", four decimals at most')
    sign, whole, part = match.groups()
    value = int(whole) * 10_000 + int((part or "").ljust(4, "0"))
    return -value if sign else value


def read_duration(text: str) -> int:
    """Seconds of "1w2d12h30min5s", any part of it. Refuses terms.value_text.

    >>> read_duration("2d"), read_duration("1d12h"), read_duration("0d")
    (172800, 129600, 0)
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()[1:]):
        raise _bad(text, "a duration", '"2d", "36h", "1w2d"')
    sign, *parts = match.groups()
    value = sum(int(part) * seconds for part, seconds in zip(parts, _SECONDS, strict=True) if part)
    return -value if sign else value


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a Gregorian date (H. Hinnant, "chrono-compatible low-level date algorithms").

    >>> days_from_civil(1970, 1, 1), days_from_civil(2000, 3, 1)
    (0, 11017)
    """
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def civil_from_days(days: int) -> tuple[int, int, int]:
    """(year, month, day) of a count of days since 1970-01-01; the inverse of `days_from_civil`.

    >>> civil_from_days(11017)
    (2000, 3, 1)
    """
    era, of_era = divmod(days + 719_468, 146_097)
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def read_time(text: str) -> int:
    """UTC seconds of "2019-01-11T03:24Z" or with an offset. Refuses terms.value_text.

    >>> read_time("1970-01-02T00:00Z"), read_time("1970-01-01T01:00:01+01:00")
    (86400, 1)
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise _bad(text, "a time", '"2019-01-11T03:24Z", with its offset')
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    date = days_from_civil(year, month, day) if 1 <= month <= 12 else 0
    zone = match[7]
    shift = 0 if zone == "Z" else (int(zone[1:3]) * 3_600 + int(zone[4:6]) * 60) * (-1 if zone[0] == "-" else 1)
    valid = 1 <= month <= 12 and hour < 24 and minute < 60 and second < 60 and abs(shift) <= 14 * 3_600
    value = date * 86_400 + hour * 3_600 + minute * 60 + second - shift
    if not valid or civil_from_days(date) != (year, month, day) or not 0 <= value <= TIME_MAX:
        raise _bad(text, "a time that exists", "1970-01-01T00:00Z to 9999-12-31T23:59Z")
    return value


def show_money(value: int, decimals: int, currency: str = "") -> str:
    """An amount for people.

    >>> show_money(-123456789, 2, "EUR")
    '-1,234,567.89 EUR'
    """
    whole, part = divmod(abs(value), 10**decimals)
    text = f"{'-' if value < 0 else ''}{whole:,}" + (f".{part:0{decimals}d}" if decimals else "")
    return f"{text} {currency}".rstrip()


def show_rate(value: int) -> str:
    """A rate for people.

    >>> show_rate(105000), show_rate(1), show_rate(-1000000)
    ('10.5%', '0.0001%', '-100%')
    """
    whole, part = divmod(abs(value), 10_000)
    return f"{'-' if value < 0 else ''}{whole}{f'.{part:04d}'.rstrip('0') if part else ''}%"


def show_duration(value: int) -> str:
    """A duration for people.

    >>> show_duration(172800), show_duration(129600), show_duration(0)
    ('2 days', '1 day 12 hours', '0 days')
    """
    words, rest = [], abs(value)
    for seconds, name in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        count, rest = divmod(rest, seconds)
        if count:
            words.append(f"{count} {name}{'s' if count != 1 else ''}")
    return ("-" if value < 0 else "") + (" ".join(words) or "0 days")


def show_time(value: int) -> str:
    """A time for people.

    >>> show_time(1547177040)
    '2019-01-11T03:24:00Z'
    """
    days, rest = divmod(value, 86_400)
    year, month, day = civil_from_days(days)
    return f"{year:04d}-{month:02d}-{day:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"


_READ = {(0, 0, 1, 0): read_rate, (0, 0, 0, 1): read_duration}


def read(name: str, kind: Kind, raw: Any, decimals: int = 2) -> Any:
    """A value as written, in base units, checked against its kind.

    Refuses terms.value_missing, terms.value_text, terms.money_fraction, terms.value_type, terms.value_range,
    terms.tiers_order; each names `name`.
    """
    try:
        return accept(name, kind, _base(name, kind, raw, decimals))
    except TermsRefused as refused:
        if refused.code in ("terms.value_text", "terms.money_fraction"):
            raise refused.at(name) from None
        raise


def _base(name: str, kind: Kind, raw: Any, decimals: int) -> Any:
    if isinstance(raw, str):
        if kind.base == "time":
            return read_time(raw)
        if kind.base == "number":
            return _number(kind, raw, decimals)
        return raw
    if kind.base == "list" and isinstance(raw, list | tuple):
        return [_base(name, kind.items[0], item, decimals) for item in raw]
    if kind.base == "row" and isinstance(raw, dict):
        fields = dict(kind.fields)
        return {key: _base(name, fields[key], part, decimals) if key in fields else part for key, part in raw.items()}
    if kind.base == "tiers":
        return _tiers(name, kind, raw, decimals)
    return raw


def _number(kind: Kind, raw: str, decimals: int) -> int:
    if kind.dim == (1, 0, 0, 0):
        return read_money(raw, decimals)
    reader = _READ.get(kind.dim)
    if reader is not None:
        return reader(raw)
    if not re.fullmatch(r"-?[0-9]{1,19}", raw):
        raise _bad(raw, "a whole number", "digits")
    return int(raw)


def _tiers(name: str, kind: Kind, raw: Any, decimals: int) -> Any:
    if isinstance(raw, tuple) and len(raw) == 2 and all(isinstance(part, tuple) for part in raw):
        return raw
    if not isinstance(raw, list | tuple) or not raw:
        raise TermsRefused("terms.value_type", f"{name} is not a table of tiers", brief(raw), '[[0, "5%"], ...]')
    starts, gives = [], []
    for row in raw:
        if isinstance(row, dict):
            row = [row.get("from"), row.get("gives")] if set(row) == {"from", "gives"} else None
        if not isinstance(row, list | tuple) or len(row) != 2:
            raise TermsRefused("terms.value_type", f"{name} has a row that is no tier", brief(row), '[start, "5%"]')
        starts.append(_base(name, kind.items[0], row[0], decimals))
        gives.append(_base(name, kind.items[1], row[1], decimals))
    return tuple(starts), tuple(gives)


def show(kind: Kind, value: Any, currency: str = "", decimals: int = 2) -> str:
    """A base value for people."""
    if kind.base == "tiers":
        at, gives = kind.items
        rows = zip(value[0], value[1], strict=True)
        return ", ".join(
            f"{show(gives, y, currency, decimals)} from {show(at, x, currency, decimals)}" for x, y in rows
        )
    if kind.base == "list":
        return "; ".join(show(kind.items[0], item, currency, decimals) for item in value) or "none"
    if kind.base == "row":
        pairs = zip(kind.fields, value, strict=True)
        return ", ".join(
            f"{name.replace('_', ' ')} {show(part, item, currency, decimals)}" for (name, part), item in pairs
        )
    if kind.base == "flag":
        return "yes" if value else "no"
    if kind.base == "time":
        return show_time(value)
    if kind.base == "number":
        return _show_number(kind, value, currency, decimals)
    return str(value).replace("_", " ") if kind.base == "enum" else str(value)


def _show_number(kind: Kind, value: int, currency: str, decimals: int) -> str:
    if kind.dim == (1, 0, 0, 0):
        return show_money(value, decimals, currency)
    if kind.dim == (0, 0, 1, 0):
        return show_rate(value)
    if kind.dim == (0, 0, 0, 1):
        return show_duration(value)
    return f"{value:,}"
