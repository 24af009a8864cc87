"""What generated code calls: exact integer arithmetic, tier tables, readers of values from outside.

Division truncates toward zero and the remainder takes the dividend's sign, as in CEL. Rounding modes are those of
IEEE 754-2019 section 4.3 (half_even, half_up = ties away from zero, down = toward zero, ceil, floor) with up (away
from zero) and half_down (ties toward zero).
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any, NoReturn

from hanse.rooms.contracts.terms.kinds import INT64_MAX, INT64_MIN, Kind
from hanse.rooms.contracts.terms.refused import TermsRefused

TEXT_CHARS_MAX = 200


def overflow(value: int) -> NoReturn:
    """Refuse a value beyond int64."""
    got = str(value) if value.bit_length() < 400 else "a very large number"
    raise TermsRefused("terms.overflow", "the value does not fit", got, "within +-2^63", "check the amounts")


def fit(value: int) -> int:
    """The value, if it fits int64. Refuses terms.overflow."""
    return value if INT64_MIN <= value <= INT64_MAX else overflow(value)


def _by_zero() -> NoReturn:
    raise TermsRefused("terms.division_by_zero", "division by zero", "0", "a divisor other than 0", "guard it with ? :")


def divide(a: int, b: int) -> int:
    """a / b, truncated toward zero. Refuses terms.division_by_zero.

    >>> divide(7, 2), divide(-7, 2), divide(7, -2)
    (3, -3, -3)
    """
    if not b:
        _by_zero()
    return a // b if (a >= 0) == (b > 0) else -(-a // b)


def remainder(a: int, b: int) -> int:
    """a % b with the dividend's sign. Refuses terms.division_by_zero, terms.overflow (-2^63 % -1, as in CEL).

    >>> remainder(7, 3), remainder(-7, 3), remainder(7, -3)
    (1, -1, 1)
    """
    if not b:
        _by_zero()
    if b == -1 and a == INT64_MIN:
        overflow(-a)
    rest = abs(a) % abs(b)
    return rest if a >= 0 else -rest


def ceil_div(a: int, b: int) -> int:
    """a / b, rounded toward plus infinity. Refuses terms.division_by_zero.

    >>> ceil_div(7, 2), ceil_div(-7, 2), ceil_div(6, 2)
    (4, -3, 3)
    """
    if not b:
        _by_zero()
    return -(-a // b)


def _floor(n: int, d: int) -> int:
    return n // d


def _ceil(n: int, d: int) -> int:
    return -(-n // d)


def _down(n: int, d: int) -> int:
    return n // d if n >= 0 else -(-n // d)


def _up(n: int, d: int) -> int:
    return -(-n // d) if n >= 0 else n // d


def _half_even(n: int, d: int) -> int:
    whole, rest = divmod(n, d)
    twice = rest + rest
    return whole + 1 if twice > d or (twice == d and whole & 1) else whole


def _half_up(n: int, d: int) -> int:
    return (n + n + d) // (d + d) if n >= 0 else -((d - n - n) // (d + d))


def _half_down(n: int, d: int) -> int:
    return -((d - n - n) // (d + d)) if n >= 0 else (n + n + d) // (d + d)


ROUND: dict[str, Callable[[int, int], int]] = {
    "half_even": _half_even, "half_up": _half_up, "half_down": _half_down, "up": _up, "down": _down, "ceil": _ceil,
    "floor": _floor,
}  # fmt: skip


def muldiv(a: int, b: int, c: int, mode: str) -> int:
    """a * b / c, exact until one rounding by `mode`. Refuses terms.division_by_zero, terms.overflow.

    >>> [muldiv(5, 1, 2, m) for m in ("half_even", "half_up", "half_down", "up", "down", "ceil", "floor")]
    [2, 3, 2, 3, 2, 3, 2]
    >>> [muldiv(-5, 1, 2, m) for m in ("half_even", "half_up", "half_down", "up", "down", "ceil", "floor")]
    [-2, -3, -2, -3, -2, -2, -3]
    """
    if c <= 0:
        if not c:
            _by_zero()
        a, c = -a, -c
    value = ROUND[mode](a * b, c)
    return value if INT64_MIN <= value <= INT64_MAX else overflow(value)


Tiers = tuple[tuple[int, ...], tuple[int, ...]]


def tier_at(table: Tiers, at: int) -> int:
    """The value of the tier that `at` has reached ("at or above"); 0 below the first.

    >>> tier_at(((0, 100), (5, 10)), 100), tier_at(((10,), (5,)), 9)
    (10, 0)
    """
    place = bisect_right(table[0], at)
    return table[1][place - 1] if place else 0


def tier_slices(table: Tiers, at: int) -> int:
    """Sum of each slice of 0..at times its tier's value, undivided.

    >>> tier_slices(((0, 100), (5, 10)), 120)
    700
    """
    starts, gives = table
    total = 0
    for place, start in enumerate(starts):
        if at <= start:
            break
        end = starts[place + 1] if place + 1 < len(starts) else at
        total += (min(at, end) - start) * gives[place]
    return fit(total)


def pick(items: tuple[Any, ...], place: int) -> Any:
    """items[place]. Refuses terms.index."""
    if 0 <= place < len(items):
        return items[place]
    raise TermsRefused("terms.index", "no such element", str(place), f"0 to {len(items) - 1}", "ask size() first")


def least(items: tuple[int, ...]) -> int:
    """Smallest element. Refuses terms.empty_list."""
    return min(items) if items else _empty()


def most(items: tuple[int, ...]) -> int:
    """Greatest element. Refuses terms.empty_list."""
    return max(items) if items else _empty()


def _empty() -> NoReturn:
    raise TermsRefused("terms.empty_list", "an empty list has no least or greatest", "[]", "at least one element")


def total(items: Any) -> int:
    """Sum, each partial sum checked. Refuses terms.overflow."""
    value = 0
    for item in items:
        value = fit(value + item)
    return value


def one(answers: Any) -> bool:
    """Exactly one answer is true."""
    return sum(1 for answer in answers if answer) == 1


def brief(value: Any) -> str:
    """A value for a message, whatever it is."""
    if type(value) is int:
        return str(value) if value.bit_length() < 128 else "a very large number"
    return ascii(value)[:80] if type(value) in (str, bool, float) else type(value).__name__


def wrong(name: str, kind: Kind, value: Any) -> NoReturn:
    """Refuse a value from outside. Refuses terms.value_missing, terms.value_type, terms.value_range."""
    expected = str(kind)
    if value is None:
        raise TermsRefused("terms.value_missing", f"{name} is missing", "nothing", expected, f"give {name}")
    got, base, worded = brief(value), kind.base, type(value) is str
    if worded and base == "enum":
        raise TermsRefused("terms.value_range", f"{name} has no such value", got, ", ".join(kind.values))
    if worded and base == "text":
        message = f"{name} is too long or not printable"
        raise TermsRefused("terms.value_range", message, got, f"{TEXT_CHARS_MAX} characters")
    if type(value) is int and base in ("number", "time"):
        raise TermsRefused("terms.value_range", f"{name} is out of range", got, f"{kind.low} to {kind.high}")
    raise TermsRefused("terms.value_type", f"{name} is of another type", type(value).__name__, expected)


def accept(name: str, kind: Kind, value: Any) -> Any:
    """A value from outside in base units, checked against its kind; lists become tuples, rows tuples by field name.

    Refuses terms.value_missing, terms.value_type, terms.value_range.
    """
    base = kind.base
    if base in ("number", "time"):
        fits = type(value) is int and kind.low <= value <= kind.high
    elif base == "flag":
        fits = value is True or value is False
    elif base == "text":
        fits = type(value) is str and len(value) <= TEXT_CHARS_MAX and value.isprintable()
    elif base == "enum":
        fits = type(value) is str and value in kind.values
    elif base == "list":
        return _list(name, kind, value)
    elif base == "row":
        return _row(name, kind, value)
    else:
        return _tiers(name, kind, value)
    return value if fits else wrong(name, kind, value)


def _list(name: str, kind: Kind, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        wrong(name, kind, value)
    if len(value) > kind.count_max:
        raise TermsRefused("terms.value_range", f"{name} is too long", str(len(value)), f"{kind.count_max} at most")
    return tuple(accept(f"{name}[{place}]", kind.items[0], item) for place, item in enumerate(value))


def _row(name: str, kind: Kind, value: Any) -> tuple[Any, ...]:
    if isinstance(value, tuple) and len(value) == len(kind.fields):
        value = {field: part for (field, _), part in zip(kind.fields, value, strict=True)}
    if not isinstance(value, dict) or set(value) != {field for field, _ in kind.fields}:
        expected = ", ".join(field for field, _ in kind.fields)
        raise TermsRefused("terms.value_type", f"{name} has other fields", brief(value), expected)
    return tuple(accept(f"{name}.{field}", part, value[field]) for field, part in kind.fields)


def _tiers(name: str, kind: Kind, value: Any) -> Tiers:
    if not isinstance(value, tuple) or len(value) != 2 or not all(isinstance(part, tuple) for part in value):
        wrong(name, kind, value)
    starts, gives = value
    if not starts or len(starts) != len(gives) or len(starts) > kind.count_max:
        expected = f"1 to {kind.count_max} tiers"
        raise TermsRefused("terms.value_range", f"{name} has too few or too many tiers", str(len(starts)), expected)
    for place, (start, give) in enumerate(zip(starts, gives, strict=True)):
        accept(f"{name}[{place}]", kind.items[0], start)
        accept(f"{name}[{place}]", kind.items[1], give)
        if place and start <= starts[place - 1]:
            got = f"{starts[place - 1]} then {start}"
            raise TermsRefused("terms.tiers_order", f"{name} is out of order", got, "each tier starts above the last")
    return starts, gives
