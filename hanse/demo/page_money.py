"""The start page's second half: what the late delivery came to, read from the parties' own views."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from hanse.demo.story import Story
from hanse.kernel.view import View
from hanse.node.node import Node
from hanse.rooms.accounts.page_statement import chart_of
from hanse.rooms.accounts.queries import document
from hanse.rooms.accounts.rows import PAYMENTS, Item, Payment
from hanse.rooms.accounts.statements import Statement, statement
from hanse.rooms.contracts.private_rows import AGREEMENTS, AWARDS, FOLDS, Award
from hanse.rooms.contracts.queries import ResultPage, award_page
from hanse.rooms.contracts.scorecards import Scorecard, scorecard
from hanse.rooms.orders.queries import order_page
from hanse.rooms.parties.queries import party_name
from hanse.web.charts import Chart
from hanse.web.formats import quantity, time_text

ON_TIME = "otif_lines"
WORDS = {"due": "Promised for", "received": "Received", "qty": "Quantity", "price": "Price of one"}
"""The clause's names of facts as people say them."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Signed(Struct, frozen=True):
    """One fact that the clause read: its name, its value as text, who signed it, and where."""

    name: str
    value: str
    who: str
    entry: int


class Money(Struct, frozen=True):
    """What followed the late arrival, as the distributor reads it; links for the application.

    Attributes:
        why: the clause's run that gave the credit. signed: the facts that it read. invoice, payment: of the late goods.
        credit, passed_on: what the member owes the distributor, and the distributor the yard.
        rebate: what the payment added to the year's; its sums so far.
        waterfall: the account with the member since the story began.
        on_time_ppm: its lines on time and in full before the story, and with it; -1 for none.
    """

    why: ResultPage
    signed: list[Signed]
    credit: Award
    passed_on: Award | None
    invoice: Item
    payment: Payment
    rebate: Award | None
    spend_minor: int
    accrued_minor: int
    account: Statement
    waterfall: Chart
    on_time_ppm: tuple[int, int]
    contract_href: str
    rebate_href: str
    statement_href: str
    customer_contract_href: str


def money(node: Node, story: Story) -> Money | None:
    """The story's money; None where the view holds none of it (a demo of an earlier release)."""
    view, end = node.view(story.distributor), story.ending
    why = award_page(view, end.circle, end.award)
    bill = document(view, end.circle, end.invoice)
    payment = view.get(PAYMENTS, end.circle, end.payment)
    if why is None or why.award is None or bill is None or payment is None:
        return None
    account = statement(view, end.circle, story.lender, "EUR", side="buy", from_at=end.since)
    figures = next(
        iter(view.rows(FOLDS, "circle = ? AND agreement = ?", (end.circle, end.rebate), order="period DESC")), None
    )
    cards = [scorecard(view, story.lender, "buy", until=until) for until in (end.since, view.now + 1)]
    told = {"circle": end.circle, "partner": story.lender, "currency": "EUR", "side": "buy"}
    return Money(
        why=why,
        signed=_signed(view, why),
        credit=why.award,
        passed_on=node.view(story.customer).get(AWARDS, end.customer_circle, end.customer_award),
        invoice=bill.item,
        payment=payment,
        rebate=view.get(AWARDS, end.circle, end.rebate_award),
        spend_minor=figures.figures.get("spend", 0) if figures else 0,
        accrued_minor=figures.figures.get("accrued", 0) if figures else 0,
        account=account,
        waterfall=chart_of(account, party_name(view, story.lender)),
        on_time_ppm=(_on_time(cards[0]), _on_time(cards[1])),
        contract_href=f"/contracts/a/{end.circle}/{end.agreement}",
        rebate_href=f"/contracts/a/{end.circle}/{end.rebate}",
        statement_href=f"/accounts/statement?{urlencode(told)}",
        customer_contract_href=f"/contracts/a/{end.customer_circle}/{end.customer_agreement}",
    )


def _signed(view: View, why: ResultPage) -> list[Signed]:
    """The facts that the clause read from the record, in its order."""
    return [
        Signed(
            WORDS.get(fact.name, fact.name.replace("_", " ").capitalize()),
            _readable(fact.value),
            " and ".join(party_name(view, who) for who in fact.signer.split("+")),
            fact.entry,
        )
        for fact in why.facts
        if fact.entry
    ]


def _readable(value: str) -> str:
    """A time and a count as people write them; anything else as it is.

    >>> _readable("2026-11-15T09:00:00Z"), _readable("6"), _readable("5.60 EUR")
    ('15 Nov 2026, 09:00 UTC', '6 each', '5.60 EUR')
    """
    if value.isdecimal():
        return quantity(int(value))
    return f"{time_text(value)} UTC" if MOMENT.fullmatch(value) else value


def _on_time(card: Scorecard | None) -> int:
    return card.figure(ON_TIME).value if card else -1


class Sight(Struct, frozen=True):
    """One thing of the story: what it is, and whether each party's own view gives it, in the order of parties."""

    what: str
    seen: list[bool]


def sights(node: Node, story: Story, parties: list[str]) -> list[Sight]:
    """What each party's view, which its pages, API and exports use, gives of the story."""
    views, end = [node.view(party) for party in parties], story.ending
    asked: list[tuple[str, Any]] = [
        ("the yard's order", lambda v: order_page(v, story.customer_order)),
        ("the reservation and its price", lambda v: order_page(v, story.pool_order)),
        ("the agreement", lambda v: v.get(AGREEMENTS, end.circle, end.agreement)),
        ("the credit and its reason", lambda v: v.get(AWARDS, end.circle, end.award)),
        ("invoice and payment", lambda v: document(v, end.circle, end.invoice)),
    ]
    return [Sight(what, [ask(view) is not None for view in views]) for what, ask in asked]
