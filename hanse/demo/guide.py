"""The story in steps: what each tells, where one click leads with whose eyes, and what to look at there."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from msgspec import Struct

from hanse.demo.cast import by_party
from hanse.demo.page_money import Money
from hanse.demo.people import PEOPLE
from hanse.demo.story import EACH, LATE_DAYS, Story
from hanse.web.site import DemoStop

GROUP = "hanse-group"


class See(Struct, frozen=True):
    """One click: the party whose owner looks, the address, the words on the button, and what to look at there."""

    party: str
    href: str
    words: str
    look: str


class Step(Struct, frozen=True):
    """One step of the story. key: its place on the start page. title: a sentence without a stop."""

    key: str
    title: str
    sees: tuple[See, ...]


def steps(story: Story, money: Money | None, entry: int) -> list[Step]:
    """The story's steps, in order; those about money only where the view holds it. entry: one to verify."""
    paid = _paid(story, money) if money else []
    return [*_goods(story), *paid, *_end(story, entry)]


def _goods(story: Story) -> list[Step]:
    yard, own, lender = story.customer, story.distributor, story.lender
    firms = by_party()
    customer_order, pool_order = f"/orders/o/{story.customer_order}", f"/orders/o/{story.pool_order}"
    find = f"/find?{urlencode({'i': story.item, 'n': EACH, 'city': firms[yard].city})}"
    return [
        Step("out", "A bearing is out, and a customer waits", (
            See(yard, customer_order, "The order, as the yard",
                "What it ordered and needs, and its message. Nothing tells it where the goods come from."),
            See(own, f"/stock/card/{quote(story.own_number, safe='')}", "The empty shelf, as the distributor",
                "On hand: none. Its own number is matched with the catalogue, so that others' stock can be found."),
        )),
        Step("matched", "Three members have it, under three other numbers", (
            See(own, f"/items/{story.item}", "The item, as the distributor",
                "Who offers it to you: other firms, other numbers, one item. You see offers, never their stock."),
        )),
        Step("cost", "The best total cost is not the lowest price", (
            See(own, find, "Find it, as the distributor",
                "Goods, freight and days of each source. The cheapest bearing is not the cheapest delivery."),
        )),
        Step("slip", "Reserved, and shipped under a neutral slip", (
            See(lender, pool_order, "What the lender sees", "A buyer, a quantity, a price, a dock. No end customer."),
            See(lender, f"/orders/slip/{story.shipment}", "The slip in the box",
                "No price, and no firm's name: a dock, and what is in the box."),
            See(own, pool_order, "The same order, as the distributor",
                "The same entries, and beside them its own customer's order."),
        )),
        Step("late", f"It arrives {LATE_DAYS} days late", (
            See(yard, customer_order, "The timeline, as the yard",
                "Promised, handed over, received: each step signed, each number an entry with its proof."),
        )),
    ]  # fmt: skip


def _paid(story: Story, money: Money) -> list[Step]:
    own, lender = story.distributor, story.lender
    passed = See(story.customer, money.customer_contract_href, "The yard's own, with the distributor",
                 "The same delay, by another agreement: the distributor owes the yard.")  # fmt: skip
    return [
        Step("credit", "The credit accrues, with its reason", (
            See(own, money.contract_href, "The agreement, as the distributor",
                "The clause in words, the rule that is computed, and what it came to."),
            See(lender, money.contract_href, "The same, as the lender",
                "The same figures: each computes them from what both have signed."),
            *((passed,) if money.passed_on else ()),
        )),
        Step("stands", "Nobody objects, and it stands", (
            See(own, f"/contracts/w/{story.ending.circle}/{quote(story.ending.award, safe='')}",
                "The result, step by step",
                "What it read, each step to the amount, and “Computed again here, now: the same”."),
        )),
        Step("bill", "The credit is taken off the bill; the rebate moves", (
            See(own, f"/accounts/d/{story.ending.circle}/{quote(story.ending.invoice, safe='')}", "The bill",
                "What was billed, the credit set against it, and the payment that both have signed."),
            See(own, money.rebate_href, "The rebate", "What this year's purchases earned so far."),
        )),
        Step("statement", "The statement and the scorecard follow", (
            See(own, money.statement_href, "The statement",
                "From the opening balance to the closing one, with every entry between."),
            See(own, f"/contracts/scorecards/buy/{lender}", "The lender's scorecard",
                "Lines on time and in full, counted from what both have signed."),
        )),
    ]  # fmt: skip


def _end(story: Story, entry: int) -> list[Step]:
    own = story.distributor
    return [
        Step("proof", "Anybody recomputes it, without trusting anybody", (
            See(own, f"/history/{entry}", "One entry and its proof",
                "Press “Verify here”: your browser computes the path to the signed root itself."),
        )),
        Step("gains", "Dead stock turns into money, for every member", (
            See(own, "/stock/dead", "Dead stock, as the distributor",
                "What lies idle, in money, and how much of it others ask for."),
            See(own, "/borrow", "Borrow and lend",
                "What you are short of and others have; what others want and you have."),
        )),
        Step("group", "Forty firms buy together", (
            See(own, "/group/rounds", "A purchasing round, as a member", "How much is missing to the next tier."),
            See(GROUP, "/group", "The group, as its manager", "Totals only: no member's price is shown to another."),
        )),
        Step("competitor", "And a competitor's screen beside it shows nothing", (
            See(story.competitor, f"/orders/o/{story.customer_order}", "Open the order as the competitor",
                "“Not found”, as for an order that never was."),
            See(story.competitor, "/history", "The record, as the competitor",
                "That somebody traded, under pseudonyms. Not who, what or for how much."),
            See(story.competitor, "/", "Its own Today", "A whole business of its own, which nobody else sees either."),
        )),
    ]  # fmt: skip


def stop(told: list[Step], name: str) -> DemoStop | None:
    """What the demo's bar says at one place of the story; None for a name that is none.

    Args:
        name: "STEP.CLICK", both from 1.
    """
    step_text, _, see_text = name.partition(".")
    if not (step_text.isdecimal() and see_text.isdecimal() and len(name) < 8):
        return None
    at, click = int(step_text), int(see_text)
    if not (1 <= at <= len(told) and 1 <= click <= len(told[at - 1].sees)):
        return None
    here, last = told[at - 1], at == len(told)
    see = here.sees[click - 1]
    following = told[at].title if not last else "The end"
    return DemoStop(
        at, len(told), here.title, see.look, see.href, f"/demo#{here.key}", following,
        f"/demo#{told[at].key if not last else 'end'}",
    )  # fmt: skip


def seat_of(party: str) -> int:
    """The place in PEOPLE of the first person of a party. Raises: StopIteration."""
    return next(n for n, person in enumerate(PEOPLE) if person.party == party)
