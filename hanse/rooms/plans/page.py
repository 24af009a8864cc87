"""Plans: what serves the open lines, how good that is at most, what is scarce; and the pages beside it."""

from __future__ import annotations

from textwrap import shorten
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node import planning_jobs, planning_orders, planning_run
from hanse.node.desk import Desk
from hanse.rooms.inventory.offer_queries import own_number_sources
from hanse.rooms.plans import page_replenish, page_shelves, page_studies
from hanse.rooms.plans.facts import Attest, OpenWindow, WithdrawPlan
from hanse.rooms.plans.page_words import (
    STAGES,
    cost_rows,
    done_rows,
    gap_words,
    lines_words,
    next_words,
    reference_link,
)
from hanse.rooms.plans.private_rows import Question
from hanse.rooms.plans.queries import OWN, PlanLineRow, PlanPage, Served, plan_page, planning_circles, plans
from hanse.rooms.plans.rows import FILLING, PLANS, STANDING, WON
from hanse.site.desks import desk
from hanse.site.menu import BUYING, TRADE, Entry
from hanse.site.pages_forms import Fields, Given, Where, attempt, exported, table_view
from hanse.site.places import Places
from hanse.web import Badge, Column, Link, Money, Read, Reader, Session, Table, go, needs_role, not_here, page
from hanse.web.refusals import members_of

SECONDS_MAX = 300
SCARCE_SHOWN = 20
NO_PLAN = "No plan yet. Start one: it finds the best source for every open line and proves how good it is."
TABS = page_shelves.TABS
STATES = {"filling": "arriving", "standing": "open", "withdrawn": "taken back", "won": "won", "lost": "not chosen"}
PLANS_TABLE = Table(
    "plans",
    (
        Column("circle", "For", "link", sortable=True, wide=True),
        Column("planner", "By", sortable=True),
        Column("plan", "Plan", shown=False),
        Column("state", "State", "badge"),
        Column("lines", "Lines", "number", sortable=True),
        Column("cost", "Cost", "money", sortable=True),
        Column("gap", "At most above the best", "number", unit="%", sortable=True),
        Column("attested", "Attested"),
        Column("proposed_at", "Proposed", "time", sortable=True),
        Column("position", "Entry", "proof"),
    ),
    sort="-proposed_at",
    search="Plan, group or planner",
)
LINES_TABLE = Table(
    "lines",
    (
        Column("item", "Item", "link", sortable=True, wide=True),
        Column("reference", "For", "link", sortable=True),
        Column("line", "Line", "number", sortable=True, shown=False),
        Column("each", "Asked", "quantity", sortable=True),
        Column("sources", "Served from"),
        Column("cost", "Cost", "money", sortable=True),
        Column("short", "Unserved", "quantity", sortable=True),
        Column("next", "Next best source"),
        Column("extra", "It would cost more", "money", sortable=True, shown=False),
    ),
    sort="line",
    search="Item, order or source",
    prefix="l.",
)


def _badge(row: PlanLineRow) -> Badge:
    if row.state == WON or (row.best and row.state == STANDING):
        return Badge("best so far" if row.state == STANDING else "won", "good")
    return Badge(STATES[row.state], "warn" if row.refused else "quiet")


def _listed(row: PlanLineRow) -> dict[str, Any]:
    bad = f", {row.bad} not" if row.bad else ""
    return {
        "circle": Link(row.circle_name, f"/plans/p/{row.plan}"), "planner": row.planner_name, "plan": row.plan,
        "state": _badge(row), "lines": row.lines, "cost": Money(row.cost_minor, row.currency),
        "gap": round(row.gap_ppm / 10_000, 3), "attested": f"by {row.good or 'nobody'}{bad}",
        "proposed_at": row.proposed_at, "position": row.position,
    }  # fmt: skip


