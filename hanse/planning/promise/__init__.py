"""Promise at order time: which sources serve one order, at the lowest total cost, and why.

One function, `promise`, behind which a better algorithm can stand: plain values in, a plan that explains itself out.
"""

from hanse.planning.promise.distance import distance_m
from hanse.planning.promise.model import Band, Candidate, Need, Policy, Tariff
from hanse.planning.promise.plan import LinePlan, NextBest, Plan, ServedPart, ShipmentPlan
from hanse.planning.promise.solve import promise

__all__ = [
    "Band",
    "Candidate",
    "LinePlan",
    "Need",
    "NextBest",
    "Plan",
    "Policy",
    "ServedPart",
    "ShipmentPlan",
    "Tariff",
    "distance_m",
    "promise",
]
