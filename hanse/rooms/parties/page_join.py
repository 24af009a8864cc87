"""Inviting a firm, and the page on which it joins: name, first person, home; then its import."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response, Template

from hanse import gazetteer
from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node import joining
from hanse.node.node import Node
from hanse.rooms.parties import proofs
from hanse.rooms.parties.facts import ALIASES, INVITATIONS, PARTIES, Invitation, InviteParty, SetSite
from hanse.rooms.parties.page_firm import base, country, firm_desk
from hanse.rooms.parties.queries import party
from hanse.site.pages_forms import Accounts, Fields, Given, attempt
from hanse.web import AccountStore, Badge, Link, Read, Reader, Refusal, page
from hanse.web.accounts import check_password_form
from hanse.web.signin import begin

KINDS = ("distributor", "manufacturer", "contractor", "plant", "solo", "group", "other")
SECRET_CHARS_MAX = 80
_LETTERS: dict[str, str | int | None] = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "ł": "l"}
_GERMAN = str.maketrans(_LETTERS)


def slug(name: str) -> str:
    """A party's id made of its name: ASCII letters, digits and hyphens, at most 40.

    >>> slug("Müller & Söhne GmbH"), slug("Łódź Części"), slug("株式会社")
    ('mueller-soehne-gmbh', 'lodz-czesci', 'firm')
    """
    german = name.casefold().translate(_GERMAN)
    plain = unicodedata.normalize("NFKD", german).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "firm"


def free_id(view: View, name: str) -> str:
    """An id that nobody has: of the name, with a number where it is taken."""
    start = slug(name)
    taken = {row.party for row in view.rows(PARTIES, "party LIKE ?", (f"{start}%",), limit=10_000)}
    taken |= {row.alias for row in view.rows(ALIASES, "alias LIKE ?", (f"{start}%",), limit=10_000)}
    return next(name for name in [start, *(f"{start}-{n}" for n in range(2, 20_000))] if name not in taken)


# -- inviting ------------------------------------------------------------------------------------------------------


def _invite_page(found: Any, link: str = "", status: int = 200, refusal: Any = None) -> Template:
    view = found.view
    rows = [
        [f"…{row.invitation[-8:]}", _who(view, row), row.expires_at, row.position]
        for row in view.rows(INVITATIONS, "inviter = ?", (view.party,), order="expires_at DESC", limit=100)
    ]
    return page("parties/invite.html", title="Invite a firm", link=link, rows=rows, status=status, refusal=refusal)


def _who(view: View, row: Invitation) -> Any:
    if row.used_by:
        member = party(view, row.used_by)
        return Link(member.name if member else row.used_by, f"/parties/{row.used_by}")
    return Badge("expired", "quiet") if row.expires_at <= view.now else Badge("waits", "info")


@get("/invite-a-firm", sync_to_thread=True)
def invite_page(session: Reader, read: Read) -> Template:
    """Invitations that we gave, and a button for one more."""
    return _invite_page(firm_desk(read, session))


@post("/invite-a-firm", sync_to_thread=True)
def invite(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """A link for one firm, shown once; its secret is kept nowhere."""
    found = firm_desk(read, session)

    def act() -> Template:
        if not found.may(InviteParty):
            raise Refused("desk.not_permitted", "your role does not sign this", next="ask an owner of your firm")
        secret = joining.invite(found.node, found.view.party)
        return _invite_page(found, f"{base(request)}/join/{secret}")

    return attempt(act, lambda status, refusal: _invite_page(found, status=status, refusal=refusal))


# -- joining -------------------------------------------------------------------------------------------------------


def invitation_of(node: Node, secret: str) -> Invitation:
    """The invitation that a secret opens now.

    Refuses: invitation.invalid, one sentence for unknown, used and expired.
    """
    view = node.view()
    row = view.get(INVITATIONS, proofs.invitation_of(secret)) if len(secret) <= SECRET_CHARS_MAX else None
    if row is None or row.used_by or row.expires_at < int(node.clock()):
        raise Refusal(
            "invitation.invalid", "This invitation was used, has expired, or never existed.", status=404,
            next="Ask the firm that invited you for a new one.",
        )  # fmt: skip
    return row


def _join_page(
    node: Node, secret: str, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None
) -> Template:
    row = invitation_of(node, secret)
    inviter = party(node.view(), row.inviter)
    return page(
        "parties/join.html", title="Join the network", status=status, refusal=refusal, given=given or {},
        secret=secret, inviter=inviter.name if inviter else row.inviter, kinds=[(k, k) for k in KINDS],
    )  # fmt: skip


@get("/join/{secret:str}", opt={"public": True}, sync_to_thread=True)
def join_page(read: Read, secret: FromPath[str]) -> Template:
    """The form with which an invited firm comes in. Refuses: invitation.invalid."""
    return _join_page(read, secret)


@post("/join/{secret:str}", opt={"public": True}, sync_to_thread=True)
def join(request: Request[Any, Any, Any], read: Read, accounts: Accounts, secret: FromPath[str], data: Fields) -> Any:
    """The firm enters the network, gets its home and its first person, and goes on to its import."""
    given, node = Given(data), read
    invitation_of(node, secret)
    address = request.client.host if request.client else ""

    def act() -> Response[Any]:
        name = given.text("name", "Name of the firm", required=True, most=120)
        kind = given.choice("kind", "Kind", KINDS)
        where, city = country(given), given.text("city", "City", required=True, most=120)
        email = given.text("email", "E-mail address", required=True, most=254).casefold()
        user = _person(accounts, given, email, address)
        firm = free_id(node.view(), name)
        joining.join(node, firm, secret, name=name, kind=kind, country=where, city=city)
        _first_site(node, firm, where, city)
        number = user or accounts.add_user(email, given.text("person", most=80), str(data.get("password", "")))
        accounts.add_membership(number, firm, "owner", None)
        found = accounts.user(number)
        assert found is not None, "it was just kept"
        response = begin(request, found, "/import")
        return response

    def again(status: int, refusal: Any) -> Template:
        shown = {name: value for name, value in data.items() if name not in ("password", "repeat")}
        return _join_page(node, secret, status, refusal, shown)

    return attempt(act, again)


def _first_site(node: Node, firm: str, country: str, city: str) -> None:
    """Where the firm is: a first site in its city, so that orders can come to it and distances are known."""
    place = gazetteer.find(city, country)
    if place is not None:
        node.act(firm, SetSite(
            circle=node.view(firm).home, site="main", name=place.city, site_kind="warehouse", country=place.country,
            city=place.city, latitude_microdeg=place.latitude_microdeg, longitude_microdeg=place.longitude_microdeg,
            address="",
        ))  # fmt: skip


def _person(accounts: AccountStore, given: Given, email: str, address: str) -> int:
    """The account of the firm's first person, 0 where it is to be made: all of it checked before the firm is signed in.

    Refuses, in order: form.missing, password.repeat, signin.* (somebody known, wrong password), account.email, as
    `check_password_form`.
    """
    password = str(given.data.get("password", ""))
    given.text("person", "Your name", required=True, most=80)
    known = accounts.user_by_email(email)
    if known is not None:
        return accounts.sign_in(email, password, address).id
    if str(given.data.get("repeat", "")) != password:
        raise Refusal("password.repeat", "The two passwords differ.", next="Type the same password twice.")
    if email.count("@") != 1 or email.startswith("@") or email.endswith("@"):
        raise Refusal("account.email", "This is not an e-mail address.", got=email, expected="name@example.com")
    check_password_form(password, email)
    return 0


PAGES: list[Any] = [invite_page, invite, join_page, join]
