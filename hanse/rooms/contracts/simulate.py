"""Simulation: what terms would have given on a firm's own deliveries, with the same kernel that runs in force.

It reads, and writes nothing. Folds begin empty; the objection period, disputes and other parties' attestations are left
out: what a clause needs and a history of orders does not have is said under `waiting`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hanse.kernel.view import View
from hanse.rooms.contracts.awards import MONEY
from hanse.rooms.contracts.compiled import Plan
from hanse.rooms.contracts.happening import Happening, best, value_of
from hanse.rooms.contracts.orders_seen import Delivery, accepted_order
from hanse.rooms.contracts.terms import Result, Terms, TermsRefused
from hanse.rooms.orders.private_rows import ORDER_TERMS, SHIPMENT_TERMS, OrderTerms, ShipmentTerms
from hanse.rooms.orders.rows import SHIPMENTS

DELIVERIES_MAX = 1_000_000
CHUNK = 2_000


class SimulatedRun(Struct, frozen=True):
    """One result. amount_minor: minor units, negative where an accrual is taken back. sender, to: roles. steps: name ->
    base value, in order. entries: of the delivery. unproven: one side alone signed the delivery."""

    clause: str
    partner: str
    order: str
    delivery: str
    line: str
    item: str
    at: int
    label: str
    sender: str
    to: str
    amount_minor: int
    steps: tuple[tuple[str, Any], ...]
    entry: int
    unproven: bool


class Simulated(Struct, frozen=True):
    """runs: in order of time. total_minor: to the second role less from it. waiting: code -> how often."""

    deliveries: int
    currency: str
    total_minor: int
    runs: tuple[SimulatedRun, ...]
    waiting: dict[str, int]


def deliveries(view: View, partner: str = "") -> Iterator[tuple[ShipmentTerms, OrderTerms]]:
    """The reader's received deliveries, by circle and shipment, with their orders' terms."""
    after = ("", "")
    while True:
        rows = view.rows(SHIPMENT_TERMS, "arrived_at > 0 AND (circle, shipment) > (?, ?)", after, limit=CHUNK)
        for row in rows:
            terms = view.get(ORDER_TERMS, row.circle, row.order_id)
            if terms is not None and partner in ("", terms.buyer, terms.seller, terms.counterparty):
                yield row, terms
        if len(rows) < CHUNK:
            return
        after = (rows[-1].circle, rows[-1].shipment)


def simulate(view: View, terms: Terms, *, partner: str = "", since: int = 0, until: int = 2**40) -> Simulated:
    """Run the clauses that deliveries trigger over a firm's history, oldest first.

    Args:
        view: the firm's. partner: a party, or a counterparty in words. since, until: UTC seconds of arrival.
    """
    plan = Plan(terms)
    found = [pair for pair in deliveries(view, partner) if since <= pair[0].arrived_at < until]
    found.sort(key=lambda pair: (pair[0].arrived_at, pair[0].shipment))
    walk = _Walk(view, plan)
    for shipment, order in found:
        walk.delivery(shipment, order)
    second = terms.template.roles[1]
    total = sum(run.amount_minor if run.to == second else -run.amount_minor for run in walk.runs)
    return Simulated(len(found), terms.currency, total, tuple(walk.runs), walk.waiting)


class _Walk:
    def __init__(self, view: View, plan: Plan) -> None:
        self.view, self.party, self.plan, self.terms = view, view.party, plan, plan.terms
        self.runs: list[SimulatedRun] = []
        self.waiting: dict[str, int] = {}
        self.state: dict[str, dict[str, Any]] = {}
        self.done: set[tuple[str, ...]] = set()
        self.received: dict[str, int] = {}

    def delivery(self, row: ShipmentTerms, order: OrderTerms) -> None:
        parties = sorted({order.buyer, order.seller} - {""})
        signers = tuple((party, row.position) for party in parties)
        shipment = self.view.get(SHIPMENTS, row.shipment)
        known = Delivery(
            row.order_id,
            row.shipment,
            order.currency,
            signers,
            signers,
            row.arrived_at,
            row.arrived_at,
            row.slices,
            order.lines,
            bool(order.side),
            shipment.lines if shipment else (),
        )
        if not row.slices:
            return
        good = sum(part.good for part in row.slices)
        self.received[row.order_id] = self.received.get(row.order_id, 0) + good
        accepted = [known.accepted(i) for i in range(len(row.slices))]
        partner = next((party for party in parties if party != self.party), order.counterparty)
        for event in ("delivery", "delivery.accepted"):
            if event in self.plan.events:
                whole = known.whole(event, self.received[row.order_id])
                self.take(whole, (accepted_order(row.order_id, accepted),), partner, 0)
                for i, promise in enumerate(accepted):
                    self.take(known.line(event, i), (promise,), partner, 0)

    def take(self, happening: Happening, near: tuple[Happening, ...], partner: str, depth: int) -> None:
        """Fold an event, and run what it triggers."""
        self._fold(happening)
        for clause in self.plan.on.get(happening.event, ()):
            key = [happening.keys.get(name, "") for name in self.plan.once[clause]]
            if not all(key) or (clause, *key) in self.done:
                continue
            try:
                facts, missing = self._gather(clause, happening, near)
                if missing:
                    self._note(missing)
                    continue
                outcome = self.terms.evaluate(clause, facts, self._state(happening))
            except TermsRefused as refused:
                self._note(refused.code)
                continue
            self.done.add((clause, *key))
            self._keep(outcome, clause, happening, partner, depth)

    def _note(self, code: str) -> None:
        self.waiting[code] = self.waiting.get(code, 0) + 1

    def _gather(self, clause: str, happening: Happening, near: tuple[Happening, ...]) -> tuple[dict[str, Any], str]:
        facts: dict[str, Any] = {}
        for name, events, field, fact in self.plan.sources[clause]:
            if fact.implicit:
                facts[name] = happening.at
                continue
            hit = best([h for h in (happening, *near) if h.event in events], happening.keys)
            value: Any = None
            if hit is not None:
                value = True if fact.exists else value_of(hit, name, field, fact.kind, self.terms.decimals)
            if value is not None:
                facts[name] = value
            elif fact.default is None:
                return facts, f"contracts.missing_fact.{name}"
        return facts, ""

    def _period(self, happening: Happening) -> str:
        return self.terms.period(happening.at).key if self.terms.template.document.period is not None else ""

    def _state(self, happening: Happening) -> dict[str, Any]:
        return {**self.state.get("", {}), **self.state.get(self._period(happening), {})}

    def _fold(self, happening: Happening) -> None:
        for name in self.plan.folds.get(happening.event, ()):
            fields = self.plan.fold_fields(name, happening.event)
            if not all(field == "occurred_at" or field in happening.fields for field in fields):
                continue
            period = self._period(happening) if self.plan.specs[name].per == "period" else ""
            before = self.state.setdefault(period, {})
            try:
                values = {f: value_of(happening, f, f, kind, self.terms.decimals) for f, kind in fields.items()}
                after = self.terms.fold(happening.event, values, before, only=(name,))
            except TermsRefused as refused:
                self._note(refused.code)
                continue
            before[name] = after[name]

    def _keep(self, outcome: Result, clause: str, happening: Happening, partner: str, depth: int) -> None:
        for action in outcome.actions:
            if action.kind in MONEY and action.value:
                self.runs.append(
                    SimulatedRun(
                        clause=clause,
                        partner=partner,
                        order=happening.keys.get("order", ""),
                        delivery=happening.keys.get("delivery", ""),
                        line=happening.keys.get("line", ""),
                        item=happening.keys.get("item", ""),
                        at=happening.at,
                        label=action.label or action.event,
                        sender=action.sender,
                        to=action.to,
                        amount_minor=int(action.value),
                        steps=tuple(outcome.steps.items()),
                        entry=happening.evidence[0],
                        unproven=happening.one_sided,
                    )
                )
            if action.event and depth < 4:
                fields = dict(action.fields) if action.kind == "tell" else {"amount": int(action.value)}
                own = replace(happening, event=action.event, fields=fields, by="own")
                self.take(own, (), partner, depth + 1)
