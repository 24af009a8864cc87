"""Orders on their way: what one purchase signed is sent, one fact after the other, and the same again is sent once.

A purchase that was cut off comes again with the very bytes that it signed: what stands already is left alone, the rest
is sent. `hanse.node.buying` drafts and signs them.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from hanse.kernel.refusal import Refused
from hanse.node.desk import Desk
from hanse.node.wallet import Presentation
from hanse.rooms.orders.facts import Hold, KeepDocument, PlaceOrder
from hanse.rooms.orders.private_rows import DOCUMENTS
from hanse.rooms.orders.rows import HOLDS, ORDERS
from hanse.rooms.parties.queries import party_name


class Ordered(Struct, frozen=True):
    order: str
    seller: str
    amount_minor: int


class Failed(Struct, frozen=True):
    """What one seller's order was refused for; the others stand."""

    seller: str
    code: str
    message: str


class Bought(Struct, frozen=True):
    """`document` "" where one order for own stock needs none."""

    document: str
    orders: tuple[Ordered, ...]
    failed: tuple[Failed, ...] = ()


def send(desk: Desk, signed: Sequence[Presentation]) -> Bought:
    """Submit a purchase: its holds, its orders, and the document over those that stand.

    Args:
        signed: holds, orders and at most one document, in this order, signed by the desk's party. Sent before, in whole
            or in part, they stand as they did.
    Refuses: as the holds' rules, where an order needs one that is refused; as the first order's, where none stands.
    """
    read = [(one, desk.node.path.admission.read(one).full) for one in signed]
    for one, fact in read:
        if isinstance(fact, Hold) and desk.view.get(HOLDS, fact.hold) is None:
            _submit(desk, one)
    orders: list[Ordered] = []
    failed: list[Failed] = []
    for one, fact in read:
        if not isinstance(fact, PlaceOrder):
            continue
        try:
            if desk.view.get(ORDERS, fact.order) is None:
                _submit(desk, one)
        except Refused as refused:
            failed.append(Failed(_seller(desk, fact), refused.code, refused.message))
            continue
        amount = sum(line.each * (line.unit_price_minor or 0) for line in fact.lines)
        orders.append(Ordered(fact.order, _seller(desk, fact), amount))
    if failed and not orders:
        raise Refused(failed[0].code, failed[0].message, next="look for it again: what is available has changed")
    stand = {order.order for order in orders}
    documents = [_document(desk, one, fact, stand) for one, fact in read if isinstance(fact, KeepDocument)]
    return Bought("".join(documents), tuple(orders), tuple(failed))


def _submit(desk: Desk, one: Presentation) -> None:
    """Refuses: as the fact's rules, tried first, so that what is refused is not on the record."""
    if refusal := desk.node.path.trial(one):
        raise Refused.of(refusal)
    desk.submit([one])


def _seller(desk: Desk, fact: PlaceOrder) -> str:
    view = desk.view
    return "own stock" if fact.circle == view.home else party_name(view, fact.seller_party)


def _document(desk: Desk, one: Presentation, fact: KeepDocument, stand: set[str]) -> str:
    """The document over the orders that stand, kept once; its name."""
    covers = [cover for cover in fact.orders or [] if cover.order in stand]
    if desk.view.get(DOCUMENTS, fact.circle, fact.document) is None:
        if len(covers) == len(fact.orders or []):
            _submit(desk, one)
        else:
            desk.do(replace(fact, orders=covers))
    return fact.document
