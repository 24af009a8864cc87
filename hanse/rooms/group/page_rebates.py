"""Rebates of a group: tiers, what all bought, the reader's own report, and the statement of its share to the cent."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.response import Response

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.group.facts import RateTier, ReportPurchases, SetRebate
from hanse.rooms.group.page_words import CRUMBS, at_desk, frame, name_of, rate_picture, rate_tiers
from hanse.rooms.group.queries import (
    groups,
    near_tier,
    purchases,
    rebates,
    report,
    statements,
    statements_to_sign,
    telling_rebate,
)
from hanse.rooms.group.rows import REBATES_AT_HOME, REPORTS, MemberStatement, RebateTerms
from hanse.rooms.group.shares import earned
from hanse.rooms.group.telling import MEMBERS_MIN, may_tell
from hanse.site.pages_forms import DAY, Fields, Given, attempt, day_after
from hanse.web import Link, Money, Read, Reader, Refusal, go, page
from hanse.web.formats import money

STATEMENT_HEAD = [
    ("With", ""), ("Rebate", ""), ("Bought", "money"), ("Earned by all", ""), ("Share", "money"),
    ("Group keeps", "money"), ("Paid out", "money"), ("Due", "day"), ("Entry", "proof"),
]  # fmt: skip
TIER_FIELDS = 4
PAY_DAYS = 30


@get("/group/rebates", sync_to_thread=True)
def rebates_page(session: Reader, read: Read) -> Any:
    """The group's rebates and the reader's statements."""
    return _page(at_desk(read, session))


def _page(found: Desk, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None) -> Any:
    view = found.view
    managed = {card.terms.circle for card in groups(view) if card.i_manage}
    known = sorted(rebates(view), key=lambda row: (-row.until_at, row.rebate))
    return page(
        "group/rebates.html", title="Rebates", crumbs=CRUMBS, status=status, refusal=refusal, given=given or {},
        shown=[_shown(view, row, row.circle in managed) for row in known],
        statements=[_statement(view, row) for row in statements(view)], statement_head=STATEMENT_HEAD,
        may_report=found.may(ReportPurchases),
        may_manage=found.may(SetRebate), tier_fields=range(1, TIER_FIELDS + 1),
        since=day_after(view.now, -90), until=day_after(view.now, 90),
        to_open=[(card.group.group_id, card.terms.name) for card in groups(view) if card.i_manage],
        **frame(found, "/group/rebates"),
    )  # fmt: skip


def _shown(view: View, row: RebateTerms, manage: bool) -> dict[str, Any]:
    """A rebate as the group knows it, with the reader's own figures; the manager's with its sums."""
    mine = view.rows(REPORTS, "rebate = ? AND party = ?", (row.rebate, view.party), limit=1)
    stated = [one for one in statements(view) if one.rebate == row.rebate]
    signed, imported, documents = purchases(view, row) if not manage else (0, 0, 0)
    home = view.get(REBATES_AT_HOME, view.home, row.rebate)
    near = [
        one for one in near_tier(view, row.supplier, row.currency) if one.rebate == row.rebate and one.missing_minor
    ]
    above = next((tier for tier in row.tiers if tier.start > row.told_minor), None)
    return {
        "row": row, "supplier": name_of(view, row.supplier), "tiers": rate_tiers(row.tiers, row.currency),
        "picture": rate_picture(row.tiers, row.currency, row.told_minor, f"Rate by purchases: {row.rebate}"),
        "earned": earned(row.scheme, row.tiers, row.told_minor),
        "missing": above.start - row.told_minor if above else 0,
        "next_ppm": above.value if above else 0, "near": near[0] if near else None, "report": mine[0] if mine else None,
        "signed": signed, "imported": imported, "documents": documents, "manage": manage, "home": home,
        "tell": manage and may_tell(view, telling_rebate(view, row.rebate)), "members_min": MEMBERS_MIN,
        "stated": len(stated), "over": row.until_at <= view.now, "open": row.from_at <= view.now,
    }  # fmt: skip


def _statement(view: View, row: MemberStatement) -> list[Any]:
    other = row.manager if row.party == view.party else row.party
    return [
        Link(name_of(view, other), f"/accounts/d/{row.circle}/{row.item}"), row.rebate,
        Money(row.spend_minor, row.currency), f"{money(row.earned_minor, row.currency)} on "
        f"{money(row.total_minor, row.currency)}", Money(row.share_minor, row.currency),
        Money(row.charges_minor, row.currency), Money(row.payable_minor, row.currency), row.due_at, row.position,
    ]  # fmt: skip


def _named(found: Desk, given: Given) -> RebateTerms:
    """Refuses, in order: form.missing, group.unknown_rebate."""
    name = given.text("rebate", "Rebate", required=True, most=80)
    row = next((row for row in rebates(found.view) if row.rebate == name), None)
    if row is None:
        raise Refusal("group.unknown_rebate", "There is no such rebate in your groups.", got=name)
    return row


@post("/group/report", sync_to_thread=True)
def report_purchases(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """Report to the manager what this firm bought under a rebate, from its own books: a sum, no price."""
    given, found = Given(data), at_desk(read, session)

    def act() -> Response[Any]:
        fact = report(found.view, _named(found, given).rebate)
        if fact is None:
            raise Refusal(
                "group.no_relationship", "You trade in confidence with the manager first.",
                next="Open a relationship from the manager's page among the members.",
            )  # fmt: skip
        found.do(fact)
        return go("/group/rebates", notice="Reported: a sum, no document and no price.")

    return attempt(act, lambda status, refusal: _page(found, status, refusal, data))  # type: ignore[no-any-return]


@post("/group/tell-rebate", sync_to_thread=True)
def tell(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """The manager tells the group what all have reported."""
    given, found = Given(data), at_desk(read, session)

    def act() -> Response[Any]:
        fact = telling_rebate(found.view, _named(found, given).rebate)
        if fact is None:
            raise Refusal("group.not_manager", "The manager signs this.")
        found.do(fact)
        return go("/group/rebates", notice="Told.")

    return attempt(act, lambda status, refusal: _page(found, status, refusal, data))  # type: ignore[no-any-return]


@post("/group/statements", sync_to_thread=True)
def state_shares(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """The manager signs every member's statement; each becomes a credit in that relationship's books."""
    given, found = Given(data), at_desk(read, session)

    def act() -> Response[Any]:
        row = _named(found, given)
        charges = given.percent("charges", "The group keeps", low=0, default="0")
        if charges > 1_000_000:
            raise Refusal("form.range", "The group keeps at most all of it.", got=given.text("charges"))
        due = found.view.now + PAY_DAYS * DAY
        facts = statements_to_sign(found.view, row.rebate, charges_ppm=charges, due_at=due)
        if not facts:
            raise Refusal("group.no_report", "Nobody has reported to you under this rebate.", got=row.rebate)
        found.do_all(facts)
        return go("/group/rebates", notice=f"{len(facts)} statements signed.")

    return attempt(act, lambda status, refusal: _page(found, status, refusal, data))  # type: ignore[no-any-return]


@post("/group/rebates", sync_to_thread=True)
def set_rebate(session: Reader, read: Read, data: Fields) -> Response[Any]:
    """The manager states a supplier's rebate to the group."""
    given, found = Given(data), at_desk(read, session)

    def act() -> Response[Any]:
        managed = {card.group.group_id: card for card in groups(found.view) if card.i_manage}
        group = given.choice("group", "Group", list(managed))
        currency = given.currency(default=managed[group].terms.currency or "EUR")
        tiers = [
            RateTier(
                from_minor=given.minor(f"from{n}", f"Tier {n}, from", currency, default="0"),
                ppm=given.percent(f"rate{n}", f"Tier {n}, rate", low=0),
            )
            for n in range(1, TIER_FIELDS + 1)
            if n == 1 or given.text(f"rate{n}")
        ]
        fact = SetRebate(
            circle=managed[group].terms.circle,
            group=group,
            rebate=given.text("rebate", "Number", required=True, most=80),
            supplier=given.text("supplier", "Supplier", required=True, most=200),
            currency=currency,
            from_at=given.day_end("since", "From") - DAY + 1,
            until_at=given.day_end("until", "Until") + 1,
            scheme=given.choice("scheme", "Scheme", ("retroactive", "incremental")),
            tiers=tiers,
        )
        found.do(fact)
        return go("/group/rebates", notice="Stated. Members see it now.")

    return attempt(act, lambda status, refusal: _page(found, status, refusal, data))  # type: ignore[no-any-return]


PAGES: list[Any] = [rebates_page, report_purchases, tell, state_shares, set_rebate]
