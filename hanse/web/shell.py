"""What templates (`shell`) and handlers (`request.state.shell`) can ask about the reader and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from litestar import Request

from hanse.web.formats import zone_of
from hanse.web.notice import notice_of
from hanse.web.sessions import SessionRow
from hanse.web.site import NavItem, Session

if TYPE_CHECKING:
    from hanse.web.site import DemoRole, DemoStop, Site

THEMES = ("light", "dark")
STOP = "demo_stop"
"""The cookie that keeps the visitor's place in the demo's story."""
OPEN_AT_FIRST = ("Trade", "Stock")
"""Headings of the menu that show their entries to one who has not opened or closed any: the daily work."""


@dataclass
class Shell:
    """One request's reader: session (None: signed out), menu, theme, time zone, form token."""

    site: Site
    request: Request[Any, Any, Any]
    session: Session | None
    half: SessionRow | None
    csrf_token: Callable[[], str] = field(repr=False)
    token_used: bool = False
    notice_used: bool = False

    @property
    def csrf(self) -> str:
        """A fresh token for the forms of this page."""
        self.token_used = True
        return self.csrf_token()

    @property
    def notice(self) -> str:
        """What the last form had to say, once."""
        text = notice_of(self.request)
        self.notice_used = bool(text)
        return text

    @cached_property
    def sections(self) -> list[tuple[str, list[NavItem]]]:
        """The menu under its headings, in the order given."""
        items = self.site.nav(self.session) if self.session is not None else []
        return [(name, list(group)) for name, group in groupby(items, key=lambda item: item.section)]

    @cached_property
    def active(self) -> str:
        """The address of the menu entry whose pages include this one; "" for none."""
        path = self.request.url.path
        hrefs = (item.href for _, items in self.sections for item in items)
        fits = [h for h in hrefs if path == h or path.startswith(h.rstrip("/") + "/")]
        return max((h for h in fits if h != "/" or path == "/"), key=len, default="")

    def part_open(self, name: str) -> bool:
        """Whether a heading of the menu shows its entries: the one of this page always, others as the reader left it.

        The cookie `menu` names the headings that were opened or closed against OPEN_AT_FIRST, with dots between them.
        """
        here = any(item.href == self.active for part, items in self.sections if part == name for item in items)
        turned = unquote(self.request.cookies.get("menu", "")).split(".")
        return here or (name in OPEN_AT_FIRST) != (name in turned)

    @property
    def theme(self) -> str:
        """ "light" or "dark" when the reader chose one; "" follows the system."""
        chosen = self.request.cookies.get("theme", "")
        return chosen if chosen in THEMES else ""

    @cached_property
    def zone(self) -> ZoneInfo:
        """The reader's time zone as the browser told it in the `tz` cookie; UTC before that."""
        return zone_of(self.request.cookies.get("tz", "UTC"))

    @property
    def title(self) -> str:
        """The site's name."""
        return self.site.title

    @property
    def party_name(self) -> str:
        """The name of the party for which the reader acts."""
        return self.site.party_name(self.session.party) if self.session is not None else ""

    @property
    def demo_roles(self) -> Sequence[DemoRole]:
        """Whom a visitor may be; empty outside a demo."""
        return self.site.demo_roles if self.site.demo else ()

    @cached_property
    def demo_stop(self) -> DemoStop | None:
        """Where in the demo's story the visitor is, on the page that the story led to; None elsewhere."""
        name = self.request.cookies.get(STOP, "") if self.site.demo else ""
        found = self.site.demo_stop(name) if name else None
        here = found is not None and unquote(found.href.partition("?")[0]) == unquote(self.request.url.path)
        return found if here else None
