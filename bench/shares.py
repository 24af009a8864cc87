"""Fair shares: the chosen rule beside Shapley and the proportional ones: `python -m bench.shares`.

Newsvendor game, 500 members, 1,000 scenarios: coalitions that would gain by leaving, worst overcharge, time; then eight
members with all 254 coalitions, and the coalition nearest to leaving with its proven bound.
"""

import time
from collections.abc import Callable

import numpy as np

from hanse.planning import shares


def demand(members: int, scenarios: int, seed: int) -> np.ndarray:
    """[scenario, member], each: Zipf-like sizes, gamma demand, a common factor, own variability."""
    rng = np.random.default_rng(seed)
    size = 400.0 / np.arange(1, members + 1) ** 0.7
    spread = rng.uniform(0.5, 2.5, members)
    common = rng.gamma(5.0, 1 / 5.0, (scenarios, 1))
    own = rng.gamma(1 / spread**2, spread**2, (scenarios, members))
    return np.rint(size * common * own)


def rules(game: shares.Newsvendor) -> dict[str, Callable[[], np.ndarray]]:
    """Each rule as something to time."""
    return {
        "LP dual": lambda: shares.dual_shares(game),
        "Shapley, 200 orders": lambda: shares.shapley_shares(game, 200),
        "proportional to stand-alone": lambda: shares.proportional_shares(game, game.alone()),
        "proportional to demand": lambda: shares.proportional_shares(game, game.demand.mean(axis=0)),
        "equal split": lambda: shares.proportional_shares(game, np.ones(game.members)),
    }


def table(members: int, scenarios: int, coalitions: np.ndarray, seed: int = 1) -> shares.Newsvendor:
    """Print one game's table."""
    game = shares.Newsvendor(demand(members, scenarios, seed), holding=20.0, shortage=180.0)
    saved = 1 - game.grand() / game.alone().sum()
    print(f"\n{members} members, {scenarios} scenarios, {len(coalitions):,} coalitions; pooling saves {saved:.1%}")
    print(f"{'':<30}{'would leave':>14}{'worst overcharge':>18}{'paying more than alone':>24}{'time':>12}")
    for name, rule in rules(game).items():
        start = time.perf_counter()
        charges = rule()
        seconds = time.perf_counter() - start
        check = shares.leaving(game, charges, coalitions)
        losers = int((charges > game.alone() * (1 + 1e-9)).sum())
        left = f"{check.gaining:,} ({check.gaining / check.tried:.1%})"
        print(f"{name:<30}{left:>14}{check.worst_overcharge:>18.2%}{losers:>24}{seconds * 1e3:>9.1f} ms")
    return game


def main() -> None:
    """The large game, the small one, the nearest coalition, the settlement."""
    large = table(500, 1000, shares.random_coalitions(500, 4000, seed=2))
    small = table(8, 1000, shares.every_coalition(8))
    for game in (small, large):
        charges = shares.dual_shares(game)
        for most in (game.members // 2, game.members - 1):
            start = time.perf_counter()
            near = shares.nearest_to_leaving(game, charges, size_most=most, rounds=12)
            seconds = time.perf_counter() - start
            print(
                f"\n{game.members} members, coalitions of at most {most}: nearest to leaving under LP dual has "
                f"{near.members.sum()} members and falls short by {near.slack:,.0f} minor units "
                f"({near.slack_ratio:.2%} of its own cost; proven: none below {near.slack_ratio_least:.2%}); "
                f"{near.rounds} rounds, {seconds:.1f} s"
            )
    tried = shares.random_coalitions(500, 4000, seed=2)
    total = round(large.grand() * 1.03)
    settled = np.array(shares.settle(shares.dual_shares(large), total, large.alone()), float)
    linear = shares.leaving(large, settled, tried).gaining
    like = shares.leaving(large, settled / 1.03, tried).gaining
    print(
        f"\nsettled in whole minor units, the plan costing 3% more than its linear program: {settled.sum():,.0f} = "
        f"{total:,}; of {len(tried):,} coalitions {linear} would gain if alone they lost nothing to whole units, "
        f"{like} if they lose 3% too"
    )


if __name__ == "__main__":
    main()
