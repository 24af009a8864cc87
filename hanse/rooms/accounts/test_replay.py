"""A story with every kind of fact: the same under every hash seed, on every party's own node, and blank to others."""

from __future__ import annotations

import json

from hanse.rooms.accounts import drafting, proving, queries, statements
from hanse.rooms.accounts.deal_facts import AcceptAssignment, AcceptEscrow, AssignDebt, HoldEscrow, NettingOpen
from hanse.rooms.accounts.facts import BookItems, BookLine, CreditLine
from hanse.rooms.accounts.test_told import Told
from hanse.rooms.accounts.testing import Ledgers
from hanse.rooms.orders.testing import DAY
from hanse.rooms.testing import home, same_under_hash_seeds
from hanse.standards.sdjwt import unb64

SECRETS = ("77077", "SECRET", "Klinik", "damages-label", "91721", "taken-over", "i-note")


def story() -> Ledgers:
    """Every confidential field that is a text carries a word of SECRETS; prices are 77,077."""
    books = Told()
    books.clearing()
    for n in range(3):
        books.must("ann", books.order_fact(f"po{n}", books.line(each=2, unit_price_minor=77077)))
        books.must("bob", books.confirm_fact(f"po{n}", (1, 2)))
        if not n:
            books.must("ann", _escrow(books))
            books.must("bob", AcceptEscrow(circle=books.AB, escrow="e1"))
        books.must("bob", books.ship_fact(f"po{n}", f"s{n}", (1, 2), stock="bob-6205"))
        books.must("ann", books.receive_fact(f"s{n}"))
        books.must("bob", books.invoice(f"i{n}", f"s{n}", number=f"SECRET-{n}", note="i-note"))
    given = [CreditLine(number=1, each=1)]
    note = drafting.credit_note(books.view("bob"), books.AB, "c1", "i0", given, reason="price", note="SECRET")
    books.must("bob", note)
    books.must("ann", books.pay_fact("z1", 91_721, ("i0", 91_721 // 98 * 100), reference="SECRET-PAY"))
    books.must("bob", books.receive_money("z1", amount_minor=90_000))
    books.do("ann", books.pay_fact("z2", 1, ("i1", 10**9)))
    books.must("ann", books.pay_fact("z3", 100_000, ("i1", 100_000)))
    books.award("posted", label="damages-label")
    books.award("stands", label="damages-label")
    books.must("bob", _assignment(books))
    books.must("ann", AcceptAssignment(circle=books.AB, assignment="t1"))
    books.must("bob", BookItems(circle=home("bob"), lines=[_booked(books)]))
    opening = NettingOpen(circle=books.NET, cycle="n1", submit_by=books.now + DAY, sign_seconds=DAY, currency="EUR")
    books.must("cay", opening)
    for party in ("ann", "bob"):
        books.must(party, drafting.submission(books.view(party), "n1"))
    books.must("cay", drafting.closing(books.view("cay"), "n1", "SECRET salt of cay"))
    for party in ("ann", "bob"):
        books.must(party, drafting.signature(books.view(party), "n1"))
    for _ in range(3):
        books.tick(12 * DAY)
    return books


def _escrow(books: Ledgers) -> HoldEscrow:
    return HoldEscrow(
        circle=books.AB,
        escrow="e1",
        order="po0",
        answer_by=books.now + DAY,
        settle_by=books.now + 30 * DAY,
        holder="bob",
        currency="EUR",
        amount_minor=77077,
    )


def _assignment(books: Ledgers) -> AssignDebt:
    return AssignDebt(
        circle=books.AB,
        assignment="t1",
        answer_by=books.now + DAY,
        step="leaves",
        supplier="bob",
        customer="ann",
        third="cay",
        item="i2",
        currency="EUR",
        amount_minor=77077,
        reference="taken-over",
    )


def _booked(books: Ledgers) -> BookLine:
    return BookLine(
        item="b1",
        side="sell",
        partner="Klinik Nord",
        currency="EUR",
        net_minor=77077,
        open_minor=77077,
        issued_at=books.now,
        number="SECRET-B",
    )


def test_replay_does_not_depend_on_the_hash_seed():
    assert same_under_hash_seeds(story)


def test_every_partys_own_node_agrees_and_all_books_balance():
    books = story()
    assert books.both_sides_agree()
    books.check()
    ann, bob = books.view("ann"), books.view("bob")
    sides = [[row.net_minor for row in queries.balances(view) if row.circle == books.AB] for view in (ann, bob)]
    assert sides[0] == [-amount for amount in sides[1]] != []


def test_the_record_says_kinds_numbers_and_deadlines_and_nothing_else():
    books = story()
    clear = []
    for block in books.blocks:
        for leaf in block.leaves:
            for part in leaf.split(b"."):
                try:
                    clear.append(unb64(part).decode())
                except (ValueError, UnicodeDecodeError):
                    clear.append(part.decode(errors="replace"))
    said = "\n".join(clear)
    assert "accounts.invoice" in said
    assert [word for word in SECRETS if word in said] == []


def test_a_competitors_queries_are_empty():
    books = story()
    eve = books.view("eve")
    answers = [
        queries.balances(eve),
        queries.open_items(eve),
        queries.accruals(eve, "used"),
        queries.documents(eve),
        queries.payments(eve),
        queries.escrows(eve),
        queries.assignments(eve, "ended"),
        queries.to_assign(eve),
        queries.on_account(eve),
        statements.aging(eve),
        statements.payers(eve),
        drafting.to_bill(eve),
        proving.balanced(eve),
    ]
    assert answers == [[]] * len(answers)
    for found in (queries.document(eve, books.AB, "i0"), queries.cycle_page(eve, "n1"), queries.terms_for(eve, "ann")):
        assert found is None
    assert statements.statement(eve, books.AB, "bob", "EUR").entries == ()
    cay = json.dumps([repr(queries.open_items(books.view("cay"))), repr(queries.balances(books.view("cay")))])
    assert "i0" not in cay, "the treasurer reads submissions, not invoices"
