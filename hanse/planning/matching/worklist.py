"""How far the matching of a catalogue has come, in lines and in money."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of a catalogue that is matched: lines and value, counts and minor units of one currency."""

    lines: int
    lines_matched: int
    value_minor: int
    value_matched_minor: int

    @property
    def lines_ppm(self) -> int:
        """Lines matched per million lines; 0 for an empty catalogue."""
        return self.lines_matched * 1_000_000 // self.lines if self.lines else 0

    @property
    def value_ppm(self) -> int:
        """Value matched per million of value; 0 where there is no value."""
        return self.value_matched_minor * 1_000_000 // self.value_minor if self.value_minor else 0


def coverage(value_minor: Mapping[str, int], matched: Collection[str]) -> Coverage:
    """Measure a worklist.

    Args:
        value_minor: own number -> money at stake (stock value, or a year's trade) of every line, minor units, >= 0.
        matched: own numbers that are accepted.

    >>> c = coverage({"A": 900, "B": 100, "C": 0}, {"A", "C"})
    >>> c.lines_matched, c.lines_ppm, c.value_ppm
    (2, 666666, 900000)
    """
    chosen = set(matched)
    values = [value for number, value in value_minor.items() if number in chosen]
    return Coverage(len(value_minor), len(values), sum(value_minor.values()), sum(values))
