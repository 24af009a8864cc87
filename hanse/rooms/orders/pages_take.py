"""Taking one offer as it stands: buying from it, or borrowing what it lends, without a plan over all offers."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import post

from hanse.kernel.refusal import Refused
from hanse.node.buying import buy
from hanse.node.desk import Desk
from hanse.node.proposing import Choice, Wish, WishLine
from hanse.rooms.inventory.page_offers import card_of, home_desk, offer_template
from hanse.rooms.orders.pages_forms import day_end, text, whole
from hanse.rooms.orders.pages_order import address, as_refused
from hanse.rooms.orders.pages_terms import place_of
from hanse.site.pages_forms import Fields, Where, shown
from hanse.web import Read, Reader, go


@post("/find/take", sync_to_thread=True)
def take(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Order so many of one offer. Refuses: as `buy`, on the offer's page, with what was typed."""
    at, offer = home_desk(read, session), text(data, "offer", 80)
    card = card_of(at.view, offer)
    try:
        return go(address(_bought(at, data, card)), notice="Order placed.")
    except (Refused, msgspec.ValidationError) as error:
        status, refusal = shown(as_refused(error))
        return offer_template(at, places, offer, status, refusal, data)


def _bought(at: Desk, data: Any, card: Any) -> str:
    """The order. Refuses, in order: form.not_a_number, form.not_a_day, form.unknown_city, as `buy`."""
    each = whole(data, "each", "Quantity")
    wish = Wish(
        lines=(WishLine(1, card.item, each),),
        requested_at=day_end(data, "by", "The day", 0),
        to=place_of(at.view, data),
        currency=card.currency,
        po_number=text(data, "po", 80),
    )
    return buy(at, wish, (Choice(1, card.offer, each, card.unit_price_minor),)).orders[0].order


PAGES: list[Any] = [take]
