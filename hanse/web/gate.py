"""The gate before every handler: host, rate, size, session, forged requests. Numbered as it runs."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.datastructures.cookie import Cookie
from litestar.enums import RequestEncodingType, ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.response.redirect import ASGIRedirectResponse
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from hanse.web import csrf
from hanse.web.limits import RateLimit
from hanse.web.notice import NAME
from hanse.web.page import ASKED
from hanse.web.refusals import Refusal, wants_json
from hanse.web.sessions import SessionRow
from hanse.web.shell import Shell
from hanse.web.site import Session, Site

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; object-src 'none';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
}
_FORM = "form_read_by_the_gate"
HSTS = "max-age=31536000; includeSubDomains"


async def add_headers(message: Message, scope: Scope) -> None:
    """Litestar `before_send` hook: the security headers on every answer, errors included; pages are not cached."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("cache-control", "no-store")
    site = scope["litestar_app"].state.site
    if site.secure:
        headers.setdefault("strict-transport-security", HSTS)


def host_is(host: str, allowed: tuple[str, ...]) -> bool:
    """True when a Host header, port aside, is one of the allowed names.

    >>> host_is("a.example.org:8443", ("*.example.org",)), host_is("example.org.evil", ("example.org",))
    (True, False)
    """
    name = host.casefold()
    name = name[: name.index("]") + 1] if name.startswith("[") and "]" in name else name.partition(":")[0]
    return any(
        pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:])) for pattern in allowed
    )


def cookie_names(site: Site) -> tuple[str, str]:
    """(session cookie, visitor cookie): with the `__Host-` prefix over https (RFC 6265bis, section 4.1.3.2)."""
    prefix = "__Host-" if site.secure else ""
    return f"{prefix}hanse", f"{prefix}hanse-visitor"


def session_cookie(site: Site, raw: str | None) -> Cookie:
    """The cookie that carries a raw session id; None ends it."""
    return Cookie(
        key=cookie_names(site)[0], value=raw or "", path="/", httponly=True, secure=site.secure, samesite="lax",
        max_age=0 if raw is None else None,
    )  # fmt: skip


def most_bytes(scope: Scope) -> int | None:
    """Largest body that a request's handler accepts; None: any."""
    handler = scope["route_handler"]
    return handler.resolve_request_max_body_size() if isinstance(handler, HTTPRouteHandler) else None


def answers_here(method: str, opt: Any) -> bool:
    """Whether a process that only reads answers by itself.

    >>> answers_here("GET", {"reader": True}), answers_here("POST", {"reader": True}), answers_here("GET", {})
    (True, False, False)
    """
    return method in ("GET", "HEAD") and bool(opt.get("reader") or opt.get("static"))


@asynccontextmanager
async def files_closed(request: Request[Any, Any, Any]) -> AsyncIterator[None]:
    """At its end the files of a form that was read here are closed; the handler's end does it only where one is come
    to."""
    try:
        yield
    finally:
        if (form := request.state.get(_FORM)) is not None:
            await form.close()


