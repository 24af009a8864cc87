"""The stock card: one own number, where it stands, what it is promised to, and the forms that change it."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.response import Response, Template

from hanse.kernel.facts import Fact
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.catalog.facts import SetOwnItem
from hanse.rooms.inventory import offer_queries as offering
from hanse.rooms.inventory import page_offers
from hanse.rooms.inventory import queries as stock
from hanse.rooms.inventory.facts import (
    UNCHANGED_COST,
    Adjust,
    AdjustLine,
    AdjustReason,
    Count,
    CountLine,
    Move,
    RecordSerials,
    SetPolicy,
)
from hanse.rooms.inventory.offer_facts import MakeOffer
from hanse.rooms.inventory.page_offers import CARD, card_address, home_desk, offer_address, party_link, site_options
from hanse.rooms.parties.queries import sites
from hanse.site import pages_market as market
from hanse.site.pages_forms import Accounts, Fields, Given, Where, attempt, note_seen, tail
from hanse.site.places import Places
from hanse.web import Badge, Link, Money, Read, Reader, Session, go, not_here, page
from hanse.web.charts import Series, line
from hanse.web.formats import time_text

SERIALS_SHOWN = 500
SIGNED_HERE: tuple[type[Fact], ...] = (Count, Adjust, Move, RecordSerials, SetPolicy, MakeOffer, SetOwnItem)
REASONS = tuple(AdjustReason.__args__)  # type: ignore[attr-defined]


def freshness(days: int) -> Badge:
    """How old the figure is: the age of the oldest count among stock that is there.

    >>> freshness(-1).text, freshness(0).text, freshness(95).tone
    ('never counted', 'counted today', 'warn')
    """
    if days < 0:
        return Badge("never counted", "warn")
    text = "counted today" if days == 0 else "counted yesterday" if days == 1 else f"counted {days} days ago"
    return Badge(text, "good" if days <= 30 else "info" if days <= 90 else "warn")


def _levels(card: stock.StockCard) -> Any:
    """On hand after each of the newest movements of the firm's own goods, oldest first, as a step chart."""
    mine = [m for m in card.movements if m.owner == ""]
    if not mine:
        return None
    level = card.total.on_hand_each if card.total else 0
    points: list[tuple[str, int]] = []
    for movement in mine:
        points.append((time_text(movement.made_at, with_time=False), level))
        level -= movement.each
    points.append(("before", level))
    points.reverse()
    merged = {day: on_hand for day, on_hand in points}
    note = "The newest 50 movements." if len(card.movements) >= 50 else ""
    return line("On hand", list(merged), [Series("On hand", list(merged.values()))], unit="each", step=True, note=note)


def _movement_words(movement: Any) -> str:
    """A movement's reason in the trade's words."""
    words = {"count": "counted", "move": "moved", "ship": "shipped", "receive": "received"}
    return words.get(movement.reason, str(movement.reason).replace("_", " "))


def _tables(found: Desk, card: stock.StockCard, places: Places) -> dict[str, Any]:
    view = found.view
    names = {s.site: s.name for s in sites(view)}
    offers = {o.offer: o for o in offering.offers(view, mine=True, limit=1_000)}
    return {
        "lots": [
            [r.site_name, r.lot, party_link(view, places, r.owner) if r.owner else "own", r.on_hand_each,
             r.allocated_each, r.set_aside_each, r.free_each, r.counted_at, r.position]
            for r in card.stock
        ],
        "holds": [
            [Link(h.order_id, places.of("order", h.order_id)), names.get(h.site, h.site), h.lot, h.each, h.position]
            for h in card.holds
        ],
        "earmarks": [
            [_behind(view, e.audience, e.offer, offers.get(e.offer)),
             page_offers.audience_words(view, e.audience), e.each, e.allocated_each,
             Money(e.minimum_price_minor, e.currency), 
             Badge("binding", "good") if e.firm else Badge("on request"), e.position]
            for e in card.earmarks
        ],
        "serials": [
            [s.serial, names.get(s.site, s.site), s.lot, Badge("here", "good") if s.here else Badge("gone"),
             _reference(view, s.reference, places), s.position]
            for s in stock.serials(view, card.own.own_number, limit=SERIALS_SHOWN)
        ],
        "movements": [
            [m.made_at, m.each, _movement_words(m), _reference(view, m.reference, places),
             names.get(m.site, m.site), m.lot, m.position]
            for m in card.movements
        ],
    }  # fmt: skip


def _behind(view: View, circle: str, name: str, card: offering.OfferCard | None) -> Link:
    """What stock is set behind: an offer by its kind and end, or a transfer."""
    if card is not None:
        kind = page_offers.KINDS[card.offer_kind]
        words = f"{kind[:1].upper()}{kind[1:]} until {time_text(card.expires_at, with_time=False)}"
        return Link(words, page_offers.offer_page_address(name))
    moves = circle and offering.transfer(view, circle, name) is not None
    return Link("Transfer", "/transfers") if moves else Link(name, "")


def _reference(view: View, text: str, places: Places) -> Any:
    return Link(market.called(view, text), places.of("order", text)) if text and " " not in text else text


