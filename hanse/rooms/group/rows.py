"""What state holds of groups: the public outline, the group's terms, each relationship's words, each home's sums."""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.rows import Row
from hanse.kernel.tables import Table

OPEN, DECIDING, CLOSED, LAPSED = "open", "deciding", "closed", "lapsed"


class Group(Row, frozen=True, kw_only=True):
    group_id: str
    circle: str
    manager: str


class Membership(Row, frozen=True, kw_only=True):
    """`left_at` 0: a member now."""

    group_id: str
    alias: str
    joined_at: int
    left_at: int = 0


class Round(Row, frozen=True, kw_only=True):
    """A round's outline: that it is there, until when, and how it ended."""

    round: str
    group_id: str
    circle: str
    state: str
    commit_by: int
    ends_at: int


class Statement(Row, frozen=True, kw_only=True):
    """A statement's number, taken."""

    statement: str
    circle: str


class GroupTerms(Row, frozen=True, kw_only=True):
    circle: str
    group_id: str
    manager: str
    name: str
    currency: str
    purpose: str


class Tier(Struct, frozen=True, array_like=True):
    """From `start` (each, or minor units): `value` (a unit price in minor units, or ppm)."""

    start: int
    value: int


class RoundTerms(Row, frozen=True, kw_only=True):
    """What the group knows of a round. total, members: as told last. unit_price_minor: reached, 0 for none."""

    circle: str
    round: str
    item: str
    supplier: str
    currency: str
    tiers: tuple[Tier, ...]
    note: str
    told_each: int = 0
    told_members: int = 0
    told_at: int = 0
    unit_price_minor: int = 0


class Commitment(Row, frozen=True, kw_only=True):
    """In a relationship: what its member has committed to the other. `entry`: where its last word stands."""

    circle: str
    round: str
    party: str
    each: int
    price_max_minor: int
    at: int


class RoundAtHome(Row, frozen=True, kw_only=True):
    """In a manager's home: a round of its own, and the sum of its commitments."""

    circle: str
    round: str
    total_each: int = 0
    members: int = 0


class CommitmentAtHome(Row, frozen=True, kw_only=True):
    """In the manager's home: a member's commitment. `relationship`, `position`: where it was signed."""

    circle: str
    round: str
    party: str
    relationship: str
    each: int
    price_max_minor: int


class RebateTerms(Row, frozen=True, kw_only=True):
    """What the group knows of a rebate; total and members as told last."""

    circle: str
    rebate: str
    group_id: str
    supplier: str
    currency: str
    from_at: int
    until_at: int
    scheme: str
    tiers: tuple[Tier, ...]
    told_minor: int = 0
    told_members: int = 0
    told_at: int = 0


class Report(Row, frozen=True, kw_only=True):
    """In a relationship: its member's last report."""

    circle: str
    rebate: str
    party: str
    currency: str
    signed_minor: int
    imported_minor: int
    documents: int
    at: int

    @property
    def spend_minor(self) -> int:
        return self.signed_minor + self.imported_minor


class RebateAtHome(Row, frozen=True, kw_only=True):
    """In a manager's home: a rebate of its own, and the sum of its members' reports."""

    circle: str
    rebate: str
    currency: str
    from_at: int
    until_at: int
    scheme: str
    tiers: tuple[Tier, ...]
    signed_minor: int = 0
    imported_minor: int = 0
    members: int = 0

    @property
    def total_minor(self) -> int:
        return self.signed_minor + self.imported_minor


class ReportAtHome(Row, frozen=True, kw_only=True):
    circle: str
    rebate: str
    party: str
    relationship: str
    signed_minor: int
    imported_minor: int

    @property
    def spend_minor(self) -> int:
        return self.signed_minor + self.imported_minor


class MemberStatement(Row, frozen=True, kw_only=True):
    """In a relationship: what the manager has stated. `item`: the credit in their books. payable: share - charges."""

    circle: str
    statement: str
    rebate: str
    manager: str
    party: str
    currency: str
    spend_minor: int
    total_minor: int
    earned_minor: int
    share_minor: int
    charges_minor: int
    due_at: int
    item: str
    at: int

    @property
    def payable_minor(self) -> int:
        return self.share_minor - self.charges_minor


GROUPS = Table("group_group", Group, ("group_id",), index=[("circle",)])
MEMBERSHIPS = Table("group_membership", Membership, ("group_id", "alias"))
ROUNDS = Table("group_round", Round, ("round",), index=[("group_id",)])
STATEMENTS = Table("group_statement", Statement, ("statement",))
GROUP_TERMS = Table("group_terms", GroupTerms, ("circle", "group_id"), circle=True)
ROUND_TERMS = Table("group_round_terms", RoundTerms, ("circle", "round"), circle=True)
COMMITMENTS = Table("group_commitment", Commitment, ("circle", "round", "party"), circle=True)
ROUNDS_AT_HOME = Table("group_round_at_home", RoundAtHome, ("circle", "round"), circle=True)
COMMITMENTS_AT_HOME = Table("group_commitment_at_home", CommitmentAtHome, ("circle", "round", "party"), circle=True)
REBATES = Table("group_rebate", RebateTerms, ("circle", "rebate"), index=[("supplier",)], circle=True)
REPORTS = Table("group_report", Report, ("circle", "rebate", "party"), circle=True)
REBATES_AT_HOME = Table("group_rebate_at_home", RebateAtHome, ("circle", "rebate"), circle=True)
REPORTS_AT_HOME = Table("group_report_at_home", ReportAtHome, ("circle", "rebate", "party"), circle=True)
MEMBER_STATEMENTS = Table("group_member_statement", MemberStatement, ("circle", "statement"), circle=True)
