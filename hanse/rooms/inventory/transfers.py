"""How goods pass between two firms at cost plus: title, custody or both."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.facts import Given
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, circle_timer, home_rule, home_timer, rule, timer
from hanse.rooms.catalog.own_numbers import own_number_of
from hanse.rooms.catalog.rules import require_item
from hanse.rooms.inventory.facts import HELD, UNCHANGED_COST, Cost, Held, StockKey
from hanse.rooms.inventory.offer_facts import (
    EARMARKS,
    OFFERS,
    TRANSFER_TERMS,
    TRANSFERS,
    AcceptTransfer,
    EndTransfer,
    ProposeTransfer,
    Transfer,
    TransferTerms,
)
from hanse.rooms.inventory.offers import require_ahead
from hanse.rooms.inventory.rules import UNKNOWN_SITE, cost_with, divide_half_even, issue, receive_in, settle
from hanse.rooms.parties.rules import party_behind, require_member, signed_by

TRANSFER_ENDS = "inventory.transfer_ends"
TITLE_STAYS = frozenset({"consign", "hand_over"})


def total_minor(each: int, unit_cost_minor: Given[int], markup_ppm: Given[int]) -> int:
    """Each x cost x (1 + markup), rounded half to even once, in minor units.

    >>> total_minor(3, 250, 45_000), total_minor(1, 10, 50_000), total_minor(1, 30, 50_000)
    (784, 10, 32)
    """
    return divide_half_even(each * unit_cost_minor * (1_000_000 + markup_ppm), 1_000_000)


# -- public --------------------------------------------------------------------------------------------------------


@rule(ProposeTransfer)
def propose(draft: Draft, fact: ProposeTransfer) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, inventory.not_a_relationship,
    inventory.transfer_taken, inventory.bad_quantity, inventory.deadline_past."""
    circle = require_member(draft, fact.circle)
    two = circle.purpose == "relationship"
    require(two, "inventory.not_a_relationship", "a transfer is between two firms", got=circle.purpose)
    taken = draft.get(TRANSFERS, fact.transfer) or draft.get(OFFERS, fact.transfer)
    require(not taken, "inventory.transfer_taken", "this transfer stands already", got=fact.transfer)
    require(fact.each > 0, "inventory.bad_quantity", "a quantity is at least one", got=fact.each, expected=">= 1")
    require_ahead(draft, fact.expires_at)
    one, other = circle.members
    draft.put(
        TRANSFERS,
        Transfer(
            transfer=fact.transfer,
            circle=fact.circle,
            giver=draft.signer,
            taker=other if draft.signer == one else one,
            each=fact.each,
            expires_at=fact.expires_at,
        ),
    )
    draft.timer(TRANSFER_ENDS, f"transfer/{fact.transfer}", fact.expires_at, circle=fact.circle, args=(fact.transfer,))


