"""A clause result explained step by step: what it read, who signed that, each step, the amount; and objecting to it."""

from __future__ import annotations

import json
import re
from typing import Any

from litestar import Request, get, post

from hanse.kernel.view import View
from hanse.node.desk import Desk
from hanse.rooms.contracts.facts import ConfirmResult, Dispute
from hanse.rooms.contracts.page_agreement import RUN_BADGES
from hanse.rooms.contracts.page_params import label_of
from hanse.rooms.contracts.page_parts import (
    AWARD_BADGES,
    CRUMBS,
    DISPUTE_BADGES,
    address,
    agreement_title,
    key_words,
    may,
    named,
)
from hanse.rooms.contracts.private_rows import AWARDS, PENDING, VERSIONS
from hanse.rooms.contracts.proposals import plan_in
from hanse.rooms.contracts.queries import FactShown, ResultPage, award_page, result_page
from hanse.rooms.contracts.terms import Terms, show
from hanse.rooms.parties.queries import party_name
from hanse.site.desks import desk
from hanse.site.menu import TRADE
from hanse.site.pages_forms import Accounts, Fields, Given, attempt, note_seen
from hanse.web import Link, Read, Reader, Refusal, Session, go, needs_role, not_here, page
from hanse.web.formats import decimal

EVIDENCE_MAX = 200
"""Entries that one form may name."""
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def explained(view: View, shown: ResultPage) -> list[dict[str, str]]:
    """Each step: name, rule, the rule with its values filled in, value, and how it was rounded."""
    version = view.get(VERSIONS, shown.result.circle, shown.result.agreement, shown.result.version)
    plan = plan_in(view, version.content) if version else None
    if plan is None:
        return []
    values = _values(plan.terms, shown)
    rows = []
    for step in shown.steps:
        rows.append({"name": label_of(step.name), "code": step.name, "rule": step.rule,
                     "filled": filled(step.rule, values), "value": step.value,
                     "rounding": _rounding(step.rule, plan.terms)})  # fmt: skip
        values[step.name] = step.value
    return rows


def _values(terms: Terms, shown: ResultPage) -> dict[str, str]:
    """What names stand for, as text: parameters, facts, folds."""
    values = {param.name: show(param.kind, terms.params[param.name], terms.currency, terms.decimals)
              for param in terms.template.document.params}  # fmt: skip
    values |= {fact.name: fact.value for fact in shown.facts}
    return values | dict(shown.folds)


def filled(rule: str, values: dict[str, str]) -> str:
    """A rule with the names that have values replaced by these; functions, text in quotes and fields stay.

    >>> filled('min(uncapped, ceiling)', {"uncapped": "63.00 EUR", "ceiling": "110.00 EUR"})
    'min(63.00 EUR, 110.00 EUR)'
    >>> filled('partial == "floor" ? a : b', {"partial": "ceil", "a": "1", "floor": "x"})
    'ceil == "floor" ? 1 : b'
    """
    out, word, quote = [], "", ""
    for letter in rule + " ":
        if quote:
            out.append(letter)
            quote = "" if letter == quote else quote
        elif letter.isalnum() or letter == "_":
            word += letter
        else:
            before = out[-1] if out else ""
            out.append(values.get(word, word) if before != "." and letter != "(" else word)
            out.append(letter)
            word, quote = "", letter if letter in "\"'" else ""
    return "".join(out)[:-1]


def _rounding(rule: str, terms: Terms) -> str:
    """How a step rounds, "" where it does not."""
    if "muldiv(" in rule:
        for mode in ("half_even", "half_up", "half_down", "ceil", "floor", "up", "down"):
            if f'"{mode}"' in rule:
                return f"rounded {mode.replace('_', ' ')}, once"
        return f"rounded {str(terms.params.get('rounding', '')).replace('_', ' ')}, once"
    return "rounded up to whole ones" if "ceil_div(" in rule else ""


def _facts(view: View, shown: ResultPage) -> list[list[Any]]:
    return [[label_of(fact.name), fact.value, _signers(view, fact), fact.entry or None,
             TIME.fullmatch(fact.value) is not None] for fact in shown.facts]  # fmt: skip


def _signers(view: View, fact: FactShown) -> str:
    if not fact.entry:
        return "stands by default"
    return " and ".join(party_name(view, part) for part in fact.signer.split("+") if part) or "the ledger"


@get("/contracts/w/{rest:path}", sync_to_thread=True)
def one_award(request: Request[Any, Any, Any], session: Reader, read: Read, accounts: Accounts) -> Any:
    """A result in money, step by step."""
    needs_role(session, *TRADE)
    circle, award = named(request, "/contracts/w/", 2)
    found = desk(read, session)
    answer = show_award(found, session, circle, award)
    note_seen(accounts, session, f"contract result:{award}", request)
    return answer


