"""The own firm: profile, sites, to whom it sells, who may sell its brands. For owners."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.response import Response, Template

from hanse.gazetteer import find
from hanse.node.desk import Desk
from hanse.rooms.parties import queries as parties
from hanse.rooms.parties.facts import (
    FOREVER,
    AuthoriseChannel,
    DescribeParty,
    SetPermit,
    SetSite,
)
from hanse.site.desks import desk
from hanse.site.menu import OWNER, Entry
from hanse.site.pages_forms import Fields, Given, Where, attempt
from hanse.web import Badge, Link, Read, Reader, Refusal, Session, go, needs_role, not_here, page
from hanse.web.charts import Point, world

SITE_KINDS = ("warehouse", "shop", "plant", "office", "van", "customer", "other")
FIRM = (
    ("Profile", "/firm"), ("Sites", "/firm/sites"), ("Permits and channels", "/firm/permits"),
    ("People", "/firm/people"),
    ("Keys", "/firm/keys"),
)  # fmt: skip


def firm_desk(read: Read, session: Session) -> Desk:
    """An owner's desk; to others these pages do not exist."""
    needs_role(session, "owner")
    found = desk(read, session)
    if not found.view.home:
        raise not_here()
    return found


def base(request: Request[Any, Any, Any]) -> str:
    """This site's own address, as the reader reached it."""
    return f"{request.url.scheme}://{request.headers.get('host', '')}"


def country(given: Given) -> str:
    """An ISO 3166-1 alpha-2 code. Refuses: form.country."""
    found = given.text("country", "Country", required=True).upper()
    if not (len(found) == 2 and found.isascii() and found.isalpha()):
        raise Refusal("form.country", "The country is not known.", got=found, expected="two letters: DE")
    return found


# -- profile -------------------------------------------------------------------------------------------------------


def _profile(found: Desk, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None) -> Template:
    row = parties.party(found.view, found.view.party)
    start = {"name": row.name, "city": row.city, "country": row.country, "about": row.about} if row else {}
    return page(
        "parties/firm.html", title="Profile", status=status, refusal=refusal, given=given or start, row=row, tabs=FIRM
    )


@get("/firm", sync_to_thread=True)
def firm_page(session: Reader, read: Read) -> Template:
    """What everybody sees of us."""
    return _profile(firm_desk(read, session))


@post("/firm", sync_to_thread=True)
def describe(session: Reader, read: Read, data: Fields) -> Any:
    """Change the public profile."""
    given, found = Given(data), firm_desk(read, session)

    def act() -> Response[Any]:
        found.do(
            DescribeParty(
                name=given.text("name", "Name", required=True, most=120), city=given.text("city", "City", most=120),
                country=country(given), about=given.text("about", "About", most=8_000),
            )
        )  # fmt: skip
        return go("/firm", notice="Saved. Everybody sees it.")

    return attempt(act, lambda status, refusal: _profile(found, status, refusal, data))


# -- sites ---------------------------------------------------------------------------------------------------------


def _sites(found: Desk, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None) -> Template:
    rows = parties.sites(found.view)
    points = {
        f"{s.name} ({s.site})": Point(
            f"{s.name} ({s.site})", s.latitude_microdeg / 1e6, s.longitude_microdeg / 1e6, 1, s.site_kind
        )
        for s in rows
        if s.latitude_microdeg or s.longitude_microdeg
    }
    table = [
        [s.name, s.site, s.site_kind, ", ".join(p for p in (s.city, s.country) if p),
         f"{s.latitude_microdeg / 1e6:.3f}, {s.longitude_microdeg / 1e6:.3f}", s.position]
        for s in rows
    ]  # fmt: skip
    return page(
        "parties/sites.html", title="Sites", status=status, refusal=refusal, given=given or {}, rows=table, tabs=FIRM,
        chart=world("Your sites", list(points.values())) if points else None, kinds=[(k, k) for k in SITE_KINDS],
    )  # fmt: skip


@get("/firm/sites", sync_to_thread=True)
def sites_page(session: Reader, read: Read) -> Template:
    """Our places on the map, and a form for one more."""
    return _sites(firm_desk(read, session))


