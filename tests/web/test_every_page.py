"""Every page of a small town in a browser: readable, quiet, reachable by keyboard, on a desk and on a phone.

The addresses are those of tests/test_routes.py, and of each kind of thing one that the pages link to: whoever adds a
page there has it walked here.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import chromium
import pytest
from chromium import complaints, draw_all, listen, shoot
from playwright.sync_api import Browser, Page, Response, ViewportSize
from playwright.sync_api import Error as PlaywrightError
from trading import trading_town

from hanse.site.testing import PASSWORD, SmallTown

pytestmark = chromium.MARKS
NO_PAGES = {"/healthz", "/checkpoint", "/sign-in"}
"""Answers for machines, and what one who is signed in is not shown."""
FILES = ("/import/{}/fixes/{}", "/import/{}/mapping.toml", "/import/template/{}", "/export/{}", "/orders/file/{}/{}",
         "/accounts/journal/{}", "/accounts/ubl/{}", "/accounts/ubl-order/{}", "/contracts/pdf/{}")  # fmt: skip
"""Downloads."""
REACHED = (
    "/orders/o/{}", "/orders/slip/{}", "/orders/note/{}", "/orders/confirmation/{}", "/orders/documents/{}", "/pod/{}",
    "/orders/quotes/q/{}", "/orders/about/{}",
    "/parties/{}", "/items/{}", "/stock/card/{}", "/offers/o/{}", "/history/{}", "/import/{}", "/plans/p/{}",
    "/plans/studies/{}", "/plans/forecast/{}", "/contracts/a/{}", "/contracts/p/{}", "/contracts/r/{}",
    "/contracts/w/{}", "/contracts/d/{}", "/contracts/template/{}", "/contracts/scorecards/{}", "/contracts/print/{}",
    "/accounts/d/{}", "/accounts/payment/{}", "/accounts/accrual/{}", "/accounts/netting/{}",
)  # fmt: skip
"""Things to which some page has to lead. What is not named here is walked wherever a page leads to one."""
TABS_MAX = 60
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 800}
WIDTH = """async (most) => {
  const width = () => document.documentElement.scrollWidth;
  for (let n = 0; n < 400 && width() > most; n++) await new Promise((done) => setTimeout(done, 50));
  return width();
}"""
LINKS = """[...document.links].map((a) => a.href).concat([...document.querySelectorAll('[hx-get]')].map(
    (e) => new URL(e.getAttribute('hx-get'), location).href))"""


def tables() -> ModuleType:
    """tests/test_routes.py, for its tables."""
    path = Path(__file__).parent.parent / "test_routes.py"
    spec = importlib.util.spec_from_file_location("tables_of_routes", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ROUTES = tables()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SmallTown, set[str]]]:
    there, links = trading_town(tmp_path_factory.mktemp("town"))
    yield there, links
    there.close()


def kind_of(link: str) -> str | None:
    """The template of the tables that a link belongs to: the one with most letters of its own; None for no thing's."""
    if unquote(link) in ROUTES.PAGES:
        return None
    fits = [
        template for template in ROUTES.WITH_NAMES
        if re.fullmatch(re.sub(r"\\{\\}(?=.)", "[^/]+", re.escape(template)).replace(r"\{\}", ".+"), link)
    ]  # fmt: skip
    return max(fits, key=lambda template: len(template.replace("{}", "")), default=None)


def of_each_kind(links: set[str], first: set[str]) -> dict[str, str]:
    """One link of each kind of thing in the tables, if it can be of `first`: template -> address."""
    found: dict[str, str] = {}
    for link in sorted(links | first, key=lambda link: (link in first, -len(link), link)):
        if (kind := kind_of(link)) and kind not in FILES:
            found[kind] = link
    return found


class Walk:
    """One owner's walk: what was wrong where (`found`), and the links seen on the way."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.errors = listen(page)
        self.found: list[str] = []
        self.links: set[str] = set()

    def sign_in(self, email: str) -> None:
        chromium.sign_in(self.page, self.address, email, PASSWORD)

    def visit(self, path: str) -> None:
        """Open a page at a desk, in light, then in dark, then on a phone; note whatever is wrong."""
        page = self.page
        page.set_viewport_size(DESK)
        page.emulate_media(color_scheme="light")
        try:
            answer = page.goto(self.address + path)
        except PlaywrightError as error:
            if "Download is starting" in str(error):
                return  # a file for other programs
            raise
        draw_all(page)
        name = path.strip("/").partition("?")[0].replace("/", "-")[:40] or "today"
        shoot(page, name)
        wrong = [*self._opened(answer), *self._headed(), *self._by_keyboard(), *complaints(page)]
        page.emulate_media(color_scheme="dark")
        wrong += [f"dark: {words}" for words in complaints(page, ["color-contrast"])]
        page.set_viewport_size(PHONE)
        width = page.evaluate(WIDTH, PHONE["width"])
        if width > PHONE["width"]:
            wrong.append(f"on a phone it is {width} px wide")
        shoot(page, f"{name}-phone-dark")
        self.found += [f"{path}: {words}" for words in [*wrong, *self.errors]]
        self.errors.clear()
        self.links |= {urlsplit(href).path for href in page.evaluate(LINKS) if href.startswith(self.address)}

    def _opened(self, answer: Response | None) -> list[str]:
        assert answer is not None
        return [] if answer.status == 200 else [f"answers {answer.status}"]

    def _headed(self) -> list[str]:
        headings = [h.strip() for h in self.page.locator("h1").all_inner_texts()]
        title = self.page.title()
        wrong = [] if len(headings) == 1 and headings[0] else [f"has headings {headings}"]
        if headings and headings[0] not in title:
            wrong.append(f"is titled {title!r}, headed {headings[0]!r}")
        return wrong

    def _by_keyboard(self) -> list[str]:
        """The first Tab is the link to the content, and what the page is for can be reached from there by Tab."""
        keys = self.page.keyboard
        keys.press("Tab")
        if not self.page.evaluate("document.activeElement.matches('.skip')"):
            return ["the first Tab does not reach the link to the content"]
        keys.press("Enter")
        actions = self.page.locator("main .primary:visible")
        if not actions.count():
            return []
        wanted = actions.first.element_handle()
        for _ in range(TABS_MAX):
            keys.press("Tab")
            if wanted.evaluate("(action) => document.activeElement === action"):
                return []
        return [f"Tab does not reach {actions.first.inner_text()!r}"]


def test_every_page_is_quiet_readable_reachable_by_keyboard_and_fits_a_phone(
    browser: Browser, town: tuple[SmallTown, set[str]]
) -> None:
    there, links = town
    plain = [path for path, who in ROUTES.PAGES.items() if "owner" in who and path not in NO_PAGES]
    with chromium.serving(there.app) as address, chromium.context(browser, reduced_motion="reduce") as window:
        walk = Walk(window.new_page(), address)
        walk.sign_in("owner@bob.example")
        for path in plain:
            walk.visit(path)
        seen: set[str] = set()
        while more := {k: v for k, v in of_each_kind(walk.links, links).items() if k not in seen}:
            for template, path in more.items():
                seen.add(template)
                walk.visit(path)
    assert walk.found == [], "\n".join(walk.found)
    assert sorted(set(REACHED) - seen) == [], "no page leads to these, or the town has none of them"
