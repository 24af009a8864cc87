"""Proposing: from a template to a proposal, a counter-proposal or an amendment, by a form drawn from its parameters."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import yaml
from litestar import Request, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Response
from litestar.response import Template as Page
from msgspec import Struct

from hanse.kernel.facts import Fact
from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.contracts.facts import TEMPLATE_CHARS_MAX, Amend, CounterPropose, Propose, RegisterTemplate
from hanse.rooms.contracts.page_params import PREFIX, bound, fields, typed_of, typed_params
from hanse.rooms.contracts.page_parts import (
    CRUMBS,
    TABS,
    address,
    circle_words,
    find_template,
    needed_template,
    read_template,
    summary_of,
    template_choices,
)
from hanse.rooms.contracts.private_rows import AGREEMENTS, PROPOSALS, VERSIONS, Content
from hanse.rooms.contracts.proposals import plan_in
from hanse.rooms.contracts.rows import TEMPLATES
from hanse.rooms.contracts.terms import Template
from hanse.rooms.contracts.terms.template import plain
from hanse.rooms.parties.facts import PARTIES
from hanse.rooms.parties.queries import circle_card, circles
from hanse.site.desks import desk
from hanse.site.menu import TRADE
from hanse.site.pages_forms import DAY, Fields, Given, attempt
from hanse.web import Read, Reader, Refusal, go, needs_role, not_here, page

PARTIES_SHOWN = 200
FILE_BYTES_MAX = 200_000
UNDECIDED = (("stands", "the result stands as the clause gave it"), ("void", "the result falls away"))
DAYS_DEFAULT = {"answer": 30, "objection": 14, "dispute": 14, "notice": 0}


class Start(Struct, frozen=True):
    """What a form begins from: a proposal that is countered, a version that is amended, or nothing.

    kind: "", "counter" or "amend". number: of the proposal countered or the agreement amended.
    """

    template: Template
    kind: str = ""
    circle: str = ""
    number: str = ""
    agreement: str = ""
    content: Content | None = None


def _start(view: View, given: Given) -> Start:
    """What an address or a form names. Raises: 404 for what the reader has not."""
    circle, counters, amends = given.text("circle"), given.text("counters"), given.text("amends")
    if counters:
        proposal = view.get(PROPOSALS, circle, counters)
        if proposal is None:
            raise not_here()
        template = needed_template(view, proposal.content.template)
        return Start(template, "counter", circle, counters, proposal.agreement, proposal.content)
    if amends:
        agreement = view.get(AGREEMENTS, circle, amends)
        version = view.get(VERSIONS, circle, amends, agreement.versions[-1][0]) if agreement else None
        if version is None:
            raise not_here()
        which = given.text("template") or version.content.template
        return Start(needed_template(view, which), "amend", circle, amends, amends, version.content)
    return Start(needed_template(view, given.text("template", required=True)))


@get("/contracts/new", sync_to_thread=True)
def new(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """The templates; with one of them named, its form."""
    needs_role(session, *TRADE)
    found, given = desk(read, session), Given(dict(request.query_params))
    if not any(given.text(name) for name in ("template", "counters", "amends")):
        return _choose(found)
    start = _start(found.view, given)
    return _form(found, start, _prefilled(found.view, start, given.data))


def _choose(found: Desk, *, status: int = 200, refusal: Any = None, text: str = "") -> Page:
    rows = []
    for which, title, version, whose in template_choices(found.view):
        template = needed_template(found.view, which)
        rows.append((which, title, version, whose, summary_of(template), ", ".join(template.roles)))
    return page(
        "contracts/templates.html", title="Propose a contract", crumbs=CRUMBS, tabs=TABS, at="/contracts/new",
        status=status, refusal=refusal, text=text, rows=rows, may=found.may(RegisterTemplate),
        may_propose=found.may(Propose),
    )  # fmt: skip


def _prefilled(view: View, start: Start, data: dict[str, Any]) -> dict[str, Any]:
    """The form's fields as they stand at first: what the address gives, else the terms that it begins from."""
    shown: dict[str, Any] = {}
    content = start.content
    if content is not None:
        plan = plan_in(view, content)
        if plan is not None:
            shown |= {PREFIX + name: text for name, text in typed_params(plan.terms).items()}
        shown |= {f"role.{role}": party for role, party in content.roles}
        shown |= {f"other.{name}": party for name, party in content.others}
        shown |= {
            "arbiter": content.arbiter, "scope": ", ".join(content.scope), "undecided": content.undecided,
            "note": content.note, "objection": str(content.objection_seconds // DAY),
            "dispute": str(content.dispute_seconds // DAY), "notice": str(content.notice_seconds // DAY),
            "from_day": _day(content.from_at), "until_day": _day(content.until_at),
        }  # fmt: skip
        if start.kind == "amend":
            shown["from_day"] = ""
    return {**shown, **data}


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat() if at else ""


def circle_choices(view: View) -> list[tuple[str, str]]:
    """(circle, who is in it): relationships first, then groups, then the own books for partners outside."""
    order = {"relationship": 0, "group": 1, "home": 3}
    cards = sorted(circles(view), key=lambda card: (order.get(card.purpose, 2), circle_words(view, card.circle)))
    return [(card.circle, circle_words(view, card.circle)) for card in cards]


def _party_choices(view: View, circle: str) -> list[tuple[str, str]]:
    """Parties of a circle, of all circles of the reader where none is named yet."""
    found: dict[str, str] = {}
    for card in [circle_card(view, circle)] if circle else circles(view):
        for member in card.members if card is not None else ():
            if member.party:
                found[member.party] = member.name
    mine = found.pop(view.party, view.party)
    return [(view.party, f"{mine} (you)"), *sorted(found.items(), key=lambda pair: pair[1])]


def other_names(template: Template) -> tuple[list[str], set[str]]:
    """(names under `attest` that are no roles, those of them that must be named)."""
    names: dict[str, None] = {}
    must = set()
    for clause in template.clauses:
        for fact in clause.facts:
            if fact.implicit:
                continue
            for name in (*fact.attest.all_of, *fact.attest.any_of):
                if name not in template.roles and name not in ("arbiter", "receiver"):
                    names[name] = None
                    if name in fact.attest.all_of and not fact.exists and fact.default is None:
                        must.add(name)
    return list(names), must


def _form(found: Desk, start: Start, data: dict[str, Any], *, status: int = 200, refusal: Any = None) -> Page:
    view, template = found.view, start.template
    titles = {"": "Propose: ", "counter": "Answer by other terms: ", "amend": "Amend: "}
    others, must = other_names(template)
    everybody = [(row.party, row.name) for row in view.rows(PARTIES, limit=PARTIES_SHOWN)]
    crumbs: tuple[tuple[str, str], ...] = (*CRUMBS, ("Propose", "/contracts/new"))
    if start.kind:
        kind = "p" if start.kind == "counter" else "a"
        crumbs = (*CRUMBS, (start.agreement, address(kind, start.circle, start.number)))
    choices = circle_choices(view)
    circle = start.circle or str(data.get("circle", "") or (choices[0][0] if choices else ""))
    return page(
        "contracts/propose.html", title=titles[start.kind] + template.document.title, crumbs=crumbs, status=status,
        start=start, which=_which(view, template), fields=fields(template, typed_of(data)),
        sentences=[clause.spec.text for clause in template.clauses], summary=summary_of(template), circles=choices,
        circle=circle, roles=template.roles, parties=_party_choices(view, start.circle), everybody=everybody,
        others=[(name, name in must) for name in others], undecided=UNDECIDED, days=DAYS_DEFAULT, given=data,
        refusal=refusal, may=found.may(Propose), prefix=PREFIX,
    )  # fmt: skip


def _which(view: View, template: Template) -> str:
    return template.sha256 if find_template(view, template.sha256) else template.name


def _roles(view: View, template: Template, form: Given, circle: str) -> dict[str, str]:
    """Role -> party. In the own books the partner stands in words; with two roles the second follows from the circle.

    Refuses: form.missing, form.choice.
    """
    card = circle_card(view, circle)
    if card is None:
        raise Refusal("form.choice", "With: choose one of the list.", got=circle)
    roles = template.roles
    if len(roles) == 2:
        mine = form.choice("role", "Your role", roles)
        other = next(role for role in roles if role != mine)
        others = [member.party for member in card.members if member.party != view.party]
        partner = form.text("partner", "Partner")
        if card.purpose == "home":
            partner = form.text("partner", "The partner's name", required=True, most=80)
        elif len(others) == 1:
            partner = others[0]
        elif not partner:
            raise Refusal("form.missing", "Partner is missing.", next="Say who of the group has the other role.")
        return {mine: view.party, other: partner}
    return {role: form.text(f"role.{role}", role, required=True, most=80) for role in roles}


def _proposal(found: Desk, start: Start, form: Given) -> Propose:
    """The fact that a form asks for. Refuses: form.*; terms.*."""
    view, template, now = found.view, start.template, int(found.node.clock())
    circle = start.circle or form.choice("circle", "With", view.circles)
    terms = bound(template, typed_of(form.data))
    roles = dict(start.content.roles) if start.content else _roles(view, template, form, circle)
    names, _ = other_names(template)
    others = {name: text for name in names if (text := form.text(f"other.{name}", name, most=80))}
    kinds: dict[str, type[Propose]] = {"": Propose, "counter": CounterPropose, "amend": Amend}
    more: dict[str, Any] = {"counters": start.number} if start.kind == "counter" else {}
    scope = [part.strip() for part in form.text("scope", "Goods", most=8_000).split(",") if part.strip()]
    return kinds[start.kind](
        circle=circle,
        agreement=start.agreement or form.text("agreement", "Number", most=80) or found.node.wallet.new_id("c"),
        proposal=found.node.wallet.new_id("p"),
        template=template.sha256,
        params={name: plain(value) for name, value in terms.params.items()},
        roles=roles,
        others=others,
        arbiter=form.text("arbiter", "Arbiter", most=80),
        scope=scope or ["*"],
        from_at=_day_start(form, "from_day", "From"),
        until_at=form.day_end("until_day", "Until") if form.text("until_day") else 0,
        answer_by=now + DAY * form.whole("answer", "Days to answer", low=1, high=366, default=30),
        objection_seconds=DAY * form.whole("objection", "Days to object", high=366, default=14),
        dispute_seconds=DAY * form.whole("dispute", "Days to answer a dispute", high=366, default=14),
        notice_seconds=DAY * form.whole("notice", "Days of notice", high=366, default=0),
        undecided=form.choice("undecided", "Undecided disputes", [key for key, _ in UNDECIDED]),
        note=form.text("note", "Note", most=8_000),
        **more,
    )


def _day_start(form: Given, name: str, label: str) -> int:
    return form.day_end(name, label) - DAY + 1 if form.text(name) else 0


@post("/contracts/new", sync_to_thread=True)
def propose(session: Reader, read: Read, data: Fields) -> Any:
    """Propose, counter or amend; a template of the library that nobody has registered yet is registered first."""
    needs_role(session, *TRADE)
    found = desk(read, session)
    start = _start(found.view, Given(data))

    def act() -> Any:
        fact = _proposal(found, start, Given(data))
        found.check(fact)
        if found.view.get(TEMPLATES, start.template.sha256) is None:
            found.do(_registration(start.template))
        found.do(fact)
        if found.view.get(AGREEMENTS, fact.circle, fact.agreement) is not None and not start.kind:
            return go(address("a", fact.circle, fact.agreement), notice="In force in your own books.")
        return go(address("p", fact.circle, fact.proposal), notice="Proposed.")

    return attempt(act, lambda status, refusal: _form(found, start, data, status=status, refusal=refusal))


def _registration(template: Template) -> Fact:
    return RegisterTemplate(sha256=template.sha256, text=template.canonical.decode())


@post("/contracts/template", media_type="text/html")
async def register(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """Check and register a template of one's own, from a file or as typed. Refuses: desk.not_permitted; terms.*."""
    from anyio.to_thread import run_sync

    needs_role(session, *TRADE)
    given = await request.form()
    text, upload = str(given.get("text") or ""), given.get("file")
    data = await upload.read(FILE_BYTES_MAX + 1) if isinstance(upload, UploadFile) and upload.filename else b""
    return await run_sync(_register, desk(read, session), text, data)


def _register(found: Desk, text: str, data: bytes) -> Any:
    def act() -> Any:
        body = text
        if data:
            try:
                body = data.decode("utf-8")
            except UnicodeDecodeError:
                raise Refusal("form.file", "The file is no text.", expected="a template in YAML, UTF-8") from None
        if not body.strip():
            raise Refusal("form.missing", "Template is missing.", next="Choose a file, or type it.")
        if len(body) > TEMPLATE_CHARS_MAX:
            expected = f"at most {TEMPLATE_CHARS_MAX} characters"
            raise Refusal("form.long", "The template is too long.", got=len(body), expected=expected)
        template = read_template(body)
        if found.view.get(TEMPLATES, template.sha256) is None:
            found.do(_registration(template))
        return go(f"/contracts/new?template={template.sha256}", notice="Checked: its examples come out. Registered.")

    return attempt(act, lambda status, refusal: _choose(found, status=status, refusal=refusal, text=text))


def yaml_of(template: Template) -> str:
    """A template as YAML that registers under the same hash: to read, or to begin one's own from."""
    return yaml.safe_dump(json.loads(template.canonical), sort_keys=False, allow_unicode=True, width=110)


@get("/contracts/template/{which:str}", sync_to_thread=True)
def template_file(session: Reader, read: Read, which: FromPath[str]) -> Response[str]:
    """A template's text as a file. Templates are public."""
    needs_role(session, *TRADE)
    template = needed_template(read.view(session.party), which)
    headers = {"Content-Disposition": f'attachment; filename="{template.name}-{template.version}.yaml"'}
    return Response(yaml_of(template), media_type="application/yaml", headers=headers)


PAGES: list[Any] = [new, propose, register, template_file]
