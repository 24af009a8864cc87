"""The plan of one order, as it is shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServedPart:
    """Part of a line from one offer. `goods_minor` = each x unit price. Days count from today."""

    offer: str
    source: str
    each: int
    unit_price_minor: int
    goods_minor: int
    arrives_in_days: int
    late_days: int


@dataclass(frozen=True, slots=True)
class NextBest:
    """The best other way to serve a line: wholly from one other offer, nothing else in the plan changed.

    `extra_minor`: what the order would cost more (less, when negative: the plan then serves own stock first, spares
    what is scarce, or keeps to the number of sources).
    """

    offer: str
    source: str
    unit_price_minor: int
    arrives_in_days: int
    extra_minor: int


@dataclass(frozen=True, slots=True)
class LinePlan:
    """How a line is served. `reason`: why `unserved_each` is not zero, "" when it is; `sentence` says all of it."""

    line: int
    each: int
    parts: tuple[ServedPart, ...]
    unserved_each: int
    reason: str
    next_best: NextBest | None
    sentence: str


@dataclass(frozen=True, slots=True)
class ShipmentPlan:
    """What leaves one source. Freight rounded half to even, once. carrier: "" where the tariff names none."""

    source: str
    distance_m: int
    weight_g: int
    freight_minor: int
    arrives_in_days: int
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Total = goods + freight + split + late. `exact`: no other plan serves more, or as much for less."""

    lines: tuple[LinePlan, ...]
    shipments: tuple[ShipmentPlan, ...]
    goods_minor: int
    freight_minor: int
    split_minor: int
    late_minor: int
    exact: bool

    @property
    def total_minor(self) -> int:
        return self.goods_minor + self.freight_minor + self.split_minor + self.late_minor

    @property
    def unserved_each(self) -> int:
        return sum(line.unserved_each for line in self.lines)
