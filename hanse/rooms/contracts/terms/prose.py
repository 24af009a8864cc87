"""Text generated from parameters, and the difference between two agreements in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hanse.rooms.contracts.terms.schema import HOLE, Param
from hanse.rooms.contracts.terms.values import show

if TYPE_CHECKING:
    from hanse.rooms.contracts.terms.template import Terms


def say(param: Param, value: Any, currency: str, decimals: int) -> str:
    """A parameter's value for people, in the template's own words where it has some."""
    key = ("yes" if value else "no") if param.kind.base == "flag" else value
    said = dict(param.words).get(key) if isinstance(key, str) else None
    return said if said is not None else show(param.kind, value, currency, decimals)


def sentences(terms: "Terms", parties: Mapping[str, str]) -> list[str]:
    """One text per clause in force, with values and names filled in.

    A role without a name stands as "the role". Amounts name their currency, unless the text itself mentions {currency}.
    """
    return [_sentence(terms, clause.spec.text, parties) for clause in terms.clauses]


def _sentence(terms: "Terms", text: str, parties: Mapping[str, str]) -> str:
    words = {role: parties.get(role, f"the {role.replace('_', ' ')}") for role in terms.template.roles}
    currency = "" if "{currency}" in text else terms.currency
    for param in terms.template.document.params:
        words[param.name] = say(param, terms.params[param.name], currency, terms.decimals)

    def fill(hole: re.Match[str]) -> str:
        word, before = words[hole[1]], hole.string[: hole.start()]
        return word[:1].upper() + word[1:] if before == "" or before.endswith((". ", "! ", "? ")) else word

    return HOLE.sub(fill, text)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `path` such as params.rate or clause late; before and after as text, "" where absent."""

    path: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"{self.path}: new, {self.after}"
        if not self.after:
            return f"{self.path}: removed, was {self.before}"
        return f"{self.path}: {self.before} becomes {self.after}"


def diff(before: "Terms", after: "Terms") -> list[Change]:
    """What differs between two agreements, for people: template, parameters, texts, rules. Empty if nothing does.

    Shape: Change(path, before, after), in the order: template, parameters by name, clauses in order.
    """
    changes = []
    if before.template.sha256 != after.template.sha256:
        names = [f"{t.template.name} {t.template.version} ({t.template.sha256[:12]})" for t in (before, after)]
        changes.append(Change("template", *names))
    old, new = _params(before), _params(after)
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            changes.append(Change(f"params.{name}", old.get(name, ""), new.get(name, "")))
    if before.template.sha256 != after.template.sha256:
        changes += _clauses(before, after)
    return changes


def _params(terms: "Terms") -> dict[str, str]:
    params = terms.template.document.params
    return {p.name: say(p, terms.params[p.name], terms.currency, terms.decimals) for p in params}


def _clauses(before: "Terms", after: "Terms") -> list[Change]:
    old = {part: text for clause in before.template.clauses for part, text in _parts(clause)}
    new = {part: text for clause in after.template.clauses for part, text in _parts(clause)}
    return [
        Change(part, old.get(part, ""), new.get(part, "")) for part in {**old, **new} if old.get(part) != new.get(part)
    ]


def _parts(clause: Any) -> list[tuple[str, str]]:
    where, spec = f"clause {clause.id}", clause.spec
    parts = [(where, spec.text)]
    when = spec.when
    parts.append((f"{where}, when", f"{', '.join(when.events) or when.timer} once per {', '.join(when.once_per)}"))
    parts += [(f"{where}, {name}", text) for name, _, text in clause.steps]
    for fact in clause.facts:
        signers = " and ".join(fact.attest.all_of) + (" or ".join(fact.attest.any_of))
        parts.append((f"{where}, fact {fact.name}", f"{', '.join(fact.events)} {fact.field}, signed by {signers}"))
    for number, action in enumerate(spec.then):
        words = [action.kind, action.value, f"if {action.condition}" if action.condition else ""]
        words += [f"from {action.sender}" if action.sender else "", f"to {action.to}" if action.to else ""]
        parts.append((f"{where}, then {number + 1}", " ".join(word for word in words if word)))
    return parts
