"""From a parsed document to a `Document`: the form is checked here, the meaning in `template`."""

from typing import Any

from hanse.rooms.contracts.terms import kinds
from hanse.rooms.contracts.terms.kinds import unit_kind
from hanse.rooms.contracts.terms.refused import TermsRefused
from hanse.rooms.contracts.terms.schema import (
    EVENT,
    HOLE,
    NAME,
    SPEC_KEYS,
    ActionSpec,
    Attest,
    ClauseSpec,
    Document,
    Example,
    Fact,
    Param,
    Period,
    StateSpec,
    Waits,
    When,
    attest,
    expression,
    mapping,
    ordered,
    refuse,
    spec_kind,
    word,
    words,
)
from hanse.rooms.contracts.terms.values import read

TOP = (
    "template", "version", "title", "summary", "notes", "source", "roles", "params", "period", "window", "objection",
    "silence", "facts", "state", "let", "clauses", "examples",
)  # fmt: skip
ACTIONS = ("pay", "post", "hold", "release", "refund", "split", "price", "gate", "grant", "notify", "tell")
_ACTION_KEYS = ("if", "from", "to", "due", "as", "event", "else", "of", "remainder", "between", "with", "unit")
STEPS_MAX, CLAUSES_MAX, PARAMS_MAX, EXAMPLES_MAX = 64, 32, 64, 64
IMPLICIT = {
    "ledger_time": "the ledger's time of the trigger",
    "opened_at": "start of the period that closes",
    "closed_at": "end of the period that closes",
    "fired_at": "when the timer fired",
}


def read_document(raw: Any) -> Document:
    """Read a parsed template.

    Refuses, in the order of the text: terms.form, terms.unknown_key, terms.missing_key, terms.name, terms.unknown_unit,
    terms.range, terms.attest.
    """
    top = mapping(raw, "template", TOP, ("template", "version", "roles", "clauses", "examples"))
    params = tuple(_param(name, spec) for name, spec in sorted(mapping(top.get("params", {}), "params").items()))
    clauses = _bounded_list(top["clauses"], "clauses", CLAUSES_MAX)
    roles = words(top["roles"], "roles")
    if not 2 <= len(roles) <= 8 or len(params) > PARAMS_MAX:
        raise refuse("roles", "2 to 8 roles, 64 parameters at most", f"{len(roles)}, {len(params)}")
    return Document(
        name=word(str(top["template"]).replace("-", "_"), "template").replace("_", "-"),
        version=_version(top["version"]),
        title=str(top.get("title", top["template"])),
        roles=roles,
        params=params,
        facts=_facts(top.get("facts", {}), "facts"),
        state=tuple(_state(n, s, "period" in top) for n, s in sorted(mapping(top.get("state", {}), "state").items())),
        let=_steps(top.get("let", {}), "let"),
        clauses=tuple(_clause(clause, f"clauses[{place}]") for place, clause in enumerate(clauses)),
        examples=tuple(
            _example(e, f"examples[{i}]")
            for i, e in enumerate(_bounded_list(top["examples"], "examples", EXAMPLES_MAX))
        ),
        period=_period(top["period"]) if "period" in top else None,
        waits=_waits(top),
        canonical=_canonical(top),
    )


def _bounded_list(raw: Any, where: str, most: int) -> list[Any]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= most:
        raise refuse(where, "a list is needed", type(raw).__name__, f"1 to {most} entries")
    return raw


def _version(raw: Any) -> str:
    parts = str(raw).split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise refuse("version", "not a version", raw, "1.0.0")
    return str(raw)


def _canonical(top: dict[str, Any]) -> dict[str, Any]:
    """The document with every `let` as a list, so that canonical JSON (sorted keys) keeps the order of its steps."""
    result = dict(top)
    if "let" in top:
        result["let"] = [{name: value} for name, value in ordered(top["let"], "let")]
    result["clauses"] = []
    for clause in top["clauses"]:
        clause = dict(clause)
        if "let" in clause:
            clause["let"] = [{name: value} for name, value in ordered(clause["let"], "let")]
        result["clauses"].append(clause)
    return result


