"""What a firm signs about its stock, at home, and what state holds of it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from hanse.kernel.facts import WITHHELD, Commercial, Currency, Each, Fact, Id, Minor, Part, Seconds, Text
from hanse.kernel.rows import Row
from hanse.kernel.tables import Table
from hanse.rooms.catalog.facts import Number

Lot = Annotated[str, Meta(max_length=80)]
"""A lot's or batch's number; "" where lots are not told apart."""
Owner = Annotated[str, Meta(max_length=80)]
"""A party, or "" for the firm whose home it is."""
SignedEach = Annotated[int, Meta(ge=-(10**15), le=10**15)]
Serials = Annotated[list[Number], Meta(max_length=500)]
AdjustReason = Literal["found", "scrapped", "damaged", "correction", "consumed", "produced", "received", "sold"]
UNCHANGED_COST = -1


class CountLine(Part, frozen=True, kw_only=True):
    """What stands there. `unit_cost_minor`: of one each, -1 leaves it. `moved_at`: when the firm's books say that it
    last moved, 0 for unknown."""

    site: Id
    own_number: Number
    each: Each
    lot: Lot = ""
    owner: Owner = ""
    unit_cost_minor: Annotated[int, Meta(ge=-1, le=10**15)] = UNCHANGED_COST
    moved_at: Seconds = 0


class AdjustLine(Part, frozen=True, kw_only=True):
    """A change, with sign. `made_at`: when it happened, 0 for now."""

    site: Id
    own_number: Number
    each: SignedEach
    reason: AdjustReason
    lot: Lot = ""
    owner: Owner = ""
    made_at: Seconds = 0
    note: Text = ""


class Count(Fact, frozen=True, kw_only=True):
    """What was counted. `counted_at` 0: now."""

    kind: ClassVar[str] = "inventory.count"
    circle: Id
    lines: Commercial[Annotated[list[CountLine], Meta(min_length=1, max_length=500)]] = WITHHELD
    counted_at: Commercial[Seconds] = WITHHELD


class Adjust(Fact, frozen=True, kw_only=True):
    """Changes that no order and no transfer explains, or that happened outside the network."""

    kind: ClassVar[str] = "inventory.adjust"
    circle: Id
    lines: Commercial[Annotated[list[AdjustLine], Meta(min_length=1, max_length=500)]] = WITHHELD


class Move(Fact, frozen=True, kw_only=True):
    """Free stock goes from one own site to another."""

    kind: ClassVar[str] = "inventory.move"
    circle: Id
    own_number: Commercial[Number] = WITHHELD
    lot: Commercial[Lot] = WITHHELD
    owner: Commercial[Owner] = WITHHELD
    from_site: Commercial[Id] = WITHHELD
    to_site: Commercial[Id] = WITHHELD
    each: Commercial[Each] = WITHHELD


class SetPolicy(Fact, frozen=True, kw_only=True):
    """The firm's rules for one own number. `minimum_price_minor`: per each. `keep_each`: for its own customers."""

    kind: ClassVar[str] = "inventory.set_policy"
    circle: Id
    own_number: Commercial[Number] = WITHHELD
    minimum_price_minor: Commercial[Minor] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    keep_each: Commercial[Each] = WITHHELD


class RecordSerials(Fact, frozen=True, kw_only=True):
    """Serial numbers that stand at a site in a lot. Recording one again moves it there."""

    kind: ClassVar[str] = "inventory.record_serials"
    circle: Id
    own_number: Commercial[Number] = WITHHELD
    site: Commercial[Id] = WITHHELD
    lot: Commercial[Lot] = WITHHELD
    serials: Commercial[Serials] = WITHHELD


class Stock(Row, frozen=True, kw_only=True):
    """One lot at one site. Quantities in each.

    `unit_cost_minor`: of one each, in `currency` ("": the own number's). `unvalued_each`: of on hand, what came at a
    cost in another currency; that cost is not averaged with the others, and these are the last to leave. `counted_at`,
    `moved_at`: last count; last receipt or issue (moves and corrections are none). `changed_at`: ledger time of the
    last change of on hand.
    """

    circle: str
    site: str
    own_number: str
    lot: str
    owner: str
    on_hand_each: int = 0
    allocated_each: int = 0
    set_aside_each: int = 0
    short_each: int = 0
    unit_cost_minor: int = 0
    currency: str = ""
    unvalued_each: int = 0
    counted_at: int = 0
    moved_at: int = 0
    changed_at: int = 0

    @property
    def free_each(self) -> int:
        return max(0, self.on_hand_each - self.allocated_each - self.set_aside_each)


class Total(Row, frozen=True, kw_only=True):
    """An own number over all sites and lots of the firm's own title."""

    circle: str
    own_number: str
    on_hand_each: int = 0
    allocated_each: int = 0
    set_aside_each: int = 0
    short_each: int = 0


class Movement(Row, frozen=True, kw_only=True):
    """`entry`, `n`: position of the entry, and which of its movements. `reference`: order, transfer or note."""

    circle: str
    entry: int
    n: int
    site: str
    own_number: str
    lot: str
    owner: str
    each: int
    reason: str
    reference: str
    unit_cost_minor: int
    made_at: int


class Hold(Row, frozen=True, kw_only=True):
    """What an order has allocated of one stock."""

    circle: str
    order_id: str
    site: str
    own_number: str
    lot: str
    owner: str
    each: int


class Policy(Row, frozen=True, kw_only=True):
    circle: str
    own_number: str
    minimum_price_minor: int
    currency: str
    keep_each: int


class Serial(Row, frozen=True, kw_only=True):
    """`here`: still in stock; else `reference` says where it went."""

    circle: str
    own_number: str
    serial: str
    site: str
    lot: str
    here: bool = True
    reference: str = ""


class Held(Row, frozen=True, kw_only=True):
    """The firm's title to goods that `custodian` keeps. Cost, currency and `unvalued_each`: as in `Stock`."""

    circle: str
    custodian: str
    item: str
    lot: str
    each: int
    unit_cost_minor: int
    currency: str = ""
    unvalued_each: int = 0


class StockKey(Struct, frozen=True):
    """One stock of the draft's home: site, own number, lot ("" for none), owner ("" for the firm itself)."""

    site: str
    own_number: str
    lot: str = ""
    owner: str = ""


class Cost(Struct, frozen=True):
    """Of one each of a stock after goods came in: `unit_cost_minor` and `currency`, -1 and "" for as it was.

    `unvalued_each`: how many of those that came in have no part in it.
    """

    unit_cost_minor: int = UNCHANGED_COST
    currency: str = ""
    unvalued_each: int = 0


STOCK = Table(
    "inventory_stock",
    Stock,
    ("circle", "site", "own_number", "lot", "owner"),
    index=[("circle", "own_number"), ("circle", "moved_at")],
    circle=True,
)
TOTALS = Table("inventory_total", Total, ("circle", "own_number"), circle=True)
MOVEMENTS = Table(
    "inventory_movement", Movement, ("circle", "entry", "n"), index=[("circle", "own_number", "entry")], circle=True
)
HOLDS = Table(
    "inventory_hold",
    Hold,
    ("circle", "order_id", "site", "own_number", "lot", "owner"),
    index=[("circle", "own_number")],
    circle=True,
    often_new=True,
)
POLICIES = Table("inventory_policy", Policy, ("circle", "own_number"), circle=True)
SERIALS = Table("inventory_serial", Serial, ("circle", "own_number", "serial"), circle=True)
HELD = Table("inventory_held", Held, ("circle", "custodian", "item", "lot"), circle=True)
