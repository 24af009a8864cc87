"""What a firm offers, wants and transfers, and what state holds of it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from hanse.kernel.facts import WITHHELD, Commercial, Currency, Each, Fact, Id, Minor, Seconds, Text
from hanse.kernel.rows import Row
from hanse.kernel.tables import Table
from hanse.rooms.catalog.facts import Number, PackEach
from hanse.rooms.inventory.facts import Lot, Owner
from hanse.rooms.parties.facts import Country, Microdegrees

OfferKind = Literal["sell", "lend"]
Condition = Literal["new", "opened", "used", "refurbished"]
TransferKind = Literal["sale", "sale_in_place", "sale_of_held", "consign", "hand_over"]
Days = Annotated[int, Meta(ge=0, le=3650)]
PpmMarkup = Annotated[int, Meta(ge=-1_000_000, le=10_000_000)]


class Earmark(Fact, frozen=True, kw_only=True):
    """At home: which stock stands behind the offer or transfer of this id, and its minimum price per each."""

    kind: ClassVar[str] = "inventory.earmark"
    circle: Id
    offer: Commercial[Id] = WITHHELD
    own_number: Commercial[Number] = WITHHELD
    site: Commercial[Id] = WITHHELD
    lot: Commercial[Lot] = WITHHELD
    owner: Commercial[Owner] = WITHHELD
    each: Commercial[Each] = WITHHELD
    minimum_price_minor: Commercial[Minor] = WITHHELD
    currency: Commercial[Currency] = WITHHELD


class MakeOffer(Fact, frozen=True, kw_only=True):
    """A quantity to a circle, until `expires_at`. `unit_price_minor`: of one each. `lot_expiry_at` 0: none."""

    kind: ClassVar[str] = "inventory.offer"
    circle: Id
    offer: Id
    each: Each
    expires_at: Seconds
    item: Commercial[Id] = WITHHELD
    offer_kind: Commercial[OfferKind] = WITHHELD
    country: Commercial[Country] = WITHHELD
    city: Commercial[Text] = WITHHELD
    latitude_microdeg: Commercial[Microdegrees] = WITHHELD
    longitude_microdeg: Commercial[Microdegrees] = WITHHELD
    unit_price_minor: Commercial[Minor] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    pack_each: Commercial[PackEach] = WITHHELD
    minimum_each: Commercial[Each] = WITHHELD
    lead_time_days: Commercial[Days] = WITHHELD
    firm: Commercial[bool] = WITHHELD
    condition: Commercial[Condition] = WITHHELD
    lot_expiry_at: Commercial[Seconds] = WITHHELD


class WithdrawOffer(Fact, frozen=True, kw_only=True):
    """Nothing more may be drawn; what was reserved stands."""

    kind: ClassVar[str] = "inventory.withdraw_offer"
    circle: Id
    offer: Id


class Want(Fact, frozen=True, kw_only=True):
    """A firm asks a circle for goods. `borrow`: to give them back."""

    kind: ClassVar[str] = "inventory.want"
    circle: Id
    want: Id
    expires_at: Seconds
    item: Commercial[Id] = WITHHELD
    each: Commercial[Each] = WITHHELD
    borrow: Commercial[bool] = WITHHELD
    country: Commercial[Country] = WITHHELD
    city: Commercial[Text] = WITHHELD
    latitude_microdeg: Commercial[Microdegrees] = WITHHELD
    longitude_microdeg: Commercial[Microdegrees] = WITHHELD
    note: Commercial[Text] = WITHHELD


class WithdrawWant(Fact, frozen=True, kw_only=True):
    kind: ClassVar[str] = "inventory.withdraw_want"
    circle: Id
    want: Id


class ProposeTransfer(Fact, frozen=True, kw_only=True):
    """The giver proposes goods to the other side of a relationship, at cost plus.

    `transfer_kind`: what passes.
        sale: title and custody. sale_in_place: title; the giver keeps the goods. sale_of_held: title of the giver's
        goods that the taker keeps already. consign: custody; the giver keeps title. hand_over: custody of the taker's
        goods.
    `unit_cost_minor`: of one each; `markup_ppm`: on cost. Total = each x cost x (1 + markup), rounded half to even
    once; zero where title stays.
    """

    kind: ClassVar[str] = "inventory.propose_transfer"
    single: ClassVar[bool] = True
    circle: Id
    transfer: Id
    each: Each
    expires_at: Seconds
    transfer_kind: Commercial[TransferKind] = WITHHELD
    item: Commercial[Id] = WITHHELD
    lot: Commercial[Lot] = WITHHELD
    unit_cost_minor: Commercial[Minor] = WITHHELD
    markup_ppm: Commercial[PpmMarkup] = WITHHELD
    currency: Commercial[Currency] = WITHHELD


class AcceptTransfer(Fact, frozen=True, kw_only=True):
    """The taker accepts: title and custody pass now. `site`: where it takes the goods in (or keeps them)."""

    kind: ClassVar[str] = "inventory.accept_transfer"
    single: ClassVar[bool] = True
    circle: Id
    transfer: Id
    site: Commercial[Id] = WITHHELD


class EndTransfer(Fact, frozen=True, kw_only=True):
    """The giver takes a proposal back, or the taker declines it."""

    kind: ClassVar[str] = "inventory.end_transfer"
    circle: Id
    transfer: Id


class Offer(Row, frozen=True, kw_only=True):
    """What everybody sees of an offer. `alias`: its owner's in `circle`. `shared`: offered to a group."""

    offer: str
    circle: str
    alias: str
    shared: bool
    each: int
    expires_at: int
    reserved_each: int = 0
    taken_each: int = 0
    withdrawn: bool = False

    @property
    def open_each(self) -> int:
        return self.each - self.reserved_each - self.taken_each


