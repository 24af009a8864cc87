"""Offers: what we offer and to whom, what is offered to us, and one form that earmarks stock and offers it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request, get, post
from litestar.response import Response, Template

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.catalog import queries as catalog
from hanse.rooms.inventory import offer_queries as offering
from hanse.rooms.inventory import queries as stock
from hanse.rooms.inventory.offer_facts import (
    OFFERS,
    Condition,
    Earmark,
    MakeOffer,
    OfferKind,
    WithdrawOffer,
)
from hanse.rooms.parties import queries as parties
from hanse.rooms.parties.facts import SITES
from hanse.site.desks import desk
from hanse.site.menu import STORE, Entry
from hanse.site.pages_forms import Fields, Given, Where, address, attempt, day_after, exported, table_view, tail
from hanse.site.places import Places
from hanse.web import (
    Badge,
    Column,
    Link,
    Money,
    Read,
    Reader,
    Refusal,
    Session,
    Table,
    go,
    needs_role,
    not_here,
    page,
)
from hanse.web.formats import decimal

CARD = "/stock/card/"
OFFER = "/offers/o/"
KINDS = {"sell": "for sale", "lend": "to lend"}
CONDITIONS = tuple(Condition.__args__)  # type: ignore[attr-defined]
OFFER_KINDS = tuple(OfferKind.__args__)  # type: ignore[attr-defined]
OFFERED_MAX = 1_000
CHOICES_SHOWN = 20
"""Own numbers that the form for an offer lists before one is chosen."""


def home_desk(read: Read, session: Session) -> Desk:
    """The reader's desk, where their firm has a home here; else these pages do not exist."""
    found = desk(read, session)
    if not found.view.home:
        raise not_here()
    return found


def card_address(own_number: str) -> str:
    """Where an own number's stock card is."""
    return address(CARD, own_number)


def offer_page_address(offer: str) -> str:
    """Where an offer is shown."""
    return address(OFFER, offer)


def offer_address(own_number: str) -> str:
    """Where stock of an own number is offered."""
    return f"/offers/new?{urlencode({'number': own_number})}"


def site_options(found: Desk) -> list[tuple[str, str]]:
    """The firm's sites for a form."""
    rows = parties.sites(found.view)
    return [(s.site, f"{s.name}, {s.city}" if s.city and s.city != s.name else s.name) for s in rows]


def party_link(view: View, places: Places, party: str) -> Link:
    """A party by its name."""
    row = parties.party(view, party)
    return Link(row.name if row else party, places.of("party", party))


def item_words(view: View, item: str) -> str:
    """An item as people call it: brand, part number, description."""
    row = catalog.item(view, item)
    return " ".join(part for part in (row.brand, row.part_number, row.description) if part) if row else item


def item_name(view: View, item: str) -> str:
    """An item's description alone, for narrow columns."""
    row = catalog.item(view, item)
    return (row.description if row else "") or item_words(view, item)


def partner_options(view: View, *, groups: bool = True) -> list[tuple[str, str]]:
    """Whom the reader can trade with: (circle, words), groups first."""
    found = []
    for card in parties.circles(view):
        others = [member.name for member in card.members if not member.mine]
        if card.purpose == "group" and groups:
            found.append((0, f"{card.name} (group of {len(card.members)})", card.circle))
        elif card.purpose == "relationship" and others:
            found.append((1, others[0], card.circle))
    return [(circle, words) for _, words, circle in sorted(found)]


def audience_words(view: View, circle: str) -> str:
    """To whom something is offered, in words; "" for nobody yet."""
    return dict(partner_options(view)).get(circle, "") if circle else "not offered yet"


MINE = Table(
    id="my-offers",
    prefix="m-",
    columns=(
        Column("item", "Item", "link", sortable=True, wide=True),
        Column("number", "Brand and part number", sortable=True, shown=False),
        Column("audience", "To", sortable=True, filterable=True),
        Column("kind", "Kind", "badge", filterable=True, facets=tuple(KINDS.values())),
        Column("each", "Offered", "quantity", unit="each", sortable=True),
        Column("open_each", "Still open", "quantity", unit="each", sortable=True),
        Column("price", "Price of one", "money", sortable=True),
        Column("ends", "Ends", "day", sortable=True),
        Column("firm", "Terms", "badge"),
        Column("then", "Offer", "link"),
        Column("offer", "Number", shown=False),
        Column("position", "Entry", "proof"),
    ),
    sort="ends,item",
    page_rows=20,
)
TO_ME = Table(
    id="offers-to-me",
    prefix="t-",
    columns=(
        Column("item", "Item", "link", sortable=True, wide=True),
        Column("number", "Brand and part number", sortable=True, shown=False),
        Column("party", "From", "link", sortable=True, filterable=True),
        Column("place", "Place", sortable=True, shown=False),
        Column("kind", "Kind", "badge", filterable=True, facets=tuple(KINDS.values())),
        Column("open_each", "Up to", "quantity", unit="each", sortable=True),
        Column("price", "Price of one", "money", sortable=True, filterable=True),
        Column("days", "Leaves in", "number", unit="days", sortable=True),
        Column("ends", "Ends", "day", sortable=True),
        Column("firm", "Terms", "badge"),
        Column("then", "Offer", "link"),
        Column("offer", "Number", shown=False),
        Column("position", "Entry", "proof", shown=False),
    ),
    sort="item,price",
    page_rows=20,
    search="Item, firm or place",
)


