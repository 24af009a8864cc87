"""Escrow, debts taken over, netting: every wait ends in a named outcome, and no cent is lost between circles."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanse.rooms.accounts.deal_facts import (
    AcceptAssignment,
    AcceptEscrow,
    AssignDebt,
    HoldEscrow,
    NettingOpen,
    NettingSign,
    NettingSubmit,
    Owed,
)
from hanse.rooms.accounts.drafting import closing, signature, submission
from hanse.rooms.accounts.netting import net
from hanse.rooms.accounts.queries import assignments, cycle_page, escrows, open_items, to_assign
from hanse.rooms.accounts.rows import CYCLES, ESCROWS, OwedTo, Way
from hanse.rooms.accounts.testing import Ledgers
from hanse.rooms.orders.delivery_facts import Contest, ReceiveLine
from hanse.rooms.orders.testing import DAY

SALT = "a salt of the treasurer"


@pytest.fixture
def books() -> Ledgers:
    return Ledgers()


# -- escrow --


def hold(books: Ledgers, escrow: str = "e1", **rest):
    fields = {
        "circle": books.AB,
        "escrow": escrow,
        "order": "po1",
        "answer_by": books.now + DAY,
        "settle_by": books.now + 30 * DAY,
        "inspect_seconds": 2 * DAY,
        "holder": "bob",
        "currency": "EUR",
        "amount_minor": 10_001,
    }
    return HoldEscrow(**{**fields, **rest})


def escrow_of(books: Ledgers, escrow: str = "e1"):
    found = books.state.get(ESCROWS, (books.AB, escrow))
    assert found is not None
    return found


def held(books: Ledgers) -> None:
    books.must("ann", books.order_fact(), hold(books))
    books.must("bob", AcceptEscrow(circle=books.AB, escrow="e1"))
    assert (books.balance("escrow"), books.balance("deposit")) == (10_001, -10_001)


def test_escrow_releases_what_was_accepted_floored_after_the_inspection_and_refunds_the_rest(books):
    held(books)
    books.must("bob", books.confirm_fact(), books.ship_fact(stock="bob-6205"))
    books.must("ann", books.receive_fact("s1", ReceiveLine(line=1, received=7, damaged=2, reason="bent")))
    books.tick(DAY)
    assert escrow_of(books).state == "held", "the inspection lasts two days"
    books.tick(DAY)
    row = escrow_of(books)
    assert (row.state, row.released_minor, row.refunded_minor) == ("ended", 7_000, 3_001)
    assert (books.balance("escrow"), books.balance("deposit"), books.balance("bank")) == (0, 0, 7_000)
    assert books.item("e1").open_minor == -7_000
    assert escrows(books.view("eve")) == []
    books.check()


def test_escrow_of_an_order_that_never_comes_goes_back_at_its_end(books):
    held(books)
    books.tick(31 * DAY)
    row = escrow_of(books)
    assert (row.state, row.released_minor, row.refunded_minor) == ("ended", 0, 10_001)
    books.check()


def test_a_deemed_delivery_that_the_customer_contests_releases_nothing(books):
    held(books)
    books.must("bob", books.confirm_fact(), books.ship_fact(stock="bob-6205"))
    books.tick(14 * DAY)
    assert books.shipment_of().method == "deemed"
    books.must("ann", Contest(circle=books.AB, shipment="s1", reason="nothing came"))
    books.tick(3 * DAY)
    assert escrow_of(books).released_minor == 0
    books.check()


def test_an_escrow_that_nobody_takes_lapses_and_another_may_follow(books):
    books.must("ann", books.order_fact(), hold(books))
    assert books.refused("ann", hold(books, "e2")) == "accounts.escrow_stands"
    books.tick(DAY + 1)
    assert escrow_of(books).state == "lapsed"
    assert books.refused("bob", AcceptEscrow(circle=books.AB, escrow="e1")) == "accounts.escrow_ended"
    books.must("ann", hold(books, "e2"))
    books.check()


ESCROWS_REFUSED = [
    ("bob", {}, "accounts.not_customer"),
    ("ann", {"order": "none"}, "accounts.unknown_order"),
    ("ann", {"answer_by": 1}, "accounts.bad_deadline"),
    ("ann", {"amount_minor": 0}, "accounts.missing_terms"),
    ("ann", {"currency": "USD"}, "accounts.wrong_currency"),
    ("ann", {"holder": "eve"}, "accounts.unknown_holder"),
    ("ann", {"holder": "ann"}, "accounts.unknown_holder"),
]


@pytest.mark.parametrize(("who", "change", "code"), ESCROWS_REFUSED)
def test_an_escrow_is_refused(books, who, change, code):
    books.must("ann", books.order_fact())
    outcome = books.do(who, hold(books, **change))
    assert code in [outcome.code, *(refusal.code for refusal in outcome.private.values())]
    assert books.state.get(ESCROWS, (books.AB, "e1")) is None


# -- debts taken over: cay is the group that pays for ann --


def assign(books: Ledgers, circle: str, name: str, step: str, supplier: str, customer: str, **rest):
    fields = {
        "circle": circle,
        "assignment": name,
        "answer_by": books.now + DAY,
        "step": step,
        "supplier": supplier,
        "customer": customer,
        "currency": "EUR",
        "amount_minor": 11_900,
        "reference": "i1",
    }
    return AssignDebt(**{**fields, **rest})


def test_a_group_that_pays_centrally_takes_the_debt_over_in_three_signed_steps(books):
    books.circle("cay", "bob")
    books.delivered()
    books.must("bob", books.invoice(bill_to="cay"))
    assert [item.item for item in to_assign(books.view("bob"))] == ["i1"]
    books.must("bob", assign(books, books.AB, "t1", "leaves", "bob", "ann", third="cay", item="i1"))
    books.must("cay", assign(books, "cay--bob", "t2", "arrives", "bob", "cay", third="ann", due_at=books.now + 9 * DAY))
    books.must("ann", assign(books, books.AC, "t3", "arrives", "cay", "ann", third="bob"))
    assert [row.assignment for row in assignments(books.view("cay"))] == ["t3", "t2"]
    books.must("ann", AcceptAssignment(circle=books.AB, assignment="t1"))
    books.must("bob", AcceptAssignment(circle="cay--bob", assignment="t2"))
    books.must("cay", AcceptAssignment(circle=books.AC, assignment="t3"))
    owed = {(item.supplier, item.customer): item.open_minor for item in open_items(books.view("cay"))}
    assert owed == {("bob", "cay"): 11_900, ("cay", "ann"): 11_900}
    assert books.item().open_minor == 0
    assigned = Counter()
    for circle, supplier, customer in ((books.AB, "bob", "ann"), ("cay--bob", "bob", "cay"), (books.AC, "cay", "ann")):
        amount = books.balance("assigned", circle, Way("EUR", supplier, customer))
        assigned[supplier] += amount
        assigned[customer] -= amount
    assert set(assigned.values()) == {0}, "what leaves one relationship arrives in another"
    books.check()


def test_an_assignment_that_nobody_accepts_moves_nothing(books):
    books.invoiced()
    books.must("bob", assign(books, books.AB, "t1", "leaves", "bob", "ann", item="i1"))
    books.tick(2 * DAY)
    assert books.refused("ann", AcceptAssignment(circle=books.AB, assignment="t1")) == "accounts.too_late"
    assert books.item().open_minor == 11_900
    assert [row.state for row in assignments(books.view("ann"), "lapsed")] == ["lapsed"]


ASSIGNMENTS = [
    ("eve", {}, "parties.not_in_circle"),
    ("bob", {"answer_by": 1}, "accounts.bad_deadline"),
    ("bob", {"supplier": "eve"}, "accounts.unknown_partner"),
    ("bob", {"item": "none"}, "accounts.unknown_item"),
    ("bob", {"supplier": "ann", "customer": "bob"}, "accounts.other_books"),
    ("bob", {"amount_minor": 11_901}, "accounts.more_than_open"),
    ("bob", {"step": "arrives", "assignment": "i1"}, "accounts.number_taken"),
]


@pytest.mark.parametrize(("who", "change", "code"), ASSIGNMENTS)
def test_an_assignment_is_refused(books, who, change, code):
    books.invoiced()
    fact = assign(books, books.AB, "t9", "leaves", "bob", "ann", item="i1")
    fields = {name: getattr(fact, name) for name in fact.__struct_fields__ if name != "sd_"}
    assert books.refused_privately(who, type(fact)(**{**fields, **change})) == code


def test_only_the_other_side_accepts_and_once(books):
    books.invoiced()
    books.must("bob", assign(books, books.AB, "t1", "leaves", "bob", "ann", item="i1"))
    accept = AcceptAssignment(circle=books.AB, assignment="t1")
    assert books.refused("bob", accept) == "accounts.own_proposal"
    books.must("ann", accept)
    assert books.refused("ann", accept) == "accounts.too_late"


# -- netting --


def triangle(books: Ledgers) -> None:
    """bob is owed 11,900 by ann; ann 11,900 by cay, and cay 9,000 by bob, as they state it."""
    books.clearing()
    books.invoiced()
    books.must(
        "cay",
        NettingOpen(circle=books.NET, cycle="n1", submit_by=books.now + DAY, sign_seconds=DAY, currency="EUR"),
    )
    own = submission(books.view("ann"), "n1")
    assert own.owed == [Owed(partner="bob", to_pay_minor=11_900)]
    words = {
        "ann": [*own.owed, Owed(partner="cay", to_get_minor=11_900)],
        "bob": [Owed(partner="ann", to_get_minor=11_900), Owed(partner="cay", to_pay_minor=9_000)],
        "cay": [Owed(partner="ann", to_pay_minor=11_900), Owed(partner="bob", to_get_minor=9_000)],
    }
    for party, owed in words.items():
        books.must(party, NettingSubmit(circle=books.NET, cycle="n1", owed=owed))


def close(books: Ledgers) -> None:
    fact = closing(books.view("cay"), "n1", SALT)
    assert fact is not None
    books.must("cay", fact)


def test_a_cycle_is_netted_when_each_party_has_checked_and_signed_and_the_saving_is_shown(books):
    triangle(books)
    assert books.refused("ann", NettingSign(circle=books.NET, cycle="n1", result="0" * 64)) == "accounts.too_late"
    assert books.refused("bob", closing(books.view("cay"), "n1", SALT)) == "accounts.not_treasurer"
    close(books)
    assert books.refused("ann", NettingSign(circle=books.NET, cycle="n1", result="0" * 64)) == "accounts.wrong_result"
    for party in ("ann", "bob", "cay"):
        books.must(party, signature(books.view(party), "n1"))
    page = cycle_page(books.view("ann"), "n1")
    assert (page.cycle.state, page.result.state) == ("settled", "settled")
    assert (page.payments_before, page.payments_after, page.saved_minor) == (3, 1, 32_800 - 2_900)
    assert [(move.payer, move.payee, move.amount_minor) for move in page.result.transfers] == [("cay", "bob", 2_900)]
    books.must("cay", books.pay_fact("z1", 2_900, ("n1/1", 2_900), circle=books.NET, payee="bob"))
    books.must("bob", books.receive_money("z1", circle=books.NET))
    books.must("ann", books.pay_fact("z2", 11_900 - 238, ("i1", 11_900), method="netting", cycle="n1"))
    books.must("bob", books.receive_money("z2"))
    assert books.balance() == 0
    assert books.balance("netting") == 11_662
    assert cycle_page(books.view("eve"), "n1") is None
    books.check()


def test_who_does_not_sign_drops_out_and_the_cycle_is_recomputed(books):
    triangle(books)
    close(books)
    books.must("ann", signature(books.view("ann"), "n1"))
    books.must("cay", signature(books.view("cay"), "n1"))
    books.tick(DAY)
    row = books.state.get(CYCLES, ("n1",))
    assert (row.state, row.dropped) == ("closing", ("bob+clearing",))
    close(books)
    assert signature(books.view("ann"), "n1").result != row.result
    for party in ("ann", "cay"):
        books.must(party, signature(books.view(party), "n1"))
    page = cycle_page(books.view("cay"), "n1")
    assert [(move.payer, move.payee, move.amount_minor) for move in page.result.transfers] == [("cay", "ann", 11_900)]
    assert page.cycle.round == 2
    books.check()


def test_a_cycle_without_a_result_or_with_one_signer_ends_void(books):
    triangle(books)
    books.tick(DAY)
    assert books.state.get(CYCLES, ("n1",)).state == "closing"
    assert books.refused("ann", NettingSubmit(circle=books.NET, cycle="n1", owed=[])) == "accounts.too_late"
    books.tick(DAY)
    assert books.state.get(CYCLES, ("n1",)).state == "void"
    assert cycle_page(books.view("ann"), "n1").result.state == "void"
    assert books.refused("cay", closing(books.view("cay"), "n1", SALT)) == "accounts.too_late"


def test_a_treasurer_that_states_another_result_is_contradicted_by_every_node(books):
    triangle(books)
    good = closing(books.view("cay"), "n1", SALT)
    wrong = type(good)(circle=good.circle, cycle="n1", result="0" * 64, parties=good.parties, salt=SALT)
    outcome = books.do("cay", wrong)
    assert [refusal.code for refusal in outcome.private.values()] == ["accounts.wrong_result"]
    assert signature(books.view("ann"), "n1") is None
    books.tick(DAY)
    assert books.state.get(CYCLES, ("n1",)).state == "void"
    books.check()


def opening(books: Ledgers, **rest) -> NettingOpen:
    fields = {"circle": books.NET, "cycle": "n2", "submit_by": books.now + DAY, "sign_seconds": DAY, "currency": "EUR"}
    return NettingOpen(**{**fields, **rest})


def words(books: Ledgers, *owed: Owed, **rest) -> NettingSubmit:
    return NettingSubmit(**{"circle": books.NET, "cycle": "n1", "owed": list(owed), **rest})


NETTING = [
    ("eve", opening, "parties.not_in_circle"),
    ("ann", lambda b: opening(b, cycle="n1"), "accounts.number_taken"),
    ("ann", lambda b: opening(b, circle=b.AB), "accounts.not_a_group"),
    ("ann", lambda b: opening(b, submit_by=1), "accounts.bad_deadline"),
    ("ann", lambda b: words(b, cycle="none"), "accounts.unknown_number"),
    ("ann", lambda b: words(b, Owed(partner="bob"), Owed(partner="bob")), "accounts.repeated_partner"),
    ("ann", lambda b: words(b, Owed(partner="eve")), "accounts.unknown_partner"),
    ("ann", lambda b: words(b, Owed(partner="ann")), "accounts.unknown_partner"),
    ("ann", lambda b: words(b, Owed(partner="bob", to_pay_minor=10**17, to_get_minor=1)), "accounts.too_much"),
    ("ann", lambda b: closing(b.view("ann"), "n1", SALT), "accounts.not_treasurer"),
]


@pytest.mark.parametrize(("who", "make", "code"), NETTING)
def test_a_word_on_netting_is_refused_and_changes_nothing(books, who, make, code):
    triangle(books)
    assert books.refused_privately(who, make(books)) == code


def test_a_result_is_signed_once_and_by_those_with_something_to_net(books):
    triangle(books)
    books.must("bob", NettingSubmit(circle=books.NET, cycle="n1", owed=[]))
    close(books)
    row = books.state.get(CYCLES, ("n1",))
    assert row.parties == ("ann+clearing", "cay+clearing")
    sign = NettingSign(circle=books.NET, cycle="n1", result=row.result)
    assert books.refused("bob", sign) == "accounts.not_a_party"
    books.must("ann", sign)
    assert books.refused("ann", sign) == "accounts.signed_already"
    other = type(closing(books.view("cay"), "n1", SALT))
    late = other(circle=books.NET, cycle="n1", result=row.result, parties=[], salt=SALT)
    assert books.refused("cay", late) == "accounts.too_late"


def test_what_partners_state_differently_is_left_out_and_shown():
    told = {"a": [OwedTo("b", 100, 0)], "b": [OwedTo("a", 0, 90), OwedTo("c", 5, 0)], "c": [OwedTo("b", 0, 5)]}
    done = net(told)
    assert done.unmatched == (("a", "b", 100, 90),)
    assert done.gross_minor == 5


NAMES = "abcdef"
DEBTS = st.dictionaries(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1]),
    st.integers(1, 10**12),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(DEBTS, st.sets(st.sampled_from(NAMES), max_size=4))
def test_netting_moves_each_partys_net_and_no_more_payments_than_parties(debts, dropped):
    told = {
        party: [
            OwedTo(other, debts.get((party, other), 0), debts.get((other, party), 0))
            for other in NAMES
            if other != party
        ]
        for party in NAMES
    }
    done = net(told, dropped)
    kept = {pair: amount for pair, amount in debts.items() if not dropped & set(pair)}
    position: Counter[str] = Counter()
    for (payer, payee), amount in kept.items():
        position[payer] -= amount
        position[payee] += amount
    assert done.gross_minor == sum(kept.values())
    assert dict(done.positions) == dict(position)
    moved: Counter[str] = Counter()
    for move in done.transfers:
        assert move.amount_minor > 0
        moved[move.payer] -= move.amount_minor
        moved[move.payee] += move.amount_minor
    assert {p: a for p, a in moved.items() if a} == {p: a for p, a in position.items() if a}
    some = sum(1 for amount in position.values() if amount)
    assert len(done.transfers) <= max(0, some - 1)
    assert not {move.payer for move in done.transfers} & {move.payee for move in done.transfers}
    assert done.unmatched == ()