def _require_proposed(draft: Draft, circle: str, transfer: str) -> Transfer:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, inventory.unknown_transfer,
    inventory.transfer_ended."""
    require_member(draft, circle)
    found = draft.get(TRANSFERS, transfer)
    if found is None or found.circle != circle:
        raise Refused("inventory.unknown_transfer", "no such transfer", got=transfer)
    stands = found.state == "proposed" and found.expires_at > draft.now
    require(stands, "inventory.transfer_ended", "this proposal has ended", got=transfer)
    return found


@rule(AcceptTransfer)
def accept(draft: Draft, fact: AcceptTransfer) -> None:
    """Refuses, in order: as `_require_proposed`, inventory.not_the_taker."""
    found = _require_proposed(draft, fact.circle, fact.transfer)
    require(found.taker == draft.signer, "inventory.not_the_taker", "only the taker accepts", got=draft.signer)
    draft.put(TRANSFERS, replace(found, state="accepted"))
    draft.drop_timer(f"transfer/{fact.transfer}", found.expires_at)


@rule(EndTransfer)
def end(draft: Draft, fact: EndTransfer) -> None:
    """Refuses, in order: as `_require_proposed`."""
    found = _require_proposed(draft, fact.circle, fact.transfer)
    draft.put(TRANSFERS, replace(found, state="ended"))
    draft.drop_timer(f"transfer/{fact.transfer}", found.expires_at)


@timer(TRANSFER_ENDS)
def expire(draft: Draft, due: Timer) -> None:
    found = draft.get(TRANSFERS, due.args[0])
    if found is not None and found.state == "proposed":
        draft.put(TRANSFERS, replace(found, state="ended"))


# -- in the relationship -------------------------------------------------------------------------------------------


@circle_rule(ProposeTransfer)
def show_proposal(draft: Draft, fact: ProposeTransfer) -> None:
    """Refuses, in order: parties.not_in_circle, catalog.unknown_item, inventory.bad_price."""
    public = draft.get(TRANSFERS, fact.transfer)
    taker = party_behind(draft, public.taker if public else "")
    giver = party_behind(draft, draft.signer)
    require_item(draft, fact.item)
    good = fact.unit_cost_minor >= 0
    require(good, "inventory.bad_price", "a cost is not negative", got=fact.unit_cost_minor)
    free = fact.transfer_kind in TITLE_STAYS
    draft.put(
        TRANSFER_TERMS,
        TransferTerms(
            circle=fact.circle,
            transfer=fact.transfer,
            giver=giver,
            taker=taker,
            transfer_kind=fact.transfer_kind,
            item=fact.item,
            lot=fact.lot,
            each=fact.each,
            unit_cost_minor=fact.unit_cost_minor,
            markup_ppm=fact.markup_ppm,
            total_minor=0 if free else total_minor(fact.each, fact.unit_cost_minor, fact.markup_ppm),
            currency=fact.currency,
        ),
    )


@circle_rule(AcceptTransfer)
def show_acceptance(draft: Draft, fact: AcceptTransfer) -> None:
    _set_terms(draft, fact.transfer, "accepted", fact.site)


@circle_rule(EndTransfer)
def show_end(draft: Draft, fact: EndTransfer) -> None:
    _set_terms(draft, fact.transfer, "ended", "")


@circle_timer(TRANSFER_ENDS)
def show_expiry(draft: Draft, due: Timer) -> None:
    _set_terms(draft, due.args[0], "ended", "")


def _set_terms(draft: Draft, transfer: str, state: str, site: Given[str]) -> None:
    terms = draft.get(TRANSFER_TERMS, draft.circle, transfer)
    if terms is not None:
        draft.put(TRANSFER_TERMS, replace(terms, state=state, site=site))


# -- at home -------------------------------------------------------------------------------------------------------


@home_rule(ProposeTransfer)
def set_aside(draft: Draft, fact: ProposeTransfer, party: str) -> None:
    """In the giver's home: the earmark stands behind the transfer, and its stock is set aside.

    Refuses privately, in order: inventory.not_enough (sale_of_held), inventory.no_earmark, inventory.other_item,
    inventory.not_yours, inventory.more_than_earmarked.
    """
    if not signed_by(draft, fact.circle, party):
        return
    terms = draft.get(TRANSFER_TERMS, fact.circle, fact.transfer)
    assert terms is not None, "the circle rule came first"
    if terms.transfer_kind == "sale_of_held":
        held = draft.get(HELD, draft.circle, terms.taker, terms.item, terms.lot)
        there = held.each if held else 0
        enough = terms.each <= there
        require(enough, "inventory.not_enough", f"{there} each of yours are kept there", got=terms.each)
        return
    mark = draft.get(EARMARKS, draft.circle, fact.transfer)
    if mark is None or mark.audience:
        raise Refused("inventory.no_earmark", "no stock stands behind it", got=fact.transfer, next="earmark stock")
    same = (mark.item, mark.lot) == (terms.item, terms.lot)
    require(same, "inventory.other_item", "another item or lot was earmarked", got=terms.item)
    owner = terms.taker if terms.transfer_kind == "hand_over" else ""
    require(mark.owner == owner, "inventory.not_yours", "the earmarked goods have another owner", got=mark.owner)
    fits = terms.each <= mark.each
    require(fits, "inventory.more_than_earmarked", "more than earmarked", got=terms.each, expected=f"<= {mark.each}")
    draft.put(EARMARKS, replace(mark, audience=fact.circle, each=terms.each))
    settle(draft, fact.transfer)


@home_rule(EndTransfer)
def free_ended(draft: Draft, fact: EndTransfer, party: str) -> None:
    _free(draft, fact.circle, fact.transfer)


@home_timer(TRANSFER_ENDS)
def free_expired(draft: Draft, due: Timer, party: str) -> None:
    _free(draft, due.circle, due.args[0])


def _free(draft: Draft, circle: str, transfer: str) -> None:
    mark = draft.get(EARMARKS, draft.circle, transfer)
    if mark is not None and mark.audience == circle:
        settle(draft, transfer)


@home_rule(AcceptTransfer)
def pass_on(draft: Draft, fact: AcceptTransfer, party: str) -> None:
    """Both homes record what has passed. Goods that the giver's books did not show are journalled as `uncounted`."""
    terms = draft.get(TRANSFER_TERMS, fact.circle, fact.transfer)
    if terms is None:
        return
    if party == terms.giver:
        _give(draft, terms)
    if party == terms.taker:
        _receive(draft, terms)


