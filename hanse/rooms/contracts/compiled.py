"""Templates and terms, compiled once a process: pure functions of their text, so that caching them changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from hanse.kernel.refusal import Refused
from hanse.rooms.contracts.rows import TemplateRow
from hanse.rooms.contracts.terms import Fact, Template, Terms, TermsRefused, compile_template
from hanse.rooms.contracts.terms.kinds import Kind
from hanse.rooms.contracts.terms.runtime import accept
from hanse.rooms.contracts.terms.schema import Attest

Find = Callable[[str], TemplateRow | None]
"""A registered template by its hash: from a draft, or from a view."""


def refused_of(refused: TermsRefused) -> Refused:
    """What the terms kernel refuses, in this project's one shape; codes stay `terms.*`."""
    return Refused(
        refused.code, refused.message, got=refused.got, expected=refused.expected, next=refused.next or "correct it"
    )


@lru_cache(maxsize=512)
def template_of(text: str) -> Template:
    """A template from its text. Raises: TermsRefused, as `compile_template`."""
    return compile_template(text)


class Plan:
    """Terms, and what a circle's rules ask of them for every event.

    Attributes:
        on: event -> clauses that it triggers. arms: event -> clauses whose timer it arms. reads: event -> clauses that
        read it without being triggered by it. folds: event -> names of the folds that it moves.
        events: all of these. period_clauses: triggered by period.closed.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        document = terms.template.document
        self.on: dict[str, tuple[str, ...]] = {}
        self.arms: dict[str, tuple[str, ...]] = {}
        self.reads: dict[str, tuple[str, ...]] = {}
        self.folds: dict[str, tuple[str, ...]] = {}
        self.sources: dict[str, tuple[tuple[str, tuple[str, ...], str, Fact], ...]] = {}
        for clause in terms.clauses:
            self.sources[clause.id] = terms.sources(clause.id)
            into = self.on if clause.arm is None else self.arms
            triggers = terms.events(clause.id)
            for event in triggers:
                into[event] = (*into.get(event, ()), clause.id)
            read = {e for _, events, _, fact in self.sources[clause.id] for e in events if not fact.implicit}
            for event in sorted(read - set(triggers)):
                self.reads[event] = (*self.reads.get(event, ()), clause.id)
        for name, event in sorted(terms.template.folds):
            self.folds[event] = (*self.folds.get(event, ()), name)
        self.specs = {spec.name: spec for spec in document.state}
        self.events = {*self.on, *self.arms, *self.reads, *self.folds}
        self.once = {clause.id: clause.spec.when.once_per for clause in terms.clauses}
        self.unless = {clause.id: clause.spec.when.unless for clause in terms.clauses}
        self.period_clauses = self.on.get("period.closed", ())
        self.attests = _declared(self)

    def fold_fields(self, name: str, event: str) -> dict[str, Kind]:
        """Fields that a fold reads of an event, with their kinds."""
        spec, piece = self.specs[name], self.terms.template.folds[name, event]
        declared = dict(spec.fields)
        return {field: declared.get(field, spec.kind) for field in piece.facts}


def _declared(plan: Plan) -> dict[str, Attest]:
    """event -> who must sign it, as the first fact that reads it says."""
    out: dict[str, Attest] = {}
    for sources in plan.sources.values():
        for _, events, _, fact in sources:
            for event in events:
                out.setdefault(event, fact.attest)
    for event, names in plan.folds.items():
        for name in names:
            out.setdefault(event, plan.specs[name].attest)
    return out


_PLANS: dict[tuple[str, str], Plan] = {}
_PLANS_MAX = 4_096


def plan_of(find: Find, template: str, params: str) -> Plan | None:
    """The plan of a registered template and canonical parameters; None where the template is not known.

    Args:
        params: JSON of base values, as `Terms.params_json` writes it.
    """
    hit = _PLANS.get((template, params))
    if hit is None:
        row = find(template)
        if row is None:
            return None
        if len(_PLANS) >= _PLANS_MAX:
            _PLANS.clear()
        hit = _PLANS[template, params] = Plan(rebind(template_of(row.text), params))
    return hit


def rebind(template: Template, params: str) -> Terms:
    """Terms from parameters in base units: the inverse of `Terms.params_json`. Raises: TermsRefused."""
    given = json.loads(params)
    values = {p.name: accept(p.name, p.kind, base(given.get(p.name), p.kind)) for p in template.document.params}
    return Terms(template, values)


def base(value: Any, kind: Kind) -> Any:
    """A value as canonical JSON has it, in base units: large integers from text, lists, rows and tiers as tuples."""
    if kind.base in ("number", "time") and isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value)
    if kind.base == "list" and isinstance(value, list):
        return tuple(base(item, kind.items[0]) for item in value)
    if kind.base == "row" and isinstance(value, list) and len(value) == len(kind.fields):
        return tuple(base(item, part) for item, (_, part) in zip(value, kind.fields, strict=True))
    if kind.base == "tiers" and isinstance(value, list) and len(value) == 2:
        return tuple(tuple(base(x, part) for x in side) for side, part in zip(value, kind.items, strict=True))
    return value
