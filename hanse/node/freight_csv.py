"""A freight table from a spreadsheet: a firm's own, a matrix of zones and weights, or a carrier's list of lanes."""

from __future__ import annotations

import csv
import io
import re
from bisect import bisect
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

import msgspec

from hanse.kernel.refusal import Refused, require
from hanse.node.freight import COLUMNS, FreightRow, FreightTable

ROWS_MAX = 5_000
TEXT_CHARS_MAX = 400_000
KM_MAX = 20_100
KG_MAX = 10**6
NAME_CHARS_MAX = 80
GAP_G = 10
"""Steps written "5 to 9.99, 10 to 14.99" leave a hundredth of a kilogram between them that belongs to the first."""
ALIASES = {
    "orig_port_cd": "origin", "from": "origin", "origin_port": "origin", "von": "origin",
    "dest_port_cd": "destination", "to": "destination", "destination_port": "destination", "nach": "destination",
    "minm_wgh_qty": "from_kg", "min_weight": "from_kg", "weight_from": "from_kg", "gewicht_von": "from_kg",
    "max_wgh_qty": "up_to_kg", "max_weight": "up_to_kg", "weight_to": "up_to_kg", "gewicht_bis": "up_to_kg",
    "minimum_cost": "minimum", "minimum_charge": "minimum", "mindestfracht": "minimum",
    "rate": "per_kg", "rate_per_kg": "per_kg", "price_per_kg": "per_kg",
    "tpt_day_cnt": "days", "transit_time": "days", "transit_days": "days", "laufzeit": "days",
    "svc_cd": "service", "service_level": "service", "mode_dsc": "mode", "mode_of_transport": "mode",
    "spediteur": "carrier", "transporteur": "carrier", "carrier_name": "carrier",
}  # fmt: skip
WITH_CARRIER = ("carrier", "service", "mode")
"""Joined: each is one way to ship, with steps of its own."""
SAYS_NOTHING = {"carrier_type"}
_AMOUNT_MAX = Decimal(10**9)
_ZONE = re.compile(r"(?:up_to_|bis_)?(\d{1,5})_?km")
Cells = dict[str, str]


def read_table(text: str, currency: str) -> FreightTable:
    """A table from CSV: comma, semicolon or tab; amounts in units of the currency, with a point or a comma.

    A line holds one zone (`up_to_km`, or a lane by `origin` and `destination`) and one step of weight. Without
    `from_kg` a step begins where the one before it ended; without `up_to_kg` it has no end. A matrix has columns such
    as `50 km`, `300 km` instead, with the price of a shipment in each. Weights are rounded to the gram, half to even.

    Refuses, in order: freight.currency, freight.too_large, freight.columns, freight.number (names the line),
        freight.order (a carrier's distances, and weights within a distance, rise from line to line; two ways at one
        price list are two carriers, or say `from_kg`).

    >>> read_table("up_to_km;fixed;per_kg;days\\n100;6,50;0,08;1\\n900;12;0.2;2", "EUR").rows[0]
    FreightRow(up_to_km=100, fixed_minor=650, per_kg_milliminor=8000, per_tonne_km_minor=0, days=1, minimum_minor=0, \
over_g=0, up_to_g=0, carrier='', origin='', destination='')
    >>> matrix = read_table("up_to_kg,50 km,300 km\\n5,4.9,6\\n30,8,9", "EUR")
    >>> [(row.up_to_km, row.up_to_g, row.fixed_minor) for row in matrix.rows]
    [(50, 5000, 490), (50, 30000, 800), (300, 5000, 600), (300, 30000, 900)]
    """
    known = len(currency) == 3 and currency.isascii() and currency.isupper()
    require(known, "freight.currency", "name the currency", got=currency[:10], expected="as in EUR")
    size = len(text) <= TEXT_CHARS_MAX
    require(size, "freight.too_large", "the table is too long", got=len(text), expected=f"<= {TEXT_CHARS_MAX}")
    heads, lines = _cells(text)
    zones = [head for head in heads if _ZONE.fullmatch(head)]
    known_heads = {*COLUMNS, *WITH_CARRIER, *SAYS_NOTHING, *zones}
    placed = {"up_to_km", "origin", "destination"} & set(heads)
    priced = {"fixed", "per_kg"} & set(heads)
    whole = (bool(zones) and not placed and not priced) or (not zones and bool(placed) and bool(priced))
    unlike = len(set(heads)) == len(heads) and set(heads) <= known_heads
    few = 1 <= len(lines) <= ROWS_MAX
    require(
        whole and unlike and few, "freight.columns", "the first line names the columns, one line a step follows",
        got=", ".join(heads)[:200], expected=", ".join(COLUMNS),
    )  # fmt: skip
    if zones:
        lines = [(n, _zone(cells, zone)) for zone in zones for n, cells in lines if cells.get(zone, "").strip()]
    return FreightTable(currency, _stepped([(n, _row(n, cells), "from_kg" in heads) for n, cells in lines]))


