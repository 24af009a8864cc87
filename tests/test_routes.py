"""Every address of the application, for every role and for a stranger, from one explicit table of what is allowed.

A page that is not in the table fails the test: whoever adds one says here who may open it.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest

from hanse.rooms.orders.pages_actions import DO
from hanse.site.menu import template_of
from hanse.site.signing import SIGNS
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
BUYING = frozenset({"owner", "buyer"})
STORE = frozenset({"owner", "seller", "warehouse"})
SIGNERS = EVERYBODY - {"viewer"}
WRITES: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        (f"/orders/do/{do}" for do in ("confirm", "decline", "cancel", "contest", "rate", "answer")), TRADE
    ),
    **dict.fromkeys(
        (f"/orders/do/{do}" for do in ("ship", "hand_over", "receive", "return", "accept_return")), SIGNERS
    ),
    **dict.fromkeys(("/orders/message", "/orders/about", "/orders/pod-link"), SIGNERS),
    **dict.fromkeys(("/orders/approvals", "/orders/outside", "/find/place", "/find/take"), TRADE),
    **dict.fromkeys(("/orders/quotes", "/orders/quotes/answer", "/orders/quotes/order"), TRADE),
    "/own-numbers": SELLING,
    "/pod/{}": PUBLIC,
    "/join/{}": PUBLIC,
    **dict.fromkeys(("/firm", "/firm/sites", "/firm/permits", "/firm/channels", "/firm/people"), OWNER),
    **dict.fromkeys(("/firm/people/invite", "/firm/keys/rotate", "/firm/keys/compromised", "/invite-a-firm"), OWNER),
    **dict.fromkeys(("/groups", "/groups/widen", "/groups/leave", "/relationships"), OWNER),
    "/freight": BUYING,
    **dict.fromkeys(("/catalog/publish", "/catalog/judge", "/catalog/substitute", "/catalog/supersede"), SELLING),
    **dict.fromkeys(("/matching/accept", "/matching/certain", "/matching/again", "/matching/reject"), TRADE),
    "/matching/unlink": SELLING,
    **dict.fromkeys(("/stock/count", "/stock/adjust", "/stock/move", "/stock/serials"), STORE),
    **dict.fromkeys(("/stock/policy", "/offers", "/offers/withdraw", "/transfers", "/transfers/end"), SELLING),
    **dict.fromkeys(("/borrow/want", "/borrow/unwant", "/transfers/accept"), TRADE),
    **dict.fromkeys(("/accounts/to-bill", "/accounts/credit-note", "/accounts/payments/claim"), SELLING),
    **dict.fromkeys(("/accounts/payments/propose", "/accounts/payments/file", "/accounts/escrow"), BUYING),
    **dict.fromkeys(("/accounts/payment", "/accounts/payments/confirm", "/accounts/upload/sign"), TRADE),
    **dict.fromkeys(("/accounts/upload", "/accounts/bank"), TRADE | {"viewer"}),
    "/accounts/bank/sign": SELLING,
    **dict.fromkeys(("/accounts/credit", "/accounts/netting", "/accounts/escrow/accept"), OWNER),
    **dict.fromkeys((f"/accounts/netting/do/{do}" for do in ("submit", "close", "sign")), OWNER),
    "/accounts/netting/do/book": BUYING,
    **dict.fromkeys(("/accounts/debts", "/accounts/debts/accept"), OWNER),
    **dict.fromkeys(("/plans/run", "/plans/stop", "/plans/apply", "/plans/attest", "/plans/withdraw"), TRADE),
    **dict.fromkeys((f"/plans/replenish/{do}" for do in ("accept", "rule", "rule/end", "rule/use")), TRADE),
    "/plans/replenish/list": TRADE | {"viewer"},
    **dict.fromkeys((f"/contracts/{do}" for do in ("new", "template", "sign", "decline", "end", "confirm")), OWNER),
    **dict.fromkeys((f"/contracts/{do}" for do in ("dispute", "answer", "withdraw", "decide")), OWNER),
    **dict.fromkeys((f"/group/{do}" for do in ("charter", "join", "leave", "rounds", "tell", "close")), OWNER),
    **dict.fromkeys((f"/group/{do}" for do in ("rebates", "tell-rebate", "statements")), OWNER),
    **dict.fromkeys(("/group/commit", "/group/report"), BUYING),
    "/import": SIGNERS,
    "/export": SIGNERS,
    **dict.fromkeys(("/import/{}/commit", "/import/{}/mapping", "/import/{}/rows"), SIGNERS),
    "/theme": PUBLIC,
    "/party": EVERYBODY,
    "/sign-in": PUBLIC,
    "/sign-out": EVERYBODY,
}
"""Forms -> who may do what they are for, as `MAY_SIGN` has it. A stranger is told to sign in."""
NOT_SIGNED = {
    "/pod/{}": "signed by whoever holds the link, for the party that gave it",
    "/join/{}": "signed by the firm that comes",
    "/freight": "the firm's own table",
    "/accounts/upload": "a look",
    "/accounts/bank": "a look",
    "/plans/replenish/list": "a file",
    "/export": "a file",
    **dict.fromkeys(("/import", "/import/{}/mapping", "/import/{}/rows"), "a look"),
    "/import/{}/commit": "what its rows become, and that decides who may",
    **dict.fromkeys(("/theme", "/party", "/sign-in", "/sign-out"), "the reader's own"),
}
"""Forms of which a role is not refused before they are read -> what they put on the record, or do instead."""
WITHOUT_FIELDS = {"/firm/keys/rotate", "/invite-a-firm"}
"""Buttons: an owner's empty form is the whole order, and is put on the record."""
SHELL = ("/settings", "/sign-in", "/sign-out", "/invitation", "/demo", "/static", "/api", "/tile", "/second-factor")
"""What the shell itself tests beside its pages: see hanse/web and tests/web."""


