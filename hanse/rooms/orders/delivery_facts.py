"""What parties sign of a delivery and after it: dispatch, hand-over, receipt, return, rating, message."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from hanse.kernel.facts import (
    WITHHELD,
    Commercial,
    Each,
    Fact,
    Id,
    LongText,
    OptionalHash,
    OptionalId,
    Part,
    Personal,
    Seconds,
    Text,
)
from hanse.rooms.orders.facts import LINES_MAX, LineNo, Method, Some, StockKey


class ShippedLot(Part, frozen=True, kw_only=True):
    """Which units left. `each` of one lot; `serials` where units have them; `expires_at` 0 for none."""

    lot: Text = ""
    each: Each
    serials: Annotated[list[Text], Meta(max_length=200)] = []
    expires_at: Seconds = 0


class ShipLine(Part, frozen=True, kw_only=True):
    """`from_stock`: where it left from, for lines without an offer; with one, the seller's earmark says it."""

    line: LineNo
    each: Some
    lots: Commercial[Annotated[list[ShippedLot], Meta(max_length=50)]] = WITHHELD
    from_stock: Commercial[StockKey] = WITHHELD


class Ship(Fact, frozen=True, kw_only=True):
    """The seller has dispatched. `arrive_by`: when it should be there, UTC seconds; from then the silence counts.

    `neutral_slip`: the packing slip names neither the seller's prices nor the buyer's customer.
    `shipped_at`: when it left, for what is recorded later.
    """

    kind: ClassVar[str] = "orders.ship"
    single: ClassVar[bool] = True
    circle: Id
    order: Id
    shipment: Id
    arrive_by: Seconds = 0
    lines: Annotated[list[ShipLine], Meta(min_length=1, max_length=LINES_MAX)]
    carrier: Commercial[Text] = WITHHELD
    tracking: Commercial[Text] = WITHHELD
    packages: Commercial[Each] = WITHHELD
    weight_g: Commercial[Each] = WITHHELD
    neutral_slip: Commercial[bool] = WITHHELD
    shipped_at: Commercial[Seconds] = WITHHELD


class HandOver(Fact, frozen=True, kw_only=True):
    """The seller's side of a hand-over: to a carrier, or to the receiver. `taken_by`: who took it, as signed.

    `signature_hash`, `photo_hash`: hex SHA-256 of the files kept beside it.
    """

    kind: ClassVar[str] = "orders.hand_over"
    circle: Id
    shipment: Id
    method: Method = "account"
    carrier: Commercial[Text] = WITHHELD
    signature_hash: Commercial[OptionalHash] = WITHHELD
    photo_hash: Commercial[OptionalHash] = WITHHELD
    handed_by: Personal[Text] = WITHHELD
    taken_by: Personal[Text] = WITHHELD


class ReceiveLine(Part, frozen=True, kw_only=True):
    """What arrived of a shipped line; what is missing of the shipped quantity is short.

    received: good ones. damaged: arrived, not usable. over: good ones beyond the shipped quantity.
    """

    line: LineNo
    received: Each
    damaged: Each = 0
    over: Each = 0
    reason: Commercial[Text] = WITHHELD
    stocked_as: Commercial[StockKey] = WITHHELD


class Receive(Fact, frozen=True, kw_only=True):
    """Proof of delivery, signed with the buyer's key of this circle, or by the buyer's node behind a one-time link.

    `lines` empty: everything as shipped. `site`: which own site it came to. `arrived_at`: when, where it was earlier.
    `received_by`: who signed on glass. `signature_hash`, `photo_hash`: hex SHA-256 of the files kept beside it.
    """

    kind: ClassVar[str] = "orders.receive"
    single: ClassVar[bool] = True
    circle: Id
    shipment: Id
    method: Method = "account"
    lines: Annotated[list[ReceiveLine], Meta(max_length=LINES_MAX)] = []
    site: Commercial[OptionalId] = WITHHELD
    arrived_at: Commercial[Seconds] = WITHHELD
    signature_hash: Commercial[OptionalHash] = WITHHELD
    photo_hash: Commercial[OptionalHash] = WITHHELD
    received_by: Personal[Text] = WITHHELD


class Contest(Fact, frozen=True, kw_only=True):
    """A party says that a receipt is not how it was: the buyer one that was deemed or signed by a link,
    the seller one that claims a lack."""

    kind: ClassVar[str] = "orders.contest"
    circle: Id
    shipment: Id
    reason: Commercial[LongText] = WITHHELD


class ReturnLineAsked(Part, frozen=True, kw_only=True):
    """`from_stock`: the buyer's stock that it leaves once the seller has accepted it."""

    line: LineNo
    each: Some
    from_stock: Commercial[StockKey] = WITHHELD


class ReturnGoods(Fact, frozen=True, kw_only=True):
    """The buyer asks to return goods of one shipment. Unanswered at `answer_by`, the request ends."""

    kind: ClassVar[str] = "orders.return_goods"
    circle: Id
    shipment: Id
    return_id: Id
    answer_by: Seconds
    lines: Annotated[list[ReturnLineAsked], Meta(min_length=1, max_length=LINES_MAX)]
    reason: Commercial[Text] = WITHHELD


class AcceptedLine(Part, frozen=True, kw_only=True):
    """What the seller took back; the rest of what was asked is not accepted. `to_stock`: where it lies now."""

    line: LineNo
    each: Each
    to_stock: Commercial[StockKey] = WITHHELD


class AcceptReturn(Fact, frozen=True, kw_only=True):
    """The seller has the goods back and says how many it accepts."""

    kind: ClassVar[str] = "orders.accept_return"
    single: ClassVar[bool] = True
    circle: Id
    return_id: Id
    lines: Annotated[list[AcceptedLine], Meta(min_length=1, max_length=LINES_MAX)]
    note: Commercial[Text] = WITHHELD


class Rate(Fact, frozen=True, kw_only=True):
    """The buyer rates a delivery that it has signed for, once. `score`: 1 (bad) .. 5 (good)."""

    kind: ClassVar[str] = "orders.rate"
    circle: Id
    shipment: Id
    score: Commercial[Annotated[int, Meta(ge=1, le=5)]] = WITHHELD
    comment: Commercial[LongText] = WITHHELD


class SendMessage(Fact, frozen=True, kw_only=True):
    """A message or a file, on an order, a shipment, an item, or none. `file_hash`: hex SHA-256 of the file's bytes."""

    kind: ClassVar[str] = "orders.message"
    circle: Id
    message: Id
    order: OptionalId = ""
    shipment: OptionalId = ""
    item: Commercial[Text] = WITHHELD
    text: Commercial[LongText] = WITHHELD
    file_name: Commercial[Text] = WITHHELD
    file_hash: Commercial[OptionalHash] = WITHHELD
    file_bytes: Commercial[Each] = WITHHELD
