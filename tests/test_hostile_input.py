"""Markup in every text field that firms fill in, on every page; bodies that are too large."""

from __future__ import annotations

from collections.abc import Iterator

import competitor_town
import pytest
from competitor_town import SecretTown, program
from test_competitor import addresses

from hanse.site.testing import SmallTown

EVIL = "<img src=x onerror=alert({})>"
PLAIN = {"a site of bob", "a person of bob"}
"""Identifiers: markup is refused in them."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretTown]:
    words = competitor_town.WORDS
    evil = {
        what: word if what in PLAIN else ("brand:" if what == "a permit" else "") + EVIL.format(n)
        for n, (what, word) in enumerate(words.items())
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(competitor_town, "WORDS", evil)
        there = SecretTown(tmp_path_factory.mktemp("town"))
        yield there
        there.close()


def test_markup_in_every_text_field_is_shown_as_text_on_every_page(town: SecretTown) -> None:
    shown: set[str] = set()
    for party in ("ann", "bob"):
        who = town.visitor(party)
        for address in addresses(town):
            answer = who.get(address)
            if "text/html" not in answer.headers.get("content-type", ""):
                continue
            assert "<img src=x" not in answer.text, address
            assert answer.status_code < 500, address
            shown |= {
                what for n, what in enumerate(competitor_town.WORDS)
                if f"onerror=alert({n})&gt;" in answer.text or f"onerror=alert({n})\\u003e" in answer.text
            }  # fmt: skip
    assert len(shown) > 20, "the markup was there to be shown"


def test_a_body_beyond_ten_megabytes_is_refused_and_changes_nothing(town: SmallTown) -> None:
    client, header = program(town, "ann")
    size = town.node.log.size
    for path in ("/api/v1/facts", "/api/v1/facts/orders.message", "/api/v1/signed", "/api/v1/webhooks"):
        answer = client.client.post(path, content=b"x" * 10_000_001, headers=header)
        assert answer.status_code == 413, path
        assert answer.json()["code"] == "request.too_large"
    ann = town.visitor("ann")
    form = ann.client.post("/orders/do/confirm", data={"order": "x" * 10_000_001, "_csrf": ann.token()})
    assert form.status_code == 413
    assert town.node.log.size == size
    assert ann.get("/").status_code == 200


@pytest.mark.parametrize(
    "text", [b'{"circle":"\xff"}', b'{"circle":"\xed\xa0\x80"}', b"[" * 50_000, b'{"circle":' * 50_000]
)
def test_a_body_that_does_not_read_is_refused_and_no_fault(town: SmallTown, text: bytes) -> None:
    client, header = program(town, "ann")
    for path, body in (
        ("/api/v1/facts/orders.message", text),
        ("/api/v1/facts", text),
        ("/api/v1/facts", b'{"kind":"orders.message","body":%b}' % text),
        ("/api/v1/webhooks", text.replace(b"circle", b"url")),
    ):
        answer = client.client.post(path, content=body, headers=header)
        assert answer.status_code == 422, (path, answer.text)