def _param(name: str, raw: Any) -> Param:
    where = f"params.{name}"
    spec = mapping(raw, where, (*SPEC_KEYS, "default", "words", "help"))
    kind = spec_kind(spec, where)
    if spec.get("unit") == "duration" and "minimum" not in spec:
        kind = unit_floor(kind)
    said = mapping(spec.get("words", {}), f"{where}.words", kind.values or ("yes", "no"))
    pairs = tuple((key, str(value)) for key, value in sorted(said.items()))
    return Param(word(name, where), kind, spec.get("default"), pairs)


def unit_floor(kind: kinds.Kind) -> kinds.Kind:
    """A duration that is agreed is not negative unless its parameter says so."""
    from dataclasses import replace

    return replace(kind, low=max(0, kind.low)) if kind.high >= 0 else kind


def _steps(raw: Any, where: str) -> tuple[tuple[str, str], ...]:
    steps = tuple((name, expression(value, f"{where}.{name}")) for name, value in ordered(raw, where))
    if len(steps) > STEPS_MAX:
        raise refuse(where, "too many steps", len(steps), f"{STEPS_MAX} at most")
    return steps


def _facts(raw: Any, where: str) -> tuple[Fact, ...]:
    return tuple(_fact(name, spec, f"{where}.{name}") for name, spec in sorted(mapping(raw, where).items()))


def _event(raw: Any, where: str) -> str:
    if isinstance(raw, str) and HOLE.fullmatch(raw):
        return raw
    return word(raw, where, EVENT)


def _fact(name: str, raw: Any, where: str) -> Fact:
    spec = mapping(
        raw, where, (*SPEC_KEYS, "event", "field", "exists", "attest", "window", "default", "help"), ("event",)
    )
    if "attest" not in spec:
        raise refuse(
            where,
            "nobody has to have signed it",
            expected="attest: [role, ...]",
            next="add attest",
            code="terms.attest",
        )
    exists = spec.get("exists", False)
    if not isinstance(exists, bool) or (exists and spec.get("unit", "flag") != "flag"):
        raise refuse(where, "exists is true, and its unit flag", exists, "exists: true")
    if not exists and "field" not in spec:
        raise refuse(
            where, "which field of the event?", expected="field: name, or exists: true", code="terms.missing_key"
        )
    kind = unit_kind("flag") if exists else spec_kind(spec, where)
    events = spec["event"] if isinstance(spec["event"], list) else [spec["event"]]
    default = False if exists else None
    if "default" in spec:
        default = read(f"{where}.default", kind, spec["default"])
    target = spec.get("field", "")
    if target and not HOLE.fullmatch(str(target)):
        target = word(target, f"{where}.field")
    return Fact(
        name=word(name, where),
        kind=kind,
        events=tuple(_event(event, where) for event in events),
        field=str(target),
        attest=attest(spec["attest"], f"{where}.attest"),
        exists=exists,
        window=_wait(spec["window"], f"{where}.window") if "window" in spec else -1,
        default=default,
    )


def implicit_fact(name: str) -> Fact:
    """A time that the ledger itself tells: `ledger_time`, `opened_at`, `closed_at`, `fired_at`."""
    return Fact(name, unit_kind("time"), ("ledger",), name, Attest(("ledger",)), implicit=True)


def _when(raw: Any, where: str) -> When:
    spec = mapping(raw, where, ("event", "timer", "unless", "once_per"))
    if ("event" in spec) == ("timer" in spec):
        raise refuse(where, "an event or a timer", ", ".join(spec), "one of event, timer", code="terms.missing_key")
    if "once_per" not in spec:
        raise refuse(
            where,
            "how often?",
            expected="once_per: [delivery, ...]",
            next="name what it runs once for",
            code="terms.missing_key",
        )
    events = spec.get("event", [])
    return When(
        events=tuple(_event(e, where) for e in (events if isinstance(events, list) else [events])),
        timer=expression(spec["timer"], f"{where}.timer") if "timer" in spec else "",
        unless=words(spec["unless"], f"{where}.unless", EVENT) if "unless" in spec else (),
        once_per=words(spec["once_per"], f"{where}.once_per"),
    )


