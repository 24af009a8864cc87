"""Tiers and shares, in integers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from hanse.rooms.contracts.terms.runtime import muldiv, tier_at
from hanse.rooms.group.rows import Tier

PPM = 1_000_000


def reached(tiers: Sequence[Tier], at: int) -> int:
    """The value of the tier that is reached ("at or above"), 0 below the first.

    >>> [reached([Tier(10, 500), Tier(100, 450)], n) for n in (9, 10, 99, 100)]
    [0, 500, 500, 450]
    """
    return tier_at(_table(tiers), at)


def _table(tiers: Sequence[Tier]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(tier.start for tier in tiers), tuple(tier.value for tier in tiers)


def outcome(tiers: Sequence[Tier], asked: Sequence[tuple[int, int]]) -> tuple[int, int, int]:
    """(total each, members, unit price) of a round: the highest tier whose price enough of the demand takes.

    Args:
        tiers: by rising quantity, prices not rising. asked: (each, highest price in minor units, 0 for any) of members.

    >>> outcome([Tier(10, 500), Tier(30, 450)], [(10, 0), (15, 460), (9, 440)])
    (10, 1, 500)
    >>> outcome([Tier(10, 500), Tier(30, 450)], [(20, 0), (15, 460)]), outcome([Tier(10, 500)], [(9, 0)])
    ((35, 2, 450), (9, 1, 0))
    """
    for tier in reversed(tiers):
        takes = [each for each, price_max in asked if each and (not price_max or price_max >= tier.value)]
        if sum(takes) >= tier.start and takes:
            return sum(takes), len(takes), tier.value
    takes = [each for each, _ in asked if each]
    return sum(takes), len(takes), 0


def rising(tiers: Sequence[Tier]) -> bool:
    """Whether each tier starts above the one before."""
    return all(a.start < b.start for a, b in pairwise(tiers))


def earned(scheme: str, tiers: Sequence[Tier], total_minor: int) -> int:
    """What a rebate pays on a total, rounded half to even once.

    >>> tiers = [Tier(0, 50_000), Tier(1_000_000, 100_000)]
    >>> earned("retroactive", tiers, 2_000_000), earned("incremental", tiers, 2_000_000)
    (200000, 150000)
    >>> earned("incremental", [Tier(0, 1_000_000)], 10**17) == 10**17
    True
    """
    if scheme == "retroactive":
        return muldiv(total_minor, reached(tiers, total_minor), PPM, "half_even")
    ends = [*(tier.start for tier in tiers[1:]), total_minor]
    slices = sum(max(0, min(total_minor, end) - tier.start) * tier.value for tier, end in zip(tiers, ends, strict=True))
    return muldiv(slices, 1, PPM, "half_even")


def split(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """A total by weights, to the cent: each its floor, the rest by largest remainder, ties by name; 0 without weights.

    Source: the largest remainder method (Hamilton); each share differs from its exact part by less than one.

    >>> split(100, {"a": 1, "b": 1, "c": 1}), split(7, {"a": 0})
    ({'a': 34, 'b': 33, 'c': 33}, {'a': 0})
    """
    whole = sum(weights.values())
    if not whole:
        return dict.fromkeys(sorted(weights), 0)
    floors = {name: total * weight // whole for name, weight in sorted(weights.items())}
    rest = total - sum(floors.values())
    order = sorted(floors, key=lambda name: (-(total * weights[name] % whole), name))
    return {name: share + (name in order[:rest]) for name, share in floors.items()}
