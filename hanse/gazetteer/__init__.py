"""A small gazetteer: where cities are. Data and attribution: see NOTICE.md."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from msgspec import Struct


class City(Struct, frozen=True):
    """A city. `country`: ISO 3166-1 alpha-2. Coordinates in microdegrees (WGS 84)."""

    city: str
    country: str
    latitude_microdeg: int
    longitude_microdeg: int
    population: int


@cache
def cities() -> dict[tuple[str, str], City]:
    """All cities by (country, name)."""
    with (Path(__file__).parent / "cities.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            City(
                row["city"],
                row["country"],
                int(row["latitude_microdeg"]),
                int(row["longitude_microdeg"]),
                int(row["population"]),
            )
            for row in csv.DictReader(file)
        ]
    return {(row.country, row.city): row for row in rows}


def find(city: str, country: str = "") -> City | None:
    """A city by its name, letter case aside; without a country the largest of that name. None where unknown.

    >>> find("lübeck", "DE").latitude_microdeg // 1_000_000
    53
    >>> find("Atlantis") is None
    True
    """
    name = city.strip().casefold()
    hits = [c for c in cities().values() if c.city.casefold() == name and (not country or c.country == country)]
    return max(hits, key=lambda c: (c.population, c.country), default=None)
