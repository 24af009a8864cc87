"""Signing in and out: password, second factor, invitation."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from hanse.web.accounts import Invitation, User
from hanse.web.gate import session_cookie
from hanse.web.home import Form, site_of
from hanse.web.page import go, local_path, page
from hanse.web.refusals import Refusal, members_of

PUBLIC = {"public": True}


def address_of(request: Request[Any, Any, Any]) -> str:
    """The address that a request came from."""
    return request.client.host if request.client else ""


def begin(request: Request[Any, Any, Any], user: User, target: str) -> Response[Any]:
    """After the password: a session with a new id, complete, or waiting for the second factor."""
    site = site_of(request)
    if request.state.shell.session is not None:
        site.accounts.sessions.revoke(request.state.shell.session.id)
    memberships = site.accounts.memberships(user.id)
    raw = site.accounts.sessions.start(
        user.id,
        memberships[0].party if memberships else "",
        complete=not user.has_second_factor,
        address=address_of(request),
        agent=request.headers.get("user-agent", ""),
    )
    response: Response[Any] = go(target)
    if user.has_second_factor:
        response = Redirect("/second-factor", status_code=303, query_params={"next": target})
    response.set_cookie(session_cookie(site, raw))
    return response


def refused_page(template: str, error: Refusal, **context: Any) -> Template:
    """The form again, with what was wrong beside it."""
    status, members = members_of(error)
    return page(template, status=status, refusal=members, **context)


@get("/sign-in", opt=PUBLIC, sync_to_thread=False)
def sign_in_page(request: Request[Any, Any, Any]) -> Template | Redirect:
    """The sign-in form; who is signed in already goes on."""
    target = local_path(request.query_params.get("next"))
    if request.state.shell.session is not None:
        return go(target)
    return page("sign_in.html", title="Sign in", next=target, email="", refusal=None)


@post("/sign-in", opt=PUBLIC, sync_to_thread=True)
def sign_in(request: Request[Any, Any, Any], data: Form) -> Response[Any] | Template:
    """E-mail address and password. Refuses as `AccountStore.sign_in`, beside the form."""
    target, email = local_path(data.get("next")), data.get("email", "")
    try:
        user = site_of(request).accounts.sign_in(email, data.get("password", ""), address_of(request))
    except Refusal as error:
        return refused_page("sign_in.html", error, title="Sign in", next=target, email=email)
    return begin(request, user, target)


@get("/second-factor", opt={"public": True}, sync_to_thread=False)
def second_factor_page(request: Request[Any, Any, Any]) -> Template | Redirect:
    """The form for the code, between password and session."""
    if request.state.shell.half is None:
        return go("/sign-in")
    target = local_path(request.query_params.get("next"))
    return page("second_factor.html", title="Second factor", next=target, refusal=None)


@post("/second-factor", opt={"public": True}, sync_to_thread=False)
def second_factor(request: Request[Any, Any, Any], data: Form) -> Response[Any] | Template:
    """The code, or a recovery code. Refuses, in order: signin.too_many, second_factor.wrong."""
    site, half = site_of(request), request.state.shell.half
    user = site.accounts.user(half.user) if half is not None else None
    if half is None or user is None:
        return go("/sign-in")
    target = local_path(data.get("next"))
    try:
        site.accounts.attempts.check(user.email, address_of(request))
        used = site.accounts.second_factor.check(user.id, data.get("code", ""))
    except Refusal as error:
        if error.code == "second_factor.wrong":
            site.accounts.attempts.failed(user.email, address_of(request))
        return refused_page("second_factor.html", error, title="Second factor", next=target)
    site.accounts.attempts.succeeded(user.email)
    left = site.accounts.second_factor.recovery_left(user.id)
    notice = f"Recovery code used; {left} left." if used == "recovery" else ""
    response = go(target, notice=notice)
    response.set_cookie(session_cookie(site, site.accounts.sessions.rotate(request.state.session_raw)))
    return response


@post("/sign-out", opt={"public": True}, sync_to_thread=False)
def sign_out(request: Request[Any, Any, Any]) -> Response[Any]:
    """End this session."""
    site = site_of(request)
    row = site.accounts.sessions.load(request.state.session_raw) if request.state.session_raw else None
    if row is not None:
        site.accounts.sessions.revoke(row.id)
    response = go("/sign-in", notice="You are signed out.")
    response.set_cookie(session_cookie(site, None))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _invitation_page(
    request: Request[Any, Any, Any], invitation: Invitation, token: str, error: Refusal | None = None, name: str = ""
) -> Template:
    site = site_of(request)
    known = site.accounts.user_by_email(invitation.email)
    status, members = members_of(error) if error else (200, None)
    return page(
        "invitation.html", title="Accept the invitation", status=status, refusal=members, invitation=invitation,
        token=token, party=site.party_name(invitation.party), known=bool(known and known.has_password),
        name=name or invitation.name,
    )  # fmt: skip


@get("/invitation/{token:str}", opt=PUBLIC, sync_to_thread=False)
def invitation_page(request: Request[Any, Any, Any], token: FromPath[str]) -> Template:
    """Choose a name and a password. Refuses: invitation.invalid."""
    return _invitation_page(request, site_of(request).accounts.invitation(token), token)


@post("/invitation/{token:str}", opt=PUBLIC, sync_to_thread=True)
def accept_invitation(request: Request[Any, Any, Any], token: FromPath[str], data: Form) -> Response[Any] | Template:
    """Accept, and go on signed in. Refuses as `AccountStore.accept`; password.repeat, beside the form."""
    site = site_of(request)
    invitation = site.accounts.invitation(token)
    password = data.get("password", "")
    try:
        if data.get("repeat", password) != password:
            raise Refusal("password.repeat", "The two passwords differ.", next="Type the same password twice.")
        number = site.accounts.accept(token, data.get("name", ""), password)
    except Refusal as error:
        if error.code == "invitation.invalid":
            raise
        return _invitation_page(request, invitation, token, error, data.get("name", ""))
    user = site.accounts.user(number)
    assert user is not None
    return begin(request, user, "/")


PAGES: list[Any] = [
    sign_in_page, sign_in, second_factor_page, second_factor, sign_out, invitation_page, accept_invitation,
]  # fmt: skip
