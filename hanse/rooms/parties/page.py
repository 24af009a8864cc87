"""Members: who is here, one member and our trade with it, relationships and groups; and how a new firm comes in."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.response import Response, Template

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node import joining
from hanse.node.desk import Desk
from hanse.rooms.parties import page_firm, page_join, page_people
from hanse.rooms.parties import queries as parties
from hanse.rooms.parties.facts import PARTIES, LeaveCircle, OpenCircle, Party
from hanse.site import pages_market as market
from hanse.site.desks import desk
from hanse.site.menu import EVERYBODY, Entry
from hanse.site.pages_forms import Accounts, Fields, Given, Where, address, attempt, exported, note_seen, tail
from hanse.site.pages_forms import table_view as shown_table
from hanse.site.places import Places
from hanse.web import Badge, Column, Found, Link, ListQuery, Money, Read, Reader, Table, go, listing, not_here, page

PARTY = "/parties/"
PARTIES_MAX = 5_000
KIND_WORDS = {
    "manufacturer": "manufacturer", "distributor": "distributor", "contractor": "contractor", "solo": "on their own",
    "group": "group", "plant": "plant", "other": "other",
}  # fmt: skip
MEMBERS = Table(
    id="members",
    columns=(
        Column("name", "Member", "link", sortable=True, wide=True),
        Column("kind", "Kind", "badge", sortable=True, filterable=True, facets=tuple(KIND_WORDS.values())),
        Column("city", "City", sortable=True, filterable=True),
        Column("country", "Country", sortable=True, filterable=True),
        Column("relation", "With you", "badge", filterable=True, facets=("relationship", "group", "you")),
        Column("joined_at", "Since", "day", sortable=True),
        Column("party", "Id", shown=False),
        Column("position", "Entry", "proof"),
    ),
    sort="name",
    search="Name, city or id",
)
ORDER_TABLE = Table(
    id="orders-with",
    columns=(
        Column("order", "Order", "link", sortable=True, wide=True),
        Column("way", "Way", "badge", filterable=True, facets=("from them", "to them")),
        Column("placed_at", "Placed", "day", sortable=True),
        Column("state", "State", "badge", sortable=True, filterable=True),
        Column("each", "Ordered", "quantity", unit="each"),
        Column("amount", "Amount", "money", sortable=True),
        Column("position", "Entry", "proof"),
    ),
    sort="-placed_at",
    page_rows=15,
)


def party_address(party: str) -> str:
    """Where a member is shown."""
    return address(PARTY, party)


def _relations(view: View) -> dict[str, str]:
    """Party -> what ties it to the reader: "relationship" before "group"."""
    found: dict[str, str] = {}
    for card in parties.circles(view):
        for member in card.members:
            if member.party and not member.mine and found.get(member.party) != "relationship":
                found[member.party] = card.purpose
    return found | {view.party: "you"}


@get("/parties", sync_to_thread=True)
def members_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Everybody in the network, by their public profiles."""
    from hanse.web.memory import found_in

    found = desk(read, session)
    view, relations = found.view, _relations(found.view)
    rows = [
        {
            "name": Link(p.name, party_address(p.party)), "kind": Badge(KIND_WORDS.get(p.party_kind, p.party_kind)),
            "city": p.city, "country": p.country, "joined_at": p.joined_at, "party": p.party, "position": p.position,
            "relation": _relation_badge(relations.get(p.party, "")),
        }
        for p in parties.parties(view, limit=PARTIES_MAX)
    ]  # fmt: skip

    def fetch(query: ListQuery) -> Found:
        return found_in(rows, MEMBERS, query)

    related = sum(1 for tie in relations.values() if tie == "relationship")
    return listing(
        request, MEMBERS, fetch, template="parties/members.html", title="Members", members_n=len(rows),
        related_n=related, groups_n=len(parties.circles(view, "group")), may_invite=session.role == "owner",
    )  # fmt: skip


def _relation_badge(tie: str) -> Badge | None:
    tones = {"relationship": "good", "group": "info", "you": "quiet"}
    return Badge(tie, tones.get(tie, "")) if tie else None


