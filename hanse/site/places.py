"""Where things are shown: links to pages of rooms that this site has, and none to those that it has not."""

from __future__ import annotations

from urllib.parse import quote

CANDIDATES = {
    "order": ("/orders/o/{}",),
    "item": ("/items/{}", "/catalog/{}", "/catalog/items/{}", "/catalogue/{}", "/item/{}"),
    "about": ("/orders/about/{}",),
    "own": ("/stock/{}", "/inventory/{}", "/stock/card/{}", "/inventory/stock/{}"),
    "offer": ("/offers/{}", "/inventory/offers/{}", "/offers/o/{}"),
    "party": ("/parties/{}", "/partners/{}", "/partners/p/{}"),
    "entry": ("/history/{}",),
    "work": ("/catalog/worklist", "/catalog/match", "/matching", "/items/match"),
    "dead": ("/stock/dead", "/inventory/dead", "/dead-stock"),
    "short": ("/stock", "/inventory"),
    "quote": ("/orders/quotes/q/{}",),
    "offers": ("/offers", "/inventory/offers"),
    "forecast": ("/plans/forecast/{}",),
}
"""kind -> the addresses at which a room may show it, the first that exists is used."""


class Places:
    """The addresses of one site.

    >>> places = Places({"/orders/o/{}"})
    >>> places.of("order", "PO/1"), places.of("party", "lager")
    ('/orders/o/PO%2F1', '')
    """

    def __init__(self, exists: set[str]) -> None:
        self.exists = exists

    def of(self, kind: str, *names: str | int, otherwise: str = "") -> str:
        """The address of a thing's page, else `otherwise`."""
        for address in CANDIDATES[kind]:
            if address in self.exists:
                return address.format(*(quote(str(name), safe="") for name in names))
        return otherwise
