"""Every address of the application, for every role and for a stranger, from one explicit table of what is allowed.

A page that is not in the table fails the test: whoever adds one says here who may open it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hanse.site.menu import template_of
from hanse.site.testing import ROLES, SmallTown, Visitor

EVERYBODY, NOBODY = frozenset(ROLES), frozenset()
TRADE = frozenset({"owner", "buyer", "seller"})
OWNER = frozenset({"owner"})
SELLING = frozenset({"owner", "seller"})
PUBLIC = frozenset({*ROLES, "stranger"})

PAGES: dict[str, frozenset[str]] = {
    "/": EVERYBODY,
    "/search": EVERYBODY,
    "/settings": EVERYBODY,
    "/healthz": PUBLIC,
    "/checkpoint": PUBLIC,
    "/sign-in": PUBLIC,
    "/orders": EVERYBODY,
    "/orders/approvals": TRADE,
    "/orders/quotes": EVERYBODY,
    "/orders/outside": TRADE,
    "/own-numbers/new": SELLING,
    "/find": EVERYBODY,
    "/parties": EVERYBODY,
    "/partners": EVERYBODY,
    "/firm": OWNER,
    "/firm/sites": OWNER,
    "/firm/permits": OWNER,
    "/firm/people": OWNER,
    "/firm/keys": OWNER,
    "/invite-a-firm": OWNER,
    "/items": EVERYBODY,
    "/catalog/publish": SELLING,
    "/matching": EVERYBODY,
    "/stock": EVERYBODY,
    "/stock/dead": EVERYBODY,
    "/stock/held": EVERYBODY,
    "/freight": frozenset({"owner", "buyer"}),
    "/offers": EVERYBODY,
    "/offers/new": SELLING,
    "/borrow": EVERYBODY,
    "/transfers": EVERYBODY,
    "/accounts": TRADE | {"viewer"},
    "/accounts/statement": TRADE | {"viewer"},
    "/accounts/to-bill": TRADE | {"viewer"},
    "/accounts/documents": TRADE | {"viewer"},
    "/accounts/payments": TRADE | {"viewer"},
    "/accounts/bank": TRADE | {"viewer"},
    "/accounts/debts": TRADE | {"viewer"},
    "/accounts/accruals": TRADE | {"viewer"},
    "/accounts/credit": TRADE | {"viewer"},
    "/accounts/netting": TRADE | {"viewer"},
    "/accounts/escrow": TRADE | {"viewer"},
    "/accounts/journal": TRADE | {"viewer"},
    "/accounts/upload": TRADE | {"viewer"},
    "/plans": TRADE | {"viewer"},
    "/plans/running": TRADE | {"viewer"},
    "/plans/replenish": TRADE | {"viewer"},
    "/plans/shocks": TRADE | {"viewer"},
    "/plans/studies": TRADE | {"viewer"},
    "/contracts": TRADE | {"viewer"},
    "/contracts/new": TRADE | {"viewer"},
    "/contracts/disputes": TRADE | {"viewer"},
    **dict.fromkeys(("/group", "/group/rounds", "/group/rebates", "/group/lots", "/group/totals"), TRADE | {"viewer"}),
    "/contracts/simulate": TRADE | {"viewer"},
    "/contracts/scorecards": TRADE | {"viewer"},
    "/docs/refusals": PUBLIC,
    "/history": EVERYBODY,
    "/history/seen": OWNER,
    "/import": EVERYBODY - {"viewer"},
    "/export": EVERYBODY,
}
"""Pages without parameters -> who is answered."""
WITH_NAMES: dict[str, tuple[str, frozenset[str]]] = {
    "/orders/o/{}": ("known-1", EVERYBODY),
    "/orders/slip/{}": ("nothing", NOBODY),
    "/orders/note/{}": ("nothing", NOBODY),
    "/orders/confirmation/{}": ("known-1", EVERYBODY),
    "/orders/documents/{}": ("nothing", NOBODY),
    "/orders/quotes/q/{}": ("nothing", NOBODY),
    "/orders/about/{}": ("item-6205", EVERYBODY),
    "/orders/file/{}/{}": ("0" * 64 + "/file", NOBODY),
    "/pod/{}": ("nothing", NOBODY),
    "/join/{}": ("nothing", NOBODY),
    "/parties/{}": ("bob", EVERYBODY),
    "/items/{}": ("item-6205", EVERYBODY),
    "/stock/card/{}": ("bob-6205", NOBODY),
    "/offers/o/{}": ("o-1", EVERYBODY),
    "/history/{}": ("3", EVERYBODY),
    "/import/{}": ("nothing", NOBODY),
    "/import/{}/fixes/{}": ("nothing/fixes/1", NOBODY),
    "/import/{}/mapping.toml": ("nothing/mapping.toml", NOBODY),
    "/import/template/{}": ("nothing", NOBODY),
    "/export/{}": ("nothing", NOBODY),
    "/accounts/d/{}": ("nothing/nothing", NOBODY),
    "/accounts/ubl/{}": ("nothing/nothing", NOBODY),
    "/accounts/ubl-order/{}": ("known-1", EVERYBODY - {"warehouse"}),
    "/accounts/payment/{}": ("nothing/nothing", NOBODY),
    "/accounts/accrual/{}": ("nothing/nothing", NOBODY),
    "/accounts/netting/{}": ("nothing", NOBODY),
    "/accounts/journal/{}": ("nothing", NOBODY),
    "/contracts/a/{}": ("nothing/A1", NOBODY),
    "/contracts/p/{}": ("nothing/P1", NOBODY),
    "/contracts/template/{}": ("late-delivery", TRADE | {"viewer"}),
    "/contracts/w/{}": ("nothing/A1:1", NOBODY),
    "/contracts/r/{}": ("nothing/A1/late/1", NOBODY),
    "/contracts/d/{}": ("nothing/D1", NOBODY),
    "/contracts/scorecards/{}": ("buy/nothing", NOBODY),
    "/contracts/print/{}": ("nothing/A1", NOBODY),
    "/contracts/pdf/{}": ("nothing/A1", NOBODY),
    "/plans/p/{}": ("nothing", NOBODY),
    "/plans/studies/{}": ("nothing", NOBODY),
    "/plans/forecast/{}": ("nothing", NOBODY),
}
"""Pages of one thing -> (its name in the test, who may see it): to others it does not exist."""
WRITES: dict[str, frozenset[str]] = {
    "/orders/do/{}": EVERYBODY,
    "/orders/message": EVERYBODY,
    "/orders/about": EVERYBODY,
    "/orders/pod-link": EVERYBODY,
    "/orders/approvals": TRADE,
    **dict.fromkeys(("/orders/quotes", "/orders/quotes/answer", "/orders/quotes/order"), EVERYBODY),
    "/find/place": EVERYBODY,
    "/find/take": EVERYBODY,
    "/orders/outside": TRADE,
    "/own-numbers": SELLING,
    "/pod/{}": PUBLIC,
    "/join/{}": PUBLIC,
    **dict.fromkeys(("/firm", "/firm/sites", "/firm/permits", "/firm/channels", "/firm/people"), OWNER),
    **dict.fromkeys(("/firm/people/invite", "/firm/keys/rotate", "/firm/keys/compromised", "/invite-a-firm"), OWNER),
    **dict.fromkeys(("/groups", "/groups/widen", "/groups/leave"), OWNER),
    "/relationships": EVERYBODY,
    "/freight": frozenset({"owner", "buyer"}),
    **dict.fromkeys(("/catalog/publish", "/catalog/judge", "/catalog/substitute", "/catalog/supersede"), EVERYBODY),
    **dict.fromkeys(("/matching/accept", "/matching/certain", "/matching/unlink"), EVERYBODY),
    **dict.fromkeys(("/matching/again", "/matching/reject"), TRADE),
    **dict.fromkeys(("/stock/count", "/stock/adjust", "/stock/move", "/stock/policy"), EVERYBODY),
    "/stock/serials": EVERYBODY,
    **dict.fromkeys(("/offers", "/offers/withdraw", "/borrow/want", "/borrow/unwant"), EVERYBODY),
    **dict.fromkeys(("/transfers", "/transfers/accept", "/transfers/end"), EVERYBODY),
    **dict.fromkeys(("/accounts/to-bill", "/accounts/credit-note", "/accounts/payment"), TRADE | {"viewer"}),
    **dict.fromkeys(("/accounts/credit", "/accounts/netting", "/accounts/netting/do/{}"), TRADE | {"viewer"}),
    **dict.fromkeys(("/accounts/escrow", "/accounts/escrow/accept"), TRADE | {"viewer"}),
    **dict.fromkeys(("/accounts/upload", "/accounts/upload/sign"), TRADE | {"viewer"}),
    **dict.fromkeys(("/accounts/payments/propose", "/accounts/payments/claim"), TRADE | {"viewer"}),
    **dict.fromkeys(("/accounts/payments/confirm", "/accounts/debts", "/accounts/debts/accept"), TRADE | {"viewer"}),
    **dict.fromkeys(("/accounts/payments/file", "/accounts/bank", "/accounts/bank/sign"), TRADE | {"viewer"}),
    **dict.fromkeys(("/plans/run", "/plans/stop"), TRADE),
    **dict.fromkeys(("/plans/apply", "/plans/attest", "/plans/withdraw"), EVERYBODY),
    **dict.fromkeys(("/plans/replenish/accept", "/plans/replenish/list"), TRADE | {"viewer"}),
    **dict.fromkeys(("/plans/replenish/rule", "/plans/replenish/rule/end"), TRADE | {"viewer"}),
    "/plans/replenish/rule/use": TRADE | {"viewer"},
    **dict.fromkeys(("/contracts/new", "/contracts/template", "/contracts/sign"), TRADE | {"viewer"}),
    **dict.fromkeys(("/contracts/decline", "/contracts/end", "/contracts/confirm"), TRADE | {"viewer"}),
    **dict.fromkeys(("/contracts/dispute", "/contracts/answer", "/contracts/withdraw"), TRADE | {"viewer"}),
    "/contracts/decide": TRADE | {"viewer"},
    **dict.fromkeys(("/group/charter", "/group/join", "/group/leave"), TRADE | {"viewer"}),
    **dict.fromkeys(("/group/rounds", "/group/commit", "/group/tell", "/group/close"), TRADE | {"viewer"}),
    **dict.fromkeys(("/group/rebates", "/group/report", "/group/tell-rebate"), TRADE | {"viewer"}),
    "/group/statements": TRADE | {"viewer"},
    "/import": EVERYBODY - {"viewer"},
    "/export": EVERYBODY - {"viewer"},
    **dict.fromkeys(("/import/{}/commit", "/import/{}/mapping", "/import/{}/rows"), EVERYBODY - {"viewer"}),
    "/theme": PUBLIC,
    "/party": EVERYBODY,
    "/sign-in": PUBLIC,
    "/sign-out": EVERYBODY,
}
"""Forms -> who reaches the handler; what they may sign, the desk decides. A stranger is told to sign in."""
WITHOUT_FIELDS = {"/firm/keys/rotate", "/invite-a-firm"}
"""Buttons: an owner's empty form is the whole order, and is put on the record."""
SHELL = ("/settings", "/sign-in", "/sign-out", "/invitation", "/demo", "/static", "/api", "/tile", "/second-factor")
"""What the shell itself tests beside its pages: see hanse/web and tests/web."""


