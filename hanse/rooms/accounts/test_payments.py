"""Payments: both sides sign; discount in time; every wait ends."""

from __future__ import annotations

import pytest

from hanse.rooms.accounts.drafting import credit_note
from hanse.rooms.accounts.facts import Allocation, BookItems, BookLine, CreditLine
from hanse.rooms.accounts.queries import balances, credit, on_account, open_items, payments
from hanse.rooms.accounts.rows import PAYMENTS
from hanse.rooms.accounts.statements import aging, payer, payers, statement
from hanse.rooms.accounts.testing import Ledgers
from hanse.rooms.orders.testing import DAY
from hanse.rooms.testing import home

GROSS = 11_900
DISCOUNTED = 11_662


@pytest.fixture
def books() -> Ledgers:
    made = Ledgers()
    assert made.invoiced("i1") == GROSS
    return made


def state(books: Ledgers, payment: str = "z1") -> str:
    found = books.state.get(PAYMENTS, (books.AB, payment))
    return found.state if found else ""


def test_a_payment_counts_once_both_have_signed_and_earns_its_discount_in_time(books):
    books.must("ann", books.pay_fact("z1", DISCOUNTED, ("i1", GROSS)))
    assert (books.balance(), books.item().announced_minor, state(books)) == (GROSS, GROSS, "announced")
    books.must("bob", books.receive_money(amount_minor=DISCOUNTED))
    item = books.item()
    assert (item.open_minor, item.announced_minor, item.settled_at, state(books)) == (0, 0, books.now, "settled")
    assert (books.balance(), books.balance("bank"), books.balance("discount")) == (0, DISCOUNTED, 200)
    assert books.balance("tax") == -1_900 + 38, "the discount takes its share of the tax with it"
    books.check()


def test_late_means_no_discount_unless_the_payee_grants_it(books):
    books.tick(11 * DAY)
    assert books.refused_privately("ann", books.pay_fact("z1", DISCOUNTED, ("i1", GROSS))) == "accounts.wrong_amount"
    claim = {"payer": "ann", "currency": "EUR", "allocations": [Allocation(item="i1", amount_minor=GROSS)]}
    books.must("bob", books.receive_money("z2", amount_minor=DISCOUNTED, grant_discount=True, **claim))
    books.must("ann", books.pay_fact("z2", DISCOUNTED))
    assert (books.balance(), books.item().open_minor) == (0, 0)
    books.check()


def test_another_amount_than_announced_goes_on_account(books):
    books.must("ann", books.pay_fact("z1", DISCOUNTED, ("i1", GROSS)))
    books.must("bob", books.receive_money(amount_minor=5_000))
    assert (books.item().open_minor, books.item().announced_minor, books.balance()) == (GROSS, 0, GROSS - 5_000)
    assert [row.item for row in on_account(books.view("ann"))] == ["z1"]
    rest = ("z1", -5_000), ("i1", GROSS)
    books.must("ann", books.pay_fact("z2", 6_900 - 238, *rest))
    books.must("bob", books.receive_money("z2"))
    assert (books.balance(), on_account(books.view("ann"))) == (0, [])
    books.check()


def test_an_unconfirmed_payment_frees_its_items_and_may_still_be_confirmed(books):
    books.must("ann", books.pay_fact("z1", DISCOUNTED, ("i1", GROSS)))
    books.tick(6 * DAY)
    assert (state(books), books.item().announced_minor) == ("unconfirmed", 0)
    books.must("bob", books.receive_money(amount_minor=DISCOUNTED))
    assert (state(books), books.balance()) == ("settled", 0)
    books.check()


def test_a_payment_confirmed_after_its_discount_has_run_out_goes_on_account(books):
    books.must("ann", books.pay_fact("z1", DISCOUNTED, ("i1", GROSS)))
    books.tick(12 * DAY)
    books.must("bob", books.receive_money())
    assert (books.item().open_minor, books.balance()) == (GROSS, GROSS - DISCOUNTED)
    books.check()


def test_the_payees_claim_stands_when_the_payer_is_silent(books):
    claim = {"payer": "ann", "currency": "EUR", "allocations": [Allocation(item="i1", amount_minor=GROSS)]}
    books.must("bob", books.receive_money("z1", amount_minor=DISCOUNTED, **claim))
    assert (state(books), books.balance()) == ("claimed", GROSS)
    assert books.refused_privately("bob", books.receive_money("z1")) == "accounts.number_taken"
    books.tick(6 * DAY)
    assert (state(books), books.balance()) == ("settled", 0)
    assert books.refused_privately("ann", books.pay_fact("z1", DISCOUNTED)) == "accounts.payment_ended"
    books.check()