@get("/contracts/r/{rest:path}", sync_to_thread=True)
def one_run(request: Request[Any, Any, Any], session: Reader, read: Read) -> Any:
    """A run that gave no money, or waits."""
    needs_role(session, *TRADE)
    circle, agreement, clause, key = named(request, "/contracts/r/", 4)
    found = desk(read, session)
    shown = result_page(found.view, circle, agreement, clause, key) if found.view.home else None
    if shown is None:
        raise not_here()
    if shown.result.awards:
        return go(address("w", circle, shown.result.awards[0]))
    return _draw(found, shown)


def show_award(
    found: Desk, session: Session, circle: str, award: str, *, status: int = 200, refusal: Any = None,
    given: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """The result's page. Raises: 404 for those outside its circle."""
    shown = award_page(found.view, circle, award) if found.view.home else None
    if shown is None:
        raise not_here()
    return _draw(found, shown, status=status, refusal=refusal, given=given)


def _draw(
    found: Desk, shown: ResultPage, *, status: int = 200, refusal: Any = None, given: dict[str, Any] | None = None
) -> Any:
    view, run, award = found.view, shown.result, shown.award
    crumbs = (*CRUMBS, (agreement_title(view, run.circle, run.agreement), address("a", run.circle, run.agreement)))
    mine = award is not None and view.party in (award.sender, award.receiver)
    pending = award is not None and award.state == PENDING and mine
    able = may(found, Dispute, ConfirmResult)
    version = view.get(VERSIONS, run.circle, run.agreement, run.version)
    parties = [(party, party_name(view, party)) for _, party in version.content.roles] if version else []
    ran_for = key_words(view, run.key, run.circle)
    disputes = [[Link(f"Dispute of {ran_for}", address("d", row.circle, row.dispute)), party_name(view, row.opened_by),
                 DISPUTE_BADGES[row.state], row.opened_at, row.position] for row in shown.disputes]  # fmt: skip
    return page(
        "contracts/result.html", title=f"{label_of(run.clause)}: {ran_for}", crumbs=crumbs,
        status=status,
        p=shown, run=run, award=award, steps=explained(view, shown), facts=_facts(view, shown),
        state=AWARD_BADGES[award.state] if award else RUN_BADGES[run.state],
        sender=party_name(view, award.sender) if award else "", receiver=party_name(view, award.receiver) if award
        else "", pending=pending, may=able, confirmed=award is not None and view.party in award.confirmed,
        label=label_of(award.label) if award else label_of(run.clause), parties=parties, disputes=disputes,
        refusal=refusal, given=given or {}, evidence=", ".join(str(entry) for entry in award.evidence) if award else "",
        actions=[action for action in run.actions if action[0] not in ("pay", "post")],
        wanted=decimal(0, award.currency) if award else "", record=_pretty(run.record),
    )  # fmt: skip


def _pretty(record: str) -> str:
    return json.dumps(json.loads(record), indent=2, ensure_ascii=False) if record else ""


def entries_of(form: Given, name: str = "evidence") -> list[int]:
    """Numbers of entries as typed: "12, #14 15". Refuses: form.entries."""
    words = form.text(name, "Evidence", most=2_000).replace("#", " ").replace(",", " ").split()
    if len(words) > EVIDENCE_MAX or not all(word.isascii() and word.isdigit() and len(word) < 16 for word in words):
        raise Refusal("form.entries", "Evidence is a list of entry numbers.", got=" ".join(words)[:80],
                      expected=f"such as 112, 115; at most {EVIDENCE_MAX}")  # fmt: skip
    return sorted({int(word) for word in words})


@post("/contracts/dispute", sync_to_thread=True)
def dispute(session: Reader, read: Read, data: Fields) -> Any:
    """Object to a pending result."""
    needs_role(session, *TRADE)
    found, form = desk(read, session), Given(data)
    circle, number = form.text("circle", required=True), form.text("award", required=True)
    award = found.view.get(AWARDS, circle, number)
    if award is None:
        raise not_here()

    def act() -> Any:
        fact = Dispute(
            circle=circle,
            dispute=found.node.wallet.new_id("d"),
            award=number,
            liable=form.text("liable", "Who is liable", required=True, most=80),
            wanted_minor=form.minor("wanted", "What it should be", award.currency),
            reason=form.text("reason", "Reason", required=True, most=8_000),
            evidence=entries_of(form),
        )
        found.do(fact)
        return go(address("d", circle, fact.dispute), notice="Disputed.")

    return attempt(act, lambda status, refusal: show_award(found, session, circle, number, status=status,
                                                           refusal=refusal, given=data))  # fmt: skip


PAGES: list[Any] = [one_award, one_run, dispute]
