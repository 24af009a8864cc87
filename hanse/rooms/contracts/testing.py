"""For tests of this room and of later ones: a market whose firms agree, in few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hanse.rooms.contracts.compiled import template_of
from hanse.rooms.contracts.facts import Attest, Propose, RegisterTemplate, Said, SignProposal
from hanse.rooms.contracts.private_rows import AGREEMENTS, AWARDS, PROPOSALS, RESULTS, Award, Result
from hanse.rooms.orders.delivery_facts import ReceiveLine
from hanse.rooms.orders.testing import DAY, Market

LIBRARY = Path(__file__).parent / "library"
LATE: dict[str, Any] = {
    "currency": "EUR",
    "due_field": "promised_at",
    "period": "7d",
    "rate": "2.5%",
    "cap": "15%",
    "partial": "ceil",
    "terminate_after": "30d",
    "pay_within": "30d",
    "force_majeure": True,
}
"""2.5% per part-week of delay, at most 15%."""


def library(name: str) -> str:
    """A library template's text."""
    return (LIBRARY / f"{name}.yaml").read_text()


def sha_of(text: str) -> str:
    """The hash under which a template is registered."""
    return template_of(text).sha256


class Trade(Market):
    """A market with agreements: ann buys, bob supplies, in circle `ann--bob`; cay arbitrates."""

    def register(self, name: str = "late-delivery", text: str = "") -> str:
        """Register a library template, or a text; its hash."""
        text = text or library(name)
        self.must("cay", RegisterTemplate(sha256=sha_of(text), text=text))
        return sha_of(text)

    def proposal(self, template: str, params: dict[str, Any], *, kind: type[Propose] = Propose, **rest: Any) -> Propose:
        """A proposal of bob to ann as agreement A1; `rest` overrides."""
        return kind(
            **{
                "circle": self.AB,
                "agreement": "A1",
                "proposal": "P1",
                "template": template,
                "params": params,
                "roles": {"supplier": "bob", "buyer": "ann"},
                "arbiter": "cay",
                "scope": ["*"],
                "objection_seconds": 14 * DAY,
                "dispute_seconds": 7 * DAY,
                **rest,
            }
        )

    def digest(self, proposal: str = "P1", circle: str = "ann--bob") -> str:
        found = self.state.get(PROPOSALS, (circle, proposal))
        assert found is not None, proposal
        return found.digest

    def sign_proposal(self, party: str, proposal: str = "P1", circle: str = "ann--bob") -> None:
        self.must(party, SignProposal(circle=circle, proposal=proposal, digest=self.digest(proposal, circle)))

    def agree(
        self, name: str = "late-delivery", params: dict[str, Any] | None = None, text: str = "", **rest: Any
    ) -> str:
        """An agreement of ann and bob in force; the template's hash."""
        sha = self.register(name, text)
        fact = self.proposal(sha, LATE if params is None else params, **rest)
        self.must("bob", fact)
        self.sign_proposal("ann", fact.proposal)
        return sha

    def deliver_late(self, days: int, order: str = "po1", each: int = 10, *lines: ReceiveLine) -> None:
        """An order of ann to bob at 10.00 each, promised in 4 days, received `days` after that."""
        self.must("ann", self.order_fact(order, self.line(each=each)))
        self.must("bob", self.confirm_fact(order, (1, each)))
        self.now += (4 + days) * DAY
        self.must("bob", self.ship_fact(order, f"s-{order}", (1, each), stock="bob-6205"))
        self.must("ann", self.receive_fact(f"s-{order}", *lines))

    def attest(self, party: str, *events: Said, circle: str = "ann--bob") -> None:
        self.must(party, Attest(circle=circle, events=list(events)))

    def award(self, number: int = 1, agreement: str = "A1", circle: str = "ann--bob") -> Award:
        found = self.state.get(AWARDS, (circle, f"{agreement}:{number}"))
        assert found is not None, number
        return found

    def awards(self, circle: str = "ann--bob") -> list[Award]:
        found = self.state.conn.execute(f"SELECT award FROM {AWARDS.name} WHERE circle = ?", (circle,)).fetchall()
        rows = [self.state.get(AWARDS, (circle, name)) for (name,) in found]
        return sorted((row for row in rows if row is not None), key=lambda award: int(award.award.partition(":")[2]))

    def results(self, clause: str, circle: str = "ann--bob") -> list[Result]:
        keys = self.state.conn.execute(
            f"SELECT circle, agreement, clause, key FROM {RESULTS.name} WHERE circle = ? AND clause = ? ORDER BY key",
            (circle, clause),
        ).fetchall()
        found = [self.state.get(RESULTS, key) for key in keys]
        return [row for row in found if row is not None]

    def version_count(self, agreement: str = "A1") -> int:
        found = self.state.get(AGREEMENTS, (self.AB, agreement))
        return len(found.versions) if found else 0
