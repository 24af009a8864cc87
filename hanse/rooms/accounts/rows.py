"""What state holds of accounts: public papers and waits, and each circle's books."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.rows import Row
from hanse.kernel.tables import Table

INVOICE, CREDIT_NOTE, ON_ACCOUNT, AWARD, ASSIGNED, NETTED = (
    "invoice",
    "credit_note",
    "on_account",
    "award",
    "assigned",
    "netting",
)
"""Kinds of items."""
ACCOUNTS = (
    *("due", "unbilled", "goods", "tax", "discount", "credit", "accrued"),
    *("bank", "escrow", "deposit", "assigned", "netting", "opening"),
)
PENDING, STANDS, VOID, USED = "pending", "stands", "void", "used"
"""Of an accrual; `used`: a credit note or payment took its place."""
ANNOUNCED, CLAIMED, SETTLED, UNCONFIRMED = "announced", "claimed", "settled", "unconfirmed"
"""Of a payment. announced: by the payer. claimed: by the payee, who says that it has the money."""
COLLECTING, CLOSING, SIGNING, NETTED_DONE, CYCLE_VOID = "collecting", "closing", "signing", "settled", "void"
"""Of a netting cycle."""
ASKED, HELD, LAPSED, ENDED = "asked", "held", "lapsed", "ended"
"""Of an escrow, and (but for held) of an assignment."""


class Way(Struct, frozen=True):
    """A direction of trade in one currency. `unproven`: one firm's word alone."""

    currency: str
    supplier: str
    customer: str
    unproven: bool = False


class Paper(Row, frozen=True, kw_only=True):
    """A document's number, whose alias signed it first, and where. `ends_at`: of its wait, 0 for none."""

    paper: str
    circle: str
    paper_kind: str
    alias: str
    at: int
    ends_at: int = 0


class EscrowWait(Row, frozen=True, kw_only=True):
    """Public side of an escrow: its order's quantities decide it. `ends_at`: of the wait under way."""

    escrow: str
    circle: str
    order_id: str
    alias: str
    state: str
    ends_at: int
    settle_by: int
    inspect_seconds: int
    released_ppm: int = 0


class EscrowOfOrder(Row, frozen=True, kw_only=True):
    order_id: str
    escrow: str


class Cycle(Row, frozen=True, kw_only=True):
    """A netting cycle as everybody sees it: who takes part by alias, who has signed which result. No amount."""

    cycle: str
    circle: str
    treasurer: str
    state: str
    ends_at: int
    sign_seconds: int
    submitted: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    round: int = 0
    result: str = ""
    parties: tuple[str, ...] = ()
    signed: tuple[str, ...] = ()


class Posting(Struct, frozen=True, array_like=True):
    """One line of an entry, debit positive, in the supplier's view."""

    account: str
    amount_minor: int


class Entry(Row, frozen=True, kw_only=True):
    """`entry`: the record's position; `part`: its place among that position's entries. due_minor: its line on `due`.

    document: what it belongs to. unproven: one firm's word alone.
    """

    circle: str
    entry: int
    part: int
    entry_kind: str
    at: int
    currency: str
    supplier: str
    customer: str
    document: str
    reason: str
    due_minor: int
    unproven: bool
    lines: tuple[Posting, ...]


class Account(Row, frozen=True, kw_only=True):
    circle: str
    currency: str
    supplier: str
    customer: str
    account: str
    balance_minor: int


class Item(Row, frozen=True, kw_only=True):
    """What is owed by one document. Positive: the customer owes. announced: of the open, in payments under way.

    due_at 0: at sight. discount_until 0: none. settled_at 0: open. reference: the issuer's own number.
    """

    circle: str
    item: str
    item_kind: str
    currency: str
    supplier: str
    customer: str
    amount_minor: int
    open_minor: int
    announced_minor: int = 0
    net_minor: int
    tax_minor: int
    issued_at: int
    due_at: int
    discount_ppm: int = 0
    discount_until: int = 0
    settled_at: int = 0
    reference: str = ""
    category: str = ""
    bill_to: str = ""
    subject: str = ""
    unproven: bool = False


class BilledLine(Struct, frozen=True, array_like=True):
    """A line of an invoice, of one price. `number`: its own; shipment and line: what it bills."""

    number: int
    shipment: str
    line: int
    each: int
    item: str
    unit_price_minor: int
    tax_ppm: int
    credited_each: int = 0
    credited_minor: int = 0

    @property
    def net_minor(self) -> int:
        return self.each * self.unit_price_minor


class InvoiceText(Row, frozen=True, kw_only=True):
    """The lines of an invoice, or what a credit note takes back of its invoice's. taxes: (ppm, base, tax)."""

    circle: str
    invoice: str
    order_ids: tuple[str, ...]
    rounding: str
    lines: tuple[BilledLine, ...]
    taxes: tuple[tuple[int, int, int], ...]
    corrects: str = ""
    reason: str = ""
    note: str = ""
    iban: str = ""


class Billed(Row, frozen=True, kw_only=True):
    """How many good units of a shipment's line are billed: the first ones of its promises."""

    circle: str
    shipment: str
    line: int
    each: int


class Allocated(Struct, frozen=True, array_like=True):
    item: str
    amount_minor: int
    discount_minor: int


