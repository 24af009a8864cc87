"""What everybody sees of orders: aliases, quantities, deadlines, and the steps of their lives."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.rows import Row
from hanse.kernel.tables import Table

PLACED, CONFIRMED, PART_SHIPPED, SHIPPED, RECEIVED = "placed", "confirmed", "part_shipped", "shipped", "received"
DECLINED, LAPSED, CANCELLED = "declined", "lapsed", "cancelled"
STATES = (PLACED, CONFIRMED, PART_SHIPPED, SHIPPED, RECEIVED, DECLINED, LAPSED, CANCELLED)
"""Of an order. `confirmed`: the seller has answered; something may still be open."""
LIVE_STATES = (PLACED, CONFIRMED, PART_SHIPPED)
"""Something of the order is still unshipped."""
DEEMED = "deemed"
UNSIGNED_BY_BUYER = (DEEMED, "link")
"""Receipts that the buyer's own people have not signed: by silence, or by whoever held a one-time link."""


class Line(Struct, frozen=True, array_like=True):
    """The balance of one line, each. Always `ordered = open + (confirmed - shipped) + shipped + cancelled`.

    offer: what it draws on, or "". proposed: the part of open that the seller has answered with a change.
    received: good ones, those over included. damaged, short, over: as receipts say. returning: asked to go back.
    """

    line: int
    offer: str
    ordered: int
    confirmed: int = 0
    proposed: int = 0
    shipped: int = 0
    cancelled: int = 0
    received: int = 0
    damaged: int = 0
    short: int = 0
    over: int = 0
    returning: int = 0
    returned: int = 0

    @property
    def open(self) -> int:
        return self.ordered - self.confirmed - self.cancelled

    @property
    def to_ship(self) -> int:
        return self.confirmed - self.shipped

    @property
    def reserved(self) -> int:
        """What the line holds of its offer."""
        return self.ordered - self.shipped - self.cancelled if self.offer else 0

    @property
    def in_transit(self) -> int:
        """Shipped, and no receipt yet."""
        return self.shipped - self.short - (self.received - self.over) - self.damaged


class Order(Row, frozen=True, kw_only=True):
    """An order as everybody sees it. `buyer`, `seller`: aliases. `one_sided`: one firm signs for both."""

    order_id: str
    circle: str
    buyer: str
    seller: str
    state: str
    lines: tuple[Line, ...]
    placed_at: int
    confirm_by: int
    answer_by: int = 0
    cancel_after_at: int
    receive_within_seconds: int
    backorder: bool
    ship_complete: bool
    one_sided: bool
    quote: str = ""


class ShipmentLine(Struct, frozen=True, array_like=True):
    line: int
    each: int
    received: int = 0
    damaged: int = 0
    short: int = 0
    over: int = 0
    returning: int = 0
    returned: int = 0

    @property
    def returnable(self) -> int:
        return self.received + self.damaged - self.returning - self.returned


class Shipment(Row, frozen=True, kw_only=True):
    """A shipment. `method`: "" while under way, how the receipt was signed, or "deemed". Times 0 for none."""

    shipment: str
    circle: str
    order_id: str
    lines: tuple[ShipmentLine, ...]
    shipped_at: int
    arrive_by: int
    deemed_at: int
    handed_over_at: int = 0
    received_at: int = 0
    method: str = ""
    contested_by: str = ""
    rated: bool = False


class Step(Row, frozen=True, kw_only=True):
    """The life of an order, entry by entry. `signer`: alias, "" for a timer. `subject`: shipment, return or message."""

    order_id: str
    entry: int
    step: str
    signer: str
    at: int
    subject: str = ""


class HoldRow(Row, frozen=True, kw_only=True):
    """`used_by`: the order that drew on it. `ended`: used, or over."""

    hold: str
    circle: str
    alias: str
    offer: str
    each: int
    until_at: int
    claim: str
    used_by: str = ""
    ended: bool = False


class QuoteRow(Row, frozen=True, kw_only=True):
    """State: asked, unanswered, quoted, expired, ordered."""

    quote: str
    circle: str
    buyer: str
    seller: str
    state: str
    answer_by: int = 0
    valid_until_at: int = 0
    order_id: str = ""


class ReturnLine(Struct, frozen=True, array_like=True):
    line: int
    each: int
    accepted: int = 0


class Return(Row, frozen=True, kw_only=True):
    """State: asked, accepted (in whole or part), declined (nothing), unanswered."""

    return_id: str
    circle: str
    order_id: str
    shipment: str
    state: str
    answer_by: int
    lines: tuple[ReturnLine, ...]


ORDERS = Table("orders_order", Order, ("order_id",), index=[("circle", "state"), ("state",)], often_new=True)
SHIPMENTS = Table("orders_shipment", Shipment, ("shipment",), index=[("order_id",)], often_new=True)
STEPS = Table("orders_step", Step, ("order_id", "entry"))
HOLDS = Table("orders_hold", HoldRow, ("hold",))
QUOTES = Table("orders_quote", QuoteRow, ("quote",), index=[("circle", "state")])
RETURNS = Table("orders_return", Return, ("return_id",), index=[("order_id",)])
