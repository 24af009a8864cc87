"""Refusals and errors in the house's one shape, as a page or as JSON.

Every refusal has `code, message, got, expected, next, retry`; JSON answers carry the RFC 9457 members
(`type, title, status, detail, instance`) beside them, media type `application/problem+json`.
A refusal of a room is recognised by its members, not by its class, so that this module imports no room.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from markupsafe import escape

MEMBERS = ("code", "message", "got", "expected", "next", "retry")
LOG = logging.getLogger("hanse.web")


class Refusal(Exception):
    """A request that the shell does not carry out.

    Args:
        code: `area.reason`, the contract with callers.
        message: one sentence for people, without secrets.
        status: HTTP status, 400..599.
        got, expected: what was given and what would be accepted.
        next: what to do now.
        retry: seconds after which the same request may succeed; None: never as it stands.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 422,
        got: Any = None,
        expected: Any = None,
        next: str = "",
        retry: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.got = got
        self.expected = expected
        self.next = next
        self.retry = retry


PLAIN = {
    400: ("request.malformed", "The request could not be read.", "Go back, and send the form again."),
    401: ("session.needed", "Sign in to see this page.", "Sign in."),
    403: ("access.denied", "Your role does not include this page.", "Ask the person who invited you for the role."),
    404: ("page.unknown", "There is no page at this address.", "Search for it, or start from the first page."),
    405: ("request.method", "This address does not accept that kind of request.", "Go back, and use the page's form."),
    413: (
        "request.too_large",
        "What was sent is larger than this page accepts.",
        "Use Import, or send a smaller file.",
    ),
    429: ("request.too_many", "Too many requests in a short time.", "Wait a moment, then try again."),
    500: ("server.fault", "Something went wrong on our side. Nothing was changed.", "Try again; if it stays, tell us."),
    503: ("server.busy", "The node is busy or starting.", "Try again in a few seconds."),
}


def status_of(error: Any) -> int:
    """HTTP status of a refusal: its own `status`, else from its code (unknown 404, forbidden 403, else 422)."""
    own = getattr(error, "status", None)
    if isinstance(own, int) and 400 <= own <= 599:
        return own
    reason = str(error.code).rpartition(".")[2]
    if reason.startswith("unknown"):
        return 404
    if reason in {"forbidden", "not_permitted", "denied"}:
        return 403
    return 422


def members_of(error: Exception) -> tuple[int, dict[str, Any]]:
    """(status, the six members) of any exception; a fault's own text is never shown."""
    if all(hasattr(error, name) for name in MEMBERS):
        given = {name: getattr(error, name) for name in MEMBERS}
        return status_of(error), {
            name: None if value == "" or value is False else value for name, value in given.items()
        }
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, message, then = PLAIN.get(status) or PLAIN[500 if status >= 500 else 400]
    members: dict[str, Any] = dict.fromkeys(MEMBERS)
    members |= {"code": code, "message": message, "next": then}
    if status == 400 and isinstance(error, HTTPException):
        extra = error.extra if isinstance(error.extra, list) else []
        members["got"] = "; ".join(f"{e.get('key')}: {e.get('message')}" for e in extra if isinstance(e, dict)) or None
    return status, members


def wants_json(request: Request[Any, Any, Any]) -> bool:
    """True when the client asks for JSON before HTML, or calls the API."""
    accept = request.headers.get("accept", "")
    return "json" in accept.split("text/html")[0] or request.url.path.startswith("/api/")


def _plain(value: object) -> Any:
    try:
        return msgspec.to_builtins(value)
    except TypeError:
        return str(value)


def problem(request: Request[Any, Any, Any], status: int, members: dict[str, Any]) -> Response[bytes]:
    """The refusal as RFC 9457 problem details with our members beside them."""
    body = {
        "type": f"/docs/refusals#{members['code']}",
        "title": members["code"],
        "status": status,
        "detail": members["message"],
        "instance": request.url.path,
    } | {name: _plain(value) for name, value in members.items()}
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/problem+json")


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Exception handler of the whole application: refusal, HTTP error or fault, as HTML or JSON."""
    status, members = members_of(error)
    if status >= 500:
        LOG.error("fault on %s %s", request.method, request.url.path, exc_info=error)
    headers = {"Retry-After": str(members["retry"])} if type(members["retry"]) is int and members["retry"] else {}
    if wants_json(request):
        response: Response[Any] = problem(request, status, members)
        response.headers.update(headers)
        return response
    context = {"status": status, "refusal": members, "title": members["message"], "request": request}
    try:
        engine: Any = request.app.template_engine
        body = engine.get_template("error.html").render(context)
    except Exception:
        LOG.exception("the error page itself failed")
        body = f"<!doctype html><title>{status}</title><p>{escape(members['message'])}</p>"
    return Response(body, status_code=status, headers=headers, media_type="text/html")