class Payment(Row, frozen=True, kw_only=True):
    """A payment of `payer` to `payee` in one direction's books. `refund`: the supplier pays."""

    circle: str
    payment: str
    state: str
    payer: str
    payee: str
    refund: bool
    currency: str
    amount_minor: int
    allocations: tuple[Allocated, ...]
    paid_at: int
    settled_at: int = 0
    method: str
    cycle: str = ""
    reference: str = ""
    unproven: bool = False


class Accrual(Row, frozen=True, kw_only=True):
    """An amount with its reason. Positive: the customer will owe it. `open_minor`: what no credit note has used up.

    accrual_kind: return, or an award's (pay, post, hold, release, refund). document: agreement or return.
    """

    circle: str
    accrual: str
    accrual_kind: str
    state: str
    currency: str
    supplier: str
    customer: str
    amount_minor: int
    open_minor: int
    at: int
    due_at: int
    document: str
    label: str
    sha256: str = ""


def of_return(return_id: str) -> str:
    """The accrual of a return. The blank keeps it apart from every number that somebody chose."""
    return f"return {return_id}"


class Provision(Row, frozen=True, kw_only=True):
    """What an agreement has accrued in one direction and not yet paid. Positive: the customer will owe it."""

    circle: str
    agreement: str
    supplier: str
    customer: str
    currency: str
    open_minor: int


class Escrow(Row, frozen=True, kw_only=True):
    circle: str
    escrow: str
    order_id: str
    supplier: str
    customer: str
    holder: str
    currency: str
    amount_minor: int
    state: str
    released_minor: int = 0
    refunded_minor: int = 0


class Assignment(Row, frozen=True, kw_only=True):
    circle: str
    assignment: str
    step: str
    state: str
    proposer: str
    supplier: str
    customer: str
    third: str
    item: str
    currency: str
    amount_minor: int
    due_at: int
    reference: str


class OwedTo(Struct, frozen=True, array_like=True):
    partner: str
    to_pay_minor: int
    to_get_minor: int


class Submission(Row, frozen=True, kw_only=True):
    circle: str
    cycle: str
    party: str
    alias: str
    owed: tuple[OwedTo, ...]


class Move(Struct, frozen=True, array_like=True):
    """One payment: of whom, to whom, how much."""

    payer: str
    payee: str
    amount_minor: int


class CycleResult(Row, frozen=True, kw_only=True):
    """A round's result, as computed here. obligations: matched by both. unmatched: (party, partner, stated, other)."""

    circle: str
    cycle: str
    currency: str
    round: int = 0
    result: str = ""
    salt: str = ""
    state: str = COLLECTING
    obligations: tuple[Move, ...] = ()
    unmatched: tuple[tuple[str, str, int, int], ...] = ()
    positions: tuple[tuple[str, int], ...] = ()
    transfers: tuple[Move, ...] = ()
    gross_minor: int = 0
    net_minor: int = 0


class Terms(Row, frozen=True, kw_only=True):
    """In the seller's home. As `SetTerms`."""

    circle: str
    partner: str
    currency: str
    payment_days: int
    discount_ppm: int
    discount_days: int
    tax_ppm: int
    credit_limit_minor: int
    overdue_days_max: int
    hold: bool


_WAY = ("supplier", "customer", "currency")
PAPERS = Table("accounts_paper", Paper, ("paper",))
ESCROW_WAITS = Table("accounts_escrow_wait", EscrowWait, ("escrow",))
ESCROW_OF_ORDER = Table("accounts_escrow_of_order", EscrowOfOrder, ("order_id",), often_new=True)
CYCLES = Table("accounts_cycle", Cycle, ("cycle",), index=[("circle",)])
ENTRIES = Table(
    "accounts_entry",
    Entry,
    ("circle", "entry", "part"),
    index=[("circle", *_WAY, "at"), ("circle", "document")],
    circle=True,
)
BALANCES = Table("accounts_account", Account, ("circle", "currency", "supplier", "customer", "account"), circle=True)
ITEMS = Table(
    "accounts_item",
    Item,
    ("circle", "item"),
    index=[
        ("supplier", "settled_at", "due_at"),
        ("customer", "settled_at", "due_at"),
        ("circle", "settled_at", *_WAY),
    ],
    circle=True,
)
INVOICES = Table("accounts_invoice", InvoiceText, ("circle", "invoice"), circle=True)
BILLED = Table("accounts_billed", Billed, ("circle", "shipment", "line"), circle=True)
PAYMENTS = Table("accounts_payment", Payment, ("circle", "payment"), index=[("circle", "state")], circle=True)
ACCRUALS = Table("accounts_accrual", Accrual, ("circle", "accrual"), index=[("circle", "state")], circle=True)
PROVISIONS = Table("accounts_provision", Provision, ("circle", "agreement", "supplier", "customer"), circle=True)
ESCROWS = Table("accounts_escrow", Escrow, ("circle", "escrow"), circle=True)
ASSIGNMENTS = Table("accounts_assignment", Assignment, ("circle", "assignment"), circle=True)
SUBMISSIONS = Table("accounts_submission", Submission, ("circle", "cycle", "party"), circle=True)
RESULTS = Table("accounts_cycle_result", CycleResult, ("circle", "cycle"), circle=True)
TERMS = Table("accounts_terms", Terms, ("circle", "partner"), circle=True)
