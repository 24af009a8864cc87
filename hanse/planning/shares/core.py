"""Is a division of the cost stable? Coalitions that would gain by leaving, and the one that comes nearest to it."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from hanse.planning.shares.game import Floats, Game, needs

Bools = NDArray[np.bool_]
ENUMERATED = 12
STARTS = 4
SWAPS = 400
TOLERANCE = 1e-9  # of the coalition's cost: below it a gain is rounding


@dataclass(frozen=True)
class Leaving:
    """How many of the coalitions tried would gain by leaving, and the worst overcharge (charge / own cost - 1)."""

    tried: int
    gaining: int
    worst_overcharge: float


@dataclass(frozen=True)
class Nearest:
    """The coalition that comes nearest to leaving.

    Args:
        members: [member], true = in it.
        slack: its own cost minus its charge, minor units; negative = it would gain by leaving.
        slack_ratio: slack / own cost.
        slack_ratio_least: proven: no coalition of the permitted sizes has a lower ratio.
        rounds: of constraint generation; 0 where all coalitions were tried.
    """

    members: Bools
    slack: float
    slack_ratio: float
    slack_ratio_least: float
    rounds: int


def random_coalitions(members: int, count: int, seed: int = 0) -> Bools:
    """Coalitions [coalition, member] of evenly drawn size 1..members - 1, members drawn without replacement."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, max(members, 2), count)
    rank = np.argsort(np.argsort(rng.random((count, members)), axis=1), axis=1)
    return np.asarray(rank < size[:, None], dtype=np.bool_)


def every_coalition(members: int) -> Bools:
    """All 2^members - 2 coalitions but the empty and the grand one: [coalition, member]. Members: 2..16."""
    if not 2 <= members <= 16:
        raise ValueError(f"{members} members; enumeration serves 2..16")
    rows = np.array(list(product((False, True), repeat=members)), dtype=np.bool_)
    return rows[1:-1]


def leaving(game: Game, charges: Floats, coalitions: Bools) -> Leaving:
    """Check charges[member] (minor units) against coalitions[coalition, member]."""
    own = game.cost(coalitions)
    charged = coalitions.astype(np.float64) @ charges
    scale = np.maximum(np.abs(own), 1e-9 * max(abs(game.grand()), 1e-9))
    over = (charged - own) / scale
    return Leaving(len(coalitions), int((over > TOLERANCE).sum()), float(over.max()))


