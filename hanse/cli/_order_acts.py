"""What is done to an order by command: each fills in the form that the order's page has, and signs the same fact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from hanse.cli._desk import Party
from hanse.cli._order_files import Photo, Signature, message, messages, proof
from hanse.cli._order_forms import (
    Damaged,
    Form,
    Key,
    Lines,
    Lot,
    Order,
    Over,
    Price,
    Promised,
    Reason,
    Serial,
    Shipment,
    Site,
    Substitute,
    act,
    each_of,
    said_of,
    sign,
    stock_of,
    the_shipment,
)
from hanse.cli.shell import HERE, Answer, Data, NotNegative
from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk
from hanse.rooms.orders.pages_actions import DO
from hanse.rooms.orders.pages_forms import day_text
from hanse.rooms.orders.queries import OrderPage
from hanse.rooms.orders.rows import RETURNS

Score = Annotated[int, Parameter(validator=Number(gte=1, lte=5))]


def confirm(
    order: Order, *, line: Lines = (), promised: Promised = (), price: Price = (), substitute: Substitute = (),
    note: str = "", key: Key = "", party: Party = "", data: Data = HERE,
) -> Answer:  # fmt: skip
    """Confirm an order as its seller: what is open, or some of it; it binds you.

    Parameters
    ----------
    note
        To the buyer.
    """

    def filled(desk: Desk, page: OrderPage) -> Form:
        asked = {shown.balance.line: shown.terms.requested_at for shown in page.lines}
        days = {f"promised.{n}": day_text(at) for n, at in asked.items() if at > desk.view.now}
        some = each_of(page, line, lambda shown: shown.balance.open - shown.balance.proposed)
        return days | some | said_of(page, promised=promised, price=price, substitute=substitute) | {"note": note}

    said = {"line": line, "promised": promised, "price": price, "substitute": substitute, "note": note}
    return act("confirm", order, said, filled, key=key, party=party, data=data)


def decline(order: Order, *, reason: str = "", key: Key = "", party: Party = "", data: Data = HERE) -> Answer:
    """Decline, as the seller, what is still open.

    Parameters
    ----------
    reason
        Told to the buyer.
    """
    form = {"reason": reason}
    return act("decline", order, form, lambda desk, page: form, key=key, party=party, data=data)


def answer(
    order: Order, says: Literal["yes", "no"], *, line: Annotated[tuple[int, ...], Parameter(negative="")] = (),
    key: Key = "", party: Party = "", data: Data = HERE,
) -> Answer:  # fmt: skip
    """Answer the changes that a seller proposes: another item, a higher price, a later day.

    Parameters
    ----------
    says
        Whether they are accepted.
    line
        Only of this line; once each.
    """

    def filled(desk: Desk, page: OrderPage) -> Form:
        return {f"accept.{n}": says for n in line or [s.balance.line for s in page.lines if s.balance.proposed]}

    return act("answer", order, {"says": says, "line": line}, filled, key=key, party=party, data=data)


def cancel(
    order: Order, *, line: Lines = (), reason: str = "", key: Key = "", party: Party = "", data: Data = HERE
) -> Answer:
    """Cancel what is open as the buyer, or also what is confirmed and unshipped as the seller.

    Parameters
    ----------
    reason
        Told to the other side.
    """

    def filled(desk: Desk, page: OrderPage) -> Form:
        return {**(each_of(page, line) if line else {}), "reason": reason}

    return act("cancel", order, {"line": line, "reason": reason}, filled, key=key, party=party, data=data)


def ship(
    order: Order, *, line: Lines = (), site: Site = "", lot: Lot = (), serial: Serial = (), carrier: str = "",
    tracking: str = "", packages: NotNegative = 1, weight_g: NotNegative = 0, arrive_by: str = "",
    neutral: bool = True, key: Key = "", party: Party = "", data: Data = HERE,
) -> Answer:  # fmt: skip
    """Ship what is confirmed, or some of it; it leaves the stock.

    Parameters
    ----------
    weight_g
        Of all packages, in grams.
    arrive_by
        The day it should arrive, YYYY-MM-DD; the wait for a receipt begins then.
    neutral
        Whether the packing slip names neither of you and no price.
    """

    def filled(desk: Desk, page: OrderPage) -> Form:
        form = each_of(page, line, lambda shown: shown.balance.to_ship) | said_of(page, lot=lot, serials=serial)
        way = {"carrier": carrier, "tracking": tracking, "packages": str(packages), "weight_g": str(weight_g)}
        rest = {"arrive_by": arrive_by, "neutral": "" if neutral else "no"}
        return form | stock_of(desk.view, page, form, site) | way | rest

    said = {"line": line, "site": site, "lot": lot, "serial": serial, "carrier": carrier, "tracking": tracking,
            "packages": packages, "weight_g": weight_g, "arrive_by": arrive_by, "neutral": neutral}  # fmt: skip
    return act("ship", order, said, filled, key=key, party=party, data=data)


def hand_over(
    order: Order, *, shipment: Shipment = "", carrier: str = "", taken_by: str = "", signature: Signature = None,
    photo: Photo = None, key: Key = "", party: Party = "", data: Data = HERE,
) -> Answer:  # fmt: skip
    """Sign, as the seller, that a shipment was handed over.

    Parameters
    ----------
    carrier
        To whom; without it as shipped.
    taken_by
        The person who took it.
    """
    files = proof(signature, photo)

    def make(desk: Desk, page: OrderPage) -> Fact:
        form = {**the_shipment(desk, page, "hand_over", shipment), "carrier": carrier, "taken_by": taken_by}
        return files.kept(desk, DO["hand_over"][0](desk, page, form))

    said = {"shipment": shipment, "carrier": carrier, "taken_by": taken_by, **files.said}
    return sign("hand_over", DO["hand_over"][1], order, said, make, key=key, party=party, data=data)


def receive(
    order: Order, *, line: Lines = (), damaged: Damaged = (), over: Over = (), reason: Reason = (),
    shipment: Shipment = "", site: str = "", received_by: str = "", signature: Signature = None, photo: Photo = None,
    key: Key = "", party: Party = "", data: Data = HERE,
) -> Answer:  # fmt: skip
    """Sign, as the buyer, what arrived: all as shipped, or line by line; what is missing is short.

    Parameters
    ----------
    site
        The own site it came to; without it the order's.
    received_by
        The person who took it.
    """
    files = proof(signature, photo)

    def make(desk: Desk, page: OrderPage) -> Fact:
        form = said_of(page, received=line, damaged=damaged, over=over, reason=reason)
        form |= {**the_shipment(desk, page, "receive", shipment), "site": site, "received_by": received_by}
        return files.kept(desk, DO["receive"][0](desk, page, form))

    said = {"line": line, "damaged": damaged, "over": over, "reason": reason, "shipment": shipment, "site": site,
            "received_by": received_by, **files.said}  # fmt: skip
    return sign("receive", DO["receive"][1], order, said, make, key=key, party=party, data=data)


def contest(
    order: Order, reason: str, *, shipment: Shipment = "", key: Key = "", party: Party = "", data: Data = HERE
) -> Answer:
    """Say that a receipt is not how it was.

    Parameters
    ----------
    reason
        What was different.
    """

    def filled(desk: Desk, page: OrderPage) -> Form:
        return {**the_shipment(desk, page, "contest", shipment), "reason": reason}

    return act("contest", order, {"shipment": shipment, "reason": reason}, filled, key=key, party=party, data=data)


def return_goods(
    order: Order, *, line: Lines, reason: str = "", shipment: Shipment = "", site: Site = "", lot: Lot = (),
    key: Key = "", party: Party = "", data: Data = HERE,
) -> Answer:  # fmt: skip
    """Ask, as the buyer, to return goods; they leave the stock once the seller has accepted them.

    Parameters
    ----------
    reason
        Told to the seller.
    """

    def filled(desk: Desk, page: OrderPage) -> Form:
        form = each_of(page, line) | said_of(page, lot=lot)
        return {**the_shipment(desk, page, "return", shipment), **form, **stock_of(desk.view, page, form, site),
                "reason": reason}  # fmt: skip

    said = {"line": line, "reason": reason, "shipment": shipment, "site": site, "lot": lot}
    return act("return", order, said, filled, key=key, party=party, data=data)


def accept_return(
    order: Order, *, line: Lines = (), return_id: Annotated[str, Parameter(name="--return")] = "", note: str = "",
    site: Site = "", lot: Lot = (), key: Key = "", party: Party = "", data: Data = HERE,
) -> Answer:  # fmt: skip
    """Answer a return as the seller: all that was asked, or so many of a line; 0 declines.

    Parameters
    ----------
    return_id
        Which; not needed where one alone is asked.
    note
        To the buyer.
    """

    def filled(desk: Desk, page: OrderPage) -> Form:
        waiting = [back.return_id for back in page.returns if back.state == "asked"]
        if not return_id and len(waiting) != 1:
            raise Refused("order.which_return", f"{len(waiting)} returns of this order wait for an answer",
                          got=page.order.order_id, expected=", ".join(waiting[:10]), next="--return")  # fmt: skip
        name = return_id or waiting[0]
        row = desk.view.get(RETURNS, name)
        asked = {asked.line: asked.each for asked in row.lines} if row else {}
        form = {f"each.{n}": str(each) for n, each in asked.items()}
        form |= each_of(page, line) | said_of(page, lot=lot)
        return {**form, **stock_of(desk.view, page, form, site), "return_id": name, "note": note}

    said = {"line": line, "return": return_id, "note": note, "site": site, "lot": lot}
    return act("accept_return", order, said, filled, key=key, party=party, data=data)


def rate(
    order: Order, score: Score, *, comment: str = "", shipment: Shipment = "", key: Key = "", party: Party = "",
    data: Data = HERE,
) -> Answer:  # fmt: skip
    """Rate a delivery that you have signed for, once: 1 (bad) to 5 (good)."""

    def filled(desk: Desk, page: OrderPage) -> Form:
        return {**the_shipment(desk, page, "rate", shipment), "score": str(score), "comment": comment}

    said = {"score": score, "comment": comment, "shipment": shipment}
    return act("rate", order, said, filled, key=key, party=party, data=data)


ACTS: dict[str, Callable[..., Answer]] = {
    "confirm": confirm,
    "decline": decline,
    "answer": answer,
    "cancel": cancel,
    "ship": ship,
    "hand-over": hand_over,
    "receive": receive,
    "contest": contest,
    "return": return_goods,
    "accept-return": accept_return,
    "rate": rate,
    "message": message,
    "messages": messages,
}
"""command -> what it does; the words are those of the order's page and of the facts."""
