"""The shell's own small pages: start, health, search, theme, party, demo."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.datastructures.cookie import Cookie
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect, Response, Template

from hanse.web.gate import session_cookie
from hanse.web.page import go, local_path, page
from hanse.web.refusals import Refusal
from hanse.web.shell import STOP
from hanse.web.site import Reader, Site

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
HITS_MAX = 50
YEAR_SECONDS = 31_536_000


def site_of(request: Request[Any, Any, Any]) -> Site:
    """The site that serves a request."""
    site: Site = request.app.state.site
    return site


@get("/", sync_to_thread=False)
def start(request: Request[Any, Any, Any], session: Reader) -> Template | Redirect:
    """Where a reader lands: the site's home, or the menu as cards."""
    site = site_of(request)
    if site.home != "/":
        return Redirect(site.home, status_code=303)
    return page("start.html", title=site.title)


@get("/healthz", opt={"public": True}, sync_to_thread=False)
def healthz(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Answers while the process serves and its accounts file can be read."""
    site_of(request).accounts.db.row("SELECT 1")
    return {"status": "ok"}


@get("/search", sync_to_thread=False)
def search(request: Request[Any, Any, Any], session: Reader, q: FromQuery[str] = "") -> Template:
    """Everything that the reader may see and that a text finds: party, item, order, lot, entry number."""
    text = q.strip()[:200]
    hits = site_of(request).search(session, text, HITS_MAX) if text else ()
    return page("search.html", title="Search", text=text, hits=hits)


@post("/theme", opt={"public": True}, sync_to_thread=False)
def theme(request: Request[Any, Any, Any], data: Form) -> Redirect:
    """Choose light or dark, without JavaScript."""
    chosen = data.get("theme", "")
    response = go(local_path(data.get("next")))
    keep = chosen in ("light", "dark")
    cookie = Cookie(key="theme", value=chosen if keep else "", max_age=YEAR_SECONDS if keep else 0, samesite="lax")
    response.set_cookie(cookie)
    return response


@post("/party", sync_to_thread=False)
def change_party(request: Request[Any, Any, Any], session: Reader, data: Form) -> Redirect:
    """Act for another of one's parties. Refuses: party.forbidden."""
    party = data.get("party", "")
    if party not in {membership.party for membership in session.memberships}:
        raise Refusal("party.forbidden", "You are not a member of this party.", status=403, got=party)
    site = site_of(request)
    site.accounts.sessions.set_party(session.id, party)
    return go("/", notice=f"You now act for {site.party_name(party)}.")


@post("/demo/as/{user:int}", opt={"public": True}, sync_to_thread=False)
def demo_as(request: Request[Any, Any, Any], user: FromPath[int]) -> Response[Any]:
    """In a demo only: be another of the people offered, and go on to `?next=`. Elsewhere the address does not exist.

    `?stop=` is kept as the place in the demo's story (`Site.demo_stop`); without it the visitor has left the story.
    """
    site = site_of(request)
    if not site.demo or user not in {role.user for role in site.demo_roles}:
        raise NotFoundException
    old = request.state.shell.session
    if old is not None:
        site.accounts.sessions.revoke(old.id)
    memberships = site.accounts.memberships(user)
    address = request.client.host if request.client else ""
    agent = request.headers.get("user-agent", "")
    party = memberships[0].party if memberships else ""
    response = go(local_path(request.query_params.get("next")))
    response.set_cookie(
        session_cookie(site, site.accounts.sessions.start(user, party, complete=True, address=address, agent=agent))
    )
    told = request.query_params.get("stop", "")
    known = site.demo_stop(told) is not None
    response.set_cookie(Cookie(key=STOP, value=told if known else "", max_age=None if known else 0, samesite="lax"))
    return response


PAGES: list[Any] = [start, healthz, search, theme, change_party, demo_as]
