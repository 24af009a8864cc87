"""Each rule's refusals, in the order of its docstring; a refusal leaves state as it was."""

import pytest

from hanse.rooms.inventory.facts import Move, RecordSerials, SetPolicy
from hanse.rooms.inventory.offer_facts import AcceptTransfer, EndTransfer, WithdrawOffer, WithdrawWant
from hanse.rooms.inventory.testing import (
    SITES,
    add_number,
    adjust,
    count,
    drawing,
    earmark,
    market,
    offer,
    own_number,
    propose,
    want,
)
from hanse.rooms.testing import Town, home

LATER = 2**35


@pytest.fixture
def town() -> Town:
    """`a` has 100 X in a-north: 10 behind the ended offer gone, 20 behind o1 to b, 5 in transfer t1, 1 for 2 keep."""
    town = market()
    add_number(town, "a", "Y")
    town.must("a", count("a", "a-north", 7, own_number="A-Y"))
    town.must("a", SetPolicy(circle=home("a"), own_number="A-X", minimum_price_minor=350, currency="EUR", keep_each=2))
    town.must(
        "a", earmark("a", "gone", 10), offer(town, "a--b", "gone", 10), WithdrawOffer(circle="a--b", offer="gone")
    )
    town.must("a", earmark("a", "o1", 20), offer(town, "a--b", "o1", 20, firm=True))
    town.must("a", earmark("a", "t1", 5), propose(town, "t1", 5))
    town.must("a", earmark("a", "e1", 10), earmark("a", "low", 10, minimum_price_minor=500))
    town.must("b", want(town, "pool", "w1", 3))
    town.must("b", want(town, "pool", "w0", 3), WithdrawWant(circle="pool", want="w0"))
    town.must("a", earmark("a", "t0", 5), propose(town, "t0", 5), EndTransfer(circle="a--b", transfer="t0"))
    return town


def move(each: int, **more) -> Move:
    base = {"own_number": "A-X", "lot": "", "owner": "", "from_site": "a-north", "to_site": "a-south"}
    return Move(circle=home("a"), each=each, **{**base, **more})


def policy(number: str, least: int) -> SetPolicy:
    return SetPolicy(circle=home("a"), own_number=number, minimum_price_minor=least, currency="EUR", keep_each=0)


def serials(site: str, number: str, *found: str) -> RecordSerials:
    return RecordSerials(circle=home("a"), own_number=number, site=site, lot="", serials=list(found))


def twice(fact):
    return type(fact)(**{f: getattr(fact, f) for f in ("circle", "counted_at")}, lines=[*fact.lines, *fact.lines])


