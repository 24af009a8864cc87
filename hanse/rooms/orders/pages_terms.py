"""What the forms of an order have in common: where it goes, and on which terms it is shipped."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from hanse import gazetteer
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.rooms.orders.balance import WAIT_SECONDS_MAX
from hanse.rooms.orders.facts import DeliverTo
from hanse.rooms.orders.pages_forms import day_end, text
from hanse.rooms.parties.queries import party, sites


class OrderTerms(Struct, frozen=True):
    """How an order is to be served. `cancel_after_at`: what is unshipped then is cancelled, UTC seconds; 0: a year."""

    ship_complete: bool = False
    backorder: bool = True
    cancel_after_at: int = 0


def order_terms(form: Any, now: int) -> OrderTerms:
    """Ship-complete or backorder, and the cancel date, of a form. Refuses: form.not_a_day, orders.bad_deadline.

    >>> order_terms({"rest": "complete"}, 0), order_terms({"rest": "cancel", "cancel_after": "1970-01-02"}, 0)
    (OrderTerms(ship_complete=True, backorder=True, cancel_after_at=0), \
OrderTerms(ship_complete=False, backorder=False, cancel_after_at=172799))
    """
    rest = text(form, "rest")
    ends = day_end(form, "cancel_after", "The cancel date", 0)
    if ends and not now < ends <= now + WAIT_SECONDS_MAX:
        raise Refused(
            "orders.bad_deadline", "the cancel date lies ahead, at most two years", got=text(form, "cancel_after"),
            expected="a day ahead", next="name another day",
        )  # fmt: skip
    return OrderTerms(rest == "complete", rest != "cancel", ends)


REST = (
    ("", "ships later (backorder)"),
    ("complete", "waits: everything in one shipment"),
    ("cancel", "is cancelled"),
)
"""What becomes of a rest that cannot be shipped at once: as the forms name it, and in words."""


def place_of(view: View, params: Any) -> DeliverTo:
    """An own site, or a city that the gazetteer knows; without either the first own site, else the firm's own city.

    Refuses: form.unknown_city.
    """
    city, country = text(params, "city", 80), text(params, "country", 2).upper()
    if city:
        found = gazetteer.find(city, country)
        if found is None:
            raise Refused(
                "form.unknown_city", "this city is not in the list of places", got=city,
                next="name a larger one nearby; street and postcode go into the mark",
            )  # fmt: skip
        return DeliverTo(
            mark=text(params, "mark", 200), country=found.country, city=found.city,
            latitude_microdeg=found.latitude_microdeg, longitude_microdeg=found.longitude_microdeg,
        )  # fmt: skip
    own = sites(view)
    chosen = next((site for site in own if site.site == text(params, "to")), own[0] if own else None)
    if chosen is None:
        firm = party(view, view.party)
        found = gazetteer.find(firm.city, firm.country) if firm else None
        return DeliverTo(
            country=found.country, city=found.city, latitude_microdeg=found.latitude_microdeg,
            longitude_microdeg=found.longitude_microdeg,
        ) if found else DeliverTo()  # fmt: skip
    return DeliverTo(
        site=chosen.site, mark=text(params, "mark", 200), country=chosen.country, city=chosen.city,
        latitude_microdeg=chosen.latitude_microdeg, longitude_microdeg=chosen.longitude_microdeg,
    )  # fmt: skip
