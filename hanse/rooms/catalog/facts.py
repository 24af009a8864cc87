"""What parties sign about items, and what state holds of it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from hanse.kernel.facts import (
    END,
    WITHHELD,
    Commercial,
    Currency,
    Fact,
    Id,
    LongText,
    Minor,
    OptionalId,
    Part,
    Text,
)
from hanse.kernel.rows import Row
from hanse.kernel.tables import Table

Gtin = Annotated[str, Meta(pattern=rf"^([0-9]{{14}})?{END}")]
"""A GTIN of fourteen digits, zeros on the left, or ""."""
Unit = Annotated[str, Meta(pattern=rf"^[A-Z0-9]{{2,3}}{END}")]
"""A unit code of UN/ECE Recommendation 20, revision 17; "H87" is piece."""
Number = Annotated[str, Meta(min_length=1, max_length=80)]
"""A number as a firm writes it; compared as it stands."""
PackEach = Annotated[int, Meta(ge=1, le=10**9)]
LinkMethod = Literal["gtin", "brand_part", "accepted", "own"]


class Pack(Part, frozen=True, kw_only=True):
    """A pack: `code` of UN/ECE Recommendation 20 or 21 (box "BX"), and how many each it holds."""

    code: Unit
    each: PackEach


class PublishItem(Fact, frozen=True, kw_only=True):
    """A party publishes an item, or its steward changes it. Needs a GTIN, or a brand and a part number."""

    kind: ClassVar[str] = "catalog.publish_item"
    item: Id
    description: Text
    gtin: Gtin = ""
    brand: Text = ""
    part_number: Text = ""
    category: Text = ""
    base_unit: Unit = "H87"
    weight_g: Annotated[int, Meta(ge=0, le=10**10)] = 0
    packs: Annotated[list[Pack], Meta(max_length=20)] = []
    about: LongText = ""


class Supersede(Fact, frozen=True, kw_only=True):
    """The steward of `item` names the item that comes after it; "" takes it back."""

    kind: ClassVar[str] = "catalog.supersede"
    item: Id
    by: OptionalId


class ApproveSubstitute(Fact, frozen=True, kw_only=True):
    """The steward of `item` approves another item in its place. `both_ways`: it stewards both, and approves both."""

    kind: ClassVar[str] = "catalog.approve_substitute"
    item: Id
    substitute: Id
    both_ways: bool = False
    approved: bool = True


class SetOwnItem(Fact, frozen=True, kw_only=True):
    """A firm's own number, in its home. `pack_each`: how many each one own unit holds."""

    kind: ClassVar[str] = "catalog.set_own_item"
    circle: Id
    own_number: Commercial[Number] = WITHHELD
    description: Commercial[Text] = WITHHELD
    brand: Commercial[Text] = WITHHELD
    part_number: Commercial[Text] = WITHHELD
    gtin: Commercial[Gtin] = WITHHELD
    unit: Commercial[Unit] = WITHHELD
    pack_each: Commercial[PackEach] = WITHHELD
    category: Commercial[Text] = WITHHELD
    cost_minor: Commercial[Minor] = WITHHELD
    currency: Commercial[Currency] = WITHHELD


class LinkItem(Fact, frozen=True, kw_only=True):
    """A firm's own number is this item. `method`: why it is so; "accepted" and "own" are a person's word."""

    kind: ClassVar[str] = "catalog.link_item"
    circle: Id
    own_number: Commercial[Number] = WITHHELD
    item: Commercial[Id] = WITHHELD
    method: Commercial[LinkMethod] = WITHHELD


class UnlinkItem(Fact, frozen=True, kw_only=True):
    """A firm takes a link back."""

    kind: ClassVar[str] = "catalog.unlink_item"
    circle: Id
    own_number: Commercial[Number] = WITHHELD


class JudgeSubstitute(Fact, frozen=True, kw_only=True):
    """A buyer says at home whether it takes a substitute in place of an item."""

    kind: ClassVar[str] = "catalog.judge_substitute"
    circle: Id
    item: Commercial[Id] = WITHHELD
    substitute: Commercial[Id] = WITHHELD
    allow: Commercial[bool] = WITHHELD


class Item(Row, frozen=True, kw_only=True):
    """`part_key`: see `rules.part_key`. `superseded_by`: an item or ""."""

    item: str
    steward: str
    description: str
    gtin: str
    brand: str
    part_number: str
    part_key: str
    category: str
    base_unit: str
    weight_g: int
    packs: tuple[Pack, ...]
    about: str
    superseded_by: str = ""
    published_at: int


class ItemNumber(Row, frozen=True, kw_only=True):
    """`number`: "gtin:" and fourteen digits, or "part:" and a part key."""

    number: str
    item: str


class Substitute(Row, frozen=True, kw_only=True):
    item: str
    substitute: str
    approved_at: int


class OwnItem(Row, frozen=True, kw_only=True):
    """`cost_minor`: of one own unit, which holds `pack_each` each. `item`: what it is linked to, or ""."""

    circle: str
    own_number: str
    description: str
    brand: str
    part_number: str
    part_key: str
    gtin: str
    unit: str
    pack_each: int
    category: str
    cost_minor: int
    currency: str
    item: str = ""
    method: str = ""
    linked_at: int = 0


class NumberOfItem(Row, frozen=True, kw_only=True):
    """The firm's own number that goods of an item are received under: the first one linked."""

    circle: str
    item: str
    own_number: str


class Judgement(Row, frozen=True, kw_only=True):
    circle: str
    item: str
    substitute: str
    allow: bool


ITEMS = Table("catalog_item", Item, ("item",), index=[("category",), ("superseded_by",)])
ITEM_NUMBERS = Table("catalog_item_number", ItemNumber, ("number",))
SUBSTITUTES = Table("catalog_substitute", Substitute, ("item", "substitute"))
OWN_ITEMS = Table("catalog_own_item", OwnItem, ("circle", "own_number"), index=[("circle", "item")], circle=True)
NUMBER_OF_ITEM = Table("catalog_number_of_item", NumberOfItem, ("circle", "item"), circle=True)
JUDGEMENTS = Table("catalog_judgement", Judgement, ("circle", "item", "substitute"), circle=True)
