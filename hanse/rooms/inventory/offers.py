"""How stock is offered, and goods are asked for; how both end."""

from __future__ import annotations

from msgspec.structs import replace

from hanse.kernel.draft import Draft
from hanse.kernel.kept import Timer
from hanse.kernel.refusal import Refused, require
from hanse.kernel.rules import circle_rule, circle_timer, home_rule, home_timer, rule
from hanse.rooms.catalog.own_numbers import require_own_item
from hanse.rooms.catalog.rules import require_item
from hanse.rooms.inventory.facts import POLICIES, STOCK, TOTALS, Policy, Stock
from hanse.rooms.inventory.offer_facts import (
    EARMARKS,
    OFFER_TERMS,
    OFFERS,
    TRANSFERS,
    WANT_TERMS,
    WANTS,
    Earmark,
    EarmarkRow,
    MakeOffer,
    Offer,
    OfferTerms,
    Want,
    WantRow,
    WantTerms,
    WithdrawOffer,
    WithdrawWant,
)
from hanse.rooms.inventory.rules import hear_again, settle
from hanse.rooms.parties.facts import Circle
from hanse.rooms.parties.rules import party_behind, require_home, require_member, signed_by
from hanse.rooms.parties.told import Leaving

OFFERS_READ_MAX = 1_000_000
OFFER_ENDS = "inventory.offer_ends"
WANT_ENDS = "inventory.want_ends"


def require_audience(draft: Draft, circle: str) -> Circle:
    """A relationship or group of the signer. Refuses, in order: parties.unknown_circle, parties.not_in_circle,
    inventory.not_an_audience."""
    found = require_member(draft, circle)
    require(found.purpose != "home", "inventory.not_an_audience", "nobody else is there", got=circle)
    return found


def require_ahead(draft: Draft, expires_at: int) -> None:
    """Refuses: inventory.deadline_past."""
    good = expires_at > draft.now
    require(good, "inventory.deadline_past", "it would have ended", got=expires_at, expected=f"> {draft.now}")


# -- earmarks ------------------------------------------------------------------------------------------------------


@rule(Earmark)
def earmark_at_home(draft: Draft, fact: Earmark) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, parties.not_a_home."""
    require_home(draft, fact.circle)


@circle_rule(Earmark)
def earmark(draft: Draft, fact: Earmark) -> None:
    """What is not linked to an item is never pooled; what the firm keeps for its own customers stays out.

    Refuses, in order: inventory.earmark_stands, inventory.bad_quantity, inventory.bad_minimum,
    catalog.unknown_own_number, inventory.unmatched, inventory.unknown_stock, inventory.not_enough,
    inventory.kept_for_own_customers.
    """
    earlier = draft.get(EARMARKS, fact.circle, fact.offer)
    unused = earlier is None or not earlier.audience
    require(unused, "inventory.earmark_stands", "it stands behind an offer already", got=fact.offer)
    require(fact.each > 0, "inventory.bad_quantity", "a quantity is at least one", got=fact.each, expected=">= 1")
    good = fact.minimum_price_minor >= 0
    require(good, "inventory.bad_minimum", "a minimum price is not negative", got=fact.minimum_price_minor)
    own = require_own_item(draft, fact.own_number)
    require(
        own.item, "inventory.unmatched", "this own number is linked to no item", got=fact.own_number, next="link it"
    )
    stock = draft.get(STOCK, fact.circle, fact.site, fact.own_number, fact.lot, fact.owner)
    if stock is None:
        raise Refused("inventory.unknown_stock", "no such stock", got=fact.own_number, next="count it first")
    _require_free(draft, fact, hear_again(draft, stock))
    draft.put(
        EARMARKS,
        EarmarkRow(
            circle=fact.circle,
            offer=fact.offer,
            own_number=fact.own_number,
            item=own.item,
            site=fact.site,
            lot=fact.lot,
            owner=fact.owner,
            each=fact.each,
            minimum_price_minor=fact.minimum_price_minor,
            currency=fact.currency,
        ),
    )


def _require_free(draft: Draft, fact: Earmark, stock: Stock) -> None:
    """Refuses, in order: inventory.not_enough, inventory.kept_for_own_customers."""
    require(
        fact.each <= stock.free_each,
        "inventory.not_enough",
        f"asked {fact.each} each, free {stock.free_each} each of {fact.own_number} at {fact.site}",
        got=fact.each,
        expected=f"<= {stock.free_each}",
        next="lower the quantity or choose another lot",
    )
    policy, total = draft.get(POLICIES, fact.circle, fact.own_number), draft.get(TOTALS, fact.circle, fact.own_number)
    if policy is not None and total is not None and not fact.owner:
        free = total.on_hand_each - total.allocated_each - total.set_aside_each - policy.keep_each
        require(
            fact.each <= free,
            "inventory.kept_for_own_customers",
            f"you keep {policy.keep_each} each for your own customers",
            got=fact.each,
            expected=f"<= {max(0, free)}",
        )


# -- offers --------------------------------------------------------------------------------------------------------


@rule(MakeOffer)
def make_offer(draft: Draft, fact: MakeOffer) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, inventory.not_an_audience,
    inventory.offer_taken, inventory.bad_quantity, inventory.deadline_past."""
    circle = require_audience(draft, fact.circle)
    taken = draft.get(OFFERS, fact.offer) or draft.get(TRANSFERS, fact.offer)
    require(not taken, "inventory.offer_taken", "this offer stands already", got=fact.offer)
    require(fact.each > 0, "inventory.bad_quantity", "a quantity is at least one", got=fact.each, expected=">= 1")
    require_ahead(draft, fact.expires_at)
    draft.put(
        OFFERS,
        Offer(
            offer=fact.offer,
            circle=fact.circle,
            alias=draft.signer,
            shared=circle.purpose == "group",
            each=fact.each,
            expires_at=fact.expires_at,
        ),
    )
    draft.timer(OFFER_ENDS, f"offer/{fact.offer}", fact.expires_at, circle=fact.circle, args=(fact.offer,))


