"""A site with sample data that shows every component of the shell; the browser tests look at it.

Run it by `python tests/web/gallery.py` and open the address that it prints.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from litestar import Litestar, Request, get, post
from litestar.response import Template
from sample_proof import sample_proof

from hanse.web import (
    AccountStore,
    Badge,
    Bulk,
    Column,
    DemoRole,
    Found,
    Hit,
    Link,
    ListQuery,
    NavItem,
    Reader,
    Refusal,
    Session,
    Site,
    Table,
    create_app,
    go,
    listing,
    page,
)  # fmt: skip
from hanse.web.charts import Flow, Point, Series, band, bars, control, line, sparkline, waterfall, world
from hanse.web.memory import found_in

PASSWORD = "three herrings in brine"
START = 1_790_000_000
ITEMS = ("Ball bearing 6205-2RS", "Hydraulic seal 40x52x7", "V-belt SPA 1250", "Timing chain 08B-1", "O-ring NBR 70")
STATES = ("open", "confirmed", "shipped", "delivered", "late", "disputed")

ORDERS = Table(
    id="orders",
    columns=(
        Column("id", "Order", "link", sortable=True, wide=True),
        Column("item", "Item", filterable=True, sortable=True),
        Column("qty", "Quantity", "quantity", unit="each", sortable=True, filterable=True),
        Column("total_minor", "Total", "money", currency_key="currency", sortable=True, filterable=True),
        Column("status", "State", "badge", sortable=True, filterable=True, facets=STATES),
        Column("placed_at", "Placed", "time", sortable=True, filterable=True),
        Column("proof", "Entry", "proof"),
        Column("share", "Filled", "percent", shown=False),
    ),
    sort="-placed_at",
    page_rows=12,
    bulk=(Bulk("Confirm", "/gallery/confirm"), Bulk("Cancel", "/gallery/cancel", danger=True)),
    search="Item or order",
)


def orders() -> list[dict[str, Any]]:
    """Sixty made-up orders."""
    return [
        {
            "id": Link(f"A-{1000 + n}", f"/gallery/orders/A-{1000 + n}"),
            "item": ITEMS[n % 5],
            "qty": 5 + n * 7 % 240,
            "total_minor": 12_345 + n * 98_765 % 900_000,
            "currency": "EUR",
            "status": STATES[n * 5 % 6],
            "placed_at": START - n * 7_200,
            "proof": 48_000 + n,
            "share": 1_000_000 - n * 9_000,
        }
        for n in range(60)
    ]


ROWS = orders()
TIMELINE = [
    {"at": START, "title": "Order placed", "detail": "20 each for Kranbau Rostock", "proof": 48_001},
    {"at": START + 3600, "title": "Order confirmation signed by Baltic Bearings", "proof": 48_007},
    {"at": START + 90_000, "title": "Left Lübeck with a neutral packing slip", "proof": 48_112, "state": "late"},
    {"at": START + 172_800, "title": "On the way", "detail": "Promised for 24 Sep", "state": "now"},
    {"at": START + 260_000, "title": "Proof of delivery, signed by both", "state": "next"},
]
WEEKS = [f"W{n}" for n in range(20, 44)]
PLACES = (("Lübeck", 53.87, 10.69, 420), ("Bergen", 60.39, 5.32, 130), ("Riga", 56.95, 24.11, 260),
          ("Brugge", 51.21, 3.22, 180), ("Gdańsk", 54.35, 18.65, 310))  # fmt: skip


def charts() -> dict[str, Any]:
    """One chart of each kind."""
    actual: list[float | None] = [round(40 + 12 * ((n * 7) % 5 - 2) / 2 + n * 0.8) for n in range(16)]
    none: list[float | None] = [None] * 15
    middle = [*none, actual[15], *(53 + n for n in range(8))]
    points = [Point(name, lat, lon, qty, "each", href="/gallery") for name, lat, lon, qty in PLACES]
    return {
        "forecast": band(
            "Demand of ball bearing 6205", WEEKS, [*actual, *[None] * 8],
            [*none, actual[15], *(45 - n for n in range(8))], middle,
            [*none, actual[15], *(61 + 3 * n for n in range(8))], unit="each a week", note="80 % of weeks fall inside.",
        ),
        "tiers": line("Price by committed quantity", ["0", "100", "250", "500", "1,000"],
                      [Series("Unit price", [12.4, 11.8, 11.1, 10.2, 9.6])], unit="EUR each", step=True),
        "bars": bars("Promise kept", ["Jun", "Jul", "Aug", "Sep"],
                     [Series("On time", [91, 94, 93, 97], "good"), Series("Late", [9, 6, 7, 3], "warn")], unit="%",
                     stacked=True),
        "value": waterfall("From list price to net", [("List", 1240, True), ("Tier rebate", -124, False),
                           ("Growth rebate", -36, False), ("Freight", 58, False), ("Late credit", -25, False),
                           ("Net", 1113, True)], unit="EUR"),
        "spc": control("Lead time, order by order", [f"A-{n}" for n in range(1, 19)],
                       [5, 6, 5, 7, 6, 5, 6, 8, 6, 5, 6, 12, 6, 5, 7, 6, 5, 6], centre=6.1, low=2.6, high=9.6,
                       unit="days", hrefs=["/gallery"] * 18),
        "map": world("Stock offered to you", points, [Flow("Gdańsk", "Lübeck", 40, "borrowed"),
                     Flow("Riga", "Bergen", 12, "lent")], unit="each"),
    }  # fmt: skip


def fetch(query: ListQuery) -> Found:
    """The sample orders that a query finds."""
    return found_in(ROWS, ORDERS, query)


@get("/gallery", sync_to_thread=False)
def gallery(request: Request[Any, Any, Any], session: Reader) -> Any:
    """Every component on one page."""
    context: dict[str, Any] = {
        "charts": charts(), "steps": TIMELINE, "proof_data": sample_proof(), "spark": sparkline([3, 5, 4, 6, 8, 7, 9]),
        "badges": [Badge(w) for w in STATES], "worst": "<script>alert('not markup')</script>",
        "refusal": {"code": "inventory.not_enough", "message": "Not enough is free.", "got": "7 each",
                    "expected": "at most 6 each of lot L1 at Lübeck", "next": "Lower the quantity.",
                    "retry": None},
    }  # fmt: skip
    crumbs = (("Today", "/"), ("Design", "/gallery"))
    return listing(request, ORDERS, fetch, template="gallery/gallery.html", title="Gallery", crumbs=crumbs, **context)


@get("/gallery/orders", sync_to_thread=False)
def order_list(request: Request[Any, Any, Any], session: Reader) -> Any:
    """A page that is one list."""
    return listing(request, ORDERS, fetch, title="Orders", crumbs=(("Today", "/"),))


@get("/gallery/empty", sync_to_thread=False)
def empty(request: Request[Any, Any, Any], session: Reader) -> Any:
    """A list with nothing in it."""
    return listing(request, ORDERS, lambda query: Found(()), title="Empty", empty="No orders yet.",
                   empty_next=("Import orders", "/gallery"))  # fmt: skip


@post("/gallery/confirm", sync_to_thread=False)
def confirm(request: Request[Any, Any, Any], session: Reader) -> Any:
    """A bulk action."""
    return go("/gallery", notice="Confirmed.")


@post("/gallery/part", sync_to_thread=False)
def part(session: Reader) -> str:
    """A part of a page, asked for by htmx."""
    return f"Reserved for {session.party}."


@get("/gallery/refused", sync_to_thread=False)
def refused(session: Reader) -> Template:
    """A refusal as a page."""
    raise Refusal("inventory.not_enough", "Not enough is free.", got="7 each", expected="at most 6 each",
                  next="Lower the quantity.")  # fmt: skip


@get("/gallery/fault", sync_to_thread=False)
def fault(session: Reader) -> Template:
    """A bug as a page."""
    raise RuntimeError("secret detail")


@get("/gallery/who", opt={"public": True}, sync_to_thread=False)
def public_page() -> Template:
    """A page for everybody."""
    return page("gallery/public.html", title="Public page")


def search(session: Session, text: str, limit: int) -> list[Hit]:
    """Sample search over items and orders."""
    words = text.casefold()
    hits = [Hit(r["id"].text, "Order", r["id"].href, f"{r['qty']} each {r['item']}") for r in ROWS]
    hits += [Hit(name, "Item", "/gallery", "offered by 3 members") for name in ITEMS]
    return [hit for hit in hits if words in hit.title.casefold() or words in hit.detail.casefold()][:limit]


def nav(session: Session) -> list[NavItem]:
    """A distributor's menu."""
    return [
        NavItem("Today", "/"), NavItem("Gallery", "/gallery"), NavItem("Orders", "/gallery/orders", count=7),
        NavItem("Borrow and lend", "/borrow", "Stock"), NavItem("Stock cards", "/stock", "Stock"),
        NavItem("Statements", "/statements", "Money"), NavItem("Contracts", "/contracts", "Partners"),
        NavItem("Scorecards", "/scorecards", "Partners"), NavItem("Explorer", "/explorer", "Record"),
    ]  # fmt: skip