def _card(
    request: Request[Any, Any, Any],
    session: Session,
    read: Any,
    places: Places,
    own_number: str,
    *,
    status: int = 200,
    refusal: Any = None,
    given: dict[str, Any] | None = None,
    form: str = "",
) -> Template:
    found = home_desk(read, session)
    card = stock.stock_card(found.view, own_number)
    if card is None:
        raise not_here()
    own, mine = card.own, [row for row in card.stock if not row.owner]
    return page(
        "inventory/card.html", title=own.own_number, crumbs=(("Stock", "/stock"),), status=status, card=card,
        uncosted=sum(row.on_hand_each - row.unvalued_each for row in mine if not row.unit_cost_minor),
        costed_of=sum(row.on_hand_each for row in mine),
        chart=_levels(card), fresh=freshness(card.counted_days), tables=_tables(found, card, places),
        item_href=places.of("item", own.item) if own.item else "", offer_href=offer_address(own.own_number),
        forecast_href=places.of("forecast", own.own_number),
        may={kind.kind: found.may(kind) for kind in SIGNED_HERE},
        sites=site_options(found), lots=_lot_options(card), reasons=[(r, r) for r in REASONS],
        refusal=refusal, given=given or {}, form=form, currency=own.currency or "EUR",
    )  # fmt: skip


def _lot_options(card: stock.StockCard) -> list[tuple[str, str]]:
    """The lots of the firm's own goods."""
    lots = sorted({row.lot for row in card.stock if not row.owner})
    return [(lot, lot or "no lot") for lot in lots] or [("", "no lot")]


@get(CARD + "{number:path}", sync_to_thread=True, opt={"reader": True})
def card_page(
    request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, accounts: Accounts
) -> Template:
    """All about one own number."""
    own_number = tail(request, CARD)
    found = _card(request, session, read, places, own_number)
    note_seen(accounts, session, f"stock:{own_number}", request)
    return found


def _sign(
    request: Request[Any, Any, Any], session: Session, read: Any, places: Places, data: Any, form: str, make: Any,
    done: str,
) -> Any:  # fmt: skip
    """Read a form of the card, sign what it says, and show the card again."""
    given = Given(data)
    own_number = given.text("own_number", "Own number", required=True, most=80)

    def act() -> Response[Any]:
        found = home_desk(read, session)
        found.do(make(found, given, own_number))
        return go(card_address(own_number), notice=done)

    def again(status: int, refusal: Any) -> Template:
        return _card(request, session, read, places, own_number, status=status, refusal=refusal, given=data, form=form)

    return attempt(act, again)


@post("/stock/count", sync_to_thread=True)
def count(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """What was counted of one lot at one site."""

    def make(found: Desk, given: Given, own_number: str) -> Count:
        currency = given.currency(default="EUR")
        cost = given.minor("unit_cost", "Cost of one", currency) if given.text("unit_cost") else UNCHANGED_COST
        counted = CountLine(
            site=given.text("site", "Site", required=True), own_number=own_number, lot=given.text("lot", most=80),
            each=given.whole("each", "Counted"), unit_cost_minor=cost,
        )  # fmt: skip
        return Count(circle=found.view.home, counted_at=0, lines=[counted])

    return _sign(request, session, read, places, data, "count", make, "Counted.")


@post("/stock/adjust", sync_to_thread=True)
def adjust(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """A change that no order explains."""

    def make(found: Desk, given: Given, own_number: str) -> Adjust:
        change = AdjustLine(
            site=given.text("site", "Site", required=True), own_number=own_number, lot=given.text("lot", most=80),
            each=given.whole("each", "Change", low=-(10**15)), reason=given.choice("reason", "Reason", REASONS),
            note=given.text("note", "Note"),
        )  # fmt: skip
        return Adjust(circle=found.view.home, lines=[change])

    return _sign(request, session, read, places, data, "adjust", make, "Adjusted.")


@post("/stock/move", sync_to_thread=True)
def move(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Free stock from one own site to another."""

    def make(found: Desk, given: Given, own_number: str) -> Move:
        return Move(
            circle=found.view.home, own_number=own_number, lot=given.text("lot", most=80), owner="",
            from_site=given.text("from_site", "From", required=True),
            to_site=given.text("to_site", "To", required=True), each=given.whole("each", "Quantity", low=1),
        )  # fmt: skip

    return _sign(request, session, read, places, data, "move", make, "Moved.")


@post("/stock/policy", sync_to_thread=True)
def policy(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Minimum price, and what the firm keeps for its own customers."""

    def make(found: Desk, given: Given, own_number: str) -> SetPolicy:
        currency = given.currency(default="EUR")
        return SetPolicy(
            circle=found.view.home, own_number=own_number, currency=currency,
            minimum_price_minor=given.minor("minimum_price", "Minimum price", currency, default="0"),
            keep_each=given.whole("keep_each", "Keep", default=0),
        )  # fmt: skip

    return _sign(request, session, read, places, data, "policy", make, "Saved.")


@post("/stock/serials", sync_to_thread=True)
def record_serials(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Serial numbers that stand at a site in a lot; one that stood elsewhere stands there now."""

    def make(found: Desk, given: Given, own_number: str) -> RecordSerials:
        return RecordSerials(
            circle=found.view.home, own_number=own_number, site=given.text("site", "Site", required=True),
            lot=given.text("lot", most=80),
            serials=given.text("serials", "Serial numbers", required=True, most=40_000).replace(",", " ").split(),
        )  # fmt: skip

    return _sign(request, session, read, places, data, "serials", make, "Recorded.")


PAGES: list[Any] = [card_page, count, adjust, move, policy, record_serials]
