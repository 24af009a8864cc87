"""Processes that only read: through them every page is what it is without them, and every form reaches the node."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hanse.site.testing import ROLES, SmallTown
from tests.reader_door import Before, through
from tests.test_routes import PAGES, WITH_NAMES

HERE = ("/orders", "/orders/o/known-1", "/find?q=6205", "/find?i=item-6205&n=2", "/stock", "/stock/card/bob-6205")
"""What a reader answers by itself."""
OWN = re.compile(r'name="_csrf" value="[^"]+"|"x-csrf-token": "[^"]+"|[a-p]{32}\.[a-p]{64}')


def plain(text: str) -> str:
    return OWN.sub("", text)


@pytest.mark.parametrize("role", ["stranger", *ROLES])
def test_every_page_is_the_same_through_a_reader(town: SmallTown, before: Before, role: str) -> None:
    visitor = town.visitor() if role == "stranger" else town.visitor("ann", role)
    same = through(before, visitor)
    named = [template.partition("{")[0] + name for template, (name, _) in WITH_NAMES.items()]
    for path in (*PAGES, *named, *HERE, "/nowhere", "/static/hanse.css"):
        direct, read = seen(visitor.get(path)), seen(same.get(path))
        if direct != read:  # a minute may have passed between the two, or what works behind a page be done
            direct, read = seen(visitor.get(path)), seen(same.get(path))
        assert read == direct, (role, path)


def seen(answer: Any) -> tuple[int, str, dict[str, str | None]]:
    """(status, page without tokens, the headers that rights and safety depend on)."""
    names = ("content-security-policy", "cache-control", "content-type", "strict-transport-security", "location")
    return answer.status_code, plain(answer.text), {name: answer.headers.get(name) for name in names}


def test_a_reader_answers_the_pages_of_state_by_itself_and_nothing_else(town: SmallTown, before: Before) -> None:
    same = through(before, town.visitor("bob"))
    before.forwarded.clear()
    for path in HERE:
        assert same.get(path).status_code == 200, path
    assert before.forwarded == []
    for path in ("/", "/history/3", "/settings", "/export", "/healthz"):
        same.get(path)
    assert before.forwarded == ["GET /", "GET /history/3", "GET /settings", "GET /export", "GET /healthz"]


def test_what_is_signed_through_a_reader_stands_at_once_on_its_pages(town: SmallTown, before: Before) -> None:
    same = through(before, town.visitor("ann"))
    answer = same.post("/orders/do/message", {"order": "known-1"})
    assert answer.status_code in (404, 422) and before.forwarded[-1] == "POST /orders/do/message"
    town.order("known-2")
    assert same.get("/orders/o/known-2").status_code == 200
    sent = same.client.post(
        "/orders/message", data={"order": "known-2", "text": "Is it on its way?", "_csrf": same.token("/orders")},
        files={"file": ("a.txt", b"hello")}, follow_redirects=False,
    )  # fmt: skip
    assert sent.status_code == 303, sent.text
    assert "Is it on its way?" in same.get("/orders/o/known-2").text


def test_a_form_without_its_token_is_refused_through_a_reader_too(town: SmallTown, before: Before) -> None:
    same = through(before, town.visitor("ann"))
    answer = same.client.post("/find/place", data={"wish": "x"}, follow_redirects=False)
    assert answer.status_code == 403 and "csrf" in answer.text


def test_who_signs_out_is_signed_out_of_the_readers(town: SmallTown, before: Before) -> None:
    visitor = town.visitor("ann")
    same = through(before, visitor)
    assert same.get("/orders").status_code == 200
    assert visitor.post("/sign-out").status_code == 303
    assert same.get("/orders").status_code == 303


def test_a_reader_has_neither_keys_nor_a_way_to_write(before: Before) -> None:
    for name in ("path", "engine", "disclosures", "verifier"):
        with pytest.raises(AttributeError):
            getattr(before.node, name)
    with pytest.raises(AttributeError):
        before.node.wallet.key_of("ann")