TABLE = [
    ("b", lambda t: count("a", "a-north", 1), "parties.not_in_circle"),
    ("a", lambda t: twice(count("a", "none", 1, at=LATER)), "inventory.repeated_line"),
    ("a", lambda t: count("a", "none", 1, at=LATER), "inventory.counted_ahead"),
    ("a", lambda t: count("a", "none", 1, own_number="none"), "inventory.unknown_site"),
    ("a", lambda t: count("a", "a-north", 1, own_number="none"), "catalog.unknown_own_number"),
    ("a", lambda t: count("a", "a-north", 1, at=t.now - 1), "inventory.older_count"),
    ("a", lambda t: adjust("a", "none", 0, "found"), "inventory.bad_quantity"),
    ("a", lambda t: adjust("a", "none", -1, "found"), "inventory.bad_quantity"),
    ("a", lambda t: adjust("a", "none", 1, "sold"), "inventory.bad_quantity"),
    ("a", lambda t: adjust("a", "none", 1, "found", made_at=LATER), "inventory.made_ahead"),
    ("a", lambda t: adjust("a", "none", 1, "found"), "inventory.unknown_site"),
    ("a", lambda t: adjust("a", "a-north", 1, "found", own_number="none"), "catalog.unknown_own_number"),
    ("a", lambda t: adjust("a", "a-north", -101, "sold"), "inventory.not_enough"),
    ("a", lambda t: move(0, from_site="none"), "inventory.bad_quantity"),
    ("a", lambda t: move(1, from_site="none", to_site="none"), "inventory.unknown_site"),
    ("a", lambda t: move(1, to_site="b-hall"), "inventory.unknown_site"),
    ("a", lambda t: move(1, to_site="a-north"), "inventory.same_site"),
    ("a", lambda t: move(76), "inventory.not_enough"),
    ("a", lambda t: policy("none", -1), "catalog.unknown_own_number"),
    ("a", lambda t: policy("A-X", -1), "inventory.bad_minimum"),
    ("a", lambda t: serials("none", "none", "1"), "inventory.unknown_site"),
    ("a", lambda t: serials("a-north", "none", "1"), "catalog.unknown_own_number"),
    ("a", lambda t: serials("a-north", "A-X", "1", "1"), "inventory.repeated_serial"),
    ("b", lambda t: earmark("a", "e2", 1), "parties.not_in_circle"),
    ("a", lambda t: earmark("a", "o1", 0), "inventory.earmark_stands"),
    ("a", lambda t: earmark("a", "e2", 0, minimum_price_minor=-1), "inventory.bad_quantity"),
    ("a", lambda t: earmark("a", "e2", 1, minimum_price_minor=-1), "inventory.bad_minimum"),
    ("a", lambda t: earmark("a", "e2", 1, own_number="none"), "catalog.unknown_own_number"),
    ("a", lambda t: earmark("a", "e2", 1, own_number="A-Y"), "inventory.unmatched"),
    ("a", lambda t: earmark("a", "e2", 1, lot="none"), "inventory.unknown_stock"),
    ("a", lambda t: earmark("a", "e2", 76), "inventory.not_enough"),
    ("a", lambda t: earmark("a", "e2", 74), "inventory.kept_for_own_customers"),
    ("a", lambda t: offer(t, "none", "o1", 0, expires_at=1), "parties.unknown_circle"),
    ("c", lambda t: offer(t, "a--b", "o1", 0, expires_at=1), "parties.not_in_circle"),
    ("a", lambda t: offer(t, home("a"), "o1", 0, expires_at=1), "inventory.not_an_audience"),
    ("a", lambda t: offer(t, "a--b", "o1", 0, expires_at=1), "inventory.offer_taken"),
    ("a", lambda t: offer(t, "a--b", "t1", 0, expires_at=1), "inventory.offer_taken"),
    ("a", lambda t: offer(t, "a--b", "e1", 0, expires_at=1), "inventory.bad_quantity"),
    ("a", lambda t: offer(t, "a--b", "e1", 1, expires_at=t.now), "inventory.deadline_past"),
    ("a", lambda t: WithdrawOffer(circle="none", offer="none"), "parties.unknown_circle"),
    ("c", lambda t: WithdrawOffer(circle="a--b", offer="none"), "parties.not_in_circle"),
    ("a", lambda t: WithdrawOffer(circle="a--b", offer="none"), "inventory.unknown_offer"),
    ("a", lambda t: WithdrawOffer(circle="pool", offer="o1"), "inventory.unknown_offer"),
    ("b", lambda t: WithdrawOffer(circle="a--b", offer="gone"), "inventory.not_your_offer"),
    ("a", lambda t: WithdrawOffer(circle="a--b", offer="gone"), "inventory.offer_ended"),
    ("b", lambda t: drawing("reserve", "r", "none", 0), "inventory.unknown_offer"),
    ("c", lambda t: drawing("reserve", "r", "gone", 0, circle="a--c"), "inventory.not_offered_here"),
    ("b", lambda t: drawing("reserve", "r", "gone", 0), "inventory.offer_ended"),
    ("b", lambda t: drawing("reserve", "r", "o1", 0), "inventory.bad_quantity"),
    ("b", lambda t: drawing("reserve", "r", "o1", 21), "inventory.not_enough"),
    ("b", lambda t: want(t, "none", "w1", 1, expires_at=1), "parties.unknown_circle"),
    ("c", lambda t: want(t, "a--b", "w1", 1, expires_at=1), "parties.not_in_circle"),
    ("b", lambda t: want(t, home("b"), "w1", 1, expires_at=1), "inventory.not_an_audience"),
    ("b", lambda t: want(t, "pool", "w1", 1, expires_at=1), "inventory.want_taken"),
    ("b", lambda t: want(t, "pool", "w2", 1, expires_at=t.now), "inventory.deadline_past"),
    ("b", lambda t: WithdrawWant(circle="pool", want="none"), "inventory.unknown_want"),
    ("b", lambda t: WithdrawWant(circle="a--b", want="w1"), "inventory.unknown_want"),
    ("a", lambda t: WithdrawWant(circle="pool", want="w1"), "inventory.not_your_want"),
    ("b", lambda t: WithdrawWant(circle="pool", want="w0"), "inventory.want_ended"),
    ("a", lambda t: propose(t, "t1", 0, circle="pool", expires_at=1), "inventory.not_a_relationship"),
    ("a", lambda t: propose(t, "t1", 0, expires_at=1), "inventory.transfer_taken"),
    ("a", lambda t: propose(t, "o1", 0, expires_at=1), "inventory.transfer_taken"),
    ("a", lambda t: propose(t, "t2", 0, expires_at=1), "inventory.bad_quantity"),
    ("a", lambda t: propose(t, "t2", 1, expires_at=t.now), "inventory.deadline_past"),
    ("b", lambda t: AcceptTransfer(circle="none", transfer="none", site="b-hall"), "parties.unknown_circle"),
    ("c", lambda t: AcceptTransfer(circle="a--b", transfer="none", site="b-hall"), "parties.not_in_circle"),
    ("b", lambda t: AcceptTransfer(circle="a--b", transfer="none", site="b-hall"), "inventory.unknown_transfer"),
    ("b", lambda t: AcceptTransfer(circle="a--b", transfer="t0", site="b-hall"), "inventory.transfer_ended"),
    ("a", lambda t: AcceptTransfer(circle="a--b", transfer="t1", site="b-hall"), "inventory.not_the_taker"),
    ("c", lambda t: EndTransfer(circle="a--c", transfer="t1"), "inventory.unknown_transfer"),
    ("b", lambda t: EndTransfer(circle="a--b", transfer="t0"), "inventory.transfer_ended"),
]


