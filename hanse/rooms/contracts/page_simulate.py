"""The simulator: sliders for a template's parameters on the firm's own history, before anybody signs anything."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from litestar import Request, get
from msgspec import Struct

from hanse.kernel.refusal import Refused
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.contracts.page_params import PREFIX, ParamField, bound, fields, in_order, typed_of, typed_params
from hanse.rooms.contracts.page_parts import CRUMBS, TABS, needed_template, template_choices
from hanse.rooms.contracts.page_simulating import DELIVERIES_MAX, Job, Outcome, simulated
from hanse.rooms.contracts.private_rows import PROPOSALS, VERSIONS, Content
from hanse.rooms.contracts.proposals import plan_in
from hanse.rooms.contracts.queries import agreement_page
from hanse.rooms.contracts.terms import Template
from hanse.rooms.contracts.terms.kinds import DURATION, MONEY, QTY, RATE, Kind
from hanse.rooms.parties.queries import circles, party_name
from hanse.site.desks import desk
from hanse.site.menu import TRADE
from hanse.site.pages_forms import DAY, Given, Where, shown
from hanse.site.pages_market import called
from hanse.site.places import Places
from hanse.web import Link, Money, Read, Reader, Refusal, needs_role, not_here, page
from hanse.web.charts import Chart, Series, bars
from hanse.web.formats import DECIMALS

DEFAULT = "late-delivery"
SPANS = (("0", "all of it"), ("365", "the last year"), ("90", "the last 90 days"))
PARTNERS_SHOWN = 100


class Slider(Struct, frozen=True):
    """A parameter's slider, in the unit in which it is typed."""

    field: ParamField
    low: str
    high: str
    step: str


class Basis(Struct, frozen=True):
    """What a simulation begins from. typed: parameters as they stand at first; query: what names it in addresses."""

    template: Template
    typed: dict[str, str]
    query: dict[str, str]
    title: str
    partner: str = ""


def _basis(view: View, given: Given) -> Basis:
    """An agreement, a proposal or a template. Raises: 404 for what the reader has not."""
    for kind in ("agreement", "proposal"):
        name = given.text(kind)
        if name:
            content = _content(view, kind, *name.partition("/")[::2])
            plan = plan_in(view, content)
            if plan is None:
                raise not_here()
            others = [party for _, party in content.roles if party != view.party]
            template = plan.terms.template
            return Basis(template, typed_params(plan.terms), {kind: name}, f"{kind} {name.partition('/')[2]}",
                         others[0] if len(others) == 1 else "")  # fmt: skip
    which = given.text("template") or DEFAULT
    template = needed_template(view, which)
    return Basis(template, _first_values(template), {"template": which}, "this template")


def _content(view: View, kind: str, circle: str, name: str) -> Content:
    if kind == "proposal":
        proposal = view.get(PROPOSALS, circle, name)
        if proposal is None:
            raise not_here()
        return proposal.content
    shown_page = agreement_page(view, circle, name, results=1) if name else None
    version = view.get(VERSIONS, circle, name, shown_page.card.version) if shown_page else None
    if version is None:
        raise not_here()
    return version.content


def _first_values(template: Template) -> dict[str, str]:
    """Parameters to begin with: those of the template's first worked example, its first words else."""
    first = {param.name: param.kind.values[0] for param in template.document.params if param.kind.base == "enum"}
    for param in template.document.params:
        if param.default is not None and param.kind.base == "enum":
            first.pop(param.name)
    examples = template.document.examples
    return typed_params(template.bind({**first, **(examples[0].params if examples else {})}))


def slider_of(kind: Kind, field: ParamField, anchor: str, decimals: int) -> Slider | None:
    """A slider for a number whose value is typed plainly; its ends depend on the value at first, so that they rest.

    >>> from hanse.rooms.contracts.terms.kinds import RATE
    >>> found = slider_of(RATE, ParamField("rate", "Rate", "text", "2.5", "%", ""), "2.5", 2)
    >>> (found.low, found.high, found.step)
    ('0', '10', '0.1')
    """
    scales = {RATE.dim: 10_000, DURATION.dim: DAY, MONEY.dim: 10**decimals, QTY.dim: 1, (0, 0, 0, 0): 1}
    if kind.base != "number" or kind.dim not in scales:
        return None
    try:
        first, now = Decimal(anchor or "0"), Decimal(field.value or "0")
    except InvalidOperation:
        return None
    if not (first.is_finite() and now.is_finite()):
        return None
    scale = scales[kind.dim]
    least = 10 if kind.dim in (RATE.dim, QTY.dim, (0, 0, 0, 0)) else 30
    low = max(Decimal(kind.low) / scale, Decimal(0))
    high = min(Decimal(kind.high) / scale, max(first * 4, Decimal(least)))
    step = Decimal("0.1") if kind.dim == RATE.dim else Decimal(1)
    if kind.dim == MONEY.dim and high <= 100:
        step = Decimal("0.01")
    if not low <= now <= high or low >= high or (now - low) % step:
        return None
    return Slider(field, _plain(low), _plain(high), str(step))


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


