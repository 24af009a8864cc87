"""Settings: profile, password, second factor, sessions, tokens, and what others saw of one's party."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import segno
from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template
from markupsafe import Markup

from hanse.web.accounts import AccountStore
from hanse.web.gate import session_cookie
from hanse.web.home import Form, site_of
from hanse.web.page import go, page
from hanse.web.refusals import Refusal, members_of
from hanse.web.site import Reader, Session

SCOPES = (
    ("read", "Read what you may read"),
    ("write", "Submit orders, stock and documents for the party"),
    ("events", "Receive events by webhook"),
)
DAYS = (30, 90, 366)


def qr_svg(text: str) -> Markup:
    """A text as a QR code: inline SVG without style attributes, drawn in the page's own ink.

    Source: ISO/IEC 18004, error correction level M.
    """
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=4, svgclass="qr", lineclass="qr-ink"
    )
    return Markup(out.getvalue().decode())


def draw(request: Request[Any, Any, Any], session: Session, error: Refusal | None = None, **more: Any) -> Template:
    """The settings page, with a refusal in the section that it belongs to."""
    accounts = site_of(request).accounts
    status, members = members_of(error) if error else (200, None)
    context: dict[str, Any] = {
        "refusal": members,
        "sessions": accounts.sessions.of(session.user),
        "tokens": accounts.tokens.of(session.user),
        "recovery_left": accounts.second_factor.recovery_left(session.user),
        "seen": accounts.seen.recent(party=session.party, limit=10),
        "firm": site_of(request).firm_settings(session),
        "scopes": SCOPES, "days": DAYS, "at": "", "codes": None, "raw_token": None, "qr": None, "secret": None,
    }  # fmt: skip
    return page("settings.html", title="Settings", status=status, **{**context, **more})


def tried(
    request: Request[Any, Any, Any], session: Session, at: str, step: Callable[[], str]
) -> Response[Any] | Template:
    """Do a step and go back to the page with its notice; a refusal shows in its section instead."""
    try:
        notice = step()
    except Refusal as error:
        return draw(request, session, error, at=at)
    return go(f"/settings#{at}", notice=notice)


def check_password(accounts: AccountStore, request: Request[Any, Any, Any], session: Session, password: str) -> None:
    """Refuses, in order: signin.too_many, password.wrong. Guesses count as failed sign-ins."""
    address = request.client.host if request.client else ""
    accounts.attempts.check(session.email, address)
    if not accounts.password_is(session.user, password):
        accounts.attempts.failed(session.email, address)
        raise Refusal("password.wrong", "The present password is wrong.", next="Type the password you signed in with.")


@get("/settings", sync_to_thread=False)
def settings(request: Request[Any, Any, Any], session: Reader) -> Template:
    """All settings on one page."""
    return draw(request, session)


@post("/settings/name", sync_to_thread=False)
def set_name(request: Request[Any, Any, Any], session: Reader, data: Form) -> Response[Any] | Template:
    """Change the name shown to colleagues. Refuses: account.name."""

    def step() -> str:
        site_of(request).accounts.set_name(session.user, data.get("name", ""))
        return "Name saved."

    return tried(request, session, "profile", step)


@post("/settings/password", sync_to_thread=True)
def set_password(request: Request[Any, Any, Any], session: Reader, data: Form) -> Response[Any] | Template:
    """Change the password, end all other sessions, renew this one. Refuses: password.*"""
    site = site_of(request)

    def step() -> str:
        check_password(site.accounts, request, session, data.get("present", ""))
        if data.get("password") != data.get("repeat"):
            raise Refusal("password.repeat", "The two new passwords differ.", next="Type the same password twice.")
        site.accounts.set_password(session.user, data.get("password", ""))
        site.accounts.sessions.revoke_all(session.user, keep=session.id)
        return "Password changed; your other sessions have ended."

    answer = tried(request, session, "password", step)
    if isinstance(answer, Redirect):
        answer.set_cookie(session_cookie(site, site.accounts.sessions.rotate(request.state.session_raw)))
    return answer


@get("/settings/second-factor", sync_to_thread=False)
def begin_second_factor(request: Request[Any, Any, Any], session: Reader) -> Template | Redirect:
    """The QR code to scan; nothing is in force until a code is confirmed."""
    if session.has_second_factor:
        return go("/settings#second-factor")
    secret, address = site_of(request).accounts.second_factor.begin(session.user, site_of(request).title)
    return draw(request, session, at="second-factor", qr=qr_svg(address), secret=secret)


@post("/settings/second-factor", sync_to_thread=False)
def confirm_second_factor(request: Request[Any, Any, Any], session: Reader, data: Form) -> Template | Redirect:
    """Confirm by a code; shows the recovery codes once. Refuses: second_factor.*"""
    accounts = site_of(request).accounts
    if session.has_second_factor:
        return go("/settings#second-factor")
    try:
        codes = accounts.second_factor.confirm(session.user, data.get("code", ""))
    except Refusal as error:
        secret, address = accounts.second_factor.begin(session.user, site_of(request).title)
        return draw(request, session, error, at="second-factor", qr=qr_svg(address), secret=secret)
    accounts.sessions.revoke_all(session.user, keep=session.id)
    return draw(request, session, at="second-factor", codes=codes)


@post("/settings/second-factor/remove", sync_to_thread=True)
def remove_second_factor(request: Request[Any, Any, Any], session: Reader, data: Form) -> Response[Any] | Template:
    """Take the second factor away. Refuses: password.wrong."""

    def step() -> str:
        accounts = site_of(request).accounts
        check_password(accounts, request, session, data.get("present", ""))
        accounts.second_factor.remove(session.user)
        return "The second factor is off."

    return tried(request, session, "second-factor", step)


@post("/settings/sessions/{number:int}/end", sync_to_thread=False)
def end_session(request: Request[Any, Any, Any], session: Reader, number: FromPath[int]) -> Response[Any] | Template:
    """End one of one's sessions. Refuses: session.unknown."""

    def step() -> str:
        if not site_of(request).accounts.sessions.revoke(number, user=session.user):
            raise Refusal("session.unknown", "This session has ended already.")
        return "Session ended."

    return tried(request, session, "sessions", step)


