"""The shell in a browser: axe-core finds nothing, nothing overflows a phone, no policy is violated, keys work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import chromium
import pytest
from chromium import complaints, context, draw_all, shoot, until
from gallery import PASSWORD, make
from playwright.sync_api import Browser, Page, Route

pytestmark = chromium.MARKS
PAGES = ("/gallery", "/gallery/orders?f.status=open", "/settings", "/settings/second-factor", "/gallery/refused",
         "/gallery/empty", "/search?q=seal", "/", "/no-such-page")  # fmt: skip


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The gallery on a free port of this machine."""
    with chromium.serving(make()) as there:
        yield there


def sign_in(page: Page, address: str) -> list[str]:
    """Sign in as anna; returns the list to which errors of the console are added from now on."""
    return chromium.sign_in(page, address, "anna@example.org", PASSWORD)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_axe_finds_nothing_nothing_overflows_and_no_policy_is_violated(
    browser: Browser, address: str, size: str, scheme: Any
) -> None:
    with context(browser, size, color_scheme=scheme) as ctx:
        page = ctx.new_page()
        page.goto(f"{address}/sign-in")
        found = [f"/sign-in {c}" for c in complaints(page)]
        errors = sign_in(page, address)
        for path in PAGES:
            page.goto(address + path)
            draw_all(page)
            found += [f"{path} {c}" for c in complaints(page)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{path} overflows")
        assert found == []
        assert errors == []


def test_a_chart_has_the_figures_as_a_table_and_ink_on_its_canvas(browser: Browser, address: str) -> None:
    with context(browser) as ctx:
        page = ctx.new_page()
        sign_in(page, address)
        page.goto(f"{address}/gallery")
        draw_all(page)
        assert page.locator("#c-value tbody tr").count() == 6
        inks = page.evaluate(
            """() => [...document.querySelectorAll('.chart-canvas')].map((box) => Math.max(...[...box.querySelectorAll(
                 'canvas')].map((c) => new Set(new Uint32Array(c.getContext('2d').getImageData(
                 0, 0, c.width, c.height).data.buffer)).size)))"""
        )
        assert len(inks) == 6 and min(inks) > 10


def test_sorting_filtering_and_paging_renew_only_the_list_and_keep_the_address(browser: Browser, address: str) -> None:
    with context(browser) as ctx:
        page = ctx.new_page()
        errors = sign_in(page, address)
        page.goto(f"{address}/gallery/orders")
        page.evaluate("window.same = true")
        page.click("th a.sort:has-text('Quantity')")
        until(page, "location.search.includes('sort=qty')")
        page.wait_for_selector("th[aria-sort=ascending]:has-text('Quantity')")
        page.click("summary:has-text('Filter')")
        page.check("input[name='f.status'][value=late]")
        page.click(".pop-body button:has-text('Apply')")
        page.wait_for_selector(".chip:has-text('late')")
        assert page.locator(".list-foot").inner_text().startswith("10 of 10")
        assert page.evaluate("window.same") is True and "f.status=late" in page.url and "sort=qty" in page.url
        page.go_back()
        page.wait_for_selector(".list-foot:has-text('of 60')")
        assert errors == []


def test_ticking_rows_shows_what_can_be_done_and_doing_it_says_so(browser: Browser, address: str) -> None:
    with context(browser) as ctx:
        page = ctx.new_page()
        sign_in(page, address)
        page.goto(f"{address}/gallery/orders")
        assert not page.locator(".bulk").is_visible()
        page.check("input[aria-label='Tick row A-1000']")
        page.check("input[aria-label='Tick row A-1003']")
        assert page.locator(".bulk-count").inner_text() == "2 ticked:"
        page.click(".bulk button:has-text('Confirm')")
        page.wait_for_selector(".toast:has-text('Confirmed.')")
        page.reload()
        assert page.locator(".toast").count() == 0


def test_a_part_of_a_page_posts_with_the_inherited_token(browser: Browser, address: str) -> None:
    with context(browser) as ctx:
        page = ctx.new_page()
        errors = sign_in(page, address)
        page.goto(f"{address}/gallery")
        page.click("button:has-text('Reserve by htmx')")
        page.wait_for_selector("#part:has-text('Reserved for p1.')")
        assert errors == []


def test_slash_goes_to_search_and_hits_appear_while_typing(browser: Browser, address: str) -> None:
    with context(browser) as ctx:
        page = ctx.new_page()
        errors = sign_in(page, address)
        page.wait_for_load_state("load")  # the script that listens for the key is a deferred one
        page.keyboard.press("/")
        page.keyboard.insert_text("seal")  # at once: what half a word finds would take the place of the hits again
        page.wait_for_selector("#search-drop .hit")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/gallery/orders/A-*")
        assert errors == []


@pytest.mark.parametrize("late", [["htmx.min.js"], ["htmx.min.js", "hanse.js"]], ids=len)
def test_what_is_typed_before_the_scripts_listen_is_searched(browser: Browser, address: str, late: list[str]) -> None:
    with context(browser) as ctx:
        page = ctx.new_page()
        errors = sign_in(page, address)
        held: list[Route] = []
        for script in late:
            page.route(f"**/{script}*", lambda route: held.append(route))  # noqa: PLW0108 (Playwright marks what it is given, and a list's own method takes no mark)
        page.goto(f"{address}/gallery", wait_until="commit")
        page.fill("#search", "seal")
        while len(held) < len(late):
            page.wait_for_timeout(30)
        for route in sorted(held, key=lambda route: "htmx" not in route.request.url):
            page.wait_for_timeout(400)  # longer than a search waits for the next letter
            assert page.locator("#search-drop .hit").count() == 0
            route.continue_()
        page.wait_for_selector("#search-drop .hit")
        assert errors == []


def test_times_are_in_the_readers_zone_with_iso_on_hover(browser: Browser, address: str) -> None:
    with context(browser) as ctx:
        page = ctx.new_page()
        sign_in(page, address)
        page.goto(f"{address}/gallery")
        time_element = page.locator("dd time").first
        assert time_element.inner_text() == "21 Sep 2026, 16:13"
        assert time_element.get_attribute("title") == "2026-09-21T14:13:20Z"


def test_the_appearance_is_kept_without_a_flash(browser: Browser, address: str) -> None:
    with context(browser, color_scheme="light") as ctx:
        page = ctx.new_page()
        sign_in(page, address)
        page.click("button:has-text('Dark')")
        page.reload()
        assert page.locator("html").get_attribute("data-theme") == "dark"
        html = ctx.request.get(f"{address}/settings").text()
        assert 'data-theme="dark"' in html


def test_the_browser_proves_an_entry_by_itself(browser: Browser, address: str) -> None:
    with context(browser) as ctx:
        page = ctx.new_page()
        errors = sign_in(page, address)
        page.goto(f"{address}/gallery")
        draw_all(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.click("[data-verify]")
        page.wait_for_selector("[data-proof][data-state=proven]")
        assert page.locator("[data-checks] .badge").all_inner_texts() == ["proven"] * 3
        assert page.locator(".proof-path rect").count() == 9
        assert asked == [] and errors == []


TAMPER = """async ([block, change]) => {
  const { verify } = await import(document.querySelector('script[type=module]').src);
  const d = JSON.parse(block);
  const flip = (text) => (text[0] === 'A' ? 'B' : 'A') + text.slice(1);
  ({ none: () => {}, leaf: () => { d.leaf = flip(d.leaf); }, index: () => { d.index += 1; },
     size: () => { d.size += 1; },
     proof: () => { d.proof[1] = flip(d.proof[1]); }, short: () => { d.proof.pop(); },
     long: () => { d.proof.push(d.proof[0]); }, root: () => { d.root = flip(d.root); },
     note: () => { d.note = d.note.replace('lubeck', 'danzig'); }, nobody: () => { d.vkeys = []; },
     key: () => { d.fact.public_key = flip(d.fact.public_key); },
     jws: () => { d.fact.jws = d.fact.jws.slice(0, -4) + 'AAAA'; } })[change]();
  const { checks, right } = await verify(d);
  return [right, checks.filter((c) => c.state === 'wrong').map((c) => c.name)];
}"""


def test_every_change_to_a_proof_is_found(browser: Browser, address: str) -> None:
    expected = {
        "none": [], "leaf": ["Path"], "index": ["Path"], "size": ["Root"], "proof": ["Path"],
        "short": ["Path"], "long": ["Path"], "root": ["Path", "Root"], "note": ["Root"], "nobody": ["Root"],
        "key": ["Signature"], "jws": ["Signature"],
    }  # fmt: skip
    with context(browser) as ctx:
        page = ctx.new_page()
        sign_in(page, address)
        page.goto(f"{address}/gallery")
        block = page.locator("[data-proof] script").text_content()
        found = {change: page.evaluate(TAMPER, [block, change]) for change in expected}
    assert {change: right for change, (right, _) in found.items()} == {c: not wrong for c, wrong in expected.items()}
    assert all(set(wrong) <= set(found[change][1]) for change, wrong in expected.items())


def test_inclusion_agrees_with_an_independent_tree_for_every_entry_of_every_small_size(
    browser: Browser, address: str
) -> None:
    from sample_proof import b64, path_of, root_of

    cases = []
    for size in range(1, 20):
        leaves = [bytes([n]) * n for n in range(size)]
        cases += [
            [b64(leaves[i]), i, size, [b64(h) for h in path_of(i, leaves)], b64(root_of(leaves))] for i in range(size)
        ]
    with context(browser) as ctx:
        page = ctx.new_page()
        sign_in(page, address)
        page.goto(f"{address}/gallery")
        wrong = page.evaluate(
            """async (cases) => {
              const { inclusion } = await import(document.querySelector('script[type=module]').src);
              const b = (t) => Uint8Array.from(atob(t), (c) => c.charCodeAt(0));
              const wrong = [];
              for (const [leaf, index, size, proof, root] of cases) {
                const got = (await inclusion(b(leaf), index, size, proof.map(b))).root;
                if (btoa(String.fromCharCode(...got)) !== root) wrong.push([index, size]);
              }
              return wrong;
            }""",
            cases,
        )
    assert wrong == []


def test_every_page_works_without_javascript(browser: Browser, address: str) -> None:
    with context(browser, java_script_enabled=False) as ctx:
        page = ctx.new_page()
        sign_in(page, address)
        page.goto(f"{address}/gallery/orders")
        page.click("th a.sort:has-text('Quantity')")
        page.wait_for_load_state()  # a click waits until the next page begins
        assert "sort=qty" in page.url and page.locator("th[aria-sort=ascending]").count() == 1
        page.click("summary:has-text('Columns')")
        page.uncheck("input[name=columns][value=item]")
        page.click(".pop-narrow button:has-text('Apply') >> visible=true")
        page.wait_for_load_state()
        assert page.locator("thead th:has-text('Item')").count() == 0 and "sort=qty" in page.url
        page.click("button:has-text('Dark')")
        assert page.locator("html").get_attribute("data-theme") == "dark"


def test_a_phone_opens_the_menu_with_words(browser: Browser, address: str) -> None:
    with context(browser, "phone") as ctx:
        page = ctx.new_page()
        sign_in(page, address)
        assert not page.locator(".menu a:has-text('Orders')").is_visible()
        page.click("summary:has-text('Menu')")
        shoot(page, "menu-phone", whole=False)
        page.click(".menu a:has-text('Orders')")
        page.wait_for_url("**/gallery/orders")
