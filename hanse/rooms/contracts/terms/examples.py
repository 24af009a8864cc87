"""Worked examples: they stand in the template, and registration is refused unless they come out."""

from typing import TYPE_CHECKING, Any

from hanse.rooms.contracts.terms.kinds import Kind
from hanse.rooms.contracts.terms.refused import TermsRefused
from hanse.rooms.contracts.terms.result import Action, Result
from hanse.rooms.contracts.terms.schema import Example, Param
from hanse.rooms.contracts.terms.values import read, show

if TYPE_CHECKING:
    from hanse.rooms.contracts.terms.program import Clause
    from hanse.rooms.contracts.terms.template import Template, Terms

_ACTION_KEYS = ("from", "to", "due", "as", "event", "else", "of", "with")


def run_examples(template: "Template") -> None:
    """Refuses terms.example at the first that does not come out; terms.attest where one's own word brings gain."""
    for example in template.document.examples:
        try:
            result = run_example(template, example)
            if result is not None:
                _check_interest(template, result)
        except TermsRefused as refused:
            if refused.code in ("terms.example", "terms.attest"):
                raise
            raise TermsRefused(
                "terms.example", f"{example.title}: {refused}", refused.got, refused.expected, refused.next
            ) from None


def run_example(template: "Template", example: Example) -> Result | None:
    """Run one example; returns the result, None where the example wants a refusal or a timer. Refuses terms.example."""
    clause = _clause(template, example)
    terms = template.bind(_params(template, example, clause))
    if clause.spec.only_if and clause not in terms.clauses:
        raise TermsRefused(
            "terms.example", f"{example.title}: clause {clause.id} does not stand under these parameters"
        )
    try:
        result = _run(terms, clause, example)
    except TermsRefused as refused:
        if not example.refused:
            raise
        _same(example, "refused", refused.code, example.refused)
        return None
    if result is None:
        return None
    if example.refused:
        closed = next((a.otherwise for a in result.actions if a.kind == "gate" and not a.value), "nothing")
        _same(example, "refused", closed, example.refused)
    _compare(terms, clause, example, result)
    return result


def _check_interest(template: "Template", result: Result) -> None:
    """An event that a role alone may report must not raise what the role receives. Refuses terms.attest.

    That it stands against the role's own interest is what makes a single signature enough (accepted force majeure).
    """
    terms, facts = result.terms, result.facts
    for fact in template.clause(result.clause).facts:
        for role in template.roles:
            if fact.exists and fact.attest.alone(role):
                told, untold = (_received(terms, result, {**facts, fact.name: value}, role) for value in (True, False))
                if told > untold:
                    message = f"clause {result.clause}: {role} gains by {fact.name} and is enough alone to report it"
                    raise TermsRefused(
                        "terms.attest", message, role, "a signer who does not gain", "add another signer"
                    )


def _received(terms: "Terms", result: Result, facts: dict[str, Any], role: str) -> int:
    actions = terms.evaluate(result.clause, facts, result.state).actions
    kinds = ("pay", "release", "refund", "post")
    return sum(int(action.value) for action in actions if action.to == role and action.kind in kinds)


def _run(terms: "Terms", clause: "Clause", example: Example) -> Result | None:
    given = terms.read_facts(clause.id, example.given)
    state = {name: value for name, value in given.items() if name in terms.state_kinds}
    for event, fields in example.history:
        state = terms.fold(event, _fields(terms, event, fields), state)
    if example.timer is not None:
        wanted = read("timer", Kind("time"), example.timer)
        _same(example, "timer", terms.timer(clause.id, given), wanted)
        if not example.want and example.then is None:
            return None
    return terms.evaluate(clause.id, given, state)


def _fields(terms: "Terms", event: str, fields: Any) -> dict[str, Any]:
    """An event's fields in base units, by the kinds that the folds give them."""
    known: dict[str, Kind] = {}
    for spec in terms.template.document.state:
        piece = terms.template.folds.get((spec.name, event))
        declared = dict(spec.fields)
        for name in piece.facts if piece else ():
            known[name] = declared.get(name, spec.kind)
    return {
        name: read(name, known[name], raw, terms.decimals) if name in known else raw for name, raw in fields.items()
    }


