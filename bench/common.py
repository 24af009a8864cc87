"""What the benchmarks share: where results go, what machine this is, a network to write into."""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hanse import compiled
from hanse.node import joining
from hanse.node.desk import Desk, Who
from hanse.node.node import Node
from hanse.rooms.catalog.facts import LinkItem, PublishItem, SetOwnItem
from hanse.rooms.inventory.facts import Count, CountLine
from hanse.rooms.inventory.offer_facts import Earmark, MakeOffer
from hanse.rooms.orders.delivery_facts import Receive, Ship, ShipLine
from hanse.rooms.orders.facts import ConfirmLine, ConfirmOrder, DeliverTo, PlaceLine, PlaceOrder
from hanse.rooms.orders.rows import ORDERS
from hanse.rooms.parties.facts import SetSite
from hanse.rooms.parties.queries import relationship_with

OUT = Path(__file__).parent / "out"
DAY = 86_400


def machine() -> str:
    """One line: processor, cores, Python, what the rules run as."""
    name = "processor unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        name = next((ln.split(":")[1].strip() for ln in info.read_text().splitlines() if "model name" in ln), name)
    rules = "compiled" if compiled.in_use() else "interpreted"
    return f"{os.cpu_count()} cores, {name}, Python {platform.python_version()}, rules {rules}"


def write(name: str, figures: dict[str, Any]) -> None:
    """Keep a run's figures beside the others."""
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps({"machine": machine(), "at": int(time.time()), **figures}, indent=1))


@contextmanager
def network(sellers: int = 4, buyers: int = 8, items: int = 60, root: Path | None = None) -> Iterator[Network]:
    """A node in a scratch directory with sellers who offer every item to every buyer."""
    with (
        tempfile.TemporaryDirectory(prefix="hanse-bench-", dir=root) as scratch,
        Node(Path(scratch) / "data", create=True) as node,
    ):
        yield Network(node, sellers, buyers, items)


