"""What state holds of orders in confidence: the circle's rows, and what each firm keeps in its home."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.rows import Row
from hanse.kernel.tables import Table


class Promise(Struct, frozen=True, array_like=True):
    """Confirmed and unshipped: how many, of what, for when, at what price. `promised_at` 0: no date was given."""

    each: int
    item: str
    unit_price_minor: int
    promised_at: int


class TermsLine(Struct, frozen=True, array_like=True):
    """What only buyer and seller know of a line.

    firm: it meets a firm offer's price, so the seller is bound since it was placed. promises: earliest first; in sum
    the line's confirmed and unshipped. changes: proposed by the seller, not yet answered. `first_promised_at`: stays.
    """

    line: int
    item: str
    own_number: str
    unit_price_minor: int
    requested_at: int
    firm: bool = False
    first_promised_at: int = 0
    promises: tuple[Promise, ...] = ()
    changes: tuple[Promise, ...] = ()


class OrderTerms(Row, frozen=True, kw_only=True):
    """`due_at`: the earliest promised, else requested, time of what is unshipped; 0 for none. Amount as ordered."""

    circle: str
    order_id: str
    buyer: str
    seller: str
    counterparty: str
    side: str
    po_number: str
    currency: str
    amount_minor: int
    deliver_to: str
    drop_ship: bool
    loan: bool
    ordered_at: int
    due_at: int
    note: str
    answer: str = ""
    lines: tuple[TermsLine, ...]


class ShippedSlice(Struct, frozen=True, array_like=True):
    """Part of a shipped line: of what, promised for when, at what price, which lots; and its receipt.

    good: received good ones. kept: all of it good, and not after its promise. returned: accepted back.
    """

    line: int
    each: int
    item: str
    unit_price_minor: int
    promised_at: int
    good: int = 0
    kept: bool = False
    returned: int = 0


class LotOut(Struct, frozen=True, array_like=True):
    line: int
    lot: str
    each: int
    serials: tuple[str, ...]
    expires_at: int


class Lack(Struct, frozen=True, array_like=True):
    """Why a received line is not as shipped."""

    line: int
    reason: str


class ShipmentTerms(Row, frozen=True, kw_only=True):
    """What only buyer and seller know of a shipment.

    arrived_at: as the receiver states it, 0 before. slices_n, kept_n, dated_n: its slices, those kept, those with a
    date; counted once it is received, so that sums over shipments are the firm's figures. paper_hash: the file of the
    receipt's signature. handed_paper_hash, handed_photo_hash: of the hand-over.
    """

    circle: str
    shipment: str
    order_id: str
    carrier: str
    tracking: str
    packages: int
    weight_g: int
    neutral_slip: bool
    shipped_at: int
    arrived_at: int = 0
    slices: tuple[ShippedSlice, ...]
    lots: tuple[LotOut, ...]
    lacks: tuple[Lack, ...] = ()
    slices_n: int = 0
    dated_n: int = 0
    kept_n: int = 0
    paper_hash: str = ""
    photo_hash: str = ""
    contest: str = ""
    handed_paper_hash: str = ""
    handed_photo_hash: str = ""


class KeptDay(Row, frozen=True, kw_only=True):
    """How promises between two parties were kept, of the deliveries that arrived in one UTC day (days since 1970).

    unproven: what one side alone has signed, or silence. dated_n, kept_n: sums of `ShipmentTerms`, counted as they are.
    """

    circle: str
    day: int
    buyer: str
    seller: str
    unproven: bool
    dated_n: int = 0
    kept_n: int = 0


class QuotedLine(Struct, frozen=True, array_like=True):
    line: int
    each: int
    item: str
    own_number: str
    unit_price_minor: int = 0
    lead_time_days: int = 0


class QuoteTerms(Row, frozen=True, kw_only=True):
    circle: str
    quote: str
    currency: str
    asked: tuple[QuotedLine, ...]
    quoted: tuple[QuotedLine, ...]
    note: str
    answer: str


class ReturnTerms(Row, frozen=True, kw_only=True):
    circle: str
    return_id: str
    order_id: str
    reason: str
    answer: str = ""


class Rating(Row, frozen=True, kw_only=True):
    """`good_ppm`, `kept_ppm`: what was measured of the same delivery, to stand beside the score; -1 unknown."""

    circle: str
    shipment: str
    order_id: str
    score: int
    comment: str
    good_ppm: int
    kept_ppm: int
    at: int


class Message(Row, frozen=True, kw_only=True):
    circle: str
    message: str
    entry: int
    author: str
    order_id: str
    shipment: str
    item: str
    text: str
    file_name: str
    file_hash: str
    file_bytes: int
    at: int


class FileNamed(Row, frozen=True, kw_only=True):
    """A file that a message or a receipt of the circle names, by hex SHA-256 of its bytes."""

    circle: str
    file_hash: str
    order_id: str


class MineLine(Struct, frozen=True, array_like=True):
    """allocated: of own stock, for a seller. own_number, unit_price_minor: as ordered, for a buyer's receipt."""

    line: int
    item: str
    own_number: str
    unit_price_minor: int
    offer: str
    allocated: int = 0


