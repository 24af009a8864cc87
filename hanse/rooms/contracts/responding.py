"""What an owner's node answers to an order, from the agreement in force: price, minimum, multiple, conditions.

The agreement's clauses say yes or no and at what price; the orders' responder says what can be supplied. What is
declined is told to the buyer privately, clause by clause, in the circle of both: no public refusal says anything of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.contracts.compiled import Plan, plan_of
from hanse.rooms.contracts.happening import Happening, best, is_attested, value_of
from hanse.rooms.contracts.private_rows import AGREEMENTS, HAPPENED, VERSIONS, Version
from hanse.rooms.contracts.rows import TEMPLATES
from hanse.rooms.contracts.scope import in_scope
from hanse.rooms.contracts.stored import stored, version_at
from hanse.rooms.contracts.terms import Result, TermsRefused
from hanse.rooms.contracts.terms.values import show_money
from hanse.rooms.orders import responder
from hanse.rooms.orders.facts import ConfirmOrder, DeclineOrder
from hanse.rooms.orders.private_rows import ORDER_TERMS, OrderTerms
from hanse.rooms.orders.rows import LIVE_STATES, ORDERS, Order

PLACED = "order.placed"
SENTENCES = {
    "price.unknown_item": "this item is not on the agreed price list",
    "price.below_minimum": "the quantity is below the agreed minimum",
    "price.off_multiple": "the quantity is not a multiple of the agreed pack",
    "certification.not_valid": "the certificate that the agreement asks for is not valid at the time of the order",
}
EVENTS_MAX = 1_000


class Gate(Struct, frozen=True):
    """One clause's answer. code: of a closed gate, "" for an open one. sentence: for people."""

    agreement: str
    clause: str
    code: str
    sentence: str


class PriceInForce(Struct, frozen=True):
    """What agreements say to a quantity of an item at a time.

    price_minor: per unit, minor units; -1 where no clause prices it, or it is refused. gates: every answer, the closed
    ones say why. agreements: those that were asked. refused: the sentence for the buyer, "" where nothing refuses.
    """

    price_minor: int
    currency: str
    agreement: str
    gates: tuple[Gate, ...]
    agreements: tuple[str, ...]
    refused: str

    @property
    def allowed(self) -> bool:
        """No clause refuses."""
        return not self.refused


def price_in_force(
    view: View,
    circle: str,
    item: str,
    each: int,
    at: int,
    *,
    seller: str = "",
    buyer: str = "",
    requested_at: int = 0,
    promised_at: int = 0,
) -> PriceInForce:
    """The agreed price of an item, or why the agreements refuse it.

    Args:
        view: of a party to the circle. each: base units. at: UTC seconds of the order. seller, buyer: parties, where
            the circle's agreements might run both ways; "" any. requested_at, promised_at: UTC seconds, 0 unknown.
    Of several agreements that price an item, the one that came into force last counts; every gate of each counts.
    """
    gates: list[Gate] = []
    price, money, by, asked = -1, "", "", []
    for version, plan in versions_in_force(view, circle, at):
        if not _sides(plan, version, seller, buyer) or not in_scope(view, version.content.scope, item):
            continue
        asked.append(version.agreement)
        trigger = _placed(version, item, each, at, buyer, requested_at, promised_at)
        for clause in plan.on.get(PLACED, ()):
            outcome = _run(view, circle, plan, version, clause, trigger)
            if isinstance(outcome, str):
                gates.append(Gate(version.agreement, clause, outcome, sentence(outcome)))
                continue
            for action in outcome.actions:
                if action.kind == "gate":
                    code = "" if action.value else action.otherwise or f"{clause}.refused"
                    gates.append(Gate(version.agreement, clause, code, sentence(code)))
                elif action.kind == "price":
                    price, money, by = int(action.value), plan.terms.currency, version.agreement
    closed = [gate for gate in gates if gate.code]
    refused = "; ".join(dict.fromkeys(gate.sentence for gate in closed))
    return PriceInForce(-1 if closed else price, money, by, tuple(gates), tuple(asked), refused)


def sentence(code: str) -> str:
    """A closed gate for people.

    >>> sentence("price.below_minimum"), sentence("stock.too_old"), sentence("")
    ('the quantity is below the agreed minimum', 'the agreement does not allow it: stock too old', '')
    """
    words = code.replace(".", " ").replace("_", " ")
    return SENTENCES.get(code, f"the agreement does not allow it: {words}" if code else "")


def versions_in_force(view: View, circle: str, at: int) -> list[tuple[Version, Plan]]:
    """The versions of a circle's agreements in force at a time, those that came into force last behind."""
    found = []
    for agreement in view.rows(AGREEMENTS, "circle = ?", (circle,)):
        number = version_at(agreement, at)
        version = view.get(VERSIONS, circle, agreement.agreement, number) if number else None
        content = version.content if version else None
        plan = plan_of(lambda sha: view.get(TEMPLATES, sha), content.template, content.params) if content else None
        if version is not None and plan is not None:
            found.append((version, plan))
    return sorted(found, key=lambda pair: (pair[0].from_at, pair[0].agreement))


