"""Questions of members and managers, and the auditor's: do the totals told come from what was signed?"""

from __future__ import annotations

from msgspec import Struct

from hanse.kernel.view import View
from hanse.rooms.accounts.rows import ITEMS
from hanse.rooms.group.facts import (
    CloseRound,
    IssueStatement,
    RateTier,
    ReportPurchases,
    TellRebate,
    TellRound,
)
from hanse.rooms.group.rows import (
    COMMITMENTS,
    COMMITMENTS_AT_HOME,
    GROUP_TERMS,
    GROUPS,
    MEMBER_STATEMENTS,
    MEMBERSHIPS,
    REBATES,
    REBATES_AT_HOME,
    REPORTS,
    REPORTS_AT_HOME,
    ROUND_TERMS,
    ROUNDS,
    ROUNDS_AT_HOME,
    Commitment,
    Group,
    GroupTerms,
    MemberStatement,
    RebateTerms,
    Report,
    Round,
    RoundTerms,
)
from hanse.rooms.group.shares import earned, outcome, split
from hanse.rooms.inventory.facts import Held
from hanse.rooms.inventory.queries import StockRow, held_elsewhere, kept_for_others
from hanse.rooms.parties.queries import alias_in, relationship_with


class GroupCard(Struct, frozen=True):
    """A group of the reader's. `members`: how many have joined and not left."""

    group: Group
    terms: GroupTerms
    members: int
    i_manage: bool
    i_joined: bool


def groups(view: View) -> list[GroupCard]:
    """The groups of the reader's circles."""
    out = []
    for terms in view.rows(GROUP_TERMS):
        row = view.get(GROUPS, terms.group_id)
        if row is not None:
            joined = view.count(MEMBERSHIPS, "group_id = ? AND left_at = 0", (terms.group_id,))
            mine = view.get(MEMBERSHIPS, terms.group_id, alias_in(view, terms.circle))
            out.append(
                GroupCard(row, terms, joined, terms.manager == view.party, mine is not None and not mine.left_at)
            )
    return out


class RoundPage(Struct, frozen=True):
    """A round as the reader may see it.

    mine: the reader's own commitment. next_tier_each: how many are missing to the next tier by the total told last; 0
    at the highest. my_each, my_amount_minor: what the reader takes of a closed round.
    """

    round: Round
    terms: RoundTerms
    mine: Commitment | None
    next_tier_each: int
    my_each: int
    my_amount_minor: int


def round_page(view: View, round_id: str) -> RoundPage | None:
    """A round of the reader's circles."""
    row = view.get(ROUNDS, round_id)
    terms = view.get(ROUND_TERMS, row.circle, round_id) if row else None
    if row is None or terms is None:
        return None
    found = view.rows(COMMITMENTS, "round = ? AND party = ?", (round_id, view.party), limit=1)
    mine = found[0] if found else None
    missing = next((tier.start - terms.told_each for tier in terms.tiers if tier.start > terms.told_each), 0)
    price = terms.unit_price_minor
    takes = mine is not None and price and (not mine.price_max_minor or mine.price_max_minor >= price)
    each = mine.each if mine is not None and takes else 0
    return RoundPage(row, terms, mine, missing, each, each * price)


def rounds(view: View, *, limit: int = 200) -> list[RoundTerms]:
    """Rounds of the reader's groups."""
    return view.rows(ROUND_TERMS, limit=limit)


def round_total(view: View, round_id: str) -> tuple[int, int, int] | None:
    """The manager's own: (total each, members, unit price) as the commitments in its home come to; None for others."""
    row = view.get(ROUNDS, round_id)
    terms = view.get(ROUND_TERMS, row.circle, round_id) if row else None
    if row is None or terms is None or view.get(ROUNDS_AT_HOME, view.home, round_id) is None:
        return None
    words = view.rows(COMMITMENTS_AT_HOME, "circle = ? AND round = ?", (view.home, round_id))
    return outcome(terms.tiers, [(word.each, word.price_max_minor) for word in words])


def telling(view: View, round_id: str) -> TellRound | None:
    """The manager's word on what is committed so far, any price."""
    row, home = view.get(ROUNDS, round_id), view.get(ROUNDS_AT_HOME, view.home, round_id)
    if row is None or home is None:
        return None
    return TellRound(circle=row.circle, round=round_id, total_each=home.total_each, members=home.members)


