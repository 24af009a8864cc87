"""Every page of a town in which there is something on each, and every form on it, as every role of a firm.

What a role may do is `hanse.node.desk.MAY_SIGN`; which form is for what, `hanse.site.signing.SIGNS`; the addresses are
those of tests/test_routes.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from roles import Form, forms_of, links_of
from test_every_page import NO_PAGES, ROUTES, kind_of, of_each_kind
from trading import trading_town

from hanse.site.signing import SIGNS
from hanse.site.testing import ROLES, SmallTown, Visitor

PARTY = "bob"
MANY = ("/orders/o/{}", "/offers/o/{}", "/orders/quotes/q/{}", "/contracts/p/{}", "/contracts/w/{}", "/parties/{}")
CHOSEN = ("/find?i=item-6205&n=5", "/offers/new?number=bob-6205", "/contracts/new?template=late-delivery",
          "/accounts/payments?show=answer", "/accounts/payments?show=pay", "/accounts/payments?show=due")  # fmt: skip
"""Pages at which a choice was made already."""
BOUGHT = ("placed-1", "confirmed-1", "shipped-1", "received-1", "bought-1")
"""Orders of ann to bob, and one of bob to ann."""
OTHERS = tuple(role for role in ROLES if role != "owner")


class Walked:
    """A town, and for each role the pages that it opened, what they answered, and the forms on them."""

    def __init__(self, folder: Path) -> None:
        self.town, self.first = trading_town(folder)
        self.people: dict[str, Visitor] = {role: self.town.visitor(PARTY, role) for role in ROLES}
        self.answers: dict[str, dict[str, int]] = {role: {} for role in ROLES}
        self.forms: dict[str, dict[str, Form]] = {role: {} for role in ROLES}
        """role -> what it posts to -> the first form that it was shown that does."""
        everything = self._walk("owner", self.first)
        for role in OTHERS:
            self._walk(role, everything)
        self.partners = {role: self._as_partner(role) for role in ROLES}
        """role -> forms that somebody of that role in the firm that buys is shown."""
        self.all = {path: form for role in reversed(ROLES) for path, form in self.forms[role].items()}
        """What is posted to -> a form that does, the owner's first."""

    def _walk(self, role: str, first: set[str]) -> set[str]:
        """Open every plain page, and of each kind of thing one; all addresses of things that were opened."""
        links, opened = set(first), set()
        for path in (*ROUTES.PAGES, *CHOSEN):
            if path not in NO_PAGES:
                links |= self._visit(role, path)
        while more := self._of_each_kind(links, first) - opened:
            for path in sorted(more):
                opened.add(path)
                links |= self._visit(role, path)
        return opened

    def _as_partner(self, role: str) -> list[Form]:
        who, found = self.town.visitor("ann", role), []
        for path in (*ROUTES.PAGES, *(f"/orders/o/{order}" for order in BOUGHT)):
            answer = who.get(path) if path not in NO_PAGES else None
            if answer is not None and answer.status_code == 200 and "text/html" in answer.headers["content-type"]:
                found += forms_of(answer.text, path)
        return found

    @staticmethod
    def _of_each_kind(links: set[str], first: set[str]) -> set[str]:
        """One thing of each kind, and all of those that may be at several steps of their lives."""
        return {*of_each_kind(links, first).values(), *(link for link in links if kind_of(link) in MANY)}

    def _visit(self, role: str, path: str) -> set[str]:
        answer = self.people[role].get(path)
        self.answers[role][path] = answer.status_code
        if answer.status_code != 200 or "text/html" not in answer.headers["content-type"]:
            return set()
        for form in forms_of(answer.text, path):
            self.forms[role].setdefault(form.path, form)
        return links_of(answer.text)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    there = Walked(tmp_path_factory.mktemp("roles"))
    yield there
    there.town.close()


def may(town: SmallTown, role: str, path: str) -> bool:
    return any(town.desk(PARTY, role).may(kind) for kind in SIGNS[path])


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_the_pages_of_the_table_with_much_on_them(walked: Walked, role: str) -> None:
    for path, status in walked.answers[role].items():
        if path in ROUTES.PAGES:
            assert (status in (200, 303)) == (role in ROUTES.PAGES[path]), (path, status)
        assert status in (200, 303, 403, 404), (path, status)
    assert list(walked.answers["owner"].values()).count(200) > 80


@pytest.mark.parametrize("role", ROLES)
def test_no_page_shows_a_form_that_the_role_may_not_send(walked: Walked, role: str) -> None:
    forms = [*walked.forms[role].values(), *walked.partners[role]]
    shown = [form for form in forms if form.path in SIGNS and not may(walked.town, role, form.path)]
    assert [(form.address, form.shown) for form in shown] == []


def test_the_owner_is_shown_more_forms_than_any_other_role_and_the_viewer_none_to_sign(walked: Walked) -> None:
    counts = {role: len(set(forms) & set(SIGNS)) for role, forms in walked.forms.items()}
    assert counts["owner"] >= 55 and counts["viewer"] == 0, counts
    bought = {form.path for form in walked.partners["warehouse"]}
    assert {"/orders/do/receive", "/orders/do/return"} <= bought
    assert counts["owner"] > counts["seller"] > counts["warehouse"] > 5 and counts["buyer"] > 10, counts


@pytest.mark.parametrize("role", [role for role in reversed(ROLES)])
def test_a_filled_form_does_what_it_says_for_those_who_may_and_nothing_for_the_others(
    walked: Walked, role: str
) -> None:
    """Sent as the owner's page has it: who may sign is answered by the form itself, others are refused before it."""
    town, done = walked.town, 0
    for path, form in sorted(walked.all.items()):
        if path not in SIGNS or (role == "owner" and path.startswith("/firm/keys")):
            continue
        size = town.node.log.size
        answer = walked.people[role].post(form.address, form.filled())
        said = re.search(r'class="code">([^<]+)<', answer.text)
        if may(town, role, path):
            assert answer.status_code in (200, 303, 404, 422), (path, answer.status_code, said and said[1])
            assert said is None or said[1] != "desk.not_permitted", (path, form.shown)
            done += town.node.log.size > size
        else:
            assert (answer.status_code, said and said[1]) == (403, "desk.not_permitted"), path
            assert town.node.log.size == size, (path, "was refused and is on the record")
    assert (done > 0) == (role != "viewer")