def _hold_elsewhere(draft: Draft, custodian: str, terms: TransferTerms, each: int, unit_cost_minor: int = 0) -> None:
    """Add to the title of goods that another keeps, never below none. Cost as in `receive_in`."""
    had = draft.get(HELD, draft.circle, custodian, terms.item, terms.lot)
    row = had or Held(
        circle=draft.circle, custodian=custodian, item=terms.item, lot=terms.lot, each=0, unit_cost_minor=0
    )
    after = max(0, row.each + each)
    cost = cost_with(row, row.each, each, unit_cost_minor, terms.currency) if each > 0 else Cost()
    if after:
        known = cost.unit_cost_minor != UNCHANGED_COST
        draft.put(
            HELD,
            replace(
                row,
                each=after,
                unit_cost_minor=cost.unit_cost_minor if known else row.unit_cost_minor,
                currency=cost.currency or row.currency,
                unvalued_each=min(row.unvalued_each + cost.unvalued_each, after),
            ),
        )
    elif had:
        draft.delete(HELD, draft.circle, custodian, terms.item, terms.lot)


def _give(draft: Draft, terms: TransferTerms) -> None:
    """The giver's side."""
    if terms.transfer_kind == "sale_of_held":
        _hold_elsewhere(draft, terms.taker, terms, -terms.each)
        return
    owner = terms.taker if terms.transfer_kind == "hand_over" else ""
    mark = draft.get(EARMARKS, draft.circle, terms.transfer)
    if mark is not None and mark.audience == terms.circle:
        key, aside = StockKey(mark.site, mark.own_number, mark.lot, mark.owner), mark.set_aside_each
        draft.put(EARMARKS, replace(mark, set_aside_each=0))
    else:
        key, aside = StockKey(UNKNOWN_SITE, own_number_of(draft, terms.item), terms.lot, owner), 0
    issue(draft, key, terms.each, set_aside=-aside, reason="transferred", reference=terms.transfer)
    if terms.transfer_kind == "sale_in_place":
        receive_in(
            draft,
            site=key.site,
            own_number=key.own_number,
            lot=key.lot,
            owner=terms.taker,
            each=terms.each,
            unit_cost_minor=unit_price(terms),
            reason="transferred",
            reference=terms.transfer,
            currency=terms.currency,
        )
    if terms.transfer_kind == "consign":
        _hold_elsewhere(draft, terms.taker, terms, terms.each, terms.unit_cost_minor)


def unit_price(terms: TransferTerms) -> int:
    """What one each has cost the taker, minor units, rounded half to even (for its stock's cost, never for money)."""
    return divide_half_even(terms.total_minor, terms.each)


def _receive(draft: Draft, terms: TransferTerms) -> None:
    """The taker's side."""
    kind, price, currency = terms.transfer_kind, unit_price(terms), terms.currency
    if kind == "sale_in_place":
        _hold_elsewhere(draft, terms.giver, terms, terms.each, price)
        return
    if kind == "sale_of_held":
        theirs = StockKey(terms.site, own_number_of(draft, terms.item), terms.lot, terms.giver)
        issue(draft, theirs, terms.each, reason="transferred", reference=terms.transfer)
    if kind == "hand_over":
        held = draft.get(HELD, draft.circle, terms.giver, terms.item, terms.lot)
        price, currency = (held.unit_cost_minor, held.currency or currency) if held else (0, currency)
        _hold_elsewhere(draft, terms.giver, terms, -terms.each)
    receive_in(
        draft,
        site=terms.site,
        item=terms.item,
        lot=terms.lot,
        owner=terms.giver if kind == "consign" else "",
        each=terms.each,
        unit_cost_minor=terms.unit_cost_minor if kind == "consign" else price,
        reason="transferred",
        reference=terms.transfer,
        currency=currency,
    )
