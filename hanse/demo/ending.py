"""How the story ends, in money: the bill, the credit that nobody objects to, the payment, the rebate, the statement."""

from __future__ import annotations

from msgspec import Struct

from hanse.demo.cast import DISTRIBUTORS, Firm
from hanse.demo.deals import CUSTOMER_LATE, OBJECTION_DAYS, STORY_LATE, STORY_REBATE
from hanse.demo.stocks import recount
from hanse.demo.trader import DAY
from hanse.demo.year import Year
from hanse.rooms.contracts.private_rows import PENDING, STANDING
from hanse.rooms.contracts.queries import awards


class Ending(Struct, frozen=True):
    """Where the start page finds the money of the story; amounts it reads from the parties' own views.

    Attributes:
        circle: of distributor and member. agreement, award: the late delivery's. rebate, rebate_award: what the payment
        adds to the year's rebate, "" where it adds less than a cent. invoice, payment: numbers. since: UTC seconds,
        when the story began. customer_circle, customer_agreement, customer_award: the same delay, one step further.
    """

    circle: str
    agreement: str
    award: str
    rebate: str
    rebate_award: str
    invoice: str
    payment: str
    since: int
    paid_at: int
    customer_circle: str
    customer_agreement: str
    customer_award: str


def settle(year: Year, distributor: Firm, owner: Firm, customer: Firm, since: int) -> Ending:
    """From the receipt on: the bill, three days without objection, the payment less the credit, the rebate.

    Args:
        since: when the story began, UTC seconds.
    """
    trader, books = year.trader, year.books
    circle, customer_circle = (
        trader.circle(distributor.party, owner.party),
        trader.circle(customer.party, distributor.party),
    )
    trader.until(trader.clock.now + 3600)
    (due,) = books.bill(year.firms, (distributor.party, owner.party))
    books.bill(year.firms, (customer.party, distributor.party))
    trader.flush()
    award = _newest(year, distributor.party, STORY_LATE, PENDING)
    theirs = _newest(year, customer.party, CUSTOMER_LATE, PENDING)
    for firm in DISTRIBUTORS[1 : OBJECTION_DAYS + 2]:  # trade goes on; nobody objects
        trader.until(trader.clock.now - trader.clock.now % DAY + DAY + 9 * 3600)
        recount(trader, firm, year.shelves[firm.party], 30)
    trader.flush()
    paid_at = trader.clock.now
    assert _newest(year, distributor.party, STORY_LATE, STANDING) == award, "nobody has objected"
    books.pay(due)
    trader.flush()
    return Ending(
        circle=circle,
        agreement=STORY_LATE,
        award=award,
        rebate=STORY_REBATE,
        rebate_award=_newest(year, distributor.party, STORY_REBATE, ""),
        invoice=due.invoice,
        payment=f"PAY-{due.invoice}",
        since=since,
        paid_at=paid_at,
        customer_circle=customer_circle,
        customer_agreement=CUSTOMER_LATE,
        customer_award=theirs,
    )


def _newest(year: Year, party: str, agreement: str, state: str) -> str:
    """The newest result in money of an agreement, in a state or any; "" for none."""
    found = awards(year.trader.node.view(party), agreement=agreement, states=(state,) if state else (), limit=1)
    return found[0].award if found else ""