class OfferTerms(Row, frozen=True, kw_only=True):
    """What its audience sees of an offer. `party`: its owner. `ended`: withdrawn or expired."""

    circle: str
    offer: str
    party: str
    item: str
    offer_kind: str
    country: str
    city: str
    latitude_microdeg: int
    longitude_microdeg: int
    unit_price_minor: int
    currency: str
    pack_each: int
    minimum_each: int
    lead_time_days: int
    firm: bool
    condition: str
    lot_expiry_at: int
    offered_at: int
    ended: bool = False


class EarmarkRow(Row, frozen=True, kw_only=True):
    """What stands behind an offer. `audience`: its circle once offered, else "".

    `allocated_each`: in confirmed orders, not yet shipped. `set_aside_each`: what stock keeps back for it now.
    """

    circle: str
    offer: str
    own_number: str
    item: str
    site: str
    lot: str
    owner: str
    each: int
    minimum_price_minor: int
    currency: str
    audience: str = ""
    firm: bool = False
    allocated_each: int = 0
    set_aside_each: int = 0


class WantRow(Row, frozen=True, kw_only=True):
    """What everybody sees of a want."""

    want: str
    circle: str
    alias: str
    expires_at: int
    withdrawn: bool = False


class WantTerms(Row, frozen=True, kw_only=True):
    circle: str
    want: str
    party: str
    item: str
    each: int
    borrow: bool
    country: str
    city: str
    latitude_microdeg: int
    longitude_microdeg: int
    note: str
    ended: bool = False


class Transfer(Row, frozen=True, kw_only=True):
    """`state`: proposed, accepted, ended."""

    transfer: str
    circle: str
    giver: str
    taker: str
    each: int
    expires_at: int
    state: str = "proposed"


class TransferTerms(Row, frozen=True, kw_only=True):
    """`giver`, `taker`: parties. `total_minor`: what the taker owes."""

    circle: str
    transfer: str
    giver: str
    taker: str
    transfer_kind: str
    item: str
    lot: str
    each: int
    unit_cost_minor: int
    markup_ppm: int
    total_minor: int
    currency: str
    site: str = ""
    state: str = "proposed"


OFFERS = Table("inventory_offer", Offer, ("offer",))
OFFER_TERMS = Table(
    "inventory_offer_terms",
    OfferTerms,
    ("circle", "offer"),
    index=[("item", "ended", "circle"), ("party", "ended", "circle"), ("ended", "offer")],
    circle=True,
)
EARMARKS = Table("inventory_earmark", EarmarkRow, ("circle", "offer"), index=[("circle", "own_number")], circle=True)
WANTS = Table("inventory_want", WantRow, ("want",))
WANT_TERMS = Table(
    "inventory_want_terms",
    WantTerms,
    ("circle", "want"),
    index=[("item", "ended", "circle"), ("party", "ended", "circle")],
    circle=True,
)
TRANSFERS = Table("inventory_transfer", Transfer, ("transfer",))
TRANSFER_TERMS = Table(
    "inventory_transfer_terms", TransferTerms, ("circle", "transfer"), index=[("circle", "item")], circle=True
)
