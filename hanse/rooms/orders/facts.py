"""What parties sign from quote to rating. What state holds of it stands in `rows.py`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from hanse.kernel.facts import (
    WITHHELD,
    Commercial,
    Currency,
    Each,
    Fact,
    Hash,
    Id,
    LongText,
    Minor,
    OptionalId,
    Part,
    Seconds,
    Text,
)
from hanse.rooms.inventory.offer_facts import Days
from hanse.rooms.parties.facts import Microdegrees

LINES_MAX = 100
LineNo = Annotated[int, Meta(ge=1, le=9999)]
"""The number of a line within its order."""
Some = Annotated[int, Meta(ge=1, le=10**15)]
"""A quantity in base units, at least one."""
Method = Literal["account", "link", "paper"]
"""How somebody signed: in the web application, on glass behind a one-time link, or on paper that was filed."""


class DeliverTo(Part, frozen=True, kw_only=True):
    """Where an order goes. It has no field for the end customer's name: `mark` is what the label says instead.

    `site`: the buyer's own site, "" for another place. Coordinates in microdegrees (WGS 84), 0 0 for unknown.
    """

    site: OptionalId = ""
    mark: Text = ""
    country: Text = ""
    city: Text = ""
    postcode: Text = ""
    street: Text = ""
    latitude_microdeg: Microdegrees = 0
    longitude_microdeg: Microdegrees = 0


class StockKey(Part, frozen=True, kw_only=True):
    """Stock of the firm that states it: own number, site, lot."""

    own_number: Text
    site: Id
    lot: Text = ""


class QuoteAskLine(Part, frozen=True, kw_only=True):
    """One line asked for. `item`: a network item or, where none is known, what the buyer calls it."""

    line: LineNo
    each: Each
    item: Commercial[Text] = WITHHELD
    own_number: Commercial[Text] = WITHHELD


class RequestQuote(Fact, frozen=True, kw_only=True):
    """A buyer asks one partner for a price. Unanswered at `answer_by`, the request ends."""

    kind: ClassVar[str] = "orders.request_quote"
    circle: Id
    quote: Id
    seller: OptionalId = ""
    answer_by: Seconds
    lines: Annotated[list[QuoteAskLine], Meta(min_length=1, max_length=LINES_MAX)]
    currency: Commercial[Currency] = WITHHELD
    note: Commercial[LongText] = WITHHELD


class QuoteLine(Part, frozen=True, kw_only=True):
    line: LineNo
    each: Each
    item: Commercial[Text] = WITHHELD
    unit_price_minor: Commercial[Minor] = WITHHELD
    lead_time_days: Commercial[Days] = WITHHELD


class Quote(Fact, frozen=True, kw_only=True):
    """A seller's binding price until `valid_until_at`, in answer to a request, or unasked (a new `quote`)."""

    kind: ClassVar[str] = "orders.quote"
    circle: Id
    quote: Id
    buyer: OptionalId = ""
    valid_until_at: Seconds
    lines: Annotated[list[QuoteLine], Meta(min_length=1, max_length=LINES_MAX)]
    currency: Commercial[Currency] = WITHHELD
    note: Commercial[LongText] = WITHHELD


class Hold(Fact, frozen=True, kw_only=True):
    """A member of an offer's audience reserves a quantity of it until a time; an order then draws on the hold.

    `claim`: hex SHA-256 of a secret. Whoever shows the secret in an order uses the hold, once: so an order that
    stands in a relationship can draw on an offer made to a group, and the group does not read the order.
    """

    kind: ClassVar[str] = "orders.hold"
    circle: Id
    hold: Id
    offer: Id
    each: Some
    until_at: Seconds
    claim: Hash


class PlaceLine(Part, frozen=True, kw_only=True):
    """One line of an order.

    `offer`: of the order's own circle, or "". `hold` and `secret`: a hold on an offer of another circle.
    `item`: the network item, or the buyer's words for what has none. `own_number`: the buyer's own number.
    `requested_at`: when it should arrive, UTC seconds.
    """

    line: LineNo
    each: Some
    offer: OptionalId = ""
    hold: OptionalId = ""
    secret: Annotated[str, Meta(max_length=80)] = ""
    item: Commercial[Text] = WITHHELD
    own_number: Commercial[Text] = WITHHELD
    unit_price_minor: Commercial[Minor] = WITHHELD
    requested_at: Commercial[Seconds] = WITHHELD