def _row(view: View, places: Places, card: offering.OfferCard, audiences: dict[str, str]) -> dict[str, Any]:
    words = " ".join(part for part in (card.brand, card.part_number) if part) or card.item
    return {
        "offer": card.offer, "item": Link(card.description or words, places.of("item", card.item)), "number": words,
        "then": Link("Open", offer_page_address(card.offer)),
        "audience": audiences.get(card.circle, ""), "kind": Badge(KINDS[card.offer_kind], "info"),
        "party": Link(card.party_name, places.of("party", card.party)), "each": card.each,
        "open_each": card.open_each, "price": Money(card.unit_price_minor, card.currency), "days": card.lead_time_days,
        "place": ", ".join(part for part in (card.city, card.country) if part), "ends": card.expires_at,
        "firm": Badge("binding", "good") if card.firm else Badge("on request"), "position": card.position,
    }  # fmt: skip


@get("/offers", sync_to_thread=True)
def offers_page(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where) -> Any:
    """What we offer, and what others offer to us."""
    found = home_desk(read, session)
    view, audiences = found.view, dict(partner_options(found.view))
    mine = [_row(view, places, card, audiences) for card in offering.offers(view, mine=True, limit=OFFERED_MAX)]
    theirs = [_row(view, places, card, audiences) for card in offering.offers(view, limit=OFFERED_MAX)]
    if (file := exported(request, (MINE, mine), (TO_ME, theirs))) is not None:
        return file
    may = found.may(MakeOffer)
    return page(
        "inventory/offers.html", title="Offers", may=may, mine_n=len(mine), theirs_n=len(theirs), most=OFFERED_MAX,
        mine=table_view(request, MINE, mine, "You offer nothing yet.", ("Make an offer", "/offers/new") if may else
                        None),
        theirs=table_view(request, TO_ME, theirs, "Nobody offers anything to you yet.", ("Members", "/parties")),
    )  # fmt: skip


# -- one offer -----------------------------------------------------------------------------------------------------


def card_of(view: View, offer: str) -> offering.OfferCard:
    """An offer that the reader may see. Raises: 404."""
    row = view.get(OFFERS, offer)
    card = offering.offer(view, row.circle, offer) if row else None
    if card is None:
        raise not_here()
    return card


def offer_template(
    found: Desk, places: Places, offer: str, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None
) -> Template:
    """An offer's page; `given`: what was typed of an order that was refused. Raises: 404."""
    view = found.view
    card = card_of(view, offer)
    mine = card.party == view.party
    backing = offering.my_offer_backing(view, offer) if mine else None
    return page(
        "inventory/offer.html", title=f"Offer of {card.description or card.item}", crumbs=(("Offers", "/offers"),),
        status=status, refusal=refusal, card=card,
        mine=mine, backing=backing, may_withdraw=mine and not card.ended and found.may(WithdrawOffer),
        item=Link(item_words(view, card.item), places.of("item", card.item)),
        party=party_link(view, places, card.party), audience=audience_words(view, card.circle),
        kind=KINDS[card.offer_kind], taken_each=card.each - card.open_each,
        card_href=card_address(backing.own_number) if backing else "",
        order_href=f"/find?{urlencode({'i': card.item, 'n': card.minimum_each or 1})}",
        may_order=not mine and not card.ended and found.may("orders.place"), given=given or {},
        sites=site_options(found), lent=card.offer_kind == "lend",
    )  # fmt: skip


@get(OFFER + "{offer:path}", sync_to_thread=True)
def offer_page(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where) -> Template:
    """One offer, to those to whom it is made."""
    asked = request.query_params.get("n", "")
    given = {"each": asked} if asked.isascii() and asked.isdigit() and len(asked) < 16 else None
    return offer_template(home_desk(read, session), places, tail(request, OFFER), given=given)


