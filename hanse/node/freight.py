"""What freight costs a firm: its own table by distance and weight, in its carriers' terms.

Kept on the firm's node and nowhere else: what a firm pays its carriers is nobody's business, and a promise is reckoned
for the firm alone. Where a firm has no table in the order's currency, an estimate counts, and is called so.
"""

from __future__ import annotations

import csv
import hashlib
import io
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path

import msgspec
from msgspec import Struct

from hanse.kernel.refusal import Refused, require
from hanse.node.desk import Desk
from hanse.node.node import write_small
from hanse.node.proposing import STANDARD_TARIFF
from hanse.planning.promise import Band, Tariff

FOLDER = "freight"
ROWS_MAX = 50
TEXT_CHARS_MAX = 20_000
KM_MAX = 20_100
COLUMNS = ("up_to_km", "fixed", "per_kg", "per_tonne_km", "days")
_UNITS_MAX = Decimal(10**9)


class FreightRow(Struct, frozen=True):
    """Freight of one shipment up to a distance.

    up_to_km: inclusive. fixed_minor: minor units a shipment. per_kg_milliminor: 1/1000 minor unit a kilogram.
    per_tonne_km_minor: minor units for 1,000 kg over 1,000 m. days: under way.
    """

    up_to_km: int
    fixed_minor: int
    per_kg_milliminor: int
    per_tonne_km_minor: int
    days: int


class FreightTable(Struct, frozen=True):
    """A firm's table, the nearest row first. currency: ISO 4217, two decimals."""

    currency: str
    rows: tuple[FreightRow, ...]

    def tariff(self) -> Tariff:
        """As the promise at order time takes it."""
        return Tariff(
            tuple(
                Band(row.up_to_km * 1_000, row.fixed_minor, row.per_kg_milliminor, row.per_tonne_km_minor, row.days)
                for row in self.rows
            )
        )

    def text(self) -> str:
        """The table as `read_table` takes it."""
        lines = [",".join(COLUMNS)]
        for row in self.rows:
            kg, tonne_km = Decimal(row.per_kg_milliminor).scaleb(-5), Decimal(row.per_tonne_km_minor).scaleb(-2)
            lines.append(f"{row.up_to_km},{Decimal(row.fixed_minor).scaleb(-2):f},{kg:f},{tonne_km:f},{row.days}")
        return "\n".join(lines) + "\n"


def read_table(text: str, currency: str) -> FreightTable:
    """A table from CSV: comma, semicolon or tab; amounts in units of the currency, with a point or a comma.

    Refuses, in order: freight.currency, freight.too_large, freight.columns, freight.number (names the row),
        freight.order (distances rise from row to row).

    >>> read_table("up_to_km;fixed;per_kg;days\\n100;6,50;0,08;1\\n900;12;0.2;2", "EUR").rows[0]
    FreightRow(up_to_km=100, fixed_minor=650, per_kg_milliminor=8000, per_tonne_km_minor=0, days=1)
    """
    known = len(currency) == 3 and currency.isascii() and currency.isupper()
    require(known, "freight.currency", "name the currency", got=currency[:10], expected="as in EUR")
    size = len(text) <= TEXT_CHARS_MAX
    require(size, "freight.too_large", "the table is too long", got=len(text), expected=f"<= {TEXT_CHARS_MAX}")
    first = text.lstrip("\ufeff").lstrip().partition("\n")[0]
    mark = next((one for one in (";", "\t") if one in first), ",")
    lines = [row for row in csv.reader(io.StringIO(text.lstrip("\ufeff").strip()), delimiter=mark) if any(row)]
    heads = [cell.strip().casefold().replace(" ", "_") for cell in lines[0]] if lines else []
    whole = {"up_to_km", "fixed"} <= set(heads) <= set(COLUMNS) and len(set(heads)) == len(heads)
    few = 1 < len(lines) <= ROWS_MAX + 1
    require(
        whole and few, "freight.columns", "the first line names the columns, one line a distance follows",
        got=", ".join(heads)[:200], expected=", ".join(COLUMNS),
    )  # fmt: skip
    rows = tuple(_row(number, dict(zip(heads, cells, strict=False))) for number, cells in enumerate(lines[1:], 2))
    reach = [row.up_to_km for row in rows]
    rising = all(near < far for near, far in pairwise(reach))
    require(rising, "freight.order", "the distances rise from line to line", got=", ".join(map(str, reach))[:200])
    return FreightTable(currency, rows)


def _row(number: int, cells: dict[str, str]) -> FreightRow:
    km, days = _scaled(number, cells, "up_to_km", 0, KM_MAX), _scaled(number, cells, "days", 0, 365, "1")
    require(km >= 1, "freight.number", f"line {number}: a distance is at least 1 km", got=km)
    return FreightRow(
        up_to_km=km,
        fixed_minor=_scaled(number, cells, "fixed", 2),
        per_kg_milliminor=_scaled(number, cells, "per_kg", 5),
        per_tonne_km_minor=_scaled(number, cells, "per_tonne_km", 2),
        days=days,
    )


def _scaled(number: int, cells: dict[str, str], name: str, digits: int, most: int = 0, otherwise: str = "0") -> int:
    """A cell in 10^-digits. Refuses: freight.number."""
    text = (cells.get(name) or "").strip() or otherwise
    try:
        found = Decimal(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except InvalidOperation:
        found = Decimal("NaN")
    highest = Decimal(most) if most else _UNITS_MAX
    good = found.is_finite() and 0 <= found <= highest and found.scaleb(digits) == int(found.scaleb(digits))
    if not good:
        expected = f"0 .. {highest}, at most {digits} decimals"
        raise Refused("freight.number", f"line {number}: {name} is no such number", got=text[:40], expected=expected)
    return int(found.scaleb(digits))


def _path(directory: Path, party: str) -> Path:
    """A party's file. Its name is hashed: an id may hold signs that a path may not."""
    return directory / FOLDER / f"{hashlib.sha256(party.encode()).hexdigest()[:24]}.json"


def freight_of(directory: Path, party: str) -> FreightTable | None:
    """A party's own table, or None."""
    try:
        return msgspec.json.decode(_path(directory, party).read_bytes(), type=FreightTable)
    except FileNotFoundError:
        return None


def keep_freight(directory: Path, party: str, table: FreightTable | None) -> None:
    """Keep a party's table instead of the one before; None: it has none."""
    path = _path(directory, party)
    if table is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_small(path, msgspec.json.encode(table), 0o600)


def tariff_for(desk: Desk, currency: str) -> Tariff:
    """What a desk's promises reckon with in a currency: its party's own table, else the estimate."""
    table = freight_of(desk.node.directory, desk.who.party)
    return table.tariff() if table is not None and table.currency == currency else STANDARD_TARIFF
