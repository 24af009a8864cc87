"""What parties sign about money owed and paid: invoice, credit note, payment, terms, imported books."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from hanse.kernel.facts import (
    END,
    WITHHELD,
    Commercial,
    Currency,
    Each,
    Fact,
    Id,
    LongText,
    Minor,
    OptionalId,
    Part,
    Seconds,
    Text,
)
from hanse.rooms.orders.facts import LineNo, Some

LINES_MAX = 200
ITEMS_MAX = 500
DAY = 86_400
Ppm = Annotated[int, Meta(ge=0, le=1_000_000)]
"""A rate in parts per million: 190,000 is 19%."""
Days = Annotated[int, Meta(ge=0, le=730)]
Money = Annotated[int, Meta(ge=0, le=10**17)]
"""Minor units, not negative."""
Rounding = Literal["half_even", "half_up", "half_down", "up", "down", "ceil", "floor"]
CreditReason = Literal["return", "damaged", "short", "price", "award", "goodwill"]
BookKind = Literal["invoice", "credit_note"]


class InvoiceLine(Part, frozen=True, kw_only=True):
    """What is billed of a received shipment's line. `line`: the order's line; `tax_ppm`: of this line."""

    shipment: Id
    line: LineNo
    each: Some
    tax_ppm: Ppm = 0


class Invoice(Fact, frozen=True, kw_only=True):
    """The supplier bills deliveries, at the prices of their orders. Signed singly: it binds money.

    net, tax, gross: what the rules compute, minor units; stated, so that they are signed. Tax: once per rate on the sum
    of its lines, by `rounding` (EN 16931, BR-CO-17). payment_days: after the ledger time of this fact. discount_ppm:
    taken by who pays within discount_days. number: the supplier's own. bill_to: the party that pays or bills centrally,
    "" for the customer itself. iban: where the money goes, signed with the rest. issued_at: in one-sided books alone,
    where the invoice is older than its record.
    """

    kind: ClassVar[str] = "accounts.invoice"
    single: ClassVar[bool] = True
    circle: Id
    invoice: Id
    lines: Commercial[Annotated[list[InvoiceLine], Meta(min_length=1, max_length=LINES_MAX)]] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    net_minor: Commercial[Money] = WITHHELD
    tax_minor: Commercial[Money] = WITHHELD
    gross_minor: Commercial[Money] = WITHHELD
    rounding: Commercial[Rounding] = WITHHELD
    payment_days: Commercial[Days] = WITHHELD
    discount_ppm: Commercial[Ppm] = WITHHELD
    discount_days: Commercial[Days] = WITHHELD
    number: Commercial[Text] = WITHHELD
    bill_to: Commercial[OptionalId] = WITHHELD
    iban: Commercial[
        Annotated[str, Meta(max_length=34, pattern=rf"^([A-Z]{{2}}[0-9]{{2}}[A-Z0-9]{{11,30}})?{END}")]
    ] = WITHHELD
    issued_at: Commercial[Seconds] = WITHHELD
    note: Commercial[LongText] = WITHHELD


class CreditLine(Part, frozen=True, kw_only=True):
    """`number`: the invoice's line. Either `each` units at their price, or `net_minor` of it (each 0)."""

    number: LineNo
    each: Each = 0
    net_minor: Money = 0


class CreditNote(Fact, frozen=True, kw_only=True):
    """The supplier takes back part of an invoice. net, tax, gross: as the rules compute them, minor units.

    return_id: the return that it answers, "" for none; the return's accrual is used up by it.
    """

    kind: ClassVar[str] = "accounts.credit_note"
    single: ClassVar[bool] = True
    circle: Id
    credit: Id
    invoice: Commercial[Id] = WITHHELD
    lines: Commercial[Annotated[list[CreditLine], Meta(min_length=1, max_length=LINES_MAX)]] = WITHHELD
    net_minor: Commercial[Money] = WITHHELD
    tax_minor: Commercial[Money] = WITHHELD
    gross_minor: Commercial[Money] = WITHHELD
    reason: Commercial[CreditReason] = WITHHELD
    return_id: Commercial[OptionalId] = WITHHELD
    number: Commercial[Text] = WITHHELD
    issued_at: Commercial[Seconds] = WITHHELD
    note: Commercial[LongText] = WITHHELD


