"""What proves a delivery, and the entries of an order's life."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.kept import PRIVATE_OUTCOMES
from hanse.kernel.view import View
from hanse.rooms.orders.rows import DEEMED, STEPS, UNSIGNED_BY_BUYER, Order, Shipment, Step
from hanse.rooms.parties.facts import MEMBERS
from hanse.rooms.parties.queries import party_name


class Proof(Struct, frozen=True):
    """Who signed a delivery, and where. `entry` 0: nobody did.

    word: "both" (both sides signed), "receipt", "hand-over", "deemed", "contested" (a receipt
        that the buyer did not sign, and denies), "one-sided", "under way".
    """

    word: str
    handed_over_entry: int
    received_entry: int
    method: str


class TimelineStep(Struct, frozen=True):
    """One entry of an order's life. `party`: who signed, as the reader may know; "" a timer.

    private_refusal: the code with which the circle refused what stands publicly. unproven: no second side.
    """

    entry: int
    at: int
    step: str
    alias: str
    party: str
    party_name: str
    subject: str
    private_refusal: str
    unproven: bool


def proof_of(order: Order, shipment: Shipment, steps: list[Step]) -> Proof:
    """What proves a delivery, from the steps of its order."""
    entry = {step.step: step.entry for step in steps if step.subject == shipment.shipment}
    handed, received = entry.get("handed_over", 0), entry.get("received", 0)
    if order.one_sided:
        word = "one-sided"
    elif shipment.contested_by and shipment.method in UNSIGNED_BY_BUYER:
        word = "contested"
    elif shipment.method == DEEMED:
        word = "deemed"
    elif received:
        word = "both" if handed else "receipt"
    else:
        word = "hand-over" if handed else "under way"
    return Proof(word, handed, received, shipment.method)


def timeline(view: View, order: Order) -> tuple[TimelineStep, ...]:
    """The entries of an order's life, oldest first."""
    out = []
    for step in view.rows(STEPS, "order_id = ?", (order.order_id,), limit=2_000):
        member = view.get(MEMBERS, order.circle, step.signer) if step.signer else None
        refused = view.get(PRIVATE_OUTCOMES, order.circle, step.entry)
        out.append(
            TimelineStep(
                entry=step.entry,
                at=step.at,
                step=step.step,
                alias=step.signer,
                party=member.party if member else "",
                party_name=party_name(view, member.party) if member else "",
                subject=step.subject,
                private_refusal=refused.code if refused else "",
                unproven=order.one_sided or step.step == "deemed_received",
            )
        )
    return tuple(out)
