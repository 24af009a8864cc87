"""The promise against brute force, and its words."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.planning.promise import Band, Candidate, Need, Policy, Tariff, distance_m, promise
from hanse.planning.promise.fill import Choice, fill
from hanse.planning.promise.model import NO_DATE, SCALE
from hanse.planning.promise.problem import least_each

NEAR = Tariff(
    (
        Band(up_to_m=100_000, fixed_minor=500, per_kg_milliminor=30_000, per_tonne_km_minor=25, transit_days=1),
        Band(up_to_m=900_000, fixed_minor=1_500, per_kg_milliminor=60_000, per_tonne_km_minor=25, transit_days=3),
    )
)
HOME = {"latitude_microdeg": 53_000_000, "longitude_microdeg": 9_000_000}


def choice_strategy() -> st.SearchStrategy[Choice]:
    return st.builds(
        lambda own, cost, pack, low, extra: Choice(0, (own, cost), pack, low * pack, (low + extra) * pack),
        st.integers(0, 1),
        st.integers(0, 9),
        st.integers(1, 5),
        st.integers(1, 2),
        st.integers(0, 4),
    )


@given(st.integers(1, 24), st.lists(choice_strategy(), max_size=3))
@settings(max_examples=400, deadline=None)
def test_fill_serves_most_and_then_costs_least(want: int, choices: list[Choice]) -> None:
    steps = [[0, *range(c.low_each, c.high_each + 1, c.pack_each)] for c in choices]
    best = min(
        (
            want - sum(each),
            sum(c.cost[0] * n for c, n in zip(choices, each, strict=True)),
            sum(c.cost[1] * n for c, n in zip(choices, each, strict=True)),
        )
        for each in product(*steps)
        if sum(each) <= want
    )
    got = fill(want, choices)
    assert got.exact
    assert (got.missing_each, *got.cost) == best
    assert all(
        n == 0 or (c.low_each <= n <= c.high_each and n % c.pack_each == 0)
        for c, n in zip(choices, got.each, strict=True)
    )


def a_problem() -> st.SearchStrategy[tuple[list[Need], list[Candidate], Policy]]:
    need = st.builds(
        Need,
        line=st.just(0),
        item=st.just(""),
        each=st.integers(1, 5),
        weight_g=st.integers(0, 4000),
        requested_in_days=st.sampled_from([NO_DATE, 0, 2, 4]),
    )
    candidate = st.builds(
        Candidate,
        offer=st.just(""),
        source=st.sampled_from(["north", "south", "west"]),
        item=st.sampled_from(["i1", "i2"]),
        available_each=st.integers(0, 6),
        unit_price_minor=st.integers(0, 900),
        lead_time_days=st.integers(0, 3),
        minimum_each=st.integers(0, 3),
        pack_each=st.integers(1, 3),
        own=st.booleans(),
        scarcity_minor=st.sampled_from([0, 0, 150]),
        blocked=st.sampled_from(["", "", "", "no"]),
    )
    policy = st.builds(
        Policy,
        sources_max=st.integers(1, 3),
        split_minor=st.sampled_from([0, 200]),
        late_minor=st.sampled_from([0, 70]),
        late_days_max=st.sampled_from([-1, 2]),
        own_first=st.booleans(),
    )
    places = {"north": (53_100_000, 9_000_000), "south": (48_000_000, 11_000_000), "west": (20_000_000, -30_000_000)}

    def number(
        needs: list[Need], candidates: list[Candidate], policy: Policy
    ) -> tuple[list[Need], list[Candidate], Policy]:
        needs = [replace(n, line=i + 1, item=f"i{i + 1}") for i, n in enumerate(needs)]
        out = []
        for i, c in enumerate(candidates):
            at = places[c.source]
            out.append(replace(c, offer=f"o{i}", latitude_microdeg=at[0], longitude_microdeg=at[1]))
        return needs, out, policy

    return st.builds(number, st.lists(need, min_size=1, max_size=2), st.lists(candidate, max_size=5), policy)


def brute_force(needs: list[Need], candidates: list[Candidate], policy: Policy) -> tuple[int, int, int]:
    """(unserved, not own, cost in 10^-9 minor units, scarcity included) of the best plan, by trying all quantities."""

    def usable(need: Need, c: Candidate) -> int | None:
        away = distance_m(c.latitude_microdeg, c.longitude_microdeg, *HOME.values())
        band = next(iter(NEAR.zone(away)), None)
        if c.item != need.item or c.blocked or band is None:
            return None
        late = (
            max(0, c.lead_time_days + band.transit_days - need.requested_in_days) if need.requested_in_days >= 0 else 0
        )
        if 0 <= policy.late_days_max < late:
            return None
        freight = need.weight_g * (band.per_kg_milliminor * 1000 + away * band.per_tonne_km_minor)
        return (c.unit_price_minor + c.scarcity_minor + late * policy.late_minor) * SCALE + freight

    per_line = []
    for need in needs:
        ranges = []
        for c in candidates:
            may = usable(need, c) is not None
            ranges.append(
                [
                    n
                    for n in range(min(c.available_each, need.each) + 1)
                    if n == 0 or (may and n % c.pack_each == 0 and n >= c.minimum_each)
                ]
            )
        per_line.append([row for row in product(*ranges) if sum(row) <= need.each])
    best = None
    for rows in product(*per_line):
        sources = {c.source for row in rows for c, n in zip(candidates, row, strict=True) if n}
        if len(sources) > policy.sources_max:
            continue
        cost = foreign = 0
        for need, row in zip(needs, rows, strict=True):
            for c, n in zip(candidates, row, strict=True):
                if n:
                    cost += n * (usable(need, c) or 0)
                    foreign += n * int(policy.own_first and not c.own)
        for source in sources:
            c = next(c for c in candidates if c.source == source)
            band = NEAR.zone(distance_m(c.latitude_microdeg, c.longitude_microdeg, *HOME.values()))[0]
            cost += band.fixed_minor * SCALE
        cost += max(0, len(sources) - 1) * policy.split_minor * SCALE
        rank = (sum(n.each for n in needs) - sum(map(sum, rows)), foreign, cost)
        best = rank if best is None or rank < best else best
    assert best is not None
    return best


@given(a_problem())
@settings(max_examples=250, deadline=None)
def test_promise_is_as_good_as_trying_every_quantity(problem: tuple[list[Need], list[Candidate], Policy]) -> None:
    needs, candidates, policy = problem
    plan = promise(needs, candidates, NEAR, policy=policy, **HOME)
    by = {c.offer: c for c in candidates}
    foreign = sum(p.each for line in plan.lines for p in line.parts if policy.own_first and not by[p.offer].own)
    scarcity = sum(p.each * by[p.offer].scarcity_minor for line in plan.lines for p in line.parts)
    unserved, best_foreign, best_cost = brute_force(needs, candidates, policy)
    assert plan.exact
    assert (plan.unserved_each, foreign) == (unserved, best_foreign)
    # Shown amounts are rounded once per shipment; three shipments and lateness differ by at most two units.
    assert abs((plan.total_minor + scarcity) * SCALE - best_cost) <= 2 * SCALE


@given(a_problem(), st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_order_of_candidates_does_not_matter(problem: tuple[list[Need], list[Candidate], Policy], rng) -> None:  # type: ignore[no-untyped-def]
    needs, candidates, policy = problem
    shuffled = list(candidates)
    rng.shuffle(shuffled)
    assert promise(needs, candidates, NEAR, policy=policy, **HOME) == promise(
        needs, shuffled, NEAR, policy=policy, **HOME
    )


@given(a_problem())
@settings(max_examples=100, deadline=None)
def test_a_plan_keeps_every_limit(problem: tuple[list[Need], list[Candidate], Policy]) -> None:
    needs, candidates, policy = problem
    plan = promise(needs, candidates, NEAR, policy=policy, **HOME)
    by = {c.offer: c for c in candidates}
    drawn: dict[str, int] = {}
    for need, line in zip(needs, plan.lines, strict=True):
        assert sum(p.each for p in line.parts) + line.unserved_each == need.each
        assert bool(line.unserved_each) == bool(line.reason)
        for part in line.parts:
            c = by[part.offer]
            assert not c.blocked and c.item == need.item
            assert part.each % c.pack_each == 0 and part.each >= least_each(c)
            drawn[part.offer] = drawn.get(part.offer, 0) + part.each
    assert all(n <= by[offer].available_each for offer, n in drawn.items())
    assert len(plan.shipments) <= policy.sources_max
    assert plan.total_minor == plan.goods_minor + plan.freight_minor + plan.split_minor + plan.late_minor


@given(a_problem())
@settings(max_examples=150, deadline=None)
def test_the_next_best_source_costs_what_it_says(problem: tuple[list[Need], list[Candidate], Policy]) -> None:
    needs, candidates, policy = problem
    plan = promise(needs, candidates, NEAR, policy=policy, **HOME)
    for at, line in enumerate(plan.lines):
        if line.next_best is None:
            continue
        kept = {p.offer: p.each for k, other in enumerate(plan.lines) if k != at for p in other.parts}
        served = sum(p.each for p in line.parts)
        forced = [c for c in candidates if c.offer in kept or c.offer == line.next_best.offer]
        limited = [
            replace(c, available_each=kept.get(c.offer, served), minimum_each=0, scarcity_minor=0, own=False)
            for c in forced
        ]
        asked = [
            replace(n, each=served) if k == at else replace(n, each=sum(p.each for p in plan.lines[k].parts))
            for k, n in enumerate(needs)
        ]
        asked = [n for n in asked if n.each]
        other = promise(asked, limited, NEAR, policy=replace(policy, sources_max=9, own_first=False), **HOME)
        assert abs(other.total_minor - plan.total_minor - line.next_best.extra_minor) <= 3


def test_distance_is_symmetric_and_never_over_half_the_globe() -> None:
    places = [(0, 0), (90_000_000, 0), (-90_000_000, 0), (0, 180_000_000), (53_000_000, 9_000_000)]
    for a, b in permutations(places, 2):
        assert distance_m(*a, *b) == distance_m(*b, *a) <= 20_015_200
    assert distance_m(0, 0, 0, 180_000_000) == 20_015_115


def offer(name: str, **rest: object) -> Candidate:
    return Candidate(
        **{"offer": name, "source": name, "item": "x", "available_each": 10, "unit_price_minor": 100, **rest}
    )  # type: ignore[arg-type]


TARIFF = Tariff((Band(up_to_m=1_000, fixed_minor=50),))
HERE = {"latitude_microdeg": 0, "longitude_microdeg": 0}


def test_own_stock_comes_first_whatever_it_costs() -> None:
    own, cheap = offer("own", unit_price_minor=500, own=True), offer("cheap", unit_price_minor=1)
    plan = promise([Need(1, "x", 4)], [cheap, own], TARIFF, **HERE)
    assert [p.offer for p in plan.lines[0].parts] == ["own"]
    assert plan.lines[0].next_best is not None and plan.lines[0].next_best.extra_minor == -4 * 499
    plan = promise([Need(1, "x", 4)], [cheap, own], TARIFF, policy=Policy(own_first=False), **HERE)
    assert [p.offer for p in plan.lines[0].parts] == ["cheap"]


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        ([], "nobody offers this item to you"),
        ([offer("a", blocked="not authorised for this brand")], "a: not authorised for this brand"),
        ([offer("a", minimum_each=6)], "a: the smallest quantity is 6 each"),
        ([offer("a", pack_each=25, available_each=50)], "a: the smallest quantity is 25 each"),
        ([offer("a", available_each=0)], "a: only 0 each are available"),
        ([offer("a", lead_time_days=9)], "a: it would arrive 8 days late"),
        ([offer("a", latitude_microdeg=1_000_000)], "a: beyond the reach of the tariff"),
        ([offer("a", available_each=2)], "3 each: only 2 each are offered to you"),
        ([offer("a", available_each=2), offer("b", available_each=3)], "2 each: an order ships from at most 1 sources"),
        ([offer("a", pack_each=4)], "1 each: the offers' packs or smallest quantities do not make up the rest"),
    ],
)
def test_a_line_that_is_not_served_says_why(candidate: list[Candidate], reason: str) -> None:
    policy = Policy(sources_max=1, late_days_max=3)
    plan = promise([Need(1, "x", 5, requested_in_days=2)], candidate, TARIFF, policy=policy, **HERE)
    assert plan.lines[0].reason == reason
    assert plan.lines[0].sentence.startswith("line 1: ")


def test_two_lines_of_one_item_never_draw_the_same_units() -> None:
    plan = promise([Need(1, "x", 6), Need(2, "x", 6)], [offer("a")], TARIFF, **HERE)
    assert [sum(p.each for p in line.parts) for line in plan.lines] == [6, 4]
    assert not plan.exact
    assert plan.lines[1].reason == "2 each: an earlier line of this order takes the same stock"


def test_many_sources_are_cut_to_the_promising_ones_and_the_plan_says_so() -> None:
    many = [offer(f"s{i:03d}", unit_price_minor=1000 - i) for i in range(120)]
    plan = promise([Need(1, "x", 10)], many, TARIFF, policy=Policy(sources_max=3), **HERE)
    assert not plan.exact
    assert [p.offer for p in plan.lines[0].parts] == ["s119"]


def test_faults_are_all_named_at_once() -> None:
    bad = [offer("a", unit_price_minor=-1), offer("a", pack_each=0), offer("c", source="a", latitude_microdeg=9)]
    with pytest.raises(
        ValueError, match=r"same line number.*each must be.*same offer id.*not negative.*pack_each.*two places"
    ):
        promise([Need(1, "x", 0), Need(1, "x", 1)], bad, TARIFF, **HERE)
    with pytest.raises(ValueError, match=r"at least one band.*sources_max"):
        promise([Need(1, "x", 1)], [], Tariff(()), policy=Policy(sources_max=0), **HERE)
