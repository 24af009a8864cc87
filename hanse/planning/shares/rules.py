"""Rules that share the cost of pooling: dual prices, Shapley by sampling, and the proportional ones for comparison."""

import numpy as np

from hanse.planning.shares.game import Floats, Game, Linear, Newsvendor, needs


def dual_shares(game: Game) -> Floats:
    """Charge [member] = units x posted price, at the dual prices of the pooling program (Owen, 1975, theorem 1).

    In the core by construction: no coalition could do better alone; charges sum to the grand coalition's cost.

    >>> dual_shares(Newsvendor([[0.0, 10.0], [10.0, 0.0], [10.0, 10.0]], 1.0, 1.0)).round(2).tolist()
    [1.67, 1.67]
    """
    prices = game.prices(np.ones(game.members))
    return np.asarray(needs(game) @ prices, dtype=np.float64)


def shapley_shares(game: Game, samples: int = 200, seed: int = 0) -> Floats:
    """Shapley value [member] estimated from `samples` orders of joining, each with its reverse (antithetic).

    Sums to the grand coalition's cost exactly. Not in the core in general.
    """
    if samples < 1:
        raise ValueError(f"samples is {samples}; expected at least 1")
    rng = np.random.default_rng(seed)
    total = np.zeros(game.members)
    for _ in range((samples + 1) // 2):
        order = rng.permutation(game.members)
        for one in (order, order[::-1]):
            total[one] += np.diff(_prefix_costs(game, one), prepend=0.0)
    return np.asarray(total / (2 * ((samples + 1) // 2)), dtype=np.float64)


def _prefix_costs(game: Game, order: np.ndarray) -> Floats:
    """Cost after each member of an order has joined."""
    if isinstance(game, Linear):
        joined = np.zeros((game.members, game.members))
        for step in range(game.members):
            joined[step:, order[step]] = 1
        return game.cost(joined)
    return game.cost_of(np.cumsum(game.demand.T[order], axis=0))


def proportional_shares(game: Game, weight: Floats) -> Floats:
    """The grand coalition's cost split in proportion to weight[member] >= 0 (equally where all are 0)."""
    weight = weight if weight.sum() > 0 else np.ones(game.members)
    return np.asarray(game.grand() * weight / weight.sum(), dtype=np.float64)


def all_rules(game: Newsvendor, samples: int = 200, seed: int = 0) -> dict[str, Floats]:
    """Charges [member] under every rule, by name."""
    return {
        "LP dual": dual_shares(game),
        "Shapley by sampling": shapley_shares(game, samples, seed),
        "proportional to stand-alone cost": proportional_shares(game, game.alone()),
        "proportional to demand": proportional_shares(game, game.demand.mean(axis=0)),
        "equal split": proportional_shares(game, np.ones(game.members)),
    }


def settle(charges: Floats, total_minor: int, rest_by: Floats) -> list[int]:
    """Whole minor units that sum to total_minor exactly: the charges, and what they leave spread by `rest_by`.

    The plan that is carried out costs more than its linear program, and the realised cost differs from the expected
    one: that rest is spread in proportion to rest_by[member] >= 0 (stand-alone cost), not priced, and shown as such.
    Rounding by largest remainder (Hamilton): all are rounded down, the units left go to the largest fractions, ties to
    the lower index.

    Raises ValueError, in order: no member; axes unlike; a charge or weight not finite; a negative weight.

    >>> settle(np.array([10.4, 10.4, 10.2]), 31, np.ones(3))
    [11, 10, 10]
    """
    if len(charges) == 0:
        raise ValueError("settling needs at least one member")
    if charges.shape != rest_by.shape or charges.ndim != 1:
        raise ValueError("charges and rest_by must both be [member]")
    if not (np.isfinite(charges).all() and np.isfinite(rest_by).all()):
        raise ValueError("charges and rest_by must be finite")
    if (rest_by < 0).any():
        raise ValueError("rest_by must not be negative")
    weight = rest_by if rest_by.sum() > 0 else np.ones(len(charges))
    exact = charges + (total_minor - charges.sum()) * weight / weight.sum()
    whole = [int(v) for v in np.floor(exact)]
    order = sorted(range(len(whole)), key=lambda i: (whole[i] - float(exact[i]), i))
    left = total_minor - sum(whole)
    for i in range(abs(left)):  # beyond one round only where floats cannot tell units apart
        whole[order[i % len(order)]] += 1 if left > 0 else -1
    return whole