def nearest_to_leaving(
    game: Game, charges: Floats, *, size_most: int | None = None, rounds: int = 40, seed: int = 0
) -> Nearest:
    """Search for the coalition with the least slack ratio by constraint generation, and prove a bound.

    cost(S) is the largest of prices . needs(S) over all dual prices. The master keeps a few price vectors and takes,
    over fractional coalitions, the one that looks most overcharged against them; rounding and single exchanges make a
    coalition of it, whose own prices are the next constraint. The master's value bounds every coalition: a bound >= 0
    proves that none gains by leaving. It is not tight (a fraction of everybody costs exactly its charge); up to
    ENUMERATED members all coalitions are tried instead, and the bound is the value.

    Args: charges[member], minor units; size_most: members in the coalition, 1..members - 1 (default: half of them,
        since all but one are always near); rounds >= 1.
    Raises ValueError, in order: fewer than two members; size_most outside 1..members - 1.
    """
    count = game.members
    if count < 2:
        raise ValueError("a coalition that leaves needs at least two members")
    most = max(count // 2, 1) if size_most is None else size_most
    if not 1 <= most <= count - 1:
        raise ValueError(f"size_most of {most} lies outside 1..{count - 1}")
    if count <= ENUMERATED:
        return _enumerated(game, charges, most)
    best, ratio = _best_start(game, charges, most, seed)
    need = needs(game)
    cuts = [need @ game.prices(np.ones(count)), need @ game.prices(best)]
    least = -np.inf
    step = 0
    while step < rounds:
        step += 1
        bound, fractional = _master(np.stack(cuts), charges, most)
        least = max(least, bound)
        candidate = _rounded(fractional, most)
        candidate, found = _exchange(game, charges, candidate, most, 3, seed)
        if found < ratio - 1e-12:
            best, ratio = candidate, found
        if ratio - least < 1e-6:
            break
        cuts.append(need @ game.prices(fractional))
        cuts.append(need @ game.prices(candidate))
    own = float(game.cost(best[None])[0])
    slack = own - float(charges[best].sum())
    if abs(slack) <= TOLERANCE * own:  # exactly as well off alone, but for rounding
        return Nearest(best, 0.0, 0.0, 0.0 if abs(least) < TOLERANCE else min(least, 0.0), step)
    return Nearest(best, slack, ratio, min(least, ratio), step)


def _enumerated(game: Game, charges: Floats, most: int) -> Nearest:
    tried = every_coalition(game.members)
    tried = tried[tried.sum(axis=1) <= most]
    ratios = _ratios(game, charges, tried)
    best = int(np.argmin(ratios))
    own = float(game.cost(tried[best][None])[0])
    ratio = float(ratios[best])
    return Nearest(tried[best], own - float(charges[tried[best]].sum()), ratio, ratio, 0)


def _ratios(game: Game, charges: Floats, coalitions: Bools) -> Floats:
    own = game.cost(coalitions)
    charged = coalitions.astype(np.float64) @ charges
    floor = 1e-9 * max(abs(game.grand()), 1e-9)
    return np.asarray((own - charged) / np.maximum(own, floor), dtype=np.float64)


def _best_start(game: Game, charges: Floats, most: int, seed: int) -> tuple[Bools, float]:
    """The best of single members and random coalitions, after exchanges from the STARTS best of them."""
    tried = np.vstack([np.eye(game.members, dtype=np.bool_), random_coalitions(game.members, 500, seed)])
    tried = tried[tried.sum(axis=1) <= most]
    order = np.argsort(_ratios(game, charges, tried), kind="stable")[:STARTS]
    found = [_exchange(game, charges, tried[i], most, 30, seed) for i in order]
    return min(found, key=lambda one: one[1])


def _master(cuts: Floats, charges: Floats, most: int) -> tuple[float, Floats]:
    """Least (t - charge) / t over fractional coalitions, t >= every cut: scaled to t = 1 (Charnes and Cooper, 1962).

    With z = s / t and w = 1 / t: maximise charges . z, cuts . z <= 1, 0 <= z <= w, sum z <= most x w.
    """
    rows, members = cuts.shape
    matrix = np.zeros((rows + members + 1, members + 1))
    matrix[:rows, :members] = cuts
    matrix[rows:-1, :members] = np.eye(members)
    matrix[rows:-1, -1] = -1
    matrix[-1, :members] = 1
    matrix[-1, -1] = -most
    right = np.concatenate([np.ones(rows), np.zeros(members + 1)])
    found = linprog(np.append(-charges, 0.0), A_ub=matrix, b_ub=right, bounds=(0, None), method="highs")
    if found.status != 0:
        return -np.inf, np.full(members, most / members)
    share = found.x[:-1] / max(found.x[-1], 1e-300)
    return 1.0 + float(found.fun), np.asarray(np.clip(share, 0, 1), dtype=np.float64)


def _rounded(fractional: Floats, most: int) -> Bools:
    size = min(max(round(float(fractional.sum())), 1), most)
    chosen = np.zeros(len(fractional), dtype=np.bool_)
    chosen[np.argsort(-fractional, kind="stable")[:size]] = True
    return chosen


def _exchange(game: Game, charges: Floats, start: Bools, most: int, steps: int, seed: int) -> tuple[Bools, float]:
    """Improve a coalition, step by step, by the best of: one member more, one less, or one of SWAPS swaps."""
    rng = np.random.default_rng(seed)
    current = start
    ratio = float(_ratios(game, charges, current[None])[0])
    for _ in range(steps):
        changed = np.vstack([current ^ np.eye(len(current), dtype=np.bool_), _swaps(current, rng)])
        size = changed.sum(axis=1)
        changed = changed[(size >= 1) & (size <= most)]
        ratios = _ratios(game, charges, changed)
        best = int(np.argmin(ratios))
        if ratios[best] >= ratio - 1e-12:
            break
        current, ratio = changed[best], float(ratios[best])
    return current, ratio


def _swaps(current: Bools, rng: np.random.Generator) -> Bools:
    """One member out for one in: all such coalitions, or SWAPS of them: [coalition, member]."""
    inside, outside = np.flatnonzero(current), np.flatnonzero(~current)
    pairs = len(inside) * len(outside)
    picked = np.arange(pairs) if pairs <= SWAPS else rng.integers(0, pairs, SWAPS)
    rows = np.tile(current, (len(picked), 1))
    each = np.arange(len(picked))
    if len(picked):
        rows[each, inside[picked // len(outside)]] = False
        rows[each, outside[picked % len(outside)]] = True
    return rows
