"""A page, or an answer of the API, is of one state: blocks that come between its questions are not in it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hanse.kernel.view import View
from hanse.node.read_path import ReadPath
from hanse.rooms.orders.private_rows import ORDER_TERMS
from hanse.site.testing import SmallTown, Visitor
from hanse.web.site import as_things_stand
from tests.reader_door import Before, through

QUESTIONS = 3
"""After so many of a request's first questions a block is committed; the very first is which rights its reader has."""
PAGES = ("/orders", "/find?q=6205", "/", "/history")
API = "/api/v1/orders"


class Between:
    """Commits an order, seen to be by its number, after each of a request's first questions."""

    def __init__(self, town: SmallTown) -> None:
        self.town, self.left, self.placed = town, 0, 0
        self._own = threading.local()

    def asked(self) -> None:
        if self.left and not getattr(self._own, "busy", False):
            self.left -= 1
            thread = threading.Thread(target=self._place)  # no part of the request
            thread.start()
            thread.join()

    def _place(self) -> None:
        self._own.busy = True
        self.placed += 1
        self.town.order(f"between-{self.placed}")

    def seen_by(self, ask: Callable[[], Any]) -> tuple[int, set[int]]:
        """(how many orders stood before, which of those placed meanwhile an answer shows)."""
        stood, self.left = self.placed, QUESTIONS
        answer = ask()
        assert answer.status_code == 200 and self.left == 0, answer.text
        assert self.placed == stood + QUESTIONS
        numbers = {int(number) for number in re.findall(r"between-(\d+)", answer.text)}
        return stood, {number for number in numbers if number > stood}


@pytest.fixture
def between(town: SmallTown, monkeypatch: pytest.MonkeyPatch) -> Between:
    found = Between(town)
    found.placed = town.node.view("ann").count(ORDER_TERMS, "order_id LIKE 'between-%'")
    monkeypatch.setattr(ReadPath, "look", _told(ReadPath.look, found))
    for name in ("get", "rows", "sql", "count"):
        monkeypatch.setattr(View, name, _told(getattr(View, name), found))
    return found


def _told(question: Callable[..., Any], between: Between) -> Callable[..., Any]:
    def asked(*given: Any, **options: Any) -> Any:
        answer = question(*given, **options)
        between.asked()
        return answer

    return asked


@pytest.mark.parametrize("path", PAGES)
def test_a_page_shows_nothing_that_came_between_its_questions(town: SmallTown, between: Between, path: str) -> None:
    visitor = town.visitor("ann")
    stood, shown = between.seen_by(lambda: visitor.get(path))
    assert shown == set()
    if path == "/orders":
        assert f"between-{stood + QUESTIONS}" in visitor.get(path).text, "the next page does"


def test_an_answer_of_the_api_holds_nothing_that_came_between_its_questions(town: SmallTown, between: Between) -> None:
    _, raw = town.accounts.tokens.create(town.users["ann", "owner"], "ann", "reads", ("read",), 1)
    client, header = Visitor(town).client, {"authorization": f"Bearer {raw}"}
    stood, shown = between.seen_by(lambda: client.get(API, headers=header))
    assert shown == set()
    assert f"between-{stood + QUESTIONS}" in client.get(API, headers=header).text


@pytest.mark.parametrize("path", ["/orders", "/find?q=6205"])
def test_nor_does_a_process_that_only_reads(town: SmallTown, before: Before, between: Between, path: str) -> None:
    same = through(before, town.visitor("ann"))
    before.forwarded.clear()
    assert between.seen_by(lambda: same.get(path))[1] == set() and before.forwarded == []
    assert f"between-{between.placed}" in same.get("/orders").text


@pytest.mark.parametrize("form", ["csv", "json"])
def test_nor_does_a_list_that_is_taken_away_as_a_file(town: SmallTown, between: Between, form: str) -> None:
    visitor = town.visitor("ann")
    stood, shown = between.seen_by(lambda: visitor.get(f"/orders?format={form}"))
    assert shown == set()
    assert f"between-{stood + QUESTIONS}" in visitor.get(f"/orders?format={form}").text


def test_as_things_stand_a_page_would_show_what_came_between(
    town: SmallTown, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = town.visitor("ann")
    monkeypatch.setattr(town.site, "once", as_things_stand)
    assert between.seen_by(lambda: visitor.get("/orders"))[1]


def test_no_state_is_held_while_an_answer_is_sent_nor_after_an_error(
    town: SmallTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []
    taken = town.node.read.give_back

    def given_back(conn: Any) -> None:
        held.append(conn)
        taken(conn)

    monkeypatch.setattr(town.node.read, "give_back", given_back)
    visitor = town.visitor("ann")
    for path in ("/orders", "/orders?format=csv", "/orders/o/nothing", "/history/99999999", "/orders?rows=x"):
        held.clear()
        visitor.get(path)
        assert len(held) == 1 and not town.node.read.opened and not held[0].in_transaction, path
    with monkeypatch.context() as broken:
        broken.setattr(View, "rows", lambda *given, **options: 1 // 0)
        assert visitor.get("/orders").status_code == 500
    assert not town.node.read.opened and not any(conn.in_transaction for conn in town.node.read._all)
