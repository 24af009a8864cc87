"""The desk: one person, or program, at work for one party. Every door reads and writes through one.

Here, and nowhere else, is decided what a role may sign: pages, API and command line ask the same desk. What a role may
read is decided by the party's view.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from msgspec import Struct

from hanse.kernel.facts import Fact
from hanse.kernel.refusal import Refused, require
from hanse.kernel.view import View
from hanse.node.node import WAIT_SECONDS, Node
from hanse.node.wallet import Presentation, Wallet
from hanse.node.write_path import Receipt
from hanse.record.files import REAL_FILES
from hanse.rooms.group.facts import TellRebate, TellRound
from hanse.rooms.group.telling import check_telling
from hanse.rooms.orders.facts import PlaceOrder, Quote

FILE_BYTES_MAX = 10_000_000
_EVERYBODY = ("orders.message",)
_BUYER = (
    *_EVERYBODY,
    "orders.*",
    "inventory.want",
    "inventory.withdraw_want",
    "inventory.accept_transfer",
    "catalog.link_item",
    "plans.*",
    "accounts.pay",
    "accounts.hold_escrow",
    "accounts.book",
    "group.commit",
    "group.report_purchases",
)
_SELLER = (
    *_EVERYBODY,
    "orders.*",
    "inventory.*",
    "catalog.*",
    "plans.*",
    "accounts.invoice",
    "accounts.credit_note",
    "accounts.receive_payment",
    "accounts.book",
)
_WAREHOUSE = (
    *_EVERYBODY,
    "inventory.count",
    "inventory.adjust",
    "inventory.move",
    "inventory.record_serials",
    "orders.ship",
    "orders.hand_over",
    "orders.receive",
    "orders.return_goods",
    "orders.accept_return",
)
MAY_SIGN: dict[str, tuple[str, ...]] = {
    "owner": ("*",),
    "buyer": _BUYER,
    "seller": _SELLER,
    "warehouse": _WAREHOUSE,
    "viewer": (),
}
"""role -> kinds that it may sign; `room.*` for a room. Approving is for those whose limit suffices, see `Desk.do`."""
SCOPES = ("read", "write")


class Who(Struct, frozen=True):
    """Who sits at a desk.

    Attributes:
        party: for whom. person: as staff lists know them, "" for the firm itself. role: of `MAY_SIGN`.
        approval_limit_minor: the largest order that this person may place, or price that it may bind the firm to by
            a quote, alone, in minor units; None: any.
        scopes: of `SCOPES`; a token may have fewer than its owner's role gives.
    """

    party: str
    person: str = ""
    role: str = "owner"
    approval_limit_minor: int | None = None
    scopes: tuple[str, ...] = SCOPES


class Desk:
    """One person's rights on one node."""

    def __init__(self, node: Node, who: Who) -> None:
        self.node, self.who = node, who

    @property
    def view(self) -> View:
        """State as this desk's party may see it, now. Refuses: desk.not_permitted (no read scope)."""
        require("read" in self.who.scopes, "desk.not_permitted", "this token may not read", got=self.who.scopes)
        return self.node.view(self.who.party)

    def may(self, kind: type[Fact] | str) -> bool:
        """Whether this desk may sign facts of a kind: pages show a button only where this is true."""
        name = kind if isinstance(kind, str) else kind.kind
        patterns = MAY_SIGN.get(self.who.role, ())
        allowed = any(p in ("*", name) or (p.endswith(".*") and name.startswith(p[:-1])) for p in patterns)
        return allowed and "write" in self.who.scopes

    def check(self, fact: Fact) -> None:
        """Refuses, in order: desk.not_permitted, group.few_members, desk.over_limit."""
        if not self.may(type(fact)):
            raise Refused(
                "desk.not_permitted",
                "your role does not sign this",
                got=f"{self.who.role}: {fact.kind}",
                next="ask an owner of your firm",
            )
        if isinstance(fact, (TellRound, TellRebate)):
            check_telling(self.node.view(self.who.party), fact)
        limit = self.who.approval_limit_minor
        if limit is None or not isinstance(fact, (PlaceOrder, Quote)):
            return
        if isinstance(fact, Quote) and fact.circle == self.node.view(self.who.party).home:
            return  # a note of a supplier's terms in the own book: it binds nobody
        total = amount_minor(fact)
        if total is None:
            raise Refused("desk.over_limit", "without prices it fits no limit", next="state each line's price")
        require(
            total <= limit,
            "desk.over_limit",
            f"{'the order' if isinstance(fact, PlaceOrder) else 'the quote'} is larger than you may send alone",
            got=total,
            expected=f"<= {limit}",
            next="ask for approval",
        )

    def do(self, fact: Fact) -> Receipt:
        """Sign for the party, submit, wait. Refuses, in order: as `check`; as the fact's rules; as `Node.act`."""
        self.check(fact)
        return self.node.act(self.who.party, fact)

    def do_all(self, facts: Sequence[Fact]) -> list[Receipt]:
        """Several facts, in order, submitted together; each is tried first, and none submitted where one is refused.

        Facts that build on one another are tried against the state before all of them: send those one by one.
        Refuses: as `do`, for the first that would be.
        """
        signed = self.sign(facts)
        for presentation in signed:
            if refusal := self.node.path.trial(presentation):
                raise Refused.of(refusal)
        return self.submit(signed)

    def sign(self, facts: Sequence[Fact]) -> list[Presentation]:
        """Sign facts for the party, batched where they may be. Refuses, in order: as `check`; node.no_key."""
        for fact in facts:
            self.check(fact)
        return sign_runs(self.node.wallet, self.who.party, facts)

    def submit(self, signed: Sequence[Presentation]) -> list[Receipt]:
        """Submit signed facts together and wait for all. Refuses as the first that was refused; the others stand."""
        receipts = [reply.result(WAIT_SECONDS) for reply in self.node.path.submit_all(signed)]
        for receipt in receipts:
            if receipt.first_refusal:
                raise Refused.of(receipt.first_refusal)
        return receipts

    def keep_file(self, data: bytes) -> str:
        """Keep an attachment; its SHA-256 in hex, which a message then names. Refuses: desk.file_too_large."""
        require(len(data) <= FILE_BYTES_MAX, "desk.file_too_large", "a file is at most 10 MB", got=len(data))
        name = hashlib.sha256(data).hexdigest()
        path = self.node.files / name
        if not path.exists():
            temporary = path.with_suffix(f".{secrets.token_hex(8)}.new")
            REAL_FILES.write_new(temporary, data)
            REAL_FILES.rename(temporary, path)
            REAL_FILES.sync_directory(path.parent)
        return name

    def file(self, name: str) -> bytes:
        """An attachment that a message of the party's circles names. Refuses: desk.unknown_file."""
        from hanse.rooms.orders.message_queries import may_read_file

        path = self.node.files / name
        if not (len(name) == 64 and name.isalnum() and may_read_file(self.view, name) and path.exists()):
            raise Refused("desk.unknown_file", "there is no such file", got=name[:64])
        return path.read_bytes()


def amount_minor(fact: PlaceOrder | Quote) -> int | None:
    """What an order or a quote comes to, in minor units of its currency; None where a line states no price."""
    if not all(isinstance(line.unit_price_minor, int) for line in fact.lines):
        return None
    return sum(line.each * line.unit_price_minor for line in fact.lines)


def sign_runs(wallet: Wallet, party: str, facts: Sequence[Fact]) -> list[Presentation]:
    """Sign facts in order: runs of one speaker whose kinds may be batched get one signature, others their own."""
    signed: list[Presentation] = []
    run: list[Fact] = []
    speaker = ""

    def close() -> None:
        signed.extend(wallet.sign_batch(party, run) if len(run) > 1 else [wallet.sign(party, fact) for fact in run])
        run.clear()

    for fact in facts:
        kid = wallet.speaker(party, fact).kid
        if fact.single or kid != speaker or len(run) >= 5_000:
            close()
        if fact.single:
            signed.append(wallet.sign(party, fact))
        else:
            speaker = kid
            run.append(fact)
    close()
    return signed