@pytest.mark.parametrize("case", range(len(TABLE)), ids=[f"{code} {i}" for i, (_, _, code) in enumerate(TABLE)])
def test_a_rule_refuses_and_changes_nothing(town, case):
    who, fact, code = TABLE[case]
    before = town.business()
    assert town.refused(who, fact(town)) == code
    assert town.business() == before


PRIVATE = [
    (lambda t: offer(t, "a--b", "e1", 10, item="none"), "catalog.unknown_item"),
    (lambda t: offer(t, "a--b", "e1", 10, unit_price_minor=-1), "inventory.bad_price"),
    (lambda t: offer(t, "a--b", "e1", 10, pack_each=3), "inventory.bad_pack"),
    (lambda t: offer(t, "a--b", "e1", 10, minimum_each=11), "inventory.bad_pack"),
    (lambda t: offer(t, "a--b", "none", 10), "inventory.no_earmark"),
    (lambda t: offer(t, "a--b", "e1", 10, item="Y", unit_price_minor=0), "inventory.other_item"),
    (lambda t: offer(t, "a--b", "e1", 11, unit_price_minor=0), "inventory.more_than_earmarked"),
    (lambda t: offer(t, "a--b", "e1", 10, unit_price_minor=0, currency="USD"), "inventory.other_currency"),
    (lambda t: offer(t, "a--b", "e1", 10, unit_price_minor=349), "inventory.below_minimum"),
    (lambda t: offer(t, "a--b", "low", 10, unit_price_minor=499), "inventory.below_minimum"),
    (lambda t: propose(t, "t2", 5, item="none"), "catalog.unknown_item"),
    (lambda t: propose(t, "t2", 5, unit_cost_minor=-1), "inventory.bad_price"),
    (lambda t: propose(t, "t2", 5), "inventory.no_earmark"),
    (lambda t: propose(t, "e1", 5, item="Y"), "inventory.other_item"),
    (lambda t: propose(t, "e1", 5, lot="L"), "inventory.other_item"),
    (lambda t: propose(t, "e1", 5, "hand_over"), "inventory.not_yours"),
    (lambda t: propose(t, "e1", 11), "inventory.more_than_earmarked"),
    (lambda t: propose(t, "t2", 5, "sale_of_held"), "inventory.not_enough"),
    (lambda t: want(t, "pool", "w2", 1, item="none"), "catalog.unknown_item"),
    (lambda t: want(t, "pool", "w2", 0), "inventory.bad_quantity"),
]


@pytest.mark.parametrize("case", range(len(PRIVATE)), ids=[f"{code} {i}" for i, (_, code) in enumerate(PRIVATE)])
def test_what_a_home_or_circle_does_not_allow_moves_no_stock(town, case):
    fact, code = PRIVATE[case]
    stock = [table for table in town.dump() if table in ("inventory_stock", "inventory_total", "inventory_earmark")]
    before = {table: town.dump()[table] for table in stock}
    assert town.refused("a", fact(town)) == code
    assert {table: town.dump()[table] for table in stock} == before


def test_a_count_older_than_the_last_movement_is_refused(town):
    town.tick(100)
    town.must("a", adjust("a", "a-north", -1, "sold"))
    assert town.refused("a", count("a", "a-north", 5, at=town.now - 50)) == "inventory.moved_since"


def test_lines_of_one_fact_count_together(town):
    two = adjust("a", "a-north", -60, "sold")
    fact = type(two)(circle=two.circle, lines=[*two.lines, *two.lines])
    assert town.refused("a", fact) == "inventory.not_enough"


def test_own_facts_belong_in_a_home(town):
    for fact in (move(1), count("a", "a-north", 1), earmark("a", "e2", 1)):
        moved = type(fact)(**{**{f: getattr(fact, f) for f in fact.__struct_fields__ if f != "sd_"}, "circle": "a--b"})
        assert town.refused("a", moved) == "parties.not_a_home"
    assert own_number("a") == "A-X" and SITES["a"]