@get("/contracts/simulate", sync_to_thread=True)
def simulator(request: Request[Any, Any, Any], session: Reader, read: Read, places: Where) -> Any:
    """Parameters on the left, what they would have given on the right, from the firm's own deliveries."""
    needs_role(session, *TRADE)
    return _page(desk(read, session), places, Given(dict(request.query_params)))


def _page(found: Desk, places: Places, given: Given) -> Any:
    view = found.view
    basis = _basis(view, given)
    typed_values = {**basis.typed, **typed_of(given.data)}
    partner = given.text("partner") if "partner" in given.data else basis.partner
    status, refusal, job, terms = 200, None, None, None
    try:
        span = given.choice("days", "Time", [key for key, _ in SPANS]) if given.text("days") else "0"
        terms = bound(basis.template, typed_values)
        since = (view.now // DAY - int(span)) * DAY if span != "0" else 0
        job = simulated(found.node, found.who.party, terms, partner=partner, since=max(0, since))
    except (Refused, Refusal) as error:
        status, refusal = shown(error)
    kinds = {param.name: param.kind for param in in_order(basis.template)}
    drawn = fields(basis.template, typed_values)
    decimals = DECIMALS.get(typed_values.get("currency", ""), 2)
    sliders = [(field, slider_of(kinds[field.name], field, basis.typed.get(field.name, ""), decimals))
               for field in drawn]  # fmt: skip
    outcome = job.outcome if job else None
    address = "/contracts/simulate?" + urlencode({**basis.query, "partner": partner, "days": given.text("days") or "0",
                                                  **{PREFIX + k: v for k, v in typed_values.items()}})  # fmt: skip
    return page(
        "contracts/simulate.html", title=f"Simulator: {basis.template.document.title}", crumbs=CRUMBS, tabs=TABS,
        at="/contracts/simulate", status=status, refusal=refusal, basis=basis, sliders=sliders, prefix=PREFIX,
        templates=[(which, f"{title} {version}") for which, title, version, _ in template_choices(view)],
        which=basis.query.get("template", ""), partner=partner, partners=_partners(view), spans=SPANS,
        days=given.text("days") or "0", job=job, o=outcome, address=address, prose=terms.prose() if terms else (),
        chart=_chart(outcome) if outcome and outcome.months else None, deliveries_max=DELIVERIES_MAX,
        roles=basis.template.roles, partner_rows=_partner_rows(view, outcome), runs=_runs(view, outcome, places),
        propose=_propose(found, basis, typed_values), over="#simulated," + ",".join(
            f"#v-{field.name}" for field, slider in sliders if slider), working=_working(job),
    )  # fmt: skip


def _working(job: Job | None) -> bool:
    return job is not None and job.state == "working"


def _partners(view: View) -> list[tuple[str, str]]:
    """Everybody with whom the reader has a relationship."""
    names = {member.party: member.name for card in circles(view, "relationship") for member in card.members
             if member.party and member.party != view.party}  # fmt: skip
    return [("", "all partners"), *sorted(names.items(), key=lambda pair: pair[1])]


def _partner_rows(view: View, outcome: Outcome | None) -> list[list[Any]]:
    if outcome is None:
        return []
    return [[party_name(view, one.partner) or "–", one.results, Money(one.total_minor, outcome.currency), one.unproven]
            for one in outcome.partners[:PARTNERS_SHOWN]]  # fmt: skip


def _runs(view: View, outcome: Outcome | None, places: Places) -> list[list[Any]]:
    if outcome is None:
        return []
    return [
        [Link(called(view, run.order) + (f", line {run.line}" if run.line else ""), places.of("order", run.order)),
         party_name(view, run.partner), run.at, run.label.replace("_", " "), Money(run.amount_minor, outcome.currency),
         run.entry]
        for run in outcome.runs
    ]  # fmt: skip


def _chart(outcome: Outcome) -> Chart:
    scale = 10 ** DECIMALS.get(outcome.currency, 2)
    values = [minor / scale for _, minor in outcome.months]
    return bars("Owed by month", [month for month, _ in outcome.months], [Series("Owed", values)],
                unit=outcome.currency or "EUR", note="By the month of arrival.")  # fmt: skip


def _propose(found: Desk, basis: Basis, typed_values: dict[str, str]) -> str:
    """Where these parameters can be proposed: as an amendment of the agreement, or anew."""
    if not found.may("contracts.propose"):
        return ""
    params = {PREFIX + name: text for name, text in typed_values.items()}
    kind, name = next(iter(basis.query.items()))
    names = {"template": {"template": name}}
    for word, key in (("agreement", "amends"), ("proposal", "counters")):
        circle, _, number = name.partition("/")
        names[word] = {"circle": circle, key: number}
    return "/contracts/new?" + urlencode({**names[kind], **params})


PAGES: list[Any] = [simulator]
