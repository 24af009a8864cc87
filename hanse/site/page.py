"""The first page: what to do today, the most money first."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.di import NamedDependency

from hanse.site.desks import desk
from hanse.site.first_steps import first_steps
from hanse.site.menu import Entry
from hanse.site.places import Places
from hanse.site.refusal_codes import refusals
from hanse.site.today import today
from hanse.web import Read, Reader, page

Where = NamedDependency[Places]


@get("/", sync_to_thread=True)
def start(session: Reader, read: Read, places: Where) -> Any:
    """Ranked actions with money, and the firm's own figures."""
    at = desk(read, session)
    return page("site/today.html", title="Today", found=today(at, places), steps=first_steps(at))


NAV = [Entry("Today", "/")]
PAGES: list[Any] = [start, refusals]