@pytest.fixture(scope="module")
def people(town: SmallTown) -> dict[str, Visitor]:
    return {"stranger": town.visitor(), **{role: town.visitor("ann", role) for role in ROLES}}


def addresses(town: SmallTown) -> Iterator[tuple[str, str]]:
    """(method, address) of every handler of the application."""
    for route in town.app.routes:
        path = template_of(route.path_format if hasattr(route, "path_format") else route.path)
        for method in sorted(getattr(route, "http_handler_map", None) or getattr(route, "methods", ()) or ()):
            if method in ("GET", "POST"):
                yield method, path


def test_every_address_is_in_the_table(town: SmallTown) -> None:
    known = {("GET", path) for path in (*PAGES, *WITH_NAMES)} | {("POST", path) for path in WRITES}
    missing = sorted({
        (method, path) for method, path in addresses(town)
        if (method, path) not in known and not path.startswith(SHELL)
    })  # fmt: skip
    assert missing == [], "say in this file who may open these"
    there = set(addresses(town))
    assert sorted(known - there) == [], "the table names addresses that are gone"


@pytest.mark.parametrize("who", ["stranger", *ROLES])
@pytest.mark.parametrize("path", sorted(PAGES))
def test_a_page_opens_for_those_in_the_table_alone(people: dict[str, Visitor], path: str, who: str) -> None:
    answer = people[who].get(path)
    if who in PAGES[path]:
        assert answer.status_code in (200, 303) and "/sign-in" not in answer.headers.get("location", "")
    elif who == "stranger":
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
    else:
        assert answer.status_code in (403, 404)


