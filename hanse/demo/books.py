"""The firms' books: terms of payment, an invoice a month for what a customer received, and its payment.

What is billed follows from what the demo saw received; the rules compute every total again and refuse another.
"""

from __future__ import annotations

from msgspec import Struct

from hanse.demo.cast import DISTRIBUTORS, MANUFACTURERS, Firm
from hanse.demo.ids import opaque
from hanse.demo.trader import DAY, Trader
from hanse.rooms.accounts.facts import LINES_MAX, Allocation, Invoice, InvoiceLine, Pay, ReceivePayment, SetTerms
from hanse.rooms.accounts.ledger import taxes_of
from hanse.rooms.accounts.queries import open_items
from hanse.rooms.accounts.rows import AWARD, INVOICE, Item

PAYMENT_DAYS = 30
TAX_PPM = 190_000
PAY_WAIT_DAYS = 5
LIMITS_MINOR = (2_500_000, 5_000_000, 10_000_000)


class Due(Struct, frozen=True):
    """An invoice to be paid: its number, its gross in minor units, who owes whom, and when it will be paid."""

    circle: str
    invoice: str
    buyer: str
    seller: str
    gross_minor: int
    at: int


class Books:
    """What was received and not billed, by relationship and direction.

    Attributes:
        agreed: circles with agreements, where payers take standing credits off what they pay.
    """

    def __init__(self, trader: Trader) -> None:
        self.trader = trader
        self.agreed: set[str] = set()
        self._received: dict[tuple[str, str, str], list[tuple[str, int, int, int]]] = {}
        self._numbers: dict[str, int] = {}
        self._billed: list[tuple[int, str, str, int]] = []

    def open(self) -> None:
        """Every seller's terms for everybody, and a credit limit."""
        for i, firm in enumerate((*MANUFACTURERS, *DISTRIBUTORS)):
            self.trader.do(
                firm.party,
                SetTerms(
                    circle=self.trader.home(firm.party),
                    partner="*",
                    currency="EUR",
                    payment_days=PAYMENT_DAYS,
                    discount_ppm=0,
                    discount_days=0,
                    tax_ppm=_tax(firm),
                    credit_limit_minor=LIMITS_MINOR[i % 3],
                    overdue_days_max=60,
                    hold=False,
                ),
            )

    def receive(self, circle: str, buyer: Firm, seller: Firm, shipment: str, lines: list[tuple[int, int, int]]) -> None:
        """Note what arrived good. lines: (the order's line, each, price of one each in minor units)."""
        kept = self._received.setdefault((circle, buyer.party, seller.party), [])
        kept += [(shipment, line, each, price) for line, each, price in lines if each > 0]

    def bill(self, firms: dict[str, Firm], only: tuple[str, str] | None = None) -> list[Due]:
        """Invoice everything received, or of one (buyer, seller) alone; what is now to be paid."""
        out = []
        for key in sorted(self._received):
            circle, buyer, seller = key
            if only is not None and only != (buyer, seller):
                continue
            lines = self._received.pop(key)
            for start in range(0, len(lines), LINES_MAX):
                out.append(self._invoice(circle, firms[buyer], firms[seller], lines[start : start + LINES_MAX]))
        return out

    def _invoice(self, circle: str, buyer: Firm, seller: Firm, part: list[tuple[str, int, int, int]]) -> Due:
        rate = _tax(seller)
        net = sum(each * price for _, _, each, price in part)
        tax = sum(row[2] for row in taxes_of([(net, rate)], "half_up"))
        number = f"RE-{seller.prefix}-{buyer.prefix}-{self._number(seller.party + buyer.party):04d}"
        invoice = opaque("inv", number)
        self.trader.do(
            seller.party,
            Invoice(
                circle=circle,
                invoice=invoice,
                lines=[
                    InvoiceLine(shipment=shipment, line=line, each=each, tax_ppm=rate)
                    for shipment, line, each, _ in part
                ],
                currency="EUR",
                net_minor=net,
                tax_minor=tax,
                gross_minor=net + tax,
                rounding="half_up",
                payment_days=PAYMENT_DAYS,
                discount_ppm=0,
                discount_days=0,
                number=number,
            ),
        )
        dice, now = self.trader.dice, self.trader.clock.now
        self._billed.append((now, seller.party, buyer.party, net))
        days = PAYMENT_DAYS + dice.choice((-6, -3, -2, -1, -1, 0, 0, 0, 2, 9, 21))
        return Due(circle, invoice, buyer.party, seller.party, net + tax, now + days * DAY)

    def billed(self, seller: str, buyers: set[str], since: int) -> int:
        """What a seller has billed some buyers since a time, net, in minor units."""
        return sum(net for at, by, to, net in self._billed if by == seller and to in buyers and at >= since)

    def pay(self, due: Due) -> None:
        """The payer pays an invoice, less its standing credits where there are agreements; the payee has the money."""
        allocations = [Allocation(item=due.invoice, amount_minor=due.gross_minor)]
        allocations += self._credits(due)
        payment = f"PAY-{due.invoice}"
        until = self.trader.clock.now + PAY_WAIT_DAYS * DAY
        self.trader.do(
            due.buyer,
            Pay(
                circle=due.circle,
                payment=payment,
                answer_by=until,
                currency="EUR",
                amount_minor=sum(part.amount_minor for part in allocations),
                allocations=allocations,
                method="bank",
                reference=due.invoice,
            ),
        )
        self.trader.do(due.seller, ReceivePayment(circle=due.circle, payment=payment, answer_by=until))

    def _credits(self, due: Due) -> list[Allocation]:
        """Standing credits of clause results, oldest first, as far as the invoice covers them."""
        if due.circle not in self.agreed:
            return []
        self.trader.flush()
        left, out = due.gross_minor, []
        for item in self.open_credits(due.buyer, due.seller):
            part = min(left, -item.open_minor)
            if part > 0:
                out.append(Allocation(item=item.item, amount_minor=-part))
                left -= part
        return out

    def open_credits(self, buyer: str, seller: str) -> list[Item]:
        """What a seller owes a buyer by clause results that stand."""
        items = open_items(self.trader.node.view(buyer), seller, "buy")
        return [item for item in items if item.item_kind == AWARD and item.open_minor < 0 and not item.announced_minor]

    def open_invoices(self, buyer: str, seller: str) -> list[Item]:
        """A buyer's unpaid invoices of a seller."""
        items = open_items(self.trader.node.view(buyer), seller, "buy")
        return [item for item in items if item.item_kind == INVOICE]

    def _number(self, what: str) -> int:
        self._numbers[what] = self._numbers.get(what, 0) + 1
        return self._numbers[what]


def _tax(seller: Firm) -> int:
    """Domestic sellers charge tax; the demo leaves others' cross-border supplies untaxed."""
    return TAX_PPM if seller.country == "DE" else 0
