"""An award record, checked by whoever may read it: the facts in it, run again, must give the same bytes."""

import json
from typing import Any

from hanse.rooms.contracts.terms.kinds import Kind
from hanse.rooms.contracts.terms.refused import TermsRefused
from hanse.rooms.contracts.terms.result import Result, explain
from hanse.rooms.contracts.terms.template import Terms


def recompute(terms: Terms, record: bytes) -> Result:
    """Run the clause of a record again from its facts and state.

    Args:
        terms: the template and parameters that the record names. record: bytes of `explain`.
    Refuses, in order: terms.record_form, terms.record_terms (other template or parameters), what `Terms.evaluate`
    refuses, terms.record_differs (steps, actions or bytes).
    """
    try:
        parsed = json.loads(record)
        clause, agreement, facts, state = (parsed[key] for key in ("clause", "agreement", "facts", "state"))
        named = (parsed["template"], parsed["params"])
        parts = {name: part if isinstance(part, dict) else {"value": part} for name, part in facts.items()}
        told = {name: (part["position"], part["signer"]) for name, part in parts.items() if "position" in part}
        bare = not any(isinstance(part, dict) for part in facts.values())
        values = {name: part["value"] for name, part in parts.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise TermsRefused("terms.record_form", "not an award record", expected="the bytes of an explanation") from None
    if named != (terms.template.sha256, terms.params_sha256):
        raise TermsRefused(
            "terms.record_terms", "the record names another template or other parameters", str(named)[:80]
        )
    kinds = {fact.name: fact.kind for fact in terms.template.clause(str(clause)).facts} | terms.state_kinds
    result = terms.evaluate(str(clause), _base(values, kinds), _base(state, kinds))
    again = explain(result, None if bare and facts else told, str(agreement))
    if again.bytes != record:
        expected = again.sha256
        raise TermsRefused("terms.record_differs", "the record does not follow from its facts", expected=expected)
    return result


def _base(values: Any, kinds: dict[str, Kind]) -> dict[str, Any]:
    """Values of a record in base units: large integers from text, lists and rows as tuples."""
    if not isinstance(values, dict):
        raise TermsRefused("terms.record_form", "not an award record", type(values).__name__, "names and values")
    return {name: _value(value, kinds[name]) if name in kinds else value for name, value in values.items()}


def _value(value: Any, kind: Kind) -> Any:
    if kind.base in ("number", "time") and isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 21:
        return int(value)
    if kind.base == "list" and isinstance(value, list):
        return tuple(_value(item, kind.items[0]) for item in value)
    if kind.base == "row" and isinstance(value, list) and len(value) == len(kind.fields):
        return tuple(_value(item, part) for item, (_, part) in zip(value, kind.fields, strict=True))
    return value
