"""Static kinds of values: what a number counts, and what may be done with it.

A number is an integer with a dimension, kept as exponents of (money, qty, rate, duration). `int` has none. Money per
unit is written money, so money x qty is money. Times are points, not numbers: their difference is a duration.
"""

from dataclasses import dataclass, field, replace

from hanse.rooms.contracts.terms.refused import TermsRefused

Dim = tuple[int, int, int, int]  # exponents of money (minor units), qty (each), rate (ppm), duration (seconds)

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
TIME_MAX = 253_402_300_799  # 9999-12-31T23:59:59Z
PPM = 1_000_000
MODES = ("half_even", "half_up", "half_down", "up", "down", "ceil", "floor")
_BASE = ("money", "qty", "rate", "duration")
NOTHING: Dim = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Kind:
    """A static kind.

    Fields:
        base: number, time, flag, text, enum, tiers, list or row.
        dim: of a number.
        values: of an enum, in the order declared.
        items: of a list, its element; of tiers, (at, gives).
        fields: of a row, (name, kind) sorted by name.
        count_max: of a list or tiers, its declared maximum length.
    """

    base: str
    dim: Dim = NOTHING
    values: tuple[str, ...] = ()
    items: tuple["Kind", ...] = ()
    fields: tuple[tuple[str, "Kind"], ...] = ()
    count_max: int = 0
    low: int = field(default=INT64_MIN, compare=False)
    high: int = field(default=INT64_MAX, compare=False)

    def __str__(self) -> str:
        if self.base == "number":
            return _dim_words(self.dim)
        if self.base == "list":
            return f"list of {self.items[0]}"
        if self.base == "tiers":
            return f"tiers of {self.items[1]} by {self.items[0]}"
        return self.base


def number(dim: Dim) -> Kind:
    """The kind of a number with that dimension."""
    return Kind("number", dim)


INT = number(NOTHING)
MONEY = number((1, 0, 0, 0))
QTY = number((0, 1, 0, 0))
RATE = number((0, 0, 1, 0))
DURATION = number((0, 0, 0, 1))
TIME = Kind("time")
FLAG = Kind("flag")
TEXT = Kind("text")
ROUNDING = Kind("enum", values=MODES)

# unit -> kind, least, greatest value that stands when the template declares none
UNITS: dict[str, tuple[Kind, int, int]] = {
    "int": (INT, -(10**12), 10**12),
    "money": (MONEY, -(10**15), 10**15),
    "rate": (RATE, -(10**9), 10**9),
    "qty": (QTY, 0, 10**12),
    "time": (TIME, 0, TIME_MAX),
    "duration": (DURATION, -TIME_MAX, TIME_MAX),
    "flag": (FLAG, 0, 1),
    "text": (TEXT, 0, 0),
    "rounding": (ROUNDING, 0, 0),
}


def unit_kind(unit: str) -> Kind:
    """The kind of a scalar unit, with its default range. Refuses terms.unknown_unit."""
    if unit not in UNITS:
        raise TermsRefused("terms.unknown_unit", "no such unit", unit, ", ".join([*UNITS, "tiers", "list"]))
    kind, low, high = UNITS[unit]
    return replace(kind, low=low, high=high)


def unit_of(kind: Kind) -> str:
    """The unit that a scalar kind is written in: the inverse of `unit_kind`, or the kind's own words."""
    for unit, (other, _, _) in UNITS.items():
        if other == kind:
            return unit
    return str(kind)


def _dim_words(dim: Dim) -> str:
    above = [name if power == 1 else f"{name}^{power}" for name, power in zip(_BASE, dim, strict=True) if power > 0]
    below = [name if power == -1 else f"{name}^{-power}" for name, power in zip(_BASE, dim, strict=True) if power < 0]
    if not above and not below:
        return "int"
    return " x ".join(above or ["1"]) + "".join(f" / {name}" for name in below)


def settle(dim: Dim) -> Dim:
    """Money per unit is written money: quantities beside money vanish."""
    return (dim[0], 0, dim[2], dim[3]) if dim[0] else dim


def times(a: Dim, b: Dim) -> Dim:
    """Exponents of a product."""
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3])


def per(a: Dim, b: Dim) -> Dim:
    """Exponents of a quotient."""
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3])