def _clause(raw: Any, where: str) -> ClauseSpec:
    spec = mapping(raw, where, ("id", "text", "when", "facts", "let", "then", "only_if"), ("id", "text", "when"))
    name = word(spec["id"], f"{where}.id")
    where = f"clause {name}"
    if not isinstance(spec["text"], str) or not spec["text"].strip():
        raise refuse(where, "no text", expected="a sentence with {parameters}", code="terms.missing_key")
    then = spec.get("then", [])
    if not isinstance(then, list) or len(then) > 16:
        raise refuse(where, "then is a list", type(then).__name__, "actions, 16 at most")
    return ClauseSpec(
        id=name,
        text=" ".join(spec["text"].split()),
        when=_when(spec["when"], f"{where}.when"),
        facts=_facts(spec.get("facts", {}), f"{where}.facts"),
        let=_steps(spec.get("let", {}), f"{where}.let"),
        then=tuple(_action(action, f"{where}.then[{place}]") for place, action in enumerate(then)),
        only_if=expression(spec["only_if"], f"{where}.only_if") if "only_if" in spec else "",
    )


def _action(raw: Any, where: str) -> ActionSpec:
    spec = mapping(raw, where, (*ACTIONS, *_ACTION_KEYS))
    found = [kind for kind in ACTIONS if kind in spec]
    if len(found) != 1:
        raise refuse(where, "one action", ", ".join(found) or "none", ", ".join(ACTIONS))
    kind, value = found[0], spec[found[0]]
    named = kind in ("grant", "notify", "tell")
    for key in {
        "pay": ("from", "to"),
        "grant": ("to",),
        "post": ("event",),
        "split": ("from", "between", "remainder"),
    }.get(kind, ()):
        if key not in spec:
            raise refuse(where, f"{kind} needs {key}", expected=key, code="terms.missing_key")

    def parts(key: str) -> tuple[tuple[str, str], ...]:
        pairs = mapping(spec.get(key, {}), f"{where}.{key}").items()
        return tuple((word(name, where), expression(part, where)) for name, part in sorted(pairs))

    return ActionSpec(
        kind=kind,
        value=word(value, where, EVENT) if named else expression(value, where),
        condition=expression(spec["if"], f"{where}.if") if "if" in spec else "",
        sender=word(spec["from"], f"{where}.from") if "from" in spec else "",
        to=word(spec["to"], f"{where}.to") if "to" in spec else "",
        due=expression(spec["due"], f"{where}.due") if "due" in spec else "",
        label=word(spec["as"], f"{where}.as") if "as" in spec else "",
        event=word(spec["event"], f"{where}.event", EVENT) if "event" in spec else "",
        otherwise=word(spec["else"], f"{where}.else", EVENT) if "else" in spec else "",
        of=word(spec["of"], f"{where}.of", EVENT) if "of" in spec else "",
        remainder=word(spec["remainder"], f"{where}.remainder") if "remainder" in spec else "",
        shares=parts("between"),
        fields=parts("with"),
    )