# -- one member ----------------------------------------------------------------------------------------------------


def _member(
    request: Request[Any, Any, Any], found: Desk, places: Places, party: str, status: int = 200, refusal: Any = None
) -> Any:
    view = found.view
    row = parties.party(view, party)
    if row is None:
        raise not_here()
    mine = party == view.party
    trade = market.trade_with(view, party) if view.home and not mine else None
    rows = [_order(view, order, places) for order in trade.rows] if trade else []
    if (file := exported(request, (ORDER_TABLE, rows))) is not None:
        return file
    offered = market.offered_by(view, party)
    ties = [c for c in parties.circles(view) if c.purpose != "home" and any(m.party == party for m in c.members)]
    keys = parties.keys(view, party)
    return page(
        "parties/member.html", title=row.name, crumbs=(("Members", "/parties"),), status=status, refusal=refusal,
        row=row, kind=KIND_WORDS.get(row.party_kind, row.party_kind), mine=mine, trade=trade, offered=len(offered),
        ties=[] if mine else ties, relationship=parties.relationship_with(view, party),
        may_open=not mine and bool(view.home) and found.may(OpenCircle), keys=keys,
        keys_good=[k for k in keys if not k.compromised and k.until_at > view.now],
        brands=sorted({c.brand for c in parties.channels(view) if c.party == party}),
        listing=shown_table(request, ORDER_TABLE, rows, "No order between you yet.", ("Find and order", "/find")),
        circles=parties.circles(view) if mine else [], items_offered=_offered(offered, places),
    )  # fmt: skip


def _offered(cards: list[Any], places: Places) -> list[list[Any]]:
    return [
        [Link(o.description or o.item, places.of("item", o.item)), o.open_each,
         Money(o.unit_price_minor, o.currency), o.expires_at, o.position]
        for o in sorted(cards, key=lambda o: -o.open_each * o.unit_price_minor)[:10]
    ]  # fmt: skip


def _order(view: View, order: Any, places: Places) -> dict[str, Any]:
    return {
        "order": Link(market.called(view, order.order), places.of("order", order.order)),
        "way": Badge("from them") if order.side == "buy" else Badge("to them", "info"), "placed_at": order.placed_at,
        "state": "late" if order.late else order.state.replace("_", " "), "each": order.ordered_each,
        "amount": Money(order.amount_minor, order.currency), "position": order.position,
    }  # fmt: skip


@get(PARTY + "{party:path}", sync_to_thread=True)
def member_page(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where) -> Any:
    """One member's public profile, and what is between us."""
    return _member(request, desk(read, session), places, tail(request, PARTY))


@post("/relationships", sync_to_thread=True)
def open_relationship(
    request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, accounts: Accounts, data: Fields
) -> Any:
    """Open a relationship with a member: prices and orders of the two are then seen by the two alone."""
    given, found = Given(data), desk(read, session)
    partner = given.text("party", "Member", required=True, most=80)
    if not found.view.home or not found.may(OpenCircle):
        raise not_here()

    def act() -> Response[Any]:
        row = parties.party(found.view, partner)
        if row is None or partner == found.view.party:
            raise Refused("parties.unknown_party", "no such member to trade with", got=partner)
        joining.relationship(found.node, found.view.party, partner)
        note_seen(accounts, session, f"relationship:{partner}", request)
        return go(party_address(partner), notice=f"You can trade with {row.name} now.")

    return attempt(act, lambda status, refusal: _member(request, found, places, partner, status, refusal))


# -- groups --------------------------------------------------------------------------------------------------------


