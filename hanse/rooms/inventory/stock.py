"""How stock is counted, corrected, moved, priced and numbered, at home."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.facts import Given
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, rule
from hanse.rooms.catalog.own_numbers import require_own_item
from hanse.rooms.inventory.facts import (
    POLICIES,
    SERIALS,
    UNCHANGED_COST,
    Adjust,
    AdjustLine,
    Cost,
    Count,
    CountLine,
    Move,
    Policy,
    RecordSerials,
    Serial,
    SetPolicy,
    Stock,
    StockKey,
)
from hanse.rooms.inventory.rules import change, cost_with, hear_again, stock_of
from hanse.rooms.parties.facts import SITES
from hanse.rooms.parties.rules import require_home

_SIGN = {"found": 1, "produced": 1, "received": 1, "scrapped": -1, "damaged": -1, "consumed": -1, "sold": -1}


@rule(Count)
@rule(Adjust)
@rule(Move)
@rule(SetPolicy)
@rule(RecordSerials)
def at_home(draft: Draft, fact: Count | Adjust | Move | SetPolicy | RecordSerials) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_a_home."""
    require_home(draft, fact.circle)


def require_site(draft: Draft, site: Given[str]) -> None:
    """Refuses: inventory.unknown_site."""
    found = draft.get(SITES, draft.circle, site)
    require(found, "inventory.unknown_site", "no such site of yours", got=site, next="set the site first")


def _key(line: CountLine | AdjustLine) -> StockKey:
    return StockKey(line.site, line.own_number, line.lot, line.owner)


def _require_known(draft: Draft, lines: Given[Sequence[CountLine | AdjustLine]]) -> None:
    """Refuses, in order of the lines: inventory.unknown_site, catalog.unknown_own_number."""
    sites, numbers = set(), set()
    for line in lines:
        if line.site not in sites:
            require_site(draft, line.site)
            sites.add(line.site)
        if line.own_number not in numbers:
            require_own_item(draft, line.own_number)
            numbers.add(line.own_number)


@circle_rule(Count)
def count(draft: Draft, fact: Count) -> None:
    """On hand becomes what was counted; where less was found than is promised, the rest is recorded as short.

    Refuses, in order: inventory.repeated_line, inventory.counted_ahead, inventory.unknown_site,
    catalog.unknown_own_number, inventory.older_count, inventory.moved_since.
    """
    keys = [_key(line) for line in fact.lines]
    require(len(set(keys)) == len(keys), "inventory.repeated_line", "one stock is counted twice")
    at = fact.counted_at or draft.now
    require(at <= draft.now, "inventory.counted_ahead", "a count is not in the future", got=at, expected=draft.now)
    _require_known(draft, fact.lines)
    found = [hear_again(draft, stock_of(draft, key)) for key in keys]
    currencies = {line.own_number: require_own_item(draft, line.own_number).currency for line in fact.lines}
    for stock in found:
        _require_newer(stock, at)
    for n, line in enumerate(fact.lines):
        stock = found[n]
        before = replace(
            stock,
            counted_at=at,
            moved_at=line.moved_at if line.moved_at and not stock.changed_at else stock.moved_at,
            unvalued_each=stock.unvalued_each if line.unit_cost_minor == UNCHANGED_COST else 0,
        )
        change(
            draft,
            before,
            each=line.each - stock.on_hand_each,
            reason="counted",
            cost=Cost(
                line.unit_cost_minor, "" if line.unit_cost_minor == UNCHANGED_COST else currencies[line.own_number]
            ),
            made_at=at,
        )


def _require_newer(stock: Stock, at: int) -> None:
    """Refuses, in order: inventory.older_count, inventory.moved_since."""
    if stock.counted_at > at:
        said = f"{stock.own_number} at {stock.site} was counted later"
        raise Refused("inventory.older_count", said, got=at, expected=f">= {stock.counted_at}")
    if stock.changed_at > at:
        said = f"{stock.own_number} at {stock.site} has moved since"
        raise Refused("inventory.moved_since", said, got=at, expected=f">= {stock.changed_at}")