def test_credits_are_set_off_and_refunded(books):
    given = [CreditLine(number=1, each=4)]
    books.must("bob", credit_note(books.view("bob"), books.AB, "c1", "i1", given, reason="goodwill"))
    books.must("ann", books.pay_fact("z1", 0, ("c1", -2_000), ("i1", 2_000)))
    books.must("bob", books.receive_money("z1"))
    assert (books.balance(), books.balance("discount")) == (7_140, 0), "goods that went back earn no discount"
    books.must("ann", books.pay_fact("z2", 7_140 - 143, ("c1", -2_760), ("i1", 9_900)))
    books.must("bob", books.receive_money("z2"))
    assert books.balance() == 0
    books.must("bob", credit_note(books.view("bob"), books.AB, "c2", "i1", given, reason="goodwill"))
    books.must("bob", books.pay_fact("z3", 4_760, ("c2", -4_760), refund=True))
    books.must("ann", books.receive_money("z3"))
    assert (books.balance(), open_items(books.view("ann"))) == (0, [])
    books.check()


PAYS = [
    ("ann", {"answer_by": 1}, "accounts.bad_deadline"),
    ("ann", {"cycle": "none"}, "accounts.not_netted"),
    ("ann", {"payer": "eve"}, "accounts.unknown_partner"),
    ("ann", {"payer": "bob", "payee": "ann"}, "accounts.not_payer"),
    ("ann", {"allocations": [Allocation(item="none", amount_minor=1)]}, "accounts.unknown_item"),
    ("ann", {"currency": "USD"}, "accounts.other_books"),
    ("bob", {}, "accounts.other_books"),
    ("ann", {"allocations": [Allocation(item="i1", amount_minor=GROSS + 1)]}, "accounts.more_than_open"),
    ("ann", {"allocations": [Allocation(item="i1", amount_minor=-1)]}, "accounts.more_than_open"),
    ("ann", {"allocations": [Allocation(item="i1", amount_minor=1)] * 2}, "accounts.repeated_item"),
    ("ann", {"allocations": [], "amount_minor": 0}, "accounts.nothing_paid"),
    ("ann", {"amount_minor": DISCOUNTED - 1}, "accounts.wrong_amount"),
]


@pytest.mark.parametrize(("who", "change", "code"), PAYS)
def test_a_payment_is_refused(books, who, change, code):
    fact = books.pay_fact("z9", DISCOUNTED, ("i1", GROSS))
    fields = {name: getattr(fact, name) for name in fact.__struct_fields__ if name != "sd_"}
    assert books.refused_privately(who, type(fact)(**{**fields, **change})) == code


def test_only_payer_and_payee_answer_each_other(books):
    books.must("ann", books.pay_fact("z1", DISCOUNTED, ("i1", GROSS)))
    assert books.refused_privately("ann", books.pay_fact("z1", DISCOUNTED)) == "accounts.number_taken"
    assert books.refused_privately("ann", books.receive_money("z1")) == "accounts.number_taken"
    assert books.refused_privately("ann", books.pay_fact("z2", 1, ("i1", 1))) == "accounts.more_than_open"
    books.must("bob", books.receive_money("z1"))
    assert books.refused_privately("bob", books.receive_money("z1")) == "accounts.payment_ended"


