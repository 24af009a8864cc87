"""Distance between two places on the sphere."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_M = 6_371_009
"""Mean radius (2a + b) / 3 of the WGS 84 ellipsoid, rounded to the metre."""


def distance_m(latitude_a: int, longitude_a: int, latitude_b: int, longitude_b: int) -> int:
    """Great-circle distance in whole metres between two points in microdegrees (haversine).

    Source: R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (2), 1984.

    >>> distance_m(53_550_000, 9_993_000, 53_550_000, 9_993_000)
    0
    >>> distance_m(53_551_086, 9_993_682, 48_137_154, 11_576_124) // 1000  # Hamburg to Munich, km
    612
    """
    phi_a, phi_b = radians(latitude_a / 1e6), radians(latitude_b / 1e6)
    half_phi = (phi_b - phi_a) / 2
    half_lambda = radians((longitude_b - longitude_a) / 1e6) / 2
    h = sin(half_phi) ** 2 + cos(phi_a) * cos(phi_b) * sin(half_lambda) ** 2
    return round(2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, h))))