def closing(view: View, round_id: str) -> CloseRound | None:
    """The manager's closing of a round, as its home's commitments come to."""
    row, found = view.get(ROUNDS, round_id), round_total(view, round_id)
    if row is None or found is None:
        return None
    total, members, price = found
    return CloseRound(circle=row.circle, round=round_id, total_each=total, members=members, unit_price_minor=price)


# -- rebates --


def rebates(view: View, *, limit: int = 200) -> list[RebateTerms]:
    """Rebates of the reader's groups."""
    return view.rows(REBATES, limit=limit)


def _rebate(view: View, rebate: str) -> RebateTerms | None:
    found = view.rows(REBATES, "rebate = ?", (rebate,), limit=1)
    return found[0] if found else None


def purchases(view: View, terms: RebateTerms) -> tuple[int, int, int]:
    """(signed, imported, documents): the reader's purchases under a rebate, net of credit notes, minor units.

    Signed: invoices and credit notes of the supplier in the network. Imported: of the reader's own books, by the
    supplier's id or name.
    """
    sql = (
        f"SELECT unproven, SUM(net_minor), COUNT(*) FROM {{{ITEMS.name}}} WHERE customer = ? AND currency = ? "
        "AND issued_at >= ? AND issued_at < ? AND item_kind IN ('invoice', 'credit_note') AND supplier IN (?, ?) "
        "GROUP BY unproven"
    )
    values = (view.party, terms.currency, terms.from_at, terms.until_at, terms.supplier, f"~{terms.supplier}")
    found = {row[0]: row[1:] for row in view.sql(sql, values, tables=(ITEMS,))}
    signed, imported = found.get(0, (0, 0)), found.get(1, (0, 0))
    return max(0, signed[0]), max(0, imported[0]), signed[1] + imported[1]


def report(view: View, rebate: str) -> ReportPurchases | None:
    """The reader's report to its manager, ready to sign; None where it is no member, or has no relationship."""
    terms = _rebate(view, rebate)
    group = view.get(GROUP_TERMS, terms.circle, terms.group_id) if terms else None
    circle = relationship_with(view, group.manager) if group else ""
    if terms is None or not circle:
        return None
    signed, imported, documents = purchases(view, terms)
    return ReportPurchases(
        circle=circle,
        rebate=rebate,
        currency=terms.currency,
        signed_minor=signed,
        imported_minor=imported,
        documents=documents,
    )


class NearTier(Struct, frozen=True):
    """What an order would do to a rebate. All minor units.

    total: told by the manager, and what the reader has bought beyond its report, and the order. missing: to the next
    tier after it. gain: what the group earns more by reaching it, as things stand. my_gain: the reader's part by its
    spend. reached_now: the order itself reaches a tier that was not reached before.
    """

    rebate: str
    supplier: str
    total_minor: int
    next_tier_minor: int
    missing_minor: int
    gain_minor: int
    my_gain_minor: int
    reached_now: bool


def near_tier(
    view: View, supplier: str, currency: str, more_minor: int = 0, within_ppm: int = 100_000
) -> list[NearTier]:
    """At order time: rebates of this supplier whose next tier is within reach, or which the order reaches.

    Args:
        more_minor: the order's net. within_ppm: alert where less than this part of the tier's threshold is missing.
    """
    where = "supplier = ? AND currency = ? AND from_at <= ? AND until_at > ?"
    out = []
    for terms in view.rows(REBATES, where, (supplier, currency, view.now, view.now)):
        signed, imported, _ = purchases(view, terms)
        told = [row.spend_minor for row in view.rows(REPORTS, "rebate = ? AND party = ?", (terms.rebate, view.party))]
        before = terms.told_minor + max(0, signed + imported - sum(told))
        total = before + more_minor
        reaches = any(before < tier.start <= total for tier in terms.tiers)
        above = next((tier.start for tier in terms.tiers if tier.start > total), 0)
        near = above and (above - total) * 1_000_000 < above * within_ppm
        if not near and not reaches:
            continue
        aim = above if near else total
        gain = earned(terms.scheme, terms.tiers, aim) - earned(terms.scheme, terms.tiers, before)
        mine = signed + imported + more_minor
        out.append(
            NearTier(
                terms.rebate,
                supplier,
                total,
                above,
                max(0, above - total),
                gain,
                gain * mine // aim if aim else 0,
                reaches,
            )
        )
    return out