@post("/settings/sessions/end-others", sync_to_thread=False)
def end_other_sessions(request: Request[Any, Any, Any], session: Reader) -> Response[Any] | Template:
    """End all sessions but this one."""
    ended = site_of(request).accounts.sessions.revoke_all(session.user, keep=session.id)
    return go("/settings#sessions", notice=f"{ended} other sessions ended.")


@post("/settings/tokens", status_code=200)
async def create_token(request: Request[Any, Any, Any], session: Reader) -> Template:
    """Make a token for a program; its text is shown once. Refuses: token.*"""
    form = await request.form()
    allowed = {scope for scope, _ in SCOPES}
    scopes = tuple(str(scope) for scope in form.getall("scope", []) if scope in allowed)
    days = str(form.get("days", ""))
    try:
        _, raw = site_of(request).accounts.tokens.create(
            session.user, session.party, str(form.get("name", "")), scopes, int(days) if days.isdigit() else 0
        )
    except Refusal as error:
        return draw(request, session, error, at="tokens")
    return draw(request, session, at="tokens", raw_token=raw)


@post("/settings/tokens/{number:int}/revoke", sync_to_thread=False)
def revoke_token(request: Request[Any, Any, Any], session: Reader, number: FromPath[int]) -> Response[Any] | Template:
    """End a token. Refuses: token.unknown."""

    def step() -> str:
        if not site_of(request).accounts.tokens.revoke(number, session.user):
            raise Refusal("token.unknown", "This token has ended already.")
        return "Token revoked."

    return tried(request, session, "tokens", step)


PAGES: list[Any] = [
    settings, set_name, set_password, begin_second_factor, confirm_second_factor, remove_second_factor, end_session,
    end_other_sessions, create_token, revoke_token,
]  # fmt: skip
