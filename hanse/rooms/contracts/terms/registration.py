"""What registration refuses beyond form and kinds: text against rule, roles, who attests, examples."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hanse.rooms.contracts.terms import syntax
from hanse.rooms.contracts.terms.program import action_texts, clause_texts, reached
from hanse.rooms.contracts.terms.refused import TermsRefused
from hanse.rooms.contracts.terms.schema import HOLE, ClauseSpec, Document, Fact

if TYPE_CHECKING:
    from hanse.rooms.contracts.terms.template import Template

_ANY_HOLE = re.compile(r"[{}]")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)? ?(?:%|percent|days?|weeks?|months?|hours?|EUR|USD|GBP)(?![A-Za-z])")


def examine(template: "Template") -> "Template":
    """The template with its warnings, or a refusal; the order is that of `compile_template`."""
    from hanse.rooms.contracts.terms.examples import run_examples

    document = template.document
    ids = [clause.id for clause in document.clauses]
    if len(set(ids)) != len(ids):
        raise TermsRefused("terms.name_twice", "two clauses have one id", ", ".join(ids), "each id once")
    _check_roles(document)
    _check_texts(document)
    _check_references(document)
    _check_attests(document)
    run_examples(template)
    return replace(template, warnings=tuple(_warnings(template)))


def _check_roles(document: Document) -> None:
    """Refuses terms.role."""
    for clause in document.clauses:
        for action in clause.then:
            where = f"clause {clause.id}, {action.kind}"
            for role in (action.sender, action.to, *(name for name, _ in action.shares)):
                if role and role not in document.roles:
                    raise TermsRefused("terms.role", f"{where}: no role {role}", role, ", ".join(document.roles))
            if action.kind in ("pay", "split") and action.sender == action.to:
                raise TermsRefused("terms.role", f"{where}: pays itself", action.sender, "two roles")
            if action.kind == "split" and action.remainder not in dict(action.shares):
                expected = ", ".join(name for name, _ in action.shares)
                raise TermsRefused("terms.role", f"{where}: who gets the remainder?", action.remainder, expected)


def holes(document: Document) -> set[str]:
    """Names in braces in all texts."""
    return {name for clause in document.clauses for name in HOLE.findall(clause.text)}


def _check_texts(document: Document) -> None:
    """Text and rule in step. Refuses terms.text, terms.not_in_text, terms.not_in_rule."""
    params = {param.name for param in document.params}
    clash = params & set(document.roles)
    if clash:
        raise TermsRefused("terms.name_twice", "a parameter is named as a role", ", ".join(sorted(clash)), "two names")
    for clause in document.clauses:
        rest = HOLE.sub("", clause.text)
        if _ANY_HOLE.search(rest):
            raise TermsRefused(
                "terms.text", f"clause {clause.id}: braces hold a name", rest[:80], "{parameter} or {role}"
            )
        for name in HOLE.findall(clause.text):
            if name not in params and name not in document.roles:
                known = ", ".join([*document.roles, *sorted(params)])
                raise TermsRefused(
                    "terms.text", f"clause {clause.id}: text mentions {name}", name, known, "declare or correct it"
                )
    said, ruled = holes(document), rule_params(document)
    for param in document.params:
        if param.name not in said:
            message = f"no clause's text mentions {param.name}"
            raise TermsRefused(
                "terms.not_in_text", message, param.name, f"{{{param.name}}} in a text", "say it in the text"
            )
        if param.name not in ruled and param.name != "currency" and param.kind.base != "text":
            message = f"texts mention {param.name}, but no rule reads it"
            raise TermsRefused("terms.not_in_rule", message, param.name, "a rule that reads it", "drop it, or use it")


def rule_params(document: Document) -> set[str]:
    """Parameters that rules read: expressions, facts' events and fields, waits, period."""
    texts = [text for _, text in document.let]
    texts += [text for state in document.state for _, text in state.by]
    for clause in document.clauses:
        texts += clause_texts(clause) + [text for text in (clause.when.timer, clause.only_if) if text]
    read = set[str]().union(*(syntax.names_in(text) for text in texts))
    return (read | references(document)) & {param.name for param in document.params}


