"""What freight costs a firm: its own table by distance or lane, and weight, in its carriers' terms.

Kept on the firm's node and nowhere else: what a firm pays its carriers is nobody's business, and a promise is reckoned
for the firm alone. Where a firm has no table in the order's currency, an estimate counts, and is called so.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import msgspec
from msgspec import Struct

from hanse.node.desk import Desk
from hanse.node.node import write_small
from hanse.node.proposing import STANDARD_TARIFF
from hanse.planning.promise import Band, Tariff

FOLDER = "freight"
COLUMNS = (
    "carrier", "origin", "destination", "up_to_km", "from_kg", "up_to_kg", "fixed", "per_kg", "per_tonne_km", "minimum",
    "days",
)  # fmt: skip


class FreightRow(Struct, frozen=True):
    """Freight of one shipment in one zone and step of weight: fixed + per kilogram, at least the minimum.

    up_to_km: inclusive; 0 where the zone is a lane. fixed_minor: minor units a shipment. per_kg_milliminor: 1/1000
    minor unit a kilogram, of all of its kilograms. per_tonne_km_minor: minor units for 1,000 kg over 1,000 m. days:
    under way. minimum_minor: charged at least. over_g, up_to_g: of shipments heavier than the one, up to the other
    (0: however heavy). carrier: "" the only one. origin, destination: site, city or country of a lane, "" any.
    """

    up_to_km: int
    fixed_minor: int
    per_kg_milliminor: int
    per_tonne_km_minor: int
    days: int
    minimum_minor: int = 0
    over_g: int = 0
    up_to_g: int = 0
    carrier: str = ""
    origin: str = ""
    destination: str = ""


class FreightTable(Struct, frozen=True):
    """A firm's table. currency: ISO 4217, two decimals."""

    currency: str
    rows: tuple[FreightRow, ...]

    def tariff(self) -> Tariff:
        """As the promise at order time takes it."""
        return Tariff(
            tuple(
                Band(
                    row.up_to_km * 1_000, row.fixed_minor, row.per_kg_milliminor, row.per_tonne_km_minor, row.days,
                    row.minimum_minor, row.over_g, row.up_to_g, row.carrier, row.origin.casefold(),
                    row.destination.casefold(),
                )
                for row in self.rows
            )
        )  # fmt: skip

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that this table needs."""
        cells = [_cells(row) for row in self.rows]
        used = {"fixed", "days", *(name for row in cells for name in COLUMNS if row[name])}
        if self._follow():
            used -= {"from_kg"}
        return tuple(name for name in COLUMNS if name in used)

    def _follow(self) -> bool:
        """Whether every step begins where the one before it in its zone ended."""
        ended: dict[tuple[str, str, str, int], int] = {}
        for row in self.rows:
            zone = (row.carrier, row.origin, row.destination, row.up_to_km)
            if row.over_g != ended.get(zone, 0):
                return False
            ended[zone] = row.up_to_g
        return True

    def text(self) -> str:
        """The table as `freight_csv.read_table` takes it."""
        columns = self.columns
        lines = [",".join(columns)]
        for row in self.rows:
            cells = _cells(row)
            lines.append(",".join(f'"{cell}"' if "," in (cell := cells[name]) else cell for name in columns))
        return "\n".join(lines) + "\n"


def _cells(row: FreightRow) -> dict[str, str]:
    """A row as it is written; "" where a column would say nothing."""
    return {
        "carrier": row.carrier,
        "origin": row.origin,
        "destination": row.destination,
        "up_to_km": str(row.up_to_km or ""),
        "from_kg": _written(row.over_g + 1, -3) if row.over_g else "",
        "up_to_kg": _written(row.up_to_g, -3) if row.up_to_g else "",
        "fixed": f"{Decimal(row.fixed_minor).scaleb(-2):f}",
        "per_kg": _written(row.per_kg_milliminor, -5) if row.per_kg_milliminor else "",
        "per_tonne_km": f"{Decimal(row.per_tonne_km_minor).scaleb(-2):f}" if row.per_tonne_km_minor else "",
        "minimum": f"{Decimal(row.minimum_minor).scaleb(-2):f}" if row.minimum_minor else "",
        "days": str(row.days),
    }


def _written(amount: int, digits: int) -> str:
    text = f"{Decimal(amount).scaleb(digits):f}"
    return text.rstrip("0").rstrip(".")


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
    """What a desk's promises and plans reckon with in a currency: its party's own table, else the estimate."""
    table = freight_of(desk.node.directory, desk.who.party)
    return table.tariff() if table is not None and table.currency == currency else STANDARD_TARIFF
