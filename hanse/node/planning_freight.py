"""Freight of a plan's lines: what the firm's own tariff says of an order's whole weight.

A plan's costs are linear: an amount for each place that serves an order, and one for each unit. Where a tariff steps
with weight, both are those of the step that the whole order falls into, as if all of it came from there: exact for an
order that ships from one place, an estimate for one that is split.
"""

from __future__ import annotations

from collections.abc import Sequence

from hanse.node.planning_lines import Demand
from hanse.planning.promise import Policy, Tariff
from hanse.planning.promise.tariff import SCALE, Leg, ways


class OrderFreight:
    """The leg of a tariff that an order takes from a place, the same for all of its lines.

    weights_g: of one unit, parallel to demands.
    """

    def __init__(self, tariff: Tariff, policy: Policy, demands: Sequence[Demand], weights_g: Sequence[int]) -> None:
        self.tariff, self.policy = tariff, policy
        self.lines: dict[str, list[Demand]] = {}
        self.weight_g: dict[str, int] = {}
        for demand, weight_g in zip(demands, weights_g, strict=True):
            self.lines.setdefault(demand.group, []).append(demand)
            self.weight_g[demand.group] = self.weight_g.get(demand.group, 0) + weight_g * demand.each
        self._legs: dict[tuple[str, str], Leg | None] = {}

    def leg(
        self, demand: Demand, place: str, distance_m: int, lead_time_days: int, origins: Sequence[str], piece_g: int
    ) -> Leg | None:
        """The cheapest leg for a demand's order from a place, its lateness reckoned; None where nothing goes."""
        key = (demand.group, place)
        if key not in self._legs:
            self._legs[key] = self._cheapest(demand, distance_m, lead_time_days, origins, piece_g)
        return self._legs[key]

    def _cheapest(
        self, demand: Demand, distance_m: int, lead_time_days: int, origins: Sequence[str], piece_g: int
    ) -> Leg | None:
        grams, lines = self.weight_g[demand.group], self.lines[demand.group]
        found = ways(self.tariff.zone(distance_m, origins, demand.places), distance_m)
        legs = [leg for way in found if piece_g <= way.top_g for leg in way.at(grams)]
        if not legs:
            return None

        def charged(leg: Leg) -> tuple[int, int]:
            days = lead_time_days + leg.transit_days
            late = sum(max(0, days - one.within_days) * one.each for one in lines if one.within_days >= 0)
            return leg.cost(grams) + self.policy.late_minor * late * SCALE, days

        best = min(legs, key=charged)
        if best.fixed >= 0:
            return best
        # several shipments of one carrier: by the gram alone
        return Leg(best.over_g, best.up_to_g, 0, -(-best.cost(grams) // grams), best.transit_days, best.carrier)
