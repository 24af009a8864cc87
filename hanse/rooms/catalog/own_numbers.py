"""A firm's own numbers, and what they are, in its home."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.facts import Given
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, rule
from hanse.rooms.catalog.facts import (
    ITEMS,
    JUDGEMENTS,
    NUMBER_OF_ITEM,
    OWN_ITEMS,
    Judgement,
    JudgeSubstitute,
    LinkItem,
    NumberOfItem,
    OwnItem,
    SetOwnItem,
    UnlinkItem,
)
from hanse.rooms.catalog.rules import part_key, require_gtin, require_item
from hanse.rooms.parties.rules import require_home, shows


@rule(SetOwnItem)
@rule(LinkItem)
@rule(UnlinkItem)
@rule(JudgeSubstitute)
def at_home(draft: Draft, fact: SetOwnItem | LinkItem | UnlinkItem | JudgeSubstitute) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_a_home."""
    require_home(draft, fact.circle)


@circle_rule(SetOwnItem)
def set_own_item(draft: Draft, fact: SetOwnItem) -> None:
    """A change keeps the link. Refuses, in order: catalog.blank_number, catalog.bad_gtin, catalog.bad_cost."""
    seen = shows(draft, fact.own_number)
    require(seen, "catalog.blank_number", "nothing of this number shows", got=fact.own_number)
    require_gtin(fact.gtin)
    require(fact.cost_minor >= 0, "catalog.bad_cost", "a cost is not negative", got=fact.cost_minor)
    earlier = draft.get(OWN_ITEMS, fact.circle, fact.own_number)
    draft.put(
        OWN_ITEMS,
        OwnItem(
            circle=fact.circle,
            own_number=fact.own_number,
            description=fact.description,
            brand=fact.brand,
            part_number=fact.part_number,
            part_key=part_key(fact.brand, fact.part_number),
            gtin=fact.gtin,
            unit=fact.unit,
            pack_each=fact.pack_each,
            category=fact.category,
            cost_minor=fact.cost_minor,
            currency=fact.currency,
            item=earlier.item if earlier else "",
            method=earlier.method if earlier else "",
            linked_at=earlier.linked_at if earlier else 0,
        ),
    )


def require_own_item(draft: Draft, own_number: Given[str]) -> OwnItem:
    """The own item of the draft's home. Refuses: catalog.unknown_own_number."""
    found = draft.get(OWN_ITEMS, draft.circle, own_number)
    if found is None:
        raise Refused("catalog.unknown_own_number", "no such own number", got=own_number, next="set it first")
    return found


@circle_rule(LinkItem)
def link_item(draft: Draft, fact: LinkItem) -> None:
    """Refuses, in order: catalog.unknown_own_number, catalog.unknown_item, catalog.gtin_differs,
    catalog.part_number_differs."""
    own = require_own_item(draft, fact.own_number)
    item = require_item(draft, fact.item)
    if fact.method == "gtin":
        same = own.gtin and own.gtin == item.gtin
        require(same, "catalog.gtin_differs", "the GTINs differ", got=own.gtin, expected=item.gtin)
    if fact.method == "brand_part":
        same = own.part_key and own.part_key == item.part_key
        require(
            same, "catalog.part_number_differs", "the part numbers differ", got=own.part_key, expected=item.part_key
        )
    _link(draft, own, fact.item, fact.method)


def _link(draft: Draft, own: OwnItem, item: Given[str], method: Given[str]) -> None:
    if own.item and own.item != item:
        _forget(draft, own)
    draft.put(OWN_ITEMS, replace(own, item=item, method=method, linked_at=draft.now))
    if draft.get(NUMBER_OF_ITEM, own.circle, item) is None:
        draft.put(NUMBER_OF_ITEM, NumberOfItem(circle=own.circle, item=item, own_number=own.own_number))


def _forget(draft: Draft, own: OwnItem) -> None:
    """The item's goods are now received under the next own number that is linked to it, if there is one."""
    kept = draft.get(NUMBER_OF_ITEM, own.circle, own.item)
    if kept is None or kept.own_number != own.own_number:
        return
    others = [o.own_number for o in draft.scan(OWN_ITEMS, item=own.item, limit=2) if o.own_number != own.own_number]
    if others:
        draft.put(NUMBER_OF_ITEM, NumberOfItem(circle=own.circle, item=own.item, own_number=others[0]))
    else:
        draft.delete(NUMBER_OF_ITEM, own.circle, own.item)


@circle_rule(UnlinkItem)
def unlink_item(draft: Draft, fact: UnlinkItem) -> None:
    """Offers that stand stay as they were offered; new ones need a new link.

    Refuses, in order: catalog.unknown_own_number, catalog.not_linked.
    """
    own = require_own_item(draft, fact.own_number)
    require(own.item, "catalog.not_linked", "this own number is linked to no item", got=fact.own_number)
    _forget(draft, own)
    draft.put(OWN_ITEMS, replace(own, item="", method="", linked_at=0))


@circle_rule(JudgeSubstitute)
def judge_substitute(draft: Draft, fact: JudgeSubstitute) -> None:
    """Refuses, in order: catalog.unknown_item (item, then substitute), catalog.same_item."""
    require_item(draft, fact.item)
    require_item(draft, fact.substitute)
    require(fact.item != fact.substitute, "catalog.same_item", "an item is no substitute of itself", got=fact.item)
    draft.put(
        JUDGEMENTS,
        Judgement(circle=fact.circle, item=fact.item, substitute=fact.substitute, allow=fact.allow),
    )


def own_number_of(draft: Draft, item: str, currency: str = "") -> str:
    """The own number of the draft's home under which an item's goods are received.

    A home that has none yet adopts the item: the item's id becomes an own number, linked to it (method "own"), whose
    costs are in this currency.
    An id that the catalogue does not know is returned as it stands, unlinked.
    """
    known = draft.get(NUMBER_OF_ITEM, draft.circle, item)
    if known is not None:
        return known.own_number
    found = draft.get(ITEMS, item)
    if found is not None and draft.get(OWN_ITEMS, draft.circle, item) is None:
        own = OwnItem(
            circle=draft.circle,
            own_number=item,
            description=found.description,
            brand=found.brand,
            part_number=found.part_number,
            part_key=found.part_key,
            gtin=found.gtin,
            unit=found.base_unit,
            pack_each=1,
            category=found.category,
            cost_minor=0,
            currency=currency,
        )
        _link(draft, own, item, "own")
    return item
