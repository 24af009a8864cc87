"""For tests of pages: a small town on a real node, its people, and a visitor who looks and clicks."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from litestar import Litestar
from litestar.testing import TestClient

from hanse.kernel.facts import Fact
from hanse.node import joining
from hanse.node.desk import Desk, Who
from hanse.node.node import Node
from hanse.rooms.catalog.facts import LinkItem, PublishItem, SetOwnItem
from hanse.rooms.inventory.facts import Count, CountLine
from hanse.rooms.inventory.offer_facts import Earmark, MakeOffer
from hanse.rooms.orders.facts import ConfirmLine, ConfirmOrder, DeliverTo, PlaceLine, PlaceOrder
from hanse.rooms.parties.facts import SetSite
from hanse.site import build_site
from hanse.web import AccountStore, Site, create_app

PASSWORD = "seven salted cod"
EVIL = "<img src=x onerror=alert(1)>"
DAY = 86_400
PLACES = {
    "ann": ("Rostock", 54_092_000, 12_099_000),
    "bob": ("Bremen", 53_079_000, 8_801_000),
    "cay": ("Kiel", 54_323_000, 10_123_000),
    "eve": ("Hamburg", 53_551_000, 9_993_000),
}
ROLES = ("owner", "buyer", "seller", "warehouse", "viewer")


def free_port() -> int:
    """A port of this machine on which nobody listens, below those that the system gives to whoever asks for any.

    One of those might be another's connection by the time at which it is used.
    """
    first = 20_000 + os.getpid() % 10_000
    for port in range(first, first + 2_000):
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("two thousand ports are taken")


class SmallTown:
    """`ann` buys, `bob` and `cay` sell, `eve` competes; all four are in the group `pool`; ann trades with bob.

    bob and cay keep `stock_each` of own number `NAME-6205`, linked to `item-6205`. Each party has people `ROLE@PARTY`
    (ann and bob all five roles, the others an owner).
    """

    def __init__(
        self, folder: Path, *, stock_each: int = 100, clock: Callable[[], float] = time.time, **site_options: Any
    ) -> None:
        self.node = Node(folder / "node", create=True, helper=False, clock=clock)
        joining.found(self.node, "office", network="Town", name="Office", city="Bremen")
        for party, (city, _, _) in PLACES.items():
            joining.host(self.node, party, name=party.title(), city=city)
        self.ab = joining.relationship(self.node, "ann", "bob")
        self.pool = joining.group(self.node, list(PLACES), "The pool")
        for party, (city, latitude, longitude) in PLACES.items():
            self.do(party, SetSite(
                circle=self.home(party), site=f"store-{party}", name=f"Store of {party.title()}",
                site_kind="warehouse", country="DE", city=city, latitude_microdeg=latitude,
                longitude_microdeg=longitude, address="Hafenstrasse 1",
            ))  # fmt: skip
        self.do("cay", PublishItem(
                item="item-6205", description="Ball bearing 6205", brand="SKF", part_number="6205", weight_g=130,
            ))  # fmt: skip
        for seller in ("bob", "cay"):
            self._stock(seller, stock_each)
        self.accounts = AccountStore(
            folder / "accounts.db", hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        )
        self.users: dict[tuple[str, str], int] = {}
        for party in PLACES:
            for role in ROLES if party in ("ann", "bob") else ("owner",):
                self.person(party, role)
        self.site_options = site_options

    @cached_property
    def site(self) -> Site:
        """Its pages, which are not built where a test asks for none: they take as long as all the rest."""
        return build_site(self.node, self.accounts, requests_per_minute=100_000, **self.site_options)

    @cached_property
    def app(self) -> Litestar:
        """The application with its pages and API."""
        return create_app(self.site)

    def person(self, party: str, role: str, limit_minor: int | None = None) -> int:
        """A person `ROLE@PARTY.example` for a party; the account's number."""
        user = self.accounts.add_user(f"{role}@{party}.example", f"{role.title()} of {party.title()}", PASSWORD)
        self.accounts.add_membership(user, party, role, limit_minor)
        self.users[party, role] = user
        return user

    def home(self, party: str) -> str:
        return self.node.view(party).home

    def now(self) -> int:
        return int(self.node.clock())

    def do(self, party: str, *facts: Fact) -> None:
        """Facts signed for a party, each accepted."""
        for fact in facts:
            self.node.act(party, fact)

    def desk(self, party: str, role: str = "owner", limit_minor: int | None = None) -> Desk:
        return Desk(self.node, Who(party, str(self.users.get((party, role), "")), role, limit_minor))

    def _stock(self, party: str, each: int) -> None:
        own, home = f"{party}-6205", self.home(party)
        self.do(
            party,
            SetOwnItem(
                circle=home, own_number=own, description=f"bearing {EVIL}", brand="SKF", part_number="6205", gtin="",
                unit="H87", pack_each=1, category="", cost_minor=700, currency="EUR",
            ),
            LinkItem(circle=home, own_number=own, item="item-6205", method="brand_part"),
            Count(circle=home, counted_at=self.now(), lines=[
                CountLine(site=f"store-{party}", own_number=own, each=each, unit_cost_minor=700),
            ]),
        )  # fmt: skip

    def costs_in(self, party: str, currency: str, each: int, unit_cost_minor: int) -> None:
        """A seller's stock, counted anew at a cost in another currency."""
        own, home = f"{party}-6205", self.home(party)
        self.do(
            party,
            SetOwnItem(
                circle=home, own_number=own, description="bearing", brand="SKF", part_number="6205", gtin="",
                unit="H87", pack_each=1, category="", cost_minor=unit_cost_minor, currency=currency,
            ),
            Count(circle=home, counted_at=self.now(), lines=[
                CountLine(site=f"store-{party}", own_number=own, each=each, unit_cost_minor=unit_cost_minor),
            ]),
        )  # fmt: skip

    def offer(self, offer: str, party: str = "bob", *, circle: str = "", each: int = 40, price: int = 1000) -> str:
        """An offer of a seller, to the pool or another circle, with the stock that stands behind it."""
        city, latitude, longitude = PLACES[party]
        self.do(
            party,
            Earmark(
                circle=self.home(party), offer=offer, own_number=f"{party}-6205", site=f"store-{party}", lot="",
                owner="", each=each, minimum_price_minor=500, currency="EUR",
            ),
            MakeOffer(
                circle=circle or self.pool, offer=offer, each=each, expires_at=self.now() + 30 * DAY, item="item-6205",
                offer_kind="sell", country="DE", city=city, latitude_microdeg=latitude, longitude_microdeg=longitude,
                unit_price_minor=price, currency="EUR", pack_each=1, minimum_each=1, lead_time_days=1, firm=True,
                condition="new", lot_expiry_at=0,
            ),
        )  # fmt: skip
        return offer

    def order(self, order: str, *, each: int = 10, price: int = 1000, offer: str = "", **rest: Any) -> str:
        """An order of ann to bob."""
        line = PlaceLine(
            line=1, each=each, offer=offer, item="item-6205", own_number="A-77", unit_price_minor=price,
            requested_at=self.now() + 5 * DAY,
        )  # fmt: skip
        self.do("ann", PlaceOrder(**{
            "circle": self.ab, "order": order, "confirm_by": self.now() + DAY, "lines": [line], "buyer_party": "ann",
            "seller_party": "bob", "po_number": "4500017", "currency": "EUR",
            "deliver_to": DeliverTo(site="store-ann", city="Rostock", country="DE"), **rest,
        }))  # fmt: skip
        return order

    def confirm(self, order: str, each: int = 10) -> None:
        promised = ConfirmLine(line=1, each=each, promised_at=self.now() + 4 * DAY)
        self.do("bob", ConfirmOrder(circle=self.ab, order=order, lines=[promised]))

    def visitor(self, party: str = "", role: str = "owner") -> Visitor:
        """Somebody of a party, signed in; without a party a stranger."""
        who = Visitor(self)
        if party:
            form = {"email": f"{role}@{party}.example", "password": PASSWORD, "next": "/"}
            answer = who.post("/sign-in", form, token=who.token("/sign-in"))
            assert answer.status_code == 303, answer.text
        return who

    def close(self) -> None:
        self.accounts.close()
        self.node.close()


class Visitor:
    """A browser without scripts: keeps cookies, takes tokens from pages, follows nothing."""

    def __init__(self, town: SmallTown) -> None:
        self.client = TestClient(town.app, base_url="https://testserver.local")

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, follow_redirects=False, **more)

    def token(self, path: str = "/settings") -> str:
        found = re.search(r'name="_csrf" value="([^"]+)"', self.get(path).text)
        assert found is not None, path
        return found.group(1)

    def post(self, path: str, data: dict[str, Any] | None = None, *, token: str = "", **more: Any) -> Any:
        form = {**(data or {}), "_csrf": token or self.token()}
        return self.client.post(path, data=form, follow_redirects=False, **more)


def known_town(directory: Path) -> SmallTown:
    """A small town with the order `known-1`, confirmed, and the offer `o-1`: what addresses in tests name."""
    there = SmallTown(directory)
    there.order("known-1")
    there.confirm("known-1")
    there.offer("o-1", circle=there.ab)
    return there
