"""What this room tells later rooms: public events to `ON`, what a circle alone may know to `ON_CIRCLE`."""

from __future__ import annotations

from msgspec import Struct

from hanse.rooms.orders.private_rows import ShippedSlice, TermsLine


class Placed(Struct, frozen=True):
    """An order stands. Aliases, not parties."""

    order: str
    circle: str
    buyer: str
    seller: str


class Confirmed(Struct, frozen=True):
    """The seller is bound to `each` in all, of which `changed` wait for the buyer's answer."""

    order: str
    circle: str
    each: int
    changed: int


class Ended(Struct, frozen=True):
    """Something of an order will not be shipped. `by`: alias, or "" for a timer. `how`: declined, lapsed, cancelled."""

    order: str
    circle: str
    by: str
    how: str
    each: int


class Shipped(Struct, frozen=True):
    order: str
    shipment: str
    circle: str
    each: int


class Received(Struct, frozen=True):
    """A shipment's receipt, or its being deemed received (`method`). Quantities over all lines, each."""

    order: str
    shipment: str
    circle: str
    method: str
    received: int
    damaged: int
    short: int
    over: int


class Contested(Struct, frozen=True):
    order: str
    shipment: str
    circle: str
    by: str


class Returned(Struct, frozen=True):
    """A return was answered: `each` of `asked` accepted; `answered` False: nobody answered in time."""

    order: str
    return_id: str
    circle: str
    asked: int
    each: int
    answered: bool


class Rated(Struct, frozen=True):
    order: str
    shipment: str
    circle: str


class OrderKnown(Struct, frozen=True):
    """In the circle: an order with its terms."""

    circle: str
    order: str
    buyer: str
    seller: str
    currency: str
    placed_at: int
    lines: tuple[TermsLine, ...]


class ConfirmedKnown(Struct, frozen=True):
    """In the circle: what the seller is bound to of an order now, line by line with its promises; changes that the
    buyer has accepted included."""

    circle: str
    order: str
    buyer: str
    seller: str
    currency: str
    lines: tuple[TermsLine, ...]


class DeliveryKnown(Struct, frozen=True):
    """In the circle: a delivery, received or deemed so, slice by slice with price, promise and what was good.

    shipped_at, arrived_at: UTC seconds, as stated. one_sided: one firm signed for both.
    """

    circle: str
    order: str
    shipment: str
    buyer: str
    seller: str
    currency: str
    method: str
    one_sided: bool
    shipped_at: int
    arrived_at: int
    slices: tuple[ShippedSlice, ...]


class ReturnKnown(Struct, frozen=True):
    """In the circle: what was taken back, as (line, each, item, unit price in minor units) of what was delivered."""

    circle: str
    order: str
    return_id: str
    currency: str
    lines: tuple[tuple[int, int, str, int], ...]


class RatingKnown(Struct, frozen=True):
    """In the circle: a rating beside what was measured of the same delivery (ppm, -1 unknown)."""

    circle: str
    order: str
    shipment: str
    buyer: str
    seller: str
    score: int
    good_ppm: int
    kept_ppm: int