class Mine(Row, frozen=True, kw_only=True):
    """An order in a firm's own book. `side`: buy or sell. `partner`: party, or the counterparty in words."""

    circle: str
    order_id: str
    side: str
    partner: str
    placed_at: int
    po_number: str
    currency: str
    amount_minor: int
    site: str
    drop_ship: bool
    loan: bool
    lines: tuple[MineLine, ...]


class MyReturn(Row, frozen=True, kw_only=True):
    """Which of the buyer's stock a return will leave: (line, own number, site, lot)."""

    circle: str
    return_id: str
    order_id: str
    stock: tuple[tuple[int, str, str, str], ...]


class DocumentRowLine(Struct, frozen=True, array_like=True):
    line: int
    item: str
    each: int
    unit_price_minor: int


class Cover(Struct, frozen=True, array_like=True):
    order: str
    lines: tuple[tuple[int, int], ...]


class Document(Row, frozen=True, kw_only=True):
    """A customer's document over several owners' orders, at home. A cover's `lines`: (order's, document's)."""

    circle: str
    document: str
    customer: str
    customer_po_number: str
    currency: str
    lines: tuple[DocumentRowLine, ...]
    orders: tuple[Cover, ...]


class DocumentOrder(Row, frozen=True, kw_only=True):
    circle: str
    order_id: str
    document: str


class Approval(Row, frozen=True, kw_only=True):
    circle: str
    approval: str
    subject: str
    amount_minor: int
    currency: str
    asked_by: str
    decided_by: str
    approved: bool


ORDER_TERMS = Table("orders_terms", OrderTerms, ("circle", "order_id"), index=[("circle", "due_at")], circle=True)
SHIPMENT_TERMS = Table(
    "orders_shipment_terms", ShipmentTerms, ("circle", "shipment"), index=[("circle", "order_id")], circle=True
)
KEPT_DAYS = Table("orders_kept_day", KeptDay, ("circle", "day", "buyer", "seller", "unproven"), circle=True)
QUOTE_TERMS = Table("orders_quote_terms", QuoteTerms, ("circle", "quote"), circle=True)
RETURN_TERMS = Table("orders_return_terms", ReturnTerms, ("circle", "return_id"), circle=True)
RATINGS = Table("orders_rating", Rating, ("circle", "shipment"), circle=True)
MESSAGES = Table("orders_message", Message, ("circle", "message"), index=[("circle", "order_id")], circle=True)
FILES = Table("orders_file", FileNamed, ("circle", "file_hash"), circle=True)
MINE = Table(
    "orders_mine",
    Mine,
    ("circle", "order_id"),
    index=[("circle", "side", "placed_at", "order_id"), ("circle", "placed_at", "order_id")],
    circle=True,
)
MY_RETURNS = Table("orders_my_return", MyReturn, ("circle", "return_id"), circle=True)
DOCUMENTS = Table("orders_document", Document, ("circle", "document"), circle=True)
DOCUMENT_ORDERS = Table("orders_document_order", DocumentOrder, ("circle", "order_id"), circle=True)
APPROVALS = Table("orders_approval", Approval, ("circle", "approval"), index=[("circle", "subject")], circle=True)
