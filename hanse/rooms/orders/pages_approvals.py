"""What is above somebody's limit, purchases and quotes: what was asked, and a second person's decision."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import get, post
from litestar.response import Template

from hanse.kernel.refusal import Refused
from hanse.node import approving
from hanse.node.desk import Desk
from hanse.rooms.orders.pages_forms import Accounts, Form, text
from hanse.rooms.orders.pages_order import CRUMBS, address, as_refused, told
from hanse.rooms.orders.pages_quotes import quote_address
from hanse.rooms.orders.purchases import Request, request, requests
from hanse.site.desks import desk
from hanse.web import AccountStore, Read, Reader, go, needs_role, page


def _who(accounts: AccountStore, party: str, person: str) -> str:
    """A person's name as the firm knows them; only of the firm's own people."""
    found = next((user for user in accounts.users(party) if str(user.id) == person), None)
    return found.name if found else "somebody who has left"


def _href(found: Request) -> str:
    """Where that stands which comes of a request."""
    if found.what == "quote":
        return quote_address(found.name)
    return address(found.name) if found.what == "order" else f"/orders/documents/{quote(found.name, safe='')}"


def _show(at: Desk, accounts: AccountStore, refusal: Refused | None = None, opened: str = "") -> Template:
    view = at.view
    rows: list[dict[str, Any]] = [
        {
            "r": found,
            "asked_by": _who(accounts, at.who.party, found.asked_by),
            "decided_by": _who(accounts, at.who.party, found.decided_by) if found.decided_by else "",
            "own": found.asked_by == at.who.person,
            "href": _href(found),
        }
        for found in requests(view)
    ]
    rows.sort(key=lambda row: row["r"].state != "asked")
    return page(
        "orders/approvals.html", title="Approvals", crumbs=CRUMBS, status=422 if refusal else 200, rows=rows,
        may=at.may("orders.approve"), refusal=told(refusal), opened=opened,
    )  # fmt: skip


@get("/orders/approvals", sync_to_thread=True)
def approvals_page(session: Reader, read: Read, accounts: Accounts) -> Any:
    """What was asked for above a limit, the undecided first."""
    needs_role(session, "owner", "buyer", "seller")
    return _show(desk(read, session), accounts)


@post("/orders/approvals", sync_to_thread=True)
def decide(session: Reader, read: Read, accounts: Accounts, data: Form) -> Any:
    """Approve, decline, or buy what was approved. Refuses: as `approving.decide`, beside the request."""
    needs_role(session, "owner", "buyer", "seller")
    at, name, answer = desk(read, session), text(data, "request"), text(data, "answer")
    asked = request(at.view, name)
    try:
        if answer == "buy":
            approving.buy_approved(at, name)
        elif answer in ("yes", "no"):
            approving.decide(at, name, answer == "yes")
        else:
            raise Refused("form.nothing_chosen", "say yes or no")
    except (Refused, msgspec.ValidationError) as refused:
        return _show(at, accounts, as_refused(refused), name)
    if answer == "no":
        return go("/orders/approvals", notice="Not approved.")
    assert asked is not None, "it was decided"
    return go(_href(asked), notice="Approved, and quoted." if asked.what == "quote" else "Approved, and ordered.")
