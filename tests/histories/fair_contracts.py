"""Steps of a history: agreements, deliveries that are late under them, what is done with their results."""

from __future__ import annotations

from typing import Any

from fair import DAY, FIRMS, Fair, Hand
from fair_goods import step

from hanse.rooms.contracts.facts import (
    Amend,
    AnswerDispute,
    Attest,
    ConfirmResult,
    Decide,
    Dispute,
    EndAgreement,
    Propose,
    Said,
    SignProposal,
    WithdrawDispute,
)
from hanse.rooms.contracts.private_rows import AGREEMENTS, AWARDS, DISPUTES, PROPOSALS, Agreement
from hanse.rooms.contracts.testing import LATE
from hanse.rooms.orders.delivery_facts import Receive, Ship, ShipLine
from hanse.rooms.orders.facts import ConfirmLine, ConfirmOrder, DeliverTo, PlaceLine, PlaceOrder, StockKey
from hanse.rooms.orders.rows import ORDERS


def terms(fair: Fair, hand: Hand, circle: str, supplier: str, buyer: str) -> dict[str, Any]:
    """What a proposal of a new agreement says."""
    return {
        "circle": circle, "agreement": fair.name("agr"), "proposal": fair.name("prop"), "template": fair.sha,
        "params": {**LATE, "rate": hand.of(("1%", "2.5%", "7%"))}, "roles": {"supplier": supplier, "buyer": buyer},
        "arbiter": hand.of([firm for firm in FIRMS if firm not in (supplier, buyer)]), "scope": ["*"],
        "objection_seconds": hand.of((0, 3 * DAY, 14 * DAY)), "dispute_seconds": 3 * DAY, "answer_by": fair.ahead(hand),
        "undecided": hand.of(("stands", "void")), "note": fair.word(circle, "Clause"),
    }  # fmt: skip


@step(3)
def agree(fair: Fair, hand: Hand) -> None:
    """A proposal, an amendment, or the other side's signature under one."""
    circle, supplier, buyer = fair.rel(hand)
    row = hand.like(fair.rows(PROPOSALS), lambda p: p.state == "open")
    if row is not None and hand.n(3):
        other = next(party for party in row.circle.split("--") if party != row.proposer)
        fair.say(hand.who(other), SignProposal(circle=row.circle, proposal=row.proposal, digest=row.digest))
        return
    standing = hand.like(fair.rows(AGREEMENTS, "circle = ?", circle), lambda a: True)
    kind, number = (Amend, standing.agreement) if standing is not None and hand.n(2) else (Propose, fair.name("agr"))
    fact = kind(**{**terms(fair, hand, circle, supplier, buyer), "agreement": number})
    fair.say(hand.who(supplier), fact)
    for open_ in fair.rows(PROPOSALS, "proposal = ?", fact.proposal) if hand.n(3) else ():
        fair.say(buyer, SignProposal(circle=circle, proposal=open_.proposal, digest=open_.digest))


@step(3)
def deliver_late(fair: Fair, hand: Hand) -> None:
    """Under an agreement, where the two have one: ordered, promised for now, shipped and received days later."""
    standing = hand.like(fair.rows(AGREEMENTS), lambda a: not a.until_at)
    if standing is not None:
        late_under(fair, hand, standing)


def late_under(fair: Fair, hand: Hand, standing: Agreement) -> None:
    content = fair.rows(PROPOSALS, "circle = ? AND agreement = ?", standing.circle, standing.agreement)[0].content
    roles = dict(content.roles)
    circle, buyer, seller, order = standing.circle, roles["buyer"], roles["supplier"], fair.name("order")
    line = PlaceLine(line=1, each=1 + hand.n(4), item="x", own_number=f"{buyer}-x", requested_at=0,
                     unit_price_minor=fair.price(circle, Hand([1])))  # fmt: skip
    place = PlaceOrder(circle=circle, order=order, confirm_by=fair.now + DAY, lines=[line], buyer_party=buyer,
                       seller_party=seller, currency="EUR", deliver_to=DeliverTo(site=f"store-{buyer}"))  # fmt: skip
    fair.say(buyer, place)
    promise = ConfirmLine(line=1, each=line.each, promised_at=fair.now + 1)
    fair.say(seller, ConfirmOrder(circle=circle, order=order, lines=[promise]))
    fair.tick(hand.of((1, DAY, 8 * DAY)))
    stock = StockKey(own_number=f"{seller}-x", site=f"store-{seller}")
    part = ShipLine(line=1, each=line.each, from_stock=stock)
    fair.say(seller, Ship(circle=circle, order=order, shipment=f"s-{order}", lines=[part]))
    fair.say(buyer, Receive(circle=circle, shipment=f"s-{order}", received_by=fair.word(circle, "By")))


@step(6)
def argue(fair: Fair, hand: Hand) -> None:
    """What is done with a result: confirmed, disputed."""
    award = hand.like(fair.rows(AWARDS), lambda a: a.state == "pending")
    if award is not None:
        facts: list[Any] = [
            ConfirmResult(circle=award.circle, awards=[award.award]),
            Dispute(circle=award.circle, dispute=fair.name("disp"), award=award.award, liable=award.sender, evidence=[],
                    wanted_minor=award.posted_minor * hand.n(4) // 3, reason=fair.word(award.circle, "Because")),
        ]  # fmt: skip
        fair.say(hand.who(hand.of((award.sender, award.receiver))), hand.of(facts))


@step(5)
def settle_dispute(fair: Fair, hand: Hand) -> None:
    """A dispute is answered, withdrawn, decided by its arbiter or by who is none."""
    row = hand.like(fair.rows(DISPUTES), lambda d: d.state in ("open", "answered"))
    if row is None:
        return
    facts: list[Any] = [
        AnswerDispute(circle=row.circle, dispute=row.dispute, accept=bool(hand.n(2)), reason="no", evidence=[]),
        WithdrawDispute(circle=row.circle, dispute=row.dispute),
        Decide(circle=row.circle, dispute=row.dispute, amount_minor=hand.n(5) * 10_000, reason="so"),
    ]
    who = [row.against, row.opened_by, hand.of(FIRMS)]
    at = 2 if row.state == "answered" and hand.n(3) else hand.n(2)
    fair.say(hand.who(who[at]), facts[at])


@step()
def end_or_attest(fair: Fair, hand: Hand) -> None:
    circle, party, _ = fair.rel(hand)
    order = hand.like(fair.rows(ORDERS), lambda o: o.circle == circle)
    standing = hand.like(fair.rows(AGREEMENTS), lambda a: a.circle == circle)
    keys = {"order": order.order_id if order else "none", "line": "1", "delivery": "none"}
    said = Said(id=fair.name("e"), event="delivery", occurred_at=max(0, fair.now - DAY), keys=keys,
                fields={"quantity": hand.of((1, 10**6))})  # fmt: skip
    facts: list[Any] = [Attest(circle=circle, events=[said])]
    if standing is not None:
        facts.append(EndAgreement(circle=standing.circle, agreement=standing.agreement))
    fair.say(hand.who(party), hand.of(facts))
