"""What parties sign about money that stands between them: escrow, debts taken over, netting cycles."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from hanse.kernel.facts import (
    WITHHELD,
    Commercial,
    Currency,
    Fact,
    Hash,
    Id,
    OptionalId,
    Part,
    Seconds,
    Text,
)
from hanse.rooms.accounts.facts import ITEMS_MAX, Money


class HoldEscrow(Fact, frozen=True, kw_only=True):
    """The customer puts money for an order into a holder's hands.

    Public: answer_by, when the holder must have said that it has it, else it lapses; settle_by, when it ends at the
    latest; inspect_seconds after the order's last receipt, it ends earlier. All ends are computed: what was accepted of
    what was ordered is released, floored, the rest goes back.
    holder: a party of this circle, the supplier or a third.
    """

    kind: ClassVar[str] = "accounts.hold_escrow"
    single: ClassVar[bool] = True
    circle: Id
    escrow: Id
    order: Id
    answer_by: Seconds
    settle_by: Seconds
    inspect_seconds: Seconds = 0
    holder: Commercial[Id] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    amount_minor: Commercial[Money] = WITHHELD


class AcceptEscrow(Fact, frozen=True, kw_only=True):
    """The holder has the money."""

    kind: ClassVar[str] = "accounts.accept_escrow"
    single: ClassVar[bool] = True
    circle: Id
    escrow: Id


class AssignDebt(Fact, frozen=True, kw_only=True):
    """One side of a relationship proposes that a debt leaves it, or arrives in it; the other accepts until `answer_by`.

    leaves: `third` takes over what the customer owes for `item`. arrives: the customer now owes the supplier the
    amount, because one of them took it over from, or for, `third`. A group that pays centrally has: leaves (member and
    supplier), arrives (group and supplier), arrives (member and group), each signed by both.
    due_at: of what arrives. reference: what the sides call it, such as the invoice's number.
    """

    kind: ClassVar[str] = "accounts.assign"
    single: ClassVar[bool] = True
    circle: Id
    assignment: Id
    answer_by: Seconds
    step: Commercial[Literal["leaves", "arrives"]] = WITHHELD
    supplier: Commercial[Id] = WITHHELD
    customer: Commercial[Id] = WITHHELD
    third: Commercial[Id] = WITHHELD
    item: Commercial[OptionalId] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    amount_minor: Commercial[Annotated[int, Meta(ge=1, le=10**17)]] = WITHHELD
    due_at: Commercial[Seconds] = WITHHELD
    reference: Commercial[Text] = WITHHELD


class AcceptAssignment(Fact, frozen=True, kw_only=True):
    kind: ClassVar[str] = "accounts.accept_assignment"
    single: ClassVar[bool] = True
    circle: Id
    assignment: Id


class NettingOpen(Fact, frozen=True, kw_only=True):
    """The signer opens a cycle and is its treasurer. Members of the circle read what is submitted to it.

    submit_by: until when parties state what they owe each other. sign_seconds: how long the treasurer has to state a
    result, and then each party to check and sign it.
    """

    kind: ClassVar[str] = "accounts.netting_open"
    circle: Id
    cycle: Id
    submit_by: Seconds
    sign_seconds: Annotated[int, Meta(ge=60, le=60 * 86_400)]
    currency: Commercial[Currency] = WITHHELD


class Owed(Part, frozen=True, kw_only=True):
    """The submitter's own word on one partner. to_pay: it owes the partner; to_get: the partner owes it. Gross both."""

    partner: Id
    to_pay_minor: Money = 0
    to_get_minor: Money = 0


class NettingSubmit(Fact, frozen=True, kw_only=True):
    """A party's own balances for the cycle; what its partner states differently is left out. May be signed again."""

    kind: ClassVar[str] = "accounts.netting_submit"
    single: ClassVar[bool] = True
    circle: Id
    cycle: Id
    owed: Commercial[Annotated[list[Owed], Meta(max_length=ITEMS_MAX)]] = WITHHELD


class NettingClose(Fact, frozen=True, kw_only=True):
    """The treasurer states the result of a round: its hash, and who has to sign. `salt` keeps the hash from guessing.

    result: hex SHA-256 as `netting.result_hash` computes it. parties: aliases of those with something to net, sorted.
    """

    kind: ClassVar[str] = "accounts.netting_close"
    single: ClassVar[bool] = True
    circle: Id
    cycle: Id
    result: Hash
    parties: Annotated[list[Id], Meta(max_length=ITEMS_MAX)]
    salt: Commercial[Annotated[str, Meta(min_length=16, max_length=80)]] = WITHHELD


class NettingSign(Fact, frozen=True, kw_only=True):
    """A party has checked the result and agrees. `result`: the hash that it computed itself."""

    kind: ClassVar[str] = "accounts.netting_sign"
    single: ClassVar[bool] = True
    circle: Id
    cycle: Id
    result: Hash