class Gate(ASGIMiddleware):
    """One middleware for the whole application; a handler's `opt` says which door it is.

    `opt["public"]`: no session needed. `opt["door"] == "api"`: steps 1 to 3 only. `opt["half"]`: between password and
    second factor. `opt["stream"]`: the CSRF token comes as header or `?_csrf=`, so that the body is not read here.
    `opt["reader"]`: see `Site.forward`.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, site: Site) -> None:
        self.site = site
        self.limit = RateLimit(site.requests_per_minute, time.monotonic)
        self.key = site.accounts.db.secret("csrf")
        self.session_name, self.visitor_name = cookie_names(site)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Refuses, in order: request.host, request.too_many, request.too_large, csrf.*, then asks to sign in."""
        request: Request[Any, Any, Any] = Request(scope, receive, send)
        opt = scope["route_handler"].opt
        # 0. what only the process that writes can answer, it answers, this gate included
        if self.site.forward is not None and not answers_here(request.method, opt):
            await self.site.forward(scope, receive, send)
            return
        raw = request.cookies.get(self.session_name, "")
        # 1. the host is ours
        if not host_is(request.headers.get("host", ""), self.site.hosts):
            raise Refusal("request.host", "This node does not answer to that host name.", status=421)
        plain = opt.get("door") == "api" or bool(opt.get("static"))
        row = self.site.accounts.sessions.load(raw) if raw and not plain else None
        # 2. not too many requests (static files aside); a cookie that is no session's counts for nothing
        if not opt.get("static"):
            self.limit.take(raw if row is not None else request.client.host if request.client else "")
        # 3. not too large
        self._check_size(request, most_bytes(scope))
        if plain:
            await self._answer(request, scope, receive, send, next_app)
            return
        # 4. who is looking
        session = self._session(row) if row is not None else None
        half = row if row is not None and session is None and not row.complete else None
        visitor = request.cookies.get(self.visitor_name, "")
        binding = raw if row is not None else visitor or secrets.token_urlsafe(24)
        shell = Shell(self.site, request, session, half, csrf_token=lambda: csrf.make(self.key, binding))
        scope["state"]["shell"], scope["state"]["session_raw"] = shell, raw
        async with files_closed(request):
            # 5. the request was made on our own page
            if request.method not in csrf.SAFE_METHODS:
                await self._check_forged(request, binding, bool(opt.get("stream")))
            # 6. signed in, unless the page is public
            if session is None and not opt.get("public") and not (opt.get("half") and half):
                await self._ask_to_sign_in(request, scope, receive, send)
                return
            visit = binding if row is None and not visitor else ""
            send = self._with_cookies(send, shell, visit)
            ASKED.set(request)
            await self._answer(request, scope, receive, send, next_app)

    async def _answer(
        self, request: Request[Any, Any, Any], scope: Scope, receive: Receive, send: Send, next_app: ASGIApp
    ) -> None:
        """All that a request asks, it asks of one state; which is let go before the answer is sent, however slowly."""
        if scope["route_handler"].opt.get("static"):
            await next_app(scope, receive, send)
            return
        with self.site.once(request.method not in csrf.SAFE_METHODS) as drawn:

            async def wrapped(message: Message) -> None:
                if message["type"] == "http.response.start":
                    drawn()
                await send(message)

            await next_app(scope, receive, wrapped)

    def _check_size(self, request: Request[Any, Any, Any], most: int | None) -> None:
        given = request.headers.get("content-length", "0")
        if most is not None and (not given.isdigit() or int(given) > most):
            raise Refusal(
                "request.too_large", "What was sent is larger than this page accepts.", status=413,
                got=f"{given} bytes", expected=f"at most {most} bytes", next="Use Import, or send a smaller file.",
            )  # fmt: skip

    def _session(self, row: SessionRow) -> Session | None:
        accounts = self.site.accounts
        user = accounts.user(row.user)
        if user is None or user.disabled or not row.complete:
            return None
        memberships = accounts.memberships(user.id)
        mine = next((m for m in memberships if m.party == row.party), memberships[0] if memberships else None)
        return Session(
            id=row.id,
            user=user.id,
            name=user.name,
            email=user.email,
            party=mine.party if mine else "",
            role=mine.role if mine else "",
            approval_limit_minor=mine.approval_limit_minor if mine else 0,
            memberships=memberships,
            has_second_factor=user.has_second_factor,
        )

    async def _check_forged(self, request: Request[Any, Any, Any], binding: str, stream: bool) -> None:
        """Refuses, in order: csrf.other_site, csrf.token."""
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise Refusal("csrf.other_site", "The request came from another site.", status=403)
        token = request.headers.get(csrf.HEADER) or request.query_params.get(csrf.FIELD, "")
        kinds = {RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART}
        if not token and not stream and request.content_type[0] in kinds:
            form = request.state[_FORM] = await request.form()
            token = form.get(csrf.FIELD, "")
        if not isinstance(token, str) or not csrf.matches(self.key, binding, token):
            raise Refusal(
                "csrf.token", "The page was open too long, or you signed in or out elsewhere.", status=403,
                next="Reload the page, and send the form again.",
            )  # fmt: skip

    async def _ask_to_sign_in(
        self, request: Request[Any, Any, Any], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send a reader to the sign-in page and back after it; JSON and unsafe requests get the refusal."""
        if wants_json(request) or request.method not in csrf.SAFE_METHODS:
            raise Refusal("session.needed", "Sign in first.", status=401, next="Sign in, then repeat the request.")
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        address = f"/sign-in?next={quote(back, safe='/')}"
        if request.headers.get("hx-request"):
            raise Refusal("session.ended", "Your session has ended.", status=401, next="Reload the page to sign in.")
        await ASGIRedirectResponse(path=address, status_code=303)(scope, receive, send)

    def _with_cookies(self, send: Send, shell: Shell, visitor: str) -> Send:
        """Set the visitor cookie only when the page holds a form's token; end a notice that was shown."""

        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders.from_message(message)
                if shell.token_used and visitor:
                    cookie = Cookie(
                        key=self.visitor_name, value=visitor, path="/", httponly=True, secure=self.site.secure,
                        samesite="lax",
                    )  # fmt: skip
                    headers.add("set-cookie", cookie.to_header(header=""))
                if shell.notice_used:
                    headers.add("set-cookie", Cookie(key=NAME, value="", path="/", max_age=0).to_header(header=""))
            await send(message)

        return wrapped
