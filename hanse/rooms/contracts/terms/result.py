"""What a clause's run gives: its steps, its actions, and the record that explains it.

The record is canonical JSON (RFC 8785) with its SHA-256. Integers beyond 2^53-1 are written as text, as I-JSON asks
(RFC 7493 section 2.2). Steps are a list, because their order says how the result came about.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from hanse.rooms.contracts.terms.kinds import Kind
from hanse.rooms.contracts.terms.refused import TermsRefused
from hanse.rooms.contracts.terms.schema import ActionSpec

if TYPE_CHECKING:
    from hanse.rooms.contracts.terms.template import Terms

SAFE = 2**53 - 1


class Action(msgspec.Struct, frozen=True, gc=False):
    """One thing that follows.

    Fields:
        kind: pay, post, hold, release, refund, price, gate, grant, notify or tell (a split gives several pays).
        value: minor units, base units or flag; True where nothing is counted. sender, to: roles, "" where none.
        due: UTC seconds, 0 where not said. label: what it is booked as; the right granted; the notice.
        event: the event told. otherwise: the code of a closed gate. of: what is gated or priced.
        fields: of a tell, name -> value.
    """

    kind: str
    value: Any
    sender: str = ""
    to: str = ""
    due: int = 0
    label: str = ""
    event: str = ""
    otherwise: str = ""
    of: str = ""
    fields: tuple[tuple[str, Any], ...] = ()


def split(amount: int, weights: tuple[int, ...], remainder: int) -> list[int]:
    """Parts of an amount by weights, each rounded down, the rest to the part numbered `remainder`.

    Refuses terms.split. Invariant: sum(parts) == amount.

    >>> split(100, (1, 1, 1), 0)
    [34, 33, 33]
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise TermsRefused("terms.split", "shares do not add up", str(weights), "shares >= 0, not all 0")
    parts = [amount * weight // total for weight in weights]
    parts[remainder] += amount - sum(parts)
    return parts


def actions_of(specs: tuple[ActionSpec, ...], raw: Any) -> tuple[Action, ...]:
    """Actions from what generated code returned: (place, value, due, more). Refuses terms.negative_amount, terms.split.

    Amounts of 0 give no action.
    """
    found: list[Action] = []
    for place, value, due, more in raw:
        spec = specs[place]
        if spec.kind in ("pay", "hold", "release", "refund", "split", "price") and value < 0:
            expected = "an amount >= 0; guard it with if: or max(0, ...)"
            raise TermsRefused(
                "terms.negative_amount", f"then[{place}] would {spec.kind} a negative amount", str(value), expected
            )
        if spec.kind == "split":
            roles = [role for role, _ in spec.shares]
            parts = split(value, more, roles.index(spec.remainder))
            pays = zip(roles, parts, strict=True)
            found += [
                Action("pay", part, spec.sender, role, due, spec.label, spec.event) for role, part in pays if part
            ]
        elif value != 0 or spec.kind in ("gate", "price"):
            found.append(_action(spec, value, due, more))
    return tuple(found)


def _action(spec: ActionSpec, value: Any, due: int, more: tuple[Any, ...]) -> Action:
    label = spec.value if spec.kind in ("grant", "notify") else spec.label
    event = spec.value if spec.kind == "tell" else spec.event
    fields = tuple(zip((name for name, _ in spec.fields), more, strict=True)) if spec.fields else ()
    return Action(spec.kind, value, spec.sender, spec.to, due, label, event, spec.otherwise, spec.of, fields)


class Result(msgspec.Struct, frozen=True):
    """A clause evaluated: facts and state as read, each step, the actions; all in base units."""

    terms: "Terms"
    clause: str
    fact_values: tuple[Any, ...]
    state_values: tuple[Any, ...]
    step_values: tuple[Any, ...]
    actions: tuple[Action, ...]

    @property
    def steps(self) -> dict[str, Any]:
        """Step name -> value, in order."""
        names = (name for name, _, _ in self.terms.template.clause(self.clause).steps)
        return dict(zip(names, self.step_values, strict=True))

    @property
    def facts(self) -> dict[str, Any]:
        """Fact name -> value as read."""
        names = (fact.name for fact in self.terms.template.clause(self.clause).facts)
        return dict(zip(names, self.fact_values, strict=True))

    @property
    def state(self) -> dict[str, Any]:
        """State name -> value as read."""
        return dict(zip(self.terms.template.clause(self.clause).state, self.state_values, strict=True))

    @property
    def allowed(self) -> bool:
        """No gate is closed."""
        return all(action.value for action in self.actions if action.kind == "gate")


@dataclass(frozen=True, slots=True)
class Explanation:
    """The award record: canonical JSON bytes, and their SHA-256 in hex."""

    bytes: bytes
    sha256: str


_text = json.JSONEncoder(ensure_ascii=False).encode


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return _text(text)


def encode(value: Any) -> str:
    """Canonical JSON of a base value: integer, flag, text, or tuples of them."""
    kind = type(value)
    if kind is int:
        return str(value) if -SAFE <= value <= SAFE else f'"{value}"'
    if kind is bool:
        return "true" if value else "false"
    if kind is str:
        return _quoted(value)
    return f"[{','.join([encode(part) for part in value])}]"


def explain(result: Result, evidence: Mapping[str, tuple[int, str]] | None = None, agreement: str = "") -> Explanation:
    """The record that anyone to whom the facts are disclosed can recompute.

    Args:
        evidence: fact name -> (entry position, signer); facts without it stand as bare values.
        agreement: the agreement's id, "" where there is none (simulation).
    Shape: {"actions", "agreement", "clause", "facts", "params", "state", "steps", "template"}; `params` is the
    digest of the parameters, `steps` a list of [name, value].
    """
    terms = result.terms
    layout = terms.layout(result.clause)
    facts = [
        key + (encode(value) if evidence is None else _fact(value, evidence.get(name)))
        for key, name, value in zip(layout.fact_keys, layout.fact_names, result.fact_values, strict=True)
    ]
    facts.sort()  # a key's closing quote sorts below every letter: as RFC 8785 orders keys
    state = sorted([key + encode(value) for key, value in zip(layout.state_keys, result.state_values, strict=True)])
    steps = [key + encode(value) + "]" for key, value in zip(layout.step_keys, result.step_values, strict=True)]
    actions = ",".join([_action_json(action) for action in result.actions])
    text = (
        f'{{"actions":[{actions}],"agreement":{_quoted(agreement)},"clause":"{result.clause}","facts":{{{",".join(facts)}}},'
        f'"params":"{terms.params_sha256}","state":{{{",".join(state)}}},"steps":[{",".join(steps)}],'
        f'"template":"{terms.template.sha256}"}}'
    )
    data = text.encode()
    return Explanation(data, hashlib.sha256(data).hexdigest())


def _fact(value: Any, where: tuple[int, str] | None) -> str:
    if where is None:
        return f'{{"value":{encode(value)}}}'
    return f'{{"position":{encode(where[0])},"signer":{_quoted(where[1])},"value":{encode(value)}}}'


def _action_json(action: Action) -> str:
    parts = [f'"due":{action.due},' if action.due else ""]
    parts.append(f'"event":{_quoted(action.event)},' if action.event else "")
    if action.fields:
        pairs = ",".join([f'"{name}":{encode(value)}' for name, value in sorted(action.fields)])
        parts.append(f'"fields":{{{pairs}}},')
    parts.append(f'"kind":"{action.kind}",')
    parts.append(f'"label":{_quoted(action.label)},' if action.label else "")
    parts.append(f'"of":{_quoted(action.of)},' if action.of else "")
    parts.append(f'"otherwise":{_quoted(action.otherwise)},' if action.otherwise else "")
    parts.append(f'"sender":"{action.sender}",' if action.sender else "")
    parts.append(f'"to":"{action.to}",' if action.to else "")
    return "{" + "".join(parts) + f'"value":{encode(action.value)}}}'


@dataclass(frozen=True, slots=True)
class Layout:
    """Keys of a clause's record, written once."""

    fact_names: tuple[str, ...]
    fact_keys: tuple[str, ...]
    state_keys: tuple[str, ...]
    step_keys: tuple[str, ...]


def layout(facts: tuple[str, ...], state: tuple[str, ...], steps: tuple[tuple[str, Kind, str], ...]) -> Layout:
    """The keys of a clause's record."""
    return Layout(
        facts,
        tuple(f'"{name}":' for name in facts),
        tuple(f'"{name}":' for name in state),
        tuple(f'["{name}",' for name, _, _ in steps),
    )