class PlaceOrder(Fact, frozen=True, kw_only=True):
    """An order of one buyer to one seller.

    Public:
        order: its number in the network. seller: its alias; "" in a relationship: the other; in a home: oneself.
        confirm_by: unanswered then, it lapses; 0 in a home circle: no wait. cancel_after_at: what is unshipped then is
            cancelled; 0: after a year. receive_within_seconds: how long after its stated arrival a shipment may stay
            unsigned before it is deemed received.
        backorder: what the seller cannot confirm stays open; else it is cancelled at the confirmation.
        ship_complete: one shipment carries all of it. quote: the quote that it accepts, or "".
    Commercial:
        buyer_party, seller_party: who stands behind the aliases, checked in the circle. In a home circle one of them is
            the firm, and `counterparty` names the other in its own words, with `side` saying which role the firm has.
        po_number: the buyer's own number. drop_ship: the goods do not come to the buyer's stock.
        loan: the goods stay the seller's property. ordered_at: when it was placed, for what is recorded later.
    """

    kind: ClassVar[str] = "orders.place"
    circle: Id
    order: Id
    seller: OptionalId = ""
    confirm_by: Seconds = 0
    cancel_after_at: Seconds = 0
    receive_within_seconds: Seconds = 14 * 86_400
    backorder: bool = True
    ship_complete: bool = False
    quote: OptionalId = ""
    lines: Annotated[list[PlaceLine], Meta(min_length=1, max_length=LINES_MAX)]
    buyer_party: Commercial[OptionalId] = WITHHELD
    seller_party: Commercial[OptionalId] = WITHHELD
    side: Commercial[Literal["buy", "sell"]] = WITHHELD
    counterparty: Commercial[Text] = WITHHELD
    po_number: Commercial[Text] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    deliver_to: Commercial[DeliverTo] = WITHHELD
    drop_ship: Commercial[bool] = WITHHELD
    loan: Commercial[bool] = WITHHELD
    ordered_at: Commercial[Seconds] = WITHHELD
    note: Commercial[LongText] = WITHHELD


class Covered(Part, frozen=True, kw_only=True):
    """One order that serves part of a customer's document, and which of its lines serve which line of the document."""

    order: Id
    lines: Annotated[list[tuple[LineNo, LineNo]], Meta(max_length=LINES_MAX)] = []


class DocumentLine(Part, frozen=True, kw_only=True):
    line: LineNo
    item: Text
    each: Each
    unit_price_minor: Minor


class KeepDocument(Fact, frozen=True, kw_only=True):
    """In the buyer's home: one customer's document over several owners' orders. Sellers never see it.

    `customer`: whom it is for. Signed again, it replaces the earlier one (orders are added as they are placed).
    """

    kind: ClassVar[str] = "orders.keep_document"
    circle: Id
    document: Id
    customer: Commercial[Text] = WITHHELD
    customer_po_number: Commercial[Text] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    lines: Commercial[Annotated[list[DocumentLine], Meta(max_length=LINES_MAX)]] = WITHHELD
    orders: Commercial[Annotated[list[Covered], Meta(max_length=LINES_MAX)]] = WITHHELD


class Approve(Fact, frozen=True, kw_only=True):
    """In the buyer's home: a second person approves, or not, what exceeds the first one's limit."""

    kind: ClassVar[str] = "orders.approve"
    circle: Id
    approval: Id
    subject: Commercial[Id] = WITHHELD
    amount_minor: Commercial[Minor] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    asked_by: Commercial[Id] = WITHHELD
    decided_by: Commercial[Id] = WITHHELD
    approved: Commercial[bool] = WITHHELD


class ConfirmLine(Part, frozen=True, kw_only=True):
    """What the seller confirms of a line.

    `changed`: it differs from what was ordered (another item, a higher price, a later date); it then counts only once
    the buyer has accepted it. `substitute`: the other item. `unit_price_minor`: where it differs from the order's.
    """

    line: LineNo
    each: Each
    changed: bool = False
    promised_at: Commercial[Seconds] = WITHHELD
    unit_price_minor: Commercial[Minor] = WITHHELD
    substitute: Commercial[Text] = WITHHELD


class ConfirmOrder(Fact, frozen=True, kw_only=True):
    """The order confirmation: the seller is bound by it. May be signed again for what stayed open (backorders).

    `answer_by`: changed lines that the buyer has not answered then are open again; 0 without changed lines.
    """

    kind: ClassVar[str] = "orders.confirm"
    single: ClassVar[bool] = True
    circle: Id
    order: Id
    answer_by: Seconds = 0
    lines: Annotated[list[ConfirmLine], Meta(min_length=1, max_length=LINES_MAX)]
    note: Commercial[LongText] = WITHHELD


class AnswerLine(Part, frozen=True, kw_only=True):
    line: LineNo
    accept: bool


class AcceptChange(Fact, frozen=True, kw_only=True):
    """The buyer accepts changed lines (substitutes, prices, dates), or not."""

    kind: ClassVar[str] = "orders.accept_change"
    single: ClassVar[bool] = True
    circle: Id
    order: Id
    lines: Annotated[list[AnswerLine], Meta(min_length=1, max_length=LINES_MAX)]


class DeclineOrder(Fact, frozen=True, kw_only=True):
    """The seller declines what is still open."""

    kind: ClassVar[str] = "orders.decline"
    circle: Id
    order: Id
    reason: Commercial[Text] = WITHHELD


class EachLine(Part, frozen=True, kw_only=True):
    """A quantity of one line."""

    line: LineNo
    each: Some


class CancelOrder(Fact, frozen=True, kw_only=True):
    """The buyer cancels what is open; the seller what is open or confirmed and unshipped. No lines: all of it."""

    kind: ClassVar[str] = "orders.cancel"
    circle: Id
    order: Id
    lines: Annotated[list[EachLine], Meta(max_length=LINES_MAX)] = []
    reason: Commercial[Text] = WITHHELD
