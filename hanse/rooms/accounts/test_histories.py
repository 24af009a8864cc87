"""Histories of deliveries, bills, credits, payments and results against a plain ledger: no cent is made or lost."""

from __future__ import annotations

import sys
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hanse.rooms.accounts.deal_facts import AcceptAssignment, AssignDebt
from hanse.rooms.accounts.drafting import credit_note
from hanse.rooms.accounts.facts import CreditLine, InvoiceLine
from hanse.rooms.accounts.test_told import TellAward
from hanse.rooms.accounts.testing import Ledgers
from hanse.rooms.orders.delivery_facts import AcceptedLine, AcceptReturn, ReceiveLine, ReturnGoods, ReturnLineAsked
from hanse.rooms.orders.testing import DAY

SMALL = st.integers(0, 9)
RATE = 190_000


class Told(Ledgers):
    extra = (sys.modules[TellAward.__module__],)


def half_up(amount: int, ppm: int) -> int:
    return (amount * ppm * 2 + 1_000_000) // 2_000_000


class Histories(RuleBasedStateMachine):
    """bob delivers to ann at prices that do not divide; the model is a dict of open amounts, and four sums."""

    @initialize()
    def begin(self) -> None:
        self.books = Told()
        self.shipments: list[dict[str, int]] = []
        self.open: dict[str, int] = {}
        self.invoices: dict[str, dict[str, int]] = {}
        self.waiting: dict[str, tuple[str, int]] = {}
        self.awards: dict[str, int] = {}
        self.sums = {"unbilled": 0, "goods": 0, "bank": 0, "accrued": 0}
        self.n = 0

    def name(self, letter: str) -> str:
        self.n += 1
        return f"{letter}{self.n}"

    def announced(self, item: str) -> int:
        return sum(amount for name, amount in self.waiting.values() if name == item)

    @rule(each=st.integers(1, 9), damaged=st.integers(0, 3), price=st.integers(1, 997))
    def deliver(self, each: int, damaged: int, price: int) -> None:
        books, order, shipment = self.books, self.name("po"), f"s{len(self.shipments)}"
        damaged = min(each, damaged)
        line = books.line(each=each, unit_price_minor=price)
        books.must("ann", books.order_fact(order, line))
        books.must(
            "bob", books.confirm_fact(order, (1, each)), books.ship_fact(order, shipment, (1, each), stock="bob-6205")
        )
        arrived = ReceiveLine(line=1, received=each - damaged, damaged=damaged, reason="bent")
        books.must("ann", books.receive_fact(shipment, arrived))
        good = each - damaged
        self.shipments.append({"price": price, "good": good, "damaged": damaged, "billed": 0, "returned": 0})
        self.sums["unbilled"] += good * price
        self.sums["goods"] -= good * price

    @rule(n=SMALL, each=st.integers(1, 9))
    def bill(self, n: int, each: int) -> None:
        if not self.shipments:
            return
        at = n % len(self.shipments)
        row, number = self.shipments[at], self.name("i")
        left = row["good"] - max(0, row["returned"] - row["damaged"]) - row["billed"]
        line = InvoiceLine(shipment=f"s{at}", line=1, each=each, tax_ppm=RATE)
        net = each * row["price"]
        tax = half_up(net, RATE)
        fact = self.books.invoice(
            number, f"s{at}", lines=[line], discount_ppm=0, net_minor=net, tax_minor=tax, gross_minor=net + tax
        )
        got = self.books.refused_privately("bob", fact)
        assert got == ("ok" if each <= left else "accounts.more_than_received")
        if got == "ok":
            row["billed"] += each
            self.open[number] = net + tax
            self.invoices[number] = {"each": each, "price": row["price"], "credited": 0}
            self.sums["unbilled"] -= net

    @rule(n=SMALL, each=st.integers(1, 4))
    def send_back(self, n: int, each: int) -> None:
        if not self.shipments:
            return
        at = n % len(self.shipments)
        row, number = self.shipments[at], self.name("r")
        each = min(each, row["good"] + row["damaged"] - row["returned"])
        if not each:
            return
        line = ReturnLineAsked(line=1, each=each)
        self.books.must(
            "ann",
            ReturnGoods(
                circle=self.books.AB,
                shipment=f"s{at}",
                return_id=number,
                answer_by=self.books.now + DAY,
                lines=[line],
                reason="x",
            ),
        )
        before = max(0, row["returned"] - row["damaged"])
        row["returned"] += each
        after = max(0, row["returned"] - row["damaged"])
        self.books.must(
            "bob", AcceptReturn(circle=self.books.AB, return_id=number, lines=[AcceptedLine(line=1, each=each)])
        )
        free = row["good"] - row["billed"]
        unbilled = min(after, free) - min(before, free)
        billed = after - before - unbilled
        self.sums["unbilled"] -= unbilled * row["price"]
        self.sums["accrued"] -= billed * row["price"]
        self.sums["goods"] += (after - before) * row["price"]

    @rule(n=SMALL, each=st.integers(1, 9))
    def credit(self, n: int, each: int) -> None:
        if not self.invoices:
            return
        number = sorted(self.invoices)[n % len(self.invoices)]
        row, name = self.invoices[number], self.name("c")
        fact = credit_note(
            self.books.view("bob"), self.books.AB, name, number, [CreditLine(number=1, each=each)], reason="goodwill"
        )
        got = self.books.refused_privately("bob", fact)
        assert got == ("ok" if row["credited"] + each <= row["each"] else "accounts.more_than_billed")
        if got == "ok":
            row["credited"] += each
            net = each * row["price"]
            self.open[name] = -(net + half_up(net, RATE))
            self.sums["goods"] += net

    @rule(n=SMALL, percent=st.integers(1, 110), answer=st.sampled_from(["all", "less", "none"]))
    def pay(self, n: int, percent: int, answer: str) -> None:
        items = sorted(item for item, amount in self.open.items() if amount > 0)
        if not items:
            return
        item = items[n % len(items)]
        amount = max(1, self.open[item] * percent // 100)
        name = self.name("z")
        got = self.books.refused_privately("ann", self.books.pay_fact(name, amount, (item, amount)))
        fits = amount <= self.open[item] - self.announced(item)
        assert got == ("ok" if fits else "accounts.more_than_open")
        if got != "ok":
            return
        if answer == "none":
            self.waiting[name] = (item, amount)
        elif answer == "all":
            self.books.must("bob", self.books.receive_money(name))
            self.open[item] -= amount
            self.sums["bank"] += amount
        else:
            self.books.must("bob", self.books.receive_money(name, amount_minor=amount - 1))
            self.open[name] = -(amount - 1)
            self.sums["bank"] += amount - 1

    @rule()
    def time_passes(self) -> None:
        self.books.tick(6 * DAY)
        self.waiting.clear()

    @rule(amount=st.integers(1, 5_000), step=st.sampled_from(["posted", "stands", "void"]), n=SMALL)
    def award(self, amount: int, step: str, n: int) -> None:
        name = self.name("w") if step == "posted" or not self.awards else sorted(self.awards)[n % len(self.awards)]
        fields: dict[str, Any] = {
            **{"circle": self.books.AB, "agreement": "agr", "award": name, "kind": "pay", "sender": "bob"},
            **{"receiver": "ann", "amount_minor": self.awards.get(name, amount), "currency": "EUR", "label": "late"},
            **{"due_at": 0, "sha256": "0"},
        }
        known = self.awards.get(name)
        if step == "stands":
            fields["posted_minor"] = fields["amount_minor"]
        self.books.must("bob", TellAward(circle=self.books.AB, step=step, said=fields))
        if step == "posted":
            self.awards[name] = amount
            self.sums["accrued"] -= amount
        elif known is not None:
            del self.awards[name]
            self.sums["accrued"] += known
            if step == "stands":
                self.open[name] = -known

    @rule(n=SMALL)
    def leave(self, n: int) -> None:
        items = sorted(i for i, amount in self.open.items() if amount > 0 and not self.announced(i))
        if not items:
            return
        item, name = items[n % len(items)], self.name("t")
        fields = {"step": "leaves", "supplier": "bob", "customer": "ann", "third": "cay", "item": item}
        fact = AssignDebt(
            circle=self.books.AB,
            assignment=name,
            answer_by=self.books.now + DAY,
            currency="EUR",
            amount_minor=self.open[item],
            **fields,
        )
        self.books.must("ann", fact)
        self.books.must("bob", AcceptAssignment(circle=self.books.AB, assignment=name))
        self.open[item] = 0

    @invariant()
    def books_balance_to_the_cent(self) -> None:
        self.books.check()

    @invariant()
    def the_plain_ledger_agrees(self) -> None:
        for item, amount in self.open.items():
            row = self.books.item(item)
            assert (row.open_minor, row.announced_minor) == (amount, self.announced(item)), item
        assert self.books.balance() == sum(self.open.values())
        for account, amount in self.sums.items():
            assert self.books.balance(account) == amount, account


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=12, stateful_step_count=18, deadline=None)