@pytest.mark.parametrize("who", ["stranger", *ROLES])
@pytest.mark.parametrize("path", sorted(WITH_NAMES))
def test_a_thing_is_shown_to_those_in_the_table_alone(people: dict[str, Visitor], path: str, who: str) -> None:
    name, allowed = WITH_NAMES[path]
    answer = people[who].get(path.partition("{")[0] + name)
    if who in allowed:
        assert answer.status_code == 200
    elif who == "stranger" and not path.startswith(("/pod/", "/join/")):
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
    else:
        assert answer.status_code == 404


SAME = ("content-type", "location", "content-encoding", "content-disposition", "cache-control")


def test_head_says_what_get_says_without_its_body_at_every_address(people: dict[str, Visitor]) -> None:
    owner, wrong = people["owner"], []
    for path in [*PAGES, *(path.partition("{")[0] + name for path, (name, _) in WITH_NAMES.items()), "/nowhere"]:
        head, shown = owner.client.head(path, follow_redirects=False), owner.get(path)
        same = [head.headers.get(name) == shown.headers.get(name) for name in SAME]
        if head.status_code != shown.status_code or head.content or not all(same):
            wrong.append((path, head.status_code, shown.status_code))
    assert wrong == []


def test_head_opens_to_nobody_what_get_does_not(people: dict[str, Visitor]) -> None:
    stranger = people["stranger"].client
    answer = stranger.head("/orders", follow_redirects=False)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
    assert stranger.head("/api/v1/orders").status_code == 401
    assert stranger.head("/orders/do/confirm").status_code == 405, "what only takes forms answers neither"


