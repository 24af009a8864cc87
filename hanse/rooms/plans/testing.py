"""For tests of this room and of later ones: a group's question, and plans of it that are solved in a moment."""

from __future__ import annotations

from typing import Any

import numpy as np

from hanse.planning import sourcing
from hanse.rooms.orders.testing import DAY, ITEM, Market
from hanse.rooms.plans.checking import Arrays, question
from hanse.rooms.plans.facts import Attest, OpenWindow, Option, PlanLine, Propose
from hanse.rooms.plans.proofs import prove
from hanse.rooms.plans.rows import PLANS, WINDOWS, PlanRow, Window
from hanse.rooms.plans.rules import gap_of, lines_hash, plan_hash


class PlanMarket(Market):
    """A market whose group `pool` asks: line 1 wants 20, line 2 wants 25; bob offers 30 (`ob`), cay 20 (`oc`).

    Serving all takes 45 of 50 each; bob's is the cheaper, and scarce.
    """

    WINDOW = "w1"

    def __init__(self) -> None:
        super().__init__()
        self.offer("ob", each=30, circle=self.POOL, party="bob", price=1000)
        self.offer("oc", each=20, circle=self.POOL, party="cay", price=1200)

    OPEN_MINOR = (900, 1100)
    """A shipment from bob, from cay."""

    def lines(self) -> list[PlanLine]:
        def line(number: int, each: int, to_bob: int, to_cay: int) -> PlanLine:
            bob, cay = self.OPEN_MINOR
            options = [Option("ob", "Bob, Bremen", to_bob, bob), Option("oc", "Cay, Kiel", to_cay, cay)]
            return PlanLine(line=number, order=number, reference=f"want:{number}", item=ITEM, each=each,
                            penalty_minor=9_000, options=options)  # fmt: skip

        return [line(1, 20, 1010, 1240), line(2, 25, 1020, 1215)]

    def window_fact(self, **rest: Any) -> OpenWindow:
        lines = rest.get("lines", self.lines())
        given = {
            "circle": self.POOL, "window": self.WINDOW, "ends_at": self.now + DAY, "problem": lines_hash("", lines),
            "parts": 1, "offers": ["ob", "oc"], "lines": lines, "own_stock": [], "shipments_max": 3, "currency": "EUR",
            "about": "",
        }  # fmt: skip
        return OpenWindow(**{**given, **rest})

    def asked(self) -> Arrays:
        found = question(self.view("ann"), self.POOL, self.WINDOW)
        assert found is not None
        return found

    def proposal(
        self, plan: str = "p1", *, taken: list[tuple[int, str, int]] | None = None,
        prices: list[tuple[str, int]] | None = None, cuts: bool = False, **rest: Any,
    ) -> Propose:  # fmt: skip
        """A plan's fact: solved, or with these assignments; everything that it claims follows from them. cuts: it
        carries those that the solver finds."""
        given = self.asked()
        solved = sourcing.solve(given.problem, seconds=None, rounds=2, cuts=cuts)
        assert solved.prices is not None
        if taken is None:
            taken = [
                (given.lines[at].line, source, int(solved.units[cand]))
                for (at, source), cand in sorted(given.cand.items())
                if solved.units[cand]
            ]
        total = solved.prices.total + solved.prices.foreign
        if prices is not None:
            total = np.array([dict(prices).get(source, 0) for source in given.sources], np.int64)
        units = np.zeros(given.problem.cand_place.size, np.int64)
        number = {line.line: at for at, line in enumerate(given.lines)}
        for line, source, each in taken:
            if (number[line], source) in given.cand:
                units[given.cand[number[line], source]] = each
        stated = sourcing.Prices(1000, total, np.zeros_like(total), np.zeros(given.problem.places, np.int64), 0)
        proof, cut_parts = prove(given, units, stated, solved.cuts)
        priced = [(source, int(p)) for source, p in zip(given.sources, total, strict=True) if p]
        claimed: dict[str, Any] = {
            "circle": self.POOL, "window": self.WINDOW, "plan": plan, "plan_hash": plan_hash("", taken, priced),
            "certificate": proof.digest, "scale": 1000, "bound_scaled": proof.bound_scaled,
            "cost_minor": proof.cost_minor, "gap_ppm": gap_of(proof.cost_minor, proof.lower_bound_minor),
            "parts": 1, "assignments": taken, "prices": priced, "own_assignments": [], "own_prices": [],
        }  # fmt: skip
        for part in cut_parts:
            claimed |= {"cuts": list(part.cuts), "cut_prices": list(part.prices)}
        return Propose(**{**claimed, **rest})

    def attest_fact(self, plan: str = "p1", good: bool = True, **rest: Any) -> Attest:
        given = {"circle": self.POOL, "plan": plan, "good": good, "bound_scaled": self.plan(plan).bound_scaled,
                 "faults": "" if good else "bound: stated too high"}  # fmt: skip
        return Attest(**{**given, **rest})

    def plan(self, plan: str = "p1") -> PlanRow:
        row = self.state.get(PLANS, (plan,))
        assert row is not None, plan
        return row

    def standing(self) -> Window:
        row = self.state.get(WINDOWS, (self.WINDOW,))
        assert row is not None
        return row
