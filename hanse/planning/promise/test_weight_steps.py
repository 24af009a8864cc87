"""Freight that steps with weight, minimum charges, lanes and several carriers, against trying everything."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.planning.promise import Band, Candidate, Need, Plan, Policy, Tariff, promise
from hanse.planning.promise.model import NO_DATE, SCALE
from hanse.planning.promise.tariff import HEAVIEST_G, loosest, ways

HERE = {"latitude_microdeg": 0, "longitude_microdeg": 0}
MATRIX = Tariff(
    (
        Band(100_000, 490, up_to_g=5_000),
        Band(100_000, 890, up_to_g=31_500, over_g=5_000),
        Band(100_000, 1_500, per_kg_milliminor=12_000, over_g=31_500),
        Band(900_000, 690, up_to_g=5_000, transit_days=2),
        Band(900_000, 0, per_kg_milliminor=60_000, minimum_minor=1_290, over_g=5_000, transit_days=3),
    )
)


def price(bands: list[Band], weight_g: int, days_late: int = 0) -> int:
    """What the bands of one zone say of one weight, read from the definition."""
    tops = {b.carrier: max(c.up_to_g or HEAVIEST_G for c in bands if c.carrier == b.carrier) for b in bands}
    found = []
    for band in bands:
        top = tops[band.carrier]
        rounds = (weight_g - 1) // top if weight_g > top else 0
        rest = weight_g - rounds * top
        if (rest > band.over_g or not band.over_g) and rest <= (band.up_to_g or HEAVIEST_G):
            full = rounds * price([b for b in bands if b.carrier == band.carrier], top) if rounds else 0
            found.append(full + one(band, rest))
    return min(found)


def one(band: Band, weight_g: int) -> int:
    by_weight = band.fixed_minor * SCALE + band.per_kg_milliminor * 1_000 * weight_g
    return max(band.minimum_minor * SCALE, by_weight)


@st.composite
def a_zone(draw: st.DrawFn, far: int = 100_000) -> list[Band]:
    """One or two carriers, each with steps that leave no weight out; days alike."""
    zone: list[Band] = []
    for carrier in draw(st.sampled_from([[""], ["a", "b"]])):
        ends = sorted(draw(st.sets(st.integers(1, 9), max_size=3)))
        open_ended = not ends or draw(st.booleans())
        bounds = [0, *(end * 1_000 for end in ends), *([0] if open_ended else [])]
        for low, high in pairwise(bounds):
            fixed, kilo, least = (
                draw(st.integers(0, 900)),
                draw(st.integers(0, 200)),
                draw(st.sampled_from([0, 0, 700])),
            )
            zone.append(Band(far, fixed, kilo * 1_000, 0, 1, least, low, high, carrier))
    return zone


@given(a_zone(), st.integers(0, 40_000))
@settings(max_examples=150, deadline=None)
def test_a_shipment_costs_what_its_step_says_and_never_less_than_the_loosest_price(
    zone: list[Band], weight: int
) -> None:
    found = ways(zone, 0)
    legs = [leg for way in found for leg in way.at(weight)]
    assert min(leg.cost(weight) for leg in legs) == price(zone, weight)
    assert all(leg.covers(weight) for leg in legs)
    for heaviest in {weight, 40_000}:
        assert loosest(found, heaviest).cost(weight) <= price(zone, weight)
    for way in found:
        assert set(way.at(weight)) <= set(way.between(max(0, weight - 2_500), weight + 10))


def an_order() -> st.SearchStrategy[tuple[list[Need], list[Candidate], Policy]]:
    need = st.builds(Need, st.just(0), st.sampled_from("xy"), st.integers(1, 3), st.integers(0, 4_000))
    candidate = st.builds(
        Candidate, st.just(""), st.sampled_from(["north", "south", "west"]), st.sampled_from("xy"), st.integers(0, 4),
        st.integers(0, 400), own=st.booleans(), pack_each=st.integers(1, 2),
    )  # fmt: skip
    policy = st.builds(
        Policy, sources_max=st.integers(1, 3), split_minor=st.sampled_from([0, 200]), own_first=st.booleans()
    )
    return st.tuples(st.lists(need, min_size=1, max_size=2), st.lists(candidate, max_size=4), policy).map(_named)


def _named(found: tuple[list[Need], list[Candidate], Policy]) -> tuple[list[Need], list[Candidate], Policy]:
    needs, candidates, policy = found
    unlike = {need.item: need for need in needs}
    numbered = [Need(k, n.item, n.each, n.weight_g, NO_DATE) for k, n in enumerate(unlike.values(), 1)]
    return numbered, [
        Candidate(f"o{k}", c.source, c.item, c.available_each, c.unit_price_minor, own=c.own, pack_each=c.pack_each)
        for k, c in enumerate(candidates)
    ], policy  # fmt: skip


def best_of_all(
    needs: list[Need], candidates: list[Candidate], zone: list[Band], policy: Policy
) -> tuple[int, int, int]:
    weight = {need.item: need.weight_g for need in needs}
    wanted = {need.item: need.each for need in needs}
    steps = [range(0, c.available_each + 1, c.pack_each) if c.item in wanted else [0] for c in candidates]
    found = []
    for each in product(*steps):
        got = {item: sum(n for c, n in zip(candidates, each, strict=True) if c.item == item) for item in wanted}
        leaving: dict[str, int] = {}
        for c, n in zip(candidates, each, strict=True):
            if n:
                leaving[c.source] = leaving.get(c.source, 0) + n * weight[c.item]
        if any(got[item] > wanted[item] for item in wanted) or len(leaving) > policy.sources_max:
            continue
        goods = sum(c.unit_price_minor * n for c, n in zip(candidates, each, strict=True)) * SCALE
        foreign = sum(n for c, n in zip(candidates, each, strict=True) if policy.own_first and not c.own)
        split = max(0, len(leaving) - 1) * policy.split_minor * SCALE
        freight = sum(price(zone, grams) for grams in leaving.values())
        found.append((sum(wanted.values()) - sum(got.values()), foreign, goods + split + freight))
    return min(found)


def rank(plan: Plan, candidates: list[Candidate], policy: Policy) -> tuple[int, int, int]:
    own = {c.offer for c in candidates if c.own}
    foreign = sum(p.each for line in plan.lines for p in line.parts if policy.own_first and p.offer not in own)
    return plan.unserved_each, foreign, plan.total_minor * SCALE


@given(an_order(), a_zone())
@settings(max_examples=120, deadline=None)
def test_an_exact_plan_is_as_good_as_trying_everything_and_no_plan_is_cheaper_than_it_says(
    order: tuple[list[Need], list[Candidate], Policy], zone: list[Band]
) -> None:
    needs, candidates, policy = order
    tops = [max(b.up_to_g or HEAVIEST_G for b in zone if b.carrier == name) for name in {b.carrier for b in zone}]
    if any(need.weight_g > min(tops) for need in needs):
        return  # one unit that a carrier cannot take: another test
    plan = promise(needs, candidates, Tariff(tuple(zone)), policy=policy, **HERE)
    best, got = best_of_all(needs, candidates, zone, policy), rank(plan, candidates, policy)
    assert got[:2] == best[:2]
    assert got[2] >= best[2] - 2 * SCALE, "amounts are rounded once a shipment"
    if plan.exact:
        assert got[2] <= best[2] + 2 * SCALE
    for shipment in plan.shipments:
        assert abs(shipment.freight_minor * SCALE - price(zone, shipment.weight_g)) <= SCALE


def offer(name: str, each: int = 100, unit_price_minor: int = 100, at: int = 0, **rest: object) -> Candidate:
    return Candidate(name, name, "x", each, unit_price_minor, latitude_microdeg=at, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("each", "weight_g", "at", "freight"),
    [(1, 5_000, 0, 490), (1, 5_001, 0, 890), (4, 10_000, 0, 1_980), (1, 0, 0, 490), (1, 6_000, 5_000_000, 1_290),
     (1, 30_000, 5_000_000, 1_800)],
)  # fmt: skip
def test_zone_and_weight_choose_the_row_and_the_minimum_counts(each: int, weight_g: int, at: int, freight: int) -> None:
    plan = promise([Need(1, "x", each, weight_g)], [offer("a", at=at)], MATRIX, **HERE)
    assert plan.freight_minor == freight and plan.exact
    assert plan.shipments[0].arrives_in_days == (3 if at else 1)


def test_two_lines_go_together_where_one_step_carries_both() -> None:
    """Each line alone is cheaper from a source of its own; together in one parcel they are not."""
    steps = Tariff((Band(100_000, 500, up_to_g=10_000), Band(100_000, 5_000, over_g=10_000)))
    here = [Candidate("ax", "a", "x", 9, 100), Candidate("ay", "a", "y", 9, 180), Candidate("by", "b", "y", 9, 100)]
    light = promise([Need(1, "x", 1, 4_000), Need(2, "y", 1, 5_000)], here, steps, **HERE)
    heavy = promise([Need(1, "x", 1, 4_000), Need(2, "y", 1, 9_000)], here, steps, **HERE)
    assert [s.source for s in light.shipments] == ["a"] and light.freight_minor == 500
    assert [s.source for s in heavy.shipments] == ["a", "b"] and heavy.freight_minor == 1_000
    assert heavy.lines[1].next_best is not None and heavy.lines[1].next_best.extra_minor == 80 + 5_000 - 1_000
    assert light.exact and heavy.exact


def test_what_is_heavier_than_the_last_step_goes_as_several_and_one_too_heavy_piece_not_at_all() -> None:
    parcels = Tariff((Band(100_000, 490, up_to_g=5_000), Band(100_000, 890, up_to_g=31_500, over_g=5_000)))
    plan = promise([Need(1, "x", 7, 10_000)], [offer("a")], parcels, **HERE)
    assert plan.shipments[0].weight_g == 70_000 and plan.freight_minor == 890 + 890 + 890
    plan = promise([Need(1, "x", 1, 31_501)], [offer("a")], parcels, **HERE)
    assert plan.lines[0].reason == "a: one alone is heavier than the tariff carries"
    pallets = Tariff((*parcels.bands, Band(100_000, 9_000, carrier="pallets")))
    plan = promise([Need(1, "x", 1, 31_501)], [offer("a")], pallets, **HERE)
    assert plan.shipments[0].carrier == "pallets", "one piece is not cut into two parcels"


def test_a_lane_counts_before_distances_and_the_cheaper_carrier_that_is_in_time_carries() -> None:
    lanes = Tariff(
        (
            Band(900_000, 5_000),
            Band(0, 700, carrier="slow", origin="kiel", destination="porto", transit_days=9),
            Band(0, 2_000, carrier="fast", origin="kiel", destination="porto", transit_days=2),
            Band(0, 2_500, carrier="fast", origin="kiel", transit_days=2),
        )
    )
    here = [offer("a", places=("kiel",))]
    any_day = promise([Need(1, "x", 1)], here, lanes, to_places=["porto"], **HERE)
    assert (any_day.freight_minor, any_day.shipments[0].carrier, any_day.shipments[0].arrives_in_days) == (
        700,
        "slow",
        9,
    )
    soon = promise([Need(1, "x", 1, 0, 3)], here, lanes, to_places=["porto"], policy=Policy(late_days_max=0), **HERE)
    assert (soon.freight_minor, soon.shipments[0].carrier) == (2_000, "fast")
    assert promise([Need(1, "x", 1)], here, lanes, to_places=["oslo"], **HERE).freight_minor == 2_500
    assert promise([Need(1, "x", 1)], [offer("a")], lanes, to_places=["porto"], **HERE).freight_minor == 5_000
    late = promise([Need(1, "x", 1, 0, 1)], here, lanes, to_places=["porto"], policy=Policy(late_minor=300), **HERE)
    assert (late.freight_minor, late.late_minor) == (2_000, 300), "eight days late would cost more"


def test_a_carrier_that_starts_at_a_weight_does_not_carry_less() -> None:
    freight = Tariff((Band(100_000, 2_000, over_g=100_000),))
    plan = promise([Need(1, "x", 1, 1_000)], [offer("a")], freight, **HERE)
    assert plan.unserved_each == 1
    assert promise([Need(1, "x", 1, 100_001)], [offer("a")], freight, **HERE).freight_minor == 2_000
