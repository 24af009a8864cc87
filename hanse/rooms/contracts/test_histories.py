"""Whole agreements against a plain model: no cent is made or lost, whatever parties do and in whatever order."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hanse.rooms.contracts.facts import (
    Amend,
    AnswerDispute,
    Attest,
    ConfirmResult,
    Decide,
    Dispute,
    EndAgreement,
    Said,
    WithdrawDispute,
)
from hanse.rooms.contracts.private_rows import AWARDS, DISPUTES, FOLDS, HAPPENED, WAITS
from hanse.rooms.contracts.recompute import recompute_all
from hanse.rooms.contracts.testing import DAY, LATE, Trade
from hanse.rooms.contracts.told import AwardPosted, AwardStands, AwardVoid
from hanse.rooms.orders.delivery_facts import ReceiveLine

AB = Trade.AB
RATES = {"1%": 10_000, "2.5%": 25_000, "7%": 70_000}
PRICE = 1000


class Ledger:
    """What a later room hears, in the order told: its books must follow from events alone."""

    def __init__(self) -> None:
        self.open: dict[str, int] = {}
        self.stands: dict[str, int] = {}
        self.void: set[str] = set()

    def hear(self, event: Any) -> None:
        if isinstance(event, AwardPosted):
            assert event.award not in self.open and event.amount_minor > 0
            self.open[event.award] = event.amount_minor
        elif isinstance(event, AwardStands):
            assert event.award not in self.stands and event.award not in self.void
            assert 0 < event.amount_minor <= event.posted_minor == self.open.pop(event.award)
            self.stands[event.award] = event.amount_minor
        elif isinstance(event, AwardVoid):
            assert event.award not in self.stands and self.open.pop(event.award) == event.amount_minor
            self.void.add(event.award)


class Agreements(RuleBasedStateMachine):
    """ann buys of bob under late delivery; the model computes every delivery's damages by itself."""

    @initialize()
    def begin(self) -> None:
        self.trade = Trade()
        self.ledger = Ledger()
        book = self.trade.book
        for event in (AwardPosted, AwardStands, AwardVoid):
            book.on_circle[event] = [lambda draft, told: self.ledger.hear(told), *book.on_circle.get(event, [])]
        self.sha = self.trade.agree()
        self.rates = [(self.trade.now, RATES["2.5%"])]
        self.orders: dict[str, tuple[int, int, int]] = {}
        """Placed and confirmed, not delivered: (each, promised at, rate ppm)."""
        self.owed: list[int] = []
        self.n = 0
        self.ended = False

    def number(self, letter: str) -> str:
        self.n += 1
        return f"{letter}{self.n}"

    @rule(each=st.integers(1, 9))
    def place(self, each: int) -> None:
        order, trade = self.number("po"), self.trade
        trade.must("ann", trade.order_fact(order, trade.line(each=each)))
        trade.must("bob", trade.confirm_fact(order, (1, each)))
        self.orders[order] = (each, trade.now + 4 * DAY, 0 if self.ended else self.rates[-1][1])

    @rule(data=st.data(), damaged=st.integers(0, 3))
    def deliver(self, data: st.DataObject, damaged: int) -> None:
        if not self.orders:
            return
        order = data.draw(st.sampled_from(sorted(self.orders)))
        each, promised, rate = self.orders.pop(order)
        damaged, trade = min(damaged, each), self.trade
        if trade.stock("bob").on_hand_each < each:
            return
        shipment = self.number("s")
        trade.must("bob", trade.ship_fact(order, shipment, (1, each), stock="bob-6205"))
        line = ReceiveLine(line=1, received=each - damaged, damaged=damaged)
        trade.must("ann", trade.receive_fact(shipment, line))
        late = trade.now - promised
        if late > 0 and rate:
            value = (each - damaged) * PRICE
            periods = -(-late // (7 * DAY))
            owed = min(_half_even(value * rate * periods, 1_000_000), value * 150_000 // 1_000_000)
            self.owed += [owed] if owed else []

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        self.trade.tick(days * DAY)

    @rule(rate=st.sampled_from(sorted(RATES)))
    def amend(self, rate: str) -> None:
        proposal = self.number("amend")
        fact = self.trade.proposal(self.sha, {**LATE, "rate": rate}, kind=Amend, proposal=proposal)
        outcome = self.trade.do("bob", fact)
        assert bool(outcome.private) == self.ended
        if not self.ended:
            self.trade.sign_proposal("ann", proposal)
            self.rates.append((self.trade.now, RATES[rate]))

    @rule()
    def end(self) -> None:
        if self.n > 12 and not self.ended:
            self.trade.must("ann", EndAgreement(circle=AB, agreement="A1"))
            self.ended = True

    @rule(data=st.data(), party=st.sampled_from(["ann", "bob", "eve", "cay"]), part=st.integers(0, 120))
    def dispute(self, data: st.DataObject, party: str, part: int) -> None:
        awards = self.trade.awards()
        if awards:
            award = data.draw(st.sampled_from(awards))
            wanted = award.posted_minor * part // 100
            fact = Dispute(
                circle=AB, dispute=self.number("D"), award=award.award, liable="bob", wanted_minor=wanted, reason="So."
            )
            self.trade.do(party, fact)

    @rule(
        data=st.data(), party=st.sampled_from(["ann", "bob", "cay"]), what=st.integers(0, 3), part=st.integers(0, 110)
    )
    def go_on(self, data: st.DataObject, party: str, what: int, part: int) -> None:
        rows = self.trade.view("ann").rows(DISPUTES)
        if not rows:
            return
        row = data.draw(st.sampled_from(rows))
        award = self.trade.state.get(AWARDS, (AB, row.award))
        assert award is not None
        facts: list[Any] = [
            AnswerDispute(circle=AB, dispute=row.dispute, accept=bool(part % 2), reason="No."),
            WithdrawDispute(circle=AB, dispute=row.dispute),
            Decide(circle=AB, dispute=row.dispute, amount_minor=award.posted_minor * part // 100, reason="So."),
            ConfirmResult(circle=AB, awards=[row.award]),
        ]
        self.trade.do(party, facts[what])

    @rule(data=st.data(), party=st.sampled_from(["ann", "bob"]))
    def confirm(self, data: st.DataObject, party: str) -> None:
        awards = self.trade.awards()
        if awards:
            name = data.draw(st.sampled_from(awards)).award
            self.trade.do(party, ConfirmResult(circle=AB, awards=[name]))

    @rule(party=st.sampled_from(["ann", "bob", "eve"]), at=st.integers(-40, 1), order=st.integers(1, 9))
    def say(self, party: str, at: int, order: int) -> None:
        """Forged and idle words change no amount: nobody has an order of these numbers."""
        when = max(0, self.trade.now + at * DAY)
        keys = {"order": f"x{order}", "line": "1", "delivery": f"x{order}"}
        events = [
            Said(id=self.number("e"), event="delivery", occurred_at=when, keys=keys, fields={"quantity": 10**6}),
            Said(id=self.number("e"), event="order.accepted", occurred_at=when, keys=keys,
                 fields={"promised_at": 1, "unit_price": 10**6}),
        ]  # fmt: skip
        self.trade.do(party, Attest(circle=AB, events=events))

    @invariant()
    def every_award_is_what_the_model_computes(self) -> None:
        if hasattr(self, "trade"):
            assert sorted(a.posted_minor for a in self.trade.awards()) == sorted(self.owed)

    @invariant()
    def no_cent_is_made_or_lost(self) -> None:
        if not hasattr(self, "trade"):
            return
        for award in self.trade.awards():
            assert 0 <= award.amount_minor <= award.posted_minor
            assert (award.state == "void") == (award.amount_minor == 0)
            if award.state in ("pending", "disputed"):
                assert self.ledger.open[award.award] == award.amount_minor == award.posted_minor
            elif award.state == "standing":
                assert self.ledger.stands[award.award] == award.amount_minor
            else:
                assert award.award in self.ledger.void

    @invariant()
    def every_open_thing_waits_for_its_end(self) -> None:
        if not hasattr(self, "trade"):
            return
        waits = {wait.id for wait in self.trade.view("ann").rows(WAITS)}
        for award in self.trade.awards():
            if award.state == "pending":
                assert f"objection/{award.award}" in waits
            if award.state == "disputed":
                assert {f"answer/{award.dispute}", f"decision/{award.dispute}"} & waits

    def teardown(self) -> None:
        if not hasattr(self, "trade"):
            return
        for _ in range(3):
            self.trade.tick(20 * DAY)
        assert {a.state for a in self.trade.awards()} <= {"standing", "void"}
        assert all(one.equal for one in recompute_all(self.trade.view("bob")))
        assert not [row for row in self.trade.view("eve").rows(HAPPENED)] and not self.trade.view("eve").rows(FOLDS)
        assert self.trade.both_sides_agree()


def _half_even(n: int, d: int) -> int:
    whole, rest = divmod(n, d)
    return whole + int(2 * rest > d or (2 * rest == d and whole % 2 == 1))


Agreements.TestCase.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
test_no_cent_is_made_or_lost_in_whole_agreements = Agreements.TestCase
