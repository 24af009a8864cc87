"""What the manager and the members of a group sign."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from hanse.kernel.facts import WITHHELD, Commercial, Currency, Each, Fact, Id, LongText, Part, Seconds, Text
from hanse.rooms.accounts.facts import Money, Ppm

TIERS_MAX = 20
DECIDE_SECONDS = 7 * 86_400
"""How long after its deadline a round waits for its manager."""


class Charter(Fact, frozen=True, kw_only=True):
    """The opener of a group circle makes it a buying group and is its manager."""

    kind: ClassVar[str] = "group.charter"
    circle: Id
    group: Id
    name: Commercial[Text] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    purpose: Commercial[LongText] = WITHHELD


class Join(Fact, frozen=True, kw_only=True):
    """A member of the circle joins the group."""

    kind: ClassVar[str] = "group.join"
    circle: Id
    group: Id


class Leave(Fact, frozen=True, kw_only=True):
    """A member leaves; what it committed and earned stands."""

    kind: ClassVar[str] = "group.leave"
    circle: Id
    group: Id


class PriceTier(Part, frozen=True, kw_only=True):
    """From so many in all, each costs so much."""

    from_each: Each
    unit_price_minor: Money


class OpenRound(Fact, frozen=True, kw_only=True):
    """The manager asks for committed demand until `commit_by`; a week later, a round that is not closed lapses.

    tiers: by rising quantity; below the first, the round fails. supplier: a party or a name.
    """

    kind: ClassVar[str] = "group.open_round"
    circle: Id
    group: Id
    round: Id
    commit_by: Seconds
    item: Commercial[Text] = WITHHELD
    supplier: Commercial[Text] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    tiers: Commercial[Annotated[list[PriceTier], Meta(min_length=1, max_length=TIERS_MAX)]] = WITHHELD
    note: Commercial[LongText] = WITHHELD


class Commit(Fact, frozen=True, kw_only=True):
    """A member commits, in its relationship with the manager. Its last word before the deadline counts; 0 withdraws.

    price_max_minor: it takes nothing at a higher price; 0 any of the tiers.
    """

    kind: ClassVar[str] = "group.commit"
    single: ClassVar[bool] = True
    circle: Id
    round: Commercial[Id] = WITHHELD
    each: Commercial[Each] = WITHHELD
    price_max_minor: Commercial[Money] = WITHHELD


class TellRound(Fact, frozen=True, kw_only=True):
    """The manager tells the group what is committed so far."""

    kind: ClassVar[str] = "group.tell_round"
    circle: Id
    round: Id
    total_each: Commercial[Each] = WITHHELD
    members: Commercial[Each] = WITHHELD


class CloseRound(Fact, frozen=True, kw_only=True):
    """The manager closes a round after its deadline: what was committed, and the price that it reached (0: none)."""

    kind: ClassVar[str] = "group.close_round"
    single: ClassVar[bool] = True
    circle: Id
    round: Id
    total_each: Commercial[Each] = WITHHELD
    members: Commercial[Each] = WITHHELD
    unit_price_minor: Commercial[Money] = WITHHELD


class RateTier(Part, frozen=True, kw_only=True):
    """From so much in all, so much of it is paid back."""

    from_minor: Money
    ppm: Ppm


class SetRebate(Fact, frozen=True, kw_only=True):
    """The manager states a supplier's rebate to the group. retroactive: the tier's rate on all; else slice by slice.

    from_at, until_at: the period, UTC seconds, the last not included. supplier: a party, or the name in members' books.
    """

    kind: ClassVar[str] = "group.set_rebate"
    circle: Id
    group: Id
    rebate: Commercial[Id] = WITHHELD
    supplier: Commercial[Text] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    from_at: Commercial[Seconds] = WITHHELD
    until_at: Commercial[Seconds] = WITHHELD
    scheme: Commercial[Literal["retroactive", "incremental"]] = WITHHELD
    tiers: Commercial[Annotated[list[RateTier], Meta(min_length=1, max_length=TIERS_MAX)]] = WITHHELD


class ReportPurchases(Fact, frozen=True, kw_only=True):
    """A member tells the manager what it bought under a rebate, net, in its relationship. The last word counts.

    signed_minor: by invoices that its supplier has signed in the network. imported_minor: by its own books.
    """

    kind: ClassVar[str] = "group.report_purchases"
    single: ClassVar[bool] = True
    circle: Id
    rebate: Commercial[Id] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    signed_minor: Commercial[Money] = WITHHELD
    imported_minor: Commercial[Money] = WITHHELD
    documents: Commercial[Each] = WITHHELD


class TellRebate(Fact, frozen=True, kw_only=True):
    """The manager tells the group the total bought under a rebate."""

    kind: ClassVar[str] = "group.tell_rebate"
    circle: Id
    rebate: Commercial[Id] = WITHHELD
    total_minor: Commercial[Money] = WITHHELD
    members: Commercial[Each] = WITHHELD


class IssueStatement(Fact, frozen=True, kw_only=True):
    """The manager states a member's share of a rebate, in their relationship; it becomes a credit in their books.

    spend: the member's own last report. total: all members'. earned: of the total, by the tiers stated here. share: of
    the earned, by spend. charges_minor: what the group keeps of the share for its work.
    """

    kind: ClassVar[str] = "group.statement"
    single: ClassVar[bool] = True
    circle: Id
    statement: Id
    rebate: Commercial[Id] = WITHHELD
    currency: Commercial[Currency] = WITHHELD
    scheme: Commercial[Literal["retroactive", "incremental"]] = WITHHELD
    tiers: Commercial[Annotated[list[RateTier], Meta(min_length=1, max_length=TIERS_MAX)]] = WITHHELD
    spend_minor: Commercial[Money] = WITHHELD
    total_minor: Commercial[Money] = WITHHELD
    earned_minor: Commercial[Money] = WITHHELD
    share_minor: Commercial[Money] = WITHHELD
    charges_minor: Commercial[Money] = WITHHELD
    due_at: Commercial[Seconds] = WITHHELD
