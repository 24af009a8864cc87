"""Webhooks: where the firm's own programs are told what was signed. For owners."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response, Template

from hanse.site.desks import desk
from hanse.site.menu import OWNER, Entry
from hanse.site.pages_forms import Fields, Given, attempt
from hanse.web import Badge, Read, Reader, Session, go, needs_role, not_here, page
from hanse.webhooks import Subscription, Webhooks

Hooks = NamedDependency[Webhooks]
ADDRESS = "/settings/webhooks"
CHOICES = {
    "*": "everything",
    "orders.*": "quotations, orders, deliveries, messages",
    "inventory.*": "stock, offers, transfers",
    "catalog.*": "items and own numbers",
    "contracts.*": "agreements and results of clauses",
    "accounts.*": "invoices and payments",
    "group.*": "groups, rounds, rebates",
    "parties.*": "members, relationships, sites, keys",
}
STATES = {"active": Badge("told", "good"), "paused": Badge("paused", "warn"), "gone": Badge("ended by it", "bad")}


def _state(one: Subscription) -> Badge:
    return Badge("failing, tried again", "warn") if one.state == "active" and one.tries else STATES[one.state]


def _shown(
    session: Session, read: Any, hooks: Webhooks, *, status: int = 200, refusal: Any = None, made: Any = None,
    given: dict[str, Any] | None = None,
) -> Template:  # fmt: skip
    if not desk(read, session).view.home:
        raise not_here()
    rows = [(one, _state(one)) for one in hooks.store.of(session.party)]
    return page(
        "site/webhooks.html", title="Webhooks", crumbs=(("Settings", "/settings"),), status=status, refusal=refusal,
        rows=rows, made=made, choices=CHOICES, given=given or {},
    )  # fmt: skip


@get(ADDRESS, sync_to_thread=True)
def webhooks_page(session: Reader, read: Read, webhooks: Hooks) -> Template:
    """The addresses that are told, and a form for another."""
    needs_role(session, "owner")
    return _shown(session, read, webhooks)


@post(ADDRESS, sync_to_thread=True, status_code=200)
def make(session: Reader, read: Read, webhooks: Hooks, data: Fields) -> Any:
    """A new address; its secret is shown once. Refuses: webhook.*"""
    needs_role(session, "owner")
    given = Given(data)

    def act() -> Template:
        url = given.text("url", "Address", required=True, most=500)
        kinds = tuple(kind for kind in given.many("kind") if kind in CHOICES)
        made = webhooks.store.add(session.party, session.user, url, kinds, read.log.size)
        return _shown(session, read, webhooks, made=made)

    return attempt(
        act, lambda status, refusal: _shown(session, read, webhooks, status=status, refusal=refusal, given=data)
    )


@post(ADDRESS + "/{id:str}/test", sync_to_thread=True)
def test(session: Reader, read: Read, webhooks: Hooks, id: FromPath[str]) -> Any:
    """Send a test event, and say what came back. Refuses: webhook.unknown, webhook.too_often."""
    needs_role(session, "owner")

    def act() -> Response[Any]:
        answer = webhooks.test(session.party, id)
        words = f"took the test event ({answer.status})" if answer.good else f"did not take it: {answer.said}"
        return go(ADDRESS, notice=f"The receiver {words}.")

    return attempt(act, lambda status, refusal: _shown(session, read, webhooks, status=status, refusal=refusal))


@post(ADDRESS + "/{id:str}/resume", sync_to_thread=True)
def resume(session: Reader, read: Read, webhooks: Hooks, id: FromPath[str]) -> Any:
    """Try again now, from where it stopped. Refuses: webhook.unknown."""
    needs_role(session, "owner")

    def act() -> Response[Any]:
        webhooks.store.resume(session.party, id)
        webhooks.wake()
        return go(ADDRESS, notice="It is told again, from where it stopped.")

    return attempt(act, lambda status, refusal: _shown(session, read, webhooks, status=status, refusal=refusal))


@post(ADDRESS + "/{id:str}/delete", sync_to_thread=True)
def end(session: Reader, read: Read, webhooks: Hooks, id: FromPath[str]) -> Any:
    """Tell this address no more. Refuses: webhook.unknown."""
    needs_role(session, "owner")

    def act() -> Response[Any]:
        webhooks.store.delete(session.party, id)
        return go(ADDRESS, notice="Deleted; nothing more is sent there.")

    return attempt(act, lambda status, refusal: _shown(session, read, webhooks, status=status, refusal=refusal))


NAV = [Entry("Webhooks", ADDRESS, "Firm", OWNER)]
PAGES: list[Any] = [webhooks_page, make, test, resume, end]