@circle_rule(MakeOffer)
def show_offer(draft: Draft, fact: MakeOffer) -> None:
    """Refuses, in order: parties.not_in_circle, catalog.unknown_item, inventory.bad_price, inventory.bad_pack."""
    party = party_behind(draft, draft.signer)
    require_item(draft, fact.item)
    good = fact.unit_price_minor >= 0
    require(good, "inventory.bad_price", "a price is not negative", got=fact.unit_price_minor)
    whole = fact.each % fact.pack_each == 0 and fact.minimum_each <= fact.each
    require(whole, "inventory.bad_pack", "the quantity is not whole packs, or below its minimum", got=fact.each)
    draft.put(
        OFFER_TERMS,
        OfferTerms(
            circle=fact.circle,
            offer=fact.offer,
            party=party,
            item=fact.item,
            offer_kind=fact.offer_kind,
            country=fact.country,
            city=fact.city,
            latitude_microdeg=fact.latitude_microdeg,
            longitude_microdeg=fact.longitude_microdeg,
            unit_price_minor=fact.unit_price_minor,
            currency=fact.currency,
            pack_each=fact.pack_each,
            minimum_each=fact.minimum_each,
            lead_time_days=fact.lead_time_days,
            firm=fact.firm,
            condition=fact.condition,
            lot_expiry_at=fact.lot_expiry_at,
            offered_at=draft.now,
        ),
    )


def minimum_price(mark: EarmarkRow, policy: Policy | None) -> int:
    """The higher of an earmark's and the policy's minimum, minor units per each."""
    return max(mark.minimum_price_minor, policy.minimum_price_minor if policy else 0)


def require_backing(mark: EarmarkRow | None, policy: Policy | None, fact: MakeOffer) -> EarmarkRow:
    """That the owner's home allows this offer. Doors ask it before the offer is signed (`queries.offer_refusal`).

    Refuses, in order: inventory.no_earmark, inventory.not_yours, inventory.other_item,
    inventory.more_than_earmarked, inventory.other_currency, inventory.below_minimum.
    """
    if mark is None or mark.audience:
        raise Refused("inventory.no_earmark", "no stock stands behind this offer", got=fact.offer, next="earmark stock")
    require(not mark.owner, "inventory.not_yours", "these goods are another's", got=mark.owner)
    require(mark.item == fact.item, "inventory.other_item", "other stock was earmarked", got=fact.item)
    fits = fact.each <= mark.each
    require(fits, "inventory.more_than_earmarked", "more than earmarked", got=fact.each, expected=f"<= {mark.each}")
    known = {mark.currency, policy.currency} if policy else {mark.currency}
    same = known == {fact.currency}
    require(same, "inventory.other_currency", "the minimum price has another currency", got=fact.currency)
    least = minimum_price(mark, policy)
    good = fact.unit_price_minor >= least
    require(
        good, "inventory.below_minimum", "below your minimum price", got=fact.unit_price_minor, expected=f">= {least}"
    )
    return mark


@home_rule(MakeOffer)
def back_offer(draft: Draft, fact: MakeOffer, party: str) -> None:
    """In the owner's home: the earmark stands behind the offer, and stock of a firm offer is set aside.

    An offer that the home does not allow stays without earmark: orders on it allocate nothing. Refuses privately, as
    `require_backing`.
    """
    if not signed_by(draft, fact.circle, party):
        return
    policy = None
    mark = draft.get(EARMARKS, draft.circle, fact.offer)
    if mark is not None:
        policy = draft.get(POLICIES, draft.circle, mark.own_number)
    mark = require_backing(mark, policy, fact)
    draft.put(EARMARKS, replace(mark, audience=fact.circle, firm=fact.firm, each=fact.each))
    settle(draft, fact.offer)


