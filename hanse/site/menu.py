"""The menu: what each role may open, with what waits there. Only pages that exist are named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct

from hanse.kernel.view import View
from hanse.web.site import NavItem

EVERYBODY = ("owner", "buyer", "seller", "warehouse", "viewer")
TRADE = ("owner", "buyer", "seller", "viewer")
BUYING = ("owner", "buyer")
SELLING = ("owner", "seller")
STORE = ("owner", "buyer", "seller", "warehouse", "viewer")
OWNER = ("owner",)
SECTIONS = ("", "Trade", "Stock", "Catalogue", "Partners", "Record", "Firm")
"""The headings, in the order shown; others follow, in the order in which they come."""
Count = Callable[[View], int]


class Entry(Struct, frozen=True):
    """One entry of the menu. A room's `page.py` may offer a list of them as `NAV`.

    label: a word people know. href: of a page without parameters. section: of SECTIONS. roles: who sees it.
    count: what waits there, a cheap query; None for nothing to count.
    """

    label: str
    href: str
    section: str = ""
    roles: tuple[str, ...] = EVERYBODY
    count: Count | None = None


def template_of(path: str) -> str:
    """An address with its parameters' names and types taken off.

    >>> template_of("/stock/{number:path}")
    '/stock/{}'
    """
    return re.sub(r"{[^}]*}", "{}", path)


def addresses(routes: Iterable[Any]) -> set[str]:
    """The addresses, as `template_of`, at which plain GET handlers answer."""
    return {
        template_of(path)
        for route in routes
        if "GET" in getattr(route, "http_methods", ())
        for path in getattr(route, "paths", ())
    }


def entries(offered: Sequence[Entry], exists: set[str]) -> list[Entry]:
    """The entries whose pages exist, the first of each address, by section."""
    first: dict[str, Entry] = {}
    for entry in offered:
        if entry.href in exists:
            first.setdefault(entry.href, entry)
    order = [*SECTIONS, *dict.fromkeys(entry.section for entry in first.values())]
    return sorted(first.values(), key=lambda entry: order.index(entry.section))


def menu(items: Sequence[Entry], role: str, view: View) -> list[NavItem]:
    """The menu of one reader."""
    return [
        NavItem(item.label, item.href, item.section, (item.count(view) or None) if item.count else None)
        for item in items
        if role in item.roles
    ]
