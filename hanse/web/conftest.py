"""A small site and a visitor for the tests of the shell over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from litestar import Request, get, post
from litestar.response import Response
from litestar.testing import TestClient

from hanse.web import (
    AccountStore,
    Column,
    Found,
    Hit,
    NavItem,
    Read,
    Reader,
    Refusal,
    Site,
    Table,
    create_app,
    go,
    listing,
    needs_role,
    page,
)  # fmt: skip

PASSWORD = "seven salted cod"
EVIL = "<img src=x onerror=alert(1)>"
TABLE = Table(
    "things", (Column("id", "Thing", sortable=True, filterable=True), Column("n", "Count", "number")), sort="id"
)


@get("/things", sync_to_thread=False)
def things(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    rows = [{"id": EVIL, "n": 1}, {"id": "=cmd()", "n": -2}, {"id": session.party, "n": read["n"]}]
    return listing(request, TABLE, lambda query: Found(rows, None, 3), title=EVIL)


@get("/managers", sync_to_thread=False)
def managers(session: Reader) -> Any:
    needs_role(session, "manager")
    return page("list.html", title="x")


@get("/refused", sync_to_thread=False)
def refused(session: Reader) -> None:
    raise Refusal("inventory.not_enough", "Not enough is free.", got=7, expected=EVIL, next="Lower it.")


class RoomRefused(Exception):
    """A refusal as another part of the project might define it."""

    code, message, got, expected, next, retry = "orders.unknown_order", "No such order.", "A-9", None, "Look.", None


@get("/foreign", sync_to_thread=False)
def foreign(session: Reader) -> None:
    raise RoomRefused


@get("/fault", sync_to_thread=False)
def fault(session: Reader) -> None:
    raise RuntimeError("the secret path /etc/hanse")


@post("/act", sync_to_thread=False)
def act(session: Reader) -> Any:
    return go("/things", notice=EVIL)


@post("/import", opt={"stream": True}, request_max_body_size=None)
async def import_rows(request: Request[Any, Any, Any], session: Reader) -> dict[str, int]:
    return {"bytes": sum([len(piece) async for piece in request.stream()])}


@get("/anybody", opt={"public": True}, sync_to_thread=False)
def anybody() -> dict[str, bool]:
    return {"public": True}


@post("/api/v1/facts", sync_to_thread=False)
def api() -> Response[dict[str, str]]:
    return Response({"door": "api"}, status_code=202)


def make(**changes: Any) -> Site:
    """A site with Anna, who is a buyer for p1 and a manager for p2."""
    accounts = AccountStore(":memory:", hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    anna = accounts.add_user("anna@example.org", f"Anna {EVIL}", PASSWORD)
    accounts.add_membership(anna, "p1", "buyer", 5_000)
    accounts.add_membership(anna, "p2", "manager")
    given: dict[str, Any] = {
        "pages": [things, managers, refused, foreign, fault, act, import_rows, anybody], "mounts": [api],
        "nav": lambda session: [NavItem("Things", "/things")], "read": {"n": 5},
        "search": lambda session, text, limit: [Hit(EVIL, session.party, "/things", text)],
    }  # fmt: skip
    return Site(accounts=accounts, **{**given, **changes})


class Visitor:
    """A client that keeps cookies, takes tokens from pages, and follows nothing."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.client = TestClient(create_app(site), base_url="https://testserver.local")

    def get(self, path: str, **more: Any) -> Any:
        """GET; redirects are not followed."""
        return self.client.get(path, follow_redirects=False, **more)

    def token(self, path: str = "/settings") -> str:
        """A form's token of a page."""
        found = re.search(r'name="_csrf" value="([^"]+)"', self.get(path).text)
        assert found is not None
        return found.group(1)

    def post(self, path: str, data: dict[str, Any] | None = None, token: str | None = None, **more: Any) -> Any:
        """POST a form with the token of the settings page, or another."""
        form = {**(data or {}), "_csrf": self.token() if token is None else token}
        return self.client.post(path, data=form, follow_redirects=False, **more)

    def sign_in(self, target: str = "/") -> Any:
        """Sign in as Anna."""
        form = {"email": "anna@example.org", "password": PASSWORD, "next": target}
        return self.post("/sign-in", form, self.token("/sign-in"))


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    who = Visitor(make())
    with who.client:
        yield who
    who.site.accounts.close()


@pytest.fixture
def anna(visitor: Visitor) -> Visitor:
    assert visitor.sign_in().status_code == 303
    return visitor