def _cells(text: str) -> tuple[list[str], list[tuple[int, Cells]]]:
    """(columns by our names, (line number, its cells))."""
    text = text.lstrip("\ufeff").strip()
    first = text.partition("\n")[0]
    mark = next((one for one in (";", "\t") if one in first), ",")
    rows = [(n, row) for n, row in enumerate(csv.reader(io.StringIO(text), delimiter=mark), 1) if any(row)]
    if not rows:
        return [], []
    heads = [re.sub(r"[ _]+", "_", cell.strip().casefold()) for cell in rows[0][1]]
    heads = [ALIASES.get(head, head) for head in heads]
    return heads, [(number, dict(zip(heads, row, strict=False))) for number, row in rows[1:]]


def _zone(cells: Cells, zone: str) -> Cells:
    """One cell of a matrix as a line of its own."""
    found = _ZONE.fullmatch(zone)
    assert found is not None, "the heads were read so"
    rest = {name: cell for name, cell in cells.items() if not _ZONE.fullmatch(name)}
    return {**rest, "up_to_km": found[1], "fixed": cells[zone]}


def _row(number: int, cells: Cells) -> FreightRow:
    km, days = _scaled(number, cells, "up_to_km", 0, KM_MAX), _scaled(number, cells, "days", 0, 365, "1")
    origin, destination = _name(number, cells, "origin"), _name(number, cells, "destination")
    zone = km >= 1 or bool(origin or destination)
    require(zone, "freight.number", f"line {number}: a distance is at least 1 km", got=km)
    low, high = _grams(number, cells, "from_kg"), _grams(number, cells, "up_to_kg")
    empty = bool((cells.get("up_to_kg") or "").strip()) and high <= low
    require(not empty, "freight.number", f"line {number}: the step of weight ends where it begins", got=f"{high} g")
    return FreightRow(
        up_to_km=km,
        fixed_minor=_scaled(number, cells, "fixed", 2),
        per_kg_milliminor=_scaled(number, cells, "per_kg", 5),
        per_tonne_km_minor=_scaled(number, cells, "per_tonne_km", 2),
        days=days,
        minimum_minor=_scaled(number, cells, "minimum", 2),
        over_g=low,
        up_to_g=high,
        carrier=" ".join(filter(None, (_name(number, cells, part) for part in WITH_CARRIER))),
        origin=origin,
        destination=destination,
    )


def _name(number: int, cells: Cells, name: str) -> str:
    text = (cells.get(name) or "").strip()
    good = len(text) <= NAME_CHARS_MAX and text.isprintable() and '"' not in text
    require(good, "freight.number", f"line {number}: {name} is too long or no plain text", got=text[:40])
    return text


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except InvalidOperation:
        return Decimal("NaN")


