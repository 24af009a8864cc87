"""People who act for the firm, and the keys that speak for it. For owners."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.response import Response, Template

from hanse.node import keys
from hanse.node.desk import MAY_SIGN, Desk
from hanse.rooms.parties import queries as parties
from hanse.rooms.parties.facts import FOREVER, AppointStaff, Key, RetireKey
from hanse.rooms.parties.page_firm import FIRM, base, firm_desk
from hanse.site.pages_forms import Accounts, Fields, Given, attempt
from hanse.web import AccountStore, Badge, Read, Reader, Refusal, go, not_here, page

ROLE_WORDS = {
    "owner": "everything, keys included",
    "buyer": "buys: orders, wants, receipts",
    "seller": "sells: offers, confirmations, stock, catalogue",
    "warehouse": "counts, moves, ships and receives",
    "viewer": "reads, signs nothing",
}
OVERLAP_SECONDS = 7 * 86_400


# -- people --------------------------------------------------------------------------------------------------------


def _people(
    found: Desk, accounts: AccountStore, status: int = 200, refusal: Any = None, link: str = "", email: str = "",
    given: dict[str, Any] | None = None,
) -> Template:  # fmt: skip
    view = found.view
    listed = {s.person: s for s in parties.staff(view)}
    rows = []
    for user in accounts.users(view.party):
        mine = next(m for m in accounts.memberships(user.id) if m.party == view.party)
        rows.append(
            {
                "user": user, "role": mine.role, "limit": mine.approval_limit_minor,
                "staff": listed.pop(str(user.id), None), "self": str(user.id) == found.who.person,
            }
        )  # fmt: skip
    return page(
        "parties/people.html", title="People", status=status, refusal=refusal, rows=rows, tabs=FIRM, link=link,
        email=email, roles=list(ROLE_WORDS.items()), role_options=[(r, f"{r}: {w}") for r, w in ROLE_WORDS.items()],
        kinds={role: len(kinds) for role, kinds in MAY_SIGN.items()}, given=given or {},
        gone=[s for s in listed.values() if s.active],
    )  # fmt: skip


@get("/firm/people", sync_to_thread=True)
def people_page(session: Reader, read: Read, accounts: Accounts) -> Template:
    """Who may do what for the firm, and up to which amount."""
    return _people(firm_desk(read, session), accounts)


@post("/firm/people", sync_to_thread=True)
def appoint(session: Reader, read: Read, accounts: Accounts, data: Fields) -> Any:
    """Change a person's role and limit, on the record and on this node."""
    given, found = Given(data), firm_desk(read, session)
    number = given.whole("user", "Person", high=2**31)
    user = next((u for u in accounts.users(found.view.party) if u.id == number), None)
    if user is None:
        raise not_here()

    def act() -> Response[Any]:
        role, active = given.choice("role", "Role", tuple(ROLE_WORDS)), not given.flag("remove")
        if str(number) == found.who.person and (role != "owner" or not active):
            raise Refusal("people.yourself", "You cannot take your own rights away.", next="Ask another owner.")
        limit = given.minor("limit", "Approval limit", "EUR") if given.text("limit") else None
        found.do(
            AppointStaff(
                circle=found.view.home, person=str(number), role=role,
                approval_limit_minor=10**15 if limit is None else limit, currency="EUR", active=active,
                full_name=user.name,
            )
        )  # fmt: skip
        if active:
            accounts.add_membership(number, found.view.party, role, limit)
        else:
            accounts.remove_membership(number, found.view.party)
        return go("/firm/people", notice="Saved.")

    return attempt(act, lambda status, refusal: _people(found, accounts, status, refusal, given=data))


@post("/firm/people/invite", sync_to_thread=True)
def invite_person(
    request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts, data: Fields
) -> Any:
    """A link for one person, shown once."""
    given, found = Given(data), firm_desk(read, session)

    def act() -> Template:
        email = given.text("email", "E-mail address", required=True, most=254)
        if email.count("@") != 1 or email.startswith("@") or email.endswith("@"):
            raise Refusal("account.email", "This is not an e-mail address.", got=email, expected="name@example.com")
        limit = given.minor("limit", "Approval limit", "EUR") if given.text("limit") else None
        role = given.choice("role", "Role", tuple(ROLE_WORDS))
        token = accounts.invite(
            email, found.view.party, role, name=given.text("name", most=80), approval_limit_minor=limit,
            invited_by=session.user,
        )  # fmt: skip
        return _people(found, accounts, link=f"{base(request)}/invitation/{token}", email=email)

    return attempt(act, lambda status, refusal: _people(found, accounts, status, refusal, given=data))


