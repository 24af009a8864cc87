"""Plans that carry cuts: what they prove is recomputed, and only the circle reads them."""

import numpy as np
import pytest
from msgspec.structs import replace

from hanse.planning import sourcing
from hanse.planning.sourcing.cuts import Cuts
from hanse.rooms.plans import proofs
from hanse.rooms.plans.checking import check_plan
from hanse.rooms.plans.facts import AddAssignments
from hanse.rooms.plans.queries import plan_page
from hanse.rooms.plans.rules import plan_hash
from hanse.rooms.plans.testing import PlanMarket


class DearShipments(PlanMarket):
    """What bob has after either line is less than the other, and a second shipment is dear: no price says so."""

    OPEN_MINOR = (9_000, 11_000)


@pytest.fixture
def town():
    market = DearShipments()
    market.must("ann", market.window_fact())
    return market


def test_cuts_on_the_record_prove_more_than_prices_and_are_recomputed(town):
    alone, cut = town.proposal("alone"), town.proposal("cut", cuts=True)
    assert cut.cuts and cut.gap_ppm == 0 < alone.gap_ppm and cut.prices == alone.prices
    town.must("eve", alone, cut)
    assert check_plan(town.view("bob"), "alone").ok
    found = check_plan(town.view("bob"), "cut")
    assert found.ok and found.gap_ppm == 0 and found.bound_minor == found.cost_minor
    town.must("bob", town.attest_fact("cut"))
    assert town.plan("cut").good == 1
    assert plan_page(town.view("ann"), "cut").cuts_n == len(cut.cuts)
    assert plan_page(town.view("ann"), "alone").cuts_n == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda cut: replace(cut, price=cut.price + 1),
        lambda cut: replace(cut, step=cut.step - 1),
        lambda cut: replace(cut, entries=cut.entries[:1]),
        lambda cut: replace(cut, source="oc"),
        lambda cut: replace(cut, entries=[*cut.entries, cut.entries[0]]),
        lambda cut: replace(cut, entries=[(7, "ob", 0)]),
        lambda cut: replace(cut, price=2**48),
    ],
)
def test_a_changed_cut_fails_the_check(town, change):
    fact = town.proposal(cuts=True)
    town.must("eve", replace(fact, cuts=[change(fact.cuts[0]), *fact.cuts[1:]]))
    found = check_plan(town.view("bob"), "p1")
    assert not found.ok and found.faults


def test_cuts_left_out_or_prices_added_fail_the_check(town):
    fact = town.proposal(cuts=True)
    town.must("eve", replace(fact, cuts=[]), replace(fact, plan="p2", cut_prices=[("oc", 5)]),
              replace(fact, plan="p3", cut_prices=[("nobody", 5)]))  # fmt: skip
    assert not any(check_plan(town.view("bob"), plan).ok for plan in ("p1", "p2", "p3"))


def test_cuts_may_come_with_a_later_part(town):
    fact = town.proposal(cuts=True)
    running = plan_hash(plan_hash("", fact.assignments, fact.prices), [], [])
    town.must("eve", replace(fact, cuts=[], parts=2, plan_hash=running))
    town.must("eve", AddAssignments(circle=town.POOL, plan="p1", part=2, assignments=[], prices=[],
                                    own_assignments=[], own_prices=[], cuts=fact.cuts))  # fmt: skip
    assert check_plan(town.view("bob"), "p1").ok


def test_strangers_learn_nothing_from_cuts(town):
    fact = town.proposal(cuts=True)
    town.must("eve", fact)
    town.join("zoe")
    assert check_plan(town.view("zoe"), "p1") is None and plan_page(town.view("zoe"), "p1") is None
    public = {table.name: town.dump()[table.name] for table in town.book.tables if not table.circle}
    assert str(fact.cuts[0].price) not in repr(public)


def test_a_plan_carries_the_dearest_cuts_that_fit_and_they_read_back_alike(town, monkeypatch):
    given = town.asked()
    one = sourcing.solve(given.problem, seconds=None, rounds=2, cuts=True).cuts
    twice = {name: np.tile(getattr(one, name), 2) for name in ("row", "foreign", "step", "price", "cand", "kind")}
    two = Cuts(one.prices, ptr=np.concatenate([one.ptr, one.ptr[1:] + one.ptr[-1]]), **twice)
    two.price[0] += 1
    cuts = proofs.carried(given, two)
    assert [cut.price for cut in cuts] == sorted(two.price.tolist(), reverse=True)
    monkeypatch.setattr(proofs, "ENTRIES_PER_PART", len(cuts[0].entries))
    parts = proofs.parts_of(cuts)
    assert [len(part) for part in parts] == [1] * len(cuts)
    rows = [proofs.CutPart(circle="", plan="", part=k, cuts=tuple(p), prices=()) for k, p in enumerate(parts)]
    back, faults = proofs.read(given, one.prices.scale, rows)
    assert faults == [] and back.price.tolist() == two.price.tolist() and back.cand.tolist() == two.cand.tolist()
    monkeypatch.setattr(proofs, "ENTRIES_MAX", len(cuts[0].entries))
    assert proofs.carried(given, two) == cuts[:1]
