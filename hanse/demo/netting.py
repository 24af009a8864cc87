"""At the year's end: four firms net what they owe each other, under the group as treasurer; and one result is disputed.

They do so in a circle of their own: who takes part in netting reads what is submitted to it.
"""

from __future__ import annotations

from hanse.demo.cast import GROUP
from hanse.demo.deals import CUSTOMER_LATE, LENDERS, MAIN, STORY_LATE, STORY_REBATE
from hanse.demo.ids import opaque
from hanse.demo.trader import DAY
from hanse.demo.year import Year
from hanse.kernel.facts import Fact
from hanse.node import joining
from hanse.rooms.accounts.deal_facts import NettingOpen
from hanse.rooms.accounts.drafting import closing, signature, submission
from hanse.rooms.accounts.facts import Allocation, Pay, ReceivePayment
from hanse.rooms.accounts.queries import cycle_page, open_items
from hanse.rooms.accounts.rows import Item
from hanse.rooms.contracts.facts import Dispute
from hanse.rooms.contracts.private_rows import PENDING
from hanse.rooms.contracts.queries import awards, disputes

CYCLE = "netting-year-end"
SALT = "at the year's end, in Lübeck"
PARTIES = (MAIN, *LENDERS)
HOUR = 3600


def open_cycle(year: Year) -> str:
    """The treasurer opens the cycle, and each firm submits its own balances; its circle."""
    trader = year.trader
    trader.flush()
    circle = joining.group(trader.node, [GROUP.party, *PARTIES], "Clearing")
    trader.do(
        GROUP.party,
        NettingOpen(
            circle=circle, cycle=CYCLE, submit_by=trader.clock.now + HOUR, sign_seconds=DAY // 2, currency="EUR"
        ),
    )
    trader.flush()
    for party in PARTIES:
        _do(year, party, submission(trader.node.view(party), CYCLE))
    return circle


def close_cycle(year: Year, circle: str) -> None:
    """The treasurer's result, everybody's signature under it, what is left to pay, and each pair's books."""
    trader = year.trader
    trader.flush()
    result = closing(trader.node.view(GROUP.party), CYCLE, SALT)
    if result is None or not result.parties:
        return  # nobody owes what the other side states alike: the cycle ends by itself
    trader.do(GROUP.party, result)
    trader.flush()
    for party in PARTIES:
        if trader.node.wallet.alias_of(circle, party) in result.parties:
            _do(year, party, signature(trader.node.view(party), CYCLE))
    trader.flush()
    done = cycle_page(trader.node.view(GROUP.party), CYCLE)
    assert done is not None and done.cycle.state == "settled", "all have signed"
    for move in done.result.transfers:
        items = [item for item in open_items(trader.node.view(move.payer), side="buy") if item.circle == circle]
        _pay(year, circle, move.payer, move.payee, items, "bank")
    for owed in done.result.obligations:
        pair = trader.circle(owed.payer, owed.payee)
        items = [item for item in open_items(trader.node.view(owed.payer), owed.payee, "buy") if item.circle == pair]
        if sum(item.open_minor for item in items) == owed.amount_minor:
            _pay(year, pair, owed.payer, owed.payee, items, "netting")
    trader.flush()


def _do(year: Year, party: str, fact: Fact | None) -> None:
    if fact is not None:
        year.trader.do(party, fact)


def _pay(year: Year, circle: str, payer: str, payee: str, items: list[Item], method: str) -> None:
    """One payment of items, and its confirmation."""
    trader, payment = year.trader, opaque("pay", payer, payee, method)
    until = trader.clock.now + 5 * DAY
    parts = [Allocation(item=item.item, amount_minor=item.open_minor) for item in items if item.customer == payer]
    parts = [part for part, item in zip(parts, items, strict=True) if item.supplier == payee]
    if not parts:
        return
    trader.do(
        payer,
        Pay(
            circle=circle,
            payment=payment,
            answer_by=until,
            cycle=CYCLE if method == "netting" else "",
            payee=payee,
            currency="EUR",
            amount_minor=sum(part.amount_minor for part in parts),
            allocations=parts,
            method=method,
            reference=CYCLE,
        ),
    )
    trader.do(payee, ReceivePayment(circle=circle, payment=payment, answer_by=until))


def dispute(year: Year) -> None:
    """The supplier of a late delivery objects to the newest pending result against it, once a year."""
    year.trader.flush()
    view = year.trader.node.view(MAIN)
    open_ = [
        award
        for award in awards(view, states=(PENDING,))
        if award.receiver == MAIN and award.agreement not in (STORY_LATE, STORY_REBATE, CUSTOMER_LATE)
    ]
    if not open_ or disputes(view):
        return
    award = open_[0]
    year.trader.do(
        award.sender,
        Dispute(
            circle=award.circle,
            dispute=f"D-{award.award}",
            award=award.award,
            liable=MAIN,
            wanted_minor=award.amount_minor // 2,
            reason="The gate was closed when the lorry stood before it; half of the delay is the receiver's.",
            evidence=[award.position],
        ),
    )
