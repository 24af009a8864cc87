"""What a room's page calls: `page` draws a template in the shell, `listing` a table with its files and refinements."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.exceptions import NotFoundException
from litestar.response import Redirect, Response, Stream, Template
from litestar.response.base import ASGIResponse

from hanse.web.export import csv_stream, json_stream, kept
from hanse.web.refusals import Refusal
from hanse.web.site import Session
from hanse.web.tables import Fetch, Table, View

Crumbs = Sequence[tuple[str, str]]
"""(words, address) from the top; the page itself is not among them."""
ASKED: ContextVar[Request[Any, Any, Any]] = ContextVar("asked")
"""The request that is being answered; the gate sets it."""


class Drawn(Template):
    """A template that is drawn where the handler runs, in its thread: the loop, which all readers share, only sends."""

    __slots__ = ("drawn",)

    def draw(self, request: Request[Any, Any, Any]) -> None:
        """Draw it now. Raises: as the template."""
        engine: Any = request.app.template_engine
        context = {**self.context, "request": request}
        self.content = engine.get_template(self.template_name).render(**context).encode(self.encoding)
        self.drawn = True

    def to_asgi_response(self, *given: Any, **options: Any) -> ASGIResponse:
        """The answer; drawn here where no request was known before."""
        if getattr(self, "drawn", False):
            return Response.to_asgi_response(self, *given, **options)
        return super().to_asgi_response(*given, **options)


def page(template: str, *, title: str, crumbs: Crumbs = (), status: int = 200, **context: Any) -> Template:
    """A room's template inside the shell. `title` stands in the tab and as the page's heading."""
    context = {"title": title, "crumbs": crumbs, **context}
    drawn = Drawn(template, context=context, status_code=status, media_type="text/html")
    request = ASKED.get(None)
    if request is not None:
        drawn.draw(request)
    return drawn


def listing(
    request: Request[Any, Any, Any],
    table: Table,
    fetch: Fetch,
    *,
    template: str = "list.html",
    title: str,
    crumbs: Crumbs = (),
    empty: str = "Nothing here yet.",
    empty_next: tuple[str, str] | None = None,
    **context: Any,
) -> Response[Any] | Template:
    """A page with one list: reads the address, asks `fetch`, draws the page, or sends the CSV or JSON file.

    The template finds the list as `listing` (draw it by `ui.table(listing)`).
    Refuses: as `Table.parse`; table.format.
    """
    query = table.parse(request.query_params)
    form = request.query_params.get(f"{table.prefix}format", "")
    if form:
        return export(table, query, fetch, form)
    view = view_of(request, table, fetch, empty=empty, empty_next=empty_next)
    return page(template, title=title, crumbs=crumbs, listing=view, **context)


def view_of(
    request: Request[Any, Any, Any],
    table: Table,
    fetch: Fetch,
    *,
    empty: str = "Nothing here yet.",
    empty_next: tuple[str, str] | None = None,
) -> View:
    """A table's view for pages that have several tables, or one among other things."""
    query = table.parse(request.query_params)
    own = ("sort", "f.", "q", "columns", "rows", "after", "format")
    other = tuple(
        (name, value)
        for name, value in request.query_params.multi_items()
        if not (name.startswith(table.prefix) and name[len(table.prefix) :].startswith(own))
    )
    return View(table, query, fetch(query), request.url.path, other, empty, empty_next)


def export(table: Table, query: Any, fetch: Fetch, form: str) -> Stream:
    """The list as a file: all of it of the request's one state, however slowly it is taken away.

    Refuses: table.format (neither csv nor json).
    """
    kinds = {"csv": (csv_stream, "text/csv"), "json": (json_stream, "application/json")}
    if form not in kinds:
        raise Refusal(
            "table.format", "A list is exported as csv or json.", status=400, got=form, expected=["csv", "json"]
        )
    stream, media_type = kinds[form]
    headers = {"Content-Disposition": f'attachment; filename="{table.id}.{form}"'}
    return Stream(kept(stream(table, query, fetch)), media_type=media_type, headers=headers)


def local_path(target: str | None, otherwise: str = "/") -> str:
    """An address of this site to go on to; anything that leads elsewhere becomes `otherwise`.

    >>> local_path("/orders?sort=id"), local_path("//evil.example"), local_path("https://evil.example/")
    ('/orders?sort=id', '/', '/')
    >>> local_path("/\\\\evil.example"), local_path("javascript:alert(1)"), local_path(None, "/today")
    ('/', '/', '/today')
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return otherwise
    if "\\" in target or any(ord(letter) < 33 for letter in target):
        return otherwise
    parts = urlsplit(target)
    return otherwise if parts.scheme or parts.netloc else target


def go(target: str, *, notice: str = "") -> Redirect:
    """After a form: show another page of this site (303), with a notice that is read once."""
    response = Redirect(local_path(target), status_code=303)
    if notice:
        from hanse.web.notice import notice_cookie

        response.set_cookie(notice_cookie(notice))
    return response


def needs_role(session: Session, *roles: str) -> None:
    """A page for some roles only; to others it does not exist. Raises: 404, as for an unknown address."""
    if session.role not in roles:
        raise NotFoundException


def not_here() -> NotFoundException:
    """For what the reader may not know of: the same answer as for what does not exist."""
    return NotFoundException()
