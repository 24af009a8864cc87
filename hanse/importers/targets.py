"""What can be imported: the targets of the Hanse bundle and their fields, as data.

Rooms may `register` further targets or replace these. Names carry units: `_minor` is money in hundredths of its
currency, `_g` grams, `_each` base units, `_ppm` parts per million, `_e6` millionths of a degree. A price is for
`price_per` each (as UBL's PriceAmount and BaseQuantity): 455805 per 100 is 45.5805 for one.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

INT64_MAX = 2**63 - 1
TYPES = (
    "text", "int", "quantity", "money", "rate", "date", "datetime", "gtin", "unit", "country", "currency",
    "coordinate", "flag", "enum",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a target.

    Args:
        type: one of TYPES.
        digits: decimals that an int or money holds (an int in thousandths has 3; money has 2 unless said otherwise).
        minimum, maximum: of the integer stored, inclusive.
        values: of an enum, lower case.
        aliases: column names that mean this field, in English, German, French and Spanish.
    """

    name: str
    type: str = "text"
    required: bool = False
    aliases: tuple[str, ...] = ()
    description: str = ""
    example: str = ""
    values: tuple[str, ...] = ()
    digits: int = 0
    minimum: int = 0
    maximum: int = INT64_MAX


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of row: its name, its natural key, its fields in the order of the template."""

    name: str
    title: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """Return a field by name; raises KeyError."""
        for one in self.fields:
            if one.name == name:
                return one
        raise KeyError(f"{self.name} has no field {name}")


def _read(text: str) -> dict[str, Target]:
    found = {}
    for entry in tomllib.loads(text)["target"]:
        fields = tuple(_field(spec) for spec in entry["fields"])
        found[entry["name"]] = Target(entry["name"], entry["title"], tuple(entry["key"]), fields)
    return found


def _field(spec: dict[str, Any]) -> Field:
    lists: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in spec.items()}
    if lists.get("type") == "coordinate":
        most = (90 if "latitude" in spec["name"] else 180) * 1_000_000
        lists |= {"minimum": -most, "maximum": most}
    return Field(**lists)


TARGETS: dict[str, Target] = _read(files("hanse.importers").joinpath("targets.toml").read_text("utf-8"))
EXPORTS: dict[str, Target] = _read(files("hanse.importers").joinpath("exports.toml").read_text("utf-8"))
"""What only goes out: a mapping may name it, an import leaves it alone."""


def register(targets: Iterable[Target]) -> None:
    """Add targets, or replace those of the same name; refuses a type that is not in TYPES and a key without field."""
    for one in targets:
        names = {f.name for f in one.fields}
        wrong = [f.name for f in one.fields if f.type not in TYPES] + [k for k in one.key if k not in names]
        if wrong:
            raise ValueError(f"target {one.name}: no such type or key field: {', '.join(wrong)}")
        TARGETS[one.name] = one


def target(name: str) -> Target:
    """Return a target by name, one that only goes out too.

    >>> target("stock").key
    ('item', 'site', 'bin', 'lot')
    """
    found = TARGETS.get(name) or EXPORTS.get(name)
    if found is None:
        raise KeyError(f"no target {name}; there are {', '.join((*TARGETS, *EXPORTS))}")
    return found