@post("/offers/withdraw", sync_to_thread=True)
def withdraw(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Take an offer back; what was reserved stands."""
    given, found = Given(data), home_desk(read, session)
    offer = given.text("offer", "Offer", required=True, most=80)
    card = card_of(found.view, offer)

    def act() -> Response[Any]:
        found.do(WithdrawOffer(circle=card.circle, offer=offer))
        return go("/offers", notice="Withdrawn. What was reserved of it stands.")

    return attempt(act, lambda status, refusal: offer_template(found, places, offer, status, refusal))


# -- a new offer ---------------------------------------------------------------------------------------------------


def _form(
    found: Desk, own_number: str, *, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None
) -> Template:
    view = found.view
    card = stock.stock_card(view, own_number, movements_max=1) if own_number else None
    lines = stock.stock_list(view, only="free", limit=1_000)
    own = card.own if card else None
    currency = (own.currency if own else "") or "EUR"
    cost = Money(*stock.cost_of_one(card.stock if card else (), currency))
    minimum = _minimum(card, currency)
    free = [row for row in card.stock if row.free_each and not row.owner] if card else []
    most = sorted((line for line in lines if line.item), key=lambda line: -line.free_each)[:CHOICES_SHOWN]
    return page(
        "inventory/offer_form.html", title="Make an offer", crumbs=(("Offers", "/offers"),), status=status,
        refusal=refusal, given=given or {}, own_number=own_number, card=card, lines=lines, currency=currency,
        choices=[[Link(line.own_number, offer_address(line.own_number)), line.description, line.free_each]
                 for line in most],
        audiences=partner_options(view), until=day_after(view.now, 30), offer_kinds=list(KINDS.items()),
        conditions=[(c, c) for c in CONDITIONS], cost=cost, minimum=minimum, free=free,
        stock_options=[(f"{row.site}\n{row.lot}", f"{row.site_name}, {'lot ' + row.lot + ', ' if row.lot else ''}"
                        f"{row.free_each:,} each free") for row in free],
        price=decimal(minimum.minor, currency) if minimum.minor and minimum.currency == currency else "",
    )  # fmt: skip


def _minimum(card: stock.StockCard | None, currency: str) -> Money:
    policy = card.policy if card else None
    return Money(policy.minimum_price_minor, policy.currency or currency) if policy else Money(0, currency)


@get("/offers/new", sync_to_thread=True)
def new_offer_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Template:
    """Choose stock, then say how much of it, to whom, at what price, until when."""
    needs_role(session, "owner", "seller")
    return _form(home_desk(read, session), request.query_params.get("number", "").strip())


@post("/offers", sync_to_thread=True)
def make_offer(session: Reader, read: Read, data: Fields) -> Any:
    """Earmark stock and offer it."""
    given, found = Given(data), home_desk(read, session)
    own_number = given.text("own_number", "Own number", required=True, most=80)

    def act() -> Response[Any]:
        offer = found.node.wallet.new_id("offer")[:16]
        mark, made = _facts(found, given, own_number, offer)
        found.check(made)
        found.do(mark)
        if refusal := offering.offer_refusal(found.view, made):
            raise Refused.of(refusal)
        found.do(made)
        return go(offer_page_address(offer), notice="Offered.")

    return attempt(act, lambda status, refusal: _form(found, own_number, status=status, refusal=refusal, given=data))


def _facts(found: Desk, given: Given, own_number: str, offer: str) -> tuple[Earmark, MakeOffer]:
    """What the form says, as the two things to sign. Refuses, in order: as `Given`; offers.no_audience."""
    view = found.view
    circle = given.text("circle", "To whom", required=True, most=80)
    if circle not in dict(partner_options(view)):
        raise Refusal("offers.no_audience", "Choose a partner or a group.", got=circle, next="Open a relationship.")
    site, _, lot = given.text("stock", "Stock", required=True).partition("\n")
    site, lot = site.strip(), lot.strip()
    each, currency = given.whole("each", "Quantity", low=1), given.currency(default="EUR")
    place = view.get(SITES, view.home, site)
    own = catalog.own_item(view, own_number)
    mark = Earmark(
        circle=view.home, offer=offer, own_number=own_number, site=site, lot=lot, owner="", each=each,
        minimum_price_minor=given.minor("minimum", "Minimum price", currency, default="0"), currency=currency,
    )  # fmt: skip
    made = MakeOffer(
        circle=circle, offer=offer, each=each, expires_at=given.day_end("until", "Until"),
        item=own.item if own and own.item else own_number, offer_kind=given.choice("kind", "Kind", OFFER_KINDS),
        country=place.country if place else "DE", city=place.city if place else "",
        latitude_microdeg=place.latitude_microdeg if place else 0,
        longitude_microdeg=place.longitude_microdeg if place else 0,
        unit_price_minor=given.minor("price", "Price of one", currency), currency=currency,
        pack_each=given.whole("pack_each", "Pack", low=1, high=10**9, default=1),
        minimum_each=given.whole("minimum_each", "Smallest order", default=1),
        lead_time_days=given.whole("lead_time_days", "Leaves in", high=3650, default=1), firm=given.flag("firm"),
        condition=given.choice("condition", "Condition", CONDITIONS), lot_expiry_at=0,
    )  # fmt: skip
    return mark, made


NAV = [Entry("Offers", "/offers", "Stock", STORE)]
PAGES: list[Any] = [offers_page, new_offer_page, make_offer, withdraw, offer_page]
