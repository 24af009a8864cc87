"""The browser proves real entries of a real node by itself, and finds any byte that was changed."""

from __future__ import annotations

import base64
import json
import random
import re
from html import unescape
from pathlib import Path
from typing import Any

import chromium
import pytest
from chromium import listen, shoot
from playwright.sync_api import Browser, Page
from trading import trading_town

from hanse.rooms.catalog.facts import SetOwnItem
from hanse.site.testing import PASSWORD, SmallTown

pytestmark = chromium.MARKS
BLOCK = re.compile(r'data-proof>\s*<script type="application/json">(.*?)</script>', re.S)
VERIFY = """async (proofs) => {
  const { verify } = await import(document.querySelector('script[type=module]').src);
  const found = [];
  for (const proof of proofs) {
    const { checks, right } = await verify(proof);
    found.push([right, checks.map((c) => [c.name, c.state])]);
  }
  return found;
}"""


def proofs_of(town: SmallTown) -> list[dict[str, Any]]:
    """The proofs as the History pages of every entry hand them to the browser."""
    bob = town.visitor("bob")
    found = []
    for position in range(town.node.log.size):
        block = BLOCK.search(bob.get(f"/history/{position}").text)
        if block is not None:
            found.append(json.loads(unescape(block.group(1))))
    return found


def flipped(proof: dict[str, Any], at: int) -> dict[str, Any]:
    """The same proof with one bit of its entry changed."""
    leaf = bytearray(base64.b64decode(proof["leaf"]))
    leaf[at] ^= 1
    return {**proof, "leaf": base64.b64encode(leaf).decode()}


def on_history(page: Page, address: str, position: int) -> None:
    chromium.sign_in(page, address, "owner@bob.example", PASSWORD)
    page.goto(f"{address}/history/{position}")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Any:
    there, _ = trading_town(Path(tmp_path_factory.mktemp("town")))
    there.desk("bob").do_all([
        SetOwnItem(
            circle=there.home("bob"), own_number=f"bob-{n}", description=f"Seal {n}", brand="", part_number="", gtin="",
            unit="H87", pack_each=1, category="", cost_minor=100 + n, currency="EUR",
        )
        for n in range(5)
    ])  # fmt: skip
    yield there
    there.close()


def test_every_entry_is_proven_and_every_flipped_bit_is_found(browser: Browser, town: SmallTown) -> None:
    proofs = proofs_of(town)
    batched = [proof for proof in proofs if proof.get("fact", {}).get("batched")]
    assert len(proofs) > 100 and len(batched) >= 2
    chance = random.Random(7)
    changed = [flipped(proof, chance.randrange(len(base64.b64decode(proof["leaf"])))) for proof in proofs]
    inside = [flipped(proof, base64.b64decode(proof["leaf"]).index(b"\neyJ") + 60) for proof in batched]
    with chromium.serving(town.app) as address, chromium.context(browser) as window:
        page = window.new_page()
        on_history(page, address, 3)
        said = page.evaluate(VERIFY, proofs)
        assert [right for right, _ in said] == [True] * len(proofs)
        signed = [dict(checks)["Signature"] for _, checks in said]
        assert signed.count("proven") == sum("fact" in proof for proof in proofs) > 60
        assert set(signed) == {"proven", "not disclosed"}
        assert [right for right, _ in page.evaluate(VERIFY, changed)] == [False] * len(changed)
        for right, checks in page.evaluate(VERIFY, inside):
            assert not right and dict(checks)["Signature"] == "wrong", "a batch's signature covers each of its facts"


def test_the_page_says_what_it_checked_and_sees_a_flipped_byte(browser: Browser, town: SmallTown) -> None:
    position = next(p["index"] for p in proofs_of(town) if p.get("fact") and not p["fact"].get("batched"))
    with chromium.serving(town.app) as address, chromium.context(browser) as window:
        page = window.new_page()
        errors = listen(page)
        on_history(page, address, position)
        page.wait_for_load_state("networkidle")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.click("[data-verify]")
        page.wait_for_selector("[data-proof][data-state=proven]")
        shoot(page, "proof-proven")
        words = page.locator("[data-proof]").inner_text()
        for part in ("Proven: this entry is on the record", f"Entry {position} leads to the root", "Signed by",
                     "byte for byte as recorded", "Not checked here"):  # fmt: skip
            assert part in words, part
        page.evaluate("""() => {
          const block = document.querySelector('[data-proof] script');
          const proof = JSON.parse(block.textContent);
          const leaf = atob(proof.leaf);
          const other = String.fromCharCode(leaf.charCodeAt(leaf.length - 9) ^ 1);
          proof.leaf = btoa(leaf.slice(0, -9) + other + leaf.slice(-8));
          block.textContent = JSON.stringify(proof);
        }""")
        page.click("[data-verify]")
        page.wait_for_selector("[data-proof][data-state=wrong]")
        shoot(page, "proof-wrong")
        words = page.locator("[data-proof]").inner_text()
        assert "Wrong: this entry does not match the record" in words and "does not lead to this root" in words
        assert asked == [] and errors == []
