"""Matching: own numbers that wait for an item, the most money first, with suggestions and their reasons."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.response import Response, Template

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.catalog import queries as catalog
from hanse.rooms.catalog.facts import ITEMS, LinkItem, PublishItem, UnlinkItem
from hanse.rooms.catalog.page_rejected import Rejected
from hanse.site import pages_market as market
from hanse.site import suggesting
from hanse.site.desks import desk
from hanse.site.menu import STORE, Entry
from hanse.site.pages_forms import Fields, Given, Where, attempt
from hanse.site.places import Places
from hanse.web import Badge, Link, Money, Read, Reader, Refusal, Session, go, not_here, page
from hanse.web.charts import Series, bars

LINES = 15
PAGE_WAIT_SECONDS = 0.8
CERTAIN_MAX = 20_000
METHODS = {"gtin": "same GTIN", "brand_part": "brand and part number", "accepted": "by hand", "own": "own item"}


def _desk(read: Read, session: Session) -> Desk:
    found = desk(read, session)
    if not found.view.home:
        raise not_here()
    return found


def _options(
    view: View, places: Places, number: str, found: list[suggesting.Suggested], no: set[tuple[str, str]]
) -> list[dict[str, Any]]:
    rows = []
    for one in found:
        item = view.get(ITEMS, one.item)
        if item is None or (number, one.item) in no:
            continue
        rows.append(
            {
                "item": one.item, "link": Link(item.description, places.of("item", one.item)),
                "known": " ".join(part for part in (item.brand, item.part_number) if part), "gtin": item.gtin,
                "reasons": one.reasons,
                "badge": _sure(one),
            }
        )  # fmt: skip
    return rows


def _sure(one: suggesting.Suggested) -> Badge:
    """How sure a suggestion is, in a word."""
    percent = round(one.score * 100)
    if one.certain:
        return Badge("certain", "good")
    if percent == 100:
        return Badge("very likely", "info")
    return Badge(f"{percent} % alike", "info" if percent >= 80 else "" if percent >= 50 else "warn")


def _page(found: Desk, places: Places, start: int, status: int = 200, refusal: Any = None) -> Template:
    view = found.view
    share = catalog.matching(view)
    ready = suggesting.suggestions(view, found.node.net, wait_seconds=PAGE_WAIT_SECONDS)
    known = ready or {}
    no = Rejected(found.node.directory, view.party).all()
    lines = [
        {
            "line": line, "href": places.of("own", line.own_number), "value": Money(line.value_minor, line.currency),
            "options": _options(view, places, line.own_number, known.get(line.own_number, []), no),
        }
        for line in market.open_lines(view, LINES, start)
    ]  # fmt: skip
    left = share.lines - share.lines_matched
    return page(
        "catalog/matching.html", title="Matching", status=status, refusal=refusal, share=share, left=left,
        money=market.money_share(view), lines=lines, may=found.may(LinkItem),
        may_publish=found.may(PublishItem) and found.may(LinkItem),
        working=ready is None, certain=len(_certain(known, no)), no=len(no), chart=_chart(share, left),
        start=start, back=max(0, start - LINES) if start else None,
        more=start + LINES if start + LINES < left else None,
    )  # fmt: skip


def _chart(share: catalog.Matching, left: int) -> Any:
    named = [(METHODS.get(method, method), count) for method, count in sorted(share.by_method.items())]
    rows = [*named, ("not matched", left)]
    return bars(
        "How your own numbers are matched", [name for name, _ in rows], [Series("Lines", [n for _, n in rows])],
        unit="lines", horizontal=True,
    )  # fmt: skip


def _certain(known: Any, no: set[tuple[str, str]]) -> list[tuple[str, suggesting.Suggested]]:
    return [
        (number, options[0])
        for number, options in sorted(known.items())
        if options and options[0].certain and (number, options[0].item) not in no
    ]


def _start(request: Request[Any, Any, Any]) -> int:
    text = request.query_params.get("from", "0")
    return int(text) if text.isdigit() and len(text) < 8 else 0


@get("/matching", sync_to_thread=True)
def matching_page(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where) -> Template:
    """Shares of lines and money, and the worklist."""
    return _page(_desk(read, session), places, _start(request))


@post("/matching/accept", sync_to_thread=True)
def accept(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """This own number is this item."""
    given, found = Given(data), _desk(read, session)
    start = given.whole("from", "From", high=10**7, default=0)

    def act() -> Response[Any]:
        view = found.view
        number = given.text("own_number", "Own number", required=True, most=80)
        asked = given.text("item", "Item", required=True)
        item = catalog.item_by_any(view, asked)
        if item is None:
            raise Refusal("catalog.unknown_item", "The catalogue has no such item.", got=asked, next="Publish it.")
        options = (suggesting.suggestions(view, found.node.net) or {}).get(number, [])
        method = next((s.method for s in options if s.item == item.item), "accepted")
        found.do(LinkItem(circle=view.home, own_number=number, item=item.item, method=method))
        return go(f"/matching?from={start}" if start else "/matching", notice=f"{number} is matched.")

    return attempt(act, lambda status, refusal: _page(found, places, start, status, refusal))


@post("/matching/reject", sync_to_thread=True)
def reject(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """Not this item: it is not suggested again."""
    given, found = Given(data), _desk(read, session)
    if not found.may(LinkItem):
        raise not_here()
    number = given.text("own_number", required=True, most=80)
    Rejected(found.node.directory, found.view.party).add(number, given.text("item", required=True, most=80))
    start = given.whole("from", "From", high=10**7, default=0)
    return go(f"/matching?from={start}" if start else "/matching", notice="Not suggested again.")


@post("/matching/certain", sync_to_thread=True)
def accept_certain(session: Reader, read: Read, places: Where) -> Any:
    """Link every own number whose GTIN, or brand and part number, names one item."""
    found = _desk(read, session)

    def act() -> Response[Any]:
        view = found.view
        no = Rejected(found.node.directory, view.party).all()
        pairs = _certain(suggesting.suggestions(view, found.node.net) or {}, no)[:CERTAIN_MAX]
        links = [
            LinkItem(circle=view.home, own_number=number, item=one.item, method=one.method) for number, one in pairs
        ]
        if links:
            found.do_all(links)
        return go("/matching", notice=f"{len(links)} own numbers matched.")

    return attempt(act, lambda status, refusal: _page(found, places, 0, status, refusal))


@post("/matching/unlink", sync_to_thread=True)
def unlink(session: Reader, read: Read, places: Where, data: Fields) -> Response[Any]:
    """Take a match back."""
    given, found = Given(data), _desk(read, session)
    number = given.text("own_number", "Own number", required=True, most=80)
    found.do(UnlinkItem(circle=found.view.home, own_number=number))
    return go("/matching", notice=f"{number} is matched to nothing now.")


@post("/matching/again", sync_to_thread=True)
def suggest_again(session: Reader, read: Read) -> Response[Any]:
    """Suggest what was refused again."""
    found = _desk(read, session)
    if not found.may(LinkItem):
        raise not_here()
    count = Rejected(found.node.directory, found.view.party).clear()
    return go("/matching", notice=f"{count} suggestions are shown again.")


def _waiting(view: View) -> int:
    share = catalog.matching(view) if view.home else None
    return share.lines - share.lines_matched if share else 0


NAV = [Entry("Matching", "/matching", "Catalogue", STORE, _waiting)]
PAGES: list[Any] = [matching_page, accept, reject, accept_certain, unlink, suggest_again]