def _clause(template: "Template", example: Example) -> "Clause":
    """The clause named, or the first that reads all that is given and makes what is wanted. Refuses terms.example."""
    if example.clause:
        return template.clause(example.clause)
    for clause in template.clauses:
        known = {fact.name for fact in clause.facts} | set(clause.state) | set(clause.arm.facts if clause.arm else ())
        known |= {state.name for state in template.document.state}
        if set(example.given) <= known and set(example.want) <= {name for name, _, _ in clause.steps}:
            return clause
    names = ", ".join([*example.given, *example.want])
    raise TermsRefused("terms.example", f"{example.title}: no clause has all of its names", names, "clause: id")


def _params(template: "Template", example: Example, clause: "Clause") -> dict[str, Any]:
    """The example's parameters; those that it leaves open and does not need stand at their first or least value."""
    needed = {
        *clause.run.params,
        *(clause.arm.params if clause.arm else ()),
        *(clause.applies.params if clause.applies else ()),
    }
    values = dict(example.params)
    for param in template.document.params:
        if param.name in values or param.default is not None:
            continue
        if param.kind.base == "enum":
            values[param.name] = param.kind.values[0]
        elif param.name not in needed:
            values[param.name] = _anything(param)
    return values


def _anything(param: Param) -> Any:
    return _least(param.kind)


def _least(kind: Kind) -> Any:
    if kind.base in ("number", "time"):
        return max(kind.low, min(0, kind.high))
    if kind.base == "tiers":
        return (_least(kind.items[0]),), (_least(kind.items[1]),)
    return {"flag": False, "list": (), "enum": kind.values[0] if kind.values else ""}.get(kind.base, "")


def _compare(terms: "Terms", clause: "Clause", example: Example, result: Result) -> None:
    kinds = {name: kind for name, kind, _ in clause.steps}
    for name, raw in example.want.items():
        if name not in kinds:
            known = ", ".join(kinds)
            raise TermsRefused("terms.example", f"{example.title}: clause {clause.id} has no step {name}", name, known)
        wanted = _wanted(kinds[name], raw, name, terms)
        got = result.steps[name]
        if got != wanted:
            texts = [show(kinds[name], value, terms.currency, terms.decimals) for value in (got, wanted)]
            raise TermsRefused(
                "terms.example", f"{example.title}: {name} comes out otherwise", texts[0], texts[1], "correct one"
            )
    if example.then is not None:
        _same(example, "the number of actions", len(result.actions), len(example.then))
        for number, (action, wanted_action) in enumerate(zip(result.actions, example.then, strict=True)):
            _compare_action(terms, clause, example, action, wanted_action, number)


def _wanted(kind: Kind, raw: Any, name: str, terms: "Terms") -> Any:
    from dataclasses import replace

    from hanse.rooms.contracts.terms.kinds import INT64_MAX, INT64_MIN

    return read(name, replace(kind, low=INT64_MIN, high=INT64_MAX), raw, terms.decimals)


def _compare_action(
    terms: "Terms", clause: "Clause", example: Example, action: Action, wanted: Any, number: int
) -> None:
    where = f"then[{number}]"
    rest = {key: value for key, value in wanted.items() if key not in _ACTION_KEYS}
    if len(rest) != 1:
        raise TermsRefused(
            "terms.example", f"{example.title}, {where}: one action", ", ".join(rest), "such as pay: amount"
        )
    kind, raw = next(iter(rest.items()))
    _same(example, where, action.kind, kind)
    if kind in ("grant", "notify"):
        _same(example, where, action.label, raw)
    elif kind == "tell":
        _same(example, where, action.event, raw)
    else:
        of = next(
            v
            for v, s in zip(clause.values, clause.spec.then, strict=True)
            if s.kind == kind or (s.kind, kind) == ("split", "pay")
        )
        got, want = action.value, _wanted(of, raw, where, terms)
        _same(example, where, got, want)
    got_parts = {
        "from": action.sender,
        "to": action.to,
        "as": action.label,
        "event": action.event,
        "else": action.otherwise,
    }
    for key, value in wanted.items():
        if key in got_parts:
            _same(example, f"{where}.{key}", got_parts[key], value)
        elif key == "due":
            _same(example, f"{where}.due", action.due, read("due", Kind("time"), value))
        elif key == "of":
            _same(example, f"{where}.of", action.of, value)


def _same(example: Example, what: str, got: Any, wanted: Any) -> None:
    if got != wanted:
        message = f"{example.title}: {what} comes out otherwise"
        raise TermsRefused("terms.example", message, str(got), str(wanted), "correct the example or the rule")
