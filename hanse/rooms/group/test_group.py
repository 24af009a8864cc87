"""The group: rounds, rebates, statements to the cent, and who sees what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.kernel.refusal import Refused
from hanse.rooms.accounts.drafting import invoice
from hanse.rooms.group import queries
from hanse.rooms.group.facts import (
    Charter,
    CloseRound,
    Join,
    Leave,
    PriceTier,
    RateTier,
    TellRebate,
    TellRound,
)
from hanse.rooms.group.rows import (
    COMMITMENTS,
    COMMITMENTS_AT_HOME,
    MEMBER_STATEMENTS,
    REPORTS,
    REPORTS_AT_HOME,
    ROUNDS,
    Tier,
)
from hanse.rooms.group.shares import earned, outcome, split
from hanse.rooms.group.telling import check_telling, may_tell, rests_on
from hanse.rooms.group.testing import Pool
from hanse.rooms.inventory.offer_facts import AcceptTransfer, Earmark, ProposeTransfer
from hanse.rooms.orders.testing import DAY
from hanse.rooms.testing import home, same_under_hash_seeds


@pytest.fixture
def pool() -> Pool:
    return Pool()


def committed(pool: Pool) -> None:
    pool.must("cay", pool.round_fact())
    pool.must("ann", pool.commit_fact("ann", 150), pool.commit_fact("ann", 120))
    pool.must("bob", pool.commit_fact("bob", 200))
    pool.must("eve", pool.commit_fact("eve", 90, price_max=750))


# -- rounds --


def test_a_round_collects_commitments_and_closes_at_the_tier_that_enough_demand_takes(pool):
    committed(pool)
    assert queries.telling(pool.view("cay"), "r1").total_each == 410
    pool.must("cay", queries.telling(pool.view("cay"), "r1"))
    page = queries.round_page(pool.view("ann"), "r1")
    assert (page.mine.each, page.terms.told_each, page.next_tier_each) == (120, 410, 90)
    pool.tick(10 * DAY)
    closing = queries.closing(pool.view("cay"), "r1")
    assert (closing.total_each, closing.members, closing.unit_price_minor) == (320, 2, 800), "eve would pay 750 at most"
    pool.must("cay", closing)
    ann, eve = queries.round_page(pool.view("ann"), "r1"), queries.round_page(pool.view("eve"), "r1")
    assert (ann.round.state, ann.my_each, ann.my_amount_minor, eve.my_each) == ("closed", 120, 96_000, 0)
    assert [row.holds for row in queries.audit(pool.view("cay"))] == [True]


def test_a_total_is_told_when_it_rests_on_three_members_and_not_before(pool):
    pool.must("cay", pool.round_fact(), pool.rebate_fact())
    for n, member in enumerate(pool.MEMBERS, 1):
        pool.must(member, pool.commit_fact(member, 10))
        pool.bought(member, 5_000)
        pool.must(member, queries.report(pool.view(member), "b1"))
        view = pool.view("cay")
        words = [queries.telling(view, "r1"), queries.telling_rebate(view, "b1")]
        assert [may_tell(view, word) for word in words] == [n == 3] * 2
        overstated = TellRound(circle=pool.G, round="r1", total_each=10 * n, members=9)
        assert rests_on(view, overstated) == n, "what the home knows, not what the fact says"
    pool.must("ann", pool.commit_fact("ann", 0))
    with pytest.raises(Refused, match="tell it when 3 members have committed to it") as caught:
        check_telling(pool.view("cay"), queries.telling(pool.view("cay"), "r1"))
    assert (caught.value.code, caught.value.got) == ("group.few_members", "2 members")


def test_every_round_ends(pool):
    committed(pool)
    pool.tick(10 * DAY)
    late = pool.commit_fact("ann", 1)
    assert pool.refused("ann", late) == "group.round_over"
    assert pool.state.get(ROUNDS, ("r1",)).state == "deciding"
    pool.tick(7 * DAY)
    assert pool.state.get(ROUNDS, ("r1",)).state == "lapsed"
    assert pool.refused("cay", queries.closing(pool.view("cay"), "r1")) == "group.round_over"


def test_a_total_that_the_manager_tells_wrongly_is_found_by_the_auditor(pool):
    committed(pool)
    pool.tick(10 * DAY)
    pool.must("cay", CloseRound(circle=pool.G, round="r1", total_each=500, members=3, unit_price_minor=700))
    (found,) = queries.audit(pool.view("cay"))
    assert (found.told, found.recomputed, found.holds) == (500, 320, False)
    assert queries.audit(pool.view("ann")) == []


ROUNDS_REFUSED = [
    ("ann", {}, "group.not_manager"),
    ("cay", {"group": "none"}, "group.unknown_group"),
    ("cay", {"round": "r0"}, "group.round_taken"),
    ("cay", {"commit_by": 1}, "accounts.bad_deadline"),
    ("cay", {"item": ""}, "group.missing_terms"),
    ("cay", {"tiers": [PriceTier(from_each=n, unit_price_minor=1) for n in (5, 5)]}, "group.tiers_out_of_order"),
    ("cay", {"tiers": [PriceTier(from_each=n, unit_price_minor=n) for n in (5, 6)]}, "group.tiers_out_of_order"),
]


@pytest.mark.parametrize(("who", "change", "code"), ROUNDS_REFUSED)
def test_a_round_is_refused(pool, who, change, code):
    pool.must("cay", pool.round_fact("r0"))
    outcome_ = pool.do(who, pool.round_fact(**change))
    assert code in [outcome_.code, *(refusal.code for refusal in outcome_.private.values())]
    assert queries.round_page(pool.view("ann"), "r1") is None


WORDS = [
    ("ann", lambda p: p.commit_fact("ann", 1, name="none"), "group.unknown_round"),
    ("ann", lambda p: p.commit_fact("ann", 1, circle=p.G), "group.not_a_relationship"),
    ("eve", lambda p: p.commit_fact("ann", 1), "parties.not_in_circle"),
    ("cay", lambda p: CloseRound(circle=p.G, round="r1", total_each=1, members=1), "group.too_early"),
    ("ann", lambda p: TellRound(circle=p.G, round="r1", total_each=1, members=1), "group.not_manager"),
    ("cay", lambda p: TellRound(circle=p.G, round="none", total_each=1, members=1), "group.unknown_round"),
    ("ann", lambda p: Charter(circle=p.G, group="h", name="x"), "group.not_opener"),
    ("cay", lambda p: Charter(circle=p.AC, group="h", name="x"), "group.not_a_group"),
    ("cay", lambda p: Charter(circle=p.G, group="g", name="x"), "group.group_taken"),
    ("cay", lambda p: Join(circle=p.G, group="g"), "group.is_manager"),
    ("ann", lambda p: Join(circle=p.G, group="g"), "group.is_member"),
    ("cay", lambda p: Leave(circle=p.G, group="g"), "group.no_member"),
    ("ann", lambda p: TellRebate(circle=p.G, rebate="b1", total_minor=1, members=1), "group.not_opener"),
    ("cay", lambda p: TellRebate(circle=p.G, rebate="none", total_minor=1, members=1), "group.unknown_rebate"),
    ("cay", lambda p: p.rebate_fact(), "group.rebate_taken"),
    ("cay", lambda p: p.rebate_fact("b2", until_at=0), "group.bad_period"),
    ("ann", lambda p: p.rebate_fact("b2"), "group.not_manager"),
]


@pytest.mark.parametrize(("who", "make", "code"), WORDS)
def test_a_word_is_refused_and_changes_nothing(pool, who, make, code):
    pool.must("cay", pool.round_fact(), pool.rebate_fact())
    assert pool.refused(who, make(pool)) == code


def test_a_wrong_tier_is_refused_in_the_circle(pool):
    committed(pool)
    pool.tick(10 * DAY)
    outcome_ = pool.do("cay", CloseRound(circle=pool.G, round="r1", total_each=320, members=2, unit_price_minor=700))
    assert [refusal.code for refusal in outcome_.private.values()] == ["group.wrong_tier"]


def test_who_leaves_is_counted_no_more_and_may_come_again(pool):
    pool.must("ann", Leave(circle=pool.G, group="g"))
    (card,) = queries.groups(pool.view("ann"))
    assert (card.members, card.i_joined, card.i_manage) == (2, False, False)
    pool.must("ann", Join(circle=pool.G, group="g"))
    assert queries.groups(pool.view("cay"))[0].members == 3


# -- rebates --


def reported(pool: Pool) -> None:
    """ann 1,000.00, bob 333.33 and eve 6,666.68 of imported purchases."""
    pool.must("cay", pool.rebate_fact())
    for member, net in (("ann", 100_000), ("bob", 33_333), ("eve", 666_668)):
        pool.bought(member, net, f"DOC-{member}")
        pool.must(member, queries.report(pool.view(member), "b1"))
    pool.must("cay", queries.telling_rebate(pool.view("cay"), "b1"))


def test_statements_share_what_was_earned_to_the_cent_and_become_credits(pool):
    reported(pool)
    found = queries.statements_to_sign(pool.view("cay"), "b1", charges_ppm=100_000)
    assert [(row.spend_minor, row.share_minor) for row in found] == [(100_000, 1_000), (33_333, 333), (666_668, 6_667)]
    assert {row.earned_minor for row in found} == {8_000}
    assert sum(row.share_minor for row in found) == 8_000
    pool.must("cay", *found)
    (mine,) = queries.statements(pool.view("ann"))
    assert (mine.share_minor, mine.charges_minor, mine.payable_minor) == (1_000, 100, 900)
    assert pool.item(mine.item, pool.WITH["ann"]).open_minor == -900
    assert pool.refused("ann", queries.report(pool.view("ann"), "b1")) == "group.stated_already"
    pool.check()
    assert pool.both_sides_agree()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"spend_minor": 99_999}, "group.wrong_spend"),
        ({"earned_minor": 8_001}, "group.wrong_share"),
        ({"share_minor": 998}, "group.wrong_share"),
        ({"share_minor": 1_001}, "group.wrong_share"),
        ({"charges_minor": 1_001}, "group.wrong_share"),
        ({"rebate": "b2"}, "group.no_report"),
        ({"tiers": [RateTier(from_minor=5, ppm=1)] * 2}, "group.tiers_out_of_order"),
        ({"circle": "buyers"}, "group.not_a_relationship"),
    ],
)
def test_a_statement_is_checked_by_its_member(pool, change, code):
    reported(pool)
    good = queries.statements_to_sign(pool.view("cay"), "b1")[0]
    fields = {name: getattr(good, name) for name in good.__struct_fields__ if name != "sd_"}
    outcome_ = pool.do("cay", type(good)(**{**fields, **change}))
    assert code in [outcome_.code, *(refusal.code for refusal in outcome_.private.values())]
    assert pool.view("ann").rows(MEMBER_STATEMENTS) == []


def test_signed_and_imported_purchases_are_told_apart_and_returns_count_against_them(pool):
    pool.must("cay", pool.rebate_fact(supplier="bob"))
    pool.delivered()
    pool.must("bob", invoice(pool.view("bob"), pool.AB, "i1", ["s1"]))
    pool.bought("ann", 5_000, partner="bob")
    pool.bought("ann", 700, "m2", partner="bob", book_kind="credit_note")
    pool.bought("ann", 900, "m3", partner="another")
    pool.bought("ann", 800, "m4", partner="bob", issued_at=pool.now - 200 * DAY)
    word = queries.report(pool.view("ann"), "b1")
    assert (word.signed_minor, word.imported_minor, word.documents) == (10_000, 4_300, 3)


def test_at_order_time_a_member_hears_what_is_missing_to_the_next_tier_and_what_it_would_bring(pool):
    reported(pool)
    assert queries.near_tier(pool.view("ann"), "Maker", "EUR") == [], "200,000 missing is a fifth of the tier"
    (near,) = queries.near_tier(pool.view("ann"), "Maker", "EUR", 150_000)
    assert (near.total_minor, near.missing_minor, near.reached_now) == (950_001, 49_999, False)
    assert near.gain_minor == 20_000 - 8_000
    assert near.my_gain_minor == 12_000 * 250_000 // 1_000_000
    (there,) = queries.near_tier(pool.view("ann"), "Maker", "EUR", 200_000)
    assert (there.reached_now, there.gain_minor) == (True, 12_000)
    assert queries.near_tier(pool.view("ann"), "Another", "EUR", 150_000) == []
    pool.bought("ann", 150_000, "m2")
    assert len(queries.near_tier(pool.view("ann"), "Maker", "EUR")) == 1, (
        "what is not reported yet counts for its buyer"
    )


# -- who sees what --


def story() -> Pool:
    pool = Pool()
    committed(pool)
    pool.must("cay", queries.telling(pool.view("cay"), "r1"))
    reported(pool)
    pool.must("cay", *queries.statements_to_sign(pool.view("cay"), "b1"))
    pool.tick(10 * DAY)
    pool.must("cay", queries.closing(pool.view("cay"), "r1"))
    return pool


def test_no_member_reads_anothers_commitment_report_or_statement_and_the_manager_reads_no_documents(pool):
    pool = story()
    for member in pool.MEMBERS:
        view = pool.view(member)
        assert {row.party for row in view.rows(COMMITMENTS)} == {member}
        assert {row.party for row in view.rows(REPORTS)} == {member}
        assert {row.party for row in view.rows(MEMBER_STATEMENTS)} == {member}
        assert view.rows(COMMITMENTS_AT_HOME) == view.rows(REPORTS_AT_HOME) == []
        assert queries.shares(view, "b1") == {}
        assert queries.round_total(view, "r1") is None
        others = {"ann": "=100000,", "bob": "=33333,", "eve": "=666668,"}
        told = everything(pool, member)
        assert others.pop(member) in told
        assert [figure for figure in others.values() if figure in told] == []
    manager = everything(pool, "cay")
    assert "666668" in manager, "a member's sum is the manager's to add up"
    assert "DOC-" not in manager, "its documents and prices are not"
    assert all(row.holds for row in queries.audit(pool.view("cay")))
    assert queries.groups(pool.view("")) == []


def everything(pool: Pool, party: str) -> str:
    """Every row of every circle table that a party may read."""
    view = pool.view(party)
    return repr([view.rows(table, limit=10_000) for table in pool.book.tables if table.circle])


def test_replay_and_every_node_agree():
    assert same_under_hash_seeds(story)
    assert story().both_sides_agree()


# -- group lots --


def test_the_groups_lots_lie_with_members_and_move_at_cost_plus(pool):
    number, circle = "cay-6205", pool.WITH["ann"]
    pool.must(
        "cay",
        Earmark(
            circle=home("cay"),
            offer="t1",
            own_number=number,
            site="store-cay",
            lot="",
            owner="",
            each=10,
            minimum_price_minor=0,
            currency="EUR",
        ),
        transfer(pool, circle, "t1", "consign"),
    )
    pool.must("ann", AcceptTransfer(circle=circle, transfer="t1", site="store-ann"))
    (lot,) = queries.lots_with_members(pool.view("cay"))
    assert (lot.custodian, lot.each) == ("ann", 10)
    (kept,) = queries.lots_kept_for_group(pool.view("ann"), "cay")
    assert kept.owner == "cay"
    pool.must("cay", transfer(pool, circle, "t2", "sale_of_held", 4))
    pool.must("ann", AcceptTransfer(circle=circle, transfer="t2", site="store-ann"))
    assert queries.lots_with_members(pool.view("cay"))[0].each == 6


def transfer(pool: Pool, circle: str, name: str, kind, each: int = 10) -> ProposeTransfer:
    return ProposeTransfer(
        circle=circle,
        transfer=name,
        each=each,
        expires_at=pool.now + DAY,
        transfer_kind=kind,
        item="item-6205",
        lot="",
        unit_cost_minor=700,
        markup_ppm=45_000,
        currency="EUR",
    )


# -- arithmetic --

WEIGHTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 10**12), min_size=1, max_size=20)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**14), WEIGHTS)
def test_shares_add_up_and_none_is_a_whole_cent_off(total, weights):
    found, whole = split(total, weights), sum(weights.values())
    assert sum(found.values()) == (total if whole else 0)
    for name, weight in weights.items():
        assert abs(found[name] * whole - total * weight) < max(1, whole)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 12)), max_size=8), st.lists(st.integers(1, 900), max_size=5)
)
def test_the_best_reachable_tier_is_chosen(asked, starts):
    tiers = [Tier(start, 10 - n) for n, start in enumerate(sorted(set(starts)))]
    total, members, price = outcome(tiers, asked)
    reachable = [
        tier.value
        for tier in tiers
        if sum(each for each, most in asked if not most or most >= tier.value) >= tier.start
    ]
    assert price == (min(reachable) if reachable else 0)
    takers = [each for each, most in asked if each and (not price or not most or most >= price)]
    assert (total, members) == (sum(takers), len(takers))


def test_tiers_pay_as_the_clause_library_says():
    tiers = [Tier(0, 50_000), Tier(1_000_000, 100_000)]
    assert [earned("incremental", tiers, total) for total in (2_000_000, 600_000)] == [150_000, 30_000]
    assert earned("retroactive", tiers, 1_000_000) == 100_000
    assert earned("retroactive", tiers, 999_999) == 50_000