@circle_rule(Adjust)
def adjust(draft: Draft, fact: Adjust) -> None:
    """Lines of one stock count together. Goods that are promised may be scrapped: what is then missing is short.

    Refuses, in order: inventory.bad_quantity (zero, or a sign against its reason), inventory.made_ahead,
    inventory.unknown_site, catalog.unknown_own_number, inventory.not_enough.
    """
    for line in fact.lines:
        good = line.each * _SIGN.get(line.reason, line.each) > 0
        require(good, "inventory.bad_quantity", f"{line.reason} does not take this quantity", got=line.each)
        ahead = line.made_at <= draft.now
        require(ahead, "inventory.made_ahead", "a change is not in the future", got=line.made_at, expected=draft.now)
    _require_known(draft, fact.lines)
    for line in fact.lines:
        stock = hear_again(draft, stock_of(draft, _key(line)))
        require(
            stock.on_hand_each + line.each >= 0,
            "inventory.not_enough",
            f"{-line.each} each of {line.own_number} at {line.site}, on hand {stock.on_hand_each} each",
            got=line.each,
            expected=f">= {-stock.on_hand_each}",
            next="count it first",
        )
        change(draft, stock, each=line.each, reason=line.reason, reference=line.note, made_at=line.made_at)


@circle_rule(Move)
def move(draft: Draft, fact: Move) -> None:
    """Cost and standing time move with the goods: where others stand, the cost becomes what `cost_with` says.

    Refuses, in order: inventory.bad_quantity, inventory.unknown_site (from, then to), inventory.same_site,
    inventory.not_enough.
    """
    require(fact.each > 0, "inventory.bad_quantity", "a quantity is at least one", got=fact.each, expected=">= 1")
    require_site(draft, fact.from_site)
    require_site(draft, fact.to_site)
    require(fact.from_site != fact.to_site, "inventory.same_site", "it stands there already", got=fact.to_site)
    there = hear_again(draft, stock_of(draft, StockKey(fact.from_site, fact.own_number, fact.lot, fact.owner)))
    require(
        fact.each <= there.free_each,
        "inventory.not_enough",
        f"asked {fact.each} each, free {there.free_each} each of {fact.own_number} at {fact.from_site}",
        got=fact.each,
        expected=f"<= {there.free_each}",
        next="lower the quantity or choose another lot",
    )
    change(draft, there, each=-fact.each, reason="moved", reference=fact.to_site)
    here = stock_of(draft, StockKey(fact.to_site, fact.own_number, fact.lot, fact.owner))
    unvalued = max(0, fact.each - (there.on_hand_each - there.unvalued_each))
    cost = cost_with(here, here.on_hand_each, fact.each - unvalued, there.unit_cost_minor, there.currency)
    if not here.on_hand_each:
        here = replace(here, moved_at=there.moved_at)
    cost = replace(cost, unvalued_each=cost.unvalued_each + unvalued)
    change(draft, here, each=fact.each, reason="moved", reference=fact.from_site, cost=cost)


@circle_rule(SetPolicy)
def set_policy(draft: Draft, fact: SetPolicy) -> None:
    """Refuses, in order: catalog.unknown_own_number, inventory.bad_minimum."""
    require_own_item(draft, fact.own_number)
    good = fact.minimum_price_minor >= 0
    require(good, "inventory.bad_minimum", "a minimum price is not negative", got=fact.minimum_price_minor)
    draft.put(
        POLICIES,
        Policy(
            circle=fact.circle,
            own_number=fact.own_number,
            minimum_price_minor=fact.minimum_price_minor,
            currency=fact.currency,
            keep_each=fact.keep_each,
        ),
    )


@circle_rule(RecordSerials)
def record_serials(draft: Draft, fact: RecordSerials) -> None:
    """Refuses, in order: inventory.unknown_site, catalog.unknown_own_number, inventory.repeated_serial."""
    require_site(draft, fact.site)
    require_own_item(draft, fact.own_number)
    unique = len(set(fact.serials)) == len(fact.serials)
    require(unique, "inventory.repeated_serial", "a serial number stands twice")
    for serial in fact.serials:
        draft.put(
            SERIALS,
            Serial(circle=fact.circle, own_number=fact.own_number, serial=serial, site=fact.site, lot=fact.lot),
        )
