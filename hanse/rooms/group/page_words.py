"""What the pages of groups share: tabs, the reader's desk, names, tiers as words and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.catalog import queries as catalog
from hanse.rooms.group.queries import GroupCard, groups
from hanse.rooms.group.rows import CLOSED, DECIDING, LAPSED, OPEN, Tier
from hanse.rooms.parties.queries import party
from hanse.site.desks import desk
from hanse.web import Badge, Money, Session, needs_role, not_here
from hanse.web.charts import Chart, Series, line
from hanse.web.formats import DECIMALS, money, number, percent

ROLES = ("owner", "buyer", "seller", "viewer")
"""Who sees what a group buys. What they may sign, the desk decides."""
CRUMBS = (("Today", "/"), ("Group", "/group"))
TABS = [
    ("Membership", "/group"),
    ("Purchasing rounds", "/group/rounds"),
    ("Rebates", "/group/rebates"),
    ("Group lots", "/group/lots"),
]
MANAGER_TAB = ("Totals", "/group/totals")
ROUND_STATES = {
    OPEN: Badge("open", "info"),
    DECIDING: Badge("commitments closed", "warn"),
    CLOSED: Badge("closed", "good"),
    LAPSED: Badge("lapsed", "quiet"),
}


def at_desk(read: Any, session: Session) -> Desk:
    """The reader's desk. Raises: 404 for roles that see no money, and for who has no home."""
    needs_role(session, *ROLES)
    found = desk(read, session)
    if not found.view.home:
        raise not_here()
    return found


def tabs_of(cards: Sequence[GroupCard]) -> list[tuple[str, str]]:
    """The tabs; totals are for who manages a group."""
    return [*TABS, MANAGER_TAB] if any(card.i_manage for card in cards) else TABS


def frame(found: Desk, at: str) -> dict[str, Any]:
    """What every page of groups is given."""
    cards = groups(found.view)
    return {"tabs": tabs_of(cards), "at": at, "groups": cards, "manages": any(card.i_manage for card in cards)}


def name_of(view: View, who: str) -> str:
    """A party's public name, or the word itself."""
    known = party(view, who)
    return known.name if known else who


def currency_of(view: View, manager: str) -> str:
    """The currency of a manager's group; EUR where it names none."""
    return next((c.terms.currency for c in groups(view) if c.terms.manager == manager and c.terms.currency), "EUR")


def item_words(view: View, item: str) -> str:
    """An item as people call it."""
    known = catalog.item(view, item)
    return f"{known.brand} {known.part_number}, {known.description}" if known else item


def item_short(view: View, item: str) -> str:
    """An item's brand and part number, for tables."""
    return catalog.short_name(view, item) or item


def major(minor: int, currency: str) -> float:
    """An amount for a picture's axis."""
    return float(minor / 10 ** DECIMALS.get(currency, 2))


def price_tiers(tiers: Sequence[Tier], currency: str) -> list[list[Any]]:
    """From how many, at what price."""
    return [[tier.start, Money(tier.value, currency)] for tier in tiers]


def rate_tiers(tiers: Sequence[Tier], currency: str) -> list[list[Any]]:
    """From how much, what rate."""
    return [[Money(tier.start, currency), tier.value] for tier in tiers]


def price_picture(tiers: Sequence[Tier], currency: str, told_each: int, title: str) -> Chart:
    """Price by quantity as a stair, with what is committed so far on it."""
    ends = sorted({*(tier.start for tier in tiers), told_each, tiers[-1].start * 5 // 4})
    price = [_value(tiers, each) for each in ends]
    here = [value if each == told_each else None for each, value in zip(ends, price, strict=True)]
    shown = [None if value is None else major(value, currency) for value in price]
    mark = [None if value is None else major(value, currency) for value in here]
    note = f"Committed so far: {number(told_each)} each."
    series = [Series("price of one", shown), Series("committed so far", mark, "good")]
    return line(title, [number(each) for each in ends], series, unit=currency, step=True, note=note)


def _value(tiers: Sequence[Tier], at: int) -> int | None:
    return next((tier.value for tier in reversed(tiers) if tier.start <= at), None)


def rate_picture(tiers: Sequence[Tier], currency: str, told_minor: int, title: str) -> Chart:
    """Rate by purchases as a stair, with what was bought so far on it."""
    ends = sorted({*(tier.start for tier in tiers), told_minor, max(told_minor, tiers[-1].start) * 5 // 4})
    rate = [_value(tiers, minor) or 0 for minor in ends]
    shown = [ppm / 10_000 for ppm in rate]
    mark = [ppm / 10_000 if minor == told_minor else None for minor, ppm in zip(ends, rate, strict=True)]
    labels = [money(minor, currency) for minor in ends]
    reached = _value(tiers, told_minor) or 0
    note = f"Bought so far: {money(told_minor, currency)}, at {percent(reached)}."
    return line(title, labels, [Series("rate", shown), Series("so far", mark, "good")], unit="%", step=True, note=note)