def _state(name: str, raw: Any, periodic: bool) -> StateSpec:
    where = f"state.{name}"
    ops = ("add", "count", "max", "min", "last")
    spec = mapping(raw, where, (*SPEC_KEYS, "attest", "per", "fields", *ops))
    found = [op for op in ops if op in spec]
    if len(found) != 1:
        raise refuse(where, "how does it fold?", ", ".join(found), ", ".join(ops), code="terms.missing_key")
    op, by = found[0], spec[found[0]]
    if op == "count" and not isinstance(by, dict):
        by = dict.fromkeys(words(by, where, EVENT), True)
    unit = {"unit": "int"} if op == "count" and "unit" not in spec else spec
    kind = spec_kind(unit, where, scalar=True)
    if kind.base not in ("number", "time", "flag") or (kind.base == "flag" and op != "last"):
        raise refuse(where, "a fold keeps a number or a time", kind, "unit: money, qty, int, ...")
    fields = mapping(spec.get("fields", {}), f"{where}.fields").items()
    rows = {n: s if isinstance(s, dict) else {"unit": s} for n, s in fields}
    return StateSpec(
        name=word(name, where),
        kind=kind,
        op=op,
        by=tuple((word(e, where, EVENT), expression(x, where)) for e, x in sorted(mapping(by, where).items())),
        attest=attest(spec["attest"], f"{where}.attest") if "attest" in spec else Attest(),
        per=word(spec.get("per", "period" if periodic else "agreement"), f"{where}.per"),
        fields=tuple((word(n, where), spec_kind(s, f"{where}.fields.{n}")) for n, s in sorted(rows.items())),
    )


def _period(raw: Any) -> Period:
    spec = mapping(
        raw if isinstance(raw, dict) else {"every": raw}, "period", ("every", "utc_offset", "first_month"), ("every",)
    )
    first = spec.get("first_month", 1)
    if not isinstance(first, int) or isinstance(first, bool) or not 1 <= first <= 12:
        raise refuse("period", "first_month is a month", first, "1 to 12")
    every = spec["every"]
    offset = spec.get("utc_offset", 0)
    return Period(
        every if every in ("month", "quarter", "year") else _wait(every, "period.every"), _wait(offset, "period"), first
    )


def _wait(raw: Any, where: str) -> str | int:
    """A duration now, or "{param}" for later."""
    if isinstance(raw, str) and HOLE.fullmatch(raw):
        return raw
    return int(read(where, unit_kind("duration"), raw))


def _waits(top: dict[str, Any]) -> Waits:
    silence = mapping(
        top.get("silence", {}), "silence", ("after", "then"), ("after", "then") if "silence" in top else ()
    )
    then = silence.get("then", "")
    if then not in ("", "deemed_received", "dispute"):
        raise refuse("silence", "in what does silence end?", then, "deemed_received or dispute")
    return Waits(
        window=_wait(top["window"], "window") if "window" in top else "",
        objection=_wait(top["objection"], "objection") if "objection" in top else "",
        silence_after=_wait(silence["after"], "silence") if silence else "",
        silence_then=then,
    )


def _example(raw: Any, where: str) -> Example:
    keys = ("title", "clause", "with", "given", "state", "history", "want", "then", "refused", "timer")
    spec = mapping(raw, where, keys)
    if not {"want", "then", "refused", "timer"} & set(spec):
        raise refuse(
            where, "nothing is wanted", ", ".join(spec), "want, then, timer or refused", code="terms.missing_key"
        )
    history = []
    told = spec.get("history", [])
    for entry in told if isinstance(told, list) else [told]:
        if not isinstance(entry, dict) or len(entry) != 1:
            raise refuse(where, "an entry of history is one event", entry, "event.name: {field: value}")
        event, fields = next(iter(entry.items()))
        history.append((word(event, where, EVENT), mapping(fields, where)))
    then = spec.get("then")
    if then is not None and not (isinstance(then, list) and all(isinstance(item, dict) for item in then)):
        raise refuse(where, "then is a list of actions", then, "[{pay: ...}]")
    return Example(
        params=mapping(spec.get("with", {}), f"{where}.with"),
        given={**mapping(spec.get("given", {}), f"{where}.given"), **mapping(spec.get("state", {}), f"{where}.state")},
        want=mapping(spec.get("want", {}), f"{where}.want"),
        clause=word(spec["clause"], where) if "clause" in spec else "",
        history=tuple(history),
        then=tuple(then) if then is not None else None,
        refused=str(spec.get("refused", "")),
        timer=spec.get("timer"),
        title=str(spec.get("title", where)),
    )


__all__ = ["ACTIONS", "IMPLICIT", "NAME", "TermsRefused", "implicit_fact", "read_document"]