@post("/firm/sites", sync_to_thread=True)
def set_site(session: Reader, read: Read, data: Fields) -> Any:
    """Add a site, or change one of the same id. Without coordinates those of its city are taken."""
    given, found = Given(data), firm_desk(read, session)

    def act() -> Response[Any]:
        where, city = country(given), given.text("city", "City", most=120)
        latitude = given.microdegrees("latitude", "Latitude", 90)
        longitude = given.microdegrees("longitude", "Longitude", 180)
        known = find(city, where) if not (latitude or longitude) else None
        found.do(
            SetSite(
                circle=found.view.home, site=given.text("site", "Id", required=True, most=80),
                name=given.text("name", "Name", required=True), site_kind=given.choice("kind", "Kind", SITE_KINDS),
                country=where, city=city, latitude_microdeg=known.latitude_microdeg if known else latitude,
                longitude_microdeg=known.longitude_microdeg if known else longitude,
                address=given.text("address", "Address"),
            )
        )  # fmt: skip
        return go("/firm/sites", notice="Saved.")

    return attempt(act, lambda status, refusal: _sites(found, status, refusal, data))


# -- permits and channels ------------------------------------------------------------------------------------------


def _permits(
    found: Desk, places: Any, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None
) -> Template:
    view = found.view
    names = {p.party: p.name for p in parties.parties(view, limit=1_000)}
    table = [
        ["everybody" if p.partner == "*" else Link(names.get(p.partner, p.partner), places.of("party", p.partner)),
         "all goods" if p.scope == "*" else p.scope.replace(":", " "),
         Badge("we sell", "good") if p.allow else Badge("we do not sell", "bad"), p.position]
        for p in parties.permits(view)
    ]  # fmt: skip
    listed = parties.channels(view)
    dealers = [
        [c.brand, Link(names.get(c.party, c.party), places.of("party", c.party)),
         Link(names.get(c.authoriser, c.authoriser), places.of("party", c.authoriser)),
         ", ".join(c.countries) or "all", c.until_at if c.until_at < FOREVER else None, c.position]
        for c in listed
        if view.party in (c.party, c.authoriser)
    ]  # fmt: skip
    others = [(party, name) for party, name in names.items() if party != view.party]
    return page(
        "parties/permits.html", title="Permits and channels", status=status, refusal=refusal, given=given or {},
        rows=table, dealers=dealers, channels_n=len(listed), partners=[("*", "everybody"), *others], others=others,
        tabs=FIRM, answers=(("yes", "we sell"), ("no", "we do not sell")),
    )  # fmt: skip


@get("/firm/permits", sync_to_thread=True)
def permits_page(session: Reader, read: Read, places: Where) -> Template:
    """To whom we sell what, and who is authorised to sell which brand."""
    return _permits(firm_desk(read, session), places)


@post("/firm/permits", sync_to_thread=True)
def set_permit(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Say to whom we sell."""
    given, found = Given(data), firm_desk(read, session)

    def act() -> Response[Any]:
        width, word = given.choice("width", "Goods", ("all", "brand", "category")), given.text("word", "Which")
        if width != "all" and not word:
            raise Refusal("form.missing", "Name the brand or category.", next="Or choose all goods.")
        scope = "*" if width == "all" else f"{width}:{word}"
        partner = given.text("partner", "Partner", required=True)
        same = [p for p in parties.permits(found.view) if (p.partner, p.scope) == (partner, scope)]
        found.do(
            SetPermit(
                circle=found.view.home, permit=same[0].permit if same else found.node.wallet.new_id("permit")[:20],
                partner=partner, scope=scope, allow=given.choice("allow", "Answer", ("yes", "no")) == "yes",
            )
        )  # fmt: skip
        return go("/firm/permits", notice="Saved.")

    return attempt(act, lambda status, refusal: _permits(found, places, status, refusal, data))


@post("/firm/channels", sync_to_thread=True)
def authorise(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """A brand's owner authorises a seller. Everybody sees it."""
    given, found = Given(data), firm_desk(read, session)

    def act() -> Response[Any]:
        listed = [c.strip().upper() for c in given.text("countries").replace(";", ",").split(",") if c.strip()]
        if any(len(c) != 2 or not c.isascii() or not c.isalpha() for c in listed):
            raise Refusal("form.country", "A country is not known.", got=listed, expected="two letters each: DE, PL")
        until = given.day_end("until", "Until") if given.text("until") else FOREVER
        found.do(
            AuthoriseChannel(
                brand=given.text("brand", "Brand", required=True), party=given.text("party", "Seller", required=True),
                countries=listed, until_at=until,
            )
        )  # fmt: skip
        return go("/firm/permits", notice="Authorised.")

    return attempt(act, lambda status, refusal: _permits(found, places, status, refusal, data))


NAV = [Entry("Our firm", "/firm", "Firm", OWNER)]
PAGES: list[Any] = [firm_page, describe, sites_page, set_site, permits_page, set_permit, authorise]