class Allocation(Part, frozen=True, kw_only=True):
    """How far a payment settles an item: `amount_minor` of what is open, with the item's own sign."""

    item: Id
    amount_minor: Minor


class Pay(Fact, frozen=True, kw_only=True):
    """The payer says that it has paid; unconfirmed at `answer_by`, the payment ends without effect.

    amount_minor: the money. It is what the allocations come to, less the discount earned, plus what goes on account.
    payee, payer: parties; in a firm's home one of them is an outsider. refund: a supplier pays its customer back.
    paid_at: in one-sided books alone. method "netting": settled in the cycle named, no money moves. Amount 0 offsets.
    """

    kind: ClassVar[str] = "accounts.pay"
    single: ClassVar[bool] = True
    circle: Id
    payment: Id
    answer_by: Seconds = 0
    cycle: OptionalId = ""
    payer: Commercial[Text] = WITHHELD
    payee: Commercial[Text] = WITHHELD
    refund: Commercial[bool] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    amount_minor: Commercial[Money] = WITHHELD
    allocations: Commercial[Annotated[list[Allocation], Meta(max_length=LINES_MAX)]] = WITHHELD
    paid_at: Commercial[Seconds] = WITHHELD
    method: Commercial[Literal["bank", "cash", "card", "netting", "other"]] = WITHHELD
    reference: Commercial[Text] = WITHHELD


class ReceivePayment(Fact, frozen=True, kw_only=True):
    """The payee has the money. Of a payment that stands: `amount_minor` alone; another amount goes on account whole.

    Of one that nobody announced, all fields as in `Pay`: the payer answers with its own `accounts.pay` of the same
    number; if it is silent at `answer_by`, the payee's word stands.
    grant_discount: the payee grants the discount though it was late.
    """

    kind: ClassVar[str] = "accounts.receive_payment"
    single: ClassVar[bool] = True
    circle: Id
    payment: Id
    answer_by: Seconds = 0
    payer: Commercial[Text] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    amount_minor: Commercial[Money] = WITHHELD
    allocations: Commercial[Annotated[list[Allocation], Meta(max_length=LINES_MAX)]] = WITHHELD
    method: Commercial[Literal["bank", "cash", "card", "other"]] = WITHHELD
    reference: Commercial[Text] = WITHHELD
    grant_discount: Commercial[bool] = WITHHELD


class SetTerms(Fact, frozen=True, kw_only=True):
    """In the seller's home: on what terms it sells to a partner, and how much it lends it. Replaces the earlier one.

    partner: a party, an outsider `~NAME`, or "*" for all without terms of their own. credit_limit_minor: -1 no limit.
    hold: nothing more is sold on credit for now. overdue_days_max: a debt that is overdue longer holds credit; 730 off.
    """

    kind: ClassVar[str] = "accounts.set_terms"
    circle: Id
    partner: Commercial[Text] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    payment_days: Commercial[Days] = WITHHELD
    discount_ppm: Commercial[Ppm] = WITHHELD
    discount_days: Commercial[Days] = WITHHELD
    tax_ppm: Commercial[Ppm] = WITHHELD
    credit_limit_minor: Commercial[Annotated[int, Meta(ge=-1, le=10**17)]] = WITHHELD
    overdue_days_max: Commercial[Days] = WITHHELD
    hold: Commercial[bool] = WITHHELD


class BookLine(Part, frozen=True, kw_only=True):
    """A document of a firm's own system. side: the firm's role. open_minor: of the gross, what is unsettled.

    partner: in the firm's words. item: a number of the firm's choosing, unique in its home. Amounts not negative; a
    credit note's count the other way.
    """

    item: Id
    book_kind: BookKind = "invoice"
    side: Literal["buy", "sell"]
    partner: Text
    currency: Currency
    net_minor: Money
    tax_minor: Money = 0
    open_minor: Money = 0
    issued_at: Seconds
    due_at: Seconds = 0
    settled_at: Seconds = 0
    number: Text = ""
    category: Text = ""


class BookItems(Fact, frozen=True, kw_only=True):
    """Bring documents of a firm's own system into its home's books. One-sided, and marked unproven for ever."""

    kind: ClassVar[str] = "accounts.book"
    circle: Id
    lines: Commercial[Annotated[list[BookLine], Meta(min_length=1, max_length=ITEMS_MAX)]] = WITHHELD
