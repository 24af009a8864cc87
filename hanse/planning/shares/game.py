"""Pooling games: what a coalition of members would pay on its own, and the prices that prove it cannot pay less."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Newsvendor:
    """Members order one stock together before demand is known; scenarios are equally likely.

    A coalition pays min over y of E[holding (y - D)+ + shortage (D - y)+], D its summed demand: a linear program in
    which demand is the right-hand side, hence a linear production game (Owen, 1975).

    Args: demand[scenario, member], each; holding, shortage: minor units per each, > 0.
    Raises ValueError, in order: demand not [scenario, member] with at least one of each; not finite; costs not > 0.

    >>> game = Newsvendor([[0.0, 10.0], [10.0, 0.0]], holding=1.0, shortage=3.0)
    >>> game.cost([[True, False], [True, True]]).tolist()
    [5.0, 0.0]
    """

    demand: Floats
    holding: float
    shortage: float

    def __init__(self, demand: ArrayLike, holding: float, shortage: float) -> None:
        values = np.array(demand, dtype=np.float64)
        if values.ndim != 2 or 0 in values.shape:
            raise ValueError("demand must be [scenario, member], with at least one of each")
        if not np.isfinite(values).all():
            raise ValueError("demand must be finite")
        if not (holding > 0 and shortage > 0):
            raise ValueError("holding and shortage cost must be above 0")
        object.__setattr__(self, "demand", values)
        object.__setattr__(self, "holding", float(holding))
        object.__setattr__(self, "shortage", float(shortage))

    @property
    def members(self) -> int:
        """How many members."""
        return int(self.demand.shape[1])

    def cost(self, coalitions: ArrayLike) -> Floats:
        """Expected cost [coalition] in minor units of coalitions[coalition, member] (true = joins)."""
        joins = np.atleast_2d(np.asarray(coalitions, dtype=np.float64))
        return self.cost_of(joins @ self.demand.T)

    def cost_of(self, total: Floats) -> Floats:
        """Expected cost [coalition] of summed demands total[coalition, scenario], each."""
        count = total.shape[1]
        rank = self._rank(count)
        ordered = np.partition(total, rank, axis=1)
        stock = ordered[:, rank]
        short = ordered[:, rank:].sum(axis=1) - stock * (count - rank)
        left = stock * rank - ordered[:, :rank].sum(axis=1)
        return np.asarray((self.shortage * short + self.holding * left) / count, dtype=np.float64)

    def _rank(self, count: int) -> int:
        ratio = self.shortage / (self.shortage + self.holding)
        return min(max(int(np.ceil(ratio * count - 1e-9)) - 1, 0), count - 1)

    def prices(self, coalition: ArrayLike) -> Floats:
        """Dual prices [scenario] of the coalition's demand: minor units per each asked in that scenario.

        +shortage / scenarios where its demand exceeds the stock, -holding / scenarios where it falls short of it, in
        between at the stock itself; they sum to 0. For every coalition S, prices . D_S <= cost(S) (weak duality).
        """
        total = self.demand @ np.asarray(coalition, dtype=np.float64)
        count = len(total)
        stock = np.partition(total, self._rank(count))[self._rank(count)]
        price = np.where(total > stock, self.shortage, -self.holding) / count
        tied = total == stock
        price[tied] = -price[~tied].sum() / tied.sum()
        return np.asarray(price, dtype=np.float64)

    def alone(self) -> Floats:
        """Stand-alone cost [member], minor units."""
        return self.cost_of(np.ascontiguousarray(self.demand.T))

    def grand(self) -> float:
        """Cost of all members together, minor units."""
        return float(self.cost(np.ones((1, self.members)))[0])


@dataclass(frozen=True)
class Linear:
    """Any linear production game: a coalition pays min cost . x over x >= 0, matrix x >= sum of its members' needs.

    Args: matrix[row, column]; cost[column], minor units; need[member, row] (a stock that a member brings is a row with
        negative entries and a negative need).
    Several items, sites with transfers, several periods: whatever keeps members in the right-hand side only.
    """

    matrix: Floats
    unit_cost: Floats
    need: Floats

    @property
    def members(self) -> int:
        """How many members."""
        return int(self.need.shape[0])

    def solve(self, coalition: ArrayLike) -> tuple[float, Floats]:
        """Cost in minor units and dual prices [row] of one coalition. Raises ValueError where it has no plan."""
        asked = np.asarray(coalition, dtype=np.float64) @ self.need
        found = linprog(self.unit_cost, A_ub=-self.matrix, b_ub=-asked, bounds=(0, None), method="highs")
        if found.status != 0:
            raise ValueError(f"the coalition's linear program has no optimum: {found.message}")
        return float(found.fun), np.asarray(-found.ineqlin.marginals, dtype=np.float64)

    def cost(self, coalitions: ArrayLike) -> Floats:
        """Cost [coalition], minor units, of coalitions[coalition, member]."""
        return np.array([self.solve(row)[0] for row in np.atleast_2d(np.asarray(coalitions))])

    def prices(self, coalition: ArrayLike) -> Floats:
        """Dual prices [row] of a coalition's needs, minor units per unit of the row."""
        return self.solve(coalition)[1]

    def alone(self) -> Floats:
        """Stand-alone cost [member], minor units."""
        return self.cost(np.eye(self.members))

    def grand(self) -> float:
        """Cost of all members together, minor units."""
        return self.solve(np.ones(self.members))[0]


Game = Newsvendor | Linear


def needs(game: Game) -> Floats:
    """What prices() multiplies: need[member, row] (for the newsvendor, demand by scenario)."""
    return game.demand.T if isinstance(game, Newsvendor) else game.need