class Network:
    """Sellers, buyers, the circle of each pair, and offers so large that they never end."""

    def __init__(self, node: Node, sellers: int, buyers: int, items: int) -> None:
        """Found it on an empty node; on one that a benchmark has filled, go on behind its last order."""
        self.node = node
        self.sellers = [f"s{i}" for i in range(sellers)]
        self.buyers = [f"b{i}" for i in range(buyers)]
        self.items = [f"item-{i:04d}" for i in range(items)]
        pairs = [(b, s) for b in self.buyers for s in self.sellers]
        filled = bool(node.view(self.sellers[0]).home)
        if not filled:
            joining.found(node, "hub", network="Bench", name="Hub")
            for party in (*self.sellers, *self.buyers):
                joining.host(node, party, name=party.upper())
        self.homes = {party: node.view(party).home for party in (*self.sellers, *self.buyers)}
        self.circles = {
            (b, s): relationship_with(node.view(b), s) if filled else joining.relationship(node, b, s) for b, s in pairs
        }
        if not filled:
            self._publish()
            self._stock()
        self.orders = node.view().count(ORDERS)

    def submit(self, party: str, facts: list[Any]) -> None:
        """Sign in batches where that may be, submit, wait."""
        Desk(self.node, Who(party)).submit(Desk(self.node, Who(party)).sign(facts))

    def _publish(self) -> None:
        maker = self.sellers[0]
        self.submit(
            maker,
            [
                PublishItem(item=item, description=f"Bearing {item}", brand="Bench", part_number=item, weight_g=100)
                for item in self.items
            ],
        )

    def _stock(self) -> None:
        for party in (*self.sellers, *self.buyers):
            home, site = self.homes[party], f"{party}-1"
            place = {
                "country": "DE",
                "city": "Bremen",
                "latitude_microdeg": 53_000_000,
                "longitude_microdeg": 8_000_000,
            }
            self.submit(party, [SetSite(circle=home, site=site, name=party, site_kind="warehouse", **place)])
        for seller in self.sellers:
            home = self.homes[seller]
            about = {"brand": "Bench", "gtin": "", "unit": "H87", "pack_each": 1, "category": "", "currency": "EUR"}
            own = [
                SetOwnItem(
                    circle=home, own_number=f"{seller}-{i}", description=i, part_number=i, cost_minor=500, **about
                )
                for i in self.items
            ]
            links = [LinkItem(circle=home, own_number=f"{seller}-{i}", item=i, method="brand_part") for i in self.items]
            lines = [CountLine(site=f"{seller}-1", own_number=f"{seller}-{i}", each=10**9) for i in self.items]
            self.submit(seller, [*own, *links, Count(circle=home, lines=lines, counted_at=0)])
            for buyer in self.buyers:
                self.submit(seller, [fact for item in self.items for fact in self._offer(seller, buyer, item)])

    def _offer(self, seller: str, buyer: str, item: str) -> list[Any]:
        offer, now = f"{seller}-{buyer}-{item}", int(self.node.clock())
        stock = {"own_number": f"{seller}-{item}", "site": f"{seller}-1", "lot": "", "owner": ""}
        back = Earmark(
            circle=self.homes[seller], offer=offer, each=10**8, minimum_price_minor=1, currency="EUR", **stock
        )
        place = {"country": "DE", "city": "Bremen", "latitude_microdeg": 53_000_000, "longitude_microdeg": 8_000_000}
        terms = {"unit_price_minor": 900, "currency": "EUR", "pack_each": 1, "minimum_each": 1, "lead_time_days": 2}
        made = MakeOffer(
            circle=self.circles[buyer, seller],
            offer=offer,
            each=10**8,
            expires_at=now + 300 * DAY,
            item=item,
            offer_kind="sell",
            firm=False,
            condition="new",
            lot_expiry_at=0,
            **place,
            **terms,
        )
        return [back, made]

    def order(self) -> list[tuple[str, Any]]:
        """(party, fact) of one three-line order with its confirmation, shipment and receipt, and one count."""
        n, now = self.orders, int(self.node.clock())
        self.orders += 1
        buyer, seller = self.buyers[n % len(self.buyers)], self.sellers[n // len(self.buyers) % len(self.sellers)]
        circle, order = self.circles[buyer, seller], f"order-{n:08d}"
        chosen = [self.items[(n * 7 + k * 13) % len(self.items)] for k in range(3)]
        lines = [
            PlaceLine(
                line=k,
                each=2,
                offer=f"{seller}-{buyer}-{item}",
                item=item,
                unit_price_minor=900,
                requested_at=now + 5 * DAY,
            )
            for k, item in enumerate(chosen, 1)
        ]
        place = PlaceOrder(
            circle=circle,
            order=order,
            buyer_party=buyer,
            seller_party=seller,
            currency="EUR",
            confirm_by=now + DAY,
            po_number=f"PO-{n}",
            deliver_to=DeliverTo(site=f"{buyer}-1"),
            lines=lines,
        )
        confirmed = [ConfirmLine(line=k, each=2, promised_at=now + 5 * DAY) for k in (1, 2, 3)]
        confirm = ConfirmOrder(circle=circle, order=order, lines=confirmed)
        shipped = [ShipLine(line=k, each=2) for k in (1, 2, 3)]
        ship = Ship(
            circle=circle, order=order, shipment=f"sh-{order}", arrive_by=now + 5 * DAY, lines=shipped, carrier="C"
        )
        receive = Receive(circle=circle, shipment=f"sh-{order}", site=f"{buyer}-1", received_by="N")
        return [(buyer, place), (seller, confirm), (seller, ship), (buyer, receive), (seller, self.count(seller, n))]

    def fill(self, facts: int) -> None:
        """Go on until so many facts of orders are written."""
        waiting: list[Any] = []
        while self.orders * 5 < facts:
            waiting += [self.node.path.submit(self.node.wallet.sign(party, fact)) for party, fact in self.order()]
            if len(waiting) >= 4_000 or self.orders * 5 >= facts:
                for reply in waiting:
                    assert reply.result(120).first_refusal is None
                waiting = []

    def count(self, seller: str, n: int) -> Count:
        """A count of one line."""
        number = f"{seller}-{self.items[n % len(self.items)]}"
        line = CountLine(site=f"{seller}-1", own_number=number, each=10**9)
        return Count(circle=self.homes[seller], lines=[line], counted_at=0)
