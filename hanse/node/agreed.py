"""Agreed prices at order time: what agreements in force make of an offer, for the buyer who has signed them."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.contracts.responding import price_in_force
from hanse.rooms.inventory.offer_queries import OfferCard
from hanse.rooms.parties.queries import relationship_with


class Agreed(Struct, frozen=True):
    """price_minor: per unit in the offer's currency. agreement: whose price it is, "" the offer's own. refused: a
    sentence where the agreements do not allow such an order, else ""."""

    price_minor: int
    agreement: str = ""
    refused: str = ""


def agreed(view: View, card: OfferCard, each: int, requested_at: int = 0) -> Agreed:
    """The price of `each` units of an offer for the reader: the agreement's in force between both, else the offer's.

    A firm offer below the agreed price keeps its price. An agreement in another currency says nothing to an offer.
    """
    own = Agreed(card.unit_price_minor)
    circle = relationship_with(view, card.party)
    if not circle or card.party == view.party:
        return own
    said = price_in_force(
        view, circle, card.item, each, view.now, seller=card.party, buyer=view.party, requested_at=requested_at
    )
    if said.refused:
        return Agreed(card.unit_price_minor, said.agreement, said.refused)
    if said.price_minor < 0 or said.currency != card.currency:
        return own
    if card.firm and card.unit_price_minor <= said.price_minor:
        return own
    return Agreed(said.price_minor, said.agreement)