def telling_rebate(view: View, rebate: str) -> TellRebate | None:
    """The manager's word on what was bought under a rebate."""
    terms, home = _rebate(view, rebate), view.get(REBATES_AT_HOME, view.home, rebate)
    if terms is None or home is None:
        return None
    return TellRebate(circle=terms.circle, rebate=rebate, total_minor=home.total_minor, members=home.members)


def shares(view: View, rebate: str) -> dict[str, int]:
    """The manager's own: each member's share of what is earned, to the cent; empty for others."""
    home = view.get(REBATES_AT_HOME, view.home, rebate)
    if home is None:
        return {}
    words = view.rows(REPORTS_AT_HOME, "circle = ? AND rebate = ?", (view.home, rebate))
    return split(earned(home.scheme, home.tiers, home.total_minor), {word.party: word.spend_minor for word in words})


def statements_to_sign(view: View, rebate: str, *, charges_ppm: int = 0, due_at: int = 0) -> list[IssueStatement]:
    """The manager's statements, one a member, ready to sign. charges_ppm: of each share, rounded down."""
    home = view.get(REBATES_AT_HOME, view.home, rebate)
    if home is None:
        return []
    found = shares(view, rebate)
    words = view.rows(REPORTS_AT_HOME, "circle = ? AND rebate = ?", (view.home, rebate))
    return [
        IssueStatement(
            circle=word.relationship,
            statement=f"{rebate}/{n}",
            rebate=rebate,
            currency=home.currency,
            scheme=home.scheme,
            tiers=[RateTier(from_minor=tier.start, ppm=tier.value) for tier in home.tiers],
            spend_minor=word.spend_minor,
            total_minor=home.total_minor,
            earned_minor=earned(home.scheme, home.tiers, home.total_minor),
            share_minor=found[word.party],
            charges_minor=found[word.party] * charges_ppm // 1_000_000,
            due_at=due_at,
        )
        for n, word in enumerate(words, 1)
    ]


def statements(view: View) -> list[MemberStatement]:
    """Statements of the reader's relationships, newest first."""
    return view.rows(MEMBER_STATEMENTS, order="at DESC, circle, statement")


# -- the auditor --


class Audit(Struct, frozen=True):
    """One figure that a manager has told, beside what its members' signed words come to. `what`: round or rebate."""

    what: str
    name: str
    told: int
    recomputed: int
    members: int

    @property
    def holds(self) -> bool:
        return self.told == self.recomputed


def audit(view: View) -> list[Audit]:
    """What an auditor with the manager's rights recomputes: from each relationship's rows, not from the home's sums.

    A round that is closed counts what its price lets members take. Figures not yet told are left out.
    """
    out = []
    for row in view.rows(ROUNDS_AT_HOME, "circle = ?", (view.home,)):
        found = view.rows(ROUND_TERMS, "round = ?", (row.round,), limit=1)
        words = view.rows(COMMITMENTS, "round = ? AND party <> ?", (row.round, view.party))
        if found and found[0].told_at:
            public = view.get(ROUNDS, row.round)
            closed = public is not None and public.state == "closed"
            asked = [(word.each, word.price_max_minor if closed else 0) for word in words]
            total = outcome(found[0].tiers, asked)[0] if closed else sum(each for each, _ in asked)
            out.append(Audit("round", row.round, found[0].told_each, total, len(words)))
    for home in view.rows(REBATES_AT_HOME, "circle = ?", (view.home,)):
        terms = _rebate(view, home.rebate)
        told: list[Report] = view.rows(REPORTS, "rebate = ? AND party <> ?", (home.rebate, view.party))
        total = sum(word.spend_minor for word in told if word.currency == home.currency)
        if terms and terms.told_at:
            out.append(Audit("rebate", home.rebate, terms.told_minor, total, len(told)))
    return out


# -- group lots --


def lots_with_members(view: View, *, limit: int = 500) -> list[Held]:
    """The manager's goods in members' custody, by custodian, item and lot."""
    return held_elsewhere(view, limit=limit)


def lots_kept_for_group(view: View, manager: str, *, limit: int = 500) -> list[StockRow]:
    """A member's stock that is the manager's."""
    return [row for row in kept_for_others(view, limit=limit) if row.owner == manager]