@pytest.mark.parametrize("path", ["/orders/o/{}", "/orders/confirmation/{}", "/offers/o/{}"])
def test_another_firm_sees_none_of_these_things(town: SmallTown, path: str) -> None:
    eve = town.visitor("eve")
    assert eve.get(path.partition("{")[0] + WITH_NAMES[path][0]).status_code == 404


@pytest.mark.parametrize("who", ["stranger", *ROLES])
@pytest.mark.parametrize("path", sorted(set(WRITES) - {"/sign-out", "/sign-in"}))
def test_an_empty_form_never_faults_and_writes_nothing(
    town: SmallTown, people: dict[str, Visitor], path: str, who: str
) -> None:
    visitor, size = people[who], town.node.log.size
    token = visitor.token("/sign-in" if who == "stranger" else "/settings")
    answer: Any = visitor.post(path.replace("{}", "confirm"), {}, token=token)
    assert answer.status_code < 500
    if who not in WRITES[path]:
        assert answer.status_code in (401, 403, 404)
    if path in WITHOUT_FIELDS and who == "owner":
        assert town.node.log.size > size
        return
    assert town.node.log.size == size, "an empty form put something on the record"


@pytest.mark.parametrize("path", sorted(set(WRITES) - {"/theme"}))
def test_a_form_from_another_site_is_refused(people: dict[str, Visitor], path: str) -> None:
    answer = people["owner"].client.post(
        path.replace("{}", "confirm"), data={"_csrf": "no"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