@pytest.fixture(scope="module")
def people(town: SmallTown) -> dict[str, Visitor]:
    town.node.publish()  # the checkpoint, which a node writes about a second after it has begun
    return {"stranger": town.visitor(), **{role: town.visitor("ann", role) for role in ROLES}}


def addresses(town: SmallTown) -> Iterator[tuple[str, str]]:
    """(method, address) of every handler of the application."""
    for route in town.app.routes:
        path = template_of(route.path_format if hasattr(route, "path_format") else route.path)
        for method in sorted(getattr(route, "http_handler_map", None) or getattr(route, "methods", ()) or ()):
            if method in ("GET", "POST"):
                yield method, path


def template(path: str) -> str:
    """A form's address with the step that the tables name taken off."""
    return re.sub(r"^(/orders/do|/accounts/netting/do)/[a-z_]+$", r"\1/{}", path)


def test_every_address_is_in_the_table(town: SmallTown) -> None:
    known = {("GET", path) for path in (*PAGES, *WITH_NAMES)} | {("POST", template(path)) for path in WRITES}
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


def test_the_table_of_forms_is_what_the_desk_lets_each_role_sign(town: SmallTown) -> None:
    assert set(SIGNS) == set(WRITES) - set(NOT_SIGNED), "hanse/site/signing.py says what each form signs"
    kinds = {kind for signed in SIGNS.values() for kind in signed}
    assert sorted(kinds - set(town.node.applier.book.kinds)) == [], "no room has these kinds"
    desks = {role: town.desk("ann", role) for role in ROLES}
    wrong = {
        (path, role) for path, signed in SIGNS.items() for role in ROLES
        if any(desks[role].may(kind) for kind in signed) != (role in WRITES[path])
    }  # fmt: skip
    assert wrong == set()
    assert {action for action in SIGNS if action.startswith("/orders/do/")} == {f"/orders/do/{name}" for name in DO}


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
    if path in SIGNS and who != "stranger":
        refused = answer.status_code == 403 and 'class="code">desk.not_permitted<' in answer.text
        assert refused == (who not in WRITES[path]), (answer.status_code, answer.text[-400:])
    if path in WITHOUT_FIELDS and who == "owner":
        assert town.node.log.size > size
        return
    assert town.node.log.size == size, "an empty form put something on the record"


def open_uploads() -> int:
    return sum([isinstance(one, SpooledTemporaryFile) and not one.closed for one in gc.get_objects()])


@pytest.mark.parametrize("who", ["stranger", *ROLES])
def test_a_hand_over_that_is_not_ones_own_keeps_no_file(town: SmallTown, people: dict[str, Visitor], who: str) -> None:
    """None in the node, and none open on its way, wherever it is refused."""
    visitor, size, kept = people[who], town.node.log.size, len(list(town.node.files.iterdir()))
    gc.collect()
    before = open_uploads()
    for name in ("hand_over", "receive"):
        answer = visitor.post(
            f"/orders/do/{name}", {"order": "known-1", "shipment": "none", "taken_by": "Jo"},
            token=visitor.token("/sign-in" if who == "stranger" else "/settings"),
            files={"file": ("../../photo.jpg", b"\xff\xd8\xff")},
        )  # fmt: skip
        may = who in WRITES[f"/orders/do/{name}"]
        assert answer.status_code in ((303, 401, 403) if who == "stranger" else (422,) if may else (403,)), name
        assert open_uploads() == before
    assert town.node.log.size == size and len(list(town.node.files.iterdir())) == kept


@pytest.mark.parametrize("path", sorted(set(WRITES) - {"/theme"}))
def test_a_form_from_another_site_is_refused(people: dict[str, Visitor], path: str) -> None:
    answer = people["owner"].client.post(
        path.replace("{}", "confirm"), data={"_csrf": "no"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
