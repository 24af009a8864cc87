"""What the browser tests share: Chromium, a server on a free port, axe-core, and waiting under a strict policy."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None and os.environ.get("CI") != "true", reason="Chromium is not installed"),
]
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"desk": (1280, 900), "phone": (380, 800)}
DRAWN = """[...document.querySelectorAll('[data-chart]:not([data-drawn])')].filter((f) => f.checkVisibility()).every(
    (f) => { f.scrollIntoView({block: 'center', behavior: 'instant'}); return false; })"""
WAIT_SECONDS = 90
"""For whatever is about to happen, on a machine that is busy."""
SHOTS = os.environ.get("HANSE_SHOTS", "")
"""A folder in which to keep pictures of what the tests saw; "" keeps none."""


def launch() -> Iterator[Browser]:
    """Chromium, closed at the end."""
    assert PROGRAM is not None, "CI needs Chromium"
    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=PROGRAM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield chromium
        chromium.close()


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """An application on a free port of this machine; its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def context(browser: Browser, size: str = "desk", **more: Any) -> BrowserContext:
    """A fresh browser window of one of the SIZES, somewhere in Germany."""
    width, height = SIZES[size]
    made = browser.new_context(viewport={"width": width, "height": height}, timezone_id="Europe/Berlin", **more)
    made.set_default_timeout(WAIT_SECONDS * 1_000)
    return made


def listen(page: Page) -> list[str]:
    """The list to which errors of the console, violations of the policy among them, are added from now on."""
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" and "status of" not in m.text else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


def sign_in(page: Page, address: str, email: str, password: str) -> list[str]:
    """Sign in; returns the list of errors, as `listen`."""
    errors = listen(page)
    page.goto(f"{address}/sign-in")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click(".gate-card button.primary")
    page.wait_for_url(f"{address}/")
    return errors


def until(page: Page, condition: str) -> None:
    """Wait for a condition; the page's own policy forbids Playwright's way of polling."""
    end = time.monotonic() + WAIT_SECONDS
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"did not happen: {condition}"
        page.wait_for_timeout(30)


def draw_all(page: Page) -> None:
    """Bring every chart into view, those that come in later too, and wait until all that show are drawn."""
    until(page, DRAWN)


def complaints(page: Page, only: list[str] = RULES) -> list[str]:
    """What axe-core finds, as rule and place. only: its tags or names of rules."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE)  # by the debugger, which the page's own policy does not concern
    found = page.evaluate("(only) => axe.run(document, {runOnly: only, resultTypes: ['violations']})", only)
    return [f"{v['id']}: {node['target']} {node['failureSummary']}" for v in found["violations"] for node in v["nodes"]]


def shoot(page: Page, name: str, *, whole: bool = True) -> None:
    """Keep a picture where HANSE_SHOTS asks for it."""
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=whole)