def test_statement_aging_and_payer_figures(books):
    books.invoiced("i2", each=5)
    books.tick(20 * DAY)
    books.must("ann", books.pay_fact("z1", GROSS, ("i1", GROSS)))
    books.must("bob", books.receive_money("z1"))
    books.tick(50 * DAY)
    bob, ann = books.view("bob"), books.view("ann")
    told = statement(bob, books.AB, "ann", "EUR", from_at=books.now - 60 * DAY)
    assert [(step.label, step.amount_minor) for step in told.steps] == [
        ("opening", 17_850),
        ("payment", -GROSS),
        ("closing", 5_950),
    ]
    mirror = statement(ann, books.AB, "bob", "EUR", side="buy", from_at=books.now - 60 * DAY)
    assert [step.amount_minor for step in mirror.steps] == [-17_850, GROSS, -5_950]
    (age,) = aging(bob)
    assert (age.partner, age.buckets_minor, age.oldest_days) == ("ann", (0, 0, 5_950, 0, 0), 40)
    assert aging(ann, "buy")[0].open_minor == 5_950
    (figure,) = payers(bob)
    assert figure == payer(bob, "ann", "EUR")
    assert (figure.settled_n, figure.pay_days, figure.late_days, figure.in_time_ppm) == (1, 20, 0, 1_000_000)
    assert (figure.overdue_minor, figure.dso_days) == (5_950, 5_950 * 365 // 17_850)
    assert [(row.partner, row.receivable_minor) for row in balances(bob)] == [("ann", 5_950)]
    assert [(row.partner, row.payable_minor, row.net_minor) for row in balances(ann)] == [("bob", 5_950, -5_950)]
    assert len(payments(ann, "settled")) == 1


def test_credit_counts_what_is_due_unbilled_and_confirmed_and_says_why_it_is_held(books):
    bob = books.view("bob")
    assert (credit(bob, "ann", "EUR").exposure_minor, credit(bob, "ann", "EUR").held) == (GROSS, "")
    books.delivered("po7", each=10, shipment="s7")
    books.must("ann", books.order_fact("po8", books.line(each=20)))
    books.must("bob", books.confirm_fact("po8", (1, 20)))
    now = credit(books.view("bob"), "ann", "EUR")
    assert (now.due_minor, now.unbilled_minor, now.ordered_minor, now.free_minor) == (GROSS, 10_000, 20_000, 8_100)
    assert credit(books.view("bob"), "ann", "EUR", 8_100).held == ""
    assert credit(books.view("bob"), "ann", "EUR", 8_101).held == "limit"
    books.tick(51 * DAY)
    assert credit(books.view("bob"), "ann", "EUR").held == "overdue"
    books.must("bob", books.terms_fact(hold=True))
    assert credit(books.view("bob"), "ann", "EUR").held == "on hold"
    assert credit(books.view("ann"), "ann", "EUR").limit_minor == -1, "the customer reads none of it"


def test_a_firm_brings_its_own_books_and_settles_them_alone(books):
    rest = {"partner": "Klinik Nord", "currency": "EUR", "issued_at": books.now - 90 * DAY}
    told = [
        BookLine(item="b1", side="sell", net_minor=1_000, tax_minor=190, open_minor=1_190, number="R-1", **rest),
        BookLine(item="b2", side="sell", net_minor=500, settled_at=books.now - 10 * DAY, due_at=books.now, **rest),
        BookLine(item="b3", side="buy", net_minor=700, open_minor=100, **rest),
        BookLine(item="b4", side="sell", book_kind="credit_note", net_minor=50, open_minor=50, **rest),
    ]
    books.must("bob", BookItems(circle=home("bob"), lines=told))
    assert books.refused("bob", BookItems(circle=home("bob"), lines=told[:1])) == "accounts.item_taken"
    books.check()
    own = [row for row in balances(books.view("bob")) if row.partner == "~Klinik Nord"]
    assert [(row.receivable_minor, row.payable_minor, row.unproven) for row in own] == [(1_140, 100, True)]
    paid = books.pay_fact(
        "z1", 1_140, ("b1", 1_190), ("b4", -50), circle=home("bob"), payer="~Klinik Nord", payee="bob", answer_by=0
    )
    books.must("bob", paid)
    assert [row for row in open_items(books.view("bob"), "~Klinik Nord", "sell")] == []
    assert payer(books.view("bob"), "~Klinik Nord", "EUR").unproven
    books.check()


BOOKED = [
    ({"open_minor": 101}, "accounts.more_than_open"),
    ({"issued_at": 1_800_000_000}, "accounts.bad_time"),
    ({"net_minor": 10**17, "tax_minor": 1}, "accounts.too_much"),
]


@pytest.mark.parametrize(("change", "code"), BOOKED)
def test_own_books_are_refused(books, change, code):
    line = {"item": "b9", "side": "sell", "partner": "X", "currency": "EUR", "net_minor": 100, "issued_at": 1}
    fact = BookItems(circle=home("bob"), lines=[BookLine(**{**line, **change})])
    assert books.refused("bob", fact) == code
    assert books.refused("bob", BookItems(circle=books.AB, lines=fact.lines)) == "parties.not_a_home"
