"""Approving: a purchase above its buyer's limit waits in the firm's home until a second person decides.

ask            keep what would be ordered, and say so in the home
decide         the second person's decision; approved, it is bought
buy_approved   buy what was approved and could not be bought at once
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused, require
from hanse.node.buying import Bought, buy, new_name, permit, sorted_out
from hanse.node.desk import Desk
from hanse.node.proposing import Choice, Wish, check, total_minor
from hanse.rooms.orders.delivery_facts import SendMessage
from hanse.rooms.orders.facts import Approve, PlaceOrder
from hanse.rooms.orders.private_rows import DOCUMENTS
from hanse.rooms.orders.purchases import REQUEST_ITEM, about_text, request
from hanse.rooms.parties.facts import STAFF, AppointStaff

LIMIT_MINOR_MAX = 10**15


class Kept(Struct, frozen=True):
    """What a request's file holds."""

    wish: Wish
    chosen: tuple[Choice, ...]


def ask(desk: Desk, wish: Wish, chosen: Sequence[Choice]) -> str:
    """Ask for approval of a purchase; the request's name, which becomes its document's.

    Refuses, in order: desk.not_permitted, as `buy` before anything is signed, but for the limit.
    """
    require(desk.may(PlaceOrder), "desk.not_permitted", "your role does not sign this", got=desk.who.role)
    view = desk.view
    check(view, wish)
    sorted_out(desk, view, wish, chosen)
    total, name = total_minor(chosen), new_name(desk, "A")
    about = ", ".join(f"{line.each} each of {line.item}" for line in wish.lines[:5])
    data = msgspec.json.encode(Kept(wish, tuple(chosen)))
    message: Fact = SendMessage(
        circle=view.home,
        message=name,
        item=REQUEST_ITEM,
        text=about_text(desk.who.person, total, wish.currency, about),
        file_name="purchase.json",
        file_hash=desk.keep_file(data),
        file_bytes=len(data),
    )
    desk.do(message)
    return name


def decide(desk: Desk, name: str, approved: bool) -> Bought | None:
    """Decide on a request as a second person; what is approved is bought, None where it is not approved.

    Refuses, in order: buying.unknown_request, buying.decided, buying.altered, desk.not_permitted, desk.over_limit, as
        `orders.rules.approve` (own_approval, unknown_staff, limit_exceeded), then as `buy`: the approval then stands,
        and `buy_approved` tries again.
    """
    view = desk.view
    found = request(view, name)
    if found is None:
        raise Refused("buying.unknown_request", "there is no such request", got=name[:80])
    require(found.state == "asked", "buying.decided", "somebody has decided this", got=found.state)
    kept = kept_request(desk, name)
    require(total_minor(kept.chosen) == found.amount_minor, "buying.altered", "the request is not what it says")
    if approved:
        permit(desk, found.amount_minor)
        _appoint(desk, found.currency)
    decision = Approve(
        circle=view.home,
        approval=desk.node.wallet.new_id("ap"),
        subject=name,
        amount_minor=found.amount_minor,
        currency=found.currency,
        asked_by=found.asked_by,
        decided_by=desk.who.person,
        approved=approved,
    )
    desk.do(decision)
    return buy_approved(desk, name) if approved else None


def buy_approved(desk: Desk, name: str) -> Bought:
    """Buy what was approved and is not bought yet.

    Refuses, in order: buying.unknown_request, buying.not_approved, buying.bought, buying.altered, as `buy`.
    """
    view = desk.view
    found = request(view, name)
    if found is None:
        raise Refused("buying.unknown_request", "there is no such request", got=name[:80])
    require(found.state == "approved", "buying.not_approved", "nobody has approved this", got=found.state)
    require(view.get(DOCUMENTS, view.home, name) is None, "buying.bought", "this was bought", got=name)
    kept = kept_request(desk, name)
    require(total_minor(kept.chosen) == found.amount_minor, "buying.altered", "the request is not what it says")
    return buy(desk, kept.wish, kept.chosen, document=name)


def kept_request(desk: Desk, name: str) -> Kept:
    """What a request would order, checked against the hash on the record.

    Refuses: buying.unknown_request, buying.altered.
    """
    found = request(desk.view, name)
    if found is None:
        raise Refused("buying.unknown_request", "there is no such request", got=name[:80])
    path = desk.node.files / found.file_hash
    data = path.read_bytes() if path.exists() else b""
    same = hashlib.sha256(data).hexdigest() == found.file_hash
    require(same, "buying.altered", "the request's file is missing, or is not what was asked for")
    try:
        return msgspec.json.decode(data, type=Kept)
    except msgspec.MsgspecError:
        raise Refused("buying.altered", "the request's file does not read") from None


def _appoint(desk: Desk, currency: str) -> None:
    """An owner whom no staff list names yet enters himself: the rule asks the list who may approve how much."""
    if desk.who.role != "owner" or not desk.may(AppointStaff) or not desk.who.person:
        return
    limit = desk.who.approval_limit_minor
    limit = LIMIT_MINOR_MAX if limit is None else limit
    row = desk.view.get(STAFF, desk.view.home, desk.who.person)
    if row is None or not row.active or row.currency != currency or row.approval_limit_minor < limit:
        desk.do(
            AppointStaff(
                circle=desk.view.home,
                person=desk.who.person,
                role="owner",
                approval_limit_minor=limit,
                currency=currency,
                active=True,
                full_name="",
            )
        )