def sample_site(folder: Path, **changes: Any) -> Site:
    """A site with two people: anna (two parties) and bo, who has a second factor in no test but his own."""
    accounts = AccountStore(folder / "accounts.db", hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    anna = accounts.add_user("anna@example.org", "Anna Krüger", PASSWORD)
    accounts.add_membership(anna, "p1", "manager", 500_000)
    accounts.add_membership(anna, "p2", "buyer")
    bo = accounts.add_user("bo@example.org", "Bo Lind", PASSWORD)
    accounts.add_membership(bo, "p2", "buyer", 0)
    names = {"p1": "Baltic Bearings GmbH", "p2": "Nordic Drives AS"}
    roles = [DemoRole(anna, "Distributor"), DemoRole(bo, "Customer")]
    given: dict[str, Any] = {
        "pages": [gallery, order_list, empty, confirm, part, refused, fault, public_page], "nav": nav, "search": search,
        "templates": [Path(__file__).parent / "pages" / "gallery"], "secure": False,
        "party_name": lambda p: names.get(p, p), "demo_roles": roles,
    }  # fmt: skip
    return Site(accounts=accounts, **{**given, **changes})


def make() -> Litestar:
    """The gallery with a throw-away accounts file."""
    return create_app(sample_site(Path(tempfile.mkdtemp(prefix="hanse-gallery-")), demo=True))


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(make(), host="127.0.0.1", port=8765)