@rule(WithdrawOffer)
def withdraw_offer(draft: Draft, fact: WithdrawOffer) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, inventory.unknown_offer,
    inventory.not_your_offer, inventory.offer_ended."""
    require_member(draft, fact.circle)
    offer = draft.get(OFFERS, fact.offer)
    if offer is None or offer.circle != fact.circle:
        raise Refused("inventory.unknown_offer", "no such offer", got=fact.offer)
    require(offer.alias == draft.signer, "inventory.not_your_offer", "another made this offer", got=fact.offer)
    ended = offer.withdrawn or offer.expires_at <= draft.now
    require(not ended, "inventory.offer_ended", "this offer has ended", got=fact.offer)
    draft.put(OFFERS, replace(offer, withdrawn=True))
    draft.drop_timer(f"offer/{fact.offer}", offer.expires_at)


def _end_terms(draft: Draft, offer: str) -> None:
    terms = draft.get(OFFER_TERMS, draft.circle, offer)
    if terms is not None:
        draft.put(OFFER_TERMS, replace(terms, ended=True))


@circle_rule(WithdrawOffer)
def hide_offer(draft: Draft, fact: WithdrawOffer) -> None:
    _end_terms(draft, fact.offer)


@home_rule(WithdrawOffer)
def free_withdrawn(draft: Draft, fact: WithdrawOffer, party: str) -> None:
    """What was set aside and is not reserved is free again."""
    if signed_by(draft, fact.circle, party):
        settle(draft, fact.offer)


@circle_timer(OFFER_ENDS)
def hide_expired(draft: Draft, timer: Timer) -> None:
    _end_terms(draft, timer.args[0])


@home_timer(OFFER_ENDS)
def free_expired(draft: Draft, timer: Timer, party: str) -> None:
    """What was set aside and is not reserved is free again."""
    mark = draft.get(EARMARKS, draft.circle, timer.args[0])
    if mark is not None and mark.audience == timer.circle:
        settle(draft, timer.args[0])


def offers_have_ended(draft: Draft, event: Leaving) -> None:
    """Who leaves a group has withdrawn its offers there: what stock keeps back for them is freed while it still hears.

    Refuses: inventory.offers_stand.
    """
    made = draft.scan(OFFERS, limit=OFFERS_READ_MAX, circle=event.circle, alias=event.alias)
    standing = [row.offer for row in made if not row.withdrawn and row.expires_at > draft.now]
    require(
        not standing,
        "inventory.offers_stand",
        "you have offers to this group",
        got=", ".join(standing[:3]),
        next="withdraw them first",
    )


ON = {Leaving: offers_have_ended}


# -- wants ---------------------------------------------------------------------------------------------------------


@rule(Want)
def want(draft: Draft, fact: Want) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, inventory.not_an_audience,
    inventory.want_taken, inventory.deadline_past."""
    require_audience(draft, fact.circle)
    require(draft.get(WANTS, fact.want) is None, "inventory.want_taken", "this want stands already", got=fact.want)
    require_ahead(draft, fact.expires_at)
    row = WantRow(want=fact.want, circle=fact.circle, alias=draft.signer, expires_at=fact.expires_at)
    draft.put(WANTS, row)
    draft.timer(WANT_ENDS, f"want/{fact.want}", fact.expires_at, circle=fact.circle, args=(fact.want,))


@circle_rule(Want)
def show_want(draft: Draft, fact: Want) -> None:
    """Refuses, in order: parties.not_in_circle, catalog.unknown_item, inventory.bad_quantity."""
    party = party_behind(draft, draft.signer)
    require_item(draft, fact.item)
    require(fact.each > 0, "inventory.bad_quantity", "a quantity is at least one", got=fact.each, expected=">= 1")
    draft.put(
        WANT_TERMS,
        WantTerms(
            circle=fact.circle,
            want=fact.want,
            party=party,
            item=fact.item,
            each=fact.each,
            borrow=fact.borrow,
            country=fact.country,
            city=fact.city,
            latitude_microdeg=fact.latitude_microdeg,
            longitude_microdeg=fact.longitude_microdeg,
            note=fact.note,
        ),
    )


@rule(WithdrawWant)
def withdraw_want(draft: Draft, fact: WithdrawWant) -> None:
    """Refuses, in order: parties.unknown_circle, parties.not_in_circle, inventory.unknown_want,
    inventory.not_your_want, inventory.want_ended."""
    require_member(draft, fact.circle)
    row = draft.get(WANTS, fact.want)
    if row is None or row.circle != fact.circle:
        raise Refused("inventory.unknown_want", "no such want", got=fact.want)
    require(row.alias == draft.signer, "inventory.not_your_want", "another wants this", got=fact.want)
    ended = row.withdrawn or row.expires_at <= draft.now
    require(not ended, "inventory.want_ended", "it has ended", got=fact.want)
    draft.put(WANTS, replace(row, withdrawn=True))
    draft.drop_timer(f"want/{fact.want}", row.expires_at)


def _end_want(draft: Draft, want: str) -> None:
    terms = draft.get(WANT_TERMS, draft.circle, want)
    if terms is not None:
        draft.put(WANT_TERMS, replace(terms, ended=True))


@circle_rule(WithdrawWant)
def hide_want(draft: Draft, fact: WithdrawWant) -> None:
    _end_want(draft, fact.want)


@circle_timer(WANT_ENDS)
def hide_expired_want(draft: Draft, timer: Timer) -> None:
    _end_want(draft, timer.args[0])