# -- keys ----------------------------------------------------------------------------------------------------------


def _key_row(key: Key, now: int, current: str) -> dict[str, Any]:
    if key.compromised:
        state = Badge("declared compromised", "bad")
    elif key.until_at <= now:
        state = Badge("retired", "quiet")
    elif key.kid == current:
        state = Badge("signs now", "good")
    elif key.from_at > now:
        state = Badge("not yet", "info")
    else:
        state = Badge("still good", "info")
    return {
        "key": key, "state": state, "until": key.until_at if key.until_at < FOREVER else 0,
        "alive": not key.compromised and key.until_at > now,
    }  # fmt: skip


def _keys(found: Desk, status: int = 200, refusal: Any = None) -> Template:
    view = found.view
    pair = found.node.wallet.key_of(view.party)
    rows = [_key_row(key, view.now, pair.kid if pair else "") for key in parties.keys(view, view.party)]
    aliases = [alias for _, alias in found.node.wallet.circles_of(view.party)]
    return page(
        "parties/keys.html", title="Keys", status=status, refusal=refusal, rows=rows, tabs=FIRM, aliases=len(aliases),
        held=pair is not None,
    )  # fmt: skip


@get("/firm/keys", sync_to_thread=True)
def keys_page(session: Reader, read: Read) -> Template:
    """The keys that speak for the firm."""
    return _keys(firm_desk(read, session))


def _new_key(found: Desk) -> None:
    """A new key on the record, kept in the wallet before it is known, in use once it is. Refuses: as `AddKey`.

    One that was refused stays in the wallet, unused: the record may yet have it where the node was not sure.
    """
    pair = found.node.wallet.make(found.view.party, active=False)
    found.do(keys.adding(found.node.net, pair))
    found.node.wallet.activate(pair.kid)


@post("/firm/keys/rotate", sync_to_thread=True)
def rotate(session: Reader, read: Read, data: Fields) -> Any:
    """A new key signs from now on, of each pseudonym too where asked; the old ones stay good for a week."""
    given, found = Given(data), firm_desk(read, session)

    def act() -> Response[Any]:
        view = found.view
        old = [k for k in parties.keys(view, view.party) if not k.compromised and k.until_at == FOREVER]
        _new_key(found)
        for key in old:
            found.do(RetireKey(kid=key.kid, until_at=view.now + OVERLAP_SECONDS))
        if given.flag("aliases"):
            aliases = [alias for _, alias in found.node.wallet.circles_of(view.party)]
            keys.rotate_all(found.node, aliases, overlap_seconds=OVERLAP_SECONDS)
            return go("/firm/keys", notice="New keys sign from now on. The old ones stay good for seven days.")
        return go("/firm/keys", notice="A new key signs from now on. The old one stays good for seven days.")

    return attempt(act, lambda status, refusal: _keys(found, status, refusal))


@post("/firm/keys/compromised", sync_to_thread=True)
def compromised(session: Reader, read: Read, data: Fields) -> Any:
    """Nothing that this key signs counts from now on; where it was the last one, a new key is made first."""
    given, found = Given(data), firm_desk(read, session)

    def act() -> Response[Any]:
        view, kid = found.view, given.text("kid", "Key", required=True, most=40)
        pair = found.node.wallet.key_of(view.party)
        if pair is None or pair.kid == kid:
            _new_key(found)
        found.do(RetireKey(kid=kid, compromised=True))
        return go("/firm/keys", notice="Declared. Nothing signed with that key counts from now on.")

    return attempt(act, lambda status, refusal: _keys(found, status, refusal))


PAGES: list[Any] = [people_page, appoint, invite_person, keys_page, rotate, compromised]