def _scaled(number: int, cells: Cells, name: str, digits: int, most: int = 0, otherwise: str = "0") -> int:
    """A cell in 10^-digits. Refuses: freight.number."""
    text = (cells.get(name) or "").strip() or otherwise
    found, highest = _decimal(text), Decimal(most) if most else _AMOUNT_MAX
    good = found.is_finite() and 0 <= found <= highest and found.scaleb(digits) == int(found.scaleb(digits))
    if not good:
        expected = f"0 .. {highest}, at most {digits} decimals"
        raise Refused("freight.number", f"line {number}: {name} is no such number", got=text[:40], expected=expected)
    return int(found.scaleb(digits))


def _grams(number: int, cells: Cells, name: str) -> int:
    """A weight in kilograms. Refuses: freight.number."""
    text = (cells.get(name) or "").strip() or "0"
    found = _decimal(text)
    if not (found.is_finite() and 0 <= found <= KG_MAX):
        message = f"line {number}: {name} is no such number"
        raise Refused("freight.number", message, got=text[:40], expected=f"0 .. {KG_MAX}")
    return int(found.scaleb(3).quantize(Decimal(1), ROUND_HALF_EVEN))


# -- steps -----------------------------------------------------------------------------------------------------------


def _stepped(found: Sequence[tuple[int, FreightRow, bool]]) -> tuple[FreightRow, ...]:
    """The rows with their steps joined: each begins where the one before it in its zone ended.

    Refuses: freight.order.
    """
    zones: dict[tuple[object, ...], list[tuple[int, FreightRow]]] = {}
    farthest: dict[tuple[str, str, str], int] = {}
    stated = any(given for _, _, given in found)
    for number, row, _ in found:
        lane = (row.carrier, row.origin, row.destination)
        falls = row.up_to_km < farthest.get(lane, 0)
        got = f"line {number}: {row.up_to_km} km after {farthest.get(lane, 0)} km"
        require(not falls, "freight.order", "the distances rise from line to line", got=got)
        farthest[lane] = row.up_to_km
        # steps that say where they begin may stand beside others that are faster or slower
        zones.setdefault((*lane, row.up_to_km, row.days if stated else 0), []).append((number, row))
    kept: list[FreightRow] = []
    for steps in zones.values():
        kept += _joined(steps) if stated else _following(steps)
    return tuple(kept)


def _following(steps: Sequence[tuple[int, FreightRow]]) -> Iterable[FreightRow]:
    """Steps that say where they end alone."""
    below = 0
    for at, (number, row) in enumerate(steps):
        rises = row.up_to_g > below or (row.up_to_g == 0 and at == len(steps) - 1)
        got = f"line {number}: up to {row.up_to_g} g"
        require(rises, "freight.order", "distances and weights rise from line to line", got=got)
        yield msgspec.structs.replace(row, over_g=below)
        below = row.up_to_g


def _joined(steps: Sequence[tuple[int, FreightRow]]) -> list[FreightRow]:
    """Steps that say where they begin, in any order; of those alike but dearer none is kept."""
    starts = sorted({row.over_g for _, row in steps if row.over_g > GAP_G})
    rows = []
    for _, row in steps:
        # what is stated begins a step, inclusive; a smaller gap to the next one is closed
        next_start = starts[at] if (at := bisect(starts, row.up_to_g)) < len(starts) else 0
        high = next_start - 1 if row.up_to_g and 0 < next_start - row.up_to_g <= GAP_G else row.up_to_g
        low = row.over_g - 1 if row.over_g > GAP_G else 0
        rows.append(msgspec.structs.replace(row, over_g=low, up_to_g=high))
    rows.sort(key=lambda row: (row.over_g, row.up_to_g or KG_MAX * 1_001, row.minimum_minor, row.per_kg_milliminor))
    kept: list[FreightRow] = []
    for row in rows:
        if not any(_no_dearer(other, row) for other in kept):
            kept.append(row)
    return kept


def _no_dearer(one: FreightRow, other: FreightRow) -> bool:
    same = (one.over_g, one.up_to_g) == (other.over_g, other.up_to_g)
    prices = [
        (row.fixed_minor, row.per_kg_milliminor, row.per_tonne_km_minor, row.minimum_minor) for row in (one, other)
    ]
    return same and all(a <= b for a, b in zip(*prices, strict=True))