def _groups(found: Desk, places: Places, status: int = 200, refusal: Any = None, given: Any = None) -> Template:
    view = found.view
    cards = sorted(parties.circles(view), key=_by_name)
    hosted = _hosted(found)
    groups = [
        {
            "card": card, "opener": bool(card.members) and card.members[0].mine,
            "members": [(m, places.of("party", m.party)) for m in card.members],
            "others": [p for p in hosted if p.party not in {m.party for m in card.members}],
        }
        for card in cards
        if card.purpose == "group"
    ]  # fmt: skip
    partners = [
        [Link(m.name, places.of("party", m.party)), "both" if all(x.entered for x in card.members) else "one side",
         len(market.offered_by(view, m.party)), _traded(view, m.party)]
        for card in cards
        if card.purpose == "relationship"
        for m in card.members
        if not m.mine
    ]  # fmt: skip
    return page(
        "parties/groups.html", title="Partners and groups", status=status, refusal=refusal, given=given or {},
        groups=groups, partners=partners, may=found.may(OpenCircle), may_leave=found.may(LeaveCircle),
        hosted=[p for p in hosted if p.party != view.party],
    )  # fmt: skip


def _by_name(card: parties.CircleCard) -> tuple[str, ...]:
    """As people look for a circle: a group by its name, a relationship by the partner's."""
    partners = (member.name.casefold() for member in card.members if not member.mine)
    return (*([card.name.casefold()] if card.purpose == "group" else partners), card.circle)


def _traded(view: View, party: str) -> int:
    return market.trade_with(view, party).orders


def _hosted(found: Desk) -> list[Party]:
    """Parties whose keys this node holds: only they can be brought into a circle from here."""
    names = {party for party, _ in joining.parties_with_homes(found.node)}
    return [p for p in found.view.rows(PARTIES, limit=PARTIES_MAX) if p.party in names]


@get("/partners", sync_to_thread=True)
def groups_page(session: Reader, read: Read, places: Where) -> Template:
    """With whom we trade in confidence: two by two, and in groups."""
    found = desk(read, session)
    if not found.view.home:
        raise not_here()
    return _groups(found, places)


def _group_form(session: Any, read: Any, places: Places, data: Any, act: Any, kind: Any = OpenCircle) -> Any:
    found = desk(read, session)
    if not found.view.home or not found.may(kind):
        raise not_here()
    return attempt(
        lambda: act(found, Given(data)), lambda status, refusal: _groups(found, places, status, refusal, data)
    )


@post("/groups", sync_to_thread=True)
def open_group(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Open a group of members that this node hosts; we are its first member."""

    def act(found: Desk, given: Given) -> Response[Any]:
        name, chosen = given.text("name", "Name", required=True), given.many("member")
        known = {p.party for p in _hosted(found)}
        if not chosen or not set(chosen) <= known:
            raise Refused("parties.wrong_size", "choose at least one other member", got=", ".join(chosen))
        joining.group(found.node, [found.view.party, *sorted(set(chosen) - {found.view.party})], name)
        return go("/partners", notice=f"{name} is open.")

    return _group_form(session, read, places, data, act)


@post("/groups/widen", sync_to_thread=True)
def widen(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """The opener of a group brings a member in."""

    def act(found: Desk, given: Given) -> Response[Any]:
        circle, party = given.text("circle", required=True, most=80), given.text("party", "Member", required=True)
        if circle not in found.view.circles:
            raise Refused("parties.unknown_circle", "no such group", got=circle)
        joining.widen(found.node, circle, found.view.party, party)
        return go("/partners", notice="A member more.")

    return _group_form(session, read, places, data, act)


@post("/groups/leave", sync_to_thread=True)
def leave(session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Leave a group; what we signed in it stands."""

    def act(found: Desk, given: Given) -> Response[Any]:
        found.do(LeaveCircle(circle=given.text("circle", required=True, most=80)))
        return go("/partners", notice="You have left the group. What you signed stands.")

    return _group_form(session, read, places, data, act, LeaveCircle)


NAV = [
    Entry("Members", "/parties", "Partners", EVERYBODY),
    Entry("Partners and groups", "/partners", "Partners", EVERYBODY),
    *page_firm.NAV,
]
PAGES: list[Any] = [
    members_page, member_page, open_relationship, groups_page, open_group, widen, leave, *page_firm.PAGES,
    *page_people.PAGES, *page_join.PAGES,
]  # fmt: skip
