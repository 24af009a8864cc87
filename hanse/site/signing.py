"""What each form has signed: a role that may sign none of it is refused before the form is read, by one rule for all.

Which role may sign what, the desk decides; this says only what a form is for. A form that is not here signs nothing by
itself (a look at a file, a freight table, an import, whose rows decide), or is the shell's own.
"""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from hanse.kernel.refusal import Refused
from hanse.node.node import Node
from hanse.site.desks import desk
from hanse.site.menu import template_of
from hanse.web import Session

_ORDERS = ("confirm", "decline", "cancel", "ship", "hand_over", "receive", "contest", "rate", "accept_return")
_BOOKING = ("accounts.book", "orders.place")
_PAYING = ("accounts.pay", "accounts.receive_payment")
SIGNS: dict[str, tuple[str, ...]] = {
    **{f"/orders/do/{name}": (f"orders.{name}",) for name in _ORDERS},
    "/orders/do/answer": ("orders.accept_change",),
    "/orders/do/return": ("orders.return_goods",),
    "/orders/message": ("orders.message",),
    "/orders/about": ("orders.message",),
    "/orders/pod-link": ("orders.hand_over", "orders.receive"),
    "/orders/approvals": ("orders.approve",),
    "/orders/quotes": ("orders.request_quote", "orders.quote"),
    "/orders/quotes/answer": ("orders.quote",),
    **dict.fromkeys(("/orders/quotes/order", "/orders/outside", "/find/place", "/find/take"), ("orders.place",)),
    "/own-numbers": ("catalog.set_own_item",),
    "/firm": ("parties.describe",),
    "/firm/sites": ("parties.set_site",),
    "/firm/permits": ("parties.set_permit",),
    "/firm/channels": ("parties.authorise",),
    **dict.fromkeys(("/firm/people", "/firm/people/invite"), ("parties.appoint",)),
    "/firm/keys/rotate": ("parties.add_key",),
    "/firm/keys/compromised": ("parties.retire_key",),
    "/invite-a-firm": ("parties.invite",),
    **dict.fromkeys(("/groups", "/relationships"), ("parties.open_circle",)),
    "/groups/widen": ("parties.widen_circle",),
    "/groups/leave": ("parties.leave_circle",),
    "/catalog/publish": ("catalog.publish_item",),
    "/catalog/judge": ("catalog.judge_substitute",),
    "/catalog/substitute": ("catalog.approve_substitute",),
    "/catalog/supersede": ("catalog.supersede",),
    **{f"/matching/{name}": ("catalog.link_item",) for name in ("accept", "certain", "again", "reject")},
    "/matching/unlink": ("catalog.unlink_item",),
    **{f"/stock/{name}": (f"inventory.{name}",) for name in ("count", "adjust", "move")},
    "/stock/policy": ("inventory.set_policy",),
    "/stock/serials": ("inventory.record_serials",),
    "/offers": ("inventory.offer",),
    "/offers/withdraw": ("inventory.withdraw_offer",),
    "/borrow/want": ("inventory.want",),
    "/borrow/unwant": ("inventory.withdraw_want",),
    "/transfers": ("inventory.propose_transfer",),
    "/transfers/accept": ("inventory.accept_transfer",),
    "/transfers/end": ("inventory.end_transfer",),
    "/accounts/to-bill": ("accounts.invoice",),
    "/accounts/credit-note": ("accounts.credit_note",),
    "/accounts/credit": ("accounts.set_terms",),
    "/accounts/netting": ("accounts.netting_open",),
    **{f"/accounts/netting/do/{name}": (f"accounts.netting_{name}",) for name in ("submit", "close", "sign")},
    "/accounts/netting/do/book": ("accounts.pay",),
    "/accounts/escrow": ("accounts.hold_escrow",),
    "/accounts/escrow/accept": ("accounts.accept_escrow",),
    "/accounts/upload/sign": _BOOKING,
    **dict.fromkeys(("/accounts/payment", "/accounts/payments/confirm"), _PAYING),
    **dict.fromkeys(("/accounts/payments/propose", "/accounts/payments/file"), ("accounts.pay",)),
    **dict.fromkeys(("/accounts/payments/claim", "/accounts/bank/sign"), ("accounts.receive_payment",)),
    "/accounts/debts": ("accounts.assign",),
    "/accounts/debts/accept": ("accounts.accept_assignment",),
    **dict.fromkeys(("/plans/run", "/plans/stop"), ("plans.open",)),
    "/plans/apply": ("orders.place",),
    "/plans/attest": ("plans.attest",),
    "/plans/withdraw": ("plans.withdraw",),
    **dict.fromkeys(("/plans/replenish/accept", "/plans/replenish/rule/use"), ("orders.place",)),
    "/plans/replenish/rule": ("plans.set_rule",),
    "/plans/replenish/rule/end": ("plans.end_rule",),
    "/contracts/new": ("contracts.propose",),
    "/contracts/template": ("contracts.register_template",),
    "/contracts/sign": ("contracts.sign",),
    "/contracts/decline": ("contracts.end_proposal",),
    "/contracts/end": ("contracts.end",),
    "/contracts/confirm": ("contracts.confirm_result",),
    "/contracts/dispute": ("contracts.dispute",),
    "/contracts/answer": ("contracts.answer_dispute",),
    "/contracts/withdraw": ("contracts.withdraw_dispute",),
    "/contracts/decide": ("contracts.decide",),
    **{f"/group/{name}": (f"group.{name}",) for name in ("charter", "join", "leave", "commit")},
    "/group/rounds": ("group.open_round",),
    "/group/tell": ("group.tell_round",),
    "/group/close": ("group.close_round",),
    "/group/rebates": ("group.set_rebate",),
    "/group/report": ("group.report_purchases",),
    "/group/tell-rebate": ("group.tell_rebate",),
    "/group/statements": ("group.statement",),
}
"""A form's address, its parameter filled in where that decides -> kinds of facts; a role must be able to sign one."""


def signed_by(node: Node, session: Session, address: str) -> bool:
    """Whether the reader may sign something of what a form is for; True for one that signs nothing."""
    kinds = SIGNS.get(address)
    return kinds is None or any(desk(node, session).may(kind) for kind in kinds)


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Before a page's handler. Refuses: desk.not_permitted (a form of which the reader's role may sign nothing)."""
    if connection.scope.get("method") != "POST":
        return
    session: Session | None = connection.scope["state"]["shell"].session
    path = connection.scope["path"].rstrip("/")
    template = next((template_of(known) for known in handler.paths), "")
    address = path if path in SIGNS else template
    if session is not None and not signed_by(connection.app.state.read, session, address):
        raise Refused(
            "desk.not_permitted",
            "your role does not sign this",
            got=f"{session.role}: {', '.join(SIGNS[address])}",
            next="ask an owner of your firm",
        )