def _sides(plan: Plan, version: Version, seller: str, buyer: str) -> bool:
    first, second = (version.names[role] for role in plan.terms.template.roles[:2])
    return seller in ("", first) and buyer in ("", second)


def _placed(
    version: Version, item: str, each: int, at: int, buyer: str, requested_at: int, promised_at: int
) -> Happening:
    names = version.names
    signer = buyer or names.get("receiver", "")
    fields: dict[str, Any] = {"item": item, "quantity": each, "ordered_at": at}
    fields["requested_at"] = requested_at or at
    fields["promised_at"] = promised_at or requested_at or at
    keys = {"order": "(asked)", "line": "1", "item": item}
    parties = tuple((party, 0) for party in sorted({signer, *(names[r] for r, _ in version.content.roles)} - {""}))
    return Happening(event=PLACED, id="asked", at=at, ledger_at=at, keys=keys, fields=fields, signers=parties)


def _run(view: View, circle: str, plan: Plan, version: Version, clause: str, trigger: Happening) -> Result | str:
    """A clause's outcome, or the code of what it lacks."""
    facts: dict[str, Any] = {}
    try:
        for name, events, field, fact in plan.sources[clause]:
            hit = trigger if PLACED in events else _attested(view, circle, version, events, fact.attest, trigger)
            value: Any = trigger.at if fact.implicit else None
            if hit is not None and not fact.implicit:
                value = True if fact.exists else value_of(hit, name, field, fact.kind, plan.terms.decimals)
            if value is not None:
                facts[name] = value
            elif fact.default is None:
                return f"contracts.missing_fact.{name}"
        return plan.terms.evaluate(clause, facts)
    except TermsRefused as refused:
        return refused.code


def _attested(
    view: View, circle: str, version: Version, events: Sequence[str], attest: Any, trigger: Happening
) -> Happening | None:
    for event in events:
        rows = view.rows(HAPPENED, "circle = ? AND event = ?", (circle, event), limit=EVENTS_MAX)
        mine = [stored(row) for row in rows if row.agreement in ("", version.agreement)]
        hit = best([h for h in mine if is_attested(attest, version.names, h)], trigger.keys)
        if hit is not None:
            return hit
    return None


class Explained(Struct, frozen=True):
    """Why a node answers an order as it does, line by line: (line, sentence). For the seller, and for the buyer."""

    order: str
    lines: tuple[tuple[int, str], ...]


def explain(view: View, order_id: str) -> Explained:
    """What the agreements in force when an order was placed say to each of its lines, gates and prices in words."""
    order = view.get(ORDERS, order_id)
    terms = view.get(ORDER_TERMS, order.circle, order_id) if order else None
    if order is None or terms is None:
        return Explained(order_id, ())
    return Explained(order_id, tuple((n, text) for n, text, _ in _said(view, order, terms) if text))


def _said(view: View, order: Order, terms: OrderTerms) -> list[tuple[int, str, int]]:
    """(line, what the agreements object to, "" for nothing, the agreed price, -1 for none), in the order of lines.

    A firm offer binds at its price, and so does a quote: what an agreement asks above it is no objection.
    """
    out, quoted = [], responder.keeps_to_quote(view, order, terms)
    for balance, line in zip(order.lines, terms.lines, strict=True):
        said = price_in_force(
            view,
            order.circle,
            line.item,
            balance.ordered,
            order.placed_at,
            seller=terms.seller,
            buyer=terms.buyer,
            requested_at=line.requested_at,
        )
        text, price = said.refused, said.price_minor
        binds = line.firm or quoted
        if not text and price >= 0 and said.currency != terms.currency:
            text, price = "" if binds else f"the agreed price is in {said.currency}", -1
        elif not text and line.unit_price_minor < price:
            text = "" if binds else f"the agreed price is {show_money(price, 2, said.currency)} a unit"
            price = -1
        out.append((line.line, text, price))
    return out


def respond(view: View, order_id: str) -> ConfirmOrder | DeclineOrder | None:
    """As `orders.responder.respond`, within what the agreements in force allow, and at their prices.

    An order of which the agreements refuse a line is declined, with the reason clause by clause as its private reason:
    a partial order under an agreement is the buyer's to place anew.
    """
    order = view.get(ORDERS, order_id)
    terms = view.get(ORDER_TERMS, order.circle, order_id) if order else None
    if (
        order is None
        or terms is None
        or order.one_sided
        or order.state not in LIVE_STATES
        or terms.seller != view.party
    ):
        return None
    waiting = {line.line for line in order.lines if line.open - line.proposed > 0}
    answers = _said(view, order, terms)
    reasons = [f"line {n}: {text}" for n, text, _ in answers if text and n in waiting]
    if reasons:
        return DeclineOrder(circle=order.circle, order=order_id, reason="; ".join(reasons)[:400])
    return responder.respond(view, order_id, {n: price for n, _, price in answers if price >= 0})


__all__ = ["Explained", "Gate", "PriceInForce", "explain", "price_in_force", "respond", "sentence"]