@get("/plans", sync_to_thread=True)
def plans_page(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Every plan of the firm's own orders and of its groups."""
    needs_role(session, *TRADE)
    return _plans(request, desk(read, session))


def _plans(
    request: Request[Any, Any, Any], found: Desk, *, status: int = 200, refusal: Any = None,
    given: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    view = found.view
    rows = [_listed(row) for row in plans(view)]
    if (file := exported(request, (PLANS_TABLE, rows))) is not None:
        return file
    return page(
        "plans/plans.html", title="Plans", status=status, tabs=TABS, at="/plans",
        listing=table_view(request, PLANS_TABLE, rows, NO_PLAN),
        circles=[(circle, name[:1].upper() + name[1:]) for circle, name in planning_circles(view)],
        may=found.may(OpenWindow), job=planning_jobs.job_of(found.node, found.who.party),
        waiting=_waiting(found), refusal=refusal, given=given or {},
    )  # fmt: skip


def _waiting(found: Desk) -> int:
    """Plans of others that nobody of this firm has attested: counted, not recomputed."""
    return sum(1 for row in plans(found.view) if row.state == STANDING and not row.mine and not (row.good or row.bad))


@post("/plans/run", sync_to_thread=True)
def run(request: Request[Any, Any, Any], session: Reader, read: Read, data: Fields) -> Any:
    """Begin to plan."""
    needs_role(session, *BUYING, "seller")
    found, form = desk(read, session), Given(data)

    def act() -> Any:
        circle = form.choice("circle", "Lines", [circle for circle, _ in planning_circles(found.view)])
        planning_jobs.start(found, circle, float(form.whole("seconds", "Seconds", low=1, high=SECONDS_MAX)))
        return go("/plans/running")

    return attempt(act, lambda status, refusal: _plans(request, found, status=status, refusal=refusal, given=data))


@get("/plans/running", sync_to_thread=True)
def running(session: Reader, read: Read) -> Any:
    """How far the firm's plan is; goes on to the plan once it is there."""
    needs_role(session, *TRADE)
    job = planning_jobs.job_of(read, session.party)
    if job is None:
        return go("/plans")
    refusal = members_of(Refused.of(job.refusal))[1] if job.refusal else None
    return page("plans/running.html", title="Planning", crumbs=(("Plans", "/plans"),), job=job, refusal=refusal,
                stage=STAGES.get(job.stage.stage, job.stage.stage) if job.stage else "")  # fmt: skip


@post("/plans/stop", sync_to_thread=True)
def stop(session: Reader, read: Read) -> Any:
    """End the search; the best plan so far is proposed."""
    needs_role(session, *BUYING, "seller")
    job = planning_jobs.job_of(read, session.party)
    if job is not None:
        job.stop.set()
    return go("/plans/running", notice="The search ends; the best plan so far is kept.")


# -- one plan ------------------------------------------------------------------------------------------------------


def _line(line: Served, currency: str, reference: Link, places: Places) -> dict[str, Any]:
    parts = [
        f"{p.each:,} from {p.place or p.source_name}" + (" (does not stand)" if p.refused else "") for p in line.parts
    ]
    other = line.next_best
    return {
        "line": line.line, "reference": reference,
        "item": Link(line.item_name, places.of("item", line.item)), "each": line.each,
        "sources": "; ".join(parts) or "nobody", "short": line.short_each,
        "cost": Money(sum(part.cost_minor for part in line.parts), currency) if line.parts else None,
        "next": next_words(line, currency),
        "extra": Money(other.extra_minor, currency) if other else None,
    }  # fmt: skip


def _other_costs(view: View, question: Question) -> list[str]:
    """Currencies, other than the plan's, of the cost of own stock that it may draw on: reckoned without a cost."""
    numbers = {one.source.removeprefix(OWN).partition("/")[0] for one in question.own_stock}
    if not numbers or question.circle != view.home:
        return []
    lots = [lot for number in sorted(numbers) for lot in own_number_sources(view, number)]
    known = {lot.currency for lot in lots if lot.unit_cost_minor}
    return sorted(known - {"", question.currency})


@get("/plans/p/{plan:str}", sync_to_thread=True)
def one_plan(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, plan: FromPath[str]) -> Any:
    """Cost, bound and gap; what is scarce; each line with its sources and the next best one."""
    needs_role(session, *TRADE)
    return _one(request, session, desk(read, session), places, plan)


def _one(
    request: Request[Any, Any, Any], session: Session, found: Desk, places: Places, plan: str, *, status: int = 200,
    refusal: Any = None, done: Any = (),
) -> Any:  # fmt: skip
    shown = plan_page(found.view, plan)
    if shown is None:
        raise not_here()
    currency = shown.question.currency
    view, circle = found.view, shown.row.circle
    links = {line.line: reference_link(view, circle, line.reference, places) for line in shown.served}
    rows = [_line(line, currency, links[line.line], places) for line in shown.served]
    if (file := exported(request, (LINES_TABLE, rows))) is not None:
        return file
    scarce = [
        [Link(one.item_name, places.of("item", one.item)), one.source_name, one.each,
         Money(one.price_minor, currency)]
        for one in shown.scarce[:SCARCE_SHOWN]
    ]  # fmt: skip
    attested = [
        [one.name, Badge("holds", "good") if one.good else Badge(f"does not hold: {shorten(one.faults, 120)}", "bad"),
         one.at, one.position]
        for one in shown.attested
    ]  # fmt: skip
    refused = [
        [line.item_name, links[line.line], part.place or part.source_name, part.each,
         "the offer ended" if part.refused == "ended" else "less is left"]
        for line in shown.served for part in line.parts if part.refused
    ]  # fmt: skip
    rivals = [
        [Link(r.planner_name, f"/plans/p/{r.plan}"), r.proposed_at, Money(r.cost_minor, currency),
         gap_words(r.gap_ppm), _badge(r)]
        for r in shown.rivals
    ]  # fmt: skip
    title = f"Plan for {lines_words(view, circle, shown.circle_name)}"
    return page(
        "plans/plan.html", title=title, crumbs=(("Plans", "/plans"),), status=status, p=shown, row=shown.row,
        currency=currency, scarce=scarce, attested=attested, refused=refused, rivals=rivals, refusal=refusal, done=done,
        gap=gap_words(shown.row.gap_ppm), made=cost_rows(shown), scarce_more=max(0, len(shown.scarce) - SCARCE_SHOWN),
        state=STATES[shown.row.state], refused_each=sum(one.each for one in shown.row.refused),
        other_costs=_other_costs(found.view, shown.question),
        may_plan=found.may(OpenWindow) and session.role != "viewer", **_may(found, shown),
        listing=table_view(request, LINES_TABLE, rows, "The question has no lines."),
    )  # fmt: skip


def _may(found: Desk, shown: PlanPage) -> dict[str, bool]:
    mine = any(one.plan == shown.row.plan and one.mine for one in plans(found.view, window=shown.row.window))
    name = found.who.party
    told = {one.name for one in shown.attested}
    from hanse.rooms.parties.queries import party_name

    live = shown.row.state == STANDING
    best = shown.row.state == WON or (live and shown.window.best == shown.row.plan)
    return {
        "may_attest": live and found.may(Attest) and (not mine or shown.row.circle == found.view.home)
        and party_name(found.view, name) not in told,
        "may_apply": best and found.may("orders.place"),
        "may_withdraw": mine and shown.row.state in (STANDING, FILLING) and found.may(WithdrawPlan),
        "best": best,
    }  # fmt: skip


@post("/plans/attest", sync_to_thread=True)
def attest(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Recompute the plan here and now, and sign what came out."""
    found, plan = desk(read, session), Given(data).text("plan", "Plan", required=True, most=80)

    def act() -> Any:
        checked = planning_run.attest(found, plan)
        words = "Recomputed: the plan holds." if checked.ok else "Recomputed: the plan does not hold."
        return go(f"/plans/p/{plan}", notice=words)

    return attempt(act, lambda status, refusal: _one(request, session, found, places, plan, status=status,
                                                     refusal=refusal))  # fmt: skip


@post("/plans/apply", sync_to_thread=True)
def apply(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Turn the plan into orders; what single orders were refused for is shown."""
    found, plan = desk(read, session), Given(data).text("plan", "Plan", required=True, most=80)

    def act() -> Any:
        done = planning_orders.apply(found, plan)
        circle = getattr(found.view.get(PLANS, plan), "circle", "")
        told = done_rows(found.view, circle, done, places)
        return _one(request, session, found, places, plan, done=told or ("nothing",))

    return attempt(act, lambda status, refusal: _one(request, session, found, places, plan, status=status,
                                                     refusal=refusal))  # fmt: skip


@post("/plans/withdraw", sync_to_thread=True)
def withdraw(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where, data: Fields) -> Any:
    """Take a plan of the firm's own back."""
    found, plan = desk(read, session), Given(data).text("plan", "Plan", required=True, most=80)

    def act() -> Any:
        shown = plan_page(found.view, plan)
        if shown is None:
            raise not_here()
        found.do(WithdrawPlan(circle=shown.row.circle, plan=plan))
        return go("/plans", notice="Taken back.")

    return attempt(act, lambda status, refusal: _one(request, session, found, places, plan, status=status,
                                                     refusal=refusal))  # fmt: skip


NAV = [Entry("Plans", "/plans", "Trade", TRADE), *page_replenish.NAV]
PAGES: list[Any] = [
    *(plans_page, run, running, stop, one_plan, attest, apply, withdraw),
    *(*page_shelves.PAGES, *page_replenish.PAGES, *page_studies.PAGES),
]