def references(document: Document) -> set[str]:
    """Parameters named in braces outside of texts."""
    facts = [*document.facts, *(fact for clause in document.clauses for fact in clause.facts)]
    raw: list[str | int] = [part for fact in facts for part in (*fact.events, fact.field, fact.window)]
    raw += [event for clause in document.clauses for event in clause.when.events]
    waits, period = document.waits, document.period
    raw += [waits.window, waits.objection, waits.silence_after]
    raw += [period.every, period.utc_offset] if period else []
    return {match[1] for part in raw if isinstance(part, str) and (match := HOLE.fullmatch(part))}


def _check_references(document: Document) -> None:
    """A reference in braces names a parameter of a kind that fits. Refuses terms.reference."""
    kinds = {param.name: param.kind for param in document.params}
    for name in sorted(references(document)):
        kind = kinds.get(name)
        if kind is None or not (kind.base in ("enum", "text") or kind.dim == (0, 0, 0, 1)):
            expected = "an enum (names) or a duration (waits)"
            raise TermsRefused("terms.reference", f"{{{name}}} names no fitting parameter", name, expected)


def _check_attests(document: Document) -> None:
    """State told from outside is attested; who gains is never enough alone. Refuses terms.attest."""
    own = {action.event.split(".")[0] for clause in document.clauses for action in clause.then if action.event}
    own |= {a.value.split(".")[0] for clause in document.clauses for a in clause.then if a.kind == "tell"}
    for state in document.state:
        outside = [event for event, _ in state.by if event.split(".")[0] not in own]
        if outside and not (state.attest.all_of or state.attest.any_of):
            message = f"state.{state.name}: nobody has to have signed {outside[0]}"
            raise TermsRefused("terms.attest", message, outside[0], "attest: [role, ...]", "add attest")
    for clause in document.clauses:
        for role, name in gains(document, clause):
            attest = {
                **{s.name: s.attest for s in document.state},
                **{f.name: f.attest for f in _facts(document, clause)},
            }[name]
            fact = next((fact for fact in _facts(document, clause) if fact.name == name), None)
            if attest.alone(role) and not (fact is not None and fact.exists):
                message = f"clause {clause.id}: {role} gains by {name} and would be enough alone to attest it"
                next_step = "add another signer, or any_of without the one who gains"
                raise TermsRefused("terms.attest", message, role, "a signer who does not gain", next_step)


def _facts(document: Document, clause: ClauseSpec) -> tuple[Fact, ...]:
    return (*document.facts, *clause.facts)


def gains(document: Document, clause: ClauseSpec) -> list[tuple[str, str]]:
    """(role, fact or fold) where the name enters an amount that the role receives in this clause."""
    known = {fact.name for fact in _facts(document, clause)} | {state.name for state in document.state}
    lets = {**dict(document.let), **dict(clause.let)}
    found: dict[tuple[str, str], None] = {}
    for action in clause.then:
        receivers = (
            [action.to] if action.kind in ("pay", "post", "release", "refund") else [n for n, _ in action.shares]
        )
        wanted = set[str]().union(*(syntax.names_in(text) for text in action_texts(action)))
        open_names = sorted(wanted & set(lets))
        while open_names:
            more = syntax.names_in(lets[open_names.pop()]) - wanted
            wanted |= more
            open_names += sorted(more & set(lets))
        for role in receivers:
            found |= {(role, name): None for name in sorted(wanted & known) if role}
    return list(found)


def _warnings(template: "Template") -> list[str]:
    """What a reader should look at."""
    document, found = template.document, []
    for clause in template.clauses:
        for figure in _FIGURE.findall(HOLE.sub("", clause.spec.text)):
            found.append(f"clause {clause.id}: the text says {figure.strip()}, which no parameter holds")
        used = {fact.name for fact in clause.facts} | set(clause.arm.facts if clause.arm else ())
        for fact in clause.spec.facts:
            if fact.name not in used:
                found.append(f"clause {clause.id}: the fact {fact.name} is not used")
        if not clause.spec.then:
            found.append(f"clause {clause.id}: nothing follows from it")
    reach = {n for c in document.clauses for n, _ in reached(document, clause_texts(c), ())}
    found += [f"the shared step {name} is not used" for name, _ in document.let if name not in reach]
    return found
