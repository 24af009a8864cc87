"""How items are published, followed by others and replaced by others. Public."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.facts import Given
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import rule
from hanse.rooms.catalog.facts import (
    ITEM_NUMBERS,
    ITEMS,
    SUBSTITUTES,
    ApproveSubstitute,
    Item,
    ItemNumber,
    PublishItem,
    Substitute,
    Supersede,
)
from hanse.rooms.parties.rules import require_party, shows
from hanse.standards.gtin import check_digit

CHAIN_ITEMS_MAX = 50
"""The longest chain of supersessions."""
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", " \t\u00a0.,-_/\\+#*'\"()[]:;&")


def part_key(brand: Given[str], part_number: Given[str]) -> str:
    """Brand and part number without blanks and marks, ASCII letters in upper case; "" where either is empty.

    ASCII only, because Unicode's tables differ between versions of Python and every node must find the same key.

    >>> part_key("Rhein-Lager", " 6205 2rs/c3 "), part_key("", "6205")
    ('RHEINLAGER|62052RSC3', '')
    """
    one, two = brand.translate(_UPPER), part_number.translate(_UPPER)
    return f"{one}|{two}" if one and two else ""


def require_gtin(gtin: Given[str]) -> None:
    """Refuses: catalog.bad_gtin (fourteen digits were checked before). "" is no GTIN, and good.

    Source: GS1 General Specifications 7.9.1.
    """
    good = not gtin or (gtin.strip("0") and int(gtin[-1]) == check_digit(gtin[:-1]))
    require(good, "catalog.bad_gtin", "the check digit is wrong", got=gtin, next="check the number on the label")


def require_item(draft: Draft, item: Given[str]) -> Item:
    """Refuses: catalog.unknown_item."""
    found = draft.get(ITEMS, item)
    if found is None:
        raise Refused("catalog.unknown_item", "no such item", got=item, next="publish it first")
    return found


def numbers_of(gtin: str, key: str) -> list[str]:
    """The numbers under which an item is found: keys of ITEM_NUMBERS."""
    return [f"gtin:{gtin}"] * bool(gtin) + [f"part:{key}"] * bool(key)


@rule(PublishItem)
def publish_item(draft: Draft, fact: PublishItem) -> None:
    """Refuses, in order: parties.unknown_party, catalog.not_steward, catalog.bad_gtin, catalog.no_number,
    catalog.no_description, catalog.repeated_pack, catalog.number_taken."""
    require_party(draft)
    earlier = draft.get(ITEMS, fact.item)
    mine = earlier is None or earlier.steward == draft.signer
    require(mine, "catalog.not_steward", "another party published this item", got=fact.item)
    require_gtin(fact.gtin)
    key = part_key(fact.brand, fact.part_number)
    require(fact.gtin or key, "catalog.no_number", "an item needs a GTIN, or a brand and a part number")
    said = shows(draft, fact.description)
    require(said, "catalog.no_description", "an item says what it is", got=fact.description, next="describe it")
    codes = [pack.code for pack in fact.packs]
    require(len(set(codes)) == len(codes), "catalog.repeated_pack", "a pack's code stands twice")
    numbers = numbers_of(fact.gtin, key)
    for number in numbers:
        holder = draft.get(ITEM_NUMBERS, number)
        free = holder is None or holder.item == fact.item
        require(free, "catalog.number_taken", "this number names another item", got=number, next="use that item")
    for number in numbers_of(earlier.gtin, earlier.part_key) if earlier else ():
        if number not in numbers:
            draft.delete(ITEM_NUMBERS, number)
    for number in numbers:
        draft.put(ITEM_NUMBERS, ItemNumber(number=number, item=fact.item))
    draft.put(
        ITEMS,
        Item(
            item=fact.item,
            steward=draft.signer,
            description=fact.description,
            gtin=fact.gtin,
            brand=fact.brand,
            part_number=fact.part_number,
            part_key=key,
            category=fact.category,
            base_unit=fact.base_unit,
            weight_g=fact.weight_g,
            packs=tuple(fact.packs),
            about=fact.about,
            superseded_by=earlier.superseded_by if earlier else "",
            published_at=draft.now,
        ),
    )


def _require_steward(draft: Draft, item: str) -> Item:
    """Refuses, in order: catalog.unknown_item, catalog.not_steward."""
    found = require_item(draft, item)
    require(found.steward == draft.signer, "catalog.not_steward", "only its steward says so", got=item)
    return found


@rule(Supersede)
def supersede(draft: Draft, fact: Supersede) -> None:
    """Refuses, in order: catalog.unknown_item, catalog.not_steward, catalog.unknown_item (`by`), catalog.goes_round,
    catalog.chain_too_long."""
    item = _require_steward(draft, fact.item)
    at, steps = fact.by, 0
    while at:
        require(at != fact.item, "catalog.goes_round", "an item would come after itself", got=fact.by)
        require(steps < CHAIN_ITEMS_MAX, "catalog.chain_too_long", "the chain is too long", expected="<= 50")
        at, steps = require_item(draft, at).superseded_by, steps + 1
    draft.put(ITEMS, replace(item, superseded_by=fact.by))


@rule(ApproveSubstitute)
def approve_substitute(draft: Draft, fact: ApproveSubstitute) -> None:
    """Refuses, in order: catalog.unknown_item, catalog.not_steward, catalog.unknown_item (`substitute`),
    catalog.same_item, catalog.not_steward (`both_ways`)."""
    _require_steward(draft, fact.item)
    require_item(draft, fact.substitute)
    require(fact.item != fact.substitute, "catalog.same_item", "an item is no substitute of itself", got=fact.item)
    pairs = [(fact.item, fact.substitute)]
    if fact.both_ways:
        _require_steward(draft, fact.substitute)
        pairs.append((fact.substitute, fact.item))
    for item, substitute in pairs:
        if fact.approved:
            draft.put(SUBSTITUTES, Substitute(item=item, substitute=substitute, approved_at=draft.now))
        else:
            draft.delete(SUBSTITUTES, item, substitute)
