"""What the shell is handed: the site's pages, menus, search, and who is looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from litestar.di import NamedDependency
from litestar.types import ASGIApp, ControllerRouterHandler, Guard

from hanse.web.accounts import AccountStore, Membership
from hanse.web.formats import Link

Route = ControllerRouterHandler
"""A Litestar handler, controller or router that a room offers."""


class Session(msgspec.Struct, frozen=True):
    """Who is looking, for which party. Handlers take it as the parameter `session: Reader`.

    `approval_limit_minor`: minor units of the party's currency; None: no limit.
    """

    id: int
    user: int
    name: str
    email: str
    party: str
    role: str
    approval_limit_minor: int | None = None
    memberships: tuple[Membership, ...] = ()
    has_second_factor: bool = False


Reader = NamedDependency[Session]
"""Who is looking, as a handler's parameter: `session: Reader`."""
Read = NamedDependency[Any]
"""The site's `read`, as a handler's parameter: `read: Read`; annotate your own type for more than Any."""


class NavItem(msgspec.Struct, frozen=True):
    """One entry of the menu: a word people know, where it leads, and under which heading. `count` shows as a number."""

    label: str
    href: str
    section: str = ""
    count: int | None = None


class Hit(msgspec.Struct, frozen=True):
    """One search result: what it is called, its kind ("Item", "Order", "Party"), one line about it, its page."""

    title: str
    kind: str
    href: str
    detail: str = ""


class DemoRole(msgspec.Struct, frozen=True):
    """One person whose eyes a visitor of the demo may borrow."""

    user: int
    label: str


class DemoStop(msgspec.Struct, frozen=True):
    """A place in the demo's story at which its bar tells what to look at.

    at, of: this step and how many there are. look: what to look at on the page `href`. back, following: where the start
    page has this step, and the next, whose title is `next_title`.
    """

    at: int
    of: int
    title: str
    look: str
    href: str
    back: str
    next_title: str
    following: str


def no_stop(name: str) -> DemoStop | None:
    """A site without a story."""
    return None


def no_search(session: Session, text: str, limit: int) -> Sequence[Hit]:
    """The search of a site that has none: finds nothing."""
    return ()


@contextmanager
def as_things_stand(writes: bool) -> Iterator[Callable[[], None]]:
    """A site whose pages ask nothing that changes."""
    yield lambda: None


def same(party: str) -> str:
    """The name of a party where no room gives one: its id."""
    return party


@dataclass
class Site:
    """Everything that `create_app` needs.

    Args:
        accounts: the local accounts file.
        pages: handlers, controllers and routers of the rooms; each needs a session unless `opt={"public": True}`.
        nav: the menu for one reader; only what the role may open.
        templates: one folder per room; a room's `order.html` is `orders/order.html` after its folder's name.
        search: `(session, text, limit) -> hits` over all that the reader may see.
        read: whatever rooms' handlers ask for as `read` (also `request.app.state.read`); the shell does not look at it.
        once: the request inside, and all threads that it asks in, asks its questions of one state; what it yields is
            called when the answer is drawn. Told whether the request may write.
        demo: show the bar that switches roles, and accept POST /demo/as/{user}.
        demo_roles: whom a visitor of the demo may be. demo_stop: the place in the demo's story of a name, as
            `/demo/as/{user}?stop=` gives it.
        party_name: a party's id to the name that people know.
        firm_settings: where the firm's own settings stand, as far as the reader may open them.
        mounts: Litestar handlers beside the pages (the JSON API under /api): no cookies, no CSRF, own authentication.
        hosts: accepted Host headers (without port; `*.example.org` allowed); ("*",) accepts every host.
        secure: served over https: cookies `Secure` with the `__Host-` prefix, HSTS.
        home: where a reader lands after signing in.
        body_bytes_max: largest request body; a handler sets its own by `request_max_body_size` (None: streams).
        requests_per_minute: per session, or per address without one.
        dependencies: further Litestar dependencies for the rooms' handlers (name -> Provide). guards: Litestar guards
            before every page's handler: they raise what its answer is to be.
        forward: in a process that only reads, who answers everything but static files and pages marked
            `opt={"reader": True}` (they look at state and sessions alone); None: this process answers everything.
    """

    accounts: AccountStore
    pages: Sequence[Route] = ()
    nav: Callable[[Session], list[NavItem]] = lambda session: []
    templates: list[Path] = field(default_factory=list)
    search: Callable[[Session, str, int], Sequence[Hit]] = no_search
    read: Any = None
    once: Callable[[bool], AbstractContextManager[Callable[[], None]]] = as_things_stand
    demo: bool = False
    demo_roles: Sequence[DemoRole] = ()
    demo_stop: Callable[[str], DemoStop | None] = no_stop
    title: str = "Hanse"
    party_name: Callable[[str], str] = same
    firm_settings: Callable[[Session], Sequence[Link]] = lambda session: ()
    mounts: Sequence[Route] = ()
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]", "testserver.local")
    secure: bool = True
    home: str = "/"
    body_bytes_max: int = 10_000_000
    requests_per_minute: int = 600
    dependencies: dict[str, Any] = field(default_factory=dict)
    guards: Sequence[Guard] = ()
    forward: ASGIApp | None = None
