"""The site: menu, search, Today."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hanse.site import FIRM, page_modules
from hanse.site.menu import Entry, addresses, entries
from hanse.site.testing import ROLES, SmallTown


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallTown]:
    there = SmallTown(tmp_path_factory.mktemp("town"))
    there.offer("offer-77", circle=there.ab)
    there.order("order-77", po_number="PO 99/1")
    yield there
    there.close()


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_names_only_pages_that_open_for_the_role(town: SmallTown, role: str) -> None:
    session_menu = town.site.nav
    visitor = town.visitor("ann", role)
    links = {entry.href for module in page_modules() for entry in getattr(module, "NAV", ())}
    text = visitor.get("/").text
    shown = [href for href in sorted(links) if f'<li><a href="{href}"' in text]
    assert "/" in shown and "/orders" in shown and session_menu is not None
    for href in shown:
        assert visitor.get(href).status_code == 200, href


@pytest.mark.parametrize("role", ROLES)
def test_settings_lead_an_owner_to_the_firms_people_and_keys(town: SmallTown, role: str) -> None:
    visitor = town.visitor("ann", role)
    text = visitor.get("/settings").text
    for link in FIRM:
        assert (f'href="{link.href}"' in text.partition("<main")[2]) == (role == "owner")
        assert (visitor.get(link.href).status_code == 200) == (role == "owner")


def test_an_entry_without_a_page_is_not_in_the_menu() -> None:
    offered = [Entry("B", "/b", "Trade"), Entry("None", "/none"), Entry("A", "/a"), Entry("A again", "/a")]
    assert [entry.label for entry in entries(offered, {"/a", "/b"})] == ["A", "B"]


def test_two_pages_never_stand_at_one_address() -> None:
    pages = [page for module in page_modules() for page in module.PAGES]
    paths = [(method, path) for page in pages for method in page.http_methods for path in page.paths]
    assert len(paths) == len(set(paths)) and "/" in addresses(pages)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("order-77", "Order"), ("PO 99", "Order"), ("Bob", "Party"), ("6205", "Item"), ("offer-77", "Offer"),
        ("SKF 6205", "Item"),
    ],
)  # fmt: skip
def test_search_finds_what_the_reader_may_see_by_any_of_its_names(town: SmallTown, text: str, kind: str) -> None:
    answer = town.visitor("ann").get("/search", params={"q": text}).text
    assert f">{kind}<" in answer


@pytest.mark.parametrize("text", ["order-77", "PO 99", "offer-77"])
def test_search_finds_nothing_of_others(town: SmallTown, text: str) -> None:
    answer = town.visitor("eve").get("/search", params={"q": text}).text
    assert ">Order<" not in answer and ">Offer<" not in answer


def test_a_person_of_no_firm_sees_an_empty_day(town: SmallTown) -> None:
    user = town.accounts.add_user("nobody@x.example", "Nobody", "seven salted cod")
    assert town.accounts.memberships(user) == ()
    who = town.visitor()
    form = {"email": "nobody@x.example", "password": "seven salted cod", "next": "/"}
    assert who.post("/sign-in", form, token=who.token("/sign-in")).status_code == 303
    assert "Nothing waits for you." in who.get("/").text
    assert who.get("/orders").status_code == 200 and who.get("/orders/o/order-77").status_code == 404
